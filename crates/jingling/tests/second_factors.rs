//! Second factors and devices' credentials seen from outside: a browser's cookies over HTTP, an authenticator app that is not
//! ours (Python's own hmac), a device that shows a certificate at the MQTT port with TLS, and the audit trail of it all.

use crate::support::{City, jingling, jingling_json, shared, text, until};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;

/// A browser: its cookies by path, as it sends them.
#[derive(Clone, Default)]
struct Browser {
    cookies: BTreeMap<String, (String, String)>,
}

struct Got {
    status: u16,
    body: Json,
    /// The lines of `set-cookie` as they came.
    set: Vec<String>,
}

impl Browser {
    async fn ask(&mut self, city: &City, method: &str, path: &str, body: Option<Json>) -> Got {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{path}", city.address("http"));
        let sent: Vec<String> = self
            .cookies
            .iter()
            .filter(|(_, (of, _))| path.starts_with(of.as_str()))
            .map(|(name, (_, value))| format!("{name}={value}"))
            .collect();
        let mut request = client
            .request(method.parse().unwrap(), url)
            .header("x-jingling-csrf", "1");
        if !sent.is_empty() {
            request = request.header("cookie", sent.join("; "));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let set: Vec<String> = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect();
        for line in &set {
            let (pair, rest) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let path = rest.split(';').find_map(|p| p.trim().strip_prefix("Path="));
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                let kept = (path.unwrap().to_owned(), value.to_owned());
                self.cookies.insert(name.to_owned(), kept);
            }
        }
        Got {
            status: answer.status().as_u16(),
            set,
            body: answer.json().await.unwrap_or_default(),
        }
    }

    async fn post(&mut self, city: &City, path: &str, body: Json) -> Got {
        self.ask(city, "POST", path, Some(body)).await
    }

    async fn sign_in(&mut self, city: &City, who: &Person) -> Got {
        let body = json!({"username": who.username, "password": who.password});
        self.post(city, "/api/v1/session", body).await
    }
}

struct Person {
    username: String,
    password: String,
}

fn person(city: &City, username: &str, role: &str) -> Person {
    Person {
        username: username.to_owned(),
        password: city.add_person(username, role),
    }
}

/// The code that an authenticator app shows now, or `steps` later: RFC 6238 as Python's own library computes it.
fn app_shows(secret: &str, steps: i64) -> String {
    let program = "import base64,hmac,struct,sys,time\n\
        key=base64.b32decode(sys.argv[1]); step=int(time.time())//30+int(sys.argv[2])\n\
        mac=hmac.new(key,struct.pack('>Q',step),'sha1').digest(); at=mac[-1]&15\n\
        print('%06d'%((struct.unpack('>I',mac[at:at+4])[0]&0x7fffffff)%1000000))";
    let shown = Command::new("python3")
        .args(["-c", program, secret, &steps.to_string()])
        .output()
        .unwrap();
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    text(&shown.stdout).trim().to_owned()
}

async fn acts(city: &City) -> Vec<String> {
    let page = city.get("/api/v1/audit?limit=500").await;
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|a| format!("{} {}", a["action"].as_str().unwrap(), a["detail"]))
        .collect()
}

