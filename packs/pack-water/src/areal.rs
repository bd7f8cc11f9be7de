//! Rain over an area (面雨量) from gauges: as weights of the gauges that add up to 1, so that the rain of each step is one sum.
//!
//! * Thiessen (1911), Monthly Weather Review 39(7), 泰森多边形法: each gauge stands for the part of the basin that is nearest to it. The parts
//!   are exact: the basin cut by the lines half way between gauges. Written here, since cutting by a straight line is all that is
//!   needed, and the boolean operations of the geometry libraries round coordinates to a grid.
//! * Inverse distance (反距离加权法), Shepard (1968): each cell of a grid over the basin weighs the gauges by distance to a power.
//!
//! Where a gauge is silent, the weights are those of the gauges that speak.

use crate::math::count;

/// Radius of the sphere with the Earth's surface (authalic), m.
const RADIUS_M: f64 = 6_371_007.2;

/// A place on a plane, m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the east.
    pub x: f64,
    /// To the north.
    pub y: f64,
}

/// Longitude and latitude in degrees on a plane about a middle: Lambert's azimuthal projection, whose areas are true. Within 100 km of
/// the middle, distances are within 0.01 %.
pub fn project(longitude: f64, latitude: f64, middle: (f64, f64)) -> Point {
    let (l, p) = ((longitude - middle.0).to_radians(), latitude.to_radians());
    let p0 = middle.1.to_radians();
    let (sin_l, cos_l) = (libm::sin(l), libm::cos(l));
    let (sin_p, cos_p) = (libm::sin(p), libm::cos(p));
    let (sin_0, cos_0) = (libm::sin(p0), libm::cos(p0));
    let k = (2.0 / (1.0 + sin_0 * sin_p + cos_0 * cos_p * cos_l)).sqrt();
    Point {
        x: RADIUS_M * k * cos_p * sin_l,
        y: RADIUS_M * k * (cos_0 * sin_p - sin_0 * cos_p * cos_l),
    }
}

/// A basin: polygons, each an outer ring and its holes. Rings need not repeat their first point, and may turn either way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Basin {
    /// Outer rings.
    pub outer: Vec<Vec<Point>>,
    /// Holes, each within an outer ring.
    pub holes: Vec<Vec<Point>>,
}

impl Basin {
    /// Its area, m².
    pub fn area(&self) -> f64 {
        let sum = |rings: &[Vec<Point>]| rings.iter().map(|r| ring_area(r)).sum::<f64>();
        sum(&self.outer) - sum(&self.holes)
    }

    /// Whether the place is inside.
    pub fn holds(&self, at: Point) -> bool {
        let within = |rings: &[Vec<Point>]| rings.iter().any(|r| ring_holds(r, at));
        within(&self.outer) && !within(&self.holes)
    }

    /// The part that is nearer to `to` than to `from`.
    fn nearer(&self, to: Point, from: Point) -> Self {
        let cut = |rings: &[Vec<Point>]| {
            let cut = rings.iter().map(|r| cut(r, to, from));
            cut.filter(|r| r.len() > 2).collect()
        };
        Self {
            outer: cut(&self.outer),
            holes: cut(&self.holes),
        }
    }
}

/// The area within a ring, m², by the shoelace formula about its first point.
fn ring_area(ring: &[Point]) -> f64 {
    let Some(base) = ring.first() else { return 0.0 };
    let ends = ring.iter().zip(ring.iter().cycle().skip(1));
    let twice: f64 = ends
        .map(|(a, b)| (a.x - base.x) * (b.y - base.y) - (b.x - base.x) * (a.y - base.y))
        .sum();
    twice.abs() / 2.0
}

fn ring_holds(ring: &[Point], at: Point) -> bool {
    let ends = ring.iter().zip(ring.iter().cycle().skip(1));
    let crossed = ends.filter(|(a, b)| {
        (a.y > at.y) != (b.y > at.y) && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x
    });
    crossed.count() % 2 == 1
}

