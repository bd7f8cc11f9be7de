//! What entities of a type can be told: values, ranges, channels, interlocks.

use super::Checker;
use crate::document::Document;
use model::problem::quote;
use model::{
    CommandAct, CommandKind, CommandValue, EntityKind, Meaning, NumberOf, ValueKind, unit,
};
use rules::expression::Expression;
use std::collections::{BTreeMap, BTreeSet};

/// Longest time within which a command must be approved, in seconds: a day.
const EXPIRES_SECONDS_MAX: u32 = 86_400;
/// Most interlocks of a command.
const INTERLOCKS_MAX: usize = 32;
/// Most words of a command.
const WORDS_MAX: usize = 32;
/// The name of the asked value in expressions.
const VALUE: &str = "value";

impl Checker<'_> {
    /// What the entities of a type can be told.
    pub(super) fn commands(&mut self, kind: &EntityKind, document: &Document) {
        if let (Some(_), false) = (kind.attributes.get(VALUE), kind.commands.is_empty()) {
            self.say(
                document.at(&["attributes", VALUE]),
                "command-value-name",
                format!(
                    "{} has an attribute {VALUE}, which in interlocks is what is asked",
                    kind.name
                ),
                "give the attribute another name",
            );
        }
        for (name, command) in &kind.commands {
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_word) {
                self.say(
                    document.at(&["commands", name]),
                    "command-name",
                    format!("{} is no name of a command", quote(name)),
                    "use lower-case letters, digits and hyphens, such as set-opening",
                );
            }
            let keys = ["commands", name.as_str()];
            self.both_titles(document, &keys, &command.title_zh, &command.title_en);
            self.command_value(kind, name, command, document);
            self.command_device(kind, name, command, document);
            self.interlocks(kind, name, command, document);
        }
    }

    /// What it is asked with, and what that means to the device.
    fn command_value(
        &mut self,
        kind: &EntityKind,
        name: &str,
        command: &CommandKind,
        document: &Document,
    ) {
        let at = |key: &str| document.at(&["commands", name, key]);
        let is_number = command.value == CommandValue::Number;
        let has_numbers = !is_number
            && (command.min.is_some() || command.max.is_some() || command.step.is_some());
        if has_numbers {
            self.say(
                at("value"),
                "command-range",
                format!("{name} is asked with no number and has min, max or step"),
                "take them away, or make it value = \"number\"",
            );
        }
        if is_number && (command.min.is_none() || command.max.is_none()) {
            self.say(
                at("value"),
                "command-range",
                format!("{name} is asked with a number without bounds"),
                "write min and max: a number, or an attribute that holds it",
            );
        }
        if let (Some(NumberOf::Number(min)), Some(NumberOf::Number(max))) =
            (&command.min, &command.max)
            && min >= max
        {
            self.say(
                at("min"),
                "command-range",
                format!("{name} ranges from {min} to {max}"),
                "write the smaller number as min",
            );
        }
        if command
            .step
            .is_some_and(|step| step <= 0.0 || !step.is_finite())
        {
            self.say(
                at("step"),
                "command-range",
                format!("the step of {name} is not above 0"),
                "write a number above 0, or leave it out",
            );
        }
        for (key, bound) in [("min", &command.min), ("max", &command.max)] {
            self.number_of(kind, command, bound.as_ref(), &at(key), is_number);
        }
        if let Some(code) = &command.unit
            && unit::find(code).is_none_or(|unit| unit.code != code)
        {
            self.say(
                at("unit"),
                "unit-unknown",
                format!("the unit code {} of {name} is unknown", quote(code)),
                "use a UN/CEFACT code that the platform knows, such as MTR",
            );
        }
        let means = match command.value {
            CommandValue::Number => vec![Meaning::Number(0.0)],
            CommandValue::Boolean => vec![Meaning::Boolean(true)],
            CommandValue::Word => command.words.iter().map(|word| word.means).collect(),
        };
        let fits = |meaning: &Meaning| {
            let is_number = matches!(meaning, Meaning::Number(_));
            match command.act {
                CommandAct::Gates => is_number && command.unit.as_deref() == Some("MTR"),
                CommandAct::Valves => !is_number,
                // How many of several; of one pump it is on or off.
                CommandAct::Pumps => {
                    !is_number || (command.unit.is_none() && command.channel.is_none())
                }
            }
        };
        if !means.iter().all(fits) {
            self.say(
                at("act"),
                "command-act",
                format!("{} cannot be told that", command.act.as_str()),
                "gates take a number with unit = \"MTR\"; pumps a number without a unit (how many of all) or yes and no; valves yes and no; of words `means` is meant",
            );
        }
        self.command_words(name, command, document);
        if !(1..=EXPIRES_SECONDS_MAX).contains(&command.expires_seconds) {
            self.say(
                at("expires_seconds"),
                "command-expires",
                format!("{name} cannot be approved within that time"),
                "write 1 to 86400 seconds (a day)",
            );
        }
    }

    fn command_words(&mut self, name: &str, command: &CommandKind, document: &Document) {
        let is_word = command.value == CommandValue::Word;
        let place = document.at(&["commands", name, "words"]);
        let count = command.words.len();
        if is_word != (count > 0) || count > WORDS_MAX {
            self.say(
                place.clone(),
                "command-words",
                format!("{name} has {count} words"),
                "value = \"word\" needs 1 to 32 words; other values have none",
            );
        }
        let mut seen = BTreeSet::new();
        for (n, word) in command.words.iter().enumerate() {
            let n = n.to_string();
            let keys = ["commands", name, "words", &n];
            self.both_titles(document, &keys, &word.title_zh, &word.title_en);
            if word.value.trim().is_empty() || !seen.insert(&word.value) {
                self.say(
                    place.clone(),
                    "command-words",
                    format!("{} is empty or stands there twice", quote(&word.value)),
                    "give each word once",
                );
            }
        }
    }

    /// Whether a declared number is one, or an attribute that holds one in the command's unit.
    fn number_of(
        &mut self,
        kind: &EntityKind,
        command: &CommandKind,
        declared: Option<&NumberOf>,
        place: &str,
        in_unit: bool,
    ) {
        let Some(NumberOf::Attribute(name)) = declared else {
            return;
        };
        let known = kind.attributes.get(name);
        let is_number = known.is_some_and(|a| a.value == ValueKind::Number);
        let is_in_unit = known.is_some_and(|a| !in_unit || a.unit == command.unit);
        if !is_number || !is_in_unit {
            self.say(
                place.to_owned(),
                "command-attribute",
                format!(
                    "{} has no number {} in the command's unit",
                    kind.name,
                    quote(name)
                ),
                "name a declared number of the same unit, or write the number",
            );
        }
    }

    /// Which device is told, and which of its channels.
    fn command_device(
        &mut self,
        kind: &EntityKind,
        name: &str,
        command: &CommandKind,
        document: &Document,
    ) {
        let at = |key: &str| document.at(&["commands", name, key]);
        if let Some(relation) = &command.device {
            let known = kind.attributes.get(relation);
            if known.is_none_or(|a| a.value != ValueKind::Relationship) {
                self.say(
                    at("device"),
                    "command-device",
                    format!("{} has no relationship {}", kind.name, quote(relation)),
                    "name the relationship that leads to the entity whose device is told, or leave it out",
                );
            }
        }
        let channels = [
            ("channels", Some(&command.channels)),
            ("channel", command.channel.as_ref()),
        ];
        for (key, declared) in channels {
            self.number_of(kind, command, declared, &at(key), false);
            if let Some(NumberOf::Number(number)) = declared
                && (number.fract() != 0.0 || !(1.0..=255.0).contains(number))
            {
                self.say(
                    at(key),
                    "command-channel",
                    format!("{key} of {name} is {number}"),
                    "write a whole number from 1 to 255, or an attribute that holds one",
                );
            }
        }
    }

    /// What holds it back.
    fn interlocks(
        &mut self,
        kind: &EntityKind,
        name: &str,
        command: &CommandKind,
        document: &Document,
    ) {
        if command.interlocks.len() > INTERLOCKS_MAX {
            self.say(
                document.at(&["commands", name, "interlocks"]),
                "command-interlock",
                format!("{name} has more than {INTERLOCKS_MAX} interlocks"),
                "join those that belong together",
            );
        }
        let mut used = BTreeSet::new();
        for (n, interlock) in command.interlocks.iter().enumerate() {
            let n = n.to_string();
            for (key, text) in [
                ("text_zh", &interlock.text_zh),
                ("text_en", &interlock.text_en),
            ] {
                if text.trim().is_empty() {
                    self.say(
                        document.at(&["commands", name, "interlocks", &n, key]),
                        "empty",
                        format!("{key} is empty"),
                        "say why the interlock refuses",
                    );
                }
            }
            let expressions = [
                ("refuse_when", Some(&interlock.refuse_when)),
                ("applies_when", interlock.applies_when.as_ref()),
            ];
            for (key, text) in expressions {
                let Some(text) = text else { continue };
                let place = document.at(&["commands", name, "interlocks", &n, key]);
                match interlock_inputs(kind, command, text) {
                    Ok(names) => used.extend(names),
                    Err((what, mend)) => self.say(place, "command-interlock", what, &mend),
                }
            }
        }
        for (attribute, seconds) in &command.fresh_seconds {
            let place = document.at(&["commands", name, "fresh_seconds", attribute]);
            if !used.contains(attribute) {
                self.say(
                    place,
                    "command-fresh",
                    format!("no interlock of {name} looks at {}", quote(attribute)),
                    "name an input of an interlock",
                );
            } else if *seconds == 0 {
                self.say(
                    place,
                    "command-fresh",
                    format!("{attribute} is never that fresh"),
                    "write 1 second at least",
                );
            }
        }
    }
}

