//! What investors may read without signing in (项目与机会): packages of key projects and lists of scenarios that the plan office published
//! and did not withdraw, up to the day until which they hold, with what of each project is everybody's. Nobody is named.

use crate::access::Peer;
use crate::app::App;
use crate::error::{Answer, ProblemBody};
use crate::portal::{ask, send};
use crate::portal_data::{IndicatorBody, text};
use crate::projects::kept_of;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use projects::kept::Source;
use projects::packages::{Content, Kind, Sought};
use projects::status::by_source;
use projects::{Kept, Stage};
use records::packages::Package;
use records::projects::Project;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use utoipa::ToSchema;

/// Money of a source over all years.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicMoney)]
pub struct MoneyBody {
    /// Where it comes from.
    pub source: Source,
    /// How much is planned, fen.
    pub planned_fen: i64,
    /// How much of it is arranged, fen.
    pub arranged_fen: i64,
}

/// An indicator that a project serves, with its published figure.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicFigure)]
pub struct FigureBody {
    /// The indicator's id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Unit in Chinese.
    pub unit_zh: String,
    /// Unit in English.
    pub unit_en: String,
    /// The figure.
    pub value: f64,
    /// The target.
    pub target: f64,
    /// Of when the figure is: a time for a computed one, a day for a reported one.
    pub as_of: String,
}

/// A project or a scenario as everybody may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicPackageEntry)]
pub struct EntryBody {
    /// The key project's id; null for a scenario.
    pub project: Option<String>,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// The plan's own words; null for a scenario, and for a project that the plan does not list.
    pub quote: Option<String>,
    /// How far the project is.
    pub stage: Option<Stage>,
    /// The day on which it begins by plan.
    pub start: Option<String>,
    /// The day on which it ends by plan.
    pub end: Option<String>,
    /// What is sought.
    pub sought: Vec<Sought>,
    /// What is needed and offered, in Chinese.
    pub words_zh: String,
    /// What is needed and offered, in English.
    pub words_en: String,
    /// The project's money by source; null where the office does not tell it.
    pub money: Option<Vec<MoneyBody>>,
    /// The indicators that it serves whose figures are published.
    pub indicators: Vec<FigureBody>,
}

/// A package as everybody may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicPackage)]
pub struct PackageBody {
    /// Its number.
    pub id: i64,
    /// Which edition of it.
    pub edition: i64,
    /// The day on which that was published; null in a preview.
    pub published_on: Option<String>,
    /// What it holds.
    pub kind: Kind,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What it is about, in Chinese.
    pub summary_zh: String,
    /// What it is about, in English.
    pub summary_en: String,
    /// Which office answers, in Chinese.
    pub contact_zh: String,
    /// Which office answers, in English.
    pub contact_en: String,
    /// Up to which day it holds.
    pub valid_until: String,
    /// Its projects or scenarios.
    pub entries: Vec<EntryBody>,
}

/// What is offered to investors.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicPackages)]
pub struct PackagesBody {
    /// The city in Chinese.
    pub city_zh: String,
    /// The city in English.
    pub city_en: String,
    /// Whether the city plays demonstration data.
    pub demo: bool,
    /// Who publishes, in Chinese.
    pub publisher_zh: String,
    /// Who publishes, in English.
    pub publisher_en: String,
    /// Address of the licence under which it may be used.
    pub licence: String,
    /// The day in the city.
    pub day: String,
    /// The packages, the newest first.
    pub packages: Vec<PackageBody>,
}

