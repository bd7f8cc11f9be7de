//! Personal data on its way out: what stands between a sealed value and whoever asks. Every way out shows it masked;
//! who may see it whole by the policies and says what for, does, and the audit trail has it before the answer goes out.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, forbidden};
use crate::sight::Sight;
use ::personal::mask::{HIDDEN, RETIRED};
use ::personal::{Opened, Sealer, is_sealed, is_sealed_message, mask};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use city::Purpose;
use identity::{Permission, Principal};
use lake::Veil;
use model::{Catalogue, MaskKind, Problem, Timestamp, problem::quote};
use parking_lot::{Mutex, RwLock};
use policy::Access;
use records::{Actor, Event, Failure, Records, audit};
use serde::Deserialize;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use utoipa::IntoParams;

/// The header that says what personal data is looked at for.
pub const PURPOSE_HEADER: &str = "x-jingling-purpose";

/// Limits of looking.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most entities whose personal values one answer shows. Default: 200. Whoever needs more asks more narrowly; so
    /// that the audit trail names every one of them.
    pub entities_max: usize,
    /// Most rows of history that an export of a person's data holds. Default: 100,000.
    pub history_rows_max: usize,
    /// Most acts of the audit trail that are looked through for those who looked. Default: 100,000.
    pub acts_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entities_max: 200,
            history_rows_max: 100_000,
            acts_max: 100_000,
        }
    }
}

/// What a personal value is shown as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It is not personal: as it is stored.
    AsStored,
    /// Masked.
    Masked(String),
    /// Whole.
    Plain(Opened),
}

impl Shown {
    /// As JSON; `None` as it is stored.
    pub fn json(self) -> Option<Json> {
        match self {
            Self::AsStored => None,
            Self::Masked(text) => Some(Json::String(text)),
            Self::Plain(opened) => Some(opened.to_json()),
        }
    }

    /// Whether it is masked.
    pub fn is_masked(&self) -> bool {
        matches!(self, Self::Masked(_))
    }
}

/// What the city knows of personal data.
pub struct Personal {
    /// Opens; `None` when the keys are missing, and then nothing is shown of sealed values.
    pub sealer: Option<Arc<Sealer>>,
    /// Which attributes are personal; a reload of the packs changes it.
    pub catalogue: RwLock<Arc<Catalogue>>,
    /// What for.
    pub purposes: Vec<Purpose>,
    /// Limits.
    pub options: Options,
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Personal").finish_non_exhaustive()
    }
}

impl Personal {
    /// The mask of an attribute; `None` when it is not personal.
    fn mask_of(&self, entity_type: &str, attribute: &str) -> Option<MaskKind> {
        let catalogue = self.catalogue.read();
        let declared = catalogue.attribute(entity_type, attribute)?;
        declared.personal?;
        Some(declared.mask.unwrap_or_default())
    }

    /// Opens a value that is stored sealed.
    pub(crate) fn open(&self, entity_id: &str, attribute: &str, stored: &str) -> Option<Opened> {
        self.sealer
            .as_ref()?
            .open(entity_id, attribute, stored)
            .ok()
    }

    /// What stands for a sealed value that does not open.
    pub(crate) fn unreadable(&self, stored: &str) -> &'static str {
        let sealer = self.sealer.as_ref();
        match sealer.is_some_and(|sealer| sealer.is_retired(stored)) {
            true => RETIRED,
            false => HIDDEN,
        }
    }

    /// The purpose of that id.
    ///
    /// # Errors
    /// `purpose-unknown`, which names those that there are.
    pub fn purpose(&self, id: &str) -> Result<&Purpose, Problem> {
        self.purposes.iter().find(|p| p.id == id).ok_or_else(|| {
            let ids: Vec<&str> = self.purposes.iter().map(|p| p.id.as_str()).collect();
            Problem::new(
                "purpose-unknown",
                format!("\"{}\" is not a purpose of this city", quote(id)),
                "purpose",
                format!("use one of {}", ids.join(", ")),
            )
        })
    }
}

/// Who looks, and what for.
#[derive(Debug)]
struct Stated {
    /// `None` on the command line: whoever has the folder and its keys is held by no policy.
    caller: Option<(Arc<Principal>, Arc<Sight>)>,
    actor: Actor,
    purpose: String,
}

