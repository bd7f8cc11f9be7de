//! An official document as PDF: on A4 by the measures of GB/T 9704-2012 ([`super::layout`]), with a link (ISO 32000-1, 12.5.6.5) at every
//! figure. The font is the program's own, one style of letters: what the standard sets in 小标宋 and 黑体 is drawn heavier.

use super::layout::{
    CELL, HEAD, LEFT, LINE, LINE_THICK, LINE_THIN, PAGE, PAGE_NUMBER_DOWN, RED_LINE_DOWN,
    SIGN_DOWN, SIGN_MAX, SMALL, TEXT, TITLE, TYPE_AREA,
};
use super::{Block, Level, Official, Table, Words};
use crate::document::Language;
use crate::pdf::{PAGES_MAX, Type, Used, closes, embed};
use model::Problem;
use pdf_writer::types::{ActionType, AnnotationFlags, AnnotationType, TextRenderingMode};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;

/// The type area's edges, points from the bottom left.
const TOP: f32 = PAGE[1] - HEAD;
const BOTTOM: f32 = TOP - TYPE_AREA[1];
const RIGHT: f32 = LEFT + TYPE_AREA[0];
/// Letters and lines of English text, which the standard does not know.
const ENGLISH: [f32; 2] = [12.0, 20.0];
/// Thickness of the red line; the standard leaves it to the issuer.
const RED_LINE: f32 = 1.5;
/// From the baseline to the top of a Chinese character, in sizes.
const ASCENT: f32 = 0.88;
/// Distance of a table's lines, in sizes.
const CELL_LEADING: f32 = 1.4;
/// Between a cell's border and its words.
const PADDING: f32 = 3.5;
/// Thickness of the outline that makes letters heavier, in sizes.
const HEAVY: f32 = 0.028;

/// A colour, red, green, blue.
type Ink = [f32; 3];
const BLACK: Ink = [0.0, 0.0, 0.0];
const RED: Ink = [0.84, 0.0, 0.05];
/// What leads somewhere: dark enough to be printed as black.
const LINKED: Ink = [0.02, 0.16, 0.48];

/// How words are drawn.
#[derive(Clone, Copy)]
struct Style {
    size: f32,
    ink: Ink,
    heavy: bool,
}

impl Style {
    const fn plain(size: f32) -> Self {
        Self {
            size,
            ink: BLACK,
            heavy: false,
        }
    }

    const fn heavy(size: f32) -> Self {
        Self {
            size,
            ink: BLACK,
            heavy: true,
        }
    }
}

/// What is drawn; from the bottom left, in points.
enum Mark {
    Words {
        at: [f32; 2],
        style: Style,
        text: String,
    },
    Line {
        from: [f32; 2],
        to: [f32; 2],
        thick: f32,
        ink: Ink,
    },
    Grey([f32; 4]),
    Frame([f32; 4]),
}

/// A page: what is drawn, and where the links of it are, by their numbers.
#[derive(Default)]
struct Page {
    marks: Vec<Mark>,
    links: BTreeMap<usize, Vec<[f32; 4]>>,
}

/// What is not broken: a character, a Latin word, a figure.
#[derive(Clone)]
struct Token {
    text: String,
    wide: f32,
    link: Option<usize>,
}

impl Token {
    fn is_end_of_line(&self) -> bool {
        self.text == "\n"
    }

    fn begins(&self, is: fn(char) -> bool) -> bool {
        self.text.chars().next().is_some_and(is)
    }
}

type Line = Vec<Token>;

/// Whether a character may not end a line (避尾标点).
fn opens(c: char) -> bool {
    "（《「『【“‘〔([".contains(c)
}

/// Lines of a cell, and whether they stand at its right.
struct Cell {
    lines: Vec<Line>,
    is_figure: bool,
}

struct Layout<'a> {
    font: Type<'a>,
    pages: Vec<Page>,
    /// Addresses of links, by their numbers.
    links: Vec<String>,
    /// Where the next line's top is.
    y: f32,
    is_cut: bool,
    language: Language,
    size: f32,
    pitch: f32,
}

