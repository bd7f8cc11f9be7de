//! What the plan office does with key projects: the monthly dispatch (月调度), reminders that become cases (督办), and the assessment of
//! units (督导考核).

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::case_pages::announce;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::project_photos::PhotoBody;
use crate::projects::{
    DetailBody, Names, UnitBody, facts, kept_of, known, months_of, must_edit, must_go_on, text,
};
use crate::sight::Seeing;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cases::{Act, NewCase};
use model::Told;
use model::problem::{both, quote};
use projects::assess::{Unit, assess};
use projects::check::{TEXT_CHARS_MAX, YEARS};
use projects::months::{Month, ReportState};
use projects::reminders::About;
use records::projects::{Project, ProjectReport, Reminder};
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// The workflow of reminders: a file of the plan's pack.
pub(crate) const WORKFLOW: &str = "project-reminder";
/// The state in which a reminder has not been handed over yet.
const TO_HAND_OVER: &str = "collected";

/// Held while a reminder is sent, so that nobody is reminded of one thing twice.
static SENDING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What was stated of a project for a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectReport)]
pub struct ReportBody {
    /// The month.
    pub month: String,
    /// The organisation that answered for the project then.
    pub organisation: UnitBody,
    /// Progress.
    pub progress: String,
    /// Problems; empty for none.
    pub problems: String,
    /// When.
    pub at: String,
    /// Who stated it.
    pub by: String,
    /// Whether it was in time.
    pub in_time: bool,
}

impl ReportBody {
    pub(crate) fn of(app: &App, row: &ProjectReport, names: &Names) -> Self {
        let month = Month::parse(&row.month);
        Self {
            month: row.month.clone(),
            organisation: names.of(&row.organisation_id),
            progress: row.progress.clone(),
            problems: row.problems.clone(),
            at: row.at.to_string(),
            by: row.by_name.clone(),
            in_time: month.is_some_and(|month| app.plan.day(row.at) <= month.due()),
        }
    }
}

/// A reminder with where its case stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectReminder)]
pub struct ReminderBody {
    /// What it is about: `milestone:…`, `task:…`, `report:2026-03` or `other`.
    pub about: String,
    /// Who was reminded.
    pub organisation: UnitBody,
    /// The case.
    pub case_id: i64,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub state: String,
    /// By when it is due in that state.
    pub due_at: Option<String>,
    /// When it ended.
    pub closed_at: Option<String>,
    /// When the reminder was sent.
    pub at: String,
    /// By whom.
    pub by: String,
}

impl ReminderBody {
    pub(crate) fn of(row: Reminder, names: &Names) -> Self {
        Self {
            organisation: names.of(&row.organisation_id),
            about: row.about,
            case_id: row.case_id,
            number: row.number,
            state: row.state,
            due_at: row.due_at.map(|at| at.to_string()),
            closed_at: row.closed_at.map(|at| at.to_string()),
            at: row.at.to_string(),
            by: row.by_name,
        }
    }
}

fn month_of(text: &str) -> Answer<Month> {
    Month::parse(text).ok_or_else(|| {
        ApiError::both(
            StatusCode::BAD_REQUEST,
            "project-month",
            ["不是月份", "it is no month"],
            ["月份", "month"],
            ["请写成 2026-03 的样子", "write it like 2026-03"],
        )
    })
}

fn nobody_answers() -> ApiError {
    ApiError::both(
        StatusCode::CONFLICT,
        "project-nobody",
        [
            "该项目还没有责任单位",
            "nobody answers for this project yet",
        ],
        ["责任单位", "organisation"],
        [
            "请规划办先确定责任单位",
            "the plan office names the responsible organisation first",
        ],
    )
}

/// What is stated of a project for a month.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectReportDraft)]
pub struct ReportRequest {
    /// The month, `2026-03`; not one that is still to come.
    pub month: String,
    /// Progress.
    pub progress: String,
    /// Problems; empty for none.
    #[serde(default)]
    pub problems: String,
}

