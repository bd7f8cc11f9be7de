//! Tables that packs declare as SQL: which are right, what is told of the others, and that who may not see something does not see
//! it through them either.

use crate::common::{START, catalogue, message, rolling, value};
use arrow::array::{ArrayRef, Float64Array, StringViewArray, TimestampMicrosecondArray};
use futures::future::BoxFuture;
use lake::views::{self, Arranged, At, arrange};
use lake::{ColumnKind, Columns, Lake, Limits, Question, RecordTable, RecordTables, Sight, Wanted};
use model::{Catalogue, Problem, TableView, Value, ViewColumn, ViewColumnKind};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// `name kind, …` as a header's columns.
fn columns(said: &str) -> Vec<ViewColumn> {
    let column = |said: &str| {
        let (name, kind) = said.split_once(' ').unwrap();
        ViewColumn {
            name: name.into(),
            kind: ViewColumnKind::of(kind).unwrap(),
            unit: None,
            title_zh: "列".into(),
            title_en: "Column".into(),
            empty: false,
        }
    };
    said.split(", ").map(column).collect()
}

fn declared(name: &str, said: &str, sql: &str) -> TableView {
    TableView {
        name: name.into(),
        title_zh: "表".into(),
        title_en: "Table".into(),
        source: "a test".into(),
        columns: columns(said),
        sql: sql.into(),
        sql_line: 1,
        reads: Vec::new(),
        intake: None,
    }
}

fn arranged(declared: Vec<TableView>) -> Arranged {
    arrange(&catalogue().kinds, declared)
}

/// The only mistake of tables.
#[track_caller]
fn wrong(declared: Vec<TableView>) -> (String, At, String) {
    let arranged = arranged(declared);
    let [mistake] = arranged.mistakes.as_slice() else {
        panic!("{:?}", arranged.mistakes);
    };
    assert!(!mistake.problem.what.is_empty() && !mistake.problem.mend.is_empty());
    let (code, what) = (&mistake.problem.code, &mistake.problem.what);
    (
        code.clone(),
        mistake.at,
        format!("{}: {what}", mistake.view),
    )
}

const LEVELS: &str = "SELECT entity_id AS \"ID\", to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai') AS \"TM\", value_number AS \"Z\"
FROM observations WHERE attribute = 'waterLevel'";
const LEVELS_COLUMNS: &str = "ID text, TM clock, Z number";

fn levels() -> TableView {
    declared("ST_LEVELS", LEVELS_COLUMNS, LEVELS)
}

#[test]
fn each_stands_after_those_that_it_reads() {
    let top = declared(
        "A_TOP",
        "N integer",
        "WITH b AS (SELECT * FROM b_middle) SELECT count(*) AS \"N\" FROM b JOIN St_Levels l ON l.\"ID\" = b.\"ID\"",
    );
    let middle = declared(
        "B_MIDDLE",
        "ID text, name text",
        "SELECT l.ID AS \"ID\", n.name FROM ST_LEVELS l JOIN waterobserved_now n ON n.entity_id = l.ID",
    );
    let arranged = arranged(vec![top, middle, levels()]);
    assert_eq!(arranged.mistakes, []);
    let told: Vec<(&str, Vec<&str>)> = (arranged.views.iter())
        .map(|view| {
            let mut reads: Vec<&str> = view.reads.iter().map(String::as_str).collect();
            reads.sort_unstable();
            (view.name.as_str(), reads)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ST_LEVELS", vec!["observations"]),
            ("B_MIDDLE", vec!["ST_LEVELS", "WaterObserved_now"]),
            ("A_TOP", vec!["B_MIDDLE", "ST_LEVELS"]),
        ]
    );
}

