//! Geoqueries (clause 4.10). Distances between points are great circles' on a sphere; between other geometries they are taken on a
//! plane that touches the Earth at the reference geometry, which is right to some metres in a thousand within a city. Nothing goes
//! over the antimeridian: coordinates are taken as they are.

use crate::context::{Context, Iri};
use crate::entity::{Entity, Held};
use crate::expand::check_geometry;
use crate::refusal::{Refusal, bad};
use geo::Validation;
use geo::{
    BoundingRect, Coord, Distance, Euclidean, Geometry, Haversine, LineString, MapCoords, Point,
    Polygon, Relate,
};
use model::problem::quote;
use serde_json::{Value, json};

/// Metres of one degree of latitude on the sphere that distances are taken on.
const METRES_PER_DEGREE: f64 = 111_195.079_734_632;

/// How a place lies to the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Relation {
    /// At most, or at least, so many metres away.
    Near {
        /// At most.
        max_m: Option<f64>,
        /// At least.
        min_m: Option<f64>,
    },
    /// Inside it.
    Within,
    /// Around it.
    Contains,
    /// They share a part, and each has one of its own.
    Overlaps,
    /// They share something.
    Intersects,
    /// They are the same.
    Equals,
    /// They share nothing.
    Disjoint,
}

/// A geoquery.
#[derive(Clone, Debug)]
pub struct GeoQuery {
    /// The relation.
    pub relation: Relation,
    /// The full name of the `GeoProperty` that is looked at.
    pub property: Iri,
    reference: Geometry<f64>,
}

fn wrong(parameter: &str, zh: &str, en: &str) -> Refusal {
    bad(
        "geoquery",
        parameter,
        (zh, en),
        (
            "例如 georel=near;maxDistance==2000&geometry=Point&coordinates=[113.16,30.65]",
            "for example georel=near;maxDistance==2000&geometry=Point&coordinates=[113.16,30.65]",
        ),
    )
}

impl GeoQuery {
    /// Reads a geoquery from its parameters.
    ///
    /// # Errors
    /// `BadRequestData` for what is none, or a reference geometry that is none or crosses itself.
    pub fn parse(
        georel: &str,
        geometry: &str,
        coordinates: &str,
        geoproperty: Option<&str>,
        context: &Context,
    ) -> Result<Self, Refusal> {
        let coordinates: Value = serde_json::from_str(coordinates).map_err(|_| {
            wrong(
                "coordinates",
                "coordinates 不是 JSON",
                "the coordinates are not JSON",
            )
        })?;
        let reference = reference(geometry, &coordinates)?;
        Ok(Self {
            relation: Relation::parse(georel)?,
            property: context.name(geoproperty.unwrap_or("location"))?,
            reference,
        })
    }

    /// West, south, east, north in degrees of where entities can be that meet the query; `None` when they can be anywhere.
    pub fn bbox(&self) -> Option<[f64; 4]> {
        let rect = self.reference.bounding_rect()?;
        let margin_m = match self.relation {
            Relation::Disjoint | Relation::Near { max_m: None, .. } => return None,
            Relation::Near {
                max_m: Some(max_m), ..
            } => max_m,
            _ => 0.0,
        };
        let dy = margin_m / METRES_PER_DEGREE * 1.01;
        let south = (rect.min().y - dy).max(-90.0);
        let north = (rect.max().y + dy).min(90.0);
        let narrowest = south.abs().max(north.abs()).to_radians().cos();
        if narrowest < 0.01 {
            return Some([-180.0, south, 180.0, north]);
        }
        let dx = dy / narrowest;
        let (west, east) = (rect.min().x - dx, rect.max().x + dx);
        if margin_m > 0.0 && (west < -180.0 || east > 180.0) {
            return Some([-180.0, south, 180.0, north]);
        }
        Some([west, south, east, north])
    }

    /// Whether an entity meets the query: any instance of its `GeoProperty` does.
    pub fn is_met_by(&self, entity: &Entity) -> bool {
        let instances = entity.attribute(&self.property).unwrap_or_default();
        instances.iter().any(|one| match &one.held {
            Some(Held::Geo(json)) => self.is_met_by_geometry(json),
            _ => false,
        })
    }

