//! Files as departments hand them in, good and bad.

use crate::support::{Folder, fixture, gb18030, options, read, refused, table, told, types};
use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use imports::{Kind, Limits, Merged, Options};
use parquet::arrow::ArrowWriter;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use std::ops::ControlFlow;
use std::sync::Arc;

const TOWNS: &str = "镇,人口(人),面积（km²）,设立,热线,通水\n竟陵,\"180,000\",98.5,1987年1月1日,0728,是\n皂市,92000,210,1987/1/1,0728,否\n岳口,,188.25,,,是\n";

#[test]
fn a_csv_becomes_typed_columns_in_every_encoding() {
    let folder = Folder::new();
    let with_mark = format!("\u{feff}{TOWNS}");
    let utf_16: Vec<u8> = with_mark
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes, encoding) in [
        ("a.csv", TOWNS.as_bytes(), "UTF-8"),
        ("b.csv", with_mark.as_bytes(), "UTF-8 BOM"),
        ("c.csv", &gb18030(TOWNS), "GB18030"),
        ("d.txt", &utf_16, "UTF-16LE"),
        ("e.CSV", TOWNS.replace('\n', "\r\n").as_bytes(), "UTF-8"),
    ] {
        let table = table(&folder.file(name, bytes));
        assert_eq!(
            (table.encoding, table.rows_seen, table.problems_count),
            (Some(encoding), 3, 0),
            "{name}"
        );
        let expected = [
            ("镇", DataType::Utf8View),
            ("人口(人)", DataType::Int64),
            ("面积（km²）", DataType::Float64),
            ("设立", DataType::Date32),
            ("热线", DataType::Utf8View),
            ("通水", DataType::Boolean),
        ];
        assert_eq!(types(&table), expected.map(|(n, t)| (n.to_owned(), t)));
        let units: Vec<_> = table.columns.iter().map(|c| c.unit.as_deref()).collect();
        assert_eq!(units, [None, Some("人"), Some("km²"), None, None, None]);
        let batch = &table.batches[0];
        assert_eq!(batch.column(0).as_string_view().value(0), "竟陵");
        let people = batch.column(1).as_primitive::<Int64Type>();
        assert_eq!((people.value(0), people.is_null(2)), (180_000, true));
        assert_eq!(
            batch.column(2).as_primitive::<Float64Type>().value(2),
            188.25
        );
        let founded = batch.column(3).as_primitive::<Date32Type>();
        assert_eq!((founded.value(0), founded.value(1)), (6_209, 6_209));
    }
    let tabs = table(&folder.file("f.tsv", "a\tb\n1\t\"x, y\"\n"));
    assert_eq!(tabs.batches[0].column(1).as_string_view().value(0), "x, y");
}

#[test]
fn bad_lines_are_told_one_by_one_and_good_ones_kept() {
    let folder = Folder::new();
    let mut text = String::from("id,level,at\r\n\r\n");
    for n in 0..40 {
        text += &format!("{n},{n}.5,2026-11-23 08:00\r\n");
    }
    text += "\r\n41,high,2026-11-23 08:00\r\n42,1.5\r\n43,1.5,yesterday\r\n44,1.5,2026-11-23 08:00,more\r\n45,1.5,2026-11-23 08:00,,\r\n";
    let table = table(&folder.file("a.csv", &text));
    assert_eq!(
        told(&table),
        [
            (44, Some("level"), "import-cell"),
            (45, None, "import-cells"),
            (46, Some("at"), "import-cell"),
            (47, None, "import-cells")
        ]
    );
    assert_eq!((table.rows_seen, table.rows_bad), (45, 4));
    assert_eq!(table.rows(), 41);
    let first = &table.problems[0];
    assert_eq!(first.value.as_deref(), Some("high"));
    assert!(first.problem.what.en.contains("\"high\" is not a number"));
    assert!(first.problem.mend.en.contains("12.5"));
    assert_eq!(
        (
            first.problem.what.zh.as_str(),
            first.problem.place.zh.as_str()
        ),
        ("“high”不是数", "第 44 行，level 列")
    );

    // The same as a file, in which nothing runs.
    let text = format!("{text}46,=cmd(),2026-11-23 08:00\r\n");
    let table = read(&folder.file("b.csv", text), &options()).unwrap();
    let report = folder.path("report.csv");
    imports::report::write(&report, &table).unwrap();
    let report = std::fs::read_to_string(report).unwrap();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(
        lines[0],
        "\u{feff}行 line,列 column,原值 value,问题,位置,改法,what,where,mend,code"
    );
    assert!(
        lines[1].starts_with("44,level,high,“high”不是数,") && lines[1].ends_with(",import-cell"),
        "{report}"
    );
    assert!(lines[5].starts_with("49,level,'=cmd(),"), "{report}");
    // Only so many are named; all are counted.
    let few = Options {
        limits: Limits {
            problems_max: 2,
            ..Limits::default()
        },
        ..options()
    };
    let table = read(&folder.path("b.csv"), &few).unwrap();
    assert_eq!((table.problems.len(), table.problems_count), (2, 5));
}

