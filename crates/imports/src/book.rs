//! A file of sheets as texts with their lines, where the columns' meaning is known beforehand, and sheets of texts as a
//! workbook that people fill.

use crate::typed::Rows;
use crate::write::is_formula;
use crate::{Limits, LineProblem, Options, excel, text, typed};
use model::problem::both;
use model::sheet::{Mistake, Sheet, Written};
use model::{Problem, Told};
use rust_xlsxwriter::{DataValidation, Format, Workbook, XlsxError};
use std::path::Path;

/// Lines of a written sheet in which a choice is offered, the line of names aside.
const CHOICE_ROWS: u32 = 5_000;
/// Narrowest and widest column of a written sheet, in characters.
const WIDTHS: std::ops::RangeInclusive<usize> = 10..=50;

/// A line of a sheet, with its number in the file.
pub type TextRow = (u64, Vec<String>);

/// A sheet while it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextSheet {
    /// Its name; of a text file, the file's without its ending.
    pub name: String,
    /// The names of its columns.
    pub names: Vec<String>,
    /// Its lines, empty ones aside.
    pub rows: Vec<TextRow>,
    /// What is wrong with it before anybody asks what its cells hold.
    pub problems: Vec<LineProblem>,
}

/// Every sheet of a workbook, or a text file as one sheet, with what is wrong with them before anybody asks what they say; merged
/// cells each have the value of their range. `name` is the file's own name. It computes and waits for the disk: call it on a thread
/// for blocking work.
///
/// # Errors
/// As [`crate::read`]; what is wrong with a sheet's names or lines is in the answer.
pub fn read_texts(
    path: &Path,
    name: &str,
    limits: &Limits,
) -> Result<(Vec<Sheet>, Vec<Mistake>), Told> {
    let options = Options {
        limits: limits.clone(),
        ..Options::default()
    };
    let (mut sheets, mut mistakes) = (Vec::new(), Vec::new());
    for sheet in texts_of(path, name, &options)? {
        mistakes.extend(sheet.problems.into_iter().map(|found| Mistake {
            sheet: sheet.name.clone(),
            line: Some(found.line),
            column: found.column,
            value: found.value,
            told: found.problem,
        }));
        sheets.push(Sheet {
            name: sheet.name,
            names: sheet.names,
            rows: sheet.rows,
        });
    }
    Ok((sheets, mistakes))
}

fn texts_of(path: &Path, name: &str, options: &Options) -> Result<Vec<TextSheet>, Told> {
    let told = |error: std::io::Error| crate::unreadable(name, &error);
    let bytes = std::fs::metadata(path).map_err(told)?.len();
    crate::check_size(bytes, options.limits.file_bytes_max, name, |max| {
        both(
            format!("请拆成每个不超过 {max} 的文件"),
            format!("cut it into files of at most {max}"),
        )
    })?;
    let ending = Path::new(name).extension().and_then(|e| e.to_str());
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => {
            let bytes = std::fs::read(path).map_err(told)?;
            let mut sheet = text::texts(&bytes, name, options)?;
            let stem = Path::new(name).file_stem().unwrap_or_default();
            sheet.name = stem.to_string_lossy().into_owned();
            Ok(vec![sheet])
        }
        "xlsx" | "xlsm" => excel::texts(path, name, options),
        other => Err(Told::new(
            "import-format",
            both(
                format!("这里不收后缀为“{}”的文件", model::problem::quote(other)),
                format!(
                    "files that end in \"{}\" are not taken here",
                    model::problem::quote(other)
                ),
            ),
            name,
            both(
                "请另存为 .xlsx，或每张表存成一个 .csv",
                "save it as .xlsx, or each sheet as .csv",
            ),
        )),
    }
}

/// Takes the lines of a sheet as they are.
pub(crate) fn collect(
    sheet: &mut TextSheet,
    rows: &mut dyn Rows,
    options: &Options,
    place: &str,
) -> Result<(), Told> {
    let limits = &options.limits;
    rows.each(&mut |row| {
        if sheet.rows.len() >= limits.rows_max {
            return Err(typed::too_many_rows(limits.rows_max, row.line, place));
        }
        let room = limits.problems_max.saturating_sub(sheet.problems.len());
        if row.faults.is_empty() {
            let cells = row.cells.iter().map(|cell| (*cell).to_owned());
            sheet.rows.push((row.line, cells.collect()));
        }
        sheet.problems.extend(row.faults.into_iter().take(room));
        Ok(())
    })
}

