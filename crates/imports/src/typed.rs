//! From texts to columns, in two passes over the file: the first finds what each column holds, the second makes
//! it. A column is what nine in ten of its cells are; a cell that is something else is a problem of its line.

use crate::kinds::{self, KINDS, Kind};
use crate::{Findings, Found, Limits, LineProblem, Options, Table, grouped};
use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch,
    StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use model::problem::{both, quote};
use model::{Both, Told};
use std::collections::HashSet;
use std::sync::Arc;

/// Rows of one batch.
const BATCH_ROWS: usize = 65_536;

/// A row of texts, with its line.
pub(crate) struct Row<'a> {
    pub line: u64,
    /// As many as there are names, when there are no faults.
    pub cells: Vec<&'a str>,
    /// What is wrong with it before anybody asks what its cells hold.
    pub faults: Vec<LineProblem>,
}

/// Takes a row.
pub(crate) type Each<'e> = dyn FnMut(Row<'_>) -> Result<(), Told> + 'e;

/// Whatever has rows under names. They can be read again and again.
pub(crate) trait Rows {
    /// Gives each row, the one that names the columns and empty ones aside.
    fn each(&mut self, each: &mut Each<'_>) -> Result<(), Told>;

    /// Whether a day alone stands for its midnight in a column of times: in a workbook the two are one number.
    fn days_are_midnights(&self) -> bool {
        false
    }
}

/// Whether a cell can be of the kind.
fn fits(kind: Kind, text: &str, days_are_midnights: bool) -> bool {
    kind.fits(text) || (days_are_midnights && kind == Kind::Time && kinds::date(text).is_some())
}

/// Columns and the rows that are good.
pub(crate) struct Typed {
    pub schema: SchemaRef,
    pub columns: Vec<Found>,
    pub batches: Vec<RecordBatch>,
    pub rows_seen: usize,
    pub rows_bad: usize,
    pub problems: Vec<LineProblem>,
    pub problems_count: usize,
}

/// Where columns came from, beside what is in them.
pub(crate) struct Origin {
    pub format: &'static str,
    pub encoding: Option<&'static str>,
    pub sheet: Option<String>,
    /// What was done that is not in the file, in the order in which it is told.
    pub notes: Vec<Told>,
}

impl Typed {
    /// The table that the columns are.
    pub fn table(self, origin: Origin) -> Table {
        let Origin {
            format,
            encoding,
            sheet,
            notes,
        } = origin;
        Table {
            format,
            encoding,
            sheet,
            schema: self.schema,
            columns: self.columns,
            batches: self.batches,
            rows_seen: self.rows_seen,
            rows_bad: self.rows_bad,
            problems: self.problems,
            problems_count: self.problems_count,
            notes,
        }
    }
}

/// The names of the columns from the line that has them.
///
/// # Errors
/// `import-header`.
pub(crate) fn header(cells: &[&str], place: &str, limits: &Limits) -> Result<Vec<String>, Told> {
    let wrong = |what: Both, mend: Both| Err(Told::new("import-header", what, place, mend));
    let filled = cells.iter().rposition(|c| !c.trim().is_empty());
    let Some(last) = filled else {
        return wrong(
            both("没有一行是列名", "no line names the columns"),
            both(
                "请把列名写在一行里；不在第一行的，用“列名在第几行”（--header-line）指明",
                "write the names of the columns into one line, and say which with --header-line when it is not the first",
            ),
        );
    };
    let cells = &cells[..=last];
    if cells.len() > limits.columns_max {
        let (has, max) = (cells.len(), limits.columns_max);
        return wrong(
            both(format!("有 {has} 列"), format!("there are {has} columns")),
            both(
                format!("最多 {max} 列；也可调高 import.columns_max"),
                format!("use at most {max}, or raise import.columns_max"),
            ),
        );
    }
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for (n, cell) in cells.iter().enumerate() {
        let name = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = if name.is_empty() {
            format!("column_{}", n + 1)
        } else {
            name
        };
        if name.len() > limits.cell_bytes_max {
            let (column, bytes) = (n + 1, name.len());
            return wrong(
                both(
                    format!("第 {column} 列的列名有 {bytes} 字节"),
                    format!("the name of column {column} has {bytes} bytes"),
                ),
                both(
                    "请用短一些的列名；双引号只开不关，后面的内容都会算进列名",
                    "give it a short name; a double quote that is opened and not closed makes one long name of all that follows",
                ),
            );
        }
        if !seen.insert(name.clone()) {
            let name = quote(&name);
            return wrong(
                both(
                    format!("两列都叫“{name}”"),
                    format!("two columns are called \"{name}\""),
                ),
                both(
                    "每列请用不同的名称；列名上面的标题，用“列名在第几行”（--header-line）略去",
                    "give each column a name of its own; a title above the names is left out with --header-line",
                ),
            );
        }
        names.push(name);
    }
    Ok(names)
}

/// The unit at the end of a column's name: `km²` of `面积(km²)` and of `面积（km²）`.
fn unit(name: &str) -> Option<String> {
    let inside = name.strip_suffix([')', '）'])?;
    let at = inside.rfind(['(', '（'])?;
    let unit = inside[at..].trim_start_matches(['(', '（']).trim();
    let named = !inside[..at].trim().is_empty() && !unit.is_empty();
    named.then(|| unit.to_owned())
}

/// How many cells of a column are filled, and how many of these fit each kind.
#[derive(Clone, Default)]
struct Counts {
    filled: usize,
    fitting: [usize; KINDS.len()],
}

impl Counts {
    fn add(&mut self, text: &str, days_are_midnights: bool) {
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        for (count, kind) in self.fitting.iter_mut().zip(KINDS) {
            *count += usize::from(fits(kind, text, days_are_midnights));
        }
    }