#[test]
fn every_mistake_is_told_where_it_is() {
    let one = |name: &str, said: &str, sql: &str| vec![declared(name, said, sql)];
    for (views, code, at, words) in [
        (
            one("1st", "a integer", "SELECT 1 AS a"),
            "table-name",
            At::Name,
            "1st",
        ),
        (
            one("observations_1d", "a integer", "SELECT 1 AS a"),
            "table-taken",
            At::Name,
            "already",
        ),
        (
            one("STREETLIGHT_NOW", "a integer", "SELECT 1 AS a"),
            "table-taken",
            At::Name,
            "already",
        ),
        (
            one("T", "a integer", "SELECT 1 AS b"),
            "table-columns",
            At::Column(0),
            "is b",
        ),
        (
            one("T", "a integer, b integer", "SELECT 1 AS a"),
            "table-columns",
            At::Column(1),
            "without b",
        ),
        (
            one("T", "a integer", "SELECT 1 AS a, 2 AS c"),
            "table-columns",
            At::Statement,
            "no column c",
        ),
        (
            one("T", "a integer, A integer", "SELECT 1 AS a, 2 AS \"A\""),
            "table-columns",
            At::Column(1),
            "twice",
        ),
        (
            one("T", "Z text", "SELECT 1.5 AS \"Z\""),
            "table-columns",
            At::Column(0),
            "as number",
        ),
        (
            one("T", "a integer", "SELECT 1 AS a\nFROM nowhere"),
            "sql-table-unknown",
            At::Line(2),
            "nowhere",
        ),
        (
            one("T", "a integer", "SELECT 1 AS a FROM entities_now"),
            "sql-table-unknown",
            At::Line(1),
            "entities_now",
        ),
        (
            one("T", "a number", "SELECT\n wrong AS a\nFROM observations"),
            "sql-column-unknown",
            At::Line(2),
            "wrong",
        ),
        (
            one("T", "a integer", "SELECT 1 AS a\nGROUP GROUP"),
            "sql-syntax",
            At::Line(2),
            "",
        ),
        (
            one("T", "a integer", "DELETE FROM observations"),
            "sql-not-reading",
            At::Statement,
            "DELETE",
        ),
        (
            one("T", "a integer", "EXPLAIN SELECT 1 AS a"),
            "table-query",
            At::Statement,
            "no query",
        ),
        (
            one(
                "T",
                "a integer",
                "SELECT journal_position AS a FROM observations WHERE value_number > $1",
            ),
            "table-parameters",
            At::Statement,
            "",
        ),
        (
            one(
                "T",
                "d time",
                "SELECT CAST(observed_at AS DATE) AS d FROM observations",
            ),
            "table-zone",
            At::Statement,
            "the zone",
        ),
        (
            one(
                "T",
                "d clock",
                "SELECT to_local_time(observed_at) AS d FROM observations",
            ),
            "table-zone",
            At::Statement,
            "the zone",
        ),
        (
            one("T", "a text", "SELECT \"ID\" AS a FROM t"),
            "table-cycle",
            At::Statement,
            "itself",
        ),
        (
            vec![levels(), levels()],
            "table-taken",
            At::Name,
            "ST_LEVELS",
        ),
    ] {
        let told = wrong(views.clone());
        assert_eq!((told.0.as_str(), told.1), (code, at), "{views:?}: {told:?}");
        assert!(told.2.contains(words), "{told:?}");
    }
}

#[test]
fn circles_and_towers_and_crowds_are_refused() {
    // Two that read each other, and one that reads one of them, which says nothing more.
    let circle = vec![
        declared("A", "x integer", "SELECT x FROM \"B\""),
        declared("B", "x integer", "SELECT x FROM \"A\""),
        declared("C", "x integer", "SELECT x FROM \"A\""),
    ];
    let told = arranged(circle);
    let codes: Vec<_> = (told.mistakes.iter())
        .map(|m| (m.view.as_str(), m.problem.code.as_str()))
        .collect();
    assert_eq!(codes, [("A", "table-cycle"), ("B", "table-cycle")]);
    assert_eq!(told.views, []);

    let tower = (1..=views::DEPTH_MAX + 1).map(|n| {
        let below = match n {
            1 => "SELECT 1 AS x FROM observations".to_owned(),
            n => format!("SELECT x FROM \"T{}\"", n - 1),
        };
        declared(&format!("T{n}"), "x integer", &below)
    });
    let told = wrong(tower.collect());
    assert_eq!(told.0, "table-depth");

    let reads: Vec<&str> = vec!["SELECT 1 AS x FROM observations"; views::SCANS_MAX + 1];
    let told = wrong(vec![declared(
        "MANY",
        "x integer",
        &reads.join(" UNION ALL "),
    )]);
    assert_eq!(told.0, "table-scans");
    let just: String = reads[1..].join(" UNION ALL ");
    assert_eq!(
        arranged(vec![declared("MANY", "x integer", &just)]).mistakes,
        []
    );

    let long = format!("SELECT 1 AS x -- {}", "x".repeat(views::SQL_BYTES_MAX));
    assert_eq!(
        wrong(vec![declared("LONG", "x integer", &long)]).0,
        "sql-length"
    );
    let crowd = (0..=views::VIEWS_MAX)
        .map(|n| declared(&format!("V{n}"), "x integer", "SELECT 1 AS x"))
        .collect();
    assert_eq!(wrong(crowd).0, "table-count");
    let wide: Vec<String> = (0..=views::COLUMNS_MAX)
        .map(|n| format!("c{n} integer"))
        .collect();
    let gives: Vec<String> = (0..=views::COLUMNS_MAX)
        .map(|n| format!("1 AS c{n}"))
        .collect();
    let wide = declared(
        "WIDE",
        &wide.join(", "),
        &format!("SELECT {}", gives.join(", ")),
    );
    assert_eq!(wrong(vec![wide]).0, "table-columns");
}

