//! A person's own data (个人信息保护法, articles 44 and 45): everything that the city holds about the person whom an
//! identifier stands for, and who looked at it. The identifier comes in the body of a request, never in an address,
//! which logs and browsers keep.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::personal::Personal;
use axum::Json;
use axum::extract::State;
use lake::{Lake, NoRecords};
use model::{Catalogue, EntityId, EntityKind, Problem, Timestamp};
use records::audit::Search;
use records::{Actor, Event, PageRequest, Records, audit};
use serde::{Deserialize, Serialize};
use serde_json::Value as JsonValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use twin::{Filter, Twin};
use utoipa::ToSchema;

/// Longest identifier, in characters.
const SUBJECT_CHARS_MAX: usize = 200;
/// Entities that are looked at together.
const ENTITIES_A_PAGE: usize = 2_048;
/// Acts read together.
const ACTS_A_PAGE: u32 = 500;

/// Whose data is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRequest {
    /// The person's identifier, as the entity type's `data_subject` attribute holds it: a telephone number, the number of
    /// an identity card.
    pub subject: String,
    /// What for: the id of a purpose of the city.
    pub purpose: String,
}

/// One value held about the person.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SubjectValue {
    /// The attribute.
    pub attribute: String,
    /// The value.
    pub value: JsonValue,
    /// When it was so.
    pub observed_at: String,
    /// The journal position of the message that said so.
    pub position: u64,
}

/// What is held of the person in one entity.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SubjectEntity {
    /// The entity.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// What it is called.
    pub name: Option<String>,
    /// Whether the entity still names this person.
    pub is_current: bool,
    /// Every personal value of the time in which the entity named this person, oldest first.
    pub values: Vec<SubjectValue>,
}

/// Everything held about a person.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SubjectData {
    /// The city.
    pub city: String,
    /// When it was put together.
    pub exported_at: String,
    /// The entities that name the person, or did.
    pub entities: Vec<SubjectEntity>,
    /// Whether history holds more than was looked through.
    pub truncated: bool,
}

/// Somebody who looked.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Viewer {
    /// When.
    pub at: String,
    /// `user`, `token`, `cli` or `system`.
    pub actor_kind: String,
    /// Who, by the name at the time.
    pub actor: String,
    /// From which network address.
    pub peer: String,
    /// `personal.view` or `personal.export`.
    pub action: String,
    /// What for: the id of a purpose.
    pub purpose: String,
    /// At which entities, and which of their attributes.
    pub entities: BTreeMap<String, Vec<String>>,
    /// The act's number in the audit trail.
    pub act: i64,
}

/// Those who looked at a person's data.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Viewers {
    /// Newest first.
    pub items: Vec<Viewer>,
    /// Whether the audit trail holds more than was looked through.
    pub truncated: bool,
}

/// What is needed to put a person's data together, of a city that runs or of its folder.
pub struct Holdings<'a> {
    /// Opens, and knows what is personal.
    pub personal: &'a Personal,
    /// The current state.
    pub twin: &'a Twin,
    /// History.
    pub lake: &'a Lake,
    /// Limits of a question to it.
    pub limits: lake::Limits,
    /// The audit trail.
    pub records: &'a Records,
    /// The city's name.
    pub city: String,
    /// Now.
    pub now: Timestamp,
}

