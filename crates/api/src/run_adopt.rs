//! Adopting what a run fitted (采用率定结果): what would change, old beside new, and the change itself, which a person of the
//! department makes. It is told to the city through admission like what people enter, and names the run.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::belongs;
use crate::entities::name_of;
use crate::entries::EntryRefused;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::run_pages::found;
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::Permission;
use model::problem::both;
use model::{EntityId, EntityKind, Problem, Told, Update};
use pack::Packs;
use records::runs::{DONE, Run};
use records::{Event, audit};
use runs::Adopt;
use runs::adopt::Fitted;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// An attribute before and after a run is adopted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunAdoptedAttribute {
    /// Its name.
    pub attribute: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// The value now; null where there is none, or where the caller may not see it.
    pub old: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub old_unit: Option<String>,
    /// The value by the run.
    pub new: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
}

/// What adopting a run changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunAdoption {
    /// The entity.
    pub entity_id: String,
    /// Its type.
    pub entity_type: String,
    /// The type's title in Chinese.
    pub type_title_zh: String,
    /// The type's title in English.
    pub type_title_en: String,
    /// What the entity is called.
    pub entity_name: Option<String>,
    /// Whether the entity is not there yet, and is made.
    pub is_new: bool,
    /// The journal position of the newest of the old values, which `POST …/adopt` wants; 0 where there is none.
    pub seen: u64,
    /// Whether the caller may adopt it.
    pub is_allowed: bool,
    /// The attributes.
    pub attributes: Vec<RunAdoptedAttribute>,
}

/// Adopts a run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunAdoptRequest {
    /// `seen` of what was shown: somebody else may have changed the values meanwhile.
    pub seen: u64,
}

/// What was adopted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunAdopted {
    /// The entity.
    pub entity_id: String,
    /// The journal position of what the city was told.
    pub position: u64,
    /// The attributes that were refused, each with its reason; the others are stored.
    pub refused: Vec<EntryRefused>,
}

/// What a run changes when it is adopted, ready to be told.
struct Proposal {
    run: Run,
    update: Update,
    kind: EntityKind,
    owner: Option<String>,
    there: Option<twin::Entity>,
}

/// A run's declaration, when what it fitted may be adopted: it is done, and by the declaration as it is now.
pub(crate) fn declared<'p>(packs: &'p Packs, run: &Run) -> Option<(&'p str, &'p Adopt)> {
    let (pack, declared) = packs.run(&run.definition_id)?;
    let is_now = i64::from(declared.version) == run.definition_version && run.outcome == DONE;
    Some((pack, declared.adopt.as_ref().filter(|_| is_now)?))
}

impl Proposal {
    async fn of(app: &App, sight: &Arc<Sight>, id: i64) -> Answer<Self> {
        let (run, kept) = found(app, sight, id).await?;
        let packs = app.packs.now();
        let Some((pack, adopt)) = declared(&packs, &run) else {
            return Err(not_adoptable(id));
        };
        let (Some(kept), Some(target), Some(target_type)) =
            (kept, &run.target_id, &run.target_type)
        else {
            return Err(not_adoptable(id));
        };
        let catalogue = app.ingest.catalogue();
        let kind = catalogue.kinds.get(&adopt.entity_type);
        let kind = kind.ok_or_else(|| not_adoptable(id))?.clone();
        let target = EntityId::new(target).map_err(ApiError::invalid)?;
        let report = kept.report().map_err(ApiError::invalid)?;
        let fitted = Fitted {
            id,
            due: run.due_at,
            target: &target,
            target_type,
            engine: &run.engine,
            engine_version: run.engine_version,
            report: &report,
        };
        let update = adopt.update(&kind, fitted, app.now());
        let update = update.map_err(|mut problems| conflict(problems.swap_remove(0)))?;
        let there = app.twin.get(&update.entity_id);
        if there.as_ref().is_some_and(|entity| !sight.sees(entity)) {
            // What may not be seen is not there.
            return Err(ApiError::not_found("entity", &update.entity_id));
        }
        let mut named = packs.packs.iter().filter(|each| each.manifest.name == pack);
        let owner = named.next().and_then(|pack| pack.manifest.owner.clone());
        Ok(Self {
            run,
            update,
            kind,
            owner,
            there,
        })
    }

    /// The newest of what is there now of the attributes.
    fn seen(&self) -> u64 {
        let names = self.update.attributes.iter().map(|a| a.name.as_str());
        let there = names.filter_map(|name| Some(self.there.as_ref()?.attribute(name)?.position));
        there.max().unwrap_or_default()
    }

    fn is_of(&self, caller: &identity::Principal) -> bool {
        let owner = self.owner.as_deref();
        owner.is_none_or(|owner| belongs(caller, owner))
    }

