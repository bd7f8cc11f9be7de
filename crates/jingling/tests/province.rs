//! The running city as a client of an outside OpenID Connect provider (省统一身份认证): one that nobody here wrote signs people
//! in, and what one that lies, breaks or never answers sends signs nobody in.

use crate::support::{City, jingling, shared, text, until};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::foreign::Node;

const BEGIN: &str = "/api/v1/session/outside/province";
const NETWORKS: &str = "sign_in.provider_networks=[\"127.0.0.0/8\"]";

/// The setting of one provider; `more` are further keys.
fn setting(issuer: &str, more: &str) -> String {
    format!(
        "sign_in.provider=[{{id=\"province\", name_zh=\"省统一身份认证\", name_en=\"the province\", issuer=\"{issuer}\", client_id=\"city\"{more}}}]"
    )
}

#[test]
fn an_independent_provider_signs_people_in() {
    let node = Node {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "province-node",
        packages: &["oidc-provider"],
    };
    let modules = match node.make() {
        Ok(modules) => modules,
        Err(why) => {
            eprintln!("skipped: oidc-provider cannot be installed from npm here: {why}");
            return;
        }
    };
    let mut provider = Command::new("node")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/province_provider.js"
        ))
        .env("NODE_PATH", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(provider.stdout.take().unwrap());
    let mut issuer = String::new();
    said.read_line(&mut issuer).unwrap();
    let (folder, dir) = crate::support::new_city();
    std::fs::write(
        format!("{dir}/secrets/province.txt"),
        "a secret of the city, with & and %\n",
    )
    .unwrap();
    let province = setting(
        issuer.trim(),
        ", client_secret_file=\"secrets/province.txt\"",
    );
    let city = City::start_in(folder, dir, &[&province, NETWORKS]);
    let password = city.add_person("wang", "duty");
    // Under the name that the city is reached by from this machine.
    let address = format!("http://localhost:{}", city.address("http").port());
    let mut stdin = provider.stdin.take().unwrap();
    write!(stdin, "{address}\nwang\n{password}\n").unwrap();
    let mut last = String::new();
    for line in said.lines().map_while(Result::ok) {
        last = line;
    }
    let output = provider.wait_with_output().unwrap();
    assert!(
        output.status.success() && last == "content",
        "{last}\n{}",
        text(&output.stderr)
    );
}

/// A provider that does what a test tells it.
struct Bad {
    issuer: String,
    told: Arc<Mutex<Told>>,
    key: EcdsaKeyPair,
}

struct Told {
    issuer: String,
    description: Json,
    keys: Vec<u8>,
    keys_asked: usize,
    /// What the token endpoint answers.
    tokens: (u16, String),
    /// What it was asked last.
    asked: String,
}

type Shared = State<Arc<Mutex<Told>>>;

fn json_of(body: impl Into<axum::body::Body>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body.into())
}

impl Bad {
    async fn start() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        let key = key.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let issuer = format!("http://{address}");
        let told = Arc::new(Mutex::new(Told {
            issuer: issuer.clone(),
            description: Json::Null,
            keys: jwks(&key, "k").to_string().into_bytes(),
            keys_asked: 0,
            tokens: (200, String::new()),
            asked: String::new(),
        }));
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(|State(told): Shared| async move {
                    let told = told.lock().unwrap();
                    let (issuer, mut said) = (&told.issuer, json!({}));
                    let own = json!({
                        "issuer": issuer,
                        "authorization_endpoint": format!("{issuer}/auth"),
                        "token_endpoint": format!("{issuer}/token"),
                        "jwks_uri": format!("{issuer}/jwks"),
                        "response_types_supported": ["code"],
                        "authorization_response_iss_parameter_supported": true,
                    });
                    for from in [&own, &told.description] {
                        for (name, value) in from.as_object().into_iter().flatten() {
                            said[name] = value.clone();
                        }
                    }
                    json_of(said.to_string())
                }),
            )
            .route(
                "/jwks",
                get(|State(told): Shared| async move {
                    let mut told = told.lock().unwrap();
                    told.keys_asked += 1;
                    json_of(told.keys.clone())
                }),
            )
            .route(
                "/token",
                post(|State(told): Shared, body: String| async move {
                    let mut told = told.lock().unwrap();
                    told.asked = body;
                    let (status, body) = told.tokens.clone();
                    (StatusCode::from_u16(status).unwrap(), json_of(body))
                }),
            )
            .route("/never", get(std::future::pending::<()>))
            .with_state(told.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, told, key }
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap());
    }

    fn claims(&self, way: &Way) -> Json {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        json!({"iss": self.issuer, "aud": "city", "sub": "u-1", "iat": now, "exp": now + 300, "nonce": way.nonce,
            "job_number": "wang"})
    }

    fn token(&self, header: &Json, claims: &Json) -> String {
        let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = match header["alg"].as_str().unwrap() {
            "none" => Vec::new(),
            "HS256" => {
                let public = self.key.public_key().as_ref();
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public);
                ring::hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
            }
            _ => {
                let signed = self.key.sign(&SystemRandom::new(), input.as_bytes());
                signed.unwrap().as_ref().to_vec()
            }
        };
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The next code is worth this ID token.
    fn gives(&self, header: &Json, claims: &Json) {
        let body = json!({"access_token": "a", "token_type": "Bearer", "id_token": self.token(header, claims)});
        self.tell(|told| told.tokens = (200, body.to_string()));
    }
}

