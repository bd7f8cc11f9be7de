//! Duty (值班): shifts, the roster (值班表), who is on duty now and next, and swaps. Hand-overs are [`crate::duty_hand_overs`], response
//! plans [`crate::duty_plans`], resources [`crate::duty_resources`], the report [`crate::duty_report`], outside contacts
//! [`crate::duty_contacts`], the roster as a file [`crate::duty_sheets`].

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty_hand_overs::{HandOverBody, MissingBody, hand_over_body};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::Seeing;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use duty::roster;
use identity::{Permission, Principal, Role};
use jiff::tz::TimeZone;
use model::problem::{both, quote};
use model::{Problem, Timestamp, Told};
use records::duty::{Pattern, Swap, Turn};
use records::organisations::{self, Organisation};
use records::{Connection, Event, PageRequest, audit, users};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};

/// Longest title, post and reason, characters.
pub(crate) const TEXT_CHARS_MAX: usize = 200;
/// Most turns that one request adds.
const TURNS_MAX: usize = 2_000;
/// Most turns that one answer holds.
pub(crate) const TURNS_SHOWN_MAX: u32 = 5_000;
/// Longest period that is shown, days.
const PERIOD_DAYS_MAX: i64 = 100;
/// How far ahead "next" is looked for, days.
const AHEAD_DAYS: i64 = 14;
/// For how long a shift that nobody handed over is told of, days.
const MISSING_DAYS: i64 = 7;
/// Most rows of what is unsigned and missing.
const ALARMS_MAX: u32 = 100;

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// A shift (班次) of an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DutyPattern)]
pub struct PatternBody {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub organisation: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// From this time of the city's day, `08:00`.
    pub from: String,
    /// Until this one; of the next day where it is not later.
    pub until: String,
    /// Whether no turn of it is made any more.
    pub disabled: bool,
}

impl From<Pattern> for PatternBody {
    fn from(row: Pattern) -> Self {
        Self {
            id: row.id,
            organisation: row.organisation_id,
            title_zh: row.title_zh,
            title_en: row.title_en,
            from: roster::shown(row.from_minute),
            until: roster::shown(row.until_minute),
            disabled: row.disabled,
        }
    }
}

/// A swap (换班) of a turn.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DutySwap)]
pub struct SwapBody {
    /// Who had it.
    pub from_name: String,
    /// Who had it from then on.
    pub to_name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
    /// Who wrote it down.
    pub made_by: String,
}

/// A turn of duty: who has which post in which shift.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DutyTurn)]
pub struct TurnBody {
    /// Its number.
    pub id: i64,
    /// The organisation.
    pub organisation: String,
    /// The shift.
    pub pattern_id: i64,
    /// The shift's title in Chinese.
    pub pattern_zh: String,
    /// The shift's title in English.
    pub pattern_en: String,
    /// The day on which it begins.
    pub day: String,
    /// The post of duty (值班岗).
    pub post: String,
    /// Who has it.
    pub user_id: i64,
    /// Their name.
    pub user_name: String,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Who had it before, oldest first.
    pub swaps: Vec<SwapBody>,
    /// Why nobody will come, where the turn is not over and whoever has it cannot do it any more (空缺); null: they can.
    pub open: Option<OpenTurn>,
}

/// Why a turn of duty is open (空缺).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenTurn {
    /// Sign-in is closed to the person.
    Closed,
    /// The person is not of the organisation any more, and holds no post of it.
    Left,
}

/// The roster of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyRoster)]
pub struct RosterBody {
    /// The shifts, closed ones among them.
    pub patterns: Vec<PatternBody>,
    /// The turns, by when they begin.
    pub turns: Vec<TurnBody>,
}

/// One organisation's duty at this moment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyNow)]
pub struct NowBody {
    /// The organisation.
    pub organisation: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Who is on duty.
    pub on: Vec<TurnBody>,
    /// Who is next.
    pub next: Vec<TurnBody>,
}

