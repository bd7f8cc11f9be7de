//! Open311 both ways over running programs: a case is sent to another city once, however the answer is lost; what becomes of it there is
//! written into its history, closes nothing here, and does not come back as a case of its own; and a request with photos and
//! attributes is taken from a client that nobody here wrote.

use crate::support::{City, new_city, text, token, until};
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use testkit::foreign::{Python, passed_over};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const INSIDE: &str = "open311.networks=[\"127.0.0.0/8\"]";

/// What becomes of the POSTs that pass through.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Line {
    /// They pass, and their answers.
    Good,
    /// They arrive, and their answers are lost.
    AnswerLost,
    /// They are lost.
    RequestLost,
}

/// A line between two cities that can be cut.
struct Between {
    address: SocketAddr,
    line: Arc<AtomicU8>,
    posts: Arc<AtomicUsize>,
}

impl Between {
    async fn to(city: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let between = Self {
            address: listener.local_addr().unwrap(),
            line: Arc::new(AtomicU8::new(Line::Good as u8)),
            posts: Arc::default(),
        };
        let (line, posts) = (Arc::clone(&between.line), Arc::clone(&between.posts));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (line, posts) = (Arc::clone(&line), Arc::clone(&posts));
                tokio::spawn(async move { pass(near, city, &line, &posts).await });
            }
        });
        between
    }

    fn set(&self, line: Line) {
        self.line.store(line as u8, Ordering::SeqCst);
    }
}

async fn pass(
    mut near: TcpStream,
    city: SocketAddr,
    line: &AtomicU8,
    posts: &AtomicUsize,
) -> std::io::Result<()> {
    let mut first = [0; 4];
    near.read_exact(&mut first).await?;
    let is_post = &first == b"POST";
    if is_post {
        posts.fetch_add(1, Ordering::SeqCst);
    }
    let line = line.load(Ordering::SeqCst);
    if is_post && line == Line::RequestLost as u8 {
        return Ok(());
    }
    let mut far = TcpStream::connect(city).await?;
    far.write_all(&first).await?;
    if is_post && line == Line::AnswerLost as u8 {
        let (mut near_read, _near_write) = near.split();
        let (mut far_read, mut far_write) = far.split();
        let there = async {
            // Until the city has answered in full and hung up.
            let mut answer = Vec::new();
            far_read.read_to_end(&mut answer).await
        };
        tokio::select! {
            read = there => { read?; }
            _ = tokio::io::copy(&mut near_read, &mut far_write) => {}
        }
        return Ok(());
    }
    tokio::io::copy_bidirectional(&mut near, &mut far).await?;
    Ok(())
}

/// The city that cases are sent to, and a key to report there.
fn other_city() -> (City, String) {
    let city = City::start_with(&["open311.jurisdiction_id=\"qianjiang\""]);
    let key = token(&city.dir, "channel");
    (city, key)
}

/// A city that sends sewer covers to that address.
fn sending_city(to: SocketAddr, key: &str, forward: &str, more: &[&str]) -> City {
    let (folder, dir) = new_city();
    std::fs::create_dir_all(format!("{dir}/secrets")).unwrap();
    std::fs::write(format!("{dir}/secrets/next-door"), key).unwrap();
    let forward = format!(
        "open311.forward=[{{ name = \"next-door\", url = \"http://{to}/open311/v2\", jurisdiction_id = \"qianjiang\", \
         key_file = \"secrets/next-door\", read_key = \"bearer\", services = {{ B0102 = \"B0102\" }}, look_seconds = 1, \
         follow_seconds = 1, {forward} }}]"
    );
    let settings: Vec<&str> = std::iter::once(forward.as_str())
        .chain(more.iter().copied())
        .collect();
    City::start_in(folder, dir, &settings)
}

/// Reports a sewer cover at the city's own door; the case's id.
async fn report(city: &City, key: &str, words: &str) -> i64 {
    let form = url(&[
        ("service_code", "B0102"),
        ("lat", "30.67679"),
        ("long", "113.18715"),
        ("description", words),
        ("first_name", "San"),
        ("phone", "13912345678"),
        ("api_key", key),
    ]);
    let made = city
        .ask("POST", "/open311/v2/requests.json", |r| {
            r.header("content-type", "application/x-www-form-urlencoded")
                .body(form)
        })
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let number = made.json()[0]["service_request_id"].clone();
    let cases = covers(city).await;
    let case = cases.iter().find(|case| case["number"] == number).unwrap();
    case["id"].as_i64().unwrap()
}

