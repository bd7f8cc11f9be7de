//! A folder of files, and short names for reading them.

#![allow(dead_code)] // each test file uses its part

use arrow::datatypes::DataType;
use imports::{Options, Table};
use model::Told;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A file that another program wrote; `fixtures/make.py` says how.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

pub fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

pub fn options() -> Options {
    Options {
        utc_offset_seconds: 8 * 3_600,
        ..Options::default()
    }
}

pub fn read(path: &Path, options: &Options) -> Result<Table, Told> {
    let (mut last, name) = ((0, 0), path.display().to_string());
    let table = imports::read(path, &name, options, &mut |done, total| {
        assert!(
            done <= total.max(done) && done >= last.0,
            "{done} of {total} after {last:?}"
        );
        last = (done, total);
        ControlFlow::Continue(())
    });
    if table.is_ok() {
        assert_eq!(last.0, last.1, "progress ends at the end");
    }
    table
}

/// A file that can be read; everything told of it is told in both languages.
pub fn table(path: &Path) -> Table {
    let table = read(path, &options()).unwrap();
    let problems = table.problems.iter().map(|found| &found.problem);
    problems.chain(&table.notes).for_each(speaks_both);
    table
}

pub fn refused(path: &Path) -> Told {
    let told = read(path, &options()).unwrap_err();
    speaks_both(&told);
    told
}

/// What is wrong and how to mend it stand there in Chinese and in English.
pub fn speaks_both(told: &Told) {
    let is_chinese = |text: &str| text.contains(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for said in [&told.what, &told.mend] {
        assert!(is_chinese(&said.zh), "{told}");
        assert_ne!(said.zh, said.en, "{told}");
    }
    assert!(!told.place.zh.is_empty() && !told.place.en.is_empty());
}

pub fn types(table: &Table) -> Vec<(String, DataType)> {
    let fields = table.schema.fields().iter();
    fields
        .map(|f| (f.name().clone(), f.data_type().clone()))
        .collect()
}

/// Line, column and code of each problem.
pub fn told(table: &Table) -> Vec<(u64, Option<&str>, &str)> {
    let problems = table.problems.iter();
    problems
        .map(|p| (p.line, p.column.as_deref(), p.problem.code.as_str()))
        .collect()
}
