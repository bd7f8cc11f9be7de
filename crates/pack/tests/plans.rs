//! Several plans side by side: which holds on a day, what each wants of an indicator that is measured once, and what does not fit.

use indicators::Path as Way;
use jiff::civil::{Date, date};
use model::Problem;
use pack::{Packs, Phase, check, embedded};
use std::path::Path;

const RULES: [&str; 8] = [
    "standard-names",
    "units",
    "ranges",
    "runbooks",
    "two-languages",
    "sources",
    "scenarios",
    "department-review",
];

const TARGET: &str = "# Targets.\n[[target]]\nindicator = \"5g-base-stations\"\nnumber = \"1\"\norigin = \"table\"\n\
     group_zh = \"信息\"\ngroup_en = \"Information\"\nsubgroup_zh = \"5G\"\nsubgroup_en = \"5G\"\nbaseline = 1800\n\
     baseline_year = 2025\ntarget = 3000\ntarget_year = 2030\npath = \"2027=2200\"\n\
     places = [{ section = \"一、\", quote = \"建成3000个5G基站\" }]\n";

const GOALS: &str = "# Goals.\nnames = [\"5G\"]\n[[paragraph]]\nsection = \"一、目标\"\n\
     goals = [{ quote = \"建成3000个5G基站\", indicators = [\"5g-base-stations\"] }]\n";

