//! Documents of the plan office (公文) in a running city: circular, meeting pack and yearly assessment say what the data says, in every
//! format with a link at every figure; a figure without proof is not told; what is no kind, period, format or number is refused.

use crate::support::{Answer, City, text, until};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::process::Command;
use testkit::foreign::passed_over;

const DOCUMENTS: &str = "/api/v1/plan/documents";
const NUMBERS: &str = "/api/v1/plan/document-numbers";
const WATER: &str = "/api/v1/projects/smart-water";
/// Reported by its unit, in percent.
const REPORTED: &str = "5g-user-penetration";
const EVIDENCE: &str = "天统〔2026〕3号";

async fn person(city: &City, username: &str, role: &str, organisation: &str) -> String {
    let of = ["--organisation", organisation];
    let password = city.add_named(username, username, role, &of);
    city.sign_in(username, &password).await.cookie.unwrap()
}

async fn get(city: &City, cookie: &str, path: &str) -> Json {
    let found = city.send(cookie, "GET", path, &Json::Null).await;
    assert_eq!(found.status, 200, "{path}: {}", found.body);
    found.json()
}

async fn done(city: &City, cookie: &str, method: &str, path: &str, body: &Json) -> Json {
    let answer = city.send(cookie, method, path, body).await;
    assert!(answer.status < 300, "{method} {path}: {}", answer.body);
    answer.json()
}

async fn keep(city: &City, cookie: &str, mut part: Json) {
    part["version"] = get(city, cookie, WATER).await["version"].clone();
    done(city, cookie, "PUT", WATER, &part).await;
}

