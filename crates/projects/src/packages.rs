//! What the plan office publishes for investors (宣传推介): packages of key projects (项目包) and lists of scenarios (场景清单). What is
//! written is checked here; what is told of a project beside it is read from the project when somebody asks.

use crate::check::YEARS;
use jiff::civil::Date;
use model::Told;
use model::problem::both;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Most projects or scenarios of one package.
pub const ENTRIES_MAX: usize = 50;
/// Longest title, name or contact, characters.
pub const TITLE_CHARS_MAX: usize = 120;
/// Longest other text, characters.
pub const WORDS_CHARS_MAX: usize = 2_000;

/// What a package holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PackageKind)]
pub enum Kind {
    /// Key projects (项目包).
    #[default]
    Projects,
    /// Scenarios in which something is to be tried or run (场景清单).
    Scenarios,
}

impl Kind {
    /// The word of tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::Scenarios => "scenarios",
        }
    }
}

/// What is sought of investors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PackageSought)]
pub enum Sought {
    /// Money (资金).
    Capital,
    /// A technology (技术).
    Technology,
    /// Somebody to run it (运营).
    Operator,
    /// A site (场地).
    Site,
}

impl Sought {
    /// The word of tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capital => "capital",
            Self::Technology => "technology",
            Self::Operator => "operator",
            Self::Site => "site",
        }
    }
}

/// One project or scenario of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = PackageEntry)]
pub struct Entry {
    /// The key project, by id; null in a list of scenarios.
    pub project: Option<String>,
    /// The scenario's name in Chinese; empty for a project, which has its own.
    pub name_zh: String,
    /// The scenario's name in English; empty for a project.
    pub name_en: String,
    /// What is sought.
    pub sought: Vec<Sought>,
    /// What is needed and offered, in Chinese.
    pub words_zh: String,
    /// What is needed and offered, in English.
    pub words_en: String,
    /// Whether the project's money is told, by source in total.
    pub with_money: bool,
}

/// What is written of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = PackageContent)]
pub struct Content {
    /// What it holds.
    pub kind: Kind,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What it is about, in Chinese.
    pub summary_zh: String,
    /// What it is about, in English.
    pub summary_en: String,
    /// Its projects or scenarios, in the order in which they are told.
    pub entries: Vec<Entry>,
    /// Which office answers, in Chinese; no person's name.
    pub contact_zh: String,
    /// Which office answers, in English.
    pub contact_en: String,
    /// Up to which day it holds.
    #[schema(value_type = Option<String>)]
    pub valid_until: Option<Date>,
}

