//! What the city knows of charge points for their supervision: each with its place, operator, town, current and power, whether it is on the
//! line, and when it was first heard of.

use crate::app::App;
use crate::charging_office::CHARGE_POINT;
use crate::error::Answer;
use crate::sight::town_of;
use charging::supervision::Current;
use model::{Timestamp, Value};
use std::collections::{BTreeMap, HashMap};
use twin::{Entity, Filter};

/// What the ids of charge points begin with; the station's identity follows.
const PREFIX: &str = "urn:ngsi-ld:ChargePoint:";
/// The type of a place with charge points (充电站).
const PLACE: &str = "EVChargingStation";
/// The state of a point that is out of order.
pub(crate) const FAULTED: &str = "Faulted";

/// A charge point.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Its entity's id.
    pub id: String,
    /// Its name; its id where it has none.
    pub name: String,
    /// Its place's id.
    pub place: Option<String>,
    /// The operator of its place, else the city's.
    pub operator: String,
    /// The code of its town; empty where it is not known.
    pub town: String,
    /// Longitude and latitude, its own or its place's.
    pub at: Option<[f64; 2]>,
    /// Its current.
    pub current: Current,
    /// Its rated power, W.
    pub rated_w: Option<i64>,
    /// When the city first heard of it.
    pub since: Timestamp,
    /// Whether it was heard of a moment ago, and said how it stands.
    pub is_online: bool,
    /// Whether it is faulted now.
    pub is_faulted: bool,
}

/// A place with charge points.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its name; its id where it has none.
    pub name: String,
    /// Its operator, where it says one.
    pub operator: Option<String>,
    /// Its town's code; empty where it is not known.
    pub town: String,
    /// Longitude and latitude.
    pub at: Option<[f64; 2]>,
}

/// All of them.
pub(crate) struct AllKnown {
    /// By id.
    pub points: Vec<Known>,
    /// By id.
    pub places: BTreeMap<String, Place>,
    by_id: HashMap<String, usize>,
}

impl AllKnown {
    /// The point of an outlet of a station: the first outlet, and one that was not told, is the station's own entity.
    pub fn outlet(&self, station: &str, connector: i64) -> Option<usize> {
        self.by_id.get(&outlet_id(station, connector)).copied()
    }
}

/// The id of the charge point that an outlet of a station is.
pub(crate) fn outlet_id(station: &str, connector: i64) -> String {
    match connector {
        ..=1 => format!("{PREFIX}{station}"),
        connector => format!("{PREFIX}{station}:{connector}"),
    }
}

/// The id of the station whose further outlet a point is: `…:CP1` of `…:CP1:2`.
pub(crate) fn station_of(id: &str) -> Option<&str> {
    let (station, outlet) = id.rsplit_once(':')?;
    let is_outlet = !outlet.is_empty() && outlet.bytes().all(|byte| byte.is_ascii_digit());
    (is_outlet && station.len() > PREFIX.len()).then_some(station)
}

fn text(entity: &Entity, name: &str) -> Option<String> {
    let value = entity.attribute(name)?.value;
    let text = value.as_text().map(str::trim)?;
    (!text.is_empty()).then(|| text.to_owned())
}

impl App {
    pub(crate) fn entities_of(&self, kind: &str) -> Vec<Entity> {
        let all = Filter {
            types: vec![kind.to_owned()],
            limit: usize::MAX,
            ..Filter::default()
        };
        let mut seen = Vec::new();
        self.twin.visit(&all, |entity| seen.push(entity.clone()));
        seen
    }