/// What was shown whole.
#[derive(Debug, Default)]
struct Seen {
    entities: BTreeMap<String, BTreeSet<String>>,
    is_too_many: bool,
}

/// One look at the city's data: of one request or statement. Everything that goes out passes through it.
#[derive(Debug)]
pub struct Look {
    personal: Arc<Personal>,
    stated: Option<Stated>,
    seen: Mutex<Seen>,
}

impl Look {
    /// Everything personal masked.
    pub fn masked(personal: &Arc<Personal>) -> Self {
        Self {
            personal: Arc::clone(personal),
            stated: None,
            seen: Mutex::default(),
        }
    }

    /// For a purpose of the city, by a caller who may see personal data whole.
    ///
    /// # Errors
    /// 400 `purpose-unknown`, 403 `forbidden`.
    pub fn stated(
        app: &App,
        caller: &Arc<Principal>,
        actor: Actor,
        purpose: &str,
    ) -> Result<Self, Failure> {
        let purpose = app.personal.purpose(purpose).map_err(Failure::Invalid)?;
        let needed = Permission::PersonalReveal;
        if !caller.may(needed) {
            return Err(Failure::Forbidden(forbidden(needed.as_str())));
        }
        let sight = app.sight(caller, Some(&purpose.id));
        let caller = Some((Arc::clone(caller), sight));
        Ok(Self::with(&app.personal, caller, actor, &purpose.id))
    }

    /// For a purpose of the city, on the command line.
    ///
    /// # Errors
    /// `purpose-unknown`.
    pub fn of_command_line(personal: &Arc<Personal>, purpose: &str) -> Result<Self, Problem> {
        let purpose = &personal.purpose(purpose)?.id;
        Ok(Self::with(personal, None, Actor::command_line(), purpose))
    }

    fn with(
        personal: &Arc<Personal>,
        caller: Option<(Arc<Principal>, Arc<Sight>)>,
        actor: Actor,
        purpose: &str,
    ) -> Self {
        Self {
            stated: Some(Stated {
                caller,
                actor,
                purpose: purpose.to_owned(),
            }),
            ..Self::masked(personal)
        }
    }

    /// Whether a purpose was stated, so that something may be shown whole.
    pub fn has_purpose(&self) -> bool {
        self.stated.is_some()
    }

    /// The purpose, when one was stated.
    pub fn purpose(&self) -> Option<&str> {
        self.stated.as_ref().map(|stated| stated.purpose.as_str())
    }

    fn may_reveal(&self, entity_id: &str, entity_type: &str, attribute: &str) -> bool {
        self.stated.as_ref().is_some_and(|stated| {
            stated.caller.as_ref().is_none_or(|(caller, sight)| {
                let seen = sight.of_series(entity_id, entity_type, attribute);
                caller.may(Permission::PersonalReveal) && seen == Access::Shown
            })
        })
    }

    /// Whether the caller may see personal data at all for the purpose: of a message that may speak of anything.
    fn may_reveal_any(&self) -> bool {
        self.stated.as_ref().is_some_and(|stated| {
            let caller = stated.caller.as_ref();
            caller.is_none_or(|(caller, _)| caller.may(Permission::PersonalReveal))
        })
    }

    /// Notes what is about to be shown; `false` when it is one entity too many.
    fn note(&self, entity_id: &str, attribute: &str) -> bool {
        let mut seen = self.seen.lock();
        if !seen.entities.contains_key(entity_id)
            && seen.entities.len() >= self.personal.options.entities_max
        {
            seen.is_too_many = true;
            return false;
        }
        if let Some(attributes) = seen.entities.get_mut(entity_id) {
            attributes.insert(attribute.to_owned());
        } else {
            let first = BTreeSet::from([attribute.to_owned()]);
            seen.entities.insert(entity_id.to_owned(), first);
        }
        true
    }

