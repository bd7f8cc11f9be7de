//! An official document as a workbook: its text on the first sheet, with the figures of each paragraph in the cells beside it, and every
//! table on a sheet of its own. A figure is a number with a hyperlink to its proof; a text is never a formula.

use super::{Block, Official, Span, Table, Words};
use crate::document::Language;
use model::Problem;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
    XlsxError,
};
use std::collections::BTreeSet;

/// The media type of such a file.
pub const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Longest name of a sheet.
const NAME_CHARS_MAX: usize = 31;
/// Longest text of a cell.
const TEXT_CHARS_MAX: usize = 32_000;
/// Width of the first sheet's text and of a table, characters.
const TEXT_WIDE: f64 = 80.0;
const TABLE_WIDE: f64 = 110.0;

struct Formats {
    text: Format,
    heading: Format,
    title: Format,
    head: Format,
    cell: Format,
    link: Format,
    figure: Format,
}

impl Formats {
    fn new() -> Self {
        let cell = Format::new()
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_border(FormatBorder::Thin);
        let link = cell.clone().set_font_color(Color::RGB(0x05_29_7A));
        Self {
            text: Format::new().set_text_wrap().set_align(FormatAlign::Top),
            heading: Format::new().set_bold().set_text_wrap(),
            title: Format::new().set_bold().set_font_size(16).set_text_wrap(),
            head: cell
                .clone()
                .set_bold()
                .set_align(FormatAlign::Center)
                .set_background_color(Color::RGB(0xED_ED_ED)),
            figure: link.clone().set_align(FormatAlign::Right),
            cell,
            link,
        }
    }
}

/// Writes the document.
///
/// # Errors
/// `report-xlsx`, when it cannot be written.
pub fn write(document: &Official) -> Result<Vec<u8>, Problem> {
    filled(document).map_err(|error| {
        Problem::new(
            "report-xlsx",
            format!("the workbook could not be written: {error}"),
            "format",
            "ask for the PDF",
        )
    })
}

fn filled(document: &Official) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = Workbook::new();
    let day = document.day;
    let year = u16::try_from(day.year()).unwrap_or(1900);
    let (month, of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
    book.set_properties(
        &DocProperties::new()
            .set_title(&document.title)
            .set_author(&document.signed)
            .set_creation_datetime(&ExcelDateTime::from_ymd(year, month, of_month)?),
    );
    let mut names = BTreeSet::new();
    let first = document.language.pick("正文", "Text");
    names.insert(first.to_owned());
    let sheet = book.add_worksheet().set_name(first)?;
    text(sheet, document, &formats)?;
    for block in &document.blocks {
        if let Block::Table(one) = block {
            let name = named(&one.title, &mut names, document.language);
            table(book.add_worksheet().set_name(name)?, one, &formats)?;
        }
    }
    book.save_to_buffer()
}

