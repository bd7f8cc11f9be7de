//! The records on a real SQLite file: opening, transactions, projections, paging, several processes' worth
//! of pools, and the plain tables for SQL.

use model::{Problem, Timestamp};
use records::alerts::{self, Alert, AlertFilter};
use records::dead_letters::{self, DeadLetter};
use records::devices::{self, Device, DeviceChange, DeviceFilter};
use records::indicators::{self, IndicatorValue, NewReport};
use records::{
    Actor, Event, Failure, PageRequest, Records, Secret, audit, cases, corrections, tables,
};
use serde_json::{Value, json};
use std::path::Path;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

async fn open(dir: &Path) -> Records {
    Records::open(&dir.join("records.sqlite")).await.unwrap()
}

fn alert(entity: &str, position: i64) -> Alert {
    Alert {
        id: 0,
        rule_id: "river-over-warning".to_owned(),
        rule_version: 1,
        entity_id: entity.to_owned(),
        entity_type: "WaterObserved".to_owned(),
        entity_name: None,
        attribute: "waterLevel".to_owned(),
        value: Some(29.0),
        unit: Some("MTR".to_owned()),
        threshold: Some(28.3),
        severity: "major".to_owned(),
        title_zh: "水位超警".to_owned(),
        title_en: "River over warning".to_owned(),
        lon: Some(113.16),
        lat: None,
        observed_at: T0,
        raised_at: T0.plus_seconds(1),
        raised_position: position,
        cleared_at: None,
        cleared_position: None,
        acknowledged_at: None,
        acknowledged_by: None,
        case_id: None,
        decided: serde_json::json!([]),
    }
}

fn device(n: usize) -> Device {
    Device {
        id: format!("urn:x:{n:04}"),
        client_id: format!("c{n:04}"),
        r#type: "Streetlight".to_owned(),
        name: n.is_multiple_of(2).then(|| format!("Lamp_{n}%")),
        username: format!("c{n:04}"),
        secret_salt: Secret::new("the-salt".to_owned()),
        secret_hash: Secret::new("the-hash".to_owned()),
        secret_sealed: Secret::new("the-sealed-key".to_owned()),
        secret_set_at: None,
        secret_used_at: None,
        created_at: T0,
        created_by: "cli".to_owned(),
        online: false,
        connected_at: None,
        last_seen_at: None,
        messages: 0,
        rejected: 0,
    }
}

fn letter(position: u64) -> DeadLetter {
    DeadLetter {
        position,
        door: "mqtt".to_owned(),
        device_id: position.is_multiple_of(2).then(|| "urn:x:0001".to_owned()),
        address: "devices/c0001/up".to_owned(),
        received_at: T0,
        size_bytes: 17,
        preview: "{\"waterLevel\":".to_owned(),
        problem: Problem::new("json", "ends early", "line 1", "send the whole document"),
    }
}

#[tokio::test]
async fn the_file_is_opened_again_with_everything_in_it_and_checks_clean() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    let made = alerts::insert(&mut write, &alert("urn:x:1", 5))
        .await
        .unwrap()
        .unwrap();
    write.commit().await.unwrap();
    records.close().await;

    let again = open(dir.path()).await;
    let read = alerts::get(&mut again.read().await.unwrap(), made.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read, made);
    assert_eq!(read.lat, None);
    assert_eq!(read.value, Some(29.0));
    assert_eq!(again.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_path_with_spaces_and_chinese_is_that_path() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("天门 city?#%41");
    std::fs::create_dir(&folder).unwrap();
    open(&folder).await.close().await;
    assert!(folder.join("records.sqlite").exists());
}

#[tokio::test]
async fn the_store_is_durable_and_checks_references() {
    use sqlx::Row;
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    for (pragma, expected) in [
        ("PRAGMA synchronous", "2"),
        ("PRAGMA foreign_keys", "1"),
        ("PRAGMA busy_timeout", "10000"),
    ] {
        let row = sqlx::query::<sqlx::Any>(pragma)
            .fetch_one(&mut *records.read().await.unwrap())
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>(0).to_string(), expected, "{pragma}");
    }
    let mode = sqlx::query::<sqlx::Any>("PRAGMA journal_mode")
        .fetch_one(&mut *records.read().await.unwrap())
        .await
        .unwrap();
    assert_eq!(mode.get::<String, _>(0), "wal");
}

