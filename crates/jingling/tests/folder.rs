//! One server on one folder, and folders of newer programs: a clear error, and nothing harmed.

use crate::served::device::{Device, register};
use crate::served::{Server, answer, done, jingling, made, refused, text};
use std::path::Path;
use testkit::folder::files;

#[test]
fn a_device_that_is_removed_beside_a_running_city_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let server = Server::start(&city);
    let credential = register(&city);
    let device = Device::start(&server, &credential, 0, u64::MAX);
    device.wait(1);
    let client_id = credential["client_id"].as_str().unwrap();
    done(&["device", "remove", &city, "--id", client_id]);
    // It publishes without end until its connection is ended.
    device.wait_until_cut_off();
    server.wait_for("a device's credentials were taken away");
}

#[test]
fn a_second_server_is_told_who_has_the_folder_and_the_commands_beside_it_work() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let server = Server::start(&city);
    for command in ["serve", "demo"] {
        let told = refused(&[command, &city, "--set", "http.listen=127.0.0.1:0"]);
        let http = server.addresses["http"].to_string();
        for word in [
            format!("process {}", server.pid()),
            http,
            "run/addresses.json".to_owned(),
        ] {
            assert!(told.contains(&word), "{command}: no {word} in {told}");
        }
    }
    // The first one is none the worse for it.
    let id = "urn:ngsi-ld:WaterObserved:1";
    let kind = "WaterObserved";
    done(&["device", "add", &city, "--id", id, "--type", kind]);
    done(&[
        "token",
        "create",
        &city,
        "--name",
        "x",
        "--role",
        "collector",
    ]);
    done(&[
        "user",
        "add",
        &city,
        "--username",
        "wang",
        "--name",
        "王敏",
        "--role",
        "duty",
    ]);
    done(&["device", "list", &city]);
    let rows = answer(&[
        "query",
        &city,
        "SELECT count(*) AS n FROM devices",
        "--json",
    ]);
    assert_eq!(rows[0]["n"], 1);
    done(&["check", &city]);
    server.kill();
    // The kernel gave the lock back; what the dead process wrote into the file counts for nothing.
    let again = Server::start(&city);
    assert!(
        text(&std::fs::read(format!("{city}/run/lock")).unwrap())
            .contains(&again.pid().to_string())
    );
}

#[test]
fn a_folder_of_a_newer_program_is_refused_by_name_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let format = Path::new(&city).join("format");
    let mut stored: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&format).unwrap()).unwrap();
    stored["formats"]["lake"] = 999.into();
    stored["written_by"] = "jingling 9.1.0".into();
    std::fs::write(&format, stored.to_string()).unwrap();
    let before = files(Path::new(&city));
    let id = "urn:ngsi-ld:WaterObserved:1";
    for words in [
        &["serve", &city][..],
        &["demo", &city],
        &["check", &city],
        &["query", &city, "SELECT 1"],
        &[
            "device",
            "add",
            &city,
            "--id",
            id,
            "--type",
            "WaterObserved",
        ],
        &[
            "token",
            "create",
            &city,
            "--name",
            "x",
            "--role",
            "collector",
        ],
        &["user", "password", &city, "--username", "admin"],
    ] {
        let told = refused(words);
        for word in [
            "\"lake\" has version 999",
            "jingling 9.1.0",
            "Nothing was changed",
        ] {
            assert!(told.contains(word), "{words:?}: no {word} in {told}");
        }
    }
    let mut after = files(Path::new(&city));
    // Whoever takes the lock says so in it.
    let lock = "run/lock";
    after.insert(lock.to_owned(), before[lock].clone());
    assert!(before == after, "something was changed");
}

#[test]
fn a_folder_from_before_the_format_file_opens_and_gets_one() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let format = format!("{city}/format");
    let written = std::fs::read(&format).unwrap();
    std::fs::remove_file(&format).unwrap();
    assert!(jingling(&["check", &city]).status.success());
    drop(Server::start(&city));
    assert_eq!(std::fs::read(&format).unwrap(), written);
}
