//! The second step of a sign-in on a real SQLite file: time-based codes, recovery codes and passkeys, how each is set up, used
//! and taken away, what an attacker tries, and the audit line of every change.

use crate::support::Authenticator;
use identity::limiter::Limits;
use identity::totp::{STEP_S, code_at, step_at};
use identity::{
    CityKey, HalfSignIn, Identity, NewPerson, Options, Origin, Role, SignIn, SignInStep,
};
use model::Timestamp;
use records::users::User;
use records::{Actor, ActorKind, Failure, PageRequest, Records, Result, audit};
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const PEER: &str = "10.1.2.3";
const SITE: &str = "https://city.example.gov.cn";
const BROWSER: &str = "what this browser alone knows";

struct City {
    _dir: TempDir,
    records: Records,
    identity: Identity,
}

struct Known {
    user: User,
    password: String,
}

async fn city_with(change: impl FnOnce(&mut Options)) -> City {
    let mut options = Options {
        sign_in: Limits {
            free_per_username: 5,
            free_per_peer: 1_000,
            ..Limits::default()
        },
        ..crate::store::quick()
    };
    change(&mut options);
    let (dir, records, identity) = crate::store::open(options).await;
    let identity = identity.with_key(CityKey::generate());
    identity.set_origin(Origin::parse(SITE).unwrap());
    City {
        _dir: dir,
        records,
        identity,
    }
}

async fn city() -> City {
    city_with(|_| {}).await
}

fn code(failure: &Failure) -> &str {
    failure.problem().map_or("internal", |p| p.code.as_str())
}

fn refused<T: std::fmt::Debug>(answer: Result<T>) -> String {
    code(&answer.unwrap_err()).to_owned()
}

impl City {
    async fn person(&self, username: &str, role: Role) -> Known {
        let person = NewPerson {
            username: username.to_owned(),
            name: "张三".to_owned(),
            role,
            organisation_id: None,
            password: None,
        };
        let made = self
            .identity
            .create_user(&person, &Actor::command_line(), T0)
            .await
            .unwrap();
        Known {
            user: made.user,
            password: made.password,
        }
    }

    async fn begin(&self, who: &Known, now: Timestamp) -> Result<SignInStep> {
        self.identity
            .begin_sign_in(&who.user.username, &who.password, PEER, now)
            .await
    }

    async fn half(&self, who: &Known, now: Timestamp) -> HalfSignIn {
        match self.begin(who, now).await.unwrap() {
            SignInStep::Second(half) => half,
            SignInStep::Done(_) => panic!("let in without a second step"),
        }
    }

    async fn code(&self, half: &HalfSignIn, code: &str, now: Timestamp) -> Result<SignIn> {
        self.identity
            .second_code(&half.secret, code, PEER, now)
            .await
    }

    /// Sets time-based codes up; gives the secret and the recovery codes.
    async fn with_totp(&self, who: &Known, now: Timestamp) -> (Vec<u8>, Vec<String>) {
        let shown = self
            .identity
            .begin_totp(&who.user, PEER, now)
            .await
            .unwrap();
        let secret = data_encoding::BASE32_NOPAD
            .decode(shown.secret.as_bytes())
            .unwrap();
        assert!(shown.uri.contains(&shown.secret) && shown.qr_svg.starts_with("<svg"));
        let code = code_at(&secret, step_at(now));
        let codes = self
            .identity
            .confirm_totp(&who.user, &code, &actor(who), now)
            .await
            .unwrap();
        (secret, codes)
    }

    async fn with_passkey(&self, who: &Known, name: &str, now: Timestamp) -> Authenticator {
        let mut device = Authenticator::new(SITE);
        let options = self
            .identity
            .begin_passkey(&who.user, BROWSER, PEER, now)
            .await
            .unwrap();
        let made = device.create(&options);
        self.identity
            .add_passkey(&who.user, BROWSER, (name, &made), &actor(who), now)
            .await
            .unwrap();
        device
    }

    async fn question(&self, half: Option<&HalfSignIn>, now: Timestamp) -> serde_json::Value {
        let half = half.map(|h| h.secret.as_str());
        self.identity
            .passkey_question(half, BROWSER, PEER, now)
            .await
            .unwrap()
    }

