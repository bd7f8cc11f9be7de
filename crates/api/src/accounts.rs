//! People's accounts as the administrators have them: the security administrator gives roles (授权), the system
//! administrator opens, closes and gives new passwords. What concerns an administrator's account needs a second person.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::approvals::{self, Done, Order};
use crate::error::{Answer, ApiError};
use crate::paging::PageQuery;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use identity::{Administrator, Asked, DangerousAct, PersonChange, Principal, Role};
use model::Problem;
use records::PageRequest;
use records::users::User;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Groups of a generated password that whoever asked for it gets; whoever approved gets the rest.
const ASKER_GROUPS: usize = 2;

/// A person's account (账号).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountBody {
    /// The user's id.
    pub id: i64,
    /// The name to sign in with.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The role.
    pub role: String,
    /// The organisation's id.
    pub organisation: Option<String>,
    /// Whether sign-in is closed.
    pub disabled: bool,
}

impl From<User> for AccountBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            name: user.name,
            role: user.role,
            organisation: user.organisation_id,
            disabled: user.disabled,
        }
    }
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts {
    /// By age.
    pub items: Vec<AccountBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// A role (角色).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleBody {
    /// Its word.
    pub role: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Whether it is one of the three administrators: giving and taking it needs a second person.
    pub is_administrator: bool,
}

/// The roles.
#[derive(Debug, Serialize, ToSchema)]
pub struct Roles {
    /// In the order of the platform's own table.
    pub items: Vec<RoleBody>,
}

/// Everybody's account, for whoever gives roles.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", security(("session" = ["role.grant"])), params(PageQuery),
    responses((status = 200, body = Accounts)))]
pub async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Accounts>> {
    let page = PageRequest::from(&query);
    let page = app.identity.list_users(None, None, &page).await?;
    Ok(Json(Accounts {
        next: page.next.clone(),
        items: page.items.into_iter().map(Into::into).collect(),
    }))
}

/// The roles that can be given, and what each may do.
#[utoipa::path(get, path = "/api/v1/roles", tag = "accounts", security(("session" = ["role.grant"])),
    responses((status = 200, body = Roles)))]
pub async fn roles() -> Json<Roles> {
    // A machine's role is no person's.
    let items = Role::all().filter(|role| !role.is_of_machines());
    let items = items.map(|role| RoleBody {
        role: role.to_string(),
        permissions: role.permissions().iter().map(ToString::to_string).collect(),
        is_administrator: Administrator::of(role).is_some(),
    });
    Json(Roles {
        items: items.collect(),
    })
}

