//! The three administrators over a real SQLite file: what none of them can do alone, and that two people do exactly what
//! was shown, once.

use identity::approvals::{self, canonical, digest};
use identity::{
    Administrator, Approved, Asked, DangerousAct, Ended, Identity, NewPerson, Options,
    PersonChange, Principal, Role,
};
use model::Timestamp;
use records::approvals::{Approval, Filter, Status};
use records::{Actor, Failure, PageRequest, Records, audit};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const PEER: &str = "10.1.2.3";

struct City {
    _dir: TempDir,
    records: Records,
    identity: Identity,
    /// Sessions of the three, and of a planner.
    admin: Principal,
    security: Principal,
    auditor: Principal,
    planner: Principal,
}

async fn city_with(approval: approvals::Options) -> City {
    let options = Options {
        approval,
        ..crate::store::quick()
    };
    let (dir, records, identity) = crate::store::open(options).await;
    identity.bootstrap(&cli(), T0).await.unwrap();
    let planner = add(&identity, "planner", Role::Planner).await;
    let admin = signed_in(&identity, "admin").await;
    let security = signed_in(&identity, "security").await;
    let auditor = signed_in(&identity, "auditor").await;
    City {
        _dir: dir,
        records,
        identity,
        admin,
        security,
        auditor,
        planner,
    }
}

async fn city() -> City {
    city_with(approvals::Options::default()).await
}

fn cli() -> Actor {
    Actor::command_line()
}

/// The person as a session of theirs has them.
async fn signed_in(identity: &Identity, username: &str) -> Principal {
    let user = identity.user_by_username(username).await.unwrap();
    let made = identity
        .set_password(user.id, None, &cli(), T0)
        .await
        .unwrap();
    let signed = identity.sign_in(username, &made.password, PEER, T0).await;
    signed.unwrap().principal
}

async fn add(identity: &Identity, username: &str, role: Role) -> Principal {
    let person = NewPerson {
        username: username.to_owned(),
        name: username.to_owned(),
        role,
        organisation_id: None,
        password: None,
    };
    identity.create_user(&person, &cli(), T0).await.unwrap();
    signed_in(identity, username).await
}

fn code(failure: &Failure) -> &str {
    failure.problem().map_or("internal", |p| p.code.as_str())
}

impl City {
    async fn ask(
        &self,
        who: &Principal,
        act: DangerousAct,
        body: &Value,
    ) -> Result<Approval, Failure> {
        let asked = Asked {
            act,
            target: "thing:1",
            body,
            reason: "旧设备报废",
        };
        self.identity.ask(who, &asked, PEER, T0).await
    }

    async fn approve(&self, who: &Principal, asked: &Approval) -> Result<Approved, Failure> {
        let now = T0.plus_seconds(60);
        self.identity
            .approve(who, asked.id, &asked.digest, "", PEER, now)
            .await
    }

    async fn status(&self, id: i64) -> String {
        self.identity
            .approval(&self.admin, id)
            .await
            .unwrap()
            .0
            .status
    }

    /// Acts of the trail about approvals, with who did them.
    async fn trail(&self) -> Vec<String> {
        let page = PageRequest {
            after: None,
            limit: Some(500),
        };
        let mut read = self.records.read().await.unwrap();
        let mut acts = audit::list(&mut read, &page).await.unwrap().items;
        acts.reverse();
        let acts = acts
            .into_iter()
            .filter(|a| a.action.starts_with("approval."));
        acts.map(|a| format!("{} by {}", a.action, a.actor))
            .collect()
    }
}

