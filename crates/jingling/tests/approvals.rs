//! Two people in a running city: the three administrators, what one of them asks for and another does, and what neither can
//! do alone.

use crate::support::{City, jingling, new_city, shared, text, token, until};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

const NOTHING: &Json = &Json::Null;

/// The cookie of a new person's session.
async fn person(city: &City, username: &str, role: &str) -> String {
    let password = city.add_person(username, role);
    city.sign_in(username, &password).await.cookie.unwrap()
}

/// The number of an account, as the security administrator sees it.
async fn account(city: &City, username: &str) -> i64 {
    let token = city.token_of("security");
    let answer = city
        .ask("GET", "/api/v1/accounts", |r| r.bearer_auth(&token))
        .await;
    let accounts = answer.json()["items"].clone();
    let found = accounts
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["username"] == username);
    found.unwrap()["id"].as_i64().unwrap()
}

/// Changes the records behind the city's back.
async fn tamper(city: &City, statement: String) {
    let path = std::path::Path::new(&city.dir).join("records.sqlite");
    let records = records::Records::open(&path).await.unwrap();
    let mut write = records.write().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();
    records.close().await;
}

#[tokio::test]
async fn a_device_is_removed_by_two_people_once_and_both_are_named() {
    let city = shared();
    let device = city.register("WaterObserved").await;
    let path = format!("/api/v1/devices/{}", device.client_id);
    let (admin, again) = (city.signed_in("admin").await, city.signed_in("admin").await);
    let asked = city
        .send(
            &admin,
            "DELETE",
            &format!("{path}?reason=scrapped"),
            NOTHING,
        )
        .await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let approval = asked.json()["approval"].clone();
    assert_eq!(
        (
            &approval["status"],
            &approval["reason"],
            &approval["body"]["client_id"]
        ),
        (
            &json!("pending"),
            &json!("scrapped"),
            &json!(device.client_id)
        )
    );
    assert_eq!(
        (&approval["can_decide"], &approval["can_withdraw"]),
        (&json!(false), &json!(true))
    );
    // The same asked again is the same, and is not done for being asked twice.
    let same = city
        .send(&again, "DELETE", &format!("{path}?reason=other"), NOTHING)
        .await;
    assert_eq!(same.json()["approval"]["id"], approval["id"]);
    let own = format!("/api/v1/approvals/{}", approval["id"]);
    let yes = json!({"digest": approval["digest"]});
    let approve = format!("{own}/approve");
    let another = person(&city, "admin-b", "admin").await;
    let (auditor, planner) = (
        city.signed_in("auditor").await,
        person(&city, "plan-b", "planner").await,
    );
    for (cookie, code) in [
        (&admin, "approval-own"),
        (&again, "approval-own"),
        (&another, "approval-not-yours"),
        (&auditor, "approval-not-yours"),
        (&planner, "forbidden"),
    ] {
        let refused = city.send(cookie, "POST", &approve, &yes).await;
        assert_eq!((refused.status, refused.problem().as_str()), (403, code));
    }
    let machine = token(&city.dir, "security");
    let refused = city
        .ask("POST", &approve, |r| r.bearer_auth(&machine).json(&yes))
        .await;
    assert_eq!(refused.problem(), "approval-by-person");
    let security = city.signed_in("security").await;
    let other = json!({"digest": "0".repeat(64)});
    let refused = city.send(&security, "POST", &approve, &other).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "approval-changed")
    );
    // It is not theirs to see who can do nothing about it.
    let hidden = city.send(&planner, "GET", &own, NOTHING).await;
    assert_eq!(hidden.status, 404);
    let waiting = city
        .send(&security, "GET", "/api/v1/approvals?which=decide", NOTHING)
        .await;
    let waiting = waiting.json();
    assert!(waiting["waiting"].as_i64().unwrap() >= 1);
    assert!(
        waiting["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|a| a["id"] == approval["id"])
    );
    assert!(city.get(&format!("/api/v1/devices?q={}", device.id)).await["items"][0].is_object());

    // Many say yes at the same moment: it is done once.
    let others = [
        security.clone(),
        security.clone(),
        person(&city, "security-b", "security").await,
        person(&city, "security-c", "security").await,
    ];
    let answers = others
        .iter()
        .map(|cookie| city.send(cookie, "POST", &approve, &yes));
    let answers = futures::future::join_all(answers).await;
    let mut statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    for late in answers.iter().filter(|a| a.status == 409) {
        assert_eq!(late.problem(), "approval-decided");
    }
    let ended = city.send(&admin, "GET", &own, NOTHING).await.json();
    assert_eq!(
        (&ended["status"], &ended["outcome"]),
        (&json!("done"), &json!("removed"))
    );
    let gone = city.get(&format!("/api/v1/devices?q={}", device.id)).await;
    assert_eq!(gone["items"], json!([]));
    let target = format!("target=device:{}", device.client_id);
    let acts = city
        .get(&format!("/api/v1/audit?action=device.remove&{target}"))
        .await;
    let acts = acts["items"].as_array().unwrap();
    assert_eq!(acts.len(), 1, "{acts:?}");
    let actor = acts[0]["actor"].as_str().unwrap();
    assert!(actor.starts_with("系统管理员 + "), "{actor}");
    let trail = city
        .get(&format!(
            "/api/v1/audit?action=approval.*&target=approval:{}",
            approval["id"]
        ))
        .await;
    let trail = trail["items"].as_array().unwrap().iter().rev();
    let trail: Vec<&str> = trail.map(|a| a["action"].as_str().unwrap()).collect();
    assert_eq!(trail, ["approval.ask", "approval.approve", "approval.end"]);
}