#[test]
fn lines_of_another_encoding_are_told() {
    let folder = Folder::new();
    let mut bytes = gb18030("镇,数\n竟陵,1\n皂市,2\n");
    bytes.extend("岳口,3\n".as_bytes());
    let mixed = table(&folder.file("a.csv", &bytes));
    assert_eq!(mixed.encoding, Some("GB18030"));
    assert_eq!(told(&mixed), [(4, None, "import-encoding")]);
    assert_eq!(mixed.batches[0].num_rows(), 2);
    let mut bytes = "镇,数\n竟陵,1\n皂市,2\n张港,3\n".as_bytes().to_vec();
    bytes.extend(gb18030("岳口,4\n"));
    let mixed = table(&folder.file("b.csv", &bytes));
    assert_eq!(mixed.encoding, Some("UTF-8"));
    assert_eq!(told(&mixed), [(5, None, "import-encoding")]);
    // The line of names must be readable.
    let mut bytes = gb18030("镇,数\n");
    bytes.extend("岳口,3\n张港,4\n".as_bytes());
    let problem = refused(&folder.file("c.csv", bytes));
    assert_eq!(problem.code, "import-encoding");
    assert!(problem.place.en.ends_with("line 1"), "{problem}");
    assert!(problem.place.zh.ends_with("第 1 行"), "{problem}");
}

#[test]
fn titles_are_skipped_and_types_told() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "天门市,,\n单位：个\n编号,数\n1001,5\n1002,x\n");
    let asked = Options {
        header_line: Some(3),
        kinds: [
            ("编号".to_owned(), Kind::Text),
            ("数".to_owned(), Kind::Integer),
        ]
        .into(),
        ..options()
    };
    let table = read(&path, &asked).unwrap();
    let kinds: Vec<DataType> = types(&table).into_iter().map(|t| t.1).collect();
    assert_eq!(kinds, [DataType::Utf8View, DataType::Int64]);
    assert_eq!(told(&table), [(5, Some("数"), "import-cell")]);
    let unknown = Options {
        kinds: [("没有".to_owned(), Kind::Text)].into(),
        ..asked.clone()
    };
    assert_eq!(read(&path, &unknown).unwrap_err().code, "import-type");
    let below = Options {
        header_line: Some(99),
        ..asked
    };
    assert_eq!(read(&path, &below).unwrap_err().code, "import-header");
}

#[test]
fn a_quote_that_is_not_closed_is_told_where_it_opens() {
    let folder = Folder::new();
    let mut text = String::from("a,b\n1,x\n2,\"open\n");
    for n in 3..2_000 {
        text += &format!("{n},{}\n", "y".repeat(30));
    }
    let table = table(&folder.file("a.csv", text));
    assert_eq!(told(&table), [(3, Some("b"), "import-cell-length")]);
    assert!(table.problems[0].problem.mend.en.contains("double quote"));
    assert_eq!(table.rows(), 1);
}

