//! A file whose columns are those of a declared table (`TableView` with a way in): rows of which it is known what they say, of
//! whom and when. Which entity that is, and whether it is believed, others know.
//!
//! Columns stand in any order, under their names without regard to case. A filled cell in a column that the platform has nothing for is not
//! lost quietly: a note says the column, how many rows have something there, and the first of them.

use crate::typed::{self, Row, Rows};
use crate::{
    Findings, Found, LineProblem, Options, Progress, Table, excel, grouped, kinds, parquet_file,
    text,
};
use arrow::datatypes::Schema;
use model::problem::{both, quote};
use model::{
    Both, Geometry, IntakeValue, TableIntake, TableView, Timestamp, Told, Value, ViewColumn,
    ViewColumnKind,
};
use std::path::Path;
use std::sync::Arc;

/// What one row says.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Its line in the file, or its row in the sheet, from 1.
    pub line: u64,
    /// Of whom: what stands in the key's column.
    pub key: String,
    /// When it was so; nothing where the table has no time.
    pub at: Option<Timestamp>,
    /// The values, each with its place in the declaration's list.
    pub values: Vec<(usize, Value)>,
}

/// A file as rows of a declared table.
#[derive(Clone, Debug)]
pub struct Read {
    /// The file as it was found, without rows of its own.
    pub table: Table,
    /// What its good rows say.
    pub rows: Vec<Said>,
}

/// Reads a file whose columns are those of `view`, by the ending of `name`, which is also what problems call it.
///
/// # Errors
/// As [`crate::read`], and `import-header` when the columns for whom and when are missing, nothing is there that could be taken, or a
/// column stands there twice. What is wrong with single lines is in the answer.
pub fn read(
    path: &Path,
    name: &str,
    (view, intake): (&TableView, &TableIntake),
    options: &Options,
    progress: Progress<'_>,
) -> Result<Read, Told> {
    let told = |error: std::io::Error| crate::unreadable(name, &error);
    let ending = Path::new(name).extension().and_then(|e| e.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    let bytes = std::fs::metadata(path).map_err(told)?.len();
    let max = options.limits.file_bytes_max;
    let is_book = matches!(ending.as_str(), "xlsx" | "xlsm" | "xls");
    // Whoever would be refused is told so as for any other table.
    let is_known = is_book || matches!(ending.as_str(), "csv" | "tsv" | "txt");
    if bytes > max || !is_known || (ending == "xls" && options.refuse_xls) {
        let table = crate::read(path, name, options, progress)?;
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let mut rows = parquet_file::TextRows {
            table: &table,
            place: name,
        };
        let taken = Taking::new(view, intake, &names, options, name)?.all(&mut rows)?;
        let origin = typed::Origin {
            format: table.format,
            encoding: None,
            sheet: None,
            notes: Vec::new(),
        };
        return Ok(taken.end(origin));
    }
    // Others read a file twice, and tell how far both are.
    let once = &mut |done: u64, total: u64| progress(done.saturating_mul(2).min(total), total);
    let (taken, origin) = if is_book {
        let format = match ending.as_str() {
            "xls" => excel::Format::Xls,
            _ => excel::Format::Xlsx,
        };
        let make = |names: &[String], rows: &mut dyn Rows, place: &str| {
            Taking::new(view, intake, names, options, place)?.all(rows)
        };
        excel::with_rows(path, (name, format), options, once, make)?
    } else {
        let bytes = std::fs::read(path).map_err(told)?;
        text::with_rows(&bytes, name, options, once, |names, rows| {
            Taking::new(view, intake, names, options, name)?.all(rows)
        })?
    };
    Ok(taken.end(origin))
}

/// What a column of the file is to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is read: key, time, a value, or what a value hangs on.
    Taken,
    /// The table has it, and the platform has nothing for it.
    Unsaid,
    /// The table does not have it.
    Foreign,
}

/// One declared value and where in the file it stands.
struct Wanted<'a> {
    /// Its place in the declaration's list.
    n: usize,
    value: &'a IntakeValue,
    kind: ViewColumnKind,
    /// The columns in the file.
    cells: Vec<usize>,
    /// What it hangs on: the column in the file, if it is there, and the value.
    only_where: Option<(Option<usize>, &'a str)>,
}

