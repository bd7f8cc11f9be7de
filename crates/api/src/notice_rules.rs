//! Who is told of what (通知规则), for those who administer it; the channels' health, and what could not be sent.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::notifications::{desk, may_see, renewed, told_of};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::Problem;
use notice::{Reach, Rule};
use records::notices::{self, MessageFilter, PAGE};
use records::{Event as Act, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Time over which a channel's health is counted, seconds.
const HEALTH_SECONDS: i64 = 24 * 3_600;
/// Most rules of a city.
pub const RULES_MAX: usize = 500;

/// A rule of who is told of what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeRule)]
pub struct RuleBody {
    /// Its id.
    pub id: String,
    /// The rule as written: docs/notice.md says what it can hold.
    #[schema(value_type = Object)]
    pub rule: serde_json::Value,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: String,
    /// Who changed it.
    pub updated_by: String,
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeChannel)]
pub struct ChannelBody {
    /// Its id.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// `page`, `email`, `phone` or `system`.
    pub reach: String,
    /// Messages of the last 24 hours that wait.
    pub waiting: i64,
    /// That were taken, arrived or were read.
    pub sent: i64,
    /// That were given up or too late.
    pub failed: i64,
}

/// The rules and the channels.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeRules {
    /// By id.
    pub items: Vec<RuleBody>,
    /// The channels that rules may name.
    pub channels: Vec<ChannelBody>,
}

/// The rules of who is told of what, and the channels with their health.
#[utoipa::path(get, path = "/api/v1/notice-rules", tag = "notifications", security(("session" = ["notice.manage"])),
    responses((status = 200, body = NoticeRules)))]
pub async fn list(State(app): State<App>) -> Answer<Json<NoticeRules>> {
    let desk = desk(&app)?;
    let mut read = app.records.read().await?;
    let rows = notices::rules(&mut read).await?;
    let since = app.now().plus_seconds(-HEALTH_SECONDS);
    let counts = notices::counts(&mut read, since).await?;
    let of = |channel: &str, states: &[&str]| {
        let these = counts.iter();
        let these = these.filter(|(c, s, _)| c == channel && states.contains(&s.as_str()));
        these.map(|(_, _, n)| n).sum()
    };
    let channels = desk.office.channel_ids().into_iter().map(|id| {
        let (zh, en) = match desk.titles.get(id) {
            Some(titles) => titles.clone(),
            None => ("页面".to_owned(), "the pages".to_owned()),
        };
        ChannelBody {
            title_zh: zh,
            title_en: en,
            reach: match desk.office.reach(id) {
                None => PAGE,
                Some(Reach::Email) => "email",
                Some(Reach::Phone) => "phone",
                Some(Reach::System) => "system",
            }
            .to_owned(),
            waiting: of(id, &[notices::QUEUED]),
            sent: of(id, &[notices::SENT, notices::DELIVERED, notices::READ]),
            failed: of(id, &[notices::FAILED, notices::EXPIRED]),
            id: id.to_owned(),
        }
    });
    let channels = channels.collect();
    let items = rows.into_iter().map(|row| RuleBody {
        id: row.id,
        rule: row.document,
        version: row.version,
        updated_at: row.updated_at.to_string(),
        updated_by: row.updated_by,
    });
    Ok(Json(NoticeRules {
        items: items.collect(),
        channels,
    }))
}

fn understood(app: &App, id: Option<&str>, written: serde_json::Value) -> Answer<Rule> {
    let rule: Rule = serde_json::from_value(written).map_err(|error| {
        let mend = "write the rule as docs/notice.md says";
        ApiError::invalid(Problem::new("notice-rule", error.to_string(), "rule", mend))
    })?;
    if id.is_some_and(|id| id != rule.id) {
        let what = "the rule's id is not that of its address";
        return Err(ApiError::invalid(Problem::new(
            "notice-rule",
            what,
            "id",
            "use the same id in both",
        )));
    }
    match desk(app)?.office.check(&rule).into_iter().next() {
        Some(problem) => Err(ApiError::invalid(problem)),
        None => Ok(rule),
    }
}

/// A rule.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NoticeRuleDraft {
    /// The rule as written: docs/notice.md says what it can hold.
    #[schema(value_type = Object)]
    pub rule: serde_json::Value,
}

/// What version it has now.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeRulePut {
    /// That one.
    pub version: i64,
}

