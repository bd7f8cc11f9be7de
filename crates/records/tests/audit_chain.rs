//! The audit chain on a real store: whole under many writers and after an upgrade, and each way of breaking it is told
//! with the place.

use gm::SigningKey;
use model::Timestamp;
use records::audit_seals::{self, Seal};
use records::audit_verify::{BreakKind, Options, Report, verify};
use records::{Actor, Event, PageRequest, Records, audit, audit_chain};
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::path::Path;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

async fn open(dir: &Path) -> Records {
    Records::open(&dir.join("records.sqlite")).await.unwrap()
}

async fn write(records: &Records, n: i64) {
    let mut write = records.write().await.unwrap();
    let detail = json!({"rule_id": format!("rule-{n}")});
    let (actor, target) = (Actor::command_line(), format!("alert:{n}"));
    let at = T0.plus_seconds(n);
    audit::insert(
        &mut write,
        at,
        &actor,
        Event::AlertAcknowledge,
        &target,
        &detail,
    )
    .await
    .unwrap();
    write.commit().await.unwrap();
}

async fn seal(records: &Records, key: &SigningKey, at: i64) -> Option<Seal> {
    let mut write = records.write().await.unwrap();
    let made = audit_seals::seal(&mut write, key, T0.plus_seconds(at))
        .await
        .unwrap();
    write.commit().await.unwrap();
    made
}

async fn adopt(records: &Records, key: &SigningKey) {
    let mut write = records.write().await.unwrap();
    let system = Actor::system("audit");
    audit_seals::adopt(&mut write, &key.verifying_key(), &system, T0)
        .await
        .unwrap();
    write.commit().await.unwrap();
}

/// Past the platform, as somebody with the file would.
async fn tamper(records: &Records, sql: &str) {
    let mut write = records.write().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();
}

async fn proved(records: &Records, options: &Options) -> Report {
    verify(&mut records.read().await.unwrap(), options)
        .await
        .unwrap()
}

/// A city's chain: the key's row, nine more, a seal at 6, a seal at 10.
async fn city(dir: &Path) -> (Records, SigningKey) {
    let (records, key) = (open(dir).await, SigningKey::generate().unwrap());
    adopt(&records, &key).await;
    for n in 2..=6 {
        write(&records, n).await;
    }
    assert_eq!(seal(&records, &key, 100).await.unwrap().row_id, 6);
    for n in 7..=10 {
        write(&records, n).await;
    }
    assert_eq!(seal(&records, &key, 200).await.unwrap().number, 2);
    assert_eq!(seal(&records, &key, 300).await, None, "nothing new");
    (records, key)
}

/// What one deed in an own copy is told as: kind, first row, last row, seal.
async fn told(sql: &str) -> Vec<(BreakKind, i64, i64, Option<i64>)> {
    let dir = tempfile::tempdir().unwrap();
    let (records, _key) = city(dir.path()).await;
    tamper(&records, sql).await;
    let report = proved(&records, &Options::default()).await;
    assert_eq!(report.whole, report.breaks.is_empty());
    for found in &report.breaks {
        assert!(!found.what_zh.is_empty() && !found.what_en.is_empty());
    }
    let breaks = report.breaks.iter();
    breaks.map(|b| (b.kind, b.from, b.to, b.seal)).collect()
}

#[tokio::test]
async fn a_chain_is_whole_and_says_up_to_where_it_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let (records, key) = city(dir.path()).await;
    write(&records, 11).await;
    let report = proved(&records, &Options::default()).await;
    assert!(report.whole, "{report:?}");
    assert_eq!((report.rows, report.last, report.seals), (11, 11, 2));
    assert_eq!((report.sealed_to, report.sealed_by), (10, Some(2)));
    assert_eq!(report.sealed_at, Some(T0.plus_seconds(200)));
    assert_eq!(report.chained_later, 0);
    // Held against the key that was handed over, and against another.
    let given = |key: &SigningKey| Options {
        keys: vec![key.verifying_key()],
        ..Options::default()
    };
    assert!(proved(&records, &given(&key)).await.whole);
    let other = SigningKey::generate().unwrap();
    let report = proved(&records, &given(&other)).await;
    assert_eq!(report.breaks[0].kind, BreakKind::KeyMissing);
    assert_eq!(report.sealed_by, None);
}

