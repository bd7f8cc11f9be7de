//! The key projects of the plan (重点项目): as many as its boxes list, counted by hand and from the text, each in the plan's own words.

use pack::{Packs, embedded};

fn all() -> Packs {
    Packs::load_all(embedded(), None).unwrap()
}

/// The lines of a box: from its heading to the next heading of a section.
fn lines(text: &str, plan_box: u8) -> Vec<&str> {
    let heading = format!("专栏{plan_box} ");
    let after = text.lines().skip_while(|line| !line.starts_with(&heading));
    let is_heading = |line: &&str| line.starts_with('(') || line.contains("、应用场景");
    let inside = after.skip(1).take_while(|line| !is_heading(line));
    inside.filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn each_box_has_as_many_projects_as_a_person_counts_in_it() {
    let packs = all();
    let text = &packs.plan.as_ref().unwrap().text;
    for (plan_box, by_hand) in [(1, 5), (2, 9), (3, 2)] {
        let declared = packs.projects.iter().filter(|p| p.plan_box == plan_box);
        assert_eq!(declared.count(), by_hand, "box {plan_box}");
        // A project's line is its name, a colon and what is built; one project goes on for a second line, which has no name.
        let named = lines(text, plan_box);
        let named = named.iter().filter(|line| {
            let name = line.split(':').next().unwrap_or_default();
            name.ends_with("项目") || name.ends_with("建设")
        });
        assert_eq!(named.count(), by_hand, "box {plan_box} in the text");
    }
    assert_eq!(packs.projects.len(), 16);
}

#[test]
fn each_project_stands_in_its_box_whole() {
    let packs = all();
    let squeeze = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let text = &packs.plan.as_ref().unwrap().text;
    for plan_box in 1..=3 {
        let inside = squeeze(&lines(text, plan_box).concat());
        let declared = packs.projects.iter().filter(|p| p.plan_box == plan_box);
        let declared: String = declared.map(|p| squeeze(&p.quote)).collect();
        assert_eq!(declared, inside, "box {plan_box}");
    }
}

#[test]
fn a_wrong_quote_is_found() {
    let packs = all();
    let plan = packs.plan.as_ref().unwrap();
    let mut pack = packs
        .packs
        .iter()
        .find(|p| p.plan.is_some())
        .unwrap()
        .clone();
    assert_eq!(pack::verify_quotes(&pack, &plan.text), vec![]);
    pack.projects[8].quote =
        "天门市西寺路立体停车场项目:新建停车位241个,配套相应新能源充电桩。".into();
    let found = pack::verify_quotes(&pack, &plan.text);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].place.ends_with("projects.toml: xisi-road-parking"),
        "{found:?}"
    );
}
