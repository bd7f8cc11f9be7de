//! Bulletins (简报) of packs: their statements asked as the caller, told on the page, as PDF and as a Word-compatible file.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::personal::Looking;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use duty::document::{Block, Document, Language};
use duty::{docx, pdf, roster};
use jiff::tz::TimeZone;
use lake::{Question, ScalarValue};
use model::problem::quote;
use model::{Problem, Timestamp};
use pack::bulletins::{Bulletin, Column, Section};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Most rows of one section: a bulletin is read by people.
const ROWS_MAX: usize = 500;

/// A bulletin that there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulletinListed {
    /// Its id.
    pub id: String,
    /// The pack that declares it.
    pub pack: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// Which form.
#[derive(Debug, Deserialize, IntoParams)]
pub struct BulletinQuery {
    /// `json` (default), `pdf` or `docx`.
    pub format: Option<String>,
    /// `zh` (default) or `en`.
    pub language: Option<String>,
}

/// What a part of a bulletin is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulletinPartKind {
    /// A heading.
    Heading,
    /// A paragraph.
    Text,
    /// A table.
    Table,
}

/// A part of a bulletin.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulletinPart {
    /// What it is.
    pub kind: BulletinPartKind,
    /// The words of a heading or a paragraph.
    pub text: Option<String>,
    /// The heads of a table's columns.
    pub head: Vec<String>,
    /// The rows of a table.
    pub rows: Vec<Vec<String>>,
}

/// A bulletin as it stands now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bulletin)]
pub struct BulletinBody {
    /// Its id.
    pub id: String,
    /// Its title in the language asked for.
    pub title: String,
    /// The moment of which it tells.
    pub at: String,
    /// Its parts, in order.
    pub parts: Vec<BulletinPart>,
}

/// The bulletins that packs declare.
#[utoipa::path(get, path = "/api/v1/bulletins", tag = "views", security(("session" = ["entity.read"])),
    responses((status = 200, body = Vec<BulletinListed>)))]
pub async fn list(State(app): State<App>) -> Json<Vec<BulletinListed>> {
    let packs = app.packs.now();
    let all = packs.bulletins().into_iter();
    let told = all.map(|(pack, bulletin)| BulletinListed {
        id: bulletin.id.clone(),
        pack: pack.to_owned(),
        title_zh: bulletin.title_zh.clone(),
        title_en: bulletin.title_en.clone(),
    });
    Json(told.collect())
}

enum Form {
    Json,
    Pdf,
    Docx,
}

/// A bulletin as it stands now, of what the caller may see: JSON for the page, PDF, or a Word-compatible file.
#[utoipa::path(get, path = "/api/v1/bulletins/{id}", tag = "views", security(("session" = ["entity.read"])),
    params(("id" = String, Path), BulletinQuery), responses((status = 200, body = BulletinBody), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Looking(look): Looking,
    Path(id): Path<String>,
    Query(query): Query<BulletinQuery>,
) -> Answer<Response> {
    let form = match query.format.as_deref() {
        None | Some("" | "json") => Form::Json,
        Some("pdf") => Form::Pdf,
        Some("docx") => Form::Docx,
        Some(other) => {
            return Err(ApiError::invalid(Problem::new(
                "bulletin-format",
                format!("\"{}\" is no format of a bulletin", quote(other)),
                "format",
                "use json, pdf or docx",
            )));
        }
    };
    let language = query.language.as_deref().filter(|text| !text.is_empty());
    let language: Language = language
        .unwrap_or("zh")
        .parse()
        .map_err(ApiError::invalid)?;
    let packs = app.packs.now();
    let found = packs.bulletins().into_iter().find(|(_, b)| b.id == id);
    let (_, bulletin) = found.ok_or_else(|| ApiError::not_found("bulletin", &id))?;
    let now = app.now();
    let tables = app.tables.looked_at(&caller, peer.0, &look);
    let document = document(&app, bulletin, language, now, tables).await;
    // What failed on the way may tell a value in its error.
    look.tell(&app.records, now, "bulletin").await?;
    let document = document?;
    if let Form::Json = form {
        let parts = document.blocks.into_iter().map(part).collect();
        return Ok(Json(BulletinBody {
            id,
            title: document.title,
            at: now.to_string(),
            parts,
        })
        .into_response());
    }
    let is_pdf = matches!(form, Form::Pdf);
    let (media_type, ending) = match is_pdf {
        true => ("application/pdf", "pdf"),
        false => (docx::MEDIA_TYPE, "docx"),
    };
    let written = tokio::task::spawn_blocking(move || match is_pdf {
        true => pdf::write(&document, pdf::FONT),
        false => docx::write(&document),
    });
    let bytes = written
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    let zone = TimeZone::get(&app.city.zone).unwrap_or(TimeZone::UTC);
    let day = roster::day_of(now, &zone);
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}-{day}.{ending}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