/// Duty at this moment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyNowAll)]
pub struct NowAllBody {
    /// The organisations that have a roster.
    pub items: Vec<NowBody>,
    /// Hand-overs that nobody signed, of the caller's organisations.
    pub unsigned: Vec<HandOverBody>,
    /// Shifts that ended and were not handed over, of the caller's organisations.
    pub missing: Vec<MissingBody>,
    /// Turns whose person cannot do them any more (空缺), of the caller's organisations: told to whoever makes the roster.
    pub open: Vec<TurnBody>,
}

/// The caller's own id; a machine has none.
pub(crate) fn person(caller: &Principal) -> Answer<i64> {
    caller.user_id().ok_or_else(|| {
        let told = Told::new(
            "duty-person",
            both("只有人才能交接班、值班", "only a person is on duty"),
            "session",
            both("请登录后再试", "sign in as a person"),
        );
        ApiError::told(StatusCode::BAD_REQUEST, told)
    })
}

/// Whether the caller acts for an organisation: it is one of theirs, or they dispatch across all of them.
pub(crate) fn belongs(caller: &Principal, organisation: &str) -> bool {
    caller.organisations().contains(&organisation) || caller.may(Permission::CaseDispatch)
}

/// Asks that the caller acts for an organisation.
pub(crate) fn must_belong(caller: &Principal, organisation: &str) -> Answer<()> {
    if belongs(caller, organisation) {
        return Ok(());
    }
    let told = Told::new(
        "duty-organisation",
        both(
            "这不是您所在单位的值班",
            "this is not the duty of an organisation of yours",
        ),
        both("单位", "organisation"),
        both(
            "请选择本单位，或请指挥中心办理",
            "take an organisation of yours, or ask the command centre",
        ),
    );
    Err(ApiError::told(StatusCode::FORBIDDEN, told))
}

/// An organisation that takes work.
pub(crate) async fn organisation(connection: &mut Connection, id: &str) -> Answer<Organisation> {
    organisations::get(connection, id)
        .await?
        .filter(|organisation| !organisation.disabled)
        .ok_or_else(|| {
            ApiError::invalid(Problem::new(
                "unknown-organisation",
                format!("there is no organisation \"{}\" that takes work", quote(id)),
                "organisation",
                "take an id from the list of organisations",
            ))
        })
}

/// A text that a person wrote: trimmed, not longer than allowed, and not empty where it must not be.
pub(crate) fn text(
    written: &str,
    place: &'static str,
    chars_min: usize,
    chars_max: usize,
) -> Answer<String> {
    let written = written.trim();
    let chars = written.chars().count();
    if (chars_min..=chars_max).contains(&chars) {
        return Ok(written.to_owned());
    }
    Err(ApiError::invalid(Problem::new(
        "duty-text",
        format!("it has {chars} characters"),
        place,
        format!("write {chars_min} to {chars_max} characters"),
    )))
}

impl App {
    /// The city's time zone.
    pub(crate) fn zone(&self) -> Answer<TimeZone> {
        TimeZone::get(&self.city.zone).map_err(ApiError::internal)
    }

    /// Tells the pages that duty changed.
    pub(crate) fn tell_duty(&self) {
        self.events
            .tell("duty", Permission::DutyRead, serde_json::json!({}));
    }
}

