//! Laws: no panic on any bytes, limits hold, what is written is read back, a changed bit is never taken.

use model::Timestamp;
use proptest::prelude::*;
use proto_tcec102::door::TOKEN_BYTES;
use proto_tcec102::{
    AnswerEnvelope, Call, Door, Envelope, Fixed, Keys, Limits, Partner, Received, Reply, Ret, Role,
    seal,
};

fn keys() -> Keys {
    Keys::new(
        "operator-secret",
        "1234567890abcdef",
        "fedcba0987654321",
        "sig-secret",
    )
    .unwrap()
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T16:00:00+08:00").unwrap()
}

fn door(role: Role) -> Door {
    let partner = Partner {
        operator_id: "123456789".into(),
        keys: keys(),
    };
    Door::new(role, [partner], Limits::default())
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300), api in "[a-z_]{0,20}") {
        let received = door(Role::Operator).receive(&api, Some("x"), &bytes, now(), &[7; TOKEN_BYTES]);
        let Received::Answer { json, fault } = received else { panic!() };
        prop_assert!(fault.is_some());
        let answer = AnswerEnvelope::parse(json.as_bytes(), &Limits::default()).unwrap();
        prop_assert_ne!(answer.ret, Ret::Ok);
    }

    #[test]
    fn any_body_under_a_good_seal_is_answered(text in ".{0,200}", n in 0..Call::APIS.len()) {
        let api = Call::APIS[n];
        prop_assert!(Call::read(api, &text, &Limits::default()).is_err());
        prop_assert!(Reply::read(api, &text).is_err());
    }

    #[test]
    fn what_is_sealed_opens(text in "\\PC{0,200}") {
        let data = seal::seal(&keys(), &text);
        prop_assert_eq!(seal::open(&keys(), &data), Some(text));
    }

    #[test]
    fn a_changed_character_is_never_signed(text in "\\PC{0,60}", at in any::<prop::sample::Index>(), to in "[A-Za-z0-9]") {
        let good = Envelope::seal(&keys(), "123456789", &text, "20261123160000", "0001");
        prop_assert!(good.is_signed(&keys()));
        let mut bad = good.clone();
        let n = at.index(bad.data.len());
        bad.data.replace_range(n..=n, &to);
        prop_assert_eq!(bad.is_signed(&keys()), bad == good);
        for change in [
            |e: &mut Envelope| e.seq = "0002".into(),
            |e: &mut Envelope| e.time_stamp = "20261123160001".into(),
            |e: &mut Envelope| e.operator_id = "123456780".into(),
            |e: &mut Envelope| { e.sig.pop(); },
            |e: &mut Envelope| e.sig.clear(),
        ] {
            let mut bad = good.clone();
            change(&mut bad);
            prop_assert!(!bad.is_signed(&keys()));
        }
    }

    #[test]
    fn numbers_are_exact(n in -99_999_999_999_999_i64..=99_999_999_999_999) {
        let number = Fixed::from_ten_thousandths(n).unwrap();
        let text = serde_json::to_string(&number).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fixed>(&text).unwrap(), number, "{}", text);
        let quoted = format!("\"{text}\"");
        if !text.contains('e') {
            prop_assert_eq!(serde_json::from_str::<Fixed>(&quoted).unwrap(), number);
        }
    }
}

#[test]
fn numbers_that_are_none_are_refused() {
    for text in [
        "1.23456",
        "1e3",
        "\"\"",
        "\"1.2.3\"",
        "null",
        "true",
        "1e300",
        "\"--1\"",
        "\"١\"",
        "10000000000",
    ] {
        assert!(serde_json::from_str::<Fixed>(text).is_err(), "{text}");
    }
    let read: Fixed = serde_json::from_str("\"12.340000\"").unwrap();
    assert_eq!((read.fen(), read.watt_hours()), (Some(1_234), Some(12_340)));
    let part: Fixed = serde_json::from_str("0.0001").unwrap();
    assert_eq!((part.fen(), part.watt_hours()), (None, None));
    assert_eq!(Fixed::from_fen(i64::MAX), None);
    assert_eq!(
        Fixed::from_watt_hours(1_500).map(Fixed::ten_thousandths),
        Some(15_000)
    );
}

#[test]
fn limits_hold() {
    let limits = Limits {
        message_bytes_max: 10,
        station_ids_max: 2,
        page_size_max: 5,
        ..Limits::default()
    };
    let fault = Envelope::parse(&[b' '; 11], &limits).unwrap_err();
    assert_eq!(
        (fault.ret, fault.told.code.as_str()),
        (Ret::Envelope, "tcec102-envelope")
    );
    for (api, body) in [
        ("query_station_status", r#"{"StationIDs":["1","2","3"]}"#),
        ("query_station_status", r#"{"StationIDs":[]}"#),
        ("query_stations_info", r#"{"PageNo":1,"PageSize":6}"#),
        ("query_stations_info", r#"{"PageNo":0}"#),
        (
            "query_start_charge",
            r#"{"StartChargeSeq":"1","ConnectorID":"1","QRCode":""}"#,
        ),
        (
            "notification_stationStatus",
            r#"{"ConnectorStatusInfo":{"ConnectorID":"1","Status":9}}"#,
        ),
        ("query_charge_weather", "{}"),
    ] {
        let fault = Call::read(api, body, &limits).unwrap_err();
        assert_eq!(
            (fault.ret, fault.told.code.as_str()),
            (Ret::Business, "tcec102-data"),
            "{body}"
        );
        assert!(fault.told.is_translated());
    }
}

#[test]
fn secrets_are_checked_and_never_shown() {
    for (operator, data, iv, sig) in [
        ("", "1234567890abcdef", "1234567890abcdef", "s"),
        ("o", "short", "1234567890abcdef", "s"),
        ("o", "1234567890abcdef", "1234567890abcdef0", "s"),
        ("o", "1234567890abcdef", "1234567890abcdef", ""),
    ] {
        assert_eq!(
            Keys::new(operator, data, iv, sig).unwrap_err().code,
            "tcec102-secret"
        );
    }
    assert_eq!(format!("{:?}", keys()), "Keys");
}
