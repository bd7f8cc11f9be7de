//! CSV and its kin: the sign between cells is the one that the line of names has most of.

use crate::book::{self, TextSheet};
use crate::encoding::{Decoded, Encoding, decode};
use crate::typed::{self, Each, Origin, Row, Rows};
use crate::{LineProblem, Options, Progress, Table, go_on};
use csv::{Position, Reader, ReaderBuilder, StringRecord};
use model::problem::{both, quote};
use model::{Both, Told};
use std::ops::ControlFlow;

/// How often progress is told, in rows.
const PROGRESS_ROWS: u64 = 4_096;
const SEPARATORS: [u8; 4] = *b",\t;|";

pub(crate) fn read(
    bytes: &[u8],
    place: &str,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Table, Told> {
    let (typed, origin) = with_rows(bytes, place, options, progress, |names, rows| {
        typed::columns(names, rows, options, place)
    })?;
    Ok(typed.table(origin))
}

/// Gives the names of the columns and the rows to whoever makes something of them.
pub(crate) fn with_rows<T>(
    bytes: &[u8],
    place: &str,
    options: &Options,
    progress: Progress<'_>,
    make: impl FnOnce(&[String], &mut dyn Rows) -> Result<T, Told>,
) -> Result<(T, Origin), Told> {
    let decoded = decode(bytes).ok_or_else(|| no_text(place))?;
    let mut lines = TextRows::new(&decoded, place, options, progress);
    let names = lines.header(options)?;
    lines.names = names.clone();
    let made = make(&names, &mut lines)?;
    let origin = Origin {
        format: "csv",
        encoding: Some(decoded.encoding.name()),
        sheet: None,
        notes: typed::empty_note(lines.empty, place).into_iter().collect(),
    };
    Ok((made, origin))
}

fn no_text(place: &str) -> Told {
    Told::new(
        "import-encoding",
        both(
            "文件不是文本：里面有零字节",
            "the file is no text: there are zero bytes in it",
        ),
        place,
        both(
            "请另存为 UTF-8 的 CSV；工作簿的后缀应为 .xlsx，Parquet 的后缀应为 .parquet",
            "save it as CSV in UTF-8; a workbook needs the ending .xlsx, and Parquet the ending .parquet",
        ),
    )
}

/// The lines as they are, without asking what the columns hold.
pub(crate) fn texts(bytes: &[u8], place: &str, options: &Options) -> Result<TextSheet, Told> {
    let decoded = decode(bytes).ok_or_else(|| no_text(place))?;
    let progress = &mut |_, _| ControlFlow::Continue(());
    let mut lines = TextRows::new(&decoded, place, options, progress);
    let names = lines.header(options)?;
    lines.names = names.clone();
    let mut sheet = TextSheet {
        names,
        ..TextSheet::default()
    };
    book::collect(&mut sheet, &mut lines, options, place)?;
    Ok(sheet)
}

fn separator(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default();
    let count = |sign: &u8| line.bytes().filter(|b| b == sign).count();
    // The first of those that are there equally often.
    SEPARATORS
        .into_iter()
        .rev()
        .max_by_key(count)
        .unwrap_or(b',')
}

struct TextRows<'a, 'p> {
    /// From the line of names on.
    text: &'a str,
    lines_before: u64,
    separator: u8,
    foreign_lines: &'a [u64],
    encoding: Encoding,
    names: Vec<String>,
    place: &'a str,
    progress: Progress<'p>,
    passes: u64,
    /// Lines without a single filled cell, in the last pass.
    empty: u64,
}

impl<'a, 'p> TextRows<'a, 'p> {
    /// Everything behind the line of names and it.
    fn new(
        decoded: &'a Decoded<'_>,
        place: &'a str,
        options: &Options,
        progress: Progress<'p>,
    ) -> Self {
        let text = decoded.text.as_ref();
        let skipped = options.header_line.unwrap_or(1).max(1) - 1;
        let from = (0..skipped).try_fold(0, |at, _| Some(at + text[at..].find('\n')? + 1));
        let from = from.unwrap_or(text.len());
        Self {
            text: &text[from..],
            lines_before: skipped,
            separator: separator(&text[from..]),
            foreign_lines: &decoded.foreign_lines,
            encoding: decoded.encoding,
            names: Vec::new(),
            place,
            progress,
            passes: 0,
            empty: 0,
        }
    }

    fn reader(&self) -> Reader<&'a [u8]> {
        ReaderBuilder::new()
            .delimiter(self.separator)
            .has_headers(false)
            .flexible(true)
            .from_reader(self.text.as_bytes())
    }

    /// The line on which a record begins: the reader's own position may be before line ends that it skips.
    fn line(&self, position: Option<&Position>) -> u64 {
        let (at, line) = position.map_or((0, 1), |p| (p.byte(), p.line()));
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let ends = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        self.lines_before + line + ends.filter(|b| **b == b'\n').count() as u64
    }

    /// Whether any of these lines is in another encoding than the rest.
    fn is_foreign(&self, first: u64, last: u64) -> bool {
        let at = self.foreign_lines.partition_point(|line| *line < first);
        self.foreign_lines.get(at).is_some_and(|line| *line <= last)
    }

    fn mixed(&self, place: Both) -> Told {
        let encoding = self.encoding.name();
        Told::new(
            "import-encoding",
            both(
                format!("这一行的编码不是 {encoding}，与文件其余部分不同"),
                format!("the line is not {encoding}, as the rest of the file is"),
            ),
            place,
            both(
                "请把整个文件存成一种编码，最好是 UTF-8",
                "save the whole file in one encoding, best UTF-8",
            ),
        )
    }

    /// A line of the file, where a problem is not of a line alone.
    fn place_of(&self, line: u64) -> Both {
        let file = self.place;
        both(
            format!("{file}，第 {line} 行"),
            format!("{file}, line {line}"),
        )
    }

    fn damaged(&self, error: &csv::Error) -> Told {
        Told::new(
            "import-damaged",
            both(
                format!("不能按 CSV 读取：{error}"),
                format!("the file cannot be read as CSV: {error}"),
            ),
            self.place_of(self.line(error.position())),
            both("请重新存为 CSV", "save it again as CSV"),
        )
    }

    fn header(&self, options: &Options) -> Result<Vec<String>, Told> {
        let mut record = StringRecord::new();
        let mut reader = self.reader();
        reader
            .read_record(&mut record)
            .map_err(|e| self.damaged(&e))?;
        let first = self.line(record.position());
        let last = first + line_ends(&record);
        if !record.is_empty() && self.is_foreign(first, last) {
            return Err(self.mixed(self.place_of(first)));
        }
        let cells: Vec<&str> = record.iter().collect();
        typed::header(&cells, self.place, &options.limits)
    }
}

