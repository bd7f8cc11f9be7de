//! The chain of a flood warning in a running city: a stage reaches areas, whoever answers for one of them is told because it is
//! theirs, in words that name its villages, on the page and outside; a gap goes to the duty officer; who took note is seen; a case
//! is opened; and levels of the flood control response are suggested, started and ended by a person.

use crate::support::{City, jingling, new_city, text, until};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

const STATION: &str = "urn:ngsi-ld:WaterObserved:chain";
const RESERVOIR: &str = "urn:ngsi-ld:WaterReservoir:chain";
const NETWORKS: &str = "notice.networks=[\"127.0.0.0/8\"]";

/// A person who is signed in.
struct Person {
    id: i64,
    cookie: String,
}

impl Person {
    async fn sign_in(city: &City, username: &str, role: &str, organisation: &str) -> Self {
        let more = ["--organisation", organisation];
        let password = city.add_named(username, username, role, &more);
        let answer = city.sign_in(username, &password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut person = Self {
            id: 0,
            cookie: answer.cookie.unwrap(),
        };
        let who = person
            .good(city, "GET", "/api/v1/session", Json::Null)
            .await;
        person.id = who["id"].as_i64().or(who["user"]["id"].as_i64()).unwrap();
        person
    }

    async fn ask(&self, city: &City, method: &str, path: &str, body: Json) -> (u16, Json) {
        let answer = city.send(&self.cookie, method, path, &body).await;
        let read = serde_json::from_str(&answer.body).unwrap_or(Json::Null);
        (answer.status, read)
    }

    async fn good(&self, city: &City, method: &str, path: &str, body: Json) -> Json {
        let (status, said) = self.ask(city, method, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {said}"
        );
        said
    }

    async fn get(&self, city: &City, path: &str) -> Json {
        self.good(city, "GET", path, Json::Null).await
    }

    /// The newest notice of a kind, once there is one.
    async fn notice(&self, city: &City, kind: &str) -> Json {
        let mut found = Json::Null;
        until(&format!("a notice {kind}"), async || {
            let list = self.get(city, "/api/v1/notifications").await;
            let items = list["items"].as_array().unwrap();
            found = items
                .iter()
                .find(|notice| notice["kind"] == kind)
                .cloned()
                .unwrap_or_default();
            !found.is_null()
        })
        .await;
        found
    }

    /// The plans that are suggested, once they are these.
    async fn suggested(&self, city: &City, plans: &[&str]) -> Json {
        let mut said = Json::Null;
        until(&format!("{plans:?} suggested"), async || {
            said = self.get(city, "/api/v1/duty/suggestions").await;
            let items = said["items"].as_array().unwrap();
            items.iter().map(|one| &one["plan_id"]).eq(plans)
        })
        .await;
        said["items"].clone()
    }
}

/// What a command centre's system got.
#[derive(Clone, Default)]
struct Hook(Arc<Mutex<Vec<Json>>>);

impl Hook {
    async fn start() -> (SocketAddr, Self) {
        let hook = Self::default();
        let take = |State(this): State<Self>, body: Bytes| async move {
            let said = serde_json::from_slice(&body).unwrap();
            this.0.lock().unwrap().push(said);
            StatusCode::NO_CONTENT
        };
        let router = Router::new()
            .route("/hook", post(take))
            .with_state(hook.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, hook)
    }
}

async fn put(city: &City, entity: Json) {
    let collector = city.token_of("collector");
    let taken = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&collector).json(&json!([entity]))
        })
        .await;
    assert!((200..300).contains(&taken.status), "{}", taken.body);
}

fn property(value: impl Into<Json>) -> Json {
    json!({"type": "Property", "value": value.into()})
}

fn metres(value: f64) -> Json {
    json!({"type": "Property", "value": value, "unitCode": "MTR"})
}

/// An area of a town: from a stage on, of a village.
async fn area(city: &City, id: &str, town: &str, from: f64, village: &str, more: Json) {
    area_of(city, STATION, (id, town, from, village), more).await;
}