#[tokio::test]
async fn a_dropped_write_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    alerts::insert(&mut write, &alert("urn:x:1", 5))
        .await
        .unwrap();
    drop(write);
    let all = alerts::active(&mut records.read().await.unwrap(), 10)
        .await
        .unwrap();
    assert_eq!(all, []);
    // And the next writer is not held up.
    records.write().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn an_alert_is_one_however_often_it_is_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    assert!(
        alerts::insert(&mut write, &alert("urn:x:1", 5))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        alerts::insert(&mut write, &alert("urn:x:1", 5))
            .await
            .unwrap()
            .is_none()
    );
    // Still active: a rule that lost its memory does not raise a second one.
    assert!(
        alerts::insert(&mut write, &alert("urn:x:1", 9))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        alerts::insert(&mut write, &alert("urn:x:2", 5))
            .await
            .unwrap()
            .is_some()
    );

    let rule = "river-over-warning";
    let cleared = alerts::clear(&mut write, rule, "urn:x:1", 12, T0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (cleared.cleared_at, cleared.cleared_position),
        (Some(T0), Some(12))
    );
    assert!(
        alerts::clear(&mut write, rule, "urn:x:1", 12, T0)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        alerts::insert(&mut write, &alert("urn:x:1", 5))
            .await
            .unwrap()
            .is_none(),
        "replay"
    );
    assert!(
        alerts::insert(&mut write, &alert("urn:x:1", 20))
            .await
            .unwrap()
            .is_some()
    );
    // A replayed clear does not end the alert that was raised after it.
    assert!(
        alerts::clear(&mut write, rule, "urn:x:1", 12, T0)
            .await
            .unwrap()
            .is_none()
    );
    write.commit().await.unwrap();

    let mut read = records.read().await.unwrap();
    let count = async |read: &mut records::Connection, filter: AlertFilter| {
        alerts::list(read, &filter, &PageRequest::default())
            .await
            .unwrap()
            .items
            .len()
    };
    let active = |active| AlertFilter {
        active,
        ..AlertFilter::default()
    };
    assert_eq!(count(&mut read, active(None)).await, 3);
    assert_eq!(count(&mut read, active(Some(true))).await, 2);
    assert_eq!(count(&mut read, active(Some(false))).await, 1);
    let of = |entity: &str, severity: &str| AlertFilter {
        entity_id: Some(entity.to_owned()),
        severity: Some(severity.to_owned()),
        ..AlertFilter::default()
    };
    assert_eq!(count(&mut read, of("urn:x:1", "major")).await, 2);
    assert_eq!(count(&mut read, of("urn:x:1", "minor")).await, 0);
}

#[tokio::test]
async fn a_projection_keeps_rows_and_position_together() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    assert_eq!(records.projection_position("letters").await.unwrap(), 0);

    let mut step = records.project("letters").await.unwrap();
    dead_letters::insert(&mut step, &letter(3)).await.unwrap();
    step.commit(4).await.unwrap();

    // A step that fails halfway leaves neither its rows nor its position.
    let mut step = records.project("letters").await.unwrap();
    assert_eq!(step.position(), 4);
    dead_letters::insert(&mut step, &letter(6)).await.unwrap();
    drop(step);
    let mut read = records.read().await.unwrap();
    assert_eq!(dead_letters::get(&mut read, 6).await.unwrap(), None);
    assert_eq!(
        dead_letters::get(&mut read, u64::MAX).await.unwrap(),
        None,
        "a number that no column holds"
    );
    assert_eq!(
        dead_letters::get(&mut read, 3).await.unwrap(),
        Some(letter(3))
    );
    drop(read);
    assert_eq!(records.projection_position("letters").await.unwrap(), 4);

    // Replaying a stretch adds nothing; going back is refused.
    let mut step = records.project("letters").await.unwrap();
    assert!(!dead_letters::insert(&mut step, &letter(3)).await.unwrap());
    let failure = step.commit(2).await.unwrap_err();
    assert!(matches!(failure, Failure::Conflict(ref p) if p.code == "projection-behind"));
    assert_eq!(records.projection_position("letters").await.unwrap(), 4);
    assert_eq!(records.projection_position("other").await.unwrap(), 0);
}

