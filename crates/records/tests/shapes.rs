//! Every shape of the database that was ever released opens and keeps its rows: one fixture for each.

use model::Timestamp;
use records::{
    Event, PageRequest, Records, alerts, approvals, attachments, audit, cases, commands,
    corrections, dead_letters, device_credentials, devices, duty, duty_acts, filings, form_returns,
    handovers, indicators, linked_identities, maintenance_windows, notices, oidc, oidc_clients,
    open311, organisations, packages, passkeys, policies, posts, project_photos, projects,
    rule_failures, runs, sessions, totp, users,
};

#[tokio::test]
async fn shape_1_opens_and_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v1.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    assert_eq!(records.projection_position("records").await.unwrap(), 10);

    let mut write = records.write().await.unwrap();
    let user = users::by_username(&mut write, "li.si")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (user.name.as_str(), user.organisation_id.as_deref()),
        ("李四", Some("water"))
    );
    let device = devices::by_id(&mut write, "urn:x:1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (device.messages, device.online, device.name),
        (7, true, None)
    );
    let alert = alerts::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!((alert.value, alert.case_id), (Some(29.4), Some(1)));
    assert_eq!(alert.raised_at, Timestamp::from_seconds(1_800_000_000));
    assert_eq!(
        dead_letters::get(&mut write, 9)
            .await
            .unwrap()
            .unwrap()
            .problem
            .code,
        "json"
    );
    let page = PageRequest::default();
    assert_eq!(
        audit::list(&mut write, &page).await.unwrap().items[0].action,
        "device.add"
    );

    let mut case = cases::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!(
        case.workflow_version, 0,
        "from before definitions were kept"
    );
    assert_eq!(cases::events(&mut write, 1, 10).await.unwrap().len(), 1);
    assert_eq!(cases::next_number(&mut write, "20270115").await.unwrap(), 2);
    "handled".clone_into(&mut case.state);
    let moved = cases::update(&mut write, &case).await.unwrap().unwrap();
    assert_eq!((moved.state.as_str(), moved.version), ("handled", 5));
    assert_eq!(
        cases::update(&mut write, &case).await.unwrap(),
        None,
        "that version is gone"
    );
    write.commit().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_is_whole_while_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v1.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    // A writer in the middle of its transaction neither waits nor is seen.
    let mut write = records.write().await.unwrap();
    let actor = records::Actor::system("test");
    let now = Timestamp::from_seconds(1_800_000_000);
    let detail = serde_json::json!({});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::SessionClose,
        "half",
        &detail,
    )
    .await
    .unwrap();
    let copy = dir.path().join("copy.sqlite");
    records.snapshot(&copy).await.unwrap();
    write.commit().await.unwrap();
    assert!(
        records.snapshot(&copy).await.is_err(),
        "never over another file"
    );
    let copy = Records::open(&copy).await.unwrap();
    assert_eq!(copy.check().await.unwrap(), []);
    let (then, now) = (
        copy.row_counts().await.unwrap(),
        records.row_counts().await.unwrap(),
    );
    assert_eq!(then["audit"] + 1, now["audit"]);
    assert_eq!(then["devices"], now["devices"]);
}

#[tokio::test]
async fn shape_2_opens_with_the_workflows_that_its_cases_follow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v2.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    // The first is from shape 1.
    for (id, version) in [(1, 0), (2, 1)] {
        let case = cases::get(&mut write, id).await.unwrap().unwrap();
        assert_eq!(
            (case.workflow.as_str(), case.workflow_version),
            ("city-case", version)
        );
    }
    let kept = cases::kept_workflow(&mut write, "city-case", 1)
        .await
        .unwrap()
        .unwrap();
    assert!(kept.starts_with("{\"name\":\"city-case\""));
    for (definition, version) in [
        (kept.as_str(), 1),
        ("another", 2),
        ("another", 2),
        (&kept, 1),
    ] {
        let said = cases::keep_workflow(&mut write, "city-case", definition)
            .await
            .unwrap();
        assert_eq!(said, version);
    }
    assert_eq!(
        cases::keep_workflow(&mut write, "flood", &kept)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        cases::kept_workflow(&mut write, "flood", 2).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn shape_3_opens_with_its_corrections() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v3.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut read = records.read().await.unwrap();
    let page = PageRequest::default();
    let found = corrections::list(&mut read, Some("urn:x:1"), &page).await;
    let found = found.unwrap().items;
    assert_eq!(
        (found[0].position, found[0].new_value.clone()),
        (14, None),
        "withdrawn"
    );
    assert_eq!(found[1].new_value, Some(serde_json::json!(28.12)));
    assert_eq!(found[1].old_value, serde_json::json!(812.0));
    assert_eq!((found[1].id, found[1].reason.as_str()), (1, "读数多了一位"));
    let other = corrections::list(&mut read, Some("urn:x:2"), &page).await;
    assert_eq!(other.unwrap().items, []);
}

