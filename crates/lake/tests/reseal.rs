//! Values under an older key are sealed anew by upkeep, all else stays, and a death on the way loses nothing.

use crate::common::{START, ask, level, message, options, upkeep_all, value};
use lake::{Lake, Reseals, UnderKey, Upkeep, check, under_keys};
use model::Value;
use parking_lot::Mutex;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const ALL: &str = "SELECT * FROM observations ORDER BY journal_position, attribute";
const TEXTS: &str = "SELECT journal_position AS n, value_text AS t FROM observations \
    WHERE value_text IS NOT NULL ORDER BY journal_position, attribute";

/// `sealed:KEY:ENTITY ATTRIBUTE PLAIN`; of the key `lost` nothing opens.
#[derive(Debug)]
struct Sealing(Mutex<&'static str>);

fn key_of(text: &str) -> Option<&str> {
    Some(text.strip_prefix("sealed:")?.split_once(':')?.0)
}

impl Reseals for Sealing {
    fn prefix(&self) -> &str {
        "sealed:"
    }
    fn active(&self) -> String {
        (*self.0.lock()).to_owned()
    }
    fn has_older(&self) -> bool {
        *self.0.lock() != "one"
    }
    fn resealed(&self, entity_id: &str, attribute: &str, stored: &str) -> Option<String> {
        let (key, sealed) = stored.strip_prefix("sealed:")?.split_once(':')?;
        let beside = format!("{entity_id} {attribute} ");
        let plain = sealed.strip_prefix(&beside)?;
        let active = *self.0.lock();
        (key != active && key != "lost").then(|| format!("sealed:{active}:{beside}{plain}"))
    }
}

fn officer(n: u64, key: &str) -> model::Accepted {
    let at = START.plus_seconds(n as i64);
    let sealed = |name: &str| {
        Value::Text(format!(
            "sealed:{key}:urn:ngsi-ld:WaterObserved:station-{n} {name} plain {n}"
        ))
    };
    message(
        "WaterObserved",
        &format!("station-{n}"),
        at,
        vec![
            value("officer", sealed("officer"), at),
            value("phone", sealed("phone"), at),
            value("note", Value::Text(format!("zzz {n}")), at),
        ],
    )
}

fn keys(dir: &Path) -> BTreeMap<String, (u64, u64)> {
    let found = under_keys(dir, "sealed:", key_of).unwrap();
    let plain = |under: UnderKey| (under.files, under.values);
    found
        .into_iter()
        .map(|(key, under)| (key, plain(under)))
        .collect()
}

fn of(list: &[(&str, (u64, u64))]) -> BTreeMap<String, (u64, u64)> {
    list.iter()
        .map(|(key, under)| ((*key).to_owned(), *under))
        .collect()
}

#[tokio::test]
async fn values_are_sealed_anew_and_no_other_row_changes() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(keys(dir.path()), of(&[]), "there is no lake");
    let lake = Lake::open(dir.path(), options()).unwrap();
    let sealing = Arc::new(Sealing(Mutex::new("one")));
    lake.reseal_with(sealing.clone());
    for n in 0..20 {
        lake.apply(n, &officer(n, if n == 7 { "lost" } else { "one" }));
    }
    lake.seal().unwrap();
    // A file in which nobody is spoken of, and one on another day.
    for n in 20..60 {
        lake.apply(n, &level(n));
    }
    lake.seal().unwrap();
    lake.apply(90_000, &officer(90_000, "one"));
    lake.seal().unwrap();
    assert_eq!(keys(dir.path()), of(&[("one", (2, 40)), ("lost", (1, 2))]));
    assert_eq!(upkeep_all(&lake, START), [], "there is one key");
    let (all, texts) = (ask(&lake, ALL).await, ask(&lake, TEXTS).await);

    *sealing.0.lock() = "two";
    assert_eq!(upkeep_all(&lake, START), [Upkeep::Reseal, Upkeep::Reseal]);
    assert_eq!(keys(dir.path()), of(&[("two", (2, 40)), ("lost", (1, 2))]));
    let anew = texts.to_string().replace("sealed:one:", "sealed:two:");
    assert_eq!(ask(&lake, TEXTS).await.to_string(), anew);
    let anew = all.to_string().replace("sealed:one:", "sealed:two:");
    assert_eq!(
        ask(&lake, ALL).await.to_string(),
        anew,
        "every row and column"
    );
    assert_eq!(check(dir.path()), []);
    assert_eq!(
        upkeep_all(&lake, START),
        [],
        "what does not open is left, once"
    );

    // And again, with rows that come meanwhile.
    *sealing.0.lock() = "three";
    lake.apply(90_001, &officer(90_001, "two"));
    lake.seal().unwrap();
    let works = upkeep_all(&lake, START);
    assert!(works.contains(&Upkeep::Reseal), "{works:?}");
    assert_eq!(
        keys(dir.path()).keys().collect::<Vec<_>>(),
        ["lost", "three"]
    );
    assert_eq!(
        ask(&lake, "SELECT count(*) AS n FROM observations").await,
        json!([[22 * 3 + 40]])
    );
}

/// What a process that dies leaves: the folder as it is at that moment.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copied(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[tokio::test]
async fn a_death_between_two_files_loses_nothing_and_the_rest_is_done_later() {
    let dir = tempfile::tempdir().unwrap();
    let sealing = Arc::new(Sealing(Mutex::new("two")));
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.reseal_with(sealing.clone());
    for (n, at) in [(0, 0), (1, 90_000), (2, 180_000)] {
        lake.apply(n, &officer(at, "one"));
    }
    lake.seal().unwrap();
    let texts = ask(&lake, TEXTS).await.to_string();
    assert_eq!(lake.upkeep(START).unwrap().unwrap().work, Upkeep::Reseal);
    assert_eq!(keys(dir.path()), of(&[("one", (2, 4)), ("two", (1, 2))]));
    let dead = tempfile::tempdir().unwrap();
    copied(dir.path(), dead.path());
    // Half a file of work that did not end.
    std::fs::create_dir_all(dead.path().join("work")).unwrap();
    std::fs::write(dead.path().join("work/9.parquet"), b"PAR1").unwrap();
    let again = Lake::open(dead.path(), options()).unwrap();
    again.reseal_with(sealing);
    let plain = |texts: &str| texts.replace("sealed:one:", "").replace("sealed:two:", "");
    assert_eq!(plain(&ask(&again, TEXTS).await.to_string()), plain(&texts));
    assert_eq!(upkeep_all(&again, START), [Upkeep::Reseal, Upkeep::Reseal]);
    assert_eq!(keys(dead.path()), of(&[("two", (3, 6))]));
    assert_eq!(plain(&ask(&again, TEXTS).await.to_string()), plain(&texts));
    assert_eq!(check(dead.path()), []);
}
