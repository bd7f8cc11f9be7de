//! The audit trail from outside: searching it, proving its chain, exporting it, and a verifier that is not ours.

use crate::support::{City, jingling, jingling_json, new_city, shared, text, until};
use records::Records;
use serde_json::{Value as Json, json};
use sqlx::AssertSqlSafe;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Python and an openssl with SM2, or a word about what is left out.
fn has_verifier() -> bool {
    let ran = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output();
        output.is_ok_and(|o| o.status.success() && !o.stdout.is_empty())
    };
    let listed = Command::new("openssl")
        .args(["list", "-public-key-algorithms"])
        .output();
    let has_sm2 = listed.is_ok_and(|o| text(&o.stdout).contains("SM2"));
    let has = has_sm2 && ran("python3", &["-c", "print(1)"]);
    if !has {
        eprintln!(
            "left out: the verifier needs python3 and openssl with SM2 (Debian: apt install python3 openssl)"
        );
    }
    has
}

/// Runs the verifier that `jingling audit verifier` prints.
fn verifier(dir: &Path, file: &Path, keys: &[&Path], slow: bool) -> Output {
    let program = dir.join("verify_export.py");
    std::fs::write(&program, jingling(&["audit", "verifier"]).stdout).unwrap();
    let mut command = Command::new("python3");
    command.arg(&program).arg(file);
    for key in keys {
        command.arg("--public-key").arg(key);
    }
    if slow {
        command.env("JINGLING_SM3", "slow");
    }
    command.output().unwrap()
}

/// A city that was never served, with acts and two seals.
fn sealed_city() -> (tempfile::TempDir, String) {
    let (folder, dir) = new_city();
    for _ in 0..2 {
        crate::support::token(&dir, "viewer");
        let made = jingling(&["audit", "new-key", &dir]);
        assert!(made.status.success(), "{}", text(&made.stderr));
    }
    crate::support::token(&dir, "viewer");
    (folder, dir)
}

async fn tamper(dir: &str, sql: &str) {
    let path = Path::new(dir).join("records.sqlite");
    let records = Records::open(&path).await.unwrap();
    let mut write = records.write().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();
    records.close().await;
}

