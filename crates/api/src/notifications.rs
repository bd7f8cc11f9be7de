//! A person's notices (我的通知): what they were told of, taking note of it, how they are reached and when they are left in peace; and
//! the doors where gateways bring their receipts and where a link out of a message leads.

use crate::access::{Caller, Peer};
use crate::affected::retain_seen;
use crate::app::App;
use crate::duty::belongs;
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Permission, Principal, secret};
use model::problem::both;
use model::{MaskKind, Problem, Timestamp, Told, Value, problem::quote};
use notice::affected::{lines_en, lines_zh};
use notice::event::{PLAN_SUGGESTED, TURNS_OPEN};
use notice::{Event, NotSent, Office, Outgoing, Reach};
use records::notices::{self, Contact, Message, MessageFilter, PAGE};
use records::{Event as Act, Failure, PageRequest, audit};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A code that proves a contact is good for so long, seconds.
pub const CODE_SECONDS: i64 = 600;
/// Wrong codes after which it is good no more.
pub const CODE_TRIES_MAX: i64 = 5;
/// Between two codes to one contact, seconds.
pub const CODE_EVERY_SECONDS: i64 = 60;
/// Longest e-mail address, characters (RFC 5321, 4.5.3.1.3).
const EMAIL_CHARS_MAX: usize = 254;
/// Bytes of a link's signature.
const LINK_BYTES: usize = 16;

/// How the pages and doors of notices work in this city.
pub struct Desk {
    /// Plans and sends.
    pub office: Arc<Office>,
    /// Signs links.
    pub links: Links,
    /// Who may bring receipts, by the channel's id.
    pub receipts: BTreeMap<String, ReceiptDoor>,
    /// Titles of the channels in Chinese and English, by id.
    pub titles: BTreeMap<String, (String, String)>,
    /// Wakes whoever sends.
    pub wake: Arc<tokio::sync::Notify>,
}

/// How the receipts of a gateway read.
#[derive(Clone, Debug)]
pub struct ReceiptDoor {
    /// What the gateway's address of it holds.
    pub secret: records::Secret,
    /// JSON pointer to what it calls the message.
    pub id_path: String,
    /// JSON pointer to what became of it.
    pub state_path: String,
    /// The values there that say it arrived.
    pub arrived: Vec<String>,
}

/// Links out of messages, by which a person takes note.
pub struct Links {
    key: hmac::Key,
    origin: Option<String>,
    /// Whether a link is enough, without signing in.
    pub without_sign_in: bool,
}

impl Links {
    /// `key` are secret bytes; `origin` the address under which people reach the city.
    pub fn new(key: &[u8], origin: Option<String>, without_sign_in: bool) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            origin,
            without_sign_in,
        }
    }

    /// Where a person takes note of a message; `None` where the city has no address. The same each time.
    pub fn make(&self, message: &Message) -> Option<String> {
        let origin = self.origin.as_deref()?.trim_end_matches('/');
        Some(match self.without_sign_in {
            true => format!("{origin}/acknowledge/{}", self.token(message)),
            false => format!("{origin}/notifications?notice={}", message.id),
        })
    }

    fn token(&self, message: &Message) -> String {
        let tag = hmac::sign(&self.key, signed(message).as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(&tag.as_ref()[..LINK_BYTES]);
        format!("{}.{tag}", message.id)
    }

    /// The message that a token names, before anybody looked whether it is its own.
    fn id_of(token: &str) -> Option<i64> {
        token.split_once('.')?.0.parse().ok()
    }
}

/// A link holds for one message to one person.
fn signed(message: &Message) -> String {
    format!(
        "acknowledge:{}:{}:{:?}",
        message.id, message.key, message.user_id
    )
}

