//! Excel sheets. `.xlsx` is read cell by cell, so that a sheet which says that it has a million columns takes no
//! memory for them; before that it is unpacked once into nothing, so that a file which would unpack to more
//! than the limit is refused. `.xls` has no such guards (see `Options::refuse_xls`).

use crate::book::{self, TextSheet};
use crate::merged::{self, Filler, Merged};
use crate::typed::{self, Each, Origin, Row, Rows};
use crate::{Limits, LineProblem, Options, Progress, Table, go_on, points_outside, size};
use calamine::{Data, Dimensions, Range, Reader, Xls, Xlsx};
use model::problem::{both, quote};
use model::{Both, Told};
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use zip::ZipArchive;

/// How often progress is told, in rows.
const PROGRESS_ROWS: u64 = 1_024;

/// A cell: its text, or what stands there in its place.
pub(crate) type Cell = Result<String, NoText>;

/// What a cell holds instead of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoText {
    /// A formula whose value the file does not hold: a program wrote it, and none computed it.
    NotComputed,
    /// The sign of an error, such as `#DIV/0!`.
    Error(String),
}

impl NoText {
    fn said(&self) -> Both {
        match self {
            Self::NotComputed => both("没有算过的公式", "a formula that was never computed"),
            Self::Error(sign) => both(format!("错误值 {sign}"), format!("the error {sign}")),
        }
    }
}

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A packed folder of XML.
    Xlsx,
    /// The format before 2007.
    Xls,
}