#[tokio::test]
async fn shape_4_opens_with_its_chain_and_seals() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v4.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut read = records.read().await.unwrap();
    let options = records::audit_verify::Options::default();
    let report = records::audit_verify::verify(&mut read, &options)
        .await
        .unwrap();
    assert!(report.whole, "{report:?}");
    let last = report.last;
    assert_eq!((report.seals, report.sealed_by), (2, Some(2)));
    assert_eq!(
        (report.sealed_to, report.chained_later),
        (last - 1, last - 3)
    );
    let page = PageRequest::default();
    let acts = audit::list(&mut read, &page).await.unwrap().items;
    assert_eq!(acts[1].action, "case.dispatch");
}

#[tokio::test]
async fn shape_5_opens_with_its_clients() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v5.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut read = records.read().await.unwrap();
    let client = oidc_clients::get(&mut read, "jlc-water")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (client.name.as_str(), client.is_public),
        ("水利调度", false)
    );
    assert_eq!(
        client.redirect_uris,
        serde_json::json!(["https://water.example/cb"])
    );
    let family = oidc::family(&mut read, "f1").await.unwrap().unwrap();
    assert_eq!((family.user_id, family.ended_at), (1, None));
    assert_eq!(
        oidc::code(&mut read, "h1").await.unwrap().unwrap().family,
        "f1"
    );
    let given = oidc_clients::consent(&mut read, 1, "jlc-water")
        .await
        .unwrap();
    assert_eq!(given.unwrap().scopes, "openid");
}

#[tokio::test]
async fn shape_6_opens_with_its_approvals() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v6.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let now = Timestamp::from_seconds(1_800_000_060);
    let waits = approvals::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!(
        (waits.act.as_str(), waits.status.as_str(), waits.decided_by),
        ("device.remove", "pending", None)
    );
    assert_eq!(waits.body, "{\"client_id\":\"gauge-1\",\"id\":\"urn:x:1\"}");
    let done = approvals::get(&mut write, 2).await.unwrap().unwrap();
    assert_eq!(done.outcome.as_deref(), Some("password set"));
    // Given once, to whoever asked and nobody else.
    let given = approvals::take_for_asker(&mut write, 2, 2).await.unwrap();
    assert_eq!(given, None);
    let given = approvals::take_for_asker(&mut write, 2, 1).await.unwrap();
    assert_eq!(given.as_deref(), Some("abcde-fghij"));
    assert!(!approvals::has_for_asker(&mut write, 2).await.unwrap());
    let decision = approvals::Decision {
        by: 2,
        name: "安全管理员",
        note: "",
    };
    let to = approvals::Status::Approved;
    let moved = approvals::decide(&mut write, 1, to, Some(&decision), now).await;
    assert_eq!(moved.unwrap().unwrap().ended_at, None);
    let again = approvals::decide(&mut write, 1, to, Some(&decision), now).await;
    assert_eq!(again.unwrap(), None);
}

