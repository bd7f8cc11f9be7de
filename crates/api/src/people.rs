//! People: the list, adding, changing, and handing over the work of who leaves. Their roles and sign-ins are `accounts`.

use crate::access::{Caller, Peer};
use crate::accounts::{self, Changed};
use crate::app::App;
use crate::approvals::{self, Done, Order};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::organisation::or_none;
use crate::paging::PageQuery;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::{
    Approved, Asked, DangerousAct, HandOver, HandOverPlan, Identity, NewPerson, Permission,
    PersonChange, Principal, Role, checks,
};
use model::Timestamp;
use records::handovers::Handover;
use records::posts::{Holder, Post};
use records::users::{PeopleFilter, User};
use records::{Actor, PageRequest, Records, posts, users};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// A post that a person holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonPost {
    /// Names this holding, to end it.
    pub holder_id: i64,
    /// The post's id.
    pub id: String,
    /// The organisation's id.
    pub organisation: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The role that it gives.
    pub role: String,
    /// From when.
    pub from: String,
    /// Until when; null for as long as nobody ends it.
    pub until: Option<String>,
}

/// A person, with the posts that they hold now or later.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonDetail {
    /// The user's id.
    pub id: i64,
    /// What is typed at sign-in.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The main role.
    pub role: String,
    /// The main organisation's id.
    pub organisation: Option<String>,
    /// The telephone number: whole for who manages people and for colleagues, `138****1234` for others.
    pub phone: Option<String>,
    /// Whether sign-in is closed.
    pub disabled: bool,
    /// When the password was last set.
    pub password_set_at: String,
    /// The posts.
    pub posts: Vec<PersonPost>,
}

impl PersonDetail {
    fn new(user: User, held: &[(Holder, Post)], caller: &Principal) -> Self {
        let mine: Vec<&(Holder, Post)> =
            held.iter().filter(|(h, _)| h.user_id == user.id).collect();
        let works_at = |id: &str| {
            user.organisation_id.as_deref() == Some(id)
                || mine.iter().any(|(_, post)| post.organisation_id == id)
        };
        let sees = caller.may(Permission::UserManage)
            || caller.user_id() == Some(user.id)
            || caller.organisations().into_iter().any(works_at);
        Self {
            phone: user.phone.as_deref().map(|phone| match sees {
                true => phone.to_owned(),
                false => checks::masked(phone),
            }),
            posts: mine
                .iter()
                .map(|(holder, post)| PersonPost {
                    holder_id: holder.id,
                    id: post.id.clone(),
                    organisation: post.organisation_id.clone(),
                    title_zh: post.title_zh.clone(),
                    title_en: post.title_en.clone(),
                    role: post.role.clone(),
                    from: holder.from_at.to_string(),
                    until: holder.until_at.map(|at| at.to_string()),
                })
                .collect(),
            id: user.id,
            username: user.username,
            name: user.name,
            role: user.role,
            organisation: user.organisation_id,
            disabled: user.disabled,
            password_set_at: user.password_set_at.to_string(),
        }
    }
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeoplePage {
    /// By id.
    pub items: Vec<PersonDetail>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// Which people.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct PeopleSearch {
    /// Part of the name or of what is typed at sign-in.
    pub q: Option<String>,
    /// Who works in this organisation or holds a post of it.
    pub organisation: Option<String>,
    /// Only those whose sign-in is closed (true) or open (false).
    pub disabled: Option<bool>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Everybody's holdings with their posts.
async fn held(app: &App, user_id: Option<i64>) -> Answer<Vec<(Holder, Post)>> {
    let mut connection = app.records.read().await?;
    let all: BTreeMap<String, Post> = posts::list(&mut connection)
        .await?
        .into_iter()
        .map(|p| (p.id.clone(), p))
        .collect();
    let holders = posts::holders(&mut connection, user_id, app.now()).await?;
    let held = holders.into_iter().filter_map(|holder| {
        let post = all.get(&holder.post_id)?.clone();
        Some((holder, post))
    });
    Ok(held.collect())
}

/// People and the posts that they hold.
#[utoipa::path(get, path = "/api/v1/people", tag = "organisation", security(("session" = ["organisation.read"])), params(PeopleSearch),
    responses((status = 200, body = PeoplePage), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<PeopleSearch>,
) -> Answer<Json<PeoplePage>> {
    let filled = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
    let filter = PeopleFilter {
        text: filled(query.q).map(|q| q.trim().to_owned()),
        organisation_id: filled(query.organisation),
        disabled: query.disabled,
        role: None,
    };
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let found = {
        let mut connection = app.records.read().await?;
        users::search(&mut connection, &filter, app.now(), &page).await?
    };
    let held = held(&app, None).await?;
    let found = found.map(|user| PersonDetail::new(user, &held, &caller));
    Ok(Json(PeoplePage {
        items: found.items,
        next: found.next,
    }))
}

/// A person to add.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PersonDraft {
    /// What is typed at sign-in.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The main organisation's id.
    pub organisation: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
}

/// A person with a password that was made just now and cannot be shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonMade {
    /// The person.
    pub person: PersonDetail,
    /// The password.
    pub password: String,
}

