//! Policies over HTTP: what holds, what a change would do, the change itself, and why somebody may see something or may not.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::approvals::{self, Done, Order};
use crate::dead_letters::ProblemDetail;
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use identity::policies::documents_of;
use identity::{Asked, DangerousAct, Permission};
use model::{EntityId, Problem, Timestamp, problem::quote};
use policy::{Access, Engine, Judgement, Source, What, Who};
use records::PageRequest;
use records::policies::PolicyVersion;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Where a document of policies comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicySource {
    /// The program: what each role may do.
    Program,
    /// A pack.
    Pack,
    /// The city's profile.
    Profile,
    /// Those who administer the city: the ones that can be changed here.
    City,
}

impl From<&Source> for PolicySource {
    fn from(source: &Source) -> Self {
        match source {
            Source::Program => Self::Program,
            Source::Pack(_) => Self::Pack,
            Source::Profile => Self::Profile,
            Source::City => Self::City,
        }
    }
}

/// A document of policies.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyDocument {
    /// How it is named: `program/roles`, `city/night`.
    pub title: String,
    /// Where it comes from.
    pub source: PolicySource,
    /// Its name there.
    pub name: String,
    /// The policies, in Cedar.
    pub text: String,
}

/// One policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyStated {
    /// Its document and place: `city/night#2`.
    pub id: String,
    /// Where it comes from.
    pub source: PolicySource,
    /// Whether it permits; else it forbids.
    pub permits: bool,
    /// What it is for, in Chinese.
    pub zh: Option<String>,
    /// What it is for, in English.
    pub en: Option<String>,
    /// Its text.
    pub text: String,
}

impl From<&policy::Stated> for PolicyStated {
    fn from(policy: &policy::Stated) -> Self {
        Self {
            id: policy.id.clone(),
            source: (&policy.source).into(),
            permits: policy.permits,
            zh: policy.zh.clone(),
            en: policy.en.clone(),
            text: policy.text.clone(),
        }
    }
}

/// The policies that hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Policies {
    /// The version of the city's own documents; 0 before the first change.
    pub version: i64,
    /// The documents: the program's first, the city's last.
    pub documents: Vec<PolicyDocument>,
    /// Their policies, by id.
    pub policies: Vec<PolicyStated>,
    /// What policies may speak of, as a Cedar schema.
    pub schema: String,
}

/// Documents to take the place of the city's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDraft {
    /// The texts, by name; none takes the city's own policies away.
    pub documents: BTreeMap<String, String>,
}

/// A change of the city's policies.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// The texts, by name: all of them, also those that stay as they are.
    pub documents: BTreeMap<String, String>,
    /// Why.
    pub reason: String,
    /// The version that was seen; others made since then refuse the change.
    pub version: Option<i64>,
}

/// What a draft would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyTried {
    /// What is wrong with it; empty when it could hold.
    pub problems: Vec<ProblemDetail>,
    /// What it would change, by person.
    pub effects: Vec<PolicyEffect>,
}

/// What a draft would do to one person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyEffect {
    /// The username.
    pub username: String,
    /// What the person could do from then on, in this hour.
    pub gained: Vec<String>,
    /// What the person could do no more.
    pub lost: Vec<String>,
    /// What the person would see otherwise.
    pub seen: Vec<SeenOtherwise>,
}

/// An attribute that a person would see otherwise than now.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenOtherwise {
    /// `Type.attribute`.
    pub attribute: String,
    /// Now.
    pub before: Seen,
    /// Then.
    pub after: Seen,
}

/// How far a value may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Not at all.
    Hidden,
    /// That it is there, mostly covered.
    Masked,
    /// As it is.
    Shown,
}

impl From<Access> for Seen {
    fn from(access: Access) -> Self {
        match access {
            Access::Hidden => Self::Hidden,
            Access::Masked => Self::Masked,
            Access::Shown => Self::Shown,
        }
    }
}

/// The policies that hold.
#[utoipa::path(get, path = "/api/v1/policy", tag = "policy", security(("session" = ["policy.read"])),
    responses((status = 200, body = Policies)))]
