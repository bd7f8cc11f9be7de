//! Signing in with an identity at an outside provider on a real SQLite file: whose account it opens, what it never opens, how
//! long the way there and back is remembered and for whom, and the audit line of every change.

use identity::{
    CityKey, Identity, Linked, NewPerson, Options, OutsideIdentity, OutsidePurpose, OutsideStep,
    Role, SignInStep, secret,
};
use model::Timestamp;
use records::users::User;
use records::{Actor, PageRequest, Records, audit};
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const PEER: &str = "10.1.2.3";

struct City {
    _dir: TempDir,
    records: Records,
    identity: Identity,
}

async fn city(change: impl FnOnce(&mut Options)) -> City {
    let mut options = crate::store::quick();
    change(&mut options);
    let (dir, records, identity) = crate::store::open(options).await;
    let identity = identity.with_key(CityKey::generate());
    City {
        _dir: dir,
        records,
        identity,
    }
}

fn outside(subject: &str) -> OutsideIdentity {
    OutsideIdentity {
        provider: "province".to_owned(),
        issuer: "https://sso.example".to_owned(),
        subject: subject.to_owned(),
        shown: "王敏".to_owned(),
        username: None,
        is_second_factor_trusted: false,
    }
}

impl City {
    async fn person(&self, username: &str, role: Role) -> (User, String) {
        let person = NewPerson {
            username: username.to_owned(),
            name: "王敏".to_owned(),
            role,
            organisation_id: None,
            password: None,
        };
        let made = self
            .identity
            .create_user(&person, &Actor::command_line(), T0)
            .await
            .unwrap();
        (made.user, made.password)
    }

    /// Signs in with the password; the session's name.
    async fn sid(&self, username: &str, password: &str) -> String {
        let begun = self
            .identity
            .begin_sign_in(username, password, PEER, T0)
            .await
            .unwrap();
        match begun {
            SignInStep::Done(signed) => secret::session_name(&signed.secret),
            SignInStep::Second(_) => panic!("a second step"),
        }
    }

    async fn sign_in(&self, who: &OutsideIdentity) -> OutsideStep {
        self.identity.outside_sign_in(who, PEER, T0).await.unwrap()
    }

    /// The newest line of the trail with that act.
    async fn newest(&self, action: &str) -> (String, serde_json::Value) {
        let page = PageRequest {
            after: None,
            limit: Some(500),
        };
        let mut read = self.records.read().await.unwrap();
        let found = audit::list(&mut read, &page).await.unwrap();
        let line = found
            .items
            .into_iter()
            .find(|line| line.action == action)
            .unwrap();
        (line.actor, line.detail)
    }
}

fn is_in(step: &OutsideStep) -> bool {
    matches!(step, OutsideStep::Known(SignInStep::Done(_)))
}

#[tokio::test]
async fn an_identity_opens_the_account_that_its_person_linked_and_no_other() {
    let city = city(|_| {}).await;
    let (wang, password) = city.person("wang", Role::Duty).await;
    let (li, li_password) = city.person("li", Role::Duty).await;
    assert!(matches!(
        city.sign_in(&outside("u-1")).await,
        OutsideStep::Unlinked
    ));
    let (who, detail) = city.newest("session.refused").await;
    assert_eq!(
        (who.as_str(), &detail["why"]),
        ("province:u-1", &"unlinked".into())
    );
    let sid = city.sid("wang", &password).await;
    let li_sid = city.sid("li", &li_password).await;
    let link = |user: i64, sid: String, subject: &'static str| {
        let identity = city.identity.clone();
        async move {
            identity
                .link_outside((user, &sid), &outside(subject), PEER, T0)
                .await
                .unwrap()
        }
    };
    // Another's session links nothing to this account.
    assert_eq!(
        link(wang.id, li_sid.clone(), "u-1").await,
        Linked::SessionOver
    );
    assert_eq!(link(wang.id, sid.clone(), "u-1").await, Linked::Done);
    let (who, detail) = city.newest("identity.link").await;
    assert_eq!((who.as_str(), &detail["by"]), ("王敏", &"person".into()));
    assert_eq!(
        link(wang.id, sid.clone(), "u-1").await,
        Linked::Done,
        "again"
    );
    assert_eq!(link(wang.id, sid.clone(), "u-2").await, Linked::HasOther);
    assert_eq!(link(li.id, li_sid, "u-1").await, Linked::OfAnother);
    match city.sign_in(&outside("u-1")).await {
        OutsideStep::Known(SignInStep::Done(signed)) => {
            assert_eq!(signed.principal.username, "wang");
            assert_ne!(
                secret::session_name(&signed.secret),
                sid,
                "always a new one"
            );
        }
        other => panic!("{other:?}"),
    }
    let (_, detail) = city.newest("session.open").await;
    assert_eq!(
        (&detail["by"], &detail["provider"]),
        (&"province".into(), &"province".into())
    );
    // The same subject of another issuer is another.
    let other = OutsideIdentity {
        issuer: "https://evil.example".to_owned(),
        ..outside("u-1")
    };
    assert!(matches!(city.sign_in(&other).await, OutsideStep::Unlinked));
    // Unlinked by who manages accounts: every session ends, and it opens nothing more.
    let id = city.identity.linked_identities(wang.id).await.unwrap()[0].id;
    let by = Actor::command_line();
    assert!(
        city.identity
            .unlink_outside(li.id, id, &by, T0)
            .await
            .is_err()
    );
    let ended = city
        .identity
        .unlink_outside(wang.id, id, &by, T0)
        .await
        .unwrap();
    assert!(ended.contains(&sid) && ended.len() == 2);
    assert!(matches!(
        city.sign_in(&outside("u-1")).await,
        OutsideStep::Unlinked
    ));
    assert_eq!(city.newest("identity.unlink").await.1["subject"], "u-1");
}

