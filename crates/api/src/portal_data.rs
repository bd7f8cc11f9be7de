//! What of the plan may be published and how it is written as open data: the judge of proof, sums, CSV, the catalogue (DCAT 3 in
//! JSON-LD), and who asked how often. Pure: [`crate::portal`] reads the city and answers.

use crate::plan::{PathPoint, PlanPlace};
use crate::plan_report_bodies::UnitBody;
use crate::words;
use indicators::Method;
use model::problem::{Both, both};
use records::filing_files::FilingFile;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use utoipa::ToSchema;

/// One minute, in which a peer's requests are counted, microseconds.
const MINUTE_MICROS: i64 = 60_000_000;
/// A whole network of IPv6 is one peer: whoever has one address of it has 2^64.
const IPV6_PREFIX: u128 = !0 << 64;

/// What is known of a figure before it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// How it comes about.
    pub method: Method,
    /// The figure.
    pub value: Option<f64>,
    /// When it was measured.
    pub measured_at: Option<&'a str>,
    /// Whether its query failed.
    pub is_failed: bool,
    /// Its query.
    pub sql: &'a str,
    /// The newest figure that every level approved.
    pub report: Option<Report<'a>>,
}

/// A figure that every level approved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    /// The figure.
    pub value: f64,
    /// Of which period.
    pub period: &'a str,
    /// The day until which it speaks.
    pub as_of: &'a str,
    /// What proves it, in words.
    pub evidence: &'a str,
    /// The files that prove it.
    pub files: &'a [FilingFile],
}

/// Why a figure is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublicWithheldCode)]
#[serde(rename_all = "kebab-case")]
pub enum Withheld {
    /// There was nothing to compute it from.
    NoFigure,
    /// It was not measured, or its query failed.
    NotMeasured,
    /// No report of it was approved.
    NoReport,
    /// Its report names no evidence and has no file.
    NoEvidence,
    /// What was measured is not what was approved.
    Differs,
    /// Its evidence names a person or holds a personal number.
    Personal,
}

impl Withheld {
    fn words(self) -> Both {
        match self {
            Self::NoFigure => both(
                "平台内还没有可以计算这一数值的数据",
                "the platform has nothing to compute it from yet",
            ),
            Self::NotMeasured => both(
                "还没有测算成功",
                "it has not been measured yet, or measuring failed",
            ),
            Self::NoReport => both(
                "责任单位还没有经过审核的填报",
                "no report of the responsible unit has been approved yet",
            ),
            Self::NoEvidence => both(
                "填报没有写明依据，也没有佐证材料",
                "the report names no evidence and has no file",
            ),
            Self::Differs => both(
                "测算值与审核通过的填报不一致",
                "what was measured is not what was approved",
            ),
            Self::Personal => both(
                "填报依据含有个人信息，更正后才能公开",
                "its evidence holds personal data and must be corrected first",
            ),
        }
    }
}

/// Why a figure is not published, in words.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicWithheld)]
pub struct WithheldBody {
    /// Which of the reasons.
    pub code: Withheld,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl From<Withheld> for WithheldBody {
    fn from(code: Withheld) -> Self {
        let Both { zh, en } = code.words();
        Self { code, zh, en }
    }
}

/// What proves a published figure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PublicProof)]
pub struct Proof {
    /// The query that counted it; null for a reported figure.
    pub query: Option<String>,
    /// The period that was reported; null for a computed figure.
    pub period: Option<String>,
    /// What the responsible unit gave as evidence; null for a computed figure, and where files alone prove it.
    pub evidence: Option<String>,
    /// SHA-256 of each file that proves a reported figure. The files themselves, and their names, are not published: whoever has one can
    /// see that it is that one.
    pub file_sha256: Vec<String>,
}

/// A figure that may be published.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Published {
    pub value: f64,
    /// A time for what was computed, a day for what was reported.
    pub as_of: String,
    pub proof: Proof,
}

