//! A door and a caller that talk to each other: tokens, refusals, and everything that a partner can do wrong.

use model::Timestamp;
use proto_tcec102::call::{Call, Reply};
use proto_tcec102::door::TOKEN_BYTES;
use proto_tcec102::message::*;
use proto_tcec102::time::Moment;
use proto_tcec102::*;

const ID: &str = "123456789";
const ORDER: &str = "123456789202611231600000001";

fn t(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-11-23T16:00:00+08:00")
        .unwrap()
        .plus_seconds(seconds)
}

fn keys() -> Keys {
    Keys::new(
        "operator-secret",
        "1234567890abcdef",
        "fedcba0987654321",
        "sig-secret",
    )
    .unwrap()
}

fn door(role: Role) -> Door {
    let partner = |id: &str| Partner {
        operator_id: id.into(),
        keys: keys(),
    };
    Door::new(role, [partner(ID), partner("987654321")], Limits::default())
}

fn caller() -> Caller {
    Caller::new(ID.into(), keys(), Limits::default())
}

fn status_of(id: &str) -> Call {
    Call::QueryStationStatus(QueryStationStatus {
        station_ids: vec![id.into()],
    })
}

fn reply() -> Reply {
    let status = ConnectorStatusInfo {
        connector_id: "1".into(),
        status: ConnectorStatus::Charging,
        park_status: Some(PlaceStatus::Occupied),
        lock_status: None,
    };
    Reply::QueryStationStatus(QueryStationStatusReply {
        total: 1,
        station_status_infos: vec![StationStatusInfo {
            station_id: "s1".into(),
            connector_status_infos: vec![status],
        }],
    })
}

fn receive(door: &mut Door, out: &Outgoing, now: Timestamp, random: u8) -> Received {
    door.receive(
        out.api,
        out.bearer.as_deref(),
        out.body.as_bytes(),
        now,
        &[random; TOKEN_BYTES],
    )
}

/// What is answered at once: how, and our own word for it.
fn refused(received: Received) -> (Ret, String) {
    let Received::Answer { json, fault } = received else {
        panic!("{received:?}")
    };
    let answer = AnswerEnvelope::parse(json.as_bytes(), &Limits::default()).unwrap();
    let fault = fault.unwrap();
    assert_eq!(answer.ret, fault.ret);
    assert_eq!(answer.data, "");
    (answer.ret, fault.told.code)
}

/// Drives a call to its end; how often something was posted.
fn talk(
    door: &mut Door,
    caller: &mut Caller,
    call: Call,
    now: Timestamp,
    random: u8,
) -> (Heard, usize) {
    let mut out = caller.ask(call, now).unwrap();
    for posted in 1.. {
        let json = match receive(door, &out, now, random) {
            Received::Answer { json, .. } => json,
            Received::Asked(asked) => door.answer(&asked, Ok(&reply())),
        };
        match caller.hear(json.as_bytes(), now).unwrap() {
            Heard::Send(next) => out = next,
            heard => return (heard, posted),
        }
    }
    unreachable!()
}

#[test]
fn a_token_is_got_once_and_anew_when_it_ends() {
    let (mut door, mut caller) = (door(Role::Operator), caller());
    assert_eq!(
        talk(&mut door, &mut caller, status_of("s1"), t(0), 1),
        (Heard::Reply(reply()), 2)
    );
    assert_eq!(
        talk(&mut door, &mut caller, status_of("s1"), t(5), 2),
        (Heard::Reply(reply()), 1)
    );
    // Renewed before it ends.
    assert_eq!(
        talk(&mut door, &mut caller, status_of("s1"), t(7_139), 3).1,
        1
    );
    assert_eq!(
        talk(&mut door, &mut caller, status_of("s1"), t(7_140), 4).1,
        2
    );
    // The partner forgot it: 4002, a new one, once more; three posts.
    let mut door = super_door();
    assert_eq!(
        talk(&mut door, &mut caller, status_of("s1"), t(7_150), 5),
        (Heard::Reply(reply()), 3)
    );
}

fn super_door() -> Door {
    door(Role::Operator)
}

