//! Bulletins (简报): what a department tells of its field on one or two sheets, from statements over the city's data. Declared in
//! `bulletins/*.toml`; whoever asks for one sees in it what they may see.

use crate::document::Document;
use crate::packs::Packs;
use model::Problem;
use model::problem::quote;
use serde::{Deserialize, Serialize};

/// Most sections of a bulletin.
pub const SECTIONS_MAX: usize = 20;
/// Most columns of a section.
pub const COLUMNS_MAX: usize = 16;
/// Most decimals of a number.
const DECIMALS_MAX: u8 = 6;
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// A bulletin as a pack declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulletin {
    /// Unique in the city: small letters, digits and `-`. The file has the same name.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Place among all bulletins; lower comes first.
    #[serde(default)]
    pub order: u32,
    /// Its sections, in order.
    pub sections: Vec<Section>,
}

/// A part of a bulletin with a heading: a table, or sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Heading in Chinese.
    pub title_zh: String,
    /// Heading in English.
    pub title_en: String,
    /// The statement; `$1` is the moment of which the bulletin tells.
    pub sql: String,
    /// A sentence in Chinese for each row, with `{column}` in the places of values and `{at}` for the moment; a table when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_zh: Option<String>,
    /// The same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_en: Option<String>,
    /// What it says in Chinese when there are no rows.
    pub none_zh: String,
    /// The same in English.
    pub none_en: String,
    /// The statement's columns that are told.
    pub columns: Vec<Column>,
}

/// A column of a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The statement's column.
    pub name: String,
    /// The statement's column for a bulletin in English, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// What it is, in Chinese, with its unit; not needed in sentences.
    #[serde(default)]
    pub title_zh: String,
    /// The same in English.
    #[serde(default)]
    pub title_en: String,
    /// How wide it is, in parts of the sum of all (default 1).
    #[serde(default = "one")]
    pub width: u32,
    /// How many decimals its numbers have; as they are when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Whether its numbers carry their sign: a rise is `+0.12`.
    #[serde(default)]
    pub signed: bool,
}

const fn one() -> u32 {
    1
}

/// The names in braces of a sentence.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

impl Bulletin {
    /// What is wrong with it: each problem names its key as its place.
    fn mistakes(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |key: String, what: String, mend: &str| {
            problems.push(Problem::new("bulletin", what, key, mend));
        };
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 100 || !self.id.chars().all(is_word) {
            let what = format!("{} is no id", quote(&self.id));
            wrong("id".to_owned(), what, "use small letters, digits and -");
        }
        let mut title = |key: String, text: &str| {
            if !(1..=TITLE_CHARS_MAX).contains(&text.trim().chars().count()) {
                let what = "the words are missing, or too many".to_owned();
                wrong(key, what, "say it in a few words");
            }
        };
        title("title_zh".to_owned(), &self.title_zh);
        title("title_en".to_owned(), &self.title_en);
        for (n, section) in self.sections.iter().enumerate() {
            for (key, text) in [
                ("title_zh", &section.title_zh),
                ("title_en", &section.title_en),
                ("none_zh", &section.none_zh),
                ("none_en", &section.none_en),
            ] {
                title(format!("sections.{n}.{key}"), text);
            }
            let is_table = section.text_zh.is_none();
            for (m, column) in section.columns.iter().enumerate().filter(|_| is_table) {
                title(
                    format!("sections.{n}.columns.{m}.title_zh"),
                    &column.title_zh,
                );
                title(
                    format!("sections.{n}.columns.{m}.title_en"),
                    &column.title_en,
                );
            }
        }
        if !(1..=SECTIONS_MAX).contains(&self.sections.len()) {
            let what = format!("it has {} sections", self.sections.len());
            wrong("sections".to_owned(), what, "give 1 to 20");
        }
        for (n, section) in self.sections.iter().enumerate() {
            let at = |key: &str| format!("sections.{n}.{key}");
            if section.sql.trim().is_empty() {
                wrong(
                    at("sql"),
                    "the statement is empty".to_owned(),
                    "write a SELECT",
                );
            }
            if !(1..=COLUMNS_MAX).contains(&section.columns.len()) {
                let what = format!("it tells {} columns", section.columns.len());
                wrong(at("columns"), what, "give 1 to 16");
            }
            if section.text_zh.is_some() != section.text_en.is_some() {
                let what = "the sentence is there in one language only".to_owned();
                wrong(at("text_zh"), what, "write it in both, or in none");
            }
            for (key, text) in [("text_zh", &section.text_zh), ("text_en", &section.text_en)] {
                for name in text.iter().flat_map(|text| named(text)) {
                    let known = section.columns.iter().any(|column| column.name == name);
                    if !known && name != "at" {
                        let what = format!("there is no column {}", quote(name));
                        wrong(at(key), what, "name it under columns");
                    }
                }
            }
            for (m, column) in section.columns.iter().enumerate() {
                if column
                    .decimals
                    .is_some_and(|decimals| decimals > DECIMALS_MAX)
                {
                    let what = "nothing is measured to so many decimals".to_owned();
                    wrong(at(&format!("columns.{m}.decimals")), what, "give at most 6");
                }
            }
        }
        problems
    }
}

/// Every mistake of a bulletin, with its line.
pub(crate) fn mistakes(bulletin: &Bulletin, document: &Document) -> Vec<Problem> {
    let mut problems = bulletin.mistakes();
    for problem in &mut problems {
        problem.place = document.at_dotted(&problem.place);
    }
    if bulletin.id != document.stem() {
        problems.push(Problem::new(
            "bulletin",
            format!(
                "the bulletin calls itself {}, its file is {}",
                quote(&bulletin.id),
                quote(document.stem())
            ),
            document.at(&["id"]),
            "give both the same name",
        ));
    }
    problems
}

impl Packs {
    /// Every bulletin in order, each with the name of its pack.
    pub fn bulletins(&self) -> Vec<(&str, &Bulletin)> {
        let of_pack = self.packs.iter().flat_map(|pack| {
            let name = pack.manifest.name.as_str();
            pack.bulletins.iter().map(move |bulletin| (name, bulletin))
        });
        let mut all: Vec<_> = of_pack.collect();
        all.sort_by(|(_, a), (_, b)| (a.order, &a.id).cmp(&(b.order, &b.id)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_a_bulletin_is_told_with_its_key() {
        let text = r#"
            id = "Water"
            title_zh = "水情简报"
            title_en = ""
            [[sections]]
            title_zh = "概况"
            title_en = "In short"
            text_zh = "截至{at}，{stations}站"
            text_en = "By {at}, {stations} of {all} stations"
            none_zh = "无"
            none_en = "none"
            sql = " "
            [[sections.columns]]
            name = "stations"
            decimals = 9
            [[sections]]
            title_zh = "水位"
            title_en = "Stages"
            none_zh = "无"
            none_en = "none"
            sql = "SELECT 1 AS one"
            [[sections.columns]]
            name = "one"
        "#;
        let bulletin: Bulletin = toml::from_str(text).unwrap();
        let places: Vec<String> = bulletin.mistakes().into_iter().map(|p| p.place).collect();
        let keys = [
            "id",
            "title_en",
            "sections.1.columns.0.title_zh",
            "sections.1.columns.0.title_en",
            "sections.0.sql",
            "sections.0.text_en",
            "sections.0.columns.0.decimals",
        ];
        assert_eq!(places, keys);
    }
}
