//! Identity on a real SQLite file: sign-in and its limits, sessions and tokens and their ends, users,
//! devices, and the audit line of every change.

use identity::limiter::Limits;
use identity::{
    Certificate, DeviceIdentity, Identity, NewPerson, Options, Permission, PersonChange, Role,
};
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
        sign_in: Limits {
            free_per_username: 3,
            free_per_peer: 6,
            ..Limits::default()
        },
        session_idle_s: 600,
        session_absolute_s: 3_600,
        ..crate::store::quick()
    }
}

async fn city() -> City {
    let (dir, records, identity) = crate::store::open(quick()).await;
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
async fn the_first_start_makes_the_three_administrators_and_only_then() {
    let city = city().await;
    let made = city.identity.bootstrap(&cli(), T0).await.unwrap();
    let roles: Vec<_> = made.iter().map(|m| m.user.role.as_str()).collect();
    assert_eq!(roles, ["admin", "security", "auditor"]);
    assert!(made.iter().all(|m| m.password.len() >= 25));
    assert!(made[0].password != made[1].password && made[1].password != made[2].password);
    assert!(
        city.identity
            .bootstrap(&cli(), T0)
            .await
            .unwrap()
            .is_empty()
    );
    let signed = city
        .identity
        .sign_in(" Admin ", &made[0].password, PEER, T0)
        .await
        .unwrap();
    let not_the_others = [
        Permission::AuditRead,
        Permission::RoleGrant,
        Permission::CaseDispatch,
        Permission::SqlQuery,
        Permission::DataCorrect,
    ];
    assert!(!not_the_others.iter().any(|p| signed.principal.may(*p)));
    assert!(signed.principal.may(Permission::UserManage));
    assert_eq!(
        audited(&city.records).await,
        [
            "cli user.create user:1",
            "cli user.create user:2",
            "cli user.create user:3",
            "user session.open user:1"
        ]
    );
    let stored = std::fs::read(city.dir.path().join("records.sqlite-wal")).unwrap();
    let holds = |text: &str| stored.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(!made.iter().any(|m| holds(&m.password)) && !holds(&signed.secret));
    assert!(holds("$argon2id$"));
}

#[tokio::test]
async fn an_older_city_gets_the_two_that_it_lacks_under_names_that_are_free() {
    let city = city().await;
    for (username, role) in [("root", Role::Admin), ("security", Role::Duty)] {
        let person = person(username, role);
        city.identity
            .create_user(&person, &cli(), T0)
            .await
            .unwrap();
    }
    let made = city.identity.bootstrap(&cli(), T0).await.unwrap();
    let made: Vec<_> = made
        .iter()
        .map(|m| (m.user.username.as_str(), m.user.role.as_str()))
        .collect();
    assert_eq!(made, [("security-2", "security"), ("auditor", "auditor")]);
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
    let admin = city.identity.bootstrap(&cli(), T0).await.unwrap().remove(0);
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
        [
            "entity.read",
            "alert.read",
            "run.read",
            "command.read",
            "charging.use",
            "case.read",
            "indicator.read",
            "project.read"
        ]
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
            .device_sign_in(&last.client_id, &last.username, &last.password, T0)
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
            .device_sign_in(client, user, password, T0)
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

#[tokio::test]
async fn a_devices_password_rotates_with_an_overlap_and_is_audited() {
    let city = city().await;
    let made = city
        .identity
        .register_device(&gauge(1), &cli(), T0)
        .await
        .unwrap();
    let good = |password: String, at: Timestamp| {
        let (identity, id) = (city.identity.clone(), made.client_id.clone());
        async move {
            let found = identity.device_sign_in(&id, &id, &password, at).await;
            found.unwrap().is_some()
        }
    };
    let rotate = |overlap_s: i64, at: Timestamp| {
        let (identity, id) = (city.identity.clone(), made.client_id.clone());
        async move {
            identity
                .rotate_device_password(&id, overlap_s, &cli(), at)
                .await
        }
    };
    let first = made.password.clone();
    let second = rotate(86_400, T0).await.unwrap();
    assert_eq!(second.old_until, T0.plus_seconds(86_400));
    let before = T0.plus_seconds(86_399);
    assert!(good(first.clone(), before).await && good(second.password.clone(), before).await);
    assert!(
        !good(first.clone(), second.old_until).await,
        "its time is over"
    );
    // A third: the first is wrong at once, the second for as long as is said.
    let third = rotate(60, before).await.unwrap();
    assert!(!good(first, before).await);
    assert!(good(second.password.clone(), before).await);
    assert!(!good(second.password, before.plus_seconds(60)).await);
    let at_once = rotate(0, before).await.unwrap();
    assert!(!good(third.password, before).await && good(at_once.password, before).await);
    for overlap in [-1, 91 * 86_400] {
        assert_eq!(code(&rotate(overlap, T0).await.unwrap_err()), "overlap");
    }
    let unknown = city
        .identity
        .rotate_device_password("nobody", 0, &cli(), T0)
        .await;
    assert!(matches!(unknown, Err(Failure::NotFound(_))));
    let rotated = format!("cli device.rotate device:{}", made.client_id);
    assert_eq!(
        audited(&city.records)
            .await
            .iter()
            .filter(|a| **a == rotated)
            .count(),
        3
    );
}

#[tokio::test]
async fn a_certificate_signs_in_its_own_device_while_it_is_registered_and_in_its_time() {
    let city = city().await;
    let (one, two) = (gauge(1), gauge(2));
    let one = city
        .identity
        .register_device(&one, &cli(), T0)
        .await
        .unwrap();
    let two = city
        .identity
        .register_device(&two, &cli(), T0)
        .await
        .unwrap();
    let made = |from: i32, to: i32| {
        let mut params = rcgen::CertificateParams::new(vec!["gauge".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap()
    };
    let certificate = made(2020, 2030);
    let read = Certificate::from_pem(&certificate.pem()).unwrap();
    let der = certificate.der().to_vec();
    let found = |id: &str, at: Timestamp| {
        let (identity, der, id) = (city.identity.clone(), der.clone(), id.to_owned());
        async move {
            let found = identity.certificate_sign_in(&id, &der, at).await;
            found.unwrap().map(|d| d.client_id)
        }
    };
    assert_eq!(found(&one.client_id, T0).await, None, "not registered");
    let add = |id: &str, certificate: &Certificate| {
        let (identity, id, certificate) =
            (city.identity.clone(), id.to_owned(), certificate.clone());
        async move {
            identity
                .add_device_certificate(&id, &certificate, &cli(), T0)
                .await
        }
    };
    let row = add(&one.client_id, &read).await.unwrap();
    assert_eq!(row.expires_at, read.not_after);
    assert_eq!(
        found(&one.client_id, T0).await.as_ref(),
        Some(&one.client_id)
    );
    assert_eq!(found("", T0).await.as_ref(), Some(&one.client_id));
    assert_eq!(found(&two.client_id, T0).await, None, "another's");
    assert_eq!(found(&one.client_id, read.not_after).await, None, "over");
    assert_eq!(
        found(&one.client_id, Timestamp::from_seconds(1_500_000_000)).await,
        None,
        "not yet"
    );
    // The password goes on beside it.
    let password = city
        .identity
        .device_sign_in(&one.client_id, &one.username, &one.password, T0)
        .await;
    assert!(password.unwrap().is_some());
    assert_eq!(
        code(&add(&two.client_id, &read).await.unwrap_err()),
        "certificate-known"
    );
    let old = Certificate::from_pem(&made(2019, 2020).pem()).unwrap();
    assert_eq!(
        code(&add(&one.client_id, &old).await.unwrap_err()),
        "certificate-over"
    );
    for _ in 1..10 {
        let more = Certificate::from_pem(&made(2020, 2031).pem()).unwrap();
        add(&one.client_id, &more).await.unwrap();
    }
    let more = Certificate::from_pem(&made(2020, 2031).pem()).unwrap();
    assert_eq!(
        code(&add(&one.client_id, &more).await.unwrap_err()),
        "certificates-full"
    );
    city.identity
        .remove_device_certificate(&one.client_id, &read.fingerprint.to_uppercase(), &cli(), T0)
        .await
        .unwrap();
    assert_eq!(found(&one.client_id, T0).await, None, "taken away");
    // With the device its certificates go.
    add(&two.client_id, &read).await.unwrap();
    city.identity
        .remove_device(&two.client_id, &cli(), T0)
        .await
        .unwrap();
    assert_eq!(found("", T0).await, None);
    assert_eq!(
        city.identity
            .device_credentials(&two.client_id)
            .await
            .unwrap(),
        []
    );
    let added = format!("cli device.certificate.add device:{}", one.client_id);
    let acts = audited(&city.records).await;
    assert_eq!(acts.iter().filter(|a| **a == added).count(), 10);
    assert!(acts.contains(&format!(
        "cli device.certificate.remove device:{}",
        one.client_id
    )));
}