/// Line ends inside a record's cells.
fn line_ends(record: &StringRecord) -> u64 {
    record.as_slice().bytes().filter(|b| *b == b'\n').count() as u64
}

fn cells_problem(has: usize, wants: usize, place: Both, spans_lines: bool) -> Told {
    let mut mend = both(
        "请给每一列一个单元格；内容里有分隔符的，用双引号括起来",
        "write one cell for each column, and put a cell that holds the separator in double quotes",
    );
    if spans_lines {
        mend.zh += "；双引号只开不关，会把后面的行都吞进来";
        mend.en += "; a double quote that is opened and not closed swallows the lines after it";
    }
    Told::new(
        "import-cells",
        both(
            format!("这一行有 {has} 个单元格，列名有 {wants} 个"),
            format!("the line has {has} cells; {wants} columns are named"),
        ),
        place,
        mend,
    )
}

impl Rows for TextRows<'_, '_> {
    fn each(&mut self, each: &mut Each<'_>) -> Result<(), Told> {
        let total = self.text.len() as u64;
        let before = self.passes * total;
        let mut reader = self.reader();
        let mut record = StringRecord::new();
        let mut read: u64 = 0;
        self.empty = 0;
        while reader
            .read_record(&mut record)
            .map_err(|e| self.damaged(&e))?
        {
            read += 1;
            if read.is_multiple_of(PROGRESS_ROWS) {
                let done = before + reader.position().byte();
                go_on(self.progress, done, total * 2, self.place)?;
            }
            // The first is the line of names.
            if read == 1 {
                continue;
            }
            if record.iter().all(|cell| cell.trim().is_empty()) {
                self.empty += 1;
                continue;
            }
            let line = self.line(record.position());
            let mut cells: Vec<&str> = record.iter().collect();
            let wants = self.names.len();
            // Excel ends lines with separators where a cell was once filled.
            while cells.len() > wants && cells.last().is_some_and(|c| c.trim().is_empty()) {
                cells.pop();
            }
            let has = cells.len();
            let spans = line_ends(&record);
            let place = || both(format!("第 {line} 行"), format!("line {line}"));
            let problem = if self.is_foreign(line, line + spans) {
                Some(self.mixed(place()))
            } else if has != wants {
                Some(cells_problem(has, wants, place(), spans > 0))
            } else {
                None
            };
            let faults = problem.map(|problem| LineProblem {
                line,
                column: None,
                value: Some(quote(&record.iter().collect::<Vec<_>>().join(", "))),
                problem,
            });
            each(Row {
                line,
                cells,
                faults: faults.into_iter().collect(),
            })?;
        }
        self.passes += 1;
        let done = self.passes * total;
        go_on(self.progress, done, total * 2, self.place)
    }
}