fn jwks(key: &EcdsaKeyPair, kid: &str) -> Json {
    let point = key.public_key().as_ref();
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": kid, "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
        "y": URL_SAFE_NO_PAD.encode(&point[33..])}]})
}

fn good_header() -> Json {
    json!({"alg": "ES256", "kid": "k"})
}

/// A browser that is at the provider.
struct Way {
    cookie: String,
    state: String,
    nonce: String,
}

/// How it came back.
#[derive(Debug)]
struct Back {
    status: u16,
    to: Option<String>,
    session: Option<String>,
    page: String,
}

async fn begin(city: &City, return_to: Option<&str>) -> Way {
    let body = json!({"return_to": return_to});
    let begun = city.ask("POST", BEGIN, |r| r.json(&body)).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let to = begun.json()["redirect_to"].as_str().unwrap().to_owned();
    let value = |name: &str| {
        let (_, after) = to.split_once(&format!("&{name}=")).unwrap();
        after.split('&').next().unwrap().to_owned()
    };
    assert_eq!(value("code_challenge_method"), "S256");
    Way {
        cookie: begun.cookie.unwrap(),
        state: value("state"),
        nonce: value("nonce"),
    }
}

async fn came_back(city: &City, cookie: &str, query: &str) -> Back {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client
        .get(format!(
            "http://{}{BEGIN}/callback?{query}",
            city.address("http")
        ))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    let text_of = |value: &header::HeaderValue| value.to_str().unwrap().to_owned();
    let cookies = answer.headers().get_all("set-cookie").iter();
    let session = cookies
        .map(|c| c.to_str().unwrap())
        .find(|c| c.starts_with("jingling_session="));
    Back {
        status: answer.status().as_u16(),
        to: answer.headers().get("location").map(text_of),
        session: session.map(|c| c.split(';').next().unwrap().to_owned()),
        page: answer.text().await.unwrap(),
    }
}

impl Back {
    fn refused(&self, code: &str) -> bool {
        self.session.is_none()
            && self.to.is_none()
            && self.page.contains(&format!("<code>{code}</code>"))
    }
}

/// An answer with a code.
fn answer(bad: &Bad, way: &Way) -> String {
    format!("code=c&state={}&iss={}", way.state, bad.issuer)
}