#[tokio::test]
async fn shape_6_opens_with_its_second_factors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v6.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let now = Timestamp::from_seconds(1_800_000_100);
    let mut write = records.write().await.unwrap();
    let session = sessions::get(&mut write, "th1").await.unwrap().unwrap();
    assert_eq!(
        (session.sid.as_str(), session.began_by.as_str()),
        ("sid1", "totp")
    );
    let codes = totp::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!(codes.last_step, 60_000_000);
    assert!(!totp::take_step(&mut write, 1, 60_000_000).await.unwrap());
    assert!(totp::take_step(&mut write, 1, 60_000_001).await.unwrap());
    assert_eq!(totp::recovery_codes_left(&mut write, 1).await.unwrap(), 1);
    let used = records::Secret::new("rh2".to_owned());
    assert!(
        !totp::take_recovery_code(&mut write, 1, &used, now)
            .await
            .unwrap()
    );
    let passkey = passkeys::by_credential(&mut write, "Y3JlZA")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (passkey.name.as_str(), passkey.sign_count, passkey.is_synced),
        ("办公室电脑", 7, true)
    );
    let certificate = device_credentials::by_fingerprint(&mut write, "f00d")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(certificate.kind, device_credentials::X509);
    // With the device its credentials go.
    devices::delete(&mut write, &certificate.client_id)
        .await
        .unwrap();
    assert_eq!(
        device_credentials::by_fingerprint(&mut write, "f00d")
            .await
            .unwrap(),
        None
    );
    write.commit().await.unwrap();
}

#[tokio::test]
async fn shape_6_opens_with_its_organisation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v6.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut read = records.read().await.unwrap();
    // What was there before is the profile's, and a department.
    let water = organisations::get(&mut read, "water")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (water.kind.as_str(), water.of_profile),
        ("department", true)
    );
    let company = organisations::get(&mut read, "pump-co")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(company.parent.as_deref(), Some("water"));
    assert_eq!(company.credit_code.as_deref(), Some("91330100799655058B"));
    let t0 = Timestamp::from_seconds(1_800_000_000);
    let held = posts::held_by(&mut read, 1, t0).await.unwrap();
    assert_eq!(
        (held[0].id.as_str(), held[0].role.as_str()),
        ("pump-co-1", "field")
    );
    let earlier = t0.plus_seconds(-1);
    assert_eq!(posts::held_by(&mut read, 1, earlier).await.unwrap(), []);
    assert_eq!(
        posts::people_of(&mut read, "pump-co", t0).await.unwrap(),
        [1]
    );
    let user = users::get(&mut read, 1).await.unwrap().unwrap();
    assert_eq!(user.phone.as_deref(), Some("13812345678"));
    let done = handovers::list(&mut read, &PageRequest::default())
        .await
        .unwrap();
    assert_eq!(done.items[0].moved_to.as_deref(), Some("pump-co"));
}

#[tokio::test]
async fn shape_6_opens_with_its_policies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v6.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    let mut write = records.write().await.unwrap();
    let held = policies::newest(&mut write).await.unwrap().unwrap();
    assert_eq!((held.id, held.reason.as_str()), (1, "汛期值守"));
    let now = Timestamp::from_seconds(1_800_000_100);
    let next = policies::insert(&mut write, now, "安全管理员", "还原", "{}").await;
    assert_eq!(next.unwrap().id, 2);
    let all = policies::list(&mut write, &PageRequest::default())
        .await
        .unwrap();
    let ids: Vec<i64> = all.items.iter().map(|v| v.id).collect();
    assert_eq!(ids, [2, 1]);
}

#[tokio::test]
async fn shape_7_opens_with_its_keys_of_devices_and_outside_identities() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v7.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let issuer = "https://sso.example.gov.cn";
    let linked = linked_identities::by_subject(&mut write, issuer, "p-1001").await;
    let linked = linked.unwrap().unwrap();
    assert_eq!(
        (linked.user_id, linked.shown.as_str(), linked.last_used_at),
        (1, "李芳", None)
    );
    // An identity is one person's, and a person has one of each provider.
    let again = linked_identities::insert(&mut write, &linked).await;
    assert_eq!(again.unwrap(), None);
    let keyed = devices::by_client_id(&mut write, "gauge-7").await;
    let keyed = keyed.unwrap().unwrap();
    assert_eq!(keyed.secret_sealed.expose(), "sealed");
    assert_eq!(
        devices::used_proofs(&mut write, "gauge-7").await.unwrap(),
        (1_800_000_000, "1800000010:n1".to_owned())
    );
    // Those from before have a password, and no proof was used.
    let (any, page) = (devices::DeviceFilter::default(), PageRequest::default());
    let all = devices::list(&mut write, &any, &page).await.unwrap().items;
    let old = all.iter().find(|d| d.client_id != "gauge-7").unwrap();
    assert_eq!(old.secret_sealed.expose(), "");
    assert_eq!(
        devices::used_proofs(&mut write, &old.client_id)
            .await
            .unwrap(),
        (0, String::new())
    );
}

