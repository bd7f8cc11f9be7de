//! Every mistake that a rule can hold, each told with file, key and mend.

use crate::common::*;
use rules::{Engine, Rule};

fn problems(text: &str) -> Vec<(String, String)> {
    let mut rule: Rule = rule(text);
    rule.file = "rules/x.toml".into();
    let problems = Engine::new(vec![rule], &catalogue(), &model::Calendars::default())
        .err()
        .unwrap_or_default();
    assert!(
        problems
            .iter()
            .all(|p| !p.what.is_empty() && !p.mend.is_empty())
    );
    problems.into_iter().map(|p| (p.code, p.place)).collect()
}

fn one(code: &str, key: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), format!("rules/x.toml: {key}"))]
}

#[test]
fn each_mistake_is_told() {
    assert_eq!(problems(WARNING), vec![]);
    for (from, to, code, key) in [
        ("\"stage\"", "\"Stage 1\"", "rule-id", "id"),
        ("{value}", "{valu}", "rule-placeholder", "title_zh"),
        (
            "\"WaterObserved\"",
            "\"Water\"",
            "rule-unknown-type",
            "entity_type",
        ),
        (
            "\"waterLevel\"",
            "\"level\"",
            "rule-unknown-attribute",
            "attribute",
        ),
        (
            "\"warningLevel\" }",
            "\"warning\" }",
            "rule-unknown-attribute",
            "threshold.attribute",
        ),
        (
            "\"warningLevel\" }",
            "\"pressure\" }",
            "rule-unit",
            "threshold.attribute",
        ),
        ("\"MTR\"", "\"CMT\"", "rule-unit", "unit"),
        (
            "{ attribute = \"warningLevel\" }",
            "true",
            "rule-threshold-kind",
            "threshold",
        ),
        (
            "{ attribute = \"warningLevel\" }",
            "nan",
            "rule-threshold-number",
            "threshold",
        ),
        (
            "{ attribute = \"warningLevel\" }",
            "200.0",
            "rule-never",
            "threshold",
        ),
        (
            "attribute = \"waterLevel\"\n",
            "",
            "rule-attribute-missing",
            "attribute",
        ),
        ("op = \">=\"\n", "", "rule-op-missing", "op"),
        (
            "for_seconds = 60\n",
            "for_seconds = 99999999\n",
            "rule-duration",
            "for_seconds",
        ),
        (
            "margin = 0.05",
            "margin = -1.0",
            "rule-margin",
            "clear.margin",
        ),
    ] {
        let text = WARNING.replacen(from, to, 1);
        assert_ne!(text, WARNING, "{from} is in the rule");
        assert_eq!(problems(&text), one(code, key));
    }
    assert_eq!(
        problems(&SILENCE.replace("900", "0")),
        one("rule-silence-zero", "for_seconds")
    );
    let stated = |threshold: &str| {
        let own = format!("threshold = {threshold}");
        problems(&SILENCE.replace("for_seconds = 900", &own))
    };
    assert_eq!(stated("{ attribute = \"interval\" }"), vec![]);
    assert_eq!(stated("60.0"), one("rule-silence-stated", "threshold"));
    let doubled = "{ attribute = \"interval\", times = 2.0 }";
    assert_eq!(stated(doubled), one("rule-silence-stated", "threshold"));
    for other in ["power", "online", "none"] {
        let threshold = format!("{{ attribute = \"{other}\" }}");
        assert_eq!(
            stated(&threshold),
            one("rule-silence-stated", "threshold.attribute")
        );
    }
    let both = SILENCE.to_owned() + "threshold = { attribute = \"interval\" }\n";
    assert_eq!(problems(&both), one("rule-silence-twice", "for_seconds"));
    assert_eq!(problems(&OUTAGE.replace("==", ">")), one("rule-op", "op"));
    assert_eq!(
        problems(&(RANGE.to_owned() + "op = \">\"\n")),
        one("rule-key-unused", "op")
    );
}

#[test]
fn two_rules_of_one_id() {
    let problems = Engine::new(
        vec![rule(OUTAGE), rule(OUTAGE)],
        &catalogue(),
        &model::Calendars::default(),
    )
    .unwrap_err();
    assert_eq!(problems[0].code, "rule-duplicate");
}

#[test]
fn unknown_keys_and_words_are_refused() {
    for (from, to) in [
        ("severity", "serverity"),
        ("\"major\"", "\"huge\""),
        ("margin", "margins"),
        ("\">=\"", "\"=>\""),
    ] {
        assert!(
            toml::from_str::<Rule>(&WARNING.replacen(from, to, 1)).is_err(),
            "{to}"
        );
    }
}

#[test]
fn a_doubt_names_other_rules_of_the_type_and_says_itself_in_both_languages() {
    let doubt = |by: &str, zh: &str| {
        problems(&format!(
            "{WARNING}\n[doubted]\nby = [{by}]\nzh = \"{zh}\"\nen = \"doubtful\"\n"
        ))
    };
    for (by, zh) in [
        ("\"stage\"", "存疑"),
        ("\"nothing\"", "存疑"),
        ("", "存疑"),
        ("\"stage\"", " "),
    ] {
        assert_eq!(doubt(by, zh), one("rule-doubt", "doubted"), "{by} {zh}");
    }
}