#[tokio::test]
async fn a_claim_links_an_open_account_and_never_an_administrators() {
    let city = city(|_| {}).await;
    city.person("wang", Role::Duty).await;
    city.person("root", Role::Admin).await;
    let by_claim = |subject: &str, username: &str| OutsideIdentity {
        username: Some(username.to_owned()),
        ..outside(subject)
    };
    assert!(matches!(
        city.sign_in(&by_claim("u-1", "root")).await,
        OutsideStep::Unlinked
    ));
    assert!(matches!(
        city.sign_in(&by_claim("u-1", "nobody")).await,
        OutsideStep::Unlinked
    ));
    assert!(is_in(&city.sign_in(&by_claim("u-1", "wang")).await));
    assert_eq!(city.newest("identity.link").await.1["by"], "claim");
    // Whoever is given the username there later does not get the account.
    assert!(matches!(
        city.sign_in(&by_claim("u-2", "wang")).await,
        OutsideStep::Unlinked
    ));
    // Once linked, the claim decides nothing.
    assert!(is_in(&city.sign_in(&by_claim("u-1", "root")).await));
}

#[tokio::test]
async fn the_second_factor_is_asked_for_all_the_same_unless_the_providers_is_trusted() {
    let city = city(|o| o.second_factor_required_for = vec![Role::Planner]).await;
    city.person("wang", Role::Planner).await;
    let named = OutsideIdentity {
        username: Some("wang".to_owned()),
        ..outside("u-1")
    };
    let OutsideStep::Known(SignInStep::Second(half)) = city.sign_in(&named).await else {
        panic!("no second step");
    };
    assert!(half.ways.enrol);
    let shown = city.identity.half_step(&half.secret, T0).await.unwrap();
    assert_eq!((shown.ways, shown.expires_at), (half.ways, half.expires_at));
    assert!(city.identity.half_step("other", T0).await.is_err());
    assert!(
        city.identity
            .half_step(&half.secret, half.expires_at)
            .await
            .is_err()
    );
    let trusted = OutsideIdentity {
        is_second_factor_trusted: true,
        ..outside("u-1")
    };
    assert!(is_in(&city.sign_in(&trusted).await));
}

#[tokio::test]
async fn a_closed_account_is_not_opened() {
    let city = city(|_| {}).await;
    let (wang, _) = city.person("wang", Role::Duty).await;
    let named = OutsideIdentity {
        username: Some("wang".to_owned()),
        ..outside("u-1")
    };
    assert!(is_in(&city.sign_in(&named).await));
    let mut write = city.records.write().await.unwrap();
    let closed = User {
        disabled: true,
        ..wang
    };
    records::users::update(&mut write, &closed).await.unwrap();
    write.commit().await.unwrap();
    assert!(matches!(
        city.sign_in(&outside("u-1")).await,
        OutsideStep::Closed
    ));
    assert_eq!(city.newest("session.refused").await.1["why"], "closed");
}

#[tokio::test]
async fn the_way_there_and_back_is_remembered_once_for_ten_minutes_and_one_browser() {
    let city = city(|_| {}).await;
    let begin = || {
        city.identity
            .begin_outside(("province", "/cases"), OutsidePurpose::SignIn, PEER, T0)
    };
    let take = |provider: &str, browser: &str, state: &str, at: Timestamp| {
        city.identity.take_outside(provider, browser, state, at)
    };
    let (one, other) = (begin(), begin());
    assert!(
        take("province", &other.browser, &one.state, T0).is_err(),
        "another browser"
    );
    let asked = take("province", &one.browser, &one.state, T0).unwrap();
    assert_eq!(
        (asked.return_to.as_str(), &asked.nonce),
        ("/cases", &one.nonce)
    );
    assert!(
        take("province", &one.browser, &one.state, T0).is_err(),
        "again"
    );
    assert!(
        take("other", &other.browser, &other.state, T0).is_err(),
        "another provider"
    );
    let late = begin();
    let at = T0.plus_seconds(600);
    assert!(
        take("province", &late.browser, &late.state, at).is_err(),
        "too late"
    );
}

#[tokio::test]
async fn failures_are_counted_by_network_address_alone() {
    let city = city(|o| o.sign_in.free_per_peer = 3).await;
    let attempt = |peer: &str| city.identity.begin_outside_try(peer, T0);
    for _ in 0..20 {
        attempt(PEER).unwrap();
        city.identity.outside_was_good(PEER);
    }
    for _ in 0..3 {
        attempt(PEER).unwrap();
    }
    let refused = attempt(PEER).unwrap_err();
    assert_eq!(refused.problem().unwrap().code, "sign-in-too-often");
    attempt("10.9.9.9").unwrap();
}
