//! Documents of the plan office (公文): the monthly circular (通报), the pack of the monthly dispatch meeting (会议材料) and the yearly
//! assessment (年度评估报告), made of the data as it stands when they are asked for, as PDF, .docx, .xlsx, or as JSON for the page. What
//! is read is [`gathered`]'s, what each says stands in the module of its kind, how it is laid out in `duty::official`. Without a number it
//! is a draft; [`numbers`] gives numbers and keeps what was numbered.

mod assessment;
mod circular;
mod gathered;
mod meeting;
pub mod numbers;
mod words;

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::headers::{IsHttps, is_secure};
use crate::plans;
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use duty::document::Language;
use duty::official::{self, Block, Level, Official, Span, Words, xlsx};
use duty::{docx, pdf};
use identity::{Permission, Principal};
use jiff::civil::Date;
use model::problem::{Both, both, quote};
use model::{Timestamp, Told};
use projects::check::YEARS;
use projects::months::Month;
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What can be set of the documents; an empty text takes what follows from the city's name.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Who issues them, in Chinese.
    pub issuer_zh: String,
    /// Who issues them, in English.
    pub issuer_en: String,
    /// What stands before the year in a document's number (机关代字).
    pub number_prefix: String,
    /// To whom they go (主送机关), in Chinese.
    pub to_zh: String,
    /// To whom they go, in English.
    pub to_en: String,
    /// Who else has them (抄送机关), in Chinese.
    pub copies_zh: String,
    /// Who else has them, in English.
    pub copies_en: String,
    /// Where people reach the city, without a slash at the end; empty: where it was asked.
    pub public_url: String,
}

/// Which document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanDocumentKind {
    /// The monthly circular (通报).
    Circular,
    /// The pack of the monthly dispatch meeting (会议材料).
    Meeting,
    /// The yearly assessment (年度评估报告).
    Assessment,
}

impl PlanDocumentKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Circular => "circular",
            Self::Meeting => "meeting",
            Self::Assessment => "assessment",
        }
    }

    fn parse(word: &str) -> Answer<Self> {
        let all = [Self::Circular, Self::Meeting, Self::Assessment];
        all.into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| {
                refused(
                    "document-kind",
                    both(
                        format!("没有“{}”这种公文", quote(word)),
                        format!("there is no document \"{}\"", quote(word)),
                    ),
                    both("公文种类（kind）", "kind"),
                    both(
                        "请用 circular（通报）、meeting（会议材料）或 assessment（年度评估报告）",
                        "use circular, meeting or assessment",
                    ),
                )
            })
    }
}

/// How it is wanted.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PlanDocumentQuery {
    /// `json` (default), `pdf`, `docx` or `xlsx`.
    pub format: Option<String>,
    /// `zh` (default) or `en`: what people wrote stays as they wrote it.
    pub language: Option<String>,
    /// Refused: a document with a number is made by the register, which gives it. What is asked for here is a draft and says so.
    pub number: Option<String>,
    /// The id of a plan; the one that held at the end of the period when left out.
    pub plan: Option<String>,
}

/// What a part of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanDocumentPartKind {
    /// A heading of the first level (一、).
    Heading,
    /// A heading of the second level (（一）).
    Subheading,
    /// A paragraph.
    Text,
    /// A table.
    Table,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlanDocumentSpan {
    /// Its words.
    pub text: String,
    /// Where what it says is seen; null for plain words.
    pub link: Option<String>,
    /// The number that it is; null for words.
    pub value: Option<f64>,
}

/// A part of a document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanDocumentPart {
    /// What it is.
    pub kind: PlanDocumentPartKind,
    /// The words of a heading or a paragraph, or the title of a table.
    pub text: Vec<PlanDocumentSpan>,
    /// The heads of a table's columns.
    pub head: Vec<String>,
    /// The rows of a table.
    pub rows: Vec<Vec<Vec<PlanDocumentSpan>>>,
}