    /// Whether a GeoJSON geometry meets the query.
    pub fn is_met_by_geometry(&self, json: &Value) -> bool {
        let Some(target) = to_geo(json) else {
            return false;
        };
        let relate = || target.relate(&self.reference);
        match self.relation {
            Relation::Near { max_m, min_m } => {
                let distance_m = distance_m(&self.reference, &target);
                max_m.is_none_or(|max| distance_m <= max)
                    && min_m.is_none_or(|min| distance_m >= min)
            }
            Relation::Within => relate().is_within(),
            Relation::Contains => relate().is_contains(),
            Relation::Overlaps => relate().is_overlaps(),
            Relation::Intersects => relate().is_intersects(),
            Relation::Equals => relate().is_equal_topo(),
            Relation::Disjoint => relate().is_disjoint(),
        }
    }
}

/// The geometry that a query is about, from its type and its coordinates.
pub(super) fn reference(geometry: &str, coordinates: &Value) -> Result<Geometry<f64>, Refusal> {
    let json = json!({"type": geometry, "coordinates": coordinates});
    check_geometry(&json).map_err(|e| e.within("geometry"))?;
    let made = to_geo(&json).ok_or_else(|| wrong("geometry", "不是几何", "is no geometry"))?;
    if !made.is_valid() {
        return Err(wrong(
            "coordinates",
            "几何与自身相交或退化",
            "the geometry crosses itself or has no extent",
        ));
    }
    Ok(made)
}

impl Relation {
    fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "within" => return Ok(Self::Within),
            "contains" => return Ok(Self::Contains),
            "overlaps" => return Ok(Self::Overlaps),
            "intersects" => return Ok(Self::Intersects),
            "equals" => return Ok(Self::Equals),
            "disjoint" => return Ok(Self::Disjoint),
            _ => {}
        }
        let rest = text
            .strip_prefix("near")
            .and_then(|rest| rest.strip_prefix(';'));
        let Some((word, number)) = rest.and_then(|rest| rest.split_once("==")) else {
            let shown = quote(text);
            return Err(wrong(
                "georel",
                &format!("“{shown}”不是空间关系"),
                &format!("\"{shown}\" is no spatial relation"),
            ));
        };
        let metres = number
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|m| m.is_finite() && *m > 0.0);
        let metres = metres.ok_or_else(|| {
            wrong(
                "georel",
                "距离必须是大于 0 的米数",
                "the distance is a number of metres above 0",
            )
        })?;
        match word.trim() {
            "maxDistance" => Ok(Self::Near {
                max_m: Some(metres),
                min_m: None,
            }),
            "minDistance" => Ok(Self::Near {
                max_m: None,
                min_m: Some(metres),
            }),
            _ => Err(wrong(
                "georel",
                "near 之后应为 maxDistance 或 minDistance",
                "maxDistance or minDistance follows near",
            )),
        }
    }
}

/// Metres between two geometries, 0 when they touch.
pub(super) fn distance_m(from: &Geometry<f64>, to: &Geometry<f64>) -> f64 {
    if let (Geometry::Point(from), Geometry::Point(to)) = (from, to) {
        return Haversine.distance(*from, *to);
    }
    let middle = from.bounding_rect().map_or(0.0, |rect| rect.center().y);
    let per_degree = METRES_PER_DEGREE * middle.to_radians().cos();
    let flat = |geometry: &Geometry<f64>| {
        geometry.map_coords(|c| Coord {
            x: c.x * per_degree,
            y: c.y * METRES_PER_DEGREE,
        })
    };
    Euclidean.distance(&flat(from), &flat(to))
}

/// A GeoJSON geometry in the terms of the crate that relates them.
pub(super) fn to_geo(json: &Value) -> Option<Geometry<f64>> {
    let coordinates = json.get("coordinates")?;
    Some(match json.get("type")?.as_str()? {
        "Point" => Geometry::Point(Point(position(coordinates)?)),
        "MultiPoint" => Geometry::MultiPoint(
            line(coordinates)?
                .into_iter()
                .map(Point)
                .collect::<Vec<_>>()
                .into(),
        ),
        "LineString" => Geometry::LineString(line(coordinates)?),
        "MultiLineString" => {
            Geometry::MultiLineString(geo::MultiLineString(all(coordinates, line)?))
        }
        "Polygon" => Geometry::Polygon(polygon(coordinates)?),
        "MultiPolygon" => Geometry::MultiPolygon(geo::MultiPolygon(all(coordinates, polygon)?)),
        _ => return None,
    })
}

fn position(json: &Value) -> Option<Coord<f64>> {
    Some(Coord {
        x: json.get(0)?.as_f64()?,
        y: json.get(1)?.as_f64()?,
    })
}

fn all<T>(json: &Value, one: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    json.as_array()?.iter().map(one).collect()
}

fn line(json: &Value) -> Option<LineString<f64>> {
    Some(LineString(all(json, position)?))
}

