//! The systems of the plan: Tianmen's are whole, and what does not fit is told.

use pack::{Pack, Packs, SystemPart, embedded};
use std::collections::BTreeSet;

fn all() -> Packs {
    Packs::load_all(embedded(), None).unwrap()
}

fn loaded() -> Vec<Pack> {
    all().packs
}

/// Merges after a change of the plan's pack, or of another named.
fn codes(name: &str, change: impl FnOnce(&mut Pack)) -> Vec<String> {
    let mut packs = loaded();
    change(packs.iter_mut().find(|p| p.manifest.name == name).unwrap());
    let problems = Packs::merge(packs).err().unwrap_or_default();
    problems.into_iter().map(|p| p.code).collect()
}

#[test]
fn the_frame_is_one_and_one_and_n_and_three() {
    let packs = all();
    let systems = &packs.plan.as_ref().unwrap().systems;
    let of = |part| systems.iter().filter(|s| s.part == part).count();
    assert_eq!(of(SystemPart::Data), 1);
    assert_eq!(of(SystemPart::Command), 1);
    assert!(
        of(SystemPart::Thematic) > 11,
        "the plan's N names eleven, and more in its text"
    );
    for part in [
        SystemPart::Standards,
        SystemPart::Security,
        SystemPart::Assurance,
    ] {
        assert!(of(part) >= 1, "{part:?}");
    }
    let ids: BTreeSet<_> = systems.iter().map(|s| s.id.as_str()).collect();
    let expected: BTreeSet<String> = (1..=37).map(|n| format!("S{n:02}")).collect();
    assert!(ids.iter().copied().eq(expected.iter().map(String::as_str)));
}

#[test]
fn every_target_is_of_exactly_one_system_and_every_pack_makes_one() {
    let packs = all();
    let systems = &packs.plan.as_ref().unwrap().systems;
    for indicator in &packs.indicators {
        let owners = systems
            .iter()
            .filter(|s| s.indicators.contains(&indicator.id));
        assert_eq!(owners.count(), 1, "{}", indicator.id);
    }
    for pack in &packs.packs {
        assert!(pack.manifest.system.is_some(), "{}", pack.manifest.name);
    }
}

#[test]
fn a_pack_of_a_system_that_the_plan_does_not_have() {
    let found = codes("pack-water", |pack| {
        pack.manifest.system = Some("S99".into())
    });
    assert_eq!(found, ["pack-system"]);
    assert!(codes("pack-water", |pack| pack.manifest.system = None).is_empty());
}

#[test]
fn words_that_the_plan_does_not_say() {
    let packs = loaded();
    let mut plans = packs.into_iter().find(|p| p.plan.is_some()).unwrap();
    let plan = plans.plan.as_mut().unwrap();
    plan.systems[0].quote = "十个云平台".into();
    let text = plan.text.clone();
    let problems = pack::verify_quotes(&plans, &text);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].place.ends_with("plan.toml: S01"),
        "{problems:?}"
    );
}
