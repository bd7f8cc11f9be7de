//! Telling people in a running city, over what nobody here wrote: a real SMTP server (aiosmtpd) takes the mail, and receivers of
//! webhooks and a gateway take, refuse, and hang.

use crate::support::{City, jingling, jingling_json, text};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ring::hmac;
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::foreign::{Python, passed_over};

const SECRET: &str = "a secret of the hook, 与中文";
const NETWORKS: &str = "notice.networks=[\"127.0.0.0/8\"]";

/// aiosmtpd, which prints every message that it took as one line of JSON.
struct MailServer {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Json>>>,
    process: Child,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn python() -> Option<PathBuf> {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "notice-python",
        imports: "aiosmtpd",
        packages: &["aiosmtpd"],
    };
    match python.make() {
        Ok(python) => Some(python),
        Err(why) => {
            passed_over("aiosmtpd", &why);
            None
        }
    }
}

impl MailServer {
    fn start(python: &PathBuf) -> Self {
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notice_smtp.py"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = said.next().unwrap().unwrap().trim().parse().unwrap();
        let taken: Arc<Mutex<Vec<Json>>> = Arc::default();
        let to = taken.clone();
        std::thread::spawn(move || {
            for line in said.map_while(Result::ok) {
                to.lock()
                    .unwrap()
                    .push(serde_json::from_str(&line).unwrap());
            }
        });
        Self {
            address,
            taken,
            process,
        }
    }

    fn to(&self, whom: &str) -> Vec<Json> {
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .filter(|m| m["to"][0] == whom)
            .cloned()
            .collect()
    }
}

/// What a receiver got.
#[derive(Clone, Debug)]
struct Got {
    path: &'static str,
    headers: HeaderMap,
    body: String,
}

#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<Got>>>);

impl Receiver {
    async fn start() -> (SocketAddr, Self) {
        let receiver = Self::default();
        let hook = |State(this): State<Self>, headers: HeaderMap, body: Bytes| async move {
            this.note("hook", headers, &body);
            StatusCode::NO_CONTENT
        };
        // It takes the message and never answers.
        let hanging = |State(this): State<Self>, headers: HeaderMap, body: Bytes| async move {
            this.note("hang", headers, &body);
            std::future::pending::<StatusCode>().await
        };
        let sms = |State(this): State<Self>, headers: HeaderMap, body: Bytes| async move {
            this.note("sms", headers, &body);
            axum::Json(json!({"code": 0, "sid": "sid-1"}))
        };
        let router = Router::new()
            .route("/hook", post(hook))
            .route("/hang", post(hanging))
            .route("/sms", post(sms))
            .with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, receiver)
    }

    fn note(&self, path: &'static str, headers: HeaderMap, body: &[u8]) {
        let body = text(body);
        self.0.lock().unwrap().push(Got {
            path,
            headers,
            body,
        });
    }

    fn got(&self, path: &str) -> Vec<Got> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|got| got.path == path).cloned().collect()
    }
}

fn channels(mail: SocketAddr, receiver: SocketAddr) -> String {
    let smtp = format!(
        "{{kind=\"smtp\", id=\"mail\", host=\"127.0.0.1\", port={}, tls=\"none\", from=\"竟陵 <city@example.cn>\"}}",
        mail.port()
    );
    let hook = |id: &str| {
        format!(
            "{{kind=\"webhook\", id=\"{id}\", url=\"http://{receiver}/{id}\", secret_file=\"secrets/hook.txt\", seconds_max=1, \
             retry={{first_seconds=1, seconds_max=1, attempts_max=2}}}}"
        )
    };
    let sms = format!(
        "{{kind=\"sms\", id=\"sms\", url=\"http://{receiver}/sms\", body=\"m={{to}}&c={{text}}\", success_path=\"/code\", \
         success_values=[\"0\"], id_path=\"/sid\", receipts_secret_file=\"secrets/receipts.txt\", receipt_id_path=\"/sid\", \
         receipt_state_path=\"/state\", receipt_arrived=[\"OK\"]}}"
    );
    format!(
        "notice.channel=[{smtp}, {}, {}, {sms}]",
        hook("hook"),
        hook("hang")
    )
}