/// What is offered to investors: project packages and scenario lists that are published and hold today.
#[utoipa::path(get, path = "/api/v1/public/packages.json", tag = "portal", security(()),
    responses((status = 200, body = PackagesBody), (status = 304, description = "Not changed"), (status = 404, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn json(State(app): State<App>, peer: Peer, headers: HeaderMap) -> Answer<Response> {
    let kept = ask(&app, peer).await?;
    let name = Some("packages.json");
    Ok(send(
        &app,
        &headers,
        &kept.packages,
        "application/json",
        name,
    ))
}

/// The same as a CSV file, one row for each project or scenario.
#[utoipa::path(get, path = "/api/v1/public/packages.csv", tag = "portal", security(()),
    responses((status = 200, content((String = "text/csv"))), (status = 304, description = "Not changed"), (status = 404, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn csv(State(app): State<App>, peer: Peer, headers: HeaderMap) -> Answer<Response> {
    let kept = ask(&app, peer).await?;
    let (kind, name) = (
        "text/csv; charset=utf-8; header=present",
        Some("packages.csv"),
    );
    Ok(send(&app, &headers, &kept.packages_csv, kind, name))
}

/// Every project by its id, with what is kept of it.
pub(crate) type ById = BTreeMap<String, (Project, Kept)>;

/// Every project by its id.
pub(crate) async fn projects_by_id(app: &App) -> Answer<ById> {
    let mut all = ById::new();
    for row in app.project_rows().await? {
        let kept = kept_of(&row)?;
        all.insert(row.id.clone(), (row, kept));
    }
    Ok(all)
}

/// What is written of a package when it was published last, while it holds and was not withdrawn.
pub(crate) fn out(row: &Package, today: Date) -> Option<Content> {
    if row.edition == 0 || row.withdrawn_at.is_some() {
        return None;
    }
    let content = serde_json::from_value::<Content>(row.published.clone()?).ok()?;
    content
        .valid_until
        .is_some_and(|day| day >= today)
        .then_some(content)
}

/// The packages that are out today.
pub(crate) async fn published(
    app: &App,
    today: Date,
    figures: &[IndicatorBody],
) -> Answer<Vec<PackageBody>> {
    let mut read = app.records.read().await?;
    let rows = records::packages::all(&mut read).await?;
    drop(read);
    let mut shown = Vec::new();
    let mut projects: Option<ById> = None;
    for row in &rows {
        let Some(content) = out(row, today) else {
            continue;
        };
        if projects.is_none() {
            projects = Some(projects_by_id(app).await?);
        }
        let Some(projects) = &projects else {
            continue;
        };
        let day = row.published_at.map(|at| app.plan.day(at));
        let body = package(app, (row.id, row.edition), &content, projects, figures);
        shown.push(PackageBody {
            published_on: day.map(|day| day.to_string()),
            ..body
        });
    }
    Ok(shown)
}

/// A package as everybody may see it. A project that was ended or is gone is not told any more.
pub(crate) fn package(
    app: &App,
    (id, edition): (i64, i64),
    content: &Content,
    projects: &ById,
    figures: &[IndicatorBody],
) -> PackageBody {
    let entries = content.entries.iter().filter_map(|entry| {
        let scenario = EntryBody {
            project: None,
            name_zh: entry.name_zh.clone(),
            name_en: entry.name_en.clone(),
            quote: None,
            stage: None,
            start: None,
            end: None,
            sought: entry.sought.clone(),
            words_zh: entry.words_zh.clone(),
            words_en: entry.words_en.clone(),
            money: None,
            indicators: Vec::new(),
        };
        let Some(project) = &entry.project else {
            return Some(scenario);
        };
        let (row, kept) = projects
            .get(project)
            .filter(|(row, _)| row.ended_at.is_none())?;
        let served = app.project_goals(row, kept);
        let money = by_source(&kept.money)
            .into_iter()
            .map(|(source, sums)| MoneyBody {
                source,
                planned_fen: sums.planned_fen,
                arranged_fen: sums.arranged_fen,
            });
        Some(EntryBody {
            project: Some(row.id.clone()),
            name_zh: row.name_zh.clone(),
            name_en: row.name_en.clone(),
            quote: app.declared_project(&row.id).map(|d| d.quote),
            stage: Some(kept.stage),
            start: kept.profile.start.map(|day| day.to_string()),
            end: kept.profile.end.map(|day| day.to_string()),
            money: entry.with_money.then(|| money.collect()),
            indicators: figures
                .iter()
                .filter(|one| served.contains(&one.id))
                .filter_map(figure)
                .collect(),
            ..scenario
        })
    });
    PackageBody {
        id,
        edition,
        published_on: None,
        kind: content.kind,
        title_zh: content.title_zh.clone(),
        title_en: content.title_en.clone(),
        summary_zh: content.summary_zh.clone(),
        summary_en: content.summary_en.clone(),
        contact_zh: content.contact_zh.clone(),
        contact_en: content.contact_en.clone(),
        valid_until: content
            .valid_until
            .map_or_else(String::new, |day| day.to_string()),
        entries: entries.collect(),
    }
}

fn figure(one: &IndicatorBody) -> Option<FigureBody> {
    Some(FigureBody {
        id: one.id.clone(),
        name_zh: one.name_zh.clone(),
        name_en: one.name_en.clone(),
        unit_zh: one.unit_zh.clone(),
        unit_en: one.unit_en.clone(),
        value: one.value?,
        target: one.target,
        as_of: one.as_of.clone()?,
    })
}

/// The columns of the CSV.
const COLUMNS: [&str; 18] = [
    "package",
    "edition",
    "published_on",
    "valid_until",
    "kind",
    "title_zh",
    "title_en",
    "project",
    "name_zh",
    "name_en",
    "stage",
    "start",
    "end",
    "sought",
    "words_zh",
    "words_en",
    "planned_yuan",
    "contact_zh",
];

/// Every project and scenario as CSV (RFC 4180), with the mark that makes spreadsheets read UTF-8.
pub(crate) fn as_csv(packages: &[PackageBody]) -> String {
    let mut out = format!("\u{feff}{}\r\n", COLUMNS.join(","));
    for of in packages {
        for one in &of.entries {
            let sought: Vec<&str> = one.sought.iter().map(|s| s.as_str()).collect();
            let planned = one.money.as_ref().map(|money| {
                let fen: i64 = money.iter().map(|m| m.planned_fen).sum();
                format!("{}.{:02}", fen / 100, fen % 100)
            });
            let cells: [String; COLUMNS.len()] = [
                of.id.to_string(),
                of.edition.to_string(),
                of.published_on.clone().unwrap_or_default(),
                of.valid_until.clone(),
                of.kind.as_str().to_owned(),
                text(&of.title_zh),
                text(&of.title_en),
                text(one.project.as_deref().unwrap_or_default()),
                text(&one.name_zh),
                text(&one.name_en),
                one.stage.map_or("", Stage::as_str).to_owned(),
                one.start.clone().unwrap_or_default(),
                one.end.clone().unwrap_or_default(),
                sought.join(" "),
                text(&one.words_zh),
                text(&one.words_en),
                planned.unwrap_or_default(),
                text(&of.contact_zh),
            ];
            let _ = write!(out, "{}\r\n", cells.join(","));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_entry_and_no_formula() {
        let entry = EntryBody {
            project: None,
            name_zh: "=HYPERLINK(\"x\")".to_owned(),
            name_en: "Drones, small".to_owned(),
            quote: None,
            stage: Some(Stage::Building),
            start: None,
            end: Some("2027-12-31".to_owned()),
            sought: vec![Sought::Capital, Sought::Site],
            words_zh: "说明".to_owned(),
            words_en: "words".to_owned(),
            money: Some(vec![MoneyBody {
                source: Source::City,
                planned_fen: 1_234_505,
                arranged_fen: 0,
            }]),
            indicators: Vec::new(),
        };
        let package = PackageBody {
            id: 3,
            edition: 2,
            published_on: Some("2026-06-15".to_owned()),
            kind: Kind::Scenarios,
            title_zh: "场景".to_owned(),
            title_en: "Scenarios".to_owned(),
            summary_zh: String::new(),
            summary_en: String::new(),
            contact_zh: "市发改委".to_owned(),
            contact_en: String::new(),
            valid_until: "2026-12-31".to_owned(),
            entries: vec![entry.clone(), entry],
        };
        let csv = as_csv(&[package]);
        let lines: Vec<&str> = csv.split("\r\n").collect();
        assert_eq!(lines.len(), 4, "{csv}");
        assert!(lines[0].starts_with("\u{feff}package,edition,"));
        assert_eq!(
            lines[1],
            "3,2,2026-06-15,2026-12-31,scenarios,场景,Scenarios,,\"'=HYPERLINK(\"\"x\"\")\",\"Drones, small\",building,,2027-12-31,capital site,说明,words,12345.05,市发改委"
        );
    }
}