#[test]
fn a_second_4002_is_a_refusal() {
    let mut caller = caller();
    let token = caller.ask(status_of("s1"), t(0)).unwrap();
    assert_eq!((token.api, token.bearer.clone()), ("query_token", None));
    let mut door = door(Role::Operator);
    let Received::Answer { json, .. } = receive(&mut door, &token, t(0), 1) else {
        panic!()
    };
    let Heard::Send(call) = caller.hear(json.as_bytes(), t(0)).unwrap() else {
        panic!()
    };
    assert!(call.bearer.is_some());
    let no = AnswerEnvelope::seal(Some(&keys()), Ret::Token, "Token 错误", None).to_json();
    let Heard::Send(token) = caller.hear(no.as_bytes(), t(1)).unwrap() else {
        panic!()
    };
    assert_eq!(token.api, "query_token");
    let Received::Answer { json, .. } = receive(&mut door, &token, t(1), 2) else {
        panic!()
    };
    assert!(matches!(
        caller.hear(json.as_bytes(), t(1)).unwrap(),
        Heard::Send(_)
    ));
    assert!(matches!(
        caller.hear(no.as_bytes(), t(1)).unwrap(),
        Heard::Refused {
            ret: Ret::Token,
            ..
        }
    ));
    assert!(!caller.is_asking());
}

#[test]
fn everything_wrong_has_its_answer() {
    let (mut door, mut caller) = (door(Role::Operator), caller());
    talk(&mut door, &mut caller, status_of("s1"), t(0), 1);
    let good = caller.ask(status_of("s1"), t(10)).unwrap();
    let envelope = Envelope::parse(good.body.as_bytes(), &Limits::default()).unwrap();
    let token = good.bearer.as_deref();
    let mut post = |api: &str, token: Option<&str>, body: &str, at: i64| {
        refused(door.receive(api, token, body.as_bytes(), t(at), &[9; TOKEN_BYTES]))
    };
    let changed = |change: fn(&mut Envelope)| {
        let mut bad = envelope.clone();
        change(&mut bad);
        bad.to_json()
    };
    let sealed = |text: &str, stamp: &str, seq: &str| {
        Envelope::seal(&keys(), ID, text, stamp, seq).to_json()
    };
    let api = "query_station_status";
    let expect =
        |said: (Ret, String), ret: Ret, code: &str| assert_eq!(said, (ret, code.to_owned()));

    expect(post(api, token, "{", 10), Ret::Envelope, "tcec102-envelope");
    expect(
        post(api, token, &changed(|e| e.seq = "1".into()), 10),
        Ret::Envelope,
        "tcec102-envelope",
    );
    expect(
        post(
            api,
            token,
            &changed(|e| e.time_stamp = "20261323160000".into()),
            10,
        ),
        Ret::Envelope,
        "tcec102-envelope",
    );
    expect(
        post(
            api,
            token,
            &changed(|e| e.operator_id = "000000000".into()),
            10,
        ),
        Ret::Envelope,
        "tcec102-operator",
    );
    expect(
        post(api, token, &changed(|e| e.sig = "00".repeat(16)), 10),
        Ret::Signature,
        "tcec102-signature",
    );
    expect(
        post(api, token, &changed(|e| e.sig = "no".into()), 10),
        Ret::Signature,
        "tcec102-signature",
    );
    expect(post(api, None, &good.body, 10), Ret::Token, "tcec102-token");
    expect(
        post(api, Some("0".repeat(64).as_str()), &good.body, 10),
        Ret::Token,
        "tcec102-token",
    );
    // The other partner's envelope with this one's token.
    let other = Envelope::seal(&keys(), "987654321", "{}", &envelope.time_stamp, "0001").to_json();
    expect(post(api, token, &other, 10), Ret::Token, "tcec102-token");
    // The allowance is 600 s to either side, and to the second.
    expect(
        post(api, token, &good.body, 611),
        Ret::Envelope,
        "tcec102-clock",
    );
    expect(
        post(api, token, &good.body, -591),
        Ret::Envelope,
        "tcec102-clock",
    );
    expect(
        post(api, token, &sealed("{", "20261123160020", "0001"), 10),
        Ret::Business,
        "tcec102-data",
    );
    expect(
        post("notification_stationStatus", token, &good.body, 10),
        Ret::Business,
        "tcec102-data",
    );
    expect(
        post("nothing", token, &good.body, 10),
        Ret::Business,
        "tcec102-data",
    );
    // Wrong padding and no base64 are told alike.
    let mut told = Vec::new();
    for (n, data) in ["AAAAAAAAAAAAAAAAAAAAAA==", "AAAA", "%%", ""]
        .into_iter()
        .enumerate()
    {
        let mut bad = envelope.clone();
        bad.data = data.to_owned();
        bad.seq = format!("9{n:03}");
        bad.sig = seal::sign(
            &keys(),
            &[&bad.operator_id, &bad.data, &bad.time_stamp, &bad.seq],
        );
        told.push(post(api, token, &bad.to_json(), 10));
    }
    assert!(
        told.iter()
            .all(|one| *one == (Ret::Business, "tcec102-data".to_owned()))
    );
    // Refused attempts did not use the number up; taken once, it is.
    let taken = door.receive(api, token, good.body.as_bytes(), t(10), &[9; TOKEN_BYTES]);
    assert!(matches!(taken, Received::Asked(_)));
    let again = door.receive(api, token, good.body.as_bytes(), t(600), &[9; TOKEN_BYTES]);
    expect(refused(again), Ret::Envelope, "tcec102-repeated");
    let ended = door.receive(api, token, &[], t(10), &[9; TOKEN_BYTES]);
    expect(refused(ended), Ret::Envelope, "tcec102-envelope");
}