#[tokio::test]
async fn pages_neither_repeat_nor_lose_rows_while_rows_are_added() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    for position in 0..7 {
        dead_letters::insert(&mut write, &letter(position))
            .await
            .unwrap();
    }
    write.commit().await.unwrap();
    let mut page = PageRequest {
        after: None,
        limit: Some(3),
    };
    let mut seen = Vec::new();
    loop {
        let mut write = records.write().await.unwrap();
        let next_position = 100 + seen.len() as u64;
        dead_letters::insert(&mut write, &letter(next_position))
            .await
            .unwrap();
        write.commit().await.unwrap();
        let mut read = records.read().await.unwrap();
        let got = dead_letters::list(&mut read, None, &page).await.unwrap();
        seen.extend(got.items.iter().map(|d| d.position));
        match got.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [100, 6, 5, 4, 3, 2, 1, 0]);

    let mut read = records.read().await.unwrap();
    let of_device = dead_letters::list(&mut read, Some("urn:x:0001"), &PageRequest::default())
        .await
        .unwrap();
    assert!(of_device.items.iter().all(|d| d.position.is_multiple_of(2)));
    assert_eq!(of_device.next, None);
    let bad = PageRequest {
        after: Some("7; DROP TABLE".to_owned()),
        limit: None,
    };
    let failure = dead_letters::list(&mut read, None, &bad).await.unwrap_err();
    assert_eq!(failure.problem().unwrap().code, "cursor");
}

#[tokio::test]
async fn devices_are_found_filtered_counted_and_unique() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    for n in 0..5 {
        devices::insert(&mut write, &device(n))
            .await
            .unwrap()
            .unwrap();
    }
    assert!(
        devices::insert(&mut write, &device(3))
            .await
            .unwrap()
            .is_none()
    );
    let change = DeviceChange {
        client_id: "c0002".to_owned(),
        messages_added: 10,
        rejected_added: 1,
        last_seen_at: Some(T0),
        online: Some(true),
        connected_at: Some(T0),
    };
    let gone = DeviceChange {
        client_id: "gone".to_owned(),
        ..change.clone()
    };
    devices::apply_changes(&mut write, &[change.clone(), gone])
        .await
        .unwrap();
    let quiet = DeviceChange {
        client_id: "c0002".to_owned(),
        messages_added: 5,
        ..DeviceChange::default()
    };
    devices::apply_changes(&mut write, &[quiet]).await.unwrap();
    write.commit().await.unwrap();

    let mut read = records.read().await.unwrap();
    let two = devices::by_client_id(&mut read, "c0002")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((two.messages, two.rejected, two.online), (15, 1, true));
    assert_eq!((two.last_seen_at, two.connected_at), (Some(T0), Some(T0)));
    assert_eq!(devices::counts(&mut read).await.unwrap(), (5, 1));

    let mut names = async |online, q: Option<&str>| {
        let filter = DeviceFilter {
            online,
            r#type: None,
            q: q.map(str::to_owned),
        };
        let page = devices::list(&mut read, &filter, &PageRequest::default())
            .await
            .unwrap();
        page.items
            .into_iter()
            .map(|d| d.client_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Some(true), None).await, ["c0002"]);
    assert_eq!(names(Some(false), None).await.len(), 4);
    assert_eq!(names(None, Some("LAMP_4%")).await, ["c0004"]);
    assert_eq!(
        names(None, Some("%")).await.len(),
        3,
        "a wildcard is a letter here"
    );
    assert_eq!(names(None, Some("urn:x:0003")).await, ["c0003"]);
    assert!(names(None, Some("nothing")).await.is_empty());
    drop(read);
    let mut write = records.write().await.unwrap();
    assert_eq!(devices::all_offline(&mut write).await.unwrap(), 1);
}

#[tokio::test]
async fn two_pools_write_at_once_and_both_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (open(dir.path()).await, open(dir.path()).await);
    let add = |records: Records, from: usize| async move {
        for n in from..from + 25 {
            let mut write = records.write().await.unwrap();
            devices::insert(&mut write, &device(n))
                .await
                .unwrap()
                .unwrap();
            write.commit().await.unwrap();
        }
    };
    let (one, two) = (
        tokio::spawn(add(a.clone(), 0)),
        tokio::spawn(add(b.clone(), 100)),
    );
    one.await.unwrap();
    two.await.unwrap();
    let count = devices::counts(&mut a.read().await.unwrap()).await.unwrap();
    assert_eq!(count, (50, 0));
    assert_eq!(
        devices::counts(&mut b.read().await.unwrap()).await.unwrap(),
        count
    );
}

