//! The city's own stations as partners see them: places (`EVChargingStation`) with the charge points that name them in `refStation`. A
//! point whose id is too long for the standard, or that stands at no place with coordinates, is not shown.

use super::Shared;
use api::app::App;
use api::charging_office::{CHARGE_POINT, CHARGE_POINT_PREFIX};
use model::{EntityId, Timestamp, Value};
use proto_tcec102::city::{Point, Station};
use std::collections::{BTreeMap, BTreeSet};
use twin::{Entity, Filter};

/// What ids of places begin with.
const STATION_PREFIX: &str = "urn:ngsi-ld:EVChargingStation:";
/// Longest id of a pile (T/CEC 102.2, `EquipmentID`), characters.
const POINT_CHARS_MAX: usize = 23;
/// Longest id of a station (`StationID`), characters.
const STATION_CHARS_MAX: usize = 20;
/// What a point whose station is not on the line is told as.
const OFFLINE: &str = "Unavailable";
/// `StationType`: public.
const PUBLIC: i64 = 1;
/// `Construction`: other.
const OTHER: i64 = 255;
/// Rated voltages that are told where nothing else is known, V: GB/T 20234.3 and GB/T 20234.2.
const DC_V: (i64, i64) = (200, 750);
const AC_V: (i64, i64) = (220, 220);
const W_PER_KW: f64 = 1_000.0;
const THREE_PHASE_W: u32 = 7_000;
const THREE_PHASE_V: i64 = 380;

/// The identity of the station that a point is an outlet of, and the outlet, from 1.
pub(super) fn outlet_of(point: &str) -> (&str, u32) {
    match point.rsplit_once(':') {
        Some((identity, outlet)) => match outlet.parse() {
            Ok(outlet) => (identity, outlet),
            Err(_) => (point, 1),
        },
        None => (point, 1),
    }
}

fn text(entity: &Entity, name: &str) -> Option<String> {
    let known = entity.attribute(name)?;
    known.value.as_text().map(str::to_owned)
}

fn number(entity: &Entity, name: &str) -> Option<f64> {
    entity.attribute(name)?.value.as_number()
}

/// When anything but how it is was last told.
fn changed_at(entity: &Entity) -> Timestamp {
    let lasting = entity.attributes().filter(|(name, _)| {
        !matches!(
            name.as_str(),
            "status"
                | "power"
                | "energyRegister"
                | "current"
                | "voltage"
                | "stateOfCharge"
                | "temperature"
                | "availableCapacity"
        )
    });
    lasting
        .map(|(_, known)| known.received_at)
        .max()
        .unwrap_or_default()
}

fn point_of(tail: &str, entity: &Entity, is_online: bool) -> Point {
    let is_dc = text(entity, "connectorType").is_some_and(|kind| kind.contains("DC"));
    let rated_w = number(entity, "ratedPower").map_or(0.0, |kw| kw * W_PER_KW);
    // Rated powers are far below 4 GW, and none is negative.
    let rated_w = rated_w.clamp(0.0, f64::from(u32::MAX)) as u32;
    let voltage = match is_dc {
        true => DC_V,
        false if rated_w > THREE_PHASE_W => (AC_V.0, THREE_PHASE_V),
        false => AC_V,
    };
    let current = i64::from(rated_w)
        .checked_div(voltage.1)
        .unwrap_or_default();
    let status = text(entity, "status").filter(|_| is_online);
    Point {
        id: tail.to_owned(),
        name: text(entity, "name").unwrap_or_else(|| tail.to_owned()),
        manufacturer: text(entity, "manufacturerName"),
        model: text(entity, "modelName"),
        is_dc,
        rated_w,
        voltage,
        current,
        status: status.unwrap_or_else(|| OFFLINE.to_owned()),
    }
}

/// The stations on the line.
fn online(app: &App) -> BTreeSet<String> {
    let way = app
        .charging
        .get()
        .and_then(|office| office.stations.clone());
    let all = way.map(|way| way.connected()).unwrap_or_default();
    all.into_iter().map(|one| one.identity).collect()
}

/// Whether a point is a partner's.
fn is_partners(shared: &Shared, tail: &str) -> bool {
    let of = tail.split(':').next().unwrap_or_default();
    shared.partner(of).is_some()
}

/// A point of ours by its id towards partners, with how it is.
pub(super) fn point(shared: &Shared, app: &App, id: &str) -> Option<(Point, Entity)> {
    if is_partners(shared, id) {
        return None;
    }
    let entity = EntityId::new(format!("{CHARGE_POINT_PREFIX}{id}")).ok()?;
    let entity = app.twin.get(&entity)?;
    let is_online = online(app).contains(outlet_of(id).0);
    Some((point_of(id, &entity, is_online), entity))
}

/// All stations of ours.
pub(super) fn all(shared: &Shared, app: &App) -> Vec<Station> {
    let online = online(app);
    let points = Filter {
        types: vec![CHARGE_POINT.to_owned()],
        limit: usize::MAX,
        ..Filter::default()
    };
    let mut by_place: BTreeMap<EntityId, (Vec<Point>, Timestamp)> = BTreeMap::new();
    app.twin.visit(&points, |entity| {
        let Some(tail) = entity.id.as_str().strip_prefix(CHARGE_POINT_PREFIX) else {
            return;
        };
        if tail.chars().count() > POINT_CHARS_MAX || is_partners(shared, tail) {
            return;
        }
        let place = entity.attribute("refStation");
        let place = place.map(|known| known.value.to_value());
        let Some(Value::Relationship(place)) = place else {
            return;
        };
        let point = point_of(tail, entity, online.contains(outlet_of(tail).0));
        let (points, changed) = by_place.entry(place).or_default();
        points.push(point);
        *changed = (*changed).max(changed_at(entity));
    });
    let own = &shared.own;
    let station = |(place, (points, changed)): (EntityId, (Vec<Point>, Timestamp))| {
        let id = place.as_str().strip_prefix(STATION_PREFIX)?;
        if id.chars().count() > STATION_CHARS_MAX || is_partners(shared, id) {
            return None;
        }
        let entity = app.twin.get(&place)?;
        let [lon, lat] = entity.location()?;
        let name = text(&entity, "name").unwrap_or_else(|| id.to_owned());
        Some(Station {
            id: id.to_owned(),
            operator_id: own.operator_id.clone(),
            owner_id: own.operator_id.clone(),
            address: text(&entity, "address").unwrap_or_else(|| name.clone()),
            name,
            area_code: shared.area_code.clone(),
            service_tel: own.service_tel.clone(),
            place: (lon, lat),
            station_type: PUBLIC,
            construction: OTHER,
            parking: i64::try_from(points.len()).unwrap_or(i64::MAX),
            // A place of which nobody said otherwise is in use.
            status: text(&entity, "status").unwrap_or_else(|| "working".to_owned()),
            changed_at: changed.max(changed_at(&entity)),
            points,
        })
    };
    by_place.into_iter().filter_map(station).collect()
}

#[cfg(test)]
mod tests {
    use super::outlet_of;

    #[test]
    fn a_point_is_an_outlet_of_a_station() {
        assert_eq!(outlet_of("CP1"), ("CP1", 1));
        assert_eq!(outlet_of("CP1:2"), ("CP1", 2));
        assert_eq!(outlet_of("A:B"), ("A:B", 1));
    }
}