#[test]
fn a_token_ends_on_its_second_and_two_are_good_at_a_time() {
    let mut door = door(Role::Regulator);
    let get = |door: &mut Door, n: u8| {
        let ask = Call::QueryToken(QueryToken {
            operator_id: ID.into(),
            operator_secret: "operator-secret".into(),
        });
        let stamp = proto_tcec102::time::to_envelope(t(i64::from(n)));
        let body = Envelope::seal(&keys(), ID, &ask.to_json(), &stamp, "0001").to_json();
        let said = door.receive(
            "query_token",
            None,
            body.as_bytes(),
            t(i64::from(n)),
            &[n; TOKEN_BYTES],
        );
        let Received::Answer { json, fault: None } = said else {
            panic!()
        };
        let answer = AnswerEnvelope::parse(json.as_bytes(), &Limits::default()).unwrap();
        assert!(answer.is_signed(&keys()));
        let text = seal::open(&keys(), &answer.data).unwrap();
        let Reply::QueryToken(reply) = Reply::read("query_token", &text).unwrap() else {
            panic!()
        };
        assert_eq!(
            (reply.succ_stat, reply.token_available_time),
            (Success::Done, 7_200)
        );
        reply.access_token
    };
    let tokens: Vec<String> = (1..=3).map(|n| get(&mut door, n)).collect();
    let notify = |door: &mut Door, token: &str, at: i64| {
        let body = r#"{"ConnectorStatusInfo":{"ConnectorID":"1","Status":255}}"#;
        let stamp = proto_tcec102::time::to_envelope(t(at));
        let body = Envelope::seal(&keys(), ID, body, &stamp, "0002").to_json();
        matches!(
            door.receive(
                "notification_stationStatus",
                Some(token),
                body.as_bytes(),
                t(at),
                &[0; TOKEN_BYTES]
            ),
            Received::Asked(_)
        )
    };
    assert!(
        !notify(&mut door, &tokens[0], 10),
        "two are good, this was the first of three"
    );
    assert!(notify(&mut door, &tokens[1], 11));
    assert!(notify(&mut door, &tokens[2], 7_202));
    assert!(!notify(&mut door, &tokens[2], 7_203));
    assert!(!notify(&mut door, "", 12));
}

#[test]
fn a_wrong_secret_is_told_inside_the_answer() {
    let mut door = door(Role::Operator);
    for (n, id, secret, reason) in [(1, ID, "wrong", 2), (2, "987654321", "operator-secret", 1)] {
        let ask = Call::QueryToken(QueryToken {
            operator_id: id.into(),
            operator_secret: secret.into(),
        });
        let body = Envelope::seal(
            &keys(),
            ID,
            &ask.to_json(),
            "20261123160000",
            &format!("000{n}"),
        )
        .to_json();
        let said = door.receive(
            "query_token",
            None,
            body.as_bytes(),
            t(0),
            &[1; TOKEN_BYTES],
        );
        let Received::Answer { json, fault } = said else {
            panic!()
        };
        assert_eq!(fault.unwrap().told.code, "tcec102-operator-secret");
        let answer = AnswerEnvelope::parse(json.as_bytes(), &Limits::default()).unwrap();
        let text = seal::open(&keys(), &answer.data).unwrap();
        let Reply::QueryToken(reply) = Reply::read("query_token", &text).unwrap() else {
            panic!()
        };
        assert_eq!(
            (
                reply.succ_stat,
                reply.fail_reason,
                reply.access_token.as_str()
            ),
            (Success::Failed, reason, "")
        );
    }
}