/// Whether a person may see what an event tells.
pub fn may_see(app: &App, caller: &Principal, event: &Event) -> bool {
    if event.kind.starts_with("security.") {
        return caller.may(Permission::AuditRead) || caller.may(Permission::SecurityRead);
    }
    if event.activation_id.is_some() || event.kind == PLAN_SUGGESTED {
        return caller.may(Permission::DutyRead);
    }
    if event.kind == TURNS_OPEN {
        let organisation = event.organisation_id.as_deref().unwrap_or_default();
        return caller.may(Permission::DutyRead) && belongs(caller, organisation);
    }
    let sight = app.sight(caller, None);
    if event.case_id.is_some() {
        return caller.may(Permission::CaseRead)
            && sight.sees_case(event.organisation_id.as_deref());
    }
    match (&event.entity_id, &event.entity_type, &event.attribute) {
        (Some(id), Some(kind), Some(attribute)) => {
            caller.may(Permission::AlertRead) && sight.sees_series(id, kind, attribute)
        }
        _ => false,
    }
}

/// A notice of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationBody {
    /// Its number.
    pub id: i64,
    /// What kind of event: `alert.raised`, `case.dispatch`, …
    pub kind: String,
    /// How grave it is.
    #[schema(value_type = crate::words::Severity)]
    pub severity: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What happened, in English.
    pub title_en: String,
    /// What of it affects whom, in Chinese, a line each: what the person answers for first.
    pub affected_zh: Vec<String>,
    /// The same in English.
    pub affected_en: Vec<String>,
    /// The doubt that arose about its alert after it was raised, and that is there now.
    pub doubt: Option<crate::alerts::AlertDoubt>,
    /// When it happened.
    pub at: String,
    /// When the person was told.
    pub told_at: String,
    /// When they took note.
    pub read_at: Option<String>,
    /// The page that shows it.
    pub path: String,
    /// From 1: above 1, nobody before had answered.
    pub level: i64,
}