#[tokio::test]
async fn shape_8_opens_with_the_clocks_of_its_cases_and_who_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v8.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    // Texts of cases from before are found too, inside a Chinese text.
    let filter = cases::CaseFilter {
        text: Some("盖缺".to_owned()),
        ..cases::CaseFilter::default()
    };
    let page = PageRequest::default();
    let found = cases::list(&mut write, &filter, &page).await.unwrap().items;
    assert_eq!((found.len(), found[0].id), (1, 2));
    let case = &found[0];
    assert_eq!(
        (case.town.as_deref(), case.extensions, case.reporters),
        (Some("429006001"), 1, 2)
    );
    assert_eq!(
        case.case_due_at,
        Some(Timestamp::from_seconds(1_800_090_000))
    );
    let alert = alerts::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!(alert.decided, serde_json::json!([]), "from before");
    let failures = rule_failures::open_by_rule(&mut write).await.unwrap();
    assert_eq!(failures, [("river-rising".to_owned(), 1)]);
    let now = Timestamp::from_seconds(1_800_000_100);
    assert_eq!(
        maintenance_windows::count_open(&mut write, now)
            .await
            .unwrap(),
        1
    );
    assert_eq!(notices::rules(&mut write).await.unwrap()[0].id, "duty");
    assert_eq!(notices::unread(&mut write, 1).await.unwrap(), 1);
    assert_eq!(
        notices::contacts(&mut write, 1).await.unwrap()[0].shown,
        "l***@example.org"
    );
    let quiet = notices::quiet_hours(&mut write, 1).await.unwrap();
    assert_eq!(quiet, Some((1_320, 420)));
}

#[tokio::test]
async fn shape_9_opens_with_its_roster_service_requests_and_voices() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v9.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let now = Timestamp::from_seconds(1_800_003_700);
    let on_duty = duty::people_on_duty(&mut write, "water", now).await;
    assert_eq!(on_duty.unwrap(), Some(vec![1]));
    let page = PageRequest::default();
    let unsigned = duty_acts::hand_overs(&mut write, None, true, &page).await;
    assert_eq!(unsigned.unwrap().items[0].notes, "三号泵已停");
    let contacts = duty_acts::contacts(&mut write, None, 10).await.unwrap();
    assert_eq!(contacts[0].shown, "138****0001");
    let request = open311::by_token(&mut write, "t1").await.unwrap().unwrap();
    let case = cases::get(&mut write, request.case_id).await.unwrap();
    assert_eq!(case.unwrap().grid.as_deref(), Some("429006001001001"));
    let notes = attachments::of_case(&mut write, request.case_id).await;
    let notes = notes.unwrap();
    assert_eq!(
        (notes[0].kind.as_str(), notes[0].duration_ms),
        ("voice", Some(1_500))
    );
}

#[tokio::test]
async fn shape_11_opens_with_its_runs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v11.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let page = PageRequest::default();
    let all = runs::list(&mut write, &runs::Filter::default(), &page).await;
    let outcomes: Vec<(i64, String)> = all
        .unwrap()
        .items
        .into_iter()
        .map(|run| (run.id, run.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [(2, runs::RUNNING.to_owned()), (1, runs::DONE.to_owned())]
    );
    assert!(runs::kept(&mut write, 1).await.unwrap().is_some());
    // What a start finds running was interrupted, and its moment is still due; those that a person asked for never were the clock's.
    let now = Timestamp::from_seconds(1_800_001_000);
    assert_eq!(runs::interrupt(&mut write, now).await.unwrap(), 1);
    let due = runs::last_due(&mut write).await.unwrap();
    assert_eq!(
        due,
        [(
            "water-stage-forecast".to_owned(),
            Timestamp::from_seconds(1_800_000_000)
        )]
    );
    let last = runs::last(&mut write).await.unwrap();
    assert_eq!((last[0].done, last[0].failed), (0, 1));
    assert_eq!(runs::prune(&mut write, now).await.unwrap(), 2);
}