/// Adds a person, who has no role until the security administrator gives one; the password is in this answer alone.
#[utoipa::path(post, path = "/api/v1/people", tag = "organisation", security(("session" = ["user.manage"])), request_body = PersonDraft,
    responses((status = 201, body = PersonMade), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<PersonDraft>,
) -> Answer<(StatusCode, Json<PersonMade>)> {
    let person = NewPerson {
        username: draft.username,
        name: draft.name,
        role: Role::None,
        organisation_id: draft.organisation.filter(|o| !o.is_empty()),
        password: None,
    };
    let actor = peer.actor(&caller);
    let made = app
        .identity
        .create_person(&person, draft.phone.as_deref(), &actor, app.now())
        .await?;
    let person = PersonDetail::new(made.user, &[], &caller);
    let password = made.password;
    Ok((StatusCode::CREATED, Json(PersonMade { person, password })))
}

/// What to change of a person; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PersonChange)]
pub struct PersonChangeBody {
    /// The person's name.
    pub name: Option<String>,
    /// The main organisation's id; an empty text takes it away.
    pub organisation: Option<String>,
    /// The telephone number; an empty text takes it away.
    pub phone: Option<String>,
}

/// Changes what is known of a person; role, sign-in and password are the account's. For an administrator a second person must
/// agree: 202.
#[utoipa::path(patch, path = "/api/v1/people/{id}", tag = "organisation", security(("session" = ["user.manage"])), params(("id" = i64, Path)),
    request_body = PersonChangeBody,
    responses((status = 200, body = PersonDetail), (status = 202, body = approvals::ApprovalAsked), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(body): Json<PersonChangeBody>,
) -> Answer<Response> {
    let change = PersonChange {
        name: body.name,
        organisation_id: or_none(body.organisation),
        phone: or_none(body.phone),
        ..PersonChange::default()
    };
    match accounts::change_or_ask(&app, &caller, peer, id, &change, "").await? {
        Changed::Done(user) => {
            let held = held(&app, Some(id)).await?;
            Ok(Json(PersonDetail::new(user, &held, &caller)).into_response())
        }
        Changed::Asked(answer) => Ok(answer),
    }
}

/// How a person leaves.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct HandOverDraft {
    /// Who goes on with the work, by the user's id; may be left out when there is none.
    pub to: Option<i64>,
    /// The organisation that the person moves to; sign-in is closed when left out.
    pub move_to: Option<String>,
    /// The main role there; as it is when left out.
    pub move_role: Option<String>,
    /// The posts, by id, that the successor holds from now on; the others end.
    #[serde(default)]
    pub give_posts: Vec<String>,
    /// Whether the successor may be of another organisation.
    #[serde(default)]
    pub across: bool,
    /// What is said about it.
    #[serde(default)]
    pub note: String,
}

impl HandOverDraft {
    fn asked(self, from: i64) -> Answer<HandOver> {
        let filled = |text: Option<String>| text.filter(|t| !t.is_empty());
        let role = filled(self.move_role)
            .map(|r| r.parse::<Role>())
            .transpose();
        Ok(HandOver {
            from,
            to: self.to,
            move_to: filled(self.move_to),
            move_role: role.map_err(ApiError::invalid)?,
            give_posts: self.give_posts,
            across: self.across,
            note: self.note,
        })
    }
}