/// The same, of whichever station or reservoir.
async fn area_of(
    city: &City,
    station: &str,
    (id, town, from, village): (&str, &str, f64, &str),
    more: Json,
) {
    let mut entity = json!({"id": format!("urn:ngsi-ld:FloodRiskArea:{id}"), "type": "FloodRiskArea",
        "name": property(format!("{id}区")), "townCode": property(town), "villageCode": property(village),
        "refStation": {"type": "Relationship", "object": station}, "fromStage": metres(from), "population": property(1_234)});
    for (name, value) in more.as_object().unwrap() {
        entity[name] = property(value.clone());
    }
    put(city, entity).await;
}

/// What the gauge reads, so many seconds ago.
async fn stage(city: &City, value: f64, seconds_ago: i64) {
    level(city, STATION, "waterLevel", value, seconds_ago).await;
}

/// What a station or reservoir says of an attribute, so many seconds ago.
async fn level(city: &City, id: &str, attribute: &str, value: f64, seconds_ago: i64) {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago);
    let mut level = metres(value);
    level["observedAt"] = json!(at.to_string());
    let kind = id.split(':').nth(2).unwrap();
    put(city, json!({"id": id, "type": kind, attribute: level})).await;
    city.shows(id, attribute, value).await;
}

async fn alert(person: &Person, city: &City) -> i64 {
    alert_of(person, city, STATION, "water-stage-warning").await
}

/// The alert as the list has it.
async fn alert_body(person: &Person, city: &City, id: i64) -> Json {
    let list = person.get(city, "/api/v1/alerts?state=active").await;
    let items = list["items"].as_array().unwrap();
    items.iter().find(|a| a["id"] == id).cloned().unwrap()
}

async fn alert_of(person: &Person, city: &City, entity: &str, rule: &str) -> i64 {
    let mut id = 0;
    until(rule, async || {
        let list = person
            .get(
                city,
                &format!("/api/v1/alerts?entity_id={entity}&state=active"),
            )
            .await;
        let items = list["items"].as_array().unwrap();
        let found = items.iter().find(|a| a["rule_id"] == rule);
        id = found.and_then(|a| a["id"].as_i64()).unwrap_or(0);
        id != 0
    })
    .await;
    id
}

