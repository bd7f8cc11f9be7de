//! The map layers, read far enough to be sure of them: towns and villages with codes, names and places.

use model::{Geometry, Problem};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The layers that every profile has: `layers/<name>.geojson`.
pub const LAYERS: [&str; 4] = ["outline", "river", "towns", "villages"];
/// The layer of unit grids, which a city may have.
pub const GRIDS: &str = "grids";

/// A town, street or farm of the size of one (乡镇、街道).
#[derive(Clone, Debug, PartialEq)]
pub struct Town {
    /// Statistics code, 9 digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// How many villages and communities it has.
    pub village_count: usize,
    /// Where its label stands: longitude, latitude.
    pub label: [f64; 2],
    /// Its outer border: longitude, latitude; the first point is also the last.
    pub ring: Vec<[f64; 2]>,
}

/// A unit grid (单元网格): the smallest area that somebody walks and answers for. Its code is that of GB/T 30428.1: the county's
/// (6 digits), the street's or town's (3), the community's or village's (3), and the grid's own number there (3).
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Code, 15 digits.
    pub code: String,
    /// Name: where it lies.
    pub name: String,
    /// Its outer border: longitude, latitude; the first point is also the last.
    pub ring: Vec<[f64; 2]>,
}

impl Grid {
    /// Whether the point (longitude, latitude) lies inside its border.
    pub fn contains(&self, place: [f64; 2]) -> bool {
        is_inside(&self.ring, place)
    }
}

/// Whether a point lies inside a closed ring (even-odd rule).
fn is_inside(ring: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    ring.windows(2).fold(false, |inside, side| {
        let ([ax, ay], [bx, by]) = (side[0], side[1]);
        let crosses = (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax;
        inside != crosses
    })
}

/// A village or community (村、社区).
#[derive(Clone, Debug, PartialEq)]
pub struct Village {
    /// Statistics code, 12 digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of its town.
    pub town_code: String,
    /// Longitude, latitude.
    pub place: [f64; 2],
}

impl Town {
    /// West, south, east, north of its border.
    pub fn bbox(&self) -> [f64; 4] {
        self.ring
            .iter()
            .fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |b, p| {
                [
                    b[0].min(p[0]),
                    b[1].min(p[1]),
                    b[2].max(p[0]),
                    b[3].max(p[1]),
                ]
            })
    }

    /// Whether the point (longitude, latitude) lies inside its border.
    pub fn contains(&self, place: [f64; 2]) -> bool {
        is_inside(&self.ring, place)
    }
}

fn problem(layer: &str, what: impl Into<String>) -> Problem {
    Problem::new(
        "city-layer",
        what,
        format!("layers/{layer}.geojson"),
        "write a GeoJSON FeatureCollection; layers/SOURCE.md says what each layer holds",
    )
}

/// The features of a layer, each with a geometry that stands on Earth.
pub(crate) fn features(layer: &str, bytes: &[u8]) -> Result<Vec<Json>, Problem> {
    let mut json: Json =
        serde_json::from_slice(bytes).map_err(|e| problem(layer, format!("not JSON: {e}")))?;
    let Some(Json::Array(features)) = json.get_mut("features").map(Json::take) else {
        return Err(problem(layer, "not a FeatureCollection"));
    };
    for (n, feature) in features.iter().enumerate() {
        let geometry = feature.get("geometry").unwrap_or(&Json::Null);
        Geometry::from_geojson(geometry)
            .map_err(|e| problem(layer, format!("feature {n}: {}", e.what)))?;
    }
    Ok(features)
}

fn text(layer: &str, n: usize, feature: &Json, key: &str) -> Result<String, Problem> {
    feature["properties"][key]
        .as_str()
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| problem(layer, format!("feature {n} has no {key}")))
}

fn pair(json: &Json) -> Option<[f64; 2]> {
    Some([json.get(0)?.as_f64()?, json.get(1)?.as_f64()?])
}

