//! The register of numbers of the plan office's documents (发文登记): the platform gives the next number of a year, writes the document in
//! every format and keeps the files as they were issued, by their SHA-256. The same number is given once; what is void keeps its row and
//! why; what is missing between the numbers can be seen.

use super::{Asked, Format, Period, PlanDocumentKind, base, language_of, made, refused, written};
use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::headers::IsHttps;
use crate::plan_reports::{conflict, invalid, reason_place};
use crate::sight::Seeing;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use identity::{Permission, Principal};
use indicators::reports as rules;
use model::Told;
use model::problem::{both, quote};
use projects::check::YEARS;
use records::plan_numbers::{self, NewFile, NewNumber, PlanFile, PlanNumber};
use records::{Connection, Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Largest number of a document in a year.
const NUMBER_MAX: i64 = 9_999;
/// In what a numbered document is written.
const FORMATS: [Format; 3] = [Format::Pdf, Format::Docx, Format::Xlsx];

/// Held from looking for the next number until it is given, so that no two have one.
static GIVING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A document to number.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct PlanNumberDraft {
    /// `zh` (default) or `en`.
    #[serde(default)]
    pub language: Option<String>,
    /// The id of a plan; the one that held at the end of the period when left out.
    #[serde(default)]
    pub plan: Option<String>,
    /// A number that is free, 1 to 9999, where numbers were given on paper before; the next one when left out.
    #[serde(default)]
    pub number: Option<i64>,
}

/// Why a number is void.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PlanNumberVoid {
    /// Why.
    pub reason: String,
}

/// A file of a numbered document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanNumberFile {
    /// `pdf`, `docx` or `xlsx`.
    pub format: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
}

/// A number of the register. The name of its schema tells it from the row.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PlanNumber)]
pub struct PlanNumberBody {
    /// Of which year.
    pub year: i64,
    /// The number.
    pub number: i64,
    /// As it stands on the document.
    pub name: String,
    /// Which document; null for a number that was never used and is void.
    pub kind: Option<PlanDocumentKind>,
    /// Of which period.
    pub period: String,
    /// Of which plan.
    pub plan: Option<String>,
    /// Its language, as a tag.
    pub language: String,
    /// Its title.
    pub title: String,
    /// When it was given.
    pub at: String,
    /// To whom.
    pub by: String,
    /// The files as they were issued.
    pub files: Vec<PlanNumberFile>,
    /// When it was made void; null while it holds.
    pub voided_at: Option<String>,
    /// By whom.
    pub voided_by: Option<String>,
    /// Why.
    pub voided_why: Option<String>,
}

impl PlanNumberBody {
    fn of(row: PlanNumber, files: &[PlanFile]) -> Self {
        let own = files.iter().filter(|file| file.number_id == row.id);
        let files = own.map(|file| PlanNumberFile {
            format: file.format.clone(),
            size_bytes: file.size_bytes,
            sha256: file.sha256.clone(),
        });
        Self {
            year: row.year,
            number: row.number,
            name: row.name,
            kind: PlanDocumentKind::parse(&row.kind).ok(),
            period: row.period,
            plan: row.plan,
            language: row.language,
            title: row.title,
            at: row.given_at.to_string(),
            by: row.given_by,
            files: files.collect(),
            voided_at: row.voided_at.map(|at| at.to_string()),
            voided_by: row.voided_by,
            voided_why: row.voided_why,
        }
    }
}

/// Numbers that were not given though larger ones were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanNumberGap {
    /// The first that is missing.
    pub first: i64,
    /// The last that is missing; the first for one alone.
    pub last: i64,
}

/// The register of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanNumbers {
    /// The year.
    pub year: i64,
    /// The years in which numbers were given, the last first, with this one.
    pub years: Vec<i64>,
    /// The next number.
    pub next: i64,
    /// As it would stand on the document.
    pub next_name: String,
    /// What is missing.
    pub gaps: Vec<PlanNumberGap>,
    /// The numbers, the largest first.
    pub items: Vec<PlanNumberBody>,
    /// Whether the caller may give numbers and make them void.
    pub may_give: bool,
}

/// Of which year.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PlanNumbersQuery {
    /// The year; the present one when left out.
    pub year: Option<String>,
}

