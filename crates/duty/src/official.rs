//! An official document (公文) in the form of GB/T 9704-2012, before it is written as PDF ([`pdf`]), as a Word-compatible file
//! ([`docx`]) or as a workbook ([`xlsx`]): what stands above the red line (版头), title, recipients, body with numbered headings and
//! tables, list of attachments, signature and day, and what stands at the end (版记).
//!
//! The clauses that the lay-out follows, with their figures in [`layout`]: 5.1 (A4), 5.2.1 (margins and type area), 5.2.2 and 5.2.3 (size
//! of letters, 22 lines of 28 characters), 7.2.4, 7.2.5 and 7.2.7 (issuer in red, number, red line), 7.3.1 to 7.3.5 (title, recipients,
//! body, attachments, signature and day), 7.4 (copies, printer) and 7.5 (page numbers). What the standard asks of paper, binding and the
//! seal is for whoever prints it.
//!
//! **A figure cannot be put in without its proof**: [`Words::figure`] takes the address at which it is seen, and every writer makes a
//! link of it. Numbers that are words of the document itself (its period, its day, the sections' numbers) are plain text.

pub mod docx;
pub mod pdf;
pub mod xlsx;

use crate::document::Language;
use jiff::civil::Date;

/// Measures of GB/T 9704-2012.
pub mod layout {
    /// Points of a millimetre.
    pub const MM: f32 = 72.0 / 25.4;
    /// A4 (5.1), points.
    pub const PAGE: [f32; 2] = [210.0 * MM, 297.0 * MM];
    /// 天头 (5.2.1): from the upper edge to the type area.
    pub const HEAD: f32 = 37.0 * MM;
    /// 订口 (5.2.1): from the left edge to the type area.
    pub const LEFT: f32 = 28.0 * MM;
    /// 版心 (5.2.1): the type area.
    pub const TYPE_AREA: [f32; 2] = [156.0 * MM, 225.0 * MM];
    /// Lines of a page (5.2.3).
    pub const LINES: f32 = 22.0;
    /// Characters of a line (5.2.3).
    pub const CHARACTERS: f32 = 28.0;
    /// Distance of lines that fills the type area (5.2.3).
    pub const LINE: f32 = TYPE_AREA[1] / LINES;
    /// 三号 (5.2.2), by a hundredth smaller than its 16 points, so that 28 characters fill the line (5.2.3).
    pub const TEXT: f32 = TYPE_AREA[0] / CHARACTERS;
    /// 二号 (7.3.1), of the title.
    pub const TITLE: f32 = 22.0;
    /// 四号 (7.4.2, 7.4.3, 7.5), of the end and of page numbers.
    pub const SMALL: f32 = 14.0;
    /// From the type area's upper edge to that of the issuer's sign (7.2.4).
    pub const SIGN_DOWN: f32 = 35.0 * MM;
    /// Largest letters of the issuer's sign: the standard leaves its size to the issuer.
    pub const SIGN_MAX: f32 = 48.0;
    /// From the number to the red line (7.2.7).
    pub const RED_LINE_DOWN: f32 = 4.0 * MM;
    /// From the type area's lower edge to the page number's dashes (7.5).
    pub const PAGE_NUMBER_DOWN: f32 = 7.0 * MM;
    /// First and last line of the end (7.4.1).
    pub const LINE_THICK: f32 = 0.35 * MM;
    /// Lines between (7.4.1).
    pub const LINE_THIN: f32 = 0.25 * MM;
    /// Letters of tables; the standard does not say.
    pub const CELL: f32 = 10.5;
}

/// A piece of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// Its words.
    pub text: String,
    /// Where what it says is seen; `None` for plain words.
    pub link: Option<String>,
    /// The number that it is.
    pub value: Option<f64>,
}

/// A text of pieces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words(pub Vec<Span>);

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self::default().text(text)
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self::default().text(text)
    }
}

impl Words {
    /// Adds plain words.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span {
            text: text.into(),
            link: None,
            value: None,
        });
        self
    }

    /// Adds a figure as it is shown, with its number and the address of its proof.
    #[must_use]
    pub fn figure(mut self, shown: impl Into<String>, value: f64, link: impl Into<String>) -> Self {
        self.0.push(Span {
            text: shown.into(),
            link: Some(link.into()),
            value: Some(value),
        });
        self
    }

    /// Adds words that lead somewhere.
    #[must_use]
    pub fn link(mut self, text: impl Into<String>, link: impl Into<String>) -> Self {
        self.0.push(Span {
            text: text.into(),
            link: Some(link.into()),
            value: None,
        });
        self
    }

    /// The words alone.
    pub fn plain(&self) -> String {
        self.0.iter().map(|span| span.text.as_str()).collect()
    }

    /// The pieces that lead somewhere.
    pub fn links(&self) -> impl Iterator<Item = &Span> {
        self.0.iter().filter(|span| span.link.is_some())
    }

    /// The figure, where it is one alone.
    fn lone_figure(&self) -> Option<&Span> {
        match self.0.as_slice() {
            [span] if span.value.is_some() => Some(span),
            _ => None,
        }
    }
}

