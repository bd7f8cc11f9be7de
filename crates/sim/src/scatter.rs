//! Chance that repeats: a small generator of our own (its numbers must never change with a dependency), a stable
//! spread of counts over towns, and a made-up road network along which street lights stand.

use city::Town;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Chance(u64);

impl Chance {
    /// A stream of its own for each (seed, name).
    pub(crate) fn new(seed: u64, stream: &str) -> Self {
        // FNV-1a of the name keeps the streams apart.
        let hash = stream.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 ≤ x < 1.
    pub(crate) fn unit(&mut self) -> f64 {
        // 53 bits fit a double exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// least ≤ n ≤ most.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        let span = (most.max(least) - least + 1) as u64;
        least + usize::try_from(self.next() % span).unwrap_or(0)
    }

    /// About normal, mean 0, standard deviation 1 (sum of twelve).
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Shares `total` among weights by largest remainder, so that the sum is exactly `total`.
pub(crate) fn share(total: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|w| total as f64 * w / sum).collect();
    let mut counts: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| {
        (exact[b] - exact[b].floor())
            .total_cmp(&(exact[a] - exact[a].floor()))
            .then(a.cmp(&b))
    });
    let missing = total.saturating_sub(counts.iter().sum());
    for &k in order.iter().cycle().take(missing) {
        counts[k] += 1;
    }
    counts
}

/// Kilometres per degree of longitude at `lat`, and of latitude.
fn km_per_degree(lat: f64) -> (f64, f64) {
    (111.32 * lat.to_radians().cos(), 110.95)
}

fn distance_km(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (kx, ky) = km_per_degree(a[1]);
    ((a[0] - b[0]) * kx).hypot((a[1] - b[1]) * ky)
}

/// `count` points near the given places and inside the town, `spread_km` around them.
pub(crate) fn near(
    town: &Town,
    places: &[[f64; 2]],
    count: usize,
    spread_km: f64,
    chance: &mut Chance,
) -> Vec<[f64; 2]> {
    const TRIES_MAX: usize = 32;
    let (kx, ky) = km_per_degree(town.label[1]);
    (0..count)
        .map(|_| {
            let home = places[chance.between(0, places.len() - 1)];
            (0..TRIES_MAX)
                .map(|_| {
                    [
                        home[0] + spread_km * chance.normal() / kx,
                        home[1] + spread_km * chance.normal() / ky,
                    ]
                })
                .find(|p| town.contains(*p))
                .unwrap_or(home)
        })
        .collect()
}

/// `count` points along made-up roads: the shortest tree from the town's label to its villages, filled from the label
/// outwards, on both sides of the road.
pub(crate) fn along_roads(town: &Town, villages: &[[f64; 2]], count: usize) -> Vec<[f64; 2]> {
    const SPACING_LEAST_KM: f64 = 0.045;
    const SIDE_KM: f64 = 0.012;
    let edges = shortest_tree(town.label, villages);
    let length: f64 = edges.iter().map(|(a, b)| distance_km(*a, *b)).sum();
    let spacing = (length / count.max(1) as f64).max(SPACING_LEAST_KM);
    let (kx, ky) = km_per_degree(town.label[1]);
    let mut points = Vec::with_capacity(count);
    let mut round = 0;
    // A town with more lights than its roads hold at the least spacing gets a second row, shifted by half a step.
    while points.len() < count && !edges.is_empty() {
        let mut at = spacing * (0.5 + 0.5 * f64::from(round % 2));
        for (a, b) in &edges {
            let long = distance_km(*a, *b);
            let (ux, uy) = (
                (b[0] - a[0]) * kx / long.max(1e-9),
                (b[1] - a[1]) * ky / long.max(1e-9),
            );
            while at < long && points.len() < count {
                let side = if points.len() % 2 == 0 {
                    SIDE_KM
                } else {
                    -SIDE_KM
                } * f64::from(round + 1);
                points.push([
                    a[0] + (ux * at - uy * side) / kx,
                    a[1] + (uy * at + ux * side) / ky,
                ]);
                at += spacing;
            }
            at -= long;
        }
        round += 1;
    }
    points
}

/// Prim's tree over the label and the villages, in the order in which it grows.
fn shortest_tree(start: [f64; 2], villages: &[[f64; 2]]) -> Vec<([f64; 2], [f64; 2])> {
    let mut best: Vec<(f64, [f64; 2])> = villages
        .iter()
        .map(|v| (distance_km(start, *v), start))
        .collect();
    let mut open: Vec<usize> = (0..villages.len()).collect();
    let mut edges = Vec::with_capacity(villages.len());
    while let Some(slot) =
        (0..open.len()).min_by(|&a, &b| best[open[a]].0.total_cmp(&best[open[b]].0))
    {
        let next = open.swap_remove(slot);
        edges.push((best[next].1, villages[next]));
        for &k in &open {
            let d = distance_km(villages[next], villages[k]);
            if d < best[k].0 {
                best[k] = (d, villages[next]);
            }
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_changes() {
        // The widely published reference values of SplitMix64 for this seed.
        let mut chance = Chance(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| chance.next()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
        assert_ne!(Chance::new(1, "a").next(), Chance::new(1, "b").next());
        let mut chance = Chance::new(7, "bounds");
        assert!(
            (0..1000)
                .map(|_| chance.unit())
                .all(|x| (0.0..1.0).contains(&x))
        );
        assert!(
            (0..1000)
                .map(|_| chance.between(4, 6))
                .all(|n| (4..=6).contains(&n))
        );
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(share(10, &[1.0, 1.0, 1.0]), [4, 3, 3]);
        assert_eq!(
            share(1126, &[21.0, 15.0, 25.0, 37.5]).iter().sum::<usize>(),
            1126
        );
        assert_eq!(share(5, &[0.0]), [0]);
    }
}
