//! Commands to things (控制指令) in a running city: asked for by one, agreed to by another, held back by interlocks, sent once to a
//! station that was written in Python from the standard's text, and told as unknown where nobody can know.

use crate::sl651::{Station, report};
use crate::support::{City, jingling, new_city, text, until};
use serde_json::{Value as Json, json};

const ADDRESS: &str = "0062206901";
const SLUICE: &str = "urn:ngsi-ld:SluiceGate:62206901";
const SETTINGS: [&str; 3] = [
    "sl651.tcp_listen=127.0.0.1:0",
    "sl651.weak_identity_is_accepted=true",
    "sl651.password=\"03E8\"",
];

/// Somebody of a department, signed in.
async fn person(city: &City, username: &str, organisation: &str) -> String {
    let of = ["--organisation", organisation];
    let password = city.add_named(username, username, "operator", &of);
    city.sign_in(username, &password).await.cookie.unwrap()
}

async fn upsert(city: &City, entity: Json) {
    let collector = city.token_of("collector");
    let taken = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&collector).json(&json!([entity]))
        })
        .await;
    assert!((200..300).contains(&taken.status), "{}", taken.body);
}

fn number(value: f64, unit: &str) -> Json {
    json!({"type": "Property", "value": value, "unitCode": unit})
}

fn word(value: &str) -> Json {
    json!({"type": "Property", "value": value})
}

/// A sluice of three bays that nothing holds back.
async fn sluice(city: &City) {
    let facts = json!({"id": SLUICE, "type": "SluiceGate", "name": word("一号闸"), "numberOfGates": {"type": "Property", "value": 3},
        "gateHeight": number(3.0, "MTR"), "guaranteeLevelDownstream": number(29.0, "MTR"), "waterLevelDownstream": number(28.0, "MTR"),
        "gateState": word("closed"), "controlMode": word("remote")});
    upsert(city, facts).await;
    city.shows(SLUICE, "waterLevelDownstream", 28.0).await;
}

/// Sets one attribute, and waits until the interlocks see it.
async fn set(city: &City, cookie: &str, attribute: &str, value: Json, outcomes: [&str; 4]) {
    upsert(
        city,
        json!({"id": SLUICE, "type": "SluiceGate", attribute: value}),
    )
    .await;
    until(&format!("{attribute} is {outcomes:?}"), async || {
        judged(city, cookie, "0.5").await == outcomes
    })
    .await;
}

/// What the interlocks say of an opening, without asking for it.
async fn judged(city: &City, cookie: &str, value: &str) -> Vec<String> {
    let path = format!("/api/v1/entities/{SLUICE}/commands?command=set-opening&value={value}");
    let offers = city.send(cookie, "GET", &path, &Json::Null).await;
    assert_eq!(offers.status, 200, "{}", offers.body);
    let all = offers.json()[0]["interlocks"].clone();
    let all = all.as_array().unwrap().iter();
    all.map(|one| one["outcome"].as_str().unwrap().to_owned())
        .collect()
}

fn opening(value: f64) -> Json {
    json!({"entity_id": SLUICE, "command": "set-opening", "value": value, "reason": "调度令 2026-17 号"})
}

const COMMANDS: &str = "/api/v1/commands";

/// Asks for it; the command's number.
async fn asked(city: &City, cookie: &str, body: &Json) -> i64 {
    let asked = city.send(cookie, "POST", COMMANDS, body).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    asked.json()["id"].as_i64().unwrap()
}

/// Does something to a command; the status and the problem's code or the state.
async fn act(city: &City, cookie: &str, id: i64, act: &str, note: &str) -> (u16, String) {
    let path = format!("{COMMANDS}/{id}/{act}");
    let done = city
        .send(cookie, "POST", &path, &json!({"note": note}))
        .await;
    let said = match done.status {
        200 => done.json()["state"].as_str().unwrap().to_owned(),
        _ => done.problem(),
    };
    (done.status, said)
}

fn is(status: u16, said: &str) -> (u16, String) {
    (status, said.to_owned())
}