pub async fn policies(State(app): State<App>) -> Answer<Json<Policies>> {
    let (version, _) = app.identity.city_policies().await?;
    let engine = app.identity.policies().engine();
    let documents = engine.documents().iter().map(|d| PolicyDocument {
        title: d.title(),
        source: (&d.source).into(),
        name: d.name.clone(),
        text: d.text.clone(),
    });
    Ok(Json(Policies {
        version,
        documents: documents.collect(),
        policies: engine.all().map(Into::into).collect(),
        schema: engine.schema(),
    }))
}

/// Checks documents and says what they would change, without letting them hold.
#[utoipa::path(post, path = "/api/v1/policy/check", tag = "policy", security(("session" = ["policy.read"])), request_body = PolicyDraft,
    responses((status = 200, body = PolicyTried), (status = 400, body = crate::error::ProblemBody), (status = 422, body = crate::error::ProblemBody)))]
pub async fn check(
    State(app): State<App>,
    Json(draft): Json<PolicyDraft>,
) -> Answer<Json<PolicyTried>> {
    let now = app.now();
    let tried = app.identity.try_policies(&draft.documents, now).await?;
    let engine = match tried {
        Ok(engine) => model::Shared::new(engine),
        Err(problems) => {
            return Ok(Json(PolicyTried {
                problems: problems.into_iter().map(Into::into).collect(),
                effects: Vec::new(),
            }));
        }
    };
    let effects = app.identity.effect(&engine, now).await?;
    let effects = effects.into_iter().map(|effect| PolicyEffect {
        username: effect.username,
        gained: effect.gained,
        lost: effect.lost,
        seen: effect
            .seen
            .into_iter()
            .map(|(attribute, before, after)| SeenOtherwise {
                attribute,
                before: before.into(),
                after: after.into(),
            })
            .collect(),
    });
    Ok(Json(PolicyTried {
        problems: Vec::new(),
        effects: effects.collect(),
    }))
}

/// Lets other documents hold in place of the city's own. A second person must agree: 202.
#[utoipa::path(put, path = "/api/v1/policy", tag = "policy", security(("session" = ["policy.manage"])), request_body = PolicyChange,
    responses((status = 202, body = approvals::ApprovalAsked), (status = 200, body = PolicyVersionBody), (status = 400, body = crate::error::ProblemBody),
        (status = 409, body = crate::error::ProblemBody), (status = 422, body = crate::error::ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(change): Json<PolicyChange>,
) -> Answer<Response> {
    let now = app.now();
    // What cannot hold is told to who asks, not to the second person.
    app.identity
        .check_change(&change.documents, &change.reason, change.version, now)
        .await?;
    let asked = Asked {
        act: DangerousAct::PolicyChange,
        target: "policy",
        body: &json!({"documents": change.documents, "reason": change.reason, "version": change.version}),
        reason: &change.reason,
    };
    approvals::go(&app, &caller, peer, &asked).await
}

/// Changes the policies as was asked for.
pub(crate) async fn change_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let change: PolicyChange =
        serde_json::from_value(order.body.clone()).map_err(ApiError::internal)?;
    let (now, actor) = (app.now(), order.actor);
    let version = app
        .identity
        .change_policies(
            &change.documents,
            &change.reason,
            change.version,
            actor,
            now,
        )
        .await?;
    let outcome = format!("version {} holds", version.id);
    let answer = json!(PolicyVersionBody::try_from(version)?);
    Ok(Done {
        answer: Some(answer),
        ..Done::plain(outcome)
    })
}

/// All documents of the city as they held from a change on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyVersion)]
pub struct PolicyVersionBody {
    /// Counts up from 1.
    pub version: i64,
    /// When it began to hold.
    pub at: String,
    /// Who changed it.
    pub changed_by: String,
    /// Why.
    pub reason: String,
    /// The documents, by name.
    pub documents: BTreeMap<String, String>,
}

impl TryFrom<PolicyVersion> for PolicyVersionBody {
    type Error = ApiError;
    fn try_from(version: PolicyVersion) -> Result<Self, ApiError> {
        Ok(Self {
            documents: documents_of(&version)?,
            version: version.id,
            at: version.at.to_string(),
            changed_by: version.changed_by,
            reason: version.reason,
        })
    }
}