#[tokio::test]
async fn shape_12_opens_with_its_commands() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v12.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let page = PageRequest::default();
    let filter = commands::Filter::default();
    let all = commands::list(&mut write, &filter, &page).await.unwrap();
    let states: Vec<(i64, &str)> = all
        .items
        .iter()
        .map(|command| (command.id, command.state.as_str()))
        .collect();
    assert_eq!(states, [(3, "asked"), (2, "sent"), (1, "done")]);
    let done = &all.items[2];
    assert_eq!(done.value, serde_json::json!(0.5));
    assert_eq!(
        (done.asked_by.as_str(), done.decided_by.as_deref()),
        ("李四", Some("王五"))
    );
    let steps = commands::steps(&mut write, 1).await.unwrap();
    let steps: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(steps, ["ask", "approve", "send", "answer"]);
    // What a start finds sent is on its way to nobody; what was asked for can run out of time.
    let sent = commands::on_the_way(&mut write).await.unwrap();
    assert_eq!(sent.iter().map(|c| c.id).collect::<Vec<_>>(), [2]);
    let asked_at = all.items[0].asked_at;
    let early = commands::overdue(&mut write, asked_at.plus_seconds(899)).await;
    assert_eq!(early.unwrap(), []);
    let late = commands::overdue(&mut write, asked_at.plus_seconds(900)).await;
    assert_eq!(late.unwrap().len(), 1);
    // One command to a thing at a time, and a step only from where it begins.
    let actor = records::Actor::system("test");
    let now = asked_at.plus_seconds(1);
    let again = commands::NewCommand {
        entity_id: &all.items[0].entity_id,
        entity_type: "SluiceGate",
        command: "set-opening",
        value: &serde_json::json!(1.0),
        unit: Some("MTR"),
        reason: "再开",
        approval: "second-person",
        state: "asked",
        expires_at: now,
    };
    let second = commands::ask(&mut write, &again, &actor, None, now).await;
    assert_eq!(second.unwrap(), None);
    let refuse = commands::NewStep {
        from: "asked",
        step: "refuse",
        to: "refused",
        note: "不",
        decides: true,
        why: None,
        answer: None,
        detail: None,
    };
    for taken in [true, false] {
        let step = commands::step(&mut write, 3, &refuse, &actor, now).await;
        assert_eq!(step.unwrap(), taken);
    }
    let second = commands::ask(&mut write, &again, &actor, None, now).await;
    assert_eq!(second.unwrap(), Some(4));
}

