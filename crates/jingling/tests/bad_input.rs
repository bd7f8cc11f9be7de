//! The twelve kinds of bad input against the running city, one test each. Every time: the error names what, where
//! and the mend; the message lies whole in the dead letters, or the program's exit says why; another device's
//! messages go on, and the city is alive after it.

use crate::support::{City, Credentials, Mqtt, jingling, new_city, said, shared, text, until};
use rumqttc::v5::mqttbytes::v5::ConnectReturnCode;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value as Json, json};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TEN_MB: usize = 10_000_000;
/// Largest request body, as a new city sets it.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A reading of the device's own entity, in the form that can name its unit.
fn reading(value: impl Into<Json>, unit: Option<&str>, at: Option<&str>) -> Json {
    let mut level = json!({"type": "Property", "value": value.into()});
    if let Some(unit) = unit {
        level["unitCode"] = unit.into();
    }
    if let Some(at) = at {
        level["observedAt"] = at.into();
    }
    json!({ "waterLevel": level })
}

/// A device sends a message of which nothing is taken: it is told so, and the message is kept whole. Answers the
/// problem.
async fn refused(city: &City, device: &Credentials, message: &str) -> Json {
    let mut client = Mqtt::device(city, device).await;
    let ack = client.publish(&device.topic, message).await;
    assert_eq!(
        format!("{:?}", ack.reason),
        "PayloadFormatInvalid",
        "{message}"
    );
    let letter = city
        .dead_letter_where(&format!("/api/v1/dead-letters?device={}", device.id), |l| {
            // Cut in the list, whole in the store; several come from one device.
            message.starts_with(l["preview"].as_str().unwrap())
        })
        .await;
    assert_eq!(letter["stored"]["raw_text"], message);
    assert_eq!(letter["size_bytes"], message.len());
    assert_eq!(letter["address"], device.topic);
    let problem = letter["problem"].clone();
    told(&problem, &said(&ack));
    // The device itself goes on too.
    let good = client
        .publish(&device.topic, reading(28.5, Some("MTR"), None).to_string())
        .await;
    assert_eq!(format!("{:?}", good.reason), "Success");
    city.shows(&device.id, "waterLevel", 28.5).await;
    problem
}

/// A problem says what, where and the mend, and the sender was told the same.
fn told(problem: &Json, said: &str) {
    for member in ["what", "place", "mend"] {
        let part = problem[member].as_str().unwrap();
        assert!(
            !part.is_empty() && said.contains(part),
            "{member} of {problem} in: {said}"
        );
    }
}

/// The same over HTTP: refused with a problem document, and kept whole.
async fn refused_over_http(city: &City, path: &str, message: &str) -> Json {
    let token = city.token_of("collector");
    let with = |r: reqwest::RequestBuilder| {
        r.bearer_auth(&token)
            .header("content-type", "application/json")
            .body(message.to_owned())
    };
    let answer = city.ask("POST", path, with).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.problem();
    let letter = city
        .dead_letter_where("/api/v1/dead-letters", |l| {
            let preview = l["preview"].as_str().unwrap();
            l["address"] == path && l["size_bytes"] == message.len() && message.starts_with(preview)
        })
        .await;
    let kept = letter["stored"]["raw_text"].as_str().unwrap();
    assert!(
        kept == message,
        "{} of {} bytes are kept",
        kept.len(),
        message.len()
    );
    let problem = answer.json();
    assert_eq!(letter["problem"]["code"], problem["code"]);
    problem
}

const UPSERT: &str = "/ngsi-ld/v1/entityOperations/upsert";

#[tokio::test]
async fn malformed_json() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let problem = refused(&city, &device, "{\"waterLevel\": {\"value\": 28.5,\n").await;
    assert_eq!(problem["code"], "json-syntax");
    assert!(
        problem["place"].as_str().unwrap().starts_with("line "),
        "{problem}"
    );
    let problem =
        refused_over_http(&city, UPSERT, "[{\"id\": \"urn:ngsi-ld:WaterObserved:x\"").await;
    assert_eq!(problem["code"], "json-syntax");
    // Where JSON is asked for by an operation of the platform's own.
    for (body, status) in [("{\"query\": ", 400), ("{\"query\": 7}", 422), ("{}", 422)] {
        let token = city.token_of("duty");
        let with = |r: reqwest::RequestBuilder| {
            r.bearer_auth(&token)
                .header("content-type", "application/json")
                .body(body)
        };
        let answer = city.ask("POST", "/api/v1/sql", with).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        answer.problem();
    }
    city.goes_on().await;
}

