//! What is written is read back the same, and other programs read it too.

use crate::support::{Folder, gb18030, options, refused, table};
use arrow::array::{
    AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use imports::Table;
use imports::write::{Format, Options, Target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use testkit::foreign::Python;

fn rows(table: &Table) -> RecordBatch {
    concat_batches(&table.schema, &table.batches).unwrap()
}

fn write(path: PathBuf, batch: &RecordBatch, options: Options) -> PathBuf {
    let ending = path.extension().unwrap().to_str().unwrap();
    let format: Format = ending.parse().unwrap();
    let mut target = Target::new(&path, format, &batch.schema(), options).unwrap();
    // In parts, as an answer comes.
    for from in (0..batch.num_rows()).step_by(2) {
        let length = 2.min(batch.num_rows() - from);
        target.write(&batch.slice(from, length)).unwrap();
    }
    assert_eq!(target.finish().unwrap(), batch.num_rows() as u64);
    path
}

fn city() -> Options {
    Options {
        utc_offset_seconds: options().utc_offset_seconds,
        ..Options::default()
    }
}

#[test]
fn csv_excel_and_parquet_hold_the_same() {
    let folder = Folder::new();
    let text = "镇,人口,面积（km²）,设立,观测,通水,备注\n\
                竟陵,180000,98.5,1987-01-01,2026-11-23 16:00:00.25,是,\"=1+1, \"\"引号\"\"\"\n\
                皂市,92000,210,1987-01-02,2026-11-23 16:00,否,-5级\n\
                岳口,,188.25,,,是,\n";
    let first = rows(&table(&folder.file("a.csv", gb18030(text))));
    let excel = rows(&table(&write(folder.path("b.xlsx"), &first, city())));
    assert_eq!(excel, first);
    let parquet = rows(&table(&write(folder.path("c.parquet"), &excel, city())));
    assert_eq!(parquet, first);
    let csv = rows(&table(&write(folder.path("d.csv"), &parquet, city())));
    assert_eq!(csv, first);
}

#[test]
fn a_csv_for_spreadsheets_holds_no_formula_and_says_that_it_is_utf_8() {
    let folder = Folder::new();
    let batch = RecordBatch::try_from_iter([
        (
            "备注",
            Arc::new(StringViewArray::from_iter_values([
                "=HYPERLINK(\"http://x\")",
                "@SUM(A1)",
                "+1",
                "-1",
                "好",
            ])) as _,
        ),
        (
            "数",
            Arc::new(Int64Array::from_iter_values([-1, -2, -3, -4, -5])) as _,
        ),
    ])
    .unwrap();
    let plain = std::fs::read(write(folder.path("a.csv"), &batch, Options::default())).unwrap();
    assert!(plain.starts_with("备注,数\n\"=HYPERLINK".as_bytes()));
    let guarded = Options {
        for_spreadsheets: true,
        ..Options::default()
    };
    let guarded = std::fs::read(write(folder.path("b.csv"), &batch, guarded)).unwrap();
    let guarded = String::from_utf8(guarded).unwrap();
    let lines: Vec<&str> = guarded.lines().collect();
    assert_eq!(lines[0], "\u{feff}备注,数");
    assert_eq!(lines[2..], ["'@SUM(A1),-2", "'+1,-3", "'-1,-4", "好,-5"]);
    assert!(lines[1].starts_with("\"'=HYPERLINK"));
    // In Excel it is a text already.
    let path = write(folder.path("c.xlsx"), &batch, Options::default());
    let back = table(&path);
    let notes = back.batches[0].column(0).as_string_view();
    assert_eq!(notes.value(0), "=HYPERLINK(\"http://x\")");
}

#[test]
fn what_excel_cannot_hold_is_told_or_kept_as_text() {
    let folder = Folder::new();
    let batch = RecordBatch::try_from_iter([
        (
            "号",
            Arc::new(Int64Array::from(vec![429_006_199_001_011_234, 1])) as _,
        ),
        (
            "旧",
            Arc::new(Date32Array::from(vec![Some(-30_000), None])) as _,
        ),
        (
            "时",
            Arc::new(
                TimestampMicrosecondArray::from(vec![
                    1_795_420_800_000_001,
                    -3_000_000_000_000_000,
                ])
                .with_timezone("UTC"),
            ) as _,
        ),
        (
            "无",
            Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY])) as _,
        ),
        ("是", Arc::new(BooleanArray::from(vec![true, false])) as _),
    ])
    .unwrap();
    let back = table(&write(folder.path("a.xlsx"), &batch, city()));
    let texts = |column: usize| {
        let texts = back.batches[0].column(column).as_string_view();
        texts
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(0), ["429006199001011234", "1"]);
    assert_eq!(texts(3), ["NaN", "inf"]);
    let times = back.batches[0].column(2);
    assert!(
        times
            .as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>()
            .is_some_and(|t| t.value(0) == 1_795_420_800_000_001),
        "{times:?}"
    );

    let long = StringViewArray::from_iter_values(["x".repeat(32_768)]);
    let long = RecordBatch::try_from_iter([("长", Arc::new(long) as _)]).unwrap();
    let path = folder.path("b.xlsx");
    let mut target = Target::new(&path, Format::Xlsx, &long.schema(), city()).unwrap();
    assert_eq!(target.write(&long).unwrap_err().code, "export-cell-length");

    let many = Int64Array::from_iter_values(0..1_048_575);
    let many = RecordBatch::try_from_iter([("n", Arc::new(many) as _)]).unwrap();
    let mut target = Target::new(&path, Format::Xlsx, &many.schema(), city()).unwrap();
    target.write(&many.slice(0, 1)).unwrap();
    let problem = target.write(&many).unwrap_err();
    assert_eq!(problem.code, "export-rows");
    assert!(problem.mend.contains(".parquet"), "{problem}");
    // What was not finished is no workbook.
    drop(target);
    refused(&path);
    assert_eq!("doc".parse::<Format>().unwrap_err().code, "export-format");
}

