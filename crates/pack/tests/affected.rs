//! What a type says of whom it affects, and what a plan says of its level and of what suggests it: right, and each mistake with its line.

use crate::mistakes::problems;
use model::Problem;

fn told(path: &str, text: String) -> Vec<String> {
    places(&problems(&[(path, Some(text))]))
}

fn places(found: &[Problem]) -> Vec<String> {
    found
        .iter()
        .map(|p| format!("{} {}", p.code, p.place))
        .collect()
}

#[test]
fn whom_a_value_affects() {
    let of = |table: &str| {
        let attribute = |name: &str, value: &str, more: &str| {
            format!(
                "[attributes.{name}]\nvalue = \"{value}\"\ntitle_zh = \"属性\"\ntitle_en = \"Attribute\"\n{more}"
            )
        };
        let text = format!(
            "# Fields.\nname = \"Field\"\ntitle_zh = \"田\"\ntitle_en = \"Field\"\ndata_subject = \"farmer\"\n{}{}{}{}{}{}[affected]\n{table}",
            attribute("refWell", "relationship", ""),
            attribute("fromDepth", "number", "unit = \"MTR\"\n"),
            attribute("people", "number", ""),
            attribute("villages", "json", ""),
            attribute("post", "text", ""),
            attribute(
                "farmer",
                "text",
                "personal = \"personal\"\nmask = \"phone\"\n"
            ),
        );
        problems(&[("entities/Field.toml", Some(text))])
    };
    let with = |table: &str| places(&of(table));
    let good = "relation = \"refWell\"\nattribute = \"depth\"\nfrom = \"fromDepth\"\nsums = [\"people\"]\n\
                divisions = [\"villages\", \"post\"]\nresponsible_post = \"post\"\nresponsible_organisation = \"post\"\n";
    assert_eq!(with(good), [""; 0]);
    for (from, to, line) in [
        ("\"refWell\"", "\"people\"", 34),
        ("\"fromDepth\"", "\"post\"", 36),
        ("[\"people\"]", "[\"height\"]", 37),
        ("\"villages\", ", "\"people\", ", 38),
        ("post = \"post\"", "post = \"people\"", 39),
        // Messages name it: nothing personal goes out in them.
        ("organisation = \"post\"", "organisation = \"farmer\"", 40),
    ] {
        let place = format!("entity-affected entities/Field.toml:{line}");
        assert_eq!(with(&good.replace(from, to)), [place], "{to}");
    }
    // What counts is a number of a type that there is, in the unit of `from`, of whichever type or of each that is named.
    for (attribute, mistake) in [
        ("{ Well = \"depth\" }", ""),
        ("{ Well = \"depth\", Field = \"fromDepth\" }", ""),
        ("\"width\"", "no type has an attribute width"),
        ("\"name\"", "name holds a Text"),
        (
            "\"people\"",
            "people of Field is without a unit, fromDepth in MTR",
        ),
        ("{ }", "no type is named"),
        ("{ Spring = \"depth\" }", "there is no type Spring"),
        (
            "{ Well = \"depth\", Field = \"depth\" }",
            "Field has no attribute depth",
        ),
        ("{ Well = \"name\" }", "name holds a Text"),
        (
            "{ Field = \"people\" }",
            "people of Field is without a unit, fromDepth in MTR",
        ),
    ] {
        let found = of(&good.replace("\"depth\"", attribute));
        let told: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|p| (p.code.as_str(), p.place.as_str(), p.what.as_str()))
            .collect();
        let place = "entities/Field.toml:35";
        let expected = (!mistake.is_empty()).then_some(("entity-affected", place, mistake));
        assert_eq!(told, Vec::from_iter(expected), "{attribute}");
    }
}

#[test]
fn levels_and_what_suggests_them() {
    let plan = "# Dry wells.\nid = \"dry-3\"\nversion = 1\ntitle_zh = \"抗旱\"\ntitle_en = \"Drought\"\n\
                [level]\nladder = \"drought\"\nrank = 3\ntitle_zh = \"Ⅲ级\"\ntitle_en = \"Level III\"\n\
                [[suggested]]\nzh = \"两口井以上\"\nen = \"Two wells or more\"\nalert_rules = [\"deep\"]\nentities_min = 2\n\
                [[step]]\nid = \"look\"\ntitle_zh = \"看\"\ntitle_en = \"Look\"\nwho_zh = \"值班员\"\nwho_en = \"Duty officer\"\nwithin_minutes = 5\n";
    let with = |from: &str, to: &str| {
        assert!(plan.contains(from), "{from}");
        told("responses/dry-3.toml", plan.replacen(from, to, 1))
    };
    assert_eq!(with("version", "version"), [""; 0]);
    for (from, to, code, line) in [
        ("rank = 3", "rank = 0", "response-level", 8),
        ("\"drought\"", "\"Drought\"", "response-level", 7),
        ("\"两口井以上\"", "\" \"", "response-level", 12),
        ("[\"deep\"]", "[\"shallow\"]", "response-rule", 14),
        ("entities_min = 2", "entities_min = 0", "response-level", 15),
    ] {
        let place = format!("{code} responses/dry-3.toml:{line}");
        assert_eq!(with(from, to), [place], "{to}");
    }
    // Two plans of one ladder are two levels.
    let found = problems(&[
        ("responses/dry-3.toml", Some(plan.to_owned())),
        (
            "responses/dry-4.toml",
            Some(plan.replacen("dry-3", "dry-4", 1)),
        ),
    ]);
    let codes: Vec<&str> = found.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["response-level", "response-level"], "{found:#?}");
}