#[tokio::test]
async fn a_person_sets_codes_up_and_signs_in_with_an_app_that_is_not_ours() {
    let city = shared();
    let li = person(&city, "li.codes", "duty");
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&city, &li).await.status, 200);
    let first = browser.cookies["jingling_session"].clone();
    let shown = browser
        .ask(&city, "POST", "/api/v1/account/totp", None)
        .await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let secret = shown.body["secret"].as_str().unwrap().to_owned();
    assert!(
        shown.body["uri"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/")
    );
    let wrong = browser
        .post(
            &city,
            "/api/v1/account/totp/confirm",
            json!({"code": "000000x"}),
        )
        .await;
    assert_eq!(
        (wrong.status, &wrong.body["code"]),
        (400, &json!("totp-code"))
    );
    let put = browser
        .post(
            &city,
            "/api/v1/account/totp/confirm",
            json!({"code": app_shows(&secret, 0)}),
        )
        .await;
    assert_eq!(put.status, 200, "{}", put.body);
    let codes = put.body["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(codes.len(), 10);

    // Another browser: the password is half of it.
    let mut other = Browser::default();
    let half = other.sign_in(&city, &li).await;
    assert_eq!(half.status, 202);
    assert_eq!(
        (
            &half.body["totp"],
            &half.body["recovery"],
            &half.body["passkey"],
            &half.body["enrol"]
        ),
        (&json!(true), &json!(true), &json!(false), &json!(false))
    );
    let line = &half.set[0];
    for part in [
        "jingling_half=",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/api/v1/session",
    ] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!other.cookies.contains_key("jingling_session"));
    assert_eq!(
        other
            .ask(&city, "GET", "/api/v1/session", None)
            .await
            .status,
        401
    );
    let half_value = other.cookies["jingling_half"].1.clone();
    // The half is no session, whatever it is called.
    let mut forged = Browser::default();
    forged
        .cookies
        .insert("jingling_session".into(), ("/".into(), half_value.clone()));
    assert_eq!(
        forged
            .ask(&city, "GET", "/api/v1/session", None)
            .await
            .status,
        401
    );
    let wrong = other
        .post(&city, "/api/v1/session/second", json!({"code": "123 45"}))
        .await;
    assert_eq!(
        (wrong.status, &wrong.body["code"]),
        (401, &json!("second-factor-wrong"))
    );
    // The step of the code with which the codes were put in use is taken; the next one is within the skew.
    let code = app_shows(&secret, 1);
    let done = other
        .post(&city, "/api/v1/session/second", json!({"code": code}))
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.body["user"]["username"], "li.codes");
    assert!(
        !other.cookies.contains_key("jingling_half"),
        "{:?}",
        done.set
    );
    let session = other.cookies["jingling_session"].1.clone();
    assert!(
        session != half_value && session != first.1,
        "always a new secret"
    );
    // The same code again, by somebody who saw it.
    let mut thief = Browser::default();
    assert_eq!(thief.sign_in(&city, &li).await.status, 202);
    let replayed = thief
        .post(&city, "/api/v1/session/second", json!({"code": code}))
        .await;
    assert_eq!(replayed.status, 401);
    // Without the cookie of the step before nothing goes on.
    let mut nobody = Browser::default();
    let lost = nobody
        .post(&city, "/api/v1/session/second", json!({"code": codes[0]}))
        .await;
    assert_eq!(
        (lost.status, &lost.body["code"]),
        (400, &json!("sign-in-begin-again"))
    );
    let recovered = thief
        .post(&city, "/api/v1/session/second", json!({"code": codes[0]}))
        .await;
    assert_eq!(recovered.status, 200);

    // Li sees three sessions and ends the others.
    let account = browser
        .ask(&city, "GET", "/api/v1/account", None)
        .await
        .body;
    let sessions = account["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 3, "{account}");
    assert_eq!(sessions.iter().filter(|s| s["is_this"] == true).count(), 1);
    assert_eq!(account["recovery_codes_left"], 9);
    let ended = browser
        .ask(&city, "DELETE", "/api/v1/account/sessions", None)
        .await;
    assert_eq!(ended.status, 204);
    assert_eq!(
        other
            .ask(&city, "GET", "/api/v1/session", None)
            .await
            .status,
        401
    );
    assert_eq!(
        browser
            .ask(&city, "GET", "/api/v1/session", None)
            .await
            .status,
        200
    );

    // The door of PostgreSQL would take a password alone: it is told no; so is a page of another site.
    let cross = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/v1/session/second", city.address("http"));
    let cross = cross
        .post(url)
        .header("origin", "https://evil.example")
        .json(&json!({"code": "1"}));
    assert_eq!(cross.send().await.unwrap().status(), 403);

    // An administrator takes the factors away.
    let path = "/api/v1/users/li.codes/second-factors";
    let seen = city.get(path).await;
    assert_eq!(
        (&seen["totp"], &seen["passkeys"]),
        (&json!(true), &json!(0))
    );
    let reset = city
        .ask("DELETE", path, |r| r.bearer_auth(&city.admin))
        .await;
    assert_eq!(reset.status, 204);
    assert_eq!(
        browser
            .ask(&city, "GET", "/api/v1/session", None)
            .await
            .status,
        401
    );
    assert_eq!(browser.sign_in(&city, &li).await.status, 200);
    let acts = acts(&city).await;
    for act in [
        "factor.totp.add {}",
        "session.second-refused {\"by\":\"totp\"}",
        "session.second-refused {\"by\":\"recovery\"}",
        "session.open {\"by\":\"totp\"}",
        "session.open {\"by\":\"recovery\"}",
        "session.end {\"sessions\":2}",
        "factor.reset {\"passkeys\":0,\"totp\":true}",
    ] {
        assert!(acts.iter().any(|a| a == act), "{act}: {acts:#?}");
    }
}

