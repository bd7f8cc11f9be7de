//! Areas of geofences (电子围栏), and on which side of their border a place lies.
//!
//! Coordinates are WGS 84 degrees. Distances are taken on a plane that touches the earth at the place looked at: within a county the
//! error is below one in a thousand.

use model::Geometry;
use serde::{Deserialize, Serialize};

/// Most corners of a polygon.
pub const CORNERS_MAX: usize = 10_000;
/// Longest radius, in metres.
pub const RADIUS_M_MAX: f64 = 500_000.0;

/// Metres to a degree of latitude (mean radius of the earth 6,371,008.8 m, IUGG).
const METRES_PER_DEGREE: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0;

/// An area: a circle, or a polygon such as a division's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Area {
    /// All within a radius.
    Circle(Circle),
    /// All within a ring.
    Polygon(Polygon),
}

/// A circle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circle {
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Longitude of the centre, degrees.
    pub lon: f64,
    /// Latitude of the centre, degrees.
    pub lat: f64,
    /// Radius, in metres.
    pub radius_m: f64,
}

/// A polygon without holes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polygon {
    /// What it is called, for instance the division.
    #[serde(default)]
    pub name: Option<String>,
    /// Its corners, longitude and latitude in degrees, in turn; the last is joined to the first.
    pub polygon: Vec<[f64; 2]>,
}

impl Area {
    /// What is wrong with it; `None` when it is an area.
    pub fn mistake(&self) -> Option<String> {
        let is_place =
            |lon: f64, lat: f64| (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        match self {
            Self::Circle(circle) => {
                if !is_place(circle.lon, circle.lat) {
                    Some(format!("{}, {} is no place", circle.lon, circle.lat))
                } else if circle.radius_m > 0.0 && circle.radius_m <= RADIUS_M_MAX {
                    None
                } else {
                    Some(format!(
                        "a radius of {} m is not within 0 and {RADIUS_M_MAX} m",
                        circle.radius_m
                    ))
                }
            }
            Self::Polygon(polygon) => {
                let corners = polygon.polygon.len();
                if !(3..=CORNERS_MAX).contains(&corners) {
                    return Some(format!(
                        "a polygon has 3 to {CORNERS_MAX} corners, this has {corners}"
                    ));
                }
                polygon
                    .polygon
                    .iter()
                    .find(|[lon, lat]| !is_place(*lon, *lat))
                    .map(|[lon, lat]| format!("{lon}, {lat} is no place"))
            }
        }
    }

    /// What it is called.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Circle(circle) => circle.name.as_deref(),
            Self::Polygon(polygon) => polygon.name.as_deref(),
        }
    }

    /// How far inside the border a place lies, in metres; negative outside.
    pub fn depth_m(&self, lon: f64, lat: f64) -> f64 {
        // A plane around the place: x to the east, y to the north, in metres.
        let east = METRES_PER_DEGREE * lat.to_radians().cos();
        let plane = |[l, b]: [f64; 2]| ((l - lon) * east, (b - lat) * METRES_PER_DEGREE);
        match self {
            Self::Circle(circle) => {
                let (x, y) = plane([circle.lon, circle.lat]);
                circle.radius_m - x.hypot(y)
            }
            Self::Polygon(polygon) => {
                let corners = &polygon.polygon;
                let mut is_inside = false;
                let mut nearest = f64::INFINITY;
                let before = corners.iter().cycle().skip(corners.len().saturating_sub(1));
                for (a, b) in before.zip(corners) {
                    let ((ax, ay), (bx, by)) = (plane(*a), plane(*b));
                    // Even–odd rule along the ray to the east.
                    if (ay > 0.0) != (by > 0.0) && ax + (bx - ax) * ay / (ay - by) > 0.0 {
                        is_inside = !is_inside;
                    }
                    let (dx, dy) = (bx - ax, by - ay);
                    let length = dx * dx + dy * dy;
                    let part = if length > 0.0 {
                        (-(ax * dx + ay * dy) / length).clamp(0.0, 1.0)
                    } else {
                        0.0
                    };
                    nearest = nearest.min((ax + part * dx).hypot(ay + part * dy));
                }
                if is_inside { nearest } else { -nearest }
            }
        }
    }
}

/// The place of a geometry: a point itself, or the middle of a shape's box.
pub(crate) fn place(geometry: &Geometry) -> (f64, f64) {
    match geometry {
        Geometry::Point { lon, lat } => (*lon, *lat),
        Geometry::Shape {
            bbox: [west, south, east, north],
            ..
        } => (f64::midpoint(*west, *east), f64::midpoint(*south, *north)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < b.abs() * 0.001 + 0.01
    }

    #[test]
    fn a_circle() {
        let area: Area = toml::from_str("lon = 113.16\nlat = 30.66\nradius_m = 1000.0").unwrap();
        assert!(near(area.depth_m(113.16, 30.66), 1000.0));
        // 0.01 degrees of latitude are 1,111.95 m.
        assert!(near(area.depth_m(113.16, 30.67), -111.95));
    }

    #[test]
    fn a_polygon_with_a_notch() {
        let area: Area = toml::from_str(
            "name = \"园区\"\npolygon = [[113.0, 30.0], [113.04, 30.0], [113.04, 30.04], [113.02, 30.02], [113.0, 30.04]]",
        )
        .unwrap();
        assert_eq!(area.mistake(), None);
        assert!(near(area.depth_m(113.02, 30.005), 555.97));
        assert!(area.depth_m(113.02, 30.03) < 0.0, "in the notch");
        assert!(area.depth_m(113.005, 30.03) > 0.0);
        assert!(near(area.depth_m(113.02, 29.99), -1111.95));
    }

    #[test]
    fn what_is_no_area() {
        for text in [
            "lon = 113.0\nlat = 30.0\nradius_m = 0.0",
            "lon = 113.0\nlat = 91.0\nradius_m = 1.0",
            "polygon = [[113.0, 30.0], [113.0, 30.1]]",
            "polygon = [[113.0, 30.0], [113.0, 30.1], [nan, 30.0]]",
        ] {
            let area: Area = toml::from_str(text).unwrap();
            assert!(area.mistake().is_some(), "{text}");
        }
    }
}
