//! What an attribute can hold.

use crate::ids::EntityId;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// An attribute's value. Numbers are finite; coordinates are WGS 84 longitude and latitude in degrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A finite number, in the unit that the update names.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text, at most [`TEXT_BYTES_MAX`] bytes.
    Text(String),
    /// A place (NGSI-LD GeoProperty).
    Geometry(Geometry),
    /// Another entity (NGSI-LD Relationship).
    Relationship(EntityId),
    /// Anything else, as JSON text.
    Json(String),
    /// The attribute is taken away (NGSI-LD `urn:ngsi-ld:null`).
    Deleted,
}

/// Longest text or JSON value, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A place, from GeoJSON (RFC 7946).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Geometry {
    /// One point.
    Point {
        /// Longitude, degrees east, −180 to 180.
        lon: f64,
        /// Latitude, degrees north, −90 to 90.
        lat: f64,
    },
    /// Any other GeoJSON geometry, kept as its text, with its bounding box west, south, east, north.
    Shape {
        /// The geometry's GeoJSON text.
        geojson: String,
        /// West, south, east, north, in degrees.
        bbox: [f64; 4],
    },
}

impl Value {
    /// A finite number.
    ///
    /// # Errors
    /// `number-not-finite` for NaN and the infinities.
    pub fn number(number: f64) -> Result<Self, Problem> {
        if number.is_finite() {
            Ok(Self::Number(number))
        } else {
            Err(Problem::new(
                "number-not-finite",
                format!("{number} is not a finite number"),
                "value",
                "send a finite number, or leave the attribute out and mark the device's fault",
            ))
        }
    }

    /// The value as plain JSON (NGSI-LD simplified form).
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Number(n) => serde_json::json!(n),
            Self::Boolean(b) => serde_json::json!(b),
            Self::Text(t) => serde_json::json!(t),
            Self::Geometry(g) => g.to_geojson(),
            Self::Relationship(id) => serde_json::json!(id.as_str()),
            Self::Json(text) => serde_json::from_str(text).unwrap_or(serde_json::Value::Null),
            Self::Deleted => serde_json::Value::Null,
        }
    }

    /// The number, when it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            _ => None,
        }
    }
}

impl Geometry {
    /// Reads a GeoJSON geometry object.
    ///
    /// # Errors
    /// `geometry-shape` when it is not a geometry, `geometry-range` when a coordinate is out of range.
    pub fn from_geojson(json: &serde_json::Value) -> Result<Self, Problem> {
        let shape_problem = || {
            Problem::new(
                "geometry-shape",
                "not a GeoJSON geometry",
                "value",
                "send {\"type\":\"Point\",\"coordinates\":[longitude, latitude]} or another RFC 7946 geometry",
            )
        };
        let kind = json.get("type").and_then(|t| t.as_str());
        let coordinates = json.get("coordinates").ok_or_else(shape_problem)?;
        let depth = match kind {
            Some("Point") => 0,
            Some("MultiPoint" | "LineString") => 1,
            Some("MultiLineString" | "Polygon") => 2,
            Some("MultiPolygon") => 3,
            _ => return Err(shape_problem()),
        };
        let mut bbox = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        walk(coordinates, depth, &mut bbox).map_err(|bad| match bad {
            BadCoordinate::Shape => shape_problem(),
            BadCoordinate::Range(lon, lat) => Problem::new(
                "geometry-range",
                format!("[{lon}, {lat}] is not a place on Earth"),
                "value.coordinates",
                "send [longitude −180..180, latitude −90..90] in degrees, longitude first",
            ),
        })?;
        if bbox[0] > bbox[2] {
            return Err(shape_problem());
        }
        Ok(if depth == 0 {
            Self::Point {
                lon: bbox[0],
                lat: bbox[1],
            }
        } else {
            Self::Shape {
                geojson: json.to_string(),
                bbox,
            }
        })
    }

    /// As a GeoJSON geometry object.
    pub fn to_geojson(&self) -> serde_json::Value {
        match self {
            Self::Point { lon, lat } => {
                serde_json::json!({"type": "Point", "coordinates": [lon, lat]})
            }
            Self::Shape { geojson, .. } => {
                serde_json::from_str(geojson).unwrap_or(serde_json::Value::Null)
            }
        }
    }

    /// West, south, east, north, in degrees.
    pub fn bbox(&self) -> [f64; 4] {
        match self {
            Self::Point { lon, lat } => [*lon, *lat, *lon, *lat],
            Self::Shape { bbox, .. } => *bbox,
        }
    }
}

enum BadCoordinate {
    Shape,
    Range(f64, f64),
}

fn walk(json: &serde_json::Value, depth: usize, bbox: &mut [f64; 4]) -> Result<(), BadCoordinate> {
    let items = json.as_array().ok_or(BadCoordinate::Shape)?;
    if depth > 0 {
        return items
            .iter()
            .try_for_each(|item| walk(item, depth - 1, bbox));
    }
    let (Some(lon), Some(lat)) = (
        items.first().and_then(serde_json::Value::as_f64),
        items.get(1).and_then(serde_json::Value::as_f64),
    ) else {
        return Err(BadCoordinate::Shape);
    };
    if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
        return Err(BadCoordinate::Range(lon, lat));
    }
    bbox[0] = bbox[0].min(lon);
    bbox[1] = bbox[1].min(lat);
    bbox[2] = bbox[2].max(lon);
    bbox[3] = bbox[3].max(lat);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn points_and_shapes() {
        let point =
            Geometry::from_geojson(&json!({"type":"Point","coordinates":[113.16,30.65]})).unwrap();
        assert_eq!(
            point,
            Geometry::Point {
                lon: 113.16,
                lat: 30.65
            }
        );
        let line = Geometry::from_geojson(
            &json!({"type":"LineString","coordinates":[[113.0,30.5],[113.2,30.4]]}),
        )
        .unwrap();
        assert_eq!(line.bbox(), [113.0, 30.4, 113.2, 30.5]);
    }

    #[test]
    fn swapped_latitude_is_told() {
        let e = Geometry::from_geojson(&json!({"type":"Point","coordinates":[30.65,113.16]}))
            .unwrap_err();
        assert_eq!(e.code, "geometry-range");
        assert_eq!(
            Geometry::from_geojson(&json!({"type":"Point"}))
                .unwrap_err()
                .code,
            "geometry-shape"
        );
    }

    #[test]
    fn nan_is_no_number() {
        assert_eq!(
            Value::number(f64::NAN).unwrap_err().code,
            "number-not-finite"
        );
    }
}
