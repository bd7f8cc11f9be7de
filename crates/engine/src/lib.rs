//! Engines (计算引擎): what a calculation over a table is. Each says what it reads, writes and takes as parameters, with units, ranges
//! and its reference, and is a pure function of its input: same table and parameters, same answer, bit for bit. Packs bring engines
//! and the binary collects them; `jingling engine` lists, describes and runs them.
//!
//! Reading order: [`Description`], [`Parameters`], [`Table`], [`Engine`].

pub mod parameters;
pub mod table;

pub use parameters::{Kind, Parameter, Parameters};
pub use table::{Mistakes, Table};

use model::Problem;
use model::problem::quote;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds, with its form and unit.
    pub what: &'static str,
}

/// What an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Its name: kebab case, where it helps with the field in front of a point, such as `water.muskingum`.
    pub name: &'static str,
    /// The pack whose mathematics it is.
    pub pack: &'static str,
    /// Title in Chinese.
    pub title_zh: &'static str,
    /// Title in English.
    pub title_en: &'static str,
    /// How it reckons, and where that is said.
    pub method: &'static str,
    /// What is published of the method: author, year, title, clause. Empty where the code alone says it.
    pub reference: &'static str,
    /// Raised when the same input gives another answer than before.
    pub version: u32,
    /// The columns that the input must have; others are left alone.
    pub input: &'static [Column],
    /// The columns that the output has beside those of the input, or alone where the engine makes rows of its own.
    pub output: &'static [Column],
    /// What can be set in the file of parameters.
    pub parameters: &'static [Parameter],
}

/// What an engine answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// The table.
    pub table: Table,
    /// What belongs to no row: what was fitted, how good it is, what is in doubt. An entry `parameters` is what another run may be
    /// given as its parameters.
    pub report: Map<String, Value>,
}

/// What an engine does with a table, the parameters, and the table's name in messages.
pub type Run = Box<dyn Fn(&Table, &Parameters, &str) -> Result<Output, Vec<Problem>> + Send + Sync>;

/// An engine.
pub struct Engine {
    /// What it is.
    pub description: Description,
    run: Run,
}

impl Engine {
    /// An engine that is described so and does this. The run is called when every declared column is there and the parameters are
    /// within their declared ranges.
    pub fn new(description: Description, run: Run) -> Self {
        Self { description, run }
    }

    /// Runs over a table. `place` names the table in messages, `parameters` come with the name of their file. What was run with what
    /// is in the report: `engine`, `version`, and under `given` every parameter, those of the defaults too.
    ///
    /// # Errors
    /// A column that is missing or would be there twice, a parameter that there is not or that is out of its range; what the engine
    /// finds, each with its line.
    pub fn run(
        &self,
        table: &Table,
        parameters: Map<String, Value>,
        parameters_place: &str,
        place: &str,
    ) -> Result<Output, Vec<Problem>> {
        let mut problems = Vec::new();
        for column in self.description.input {
            if !table.columns.iter().any(|name| name == column.name) {
                problems.push(Problem::new(
                    "engine-column",
                    format!("the column {} is missing: {}", column.name, column.what),
                    format!("{place}:1"),
                    "add it, with its name in the first line",
                ));
            }
        }
        for column in self.description.output {
            if table.columns.iter().any(|name| name == column.name) {
                problems.push(Problem::new(
                    "engine-column",
                    format!("there is a column {} already", column.name),
                    format!("{place}:1"),
                    "rename it",
                ));
            }
        }
        let read = Parameters::read(self.description.parameters, parameters, parameters_place);
        let parameters = match read {
            Ok(parameters) if problems.is_empty() => parameters,
            Ok(_) => return Err(problems),
            Err(more) => {
                problems.extend(more);
                return Err(problems);
            }
        };
        let mut output = (self.run)(table, &parameters, place)?;
        let about = [
            ("engine", Value::from(self.description.name)),
            ("version", Value::from(self.description.version)),
            ("given", Value::Object(parameters.into_map())),
        ];
        for (key, value) in about {
            output.report.insert(key.to_owned(), value);
        }
        Ok(output)
    }
}

/// The engine of that name.
///
/// # Errors
/// `engine-unknown` with those that there are.
pub fn find<'a>(engines: &'a [Engine], name: &str) -> Result<&'a Engine, Problem> {
    let found = engines.iter().find(|e| e.description.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = engines.iter().map(|e| e.description.name).collect();
        Problem::new(
            "engine-unknown",
            format!("there is no engine {}", quote(name)),
            "engine",
            format!("use {}", names.join(", ")),
        )
    })
}

/// A mistake in a row, whose place [`Mistakes`] fills in.
pub fn wrong(what: impl Into<String>, mend: &str) -> Problem {
    Problem::new("engine-row", what, "", mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubler() -> Engine {
        let description = Description {
            name: "double",
            pack: "none",
            title_zh: "",
            title_en: "",
            method: "",
            reference: "",
            version: 3,
            input: &[Column {
                name: "value",
                what: "a number",
            }],
            output: &[Column {
                name: "twice",
                what: "the number times the factor",
            }],
            parameters: &[Parameter {
                name: "factor",
                what: "by what",
                unit: "-",
                kind: Kind::Number {
                    min: 0.0,
                    max: 10.0,
                    default: Some(2.0),
                },
            }],
        };
        Engine::new(
            description,
            Box::new(|table, parameters, place| {
                let mut mistakes = Mistakes::new(place);
                let values = table.numbers("value", f64::MIN, f64::MAX, &mut mistakes);
                mistakes.end()?;
                let factor = parameters.number("factor");
                let twice = values.iter().map(|v| (v * factor).to_string()).collect();
                let table = table.with("twice", twice);
                Ok(Output {
                    table,
                    report: Map::new(),
                })
            }),
        )
    }

    fn table(cells: &[&str]) -> Table {
        Table {
            columns: vec!["value".into()],
            rows: cells.iter().map(|c| vec![(*c).to_owned()]).collect(),
        }
    }

    #[test]
    fn what_was_run_with_what_is_in_the_report() {
        let out = doubler().run(&table(&["1.5", " 2 "]), Map::new(), "p", "x.csv");
        let out = out.unwrap();
        assert_eq!(out.table.rows, [["1.5", "3"], [" 2 ", "4"]]);
        assert_eq!(out.report["version"], 3);
        assert_eq!(out.report["given"]["factor"], 2.0);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let problems = doubler().run(&table(&["1", "x", "inf"]), Map::new(), "p", "x.csv");
        let problems = problems.unwrap_err();
        let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
        assert_eq!(places, ["x.csv:3", "x.csv:4"]);
        let bad = serde_json::json!({"factor": 11, "colour": 1});
        let problems = doubler()
            .run(
                &Table::default(),
                bad.as_object().unwrap().clone(),
                "p.toml",
                "x.csv",
            )
            .unwrap_err();
        let codes: Vec<_> = problems.iter().map(|p| p.code.as_str()).collect();
        assert_eq!(
            codes,
            ["engine-column", "engine-parameter", "engine-parameter"]
        );
        let engines = [doubler()];
        assert_eq!(
            find(&engines, "dreams").err().unwrap().code,
            "engine-unknown"
        );
    }
}
