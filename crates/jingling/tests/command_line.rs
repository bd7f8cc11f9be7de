//! The command line as a script sees it: answers on standard output, errors that name the mend, exit codes.

use std::path::Path;
use std::process::{Command, Output};

fn jingling(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jingling"))
        .args(words)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn made(dir: &Path) -> String {
    let city = dir.join("city").display().to_string();
    let made = jingling(&["init", &city, "--city", "tianmen"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    city
}

#[test]
fn help_shows_examples() {
    let help = text(&jingling(&["--help"]).stdout);
    assert!(
        help.contains("Examples:") && help.contains("jingling init ./city --city tianmen"),
        "{help}"
    );
}

#[test]
fn a_new_city_has_three_generated_sign_ins_and_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let first = std::fs::read_to_string(format!("{city}/secrets/first-sign-in.json")).unwrap();
    let people: serde_json::Value = serde_json::from_str(&first).unwrap();
    let people = people.as_array().unwrap();
    let roles: Vec<_> = people.iter().map(|p| p["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["admin", "security", "auditor"]);
    for person in people {
        assert!(person["password"].as_str().unwrap().len() >= 20);
    }
    let again = jingling(&["init", &city]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("holds a city already"));
    let check = jingling(&["check", &city, "--json"]);
    assert!(check.status.success(), "{}", text(&check.stdout));
}

#[test]
fn device_add_prints_its_credentials_once() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let words = [
        "device",
        "add",
        &city,
        "--id",
        "urn:ngsi-ld:WaterObserved:1",
        "--type",
        "WaterObserved",
        "--json",
    ];
    let added: serde_json::Value = serde_json::from_slice(&jingling(&words).stdout).unwrap();
    for key in ["id", "client_id", "username", "password", "topic"] {
        assert!(added[key].is_string(), "{key} in {added}");
    }
    assert_eq!(
        added["topic"],
        format!("devices/{}/up", added["client_id"].as_str().unwrap())
    );
    let again = jingling(&words);
    assert_eq!(again.status.code(), Some(1));
    let listed = jingling(&["device", "list", &city, "--json"]);
    assert!(!text(&listed.stdout).contains(added["password"].as_str().unwrap()));
    assert!(
        jingling(&[
            "device",
            "remove",
            &city,
            "--id",
            "urn:ngsi-ld:WaterObserved:1"
        ])
        .status
        .success()
    );
}

#[test]
fn bad_words_say_what_mends_them() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = dir.path().join("nothing").display().to_string();
    let serve = jingling(&["serve", &nothing]);
    assert_eq!(serve.status.code(), Some(1));
    assert!(
        text(&serve.stderr).contains("jingling init"),
        "{}",
        text(&serve.stderr)
    );
    let city = made(dir.path());
    let key = jingling(&["serve", &city, "--set", "http.lisen=127.0.0.1:0"]);
    assert_eq!(key.status.code(), Some(1));
    assert!(text(&key.stderr).contains("lisen"), "{}", text(&key.stderr));
    let beyond = jingling(&["serve", &city, "--set", "http.listen=0.0.0.0:0"]);
    assert!(
        text(&beyond.stderr).contains("allow_beyond_loopback"),
        "{}",
        text(&beyond.stderr)
    );
    let role = jingling(&["token", "create", &city, "--name", "x", "--role", "root"]);
    assert!(
        text(&role.stderr).contains("collector"),
        "{}",
        text(&role.stderr)
    );
    assert_eq!(jingling(&["sevre"]).status.code(), Some(2));
}

#[test]
fn a_query_reads_every_kind_of_table() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    for table in [
        "observations",
        "WaterObserved",
        "entities_now",
        "devices",
        "cases",
        "alerts",
        "dead_letters",
    ] {
        let words = [
            "query",
            &city,
            &format!("SELECT count(*) AS n FROM {table}"),
            "--json",
        ];
        let answer = jingling(&words);
        let rows: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
        assert_eq!(rows[0]["n"], 0, "{table}: {}", text(&answer.stderr));
    }
    let indicators =
        text(&jingling(&["query", &city, "SELECT id, target FROM indicators", "--csv"]).stdout);
    assert!(
        indicators
            .lines()
            .any(|line| line == "5g-base-stations,1800.0"),
        "{indicators}"
    );
    let wrong = jingling(&["query", &city, "SELECT * FROM nowhere"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stderr).contains("nowhere"),
        "{}",
        text(&wrong.stderr)
    );
}

#[test]
fn a_damaged_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    std::fs::create_dir_all(format!("{city}/twin")).unwrap();
    std::fs::write(format!("{city}/twin/checkpoint.bin"), b"not a checkpoint").unwrap();
    let check = jingling(&["check", &city]);
    assert_eq!(check.status.code(), Some(1));
    assert!(
        text(&check.stderr).contains("twin"),
        "{}",
        text(&check.stderr)
    );
}