/// What is missing among the numbers of a year, from 1 to the largest.
fn gaps(given: &BTreeSet<i64>) -> Vec<PlanNumberGap> {
    let (mut all, mut expected) = (Vec::new(), 1);
    for number in given {
        if *number > expected {
            all.push(PlanNumberGap {
                first: expected,
                last: number - 1,
            });
        }
        expected = number + 1;
    }
    all
}

fn must_see(caller: &Principal) -> Answer<()> {
    match caller.may(Permission::ProjectRead) {
        true => Ok(()),
        false => Err(ApiError::forbidden("project.read")),
    }
}

fn number_place() -> model::problem::Both {
    both("发文顺序号（number）", "number")
}

fn year_of(text: &str) -> Answer<i64> {
    let year = super::year(text).map(i64::from);
    year.ok_or_else(|| {
        refused(
            "document-year",
            both(
                format!("“{}”不是年份", quote(text)),
                format!("\"{}\" is no year", quote(text)),
            ),
            both("年份（year）", "year"),
            both(
                format!("请写 {} 到 {} 之间的年份", YEARS[0], YEARS[1]),
                format!("write a year from {} to {}", YEARS[0], YEARS[1]),
            ),
        )
    })
}

fn number_of(number: i64) -> Answer<i64> {
    if (1..=NUMBER_MAX).contains(&number) {
        return Ok(number);
    }
    Err(refused(
        "document-number",
        both(
            format!("{number} 不是发文顺序号"),
            format!("{number} is no number of a document"),
        ),
        number_place(),
        both(
            format!("请写 1 到 {NUMBER_MAX} 的整数；不写就取下一个"),
            format!("write a whole number of 1 to {NUMBER_MAX}; leave it out for the next one"),
        ),
    ))
}

/// Asks that a number is free.
fn must_be_free(row: Option<&PlanNumber>) -> Answer<()> {
    let Some(row) = row else {
        return Ok(());
    };
    let (name, by, at) = (&row.name, &row.given_by, row.given_at);
    let (zh, en) = match row.voided_at {
        Some(_) => (
            format!("{name} 已经作废，不再使用"),
            format!("{name} is void and is not used again"),
        ),
        None => (
            format!("{name} 已由 {by} 于 {at} 用于《{}》", quote(&row.title)),
            format!("{name} was given to {by} at {at} for {}", quote(&row.title)),
        ),
    };
    Err(conflict(Told::new(
        "document-number-taken",
        both(zh, en),
        number_place(),
        both(
            "一个号只用一次；不写顺序号就取下一个",
            "a number is given once; leave it out for the next one",
        ),
    )))
}

/// Asks that the document has no number that holds.
async fn must_be_first(write: &mut Connection, year: i64, new: &NewNumber<'_>) -> Answer<()> {
    for year in [year, year - 1] {
        let rows = plan_numbers::of_year(write, year).await?.into_iter();
        let mut same = rows.filter(|row| {
            row.voided_at.is_none()
                && (
                    row.kind.as_str(),
                    row.period.as_str(),
                    row.language.as_str(),
                ) == (new.kind, new.period, new.language)
                && row.plan.as_deref() == new.plan
        });
        if let Some(row) = same.next() {
            return Err(conflict(Told::new(
                "document-numbered",
                both(
                    format!("这份公文已编为 {}", row.name),
                    format!("the document has the number {}", row.name),
                ),
                both("所属期（period）", "period"),
                both(
                    "请从登记簿下载原件；要重发，先把那个号作废",
                    "take its files from the register; to issue it again, make that number void first",
                ),
            )));
        }
    }
    Ok(())
}