#[tokio::test]
async fn each_deed_is_told_with_its_place() {
    use BreakKind::*;
    let one = |kind, from, to, seal| vec![(kind, from, to, seal)];
    assert_eq!(told("SELECT 1").await, []);
    for column in [
        "detail = '{}'",
        "actor = 'x'",
        "at = 5",
        "peer = '1'",
        "actor_id = 7",
    ] {
        let sql = format!("UPDATE audit SET {column} WHERE id = 5");
        assert_eq!(told(&sql).await, one(RowChanged, 5, 5, None), "{column}");
    }
    let found = told("UPDATE audit SET detail = '{}' WHERE id = 1").await;
    assert_eq!(found, one(RowChanged, 1, 1, None));
    let found = told("UPDATE audit SET detail = '{}' WHERE id IN (3, 8)").await;
    assert_eq!(found, [(RowChanged, 3, 3, None), (RowChanged, 8, 8, None)]);
    let found = told("UPDATE audit SET detail = '{}' WHERE id = 10").await;
    assert_eq!(found, one(RowChanged, 10, 10, None));
    let found = told("DELETE FROM audit WHERE id = 4").await;
    assert_eq!(found, one(RowRemoved, 4, 4, None));
    let found = told("DELETE FROM audit WHERE id IN (1, 2, 3)").await;
    assert_eq!(found, one(RowRemoved, 1, 3, None));
    // The gap closed by numbering the others anew.
    let found = told(
        "DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id > 4; UPDATE audit_head SET last = 9",
    )
    .await;
    assert_eq!(found, one(RowRemoved, 4, 4, None));
    // One put in between, the others moved up.
    let found = told(
        "UPDATE audit SET id = -id - 1 WHERE id > 4; UPDATE audit SET id = -id WHERE id < 0; \
         INSERT INTO audit SELECT 5, at, actor_kind, actor_id, actor, action, 'alert:99', detail, peer, hash FROM audit WHERE id = 4; \
         UPDATE audit_head SET last = 11",
    )
    .await;
    assert_eq!(found, one(RowInserted, 5, 5, None));
    let put_in = |id: i64| {
        format!(
            "INSERT INTO audit SELECT {id}, at, actor_kind, actor_id, actor, action, target, detail, peer, hash FROM audit WHERE id = 4"
        )
    };
    assert_eq!(told(&put_in(0)).await, one(RowInserted, 0, 0, None));
    let found = told(&put_in(11)).await;
    assert_eq!(
        found,
        [(RowChanged, 11, 11, None), (RowInserted, 11, 11, None)]
    );
    // The tail behind a seal, with the chain's end set back and without.
    let found = told("DELETE FROM audit WHERE id > 8").await;
    assert_eq!(found, one(TailCut, 9, 10, Some(2)));
    let found = told(
        "DELETE FROM audit WHERE id > 8; UPDATE audit_head SET last = 8, hash = (SELECT hash FROM audit WHERE id = 8)",
    )
    .await;
    assert_eq!(found, one(TailCut, 9, 10, Some(2)));
    let found = told("DELETE FROM audit_head").await;
    assert_eq!(found, one(HeadMissing, 10, 10, None));
    let found = told("DELETE FROM audit").await;
    assert_eq!(found, one(TailCut, 1, 10, Some(2)));
    // Seals and keys.
    let found = told("UPDATE audit_seals SET at = at + 1 WHERE number = 2").await;
    assert_eq!(found, one(SealForged, 7, 10, Some(2)));
    let found = told("UPDATE audit_seals SET signature = 'zz' WHERE number = 2").await;
    assert_eq!(found, one(SealForged, 7, 10, Some(2)));
    let found = told("DELETE FROM audit_seals WHERE number = 1").await;
    assert_eq!(found, one(SealRemoved, 1, 10, Some(2)));
    let found = told("DELETE FROM audit_keys").await;
    let missing = |from, to, seal| (KeyMissing, from, to, Some(seal));
    assert_eq!(found, [missing(1, 6, 1), missing(7, 10, 2)]);
}

/// Writes the chain anew from a row on, as somebody who knows how it is made would.
async fn write_anew(records: &Records, from: i64) {
    let mut read = records.read().await.unwrap();
    let rows = audit_chain::rows(&mut read, from - 2, 100).await.unwrap();
    drop(read);
    let mut hash = audit_chain::from_hex(&rows[0].hash).unwrap();
    let mut sql = String::new();
    for row in &rows[1..] {
        hash = row.hash_behind(&hash);
        let text: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        sql += &format!("UPDATE audit SET hash = '{text}' WHERE id = {}; ", row.id);
        sql += &format!("UPDATE audit_head SET hash = '{text}'; ");
    }
    tamper(records, &sql).await;
}