#[tokio::test]
async fn wrong_types() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    for value in [
        json!("high"),
        json!(true),
        json!([28.5]),
        json!({"level": 28.5}),
    ] {
        let problem = refused(
            &city,
            &device,
            &reading(value, Some("MTR"), None).to_string(),
        )
        .await;
        assert_eq!(problem["code"], "wrong-type");
        assert!(
            problem["place"].as_str().unwrap().contains("waterLevel"),
            "{problem}"
        );
        assert!(
            problem["mend"].as_str().unwrap().contains("number"),
            "{problem}"
        );
    }
    // What is good beside it goes on; the message is kept all the same.
    let mut client = Mqtt::device(&city, &device).await;
    let mut mixed = reading("high", Some("MTR"), None);
    mixed["flow"] = json!({"value": 31.5, "unitCode": "MQS"});
    let mixed = mixed.to_string();
    let ack = client.publish(&device.topic, mixed.as_str()).await;
    assert_eq!(format!("{:?}", ack.reason), "Success");
    city.shows(&device.id, "flow", 31.5).await;
    let path = format!("/api/v1/dead-letters?device={}", device.id);
    let letter = city
        .dead_letter_where(&path, |l| l["preview"] == mixed)
        .await;
    assert_eq!(letter["problem"]["code"], "wrong-type");
    city.goes_on().await;
}

#[tokio::test]
async fn a_missing_unit() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let message = reading(28.5, None, None).to_string();
    let problem = refused(&city, &device, &message).await;
    assert_eq!(problem["code"], "missing-unit");
    assert!(
        problem["mend"].as_str().unwrap().contains("\"MTR\""),
        "{problem}"
    );
    // SenML can name a unit, so there too.
    let problem = refused(&city, &device, "[{\"n\":\"waterLevel\",\"v\":28.5}]").await;
    assert_eq!(problem["code"], "missing-unit");

    // A form that has no place for a unit could not have told it: the declared one is taken, and marked.
    let mut client = Mqtt::device(&city, &device).await;
    let ack = client
        .publish(&device.topic, "{\"waterLevel\": 28.25}")
        .await;
    assert_eq!(format!("{:?}", ack.reason), "Success", "{}", said(&ack));
    let shown = city.shows(&device.id, "waterLevel", 28.25).await;
    assert_eq!(
        (&shown["unit"], &shown["quality"]),
        (&json!("MTR"), &json!("unit_assumed"))
    );
    let line = format!(
        "WaterObserved,entity_id={} waterLevel=28.75,note=\"by line\"",
        device.id
    );
    let token = city.token_of("collector");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token).body(line);
    let answer = city.ask("POST", "/api/v2/write", with).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    let shown = city.shows(&device.id, "waterLevel", 28.75).await;
    assert_eq!(
        (&shown["unit"], &shown["quality"]),
        (&json!("MTR"), &json!("unit_assumed"))
    );
    city.goes_on().await;
}

#[tokio::test]
async fn a_time_in_1970_and_in_2099() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    for at in ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let message = reading(28.5, Some("MTR"), Some(at)).to_string();
        let problem = refused(&city, &device, &message).await;
        assert_eq!(problem["code"], "time-out-of-range");
        assert!(problem["what"].as_str().unwrap().contains(at), "{problem}");
        assert!(
            problem["mend"]
                .as_str()
                .unwrap()
                .contains("admission.observed_"),
            "{problem}"
        );
    }
    // A line's time is a number; in the wrong precision it is in 1970 too.
    for (time, year) in [(1, "1970"), (4_070_908_800_000_000_000_i64, "2099")] {
        let line = format!(
            "WaterObserved,entity_id={} waterLevel=28.5 {time}",
            device.id
        );
        let problem = refused_over_http(&city, "/write", &line).await;
        assert_eq!(problem["code"], "time-out-of-range");
        assert!(
            problem["detail"].as_str().unwrap().contains(year),
            "{problem}"
        );
    }
    city.goes_on().await;
}

#[tokio::test]
async fn not_a_number() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    for number in ["NaN", "Infinity", "-Infinity", "1e999"] {
        let message = format!("{{\"waterLevel\":{{\"value\":{number},\"unitCode\":\"MTR\"}}}}");
        let problem = refused(&city, &device, &message).await;
        assert_eq!(problem["code"], "number-not-finite", "{number}");
    }
    let problem = refused(
        &city,
        &device,
        "[{\"n\":\"waterLevel\",\"u\":\"m\",\"v\":NaN}]",
    )
    .await;
    assert!(
        problem["mend"].as_str().unwrap().contains("NaN"),
        "{problem}"
    );
    let line = format!("WaterObserved,entity_id={} waterLevel=NaN", device.id);
    let problem = refused_over_http(&city, "/api/v2/write", &line).await;
    assert_eq!(problem["code"], "number-not-finite");
    city.goes_on().await;
}

