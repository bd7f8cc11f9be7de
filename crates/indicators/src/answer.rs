//! What the answer of an indicator's query must look like: one column, at most one row, a number or nothing, and beside it the unit where
//! the indicator names one. Anything else is a
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

/// The column in which a query tells the unit of its figure.
pub const UNIT: &str = "unit";

/// What a query answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How many columns; one called [`UNIT`] is not counted.
    pub columns: usize,
    /// How many rows; more than one may be counted as two.
    pub rows: usize,
    /// The first of these columns in the first row.
    pub cell: Cell,
    /// The unit that the first row tells; `None` when no column is called [`UNIT`], empty when it tells nothing.
    pub unit: Option<String>,
}

impl Definition {
    /// The figure that a query's answer gives.
    ///
    /// # Errors
    /// `indicator-answer` when it is no figure, `indicator-unit` when it is one of another unit, `indicator-percent` when a share of a hundred is outside 0 and 100; the place
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
            Cell::Number(number) => {
                self.must_be_of_its_unit(answer.unit.as_deref())?;
                self.must_be_possible(*number).map(|()| Some(*number))
            }
        }
    }

    fn must_be_of_its_unit(&self, told: Option<&str>) -> Result<(), Problem> {
        let place = format!("{}:{}", self.file, self.sql_line);
        let wrong =
            |what: String, mend: &str| Err(Problem::new("indicator-unit", what, place, mend));
        match (told, self.unit_code.as_deref()) {
            (None, None) => Ok(()),
            (Some(told), Some(wanted)) if told == wanted => Ok(()),
            (Some(told), Some(wanted)) => wrong(
                format!(
                    "the query's figure is in \"{}\", the indicator in {wanted}",
                    quote(told)
                ),
                "convert it in the query, or leave out rows of other units: several units cannot be added up",
            ),
            (Some(told), None) => wrong(
                format!(
                    "the query tells the unit \"{}\", and the indicator names none",
                    quote(told)
                ),
                "write unit_code in the file's header, or leave the column out",
            ),
            (None, Some(wanted)) => wrong(
                format!("the indicator is in {wanted}, and the query does not tell its unit"),
                "add a column: CASE WHEN COUNT(DISTINCT unit) = 1 THEN MIN(unit) ELSE 'several' END AS unit",
            ),
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