    /// What nine in ten of the cells are; text when no kind has that many.
    fn kind(&self) -> Kind {
        // 1 and 2.5 in one column are numbers: a wider kind is taken when more cells fit it.
        let best = self.fitting.iter().copied().max().unwrap_or(0);
        let enough = self.filled > 0 && best * 10 >= self.filled * 9;
        let mut kinds = KINDS.into_iter().zip(self.fitting);
        match kinds.find(|(_, fitting)| *fitting == best) {
            Some((kind, _)) if enough => kind,
            _ => Kind::Text,
        }
    }
}

/// Makes columns of rows.
///
/// # Errors
/// `import-rows`, `import-type`, and whatever the rows tell.
pub(crate) fn columns(
    names: &[String],
    rows: &mut dyn Rows,
    options: &Options,
    place: &str,
) -> Result<Typed, Told> {
    if let Some(unknown) = options.kinds.keys().find(|name| !names.contains(name)) {
        let (unknown, known) = (quote(unknown), quote(&names.join(", ")));
        return Err(Told::new(
            "import-type",
            both(
                format!("为“{unknown}”列指定了类型，但没有这一列"),
                format!("a type is given for the column \"{unknown}\", which is not there"),
            ),
            place,
            both(
                format!("现有的列：{known}"),
                format!("the columns are: {known}"),
            ),
        ));
    }
    let mut counts = vec![Counts::default(); names.len()];
    let mut rows_seen = 0;
    let rows_max = options.limits.rows_max;
    let days_are_midnights = rows.days_are_midnights();
    rows.each(&mut |row| {
        rows_seen += 1;
        if rows_seen > rows_max {
            return Err(too_many_rows(rows_max, row.line, place));
        }
        if row.faults.is_empty() {
            for (count, cell) in counts.iter_mut().zip(&row.cells) {
                count.add(cell.trim(), days_are_midnights);
            }
        }
        Ok(())
    })?;
    let kinds = names.iter().zip(&counts);
    let kinds: Vec<Kind> = kinds
        .map(|(name, counts)| {
            let told = options.kinds.get(name);
            told.copied().unwrap_or_else(|| counts.kind())
        })
        .collect();
    let mut making = Making::new(names, &kinds, options);
    making.days_are_midnights = days_are_midnights;
    rows.each(&mut |row| making.take(row))?;
    making.end(rows_seen)
}

/// Says that a line is one too many.
pub(crate) fn too_many_rows(rows_max: usize, line: u64, place: &str) -> Told {
    let rows_max = grouped(rows_max as u64);
    Told::new(
        "import-rows",
        both(
            format!("行数超过 {rows_max}"),
            format!("there are more than {rows_max} rows"),
        ),
        both(
            format!("{place}，第 {line} 行"),
            format!("{place}, line {line}"),
        ),
        both(
            "请拆成几个文件，或调高 import.rows_max",
            "cut the file into several, or raise import.rows_max",
        ),
    )
}

/// Says how many lines had nothing in them.
pub(crate) fn empty_note(lines: u64, place: &str) -> Option<Told> {
    (lines > 0).then(|| {
        let lines = grouped(lines);
        Told::new(
            "import-empty-lines",
            both(
                format!("略去了 {lines} 个空行"),
                format!("{lines} empty lines were left out"),
            ),
            place,
            both(
                "不需要处理，除非这些行本应有内容",
                "nothing needs to be done, unless something should stand there",
            ),
        )
    })
}

/// The second pass.
struct Making<'a> {
    names: &'a [String],
    kinds: &'a [Kind],
    options: &'a Options,
    days_are_midnights: bool,
    findings: Findings,
    schema: SchemaRef,
    builders: Vec<Builder>,
    filled: Vec<usize>,
    waiting: usize,
    rows_bad: usize,
    batches: Vec<RecordBatch>,
}