#[tokio::test]
async fn forged_answers_sign_nobody_in() {
    let bad = Bad::start().await;
    let city = City::start_with(&[
        &setting(&bad.issuer, ", link_claim=\"job_number\""),
        NETWORKS,
    ]);
    city.add_person("wang", "duty");
    // That the same flow signs in when nothing is forged is what makes the refusals below mean anything.
    let way = begin(&city, Some("/cases")).await;
    bad.gives(&good_header(), &bad.claims(&way));
    let back = came_back(&city, &way.cookie, &answer(&bad, &way)).await;
    assert_eq!(
        (back.status, back.to.as_deref()),
        (303, Some("/cases")),
        "{back:?}"
    );
    let session = back.session.unwrap();
    let who = city
        .ask("GET", "/api/v1/session", |r| r.header("cookie", &session))
        .await;
    assert_eq!(who.json()["user"]["username"], "wang");
    let asked = bad.told.lock().unwrap().asked.clone();
    assert!(
        asked.contains("code_verifier=") && asked.contains("client_id=city"),
        "{asked}"
    );
    let past = 1_600_000_000;
    for (what, header, name, value) in [
        (
            "the nonce of another",
            good_header(),
            "nonce",
            json!("other"),
        ),
        ("no nonce", good_header(), "nonce", Json::Null),
        (
            "unsigned",
            json!({"alg": "none"}),
            "job_number",
            json!("wang"),
        ),
        (
            "the public key as a secret",
            json!({"alg": "HS256", "kid": "k"}),
            "job_number",
            json!("wang"),
        ),
        (
            "another algorithm's name",
            json!({"alg": "RS256", "kid": "k"}),
            "job_number",
            json!("wang"),
        ),
        (
            "an unknown key",
            json!({"alg": "ES256", "kid": "other"}),
            "job_number",
            json!("wang"),
        ),
        (
            "another issuer",
            good_header(),
            "iss",
            json!("https://sso.example"),
        ),
        ("another client's", good_header(), "aud", json!("other")),
        ("expired", good_header(), "exp", json!(past)),
        ("given long ago", good_header(), "iat", json!(past)),
        ("not yet", good_header(), "nbf", json!(4_000_000_000_i64)),
        ("nobody", good_header(), "sub", json!("")),
    ] {
        let way = begin(&city, None).await;
        let mut claims = bad.claims(&way);
        claims[name] = value;
        bad.gives(&header, &claims);
        let back = came_back(&city, &way.cookie, &answer(&bad, &way)).await;
        assert!(back.refused("outside-answer"), "{what}: {back:?}");
    }
    // A broken signature, no ID token, and a code that the provider refuses.
    let way = begin(&city, None).await;
    let mut token = bad.token(&good_header(), &bad.claims(&way));
    token.replace_range(token.len() - 4.., "AAAA");
    for tokens in [
        (200, json!({"id_token": token})),
        (200, json!({"access_token": "a"})),
        (400, json!({"error": "invalid_grant"})),
    ] {
        bad.tell(|told| told.tokens = (tokens.0, tokens.1.to_string()));
        let way = begin(&city, None).await;
        let back = came_back(&city, &way.cookie, &answer(&bad, &way)).await;
        assert!(back.refused("outside-answer"), "{tokens:?}: {back:?}");
    }
    // The provider says that it names itself (RFC 9207): an answer that does not, or names another, is another's.
    for iss in ["", "&iss=https://sso.example"] {
        let way = begin(&city, None).await;
        bad.gives(&good_header(), &bad.claims(&way));
        let query = format!("code=c&state={}{iss}", way.state);
        let back = came_back(&city, &way.cookie, &query).await;
        assert!(back.refused("outside-answer"), "{iss}: {back:?}");
    }
    let refused = city
        .get("/api/v1/audit?action=session.refused&limit=100")
        .await;
    let refused = refused["items"].as_array().unwrap();
    assert!(
        refused.len() >= 17
            && refused
                .iter()
                .all(|r| r["detail"]["provider"] == "province")
    );
}