pub(crate) fn read(
    path: &Path,
    name: &str,
    format: Format,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Table, Told> {
    let make = |names: &[String], rows: &mut dyn Rows, place: &str| {
        typed::columns(names, rows, options, place)
    };
    let (typed, origin) = with_rows(path, (name, format), options, progress, make)?;
    Ok(typed.table(origin))
}

/// Gives the names of the columns, the rows and where they are to whoever makes something of them.
pub(crate) fn with_rows<T>(
    path: &Path,
    (name, format): (&str, Format),
    options: &Options,
    progress: Progress<'_>,
    make: impl FnOnce(&[String], &mut dyn Rows, &str) -> Result<T, Told>,
) -> Result<(T, Origin), Told> {
    // Bytes that nobody wrote can lead the reader's library into a fault; that is damage like any other.
    let read = catch_unwind(AssertUnwindSafe(|| {
        read_book(path, name, format, options, progress, make)
    }));
    read.unwrap_or_else(|_| Err(damaged_as(name, &points_outside())))
}

/// What the reader's library says of a file, which it says in English.
fn damaged(place: &str, what: impl std::fmt::Display) -> Told {
    damaged_as(place, &Both::from(what.to_string().as_str()))
}

fn damaged_as(place: &str, what: &Both) -> Told {
    Told::new(
        "import-damaged",
        both(
            format!("不能按工作簿读取：{}", what.zh),
            format!("the file cannot be read as a workbook: {}", what.en),
        ),
        place,
        both(
            "请用制作它的软件打开，去掉密码，重新存为 .xlsx",
            "open it in the program that made it and save it again as .xlsx, without a password",
        ),
    )
}

fn read_book<T>(
    path: &Path,
    name: &str,
    format: Format,
    options: &Options,
    progress: Progress<'_>,
    make: impl FnOnce(&[String], &mut dyn Rows, &str) -> Result<T, Told>,
) -> Result<(T, Origin), Told> {
    let open = || File::open(path).map(BufReader::new);
    let file = open().map_err(|e| damaged(name, e))?;
    let mut book = match format {
        Format::Xlsx => {
            unpacks_within(file, name, &options.limits)?;
            let file = open().map_err(|e| damaged(name, e))?;
            Book::Xlsx(Box::new(Xlsx::new(file).map_err(|e| damaged(name, e))?))
        }
        Format::Xls => Book::Xls(Box::new(Xls::new(file).map_err(|e| damaged(name, e))?)),
    };
    let sheet = choose(&book.sheets(), options.sheet.as_deref(), name)?;
    let place = format!("{name}, sheet {sheet}");
    let mut ranges = book.merged(&sheet).map_err(|e| damaged(&place, e))?;
    let range = match &mut book {
        Book::Xls(book) => Some(
            book.worksheet_range(&sheet)
                .map_err(|e| damaged(&place, e))?,
        ),
        Book::Xlsx(_) => None,
    };
    let mut cells = Sheet {
        book,
        range,
        name: &sheet,
        place: &place,
        limits: &options.limits,
        total: 0,
    };
    let header_row = cells.find_header(options.header_line)?;
    // What stands above the names is left out, merged or not.
    ranges.retain(|range| range.end.0 >= header_row);
    check_merged(&ranges, &options.limits, &place)?;
    ranges.sort_by_key(|range| range.start);
    let note = merged::judge(&ranges, options.merged, &place)?;
    let names = cells.read_header(header_row, &ranges, options.merged)?;
    let mut rows = SheetRows {
        sheet: cells,
        ranges: &ranges,
        how: options.merged,
        header_row,
        names: &names,
        progress,
        passes: 0,
        empty: 0,
    };
    let made = make(&names, &mut rows, &place)?;
    let empty = typed::empty_note(rows.empty, &place);
    let origin = Origin {
        format: "excel",
        encoding: None,
        sheet: Some(sheet.clone()),
        notes: note.into_iter().chain(empty).collect(),
    };
    Ok((made, origin))
}

fn check_merged(ranges: &[Dimensions], limits: &Limits, place: &str) -> Result<(), Told> {
    let (has, max) = (ranges.len(), limits.merged_max);
    if has <= max {
        return Ok(());
    }
    Err(Told::new(
        "import-merged-cells",
        both(
            format!("有 {has} 处合并单元格"),
            format!("{has} ranges of cells are merged"),
        ),
        place,
        both(
            format!("请取消合并；最多收 {max} 处"),
            format!("part them (unmerge cells); at most {max} are taken"),
        ),
    ))
}

/// The sheets of a workbook as they are, without asking what the columns hold; sheets with nothing in them are left out.
pub(crate) fn texts(path: &Path, name: &str, options: &Options) -> Result<Vec<TextSheet>, Told> {
    let read = catch_unwind(AssertUnwindSafe(|| read_texts(path, name, options)));
    read.unwrap_or_else(|_| Err(damaged_as(name, &points_outside())))
}

fn read_texts(path: &Path, name: &str, options: &Options) -> Result<Vec<TextSheet>, Told> {
    let open = || File::open(path).map(BufReader::new);
    unpacks_within(open().map_err(|e| damaged(name, e))?, name, &options.limits)?;
    let file = open().map_err(|e| damaged(name, e))?;
    let mut book = Book::Xlsx(Box::new(Xlsx::new(file).map_err(|e| damaged(name, e))?));
    let mut read = Vec::new();
    for sheet in book.sheets() {
        let place = format!("{name}, sheet {sheet}");
        let mut ranges = book.merged(&sheet).map_err(|e| damaged(&place, e))?;
        check_merged(&ranges, &options.limits, &place)?;
        ranges.sort_by_key(|range| range.start);
        let mut cells = Sheet {
            book,
            range: None,
            name: &sheet,
            place: &place,
            limits: &options.limits,
            total: 0,
        };
        let mut has_cells = false;
        cells.scan(&mut |_, row| {
            has_cells = !is_empty(row);
            Ok(match has_cells {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })?;
        if !has_cells {
            book = cells.book;
            continue;
        }
        let mut texts = TextSheet {
            name: sheet.clone(),
            ..TextSheet::default()
        };
        let header_row = cells.find_header(options.header_line)?;
        match cells.read_header(header_row, &ranges, Merged::Fill) {
            Ok(names) => texts.names = names,
            // Whoever reads it knows whether it needs this sheet.
            Err(problem) => {
                texts.problems.push(LineProblem {
                    line: u64::from(header_row) + 1,
                    column: None,
                    value: None,
                    problem,
                });
                read.push(texts);
                book = cells.book;
                continue;
            }
        }
        let names = texts.names.clone();
        let mut rows = SheetRows {
            sheet: cells,
            ranges: &ranges,
            how: Merged::Fill,
            header_row,
            names: &names,
            progress: &mut |_, _| ControlFlow::Continue(()),
            passes: 0,
            empty: 0,
        };
        book::collect(&mut texts, &mut rows, options, &place)?;
        book = rows.sheet.book;
        read.push(texts);
    }
    Ok(read)
}

/// Whether the parts of a packed file come to no more than the limit, whatever they say of themselves.
fn unpacks_within(file: BufReader<File>, place: &str, limits: &Limits) -> Result<(), Told> {
    let mut archive = ZipArchive::new(file).map_err(|e| {
        damaged_as(
            place,
            &both(
                format!("{e}（有密码的工作簿是另一种格式）"),
                format!("{e} (a workbook with a password is packed in another way)"),
            ),
        )
    })?;
    let max = limits.unpacked_bytes_max;
    let mut unpacked = 0;
    for n in 0..archive.len() {
        let part = archive.by_index(n).map_err(|e| damaged(place, e))?;
        // One byte more than may be shows that there is more.
        let mut part = part.take(max + 1 - unpacked);
        unpacked +=
            std::io::copy(&mut part, &mut std::io::sink()).map_err(|e| damaged(place, e))?;
        if unpacked > max {
            let max = size(max);
            return Err(Told::new(
                "import-size",
                both(
                    format!("文件解压后超过 {max}"),
                    format!("the file unpacks to more than {max}"),
                ),
                place,
                both(
                    "请去掉不需要的工作表和图片，或拆成几个文件，或调高 import.unpacked_mib_max",
                    "leave sheets and pictures out, cut it into several, or raise import.unpacked_mib_max",
                ),
            ));
        }
    }
    Ok(())
}

fn choose(sheets: &[String], wanted: Option<&str>, place: &str) -> Result<String, Told> {
    let sheet = match wanted {
        None => sheets.first(),
        Some(wanted) => sheets.iter().find(|s| *s == wanted),
    };
    sheet.cloned().ok_or_else(|| {
        let wanted = wanted.map(quote);
        Told::new(
            "import-sheet",
            match wanted {
                Some(wanted) => both(
                    format!("没有工作表“{wanted}”"),
                    format!("there is no sheet \"{wanted}\""),
                ),
                None => both("里面没有工作表", "there is no sheet in it"),
            },
            place,
            both(
                format!("请填其中一个：{}", sheets.join("、")),
                format!("name one of: {}", sheets.join(", ")),
            ),
        )
    })
}

enum Book {
    Xlsx(Box<Xlsx<BufReader<File>>>),
    Xls(Box<Xls<BufReader<File>>>),
}

impl Book {
    fn sheets(&self) -> Vec<String> {
        match self {
            Self::Xlsx(book) => book.sheet_names(),
            Self::Xls(book) => book.sheet_names(),
        }
    }

    fn merged(&mut self, sheet: &str) -> Result<Vec<Dimensions>, calamine::Error> {
        Ok(match self {
            Self::Xlsx(book) => book.merge_cells_by_sheet_name(sheet)?,
            Self::Xls(book) => book.merge_cells_by_sheet_name(sheet)?,
        })
    }
}

/// A row's cells from the first column on.
type Cells = Vec<Cell>;
/// Takes a row that has cells, by its number from 0; says whether more are wanted.
type TakeRow<'t> = dyn FnMut(u32, &mut Cells) -> Result<ControlFlow<()>, Told> + 't;

struct Sheet<'a> {
    book: Book,
    /// The cells of `.xls`, which are all read at once.
    range: Option<Range<Data>>,
    name: &'a str,
    place: &'a str,
    limits: &'a Limits,
    /// Rows that the sheet says it has; known when it was looked at once.
    total: u64,
}

impl Sheet<'_> {
    /// Gives each row that is there, from the top.
    fn scan(&mut self, take: &mut TakeRow<'_>) -> Result<(), Told> {
        let columns_max = self.limits.columns_max;
        if let Some(range) = &self.range {
            self.total = range.height() as u64;
            let (top, left) = range.start().unwrap_or_default();
            for (row, cells) in (top..).zip(range.rows()) {
                let mut texts: Cells = vec![Ok(String::new()); left as usize];
                for (column, cell) in (left..).zip(cells) {
                    let text = text_of(cell);
                    put(&mut texts, (row, column), text, columns_max, self.place)?;
                }
                if take(row, &mut texts)?.is_break() {
                    return Ok(());
                }
            }
            return Ok(());
        }
        let Book::Xlsx(book) = &mut self.book else {
            return Ok(());
        };
        let place = self.place;
        let mut reader = book
            .worksheet_cells_reader(self.name)
            .map_err(|e| damaged(place, e))?;
        let size = reader.dimensions();
        self.total = u64::from(size.end.0.saturating_sub(size.start.0)) + 1;
        let mut current: Option<u32> = None;
        let mut texts = Cells::new();
        // With formulas, but without writing out those that cells share.
        while let Some(cell) = reader
            .next_cell_with_formula_metadata()
            .map_err(|e| damaged(place, e))?
        {
            let (row, column) = cell.pos;
            match current {
                Some(before) if before > row => {
                    let (row, before) = (row + 1, before + 1);
                    return Err(damaged_as(
                        place,
                        &both(
                            format!("第 {row} 行排在第 {before} 行后面"),
                            format!("row {row} stands below row {before}"),
                        ),
                    ));
                }
                Some(before) if before < row => {
                    if take(before, &mut texts)?.is_break() {
                        return Ok(());
                    }
                    texts.clear();
                }
                _ => {}
            }
            current = Some(row);
            let data = Data::from(cell.value);
            let text = if data == Data::Empty && cell.formula.is_some() {
                Err(NoText::NotComputed)
            } else {
                text_of(&data)
            };
            put(&mut texts, (row, column), text, columns_max, place)?;
        }
        if let Some(row) = current {
            let _ = take(row, &mut texts)?;
        }
        Ok(())
    }

    /// The row of names: the one told, or the first that is not empty.
    fn find_header(&mut self, told: Option<u64>) -> Result<u32, Told> {
        if let Some(line) = told {
            return Ok(u32::try_from(line.max(1) - 1).unwrap_or(u32::MAX));
        }
        let mut found = 0;
        self.scan(&mut |row, cells| {
            if is_empty(cells) {
                return Ok(ControlFlow::Continue(()));
            }
            found = row;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    fn read_header(
        &mut self,
        header_row: u32,
        ranges: &[Dimensions],
        how: Merged,
    ) -> Result<Vec<String>, Told> {
        let columns_max = self.limits.columns_max;
        let mut filler = Filler::new(ranges);
        let mut header = Cells::new();
        self.scan(&mut |row, cells| {
            if how == Merged::Fill {
                filler.fill(row, cells, columns_max);
            }
            if row < header_row {
                return Ok(ControlFlow::Continue(()));
            }
            if row == header_row {
                header = std::mem::take(cells);
            }
            Ok(ControlFlow::Break(()))
        })?;
        let texts: Vec<&str> = header
            .iter()
            .map(|cell| cell.as_ref().map_or("", String::as_str))
            .collect();
        typed::header(&texts, self.place, self.limits)
    }
}

fn is_empty(cells: &Cells) -> bool {
    cells
        .iter()
        .all(|cell| cell.as_ref().is_ok_and(|text| text.trim().is_empty()))
}

/// Puts a cell into its row.
fn put(
    texts: &mut Cells,
    (row, column): (u32, u32),
    text: Cell,
    columns_max: usize,
    place: &str,
) -> Result<(), Told> {
    if text.as_ref().is_ok_and(String::is_empty) {
        return Ok(());
    }
    let at = column as usize;
    if at >= columns_max {
        let (letters, cell) = (merged::letters(column), merged::cell((row, column)));
        return Err(Told::new(
            "import-columns",
            both(
                format!("{letters} 列里有内容"),
                format!("there is a cell in column {letters}"),
            ),
            both(
                format!("{place}，单元格 {cell}"),
                format!("{place}, cell {cell}"),
            ),
            both(
                format!("最多 {columns_max} 列；请清除表格右边的内容，或调高 import.columns_max"),
                format!(
                    "use at most {columns_max} columns, clear what stands right of the table, or raise import.columns_max"
                ),
            ),
        ));
    }
    if texts.len() <= at {
        texts.resize(at + 1, Ok(String::new()));
    }
    texts[at] = text;
    Ok(())
}

struct SheetRows<'a, 'p> {
    sheet: Sheet<'a>,
    /// Merged ranges by their first row.
    ranges: &'a [Dimensions],
    how: Merged,
    header_row: u32,
    names: &'a [String],
    progress: Progress<'p>,
    passes: u64,
    /// Rows without a single filled cell, in the last pass.
    empty: u64,
}

impl Rows for SheetRows<'_, '_> {
    fn days_are_midnights(&self) -> bool {
        true
    }

    fn each(&mut self, each: &mut Each<'_>) -> Result<(), Told> {
        let (header_row, how, names) = (self.header_row, self.how, self.names);
        let total = self.sheet.total.max(1);
        let before = self.passes * total;
        let (progress, place) = (&mut *self.progress, self.sheet.place);
        let mut filler = Filler::new(self.ranges);
        let (mut read, mut empty) = (0_u64, 0);
        self.sheet.scan(&mut |row, cells| {
            if is_empty(cells) {
                empty += u64::from(row > header_row);
                return Ok(ControlFlow::Continue(()));
            }
            if how == Merged::Fill {
                filler.fill(row, cells, names.len());
            }
            if row > header_row {
                read += 1;
                if read.is_multiple_of(PROGRESS_ROWS) {
                    let done = before + read.min(total);
                    go_on(progress, done, total * 2, place)?;
                }
                each(as_row(row, cells, names))?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.empty = empty;
        self.passes += 1;
        let done = self.passes * total;
        go_on(self.progress, done, total * 2, place)
    }
}

fn as_row<'c>(row: u32, cells: &'c mut Cells, names: &[String]) -> Row<'c> {
    let line = u64::from(row) + 1;
    let mut faults = Vec::new();
    for (n, cell) in cells.iter().enumerate() {
        let column = names.get(n);
        let place = || {
            let cell = merged::cell((row, n as u32));
            both(
                format!("第 {line} 行，单元格 {cell}"),
                format!("row {line}, cell {cell}"),
            )
        };
        let problem = match (cell, column) {
            (Err(no_text), _) => Told::new(
                "import-cell",
                both(
                    format!("单元格里是{}", no_text.said().zh),
                    format!("the cell holds {}", no_text.said().en),
                ),
                place(),
                both(
                    "请改好公式，或直接填上值；制作该文件的软件保存时会计算",
                    "mend the formula, or put a value in its place; the program that made the file computes when it saves",
                ),
            ),
            (Ok(text), None) if !text.trim().is_empty() => Told::new(
                "import-cells",
                both(
                    "有内容的单元格所在的列没有列名",
                    "there is a cell in a column that has no name",
                ),
                place(),
                both(
                    "请在列名那一行写上列名，或清除这个单元格",
                    "name the column in the line of names, or clear the cell",
                ),
            ),
            _ => continue,
        };
        let value = match cell {
            Ok(text) => Some(quote(text)),
            Err(NoText::Error(sign)) => Some(sign.clone()),
            Err(NoText::NotComputed) => None,
        };
        faults.push(LineProblem {
            line,
            column: column.cloned(),
            value,
            problem,
        });
    }
    cells.resize(names.len(), Ok(String::new()));
    let cells = cells
        .iter()
        .map(|cell| cell.as_ref().map_or("", String::as_str));
    Row {
        line,
        cells: cells.collect(),
        faults,
    }
}

/// A cell as the text that a person would type; an error as what is said of it.
fn text_of(cell: &Data) -> Cell {
    /// Whole numbers up to here have all their digits.
    const WHOLE_MAX: f64 = 1e15;
    Ok(match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(n) => n.to_string(),
        Data::Float(n) if n.abs() < WHOLE_MAX => n.to_string(),
        // A large number, not a code of many digits.
        Data::Float(n) => format!("{n:e}"),
        Data::Bool(b) => b.to_string(),
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, ms) = time.to_ymd_hms_milli();
            let clock = format!("{hour:02}:{minute:02}:{second:02}.{ms:03}");
            if time.as_f64() < 1.0 {
                // A time of day without a day.
                return Ok(clock.trim_end_matches(".000").to_owned());
            }
            let mut text = format!("{year:04}-{month:02}-{day:02}");
            if (hour, minute, second, ms) != (0, 0, 0, 0) {
                text += &format!(" {clock}");
            }
            text
        }
        Data::DateTime(duration) => duration.as_f64().to_string(),
        Data::Error(error) => return Err(NoText::Error(error.to_string())),
    })
}