/// Which heading (7.3.3): 一、 and （一）.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 一、
    First,
    /// （一）
    Second,
}

/// A table, whose head is repeated on every page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it shows; the name of its sheet.
    pub title: String,
    /// What each column is.
    pub head: Vec<String>,
    /// How wide each column is, in parts of the sum of all.
    pub widths: Vec<u32>,
    /// The rows, as many cells as there are columns.
    pub rows: Vec<Vec<Words>>,
}

impl Table {
    /// The share of the whole width that each column takes.
    pub(crate) fn shares(&self) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "widths are small numbers")]
        let wide = |width: &u32| (*width).max(1) as f32;
        let sum: f32 = self.widths.iter().map(wide).sum();
        self.widths.iter().map(|width| wide(width) / sum).collect()
    }
}

/// One part of the body.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading, with its number.
    Heading(Level, String),
    /// A paragraph.
    Text(Words),
    /// A table.
    Table(Table),
}

/// An official document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Official {
    /// The language of its words.
    pub language: Language,
    /// Whose document it is (发文机关标志), as it stands in red.
    pub sign: String,
    /// Its number (发文字号); `None` for a draft, which says that it is one.
    pub number: Option<String>,
    /// Its title (标题).
    pub title: String,
    /// To whom (主送机关); empty: nobody is named.
    pub to: String,
    /// The body (正文).
    pub blocks: Vec<Block>,
    /// Its attachments (附件说明).
    pub attachments: Vec<String>,
    /// Who signs (发文机关署名).
    pub signed: String,
    /// Of which day (成文日期).
    pub day: Date,
    /// Who else has it (抄送机关); empty: nobody.
    pub copies: String,
    /// Who prints it (印发机关).
    pub printed_by: String,
    /// How many headings of the first level there are, and of the second below the last of them: [`Official::heading`] counts.
    pub headings: [usize; 2],
}

impl Official {
    /// Adds a heading, which takes the next number of its level.
    pub fn heading(&mut self, level: Level, text: impl AsRef<str>) {
        let text = text.as_ref();
        let numbered = match level {
            Level::First => {
                self.headings = [self.headings[0] + 1, 0];
                let n = self.headings[0];
                self.language
                    .pick(format!("{}、{text}", chinese(n)), format!("{n}. {text}"))
            }
            Level::Second => {
                self.headings[1] += 1;
                let [first, n] = self.headings;
                self.language.pick(
                    format!("（{}）{text}", chinese(n)),
                    format!("{first}.{n} {text}"),
                )
            }
        };
        self.blocks.push(Block::Heading(level, numbered));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, words: impl Into<Words>) {
        self.blocks.push(Block::Text(words.into()));
    }

    /// Adds a table; without rows a paragraph that says so.
    pub fn table(
        &mut self,
        title: impl Into<String>,
        columns: &[(&str, u32)],
        rows: Vec<Vec<Words>>,
        none: &str,
    ) {
        if rows.is_empty() {
            self.text(none);
            return;
        }
        self.blocks.push(Block::Table(Table {
            title: title.into(),
            head: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            widths: columns.iter().map(|(_, width)| *width).collect(),
            rows,
        }));
    }

    /// Every text of the body, in order: paragraphs, and cells of tables.
    pub fn words(&self) -> impl Iterator<Item = &Words> {
        self.blocks.iter().flat_map(|block| {
            let (text, rows) = match block {
                Block::Heading(..) => (None, None),
                Block::Text(words) => (Some(words), None),
                Block::Table(table) => (None, Some(table.rows.iter().flatten())),
            };
            text.into_iter().chain(rows.into_iter().flatten())
        })
    }

    /// How many pieces lead somewhere: as many links has every file of it.
    pub fn links(&self) -> usize {
        self.words().map(|words| words.links().count()).sum()
    }

    /// What stands in the place of the number.
    pub(crate) fn number_line(&self) -> String {
        let draft = || self.language.pick("（草稿，未编号）", "(Draft, no number)");
        self.number.clone().unwrap_or_else(|| draft().to_owned())
    }

    /// The day in Arabic digits without leading zeros (7.3.5.4).
    pub(crate) fn day_line(&self) -> String {
        let (year, month, day) = (self.day.year(), self.day.month(), self.day.day());
        self.language.pick(
            format!("{year}年{month}月{day}日"),
            self.day.strftime("%-d %B %Y").to_string(),
        )
    }

    /// The recipients, with the colon that ends them (7.3.2).
    pub(crate) fn to_line(&self) -> Option<String> {
        let colon = self.language.pick("：", ":");
        (!self.to.is_empty()).then(|| format!("{}{colon}", self.to))
    }

