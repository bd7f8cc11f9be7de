//! A document as PDF (ISO 32000-1) on A4: laid out here line by line, written by `pdf-writer`, with the glyphs that it uses
//! embedded (`subsetter`) and with their characters told, so that its text can be searched and copied.

use crate::document::{Block, Document, Language, Table};
use model::Problem;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId, RawFace, Tag};

/// The font that the program carries: Noto Sans CJK SC, reduced to GB 2312 (`fonts/README.md`).
pub const FONT: &[u8] = include_bytes!("../fonts/NotoSansCJKsc-GB2312.otf");

/// Width and height of A4, points.
const PAGE: [f32; 2] = [595.28, 841.89];
/// Margin at each side, points (2 cm).
const MARGIN: f32 = 56.7;
/// Room for the page's number, points.
const FOOT: f32 = 18.0;
/// Sizes of letters, points.
const TITLE_SIZE: f32 = 18.0;
const HEADING_SIZE: f32 = 13.0;
const TEXT_SIZE: f32 = 10.5;
const CELL_SIZE: f32 = 9.0;
/// Height of a line in sizes of its letters.
const LEADING: f32 = 1.5;
/// Between a cell's border and its words, points.
const PADDING: f32 = 3.0;
/// Most pages; what is behind is left out, and the last page says so.
pub const PAGES_MAX: usize = 500;

/// What stands instead of a character that the font lacks.
const LACKING: char = '□';

/// A rectangle, a line, or words, on a page; from the bottom left, in points.
enum Mark {
    Words {
        at: [f32; 2],
        size: f32,
        text: String,
    },
    Grey([f32; 4]),
    Frame([f32; 4]),
}

/// A font with what of a text it lacked.
pub(crate) struct Type<'a> {
    pub(crate) face: Face<'a>,
    per_em: f32,
    pub(crate) lacking: usize,
}

impl<'a> Type<'a> {
    pub(crate) fn parse(font: &'a [u8]) -> Result<Self, Problem> {
        let face = Face::parse(font, 0).map_err(wrong)?;
        let per_em = f32::from(face.units_per_em());
        Ok(Self {
            face,
            per_em,
            lacking: 0,
        })
    }

    /// The glyph of a character and how wide it is, in sizes.
    pub(crate) fn glyph(&self, c: char) -> Option<(GlyphId, f32)> {
        let glyph = self.face.glyph_index(c)?;
        let wide = self.face.glyph_hor_advance(glyph).unwrap_or(0);
        Some((glyph, f32::from(wide) / self.per_em))
    }

    pub(crate) fn wide(&self, c: char) -> f32 {
        self.glyph(c)
            .or_else(|| self.glyph(LACKING))
            .map_or(1.0, |(_, wide)| wide)
    }

    /// Text with every character that the font lacks replaced.
    pub(crate) fn settled(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\n' => out.push(c),
                c if c.is_control() => out.push(' '),
                c if self.face.glyph_index(c).is_some() => out.push(c),
                _ => {
                    self.lacking += 1;
                    out.push(LACKING);
                }
            }
        }
        out
    }

    pub(crate) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.wide(c) * size).sum()
    }

    /// Breaks text into lines no wider than `width`: between Chinese characters anywhere but before closing punctuation, between
    /// Latin words at spaces, inside a word only where it alone is wider than the line.
    fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            let mut taken = 0.0;
            for c in paragraph.chars() {
                let wide = self.wide(c) * size;
                if taken + wide > width && !line.is_empty() && !closes(c) {
                    if c == ' ' {
                        lines.push(std::mem::take(&mut line));
                        taken = 0.0;
                        continue;
                    }
                    let word = line
                        .char_indices()
                        .rev()
                        .take_while(|(_, c)| c.is_ascii() && *c != ' ')
                        .last()
                        .map(|(at, _)| at);
                    let rest = match word {
                        Some(at) if at > 0 && c.is_ascii() => line.split_off(at),
                        _ => String::new(),
                    };
                    lines.push(line.trim_end().to_owned());
                    taken = self.width(&rest, size);
                    line = rest;
                }
                line.push(c);
                taken += wide;
            }
            lines.push(line);
        }
        lines
    }
}

/// Whether a character may not begin a line (避头标点); it hangs over the end of the one before.
pub(crate) fn closes(c: char) -> bool {
    "，。、；：？！）》」』】”’%,.;:?!)".contains(c)
}

struct Layout<'a> {
    font: Type<'a>,
    pages: Vec<Vec<Mark>>,
    /// Where the next line's top is.
    y: f32,
    is_cut: bool,
}