/// Writes the pack of a next plan below `root`, with other files in the place of its own.
fn next(root: &Path, other: &[(&str, String)]) {
    let ledger = RULES
        .map(|id| format!("[[rule]]\nid = \"{id}\"\nstate = \"exempt\"\nbecause = \"a plan\"\n"));
    let own = [
        (
            "pack.toml",
            "# A plan.\nname = \"pack-next\"\nversion = 1\ntitle_zh = \"规划\"\ntitle_en = \"Plan\"\nowner_zh = \"委\"\n\
             owner_en = \"Commission\"\npermissions = [\"indicator.read\"]\n"
                .to_owned(),
        ),
        ("README.md", "# 规划\n".to_owned()),
        ("quality.toml", ledger.concat()),
        ("strings/zh.toml", String::new()),
        ("strings/en.toml", String::new()),
        (
            "plan.toml",
            "# Plan.\ntitle_zh = \"规划\"\ntitle_en = \"Plan\"\nsource_zh = \"委\"\nsource_en = \"Commission\"\nperiod = [2025, 2030]\n"
                .to_owned(),
        ),
        ("plan.txt", "一、目标\n建成3000个5G基站。\n".to_owned()),
        ("targets.toml", TARGET.to_owned()),
        (pack::goals::FILE, GOALS.to_owned()),
    ];
    for (path, text) in own.into_iter().chain(other.iter().cloned()) {
        let file = root.join("pack-next").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

fn loaded(other: &[(&str, String)]) -> Result<Packs, Vec<Problem>> {
    let root = tempfile::tempdir().unwrap();
    next(root.path(), other);
    Packs::load_all(embedded(), Some(root.path()))
}

fn chosen(packs: &Packs, day: Date) -> &str {
    &packs.plan_on(day).unwrap().plan.id
}

#[test]
fn one_plan_is_the_one_on_every_day() {
    let packs = Packs::load_all(embedded(), None).unwrap();
    assert_eq!(packs.plans.len(), 1);
    let plan = &packs.plans[0];
    assert_eq!(
        (plan.plan.id.as_str(), plan.pack.as_str(), plan.goals.len()),
        ("tianmen-14-5", "pack-plan", packs.indicators.len())
    );
    for day in [date(2015, 1, 1), date(2023, 6, 1), date(2026, 11, 28)] {
        assert_eq!(chosen(&packs, day), "tianmen-14-5");
    }
    assert!(Packs::default().plan_on(date(2023, 6, 1)).is_none());
}

#[test]
fn the_plan_that_holds_on_the_day_is_chosen_and_each_wants_its_own() {
    let packs = loaded(&[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let ids: Vec<&str> = packs.plans.iter().map(|p| p.plan.id.as_str()).collect();
    assert_eq!(ids, ["tianmen-14-5", "next"]);
    for (day, id, phases) in [
        (
            date(2020, 12, 31),
            "tianmen-14-5",
            [Phase::ToCome, Phase::ToCome],
        ),
        (
            date(2021, 1, 1),
            "tianmen-14-5",
            [Phase::Running, Phase::ToCome],
        ),
        (
            date(2025, 12, 31),
            "tianmen-14-5",
            [Phase::Running, Phase::ToCome],
        ),
        (date(2026, 1, 1), "next", [Phase::Over, Phase::Running]),
        (date(2031, 1, 1), "next", [Phase::Over, Phase::Over]),
    ] {
        assert_eq!(chosen(&packs, day), id, "{day}");
        let found: Vec<Phase> = packs.plans.iter().map(|p| p.plan.phase(day)).collect();
        assert_eq!(found, phases, "{day}");
    }
    // Measured once, by one query; wanted by both.
    let id = "5g-base-stations";
    assert_eq!(packs.indicators.iter().filter(|i| i.id == id).count(), 1);
    let [old, new] = [0, 1].map(|n: usize| packs.plans[n].goal(id).unwrap());
    assert_eq!((&old.sql, &old.towns_sql), (&new.sql, &new.towns_sql));
    assert_eq!(
        (old.baseline, old.target.low, old.target_year),
        (Some(398.0), 1800.0, 2025)
    );
    assert_eq!(
        (new.baseline, new.target.low, new.target_year),
        (Some(1800.0), 3000.0, 2030)
    );
    assert_eq!(new.path, Way::Milestones(vec![(2027, 2200.0)]));
    assert_eq!(new.yearly_path()[2], (2027, 2200.0));
    assert_eq!(new.responsible, old.responsible);
    assert_eq!(packs.plans[1].goals.len(), 1);
    // The plan of which the packs' systems are is the one that lists them.
    assert_eq!(packs.plan.as_ref().unwrap().id, "tianmen-14-5");
    assert!(packs.plans[1].contradictions.is_empty());
}

#[test]
fn what_a_pack_without_a_plan_measures_belongs_to_the_plan_of_its_years() {
    let root = tempfile::tempdir().unwrap();
    next(root.path(), &[]);
    let mut packs = Packs::load_all(embedded(), Some(root.path()))
        .unwrap()
        .packs;
    let source = packs
        .iter()
        .position(|p| p.manifest.name == "pack-plan")
        .unwrap();
    let mut indicator = packs[source].indicators[0].clone();
    indicator.id = "own".into();
    indicator.target_year = 2030;
    // Its words are the next plan's, which the first does not say.
    indicator.places[0].quote = "建成3000个5G基站".into();
    indicator.places.truncate(1);
    let water = packs
        .iter_mut()
        .find(|p| p.manifest.name == "pack-water")
        .unwrap();
    water.indicators.push(indicator);
    let merged = Packs::merge(packs.clone()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let has = |n: usize| merged.plans[n].goal("own").is_some();
    assert_eq!([has(0), has(1)], [false, true]);
    let water = packs
        .iter_mut()
        .find(|p| p.manifest.name == "pack-water")
        .unwrap();
    water.indicators[0].places[0].quote = "建成4000个5G基站".into();
    let problems = Packs::merge(packs).unwrap_err();
    let codes: Vec<&str> = problems.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["plan-quote"]);
}

/// The code and place of each mistake of a pack whose targets say something else.
fn mistakes(from: &str, to: &str) -> Vec<(String, String)> {
    assert!(TARGET.contains(from), "{from}");
    let root = tempfile::tempdir().unwrap();
    next(
        root.path(),
        &[("targets.toml", TARGET.replacen(from, to, 1))],
    );
    let found = check(&root.path().join("pack-next"));
    let file = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
    found
        .into_iter()
        .map(|p| (p.code, file(&p.place)))
        .collect()
}

#[test]
fn targets_that_make_no_sense_are_told_with_their_line() {
    let one = |code: &str, place: &str| vec![(code.to_owned(), place.to_owned())];
    for (from, to, expected) in [
        (
            "target = 3000",
            "target = [3000, 2000]",
            one("target-range", "targets.toml:12"),
        ),
        (
            "target_year = 2030",
            "target_year = 2025",
            one("target-years", "targets.toml:13"),
        ),
        ("2027=2200", "2027", one("target-path", "targets.toml:14")),
        (
            "number = \"1\"",
            "number = \" \"",
            one("target-number", "targets.toml:4"),
        ),
        (
            "group_zh = \"信息\"",
            "group_zh = \"\"",
            one("empty", "targets.toml:6"),
        ),
        (
            "3000个5G基站\"",
            "4000个5G基站\"",
            one("plan-quote", "targets.toml: 5g-base-stations"),
        ),
        (
            "target = 3000",
            "goal = 3000",
            one("pack-toml", "targets.toml:12"),
        ),
    ] {
        assert_eq!(mistakes(from, to), expected, "{from} > {to}");
    }
    let twice = format!(
        "{TARGET}{}",
        TARGET.replacen("number = \"1\"", "number = \"2\"", 1)
    );
    let root = tempfile::tempdir().unwrap();
    next(root.path(), &[("targets.toml", twice)]);
    let found = check(&root.path().join("pack-next"));
    assert_eq!(found[0].code, "target-twice", "{found:#?}");
}

#[test]
fn what_the_packs_do_not_bring_and_an_id_that_is_there_twice() {
    let codes = |other: &[(&str, String)]| -> Vec<String> {
        let problems = loaded(other).err().unwrap_or_default();
        problems.into_iter().map(|p| p.code).collect()
    };
    let other = |text: &str| text.replace("5g-base-stations", "nobody");
    assert_eq!(
        codes(&[
            ("targets.toml", other(TARGET)),
            (pack::goals::FILE, other(GOALS))
        ]),
        ["target-indicator"]
    );
    // A share of a hundred cannot be 3000.
    let other = |text: &str| text.replace("5g-base-stations", "5g-user-penetration");
    assert_eq!(
        codes(&[
            ("targets.toml", other(TARGET)),
            (pack::goals::FILE, other(GOALS))
        ]),
        ["indicator-percent"]
    );
    let plan = |id: &str| {
        format!(
            "# Plan.\nid = \"{id}\"\ntitle_zh = \"规划\"\ntitle_en = \"Plan\"\nsource_zh = \"委\"\nsource_en = \"Commission\"\nperiod = [2025, 2030]\n"
        )
    };
    assert_eq!(
        codes(&[("plan.toml", plan("tianmen-15-5"))]),
        Vec::<String>::new()
    );
    assert_eq!(
        codes(&[("plan.toml", plan("tianmen-14-5"))]),
        ["pack-clash"]
    );
    assert_eq!(codes(&[("plan.toml", plan("Next Plan"))]), ["plan-id"]);
}