/// The role that somebody gets.
#[derive(Debug, Deserialize, ToSchema)]
pub struct GrantRole {
    /// Its word; `none` takes every right away.
    pub role: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Whether somebody may sign in.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetAccess {
    /// Whether sign-in is closed.
    pub disabled: bool,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A new password is asked for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ResetPassword {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A new password.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPassword {
    /// Shown this once.
    pub password: String,
}

/// Gives somebody a role, or takes it (`none`). Where it is an administrator's, a second person must agree: 202.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/role", tag = "accounts", security(("session" = ["role.grant"])), params(("id" = i64, Path)),
    request_body = GrantRole, responses((status = 200, body = AccountBody), (status = 202, body = approvals::ApprovalAsked), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn grant(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(given): Json<GrantRole>,
) -> Answer<Response> {
    let role: Role = given.role.parse().map_err(ApiError::invalid)?;
    if role.is_of_machines() {
        return Err(ApiError::invalid(Problem::new(
            "role-of-machines",
            "collector is a machine's role",
            "role",
            "make a token for the machine instead",
        )));
    }
    let change = PersonChange {
        role: Some(role),
        ..PersonChange::default()
    };
    let changed = change_or_ask(&app, &caller, peer, id, &change, &given.reason);
    Ok(changed.await?.into_response())
}

/// Closes or opens somebody's sign-in. For an administrator a second person must agree: 202.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/access", tag = "accounts", security(("session" = ["user.manage"])), params(("id" = i64, Path)),
    request_body = SetAccess, responses((status = 200, body = AccountBody), (status = 202, body = approvals::ApprovalAsked), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn access(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(given): Json<SetAccess>,
) -> Answer<Response> {
    let change = PersonChange {
        disabled: Some(given.disabled),
        ..PersonChange::default()
    };
    let changed = change_or_ask(&app, &caller, peer, id, &change, &given.reason);
    Ok(changed.await?.into_response())
}

/// Gives somebody a new password, which is in this answer and nowhere else. For an administrator a second person must
/// agree (202), and each of the two gets a part of it.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/password", tag = "accounts", security(("session" = ["user.manage"])), params(("id" = i64, Path)),
    request_body = ResetPassword, responses((status = 200, body = NewPassword), (status = 202, body = approvals::ApprovalAsked), (status = 404, body = crate::error::ProblemBody)))]
pub async fn password(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(given): Json<ResetPassword>,
) -> Answer<Response> {
    let user = app.identity.user(id).await?;
    let is_administrator = user
        .role
        .parse()
        .is_ok_and(|role| Administrator::of(role).is_some());
    if !is_administrator {
        let actor = peer.actor(&caller);
        let made = app
            .identity
            .set_password(id, None, &actor, app.now())
            .await?;
        let password = made.password;
        return Ok(Json(NewPassword { password }).into_response());
    }
    let asked = Asked {
        act: DangerousAct::AdministratorPassword,
        target: &format!("user:{id}"),
        body: &PersonChange::default().to_body(&user),
        reason: &given.reason,
    };
    approvals::go(&app, &caller, peer, &asked).await
}

/// What became of a change to somebody's account.
#[derive(Debug)]
pub enum Changed {
    /// It is done.
    Done(User),
    /// A second person is asked: the answer that says so.
    Asked(Response),
}

impl IntoResponse for Changed {
    fn into_response(self) -> Response {
        match self {
            Self::Done(user) => Json(AccountBody::from(user)).into_response(),
            Self::Asked(answer) => answer,
        }
    }
}

/// Changes somebody's account, or asks for it where a second person must agree. Every door that changes people goes
/// through here.
///
/// # Errors
/// As `Identity::change_user`; `approval-one-at-a-time` for what would need two approvals.
pub async fn change_or_ask(
    app: &App,
    caller: &Principal,
    peer: Peer,
    id: i64,
    change: &PersonChange,
    reason: &str,
) -> Answer<Changed> {
    let user = app.identity.user(id).await?;
    match change.dangers(&user)[..] {
        [] => {
            let actor = peer.actor(caller);
            let changed = app.identity.change_user(id, change, &actor, app.now());
            Ok(Changed::Done(changed.await?))
        }
        [act] => {
            // Said before anybody is asked, as far as it can be.
            caller.require(act.asks())?;
            let asked = Asked {
                act,
                target: &format!("user:{id}"),
                body: &change.to_body(&user),
                reason,
            };
            Ok(Changed::Asked(
                approvals::go(app, caller, peer, &asked).await?,
            ))
        }
        _ => Err(ApiError::invalid(Problem::new(
            "approval-one-at-a-time",
            "the role and the account of an administrator are not changed together",
            "role",
            "ask for one after the other",
        ))),
    }
}

/// Changes an account as it was asked for.
pub(crate) async fn change_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let now = app.now();
    let user = match order.approved {
        Some(approved) => app.identity.change_user_approved(approved, now).await?,
        None => {
            let (id, change) = PersonChange::from_body(order.body)?;
            let changed = app.identity.change_user(id, &change, order.actor, now);
            changed.await?
        }
    };
    let closed = if user.disabled { ", closed" } else { "" };
    Ok(Done {
        outcome: format!("{}: {}{closed}", user.username, user.role),
        answer: Some(json!(AccountBody::from(user))),
        for_asker: None,
    })
}

/// Gives an administrator a new password as it was asked for: of two people, neither has the whole of it.
pub(crate) async fn set_password_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let now = app.now();
    let Some(approved) = order.approved else {
        let (id, _) = PersonChange::from_body(order.body)?;
        let made = app.identity.set_password(id, None, order.actor, now);
        let password = made.await?.password;
        return Ok(Done {
            answer: Some(json!(NewPassword { password })),
            ..Done::plain("password set")
        });
    };
    let made = app.identity.set_password_approved(approved, now).await?;
    let groups: Vec<&str> = made.password.split('-').collect();
    let (first, rest) = groups.split_at(ASKER_GROUPS.min(groups.len()));
    Ok(Done {
        outcome: format!("{}: password set", made.user.username),
        answer: Some(json!({"password_part": format!("-{}", rest.join("-"))})),
        for_asker: Some(first.join("-")),
    })
}
