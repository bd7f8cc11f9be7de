//! Who may see what, from outside: policies given to a running city hold in every way out, are checked before they hold, and
//! can be asked why.

use crate::support::{Answer, City, jingling, text, token, until};
use serde_json::{Value as Json, json};
use std::process::Command;

const LAMP: &str = "urn:ngsi-ld:Streetlight:policy-1";
const FAR: &str = "urn:ngsi-ld:Streetlight:policy-2";
const GAUGE: &str = "urn:ngsi-ld:WaterObserved:policy-1";
/// Two towns of the profile, by code.
const HERE: &str = "429006001";
const THERE: &str = "429006100";

/// Analysts see everything of lamps but their power; viewers see lamps of one town, and no gauges.
const POLICIES: &str = r#"
@id("power") @zh("功率只给城管") @en("Power is for urban management")
forbid (principal in Role::"analyst", action == Action::"entity.read", resource is Datum)
when { resource.type == "Streetlight" && resource.attribute == "power" };

@id("one-town") @zh("只看本镇路灯") @en("Lamps of one town only")
forbid (principal in Role::"viewer", action == Action::"entity.read", resource is Datum)
unless { resource.type == "Streetlight" && resource in Division::"429006001" };
"#;

struct Eyes {
    city: City,
    duty: String,
    analyst: String,
    viewer: String,
    security: String,
}

impl Eyes {
    async fn get(&self, token: &str, path: &str) -> Answer {
        self.city.ask("GET", path, |r| r.bearer_auth(token)).await
    }

    async fn list(&self, token: &str, path: &str) -> Json {
        let answer = self.get(token, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    async fn sql(&self, token: &str, query: &str) -> Json {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(token).json(&json!({"query": query}));
        let answer = self.city.ask("POST", "/api/v1/sql", with).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let answer = answer.json();
        let rows = answer["rows"].as_array().unwrap().iter();
        let values = |row: &Json| {
            row.as_object()
                .unwrap()
                .values()
                .cloned()
                .collect::<Vec<_>>()
        };
        rows.map(values).collect()
    }
}

fn lamp(id: &str, town: &str, power: f64) -> Json {
    json!({
        "id": id, "type": "Streetlight",
        "name": {"type": "Property", "value": format!("灯 {town}")},
        "townCode": {"type": "Property", "value": town},
        "power": {"type": "Property", "value": power, "unitCode": "WTT"},
        "powerState": {"type": "Property", "value": "on"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [113.16, 30.65]}},
    })
}

async fn eyes() -> Eyes {
    let city = City::start_with(&["postgres.listen=127.0.0.1:0"]);
    let collector = token(&city.dir, "collector");
    let gauge = json!({
        "id": GAUGE, "type": "WaterObserved",
        "name": {"type": "Property", "value": "站"},
        "townCode": {"type": "Property", "value": HERE},
        "waterLevel": {"type": "Property", "value": 27.5, "unitCode": "MTR"},
    });
    let said = json!([lamp(LAMP, HERE, 61.5), lamp(FAR, THERE, 62.5), gauge]);
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&collector).json(&said);
    let answer = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", with)
        .await;
    assert!(answer.status < 300, "{}", answer.body);
    let eyes = Eyes {
        duty: token(&city.dir, "duty"),
        analyst: token(&city.dir, "analyst"),
        viewer: token(&city.dir, "viewer"),
        security: token(&city.dir, "security"),
        city,
    };
    until("the gauge is shown", async || {
        eyes.get(&eyes.duty, &format!("/api/v1/entities/{GAUGE}"))
            .await
            .status
            == 200
    })
    .await;
    eyes
}