/// A page of notices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notifications {
    /// Newest first.
    pub items: Vec<NotificationBody>,
    /// The next page's cursor.
    pub next: Option<String>,
    /// How many the person took no note of.
    pub unread: i64,
}

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
pub struct NotificationsQuery {
    /// Only those of which the person took no note.
    pub unread: Option<bool>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

pub(crate) fn person(caller: &Principal) -> Answer<i64> {
    caller.user_id().ok_or_else(|| {
        let told = Told::new(
            "notice-person",
            both("只有人才有通知", "only a person has notices"),
            "session",
            both("请登录后再试", "sign in as a person"),
        );
        ApiError::told(StatusCode::BAD_REQUEST, told)
    })
}

pub(crate) fn desk(app: &App) -> Answer<&Desk> {
    app.notifications.get().ok_or_else(ApiError::not_ready)
}

/// What a message tells of.
pub(crate) struct Subject {
    /// The event as it is kept.
    pub row: records::notices::EventRow,
    /// What its document says.
    pub event: Event,
    /// Whether the reader may see it (still).
    pub sees: bool,
}

/// What a message tells of, to whoever reads it; `None` when that is not kept any more.
pub(crate) async fn told_of(
    app: &App,
    read: &mut records::Connection,
    reader: &Principal,
    message: &Message,
) -> Answer<Option<Subject>> {
    let Some(row) = notices::event(read, message.event_id).await? else {
        return Ok(None);
    };
    let event: Event = serde_json::from_value(row.document.clone()).unwrap_or_default();
    let sees = may_see(app, reader, &event);
    Ok(Some(Subject { row, event, sees }))
}

/// The caller's notices, newest first.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", security(("session" = [])), params(NotificationsQuery),
    responses((status = 200, body = Notifications), (status = 400, body = crate::error::ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<NotificationsQuery>,
) -> Answer<Json<Notifications>> {
    let user_id = person(&caller)?;
    let filter = MessageFilter {
        user_id: Some(user_id),
        channel: Some(PAGE.to_owned()),
        unread: query.unread.unwrap_or(false),
        ..MessageFilter::default()
    };
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut read = app.records.read().await?;
    // Counted first: whatever is counted is on the list, also when a notice comes between the two looks.
    let unread = notices::unread(&mut read, user_id).await?;
    let found = notices::messages(&mut read, &filter, &page).await?;
    let mut items = Vec::new();
    for message in found.items {
        let Some(told) = told_of(&app, &mut read, &caller, &message).await? else {
            continue;
        };
        // What one may not see any more, one was told of all the same: not what, that it was.
        let Subject {
            row,
            mut event,
            sees,
        } = told;
        match sees {
            true if event.affected.is_empty() => {}
            true => retain_seen(&app, &app.sight(&caller, None), &mut event.affected),
            false => event.affected.clear(),
        }
        let doubt = match sees {
            true => {
                let rule = event.alert_rule.as_deref();
                let says = rule.and_then(|rule| app.doubting(rule));
                notice::doubt::of_event(&mut read, &event, says).await?
            }
            false => None,
        };
        let shown = |title: String, hidden: &str| if sees { title } else { hidden.to_owned() };
        items.push(NotificationBody {
            id: message.id,
            kind: event.kind.clone(),
            severity: event.severity.clone(),
            title_zh: shown(row.title_zh, "（无权查看）"),
            title_en: shown(row.title_en, "(not for you to see any more)"),
            affected_zh: lines_zh(&event.affected, Some(user_id)),
            affected_en: lines_en(&event.affected, Some(user_id)),
            doubt: doubt.map(Into::into),
            at: row.at.to_string(),
            told_at: message.created_at.to_string(),
            read_at: message.read_at.map(|t| t.to_string()),
            path: if sees {
                event.path()
            } else {
                "/notifications".to_owned()
            },
            level: message.level + 1,
        });
    }
    Ok(Json(Notifications {
        items,
        next: found.next,
        unread,
    }))
}

/// How many notices a person took no note of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unread {
    /// That many.
    pub unread: i64,
}

async fn left(app: &App, user_id: i64) -> Answer<Json<Unread>> {
    let unread = notices::unread(&mut *app.records.read().await?, user_id).await?;
    app.tell_notified([user_id]);
    Ok(Json(Unread { unread }))
}

/// Takes note of a notice; what other channels were still to tell of it, they do not.
#[utoipa::path(post, path = "/api/v1/notifications/{id}/read", tag = "notifications", security(("session" = [])),
    params(("id" = i64, Path)), responses((status = 200, body = Unread), (status = 404, body = crate::error::ProblemBody)))]
pub async fn read(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<i64>,
) -> Answer<Json<Unread>> {
    let user_id = person(&caller)?;
    let mut write = app.records.write().await?;
    let own = notices::message(&mut write, id).await?;
    if own.is_none_or(|message| message.user_id != Some(user_id)) {
        return Err(ApiError::not_found("notice", id));
    }
    notices::read(&mut write, id, user_id, app.now()).await?;
    write.commit().await?;
    left(&app, user_id).await
}

/// Up to where.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReadAll {
    /// The newest notice that the person saw; newer ones stay.
    pub up_to: i64,
}

/// Takes note of every notice up to the newest that the caller saw.
#[utoipa::path(post, path = "/api/v1/notifications/read", tag = "notifications", security(("session" = [])),
    request_body = ReadAll, responses((status = 200, body = Unread), (status = 400, body = crate::error::ProblemBody)))]
pub async fn read_all(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<ReadAll>,
) -> Answer<Json<Unread>> {
    let user_id = person(&caller)?;
    let mut write = app.records.write().await?;
    notices::read_all(&mut write, user_id, body.up_to, app.now()).await?;
    write.commit().await?;
    left(&app, user_id).await
}

/// What a link out of a message holds.
#[derive(Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// The link's last part.
    pub token: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Acknowledged {
    /// Whether it was new; a link is good once.
    pub is_new: bool,
}

