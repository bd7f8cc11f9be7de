//! The running city as an OpenID Connect provider: two client libraries that nobody here wrote complete their flows against
//! it, and what a forger would send is refused.

use crate::support::{City, jingling, jingling_json, shared, text};
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use testkit::foreign::{Node, Python};

const CSRF: (&str, &str) = ("x-jingling-csrf", "1");
/// PKCE's published example (RFC 7636 appendix B).
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A city behind an address that is known before it starts, as one behind a proxy is.
struct Provider {
    city: City,
    issuer: String,
    username: &'static str,
    password: String,
}

impl Provider {
    fn start() -> Self {
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", front.local_addr().unwrap());
        let behind: Arc<OnceLock<SocketAddr>> = Arc::default();
        let known = behind.clone();
        std::thread::spawn(move || {
            for client in front.incoming().map_while(Result::ok) {
                let Some(server) = known.get().and_then(|a| TcpStream::connect(a).ok()) else {
                    continue;
                };
                passes(client.try_clone().unwrap(), server.try_clone().unwrap());
                passes(server, client);
            }
        });
        let city = City::start_with(&[
            &format!("oidc.issuer={issuer}"),
            "oidc.logout_networks=[\"127.0.0.0/8\"]",
        ]);
        behind.set(city.address("http")).unwrap();
        let username = "wang.min";
        let person = jingling_json(&[
            "user",
            "add",
            &city.dir,
            "--username",
            username,
            "--name",
            "王敏",
            "--role",
            "duty",
            "--organisation",
            "shuili",
            "--json",
        ]);
        let password = person["password"].as_str().unwrap().to_owned();
        Self {
            city,
            issuer,
            username,
            password,
        }
    }

    fn arguments(&self) -> [String; 5] {
        [
            self.issuer.clone(),
            self.username.to_owned(),
            self.password.clone(),
            self.city.admin.clone(),
            self.city.token_of("security"),
        ]
    }

    async fn post(&self, path: &str, cookie: &str, body: &Json) -> crate::support::Answer {
        let with = |r: reqwest::RequestBuilder| {
            r.header("cookie", cookie).header(CSRF.0, CSRF.1).json(body)
        };
        self.city.ask("POST", path, with).await
    }

    async fn sign_in(&self) -> String {
        let body = json!({"username": self.username, "password": self.password});
        let signed_in = self
            .city
            .ask("POST", "/api/v1/session", |r| r.json(&body))
            .await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        signed_in.cookie.unwrap()
    }

    async fn register(&self, draft: Json) -> (String, String) {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&self.city.admin).json(&draft);
        let made = self.city.ask("POST", "/api/v1/oidc/clients", with).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        (
            made["client"]["client_id"].as_str().unwrap().to_owned(),
            made["client_secret"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }

    /// Where `/oauth2/…` sends a browser, and the status.
    async fn sent(&self, path: &str) -> (u16, Option<String>, String) {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let response = client
            .get(format!("http://{}{path}", self.city.address("http")))
            .send()
            .await
            .unwrap();
        let location = response
            .headers()
            .get("location")
            .map(|l| l.to_str().unwrap().to_owned());
        (
            response.status().as_u16(),
            location,
            response.text().await.unwrap(),
        )
    }

    async fn token(&self, id: &str, secret: &str, form: &str) -> (u16, Json) {
        let with = |r: reqwest::RequestBuilder| {
            r.basic_auth(id, Some(secret))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned())
        };
        let answer = self.city.ask("POST", "/oauth2/token", with).await;
        (answer.status, answer.json())
    }
}