/// Whether a figure has its proof: a computed one its time and query, a reported one an approved report with evidence in which
/// nobody is named, or with files. `names` are those of people whom the platform knows.
pub(crate) fn judge(facts: &Facts<'_>, names: &[String]) -> Result<Published, Withheld> {
    if facts.method == Method::Reported {
        let report = facts.report.ok_or(Withheld::NoReport)?;
        let evidence = report.evidence.trim();
        if evidence.is_empty() && report.files.is_empty() {
            return Err(Withheld::NoEvidence);
        }
        if names_somebody(evidence, names) {
            return Err(Withheld::Personal);
        }
        return match facts.value {
            _ if facts.is_failed => Err(Withheld::NotMeasured),
            None => Err(Withheld::NotMeasured),
            Some(value) if value != report.value => Err(Withheld::Differs),
            Some(value) => Ok(Published {
                value,
                as_of: report.as_of.to_owned(),
                proof: Proof {
                    query: None,
                    period: Some(report.period.to_owned()),
                    evidence: Some(evidence.to_owned()).filter(|words| !words.is_empty()),
                    file_sha256: report.files.iter().map(|f| f.sha256.clone()).collect(),
                },
            }),
        };
    }
    let measured_at = facts.measured_at.ok_or(Withheld::NotMeasured)?;
    let sql = facts.sql.trim();
    if facts.is_failed || sql.is_empty() {
        return Err(Withheld::NotMeasured);
    }
    let value = facts.value.ok_or(Withheld::NoFigure)?;
    Ok(Published {
        value,
        as_of: measured_at.to_owned(),
        proof: Proof {
            query: Some(sql.to_owned()),
            period: None,
            evidence: None,
            file_sha256: Vec::new(),
        },
    })
}

/// Whether a text holds a number that looks personal, or somebody's name. A name of one character is in every text.
pub(crate) fn names_somebody(text: &str, names: &[String]) -> bool {
    let has_number = matches!(::personal::text::masked(text), std::borrow::Cow::Owned(_));
    let mut names = names.iter().map(|name| name.trim());
    has_number || names.any(|name| name.chars().count() > 1 && text.contains(name))
}

/// How many of the plan's goals stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublicSums)]
pub struct Sums {
    /// All.
    pub indicators: usize,
    /// Of these published.
    pub published: usize,
    /// Of the published, reached.
    pub met: usize,
    /// At or ahead of the path.
    pub on_path: usize,
    /// Behind the path.
    pub behind: usize,
    /// Not to be judged.
    pub unknown: usize,
}

impl Sums {
    /// Counts one more.
    fn add(&mut self, one: &IndicatorBody) {
        self.indicators += 1;
        let Some(status) = one.status else { return };
        self.published += 1;
        match status {
            words::IndicatorStatus::Met => self.met += 1,
            words::IndicatorStatus::OnPath => self.on_path += 1,
            words::IndicatorStatus::Behind => self.behind += 1,
            words::IndicatorStatus::Unknown => self.unknown += 1,
        }
    }
}

/// How the goals of one group stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublicGroup)]
pub struct Group {
    /// First-level group.
    pub group_zh: String,
    /// First-level group.
    pub group_en: String,
    /// Its goals.
    #[serde(flatten)]
    pub sums: Sums,
}

/// The sums of all and of each group, in the order in which the groups come.
pub(crate) fn sums(all: &[IndicatorBody]) -> (Sums, Vec<Group>) {
    let (mut whole, mut groups) = (Sums::default(), Vec::<Group>::new());
    for one in all {
        whole.add(one);
        let at = groups.iter().position(|g| g.group_zh == one.group_zh);
        let at = at.unwrap_or_else(|| {
            groups.push(Group {
                group_zh: one.group_zh.clone(),
                group_en: one.group_en.clone(),
                sums: Sums::default(),
            });
            groups.len() - 1
        });
        groups[at].sums.add(one);
    }
    (whole, groups)
}