/// A document of the plan office as it stands now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanDocument {
    /// Which document.
    pub kind: PlanDocumentKind,
    /// Of which month, `2026-10`, or year, `2025`.
    pub period: String,
    /// The plan of which it tells; null where the city has none.
    pub plan: Option<String>,
    /// Whose document it is.
    pub sign: String,
    /// Its number; null for a draft.
    pub number: Option<String>,
    /// Its title.
    pub title: String,
    /// To whom it goes; empty: nobody is named.
    pub to: String,
    /// Its parts, in order.
    pub parts: Vec<PlanDocumentPart>,
    /// Who signs.
    pub signed: String,
    /// Of which day it is.
    pub day: String,
    /// The moment of which it tells.
    pub at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Pdf,
    Docx,
    Xlsx,
}

impl Format {
    fn parse(word: &str) -> Answer<Self> {
        Ok(match word {
            "" | "json" => Self::Json,
            "pdf" => Self::Pdf,
            "docx" => Self::Docx,
            "xlsx" => Self::Xlsx,
            other => {
                return Err(refused(
                    "document-format",
                    both(
                        format!("公文没有“{}”这种格式", quote(other)),
                        format!("\"{}\" is no format of a document", quote(other)),
                    ),
                    both("格式（format）", "format"),
                    both(
                        "请用 json、pdf、docx 或 xlsx",
                        "use json, pdf, docx or xlsx",
                    ),
                ));
            }
        })
    }

    /// The ending of its file and its media type.
    const fn file(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Json => None,
            Self::Pdf => Some(("pdf", "application/pdf")),
            Self::Docx => Some(("docx", docx::MEDIA_TYPE)),
            Self::Xlsx => Some(("xlsx", xlsx::MEDIA_TYPE)),
        }
    }
}

/// A month or a year of which a document tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Month(Month),
    Year(i16),
}

impl Period {
    /// Reads it as the kind wants it; of what is still to come only the next meeting is prepared.
    fn parse(kind: PlanDocumentKind, text: &str, today: Date) -> Answer<Self> {
        let read = match kind {
            PlanDocumentKind::Assessment => year(text).map(Self::Year),
            PlanDocumentKind::Circular | PlanDocumentKind::Meeting => {
                Month::parse(text).map(Self::Month)
            }
        };
        let read = read.ok_or_else(|| no_period(kind, text))?;
        let last = match kind {
            PlanDocumentKind::Meeting => Month::of(today).last().tomorrow().unwrap_or(today),
            PlanDocumentKind::Circular | PlanDocumentKind::Assessment => today,
        };
        if read.first() > last {
            return Err(to_come(kind, text));
        }
        Ok(read)
    }

    fn first(self) -> Date {
        match self {
            Self::Month(month) => month.first(),
            Self::Year(year) => Date::new(year, 1, 1).unwrap_or(Date::MIN),
        }
    }

    fn last(self) -> Date {
        match self {
            Self::Month(month) => month.last(),
            Self::Year(year) => Date::new(year, 12, 31).unwrap_or(Date::MAX),
        }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Month(month) => write!(f, "{month}"),
            Self::Year(year) => write!(f, "{year}"),
        }
    }
}

fn year(text: &str) -> Option<i16> {
    let is_year = text.len() == 4 && text.bytes().all(|c| c.is_ascii_digit());
    let year: i16 = text.parse().ok()?;
    (is_year && (YEARS[0]..=YEARS[1]).contains(&year)).then_some(year)
}

fn refused(code: &str, what: Both, place: Both, mend: Both) -> ApiError {
    ApiError::told(StatusCode::BAD_REQUEST, Told::new(code, what, place, mend))
}

fn period_place() -> Both {
    both("所属期（period）", "period")
}

