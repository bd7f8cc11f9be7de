//! What a reload may change while a city runs, and what it refuses.

use pack::reload::changes;
use pack::{Packs, embedded};

fn packs() -> Packs {
    Packs::load_all(embedded(), None).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The same with something changed in the water pack.
fn with(change: impl FnOnce(&mut pack::Pack)) -> Packs {
    let mut all = packs().packs;
    change(
        all.iter_mut()
            .find(|p| p.manifest.name == "pack-water")
            .unwrap(),
    );
    Packs::merge(all).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn the_same_packs_change_nothing() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let from_folder = Packs::load_all(embedded(), Some(&folder)).unwrap();
    assert!(changes(&packs(), &from_folder).unwrap().is_empty());
}

#[test]
fn rules_views_runbooks_and_words_change_at_once() {
    let new = with(|pack| {
        let warning = pack
            .rules
            .iter_mut()
            .find(|r| r.id == "water-stage-warning")
            .unwrap();
        warning.version += 1;
        warning.for_seconds = 30;
        pack.rules.retain(|rule| rule.id != "water-station-silent");
        pack.views[0].order += 1;
        pack.strings_en.values_mut().next().unwrap().push('!');
        pack.runbooks.values_mut().next().unwrap().zh.push('!');
    });
    let found = changes(&packs(), &new).unwrap();
    assert_eq!(found.added, Vec::<String>::new());
    assert_eq!(found.removed, ["rule water-station-silent"]);
    let kinds: Vec<&str> = found
        .changed
        .iter()
        .map(|name| name.split(' ').next().unwrap())
        .collect();
    assert_eq!(kinds, ["rule", "view", "runbook", "word"], "{found:?}");
    assert!(
        found
            .changed
            .contains(&"rule water-stage-warning".to_owned())
    );
}

#[test]
fn a_rule_that_says_something_else_counts_its_version_up() {
    let new = with(|pack| pack.rules[0].for_seconds += 1);
    let problems = changes(&packs(), &new).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, "rule-version");
    assert!(
        problems[0].place.contains("pack-water/rules/"),
        "{problems:?}"
    );
}

#[test]
fn what_stores_and_doors_were_opened_with_needs_a_restart() {
    type Change = fn(&mut pack::Pack);
    let cases: [(&str, Change); 4] = [
        ("entities", |pack| {
            pack.kinds[0].attributes.get_mut("flow").unwrap().max = Some(1.0);
        }),
        ("workflows", |pack| pack.workflows[0].title_en.push('!')),
        ("mappings", |pack| {
            pack.mappings.pop();
        }),
        ("policies", |pack| {
            pack.policies
                .push(("new".into(), "forbid (principal, action, resource);".into()));
        }),
    ];
    for (folder, change) in cases {
        let problems = changes(&packs(), &with(change)).unwrap_err();
        assert_eq!(problems.len(), 1, "{folder}: {problems:?}");
        assert_eq!(problems[0].code, "pack-needs-restart");
        assert_eq!(problems[0].place, format!("pack-water/{folder}"));
    }
}