/// Lets policies hold from the command line, and waits until the running city has them.
async fn hold(eyes: &Eyes, policies: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.cedar");
    std::fs::write(&file, policies).unwrap();
    let file = file.display().to_string();
    let set = jingling(&["policy", "set", &eyes.city.dir, &file, "--reason", "试验"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    until("the policies hold", async || {
        let held = eyes.list(&eyes.security, "/api/v1/policy").await;
        held.to_string().contains("city/test#")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_seen_comes_out_nowhere() {
    let eyes = eyes().await;
    hold(&eyes, POLICIES).await;
    let (analyst, viewer, duty) = (&eyes.analyst, &eyes.viewer, &eyes.duty);
    // Entities: one, and lists, by both APIs.
    let path = format!("/api/v1/entities/{LAMP}");
    let seen = eyes.list(duty, &path).await;
    assert_eq!(seen["attributes"]["power"]["value"], 61.5);
    let seen = eyes.list(analyst, &path).await;
    assert!(seen["attributes"]["power"].is_null() && seen["attributes"]["powerState"].is_object());
    assert_eq!(eyes.get(viewer, &path).await.status, 200);
    for hidden in [FAR, GAUGE] {
        for path in ["/api/v1/entities/", "/ngsi-ld/v1/entities/"] {
            let answer = eyes.get(viewer, &format!("{path}{hidden}")).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (404, "not-found")
            );
        }
    }
    let ids = |page: &Json| {
        let items = page["items"].as_array().or(page.as_array()).unwrap();
        let ids = items.iter().map(|e| e["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let page = eyes.list(viewer, "/api/v1/entities").await;
    assert_eq!(ids(&page), [LAMP]);
    // A page is filled from several where much may not be seen.
    let page = eyes.list(viewer, "/api/v1/entities?limit=1").await;
    assert_eq!(ids(&page), [LAMP]);
    // Asking for attributes by name gives those and no others, and none that may not be seen.
    let few = "/api/v1/entities?type=Streetlight&attributes=power,powerState";
    for (who, named) in [(duty, 2), (analyst, 1)] {
        let page = eyes.list(who, few).await;
        let mut items = page["items"].as_array().unwrap().iter();
        let lamp = items.find(|entity| entity["id"] == LAMP).unwrap();
        let attributes = lamp["attributes"].as_object().unwrap();
        assert_eq!(attributes.len(), named, "{lamp}");
        assert_eq!(attributes["powerState"]["value"], "on");
    }
    let page = eyes
        .list(
            viewer,
            "/ngsi-ld/v1/entities?type=Streetlight,WaterObserved",
        )
        .await;
    assert_eq!(ids(&page), [LAMP]);
    let ngsi = eyes
        .list(
            analyst,
            &format!("/ngsi-ld/v1/entities/{LAMP}?options=keyValues"),
        )
        .await;
    assert!(
        ngsi["power"].is_null() && ngsi["powerState"] == "on",
        "{ngsi}"
    );
    // The map.
    let map = eyes.list(viewer, "/api/v1/map/entities").await;
    assert_eq!(map["ids"], json!([LAMP]));
    // The city at a glance counts, and names, nothing else. No device speaks for these lamps.
    let lamps = |overview: &Json| {
        let all = overview["systems"].as_array().unwrap();
        all.iter().find(|s| s["id"] == "S21").unwrap()["flow"]["others"].clone()
    };
    let glance = eyes.list(viewer, "/api/v1/overview").await;
    assert_eq!(
        (&glance["flow"]["others"], lamps(&glance)),
        (&json!(1), json!(1))
    );
    let glance = eyes.list(duty, "/api/v1/overview").await;
    assert_eq!(lamps(&glance), json!(2));
    // A past stretch: the place of one lamp, and no power for who may not see it.
    let past = "/api/v1/replay?from=2020-01-01T00:00:00Z&until=2020-01-01T01:00:00Z";
    assert_eq!(eyes.list(viewer, past).await["state"]["ids"], json!([]));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_secs()).unwrap();
    let at = |s: i64| model::Timestamp::from_seconds(now + s).to_string();
    let stretch = format!(
        "/api/v1/replay?attributes=power&from={}&until={}",
        at(-600),
        at(600)
    );
    let played = eyes.list(viewer, &stretch).await;
    let heard: Vec<&str> = (played["changes"]["ids"].as_array().unwrap().iter())
        .filter_map(Json::as_str)
        .collect();
    assert!(
        !heard.is_empty() && heard.iter().all(|id| *id == LAMP),
        "{played}"
    );
    let played = eyes.list(analyst, &stretch).await;
    assert_eq!(
        played["changes"]["attributes"],
        json!(["location"]),
        "{played}"
    );
    let played = eyes.list(duty, &stretch).await;
    assert!(played["changes"].to_string().contains("61.5"), "{played}");
    // History, and the message behind a figure.
    let history =
        |attribute: &str| format!("/api/v1/entities/{LAMP}/history?attribute={attribute}");
    assert_eq!(
        eyes.list(duty, &history("power")).await["points"][0]["value"],
        61.5
    );
    assert_eq!(
        eyes.list(analyst, &history("power")).await["points"],
        json!([])
    );
    assert_eq!(
        eyes.list(analyst, &history("powerState")).await["points"][0]["value"],
        "on"
    );
    let position = seen["attributes"]["powerState"]["position"]
        .as_u64()
        .unwrap();
    let path = format!("/api/v1/provenance/{position}");
    let whole = eyes.list(duty, &path).await;
    assert!(whole["raw_text"].as_str().unwrap().contains("61.5") && whole["raw_withheld"] == false);
    let part = eyes.list(analyst, &path).await;
    assert!(
        !part.to_string().contains("61.5") && part["raw_withheld"] == true,
        "{part}"
    );
    assert!(part.to_string().contains("powerState"));
    // SQL over HTTP: history, wide view, current values, and the same as a file.
    for (query, rows) in [
        (
            "SELECT count(*) FROM observations WHERE attribute = 'power'",
            json!([[0]]),
        ),
        (
            "SELECT count(*) FROM observations WHERE attribute = 'powerState'",
            json!([[2]]),
        ),
        (
            "SELECT count(power), count(powerState) FROM Streetlight",
            json!([[0, 2]]),
        ),
        (
            "SELECT count(*) FROM entities_now WHERE attribute = 'power'",
            json!([[0]]),
        ),
        (
            "SELECT count(*) FROM entities_now WHERE entity_id LIKE '%policy-1' AND attribute = 'waterLevel'",
            json!([[1]]),
        ),
    ] {
        assert_eq!(eyes.sql(analyst, query).await, rows, "{query}");
    }
    let all = eyes.sql(
        duty,
        "SELECT count(*) FROM observations WHERE attribute = 'power'",
    );
    assert_eq!(all.await, json!([[2]]));
    let query = json!({"query": "SELECT * FROM observations", "format": "csv"});
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(analyst).json(&query);
    let csv = eyes.city.ask("POST", "/api/v1/sql", with).await;
    assert!(csv.status == 200 && !csv.body.contains("61.5") && csv.body.contains("27.5"));
    // SQL over PostgreSQL's protocol, by its own client.
    if Command::new("psql").arg("--version").output().is_err() {
        eprintln!("psql is not installed (Debian: postgresql-client): passed over");
        return;
    }
    let observed =
        "SELECT count(*), max(value_number) FROM observations WHERE entity_type = 'Streetlight'";
    assert_eq!(psql(&eyes, analyst, observed).await, "8|\n");
    // A statement that names a table of the system catalogue beside one of the city's is answered with the same rows, however
    // the two come together.
    let power = "attribute = 'power'";
    let ways = [
        format!(
            "SELECT count(o.value_number) FROM observations o, pg_catalog.pg_namespace n WHERE n.nspname = 'public' AND o.{power}"
        ),
        format!(
            "SELECT count(o.value_number) FROM pg_catalog.pg_namespace n JOIN observations o ON n.nspname = 'public' WHERE o.{power}"
        ),
        format!(
            "SELECT count(value_number) FROM observations WHERE {power} AND EXISTS (SELECT 1 FROM pg_catalog.pg_class)"
        ),
        format!(
            "WITH o AS (SELECT value_number FROM observations WHERE {power}), n AS (SELECT oid FROM pg_namespace WHERE nspname = 'public') SELECT count(o.value_number) FROM o, n"
        ),
        format!(
            "SELECT count(x) FROM (SELECT value_number AS x FROM observations WHERE {power} UNION ALL SELECT NULL AS x FROM pg_catalog.pg_type) AS both_of_them"
        ),
    ];
    for way in &ways {
        assert_eq!(psql(&eyes, duty, way).await, "2\n", "{way}");
        assert_eq!(psql(&eyes, analyst, way).await, "0\n", "{way}");
    }
    let now = "SELECT count(*) FROM pg_catalog.pg_namespace n JOIN entities_now e ON n.nspname = 'public' \
         WHERE e.attribute = 'power' AND e.entity_id LIKE '%policy-%'";
    assert_eq!(psql(&eyes, duty, now).await, "2\n");
    assert_eq!(psql(&eyes, analyst, now).await, "0\n");
}

/// What psql says to a statement, asked with a token.
async fn psql(eyes: &Eyes, token: &str, sql: &str) -> String {
    let port = eyes.city.address("postgres").port();
    let place = format!("host=127.0.0.1 port={port} user=token dbname=city sslmode=disable");
    let (password, sql) = (token.to_owned(), sql.to_owned());
    let ask = move || {
        let psql = Command::new("psql")
            .args([&place, "-X", "-A", "-t", "-c", &sql])
            .env("PGPASSWORD", password)
            .output();
        let said = psql.unwrap();
        String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned()
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_why_names_the_policies() {
    let eyes = eyes().await;
    for (username, role, organisation) in [
        ("wang", "viewer", None),
        ("li", "analyst", Some("chengguan")),
    ] {
        let mut words = vec![
            "user",
            "add",
            &eyes.city.dir,
            "--username",
            username,
            "--name",
            username,
            "--role",
            role,
        ];
        words.extend(organisation.iter().flat_map(|id| ["--organisation", *id]));
        let made = jingling(&words);
        assert!(made.status.success(), "{}", text(&made.stderr));
    }
    hold(&eyes, POLICIES).await;
    let why = async |query: &str| {
        eyes.list(&eyes.security, &format!("/api/v1/policy/why?{query}"))
            .await
    };
    let yes = why(&format!(
        "username=li&entity_id={LAMP}&attribute=powerState"
    ))
    .await;
    assert_eq!(yes["answers"][0]["seen"], "shown");
    assert_eq!(yes["answers"][0]["by"], json!(["program/roles#analyst"]));
    assert_eq!(yes["organisations"], json!(["chengguan"]));
    assert_eq!(
        (&yes["entity"]["division"], &yes["entity"]["owner"]),
        (&json!(HERE), &json!("chengguan"))
    );
    let no = why(&format!("username=li&entity_id={LAMP}&attribute=power")).await;
    assert_eq!(no["answers"][0]["seen"], "hidden");
    assert_eq!(no["answers"][0]["by"], json!(["city/test#power"]));
    assert_eq!(no["policies"][0]["zh"], "功率只给城管");
    let far = why(&format!("username=wang&entity_id={FAR}")).await;
    let answers = far["answers"].as_array().unwrap();
    assert!(
        answers.len() > 3 && answers.iter().all(|a| a["seen"] == "hidden"),
        "{far}"
    );
    let nothing = why("username=wang&action=case.dispatch").await;
    assert_eq!(
        (
            &nothing["answers"][0]["permitted"],
            &nothing["answers"][0]["by"]
        ),
        (&json!(false), &json!([]))
    );
    assert_eq!(
        nothing["answers"][0]["permitted_to_others_by"],
        json!(["program/roles#duty"])
    );
    for (query, status, code) in [
        ("username=nobody", 404, "not-found"),
        ("username=wang&action=fly", 400, "unknown-permission"),
        ("username=wang&at=tomorrow", 400, "time"),
        (
            "username=wang&entity_id=urn:ngsi-ld:Nothing:1",
            404,
            "not-found",
        ),
    ] {
        let answer = eyes
            .get(&eyes.security, &format!("/api/v1/policy/why?{query}"))
            .await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        assert!(
            answer.problem().starts_with(code),
            "{query}: {}",
            answer.body
        );
    }
    let words = [
        "policy",
        "why",
        &eyes.city.dir,
        "--user",
        "li",
        "--type",
        "Streetlight",
        "--attribute",
        "power",
        "--json",
    ];
    let told: Json = serde_json::from_slice(&jingling(&words).stdout).unwrap();
    assert_eq!(
        (&told["permitted"], &told["by"]),
        (&json!(false), &json!(["city/test#power"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_judged_before_it_holds() {
    let eyes = eyes().await;
    let security = &eyes.security;
    let try_ = async |text: &str| {
        let draft = json!({"documents": {"draft": text}});
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(security).json(&draft);
        let answer = eyes.city.ask("POST", "/api/v1/policy/check", with).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let bad =
        try_("permit(principal, action, resource);\npermit(principle, action, resource);").await;
    assert_eq!(bad["problems"][0]["place"], "city/draft, line 2, column 8");
    let locked = try_("forbid(principal, action == Action::\"policy.manage\", resource) when { context.hour == 3 };").await;
    assert_eq!(
        locked["problems"][0]["code"], "policy-locks-out",
        "{locked}"
    );
    let both =
        try_("permit(principal in Role::\"admin\", action == Action::\"audit.read\", resource);")
            .await;
    assert_eq!(both["problems"][0]["code"], "policy-separation", "{both}");
    let good =
        try_("permit(principal in Role::\"admin\", action == Action::\"case.read\", resource);")
            .await;
    assert_eq!(good["problems"], json!([]));
    assert_eq!(good["effects"][0]["gained"], json!(["case.read"]), "{good}");
    // Nothing of it holds.
    let held = eyes.list(security, "/api/v1/policy").await;
    assert_eq!(held["version"], 0);
    // Whoever only looks may not ask for it.
    let with =
        |r: reqwest::RequestBuilder| r.bearer_auth(&eyes.viewer).json(&json!({"documents": {}}));
    let refused = eyes.city.ask("POST", "/api/v1/policy/check", with).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "forbidden")
    );
    // The command line tells the same, and lets nothing bad hold.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.cedar");
    std::fs::write(&file, "forbid(principal, action, resource);").unwrap();
    let file = file.display().to_string();
    let set = jingling(&["policy", "set", &eyes.city.dir, &file, "--reason", "x"]);
    assert_eq!(set.status.code(), Some(1), "{}", text(&set.stderr));
    assert!(
        text(&set.stderr).contains("nobody may policy.manage"),
        "{}",
        text(&set.stderr)
    );
}