/// Adds a rule or changes it.
#[utoipa::path(put, path = "/api/v1/notice-rules/{id}", tag = "notifications", security(("session" = ["notice.manage"])),
    params(("id" = String, Path)), request_body = NoticeRuleDraft,
    responses((status = 200, body = NoticeRulePut), (status = 400, body = crate::error::ProblemBody)))]
pub async fn put(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    Json(draft): Json<NoticeRuleDraft>,
) -> Answer<Json<NoticeRulePut>> {
    let rule = understood(&app, Some(&id), draft.rule)?;
    let now = app.now();
    let mut write = app.records.write().await?;
    let there = notices::rules(&mut write).await?;
    if there.len() >= RULES_MAX && there.iter().all(|row| row.id != id) {
        let what = format!("there are {RULES_MAX} rules already");
        let problem = Problem::new(
            "notice-rule",
            what,
            "id",
            "take one away that is not needed",
        );
        return Err(ApiError::invalid(problem));
    }
    let actor = peer.actor(&caller);
    let version = notices::put_rule(&mut write, &id, &json!(rule), &actor.name, now).await?;
    let (target, detail) = (
        format!("notice-rule:{id}"),
        json!({"version": version, "enabled": rule.enabled}),
    );
    audit::insert(
        &mut write,
        now,
        &actor,
        Act::NoticeRulePut,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(Json(NoticeRulePut { version }))
}

/// Takes a rule away; levels that still wait for an answer are told no more.
#[utoipa::path(delete, path = "/api/v1/notice-rules/{id}", tag = "notifications", security(("session" = ["notice.manage"])),
    params(("id" = String, Path)), responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let mut write = app.records.write().await?;
    if !notices::remove_rule(&mut write, &id).await? {
        return Err(ApiError::not_found(
            "notice rule",
            model::problem::quote(&id),
        ));
    }
    let (target, actor) = (format!("notice-rule:{id}"), peer.actor(&caller));
    audit::insert(
        &mut write,
        app.now(),
        &actor,
        Act::NoticeRuleRemove,
        &target,
        &json!({}),
    )
    .await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a rule is tried on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NoticePreviewDraft {
    /// The rule as written.
    #[schema(value_type = Object)]
    pub rule: serde_json::Value,
    /// An alert that there was; the newest when none is named.
    pub alert_id: Option<i64>,
}

/// Who would be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticePreview {
    /// What it was tried on, in Chinese; empty when there is no alert yet.
    pub event_zh: String,
    /// The same in English.
    pub event_en: String,
    /// Whether the rule is about that event.
    pub matches: bool,
    /// The levels, in order.
    pub levels: Vec<NoticePreviewLevel>,
}

/// Whom a level would tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticePreviewLevel {
    /// The people.
    pub people: Vec<NoticePreviewPerson>,
}

/// A person whom a rule names.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticePreviewPerson {
    /// The name.
    pub name: String,
    /// Whether they may see what the event tells; who may not is not told.
    pub sees: bool,
    /// Whether they proved an e-mail address.
    pub has_email: bool,
    /// Whether they have a telephone number.
    pub has_phone: bool,
}

