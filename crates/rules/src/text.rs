//! Titles: placeholders and numbers as people read them.

use crate::rule::Kind;
use jiff::tz::TimeZone;
use model::{Timestamp, Value};

/// The placeholders a title may hold.
const PLACEHOLDERS: [&str; 4] = ["value", "threshold", "unit", "entity"];

/// Those of a rule that looks at a forecast.
const AHEAD: [&str; 3] = ["when", "lower", "upper"];

/// Words in braces that are no placeholder of a kind of rule.
pub(crate) fn unknown_placeholders(title: &str, kind: Kind) -> Vec<&str> {
    title
        .split('{')
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap_or(rest))
        .filter(|word| {
            let ahead = kind.looks_ahead() && AHEAD.contains(word);
            !(ahead || PLACEHOLDERS.contains(word))
        })
        .collect()
}

/// What stands for the placeholders.
#[derive(Debug, Default)]
pub(crate) struct Words<'a> {
    pub value: &'a str,
    pub threshold: &'a str,
    pub unit: &'a str,
    pub entity: &'a str,
    pub when: &'a str,
    pub lower: &'a str,
    pub upper: &'a str,
}

/// Fills the placeholders in, in one pass: text that comes from a device is not searched again.
pub(crate) fn fill(title: &str, words: &Words<'_>) -> String {
    let mut out = String::with_capacity(title.len() + 32);
    let mut rest = title;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.find('}') else { break };
        match &rest[1..end] {
            "value" => out.push_str(words.value),
            "threshold" => out.push_str(words.threshold),
            "unit" => out.push_str(words.unit),
            "entity" => out.push_str(words.entity),
            "when" => out.push_str(words.when),
            "lower" => out.push_str(words.lower),
            "upper" => out.push_str(words.upper),
            _ => out.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

/// A value as people read it: numbers with at most three decimals.
pub(crate) fn show(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Deleted) => "–".to_owned(),
        Some(Value::Number(n)) => {
            let text = format!("{n:.3}");
            let short = text.trim_end_matches('0').trim_end_matches('.');
            if short == "-0" {
                "0".to_owned()
            } else {
                short.to_owned()
            }
        }
        Some(Value::Text(text)) => model::problem::quote(text),
        Some(Value::Boolean(b)) => b.to_string(),
        Some(other) => model::problem::quote(&other.to_json().to_string()),
    }
}

/// A moment as people of a zone say it, in Chinese and in English: `7月2日14:00`, `2 Jul 14:00`.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> [String; 2] {
    let Ok(at) = jiff::Timestamp::from_microsecond(at.micros()) else {
        return [at.to_string(), at.to_string()];
    };
    let at = zone.to_datetime(at);
    [
        at.strftime("%-m月%-d日%H:%M").to_string(),
        at.strftime("%-d %b %H:%M").to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        assert_eq!(
            fill(
                "{entity}: {value} {unit} ≥ {threshold}",
                &Words {
                    value: "{unit}",
                    threshold: "30",
                    unit: "m",
                    entity: "汉北河天门",
                    ..Words::default()
                }
            ),
            "汉北河天门: {unit} m ≥ 30"
        );
        assert_eq!(
            unknown_placeholders("{value} {valu} {", Kind::Threshold),
            vec!["valu", ""]
        );
        assert_eq!(
            unknown_placeholders("{when}", Kind::Threshold),
            vec!["when"]
        );
        assert!(unknown_placeholders("{when} {lower} {upper}", Kind::Forecast).is_empty());
    }

    #[test]
    fn moments_are_those_of_the_zone() {
        let at = Timestamp::parse("2026-07-01T22:30:00Z").unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(moment(at, &zone), ["7月2日06:30", "2 Jul 06:30"]);
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (29.310_04, "29.31"),
            (30.0, "30"),
            (-0.000_1, "0"),
            (1800.0, "1800"),
        ] {
            assert_eq!(show(Some(&Value::Number(number))), text);
        }
    }
}