#[tokio::test]
async fn many_open_a_new_file_at_once_and_one_makes_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let opened: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Records::open(&path).await })
        })
        .collect();
    for task in opened {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_newer_shape_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    sqlx::query::<sqlx::Any>("INSERT INTO schema_version (version) VALUES (9999)")
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();
    records.close().await;
    let failure = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap_err();
    assert!(
        matches!(failure, Failure::Invalid(ref p) if p.code == "records-newer"),
        "{failure}"
    );
}

#[tokio::test]
async fn indicators_keep_the_newest_and_the_whole_history() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    for (n, value) in [(0, Some(1.0)), (60, None), (120, Some(3.5))] {
        let row = IndicatorValue {
            indicator_id: "pue".to_owned(),
            at: T0.plus_seconds(n),
            value,
        };
        indicators::put_value(&mut write, &row).await.unwrap();
    }
    let again = IndicatorValue {
        indicator_id: "pue".to_owned(),
        at: T0.plus_seconds(120),
        value: Some(4.0),
    };
    indicators::put_value(&mut write, &again).await.unwrap();
    let mut new = NewReport {
        indicator_id: "fibre".to_owned(),
        value: 0.8,
        period: "2024".to_owned(),
        evidence: "天经信〔2024〕7号".to_owned(),
        note: None,
        as_of: "2024-12-31".to_owned(),
        filing_id: None,
    };
    indicators::insert_report(&mut write, &new, &Actor::command_line(), T0)
        .await
        .unwrap();
    new.value = 0.9;
    let second = indicators::insert_report(&mut write, &new, &Actor::command_line(), T0)
        .await
        .unwrap();
    // An older period that is reported later does not become the newest figure.
    new.period = "2023".to_owned();
    new.as_of = "2023-12-31".to_owned();
    indicators::insert_report(&mut write, &new, &Actor::command_line(), T0)
        .await
        .unwrap();
    write.commit().await.unwrap();

    let mut read = records.read().await.unwrap();
    let before = indicators::value_before(&mut read, "pue", T0.plus_seconds(120)).await;
    assert_eq!(before.unwrap().unwrap().at, T0.plus_seconds(60));
    let first = indicators::value_before(&mut read, "pue", T0).await;
    assert_eq!(first.unwrap(), None);
    assert_eq!(indicators::latest_values(&mut read).await.unwrap(), [again]);
    let last_two = indicators::values(&mut read, "pue", T0, 2).await.unwrap();
    assert_eq!(
        last_two.iter().map(|v| v.value).collect::<Vec<_>>(),
        [None, Some(4.0)]
    );
    assert_eq!(
        indicators::latest_reports(&mut read).await.unwrap(),
        [second]
    );
    let all = indicators::list_reports(&mut read, Some("fibre"), &PageRequest::default())
        .await
        .unwrap();
    assert_eq!(all.items.len(), 3);
    assert_eq!(all.items[0].reported_by, "cli");
}

#[tokio::test]
async fn tables_for_sql_have_their_columns_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    for n in 0..3 {
        devices::insert(&mut write, &device(n)).await.unwrap();
    }
    dead_letters::insert(&mut write, &letter(7)).await.unwrap();
    alerts::insert(&mut write, &alert("urn:x:1", 5))
        .await
        .unwrap();
    let detail = json!({"id": "urn:x:0", "type": "T"});
    audit::insert(
        &mut write,
        T0,
        &Actor::command_line(),
        Event::DeviceAdd,
        "device:c0",
        &detail,
    )
    .await
    .unwrap();
    write.commit().await.unwrap();

    for table in tables::TABLES {
        let (columns, rows) = tables::table_rows(&records, table.name, 2).await.unwrap();
        assert_eq!(columns.len(), table.columns.len());
        assert!(
            rows.len() <= 2 && rows.iter().all(|r| r.len() == columns.len()),
            "{}",
            table.name
        );
        for column in &columns {
            assert!(
                !["hash", "salt", "secret", "password", "token"]
                    .iter()
                    .any(|s| column.contains(s))
            );
        }
        let text = serde_json::to_string(&rows).unwrap();
        assert!(!text.contains("the-hash") && !text.contains("the-salt"));
    }
    let (columns, rows) = tables::table_rows(&records, "devices", 2).await.unwrap();
    let online = columns.iter().position(|c| *c == "online").unwrap();
    let created = columns.iter().position(|c| *c == "created_at").unwrap();
    assert_eq!(rows[0][1], json!("c0001"), "the newest two, in order");
    assert_eq!(rows[0][online], Value::Bool(false));
    assert_eq!(rows[0][created], json!("2027-01-15T08:00:00Z"));
    let failure = tables::table_rows(&records, "users", 1).await.unwrap_err();
    assert_eq!(failure.problem().unwrap().code, "unknown-table");
}

