//! The vectors that Web Authentication Level 3 publishes: what it calls good is taken, with every algorithm that we ask for;
//! what we do not ask for is refused; and no byte of them can change.

use identity::Origin;
use identity::webauthn::{Expected, Fault, registered, signed};
use std::collections::BTreeMap;

type Vector = BTreeMap<String, Vec<u8>>;

fn vectors() -> BTreeMap<String, Vector> {
    let text = include_str!("../vectors/webauthn-level-3.txt");
    let mut all = BTreeMap::new();
    for part in text.split("\n\n").skip(1) {
        let mut lines = part.trim().lines();
        let name = lines.next().unwrap().to_owned();
        let fields = lines.map(|line| {
            let (key, value) = line.split_once(' ').unwrap();
            (key.to_owned(), hex::decode(value).unwrap())
        });
        all.insert(name, fields.collect());
    }
    assert_eq!(all.len(), 7);
    all
}

fn created(vector: &Vector, origin: &Origin) -> Result<Vec<u8>, Fault> {
    let expected = Expected {
        challenge: &vector["create.challenge"],
        origin,
        is_verified: false,
    };
    let made = registered(
        expected,
        &vector["create.clientDataJSON"],
        &vector["create.attestationObject"],
    )?;
    assert_eq!(made.credential_id, vector["create.id"]);
    Ok(made.public_key)
}

fn got(vector: &Vector, key: &[u8], origin: &Origin, is_verified: bool) -> Result<(), Fault> {
    let expected = Expected {
        challenge: &vector["get.challenge"],
        origin,
        is_verified,
    };
    let answer = signed(
        expected,
        key,
        &vector["get.clientDataJSON"],
        &vector["get.authenticatorData"],
        &vector["get.signature"],
    );
    answer.map(|said| assert_eq!(said.sign_count, 0))
}

#[test]
fn what_the_standard_calls_good_is_taken() {
    let origin = Origin::parse("https://example.org").unwrap();
    let vectors = vectors();
    for name in [
        "none-es256",
        "packed-self-es256",
        "none-es256-long-credential-id",
        "packed-rs256",
        "packed-eddsa",
    ] {
        let vector = &vectors[name];
        let key = created(vector, &origin).unwrap_or_else(|e| panic!("{name}: {e}"));
        got(vector, &key, &origin, false).unwrap_or_else(|e| panic!("{name}: {e}"));
        // Their authenticators saw that somebody was there, and not all who.
        let is_seen = vector["get.authenticatorData"][32] & 4 != 0;
        let strict = got(vector, &key, &origin, true);
        assert_eq!(strict.is_ok(), is_seen, "{name}");
    }
}

#[test]
fn what_is_not_asked_for_is_refused() {
    let origin = Origin::parse("https://example.org").unwrap();
    let vectors = vectors();
    assert_eq!(
        created(&vectors["packed-es384"], &origin),
        Err(Fault::Algorithm)
    );
    // A page of another site held ours in a frame.
    assert_eq!(
        created(&vectors["none-es256-crossOrigin"], &origin),
        Err(Fault::Origin)
    );
    let good = &vectors["none-es256"];
    for (address, fault) in [
        ("https://example.org:8443", Fault::Origin),
        ("https://login.example.org", Fault::Origin),
        ("https://example.com", Fault::Origin),
    ] {
        let other = Origin::parse(address).unwrap();
        assert_eq!(created(good, &other), Err(fault), "{address}");
    }
    let key = created(good, &origin).unwrap();
    let mut other = good.clone();
    other.insert("get.challenge".into(), good["create.challenge"].clone());
    assert_eq!(got(&other, &key, &origin, false), Err(Fault::Challenge));
    let mut other = good.clone();
    other.insert(
        "get.clientDataJSON".into(),
        good["create.clientDataJSON"].clone(),
    );
    assert_eq!(got(&other, &key, &origin, false), Err(Fault::Type));
    let strange = created(&vectors["packed-eddsa"], &origin).unwrap();
    assert_eq!(got(good, &strange, &origin, false), Err(Fault::Signature));
}

#[test]
fn no_bit_of_a_signed_answer_can_change() {
    let origin = Origin::parse("https://example.org").unwrap();
    let vector = &vectors()["none-es256"];
    let key = created(vector, &origin).unwrap();
    for part in [
        "get.clientDataJSON",
        "get.authenticatorData",
        "get.signature",
    ] {
        for bit in 0..vector[part].len() * 8 {
            let mut other = vector.clone();
            other.get_mut(part).unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert!(
                got(&other, &key, &origin, false).is_err(),
                "{part}, bit {bit}"
            );
        }
        let mut cut = vector.clone();
        cut.get_mut(part).unwrap().pop();
        assert!(got(&cut, &key, &origin, false).is_err(), "{part} cut");
    }
    // The key's and the registration's bytes: refused or another key, and no panic.
    let object = &vector["create.attestationObject"];
    for at in 0..object.len() {
        let mut other = vector.clone();
        other.get_mut("create.attestationObject").unwrap()[at] ^= 0xff;
        let expected = Expected {
            challenge: &vector["create.challenge"],
            origin: &origin,
            is_verified: false,
        };
        let _ = registered(
            expected,
            &vector["create.clientDataJSON"],
            &other["create.attestationObject"],
        );
    }
}