#[tokio::test]
async fn shape_13_opens_with_its_reports() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v13.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let page = PageRequest::default();
    let filter = filings::Filter::default();
    let all = filings::list(&mut write, &filter, None, &page)
        .await
        .unwrap();
    let states: Vec<(i64, &str)> = all
        .items
        .iter()
        .map(|filing| (filing.id, filing.state.as_str()))
        .collect();
    assert_eq!(states, [(2, "submitted"), (1, "approved")]);
    let correction = &all.items[0];
    assert_eq!(
        (correction.corrects, correction.old_value, correction.agreed),
        (Some(1), Some(0.8), 1)
    );
    let steps = filings::steps(&mut write, 2).await.unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|step| (step.step.as_str(), step.level.as_deref()))
        .collect();
    assert_eq!(steps, [("submit", None), ("approve", Some("unit"))]);
    let held = filings::locks_held(&mut write).await.unwrap();
    assert_eq!(
        held.iter()
            .map(|lock| lock.period.as_str())
            .collect::<Vec<_>>(),
        ["2025"]
    );
    let cases = filings::claim_cases(&mut write, Some("fibre"), None, 9).await;
    assert_eq!(cases.unwrap()[0].case_id, 1);
    // A step only from where it begins, and one lock of a period.
    let actor = records::Actor::system("test");
    let now = correction.changed_at.plus_seconds(1);
    let approve = filings::NewStep {
        from: "submitted",
        from_agreed: 1,
        step: "approve",
        to: "approved",
        to_agreed: 2,
        levels: None,
        level: Some("plan-office"),
        note: "",
    };
    for taken in [true, false] {
        let step = filings::step(&mut write, 2, &approve, &actor, now).await;
        assert_eq!(step.unwrap(), taken);
    }
    let counting = filings::counting(&mut write, "fibre", "2025-Q3").await;
    assert_eq!(counting.unwrap().unwrap().id, 2);
    let twice = filings::lock(&mut write, "2025", "再", &actor, now).await;
    assert_eq!(twice.unwrap(), None);
    assert!(
        filings::lift(&mut write, held[0].id, "补报", &actor, now)
            .await
            .unwrap()
    );
    let again = filings::lock(&mut write, "2025", "再", &actor, now).await;
    assert_eq!(again.unwrap(), Some(3));
}

#[tokio::test]
async fn shape_14_opens_with_its_projects() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v14.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let all = projects::all(&mut write).await.unwrap();
    let ids: Vec<_> = all.iter().map(|p| (p.id.as_str(), p.plan_box)).collect();
    // Those of the plan come first.
    assert_eq!(ids, [("smart-water", Some(2)), ("rain-radar", None)]);
    assert_eq!(all[0].kept["profile"]["total_fen"], 12_000_000_000_i64);
    assert_eq!(all[1].ended_why.as_deref(), Some("并入省级项目"));
    let reminders = projects::reminders(&mut write, Some("smart-water")).await;
    assert_eq!(reminders.unwrap()[0].case_id, 1);
    // A month is stated once, an end is once, and a change needs the version that was seen.
    let actor = records::Actor::system("test");
    let now = all[0].changed_at.plus_seconds(1);
    let said = projects::reports(&mut write, None, Some("2026-03")).await;
    let mut said = said.unwrap().remove(0);
    for (month, taken) in [("2026-03", false), ("2026-04", true), ("2026-04", false)] {
        month.clone_into(&mut said.month);
        let kept = projects::report(&mut write, &said, &actor).await.unwrap();
        assert_eq!(kept, taken, "{month}");
    }
    let ended = projects::end(&mut write, "rain-radar", "再", &actor, now).await;
    assert!(!ended.unwrap());
    let changed = projects::Changed {
        kept: &serde_json::json!({}),
        organisation_id: None,
        stage: "paused",
        planned: [None, None],
        total_fen: None,
        milestones: Vec::new(),
        money: vec![projects::MoneyRow {
            source: "city",
            year: 2027,
            fen: [3, 2, 1],
        }],
    };
    for (version, taken) in [(2, false), (3, true), (3, false)] {
        let done =
            projects::change(&mut write, "smart-water", version, &changed, &actor, now).await;
        assert_eq!(done.unwrap(), taken, "{version}");
    }
    write.commit().await.unwrap();
    let (_, rows) = records::tables::table_rows(&records, "project_money", 9)
        .await
        .unwrap();
    assert_eq!(
        serde_json::json!(rows),
        serde_json::json!([[2, "smart-water", "city", 2027, 3, 2, 1]])
    );
    let (_, rows) = records::tables::table_rows(&records, "project_milestones", 9)
        .await
        .unwrap();
    assert_eq!(rows.len(), 0);
}