#[tokio::test]
async fn a_role_that_must_have_a_second_factor_sets_it_up_at_sign_in() {
    let city = City::start_with(&["sign_in.second_factor_required_for=[\"admin\"]"]);
    let admin = person(&city, "root.two", "admin");
    let mut browser = Browser::default();
    let half = browser.sign_in(&city, &admin).await;
    assert_eq!((half.status, &half.body["enrol"]), (202, &json!(true)));
    assert_eq!(
        browser
            .ask(&city, "GET", "/api/v1/account", None)
            .await
            .status,
        401
    );
    let code = browser
        .post(&city, "/api/v1/session/second", json!({"code": "123456"}))
        .await;
    assert_eq!(code.body["code"], "sign-in-begin-again");
    let shown = browser
        .ask(&city, "POST", "/api/v1/session/enrol/totp", None)
        .await;
    let secret = shown.body["secret"].as_str().unwrap();
    let done = browser
        .post(
            &city,
            "/api/v1/session/enrol/totp/confirm",
            json!({"code": app_shows(secret, 0)}),
        )
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.body["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(
        browser
            .ask(&city, "GET", "/api/v1/account", None)
            .await
            .status,
        200
    );
    let last = browser
        .ask(&city, "DELETE", "/api/v1/account/totp", None)
        .await;
    assert_eq!(
        (last.status, &last.body["code"]),
        (409, &json!("second-factor-last"))
    );
    // The key lies beside, for the owner alone.
    let key = format!("{}/secrets/identity-key.json", city.dir);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(key).unwrap());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_setting_that_is_wrong_is_named() {
    let (_folder, dir) = crate::support::new_city();
    for (setting, told) in [
        (
            "sign_in.second_factor_required_for=[\"root\"]",
            "\"root\" is not a role",
        ),
        ("http.public_url=https://10.1.2.3", "http.public_url"),
        ("http.public_url=http://city.example.gov.cn", "not of https"),
        ("sign_in.session_hours=0", "sign_in.session_hours"),
    ] {
        let answer = jingling(&["serve", &dir, "--set", setting]);
        assert!(!answer.status.success());
        let said = text(&answer.stderr);
        assert!(said.contains(told), "{setting}: {said}");
    }
}

/// Takes any server's certificate: the city's own is self-signed, and what is tested is the client's.
#[derive(Debug)]
struct AnyServer;

impl rustls::client::danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

type Tls = tokio_rustls::client::TlsStream<TcpStream>;