#[tokio::test]
async fn no_dangerous_act_is_done_by_one_person() {
    let city = city().await;
    let roles: Vec<Principal> = vec![
        city.admin.clone(),
        city.security.clone(),
        city.auditor.clone(),
        city.planner.clone(),
    ];
    for act in DangerousAct::ALL {
        for asker in &roles {
            let body = json!({"act": act.as_str(), "by": asker.username});
            let asked = match city.ask(asker, *act, &body).await {
                Ok(asked) => asked,
                Err(refused) => {
                    assert_eq!(code(&refused), "permission-missing", "{act}");
                    assert!(!asker.may(act.asks()), "{act}");
                    continue;
                }
            };
            // Neither in this session nor in another, nor with every permission there is.
            let again = signed_in(&city.identity, &asker.username).await;
            let mut mighty = again.clone();
            mighty.permissions = identity::Permission::ALL.to_vec();
            mighty.role = act.decides()[0];
            for session in [asker, &again, &mighty] {
                let refused = city.approve(session, &asked).await.unwrap_err();
                let expected = match session.may(identity::Permission::ApprovalDecide) {
                    true => "approval-own",
                    false => "permission-missing",
                };
                assert_eq!(code(&refused), expected, "{act} by {}", asker.username);
            }
            // Another person only when the act is theirs to decide on.
            for decider in roles.iter().filter(|d| d.username != asker.username) {
                if act.decides().contains(&decider.role) {
                    continue;
                }
                let refused = city.approve(decider, &asked).await.unwrap_err();
                assert!(
                    ["approval-not-yours", "permission-missing"].contains(&code(&refused)),
                    "{act}: {refused}"
                );
            }
            assert_eq!(city.status(asked.id).await, "pending", "{act}");
            let decider = roles.iter().find(|d| act.decides().contains(&d.role));
            let approved = city.approve(decider.unwrap(), &asked).await.unwrap();
            assert_eq!((approved.act(), approved.body()), (*act, &body));
            assert_eq!(
                approved.actor().name,
                format!("{} + {}", asker.name, decider.unwrap().name)
            );
            assert_eq!(approved.actor().user_id(), asker.user_id());
        }
    }
}

#[tokio::test]
async fn a_machine_neither_asks_nor_decides() {
    let city = city().await;
    for (name, role) in [("a", Role::Admin), ("s", Role::Security)] {
        let actor = cli();
        let made = city.identity.create_token(name, role, None, &actor, T0);
        let text = made.await.unwrap().text;
        let machine = city
            .identity
            .token_principal(&text, T0)
            .await
            .unwrap()
            .unwrap();
        let act = match role {
            Role::Admin => DangerousAct::DeviceRemove,
            _ => DangerousAct::OidcKeysEnd,
        };
        let refused = city.ask(&machine, act, &json!({})).await.unwrap_err();
        assert_eq!(code(&refused), "approval-by-person");
        let asked = city
            .ask(&city.admin, DangerousAct::DeviceRemove, &json!({}))
            .await;
        let refused = city.approve(&machine, &asked.unwrap()).await.unwrap_err();
        assert_eq!(code(&refused), "approval-by-person");
    }
}

