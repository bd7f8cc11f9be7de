//! How safe the running city is, seen from outside: what its answers tell a browser, TLS and its certificate, guesses at
//! passwords, the security view, and the platform's own figures as an entity with alerts.

use crate::support::{City, jingling, shared, text, token, until};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CSRF: (&str, &str) = ("x-jingling-csrf", "1");

async fn headers(city: &City, path: &str, token: Option<&str>) -> reqwest::header::HeaderMap {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("http://{}{path}", city.address("http")));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().headers().clone()
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_it_may_do_with_it() {
    let city = shared();
    for (path, token) in [
        ("/", None),
        ("/map", None),
        ("/api/v1/session", None),
        ("/api/v1/session", Some(&*city.admin)),
        ("/api/v1/entities", Some(&*city.admin)),
        ("/api/v1/nothing", None),
        ("/oauth2/authorize?client_id=x", None),
        ("/healthz", None),
        ("/favicon.svg", None),
    ] {
        let told = headers(&city, path, token).await;
        let said = |name: &str| told.get(name).map_or("", |v| v.to_str().unwrap());
        assert_eq!(said("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said("x-frame-options"), "DENY", "{path}");
        assert_eq!(said("cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(
            said("permissions-policy").contains("microphone=(self)"),
            "{path}"
        );
        assert!(!said("referrer-policy").is_empty(), "{path}");
        let policy = said("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        if path != "/favicon.svg" {
            assert_eq!(said("cache-control"), "no-store", "{path}");
        }
        // Over plain HTTP a browser would not believe it, and must not be told.
        assert_eq!(said("strict-transport-security"), "", "{path}");
    }
}

#[tokio::test]
async fn each_first_page_has_a_nonce_of_its_own_and_no_style_or_script_within() {
    let city = shared();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let page = city.ask("GET", "/", |r| r).await.body;
        let told = headers(&city, "/", None).await;
        let policy = told["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("style-src 'self' 'nonce-"), "{policy}");
        assert!(!page.contains("__CSP_NONCE__"), "{page}");
        let nonce = page
            .split("property=\"csp-nonce\" nonce=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_else(|| panic!("no nonce: build the pages first: {page}"));
        assert!(nonce.len() >= 22, "{nonce}");
        seen.push(nonce.to_owned());
        assert!(
            !page.contains("<style") && !page.contains("style=\""),
            "{page}"
        );
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn the_pages_worker_and_manifest_are_served_as_what_they_are_and_asked_for_anew() {
    let city = shared();
    for (path, kind) in [
        ("/sw.js", "text/javascript"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/icon-512.png", "image/png"),
    ] {
        let told = headers(&city, path, None).await;
        assert_eq!(told["content-type"], kind, "{path}: build the pages first");
        assert_eq!(told["cache-control"], "no-cache", "{path}");
        let policy = told["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("worker-src 'self' blob:"), "{policy}");
        assert!(policy.contains("manifest-src 'self'"), "{policy}");
    }
    let worker = city.ask("GET", "/sw.js", |r| r).await.body;
    assert!(
        worker.contains("/assets/") && !worker.contains("__KEPT"),
        "the worker keeps nothing: {worker}"
    );
}

#[tokio::test]
async fn what_comes_late_from_a_shared_phone_is_done_in_nobody_elses_name() {
    let city = shared();
    let password = city.add_person("wang.min.shared", "field");
    let cookie = city.sign_in("wang.min.shared", &password).await;
    let cookie = cookie.cookie.unwrap();
    let ask = async |person: Option<&str>| {
        let answer = city
            .ask("GET", "/api/v1/session", |r| {
                let r = r.header("cookie", &cookie);
                match person {
                    Some(said) => r.header("x-jingling-person", said),
                    None => r,
                }
            })
            .await;
        (answer.status, answer.body)
    };
    let (status, body) = ask(None).await;
    assert_eq!(status, 200, "{body}");
    let said: Json = serde_json::from_str(&body).unwrap();
    let own = said["user"]["id"].as_i64().unwrap();
    assert_eq!(ask(Some(&own.to_string())).await.0, 200);
    for other in [(own + 1).to_string(), "nobody".to_owned(), String::new()] {
        let (status, body) = ask(Some(&other)).await;
        assert_eq!(status, 409, "{other}: {body}");
        assert!(body.contains("other-person"), "{body}");
    }
}

/// Asks over TLS as a browser that knows the city's own certificate; the answer's head and body.
fn over_tls(
    city: &City,
    door: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
    request: &str,
) -> Result<(String, Vec<CertificateDer<'static>>), String> {
    let mut roots = RootCertStore::empty();
    let file = Path::new(&city.dir).join("tls/certificate.pem");
    roots
        .add(CertificateDer::from_pem_file(file).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(city.address(door)).unwrap();
    socket
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream
        .write_all(request.as_bytes())
        .map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    // Not every server says goodbye in TLS before it closes.
    if let Err(error) = stream.read_to_end(&mut answer)
        && answer.is_empty()
    {
        return Err(error.to_string());
    }
    let chain = connection
        .peer_certificates()
        .unwrap_or_default()
        .iter()
        .map(|c| c.clone().into_owned())
        .collect();
    Ok((text(&answer), chain))
}

const V12: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
const V13: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

#[tokio::test]
async fn over_tls_the_cookie_is_secure_and_the_browser_keeps_to_it() {
    let city = City::start_with(&["http.tls_listen=127.0.0.1:0"]);
    let password = city.add_person("sun.li", "duty");
    let body = json!({"username": "sun.li", "password": password});
    let body = body.to_string();
    let request = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let (answer, _) = over_tls(&city, "https", V13, &request).unwrap();
    let answer = answer.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    let cookie = answer
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .unwrap();
    for word in ["; httponly", "; samesite=strict", "; secure", "; path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(
        answer.contains("strict-transport-security: max-age=31536000"),
        "{answer}"
    );
    // Who is not signed in is refused at this door too.
    let stranger = "GET /api/v1/entities HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let (answer, _) = over_tls(&city, "https", V13, stranger).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    // The older version is spoken by no door unless it is set.
    for door in ["https", "mqtts"] {
        let refused = over_tls(&city, door, V12, stranger).unwrap_err();
        assert!(
            refused.to_lowercase().contains("version"),
            "{door}: {refused}"
        );
    }
    // Words in the clear get no answer of HTTP, and the next one is served.
    let mut clear = TcpStream::connect(city.address("https")).unwrap();
    clear
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    clear.write_all(stranger.as_bytes()).unwrap();
    let mut said = Vec::new();
    let _ = clear.read_to_end(&mut said);
    assert!(!text(&said).contains("HTTP/1.1"), "{}", text(&said));
    assert!(over_tls(&city, "https", V13, stranger).is_ok());
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart_and_old_versions_where_they_are_set() {
    let city = City::start_with(&[
        "http.tls_listen=127.0.0.1:0",
        "tls.reload_seconds=1",
        "tls.version_min=\"1.2\"",
    ]);
    let ask = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let (_, first) = over_tls(&city, "https", V12, ask).unwrap();
    let other = City::start();
    for file in ["key.pem", "certificate.pem"] {
        let (from, to) = (&other.dir, &city.dir);
        std::fs::copy(format!("{from}/tls/{file}"), format!("{to}/tls/{file}")).unwrap();
    }
    // Until then the client knows the new certificate and is shown the old one, which it refuses.
    until("the new certificate", async || {
        over_tls(&city, "https", V13, ask).is_ok_and(|(_, chain)| chain != first)
    })
    .await;
}

/// Whoever guesses learns nothing of which accounts there are: the same words, and as much time.
#[tokio::test]
async fn an_account_that_is_and_one_that_is_not_are_refused_alike() {
    let city = City::start();
    city.add_person("is.here", "duty");
    let mut fastest = [Duration::MAX; 2];
    let mut said = [String::new(), String::new()];
    for _ in 0..4 {
        for (n, username) in ["is.here", "is.not.here"].into_iter().enumerate() {
            let began = Instant::now();
            let answer = city.sign_in(username, "a wrong password").await;
            fastest[n] = fastest[n].min(began.elapsed());
            assert_eq!(answer.status, 401, "{answer:?}");
            assert_eq!(answer.cookie, None);
            said[n] = answer.body;
        }
    }
    assert_eq!(said[0], said[1]);
    let [is, is_not] = fastest;
    assert!(is < is_not * 3 && is_not < is * 3, "{is:?} and {is_not:?}");
    // Both are slowed down at the same try.
    for username in ["is.here", "is.not.here"] {
        assert_eq!(city.sign_in(username, "wrong").await.status, 401);
        assert_eq!(city.sign_in(username, "wrong").await.status, 429);
    }
}

/// Guesses that must wait cost the server nothing, and the right password of another person still counts.
#[tokio::test]
async fn a_flood_of_guesses_is_refused_fast_and_keeps_nobody_else_out() {
    let city = City::start();
    let password = city.add_person("li.qiang", "duty");
    assert_eq!(city.sign_in("li.qiang", &password).await.status, 200);
    let mut refused = 0;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/v1/session", city.address("http"));
    let began = Instant::now();
    for n in 0..2_000 {
        let body = json!({"username": "somebody", "password": format!("guess {n}")});
        let answer = client.post(&url).json(&body).send().await.unwrap();
        match answer.status().as_u16() {
            401 => {}
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused >= 1_990, "{refused}");
    // A check of a password takes as long as tens of these.
    assert!(
        began.elapsed() < crate::support::PATIENCE,
        "{:?}",
        began.elapsed()
    );
    assert_eq!(city.sign_in("li.qiang", &password).await.status, 200);
    // The name is locked, not for ever: it is told how long.
    let locked = city.sign_in("somebody", "x").await;
    let wait: u64 = locked.retry_after.unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
}

/// A session that somebody else chose is nobody's: signing in makes a new one, and the chosen one stays worth nothing.
#[tokio::test]
async fn a_session_that_was_chosen_beforehand_is_not_taken_over() {
    let city = shared();
    let password = city.add_person("zhou.fang", "duty");
    let chosen = "jingling_session=chosen0000000000000000000000000000000000000000000000";
    let body = json!({"username": "zhou.fang", "password": password});
    let with = |r: reqwest::RequestBuilder| r.header("cookie", chosen).json(&body);
    let signed_in = city.ask("POST", "/api/v1/session", with).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let own = signed_in.cookie.unwrap();
    assert_ne!(own, chosen);
    let who = async |cookie: &str| {
        let with = |r: reqwest::RequestBuilder| r.header("cookie", cookie).header(CSRF.0, CSRF.1);
        city.ask("GET", "/api/v1/session", with).await.status
    };
    assert_eq!((who(chosen).await, who(&own).await), (401, 200));
    // Signing in again makes another again.
    let with = |r: reqwest::RequestBuilder| r.header("cookie", &own).json(&body);
    let again = city.ask("POST", "/api/v1/session", with).await;
    assert_ne!(again.cookie.unwrap(), own);
}

/// An advisory about a package that the program is made of, in OSV's format.
fn advisory() -> String {
    json!({"id": "TEST-2026-0001", "modified": "2026-11-20T00:00:00Z", "summary": "serde made up",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "crates.io", "name": "serde"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "999.0.0"}]}]}]})
    .to_string()
}

#[tokio::test]
async fn the_view_tells_refusals_and_holes_and_the_platforms_own_figures_raise_an_alert() {
    let city = City::start_with(&["security.publish_seconds=1"]);
    // No data is not "no holes".
    let view = city.get("/api/v1/security").await;
    assert_eq!(view["holes"]["has_data"], false);
    assert_eq!(view["holes"]["grave"], Json::Null);
    let said = jingling(&["security", "holes", &city.dir]);
    assert!(!said.status.success());
    assert!(
        text(&said.stderr).contains("nothing is known"),
        "{}",
        text(&said.stderr)
    );

    for _ in 0..6 {
        city.sign_in("somebody", "wrong").await;
    }
    let view = city.get("/api/v1/security").await;
    assert_eq!(view["sign_ins"]["refused"], 5);
    assert_eq!(view["sign_ins"]["by_account"][0]["name"], "somebody");
    assert_eq!(view["sign_ins"]["by_peer"][0]["name"], "127.0.0.1");
    let hours = view["sign_ins"]["by_hour"].as_array().unwrap();
    assert_eq!(
        hours
            .iter()
            .map(|h| h["refused"].as_i64().unwrap())
            .sum::<i64>(),
        5
    );
    let waits = &view["peers"]["waiting"][0];
    assert_eq!(
        (&waits["account"], &waits["door"]),
        (&json!("somebody"), &json!("http"))
    );
    assert_eq!(view["backup"]["age_seconds"], Json::Null);
    assert!(view["disk"]["free_bytes"].as_u64().unwrap() > 0);
    let door = view["certificates"]["items"][0].clone();
    assert_eq!(door["kind"], "door");
    assert!(door["days_left"].as_i64().unwrap() > 30, "{door}");
    until("the proof of the audit chain", async || {
        city.get("/api/v1/security").await["audit"]["whole"] == true
    })
    .await;

    // Who may not see it does not, and who looked is told, once.
    let viewer = token(&city.dir, "viewer");
    let refused = city
        .ask("GET", "/api/v1/security", |r| r.bearer_auth(&viewer))
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "forbidden")
    );
    let looks = city.get("/api/v1/audit?action=security.look").await;
    assert_eq!(looks["items"].as_array().unwrap().len(), 1, "{looks}");

    // An advisory is brought in beside the running city: the view has it, and a rule tells it.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("TEST-2026-0001.json"), advisory()).unwrap();
    let path = folder.path().display().to_string();
    let words = [
        "security",
        "holes",
        &city.dir,
        "--advisories",
        &path,
        "--json",
    ];
    let output = jingling(&words);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["holes"][0]["id"], "TEST-2026-0001");
    assert_eq!(told["holes"][0]["severity"], "critical");
    let view = city.get("/api/v1/security").await;
    assert_eq!(
        view["holes"]["grave"],
        told["holes"].as_array().unwrap().len()
    );
    // The data was about crates.io alone: of the pages' packages nothing is known, and that is said.
    assert!(
        view["holes"]["not_covered"].as_u64().unwrap() > 100,
        "{}",
        view["holes"]
    );
    until("the alert about the hole", async || {
        let alerts = city.get("/api/v1/alerts").await;
        alerts["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|a| a["rule_id"] == "platform-known-hole-grave")
    })
    .await;
    let own = city
        .get("/api/v1/entities/urn:ngsi-ld:PlatformSecurity:platform")
        .await;
    assert_eq!(own["attributes"]["failedSignInsHour"]["value"], 5.0);
    let acts = city.get("/api/v1/audit?action=security.advisories").await;
    assert_eq!(acts["items"][0]["detail"]["advisories"], 1, "{acts}");

    // What is no advisory is told with its place, and what was there stays.
    let bad = tempfile::tempdir().unwrap();
    std::fs::write(bad.path().join("x.json"), "{").unwrap();
    let path = bad.path().display().to_string();
    let output = jingling(&["security", "holes", &city.dir, "--advisories", &path]);
    assert!(
        text(&output.stderr).contains("x.json"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        city.get("/api/v1/security").await["holes"]["has_data"],
        true
    );
}

/// The addresses from which sign-ins were refused, as the audit trail has them, newest first.
async fn refused_from(city: &City) -> Vec<String> {
    let acts = city.get("/api/v1/audit?action=session.refused").await;
    let acts = acts["items"].as_array().unwrap().iter();
    acts.map(|act| act["peer"].as_str().unwrap().to_owned())
        .collect()
}

async fn fails_saying(
    city: &City,
    headers: &[(&'static str, &'static str)],
) -> crate::support::Answer {
    let body = json!({"username": "nobody", "password": "wrong"});
    let with = |r: reqwest::RequestBuilder| {
        let r = r.header(CSRF.0, CSRF.1).json(&body);
        headers
            .iter()
            .fold(r, |r, (name, value)| r.header(*name, *value))
    };
    city.ask("POST", "/api/v1/session", with).await
}

#[tokio::test]
async fn a_named_proxy_is_believed_on_whose_behalf_it_asks() {
    let city = City::start_with(&["http.trusted_proxies=[\"127.0.0.0/8\"]"]);
    for (said, address) in [
        ("203.0.113.9", "203.0.113.9"),
        // What the client made up stands to the left.
        ("1.1.1.1, 203.0.113.10", "203.0.113.10"),
        ("1.1.1.1, 203.0.113.11, 127.0.0.5", "203.0.113.11"),
        ("1.1.1.1, nonsense", "127.0.0.1"),
    ] {
        let both = [("x-forwarded-for", said), ("forwarded", "for=9.9.9.9")];
        assert_eq!(fails_saying(&city, &both).await.status, 401, "{said}");
        assert_eq!(refused_from(&city).await[0], address, "{said}");
    }
    let hsts = async |proto: &str| {
        let url = format!("http://{}/healthz", city.address("http"));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = client.get(url).header("x-forwarded-proto", proto);
        let told = asked.send().await.unwrap();
        told.headers().contains_key("strict-transport-security")
    };
    assert!(hsts("https").await && !hsts("http").await && !hsts("https, http").await);
}

#[tokio::test]
async fn what_an_unnamed_peer_says_of_itself_is_ignored() {
    let city = City::start_with(&["http.trusted_proxies=[\"10.0.0.0/8\"]"]);
    // Another address each time would be another limit each time.
    let mut waits = 0;
    for address in [
        "1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6",
    ] {
        let said = [("x-forwarded-for", address), ("x-forwarded-proto", "https")];
        let answer = fails_saying(&city, &said).await;
        waits += usize::from(answer.status == 429);
    }
    assert_eq!(waits, 1);
    assert_eq!(refused_from(&city).await, ["127.0.0.1"; 5]);
    let url = format!("http://{}/healthz", city.address("http"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let told = client.get(url).header("x-forwarded-proto", "https").send();
    let told = told.await.unwrap();
    assert!(!told.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_network_of_proxies_or_a_header_that_is_none_is_told() {
    let (_folder, dir) = crate::support::new_city();
    for (set, told) in [
        ("http.trusted_proxies=[\"proxy\"]", "http.trusted_proxies"),
        ("http.proxy_header=via", "http.proxy_header"),
    ] {
        let output = jingling(&["serve", &dir, "--set", set]);
        assert!(!output.status.success());
        let said = text(&output.stderr);
        assert!(said.contains(told), "{said}");
    }
}