/// The outer border of a feature that is an area.
fn ring_of(layer: &str, n: usize, feature: &Json) -> Result<Vec<[f64; 2]>, Problem> {
    let ring: Option<Vec<[f64; 2]>> = match feature["geometry"]["type"].as_str() {
        Some("Polygon") => feature["geometry"]["coordinates"][0]
            .as_array()
            .map(|r| r.iter().filter_map(pair).collect()),
        _ => None,
    };
    ring.filter(|r| r.len() >= 4 && r.first() == r.last())
        .ok_or_else(|| problem(layer, format!("feature {n} is not a closed Polygon")))
}

/// Digits of a unit grid's code: county 6, street 3, community 3, order 3.
const GRID_DIGITS: usize = 15;

pub(crate) fn grids(bytes: &[u8], towns: &[Town]) -> Result<Vec<Grid>, Problem> {
    const LAYER: &str = "grids";
    let mut grids: Vec<Grid> = Vec::new();
    let mut codes = BTreeSet::new();
    for (n, feature) in features(LAYER, bytes)?.iter().enumerate() {
        let code = text(LAYER, n, feature, "code")?;
        let is_code = code.len() == GRID_DIGITS && code.bytes().all(|b| b.is_ascii_digit());
        if !is_code || !towns.iter().any(|town| code.starts_with(&town.code)) {
            let what = format!(
                "\"{}\" is no code of a unit grid: 15 digits that begin with a town's code",
                model::problem::quote(&code)
            );
            return Err(problem(LAYER, what));
        }
        if !codes.insert(code.clone()) {
            return Err(problem(LAYER, format!("code {code} is there twice")));
        }
        grids.push(Grid {
            name: text(LAYER, n, feature, "name")?,
            ring: ring_of(LAYER, n, feature)?,
            code,
        });
    }
    Ok(grids)
}

pub(crate) fn towns(bytes: &[u8]) -> Result<Vec<Town>, Problem> {
    const LAYER: &str = "towns";
    let mut towns = Vec::new();
    for (n, feature) in features(LAYER, bytes)?.iter().enumerate() {
        let ring = ring_of(LAYER, n, feature)?;
        let code = text(LAYER, n, feature, "code")?;
        if towns.iter().any(|t: &Town| t.code == code) {
            return Err(problem(LAYER, format!("code {code} is there twice")));
        }
        towns.push(Town {
            name: text(LAYER, n, feature, "name")?,
            village_count: feature["properties"]["village_count"]
                .as_u64()
                .and_then(|c| usize::try_from(c).ok())
                .unwrap_or(0),
            label: pair(&feature["properties"]["label"]).unwrap_or(ring[0]),
            code,
            ring,
        });
    }
    Ok(towns)
}

pub(crate) fn villages(bytes: &[u8], towns: &[Town]) -> Result<Vec<Village>, Problem> {
    const LAYER: &str = "villages";
    let mut codes = BTreeSet::new();
    let mut villages = Vec::new();
    for (n, feature) in features(LAYER, bytes)?.iter().enumerate() {
        let village = Village {
            code: text(LAYER, n, feature, "code")?,
            name: text(LAYER, n, feature, "name")?,
            town_code: text(LAYER, n, feature, "town_code")?,
            place: pair(&feature["geometry"]["coordinates"])
                .ok_or_else(|| problem(LAYER, format!("feature {n} is not a Point")))?,
        };
        if !codes.insert(village.code.clone()) {
            return Err(problem(
                LAYER,
                format!("code {} is there twice", village.code),
            ));
        }
        if !towns.iter().any(|t| t.code == village.town_code) {
            return Err(problem(
                LAYER,
                format!(
                    "{} names the town {}, which is not in layers/towns.geojson",
                    village.name, village.town_code
                ),
            ));
        }
        villages.push(village);
    }
    Ok(villages)
}