/// Gives a document its number, the next of the year, and keeps it as PDF, .docx and .xlsx as it was issued.
#[utoipa::path(post, path = "/api/v1/plan/documents/{kind}/{period}", tag = "plan", security(("session" = ["indicator.lock"])),
    params(("kind" = String, Path, description = "`circular`, `meeting` or `assessment`."),
        ("period" = String, Path, description = "A month such as `2026-10`; of an assessment a year such as `2025`.")),
    request_body = PlanNumberDraft,
    responses((status = 201, body = PlanNumberBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub async fn give(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    is_https: IsHttps,
    Path((kind, period)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<PlanNumberDraft>,
) -> Answer<(StatusCode, Json<PlanNumberBody>)> {
    must_see(&caller)?;
    let now = app.now();
    let today = app.plan.day(now);
    let kind = PlanDocumentKind::parse(&kind)?;
    let wanted = request.number.map(number_of).transpose()?;
    let mut asked = Asked {
        kind,
        period: Period::parse(kind, &period, today)?,
        language: language_of(request.language.as_deref())?,
        number: None,
        plan: request.plan.filter(|plan| !plan.is_empty()),
        base: base(&app, &headers, &uri, is_https),
        now,
    };
    let year = i64::from(today.year());
    let _one_at_a_time = GIVING.lock().await;
    let mut read = app.records.read().await?;
    let next = plan_numbers::last(&mut read, year).await? + 1;
    let number = number_of(wanted.unwrap_or(next))?;
    must_be_free(plan_numbers::get(&mut read, year, number).await?.as_ref())?;
    drop(read);
    asked.number = u32::try_from(number).ok();
    let (document, plan) = made(&app, &caller, &sight, &asked).await?;
    let document = Arc::new(document);
    let (name, title) = (
        document.number.clone().unwrap_or_default(),
        document.title.clone(),
    );
    let period = asked.period.to_string();
    let new = NewNumber {
        year,
        number,
        name: &name,
        kind: kind.word(),
        period: &period,
        plan: plan.as_deref(),
        language: asked.language.tag(),
        title: &title,
    };
    let mut read = app.records.read().await?;
    must_be_first(&mut read, year, &new).await?;
    drop(read);
    let mut files = Vec::new();
    for format in FORMATS {
        let Some((ending, media_type)) = format.file() else {
            continue;
        };
        let bytes = written(Arc::clone(&document), format).await?;
        files.push(NewFile {
            format: ending,
            media_type,
            size_bytes: i64::try_from(bytes.len()).map_err(ApiError::internal)?,
            sha256: app.cases.keep_written(bytes).await?,
        });
    }
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    let row = plan_numbers::give(&mut write, &new, &files, &actor, now).await?;
    let told: Vec<_> = files
        .iter()
        .map(|file| json!({"format": file.format, "sha256": file.sha256}))
        .collect();
    let detail = json!({"number": row.name, "language": row.language, "files": told});
    let target = format!("plan-document:{}/{period}", kind.word());
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::PlanNumberGive,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    let mut read = app.records.read().await?;
    let kept = plan_numbers::files_of_year(&mut read, year).await?;
    Ok((StatusCode::CREATED, Json(PlanNumberBody::of(row, &kept))))
}

/// The register of a year: every number with its document, what is void and what is missing.
#[utoipa::path(get, path = "/api/v1/plan/document-numbers", tag = "plan", security(("session" = ["indicator.read"])), params(PlanNumbersQuery),
    responses((status = 200, body = PlanNumbers), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<PlanNumbersQuery>,
) -> Answer<Json<PlanNumbers>> {
    must_see(&caller)?;
    let this_year = app.plan.day(app.now()).year();
    let year = match &query.year {
        Some(text) => year_of(text)?,
        None => i64::from(this_year),
    };
    let mut read = app.records.read().await?;
    let rows = plan_numbers::of_year(&mut read, year).await?;
    let files = plan_numbers::files_of_year(&mut read, year).await?;
    let mut years: BTreeSet<i64> = plan_numbers::years(&mut read).await?.into_iter().collect();
    drop(read);
    years.extend([year, i64::from(this_year)]);
    let given: BTreeSet<i64> = rows.iter().map(|row| row.number).collect();
    let next = given.last().map_or(1, |last| last + 1);
    Ok(Json(PlanNumbers {
        year,
        years: years.into_iter().rev().collect(),
        next,
        next_name: super::number_name(&app, year, next),
        gaps: gaps(&given),
        items: rows
            .into_iter()
            .map(|row| PlanNumberBody::of(row, &files))
            .collect(),
        may_give: caller.may(Permission::IndicatorLock),
    }))
}

fn no_such(year: i64, number: i64) -> ApiError {
    ApiError::not_found("document-number", format!("{year}/{number}"))
}

/// A file of a numbered document, as it was issued.
#[utoipa::path(get, path = "/api/v1/plan/document-numbers/{year}/{number}/{format}", tag = "plan", security(("session" = ["indicator.read"])),
    params(("year" = i64, Path), ("number" = i64, Path), ("format" = String, Path, description = "`pdf`, `docx` or `xlsx`.")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn file(
    State(app): State<App>,
    Caller(caller): Caller,
    Path((year, number, format)): Path<(i64, i64, String)>,
) -> Answer<Response> {
    must_see(&caller)?;
    let mut read = app.records.read().await?;
    let row = plan_numbers::get(&mut read, year, number).await?;
    let row = row.ok_or_else(|| no_such(year, number))?;
    let files = plan_numbers::files_of_year(&mut read, year).await?;
    drop(read);
    let mut files = files.into_iter().filter(|file| file.number_id == row.id);
    let file = files.find(|file| file.format == format);
    let file = file.ok_or_else(|| ApiError::not_found("format", quote(&format)))?;
    let bytes = app.cases.kept(&file.sha256).await?;
    let name = format!(
        "plan-{}-{}-{year}-{number}.{}",
        row.kind, row.period, file.format
    );
    let headers = [
        (header::CONTENT_TYPE, file.media_type),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// Makes a number void, with the reason: its row and its files stay, and it is not given again. One that is missing is said to be void.
#[utoipa::path(post, path = "/api/v1/plan/document-numbers/{year}/{number}/void", tag = "plan", security(("session" = ["indicator.lock"])),
    params(("year" = i64, Path), ("number" = i64, Path)), request_body = PlanNumberVoid,
    responses((status = 200, body = PlanNumberBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn void(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((year, number)): Path<(i64, i64)>,
    Json(request): Json<PlanNumberVoid>,
) -> Answer<Json<PlanNumberBody>> {
    must_see(&caller)?;
    let reason = rules::check_text(&request.reason, &reason_place(), true).map_err(invalid)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    let _one_at_a_time = GIVING.lock().await;
    let mut write = app.records.write().await?;
    let found = plan_numbers::get(&mut write, year, number).await?;
    let last = plan_numbers::last(&mut write, year).await?;
    let row = match found {
        Some(row) => row,
        None if (1..last).contains(&number) => {
            let name = super::number_name(&app, year, number);
            let missing = NewNumber {
                year,
                number,
                name: &name,
                kind: "",
                period: "",
                plan: None,
                language: "",
                title: "",
            };
            plan_numbers::give(&mut write, &missing, &[], &actor, now).await?
        }
        None => return Err(no_such(year, number)),
    };
    if !plan_numbers::void(&mut write, row.id, reason, &actor, now).await? {
        return Err(conflict(Told::new(
            "document-number-void",
            both(
                format!("{} 已经作废", row.name),
                format!("{} is void already", row.name),
            ),
            number_place(),
            both("不用再办", "there is nothing to do"),
        )));
    }
    let detail = json!({"number": row.name, "reason": reason});
    let target = format!("plan-number:{year}/{number}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::PlanNumberVoid,
        &target,
        &detail,
    )
    .await?;
    let row = plan_numbers::get(&mut write, year, number).await?;
    let files = plan_numbers::files_of_year(&mut write, year).await?;
    write.commit().await?;
    let row = row.ok_or_else(|| no_such(year, number))?;
    Ok(Json(PlanNumberBody::of(row, &files)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_between_the_numbers_is_told() {
        let of = |given: &[i64]| {
            let found = gaps(&given.iter().copied().collect()).into_iter();
            found.map(|gap| (gap.first, gap.last)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[1, 2, 3]), []);
        assert_eq!(of(&[3, 4, 6, 12]), [(1, 2), (5, 5), (7, 11)]);
    }

    #[test]
    fn numbers_are_whole_and_within_what_is_written() {
        for (number, is_one) in [
            (0, false),
            (1, true),
            (9_999, true),
            (10_000, false),
            (-1, false),
        ] {
            assert_eq!(number_of(number).is_ok(), is_one, "{number}");
        }
        for (text, year) in [
            ("2026", Some(2026)),
            ("26", None),
            ("+026", None),
            ("3000", None),
        ] {
            assert_eq!(year_of(text).ok(), year, "{text}");
        }
    }
}
