//! Engines (计算引擎): the mathematics of packs, run over a table from a file instead of over the city's data. Pure functions of
//! their input; `jingling engine` lists, describes and runs them.

mod alerts;

use crate::packs::Packs;
use model::Problem;
use model::problem::quote;
use serde::Serialize;

/// Mistakes that are told of one table before it is given up.
const MISTAKES_MAX: usize = 20;

/// A table of texts: what a CSV file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each as long as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds, with its form and unit.
    pub what: &'static str,
}

/// What an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Its name, kebab case.
    pub name: &'static str,
    /// The pack whose mathematics it is.
    pub pack: &'static str,
    /// Title in Chinese.
    pub title_zh: &'static str,
    /// Title in English.
    pub title_en: &'static str,
    /// How it reckons, and where that is said.
    pub method: &'static str,
    /// The columns that the input must have; others are left alone.
    pub input: &'static [Column],
    /// The columns that the output has beside those of the input.
    pub output: &'static [Column],
}

/// An engine.
pub struct Engine {
    /// What it is.
    pub description: Description,
    begin: fn(&Packs) -> Result<Rows<'_>, Vec<Problem>>,
}

/// Takes the cells of one row after the other, as the input's columns are declared, and gives the engine's own.
type Rows<'a> = Box<dyn FnMut(&[&str]) -> Result<Vec<String>, Problem> + 'a>;

/// All engines, by name.
pub const ENGINES: &[Engine] = &[
    Engine {
        description: Description {
            name: "plan-status",
            pack: "pack-plan",
            title_zh: "规划指标对照路径的状态",
            title_en: "Where an indicator stands against its path",
            method: "The value expected on a day lies on the straight line through the plan's points (or stands still between them, as the \
                 indicator's path says); the status compares the value with it: crates/indicators/src/path.rs",
            input: &[
                Column {
                    name: "indicator",
                    what: "the indicator's id, such as t1-charging-points",
                },
                Column {
                    name: "day",
                    what: "a day of the city's calendar, YYYY-MM-DD",
                },
                Column {
                    name: "value",
                    what: "the value on that day, in the indicator's unit; empty when it is not known",
                },
            ],
            output: &[
                Column {
                    name: "expected",
                    what: "the value that the path expects, in the same unit; empty while nothing is expected",
                },
                Column {
                    name: "status",
                    what: "met, on_path, behind or unknown",
                },
            ],
        },
        begin: plan_statuses,
    },
    alerts::ENGINE,
];

/// The engine of that name.
///
/// # Errors
/// `engine-unknown` with those that there are.
pub fn find(name: &str) -> Result<&'static Engine, Problem> {
    let found = ENGINES.iter().find(|e| e.description.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = ENGINES.iter().map(|e| e.description.name).collect();
        Problem::new(
            "engine-unknown",
            format!("there is no engine {}", quote(name)),
            "engine",
            format!("use {}", names.join(", ")),
        )
    })
}

impl Engine {
    /// Runs over a table: each row gets the engine's columns behind its own. `place` names the table in messages.
    ///
    /// # Errors
    /// A column that is missing or would be there twice; each row that cannot be read, up to twenty, with its line.
    pub fn run(&self, packs: &Packs, table: &Table, place: &str) -> Result<Table, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut places = Vec::new();
        for column in self.description.input {
            match table.columns.iter().position(|name| name == column.name) {
                Some(at) => places.push(at),
                None => problems.push(Problem::new(
                    "engine-column",
                    format!("the column {} is missing: {}", column.name, column.what),
                    format!("{place}:1"),
                    "add it, with its name in the first line",
                )),
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
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut rows = (self.begin)(packs)?;
        let mut out = table.clone();
        let names = self.description.output.iter().map(|c| c.name.to_owned());
        out.columns.extend(names);
        for (n, row) in out.rows.iter_mut().enumerate() {
            let cells: Vec<&str> = places
                .iter()
                .map(|at| row.get(*at).map_or("", |cell| cell.trim()))
                .collect();
            match rows(&cells) {
                Ok(more) => row.extend(more),
                Err(mut problem) => {
                    // The first line has the names.
                    problem.place = format!("{place}:{}", n + 2);
                    problems.push(problem);
                    if problems.len() == MISTAKES_MAX {
                        break;
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(out)
        } else {
            Err(problems)
        }
    }
}

fn plan_statuses(packs: &Packs) -> Result<Rows<'_>, Vec<Problem>> {
    Ok(Box::new(move |cells: &[&str]| plan_status(packs, cells)))
}

fn plan_status(packs: &Packs, cells: &[&str]) -> Result<Vec<String>, Problem> {
    let &[id, day, value] = cells else {
        return Err(wrong("the row is too short", "give it every column"));
    };
    let indicator = packs.indicators.iter().find(|i| i.id == id);
    let indicator = indicator.ok_or_else(|| {
        wrong(
            format!("there is no indicator {}", quote(id)),
            "take an id from the plan's page",
        )
    })?;
    let day = day.parse::<jiff::civil::Date>().map_err(|_| {
        wrong(
            format!("{} is no day", quote(day)),
            "write it as YYYY-MM-DD",
        )
    })?;
    let value = match value {
        "" => None,
        text => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => {
                return Err(wrong(
                    format!("{} is no number", quote(text)),
                    "write a number without its unit, or leave it empty",
                ));
            }
        },
    };
    let expected = indicator.expected(day);
    let status = indicator.status(value, day);
    Ok(vec![
        expected
            .map(|number| number.to_string())
            .unwrap_or_default(),
        status.as_str().to_owned(),
    ])
}

fn wrong(what: impl Into<String>, mend: &str) -> Problem {
    Problem::new("engine-row", what, "", mend)
}