/// Versions of the city's policies.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyVersions {
    /// Newest first.
    pub items: Vec<PolicyVersionBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which versions.
#[derive(Debug, Deserialize, IntoParams)]
pub struct VersionsQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// The versions of the city's policies, newest first.
#[utoipa::path(get, path = "/api/v1/policy/versions", tag = "policy", security(("session" = ["policy.read"])), params(VersionsQuery),
    responses((status = 200, body = PolicyVersions), (status = 400, body = crate::error::ProblemBody)))]
pub async fn versions(
    State(app): State<App>,
    Query(query): Query<VersionsQuery>,
) -> Answer<Json<PolicyVersions>> {
    let request = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut connection = app.records.read().await?;
    let page = records::policies::list(&mut connection, &request).await?;
    drop(connection);
    let items: Result<Vec<_>, _> = page.items.into_iter().map(TryInto::try_into).collect();
    Ok(Json(PolicyVersions {
        items: items?,
        next: page.next,
    }))
}

/// What is asked.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct WhyQuery {
    /// Of whom: the username.
    pub username: String,
    /// The act: a permission's word; `entity.read` when an entity is named.
    pub action: Option<String>,
    /// Upon this entity.
    pub entity_id: Option<String>,
    /// Upon this attribute of the entity; all of them when not said.
    pub attribute: Option<String>,
    /// With this stated purpose.
    pub purpose: Option<String>,
    /// At this time (RFC 3339); now when not said.
    pub at: Option<String>,
}

/// Why somebody may, or may not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Why {
    /// The username.
    pub username: String,
    /// The name.
    pub name: String,
    /// The roles: the main one, and those of posts.
    pub roles: Vec<String>,
    /// The organisations.
    pub organisations: Vec<String>,
    /// The posts.
    pub posts: Vec<String>,
    /// The hour of the city's clock for which it is answered, 0 to 23.
    pub hour: u8,
    /// The day of the week, Monday 1 to Sunday 7.
    pub weekday: u8,
    /// The entity, when one was named.
    pub entity: Option<WhyEntity>,
    /// The answers: one for the act, or one for each attribute.
    pub answers: Vec<WhyAnswer>,
    /// The policies that the answers name.
    pub policies: Vec<PolicyStated>,
}

/// The entity as policies know it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyEntity {
    /// Its id.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// The town where it stands, by code.
    pub division: Option<String>,
    /// Whose it is: its own owner, or its type's.
    pub owner: Option<String>,
}

/// One answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyAnswer {
    /// The act.
    pub action: String,
    /// The attribute, when one is meant.
    pub attribute: Option<String>,
    /// `none`, `personal` or `sensitive`.
    pub personal: Option<String>,
    /// Whether it is permitted.
    pub permitted: bool,
    /// How far the value may be seen, of an attribute.
    pub seen: Option<Seen>,
    /// The policies that decided: those that forbid, when there are any; else those that permit.
    pub by: Vec<String>,
    /// When nothing permits it: policies that permit it to others.
    pub permitted_to_others_by: Vec<String>,
}

fn named(engine: &Engine, who: &Who, action: &str, judged: Judgement) -> WhyAnswer {
    let others = engine
        .permitting(action)
        .filter(|_| !judged.permitted && judged.by.is_empty());
    WhyAnswer {
        action: action.to_owned(),
        attribute: None,
        personal: None,
        permitted: judged.permitted,
        seen: None,
        permitted_to_others_by: others
            .filter(|policy| {
                !who.roles
                    .iter()
                    .any(|r| policy.text.contains(&format!("Role::\"{r}\"")))
            })
            .map(|policy| policy.id.clone())
            .collect(),
        by: judged.by,
    }
}

