//! The catalogue of acts: no word twice, and a detail is as the catalogue says.

use super::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn catalogue_has_each_word_once_with_titles_in_both_languages() {
    let words: BTreeSet<&str> = Event::ALL.iter().map(|e| e.entry().action).collect();
    assert_eq!(words.len(), Event::ALL.len());
    for entry in Event::ALL.iter().map(|e| e.entry()) {
        assert!(!entry.title_en.is_empty() && entry.title_en.is_ascii());
        assert!(
            entry.title_zh.chars().any(|c| c > '\u{2e80}'),
            "{}",
            entry.action
        );
        let names: BTreeSet<&str> = entry.fields.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), entry.fields.len(), "{}", entry.action);
        let secret = ["password", "secret", "token", "hash"];
        assert!(
            secret.iter().all(|s| !names.contains(s)),
            "{}",
            entry.action
        );
    }
}

#[test]
fn catalogue_is_what_the_page_of_the_documents_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit-events.md");
    let text = as_markdown();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|found| found == text),
        "docs/audit-events.md is stale: UPDATE_EXPECT=1 cargo nextest run -p records catalogue"
    );
}

#[test]
fn words_lead_back_and_what_is_none_is_refused() {
    assert_eq!(find("case.open").unwrap().title_en, "Case opened");
    assert_eq!(find("case.dispatch").unwrap().action, "case.*");
    assert_eq!(find("dreams.read"), None);
    assert_eq!(Act::from(Event::UserCreate).word().unwrap(), "user.create");
    assert_eq!(
        Event::CaseStep.step("dispatch").word().unwrap(),
        "case.dispatch"
    );
    for (event, step) in [
        (Event::CaseStep, ""),
        (Event::CaseStep, "Drop table"),
        (Event::UserCreate, "more"),
    ] {
        assert_eq!(event.step(step).word(), None, "{event:?} {step}");
    }
    assert_eq!(Act::from(Event::CaseStep).word(), None);
}

#[test]
fn a_detail_has_the_fields_of_the_catalogue_and_no_others() {
    let act = Act::from(Event::AlertAcknowledge);
    assert_eq!(act.misfit(&json!({"rule_id": "r"})), None);
    assert!(act.misfit(&json!({})).unwrap().contains("rule_id"));
    let more = act.misfit(&json!({"rule_id": "r", "password": "p"}));
    assert!(more.unwrap().contains("password"));
    assert!(act.misfit(&json!([])).is_some());
    assert_eq!(
        Act::from(Event::TableRemove).misfit(&json!({"entry": "damaged"})),
        None
    );
}