/// States progress and problems of a project for a month, once: what was stated stays.
#[utoipa::path(post, path = "/api/v1/projects/{id}/reports", tag = "projects", security(("session" = ["project.edit"])), params(("id" = String, Path)),
    request_body = ReportRequest,
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn report(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<String>,
    Json(request): Json<ReportRequest>,
) -> Answer<Json<DetailBody>> {
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, &id).await?;
    must_go_on(&row)?;
    let kept = kept_of(&row)?;
    must_edit(&caller, &kept)?;
    let month = month_of(&request.month)?;
    let progress = text(&request.progress, ["进展", "progress"], 1, TEXT_CHARS_MAX)?;
    let problems = text(&request.problems, ["问题", "problems"], 0, TEXT_CHARS_MAX)?;
    let Some(organisation) = kept.profile.organisation.clone() else {
        return Err(nobody_answers());
    };
    let is_to_come = month.first() > app.plan.day(now);
    if is_to_come || !facts(&app, &row, &kept, &[]).owes(month) {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "project-month",
            [
                "这个月不用报：还没有到，或项目那时还没有入库",
                "no report is owed for that month: it is to come, or the project was not there",
            ],
            ["月份", "month"],
            [
                "请选择入库以来到本月的月份",
                "take a month since the project is kept, up to this one",
            ],
        ));
    }
    let new = ProjectReport {
        id: 0,
        project_id: id.clone(),
        month: month.to_string(),
        organisation_id: organisation,
        progress,
        problems,
        at: now,
        by_name: actor.name.clone(),
        by_id: actor.user_id(),
    };
    if !records::projects::report(&mut write, &new, &actor).await? {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "project-reported",
            [
                "这个月已经报过",
                "something was stated for that month before",
            ],
            ["月份", "month"],
            [
                "每月只报一次；补充内容请写在下个月",
                "a month is stated once; add what is missing next month",
            ],
        ));
    }
    let detail = json!({"month": new.month, "progress": new.progress, "problems": new.problems});
    let target = format!("project:{id}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ProjectReport,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_project(&id);
    app.project_detail(&id, &caller, &sight).await
}

/// A project in the dispatch of a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectMonthItem)]
pub struct MonthItem {
    /// The project's id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Who answers for it.
    pub organisation: Option<UnitBody>,
    /// How its report stands.
    pub state: ReportState,
    /// The report.
    pub report: Option<ReportBody>,
    /// The newest photo of its site that was taken up to the month's end.
    pub photo: Option<PhotoBody>,
}

/// A project that nobody answers for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectName)]
pub struct NameBody {
    /// The project's id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

/// The dispatch of a month (月调度).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectMonth)]
pub struct MonthBody {
    /// The month.
    pub month: String,
    /// The last day on which a report is in time.
    pub due: String,
    /// The day in the city by which it is judged.
    pub day: String,
    /// Every project that owes a report or made one.
    pub items: Vec<MonthItem>,
    /// Projects of which nobody is asked, because nobody answers for them.
    pub nobody: Vec<NameBody>,
}

/// The dispatch of a month: who stated what, and who has not.
#[utoipa::path(get, path = "/api/v1/project-months/{month}", tag = "projects", security(("session" = ["project.read"])), params(("month" = String, Path)),
    responses((status = 200, body = MonthBody), (status = 400, body = ProblemBody)))]