impl Content {
    /// Every text that a person wrote.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let own = [
            &self.title_zh,
            &self.title_en,
            &self.summary_zh,
            &self.summary_en,
            &self.contact_zh,
            &self.contact_en,
        ];
        let entries = self.entries.iter().flat_map(|entry| {
            [
                &entry.name_zh,
                &entry.name_en,
                &entry.words_zh,
                &entry.words_en,
            ]
        });
        own.into_iter().chain(entries).map(String::as_str)
    }

    /// Takes the spaces around its texts away.
    pub fn trim(&mut self) {
        let trim = |text: &mut String| *text = text.trim().to_owned();
        for text in [
            &mut self.title_zh,
            &mut self.title_en,
            &mut self.summary_zh,
            &mut self.summary_en,
            &mut self.contact_zh,
            &mut self.contact_en,
        ] {
            trim(text);
        }
        for entry in &mut self.entries {
            trim(&mut entry.name_zh);
            trim(&mut entry.name_en);
            trim(&mut entry.words_zh);
            trim(&mut entry.words_en);
            entry.sought.sort_unstable();
            entry.sought.dedup();
        }
    }

    /// Whether it can be kept, on a day of the city's calendar.
    ///
    /// # Errors
    /// The first thing that is wrong: what, where and how to mend it, in both languages.
    pub fn check(&self, today: Date) -> Result<(), Told> {
        text("title_zh", "中文标题", &self.title_zh, TITLE_CHARS_MAX)?;
        text("title_en", "英文标题", &self.title_en, TITLE_CHARS_MAX)?;
        text("summary_zh", "中文简介", &self.summary_zh, WORDS_CHARS_MAX)?;
        text("summary_en", "英文简介", &self.summary_en, WORDS_CHARS_MAX)?;
        text(
            "contact_zh",
            "中文联系方式",
            &self.contact_zh,
            TITLE_CHARS_MAX,
        )?;
        text(
            "contact_en",
            "英文联系方式",
            &self.contact_en,
            TITLE_CHARS_MAX,
        )?;
        let is_to_come = |day: Date| day >= today && day.year() <= YEARS[1];
        if !self.valid_until.is_some_and(is_to_come) {
            return Err(Told::new(
                "package-valid",
                both(
                    "没有有效期，或有效期已过",
                    "it says no day up to which it holds, or one that is over",
                ),
                both("有效期", "valid_until"),
                both("请选择今天或以后的日期", "choose today or a later day"),
            ));
        }
        if self.entries.is_empty() || self.entries.len() > ENTRIES_MAX {
            let n = self.entries.len();
            return Err(Told::new(
                "package-entries",
                both(format!("有 {n} 项"), format!("it has {n} entries")),
                both("项目或场景", "entries"),
                both(
                    format!("请列出 1 到 {ENTRIES_MAX} 项"),
                    format!("list 1 to {ENTRIES_MAX}"),
                ),
            ));
        }
        let mut seen = BTreeSet::new();
        for (n, entry) in self.entries.iter().enumerate() {
            self.check_entry(n, entry)?;
            let key = entry.project.as_deref().unwrap_or(&entry.name_zh);
            if !seen.insert(key) {
                return Err(wrong(
                    n,
                    "package-twice",
                    ["重复", "it is there twice"],
                    ["请合并为一项", "make one of both"],
                ));
            }
        }
        Ok(())
    }

    fn check_entry(&self, n: usize, entry: &Entry) -> Result<(), Told> {
        let is_project = self.kind == Kind::Projects;
        if is_project != entry.project.is_some() {
            return Err(wrong(
                n,
                "package-entry",
                [
                    "项目包的每一项是一个重点项目，场景清单的每一项不是",
                    "an entry of a package is a key project, one of a list of scenarios is none",
                ],
                [
                    "请选择项目，或改成场景清单并填写名称",
                    "choose a project, or make it a list of scenarios and write names",
                ],
            ));
        }
        if !is_project && entry.with_money {
            return Err(wrong(
                n,
                "package-entry",
                ["场景没有资金", "a scenario has no money of its own"],
                ["请去掉资金一项", "leave the money out"],
            ));
        }
        if entry.sought.is_empty() {
            return Err(wrong(
                n,
                "package-sought",
                ["没有写明寻求什么", "it does not say what is sought"],
                [
                    "请从资金、技术、运营、场地中选择",
                    "choose of capital, technology, operator and site",
                ],
            ));
        }
        if !is_project {
            text(
                &format!("entries.{n}.name_zh"),
                &format!("第 {} 项中文名称", n + 1),
                &entry.name_zh,
                TITLE_CHARS_MAX,
            )?;
            text(
                &format!("entries.{n}.name_en"),
                &format!("第 {} 项英文名称", n + 1),
                &entry.name_en,
                TITLE_CHARS_MAX,
            )?;
        }
        text(
            &format!("entries.{n}.words_zh"),
            &format!("第 {} 项中文说明", n + 1),
            &entry.words_zh,
            WORDS_CHARS_MAX,
        )?;
        text(
            &format!("entries.{n}.words_en"),
            &format!("第 {} 项英文说明", n + 1),
            &entry.words_en,
            WORDS_CHARS_MAX,
        )
    }
}

fn wrong(n: usize, code: &str, what: [&str; 2], mend: [&str; 2]) -> Told {
    Told::new(
        code,
        both(what[0], what[1]),
        both(format!("第 {} 项", n + 1), format!("entries.{n}")),
        both(mend[0], mend[1]),
    )
}

