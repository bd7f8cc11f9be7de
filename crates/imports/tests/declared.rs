//! Files whose columns are those of a declared table.

use crate::support::{Folder, gb18030, options};
use imports::Options;
use imports::declared::{Read, read};
use model::{
    IntakeTime, IntakeValue, TableIntake, TableView, Timestamp, Told, Value, ViewColumn,
    ViewColumnKind,
};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use std::ops::ControlFlow;
use std::path::Path;

fn view() -> TableView {
    let column = |name: &str, kind, empty| ViewColumn {
        name: name.into(),
        kind,
        unit: None,
        title_zh: name.into(),
        title_en: name.into(),
        empty,
    };
    let value = |columns: &[&str], attribute: &str, only: Option<(&str, &str)>| IntakeValue {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        attribute: attribute.into(),
        unit: None,
        only_where: only.map(|(column, value)| (column.to_owned(), value.to_owned())),
    };
    TableView {
        name: "ST_PPTN_R".into(),
        title_zh: "降水量表".into(),
        title_en: "Rain".into(),
        source: "a test".into(),
        columns: vec![
            column("STCD", ViewColumnKind::Text, false),
            column("TM", ViewColumnKind::Clock, false),
            column("DRP", ViewColumnKind::Number, false),
            column("INTV", ViewColumnKind::Number, false),
            column("N", ViewColumnKind::Integer, false),
            column("LGTD", ViewColumnKind::Number, false),
            column("LTTD", ViewColumnKind::Number, false),
            column("WTH", ViewColumnKind::Text, true),
        ],
        sql: String::new(),
        sql_line: 1,
        reads: Vec::new(),
        intake: Some(TableIntake {
            types: vec!["T".into()],
            key: "STCD".into(),
            key_attribute: "code".into(),
            time: Some(IntakeTime {
                column: "TM".into(),
                utc_offset_seconds: 28_800,
            }),
            values: vec![
                value(&["DRP"], "hour", Some(("INTV", "1.00"))),
                value(&["DRP"], "five", Some(("INTV", "0.05"))),
                value(&["N"], "count", None),
                value(&["LGTD", "LTTD"], "location", None),
            ],
        }),
    }
}

fn of(path: &Path, options: &Options) -> Result<Read, Told> {
    let view = view();
    let name = path.display().to_string();
    let intake = view.intake.as_ref().unwrap();
    let progress = &mut |_, _| ControlFlow::Continue(());
    read(path, &name, (&view, intake), options, progress)
}

/// 2026-07-01 08:00 in Beijing.
const EIGHT: i64 = 1_782_864_000;

#[test]
fn rows_say_whom_when_and_what() {
    let folder = Folder::new();
    let text = "wth,intv,TM,drp, Stcd ,备注\n7,1,2026-07-01 08:00:00,12.5,00123,好\n7,0.05,2026/7/1 8:00,1.5,00123,\n,,2026-07-01T00:00:00Z,,00123,\n";
    for (name, bytes) in [
        ("a.csv", text.as_bytes().to_vec()),
        ("b.csv", gb18030(text)),
    ] {
        let found = of(&folder.file(name, &bytes), &options()).unwrap();
        let said: Vec<_> = (found.rows.iter())
            .map(|row| (row.line, row.key.as_str(), row.at, row.values.clone()))
            .collect();
        let at = Some(Timestamp::from_seconds(EIGHT));
        assert_eq!(
            said,
            [
                (2, "00123", at, vec![(0, Value::Number(12.5))]),
                (3, "00123", at, vec![(1, Value::Number(1.5))]),
            ],
            "{name}"
        );
        assert_eq!((found.table.rows_seen, found.table.rows_bad), (3, 1));
        assert_eq!(found.table.problems[0].problem.code, "import-nothing");
        let notes: Vec<_> = (found.table.notes.iter())
            .map(|note| note.what.zh.as_str())
            .collect();
        assert_eq!(
            notes,
            [
                "没有收 wth 列：平台没有对应的要素；2 行有内容",
                "没有收 备注 列：它不是表 ST_PPTN_R 的列；1 行有内容"
            ]
        );
    }
}

#[test]
fn a_workbook_has_days_as_midnights_and_numbers_as_codes() {
    let folder = Folder::new();
    let path = folder.path("a.xlsx");
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    for (n, name) in ["STCD", "TM", "N"].into_iter().enumerate() {
        page.write(0, u16::try_from(n).unwrap(), name).unwrap();
    }
    let day = ExcelDateTime::from_ymd(2026, 7, 2).unwrap();
    let time = ExcelDateTime::from_ymd(2026, 7, 1)
        .unwrap()
        .and_hms(8, 0, 0)
        .unwrap();
    let shown = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (row, at) in [(1, &time), (2, &day)] {
        page.write(row, 0, 61_512_900).unwrap();
        page.write_with_format(row, 1, at, &shown).unwrap();
        page.write(row, 2, 3).unwrap();
    }
    book.save(&path).unwrap();
    let found = of(&path, &options()).unwrap();
    let said: Vec<_> = found.rows.iter().map(|r| (r.key.as_str(), r.at)).collect();
    let at = |seconds| Some(Timestamp::from_seconds(seconds));
    assert_eq!(
        said,
        [
            ("61512900", at(EIGHT)),
            ("61512900", at(EIGHT + 16 * 3_600))
        ],
        "{:?}",
        found.table.problems
    );
}

#[test]
fn what_is_wrong_is_told_and_limits_hold() {
    let folder = Folder::new();
    let text = "STCD,TM,N,LGTD,LTTD\n,2026-07-01 08:00,1,,\nA,,1,,\nA,2026-07-01 08:00,1.5,,\nA,2026-07-01 08:00,1,213,30\nA,2026-07-01 08:00,1,113,\nA,2026-07-01 08:00,1,113,30\n";
    let path = folder.file("a.csv", text);
    let found = of(&path, &options()).unwrap();
    let told: Vec<_> = (found.table.problems.iter())
        .map(|p| (p.line, p.problem.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "import-key"),
            (3, "import-time"),
            (4, "import-cell"),
            (5, "import-cell"),
            (6, "import-cell"),
        ]
    );
    assert_eq!(found.rows.len(), 1);
    let mut few = options();
    few.limits.problems_max = 2;
    let found = of(&path, &few).unwrap();
    assert_eq!(
        (found.table.problems.len(), found.table.problems_count),
        (2, 5)
    );
    few.limits.rows_max = 3;
    assert_eq!(of(&path, &few).unwrap_err().code, "import-rows");
    for header in ["TM,N\n", "STCD,N\n", "STCD,TM\n", "STCD,TM,N,n\n"] {
        let path = folder.file("b.csv", format!("{header}1,2,3,4\n"));
        assert_eq!(
            of(&path, &options()).unwrap_err().code,
            "import-header",
            "{header}"
        );
    }
}
