//! The shift report (值班报告) of an organisation and a period as PDF or as a Word-compatible file: what the caller may see of alerts and
//! cases, the plans that were started, and the hand-overs. What it says is decided in the crate `duty`.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::{TURNS_SHOWN_MAX, must_belong, organisation, turn_bodies};
use crate::duty_plans::plan_of;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::{Seeing, Sight};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use duty::document::Language;
use duty::report::{ActivationLine, AlertLine, CaseLine, HandOverLine, Report};
use duty::{docx, pdf, roster};
use jiff::tz::TimeZone;
use model::problem::quote;
use model::{Problem, Timestamp};
use records::cases::Case;
use records::duty_acts::{self, Activation};
use records::{Connection, Event, alerts, audit};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

/// Longest period of a report, days.
const PERIOD_DAYS_MAX: i64 = 31;
/// Most alerts, cases and activations that are looked at.
const ROWS_MAX: u32 = 20_000;
/// Rows that are read together.
const READ_ROWS: u32 = 1_000;

/// Which report.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ReportQuery {
    /// The organisation whose shift it was.
    pub organisation: String,
    /// From when (RFC 3339).
    pub from: String,
    /// Until when (RFC 3339), at most 31 days later.
    pub until: String,
    /// `pdf` (default) or `docx`.
    pub format: Option<String>,
    /// `zh` (default) or `en`: the reader's language. What people wrote stays as they wrote it.
    pub language: Option<String>,
}

/// A period with the zone and the language that it is told in.
struct Period {
    from: Timestamp,
    until: Timestamp,
    zone: TimeZone,
    language: Language,
}

impl Period {
    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    fn said(&self, at: Timestamp) -> String {
        roster::local(at, &self.zone)
    }

    fn said_if(&self, at: Option<Timestamp>) -> String {
        at.map(|at| self.said(at)).unwrap_or_default()
    }

    /// The one of two wordings that is in the reader's language.
    fn pick<T>(&self, zh: T, en: T) -> T {
        self.language.pick(zh, en)
    }
}

fn period(app: &App, query: &ReportQuery) -> Answer<Period> {
    let from = Timestamp::parse(&query.from).map_err(ApiError::invalid)?;
    let until = Timestamp::parse(&query.until).map_err(ApiError::invalid)?;
    if until <= from || until.micros_since(from) > PERIOD_DAYS_MAX * 86_400_000_000 {
        return Err(ApiError::invalid(Problem::new(
            "duty-period",
            format!("from {from} until {until} is no period of a report"),
            "until",
            format!("name an end within {PERIOD_DAYS_MAX} days of the beginning"),
        )));
    }
    let language = match query.language.as_deref() {
        None | Some("") => Language::default(),
        Some(word) => word.parse().map_err(ApiError::invalid)?,
    };
    Ok(Period {
        from,
        until,
        zone: app.zone()?,
        language,
    })
}

async fn alerts_of(
    connection: &mut Connection,
    sight: &Sight,
    period: &Period,
    report: &mut Report,
) -> Answer<()> {
    let rows = alerts::between(connection, period.from, period.until, ROWS_MAX).await?;
    for alert in rows {
        if !sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute) {
            continue;
        }
        let within = |at: Option<Timestamp>| at.is_some_and(|at| period.holds(at));
        let is_raised = period.holds(alert.raised_at);
        let (is_cleared, is_answered) = (within(alert.cleared_at), within(alert.acknowledged_at));
        report.figures.alerts_raised += usize::from(is_raised);
        report.figures.alerts_cleared += usize::from(is_cleared);
        report.figures.alerts_answered += usize::from(is_answered);
        if !is_raised && !is_cleared && !is_answered {
            continue;
        }
        let by = alert.acknowledged_by.unwrap_or_default();
        let answered = match alert.acknowledged_at {
            Some(at) => format!("{} {by}", period.said(at)),
            None => period.pick("未确认", "not acknowledged").to_owned(),
        };
        let name = alert.entity_name.unwrap_or_default();
        let said = period.pick(alert.title_zh, alert.title_en);
        let title = match sight.sees_series(&alert.entity_id, &alert.entity_type, "name")
            && !said.contains(&name)
        {
            true => format!("{name} {said}"),
            false => said,
        };
        report.alerts.push(AlertLine {
            raised: period.said(alert.raised_at),
            severity: alert.severity,
            title,
            answered,
            cleared: alert.cleared_at.map_or_else(
                || period.pick("未解除", "not cleared").to_owned(),
                |at| period.said(at),
            ),
        });
    }
    Ok(())
}

