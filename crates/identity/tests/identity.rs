//! Identity on a real SQLite file: sign-in and its limits, sessions and tokens and their ends, users,
//! devices, and the audit line of every change.

use identity::limiter::Limits;
use identity::password::WorkFactor;
use identity::{DeviceIdentity, Identity, NewPerson, Options, Permission, PersonChange, Role};
use model::{DeviceId, Timestamp, TypeName};
use records::devices::{DeviceChange, DeviceFilter};
use records::organisations::Organisation;
use records::{Actor, Failure, PageRequest, Records, audit};
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const PEER: &str = "10.1.2.3";

struct City {
    dir: TempDir,
    records: Records,
    identity: Identity,
}

fn quick() -> Options {
    Options {
        work_factor: WorkFactor {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        sign_in: Limits {
            free_per_username: 3,
            free_per_peer: 6,
            ..Limits::default()
        },
        session_idle_s: 600,
        session_absolute_s: 3_600,
        ..Options::default()
    }
}

async fn city() -> City {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let identity = Identity::new(records.clone(), quick()).unwrap();
    City {
        dir,
        records,
        identity,
    }
}

fn cli() -> Actor {
    Actor::command_line()
}

fn person(username: &str, role: Role) -> NewPerson {
    NewPerson {
        username: username.to_owned(),
        name: "张三".to_owned(),
        role,
        organisation_id: None,
        password: None,
    }
}

fn gauge(n: usize) -> DeviceIdentity {
    DeviceIdentity {
        id: DeviceId::new(format!("urn:ngsi-ld:WaterObserved:gauge{n}")).unwrap(),
        r#type: TypeName::new("WaterObserved").unwrap(),
        name: None,
    }
}

async fn audited(records: &Records) -> Vec<String> {
    let page = PageRequest {
        after: None,
        limit: Some(500),
    };
    let mut entries = audit::list(&mut records.read().await.unwrap(), &page)
        .await
        .unwrap()
        .items;
    entries.reverse();
    entries
        .into_iter()
        .map(|e| format!("{} {} {}", e.actor_kind, e.action, e.target))
        .collect()
}

fn code(failure: &Failure) -> &str {
    failure.problem().map_or("internal", |p| p.code.as_str())
}

#[tokio::test]
async fn the_first_start_makes_one_admin_and_only_then() {
    let city = city().await;
    let made = city.identity.bootstrap(&cli(), T0).await.unwrap().unwrap();
    assert!(made.password.len() >= 25);
    assert!(city.identity.bootstrap(&cli(), T0).await.unwrap().is_none());
    let signed = city
        .identity
        .sign_in(" Admin ", &made.password, PEER, T0)
        .await
        .unwrap();
    assert!(Permission::ALL.iter().all(|p| signed.principal.may(*p)));
    assert_eq!(
        audited(&city.records).await,
        ["cli user.create user:1", "user session.open user:1"]
    );
    let stored = std::fs::read(city.dir.path().join("records.sqlite-wal")).unwrap();
    let holds = |text: &str| stored.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(!holds(&made.password) && !holds(&signed.secret));
    assert!(holds("$argon2id$"));
}

#[tokio::test]
async fn wrong_unknown_and_closed_answer_alike_and_lock() {
    let city = city().await;
    let made = city
        .identity
        .create_user(&person("li.si", Role::Duty), &cli(), T0)
        .await
        .unwrap();
    let mut messages = Vec::new();
    for (username, password) in [("li.si", "wrong"), ("nobody", "wrong")] {
        let failure = city
            .identity
            .sign_in(username, password, PEER, T0)
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Unauthenticated(_)));
        messages.push(failure.to_string());
    }
    let change = PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    };
    city.identity
        .change_user(made.user.id, &change, &cli(), T0)
        .await
        .unwrap();
    let closed = city
        .identity
        .sign_in("li.si", &made.password, PEER, T0)
        .await
        .unwrap_err();
    messages.push(closed.to_string());
    assert!(messages.windows(2).all(|w| w[0] == w[1]), "{messages:?}");

    // The third wrong one locked the username; the right password does not help while it lasts.
    let change = PersonChange {
        disabled: Some(false),
        ..PersonChange::default()
    };
    city.identity
        .change_user(made.user.id, &change, &cli(), T0)
        .await
        .unwrap();
    let third = city
        .identity
        .sign_in("li.si", "wrong", "10.9.9.9", T0)
        .await
        .unwrap_err();
    assert!(matches!(third, Failure::Unauthenticated(_)));
    let locked = city
        .identity
        .sign_in("li.si", &made.password, "10.9.9.8", T0)
        .await
        .unwrap_err();
    assert!(
        matches!(
            locked,
            Failure::TooMany {
                retry_after_s: 30,
                ..
            }
        ),
        "{locked:?}"
    );
    let later = T0.plus_seconds(30);
    assert!(
        city.identity
            .sign_in("li.si", &made.password, "10.9.9.8", later)
            .await
            .is_ok()
    );
    let refused = audited(&city.records)
        .await
        .iter()
        .filter(|e| e.contains("session.refused"))
        .count();
    assert_eq!(refused, 4);
}