#[tokio::test]
async fn what_was_shown_is_what_is_approved() {
    let city = city().await;
    let body = json!({"b": 1, "a": {"d": [1, {"z": 1, "y": 2}], "c": "x"}});
    let asked = city
        .ask(&city.admin, DangerousAct::DeviceRemove, &body)
        .await
        .unwrap();
    assert_eq!(asked.body, r#"{"a":{"c":"x","d":[1,{"y":2,"z":1}]},"b":1}"#);
    assert_eq!(
        asked.digest,
        digest("device.remove", "thing:1", &canonical(&body))
    );
    let other = digest("device.remove", "thing:2", &asked.body);
    for seen in ["", &other, &asked.digest[1..]] {
        let now = T0.plus_seconds(1);
        let refused = city
            .identity
            .approve(&city.security, asked.id, seen, "", PEER, now);
        assert_eq!(code(&refused.await.unwrap_err()), "approval-changed");
    }
    // Somebody changes what is kept, with and without its digest.
    for (body, digest) in [
        ("{}".to_owned(), asked.digest.clone()),
        (
            "{}".to_owned(),
            digest("device.remove", "thing:1", "{\"all\":true}"),
        ),
    ] {
        let mut write = city.records.write().await.unwrap();
        let changed = format!(
            "UPDATE approvals SET body = '{body}', digest = '{digest}' WHERE id = {}",
            asked.id
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(changed))
            .execute(&mut *write)
            .await
            .unwrap();
        write.commit().await.unwrap();
        let refused = city.approve(&city.security, &asked).await.unwrap_err();
        assert_eq!(code(&refused), "approval-changed");
    }
    assert_eq!(city.status(asked.id).await, "pending");
}

#[tokio::test]
async fn of_many_who_approve_at_once_one_does_it() {
    let city = city().await;
    let mut deciders = Vec::new();
    for n in 0..8 {
        deciders.push(add(&city.identity, &format!("sec{n}"), Role::Security).await);
    }
    let asked = city
        .ask(&city.admin, DangerousAct::DeviceRemove, &json!({"n": 1}))
        .await
        .unwrap();
    let mut running = tokio::task::JoinSet::new();
    for decider in deciders {
        let (identity, asked) = (city.identity.clone(), asked.clone());
        running.spawn(async move {
            let now = T0.plus_seconds(2);
            identity
                .approve(&decider, asked.id, &asked.digest, "", PEER, now)
                .await
        });
    }
    let ended = running.join_all().await;
    let approved: Vec<_> = ended.iter().filter_map(|e| e.as_ref().ok()).collect();
    assert_eq!(approved.len(), 1);
    for refused in ended.iter().filter_map(|e| e.as_ref().err()) {
        assert_eq!(code(refused), "approval-decided");
    }
    // And its end is told once.
    let end = Ended {
        done: true,
        outcome: "removed".to_owned(),
        for_asker: None,
    };
    let told = city
        .identity
        .end_approved(approved[0], &end, T0)
        .await
        .unwrap();
    assert_eq!(
        (told.status.as_str(), told.outcome.as_deref()),
        ("done", Some("removed"))
    );
    let again = city
        .identity
        .end_approved(approved[0], &end, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&again), "approval-decided");
    assert_eq!(
        city.trail()
            .await
            .iter()
            .filter(|t| t.starts_with("approval.approve"))
            .count(),
        1
    );
}

#[tokio::test]
async fn what_is_decided_withdrawn_or_too_late_is_not_decided_again() {
    let city = city().await;
    let ask = async |n: i64| {
        let body = json!({"n": n});
        city.ask(&city.admin, DangerousAct::DeviceRemove, &body)
            .await
            .unwrap()
    };
    let (refused, withdrawn, late, done) = (ask(1).await, ask(2).await, ask(3).await, ask(4).await);
    let (identity, at) = (&city.identity, T0.plus_seconds(60));
    let said = identity
        .refuse(&city.security, refused.id, " 先盘点 ", PEER, at)
        .await
        .unwrap();
    assert_eq!(
        (said.status.as_str(), said.note.as_deref()),
        ("refused", Some("先盘点"))
    );
    // Another's is not there for whoever withdraws.
    let other = identity
        .withdraw(&city.security, withdrawn.id, PEER, at)
        .await
        .unwrap_err();
    assert_eq!(code(&other), "not-found");
    identity
        .withdraw(&city.admin, withdrawn.id, PEER, at)
        .await
        .unwrap();
    let approved = city.approve(&city.security, &done).await.unwrap();
    for asked in [&refused, &withdrawn, &done] {
        let again = city.approve(&city.security, asked).await.unwrap_err();
        assert_eq!(code(&again), "approval-decided");
        let again = identity
            .refuse(&city.security, asked.id, "", PEER, at)
            .await
            .unwrap_err();
        assert_eq!(code(&again), "approval-decided");
        let again = identity
            .withdraw(&city.admin, asked.id, PEER, at)
            .await
            .unwrap_err();
        assert_eq!(code(&again), "approval-decided");
    }
    let day = approvals::Options::default().valid_s;
    let after = T0.plus_seconds(day);
    let last = identity
        .approve(&city.security, late.id, &late.digest, "", PEER, after)
        .await;
    assert_eq!(code(&last.unwrap_err()), "approval-expired");
    // Seen as expired before anybody wrote it down, and written down once.
    let expired = Filter {
        status: Some(Status::Expired),
        ..Filter::default()
    };
    assert_eq!(identity.count_approvals(&expired, after).await.unwrap(), 1);
    assert_eq!(city.status(late.id).await, "pending");
    assert_eq!(identity.expire_approvals(T0).await.unwrap(), 0);
    assert_eq!(identity.expire_approvals(after).await.unwrap(), 1);
    assert_eq!(identity.expire_approvals(after).await.unwrap(), 0);
    assert_eq!(city.status(late.id).await, "expired");
    // What was being done when the platform ended is not done again.
    assert_eq!(identity.end_interrupted_approvals(after).await.unwrap(), 1);
    assert_eq!(identity.end_interrupted_approvals(after).await.unwrap(), 0);
    assert_eq!(city.status(done.id).await, "failed");
    assert_eq!(approved.approval().id, done.id);
    let (admin, security) = (&city.admin.name, &city.security.name);
    assert_eq!(
        city.trail().await,
        [
            format!("approval.ask by {admin}"),
            format!("approval.ask by {admin}"),
            format!("approval.ask by {admin}"),
            format!("approval.ask by {admin}"),
            format!("approval.refuse by {security}"),
            format!("approval.withdraw by {admin}"),
            format!("approval.approve by {security}"),
            "approval.expire by approvals".to_owned(),
            "approval.end by approvals".to_owned(),
        ]
    );
}

