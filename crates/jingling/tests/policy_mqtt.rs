//! Who may see what, over MQTT: a machine that subscribes to everything gets what the policies show it, and no more, and a
//! change of policy holds for the next message.

use crate::support::{City, Credentials, Mqtt, jingling, jingling_json, text, token, until};
use serde_json::json;
use std::process::{Command, Stdio};

/// Analysts see everything of lamps but their power.
const NO_POWER: &str = r#"
@id("power") @zh("功率只给城管") @en("Power is for urban management")
forbid (principal in Role::"analyst", action == Action::"entity.read", resource is Datum)
when { resource.type == "Streetlight" && resource.attribute == "power" };
"#;

/// Analysts see lamps of one town only.
const ONE_TOWN: &str = r#"
@id("town") @zh("只看本镇路灯") @en("Lamps of one town only")
forbid (principal in Role::"analyst", action == Action::"entity.read", resource is Datum)
unless { resource in Division::"429006001" };
"#;

async fn hold(city: &City, security: &str, policies: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.cedar");
    std::fs::write(&file, policies).unwrap();
    let file = file.display().to_string();
    let set = jingling(&["policy", "set", &city.dir, &file, "--reason", "试验"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    until("the policies hold", async || {
        let held = city.ask("GET", "/api/v1/policy", |r| r.bearer_auth(security));
        held.await.body.contains(
            policies
                .lines()
                .find(|line| line.starts_with("@id"))
                .and_then(|line| line.split('"').nth(1))
                .map(|id| format!("city/test#{id}"))
                .unwrap()
                .as_str(),
        )
    })
    .await;
}

async fn lamp(city: &City) -> (Credentials, Mqtt) {
    let device = city.register("Streetlight").await;
    let door = Mqtt::device(city, &device).await;
    (device, door)
}

fn power(watts: f64) -> String {
    json!({"power": {"value": watts, "unitCode": "WTT"}}).to_string()
}

fn state(word: &str) -> String {
    json!({"powerState": {"value": word}}).to_string()
}

async fn say(door: &mut Mqtt, device: &Credentials, payload: String) {
    let ack = door.publish(&device.topic, payload).await;
    assert_eq!(format!("{:?}", ack.reason), "Success");
}

async fn watch(city: &City, name: &str, token: &str) -> Mqtt {
    let mut watcher = Mqtt::connect(city, name, "token", token).await.unwrap();
    let code = watcher.subscribe("#").await;
    assert_eq!(format!("{code:?}"), "Success(AtLeastOnce)");
    watcher
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_gets_one_attribute_and_not_the_other_and_a_change_holds_at_once() {
    let city = City::start();
    let security = token(&city.dir, "security");
    let (analyst, duty) = (token(&city.dir, "analyst"), token(&city.dir, "duty"));
    let (device, mut door) = lamp(&city).await;
    let mut analyst = watch(&city, "analyst", &analyst).await;
    let mut duty = watch(&city, "duty", &duty).await;
    // Where nothing is said of it, whoever may read gets everything.
    say(&mut door, &device, power(61.5)).await;
    assert_eq!(analyst.heard().await, power(61.5));
    assert_eq!(duty.heard().await, power(61.5));

    // The subscriptions run on.
    hold(&city, &security, NO_POWER).await;
    let both = json!({
        "power": {"value": 62.5, "unitCode": "WTT"}, "powerState": {"value": "on"}
    });
    say(&mut door, &device, power(62.5)).await;
    say(&mut door, &device, both.to_string()).await;
    say(&mut door, &device, state("low")).await;
    assert_eq!(analyst.heard().await, state("low"));
    assert_eq!(duty.heard().await, power(62.5));
    assert_eq!(duty.heard().await, both.to_string());
    assert_eq!(duty.heard().await, state("low"));

    // By town: of a lamp that stands nowhere, then there, nothing; here, everything.
    hold(&city, &security, ONE_TOWN).await;
    let stands = |code: &str| json!({"townCode": {"value": code}}).to_string();
    say(&mut door, &device, state("on")).await;
    say(&mut door, &device, stands("429006100")).await;
    say(&mut door, &device, state("off")).await;
    say(&mut door, &device, stands("429006001")).await;
    let path = format!("/api/v1/entities/{}", device.id);
    until("it stands here", async || {
        let answer = city.ask("GET", &path, |r| r.bearer_auth(&city.admin)).await;
        answer.status == 200 && answer.json()["attributes"]["townCode"]["value"] == "429006001"
    })
    .await;
    say(&mut door, &device, power(63.5)).await;
    let mut heard = analyst.heard().await;
    // What says that it stands here is judged by where the city knows it to stand, before or after that.
    if heard == stands("429006001") {
        heard = analyst.heard().await;
    }
    assert_eq!(heard, power(63.5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_removed_hears_nothing_more() {
    let city = City::start();
    let made = jingling_json(&[
        "token", "create", &city.dir, "--name", "gone", "--role", "analyst", "--json",
    ]);
    let secret = made["token"].as_str().unwrap();
    let mut gone = watch(&city, "gone", secret).await;
    let mut stays = watch(&city, "stays", &token(&city.dir, "analyst")).await;
    let (device, mut door) = lamp(&city).await;
    say(&mut door, &device, power(61.5)).await;
    assert_eq!(gone.heard().await, power(61.5));
    let ran = jingling(&["token", "remove", &city.dir, "--name", "gone"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    gone.ends().await;
    let again = Mqtt::connect(&city, "gone", "token", secret).await;
    assert!(again.is_err());
    assert_eq!(stays.heard().await, power(61.5));
    say(&mut door, &device, power(62.5)).await;
    assert_eq!(stays.heard().await, power(62.5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_nobody_here_wrote_sees_the_same() {
    let has = Command::new("mosquitto_sub").arg("--help").output().is_ok();
    if !has {
        eprintln!("mosquitto_sub is not installed (Debian: mosquitto-clients): passed over");
        return;
    }
    let city = City::start();
    let security = token(&city.dir, "security");
    let analyst = token(&city.dir, "analyst");
    hold(&city, &security, NO_POWER).await;
    let (device, mut door) = lamp(&city).await;
    // What topics keep is looked into too: one that may not be seen, and one that may.
    let port = city.address("mqtt").port().to_string();
    let kept = |topic: &str, payload: &str| {
        let topic = format!("devices/{}/{topic}", device.client_id);
        let output = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-V", "5", "-q", "1", "-r"])
            .args(["-i", &device.client_id, "-u", &device.username])
            .args(["-P", &device.password, "-t", &topic, "-m", payload])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    kept("kept-power", &power(64.5));
    kept("kept-state", &state("on"));
    // The device's own connection was taken over.
    drop(door);
    door = Mqtt::device(&city, &device).await;
    let mut heard = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &port, "-V", "5", "-i", "watcher"])
        .args(["-u", "token", "-P", &analyst, "-t", "devices/#"])
        .args(["-q", "1", "-C", "2", "-F", "%r %p"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It listens once it has what was kept.
    let out = heard.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    let mut line = || lines.next().unwrap().unwrap();
    assert_eq!(line(), format!("1 {}", state("on")));
    say(&mut door, &device, power(65.5)).await;
    say(&mut door, &device, state("low")).await;
    assert_eq!(line(), format!("0 {}", state("low")));
    assert!(heard.wait().unwrap().success());
    // It was taken all the same.
    city.shows(&device.id, "power", 65.5).await;
}