#[tokio::test]
async fn hashes_written_anew_do_not_help_before_a_seal_nor_before_a_noted_value() {
    let dir = tempfile::tempdir().unwrap();
    let (records, key) = city(dir.path()).await;
    for n in 11..=13 {
        write(&records, n).await;
    }
    let noted = proved(&records, &Options::default()).await;
    tamper(&records, "UPDATE audit SET actor = 'nobody' WHERE id = 8").await;
    write_anew(&records, 8).await;
    let report = proved(&records, &Options::default()).await;
    let found = &report.breaks[0];
    assert_eq!(report.breaks.len(), 1, "{report:?}");
    assert_eq!(
        (found.kind, found.from, found.to, found.seal),
        (BreakKind::RowsRewritten, 7, 10, Some(2))
    );
    assert_eq!((report.sealed_to, report.sealed_by), (6, Some(1)));
    // Behind the last seal nothing in the folder can tell; a value noted elsewhere does.
    let dir = tempfile::tempdir().unwrap();
    let (records, _) = (city(dir.path()).await.0, key);
    for n in 11..=13 {
        write(&records, n).await;
    }
    let before = proved(&records, &Options::default()).await;
    assert_eq!(before.last, noted.last);
    tamper(&records, "UPDATE audit SET actor = 'nobody' WHERE id = 12").await;
    write_anew(&records, 12).await;
    assert!(proved(&records, &Options::default()).await.whole);
    let options = Options {
        noted: vec![(13, audit_chain::from_hex(&before.hash).unwrap())],
        ..Options::default()
    };
    let report = proved(&records, &options).await;
    let found = &report.breaks[0];
    assert_eq!(
        (found.kind, found.from, found.to, found.seal),
        (BreakKind::RowsRewritten, 11, 13, None)
    );
    // Cut away with its seals, and the end set back.
    tamper(
        &records,
        "DELETE FROM audit WHERE id > 6; DELETE FROM audit_seals WHERE number > 1; \
         UPDATE audit_head SET last = 6, hash = (SELECT hash FROM audit WHERE id = 6)",
    )
    .await;
    assert!(proved(&records, &Options::default()).await.whole);
    let found = proved(&records, &options).await.breaks;
    assert_eq!(
        (found[0].kind, found[0].from, found[0].to),
        (BreakKind::TailCut, 7, 13)
    );
}

#[tokio::test]
async fn many_writers_of_several_processes_make_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [open(dir.path()).await, open(dir.path()).await];
    let mut tasks = Vec::new();
    for task in 0..8_i64 {
        let records = stores[usize::try_from(task % 2).unwrap()].clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..25 {
                write(&records, task * 100 + n).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let report = proved(&stores[0], &Options::default()).await;
    assert!(report.whole, "{report:?}");
    assert_eq!((report.rows, report.last), (200, 200));
}

#[tokio::test]
async fn what_is_taken_back_leaves_no_gap_and_nothing_is_written_outside_of_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let records = open(dir.path()).await;
    write(&records, 1).await;
    let mut given_up = records.write().await.unwrap();
    let (actor, detail) = (Actor::command_line(), json!({}));
    audit::insert(
        &mut given_up,
        T0,
        &actor,
        Event::SessionClose,
        "session",
        &detail,
    )
    .await
    .unwrap();
    drop(given_up);
    write(&records, 2).await;
    let report = proved(&records, &Options::default()).await;
    assert!(report.whole && report.last == 2, "{report:?}");
    let mut plain = records.read().await.unwrap();
    let refused = audit::insert(
        &mut plain,
        T0,
        &actor,
        Event::SessionClose,
        "session",
        &detail,
    );
    assert!(
        refused
            .await
            .unwrap_err()
            .to_string()
            .contains("transaction")
    );
    drop(plain);
    // Nor what is not in the catalogue.
    let mut write = records.write().await.unwrap();
    for act in [
        Event::CaseStep.into(),
        Event::UserCreate.step("x"),
        Event::CaseStep.step("a b"),
    ] {
        let refused = audit::insert(&mut write, T0, &actor, act, "case:1", &detail).await;
        assert!(refused.unwrap_err().to_string().contains("catalogue"));
    }
    let more = json!({"password": "p"});
    let refused = audit::insert(
        &mut write,
        T0,
        &actor,
        Event::SessionClose,
        "session",
        &more,
    );
    assert!(refused.await.unwrap_err().to_string().contains("password"));
}

