//! Which resources (应急资源) are nearest to where something happens.

/// Mean radius of the Earth, metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;
/// First distance within which is looked, metres.
pub const FIRST_M: f64 = 2_000.0;
/// Last one, metres: from any place of a county-level city past its borders.
pub const LAST_M: f64 = 256_000.0;

/// Distance of two places on the sphere, metres; longitude and latitude in degrees (WGS 84).
pub fn distance_m(a: [f64; 2], b: [f64; 2]) -> f64 {
    let [lon_a, lat_a] = a.map(f64::to_radians);
    let [lon_b, lat_b] = b.map(f64::to_radians);
    let across = ((lat_b - lat_a) / 2.0).sin().powi(2)
        + lat_a.cos() * lat_b.cos() * ((lon_b - lon_a) / 2.0).sin().powi(2);
    2.0 * EARTH_RADIUS_M * across.sqrt().min(1.0).asin()
}

/// West, south, east and north of all that lies within a distance, in degrees.
pub fn corners(place: [f64; 2], within_m: f64) -> [f64; 4] {
    let [lon, lat] = place;
    let high = (within_m / EARTH_RADIUS_M).to_degrees();
    // Where meridians are narrowest; near a pole all of them.
    let narrowest = (lat.abs() + high).min(90.0).to_radians().cos();
    let wide = if narrowest * 180.0 <= high {
        180.0
    } else {
        high / narrowest
    };
    [
        (lon - wide).max(-180.0),
        (lat - high).max(-90.0),
        (lon + wide).min(180.0),
        (lat + high).min(90.0),
    ]
}

/// The nearest, nearest first, each with its distance in metres. `within` gives everything inside west, south, east and
/// north; it is asked for ever larger stretches, until enough lie within the distance that the stretch is sure to hold.
pub fn nearest<T>(
    place: [f64; 2],
    limit: usize,
    mut within: impl FnMut([f64; 4]) -> Vec<(T, [f64; 2])>,
) -> Vec<(T, f64)> {
    let mut reach_m = FIRST_M;
    loop {
        let mut found: Vec<(T, f64)> = within(corners(place, reach_m))
            .into_iter()
            .map(|(what, at)| (what, distance_m(place, at)))
            .filter(|(_, metres)| *metres <= reach_m)
            .collect();
        if found.len() >= limit || reach_m >= LAST_M {
            found.sort_by(|a, b| a.1.total_cmp(&b.1));
            found.truncate(limit);
            return found;
        }
        reach_m *= 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_111_kilometres_and_a_place_is_at_itself() {
        let metres = distance_m([113.0, 30.0], [113.0, 31.0]);
        assert!((metres - 111_195.0).abs() < 1.0, "{metres}");
        assert_eq!(distance_m([113.0, 30.0], [113.0, 30.0]), 0.0);
        let half = distance_m([0.0, 0.0], [180.0, 0.0]);
        assert!((half - 20_015_115.0).abs() < 10.0, "{half}");
    }

    #[test]
    fn the_nearest_come_first_and_none_that_is_nearer_is_left_out() {
        // A grid, so that the corner of a stretch lies further than its sides.
        let mut all = Vec::new();
        for x in -20..=20_i32 {
            for y in -20..=20_i32 {
                let place = [
                    113.0 + f64::from(x) * 0.02 + 0.003,
                    30.6 + f64::from(y) * 0.02 + 0.001,
                ];
                all.push(((x, y), place));
            }
        }
        let here = [113.0, 30.6];
        let mut asked = 0;
        let found = nearest(here, 7, |[west, south, east, north]| {
            asked += 1;
            let inside = |[lon, lat]: [f64; 2]| {
                (west..=east).contains(&lon) && (south..=north).contains(&lat)
            };
            all.iter().filter(|(_, at)| inside(*at)).copied().collect()
        });
        let mut by_hand: Vec<f64> = all.iter().map(|(_, at)| distance_m(here, *at)).collect();
        by_hand.sort_by(f64::total_cmp);
        let metres: Vec<f64> = found.iter().map(|(_, m)| *m).collect();
        assert_eq!(metres, by_hand[..7]);
        assert_eq!(found[0].0, (0, 0));
        assert!(asked > 1, "it began with a small stretch");
    }

    #[test]
    fn where_there_are_fewer_all_of_them_are_given_and_the_looking_ends() {
        let one = [([113.5, 30.9], "far")];
        let found = nearest([113.0, 30.6], 5, |_| {
            one.iter().map(|(at, name)| (*name, *at)).collect()
        });
        assert_eq!(found.len(), 1);
        let none: Vec<(&str, f64)> = nearest([113.0, 30.6], 5, |_| Vec::new());
        assert!(none.is_empty());
        let [west, _, east, north] = corners([0.0, 89.99], 5_000.0);
        assert_eq!((west, east, north), (-180.0, 180.0, 90.0));
    }
}
