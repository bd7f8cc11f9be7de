//! The catalogue of what a city looks after (部件和事件分类, GB/T 30428.2): classes of parts and of events, and for each minor
//! class who answers for it, how long handling may take and when the case may be closed. Data of packs; a case whose
//! `category` is a code of the catalogue follows its workflow with its limits.
//!
//! A code is one letter and four digits: `B` for 部件 or `S` for 事件, the major class (大类, two digits), the minor class
//! (小类, two digits). The standard gives parts and events the same digits, the letter tells them apart.

use crate::step::Step;
use crate::workflow::Workflow;
use model::Problem;
use model::calendar::{ALWAYS, Calendars};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Longest handling time that a class may give, in minutes of its workflow's calendar: a year of all hours.
pub const MINUTES_MAX: u32 = 366 * 24 * 60;

/// Whether a class is of things or of happenings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassKind {
    /// A managed part (部件): a thing that stands in the city and is counted.
    Part,
    /// An event (事件): something that people do or that happens.
    Event,
}

impl ClassKind {
    /// The letter that codes begin with: 部件 B, 事件 S.
    pub const fn letter(self) -> char {
        match self {
            Self::Part => 'B',
            Self::Event => 'S',
        }
    }
}

/// One file of a pack's `categories/`: a major class (大类) with its minor classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MajorClass {
    /// Parts or events.
    pub kind: ClassKind,
    /// The major class, two digits.
    pub code: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Where the classes and the limits come from, in words.
    pub source: String,
    /// The workflow that its cases follow; the city's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Its minor classes (小类).
    #[serde(rename = "minor")]
    pub minors: Vec<MinorClass>,
}

/// A minor class (小类).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinorClass {
    /// The minor class, two digits.
    pub code: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The department that answers for it (责任部门), by its id in the city profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// When a case of it is filed (立案条件), in Chinese.
    pub files_zh: String,
    /// The same in English.
    pub files_en: String,
    /// When it may be closed (结案条件), in Chinese.
    pub closes_zh: String,
    /// The same in English.
    pub closes_en: String,
    /// How long handling may take (处置时限), in minutes of the workflow's calendar.
    pub minutes: u32,
    /// The working calendar in which its cases' clocks run, when it is not the workflow's: `always` for what cannot wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whether people report it through open doors such as Open311.
    #[serde(default)]
    pub public: bool,
    /// The rules whose alerts are of this class: a case from such an alert has it without anybody saying so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// A minor class with everything that holds for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Category {
    /// Its code, such as `B0101`.
    pub code: String,
    /// Parts or events.
    pub kind: ClassKind,
    /// Code of the major class, such as `B01`.
    pub major: String,
    /// Title of the major class in Chinese.
    pub major_zh: String,
    /// The same in English.
    pub major_en: String,
    /// The workflow that its cases follow.
    pub workflow: Option<String>,
    /// The minor class.
    #[serde(flatten)]
    pub class: MinorClass,
}

/// All classes of a city, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue(BTreeMap<String, Category>);

fn is_two_digits(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A mistake in a file of classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key's path: `minor`, `2`, `code`.
    pub keys: Vec<String>,
    /// Short stable code.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: &'static str,
}

impl MajorClass {
    /// What its cases are called by: letter and digits.
    fn code_of(&self, minor: &MinorClass) -> String {
        format!("{}{}{}", self.kind.letter(), self.code, minor.code)
    }

    /// Its minor classes as they stand in the catalogue.
    pub fn categories(&self) -> impl Iterator<Item = Category> + '_ {
        self.minors.iter().map(|minor| Category {
            code: self.code_of(minor),
            kind: self.kind,
            major: format!("{}{}", self.kind.letter(), self.code),
            major_zh: self.title_zh.clone(),
            major_en: self.title_en.clone(),
            workflow: self.workflow.clone(),
            class: minor.clone(),
        })
    }

    /// What is wrong with it by itself.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let mut say = |keys: &[&str], code: &'static str, what: String, mend: &'static str| {
            found.push(Mistake {
                keys: keys.iter().map(|key| (*key).to_owned()).collect(),
                code,
                what,
                mend,
            });
        };
        let digits = "write two digits, such as 01";
        if !is_two_digits(&self.code) {
            let what = format!(
                "\"{}\" is no major class",
                model::problem::quote(&self.code)
            );
            say(&["code"], "category-code", what, digits);
        }
        if self.minors.is_empty() {
            say(
                &["code"],
                "category-none",
                "the class has no minor class".to_owned(),
                "add a [[minor]]",
            );
        }
        let mut codes = std::collections::BTreeSet::new();
        for (n, minor) in self.minors.iter().enumerate() {
            let n = n.to_string();
            let code = model::problem::quote(&minor.code);
            if !is_two_digits(&minor.code) {
                let what = format!("\"{code}\" is no minor class");
                say(&["minor", &n, "code"], "category-code", what, digits);
            }
            if !codes.insert(minor.code.as_str()) {
                let what = format!("the minor class {code} is there twice");
                say(
                    &["minor", &n, "code"],
                    "category-twice",
                    what,
                    "give one of them another code",
                );
            }
            if minor.minutes == 0 || minor.minutes > MINUTES_MAX {
                let what = format!("{} min are no handling time", minor.minutes);
                say(
                    &["minor", &n, "minutes"],
                    "category-minutes",
                    what,
                    "give at least 1 minute and at most 527,040 (a year)",
                );
            }
        }
        found
    }
}

