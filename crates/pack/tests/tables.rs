//! Tables that packs declare as SQL: their files are read, checked and told with their line, clash by name whatever its capitals,
//! and are part of a reload; and the carried ones are right.

use pack::{Packs, check, embedded};
use std::path::Path;

const WELLS: &str = "-- # Wells.
-- title_zh: 井
-- title_en: Wells
-- source: a test
-- column: CD | text | | 编码 | Code
-- column: TM | clock | | 时间 | Time
-- column: Z | number | m | 液位 | Level
-- column: WTH | text | | 天气 | Weather | none

SELECT
  entity_id AS \"CD\",
  to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai') AS \"TM\",
  level AS \"Z\", CAST(NULL AS VARCHAR) AS \"WTH\"
FROM WellsObserved
";

/// A new pack with these files more.
fn write(root: &Path, name: &str, more: &[(&str, &str)]) {
    let folder = root.join(format!("pack-{name}"));
    let made = pack::scaffold(name).unwrap();
    let more = more
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    for (path, text) in made.into_iter().chain(more) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Code and place of every mistake of a pack with these tables.
fn mistakes(tables: &[(&str, &str)]) -> Vec<(String, String)> {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "wells", tables);
    let folder = root.path().join("pack-wells");
    let cut = format!("{}/", folder.display());
    let told = check(&folder).into_iter();
    told.map(|problem| {
        assert!(!problem.what.is_empty() && !problem.mend.is_empty());
        (problem.code, problem.place.replace(&cut, ""))
    })
    .collect()
}

#[test]
fn a_table_of_a_pack_is_read_with_its_header() {
    assert_eq!(mistakes(&[("tables/ST_WELL_R.sql", WELLS)]), []);
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "wells", &[("tables/ST_WELL_R.sql", WELLS)]);
    let packs = Packs::load_all(Vec::new(), Some(root.path())).unwrap();
    let view = packs.catalogue.view("ST_WELL_R").unwrap();
    assert_eq!(
        (view.sql_line, view.reads.as_slice()),
        (10, ["WellsObserved".to_owned()].as_slice())
    );
    let told: Vec<_> = (view.columns.iter())
        .map(|c| (c.name.as_str(), c.kind.as_str(), c.unit.as_deref(), c.empty))
        .collect();
    assert_eq!(
        told,
        [
            ("CD", "text", None, false),
            ("TM", "clock", None, false),
            ("Z", "number", Some("m"), false),
            ("WTH", "text", None, true),
        ]
    );
    assert_eq!(
        (
            view.title_zh.as_str(),
            view.title_en.as_str(),
            view.source.as_str()
        ),
        ("井", "Wells", "a test")
    );
}

/// The table with a way in.
fn with_way(way: &str) -> String {
    WELLS.replacen("-- column: CD", &format!("{way}-- column: CD"), 1)
}

#[test]
fn a_way_in_is_read_and_checked() {
    let path = "tables/ST_WELL_R.sql";
    let way = "-- in: WellsObserved | CD = name | TM +08:00\n";
    let level = "-- in-value: Z = level | CMT\n";
    assert_eq!(mistakes(&[(path, &with_way(&[way, level].concat()))]), []);
    let root = tempfile::tempdir().unwrap();
    let text = with_way(&[way, level].concat());
    write(root.path(), "wells", &[(path, &text)]);
    let packs = Packs::load_all(Vec::new(), Some(root.path())).unwrap();
    let intake = packs.catalogue.view("ST_WELL_R").unwrap().intake.as_ref();
    let intake = intake.unwrap();
    assert_eq!(
        (
            intake.key_attribute.as_str(),
            intake.values[0].unit.as_deref()
        ),
        ("name", Some("CMT"))
    );
    for (way, code, line) in [
        ([way, ""], "table-header", 5),
        (["", level], "table-header", 5),
        (["-- in: WellsObserved | CD\n", level], "table-header", 5),
        ([way, "-- in-value: Z level\n"], "table-header", 6),
        (
            ["-- in: Drains | CD = name | TM +08:00\n", level],
            "table-in",
            5,
        ),
        (
            ["-- in: WellsObserved | CD = level | TM +08:00\n", level],
            "table-in",
            5,
        ),
        (
            ["-- in: WellsObserved | Z = name | TM +08:00\n", level],
            "table-in",
            5,
        ),
        (
            ["-- in: WellsObserved | CD = name | Z +08:00\n", level],
            "table-in",
            5,
        ),
        ([way, "-- in-value: WTH = name\n"], "table-in", 6),
        ([way, "-- in-value: Z = depth | MTR\n"], "table-in", 6),
        ([way, "-- in-value: Z = level\n"], "table-in", 6),
        ([way, "-- in-value: Z = level | KGM\n"], "table-in", 6),
        ([way, "-- in-value: Z = level | SEC\n"], "table-in", 6),
        ([way, "-- in-value: CD = level | MTR\n"], "table-in", 6),
        ([way, "-- in-value: Z, Z = level | MTR\n"], "table-in", 6),
        (
            [way, "-- in-value: Z = level | MTR | XX = 1\n"],
            "table-in",
            6,
        ),
    ] {
        let told = mistakes(&[(path, &with_way(&way.concat()))]);
        assert_eq!(
            told,
            [(code.to_owned(), format!("{path}:{line}"))],
            "{way:?}"
        );
    }
}

