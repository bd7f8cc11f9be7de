//! Rows on their way to the client: where they come from, and their columns in the protocol's words.

use crate::types::{Cells, PgType};
use crate::wire::ColumnHeader;
use crate::zone::Zone;
use arrow::array::RecordBatch;
use lake::Answer;
use model::Problem;

/// Where rows come from.
pub(crate) enum Source {
    Lake(Box<Answer>),
    /// Whole, because what it shows of persons was to be written down first.
    Gathered(std::vec::IntoIter<RecordBatch>),
    Texts(std::vec::IntoIter<Vec<String>>),
}

/// Rows on their way to the client.
pub(crate) struct Rows {
    pub headers: Vec<ColumnHeader>,
    pub kinds: Vec<PgType>,
    pub source: Source,
    /// The batch at hand, its length, and the next row in it.
    pub batch: Option<(Vec<Cells>, usize, usize)>,
    pub is_done: bool,
}

impl Rows {
    pub fn texts(columns: Vec<(String, PgType)>, formats: &[i16], rows: Vec<Vec<String>>) -> Self {
        Self {
            headers: headers(&columns, formats),
            kinds: columns.into_iter().map(|(_, kind)| kind).collect(),
            source: Source::Texts(rows.into_iter()),
            batch: None,
            is_done: false,
        }
    }
}

/// A whole answer: its columns and its rows.
pub(crate) async fn gathered(
    answer: impl Future<Output = Result<Answer, Problem>>,
) -> Result<(Vec<(String, PgType)>, Vec<RecordBatch>), Problem> {
    let mut answer = answer.await?;
    let mut batches = Vec::new();
    while let Some(batch) = answer.next().await {
        batches.push(batch?);
    }
    if answer.truncated() {
        return Err(lake::formats::rows_problem(answer.limits()));
    }
    Ok((columns_of(answer.schema()), batches))
}

pub(crate) fn show_all_columns() -> Vec<(String, PgType)> {
    ["name", "setting"]
        .map(|name| (name.to_owned(), PgType::Text))
        .into()
}

pub(crate) fn columns_of(schema: &arrow::datatypes::Schema) -> Vec<(String, PgType)> {
    let fields = schema.fields().iter();
    fields.map(|f| (f.name().clone(), PgType::of(f))).collect()
}

pub(crate) fn headers(columns: &[(String, PgType)], formats: &[i16]) -> Vec<ColumnHeader> {
    let columns = columns.iter().enumerate();
    columns
        .map(|(n, (name, kind))| ColumnHeader {
            name: name.clone(),
            type_id: kind.id(),
            type_size: kind.size(),
            binary: is_binary(formats, n),
        })
        .collect()
}

/// Formats as the protocol gives them: none for text, one for all, or one each.
pub(crate) fn is_binary(formats: &[i16], n: usize) -> bool {
    match formats {
        [] => false,
        [all] => *all == 1,
        each => each.get(n) == Some(&1),
    }
}

/// The cells of a batch as PostgreSQL's types.
pub(crate) fn cells(
    kinds: &[PgType],
    batch: &RecordBatch,
    zone: &Zone,
) -> Result<Vec<Cells>, Problem> {
    let cells = kinds.iter().zip(batch.columns());
    let cells = cells.map(|(kind, column)| Cells::new(*kind, column, zone));
    cells.collect::<Result<Vec<_>, _>>().map_err(|error| {
        Problem::new(
            "sql-answer",
            format!("a column has no form in PostgreSQL: {error}"),
            "statement",
            "cast it, as in CAST(x AS VARCHAR)",
        )
    })
}
