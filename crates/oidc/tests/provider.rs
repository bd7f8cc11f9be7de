//! The provider on real records, at times that the test chooses: what expires, what was forged, what comes twice.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use oidc::asked::Unfit;
use oidc::form::Form;
use oidc::{Client, ClientDraft, Keys, Options, Provider, Signed, TokenAnswer, secret};
use records::users::{self, NewUser};
use records::{Actor, Event, Records, Secret, audit};
use serde_json::{Value, json};
use std::sync::OnceLock;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://city.example";
const BACK: &str = "https://water.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Keys are dear to make.
fn keys() -> Keys {
    static TEXT: OnceLock<String> = OnceLock::new();
    Keys::parse(TEXT.get_or_init(|| Keys::generate(&mut rand::rng(), T0).unwrap().text())).unwrap()
}

struct City {
    provider: Provider,
    records: Records,
    client: Client,
    secret: String,
    user_id: i64,
    _dir: tempfile::TempDir,
}

fn form(text: &str) -> Form {
    Form::parse(text.as_bytes()).unwrap()
}

impl City {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::open(&dir.path().join("records.sqlite"))
            .await
            .unwrap();
        let provider = Provider::shut(records.clone(), Options::default(), rand::random)
            .opened(ISSUER, keys(), Box::new(|_| Ok(())))
            .unwrap();
        let draft = ClientDraft {
            name: "水利".to_owned(),
            redirect_uris: vec![BACK.to_owned()],
            backchannel_logout_uri: Some("https://water.example/ended".to_owned()),
            grants: [
                "authorization_code",
                "refresh_token",
                "device_code",
                "client_credentials",
            ]
            .map(str::to_owned)
            .to_vec(),
            scopes: oidc::client::SCOPES.map(str::to_owned).to_vec(),
            asks_consent: true,
            ..ClientDraft::default()
        };
        let made = provider
            .add_client(&draft, &Actor::command_line(), T0)
            .await
            .unwrap();
        let new = NewUser {
            username: "wang".to_owned(),
            name: "王敏".to_owned(),
            role: "duty".to_owned(),
            organisation_id: None,
            password_hash: Secret::new("-".to_owned()),
        };
        let mut write = records.write().await.unwrap();
        let user = users::insert(&mut write, &new, T0).await.unwrap().unwrap();
        write.commit().await.unwrap();
        Self {
            provider,
            records,
            client: made.client,
            secret: made.secret.unwrap(),
            user_id: user.id,
            _dir: dir,
        }
    }

    fn signed(&self) -> Signed {
        Signed {
            user_id: self.user_id,
            sid: secret::sid("s"),
            auth_time: T0,
        }
    }

    async fn code(&self, scope: &str, now: Timestamp) -> String {
        let asked = form(&format!(
            "client_id={}&redirect_uri={BACK}&response_type=code&scope={scope}&nonce=n1&code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.client.id()
        ));
        let asked = self.provider.understand(&asked).await.unwrap().unwrap();
        let to = self
            .provider
            .approve(&asked, &self.signed(), now, &Actor::system("test"), now)
            .await
            .unwrap();
        let query = to.split_once('?').unwrap().1;
        form(query).get("code").unwrap().to_owned()
    }

    async fn exchange(&self, text: &str, now: Timestamp) -> Result<TokenAnswer, &'static str> {
        let answer = self
            .provider
            .exchange(&self.client, &form(text), "p", now)
            .await;
        answer.map_err(|fault| fault.error)
    }

    async fn redeem(&self, code: &str, now: Timestamp) -> Result<TokenAnswer, &'static str> {
        self.exchange(
            &format!("grant_type=authorization_code&code={code}&redirect_uri={BACK}&code_verifier={VERIFIER}"),
            now,
        )
        .await
    }

    async fn tokens(&self, scope: &str, now: Timestamp) -> TokenAnswer {
        let code = self.code(scope, now).await;
        self.redeem(&code, now).await.unwrap()
    }

    async fn refresh(&self, token: &str, now: Timestamp) -> Result<TokenAnswer, &'static str> {
        self.exchange(
            &format!("grant_type=refresh_token&refresh_token={token}"),
            now,
        )
        .await
    }

    async fn is_active(&self, token: &str, now: Timestamp) -> bool {
        let asked = form(&format!("token={token}"));
        self.provider
            .introspect(&self.client, &asked, now)
            .await
            .unwrap()
            .active
    }

    async fn disable(&self, disabled: bool) {
        let mut write = self.records.write().await.unwrap();
        let mut user = users::get(&mut write, self.user_id).await.unwrap().unwrap();
        user.disabled = disabled;
        users::update(&mut write, &user).await.unwrap();
        write.commit().await.unwrap();
    }

    async fn acts(&self, act: Event) -> usize {
        audit::since(&mut self.records.read().await.unwrap(), 0, act, 100)
            .await
            .unwrap()
            .len()
    }
}

