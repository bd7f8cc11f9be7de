//! Titles: placeholders and numbers as people read them.

use model::Value;

/// The placeholders a title may hold.
const PLACEHOLDERS: [&str; 4] = ["value", "threshold", "unit", "entity"];

/// Words in braces that are no placeholder.
pub(crate) fn unknown_placeholders(title: &str) -> Vec<&str> {
    title
        .split('{')
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap_or(rest))
        .filter(|word| !PLACEHOLDERS.contains(word))
        .collect()
}

/// Fills the placeholders in, in one pass: text that comes from a device is not searched again.
pub(crate) fn fill(title: &str, value: &str, threshold: &str, unit: &str, entity: &str) -> String {
    let mut out = String::with_capacity(title.len() + 32);
    let mut rest = title;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.find('}') else { break };
        match &rest[1..end] {
            "value" => out.push_str(value),
            "threshold" => out.push_str(threshold),
            "unit" => out.push_str(unit),
            "entity" => out.push_str(entity),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        assert_eq!(
            fill(
                "{entity}: {value} {unit} ≥ {threshold}",
                "{unit}",
                "30",
                "m",
                "汉北河天门"
            ),
            "汉北河天门: {unit} m ≥ 30"
        );
        assert_eq!(unknown_placeholders("{value} {valu} {"), vec!["valu", ""]);
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