    /// What a stored text of an attribute is shown as. What is sealed is personal whatever is declared by now, and what
    /// is declared so is personal although it was stored before.
    pub fn text(&self, entity_id: &str, entity_type: &str, attribute: &str, stored: &str) -> Shown {
        let declared = self.personal.mask_of(entity_type, attribute);
        let sealed = is_sealed(stored);
        if declared.is_none() && !sealed {
            return Shown::AsStored;
        }
        let opened = match sealed {
            true => self.personal.open(entity_id, attribute, stored),
            false => Some(Opened {
                text: stored.to_owned(),
                is_json: false,
            }),
        };
        let Some(opened) = opened else {
            return Shown::Masked(self.personal.unreadable(stored).to_owned());
        };
        if self.may_reveal(entity_id, entity_type, attribute) && self.note(entity_id, attribute) {
            return Shown::Plain(opened);
        }
        Shown::Masked(match opened.is_json {
            true => HIDDEN.to_owned(),
            false => mask(declared.unwrap_or_default(), &opened.text),
        })
    }

    /// What people wrote, as it is shown in lists: numbers of persons masked, unless a purpose was stated; then it is noted
    /// under `of`, such as `case:7`.
    pub fn written(&self, of: &str, field: &str, text: String) -> String {
        let masked = match ::personal::text::masked(&text) {
            Cow::Borrowed(_) => return text,
            Cow::Owned(masked) => masked,
        };
        match self.may_reveal_any() && self.note(of, field) {
            true => text,
            false => masked,
        }
    }

    /// What is stored sealed beside a record of people, such as who made a request; the second value is whether it may be shown whole,
    /// which is then noted under `of`. `None` when it cannot be read.
    pub(crate) fn beside(
        &self,
        (of, field): (&str, &str),
        (entity_id, attribute): (&str, &str),
        stored: &str,
    ) -> Option<(Opened, bool)> {
        let opened = self.personal.open(entity_id, attribute, stored)?;
        let is_whole = self.may_reveal_any() && self.note(of, field);
        Some((opened, is_whole))
    }

    /// What a value given as plain JSON is shown as.
    pub fn json(
        &self,
        entity_id: &str,
        entity_type: &str,
        attribute: &str,
        stored: Json,
    ) -> (Json, bool) {
        let shown = match &stored {
            Json::Null => Shown::AsStored,
            Json::String(text) => self.text(entity_id, entity_type, attribute, text),
            // From before the attribute was marked: whatever it is, it is hidden whole.
            _ if self.personal.mask_of(entity_type, attribute).is_some() => {
                Shown::Masked(HIDDEN.to_owned())
            }
            _ => Shown::AsStored,
        };
        let is_masked = shown.is_masked();
        (shown.json().unwrap_or(stored), is_masked)
    }

    /// A stored message as it came; `None` when it is withheld, because it speaks of somebody and nothing says that the
    /// caller may see all of it.
    pub fn message(&self, stored: &Message<'_>) -> Option<Vec<u8>> {
        let personal: Vec<(&str, &str, &str)> = (stored.updates.iter())
            .flat_map(|update| {
                let (id, kind) = (update.entity_id.as_str(), update.entity_type.as_str());
                let names = update.attributes.iter().map(|a| a.name.as_str());
                names.map(move |name| (id, kind, name))
            })
            .filter(|(_, kind, name)| self.personal.mask_of(kind, name).is_some())
            .collect();
        let sealed = is_sealed_message(stored.raw);
        if !sealed && personal.is_empty() {
            return Some(stored.raw.to_vec());
        }
        let may = match personal.as_slice() {
            // A dead letter may speak of anything.
            [] => self.may_reveal_any(),
            some => some
                .iter()
                .all(|(id, kind, name)| self.may_reveal(id, kind, name)),
        };
        if !may {
            return None;
        }
        let raw = match sealed {
            false => stored.raw.to_vec(),
            true => {
                let sealer = self.personal.sealer.as_ref()?;
                let at = stored.received_at;
                sealer
                    .open_message(stored.door, stored.address, at, stored.raw)
                    .ok()?
            }
        };
        let noted = match personal.as_slice() {
            [] => self.note(&format!("message:{}", stored.position), "*"),
            some => some.iter().all(|(id, _, name)| self.note(id, name)),
        };
        noted.then_some(raw)
    }

