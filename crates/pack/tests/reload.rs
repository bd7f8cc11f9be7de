//! What a reload may change while a city runs, and what it refuses.

use model::Catalogue;
use pack::reload::{Holding, Stored, changes, contradictions};
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
fn types_workflows_indicators_and_mappings_change_at_once() {
    let new = with(|pack| {
        let observed = |kind: &&mut model::EntityKind| kind.name == "WaterObserved";
        let observed = pack.kinds.iter_mut().find(observed).unwrap();
        let kind = observed.clone();
        observed.attributes.get_mut("flow").unwrap().max = Some(1.0);
        pack.kinds.push(model::EntityKind {
            name: "Sluice".to_owned(),
            ..kind
        });
        pack.workflows[0].title_en.push('!');
        pack.mappings.pop();
        pack.manifest.version += 1;
    });
    let new = {
        let mut all = new.packs;
        let plan = all.iter_mut().find(|p| p.plan.is_some()).unwrap();
        plan.indicators[0].sql.push_str(" -- another way");
        Packs::merge(all).unwrap()
    };
    let found = changes(&packs(), &new).unwrap();
    assert_eq!(found.added, ["entity type Sluice"]);
    let kinds: Vec<&str> = found
        .changed
        .iter()
        .map(|name| name.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["entity", "workflow", "indicator", "pack"],
        "{found:?}"
    );
    assert_eq!(found.removed.len(), 1, "{found:?}");
    assert!(found.removed[0].starts_with("mapping "));
}

#[test]
fn who_may_do_what_needs_a_restart() {
    type Change = fn(&mut pack::Pack);
    let cases: [(&str, Change); 2] = [
        ("policies", |pack| {
            pack.policies
                .push(("new".into(), "forbid (principal, action, resource);".into()));
        }),
        ("pack.toml: owner", |pack| {
            pack.manifest.owner = Some("somebody".into());
        }),
    ];
    for (folder, change) in cases {
        let problems = changes(&packs(), &with(change)).unwrap_err();
        assert_eq!(problems.len(), 1, "{folder}: {problems:?}");
        assert_eq!(problems[0].code, "pack-needs-restart");
        assert_eq!(problems[0].place, format!("pack-water/{folder}"));
    }
}

/// One value of one entity.
struct One(&'static str, Holding, Option<&'static str>);

impl Stored for One {
    fn each(&self, entity_type: &str, see: &mut pack::reload::See<'_>) {
        if entity_type == "Sluice" {
            see("urn:ngsi-ld:Sluice:1", self.0, self.1, self.2);
        }
    }
}

fn sluice(attributes: &str) -> Catalogue {
    let text = format!("name = \"Sluice\"\ntitle_zh = \"闸\"\ntitle_en = \"Sluice\"\n{attributes}");
    let kind: model::EntityKind = toml::from_str(&text).unwrap();
    Catalogue {
        kinds: [(kind.name.clone(), kind)].into(),
        ..Catalogue::default()
    }
}

const TITLES: &str = "title_zh = \"开度\"\ntitle_en = \"Opening\"";

#[test]
fn a_declaration_that_contradicts_what_is_stored_is_refused() {
    let of = |rest: &str| sluice(&format!("[attributes.opening]\n{TITLES}\n{rest}"));
    let none = sluice("");
    let metres = of("value = \"number\"\nunit = \"MTR\"");
    let in_metres = One("opening", Holding::Number, Some("MTR"));
    let text = One("opening", Holding::Text, None);
    // (before, after, what is stored, whether it is refused)
    let cases = [
        (&none, &metres, &in_metres, false),
        (&none, &metres, &text, true),
        (
            &none,
            &metres,
            &One("opening", Holding::Number, None),
            false,
        ),
        (
            &metres,
            &of("value = \"number\"\nunit = \"CMT\""),
            &in_metres,
            true,
        ),
        (&metres, &of("value = \"number\""), &in_metres, true),
        (&metres, &of("value = \"text\""), &in_metres, true),
        (&metres, &of("value = \"json\""), &in_metres, false),
        (
            &metres,
            &of("value = \"number\"\nunit = \"MTR\"\nmax = 0.5"),
            &in_metres,
            false,
        ),
        (
            &metres,
            &of("value = \"number\"\nunit = \"MTR\"\npersonal = \"personal\""),
            &in_metres,
            true,
        ),
        // Gone from an open type, it goes on as what is not declared does.
        (&metres, &none, &in_metres, false),
        // Of another attribute nothing is asked.
        (&none, &metres, &One("name", Holding::Text, None), false),
    ];
    for (n, (before, after, stored, refused)) in cases.into_iter().enumerate() {
        let problems = contradictions(before, after, stored);
        assert_eq!(!problems.is_empty(), refused, "case {n}: {problems:?}");
        for problem in problems {
            assert_eq!(problem.code, "pack-contradicts-stored");
            assert!(problem.what.contains("urn:ngsi-ld:Sluice:1"), "{problem}");
            assert!(problem.place.contains("Sluice.toml"), "{problem}");
        }
    }
}

#[test]
fn what_does_not_change_is_not_looked_at() {
    struct Never;
    impl Stored for Never {
        fn each(&self, kind: &str, _: &mut pack::reload::See<'_>) {
            panic!("{kind} was looked at");
        }
    }
    let new = with(|pack| {
        let mut kinds = pack.kinds.iter_mut();
        let observed = kinds.find(|kind| kind.name == "WaterObserved").unwrap();
        let flow = observed.attributes.get_mut("flow").unwrap();
        flow.title_en.push('!');
        flow.max = Some(1.0);
    });
    assert!(contradictions(&packs().catalogue, &new.catalogue, &Never).is_empty());
}
