//! What a caller may see: the policies' decisions laid over entities and their values. Every way out of the platform goes through
//! here: pages, NGSI-LD, the map, history, alerts, provenance, live events, messages over MQTT, and SQL by whatever door.

use crate::access::Caller;
use crate::alerts::AlertBody;
use crate::app::App;
use crate::entities::EntityBody;
use crate::error::ApiError;
use crate::events::Notice;
use crate::personal::{Look, purpose_of};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use city::City;
use identity::{Identity, Principal};
use model::{EntityId, Geometry, Timestamp, Update, Value};
use parking_lot::Mutex;
use policy::{Access, Columns, View};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;
use twin::{Entity, Twin};

/// The attribute by which a single entity says whose it is, where it is not its type's owner.
pub(crate) const OWNER: &str = "owner";

/// The attribute by which an entity says in which town it stands, where its place does not.
const TOWN: &str = "townCode";

/// Where an entity stands and whose it is, as far as policies ask.
type Standing = (Option<String>, Option<String>);

/// What one caller may see, for one request.
pub struct Sight {
    view: Arc<View>,
    city: Arc<City>,
    twin: Arc<Twin>,
    standings: Mutex<HashMap<String, Standing>>,
    rows_are_open: bool,
}

impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.view.fmt(f)
    }
}

/// The town in which an entity stands, by code: as it says itself, else by its place.
pub fn town_of(city: &City, entity: &Entity) -> Option<String> {
    let said = entity.attribute(TOWN).and_then(|a| a.value.as_text());
    let known = said.filter(|code| city.towns.iter().any(|town| town.code == *code));
    let town = known.or_else(|| city.town_of(entity.location()?))?;
    Some(town.to_owned())
}

impl Sight {
    /// What `caller` may see now, for a purpose when one is stated.
    pub fn new(
        identity: &Identity,
        city: &Arc<City>,
        twin: &Arc<Twin>,
        caller: &Principal,
        purpose: Option<&str>,
        now: Timestamp,
    ) -> Self {
        Self {
            view: identity.view(caller, purpose, now),
            city: Arc::clone(city),
            twin: Arc::clone(twin),
            standings: Mutex::default(),
            rows_are_open: !identity.policies_decide_rows(),
        }
    }

    /// The decisions behind it.
    pub const fn view(&self) -> &Arc<View> {
        &self.view
    }

    fn standing(&self, entity: &Entity) -> Standing {
        let division = self
            .view
            .asks_division()
            .then(|| town_of(&self.city, entity))
            .flatten();
        let owner = self
            .view
            .asks_owner()
            .then(|| entity.attribute(OWNER)?.value.as_text().map(str::to_owned))
            .flatten();
        (division, owner)
    }

    /// What is decided for the attributes of an entity.
    pub fn columns(&self, entity: &Entity) -> Arc<Columns> {
        let (division, owner) = self.standing(entity);
        let kind = entity.entity_type.as_str();
        self.view
            .columns(kind, division.as_deref(), owner.as_deref())
    }

    /// How far an attribute may be seen, of entities for which the same is decided.
    pub fn within(&self, columns: &Columns, attribute: &str) -> Access {
        if self.rows_are_open {
            return Access::Shown;
        }
        self.view.access(columns, attribute)
    }

    /// How far an attribute of an entity may be seen.
    pub fn access(&self, entity: &Entity, attribute: &str) -> Access {
        self.within(&self.columns(entity), attribute)
    }

    /// Whether anything of an entity may be seen.
    pub fn sees(&self, entity: &Entity) -> bool {
        let columns = self.columns(entity);
        let mut names = entity.attributes();
        if names.len() == 0 {
            return self.within(&columns, "") != Access::Hidden;
        }
        names.any(|(name, _)| self.within(&columns, name.as_str()) != Access::Hidden)
    }

    /// How far an attribute may be seen of an entity that may no longer be there.
    pub fn of_series(&self, id: &str, entity_type: &str, attribute: &str) -> Access {
        if self.rows_are_open {
            return Access::Shown;
        }
        if !self.view.asks_division() && !self.view.asks_owner() {
            return self.view.of(entity_type, attribute, None, None);
        }
        let known = self.standings.lock().get(id).cloned();
        let (division, owner) = known.unwrap_or_else(|| {
            let entity = EntityId::new(id).ok().and_then(|id| self.twin.get(&id));
            let standing = entity.map_or((None, None), |entity| self.standing(&entity));
            self.standings
                .lock()
                .insert(id.to_owned(), standing.clone());
            standing
        });
        self.view.of(
            entity_type,
            attribute,
            division.as_deref(),
            owner.as_deref(),
        )
    }

