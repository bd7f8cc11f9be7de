//! The scenarios of the repository's packs hold, a new pack's too, and one that says otherwise than what happens fails where
//! it does.

use pack::scenario::{self, Outcome};
use pack::{Folder, Limits, Pack, Packs, embedded, scaffold};

fn packs() -> Vec<Pack> {
    let all = Packs::load_all(embedded(), None).unwrap_or_else(|problems| panic!("{problems:#?}"));
    all.packs
}

/// Plays a text in the place of a pack's first file of scenarios.
async fn played(name: &str, text: &str) -> Vec<Outcome> {
    let mut pack = packs()
        .into_iter()
        .find(|pack| pack.manifest.name == name)
        .unwrap();
    pack.scenarios.truncate(1);
    text.clone_into(&mut pack.scenarios[0].text);
    let outcomes = scenario::run(&pack).await;
    outcomes.unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[tokio::test]
async fn every_scenario_of_every_pack_holds() {
    let mut count = 0;
    let mut raised = std::collections::BTreeSet::new();
    let packs = packs();
    for pack in &packs {
        let outcomes = scenario::run(pack).await;
        let outcomes = outcomes.unwrap_or_else(|problems| panic!("{problems:#?}"));
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

#[tokio::test]
async fn a_new_pack_passes_the_check_and_its_scenario() {
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
        let outcomes = scenario::run(&pack).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].failures, []);
    }
    for name in ["", "Water", "pack_water", "-x", "x-", "../x"] {
        assert!(scaffold(name).is_err(), "{name}");
    }
}

/// What is expected and does not come, what comes and is not expected, and what is otherwise than expected.
#[tokio::test]
async fn what_goes_otherwise_is_told_where_it_does() {
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
            "can be played",
            "no step names a person x",
        ),
        (
            "- Given the person `x` who may `case.fly`\n- Then no alert changes\n".to_owned(),
            3,
            "can be played",
            "case.fly is no permission",
        ),
        (
            "- Given the person `x` who may `case.open`\n- When `x` opens a case with `flood-case`\n- When `x` does `dispatch` to the case for the department `d`\n- Then the case is in `dispatched`\n".to_owned(),
            5,
            "nothing more than",
            "permission-missing",
        ),
    ] {
        let outcomes = played("pack-water", &format!("{given}{steps}")).await;
        let failures: Vec<_> = outcomes.iter().flat_map(|o| &o.failures).collect();
        let found = failures.iter().any(|failure| {
            failure.place.ends_with(&format!("flood.md:{line}"))
                && failure.expected.contains(expected)
                && failure.seen.contains(seen)
        });
        assert!(found, "{steps}: {failures:#?}");
    }
}

/// What the clocks of a case do, what lies near it, its parts and its signatures, told where it is otherwise than a scenario says.
#[tokio::test]
async fn what_a_case_does_otherwise_is_told_where_it_does() {
    let given = "# A\n- Given the person `d` who may `case.open` `case.dispatch` `case.verify`\n- Given the person `w` of `chengguan` who may `case.handle`\n";
    let open = "- When `d` opens a case of the class `S0104` at 113.165 30.655\n- Then the case is in `collected`\n";
    for (steps, expected, seen) in [
        (
            format!("{open}- Then the case has 29 minutes left\n"),
            "has 1740 s left",
            "it has left 1800 s of working time",
        ),
        (
            format!("{open}- Then the case is overdue\n"),
            "is overdue",
            "it has left 1800 s",
        ),
        (
            format!("{open}- Then the case is escalated to level 1\n"),
            "is escalated to level 1",
            "it is due at 2026-01-05T01:00:00",
        ),
        (
            format!("{open}- Then the case runs again\n"),
            "runs again",
            "at level 0",
        ),
        (
            format!("{open}- Then the case is due at `2026-01-05T09:01:00+08:00`\n"),
            "is due at 2026-01-05T01:01:00",
            "it is due at 2026-01-05T01:00:00",
        ),
        (
            format!("{open}- Then the case may repeat `first`\n"),
            "may repeat first",
            "it may repeat none",
        ),
        (
            format!("{open}- Then the case has 2 reporters\n"),
            "has 2 reporters",
            "it has 1 reporters",
        ),
        (
            format!("{open}- Then the case was moved late\n"),
            "was moved late",
            "nothing moved it",
        ),
        (
            format!("{open}- Then the case is supervised until `2026-01-06T09:01:00+08:00`\n"),
            "is supervised until",
            "an answer is wanted by never",
        ),
        (
            "- Then the case `one` is in `filed`\n".to_owned(),
            "can be played",
            "no case is called one",
        ),
        (
            format!("{open}- When `d` does `duplicate` to the case repeating `one`\n"),
            "can be played",
            "name one of case",
        ),
        (
            // Half an hour to file from half past eight on, and an hour more: then somebody is told.
            format!("{open}- When 150 minutes pass\n"),
            "nothing more than",
            "case was escalated to level 1",
        ),
        (
            format!("{open}- When `d` opens the case `x` of the class `S0104` at 300 10\n"),
            "nothing more than",
            "refused:",
        ),
        (
            format!("{open}- When `d` opens the case `x` with `nothing`\n"),
            "nothing more than",
            "workflow-missing",
        ),
    ] {
        // The last line is the one that goes otherwise.
        let text = format!("{given}{steps}");
        let line = text.lines().count();
        let outcomes = played("pack-citymanagement", &text).await;
        let failures: Vec<_> = outcomes.iter().flat_map(|o| &o.failures).collect();
        let found = failures.iter().any(|failure| {
            failure.place.ends_with(&format!(".md:{line}"))
                && failure.expected.contains(expected)
                && failure.seen.contains(seen)
        });
        assert!(found, "{steps}: {failures:#?}");
    }
}