struct Taking<'a> {
    view: &'a TableView,
    options: &'a Options,
    place: &'a str,
    names: Vec<String>,
    roles: Vec<Role>,
    key: usize,
    time: Option<(usize, i64)>,
    wanted: Vec<Wanted<'a>>,
    days_are_midnights: bool,
    /// Filled cells of each column, and the line of the first.
    filled: Vec<(usize, u64)>,
    findings: Findings,
    rows: Vec<Said>,
    rows_seen: usize,
    rows_bad: usize,
}

impl<'a> Taking<'a> {
    fn new(
        view: &'a TableView,
        intake: &'a TableIntake,
        names: &[String],
        options: &'a Options,
        place: &'a str,
    ) -> Result<Self, Told> {
        let same = |name: &str, wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
        let at = |wanted: &str| names.iter().position(|name| same(name, wanted));
        let table = &view.name;
        let wrong = |what: Both, mend: Both| Told::new("import-header", what, place, mend);
        for column in &view.columns {
            if names.iter().filter(|name| same(name, &column.name)).count() > 1 {
                let name = &column.name;
                return Err(wrong(
                    both(
                        format!("有两列都是 {name}"),
                        format!("two columns are {name}"),
                    ),
                    both("请只留一列", "leave one of them"),
                ));
            }
        }
        let needed = |wanted: &str| {
            at(wanted).ok_or_else(|| {
                let has = quote(&names.join(", "));
                wrong(
                    both(
                        format!("没有 {wanted} 列；表 {table} 的文件必须有这一列"),
                        format!("there is no column {wanted}, which a file of {table} must have"),
                    ),
                    both(
                        format!("现有的列：{has}；列名不在第一行的，用“列名在第几行”（--header-line）指明"),
                        format!("the columns are: {has}; say with --header-line where the names stand when that is not the first line"),
                    ),
                )
            })
        };
        let key = needed(&intake.key)?;
        let time = match &intake.time {
            Some(time) => Some((needed(&time.column)?, time.utc_offset_seconds)),
            None => None,
        };
        let mut roles: Vec<Role> = names
            .iter()
            .map(
                |name| match view.columns.iter().any(|c| same(name, &c.name)) {
                    true => Role::Unsaid,
                    false => Role::Foreign,
                },
            )
            .collect();
        roles[key] = Role::Taken;
        if let Some((time, _)) = time {
            roles[time] = Role::Taken;
        }
        let mut wanted = Vec::new();
        for (n, value) in intake.values.iter().enumerate() {
            let cells: Option<Vec<usize>> = value.columns.iter().map(|name| at(name)).collect();
            let Some(cells) = cells else { continue };
            for &cell in &cells {
                roles[cell] = Role::Taken;
            }
            let only_where = value.only_where.as_ref().map(|(column, wanted)| {
                let cell = at(column);
                if let Some(cell) = cell {
                    roles[cell] = Role::Taken;
                }
                (cell, wanted.as_str())
            });
            let own = |c: &&ViewColumn| Some(&c.name) == value.columns.first();
            let column = view.columns.iter().find(own);
            wanted.push(Wanted {
                n,
                value,
                kind: column.map_or(ViewColumnKind::Text, |column| column.kind),
                cells,
                only_where,
            });
        }
        if wanted.is_empty() {
            let takes: Vec<&str> = (intake.values.iter())
                .flat_map(|value| value.columns.iter().map(String::as_str))
                .collect();
            let has = quote(&names.join(", "));
            return Err(wrong(
                both(
                    format!("没有一列是表 {table} 可以收的"),
                    format!("no column is one that {table} takes in"),
                ),
                both(
                    format!("可以收的列：{}；现有的列：{has}", takes.join("、")),
                    format!("it takes {}; the columns are: {has}", takes.join(", ")),
                ),
            ));
        }
        Ok(Self {
            view,
            options,
            place,
            names: names.to_vec(),
            roles,
            key,
            time,
            wanted,
            days_are_midnights: false,
            filled: vec![(0, 0); names.len()],
            findings: Findings::new(&options.limits),
            rows: Vec::new(),
            rows_seen: 0,
            rows_bad: 0,
        })
    }

