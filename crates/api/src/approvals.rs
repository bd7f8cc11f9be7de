//! Dual approval over HTTP (双人审批): a dangerous act is asked for (202, nothing is done), listed, and done in the request of
//! the second person who agrees to it.
//!
//! A handler of a dangerous act calls [`go`] with the content of the act; how it is done once it may be is an arm of
//! [`perform`]. A new act, such as a change of policy or the control of a gate, is a line in `identity::dangerous` and
//! that arm; its handler needs nothing else.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::{accounts, devices, oidc_clients, people, policy_pages, roster, table_imports};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::{Approved, Asked, DangerousAct, Ended, Permission, Principal};
use model::{Problem, problem::quote};
use records::approvals::{Approval, Filter, Status};
use records::{Actor, PageRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// An act that is to be done now.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The act.
    pub act: DangerousAct,
    /// What exactly is to be done.
    pub body: &'a Value,
    /// Who does it, as the trail names it.
    pub actor: &'a Actor,
    /// The approval; `None` where the act needs none here.
    pub approved: Option<&'a Approved>,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// In a few words; never a secret.
    pub outcome: String,
    /// What only whoever's request it was done in is told.
    pub answer: Option<Value>,
    /// What only the asker may have, and fetches once; `None` where there was no second person.
    pub for_asker: Option<String>,
}

impl Done {
    /// Done, and nothing to tell but that.
    pub fn plain(outcome: impl Into<String>) -> Self {
        Self {
            outcome: outcome.into(),
            ..Self::default()
        }
    }
}

/// How each act is done.
async fn perform(app: &App, order: Order<'_>) -> Answer<Done> {
    match order.act {
        DangerousAct::TableRemove => table_imports::remove_now(app, order).await,
        DangerousAct::DeviceRemove => devices::remove_now(app, order).await,
        DangerousAct::OidcKeysEnd => oidc_clients::end_keys_now(app, order).await,
        DangerousAct::PolicyChange => policy_pages::change_now(app, order).await,
        DangerousAct::AdministratorRole | DangerousAct::AdministratorChange => {
            accounts::change_now(app, order).await
        }
        DangerousAct::RosterRoles => roster::give_roles_now(app, order).await,
        DangerousAct::HandOverRoles => people::hand_over_now(app, order).await,
        DangerousAct::AdministratorPassword => accounts::set_password_now(app, order).await,
    }
}

/// Does a dangerous act, or asks for it where a second person must agree (202).
///
/// # Errors
/// As `Identity::ask`, and what the act itself fails with.
pub async fn go(app: &App, caller: &Principal, peer: Peer, asked: &Asked<'_>) -> Answer<Response> {
    if !app.identity.needs_approval(asked.act) {
        let order = Order {
            act: asked.act,
            body: asked.body,
            actor: &peer.actor(caller),
            approved: None,
        };
        let done = perform(app, order).await?;
        return Ok(match done.answer {
            Some(answer) => Json(answer).into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        });
    }
    let approval = ask(app, caller, peer, asked).await?;
    let location = format!("/api/v1/approvals/{}", approval.id);
    let body = ApprovalAsked { approval };
    let headers: [(HeaderName, String); 1] = [(header::LOCATION, location)];
    Ok((StatusCode::ACCEPTED, headers, Json(body)).into_response())
}

/// Asks for a dangerous act, whatever else is done without it.
///
/// # Errors
/// As `Identity::ask`.
pub async fn ask(
    app: &App,
    caller: &Principal,
    peer: Peer,
    asked: &Asked<'_>,
) -> Answer<ApprovalBody> {
    let address = peer.0.to_string();
    let approval = app.identity.ask(caller, asked, &address, app.now()).await?;
    tell(app, &approval);
    Ok(shown(app, caller, approval, false))
}

/// Tells the pages of those who decide.
fn tell(app: &App, approval: &Approval) {
    let data = json!({"id": approval.id, "status": approval.status});
    app.events
        .tell("approval", Permission::ApprovalDecide, data);
}

/// Why something dangerous is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Why {
    /// Why it is asked for: the second person reads it.
    pub reason: Option<String>,
}