#[tokio::test]
async fn many_attempts_at_once_do_not_slip_through() {
    let city = city().await;
    city.identity
        .create_user(&person("li.si", Role::Duty), &cli(), T0)
        .await
        .unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let identity = city.identity.clone();
            tokio::spawn(async move {
                identity
                    .sign_in("li.si", "guess", &format!("10.0.0.{n}"), T0)
                    .await
            })
        })
        .collect();
    let mut tried = 0;
    for task in tasks {
        if matches!(
            task.await.unwrap().unwrap_err(),
            Failure::Unauthenticated(_)
        ) {
            tried += 1;
        }
    }
    assert_eq!(tried, 3);
}

#[tokio::test]
async fn a_session_ends_idle_absolutely_by_sign_out_and_with_the_password() {
    let city = city().await;
    let made = city
        .identity
        .create_user(&person("li.si", Role::Duty), &cli(), T0)
        .await
        .unwrap();
    let id = made.user.id;
    let sign_in = async |now| {
        city.identity
            .sign_in("li.si", &made.password, PEER, now)
            .await
            .unwrap()
    };
    let alive = async |secret: &str, now| {
        city.identity
            .session_principal(secret, now)
            .await
            .unwrap()
            .is_some()
    };

    let idle = sign_in(T0).await;
    assert!(alive(&idle.secret, T0.plus_seconds(599)).await);
    assert!(
        alive(&idle.secret, T0.plus_seconds(599 + 599)).await,
        "use keeps it"
    );
    assert!(!alive(&idle.secret, T0.plus_seconds(599 + 599 + 600)).await);
    assert!(!alive("made up", T0).await);

    let long = sign_in(T0).await;
    for n in 1..=7 {
        assert!(alive(&long.secret, T0.plus_seconds(n * 500)).await);
    }
    assert!(
        !alive(&long.secret, T0.plus_seconds(3_600)).await,
        "the absolute end"
    );

    let out = sign_in(T0).await;
    let actor = out.principal.actor(PEER);
    city.identity
        .sign_out(&out.secret, &actor, T0)
        .await
        .unwrap();
    city.identity
        .sign_out(&out.secret, &actor, T0)
        .await
        .unwrap();
    assert!(!alive(&out.secret, T0).await);

    let old = sign_in(T0).await;
    let renewed = city
        .identity
        .set_password(id, None, &cli(), T0)
        .await
        .unwrap();
    assert!(!alive(&old.secret, T0).await);
    assert!(
        city.identity
            .sign_in("li.si", &made.password, PEER, T0)
            .await
            .is_err()
    );
    assert!(
        city.identity
            .sign_in("li.si", &renewed.password, PEER, T0)
            .await
            .is_ok()
    );
    let closes = audited(&city.records)
        .await
        .iter()
        .filter(|e| *e == "user session.close user:1")
        .count();
    assert_eq!(closes, 1, "signing out twice is one act");
}

#[tokio::test]
async fn a_role_change_ends_sessions_and_the_last_admin_stays() {
    let city = city().await;
    let admin = city.identity.bootstrap(&cli(), T0).await.unwrap().unwrap();
    let signed = city
        .identity
        .sign_in("admin", &admin.password, PEER, T0)
        .await
        .unwrap();
    let to = |role| PersonChange {
        role: Some(role),
        ..PersonChange::default()
    };
    let failure = city
        .identity
        .change_user(admin.user.id, &to(Role::Viewer), &cli(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "last-admin");
    assert!(
        city.identity
            .session_principal(&signed.secret, T0)
            .await
            .unwrap()
            .is_some(),
        "nothing changed"
    );

    city.identity
        .create_user(&person("second", Role::Admin), &cli(), T0)
        .await
        .unwrap();
    city.identity
        .change_user(admin.user.id, &to(Role::Viewer), &cli(), T0)
        .await
        .unwrap();
    assert!(
        city.identity
            .session_principal(&signed.secret, T0)
            .await
            .unwrap()
            .is_none()
    );
    let again = city
        .identity
        .sign_in("admin", &admin.password, PEER, T0)
        .await
        .unwrap();
    let failure = again.principal.require(Permission::UserManage).unwrap_err();
    assert!(matches!(failure, Failure::Forbidden(_)));
    assert_eq!(
        again.principal.acting(PEER).permissions,
        ["entity.read", "alert.read", "case.read", "indicator.read"]
    );
}

#[tokio::test]
async fn bad_users_are_told_what_is_wrong() {
    let city = city().await;
    let try_one = async |change: &dyn Fn(&mut NewPerson)| {
        let mut new = person("wang.wu", Role::Field);
        change(&mut new);
        city.identity.create_user(&new, &cli(), T0).await
    };
    for (expected, change) in [
        (
            "username",
            Box::new(|p: &mut NewPerson| p.username = "x".to_owned())
                as Box<dyn Fn(&mut NewPerson)>,
        ),
        ("username", Box::new(|p| p.username = "a b".to_owned())),
        ("username", Box::new(|p| p.username = "a".repeat(65))),
        ("name", Box::new(|p| p.name = " ".to_owned())),
        ("name", Box::new(|p| p.name = "a\u{0}".to_owned())),
        (
            "password-length",
            Box::new(|p| p.password = Some("short".to_owned())),
        ),
        (
            "password-length",
            Box::new(|p| p.password = Some("x".repeat(257))),
        ),
        (
            "unknown-organisation",
            Box::new(|p| p.organisation_id = Some("moon".to_owned())),
        ),
    ] {
        let failure = try_one(&*change).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Invalid(_)) && code(&failure) == expected,
            "{failure}"
        );
    }
    assert_eq!(
        audited(&city.records).await,
        [""; 0],
        "what is refused leaves no trace"
    );
    try_one(&|_| ()).await.unwrap();
    let failure = try_one(&|p| p.username = "Wang.Wu".to_owned())
        .await
        .unwrap_err();
    assert!(matches!(failure, Failure::Conflict(_)) && code(&failure) == "username-taken");
}

