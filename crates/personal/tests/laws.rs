//! The laws of sealing: what is sealed is read back, by nobody without the key, nowhere else, and not when it was changed.

use model::{MaskKind, Timestamp, Value};
use personal::{Cipher, Keys, Sealer, is_sealed, is_sealed_message, key_of, keys_within, mask};
use proptest::prelude::*;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ENTITY: &str = "urn:ngsi-ld:WaterObserved:61804300";

fn draw() -> [u8; 32] {
    rand::random()
}

fn sealer(cipher: Cipher) -> Sealer {
    Sealer::new(Keys::generate(draw, cipher, T0), draw)
}

fn seal(sealer: &Sealer, text: &str) -> String {
    let value = Value::Text(text.to_owned());
    sealer
        .seal(ENTITY, "officerPhone", &value)
        .unwrap()
        .unwrap()
}

fn code(sealer: &Sealer, entity: &str, attribute: &str, sealed: &str) -> String {
    sealer.open(entity, attribute, sealed).unwrap_err().code
}

#[test]
fn what_is_sealed_is_read_back_and_says_nothing() {
    for cipher in [Cipher::Sm4Gcm, Cipher::Aes256Gcm] {
        let sealer = sealer(cipher);
        let sealed = seal(&sealer, "13800001234");
        assert!(is_sealed(&sealed) && !sealed.contains("1380000"));
        assert_ne!(sealed, seal(&sealer, "13800001234"), "a nonce of its own");
        let opened = sealer.open(ENTITY, "officerPhone", &sealed).unwrap();
        assert_eq!(
            (opened.text.as_str(), opened.is_json),
            ("13800001234", false)
        );
        assert!(!format!("{opened:?}").contains("138"));
        let json = Value::Json(r#"{"id":"4290"}"#.to_owned());
        let sealed = sealer.seal(ENTITY, "papers", &json).unwrap().unwrap();
        let opened = sealer.open(ENTITY, "papers", &sealed).unwrap();
        assert_eq!(opened.to_json(), serde_json::json!({"id": "4290"}));
        assert_eq!(
            sealer.seal(ENTITY, "papers", &Value::Deleted).unwrap(),
            None
        );
        let raw = br#"{"phone":"13800001234"}"#;
        let stored = sealer
            .seal_message("mqtt", "devices/1/up", T0, raw)
            .unwrap();
        assert!(is_sealed_message(&stored));
        assert_eq!(
            sealer
                .open_message("mqtt", "devices/1/up", T0, &stored)
                .unwrap(),
            raw
        );
        for (door, address, at) in [
            ("api", "devices/1/up", T0),
            ("mqtt", "devices/2/up", T0),
            ("mqtt", "devices/1/up", T0.plus_micros(1)),
        ] {
            assert!(sealer.open_message(door, address, at, &stored).is_err());
        }
        // What a sender made to look so is no message of ours.
        assert!(
            sealer
                .open_message("mqtt", "a", T0, b"\x01sealed-message:1:00000000x")
                .is_err()
        );
    }
}

#[test]
fn a_value_that_was_moved_or_is_of_another_key_does_not_open() {
    let sealer_a = sealer(Cipher::Sm4Gcm);
    let sealed = seal(&sealer_a, "13800001234");
    let moved = "urn:ngsi-ld:WaterObserved:61804400";
    assert_eq!(
        code(&sealer_a, moved, "officerPhone", &sealed),
        "personal-unreadable"
    );
    assert_eq!(
        code(&sealer_a, ENTITY, "officerName", &sealed),
        "personal-unreadable"
    );
    let sealer_b = sealer(Cipher::Sm4Gcm);
    assert_eq!(
        code(&sealer_b, ENTITY, "officerPhone", &sealed),
        "personal-unreadable"
    );
    // Entity and attribute do not run into one another.
    let value = Value::Text("x".to_owned());
    let sealed = sealer_a.seal("urn:a:1", "bc", &value).unwrap().unwrap();
    assert!(sealer_a.open("urn:a:1b", "c", &sealed).is_err());
}

#[test]
fn every_changed_bit_is_refused() {
    for cipher in [Cipher::Sm4Gcm, Cipher::Aes256Gcm] {
        let sealer = sealer(cipher);
        let stored = sealer
            .seal_message("api", "/x", T0, b"13800001234")
            .unwrap();
        for at in 0..stored.len() * 8 {
            let mut other = stored.clone();
            other[at / 8] ^= 1 << (at % 8);
            assert!(
                sealer.open_message("api", "/x", T0, &other).is_err(),
                "bit {at}"
            );
        }
        for length in 0..stored.len() {
            assert!(
                sealer
                    .open_message("api", "/x", T0, &stored[..length])
                    .is_err()
            );
        }
    }
}

#[test]
fn after_a_rotation_new_values_have_the_new_key_and_old_ones_still_open() {
    let first = Keys::generate(draw, Cipher::Sm4Gcm, T0);
    let sealer = Sealer::new(first.clone(), draw);
    let old = seal(&sealer, "old");
    let second = first.rotated(draw, Cipher::Aes256Gcm, T0.plus_seconds(9));
    assert_eq!(second.all()[1].id, first.active().id);
    assert_eq!(second.all()[1].followed_at, Some(T0.plus_seconds(9)));
    // By way of the file, as a running city sees it.
    sealer.replace(Keys::parse(&second.text()).unwrap());
    let new = seal(&sealer, "new");
    assert!(new.contains(&second.active().id) && old.contains(&first.active().id));
    for (sealed, plain) in [(&old, "old"), (&new, "new")] {
        assert_eq!(
            sealer.open(ENTITY, "officerPhone", sealed).unwrap().text,
            plain
        );
    }
    sealer.replace(Keys::generate(draw, Cipher::Sm4Gcm, T0));
    assert!(sealer.open(ENTITY, "officerPhone", &old).is_err());
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let good = Keys::generate(draw, Cipher::Sm4Gcm, T0);
    assert_eq!(Keys::parse(&good.text()).unwrap(), good);
    assert!(!format!("{good:?}").contains("secret"));
    let text = good.text();
    let id = &good.active().id;
    for bad in [
        "{".to_owned(),
        r#"{"version":1,"keys":[]}"#.to_owned(),
        text.replace("\"version\": 2", "\"version\": 3"),
        text.replace("sm4-gcm", "aes-256-gcm"),
        text.replace("sm4-gcm", "rot13"),
        text.replace(id, "ABCDEFGH"),
        text.replace("\"followed_at\": null", "\"followed_at\": 5"),
    ] {
        assert_ne!(bad, text);
        assert_eq!(
            Keys::parse(&bad).unwrap_err().code,
            "personal-keys",
            "{bad}"
        );
    }
    let fixture = include_str!("../fixtures/personal-keys-v1.json");
    let read = Keys::parse(fixture).unwrap();
    assert_eq!(read.all().len(), 2);
    // Values sealed by the version that wrote the fixture, one under each key.
    let sealed = include_str!("../fixtures/personal-value-v1.txt");
    let sealer = Sealer::new(read, draw);
    assert_eq!(sealed.lines().count(), 2);
    for sealed in sealed.lines() {
        let opened = sealer.open(ENTITY, "officerPhone", sealed);
        assert_eq!(opened.unwrap().text, "13800001234");
    }
}

#[test]
fn what_is_sealed_anew_reads_the_same_and_needs_the_old_key_no_more() {
    for json in [false, true] {
        let first = Keys::generate(draw, Cipher::Sm4Gcm, T0);
        let sealer = Sealer::new(first.clone(), draw);
        let text = r#"{"phone":"13800001234"}"#.to_owned();
        let value = if json {
            Value::Json(text.clone())
        } else {
            Value::Text(text.clone())
        };
        let old = sealer.seal(ENTITY, "a", &value).unwrap().unwrap();
        assert_eq!(sealer.resealed(ENTITY, "a", &old), None, "the newest key");
        let second = first.rotated(draw, Cipher::Aes256Gcm, T0);
        sealer.replace(second.clone());
        let anew = sealer.resealed(ENTITY, "a", &old).unwrap();
        assert_eq!(key_of(&old), Some(first.active().id.as_str()));
        assert_eq!(key_of(&anew), Some(second.active().id.as_str()));
        for (entity, attribute, stored) in [
            ("urn:x:other", "a", old.as_str()),
            (ENTITY, "b", &old),
            (ENTITY, "a", "sealed:1:00000000:AAAA"),
            (ENTITY, "a", "13800001234"),
        ] {
            assert_eq!(sealer.resealed(entity, attribute, stored), None, "{stored}");
        }
        let id = &first.active().id;
        sealer.replace(second.without(id, T0).unwrap());
        let opened = sealer.open(ENTITY, "a", &anew).unwrap();
        assert_eq!((opened.text, opened.is_json), (text, json));
        assert!(sealer.open(ENTITY, "a", &old).is_err());
        assert!(sealer.is_retired(&old) && !sealer.is_retired(&anew));
        assert_eq!(sealer.resealed(ENTITY, "a", &old), None);
    }
}

#[test]
fn a_retired_key_is_gone_but_for_its_id() {
    let first = Keys::generate(draw, Cipher::Sm4Gcm, T0);
    let second = first.rotated(draw, Cipher::Sm4Gcm, T0);
    let refused = |keys: &Keys, id: &str| keys.without(id, T0).unwrap_err().code;
    assert_eq!(refused(&second, &second.active().id), "personal-key-seals");
    assert_eq!(refused(&second, "00000000"), "personal-key-unknown");
    let id = first.active().id.clone();
    let left = second.without(&id, T0.plus_seconds(1)).unwrap();
    assert_eq!(left.all().len(), 1);
    assert!(left.is_retired(&id));
    assert_eq!(refused(&left, &id), "personal-key-unknown");
    let text = left.text();
    let secret = serde_json::from_str::<serde_json::Value>(&first.text()).unwrap();
    let secret = secret["keys"][0]["key"].as_str().unwrap().to_owned();
    assert!(second.text().contains(&secret) && !text.contains(&secret));
    assert_eq!(Keys::parse(&text).unwrap(), left);
    assert_eq!(
        left.rotated(draw, Cipher::Sm4Gcm, T0).retired(),
        left.retired()
    );
    for (from, to) in [(id.as_str(), left.active().id.as_str()), (&id, "no id")] {
        let bad = text.replacen(from, to, 1);
        assert_eq!(
            Keys::parse(&bad).unwrap_err().code,
            "personal-keys",
            "{bad}"
        );
    }
    let fixture = Keys::parse(include_str!("../fixtures/personal-keys-v2.json")).unwrap();
    assert_eq!(
        (fixture.all().len(), fixture.retired()[0].id.as_str()),
        (1, "4c357642")
    );
}

#[test]
fn the_keys_that_bytes_name_are_found() {
    let sealer = sealer(Cipher::Sm4Gcm);
    let id = sealer.keys().active().id.clone();
    let value = seal(&sealer, "x");
    let message = sealer.seal_message("mqtt", "a", T0, b"x").unwrap();
    let bytes = [
        b"\x00".as_slice(),
        value.as_bytes(),
        b" \xff ",
        &message,
        b"sealed:1:short",
    ]
    .concat();
    assert_eq!(keys_within(&bytes), [id]);
    assert_eq!(keys_within(b"sealed:1:0000000"), Vec::<String>::new());
    assert_eq!(keys_within(b"nothing"), Vec::<String>::new());
    for stored in ["13800001234", "sealed:1:short:AAAA", "sealed:1:00000000"] {
        assert_eq!(key_of(stored), None);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_back(text in ".*", json in any::<bool>()) {
        let sealer = sealer(Cipher::Sm4Gcm);
        let value = if json { Value::Json(text.clone()) } else { Value::Text(text.clone()) };
        let sealed = sealer.seal(ENTITY, "a", &value).unwrap().unwrap();
        let opened = sealer.open(ENTITY, "a", &sealed).unwrap();
        prop_assert_eq!((opened.text, opened.is_json), (text, json));
    }

    #[test]
    fn anything_may_come_to_be_opened(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sealer = sealer(Cipher::Sm4Gcm);
        prop_assert!(sealer.open(ENTITY, "a", &text).is_err());
        let alike = format!("sealed:1:{text}");
        prop_assert!(sealer.open(ENTITY, "a", &alike).is_err());
        prop_assert!(sealer.open_message("d", "a", T0, &bytes).is_err());
    }

    /// Of no value does the mask give more than half away.
    #[test]
    fn a_mask_hides_at_least_half(text in "[0-9a-zA-Z\u{4e00}-\u{4e20}省市区]{1,40}") {
        for kind in [MaskKind::Name, MaskKind::Phone, MaskKind::IdNumber, MaskKind::Address, MaskKind::Plate, MaskKind::Whole] {
            let shown = mask(kind, &text);
            let given = shown.chars().filter(|c| *c != '*').count();
            let most = match kind {
                // The usual forms of telephone (7 of 11), card (10 of 18) and plate (4 of 7): what is hidden is what tells
                // one from the other among those that share division, operator and check digits.
                MaskKind::Phone | MaskKind::IdNumber | MaskKind::Plate => text.chars().count() * 2 / 3,
                _ => text.chars().count() / 2,
            };
            prop_assert!(given <= most, "{} of {}", shown, text);
        }
    }
}
