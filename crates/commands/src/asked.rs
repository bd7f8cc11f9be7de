//! What is asked, against what is declared: kind, range, step, words.

use crate::why::Why;
use model::problem::{both, quote};
use model::{CommandKind, CommandValue, Meaning, NumberOf, Value};

/// A value that may be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// As interlocks see it.
    pub value: Value,
    /// As the device is told it.
    pub means: Meaning,
}

/// Least and greatest number that may be asked now; `None` where there is no bound, or the attribute that is it holds none.
pub fn bounds(
    kind: &CommandKind,
    number: &dyn Fn(&str) -> Option<f64>,
) -> (Option<f64>, Option<f64>) {
    let of = |bound: &Option<NumberOf>| {
        bound
            .as_ref()
            .and_then(|bound| number_of(bound, number).ok())
    };
    (of(&kind.min), of(&kind.max))
}

/// What a declared number is now; the attribute's name when that holds no number.
pub(crate) fn number_of<'a>(
    declared: &'a NumberOf,
    number: &dyn Fn(&str) -> Option<f64>,
) -> Result<f64, &'a str> {
    match declared {
        NumberOf::Number(constant) => Ok(*constant),
        NumberOf::Attribute(name) => number(name).ok_or(name.as_str()),
    }
}

/// How far a number may be from a multiple of its step, as a share of the step: binary fractions are not exact.
const STEP_SLACK: f64 = 1e-6;

/// Looks at an asked value; `number` gives the entity's numbers.
///
/// # Errors
/// `command-value` for another kind or word, `command-range` outside of the range or off the step, `command-bound-unknown` where a
/// bound is an attribute that holds no number.
pub fn check(
    kind: &CommandKind,
    value: &serde_json::Value,
    number: &dyn Fn(&str) -> Option<f64>,
) -> Result<Asked, Why> {
    match kind.value {
        CommandValue::Number => numeric(kind, value, number),
        CommandValue::Boolean => match value.as_bool() {
            Some(is) => Ok(Asked {
                value: Value::Boolean(is),
                means: Meaning::Boolean(is),
            }),
            None => Err(another_kind(value, "是或否", "true or false")),
        },
        CommandValue::Word => {
            let word = value.as_str().unwrap_or_default();
            let found = kind.words.iter().find(|known| known.value == word);
            let found = found.ok_or_else(|| {
                let known: Vec<&str> = kind.words.iter().map(|w| w.value.as_str()).collect();
                let zh = format!("其中一个：{}", known.join("、"));
                another_kind(value, &zh, &format!("one of {}", known.join(", ")))
            })?;
            Ok(Asked {
                value: Value::Text(found.value.clone()),
                means: found.means,
            })
        }
    }
}

fn numeric(
    kind: &CommandKind,
    value: &serde_json::Value,
    number: &dyn Fn(&str) -> Option<f64>,
) -> Result<Asked, Why> {
    let asked = value.as_f64().filter(|n| n.is_finite());
    let asked = asked.ok_or_else(|| another_kind(value, "一个数", "a number"))?;
    let bound = |declared: &Option<NumberOf>| {
        let found = declared
            .as_ref()
            .map(|declared| number_of(declared, number));
        found.transpose().map_err(|name| {
            Why::new(
                "command-bound-unknown",
                both(
                    format!("允许的范围取自 {name}，它现在没有值"),
                    format!(
                        "the range that may be asked comes from {name}, which has no value now"
                    ),
                ),
                both("请先在台账里填写它", "enter it in the register first"),
            )
        })
    };
    let (min, max) = (bound(&kind.min)?, bound(&kind.max)?);
    let said = model::problem::number(asked);
    let range = |side_zh: &str, side_en: &str, limit: f64| {
        let unit = kind.unit.as_deref().and_then(model::unit::find);
        let unit = unit
            .and_then(|u| u.symbols.first().copied())
            .unwrap_or_default();
        Why::new(
            "command-range",
            both(
                format!("{said} {unit} {side_zh} {limit} {unit}"),
                format!("{said} {unit} is {side_en} {limit} {unit}"),
            ),
            both("请改成范围内的值", "ask for a value within the range"),
        )
    };
    if let Some(min) = min.filter(|min| asked < *min) {
        return Err(range("低于下限", "below", min));
    }
    if let Some(max) = max.filter(|max| asked > *max) {
        return Err(range("高于上限", "above", max));
    }
    if let Some(step) = kind.step {
        let steps = asked / step;
        if (steps - steps.round()).abs() > STEP_SLACK {
            return Err(Why::new(
                "command-range",
                both(
                    format!("{said} 不是 {step} 的整数倍"),
                    format!("{said} is no multiple of {step}"),
                ),
                both("请按该步长取值", "ask for a multiple of it"),
            ));
        }
    }
    Ok(Asked {
        value: Value::Number(asked),
        means: Meaning::Number(asked),
    })
}

fn another_kind(value: &serde_json::Value, zh: &str, en: &str) -> Why {
    let said = quote(&value.to_string());
    Why::new(
        "command-value",
        both(
            format!("{said} 不是这个指令要的值"),
            format!("{said} is not what the command takes"),
        ),
        both(format!("请给出{zh}"), format!("give {en}")),
    )
}