impl<'a> Making<'a> {
    fn new(names: &'a [String], kinds: &'a [Kind], options: &'a Options) -> Self {
        let fields = names.iter().zip(kinds);
        let fields: Vec<Field> = fields
            .map(|(name, kind)| Field::new(name, kind.arrow(), true))
            .collect();
        Self {
            names,
            kinds,
            options,
            days_are_midnights: false,
            findings: Findings::new(&options.limits),
            schema: Arc::new(Schema::new(fields)),
            builders: kinds.iter().map(|kind| Builder::new(*kind)).collect(),
            filled: vec![0; names.len()],
            waiting: 0,
            rows_bad: 0,
            batches: Vec::new(),
        }
    }

    fn take(&mut self, row: Row<'_>) -> Result<(), Told> {
        let mut is_bad = !row.faults.is_empty();
        for fault in row.faults {
            self.findings.add(|| fault);
        }
        if !is_bad {
            for ((name, kind), cell) in self.names.iter().zip(self.kinds).zip(&row.cells) {
                let fits = fits(*kind, cell.trim(), self.days_are_midnights);
                let problem =
                    cell_problem(name, (*kind, fits), cell, row.line, &self.options.limits);
                is_bad |= problem.is_some();
                if let Some(problem) = problem {
                    self.findings.add(|| LineProblem {
                        line: row.line,
                        column: Some(name.clone()),
                        value: Some(quote(cell.trim())),
                        problem,
                    });
                }
            }
        }
        if is_bad {
            self.rows_bad += 1;
            return Ok(());
        }
        let cells = self.builders.iter_mut().zip(&row.cells);
        for ((builder, cell), filled) in cells.zip(&mut self.filled) {
            let text = cell.trim();
            *filled += usize::from(!text.is_empty());
            builder.append(text, self.options.utc_offset_seconds);
        }
        self.waiting += 1;
        if self.waiting == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Told> {
        let arrays = self.builders.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        self.batches.push(batch.map_err(|e| {
            Told::new(
                "import-columns",
                both(
                    format!("各列合不到一起：{e}"),
                    format!("the columns do not fit together: {e}"),
                ),
                both("文件", "the file"),
                both("请报告这个问题", "report this"),
            )
        })?);
        self.waiting = 0;
        Ok(())
    }

    fn end(mut self, rows_seen: usize) -> Result<Typed, Told> {
        if self.waiting > 0 {
            self.flush()?;
        }
        let names = self.names.iter().zip(self.kinds).zip(self.filled);
        let columns = names.map(|((name, kind), filled)| Found {
            name: name.clone(),
            r#type: kind.as_str().to_owned(),
            unit: matches!(kind, Kind::Integer | Kind::Number)
                .then(|| unit(name))
                .flatten(),
            filled,
        });
        Ok(Typed {
            columns: columns.collect(),
            schema: self.schema,
            batches: self.batches,
            rows_seen,
            rows_bad: self.rows_bad,
            problems: self.findings.kept,
            problems_count: self.findings.count,
        })
    }
}

fn cell_problem(
    name: &str,
    (kind, fits): (Kind, bool),
    cell: &str,
    line: u64,
    limits: &Limits,
) -> Option<Told> {
    let text = cell.trim();
    let place = || {
        both(
            format!("第 {line} 行，{name} 列"),
            format!("line {line}, column {name}"),
        )
    };
    if text.len() > limits.cell_bytes_max {
        let (has, max) = (text.len(), limits.cell_bytes_max);
        return Some(Told::new(
            "import-cell-length",
            both(
                format!("内容有 {has} 字节"),
                format!("the text has {has} bytes"),
            ),
            place(),
            both(
                format!(
                    "最多 {max} 字节，也可调高 import.cell_kib_max；双引号只开不关，会把后面的行都吞进来"
                ),
                format!(
                    "use at most {max} bytes, or raise import.cell_kib_max; a double quote that is opened and not closed swallows the lines after it"
                ),
            ),
        ));
    }
    if text.is_empty() || fits {
        return None;
    }
    let (text, kind, example) = (quote(text), kind.name(), kind.example());
    Some(Told::new(
        "import-cell",
        both(
            format!("“{text}”不是{}", kind.zh),
            format!("\"{text}\" is not {}", kind.en),
        ),
        place(),
        both(
            format!(
                "请把{}写成 {} 这样，或留空，或在命令行用 --type 指定这一列是什么",
                kind.zh, example.zh
            ),
            format!(
                "write {} as {}, leave the cell empty, or, on the command line, say what the column holds with --type",
                kind.en, example.en
            ),
        ),
    ))
}

/// A column that grows.
enum Builder {
    Integer(Int64Builder),
    Number(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Text(StringViewBuilder),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Number => Self::Number(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Text => Self::Text(StringViewBuilder::new()),
        }
    }