#[test]
fn a_secret_shows_in_no_json_and_no_log_line() {
    let device = device(1);
    let shown = format!("{device:?} {}", serde_json::to_string(&device).unwrap());
    assert!(
        !shown.contains("the-hash") && !shown.contains("the-salt"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_correction_is_there_once_with_its_act() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let corrected = model::Corrected {
        entity_id: model::EntityId::new("urn:x:1").unwrap(),
        entity_type: model::TypeName::new("T").unwrap(),
        attribute: model::AttributeName::new("a").unwrap(),
        observed_at: T0,
        supersedes: 3,
        old_value: model::Value::Number(812.0),
        old_unit: Some("MTR".into()),
        old_quality: model::Quality::OutOfRange,
        value: None,
        unit: None,
        reason: "the gauge was dry".into(),
        by: model::Corrector {
            kind: "user".into(),
            id: "4".into(),
            name: "王敏".into(),
            peer: "10.0.0.1".into(),
        },
        received_at: T0.plus_seconds(60),
        raw: b"{}".to_vec(),
    };
    for is_new in [true, false] {
        let mut step = records.project("records").await.unwrap();
        let added = corrections::insert(&mut step, 9, &corrected).await.unwrap();
        assert_eq!(added, is_new);
        step.commit(10).await.unwrap();
    }
    let mut read = records.read().await.unwrap();
    let page = PageRequest::default();
    let found = corrections::list(&mut read, None, &page).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!((found.items[0].position, found.items[0].supersedes), (9, 3));
    let acts = audit::list(&mut read, &page).await.unwrap().items;
    assert_eq!(acts.len(), 1);
    assert_eq!(
        (
            acts[0].action.as_str(),
            acts[0].actor.as_str(),
            acts[0].actor_id
        ),
        ("observation.correct", "王敏", Some(4))
    );
    assert_eq!(acts[0].detail["reason"], "the gauge was dry");
    let (columns, rows) = tables::table_rows(&records, "corrections", 10)
        .await
        .unwrap();
    assert_eq!((columns[1], rows[0][1].clone()), ("position", json!(9)));
}

#[tokio::test]
async fn values_of_corrections_are_stored_anew_and_counted_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let corrected = |old: &str, new: Option<&str>| model::Corrected {
        entity_id: model::EntityId::new("urn:x:1").unwrap(),
        entity_type: model::TypeName::new("T").unwrap(),
        attribute: model::AttributeName::new("a").unwrap(),
        observed_at: T0,
        supersedes: 3,
        old_value: model::Value::Text(old.into()),
        old_unit: None,
        old_quality: model::Quality::Good,
        value: new.map(|new| model::Value::Text(new.into())),
        unit: None,
        reason: "sealed:one: in a text of somebody's own".into(),
        by: model::Corrector {
            kind: "user".into(),
            id: "4".into(),
            name: "王敏".into(),
            peer: "10.0.0.1".into(),
        },
        received_at: T0,
        raw: b"{}".to_vec(),
    };
    let mut write = records.write().await.unwrap();
    let many = (0..600).map(|n| (format!("sealed:one:{n}"), Some("plain")));
    let few = [
        ("plain".to_owned(), None),
        ("sealed:two:x".to_owned(), Some("sealed:one:y")),
    ];
    for (n, (old, new)) in many.chain(few).enumerate() {
        let corrected = corrected(&old, new);
        corrections::insert(&mut write, n as u64, &corrected)
            .await
            .unwrap();
    }
    write.commit().await.unwrap();
    let keys_of = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let key = text.split(':').nth(1).map(str::to_owned);
        key.into_iter().collect()
    };
    let count = async |records: &Records| {
        let mut read = records.read().await.unwrap();
        corrections::values_by_key(&mut read, "sealed:", keys_of)
            .await
            .unwrap()
    };
    let of = |list: &[(&str, u64)]| list.iter().map(|(k, n)| ((*k).to_owned(), *n)).collect();
    assert_eq!(count(&records).await, of(&[("one", 601), ("two", 1)]));
    let rewrite = |entity: &str, attribute: &str, text: &str| {
        assert_eq!((entity, attribute), ("urn:x:1", "a"));
        let rest = text.strip_prefix("sealed:one:")?;
        Some(format!("sealed:\"two\":{rest}").replace('"', ""))
    };
    let mut write = records.write().await.unwrap();
    let done = corrections::rewrite_values(&mut write, "sealed:", rewrite).await;
    assert_eq!(done.unwrap(), 601);
    write.commit().await.unwrap();
    assert_eq!(count(&records).await, of(&[("two", 602)]));
    let mut read = records.read().await.unwrap();
    let page = PageRequest::default();
    let newest = corrections::list(&mut read, None, &page)
        .await
        .unwrap()
        .items;
    let values = |n: usize| (newest[n].old_value.clone(), newest[n].new_value.clone());
    assert_eq!(
        values(0),
        (json!("sealed:two:x"), Some(json!("sealed:two:y")))
    );
    assert_eq!(values(1), (json!("plain"), None));
    assert_eq!(values(2), (json!("sealed:two:599"), Some(json!("plain"))));
}

