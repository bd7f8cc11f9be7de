//! What stations are told: every command in each version, one at a time, never twice, and what is refused before it is sent.

mod host;

use host::{Host, NOW, later};
use proto_ocpp::command::{
    Authorization, AuthorizationStatus, ChargingProfile, Command, ListEntry, LogKind, Period,
    ProfileKind, Purpose, RateUnit, Trigger,
};
use proto_ocpp::message::{Detail, IdToken, Outlet, Variable};
use proto_ocpp::{Config, Version, What};
use serde_json::json;

#[test]
fn one_command_is_out_at_a_time_and_none_is_sent_twice() {
    let mut host = Host::new(Version::V201);
    let first = host
        .session
        .command(&Command::ClearCache, host.now)
        .unwrap();
    let second = host
        .session
        .command(&Command::GetListVersion, host.now)
        .unwrap();
    host.collect();
    assert_eq!(host.sent.len(), 1);
    let late_id = host.last()[1].clone();
    assert_eq!(host.session.deadline(), Some(NOW.ms + 30_000));
    host.now = later(NOW, 29_999);
    host.session.timeout(host.now);
    assert!(host.session.event().is_none());
    host.now = later(NOW, 30_000);
    host.session.timeout(host.now);
    host.collect();
    let failed = host.session.event().unwrap().what;
    assert!(
        matches!(failed, What::Failed { command, may_have_happened: true, .. } if command == first)
    );
    assert_eq!(host.last()[2], "GetLocalListVersion");
    // The first is answered after all.
    let late = host.say(&json!([3, late_id, {"status": "Accepted"}]).to_string());
    assert!(
        matches!(&late[0].what, What::Answered { command, is_late: true, .. } if *command == first)
    );
    let id = host.last()[1].clone();
    let answer = host.say(&json!([3, id, {"versionNumber": 7}]).to_string());
    match &answer[0].what {
        What::Answered { command, reply, .. } => {
            assert_eq!((*command, &reply.detail), (second, &Detail::ListVersion(7)));
        }
        other => panic!("{other:?}"),
    }
    // An answer that nobody asked for.
    let broken = host.say(&json!([3, id, {"versionNumber": 7}]).to_string());
    assert!(matches!(broken[0].what, What::Broken { .. }));
    // A refusal, and the link lost.
    host.session
        .command(&Command::ClearCache, host.now)
        .unwrap();
    host.collect();
    let id = host.last()[1].clone();
    let refused = host.say(&json!([4, id, "FormationViolation", "no", {}]).to_string());
    assert!(matches!(
        &refused[0].what,
        What::Failed {
            may_have_happened: false,
            ..
        }
    ));
    host.session
        .command(&Command::ClearCache, host.now)
        .unwrap();
    host.session
        .command(&Command::ClearCache, host.now)
        .unwrap();
    host.session.lost(host.now);
    let lost: Vec<_> = std::iter::from_fn(|| host.session.event())
        .map(|event| {
            matches!(
                event.what,
                What::Failed {
                    may_have_happened: true,
                    ..
                }
            )
        })
        .collect();
    assert_eq!(lost, [true, false]);
    assert!(
        host.session
            .command(&Command::ClearCache, host.now)
            .is_err()
    );
}

#[test]
fn commands_are_limited() {
    let mut host = Host::new(Version::V16);
    let mut taken = 0;
    while host.session.command(&Command::ClearCache, host.now).is_ok() {
        taken += 1;
    }
    // One is out, the others wait.
    assert_eq!(taken, Config::default().commands_max + 1);
}

fn profile() -> ChargingProfile {
    ChargingProfile {
        id: 3,
        stack_level: 0,
        purpose: Purpose::Transaction,
        kind: ProfileKind::Absolute,
        valid_from: None,
        valid_to: Some(NOW.at.plus_seconds(3_600)),
        transaction: Some("1001".to_owned()),
        starts_at: Some(NOW.at),
        duration_seconds: Some(3_600),
        unit: RateUnit::Amperes,
        periods: vec![Period {
            start_seconds: 0,
            limit_tenths: 161,
            phases: Some(3),
        }],
    }
}