/// An indicator as everybody may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicIndicator)]
pub struct IndicatorBody {
    /// Short id.
    pub id: String,
    /// Its number in the plan's table, or where in the text.
    pub number: String,
    /// First-level group.
    pub group_zh: String,
    /// First-level group.
    pub group_en: String,
    /// Second-level group.
    pub subgroup_zh: String,
    /// Second-level group.
    pub subgroup_en: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Unit in Chinese.
    pub unit_zh: String,
    /// Unit in English.
    pub unit_en: String,
    /// Value in the baseline year; null where the plan gives none.
    pub baseline: Option<f64>,
    /// The baseline year.
    pub baseline_year: i16,
    /// The target that must be reached.
    pub target: f64,
    /// Lower end of the target.
    pub target_low: f64,
    /// Upper end of the target.
    pub target_high: f64,
    /// The target year.
    pub target_year: i16,
    /// Whether more or less is better.
    pub direction: words::Direction,
    /// How its value comes about.
    pub method: words::Method,
    /// Where the figure comes from, in Chinese.
    pub source_zh: String,
    /// Where the figure comes from, in English.
    pub source_en: String,
    /// The unit that answers for it.
    pub responsible: Option<UnitBody>,
    /// The plan's own words, with their section.
    pub places: Vec<PlanPlace>,
    /// Where it should stand at the end of each year.
    pub path: Vec<PathPoint>,
    /// Where it should stand today.
    pub expected_now: Option<f64>,
    /// The figure; null when it is not published.
    pub value: Option<f64>,
    /// Of when the figure is: a time for a computed one, a day for a reported one.
    pub as_of: Option<String>,
    /// How it stands; null when it is not published.
    pub status: Option<words::IndicatorStatus>,
    /// What proves the figure.
    pub proof: Option<Proof>,
    /// Why the figure is not published.
    pub withheld: Option<WithheldBody>,
}

/// The columns of the CSV.
const COLUMNS: [&str; 23] = [
    "id",
    "number",
    "group_zh",
    "group_en",
    "name_zh",
    "name_en",
    "unit_zh",
    "unit_en",
    "baseline",
    "baseline_year",
    "target",
    "target_year",
    "direction",
    "value",
    "as_of",
    "status",
    "method",
    "responsible_zh",
    "responsible_en",
    "period",
    "evidence",
    "evidence_file_sha256",
    "source_zh",
];

/// The published figures as CSV (RFC 4180), with the mark that makes spreadsheets read UTF-8.
pub(crate) fn csv(all: &[IndicatorBody]) -> String {
    let mut out = format!("\u{feff}{}\r\n", COLUMNS.join(","));
    for one in all.iter().filter(|one| one.status.is_some()) {
        let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let figure = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
        let unit = one.responsible.as_ref();
        let proof = one.proof.as_ref();
        let cells: [String; COLUMNS.len()] = [
            text(&one.id),
            text(&one.number),
            text(&one.group_zh),
            text(&one.group_en),
            text(&one.name_zh),
            text(&one.name_en),
            text(&one.unit_zh),
            text(&one.unit_en),
            figure(one.baseline),
            one.baseline_year.to_string(),
            one.target.to_string(),
            one.target_year.to_string(),
            word(json!(one.direction)),
            figure(one.value),
            one.as_of.clone().unwrap_or_default(),
            word(json!(one.status)),
            word(json!(one.method)),
            text(unit.map_or("", |u| &u.name_zh)),
            text(unit.map_or("", |u| &u.name_en)),
            text(proof.and_then(|p| p.period.as_deref()).unwrap_or_default()),
            text(
                proof
                    .and_then(|p| p.evidence.as_deref())
                    .unwrap_or_default(),
            ),
            proof.map(|p| p.file_sha256.join(" ")).unwrap_or_default(),
            text(&one.source_zh),
        ];
        let _ = write!(out, "{}\r\n", cells.join(","));
    }
    out
}

/// A cell of text: quoted where RFC 4180 asks for it; what a spreadsheet would take for a formula is kept from being one.
pub(crate) fn text(cell: &str) -> String {
    let mut cell = cell.to_owned();
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        cell.insert(0, '\'');
    }
    if cell.contains(['"', ',', '\r', '\n']) {
        cell = format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

/// What the catalogue says beside the data.
#[derive(Clone, Debug)]
pub(crate) struct About<'a> {
    /// Where the city is reached, without a slash at the end; empty: addresses are told as seen from the catalogue's own.
    pub base: &'a str,
    pub title: Both,
    pub publisher: Both,
    /// Address of the licence.
    pub licence: &'a str,
    /// Address or mail address of whom to ask; empty: nobody is named.
    pub contact: &'a str,
    /// The day of the first publication; empty: not told.
    pub issued: &'a str,
    /// The newest of the figures' times or days.
    pub modified: Option<&'a str>,
    /// First and last year of the plan.
    pub period: [i16; 2],
    pub csv_bytes: usize,
    pub json_bytes: usize,
    /// The files of packages for investors; `None` while there are none.
    pub packages: Option<Offered<'a>>,
}

