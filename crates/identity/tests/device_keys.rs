//! Keys of devices on a real SQLite file: who gets in with a proof, for how long, once, and after a change of the key.

use identity::{
    Algorithm, CityKey, DeviceIdentity, DeviceKey, Identity, KeyedDevice, Options, Proof,
    ProofAnswer,
};
use model::{DeviceId, Timestamp, TypeName};
use records::{Actor, Failure, PageRequest, Records, audit};

const SECONDS: i64 = 1_800_000_000;
const T0: Timestamp = Timestamp::from_seconds(SECONDS);

struct City {
    dir: tempfile::TempDir,
    records: Records,
    identity: Identity,
    key: CityKey,
}

fn options() -> Options {
    Options {
        device_proofs_kept: 4,
        ..crate::store::quick()
    }
}

async fn city() -> City {
    let (dir, records, identity) = crate::store::open(options()).await;
    let key = CityKey::generate();
    let identity = identity.with_key(key.clone());
    City {
        dir,
        records,
        identity,
        key,
    }
}

fn cli() -> Actor {
    Actor::command_line()
}

fn gauge(n: usize) -> DeviceIdentity {
    DeviceIdentity {
        id: DeviceId::new(format!("urn:ngsi-ld:WaterObserved:gauge{n}")).unwrap(),
        r#type: TypeName::new("WaterObserved").unwrap(),
        name: None,
    }
}

/// A device with a key that was made for it.
async fn keyed(identity: &Identity, n: usize) -> (String, DeviceKey) {
    let made = identity
        .register_keyed_device(&gauge(n), None, &cli(), T0)
        .await
        .unwrap();
    (made.device.client_id, made.key.unwrap())
}

async fn rotated(
    identity: &Identity,
    client_id: &str,
    overlap_s: i64,
    now: Timestamp,
) -> KeyedDevice {
    identity
        .rotate_device_key(client_id, None, overlap_s, &cli(), now)
        .await
        .unwrap()
}

fn proof(key: &DeviceKey, client_id: &str, seconds: i64, nonce: &str) -> String {
    key.proof(Algorithm::Sha256, (client_id, client_id), seconds, nonce)
}

/// What comes of a proof: the device's client id, or why not.
async fn shown(
    identity: &Identity,
    client_id: &str,
    username: &str,
    proof: &str,
    now: Timestamp,
) -> String {
    let proof = Proof::parse(proof).unwrap();
    let answer = identity
        .proof_sign_in(client_id, username, &proof, now)
        .await
        .unwrap();
    match answer {
        ProofAnswer::Good(device) => device.client_id,
        ProofAnswer::Wrong => "wrong".to_owned(),
        ProofAnswer::ClockOff(ahead_s) => format!("clock {ahead_s}"),
        ProofAnswer::Used => "used".to_owned(),
    }
}

fn code(failure: &Failure) -> &str {
    failure.problem().map_or("internal", |p| p.code.as_str())
}

#[tokio::test]
async fn a_proof_lets_its_own_device_in_once_and_is_written_down() {
    let city = city().await;
    let identity = &city.identity;
    let (one, key) = keyed(identity, 1).await;
    let (two, other) = keyed(identity, 2).await;
    assert_eq!(key.hex().len(), 64);
    let good = proof(&key, &one, SECONDS, "a");
    // Refused first, so that a wrong one uses nothing up.
    let others = proof(&other, &one, SECONDS, "a");
    for (client_id, username, sent) in [
        (&one, &one, &others),
        (&two, &two, &good),
        (&one, &two, &good),
        (&two, &one, &good),
        (&"nobody".to_owned(), &"nobody".to_owned(), &good),
    ] {
        let told = shown(identity, client_id, username, sent, T0).await;
        assert_eq!(told, "wrong", "{client_id} {username}");
    }
    assert_eq!(shown(identity, &one, &one, &good, T0).await, one);
    assert_eq!(shown(identity, &one, &one, &good, T0).await, "used");
    assert_eq!(shown(identity, "", &one, &good, T0).await, "used");
    // The same second with another nonce, an earlier second, and the other algorithm are other proofs.
    for sent in [
        proof(&key, &one, SECONDS, "b"),
        proof(&key, &one, SECONDS - 1, "a"),
        key.proof(Algorithm::Sm3, (&one, &one), SECONDS + 1, "a"),
    ] {
        assert_eq!(shown(identity, "", &one, &sent, T0).await, one, "{sent}");
        assert_eq!(shown(identity, &one, &one, &sent, T0).await, "used");
    }
    let device = identity.device(&one).await.unwrap();
    assert_eq!(device.secret_used_at, Some(T0));
    // It has no password, neither an empty one nor its key in hex.
    for password in [String::new(), key.hex()] {
        let found = identity.device_sign_in(&one, &one, &password, T0).await;
        assert_eq!(found.unwrap(), None);
    }
    // A device with a password has no key.
    let third = identity
        .register_device(&gauge(3), &cli(), T0)
        .await
        .unwrap();
    let sent = proof(&key, &third.client_id, SECONDS, "a");
    let told = shown(identity, &third.client_id, &third.client_id, &sent, T0).await;
    assert_eq!(told, "wrong");

    let page = PageRequest {
        after: None,
        limit: Some(50),
    };
    let lines = audit::list(&mut city.records.read().await.unwrap(), &page)
        .await
        .unwrap()
        .items;
    let kinds: Vec<_> = lines
        .iter()
        .rev()
        .map(|l| l.detail["kind"].clone())
        .collect();
    assert_eq!(kinds, ["psk", "psk", "password"]);
}