#[test]
fn files_that_are_none_are_refused() {
    let folder = Folder::new();
    for (name, bytes, code) in [
        ("a.csv", &b""[..], "import-header"),
        ("b.csv", b"a,a\n1,2\n", "import-header"),
        ("c.doc", b"x", "import-format"),
        ("d.xlsx", b"PK\x03\x04 not a workbook", "import-damaged"),
        ("e.xls", b"\xd0\xcf\x11\xe0", "import-damaged"),
        ("f.parquet", b"PAR1 torn", "import-damaged"),
        (
            "g.parquet",
            b"PAR1\0\0\0\0\xff\xff\xff\x7fPAR1",
            "import-damaged",
        ),
        ("h.csv", b"PK\x03\x04\x14\0\0\0\x08\0", "import-encoding"),
        ("i", b"a\n1\n", "import-format"),
    ] {
        let problem = refused(&folder.file(name, bytes));
        assert_eq!(problem.code, code, "{name}: {problem}");
        assert!(problem.place.en.contains(name) && problem.place.zh.contains(name));
    }
    assert_eq!(refused(&folder.path("absent.csv")).code, "import-io");
    let path = folder.file("j.csv", "a,b\n1,2\n2,3\n3,4\n");
    for (limits, code) in [
        (
            Limits {
                file_bytes_max: 5,
                ..Limits::default()
            },
            "import-size",
        ),
        (
            Limits {
                rows_max: 2,
                ..Limits::default()
            },
            "import-rows",
        ),
        (
            Limits {
                columns_max: 1,
                ..Limits::default()
            },
            "import-header",
        ),
    ] {
        let limited = Options {
            limits,
            ..options()
        };
        assert_eq!(read(&path, &limited).unwrap_err().code, code);
    }
    let served = Options {
        refuse_xls: true,
        ..options()
    };
    assert_eq!(
        read(&fixture("xlwt.xls"), &served).unwrap_err().code,
        "import-format"
    );
}

#[test]
fn a_workbook_is_read_by_sheet_with_dates() {
    let folder = Folder::new();
    let path = folder.path("a.xlsx");
    let mut book = Workbook::new();
    book.add_worksheet()
        .set_name("说明")
        .unwrap()
        .write(0, 0, "见下页")
        .unwrap();
    let sheet = book.add_worksheet().set_name("数据").unwrap();
    for (column, name) in (0..).zip(["名称", "数量", "日期", "时间"]) {
        sheet.write(1, column, name).unwrap();
    }
    let (day, time) = (
        Format::new().set_num_format("yyyy-mm-dd"),
        Format::new().set_num_format("yyyy-mm-dd hh:mm"),
    );
    for row in 2..22 {
        sheet.write(row, 0, format!("泵{row}")).unwrap();
        sheet.write(row, 1, row).unwrap();
        let date = ExcelDateTime::from_ymd(2026, 11, 23).unwrap();
        sheet.write_with_format(row, 2, &date, &day).unwrap();
        let at = ExcelDateTime::from_ymd(2026, 11, 23)
            .unwrap()
            .and_hms(16, 0, 0)
            .unwrap();
        sheet.write_with_format(row, 3, &at, &time).unwrap();
    }
    sheet.write(10, 1, "许多").unwrap();
    sheet.write(11, 6, "旁注").unwrap();
    book.save(&path).unwrap();
    let first = table(&path);
    assert_eq!(first.sheet.as_deref(), Some("说明"));
    let named = Options {
        sheet: Some("数据".into()),
        ..options()
    };
    let table = read(&path, &named).unwrap();
    let kinds: Vec<DataType> = types(&table).into_iter().map(|t| t.1).collect();
    assert_eq!(
        kinds[..3],
        [DataType::Utf8View, DataType::Int64, DataType::Date32]
    );
    assert_eq!(
        told(&table),
        [
            (11, Some("数量"), "import-cell"),
            (12, None, "import-cells")
        ]
    );
    assert!(table.problems[1].problem.place.zh.contains("G12"));
    let at = table.batches[0]
        .column(3)
        .as_primitive::<TimestampMicrosecondType>();
    assert_eq!(at.value(0), 1_795_420_800_000_000);
    let wrong = Options {
        sheet: Some("没有".into()),
        ..options()
    };
    let problem = read(&path, &wrong).unwrap_err();
    assert!(problem.mend.en.contains("说明, 数据"), "{problem}");
    // A cell far to the right takes no memory for those before it, and is told.
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "a").unwrap();
    sheet.write(1_048_575, 16_383, "x").unwrap();
    book.save(&path).unwrap();
    let problem = refused(&path);
    assert_eq!(problem.code, "import-columns");
    assert!(problem.place.en.contains("XFD1048576"), "{problem}");
}

