//! Who may do what, seen from outside: every operation that the running city describes is called without
//! credentials, with made-up ones, and as every role; the MQTT door with every kind of client. The golden file
//! `access.golden.txt` lists whom each operation refuses and whom it lets in.

use crate::support::{
    City, Mqtt, OPEN311, jingling, jingling_json, refusal_of_strangers, shared, text, token, until,
};
use expect_test::{expect, expect_file};
use rumqttc::v5::mqttbytes::v5::ConnectReturnCode;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;

/// A token that nobody was given.
const MADE_UP: &str = "jl_00000000000000000000000000000000000000000000";
const CSRF: (&str, &str) = ("x-jingling-csrf", "1");

/// An operation as the city describes it.
struct Operation {
    method: String,
    template: String,
    /// The template with an id that nothing has.
    path: String,
    rule: Rule,
}

#[derive(PartialEq)]
enum Rule {
    Public,
    SignedIn,
    Permission(String),
}

impl Operation {
    fn is_change(&self) -> bool {
        self.method != "GET"
    }
}

async fn operations(city: &City) -> Vec<Operation> {
    let description = city.ask("GET", "/api/openapi.json", |r| r).await.json();
    let mut operations = Vec::new();
    for (template, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let asked = operation["security"][0].as_object().unwrap();
            let rule = match asked.get("session").map(|scopes| scopes[0].as_str()) {
                None => Rule::Public,
                Some(None) => Rule::SignedIn,
                Some(Some(permission)) => Rule::Permission(permission.to_owned()),
            };
            let segments = template.split('/').map(|segment| match segment {
                "{position}" => "999999999",
                "{id}" if template.contains("ngsi-ld") => "urn:ngsi-ld:Nothing:1",
                s if s.starts_with('{') => "999999999",
                s => s,
            });
            operations.push(Operation {
                path: segments.collect::<Vec<_>>().join("/"),
                method: method.to_uppercase(),
                template: template.clone(),
                rule,
            });
        }
    }
    assert!(
        operations.len() > 40,
        "only {} operations",
        operations.len()
    );
    operations
}

struct Role {
    name: String,
    token: String,
    permissions: BTreeSet<String>,
}

/// Every role that the program knows, each with a token, and what the city says that it may do.
async fn roles(city: &City) -> Vec<Role> {
    let words = ["token", "create", &city.dir, "--name", "x", "--role", "?"];
    let told = text(&jingling(&words).stderr);
    let names = told.split("use one of ").nth(1).expect(&told).trim();
    let mut roles = Vec::new();
    for name in names.split(", ") {
        let token = token(&city.dir, name);
        let answer = city
            .ask("GET", "/api/v1/session", |r| r.bearer_auth(&token))
            .await;
        let user = answer.json()["user"].clone();
        assert_eq!(user["role"], name);
        roles.push(Role {
            name: name.to_owned(),
            permissions: serde_json::from_value(user["permissions"].clone()).unwrap(),
            token,
        });
    }
    assert_eq!(roles.len(), 13, "{names}");
    roles
}