/// Why somebody may do an act, or see an entity's attributes, or may not: the policies that decide.
#[utoipa::path(get, path = "/api/v1/policy/why", tag = "policy", security(("session" = ["policy.read"])), params(WhyQuery),
    responses((status = 200, body = Why), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn why(State(app): State<App>, Query(query): Query<WhyQuery>) -> Answer<Json<Why>> {
    app.why(&query).await.map(Json)
}

impl App {
    /// Why somebody may do an act or see an entity's attributes.
    ///
    /// # Errors
    /// 404 for an unknown person or entity; 400 for an unknown act or a bad time.
    pub async fn why(&self, query: &WhyQuery) -> Answer<Why> {
        let at = match query.at.as_deref().filter(|at| !at.is_empty()) {
            Some(at) => Timestamp::parse(at).map_err(ApiError::invalid)?,
            None => self.now(),
        };
        let caller = self.identity.person(&query.username, at).await?;
        let who = caller.who();
        let moment = self.identity.moment(at);
        let purpose = query.purpose.as_deref().filter(|p| !p.is_empty());
        let engine = self.identity.policies().engine();
        let ask = |action: &str, what: &What<'_>| {
            engine
                .judge(&who, action, what, purpose, moment)
                .map_err(ApiError::internal)
        };
        let action = query.action.as_deref().filter(|action| !action.is_empty());
        if let Some(action) = action.filter(|action| !engine.knows(action)) {
            return Err(ApiError::invalid(Problem::new(
                "unknown-permission",
                format!("\"{}\" is no act", quote(action)),
                "action",
                "take one of the acts in the schema",
            )));
        }
        let mut answers = Vec::new();
        let mut entity = None;
        match query.entity_id.as_deref().filter(|id| !id.is_empty()) {
            None => {
                let action = action.unwrap_or(Permission::EntityRead.as_str());
                answers.push(named(&engine, &who, action, ask(action, &What::City)?));
            }
            Some(id) => {
                let id = EntityId::new(id).map_err(ApiError::invalid)?;
                let found = self
                    .twin
                    .get(&id)
                    .ok_or_else(|| ApiError::not_found("entity", &id))?;
                let division = crate::sight::town_of(&self.city, &found);
                let own = crate::entities::text_of(&found, crate::sight::OWNER);
                let kind = found.entity_type.as_str();
                let facts = engine.facts().types.get(kind);
                let view = policy::View::new(
                    engine.clone(),
                    who.clone(),
                    purpose.map(str::to_owned),
                    moment,
                );
                let action = action.unwrap_or(Permission::EntityRead.as_str());
                let wanted = query.attribute.as_deref().filter(|a| !a.is_empty());
                let names: Vec<String> = match wanted {
                    Some(name) => vec![name.to_owned()],
                    None => found.attributes().map(|(n, _)| n.to_string()).collect(),
                };
                for name in names {
                    let what = What::Datum {
                        entity_type: kind,
                        attribute: &name,
                        division: division.as_deref(),
                        owner: own.as_deref(),
                    };
                    let personal = facts.and_then(|known| known.personal.get(&name));
                    let seen = view.of(kind, &name, division.as_deref(), own.as_deref());
                    answers.push(WhyAnswer {
                        personal: Some((*personal.unwrap_or(&"none")).to_owned()),
                        seen: Some(seen.into()),
                        ..named(&engine, &who, action, ask(action, &what)?)
                    });
                    if let Some(last) = answers.last_mut() {
                        last.attribute = Some(name);
                    }
                }
                entity = Some(WhyEntity {
                    id: id.to_string(),
                    r#type: kind.to_owned(),
                    division,
                    owner: own.or_else(|| facts?.owner.clone()),
                });
            }
        }
        let mut ids: Vec<&String> = answers
            .iter()
            .flat_map(|a| a.by.iter().chain(&a.permitted_to_others_by))
            .collect();
        ids.sort();
        ids.dedup();
        let policies = ids.into_iter().filter_map(|id| engine.stated(id));
        Ok(Why {
            policies: policies.map(Into::into).collect(),
            username: caller.username,
            name: caller.name,
            roles: who.roles.clone(),
            organisations: who.organisations.clone(),
            posts: who.posts.clone(),
            hour: moment.hour,
            weekday: moment.weekday,
            entity,
            answers,
        })
    }
}