#[tokio::test]
async fn an_answer_comes_back_once_and_to_its_own_browser() {
    let bad = Bad::start().await;
    let city = City::start_with(&[
        &setting(&bad.issuer, ", link_claim=\"job_number\""),
        NETWORKS,
    ]);
    city.add_person("wang", "duty");
    let (one, other) = (begin(&city, None).await, begin(&city, None).await);
    bad.gives(&good_header(), &bad.claims(&one));
    // Another browser's state, a made-up one, none at all, one that is there twice.
    for (cookie, state) in [
        (&other.cookie, one.state.clone()),
        (&one.cookie, "made-up".to_owned()),
        (&one.cookie, String::new()),
        (&one.cookie, format!("{0}&state={0}", one.state)),
        (&String::new(), one.state.clone()),
    ] {
        let query = format!("code=c&state={state}&iss={}", bad.issuer);
        let back = came_back(&city, cookie, &query).await;
        assert!(back.refused("sign-in-begin-again"), "{state}: {back:?}");
    }
    let first = came_back(&city, &one.cookie, &answer(&bad, &one)).await;
    assert_eq!(
        (first.status, first.to.as_deref()),
        (303, Some("/")),
        "{first:?}"
    );
    let again = came_back(&city, &one.cookie, &answer(&bad, &one)).await;
    assert!(again.refused("sign-in-begin-again"), "{again:?}");
    // A session that somebody put into the browser before is not the one that is opened.
    let fixed = format!("{}; jingling_session=fixed", other.cookie);
    bad.gives(&good_header(), &bad.claims(&other));
    let opened = came_back(&city, &fixed, &answer(&bad, &other)).await;
    assert!(
        opened
            .session
            .is_some_and(|s| s != "jingling_session=fixed" && Some(s) != first.session)
    );
    // Nobody is sent on to another site.
    for return_to in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/api/v1/session",
        "cases",
    ] {
        let body = json!({"return_to": return_to});
        let begun = city.ask("POST", BEGIN, |r| r.json(&body)).await;
        assert_eq!(
            (begun.status, begun.problem().as_str()),
            (400, "outside-return-to"),
            "{return_to}"
        );
    }
    // Another site's page begins nothing here.
    let from =
        |r: reqwest::RequestBuilder| r.header("origin", "https://evil.example").json(&json!({}));
    let forged = city.ask("POST", BEGIN, from).await;
    assert_eq!((forged.status, forged.problem().as_str()), (403, "csrf"));
}