#[tokio::test]
async fn organisations_are_imported_once() {
    let city = city().await;
    let water = Organisation::department("water", "市水利和湖泊局", "Water Bureau");
    for _ in 0..2 {
        city.identity
            .import_organisations(std::slice::from_ref(&water), &cli(), T0)
            .await
            .unwrap();
    }
    assert_eq!(
        city.identity.organisations().await.unwrap(),
        std::slice::from_ref(&water)
    );
    assert_eq!(
        audited(&city.records).await,
        ["cli organisation.import organisations"]
    );
    let mut new = person("wang.wu", Role::Field);
    new.organisation_id = Some("water".to_owned());
    city.identity.create_user(&new, &cli(), T0).await.unwrap();
    city.identity
        .create_user(&person("other", Role::Field), &cli(), T0)
        .await
        .unwrap();
    let page = PageRequest::default();
    let of_water = city
        .identity
        .list_users(Some(Role::Field), Some("water"), &page)
        .await
        .unwrap();
    assert_eq!(
        of_water
            .items
            .iter()
            .map(|u| u.username.as_str())
            .collect::<Vec<_>>(),
        ["wang.wu"]
    );
    let shown = serde_json::to_string(&of_water.items).unwrap();
    assert!(!shown.contains("argon2"), "{shown}");
    let bad = Organisation {
        id: String::new(),
        ..water
    };
    assert_eq!(
        code(
            &city
                .identity
                .import_organisations(&[bad], &cli(), T0)
                .await
                .unwrap_err()
        ),
        "organisation-id"
    );
}