#[tokio::test]
async fn a_code_is_good_for_a_minute_and_once() {
    let city = City::new().await;
    let code = city.code("openid+profile", T0).await;
    assert_eq!(
        city.redeem(&code, T0.plus_seconds(60)).await,
        Err("invalid_grant"),
        "expired"
    );
    let tokens = city.redeem(&code, T0.plus_seconds(59)).await.unwrap();
    assert_eq!(
        tokens.refresh_token, None,
        "offline_access was not asked for"
    );
    let now = T0.plus_seconds(60);
    assert!(city.is_active(&tokens.access_token, now).await);
    assert_eq!(
        city.redeem(&code, now).await,
        Err("invalid_grant"),
        "replayed"
    );
    assert!(
        !city.is_active(&tokens.access_token, now).await,
        "and what it gave is taken back"
    );
    assert_eq!(city.acts(Event::OidcReplay).await, 1);
    assert_eq!(city.redeem("jlo_made-up", now).await, Err("invalid_grant"));
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_the_sign_in() {
    let city = City::new().await;
    let first = city.tokens("openid+offline_access", T0).await;
    let other = city.tokens("openid+offline_access", T0).await;
    let second = city
        .refresh(first.refresh_token.as_deref().unwrap(), T0)
        .await
        .unwrap();
    let token = second.refresh_token.clone().unwrap();
    let asked = format!("grant_type=refresh_token&refresh_token={token}&scope=openid+profile");
    assert_eq!(
        city.exchange(&asked, T0).await,
        Err("invalid_scope"),
        "more than was granted"
    );
    assert_eq!(
        city.refresh(first.refresh_token.as_deref().unwrap(), T0)
            .await,
        Err("invalid_grant")
    );
    assert_eq!(city.refresh(&token, T0).await, Err("invalid_grant"));
    assert!(!city.is_active(&second.access_token, T0).await);
    assert!(
        city.is_active(&other.access_token, T0).await,
        "another sign-in goes on"
    );
    // Unused for two weeks; used, for three months and no longer.
    let mut token = other.refresh_token.unwrap();
    let late = T0.plus_seconds(14 * 86_400);
    assert_eq!(city.refresh(&token, late).await, Err("invalid_grant"));
    for days in (10..90).step_by(10) {
        token = city
            .refresh(&token, T0.plus_seconds(days * 86_400))
            .await
            .unwrap()
            .refresh_token
            .unwrap();
    }
    assert_eq!(
        city.refresh(&token, T0.plus_seconds(90 * 86_400)).await,
        Err("invalid_grant")
    );
}

#[tokio::test]
async fn a_closed_account_has_no_tokens() {
    let city = City::new().await;
    let tokens = city.tokens("openid+offline_access", T0).await;
    let code = city.code("openid", T0).await;
    city.disable(true).await;
    assert_eq!(city.redeem(&code, T0).await, Err("invalid_grant"));
    assert_eq!(
        city.refresh(tokens.refresh_token.as_deref().unwrap(), T0)
            .await,
        Err("invalid_grant")
    );
    assert!(!city.is_active(&tokens.access_token, T0).await);
    assert_eq!(
        city.provider
            .user_info(&tokens.access_token, T0)
            .await
            .unwrap_err()
            .error,
        "invalid_token"
    );
    city.disable(false).await;
    assert!(city.is_active(&tokens.access_token, T0).await);
}

/// A token with other words in it, signed as somebody else would.
fn forged(
    token: &str,
    header: &Value,
    change: impl FnOnce(&mut Value),
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    change(&mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[tokio::test]
async fn forged_tokens_are_worth_nothing() {
    let city = City::new().await;
    let tokens = city.tokens("openid", T0).await;
    let token = tokens.access_token.as_str();
    let check = |token: &str, now| city.provider.check_access_token(token, now);
    let jwk = &keys().jwks(1, T0)["keys"][0];
    let kid = jwk["kid"].clone();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let hmac = |key: &[u8], message: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::sign(&key, message).as_ref().to_vec()
    };
    let good = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid});
    let header = |member: &str, value: Value| {
        let mut header = good.clone();
        header[member] = value;
        header
    };
    let signature = token.rsplit('.').next().unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    use oidc::tokens::Bad;
    let same = |_: &mut Value| {};
    let cases = [
        (
            "alg none",
            forged(token, &header("alg", json!("none")), same, |_| Vec::new()),
            Bad::Key,
        ),
        (
            "alg None",
            forged(token, &header("alg", json!("None")), same, |_| Vec::new()),
            Bad::Key,
        ),
        (
            "HS256 with the public key",
            forged(token, &header("alg", json!("HS256")), same, |m| hmac(&n, m)),
            Bad::Key,
        ),
        (
            "RS512",
            forged(token, &header("alg", json!("RS512")), same, |_| {
                signature.clone()
            }),
            Bad::Key,
        ),
        (
            "ES256",
            forged(token, &header("alg", json!("ES256")), same, |_| vec![0; 64]),
            Bad::Key,
        ),
        (
            "another key",
            forged(token, &header("kid", json!("other")), same, |_| {
                signature.clone()
            }),
            Bad::Key,
        ),
        (
            "another kind",
            forged(token, &header("typ", json!("JWT")), same, |_| {
                signature.clone()
            }),
            Bad::Form,
        ),
        (
            "a key of its own",
            forged(
                token,
                &{
                    let mut h = good.clone();
                    h["jwk"] = json!({"kty": "oct", "k": "AAAA"});
                    h
                },
                |c| c["sub"] = json!("user:1"),
                |m| hmac(&[0; 3], m),
            ),
            Bad::Signature,
        ),
        (
            "what must be understood",
            forged(token, &header("crit", json!(["b64"])), same, |_| {
                signature.clone()
            }),
            Bad::Key,
        ),
        (
            "other words",
            forged(
                token,
                &good,
                |c| c["scope"] = json!("role"),
                |_| signature.clone(),
            ),
            Bad::Signature,
        ),
        (
            "no signature",
            forged(token, &good, same, |_| Vec::new()),
            Bad::Signature,
        ),
        ("no token", "a.b.c".to_owned(), Bad::Form),
        ("nothing", String::new(), Bad::Form),
        ("too long", "a".repeat(9_000), Bad::Form),
    ];
    for (what, token, bad) in cases {
        let found = check(&token, T0).unwrap_err();
        assert!(
            found == bad || (bad == Bad::Key && found == Bad::Form),
            "{what}: {found:?}"
        );
        if !token.is_empty() {
            assert!(!city.is_active(&token, T0).await, "{what}");
        }
    }
    assert_eq!(
        check(tokens.id_token.as_deref().unwrap(), T0),
        Err(Bad::Form),
        "an ID token opens nothing"
    );
    // Clocks may differ by five seconds.
    assert!(check(token, T0).is_ok());
    assert!(check(token, T0.plus_seconds(604)).is_ok());
    assert_eq!(check(token, T0.plus_seconds(605)), Err(Bad::Expired));
    assert!(check(token, T0.plus_seconds(-5)).is_ok());
    assert_eq!(check(token, T0.plus_seconds(-6)), Err(Bad::NotYet));
    // Another issuer with the same keys is another.
    let elsewhere = Provider::shut(city.records.clone(), Options::default(), rand::random)
        .opened("https://other.example", keys(), Box::new(|_| Ok(())))
        .unwrap();
    assert_eq!(elsewhere.check_access_token(token, T0), Err(Bad::Issuer));
}