/// Sees levels of even stations.
#[derive(Debug)]
struct Even;

impl Sight for Even {
    fn sees(&self, entity_id: &str, _: &str, attribute: &str) -> bool {
        attribute == "waterLevel" && entity_id.ends_with(['0', '2', '4', '6', '8'])
    }
}

/// Lends current values, and sees only [`Even`] of history when it is narrow.
#[derive(Clone, Copy)]
struct Asker {
    may_read_now: bool,
    narrow: bool,
}

const NOW: [(&str, &str); 2] = [
    ("urn:ngsi-ld:WaterObserved:s-1", "甲"),
    ("urn:ngsi-ld:WaterObserved:s-2", "乙"),
];

impl RecordTables for Asker {
    fn tables(&self) -> Vec<RecordTable> {
        let text = |name: &str| (name.to_owned(), ColumnKind::Text);
        let columns = vec![
            text("entity_id"),
            text("entity_type"),
            text("attribute"),
            ("value_number".into(), ColumnKind::Number),
            text("value_text"),
            text("value_json"),
            ("observed_at".into(), ColumnKind::Time),
        ];
        let table = RecordTable {
            name: "entities_now".into(),
            description: "Current values.".into(),
            columns,
        };
        Vec::from_iter(self.may_read_now.then_some(table))
    }
    fn rows(&self, _: &str) -> BoxFuture<'_, Result<Vec<Vec<Json>>, Problem>> {
        panic!("a paged table is not asked for as rows")
    }
    fn is_paged(&self, _: &str) -> bool {
        true
    }
    fn current(&self) -> Option<&'static str> {
        self.may_read_now.then_some("entities_now")
    }
    fn sight(&self) -> Option<Arc<dyn Sight>> {
        self.narrow.then(|| Arc::new(Even) as Arc<dyn Sight>)
    }
    fn page(&self, _: &str, wanted: &Wanted, _: Option<&str>) -> Result<Columns, Problem> {
        let texts = |of: fn(&(&'static str, &'static str)) -> Option<&'static str>| -> ArrayRef {
            Arc::new(StringViewArray::from_iter(NOW.iter().map(of)))
        };
        let array = |column: &usize| -> ArrayRef {
            match *column {
                0 => texts(|row| Some(row.0)),
                1 => texts(|_| Some("WaterObserved")),
                2 => texts(|_| Some("name")),
                3 => Arc::new(Float64Array::from_iter(NOW.iter().map(|_| None))),
                4 => texts(|row| Some(row.1)),
                5 => texts(|_| None),
                _ => Arc::new(
                    TimestampMicrosecondArray::from_iter_values(NOW.iter().map(|_| 0))
                        .with_timezone("UTC"),
                ),
            }
        };
        Ok(Columns {
            rows: NOW.len(),
            arrays: wanted.columns.iter().map(array).collect(),
            next: None,
        })
    }
}

const ALL: Asker = Asker {
    may_read_now: true,
    narrow: false,
};

/// Twenty levels of two stations, one a minute, half of them in a file.
fn lake(dir: &tempfile::TempDir) -> Lake {
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    for n in 0..20_u64 {
        let at = START.plus_seconds(60 * n as i64);
        let said = vec![value("waterLevel", Value::Number(20.0 + n as f64), at)];
        let station = format!("s-{}", 1 + n % 2);
        lake.apply(n, &message("WaterObserved", &station, at, said));
        if n == 9 {
            lake.seal().unwrap();
        }
    }
    lake
}

/// Levels with names, on levels.
fn city() -> Catalogue {
    let named = declared(
        "ST_NAMED",
        "STNM text, TM clock, Z number",
        "SELECT n.name AS \"STNM\", l.TM AS \"TM\", l.Z AS \"Z\" FROM ST_LEVELS l JOIN WaterObserved_now n ON n.entity_id = l.ID",
    );
    let arranged = arranged(vec![levels(), named]);
    assert_eq!(arranged.mistakes, []);
    Catalogue {
        views: arranged.views,
        ..catalogue()
    }
}

async fn ask(lake: &Lake, asker: Asker, zone: Option<&str>, sql: &str) -> Result<Json, Problem> {
    let question = Question {
        sql,
        parameters: Vec::new(),
        tables: Arc::new(asker),
        catalogue: &city(),
        zone: zone.map(Into::into),
    };
    let mut answer = lake.query_stream(question, &Limits::default()).await?;
    let mut rows = Vec::new();
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        let columns = batch
            .columns()
            .iter()
            .map(|c| lake::json_values(c).unwrap());
        let columns: Vec<Vec<Json>> = columns.collect();
        rows.extend((0..batch.num_rows()).map(|n| {
            let row = columns.iter().map(|column| column[n].clone());
            Json::from_iter(row)
        }));
    }
    Ok(Json::Array(rows))
}