#[tokio::test]
async fn what_ran_out_or_was_refused_or_taken_back_is_not_done() {
    let city = shared();
    let (admin, security) = (
        city.signed_in("admin").await,
        city.signed_in("security").await,
    );
    let device = city.register("WaterObserved").await;
    let path = format!("/api/v1/devices/{}", device.client_id);
    let ask = async || {
        let asked = city.send(&admin, "DELETE", &path, NOTHING).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        asked.json()["approval"].clone()
    };
    let say = async |cookie: &str, id: &Json, word: &str, body: &Json| {
        city.send(
            cookie,
            "POST",
            &format!("/api/v1/approvals/{id}/{word}"),
            body,
        )
        .await
    };
    let late = ask().await;
    let (id, yes) = (&late["id"], json!({"digest": late["digest"]}));
    tamper(
        &city,
        format!("UPDATE approvals SET expires_at = asked_at WHERE id = {id}"),
    )
    .await;
    let refused = say(&security, id, "approve", &yes).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "approval-expired")
    );
    let seen = city
        .send(&admin, "GET", &format!("/api/v1/approvals/{id}"), NOTHING)
        .await
        .json();
    assert_eq!(
        (&seen["status"], &seen["can_withdraw"]),
        (&json!("expired"), &json!(false))
    );

    let no = ask().await;
    assert_ne!(
        no["id"], late["id"],
        "what ran out does not stand in the way"
    );
    let refused = say(
        &security,
        &no["id"],
        "refuse",
        &json!({"note": "still needed"}),
    )
    .await;
    assert_eq!(refused.json()["note"], "still needed");
    let back = ask().await;
    // Another's is not there to be taken back.
    assert_eq!(
        say(&security, &back["id"], "withdraw", NOTHING)
            .await
            .status,
        404
    );
    assert_eq!(
        say(&admin, &back["id"], "withdraw", NOTHING).await.json()["status"],
        "withdrawn"
    );
    for ended in [&no, &back] {
        let yes = json!({"digest": ended["digest"]});
        let refused = say(&security, &ended["id"], "approve", &yes).await;
        assert_eq!(refused.problem(), "approval-decided");
    }
    // What is kept was changed: neither the old digest nor the new one passes.
    let changed = ask().await;
    let other = "{\"client_id\":\"another\"}";
    tamper(
        &city,
        format!(
            "UPDATE approvals SET body = '{other}' WHERE id = {}",
            changed["id"]
        ),
    )
    .await;
    let yes = json!({"digest": changed["digest"]});
    assert_eq!(
        say(&security, &changed["id"], "approve", &yes)
            .await
            .problem(),
        "approval-changed"
    );
    let stays = city.get(&format!("/api/v1/devices?q={}", device.id)).await;
    assert_eq!(stays["items"][0]["client_id"], device.client_id.as_str());
    for (query, code) in [
        ("which=yours", "approvals-which"),
        ("status=lost", "approvals-status"),
        ("after=x", "cursor"),
    ] {
        let bad = city
            .send(
                &security,
                "GET",
                &format!("/api/v1/approvals?{query}"),
                NOTHING,
            )
            .await;
        assert_eq!((bad.status, bad.problem().as_str()), (400, code));
    }
}