fn passes(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(n) = from.read(&mut buffer) {
            if n == 0 || to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn is_content(mut client: Command) {
    let output = client.output().unwrap();
    assert!(
        output.status.success() && text(&output.stdout).trim() == "content",
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[test]
fn authlib() {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "oidc-authlib",
        imports: "authlib, joserfc, requests",
        packages: &["authlib", "joserfc", "requests"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: Authlib cannot be installed from PyPI here: {why}");
            return;
        }
    };
    let provider = Provider::start();
    let mut client = Command::new(python);
    client
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/oidc_authlib.py"
        ))
        .args(provider.arguments());
    is_content(client);
}

#[test]
fn openid_client() {
    let node = Node {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "oidc-node",
        packages: &["openid-client"],
    };
    let modules = match node.make() {
        Ok(modules) => modules,
        Err(why) => {
            eprintln!("skipped: openid-client cannot be installed from npm here: {why}");
            return;
        }
    };
    let provider = Provider::start();
    let mut client = Command::new("node");
    client
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc_client.js"))
        .args(provider.arguments())
        .env("NODE_PATH", modules);
    is_content(client);
}

#[tokio::test]
async fn nobody_is_sent_where_nothing_is_registered() {
    let provider = Provider::start();
    let (id, secret) = provider
        .register(
            json!({"name": "水利", "redirect_uris": ["https://water.example/cb"],
            "post_logout_redirect_uris": ["https://water.example/bye"]}),
        )
        .await;
    let good = format!(
        "client_id={id}&redirect_uri=https://water.example/cb&response_type=code&scope=openid&state=s1&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    // To an error page, and nowhere else.
    for (query, why) in [
        (
            good.replace("water.example/cb", "evil.example/cb"),
            "another host",
        ),
        (
            good.replace("example/cb", "example/cb/"),
            "one more character",
        ),
        (good.replace("example/cb", "example/cb?x=1"), "a query"),
        (
            good.replace("https://water", "http://water"),
            "another scheme",
        ),
        (
            good.replace("redirect_uri=https://water.example/cb&", ""),
            "none",
        ),
        (good.replace(&id, "jlc-nobody"), "an unknown client"),
        (format!("{good}&state=2"), "a parameter twice"),
        (
            format!("{good}&redirect_uri=https://evil.example/"),
            "an address twice",
        ),
    ] {
        let (status, location, body) = provider.sent(&format!("/oauth2/authorize?{query}")).await;
        assert_eq!((status, location), (400, None), "{why}");
        assert!(
            body.contains("无法登录") && !body.contains("evil.example"),
            "{why}: {body}"
        );
    }
    // Back to the client with the error.
    for (query, error) in [
        (
            good.replace(&format!("&code_challenge={CHALLENGE}"), ""),
            "invalid_request",
        ),
        (good.replace("S256", "plain"), "invalid_request"),
        (
            good.replace("&code_challenge_method=S256", ""),
            "invalid_request",
        ),
        (
            good.replace("type=code", "type=token"),
            "unsupported_response_type",
        ),
        (
            good.replace("scope=openid", "scope=openid+root"),
            "invalid_scope",
        ),
        (
            good.replace("scope=openid", "scope=openid+role"),
            "invalid_scope",
        ),
        (good.replace("scope=openid&", ""), "invalid_scope"),
        (
            format!("{good}&request_uri=https://evil.example"),
            "request_uri_not_supported",
        ),
        (format!("{good}&prompt=none+login"), "invalid_request"),
    ] {
        let (status, location, _) = provider.sent(&format!("/oauth2/authorize?{query}")).await;
        let location = location.unwrap();
        assert_eq!(status, 303);
        assert!(
            location.starts_with(&format!("https://water.example/cb?error={error}&"))
                && location.contains("state=s1"),
            "{location}"
        );
    }
    for query in [
        "post_logout_redirect_uri=https://evil.example/".to_owned(),
        format!("client_id={id}&post_logout_redirect_uri=https://evil.example/"),
        format!("client_id={id}&post_logout_redirect_uri=https://water.example/bye/.."),
        "post_logout_redirect_uri=https://water.example/bye".to_owned(),
        "id_token_hint=a.b.c".to_owned(),
    ] {
        let (status, location, _) = provider.sent(&format!("/oauth2/logout?{query}")).await;
        assert_eq!((status, location), (400, None), "{query}");
    }
    // The page's own questions understand the request anew.
    let cookie = provider.sign_in().await;
    let evil = good.replace("water.example", "evil.example");
    let answer = provider
        .post(
            "/api/v1/oidc/authorization",
            &cookie,
            &json!({"query": evil, "approve": true}),
        )
        .await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "oidc-redirect-uri")
    );
    // Without the stamp of the beginning, or with one that somebody made.
    for query in [good.clone(), format!("{good}&asked_at=1.00")] {
        let answer = provider
            .post(
                "/api/v1/oidc/authorization",
                &cookie,
                &json!({"query": query, "approve": true}),
            )
            .await;
        assert_eq!(answer.problem(), "oidc-begin-again");
    }
    let (_, location, _) = provider.sent(&format!("/oauth2/authorize?{good}")).await;
    let query = location.unwrap().split_once('?').unwrap().1.to_owned();
    // A forged consent: another site's page has the cookie at best, never the header.
    let body = json!({"query": query, "approve": true});
    let with = |r: reqwest::RequestBuilder| r.header("cookie", &cookie).json(&body);
    let forged = provider
        .city
        .ask("POST", "/api/v1/oidc/authorization", with)
        .await;
    assert_eq!((forged.status, forged.problem().as_str()), (403, "csrf"));
    // A machine's token is nobody who could sign in.
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&provider.city.admin).json(&body);
    let machine = provider
        .city
        .ask("POST", "/api/v1/oidc/authorization", with)
        .await;
    assert_eq!(machine.problem(), "oidc-person");
    // No: the client hears it.
    let said = provider
        .post(
            "/api/v1/oidc/authorization",
            &cookie,
            &json!({"query": query, "approve": false}),
        )
        .await;
    let to = said.json()["redirect_to"].as_str().unwrap().to_owned();
    assert!(
        to.starts_with("https://water.example/cb?error=access_denied&"),
        "{to}"
    );
    // Yes, and the code is good once, for this client, this address and this verifier.
    let said = provider
        .post("/api/v1/oidc/authorization", &cookie, &body)
        .await;
    let to = said.json()["redirect_to"].as_str().unwrap().to_owned();
    let code = to
        .split_once("code=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https://water.example/cb&code_verifier={verifier}"
    );
    let (other, other_secret) = provider
        .register(json!({"name": "交通", "redirect_uris": ["https://water.example/cb"]}))
        .await;
    for (id, secret, form, error) in [
        (&other, &other_secret, form.clone(), "invalid_grant"),
        (
            &id,
            &secret,
            form.replace("example/cb", "example/c"),
            "invalid_grant",
        ),
        (
            &id,
            &secret,
            form.replace("dBjft", "eBjft"),
            "invalid_grant",
        ),
        (
            &id,
            &secret,
            form.replace(&format!("&code_verifier={verifier}"), ""),
            "invalid_request",
        ),
        (
            &id,
            &secret,
            form.replace("authorization_code", "password"),
            "unsupported_grant_type",
        ),
        (
            &id,
            &secret,
            "grant_type=client_credentials".to_owned(),
            "unauthorized_client",
        ),
        (&id, &other_secret, form.clone(), "invalid_client"),
    ] {
        let (status, body) = provider.token(id, secret, &form).await;
        assert_eq!(body["error"], error, "{status} {body} for {form}");
    }
    let (status, tokens) = provider.token(&id, &secret, &form).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        provider.token(&id, &secret, &form).await.1["error"],
        "invalid_grant"
    );
    let access = tokens["access_token"].as_str().unwrap();
    // The code came twice: whoever has the tokens has them no longer.
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(access);
    let info = provider.city.ask("GET", "/oauth2/userinfo", with).await;
    assert_eq!(info.status, 401);
    assert_eq!(info.json()["error"], "invalid_token");
}