/// Says who would be told by a rule, tried on an alert that there was; nothing is sent.
#[utoipa::path(post, path = "/api/v1/notice-rules/preview", tag = "notifications", security(("session" = ["notice.manage"])),
    request_body = NoticePreviewDraft,
    responses((status = 200, body = NoticePreview), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn preview(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(draft): Json<NoticePreviewDraft>,
) -> Answer<Json<NoticePreview>> {
    let mut rule = understood(&app, None, draft.rule)?;
    // One tries it before one switches it on.
    rule.enabled = true;
    let office = &desk(&app)?.office;
    let mut read = app.records.read().await?;
    let alert = match draft.alert_id {
        Some(id) => {
            let found = records::alerts::get(&mut read, id).await?;
            Some(found.ok_or_else(|| ApiError::not_found("alert", id))?)
        }
        None => {
            let page = PageRequest {
                after: None,
                limit: Some(1),
            };
            let filter = records::alerts::AlertFilter::default();
            records::alerts::list(&mut read, &filter, &page)
                .await?
                .items
                .pop()
        }
    };
    drop(read);
    let mut event = alert.as_ref().map(|alert| office.of_alert(alert));
    event = event.filter(|event| may_see(&app, &caller, event));
    let event = event.unwrap_or_default();
    let mut levels = Vec::new();
    for level in office.preview(&rule, &event, app.now()).await? {
        let mut people = Vec::new();
        for (user, sees) in level {
            people.push(NoticePreviewPerson {
                sees: sees || event.kind.is_empty(),
                has_email: app.contact_of(user.id, "email").await.is_some(),
                has_phone: app.contact_of(user.id, "phone").await.is_some(),
                name: user.name,
            });
        }
        levels.push(NoticePreviewLevel { people });
    }
    Ok(Json(NoticePreview {
        matches: rule.matches(&event),
        event_zh: event.title_zh,
        event_en: event.title_en,
        levels,
    }))
}

/// A message of the outbox.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeMessage)]
pub struct MessageBody {
    /// Its number.
    pub id: i64,
    /// What it tells of, in Chinese; `null` when the caller may not see that.
    pub title_zh: Option<String>,
    /// The same in English.
    pub title_en: Option<String>,
    /// The channel.
    pub channel: String,
    /// Who is told; `null` when the channel is a system's.
    pub person: Option<String>,
    /// The rule.
    pub rule_id: String,
    /// Its level, from 1.
    pub level: i64,
    /// `queued`, `sent`, `delivered`, `read`, `failed`, `expired` or `folded`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, while it is queued.
    pub next_at: Option<String>,
    /// When it was planned.
    pub created_at: String,
    /// When its gateway took it.
    pub sent_at: Option<String>,
    /// Why it could not be sent the last time.
    pub error: Option<String>,
}

/// A page of the outbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeMessages {
    /// Newest first.
    pub items: Vec<MessageBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
pub struct MessagesQuery {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this channel.
    pub channel: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// The outbox (发件箱): what was or is to be sent outside, newest first.
#[utoipa::path(get, path = "/api/v1/notice-messages", tag = "notifications", security(("session" = ["notice.manage"])), params(MessagesQuery),
    responses((status = 200, body = NoticeMessages), (status = 400, body = crate::error::ProblemBody)))]
pub async fn messages(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<MessagesQuery>,
) -> Answer<Json<NoticeMessages>> {
    let filter = MessageFilter {
        channel: query.channel,
        state: query.state,
        outside: true,
        ..MessageFilter::default()
    };
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut read = app.records.read().await?;
    let found = notices::messages(&mut read, &filter, &page).await?;
    let mut items = Vec::new();
    for message in found.items {
        let told = told_of(&app, &mut read, &caller, &message).await?;
        let row = told.filter(|told| told.sees).map(|told| told.row);
        let person = match message.user_id {
            Some(id) => records::users::get(&mut read, id)
                .await?
                .map(|user| user.name),
            None => None,
        };
        let is_queued = message.state == notices::QUEUED;
        items.push(MessageBody {
            id: message.id,
            title_zh: row.as_ref().map(|row| row.title_zh.clone()),
            title_en: row.map(|row| row.title_en),
            channel: message.channel,
            person,
            rule_id: message.rule_id,
            level: message.level + 1,
            state: message.state,
            attempts: message.attempts,
            next_at: is_queued.then(|| message.next_at.to_string()),
            created_at: message.created_at.to_string(),
            sent_at: message.sent_at.map(|t| t.to_string()),
            error: message.error,
        });
    }
    Ok(Json(NoticeMessages {
        items,
        next: found.next,
    }))
}

/// Sends a message once more that was given up or too late.
#[utoipa::path(post, path = "/api/v1/notice-messages/{id}/retry", tag = "notifications", security(("session" = ["notice.manage"])),
    params(("id" = i64, Path)), responses((status = 204), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn retry(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    let now = app.now();
    let mut write = app.records.write().await?;
    let message = notices::message(&mut write, id).await?;
    let message = message.ok_or_else(|| ApiError::not_found("message", id))?;
    if !notices::retry(&mut write, id, renewed(now), now).await? {
        let what = format!("it is {}", message.state);
        let problem = Problem::new(
            "notice-state",
            what,
            "id",
            "only what failed or expired is sent once more",
        );
        return Err(ApiError::new(StatusCode::CONFLICT, problem));
    }
    let (target, detail) = (
        format!("notice-message:{id}"),
        json!({"channel": message.channel}),
    );
    audit::insert(
        &mut write,
        now,
        &peer.actor(&caller),
        Act::NoticeRetry,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    desk(&app)?.wake.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