/// A case that goes to the successor.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseMoved {
    /// The case's id.
    pub id: i64,
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: String,
    /// `info`, `minor`, `major` or `critical`.
    pub severity: String,
}

/// A post of who leaves.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostLeft {
    /// The post's id.
    pub id: String,
    /// The organisation's id.
    pub organisation: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Whether the successor holds it from then on; otherwise it ends.
    pub is_given: bool,
}

/// What a hand-over moves.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandOverReport {
    /// Its number, once it is done.
    pub id: Option<i64>,
    /// When it was done.
    pub at: Option<String>,
    /// Who leaves.
    pub from_name: String,
    /// Who goes on.
    pub to_name: Option<String>,
    /// Whether sign-in is closed; otherwise the person moves.
    pub closes: bool,
    /// The open cases that go to the successor.
    pub cases: Vec<CaseMoved>,
    /// The posts that end or pass on.
    pub posts: Vec<PostLeft>,
    /// Sessions that end.
    pub sessions: u64,
    /// Sign-ins at other systems that end.
    pub sign_ins: u64,
    /// Turns of duty that are not over: they are open (空缺) until the roster's keeper gives them to others.
    pub turns: u64,
}

impl HandOverReport {
    /// The report of a plan, and of what was done when it was.
    pub fn new(asked: &HandOver, plan: &HandOverPlan, done: Option<&Handover>) -> Self {
        Self {
            id: done.map(|d| d.id),
            at: done.map(|d| d.at.to_string()),
            from_name: plan.from.name.clone(),
            to_name: plan.to.as_ref().map(|u| u.name.clone()),
            closes: asked.move_to.is_none(),
            cases: plan
                .cases
                .iter()
                .map(|case| CaseMoved {
                    id: case.id,
                    number: case.number.clone(),
                    title: case.title.clone(),
                    state: case.state.clone(),
                    severity: case.severity.clone(),
                })
                .collect(),
            posts: plan
                .posts
                .iter()
                .map(|left| PostLeft {
                    id: left.post.id.clone(),
                    organisation: left.post.organisation_id.clone(),
                    title_zh: left.post.title_zh.clone(),
                    title_en: left.post.title_en.clone(),
                    is_given: left.is_given,
                })
                .collect(),
            sessions: plan.sessions,
            sign_ins: plan.sign_ins as u64,
            turns: plan.turns as u64,
        }
    }
}

/// Hands a person's work over in one transaction: what is identity's and the cases. Whoever tells other systems of ended
/// sign-ins is to be woken behind it.
///
/// # Errors
/// As [`Identity::plan_hand_over`].
pub async fn hand_over(
    (records, identity): (&Records, &Identity),
    asked: &HandOver,
    (actor, approved): (&Actor, Option<&Approved>),
    now: Timestamp,
) -> records::Result<(HandOverPlan, Handover)> {
    let mut write = records.write().await?;
    let plan = identity.plan_hand_over(&mut write, asked, now).await?;
    let moved = match &plan.to {
        Some(to) => cases::hand_over(&mut write, &plan.from, to, actor, now).await?,
        None => Vec::new(),
    };
    let done = identity
        .hand_over(&mut write, (asked, &plan), &moved, (actor, approved), now)
        .await?;
    write.commit().await?;
    Ok((plan, done))
}