fn says(python: &Path, program: &str, path: &Path) -> String {
    let mut python = Command::new(python);
    let output = python.arg("-c").arg(program).arg(path).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn other_programs_read_what_is_written() {
    let folder = Folder::new();
    let text = "镇,数,日,时,有\n=竟陵,1.5,1987-01-01,2026-11-23 16:00,是\n皂市,2.5,,,否\n";
    let batch = rows(&table(&folder.file("a.csv", text)));
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "file-readers",
        imports: "duckdb, openpyxl",
        packages: &["duckdb", "openpyxl"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: DuckDB and openpyxl cannot be installed from PyPI here: {why}");
            return;
        }
    };
    let path = write(folder.path("a.xlsx"), &batch, city());
    let program = "import openpyxl, sys; [print([(c.value, c.data_type) for c in row]) for row in openpyxl.load_workbook(sys.argv[1]).active]";
    assert_eq!(
        says(&python, program, &path),
        "[('镇', 's'), ('数', 's'), ('日', 's'), ('时', 's'), ('有', 's')]\n\
         [('=竟陵', 's'), (1.5, 'n'), (datetime.datetime(1987, 1, 1, 0, 0), 'd'), (datetime.datetime(2026, 11, 23, 16, 0), 'd'), (True, 'b')]\n\
         [('皂市', 's'), (2.5, 'n'), (None, 'n'), (None, 'n'), (False, 'b')]\n"
    );
    let path = write(folder.path("a.parquet"), &batch, city());
    let program = "import duckdb, sys; r = duckdb.sql(f\"SELECT 镇, 数, 日, epoch(时)::BIGINT AS 秒, 有 FROM '{sys.argv[1]}'\"); print(r.types); print(r.fetchall())";
    assert_eq!(
        says(&python, program, &path),
        "[VARCHAR, DOUBLE, DATE, BIGINT, BOOLEAN]\n\
         [('=竟陵', 1.5, datetime.date(1987, 1, 1), 1795420800, True), ('皂市', 2.5, None, None, False)]\n"
    );
}
