//! Programs that nobody here wrote and that talk to a door: psql, and clients with a last word of their own.

use super::{Door, PASSWORD, PATIENCE};
use std::process::Stdio;
use testkit::foreign::passed_over;
use tokio::process::Command;

/// Whether psql is here.
pub fn has_psql() -> bool {
    let here = std::process::Command::new("psql").arg("--version").output();
    if here.is_err() {
        passed_over("psql", "Debian: postgresql-client");
    }
    here.is_ok()
}

/// What psql said on its two streams, and whether all went well.
pub struct Said {
    pub out: String,
    pub err: String,
    pub good: bool,
}

/// Runs psql with these arguments, as `wang` without TLS unless `more` says otherwise.
pub async fn psql(door: &Door, more: &str, arguments: &[&str]) -> Said {
    psql_where(door, more, &[], arguments).await
}

/// As [`psql`], with more in its environment.
pub async fn psql_where(
    door: &Door,
    more: &str,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> Said {
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
        .env_remove("PGTZ")
        .envs(environment.iter().copied())
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

/// The rows that psql is answered, their cells parted by bars.
pub async fn answered(door: &Door, sql: &str) -> String {
    let said = psql(door, "", &["-A", "-t", "-c", sql]).await;
    assert!(said.good, "{sql}: {}", said.err);
    said.out.trim_end().to_owned()
}

/// Runs a client whose last word is that all is as expected.
pub async fn is_content(mut client: Command) {
    let running = client.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, running)
        .await
        .expect("the client hangs")
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let last = out.lines().last();
    assert_eq!(last, Some("all as expected"), "{out}\n{err}");
}