/// A file as it is sent, with its type.
async fn file(city: &City, cookie: &str, path: &str) -> (String, Vec<u8>) {
    let url = format!("http://{}{path}", city.address("http"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = client.get(url).header("cookie", cookie);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (kind, answer.bytes().await.unwrap().to_vec())
}

/// Every piece of a document's body.
fn spans(document: &Json) -> Vec<&Json> {
    let parts = document["parts"].as_array().unwrap().iter();
    let mut all = Vec::new();
    for part in parts {
        all.extend(part["text"].as_array().unwrap());
        for row in part["rows"].as_array().unwrap() {
            for cell in row.as_array().unwrap() {
                all.extend(cell.as_array().unwrap());
            }
        }
    }
    all
}

fn links(document: &Json) -> Vec<&str> {
    let links = spans(document)
        .into_iter()
        .filter_map(|span| span["link"].as_str());
    links.collect()
}

fn said(document: &Json) -> String {
    let spans = spans(document).into_iter();
    spans.filter_map(|span| span["text"].as_str()).collect()
}

/// The rows of the table with that title, each cell as its words.
fn rows(document: &Json, title: &str) -> Vec<Vec<String>> {
    let words = |cell: &Json| -> String {
        let spans = cell.as_array().unwrap().iter();
        spans.filter_map(|span| span["text"].as_str()).collect()
    };
    let parts = document["parts"].as_array().unwrap();
    let mut tables = parts.iter().filter(|part| part["kind"] == "table");
    let found = tables.find(|part| words(&part["text"]).contains(title));
    let rows = found.map(|table| table["rows"].as_array().unwrap().clone());
    let cells = |row: &Json| row.as_array().unwrap().iter().map(words).collect();
    rows.unwrap_or_default().iter().map(cells).collect()
}

#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (status, code),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_say_what_the_data_says_and_every_figure_leads_to_its_proof() {
    let city = City::start();
    let office = person(&city, "fagai.zhou", "planner", "fagai").await;
    let unit = person(&city, "shuili.zhao", "operator", "shuili").await;
    let author = person(&city, "jingxin.qian", "operator", "jingxin").await;
    let chief = person(&city, "jingxin.wu", "operator", "jingxin").await;
    let today = get(&city, &office, "/api/v1/projects").await["day"].clone();
    let today = today.as_str().unwrap();
    let (month, year) = (&today[..7], today[..4].parse::<i32>().unwrap());
    let last_year = year - 1;

    // Until everything was measured once, what has a figure changes by itself.
    until("every goal was measured", async || {
        let plan = get(&city, &office, "/api/v1/plan").await;
        let mut all = plan["indicators"].as_array().unwrap().iter();
        all.all(|one| one["method"] == "reported" || !one["measured_at"].is_null())
    })
    .await;

    // What is not reported has no figure, and is listed with why.
    let assessment = format!("{DOCUMENTS}/assessment/{last_year}");
    let before = get(&city, &office, &assessment).await;
    let name = before_name(&city, &office).await;
    let missing = rows(&before, "无依据的指标");
    let row = missing
        .iter()
        .find(|row| row[0].starts_with(&name))
        .unwrap();
    assert!(
        row[3].starts_with("无依据：") && row[3].contains("填报"),
        "{row:?}"
    );
    let with_figure = rows(&before, "指标完成情况");
    assert!(!with_figure.iter().any(|row| row[0].starts_with(&name)));

    report(&city, last_year, (&author, &chief, &office)).await;
    project(&city, &office, &unit, (month, year)).await;

    let circular = get(&city, &office, &format!("{DOCUMENTS}/circular/{month}")).await;
    assert!(
        circular["title"]
            .as_str()
            .unwrap()
            .ends_with("规划指标和重点项目进展情况的通报")
    );
    assert_eq!(
        (&circular["number"], &circular["plan"]),
        (&Json::Null, &json!("tianmen-14-5"))
    );
    let late = rows(&circular, "滞后和有风险的重点项目");
    assert_eq!((late.len(), late[0][2].as_str()), (1, "滞后"), "{late:?}");
    assert!(late[0][3].contains("1个里程碑逾期"), "{late:?}");
    assert_eq!(
        rows(&circular, "未办结的督办")[0][2],
        "里程碑“感知体系建成”逾期"
    );
    assert!(said(&circular).contains("没有未报的项目。"));

    // Two months ago nothing of this was kept: what was written down since changes nothing of how it stood.
    let then = month_before(&month_before(month));
    let then = get(&city, &office, &format!("{DOCUMENTS}/circular/{then}")).await;
    let words = said(&then);
    assert!(words.contains("重点项目按各单位截至"), "{words}");
    assert!(!words.contains("变更记录不全"), "{words}");
    assert!(words.contains("没有滞后或有风险的项目。"), "{words}");

    // The meeting of the next month goes through what was stated of this one.
    let next = next_month(month);
    let meeting = get(&city, &office, &format!("{DOCUMENTS}/meeting/{next}")).await;
    let words = said(&meeting);
    for held in [
        "完成 12 座测站安装",
        "3 座测站用地未落实",
        "里程碑“感知体系建成”逾期",
        "汛期停工",
    ] {
        assert!(words.contains(held), "{held} in {words}");
    }
    let this_year = get(&city, &office, &format!("{DOCUMENTS}/meeting/{month}")).await;
    let money = rows(&this_year, "资金（万元）");
    assert_eq!(money[0][1..], ["500", "500", "200", "40"], "{money:?}");

    let after = get(&city, &office, &assessment).await;
    let figures = rows(&after, "指标完成情况");
    let row = figures
        .iter()
        .find(|row| row[0].starts_with(&name))
        .unwrap();
    assert_eq!(row[4], "53.5");
    assert_eq!(row[7], format!("{last_year} 填报：{EVIDENCE}"));
    let units = rows(
        &get(&city, &office, &format!("{DOCUMENTS}/assessment/{year}")).await,
        "里程碑和月调度",
    );
    let water = units.iter().find(|row| row[0].contains("水利")).unwrap();
    assert_eq!(water[1..], ["1", "1", "0", "1", "1", "0", "0"], "{units:?}");

    // Every figure leads somewhere that is there.
    let base = format!("http://{}/", city.address("http"));
    let mut pages = BTreeSet::new();
    for document in [&circular, &meeting, &this_year, &after] {
        for span in spans(document) {
            assert!(span["value"].is_null() || !span["link"].is_null(), "{span}");
        }
        pages.extend(
            links(document)
                .into_iter()
                .map(|link| link.strip_prefix(&base).unwrap().to_owned()),
        );
    }
    for page in pages {
        let (path, asked) = page.split_once('?').unwrap_or((&page, ""));
        let path = match path.split_once('/') {
            Some(("plan", id)) => format!("plan/indicators/{id}?{asked}"),
            None if asked.contains("view=months") => format!("project-months/{month}"),
            _ => page.clone(),
        };
        get(&city, &office, &format!("/api/v1/{path}")).await;
    }

    for (kind, period, document) in [
        ("circular", month.to_owned(), &circular),
        ("meeting", next, &meeting),
        ("assessment", last_year.to_string(), &after),
    ] {
        files(
            &city,
            &office,
            (kind, &period),
            links(document).len(),
            document["title"].as_str().unwrap(),
        )
        .await;
    }
    trail(&city).await;
}

async fn before_name(city: &City, cookie: &str) -> String {
    let found = get(city, cookie, &format!("/api/v1/plan/indicators/{REPORTED}")).await;
    found["name_zh"].as_str().unwrap().to_owned()
}

fn month_before(month: &str) -> String {
    let (year, month) = month.split_once('-').unwrap();
    let (year, month) = (year.parse::<i32>().unwrap(), month.parse::<i32>().unwrap());
    match month {
        1 => format!("{:04}-12", year - 1),
        month => format!("{year:04}-{:02}", month - 1),
    }
}

fn next_month(month: &str) -> String {
    let (year, month) = month.split_once('-').unwrap();
    let (year, month) = (year.parse::<i32>().unwrap(), month.parse::<i32>().unwrap());
    match month {
        12 => format!("{:04}-01", year + 1),
        month => format!("{year:04}-{:02}", month + 1),
    }
}

/// A figure of last year goes through all levels.
async fn report(city: &City, year: i32, (author, chief, office): (&str, &str, &str)) {
    let reports = format!("/api/v1/plan/indicators/{REPORTED}/reports");
    let figure =
        json!({"value": 53.5, "period": year.to_string(), "evidence": EVIDENCE, "draft": false});
    let id = done(city, author, "POST", &reports, &figure).await["id"].clone();
    for who in [chief, office] {
        let path = format!("/api/v1/plan/reports/{id}/approve");
        done(city, who, "POST", &path, &json!({"note": ""})).await;
    }
}

/// A project that is late, with money, a risk, a report of this month and a reminder.
async fn project(city: &City, office: &str, unit: &str, (month, year): (&str, i32)) {
    keep(
        city,
        office,
        json!({"section": "profile", "profile": {"organisation": "shuili", "start": "2024-01-01"}}),
    )
    .await;
    keep(city, unit, json!({"section": "stage", "stage": "building"})).await;
    let first = format!("{year}-01-01");
    keep(
        city,
        unit,
        json!({"section": "milestones", "milestones": [
        {"name": "立项", "planned": first, "done": first, "evidence": "天发改审批〔2024〕12号"},
        {"name": "感知体系建成", "planned": format!("{year}-01-02")}]}),
    )
    .await;
    keep(city, unit, json!({"section": "money", "money": [
        {"source": "central", "year": year, "planned_fen": 500_000_000_i64, "arranged_fen": 500_000_000_i64, "paid_fen": 200_000_000_i64}]}))
    .await;
    keep(
        city,
        unit,
        json!({"section": "risks", "risks": [
        {"risk": "汛期停工", "level": "medium", "measure": "错峰施工", "over": false}]}),
    )
    .await;
    let stated =
        json!({"month": month, "progress": "完成 12 座测站安装", "problems": "3 座测站用地未落实"});
    done(city, unit, "POST", &format!("{WATER}/reports"), &stated).await;
    let about = json!({"about": "milestone:感知体系建成", "note": "请说明原因并报新的完成日期"});
    done(city, office, "POST", &format!("{WATER}/reminders"), &about).await;
}

/// The files of a document have as many links as its text, and say what it says.
async fn files(city: &City, cookie: &str, (kind, period): (&str, &str), links: usize, title: &str) {
    let path =
        |format: &str, more: &str| format!("{DOCUMENTS}/{kind}/{period}?format={format}{more}");
    let folder = tempfile::tempdir().unwrap();
    let (media, pdf) = numbered(city, cookie, kind, period).await;
    assert_eq!(media, "application/pdf");
    let link = b"/Subtype /Link";
    let found = pdf.windows(link.len()).filter(|w| w == link).count();
    assert_eq!(found, links, "{kind}");
    for (name, bytes, held) in [
        ("numbered.pdf", pdf, "天门新基建办〔"),
        (
            "draft.pdf",
            file(city, cookie, &path("pdf", "")).await.1,
            "（草稿，未编号）",
        ),
        (
            "english.pdf",
            file(city, cookie, &path("pdf", "&language=en")).await.1,
            "Plan Office of Tianmen",
        ),
    ] {
        let at = folder.path().join(name);
        std::fs::write(&at, bytes).unwrap();
        match Command::new("pdftotext").arg(&at).arg("-").output() {
            Ok(output) => {
                let flat: String = text(&output.stdout).split_whitespace().collect();
                let flat_of = |words: &str| words.split_whitespace().collect::<String>();
                assert!(flat.contains(&flat_of(held)), "{held} in {flat}");
                assert!(
                    name == "english.pdf" || flat.contains(&flat_of(title)),
                    "{title} in {flat}"
                );
            }
            Err(error) => passed_over("pdftotext", &error.to_string()),
        }
    }
    // Python reads the packages by itself: they are zips of XML.
    let script = "import sys,zipfile,xml.dom.minidom as m\n\
        z=zipfile.ZipFile(sys.argv[1])\n\
        parts={n:m.parseString(z.read(n)) for n in z.namelist()}\n\
        print(sum(len(p.getElementsByTagName(t)) for p in parts.values() for t in ('w:hyperlink','hyperlink')))";
    for format in ["docx", "xlsx"] {
        let (media, bytes) = file(city, cookie, &path(format, "")).await;
        assert!(media.contains("officedocument"), "{media}");
        let at = folder.path().join(format!("document.{format}"));
        std::fs::write(&at, bytes).unwrap();
        let read = Command::new("python3")
            .args(["-c", script])
            .arg(&at)
            .output()
            .unwrap();
        assert!(read.status.success(), "{}", text(&read.stderr));
        assert_eq!(
            text(&read.stdout).trim(),
            links.to_string(),
            "{kind} {format}"
        );
    }
}

/// The document with the next number of the register: its PDF as it was issued.
async fn numbered(city: &City, cookie: &str, kind: &str, period: &str) -> (String, Vec<u8>) {
    let given = city
        .send(
            cookie,
            "POST",
            &format!("{DOCUMENTS}/{kind}/{period}"),
            &json!({}),
        )
        .await;
    assert_eq!(given.status, 201, "{}", given.body);
    let given = given.json();
    let (year, number) = (&given["year"], &given["number"]);
    file(city, cookie, &format!("{NUMBERS}/{year}/{number}/pdf")).await
}

/// Each file is in the trail, and each number.
async fn trail(city: &City) {
    let auditor = city.token_of("auditor");
    let trail = city.ask("GET", "/api/v1/audit?limit=500", |r| {
        r.bearer_auth(&auditor)
    });
    let trail = trail.await.json();
    let all = trail["items"].as_array().unwrap().iter();
    let of: Vec<&Json> = all.filter(|row| row["action"] == "plan.document").collect();
    assert_eq!(of.len(), 12);
    let all = trail["items"].as_array().unwrap().iter();
    let numbered = all.filter(|row| row["action"] == "plan.number-give");
    assert_eq!(numbered.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_document_is_refused_in_both_languages() {
    let city = City::start();
    let office = person(&city, "fagai.zhou", "planner", "fagai").await;
    for (asked, status, code) in [
        ("minutes/2026-10", 400, "document-kind"),
        ("circular/2026-13", 400, "document-period"),
        ("circular/2026", 400, "document-period"),
        ("assessment/2025-10", 400, "document-period"),
        ("circular/2099-01", 400, "document-future"),
        ("meeting/2099-01", 400, "document-future"),
        ("assessment/2099", 400, "document-future"),
        ("circular/2026-10?format=odt", 400, "document-format"),
        ("circular/2026-10?language=fr", 400, "document-language"),
        ("circular/2026-10?number=12", 400, "document-number"),
        ("circular/2026-10?plan=none", 404, "plan-unknown"),
    ] {
        let answer = city
            .send(&office, "GET", &format!("{DOCUMENTS}/{asked}"), &Json::Null)
            .await;
        is(&answer, status, code);
        let chinese = answer.json()["detail_zh"]
            .as_str()
            .unwrap_or_default()
            .len();
        assert!(
            chinese > 0,
            "{code} is not told in Chinese: {}",
            answer.body
        );
    }
    // A month before anything was kept is told as what it is.
    let old = get(&city, &office, &format!("{DOCUMENTS}/circular/2020-01")).await;
    assert!(said(&old).contains("没有滞后的指标。"), "{old}");
    let stranger = city
        .ask("GET", &format!("{DOCUMENTS}/circular/2026-10"), |r| r)
        .await;
    assert_eq!(stranger.status, 401);
    let auditor = city.signed_in("auditor").await;
    let refused = city
        .send(
            &auditor,
            "GET",
            &format!("{DOCUMENTS}/circular/2026-10"),
            &Json::Null,
        )
        .await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_given_once_and_what_is_void_or_missing_is_seen() {
    let city = City::start();
    let office = person(&city, "fagai.zhou", "planner", "fagai").await;
    let unit = person(&city, "shuili.zhao", "operator", "shuili").await;
    let today = get(&city, &office, "/api/v1/projects").await["day"].clone();
    let year = today.as_str().unwrap()[..4].to_owned();
    let give = async |who: &str, document: &str, body: Json| {
        let path = format!("{DOCUMENTS}/{document}");
        city.send(who, "POST", &path, &body).await
    };
    let register = async || get(&city, &office, NUMBERS).await;
    assert_eq!(register().await["next"], 1);
    is(
        &give(&unit, "circular/2026-09", json!({})).await,
        403,
        "forbidden",
    );
    for (body, code) in [
        (json!({"number": 0}), "document-number"),
        (json!({"number": 10_000}), "document-number"),
        (json!({"language": "fr"}), "document-language"),
    ] {
        is(&give(&office, "circular/2026-09", body).await, 400, code);
    }
    // Numbers were given on paper up to 3; then the next one is the platform's.
    let first = give(&office, "circular/2026-09", json!({"number": 4})).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let first = first.json();
    assert_eq!(first["name"], format!("天门新基建办〔{year}〕4号"));
    let second = give(&office, "circular/2026-10", json!({})).await.json();
    assert_eq!(second["number"], 5);
    let taken = give(&office, "meeting/2026-10", json!({"number": 4})).await;
    is(&taken, 409, "document-number-taken");
    assert!(taken.json()["detail_zh"].as_str().unwrap().contains("4号"));
    is(
        &give(&office, "circular/2026-10", json!({})).await,
        409,
        "document-numbered",
    );
    // Of two that ask at once each has its own.
    let (one, other) = tokio::join!(
        give(&office, "meeting/2026-09", json!({})),
        give(&office, "meeting/2026-10", json!({}))
    );
    let mut both = [&one, &other].map(|given| given.json()["number"].as_i64().unwrap());
    both.sort_unstable();
    assert_eq!(both, [6, 7]);

    // The files are those that were issued, whatever the data says since.
    for format in ["pdf", "docx", "xlsx"] {
        let path = format!("{NUMBERS}/{year}/4/{format}");
        let (_, bytes) = file(&city, &office, &path).await;
        let kept = first["files"].as_array().unwrap().iter();
        let kept = kept.clone().find(|file| file["format"] == format).unwrap();
        let found = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let sha256 = kept["sha256"].as_str().unwrap();
        assert_eq!(format!("SHA256:{sha256}"), format!("{found:?}"), "{format}");
        assert_eq!(kept["size_bytes"], bytes.len());
    }

    // What is missing is seen, and said to be void; a void one is not given again, and its document can be numbered anew.
    assert_eq!(register().await["gaps"], json!([{"first": 1, "last": 3}]));
    let void = async |number: i64, reason: &str| {
        let path = format!("{NUMBERS}/{year}/{number}/void");
        let body = json!({"reason": reason});
        city.send(&office, "POST", &path, &body).await
    };
    is(&void(5, "").await, 400, "report-empty");
    assert_eq!(void(5, "数据更正，重新印发").await.status, 200);
    is(&void(5, "数据更正").await, 409, "document-number-void");
    assert_eq!(void(2, "纸质文件未印发").await.status, 200);
    is(&void(99, "没有").await, 404, "not-found");
    is(
        &give(&office, "assessment/2025", json!({"number": 5})).await,
        409,
        "document-number-taken",
    );
    let anew = give(&office, "circular/2026-10", json!({})).await.json();
    assert_eq!(anew["number"], 8);
    let all = register().await;
    assert_eq!(
        all["gaps"],
        json!([{"first": 1, "last": 1}, {"first": 3, "last": 3}])
    );
    let items = all["items"].as_array().unwrap();
    let numbers: Vec<i64> = items
        .iter()
        .map(|item| item["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [8, 7, 6, 5, 4, 2]);
    assert_eq!(
        (&items[3]["voided_why"], &items[5]["kind"]),
        (&json!("数据更正，重新印发"), &Json::Null)
    );
    // The bytes of a void one stay.
    file(&city, &office, &format!("{NUMBERS}/{year}/5/pdf")).await;
    is(
        &city
            .send(&office, "GET", &format!("{NUMBERS}?year=26"), &Json::Null)
            .await,
        400,
        "document-year",
    );
    let seen = get(&city, &unit, NUMBERS).await;
    assert_eq!(seen["may_give"], false);
}
