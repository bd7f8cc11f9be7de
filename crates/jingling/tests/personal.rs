//! Personal data through a whole city: no file of its folder holds it as it came, every way out masks it, a stated purpose
//! shows it to who may and writes who, what and why; keys are rotated; a person's own data and its viewers are found.

use crate::support::{Mqtt, jingling, jingling_json, shared, text, until};
use jingling::args::Init;
use jingling::folder::Folder;
use jingling::running::{Running, wall_clock};
use jingling::settings::Settings;
use jingling::{commands, personal_keys, reseal};
use lake::NoRecords;
use model::{Catalogue, Record};
use personal::mask::RETIRED;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const STATION: &str = "urn:ngsi-ld:WaterObserved:61809999";
const NAME: &str = "司徒虚构";
const PHONE: &str = "19911112222";
const OLD_PHONE: &str = "19933334444";
const MASKED: &str = "199****2222";
/// Of nobody: to see that what is looked for would be found.
const RIVER: &str = "探针河";

struct City {
    _dir: tempfile::TempDir,
    folder: Folder,
    running: Running,
    duty: String,
    collector: String,
    auditor: String,
    viewer: String,
    analyst: String,
}

struct Said {
    status: u16,
    body: String,
}

impl Said {
    #[track_caller]
    fn json(&self) -> Json {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn started(folder: &Folder) -> Running {
    let set = [
        "http.listen=127.0.0.1:0",
        "mqtt.listen=",
        "mqtt.tls_listen=",
        "postgres.listen=127.0.0.1:0",
    ];
    let set = set.map(str::to_owned);
    let settings = Settings::load(folder.path(), &set).unwrap();
    Running::start(folder.clone(), &settings).await.unwrap()
}

async fn city() -> City {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("city");
    let init = Init {
        dir: path.clone(),
        city: "tianmen".into(),
        demo: false,
        json: false,
    };
    commands::init(&init).await.unwrap();
    let folder = Folder::new(&path);
    let running = started(&folder).await;
    let (actor, now) = (records::Actor::command_line(), wall_clock());
    let token = async |role: identity::Role| {
        let identity = &running.app.identity;
        let made = identity.create_token(role.as_str(), role, None, &actor, now);
        made.await.unwrap().text
    };
    City {
        duty: token(identity::Role::Duty).await,
        collector: token(identity::Role::Collector).await,
        auditor: token(identity::Role::Auditor).await,
        viewer: token(identity::Role::Viewer).await,
        analyst: token(identity::Role::Analyst).await,
        _dir: dir,
        folder,
        running,
    }
}

impl City {
    async fn ask(&self, token: &str, method: &str, path: &str, body: Option<&Json>) -> Said {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{path}", self.running.addresses["http"]);
        // Nobody has every part: what is sent in, and the audit trail, have a role of their own.
        let token = match path {
            p if p.starts_with("/ngsi-ld/v1/entityOperations") => &self.collector,
            p if p.starts_with("/api/v1/audit") => &self.auditor,
            _ => token,
        };
        let mut request = client
            .request(method.parse().unwrap(), url)
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        Said {
            status: response.status().as_u16(),
            body: response.text().await.unwrap(),
        }
    }

    async fn get(&self, token: &str, path: &str) -> Said {
        self.ask(token, "GET", path, None).await
    }

    async fn sql(&self, token: &str, body: Json) -> Said {
        self.ask(token, "POST", "/api/v1/sql", Some(&body)).await
    }

    /// The officer of the station is this person from this second of the hour on.
    async fn say(&self, id: &str, name: &str, phone: &str, observed_at: &str) {
        let at =
            |value: &str| json!({"type": "Property", "value": value, "observedAt": observed_at});
        let body = json!([{
            "id": id, "type": "WaterObserved",
            "name": {"type": "Property", "value": "演练水文站"},
            "riverName": {"type": "Property", "value": RIVER},
            "officerName": at(name),
            "officerPhone": at(phone),
        }]);
        let path = "/ngsi-ld/v1/entityOperations/upsert";
        let said = self.ask(&self.duty, "POST", path, Some(&body)).await;
        assert!((200..300).contains(&said.status), "{}", said.body);
        let app = &self.running.app;
        let written = *app.ingest.journal().durable().borrow();
        until("the message is shown", async || {
            app.twin.position() >= written
        })
        .await;
    }

    async fn acts(&self, action: &str) -> Vec<Json> {
        let path = format!("/api/v1/audit?action={action}");
        let found = self.get(&self.duty, &path).await.json();
        found["items"].as_array().unwrap().clone()
    }

    /// The position of the newest message that was understood of the station.
    async fn position(&self) -> u64 {
        let path = format!("/api/v1/entities/{STATION}");
        let entity = self.get(&self.duty, &path).await.json();
        entity["attributes"]["officerPhone"]["position"]
            .as_u64()
            .unwrap()
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// Every file below a folder that holds one of these texts.
fn files_with(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
        } else if let Ok(bytes) = std::fs::read(&path)
            && texts.iter().any(|text| holds(&bytes, text))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// No page of a file of history, unpacked, holds it either: every stored value of a personal attribute is sealed.
async fn history_is_sealed(lake: &lake::Lake) {
    let sql = "SELECT attribute, value_text, value_json FROM observations";
    let limits = lake::Limits::default();
    let none = Catalogue::default();
    let answer = lake.query(sql, &limits, Arc::new(NoRecords), &none);
    let rows = answer.await.unwrap().rows;
    let mut sealed = 0;
    for row in rows {
        let row_text = json!(row).to_string();
        assert!(
            !row_text.contains(PHONE) && !row_text.contains(NAME),
            "{row_text}"
        );
        if row[0].as_str().unwrap().starts_with("officer") {
            assert!(
                row[1].as_str().unwrap().starts_with("sealed:1:"),
                "{row_text}"
            );
            sealed += 1;
        }
    }
    // Two messages of two values each; what was corrected took the place of what was wrong.
    assert_eq!(sealed, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_folder_holds_a_person_as_they_came() {
    let city = city().await;
    city.say(STATION, "某人甲", OLD_PHONE, "2026-11-01T00:00:00Z")
        .await;
    city.running.app.lake.seal().unwrap();
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    // Not understood, of a wrong type, and one that a person corrects.
    let duty = &city.duty;
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let wrong = json!([{"id": STATION, "type": "WaterObserved",
        "officerPhone": {"type": "Property", "value": PHONE.parse::<u64>().unwrap()}}]);
    let said = city.ask(duty, "POST", path, Some(&wrong)).await;
    assert!(
        said.body.contains("wrong-type") && !said.body.contains(PHONE),
        "{}",
        said.body
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}{path}", city.running.addresses["http"]);
    let cut = format!("[{{\"id\":\"{STATION}\",\"officerPhone\":{{\"value\":\"{PHONE}\"");
    let request = client.post(url).bearer_auth(&city.collector).body(cut);
    let broken = request.header("content-type", "application/json");
    assert_eq!(broken.send().await.unwrap().status().as_u16(), 400);
    let correction = json!({"entity_id": STATION, "attribute": "officerPhone",
        "observed_at": "2026-11-01T00:00:00Z", "value": PHONE, "reason": "号码写错"});
    let said = city
        .ask(duty, "POST", "/api/v1/corrections", Some(&correction))
        .await
        .json();
    assert_eq!(
        (&said["old_value"], &said["new_value"]),
        (&json!("199****4444"), &json!(MASKED))
    );
    let mut listed = String::new();
    until("the correction is listed", async || {
        listed = city.get(duty, "/api/v1/corrections").await.body;
        listed.contains(STATION)
    })
    .await;
    assert!(listed.contains(MASKED) && !listed.contains(PHONE) && !listed.contains("sealed:"));

    let app = city.running.app.clone();
    app.lake.seal().unwrap();
    let folder = city.folder.clone();
    let checkpoint = folder.twin_checkpoint();
    tokio::task::spawn_blocking(move || {
        app.twin.checkpoint(&checkpoint).unwrap();
        // What was corrected is taken out, and files are put together.
        app.lake.upkeep(wall_clock()).unwrap();
    })
    .await
    .unwrap();
    history_is_sealed(&city.running.app.lake).await;
    city.running.stop().await.unwrap();

    let people = [NAME, PHONE, OLD_PHONE, "某人甲"];
    assert_eq!(files_with(folder.path(), &people), [""; 0]);
    assert!(
        !files_with(folder.path(), &[RIVER]).is_empty(),
        "the look is worth nothing"
    );
    // The journal packs nothing, but nobody should have to know.
    let mut reader = journal::open_read_only(folder.journal()).unwrap();
    let mut letters = 0;
    for (_, bytes) in reader.next_batch(100_000).unwrap() {
        let told = format!("{:?}", Record::decode(&bytes).unwrap());
        assert!(
            people
                .iter()
                .all(|text| !holds(&bytes, text) && !told.contains(text))
        );
        letters += usize::from(told.starts_with("Rejected"));
    }
    assert_eq!(letters, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_out_masks_without_a_purpose() {
    let city = city().await;
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    let position = city.position().await;
    let history = format!("/api/v1/entities/{STATION}/history?attribute=officerPhone");
    let mut masked = Vec::new();
    for path in [
        format!("/api/v1/entities/{STATION}"),
        "/api/v1/entities?type=WaterObserved".to_owned(),
        format!("/ngsi-ld/v1/entities/{STATION}"),
        "/ngsi-ld/v1/entities?type=WaterObserved&options=keyValues".to_owned(),
        history,
        format!("/api/v1/provenance/{position}"),
    ] {
        let said = city.get(&city.viewer, &path).await;
        assert_eq!(said.status, 200, "{path}: {}", said.body);
        masked.push((path, said.body));
    }
    let withheld: Json = serde_json::from_str(&masked[5].1).unwrap();
    assert_eq!(
        (&withheld["withheld"], &withheld["raw_base64"]),
        (&json!(true), &json!(""))
    );
    let tables = [
        "SELECT entity_id, value_text, value_json FROM observations WHERE attribute = 'officerPhone'",
        "SELECT substr(value_text, 1, 3) || substr(value_text, 4), length(value_text) FROM observations WHERE attribute = 'officerPhone'",
        "SELECT value_text FROM observations WHERE attribute = 'officerPhone' AND value_text = '199****2222'",
        "SELECT value_text FROM entities_now WHERE attribute = 'officerPhone'",
        "SELECT \"officerPhone\", \"officerName\", \"riverName\" FROM \"WaterObserved\" WHERE \"officerPhone\" IS NOT NULL",
        "SELECT max(value_text), count(*) FROM observations GROUP BY attribute",
    ];
    for sql in tables {
        for format in ["json", "csv", "arrow"] {
            let body = json!({"query": sql, "format": format});
            let said = city.sql(&city.analyst, body).await;
            assert_eq!(said.status, 200, "{sql} {format}: {}", said.body);
            masked.push((format!("{sql} {format}"), said.body));
        }
    }
    // What is shown cannot be guessed by comparing, and the function that opens has no name.
    let guess = format!("SELECT count(*) AS n FROM observations WHERE value_text = '{PHONE}'");
    let guessed = city
        .sql(&city.analyst, json!({"query": guess}))
        .await
        .json();
    assert_eq!(guessed["rows"][0]["n"], 0);
    for name in ["jingling_shown", "jingling_shown_json"] {
        let sql = format!("SELECT {name}('a', 'b', 'c', value_text) FROM observations");
        let said = city.sql(&city.analyst, json!({"query": sql})).await;
        assert_eq!(said.status, 400, "{}", said.body);
        assert!(said.body.contains("sql-function-unknown"), "{}", said.body);
    }
    let wide = "SELECT \"officerPhone\" FROM \"WaterObserved\"";
    let phones = "SELECT value_text FROM observations WHERE attribute = 'officerPhone'";
    let said = psql(&city, &city.analyst, "", &[phones, wide]).await;
    masked.extend(said.map(|said| ("psql".to_owned(), said)));
    let dir = city.folder.path().display().to_string();
    assert!(
        city.acts("personal.view").await.is_empty(),
        "nobody saw anybody"
    );
    city.running.stop().await.unwrap();
    for sql in [tables[0], tables[3], tables[4]] {
        let said = jingling(&["query", &dir, sql, "--csv"]);
        masked.push((format!("jingling query {sql}"), text(&said.stdout)));
    }
    for (way, body) in masked {
        assert!(
            !body.contains(PHONE) && !body.contains(NAME),
            "{way}: {body}"
        );
        assert!(!body.contains("sealed:1:"), "{way}: {body}");
        assert!(body.contains(MASKED), "{way}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_shows_it_to_who_may_and_the_trail_has_who_what_and_why() {
    let city = city().await;
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    let position = city.position().await;
    let entity = format!("/api/v1/entities/{STATION}");
    // Who may not, and a purpose that is none.
    let refused = city
        .get(&city.viewer, &format!("{entity}?purpose=emergency"))
        .await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("personal.reveal") && !refused.body.contains(PHONE));
    let unknown = city
        .get(&city.duty, &format!("{entity}?purpose=curiosity"))
        .await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.body.contains("case-handling"), "{}", unknown.body);
    let sql = "SELECT value_text FROM observations WHERE attribute = 'officerPhone'";
    let refused = city
        .sql(&city.analyst, json!({"query": sql, "purpose": "emergency"}))
        .await;
    assert_eq!(refused.status, 403);
    assert!(city.acts("personal.view").await.is_empty());

    let mut ways = Vec::new();
    for (way, path) in [
        ("entity", entity.clone()),
        ("entities", "/api/v1/entities?type=WaterObserved".to_owned()),
        ("ngsi-ld", format!("/ngsi-ld/v1/entities/{STATION}")),
        (
            "history",
            format!("{entity}/history?attribute=officerPhone"),
        ),
        ("provenance", format!("/api/v1/provenance/{position}")),
    ] {
        let and = if path.contains('?') { '&' } else { '?' };
        let said = city
            .get(&city.duty, &format!("{path}{and}purpose=emergency"))
            .await;
        assert!(
            said.status == 200 && said.body.contains(PHONE),
            "{way}: {}",
            said.body
        );
        ways.push(way);
    }
    for format in ["json", "csv", "xlsx"] {
        let body = json!({"query": sql, "purpose": "case-handling", "format": format});
        let said = city.sql(&city.duty, body).await;
        assert_eq!(said.status, 200, "{}", said.body);
        assert!(
            format == "xlsx" || said.body.contains(PHONE),
            "{}",
            said.body
        );
        ways.push("sql");
    }
    // A value in an error is a value that was seen.
    let cast =
        "SELECT CAST(value_text AS INTERVAL) FROM observations WHERE attribute = 'officerName'";
    let body = json!({"query": cast, "purpose": "case-handling"});
    assert_eq!(city.sql(&city.duty, body).await.status, 400);
    ways.push("sql");

    let mut acts = city.acts("personal.view").await;
    acts.reverse();
    let told: Vec<&str> = acts
        .iter()
        .map(|a| a["detail"]["way"].as_str().unwrap())
        .collect();
    assert_eq!(told, ways);
    let first = &acts[0];
    assert_eq!(
        (&first["actor_kind"], &first["actor"]),
        (&json!("token"), &json!("duty"))
    );
    let seen = json!({STATION: ["officerName", "officerPhone"]});
    assert_eq!(
        first["detail"],
        json!({"purpose": "emergency", "way": "entity", "entities": seen, "values": 2})
    );
    assert!(acts.iter().all(|act| !act.to_string().contains(PHONE)));

    // More people than one answer may show.
    for n in 0..201 {
        let id = format!("urn:ngsi-ld:WaterObserved:many-{n}");
        city.say(&id, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    }
    let all = "/api/v1/entities?type=WaterObserved&limit=1000";
    let too_many = city
        .get(&city.duty, &format!("{all}&purpose=emergency"))
        .await;
    assert_eq!(too_many.status, 400);
    assert!(too_many.body.contains("personal-too-many") && !too_many.body.contains(PHONE));
    assert_eq!(city.get(&city.duty, all).await.status, 200, "masked");
    assert_eq!(city.acts("personal.view").await.len(), ways.len().min(50));
    city.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_own_data_and_who_saw_it_are_found_by_the_identifier() {
    let city = city().await;
    let other = "urn:ngsi-ld:WaterObserved:61808888";
    // The station had another officer before, and after.
    city.say(STATION, "某人甲", OLD_PHONE, "2026-11-01T00:00:00Z")
        .await;
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    city.say(other, NAME, PHONE, "2026-11-03T00:00:00Z").await;
    city.say(STATION, "某人甲", OLD_PHONE, "2026-11-04T00:00:00Z")
        .await;
    let path = format!("/api/v1/entities/{other}?purpose=emergency");
    assert_eq!(city.get(&city.duty, &path).await.status, 200);

    let ask = json!({"subject": format!(" {PHONE} "), "purpose": "own-request"});
    let (subject, viewers) = ("/api/v1/personal/subject", "/api/v1/personal/viewers");
    for token in [&city.viewer, &city.analyst] {
        assert_eq!(
            city.ask(token, "POST", subject, Some(&ask)).await.status,
            403
        );
        assert_eq!(
            city.ask(token, "POST", viewers, Some(&ask)).await.status,
            403
        );
    }
    let data = city
        .ask(&city.duty, "POST", subject, Some(&ask))
        .await
        .json();
    let entities = data["entities"].as_array().unwrap();
    let ids: Vec<&str> = entities.iter().map(|e| e["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [other, STATION]);
    assert_eq!(
        (&entities[0]["is_current"], &entities[1]["is_current"]),
        (&json!(true), &json!(false))
    );
    let told = data.to_string();
    assert!(told.contains(NAME) && told.contains(PHONE));
    assert!(
        !told.contains(OLD_PHONE) && !told.contains("某人甲"),
        "somebody else's: {told}"
    );
    assert_eq!(entities[1]["values"].as_array().unwrap().len(), 2);
    let nobody = json!({"subject": "19900009999", "purpose": "own-request"});
    let none = city
        .ask(&city.duty, "POST", subject, Some(&nobody))
        .await
        .json();
    assert_eq!(none["entities"], json!([]));
    for (body, code) in [
        (json!({"subject": " ", "purpose": "own-request"}), "subject"),
        (
            json!({"subject": PHONE, "purpose": "curiosity"}),
            "purpose-unknown",
        ),
    ] {
        let said = city.ask(&city.duty, "POST", subject, Some(&body)).await;
        assert_eq!(said.status, 400, "{}", said.body);
        assert!(said.body.contains(code), "{}", said.body);
    }
    let whose = json!({ "subject": PHONE });
    let seen = city
        .ask(&city.duty, "POST", viewers, Some(&whose))
        .await
        .json();
    let seen = seen["items"].as_array().unwrap();
    let told: Vec<(&str, &str)> = seen
        .iter()
        .map(|v| {
            (
                v["action"].as_str().unwrap(),
                v["purpose"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("personal.export", "own-request"),
            ("personal.view", "emergency")
        ]
    );
    assert_eq!(
        seen[1]["entities"],
        json!({other: ["officerName", "officerPhone"]})
    );
    assert_eq!(city.acts("personal.viewers").await.len(), 1);
    let trail = city.get(&city.duty, "/api/v1/audit?limit=500").await.body;
    assert!(!trail.contains(PHONE) && !trail.contains(NAME));

    // The same on the command line.
    let dir = city.folder.path().display().to_string();
    city.running.stop().await.unwrap();
    let file = format!("{dir}-person.json");
    let done = jingling(&["personal", "export", &dir, PHONE, "--output", &file]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let written: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written["entities"], data["entities"]);
    let found = jingling_json(&["personal", "viewers", &dir, PHONE]);
    assert_eq!(found["items"].as_array().unwrap().len(), 3);
    assert_eq!(found["items"][0]["actor_kind"], "cli");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_beside_a_running_city_and_lost_ones_are_told() {
    let city = city().await;
    city.say(STATION, "某人甲", OLD_PHONE, "2026-11-01T00:00:00Z")
        .await;
    let dir = city.folder.path().display().to_string();
    let before = jingling_json(&["keys", "list", &dir, "--json"]);
    assert_eq!(before.as_array().unwrap().len(), 1);
    assert_eq!(before[0]["cipher"], "sm4-gcm");
    let after = jingling_json(&["keys", "rotate", &dir, "--cipher", "aes-256-gcm", "--json"]);
    assert_eq!(
        (&after[0]["cipher"], &after[1]["id"]),
        (&json!("aes-256-gcm"), &before[0]["id"])
    );
    assert!(after[1]["followed_at"].is_string());
    let id = after[0]["id"].as_str().unwrap().to_owned();
    let sealer = city.running.app.personal.sealer.clone().unwrap();
    until("the city has the new key", async || {
        sealer.keys().active().id == id
    })
    .await;
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    let path = format!("/api/v1/entities/{STATION}/history?attribute=officerPhone");
    let points = city.get(&city.viewer, &path).await.json();
    let values: Vec<&str> = points["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["199****4444", MASKED], "both keys open");
    let acts = city.acts("personal.key").await;
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[0]["target"], format!("personal-key:{id}"));
    assert_eq!(acts[0]["detail"]["previous"], before[0]["id"]);

    // Without keys the city runs, shows nothing of a person, and takes nothing of one.
    let folder = city.folder;
    city.running.stop().await.unwrap();
    std::fs::remove_file(folder.personal_keys()).unwrap();
    let city = City {
        running: started(&folder).await,
        _dir: city._dir,
        folder,
        duty: city.duty,
        collector: city.collector,
        auditor: city.auditor,
        viewer: city.viewer,
        analyst: city.analyst,
    };
    let shown = city.get(&city.viewer, &path).await.json();
    assert_eq!(shown["points"][0]["value"], "***");
    let notices = city.get(&city.viewer, "/api/v1/notices").await.body;
    assert!(notices.contains("personal-keys-missing"), "{notices}");
    let body = json!([{"id": STATION, "type": "WaterObserved",
        "officerPhone": {"type": "Property", "value": PHONE}}]);
    let upsert = "/ngsi-ld/v1/entityOperations/upsert";
    let refused = city.ask(&city.duty, "POST", upsert, Some(&body)).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    city.running.stop().await.unwrap();
    assert!(
        personal_keys::read(&city.folder).unwrap().is_none(),
        "no new ones in their place"
    );
    let lost = jingling(&["keys", "rotate", &dir]);
    assert!(!lost.status.success() && text(&lost.stderr).contains("--forget-old"));
    assert!(
        jingling(&["keys", "rotate", &dir, "--forget-old"])
            .status
            .success()
    );
}

#[tokio::test]
async fn subscribers_do_not_hear_what_speaks_of_a_person() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let mut listener = Mqtt::connect(&city, "listener", "token", &city.admin)
        .await
        .unwrap();
    listener.subscribe("devices/#").await;
    let mut sender = Mqtt::device(&city, &device).await;
    let said = json!({"officerPhone": {"type": "Property", "value": PHONE}}).to_string();
    let ack = sender.publish(&device.topic, said).await;
    assert_eq!(format!("{:?}", ack.reason), "Success");
    let level = json!({"waterLevel": {"value": 27.5, "unitCode": "MTR"}}).to_string();
    sender.publish(&device.topic, level).await;
    // Messages come in the order in which they were sent: the first that is heard is the second that was said.
    let heard = listener.heard().await;
    assert!(
        heard.contains("waterLevel") && !heard.contains(PHONE),
        "{heard}"
    );
    // Subscribers hear what is on the disk; the entity may come a moment later.
    let path = format!("/api/v1/entities/{}", device.id);
    until("the entity", async || {
        let answer = city.ask("GET", &path, |r| r.bearer_auth(&city.admin)).await;
        answer.status == 200
    })
    .await;
    let entity = city.get(&path).await;
    assert_eq!(entity["attributes"]["officerPhone"]["value"], MASKED);
    assert_eq!(entity["attributes"]["officerPhone"]["masked"], true);
    let kind = &entity["kind"]["attributes"]["officerPhone"];
    assert_eq!(kind["personal"], "personal");
    let figures = city.ask("GET", "/metrics", |r| r).await.body;
    assert!(figures.contains("withheld"), "{figures}");
}

/// What psql says to these statements, each sent on its own; `None` where there is no psql.
async fn psql(city: &City, token: &str, options: &str, statements: &[&str]) -> Option<String> {
    let port = city.running.addresses["postgres"].port();
    let place = format!("host=127.0.0.1 port={port} user=token dbname=city sslmode=disable");
    let mut psql = Command::new("psql");
    psql.args([&place, "-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose"])
        .env("PGPASSWORD", token)
        .env("PGOPTIONS", options);
    for statement in statements {
        psql.args(["-c", statement]);
    }
    let said = tokio::task::spawn_blocking(move || psql.output()).await;
    match said.unwrap() {
        Ok(said) => Some(text(&[said.stdout, said.stderr].concat())),
        Err(_) => {
            eprintln!("psql is not installed (Debian: postgresql-client): passed over");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_is_stated_over_postgresql_and_on_the_command_line_too() {
    let city = city().await;
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    let phones = "SELECT value_text FROM observations WHERE attribute = 'officerPhone'";
    let wide = "SELECT \"officerPhone\" FROM \"WaterObserved\" WHERE \"officerPhone\" IS NOT NULL";
    let set = "SET jingling.purpose = 'emergency'";
    let show = "SHOW jingling.purpose";
    let statements = [
        show,
        phones,
        set,
        show,
        phones,
        "RESET jingling.purpose",
        wide,
    ];
    let mut told: Vec<&str> = Vec::new();
    if let Some(said) = psql(&city, &city.duty, "", &statements).await {
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines, ["", MASKED, "emergency", PHONE, MASKED]);
        told.push("emergency");
        let options = "-c jingling.purpose=case-handling";
        let said = psql(
            &city,
            &city.duty,
            options,
            &[wide, "SELECT count(*) FROM cases"],
        )
        .await;
        assert_eq!(said.unwrap(), format!("{PHONE}\n0\n"));
        // The statement that showed nobody is no act.
        told.push("case-handling");
        let unknown = "SET jingling.purpose = 'curiosity'";
        let said = psql(&city, &city.duty, "", &[unknown, phones])
            .await
            .unwrap();
        assert!(
            said.contains("22023") && said.contains("case-handling"),
            "{said}"
        );
        assert!(said.contains(MASKED) && !said.contains(PHONE), "{said}");
        let said = psql(&city, &city.analyst, "", &[set, phones])
            .await
            .unwrap();
        assert!(
            said.contains("42501") && said.contains("personal.reveal"),
            "{said}"
        );
        assert!(said.contains(MASKED) && !said.contains(PHONE), "{said}");
    }
    let acts = city.acts("personal.view").await;
    let seen: Vec<&str> = (acts.iter().rev())
        .map(|act| act["detail"]["purpose"].as_str().unwrap())
        .collect();
    assert_eq!(seen, told);
    for act in &acts {
        assert_eq!(act["actor"], "duty");
        assert_eq!(act["detail"]["way"], "postgres");
        assert_eq!(
            act["detail"]["entities"],
            json!({STATION: ["officerPhone"]})
        );
    }

    let dir = city.folder.path().display().to_string();
    for format in ["table", "json", "csv", "arrow"] {
        let masked = jingling(&["query", &dir, phones, "--format", format]);
        assert!(masked.status.success() && !holds(&masked.stdout, PHONE));
        let query = [
            "query",
            &dir,
            phones,
            "--format",
            format,
            "--purpose",
            "emergency",
        ];
        let whole = jingling(&query);
        assert!(
            holds(&whole.stdout, PHONE),
            "{format}: {}",
            text(&whole.stderr)
        );
    }
    let unknown = jingling(&["query", &dir, phones, "--purpose", "curiosity"]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
    assert!(text(&unknown.stderr).contains("case-handling"));
    let acts = city.acts("personal.view").await;
    assert_eq!(acts.len(), told.len() + 4);
    assert_eq!(acts[0]["actor_kind"], "cli");
    assert_eq!(acts[0]["detail"]["way"], "command-line");
    city.running.stop().await.unwrap();
}

/// History's values by the key that they are under.
fn under_keys(folder: &Folder) -> Vec<(String, u64)> {
    let found = lake::under_keys(&folder.lake(), "sealed:1:", personal::key_of).unwrap();
    found
        .into_iter()
        .map(|(key, under)| (key, under.values))
        .collect()
}

impl City {
    /// The same city, stopped and started again, with what `between` does to its folder.
    async fn again(self, between: impl AsyncFnOnce(&Folder)) -> Self {
        let Self {
            running, folder, ..
        } = self;
        running.stop().await.unwrap();
        between(&folder).await;
        Self {
            running: started(&folder).await,
            folder,
            ..self
        }
    }

    /// Seals what history has in memory into files.
    async fn files_are_sealed(&self) {
        let app = &self.running.app;
        let written = *app.ingest.journal().durable().borrow();
        until("history has it", async || {
            app.lake.stats().position_next >= written
        })
        .await;
        app.lake.seal().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_values_are_sealed_anew_and_a_key_goes_when_it_is_let_go() {
    let city = city().await;
    let history = format!("/api/v1/entities/{STATION}/history?attribute=officerPhone");
    city.say(STATION, "某人甲", OLD_PHONE, "2026-11-01T00:00:00Z")
        .await;
    let position = city.position().await;
    city.files_are_sealed().await;
    let dir = city.folder.path().display().to_string();
    let sealer = city.running.app.personal.sealer.clone().unwrap();
    let first = sealer.keys().active().id.clone();
    assert_eq!(under_keys(&city.folder), [(first.clone(), 2)]);

    let keys = jingling_json(&["keys", "rotate", &dir, "--json"]);
    let second = keys[0]["id"].as_str().unwrap().to_owned();
    until("the city has the new key", async || {
        sealer.keys().active().id == second
    })
    .await;
    while city
        .running
        .app
        .lake
        .upkeep(wall_clock())
        .unwrap()
        .is_some()
    {}
    let round = reseal::round(&city.running.app, &city.folder, &sealer).await;
    round.unwrap();
    assert_eq!(under_keys(&city.folder), [(second.clone(), 2)]);
    let keys = jingling_json(&["keys", "list", &dir, "--json"]);
    let needed = &keys[1]["needed"];
    assert_eq!(keys[1]["id"], first);
    assert_eq!(
        (
            &needed["history_values"],
            &needed["twin_values"],
            &needed["journal_records"]
        ),
        (&json!(0), &json!(0), &json!(1)),
        "{keys}"
    );
    assert!(needed["journal_last"].is_string());
    assert_eq!(keys[0]["needed"]["twin_values"], 2);
    // One that seals, and one that sealed a moment ago.
    let refused = |arguments: &[&str], word: &str| {
        let said = jingling(&[&["keys", "retire", dir.as_str()][..], arguments].concat());
        let told = text(&said.stderr);
        assert!(!said.status.success() && told.contains(word), "{told}");
    };
    refused(&[&second], "is the one that seals");
    refused(&[&first], "a moment ago");

    let city = city
        .again(async |_| {
            refused(&[&first], "journal: 1 records");
            refused(&[&first, "--even-if-needed"], "--confirm");
            refused(
                &[&first, "--even-if-needed", "--confirm", &second],
                "nothing was changed",
            );
            let force = ["--even-if-needed", "--confirm", first.as_str(), "--json"];
            let keys = jingling_json(
                &[
                    &["keys", "retire", dir.as_str(), first.as_str()][..],
                    &force[..],
                ]
                .concat(),
            );
            assert_eq!(keys[1]["id"], first);
            assert!(keys[1]["retired_at"].is_string());
        })
        .await;
    // What was sealed anew is read as ever, only the message itself is gone.
    let path = format!("{history}&purpose=emergency");
    let whole = city.get(&city.duty, &path).await.json();
    assert_eq!(whole["points"][0]["value"], OLD_PHONE);
    let entity = format!("/api/v1/entities/{STATION}?purpose=emergency");
    let whole = city.get(&city.duty, &entity).await.json();
    assert_eq!(whole["attributes"]["officerPhone"]["value"], OLD_PHONE);
    let message = format!("/api/v1/provenance/{position}?purpose=emergency");
    let message = city.get(&city.duty, &message).await.json();
    assert_eq!(message["withheld"], true, "{message}");
    let acts = city.acts("key.retire").await;
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0]["target"], format!("personal-key:{first}"));
    assert_eq!(acts[0]["detail"]["even_if_needed"], true);
    assert_eq!(acts[0]["detail"]["needed"]["journal_records"], 1);

    // A key that goes with all that is under it: nothing fails, and nothing is told.
    city.say(STATION, NAME, PHONE, "2026-11-02T00:00:00Z").await;
    let city = city
        .again(async |_| {
            jingling_json(&["keys", "rotate", &dir, "--json"]);
            let force = ["--even-if-needed", "--confirm", second.as_str(), "--json"];
            jingling_json(
                &[
                    &["keys", "retire", dir.as_str(), second.as_str()][..],
                    &force[..],
                ]
                .concat(),
            );
        })
        .await;
    for path in [history.clone(), format!("{history}&purpose=emergency")] {
        let points = city.get(&city.duty, &path).await.json();
        let points = points["points"].as_array().unwrap().clone();
        assert_eq!(points.len(), 2);
        assert!(points.iter().all(|p| p["value"] == RETIRED), "{points:?}");
    }
    let shown = city.get(&city.duty, &entity).await.json();
    assert_eq!(shown["attributes"]["officerPhone"]["value"], RETIRED);
    let sql = "SELECT DISTINCT value_text FROM observations WHERE attribute = 'officerPhone'";
    let said = city.sql(&city.duty, json!({"query": sql, "purpose": "emergency"}));
    assert_eq!(said.await.json()["rows"], json!([{"value_text": RETIRED}]));
    let ask = json!({"subject": PHONE, "purpose": "own-request"});
    let subject = city.ask(&city.duty, "POST", "/api/v1/personal/subject", Some(&ask));
    assert_eq!(subject.await.json()["entities"], json!([]));
    // And life goes on.
    city.say(STATION, NAME, PHONE, "2026-11-03T00:00:00Z").await;
    let whole = city.get(&city.duty, &entity).await.json();
    assert_eq!(whole["attributes"]["officerPhone"]["value"], PHONE);
    city.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_persons_in_cases_are_masked_in_lists_and_exports() {
    let city = city().await;
    let draft = json!({
        "title": format!("井盖破损，报告人{PHONE}"),
        "description": "身份证11010519491231002X",
    });
    let made = city
        .ask(&city.duty, "POST", "/api/v1/cases", Some(&draft))
        .await;
    assert!((200..300).contains(&made.status), "{}", made.body);
    let made: Json = serde_json::from_str(&made.body).unwrap();
    let id = made["id"].as_i64().unwrap();
    let list = "/api/v1/cases";
    let masked = city.get(&city.viewer, list).await.json();
    assert_eq!(
        masked["items"][0]["title"],
        format!("井盖破损，报告人{MASKED}")
    );
    assert_eq!(
        masked["items"][0]["description"],
        "身份证110105********002X"
    );
    let stated = format!("{list}?purpose=case-handling");
    assert_eq!(city.get(&city.viewer, &stated).await.status, 403);
    assert!(city.acts("personal.view").await.is_empty());
    let whole = city.get(&city.duty, &stated).await.json();
    assert_eq!(whole["items"][0]["title"], draft["title"]);
    let acts = city.acts("personal.view").await;
    let seen = json!({format!("case:{id}"): ["description", "title"]});
    assert_eq!(acts[0]["detail"]["entities"], seen);
    // Whoever handles it has to call.
    let one = city.get(&city.duty, &format!("{list}/{id}")).await;
    assert!(one.body.contains(PHONE), "{}", one.body);
    let sql = "SELECT title, description FROM cases";
    for format in ["json", "csv"] {
        for purpose in [Json::Null, json!("emergency")] {
            let body = json!({"query": sql, "format": format, "purpose": purpose});
            let said = city.sql(&city.duty, body).await;
            assert_eq!(said.status, 200, "{}", said.body);
            assert!(
                said.body.contains(MASKED) && !said.body.contains(PHONE),
                "{}",
                said.body
            );
            assert!(!said.body.contains("11010519491231002X"), "{}", said.body);
        }
    }
    city.running.stop().await.unwrap();
}
