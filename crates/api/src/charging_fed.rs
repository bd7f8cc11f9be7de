//! What hangs on which transformer (台区接线): places by `refTransformer`, charge points by `refStation`, and what the twin knows of each, as
//! smart charging needs it.

use crate::app::App;
use crate::charging_known::{rated_w, station_of};
use crate::charging_office::{CHARGE_POINT, CHARGE_POINT_PREFIX};
use crate::charging_share::{OutletBody, TransformerBody};
use charging::share::{Measured, Outlet, Standing, Transformer, WEIGHT_MAX};
use charging::supervision::Current;
use model::{EntityId, Timestamp, Value};
use std::collections::{BTreeMap, HashMap};
use twin::Entity;

/// The type of a transformer.
const TRANSFORMER: &str = "Transformer";
/// The type of a place with charge points.
const PLACE: &str = "EVChargingStation";
/// Least current of a vehicle that charges, A (IEC 61851-1:2017, table A.8; GB/T 18487.1).
const AMPERES_MIN: i64 = 6;
/// Volts between a phase and neutral (GB/T 156).
const VOLTS: i64 = 220;
/// Above what one phase of 32 A gives, W, an outlet of alternating current has three.
const ONE_PHASE_W_MAX: i64 = 32 * VOLTS;
/// Phases of the larger ones.
const THREE_PHASES: u8 = 3;
/// Least power of direct current, W. No standard says one: below it modules of some ten kW switch off or run badly.
const DIRECT_MIN_W: i64 = 3_000;
/// The state of an outlet at which nobody is.
const FREE: &str = "Available";

/// A charge point as smart charging sees it.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Its entity's id.
    pub id: String,
    name: String,
    name_en: Option<String>,
    /// The station's identity.
    pub station: String,
    /// Its outlet, from 1.
    pub outlet: u32,
    /// Rated power, W.
    pub rated_w: Option<i64>,
    current: Current,
    weight: u8,
    drawn: Option<Measured>,
    /// Since when it says that it is free.
    pub free_since: Option<Timestamp>,
    /// The limit that its charge was told last.
    pub limit: Option<Measured>,
    /// The static share that it accepted last, W.
    pub static_w: Option<i64>,
}

impl Point {
    /// Over how many phases it charges; none for direct current, and where it is not known which.
    pub fn phases(&self) -> Option<u8> {
        let rated_w = self.rated_w?;
        (self.current == Current::Alternating).then_some(match rated_w > ONE_PHASE_W_MAX {
            true => THREE_PHASES,
            false => 1,
        })
    }

    fn min_w(&self, rated_w: i64) -> i64 {
        let least = match self.phases() {
            Some(phases) => AMPERES_MIN * VOLTS * i64::from(phases),
            None => DIRECT_MIN_W,
        };
        least.min(rated_w)
    }

    /// As an outlet that is shared for; none where its rated power is not registered.
    pub fn outlet(&self, standing: Standing, is_reachable: bool) -> Option<Outlet> {
        let rated_w = self.rated_w?;
        Some(Outlet {
            id: self.id.clone(),
            min_w: self.min_w(rated_w),
            rated_w,
            weight: self.weight,
            drawn: self.drawn,
            is_reachable,
            standing,
        })
    }
}

/// What a transformer is steered by.
#[derive(Clone, Debug)]
pub(crate) struct Steered {
    pub transformer: Transformer,
    /// What its meter says, charging included.
    pub total: Option<Measured>,
}

/// A transformer with what it feeds.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    /// Its entity's id.
    pub id: String,
    name: String,
    name_en: Option<String>,
    limit_w: Option<i64>,
    static_w: Option<i64>,
    total: Option<Measured>,
    /// How it is steered; none where it cannot be.
    pub steered: Option<Steered>,
    missing: Vec<String>,
    /// Its outlets, by id.
    pub points: Vec<Point>,
}

fn text(entity: &Entity, name: &str) -> Option<String> {
    let value = entity.attribute(name)?.value;
    value.as_text().map(str::to_owned)
}

/// A power, W, and when it was so; kilowatts where no unit says otherwise.
fn power(entity: &Entity, name: &str) -> Option<Measured> {
    let told = entity.attribute(name)?;
    let number = told.value.as_number()?;
    let watts = match told.unit {
        Some("WTT") => number,
        _ => number * 1_000.0,
    };
    // A transformer of 1 GVA is above every one of a city.
    (watts.abs() <= 1e9).then(|| Measured {
        w: watts.round() as i64,
        at: told.observed_at,
    })
}

fn related(entity: &Entity, name: &str) -> Option<EntityId> {
    match entity.attribute(name)?.value.to_value() {
        Value::Relationship(id) => Some(id),
        _ => None,
    }
}