fn polygon(json: &Value) -> Option<Polygon<f64>> {
    let mut rings = all(json, line)?.into_iter();
    Some(Polygon::new(rings.next()?, rings.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = "[[[0,0],[2,0],[2,2],[0,2],[0,0]]]";

    fn asks(georel: &str, geometry: &str, coordinates: &str, target: &Value) -> bool {
        let query = GeoQuery::parse(georel, geometry, coordinates, None, &Context::core()).unwrap();
        query.is_met_by_geometry(target)
    }

    #[test]
    fn relations() {
        let point = |x: f64, y: f64| json!({"type": "Point", "coordinates": [x, y]});
        let square = |x: f64| json!({"type": "Polygon", "coordinates": [[[x, 0.0], [x + 2.0, 0.0], [x + 2.0, 2.0], [x, 2.0], [x, 0.0]]]});
        assert!(asks("within", "Polygon", SQUARE, &point(1.0, 1.0)));
        assert!(!asks("within", "Polygon", SQUARE, &point(3.0, 1.0)));
        assert!(
            !asks("within", "Polygon", SQUARE, &point(2.0, 1.0)),
            "the edge is not within"
        );
        assert!(asks("intersects", "Polygon", SQUARE, &point(2.0, 1.0)));
        assert!(asks("contains", "Point", "[1,1]", &square(0.0)));
        assert!(asks("overlaps", "Polygon", SQUARE, &square(1.0)));
        assert!(!asks("overlaps", "Polygon", SQUARE, &square(0.0)));
        assert!(asks("equals", "Polygon", SQUARE, &square(0.0)));
        assert!(asks("equals", "Point", "[1,1]", &point(1.0, 1.0)));
        assert!(asks("disjoint", "Polygon", SQUARE, &square(5.0)));
        assert!(!asks("disjoint", "Polygon", SQUARE, &square(2.0)));
    }

    #[test]
    fn distances() {
        let lot = json!({"type": "Point", "coordinates": [113.16, 30.66]});
        // A hundredth of a degree of latitude: 1,112 m.
        assert!(asks(
            "near;maxDistance==1113",
            "Point",
            "[113.16,30.65]",
            &lot
        ));
        assert!(!asks(
            "near;maxDistance==1111",
            "Point",
            "[113.16,30.65]",
            &lot
        ));
        assert!(asks(
            "near;minDistance==1111",
            "Point",
            "[113.16,30.65]",
            &lot
        ));
        let line = "[[113.16,30.65],[113.26,30.65]]";
        assert!(asks("near;maxDistance==1113", "LineString", line, &lot));
        assert!(!asks("near;maxDistance==1110", "LineString", line, &lot));
    }

    #[test]
    fn boxes_hold_what_meets_the_query() {
        let core = Context::core();
        let near = GeoQuery::parse(
            "near;maxDistance==2000",
            "Point",
            "[113.16,30.65]",
            None,
            &core,
        )
        .unwrap();
        let [west, south, east, north] = near.bbox().unwrap();
        assert!(west < 113.14 && east > 113.18 && south < 30.633 && north > 30.667);
        assert!(west > 113.1 && north < 30.7);
        let far = GeoQuery::parse("near;minDistance==1", "Point", "[0,0]", None, &core).unwrap();
        assert_eq!(far.bbox(), None);
        let pole =
            GeoQuery::parse("near;maxDistance==2000", "Point", "[10,90]", None, &core).unwrap();
        assert_eq!(
            pole.bbox().map(|b| [b[0], b[2], b[3]]),
            Some([-180.0, 180.0, 90.0])
        );
    }

    #[test]
    fn what_is_no_geoquery() {
        let code = |georel: &str, geometry: &str, coordinates: &str| {
            GeoQuery::parse(georel, geometry, coordinates, None, &Context::core())
                .unwrap_err()
                .told
                .code
        };
        for georel in [
            "near",
            "near;maxDistance==0",
            "near;maxDistance==-5",
            "near;maxDistance=5",
            "near;far==5",
            "beside",
            "",
        ] {
            assert_eq!(code(georel, "Point", "[1,1]"), "geoquery", "{georel}");
        }
        assert_eq!(code("within", "Point", "[1,"), "geoquery");
        assert_eq!(code("within", "Circle", "[1,1]"), "geometry-shape");
        assert_eq!(code("within", "Point", "[200,1]"), "geometry-range");
        assert_eq!(
            code("within", "Polygon", "[[[0,0],[1,1],[0,1]]]"),
            "geometry-open"
        );
        assert_eq!(
            code("within", "Polygon", "[[[0,0],[2,2],[2,0],[0,2],[0,0]]]"),
            "geoquery"
        );
    }
}