#[tokio::test]
async fn shape_16_opens_with_its_photos_and_packages() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v16.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let all = project_photos::of_project(&mut write, "smart-water").await;
    let all = all.unwrap();
    // The newest day first, what was removed with its reason among them.
    assert_eq!(all.iter().map(|p| p.id).collect::<Vec<_>>(), [2, 1]);
    let (gone, first) = (&all[0], &all[1]);
    assert_eq!(gone.removed_why.as_deref(), Some("照片里有路人"));
    assert_eq!((first.lon, first.lat), (Some(113.16), Some(30.65)));
    // A removed one counts for nothing, also when the same picture comes again.
    let same = project_photos::same(&mut write, "smart-water", &gone.sha256).await;
    assert_eq!(same.unwrap(), None);
    let again = project_photos::insert(&mut write, gone).await.unwrap();
    assert_eq!((again.id, again.removed_at), (3, None));
    let count = project_photos::count(&mut write, "smart-water").await;
    assert_eq!(count.unwrap(), 2);
    for (up_to, newest) in [
        ("2026-02-28", vec![]),
        ("2026-03-31", vec![1]),
        ("2026-04-30", vec![3]),
    ] {
        let found = project_photos::newest(&mut write, up_to).await.unwrap();
        let ids: Vec<i64> = found.iter().map(|photo| photo.id).collect();
        assert_eq!(ids, newest, "{up_to}");
    }
    // A removal is once.
    let actor = records::Actor::system("test");
    let now = gone.added_at.plus_seconds(9);
    for taken in [true, false] {
        let done = project_photos::remove(&mut write, 3, "重复", &actor, now).await;
        assert_eq!(done.unwrap(), taken);
    }
    let other = project_photos::get(&mut write, "rain-radar", 1).await;
    assert_eq!(other.unwrap(), None, "of another project");
    let package = packages::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!((package.version, package.edition), (2, 1));
    assert_eq!(
        package.published.as_ref().unwrap()["title_zh"],
        "水利项目包"
    );
    // What is out is withdrawn once; published again it is the next edition, and the old one stays.
    for taken in [true, false] {
        let done = packages::withdraw(&mut write, 1, "过期", &actor, now).await;
        assert_eq!(done.unwrap(), taken);
    }
    let stale = packages::Package {
        version: 1,
        ..package.clone()
    };
    for (of, taken) in [(&stale, false), (&package, true)] {
        let done = packages::publish(&mut write, of, &actor, now).await;
        assert_eq!(done.unwrap(), taken);
    }
    let again = packages::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!((again.edition, again.withdrawn_at), (2, None));
    assert_eq!(again.published, Some(package.content));
    assert_eq!(packages::editions(&mut write, 1).await.unwrap(), 2);
    let content = serde_json::json!({"title_zh": "场景清单"});
    let new = packages::insert(&mut write, &content, &actor, now).await;
    let new = new.unwrap();
    assert_eq!((new.id, new.version, new.edition), (2, 1, 0));
    for taken in [true, false] {
        let done = packages::change(&mut write, 2, 1, &content, &actor, now).await;
        assert_eq!(done.unwrap(), taken);
    }
    let unpublished = packages::withdraw(&mut write, 2, "没有发布", &actor, now).await;
    assert!(!unpublished.unwrap());
    assert_eq!(packages::all(&mut write).await.unwrap().len(), 2);
    let checked = project_photos::after(&mut write, 1, 9).await.unwrap();
    assert_eq!(checked.iter().map(|p| p.id).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn shape_15_opens_with_its_forms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v15.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let key = form_returns::Key {
        form: "town-charging",
        period: "2025",
        division_code: "429006001",
    };
    let current = form_returns::current(&mut write, &key).await.unwrap();
    let current = current.unwrap();
    assert_eq!((current.id, current.corrects), (2, Some(1)));
    assert_eq!(current.asked["town-scooter-charging"], 31.0);
    let history = form_returns::history(&mut write, &key).await.unwrap();
    let states: Vec<_> = history.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["submitted", "replaced"]);
    // Of a form, period and division one stands: what is handed in is not written over, and is corrected by another that takes its place.
    let actor = records::Actor::system("test");
    let now = current.changed_at.plus_seconds(5);
    let (asked, filled) = (
        serde_json::json!({"town-scooter-charging": 32.0}),
        serde_json::json!([]),
    );
    let written = form_returns::Written {
        state: "submitted",
        asked: &asked,
        filled: &filled,
        corrects: Some(2),
        reason: "再核",
    };
    let over = form_returns::write(&mut write, 2, current.version, &written, &actor, now).await;
    assert!(!over.unwrap());
    assert!(form_returns::replace(&mut write, 2, now).await.unwrap());
    assert!(!form_returns::replace(&mut write, 2, now).await.unwrap());
    let id = form_returns::insert(&mut write, &key, &written, &actor, now)
        .await
        .unwrap();
    let value = form_returns::NewValue {
        element: "town-scooter-charging".to_owned(),
        value: Some(32.0),
        value_text: None,
        origin: "person".to_owned(),
        disputed: None,
    };
    form_returns::put_values(&mut write, id, &key, &[value], now)
        .await
        .unwrap();
    // The newest period that was handed in is what others take.
    let latest =
        form_returns::latest_values(&mut write, "town-charging", Some("town-scooter-charging"))
            .await;
    let latest: Vec<_> = latest
        .unwrap()
        .into_iter()
        .map(|v| (v.period, v.value))
        .collect();
    assert_eq!(latest, [("2025".to_owned(), Some(32.0))]);
    let draft = form_returns::Key {
        period: "2026",
        ..key
    };
    let begun = form_returns::current(&mut write, &draft)
        .await
        .unwrap()
        .unwrap();
    for (version, taken) in [(1, false), (0, true), (0, false)] {
        let done = form_returns::write(&mut write, begun.id, version, &written, &actor, now).await;
        assert_eq!(done.unwrap(), taken, "{version}");
    }
    write.commit().await.unwrap();
    let (_, rows) = records::tables::table_rows(&records, "form_values", 9)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    // What is given back counts no more.
    let mut write = records.write().await.unwrap();
    assert!(
        form_returns::give_back(&mut write, id, "请核实", &actor, now)
            .await
            .unwrap()
    );
    assert!(
        !form_returns::give_back(&mut write, id, "请核实", &actor, now)
            .await
            .unwrap()
    );
    let latest =
        form_returns::latest_values(&mut write, "town-charging", Some("town-scooter-charging"))
            .await;
    assert_eq!(latest.unwrap(), []);
}

