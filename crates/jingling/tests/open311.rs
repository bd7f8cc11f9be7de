//! Open311 GeoReport v2 over the running program: a request becomes a case with its class, grid and department, is done once, and
//! is told without anybody's personal data, as a client that nobody here wrote reads it; refusals are in the standard's form; and
//! another city takes the request over as its own case, once.

use crate::support::{Answer, City, text, token, until};
use serde_json::{Value as Json, json};
use std::process::Command;
use testkit::foreign::{Python, passed_over};

/// A sewer cover in the community 429006001002.
const FORM: &str = "service_code=B0102&lat=30.67679&long=113.18715&description=%E4%BA%95%E7%9B%96%E7%BC%BA%E5%A4%B1%2C%E7%94%B5%E8%AF%9D13800000000&address_string=%E9%99%86%E7%BE%BD%E5%A4%A7%E9%81%93&first_name=San&last_name=Zhang&phone=13912345678";

async fn post(city: &City, form: String, path: &str) -> Answer {
    city.ask("POST", path, |r| {
        r.header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone())
    })
    .await
}

/// The only object of an answer.
fn only(answer: &Answer) -> Json {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = answer.json();
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    all[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_a_case_once_and_is_told_without_the_reporter() {
    let city = City::start_with(&["open311.public_reads=true"]);
    let (key, duty) = (token(&city.dir, "channel"), token(&city.dir, "duty"));
    let form = format!("{FORM}&api_key={key}&jurisdiction_id=tianmen");
    let made = only(&post(&city, form.clone(), "/open311/v2/requests.json").await);
    let again = only(&post(&city, form, "/open311/v2/requests.json").await);
    assert_eq!(made, again, "the same words on one day are one request");
    let id = made["service_request_id"].as_str().unwrap();
    let token_of = made["token"].as_str().unwrap();

    // The case, as the duty officer has it.
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&duty);
    let cases = city
        .ask(
            "GET",
            "/api/v1/cases?category=B0102&grid=429006001002001",
            with,
        )
        .await
        .json();
    let items = cases["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{cases}");
    let case = &items[0];
    assert_eq!(case["number"], id);
    assert_eq!(case["workflow"], "city-management");
    assert_eq!(case["source"], "citizen");
    assert_eq!(case["grid"], "429006001002001");
    // Urgent: all hours; 30 + 30 + 60 + 240 + 120 + 60 min.
    assert_eq!(case["left"]["calendar"], "always");
    let left = case["left"]["case_seconds"].as_i64().unwrap();
    assert!((540 * 60 - 300..=540 * 60).contains(&left), "{left}");

    // Who reported: masked, and whole for a purpose, which is in the audit trail.
    let contact = format!("/api/v1/cases/{}/contact", case["id"]);
    let seen = city.ask("GET", &contact, with).await.json();
    assert_eq!(
        (&seen["phone"], &seen["masked"]),
        (&json!("139****5678"), &json!(true))
    );
    let whole = city
        .ask("GET", &format!("{contact}?purpose=case-handling"), with)
        .await
        .json();
    assert_eq!(
        (&whole["phone"], &whole["masked"]),
        (&json!("13912345678"), &json!(false))
    );

    // Told to anybody.
    let open = city
        .ask("GET", &format!("/open311/v2/requests/{id}.json"), |r| r)
        .await;
    let told = only(&open);
    assert_eq!(told["status"], "open");
    assert_eq!(told["address"], "陆羽大道");
    for secret in ["13912345678", "13800000000", "Zhang"] {
        assert!(!open.body.contains(secret), "{}", open.body);
    }
    let found = city
        .ask("GET", &format!("/open311/v2/tokens/{token_of}.json"), |r| r)
        .await;
    assert_eq!(only(&found)["service_request_id"], id);

    // Status and notes follow the case.
    let path = format!("/api/v1/cases/{}/actions", case["id"]);
    let body = json!({"action": "cancel", "note": "已由养护队当场复位"});
    let done = city
        .ask("POST", &path, |r| r.bearer_auth(&duty).json(&body))
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    let told = only(
        &city
            .ask("GET", &format!("/open311/v2/requests/{id}.json"), |r| r)
            .await,
    );
    assert_eq!(told["status"], "closed");
    assert_eq!(told["status_notes"], "已作废：已由养护队当场复位");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_the_standards_form() {
    let city = City::start();
    let key = token(&city.dir, "channel");
    let code = async |answer: Answer| {
        let told = answer.json();
        assert_eq!(told[0]["code"], answer.status, "{}", answer.body);
        answer.status
    };
    let get = async |path: &str, key: &str| {
        let with = |r: reqwest::RequestBuilder| {
            if key.is_empty() {
                r
            } else {
                r.bearer_auth(key)
            }
        };
        city.ask("GET", path, with).await
    };
    // Nothing without a key, and no key but one of the channel's role.
    for path in [
        "discovery",
        "services",
        "requests",
        "services/B0102",
        "requests/x",
        "tokens/x",
    ] {
        let path = format!("/open311/v2/{path}.json");
        assert_eq!(code(get(&path, "").await).await, 403);
        assert_eq!(
            code(get(&path, &token(&city.dir, "collector")).await).await,
            403
        );
    }
    assert_eq!(
        code(post(&city, FORM.to_owned(), "/open311/v2/requests.json").await).await,
        403
    );
    let with = |more: &str| format!("{FORM}&api_key={key}{more}");
    for (form, status) in [
        (format!("api_key={key}"), 400),
        (with("&jurisdiction_id=sf"), 404),
        (with("&lat=31.9"), 400),
        (
            format!("service_code=B9999&lat=30.67&long=113.18&api_key={key}"),
            404,
        ),
        // Not a public class.
        (
            format!("service_code=B0504&lat=30.67&long=113.18&api_key={key}"),
            404,
        ),
        (with(&format!("&x={}", "y".repeat(70_000))), 413),
    ] {
        assert_eq!(
            code(post(&city, form, "/open311/v2/requests.json").await).await,
            status
        );
    }
    for (path, status) in [
        ("requests.json?status=done", 400),
        ("requests.json?start_date=yesterday", 400),
        ("requests.json?jurisdiction_id=sf", 404),
        ("requests.json?service_code=X", 404),
        ("requests/TM-1.json", 404),
        ("services/B9999.json", 404),
        ("tokens/none.json", 404),
        ("nothing.json", 404),
    ] {
        assert_eq!(
            code(get(&format!("/open311/v2/{path}"), &key).await).await,
            status,
            "{path}"
        );
    }
    let xml = get("/open311/v2/requests.xml?page=0", &key).await;
    assert!(
        xml.body.contains("<errors><error><code>400</code>"),
        "{}",
        xml.body
    );
    // The key opens nothing else.
    assert_eq!(get("/api/v1/cases", &key).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_client_reads_it_and_another_city_takes_it_over() {
    let city = City::start_with(&["open311.public_reads=true"]);
    let key = token(&city.dir, "channel");
    let made = only(
        &post(
            &city,
            format!("{FORM}&api_key={key}"),
            "/open311/v2/requests.json",
        )
        .await,
    );
    let id = made["service_request_id"].as_str().unwrap().to_owned();
    let base = format!("http://{}/open311/v2", city.address("http"));

    let endpoint = format!(
        "open311.endpoint=[{{ name = \"next-door\", url = \"{base}\", format = \"xml\", every_seconds = 1, services = {{ B0102 = \"B0103\" }} }}]"
    );
    let other = City::start_with(&[&endpoint, "open311.networks=[\"127.0.0.0/8\"]"]);
    let duty = token(&other.dir, "duty");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&duty);
    until("the other city has the request", async || {
        let cases = other
            .ask("GET", "/api/v1/cases?category=B0103", with)
            .await
            .json();
        cases["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1)
    })
    .await;
    // A second one shows that the first was passed over when it was read again.
    let second = format!("{FORM}&api_key={key}&zipcode=431700");
    only(&post(&city, second, "/open311/v2/requests.json").await);
    until("the second too, and the first not twice", async || {
        let cases = other
            .ask("GET", "/api/v1/cases?category=B0103", with)
            .await
            .json();
        let count = cases["items"].as_array().map_or(0, Vec::len);
        assert!(count <= 2, "{cases}");
        count == 2
    })
    .await;

    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "georeport",
        imports: "georeport",
        packages: &["georeport==0.3.1"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => return passed_over("georeport", &why),
    };
    let output = Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/open311_georeport.py"
        ))
        .args([base.as_str(), "tianmen", "B0102", id.as_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    for form in ["json", "xml"] {
        let told = &told[form];
        assert_eq!(told["definition"], "B0102");
        assert_eq!(told["request"]["service_request_id"], id.as_str());
        assert_eq!(told["requests"].as_array().map(Vec::len), Some(2), "{told}");
        let services = told["services"].as_array().unwrap();
        assert!(
            services.contains(&json!("S0110")) && !services.contains(&json!("B0504")),
            "{told}"
        );
    }
}
