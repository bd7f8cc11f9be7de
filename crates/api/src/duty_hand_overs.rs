//! Hand-overs (交接班): what the outgoing officer writes, with the open alerts and overdue cases as they stood at that moment, and
//! the signature of who takes over.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::{belongs, must_belong, organisation, person, text};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use duty::roster;
use model::problem::both;
use model::{Problem, Told};
use records::cases::{CaseFilter, DRILL, Order};
use records::duty::Pattern;
use records::duty_acts::{HandOver, NotHandedOver};
use records::{Event, PageRequest, alerts, audit, duty_acts};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Longest notes, characters.
const NOTES_CHARS_MAX: usize = 5_000;
/// Longest remark, characters.
const REMARK_CHARS_MAX: usize = 500;
/// Most alerts and most cases that are attached.
const ATTACHED_MAX: u32 = 500;

/// An alert that was open when the shift was handed over.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = HandedAlert)]
pub struct HandedAlert {
    /// Its number.
    pub id: i64,
    /// How grave.
    pub severity: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What happened, in English.
    pub title_en: String,
    /// When it was raised.
    pub raised_at: String,
    /// When somebody had taken note.
    pub acknowledged_at: Option<String>,
    /// The entity.
    pub entity_id: String,
    /// Its type.
    pub entity_type: String,
    /// The attribute judged.
    pub attribute: String,
}

/// A case that was overdue when the shift was handed over.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = HandedCase)]
pub struct HandedCase {
    /// Its id.
    pub id: i64,
    /// The number that people say.
    pub number: String,
    /// One line.
    pub title: String,
    /// How grave.
    pub severity: String,
    /// Where it stood.
    pub state: String,
    /// By when its step was due.
    pub due_at: Option<String>,
    /// The department that had it.
    pub organisation_id: Option<String>,
}

/// What was open when the shift was handed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = HandedOver)]
pub struct Attached {
    /// Open alerts, newest first.
    pub alerts: Vec<HandedAlert>,
    /// Overdue cases, most overdue first.
    pub cases: Vec<HandedCase>,
}

/// A hand-over (交接班).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyHandOver)]
pub struct HandOverBody {
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
    /// The day on which it began.
    pub day: String,
    /// From when it ran.
    pub from: String,
    /// Until when.
    pub until: String,
    /// What the outgoing officer wrote.
    pub notes: String,
    /// What was open then, as far as the reader may see it.
    pub attached: Attached,
    /// Who handed over.
    pub outgoing_id: i64,
    /// Their name.
    pub outgoing: String,
    /// When.
    pub written_at: String,
    /// Who took over; null while nobody signed.
    pub incoming: Option<String>,
    /// When they signed.
    pub signed_at: Option<String>,
    /// What they remarked.
    pub remark: Option<String>,
}

/// A shift that ended and that nobody handed over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyNotHandedOver)]
pub struct MissingBody {
    /// The organisation.
    pub organisation: String,
    /// The shift.
    pub pattern_id: i64,
    /// The shift's title in Chinese.
    pub pattern_zh: String,
    /// The shift's title in English.
    pub pattern_en: String,
    /// The day on which it began.
    pub day: String,
    /// When it ended.
    pub until: String,
}

fn titles(patterns: &[Pattern], id: i64) -> (String, String) {
    let pattern = patterns.iter().find(|pattern| pattern.id == id);
    pattern.map_or_else(Default::default, |pattern| {
        (pattern.title_zh.clone(), pattern.title_en.clone())
    })
}

impl MissingBody {
    pub(crate) fn of(row: NotHandedOver, patterns: &[Pattern]) -> Self {
        let (pattern_zh, pattern_en) = titles(patterns, row.pattern_id);
        Self {
            organisation: row.organisation_id,
            pattern_id: row.pattern_id,
            pattern_zh,
            pattern_en,
            day: row.day,
            until: row.until_at.to_string(),
        }
    }
}

/// A hand-over as a reader sees it: without the alerts and cases that they may not see.
pub(crate) fn hand_over_body(row: HandOver, patterns: &[Pattern], sight: &Sight) -> HandOverBody {
    let mut attached: Attached = serde_json::from_value(row.attached).unwrap_or_default();
    attached
        .alerts
        .retain(|a| sight.sees_series(&a.entity_id, &a.entity_type, &a.attribute));
    attached
        .cases
        .retain(|case| sight.sees_case(case.organisation_id.as_deref()));
    let (pattern_zh, pattern_en) = titles(patterns, row.pattern_id);
    HandOverBody {
        id: row.id,
        organisation: row.organisation_id,
        pattern_id: row.pattern_id,
        pattern_zh,
        pattern_en,
        day: row.day,
        from: row.from_at.to_string(),
        until: row.until_at.to_string(),
        notes: row.notes,
        attached,
        outgoing_id: row.outgoing_id,
        outgoing: row.outgoing,
        written_at: row.written_at.to_string(),
        incoming: row.incoming,
        signed_at: row.signed_at.map(|at| at.to_string()),
        remark: row.remark,
    }
}