fn report(dir: &str) -> (i32, Json) {
    let output = jingling(&["audit", "verify", dir, "--json"]);
    let code = output.status.code().unwrap();
    (code, serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn verify_says_whole_or_where_it_is_broken_and_check_does_too() {
    let (_folder, dir) = new_city();
    let none = jingling(&["audit", "public-key", &dir]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("first start"));
    let (code, found) = report(&dir);
    assert_eq!(
        (code, &found["whole"], &found["seals"]),
        (0, &json!(true), &json!(0))
    );
    let (folder, dir) = sealed_city();
    let (code, found) = report(&dir);
    assert_eq!(code, 0, "{found}");
    assert!(found["sealed_by"].as_i64().unwrap() >= 2, "{found}");
    let (last, hash) = (
        found["last"].as_i64().unwrap(),
        found["hash"].as_str().unwrap(),
    );
    // Held against a key kept elsewhere: the newest alone is not enough for the seals of the one before.
    let key = folder.path().join("kept.pem");
    let kept = jingling(&["audit", "public-key", &dir]);
    std::fs::write(&key, kept.stdout).unwrap();
    let key = key.to_str().unwrap();
    let held = jingling(&["audit", "verify", &dir, "--public-key", key]);
    assert_eq!(held.status.code(), Some(1));
    assert!(text(&held.stdout).contains("is not among those"));
    // A noted value holds while nothing is cut.
    let noted = format!("{last}:{hash}");
    let held = jingling(&["audit", "verify", &dir, "--chain", &noted]);
    assert_eq!(held.status.code(), Some(0), "{}", text(&held.stdout));
    assert!(text(&held.stdout).contains("完整"));
    let checked = jingling_json(&["check", &dir, "--json"]);
    assert_eq!(checked["audit"], json!(noted));
    assert!(
        checked["checked"]
            .as_array()
            .unwrap()
            .contains(&json!("audit"))
    );
    let bad = jingling(&["audit", "verify", &dir, "--chain", "7"]);
    assert_eq!(bad.status.code(), Some(2));
    let bad = jingling(&["audit", "verify", &dir, "--public-key", "/nowhere.pem"]);
    assert_eq!(bad.status.code(), Some(1));

    tamper(&dir, "UPDATE audit SET actor = 'nobody' WHERE id = 2").await;
    let (code, found) = report(&dir);
    assert_eq!(code, 1);
    assert_eq!(
        (&found["breaks"][0]["kind"], &found["breaks"][0]["from"]),
        (&json!("row-changed"), &json!(2))
    );
    let said = jingling(&["audit", "verify", &dir]);
    let said = text(&said.stdout);
    assert!(
        said.contains("断于第 2 条") && said.contains("broken at row 2"),
        "{said}"
    );
    let checked = jingling(&["check", &dir, "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let checked: Json = serde_json::from_slice(&checked.stdout).unwrap();
    let findings = checked["findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["part"] == "audit"), "{checked}");

    tamper(&dir, "UPDATE audit_head SET format = 9").await;
    let newer = jingling(&["audit", "verify", &dir]);
    assert_eq!(newer.status.code(), Some(1));
    assert!(
        text(&newer.stderr).contains("newer build"),
        "{}",
        text(&newer.stderr)
    );
}

fn exported(dir: &str, folder: &Path, words: &[&str]) -> PathBuf {
    let file = folder.join("audit.jsonl");
    let output = file.to_str().unwrap();
    let made = jingling(&[&["audit", "export", dir, "--output", output], words].concat());
    assert!(made.status.success(), "{}", text(&made.stderr));
    file
}

#[test]
fn an_export_is_verified_without_us_and_what_was_changed_in_it_is_told() {
    let (folder, dir) = sealed_city();
    let file = exported(&dir, folder.path(), &[]);
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let first: Json = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(
        (&first["kind"], &first["version"]),
        (&json!("header"), &json!(1))
    );
    assert!(whole.contains("audit.export"), "the export itself is told");
    if !has_verifier() {
        return;
    }
    for slow in [false, true] {
        let said = verifier(folder.path(), &file, &[], slow);
        assert_eq!(
            said.status.code(),
            Some(0),
            "{}{}",
            text(&said.stdout),
            text(&said.stderr)
        );
        assert!(text(&said.stdout).contains("完整"));
    }
    // Each key as a file of its own: all of them verify it, one alone does not.
    let mut keys = Vec::new();
    for line in &lines {
        let line: Json = serde_json::from_str(line).unwrap();
        if line["kind"] == "key" {
            let path = folder.path().join(format!("{}.pem", keys.len()));
            std::fs::write(&path, line["public_key"].as_str().unwrap()).unwrap();
            keys.push(path);
        }
    }
    let keys: Vec<&Path> = keys.iter().map(PathBuf::as_path).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(
        verifier(folder.path(), &file, &keys, false).status.code(),
        Some(0)
    );
    assert_eq!(
        verifier(folder.path(), &file, &keys[1..], false)
            .status
            .code(),
        Some(1)
    );

    let changed = folder.path().join("changed.jsonl");
    let tell = |text_of: String| {
        std::fs::write(&changed, text_of).unwrap();
        let said = verifier(folder.path(), &changed, &[], false);
        (
            said.status.code().unwrap(),
            text(&said.stdout) + &text(&said.stderr),
        )
    };
    let rows: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].contains("\"kind\":\"row\""))
        .collect();
    let seal = lines
        .iter()
        .position(|l| l.contains("\"kind\":\"seal\""))
        .unwrap();
    let without = |n: usize| {
        let mut left = lines.clone();
        left.remove(n);
        left.join("\n")
    };
    let (code, said) = tell(whole.replacen("token.create", "token.remove", 1));
    assert!(
        code == 1 && said.contains("is not what its hash was made of"),
        "{said}"
    );
    let (code, said) = tell(without(rows[1]));
    assert!(
        code == 1 && said.contains("rows 2 to 2 were taken out"),
        "{said}"
    );
    let (code, said) = tell(without(lines.len() - 1));
    assert!(code == 1 && said.contains("cut off"), "{said}");
    let (code, said) = tell(without(seal));
    assert!(code == 1, "{said}");
    let mut forged: Json = serde_json::from_str(lines[seal]).unwrap();
    forged["at"] = json!(forged["at"].as_i64().unwrap() + 1);
    let mut left: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
    left[seal] = forged.to_string();
    let (code, said) = tell(left.join("\n"));
    assert!(code == 1 && said.contains("signature of seal"), "{said}");
    // What it cannot judge it does not call broken.
    let (code, said) = tell(whole.replacen("\"version\":1", "\"version\":2", 1));
    assert!(code == 2 && said.contains("version 2"), "{said}");
    assert_eq!(tell("[]".to_owned()).0, 2);
    assert_eq!(tell(String::new()).0, 2);
}

#[test]
fn a_part_is_exported_with_the_hash_before_it_and_bad_times_are_refused() {
    let (folder, dir) = sealed_city();
    let nothing = exported(&dir, folder.path(), &["--from", "2100-01-01T00:00:00Z"]);
    let lines = std::fs::read_to_string(&nothing).unwrap();
    assert!(
        lines.lines().last().unwrap().contains("\"rows\":0"),
        "{lines}"
    );
    if has_verifier() {
        assert_eq!(
            verifier(folder.path(), &nothing, &[], false).status.code(),
            Some(0)
        );
    }
    let early = exported(&dir, folder.path(), &["--to", "2000-01-01T00:00:00Z"]);
    let lines = std::fs::read_to_string(&early).unwrap();
    assert!(
        lines.lines().last().unwrap().contains("\"rows\":0"),
        "{lines}"
    );
    let output = folder.path().join("x").display().to_string();
    let bad = jingling(&[
        "audit",
        "export",
        &dir,
        "--output",
        &output,
        "--from",
        "yesterday",
    ]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stderr).contains("--from yesterday"));
}

#[tokio::test]
async fn the_trail_is_searched_and_looking_is_told_once() {
    let city = shared();
    city.register("WaterObserved").await;
    let path = "/api/v1/audit?action=device.add&limit=1";
    let found = city.get(path).await;
    let act = &found["items"][0];
    assert_eq!(
        (&act["action"], &act["title_zh"]),
        (&json!("device.add"), &json!("登记设备"))
    );
    assert_eq!(act["hash"].as_str().unwrap().len(), 64);
    for _ in 0..3 {
        city.get(path).await;
        if let Some(next) = found["next"].as_str() {
            city.get(&format!("{path}&after={next}")).await;
        }
    }
    let looks = city
        .get("/api/v1/audit?action=audit.search&text=device.add")
        .await;
    // The look at the looks is told too, with other words.
    let same = looks["items"].as_array().unwrap().iter();
    let same = same.filter(|look| look["detail"] == json!({"action": "device.add"}));
    assert_eq!(same.count(), 1, "{looks}");
    for bad in [
        "from=yesterday",
        "to=1",
        &format!("text={}", "x".repeat(201)),
        "after=x",
    ] {
        let path = format!("/api/v1/audit?{bad}");
        let token = city.token_of("auditor");
        let answer = city.ask("GET", &path, |r| r.bearer_auth(&token)).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
    }
    let events = city.get("/api/v1/audit/events").await;
    let listed = events["items"].as_array().unwrap();
    assert!(listed.iter().any(|event| event["action"] == "audit.search"));
}

#[tokio::test]
async fn a_served_city_seals_by_itself_and_tells_a_broken_chain_and_a_key_that_others_may_read() {
    let city = City::start_with(&["audit.seal_rows=1"]);
    city.register("WaterObserved").await;
    let mut chain = Json::Null;
    until("a seal over every row", async || {
        chain = city.get("/api/v1/audit/chain").await;
        chain["sealed_by"].as_i64().is_some()
    })
    .await;
    assert_eq!(
        (&chain["whole"], &chain["not_sealed"]),
        (&json!(true), &Json::Null),
        "{chain}"
    );
    let folder = tempfile::tempdir().unwrap();
    let token = city.token_of("auditor");
    let answer = city
        .ask("GET", "/api/v1/audit/export", |r| r.bearer_auth(&token))
        .await;
    assert_eq!(
        (answer.status, answer.kind.as_str()),
        (200, "application/x-ndjson")
    );
    let (file, key) = (folder.path().join("a.jsonl"), folder.path().join("key.pem"));
    std::fs::write(&file, &answer.body).unwrap();
    std::fs::write(&key, jingling(&["audit", "public-key", &city.dir]).stdout).unwrap();
    if has_verifier() {
        let said = verifier(folder.path(), &file, &[&key], false);
        assert_eq!(
            said.status.code(),
            Some(0),
            "{}{}",
            text(&said.stdout),
            text(&said.stderr)
        );
    }
    // The key was made for its owner alone; made readable, it seals no more, and that is told.
    let path = Path::new(&city.dir).join("secrets/audit-key.pem");
    set_mode(&path, 0o644);
    crate::support::token(&city.dir, "viewer");
    let code = async |code: &str| {
        let notices = city.get("/api/v1/notices").await;
        notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|n| n["code"] == code)
    };
    until("the notice about the key", async || {
        code("audit-key-permissions").await
    })
    .await;
    set_mode(&path, 0o600);
    until("it seals again", async || {
        !code("audit-key-permissions").await
    })
    .await;
    tamper(&city.dir, "UPDATE audit SET actor = 'nobody' WHERE id = 2").await;
    until("the chain is seen broken", async || {
        chain = city.get("/api/v1/audit/chain").await;
        chain["whole"] == json!(false)
    })
    .await;
    assert_eq!(chain["breaks"][0]["from"], json!(2));
    assert!(code("audit-chain-broken").await);
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_statement_that_reads_the_trail_is_told_in_it() {
    let city = City::start_with(&["postgres.listen=127.0.0.1:0"]);
    let by_sql = async || {
        let looks = city.get("/api/v1/audit?action=audit.search").await;
        let looks = looks["items"].as_array().unwrap().clone();
        let told = looks
            .into_iter()
            .filter(|look| look["detail"] == json!({"by": "sql"}));
        told.collect::<Vec<_>>()
    };
    // Of the program's own roles none may do both: what is asked here needs the two of them.
    let policy = r#"@id("both") @zh("审计员可用 SQL") @en("Auditors query")
permit (principal in Role::"auditor", action == Action::"sql.query", resource);"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("both.cedar");
    std::fs::write(&file, policy).unwrap();
    let file = file.display().to_string();
    let set = jingling(&["policy", "set", &city.dir, &file, "--reason", "试验"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    let token = city.token_of("auditor");
    let ask = async |query: &str, format: &str| {
        let body = json!({"query": query, "format": format});
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token).json(&body);
        city.ask("POST", "/api/v1/sql", with).await
    };
    until("the policy holds", async || {
        ask("SELECT 1 AS one", "json").await.status == 200
    })
    .await;
    assert_eq!(by_sql().await, Vec::<Json>::new(), "it names no such table");
    // Each statement once, however often it names the table, and whatever it is sent as.
    let query = "SELECT a.id FROM audit a JOIN audit b ON a.id = b.id ORDER BY a.id LIMIT 3";
    for (n, format) in ["json", "csv", "parquet"].into_iter().enumerate() {
        let answer = ask(query, format).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = by_sql().await;
        assert_eq!(told.len(), n + 1, "{format}: {told:?}");
        assert_eq!(
            (&told[0]["peer"], &told[0]["target"]),
            (&json!("127.0.0.1"), &json!("audit"))
        );
    }
    // The list of tables names it and reads nothing of it; who may not read it reads nothing, and tells nothing.
    let listed = city.ask("GET", "/api/v1/tables", |r| r.bearer_auth(&token));
    assert!(listed.await.body.contains("\"audit\""));
    let duty = city.token_of("duty");
    let body = json!({"query": "SELECT count(*) FROM audit"});
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&duty).json(&body);
    let refused = city.ask("POST", "/api/v1/sql", with).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(by_sql().await.len(), 3);
    // PostgreSQL's own client, by the other door.
    let port = city.address("postgres").port();
    let place = format!("host=127.0.0.1 port={port} user=token dbname=city sslmode=disable");
    let run = move || {
        Command::new("psql")
            .args([&place, "-X", "-A", "-t"])
            .args(["-c", "SELECT count(*) > 0 FROM audit"])
            .env("PGPASSWORD", token)
            .output()
    };
    match tokio::task::spawn_blocking(run).await.unwrap() {
        Err(_) => {
            eprintln!("psql is not installed (Debian: postgresql-client): passed over");
        }
        Ok(said) => {
            assert_eq!(text(&said.stdout), "t\n", "{}", text(&said.stderr));
            assert_eq!(by_sql().await.len(), 4);
        }
    }
}