#[tokio::test]
async fn a_message_of_ten_megabytes() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    // A client of MQTT 5 is told the limit when it connects.
    let client = Mqtt::device(&city, &device).await;
    assert_eq!(client.packet_bytes_max, Some(1024 * 1024));
    drop(client);
    // One of MQTT 3.1.1 cannot be told: its message is read to the end, its front is kept, and it goes on.
    let address = city.address("mqtt");
    let mut options = MqttOptions::new(&device.client_id, address.ip().to_string(), address.port());
    options
        .set_credentials(&device.username, &device.password)
        .set_max_packet_size(TEN_MB, 2 * TEN_MB);
    let (client, mut events) = AsyncClient::new(options, 10);
    let mut body = "x".repeat(TEN_MB);
    let good = reading(28.5, Some("MTR"), None).to_string();
    for payload in [body.clone(), good] {
        client
            .publish(&device.topic, QoS::AtLeastOnce, false, payload)
            .await
            .unwrap();
    }
    let acknowledged = async {
        let mut acknowledged = 0;
        while acknowledged < 2 {
            if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.unwrap() {
                acknowledged += 1;
            }
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, acknowledged)
        .await
        .expect("two acknowledgements");
    city.shows(&device.id, "waterLevel", 28.5).await;
    let letter = city.dead_letter(&device.id).await;
    assert_eq!(letter["problem"]["code"], "mqtt-packet-too-large");
    assert!(
        letter["problem"]["mend"]
            .as_str()
            .unwrap()
            .contains("mqtt.packet_kib_max"),
        "{letter}"
    );
    assert!(
        letter["problem"]["what"]
            .as_str()
            .unwrap()
            .contains("1048576"),
        "{letter}"
    );
    assert_eq!(letter["size_bytes"], TEN_MB);
    assert_eq!(letter["stored"]["size_bytes"], TEN_MB);
    let kept = letter["stored"]["raw_text"].as_str().unwrap();
    assert!(
        (1_000..10_000).contains(&kept.len()) && body.starts_with(kept),
        "{}",
        kept.len()
    );

    // Over HTTP it is kept whole.
    for path in [UPSERT, "/api/v2/write"] {
        let problem = refused_over_http(&city, path, &body).await;
        assert_eq!(problem["code"], "message-too-long", "{path}");
        body.push('y');
    }
    // Beyond the limit of a request nothing is taken, and the sender is told which limit.
    let token = city.token_of("collector");
    let with =
        |r: reqwest::RequestBuilder| r.bearer_auth(&token).body("x".repeat(BODY_BYTES_MAX + 1));
    let answer = city.ask("POST", UPSERT, with).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "body-too-large")
    );
    assert!(answer.body.contains("http.body_mib_max"), "{}", answer.body);
    city.goes_on().await;
}

#[tokio::test]
async fn an_unknown_device() {
    let city = shared();
    let denied = Mqtt::connect(&city, "stranger-1", "stranger-1", "secret").await;
    assert_eq!(denied.err(), Some(ConnectReturnCode::BadUserNamePassword));
    let answer = connack(&city, "stranger-2", "stranger-2", "secret").await;
    assert!(
        answer.contains("unknown user name or device") && answer.contains("jingling device add"),
        "{answer}"
    );
    for client_id in ["stranger-1", "stranger-2"] {
        let line = line_of(&city, client_id).await;
        assert!(
            line.contains("not let in") && line.contains("username=\"stranger"),
            "{line}"
        );
    }
    city.goes_on().await;
}

#[tokio::test]
async fn a_wrong_password() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let denied = Mqtt::connect(&city, &device.client_id, &device.username, "wrong").await;
    assert_eq!(denied.err(), Some(ConnectReturnCode::BadUserNamePassword));
    let answer = connack(&city, &device.client_id, &device.username, "wrong").await;
    assert!(
        answer.contains("wrong password") && answer.contains("jingling device"),
        "{answer}"
    );
    let line = line_of(&city, &device.client_id).await;
    assert!(line.contains("not let in"), "{line}");
    assert!(!city.log().contains(&device.password));
    // The right one still opens the door.
    let mut client = Mqtt::device(&city, &device).await;
    let ack = client
        .publish(&device.topic, reading(28.5, Some("MTR"), None).to_string())
        .await;
    assert_eq!(format!("{:?}", ack.reason), "Success");
    // A person's: the answer does not tell which of the two is wrong.
    let mut answers = Vec::new();
    for username in ["admin", "nobody-at-all"] {
        let body = json!({"username": username, "password": "wrong"});
        let answer = city.ask("POST", "/api/v1/session", |r| r.json(&body)).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
        answer.problem();
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1]);
    city.goes_on().await;
}