#[tokio::test]
async fn whoever_asked_must_still_be_allowed_to() {
    let city = city().await;
    let second = add(&city.identity, "admin-b", Role::Admin).await;
    let asked = city
        .ask(&second, DangerousAct::DeviceRemove, &json!({}))
        .await
        .unwrap();
    let change = PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    };
    let id = second.user_id().unwrap();
    city.identity
        .change_user(id, &change, &cli(), T0)
        .await
        .unwrap();
    let refused = city.approve(&city.security, &asked).await.unwrap_err();
    assert_eq!(code(&refused), "approval-asker");
}

#[tokio::test]
async fn the_same_asked_again_is_the_same_and_there_are_not_too_many() {
    let few = approvals::Options {
        pending_per_person_max: 2,
        text_chars_max: 20,
        body_bytes_max: 100,
        ..approvals::Options::default()
    };
    let city = city_with(few).await;
    let act = DangerousAct::DeviceRemove;
    let first = city.ask(&city.admin, act, &json!({"n": 1})).await.unwrap();
    let again = city.ask(&city.admin, act, &json!({"n": 1})).await.unwrap();
    assert_eq!(first, again);
    city.ask(&city.admin, act, &json!({"n": 2})).await.unwrap();
    let third = city
        .ask(&city.admin, act, &json!({"n": 3}))
        .await
        .unwrap_err();
    assert_eq!(code(&third), "approvals-too-many");
    let large = city
        .ask(&city.admin, act, &json!({"n": "x".repeat(100)}))
        .await
        .unwrap_err();
    assert_eq!(code(&large), "approval-too-large");
    let asked = Asked {
        act,
        target: "thing:1",
        body: &json!({}),
        reason: "一二三四五六七八九十一二三四五六七八九十一",
    };
    let long = city
        .identity
        .ask(&city.admin, &asked, PEER, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&long), "approval-text");
    assert_eq!(city.trail().await.len(), 2);
}