/// Turns as the API gives them, with names and swaps.
pub(crate) async fn turn_bodies(
    connection: &mut Connection,
    turns: &[Turn],
    swaps: Vec<Swap>,
) -> Answer<Vec<TurnBody>> {
    let patterns: BTreeMap<i64, Pattern> = records::duty::patterns(connection, None)
        .await?
        .into_iter()
        .map(|pattern| (pattern.id, pattern))
        .collect();
    let mut ids: BTreeSet<i64> = turns.iter().map(|turn| turn.user_id).collect();
    ids.extend(swaps.iter().flat_map(|s| [s.from_user_id, s.to_user_id]));
    let mut names = BTreeMap::new();
    for id in ids {
        let name = users::get(connection, id).await?.map(|user| user.name);
        names.insert(id, name.unwrap_or_else(|| format!("#{id}")));
    }
    let name = |id: i64| names.get(&id).cloned().unwrap_or_default();
    let mut of_turn: BTreeMap<i64, Vec<SwapBody>> = BTreeMap::new();
    for swap in swaps {
        of_turn.entry(swap.turn_id).or_default().push(SwapBody {
            from_name: name(swap.from_user_id),
            to_name: name(swap.to_user_id),
            reason: swap.reason,
            at: swap.at.to_string(),
            made_by: swap.made_by,
        });
    }
    let bodies = turns.iter().map(|turn| {
        let pattern = patterns.get(&turn.pattern_id);
        TurnBody {
            id: turn.id,
            organisation: turn.organisation_id.clone(),
            pattern_id: turn.pattern_id,
            pattern_zh: pattern.map(|p| p.title_zh.clone()).unwrap_or_default(),
            pattern_en: pattern.map(|p| p.title_en.clone()).unwrap_or_default(),
            day: turn.day.clone(),
            post: turn.post.clone(),
            user_id: turn.user_id,
            user_name: name(turn.user_id),
            from: turn.from_at.to_string(),
            until: turn.until_at.to_string(),
            swaps: of_turn.remove(&turn.id).unwrap_or_default(),
            open: None,
        }
    });
    Ok(bodies.collect())
}

/// The words of the roles that do every organisation's duty: they dispatch across all of them.
pub fn roles_of_every_duty() -> Vec<String> {
    let dispatches = |role: &Role| role.permissions().contains(&Permission::CaseDispatch);
    let roles = Role::all().filter(dispatches);
    roles.map(|role| role.as_str().to_owned()).collect()
}

/// The turns that are open (空缺), of one organisation or of all, each with why.
async fn open_of(
    connection: &mut Connection,
    organisation: Option<&str>,
    now: Timestamp,
) -> Answer<Vec<(Turn, OpenTurn)>> {
    let roles = roles_of_every_duty();
    let turns =
        records::duty::open_turns(connection, organisation, &roles, now, TURNS_SHOWN_MAX).await?;
    let mut why = BTreeMap::new();
    let mut open = Vec::with_capacity(turns.len());
    for turn in turns {
        let id = turn.user_id;
        if let Entry::Vacant(vacant) = why.entry(id) {
            let user = users::get(connection, id).await?;
            vacant.insert(match user {
                Some(user) if !user.disabled => OpenTurn::Left,
                _ => OpenTurn::Closed,
            });
        }
        let because = why.get(&id).copied().unwrap_or(OpenTurn::Closed);
        open.push((turn, because));
    }
    Ok(open)
}

/// Marks those of the turns that are open.
fn mark(bodies: &mut [TurnBody], open: &[(Turn, OpenTurn)]) {
    let why: BTreeMap<i64, OpenTurn> = open.iter().map(|(turn, why)| (turn.id, *why)).collect();
    for body in bodies {
        body.open = why.get(&body.id).copied();
    }
}

/// Which part of the roster.
#[derive(Debug, Deserialize, IntoParams)]
pub struct RosterQuery {
    /// Of this organisation; of all when not said.
    pub organisation: Option<String>,
    /// From this day of the city, `2026-11-27`.
    pub from: String,
    /// Until this day, inclusive; at most 100 days.
    pub until: String,
}

/// From when until when a period runs, from the beginning of its first day to the end of its last.
pub(crate) fn period_of(app: &App, first: &str, last: &str) -> Answer<(Timestamp, Timestamp)> {
    let zone = app.zone()?;
    let first = roster::day(first).map_err(ApiError::invalid)?;
    let last = roster::day(last).map_err(ApiError::invalid)?;
    let (from, _) = roster::span(first, 0, 0, &zone).map_err(ApiError::invalid)?;
    let (_, until) = roster::span(last, 0, 0, &zone).map_err(ApiError::invalid)?;
    if until <= from || until.micros_since(from) > PERIOD_DAYS_MAX * DAY_MICROS {
        return Err(ApiError::invalid(Problem::new(
            "duty-period",
            format!("from {first} until {last} is no period"),
            "until",
            format!("name a last day within {PERIOD_DAYS_MAX} days of the first"),
        )));
    }
    Ok((from, until))
}