/// The identifier as it is compared: without the blanks around it.
///
/// # Errors
/// `subject` when it is empty or too long.
pub fn subject_of(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > SUBJECT_CHARS_MAX {
        return Err(Problem::new(
            "subject",
            "the person's identifier is empty or too long",
            "subject",
            format!("write the telephone or card number, at most {SUBJECT_CHARS_MAX} characters"),
        ));
    }
    Ok(text)
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A row of history: entity, attribute, value, time, position.
struct Row {
    entity_id: String,
    attribute: String,
    stored: Option<String>,
    observed_at: Timestamp,
    position: u64,
}

impl Holdings<'_> {
    /// Rows of history as they are stored, oldest first; whether there are more.
    async fn rows(&self, conditions: &str) -> Result<(Vec<Row>, bool), Problem> {
        let sql = format!(
            "SELECT entity_id, attribute, coalesce(value_text, value_json) AS stored, observed_at, journal_position \
             FROM observations WHERE {conditions} ORDER BY observed_at, journal_position"
        );
        let limits = lake::Limits {
            rows_max: self.personal.options.history_rows_max,
            // Names of entities make it long; it is not anybody's own words.
            statement_bytes_max: usize::MAX,
            ..self.limits.clone()
        };
        let answer = self
            .lake
            .query(&sql, &limits, Arc::new(NoRecords), &Catalogue::default())
            .await?;
        let text = |value: &JsonValue| value.as_str().unwrap_or_default().to_owned();
        let rows = answer.rows.iter().map(|row| {
            Ok(Row {
                entity_id: text(&row[0]),
                attribute: text(&row[1]),
                stored: row[2].as_str().map(str::to_owned),
                observed_at: Timestamp::parse(&text(&row[3]))?,
                position: row[4].as_u64().unwrap_or_default(),
            })
        });
        Ok((rows.collect::<Result<_, Problem>>()?, answer.truncated))
    }

    fn open(&self, row: &Row) -> Option<JsonValue> {
        let stored = row.stored.as_deref()?;
        if !::personal::is_sealed(stored) {
            return Some(JsonValue::String(stored.to_owned()));
        }
        let opened = self.personal.open(&row.entity_id, &row.attribute, stored);
        // What cannot be opened is told as such: the person is to know that it is there.
        let unreadable = || match self.personal.unreadable(stored) {
            ::personal::mask::RETIRED => ::personal::mask::RETIRED,
            _ => "(unreadable)",
        };
        Some(opened.map_or_else(|| unreadable().into(), |opened| opened.to_json()))
    }

    fn is(&self, row: &Row, subject: &str) -> bool {
        let value = self.open(row);
        value.is_some_and(|v| v.as_str().is_some_and(|v| v.trim() == subject))
    }

    /// Ids of the entities of a type that name the person now.
    fn named_now(&self, kind: &EntityKind, attribute: &str, subject: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut after = None;
        loop {
            let page = Filter {
                types: vec![kind.name.clone()],
                limit: ENTITIES_A_PAGE,
                after,
                ..Filter::default()
            };
            let next = self.twin.visit(&page, |entity| {
                let stored = entity.attribute(attribute).map(|a| a.value.to_value());
                let Some(model::Value::Text(stored)) = stored else {
                    return;
                };
                let row = Row {
                    entity_id: entity.id.to_string(),
                    attribute: attribute.to_owned(),
                    stored: Some(stored),
                    observed_at: Timestamp::default(),
                    position: 0,
                };
                if self.is(&row, subject) {
                    found.insert(row.entity_id);
                }
            });
            match next {
                Some(id) => after = Some(id.to_string()),
                None => return found,
            }
        }
    }

    /// Everything held about a person. The times in which an entity named the person are those between one value of its
    /// `data_subject` and the next.
    ///
    /// # Errors
    /// Those of [`subject_of`] and of a question to history; `personal-no-keys`.
    pub async fn data(&self, subject: &str) -> Result<SubjectData, Problem> {
        let subject = subject_of(subject)?;
        if self.personal.sealer.is_none() {
            return Err(Problem::new(
                "personal-no-keys",
                "the keys of personal data are missing, so nobody's data can be found",
                "secrets/personal-keys.json",
                "put the file back from an encrypted backup",
            ));
        }
        let mut data = SubjectData {
            city: self.city.clone(),
            exported_at: self.now.to_string(),
            entities: Vec::new(),
            truncated: false,
        };
        let catalogue = self.personal.catalogue.read().clone();
        for kind in catalogue.kinds.values() {
            let Some(attribute) = &kind.data_subject else {
                continue;
            };
            let now = self.named_now(kind, attribute, subject);
            let of_type = format!("entity_type = {}", literal(&kind.name));
            let (named, more) = self
                .rows(&format!("{of_type} AND attribute = {}", literal(attribute)))
                .await?;
            data.truncated |= more;
            let mut ids = now.clone();
            let whose = named.iter().filter(|row| self.is(row, subject));
            ids.extend(whose.map(|row| row.entity_id.clone()));
            if ids.is_empty() {
                continue;
            }
            let list = |texts: &mut dyn Iterator<Item = &String>| {
                texts.map(|t| literal(t)).collect::<Vec<_>>().join(", ")
            };
            let personal = kind.attributes.iter().filter(|(_, a)| a.personal.is_some());
            let (rows, more) = self
                .rows(&format!(
                    "{of_type} AND entity_id IN ({}) AND attribute IN ({})",
                    list(&mut ids.iter()),
                    list(&mut personal.map(|(name, _)| name))
                ))
                .await?;
            data.truncated |= more;
            for id in ids {
                let values = self.values_of(&id, attribute, subject, &rows);
                let name = EntityId::new(&id).ok().and_then(|id| self.twin.get(&id));
                data.entities.push(SubjectEntity {
                    is_current: now.contains(&id),
                    name: name.as_ref().and_then(crate::entities::name_of),
                    r#type: kind.name.clone(),
                    values,
                    id,
                });
            }
        }
        Ok(data)
    }

    /// The personal values of an entity in the times in which it named the person, and in the messages that named it.
    fn values_of(
        &self,
        id: &str,
        attribute: &str,
        subject: &str,
        rows: &[Row],
    ) -> Vec<SubjectValue> {
        let own = || rows.iter().filter(|row| row.entity_id == id);
        let named: Vec<&Row> = own().filter(|row| row.attribute == attribute).collect();
        let mut spans = Vec::new();
        let mut messages = BTreeSet::new();
        for (at, row) in named.iter().enumerate() {
            if self.is(row, subject) {
                spans.push((
                    row.observed_at,
                    named.get(at + 1).map(|next| next.observed_at),
                ));
                messages.insert(row.position);
            }
        }
        let is_in = |row: &Row| {
            let within = |(from, to): &(Timestamp, Option<Timestamp>)| {
                row.observed_at >= *from && to.is_none_or(|to| row.observed_at < to)
            };
            messages.contains(&row.position) || spans.iter().any(within)
        };
        let values = own().filter(|row| is_in(row)).filter_map(|row| {
            Some(SubjectValue {
                attribute: row.attribute.clone(),
                value: self.open(row)?,
                observed_at: row.observed_at.to_string(),
                position: row.position,
            })
        });
        values.collect()
    }

    /// [`Self::data`], with its act in the audit trail: the identifier itself is not written there.
    ///
    /// # Errors
    /// As [`Self::data`]; `purpose-unknown`; whatever keeps the trail from being written.
    pub async fn export(
        &self,
        subject: &str,
        purpose: &str,
        actor: &Actor,
    ) -> Result<SubjectData, records::Failure> {
        let purpose = self.personal.purpose(purpose);
        let purpose = purpose.map_err(records::Failure::Invalid)?;
        let data = self.data(subject).await.map_err(told)?;
        let entities: BTreeMap<&str, BTreeSet<&str>> = (data.entities.iter())
            .map(|e| {
                let names = e.values.iter().map(|v| v.attribute.as_str());
                (e.id.as_str(), names.collect())
            })
            .collect();
        let values: usize = data.entities.iter().map(|e| e.values.len()).sum();
        let detail = serde_json::json!({
            "purpose": purpose.id, "entities": entities, "values": values,
        });
        self.write(Event::PersonalExport, actor, &detail).await?;
        Ok(data)
    }

    async fn write(
        &self,
        event: Event,
        actor: &Actor,
        detail: &JsonValue,
    ) -> Result<(), records::Failure> {
        let mut write = self.records.write().await?;
        audit::insert(&mut write, self.now, actor, event, "personal", detail).await?;
        write.commit().await
    }

    /// Who saw or exported data of the person, newest first, from the audit trail.
    ///
    /// # Errors
    /// As [`Self::export`].
    pub async fn viewers(&self, subject: &str, actor: &Actor) -> Result<Viewers, records::Failure> {
        let data = self.data(subject).await.map_err(told)?;
        let held: BTreeSet<&str> = data.entities.iter().map(|e| e.id.as_str()).collect();
        let mut found = Viewers {
            items: Vec::new(),
            truncated: data.truncated,
        };
        for event in [Event::PersonalView, Event::PersonalExport] {
            let search = Search {
                action: Some(event.entry().action.to_owned()),
                ..Search::default()
            };
            let mut after = None;
            let mut looked = 0;
            loop {
                let page = PageRequest {
                    after,
                    limit: Some(ACTS_A_PAGE),
                };
                let acts = audit::search(&mut *self.records.read().await?, &search, &page).await?;
                looked += acts.items.len();
                found
                    .items
                    .extend(acts.items.into_iter().filter_map(|act| viewer(act, &held)));
                match acts.next {
                    Some(_) if looked >= self.personal.options.acts_max => {
                        found.truncated = true;
                        break;
                    }
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        found
            .items
            .sort_by_key(|viewer| std::cmp::Reverse(viewer.act));
        let detail = serde_json::json!({"entities": held, "viewers": found.items.len()});
        self.write(Event::PersonalViewers, actor, &detail).await?;
        Ok(found)
    }
}

/// A question to history that failed, as the records' own errors are told.
fn told(problem: Problem) -> records::Failure {
    match problem.code.as_str() {
        "subject" => records::Failure::Invalid(problem),
        _ => records::Failure::Unavailable(problem),
    }
}

/// The act as a look at one of these entities; `None` when it is none.
fn viewer(act: audit::AuditEntry, held: &BTreeSet<&str>) -> Option<Viewer> {
    let entities = act.detail["entities"].as_object()?;
    let seen: BTreeMap<String, Vec<String>> = (entities.iter())
        .filter(|(id, _)| held.contains(id.as_str()))
        .map(|(id, names)| {
            let names = names.as_array().into_iter().flatten();
            let names = names.filter_map(|name| name.as_str().map(str::to_owned));
            (id.clone(), names.collect())
        })
        .collect();
    if seen.is_empty() {
        return None;
    }
    Some(Viewer {
        at: act.at.to_string(),
        actor_kind: act.actor_kind,
        actor: act.actor,
        peer: act.peer,
        purpose: act.detail["purpose"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        action: act.action,
        entities: seen,
        act: act.id,
    })
}

impl App {
    fn holdings(&self) -> Holdings<'_> {
        Holdings {
            personal: &self.personal,
            twin: &self.twin,
            lake: &self.lake,
            limits: self.options.sql_limits.clone(),
            records: &self.records,
            city: self.city.name_zh.clone(),
            now: self.now(),
        }
    }
}

/// Everything that the city holds about a person, opened, for a stated purpose.
#[utoipa::path(post, path = "/api/v1/personal/subject", tag = "personal", security(("session" = ["personal.export"])),
    request_body = SubjectRequest,
    responses((status = 200, body = SubjectData), (status = 400, body = crate::error::ProblemBody),
        (status = 503, body = crate::error::ProblemBody)))]
pub async fn subject(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<SubjectRequest>,
) -> Answer<Json<SubjectData>> {
    let actor = peer.actor(&caller);
    let holdings = app.holdings();
    let data = holdings.export(&request.subject, &request.purpose, &actor);
    data.await.map(Json).map_err(ApiError::from)
}

/// Who is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewersRequest {
    /// The person's identifier.
    pub subject: String,
}

/// Who saw or exported a person's data: when, from where and what for.
#[utoipa::path(post, path = "/api/v1/personal/viewers", tag = "personal", security(("session" = ["personal.export"])),
    request_body = ViewersRequest,
    responses((status = 200, body = Viewers), (status = 400, body = crate::error::ProblemBody),
        (status = 503, body = crate::error::ProblemBody)))]
pub async fn viewers(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<ViewersRequest>,
) -> Answer<Json<Viewers>> {
    let actor = peer.actor(&caller);
    let found = app.holdings().viewers(&request.subject, &actor).await;
    found.map(Json).map_err(ApiError::from)
}