#[tokio::test]
async fn figures_of_before_count_as_approved_until_their_period_or_their_day() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v12.sqlite")).unwrap();
    sqlx::any::install_default_drivers();
    let mut before =
        <sqlx::AnyConnection as sqlx::Connection>::connect(&format!("sqlite://{}", path.display()))
            .await
            .unwrap();
    // Reported on 15 January 2027.
    for (period, value) in [
        ("2025", 1.0),
        ("2025Q3", 2.0),
        ("2027", 3.0),
        ("上半年", 4.0),
    ] {
        sqlx::query::<sqlx::Any>(
            "INSERT INTO indicator_reports (indicator_id, value, period, evidence, reported_by, at) \
             VALUES ('fibre', $1, $2, 'x', '李四', 1800000000000000)",
        )
        .bind(value)
        .bind(period)
        .execute(&mut before)
        .await
        .unwrap();
    }
    sqlx::Connection::close(before).await.unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut read = records.read().await.unwrap();
    let page = PageRequest::default();
    let figures = indicators::list_reports(&mut read, Some("fibre"), &page)
        .await
        .unwrap();
    let days: Vec<(&str, &str)> = figures
        .items
        .iter()
        .map(|figure| (figure.period.as_str(), figure.as_of.as_str()))
        .collect();
    assert_eq!(
        days,
        [
            ("上半年", "2027-01-15"),
            ("2027", "2027-01-15"),
            ("2025Q3", "2025-09-30"),
            ("2025", "2025-12-31"),
        ]
    );
    for (filing, period) in [(1, "2025"), (2, "2025-Q3"), (3, "2027"), (4, "上半年")] {
        let kept = filings::get(&mut read, filing).await.unwrap().unwrap();
        assert_eq!(
            (kept.period.as_str(), kept.state.as_str()),
            (period, "approved")
        );
    }
    let linked: Vec<_> = figures
        .items
        .iter()
        .map(|figure| figure.filing_id)
        .collect();
    assert_eq!(linked, [Some(4), Some(3), Some(2), Some(1)]);
}