    /// Whether an attribute of an entity may be seen at all.
    pub fn sees_series(&self, id: &str, entity_type: &str, attribute: &str) -> bool {
        self.of_series(id, entity_type, attribute) != Access::Hidden
    }

    /// Whether all of every entity may be seen, so that nothing needs to be looked into.
    pub fn sees_all(&self) -> bool {
        self.rows_are_open || self.view.sees_all()
    }

    /// Whether all that a message says of an entity may be seen, where the entity stands now and where the message says that
    /// it does. A message goes out as it came, so nothing in it is covered: what would be masked is not seen.
    pub fn sees_said(&self, said: &Update) -> bool {
        if self.rows_are_open {
            return true;
        }
        let there = self.twin.get(&said.entity_id);
        let there = there.map(|entity| self.standing(&entity));
        let (division, owner) = self.standing_said(said);
        let here = there.as_ref().map_or_else(
            || (division.clone(), owner.clone()),
            |(d, o)| {
                (
                    division.clone().or_else(|| d.clone()),
                    owner.clone().or_else(|| o.clone()),
                )
            },
        );
        let kind = said.entity_type.as_str();
        there.iter().chain([&here]).all(|(division, owner)| {
            let columns = self
                .view
                .columns(kind, division.as_deref(), owner.as_deref());
            let mut names = said.attributes.iter().map(|a| a.name.as_str());
            names.all(|name| self.view.access(&columns, name) == Access::Shown)
        })
    }

    /// Where an entity stands and whose it is by what a message says of it.
    fn standing_said(&self, said: &Update) -> Standing {
        let value = |name: &str| {
            let mut all = said.attributes.iter();
            all.find(|a| a.name.as_str() == name).map(|a| &a.value)
        };
        let text = |name: &str| match value(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let known = |code: &String| self.city.towns.iter().any(|town| town.code == *code);
        let place = || match value("location") {
            Some(Value::Geometry(Geometry::Point { lon, lat })) => {
                self.city.town_of([*lon, *lat]).map(str::to_owned)
            }
            _ => None,
        };
        (text(TOWN).filter(known).or_else(place), text(OWNER))
    }

    /// Whether anything of the entity of this id may be seen; one that is not there hides nothing.
    pub fn sees_id(&self, id: &str) -> bool {
        let entity = EntityId::new(id).ok().and_then(|id| self.twin.get(&id));
        entity.is_none_or(|entity| self.sees(&entity))
    }

    /// The entity as the caller sees it; `None` when nothing of it may be seen.
    pub fn body(&self, entity: Entity, look: &Look) -> Option<EntityBody> {
        let columns = self.columns(&entity);
        let body = EntityBody::of(&entity, look, |name| {
            self.within(&columns, name) != Access::Hidden
        });
        let sees = match entity.attributes().len() {
            // All that it had was taken away: whoever may see of it at all sees that it is there.
            0 => self.within(&columns, "") != Access::Hidden,
            _ => !body.attributes.is_empty(),
        };
        sees.then_some(body)
    }
}

impl Sight {
    /// An alert that may be seen, without the entity's name and place where those may not.
    pub fn alert(&self, mut alert: AlertBody) -> AlertBody {
        let sees = |attribute| self.sees_series(&alert.entity_id, &alert.entity_type, attribute);
        if !sees("name") {
            (alert.entity_name, alert.entity_name_en) = (None, None);
        }
        if !sees("location") {
            alert.location = None;
        }
        let mut decided = std::mem::take(&mut alert.decided);
        decided.retain(|named| self.sees_decided(&alert.entity_id, &alert.entity_type, named));
        alert.decided = decided;
        alert
    }

    /// Whether a value that decided an alert may be seen: its own, or another entity's.
    fn sees_decided(
        &self,
        id: &str,
        entity_type: &str,
        named: &crate::back_tests::DecidedValue,
    ) -> bool {
        // A rate is called by its attribute and its period.
        let attribute = named.name.split(' ').next().unwrap_or_default();
        let Some(other) = &named.entity_id else {
            return self.sees_series(id, entity_type, attribute);
        };
        let entity = EntityId::new(other).ok().and_then(|id| self.twin.get(&id));
        entity.is_some_and(|entity| self.access(&entity, attribute) != Access::Hidden)
    }

