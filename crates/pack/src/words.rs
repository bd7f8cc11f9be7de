//! What the values of an attribute are called: `[Type.attribute]` of `strings/`, one word for each value, in both languages.

use crate::declare::Choice;
use crate::load::Pack;
use crate::packs::Packs;
use model::{EntityKind, ValueKind};
use std::collections::BTreeMap;

/// Words by key, in Chinese and in English.
type Words<'a> = (&'a BTreeMap<String, String>, &'a BTreeMap<String, String>);

/// The values of an attribute that have a word, by value.
fn of((zh, en): Words<'_>, kind: &str, attribute: &str) -> Vec<Choice> {
    let before = format!("{kind}.{attribute}.");
    let named = zh.range(before.clone()..);
    let named = named.map_while(|(key, word)| Some((key.strip_prefix(&before)?, key, word)));
    named
        .map(|(value, key, word)| Choice {
            value: value.to_owned(),
            title_zh: word.clone(),
            title_en: en.get(key).cloned().unwrap_or_default(),
        })
        .collect()
}

impl Pack {
    /// The values of an attribute that have a word.
    pub(crate) fn words(&self, kind: &str, attribute: &str) -> Vec<Choice> {
        of((&self.strings_zh, &self.strings_en), kind, attribute)
    }
}

impl Packs {
    /// The values of an attribute that have a word: what people read in place of the value as it is stored.
    pub fn words(&self, kind: &str, attribute: &str) -> Vec<Choice> {
        of((&self.strings_zh, &self.strings_en), kind, attribute)
    }

    /// Values to choose from with what they are called: their own titles, else the attribute's words.
    pub fn titled(&self, choices: &[Choice], kind: &str, attribute: &str) -> Vec<Choice> {
        let words = self.words(kind, attribute);
        let titled = choices.iter().map(|choice| {
            let word = words.iter().find(|word| word.value == choice.value);
            word.filter(|_| choice.is_untitled())
                .unwrap_or(choice)
                .clone()
        });
        titled.collect()
    }
}

/// What is wrong with the key of a word: it looks like one of a value, and nothing has that value. Code, what, mend.
pub(crate) fn mistake(
    key: &str,
    kinds: &[EntityKind],
) -> Option<(&'static str, String, &'static str)> {
    let mut parts = key.splitn(3, '.');
    let (kind, attribute, value) = (parts.next()?, parts.next()?, parts.next()?);
    let Some(declared) = kinds.iter().find(|declared| declared.name == kind) else {
        // Words of other things are in small letters.
        return kind.starts_with(char::is_uppercase).then(|| {
            (
                "string-type",
                format!("the pack declares no entity type {kind}"),
                "name one of the entities folder, or begin the key with a small letter",
            )
        });
    };
    match declared.attributes.get(attribute).map(|a| a.value) {
        None => Some((
            "string-attribute",
            format!("{kind} has no attribute {attribute}"),
            "name a declared attribute",
        )),
        Some(ValueKind::Text) => None,
        Some(ValueKind::Boolean) if matches!(value, "true" | "false") => None,
        Some(ValueKind::Boolean) => Some((
            "string-value",
            format!("{attribute} is yes or no, never {value}"),
            "write true and false",
        )),
        Some(_) => Some((
            "string-value",
            format!("{attribute} is neither text nor yes or no: its values have no words"),
            "take the words away",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, word): &(&str, &str)| ((*key).to_owned(), (*word).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn words_are_those_of_the_attribute_alone_and_titles_of_ones_own_come_first() {
        let choice = |value: &str, zh: &str, en: &str| Choice {
            value: value.to_owned(),
            title_zh: zh.to_owned(),
            title_en: en.to_owned(),
        };
        let packs = Packs {
            strings_zh: strings(&[
                ("Lamp.state.off", "灭"),
                ("Lamp.state.on", "亮"),
                ("Lamp.state.v1.0", "旧"),
                ("Lamp.stateOld.on", "开"),
                ("Lamp.status.ok", "好"),
            ]),
            strings_en: strings(&[("Lamp.state.off", "Off"), ("Lamp.state.on", "On")]),
            ..Packs::default()
        };
        let words = packs.words("Lamp", "state");
        assert_eq!(
            words,
            [
                choice("off", "灭", "Off"),
                choice("on", "亮", "On"),
                choice("v1.0", "旧", "")
            ]
        );
        let asked = [
            choice("on", "", ""),
            choice("off", "关", "Closed"),
            choice("x", "", ""),
        ];
        assert_eq!(
            packs.titled(&asked, "Lamp", "state"),
            [
                choice("on", "亮", "On"),
                choice("off", "关", "Closed"),
                choice("x", "", "")
            ]
        );
    }
}