#[tokio::test]
async fn a_declared_table_is_asked_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let first = "SELECT stnm, tm, Z FROM st_named ORDER BY tm LIMIT 2";
    // The tests' clock starts at 08:00 UTC, when Beijing shows 16:00; whoever asks, and from which zone.
    let shown = json!([
        ["甲", "2026-11-23T16:00:00", 20.0],
        ["乙", "2026-11-23T16:01:00", 21.0]
    ]);
    for zone in [
        None,
        Some("UTC"),
        Some("Asia/Shanghai"),
        Some("America/New_York"),
    ] {
        assert_eq!(
            ask(&lake, ALL, zone, first).await.unwrap(),
            shown,
            "{zone:?}"
        );
    }
    let joined = "SELECT count(*) FROM ST_NAMED n JOIN ST_LEVELS l ON l.TM = n.TM WHERE n.\"Z\" >= 30 AND l.TM >= TIMESTAMP '2026-11-23 16:15:00'";
    assert_eq!(ask(&lake, ALL, None, joined).await.unwrap(), json!([[5]]));
    let listed = "SELECT table_name, table_type FROM information_schema.tables WHERE table_name LIKE 'ST%' ORDER BY 1";
    assert_eq!(
        ask(&lake, ALL, None, listed).await.unwrap(),
        json!([["ST_LEVELS", "VIEW"], ["ST_NAMED", "VIEW"]])
    );
    let kinds = lake.tables(&city(), &ALL);
    let named = kinds.iter().find(|t| t.name == "ST_NAMED").unwrap();
    assert_eq!(named.columns[1], ("TM".to_owned(), ColumnKind::Clock));
    let question = Question {
        sql: "SELECT * FROM ST_NAMED",
        parameters: Vec::new(),
        tables: Arc::new(ALL),
        catalogue: &city(),
        zone: None,
    };
    let described = lake.describe(question, &Limits::default()).await.unwrap();
    let kinds: Vec<ColumnKind> = (described.schema.fields().iter())
        .map(|field| ColumnKind::of(field))
        .collect();
    assert_eq!(
        kinds,
        [ColumnKind::Text, ColumnKind::Clock, ColumnKind::Number]
    );
}

#[tokio::test]
async fn what_may_not_be_seen_comes_through_no_declared_table() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let narrow = Asker {
        narrow: true,
        ..ALL
    };
    for (sql, all, seen) in [
        (
            "SELECT count(*), min(\"Z\") FROM ST_LEVELS",
            json!([[20, 20.0]]),
            json!([[10, 21.0]]),
        ),
        (
            "SELECT DISTINCT STNM FROM ST_NAMED ORDER BY 1",
            json!([["乙"], ["甲"]]),
            json!([["乙"]]),
        ),
        // A condition that would fail on a hidden row is not asked of it.
        (
            "SELECT count(*) FROM ST_LEVELS WHERE 1 / CAST(\"Z\" - 20 AS BIGINT) >= 0",
            json!(null),
            json!([[10]]),
        ),
    ] {
        match ask(&lake, ALL, None, sql).await {
            Ok(answer) => assert_eq!(answer, all, "{sql}"),
            Err(problem) => assert_eq!(all, json!(null), "{sql}: {problem}"),
        }
        assert_eq!(ask(&lake, narrow, None, sql).await.unwrap(), seen, "{sql}");
    }
    // Who may not read current values has only the tables that do without.
    let blind = Asker {
        may_read_now: false,
        ..ALL
    };
    let told = ask(&lake, blind, None, "SELECT * FROM ST_NAMED")
        .await
        .unwrap_err();
    assert_eq!(told.code, "sql-table-unknown");
    let names: Vec<String> = (lake.tables(&city(), &blind).into_iter())
        .map(|t| t.name)
        .filter(|name| name.starts_with("ST_"))
        .collect();
    assert_eq!(names, ["ST_LEVELS"]);
    let counted = ask(&lake, blind, None, "SELECT count(*) FROM ST_LEVELS").await;
    assert_eq!(counted.unwrap(), json!([[20]]));
}

#[tokio::test]
async fn an_error_inside_names_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let mut catalogue = city();
    catalogue.views[0].sql = "SELECT\n gone AS \"ID\" FROM observations".into();
    let told = lake
        .query(
            "SELECT * FROM ST_LEVELS",
            &Limits::default(),
            Arc::new(ALL),
            &catalogue,
        )
        .await
        .unwrap_err();
    assert_eq!(
        (told.code.as_str(), told.place.as_str()),
        ("sql-column-unknown", "table ST_LEVELS, line 2, column 2")
    );
}