/// Connects with TLS, showing the certificate in a folder, and says CONNECT (MQTT 3.1.1); gives the stream and the return
/// code, `None` when the door hung up.
async fn connect(
    city: &City,
    folder: Option<&str>,
    client_id: &str,
    username: Option<&str>,
) -> (Option<Tls>, Option<u8>) {
    use rustls::pki_types::pem::PemObject;
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .dangerous()
    .with_custom_certificate_verifier(Arc::new(AnyServer));
    let config = match folder {
        None => builder.with_no_client_auth(),
        Some(folder) => {
            let pem = format!("{folder}/certificate.pem");
            let chain = vec![rustls::pki_types::CertificateDer::from_pem_file(pem).unwrap()];
            let key = rustls::pki_types::PrivateKeyDer::from_pem_file(format!("{folder}/key.pem"))
                .unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let stream = TcpStream::connect(city.address("mqtts")).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let text = |t: &str| {
        [
            &u16::try_from(t.len()).unwrap().to_be_bytes()[..],
            t.as_bytes(),
        ]
        .concat()
    };
    let flags = if username.is_some() { 0x82 } else { 0x02 };
    let mut body = [text("MQTT"), vec![4, flags, 0, 60], text(client_id)].concat();
    if let Some(username) = username {
        body.extend(text(username));
    }
    let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
    packet.extend(body);
    stream.write_all(&packet).await.unwrap();
    let mut answer = [0; 4];
    match stream.read_exact(&mut answer).await {
        Ok(_) => (Some(stream), Some(answer[3])),
        Err(_) => (None, None),
    }
}

#[tokio::test]
async fn a_device_signs_in_with_its_certificate_until_it_is_taken_away() {
    let city = shared();
    let (one, two) = (
        city.register("WaterObserved").await,
        city.register("WaterObserved").await,
    );
    let keys = tempfile::tempdir().unwrap();
    let folder = keys.path().join("gauge").display().to_string();
    let words = [
        "device",
        "certificate",
        "add",
        &city.dir,
        "--id",
        &one.id,
        "--make",
        &folder,
    ];
    let made = jingling(&words);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let mode = std::os::unix::fs::MetadataExt::mode(
        &std::fs::metadata(format!("{folder}/key.pem")).unwrap(),
    );
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        !jingling(&words).status.success(),
        "a key is not written over"
    );
    let path = format!("/api/v1/devices/{}/credentials", one.client_id);
    let listed = city.get(&path).await["items"].clone();
    assert_eq!(
        (&listed[0]["kind"], &listed[1]["kind"]),
        (&json!("password"), &json!("x509"))
    );
    let fingerprint = listed[1]["fingerprint"].as_str().unwrap().to_owned();
    // Independent of us: OpenSSL's fingerprint is the same.
    let told = Command::new("openssl")
        .args([
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            &format!("{folder}/certificate.pem"),
        ])
        .output()
        .unwrap();
    let told = text(&told.stdout)
        .trim()
        .rsplit('=')
        .next()
        .unwrap()
        .replace(':', "")
        .to_lowercase();
    assert_eq!(told, fingerprint);

    let accepted = Some(0);
    let (stream, code) = connect(&city, Some(&folder), &one.client_id, None).await;
    assert_eq!(code, accepted);
    assert_eq!(
        connect(&city, Some(&folder), &one.client_id, Some(&one.username))
            .await
            .1,
        accepted
    );
    for (with, client_id, username) in [
        (Some(folder.as_str()), two.client_id.as_str(), None),
        (
            Some(folder.as_str()),
            one.client_id.as_str(),
            Some(two.username.as_str()),
        ),
        (None, one.client_id.as_str(), None),
    ] {
        let refused = connect(&city, with, client_id, username).await.1;
        assert!(
            refused.is_some_and(|code| code != 0),
            "{client_id}: {refused:?}"
        );
    }
    // A certificate that the device signed itself and nobody registered.
    let strange = keys.path().join("strange").display().to_string();
    std::fs::create_dir(&strange).unwrap();
    let openssl = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
        ])
        .args(["-subj", &format!("/CN={}", one.client_id)])
        .args([
            "-keyout",
            &format!("{strange}/key.pem"),
            "-out",
            &format!("{strange}/certificate.pem"),
        ])
        .output()
        .unwrap();
    assert!(openssl.status.success(), "{}", text(&openssl.stderr));
    let refused = connect(&city, Some(&strange), &one.client_id, None).await.1;
    assert!(refused.is_some_and(|code| code != 0));
    // Registered over HTTP, it is good beside the other.
    let path = format!("/api/v1/devices/{}/certificates", one.client_id);
    let pem = std::fs::read_to_string(format!("{strange}/certificate.pem")).unwrap();
    let added = city
        .ask("POST", &path, |r| {
            r.bearer_auth(&city.admin)
                .json(&json!({"certificate": pem}))
        })
        .await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(
        connect(&city, Some(&strange), &one.client_id, None).await.1,
        accepted
    );
    for bad in [
        "",
        "no PEM",
        &std::fs::read_to_string(format!("{strange}/key.pem")).unwrap(),
    ] {
        let answer = city
            .ask("POST", &path, |r| {
                r.bearer_auth(&city.admin)
                    .json(&json!({"certificate": bad}))
            })
            .await;
        assert_eq!(answer.problem(), "certificate");
    }
    // Taken away on the command line beside the running city: the open connection ends, and the next is refused.
    let mut open = stream.unwrap();
    let words = [
        "device",
        "certificate",
        "remove",
        &city.dir,
        "--id",
        &one.client_id,
        "--fingerprint",
        &fingerprint,
    ];
    assert!(jingling(&words).status.success());
    let mut rest = Vec::new();
    tokio::time::timeout(crate::support::PATIENCE, open.read_to_end(&mut rest))
        .await
        .expect("the connection is ended")
        .ok();
    let refused = connect(&city, Some(&folder), &one.client_id, None).await.1;
    assert!(refused.is_some_and(|code| code != 0));
    assert_eq!(
        connect(&city, Some(&strange), &one.client_id, None).await.1,
        accepted
    );
    city.goes_on().await;
}