/// The files of packages for investors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offered<'a> {
    /// The day of the newest edition.
    pub modified: Option<&'a str>,
    pub csv_bytes: usize,
    pub json_bytes: usize,
}

const LANGUAGES: &str = "http://publications.europa.eu/resource/authority/language/";
const FILE_TYPES: &str = "http://publications.europa.eu/resource/authority/file-type/";
const MEDIA_TYPES: &str = "https://www.iana.org/assignments/media-types/";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// The catalogue with its datasets and the two files of each: DCAT 3, with what DCAT-AP asks for.
pub(crate) fn catalogue(about: &About<'_>) -> Value {
    let at = |path: &str| format!("{}{path}", about.base);
    let id = |iri: String| json!({"@id": iri});
    let said = |words: &Both| {
        json!([
            {"@value": words.zh, "@language": "zh"},
            {"@value": words.en, "@language": "en"},
        ])
    };
    let date = |text: &str| {
        let kind = if text.contains('T') {
            "dateTime"
        } else {
            "date"
        };
        json!({"@value": text, "@type": format!("{XSD}{kind}")})
    };
    let year = |year: i16| json!({"@value": format!("{year:04}"), "@type": format!("{XSD}gYear")});
    let languages = json!([id(format!("{LANGUAGES}ZHO")), id(format!("{LANGUAGES}ENG"))]);
    let description = both(
        "规划每一项有依据的指标：起点、目标、现值、状态、依据与责任单位。",
        "Every indicator of the plan whose figure has its proof: baseline, target, value, status, proof and the unit that answers for it.",
    );
    let publisher = json!({
        "@id": at("/public#publisher"),
        "@type": "foaf:Agent",
        "foaf:name": said(&about.publisher),
    });
    let modified = about.modified.map(date);
    let issued = (!about.issued.is_empty()).then(|| date(about.issued));
    let file = |path: &str,
                kind: &str,
                media: &str,
                bytes: usize,
                title: Both,
                modified: &Option<Value>| {
        with_dates(
            json!({
                "@id": at(path),
                "@type": "dcat:Distribution",
                "dct:title": said(&title),
                "dcat:accessURL": id(at(path)),
                "dcat:downloadURL": id(at(path)),
                "dcat:mediaType": id(format!("{MEDIA_TYPES}{media}")),
                "dct:format": id(format!("{FILE_TYPES}{kind}")),
                "dct:license": id(about.licence.to_owned()),
                "dct:language": languages,
                "dcat:byteSize": {"@value": bytes.to_string(), "@type": format!("{XSD}nonNegativeInteger")},
            }),
            None,
            modified.clone(),
        )
    };
    let dataset = with_dates(
        json!({
            "@id": at("/public#plan"),
            "@type": "dcat:Dataset",
            "dct:identifier": "plan-indicators",
            "dct:title": said(&about.title),
            "dct:description": said(&description),
            "dct:publisher": id(at("/public#publisher")),
            "dct:license": id(about.licence.to_owned()),
            "dct:language": languages,
            "dct:accessRights": id("http://publications.europa.eu/resource/authority/access-right/PUBLIC".to_owned()),
            "dct:accrualPeriodicity": id("http://publications.europa.eu/resource/authority/frequency/UPDATE_CONT".to_owned()),
            "dct:temporal": {
                "@type": "dct:PeriodOfTime",
                "dcat:startDate": year(about.period[0]),
                "dcat:endDate": year(about.period[1]),
            },
            "dcat:theme": id("http://publications.europa.eu/resource/authority/data-theme/GOVE".to_owned()),
            "dcat:keyword": [
                {"@value": "规划", "@language": "zh"},
                {"@value": "指标", "@language": "zh"},
                {"@value": "plan", "@language": "en"},
                {"@value": "indicators", "@language": "en"},
            ],
            "dcat:landingPage": id(at("/public")),
            "dcat:distribution": [
                file("/api/v1/public/plan.csv", "CSV", "text/csv", about.csv_bytes, both("指标（CSV）", "Indicators as CSV"), &modified),
                file("/api/v1/public/plan.json", "JSON", "application/json", about.json_bytes, both("指标（JSON）", "Indicators as JSON"), &modified),
            ],
        }),
        issued.clone(),
        modified.clone(),
    );
    let mut datasets = vec![dataset];
    if let Some(of) = &about.packages {
        let modified = of.modified.map(date);
        datasets.push(with_dates(
            json!({
                "@id": at("/public#opportunities"),
                "@type": "dcat:Dataset",
                "dct:identifier": "investment-packages",
                "dct:title": said(&both("项目与机会", "Projects and opportunities")),
                "dct:description": said(&both(
                    "规划办公布的项目包和场景清单：项目、规划原文、阶段、起止、寻求的资金、技术、运营和场地。",
                    "Project packages and scenario lists of the plan office: projects, the plan's words, stage, days, and the capital, technology, operators and sites that are sought.",
                )),
                "dct:publisher": id(at("/public#publisher")),
                "dct:license": id(about.licence.to_owned()),
                "dct:language": languages,
                "dct:accessRights": id("http://publications.europa.eu/resource/authority/access-right/PUBLIC".to_owned()),
                "dct:accrualPeriodicity": id("http://publications.europa.eu/resource/authority/frequency/IRREG".to_owned()),
                "dcat:theme": id("http://publications.europa.eu/resource/authority/data-theme/ECON".to_owned()),
                "dcat:landingPage": id(at("/public")),
                "dcat:distribution": [
                    file("/api/v1/public/packages.csv", "CSV", "text/csv", of.csv_bytes, both("项目与机会（CSV）", "Projects and opportunities as CSV"), &modified),
                    file("/api/v1/public/packages.json", "JSON", "application/json", of.json_bytes, both("项目与机会（JSON）", "Projects and opportunities as JSON"), &modified),
                ],
            }),
            None,
            modified.clone(),
        ));
    }
    if !about.contact.is_empty() {
        let (property, address) = match about.contact.contains("://") {
            true => ("vcard:hasURL", about.contact.to_owned()),
            false => ("vcard:hasEmail", format!("mailto:{}", about.contact)),
        };
        for dataset in &mut datasets {
            dataset["dcat:contactPoint"] = json!({
                "@type": "vcard:Organization",
                "vcard:fn": said(&about.publisher),
                property: id(address.clone()),
            });
        }
    }
    with_dates(
        json!({
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#",
                "dct": "http://purl.org/dc/terms/",
                "foaf": "http://xmlns.com/foaf/0.1/",
                "vcard": "http://www.w3.org/2006/vcard/ns#",
            },
            "@id": at("/api/v1/public/catalog.jsonld"),
            "@type": "dcat:Catalog",
            "dct:title": said(&both(
                format!("{} · 开放数据", about.publisher.zh),
                format!("{}: open data", about.publisher.en),
            )),
            "dct:description": said(&description),
            "dct:publisher": publisher,
            "dct:license": id(about.licence.to_owned()),
            "dct:language": languages,
            "foaf:homepage": id(at("/public")),
            "dcat:dataset": datasets,
        }),
        issued,
        modified,
    )
}

