//! An attribute's value as it is kept (small) and as it is shown (borrowed).

use compact_str::CompactString;
use model::{EntityId, Geometry, Value};
use std::hash::{BuildHasher, Hash, Hasher};

/// A value, borrowed from the entity that has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(&'a str),
    /// Anything else, as JSON text.
    Json(&'a str),
    /// Another entity.
    Relationship(&'a EntityId),
    /// A point: longitude and latitude, WGS 84 degrees.
    Point([f64; 2]),
    /// Any other GeoJSON geometry, as its text, with its box west, south, east, north in degrees.
    Shape(&'a str, [f64; 4]),
}

impl<'a> ValueRef<'a> {
    /// A value borrowed; `None` for [`Value::Deleted`], which is the absence of one.
    pub fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Number(n) => Self::Number(*n),
            Value::Boolean(b) => Self::Boolean(*b),
            Value::Text(t) => Self::Text(t),
            Value::Json(j) => Self::Json(j),
            Value::Relationship(id) => Self::Relationship(id),
            Value::Geometry(Geometry::Point { lon, lat }) => Self::Point([*lon, *lat]),
            Value::Geometry(Geometry::Shape { geojson, bbox }) => Self::Shape(geojson, *bbox),
            Value::Deleted => return None,
        })
    }

    /// A copy of one's own.
    pub fn to_value(self) -> Value {
        match self {
            Self::Number(n) => Value::Number(n),
            Self::Boolean(b) => Value::Boolean(b),
            Self::Text(t) => Value::Text(t.to_owned()),
            Self::Json(j) => Value::Json(j.to_owned()),
            Self::Relationship(id) => Value::Relationship(id.clone()),
            Self::Point([lon, lat]) => Value::Geometry(Geometry::Point { lon, lat }),
            Self::Shape(geojson, bbox) => Value::Geometry(Geometry::Shape {
                geojson: geojson.to_owned(),
                bbox,
            }),
        }
    }

    /// The number, when it is one.
    pub fn as_number(self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The text, when it is one.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Longitude and latitude of a geometry: the point, or the middle of the box of a shape.
    pub(crate) fn place(self) -> Option<[f64; 2]> {
        let place = match self {
            Self::Point(place) => place,
            Self::Shape(_, [west, south, east, north]) => {
                [f64::midpoint(west, east), f64::midpoint(south, north)]
            }
            _ => return None,
        };
        // The index of places orders by number; a place that is none has no order.
        let is_place = place.iter().all(|degrees| degrees.is_finite());
        is_place.then_some(place)
    }

    /// The same for equal values, within one run of the program.
    pub(crate) fn hash(self, hasher: &impl BuildHasher) -> u64 {
        let mut state = hasher.build_hasher();
        match self {
            Self::Number(n) => number_key(n).hash(&mut state),
            Self::Boolean(b) => b.hash(&mut state),
            Self::Text(t) => ("t", t).hash(&mut state),
            Self::Json(j) => ("j", j).hash(&mut state),
            Self::Relationship(id) => ("r", id.as_str()).hash(&mut state),
            Self::Point(at) => at.map(number_key).hash(&mut state),
            Self::Shape(geojson, _) => ("s", geojson).hash(&mut state),
        }
        state.finish()
    }
}

/// A number as an integer of the same order; the two zeros are one.
pub fn number_key(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// What the eight bytes of a cell are.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    Number = 0,
    Boolean = 1,
    /// Text of at most [`SHORT_TEXT_BYTES_MAX`] bytes; the eighth is its length.
    ShortText = 2,
    /// The number of what is held beside the cells.
    Held = 3,
}

/// Longest text that fits into a cell.
pub const SHORT_TEXT_BYTES_MAX: usize = 7;

/// A value made ready to be kept: in a cell, or beside the cells.
pub enum Kept {
    Small([u8; 8], Kind),
    Large(Held),
}

impl Kept {
    pub fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Number(n) => Self::Small(n.to_le_bytes(), Kind::Number),
            ValueRef::Boolean(b) => Self::Small(u64::from(b).to_le_bytes(), Kind::Boolean),
            ValueRef::Text(text) if text.len() <= SHORT_TEXT_BYTES_MAX => {
                let mut bytes = [0; 8];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                bytes[SHORT_TEXT_BYTES_MAX] = text.len() as u8;
                Self::Small(bytes, Kind::ShortText)
            }
            ValueRef::Text(t) => Self::Large(Held::Text(CompactString::new(t))),
            ValueRef::Json(j) => Self::Large(Held::Json(j.into())),
            ValueRef::Relationship(id) => Self::Large(Held::Relationship(Box::new(id.clone()))),
            ValueRef::Point(at) => Self::Large(Held::Point(at)),
            ValueRef::Shape(geojson, bbox) => {
                let shape = Box::new((CompactString::new(geojson), bbox));
                Self::Large(Held::Shape(shape))
            }
        }
    }
}

/// What does not fit into a cell. Three words: the usual kinds inline, the rare ones behind a pointer.
#[derive(Clone, Debug)]
pub enum Held {
    Text(CompactString),
    Point([f64; 2]),
    Relationship(Box<EntityId>),
    Json(Box<str>),
    Shape(Box<(CompactString, [f64; 4])>),
}

impl Held {
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Text(t) => ValueRef::Text(t),
            Self::Json(j) => ValueRef::Json(j),
            Self::Relationship(id) => ValueRef::Relationship(id),
            Self::Point(at) => ValueRef::Point(*at),
            Self::Shape(shape) => ValueRef::Shape(&shape.0, shape.1),
        }
    }

    /// Memory behind the pointers, in bytes, with the allocator's share.
    pub fn bytes_behind(&self) -> usize {
        let heap = |bytes: usize| if bytes == 0 { 0 } else { bytes + 16 };
        let text = |text: &str| if text.len() > 24 { heap(text.len()) } else { 0 };
        match self {
            Self::Text(t) => text(t),
            Self::Json(j) => heap(j.len()),
            Self::Relationship(id) => heap(size_of::<EntityId>()) + text(id.as_str()),
            Self::Point(_) => 0,
            Self::Shape(shape) => heap(size_of::<(CompactString, [f64; 4])>()) + text(&shape.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_keys_keep_the_order() {
        let ordered = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 1e-300, 2.5, f64::MAX];
        assert!(ordered.is_sorted_by_key(|&n| number_key(n)));
        assert_eq!(number_key(-0.0), number_key(0.0));
    }

    #[test]
    fn what_is_held_stays_small() {
        assert_eq!(size_of::<Held>(), 24);
    }
}
