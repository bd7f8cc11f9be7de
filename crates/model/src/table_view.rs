//! Tables that packs declare as SQL over the city's data (数据表视图), such as those of a national table layout. What a view reads,
//! and whether it plans, is found where SQL is known: the lake.

use serde::{Deserialize, Serialize};

/// A view of SQL that a pack declares in `tables/NAME.sql`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// Its name in SQL: the file's.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The standard that lays the table out, with the number of its table or clause; or where else the columns come from.
    pub source: String,
    /// Its columns, in order: those that the statement gives.
    pub columns: Vec<ViewColumn>,
    /// The statement.
    pub sql: String,
    /// The line of the file on which the statement begins, from 1.
    pub sql_line: usize,
    /// What it reads, by name: entity types, their current values, history, and views that stand before it in the catalogue.
    pub reads: Vec<String>,
    /// How files with its columns come in, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<TableIntake>,
}

/// The way in of a declared table: each row of a file with its columns says something of one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableIntake {
    /// Of which types the entity may be; where several types have the key, the first of these.
    pub types: Vec<String>,
    /// The column that says which entity it is.
    pub key: String,
    /// The text attribute of the entity that is equal to it.
    pub key_attribute: String,
    /// The column that says when it was so; a register has none, and is of the moment when it comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<IntakeTime>,
    /// What is taken of a row.
    pub values: Vec<IntakeValue>,
}

/// The column of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeTime {
    /// Its name.
    pub column: String,
    /// How far the clock that it shows is ahead of UTC, in seconds.
    pub utc_offset_seconds: i64,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeValue {
    /// The column; of a point longitude and latitude.
    pub columns: Vec<String>,
    /// The attribute that it becomes, of those of the types that have it.
    pub attribute: String,
    /// The UN/CEFACT code of the unit that the column's numbers are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Only in rows in which another column has this value: the column and the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_where: Option<(String, String)>,
}

/// A column of a declared view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ViewColumnKind,
    /// The unit of its numbers, as the source writes it: `m`, `m³/s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it means, in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// Whether the platform has nothing for it: every row has NULL there.
    #[serde(default)]
    pub empty: bool,
}

/// What a column of a declared view holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewColumnKind {
    /// Text.
    Text,
    /// A 64-bit floating point number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A moment.
    Time,
    /// What a clock shows, without its zone.
    Clock,
    /// JSON.
    Json,
}

impl ViewColumnKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Number,
        Self::Integer,
        Self::Boolean,
        Self::Time,
        Self::Clock,
        Self::Json,
    ];

    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::Clock => "clock",
            Self::Json => "json",
        }
    }

    /// The kind of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