/// The roster of a period: shifts, turns, and who took whose.
#[utoipa::path(get, path = "/api/v1/duty/roster", tag = "duty", security(("session" = ["duty.read"])), params(RosterQuery),
    responses((status = 200, body = RosterBody), (status = 400, body = ProblemBody)))]
pub async fn roster_of(
    State(app): State<App>,
    Query(query): Query<RosterQuery>,
) -> Answer<Json<RosterBody>> {
    let (from, until) = period_of(&app, &query.from, &query.until)?;
    let organisation = query.organisation.as_deref().filter(|id| !id.is_empty());
    let mut read = app.records.read().await?;
    let turns = records::duty::turns(&mut read, organisation, from, until, TURNS_SHOWN_MAX).await?;
    let swaps = records::duty::swaps(&mut read, organisation, from, until).await?;
    let patterns = records::duty::patterns(&mut read, organisation).await?;
    let open = open_of(&mut read, organisation, app.now()).await?;
    let mut turns = turn_bodies(&mut read, &turns, swaps).await?;
    mark(&mut turns, &open);
    Ok(Json(RosterBody {
        patterns: patterns.into_iter().map(PatternBody::from).collect(),
        turns,
    }))
}

/// Who is on duty now and next in every organisation with a roster; and, of the caller's own, what is not handed over or not
/// signed, and the turns whose person left.
#[utoipa::path(get, path = "/api/v1/duty/now", tag = "duty", security(("session" = ["duty.read"])),
    responses((status = 200, body = NowAllBody)))]
pub async fn now(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
) -> Answer<Json<NowAllBody>> {
    let now = app.now();
    let ahead = now.plus_seconds(AHEAD_DAYS * 86_400);
    let mut read = app.records.read().await?;
    let turns = records::duty::turns(&mut read, None, now, ahead, TURNS_SHOWN_MAX).await?;
    let swaps = records::duty::swaps(&mut read, None, now, ahead).await?;
    let names: BTreeMap<String, Organisation> = organisations::list(&mut read)
        .await?
        .into_iter()
        .map(|organisation| (organisation.id.clone(), organisation))
        .collect();
    let mut by_organisation: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    for turn in turns {
        by_organisation
            .entry(turn.organisation_id.clone())
            .or_default()
            .push(turn);
    }
    let open = open_of(&mut read, None, now).await?;
    let mut items = Vec::new();
    for (id, turns) in by_organisation {
        let (on, next) = roster::now_and_next(&turns, |t| (t.from_at, t.until_at), now);
        let on: Vec<Turn> = on.into_iter().cloned().collect();
        let next: Vec<Turn> = next.into_iter().cloned().collect();
        let known = names.get(&id);
        let mut on = turn_bodies(&mut read, &on, swaps.clone()).await?;
        let mut next = turn_bodies(&mut read, &next, Vec::new()).await?;
        mark(&mut on, &open);
        mark(&mut next, &open);
        items.push(NowBody {
            name_zh: known.map(|o| o.name_zh.clone()).unwrap_or_default(),
            name_en: known.map(|o| o.name_en.clone()).unwrap_or_default(),
            on,
            next,
            organisation: id,
        });
    }
    let page = PageRequest {
        after: None,
        limit: Some(ALARMS_MAX),
    };
    let unsigned = records::duty_acts::hand_overs(&mut read, None, true, &page).await?;
    let since = now.plus_seconds(-MISSING_DAYS * 86_400);
    let missing =
        records::duty_acts::not_handed_over(&mut read, None, since, now, ALARMS_MAX).await?;
    let patterns = records::duty::patterns(&mut read, None).await?;
    let mine = |organisation: &str| belongs(&caller, organisation);
    let some: Vec<Turn> = open
        .iter()
        .map(|(turn, _)| turn)
        .filter(|turn| mine(&turn.organisation_id))
        .take(ALARMS_MAX as usize)
        .cloned()
        .collect();
    let mut of_mine = turn_bodies(&mut read, &some, Vec::new()).await?;
    mark(&mut of_mine, &open);
    drop(read);
    Ok(Json(NowAllBody {
        items,
        unsigned: unsigned
            .items
            .into_iter()
            .filter(|row| mine(&row.organisation_id))
            .map(|row| hand_over_body(row, &patterns, &sight))
            .collect(),
        missing: missing
            .into_iter()
            .filter(|row| mine(&row.organisation_id))
            .map(|row| MissingBody::of(row, &patterns))
            .collect(),
        open: of_mine,
    }))
}