    /// Whether a case of this organisation may be read.
    pub fn sees_case(&self, organisation: Option<&str>) -> bool {
        self.rows_are_open || self.view.case(organisation)
    }

    /// What a notice tells this caller; `None`: it is not for them.
    pub fn notice(&self, notice: &Notice) -> Option<Arc<serde_json::Value>> {
        let is_refused = |p: identity::Permission| !self.view.may(p.as_str());
        if notice.permission.is_some_and(is_refused) {
            return None;
        }
        let text = |name: &str| notice.data[name].as_str().unwrap_or_default();
        match notice.kind {
            "alert" => {
                let series = (text("entity_id"), text("entity_type"), text("attribute"));
                if !self.sees_series(series.0, series.1, series.2) {
                    return None;
                }
                let mut data = notice.data.clone();
                let sees = |attribute| self.sees_series(series.0, series.1, attribute);
                for (attribute, fields) in [
                    ("name", &["entity_name", "entity_name_en"][..]),
                    ("location", &["location"]),
                ] {
                    if !sees(attribute) {
                        let data = Arc::make_mut(&mut data);
                        fields.iter().for_each(|field| data[*field] = Json::Null);
                    }
                }
                if !self.rows_are_open {
                    let decided = Arc::make_mut(&mut data)["decided"].take();
                    let mut decided: Vec<crate::back_tests::DecidedValue> =
                        serde_json::from_value(decided).unwrap_or_default();
                    decided.retain(|named| self.sees_decided(series.0, series.1, named));
                    Arc::make_mut(&mut data)["decided"] = serde_json::json!(decided);
                }
                Some(data)
            }
            "case" => self
                .sees_case(notice.data["organisation_id"].as_str())
                .then(|| notice.data.clone()),
            "entity" if !self.rows_are_open && !self.view.sees_of_every_type() => {
                let mut data = (*notice.data).clone();
                let ids = data["ids"].as_array_mut()?;
                ids.retain(|id| id.as_str().is_some_and(|id| self.sees_id(id)));
                (!ids.is_empty()).then(|| Arc::new(data))
            }
            _ => Some(notice.data.clone()),
        }
    }

    /// Takes out the rows of a table of records that the caller may not see.
    pub fn retain_rows(&self, columns: &[&str], rows: &mut Vec<Vec<Json>>) {
        let place = |name: &str| columns.iter().position(|column| *column == name);
        if let (Some(id), Some(kind), Some(attribute)) =
            (place("entity_id"), place("entity_type"), place("attribute"))
        {
            let text =
                |row: &[Json], column: usize| row[column].as_str().unwrap_or_default().to_owned();
            let (name, lon, lat) = (place("entity_name"), place("lon"), place("lat"));
            rows.retain(|row| {
                self.sees_series(&text(row, id), &text(row, kind), &text(row, attribute))
            });
            for row in rows {
                let (id, kind) = (text(row, id), text(row, kind));
                for (attribute, columns) in [("name", &[name][..]), ("location", &[lon, lat])] {
                    if !self.sees_series(&id, &kind, attribute) {
                        columns.iter().flatten().for_each(|c| row[*c] = Json::Null);
                    }
                }
            }
        }
    }
}

impl lake::Sight for Sight {
    fn sees(&self, entity_id: &str, entity_type: &str, attribute: &str) -> bool {
        self.sees_series(entity_id, entity_type, attribute)
    }
}

/// What the caller of a request may see.
pub struct Seeing(pub Arc<Sight>);

impl FromRequestParts<App> for Seeing {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Caller(caller) = Caller::from_request_parts(parts, app).await?;
        // A purpose that the city does not have is refused where it would matter.
        let purpose = purpose_of(parts).filter(|id| app.personal.purpose(id).is_ok());
        Ok(Self(app.sight(&caller, purpose.as_deref())))
    }
}

impl App {
    /// What a caller may see now, for a purpose when one is stated.
    pub fn sight(&self, caller: &Principal, purpose: Option<&str>) -> Arc<Sight> {
        Arc::new(Sight::new(
            &self.identity,
            &self.city,
            &self.twin,
            caller,
            purpose,
            self.now(),
        ))
    }
}
