//! Expressions in CEL (Common Expression Language), bounded before they run.
//!
//! What can be repeated is refused when the rule is loaded: macros that walk lists (`all`, `exists`, `map`, `filter`), lists, maps and
//! structures, functions that are not in [`FUNCTIONS`]. What is left visits each node at most once, so that [`NODES_MAX`] bounds the
//! steps, and its texts are made of at most so many of the entity's texts, so that it cannot grow without end either.
//!
//! Time is a variable: `now_seconds` (Unix time of the observation), and in the city's zone `hour` (0 to 23), `weekday` (1 Monday to
//! 7 Sunday) and `today` (a text, `2026-11-28`: dates written so are in order as texts).

use cel::common::ast::{Expr, LiteralValue};
use cel::{Context, ExecutionError, IdedExpr, Program, Value as Cel};
use model::{Timestamp, Value, ValueKind};
use std::collections::BTreeMap;

/// Longest expression, in bytes.
pub const BYTES_MAX: usize = 2_000;
/// Most nodes of an expression, and so most steps of an evaluation.
pub const NODES_MAX: usize = 256;
/// How deep it may be nested.
pub const NESTING_MAX: usize = 32;

/// The functions of CEL that an expression may call.
pub const FUNCTIONS: [&str; 8] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "double",
    "string",
    "bool",
];

/// The variables that tell the time.
pub const TIMES: [&str; 4] = ["now_seconds", "hour", "weekday", "today"];

/// An expression that can be run.
#[derive(Debug)]
pub struct Expression {
    program: Program,
    variables: Vec<String>,
}

/// Why an expression is refused: code, what, mend.
pub type Refusal = (&'static str, String, String);

impl Expression {
    /// Reads an expression and looks at its bounds.
    ///
    /// # Errors
    /// `rule-expression` when it is no CEL, `rule-expression-limit` when it is too large, `rule-expression-endless` when it repeats,
    /// `rule-expression-function` when it calls what is not allowed.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let limit = |what: String| {
            (
                "rule-expression-limit",
                what,
                "make it smaller, or make several rules of it".to_owned(),
            )
        };
        if text.len() > BYTES_MAX {
            return Err(limit(format!(
                "the expression has {} bytes, more than {BYTES_MAX}",
                text.len()
            )));
        }
        if nesting(text) > NESTING_MAX {
            return Err(limit(format!(
                "the expression is nested deeper than {NESTING_MAX}"
            )));
        }
        let program = Program::compile(text).map_err(|error| {
            (
                "rule-expression",
                model::problem::quote(&error.to_string()),
                "write it in CEL, such as waterLevel > 28.0 && hour >= 6".to_owned(),
            )
        })?;
        let mut walk = Walk::default();
        walk.node(program.expression(), 1)?;
        Ok(Self {
            program,
            variables: walk.variables.into_keys().collect(),
        })
    }

    /// The attributes that it names.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.variables
            .iter()
            .map(String::as_str)
            .filter(|name| !TIMES.contains(name))
    }

    /// Whether it is true, with the attributes' values and the time.
    ///
    /// # Errors
    /// What CEL says of it: values of a wrong kind, a division by zero, a result that is neither true nor false.
    pub fn is_true<'v>(
        &self,
        values: impl IntoIterator<Item = (&'v str, &'v Value)>,
        at: Timestamp,
        zone: &jiff::tz::TimeZone,
    ) -> Result<bool, String> {
        let mut context = Context::default();
        for (name, value) in values {
            context.add_variable_from_value(name, to_cel(value)?);
        }
        let seconds = at.micros().div_euclid(1_000_000);
        context.add_variable_from_value("now_seconds", Cel::Int(seconds));
        if self
            .variables
            .iter()
            .any(|v| TIMES[1..].contains(&v.as_str()))
            && let Ok(moment) = jiff::Timestamp::from_second(seconds)
        {
            let local = zone.to_datetime(moment);
            let today = std::sync::Arc::new(local.date().to_string());
            context.add_variable_from_value("today", Cel::String(today));
            let weekday = local.date().weekday().to_monday_one_offset();
            context.add_variable_from_value("hour", Cel::Int(local.hour().into()));
            context.add_variable_from_value("weekday", Cel::Int(weekday.into()));
        }
        match self.program.execute(&context) {
            Ok(Cel::Bool(result)) => Ok(result),
            Ok(other) => Err(format!(
                "the expression gives a {}, not true or false",
                other.type_of()
            )),
            Err(error) => Err(told(&error)),
        }
    }

    /// Runs it once on made-up values of the declared kinds: what cannot be computed is found before the rule is at work.
    ///
    /// # Errors
    /// As of [`Self::is_true`].
    pub fn trial(&self, kinds: &BTreeMap<&str, ValueKind>) -> Result<(), String> {
        let values: Vec<(&str, Value)> = kinds
            .iter()
            .map(|(name, kind)| {
                let value = match kind {
                    ValueKind::Boolean => Value::Boolean(true),
                    ValueKind::Number => Value::Number(1.0),
                    _ => Value::Text("x".to_owned()),
                };
                (*name, value)
            })
            .collect();
        let values = values.iter().map(|(name, value)| (*name, value));
        self.is_true(values, Timestamp::from_seconds(0), &jiff::tz::TimeZone::UTC)
            .map(|_| ())
    }
}

/// What went wrong, without the values: they would come out in lists whose readers may not see them.
fn told(error: &ExecutionError) -> String {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "a number is divided by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number becomes too large".to_owned(),
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::UndeclaredReference(name) => {
            format!("{} is not known", model::problem::quote(name))
        }
        ExecutionError::ValuesNotComparable(..) => {
            "values of different kinds are compared".to_owned()
        }
        _ => "the expression cannot be computed with these values".to_owned(),
    }
}