#[test]
fn an_answer_that_is_not_the_partners_is_not_believed() {
    let strange = Keys::new("o", "1234567890abcdef", "fedcba0987654321", "other").unwrap();
    let body = reply().to_json();
    for (answer, code) in [
        (
            AnswerEnvelope::seal(Some(&strange), Ret::Ok, "", Some(&body)).to_json(),
            "tcec102-answer-signature",
        ),
        (
            AnswerEnvelope::seal(None, Ret::Ok, "", None).to_json(),
            "tcec102-answer-signature",
        ),
        ("<html>".to_owned(), "tcec102-envelope"),
        (
            AnswerEnvelope::seal(Some(&keys()), Ret::Ok, "", None).to_json(),
            "tcec102-data",
        ),
        (
            AnswerEnvelope::seal(Some(&keys()), Ret::Ok, "", Some("{}")).to_json(),
            "tcec102-data",
        ),
    ] {
        let mut caller = caller();
        caller.ask(status_of("s1"), t(0)).unwrap();
        assert_eq!(
            caller.ask(status_of("s1"), t(0)).unwrap_err().code,
            "tcec102-asking"
        );
        let Heard::Wrong(fault) = caller.hear(answer.as_bytes(), t(0)).unwrap() else {
            panic!("{answer}")
        };
        assert_eq!(fault.told.code, code);
        let Heard::Wrong(fault) = caller.hear(answer.as_bytes(), t(0)).unwrap() else {
            panic!()
        };
        assert_eq!(fault.told.code, "tcec102-unexpected");
    }
    // A refusal of somebody who does not know us is unsigned, and heard.
    let mut caller = caller();
    caller.ask(status_of("s1"), t(0)).unwrap();
    let no = AnswerEnvelope::seal(None, Ret::Envelope, "未知的运营商", None).to_json();
    assert!(matches!(
        caller.hear(no.as_bytes(), t(0)).unwrap(),
        Heard::Refused {
            ret: Ret::Envelope,
            ..
        }
    ));
}

#[test]
fn numbers_are_never_used_twice() {
    let mut caller = caller();
    let mut seen = std::collections::BTreeSet::new();
    let mut ask = |at: i64| {
        let out = caller.ask(status_of("s1"), t(at));
        caller.give_up();
        out.map(|out| {
            let envelope = Envelope::parse(out.body.as_bytes(), &Limits::default()).unwrap();
            assert!(seen.insert((envelope.time_stamp, envelope.seq.clone())));
            envelope.seq
        })
    };
    assert_eq!(ask(5).unwrap(), "0001");
    // A clock that goes back goes on counting in the later second.
    assert_eq!(ask(1).unwrap(), "0002");
    assert_eq!(ask(6).unwrap(), "0001");
    for _ in 1..9_999 {
        ask(6).unwrap();
    }
    assert_eq!(ask(6).unwrap_err().code, "tcec102-seq");
    assert_eq!(ask(7).unwrap(), "0001");
}

#[test]
fn memory_of_what_was_taken_is_bounded() {
    let partner = Partner {
        operator_id: ID.into(),
        keys: keys(),
    };
    let limits = Limits {
        remembered_max: 3,
        ..Limits::default()
    };
    let mut door = Door::new(Role::Operator, [partner], limits);
    let mut post = |at: i64, n: u32| {
        let stamp = proto_tcec102::time::to_envelope(t(at));
        let ask = Call::QueryToken(QueryToken {
            operator_id: ID.into(),
            operator_secret: "operator-secret".into(),
        });
        let body =
            Envelope::seal(&keys(), ID, &ask.to_json(), &stamp, &format!("{n:04}")).to_json();
        match door.receive(
            "query_token",
            None,
            body.as_bytes(),
            t(at),
            &[1; TOKEN_BYTES],
        ) {
            Received::Answer { fault, .. } => fault.map(|fault| fault.ret),
            Received::Asked(_) => panic!(),
        }
    };
    assert_eq!((post(0, 1), post(0, 2), post(0, 3)), (None, None, None));
    assert_eq!(post(0, 4), Some(Ret::Busy));
    assert_eq!(
        post(601, 1),
        None,
        "what is too old to come again is forgotten"
    );
}

