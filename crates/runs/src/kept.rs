//! How a run is kept: everything that it was reckoned from and what came of it, so that it can be reckoned again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Engine, Output, Table};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use model::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};

/// Most bytes that a kept run may unfold to.
pub const BYTES_MAX: u64 = 256 << 20;

/// What is kept of a run beside its row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What the engine read.
    pub input: Sheet,
    /// The parameters that it was given, as the text of a JSON object: the engine is given what is read from this text, the first time
    /// and every other, so that no number changes on the way. Those of its defaults are in the report's `given`.
    pub parameters: String,
    /// What it wrote; empty when it failed.
    pub output: Sheet,
    /// What it said beside, as the text of a JSON object.
    pub report: String,
    /// The statement by which the input was found.
    pub input_sql: String,
    /// The version of the program.
    pub program_version: String,
}

/// A table of texts, as it is kept and told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each as long as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl From<Table> for Sheet {
    fn from(table: Table) -> Self {
        Self {
            columns: table.columns,
            rows: table.rows,
        }
    }
}

impl Sheet {
    /// As an engine reads it.
    pub fn table(&self) -> Table {
        Table {
            columns: self.columns.clone(),
            rows: self.rows.clone(),
        }
    }

    /// As a CSV file (RFC 4180), UTF-8: what `jingling engine run` reads and writes.
    pub fn csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            // A vector takes everything.
            let _ = writer.write_record(row);
        }
        writer.into_inner().unwrap_or_default()
    }

    /// SHA-256 of the CSV file, in hexadecimal digits.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.csv()))
    }
}

/// What a kept run gives when it is reckoned again.
#[derive(Clone, Debug, PartialEq)]
pub struct Again {
    /// Whether table and report are the same, bit for bit.
    pub is_same: bool,
    /// The digest of the new table; `None` when the engine failed.
    pub digest: Option<String>,
    /// What the engine found wrong.
    pub problems: Vec<Problem>,
}

impl Kept {
    /// What is to be reckoned, before it is.
    pub fn of(
        input: Table,
        parameters: Map<String, Value>,
        input_sql: &str,
        program_version: &str,
    ) -> Self {
        Self {
            input: input.into(),
            parameters: Value::Object(parameters).to_string(),
            input_sql: input_sql.to_owned(),
            program_version: program_version.to_owned(),
            ..Self::default()
        }
    }

    /// Reckons from what is kept.
    ///
    /// # Errors
    /// What the engine finds wrong.
    pub fn run(&self, engine: &Engine) -> Result<Output, Vec<Problem>> {
        let parameters = object(&self.parameters).map_err(|problem| vec![problem])?;
        engine.run(&self.input.table(), parameters, "parameters", "input")
    }

    /// Keeps what came of it.
    pub fn keep(&mut self, output: &Output) {
        self.output = output.table.clone().into();
        self.report = Value::Object(output.report.clone()).to_string();
    }

    /// What the engine said beside its table; empty when it failed.
    ///
    /// # Errors
    /// `run-kept` when it is no object.
    pub fn report(&self) -> Result<Map<String, Value>, Problem> {
        match self.report.as_str() {
            "" => Ok(Map::new()),
            text => object(text),
        }
    }

    /// As text: JSON, deflated, in base 64.
    ///
    /// # Errors
    /// `run-kept` when it is more than [`BYTES_MAX`], or has no JSON form.
    pub fn to_text(&self) -> Result<String, Problem> {
        let json = serde_json::to_vec(self).map_err(|e| unreadable(e.to_string()))?;
        if json.len() as u64 > BYTES_MAX {
            return Err(unreadable(format!("it has {} bytes", json.len())));
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&json).and_then(|()| encoder.finish());
        let packed = packed.map_err(|e| unreadable(e.to_string()))?;
        Ok(STANDARD.encode(packed))
    }

    /// From that text.
    ///
    /// # Errors
    /// `run-kept` when it is none.
    pub fn from_text(text: &str) -> Result<Self, Problem> {
        let packed = STANDARD
            .decode(text)
            .map_err(|e| unreadable(e.to_string()))?;
        let mut json = Vec::new();
        let mut decoder = DeflateDecoder::new(packed.as_slice()).take(BYTES_MAX);
        decoder
            .read_to_end(&mut json)
            .map_err(|e| unreadable(e.to_string()))?;
        serde_json::from_slice(&json).map_err(|e| unreadable(e.to_string()))
    }

    /// Reckons again with an engine and compares.
    pub fn again(&self, engine: &Engine) -> Again {
        match self.run(engine) {
            Ok(output) => {
                let mut now = self.clone();
                now.keep(&output);
                Again {
                    is_same: now == *self,
                    digest: Some(now.output.digest()),
                    problems: Vec::new(),
                }
            }
            Err(problems) => Again {
                is_same: false,
                digest: None,
                problems,
            },
        }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(text).map_err(|e| unreadable(e.to_string()))
}

fn unreadable(what: String) -> Problem {
    Problem::new(
        "run-kept",
        format!("what is kept of the run cannot be read: {what}"),
        "kept",
        "restore the records from a backup that has it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Description;
    use serde_json::json;

    fn sheet() -> Sheet {
        Sheet {
            columns: vec!["at".to_owned(), "note, with \"marks\"".to_owned()],
            rows: vec![vec!["2026-07-01T08:00:00Z".to_owned(), "一\n二".to_owned()]],
        }
    }

    fn twice(version: u32, factor: f64) -> Engine {
        let description = Description {
            name: "twice",
            pack: "none",
            title_zh: "",
            title_en: "",
            method: "",
            reference: "",
            version,
            input: &[],
            output: &[],
            parameters: &[],
        };
        let run = move |table: &Table, _: &engine::Parameters, _: &str| {
            let mut report = Map::new();
            report.insert("mean".to_owned(), json!(0.1 * factor));
            Ok(Output {
                table: table.clone(),
                report,
            })
        };
        Engine::new(description, Box::new(run))
    }

    #[test]
    fn what_is_kept_comes_back_whole_and_is_reckoned_again_to_the_bit() {
        let mut kept = Kept::of(sheet().table(), Map::new(), "SELECT 1", "0.1.0");
        kept.keep(&kept.run(&twice(1, 3.0)).unwrap());
        let back = Kept::from_text(&kept.to_text().unwrap()).unwrap();
        assert_eq!(back, kept);
        let again = back.again(&twice(1, 3.0));
        assert!(again.is_same);
        assert_eq!(again.digest, Some(kept.output.digest()));
        // Another report from the same table is another answer.
        assert!(!back.again(&twice(1, 3.1)).is_same);
        assert!(!back.again(&twice(2, 3.0)).is_same);
    }

    #[test]
    fn the_csv_is_what_a_spreadsheet_writes() {
        let text = String::from_utf8(sheet().csv()).unwrap();
        assert_eq!(
            text,
            "at,\"note, with \"\"marks\"\"\"\n2026-07-01T08:00:00Z,\"一\n二\"\n"
        );
        assert_eq!(sheet().digest().len(), 64);
    }

    #[test]
    fn what_is_no_kept_run_is_told() {
        for text in ["", "%", "AAAA", "eJwDAAAAAAE="] {
            assert_eq!(
                Kept::from_text(text).unwrap_err().code,
                "run-kept",
                "{text}"
            );
        }
    }
}
