//! Hydrological stations at the running door: a simulator written in Python from the standard's text, over TCP and UDP. What was
//! confirmed is there after `kill -9`, what comes again is there once, and what must not be confirmed is not.

use crate::served::{Server, answer, done, jingling, made, text};
use crate::support::{City, until as comes};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sl651_station.py");
const ADDRESS: &str = "0062206900";
const ENTITY: &str = "urn:ngsi-ld:WaterObserved:62206900";
/// The door's settings.
const SETTINGS: [&str; 5] = [
    "sl651.tcp_listen=127.0.0.1:0",
    "sl651.udp_listen=127.0.0.1:0",
    "sl651.weak_identity_is_accepted=true",
    "sl651.password=\"03E8\"",
    "sl651.picture_kib_max=16",
];

/// The simulator as a program.
pub struct Station {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Station {
    pub fn start(kind: &str, door: SocketAddr, address: &str, password: &str) -> Self {
        let (host, port) = (door.ip().to_string(), door.port().to_string());
        let mut program = Command::new("python3")
            .args([SCRIPT, kind, &host, &port, address, password])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            orders: program.stdin.take().unwrap(),
            answers: BufReader::new(program.stdout.take().unwrap()),
            program,
        }
    }

    pub fn tell(&mut self, order: Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?} to {order}"))
    }

    /// The one confirmation; fails when there is none.
    pub fn confirmed(&mut self, order: Value) -> Value {
        let told = self.tell(order.clone());
        let acks = told["acks"].as_array().unwrap();
        assert_eq!(acks.len(), 1, "{told} to {order}");
        acks[0].clone()
    }

    /// Nothing may come back.
    fn unconfirmed(&mut self, mut order: Value) {
        order["expect"] = "silence".into();
        let told = self.tell(order.clone());
        let acks = told["acks"].as_array().unwrap();
        let is_silent = acks.iter().all(|ack| ack["gone"] == true);
        assert!(is_silent, "{told} to {order}");
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// A time so many minutes ago as stations write it, to the minute and to the second.
fn minutes_ago(minutes: i64) -> (String, String) {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let local = jiff::tz::offset(8).to_datetime(at);
    (
        local.strftime("%y%m%d%H%M").to_string(),
        local.strftime("%y%m%d%H%M%S").to_string(),
    )
}

pub fn report(function: &str, serial: u16, minutes: i64, elements: Value) -> Value {
    let (observed, _) = minutes_ago(minutes);
    let (_, sent) = minutes_ago(0);
    json!({"do": "report", "function": function, "serial": serial, "sent": sent, "observed": observed, "elements": elements})
}

fn timed(serial: u16, minutes: i64, stage: f64) -> Value {
    report(
        "32",
        serial,
        minutes,
        json!([
            ["20", 3, 1, 4.0],
            ["26", 3, 1, 104.0],
            ["39", 4, 3, stage],
            ["38", 2, 2, 12.34]
        ]),
    )
}

fn register(city: &str) {
    done(&[
        "device",
        "add",
        city,
        "--id",
        ENTITY,
        "--type",
        "WaterObserved",
    ]);
}

/// The first cell of an answer.
fn sql(city: &str, query: &str) -> String {
    let csv = done(&["query", city, query, "--csv"]);
    csv.lines().nth(1).unwrap_or_default().to_owned()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until so many observations of an attribute are there.
fn observed(city: &str, attribute: &str, count: usize) {
    let query = format!(
        "SELECT count(*) AS n FROM observations WHERE entity_id = '{ENTITY}' AND attribute = '{attribute}'"
    );
    until(&format!("{count} of {attribute}"), || {
        sql(city, &query) == count.to_string()
    });
}

/// Waits until a dead letter of the door has this problem; gives the letter.
async fn dead_letter(city: &City, code: &str) -> Value {
    let is_it = |letter: &Value| letter["door"] == "sl651" && letter["problem"]["code"] == code;
    city.dead_letter_where("/api/v1/dead-letters", is_it).await
}

/// Waits until so many observations of an attribute are there in a city that runs.
async fn seen(city: &City, attribute: &str, count: usize) {
    let query = format!(
        "SELECT count(*) AS n FROM observations WHERE entity_id = '{ENTITY}' AND attribute = '{attribute}'"
    );
    comes(&format!("{count} of {attribute}"), async || {
        city.sql(&query).await["n"] == count
    })
    .await;
}

async fn quality_of(city: &City, stage: f64) -> Value {
    let query = format!(
        "SELECT quality FROM observations WHERE entity_id = '{ENTITY}' AND attribute = 'waterLevel' AND value_number = {stage}"
    );
    city.sql(&query).await["quality"].clone()
}

/// A city that runs, with the one station registered.
fn city_with_a_station() -> City {
    let city = City::start_with(&SETTINGS);
    register(&city.dir);
    city
}

#[test]
fn what_a_station_was_confirmed_is_there_once_after_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    register(&city);
    let server = Server::start_with(&city, &SETTINGS);
    let mut station = Station::start("tcp", server.addresses["sl651"], ADDRESS, "03E8");
    // Timed, in one piece and in pieces; the confirmation says the same serial number and asks to stay on the line.
    let first = timed(1, 10, 28.35);
    let ack = station.confirmed(first.clone());
    assert_eq!(
        (&ack["function"], &ack["serial"], &ack["end"]),
        (&json!("32"), &json!(1), &json!("1B"))
    );
    let mut cut = timed(2, 5, 28.40);
    cut["cuts"] = json!([1, 12, 20]);
    assert_eq!(station.confirmed(cut)["serial"], 2);
    // Sent again, by the same link and by another one: confirmed again, taken once.
    assert_eq!(station.confirmed(first.clone())["serial"], 1);
    let mut other = Station::start("tcp", server.addresses["sl651"], ADDRESS, "03E8");
    let mut again = first;
    again["sent"] = minutes_ago(0).1.into();
    assert_eq!(other.confirmed(again)["serial"], 1);
    // A keep-alive is not confirmed; added and test reports are.
    station.unconfirmed(json!({"do": "keepalive", "serial": 2, "sent": minutes_ago(0).1}));
    let added = report("33", 3, 1, json!([["39", 4, 3, 28.9], ["38", 2, 2, 12.3]]));
    assert_eq!(station.confirmed(added)["serial"], 3);
    let test = report("30", 4, 2, json!([["39", 4, 3, 1.0], ["38", 2, 2, 12.3]]));
    assert_eq!(station.confirmed(test)["serial"], 4);
    // Hourly: twelve rains, of which two are not known.
    let mut hourly = report("34", 5, 60, json!([["38", 2, 2, 12.3]]));
    let rain = json!([
        0.5, 0.0, 0.0, 0.0, 2.0, null, null, 0.0, 0.0, 0.0, 0.0, 25.4
    ]);
    hourly["hours"] = json!({"F4": rain});
    assert_eq!(station.confirmed(hourly)["serial"], 5);
    // Whatever was confirmed is on the disk.
    drop((station, other));
    server.kill();
    observed(&city, "waterLevel", 4);
    observed(&city, "precipitation5min", 10);
    let query = format!(
        "SELECT quality FROM observations WHERE entity_id = '{ENTITY}' AND attribute = 'waterLevel' AND value_number = 1.0"
    );
    assert_eq!(sql(&city, &query), "uncertain");
    // And a city that starts again goes on.
    let server = Server::start_with(&city, &SETTINGS);
    let mut station = Station::start("udp", server.addresses["sl651_udp"], ADDRESS, "03E8");
    assert_eq!(station.confirmed(timed(6, 0, 28.95))["serial"], 6);
    observed(&city, "waterLevel", 5);
    let metrics = server.get("/metrics");
    assert!(
        metrics.contains("jingling_sl651_messages_total 1"),
        "{metrics}"
    );
}

/// A metering station of a water user: the hour's amount, what is left of its quota, and the flow, in the units of its type.
#[tokio::test]
async fn a_water_meter_reports_to_its_point() {
    let city = City::start_with(&SETTINGS);
    let point = "urn:ngsi-ld:WaterConsumptionObserved:62206955";
    let kind = "WaterConsumptionObserved";
    done(&["device", "add", &city.dir, "--id", point, "--type", kind]);
    let door = city.address("sl651");
    let mut station = Station::start("tcp", door, "0062206955", "03E8");
    let elements = json!([["68", 5, 2, 31.25], ["60", 6, 3, 1250.5], ["27", 5, 3, 0.5]]);
    assert_eq!(station.confirmed(report("34", 1, 1, elements))["serial"], 1);
    city.shows(point, "meterHourly1", 31.25).await;
    city.shows(point, "meterRemaining1", 1250.5).await;
    let flow = city.shows(point, "flow", 1800.0).await;
    assert_eq!(flow["unit"], "MQH", "{flow}");
}

#[tokio::test]
async fn a_picture_comes_in_packets_and_a_lost_one_is_asked_for() {
    let city = city_with_a_station();
    for (kind, door) in [("tcp", "sl651"), ("udp", "sl651_udp")] {
        let mut station = Station::start(kind, city.address(door), ADDRESS, "03E8");
        let (observed, sent) = minutes_ago(if kind == "tcp" { 7 } else { 3 });
        let order = json!({"do": "picture", "serial": 9, "sent": sent, "observed": observed,
            "bytes": 2_000, "packet": 256, "lose": [3, 5]});
        let told = station.tell(order);
        assert_eq!(told["packets"], 8);
        assert_eq!(told["asked"], json!([3, 5]));
        let ack = &told["acks"][0];
        assert_eq!(
            (&ack["serial"], &ack["total"], &ack["index"]),
            (&json!(9), &json!(8), &json!(8))
        );
        assert_eq!(ack["end"], "1B");
    }
    seen(&city, "picture", 2).await;
    // One that is too large is confirmed, so that the station goes on, and is a dead letter by its name.
    let mut station = Station::start("tcp", city.address("sl651"), ADDRESS, "03E8");
    let (observed_at, sent) = minutes_ago(1);
    let order = json!({"do": "picture", "serial": 10, "sent": sent, "observed": observed_at,
        "bytes": 20_000, "packet": 1_000});
    assert_eq!(station.tell(order)["acks"][0]["total"], 21);
    dead_letter(&city, "sl651-message-too-large").await;
    seen(&city, "picture", 2).await;
}

#[tokio::test]
async fn what_must_not_be_believed_is_not_confirmed_and_kept() {
    let city = city_with_a_station();
    let door = city.address("sl651");
    // Nobody registered this one.
    let mut stranger = Station::start("tcp", door, "0011223344", "03E8");
    stranger.unconfirmed(timed(1, 1, 10.0));
    dead_letter(&city, "sl651-unknown-station").await;
    // This one has another password.
    let mut liar = Station::start("tcp", door, ADDRESS, "1234");
    liar.unconfirmed(timed(1, 1, 10.0));
    dead_letter(&city, "sl651-wrong-password").await;
    let mut station = Station::start("tcp", door, ADDRESS, "03E8");
    // The published frame with a wrong check value, then noise, then a good one on the same link.
    let damaged = "7E7E0100123456781234350011020004591011155145F2F251312E32333420034602";
    station.unconfirmed(json!({"do": "raw", "hex": damaged}));
    let letter = dead_letter(&city, "sl651-check-value").await;
    assert_eq!(letter["size_bytes"], damaged.len() / 2);
    station.unconfirmed(json!({"do": "raw", "hex": "474554202F20485454500D0A"}));
    dead_letter(&city, "sl651-foreign").await;
    assert_eq!(station.confirmed(timed(2, 3, 28.0))["serial"], 2);
    // A stage that jumps 10 m is doubtful, and the next one near it is believed; 300 mm in an hour are out of range.
    city.shows(ENTITY, "waterLevel", 28.0).await;
    assert_eq!(station.confirmed(timed(4, 2, 38.0))["serial"], 4);
    city.shows(ENTITY, "waterLevel", 38.0).await;
    assert_eq!(station.confirmed(timed(5, 1, 38.1))["serial"], 5);
    let flood = report("33", 6, 1, json!([["1A", 3, 1, 300.0]]));
    assert_eq!(station.confirmed(flood)["serial"], 6);
    seen(&city, "waterLevel", 3).await;
    for (stage, quality) in [(28.0, "good"), (38.0, "uncertain"), (38.1, "good")] {
        assert_eq!(quality_of(&city, stage).await, quality, "{stage}");
    }
    assert_eq!(
        city.shows(ENTITY, "precipitation1h", 300.0).await["quality"],
        "out_of_range"
    );
    // A clock two days slow: confirmed, shown, and marked as doubtful.
    let (observed_at, sent) = minutes_ago(2 * 24 * 60);
    let slow = json!({"do": "report", "function": "32", "serial": 3, "sent": sent, "observed": observed_at,
        "elements": [["39", 4, 3, 27.0]]});
    assert_eq!(station.confirmed(slow)["serial"], 3);
    seen(&city, "waterLevel", 4).await;
    assert_eq!(quality_of(&city, 27.0).await, "uncertain");
    city.goes_on().await;
}

#[test]
fn a_clock_that_is_off_is_set_where_that_is_wished_for() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    register(&city);
    let mut settings = SETTINGS.to_vec();
    settings.push("sl651.sets_clocks=true");
    let server = Server::start_with(&city, &settings);
    let mut station = Station::start("tcp", server.addresses["sl651"], ADDRESS, "03E8");
    let (observed_at, sent) = minutes_ago(20);
    let slow = json!({"do": "report", "function": "32", "serial": 3, "sent": sent, "observed": observed_at,
        "elements": [["39", 4, 3, 27.0]]});
    assert_eq!(station.confirmed(slow)["end"], "1B");
    let told = station.tell(json!({"do": "obey"}));
    assert_eq!(
        (&told["command"]["function"], &told["command"]["serial"]),
        (&json!("4A"), &json!(0))
    );
    // The station's answer is confirmed as any other message.
    assert_eq!(
        (&told["acks"][0]["function"], &told["acks"][0]["serial"]),
        (&json!("4A"), &json!(0x63))
    );
}