impl Layout<'_> {
    const fn width() -> f32 {
        PAGE[0] - 2.0 * MARGIN
    }

    const fn bottom() -> f32 {
        MARGIN + FOOT
    }

    fn room(&self) -> f32 {
        self.y - Self::bottom()
    }

    fn next_page(&mut self) {
        if self.pages.len() >= PAGES_MAX {
            self.is_cut = true;
        } else {
            self.pages.push(Vec::new());
        }
        self.y = PAGE[1] - MARGIN;
    }

    fn mark(&mut self, mark: Mark) {
        if !self.is_cut
            && let Some(page) = self.pages.last_mut()
        {
            page.push(mark);
        }
    }

    fn words(&mut self, x: f32, top: f32, size: f32, text: &str) {
        if !text.trim().is_empty() {
            // Latin letters stand on a line about a size below the top of a Chinese character.
            let at = [x, top - size * 1.05];
            let text = text.to_owned();
            self.mark(Mark::Words { at, size, text });
        }
    }

    fn paragraph(&mut self, text: &str, size: f32, is_centred: bool, keep: f32) {
        let text = self.font.settled(text);
        let lines = self.font.lines(&text, size, Self::width());
        let high = size * LEADING;
        if self.room() < high + keep {
            self.next_page();
        }
        for line in &lines {
            if self.room() < high {
                self.next_page();
            }
            let left = match is_centred {
                true => (Self::width() - self.font.width(line, size)).max(0.0) / 2.0,
                false => 0.0,
            };
            self.words(MARGIN + left, self.y, size, line);
            self.y -= high;
        }
    }

    fn table(&mut self, table: &Table) {
        let widths: Vec<f32> = table.shares().iter().map(|s| s * Self::width()).collect();
        let head = self.cells(&table.head, &widths);
        let least = Self::high(&head) + CELL_SIZE * LEADING + 2.0 * PADDING;
        if self.room() < least {
            self.next_page();
        }
        self.row(&head, &widths, true);
        for row in &table.rows {
            let mut cells = self.cells(row, &widths);
            // A row that is higher than what is left of the page goes to the next; one higher than a page is cut there.
            loop {
                if self.is_cut {
                    return;
                }
                if Self::high(&cells) <= self.room() {
                    self.row(&cells, &widths, false);
                    break;
                }
                let whole = PAGE[1] - MARGIN - Self::bottom() - Self::high(&head);
                if Self::high(&cells) > whole {
                    let fit = Self::fitting(self.room());
                    if fit > 0 {
                        let first: Vec<Vec<String>> = cells
                            .iter_mut()
                            .map(|lines| lines.drain(..fit.min(lines.len())).collect())
                            .collect();
                        self.row(&first, &widths, false);
                    }
                }
                self.next_page();
                self.row(&head, &widths, true);
            }
        }
        self.y -= TEXT_SIZE * 0.6;
    }

    /// How many lines of a cell fit.
    fn fitting(room: f32) -> usize {
        let lines = ((room - 2.0 * PADDING) / (CELL_SIZE * LEADING)).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a page holds some dozens of lines"
        )]
        let lines = lines.max(0.0) as usize;
        lines
    }

    fn cells(&mut self, row: &[String], widths: &[f32]) -> Vec<Vec<String>> {
        let mut cells = Vec::with_capacity(widths.len());
        for (text, width) in row.iter().zip(widths) {
            let text = self.font.settled(text);
            let inside = (width - 2.0 * PADDING).max(CELL_SIZE);
            cells.push(self.font.lines(&text, CELL_SIZE, inside));
        }
        cells
    }

    fn high(cells: &[Vec<String>]) -> f32 {
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a cell has few lines")]
        let lines = lines as f32;
        lines * CELL_SIZE * LEADING + 2.0 * PADDING
    }

    fn row(&mut self, cells: &[Vec<String>], widths: &[f32], is_head: bool) {
        let high = Self::high(cells);
        let mut x = MARGIN;
        for (lines, width) in cells.iter().zip(widths) {
            let frame = [x, self.y - high, *width, high];
            if is_head {
                self.mark(Mark::Grey(frame));
            }
            self.mark(Mark::Frame(frame));
            let mut top = self.y - PADDING;
            for line in lines {
                self.words(x + PADDING, top, CELL_SIZE, line);
                top -= CELL_SIZE * LEADING;
            }
            x += width;
        }
        self.y -= high;
    }
}