/// The attributes that an expression looks at; what is wrong with it, and how to mend it.
fn interlock_inputs(
    kind: &EntityKind,
    command: &CommandKind,
    text: &str,
) -> Result<Vec<String>, (String, String)> {
    let expression = Expression::new(text).map_err(|(_, what, mend)| (what, mend))?;
    let mut kinds: BTreeMap<&str, ValueKind> = BTreeMap::new();
    for name in expression.attributes() {
        if name == VALUE {
            let value = match command.value {
                CommandValue::Number => ValueKind::Number,
                CommandValue::Boolean => ValueKind::Boolean,
                CommandValue::Word => ValueKind::Text,
            };
            kinds.insert(VALUE, value);
            continue;
        }
        let Some(attribute) = kind.attributes.get(name) else {
            return Err((
                format!("{} has no attribute {}", kind.name, quote(name)),
                "name declared attributes, and value for what is asked".to_owned(),
            ));
        };
        let is_plain = matches!(
            attribute.value,
            ValueKind::Number | ValueKind::Boolean | ValueKind::Text
        );
        if !is_plain || attribute.personal.is_some() {
            return Err((
                format!(
                    "{name} is personal, or no number, text or yes and no: an interlock cannot look at it"
                ),
                "name another attribute".to_owned(),
            ));
        }
        kinds.insert(name, attribute.value);
    }
    expression.trial(&kinds).map_err(|what| {
        (
            what,
            "compare numbers with numbers (1.0) and texts with texts ('a')".to_owned(),
        )
    })?;
    let names = expression.attributes().filter(|name| *name != VALUE);
    Ok(names.map(str::to_owned).collect())
}