fn text(place_en: &str, place_zh: &str, written: &str, chars_max: usize) -> Result<(), Told> {
    let chars = written.trim().chars().count();
    if (1..=chars_max).contains(&chars) {
        return Ok(());
    }
    Err(Told::new(
        "package-text",
        both(
            format!("有 {chars} 个字"),
            format!("it has {chars} characters"),
        ),
        both(place_zh, place_en),
        both(
            format!("请写 1 到 {chars_max} 个字"),
            format!("write 1 to {chars_max} characters"),
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 6, 15);

    fn package() -> Content {
        Content {
            kind: Kind::Projects,
            title_zh: "水利项目包".into(),
            title_en: "Water projects".into(),
            summary_zh: "简介".into(),
            summary_en: "Summary".into(),
            entries: vec![Entry {
                project: Some("smart-water".into()),
                sought: vec![Sought::Operator, Sought::Capital, Sought::Capital],
                words_zh: "运营伙伴".into(),
                words_en: "Somebody to run it".into(),
                ..Entry::default()
            }],
            contact_zh: "市发改委投资科 0728-5220000".into(),
            contact_en: "Development and Reform Commission".into(),
            valid_until: Some(TODAY),
        }
    }

    fn refused(change: impl FnOnce(&mut Content)) -> Option<(String, String)> {
        let mut content = package();
        change(&mut content);
        let told = content.check(TODAY).err()?;
        Some((told.code, told.place.en))
    }

    #[test]
    fn a_whole_package_is_taken_and_what_lacks_is_told_with_its_place() {
        assert_eq!(refused(|_| {}), None);
        let is = |code: &str, place: &str| Some((code.to_owned(), place.to_owned()));
        assert_eq!(
            refused(|c| c.title_en = " ".into()),
            is("package-text", "title_en")
        );
        assert_eq!(
            refused(|c| c.summary_zh = "长".repeat(WORDS_CHARS_MAX + 1)),
            is("package-text", "summary_zh")
        );
        assert_eq!(
            refused(|c| c.valid_until = Some(date(2026, 6, 14))),
            is("package-valid", "valid_until")
        );
        assert_eq!(
            refused(|c| c.valid_until = None),
            is("package-valid", "valid_until")
        );
        assert_eq!(
            refused(|c| c.entries.clear()),
            is("package-entries", "entries")
        );
        assert_eq!(
            refused(|c| c.entries[0].project = None),
            is("package-entry", "entries.0")
        );
        assert_eq!(
            refused(|c| c.entries[0].sought.clear()),
            is("package-sought", "entries.0")
        );
        assert_eq!(
            refused(|c| c.entries[0].words_en.clear()),
            is("package-text", "entries.0.words_en")
        );
        assert_eq!(
            refused(|c| c.entries.push(c.entries[0].clone())),
            is("package-twice", "entries.1")
        );
        // A scenario has names and no money of its own.
        let scenario = |c: &mut Content| {
            c.kind = Kind::Scenarios;
            c.entries[0].project = None;
            c.entries[0].name_zh = "堤防巡检无人机".into();
            c.entries[0].name_en = "Drones on the dikes".into();
        };
        assert_eq!(refused(scenario), None);
        assert_eq!(
            refused(|c| {
                scenario(c);
                c.entries[0].with_money = true;
            }),
            is("package-entry", "entries.0")
        );
    }

    #[test]
    fn texts_are_trimmed_and_all_of_them_are_looked_through() {
        let mut content = package();
        content.title_zh = "  水利项目包\n".into();
        content.trim();
        assert_eq!(content.title_zh, "水利项目包");
        assert_eq!(
            content.entries[0].sought,
            [Sought::Capital, Sought::Operator]
        );
        assert_eq!(content.texts().count(), 10);
        assert!(content.texts().any(|text| text == "运营伙伴"));
    }
}
