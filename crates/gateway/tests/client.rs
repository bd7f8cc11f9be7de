//! Independent real clients talk to the running door: Eclipse Paho when the environment names a
//! Python that has it (`PAHO_PYTHON=/path/to/python`), and mosquitto_pub and mosquitto_sub when they
//! are installed. What is not there is said and passed over.

use crate::support::{Door, PATIENCE, open, options};
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

async fn run(command: &mut Command) -> Output {
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    tokio::time::timeout(PATIENCE, running)
        .await
        .expect("the client hangs")
        .unwrap()
}

fn shown(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test]
async fn paho() {
    let Some(python) = std::env::var_os("PAHO_PYTHON") else {
        eprintln!("PAHO_PYTHON is not set: Paho is passed over");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/paho_client.py");
    let door = open(options()).await;
    let port = door.address().port().to_string();
    let output = run(Command::new(python).args([script, &port])).await;
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "all as expected",
        "{}",
        shown(&output)
    );
}

fn mosquitto(door: &Door, program: &str, version: &str) -> Command {
    let mut command = Command::new(program);
    let port = door.address().port().to_string();
    command.args(["-p", &port, "-V", version, "-u", "city", "-P", "secret"]);
    command
}

#[tokio::test]
async fn mosquitto_pub_and_sub() {
    if std::process::Command::new("mosquitto_pub")
        .arg("--help")
        .output()
        .is_err()
    {
        eprintln!("mosquitto_pub is not installed: it is passed over");
        return;
    }
    for version in ["311", "5"] {
        let door = open(options()).await;
        let mut subscriber = mosquitto(&door, "mosquitto_sub", version)
            .args(["-t", "t/#", "-q", "1", "-C", "4", "-F", "%t %q %r %p"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        door.until(|d| d.metric(|m| &m.subscriptions) == 1).await;
        for qos in ["0", "1", "2"] {
            let output = run(mosquitto(&door, "mosquitto_pub", version)
                .args(["-t", "t/up", "-q", qos, "-m", qos]))
            .await;
            assert!(output.status.success(), "{}", shown(&output));
        }
        let keep = ["-t", "t/kept", "-q", "1", "-r", "-m", "kept"];
        assert!(
            run(mosquitto(&door, "mosquitto_pub", version).args(keep))
                .await
                .status
                .success()
        );
        let mut lines = BufReader::new(subscriber.stdout.take().unwrap()).lines();
        let mut heard = Vec::new();
        while let Some(line) = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap()
        {
            heard.push(line);
        }
        assert_eq!(
            heard,
            ["t/up 0 0 0", "t/up 1 0 1", "t/up 1 0 2", "t/kept 1 0 kept"]
        );
        assert!(subscriber.wait().await.unwrap().success());

        let late = ["-t", "t/#", "-q", "1", "-C", "1", "-F", "%t %r %p"];
        let output = run(mosquitto(&door, "mosquitto_sub", version).args(late)).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout), "t/kept 1 kept\n");
        assert_eq!(door.sink.payloads(), ["0", "1", "2", "kept"]);

        let wrong =
            run(mosquitto(&door, "mosquitto_pub", version)
                .args(["-P", "wrong", "-t", "t", "-m", "x"]))
            .await;
        assert!(!wrong.status.success());
        assert!(
            shown(&wrong)
                .to_lowercase()
                .contains("bad user name or password"),
            "{}",
            shown(&wrong)
        );
    }
}
