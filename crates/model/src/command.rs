//! Commands (控制指令) as data: what a pack declares that entities of a type can be told to do.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Time within which a command must be approved when its declaration says nothing, in seconds.
pub const COMMAND_EXPIRES_SECONDS: u32 = 900;

/// Something that entities of a type can be told to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandKind {
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What the thing's device is told; doors know how their devices are told so.
    pub act: CommandAct,
    /// What it is asked with.
    pub value: CommandValue,
    /// UN/CEFACT code of a number's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Least number that may be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<NumberOf>,
    /// Greatest number that may be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<NumberOf>,
    /// A number must be a multiple of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// The words that may be asked, with what each means to the device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<CommandWord>,
    /// Who else must agree.
    #[serde(default)]
    pub approval: CommandApproval,
    /// Time within which it must be approved, counted from when it was asked, in seconds.
    #[serde(default = "expires_seconds")]
    pub expires_seconds: u32,
    /// The relationship that names the entity whose registered device is told; nothing said: the entity's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Which of the device's gates, pumps or valves the entity is, from 1; nothing said: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<NumberOf>,
    /// How many of them the device has.
    pub channels: NumberOf,
    /// How old the inputs of interlocks may be at most, in seconds, by attribute; those that are not named do not grow old.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fresh_seconds: BTreeMap<String, u32>,
    /// What holds it back (联锁).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interlocks: Vec<Interlock>,
}

/// What a device can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandAct {
    /// How far gates stand open: a number, in metres.
    Gates,
    /// Which pumps run: how many, the first ones, or yes and no for all.
    Pumps,
    /// Which valves are open: yes or no.
    Valves,
}

impl CommandAct {
    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gates => "gates",
            Self::Pumps => "pumps",
            Self::Valves => "valves",
        }
    }
}

/// What a command is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandValue {
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of the declared words.
    Word,
}

impl CommandValue {
    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Word => "word",
        }
    }
}

/// A number that is declared, or an attribute of the entity that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NumberOf {
    /// Always this.
    Number(f64),
    /// What this attribute holds.
    Attribute(String),
}

/// A word that a command can be asked with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandWord {
    /// The word.
    pub value: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What it means to the device.
    pub means: Meaning,
}

/// What a device is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Meaning {
    /// On or off.
    Boolean(bool),
    /// A number, in the command's unit.
    Number(f64),
}

/// Who else must agree to a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandApproval {
    /// Somebody other than the asker.
    #[default]
    SecondPerson,
    /// Nobody.
    None,
}

impl CommandApproval {
    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondPerson => "second-person",
            Self::None => "none",
        }
    }
}

/// What holds a command back (联锁).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interlock {
    /// Why it refuses, in Chinese.
    pub text_zh: String,
    /// The same in English.
    pub text_en: String,
    /// It refuses when this is true: CEL over the entity's attributes and `value`, which is what is asked.
    pub refuse_when: String,
    /// It is looked at only when this is true, so that a gate can be closed whatever is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_when: Option<String>,
}

const fn expires_seconds() -> u32 {
    COMMAND_EXPIRES_SECONDS
}
