//! Clients that nobody here wrote talk to the running door: PostgreSQL's own psql when it is installed, and
//! psycopg and SQLAlchemy when they can be installed from PyPI. What is not there is said and passed over.

mod support;

use pgdoor::Limits;
use std::path::PathBuf;
use std::process::Stdio;
use support::{Door, PASSWORD, PATIENCE, open, queries};
use tokio::process::Command;

/// Whether psql is here.
fn has_psql() -> bool {
    let here = std::process::Command::new("psql").arg("--version").output();
    if here.is_err() {
        eprintln!("psql is not installed (Debian: postgresql-client): its tests are passed over");
    }
    here.is_ok()
}

struct Said {
    out: String,
    err: String,
    good: bool,
}

/// Runs psql with these arguments, as `wang` without TLS unless `more` says otherwise.
async fn psql(door: &Door, more: &str, arguments: &[&str]) -> Said {
    let service = format!(
        "host=127.0.0.1 port={} user=wang dbname=city sslmode=disable connect_timeout=10 {more}",
        door.port()
    );
    let running = Command::new("psql")
        .args([
            &service,
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-P",
            "pager=off",
        ])
        .args(arguments)
        .env("PGPASSWORD", PASSWORD)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, running)
        .await
        .expect("psql hangs")
        .unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        good: output.status.success(),
    }
}

async fn answered(door: &Door, sql: &str) -> String {
    let said = psql(door, "", &["-A", "-t", "-c", sql]).await;
    assert!(said.good, "{sql}: {}", said.err);
    said.out.trim_end().to_owned()
}

#[tokio::test]
async fn psql_asks() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    assert_eq!(
        answered(&door, "SELECT count(*) FROM observations").await,
        "1000"
    );
    assert_eq!(
        answered(
            &door,
            "SELECT max(waterLevel), min(observed_at) FROM WaterObserved"
        )
        .await,
        "37.99|2026-11-23 08:00:00+00"
    );
    assert_eq!(
        answered(&door, "SELECT * FROM cases ORDER BY id").await,
        "1|井盖 'lost'|2026-11-23 08:00:10.5+00|12.5|f|{\"a\":[1,2]}\n2||||t|"
    );
    // Several statements in one message, and a transaction that only reads.
    assert_eq!(
        answered(&door, "BEGIN; SELECT 1; SELECT 2; COMMIT").await,
        "1\n2"
    );
    assert_eq!(answered(&door, "SHOW server_encoding").await, "UTF8");
    // Cursors: psql fetches ten rows at a time.
    let said = psql(
        &door,
        "",
        &[
            "-A",
            "-t",
            "-v",
            "FETCH_COUNT=10",
            "-c",
            "SELECT journal_position FROM observations ORDER BY 1 LIMIT 95",
        ],
    )
    .await;
    assert!(said.good, "{}", said.err);
    assert_eq!(said.out.lines().count(), 95);
    assert_eq!(said.out.lines().last(), Some("94"));
}

#[tokio::test]
async fn psql_describes_tables() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let tables = psql(&door, "", &["-c", "\\dt"]).await;
    assert!(tables.good, "{}", tables.err);
    for part in [
        "public | cases           | table | city",
        "public | observations    | table | city",
        "public | observations_1h | table | city",
        "(5 rows)",
    ] {
        assert!(tables.out.contains(part), "{part} in\n{}", tables.out);
    }
    let views = psql(&door, "", &["-c", "\\dv"]).await;
    assert!(
        views.out.contains("public | WaterObserved | view | city"),
        "{}\n{}",
        views.out,
        views.err
    );
    let described = psql(&door, "", &["-c", "\\d observations"]).await;
    assert!(described.good, "{}", described.err);
    for part in [
        "Table \"public.observations\"",
        "observed_at      | timestamp with time zone",
        "value_number     | double precision",
        "value_json       | json",
    ] {
        assert!(described.out.contains(part), "{part} in\n{}", described.out);
    }
    let view = psql(&door, "", &["-c", "\\d \"WaterObserved\""]).await;
    assert!(
        view.out.contains("View \"public.WaterObserved\""),
        "{}\n{}",
        view.out,
        view.err
    );
    for question in [
        "\\d",
        "\\d+",
        "\\dt+",
        "\\d+ cases",
        "\\dn",
        "\\l",
        "\\du",
        "\\df",
        "\\di",
        "\\conninfo",
        "\\dp",
        "\\db",
        "\\dx",
    ] {
        let said = psql(&door, "", &["-c", question]).await;
        assert!(said.good, "{question}: {}", said.err);
    }
    assert_eq!(
        answered(&door, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'cases' ORDER BY ordinal_position LIMIT 2").await,
        "id|bigint\ntitle|text"
    );
}