fn to_cel(value: &Value) -> Result<Cel, String> {
    Ok(match value {
        Value::Number(number) => Cel::Float(*number),
        Value::Boolean(b) => Cel::Bool(*b),
        Value::Text(text) => Cel::String(std::sync::Arc::new(text.clone())),
        Value::Relationship(id) => Cel::String(std::sync::Arc::new(id.to_string())),
        Value::Geometry(_) | Value::Json(_) | Value::Deleted => {
            return Err("places and structured values cannot be used in an expression".to_owned());
        }
    })
}

/// How deep brackets, signs and branches are nested, before the parser sees the text.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut signs, mut branches) = (0_usize, 0, 0_usize, 0_usize);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '?' => branches += 1,
            _ => {}
        }
        signs = match c {
            '!' | '-' => signs + 1,
            c if c.is_whitespace() => signs,
            _ => 0,
        };
        deepest = deepest.max(depth).max(signs).max(branches);
    }
    deepest
}

#[derive(Default)]
struct Walk {
    nodes: usize,
    variables: BTreeMap<String, ()>,
}

impl Walk {
    fn node(&mut self, node: &IdedExpr, depth: usize) -> Result<(), Refusal> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > NESTING_MAX {
            return Err((
                "rule-expression-limit",
                format!(
                    "the expression has more than {NODES_MAX} nodes or is nested deeper than {NESTING_MAX}"
                ),
                "make it smaller, or make several rules of it".to_owned(),
            ));
        }
        match &node.expr {
            Expr::Ident(name) => {
                self.variables.insert(name.clone(), ());
                Ok(())
            }
            Expr::Literal(literal) => match literal {
                LiteralValue::Bytes(_) => Err(refused("bytes")),
                _ => Ok(()),
            },
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                let is_operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
                if !is_operator && !FUNCTIONS.contains(&name) {
                    return Err((
                        "rule-expression-function",
                        format!("there is no function {}", model::problem::quote(name)),
                        format!("use one of {}", FUNCTIONS.join(", ")),
                    ));
                }
                call.target
                    .iter()
                    .map(|target| &**target)
                    .chain(&call.args)
                    .try_for_each(|part| self.node(part, depth + 1))
            }
            Expr::Comprehension(_) => Err((
                "rule-expression-endless",
                "the expression repeats (all, exists, map or filter): its steps would depend on what a device sends"
                    .to_owned(),
                "compare single attributes; to count, use kind = \"count\"".to_owned(),
            )),
            Expr::Select(_) => Err(refused("a field of a structured value")),
            Expr::List(_) => Err(refused("a list")),
            Expr::Map(_) => Err(refused("a map")),
            Expr::Struct(_) => Err(refused("a structure")),
            Expr::Unspecified => Err(refused("an empty part")),
        }
    }
}

fn refused(what: &str) -> Refusal {
    (
        "rule-expression-limit",
        format!("the expression holds {what}"),
        "use numbers, texts, true and false, and the attributes of the type".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, values: &[(&str, Value)]) -> Result<bool, String> {
        Expression::new(text).unwrap().is_true(
            values.iter().map(|(name, value)| (*name, value)),
            Timestamp::from_seconds(1_000),
            &jiff::tz::TimeZone::UTC,
        )
    }

    #[test]
    fn numbers_texts_and_time() {
        let level = [
            ("level", Value::Number(28.5)),
            ("state", Value::Text("open".into())),
        ];
        assert_eq!(run("level > 28.0 && state == 'open'", &level), Ok(true));
        assert_eq!(run("level + 1.0 > 30.0", &level), Ok(false));
        assert_eq!(
            run("now_seconds == 1000 && hour == 0 && weekday == 4", &[]),
            Ok(true)
        );
        assert_eq!(
            run("today == '1970-01-01' && today.startsWith('1970-01')", &[]),
            Ok(true)
        );
        let until = [("until", Value::Text("1969-12-31".into()))];
        assert_eq!(run("until < today && !(until >= today)", &until), Ok(true));
        assert!(
            run("level + 1.0", &level).is_err(),
            "a number is no verdict"
        );
        assert!(run("state > 1.0", &level).is_err());
        assert!(run("missing > 1.0", &level).is_err());
    }

    #[test]
    fn what_does_not_end_or_grows_is_refused() {
        for (text, code) in [
            ("[1, 2, 3].all(x, x > 0)", "rule-expression-endless"),
            (
                "[[1, 2].map(x, [1, 2].map(y, x * y))].size() > 0",
                "rule-expression-limit",
            ),
            ("tags.exists(t, t == 'a')", "rule-expression-endless"),
            ("tags[0] == [1][0]", "rule-expression-limit"),
            ("position.lon > 3.0", "rule-expression-limit"),
            ("state.matches('(a+)+b')", "rule-expression-function"),
            ("level >", "rule-expression"),
        ] {
            let refused = Expression::new(text).err();
            assert_eq!(refused.map(|r| r.0), Some(code), "{text}");
        }
        let wide = vec!["a > 1.0"; 200].join(" && ");
        let deep = format!("{}a{} > 1.0", "(".repeat(40), ")".repeat(40));
        let signs = format!("{}true", "!".repeat(1_900));
        let branches = format!("{}true", "true ? true : ".repeat(100));
        let long = format!("a == '{}'", "x".repeat(BYTES_MAX));
        for text in [wide, deep, signs, branches, long] {
            let refused = Expression::new(&text).err();
            assert_eq!(refused.map(|r| r.0), Some("rule-expression-limit"));
        }
    }
}