/// What a hand-over would do, or why it cannot be done. Nothing is written.
#[utoipa::path(post, path = "/api/v1/people/{id}/handover/preview", tag = "organisation", security(("session" = ["user.manage"])),
    params(("id" = i64, Path)), request_body = HandOverDraft,
    responses((status = 200, body = HandOverReport), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn preview(
    State(app): State<App>,
    Path(id): Path<i64>,
    Json(draft): Json<HandOverDraft>,
) -> Answer<Json<HandOverReport>> {
    let asked = draft.asked(id)?;
    let mut connection = app.records.read().await?;
    let plan = app
        .identity
        .plan_hand_over(&mut connection, &asked, app.now())
        .await?;
    Ok(Json(HandOverReport::new(&asked, &plan, None)))
}

/// Hands over the work of a person who leaves: sign-in is closed or the person moves, sessions and sign-ins at other systems
/// end, posts end or pass on, and the open cases go to the successor; all of it or nothing. Where a post passes on or the
/// person gets another role, the security administrator must agree: 202.
#[utoipa::path(post, path = "/api/v1/people/{id}/handover", tag = "organisation", security(("session" = ["user.manage"])),
    params(("id" = i64, Path)), request_body = HandOverDraft,
    responses((status = 201, body = HandOverReport), (status = 202, body = approvals::ApprovalAsked), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn do_hand_over(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(draft): Json<HandOverDraft>,
) -> Answer<Response> {
    let asked = draft.clone().asked(id)?;
    let act = DangerousAct::HandOverRoles;
    let must_ask = asked.gives_roles() && !caller.may(Permission::RoleGrant);
    if must_ask && caller.user_id().is_some() && app.identity.needs_approval(act) {
        // Said before anybody is asked, as far as it can be.
        let plan = {
            let mut connection = app.records.read().await?;
            let plan = app
                .identity
                .plan_hand_over(&mut connection, &asked, app.now());
            plan.await?
        };
        let body = HandOverAsked {
            from: id,
            from_name: plan.from.name,
            to_name: plan.to.map(|user| user.name),
            draft,
        };
        let asked = Asked {
            act,
            target: &format!("user:{id}"),
            body: &json!(body),
            reason: &body.draft.note,
        };
        return approvals::go(&app, &caller, peer, &asked).await;
    }
    let actor = peer.actor(&caller);
    let stores = (&app.records, &app.identity);
    let (plan, done) = hand_over(stores, &asked, (&actor, None), app.now()).await?;
    app.oidc.wake.notify_one();
    let report = HandOverReport::new(&asked, &plan, Some(&done));
    Ok((StatusCode::CREATED, Json(report)).into_response())
}

/// What the security administrator is shown of a hand-over, and what is then done.
#[derive(Debug, Serialize, Deserialize)]
struct HandOverAsked {
    from: i64,
    from_name: String,
    to_name: Option<String>,
    #[serde(flatten)]
    draft: HandOverDraft,
}

/// Hands over as two people agreed to it.
pub(crate) async fn hand_over_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let asked: HandOverAsked =
        serde_json::from_value(order.body.clone()).map_err(ApiError::internal)?;
    let asked = asked.draft.asked(asked.from)?;
    let stores = (&app.records, &app.identity);
    let by = (order.actor, order.approved);
    let (plan, done) = hand_over(stores, &asked, by, app.now()).await?;
    app.oidc.wake.notify_one();
    let (cases, posts) = (plan.cases.len(), plan.posts.len());
    Ok(Done {
        answer: Some(json!(HandOverReport::new(&asked, &plan, Some(&done)))),
        ..Done::plain(format!("{}: {cases} cases, {posts} posts", plan.from.name))
    })
}

/// A hand-over that was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandOverDone {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: String,
    /// Who left, by id.
    pub from_id: i64,
    /// Who goes on, by id.
    pub to_id: Option<i64>,
    /// Who did it.
    pub by: String,
    /// The organisation moved to; null when sign-in was closed.
    pub moved_to: Option<String>,
    /// What was said about it.
    pub note: String,
    /// What moved.
    #[schema(value_type = Object)]
    pub report: serde_json::Value,
}

/// Hand-overs.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandOvers {
    /// Newest first.
    pub items: Vec<HandOverDone>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// The hand-overs that were done, newest first.
#[utoipa::path(get, path = "/api/v1/handovers", tag = "organisation", security(("session" = ["user.manage"])), params(PageQuery),
    responses((status = 200, body = HandOvers), (status = 400, body = ProblemBody)))]
pub async fn hand_overs(
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Answer<Json<HandOvers>> {
    let found = app.identity.list_hand_overs(&(&page).into()).await?;
    let found = found.map(|row| HandOverDone {
        id: row.id,
        at: row.at.to_string(),
        from_id: row.from_id,
        to_id: row.to_id,
        by: row.by_name,
        moved_to: row.moved_to,
        note: row.note,
        report: row.report,
    });
    Ok(Json(HandOvers {
        items: found.items,
        next: found.next,
    }))
}