fn new_city() -> (tempfile::TempDir, String) {
    let (folder, dir) = crate::support::new_city();
    std::fs::write(format!("{dir}/secrets/hook.txt"), format!("{SECRET}\n")).unwrap();
    std::fs::write(format!("{dir}/secrets/receipts.txt"), "r-secret").unwrap();
    (folder, dir)
}

/// A person who is signed in.
struct Person {
    cookie: String,
}

impl Person {
    async fn sign_in(city: &City, username: &str, role: &str) -> Self {
        let password = city.add_person(username, role);
        let answer = city.sign_in(username, &password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self {
            cookie: answer.cookie.unwrap(),
        }
    }

    async fn ask(&self, city: &City, method: &str, path: &str, body: Json) -> (u16, Json) {
        let answer = city
            .ask(method, path, |r| {
                let r = r
                    .header("cookie", &self.cookie)
                    .header("x-jingling-csrf", "1");
                if body.is_null() { r } else { r.json(&body) }
            })
            .await;
        let read = serde_json::from_str(&answer.body).unwrap_or(Json::Null);
        (answer.status, read)
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            began.elapsed() < crate::support::PATIENCE,
            "{what}: not in time"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_systems_are_told_and_what_hangs_is_ended() {
    let Some(python) = python() else { return };
    let mail = MailServer::start(&python);
    let (address, receiver) = Receiver::start().await;
    let (folder, dir) = new_city();
    let settings = channels(mail.address, address);
    let link = "notice.acknowledge_without_sign_in=true";
    let city = City::start_in(folder, dir, &[&settings, NETWORKS, link]);
    let admin = Person::sign_in(&city, "zhang", "admin").await;
    let wang = Person::sign_in(&city, "wang", "duty").await;

    // Her address is used once a code proved it.
    let contact = "/api/v1/account/contacts/email";
    let (status, said) = wang
        .ask(&city, "PUT", contact, json!({"value": "wang@example.cn"}))
        .await;
    assert_eq!(status, 204, "{said}");
    let code = until("the code", async || {
        mail.to("wang@example.cn").first().cloned()
    })
    .await;
    let code: String = code["text"]
        .as_str()
        .unwrap()
        .chars()
        .filter(char::is_ascii_digit)
        .take(6)
        .collect();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let verify = format!("{contact}/verify");
    assert_eq!(
        wang.ask(&city, "POST", &verify, json!({"code": wrong}))
            .await
            .0,
        400
    );
    assert_eq!(
        wang.ask(&city, "POST", &verify, json!({"code": code}))
            .await
            .0,
        204
    );
    assert_eq!(
        wang.ask(&city, "POST", &verify, json!({"code": code}))
            .await
            .0,
        400,
        "once"
    );
    let (_, own) = wang
        .ask(&city, "GET", "/api/v1/account/contacts", Json::Null)
        .await;
    assert_eq!(own["items"][0]["shown"], "w***@example.cn");
    let stored = std::fs::read(format!("{}/records.sqlite", city.dir)).unwrap();
    let wal = std::fs::read(format!("{}/records.sqlite-wal", city.dir)).unwrap_or_default();
    for bytes in [stored, wal] {
        assert!(
            !text(&bytes).contains("wang@example.cn"),
            "it is sealed at rest"
        );
    }

    // Somebody opens a case: duty officers are told on the page, by mail; two systems, of which one hangs.
    let rule = json!({
        "id": "cases", "title_zh": "案件", "title_en": "Cases", "enabled": true, "on": ["case.open"],
        "levels": [{"to": [{"kind": "role", "id": "duty"}], "channels": ["page", "mail", "hook", "hang"], "answer_minutes": 0}],
    });
    let path = "/api/v1/notice-rules/cases";
    let refused = wang.ask(&city, "PUT", path, json!({"rule": rule})).await;
    assert_eq!(refused.0, 403);
    let mut bad = rule.clone();
    bad["levels"][0]["channels"] = json!(["pigeon"]);
    assert_eq!(
        admin.ask(&city, "PUT", path, json!({"rule": bad})).await.0,
        400
    );
    let (status, said) = admin.ask(&city, "PUT", path, json!({"rule": rule})).await;
    assert_eq!(status, 200, "{said}");
    let opener = Person::sign_in(&city, "liu", "duty").await;
    let case = json!({"title": "井盖缺失", "severity": "critical"});
    let (status, said) = opener.ask(&city, "POST", "/api/v1/cases", case).await;
    assert!(status < 300, "{said}");

    let notices = "/api/v1/notifications";
    let shown = until("the page", async || {
        let (_, list) = wang.ask(&city, "GET", notices, Json::Null).await;
        (list["unread"] == 1).then_some(list)
    })
    .await;
    assert!(
        shown["items"][0]["title_zh"]
            .as_str()
            .unwrap()
            .contains("井盖缺失")
    );
    let (_, list) = opener.ask(&city, "GET", notices, Json::Null).await;
    assert_eq!(list["unread"], 0, "who did it knows");

    let told = until("the mail", async || {
        mail.to("wang@example.cn").get(1).cloned()
    })
    .await;
    assert!(
        told["subject"].as_str().unwrap().contains("井盖缺失"),
        "{told}"
    );
    assert!(told["message_id"].as_str().unwrap().ends_with("@jingling>"));
    let hook = until("the hook", async || receiver.got("hook").first().cloned()).await;
    let header = |name: &str| hook.headers[name].to_str().unwrap().to_owned();
    let signed = format!("{}.{}", header("x-jingling-timestamp"), hook.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, signed.as_bytes());
    let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(header("x-jingling-signature"), format!("sha256={hex}"));
    let body: Json = serde_json::from_str(&hook.body).unwrap();
    assert_eq!(body["event"]["kind"], "case.open");

    // What hangs is ended by its time, tried twice, given up, and told everywhere.
    let failed = until("giving up", async || {
        let path = "/api/v1/notice-messages?state=failed";
        let (_, list) = admin.ask(&city, "GET", path, Json::Null).await;
        list["items"].get(0).cloned()
    })
    .await;
    assert_eq!(
        (&failed["channel"], &failed["attempts"]),
        (&json!("hang"), &json!(2))
    );
    assert!(failed["error"].as_str().unwrap().contains("took too long"));
    assert_eq!(
        failed["title_zh"],
        Json::Null,
        "an administrator reads no cases"
    );
    let tries = receiver.got("hang");
    assert_eq!(tries.len(), 2);
    assert_eq!(
        tries[0].headers["x-jingling-key"],
        tries[1].headers["x-jingling-key"]
    );
    let listed = jingling_json(&["notice", "list", &city.dir, "--failed", "--json"]);
    assert_eq!(listed[0]["channel"], "hang");
    until("the platform's notices", async || {
        let (_, list) = admin.ask(&city, "GET", "/api/v1/notices", Json::Null).await;
        let items = list["items"].as_array()?;
        items
            .iter()
            .any(|n| n["code"] == "notice-given-up")
            .then_some(())
    })
    .await;
    let again = format!("/api/v1/notice-messages/{}/retry", failed["id"]);
    assert_eq!(admin.ask(&city, "POST", &again, Json::Null).await.0, 204);
    until("the third try", async || {
        (receiver.got("hang").len() > 2).then_some(())
    })
    .await;

    // The link in the mail is good once, and takes the page's notice with it.
    let body = told["text"].as_str().unwrap();
    let token = body
        .split("/acknowledge/")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let acknowledge = format!("{notices}/acknowledge");
    let press = async |token: &str| {
        let body = json!({"token": token});
        let answer = city.ask("POST", &acknowledge, |r| r.json(&body)).await;
        let read: Json = serde_json::from_str(&answer.body).unwrap_or(Json::Null);
        (answer.status, read["is_new"].clone())
    };
    assert_eq!(press("1.AAAAAAAAAAAAAAAAAAAAAA").await.0, 404);
    assert_eq!(press(token).await, (200, json!(true)));
    assert_eq!(press(token).await, (200, json!(false)));
    let (_, list) = wang.ask(&city, "GET", notices, Json::Null).await;
    assert_eq!(list["unread"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_says_what_arrived_and_a_channel_is_tried_from_the_command_line() {
    let (address, receiver) = Receiver::start().await;
    let (folder, dir) = new_city();
    // Nobody listens there: mail waits, and keeps nobody else waiting.
    let settings = channels(SocketAddr::from(([127, 0, 0, 1], 9)), address);
    let words = |channel: &'static str, to: &'static [&'static str]| {
        let mut words = vec!["notice", "test", &dir, channel];
        words.extend(to);
        words.extend(["--set", &settings, "--set", NETWORKS]);
        jingling(&words)
    };
    let good = words("sms", &["--to", "13800001234"]);
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(
        receiver.got("sms")[0]
            .body
            .starts_with("m=13800001234&c=%E7%AB%9F")
    );
    assert!(words("hook", &[]).status.success());
    assert!(!words("mail", &["--to", "a@example.cn"]).status.success());
    assert!(!words("hang", &[]).status.success());
    let without = jingling(&["notice", "test", &dir, "hook", "--set", &settings]);
    assert!(
        text(&without.stdout).contains("notice.networks"),
        "{}",
        text(&without.stdout)
    );

    let city = City::start_in(folder, dir.clone(), &[&settings, NETWORKS]);
    let admin = Person::sign_in(&city, "zhang", "admin").await;
    let wang = Person::sign_in(&city, "wang", "duty").await;
    let contact = "/api/v1/account/contacts/phone";
    assert_eq!(
        wang.ask(&city, "PUT", contact, json!({"value": "138 0000 1234"}))
            .await
            .0,
        204
    );
    let sms = until("the code", async || receiver.got("sms").get(1).cloned()).await;
    let text_of = |body: &str| {
        let fields = url::form_urlencoded::parse(body.as_bytes()).into_owned();
        fields
            .filter(|(name, _)| name == "c")
            .map(|(_, value)| value)
            .next()
            .unwrap()
    };
    let code: String = text_of(&sms.body)
        .chars()
        .filter(char::is_ascii_digit)
        .take(6)
        .collect();
    let verify = format!("{contact}/verify");
    assert_eq!(
        wang.ask(&city, "POST", &verify, json!({"code": code}))
            .await
            .0,
        204
    );
    let rule = json!({
        "id": "cases", "title_zh": "案件", "title_en": "Cases", "enabled": true, "on": ["case.*"],
        "levels": [{"to": [{"kind": "role", "id": "duty"}], "channels": ["sms"]}],
    });
    let path = "/api/v1/notice-rules/cases";
    assert_eq!(
        admin.ask(&city, "PUT", path, json!({"rule": rule})).await.0,
        200
    );
    let opener = Person::sign_in(&city, "liu", "duty").await;
    let case = json!({"title": "路灯不亮"});
    assert!(opener.ask(&city, "POST", "/api/v1/cases", case).await.0 < 300);
    let state = async |wanted: &str| {
        let (_, list) = admin
            .ask(
                &city,
                "GET",
                "/api/v1/notice-messages?channel=sms",
                Json::Null,
            )
            .await;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().any(|m| m["state"] == *wanted).then_some(())
    };
    until("the gateway's word", async || state("sent").await).await;
    let door = |secret: &str| format!("/api/v1/notifications/receipts/sms/{secret}");
    let bring = async |secret: &str, body: &'static str| {
        city.ask("POST", &door(secret), |r| r.body(body))
            .await
            .status
    };
    assert_eq!(bring("guess", "sid=sid-1&state=OK").await, 404);
    assert_eq!(bring("r-secret", "sid=sid-1").await, 400);
    assert_eq!(bring("r-secret", "sid=sid-1&state=OK").await, 204);
    until("the receipt", async || state("delivered").await).await;
}
