//! Outside contacts (外部联系人) of the telephone list: people and offices that are no organisation of the city. Their numbers are
//! sealed under the city's personal keys, shown in part, and whole for a stated purpose, which the audit trail has. The city's
//! own people are [`crate::people`].

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::{TEXT_CHARS_MAX, must_belong, organisation, text};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::personal::{Looking, Shown};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::{MaskKind, Problem, Value};
use records::duty_acts::{self, Contact};
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Most contacts of the city.
const CONTACTS_MAX: i64 = 10_000;
/// What policies call the type of a contact.
const KIND: &str = "OutsideContact";
/// What the number is called.
const PHONE: &str = "phone";

/// The names under which a contact's number is sealed.
pub fn sealed_under(key: &str) -> (String, &'static str) {
    (format!("duty-contact:{key}"), PHONE)
}

/// An outside contact.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutsideContact)]
pub struct ContactBody {
    /// Its number.
    pub id: i64,
    /// On whose list it stands.
    pub organisation: String,
    /// The person's or the office's name.
    pub name: String,
    /// Where they work.
    pub unit: String,
    /// What they do there.
    pub title: String,
    /// The telephone number: `138****1234`, whole where a purpose was stated.
    pub phone: String,
}

/// The outside contacts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutsideContacts)]
pub struct ContactsBody {
    /// By where they work, then by name.
    pub items: Vec<ContactBody>,
}

/// Whose list.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ContactsQuery {
    /// Of this organisation; of all when not said.
    pub organisation: Option<String>,
    /// Only this one: whoever needs one number whole does not open the others.
    pub id: Option<i64>,
    /// What numbers are looked at for: they are shown whole to whoever may see them.
    pub purpose: Option<String>,
}

/// Outside contacts; numbers in part, whole for a purpose.
#[utoipa::path(get, path = "/api/v1/duty/contacts", tag = "duty", security(("session" = ["duty.read"])), params(ContactsQuery),
    responses((status = 200, body = ContactsBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Looking(look): Looking,
    Query(query): Query<ContactsQuery>,
) -> Answer<Json<ContactsBody>> {
    let organisation = query.organisation.as_deref().filter(|id| !id.is_empty());
    let mut read = app.records.read().await?;
    let limit = u32::try_from(CONTACTS_MAX).unwrap_or(u32::MAX);
    let found = match query.id {
        Some(id) => {
            let one = duty_acts::contact(&mut read, id).await?;
            let is_of = |row: &Contact| organisation.is_none_or(|id| id == row.organisation_id);
            let one = one.filter(is_of);
            vec![one.ok_or_else(|| ApiError::not_found("contact", id))?]
        }
        None => duty_acts::contacts(&mut read, organisation, limit).await?,
    };
    drop(read);
    let items = found.into_iter().map(|row| {
        let phone = match look.has_purpose() {
            false => row.shown,
            true => {
                let (entity, attribute) = sealed_under(&row.key);
                match look.text(&entity, KIND, attribute, &row.sealed) {
                    Shown::Plain(opened) => opened.text,
                    Shown::Masked(_) | Shown::AsStored => row.shown,
                }
            }
        };
        ContactBody {
            id: row.id,
            organisation: row.organisation_id,
            name: row.name,
            unit: row.unit,
            title: row.title,
            phone,
        }
    });
    let items = items.collect();
    look.tell(&app.records, app.now(), "duty-contacts").await?;
    Ok(Json(ContactsBody { items }))
}

/// A contact to write down.
#[derive(Deserialize, ToSchema)]
#[schema(as = OutsideContactDraft)]
pub struct ContactDraft {
    /// On whose list.
    pub organisation: String,
    /// The person's or the office's name.
    pub name: String,
    /// Where they work.
    pub unit: String,
    /// What they do there; may be empty.
    #[serde(default)]
    pub title: String,
    /// The telephone number.
    pub phone: String,
}

/// Writes an outside contact down.
#[utoipa::path(post, path = "/api/v1/duty/contacts", tag = "duty", security(("session" = ["duty.act"])), request_body = ContactDraft,
    responses((status = 201, body = ContactBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<ContactDraft>,
) -> Answer<(StatusCode, Json<ContactBody>)> {
    must_belong(&caller, &draft.organisation)?;
    let number = identity::checks::phone(&draft.phone)
        .map_err(|told| ApiError::told(StatusCode::BAD_REQUEST, told))?;
    let key = format!("{:032x}", rand::random::<u128>());
    let (entity, attribute) = sealed_under(&key);
    let sealer = app.personal.sealer.as_ref();
    let sealed = sealer
        .and_then(|sealer| {
            let value = Value::Text(number.clone());
            sealer.seal(&entity, attribute, &value).ok().flatten()
        })
        .ok_or_else(|| {
            let problem = Problem::new(
                "personal-not-sealed",
                "it cannot be sealed, and is not kept otherwise",
                "phone",
                "put the city's personal keys back: jingling keys list",
            );
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, problem)
        })?;
    let now = app.now();
    let actor = peer.actor(&caller);
    let new = Contact {
        id: 0,
        organisation_id: draft.organisation,
        key,
        name: text(&draft.name, "name", 1, TEXT_CHARS_MAX)?,
        unit: text(&draft.unit, "unit", 1, TEXT_CHARS_MAX)?,
        title: text(&draft.title, "title", 0, TEXT_CHARS_MAX)?,
        sealed,
        shown: ::personal::mask(MaskKind::Phone, &number),
        made_at: now,
        made_by: actor.name.clone(),
    };
    let mut write = app.records.write().await?;
    organisation(&mut write, &new.organisation_id).await?;
    if duty_acts::count_contacts(&mut write).await? >= CONTACTS_MAX {
        return Err(ApiError::invalid(Problem::new(
            "duty-contacts-many",
            format!("the city has {CONTACTS_MAX} outside contacts"),
            "contacts",
            "take away those that nobody calls",
        )));
    }
    let row = duty_acts::add_contact(&mut write, &new).await?;
    let detail = json!({"organisation": row.organisation_id, "unit": row.unit});
    let target = format!("duty-contact:{}", row.id);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyContactAdd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    let body = ContactBody {
        id: row.id,
        organisation: row.organisation_id,
        name: row.name,
        unit: row.unit,
        title: row.title,
        phone: row.shown,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Takes an outside contact away.
#[utoipa::path(delete, path = "/api/v1/duty/contacts/{id}", tag = "duty", security(("session" = ["duty.act"])),
    params(("id" = i64, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    let now = app.now();
    let mut write = app.records.write().await?;
    let row = duty_acts::contact(&mut write, id)
        .await?
        .ok_or_else(|| ApiError::not_found("contact", id))?;
    must_belong(&caller, &row.organisation_id)?;
    duty_acts::remove_contact(&mut write, id).await?;
    let detail = json!({"organisation": row.organisation_id});
    let target = format!("duty-contact:{id}");
    let actor = peer.actor(&caller);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyContactRemove,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