#[tokio::test]
async fn who_sees_what_and_what_waits_for_whom() {
    let city = city().await;
    let asked = city
        .ask(&city.admin, DangerousAct::DeviceRemove, &json!({}))
        .await
        .unwrap();
    let table = city
        .ask(&city.planner, DangerousAct::TableRemove, &json!({}))
        .await
        .unwrap();
    let waiting = async |who: &Principal| {
        let filter = city.identity.to_decide(who);
        city.identity.count_approvals(&filter, T0).await.unwrap()
    };
    assert_eq!(waiting(&city.security).await, 2);
    assert_eq!(waiting(&city.admin).await, 0);
    assert_eq!(waiting(&city.auditor).await, 0);
    assert_eq!(waiting(&city.planner).await, 0);
    let hidden = city
        .identity
        .approval(&city.planner, asked.id)
        .await
        .unwrap_err();
    assert_eq!(code(&hidden), "not-found");
    for who in [&city.planner, &city.auditor, &city.admin] {
        assert_eq!(
            city.identity.approval(who, table.id).await.unwrap().0,
            table
        );
    }
    let page = PageRequest {
        after: None,
        limit: Some(1),
    };
    let all = city
        .identity
        .approvals(&Filter::default(), &page, T0)
        .await
        .unwrap();
    assert_eq!((all.items[0].id, all.next.is_some()), (table.id, true));
}

fn to(role: Role) -> PersonChange {
    PersonChange {
        role: Some(role),
        ..PersonChange::default()
    }
}