#[tokio::test]
async fn alerts_of_a_stretch_are_those_that_were_active_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    // Raised at second 1 each; a is over at second 10, b is not.
    for (n, entity) in ["urn:x:a", "urn:x:b"].into_iter().enumerate() {
        let position = 5 + i64::try_from(n).unwrap();
        alerts::insert(&mut write, &alert(entity, position))
            .await
            .unwrap();
    }
    let over = T0.plus_seconds(10);
    alerts::clear(&mut write, "river-over-warning", "urn:x:a", 9, over)
        .await
        .unwrap();
    write.commit().await.unwrap();
    for (from, until, most, expected) in [
        (0, 1, 9, &[][..]),
        (0, 2, 9, &["urn:x:a", "urn:x:b"][..]),
        (10, 20, 9, &["urn:x:a", "urn:x:b"][..]),
        (11, 20, 9, &["urn:x:b"][..]),
        // The newest, where there are too many.
        (0, 20, 1, &["urn:x:b"][..]),
    ] {
        let mut read = records.read().await.unwrap();
        let (begin, end) = (T0.plus_seconds(from), T0.plus_seconds(until));
        let found = alerts::between(&mut read, begin, end, most).await.unwrap();
        let ids: Vec<_> = found.iter().map(|a| a.entity_id.as_str()).collect();
        assert_eq!(ids, expected, "{from}..{until}");
    }
}

#[tokio::test]
async fn open_cases_are_counted_by_state_department_and_rule() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    let mut write = records.write().await.unwrap();
    let raised = alerts::insert(&mut write, &alert("urn:x:a", 5))
        .await
        .unwrap()
        .unwrap();
    let case = |n: u32, alert_id: Option<i64>, due: i64, closed: bool| cases::Case {
        id: 0,
        number: format!("TM-{n}"),
        title: "t".to_owned(),
        description: String::new(),
        workflow: "standard".to_owned(),
        workflow_version: 0,
        state: "filed".to_owned(),
        severity: "minor".to_owned(),
        alert_id,
        entity_id: None,
        lon: None,
        lat: None,
        organisation_id: None,
        assignee_id: None,
        created_at: T0,
        created_by: "w".to_owned(),
        created_by_id: None,
        updated_at: T0,
        due_at: Some(T0.plus_seconds(due)),
        closed_at: closed.then_some(T0),
        version: 1,
        category: None,
        town: None,
        grid: None,
        source: "staff".to_owned(),
        reporter: None,
        reporters: 1,
        parent_id: None,
        duplicate_of: None,
        case_due_at: None,
        extension_minutes: None,
        extensions: 0,
        supervised_until: None,
        suspended_at: None,
        suspended_until: None,
        escalation: 0,
        escalates_at: None,
        reopened: 0,
    };
    for new in [
        case(1, Some(raised.id), 10, false),
        case(2, None, 10, false),
        case(3, None, 20, false),
        case(4, None, 10, true),
    ] {
        cases::insert(&mut write, &new).await.unwrap();
    }
    write.commit().await.unwrap();
    let mut read = records.read().await.unwrap();
    let counted = cases::count_open(&mut read, T0.plus_seconds(15))
        .await
        .unwrap();
    let mut told: Vec<_> = counted
        .iter()
        .map(|c| (c.rule_id.as_deref(), c.state.as_str(), c.count, c.overdue))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (None, "filed", 2, 1),
            (Some("river-over-warning"), "filed", 1, 1)
        ]
    );
    let rules = cases::rules_of_open(&mut read, 10).await.unwrap();
    assert_eq!((rules.len(), rules[0].case_id), (1, 1));
}