pub async fn month(State(app): State<App>, Path(month): Path<String>) -> Answer<Json<MonthBody>> {
    let month = month_of(&month)?;
    let rows = app.project_rows().await?;
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let word = month.to_string();
    let reports = records::projects::reports(&mut read, None, Some(&word)).await?;
    let last = month.last().to_string();
    let photos = records::project_photos::newest(&mut read, &last).await?;
    drop(read);
    let day = app.plan.day(app.now());
    let (mut items, mut nobody) = (Vec::new(), Vec::new());
    for row in &rows {
        let kept = kept_of(row)?;
        let months = months_of(&app, &reports, &row.id);
        let facts = facts(&app, row, &kept, &months);
        if kept.profile.organisation.is_none() && row.ended_at.is_none() {
            nobody.push(NameBody {
                id: row.id.clone(),
                name_zh: row.name_zh.clone(),
                name_en: row.name_en.clone(),
            });
        }
        let Some(state) = facts.report(month, day) else {
            continue;
        };
        let report = reports.iter().find(|report| report.project_id == row.id);
        let photo = photos.iter().find(|photo| photo.project_id == row.id);
        items.push(MonthItem {
            id: row.id.clone(),
            name_zh: row.name_zh.clone(),
            name_en: row.name_en.clone(),
            organisation: kept.profile.organisation.as_deref().map(|id| names.of(id)),
            state,
            report: report.map(|report| ReportBody::of(&app, report, &names)),
            photo: photo.map(|photo| PhotoBody::of(&app, photo.clone())),
        });
    }
    Ok(Json(MonthBody {
        month: word,
        due: month.due().to_string(),
        day: day.to_string(),
        items,
        nobody,
    }))
}

/// A reminder to send.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectReminderDraft)]
pub struct RemindRequest {
    /// What it is about: `milestone:` and a milestone's name, `task:`, a department's id, `:` and its task, `report:` and a month, or `other`.
    pub about: String,
    /// What is asked for, in the office's words.
    pub note: String,
    /// A UUID made for this one request: sent twice, one case is opened.
    pub request_id: Option<String>,
}