fn no_period(kind: PlanDocumentKind, text: &str) -> ApiError {
    let (zh, en) = match kind {
        PlanDocumentKind::Assessment => ("请写成 2025 的样子", "write a year like 2025"),
        PlanDocumentKind::Circular | PlanDocumentKind::Meeting => {
            ("请写成 2026-10 的样子", "write a month like 2026-10")
        }
    };
    refused(
        "document-period",
        both(
            format!("“{}”不是这种公文的所属期", quote(text)),
            format!("\"{}\" is no period of that document", quote(text)),
        ),
        period_place(),
        both(zh, en),
    )
}

fn to_come(kind: PlanDocumentKind, text: &str) -> ApiError {
    let (zh, en) = match kind {
        PlanDocumentKind::Meeting => (
            "会议材料最早提前一个月准备",
            "a meeting is prepared one month ahead at most",
        ),
        PlanDocumentKind::Circular | PlanDocumentKind::Assessment => {
            ("请选择已经开始的所属期", "take a period that has begun")
        }
    };
    refused(
        "document-future",
        both(
            format!("{text} 还没有到"),
            format!("{text} is still to come"),
        ),
        period_place(),
        both(zh, en),
    )
}

/// A draft has no number: whoever wants one is told where it is given.
fn no_number(text: Option<&str>) -> Answer<()> {
    if text.is_none_or(|text| text.trim().is_empty()) {
        return Ok(());
    }
    Err(refused(
        "document-number",
        both("草稿不能自带文号", "a draft has no number of its own"),
        both("发文顺序号（number）", "number"),
        both(
            "请用“编号印发”（POST 同一地址），文号由登记簿给出",
            "POST to the same address: the register gives the number and keeps the files",
        ),
    ))
}

fn language_of(text: Option<&str>) -> Answer<Language> {
    match text {
        None | Some("" | "zh") => Ok(Language::Zh),
        Some("en") => Ok(Language::En),
        Some(other) => Err(refused(
            "document-language",
            both(
                format!("公文没有“{}”这种语言", quote(other)),
                format!("no document is written in \"{}\"", quote(other)),
            ),
            both("语言（language）", "language"),
            both("请用 zh 或 en", "use zh or en"),
        )),
    }
}

/// What a document is made with.
struct Asked {
    kind: PlanDocumentKind,
    period: Period,
    language: Language,
    number: Option<u32>,
    plan: Option<String>,
    /// Where the city's pages are, without a slash at the end.
    base: String,
    now: Timestamp,
}

/// Where the city's pages are: as it is set, else where it was asked.
fn base(app: &App, headers: &HeaderMap, uri: &Uri, is_https: IsHttps) -> String {
    let set = &app.options.documents.public_url;
    if !set.is_empty() {
        return set.clone();
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    // What is no name or address of a host does not get into a document.
    let is_host = |host: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        !host.is_empty() && host.chars().all(allowed)
    };
    let host = host.filter(is_host).unwrap_or("localhost");
    let scheme = match is_secure(&app.options, is_https) {
        true => "https",
        false => "http",
    };
    format!("{scheme}://{host}")
}

