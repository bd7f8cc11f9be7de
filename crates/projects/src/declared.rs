//! The projects that the plan's boxes (专栏) list, as a pack declares them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `projects.toml`: the projects of the plan, one `[[project]]` each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredFile {
    /// Them all, in the order of the plan.
    #[serde(rename = "project", default)]
    pub all: Vec<Declared>,
}

/// A project of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Stable id, kebab case.
    pub id: String,
    /// The number of the box (专栏) that lists it.
    #[serde(rename = "box")]
    pub plan_box: u8,
    /// Its name in Chinese, the plan's own.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// The plan's own words, its name included.
    pub quote: String,
    /// The system of the plan that it builds, such as `S28`.
    pub system: String,
    /// Ids of the indicators that it serves.
    #[serde(default)]
    pub indicators: Vec<String>,
}

/// What is wrong with one declared project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The place of the project in the file, from 0.
    pub at: usize,
    /// The key that is wrong.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// What mends it.
    pub mend: &'static str,
}

/// What is wrong among declared projects: an id twice or of other letters than kebab case has, a box that there is not, and
/// an indicator or a system that the plan does not have.
pub fn mistakes(
    all: &[Declared],
    has_indicator: impl Fn(&str) -> bool,
    has_system: impl Fn(&str) -> bool,
) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    for (at, project) in all.iter().enumerate() {
        let mut say = |key, what: String, mend| {
            found.push(Mistake {
                at,
                key,
                what,
                mend,
            });
        };
        if !is_id(&project.id) {
            say(
                "id",
                format!("\"{}\" is no id of a project", project.id),
                "use small letters, digits and hyphens, beginning with a letter",
            );
        } else if !ids.insert(project.id.as_str()) {
            say(
                "id",
                format!("the project \"{}\" is there twice", project.id),
                "give each project an id of its own",
            );
        }
        if project.plan_box == 0 {
            say(
                "box",
                "there is no box 0".to_owned(),
                "write the number of the box (专栏)",
            );
        }
        if !project.quote.starts_with(&project.name_zh) {
            say(
                "quote",
                "the plan's words do not begin with the project's name".to_owned(),
                "copy the plan's words from the name on",
            );
        }
        for id in project.indicators.iter().filter(|id| !has_indicator(id)) {
            say(
                "indicators",
                format!("there is no indicator \"{id}\""),
                "name an indicator of this pack",
            );
        }
        if !has_system(&project.system) {
            say(
                "system",
                format!("the plan has no system \"{}\"", project.system),
                "name a system of plan.toml",
            );
        }
    }
    found
}

/// Whether a text can be a project's id: kebab case, 1 to 60 letters.
pub fn is_id(text: &str) -> bool {
    const CHARS_MAX: usize = 60;
    let letters = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    text.len() <= CHARS_MAX
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Declared> {
        toml::from_str::<DeclaredFile>(text).unwrap().all
    }

    const GOOD: &str = "[[project]]\nid = 'smart-gas'\nbox = 2\nname_zh = '智慧燃气'\nname_en = 'Gas'\nquote = '智慧燃气:管道'\nsystem = 'S22'\nindicators = ['i']\n";

    #[test]
    fn what_is_right_has_no_mistakes() {
        assert_eq!(
            mistakes(&read(GOOD), |id| id == "i", |id| id == "S22"),
            Vec::new()
        );
    }

    #[test]
    fn each_mistake_is_told_with_its_key() {
        let twice = format!("{GOOD}{}", GOOD.replace("box = 2", "box = 0"));
        let twice = twice.replacen("quote = '智慧燃气", "quote = '燃气", 1);
        let found = mistakes(&read(&twice), |_| false, |_| false);
        let keys: Vec<_> = found.iter().map(|m| (m.at, m.key)).collect();
        assert_eq!(
            keys,
            [
                (0, "quote"),
                (0, "indicators"),
                (0, "system"),
                (1, "id"),
                (1, "box"),
                (1, "indicators"),
                (1, "system"),
            ]
        );
        for bad in ["", "A", "1a", "a b", "a_b", &"a".repeat(61)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
