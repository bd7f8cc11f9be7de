//! A fuzzer that nobody here wrote (Schemathesis) asks every operation of our own description, as somebody who may only
//! look: no answer is a failure of the server, none is other than the description says, and none holds what that role may
//! not see. Deterministic by its seed; `JINGLING_FUZZ_EXAMPLES` makes it longer.

use crate::support::{City, Mqtt, token};
use serde_json::json;
use std::process::Command;
use testkit::foreign::Python;

/// Where a viewer may not look, this word stands.
const HIDDEN: &str = "canary-7f3a-hidden";
/// Where it is, for those who may look.
const PLACES: [&str; 4] = [
    "/api/v1/dead-letters",
    "/api/v1/audit",
    "/api/v1/oidc/clients",
    "/api/v1/users",
];
const SEED: &str = "429006";
/// Examples of each operation beside those that cover its description.
const EXAMPLES: &str = "4";
/// Longest time that the server may take for one answer, seconds.
const ANSWER_SECONDS: &str = "30";

/// Puts the word into what a viewer may not see: a dead letter, a person, a system of a department, and with all
/// of them the audit trail.
async fn hide(city: &City) {
    let admin = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin);
    // Not the device's name: it is an attribute of its own entity too, for whoever may read entities.
    let device =
        json!({"id": "urn:ngsi-ld:WaterObserved:hidden", "type": "WaterObserved", "name": "seen"});
    let made = city
        .ask("POST", "/api/v1/devices", |r| admin(r).json(&device))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let credentials: crate::support::Credentials = serde_json::from_str(&made.body).unwrap();
    let mut client = Mqtt::device(city, &credentials).await;
    client
        .publish(&credentials.topic, format!("no JSON {HIDDEN}"))
        .await;
    city.dead_letter(&credentials.id).await;
    let draft = json!({"name": HIDDEN, "redirect_uris": ["https://water.example.gov.cn/callback"]});
    let made = city
        .ask("POST", "/api/v1/oidc/clients", |r| admin(r).json(&draft))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let words = [
        "user",
        "add",
        &city.dir,
        "--username",
        "hidden.person",
        "--name",
        HIDDEN,
        "--role",
        "duty",
    ];
    assert!(crate::support::jingling(&words).status.success());
    for place in PLACES {
        let mut is_seen = false;
        for role in ["admin", "security", "auditor", "duty"] {
            let token = city.token_of(role);
            let found = city.ask("GET", place, |r| r.bearer_auth(&token)).await;
            is_seen |= found.body.contains(HIDDEN);
        }
        // Otherwise nothing is proved by its not being seen.
        assert!(is_seen, "{place} shows it to nobody");
    }
}

#[tokio::test]
async fn a_fuzzer_finds_no_failure_and_sees_nothing_hidden() {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "schemathesis",
        imports: "schemathesis",
        packages: &["schemathesis"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => return testkit::foreign::passed_over("schemathesis", &why),
    };
    let city = City::start_with(&["oidc.issuer=http://127.0.0.1:1"]);
    hide(&city).await;
    let viewer = token(&city.dir, "viewer");
    let report = tempfile::tempdir().unwrap();
    let told = report.path().join("all.har");
    let examples = std::env::var("JINGLING_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let output = Command::new(python)
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("http://{}/api/openapi.json", city.address("http")))
        .args(["--header", &format!("Authorization: Bearer {viewer}")])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--seed", SEED, "--max-examples", &examples])
        .args(["--generation-database", "none", "--no-shrink", "--workers", "2"])
        // The live stream has no end.
        .args(["--exclude-path", "/api/v1/events"])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .args(["--request-timeout", ANSWER_SECONDS])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .args(["--report", "har", "--output-sanitize", "false"])
        .arg("--report-har-path")
        .arg(&told)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "160")
        .current_dir(report.path())
        .output()
        .unwrap();
    let said = crate::support::text(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        crate::support::text(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
    let entries = report["log"]["entries"].as_array().unwrap();
    assert!(entries.len() > 1_000, "only {} requests", entries.len());
    let mut operations = std::collections::BTreeSet::new();
    for entry in entries {
        let request = &entry["request"];
        let answer = entry["response"]["content"]["text"]
            .as_str()
            .unwrap_or_default();
        assert!(
            !answer.contains(HIDDEN),
            "{} {} shows it: {answer}",
            request["method"],
            request["url"]
        );
        let url = request["url"].as_str().unwrap_or_default();
        operations.insert(format!(
            "{} {}",
            request["method"],
            url.split('?').next().unwrap_or_default()
        ));
    }
    assert!(operations.len() > 80, "{operations:#?}");
    city.goes_on().await;
}
