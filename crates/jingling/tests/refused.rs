//! Who is refused where, and what proves it: the golden file `refused.golden.txt` names every operation, every door and every
//! table of SQL with its rule and the test that proves a refusal. An operation, listener or table without one fails here,
//! and so does a test that is named and is not in the sources. Each operation's refusal is also seen: a stranger's 401, and
//! 403 for a role that lacks what it asks for.

use crate::support::{City, jingling, refusal_of_strangers, shared, text, token};
use expect_test::expect_file;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Proves the refusals that are seen here, for every operation and role.
const OPERATIONS: &str = "crates/jingling/tests/access.rs every_operation_keeps_its_rule";
const SQL: &str = "crates/jingling/tests/access.rs sql_shows_a_table_to_those_who_may_see_its_page";
/// An operation that anyone may call either gives away nothing of the city or judges by the protocol's own means.
const PUBLIC: [(&str, &str); 41] = [
    (
        "POST /api/v1/notifications/acknowledge",
        "crates/jingling/tests/notice.rs people_and_systems_are_told_and_what_hangs_is_ended",
    ),
    (
        "POST /api/v1/notifications/receipts/{channel}/{secret}",
        "crates/jingling/tests/notice.rs a_gateway_says_what_arrived_and_a_channel_is_tried_from_the_command_line",
    ),
    (
        "GET /api/v1/session/methods",
        "nothing of the city: which ways to sign in the pages offer",
    ),
    (
        "GET /api/v1/session/outside/{provider}/callback",
        "crates/jingling/tests/province.rs forged_answers_sign_nobody_in",
    ),
    (
        "GET /api/v1/session/second",
        "crates/identity/tests/linked.rs the_second_factor_is_asked_for_all_the_same_unless_the_providers_is_trusted",
    ),
    (
        "POST /api/v1/session/outside/{provider}",
        "crates/jingling/tests/province.rs where_there_is_no_provider_nothing_is_reachable",
    ),
    (
        "POST /api/v1/session/enrol/passkey",
        "crates/jingling/tests/second_factors.rs a_role_that_must_have_a_second_factor_sets_it_up_at_sign_in",
    ),
    (
        "POST /api/v1/session/enrol/passkey/question",
        "crates/jingling/tests/second_factors.rs a_role_that_must_have_a_second_factor_sets_it_up_at_sign_in",
    ),
    (
        "POST /api/v1/session/enrol/totp",
        "crates/jingling/tests/second_factors.rs a_role_that_must_have_a_second_factor_sets_it_up_at_sign_in",
    ),
    (
        "POST /api/v1/session/enrol/totp/confirm",
        "crates/jingling/tests/second_factors.rs a_role_that_must_have_a_second_factor_sets_it_up_at_sign_in",
    ),
    (
        "POST /api/v1/session/passkey",
        "crates/identity/tests/second_factors.rs a_challenge_is_good_once_for_minutes_and_in_its_own_browser",
    ),
    (
        "POST /api/v1/session/passkey/question",
        "crates/identity/tests/second_factors.rs a_challenge_is_good_once_for_minutes_and_in_its_own_browser",
    ),
    (
        "POST /api/v1/session/second",
        "crates/identity/tests/second_factors.rs half_a_sign_in_takes_five_tries_and_not_more",
    ),
    (
        "GET /.well-known/oauth-authorization-server",
        "nothing of the city: addresses of the provider",
    ),
    (
        "GET /.well-known/openid-configuration",
        "nothing of the city: addresses of the provider",
    ),
    (
        "GET /api/openapi.json",
        "nothing of the city: the description of this API",
    ),
    (
        "GET /api/v1/oidc/logout",
        "crates/jingling/tests/oidc.rs a_session_is_the_persons_own",
    ),
    (
        "GET /api/v1/oidc/refusal",
        "crates/jingling/tests/oidc.rs nobody_is_sent_where_nothing_is_registered",
    ),
    (
        "GET /api/v1/public/catalog.jsonld",
        "crates/jingling/tests/portal.rs the_portal_is_closed_until_it_is_opened",
    ),
    (
        "GET /api/v1/public/packages.csv",
        "crates/jingling/tests/portal.rs the_portal_is_closed_until_it_is_opened",
    ),
    (
        "GET /api/v1/public/packages.json",
        "crates/jingling/tests/portal.rs the_portal_is_closed_until_it_is_opened",
    ),
    (
        "GET /api/v1/public/plan",
        "crates/jingling/tests/portal.rs the_portal_is_closed_until_it_is_opened",
    ),
    (
        "GET /api/v1/public/plan.csv",
        "crates/jingling/tests/portal.rs the_portal_is_closed_until_it_is_opened",
    ),
    (
        "GET /api/v1/public/plan.json",
        "crates/jingling/tests/portal.rs the_portal_is_closed_until_it_is_opened",
    ),
    (
        "GET /healthz",
        "nothing of the city: that the process answers",
    ),
    (
        "GET /metrics",
        "counts and positions, no name and no value; see docs/security.md for who should reach it",
    ),
    (
        "GET /oauth2/authorize",
        "crates/jingling/tests/oidc.rs nobody_is_sent_where_nothing_is_registered",
    ),
    ("GET /oauth2/jwks", "public keys"),
    (
        "GET /oauth2/logout",
        "crates/jingling/tests/oidc.rs a_session_is_the_persons_own",
    ),
    (
        "GET /oauth2/userinfo",
        "crates/oidc/tests/provider.rs forged_tokens_are_worth_nothing",
    ),
    (
        "GET /readyz",
        "what is wrong with what is stored, no name and no value",
    ),
    (
        "POST /api/v1/session",
        "crates/jingling/tests/access.rs guessing_a_password_is_slowed_down",
    ),
    (
        "POST /oauth2/authorize",
        "crates/jingling/tests/oidc.rs nobody_is_sent_where_nothing_is_registered",
    ),
    (
        "POST /oauth2/device_authorization",
        "crates/jingling/tests/oidc.rs wrong_secrets_are_slowed_down",
    ),
    (
        "POST /evcs/{version}/{interface}",
        "crates/jingling/tests/exchange.rs a_partner_is_known_by_signature_and_token_and_heard_once",
    ),
    (
        "POST /oauth2/introspect",
        "crates/jingling/tests/oidc.rs wrong_secrets_are_slowed_down",
    ),
    (
        "POST /oauth2/logout",
        "crates/jingling/tests/oidc.rs a_session_is_the_persons_own",
    ),
    (
        "POST /oauth2/revoke",
        "crates/jingling/tests/oidc.rs wrong_secrets_are_slowed_down",
    ),
    (
        "POST /oauth2/token",
        "crates/jingling/tests/oidc.rs wrong_secrets_are_slowed_down",
    ),
    (
        "POST /oauth2/userinfo",
        "crates/oidc/tests/provider.rs forged_tokens_are_worth_nothing",
    ),
    (
        "(any other path)",
        "the pages' own files: nothing of the city",
    ),
];
/// Each setting that opens a listener: the door, its rule, the test.
const DOORS: [(&str, &str, &str); 10] = [
    ("http.listen", "the rule of each operation", OPERATIONS),
    (
        "http.tls_listen",
        "the rule of each operation, TLS 1.3",
        "crates/jingling/tests/security.rs over_tls_the_cookie_is_secure_and_the_browser_keeps_to_it",
    ),
    (
        "mqtt.listen",
        "a device as itself; a token as its role",
        "crates/jingling/tests/access.rs a_device_is_let_in_as_itself_only",
    ),
    (
        "mqtt.tls_listen",
        "the same, TLS 1.3",
        "crates/jingling/tests/security.rs over_tls_the_cookie_is_secure_and_the_browser_keeps_to_it",
    ),
    (
        "ocpp.listen",
        "a registered station by its password; beyond this machine only where clear text is accepted",
        "crates/jingling/tests/charging.rs strangers_and_what_is_no_message_are_told_so_and_kept",
    ),
    (
        "ocpp.tls_listen",
        "a registered station by its password or certificate, TLS as tls.version_min asks",
        "crates/gateway/tests/ocpp.rs over_tls_by_password_or_by_certificate",
    ),
    (
        "postgres.listen",
        "sql.query at every statement; on this machine only",
        "crates/pgdoor/tests/door.rs a_change_of_role_holds_at_the_next_statement",
    ),
    (
        "postgres.tls_listen",
        "sql.query at every statement, TLS 1.3",
        "crates/jingling/tests/sql_everywhere.rs the_postgresql_door_opens_where_it_is_set",
    ),
    (
        "sl651.tcp_listen",
        "a registered station by its address and password; opened only where a weak identity is accepted",
        "crates/jingling/tests/sl651.rs what_must_not_be_believed_is_not_confirmed_and_kept",
    ),
    (
        "sl651.udp_listen",
        "the same",
        "crates/gateway/tests/sl651.rs datagrams_are_confirmed_to_their_senders",
    ),
];
/// What a table of SQL asks for beside `sql.query`. The tables of entity types are views of `observations`.
const TABLES: [(&str, &str); 21] = [
    ("alerts", "alert.read"),
    ("audit", "audit.read"),
    ("backup_power_tests", "entity.read"),
    ("building_energy_month", "entity.read"),
    ("case_events", "case.read"),
    ("cases", "case.read"),
    ("charging_sessions", "charging.read"),
    ("corrections", "entity.read"),
    ("dead_letters", "deadletter.read"),
    ("devices", "device.read"),
    ("entities_now", "entity.read"),
    ("form_values", "indicator.read"),
    ("indicator_reports", "indicator.read"),
    ("indicators", "indicator.read"),
    ("observations", "entity.read"),
    ("observations_1d", "entity.read"),
    ("observations_1h", "entity.read"),
    ("observations_1m", "entity.read"),
    ("project_milestones", "project.read"),
    ("project_money", "project.read"),
    ("projects", "project.read"),
];