#[tokio::test]
async fn roles_are_given_by_security_and_administrators_by_two() {
    let city = shared();
    let (admin, security) = (
        city.signed_in("admin").await,
        city.signed_in("security").await,
    );
    let wang = person(&city, "wang-none", "none").await;
    let user = city
        .send(&wang, "GET", "/api/v1/session", NOTHING)
        .await
        .json()["user"]
        .clone();
    assert_eq!(
        (&user["role"], &user["permissions"]),
        (&json!("none"), &json!([]))
    );
    let id = user["id"].as_i64().unwrap();
    let grant = format!("/api/v1/accounts/{id}/role");
    let to = |role: &str| json!({"role": role, "reason": "new post"});
    // Who makes accounts does not give them rights, nor the other way round.
    assert_eq!(
        city.send(&admin, "POST", &grant, &to("duty"))
            .await
            .problem(),
        "forbidden"
    );
    let reset = format!("/api/v1/accounts/{id}/password");
    assert_eq!(
        city.send(&security, "POST", &reset, &json!({}))
            .await
            .problem(),
        "forbidden"
    );
    let given = city.send(&security, "POST", &grant, &to("duty")).await;
    assert_eq!((given.status, &given.json()["role"]), (200, &json!("duty")));
    // The change ended the session with the old rights.
    assert_eq!(
        city.send(&wang, "GET", "/api/v1/session", NOTHING)
            .await
            .status,
        401
    );
    for (role, code) in [("collector", "role-of-machines"), ("root", "unknown-role")] {
        let refused = city.send(&security, "POST", &grant, &to(role)).await;
        assert_eq!((refused.status, refused.problem().as_str()), (400, code));
    }
    for role in ["security", "admin"] {
        let asked = city.send(&security, "POST", &grant, &to(role)).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        assert_eq!(asked.json()["approval"]["body"]["role_now"], "duty");
    }
    let asked = city.send(&security, "POST", &grant, &to("auditor")).await;
    let done = city.approve(&asked, "admin").await;
    assert_eq!(done["approval"]["status"], "done", "{done}");
    assert_eq!(done["answer"]["role"], "auditor");
    // And is taken back by two.
    let asked = city.send(&security, "POST", &grant, &to("viewer")).await;
    let done = city.approve(&asked, "auditor").await;
    assert_eq!(done["answer"]["role"], "viewer", "{done}");
    let roles = city
        .ask("GET", "/api/v1/roles", |r| {
            r.bearer_auth(city.token_of("security"))
        })
        .await
        .json();
    let administrators = roles["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["is_administrator"] == true);
    let administrators: BTreeSet<&str> = administrators
        .map(|r| r["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        administrators,
        BTreeSet::from(["admin", "auditor", "security"])
    );
}

#[tokio::test]
async fn of_an_administrators_new_password_each_of_two_has_a_part() {
    let city = shared();
    let admin = city.signed_in("admin").await;
    let lost = person(&city, "security-lost", "security").await;
    let id = account(&city, "security-lost").await;
    let reset = format!("/api/v1/accounts/{id}/password");
    let asked = city
        .send(&admin, "POST", &reset, &json!({"reason": "forgotten"}))
        .await;
    // Nothing has happened to it yet.
    assert_eq!(
        city.send(&lost, "GET", "/api/v1/session", NOTHING)
            .await
            .status,
        200
    );
    let done = city.approve(&asked, "auditor").await;
    assert_eq!(
        city.send(&lost, "GET", "/api/v1/session", NOTHING)
            .await
            .status,
        401
    );
    let second = done["answer"]["password_part"].as_str().unwrap().to_owned();
    let approval = format!("/api/v1/approvals/{}", done["approval"]["id"]);
    let auditor = city.signed_in("auditor").await;
    let collect = format!("{approval}/collect");
    assert_eq!(
        city.send(&auditor, "POST", &collect, NOTHING).await.status,
        404
    );
    let seen = city.send(&admin, "GET", &approval, NOTHING).await;
    assert_eq!(seen.json()["can_collect"], true);
    let first = city.send(&admin, "POST", &collect, NOTHING).await.json();
    let first = first["password_part"].as_str().unwrap().to_owned();
    assert_eq!(
        city.send(&admin, "POST", &collect, NOTHING).await.status,
        404,
        "once"
    );
    for page in [
        &seen.body,
        &city.send(&auditor, "GET", &approval, NOTHING).await.body,
    ] {
        assert!(!page.contains(&first) && !page.contains(&second), "{page}");
    }
    assert!(first.len() >= 10 && second.len() >= 15);
    assert_eq!(city.sign_in("security-lost", &second).await.status, 401);
    let whole = city
        .sign_in("security-lost", &format!("{first}{second}"))
        .await;
    assert_eq!(whole.status, 200, "{whole:?}");
    // Of somebody who is no administrator it is one person's work; whole, and at once.
    person(&city, "viewer-lost", "viewer").await;
    let id = account(&city, "viewer-lost").await;
    let reset = format!("/api/v1/accounts/{id}/password");
    let made = city.send(&admin, "POST", &reset, &json!({})).await.json();
    let made = city
        .sign_in("viewer-lost", made["password"].as_str().unwrap())
        .await;
    assert_eq!(made.status, 200);
}

#[tokio::test]
async fn two_people_cannot_take_the_last_of_a_kind_away_either() {
    let city = City::start();
    let admin = city.signed_in("admin").await;
    let id = account(&city, "auditor").await;
    let access = format!("/api/v1/accounts/{id}/access");
    let asked = city
        .send(&admin, "POST", &access, &json!({"disabled": true}))
        .await;
    let failed = city.approve(&asked, "security").await;
    assert_eq!(failed["approval"]["status"], "failed");
    assert!(
        failed["approval"]["outcome"]
            .as_str()
            .unwrap()
            .starts_with("last-auditor"),
        "{failed}"
    );
    city.signed_in("auditor").await;
    // One of two goes.
    person(&city, "auditor-b", "auditor").await;
    let id = account(&city, "auditor-b").await;
    let access = format!("/api/v1/accounts/{id}/access");
    let asked = city
        .send(&admin, "POST", &access, &json!({"disabled": true}))
        .await;
    let done = city.approve(&asked, "auditor").await;
    assert_eq!(done["answer"]["disabled"], true, "{done}");
}

#[tokio::test]
async fn every_signing_key_ends_when_two_people_say_so() {
    let city = City::start_with(&["oidc.issuer=https://city.example"]);
    let kids = async || {
        let keys = city.ask("GET", "/oauth2/jwks", |r| r).await.json()["keys"].clone();
        let keys = keys.as_array().unwrap().clone();
        keys.iter()
            .map(|k| k["kid"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    let security = city.signed_in("security").await;
    let rotated = city
        .send(&security, "POST", "/api/v1/oidc/keys", NOTHING)
        .await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    let before = kids().await;
    assert_eq!(before.len(), 2);
    let asked = city
        .send(
            &security,
            "DELETE",
            "/api/v1/oidc/keys?reason=leaked",
            NOTHING,
        )
        .await;
    assert_eq!(kids().await, before);
    let done = city.approve(&asked, "admin").await;
    assert_eq!(done["approval"]["status"], "done", "{done}");
    let after = kids().await;
    assert_eq!(after.len(), 1);
    assert!(before.is_disjoint(&after));
}

#[tokio::test]
async fn the_machines_operator_may_leave_an_act_to_one_person_and_that_is_told() {
    let city = City::start_with(&["approval.not_required=[\"device.remove\"]"]);
    let device = city.register("WaterObserved").await;
    let path = format!("/api/v1/devices/{}", device.client_id);
    let done = city
        .ask("DELETE", &path, |r| r.bearer_auth(&city.admin))
        .await;
    assert_eq!(done.status, 204, "{done:?}");
    let notices = city.get("/api/v1/notices").await["items"].clone();
    let told = notices
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n["code"] == "approval-not-required");
    assert!(
        told.unwrap()["what"]
            .as_str()
            .unwrap()
            .contains("device.remove"),
        "{notices}"
    );
}

#[tokio::test]
async fn a_city_from_before_gets_the_administrators_that_it_lacks() {
    let (_folder, dir) = new_city();
    let path = std::path::Path::new(&dir).join("records.sqlite");
    let records = records::Records::open(&path).await.unwrap();
    let mut write = records.write().await.unwrap();
    let gone = "DELETE FROM users WHERE role IN ('security', 'auditor')";
    sqlx::raw_sql(gone).execute(&mut *write).await.unwrap();
    write.commit().await.unwrap();
    records.close().await;
    let file = std::path::Path::new(&dir).join("secrets/first-sign-in.json");
    // The engineer has put the first one away.
    std::fs::remove_file(&file).unwrap();
    // A name that is taken does not stand in the way.
    let added = jingling(&[
        "user",
        "add",
        &dir,
        "--username",
        "auditor",
        "--name",
        "x",
        "--role",
        "duty",
    ]);
    assert!(added.status.success(), "{}", text(&added.stderr));
    let city = City::start_in(_folder, dir, &[]);
    let made: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let names: Vec<_> = made
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["username"].as_str(), p["role"].as_str()))
        .collect();
    assert_eq!(
        names,
        [
            (Some("security"), Some("security")),
            (Some("auditor-2"), Some("auditor"))
        ]
    );
    for role in ["security", "auditor"] {
        city.signed_in(role).await;
    }
    let notices = city.get("/api/v1/notices").await["items"].clone();
    let told = notices
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n["code"] == "administrators-made");
    assert!(
        told.unwrap()["what"]
            .as_str()
            .unwrap()
            .contains("auditor-2"),
        "{notices}"
    );
    until("the log tells it", async || {
        city.log().contains("auditor-2 (auditor)")
    })
    .await;
    assert!(!city.log().contains(made[0]["password"].as_str().unwrap()));
}
