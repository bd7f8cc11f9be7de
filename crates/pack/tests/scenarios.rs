//! The scenarios of the repository's packs hold, a new pack's too, and one that says otherwise than what happens fails where
//! it does.

use pack::scenario::{self, Outcome};
use pack::{Folder, Limits, Pack, Packs, embedded, scaffold};

fn packs() -> Vec<Pack> {
    let all = Packs::load_all(embedded(), None).unwrap_or_else(|problems| panic!("{problems:#?}"));
    all.packs
}

fn water(text: &str) -> Vec<Outcome> {
    let mut pack = packs()
        .into_iter()
        .find(|pack| pack.manifest.name == "pack-water")
        .unwrap();
    pack.scenarios.truncate(1);
    text.clone_into(&mut pack.scenarios[0].text);
    scenario::run(&pack).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn every_scenario_of_every_pack_holds() {
    let mut count = 0;
    let mut raised = std::collections::BTreeSet::new();
    let packs = packs();
    for pack in &packs {
        let outcomes = scenario::run(pack).unwrap_or_else(|problems| panic!("{problems:#?}"));
        for outcome in &outcomes {
            assert_eq!(outcome.failures, [], "{}", outcome.scenario);
            count += 1;
        }
        for file in &pack.scenarios {
            for rule in &pack.rules {
                if file.text.contains(&format!("`{}`", rule.id)) {
                    raised.insert(rule.id.clone());
                }
            }
        }
        assert!(
            pack.rules.is_empty() || !outcomes.is_empty(),
            "{} has rules and no scenario",
            pack.manifest.name
        );
    }
    assert!(count >= 12, "{count} scenarios");
    let all: std::collections::BTreeSet<String> = packs
        .iter()
        .flat_map(|pack| pack.rules.iter().map(|rule| rule.id.clone()))
        .collect();
    assert_eq!(raised, all, "every rule is in a scenario of its pack");
}

#[test]
fn a_new_pack_passes_the_check_and_its_scenario() {
    for name in ["drains", "street-trees"] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(format!("pack-{name}"));
        for (path, text) in scaffold(name).unwrap() {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(pack::check(&folder), vec![]);
        let pack = Pack::load(&Folder::new(&folder, Limits::default())).unwrap();
        let outcomes = scenario::run(&pack).unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].failures, []);
    }
    for name in ["", "Water", "pack_water", "-x", "x-", "../x"] {
        assert!(scaffold(name).is_err(), "{name}");
    }
}

/// What is expected and does not come, what comes and is not expected, and what is otherwise than expected.
#[test]
fn what_goes_otherwise_is_told_where_it_does() {
    let given = "# A\n- Given the entity `urn:ngsi-ld:WaterObserved:1`: `name` \"A\", `warningLevel` 29.3 MTR\n";
    let flood = "- When `urn:ngsi-ld:WaterObserved:1` reports `waterLevel` 29.4 MTR and stays for 60 seconds\n";
    for (steps, line, expected, seen) in [
        (
            "- When `urn:ngsi-ld:WaterObserved:1` reports `waterLevel` 29.4 MTR and stays for 59 seconds\n- Then the alert `water-stage-warning` is raised: major\n".to_owned(),
            4,
            "raised water-stage-warning major",
            "nothing happened",
        ),
        (
            format!("{flood}- Then the case is in `closed`\n"),
            3,
            "nothing more than",
            "raised water-stage-warning major",
        ),
        (
            format!("{flood}- Then the alert `water-stage-warning` is raised: minor\n"),
            4,
            "raised water-stage-warning minor",
            "raised water-stage-warning major",
        ),
        (
            format!("{flood}- Then the alert `water-stage-warning` is raised: major titled \"B\"\n"),
            4,
            ": B",
            "A水位 29.4 m",
        ),
        (
            format!("{flood}- Then no alert changes\n"),
            4,
            "no alert",
            "raised water-stage-warning",
        ),
        (
            "- When `urn:ngsi-ld:WaterObserved:1` reports `waterLevel` \"high\"\n- Then no alert changes\n".to_owned(),
            3,
            "values that the entity type admits",
            "waterLevel",
        ),
        (
            "- When `x` opens a case with `flood-case`\n- Then no alert changes\n".to_owned(),
            3,
            "a person x",
            "no step names one",
        ),
        (
            "- Given the person `x` who may `case.fly`\n- Then no alert changes\n".to_owned(),
            3,
            "a person",
            "case.fly is no permission",
        ),
        (
            "- Given the person `x` who may `case.open`\n- When `x` opens a case with `flood-case`\n- When `x` does `dispatch` to the case for the department `d`\n- Then the case is in `dispatched`\n".to_owned(),
            5,
            "nothing more than",
            "permission-missing",
        ),
    ] {
        let outcomes = water(&format!("{given}{steps}"));
        let failures: Vec<_> = outcomes.iter().flat_map(|o| &o.failures).collect();
        let found = failures.iter().any(|failure| {
            failure.place.ends_with(&format!("flood.md:{line}"))
                && failure.expected.contains(expected)
                && failure.seen.contains(seen)
        });
        assert!(found, "{steps}: {failures:#?}");
    }
}