/// In a workbook midnight is the same number as the day; in a text a day is no time.
#[test]
fn midnight_is_a_time_among_times() {
    let folder = Folder::new();
    let path = folder.path("a.xlsx");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let format = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    for (column, name) in (0..).zip(["时间", "日期"]) {
        sheet.write(0, column, name).unwrap();
    }
    for row in 1..25 {
        let day = ExcelDateTime::from_ymd(2026, 11, 23).unwrap();
        sheet.write_with_format(row, 1, &day, &format).unwrap();
        let at = day.and_hms(row as u16 - 1, 0, 0).unwrap();
        sheet.write_with_format(row, 0, &at, &format).unwrap();
    }
    book.save(&path).unwrap();
    let sheet = table(&path);
    assert_eq!(told(&sheet), []);
    let kinds: Vec<DataType> = types(&sheet).into_iter().map(|t| t.1).collect();
    assert_eq!(kinds[1], DataType::Date32);
    let at = sheet.batches[0]
        .column(0)
        .as_primitive::<TimestampMicrosecondType>();
    // 2026-11-23 in the city, which is eight hours ahead.
    assert_eq!(at.value(0), 1_795_363_200_000_000);
    assert_eq!(at.value(1) - at.value(0), 3_600_000_000);

    let mut text = String::from("时间\n");
    for hour in 1..24 {
        text += &format!("2026-11-23 {hour:02}:00\n");
    }
    let text = table(&folder.file("a.csv", text + "2026-11-23\n"));
    assert_eq!(told(&text), [(25, Some("时间"), "import-cell")]);
}

#[test]
fn what_other_programs_wrote_is_read() {
    let path = fixture("openpyxl.xlsx");
    let below_title = Options {
        header_line: Some(2),
        ..options()
    };
    let problem = read(&path, &below_title).unwrap_err();
    assert_eq!(problem.code, "import-merged-cells");
    // The title's cells are merged too, but nobody reads them.
    assert!(
        problem.what.en.ends_with("cells are merged: A3:A4"),
        "{problem}"
    );
    for (merged, towns) in [
        (Merged::Fill, [Some("竟陵"), Some("竟陵"), Some("皂市")]),
        (Merged::First, [Some("竟陵"), None, Some("皂市")]),
    ] {
        let taken = Options {
            merged,
            ..below_title.clone()
        };
        let table = read(&path, &taken).unwrap();
        assert_eq!(table.problems_count, 0, "{:?}", table.problems);
        let batch = &table.batches[0];
        let names = batch.column(0).as_string_view();
        assert_eq!(names.iter().collect::<Vec<_>>(), towns);
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.r#type.as_str(), c.unit.as_deref()))
            .collect();
        assert_eq!(
            columns,
            [
                ("镇", "text", None),
                ("村", "text", None),
                ("人口(万人)", "number", Some("万人")),
                ("设立", "date", None),
                ("通水", "boolean", None),
            ]
        );
        assert_eq!(table.notes.len(), 1);
        assert!(
            table.notes[0].what.zh.contains("A3:A4"),
            "{}",
            table.notes[0]
        );
        crate::support::speaks_both(&table.notes[0]);
    }
    // Without the line of names the title is one, and the file is refused for what stands beside it.
    assert_eq!(refused(&path).code, "import-merged-cells");
    let formulas = Options {
        sheet: Some("公式".into()),
        kinds: [("b".to_owned(), Kind::Text)].into(),
        ..options()
    };
    let table = read(&path, &formulas).unwrap();
    assert_eq!(
        told(&table),
        [(2, Some("b"), "import-cell"), (3, Some("b"), "import-cell")]
    );
    let what: Vec<&str> = table
        .problems
        .iter()
        .map(|p| p.problem.what.en.as_str())
        .collect();
    assert!(what[0].contains("never computed"), "{what:?}");
    assert!(what[1].contains("#DIV/0!"), "{what:?}");
    let values = table.problems.iter().map(|p| p.value.as_deref());
    assert_eq!(values.collect::<Vec<_>>(), [None, Some("#DIV/0!")]);

    let filled = Options {
        merged: Merged::Fill,
        ..options()
    };
    let old = read(&fixture("xlwt.xls"), &filled).unwrap();
    let names = old.batches[0].column(0).as_string_view();
    assert_eq!(names.iter().flatten().collect::<Vec<_>>(), ["泵站"; 2]);
    assert_eq!(refused(&fixture("xlwt.xls")).code, "import-merged-cells");

    let packed = table_of_duckdb();
    assert_eq!(packed, ["id integer", "name text", "day date"]);
}