/// What of a ring is nearer to `to` (Sutherland & Hodgman 1974). A ring that bends inward can be left with edges that run back over
/// themselves along the line; they have no area.
fn cut(ring: &[Point], to: Point, from: Point) -> Vec<Point> {
    let middle = Point {
        x: f64::midpoint(to.x, from.x),
        y: f64::midpoint(to.y, from.y),
    };
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let side = |p: &Point| (p.x - middle.x) * dx + (p.y - middle.y) * dy;
    let mut kept = Vec::with_capacity(ring.len() + 2);
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (of_a, of_b) = (side(a), side(b));
        if of_a >= 0.0 {
            kept.push(*a);
        }
        if (of_a >= 0.0) != (of_b >= 0.0) {
            let share = of_a / (of_a - of_b);
            kept.push(Point {
                x: a.x + (b.x - a.x) * share,
                y: a.y + (b.y - a.y) * share,
            });
        }
    }
    kept
}

/// The area of the basin for which each gauge stands, m². Gauges at one place share theirs.
pub fn thiessen_areas(basin: &Basin, gauges: &[Point]) -> Vec<f64> {
    let area = |(n, gauge): (usize, &Point)| {
        let mut part = basin.clone();
        let mut sharing = 1.0;
        for (m, other) in gauges.iter().enumerate() {
            if other == gauge {
                sharing += if m == n { 0.0 } else { 1.0 };
            } else {
                part = part.nearer(*gauge, *other);
            }
        }
        part.area() / sharing
    };
    gauges.iter().enumerate().map(area).collect()
}

/// The weights of the gauges after Thiessen. Empty for a basin without area.
pub fn thiessen(basin: &Basin, gauges: &[Point]) -> Vec<f64> {
    let areas = thiessen_areas(basin, gauges);
    let all: f64 = areas.iter().sum();
    if all > 0.0 {
        areas.iter().map(|a| a / all).collect()
    } else {
        Vec::new()
    }
}

/// The weights of the gauges by inverse distance to `power`, over a grid with `cells` along the basin's longer side. A gauge within a
/// centimetre of a cell's middle stands for that cell alone. Empty when no cell's middle is in the basin.
pub fn inverse_distance(basin: &Basin, gauges: &[Point], power: f64, cells: usize) -> Vec<f64> {
    let mut bounds: Option<(Point, Point)> = None;
    for p in basin.outer.iter().flatten() {
        let (low, high) = bounds.unwrap_or((*p, *p));
        bounds = Some((
            Point {
                x: low.x.min(p.x),
                y: low.y.min(p.y),
            },
            Point {
                x: high.x.max(p.x),
                y: high.y.max(p.y),
            },
        ));
    }
    let Some((low, high)) = bounds else {
        return Vec::new();
    };
    let size = (high.x - low.x).max(high.y - low.y) / count(cells.max(1));
    let mut weights = vec![0.0; gauges.len()];
    let mut inside = 0.0;
    for row in 0..cells {
        for column in 0..cells {
            let at = Point {
                x: low.x + (count(column) + 0.5) * size,
                y: low.y + (count(row) + 0.5) * size,
            };
            if at.x > high.x || at.y > high.y || !basin.holds(at) {
                continue;
            }
            inside += 1.0;
            let own = of_place(at, gauges, power);
            for (sum, weight) in weights.iter_mut().zip(own) {
                *sum += weight;
            }
        }
    }
    if inside > 0.0 {
        weights.iter().map(|w| w / inside).collect()
    } else {
        Vec::new()
    }
}

fn of_place(at: Point, gauges: &[Point], power: f64) -> Vec<f64> {
    const HERE_M: f64 = 0.01;
    let away = |g: &Point| ((g.x - at.x) * (g.x - at.x) + (g.y - at.y) * (g.y - at.y)).sqrt();
    let far: Vec<f64> = gauges.iter().map(away).collect();
    let here = far.iter().filter(|d| **d < HERE_M).count();
    let raw: Vec<f64> = far
        .iter()
        .map(|d| match here {
            0 => 1.0 / crate::math::pow(*d, power),
            _ if *d < HERE_M => 1.0,
            _ => 0.0,
        })
        .collect();
    let all: f64 = raw.iter().sum();
    raw.iter().map(|w| w / all).collect()
}
