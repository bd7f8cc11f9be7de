//! NGSI-LD entities, normalized (ETSI GS CIM 009 clause 4.5). Everything the simulator says is marked `simulated`.

use model::Timestamp;
use serde_json::{Map, Value as Json, json};

/// One entity being written.
pub(crate) struct Entity(Map<String, Json>);

impl Entity {
    pub(crate) fn new(id: &str, kind: &str) -> Self {
        let mut members = Map::new();
        members.insert("id".to_owned(), json!(id));
        members.insert("type".to_owned(), json!(kind));
        Self(members)
    }

    fn with(mut self, name: &str, attribute: Json) -> Self {
        self.0.insert(name.to_owned(), attribute);
        self
    }

    /// A measured number with unit and time, to at most four decimals.
    pub(crate) fn measure(self, name: &str, value: f64, unit: &str, at: Timestamp) -> Self {
        let value = (value * 1e4).round() / 1e4;
        self.with(name, json!({"type": "Property", "value": value, "unitCode": unit, "observedAt": at.to_string(), "quality": "simulated"}))
    }

    /// A measured number, when there is one.
    pub(crate) fn measure_some(
        self,
        name: &str,
        value: Option<f64>,
        unit: &str,
        at: Timestamp,
    ) -> Self {
        match value {
            Some(value) => self.measure(name, value, unit, at),
            None => self,
        }
    }

    /// A state, with time.
    pub(crate) fn state(self, name: &str, value: impl Into<Json>, at: Timestamp) -> Self {
        self.with(name, json!({"type": "Property", "value": value.into(), "observedAt": at.to_string(), "quality": "simulated"}))
    }

    /// Something that does not change.
    pub(crate) fn fixed(self, name: &str, value: impl Into<Json>) -> Self {
        self.with(
            name,
            json!({"type": "Property", "value": value.into(), "quality": "simulated"}),
        )
    }

    /// A fact about the real city: not simulated.
    pub(crate) fn fact(self, name: &str, value: impl Into<Json>, unit: Option<&str>) -> Self {
        let mut attribute = json!({"type": "Property", "value": value.into()});
        if let Some(unit) = unit {
            attribute["unitCode"] = json!(unit);
        }
        self.with(name, attribute)
    }

    /// A number that does not change, with its unit.
    pub(crate) fn rating(self, name: &str, value: f64, unit: &str) -> Self {
        self.with(
            name,
            json!({"type": "Property", "value": value, "unitCode": unit, "quality": "simulated"}),
        )
    }

    /// Another entity.
    pub(crate) fn refers(self, name: &str, id: &str) -> Self {
        self.with(name, json!({"type": "Relationship", "object": id}))
    }

    /// Where it is; longitude and latitude to five decimals.
    pub(crate) fn located(self, place: [f64; 2]) -> Self {
        let round = |x: f64| (x * 1e5).round() / 1e5;
        let [lon, lat] = place.map(round);
        self.with(
            "location",
            json!({"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, lat]}}),
        )
    }

    pub(crate) fn json(self) -> Json {
        Json::Object(self.0)
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        Json::Object(self.0).to_string().into_bytes()
    }
}