/// What the reminder is about, which must be there to be reminded of.
fn about(word: &str, kept: &projects::Kept) -> Answer<About> {
    let about = About::parse(word);
    let known = about.filter(|about| match about {
        About::Milestone(name) => kept
            .milestones
            .iter()
            .any(|m| m.name == *name && m.done.is_none()),
        About::Task { .. } => {
            let mut open = kept.tasks.iter().filter(|task| task.done.is_none());
            open.any(|task| About::from(task) == *about)
        }
        About::Report(_) | About::Other => true,
    });
    known.ok_or_else(|| {
        ApiError::both(
            StatusCode::BAD_REQUEST,
            "project-about",
            [
                "没有可以督办的这个事项",
                "there is no such thing to remind of",
            ],
            ["事项", "about"],
            [
                "请选择未完成的里程碑或任务、未报的月份，或其他",
                "take a milestone that was not reached, a task that was not done, a month, or other",
            ],
        )
    })
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

/// Sends a reminder: a case of the responsible organisation, or of the department whose task it is, with clocks in working time.
#[utoipa::path(post, path = "/api/v1/projects/{id}/reminders", tag = "projects", security(("session" = ["project.manage"])), params(("id" = String, Path)),
    request_body = RemindRequest,
    responses((status = 201, body = DetailBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn remind(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<String>,
    Json(request): Json<RemindRequest>,
) -> Answer<(StatusCode, Json<DetailBody>)> {
    let note = text(&request.note, ["要求", "note"], 1, TEXT_CHARS_MAX)?;
    let _sending = SENDING.lock().await;
    let mut read = app.records.read().await?;
    let row = known(&mut read, &id).await?;
    must_go_on(&row)?;
    let kept = kept_of(&row)?;
    let about = about(&request.about, &kept)?;
    // A task is its department's own, whoever answers for the project.
    let organisation = match &about {
        About::Task { organisation, .. } => Some(organisation.as_str()),
        About::Milestone(_) | About::Report(_) | About::Other => {
            kept.profile.organisation.as_deref()
        }
    };
    let organisation = organisation.ok_or_else(nobody_answers)?;
    let word = about.word();
    let sent = records::projects::reminders(&mut read, Some(&id)).await?;
    drop(read);
    let open = sent
        .iter()
        .find(|r| r.about == word && r.closed_at.is_none());
    if let Some(open) = open.filter(|_| about != About::Other) {
        let number = quote(&open.number);
        let told = Told::new(
            "project-reminded",
            both(
                format!("这一事项正在督办：{number}"),
                format!("somebody is reminded of it: {number}"),
            ),
            both("事项", "about"),
            both("请在那个督办案件里继续", "go on with that case"),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    let case = open_case(
        &app,
        &row,
        &about,
        &note,
        organisation,
        &request,
        (&caller, peer),
    )
    .await?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let key = (id.as_str(), word.as_str(), organisation);
    records::projects::remind(&mut write, key, case.id, &actor, now).await?;
    let detail = json!({"about": word, "case": case.number});
    let target = format!("project:{id}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ProjectRemind,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    announce(&app, &case);
    app.tell_project(&id);
    let detail = app.project_detail(&id, &caller, &sight).await?;
    Ok((StatusCode::CREATED, detail))
}

/// The case of a reminder, handed over to the organisation. The same request finds the case that it opened before.
async fn open_case(
    app: &App,
    row: &Project,
    about: &About,
    note: &str,
    organisation: &str,
    request: &RemindRequest,
    (caller, peer): (&identity::Principal, Peer),
) -> Answer<cases::CaseSummary> {
    let options = app.cases.options();
    let new = NewCase {
        title: cut(&about.title_zh(&row.name_zh), options.title_chars_max),
        description: cut(note, options.text_chars_max),
        workflow: Some(WORKFLOW.to_owned()),
        request_id: request.request_id.clone(),
        ..NewCase::default()
    };
    let (acting, now) = (peer.acting(caller), app.now());
    let opened = app.cases.open(&new, &acting, now).await?;
    if opened.case.state != TO_HAND_OVER {
        return Ok(opened.case);
    }
    let act = Act {
        action: "dispatch".to_owned(),
        organisation: Some(organisation.to_owned()),
        ..Act::default()
    };
    Ok(app
        .cases
        .act(opened.case.id, &act, &acting, now)
        .await?
        .case)
}

/// A unit and what is counted of it, with its names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectUnitAssessment)]
pub struct AssessedBody {
    /// The unit; null for projects that nobody answers for.
    pub unit: Option<UnitBody>,
    /// What is counted, with the rows behind it.
    pub figures: Unit,
}

/// The assessment of units for a year (督导考核).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectAssessment)]
pub struct AssessmentBody {
    /// The year.
    pub year: i16,
    /// The day in the city by which it is judged.
    pub day: String,
    /// The units.
    pub units: Vec<AssessedBody>,
    /// The projects by id, to name the rows.
    pub projects: Vec<NameBody>,
}

/// How units kept their projects within a year: milestones, money and monthly reports, each figure with its rows.
#[utoipa::path(get, path = "/api/v1/project-assessments/{year}", tag = "projects", security(("session" = ["project.read"])), params(("year" = i16, Path)),
    responses((status = 200, body = AssessmentBody), (status = 400, body = ProblemBody)))]
pub async fn assessment(
    State(app): State<App>,
    Path(year): Path<String>,
) -> Answer<Json<AssessmentBody>> {
    let year = year
        .parse::<i16>()
        .ok()
        .filter(|year| (YEARS[0]..=YEARS[1]).contains(year));
    let year = year.ok_or_else(|| {
        ApiError::both(
            StatusCode::BAD_REQUEST,
            "project-year",
            ["不是可以考核的年份", "it is no year to assess"],
            ["年份", "year"],
            [
                "请写 2000 到 2100 之间的年份",
                "write a year from 2000 to 2100",
            ],
        )
    })?;
    let rows = app.project_rows().await?;
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let reports = records::projects::reports(&mut read, None, None).await?;
    drop(read);
    let day = app.plan.day(app.now());
    let mut known = Vec::new();
    for row in &rows {
        known.push((row, kept_of(row)?, months_of(&app, &reports, &row.id)));
    }
    let all = known
        .iter()
        .map(|(row, kept, months)| facts(&app, row, kept, months));
    let units = assess(all, year, day).into_iter();
    let units = units.map(|figures| AssessedBody {
        unit: figures.organisation.as_deref().map(|id| names.of(id)),
        figures,
    });
    Ok(Json(AssessmentBody {
        year,
        day: day.to_string(),
        units: units.collect(),
        projects: rows
            .iter()
            .map(|row| NameBody {
                id: row.id.clone(),
                name_zh: row.name_zh.clone(),
                name_en: row.name_en.clone(),
            })
            .collect(),
    }))
}
