//! Interlocks (联锁): what refuses a command now. What is not known refuses too: an input that is missing, too old, or of doubtful
//! quality, and an expression that cannot be computed.

use model::problem::{Both, both};
use model::{CommandKind, Interlock, Quality, Timestamp, Value};
use rules::expression::Expression;

/// The name of the asked value in expressions.
pub const VALUE: &str = "value";

/// What the city knows of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// When it was so.
    pub observed_at: Timestamp,
    /// How good it is.
    pub quality: Quality,
}

/// What an interlock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It lets the command go.
    Free,
    /// It is not for what is asked.
    Idle,
    /// Its condition holds.
    Refuses,
    /// An input is not there.
    Missing,
    /// An input is too old.
    Stale,
    /// An input is of doubtful quality.
    Doubtful,
    /// The expression cannot be computed with what there is.
    Uncomputable,
}

impl Outcome {
    /// The word that is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Idle => "idle",
            Self::Refuses => "refuses",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Doubtful => "doubtful",
            Self::Uncomputable => "uncomputable",
        }
    }

    /// Whether the command may go for all that this interlock knows.
    pub const fn lets_go(self) -> bool {
        matches!(self, Self::Free | Self::Idle)
    }
}

/// What one interlock says, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its place in the declaration, from 0.
    pub index: usize,
    /// What it says.
    pub outcome: Outcome,
    /// The input on which it depends that it cannot say more.
    pub attribute: Option<String>,
    /// Why, for people; what it guards against when it lets go.
    pub text: Both,
}

/// What every interlock of a command says of a value, with what the city knows at a moment.
pub fn judge(
    kind: &CommandKind,
    asked: &Value,
    reading: &dyn Fn(&str) -> Option<Reading>,
    at: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Vec<Verdict> {
    let all = kind.interlocks.iter().enumerate();
    let verdicts = all.map(|(index, interlock)| {
        let judged = one(kind, interlock, asked, reading, at, zone);
        let (outcome, attribute, detail) = judged;
        let text = both(
            format!("{}{}", interlock.text_zh, detail.zh),
            format!("{}{}", interlock.text_en, detail.en),
        );
        Verdict {
            index,
            outcome,
            attribute,
            text,
        }
    });
    verdicts.collect()
}

type Judged = (Outcome, Option<String>, Both);

fn one(
    kind: &CommandKind,
    interlock: &Interlock,
    asked: &Value,
    reading: &dyn Fn(&str) -> Option<Reading>,
    at: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Judged {
    let holds = |text: &str| holds(kind, text, asked, reading, at, zone);
    if let Some(applies) = &interlock.applies_when {
        match holds(applies) {
            Ok(true) => {}
            Ok(false) => return (Outcome::Idle, None, both("", "")),
            Err(unknown) => return unknown,
        }
    }
    match holds(&interlock.refuse_when) {
        Ok(true) => (Outcome::Refuses, None, both("", "")),
        Ok(false) => (Outcome::Free, None, both("", "")),
        Err(unknown) => unknown,
    }
}

/// Whether an expression is true; what is not known of it.
fn holds(
    kind: &CommandKind,
    text: &str,
    asked: &Value,
    reading: &dyn Fn(&str) -> Option<Reading>,
    at: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Result<bool, Judged> {
    let uncomputable = |why: &str| -> Judged {
        let told = both(
            format!("（无法判断：{why}）"),
            format!(" (cannot be judged: {why})"),
        );
        (Outcome::Uncomputable, None, told)
    };
    let expression = Expression::new(text).map_err(|(_, what, _)| uncomputable(&what))?;
    let mut values: Vec<(String, Value)> = vec![(VALUE.to_owned(), asked.clone())];
    for name in expression.attributes().filter(|name| *name != VALUE) {
        let unknown = |outcome: Outcome, zh: String, en: String| -> Judged {
            let told = both(format!("（{name} {zh}）"), format!(" ({name} {en})"));
            (outcome, Some(name.to_owned()), told)
        };
        let Some(known) = reading(name) else {
            return Err(unknown(
                Outcome::Missing,
                "没有值，不能放行".to_owned(),
                "has no value: it cannot be let go".to_owned(),
            ));
        };
        let age_s = at.micros_since(known.observed_at) / 1_000_000;
        let fresh_s = kind.fresh_seconds.get(name).copied().map(i64::from);
        // A time that is still to come is no measurement of now either.
        if let Some(fresh_s) = fresh_s.filter(|fresh_s| age_s.abs() > *fresh_s) {
            return Err(unknown(
                Outcome::Stale,
                format!("是 {age_s} 秒前的，超过 {fresh_s} 秒，不能放行"),
                format!("is {age_s} s old, more than {fresh_s} s: it cannot be let go"),
            ));
        }
        if !known.quality.is_usable() {
            let word = known.quality.as_str();
            return Err(unknown(
                Outcome::Doubtful,
                format!("存疑（{word}），不能放行"),
                format!("is doubtful ({word}): it cannot be let go"),
            ));
        }
        values.push((name.to_owned(), known.value));
    }
    let values = values.iter().map(|(name, value)| (name.as_str(), value));
    let result = expression.is_true(values, at, zone);
    result.map_err(|why| uncomputable(&why))
}
