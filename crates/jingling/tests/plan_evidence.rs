//! The way from a figure to its proof in a running city: files that prove a reported figure, brought to a draft, kept with what was handed
//! in, told to the public by their hash alone, told when damaged; and what a computed figure follows from, down to one town's rows.

use crate::support::{Answer, City, jingling, text, until};
use serde_json::{Value as Json, json};

/// Reported by its unit.
const REPORTED: &str = "5g-user-penetration";
const REPORTS: &str = "/api/v1/plan/indicators/5g-user-penetration/reports";
const PDF: &[u8] = b"%PDF-1.7\n5G";
/// What `sha256sum` says of it.
const PDF_SHA256: &str = "2df400605711454c106046e67667588080d3e0d338e6ca43ef939fa152ed2567";
const CSV: &str = "镇,用户数\r\n岳口镇,12000\r\n";
/// A file's name may say who made it: the public is not told it.
const NAME: &str = "钱年报.pdf";

async fn person(city: &City, username: &str, role: &str, organisation: &[&str]) -> String {
    let password = city.add_named(username, username, role, organisation);
    city.sign_in(username, &password).await.cookie.unwrap()
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

async fn does(city: &City, who: &str, method: &str, path: &str, body: &Json) -> Json {
    let answer = city.send(who, method, path, body).await;
    let is_done = (200..300).contains(&answer.status);
    assert!(is_done, "{method} {path}: {}", answer.body);
    match answer.status {
        204 => Json::Null,
        _ => answer.json(),
    }
}

/// Sends a file to a report.
async fn add(city: &City, who: &str, report: i64, (name, bytes): (&str, &[u8])) -> Answer {
    let head = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
    );
    let form = [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat();
    city.ask("POST", &format!("{}/files", of(report)), |r| {
        r.header("cookie", who)
            .header("x-jingling-csrf", "1")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(form)
    })
    .await
}

fn of(report: i64) -> String {
    format!("/api/v1/plan/reports/{report}")
}

fn file(report: i64, file: &Json) -> String {
    format!("{}/files/{}", of(report), file["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn files_prove_a_figure_and_stay_with_what_was_handed_in() {
    let city = City::start_with(&[
        "indicators.report_levels=[\"plan-office\"]",
        "indicators.report_files_max=2",
        "indicators.measure_ms=200",
        "http.attachment_mib_max=1",
        "portal.open=true",
        "portal.licence=https://creativecommons.org/licenses/by/4.0/",
    ]);
    let of_unit = ["--organisation", "jingxin"];
    let author = person(&city, "jingxin.zhao", "operator", &of_unit).await;
    let colleague = person(&city, "jingxin.qian", "operator", &of_unit).await;
    let office = person(&city, "guihua.li", "planner", &[]).await;
    let empty = json!({"value": 61.5, "period": "2024", "draft": true});
    let draft = does(&city, &author, "POST", REPORTS, &empty).await;
    let id = draft["id"].as_i64().unwrap();
    let submit = format!("{}/submit", of(id));
    let bare = city.send(&author, "POST", &submit, &Json::Null).await;
    is(&bare, 400, "report-empty");

    // What is no proof, too large, or of nobody's business.
    let large = [PDF, &vec![b' '; 1024 * 1024]].concat();
    for (sent, code) in [
        (
            ("年报.pdf", &b"<script>alert(1)</script>"[..]),
            "evidence-type",
        ),
        (("年报.pdf", &b"MZ\x90\0"[..]), "evidence-type"),
        (("年报.pdf", &b""[..]), "evidence-size"),
        (("年报.pdf", &large[..]), "evidence-size"),
    ] {
        let refused = add(&city, &author, id, sent).await;
        is(&refused, 400, code);
        assert!(refused.json()["detail_zh"].is_string(), "{}", refused.body);
    }
    is(
        &add(&city, &colleague, id, (NAME, PDF)).await,
        404,
        "not-found",
    );
    is(
        &add(&city, &author, 999, (NAME, PDF)).await,
        404,
        "not-found",
    );

    let added = add(&city, &author, id, (NAME, PDF)).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let pdf = added.json();
    assert_eq!(
        (&pdf["media_type"], &pdf["size_bytes"], &pdf["sha256"]),
        (
            &json!("application/pdf"),
            &json!(PDF.len()),
            &json!(PDF_SHA256)
        )
    );
    assert_eq!(pdf["added_by"], "jingxin.zhao");
    let again = add(&city, &author, id, ("x.pdf", PDF)).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &pdf["id"]));
    let csv = add(&city, &author, id, ("用户.csv", CSV.as_bytes())).await;
    assert_eq!(csv.status, 201, "{}", csv.body);
    let csv = csv.json();
    assert_eq!(csv["media_type"], "text/csv");
    let third = ("现场.jpg", &b"\xFF\xD8\xFF\xE0rest"[..]);
    is(&add(&city, &author, id, third).await, 409, "evidence-full");
    // A draft's files are its author's alone.
    for path in [file(id, &pdf), of(id)] {
        let hidden = city.send(&colleague, "GET", &path, &Json::Null).await;
        is(&hidden, 404, "not-found");
    }

    // One is taken away again, and told with the draft.
    does(&city, &author, "DELETE", &file(id, &csv), &Json::Null).await;
    for method in ["GET", "DELETE"] {
        let gone = city
            .send(&author, method, &file(id, &csv), &Json::Null)
            .await;
        is(&gone, 404, "not-found");
    }
    let seen = does(&city, &author, "GET", &of(id), &Json::Null).await;
    assert_eq!(seen["files"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &seen["removed_files"][0]["sha256"],
            &seen["removed_files"][0]["by"]
        ),
        (&csv["sha256"], &json!("jingxin.zhao"))
    );

    // Files alone are evidence. Handed in, they stay.
    does(&city, &author, "POST", &submit, &Json::Null).await;
    is(&add(&city, &author, id, third).await, 409, "report-state");
    let kept = city
        .send(&author, "DELETE", &file(id, &pdf), &Json::Null)
        .await;
    is(&kept, 409, "report-state");
    loaded(&city, &colleague, &file(id, &pdf)).await;

    // Returned, it gets another; then it counts.
    let back = json!({"note": "补现场照片"});
    does(&city, &office, "POST", &format!("{}/return", of(id)), &back).await;
    is(
        &add(&city, &colleague, id, third).await,
        403,
        "report-author",
    );
    assert_eq!(add(&city, &author, id, third).await.status, 201);
    does(&city, &author, "POST", &submit, &Json::Null).await;
    let agreed = json!({"note": ""});
    let approved = does(
        &city,
        &office,
        "POST",
        &format!("{}/approve", of(id)),
        &agreed,
    )
    .await;
    assert_eq!(approved["counts"], json!(true));
    let page = format!("/api/v1/plan/indicators/{REPORTED}");
    until("the figure is the indicator's", async || {
        does(&city, &colleague, "GET", &page, &Json::Null).await["value"] == 61.5
    })
    .await;
    let shown = does(&city, &colleague, "GET", &page, &Json::Null).await;
    assert_eq!(
        (
            &shown["reported"]["filing_id"],
            &shown["reported"]["files"][0]["id"]
        ),
        (&json!(id), &pdf["id"])
    );
    // The row behind the figure leads to the report.
    assert_eq!(shown["rows"]["rows"][0]["filing_id"], json!(id));
    let lead = json!([{"column": "filing_id", "to": "report", "has_message": false}]);
    assert_eq!(shown["leads"], lead);

    is_told_by_its_hash_alone(&city).await;
    corrections_have_their_own(&city, &author, id).await;
    damage(&city, &author, &file(id, &pdf)).await;
    trail(&city).await;
}

/// The bytes as they were sent; a browser saves them and runs nothing of them.
async fn loaded(city: &City, who: &str, path: &str) {
    let url = format!("http://{}{path}", city.address("http"));
    let request = reqwest::Client::new().get(url).header("cookie", who);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/pdf");
    assert!(header("content-disposition").starts_with("attachment; filename*=UTF-8''%E9%92%B1"));
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(answer.bytes().await.unwrap(), PDF);
}

async fn is_told_by_its_hash_alone(city: &City) {
    let answer = city.ask("GET", "/api/v1/public/plan.json", |r| r).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let plan = answer.json();
    let mut all = plan["indicators"].as_array().unwrap().iter();
    let one = all.find(|one| one["id"] == REPORTED).unwrap();
    assert_eq!(one["proof"]["evidence"], Json::Null, "{one}");
    assert_eq!(one["proof"]["file_sha256"][0], PDF_SHA256, "{one}");
    assert_eq!(one["proof"]["file_sha256"].as_array().unwrap().len(), 2);
    assert!(!answer.body.contains("钱年报"));
}

async fn corrections_have_their_own(city: &City, author: &str, corrected: i64) {
    let correction = json!({"value": 62.0, "period": "2024", "draft": true, "corrects": corrected, "reason": "漏计"});
    let made = does(city, author, "POST", REPORTS, &correction).await;
    assert_eq!(made["files"], json!([]));
    let before = does(city, author, "GET", &of(corrected), &Json::Null).await;
    assert_eq!(before["files"].as_array().unwrap().len(), 2);
}

/// A file that was damaged is told, and not given as if it were whole.
async fn damage(city: &City, who: &str, path: &str) {
    let folder = &PDF_SHA256[..2];
    let kept = format!("{}/attachments/{folder}/{PDF_SHA256}", city.dir);
    std::fs::write(&kept, b"other bytes").unwrap();
    let answer = city.send(who, "GET", path, &Json::Null).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    let told = jingling(&["check", &city.dir]);
    assert!(!told.status.success());
    let said = text(&told.stderr);
    assert!(
        said.contains("of the report") && said.contains(PDF_SHA256),
        "{said}"
    );
    std::fs::write(&kept, PDF).unwrap();
    let whole = jingling(&["check", &city.dir]);
    assert!(!text(&whole.stderr).contains("of the report"));
}

async fn trail(city: &City) {
    let auditor = city.signed_in("auditor").await;
    let path = "/api/v1/audit?action=indicator.report*&limit=50";
    let trail = does(city, &auditor, "GET", path, &Json::Null).await;
    let rows = trail["items"].as_array().unwrap();
    let of = |action: &str| rows.iter().filter(|row| row["action"] == action).count();
    assert_eq!(of("indicator.report.file-add"), 3, "{trail}");
    assert_eq!(of("indicator.report.file-remove"), 1);
    let handed_in = rows.iter().find(|row| row["action"] == "indicator.report");
    let files = handed_in.unwrap()["detail"]["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computed_figure_leads_to_its_inputs_and_a_towns_to_its_rows() {
    let city = City::start();
    let viewer = person(&city, "viewer.one", "viewer", &[]).await;
    let towns = ["429006001", "429006001", "429006100"];
    let points: Vec<Json> = (towns.iter().enumerate())
        .map(|(n, town)| {
            json!({"id": format!("urn:ngsi-ld:ChargePoint:proof-{n}"), "type": "ChargePoint", "name": "桩", "townCode": town})
        })
        .collect();
    let collector = city.token_of("collector");
    let sent = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&collector).json(&points)
        })
        .await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let path = "/api/v1/plan/indicators/charging-points/proof";
    let mut proof = Json::Null;
    until("three charge points", async || {
        proof = does(&city, &viewer, "GET", path, &Json::Null).await;
        proof["inputs"][0]["count"] == 3
    })
    .await;
    let input = &proof["inputs"][0];
    assert_eq!(
        (&input["kind"], &input["name"], &input["count"]),
        (&json!("things"), &json!("ChargePoint"), &json!(3)),
        "{proof}"
    );
    assert!(input["newest"].is_string(), "{proof}");
    assert_eq!(
        (&proof["clock"], &proof["town"]),
        (&json!(false), &Json::Null)
    );

    // One town's figure: its own rows, each leading to the message that said so.
    let of_town = format!("{path}?town=429006001");
    let town = does(&city, &viewer, "GET", &of_town, &Json::Null).await["town"].clone();
    let rows = town["rows"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{town}");
    let leads: Vec<&str> = (town["leads"].as_array().unwrap().iter())
        .map(|lead| lead["to"].as_str().unwrap())
        .collect();
    assert_eq!(leads, ["entity", "message"]);
    let position = rows[0]["journal_position"].as_u64().unwrap();
    let message = format!("/api/v1/provenance/{position}");
    let message: Json = city.get(&message).await;
    assert!(message["raw_text"].as_str().unwrap().contains("proof-0"));
    for (path, code) in [
        (format!("{path}?town=1"), "not-found"),
        (
            "/api/v1/plan/indicators/data-centre-pue/proof?town=429006001".to_owned(),
            "indicator-no-town-rows",
        ),
        ("/api/v1/plan/indicators/none/proof".to_owned(), "not-found"),
    ] {
        let refused = city.send(&viewer, "GET", &path, &Json::Null).await;
        is(&refused, 404, code);
    }
    // A reported figure follows from reports, a share of devices from the devices.
    for (id, kind, name) in [
        (REPORTED, "records", "indicator_reports"),
        ("iot-online-rate", "records", "devices"),
    ] {
        let path = format!("/api/v1/plan/indicators/{id}/proof");
        let proof = does(&city, &viewer, "GET", &path, &Json::Null).await;
        let input = &proof["inputs"][0];
        assert_eq!(
            (&input["kind"], &input["name"]),
            (&json!(kind), &json!(name))
        );
        assert_ne!(input["title_zh"], input["name"]);
    }
}