#[tokio::test]
async fn a_closed_account_is_refused_and_who_manages_accounts_unlinks() {
    let bad = Bad::start().await;
    let city = City::start_with(&[
        &setting(&bad.issuer, ", link_claim=\"job_number\""),
        NETWORKS,
    ]);
    city.add_person("wang", "duty");
    let sign_in = async || {
        let way = begin(&city, None).await;
        bad.gives(&good_header(), &bad.claims(&way));
        came_back(&city, &way.cookie, &answer(&bad, &way)).await
    };
    let session = sign_in().await.session.unwrap();
    let who = city
        .ask("GET", "/api/v1/session", |r| r.header("cookie", &session))
        .await;
    let path = "/api/v1/users/wang/identities";
    let duty = city.token_of("duty");
    let may_not = city.ask("GET", path, |r| r.bearer_auth(&duty)).await;
    assert_eq!(may_not.status, 403);
    let listed = city
        .ask("GET", path, |r| r.bearer_auth(&city.admin))
        .await
        .json();
    assert_eq!(listed["items"][0]["linked_by"], "claim");
    // A machine has no account to link to.
    let link = json!({"provider": "province"});
    let machine = city
        .ask("POST", "/api/v1/account/identities", |r| {
            r.bearer_auth(&duty).json(&link)
        })
        .await;
    assert_eq!(
        (machine.status, machine.problem().as_str()),
        (400, "account-person")
    );
    let one = format!("{path}/{}", listed["items"][0]["id"]);
    let gone = city
        .ask("DELETE", &one, |r| r.bearer_auth(&city.admin))
        .await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let over = city
        .ask("GET", "/api/v1/session", |r| r.header("cookie", &session))
        .await;
    assert_eq!(over.status, 401, "the sessions end with it");
    let again = city
        .ask("DELETE", &one, |r| r.bearer_auth(&city.admin))
        .await;
    assert_eq!(again.status, 404);
    // Linked anew by the claim; then the account is closed.
    assert!(sign_in().await.session.is_some());
    let admin = city.signed_in("admin").await;
    let path = format!("/api/v1/accounts/{}/access", who.json()["user"]["id"]);
    let body = json!({"disabled": true, "reason": "离职"});
    let closed = city.send(&admin, "POST", &path, &body).await;
    assert_eq!(closed.status, 200, "{closed:?}");
    let back = sign_in().await;
    assert!(
        back.status == 401 && back.refused("sign-in-wrong"),
        "{back:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_out_of_order_is_told_as_what_it_is() {
    // What each does wrong, and what the command says of it.
    for (description, keys, told) in [
        (Json::Null, None, ""),
        (
            json!({"issuer": "https://sso.example"}),
            None,
            "it is of the issuer",
        ),
        (
            json!({"response_types_supported": ["id_token"]}),
            None,
            "response type",
        ),
        (Json::Null, Some("{}".to_owned()), "do not read"),
        (
            Json::Null,
            Some(" ".repeat(300 * 1024)),
            "longer than 262144 bytes",
        ),
    ] {
        let bad = Bad::start().await;
        bad.tell(|t| {
            t.description = description.clone();
            if let Some(keys) = &keys {
                t.keys = keys.clone().into_bytes();
            }
        });
        let (_folder, dir) = crate::support::new_city();
        let province = setting(&bad.issuer, "");
        let words = [
            "provider", "check", &dir, "--json", "--set", &province, "--set", NETWORKS,
        ];
        let words = words.map(str::to_owned);
        // The provider answers on this thread meanwhile.
        let said = tokio::task::spawn_blocking(move || {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            jingling(&words)
        });
        let said = said.await.unwrap();
        let found: Json = serde_json::from_slice(&said.stdout).unwrap();
        let is_good = told.is_empty();
        assert_eq!(said.status.code(), Some(i32::from(!is_good)), "{found}");
        match is_good {
            true => assert_eq!(found[0]["keys"], 1, "{found}"),
            false => assert!(
                found[0]["problem"]["what"].as_str().unwrap().contains(told),
                "{found}"
            ),
        }
    }
    // One that never answers, and one that is inside where nothing is allowed: 503, and the city goes on.
    let bad = Bad::start().await;
    let never = json!({"jwks_uri": format!("{}/never", bad.issuer)});
    bad.tell(|t| t.description = never);
    let city = City::start_with(&[
        &setting(&bad.issuer, ", link_claim=\"job_number\""),
        NETWORKS,
    ]);
    let way = begin(&city, None).await;
    bad.gives(&good_header(), &bad.claims(&way));
    let back = came_back(&city, &way.cookie, &answer(&bad, &way)).await;
    assert!(
        back.status == 503 && back.refused("outside-unreachable"),
        "{back:?}"
    );
    let inside = City::start_with(&[&setting(&bad.issuer, "")]);
    let begun = inside.ask("POST", BEGIN, |r| r.json(&json!({}))).await;
    assert_eq!(
        (begun.status, begun.problem().as_str()),
        (503, "outside-unreachable")
    );
    // The log is read beside the answers, and may come behind them.
    until("the log says which setting", async || {
        inside.log().contains("sign_in.provider_networks")
    })
    .await;
}

#[tokio::test]
async fn new_keys_are_fetched_once_a_minute_at_most() {
    let bad = Bad::start().await;
    let city = City::start_with(&[
        &setting(&bad.issuer, ", link_claim=\"job_number\""),
        NETWORKS,
    ]);
    city.add_person("wang", "duty");
    for kid in ["k", "unknown", "unknown", "unknown"] {
        let way = begin(&city, None).await;
        bad.gives(&json!({"alg": "ES256", "kid": kid}), &bad.claims(&way));
        let back = came_back(&city, &way.cookie, &answer(&bad, &way)).await;
        assert_eq!(back.session.is_some(), kid == "k", "{kid}: {back:?}");
    }
    assert_eq!(bad.told.lock().unwrap().keys_asked, 1);
}

#[tokio::test]
async fn where_there_is_no_provider_nothing_is_reachable() {
    let city = shared();
    let cookie = city.signed_in("admin").await;
    for (method, path, body) in [
        ("POST", BEGIN, json!({})),
        (
            "GET",
            "/api/v1/session/outside/province/callback?code=c&state=s",
            Json::Null,
        ),
        ("GET", "/api/v1/account/identities", Json::Null),
        (
            "POST",
            "/api/v1/account/identities",
            json!({"provider": "province"}),
        ),
        ("DELETE", "/api/v1/account/identities/1", Json::Null),
        ("GET", "/api/v1/users/wang/identities", Json::Null),
        ("DELETE", "/api/v1/users/wang/identities/1", Json::Null),
    ] {
        let answer = city.send(&cookie, method, path, &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "outside-off"),
            "{method} {path}"
        );
    }
    let methods = city
        .ask("GET", "/api/v1/session/methods", |r| r)
        .await
        .json();
    assert_eq!(methods["providers"], json!([]));
    let told = city.ask("GET", "/api/v1/session/second", |r| r).await;
    assert_eq!(
        (told.status, told.problem().as_str()),
        (400, "sign-in-begin-again")
    );
}