/// The platform's answer: a message with times of its own is written once, however often it is sent; two equal
/// readings without a time are two readings.
#[tokio::test]
async fn a_duplicate() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let mut client = Mqtt::device(&city, &device).await;
    let at = jingling::running::wall_clock()
        .plus_seconds(-60)
        .to_string();
    let timed = reading(28.5, Some("MTR"), Some(&at)).to_string();
    let untimed = reading(28.75, Some("MTR"), None).to_string();
    for message in [&timed, &timed, &untimed, &untimed] {
        let ack = client.publish(&device.topic, message.as_str()).await;
        assert_eq!(format!("{:?}", ack.reason), "Success", "{}", said(&ack));
    }
    // From a new connection too: a device repeats what it does not know to be acknowledged.
    drop(client);
    let mut client = Mqtt::device(&city, &device).await;
    client.publish(&device.topic, timed.as_str()).await;
    client
        .publish(&device.topic, reading(29.0, Some("MTR"), None).to_string())
        .await;
    city.shows(&device.id, "waterLevel", 29.0).await;
    let count = async |value: f64| {
        let query = format!(
            "SELECT count(*) AS n FROM observations WHERE entity_id = '{}' AND value_number = {value}",
            device.id
        );
        city.sql(&query).await["n"].clone()
    };
    until("the last reading in the history", async || {
        count(29.0).await == 1
    })
    .await;
    assert_eq!(count(28.5).await, 1);
    assert_eq!(count(28.75).await, 2);
    let letters = city
        .get(&format!("/api/v1/dead-letters?device={}", device.id))
        .await;
    assert_eq!(letters["items"], json!([]));
    city.goes_on().await;
}

#[tokio::test]
async fn an_entity_id_with_control_characters() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    for id in [
        "urn:ngsi-ld:WaterObserved:\u{7}bell",
        "urn:ngsi-ld:WaterObserved:a\nb",
        "urn:ngsi-ld:\u{0}",
    ] {
        let mut message = reading(28.5, Some("MTR"), None);
        message["id"] = id.into();
        message["type"] = "WaterObserved".into();
        let problem = refused(&city, &device, &message.to_string()).await;
        assert_eq!(problem["place"], "id", "{problem}");
        // Told escaped: a control character in a log or on a terminal is an attack.
        assert!(!problem.to_string().contains(char::is_control), "{problem}");
        assert!(
            !problem["what"].as_str().unwrap().contains(char::is_control),
            "{problem}"
        );
        let problem = refused_over_http(&city, UPSERT, &format!("[{message}]")).await;
        assert_eq!(problem["place"], "[0].id", "{problem}");
        let body = json!({"id": id, "type": "WaterObserved"});
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin).json(&body);
        let answer = city.ask("POST", "/api/v1/devices", with).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        answer.problem();
    }
    assert!(!city.log().contains('\u{7}'));
    city.goes_on().await;
}

const OWN_PACK: [(&str, &str); 9] = [
    (
        "pack.toml",
        "# Wells.\nname = \"pack-own\"\nversion = 1\ntitle_zh = \"井\"\ntitle_en = \"Wells\"\nowner_zh = \"局\"\n\
         owner_en = \"Bureau\"\npermissions = [\"entity.read\"]\n",
    ),
    ("README.md", "# 井\n"),
    (
        "quality.toml",
        "# Ledger.\n[[rule]]\nid = \"standard-names\"\nstate = \"done\"\n[[rule]]\nid = \"units\"\nstate = \"done\"\n\
         [[rule]]\nid = \"ranges\"\nstate = \"done\"\n[[rule]]\nid = \"runbooks\"\nstate = \"done\"\n[[rule]]\n\
         id = \"two-languages\"\nstate = \"done\"\n[[rule]]\nid = \"sources\"\nstate = \"done\"\n[[rule]]\n\
         id = \"scenarios\"\nstate = \"done\"\n[[rule]]\nid = \"department-review\"\nstate = \"todo\"\nbecause = \"new\"\n",
    ),
    (
        "entities/Well.toml",
        "# A well.\nname = \"Well\"\ntitle_zh = \"井\"\ntitle_en = \"Well\"\n[attributes.depth]\nvalue = \"number\"\n\
         title_zh = \"埋深\"\ntitle_en = \"Depth\"\nunit = \"MTR\"\nmin = 0.0\nmax = 100.0\n",
    ),
    (
        "rules/deep.toml",
        "# Deep.\nid = \"deep\"\nversion = 1\ntitle_zh = \"深 {value}\"\ntitle_en = \"Deep {value}\"\n\
         entity_type = \"Well\"\nattribute = \"dept\"\nop = \">\"\nthreshold = 50.0\nunit = \"MTR\"\n\
         severity = \"minor\"\nopens_case = \"standard\"\nrunbook = \"deep\"\n",
    ),
    ("runbooks/deep.zh.md", "# 深\n"),
    ("runbooks/deep.en.md", "# Deep\n"),
    ("strings/zh.toml", "[well]\nhint = \"提示\"\n"),
    ("strings/en.toml", "[well]\nhint = \"Hint\"\n"),
];