fn wrong(what: impl std::fmt::Display) -> Problem {
    Problem::new(
        "report-font",
        format!("the report's font cannot be used: {what}"),
        "report",
        "ask for the Word-compatible file, and tell whoever built the program",
    )
}

/// Writes the document with a font, of which the glyphs that are used are embedded.
///
/// # Errors
/// `report-font`, when the font does not read.
pub fn write(document: &Document, font: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut layout = Layout {
        font: Type::parse(font)?,
        pages: vec![Vec::new()],
        y: PAGE[1] - MARGIN,
        is_cut: false,
    };
    layout.paragraph(&document.title, TITLE_SIZE, true, 0.0);
    layout.y -= TEXT_SIZE * 0.5;
    for block in &document.blocks {
        match block {
            Block::Heading(text) => {
                layout.y -= HEADING_SIZE * 0.6;
                // A heading does not stand alone at the end of a page.
                layout.paragraph(text, HEADING_SIZE, false, HEADING_SIZE * 3.0);
                layout.y -= HEADING_SIZE * 0.2;
            }
            Block::Text(text) => layout.paragraph(text, TEXT_SIZE, false, 0.0),
            Block::Table(table) => layout.table(table),
        }
        if layout.is_cut {
            break;
        }
    }
    if layout.font.lacking > 0 {
        let lacking = layout.font.lacking;
        let said = document.language.pick(
            format!("（有 {lacking} 个字符不在字库中，以 □ 表示）"),
            format!("(The font lacks {lacking} characters, which are shown as □.)"),
        );
        layout.paragraph(&said, CELL_SIZE, false, 0.0);
    }
    number(&mut layout, document.language);
    assemble(document, &layout, font)
}

/// Writes the pages' numbers, and where the document was cut.
fn number(layout: &mut Layout<'_>, language: Language) {
    let all = layout.pages.len();
    let is_cut = layout.is_cut;
    for n in 0..all {
        let page = n + 1;
        let mut text = language.pick(
            format!("第 {page} 页，共 {all} 页"),
            format!("Page {page} of {all}"),
        );
        if is_cut && page == all {
            text.push_str(language.pick(
                "（内容过长，其后从略）",
                " (too long; the rest is left out)",
            ));
        }
        let left = (Layout::width() - layout.font.width(&text, CELL_SIZE)).max(0.0) / 2.0;
        let at = [MARGIN + left, MARGIN];
        let size = CELL_SIZE;
        if let Some(page) = layout.pages.get_mut(n) {
            page.push(Mark::Words { at, size, text });
        }
    }
}

/// The glyphs that are used: their new numbers, widths and characters.
pub(crate) struct Used {
    remapper: GlyphRemapper,
    characters: BTreeMap<u16, char>,
}

impl Used {
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>, font: &Type<'_>) -> Self {
        let mut used = Self {
            remapper: GlyphRemapper::new(),
            characters: BTreeMap::new(),
        };
        for c in texts.flat_map(str::chars) {
            if let Some((glyph, _)) = font.glyph(c) {
                let new = used.remapper.remap(glyph.0);
                used.characters.entry(new).or_insert(c);
            }
        }
        used
    }

    /// The glyphs of a text, as a page's content names them.
    pub(crate) fn glyphs(&self, text: &str, font: &Type<'_>) -> Vec<u8> {
        let mut glyphs = Vec::with_capacity(text.len());
        for c in text.chars() {
            let glyph = font.glyph(c).map(|(glyph, _)| glyph.0);
            let new = glyph.and_then(|glyph| self.remapper.get(glyph));
            glyphs.extend(new.unwrap_or(0).to_be_bytes());
        }
        glyphs
    }

    /// The program of the font with these glyphs alone.
    pub(crate) fn program(&self, font: &[u8]) -> Result<Vec<u8>, Problem> {
        let small = subsetter::subset(font, 0, &self.remapper).map_err(wrong)?;
        let face = RawFace::parse(&small, 0).ok();
        face.and_then(|face| face.table(Tag::from_bytes(b"CFF ")))
            .map(<[u8]>::to_vec)
            .ok_or_else(|| wrong("it has no PostScript outlines"))
    }
}