fn wide_of(line: &[Token]) -> f32 {
    line.iter().map(|token| token.wide).sum()
}

impl Layout<'_> {
    fn room(&self) -> f32 {
        self.y - BOTTOM
    }

    fn next_page(&mut self) {
        if self.pages.len() >= PAGES_MAX {
            self.is_cut = true;
        } else {
            self.pages.push(Page::default());
        }
        self.y = TOP;
    }

    /// Goes to the next page where less than that is left of this one.
    fn need(&mut self, high: f32) {
        // The last line of a page may end at the type area's edge.
        if self.room() + 0.5 < high {
            self.next_page();
        }
    }

    fn page(&mut self) -> Option<&mut Page> {
        if self.is_cut {
            return None;
        }
        self.pages.last_mut()
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.page() {
            page.marks.push(mark);
        }
    }

    fn rule(&mut self, y: f32, thick: f32, ink: Ink) {
        self.mark(Mark::Line {
            from: [LEFT, y],
            to: [RIGHT, y],
            thick,
            ink,
        });
    }

    /// The pieces of a text that are not broken. What is wider than a line is broken all the same, but for figures.
    fn tokens(&mut self, words: &Words, size: f32, width: f32) -> Vec<Token> {
        let mut tokens = Vec::new();
        for span in &words.0 {
            let text = self.font.settled(&span.text);
            let link = span.link.clone().map(|link| {
                self.links.push(link);
                self.links.len() - 1
            });
            if span.value.is_some() {
                let wide = self.font.width(&text, size);
                tokens.push(Token { text, wide, link });
                continue;
            }
            let mut word = String::new();
            for c in text.chars() {
                if c.is_ascii_graphic() {
                    word.push(c);
                    continue;
                }
                self.end_word(&mut word, (size, width), link, &mut tokens);
                tokens.push(Token {
                    wide: if c == '\n' {
                        0.0
                    } else {
                        self.font.wide(c) * size
                    },
                    text: c.to_string(),
                    link,
                });
            }
            self.end_word(&mut word, (size, width), link, &mut tokens);
        }
        tokens
    }

    fn end_word(
        &self,
        word: &mut String,
        (size, width): (f32, f32),
        link: Option<usize>,
        tokens: &mut Vec<Token>,
    ) {
        let text = std::mem::take(word);
        let wide = self.font.width(&text, size);
        if text.is_empty() {
            return;
        }
        if wide <= width {
            tokens.push(Token { text, wide, link });
        } else {
            let letters = text.chars().map(|c| Token {
                text: c.to_string(),
                wide: self.font.wide(c) * size,
                link,
            });
            tokens.extend(letters);
        }
    }

    /// Lines no wider than `width`, the first one shorter by `indent`. No line begins with closing punctuation or ends with opening.
    fn flow(&mut self, words: &Words, size: f32, width: f32, indent: f32) -> Vec<Line> {
        let (mut lines, mut line) = (Vec::new(), Line::new());
        let mut taken = indent;
        for token in self.tokens(words, size, width) {
            if token.is_end_of_line() {
                lines.push(std::mem::take(&mut line));
                taken = 0.0;
                continue;
            }
            let is_space = token.text == " ";
            if is_space && line.is_empty() {
                continue;
            }
            // 28 characters fill a line but for what reckoning loses.
            if taken + token.wide > width + 0.05 && !line.is_empty() && !is_space {
                let mut carried = Line::new();
                let mut first = token.begins(closes);
                while line.len() > 1
                    && (first || line.last().is_some_and(|last| last.begins(opens)))
                {
                    let Some(last) = line.pop() else { break };
                    first = last.begins(closes);
                    carried.insert(0, last);
                }
                while line.last().is_some_and(|last| last.text == " ") {
                    line.pop();
                }
                lines.push(std::mem::replace(&mut line, carried));
                taken = wide_of(&line);
            }
            taken += token.wide;
            line.push(token);
        }
        lines.push(line);
        lines
    }

    /// Draws a line whose letters stand in the middle of a height.
    fn draw(&mut self, line: &[Token], x: f32, top: f32, high: f32, style: Style) {
        let base = top - (high - style.size) / 2.0 - style.size * ASCENT;
        let mut x = x;
        let mut rest = line;
        while let Some(first) = rest.first() {
            let link = first.link;
            let count = rest.iter().take_while(|token| token.link == link).count();
            let (run, behind) = rest.split_at(count);
            let wide = wide_of(run);
            let text: String = run.iter().map(|token| token.text.as_str()).collect();
            let ink = if link.is_some() { LINKED } else { style.ink };
            if !text.trim().is_empty() {
                let at = [x, base];
                let style = Style { ink, ..style };
                self.mark(Mark::Words { at, style, text });
            }
            if let (Some(link), Some(page)) = (link, self.page()) {
                let under = base - style.size * 0.2;
                let rect = [x, under, x + wide, base + style.size * 0.95];
                page.links.entry(link).or_default().push(rect);
            }
            x += wide;
            rest = behind;
        }
    }

    /// A text line by line over pages; `indent` is that of its first line, `inset` that of all.
    fn paragraph(&mut self, words: &Words, style: Style, indent: f32, inset: f32) {
        let lines = self.flow(words, style.size, TYPE_AREA[0] - inset, indent);
        for (n, line) in lines.iter().enumerate() {
            self.need(self.pitch);
            let x = LEFT + inset + if n == 0 { indent } else { 0.0 };
            self.draw(line, x, self.y, self.pitch, style);
            self.y -= self.pitch;
        }
    }

    fn centred(&mut self, words: &Words, style: Style, width: f32, pitch: f32) {
        for line in self.flow(words, style.size, width, 0.0) {
            self.need(pitch);
            let x = LEFT + (TYPE_AREA[0] - wide_of(&line)).max(0.0) / 2.0;
            self.draw(&line, x, self.y, pitch, style);
            self.y -= pitch;
        }
    }

    /// The least width at which a text takes no more lines than at the whole one: its lines are then about as long as each other.
    fn balanced(&mut self, words: &Words, size: f32) -> f32 {
        let (whole, lacking) = (TYPE_AREA[0], self.font.lacking);
        let lines = self.flow(words, size, whole, 0.0).len();
        let mut wide = whole;
        while wide > whole / 2.0 && self.flow(words, size, wide - size, 0.0).len() == lines {
            wide -= size;
        }
        self.font.lacking = lacking;
        wide
    }

    /// What stands above the red line, and title and recipients below it.
    fn head(&mut self, of: &Official) {
        let sign = self.font.settled(&of.sign);
        let at_one = self.font.width(&sign, 1.0).max(1.0);
        let size = (TYPE_AREA[0] / at_one).min(SIGN_MAX);
        self.y = TOP - SIGN_DOWN;
        let style = Style {
            ink: RED,
            ..Style::heavy(size)
        };
        self.centred(&of.sign.as_str().into(), style, TYPE_AREA[0] + 1.0, size);
        self.y -= 2.0 * self.pitch;
        let (style, pitch) = (Style::plain(self.size), self.pitch);
        self.centred(&of.number_line().into(), style, TYPE_AREA[0], pitch);
        // The line's letters end above its lower edge.
        let under = self.y + (pitch - self.size) / 2.0 - RED_LINE_DOWN;
        self.rule(under, RED_LINE, RED);
        self.y = under - 2.0 * pitch;
        let title = of.title.as_str().into();
        let wide = self.balanced(&title, TITLE);
        self.centred(&title, Style::heavy(TITLE), wide, TITLE * 1.45);
        self.y -= pitch;
        if let Some(to) = of.to_line() {
            self.paragraph(&to.into(), style, 0.0, 0.0);
        }
    }

    fn table(&mut self, table: &Table) {
        let widths: Vec<f32> = table.shares().iter().map(|s| s * TYPE_AREA[0]).collect();
        let head: Vec<Words> = table.head.iter().map(|name| name.as_str().into()).collect();
        let head = self.cells(&head, &widths);
        let title = CELL * 2.2;
        // The head does not stand alone at the end of a page.
        // What is measured before it is laid out counts once.
        let lacking = self.font.lacking;
        let first = table.rows.first().map(|row| self.cells(row, &widths));
        let first = first.map_or(0.0, |cells| Self::high(&cells));
        self.font.lacking = lacking;
        let above = title + Self::high(&head);
        self.need(above + first.min(TYPE_AREA[1] - above));
        self.centred(
            &table.title.as_str().into(),
            Style::heavy(CELL + 1.0),
            TYPE_AREA[0],
            title,
        );
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
                // A page's room may be less than that by what reckoning loses.
                if Self::high(&cells) > TYPE_AREA[1] - Self::high(&head) - 1.0 {
                    self.part(&mut cells, &widths);
                }
                self.next_page();
                self.row(&head, &widths, true);
            }
        }
        self.y -= self.pitch * 0.5;
    }

    /// As many lines of a row as fit on this page.
    fn part(&mut self, cells: &mut [Cell], widths: &[f32]) {
        let lines = ((self.room() - 2.0 * PADDING) / (CELL * CELL_LEADING)).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a page holds some dozens of lines"
        )]
        let fit = lines.max(0.0) as usize;
        if fit == 0 {
            return;
        }
        let first = cells.iter_mut().map(|cell| Cell {
            lines: cell.lines.drain(..fit.min(cell.lines.len())).collect(),
            is_figure: cell.is_figure,
        });
        let first: Vec<Cell> = first.collect();
        self.row(&first, widths, false);
    }

    fn cells(&mut self, row: &[Words], widths: &[f32]) -> Vec<Cell> {
        let mut cells = Vec::with_capacity(widths.len());
        for (words, width) in row.iter().zip(widths) {
            let inside = (width - 2.0 * PADDING).max(CELL);
            cells.push(Cell {
                lines: self.flow(words, CELL, inside, 0.0),
                is_figure: words.lone_figure().is_some(),
            });
        }
        cells
    }

    fn high_of(lines: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a cell has few lines")]
        let lines = lines.max(1) as f32;
        lines * CELL * CELL_LEADING + 2.0 * PADDING
    }

    fn high(cells: &[Cell]) -> f32 {
        Self::high_of(cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0))
    }

    fn row(&mut self, cells: &[Cell], widths: &[f32], is_head: bool) {
        let high = Self::high(cells);
        let step = CELL * CELL_LEADING;
        let style = Style {
            heavy: is_head,
            ..Style::plain(CELL)
        };
        let mut x = LEFT;
        for (cell, width) in cells.iter().zip(widths) {
            let frame = [x, self.y - high, *width, high];
            if is_head {
                self.mark(Mark::Grey(frame));
            }
            self.mark(Mark::Frame(frame));
            let mut top = self.y - PADDING;
            for line in &cell.lines {
                let free = (width - 2.0 * PADDING - wide_of(line)).max(0.0);
                let left = match (is_head, cell.is_figure) {
                    (true, _) => free / 2.0,
                    (false, true) => free,
                    (false, false) => 0.0,
                };
                self.draw(line, x + PADDING + left, top, step, style);
                top -= step;
            }
            x += width;
        }
        self.y -= high;
    }

    /// List of attachments, signature and day.
    fn signature(&mut self, of: &Official) {
        let (style, indent) = (Style::plain(self.size), 2.0 * self.size);
        let attachments = of.attachment_lines();
        if !attachments.is_empty() {
            self.y -= self.pitch;
            for line in attachments {
                self.paragraph(&line.into(), style, 0.0, indent);
            }
        }
        // The signature does not stand on a page of its own parts.
        self.need(3.0 * self.pitch);
        self.y -= self.pitch;
        let day = of.day_line();
        let (signed, day) = (self.font.settled(&of.signed), self.font.settled(&day));
        let (signed_wide, day_wide) = (
            self.font.width(&signed, self.size),
            self.font.width(&day, self.size),
        );
        let signed_x = (RIGHT - indent - signed_wide).max(LEFT);
        let day_x = (signed_x + indent).min(RIGHT - indent - day_wide);
        for (x, text) in [(signed_x, signed), (day_x, day)] {
            let wide = self.font.width(&text, self.size);
            let link = None;
            let line = [Token { text, wide, link }];
            self.draw(&line, x, self.y, self.pitch, style);
            self.y -= self.pitch;
        }
    }

    /// What stands at the end of the last page: copies, printer and day between lines (7.4).
    fn end(&mut self, of: &Official) {
        let (copies, printer, printed) = of.end_lines();
        let style = Style::plain(self.size.min(SMALL));
        let (inset, step) = (style.size, style.size * 1.6);
        let inside = TYPE_AREA[0] - 2.0 * inset;
        let copies = copies.map(|copies| self.flow(&copies.into(), style.size, inside, 0.0));
        let lines = copies.as_ref().map_or(0, Vec::len) + 1;
        #[expect(clippy::cast_precision_loss, reason = "some lines")]
        let high = lines as f32 * step;
        self.need(high + self.pitch * 0.5);
        self.y = BOTTOM + high;
        self.rule(self.y, LINE_THICK, BLACK);
        for line in copies.iter().flatten() {
            self.draw(line, LEFT + inset, self.y, step, style);
            self.y -= step;
        }
        if copies.is_some() {
            self.rule(self.y, LINE_THIN, BLACK);
        }
        let wide = self.font.width(&printed, style.size);
        for (x, text) in [(LEFT + inset, printer), (RIGHT - inset - wide, printed)] {
            let text = self.font.settled(&text);
            let wide = self.font.width(&text, style.size);
            let link = None;
            self.draw(&[Token { text, wide, link }], x, self.y, step, style);
        }
        self.y = BOTTOM;
        self.rule(self.y, LINE_THICK, BLACK);
    }

    /// The pages' numbers: at the right of odd pages, at the left of even ones (7.5).
    fn numbers(&mut self) {
        let style = Style::plain(self.size.min(SMALL));
        for n in 0..self.pages.len() {
            let text = format!("— {} —", n + 1);
            let wide = self.font.width(&text, style.size);
            let x = match n % 2 {
                0 => RIGHT - style.size - wide,
                _ => LEFT + style.size,
            };
            let at = [x, BOTTOM - PAGE_NUMBER_DOWN - style.size * 0.36];
            if let Some(page) = self.pages.get_mut(n) {
                page.marks.push(Mark::Words { at, style, text });
            }
        }
    }
}

