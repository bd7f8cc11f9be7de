//! Packages for investors (项目与机会) in a running city: the plan office composes, previews, publishes and withdraws them; everybody reads what
//! is out, as a page, a file and a dataset; nobody is named, and what is written is text and nothing else.

use crate::support::{Answer, City};
use serde_json::{Value as Json, json};

const OFFICE: &str = "/api/v1/investment-packages";
const PUBLIC: &str = "/api/v1/public/packages.json";
const CSV: &str = "/api/v1/public/packages.csv";
const CATALOGUE: &str = "/api/v1/public/catalog.jsonld";
const LICENCE: &str = "portal.licence=https://creativecommons.org/licenses/by/4.0/";
const AUTHOR: &str = "赵锦绣";

#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (status, code),
        "{}",
        answer.body
    );
}

fn content() -> Json {
    json!({
        "kind": "projects", "title_zh": "=水利项目包", "title_en": "Water projects",
        "summary_zh": "汉江沿线 <script>alert(1)</script>", "summary_en": "Along the Han",
        "entries": [{
            "project": "smart-water", "sought": ["operator", "capital"], "with_money": true,
            "words_zh": "寻求测站运维伙伴", "words_en": "Somebody to run the gauges",
        }],
        "contact_zh": "市发改委投资科 0728-5220000", "contact_en": "Development and Reform Commission",
        "valid_until": "2099-12-31",
    })
}