#[test]
fn every_interface_is_written_and_read_back() {
    let at = Moment(t(0));
    let n = |text: &str| Fixed::parse(text).unwrap();
    let (order, connector) = (ORDER.to_owned(), "10000000000000000000001".to_owned());
    let detail = ChargeDetail {
        detail_start_time: at,
        detail_end_time: Moment(t(600)),
        elec_price: Some(n("0.6234")),
        sevice_price: Some(n("0.4")),
        detail_power: n("12.345"),
        detail_elec_money: Some(n("7.7")),
        detail_sevice_money: Some(n("4.94")),
    };
    let status = EquipChargeStatus {
        start_charge_seq: order.clone(),
        start_charge_seq_stat: ChargeState::Charging,
        connector_id: connector.clone(),
        connector_status: ConnectorStatus::Charging,
        current_a: 125.5,
        current_b: None,
        current_c: None,
        voltage_a: 402.1,
        voltage_b: None,
        voltage_c: None,
        soc: 55.0,
        start_time: at,
        end_time: Moment(t(600)),
        total_power: n("12.345"),
        elec_money: Some(n("7.7")),
        sevice_money: Some(n("4.94")),
        total_money: Some(n("12.64")),
        sum_period: Some(1),
        charge_details: Some(vec![detail.clone()]),
    };
    let info = NotificationChargeOrderInfo {
        start_charge_seq: order.clone(),
        connector_id: connector.clone(),
        start_time: at,
        end_time: Moment(t(600)),
        total_power: n("12.345"),
        total_elec_money: n("7.7"),
        total_sevice_money: n("4.94"),
        total_money: n("12.64"),
        stop_reason: 0,
        sum_period: Some(1),
        charge_details: Some(vec![detail]),
    };
    let one = ChargeOrder {
        start_charge_seq: order.clone(),
        total_power: n("12.345"),
        total_money: n("12.64"),
    };
    let calls = vec![
        Call::QueryStationsInfo(QueryStationsInfo {
            last_query_time: Some(at),
            page_no: 2,
            page_size: 50,
        }),
        status_of("s1"),
        Call::QueryEquipAuth(QueryEquipAuth {
            equip_auth_seq: order.clone(),
            connector_id: connector.clone(),
        }),
        Call::QueryStartCharge(QueryStartCharge {
            start_charge_seq: order.clone(),
            connector_id: connector.clone(),
            qr_code: "q".into(),
        }),
        Call::NotificationStartChargeResult(NotificationStartChargeResult {
            start_charge_seq: order.clone(),
            start_charge_seq_stat: ChargeState::Charging,
            connector_id: connector.clone(),
            start_time: at,
            ident_code: None,
        }),
        Call::QueryEquipChargeStatus(QueryEquipChargeStatus {
            start_charge_seq: order.clone(),
        }),
        Call::NotificationEquipChargeStatus(status),
        Call::QueryStopCharge(QueryStopCharge {
            start_charge_seq: order.clone(),
            connector_id: connector.clone(),
        }),
        Call::NotificationStopChargeResult(NotificationStopChargeResult {
            start_charge_seq: order.clone(),
            start_charge_seq_stat: ChargeState::Ended,
            connector_id: connector,
            succ_stat: Success::Done,
            fail_reason: 0,
        }),
        Call::NotificationChargeOrderInfo(info.clone()),
        Call::CheckChargeOrders(CheckChargeOrders {
            check_order_seq: order,
            start_time: at,
            end_time: Moment(t(86_400)),
            order_count: 1,
            total_order_power: n("12.345"),
            total_order_money: n("12.64"),
            charge_orders: vec![one],
        }),
    ];
    for call in calls {
        let json = call.to_json();
        assert_eq!(
            Call::read(call.api(), &json, &Limits::default()).unwrap(),
            call,
            "{json}"
        );
    }
    let json = Call::NotificationChargeOrderInfo(info.clone()).to_json();
    for name in [
        r#""TotalSeviceMoney":4.94"#,
        r#""DetailSeviceMoney":4.94"#,
        r#""TotalPower":12.345"#,
        r#""StartTime":"2026-11-23 16:00:00""#,
    ] {
        assert!(json.contains(name), "{name} in {json}");
    }
    let mut wrong = info;
    wrong.total_money = n("12.65");
    let json = Call::NotificationChargeOrderInfo(wrong).to_json();
    assert!(Call::read("notification_charge_order_info", &json, &Limits::default()).is_err());
}

#[test]
fn the_host_refuses_and_its_mistakes_are_our_own_fault() {
    let door = door(Role::Operator);
    let asked = Asked {
        operator_id: ID.into(),
        call: status_of("s1"),
    };
    let read = |json: String| {
        let answer = AnswerEnvelope::parse(json.as_bytes(), &Limits::default()).unwrap();
        assert!(answer.is_signed(&keys()));
        (answer.ret, answer.msg)
    };
    assert_eq!(
        read(door.answer(&asked, Err((Ret::Business, "没有这个站")))),
        (Ret::Business, "没有这个站".into())
    );
    let other = Reply::NotificationStationStatus(NotificationStationStatusReply { status: 0 });
    assert_eq!(read(door.answer(&asked, Ok(&other))).0, Ret::System);
}