/// The status of an operation; a change is sent with an empty object.
async fn status(
    city: &City,
    operation: &Operation,
    with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> u16 {
    answer(city, operation, with).await.status
}

async fn answer(
    city: &City,
    operation: &Operation,
    with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> crate::support::Answer {
    let with = |r: reqwest::RequestBuilder| {
        with(if operation.is_change() {
            r.json(&json!({}))
        } else {
            r
        })
    };
    let answer = city.ask(&operation.method, &operation.path, with).await;
    if answer.status >= 400 && !operation.template.starts_with(OPEN311) {
        answer.problem();
    }
    assert!(
        answer.status < 500,
        "{} {}: {answer:?}",
        operation.method,
        operation.path
    );
    answer
}

#[tokio::test]
async fn every_operation_keeps_its_rule() {
    let city = shared();
    let (operations, roles) = (operations(&city).await, roles(&city).await);
    let mut lines = Vec::new();
    for operation in &operations {
        let name = format!("{} {}", operation.method, operation.template);
        let strangers = [
            status(&city, operation, |r| r).await,
            status(&city, operation, |r| r.bearer_auth(MADE_UP)).await,
            status(&city, operation, |r| {
                r.header("authorization", format!("Token {MADE_UP}"))
            })
            .await,
            status(&city, operation, |r| r.basic_auth("admin", Some("admin"))).await,
            status(&city, operation, |r| {
                r.header("cookie", format!("jingling_session={MADE_UP}"))
                    .header(CSRF.0, CSRF.1)
            })
            .await,
        ];
        let (mut admitted, mut refused) = (String::new(), String::new());
        for role in &roles {
            let status = status(&city, operation, |r| r.bearer_auth(&role.token)).await;
            let may = match &operation.rule {
                Rule::Public | Rule::SignedIn => true,
                Rule::Permission(permission) => role.permissions.contains(permission),
            };
            assert_ne!(status, 401, "{name} as {}", role.name);
            assert_eq!(
                status != 403,
                may,
                "{name} as {} answered {status}",
                role.name
            );
            let _ = write!(
                if may { &mut admitted } else { &mut refused },
                " {}",
                role.name
            );
        }
        let rule = match &operation.rule {
            Rule::Public => {
                assert!(
                    !strangers.iter().any(|s| [401, 403].contains(s)),
                    "{name}: {strangers:?}"
                );
                "anyone, also a stranger"
            }
            Rule::SignedIn => "anyone signed in",
            Rule::Permission(permission) => permission,
        };
        if operation.rule != Rule::Public {
            let refusal = refusal_of_strangers(&operation.template);
            assert_eq!(strangers, [refusal; 5], "{name}");
            if operation.method == "GET" {
                assert_eq!(
                    city.ask("HEAD", &operation.path, |r| r).await.status,
                    refusal,
                    "{name}"
                );
            }
        }
        lines.push(format!(
            "{name}\n  rule: {rule}\n  refused:{refused}\n  admitted:{admitted}\n"
        ));
    }
    lines.sort();
    expect_file!["access.golden.txt"].assert_eq(&lines.concat());
    city.goes_on().await;
}

/// What a table of SQL holds has a page too, and the page's permission is the table's.
#[tokio::test]
async fn sql_shows_a_table_to_those_who_may_see_its_page() {
    let city = shared();
    let guarded = [
        ("entities_now", "entity.read"),
        ("indicators", "indicator.read"),
        ("corrections", "entity.read"),
        ("cases", "case.read"),
        ("alerts", "alert.read"),
        ("devices", "device.read"),
        ("projects", "project.read"),
        ("charging_sessions", "charging.read"),
        ("dead_letters", "deadletter.read"),
        ("audit", "audit.read"),
    ];
    // Nobody who asks with SQL reads the trail there: the audit administrator reads it on its page.
    let mut hidden = BTreeSet::new();
    let roles = roles(&city).await;
    let askers = roles.iter().filter(|r| r.permissions.contains("sql.query"));
    for role in askers {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&role.token);
        let listed = city.ask("GET", "/api/v1/tables", with).await.json()["items"].clone();
        let listed: BTreeSet<&str> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|table| table["name"].as_str().unwrap())
            .collect();
        for (table, permission) in guarded {
            let may = role.permissions.contains(permission);
            assert_eq!(listed.contains(table), may, "{table} for {}", role.name);
            let query = json!({"query": format!("SELECT count(*) FROM {table}")});
            let with = |r: reqwest::RequestBuilder| r.bearer_auth(&role.token).json(&query);
            let answer = city.ask("POST", "/api/v1/sql", with).await;
            if may {
                assert_eq!(answer.status, 200, "{table} for {}", role.name);
            } else {
                assert_eq!(answer.problem(), "sql-table-unknown", "{table}");
                hidden.insert(format!("{table} from {}", role.name));
            }
        }
    }
    let hidden: Vec<String> = hidden.into_iter().collect();
    let expected = [
        "audit from analyst",
        "audit from duty",
        "audit from planner",
        "dead_letters from planner",
    ];
    assert_eq!(hidden, expected);
}

