//! What the answer of an indicator's query must look like: one column, at most one row, a number or nothing. Anything else is a
//! problem of the indicator, and no figure: nothing is taken silently.

use crate::definition::Definition;
use crate::parse::PERCENTS;
use model::Problem;
use model::problem::quote;

/// The cell that a query answers with.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL, or no row: there is nothing to compute the figure from.
    Nothing,
    /// A number; it may be none that is finite.
    Number(f64),
    /// Something else, as it is written.
    Other(String),
}

/// What a query answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How many columns.
    pub columns: usize,
    /// How many rows; more than one may be counted as two.
    pub rows: usize,
    /// The first column of the first row.
    pub cell: Cell,
}

impl Definition {
    /// The figure that a query's answer gives.
    ///
    /// # Errors
    /// `indicator-answer` when it is no figure, `indicator-percent` when a share of a hundred is outside 0 and 100; the place
    /// is the file and line of the query.
    pub fn value_of(&self, answer: &Answer) -> Result<Option<f64>, Problem> {
        let place = format!("{}:{}", self.file, self.sql_line);
        let wrong = |what: String, mend: &str| {
            Err(Problem::new("indicator-answer", what, place.clone(), mend))
        };
        if answer.columns != 1 {
            return wrong(
                format!("the query gives {} columns", answer.columns),
                "give one column: SELECT … AS value",
            );
        }
        if answer.rows > 1 {
            return wrong(
                "the query gives more than one row, so nobody can say which is the figure".into(),
                "sum them, take the newest (ORDER BY … LIMIT 1), or restrict the rows",
            );
        }
        match &answer.cell {
            _ if answer.rows == 0 => Ok(None),
            Cell::Nothing => Ok(None),
            Cell::Other(text) => wrong(
                format!("the query gives \"{}\", which is no number", quote(text)),
                "give a number: CAST(… AS DOUBLE)",
            ),
            Cell::Number(number) if !number.is_finite() => wrong(
                format!("the query gives {number}, which is no finite number"),
                "divide by NULLIF(…, 0), so that there is no figure where there is nothing to divide by",
            ),
            Cell::Number(number) => self.must_be_possible(*number).map(|()| Some(*number)),
        }
    }

    fn must_be_possible(&self, number: f64) -> Result<(), Problem> {
        if !self.is_percent() || PERCENTS.contains(&number) {
            return Ok(());
        }
        Err(Problem::new(
            "indicator-percent",
            format!("{number} is no share of a hundred"),
            format!("{}:{}", self.file, self.sql_line),
            "look at the rows behind the figure: what is counted above is more than what is counted below, or a report is wrong",
        ))
    }
}
