//! Errors of SQL told for people: what, where in the statement, and what mends it.

use crate::engine::UNBOUNDED_FUNCTIONS;
use crate::names::nearest;
use crate::query::Limits;
use crate::records::RecordTable;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use model::Problem;
use std::error::Error;

/// What a statement may name.
pub(crate) struct Known {
    pub tables: Vec<RecordTable>,
}

/// How the planner writes the catalogue and schema in front of a table's name.
pub(crate) const CATALOG: &str = "city";
pub(crate) const SCHEMA: &str = "public";

/// A statement that does not parse, from the parser's message, which ends with line and column.
pub(crate) fn syntax_problem(message: &str) -> Problem {
    let message = clean(message);
    let (what, place) = match message.rsplit_once(" at Line: ") {
        Some((what, place)) => (
            what.trim_end_matches(',').to_owned(),
            format!("line {}", place.replace(", Column: ", ", column ")),
        ),
        None => (message, "statement".to_owned()),
    };
    Problem::new("sql-syntax", what, place, "mend the statement there")
}

/// Any other error of planning or running.
pub(crate) fn sql_problem(error: &DataFusionError, known: &Known, limits: &Limits) -> Problem {
    let place = error.diagnostic().and_then(|d| d.span).map_or_else(
        || "statement".to_owned(),
        |span| format!("line {}, column {}", span.start.line, span.start.column),
    );
    // What a lender of tables told, or whoever reads files.
    if let Some(problem) = told_inside(error) {
        return problem.clone();
    }
    let root = error.find_root();
    match root {
        DataFusionError::SQL(parser, _) => syntax_problem(&parser.to_string()),
        DataFusionError::SchemaError(schema, _) => schema_problem(schema, place),
        DataFusionError::ResourcesExhausted(_) => memory_problem(limits),
        DataFusionError::NotImplemented(what) => Problem::new(
            "sql-not-supported",
            clean(what),
            place,
            "write it another way",
        ),
        DataFusionError::Plan(what) => plan_problem(what, place, known),
        DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => Problem::new(
            "lake-read",
            clean(&root.strip_backtrace()),
            "history's files",
            "see whether the disk answers and file handles are left (ulimit -n), then ask again",
        ),
        other => {
            let mut what = clean(&other.strip_backtrace());
            for prefix in [
                "Execution error: ",
                "Arrow error: ",
                "Cast error: ",
                "External error: ",
                "Error during planning: ",
            ] {
                what = what.trim_start_matches(prefix).to_owned();
            }
            Problem::new(
                "sql-failed",
                what,
                place,
                "mend the statement, or ask for less",
            )
        }
    }
}

/// A problem of ours that the engine carries, however deep.
fn told_inside(error: &DataFusionError) -> Option<&Problem> {
    let mut inner: &(dyn Error + 'static) = error;
    loop {
        if let Some(problem) = inner.downcast_ref::<Problem>() {
            return Some(problem);
        }
        inner = inner.source()?;
    }
}

/// More memory than allowed.
pub(crate) fn memory_problem(limits: &Limits) -> Problem {
    Problem::new(
        "sql-memory",
        format!(
            "the query needs more than {} MB of memory",
            limits.memory_bytes_max >> 20
        ),
        "statement",
        "narrow it by time, type or entity, ask for fewer columns, or add LIMIT",
    )
}

/// More time than allowed.
pub(crate) fn time_problem(limits: &Limits) -> Problem {
    Problem::new(
        "sql-time",
        format!(
            "the query was stopped after {:.1} s",
            limits.time_max.as_secs_f64()
        ),
        "statement",
        "narrow it by time, type or entity, or join on a key",
    )
}

fn schema_problem(error: &SchemaError, place: String) -> Problem {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let near = nearest(&field.name, valid_fields.iter().map(|c| c.name.as_str()));
            let mend = if near.is_empty() {
                let mut all: Vec<&str> = valid_fields.iter().map(|c| c.name.as_str()).collect();
                all.dedup();
                format!("use one of: {}", listed(&all))
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            Problem::new(
                "sql-column-unknown",
                format!("there is no column \"{}\"", field.name),
                place,
                mend,
            )
        }
        SchemaError::AmbiguousReference { field } => Problem::new(
            "sql-column-ambiguous",
            format!("more than one table has a column \"{}\"", field.name),
            place,
            format!("write the table before it, as in t.{}", field.name),
        ),
        other => Problem::new(
            "sql-column-twice",
            clean(&other.to_string()),
            place,
            "give one of them another name with AS",
        ),
    }
}

fn plan_problem(what: &str, place: String, known: &Known) -> Problem {
    let what = clean(what);
    let table = what
        .strip_prefix("table '")
        .and_then(|rest| rest.strip_suffix("' not found"));
    if let Some(table) = table {
        let names = || known.tables.iter().map(|t| t.name.as_str());
        let near = nearest(table, names());
        let mend = if near.is_empty() {
            format!("use one of: {}", listed(&names().collect::<Vec<_>>()))
        } else {
            format!("did you mean {}? SHOW TABLES lists all", near.join(" or "))
        };
        return Problem::new(
            "sql-table-unknown",
            format!("there is no table \"{table}\""),
            place,
            mend,
        );
    }
    if let Some((name, _)) = what
        .strip_prefix("Invalid function '")
        .and_then(|rest| rest.split_once('\''))
    {
        let (what, mend) = if UNBOUNDED_FUNCTIONS.contains(&name) {
            (
                "is not offered: one call can ask for any amount of memory",
                "do without it",
            )
        } else {
            ("is unknown", "SHOW FUNCTIONS lists what there is")
        };
        let what = format!("the function {name} {what}");
        return Problem::new("sql-function-unknown", what, place, mend);
    }
    if let Some((_, rest)) = what.split_once("column \"")
        && let Some((column, true)) = rest
            .split_once('"')
            .map(|(column, rest)| (column, rest.contains("must appear in the GROUP BY")))
    {
        return Problem::new(
            "sql-group-by",
            format!("{column} is neither grouped by nor in an aggregate"),
            place,
            format!("add it to GROUP BY, or put it into an aggregate such as max({column})"),
        );
    }
    let writes = ["DDL", "DML", "Statement"];
    if writes
        .iter()
        .any(|kind| what.starts_with(&format!("{kind} not supported: ")))
    {
        return crate::statement::not_reading("writing");
    }
    Problem::new("sql-plan", what, place, "mend the statement")
}

fn listed(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 30;
    let mut text = names
        .iter()
        .take(SHOWN_MAX)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN_MAX {
        text.push_str(", …");
    }
    text
}

/// Takes the program's own words out of a message and cuts it to a readable length.
fn clean(message: &str) -> String {
    const CHARS_MAX: usize = 400;
    let mut text = message
        .trim()
        .replace(&format!("{CATALOG}.{SCHEMA}."), "")
        .replace("SQL error: ", "")
        .replace("sql parser error: ", "")
        .replace('\n', " ");
    if let Some((cut, _)) = text.char_indices().nth(CHARS_MAX) {
        text.truncate(cut);
        text.push('…');
    }
    text
}