#[tokio::test]
async fn a_session_is_the_persons_own() {
    let provider = Provider::start();
    // What somebody put into the browser before is not taken up by the sign-in.
    let body = json!({"username": provider.username, "password": provider.password});
    let with =
        |r: reqwest::RequestBuilder| r.header("cookie", "jingling_session=chosen").json(&body);
    let signed_in = provider.city.ask("POST", "/api/v1/session", with).await;
    let cookie = signed_in.cookie.unwrap();
    assert!(!cookie.contains("chosen"));
    let with = |r: reqwest::RequestBuilder| r.header("cookie", "jingling_session=chosen");
    let who = provider.city.ask("GET", "/api/v1/session", with).await;
    assert_eq!(who.status, 401);
    // Who must sign in anew must, whatever cookie there is.
    let (id, _) = provider
        .register(json!({"name": "水利", "redirect_uris": ["https://water.example/cb"]}))
        .await;
    let ask = format!(
        "/oauth2/authorize?client_id={id}&redirect_uri=https://water.example/cb&response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let (_, location, _) = provider.sent(&format!("{ask}&prompt=login")).await;
    let query = location.unwrap().split_once('?').unwrap().1.to_owned();
    let path = format!("/api/v1/oidc/authorization?{query}");
    let question = provider
        .city
        .ask("GET", &path, |r| r.header("cookie", &cookie))
        .await;
    assert_eq!(question.json()["needs_sign_in"], true);
    let approve = json!({"query": query, "approve": true});
    let refused = provider
        .post("/api/v1/oidc/authorization", &cookie, &approve)
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "oidc-sign-in-again")
    );
    let anew = provider.sign_in().await;
    let said = provider
        .post("/api/v1/oidc/authorization", &anew, &approve)
        .await;
    assert_eq!(said.status, 200, "{said:?}");
    // Who may not be asked is not.
    let (_, location, _) = provider.sent(&format!("{ask}&prompt=none&state=q")).await;
    let query = location.unwrap().split_once('?').unwrap().1.to_owned();
    let refusal = provider
        .city
        .ask("GET", &format!("/api/v1/oidc/refusal?{query}"), |r| r)
        .await;
    let to = refusal.json()["redirect_to"].as_str().unwrap().to_owned();
    assert!(
        to.starts_with("https://water.example/cb?error=login_required&"),
        "{to}"
    );
    let said = provider
        .post(
            "/api/v1/oidc/authorization",
            &anew,
            &json!({"query": query, "approve": true}),
        )
        .await;
    let to = said.json()["redirect_to"].as_str().unwrap().to_owned();
    assert!(
        to.starts_with("https://water.example/cb?code="),
        "consent was given above: {to}"
    );
}