    /// Takes a text that fits; an empty one is null.
    fn append(&mut self, text: &str, utc_offset_seconds: i64) {
        match self {
            Self::Integer(b) => b.append_option(kinds::integer(text)),
            Self::Number(b) => b.append_option(kinds::number(text)),
            Self::Boolean(b) => b.append_option(kinds::boolean(text)),
            Self::Date(b) => {
                b.append_option(kinds::date(text).and_then(|days| i32::try_from(days).ok()));
            }
            Self::Time(b) => {
                let at = kinds::time(text, utc_offset_seconds);
                b.append_option(at.or_else(|| kinds::midnight(text, utc_offset_seconds)));
            }
            Self::Text(b) => b.append_option((!text.is_empty()).then_some(text)),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(b) => Arc::new(b.finish()),
            Self::Number(b) => Arc::new(b.finish()),
            Self::Boolean(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Text(b) => Arc::new(b.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied_and_must_differ() {
        let limits = Limits::default();
        let names = header(&["  镇 ", "a\n b", "", "x", "", " "], "a.csv", &limits).unwrap();
        assert_eq!(names, ["镇", "a b", "column_3", "x"]);
        for cells in [&["", " "][..], &["a", "a"], &[]] {
            assert_eq!(
                header(cells, "a.csv", &limits).unwrap_err().code,
                "import-header"
            );
        }
    }

    #[test]
    fn units_stand_in_brackets_at_the_end() {
        assert_eq!(unit("面积(km²)").as_deref(), Some("km²"));
        assert_eq!(unit("产值（ 万元 ）").as_deref(), Some("万元"));
        for name in ["面积", "(km²)", "面积()", "(a) b"] {
            assert_eq!(unit(name), None, "{name}");
        }
    }

    #[test]
    fn nine_in_ten_make_a_kind_and_the_wider_one_wins() {
        let kind = |texts: &[&str]| {
            let mut counts = Counts::default();
            texts.iter().for_each(|text| counts.add(text, false));
            counts.kind()
        };
        assert_eq!(kind(&["1", "2", ""]), Kind::Integer);
        assert_eq!(kind(&["1", "2.5"]), Kind::Number);
        assert_eq!(kind(&["1", "2", "many"]), Kind::Text);
        assert_eq!(
            kind(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "many"]),
            Kind::Integer
        );
        assert_eq!(kind(&["是", "否"]), Kind::Boolean);
        assert_eq!(kind(&["2026-11-23"]), Kind::Date);
        assert_eq!(kind(&["", ""]), Kind::Text);
    }
}