fn with_dates(mut of: Value, issued: Option<Value>, modified: Option<Value>) -> Value {
    if let Some(issued) = issued {
        of["dct:issued"] = issued;
    }
    if let Some(modified) = modified {
        of["dct:modified"] = modified;
    }
    of
}

/// Who asked how often in the minute that runs.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// When the minute began, microseconds.
    began: i64,
    counts: HashMap<IpAddr, u32>,
}

impl Gate {
    /// Counts a request; the seconds to wait when it is one too many. In a minute in which more peers asked than are remembered, the
    /// others have to wait for the next.
    pub(crate) fn ask(
        &mut self,
        peer: IpAddr,
        now: i64,
        requests_max: u32,
        peers_max: usize,
    ) -> Result<(), u64> {
        // A clock that jumped back begins a new minute too.
        if !(0..MINUTE_MICROS).contains(&now.saturating_sub(self.began)) {
            self.began = now;
            self.counts.clear();
        }
        let left = (MINUTE_MICROS - (now - self.began)).max(1).unsigned_abs();
        let wait = left.div_ceil(1_000_000);
        let peer = network(peer);
        if self.counts.len() >= peers_max && !self.counts.contains_key(&peer) {
            return Err(wait);
        }
        let count = self.counts.entry(peer).or_default();
        if *count >= requests_max {
            return Err(wait);
        }
        *count += 1;
        Ok(())
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & IPV6_PREFIX)),
        address => address,
    }
}