    async fn passkey(
        &self,
        half: Option<&HalfSignIn>,
        browser: &str,
        shown: &identity::webauthn::Assertion,
        now: Timestamp,
    ) -> Result<SignIn> {
        let half = half.map(|h| h.secret.as_str());
        self.identity
            .passkey_sign_in(half, browser, shown, PEER, now)
            .await
    }

    async fn acts(&self) -> Vec<String> {
        let page = PageRequest {
            after: None,
            limit: Some(500),
        };
        let mut entries = audit::list(&mut self.records.read().await.unwrap(), &page)
            .await
            .unwrap()
            .items;
        entries.reverse();
        entries
            .into_iter()
            .map(|e| format!("{} {} {} {}", e.actor_kind, e.action, e.target, e.detail))
            .collect()
    }
}

fn actor(who: &Known) -> Actor {
    Actor {
        kind: ActorKind::User(who.user.id),
        name: who.user.name.clone(),
        peer: PEER.to_owned(),
    }
}

#[tokio::test]
async fn a_code_finishes_the_sign_in_once() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let (secret, codes) = city.with_totp(&li, T0).await;
    assert_eq!(codes.len(), 10);
    let later = T0.plus_seconds(STEP_S);
    let half = city.half(&li, later).await;
    assert!(half.ways.totp && half.ways.recovery && !half.ways.passkey && !half.ways.enrol);
    // The half is no session.
    let none = city.identity.session_principal(&half.secret, later).await;
    assert_eq!(none.unwrap(), None);
    let right = code_at(&secret, step_at(later));
    let signed = city.code(&half, &right, later).await.unwrap();
    assert_ne!(
        signed.secret, half.secret,
        "the session has a secret of its own"
    );
    let who = city.identity.session_principal(&signed.secret, later).await;
    assert_eq!(who.unwrap().unwrap().username, "li.si");
    assert_eq!(
        refused(city.code(&half, &right, later).await),
        "sign-in-begin-again"
    );
    // The same code, seen by somebody over the shoulder who knows the password too.
    let half = city.half(&li, later).await;
    assert_eq!(
        refused(city.code(&half, &right, later).await),
        "second-factor-wrong"
    );
    let acts = city.acts().await;
    assert!(
        acts.contains(&"user factor.totp.add user:1 {}".to_owned()),
        "{acts:?}"
    );
    assert!(acts.contains(&r#"user session.open user:1 {"by":"totp"}"#.to_owned()));
    assert!(acts.contains(&r#"system session.second-refused user:1 {"by":"totp"}"#.to_owned()));
    // What is stored is not the secret.
    let row = records::totp::get(&mut city.records.read().await.unwrap(), 1)
        .await
        .unwrap()
        .unwrap();
    assert!(!row.sealed.expose().contains(&hex::encode(&secret)));
}

#[tokio::test]
async fn a_code_of_another_person_or_another_time_is_wrong() {
    let city = city().await;
    let (li, wang) = (
        city.person("li.si", Role::Duty).await,
        city.person("wang", Role::Duty).await,
    );
    city.with_totp(&li, T0).await;
    let (of_wang, wangs_codes) = city.with_totp(&wang, T0).await;
    let now = T0.plus_seconds(600);
    let half = city.half(&li, now).await;
    let code = code_at(&of_wang, step_at(now));
    assert_eq!(
        refused(city.code(&half, &code, now).await),
        "second-factor-wrong"
    );
    assert_eq!(
        refused(city.code(&half, &wangs_codes[0], now).await),
        "second-factor-wrong"
    );
    for bad in ["", "x", "000000000", &"9".repeat(100_000)] {
        assert_eq!(
            refused(city.code(&half, bad, now).await),
            if bad.len() > 100 {
                "sign-in-too-often"
            } else {
                "second-factor-wrong"
            }
        );
    }
    // Wang's own half is not hindered, and ends by itself.
    let half = city.half(&wang, now).await;
    let late = now.plus_seconds(300);
    let code = code_at(&of_wang, step_at(late));
    assert_eq!(
        refused(city.code(&half, &code, late).await),
        "sign-in-begin-again"
    );
    assert_eq!(
        refused(
            city.identity
                .second_code("made up", &code, PEER, late)
                .await
        ),
        "sign-in-begin-again"
    );
    let half = city.half(&wang, late).await;
    city.code(&half, &code, late).await.unwrap();
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_until_new_ones_come() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let (_, codes) = city.with_totp(&li, T0).await;
    let half = city.half(&li, T0).await;
    let typed = codes[3].to_uppercase();
    city.code(&half, &typed, T0).await.unwrap();
    let half = city.half(&li, T0).await;
    assert_eq!(
        refused(city.code(&half, &codes[3], T0).await),
        "second-factor-wrong"
    );
    let account = city.identity.account(li.user.id, T0).await.unwrap();
    assert_eq!(account.recovery_codes_left, 9);
    assert_eq!(account.sessions[0].began_by, "recovery");
    let new = city
        .identity
        .renew_recovery_codes(li.user.id, &actor(&li), T0)
        .await
        .unwrap();
    assert_eq!(
        refused(city.code(&half, &codes[4], T0).await),
        "second-factor-wrong"
    );
    city.code(&half, &new[0], T0).await.unwrap();
    // With the last factor they go too.
    city.identity
        .remove_totp(li.user.id, &actor(&li), T0)
        .await
        .unwrap();
    let account = city.identity.account(li.user.id, T0).await.unwrap();
    assert_eq!((account.recovery_codes_left, account.totp_since), (0, None));
    assert!(matches!(
        city.begin(&li, T0).await.unwrap(),
        SignInStep::Done(_)
    ));
    let none = city
        .identity
        .renew_recovery_codes(li.user.id, &actor(&li), T0)
        .await;
    assert_eq!(refused(none), "second-factor-none");
}

#[tokio::test]
async fn a_hundred_thousand_wrong_codes_are_a_few_tries() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let (secret, _) = city.with_totp(&li, T0).await;
    let start = T0.plus_seconds(3_600);
    let mut half = city.half(&li, start).await;
    let (mut looked_at, mut locked, mut again) = (0, 0, 0);
    // A guess each second, for more than a day, from many addresses, by somebody who has the password.
    for n in 0..100_000_i64 {
        let now = start.plus_seconds(n);
        let peer = format!("10.2.{}.{}", n % 200, n % 7);
        // Never a right one.
        let right = code_at(&secret, step_at(now));
        let guess = if right == "123456" {
            "654321"
        } else {
            "123456"
        };
        match refused(
            city.identity
                .second_code(&half.secret, guess, &peer, now)
                .await,
        )
        .as_str()
        {
            "second-factor-wrong" => looked_at += 1,
            "sign-in-too-often" => locked += 1,
            "sign-in-begin-again" => {
                again += 1;
                half = city.half(&li, now).await;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(looked_at + locked + again, 100_000);
    assert!(
        (10..60).contains(&looked_at),
        "{looked_at} codes were looked at"
    );
    // Each that was looked at is in the trail.
    let refusals = city
        .acts()
        .await
        .into_iter()
        .filter(|a| a.contains("second-refused"))
        .count();
    assert_eq!(refusals, looked_at);
    // The person gets in when the lockout is over.
    let now = start.plus_seconds(100_000 + 2 * 3_600);
    let half = city.half(&li, now).await;
    city.code(&half, &code_at(&secret, step_at(now)), now)
        .await
        .unwrap();
}

#[tokio::test]
async fn half_a_sign_in_takes_five_tries_and_not_more() {
    let city = city_with(|o| o.sign_in.free_per_username = 1_000).await;
    let li = city.person("li.si", Role::Duty).await;
    let (secret, _) = city.with_totp(&li, T0).await;
    let now = T0.plus_seconds(3_600);
    let half = city.half(&li, now).await;
    for _ in 0..5 {
        assert_eq!(
            refused(city.code(&half, "no-code", now).await),
            "second-factor-wrong"
        );
    }
    let right = code_at(&secret, step_at(now));
    assert_eq!(
        refused(city.code(&half, &right, now).await),
        "sign-in-begin-again"
    );
    let half = city.half(&li, now).await;
    city.code(&half, &right, now).await.unwrap();
}

#[tokio::test]
async fn who_has_a_second_factor_is_not_let_in_at_a_door_that_cannot_ask_for_it() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let sign_in = || city.identity.sign_in("li.si", &li.password, PEER, T0);
    sign_in().await.unwrap();
    city.with_totp(&li, T0).await;
    assert_eq!(refused(sign_in().await), "second-factor-door");
}

#[tokio::test]
async fn a_role_that_needs_a_second_factor_sets_one_up_before_anything_else() {
    let city = city_with(|o| o.second_factor_required_for = vec![Role::Admin]).await;
    let (admin, duty) = (
        city.person("root", Role::Admin).await,
        city.person("duty", Role::Duty).await,
    );
    assert!(matches!(
        city.begin(&duty, T0).await.unwrap(),
        SignInStep::Done(_)
    ));
    assert_eq!(
        refused(
            city.identity
                .sign_in("root", &admin.password, PEER, T0)
                .await
        ),
        "second-factor-door"
    );
    let half = city.half(&admin, T0).await;
    assert!(half.ways.enrol && !half.ways.totp && !half.ways.passkey && !half.ways.recovery);
    // Nothing but setting up goes on from here.
    assert_eq!(
        refused(city.code(&half, "123456", T0).await),
        "sign-in-begin-again"
    );
    let enrolled = |by| city.identity.enrolled(&half.secret, by, PEER, T0);
    assert_eq!(
        refused(enrolled("totp").await),
        "sign-in-begin-again",
        "nothing is set up"
    );
    let user = city.identity.half_to_enrol(&half.secret, T0).await.unwrap();
    assert_eq!(user.username, "root");
    city.with_totp(&admin, T0).await;
    let signed = enrolled("totp").await.unwrap();
    assert!(
        city.identity
            .session_principal(&signed.secret, T0)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        refused(enrolled("totp").await),
        "sign-in-begin-again",
        "once"
    );
    // It cannot be given up, but changed for another.
    let by = actor(&admin);
    let remove = || city.identity.remove_totp(admin.user.id, &by, T0);
    assert_eq!(refused(remove().await), "second-factor-last");
    city.with_passkey(&admin, "钥匙", T0).await;
    remove().await.unwrap();
    let id = city
        .identity
        .account(admin.user.id, T0)
        .await
        .unwrap()
        .passkeys[0]
        .id;
    let last = city
        .identity
        .remove_passkey(admin.user.id, id, &actor(&admin), T0)
        .await;
    assert_eq!(refused(last), "second-factor-last");
    // A half that must not enrol cannot be used to enrol.
    let half = city.half(&admin, T0).await;
    assert!(half.ways.passkey && !half.ways.enrol);
    assert_eq!(
        refused(city.identity.half_to_enrol(&half.secret, T0).await),
        "sign-in-begin-again"
    );
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_name_and_as_the_second_step() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let mut phone = city.with_passkey(&li, "手机", T0).await;
    let mut key = city.with_passkey(&li, "钥匙", T0).await;
    assert_eq!(phone.handle, key.handle, "one person, one handle");
    let options = city.question(None, T0).await;
    assert_eq!(options["allowCredentials"], serde_json::json!([]));
    assert_eq!(options["userVerification"], "required");
    let signed = city
        .passkey(None, BROWSER, &phone.sign(&options), T0)
        .await
        .unwrap();
    assert_eq!(signed.principal.username, "li.si");
    let half = city.half(&li, T0).await;
    let options = city.question(Some(&half), T0).await;
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 2);
    city.passkey(Some(&half), BROWSER, &key.sign(&options), T0)
        .await
        .unwrap();
    let account = city.identity.account(li.user.id, T0).await.unwrap();
    assert!(account.passkeys.iter().all(|p| p.last_used_at == Some(T0)));
    assert_eq!(account.recovery_codes_left, 10);
    assert_eq!(account.sessions.len(), 2);
    // The half was used up.
    assert_eq!(
        refused(city.code(&half, "123456", T0).await),
        "sign-in-begin-again"
    );
    let id = account.passkeys[0].id;
    city.identity
        .remove_passkey(li.user.id, id, &actor(&li), T0)
        .await
        .unwrap();
    let options = city.question(None, T0).await;
    let gone = city.passkey(None, BROWSER, &phone.sign(&options), T0).await;
    assert_eq!(refused(gone), "second-factor-wrong");
    let acts = city.acts().await;
    assert!(
        acts.contains(&r#"user factor.passkey.add user:1 {"name":"手机","passkey":1}"#.to_owned()),
        "{acts:?}"
    );
    assert!(
        acts.contains(
            &r#"user factor.passkey.remove user:1 {"name":"手机","passkey":1}"#.to_owned()
        )
    );
    assert!(acts.contains(&r#"user session.open user:1 {"by":"passkey"}"#.to_owned()));
}

#[tokio::test]
async fn a_challenge_is_good_once_for_minutes_and_in_its_own_browser() {
    let city = city().await;
    let (li, wang) = (
        city.person("li.si", Role::Duty).await,
        city.person("wang", Role::Duty).await,
    );
    let mut phone = city.with_passkey(&li, "手机", T0).await;
    let mut of_wang = city.with_passkey(&wang, "手机", T0).await;
    let shown = phone.sign(&city.question(None, T0).await);
    // Somebody who saw the answer, in another browser; the true one goes on.
    assert_eq!(
        refused(city.passkey(None, "another", &shown, T0).await),
        "sign-in-begin-again"
    );
    city.passkey(None, BROWSER, &shown, T0).await.unwrap();
    assert_eq!(
        refused(city.passkey(None, BROWSER, &shown, T0).await),
        "sign-in-begin-again",
        "replayed"
    );
    let shown = phone.sign(&city.question(None, T0).await);
    let late = T0.plus_seconds(300);
    assert_eq!(
        refused(city.passkey(None, BROWSER, &shown, late).await),
        "sign-in-begin-again",
        "expired"
    );
    // Li's password and Wang's passkey are nobody.
    let half = city.half(&li, T0).await;
    let options = city.question(Some(&half), T0).await;
    let mixed = city
        .passkey(Some(&half), BROWSER, &of_wang.sign(&options), T0)
        .await;
    assert_eq!(refused(mixed), "second-factor-wrong");
    // A challenge for signing in makes no passkey, and one for a new passkey signs nobody in.
    let mut fresh = Authenticator::new(SITE);
    let options = city.question(None, T0).await;
    let as_new = serde_json::json!({"rp": {"id": options["rpId"]}, "user": {"id": "eA"}, "challenge": options["challenge"]});
    let made = fresh.create(&as_new);
    let wrong = city
        .identity
        .add_passkey(&li.user, BROWSER, ("x", &made), &actor(&li), T0)
        .await;
    assert_eq!(refused(wrong), "sign-in-begin-again");
    let options = city
        .identity
        .begin_passkey(&li.user, BROWSER, PEER, T0)
        .await
        .unwrap();
    let as_old =
        serde_json::json!({"rpId": options["rp"]["id"], "challenge": options["challenge"]});
    assert_eq!(
        refused(city.passkey(None, BROWSER, &phone.sign(&as_old), T0).await),
        "sign-in-begin-again"
    );
    // A passkey that Li's browser was asked for is not added to Wang.
    let options = city
        .identity
        .begin_passkey(&li.user, BROWSER, PEER, T0)
        .await
        .unwrap();
    let made = fresh.create(&options);
    let stolen = city
        .identity
        .add_passkey(&wang.user, BROWSER, ("x", &made), &actor(&wang), T0)
        .await;
    assert_eq!(refused(stolen), "sign-in-begin-again");
}

#[tokio::test]
async fn another_site_an_unverified_person_and_a_copy_are_refused() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let mut phone = city.with_passkey(&li, "手机", T0).await;
    phone.origin = "https://city.example.gov.cn.evil.example".into();
    let shown = phone.sign(&city.question(None, T0).await);
    let answer = city.passkey(None, BROWSER, &shown, T0).await.unwrap_err();
    assert!(
        answer.to_string().contains("another site's page"),
        "{answer}"
    );
    phone.origin = SITE.into();
    phone.flags = 0x01;
    let shown = phone.sign(&city.question(None, T0).await);
    let answer = city.passkey(None, BROWSER, &shown, T0).await.unwrap_err();
    assert!(answer.to_string().contains("PIN"), "{answer}");
    phone.flags = 0x05;
    // Another key under the same id.
    let mut forged = Authenticator::new(SITE);
    forged.id.clone_from(&phone.id);
    forged.counter = 100;
    let shown = forged.sign(&city.question(None, T0).await);
    let answer = city.passkey(None, BROWSER, &shown, T0).await.unwrap_err();
    assert!(answer.to_string().contains("signature"), "{answer}");
    // A handle of somebody else.
    let mut shown = phone.sign(&city.question(None, T0).await);
    shown.response.user_handle = Some("c29tZWJvZHk".into());
    assert_eq!(
        refused(city.passkey(None, BROWSER, &shown, T0).await),
        "second-factor-wrong"
    );
    let shown = phone.sign(&city.question(None, T0).await);
    city.passkey(None, BROWSER, &shown, T0).await.unwrap();
    // The counter goes back, or stays: a copy signs.
    for back in [3, 1] {
        phone.counter -= back;
        let shown = phone.sign(&city.question(None, T0).await);
        assert_eq!(
            refused(city.passkey(None, BROWSER, &shown, T0).await),
            "passkey-cloned"
        );
    }
    let acts = city.acts().await;
    assert_eq!(
        acts.iter()
            .filter(|a| a.contains("factor.passkey.cloned user:1"))
            .count(),
        2,
        "{acts:?}"
    );
    // An authenticator without a counter says 0 each time, and that is fine.
    let mut synced = Authenticator::new(SITE);
    synced.counter = 0;
    let options = city
        .identity
        .begin_passkey(&li.user, BROWSER, PEER, T0)
        .await
        .unwrap();
    let made = synced.create(&options);
    city.identity
        .add_passkey(&li.user, BROWSER, ("云", &made), &actor(&li), T0)
        .await
        .unwrap();
    for _ in 0..2 {
        // It counts one on before it signs.
        synced.counter = u32::MAX;
        let shown = synced.sign(&city.question(None, T0).await);
        city.passkey(None, BROWSER, &shown, T0).await.unwrap();
    }
}

#[tokio::test]
async fn passkeys_have_a_name_a_limit_and_are_known_once() {
    let city = city_with(|o| o.passkeys_max = 2).await;
    let (li, wang) = (
        city.person("li.si", Role::Duty).await,
        city.person("wang", Role::Duty).await,
    );
    let mut device = Authenticator::new(SITE);
    let begin = |who: &Known| {
        let user = who.user.clone();
        let identity = city.identity.clone();
        async move { identity.begin_passkey(&user, BROWSER, PEER, T0).await }
    };
    for bad in ["", "  ", "a\u{7}b"] {
        let made = device.create(&begin(&li).await.unwrap());
        let unnamed = city
            .identity
            .add_passkey(&li.user, BROWSER, (bad, &made), &actor(&li), T0)
            .await;
        assert_eq!(refused(unnamed), "name");
    }
    let made = device.create(&begin(&li).await.unwrap());
    city.identity
        .add_passkey(&li.user, BROWSER, ("a", &made), &actor(&li), T0)
        .await
        .unwrap();
    let made = device.create(&begin(&wang).await.unwrap());
    let known = city
        .identity
        .add_passkey(&wang.user, BROWSER, ("a", &made), &actor(&wang), T0)
        .await;
    assert_eq!(refused(known), "passkey-known");
    city.with_passkey(&li, "b", T0).await;
    assert_eq!(refused(begin(&li).await), "passkeys-full");
    let without = Identity::new(city.records.clone(), Options::default()).unwrap();
    let nowhere = without.begin_passkey(&wang.user, BROWSER, PEER, T0).await;
    assert_eq!(refused(nowhere), "passkey-origin");
    let keyless = without.begin_totp(&wang.user, PEER, T0).await;
    assert_eq!(refused(keyless), "identity-key-missing");
}

#[tokio::test]
async fn an_administrator_resets_and_the_sessions_end() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let (secret, _) = city.with_totp(&li, T0).await;
    city.with_passkey(&li, "手机", T0).await;
    let now = T0.plus_seconds(60);
    let half = city.half(&li, now).await;
    let signed = city
        .code(&half, &code_at(&secret, step_at(now)), now)
        .await
        .unwrap();
    let half = city.half(&li, now).await;
    let admin = Actor::command_line();
    let ended = city
        .identity
        .reset_factors(li.user.id, &admin, now)
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(
        city.identity
            .session_principal(&signed.secret, now)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        refused(city.code(&half, "123456", now).await),
        "sign-in-begin-again"
    );
    assert!(matches!(
        city.begin(&li, now).await.unwrap(),
        SignInStep::Done(_)
    ));
    assert!(
        city.acts()
            .await
            .contains(&r#"cli factor.reset user:1 {"passkeys":1,"totp":true}"#.to_owned())
    );
}

#[tokio::test]
async fn an_administrators_factors_are_not_one_other_persons_to_take() {
    let city = city().await;
    let system = city.person("system", Role::Admin).await;
    let security = city.person("security", Role::Security).await;
    let duty = city.person("duty", Role::Duty).await;
    city.with_totp(&security, T0).await;
    city.with_totp(&duty, T0).await;
    let reset = |by: &Known, of: &Known| {
        let (identity, by, of) = (city.identity.clone(), actor(by), of.user.id);
        async move { identity.reset_factors(of, &by, T0).await }
    };
    assert_eq!(
        refused(reset(&system, &security).await),
        "factors-of-administrator"
    );
    assert_eq!(refused(reset(&duty, &security).await), "permission-missing");
    assert_eq!(refused(reset(&security, &duty).await), "permission-missing");
    let still = city.identity.account(security.user.id, T0).await.unwrap();
    assert_eq!(still.totp_since, Some(T0));
    reset(&system, &duty).await.unwrap();
    let at_the_machine = city
        .identity
        .reset_factors(security.user.id, &Actor::command_line(), T0)
        .await;
    assert_eq!(at_the_machine.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_person_sees_and_ends_sessions_and_changes_the_password() {
    let city = city().await;
    let li = city.person("li.si", Role::Duty).await;
    let open = || async {
        match city.begin(&li, T0).await.unwrap() {
            SignInStep::Done(signed) => signed.secret,
            SignInStep::Second(_) => panic!("no second factor"),
        }
    };
    let (mine, other, third) = (open().await, open().await, open().await);
    let by = actor(&li);
    let sessions = city
        .identity
        .account(li.user.id, T0)
        .await
        .unwrap()
        .sessions;
    assert_eq!(sessions.len(), 3);
    let name = identity::secret::session_name(&other);
    city.identity
        .end_session(li.user.id, &name, &by, T0)
        .await
        .unwrap();
    assert_eq!(
        refused(city.identity.end_session(li.user.id, &name, &by, T0).await),
        "not-found"
    );
    let wang = city.person("wang", Role::Duty).await;
    let strange = identity::secret::session_name(&third);
    assert_eq!(
        refused(
            city.identity
                .end_session(wang.user.id, &strange, &by, T0)
                .await
        ),
        "not-found"
    );
    let ended = city
        .identity
        .end_other_sessions(li.user.id, &mine, &by, T0)
        .await
        .unwrap();
    assert_eq!(ended, [strange]);
    assert!(
        city.identity
            .session_principal(&mine, T0)
            .await
            .unwrap()
            .is_some()
    );
    let fourth = open().await;
    let change = |old: String, new: &'static str| {
        let (identity, by, mine, id) =
            (city.identity.clone(), by.clone(), mine.clone(), li.user.id);
        async move {
            identity
                .change_own_password(id, &mine, (&old, new), &by, T0)
                .await
        }
    };
    assert_eq!(
        refused(change("wrong".into(), "a long enough one").await),
        "password-old-wrong"
    );
    assert_eq!(
        refused(change(li.password.clone(), "short").await),
        "password-length"
    );
    let ended = change(li.password.clone(), "a long enough one")
        .await
        .unwrap();
    assert_eq!(ended, [identity::secret::session_name(&fourth)]);
    assert!(
        city.identity
            .session_principal(&mine, T0)
            .await
            .unwrap()
            .is_some()
    );
    city.identity
        .sign_in("li.si", "a long enough one", PEER, T0)
        .await
        .unwrap();
    // Only a young session may change how its person signs in.
    city.identity
        .must_be_young(&mine, T0.plus_seconds(599))
        .await
        .unwrap();
    for (secret, at) in [(mine.as_str(), T0.plus_seconds(600)), ("made up", T0)] {
        assert_eq!(
            refused(city.identity.must_be_young(secret, at).await),
            "sign-in-again"
        );
    }
}