/// Writes the document with a font, of which the glyphs that are used are embedded.
///
/// # Errors
/// `report-font`, when the font does not read.
pub fn write(document: &Official, font: &[u8]) -> Result<Vec<u8>, Problem> {
    let [size, pitch] = document.language.pick([TEXT, LINE], ENGLISH);
    let mut layout = Layout {
        font: Type::parse(font)?,
        pages: vec![Page::default()],
        links: Vec::new(),
        y: TOP,
        is_cut: false,
        language: document.language,
        size,
        pitch,
    };
    layout.head(document);
    let indent = 2.0 * size;
    for block in &document.blocks {
        match block {
            Block::Heading(level, text) => {
                // A heading does not stand alone at the end of a page.
                layout.need(pitch * 2.0);
                let style = match level {
                    Level::First => Style::heavy(size),
                    Level::Second => Style::plain(size),
                };
                layout.paragraph(&text.as_str().into(), style, indent, 0.0);
            }
            Block::Text(words) => layout.paragraph(words, Style::plain(size), indent, 0.0),
            Block::Table(table) => layout.table(table),
        }
        if layout.is_cut {
            break;
        }
    }
    let told = |zh: String, en: String| Words::from(document.language.pick(zh, en));
    if layout.is_cut {
        layout.is_cut = false;
        let said = told(
            "（内容过长，其后从略）".to_owned(),
            "(Too long; the rest is left out.)".to_owned(),
        );
        layout.paragraph(&said, Style::plain(CELL), 0.0, 0.0);
    }
    layout.signature(document);
    let lacking = layout.font.lacking;
    if lacking > 0 {
        let said = told(
            format!("（有 {lacking} 个字符不在字库中，以 □ 表示）"),
            format!("(The font lacks {lacking} characters, which are shown as □.)"),
        );
        layout.paragraph(&said, Style::plain(CELL), 0.0, 0.0);
    }
    layout.end(document);
    layout.numbers();
    assemble(document, &layout, font)
}