#[tokio::test]
async fn a_proof_is_good_within_the_window_alone() {
    let city = city().await;
    let (one, key) = keyed(&city.identity, 1).await;
    for (ahead_s, told) in [
        (-301, "clock -301"),
        (301, "clock 301"),
        (i64::MAX - SECONDS, "clock 9223372035054775807"),
        (-300, one.as_str()),
        (300, one.as_str()),
    ] {
        let sent = proof(&key, &one, SECONDS + ahead_s, "a");
        let answer = shown(&city.identity, &one, &one, &sent, T0).await;
        assert_eq!(answer, told, "{ahead_s}");
    }
    // One with a wrong time was not used up: it is good when its time has come.
    let sent = proof(&key, &one, SECONDS + 301, "a");
    let later = T0.plus_seconds(1);
    assert_eq!(shown(&city.identity, &one, &one, &sent, later).await, one);
}

#[tokio::test]
async fn a_restart_opens_no_used_proof_and_neither_does_a_clock_that_goes_back() {
    let city = city().await;
    let (one, key) = keyed(&city.identity, 1).await;
    let sent: Vec<String> = (0..10)
        .map(|n| proof(&key, &one, SECONDS + n, "a"))
        .collect();
    for each in &sent {
        assert_eq!(shown(&city.identity, &one, &one, each, T0).await, one);
    }
    // Another process, with a wider window, on the same file.
    let file = city.dir.path().join("records.sqlite");
    let again = Records::open(&file).await.unwrap();
    let wider = Options {
        device_proof_window_s: 3_600,
        ..options()
    };
    let restarted = Identity::new(again, wider)
        .unwrap()
        .with_key(city.key.clone());
    for now in [T0, T0.plus_seconds(-3_000), T0.plus_seconds(3_000)] {
        for each in &sent {
            assert_eq!(shown(&restarted, &one, &one, each, now).await, "used");
        }
    }
    let next = proof(&key, &one, SECONDS + 10, "a");
    assert_eq!(shown(&restarted, &one, &one, &next, T0).await, one);
}

#[tokio::test]
async fn of_two_who_show_the_same_proof_at_once_one_gets_in() {
    let city = city().await;
    let (one, key) = keyed(&city.identity, 1).await;
    let sent = proof(&key, &one, SECONDS, "a");
    let both = (0..8).map(|_| {
        let (identity, one, sent) = (city.identity.clone(), one.clone(), sent.clone());
        tokio::spawn(async move { shown(&identity, &one, &one, &sent, T0).await })
    });
    let mut told = Vec::new();
    for each in both.collect::<Vec<_>>() {
        told.push(each.await.unwrap());
    }
    assert_eq!(told.iter().filter(|t| **t == one).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|t| *t == "used").count(), 7);
}