#[tokio::test]
async fn a_device_waits_for_its_person_and_not_too_eagerly() {
    let city = City::new().await;
    let begin = |now| {
        let city = &city;
        async move {
            city.provider
                .begin_device(&city.client, &form("scope=openid"), "p", now)
                .await
                .unwrap()
        }
    };
    let device = begin(T0).await;
    let poll = |code: &str, at: i64| {
        let (city, text) = (
            &city,
            format!("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code={code}"),
        );
        async move { city.exchange(&text, T0.plus_seconds(at)).await }
    };
    assert_eq!(
        poll(&device.device_code, 0).await,
        Err("authorization_pending")
    );
    assert_eq!(poll(&device.device_code, 4).await, Err("slow_down"));
    assert_eq!(
        poll(&device.device_code, 13).await,
        Err("slow_down"),
        "ten seconds now"
    );
    assert_eq!(
        poll(&device.device_code, 30).await,
        Err("authorization_pending")
    );
    let typed = device.user_code.to_lowercase().replace('-', "");
    let answer = |typed: String, approves, at: i64| {
        let city = &city;
        async move {
            let actor = Actor::system("test");
            city.provider
                .answer_device(
                    &typed,
                    approves,
                    &city.signed(),
                    &actor,
                    T0.plus_seconds(at),
                )
                .await
        }
    };
    answer(typed.clone(), true, 40).await.unwrap();
    assert!(
        answer(typed, true, 41).await.is_err(),
        "a code is typed once"
    );
    let tokens = poll(&device.device_code, 60).await.unwrap();
    assert!(tokens.id_token.is_some());
    assert_eq!(poll(&device.device_code, 90).await, Err("invalid_grant"));
    let other = begin(T0).await;
    answer(other.user_code.clone(), false, 100).await.unwrap();
    assert_eq!(poll(&other.device_code, 110).await, Err("access_denied"));
    let late = begin(T0).await;
    assert!(answer(late.user_code.clone(), true, 600).await.is_err());
    assert_eq!(poll(&late.device_code, 600).await, Err("expired_token"));
    // Guessing is slow.
    let mut guesses = 0;
    let failure = loop {
        let found = city
            .provider
            .device_question("BCDFGHJK", city.user_id, T0.plus_seconds(1_000))
            .await;
        match found.unwrap_err() {
            records::Failure::NotFound(_) => guesses += 1,
            other => break other,
        }
    };
    assert!(matches!(failure, records::Failure::TooMany { .. }));
    assert_eq!(guesses, 10);
}