impl Why {
    /// As text.
    pub fn text(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}

/// A dangerous act that was asked for (审批).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub struct ApprovalBody {
    /// Counts up from 1.
    pub id: i64,
    /// The act's word.
    pub act: String,
    /// The act's title in Chinese; null for one that this program does not know.
    pub title_zh: Option<String>,
    /// The same in English.
    pub title_en: Option<String>,
    /// To what: `device:…`, `table:…`, `user:3`, …
    pub target: String,
    /// What exactly is to be done.
    pub body: Value,
    /// SM3 over act, target and content, hex: what the second person agrees to.
    pub digest: String,
    /// Why it was asked for; may be empty.
    pub reason: String,
    /// Who asked: the user's id.
    pub asked_by: i64,
    /// The asker's name.
    pub asked_by_name: String,
    /// When.
    pub asked_at: String,
    /// Until when it can be decided on.
    pub expires_at: String,
    /// `pending`, `approved` (being done), `done`, `failed`, `refused`, `withdrawn` or `expired`.
    pub status: String,
    /// Who decided; null for nobody.
    pub decided_by_name: Option<String>,
    /// When it was decided on.
    pub decided_at: Option<String>,
    /// What the second person said.
    pub note: Option<String>,
    /// When it came to its end.
    pub ended_at: Option<String>,
    /// What became of it.
    pub outcome: Option<String>,
    /// The roles that may decide on it.
    pub decides: Vec<String>,
    /// Whether the caller may decide on it now.
    pub can_decide: bool,
    /// Whether the caller may take it back now.
    pub can_withdraw: bool,
    /// Whether a part of the outcome waits for the caller, who fetches it once.
    pub can_collect: bool,
}

fn shown(app: &App, caller: &Principal, row: Approval, can_collect: bool) -> ApprovalBody {
    let act: Option<DangerousAct> = row.act.parse().ok();
    let is_late = row.expires_at <= app.now();
    let is_pending = row.status == Status::Pending.as_str();
    let is_own = caller.user_id() == Some(row.asked_by);
    let waits = is_pending && !is_late;
    let status = if is_pending && is_late {
        Status::Expired.as_str().to_owned()
    } else {
        row.status
    };
    let titles = act.map(DangerousAct::titles);
    ApprovalBody {
        id: row.id,
        act: row.act,
        title_zh: titles.map(|t| t.0.to_owned()),
        title_en: titles.map(|t| t.1.to_owned()),
        target: row.target,
        body: serde_json::from_str(&row.body).unwrap_or(Value::String(row.body)),
        digest: row.digest,
        reason: row.reason,
        asked_by: row.asked_by,
        asked_by_name: row.asked_by_name,
        asked_at: row.asked_at.to_string(),
        expires_at: row.expires_at.to_string(),
        status,
        decided_by_name: row.decided_by_name,
        decided_at: row.decided_at.map(|t| t.to_string()),
        note: row.note,
        ended_at: row.ended_at.map(|t| t.to_string()),
        outcome: row.outcome,
        decides: act
            .iter()
            .flat_map(|act| act.decides())
            .map(ToString::to_string)
            .collect(),
        can_decide: waits && !is_own && act.is_some_and(|a| app.identity.may_decide(caller, a)),
        can_withdraw: waits && is_own,
        can_collect,
    }
}

/// It was asked for; nothing is done before a second person agrees.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalAsked {
    /// What waits.
    pub approval: ApprovalBody,
}

/// It was approved, and done or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalDecided {
    /// How it ended.
    pub approval: ApprovalBody,
    /// What only whoever approved is told, such as half of a new password; null when there is nothing.
    pub answer: Option<Value>,
}

/// Approvals.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalPage {
    /// Newest first.
    pub items: Vec<ApprovalBody>,
    /// The next page's cursor.
    pub next: Option<String>,
    /// How many wait for the caller to decide on.
    pub waiting: i64,
}

/// Which approvals.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct ApprovalQuery {
    /// `mine`, `decide` (those that wait for the caller) or `all`; when not said, all that the caller may see.
    pub which: Option<String>,
    /// That stand so.
    pub status: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

impl ApprovalQuery {
    fn filter(&self, app: &App, caller: &Principal) -> Answer<Filter> {
        // A machine asked for nothing; no person's number is 0.
        let own = Filter {
            asked_by: Some(caller.user_id().unwrap_or(0)),
            ..Filter::default()
        };
        let may_decide = caller.may(Permission::ApprovalDecide);
        let mut filter = match self.which.as_deref() {
            Some("decide") => app.identity.to_decide(caller),
            Some("mine") => own,
            None | Some("" | "all") if may_decide => Filter::default(),
            None | Some("") => own,
            Some("all") => return Err(ApiError::forbidden(Permission::ApprovalDecide.as_str())),
            Some(other) => {
                return Err(ApiError::invalid(Problem::new(
                    "approvals-which",
                    format!("\"{}\" is no choice of approvals", quote(other)),
                    "which",
                    "use mine, decide or all",
                )));
            }
        };
        if let Some(word) = self.status.as_deref().filter(|word| !word.is_empty()) {
            let status = Status::ALL.into_iter().find(|s| s.as_str() == word);
            filter.status = Some(status.ok_or_else(|| {
                let words = Status::ALL.map(Status::as_str).join(", ");
                ApiError::invalid(Problem::new(
                    "approvals-status",
                    format!("\"{}\" is no status of an approval", quote(word)),
                    "status",
                    format!("use one of {words}"),
                ))
            })?);
        }
        Ok(filter)
    }
}