fn table_of_duckdb() -> Vec<String> {
    let table = table(&fixture("duckdb.parquet"));
    assert_eq!(table.rows(), 3);
    let columns = table.columns.iter();
    columns
        .map(|c| format!("{} {}", c.name, c.r#type))
        .collect()
}

#[test]
fn reading_ends_when_nobody_wants_it_any_more() {
    let folder = Folder::new();
    for path in [
        folder.file("a.csv", TOWNS),
        fixture("openpyxl.xlsx"),
        fixture("duckdb.parquet"),
    ] {
        let taken = Options {
            merged: Merged::Fill,
            header_line: Some(2),
            ..options()
        };
        let mut asked = 0;
        let told = imports::read(&path, &path.display().to_string(), &taken, &mut |_, _| {
            asked += 1;
            ControlFlow::Break(())
        });
        let told = told.unwrap_err();
        crate::support::speaks_both(&told);
        assert_eq!((told.code.as_str(), asked), ("import-stopped", 1));
    }
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_refused() {
    let small = Options {
        limits: Limits {
            unpacked_bytes_max: 2_000,
            ..Limits::default()
        },
        header_line: Some(2),
        merged: Merged::Fill,
        ..options()
    };
    let problem = read(&fixture("openpyxl.xlsx"), &small).unwrap_err();
    assert_eq!(problem.code, "import-size");
    assert_eq!(
        read(
            &fixture("duckdb.parquet"),
            &Options {
                limits: Limits {
                    unpacked_bytes_max: 10,
                    ..Limits::default()
                },
                ..options()
            }
        )
        .unwrap_err()
        .code,
        "import-size"
    );
}

#[test]
fn a_damaged_workbook_is_refused_or_read_never_a_fault() {
    let folder = Folder::new();
    for (name, from) in [("a.xlsx", "openpyxl.xlsx"), ("b.xls", "xlwt.xls")] {
        let bytes = std::fs::read(fixture(from)).unwrap();
        let taken = Options {
            merged: Merged::Fill,
            ..options()
        };
        for cut in (0..bytes.len()).step_by(bytes.len() / 60) {
            let _ = read(&folder.file(name, &bytes[..cut]), &taken);
        }
        if name.ends_with("xlsx") {
            for at in (0..bytes.len()).step_by(11) {
                let mut turned = bytes.clone();
                turned[at] ^= 0x5a;
                let _ = read(&folder.file(name, &turned), &taken);
            }
        }
    }
}

#[test]
fn parquet_is_taken_as_it_is_and_damage_is_found() {
    let folder = Folder::new();
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from_iter_values(0..5_000)) as _),
        (
            "name",
            Arc::new(StringArray::from_iter_values(
                (0..5_000).map(|n| format!("泵{n}")),
            )) as _,
        ),
    ])
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let good = table(&folder.file("a.parquet", &bytes));
    assert_eq!((good.rows_seen, good.problems_count), (5_000, 0));
    // Cut anywhere, or a byte turned, where the lengths are too: an error, never a fault.
    for cut in (0..bytes.len()).step_by(bytes.len() / 40) {
        refused(&folder.file("b.parquet", &bytes[..cut]));
    }
    for at in (0..bytes.len()).step_by(97) {
        let mut turned = bytes.clone();
        turned[at] ^= 0x5a;
        let _ = read(&folder.file("c.parquet", &turned), &options());
    }
}