#[tokio::test]
async fn keys_and_passwords_take_turns_with_an_overlap() {
    let city = city().await;
    let identity = &city.identity;
    let made = identity
        .register_device(&gauge(1), &cli(), T0)
        .await
        .unwrap();
    let id = made.client_id.as_str();
    let password_is_good = async |password: &str, now: Timestamp| {
        let found = identity.device_sign_in(id, id, password, now).await;
        found.unwrap().is_some()
    };
    let nonce = std::sync::atomic::AtomicU32::new(0);
    let key_is_good = async |key: &DeviceKey, now: Timestamp| {
        let n = nonce.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let seconds = now.micros() / 1_000_000;
        let sent = proof(key, id, seconds, &format!("n{n}"));
        shown(identity, id, id, &sent, now).await == id
    };

    // From a password to a key.
    let first = rotated(identity, id, 3_600, T0).await;
    assert_eq!(first.old_until, Some(T0.plus_seconds(3_600)));
    let first = first.key.unwrap();
    let before = T0.plus_seconds(3_599);
    assert!(password_is_good(&made.password, before).await && key_is_good(&first, before).await);
    let after = T0.plus_seconds(3_600);
    assert!(!password_is_good(&made.password, after).await && key_is_good(&first, after).await);

    // From a key to a key: both, then the new one alone; the one before is shown with its end and its last use.
    let second = rotated(identity, id, 60, after).await.key.unwrap();
    assert_ne!(first, second);
    let before = after.plus_seconds(59);
    assert!(key_is_good(&first, before).await && key_is_good(&second, before).await);
    let kept = identity.device_credentials(id).await.unwrap();
    let kept: Vec<_> = kept
        .iter()
        .map(|c| (c.kind.as_str(), c.expires_at, c.last_used_at))
        .collect();
    assert_eq!(kept, [("psk", after.plus_seconds(60), Some(before))]);
    let over = after.plus_seconds(60);
    assert!(!key_is_good(&first, over).await && key_is_good(&second, over).await);

    // At once, and the one before the last is wrong though its time is not over.
    let third = rotated(identity, id, 600, over).await.key.unwrap();
    let fourth = rotated(identity, id, 0, over).await.key.unwrap();
    assert!(!key_is_good(&second, over).await && !key_is_good(&third, over).await);
    assert!(key_is_good(&fourth, over).await);

    // Back to a password.
    let password = identity
        .rotate_device_password(id, 60, &cli(), over)
        .await
        .unwrap()
        .password;
    assert!(key_is_good(&fourth, over).await && password_is_good(&password, over).await);
    assert!(!key_is_good(&fourth, over.plus_seconds(60)).await);

    for overlap_s in [-1, 91 * 86_400] {
        let refused = identity
            .rotate_device_key(id, None, overlap_s, &cli(), over)
            .await;
        assert_eq!(code(&refused.unwrap_err()), "overlap");
    }
    let unknown = identity
        .rotate_device_key("nobody", None, 0, &cli(), over)
        .await;
    assert!(matches!(unknown, Err(Failure::NotFound(_))));
}

#[tokio::test]
async fn a_key_of_elsewhere_is_taken_and_not_the_same_twice() {
    let city = city().await;
    let identity = &city.identity;
    let given = DeviceKey::parse("00112233445566778899aabbccddeeff").unwrap();
    let made = identity
        .register_keyed_device(&gauge(1), Some(given.clone()), &cli(), T0)
        .await
        .unwrap();
    assert_eq!(made.key, None, "whoever gave it has it");
    let id = made.device.client_id;
    let sent = proof(&given, &id, SECONDS, "a");
    assert_eq!(shown(identity, &id, &id, &sent, T0).await, id);
    let rotate = async |key: &DeviceKey| {
        identity
            .rotate_device_key(&id, Some(key.clone()), 0, &cli(), T0)
            .await
    };
    assert_eq!(code(&rotate(&given).await.unwrap_err()), "device-key-same");
    // Another and back again: what was used stays used.
    rotate(&DeviceKey::generate()).await.unwrap();
    assert_eq!(shown(identity, &id, &id, &sent, T0).await, "wrong");
    rotate(&given).await.unwrap();
    assert_eq!(shown(identity, &id, &id, &sent, T0).await, "used");
}

#[tokio::test]
async fn a_key_is_kept_sealed_for_its_own_device() {
    let city = city().await;
    let identity = &city.identity;
    let (one, key) = keyed(identity, 1).await;
    let (two, _) = keyed(identity, 2).await;
    let sealed = identity.device(&one).await.unwrap().secret_sealed;
    let opened = city.key.open(&format!("device:{one}"), sealed.expose());
    assert_eq!(hex::encode(opened.unwrap()), key.hex());
    assert!(!sealed.expose().contains(&key.hex()));

    // Moved to another device's row it opens nothing: who writes to the records alone cannot give one device's key to another.
    let mut write = city.records.write().await.unwrap();
    let moved = records::devices::KeptSecret {
        sealed,
        ..Default::default()
    };
    records::devices::set_secret(&mut write, &two, &moved, T0)
        .await
        .unwrap();
    write.commit().await.unwrap();
    let sent = proof(&key, &two, SECONDS, "a");
    let sent = Proof::parse(&sent).unwrap();
    assert!(identity.proof_sign_in(&two, &two, &sent, T0).await.is_err());

    // Without the city's key nothing is let in, and nothing sealed.
    let keyless = Identity::new(city.records.clone(), options()).unwrap();
    let refused = keyless.proof_sign_in(&one, &one, &sent, T0).await;
    assert!(refused.is_err());
    let refused = keyless
        .register_keyed_device(&gauge(3), None, &cli(), T0)
        .await;
    assert_eq!(code(&refused.unwrap_err()), "identity-key-missing");

    // The city's key was lost and made anew: new keys work at once, beside the unreadable ones before them.
    let renewed = Identity::new(city.records.clone(), options())
        .unwrap()
        .with_key(CityKey::generate());
    let sent = proof(&key, &one, SECONDS, "a");
    let read = Proof::parse(&sent).unwrap();
    assert!(renewed.proof_sign_in(&one, &one, &read, T0).await.is_err());
    let new = rotated(&renewed, &one, 3_600, T0).await.key.unwrap();
    let sent = proof(&new, &one, SECONDS, "a");
    assert_eq!(shown(&renewed, &one, &one, &sent, T0).await, one);
}