    /// The attachments, one a line (7.3.4): a single one has no number.
    pub(crate) fn attachment_lines(&self) -> Vec<String> {
        let word = self.language.pick("附件：", "Attachments: ");
        match self.attachments.as_slice() {
            [] => Vec::new(),
            [one] => vec![format!("{word}{one}")],
            all => all
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    let word = if at == 0 {
                        word
                    } else {
                        self.language.pick("　　　", "")
                    };
                    format!("{word}{}. {name}", at + 1)
                })
                .collect(),
        }
    }

    /// Who else has it, and who printed it when (7.4.2, 7.4.3).
    pub(crate) fn end_lines(&self) -> (Option<String>, String, String) {
        let copies = (!self.copies.is_empty()).then(|| {
            self.language.pick(
                format!("抄送：{}。", self.copies),
                format!("Copies: {}.", self.copies),
            )
        });
        let printed = self.language.pick(
            format!("{}印发", self.day_line()),
            format!("Printed {}", self.day_line()),
        );
        (copies, self.printed_by.clone(), printed)
    }
}

/// A number of a heading in Chinese, 1 to 99.
fn chinese(n: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |n: usize| DIGITS.get(n).copied().unwrap_or_default();
    let (tens, ones) = (n / 10, digit(n % 10));
    match tens {
        0 => ones.to_owned(),
        1 => format!("十{ones}"),
        2..=9 => format!("{}十{ones}", digit(tens)),
        _ => n.to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;

    /// A document with everything that there is: long enough for several pages.
    pub(crate) fn sample(language: Language) -> Official {
        let zh = language == Language::Zh;
        let mut it = Official {
            language,
            sign: language
                .pick("天门市新基建指挥部办公室文件", "Plan Office of Tianmen")
                .into(),
            number: Some("天门新基建办〔2026〕12号".into()),
            title: language
                .pick(
                    "关于2026年10月规划指标和重点项目进展情况的通报",
                    "Circular of October 2026",
                )
                .into(),
            to: language.pick("各成员单位", "All members").into(),
            signed: language
                .pick("天门市新基建指挥部办公室", "Plan Office")
                .into(),
            day: date(2026, 11, 5),
            copies: language.pick("市政府办公室", "City government").into(),
            printed_by: language
                .pick("天门市新基建指挥部办公室", "Plan Office")
                .into(),
            attachments: vec!["甲".into(), "乙".into()],
            ..Official::default()
        };
        it.heading(Level::First, if zh { "总体情况" } else { "Overall" });
        it.text(
            Words::from("全市规划指标共")
                .figure("56", 56.0, "http://city/plan")
                .text("项，其中滞后")
                .figure("3", 3.0, "http://city/plan")
                .text("项。"),
        );
        it.heading(Level::Second, if zh { "滞后指标" } else { "Behind" });
        let rows = (0..90)
            .map(|n| {
                vec![
                    Words::from(format!("第 {n} 项指标的名称比较长，需要换行才能写下")),
                    Words::default().figure(
                        format!("{n}.5"),
                        f64::from(n) + 0.5,
                        format!("http://city/plan/i{n}?a=1&b=2"),
                    ),
                    Words::from("无依据：填报没有写明依据"),
                ]
            })
            .collect();
        it.table(
            "滞后指标表",
            &[("指标", 6), ("现值", 2), ("说明", 4)],
            rows,
            "无",
        );
        it.heading(Level::First, if zh { "下一步" } else { "Next" });
        it.table("空表", &[("甲", 1)], Vec::new(), "没有滞后的项目。");
        it
    }

    #[test]
    fn headings_are_numbered_and_figures_counted() {
        let it = sample(Language::Zh);
        assert_eq!(it.links(), 92);
        let headings = it.blocks.iter().filter_map(|block| match block {
            Block::Heading(_, text) => Some(text.as_str()),
            Block::Text(_) | Block::Table(_) => None,
        });
        assert_eq!(
            headings.collect::<Vec<_>>(),
            ["一、总体情况", "（一）滞后指标", "二、下一步"]
        );
        assert_eq!(it.day_line(), "2026年11月5日");
        assert_eq!(it.to_line().as_deref(), Some("各成员单位："));
        assert_eq!(it.attachment_lines(), ["附件：1. 甲", "　　　2. 乙"]);
        let english = sample(Language::En);
        assert_eq!(english.day_line(), "5 November 2026");
        let numbers = [1, 9, 10, 11, 20, 21, 99, 100].map(chinese);
        assert_eq!(
            numbers,
            ["一", "九", "十", "十一", "二十", "二十一", "九十九", "100"]
        );
        let draft = Official {
            number: None,
            ..sample(Language::Zh)
        };
        assert_eq!(draft.number_line(), "（草稿，未编号）");
    }
}