#[tokio::test]
async fn no_administrator_takes_another_over_alone() {
    let city = city().await;
    let (identity, at) = (&city.identity, T0.plus_seconds(1));
    let closed = PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    };
    let all = [&city.admin, &city.security, &city.auditor, &city.planner];
    for by in all {
        let actor = by.actor(PEER);
        for target in all.iter().filter(|t| t.username != by.username) {
            let id = target.user_id().unwrap();
            let name = format!("{} to {}", by.username, target.username);
            let is_administrator = Administrator::of(target.role).is_some();
            let outcomes = [
                identity.set_password(id, None, &actor, at).await.err(),
                identity.change_user(id, &closed, &actor, at).await.err(),
                identity
                    .change_user(id, &to(Role::Viewer), &actor, at)
                    .await
                    .err(),
                identity
                    .change_user(id, &to(Role::Auditor), &actor, at)
                    .await
                    .err(),
            ];
            if is_administrator {
                for (n, refused) in outcomes.iter().enumerate() {
                    // To be given the role that one has is no change.
                    let is_security = by.role == Role::Security;
                    let same = n == 3 && target.role == Role::Auditor && is_security;
                    assert_eq!(refused.is_none(), same, "{name}: {n}");
                    let code = refused.as_ref().map_or("", code);
                    assert!(
                        ["", "needs-approval", "permission-missing"].contains(&code),
                        "{name}: {code}"
                    );
                }
            } else {
                // An account of somebody else: each its own part, and no administrator made alone.
                let [password, close, viewer, auditor] = outcomes.map(|o| o.is_none());
                let is_system = by.role == Role::Admin;
                assert_eq!((password, close), (is_system, is_system), "{name}");
                assert_eq!(viewer, by.role == Role::Security, "{name}");
                assert!(!auditor, "{name}");
                identity
                    .change_user(id, &to(Role::Planner), &cli(), at)
                    .await
                    .unwrap();
                let open = PersonChange {
                    disabled: Some(false),
                    ..PersonChange::default()
                };
                identity.change_user(id, &open, &cli(), at).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn two_people_give_an_administrators_role_and_a_password() {
    let city = city().await;
    let identity = &city.identity;
    let planner = identity.user_by_username("planner").await.unwrap();
    let change = to(Role::Auditor);
    assert_eq!(change.dangers(&planner), [DangerousAct::AdministratorRole]);
    let body = change.to_body(&planner);
    let asked = city
        .ask(&city.security, DangerousAct::AdministratorRole, &body)
        .await
        .unwrap();
    let approved = city.approve(&city.admin, &asked).await.unwrap();
    let user = identity.change_user_approved(&approved, T0).await.unwrap();
    assert_eq!((user.id, user.role.as_str()), (planner.id, "auditor"));

    let security = identity.user_by_username("security").await.unwrap();
    let body = PersonChange::default().to_body(&security);
    let asked = city
        .ask(&city.admin, DangerousAct::AdministratorPassword, &body)
        .await
        .unwrap();
    let approved = city.approve(&city.auditor, &asked).await.unwrap();
    let made = identity.set_password_approved(&approved, T0).await.unwrap();
    assert!(
        identity
            .sign_in("security", &made.password, PEER, T0)
            .await
            .is_ok()
    );
    let ended = Ended {
        done: true,
        outcome: "password set".to_owned(),
        for_asker: Some("first-half".to_owned()),
    };
    identity.end_approved(&approved, &ended, T0).await.unwrap();
    assert!(identity.approval(&city.admin, asked.id).await.unwrap().1);
    assert!(!identity.approval(&city.auditor, asked.id).await.unwrap().1);
    let other = identity
        .collect(&city.auditor, asked.id, PEER, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&other), "not-found");
    assert_eq!(
        identity
            .collect(&city.admin, asked.id, PEER, T0)
            .await
            .unwrap(),
        "first-half"
    );
    let again = identity
        .collect(&city.admin, asked.id, PEER, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&again), "not-found");
}

#[tokio::test]
async fn an_approval_of_one_act_opens_no_other() {
    let city = city().await;
    let security = city.identity.user_by_username("security").await.unwrap();
    let body = to(Role::Viewer).to_body(&security);
    // The content would take the role, the act says that the password is meant.
    let asked = city
        .ask(&city.admin, DangerousAct::AdministratorPassword, &body)
        .await
        .unwrap();
    let approved = city.approve(&city.auditor, &asked).await.unwrap();
    let refused = city
        .identity
        .change_user_approved(&approved, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "permission-missing");
}

#[tokio::test]
async fn a_new_account_has_no_rights_and_the_last_of_each_kind_stays() {
    let city = city().await;
    let identity = &city.identity;
    let mut person = NewPerson {
        username: "wang".to_owned(),
        name: "王工".to_owned(),
        role: Role::Duty,
        organisation_id: None,
        password: None,
    };
    for (by, expected) in [
        (&city.admin, "role-by-security"),
        (&city.security, "permission-missing"),
    ] {
        let refused = identity
            .create_user(&person, &by.actor(PEER), T0)
            .await
            .unwrap_err();
        assert_eq!(code(&refused), expected);
    }
    person.role = Role::None;
    let made = identity
        .create_user(&person, &city.admin.actor(PEER), T0)
        .await
        .unwrap();
    let signed = identity
        .sign_in("wang", &made.password, PEER, T0)
        .await
        .unwrap();
    assert_eq!(signed.principal.permissions, []);
    for administrator in Administrator::ALL {
        let role = administrator.role();
        let user = identity.user_by_username(role.as_str()).await.unwrap();
        let closed = PersonChange {
            disabled: Some(true),
            ..PersonChange::default()
        };
        for change in [to(Role::Viewer), closed] {
            let refused = identity
                .change_user(user.id, &change, &cli(), T0)
                .await
                .unwrap_err();
            assert_eq!(code(&refused), format!("last-{role}"));
        }
    }
    // A token is no way around: it is made with a machine's role, or on the machine.
    let actor = city.admin.actor(PEER);
    let refused = identity
        .create_token("x", Role::Auditor, None, &actor, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "role-by-security");
    identity
        .create_token("x", Role::Collector, None, &actor, T0)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_machines_operator_may_switch_an_act_off() {
    let city = city_with(approvals::Options {
        required: BTreeSet::new(),
        ..approvals::Options::default()
    })
    .await;
    assert!(
        DangerousAct::ALL
            .iter()
            .all(|act| !city.identity.needs_approval(*act))
    );
    let id = city.security.user_id().unwrap();
    let actor = city.admin.actor(PEER);
    city.identity
        .set_password(id, None, &actor, T0)
        .await
        .unwrap();
    // The parts stay separated all the same.
    let refused = city
        .identity
        .change_user(id, &to(Role::Duty), &actor, T0)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "permission-missing");
}