    fn all(mut self, rows: &mut dyn Rows) -> Result<Taken, Told> {
        self.days_are_midnights = rows.days_are_midnights();
        rows.each(&mut |row| self.take(row))?;
        Ok(self.taken())
    }

    fn take(&mut self, row: Row<'_>) -> Result<(), Told> {
        self.rows_seen += 1;
        let max = self.options.limits.rows_max;
        if self.rows_seen > max {
            return Err(typed::too_many_rows(max, row.line, self.place));
        }
        let mut problems = row.faults;
        if problems.is_empty() {
            for (cell, (count, first)) in row.cells.iter().zip(&mut self.filled) {
                if !cell.trim().is_empty() {
                    *count += 1;
                    if *count == 1 {
                        *first = row.line;
                    }
                }
            }
            match self.said(row.line, &row.cells) {
                Ok(said) => {
                    self.rows.push(said);
                    return Ok(());
                }
                Err(found) => problems = found,
            }
        }
        self.rows_bad += 1;
        for problem in problems {
            self.findings.add(|| problem);
        }
        Ok(())
    }

    /// What a row says, or everything that is wrong with it.
    fn said(&self, line: u64, cells: &[&str]) -> Result<Said, Vec<LineProblem>> {
        let mut problems = Vec::new();
        let cell = |n: usize| cells.get(n).copied().unwrap_or_default().trim();
        let max = self.options.limits.cell_bytes_max;
        for (n, text) in cells.iter().enumerate() {
            if text.len() > max && self.roles.get(n) == Some(&Role::Taken) {
                let has = text.len();
                problems.push(self.problem(
                    (line, n, text),
                    "import-cell-length",
                    both(
                        format!("内容有 {has} 字节"),
                        format!("the text has {has} bytes"),
                    ),
                    both(
                        format!("最多 {max} 字节"),
                        format!("use at most {max} bytes"),
                    ),
                ));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let key = cell(self.key);
        if key.is_empty() {
            problems.push(self.problem(
                (line, self.key, ""),
                "import-key",
                both("没有写是哪个对象", "it does not say of which entity it is"),
                both("请填编码", "write the code"),
            ));
        }
        let at = self.time.and_then(|(n, offset)| {
            let text = cell(n);
            let midnight = || match self.days_are_midnights {
                true => kinds::midnight(text, offset),
                false => None,
            };
            let at = kinds::time(text, offset).or_else(midnight);
            if at.is_none() {
                let what = match text.is_empty() {
                    true => both("没有时间", "there is no time"),
                    false => both(
                        format!("“{}”不是时间", quote(text)),
                        format!("\"{}\" is no time", quote(text)),
                    ),
                };
                let mend = both(
                    "请写成 2026-07-01 08:00:00",
                    "write it as 2026-07-01 08:00:00",
                );
                problems.push(self.problem((line, n, text), "import-time", what, mend));
            }
            at.map(Timestamp::from_micros)
        });
        let mut values = Vec::new();
        // A column that hangs on another may be wanted several times: one of them must fit.
        let mut unfit: Option<&Wanted<'_>> = None;
        let mut has_fit: Vec<usize> = Vec::new();
        for wanted in &self.wanted {
            if wanted.cells.iter().all(|&n| cell(n).is_empty()) {
                continue;
            }
            if !self.holds(wanted, &cell) {
                unfit = unfit.or(Some(wanted));
                continue;
            }
            has_fit.extend(&wanted.cells);
            match self.value(line, wanted, &cell) {
                Ok(value) => values.push((wanted.n, value)),
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(wanted) = unfit
            && !wanted.cells.iter().any(|n| has_fit.contains(n))
        {
            problems.push(self.unfit(line, wanted, &cell));
        } else if values.is_empty() && problems.is_empty() {
            problems.push(self.problem(
                (line, self.key, key),
                "import-nothing",
                both(
                    "这一行没有平台能收的内容",
                    "nothing in the line can be taken in",
                ),
                both(
                    format!("请填其中一列：{}，或删去这一行", self.takes().join("、")),
                    format!(
                        "fill one of {}, or take the line away",
                        self.takes().join(", ")
                    ),
                ),
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Said {
            line,
            key: key.to_owned(),
            at,
            values,
        })
    }

    /// The columns of the file that are taken as values.
    fn takes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.wanted.iter().flat_map(|wanted| &wanted.value.columns) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Whether what a value hangs on is so.
    fn holds<'c>(&self, wanted: &Wanted<'_>, cell: &impl Fn(usize) -> &'c str) -> bool {
        let Some((column, value)) = wanted.only_where else {
            return true;
        };
        let text = column.map_or("", cell);
        match (kinds::number(text), kinds::number(value)) {
            (Some(a), Some(b)) => a == b,
            _ => text == value,
        }
    }

    /// Says that what a value hangs on is none of what the platform can say.
    fn unfit<'c>(
        &self,
        line: u64,
        wanted: &Wanted<'_>,
        cell: &impl Fn(usize) -> &'c str,
    ) -> LineProblem {
        let own = |other: &&Wanted<'_>| other.cells == wanted.cells;
        let known: Vec<&str> = (self.wanted.iter().filter(own))
            .filter_map(|other| Some(other.only_where?.1))
            .collect();
        let on = wanted.value.only_where.as_ref();
        let on = on.map_or("", |(column, _)| column.as_str());
        let column = wanted.only_where.and_then(|(column, _)| column);
        let text = column.map_or("", cell);
        let name = wanted.value.columns.first().map_or("", String::as_str);
        let what = match text.is_empty() {
            true => both(
                format!("有 {name} 而没有 {on}，不知道 {name} 是什么"),
                format!("there is {name} without {on}, so that nobody knows what it is"),
            ),
            false => both(
                format!("{on} 是 {}，平台没有这样的 {name} 的要素", quote(text)),
                format!(
                    "{on} is {}, and the platform has no attribute for such {name}",
                    quote(text)
                ),
            ),
        };
        self.problem(
            (line, column.unwrap_or(wanted.cells[0]), text),
            "import-unsaid",
            what,
            both(
                format!("{on} 可以是 {}；其余的请删去或换算", known.join("、")),
                format!(
                    "{on} may be {}; take other lines away, or reckon them so",
                    known.join(", ")
                ),
            ),
        )
    }

    fn value<'c>(
        &self,
        line: u64,
        wanted: &Wanted<'_>,
        cell: &impl Fn(usize) -> &'c str,
    ) -> Result<Value, LineProblem> {
        let number = |n: usize| {
            kinds::number(cell(n)).ok_or_else(|| self.no(line, n, cell(n), kinds::Kind::Number))
        };
        if let [lon, lat] = wanted.cells[..] {
            let place = (number(lon)?, number(lat)?);
            let on_earth = (-180.0..=180.0).contains(&place.0) && (-90.0..=90.0).contains(&place.1);
            return match on_earth {
                true => Ok(Value::Geometry(Geometry::Point {
                    lon: place.0,
                    lat: place.1,
                })),
                false => Err(self.problem(
                    (line, lon, &format!("{}, {}", cell(lon), cell(lat))),
                    "import-cell",
                    both("地球上没有这个位置", "it is no place on Earth"),
                    both(
                        "请写成度，经度在 ±180 以内，纬度在 ±90 以内",
                        "write degrees: longitude within ±180, latitude within ±90",
                    ),
                )),
            };
        }
        let n = wanted.cells[0];
        let text = cell(n);
        Ok(match wanted.kind {
            ViewColumnKind::Number => Value::Number(number(n)?),
            ViewColumnKind::Integer => {
                let whole = number(n).ok().filter(|n| n.fract() == 0.0);
                Value::Number(whole.ok_or_else(|| self.no(line, n, text, kinds::Kind::Integer))?)
            }
            ViewColumnKind::Boolean => {
                let is = kinds::boolean(text);
                Value::Boolean(is.ok_or_else(|| self.no(line, n, text, kinds::Kind::Boolean))?)
            }
            ViewColumnKind::Text
            | ViewColumnKind::Json
            | ViewColumnKind::Time
            | ViewColumnKind::Clock => Value::Text(text.to_owned()),
        })
    }

    /// Says that a cell is not of a kind.
    fn no(&self, line: u64, n: usize, text: &str, kind: kinds::Kind) -> LineProblem {
        let (shown, name, example) = (quote(text), kind.name(), kind.example());
        self.problem(
            (line, n, text),
            "import-cell",
            both(
                format!("“{shown}”不是{}", name.zh),
                format!("\"{shown}\" is not {}", name.en),
            ),
            both(
                format!("请写成 {} 这样，或留空", example.zh),
                format!("write it as {}, or leave it empty", example.en),
            ),
        )
    }

    fn problem(
        &self,
        (line, n, text): (u64, usize, &str),
        code: &str,
        what: Both,
        mend: Both,
    ) -> LineProblem {
        let name = self.names.get(n).map_or("", String::as_str);
        let place = both(
            format!("第 {line} 行，{name} 列"),
            format!("line {line}, column {name}"),
        );
        LineProblem {
            line,
            column: Some(name.to_owned()),
            value: Some(quote(text)).filter(|text| !text.is_empty()),
            problem: Told::new(code, what, place, mend),
        }
    }

    fn taken(self) -> Taken {
        let mut notes = Vec::new();
        for ((name, role), (count, first)) in self.names.iter().zip(&self.roles).zip(&self.filled) {
            if *count == 0 || *role == Role::Taken {
                continue;
            }
            let (name, rows) = (quote(name), grouped(*count as u64));
            let table = &self.view.name;
            let (zh, en) = match role {
                Role::Unsaid => (
                    "平台没有对应的要素".to_owned(),
                    "for which the platform has no attribute".to_owned(),
                ),
                _ => (
                    format!("它不是表 {table} 的列"),
                    format!("which {table} does not have"),
                ),
            };
            notes.push(Told::new(
                "import-column-left",
                both(
                    format!("没有收 {name} 列：{zh}；{rows} 行有内容"),
                    format!("the column {name}, {en}, was not taken in; {rows} rows have something there"),
                ),
                both(
                    format!("从第 {first} 行起"),
                    format!("from line {first} on"),
                ),
                both(
                    "不需要处理，除非这一列的内容要进平台",
                    "nothing needs to be done, unless the platform should have it",
                ),
            ));
        }
        let columns = self.names.iter().zip(&self.roles).zip(&self.filled);
        let columns = columns.map(|((name, role), (filled, _))| {
            let same = |column: &&ViewColumn| column.name.eq_ignore_ascii_case(name.trim());
            let declared = self.view.columns.iter().find(same);
            Found {
                name: name.clone(),
                r#type: match role {
                    Role::Taken => declared.map_or("text", |c| c.kind.as_str()).to_owned(),
                    _ => "—".to_owned(),
                },
                unit: declared.and_then(|column| column.unit.clone()),
                filled: *filled,
            }
        });
        Taken {
            columns: columns.collect(),
            notes,
            rows: self.rows,
            rows_seen: self.rows_seen,
            rows_bad: self.rows_bad,
            findings: self.findings,
        }
    }
}

/// What was taken, before it is known where from.
struct Taken {
    columns: Vec<Found>,
    notes: Vec<Told>,
    rows: Vec<Said>,
    rows_seen: usize,
    rows_bad: usize,
    findings: Findings,
}

impl Taken {
    fn end(self, origin: typed::Origin) -> Read {
        let mut notes = origin.notes;
        notes.extend(self.notes);
        Read {
            table: Table {
                format: origin.format,
                encoding: origin.encoding,
                sheet: origin.sheet,
                schema: Arc::new(Schema::empty()),
                columns: self.columns,
                batches: Vec::new(),
                rows_seen: self.rows_seen,
                rows_bad: self.rows_bad,
                problems: self.findings.kept,
                problems_count: self.findings.count,
                notes,
            },
            rows: self.rows,
        }
    }
}
