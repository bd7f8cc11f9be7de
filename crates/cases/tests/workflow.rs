//! Workflows as data: the default one is sound, and every mistake in another is found and said.

use cases::{Step, Workflow};

const SMALL: &str = r#"
name = "small"
title_zh = "小"
title_en = "Small"
initial = "new"
open_may = ["case.open"]
[[states]]
name = "new"
step = "collect"
title_zh = "新"
title_en = "New"
minutes = 5
[[states]]
name = "done"
step = "close"
title_zh = "完"
title_en = "Done"
final = true
[[transitions]]
action = "end"
from = ["new"]
to = "done"
may = ["case.verify"]
"#;

#[test]
fn the_default_follows_the_seven_steps() {
    let workflow = Workflow::standard().unwrap();
    let mut steps: Vec<_> = workflow
        .states
        .iter()
        .map(|s| workflow.step_of(s))
        .collect();
    steps.dedup();
    assert_eq!(steps[..7], Step::ALL);
    assert!(
        workflow
            .states
            .iter()
            .all(|s| s.r#final == s.minutes.is_none()),
        "a clock on every open state"
    );
}

#[test]
fn another_workflow_is_read() {
    let workflow = Workflow::parse(SMALL, "small.toml").unwrap();
    assert!(workflow.is_final("done") && !workflow.is_final("new"));
    assert_eq!(workflow.state("new").unwrap().minutes, Some(5));
}

#[test]
fn a_state_that_names_no_step_belongs_to_one_by_where_it_stands() {
    let text = SMALL
        .replace("step = \"collect\"\n", "")
        .replace("step = \"close\"\n", "")
        + "[[states]]\nname = \"work\"\ntitle_zh = \"办\"\ntitle_en = \"Work\"\n\
           [[transitions]]\naction = \"go\"\nfrom = [\"new\"]\nto = \"work\"\nmay = [\"case.verify\"]\n\
           [[transitions]]\naction = \"stop\"\nfrom = [\"work\"]\nto = \"done\"\nmay = [\"case.verify\"]\n";
    let workflow = Workflow::parse(&text, "small.toml").unwrap();
    let steps: Vec<_> = workflow
        .states
        .iter()
        .map(|s| workflow.step_of(s))
        .collect();
    assert_eq!(steps, [Step::Collect, Step::Close, Step::Handle]);
}

#[test]
fn every_mistake_is_said_with_its_file() {
    for (from, to, expected) in [
        (
            "to = \"done\"",
            "to = \"gone\"",
            &["workflow-unknown-state", "workflow-unreached"][..],
        ),
        (
            "initial = \"new\"",
            "initial = \"old\"",
            &[
                "workflow-unknown-state",
                "workflow-unreached",
                "workflow-unreached",
            ],
        ),
        ("may = [\"case.verify\"]", "may = []", &["workflow-may"]),
        (
            "open_may = [\"case.open\"]",
            "open_may = []",
            &["workflow-may"],
        ),
        (
            "from = [\"new\"]",
            "from = []",
            &["workflow-from", "workflow-unreached", "workflow-no-way-out"],
        ),
        (
            "from = [\"new\"]",
            "from = [\"new\", \"done\"]",
            &["workflow-final"],
        ),
        ("final = true", "", &["workflow-final"]),
        ("step = \"close\"", "step = \"ending\"", &["workflow-step"]),
        (
            "initial = \"new\"",
            "initial = \"new\"\ncalendar = \"../hours\"",
            &["workflow-calendar"],
        ),
        (
            "initial = \"new\"",
            "initial = \"new\"\nalways_for = [\"critical\", \"grave\"]",
            &["workflow-severity"],
        ),
        (
            "[[states]]",
            "[[escalations]]\nafter_minutes = 5\ntitle_zh = \"一\"\ntitle_en = \"One\"\n[[escalations]]\n\
             after_minutes = 5\ntitle_zh = \"二\"\ntitle_en = \"Two\"\n[[states]]",
            &["workflow-escalation"],
        ),
        (
            "name = \"done\"",
            "name = \"new\"",
            &["workflow-state-twice", "workflow-unknown-state"],
        ),
    ] {
        let problems = Workflow::parse(&SMALL.replacen(from, to, 1), "small.toml").unwrap_err();
        let mut codes: Vec<_> = problems.iter().map(|p| p.code.as_str()).collect();
        codes.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(codes, expected, "{from} -> {to}: {problems:?}");
        assert!(problems.iter().all(|p| p.place == "small.toml"));
    }
    let twice = format!(
        "{SMALL}[[transitions]]\naction = \"end\"\nfrom = [\"new\"]\nmay = [\"case.open\"]\n"
    );
    let problems = Workflow::parse(&twice, "small.toml").unwrap_err();
    assert!(problems.iter().all(|p| p.code == "workflow-action-twice"));
}

#[test]
fn a_misspelt_key_names_its_line() {
    let problems =
        Workflow::parse(&SMALL.replace("minutes = 5", "minuets = 5"), "small.toml").unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        (problems[0].code.as_str(), problems[0].place.as_str()),
        ("workflow-form", "small.toml:12")
    );
}

#[test]
fn a_kept_definition_stays_readable() {
    // As version 1 of the form wrote it into the records; never change this fixture, add another beside it.
    let text = include_str!("../fixtures/workflow-v1.json");
    let kept: Workflow = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&kept).unwrap(), text);
    assert_eq!(kept.mistakes(), []);
    assert_eq!(
        (
            kept.name.as_str(),
            kept.states.len(),
            kept.transitions.len()
        ),
        ("city-case", 8, 9)
    );
    assert_eq!(kept.state("collected").unwrap().minutes, Some(30));
}

#[test]
fn a_mistake_names_the_key() {
    let mut workflow = Workflow::parse(SMALL, "small.toml").unwrap();
    workflow.transitions[0].to = Some("gone".to_owned());
    let mistakes = workflow.mistakes();
    assert_eq!(mistakes[0].keys, ["transitions", "0", "to"]);
    assert_eq!(mistakes[1].keys, ["states", "1", "name"]);
}

#[test]
fn a_workflow_with_no_way_out_is_refused() {
    let round = format!(
        "{SMALL}[[transitions]]\naction = \"file\"\nfrom = [\"new\"]\nto = \"there\"\nmay = [\"case.open\"]\n\
         [[transitions]]\naction = \"take\"\nfrom = [\"there\"]\nto = \"back\"\nmay = [\"case.open\"]\n\
         [[transitions]]\naction = \"return\"\nfrom = [\"back\"]\nto = \"there\"\nmay = [\"case.open\"]\n"
    );
    let state = |name: &str| {
        format!(
            "[[states]]\nname = \"{name}\"\nstep = \"handle\"\ntitle_zh = \"处\"\ntitle_en = \"H\"\n"
        )
    };
    let text = format!("{round}{}{}", state("there"), state("back"));
    let problems = Workflow::parse(&text, "round.toml").unwrap_err();
    let said: Vec<_> = problems
        .iter()
        .map(|p| (p.code.as_str(), p.what.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (
                "workflow-no-way-out",
                "a case in the state there can never end"
            ),
            (
                "workflow-no-way-out",
                "a case in the state back can never end"
            ),
        ]
    );
    let out = text.replace(
        "from = [\"back\"]\nto = \"there\"",
        "from = [\"back\"]\nto = \"done\"",
    );
    assert!(Workflow::parse(&out, "out.toml").is_ok());
}