#[tokio::test]
async fn an_ended_session_is_told_to_who_asked_until_it_is_heard() {
    let city = City::new().await;
    let ends = city.tokens("openid", T0).await;
    let stays = city.tokens("openid+offline_access", T0).await;
    city.provider
        .session_ends(&secret::sid("another"), T0)
        .await
        .unwrap();
    assert!(city.provider.notices(T0).await.unwrap().is_empty());
    city.provider
        .session_ends(&secret::sid("s"), T0)
        .await
        .unwrap();
    assert!(!city.is_active(&ends.access_token, T0).await);
    assert!(
        city.is_active(&stays.access_token, T0).await,
        "it was asked to outlive the session"
    );
    let mut now = T0;
    for wait in [5, 10, 20, 40, 80, 160, 320] {
        let notices = city.provider.notices(now).await.unwrap();
        assert_eq!(notices.len(), 1, "one client, told once");
        assert!(
            !city
                .provider
                .noticed(&notices[0], false, now)
                .await
                .unwrap()
        );
        now = now.plus_seconds(wait);
        assert!(
            city.provider
                .notices(now.plus_micros(-1))
                .await
                .unwrap()
                .is_empty()
        );
    }
    let last = city.provider.notices(now).await.unwrap().remove(0);
    assert_eq!(last.uri, "https://water.example/ended");
    assert!(
        city.provider.noticed(&last, false, now).await.unwrap(),
        "given up"
    );
    assert!(
        city.provider
            .notices(now.plus_seconds(10_000))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_a_person_gave_can_be_taken_back_and_a_removed_client_has_nothing() {
    let city = City::new().await;
    let tokens = city.tokens("openid+profile", T0).await;
    let granted = city.provider.granted(city.user_id, T0).await.unwrap();
    assert_eq!(
        (
            granted.len(),
            granted[0].sign_ins,
            granted[0].client_name.as_str()
        ),
        (1, 1, "水利")
    );
    let actor = Actor::command_line();
    let id = city.client.id();
    city.provider
        .end_granted(city.user_id, id, &actor, T0)
        .await
        .unwrap();
    assert!(!city.is_active(&tokens.access_token, T0).await);
    assert!(
        city.provider
            .granted(city.user_id, T0)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        city.provider
            .end_granted(city.user_id, id, &actor, T0)
            .await
            .is_err()
    );
    // The old secret is wrong as soon as there is a new one.
    let asked = |given: &str| form(&format!("client_id={id}&client_secret={given}"));
    assert!(city_is(&city.provider, asked(&city.secret)).await);
    let new = city
        .provider
        .rotate_secret(id, &actor, T0)
        .await
        .unwrap()
        .secret
        .unwrap();
    assert!(!city_is(&city.provider, asked(&city.secret)).await);
    assert!(city_is(&city.provider, asked(&new)).await);
    let tokens = city.tokens("openid", T0).await;
    city.provider.remove_client(id, &actor, T0).await.unwrap();
    assert!(!city_is(&city.provider, asked(&new)).await);
    assert_eq!(
        city.provider
            .user_info(&tokens.access_token, T0)
            .await
            .unwrap_err()
            .error,
        "invalid_token"
    );
    let asked = city
        .provider
        .understand(&form(&format!("client_id={id}&redirect_uri={BACK}")))
        .await
        .unwrap();
    assert!(matches!(asked, Err(Unfit::Page(_))));
    assert!(
        city.provider
            .tidy(T0.plus_seconds(100 * 86_400))
            .await
            .is_ok()
    );
}

async fn city_is(provider: &Provider, form: Form) -> bool {
    provider.authenticate(None, &form, "p", T0).await.is_ok()
}

#[tokio::test]
async fn only_hashes_are_kept() {
    let city = City::new().await;
    let code = city.code("openid+offline_access", T0).await;
    let tokens = city.redeem(&code, T0).await.unwrap();
    let device = city
        .provider
        .begin_device(&city.client, &form("scope=openid"), "p", T0)
        .await
        .unwrap();
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("copy.sqlite");
    city.records.snapshot(&path).await.unwrap();
    let bytes = std::fs::read(path).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds(city.client.id()), "the search finds what is there");
    for secret in [
        &code,
        tokens.refresh_token.as_ref().unwrap(),
        &tokens.access_token,
        &device.device_code,
        &device.user_code,
        &city.secret,
    ] {
        assert!(!holds(secret), "{secret}");
    }
}