    fn shown(&self, sight: &Sight) -> Vec<RunAdoptedAttribute> {
        let of = |told: &model::AttributeUpdate| {
            let name = told.name.as_str();
            let declared = self.kind.attributes.get(name);
            let title = |of: fn(&model::AttributeKind) -> &String| {
                declared.map_or_else(|| name.to_owned(), |declared| of(declared).clone())
            };
            let id = self.update.entity_id.as_str();
            let is_seen = sight.sees_series(id, &self.kind.name, name);
            let old = self.there.as_ref().filter(|_| is_seen);
            let old = old.and_then(|entity| entity.attribute(name));
            RunAdoptedAttribute {
                attribute: name.to_owned(),
                title_zh: title(|a| &a.title_zh),
                title_en: title(|a| &a.title_en),
                old: old.map_or(serde_json::Value::Null, |old| {
                    old.value.to_value().to_json()
                }),
                old_unit: old.and_then(|old| old.unit.map(str::to_owned)),
                new: told.value.to_json(),
                unit: told.unit.clone(),
            }
        };
        self.update.attributes.iter().map(of).collect()
    }
}

fn conflict(problem: Problem) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, problem)
}

fn not_adoptable(id: i64) -> ApiError {
    let told = Told::new(
        "run-adopt-nothing",
        both(
            format!("第 {id} 号运行没有可采用的结果"),
            format!("nothing of run {id} can be adopted"),
        ),
        both("运行", "run"),
        both(
            "只有已完成、按现行声明运行、且声明了采用内容的才能采用；请按现行声明重新运行",
            "a run must be done, by the declaration as it is now, and that must say what is adopted: run it again",
        ),
    );
    ApiError::told(StatusCode::CONFLICT, told)
}

/// What adopting a run would change: the entity's values beside those of the run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/adoption", tag = "runs", security(("session" = ["run.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = RunAdoption), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn adoption(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Json<RunAdoption>> {
    let proposal = Proposal::of(&app, &sight, id).await?;
    let kind = &proposal.kind;
    let there = proposal.there.as_ref();
    let name = there.filter(|entity| sight.sees_series(entity.id.as_str(), &kind.name, "name"));
    Ok(Json(RunAdoption {
        entity_id: proposal.update.entity_id.to_string(),
        entity_type: kind.name.clone(),
        type_title_zh: kind.title_zh.clone(),
        type_title_en: kind.title_en.clone(),
        entity_name: name.and_then(name_of),
        is_new: there.is_none(),
        seen: proposal.seen(),
        is_allowed: caller.may(Permission::DataEnter) && proposal.is_of(&caller),
        attributes: proposal.shown(&sight),
    }))
}

/// Adopts what a run fitted: its values become the entity's, with the run's name. By people of the department whose pack declares the
/// run, or of the command centre, who may read runs; 409 `run-adopt-changed` when the values changed since they were shown.
#[utoipa::path(post, path = "/api/v1/runs/{id}/adopt", tag = "runs", security(("session" = ["data.enter"])), params(("id" = i64, Path)),
    request_body = RunAdoptRequest,
    responses((status = 200, body = RunAdopted), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn adopt(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
    Json(request): Json<RunAdoptRequest>,
) -> Answer<Json<RunAdopted>> {
    if !caller.may(Permission::RunRead) {
        return Err(ApiError::not_found("run", id));
    }
    let proposal = Proposal::of(&app, &sight, id).await?;
    if !proposal.is_of(&caller) {
        let owner = proposal.owner.as_deref().unwrap_or_default();
        let told = Told::new(
            "forbidden",
            both(
                format!("这个计算任务属于“{owner}”"),
                format!("the run belongs to \"{owner}\""),
            ),
            both("单位", "organisation"),
            both(
                "请该部门或指挥中心办理",
                "ask that department, or the command centre",
            ),
        );
        return Err(ApiError::told(StatusCode::FORBIDDEN, told));
    }
    if proposal.seen() != request.seen {
        let told = Told::new(
            "run-adopt-changed",
            both(
                "现有的值在显示之后有了变化",
                "the values changed since they were shown",
            ),
            both("现有的值", "old values"),
            both("看过新的值以后再采用", "look at them again, then adopt"),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    let Proposal { run, update, .. } = proposal;
    let entity_id = update.entity_id.to_string();
    let names: Vec<&str> = update.attributes.iter().map(|a| a.name.as_str()).collect();
    let detail =
        json!({"definition_id": run.definition_id, "entity_id": entity_id, "attributes": names});
    let (actor, about) = (peer.actor(&caller), format!("run:{id}"));
    let mut write = app.records.write().await?;
    let event = Event::RunAdopt;
    audit::insert(&mut write, app.now(), &actor, event, &about, &detail).await?;
    write.commit().await?;
    let receipt = app.submit_of_run(id, update)?;
    app.durable(receipt.position).await?;
    let mut refused = receipt.problems;
    if receipt.accepted == 0 && !refused.is_empty() {
        return Err(ApiError::invalid(refused.swap_remove(0)));
    }
    Ok(Json(RunAdopted {
        entity_id,
        position: receipt.position,
        refused: refused.into_iter().map(Into::into).collect(),
    }))
}