impl Catalogue {
    /// The catalogue of these classes. Of two with one code the later holds: packs are checked against that before.
    pub fn new<'a>(classes: impl IntoIterator<Item = &'a MajorClass>) -> Self {
        Self(
            classes
                .into_iter()
                .flat_map(MajorClass::categories)
                .map(|category| (category.code.clone(), category))
                .collect(),
        )
    }

    /// The class of a code.
    pub fn get(&self, code: &str) -> Option<&Category> {
        self.0.get(code)
    }

    /// All classes, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Category> {
        self.0.values()
    }

    /// The class that alerts of a rule are of.
    pub fn of_rule(&self, rule_id: &str) -> Option<&Category> {
        self.iter()
            .find(|category| category.class.rules.iter().any(|rule| rule == rule_id))
    }

    /// Whether every workflow and calendar that a class names is there.
    ///
    /// # Errors
    /// `category-workflow`; what the calendars say of one that they do not have.
    pub fn check(
        &self,
        is_workflow: &dyn Fn(&str) -> bool,
        calendars: &Calendars,
    ) -> Result<(), Problem> {
        for category in self.iter() {
            let place = || format!("the class {}", category.code);
            if let Some(workflow) = &category.workflow
                && !is_workflow(workflow)
            {
                return Err(Problem::new(
                    "category-workflow",
                    format!(
                        "no pack brings the workflow {}",
                        model::problem::quote(workflow)
                    ),
                    place(),
                    "add the pack that brings it, or name another",
                ));
            }
            if let Some(calendar) = &category.class.calendar {
                calendars.get(calendar).map_err(|p| Problem {
                    place: place(),
                    ..p
                })?;
            }
        }
        Ok(())
    }
}

impl Workflow {
    /// The workflow with the limits of a class: work may take the class's minutes, and the whole case the minutes of all
    /// states on its way; and in all hours where the severity cannot wait. A case keeps the definition that it was opened with, so
    /// that its limits stay as they were.
    pub(crate) fn limited(&self, category: Option<&Category>, severity: &str) -> Cow<'_, Self> {
        let mut own = category.map_or(Cow::Borrowed(self), |class| {
            Cow::Owned(self.of_class(class))
        });
        if self.always_for.iter().any(|word| word == severity) {
            let own = own.to_mut();
            ALWAYS.clone_into(&mut own.calendar);
            own.states
                .iter_mut()
                .for_each(|state| state.calendar = None);
        }
        own
    }

    fn of_class(&self, category: &Category) -> Self {
        let mut own = self.clone();
        if let Some(calendar) = &category.class.calendar {
            own.calendar.clone_from(calendar);
        }
        let mut whole: u32 = 0;
        for state in own.states.iter_mut().filter(|s| !s.r#final) {
            if self.step_of(state) == Step::Handle && state.minutes.is_some() {
                state.minutes = Some(category.class.minutes);
            }
            if !state.aside {
                whole = whole.saturating_add(state.minutes.unwrap_or_default());
            }
        }
        if own.case_minutes.is_some() {
            own.case_minutes = Some(whole);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class() -> MajorClass {
        toml::from_str(
            "kind = \"part\"\ncode = \"01\"\ntitle_zh = \"公用设施\"\ntitle_en = \"Utilities\"\nsource = \"x\"\n\
             [[minor]]\ncode = \"02\"\ntitle_zh = \"污水井盖\"\ntitle_en = \"Sewer cover\"\nfiles_zh = \"缺失\"\n\
             files_en = \"missing\"\ncloses_zh = \"复位\"\ncloses_en = \"in place\"\nminutes = 240\nrules = [\"moved\"]\n",
        )
        .unwrap()
    }

    #[test]
    fn a_code_tells_parts_from_events_and_a_rule_finds_its_class() {
        let all = Catalogue::new([&class()]);
        assert_eq!(all.get("B0102").unwrap().class.minutes, 240);
        assert_eq!(all.get("S0102"), None);
        assert_eq!(all.of_rule("moved").unwrap().code, "B0102");
        assert_eq!(all.of_rule("other"), None);
    }

    #[test]
    fn mistakes_are_told_with_their_keys() {
        let mut bad = class();
        bad.code = "1".to_owned();
        let minor = bad.minors[0].clone();
        bad.minors.push(MinorClass {
            minutes: 0,
            ..minor
        });
        let codes: Vec<_> = bad
            .mistakes()
            .iter()
            .map(|m| (m.code, m.keys.join(".")))
            .collect();
        assert_eq!(
            codes,
            [
                ("category-code", "code".to_owned()),
                ("category-twice", "minor.1.code".to_owned()),
                ("category-minutes", "minor.1.minutes".to_owned()),
            ]
        );
    }

    #[test]
    fn the_limits_of_a_class_replace_the_handling_time_and_the_whole() {
        let standard = Workflow::standard().unwrap();
        let all = Catalogue::new([&class()]);
        let own = standard.limited(all.get("B0102"), "minor");
        assert_eq!(own.state("handling").unwrap().minutes, Some(240));
        assert_eq!(own.state("dispatched").unwrap().minutes, Some(60));
        // 30 + 30 + 60 + 240 + 120 + 60
        assert_eq!(own.case_minutes, Some(540));
        assert_eq!(standard.limited(None, "minor").as_ref(), &standard);
    }

    #[test]
    fn what_cannot_wait_counts_all_hours_whatever_its_class_says() {
        let mut workflow = Workflow::standard().unwrap();
        workflow.states[0].calendar = Some("working-hours".to_owned());
        let mut class = class();
        class.minors[0].calendar = Some("working-hours".to_owned());
        let all = Catalogue::new([&class]);
        for (severity, calendars) in [("minor", &["working-hours"][..]), ("major", &["always"])] {
            let own = workflow.limited(all.get("B0102"), severity);
            assert_eq!(own.calendars().into_iter().collect::<Vec<_>>(), calendars);
            assert_eq!(own.state("handling").unwrap().minutes, Some(240));
        }
    }
}