/// Fails unless a test that is named `file function` is in the sources.
#[track_caller]
fn is_in_the_sources(proof: &str) {
    let (file, function) = proof.split_once(' ').unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
    let begins = source
        .find(&format!("fn {function}("))
        .unwrap_or_else(|| panic!("{file} has no test {function}"));
    let before: Vec<&str> = source[..begins].lines().rev().take(8).collect();
    assert!(
        before
            .iter()
            .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test")),
        "{function} of {file} is no test"
    );
}

/// What the city says that each role may do, with a token.
async fn roles(city: &City) -> Vec<(String, BTreeSet<String>)> {
    let words = ["token", "create", &city.dir, "--name", "x", "--role", "?"];
    let told = text(&jingling(&words).stderr);
    let names = told.split("use one of ").nth(1).expect(&told).trim();
    let mut roles = Vec::new();
    for name in names.split(", ") {
        let token = token(&city.dir, name);
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token);
        let user = city.ask("GET", "/api/v1/session", with).await.json();
        let may = serde_json::from_value(user["user"]["permissions"].clone()).unwrap();
        roles.push((token, may));
    }
    roles
}

async fn operations(city: &City) -> String {
    let roles = roles(city).await;
    let mut public: BTreeMap<&str, &str> = PUBLIC.into();
    let other = public.remove("(any other path)").unwrap();
    let description = city.ask("GET", "/api/openapi.json", |r| r).await.json();
    let mut lines = BTreeSet::new();
    for (template, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let name = format!("{method} {template}");
            let asked = operation["security"][0].as_object().unwrap();
            let Some(scopes) = asked.get("session") else {
                let because = public.remove(&*name).unwrap_or_else(|| {
                    panic!("{name} is open to anyone: say in PUBLIC why, or what proves a refusal")
                });
                if because.starts_with("crates/") {
                    is_in_the_sources(because);
                }
                lines.insert(format!("{name}\n  rule: anyone\n  proved by: {because}\n"));
                continue;
            };
            let path: Vec<&str> = template
                .split('/')
                .map(|part| {
                    if part.starts_with('{') {
                        "999999999"
                    } else {
                        part
                    }
                })
                .collect();
            let path = path.join("/");
            let body = |r: reqwest::RequestBuilder| match &*method {
                "GET" => r,
                _ => r.json(&json!({})),
            };
            let stranger = city.ask(&method, &path, body).await.status;
            let refusal = refusal_of_strangers(template);
            assert_eq!(stranger, refusal, "{name}: a stranger is not refused");
            let mut seen = refusal.to_string();
            let rule = match scopes[0].as_str() {
                None => "anyone signed in",
                Some(permission) => {
                    let lacks = roles.iter().find(|(_, may)| !may.contains(permission));
                    if let Some((token, _)) = lacks {
                        let with = |r: reqwest::RequestBuilder| body(r).bearer_auth(token);
                        let status = city.ask(&method, &path, with).await.status;
                        assert_eq!(
                            status, 403,
                            "{name}: a role without {permission} is not refused"
                        );
                        seen.push_str(" 403");
                    }
                    permission
                }
            };
            lines.insert(format!(
                "{name}\n  rule: {rule}\n  seen: {seen}\n  proved by: {OPERATIONS}\n"
            ));
        }
    }
    assert!(
        public.is_empty(),
        "these are no operations any more: {public:?}"
    );
    is_in_the_sources(OPERATIONS);
    lines.insert(format!(
        "{}\n  rule: anyone\n  proved by: {other}\n",
        "the pages"
    ));
    lines.into_iter().collect()
}