/// Every command, with whether 1.6 can say it.
fn commands() -> Vec<(Command, bool)> {
    let first = Outlet {
        evse: 1,
        connector: Some(1),
    };
    let outlet = Some(first);
    let token = IdToken::tag("TAG1");
    let variable = |component: &str, name: &str| Variable {
        component: component.to_owned(),
        name: name.to_owned(),
        attribute: String::new(),
        value: Some("60".to_owned()),
        status: String::new(),
    };
    let interval = variable("OCPPCommCtrlr", "HeartbeatInterval");
    vec![
        (
            Command::Start {
                outlet,
                id_token: token.clone(),
                remote_start: 5,
                profile: Some(ChargingProfile {
                    transaction: None,
                    ..profile()
                }),
            },
            true,
        ),
        (
            Command::Stop {
                transaction: "1001".to_owned(),
            },
            true,
        ),
        (
            Command::Reserve {
                id: 9,
                outlet,
                expires_at: NOW.at,
                id_token: token.clone(),
                group: Some(IdToken::tag("G")),
            },
            true,
        ),
        (Command::CancelReservation { id: 9 }, true),
        (
            Command::SetProfile {
                evse: 1,
                profile: profile(),
            },
            true,
        ),
        (
            Command::ClearProfile {
                id: Some(3),
                evse: None,
                purpose: None,
                stack_level: None,
            },
            true,
        ),
        (
            Command::ClearProfile {
                id: None,
                evse: Some(0),
                purpose: Some(Purpose::StationMax),
                stack_level: Some(1),
            },
            true,
        ),
        (
            Command::CompositeSchedule {
                evse: 0,
                duration_seconds: 600,
                unit: Some(RateUnit::Watts),
            },
            true,
        ),
        (
            Command::UpdateFirmware {
                request: 1,
                location: "https://a/b".to_owned(),
                retrieve_at: NOW.at,
                install_at: None,
                retries: Some(2),
                signed: None,
            },
            true,
        ),
        (
            Command::UpdateFirmware {
                request: 1,
                location: "https://a/b".to_owned(),
                retrieve_at: NOW.at,
                install_at: Some(NOW.at),
                retries: None,
                signed: Some(("c".to_owned(), "s".to_owned())),
            },
            false,
        ),
        (
            Command::GetLog {
                request: 1,
                kind: LogKind::Diagnostics,
                location: "https://a/b".to_owned(),
                from: None,
                to: Some(NOW.at),
            },
            true,
        ),
        (
            Command::GetLog {
                request: 1,
                kind: LogKind::Security,
                location: "https://a/b".to_owned(),
                from: None,
                to: None,
            },
            true,
        ),
        (
            Command::Trigger {
                message: Trigger::Status,
                outlet,
            },
            true,
        ),
        (
            Command::Trigger {
                message: Trigger::Transaction,
                outlet: None,
            },
            false,
        ),
        (
            Command::Availability {
                outlet: None,
                is_operative: false,
            },
            true,
        ),
        (Command::Unlock { outlet: first }, true),
        (
            Command::Reset {
                is_immediate: true,
                evse: None,
            },
            true,
        ),
        (
            Command::Reset {
                is_immediate: false,
                evse: Some(1),
            },
            false,
        ),
        (
            Command::GetVariables {
                variables: vec![interval.clone(), variable("EVSE@1.2", "Power/x")],
            },
            true,
        ),
        (
            Command::SetVariables {
                variables: vec![interval.clone()],
            },
            true,
        ),
        (
            Command::SetVariables {
                variables: vec![interval.clone(), interval],
            },
            false,
        ),
        (
            Command::Report {
                request: 7,
                only_configuration: false,
            },
            true,
        ),
        (Command::TransactionStatus { transaction: None }, false),
        (
            Command::Data {
                vendor: "v".to_owned(),
                message: Some("m".to_owned()),
                data: Some(json!("x")),
            },
            true,
        ),
        (Command::GetListVersion, true),
        (
            Command::SendList {
                version: 2,
                is_full: true,
                entries: vec![ListEntry {
                    id_token: token,
                    authorization: Some(Authorization::new(AuthorizationStatus::Accepted)),
                }],
            },
            true,
        ),
        (
            Command::SendList {
                version: 3,
                is_full: false,
                entries: Vec::new(),
            },
            true,
        ),
        (Command::ClearCache, true),
        (
            Command::CertificateSigned {
                chain: "-----BEGIN".to_owned(),
                kind: Some("ChargingStationCertificate".to_owned()),
            },
            true,
        ),
    ]
}

#[test]
fn every_command_is_said_in_each_version_as_its_schema_wants_it() {
    for version in Version::ALL {
        for (command, in_16) in commands() {
            let mut host = Host::new(version);
            let said = host.session.command(&command, host.now);
            let is_sayable = in_16 || version == Version::V201;
            assert_eq!(
                said.is_ok(),
                is_sayable,
                "{version:?} {command:?}: {said:?}"
            );
            if let Err(told) = said {
                assert!(told.is_translated(), "{told}");
            }
        }
    }
}

#[test]
fn what_a_command_cannot_say_is_refused_before_it_is_sent() {
    let long = IdToken::tag("x".repeat(21));
    let start = Command::Start {
        outlet: None,
        id_token: long,
        remote_start: 1,
        profile: None,
    };
    let mut host = Host::new(Version::V16);
    let refused = host.session.command(&start, host.now).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.place.en.as_str()),
        ("ocpp-command", "$.idTag")
    );
    let stop = Command::Stop {
        transaction: "T-1".to_owned(),
    };
    assert_eq!(
        host.session.command(&stop, host.now).unwrap_err().code,
        "ocpp-command"
    );
    host.collect();
    assert!(host.sent.is_empty());
    let mut host = Host::new(Version::V201);
    assert!(host.session.command(&start, host.now).is_ok());
}