#[tokio::test]
async fn wrong_secrets_are_slowed_down() {
    let provider = Provider::start();
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) {
        assert!(statuses.len() < 20, "never slowed down: {statuses:?}");
        let (status, _) = provider
            .token("jlc-guess", "x", "grant_type=client_credentials")
            .await;
        statuses.push(status);
    }
    assert_eq!(statuses.len(), 11, "{statuses:?}");
    let (status, body) = provider
        .token("jlc-another", "x", "grant_type=client_credentials")
        .await;
    assert_eq!(
        (status, body["error"].as_str()),
        (401, Some("invalid_client"))
    );
}

#[tokio::test]
async fn without_a_public_address_there_is_no_provider_and_it_says_so() {
    let city = shared();
    for path in [
        "/.well-known/openid-configuration",
        "/oauth2/authorize?client_id=x",
        "/oauth2/jwks",
    ] {
        let answer = city.ask("GET", path, |r| r).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "oidc-off"),
            "{path}"
        );
    }
    // Systems can be registered all the same, from the command line too.
    let made = jingling_json(&[
        "oidc",
        "client",
        "add",
        &city.dir,
        "--name",
        "水利",
        "--redirect-uri",
        "https://water.example/cb",
        "--json",
    ]);
    let id = made["client"]["client_id"].as_str().unwrap();
    assert!(made["client_secret"].as_str().unwrap().starts_with("jls_"));
    let next = jingling_json(&[
        "oidc",
        "client",
        "rotate-secret",
        &city.dir,
        "--client-id",
        id,
        "--json",
    ]);
    assert_ne!(next["client_secret"], made["client_secret"]);
    let listed = jingling_json(&["oidc", "client", "list", &city.dir, "--json"]);
    assert_eq!(listed[0]["client_id"], id);
    let grants = jingling_json(&[
        "oidc",
        "grant",
        "list",
        &city.dir,
        "--username",
        "admin",
        "--json",
    ]);
    assert_eq!(grants, json!([]));
    let removed = jingling(&["oidc", "client", "remove", &city.dir, "--client-id", id]);
    assert!(removed.status.success(), "{}", text(&removed.stderr));
    let again = jingling(&["oidc", "client", "remove", &city.dir, "--client-id", id]);
    assert!(
        text(&again.stderr).contains("there is no client"),
        "{}",
        text(&again.stderr)
    );
    let bad = jingling(&[
        "oidc",
        "client",
        "add",
        &city.dir,
        "--name",
        "x",
        "--redirect-uri",
        "http://water.example/cb",
    ]);
    assert!(
        text(&bad.stderr).contains("use https"),
        "{}",
        text(&bad.stderr)
    );
    // And what they do is written down.
    let acts = city.get("/api/v1/audit?limit=100").await;
    let has = |action: &str| {
        acts["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|a| a["action"] == action)
    };
    for action in [
        "oidc.client.add",
        "oidc.client.secret",
        "oidc.client.remove",
    ] {
        assert!(has(action), "{action}");
    }
}

