//! The front page's overview and the replay of a past stretch, over the running program: figures follow what devices say, each
//! role gets what it may see, pages of a replay follow one another, and a bad question is told.

use crate::support::{City, token, until};
use serde_json::{Value as Json, json};
use std::path::Path;

const BUS: &str = "urn:ngsi-ld:Streetlight:replay-1";

/// Says where a thing is, and its state, at a moment.
async fn say(city: &City, collector: &str, at: &str, lon: f64, state: &str) {
    let said = json!([{
        "id": BUS, "type": "Streetlight",
        "powerState": {"type": "Property", "value": state, "observedAt": at},
        "location": {"type": "GeoProperty", "observedAt": at, "value": {"type": "Point", "coordinates": [lon, 30.65]}},
    }]);
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(collector).json(&said);
    let answer = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", with)
        .await;
    assert!(answer.status < 300, "{}", answer.body);
}

fn of<'a>(overview: &'a Json, id: &str) -> &'a Json {
    let systems = overview["systems"].as_array().unwrap();
    systems.iter().find(|s| s["id"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_follows_what_devices_say_and_each_role_sees_its_part() {
    // Not kept: what is said is seen at once.
    let city = City::start_with(&["command_centre.overview_kept_ms=0"]);
    let (collector, duty) = (token(&city.dir, "collector"), token(&city.dir, "duty"));
    let glance = async |token: &str| {
        let answer = city
            .ask("GET", "/api/v1/overview", |r| r.bearer_auth(token))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let before = glance(&duty).await;
    assert_eq!(before["systems"].as_array().unwrap().len(), 37);
    assert_eq!(of(&before, "S18")["installed"], false);
    let lamps = of(&before, "S21")["flow"]["others"].as_u64().unwrap();
    let now = model::Timestamp::from_micros(jiff_now()).to_string();
    say(&city, &collector, &now, 113.1, "on").await;
    until("the lamp is counted", async || {
        of(&glance(&duty).await, "S21")["flow"]["others"] == lamps + 1
    })
    .await;
    let counted = glance(&duty).await;
    assert!(counted["alerts"].is_object() && counted["cases"].is_object());
    // Who may not read cases gets none, not a nought.
    let collectors = glance(&collector).await;
    assert!(collectors["cases"].is_null() && collectors["alerts"].is_null());
    let rows = city
        .ask("GET", "/api/v1/overview/systems/S21", |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!(rows.status, 200, "{}", rows.body);
    assert_eq!(rows.json()["system"]["id"], "S21");
    let none = city
        .ask("GET", "/api/v1/overview/systems/S99", |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!((none.status, none.problem().as_str()), (404, "not-found"));
}

fn jiff_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_micros()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_stretch_comes_back_as_it_was_page_by_page() {
    let city = City::start();
    let (collector, duty) = (token(&city.dir, "collector"), token(&city.dir, "duty"));
    let at = |minutes: i64| {
        model::Timestamp::from_micros(jiff_now() - 3_600_000_000)
            .plus_seconds(60 * minutes)
            .to_string()
    };
    let times: Vec<String> = (0..6).map(|n| at(n * 5)).collect();
    for (n, time) in times.iter().enumerate() {
        let lon = 113.0 + 0.01 * n as f64;
        say(&city, &collector, time, lon, ["on", "off"][n % 2]).await;
    }
    let replay = async |query: &str| {
        city.ask("GET", &format!("/api/v1/replay?{query}"), |r| {
            r.bearer_auth(&duty)
        })
        .await
    };
    // From between the second and the third to the end.
    let stretch = format!(
        "types=Streetlight&attributes=powerState&from={}&until={}",
        at(7),
        at(40)
    );
    until("all six are in history", async || {
        let all = format!(
            "types=Streetlight&attributes=powerState&from={}&until={}",
            at(-5),
            at(40)
        );
        let answer = replay(&all).await.json();
        answer["changes"]["ids"].as_array().unwrap().len() == 12
    })
    .await;
    let whole = replay(&stretch).await.json();
    assert_eq!(whole["state"]["ids"], json!([BUS]));
    assert_eq!(whole["state"]["lon"], json!([113.01]));
    assert_eq!(whole["state"]["values"], json!([{"powerState": "off"}]));
    assert_eq!(whole["changes"]["ids"].as_array().unwrap().len(), 8);
    assert!(whole["next"].is_null());
    // The same by pages of three.
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = replay(&format!("{stretch}&limit=3{after}")).await.json();
        assert_eq!(page["state"].is_null(), !after.is_empty());
        seen.extend(page["changes"]["at_ms"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(json!(seen), whole["changes"]["at_ms"]);
    for (query, code) in [
        (format!("from={}&until={}", at(2), at(1)), "replay-order"),
        (format!("from={}&until={}", at(-600), at(1)), "replay-span"),
        (format!("from={}&until={}&after=x", at(1), at(2)), "cursor"),
        (
            format!("from={}&until={}", at(90), at(100)),
            "replay-future",
        ),
    ] {
        let refused = replay(&query).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, code),
            "{query}"
        );
    }
}

/// Writes a pack of the city's own.
fn own_pack(city: &City, files: &[(&str, &str)]) {
    let pack = Path::new(&city.dir).join("packs/pack-own");
    for (name, body) in files {
        let file = pack.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, body).unwrap();
    }
}

const OWN_PACK: &[(&str, &str)] = &[
    (
        "pack.toml",
        "# Own.\nname = \"pack-own\"\nversion = 1\ntitle_zh = \"自\"\ntitle_en = \"Own\"\nowner_zh = \"局\"\n\
         owner_en = \"Bureau\"\npermissions = [\"entity.read\"]\n",
    ),
    ("README.md", "# 自\n"),
    (
        "quality.toml",
        "# Ledger.\n[[rule]]\nid = \"standard-names\"\nstate = \"done\"\n[[rule]]\nid = \"units\"\nstate = \"done\"\n\
         [[rule]]\nid = \"ranges\"\nstate = \"done\"\n[[rule]]\nid = \"runbooks\"\nstate = \"done\"\n\
         [[rule]]\nid = \"two-languages\"\nstate = \"done\"\n[[rule]]\nid = \"sources\"\nstate = \"done\"\n\
         [[rule]]\nid = \"scenarios\"\nstate = \"todo\"\nbecause = \"new\"\n\
         [[rule]]\nid = \"department-review\"\nstate = \"todo\"\nbecause = \"new\"\n",
    ),
    (
        "rules/deep.toml",
        "# Deep.\nid = \"deep\"\nversion = 1\ntitle_zh = \"深 {value}\"\ntitle_en = \"Deep {value}\"\n\
         entity_type = \"Well\"\nattribute = \"bottom\"\nop = \">\"\nthreshold = 50.0\nunit = \"MTR\"\n\
         severity = \"minor\"\nopens_case = \"standard\"\nrunbook = \"deep\"\n",
    ),
    ("runbooks/deep.zh.md", "# 深\n"),
    ("runbooks/deep.en.md", "# Deep\n"),
    ("strings/zh.toml", "[well]\nhint = \"提示\"\n"),
    ("strings/en.toml", "[well]\nhint = \"Hint\"\n"),
];

/// The type of wells; the name of the number and of its unit is what a test changes.
fn well(attribute: &str) -> String {
    format!(
        "# A well.\nname = \"Well\"\ntitle_zh = \"井\"\ntitle_en = \"Well\"\nsource = \"ours\"\n\
         standard = {{ none = \"no model speaks of wells\" }}\n\
         [attributes.bottom]\nvalue = \"number\"\ntitle_zh = \"井底\"\ntitle_en = \"Bottom\"\nunit = \"MTR\"\n\
         min = 0.0\nmax = 100.0\n{attribute}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_type_holds_everywhere_without_a_restart() {
    let city = City::start_with(&["packs.reload_seconds=0"]);
    let (collector, duty) = (token(&city.dir, "collector"), token(&city.dir, "duty"));
    let say = async |attribute: &str, value: Json| {
        let said = json!([{"id": "urn:ngsi-ld:Well:1", "type": "Well", attribute: {"type": "Property", "value": value}}]);
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&collector).json(&said);
        city.ask("POST", "/ngsi-ld/v1/entityOperations/upsert", with)
            .await
    };
    let reload = async || {
        city.ask("POST", "/api/v1/packs/reload", |r| {
            r.bearer_auth(&city.admin)
        })
        .await
    };
    // Said before anybody declared it: a text under the name that a first draft of the pack takes for a number.
    assert!(say("depth", json!("deep")).await.status < 300);
    until("the well is known", async || {
        let path = "/api/v1/entities/urn:ngsi-ld:Well:1";
        city.ask("GET", path, |r| r.bearer_auth(&duty)).await.status == 200
    })
    .await;
    own_pack(&city, OWN_PACK);
    let depth = "[attributes.depth]\nvalue = \"number\"\ntitle_zh = \"深\"\ntitle_en = \"Depth\"\nunit = \"MTR\"\n";
    own_pack(&city, &[("entities/Well.toml", &well(depth))]);
    let refused = reload().await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "pack-contradicts-stored"),
        "{}",
        refused.body
    );
    assert!(
        refused.body.contains("urn:ngsi-ld:Well:1"),
        "{}",
        refused.body
    );
    let schema = async || {
        city.ask("GET", "/api/v1/types/Well/schema.json", |r| {
            r.bearer_auth(&duty)
        })
        .await
    };
    assert_eq!(schema().await.status, 404, "nothing of it holds");

    let width = |unit: &str| {
        let titles = "title_zh = \"宽\"\ntitle_en = \"Width\"";
        well(&format!(
            "[attributes.width]\nvalue = \"number\"\n{titles}\nunit = \"{unit}\"\n"
        ))
    };
    own_pack(&city, &[("entities/Well.toml", &width("MTR"))]);
    let taken = reload().await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let added = taken.json()["added"].clone();
    for name in ["entity type Well", "rule deep", "pack pack-own"] {
        assert!(added.as_array().unwrap().contains(&json!(name)), "{added}");
    }
    // Every page and door speaks of it at once.
    assert_eq!(
        schema().await.json()["properties"]["bottom"]["maximum"],
        100.0
    );
    assert_eq!(say("bottom", json!("low")).await.status, 400);
    assert!(say("bottom", json!(60.0)).await.status < 300);
    until("the rule is at work", async || {
        let alerts = city
            .ask("GET", "/api/v1/alerts", |r| r.bearer_auth(&duty))
            .await;
        let alerts = alerts.json();
        let items = alerts["items"].as_array().unwrap();
        items.iter().any(|alert| alert["rule_id"] == "deep")
    })
    .await;
    assert_eq!(
        city.sql("SELECT bottom FROM \"Well_now\"").await,
        json!({"bottom": 60.0})
    );
    // Restated in another unit than what is stored now: refused, and what held goes on.
    assert!(say("width", json!(2.0)).await.status < 300);
    until("the width is known", async || {
        let path = "/api/v1/entities/urn:ngsi-ld:Well:1";
        let well = city.ask("GET", path, |r| r.bearer_auth(&duty)).await;
        well.json()["attributes"]["width"]["value"] == 2.0
    })
    .await;
    own_pack(&city, &[("entities/Well.toml", &width("CMT"))]);
    let refused = reload().await;
    assert_eq!(
        refused.problem(),
        "pack-contradicts-stored",
        "{}",
        refused.body
    );
    assert_eq!(
        schema().await.json()["properties"]["width"]["x-unit-code"],
        "MTR"
    );
}