fn assemble(document: &Official, layout: &Layout<'_>, font: &[u8]) -> Result<Vec<u8>, Problem> {
    let marks = layout.pages.iter().flat_map(|page| &page.marks);
    let texts = marks.filter_map(|mark| match mark {
        Mark::Words { text, .. } => Some(text.as_str()),
        Mark::Line { .. } | Mark::Grey(_) | Mark::Frame(_) => None,
    });
    let used = Used::of(texts, &layout.font);
    let program = used.program(font)?;
    let mut next = Ref::new(1);
    let mut pdf = Pdf::new();
    let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
    let fonts = [
        next.bump(),
        next.bump(),
        next.bump(),
        next.bump(),
        next.bump(),
    ];
    pdf.catalog(catalog)
        .pages(tree)
        .lang(TextStr(layout.language.tag()));
    pdf.document_info(info)
        .title(TextStr(&document.title))
        .author(TextStr(&document.signed))
        .producer(TextStr("Jingling"));
    let ids: Vec<(Ref, Ref)> = layout
        .pages
        .iter()
        .map(|_| (next.bump(), next.bump()))
        .collect();
    pdf.pages(tree)
        .kids(ids.iter().map(|(page, _)| *page))
        .count(i32::try_from(ids.len()).unwrap_or(i32::MAX));
    let name = Name(b"F1");
    for ((id, content), page) in ids.iter().zip(&layout.pages) {
        let links: Vec<(Ref, usize)> = page.links.keys().map(|n| (next.bump(), *n)).collect();
        let mut writer = pdf.page(*id);
        writer
            .parent(tree)
            .media_box(Rect::new(0.0, 0.0, PAGE[0], PAGE[1]))
            .contents(*content)
            .annotations(links.iter().map(|(link, _)| *link));
        writer.resources().fonts().pair(name, fonts[0]);
        writer.finish();
        for (link, n) in links {
            let rects = page.links.get(&n).map_or(&[][..], Vec::as_slice);
            let to = layout.links.get(n).map_or("", String::as_str);
            annotate(&mut pdf, link, rects, to);
        }
        let drawn = draw(&page.marks, layout, &used, name);
        pdf.stream(*content, &drawn);
    }
    embed(&mut pdf, &layout.font, &used, &program, &fonts);
    Ok(pdf.finish())
}