async fn read(city: &City, path: &str) -> Json {
    let found = city.ask("GET", path, |r| r).await;
    assert_eq!(found.status, 200, "{path}: {}", found.body);
    found.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_office_publishes_is_everybodys_until_it_is_withdrawn() {
    let city = City::start_with(&[
        "portal.open=true",
        "portal.contact=plan@example.gov.cn",
        LICENCE,
    ]);
    let mut cookies = Vec::new();
    for (username, name, role, unit) in [
        ("fagai.zhou", AUTHOR, "planner", "fagai"),
        ("shuili.wu", "吴江河", "operator", "shuili"),
    ] {
        let password = city.add_named(username, name, role, &["--organisation", unit]);
        cookies.push(city.sign_in(username, &password).await.cookie.unwrap());
    }
    let (office, unit) = (&*cookies[0], &*cookies[1]);
    let money = [
        json!({"section": "profile", "profile": {"organisation": "shuili", "start": "2024-01-01", "end": "2025-12-31"}}),
        json!({"section": "money", "money": [
            {"source": "central", "year": 2024, "planned_fen": 500, "arranged_fen": 300, "paid_fen": 1},
            {"source": "central", "year": 2025, "planned_fen": 40, "arranged_fen": 0, "paid_fen": 0}]}),
    ];
    for (version, mut part) in money.into_iter().enumerate() {
        part["version"] = json!(version);
        let path = "/api/v1/projects/smart-water";
        let kept = city.send(office, "PUT", path, &part).await;
        assert_eq!(kept.status, 200, "{}", kept.body);
    }
    assert_eq!(read(&city, PUBLIC).await["packages"], json!([]));
    assert_eq!(datasets(&city).await, ["plan-indicators"]);

    refusals(&city, office, unit).await;

    // Written and seen as everybody would see it; nobody outside sees it yet.
    let made = city
        .send(office, "POST", OFFICE, &json!({"content": content()}))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (&made["state"], &made["version"]),
        (&json!("draft"), &json!(1))
    );
    let entry = &made["preview"]["entries"][0];
    assert_eq!(entry["name_zh"], "天门市“智慧水利”建设项目");
    assert!(
        entry["quote"]
            .as_str()
            .unwrap()
            .contains("水利物联感知体系建设")
    );
    assert_eq!(
        entry["money"],
        json!([{"source": "central", "planned_fen": 540, "arranged_fen": 300}])
    );
    assert_eq!(entry["sought"], json!(["capital", "operator"]));
    assert_eq!(read(&city, PUBLIC).await["packages"], json!([]));

    // Published: as a page reads it, as a table and as a second dataset.
    let path = format!("{OFFICE}/{}", made["id"]);
    let publish = format!("{path}/publish");
    is(
        &city
            .send(office, "POST", &publish, &json!({"version": 7}))
            .await,
        409,
        "package-changed",
    );
    let out = city
        .send(office, "POST", &publish, &json!({"version": 1}))
        .await;
    assert_eq!(out.status, 200, "{}", out.body);
    assert_eq!(out.json()["state"], "published");
    is(
        &city
            .send(office, "POST", &publish, &json!({"version": 1}))
            .await,
        409,
        "package-same",
    );
    let shown = city.ask("GET", PUBLIC, |r| r).await;
    for name in [AUTHOR, "fagai.zhou", "吴江河"] {
        assert!(!shown.body.contains(name), "{name} in {}", shown.body);
    }
    let package = shown.json()["packages"][0].clone();
    assert_eq!(
        (&package["edition"], &package["title_zh"]),
        (&json!(1), &json!("=水利项目包"))
    );
    assert!(package["published_on"].is_string());
    assert_eq!(package["entries"][0]["stage"], "reserve");
    let csv = city.ask("GET", CSV, |r| r).await;
    assert_eq!(csv.body.lines().count(), 2, "{}", csv.body);
    assert!(csv.body.contains(",'=水利项目包,"), "{}", csv.body);
    assert!(csv.body.contains(",5.40,"), "{}", csv.body);
    assert_eq!(
        datasets(&city).await,
        ["plan-indicators", "investment-packages"]
    );

    // What is written anew is not out before it is published again.
    let mut next = content();
    next["title_en"] = json!("Water projects, second");
    next["entries"][0]["with_money"] = json!(false);
    let change = json!({"version": 1, "content": next});
    is(
        &city.send(unit, "PUT", &path, &change).await,
        403,
        "forbidden",
    );
    let changed = city.send(office, "PUT", &path, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json()["is_changed"], true);
    is(
        &city.send(office, "PUT", &path, &change).await,
        409,
        "package-changed",
    );
    let title = async || read(&city, PUBLIC).await["packages"][0]["title_en"].clone();
    assert_eq!(title().await, "Water projects");
    let again = city
        .send(office, "POST", &publish, &json!({"version": 2}))
        .await;
    assert_eq!(again.json()["edition"], 2, "{}", again.body);
    assert_eq!(title().await, "Water projects, second");
    let money = read(&city, PUBLIC).await["packages"][0]["entries"][0]["money"].clone();
    assert_eq!(money, Json::Null);

    // Withdrawn, it is gone at once; its reason stays.
    let withdraw = format!("{path}/withdraw");
    let why = json!({"reason": "已签约"});
    is(
        &city.send(unit, "POST", &withdraw, &why).await,
        403,
        "forbidden",
    );
    let gone = city.send(office, "POST", &withdraw, &why).await;
    assert_eq!(gone.json()["state"], "withdrawn", "{}", gone.body);
    assert_eq!(read(&city, PUBLIC).await["packages"], json!([]));
    is(
        &city.send(office, "POST", &withdraw, &why).await,
        409,
        "package-not-out",
    );
    let seen = city.send(unit, "GET", OFFICE, &Json::Null).await.json();
    assert_eq!(
        (&seen["may_manage"], &seen["is_open"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(seen["items"][0]["withdrawn_why"], "已签约");
    trail(&city).await;
}

/// What is not whole, names somebody, or is of no project.
async fn refusals(city: &City, office: &str, unit: &str) {
    let whole = json!({"content": content()});
    is(
        &city.send(unit, "POST", OFFICE, &whole).await,
        403,
        "forbidden",
    );
    let phone = "请拨打13812345678";
    let named = format!("联系人{AUTHOR}");
    for (pointer, value, code) in [
        ("/title_en", json!(" "), "package-text"),
        ("/summary_zh", json!("长".repeat(2_001)), "package-text"),
        ("/valid_until", json!("2020-01-01"), "package-valid"),
        ("/entries", json!([]), "package-entries"),
        (
            "/entries/0/project",
            json!("no-such-project"),
            "package-project",
        ),
        ("/entries/0/project", Json::Null, "package-entry"),
        ("/entries/0/sought", json!([]), "package-sought"),
        ("/entries/0/words_zh", json!(phone), "package-personal"),
        ("/contact_zh", json!(named), "package-personal"),
    ] {
        let mut wrong = content();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let answer = city
            .send(office, "POST", OFFICE, &json!({"content": wrong}))
            .await;
        is(&answer, 400, code);
        assert!(!answer.body.contains("13812345678"), "{}", answer.body);
    }
    let answer = city
        .send(office, "PUT", &format!("{OFFICE}/99"), &whole)
        .await;
    is(&answer, 404, "not-found");
}

/// The identifiers of the datasets of the catalogue.
async fn datasets(city: &City) -> Vec<String> {
    let catalogue = read(city, CATALOGUE).await;
    let all = catalogue["dcat:dataset"].as_array().unwrap().iter();
    let id = |one: &Json| {
        assert!(one["dcat:contactPoint"].is_object(), "{one}");
        assert_eq!(one["dcat:distribution"].as_array().unwrap().len(), 2);
        one["dct:identifier"].as_str().unwrap().to_owned()
    };
    all.map(id).collect()
}

/// Who wrote, published and withdrew is in the audit trail.
async fn trail(city: &City) {
    let auditor = city.signed_in("auditor").await;
    let path = "/api/v1/audit?action=package.*&limit=10";
    let trail = city.send(&auditor, "GET", path, &Json::Null).await.json();
    let acts = trail["items"].as_array().unwrap().iter();
    let acts: Vec<&str> = acts.map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(
        acts,
        [
            "package.withdraw",
            "package.publish",
            "package.save",
            "package.publish",
            "package.save"
        ]
    );
    assert_eq!(trail["items"][0]["actor"], AUTHOR);
}