#[test]
fn a_rule_that_refers_to_a_missing_attribute() {
    let (_folder, dir) = new_city();
    let pack = Path::new(&dir).join("packs/pack-own");
    for (name, body) in OWN_PACK {
        let file = pack.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, body).unwrap();
    }
    let rule = pack.join("rules/deep.toml");
    let place = format!("{}:7", rule.display());
    let pack = pack.display().to_string();
    let mut serve = vec!["serve", dir.as_str()];
    serve.extend(crate::support::FREE_PORTS);
    for words in [serve, vec!["pack", "check", pack.as_str()]] {
        let ended = jingling(&words);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(
            told.contains(&place) || told.contains(&place.replace(":7", ":8")),
            "{told}"
        );
        assert!(told.contains("Well") && told.contains("dept"), "{told}");
        assert!(
            told.contains("depth") || told.contains("declare"),
            "the mend in: {told}"
        );
        assert!(!told.contains("panicked"), "{told}");
    }
    // Mended, the pack is right.
    let body = std::fs::read_to_string(&rule).unwrap();
    std::fs::write(&rule, body.replace("\"dept\"", "\"depth\"")).unwrap();
    let checked = jingling(&["pack", "check", &pack]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let query = jingling(&[
        "query",
        &dir,
        "SELECT count(*) AS n FROM \"Well\"",
        "--json",
    ]);
    assert!(query.status.success(), "{}", text(&query.stderr));
}

#[test]
fn a_settings_key_that_does_not_exist() {
    let (_folder, dir) = new_city();
    let ends = |mut command: std::process::Command, place: &str| {
        let ended = command.output().unwrap();
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        for part in ["lisen", "http", "`listen`", place, "documents every key"] {
            // The name of a variable says nothing of upper and lower case.
            let told = told.to_lowercase();
            assert!(told.contains(&part.to_lowercase()), "{part} in: {told}");
        }
        assert!(!told.contains("panicked"), "{told}");
    };
    let serve = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_jingling"));
        command.args(["serve", &dir]);
        command
    };
    let mut by_argument = serve();
    by_argument.args(["--set", "http.lisen=127.0.0.1:0"]);
    ends(by_argument, "--set http.lisen");
    let mut by_environment = serve();
    by_environment.env("JINGLING__HTTP__LISEN", "127.0.0.1:0");
    ends(by_environment, "JINGLING__");
    let file = Path::new(&dir).join("jingling.toml");
    let body = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        body.replace("[http]", "[http]\nlisen = \"127.0.0.1:0\""),
    )
    .unwrap();
    ends(serve(), "jingling.toml");
}

/// The text of the CONNACK with which a client of MQTT 5 is refused: the usual clients do not show it.
async fn connack(city: &City, client_id: &str, username: &str, password: &str) -> String {
    let mut body = b"\x00\x04MQTT\x05\xc2\x00\x3c\x00".to_vec();
    for part in [client_id, username, password] {
        body.extend((part.len() as u16).to_be_bytes());
        body.extend(part.as_bytes());
    }
    let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
    assert!(packet[1] < 0x80, "one byte of length");
    packet.append(&mut body);
    let mut stream = tokio::net::TcpStream::connect(city.address("mqtt"))
        .await
        .unwrap();
    stream.write_all(&packet).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    // Type, length of one or two bytes, flags, reason.
    let reason_at = if answer[1] < 0x80 { 3 } else { 4 };
    assert_eq!(
        (answer[0], answer[reason_at]),
        (0x20, 0x86),
        "{answer:02x?}"
    );
    text(&answer)
}

/// The line of the city's log that names a client.
async fn line_of(city: &City, client_id: &str) -> String {
    let mut line = None;
    until("a line in the log", async || {
        line = city
            .log()
            .lines()
            .find(|l| l.contains(client_id) && l.contains("not let in"))
            .map(str::to_owned);
        line.is_some()
    })
    .await;
    line.unwrap()
}