/// A link to an address over these rectangles.
fn annotate(pdf: &mut Pdf, id: Ref, rects: &[[f32; 4]], to: &str) {
    let edge = |n: usize, pick: fn(f32, f32) -> f32| {
        let values = rects.iter().filter_map(|rect| rect.get(n).copied());
        values.reduce(pick).unwrap_or_default()
    };
    let bounds = Rect::new(
        edge(0, f32::min),
        edge(1, f32::min),
        edge(2, f32::max),
        edge(3, f32::max),
    );
    let mut link = pdf.annotation(id);
    link.subtype(AnnotationType::Link)
        .rect(bounds)
        .flags(AnnotationFlags::PRINT)
        .border(0.0, 0.0, 0.0, None);
    link.quad_points(rects.iter().flat_map(|[left, low, right, high]| {
        [*left, *high, *right, *high, *left, *low, *right, *low]
    }));
    link.action()
        .action_type(ActionType::Uri)
        .uri(Str(to.as_bytes()));
}

fn draw(marks: &[Mark], layout: &Layout<'_>, used: &Used, font: Name<'_>) -> Vec<u8> {
    let mut content = Content::new();
    for mark in marks {
        match mark {
            Mark::Grey([x, y, wide, high]) => {
                content.set_fill_gray(0.93);
                content.rect(*x, *y, *wide, *high).fill_nonzero();
            }
            Mark::Frame([x, y, wide, high]) => {
                content.set_line_width(0.5).set_stroke_gray(0.35);
                content.rect(*x, *y, *wide, *high).stroke();
            }
            Mark::Line {
                from,
                to,
                thick,
                ink: [r, g, b],
            } => {
                content.set_line_width(*thick).set_stroke_rgb(*r, *g, *b);
                content.move_to(from[0], from[1]).line_to(to[0], to[1]);
                content.stroke();
            }
            Mark::Words { at, style, text } => {
                let glyphs = used.glyphs(text, &layout.font);
                let [r, g, b] = style.ink;
                content.set_fill_rgb(r, g, b).set_stroke_rgb(r, g, b);
                content.set_line_width(style.size * HEAVY);
                content.begin_text();
                content.set_font(font, style.size);
                content.set_text_rendering_mode(match style.heavy {
                    true => TextRenderingMode::FillStroke,
                    false => TextRenderingMode::Fill,
                });
                content.next_line(at[0], at[1]);
                content.show(Str(&glyphs));
                content.end_text();
            }
        }
    }
    content.finish().into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::official::tests::sample;
    use crate::pdf::FONT;
    use std::process::Command;

    /// What a program of poppler says of it.
    fn asked(bytes: &[u8], program: &str, words: &[&str]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("document.pdf");
        std::fs::write(&path, bytes).unwrap();
        let (first, last) = words.split_at(words.len().min(1));
        match Command::new(program)
            .args(first)
            .arg(&path)
            .args(last)
            .output()
        {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success() && said.is_empty(), "{said}");
                Some(String::from_utf8(output.stdout).unwrap())
            }
            Err(error) => {
                testkit::foreign::passed_over(program, &error.to_string());
                None
            }
        }
    }

    fn count(bytes: &[u8], what: &[u8]) -> usize {
        bytes.windows(what.len()).filter(|w| *w == what).count()
    }

    #[test]
    fn it_has_the_form_of_the_standard_and_a_link_at_every_figure() {
        let document = sample(Language::Zh);
        let bytes = write(&document, FONT).unwrap();
        assert_eq!(write(&document, FONT).unwrap(), bytes, "the same each time");
        assert_eq!(count(&bytes, b"/Subtype /Link"), document.links());
        assert_eq!(count(&bytes, b"/URI (http://city/plan/i89?a=1&b=2)"), 1);
        let Some(text) = asked(&bytes, "pdftotext", &["-layout", "-"]) else {
            return;
        };
        let flat: String = text.split_whitespace().collect();
        let mut at = 0;
        for held in [
            "天门市新基建指挥部办公室文件",
            "天门新基建办〔2026〕12号",
            "关于2026年10月规划指标和重点项目进展情况的通报",
            "各成员单位：",
            "一、总体情况",
            "全市规划指标共56项，其中滞后3项。",
            "（一）滞后指标",
            "滞后指标表",
            "89.5",
            "二、下一步",
            "没有滞后的项目。",
            "附件：1.甲",
            "2.乙",
            "天门市新基建指挥部办公室",
            "2026年11月5日",
            "抄送：市政府办公室。",
            "2026年11月5日印发",
        ] {
            let found = flat[at..].find(held);
            assert!(found.is_some(), "{held} in {}", &flat[at..]);
            at += found.unwrap_or_default();
        }
        let pages = text.matches('\u{c}').count();
        assert!(pages > 2, "{pages}");
        for (n, page) in text.split('\u{c}').take(pages).enumerate() {
            let page: String = page.split_whitespace().collect();
            assert!(page.contains(&format!("—{}—", n + 1)), "{n}: {page}");
        }
        for page in text.split('\u{c}').filter(|page| page.contains("无依据")) {
            let page: String = page.split_whitespace().collect();
            assert_eq!(
                page.matches("指标现值说明").count(),
                1,
                "the table's head: {page}"
            );
        }
    }

    #[test]
    fn the_issuer_stands_35_mm_below_the_type_area_and_28_characters_fill_a_line() {
        let mut document = sample(Language::Zh);
        document.blocks = vec![Block::Text("测".repeat(54).into())];
        let bytes = write(&document, FONT).unwrap();
        let Some(boxes) = asked(&bytes, "pdftotext", &["-bbox", "-"]) else {
            return;
        };
        let near = |line: &str, key: &str| {
            let (_, rest) = line.split_once(&format!("{key}=\"")).unwrap();
            rest.split_once('"').unwrap().0.parse::<f32>().unwrap()
        };
        let word = |held: &str| {
            boxes
                .lines()
                .find(|line| line.contains(held))
                .unwrap()
                .to_owned()
        };
        let sign = word(">天门市新基建指挥部办公室文件<");
        // A reader's box of a word begins at the font's ascent (1.16 of Noto Sans CJK), its letters below.
        let size = TYPE_AREA[0] / 14.0;
        let top = near(&sign, "yMin") + (1.16 - ASCENT) * size;
        assert!((top - (HEAD + SIGN_DOWN)).abs() < 0.5, "{top}");
        assert!(near(&sign, "xMin") >= LEFT - 1.0 && near(&sign, "xMax") <= RIGHT + 1.0);
        let full = word(&format!(">{}<", "测".repeat(28)));
        assert!(
            (near(&full, "xMin") - LEFT).abs() < 0.5 && (near(&full, "xMax") - RIGHT).abs() < 0.5
        );
        let first = word(&format!(">{}<", "测".repeat(26)));
        assert!((near(&full, "yMin") - near(&first, "yMin") - LINE).abs() < 0.1);
    }

    #[test]
    fn english_is_whole_and_a_draft_says_that_it_is_one() {
        let mut document = sample(Language::En);
        document.number = None;
        let bytes = write(&document, FONT).unwrap();
        let Some(text) = asked(&bytes, "pdftotext", &["-layout", "-"]) else {
            return;
        };
        for held in [
            "(Draft, no number)",
            "1. Overall",
            "1.1 Behind",
            "5 November 2026",
            "Copies: City government.",
        ] {
            assert!(text.contains(held), "{held} in {text}");
        }
    }

    #[test]
    fn a_character_that_the_font_lacks_is_counted_once() {
        let mut document = sample(Language::Zh);
        document.title = "关于𠮷的通报".to_owned();
        let rows = vec![vec![Words::from("龘")]];
        document.table("字", &[("甲", 1)], rows, "无");
        let bytes = write(&document, FONT).unwrap();
        let Some(text) = asked(&bytes, "pdftotext", &["-raw", "-"]) else {
            return;
        };
        assert!(text.contains("关于□的通报"), "{text}");
        assert!(text.contains("有 2 个字符不在字库中"), "{text}");
    }

    #[test]
    fn a_row_higher_than_a_page_is_cut_and_nothing_of_it_is_lost() {
        let mut document = sample(Language::Zh);
        let long: String = (0..900).map(|n| format!("第{n}句。")).collect();
        document.table(
            "长",
            &[("甲", 1), ("乙", 2)],
            vec![vec!["x".into(), long.into()]],
            "无",
        );
        let bytes = write(&document, FONT).unwrap();
        let Some(text) = asked(&bytes, "pdftotext", &["-raw", "-"]) else {
            return;
        };
        let flat: String = text.split_whitespace().collect();
        for n in [0, 300, 600, 899] {
            assert!(flat.contains(&format!("第{n}句")), "{n}");
        }
    }
}
