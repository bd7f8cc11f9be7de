//! The platform as a scenario needs it: admission and the rules engine, over nothing but a pack's declarations. The one file of
//! the scenarios that knows those crates' calls; cases are [`super::office`].

use crate::load::Pack;
use crate::scenario::grammar::{Stated, type_of};
use identity::Permission;
use model::calendar::Declared;
use model::{
    AttributeName, AttributeUpdate, Calendars, Catalogue, EntityId, Geometry, Problem, Quality,
    Timestamp, TypeName, Update, Value, ValueKind, WorkingCalendar,
};
use records::{Acting, Actor, ActorKind};
use rules::{Engine, RuleEvent};
use std::collections::BTreeMap;

/// The attribute that says where an entity is (ETSI GS CIM 009, 4.7).
const LOCATION: &str = "location";
/// The zone of scenarios.
const ZONE: &str = "Asia/Shanghai";

/// A pack at work.
pub(crate) struct Platform {
    catalogue: Catalogue,
    engine: Engine,
    /// Where entities are, of those that said it.
    places: BTreeMap<EntityId, [f64; 2]>,
    limits: admission::Limits,
    position: u64,
}

impl Platform {
    /// Sets a pack to work.
    ///
    /// # Errors
    /// Mistakes of its rules.
    pub(crate) fn new(pack: &Pack) -> Result<Self, Vec<Problem>> {
        let catalogue = pack.catalogue();
        let engine = Engine::new(pack.rules.clone(), &catalogue, &calendars()?)?;
        Ok(Self {
            catalogue,
            engine,
            places: BTreeMap::new(),
            limits: admission::Limits::default(),
            position: 0,
        })
    }

    /// An entity reports: what admission lets through is judged by the rules.
    ///
    /// # Errors
    /// What admission refuses.
    pub(crate) fn report(
        &mut self,
        entity: &EntityId,
        values: &[Stated],
        now: Timestamp,
    ) -> Result<Vec<RuleEvent>, Vec<Problem>> {
        let update =
            update(entity, values, now, &self.catalogue).map_err(|problem| vec![problem])?;
        let (good, bad) = admission::admit(update, &self.catalogue, &self.limits, now);
        if !bad.is_empty() {
            return Err(bad);
        }
        let Some(update) = good else {
            return Ok(Vec::new());
        };
        self.position += 1;
        let at = update
            .attributes
            .iter()
            .find(|a| a.name.as_str() == LOCATION);
        if let Some(Value::Geometry(Geometry::Point { lon, lat })) = at.map(|a| &a.value) {
            self.places.insert(entity.clone(), [*lon, *lat]);
        }
        let mut events = self.engine.observe(self.position, &update, now);
        events.extend(self.engine.tick(now));
        Ok(events)
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, now: Timestamp) -> Vec<RuleEvent> {
        self.engine.tick(now)
    }

    /// Where an entity is: longitude and latitude, degrees.
    pub(crate) fn place_of(&self, entity: &EntityId) -> Option<[f64; 2]> {
        self.places.get(entity).copied()
    }
}

/// Somebody with permission words, not employed yet.
///
/// # Errors
/// The first word that is no permission.
pub(crate) fn somebody(
    name: &str,
    organisation: Option<&str>,
    words: &[String],
) -> Result<Acting, Problem> {
    let mut permissions = Vec::new();
    for word in words {
        let known = Permission::ALL.iter().find(|p| p.as_str() == word);
        let known = known.ok_or_else(|| {
            Problem::new(
                "permission-unknown",
                format!("{word} is no permission of the platform"),
                "person",
                "write one that the workflow's `may` names, such as case.dispatch",
            )
        })?;
        permissions.push(known.as_str());
    }
    Ok(Acting {
        actor: Actor {
            kind: ActorKind::System,
            name: name.to_owned(),
            peer: String::new(),
        },
        organisation_id: organisation.map(str::to_owned),
        also: Vec::new(),
        permissions,
    })
}

fn update(
    entity: &EntityId,
    values: &[Stated],
    now: Timestamp,
    catalogue: &Catalogue,
) -> Result<Update, Problem> {
    let kind = type_of(entity).unwrap_or_default();
    // The simplified form of NGSI-LD writes another entity as its id.
    let value =
        |stated: &Stated| match (&stated.value, catalogue.attribute(kind, &stated.attribute)) {
            (Value::Text(id), Some(declared)) if declared.value == ValueKind::Relationship => {
                Ok(Value::Relationship(EntityId::new(id)?))
            }
            (value, _) => Ok::<_, Problem>(value.clone()),
        };
    let attributes = values
        .iter()
        .map(|stated| {
            Ok(AttributeUpdate {
                name: AttributeName::new(&stated.attribute)?,
                value: value(stated)?,
                unit: stated.unit.clone(),
                observed_at: now,
                quality: Quality::Good,
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok(Update {
        entity_id: entity.clone(),
        entity_type: TypeName::new(kind)?,
        attributes,
    })
}

/// What scenarios know of calendars: every hour, and a week of `working-hours` without holidays, so that they end alike in every
/// city and year.
pub(crate) fn calendars() -> Result<Calendars, Vec<Problem>> {
    let zone = jiff::tz::TimeZone::get(ZONE).map_err(|error| {
        vec![Problem::new(
            "scenario-zone",
            error.to_string(),
            ZONE,
            "none: the zone is part of the program",
        )]
    })?;
    let day = ["08:30-12:00", "14:00-17:30"].map(str::to_owned).to_vec();
    let declared = Declared {
        title_zh: "工作时间".to_owned(),
        title_en: "Working hours".to_owned(),
        week: ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|name| (name.to_owned(), day.clone()))
            .into(),
        ..Declared::default()
    };
    let working = WorkingCalendar::new("working-hours", declared, zone.clone(), "scenario")?;
    Ok(Calendars::new(zone, [working]))
}