/// Whether an `If-None-Match` names that entity tag: a list of tags or `*`, compared weakly (RFC 9110, 13.1.2).
pub(crate) fn is_known(if_none_match: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    if_none_match.trim() == "*" || if_none_match.split(',').any(|tag| bare(tag) == bare(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: Report<'_> = Report {
        value: 61.5,
        period: "2024",
        as_of: "2024-12-31",
        evidence: "天经信〔2025〕7号",
        files: &[],
    };

    fn reported() -> Facts<'static> {
        Facts {
            method: Method::Reported,
            value: Some(61.5),
            measured_at: Some("2025-01-05T00:00:00Z"),
            is_failed: false,
            sql: "SELECT value FROM indicator_reports",
            report: Some(REPORT),
        }
    }

    fn computed() -> Facts<'static> {
        Facts {
            method: Method::Computed,
            sql: "SELECT count(*) FROM entities_now",
            // A claim beside what is measured proves nothing of it.
            report: Some(Report {
                value: 9.0,
                ..REPORT
            }),
            ..reported()
        }
    }

    #[test]
    fn a_figure_without_proof_is_not_published() {
        let names = ["王敏".to_owned(), "李".to_owned(), " ".to_owned()];
        let judged = |facts: &Facts<'_>| judge(facts, &names);
        let good = judged(&reported()).unwrap();
        assert_eq!((good.value, &*good.as_of), (61.5, "2024-12-31"));
        assert_eq!(good.proof.evidence.as_deref(), Some("天经信〔2025〕7号"));
        assert_eq!(good.proof.query, None);
        let good = judged(&computed()).unwrap();
        assert_eq!((good.value, &*good.as_of), (61.5, "2025-01-05T00:00:00Z"));
        assert_eq!(good.proof.evidence, None);
        let with = |evidence| Facts {
            report: Some(Report { evidence, ..REPORT }),
            ..reported()
        };
        // A file alone is proof; its name, which may name somebody, is told to nobody.
        let files = [FilingFile {
            id: 1,
            filing_id: 1,
            name: "王敏的年报.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            size_bytes: 8,
            sha256: "ab".repeat(32),
            added_at: model::Timestamp::default(),
            added_by: "王敏".to_owned(),
            added_by_id: None,
            removed_at: None,
            removed_by: None,
        }];
        let filed = Report {
            evidence: " ",
            files: &files,
            ..REPORT
        };
        let good = judged(&Facts {
            report: Some(filed),
            ..reported()
        });
        let proof = good.unwrap().proof;
        assert_eq!(proof.evidence, None);
        assert_eq!(proof.file_sha256, ["ab".repeat(32)]);
        let told = serde_json::to_string(&proof).unwrap();
        assert!(!told.contains("王敏"), "{told}");
        for (facts, why) in [
            (
                Facts {
                    report: None,
                    ..reported()
                },
                Withheld::NoReport,
            ),
            (with(" \n"), Withheld::NoEvidence),
            (with("由王敏核实"), Withheld::Personal),
            (with("联系13812345678"), Withheld::Personal),
            (
                Facts {
                    value: Some(61.4),
                    ..reported()
                },
                Withheld::Differs,
            ),
            (
                Facts {
                    value: None,
                    ..reported()
                },
                Withheld::NotMeasured,
            ),
            (
                Facts {
                    is_failed: true,
                    ..reported()
                },
                Withheld::NotMeasured,
            ),
            (
                Facts {
                    value: None,
                    ..computed()
                },
                Withheld::NoFigure,
            ),
            (
                Facts {
                    measured_at: None,
                    ..computed()
                },
                Withheld::NotMeasured,
            ),
            (
                Facts {
                    is_failed: true,
                    ..computed()
                },
                Withheld::NotMeasured,
            ),
            (
                Facts {
                    sql: "  ",
                    ..computed()
                },
                Withheld::NotMeasured,
            ),
        ] {
            assert_eq!(judged(&facts), Err(why), "{facts:?}");
        }
        // A name of one character is part of many words.
        assert!(judged(&with("李时珍医院统计年报")).is_ok());
    }

    fn body(id: &str, group: &str, status: Option<words::IndicatorStatus>) -> IndicatorBody {
        IndicatorBody {
            id: id.to_owned(),
            number: "1".to_owned(),
            group_zh: group.to_owned(),
            group_en: group.to_owned(),
            subgroup_zh: String::new(),
            subgroup_en: String::new(),
            name_zh: "光缆, 总长".to_owned(),
            name_en: "Fibre \"total\"".to_owned(),
            unit_zh: "公里".to_owned(),
            unit_en: "km".to_owned(),
            baseline: None,
            baseline_year: 2020,
            target: 12.5,
            target_low: 12.5,
            target_high: 12.5,
            target_year: 2025,
            direction: words::Direction::More,
            method: words::Method::Reported,
            source_zh: String::new(),
            source_en: String::new(),
            responsible: None,
            places: Vec::new(),
            path: Vec::new(),
            expected_now: None,
            value: status.map(|_| 3.25),
            as_of: status.map(|_| "2024-12-31".to_owned()),
            status,
            proof: status.map(|_| Proof {
                query: None,
                period: Some("2024".to_owned()),
                evidence: Some("=HYPERLINK(1)".to_owned()),
                file_sha256: Vec::new(),
            }),
            withheld: None,
        }
    }

    #[test]
    fn sums_count_the_published_by_status_and_group() {
        use words::IndicatorStatus as S;
        let all = [
            body("a", "一", Some(S::Met)),
            body("b", "二", Some(S::Behind)),
            body("c", "一", None),
            body("d", "一", Some(S::OnPath)),
        ];
        let (whole, groups) = sums(&all);
        assert_eq!((whole.indicators, whole.published), (4, 3));
        assert_eq!(
            (whole.met, whole.on_path, whole.behind, whole.unknown),
            (1, 1, 1, 0)
        );
        let of = |n: usize| {
            (
                &*groups[n].group_zh,
                groups[n].sums.indicators,
                groups[n].sums.published,
            )
        };
        assert_eq!(
            (of(0), of(1), groups.len()),
            (("一", 3, 2), ("二", 1, 1), 2)
        );
    }

    #[test]
    fn csv_holds_the_published_alone_and_no_formula() {
        let status = Some(words::IndicatorStatus::OnPath);
        let text = csv(&[body("a", "一", status), body("b", "一", None)]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("\u{feff}id,number,"));
        assert_eq!(
            lines[1],
            "a,1,一,一,\"光缆, 总长\",\"Fibre \"\"total\"\"\",公里,km,,2020,12.5,2025,more,3.25,2024-12-31,on_path,reported,,,2024,'=HYPERLINK(1),,"
        );
    }

    #[test]
    fn a_peer_asks_so_often_a_minute_and_a_network_of_ipv6_is_one() {
        let mut gate = Gate::default();
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let begin = 1_000 * MINUTE_MICROS;
        assert_eq!(gate.ask(a, begin, 2, 2), Ok(()));
        assert_eq!(
            gate.ask("::ffff:10.0.0.1".parse().unwrap(), begin, 2, 2),
            Ok(())
        );
        assert_eq!(gate.ask(a, begin + 1, 2, 2), Err(60));
        assert_eq!(gate.ask(a, begin + MINUTE_MICROS - 1, 2, 2), Err(1));
        assert_eq!(gate.ask(b, begin, 2, 2), Ok(()));
        let third = "2001:db8::1".parse().unwrap();
        assert_eq!(
            gate.ask(third, begin, 2, 2),
            Err(60),
            "no more peers are remembered"
        );
        assert_eq!(gate.ask(third, begin + MINUTE_MICROS, 1, 2), Ok(()));
        let neighbour = "2001:db8::ffff:1".parse().unwrap();
        assert_eq!(gate.ask(neighbour, begin + MINUTE_MICROS, 1, 2), Err(60));
        assert_eq!(
            gate.ask(neighbour, begin, 1, 2),
            Ok(()),
            "the clock jumped back"
        );
    }

    #[test]
    fn tags_are_compared_weakly() {
        for (asked, known) in [
            ("*", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("\"b\"", false),
            ("", false),
        ] {
            assert_eq!(is_known(asked, "W/\"a\""), known, "{asked}");
        }
    }
}
