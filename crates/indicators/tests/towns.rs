//! Towns compared: shares and pulls, what their change did for the way to the target, and what cannot be told.

use indicators::towns::{Compared, TownFigures};
use indicators::{Definition, Towns, parse};

/// From 100 to a target of 300, of towns that are summed up or averaged.
fn definition(towns: &str, direction: &str, target: &str) -> Definition {
    let text = format!(
        "\
-- id: x
-- number: 1
-- origin: table
-- group_zh: 组
-- group_en: group
-- subgroup_zh: 组
-- subgroup_en: group
-- name_zh: 名
-- name_en: name
-- unit_zh: 个
-- unit_en: things
-- direction: {direction}
-- baseline: 100
-- baseline_year: 2020
-- target: {target}
-- target_year: 2030
-- method: computed
-- source_zh: 源
-- source_en: source
-- path: linear
-- towns: {towns}
-- place: 一 | 二
SELECT 1 AS value;
-- rows:
SELECT 1;
-- towns:
SELECT 'a' AS town_code, 1 AS value;
"
    );
    parse("x.sql", &text).unwrap()
}

fn figures(all: &[(Option<f64>, Option<f64>)]) -> Vec<TownFigures> {
    let all = all.iter();
    all.map(|(value, before)| TownFigures {
        value: *value,
        before: *before,
    })
    .collect()
}

fn near(found: Option<f64>, expected: f64) {
    assert!(
        found.is_some_and(|found| (found - expected).abs() < 1e-12),
        "{found:?} is not {expected}"
    );
}

#[test]
fn shares_and_the_way_of_a_sum_add_up_to_the_citys() {
    let d = definition("sum", "more", "300");
    assert_eq!(d.towns, Towns::Sum);
    // 120 then, 200 now, of a city's figure of 250: 50 have no town. 180 were missing, 80 of them were made good.
    let all = figures(&[
        (Some(120.0), Some(80.0)),
        (Some(80.0), None),
        (None, Some(40.0)),
        (None, None),
    ]);
    let found = d.compare_towns(Some(250.0), &all);
    let of = |n: usize| found.towns[n];
    near(of(0).share, 120.0 / 250.0);
    near(of(1).share, 80.0 / 250.0);
    assert_eq!((of(2).share, of(0).pull), (None, None));
    assert_eq!(
        found.towns.iter().map(|t| t.change).collect::<Vec<_>>(),
        [Some(40.0), Some(80.0), Some(-40.0), None]
    );
    near(of(0).way, 40.0 / 180.0);
    near(of(2).way, -40.0 / 180.0);
    assert_eq!((found.before, found.change), (Some(120.0), Some(80.0)));
    near(found.way, 80.0 / 180.0);
    assert_eq!(
        found.towns.iter().map(|t| t.rank).collect::<Vec<_>>(),
        [Some(1), Some(2), None, None]
    );
}

#[test]
fn the_pulls_on_a_mean_cancel_out_and_towns_with_one_value_changed_nothing_known() {
    let d = definition("mean", "more", "300");
    // Mean 200 now, 120 of the two then.
    let all = figures(&[
        (Some(100.0), Some(80.0)),
        (Some(300.0), Some(160.0)),
        (Some(200.0), None),
    ]);
    let found = d.compare_towns(Some(200.0), &all);
    let pulls: Vec<f64> = found.towns.iter().filter_map(|t| t.pull).collect();
    assert_eq!(pulls.len(), 3);
    assert!(pulls.iter().sum::<f64>().abs() < 1e-12);
    near(found.towns[1].pull, 100.0 / 3.0);
    assert!(found.towns.iter().all(|t| t.share.is_none()));
    assert_eq!(found.towns[2].change, None);
    near(found.towns[1].way, 140.0 / 3.0 / 180.0);
    assert_eq!(found.before, Some(120.0));
    near(found.way, 160.0 / 3.0 / 180.0);
}

#[test]
fn less_is_better_where_it_is_and_the_same_value_has_the_same_place() {
    let d = definition("mean", "less", "50");
    let all = figures(&[
        (Some(90.0), Some(100.0)),
        (Some(70.0), Some(100.0)),
        (Some(70.0), Some(100.0)),
    ]);
    let found = d.compare_towns(None, &all);
    assert_eq!(
        found.towns.iter().map(|t| t.rank).collect::<Vec<_>>(),
        [Some(3), Some(1), Some(1)]
    );
    // 50 were too much; the first town took 10 / 3 of it away.
    near(found.towns[0].way, 10.0 / 3.0 / 50.0);
    assert!(found.towns.iter().all(|t| t.way.is_some_and(|w| w > 0.0)));
}

#[test]
fn nothing_is_told_that_cannot_be() {
    let d = definition("sum", "more", "300");
    // No day; a city of nothing; a target that was reached then.
    let none = d.compare_towns(Some(0.0), &figures(&[(Some(1.0), None)]));
    assert_eq!(none.towns[0].share, None);
    assert_eq!(
        (none.towns[0].change, none.before, none.way),
        (None, None, None)
    );
    let over = d.compare_towns(Some(400.0), &figures(&[(Some(400.0), Some(310.0))]));
    assert_eq!((over.towns[0].change, over.way), (Some(90.0), None));
    assert_eq!(d.compare_towns(None, &[]), Compared::default());
}