/// A name that no sheet has yet: without what Excel forbids, as long as it allows.
fn named(title: &str, names: &mut BTreeSet<String>, language: Language) -> String {
    let allowed = |c: &char| !"[]:*?/\\'".contains(*c) && !c.is_control();
    let mut plain: String = title.chars().filter(allowed).collect();
    if plain.trim().is_empty() {
        language.pick("表", "Table").clone_into(&mut plain);
    }
    let mut n = 1;
    loop {
        let behind = if n == 1 {
            String::new()
        } else {
            format!(" {n}")
        };
        let room = NAME_CHARS_MAX - behind.chars().count();
        let name: String = plain.chars().take(room).chain(behind.chars()).collect();
        // Excel does not tell large from small letters here.
        if names.insert(name.to_lowercase()) {
            return name;
        }
        n += 1;
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// A piece that leads somewhere: a figure as a number, words as words.
fn linked(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    span: &Span,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let link = span.link.as_deref().unwrap_or_default();
    let format = match span.value {
        Some(_) => &formats.figure,
        None => &formats.link,
    };
    sheet.write_url_with_options(row, column, link, cut(&span.text), "", Some(format))?;
    if let Some(value) = span.value {
        // The link stays; the cell's text gives way to the number.
        sheet.write_number_with_format(row, column, value, format)?;
    }
    Ok(())
}

fn text(sheet: &mut Worksheet, of: &Official, formats: &Formats) -> Result<(), XlsxError> {
    sheet.set_column_width(0, TEXT_WIDE)?;
    let mut row = 0;
    let mut line = |sheet: &mut Worksheet, words: &str, format: &Format| {
        sheet.write_string_with_format(row, 0, cut(words), format)?;
        row += 1;
        Ok::<u32, XlsxError>(row - 1)
    };
    line(sheet, &of.sign, &formats.heading)?;
    line(sheet, &of.number_line(), &formats.text)?;
    line(sheet, &of.title, &formats.title)?;
    if let Some(to) = of.to_line() {
        line(sheet, &to, &formats.text)?;
    }
    for block in &of.blocks {
        match block {
            Block::Heading(_, heading) => {
                line(sheet, heading, &formats.heading)?;
            }
            Block::Text(words) => {
                let at = line(sheet, &words.plain(), &formats.text)?;
                for (column, span) in (1_u16..).zip(words.links()) {
                    linked(sheet, (at, column), span, formats)?;
                }
            }
            Block::Table(table) => {
                let see = of.language.pick("见工作表：", "See the sheet: ");
                line(sheet, &format!("{see}{}", table.title), &formats.text)?;
            }
        }
    }
    let (copies, printer, printed) = of.end_lines();
    let last = of.attachment_lines().into_iter();
    let last = last.chain([of.signed.clone(), of.day_line()]).chain(copies);
    for words in last.chain([format!("{printer}　{printed}")]) {
        line(sheet, &words, &formats.text)?;
    }
    sheet.set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

fn table(sheet: &mut Worksheet, table: &Table, formats: &Formats) -> Result<(), XlsxError> {
    let mut widths = Vec::new();
    let mut next = 0_u16;
    for share in table.shares() {
        sheet.set_column_width(next, f64::from(share) * TABLE_WIDE)?;
        widths.push(next);
        next += 1;
    }
    for (column, name) in widths.iter().zip(&table.head) {
        sheet.write_string_with_format(0, *column, cut(name), &formats.head)?;
    }
    for (row, cells) in (1_u32..).zip(&table.rows) {
        let mut beside = next;
        for (column, words) in widths.iter().zip(cells) {
            cell(sheet, (row, *column), words, &mut beside, formats)?;
        }
    }
    let last = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
    sheet.autofilter(0, 0, last, next.saturating_sub(1))?;
    sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
    sheet
        .set_paper_size(9)
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_footer("&C— &P —");
    Ok(())
}

/// A cell that is one piece is that piece; of one with several, what leads somewhere stands beside the table.
fn cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    words: &Words,
    beside: &mut u16,
    formats: &Formats,
) -> Result<(), XlsxError> {
    if let [span] = words.0.as_slice()
        && span.link.is_some()
    {
        return linked(sheet, (row, column), span, formats);
    }
    sheet.write_string_with_format(row, column, cut(&words.plain()), &formats.cell)?;
    for span in words.links() {
        linked(sheet, (row, *beside), span, formats)?;
        *beside += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::official::tests::sample;
    use calamine::{Data, Reader as _, Xlsx};
    use std::io::{Cursor, Read as _};

    #[test]
    fn figures_are_numbers_with_links_and_every_table_is_a_sheet() {
        let mut document = sample(Language::Zh);
        document.text(Words::from("=1+1 is a text"));
        let bytes = write(&document).unwrap();
        let mut book = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
        assert_eq!(book.sheet_names(), ["正文", "滞后指标表"]);
        let text = book.worksheet_range("正文").unwrap();
        let column = |n: u32| -> Vec<String> {
            let cells = text
                .rows()
                .map(|row| row.get(n as usize).map(ToString::to_string));
            cells.flatten().collect()
        };
        assert!(column(0).contains(&"全市规划指标共56项，其中滞后3项。".to_owned()));
        assert!(column(0).contains(&"=1+1 is a text".to_owned()));
        assert!(column(0).contains(&"见工作表：滞后指标表".to_owned()));
        assert!(column(1).contains(&"56".to_owned()) && column(2).contains(&"3".to_owned()));
        let table = book.worksheet_range("滞后指标表").unwrap();
        assert_eq!(table.height(), 91);
        assert_eq!(table.get_value((90, 1)), Some(&Data::Float(89.5)));
        // As many links as the document has.
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut links = 0;
        for name in ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"] {
            let mut part = String::new();
            archive
                .by_name(name)
                .unwrap()
                .read_to_string(&mut part)
                .unwrap();
            links += part.matches("<hyperlink ").count();
        }
        assert_eq!(links, document.links());
    }

    #[test]
    fn names_of_sheets_are_allowed_and_told_apart() {
        let mut names = BTreeSet::new();
        let long = "很".repeat(40);
        let of = |title: &str, names: &mut BTreeSet<String>| named(title, names, Language::Zh);
        assert_eq!(of("a/b:c", &mut names), "abc");
        assert_eq!(of("ABC", &mut names), "ABC 2");
        assert_eq!(of("", &mut names), "表");
        assert_eq!(of(&long, &mut names), "很".repeat(31));
        assert_eq!(of(&long, &mut names), format!("{} 2", "很".repeat(29)));
    }
}
