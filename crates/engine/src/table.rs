//! Tables of texts, and what is read from them: every cell that cannot be read is told with its line.

use crate::wrong;
use model::Problem;
use model::problem::quote;

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

/// The mistakes of one table, up to twenty.
#[derive(Debug)]
pub struct Mistakes<'a> {
    place: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Mistakes<'a> {
    /// None yet, of the table of that name.
    pub fn new(place: &'a str) -> Self {
        let problems = Vec::new();
        Self { place, problems }
    }

    /// One in the row of that number, from 0; the first line of the file has the columns' names.
    pub fn add(&mut self, row: usize, mut problem: Problem) {
        if !self.is_full() {
            problem.place = format!("{}:{}", self.place, row + 2);
            self.problems.push(problem);
        }
    }

    /// One of the table as a whole.
    pub fn of_table(&mut self, what: impl Into<String>, mend: &str) {
        let problem = Problem::new("engine-table", what, self.place, mend);
        self.problems.push(problem);
    }

    /// Whether no more are told.
    pub fn is_full(&self) -> bool {
        self.problems.len() >= MISTAKES_MAX
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The end of reading.
    ///
    /// # Errors
    /// When there were any.
    pub fn end(self) -> Result<(), Vec<Problem>> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self.problems)
        }
    }
}

impl Table {
    /// An empty one with these columns.
    pub fn of(columns: &[&str]) -> Self {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        let rows = Vec::new();
        Self { columns, rows }
    }

    /// Where the column stands.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.position(column).is_some()
    }

    /// The cells of a column, trimmed; empty ones where it is missing.
    pub fn cells(&self, column: &str) -> impl Iterator<Item = &str> {
        let at = self.position(column);
        self.rows.iter().map(move |row| {
            let cell = at.and_then(|at| row.get(at));
            cell.map_or("", |cell| cell.trim())
        })
    }

    /// A column of numbers between `min` and `max`; an empty cell is a gap. What cannot be read is told, and stands as a gap.
    pub fn numbers_or_gaps(
        &self,
        column: &str,
        min: f64,
        max: f64,
        mistakes: &mut Mistakes<'_>,
    ) -> Vec<Option<f64>> {
        let mut numbers = Vec::with_capacity(self.rows.len());
        for (n, cell) in self.cells(column).enumerate() {
            numbers.push(match cell {
                "" => None,
                text => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() && (min..=max).contains(&number) => {
                        Some(number)
                    }
                    Ok(number) if number.is_finite() => {
                        let what = format!("{column} is {}, not from {min} to {max}", quote(text));
                        mistakes.add(n, wrong(what, "correct it, or leave it empty"));
                        None
                    }
                    _ => {
                        let what = format!("{column}: {} is no number", quote(text));
                        mistakes.add(n, wrong(what, "write a number without its unit"));
                        None
                    }
                },
            });
        }
        numbers
    }

    /// A column of numbers without gaps; what cannot be read is told, and stands as 0.
    pub fn numbers(
        &self,
        column: &str,
        min: f64,
        max: f64,
        mistakes: &mut Mistakes<'_>,
    ) -> Vec<f64> {
        for (n, cell) in self.cells(column).enumerate() {
            if cell.is_empty() {
                let what = format!("{column} is empty");
                mistakes.add(n, wrong(what, "fill it in: the method needs every row"));
            }
        }
        let numbers = self.numbers_or_gaps(column, min, max, mistakes);
        numbers.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// The table with one more column; cells that are missing are empty.
    #[must_use]
    pub fn with(&self, column: &str, cells: Vec<String>) -> Self {
        let mut table = self.clone();
        table.columns.push(column.to_owned());
        let mut cells = cells.into_iter();
        for row in &mut table.rows {
            row.push(cells.next().unwrap_or_default());
        }
        table
    }
}