    /// Every charge point as it stands now. One that was heard of within `heard_seconds`, or whose station is connected, is on the line if
    /// it ever said how it stands.
    ///
    /// # Errors
    /// The records' own.
    pub(crate) async fn charging_known(
        &self,
        operator: &str,
        heard_seconds: i64,
        now: Timestamp,
    ) -> Answer<AllKnown> {
        let heard_since = now.plus_seconds(-heard_seconds);
        let mut read = self.records.read().await?;
        let devices = records::devices::seen_of(&mut read, CHARGE_POINT).await?;
        drop(read);
        let heard: HashMap<String, bool> = devices
            .into_iter()
            .map(|(id, is_connected, seen)| {
                (id, is_connected || seen.is_some_and(|at| at >= heard_since))
            })
            .collect();
        let places: BTreeMap<String, Place> = self
            .entities_of(PLACE)
            .iter()
            .map(|place| {
                let id = place.id.as_str().to_owned();
                let known = Place {
                    name: text(place, "name").unwrap_or_else(|| id.clone()),
                    operator: text(place, "operator"),
                    town: town_of(&self.city, place).unwrap_or_default(),
                    at: place.location(),
                };
                (id, known)
            })
            .collect();
        let entities = self.entities_of(CHARGE_POINT);
        let by_id: HashMap<String, usize> = entities
            .iter()
            .enumerate()
            .map(|(n, entity)| (entity.id.as_str().to_owned(), n))
            .collect();
        let points = entities
            .iter()
            .map(|point| {
                let id = point.id.as_str();
                // A further outlet stands where its station does, unless it says otherwise.
                let station =
                    station_of(id).and_then(|station| Some((station, by_id.get(station)?)));
                let first = station.and_then(|(_, n)| entities.get(*n));
                let both = || [Some(point), first].into_iter().flatten();
                let place_id =
                    both().find_map(|one| match one.attribute("refStation")?.value.to_value() {
                        Value::Relationship(place) => Some(place.as_str().to_owned()),
                        _ => None,
                    });
                let place = place_id.as_ref().and_then(|id| places.get(id));
                let status = text(point, "status");
                let was_heard = point.modified_at >= heard_since
                    || heard.get(id).copied().unwrap_or_default()
                    || station
                        .and_then(|(station, _)| heard.get(station).copied())
                        .unwrap_or_default();
                Known {
                    name: text(point, "name").unwrap_or_else(|| id.to_owned()),
                    operator: place
                        .and_then(|place| place.operator.clone())
                        .unwrap_or_else(|| operator.to_owned()),
                    town: both()
                        .find_map(|one| town_of(&self.city, one))
                        .or_else(|| place.map(|place| place.town.clone()))
                        .unwrap_or_default(),
                    at: both()
                        .find_map(|one| one.location())
                        .or_else(|| place.and_then(|place| place.at)),
                    current: Current::of(text(point, "connectorType").as_deref()),
                    rated_w: rated_w(point),
                    since: point.created_at,
                    is_online: was_heard && status.is_some(),
                    is_faulted: status.as_deref() == Some(FAULTED),
                    // A place that nobody registered is told as one all the same.
                    place: place_id,
                    id: id.to_owned(),
                }
            })
            .collect();
        Ok(AllKnown {
            points,
            places,
            by_id,
        })
    }
}

/// Rated power in whole watts; kilowatts where no unit says otherwise.
pub(crate) fn rated_w(point: &Entity) -> Option<i64> {
    let told = point.attribute("ratedPower")?;
    let number = told.value.as_number()?;
    let watts = match told.unit {
        Some("WTT") => number,
        _ => number * 1_000.0,
    };
    // Far above any charge point; what is no such number says nothing.
    (watts > 0.0 && watts <= 1e9).then(|| watts.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlets_are_entities_of_their_own_from_the_second_on() {
        assert_eq!(outlet_id("CP1", 0), "urn:ngsi-ld:ChargePoint:CP1");
        assert_eq!(outlet_id("CP1", 1), "urn:ngsi-ld:ChargePoint:CP1");
        assert_eq!(outlet_id("CP1", 2), "urn:ngsi-ld:ChargePoint:CP1:2");
        assert_eq!(
            station_of("urn:ngsi-ld:ChargePoint:CP1:2"),
            Some("urn:ngsi-ld:ChargePoint:CP1")
        );
        assert_eq!(station_of("urn:ngsi-ld:ChargePoint:CP1"), None);
        assert_eq!(station_of("urn:ngsi-ld:ChargePoint:12"), None);
    }
}