async fn command(city: &City, cookie: &str, id: i64) -> Json {
    let path = format!("{COMMANDS}/{id}");
    let found = city.send(cookie, "GET", &path, &Json::Null).await;
    assert_eq!(found.status, 200, "{}", found.body);
    found.json()
}

/// The command once it has ended.
async fn ended(city: &City, cookie: &str, id: i64) -> Json {
    let mut found = Json::Null;
    until("the command has ended", async || {
        found = command(city, cookie, id).await;
        !["asked", "approved", "sent"].contains(&found["state"].as_str().unwrap())
    })
    .await;
    found
}

fn listed(all: &Json, field: &str) -> Vec<String> {
    let all = all.as_array().unwrap().iter();
    all.map(|one| one[field].as_str().unwrap().to_owned())
        .collect()
}

fn register(city: &City) {
    let words = [
        "device",
        "add",
        &city.dir,
        "--id",
        SLUICE,
        "--type",
        "SluiceGate",
    ];
    let added = jingling(&words);
    assert!(added.status.success(), "{}", text(&added.stderr));
}

/// The station, with a link on which it was heard.
fn heard(city: &City, serial: u16) -> Station {
    let mut station = Station::start("tcp", city.address("sl651"), ADDRESS, "03E8");
    let timed = report("32", serial, 0, json!([["38", 2, 2, 12.3]]));
    assert_eq!(station.confirmed(timed)["serial"], serial);
    station
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_is_opened_by_two_people_and_the_station_answers() {
    let city = City::start_with(&SETTINGS);
    let asker = person(&city, "shuili.zhao", "shuili").await;
    let other = person(&city, "shuili.qian", "shuili").await;
    let stranger = person(&city, "chengguan.sun", "chengguan").await;
    sluice(&city).await;
    let path = format!("/api/v1/entities/{SLUICE}/commands?value=0.5");
    let offer = city.send(&asker, "GET", &path, &Json::Null).await.json()[0].clone();
    assert_eq!(
        (&offer["command"], &offer["max"], &offer["may_ask"]),
        (&json!("set-opening"), &json!(3.0), &json!(true)),
        "{offer}"
    );
    assert_eq!(judged(&city, &asker, "0.5").await, ["free"; 4]);

    // Nobody registered the station, and then it has no link: nothing is sent, and that is told.
    for code in ["command-no-device", "sl651-not-on-the-line"] {
        let id = asked(&city, &asker, &opening(0.5)).await;
        assert_eq!(act(&city, &other, id, "approve", "").await.0, 200);
        let failed = ended(&city, &asker, id).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        assert_eq!(listed(&failed["why"], "code"), [code], "{failed}");
        if code == "command-no-device" {
            register(&city);
        }
    }

    let mut station = heard(&city, 1);
    let id = asked(&city, &asker, &opening(0.5)).await;
    // Nobody alone, no machine, no other department, and no second command beside it.
    assert_eq!(
        act(&city, &asker, id, "approve", "").await,
        is(403, "command-own")
    );
    assert_eq!(
        act(&city, &asker, id, "refuse", "不").await,
        is(403, "command-own")
    );
    assert_eq!(
        act(&city, &stranger, id, "approve", "").await,
        is(403, "command-organisation")
    );
    let duty = city.token_of("duty");
    let machine = city
        .ask("POST", &format!("{COMMANDS}/{id}/approve"), |r| {
            r.bearer_auth(&duty).json(&json!({}))
        })
        .await;
    assert_eq!(
        (machine.status, machine.problem().as_str()),
        (403, "command-person")
    );
    let second = city.send(&other, "POST", COMMANDS, &opening(0.2)).await;
    assert_eq!(
        (second.status, second.problem().as_str()),
        (409, "command-open")
    );
    let waiting = format!("{COMMANDS}?entity_id={SLUICE}&state=asked");
    let seen = city.send(&other, "GET", &waiting, &Json::Null).await.json();
    assert_eq!(
        (&seen["items"][0]["id"], &seen["items"][0]["may_decide"]),
        (&json!(id), &json!(true)),
        "{seen}"
    );

    assert_eq!(
        act(&city, &other, id, "approve", "同意").await,
        is(200, "sent")
    );
    let told = station.tell(json!({"do": "obey"}));
    assert_eq!(
        (&told["command"]["function"], &told["command"]["gates"]),
        (&json!("4E"), &json!([[true, 50], [true, 50], [true, 50]])),
        "{told}"
    );
    assert_eq!(told["acks"][0]["function"], "4E", "{told}");
    let done = ended(&city, &asker, id).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(
        done["answer"]["body"]["gates"][2]["opening_cm"], 50,
        "{done}"
    );
    assert_eq!(
        listed(&done["steps"], "step"),
        ["ask", "approve", "send", "answer"]
    );
    assert_eq!(
        (&done["asked_by"], &done["decided_by"]),
        (&json!("shuili.zhao"), &json!("shuili.qian"))
    );
    // How the gates stand came in as any message does.
    until("the gates' states", async || {
        let path = format!("/api/v1/entities/{SLUICE}");
        let entity = city.ask("GET", &path, |r| r.bearer_auth(&city.admin)).await;
        entity.json()["attributes"]["gateStates"]["value"][0]["opening_cm"] == 50
    })
    .await;
    // It is over, and every step is in the trail.
    assert_eq!(
        act(&city, &other, id, "approve", "").await,
        is(409, "command-state")
    );
    let trail = city.get("/api/v1/audit?limit=100").await;
    let of_command = trail["items"].as_array().unwrap().iter();
    let about = format!("command:{id}");
    let mut acts: Vec<&str> = of_command
        .filter(|entry| entry["target"] == about)
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    acts.sort_unstable();
    assert_eq!(
        acts,
        [
            "command.approve",
            "command.ask",
            "command.done",
            "command.send"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn interlocks_hold_back_when_asked_and_again_when_sent() {
    let city = City::start_with(&SETTINGS);
    register(&city);
    let asker = person(&city, "shuili.zhao", "shuili").await;
    let other = person(&city, "shuili.qian", "shuili").await;
    sluice(&city).await;
    let asks = async |value: f64| {
        let asked = city.send(&asker, "POST", COMMANDS, &opening(value)).await;
        (asked.status, asked.problem(), asked.body)
    };
    // Each interlock by itself, with its own words; and what is not known holds back as well.
    let free = "free";
    let good = [
        ("gateState", word("closed")),
        ("controlMode", word("remote")),
        ("waterLevelDownstream", number(28.0, "MTR")),
    ];
    let hour_old = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(90);
    let mut old = number(28.0, "MTR");
    old["observedAt"] = hour_old.to_string().into();
    let nothing = json!({"type": "Property", "value": "urn:ngsi-ld:null"});
    for (attribute, value, outcomes, words) in [
        (
            "gateState",
            word("fault"),
            ["refuses", free, free, free],
            "闸门故障或检修中",
        ),
        (
            "gateState",
            word("maintenance"),
            ["refuses", free, free, free],
            "闸门故障或检修中",
        ),
        (
            "gateState",
            word("moving"),
            [free, "refuses", free, free],
            "闸门正在启闭",
        ),
        (
            "controlMode",
            word("local"),
            [free, free, "refuses", free],
            "闸门不在远程控制",
        ),
        (
            "waterLevelDownstream",
            number(29.0, "MTR"),
            [free, free, free, "refuses"],
            "闸下水位达到或超过保证水位",
        ),
        (
            "waterLevelDownstream",
            number(150.0, "MTR"),
            [free, free, free, "doubtful"],
            "存疑（out_of_range）",
        ),
        (
            "controlMode",
            nothing,
            [free, free, "missing", free],
            "controlMode 没有值",
        ),
    ] {
        set(&city, &asker, attribute, value, outcomes).await;
        let (status, code, body) = asks(0.5).await;
        assert_eq!(
            (status, code.as_str()),
            (409, "command-interlock"),
            "{body}"
        );
        assert!(body.contains(words), "{words}: {body}");
        let (_, back) = good.iter().find(|(name, _)| *name == attribute).unwrap();
        set(&city, &asker, attribute, back.clone(), [free; 4]).await;
    }
    // High water holds nobody back from closing.
    set(
        &city,
        &asker,
        "waterLevelDownstream",
        number(29.5, "MTR"),
        [free, free, free, "refuses"],
    )
    .await;
    assert_eq!(judged(&city, &asker, "0").await, [free, free, free, "idle"]);
    let closing = asked(&city, &asker, &opening(0.0)).await;
    assert_eq!(
        act(&city, &other, closing, "withdraw", "").await,
        is(403, "command-own")
    );
    assert_eq!(
        act(&city, &asker, closing, "withdraw", "").await,
        is(200, "withdrawn")
    );
    set(
        &city,
        &asker,
        "waterLevelDownstream",
        number(28.0, "MTR"),
        [free; 4],
    )
    .await;

    // Values that may not be asked, and a reason that is none.
    for (value, code) in [
        (3.01, "command-range"),
        (-0.1, "command-range"),
        (0.305, "command-range"),
    ] {
        let (status, said, body) = asks(value).await;
        assert_eq!((status, said.as_str()), (400, code), "{body}");
    }
    let mut silent = opening(0.5);
    silent["reason"] = " ".into();
    let refused = city.send(&asker, "POST", COMMANDS, &silent).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (400, "command-reason")
    );

    // A second person says no, and must say why.
    let id = asked(&city, &asker, &opening(0.5)).await;
    assert_eq!(
        act(&city, &other, id, "refuse", "").await,
        is(400, "command-reason")
    );
    assert_eq!(
        act(&city, &other, id, "refuse", "下游有人").await,
        is(200, "refused")
    );
    assert_eq!(
        act(&city, &other, id, "approve", "").await,
        is(409, "command-state")
    );

    // It was free when it was asked, and is not any more when it is to be sent: nothing goes out.
    let id = asked(&city, &asker, &opening(0.5)).await;
    set(
        &city,
        &asker,
        "gateState",
        word("fault"),
        ["refuses", free, free, free],
    )
    .await;
    assert_eq!(
        act(&city, &other, id, "approve", "").await,
        is(200, "failed")
    );
    let failed = command(&city, &asker, id).await;
    assert_eq!(
        listed(&failed["why"], "code"),
        ["command-interlock-refuses"],
        "{failed}"
    );
    assert_eq!(listed(&failed["steps"], "step"), ["ask", "approve", "fail"]);

    // Too old to be believed: the newest that was measured is from an hour and a half ago.
    let fresh = json!({"id": "urn:ngsi-ld:SluiceGate:old", "type": "SluiceGate", "numberOfGates": {"type": "Property", "value": 1},
        "gateHeight": number(3.0, "MTR"), "guaranteeLevelDownstream": number(29.0, "MTR"), "waterLevelDownstream": old,
        "gateState": word("closed"), "controlMode": word("remote")});
    upsert(&city, fresh).await;
    city.shows("urn:ngsi-ld:SluiceGate:old", "waterLevelDownstream", 28.0)
        .await;
    let mut body = opening(0.5);
    body["entity_id"] = "urn:ngsi-ld:SluiceGate:old".into();
    let stale = city.send(&asker, "POST", COMMANDS, &body).await;
    assert_eq!(
        (stale.status, stale.problem().as_str()),
        (409, "command-interlock")
    );
    assert!(stale.body.contains("秒前的"), "{}", stale.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_never_answers_is_told_once_and_a_restart_says_that_nobody_knows() {
    let (folder, dir) = new_city();
    let start = || City::start_in(tempfile::tempdir().unwrap(), dir.clone(), &SETTINGS);
    let city = start();
    register(&city);
    let asker = person(&city, "shuili.zhao", "shuili").await;
    let other = person(&city, "shuili.qian", "shuili").await;
    sluice(&city).await;
    let mut station = heard(&city, 1);
    let id = asked(&city, &asker, &opening(1.25)).await;
    assert_eq!(act(&city, &other, id, "approve", "").await, is(200, "sent"));
    let told = station.tell(json!({"do": "ignore"}));
    assert_eq!(listed(&told["heard"], "function"), ["4E"], "{told}");
    let failed = ended(&city, &asker, id).await;
    assert_eq!(
        listed(&failed["why"], "code"),
        ["sl651-no-answer", "command-may-be-done"],
        "{failed}"
    );

    // The program ends while the answer is waited for.
    let id = asked(&city, &asker, &opening(0.5)).await;
    assert_eq!(act(&city, &other, id, "approve", "").await, is(200, "sent"));
    drop(city);
    drop(station);
    let city = start();
    let failed = ended(&city, &asker, id).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert_eq!(
        listed(&failed["why"], "code"),
        ["command-unknown", "command-may-be-done"],
        "{failed}"
    );
    drop(folder);
}

/// A pack of the city's own: a command that must be approved within a second, and one that nobody else must agree to.
const OWN: &str = r#"
[attributes.pumpsInstalled]
value = "number"
title_zh = "装机台数"
title_en = "Units installed"

[commands.set-running]
title_zh = "开停机"
title_en = "Run"
act = "pumps"
value = "word"
words = [{ value = "start", title_zh = "开", title_en = "Start", means = true }, { value = "stop", title_zh = "停", title_en = "Stop", means = false }]
approval = "second-person"
expires_seconds = 1
channels = "pumpsInstalled"

[commands.run-all]
title_zh = "全部开停"
title_en = "Run all"
act = "pumps"
value = "boolean"
approval = "none"
channels = 2
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_agrees_to_expires_and_what_needs_nobody_is_sent_at_once() {
    let (folder, dir) = new_city();
    let packs = format!("{dir}/packs");
    std::fs::create_dir_all(&packs).unwrap();
    let made = jingling(&["pack", "new", "drains", "--dir", &packs]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let kind = format!("{packs}/pack-drains/entities/DrainsObserved.toml");
    let declared = std::fs::read_to_string(&kind).unwrap();
    std::fs::write(&kind, format!("{declared}{OWN}")).unwrap();
    let mut settings = SETTINGS.to_vec();
    settings.push("sl651.entity_prefixes=[\"urn:ngsi-ld:DrainsObserved:\"]");
    let city = City::start_in(folder, dir, &settings);
    let drain = "urn:ngsi-ld:DrainsObserved:62206901";
    let words = [
        "device",
        "add",
        &city.dir,
        "--id",
        drain,
        "--type",
        "DrainsObserved",
    ];
    let added = jingling(&words);
    assert!(added.status.success(), "{}", text(&added.stderr));
    let facts = json!({"id": drain, "type": "DrainsObserved", "pumpsInstalled": {"type": "Property", "value": 9}});
    upsert(&city, facts).await;
    city.shows(drain, "pumpsInstalled", 9.0).await;
    // A pack that names no department is everybody's who may ask at all.
    let asker = person(&city, "shuili.zhao", "shuili").await;
    let other = person(&city, "shuili.qian", "shuili").await;
    let ask = |command: &str, value: Json| json!({"entity_id": drain, "command": command, "value": value, "reason": "试验"});
    let id = asked(&city, &asker, &ask("set-running", json!("start"))).await;
    let expired = ended(&city, &asker, id).await;
    assert_eq!(expired["state"], "expired", "{expired}");
    assert_eq!(listed(&expired["steps"], "step"), ["ask", "expire"]);
    let late = act(&city, &other, id, "approve", "").await;
    assert_eq!(late, is(409, "command-state"));

    let mut station = heard(&city, 1);
    let id = asked(&city, &asker, &ask("run-all", json!(true))).await;
    let told = station.tell(json!({"do": "obey"}));
    // Both pumps, eight in the one byte.
    assert_eq!(
        (&told["command"]["function"], &told["command"]["more"]),
        (&json!("4C"), &json!("0103")),
        "{told}"
    );
    let done = ended(&city, &asker, id).await;
    assert_eq!(
        listed(&done["steps"], "step"),
        ["ask", "send", "answer"],
        "{done}"
    );
    let refused = city
        .send(&asker, "POST", COMMANDS, &ask("set-running", json!("half")))
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (400, "command-value")
    );
    let unknown = city
        .send(&asker, "POST", COMMANDS, &ask("fly", json!(1)))
        .await;
    assert_eq!(unknown.status, 404, "{}", unknown.body);
}