#[tokio::test]
async fn psql_hears_what_is_wrong() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let wrong = async |sql: &'static str| {
        let said = psql(&door, "", &["-v", "VERBOSITY=verbose", "-c", sql]).await;
        assert!(!said.good, "{sql}: {}", said.out);
        said.err
    };
    let err = wrong("SELECT lvel FROM observations").await;
    assert!(
        err.contains("ERROR:  42703: there is no column \"lvel\"")
            && err.contains("LINE 1: SELECT lvel")
            && err.contains("HINT:"),
        "{err}"
    );
    assert!(wrong("SELECT 1 FROM observation").await.contains("42P01"));
    assert!(wrong("SELEC 1").await.contains("42601"));
    for writes in [
        "DELETE FROM observations",
        "CREATE TABLE t (a int)",
        "INSERT INTO cases VALUES (1)",
        "DROP TABLE cases",
    ] {
        let err = wrong(writes).await;
        assert!(err.contains("25006"), "{err}");
    }
    let err = wrong("SELECT a.entity_id FROM observations a, observations b LIMIT 6000").await;
    assert!(
        err.contains("54000") && err.contains("more than 5000 rows"),
        "{err}"
    );
    let err = wrong("SET statement_timeout = 50; SELECT count(*) FROM observations a, observations b, observations c, observations d WHERE a.value_number + b.value_number + c.value_number + d.value_number < 0").await;
    assert!(err.contains("57014"), "{err}");
    // The second of three fails; the third is not run.
    let said = psql(
        &door,
        "",
        &["-A", "-t", "-c", "SELECT 1; SELECT x; SELECT 3"],
    )
    .await;
    assert_eq!(said.out, "1\n");
}

#[tokio::test]
async fn sign_in_is_by_password_or_token_and_over_tls() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let sql = ["-A", "-t", "-c", "SELECT current_user"];
    let wrong = psql(&door, "password=wrong", &sql).await;
    assert!(
        wrong.err.contains("the username or the password is wrong"),
        "{}",
        wrong.err
    );
    let nobody = psql(&door, "user=nobody", &sql).await;
    assert!(
        nobody.err.contains("the username or the password is wrong"),
        "{}",
        nobody.err
    );
    let field = psql(&door, "user=zhang", &sql).await;
    assert!(field.err.contains("may not sql.query"), "{}", field.err);
    let token = psql(&door, &format!("user=token password={}", door.token), &sql).await;
    assert_eq!(token.out.trim(), "token", "{}", token.err);
    let over_tls = format!("port={} sslmode=require", door.port_tls());
    let tls = psql(&door, &over_tls, &["-c", "\\conninfo"]).await;
    assert!(
        tls.good && tls.out.contains("SSL connection (protocol: TLSv1.3"),
        "{}{}",
        tls.out,
        tls.err
    );
    let plain = psql(&door, &format!("port={}", door.port_tls()), &sql).await;
    assert!(
        plain.err.contains("this address speaks TLS only"),
        "{}",
        plain.err
    );
    // TLS is offered where it is not asked for, too.
    let offered = psql(&door, "sslmode=prefer", &["-c", "\\conninfo"]).await;
    assert!(offered.out.contains("SSL connection"), "{}", offered.out);
    // Sign-ins and their refusals are in the audit trail; a door that has closed has ended its sessions.
    door.handle.shutdown().await;
    let mut connection = door.records.read().await.unwrap();
    let page = records::PageRequest {
        after: None,
        limit: Some(100),
    };
    let acts = records::audit::list(&mut connection, &page)
        .await
        .unwrap()
        .items;
    let count = |action: &str| acts.iter().filter(|a| a.action == action).count();
    assert_eq!(count("session.refused"), 2);
    assert_eq!(count("session.open"), count("session.close"));
    assert!(count("session.open") >= 3);
}

/// A Python that has psycopg and SQLAlchemy: the one that `PSYCOPG_PYTHON` names, or one made from PyPI.
async fn python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("PSYCOPG_PYTHON") {
        return Some(python.into());
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("psycopg");
    let python = folder.join("bin/python");
    let check = || {
        let mut check = std::process::Command::new(&python);
        check
            .args(["-c", "import psycopg, sqlalchemy"])
            .stderr(Stdio::null());
        check.status().is_ok_and(|s| s.success())
    };
    if check() {
        return Some(python);
    }
    let made = async {
        let quiet = |program: PathBuf, arguments: &[&str]| {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .kill_on_drop(true);
            command
        };
        let path = folder.to_str()?;
        quiet("python3".into(), &["-m", "venv", path])
            .status()
            .await
            .ok()?;
        let packages = [
            "-m",
            "pip",
            "install",
            "-q",
            "--retries",
            "1",
            "psycopg[binary]",
            "sqlalchemy",
        ];
        quiet(python.clone(), &packages).status().await.ok()
    };
    let _ = tokio::time::timeout(PATIENCE * 3, made).await;
    if check() {
        return Some(python);
    }
    eprintln!(
        "psycopg and sqlalchemy are not here and cannot be installed: their test is passed over"
    );
    None
}

#[tokio::test]
async fn psycopg_and_sqlalchemy() {
    let Some(python) = python().await else {
        return;
    };
    let door = open(Limits::default(), queries()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/psycopg_client.py");
    let running = Command::new(python)
        .args([script, &door.port().to_string(), PASSWORD])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, running)
        .await
        .expect("psycopg hangs")
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(out.trim(), "all as expected", "{out}\n{err}");
}