#[tokio::test]
async fn an_older_folder_is_chained_when_it_is_opened_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v3.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    let report = proved(&records, &Options::default()).await;
    assert!(report.whole, "{report:?}");
    assert!(report.rows > 0 && report.chained_later == report.last);
    let key = SigningKey::generate().unwrap();
    adopt(&records, &key).await;
    let page = PageRequest::default();
    let newest = audit::list(&mut records.read().await.unwrap(), &page)
        .await
        .unwrap();
    assert_eq!(newest.items[0].action, "audit.key");
    assert_eq!(newest.items[0].detail["chained_later"], json!(report.last));
    // And from then on the old rows are under the chain like any others.
    seal(&records, &key, 1).await.unwrap();
    tamper(&records, "UPDATE audit SET actor = 'x' WHERE id = 1").await;
    let found = proved(&records, &Options::default()).await.breaks;
    assert_eq!((found[0].kind, found[0].from), (BreakKind::RowChanged, 1));
}

#[tokio::test]
async fn a_chain_of_a_newer_program_is_refused_and_one_without_end_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (records, _) = city(dir.path()).await;
    let insert = async |records: &Records| {
        let mut write = records.write().await.unwrap();
        let (actor, detail) = (Actor::command_line(), json!({}));
        let refused = audit::insert(
            &mut write,
            T0,
            &actor,
            Event::SessionClose,
            "session",
            &detail,
        )
        .await;
        refused.unwrap_err().problem().unwrap().code.clone()
    };
    tamper(&records, "UPDATE audit_head SET format = 2").await;
    let refused = verify(&mut records.read().await.unwrap(), &Options::default()).await;
    assert_eq!(refused.unwrap_err().problem().unwrap().code, "audit-newer");
    assert_eq!(insert(&records).await, "audit-newer");
    tamper(&records, "DELETE FROM audit_head").await;
    assert_eq!(insert(&records).await, "audit-head-missing");
}

#[tokio::test]
async fn a_new_key_takes_the_place_of_the_old_and_the_old_one_seals_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (records, old) = city(dir.path()).await;
    let new = SigningKey::generate().unwrap();
    adopt(&records, &new).await;
    let mut write = records.write().await.unwrap();
    let refused = audit_seals::seal(&mut write, &old, T0).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, "audit-key-other");
    let system = Actor::system("audit");
    let back = audit_seals::adopt(&mut write, &old.verifying_key(), &system, T0).await;
    assert_eq!(back.unwrap_err().problem().unwrap().code, "audit-key-old");
    drop(write);
    assert_eq!(seal(&records, &new, 400).await.unwrap().number, 3);
    let report = proved(&records, &Options::default()).await;
    assert!(report.whole && report.keys.len() == 2, "{report:?}");
}

#[tokio::test]
async fn the_trail_is_searched_by_each_of_its_parts() {
    let dir = tempfile::tempdir().unwrap();
    let (records, _) = city(dir.path()).await;
    let mut read = records.read().await.unwrap();
    let mut count = async |wanted: audit::Search| {
        let page = PageRequest::default();
        audit::search(&mut read, &wanted, &page)
            .await
            .unwrap()
            .items
            .len()
    };
    let none = audit::Search::default;
    assert_eq!(count(none()).await, 10);
    let some = |text: &str| Some(text.to_owned());
    let from = Some(T0.plus_seconds(4));
    let to = Some(T0.plus_seconds(8));
    assert_eq!(count(audit::Search { from, to, ..none() }).await, 4);
    for (actor, found) in [("CLI", 9), ("audit", 1), ("%", 0), ("_", 0)] {
        let actor = some(actor);
        assert_eq!(count(audit::Search { actor, ..none() }).await, found);
    }
    for (action, found) in [("audit.key", 1), ("alert.*", 9), ("alert", 0), ("*", 10)] {
        let action = some(action);
        assert_eq!(count(audit::Search { action, ..none() }).await, found);
    }
    let target = some("alert:1");
    assert_eq!(count(audit::Search { target, ..none() }).await, 1);
    let text = some("Rule-7");
    assert_eq!(count(audit::Search { text, ..none() }).await, 1);
}