/// A page of hand-overs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyHandOvers)]
pub struct HandOversBody {
    /// Newest first.
    pub items: Vec<HandOverBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which hand-overs.
#[derive(Debug, Deserialize, IntoParams)]
pub struct HandOversQuery {
    /// Of this organisation; of all of the caller's when not said.
    pub organisation: Option<String>,
    /// Only those that nobody signed.
    #[serde(default)]
    pub unsigned: bool,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Hand-overs of the caller's organisations, newest first.
#[utoipa::path(get, path = "/api/v1/duty/hand-overs", tag = "duty", security(("session" = ["duty.read"])), params(HandOversQuery),
    responses((status = 200, body = HandOversBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Query(query): Query<HandOversQuery>,
) -> Answer<Json<HandOversBody>> {
    let organisation = query.organisation.as_deref().filter(|id| !id.is_empty());
    if let Some(id) = organisation {
        must_belong(&caller, id)?;
    }
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut read = app.records.read().await?;
    let found = duty_acts::hand_overs(&mut read, organisation, query.unsigned, &page).await?;
    let patterns = records::duty::patterns(&mut read, None).await?;
    drop(read);
    let mine = found.items.into_iter();
    let mine = mine.filter(|row| belongs(&caller, &row.organisation_id));
    Ok(Json(HandOversBody {
        items: mine
            .map(|row| hand_over_body(row, &patterns, &sight))
            .collect(),
        next: found.next,
    }))
}

/// What the outgoing officer hands over.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DutyHandOverDraft)]
pub struct HandOverDraft {
    /// The shift.
    pub pattern_id: i64,
    /// The day on which it began, `2026-11-27`.
    pub day: String,
    /// What the next has to know, 1 to 5,000 characters.
    pub notes: String,
}

/// Open alerts and overdue cases at this moment, as far as the caller may see them; drills are none.
async fn open_now(app: &App, sight: &Sight) -> Answer<Attached> {
    let now = app.now();
    let mut read = app.records.read().await?;
    let mut open = alerts::active(&mut read, ATTACHED_MAX).await?;
    let filter = CaseFilter {
        open: Some(true),
        overdue_at: Some(now),
        order: Order::Urgent,
        ..CaseFilter::default()
    };
    let page = PageRequest {
        after: None,
        limit: Some(ATTACHED_MAX),
    };
    let overdue = records::cases::list(&mut read, &filter, &page).await?;
    drop(read);
    open.retain(|a| sight.sees_series(&a.entity_id, &a.entity_type, &a.attribute));
    let cases = overdue.items.into_iter();
    let cases = cases
        .filter(|case| case.source != DRILL && sight.sees_case(case.organisation_id.as_deref()));
    Ok(Attached {
        alerts: open
            .into_iter()
            .map(|a| HandedAlert {
                id: a.id,
                severity: a.severity,
                title_zh: a.title_zh,
                title_en: a.title_en,
                raised_at: a.raised_at.to_string(),
                acknowledged_at: a.acknowledged_at.map(|at| at.to_string()),
                entity_id: a.entity_id,
                entity_type: a.entity_type,
                attribute: a.attribute,
            })
            .collect(),
        cases: cases
            .map(|case| HandedCase {
                id: case.id,
                number: case.number,
                title: case.title,
                severity: case.severity,
                state: case.state,
                due_at: case.due_at.map(|at| at.to_string()),
                organisation_id: case.organisation_id,
            })
            .collect(),
    })
}

/// Hands a shift over (交班). Whoever is on the roster of that shift does it, once; what is open now is attached.
#[utoipa::path(post, path = "/api/v1/duty/hand-overs", tag = "duty", security(("session" = ["duty.act"])), request_body = HandOverDraft,
    responses((status = 201, body = HandOverBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Json(draft): Json<HandOverDraft>,
) -> Answer<(StatusCode, Json<HandOverBody>)> {
    let user_id = person(&caller)?;
    let notes = text(&draft.notes, "notes", 1, NOTES_CHARS_MAX)?;
    let day = roster::day(&draft.day).map_err(ApiError::invalid)?;
    let zone = app.zone()?;
    let now = app.now();
    let attached = open_now(&app, &sight).await?;
    let mut write = app.records.write().await?;
    let pattern = records::duty::pattern(&mut write, draft.pattern_id)
        .await?
        .ok_or_else(|| ApiError::not_found("shift", draft.pattern_id))?;
    must_belong(&caller, &pattern.organisation_id)?;
    organisation(&mut write, &pattern.organisation_id).await?;
    // The turns keep the times that they were made with, whatever the shift says by now.
    let (from, until) = roster::span(day, pattern.from_minute, pattern.until_minute, &zone)
        .map_err(ApiError::invalid)?;
    let id = Some(pattern.organisation_id.as_str());
    let (early, late) = (from.plus_seconds(-86_400), until.plus_seconds(86_400));
    let mut turns = records::duty::turns(&mut write, id, early, late, ATTACHED_MAX).await?;
    turns.retain(|turn| turn.pattern_id == pattern.id && turn.day == day.to_string());
    if !turns.is_empty() && !turns.iter().any(|turn| turn.user_id == user_id) {
        let told = Told::new(
            "duty-not-on-shift",
            both(
                "值班表上这个班次不是您",
                "the roster has somebody else on this shift",
            ),
            both("班次", "pattern_id"),
            both(
                "请由当班人员交班；临时换人的，先办换班",
                "let whoever was on duty hand over, or swap the turn first",
            ),
        );
        return Err(ApiError::told(StatusCode::FORBIDDEN, told));
    }
    let (from_at, until_at) = turns
        .first()
        .map_or((from, until), |turn| (turn.from_at, turn.until_at));
    if from_at > now {
        return Err(ApiError::invalid(Problem::new(
            "duty-not-begun",
            format!("the shift begins at {from_at}"),
            "day",
            "hand over at its end",
        )));
    }
    let (alerts, cases) = (attached.alerts.len(), attached.cases.len());
    let new = HandOver {
        id: 0,
        organisation_id: pattern.organisation_id.clone(),
        pattern_id: pattern.id,
        day: day.to_string(),
        from_at,
        until_at,
        notes,
        attached: json!(attached),
        outgoing_id: user_id,
        outgoing: caller.name.clone(),
        written_at: now,
        incoming_id: None,
        incoming: None,
        signed_at: None,
        remark: None,
    };
    let Some(row) = duty_acts::add_hand_over(&mut write, &new).await? else {
        let told = Told::new(
            "duty-handed-over",
            both("这个班次已经交过班", "this shift was handed over"),
            both("班次", "pattern_id"),
            both(
                "有补充的，写在下一班的交班记录里",
                "write what is to be added into the next hand-over",
            ),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    };
    let detail = json!({"day": row.day, "alerts": alerts, "cases": cases});
    let target = format!("duty-hand-over:{}", row.id);
    let actor = peer.actor(&caller);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyHandOver,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_duty();
    let body = hand_over_body(row, &[pattern], &sight);
    Ok((StatusCode::CREATED, Json(body)))
}

/// What whoever takes over remarks.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = DutySignature)]
pub struct SignBody {
    /// At most 500 characters; may be empty.
    #[serde(default)]
    pub remark: String,
}

/// Signs a hand-over (接班签收): somebody of the organisation other than who wrote it.
#[utoipa::path(post, path = "/api/v1/duty/hand-overs/{id}/sign", tag = "duty", security(("session" = ["duty.act"])),
    params(("id" = i64, Path)), request_body = SignBody,
    responses((status = 200, body = HandOverBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn sign(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
    Json(body): Json<SignBody>,
) -> Answer<Json<HandOverBody>> {
    let user_id = person(&caller)?;
    let remark = text(&body.remark, "remark", 0, REMARK_CHARS_MAX)?;
    let now = app.now();
    let mut write = app.records.write().await?;
    let before = duty_acts::hand_over(&mut write, id)
        .await?
        .filter(|row| belongs(&caller, &row.organisation_id))
        .ok_or_else(|| ApiError::not_found("hand-over", id))?;
    if before.outgoing_id == user_id {
        let told = Told::new(
            "duty-own-hand-over",
            both(
                "交班人不能自己签收",
                "who hands over cannot sign for who takes over",
            ),
            both("签收", "signature"),
            both("请接班人员签收", "let who takes over sign"),
        );
        return Err(ApiError::told(StatusCode::FORBIDDEN, told));
    }
    let who = (user_id, caller.name.as_str());
    let Some(row) = duty_acts::sign_hand_over(&mut write, id, who, &remark, now).await? else {
        let told = Told::new(
            "duty-signed",
            both("已经有人签收", "somebody signed it"),
            both("签收", "signature"),
            both("无需再签", "nothing is left to do"),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    };
    let organisation = &row.organisation_id;
    let on = records::duty::people_on_duty(&mut write, organisation, now).await?;
    let mut on_roster = on.unwrap_or_default().contains(&user_id);
    // Who comes early signs before the shift begins.
    let next = records::duty::next_turns(&mut write, organisation, now).await?;
    on_roster |= next.iter().any(|turn| turn.user_id == user_id);
    let target = format!("duty-hand-over:{id}");
    let actor = peer.actor(&caller);
    let detail = json!({"on_roster": on_roster});
    audit::insert(&mut write, now, &actor, Event::DutySign, &target, &detail).await?;
    let patterns = records::duty::patterns(&mut write, Some(organisation)).await?;
    write.commit().await?;
    app.tell_duty();
    Ok(Json(hand_over_body(row, &patterns, &sight)))
}