/// A post of an organisation and who holds it; the post's id.
async fn post_of(city: &City, organisation: &str, title: &str, user: i64) -> String {
    let token = city.token_of("security");
    let make = async |path: &str, body: Json| {
        let answer = city
            .ask("POST", path, |r| r.bearer_auth(&token).json(&body))
            .await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.json()
    };
    let draft =
        json!({"organisation": organisation, "title_zh": title, "role": "viewer", "duty": "转移"});
    let made = make("/api/v1/organisation/posts", draft).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let holders = format!("/api/v1/organisation/posts/{id}/holders");
    make(&holders, json!({"user_id": user})).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_reaches_a_village_and_whoever_answers_for_it_is_told_and_confirms() {
    // Viewers see their own town alone: nobody is told the names of places that they may not see.
    let policy = r#"@id("one-town") @zh("只看本镇") @en("One town only")
forbid (principal in Role::"viewer", action == Action::"entity.read", resource is Datum)
unless { resource in Division::"429006001" };"#;
    let (address, hook) = Hook::start().await;
    let (folder, dir) = new_city();
    let file = folder.path().join("town.cedar").display().to_string();
    std::fs::write(&file, policy).unwrap();
    let set = jingling(&["policy", "set", &dir, &file, "--reason", "试验"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    std::fs::write(format!("{dir}/secrets/hook.txt"), "a secret of the hook\n").unwrap();
    let channel = format!(
        "notice.channel=[{{kind=\"webhook\", id=\"hook\", url=\"http://{address}/hook\", secret_file=\"secrets/hook.txt\"}}]"
    );
    let city = City::start_in(folder, dir, &[&channel, NETWORKS]);
    let admin = Person::sign_in(&city, "zhang", "admin", "keji").await;
    let li = Person::sign_in(&city, "li", "duty", "yingji").await;
    let wang = Person::sign_in(&city, "wang", "viewer", "town-429006001").await;
    let post = post_of(&city, "town-429006001", "鸿渐社区转移责任人", wang.id).await;

    let rule = json!({"id": "reached", "title_zh": "涉及到谁", "title_en": "Whom it reaches", "enabled": true,
        "on": ["alert.raised", "alert.reached"],
        "levels": [{"to": [{"kind": "affected"}], "channels": ["page", "hook"], "answer_minutes": 10},
            {"to": [{"kind": "role", "id": "duty"}], "channels": ["page"]}]});
    let path = "/api/v1/notice-rules/reached";
    admin.good(&city, "PUT", path, json!({"rule": rule})).await;

    put(&city, json!({"id": STATION, "type": "WaterObserved", "name": property("链河站"), "townCode": property("429006001"),
        "warningLevel": metres(29.3), "guaranteeLevel": metres(33.0)})).await;
    let own = json!({"responsiblePost": post, "villages": ["429006001002"]});
    area(&city, "甲", "429006001", 29.5, "429006001001", own).await;
    area(&city, "乙", "429006100", 29.55, "429006100001", json!({})).await;
    area(
        &city,
        "丙",
        "429006001",
        30.5,
        "429006001002",
        json!({"responsiblePost": post}),
    )
    .await;
    stage(&city, 29.31, 180).await;
    stage(&city, 29.32, 90).await;
    let id = alert(&li, &city).await;
    let told_path = format!("/api/v1/alerts/{id}/told");

    // Above the warning stage nobody is reached yet: nobody is told, and nothing is a gap.
    let preview = json!({"rule": rule, "alert_id": id});
    let preview = admin
        .ask(&city, "POST", "/api/v1/notice-rules/preview", preview)
        .await;
    assert_eq!(preview.1["levels"][0]["people"], json!([]), "{preview:?}");
    assert_eq!(wang.get(&city, "/api/v1/notifications").await["unread"], 0);

    // Raised it is told to systems; only what is reached after that is told as more.
    until("the raising", async || !hook.0.lock().unwrap().is_empty()).await;
    let raised = hook.0.lock().unwrap()[0].clone();
    assert_eq!(raised["event"]["kind"], "alert.raised");
    assert_eq!(
        raised["event"]["affected"][0]["reached"],
        json!([]),
        "{raised}"
    );

    // The stage comes to reach two of them.
    stage(&city, 29.6, 1).await;
    let told = wang.notice(&city, "alert.reached").await;
    assert_eq!(
        told["affected_zh"],
        json!([
            "由您负责：甲区（鸿渐社区、雁叫社区）",
            "受影响洪水风险区 1 处（按 29.6 m）：甲区（鸿渐社区、雁叫社区）；受威胁人口 1,234；接下来的洪水风险区：丙区（30.5 m 起）"
        ]),
        "{told}"
    );
    let english = told["affected_en"][1].as_str().unwrap();
    assert!(
        english.starts_with("Affected, Flood risk area: 1 (at 29.6 m)"),
        "{english}"
    );
    assert_eq!(told["path"], format!("/alerts?alert={id}"));

    // Nobody answers for the other: that is the duty officer's to know.
    let gap = li.notice(&city, "alert.nobody-responsible").await;
    assert!(
        gap["title_zh"]
            .as_str()
            .unwrap()
            .starts_with("1 处没有可通知的责任人"),
        "{gap}"
    );
    assert!(
        gap["affected_zh"][0]
            .as_str()
            .unwrap()
            .contains("乙区（多宝社区）"),
        "{gap}"
    );

    // Outside the same is said, of both; who answers for what stays inside.
    until("the hook", async || hook.0.lock().unwrap().len() > 1).await;
    let got = hook.0.lock().unwrap().clone();
    let reached = got
        .iter()
        .find(|m| m["event"]["kind"] == "alert.reached")
        .unwrap();
    let said = reached["text"].as_str().unwrap();
    assert!(said.contains("受影响洪水风险区 2 处（按 29.6 m）：甲区（鸿渐社区、雁叫社区）、乙区（多宝社区）；受威胁人口 2,468"), "{said}");
    assert!(
        !reached["event"].to_string().contains("people"),
        "{reached}"
    );

    // Who was told, and that nobody took note yet; then that she did.
    let before = li.get(&city, &told_path).await;
    let reached = |told: &Json| {
        let events = told.as_array().unwrap();
        events
            .iter()
            .find(|e| e["kind"] == "alert.reached")
            .cloned()
            .unwrap()
    };
    let person = &reached(&before)["people"][0];
    assert_eq!(
        (&person["name"], &person["confirmed_at"]),
        (&json!("wang"), &Json::Null)
    );
    assert_eq!(person["places"][0]["name_zh"], "甲区");
    let read = format!("/api/v1/notifications/{}/read", told["id"]);
    wang.good(&city, "POST", &read, Json::Null).await;
    let after = li.get(&city, &told_path).await;
    assert!(
        reached(&after)["people"][0]["confirmed_at"].is_string(),
        "{after}"
    );
    assert_eq!(
        reached(&after)["people"][0]["channels"][0],
        json!({"channel": "page", "state": "read"})
    );
    let gaps = after
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["kind"] == "alert.nobody-responsible");
    assert_eq!(gaps.unwrap()["places"][0]["name_zh"], "乙区");
    // She sees of it what is hers.
    let hers = wang.get(&city, &told_path).await;
    assert!(!hers.to_string().contains("乙区"), "{hers}");
    let (status, _) = wang
        .ask(&city, "GET", "/api/v1/alerts/999999/told", Json::Null)
        .await;
    assert_eq!(status, 404);

    // A reservoir reaches its areas by its own level; two of them have a village in common, so that its people may be counted twice.
    put(&city, json!({"id": RESERVOIR, "type": "WaterReservoir", "name": property("链水库"), "townCode": property("429006001"),
        "floodLimitLevel": metres(90.0)})).await;
    for (id, from, village) in [("丁", 90.5, "429006001003"), ("戊", 91.0, "429006001004")] {
        let more = json!({"villages": ["429006001003"]});
        area_of(&city, RESERVOIR, (id, "429006001", from, village), more).await;
    }
    level(&city, RESERVOIR, "waterLevelUpstream", 91.2, 90).await;
    level(&city, RESERVOIR, "waterLevelUpstream", 91.25, 1).await;
    let dam = alert_of(&li, &city, RESERVOIR, "reservoir-flood-limit").await;
    let reached = li
        .get(&city, &format!("/api/v1/alerts/{dam}/affected"))
        .await;
    assert_eq!(
        (
            &reached[0]["value"],
            &reached[0]["unit"],
            &reached[0]["sums"]["population"]
        ),
        (&json!(91.25), &json!("MTR"), &json!(2_468.0)),
        "{reached}"
    );
    assert_eq!(reached[0]["at_most"], json!(["population"]), "{reached}");
    until("the hook names the reservoir's areas", async || {
        let got = hook.0.lock().unwrap();
        got.iter().any(|m| {
            m["text"].as_str().is_some_and(|said| {
                said.contains("受影响洪水风险区 2 处") && said.contains("受威胁人口 至多 2,468")
            })
        })
    })
    .await;

    // The station's stages are written anew and contradict each other: the alert that is up is doubted from then on, on the page of
    // notices too.
    let before = alert_body(&li, &city, id).await;
    assert_eq!(before["doubt"], Json::Null, "{before}");
    put(
        &city,
        json!({"id": STATION, "type": "WaterObserved", "guaranteeLevel": metres(29.2)}),
    )
    .await;
    alert_of(&li, &city, STATION, "water-stages-warning-guarantee").await;
    let after = alert_body(&li, &city, id).await;
    assert_eq!(after["doubt"]["zh"], "特征水位互相矛盾，待核", "{after}");
    assert_eq!(after["title_zh"], before["title_zh"]);
    let time = |at: &Json| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(
        time(&after["doubt"]["since"]) > time(&after["raised_at"]),
        "{after}"
    );
    let told = wang.notice(&city, "alert.reached").await;
    assert_eq!(told["doubt"]["since"], after["doubt"]["since"], "{told}");

    // From the alert a case, whose page reads the same.
    let case = json!({"title": "转移鸿渐社区", "alert_id": id});
    let case = li.good(&city, "POST", "/api/v1/cases", case).await;
    let case = li
        .get(&city, &format!("/api/v1/cases/{}", case["id"]))
        .await;
    assert_eq!(case["alert_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_of_the_flood_response_are_suggested_with_why_and_started_and_ended_by_a_person() {
    let city = City::start();
    let admin = Person::sign_in(&city, "zhang", "admin", "keji").await;
    let li = Person::sign_in(&city, "li", "duty", "yingji").await;
    let rule = json!({"id": "levels", "title_zh": "响应等级", "title_en": "Levels", "enabled": true, "on": ["duty.plan-suggested"],
        "levels": [{"to": [{"kind": "role", "id": "duty"}], "channels": ["page"]}]});
    let path = "/api/v1/notice-rules/levels";
    admin.good(&city, "PUT", path, json!({"rule": rule})).await;
    put(
        &city,
        json!({"id": STATION, "type": "WaterObserved", "name": property("链河站"),
        "warningLevel": metres(29.3), "guaranteeLevel": metres(33.0)}),
    )
    .await;
    area(&city, "甲", "429006001", 29.5, "429006001001", json!({})).await;
    let (four, three) = ("water-flood-level-4", "water-flood-level-3");
    li.suggested(&city, &[]).await;

    // A station at its warning stage suggests level IV, with why; nothing is started by that.
    stage(&city, 29.31, 180).await;
    stage(&city, 29.32, 90).await;
    let id = alert(&li, &city).await;
    let items = li.suggested(&city, &[four]).await;
    assert_eq!(
        (&items[0]["level_zh"], &items[0]["rank"]),
        (&json!("Ⅳ级"), &json!(4))
    );
    assert_eq!(items[0]["why_zh"], "一个以上测站达到警戒水位");
    assert_eq!(
        (&items[0]["alerts"][0]["id"], &items[0]["count"]),
        (&json!(id), &json!(1))
    );
    let notice = li.notice(&city, "duty.plan-suggested").await;
    assert!(
        notice["title_zh"]
            .as_str()
            .unwrap()
            .contains("防汛Ⅳ级应急响应"),
        "{notice}"
    );
    let activations = "/api/v1/duty/activations";
    let running = li.get(&city, &format!("{activations}?open=true")).await;
    assert_eq!(running["items"], json!([]), "nothing starts by itself");

    // A person starts it, once for the whole city; then it is suggested no more.
    let start = |plan: &str| json!({"plan": plan, "organisation": "yingji"});
    let begun = li.good(&city, "POST", activations, start(four)).await;
    let again = li.ask(&city, "POST", activations, start(four)).await;
    assert_eq!(
        (again.0, &again.1["code"]),
        (409, &json!("duty-plan-under-way"))
    );
    li.suggested(&city, &[]).await;

    // The stage reaches an area: level III, and what it takes the place of.
    stage(&city, 29.6, 1).await;
    let items = li.suggested(&city, &[three]).await;
    assert_eq!(
        (&items[0]["places"], &items[0]["entities"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(items[0]["lower"][0]["activation_id"], begun["id"]);
    let third = li.good(&city, "POST", activations, start(three)).await;
    li.suggested(&city, &[]).await;
    for activation in [&begun, &third] {
        let end = format!("{activations}/{}/end", activation["id"]);
        li.good(&city, "POST", &end, json!({"summary": "试验结束"}))
            .await;
    }
    // Ended by a person while the water stands as high, it is suggested again.
    li.suggested(&city, &[three]).await;
    // Who has no duty is not told.
    let viewer = Person::sign_in(&city, "zhao", "viewer", "yingji").await;
    let (status, _) = viewer
        .ask(&city, "GET", "/api/v1/duty/suggestions", Json::Null)
        .await;
    assert_eq!(status, 403);
}
