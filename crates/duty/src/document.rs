//! A document as its parts, before anything is written: headings, paragraphs and tables, which [`crate::docx`] and
//! [`crate::pdf`] write the same.

use model::Problem;
use model::problem::quote;
use std::str::FromStr;

/// The language that a document is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The one of two wordings that is in this language.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// Its tag (RFC 5646), as files name their language.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

impl FromStr for Language {
    type Err = Problem;

    /// `zh` or `en`.
    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            other => Err(Problem::new(
                "duty-language",
                format!("no report is written in \"{}\"", quote(other)),
                "language",
                "use zh or en",
            )),
        }
    }
}

/// A document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The language of its words, which the file names, and that of what its writer adds.
    pub language: Language,
    /// Its title; also the file's own.
    pub title: String,
    /// Its parts, in order.
    pub blocks: Vec<Block>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph; lines end where it says so.
    Text(String),
    /// A table.
    Table(Table),
}

/// A table with a heading row, which is repeated on every page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What each column is.
    pub head: Vec<String>,
    /// How wide each column is, in parts of the sum of all.
    pub widths: Vec<u32>,
    /// The rows, as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Document {
    /// A document with its title and no part yet.
    pub fn new(language: Language, title: impl Into<String>) -> Self {
        Self {
            language,
            title: title.into(),
            blocks: Vec::new(),
        }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds a table; without rows a paragraph that says so.
    pub fn table(&mut self, columns: &[(&str, u32)], rows: Vec<Vec<String>>, none: &str) {
        if rows.is_empty() {
            self.text(none);
            return;
        }
        self.blocks.push(Block::Table(Table {
            head: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            widths: columns.iter().map(|(_, width)| *width).collect(),
            rows,
        }));
    }
}

impl Table {
    /// The share of the whole width that each column takes.
    pub fn shares(&self) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "widths are small numbers")]
        let wide = |width: u32| width.max(1) as f32;
        let sum: f32 = self.widths.iter().map(|width| wide(*width)).sum();
        self.widths.iter().map(|width| wide(*width) / sum).collect()
    }
}