/// Takes note of a message by the link in it, without signing in, where the settings allow that.
#[utoipa::path(post, path = "/api/v1/notifications/acknowledge", tag = "notifications", security(()),
    request_body = Acknowledgement, responses((status = 200, body = Acknowledged), (status = 403, body = crate::error::ProblemBody),
    (status = 404, body = crate::error::ProblemBody)))]
pub async fn acknowledge(
    State(app): State<App>,
    Json(body): Json<Acknowledgement>,
) -> Answer<Json<Acknowledged>> {
    let desk = desk(&app)?;
    if !desk.links.without_sign_in {
        let problem = Problem::new(
            "notice-sign-in",
            "a link alone is not enough here",
            "token",
            "sign in and take note under notices",
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, problem));
    }
    let unknown = || ApiError::not_found("notice", quote(&body.token));
    let id = Links::id_of(&body.token).ok_or_else(unknown)?;
    let mut write = app.records.write().await?;
    let message = notices::message(&mut write, id)
        .await?
        .ok_or_else(unknown)?;
    let is_own = same(desk.links.token(&message).as_bytes(), body.token.as_bytes());
    let (true, Some(user_id)) = (is_own, message.user_id) else {
        return Err(unknown());
    };
    let is_new = message.read_at.is_none();
    notices::read(&mut write, id, user_id, app.now()).await?;
    write.commit().await?;
    app.tell_notified([user_id]);
    Ok(Json(Acknowledged { is_new }))
}

/// Whether two texts are the same, in a time that does not say where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differs = |acc: u8, (x, y): (&u8, &u8)| acc | (x ^ y);
    a.len() == b.len() && a.iter().zip(b).fold(0, differs) == 0
}