fn url(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// The city's cases of sewer covers.
async fn covers(city: &City) -> Vec<Json> {
    let all = city.get("/api/v1/cases?category=B0102").await;
    all["items"].as_array().unwrap().clone()
}

/// How the only link of a case stands.
async fn link(city: &City, case: i64) -> Json {
    city.get(&format!("/api/v1/cases/{case}/open311")).await["items"][0].clone()
}

async fn until_it_is(city: &City, case: i64, state: &str) -> Json {
    let mut last = Json::Null;
    until(&format!("the case is {state} there"), async || {
        last = link(city, case).await;
        last["state"] == state
    })
    .await;
    last
}

/// The steps of a case of that action.
async fn steps(city: &City, case: i64, action: &str) -> Vec<Json> {
    let case = city.get(&format!("/api/v1/cases/{case}")).await;
    let history = case["history"].as_array().unwrap();
    let of = history.iter().filter(|step| step["action"] == action);
    of.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_sent_once_and_followed_and_does_not_come_back() {
    let (other, key) = other_city();
    let to = other.address("http");
    // The same city is also read from, which must not bring back what was sent there.
    let endpoint = format!(
        "open311.endpoint=[{{ name = \"read\", url = \"http://{to}/open311/v2\", key_file = \"secrets/next-door\", \
         read_key = \"bearer\", every_seconds = 1, follow_seconds = 1, closed_step = \"cancel\", services = {{ B0102 = \"B0103\" }} }}]"
    );
    let forward = "closed_step = \"finish\", closed_moves = true";
    let city = sending_city(to, &key, forward, &[INSIDE, &endpoint]);
    let channel = token(&city.dir, "channel");
    let case = report(&city, &channel, "井盖缺失，电话13800000000").await;
    let open = until_it_is(&city, case, "open").await;

    // There it is one case, marked, without who reported it.
    let there = covers(&other).await;
    assert_eq!(there.len(), 1, "{there:?}");
    assert_eq!(there[0]["number"], open["remote_id"]);
    let mark = open["reference"].as_str().unwrap();
    assert!(mark.starts_with("[ref:tianmen/"), "{mark}");
    let said = there[0]["description"].as_str().unwrap();
    assert!(
        said.starts_with("井盖缺失") && said.ends_with(mark),
        "{said}"
    );
    assert!(!said.contains("13800000000"), "{said}");
    let contact = other
        .get(&format!("/api/v1/cases/{}/contact", there[0]["id"]))
        .await;
    assert_eq!(
        (&contact["phone"], &contact["first_name"]),
        (&Json::Null, &Json::Null)
    );
    let sent = steps(&city, case, "forwarded").await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["detail"]["remote_id"], open["remote_id"]);
    let trail = city.get("/api/v1/audit?action=open311.forward").await;
    let act = &trail["items"][0];
    assert_eq!(
        (&act["action"], &act["detail"]["personal"]),
        (&json!("open311.forward"), &json!(false))
    );

    // What is made there beside it is taken; what was sent there is not.
    report(&other, &key, "另一个井盖翘起").await;
    until("the other city's own request is here", async || {
        !city.get("/api/v1/cases?category=B0103").await["items"]
            .as_array()
            .unwrap()
            .is_empty()
    })
    .await;
    let taken = city.get("/api/v1/cases?category=B0103").await;
    let taken = taken["items"].as_array().unwrap();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0]["description"], "另一个井盖翘起");

    // Both are ended there: here both are told, with a step to take, and neither is ended.
    let duty = token(&other.dir, "duty");
    for ended in covers(&other).await {
        let path = format!("/api/v1/cases/{}/actions", ended["id"]);
        let body = json!({"action": "cancel", "note": "已复位"});
        let done = other
            .ask("POST", &path, |r| r.bearer_auth(&duty).json(&body))
            .await;
        assert_eq!(done.status, 200, "{}", done.body);
    }
    until_it_is(&city, case, "closed").await;
    let told = steps(&city, case, "closed-there").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["detail"]["suggest"], "finish");
    assert_eq!(told[0]["note"], "已作废：已复位");
    let here = city.get(&format!("/api/v1/cases/{case}")).await;
    assert_eq!(
        (&here["state"], &here["closed_at"]),
        (&json!("collected"), &Json::Null)
    );
    let taken = taken[0]["id"].as_i64().unwrap();
    until_it_is(&city, taken, "closed").await;
    let told = steps(&city, taken, "closed-there").await;
    assert_eq!(told[0]["detail"]["suggest"], "cancel");
    assert_eq!(
        covers(&other).await.len(),
        2,
        "nothing was sent twice, and nothing back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_no_second_request_and_what_is_not_known_a_person_decides() {
    let (other, key) = other_city();
    let between = Between::to(other.address("http")).await;
    let forward = "repeat = false, settle_seconds = 1, retry = { first_seconds = 1 }";
    let city = sending_city(between.address, &key, forward, &[INSIDE]);
    let channel = token(&city.dir, "channel");

    // It arrives and the answer is lost: it is found there, and sent no second time.
    between.set(Line::AnswerLost);
    let case = report(&city, &channel, "井盖缺失").await;
    let open = until_it_is(&city, case, "open").await;
    assert_eq!(
        (&open["attempts"], between.posts.load(Ordering::SeqCst)),
        (&json!(1), 1)
    );
    let sent = steps(&city, case, "forwarded").await;
    assert_eq!(sent[0]["detail"]["found"], "marked");
    let there = covers(&other).await;
    assert_eq!(there.len(), 1, "{there:?}");
    assert_eq!(there[0]["number"], open["remote_id"]);

    // It is lost on the way: it is looked for, not found, and left to a person.
    between.set(Line::RequestLost);
    let case = report(&city, &channel, "又一个井盖缺失").await;
    let held = until_it_is(&city, case, "held").await;
    assert_eq!(held["decisions"], json!(["send", "found", "drop"]));
    assert_eq!(covers(&other).await.len(), 1);
    let decide = format!("/api/v1/cases/{case}/open311/{}", held["id"]);
    let (duty, collector) = (token(&city.dir, "duty"), token(&city.dir, "collector"));
    let ask = async |token: &str, body: Json| {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(token).json(&body);
        city.ask("POST", &decide, with).await
    };
    assert_eq!(ask(&collector, json!({"act": "send"})).await.status, 403);
    assert_eq!(
        ask(&duty, json!({"act": "found"})).await.status,
        400,
        "under which id?"
    );
    between.set(Line::Good);
    let sent = ask(&duty, json!({"act": "send"})).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    until_it_is(&city, case, "open").await;
    assert_eq!(covers(&other).await.len(), 2);
    let again = ask(&duty, json!({"act": "drop"})).await;
    assert_eq!(again.status, 409, "it is there now: {}", again.body);
    let trail = city.get("/api/v1/audit?action=open311.decide").await;
    assert_eq!(trail["items"][0]["detail"]["act"], "send");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_an_address_inside_that_nobody_allowed() {
    let (other, key) = other_city();
    let between = Between::to(other.address("http")).await;
    let city = sending_city(between.address, &key, "settle_seconds = 1", &[]);
    let channel = token(&city.dir, "channel");
    let case = report(&city, &channel, "井盖缺失").await;
    until("it was tried", async || {
        let problem = link(&city, case).await["problem"].clone();
        problem
            .as_str()
            .is_some_and(|p| p.contains("open311.networks"))
    })
    .await;
    let waiting = link(&city, case).await;
    assert_eq!(
        waiting["state"], "waiting",
        "surely nothing arrived: {waiting}"
    );
    assert_eq!(between.posts.load(Ordering::SeqCst), 0);
    assert!(covers(&other).await.is_empty());
}

/// A picture of one point: a PNG.
const POINT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53,
    0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xe0, 0xcb, 0xae, 0x01,
    0x00, 0x01, 0x80, 0x00, 0xf6, 0x4d, 0x42, 0x47, 0x35, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

fn part(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    [head.as_bytes(), body, b"\r\n"].concat()
}

fn parts(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Vec<u8> {
    let fields = fields
        .iter()
        .map(|(name, value)| part(&format!("name=\"{name}\""), value.as_bytes()));
    let files = files
        .iter()
        .map(|(name, bytes)| part(&format!("name=\"{name}\"; filename=\"{name}.png\""), bytes));
    let all: Vec<Vec<u8>> = fields.chain(files).collect();
    [all.concat().as_slice(), b"--x--\r\n"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_photos_and_attributes_is_a_case_with_them() {
    let city = City::start_with(&["open311.public_reads=true", "open311.media_mib_max=1"]);
    let key = token(&city.dir, "channel");
    let fields = [
        ("api_key", key.as_str()),
        ("service_code", "B0102"),
        ("lat", "30.67679"),
        ("long", "113.18715"),
        ("description", "井盖缺失"),
        ("attribute[DEPTH]", "2"),
        ("attribute[COLOUR][]", "red"),
        ("attribute[COLOUR][]", "blue"),
    ];
    let post = async |form: &str, body: Vec<u8>| {
        let path = format!("/open311/v2/requests.{form}");
        let with = |r: reqwest::RequestBuilder| {
            r.header("content-type", "multipart/form-data; boundary=x")
                .body(body)
        };
        city.ask("POST", &path, with).await
    };
    let made = post("json", parts(&fields, &[("media", POINT)])).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let number = made.json()[0]["service_request_id"].clone();
    let again = post("xml", parts(&fields, &[("media", POINT)])).await;
    assert!(
        again.body.contains(number.as_str().unwrap()),
        "the same: {}",
        again.body
    );
    let cases = covers(&city).await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    let case = city.get(&format!("/api/v1/cases/{}", cases[0]["id"])).await;
    let photos = case["attachments"].as_array().unwrap();
    assert_eq!(photos.len(), 1, "{photos:?}");
    assert_eq!(
        (&photos[0]["media_type"], &photos[0]["kind"]),
        (&json!("image/png"), &json!("photo"))
    );
    let contact = city
        .get(&format!("/api/v1/cases/{}/contact", cases[0]["id"]))
        .await;
    assert_eq!(
        contact["attributes"],
        json!({"DEPTH": ["2"], "COLOUR": ["red", "blue"]})
    );

    // What is wrong is told in the standard's form, and nothing is taken of it.
    let large = vec![0; 3 << 20];
    for (files, status, word) in [
        (vec![("media", &b"<svg/>"[..])], 400, "media 1"),
        (vec![("media", POINT), ("cv", POINT)], 400, "cv"),
        (vec![("media", POINT); 6], 413, "at most 5"),
        (vec![("media", large.as_slice())], 413, "media_url"),
    ] {
        for form in ["json", "xml"] {
            let refused = post(form, parts(&fields[..5], &files)).await;
            assert_eq!(refused.status, status, "{}", refused.body);
            assert!(refused.body.contains(word), "{}", refused.body);
            let is_in_form = match form {
                "json" => refused.json()[0]["code"] == status,
                _ => refused
                    .body
                    .contains(&format!("<errors><error><code>{status}</code>")),
            };
            assert!(is_in_form, "{}", refused.body);
        }
    }
    assert_eq!(covers(&city).await.len(), 1);

    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "three",
        imports: "requests, relaxml, simplejson",
        packages: &["three==0.8.0"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => return passed_over("three", &why),
    };
    let photo = format!("{}/point.png", city.dir);
    std::fs::write(&photo, POINT).unwrap();
    let base = format!("http://{}/open311/v2", city.address("http"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/open311_three.py");
    let output = Command::new(python)
        .args([script, &base, &key, "tianmen", "B0102", &photo, "井盖被盗"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["kind"], "multipart/form-data");
    assert_eq!(
        told["made"], told["again"],
        "the same words and photo on one day"
    );
    let number = &told["made"][0]["service_request_id"];
    assert_eq!(&told["request"][0]["service_request_id"], number);
    assert_eq!(&told["token"][0]["service_request_id"], number);
    assert_eq!(told["wrong"][0]["code"], 400, "{told}");
    let cases = covers(&city).await;
    let case = cases.iter().find(|case| case["number"] == *number).unwrap();
    let case = city.get(&format!("/api/v1/cases/{}", case["id"])).await;
    assert_eq!(case["attachments"].as_array().map(Vec::len), Some(1));
}