/// Every setting whose name ends in `listen`.
fn listeners() -> BTreeSet<String> {
    let settings = serde_json::to_value(jingling::settings::Settings::default()).unwrap();
    let mut found = BTreeSet::new();
    for (section, keys) in settings.as_object().unwrap() {
        for key in keys.as_object().into_iter().flatten().map(|(key, _)| key) {
            if key.ends_with("listen") {
                found.insert(format!("{section}.{key}"));
            }
        }
    }
    found
}

fn doors() -> String {
    let known: BTreeSet<String> = DOORS.iter().map(|(door, ..)| (*door).to_owned()).collect();
    assert_eq!(
        listeners(),
        known,
        "a door without a line in DOORS, or the other way round"
    );
    let mut lines = String::new();
    for (door, rule, proof) in DOORS {
        is_in_the_sources(proof);
        let _ = writeln!(lines, "door {door}\n  rule: {rule}\n  proved by: {proof}");
    }
    lines
}

async fn tables(city: &City) -> String {
    let listed: Json = city.get("/api/v1/tables").await;
    // Those of the records also where nobody reads them all; those of entity types begin with a capital letter.
    let listed: BTreeSet<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["name"].as_str().unwrap())
        .filter(|name| !name.starts_with(char::is_uppercase))
        .chain(api::tables::names())
        .collect();
    let known: BTreeSet<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    assert_eq!(
        listed, known,
        "a table without a line in TABLES, or the other way round"
    );
    is_in_the_sources(SQL);
    // Who may not ask at all is refused every one of them.
    let viewer = token(&city.dir, "viewer");
    let mut lines = String::new();
    for (table, permission) in TABLES {
        let query = json!({"query": format!("SELECT count(*) FROM {table}")});
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&viewer).json(&query);
        let answer = city.ask("POST", "/api/v1/sql", with).await;
        assert_eq!(answer.status, 403, "{table}: {answer:?}");
        let _ = writeln!(
            lines,
            "table {table}\n  rule: sql.query and {permission}\n  seen: 403\n  proved by: {SQL}"
        );
    }
    lines
}

#[tokio::test]
async fn every_operation_door_and_table_has_a_rule_and_a_proof_of_refusal() {
    let city = shared();
    let golden = [operations(&city).await, doors(), tables(&city).await].concat();
    expect_file!["refused.golden.txt"].assert_eq(&golden);
}