fn assemble(document: &Document, layout: &Layout<'_>, font: &[u8]) -> Result<Vec<u8>, Problem> {
    let texts = layout.pages.iter().flatten().filter_map(|mark| match mark {
        Mark::Words { text, .. } => Some(text.as_str()),
        Mark::Grey(_) | Mark::Frame(_) => None,
    });
    let used = Used::of(texts, &layout.font);
    let program = used.program(font)?;

    let mut next = Ref::new(1);
    let mut pdf = Pdf::new();
    let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
    let (type0, cid, descriptor) = (next.bump(), next.bump(), next.bump());
    let (to_unicode, file) = (next.bump(), next.bump());
    pdf.catalog(catalog)
        .pages(tree)
        .lang(TextStr(document.language.tag()));
    pdf.document_info(info)
        .title(TextStr(&document.title))
        .producer(TextStr("Jingling"));
    let ids: Vec<(Ref, Ref)> = layout
        .pages
        .iter()
        .map(|_| (next.bump(), next.bump()))
        .collect();
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree)
        .kids(ids.iter().map(|(page, _)| *page))
        .count(count);
    let name = Name(b"F1");
    for ((page, content), marks) in ids.iter().zip(&layout.pages) {
        let mut writer = pdf.page(*page);
        writer
            .parent(tree)
            .media_box(Rect::new(0.0, 0.0, PAGE[0], PAGE[1]))
            .contents(*content);
        writer.resources().fonts().pair(name, type0);
        writer.finish();
        let drawn = draw(marks, layout, &used, name);
        pdf.stream(*content, &drawn);
    }
    embed(
        &mut pdf,
        &layout.font,
        &used,
        &program,
        &[type0, cid, descriptor, to_unicode, file],
    );
    Ok(pdf.finish())
}

fn draw(marks: &[Mark], layout: &Layout<'_>, used: &Used, font: Name<'_>) -> Vec<u8> {
    let mut content = Content::new();
    content.set_line_width(0.5);
    for mark in marks {
        match mark {
            Mark::Grey([x, y, wide, high]) => {
                content.set_fill_gray(0.92);
                content.rect(*x, *y, *wide, *high).fill_nonzero();
                content.set_fill_gray(0.0);
            }
            Mark::Frame([x, y, wide, high]) => {
                content.set_stroke_gray(0.5);
                content.rect(*x, *y, *wide, *high).stroke();
            }
            Mark::Words { at, size, text } => {
                let glyphs = used.glyphs(text, &layout.font);
                content.begin_text();
                content.set_font(font, *size);
                content.next_line(at[0], at[1]);
                content.show(Str(&glyphs));
                content.end_text();
            }
        }
    }
    content.finish().into_vec()
}