/// A shift to make or to change.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DutyPatternDraft)]
pub struct PatternDraft {
    /// The shift that is changed; a new one when left out.
    #[serde(default)]
    pub id: Option<i64>,
    /// Whose it is; of a shift that is changed, as it was.
    pub organisation: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// From this time of the city's day, `08:00`.
    pub from: String,
    /// Until this one; of the next day where it is not later.
    pub until: String,
    /// Whether no turn of it is made any more.
    #[serde(default)]
    pub disabled: bool,
}

/// Makes a shift or changes one. Turns that are made keep the times that they were made with.
#[utoipa::path(put, path = "/api/v1/duty/patterns", tag = "duty", security(("session" = ["duty.manage"])), request_body = PatternDraft,
    responses((status = 200, body = PatternBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody)))]
pub async fn put_pattern(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<PatternDraft>,
) -> Answer<Json<PatternBody>> {
    must_belong(&caller, &draft.organisation)?;
    let mut row = Pattern {
        id: draft.id.unwrap_or_default(),
        organisation_id: draft.organisation,
        title_zh: text(&draft.title_zh, "title_zh", 1, TEXT_CHARS_MAX)?,
        title_en: text(&draft.title_en, "title_en", 1, TEXT_CHARS_MAX)?,
        from_minute: roster::minute(&draft.from).map_err(ApiError::invalid)?,
        until_minute: roster::minute(&draft.until).map_err(ApiError::invalid)?,
        disabled: draft.disabled,
    };
    let now = app.now();
    let mut write = app.records.write().await?;
    organisation(&mut write, &row.organisation_id).await?;
    match draft.id {
        None => row = records::duty::add_pattern(&mut write, &row).await?,
        Some(id) => {
            let before = records::duty::pattern(&mut write, id).await?;
            before
                .filter(|before| before.organisation_id == row.organisation_id)
                .ok_or_else(|| ApiError::not_found("shift", id))?;
            records::duty::change_pattern(&mut write, &row).await?;
        }
    }
    let detail = json!({
        "organisation": row.organisation_id,
        "title_zh": row.title_zh,
        "from": roster::shown(row.from_minute),
        "until": roster::shown(row.until_minute),
        "disabled": row.disabled,
    });
    let target = format!("duty-pattern:{}", row.id);
    let actor = peer.actor(&caller);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyPatternPut,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_duty();
    Ok(Json(row.into()))
}

/// A turn to add.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DutyTurnDraft)]
pub struct TurnDraft {
    /// The shift.
    pub pattern_id: i64,
    /// The day on which it begins, `2026-11-27`.
    pub day: String,
    /// The post of duty, such as 值班员 or 带班领导.
    pub post: String,
    /// Who.
    pub user_id: i64,
}

/// Turns to add: all of them or none.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DutyTurnsDraft)]
pub struct TurnsDraft {
    /// The organisation.
    pub organisation: String,
    /// At most 2,000.
    pub turns: Vec<TurnDraft>,
}

fn past(until: Timestamp, now: Timestamp) -> Answer<()> {
    if until > now {
        return Ok(());
    }
    let told = Told::new(
        "duty-past",
        both("这个班次已经结束，不能再改", "the shift is over"),
        both("日期", "day"),
        both("请选择今天或以后的班次", "take a shift of today or later"),
    );
    Err(ApiError::told(StatusCode::BAD_REQUEST, told))
}