/// What a gateway says became of a message: JSON, or a form.
#[utoipa::path(post, path = "/api/v1/notifications/receipts/{channel}/{secret}", tag = "notifications", security(()),
    params(("channel" = String, Path), ("secret" = String, Path)), request_body = String,
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn receipt(
    State(app): State<App>,
    Path((channel, secret)): Path<(String, String)>,
    body: String,
) -> Answer<StatusCode> {
    let desk = desk(&app)?;
    let door = desk.receipts.get(&channel);
    let door = door
        .filter(|door| same(door.secret.expose().as_bytes(), secret.as_bytes()))
        .ok_or_else(|| ApiError::not_found("channel", quote(&channel)))?;
    let said: serde_json::Value = serde_json::from_str(&body).unwrap_or_else(|_| {
        let fields = url::form_urlencoded::parse(body.as_bytes());
        fields
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    });
    // Several at once come as a list.
    let all = match said {
        serde_json::Value::Array(all) => all,
        one => vec![one],
    };
    let text = |value: &serde_json::Value, path: &str| {
        value.pointer(path).map(|found| match found {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let mut write = app.records.write().await?;
    for one in &all {
        let (Some(id), Some(state)) = (text(one, &door.id_path), text(one, &door.state_path))
        else {
            let problem = Problem::new(
                "notice-receipt",
                format!(
                    "there is nothing at {} or {}",
                    door.id_path, door.state_path
                ),
                "body",
                "set receipt_id_path and receipt_state_path of the channel as the gateway writes them",
            );
            return Err(ApiError::invalid(problem));
        };
        let why = format!("the gateway says: {}", quote(&state));
        let arrived = if door.arrived.contains(&state) {
            Ok(())
        } else {
            Err(why.as_str())
        };
        notices::receipt(&mut write, &channel, &id, arrived, app.now()).await?;
    }
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How the caller is reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnContacts {
    /// What there is.
    pub items: Vec<ContactBody>,
    /// The kinds for which the city has a channel: `email`, `phone`.
    pub kinds: Vec<String>,
    /// From when the caller is left in peace, `hh:mm`.
    pub quiet_from: Option<String>,
    /// Until when.
    pub quiet_until: Option<String>,
}

/// A way to reach the caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnContact)]
pub struct ContactBody {
    /// `email` or `phone`.
    pub kind: String,
    /// The address or number, in part.
    pub shown: String,
    /// Since when it is proven to be theirs; nothing is sent to it before.
    pub verified_at: Option<String>,
}

/// How the caller is reached, and when they are left in peace.
#[utoipa::path(get, path = "/api/v1/account/contacts", tag = "account", security(("session" = [])),
    responses((status = 200, body = OwnContacts), (status = 400, body = crate::error::ProblemBody)))]
pub async fn contacts(State(app): State<App>, Caller(caller): Caller) -> Answer<Json<OwnContacts>> {
    let user_id = person(&caller)?;
    let office = &desk(&app)?.office;
    let mut read = app.records.read().await?;
    let found = notices::contacts(&mut read, user_id).await?;
    let quiet = notices::quiet_hours(&mut read, user_id).await?;
    let kinds = [Reach::Email, Reach::Phone].into_iter();
    let kinds = kinds.filter(|reach| office.channel_for(*reach).is_some());
    Ok(Json(OwnContacts {
        items: found
            .into_iter()
            .map(|c| ContactBody {
                kind: c.kind,
                shown: c.shown,
                verified_at: c.verified_at.map(|t| t.to_string()),
            })
            .collect(),
        kinds: kinds
            .filter_map(|r| r.contact().map(str::to_owned))
            .collect(),
        quiet_from: quiet.map(|(from, _)| notice::quiet::shown(from)),
        quiet_until: quiet.map(|(_, until)| notice::quiet::shown(until)),
    }))
}

/// An address or a number.
#[derive(Deserialize, ToSchema)]
pub struct ContactDraft {
    /// The address or number.
    pub value: String,
}

fn reach_of(kind: &str) -> Answer<Reach> {
    match kind {
        "email" => Ok(Reach::Email),
        "phone" => Ok(Reach::Phone),
        other => Err(ApiError::not_found("contact", quote(other))),
    }
}

/// The address as it is kept, and what of it lists show.
fn checked(reach: Reach, value: &str) -> Answer<(String, String)> {
    if reach == Reach::Phone {
        let number = identity::checks::phone(value)
            .map_err(|told| ApiError::told(StatusCode::BAD_REQUEST, told))?;
        let shown = personal::mask(MaskKind::Phone, &number);
        return Ok((number, shown));
    }
    let address = value.trim().to_owned();
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>(),;:\"[]\\".contains(c);
    let parts = address.rsplit_once('@').filter(|(name, host)| {
        !name.is_empty() && !name.contains('@') && host.contains('.') && !host.starts_with('.')
    });
    match parts {
        Some((name, host)) if address.len() <= EMAIL_CHARS_MAX && address.chars().all(plain) => {
            let first = name.chars().next().unwrap_or('*');
            let shown = format!("{first}***@{host}");
            Ok((address, shown))
        }
        _ => {
            let told = Told::new(
                "contact-email",
                both("这不是电子邮件地址", "that is no e-mail address"),
                both("电子邮件", "e-mail"),
                both("请写成 name@example.cn", "write it as name@example.cn"),
            );
            Err(ApiError::told(StatusCode::BAD_REQUEST, told))
        }
    }
}

/// The names under which a contact is sealed.
pub fn sealed_under(user_id: i64, kind: &str) -> (String, String) {
    (format!("user:{user_id}"), format!("contact-{kind}"))
}

fn code_hash(user_id: i64, kind: &str, code: &str) -> String {
    secret::hash_token(&format!("contact:{user_id}:{kind}:{code}"))
}

/// Sets an address or number of the caller and sends a code to it; it is used once the code came back.
#[utoipa::path(put, path = "/api/v1/account/contacts/{kind}", tag = "account", security(("session" = [])),
    params(("kind" = String, Path)), request_body = ContactDraft,
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody),
    (status = 429, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn set_contact(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(kind): Path<String>,
    Json(draft): Json<ContactDraft>,
) -> Answer<StatusCode> {
    let user_id = person(&caller)?;
    let desk = desk(&app)?;
    let reach = reach_of(&kind)?;
    let (value, shown) = checked(reach, &draft.value)?;
    let now = app.now();
    let sender = desk
        .office
        .channel_for(reach)
        .and_then(|id| desk.office.sender(id))
        .ok_or_else(|| {
            let told = Told::new(
                "contact-no-channel",
                both(
                    "本市没有设置这种通知渠道",
                    "the city has no channel of this kind",
                ),
                both("联系方式", "contact"),
                both("请联系系统管理员", "ask the system administrator"),
            );
            ApiError::told(StatusCode::BAD_REQUEST, told)
        })?;
    let (entity, attribute) = sealed_under(user_id, &kind);
    let sealer = app.personal.sealer.as_ref();
    let sealed = sealer
        .and_then(|s| {
            s.seal(&entity, &attribute, &Value::Text(value.clone()))
                .ok()
                .flatten()
        })
        .ok_or_else(|| {
            let problem = Problem::new(
                "personal-not-sealed",
                "it cannot be sealed, and is not kept otherwise",
                "contact",
                "put the city's personal keys back: jingling keys list",
            );
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, problem)
        })?;
    let number: u32 = rand::random_range(0..1_000_000);
    let code = format!("{number:06}");
    let mut write = app.records.write().await?;
    let before = notices::contacts(&mut write, user_id).await?;
    let lately = before.iter().find(|c| c.kind == kind);
    let lately = lately.map(|c| now.micros_since(c.created_at) / 1_000_000);
    if let Some(seconds) = lately.filter(|seconds| (0..CODE_EVERY_SECONDS).contains(seconds)) {
        return Err(Failure::TooMany {
            problem: Problem::new(
                "contact-code",
                "a code was sent a moment ago",
                "contact",
                "wait a minute",
            ),
            retry_after_s: (CODE_EVERY_SECONDS - seconds).max(1).unsigned_abs(),
        }
        .into());
    }
    let row = Contact {
        id: 0,
        user_id,
        kind: kind.clone(),
        sealed,
        shown,
        created_at: now,
        verified_at: None,
        code_hash: code_hash(user_id, &kind, &code),
        code_until: Some(now.plus_seconds(CODE_SECONDS)),
        code_tries: 0,
    };
    notices::put_contact(&mut write, &row).await?;
    let (target, detail) = (format!("user:{user_id}"), json!({"kind": kind}));
    audit::insert(
        &mut write,
        now,
        &peer.actor(&caller),
        Act::ContactSet,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    let minutes = CODE_SECONDS / 60;
    let said = format!("竟陵城市平台验证码：{code}，{minutes} 分钟内有效。请勿告诉他人。");
    let outgoing = Outgoing {
        key: format!("code/{user_id}/{kind}/{}", now.micros()),
        to: Some(value),
        subject: "竟陵城市平台验证码 · Your code".to_owned(),
        body: format!(
            "{said}\nYour code is {code}; it is good for {minutes} minutes. Tell it to nobody.\n"
        ),
        short: said,
        event: serde_json::Value::Null,
        more: 0,
    };
    sender.send(&outgoing).await.map_err(|why| {
        let (NotSent::Later(why) | NotSent::Never(why)) = why;
        tracing::warn!(%kind, %why, "a code to prove a contact was not sent");
        let told = Told::new(
            "contact-not-sent",
            both("验证码没有发出", "the code could not be sent"),
            both("联系方式", "contact"),
            both(
                "请核对后稍后再试",
                "look whether it is right and try again later",
            ),
        );
        ApiError::told(StatusCode::SERVICE_UNAVAILABLE, told)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// A code.
#[derive(Deserialize, ToSchema)]
pub struct ContactCode {
    /// The six digits.
    pub code: String,
}

/// Proves with the code that an address or number is the caller's.
#[utoipa::path(post, path = "/api/v1/account/contacts/{kind}/verify", tag = "account", security(("session" = [])),
    params(("kind" = String, Path)), request_body = ContactCode,
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn verify_contact(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(kind): Path<String>,
    Json(given): Json<ContactCode>,
) -> Answer<StatusCode> {
    let user_id = person(&caller)?;
    let now = app.now();
    let mut write = app.records.write().await?;
    let found = notices::contacts(&mut write, user_id).await?;
    let contact = found
        .into_iter()
        .find(|c| c.kind == kind)
        .ok_or_else(|| ApiError::not_found("contact", quote(&kind)))?;
    let is_good = contact.code_tries < CODE_TRIES_MAX
        && contact.code_until.is_some_and(|until| now < until)
        && !contact.code_hash.is_empty();
    let hash = code_hash(user_id, &kind, given.code.trim());
    if !is_good || !same(hash.as_bytes(), contact.code_hash.as_bytes()) {
        notices::wrong_code(&mut write, contact.id).await?;
        write.commit().await?;
        let told = Told::new(
            "contact-code",
            both("验证码不对或已失效", "the code is wrong or good no more"),
            both("验证码", "code"),
            both("请核对，或重新获取", "look again, or have another sent"),
        );
        return Err(ApiError::told(StatusCode::BAD_REQUEST, told));
    }
    notices::verified(&mut write, contact.id, now).await?;
    let (target, detail) = (format!("user:{user_id}"), json!({"kind": kind}));
    audit::insert(
        &mut write,
        now,
        &peer.actor(&caller),
        Act::ContactVerify,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an address or number of the caller away.
#[utoipa::path(delete, path = "/api/v1/account/contacts/{kind}", tag = "account", security(("session" = [])),
    params(("kind" = String, Path)), responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn remove_contact(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(kind): Path<String>,
) -> Answer<StatusCode> {
    let user_id = person(&caller)?;
    let mut write = app.records.write().await?;
    if !notices::remove_contact(&mut write, user_id, &kind).await? {
        return Err(ApiError::not_found("contact", quote(&kind)));
    }
    let (target, detail) = (format!("user:{user_id}"), json!({"kind": kind}));
    let actor = peer.actor(&caller);
    audit::insert(
        &mut write,
        app.now(),
        &actor,
        Act::ContactRemove,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// When the caller is left in peace.
#[derive(Deserialize, ToSchema)]
pub struct QuietHoursDraft {
    /// From when, `hh:mm` of the city's day; without both times, never.
    pub from: Option<String>,
    /// Until when; earlier than `from`: of the next day.
    pub until: Option<String>,
}

/// Sets when the caller is left in peace; critical events pass.
#[utoipa::path(put, path = "/api/v1/account/quiet-hours", tag = "account", security(("session" = [])), request_body = QuietHoursDraft,
    responses((status = 204), (status = 400, body = crate::error::ProblemBody)))]
pub async fn set_quiet_hours(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<QuietHoursDraft>,
) -> Answer<StatusCode> {
    let user_id = person(&caller)?;
    let hours = match (&draft.from, &draft.until) {
        (None, None) => None,
        (from, until) => {
            let text = |time: &Option<String>| time.clone().unwrap_or_default();
            let hours = notice::quiet::Hours::read(&text(from), &text(until));
            Some(hours.map_err(ApiError::invalid)?)
        }
    };
    let mut write = app.records.write().await?;
    let columns = hours.map(|h| (h.from_minute, h.until_minute));
    notices::put_quiet_hours(&mut write, user_id, columns).await?;
    let detail = json!({"from": draft.from, "until": draft.until});
    let (target, actor) = (format!("user:{user_id}"), peer.actor(&caller));
    audit::insert(
        &mut write,
        app.now(),
        &actor,
        Act::QuietHoursSet,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    /// Tells the pages of these people that their notices changed.
    pub fn tell_notified(&self, people: impl IntoIterator<Item = i64>) {
        let people: Vec<i64> = people.into_iter().collect();
        if !people.is_empty() {
            self.events.tell_people("notification", people);
        }
    }

    /// How a person is reached, proven: by what they set, and by telephone by what the roster has.
    pub async fn contact_of(&self, user_id: i64, kind: &str) -> Option<String> {
        let mut read = self.records.read().await.ok()?;
        let found = notices::contacts(&mut read, user_id).await.ok()?;
        let own = found
            .into_iter()
            .find(|c| c.kind == kind && c.verified_at.is_some());
        if let Some(own) = own {
            let (entity, attribute) = sealed_under(user_id, kind);
            let opened = self.personal.open(&entity, &attribute, &own.sealed);
            return opened.map(|opened| opened.text);
        }
        if kind != "phone" {
            return None;
        }
        records::users::get(&mut read, user_id).await.ok()??.phone
    }
}

/// A time long enough to send once more what was given up.
pub(crate) fn renewed(now: Timestamp) -> Timestamp {
    now.plus_seconds(24 * 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: i64, user_id: Option<i64>) -> Message {
        Message {
            id,
            key: format!("alert:{id}/r/0/sms/7"),
            event_id: 1,
            rule_id: "r".to_owned(),
            level: 0,
            channel: "sms".to_owned(),
            user_id,
            urgent: false,
            state: notices::SENT.to_owned(),
            attempts: 1,
            next_at: Timestamp::default(),
            expires_at: Timestamp::default(),
            created_at: Timestamp::default(),
            sent_at: None,
            delivered_at: None,
            read_at: None,
            provider_id: None,
            error: None,
            folded_into: None,
        }
    }

    #[test]
    fn a_link_is_of_one_message_and_one_key_and_leads_to_the_sign_in_unless_that_is_not_needed() {
        let links = Links::new(&[1; 32], Some("https://city.example/".to_owned()), true);
        let other = Links::new(&[2; 32], None, true);
        let own = message(12, Some(7));
        let token = links.token(&own);
        assert_eq!(Links::id_of(&token), Some(12));
        assert_eq!(links.token(&own), token, "the same each time");
        assert_ne!(other.token(&own), token);
        assert_ne!(links.token(&message(12, Some(8))), token);
        let url = links.make(&own).unwrap();
        assert_eq!(url, format!("https://city.example/acknowledge/{token}"));
        assert_eq!(other.make(&own), None);
        let signed_in = Links::new(&[1; 32], Some("https://city.example".to_owned()), false);
        let url = signed_in.make(&own).unwrap();
        assert_eq!(url, "https://city.example/notifications?notice=12");
        assert_eq!(Links::id_of("x"), None);
    }

    #[test]
    fn an_address_is_looked_at_before_it_is_kept_and_shown_in_part() {
        let (kept, shown) = checked(Reach::Email, " wang.min@example.gov.cn ")
            .ok()
            .unwrap();
        assert_eq!(
            (kept.as_str(), shown.as_str()),
            ("wang.min@example.gov.cn", "w***@example.gov.cn")
        );
        for bad in [
            "",
            "wang",
            "@example.cn",
            "a@b",
            "a b@c.cn",
            "a@b.cn\r\nBcc: x@y.cn",
            "a@b@c.cn",
            "a,b@c.cn",
        ] {
            assert!(checked(Reach::Email, bad).is_err(), "{bad}");
        }
        let (kept, shown) = checked(Reach::Phone, "138 0000 1234").ok().unwrap();
        assert_eq!(
            (kept.as_str(), shown.as_str()),
            ("13800001234", "138****1234")
        );
    }
}