#[tokio::test]
async fn a_closed_account_takes_its_refresh_tokens_with_it_and_systems_are_told() {
    let provider = Provider::start();
    // A system inside that hears of ended sessions.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let told_at = format!("http://{}/out", listener.local_addr().unwrap());
    let told = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        let mut piece = [0; 4_096];
        while !text(&heard).contains("logout_token=") {
            let n = stream.read(&mut piece).unwrap();
            assert!(n > 0, "{}", text(&heard));
            heard.extend(&piece[..n]);
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let (id, secret) = provider
        .register(json!({
            "name": "水利", "redirect_uris": ["https://water.example/cb"],
            "backchannel_logout_uri": told_at,
            "grants": ["authorization_code", "refresh_token"],
            "scopes": ["openid", "offline_access"],
        }))
        .await;
    // RFC 7636 appendix B: the verifier of the challenge.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let cookie = provider.sign_in().await;
    let ask = format!(
        "/oauth2/authorize?client_id={id}&redirect_uri=https://water.example/cb&response_type=code&scope=openid%20offline_access&prompt=consent&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let (_, location, _) = provider.sent(&ask).await;
    let query = location.unwrap().split_once('?').unwrap().1.to_owned();
    let approve = json!({"query": query, "approve": true});
    let said = provider
        .post("/api/v1/oidc/authorization", &cookie, &approve)
        .await;
    let to = said.json()["redirect_to"].as_str().unwrap().to_owned();
    let code = to.split_once("code=").unwrap().1.split('&').next().unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https://water.example/cb&code_verifier={verifier}"
    );
    let (status, given) = provider.token(&id, &secret, &form).await;
    assert_eq!(status, 200, "{given}");
    let refresh = |given: &Json| {
        let token = given["refresh_token"].as_str().unwrap();
        format!("grant_type=refresh_token&refresh_token={token}")
    };
    let (status, given) = provider.token(&id, &secret, &refresh(&given)).await;
    assert_eq!(status, 200, "{given}");
    // Closed, and opened again: the refresh token is not good any more.
    let people = provider
        .city
        .ask("GET", "/api/v1/session", |r| r.header("cookie", &cookie))
        .await;
    let person = people.json()["user"]["id"].as_i64().unwrap();
    let cookie = provider.city.signed_in("admin").await;
    for disabled in [true, false] {
        let path = format!("/api/v1/accounts/{person}/access");
        let body = json!({"disabled": disabled, "reason": "调离"});
        let changed = provider.city.send(&cookie, "POST", &path, &body).await;
        assert_eq!(changed.status, 200, "{changed:?}");
    }
    let (status, refused) = provider.token(&id, &secret, &refresh(&given)).await;
    assert_eq!(
        (status, &refused["error"]),
        (400, &json!("invalid_grant")),
        "{refused}"
    );
    tokio::task::spawn_blocking(move || told.join().unwrap())
        .await
        .unwrap();
}