#[tokio::test]
async fn a_devices_password_rotates_while_it_works() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let words = [
        "device",
        "rotate",
        &city.dir,
        "--id",
        &device.client_id,
        "--overlap-hours",
        "1",
        "--json",
    ];
    let second = jingling_json(&words)["password"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut old = crate::support::Mqtt::device(&city, &device).await;
    let body = json!({"waterLevel": {"value": 26.5, "unitCode": "MTR"}});
    old.publish(&device.topic, body.to_string()).await;
    city.shows(&device.id, "waterLevel", 26.5).await;
    let listed = city
        .get(&format!("/api/v1/devices/{}/credentials", device.client_id))
        .await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    // Without an overlap only the newest is good.
    let path = format!("/api/v1/devices/{}/password", device.client_id);
    let answer = city
        .ask("POST", &path, |r| {
            r.bearer_auth(&city.admin)
                .json(&json!({"overlap_hours": 0}))
        })
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let third = answer.json()["password"].as_str().unwrap().to_owned();
    for (password, is_good) in [(&device.password, false), (&second, false), (&third, true)] {
        let connected =
            crate::support::Mqtt::connect(&city, &device.client_id, &device.username, password)
                .await;
        assert_eq!(connected.is_ok(), is_good);
    }
    let long = city
        .ask("POST", &path, |r| {
            r.bearer_auth(&city.admin)
                .json(&json!({"overlap_hours": 100_000}))
        })
        .await;
    assert_eq!(long.problem(), "overlap");
    until("the acts", async || {
        acts(&city)
            .await
            .iter()
            .filter(|a| a.starts_with("device.rotate"))
            .count()
            >= 2
    })
    .await;
}