/// Embeds a font with the glyphs that are used: the objects of the font, its descendant, its descriptor, its characters and its file.
pub(crate) fn embed(pdf: &mut Pdf, font: &Type<'_>, used: &Used, program: &[u8], ids: &[Ref; 5]) {
    let [type0, cid, descriptor, to_unicode, file] = *ids;
    let base = Name(b"JLGDTY+NotoSansCJKsc-Regular");
    let system = SystemInfo {
        registry: Str(b"Adobe"),
        ordering: Str(b"Identity"),
        supplement: 0,
    };
    pdf.type0_font(type0)
        .base_font(Name(b"JLGDTY+NotoSansCJKsc-Regular-Identity-H"))
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(to_unicode);
    let face = &font.face;
    let thousandth = 1_000.0 / font.per_em;
    let mut writer = pdf.cid_font(cid);
    writer
        .subtype(CidFontType::Type0)
        .base_font(base)
        .system_info(system)
        .font_descriptor(descriptor)
        .default_width(1_000.0);
    let widths = used.remapper.remapped_gids().map(|glyph| {
        let wide = face.glyph_hor_advance(GlyphId(glyph)).unwrap_or(0);
        f32::from(wide) * thousandth
    });
    writer.widths().consecutive(0, widths);
    writer.finish();
    let bounds = face.global_bounding_box();
    let scaled = |value: i16| f32::from(value) * thousandth;
    pdf.font_descriptor(descriptor)
        .name(base)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            scaled(bounds.x_min),
            scaled(bounds.y_min),
            scaled(bounds.x_max),
            scaled(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(scaled(face.ascender()))
        .descent(scaled(face.descender()))
        .cap_height(scaled(face.capital_height().unwrap_or(face.ascender())))
        .stem_v(80.0)
        .font_file3(file);
    let mut map = UnicodeCmap::new(Name(b"JinglingUnicode"), system);
    for (glyph, c) in &used.characters {
        map.pair(*glyph, *c);
    }
    let map = map.finish();
    pdf.cmap(to_unicode, &map);
    pdf.stream(file, program)
        .pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::Command;

    fn long() -> Document {
        let mut document = Document::new(Language::Zh, "值班报告");
        document.heading("一、告警");
        document.text("汉北河天门站水位达到 29.31 m，超过警戒水位；已通知市水利和湖泊局。");
        let rows = (0..120)
            .map(|n| {
                vec![
                    format!("2026-11-27 08:{:02}", n % 60),
                    format!("第 {n} 条：岳口站 water level above the warning stage 水位持续上涨"),
                ]
            })
            .collect();
        document.table(&[("时间", 2), ("内容", 6)], rows, "无");
        document.text("喆堃镕");
        document
    }

    /// What `pdftotext` (poppler) reads in it.
    fn read(bytes: &[u8]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.pdf");
        std::fs::File::create(&path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        match Command::new("pdftotext").arg(&path).arg("-").output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success() && said.is_empty(), "{said}");
                Some(String::from_utf8(output.stdout).unwrap())
            }
            Err(error) => {
                testkit::foreign::passed_over("pdftotext", &error.to_string());
                None
            }
        }
    }

    #[test]
    fn its_text_can_be_read_by_another_program_and_every_page_has_its_number() {
        let bytes = write(&long(), FONT).unwrap();
        assert!(bytes.starts_with(b"%PDF-"));
        assert!(bytes.len() < 200_000, "only used glyphs: {}", bytes.len());
        assert_eq!(write(&long(), FONT).unwrap(), bytes, "the same each time");
        let Some(text) = read(&bytes) else { return };
        for held in [
            "值班报告",
            "汉北河天门站水位达到 29.31 m",
            "喆堃镕",
            "第 119 条",
            "第 1 页，共",
        ] {
            assert!(text.contains(held), "{held} in {text}");
        }
        let pages = text.matches("页，共").count();
        assert!(pages > 2, "{pages}");
        assert_eq!(
            text.matches("时间").count(),
            pages,
            "the head stands on every page"
        );
    }

    #[test]
    fn in_english_its_words_are_whole_and_its_pages_are_numbered_so() {
        let mut document = Document::new(Language::En, "Tianmen: shift report");
        document.heading("2. Alerts (1)");
        let title = "Hanbei River at Tianmen: water level above the warning stage, still rising since midnight";
        let rows = vec![vec!["2026-11-27 08:00".to_owned(), title.to_owned()]];
        document.table(&[("Raised", 16), ("Acknowledged", 18)], rows, "None");
        let bytes = write(&document, FONT).unwrap();
        let Some(text) = read(&bytes) else { return };
        for held in [
            "Tianmen: shift report",
            "Acknowledged",
            "Page 1 of 1",
            "warning",
            "midnight",
        ] {
            assert!(text.contains(held), "{held} in {text}");
        }
        assert!(!text.contains('页'), "{text}");
    }

    #[test]
    fn a_character_that_the_font_lacks_is_shown_as_a_box_and_counted() {
        let mut document = Document::new(Language::Zh, "报告");
        document.text("罕见字：𠮷龘");
        let bytes = write(&document, FONT).unwrap();
        if let Some(text) = read(&bytes) {
            assert!(text.contains("罕见字：□□"), "{text}");
            assert!(text.contains("有 2 个字符不在字库中"), "{text}");
        }
        assert_eq!(
            write(&document, b"no font").unwrap_err().code,
            "report-font"
        );
    }

    #[test]
    fn lines_break_at_words_and_never_before_a_closing_mark() {
        let font = Type::parse(FONT).unwrap();
        let lines = font.lines("甲乙丙丁，戊己", 10.0, 40.0);
        assert_eq!(lines, ["甲乙丙丁，", "戊己"]);
        let lines = font.lines("water level above", 10.0, 60.0);
        assert_eq!(lines, ["water level", "above"]);
        let lines = font.lines("甲\n乙", 10.0, 40.0);
        assert_eq!(lines, ["甲", "乙"]);
        let long = font.lines(&"w".repeat(40), 10.0, 60.0);
        assert!(
            long.len() > 4 && long.concat() == "w".repeat(40),
            "{long:?}"
        );
    }

    #[test]
    fn a_row_higher_than_a_page_is_cut_and_nothing_of_it_is_lost() {
        let mut document = Document::new(Language::Zh, "报告");
        let words = (0..900).map(|n| format!("第{n}句。")).collect::<String>();
        document.table(
            &[("甲", 1), ("乙", 3)],
            vec![vec!["x".to_owned(), words]],
            "无",
        );
        let bytes = write(&document, FONT).unwrap();
        let Some(text) = read(&bytes) else { return };
        let flat: String = text.split_whitespace().collect();
        for n in [0, 100, 500, 899] {
            assert!(flat.contains(&format!("第{n}句")), "{n}");
        }
    }
}