#[tokio::test]
async fn a_token_is_a_machine_until_it_ends() {
    let city = city().await;
    let end = T0.plus_seconds(100);
    let made = city
        .identity
        .create_token("telegraf", Role::Collector, Some(end), &cli(), T0)
        .await
        .unwrap();
    assert!(made.text.starts_with("jl_"));
    let who = city
        .identity
        .token_principal(&made.text, T0)
        .await
        .unwrap()
        .unwrap();
    assert!(who.may(Permission::IngestWrite) && !who.may(Permission::CaseRead));
    assert_eq!((who.user_id(), who.name.as_str()), (None, "telegraf"));
    let gone = async |text: &str, now| {
        city.identity
            .token_principal(text, now)
            .await
            .unwrap()
            .is_none()
    };
    assert!(gone(&made.text, end).await);
    assert!(gone("jl_madeup", T0).await && gone("", T0).await && gone(&made.text[3..], T0).await);

    let failure = city
        .identity
        .create_token("telegraf", Role::Viewer, None, &cli(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "token-name-taken");
    let failure = city
        .identity
        .create_token("late", Role::Viewer, Some(T0), &cli(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "token-expiry");
    let listed = city.identity.tokens().await.unwrap();
    assert_eq!(listed[0].last_used_at, Some(T0));
    assert!(
        !serde_json::to_string(&listed)
            .unwrap()
            .contains("token_hash")
    );
    city.identity
        .remove_token("telegraf", &cli(), T0)
        .await
        .unwrap();
    assert!(gone(&made.text, T0).await);
    assert!(matches!(
        city.identity.remove_token("telegraf", &cli(), T0).await,
        Err(Failure::NotFound(_))
    ));
    assert_eq!(
        audited(&city.records).await,
        ["cli token.create token:1", "cli token.remove token:1"]
    );
}

#[tokio::test]
async fn a_device_added_by_another_process_connects_at_once() {
    let city = city().await;
    let elsewhere = Records::open(&city.dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let command_line = Identity::new(elsewhere, quick()).unwrap();
    // The server adds others at the same time.
    let server = city.identity.clone();
    let adding = tokio::spawn(async move {
        for n in 100..120 {
            server
                .register_device(&gauge(n), &Actor::command_line(), T0)
                .await
                .unwrap();
        }
    });
    let mut made = Vec::new();
    for n in 0..20 {
        made.push(
            command_line
                .register_device(&gauge(n), &cli(), T0)
                .await
                .unwrap(),
        );
        let last = &made[n];
        let found = city
            .identity
            .device_sign_in(&last.client_id, &last.username, &last.password)
            .await;
        assert_eq!(
            found.unwrap().unwrap().id,
            format!("urn:ngsi-ld:WaterObserved:gauge{n}")
        );
    }
    adding.await.unwrap();
    let page = PageRequest {
        after: None,
        limit: Some(30),
    };
    let first = city
        .identity
        .list_devices(&DeviceFilter::default(), &page)
        .await
        .unwrap();
    let rest = PageRequest {
        after: first.next.clone(),
        limit: Some(30),
    };
    let second = city
        .identity
        .list_devices(&DeviceFilter::default(), &rest)
        .await
        .unwrap();
    assert_eq!(
        (first.items.len(), second.items.len(), second.next),
        (30, 10, None)
    );

    let one = &made[0];
    assert_eq!(one.topic, format!("devices/{}/up", one.client_id));
    assert!(one.client_id.starts_with("gauge0-") && one.username == one.client_id);
    let refused = async |client: &str, user: &str, password: &str| {
        city.identity
            .device_sign_in(client, user, password)
            .await
            .unwrap()
            .is_none()
    };
    assert!(refused(&one.client_id, &one.username, "wrong").await);
    assert!(refused(&one.client_id, &one.username, "").await);
    assert!(
        refused(&made[1].client_id, &one.username, &one.password).await,
        "another's client id"
    );
    assert!(refused("x", "x", "x").await);
    assert!(
        !refused("", &one.username, &one.password).await,
        "a door without client ids"
    );

    command_line
        .remove_device(&one.client_id, &cli(), T0)
        .await
        .unwrap();
    assert!(refused(&one.client_id, &one.username, &one.password).await);
    assert!(matches!(
        city.identity.device(&one.client_id).await,
        Err(Failure::NotFound(_))
    ));
}

#[tokio::test]
async fn a_thing_has_one_device_and_a_batch_is_all_or_nothing() {
    let city = city().await;
    city.identity
        .register_device(&gauge(2), &cli(), T0)
        .await
        .unwrap();
    let failure = city
        .identity
        .register_device(&gauge(2), &cli(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "device-known");
    let list: Vec<_> = (0..5).map(gauge).collect();
    assert_eq!(
        code(
            &city
                .identity
                .register_devices(&list, &cli(), T0)
                .await
                .unwrap_err()
        ),
        "device-known"
    );
    let count = async || {
        city.identity
            .list_devices(&DeviceFilter::default(), &PageRequest::default())
            .await
            .unwrap()
            .items
            .len()
    };
    assert_eq!(count().await, 1);
    let made = city
        .identity
        .register_devices(&list[3..], &cli(), T0)
        .await
        .unwrap();
    assert_eq!((made.len(), count().await), (2, 3));
    let many: Vec<_> = (0..10_001).map(gauge).collect();
    assert_eq!(
        code(
            &city
                .identity
                .register_devices(&many, &cli(), T0)
                .await
                .unwrap_err()
        ),
        "too-many-devices"
    );
    let actions = audited(&city.records).await;
    assert_eq!(actions.len(), 3);
    assert!(
        actions
            .iter()
            .all(|a| a.starts_with("cli device.add device:gauge")),
        "{actions:?}"
    );
}

#[tokio::test]
async fn counters_add_up_and_a_start_finds_nothing_connected() {
    let city = city().await;
    let made = city
        .identity
        .register_device(&gauge(1), &cli(), T0)
        .await
        .unwrap();
    let change = DeviceChange {
        client_id: made.client_id.clone(),
        messages_added: 3,
        online: Some(true),
        ..DeviceChange::default()
    };
    for _ in 0..2 {
        city.identity
            .device_changes(std::slice::from_ref(&change))
            .await
            .unwrap();
    }
    let device = city.identity.device(&made.client_id).await.unwrap();
    assert_eq!((device.messages, device.online), (6, true));
    city.identity.all_devices_offline().await.unwrap();
    assert!(!city.identity.device(&made.client_id).await.unwrap().online);
}