/// A turn as clashes are looked for.
fn slot(turn: &Turn) -> roster::Slot<'_> {
    roster::Slot {
        shift_id: turn.pattern_id,
        day: &turn.day,
        span: (turn.from_at, turn.until_at),
    }
}

/// Asks that somebody can take a turn: is there, may sign in, and has no other shift at that time.
async fn must_be_free(connection: &mut Connection, turn: &Turn) -> Answer<()> {
    let id = turn.user_id;
    let user = users::get(connection, id)
        .await?
        .filter(|user| !user.disabled);
    let Some(user) = user else {
        return Err(ApiError::invalid(Problem::new(
            "duty-person-unknown",
            format!("there is no person {id} who may sign in"),
            "user_id",
            "take somebody from the list of people",
        )));
    };
    let taken = records::duty::turns_of(connection, id, turn.from_at, turn.until_at).await?;
    // The same post of one shift twice is none; a turn that is there already is passed over.
    let is_twice = |other: &Turn| {
        turn.id != 0
            && (other.pattern_id, &other.day, &other.post)
                == (turn.pattern_id, &turn.day, &turn.post)
    };
    let other = taken.iter().find(|other| {
        other.id != turn.id && (roster::clash(&slot(turn), &slot(other)) || is_twice(other))
    });
    let Some(other) = other else { return Ok(()) };
    let told = Told::new(
        "duty-overlap",
        both(
            format!(
                "{} 在 {} 已有另一个班次（{}）",
                user.name, other.day, other.post
            ),
            format!(
                "{} has another shift on {}: {}",
                user.name, other.day, other.post
            ),
        ),
        both("人员", "user_id"),
        both("请换一个人或换一天", "take somebody else, or another day"),
    );
    Err(ApiError::told(StatusCode::CONFLICT, told))
}

/// Adds turns to the roster of an organisation: all of them or none. A turn that is there already is passed over.
#[utoipa::path(post, path = "/api/v1/duty/turns", tag = "duty", security(("session" = ["duty.manage"])), request_body = TurnsDraft,
    responses((status = 201, body = Vec<TurnBody>), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 409, body = ProblemBody)))]
pub async fn add_turns(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<TurnsDraft>,
) -> Answer<(StatusCode, Json<Vec<TurnBody>>)> {
    must_belong(&caller, &draft.organisation)?;
    if draft.turns.is_empty() || draft.turns.len() > TURNS_MAX {
        return Err(ApiError::invalid(Problem::new(
            "duty-turns",
            format!("{} turns are given", draft.turns.len()),
            "turns",
            format!("give 1 to {TURNS_MAX}"),
        )));
    }
    let zone = app.zone()?;
    let now = app.now();
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    organisation(&mut write, &draft.organisation).await?;
    let patterns: BTreeMap<i64, Pattern> =
        records::duty::patterns(&mut write, Some(&draft.organisation))
            .await?
            .into_iter()
            .filter(|pattern| !pattern.disabled)
            .map(|pattern| (pattern.id, pattern))
            .collect();
    let mut made = Vec::new();
    for one in &draft.turns {
        let pattern = patterns.get(&one.pattern_id).ok_or_else(|| {
            ApiError::invalid(Problem::new(
                "duty-pattern",
                format!("the organisation has no shift {}", one.pattern_id),
                "pattern_id",
                "take a shift of it that is not closed",
            ))
        })?;
        let day = roster::day(&one.day).map_err(ApiError::invalid)?;
        let (from_at, until_at) =
            roster::span(day, pattern.from_minute, pattern.until_minute, &zone)
                .map_err(ApiError::invalid)?;
        past(until_at, now)?;
        let row = Turn {
            id: 0,
            organisation_id: draft.organisation.clone(),
            pattern_id: pattern.id,
            day: day.to_string(),
            post: text(&one.post, "post", 1, TEXT_CHARS_MAX)?,
            user_id: one.user_id,
            from_at,
            until_at,
            made_at: now,
            made_by: actor.name.clone(),
        };
        must_be_free(&mut write, &row).await?;
        made.extend(records::duty::add_turn(&mut write, &row).await?);
    }
    let days = || made.iter().map(|turn| turn.day.as_str());
    let detail = json!({"turns": made.len(), "first": days().min(), "last": days().max()});
    let target = format!("organisation:{}", draft.organisation);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyTurnsAdd,
        &target,
        &detail,
    )
    .await?;
    let bodies = turn_bodies(&mut write, &made, Vec::new()).await?;
    write.commit().await?;
    app.tell_duty();
    Ok((StatusCode::CREATED, Json(bodies)))
}

