//! Keys of devices seen from outside: an independent client (`mosquitto_pub`) signs in with proofs that OpenSSL computed, of
//! a city that is started again in between. What is not installed is said and passed over.

use crate::served::{Server, answer, done, made, refused};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::folder::files;

fn is_there(program: &str, word: &str) -> bool {
    let there = Command::new(program).arg(word).output().is_ok();
    if !there {
        eprintln!("{program} is not installed: it is passed over");
    }
    there
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A proof as docs/identity.md tells the maker of a device to compute it.
fn proof(algorithm: &str, client_id: &str, key: &str, seconds: i64, nonce: &str) -> String {
    use std::io::Write;
    let text =
        format!("jingling-device-v1\n{algorithm}\n{client_id}\n{client_id}\n{seconds}\n{nonce}");
    let mut openssl = Command::new("openssl")
        .args(["dgst", &format!("-{algorithm}"), "-mac", "HMAC", "-macopt"])
        .args([&format!("hexkey:{key}"), "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = openssl.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let told = openssl.wait_with_output().unwrap();
    assert!(told.status.success());
    let told = crate::served::text(&told.stdout);
    let mac = told.split_whitespace().next().unwrap();
    assert_eq!(mac.len(), 64, "{told}");
    format!("v1.{algorithm}.{seconds}.{nonce}.{mac}")
}

/// Publishes with a password; what the client wrote, with `ok` for a message that was acknowledged.
fn publish(server: &Server, client_id: &str, password: &str) -> String {
    let address = server.addresses["mqtt"];
    let output = Command::new("mosquitto_pub")
        .args(["-h", &address.ip().to_string()])
        .args(["-p", &address.port().to_string(), "-V", "5", "-q", "1"])
        .args(["-i", client_id, "-u", client_id, "-P", password])
        .args(["-t", &format!("devices/{client_id}/up")])
        .args(["-m", r#"{"waterLevel":{"value":20.5,"unitCode":"MTR"}}"#])
        .output()
        .unwrap();
    if output.status.success() {
        return "ok".to_owned();
    }
    crate::served::text(&output.stdout) + &crate::served::text(&output.stderr)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

#[test]
fn a_device_proves_its_key_once_for_each_connect_across_a_restart_and_a_change() {
    if !is_there("mosquitto_pub", "--help") || !is_there("openssl", "version") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let words = |id: &str| {
        let id = format!("urn:ngsi-ld:WaterObserved:{id}");
        answer(&[
            "device",
            "add",
            &city,
            "--id",
            &id,
            "--type",
            "WaterObserved",
            "--psk",
            "--json",
        ])
    };
    let (one, two) = (words("1"), words("2"));
    assert_eq!(one["password"], Value::Null);
    let (id, key) = (text(&one, "client_id"), text(&one, "key"));

    let server = Server::start(&city);
    let good = proof("sha256", &id, &key, now_s(), "n1");
    let is_refused = |server: &Server, password: &str| {
        let told = publish(server, &id, password).to_lowercase();
        assert_ne!(told, "ok", "{password}");
        assert!(
            told.contains("bad user name or password") || told.contains("not authori"),
            "{told}"
        );
    };
    // Another's proof, and the key itself sent as a password.
    let others = proof("sha256", &id, &text(&two, "key"), now_s(), "n1");
    is_refused(&server, &others);
    is_refused(&server, &key);
    assert_eq!(publish(&server, &id, &good), "ok");
    is_refused(&server, &good);
    server.wait_for("came a second time");
    is_refused(&server, &proof("sha256", &id, &key, now_s() - 1_000, "n2"));
    server.wait_for("clock is off");
    let sm3 = proof("sm3", &id, &key, now_s(), "n3");
    assert_eq!(publish(&server, &id, &sm3), "ok");
    server.kill();

    // What was used stays used; the limiter of failures starts anew.
    let server = Server::start(&city);
    is_refused(&server, &good);
    is_refused(&server, &sm3);
    // The platform's own command computes the same kind of proof.
    let file = dir.path().join("key.hex").display().to_string();
    std::fs::write(&file, &key).unwrap();
    for algorithm in ["sha256", "sm3"] {
        let own = done(&[
            "device",
            "proof",
            "--client-id",
            &id,
            "--key-file",
            &file,
            "--algorithm",
            algorithm,
        ]);
        assert_eq!(publish(&server, &id, own.trim()), "ok", "{own}");
    }
    // So do the programs that the documentation shows to the makers of devices.
    let programs = include_str!("../../../docs/identity.md");
    let block = |begin: &str| {
        let (_, from) = programs.split_once(begin).unwrap();
        from.split_once("```").unwrap().0.to_owned()
    };
    let (python, shell) = (block("```python\n"), block("```sh\nID=$1 "));
    let shell = format!("ID=$1 {shell}");
    for (program, words) in [
        ("python3", vec!["-c", &python, &id, &key]),
        ("sh", vec!["-c", &shell, "sh", &id, &key]),
    ] {
        match Command::new(program).args(&words).output() {
            Ok(told) => {
                let told = crate::served::text(&told.stdout) + &crate::served::text(&told.stderr);
                assert_eq!(publish(&server, &id, told.trim()), "ok", "{told}");
            }
            Err(_) => eprintln!("{program} is not installed: it is passed over"),
        }
    }
    let rotate = |more: &[&str]| {
        let words = ["device", "rotate", &city, "--id", &id, "--json"];
        answer(&[&words[..], more].concat())
    };
    let second = text(&rotate(&["--psk", "--overlap-hours", "1"]), "key");
    assert_ne!(second, key);
    for (key, nonce) in [(&key, "r1"), (&second, "r2")] {
        let proof = proof("sha256", &id, key, now_s(), nonce);
        assert_eq!(publish(&server, &id, &proof), "ok", "{nonce}");
    }
    let words = [
        "device",
        "certificate",
        "list",
        &city,
        "--id",
        &id,
        "--json",
    ];
    let listed = answer(&words);
    for n in [0, 1] {
        assert_eq!(listed[n]["kind"], "psk", "{listed}");
        assert!(listed[n]["last_used_at"].is_string(), "{listed}");
    }
    assert_eq!(listed[0]["expires_at"], Value::Null);
    assert!(listed[1]["expires_at"].is_string() && listed[2].is_null());

    // Without overlap the old ones end now; without a word a key follows on a key.
    let third = text(&rotate(&["--overlap-hours", "0"]), "key");
    is_refused(&server, &proof("sha256", &id, &second, now_s(), "r3"));
    let proof_of_third = proof("sha256", &id, &third, now_s(), "r4");
    assert_eq!(publish(&server, &id, &proof_of_third), "ok");

    // A key of elsewhere, and back to a password.
    std::fs::write(&file, "00112233445566778899aabbccddeeff\n").unwrap();
    assert_eq!(rotate(&["--psk", "--key-file", &file])["key"], Value::Null);
    let given = proof(
        "sm3",
        &id,
        "00112233445566778899aabbccddeeff",
        now_s(),
        "r5",
    );
    assert_eq!(publish(&server, &id, &given), "ok");
    let back = rotate(&["--password", "--overlap-hours", "0"]);
    assert_eq!(publish(&server, &id, &text(&back, "password")), "ok");

    std::fs::write(&file, "0011").unwrap();
    let told = refused(&[
        "device",
        "rotate",
        &city,
        "--id",
        &id,
        "--psk",
        "--key-file",
        &file,
    ]);
    assert!(told.contains("openssl rand -hex 32"), "{told}");
    let bad = ["device", "proof", "--client-id", &id, "--key-file", &file];
    assert!(refused(&bad).contains("the key has 2 bytes"));
    drop(server);

    for (file, bytes) in files(city.as_ref()) {
        for key in [&key, &second, &third] {
            let holds = bytes.windows(64).any(|w| w == key.as_bytes());
            assert!(!holds, "a key stands readable in {file}");
        }
    }
}

#[test]
fn the_window_is_a_setting_with_limits() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let setting = "sign_in.device_proof_window_seconds=0";
    let told = refused(&["serve", &city, "--set", setting]);
    assert!(
        told.contains("device_proof_window_seconds must be 1"),
        "{told}"
    );
}

/// What the server says to a proof over MQTT 5: `None` when it lets the device in.
async fn told(
    city: &crate::support::City,
    client_id: &str,
    key: &str,
) -> Option<rumqttc::v5::mqttbytes::v5::ConnectReturnCode> {
    let key = identity::DeviceKey::parse(key).unwrap();
    let nonce = identity::proof::draw_nonce();
    let who = (client_id, client_id);
    let proof = key.proof(identity::Algorithm::Sm3, who, now_s(), &nonce);
    let connected = crate::support::Mqtt::connect(city, client_id, client_id, &proof).await;
    connected.err()
}

#[tokio::test]
async fn keys_are_given_and_changed_over_http() {
    let city = crate::support::shared();
    let post = async |path: &str, body: Value| {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin).json(&body);
        city.ask("POST", path, with).await
    };
    let id = "urn:ngsi-ld:WaterObserved:keyed-over-http";
    let draft = |more: Value| {
        let mut body = json!({"id": id, "type": "WaterObserved"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for bad in [
        json!({"kind": "psk", "key": "0011"}),
        json!({"kind": "psk", "key": "no hex, but as long as a key may be"}),
        json!({"kind": "password", "key": "00112233445566778899aabbccddeeff"}),
        json!({"key": "00112233445566778899aabbccddeeff"}),
    ] {
        let answer = post("/api/v1/devices", draft(bad)).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "device-key")
        );
    }
    let answer = post("/api/v1/devices", draft(json!({"kind": "drawing"}))).await;
    assert!((400..500).contains(&answer.status), "{}", answer.body);

    let made = post("/api/v1/devices", draft(json!({"kind": "psk"}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(made["password"], Value::Null);
    let (client_id, key) = (text(&made, "client_id"), text(&made, "key"));
    assert_eq!(told(&city, &client_id, &key).await, None);

    // Whoever may only look cannot change it, and is shown no key.
    let path = format!("/api/v1/devices/{client_id}");
    let observer = city.token_of("analyst");
    let refused = city
        .ask("POST", &format!("{path}/password"), |r| {
            r.bearer_auth(&observer).json(&json!({"kind": "psk"}))
        })
        .await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let listed = city.get(&format!("{path}/credentials")).await;
    assert_eq!(listed["items"][0]["kind"], "psk", "{listed}");
    assert!(listed["items"][0]["last_used_at"].is_string(), "{listed}");
    assert!(!listed.to_string().contains(&key));

    // A key follows on a key when nothing is said; then one that was given, which is not said back.
    let change = async |body: Value| post(&format!("{path}/password"), body).await;
    let second = change(json!({"overlap_hours": 1})).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let second = text(&second.json(), "key");
    assert_eq!(told(&city, &client_id, &key).await, None);
    assert_eq!(told(&city, &client_id, &second).await, None);
    let given = "00112233445566778899aabbccddeeff";
    let body = json!({"kind": "psk", "key": given, "overlap_hours": 0});
    let third = change(body.clone()).await;
    assert_eq!((third.status, &third.json()["key"]), (200, &Value::Null));
    let same = change(body).await;
    assert_eq!(
        (same.status, same.problem().as_str()),
        (409, "device-key-same")
    );
    assert!(told(&city, &client_id, &second).await.is_some());
    assert_eq!(told(&city, &client_id, given).await, None);
}
