//! Lines of equal value of a view: a right one is taken as it is written, and each mistake is told with its line.

use crate::mistakes::problems;

const HEAD: &str = "id = \"wells\"\ntitle_zh = \"井\"\ntitle_en = \"Wells\"\nentity_type = \"Well\"\n[layer]\nicon = \"well\"\ncolour = \"#112233\"\n";
const LINES: &str = "[layer.isolines]\nattribute = \"depth\"\nramp = \"rain\"\nminutes_max = 60\nradius_km_max = 20.0\n[[layer.isolines.levels]]\nvalue = 1.0\ntitle_zh = \"浅\"\ntitle_en = \"Shallow\"\n[[layer.isolines.levels]]\nvalue = 2.5\n";

fn found(from: &str, to: &str) -> Vec<(String, String)> {
    assert!(LINES.contains(from), "{from}");
    let text = format!("{HEAD}{}", LINES.replacen(from, to, 1));
    let problems = problems(&[("views/wells.toml", Some(text))]);
    let told = problems.into_iter();
    told.map(|problem| (problem.code, problem.place)).collect()
}

#[test]
fn right_ones_are_taken() {
    assert_eq!(found("", ""), []);
    let own = "value = 1.0\ncolour = \"#00ff00\"";
    let text = LINES
        .replace("ramp = \"rain\"\n", "method = \"inverse_distance\"\n")
        .replace("value = 1.0", own)
        .replace("value = 2.5", "value = 2.5\ncolour = \"#0000ff\"");
    let text = format!("{HEAD}{text}");
    assert_eq!(problems(&[("views/wells.toml", Some(text))]), []);
}

#[test]
fn each_mistake_has_its_line() {
    for (from, to, code, line) in [
        ("\"depth\"", "\"width\"", "view-unknown-attribute", 9),
        ("\"depth\"", "\"name\"", "view-isolines-kind", 9),
        ("= 60", "= 0", "view-isolines-limit", 11),
        ("= 60", "= 44641", "view-isolines-limit", 11),
        ("= 60", "= -1", "pack-toml", 11),
        ("= 20.0", "= 0.0", "view-isolines-limit", 12),
        ("= 20.0", "= 501.0", "view-isolines-limit", 12),
        ("= 20.0", "= nan", "view-isolines-limit", 12),
        (
            "= 20.0",
            "= 20.0\nstations_min = 2",
            "view-isolines-limit",
            13,
        ),
        ("= 20.0", "= 20.0\npower = 0.5", "view-isolines-limit", 13),
        ("= 20.0", "= 20.0\nmethod = \"kriging\"", "pack-toml", 13),
        ("= 2.5", "= 1.0", "view-isolines-levels", 18),
        ("= 2.5", "= nan", "view-isolines-levels", 18),
        // Deeper than any well can be.
        ("= 2.5", "= 100.5", "view-isolines-levels", 18),
        ("\"Shallow\"", "\"\"", "title-missing", 16),
        ("\"rain\"", "\"rainbow\"", "pack-toml", 10),
        (
            "= 2.5",
            "= 2.5\ncolour = \"#112233\"",
            "view-isolines-colours",
            19,
        ),
    ] {
        let place = format!("views/wells.toml:{line}");
        assert_eq!(found(from, to), [(code.to_owned(), place)], "{from} → {to}");
    }
}

#[test]
fn colours_are_whole() {
    let both = [12, 16].map(|line| {
        (
            "view-isolines-colours".to_owned(),
            format!("views/wells.toml:{line}"),
        )
    });
    assert_eq!(found("ramp = \"rain\"\n", ""), both, "neither ramp nor own");
    let more = "[[layer.isolines.levels]]\nvalue = 3.0\n".repeat(5);
    let told = found("value = 2.5\n", &format!("value = 2.5\n{more}"));
    assert_eq!(
        told.first()
            .map(|(code, place)| (code.as_str(), place.as_str())),
        Some(("view-isolines-colours", "views/wells.toml:10"))
    );
    let none = LINES.split("[[").next().unwrap();
    let text = format!("{HEAD}{none}");
    let told = problems(&[("views/wells.toml", Some(text))]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].code, "view-isolines-levels");
    assert_eq!(told[0].place, "views/wells.toml:8");
}