/// A draft of a document of the plan office as it stands now: JSON for the page, or a file in the form of GB/T 9704-2012, every figure of which leads to
/// where it is proved.
#[utoipa::path(get, path = "/api/v1/plan/documents/{kind}/{period}", tag = "plan", security(("session" = ["indicator.read"])),
    params(("kind" = String, Path, description = "`circular`, `meeting` or `assessment`."),
        ("period" = String, Path, description = "A month such as `2026-10`; of an assessment a year such as `2025`."), PlanDocumentQuery),
    responses((status = 200, body = PlanDocument), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub async fn document(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    is_https: IsHttps,
    Path((kind, period)): Path<(String, String)>,
    Query(query): Query<PlanDocumentQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer<Response> {
    if !caller.may(Permission::ProjectRead) {
        return Err(ApiError::forbidden("project.read"));
    }
    let now = app.now();
    no_number(query.number.as_deref())?;
    let kind = PlanDocumentKind::parse(&kind)?;
    let asked = Asked {
        kind,
        period: Period::parse(kind, &period, app.plan.day(now))?,
        language: language_of(query.language.as_deref())?,
        number: None,
        plan: query.plan.filter(|plan| !plan.is_empty()),
        base: base(&app, &headers, &uri, is_https),
        now,
    };
    let format = Format::parse(query.format.as_deref().unwrap_or_default())?;
    let (made, plan) = made(&app, &caller, &sight, &asked).await?;
    let Some((ending, media_type)) = format.file() else {
        return Ok(Json(body(made, plan, &asked)).into_response());
    };
    let bytes = written(Arc::new(made), format).await?;
    let mut write = app.records.write().await?;
    let detail = json!({"format": ending, "language": asked.language.tag()});
    let target = format!("plan-document:{}/{}", kind.word(), asked.period);
    let actor = peer.actor(&caller);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::PlanDocument,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    let name = format!("plan-{}-{}.{ending}", kind.word(), asked.period);
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// A document as a file.
async fn written(made: Arc<Official>, format: Format) -> Answer<Vec<u8>> {
    let written = tokio::task::spawn_blocking(move || match format {
        Format::Docx => official::docx::write(&made),
        Format::Xlsx => xlsx::write(&made),
        Format::Json | Format::Pdf => official::pdf::write(&made, pdf::FONT),
    });
    let written = written.await.map_err(ApiError::internal)?;
    written.map_err(ApiError::internal)
}

/// The document, and the plan of which it tells.
async fn made(
    app: &App,
    caller: &Principal,
    sight: &Sight,
    asked: &Asked,
) -> Answer<(Official, Option<String>)> {
    let all = app.plan.plans();
    let chosen = match &asked.plan {
        Some(id) => plans::chosen(app, &all, Some(id))?,
        None => pack::plans::on(&all, asked.period.last()),
    };
    let gathered = gathered::read(app, caller, sight, asked, chosen).await?;
    let mut made = frame(app, asked);
    match (asked.kind, asked.period) {
        (PlanDocumentKind::Circular, Period::Month(month)) => {
            circular::write(&mut made, &gathered, month);
        }
        (PlanDocumentKind::Meeting, Period::Month(month)) => {
            meeting::write(&mut made, &gathered, month);
        }
        (_, Period::Year(year)) => assessment::write(&mut made, &gathered, year),
        (PlanDocumentKind::Assessment, Period::Month(month)) => {
            assessment::write(&mut made, &gathered, month.first().year());
        }
    }
    Ok((made, chosen.map(|plan| plan.plan.id.clone())))
}

/// A number as it stands on the document (发文字号).
fn number_name(app: &App, year: i64, number: i64) -> String {
    let short = app.city.name_zh.trim_end_matches('市');
    let prefix = match app.options.documents.number_prefix.as_str() {
        "" => format!("{short}新基建办"),
        set => set.to_owned(),
    };
    format!("{prefix}〔{year}〕{number}号")
}

/// What stands around the body: issuer, number, recipients, signature, copies.
fn frame(app: &App, asked: &Asked) -> Official {
    let options = &app.options.documents;
    let city = &app.city;
    let language = asked.language;
    let said = |set: [&String; 2], otherwise: [String; 2]| {
        let [zh, en] = otherwise;
        match language.pick(set[0], set[1]).as_str() {
            "" => language.pick(zh, en),
            set => set.to_owned(),
        }
    };
    let issuer = said(
        [&options.issuer_zh, &options.issuer_en],
        [
            format!("{}新基建指挥部办公室", city.name_zh),
            format!("Plan Office of {}", city.name_en),
        ],
    );
    let day = app.plan.day(asked.now);
    let number = |n: u32| number_name(app, i64::from(day.year()), i64::from(n));
    let to = said(
        [&options.to_zh, &options.to_en],
        [
            "各乡镇人民政府、街道办事处，市新基建指挥部各成员单位".to_owned(),
            "All towns and streets, all member units of the headquarters".to_owned(),
        ],
    );
    let is_for_the_meeting = asked.kind == PlanDocumentKind::Meeting;
    Official {
        language,
        sign: language.pick(format!("{issuer}文件"), issuer.clone()),
        number: asked.number.map(number),
        // The pack of a meeting lies on its table and goes to nobody.
        to: if is_for_the_meeting {
            String::new()
        } else {
            to
        },
        signed: issuer.clone(),
        day,
        copies: said(
            [&options.copies_zh, &options.copies_en],
            [
                "市委办公室，市政府办公室".to_owned(),
                "Office of the city's Party committee, office of the city government".to_owned(),
            ],
        ),
        printed_by: issuer,
        ..Official::default()
    }
}

impl From<Span> for PlanDocumentSpan {
    fn from(span: Span) -> Self {
        Self {
            text: span.text,
            link: span.link,
            value: span.value,
        }
    }
}

fn spans(words: Words) -> Vec<PlanDocumentSpan> {
    words.0.into_iter().map(Into::into).collect()
}

fn part(block: Block) -> PlanDocumentPart {
    let text = |kind, text: Words| PlanDocumentPart {
        kind,
        text: spans(text),
        head: Vec::new(),
        rows: Vec::new(),
    };
    match block {
        Block::Heading(Level::First, words) => text(PlanDocumentPartKind::Heading, words.into()),
        Block::Heading(Level::Second, words) => {
            text(PlanDocumentPartKind::Subheading, words.into())
        }
        Block::Text(words) => text(PlanDocumentPartKind::Text, words),
        Block::Table(table) => {
            let row = |row: Vec<Words>| row.into_iter().map(spans).collect();
            PlanDocumentPart {
                kind: PlanDocumentPartKind::Table,
                text: spans(table.title.into()),
                head: table.head,
                rows: table.rows.into_iter().map(row).collect(),
            }
        }
    }
}

fn body(made: Official, plan: Option<String>, asked: &Asked) -> PlanDocument {
    PlanDocument {
        kind: asked.kind,
        period: asked.period.to_string(),
        plan,
        sign: made.sign,
        number: made.number,
        title: made.title,
        to: made.to,
        parts: made.blocks.into_iter().map(part).collect(),
        signed: made.signed,
        day: made.day.to_string(),
        at: asked.now.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn periods_are_those_of_the_kind_and_not_to_come() {
        use PlanDocumentKind::{Assessment, Circular, Meeting};
        let today = date(2026, 11, 28);
        let read = |kind, text: &str| Period::parse(kind, text, today);
        let code = |kind, text: &str| match read(kind, text) {
            Ok(period) => period.to_string(),
            Err(error) => error
                .in_words()
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        for (kind, text, is) in [
            (Circular, "2026-11", "2026-11"),
            (Circular, "2026-12", "document-future"),
            (Circular, "2026", "document-period"),
            (Circular, "2026-13", "document-period"),
            (Meeting, "2026-12", "2026-12"),
            (Meeting, "2027-01", "document-future"),
            (Assessment, "2026", "2026"),
            (Assessment, "2027", "document-future"),
            (Assessment, "2025-10", "document-period"),
            (Assessment, "+025", "document-period"),
        ] {
            assert_eq!(code(kind, text), is, "{text}");
        }
        let period = read(Assessment, "2025").ok().map(|p| (p.first(), p.last()));
        assert_eq!(period, Some((date(2025, 1, 1), date(2025, 12, 31))));
    }

    #[test]
    fn a_draft_brings_no_number() {
        assert!(no_number(None).is_ok());
        assert!(no_number(Some(" ")).is_ok());
        assert!(no_number(Some("12")).is_err());
    }
}