fn case_line(app: &App, case: Case, period: &Period) -> CaseLine {
    let workflow = app.cases.workflow(&case.workflow).ok();
    let state = workflow
        .as_ref()
        .and_then(|workflow| workflow.state(&case.state))
        .map_or(case.state.as_str(), |state| {
            period.pick(state.title_zh.as_str(), state.title_en.as_str())
        })
        .to_owned();
    let ends = match (case.closed_at, case.due_at) {
        (Some(at), _) => format!("{} {}", period.pick("结案", "closed"), period.said(at)),
        (None, Some(at)) => format!("{} {}", period.pick("时限", "due"), period.said(at)),
        (None, None) => String::new(),
    };
    CaseLine {
        number: case.number,
        title: case.title,
        state,
        opened: period.said(case.created_at),
        ends,
    }
}

async fn cases_of(
    app: &App,
    connection: &mut Connection,
    sight: &Sight,
    period: &Period,
    report: &mut Report,
) -> Answer<()> {
    // Of a shift that is not over what is overdue now is told.
    let end = period.until.min(app.now());
    let (mut after, mut looked) = (0, 0);
    while looked < ROWS_MAX {
        let some =
            records::cases::of_period(connection, period.from, period.until, after, READ_ROWS)
                .await?;
        let Some(last) = some.last() else { break };
        after = last.id;
        looked += READ_ROWS;
        for case in some {
            if !sight.sees_case(case.organisation_id.as_deref()) {
                continue;
            }
            let is_opened = period.holds(case.created_at);
            let is_closed = case.closed_at.is_some_and(|at| period.holds(at));
            let is_open = case.closed_at.is_none_or(|at| at >= end);
            let is_overdue =
                is_open && case.suspended_at.is_none() && case.due_at.is_some_and(|due| due < end);
            report.figures.cases_opened += usize::from(is_opened);
            report.figures.cases_closed += usize::from(is_closed);
            report.figures.cases_overdue += usize::from(is_overdue);
            if is_opened || is_closed || is_overdue {
                report.cases.push(case_line(app, case, period));
            }
        }
    }
    Ok(())
}

async fn activation_line(
    connection: &mut Connection,
    row: Activation,
    period: &Period,
) -> Answer<ActivationLine> {
    let plan = plan_of(&row);
    let done = duty_acts::steps(connection, row.id).await?;
    let late = done.iter().filter(|step| {
        let declared = plan.step(&step.step_id);
        declared.is_some_and(|declared| step.at > declared.due_at(row.started_at))
    });
    let late = late.count();
    let drill = match row.drill {
        true => period.pick("【演练】", "[Drill] "),
        false => "",
    };
    let summary = row.summary.map_or_else(String::new, |s| format!("\n{s}"));
    let title = period.pick(&plan.title_zh, &plan.title_en);
    let (done, all) = (done.len(), plan.steps.len());
    Ok(ActivationLine {
        started: format!("{} {}", period.said(row.started_at), row.started_by),
        title: format!("{drill}{title}{summary}"),
        steps: period.pick(
            format!("完成 {done}/{all}，超时 {late}"),
            format!("{done} of {all} done, {late} late"),
        ),
        ended: match row.ended_at {
            Some(_) => period.said_if(row.ended_at),
            None => period.pick("进行中", "under way").to_owned(),
        },
    })
}