#[tokio::test]
async fn a_session_changes_nothing_without_its_header_and_nothing_after_signing_out() {
    let city = shared();
    let made = jingling_json(&[
        "user",
        "add",
        &city.dir,
        "--username",
        "csrf",
        "--name",
        "李工",
        "--role",
        "admin",
        "--json",
    ]);
    let body = json!({"username": "csrf", "password": made["password"]});
    let signed_in = city.ask("POST", "/api/v1/session", |r| r.json(&body)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let user = signed_in.json()["user"].clone();
    let permissions: BTreeSet<String> =
        serde_json::from_value(user["permissions"].clone()).unwrap();
    let cookie = signed_in.cookie.unwrap();
    // Another site's page cannot sign anybody in.
    let with =
        |r: reqwest::RequestBuilder| r.json(&body).header("origin", "https://elsewhere.example");
    let foreign = city.ask("POST", "/api/v1/session", with).await;
    assert_eq!((foreign.status, foreign.problem().as_str()), (403, "csrf"));

    let operations = operations(&city).await;
    // What an administrator may not do is told apart from what came without its header.
    let may = |o: &&Operation| match &o.rule {
        Rule::Public => false,
        Rule::SignedIn => true,
        Rule::Permission(permission) => permissions.contains(permission),
    };
    let guarded = || operations.iter().filter(may);
    let signs_out = |o: &&Operation| o.method == "DELETE" && o.template == "/api/v1/session";
    for operation in guarded() {
        let bare = answer(&city, operation, |r| r.header("cookie", &cookie)).await;
        if operation.is_change() {
            assert_eq!((bare.status, bare.problem().as_str()), (403, "csrf"));
        } else {
            assert!(
                ![401, 403].contains(&bare.status),
                "{}: {bare:?}",
                operation.path
            );
        }
        if operation.is_change() && !signs_out(&operation) {
            let with =
                |r: reqwest::RequestBuilder| r.header("cookie", &cookie).header(CSRF.0, CSRF.1);
            let status = status(&city, operation, with).await;
            assert!(
                ![401, 403].contains(&status),
                "{}: {status}",
                operation.path
            );
        }
    }
    let with = |r: reqwest::RequestBuilder| r.header("cookie", &cookie).header(CSRF.0, CSRF.1);
    let out = guarded().find(signs_out).unwrap();
    assert_eq!(status(&city, out, with).await, 204);
    for operation in operations.iter().filter(|o| o.rule != Rule::Public) {
        assert_eq!(
            status(&city, operation, with).await,
            refusal_of_strangers(&operation.template),
            "{}",
            operation.path
        );
    }
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let city = shared();
    let body = json!({"username": "somebody", "password": "guess"});
    let mut statuses = Vec::new();
    loop {
        let answer = city.ask("POST", "/api/v1/session", |r| r.json(&body)).await;
        answer.problem();
        statuses.push(answer.status);
        if answer.status == 429 {
            let wait: u64 = answer.retry_after.unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            break;
        }
        assert!(statuses.len() < 20, "never slowed down: {statuses:?}");
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    // Somebody else at the same address is not.
    let other = json!({"username": "somebody-else", "password": "guess"});
    assert_eq!(
        city.ask("POST", "/api/v1/session", |r| r.json(&other))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_device_is_let_in_as_itself_only() {
    let city = shared();
    let (one, two) = (
        city.register("WaterObserved").await,
        city.register("WaterObserved").await,
    );
    let bad = ConnectReturnCode::BadUserNamePassword;
    let (id, name, secret) = (&*one.client_id, &*one.username, &*one.password);
    for (client_id, username, password, why) in [
        (id, name, "wrong", "a wrong password"),
        (id, name, "", "no password"),
        (id, name, &*two.password, "another's password"),
        (&*two.client_id, name, secret, "someone else's client id"),
        (id, "nobody", secret, "an unknown device"),
        (id, "token", MADE_UP, "a made-up token"),
        (id, "admin", "admin", "a person's name"),
    ] {
        let denied = Mqtt::connect(&city, client_id, username, password)
            .await
            .err();
        assert_eq!(denied, Some(bad), "{why}");
    }

    let mut device = Mqtt::device(&city, &one).await;
    let reading = json!({"waterLevel": {"value": 28.1, "unitCode": "MTR"}}).to_string();
    let refused = format!(
        "{:?}",
        device.publish(&two.topic, reading.as_str()).await.reason
    );
    assert_eq!(refused, "NotAuthorized");
    let letter = city.dead_letter(&one.id).await;
    assert_eq!(letter["problem"]["code"], "mqtt-not-authorised");
    assert_eq!(letter["stored"]["raw_text"], reading);
    // On its own topic it may not speak for another either.
    let mut others = json!({"waterLevel": {"value": 28.1, "unitCode": "MTR"}});
    others["id"] = two.id.as_str().into();
    others["type"] = "WaterObserved".into();
    let ack = device.publish(&one.topic, others.to_string()).await;
    assert_eq!(format!("{:?}", ack.reason), "PayloadFormatInvalid");
    assert!(crate::support::said(&ack).contains(&two.id), "{ack:?}");

    for (filter, answer) in [
        (
            format!("devices/{}/#", one.client_id),
            "Success(AtLeastOnce)",
        ),
        (two.topic.clone(), "NotAuthorized"),
        ("devices/+/up".to_owned(), "NotAuthorized"),
        ("#".to_owned(), "NotAuthorized"),
        ("$SYS/#".to_owned(), "NotAuthorized"),
    ] {
        assert_eq!(
            format!("{:?}", device.subscribe(&filter).await),
            answer,
            "{filter}"
        );
    }

    // Removed: the connection ends, and there is no way back in.
    let path = format!("/api/v1/devices/{}", one.client_id);
    let alone = city
        .ask("DELETE", &path, |r| r.bearer_auth(&city.admin))
        .await;
    assert_eq!(
        (alone.status, alone.problem().as_str()),
        (403, "approval-by-person")
    );
    let admin = city.signed_in("admin").await;
    let asked = city
        .send(&admin, "DELETE", &path, &serde_json::Value::Null)
        .await;
    // Asked for is not done.
    let still = Mqtt::connect(&city, &one.client_id, &one.username, &one.password).await;
    assert!(still.is_ok());
    device = still.unwrap_or_else(|_| unreachable!());
    let done = city.approve(&asked, "security").await;
    assert_eq!(done["approval"]["status"], "done", "{done}");
    device.ends().await;
    let denied = Mqtt::connect(&city, &one.client_id, &one.username, &one.password).await;
    assert_eq!(denied.err(), Some(bad));
    // The same from the command line.
    let removed = jingling(&["device", "remove", &city.dir, "--id", &two.id]);
    assert!(removed.status.success(), "{}", text(&removed.stderr));
    let denied = Mqtt::connect(&city, &two.client_id, &two.username, &two.password).await;
    assert_eq!(denied.err(), Some(bad));
    city.goes_on().await;
}

/// A stored message is shown to whoever may see entities; one that was not understood is not.
#[tokio::test]
async fn a_dead_letter_has_no_back_door() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let mut client = Mqtt::device(&city, &device).await;
    client.publish(&device.topic, "no JSON").await;
    let letter = city.dead_letter(&device.id).await;
    let path = format!("/api/v1/provenance/{}", letter["position"]);
    for role in roles(&city).await {
        let answer = city.ask("GET", &path, |r| r.bearer_auth(&role.token)).await;
        let may = role.permissions.contains("deadletter.read");
        let expected = if may { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{}: {answer:?}", role.name);
    }
}

#[tokio::test]
async fn a_token_at_the_mqtt_door_may_what_its_role_may() {
    let city = shared();
    let mut table = String::new();
    for role in roles(&city).await {
        let client_id = format!("client-{}", role.name);
        let mut client = Mqtt::connect(&city, &client_id, "token", &role.token)
            .await
            .unwrap();
        let id = format!("urn:ngsi-ld:WaterObserved:{}", role.name);
        let reading = json!({"id": id, "type": "WaterObserved",
            "waterLevel": {"value": 28.1, "unitCode": "MTR"}});
        let topic = format!("collected/{}", role.name);
        let published = client.publish(&topic, reading.to_string()).await.reason;
        let subscribed = client.subscribe("#").await;
        let _ = writeln!(
            table,
            "{}: publish {published:?}, subscribe {subscribed:?}",
            role.name
        );
        let is_known = || async {
            let path = format!("/api/v1/entities/{id}");
            city.ask("GET", &path, |r| r.bearer_auth(&city.admin))
                .await
                .status
                == 200
        };
        if role.permissions.contains("ingest.write") {
            until("the reading", async || is_known().await).await;
        } else {
            let letter = city
                .dead_letter_where("/api/v1/dead-letters", |l| l["address"] == topic.as_str())
                .await;
            assert_eq!(letter["stored"]["raw_text"], reading.to_string());
            assert!(!is_known().await, "{id}");
        }
    }
    expect![[r#"
        admin: publish NotAuthorized, subscribe Success(AtLeastOnce)
        security: publish NotAuthorized, subscribe NotAuthorized
        auditor: publish NotAuthorized, subscribe NotAuthorized
        duty: publish NotAuthorized, subscribe Success(AtLeastOnce)
        operator: publish NotAuthorized, subscribe Success(AtLeastOnce)
        field: publish NotAuthorized, subscribe Success(AtLeastOnce)
        planner: publish NotAuthorized, subscribe Success(AtLeastOnce)
        analyst: publish NotAuthorized, subscribe Success(AtLeastOnce)
        viewer: publish NotAuthorized, subscribe Success(AtLeastOnce)
        resident: publish NotAuthorized, subscribe NotAuthorized
        collector: publish Success, subscribe Success(AtLeastOnce)
        channel: publish NotAuthorized, subscribe NotAuthorized
        none: publish NotAuthorized, subscribe NotAuthorized
    "#]]
    .assert_eq(&table);
}