    /// Writes the act when anything was shown whole. To be called before the answer goes out, which it must not do when
    /// this fails.
    ///
    /// # Errors
    /// 400 `personal-too-many`; whatever keeps the trail from being written.
    pub async fn tell(&self, records: &Records, now: Timestamp, way: &str) -> Result<(), Failure> {
        let Some(stated) = &self.stated else {
            return Ok(());
        };
        let seen = std::mem::take(&mut *self.seen.lock());
        if seen.is_too_many {
            let most = self.personal.options.entities_max;
            return Err(Failure::Invalid(Problem::new(
                "personal-too-many",
                format!("the answer would show personal data of more than {most} entities"),
                "purpose",
                "ask for fewer entities, or without a purpose, which shows them masked",
            )));
        }
        if seen.entities.is_empty() {
            return Ok(());
        }
        let values: usize = seen.entities.values().map(BTreeSet::len).sum();
        let detail = serde_json::json!({
            "purpose": stated.purpose,
            "way": way,
            "entities": seen.entities,
            "values": values,
        });
        let mut write = records.write().await?;
        let event = Event::PersonalView;
        audit::insert(&mut write, now, &stated.actor, event, "personal", &detail).await?;
        write.commit().await?;
        Ok(())
    }
}

/// A message as the journal keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its position.
    pub position: u64,
    /// The door it came through.
    pub door: &'a str,
    /// Topic or path, as it was sealed with.
    pub address: &'a str,
    /// When it came.
    pub received_at: Timestamp,
    /// Its stored bytes.
    pub raw: &'a [u8],
    /// What was understood.
    pub updates: &'a [model::Update],
}

impl Veil for Look {
    fn covers(&self, entity_type: &str, attribute: &str) -> bool {
        self.personal.mask_of(entity_type, attribute).is_some()
    }

    fn is_sealed(&self, stored: &str) -> bool {
        is_sealed(stored)
    }

    fn shown(&self, entity_id: &str, entity_type: &str, attribute: &str, stored: &str) -> String {
        match self.text(entity_id, entity_type, attribute, stored) {
            Shown::AsStored => stored.to_owned(),
            Shown::Masked(text) => text,
            Shown::Plain(opened) => opened.text,
        }
    }
}

/// A row of people's records with nothing sealed in it: these are shown masked, and only there for the journal's sake.
pub(crate) fn without_sealed(row: &mut [Json]) {
    for value in row {
        let Json::String(text) = value else { continue };
        // JSON as text has its quotation mark before it.
        let bare = text.strip_prefix('"').unwrap_or(text);
        if is_sealed(bare) {
            *value = Json::String(match bare.len() == text.len() {
                true => HIDDEN.to_owned(),
                false => format!("\"{HIDDEN}\""),
            });
        } else if is_sealed_message(text.as_bytes()) {
            *value = Json::String(String::new());
        }
    }
}

/// How a purpose is stated in the address.
#[derive(Debug, Deserialize, IntoParams)]
pub struct LookingQuery {
    /// What personal values are looked at for: they are shown whole to whoever may see them.
    pub purpose: Option<String>,
}

/// The purpose that a request states.
pub(crate) fn purpose_of(parts: &Parts) -> Option<String> {
    match parts.headers.get(PURPOSE_HEADER) {
        Some(value) => Some(value.to_str().unwrap_or("?").to_owned()),
        None => Query::<LookingQuery>::try_from_uri(&parts.uri)
            .ok()
            .and_then(|Query(param)| param.purpose),
    }
}

/// A request's look: the purpose is in the header `x-jingling-purpose`, or in the address as `purpose`.
#[derive(Clone, Debug)]
pub struct Looking(pub Arc<Look>);

impl FromRequestParts<App> for Looking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let Some(purpose) = purpose_of(parts) else {
            return Ok(Self(Arc::new(Look::masked(&app.personal))));
        };
        let Caller(caller) = Caller::from_request_parts(parts, app).await?;
        let Ok(peer) = Peer::from_request_parts(parts, app).await;
        let look = Look::stated(app, &caller, peer.actor(&caller), &purpose)?;
        Ok(Self(Arc::new(look)))
    }
}
