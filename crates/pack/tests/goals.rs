//! The goals of the plan's text: the list is whole, by counts made by hand from the plan, and what does not fit is told.

use indicators::Origin;
use pack::goals::Goals;
use pack::{Files, Pack, check, embedded};
use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/pack-plan")
}

fn plan() -> Pack {
    let files = embedded()
        .into_iter()
        .find(|files| files.name() == "pack-plan");
    Pack::load(&files.unwrap()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn goals() -> Goals {
    plan().goals.unwrap()
}

#[test]
fn every_paragraph_has_the_goals_that_were_counted_by_hand() {
    let goals = goals();
    let found: Vec<(String, usize)> = (goals.paragraphs.iter())
        .map(|p| (p.section.chars().take(8).collect(), p.goals.len()))
        .collect();
    let by_hand = [
        ("二、(三)规划目", 14),
        ("二、(三)规划目", 16),
        ("三、(一)1.加", 6),
        ("三、(一)2.加", 3),
        ("三、(一)3.建", 4),
        ("三、(一)4.推", 1),
        ("三、(一)5.打", 6),
        ("三、(一)6.加", 0),
        ("专栏1  信息基", 5),
        ("三、(二)3.构", 2),
        ("三、(二)4.建", 0),
        ("三、(二)5.打", 2),
        ("三、(二)6.推", 3),
        ("三、(二)7.完", 0),
        ("三、(二)8.建", 0),
        ("专栏2  融合基", 10),
        ("三、(三)1.布", 1),
        ("三、(三)2.建", 1),
        ("专栏3  创新基", 0),
        ("四、(四)智慧医", 3),
    ];
    let by_hand = by_hand.map(|(section, n)| (section.to_owned(), n));
    assert_eq!(found, by_hand);
    assert_eq!(by_hand.iter().map(|(_, n)| n).sum::<usize>(), 77);
    let excluded = goals.paragraphs.iter().map(|p| p.excluded.len());
    assert_eq!(excluded.sum::<usize>(), 24);
}

#[test]
fn the_goals_are_of_56_indicators_16_of_the_table_and_40_of_the_text() {
    let plan = plan();
    let of = |origin| {
        plan.indicators
            .iter()
            .filter(|i| i.origin == origin)
            .count()
    };
    assert_eq!(
        (of(Origin::Table), of(Origin::Text), of(Origin::Platform)),
        (16, 40, 3)
    );
    let goals = plan.goals.unwrap();
    let named: std::collections::BTreeSet<&str> = (goals.paragraphs.iter())
        .flat_map(|p| p.goals.iter().flat_map(|g| &g.indicators))
        .map(String::as_str)
        .collect();
    assert_eq!(named.len(), 56);
    // The table is its own sixteen rows, in its order.
    let table = &goals.paragraphs[1];
    let numbers = table.goals.iter().map(|goal| {
        let [id] = goal.indicators.as_slice() else {
            panic!("{goal:?}")
        };
        let of = plan.indicators.iter().find(|i| i.id == *id).unwrap();
        of.number.parse::<usize>().unwrap()
    });
    assert!(numbers.eq(1..=16));
}

#[test]
fn every_indicator_has_somebody_who_answers_for_it() {
    for indicator in plan().indicators {
        assert!(indicator.responsible.is_some(), "{}", indicator.file);
    }
}

/// The codes after a change of a file of the plan's pack.
fn codes(file: &str, change: impl Fn(String) -> String) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("pack-plan");
    copy(&folder(), &target);
    let path = target.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text);
    std::fs::write(&path, changed).unwrap();
    check(&target).into_iter().map(|p| p.code).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

const LIST: &str = "goals-by-paragraph.toml";

#[test]
fn a_goal_that_is_missed_or_misquoted_is_told() {
    // A goal left out; a reason left out: both bear numbers.
    let without = |words: &'static str| {
        move |text: String| {
            let lines = text.lines().filter(|line| !line.contains(words));
            lines.collect::<Vec<_>>().join("\n")
        }
    };
    assert_eq!(
        codes(LIST, without("支撑3000台服务器")),
        ["goal-missed", "goal-unnamed"]
    );
    assert_eq!(codes(LIST, without("“24小时自助办”")), ["goal-missed"]);
    assert_eq!(
        codes(LIST, without("健康档案人人拥有")),
        ["goal-missed", "goal-missed", "goal-unnamed"]
    );
    // The plan says one number more: found, in digits, in Chinese, and as \"all\".
    for more in ["建设9个水库", "建设九个水库", "水库全覆盖", "水库百分之五"]
    {
        let grown = |text: String| text.replace("推动水利现代化建设迈上新台阶", more);
        assert_eq!(codes("plan.txt", grown), ["goal-missed"], "{more}");
    }
    // Another paragraph's words, words that nobody wrote, an indicator that is not there or not named.
    let swapped = |text: String| text.replacen("全市5G基站突破1800个", "支撑3000台服务器", 1);
    assert_eq!(codes(LIST, swapped), ["goal-quote", "goal-missed"]);
    let wrong = |text: String| text.replacen("[\"fibre-length\"]", "[\"fibre\"]", 1);
    assert_eq!(codes(LIST, wrong), ["goal-indicator"]);
    let none = |text: String| text.replacen("[\"fibre-length\"]", "[]", 1);
    assert_eq!(codes(LIST, none), ["goal-indicator"]);
    // A section that the plan does not have, and one that is there twice.
    let renamed =
        |text: String| text.replace("四、(四)智慧医疗专题应用", "四、(四)智慧水疗专题应用");
    let found = codes(LIST, renamed);
    assert!(
        found.contains(&"goal-section".to_owned()) && found.contains(&"goal-missed".to_owned())
    );
    let twice = |text: String| text + "\n[[paragraph]]\nsection = \"专栏3\"\n";
    assert_eq!(codes(LIST, twice), ["goal-section"]);
}