fn part(block: Block) -> BulletinPart {
    let text = |kind, text| BulletinPart {
        kind,
        text: Some(text),
        head: Vec::new(),
        rows: Vec::new(),
    };
    match block {
        Block::Heading(words) => text(BulletinPartKind::Heading, words),
        Block::Text(words) => text(BulletinPartKind::Text, words),
        Block::Table(table) => BulletinPart {
            kind: BulletinPartKind::Table,
            text: None,
            head: table.head,
            rows: table.rows,
        },
    }
}

async fn document(
    app: &App,
    bulletin: &Bulletin,
    language: Language,
    now: Timestamp,
    tables: Arc<crate::tables::CityTables>,
) -> Answer<Document> {
    let zone = TimeZone::get(&app.city.zone).unwrap_or(TimeZone::UTC);
    let title = language.pick(&bulletin.title_zh, &bulletin.title_en);
    let city = language.pick(&app.city.name_zh, &app.city.name_en);
    let mut document = Document::new(language, title.as_str());
    let at = roster::local(now, &zone);
    document.text(format!("{city}　{at}"));
    for section in &bulletin.sections {
        let heading = language.pick(&section.title_zh, &section.title_en);
        document.heading(heading.as_str());
        let rows = asked(app, section, now, Arc::clone(&tables)).await?;
        let cell = |row: &HashMap<String, Value>, column: &Column| {
            let name = match language {
                Language::En => column.name_en.as_ref().unwrap_or(&column.name),
                Language::Zh => &column.name,
            };
            told(row.get(name).unwrap_or(&Value::Null), column, &zone)
        };
        let none = language.pick(&section.none_zh, &section.none_en);
        match language.pick(&section.text_zh, &section.text_en) {
            Some(_) if rows.is_empty() => document.text(none.as_str()),
            Some(text) => {
                for row in &rows {
                    let mut words = text.replace("{at}", &at);
                    for column in &section.columns {
                        words = words.replace(&format!("{{{}}}", column.name), &cell(row, column));
                    }
                    document.text(words);
                }
            }
            None => {
                let columns = section.columns.iter();
                let head = columns.map(|column| {
                    let title = language.pick(&column.title_zh, &column.title_en);
                    (title.as_str(), column.width)
                });
                let head: Vec<_> = head.collect();
                let cells = |row| section.columns.iter().map(|c| cell(row, c)).collect();
                document.table(&head, rows.iter().map(cells).collect(), none);
            }
        }
    }
    Ok(document)
}

/// The rows of a section, by the names of their columns.
async fn asked(
    app: &App,
    section: &Section,
    now: Timestamp,
    tables: Arc<crate::tables::CityTables>,
) -> Answer<Vec<HashMap<String, Value>>> {
    let limits = lake::Limits {
        rows_max: ROWS_MAX,
        ..app.options.sql_limits.clone()
    };
    let at = ScalarValue::TimestampMicrosecond(Some(now.micros()), Some("UTC".into()));
    let question = Question {
        sql: &section.sql,
        parameters: vec![at],
        tables,
        catalogue: &app.ingest.catalogue(),
        zone: None,
    };
    let (columns, rows) = crate::runner::rows(&app.lake, question, &limits)
        .await
        .map_err(ApiError::unanswered)?;
    let by_name = |row: Vec<Value>| columns.iter().cloned().zip(row).collect();
    Ok(rows.into_iter().map(by_name).collect())
}

/// A value in the words of a bulletin; what is missing is a dash.
fn told(value: &Value, column: &Column, zone: &TimeZone) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => match Timestamp::parse(text) {
            Ok(at) if text.contains('T') => roster::local(at, zone),
            _ => text.clone(),
        },
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            let sign = if column.signed && number > 0.0 {
                "+"
            } else {
                ""
            };
            match column.decimals {
                Some(decimals) => format!("{sign}{number:.*}", usize::from(decimals)),
                None => format!("{sign}{number}"),
            }
        }
        other => other.to_string(),
    }
}