/// What was asked for: one's own, and for those who decide everybody's.
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals", security(("session" = [])), params(ApprovalQuery),
    responses((status = 200, body = ApprovalPage), (status = 400, body = crate::error::ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<ApprovalQuery>,
) -> Answer<Json<ApprovalPage>> {
    let (filter, now) = (query.filter(&app, &caller)?, app.now());
    let request = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let page = app.identity.approvals(&filter, &request, now).await?;
    let waiting = app.identity.to_decide(&caller);
    let waiting = app.identity.count_approvals(&waiting, now).await?;
    let next = page.next.clone();
    let items = page.items.into_iter();
    Ok(Json(ApprovalPage {
        items: items.map(|row| shown(&app, &caller, row, false)).collect(),
        next,
        waiting,
    }))
}

/// One approval, for its asker and those who decide.
#[utoipa::path(get, path = "/api/v1/approvals/{id}", tag = "approvals", security(("session" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = ApprovalBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<i64>,
) -> Answer<Json<ApprovalBody>> {
    let (row, can_collect) = app.identity.approval(&caller, id).await?;
    Ok(Json(shown(&app, &caller, row, can_collect)))
}

/// What a second person agrees to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Approve {
    /// The digest of what was shown.
    pub digest: String,
    /// What the second person says.
    #[serde(default)]
    pub note: String,
}

/// Why not.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Refuse {
    /// What the second person says.
    #[serde(default)]
    pub note: String,
}

/// Approves what another asked for, and does it: exactly that, once. That it could not be done is told in `outcome`.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/approve", tag = "approvals", security(("session" = ["approval.decide"])), params(("id" = i64, Path)),
    request_body = Approve, responses((status = 200, body = ApprovalDecided), (status = 403, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn approve(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(given): Json<Approve>,
) -> Answer<Json<ApprovalDecided>> {
    let address = peer.0.to_string();
    // What was begun is brought to its end, whether or not somebody still waits for the answer.
    let work = tokio::spawn(async move {
        let approved = app
            .identity
            .approve(&caller, id, &given.digest, &given.note, &address, app.now())
            .await?;
        let order = Order {
            act: approved.act(),
            body: approved.body(),
            actor: approved.actor(),
            approved: Some(&approved),
        };
        let (ended, answer) = match perform(&app, order).await {
            Ok(done) => {
                let ended = Ended {
                    done: true,
                    outcome: done.outcome,
                    for_asker: done.for_asker,
                };
                (ended, done.answer)
            }
            Err(error) => {
                let ended = Ended {
                    done: false,
                    outcome: error.in_words(),
                    for_asker: None,
                };
                (ended, None)
            }
        };
        let row = app
            .identity
            .end_approved(&approved, &ended, app.now())
            .await?;
        tell(&app, &row);
        Ok::<_, ApiError>(ApprovalDecided {
            approval: shown(&app, &caller, row, false),
            answer,
        })
    });
    Ok(Json(work.await.map_err(ApiError::internal)??))
}

/// Refuses what another asked for.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/refuse", tag = "approvals", security(("session" = ["approval.decide"])), params(("id" = i64, Path)),
    request_body = Refuse, responses((status = 200, body = ApprovalBody), (status = 403, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn refuse(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(given): Json<Refuse>,
) -> Answer<Json<ApprovalBody>> {
    let address = peer.0.to_string();
    let row = app
        .identity
        .refuse(&caller, id, &given.note, &address, app.now())
        .await?;
    tell(&app, &row);
    Ok(Json(shown(&app, &caller, row, false)))
}

/// Takes back what one asked for.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/withdraw", tag = "approvals", security(("session" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = ApprovalBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn withdraw(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<ApprovalBody>> {
    let address = peer.0.to_string();
    let row = app
        .identity
        .withdraw(&caller, id, &address, app.now())
        .await?;
    tell(&app, &row);
    Ok(Json(shown(&app, &caller, row, false)))
}

/// The asker's part of an outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalPart {
    /// The first half of a new password.
    pub password_part: String,
}

/// Gives the asker their part of the outcome, this once.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/collect", tag = "approvals", security(("session" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = ApprovalPart), (status = 404, body = crate::error::ProblemBody)))]
pub async fn collect(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<ApprovalPart>> {
    let address = peer.0.to_string();
    let password_part = app
        .identity
        .collect(&caller, id, &address, app.now())
        .await?;
    Ok(Json(ApprovalPart { password_part }))
}

/// Tells which ran out, until the platform ends.
pub async fn run(app: App, every: std::time::Duration) {
    let mut ticker = tokio::time::interval(every);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        match app.identity.expire_approvals(app.now()).await {
            Ok(0) => {}
            Ok(_) => app.events.tell(
                "approval",
                Permission::ApprovalDecide,
                json!({"status": Status::Expired.as_str()}),
            ),
            Err(error) => tracing::warn!(%error, "approvals that ran out were not written down"),
        }
    }
}