/// A workbook of sheets whose cells are all texts: a number that a program would cut or a formula that it would run stays
/// what was written, also when somebody edits the cell.
///
/// # Errors
/// `export-io` when a sheet cannot be: its name or a text is too long, or there are too many lines.
pub fn write_texts(sheets: &[Written]) -> Result<Vec<u8>, Problem> {
    build(sheets).map_err(|e| {
        Problem::new(
            "export-io",
            format!("cannot write the workbook: {e}"),
            "workbook",
            "export fewer lines, or shorten the texts that it names",
        )
    })
}

fn build(sheets: &[Written]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let head = Format::new().set_bold();
    let plain = Format::new().set_num_format("@");
    let quoted = Format::new().set_num_format("@").set_quote_prefix();
    for sheet in sheets {
        let page = book.add_worksheet();
        page.set_name(&sheet.name)?;
        page.set_freeze_panes(1, 0)?;
        for (at, name) in (0_u16..).zip(&sheet.names) {
            let cells = sheet.rows.iter().filter_map(|row| row.get(usize::from(at)));
            let widest = cells.chain([name]).map(|text| width(text)).max();
            let width = widest.unwrap_or(0).clamp(*WIDTHS.start(), *WIDTHS.end());
            page.set_column_width(at, width as f64)?;
            page.set_column_format(at, &plain)?;
            page.write_string_with_format(0, at, name, &head)?;
        }
        for (line, row) in (1_u32..).zip(&sheet.rows) {
            for (at, text) in (0_u16..).zip(row) {
                if text.is_empty() {
                    continue;
                }
                let format = if is_formula(text) { &quoted } else { &plain };
                page.write_string_with_format(line, at, text, format)?;
            }
        }
        for (at, choices) in &sheet.choices {
            let Ok(at) = u16::try_from(*at) else {
                continue;
            };
            // Offered, not forced: the reader tells more about a wrong word than the workbook's own program.
            let rule = DataValidation::new()
                .allow_list_strings(choices)?
                .show_error_message(false);
            page.add_data_validation(1, at, CHOICE_ROWS, at, &rule)?;
        }
    }
    book.save_to_buffer()
}

/// How wide a text is in a sheet: a Chinese character is as wide as two Latin ones.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if c.is_ascii() { 1 } else { 2 })
        .sum::<usize>()
        + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sheets: &[Written]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("名册.xlsx");
        std::fs::write(&path, write_texts(sheets).unwrap()).unwrap();
        (folder, path)
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_is_written_is_read_back_with_its_lines() {
        let people = Written {
            name: "人员".to_owned(),
            names: texts(&["登录名", "手机"]),
            rows: vec![texts(&["li.si", "013812345678"]), texts(&["=cmd()", ""])],
            choices: vec![(1, texts(&["a", "b"]))],
        };
        let empty = Written {
            name: "岗位".to_owned(),
            names: texts(&["岗位名称"]),
            ..Written::default()
        };
        let (_folder, path) = written(&[people.clone(), empty]);
        let (read, mistakes) = read_texts(&path, "名册.xlsx", &Limits::default()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].name.as_str(), &read[0].names),
            ("人员", &people.names)
        );
        assert_eq!(
            read[0].rows,
            [(2, people.rows[0].clone()), (3, people.rows[1].clone())]
        );
        assert_eq!((read[1].rows.len(), mistakes.len()), (0, 0));
    }

    #[test]
    fn a_text_file_is_one_sheet_and_limits_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "登录名,姓名\nli.si,李四\n\nwang,王五,more\n").unwrap();
        let (read, mistakes) = read_texts(&path, "人员.csv", &Limits::default()).unwrap();
        assert_eq!(read[0].name, "人员");
        assert_eq!(read[0].rows, [(2, texts(&["li.si", "李四"]))]);
        assert_eq!(
            (mistakes[0].sheet.as_str(), mistakes[0].line),
            ("人员", Some(4))
        );
        let mut limits = Limits {
            rows_max: 1,
            ..Limits::default()
        };
        std::fs::write(&path, "登录名,姓名\na,b\nc,d\n").unwrap();
        let told = read_texts(&path, "人员.csv", &limits).unwrap_err();
        assert_eq!(told.code, "import-rows");
        limits.file_bytes_max = 4;
        let told = read_texts(&path, "人员.csv", &limits).unwrap_err();
        assert_eq!(told.code, "import-size");
        let told = read_texts(&path, "人员.xls", &Limits::default()).unwrap_err();
        assert_eq!(told.code, "import-format");
        std::fs::write(&path, "PK no workbook").unwrap();
        let told = read_texts(&path, "人员.xlsx", &Limits::default()).unwrap_err();
        assert_eq!(told.code, "import-damaged");
    }
}