fn point(entity: &Entity, station: Option<&str>) -> Point {
    let id = entity.id.as_str();
    let identity = |id: &str| {
        id.strip_prefix(CHARGE_POINT_PREFIX)
            .unwrap_or(id)
            .to_owned()
    };
    let number = station.and_then(|_| id.rsplit_once(':')?.1.parse().ok());
    let status = entity.attribute("status");
    Point {
        name: text(entity, "name").unwrap_or_else(|| id.to_owned()),
        name_en: text(entity, "nameEn"),
        station: identity(station.unwrap_or(id)),
        outlet: number.unwrap_or(1),
        rated_w: rated_w(entity),
        current: Current::of(text(entity, "connectorType").as_deref()),
        weight: (entity.attribute("chargingWeight"))
            .and_then(|told| told.value.as_number())
            .map_or(1, |weight| weight.clamp(1.0, f64::from(WEIGHT_MAX)) as u8),
        drawn: power(entity, "power"),
        free_since: status
            .filter(|told| told.value.as_text() == Some(FREE))
            .map(|told| told.observed_at),
        limit: power(entity, "chargingLimit"),
        static_w: power(entity, "defaultChargingLimit").map(|told| told.w),
        id: id.to_owned(),
    }
}

impl App {
    /// Every transformer to which a place with charge points belongs, with its outlets; and the outlets of no transformer that is steered.
    pub(crate) fn fed(&self) -> (Vec<Fed>, Vec<Point>) {
        let places: HashMap<String, EntityId> = (self.entities_of(PLACE).iter())
            .filter_map(|place| {
                let transformer = related(place, "refTransformer")?;
                Some((place.id.as_str().to_owned(), transformer))
            })
            .collect();
        let entities = self.entities_of(CHARGE_POINT);
        let by_id: HashMap<&str, &Entity> = (entities.iter())
            .map(|entity| (entity.id.as_str(), entity))
            .collect();
        let mut of: BTreeMap<EntityId, Vec<Point>> = BTreeMap::new();
        let mut others = Vec::new();
        for entity in &entities {
            let station = station_of(entity.id.as_str()).filter(|id| by_id.contains_key(id));
            let first = station.and_then(|id| by_id.get(id).copied());
            // A further outlet stands where its station does, unless it says otherwise.
            let place = related(entity, "refStation").or_else(|| related(first?, "refStation"));
            let transformer = place.and_then(|place| places.get(place.as_str()));
            let point = point(entity, station);
            match transformer {
                Some(transformer) => of.entry(transformer.clone()).or_default().push(point),
                None => others.push(point),
            }
        }
        let mut fed: Vec<Fed> = Vec::new();
        for (id, points) in of {
            let found = self.twin.get(&id);
            let found = found.filter(|entity| entity.entity_type.as_str() == TRANSFORMER);
            let one = transformer(&id, found.as_ref(), points);
            if one.steered.is_none() {
                others.extend(one.points.iter().cloned());
            }
            fed.push(one);
        }
        (fed, others)
    }
}

fn transformer(id: &EntityId, entity: Option<&Entity>, points: Vec<Point>) -> Fed {
    let told = |name| entity.and_then(|entity| power(entity, name));
    let limit_w = told("powerLimit").map(|told| told.w);
    let static_w = told("staticChargingPower").map(|told| told.w);
    let total = told("totalActivePower");
    let mut missing = Vec::new();
    for (name, is_there) in [
        ("powerLimit", limit_w.is_some()),
        ("staticChargingPower", static_w.is_some()),
        (
            "ratedPower",
            points.iter().all(|point| point.rated_w.is_some()),
        ),
    ] {
        if !is_there {
            missing.push(name.to_owned());
        }
    }
    let steered = limit_w.zip(static_w).and_then(|(limit_w, static_w)| {
        let transformer = Transformer {
            rated_va: limit_w,
            power_factor_percent: 100,
            share_percent: 100,
            static_w,
        };
        let checked = transformer.checked(id.as_str()).ok();
        if checked.is_none() {
            // Nothing, below nothing, or more static power than there is at all.
            missing.push("staticChargingPower".to_owned());
        }
        Some(Steered {
            transformer: checked?,
            total,
        })
    });
    Fed {
        id: id.as_str().to_owned(),
        name_en: entity.and_then(|entity| text(entity, "nameEn")),
        name: entity
            .and_then(|entity| text(entity, "name"))
            .unwrap_or_else(|| id.as_str().to_owned()),
        limit_w,
        static_w,
        total,
        steered,
        missing,
        points,
    }
}

impl Fed {
    /// What the vehicles take, by outlet, as it was read last.
    pub fn drawn(&self) -> impl Iterator<Item = (&str, Measured)> {
        (self.points.iter()).filter_map(|point| Some((point.id.as_str(), point.drawn?)))
    }

    /// As it is shown before anything is shared.
    pub fn body(&self) -> TransformerBody {
        TransformerBody {
            id: self.id.clone(),
            name: self.name.clone(),
            name_en: self.name_en.clone(),
            limit_w: self.limit_w,
            static_w: self.static_w,
            total_w: self.total.map(|total| total.w),
            measured_at: self.total.map(|total| total.at.to_string()),
            basis: None,
            budget_w: None,
            held_w: 0,
            drawn_w: 0,
            over_w: 0,
            missing: self.missing.clone(),
            outlets: (self.points.iter())
                .map(|point| OutletBody {
                    id: point.id.clone(),
                    name: point.name.clone(),
                    name_en: point.name_en.clone(),
                    station: point.station.clone(),
                    outlet: point.outlet,
                    rated_w: point.rated_w,
                    weight: point.weight,
                    is_charging: false,
                    drawn_w: point.drawn.map(|drawn| drawn.w),
                    limit_w: None,
                    told_at: None,
                    why: None,
                    static_w: None,
                    is_static_told: false,
                    is_reachable: false,
                })
                .collect(),
        }
    }
}