/// Why a turn is taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DutyReason)]
pub struct ReasonBody {
    /// Why, 1 to 200 characters.
    pub reason: String,
}

/// Takes a turn that is not over off the roster.
#[utoipa::path(post, path = "/api/v1/duty/turns/{id}/remove", tag = "duty", security(("session" = ["duty.manage"])),
    params(("id" = i64, Path)), request_body = ReasonBody,
    responses((status = 204), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn remove_turn(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(body): Json<ReasonBody>,
) -> Answer<StatusCode> {
    let reason = text(&body.reason, "reason", 1, TEXT_CHARS_MAX)?;
    let now = app.now();
    let mut write = app.records.write().await?;
    let turn = records::duty::turn(&mut write, id)
        .await?
        .ok_or_else(|| ApiError::not_found("turn of duty", id))?;
    must_belong(&caller, &turn.organisation_id)?;
    past(turn.until_at, now)?;
    records::duty::remove_turn(&mut write, id).await?;
    let detail = json!({"user_id": turn.user_id, "day": turn.day, "reason": reason});
    let target = format!("duty-turn:{id}");
    let actor = peer.actor(&caller);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyTurnRemove,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_duty();
    Ok(StatusCode::NO_CONTENT)
}

/// Who takes a turn, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DutySwapDraft)]
pub struct SwapDraft {
    /// Who takes it.
    pub user_id: i64,
    /// Why, 1 to 200 characters.
    pub reason: String,
}

/// Gives a turn that is not over to somebody else (换班). Whoever has it may do so, and whoever makes the roster.
#[utoipa::path(post, path = "/api/v1/duty/turns/{id}/swap", tag = "duty", security(("session" = ["duty.act"])),
    params(("id" = i64, Path)), request_body = SwapDraft,
    responses((status = 200, body = TurnBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn swap(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(draft): Json<SwapDraft>,
) -> Answer<Json<TurnBody>> {
    let reason = text(&draft.reason, "reason", 1, TEXT_CHARS_MAX)?;
    let now = app.now();
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    let before = records::duty::turn(&mut write, id)
        .await?
        .ok_or_else(|| ApiError::not_found("turn of duty", id))?;
    must_belong(&caller, &before.organisation_id)?;
    if caller.user_id() != Some(before.user_id) {
        caller.require(Permission::DutyManage)?;
    }
    past(before.until_at, now)?;
    let after = Turn {
        user_id: draft.user_id,
        ..before.clone()
    };
    must_be_free(&mut write, &after).await?;
    let row = Swap {
        id: 0,
        turn_id: id,
        from_user_id: before.user_id,
        to_user_id: draft.user_id,
        reason: reason.clone(),
        at: now,
        made_by: actor.name.clone(),
    };
    records::duty::swap(&mut write, &row).await?;
    let detail =
        json!({"from_user_id": before.user_id, "to_user_id": draft.user_id, "reason": reason});
    let target = format!("duty-turn:{id}");
    audit::insert(&mut write, now, &actor, Event::DutySwap, &target, &detail).await?;
    let swaps = records::duty::swaps(
        &mut write,
        Some(&before.organisation_id),
        before.from_at,
        before.until_at,
    )
    .await?;
    let bodies = turn_bodies(&mut write, &[after], swaps).await?;
    write.commit().await?;
    app.tell_duty();
    let body = bodies.into_iter().next();
    Ok(Json(
        body.ok_or_else(|| ApiError::not_found("turn of duty", id))?,
    ))
}