#[test]
fn frames_are_decoded_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("frames.txt");
    let timed = "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F01707181100201900004026190000403923000104903812109903A421";
    std::fs::write(&file, format!("# one\n{timed}\n\n7E7E05\n4745\n")).unwrap();
    let file = file.display().to_string();
    let told = jingling(&["decode", "sl651", &file]);
    assert_eq!(told.status.code(), Some(1));
    let lines: Vec<Value> = text(&told.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcomes: Vec<&str> = lines
        .iter()
        .map(|l| l["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["message", "incomplete", "foreign"]);
    assert_eq!(lines[0]["message"]["name_zh"], "定时报");
    std::fs::write(dir.path().join("good.txt"), timed).unwrap();
    let good = dir.path().join("good.txt").display().to_string();
    let one = answer(&[
        "decode",
        "sl651",
        &good,
        "--at",
        "2018-07-18T11:00:16+08:00",
    ]);
    assert_eq!(
        one["updates"][0]["attributes"][2]["value"],
        json!({"Number": 10.49})
    );
    assert_eq!(one["updates"][0]["attributes"][2]["quality"], "uncertain");
    let unknown = jingling(&["decode", "jt808", &good]);
    assert!(
        text(&unknown.stderr).contains("sl651"),
        "{}",
        text(&unknown.stderr)
    );
}