#[test]
fn every_mistake_has_its_line() {
    let path = "tables/ST_WELL_R.sql";
    for (from, to, code, line) in [
        ("-- title_zh: 井\n", "", "table-header", 1),
        ("-- title_zh: 井", "-- title_zh:", "table-header", 2),
        (
            "-- title_en: Wells",
            "-- title_zh: Wells",
            "table-header",
            3,
        ),
        ("-- # Wells.", "-- Wells.", "table-header", 1),
        ("-- source", "-- from", "table-header", 4),
        ("| none", "| nothing", "table-header", 8),
        ("| 液位 | Level", "| 液位", "table-header", 7),
        ("| 液位 | Level", "| | Level", "table-header", 7),
        ("Z | number", "Z | metres", "table-header", 7),
        ("Z | number", "Z | text", "table-columns", 7),
        ("level AS \"Z\"", "level AS Z", "table-columns", 7),
        ("  level AS", "  depth AS", "sql-column-unknown", 13),
        (
            "FROM WellsObserved",
            "FROM DrainsObserved",
            "sql-table-unknown",
            14,
        ),
        (
            "FROM WellsObserved",
            "FROM entities_now",
            "sql-table-unknown",
            14,
        ),
        ("SELECT\n", "DELETE\n", "sql-not-reading", 10),
        (" AT TIME ZONE 'Asia/Shanghai'", "", "table-zone", 10),
    ] {
        assert!(WELLS.contains(from), "{from}");
        let told = mistakes(&[(path, &WELLS.replacen(from, to, 1))]);
        let first = told
            .first()
            .map(|(code, place)| (code.as_str(), place.clone()));
        assert_eq!(
            first,
            Some((code, format!("{path}:{line}"))),
            "{to}: {told:?}"
        );
    }
    let only_header = WELLS.split("\nSELECT").next().unwrap();
    assert_eq!(
        mistakes(&[(path, only_header)]),
        [("table-header".into(), format!("{path}:8"))]
    );
    for name in [
        "cases",
        "Entities_Now",
        "pg_class",
        "wellsobserved_now",
        "Observations_1h",
        "1st",
    ] {
        let path = format!("tables/{name}.sql");
        let told = mistakes(&[(&path, WELLS)]);
        let code = if name == "1st" {
            "table-name"
        } else {
            "table-taken"
        };
        assert_eq!(told, [(code.to_owned(), format!("{path}:1"))], "{name}");
    }
}

#[test]
fn tables_of_two_packs_clash_by_name() {
    let drains = WELLS.replace("WellsObserved", "DrainsObserved");
    for (name, is_clash) in [
        ("st_well_r", true),
        ("WellsObserved_NOW", true),
        ("ST_DRAIN_R", false),
    ] {
        let path = format!("tables/{name}.sql");
        let root = tempfile::tempdir().unwrap();
        for (pack, more) in [
            ("wells", ("tables/ST_WELL_R.sql", WELLS)),
            ("drains", (path.as_str(), drains.as_str())),
        ] {
            write(root.path(), pack, &[more]);
        }
        match Packs::load_all(Vec::new(), Some(root.path())) {
            Ok(packs) => {
                assert!(!is_clash, "{name}");
                assert_eq!(packs.catalogue.views.len(), 2);
            }
            Err(problems) => {
                assert!(is_clash, "{name}: {problems:?}");
                assert_eq!(problems[0].code, "pack-clash");
            }
        }
    }
}

#[test]
fn a_reload_tells_which_tables_change() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "wells",
        &[("tables/A.sql", WELLS), ("tables/B.sql", WELLS)],
    );
    let old = Packs::load_all(Vec::new(), Some(root.path())).unwrap();
    write(
        root.path(),
        "wells",
        &[
            ("tables/A.sql", &WELLS.replace("level AS", "2 * level AS")),
            ("tables/C.sql", WELLS),
        ],
    );
    std::fs::remove_file(root.path().join("pack-wells/tables/B.sql")).unwrap();
    let new = Packs::load_all(Vec::new(), Some(root.path())).unwrap();
    let changes = pack::reload::changes(&old, &new).unwrap();
    assert_eq!(
        (changes.added, changes.changed, changes.removed),
        (
            vec!["table C".to_owned()],
            vec!["table A".to_owned()],
            vec!["table B".to_owned()]
        )
    );
}

#[test]
fn the_carried_tables_are_right() {
    let packs = Packs::load_all(embedded(), None).unwrap();
    let names: Vec<&str> = packs
        .catalogue
        .views
        .iter()
        .map(|view| view.name.as_str())
        .collect();
    for name in [
        "ST_STBPRP_B",
        "ST_RIVER_R",
        "ST_PPTN_R",
        "ST_RSVR_R",
        "ST_WAS_R",
        "ST_PUMP_R",
        "ST_RVFCCH_B",
        "ST_RSVRFCCH_B",
        "ST_RSVRFSR_B",
        "ST_ZQRL_B",
        "ST_FORECAST_F",
    ] {
        assert!(names.contains(&name), "{name}");
    }
}