async fn duty_of(
    connection: &mut Connection,
    organisation: &str,
    period: &Period,
    report: &mut Report,
) -> Answer<()> {
    let (from, until) = (period.from, period.until);
    let turns =
        records::duty::turns(connection, Some(organisation), from, until, TURNS_SHOWN_MAX).await?;
    let bodies = turn_bodies(connection, &turns, Vec::new()).await?;
    let mut shifts: Vec<String> = Vec::new();
    for turn in bodies {
        let person = format!("{} {}", turn.post, turn.user_name);
        if !report.on_duty.contains(&person) {
            report.on_duty.push(person);
        }
        let shift = period.pick(turn.pattern_zh, turn.pattern_en);
        if !shifts.contains(&shift) {
            shifts.push(shift);
        }
    }
    report.shift = shifts.join(period.pick("、", ", "));
    let rows =
        duty_acts::activations_between(connection, organisation, from, until, ROWS_MAX).await?;
    for row in rows {
        if period.holds(row.started_at) {
            let count = match row.drill {
                true => &mut report.figures.drills,
                false => &mut report.figures.activations,
            };
            *count += 1;
        }
        let line = activation_line(connection, row, period).await?;
        report.activations.push(line);
    }
    for row in duty_acts::hand_overs_between(connection, organisation, from, until).await? {
        let incoming = match (&row.incoming, row.signed_at) {
            (Some(name), Some(at)) => format!("{name} {}", period.said(at)),
            _ => period.pick("尚未签收", "not signed").to_owned(),
        };
        let remark = row.remark.filter(|remark| !remark.is_empty());
        let head = period.pick("接班意见：", "Remark: ");
        let remark = remark.map_or_else(String::new, |remark| format!("\n{head}{remark}"));
        report.hand_overs.push(HandOverLine {
            outgoing: format!("{} {}", row.outgoing, period.said(row.written_at)),
            incoming,
            notes: format!("{}{remark}", row.notes),
        });
    }
    Ok(())
}

/// The shift report of an organisation and a period, as a file. Drills are told in it and counted in no figure.
#[utoipa::path(get, path = "/api/v1/duty/report", tag = "duty", security(("session" = ["duty.read"])), params(ReportQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody),
    (status = 403, body = ProblemBody)))]
pub async fn report(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Query(query): Query<ReportQuery>,
) -> Answer<Response> {
    must_belong(&caller, &query.organisation)?;
    let period = period(&app, &query)?;
    let (is_pdf, media_type) = match query.format.as_deref() {
        None | Some("" | "pdf") => (true, "application/pdf"),
        Some("docx") => (false, docx::MEDIA_TYPE),
        Some(other) => {
            return Err(ApiError::invalid(Problem::new(
                "duty-format",
                format!("\"{}\" is no format of a report", quote(other)),
                "format",
                "use pdf or docx",
            )));
        }
    };
    let now = app.now();
    let mut read = app.records.read().await?;
    let of = organisation(&mut read, &query.organisation).await?;
    let mut filled = Report {
        city: period.pick(&app.city.name_zh, &app.city.name_en).clone(),
        organisation: period.pick(of.name_zh, of.name_en),
        period: format!(
            "{} {} {}",
            period.said(period.from),
            period.pick("至", "to"),
            period.said(period.until)
        ),
        made: format!("{} {}", caller.name, period.said(now)),
        ..Report::default()
    };
    if caller.may(identity::Permission::AlertRead) {
        alerts_of(&mut read, &sight, &period, &mut filled).await?;
    }
    if caller.may(identity::Permission::CaseRead) {
        cases_of(&app, &mut read, &sight, &period, &mut filled).await?;
    }
    duty_of(&mut read, &query.organisation, &period, &mut filled).await?;
    drop(read);
    let language = period.language;
    let written = tokio::task::spawn_blocking(move || {
        let document = duty::report::document(&filled, language);
        match is_pdf {
            true => pdf::write(&document, pdf::FONT),
            false => docx::write(&document),
        }
    });
    let bytes = written
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    let format = if is_pdf { "pdf" } else { "docx" };
    let mut write = app.records.write().await?;
    let detail = json!({"from": period.from.to_string(), "until": period.until.to_string(), "format": format, "language": language.tag()});
    let target = format!("organisation:{}", query.organisation);
    let actor = peer.actor(&caller);
    audit::insert(&mut write, now, &actor, Event::DutyReport, &target, &detail).await?;
    write.commit().await?;
    let day = roster::day_of(period.from, &period.zone);
    let name = format!("attachment; filename=\"duty-report-{day}.{format}\"");
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
