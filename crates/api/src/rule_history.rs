//! History as rules see it: the observations of a period in the order of their times, day by day, and before them what was known when
//! the period began. Back-tests are fed from here, over HTTP and on the command line.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};
use lake::{Lake, Limits, Question, RecordTables};
use model::{
    AttributeName, AttributeUpdate, Calendars, Catalogue, EntityId, Problem, Quality, Timestamp,
    TypeName, Update, Value, ValueKind,
};
use rules::back_test::{BackTest, Limits as TestLimits, Report, looks_at, with_suppressors};
use rules::{Rule, check};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was said last of an attribute is looked for so many days before the period.
pub const DAYS_BEFORE: i64 = 31;
/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// What a back-test works on.
pub struct Source<'a> {
    /// History.
    pub lake: &'a Lake,
    /// The tables lent to SQL: they decide what of history may be seen.
    pub tables: Arc<dyn RecordTables>,
    /// The entity types.
    pub catalogue: &'a Catalogue,
    /// The city's calendars.
    pub calendars: &'a Calendars,
    /// Limits of one day's question.
    pub limits: &'a Limits,
}

/// Reads a rule from its text.
///
/// # Errors
/// `rule-toml` with line and column, and every mistake that the rule has alone or with those in force.
pub fn read_rule(
    text: &str,
    in_force: &[Rule],
    catalogue: &Catalogue,
    calendars: &Calendars,
) -> Result<Vec<Rule>, Vec<Problem>> {
    let rule: Rule = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(
            || "rule".to_owned(),
            |span| {
                let before = text.get(..span.start).unwrap_or(text);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
                format!("line {line}, column {column}")
            },
        );
        vec![Problem::new(
            "rule-toml",
            model::problem::quote(error.message()),
            place,
            "write the rule as docs/rules.md shows",
        )]
    })?;
    let id = rule.id.clone();
    let rules = with_suppressors(rule, in_force);
    let mut problems = check::problems(&rules, catalogue, calendars);
    for problem in &mut problems {
        // The key's line, where the key stands at the start of one.
        let key = problem.place.rsplit(": ").next().unwrap_or_default();
        let first = key.split('.').next().unwrap_or_default();
        let line = text.lines().position(|line| {
            let name = line.split('=').next().unwrap_or_default();
            name.trim() == first
        });
        if let Some(line) = line {
            problem.place = format!("line {}, {key}", line + 1);
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        tracing::debug!(rule = %id, "a rule to be back-tested has mistakes");
        Err(problems)
    }
}

/// Runs the first of `rules` over a period; the others only hold it back. `progress` hears how many of how many days are done, and
/// ends the work when it answers `false`.
///
/// # Errors
/// As [`BackTest::new`]; the limits of the questions; `back-test-ended` when `progress` ended it.
pub async fn back_test(
    source: &Source<'_>,
    rules: Vec<Rule>,
    period: (Timestamp, Timestamp),
    limits: TestLimits,
    mut progress: impl FnMut(u64, u64) -> bool + Send,
) -> Result<Report, Vec<Problem>> {
    let wanted = wanted(&looks_at(&rules, source.catalogue));
    let reported = rules.first().map(|rule| rule.id.clone());
    let mut test = BackTest::new(
        rules,
        reported,
        source.catalogue,
        source.calendars,
        period,
        limits,
    )?;
    let (from, until) = period;
    let before = from.plus_micros(-DAYS_BEFORE * DAY_MICROS);
    let known = format!(
        "SELECT {COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY entity_id, attribute \
         ORDER BY observed_at DESC, journal_position DESC) AS nth FROM observations \
         WHERE observed_at >= {} AND observed_at < {} AND ({wanted})) AS known WHERE nth = 1 \
         ORDER BY observed_at, entity_id, attribute",
        time(before),
        time(from)
    );
    let days = until
        .micros_since(from)
        .max(1)
        .unsigned_abs()
        .div_ceil(DAY_MICROS.unsigned_abs());
    feed(source, &known, &mut test, Some(from)).await?;
    let mut day = from;
    let mut done = 0;
    while day < until {
        if !progress(done, days) {
            return Err(vec![Problem::new(
                "back-test-ended",
                "the back-test was ended before it was done",
                "back-test",
                "start it again",
            )]);
        }
        let next = day.plus_micros(DAY_MICROS).min(until);
        let sql = format!(
            "SELECT {COLUMNS} FROM observations WHERE observed_at >= {} AND observed_at < {} AND ({wanted}) \
             ORDER BY observed_at, journal_position, entity_id, attribute",
            time(day),
            time(next)
        );
        if !feed(source, &sql, &mut test, None).await? {
            break;
        }
        day = next;
        done += 1;
    }
    progress(days, days);
    Ok(test.finish())
}

const COLUMNS: &str =
    "entity_id, entity_type, attribute, observed_at, value_number, value_text, value_json, quality";

fn time(at: Timestamp) -> String {
    format!("TIMESTAMP '{at}'")
}

/// A condition for everything that the rules look at.
fn wanted(looks_at: &BTreeMap<String, Vec<String>>) -> String {
    let text = |word: &str| format!("'{}'", word.replace('\'', "''"));
    let parts: Vec<String> = looks_at
        .iter()
        .map(|(kind, attributes)| {
            let kind = text(kind);
            if attributes.is_empty() {
                return format!("entity_type = {kind}");
            }
            let names: Vec<String> = attributes.iter().map(|name| text(name)).collect();
            format!(
                "(entity_type = {kind} AND attribute IN ({}))",
                names.join(", ")
            )
        })
        .collect();
    if parts.is_empty() {
        "false".to_owned()
    } else {
        parts.join(" OR ")
    }
}

/// Gives a question's rows to the test; `false` when it wants no more. With `as_of` they are told at that time.
async fn feed(
    source: &Source<'_>,
    sql: &str,
    test: &mut BackTest,
    as_of: Option<Timestamp>,
) -> Result<bool, Vec<Problem>> {
    let question = Question {
        sql,
        parameters: Vec::new(),
        tables: Arc::clone(&source.tables),
        catalogue: source.catalogue,
        zone: None,
    };
    let answer = source.lake.query_stream(question, source.limits).await;
    let mut answer = answer.map_err(|problem| vec![problem])?;
    while let Some(batch) = answer.next().await {
        let batch = batch.map_err(|problem| vec![problem])?;
        let updates = updates(&batch, source.catalogue).map_err(|problem| vec![problem])?;
        for (at, update) in updates {
            if !test.observe(as_of.unwrap_or(at), &update) {
                return Ok(false);
            }
        }
        // Other work has its turn between batches.
        tokio::task::yield_now().await;
    }
    Ok(true)
}

/// The rows of a batch as updates, each of one attribute.
fn updates(
    batch: &RecordBatch,
    catalogue: &Catalogue,
) -> Result<Vec<(Timestamp, Update)>, Problem> {
    let told = |e: &dyn std::fmt::Display| {
        Problem::new("history-columns", e.to_string(), "history", "report this")
    };
    let texts = |column: usize| cast(batch.column(column), &DataType::Utf8).map_err(|e| told(&e));
    let (ids, kinds, names) = (texts(0)?, texts(1)?, texts(2)?);
    let (text, json, quality) = (texts(5)?, texts(6)?, texts(7)?);
    let numbers = batch.column(4).as_primitive_opt::<Float64Type>();
    let times = batch
        .column(3)
        .as_primitive_opt::<TimestampMicrosecondType>();
    let (Some(numbers), Some(times)) = (numbers, times) else {
        return Err(told(&"time and number have other types"));
    };
    let at = |array: &Arc<dyn Array>, row: usize| -> Option<String> {
        let array = array.as_string::<i32>();
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let mut found = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let (Some(id), Some(kind), Some(name)) = (at(&ids, row), at(&kinds, row), at(&names, row))
        else {
            continue;
        };
        let observed_at = Timestamp::from_micros(times.value(row));
        let declared = catalogue.attribute(&kind, &name).map(|a| a.value);
        let number = numbers.is_valid(row).then(|| numbers.value(row));
        let value = value(declared, number, at(&text, row), at(&json, row));
        let quality = at(&quality, row)
            .and_then(|word| serde_json::from_value(serde_json::Value::String(word)).ok())
            .unwrap_or(Quality::Good);
        let attribute = AttributeUpdate {
            name: AttributeName::new(&name)?,
            value,
            unit: None,
            observed_at,
            quality,
        };
        found.push((
            observed_at,
            Update {
                entity_id: EntityId::new(&id)?,
                entity_type: TypeName::new(&kind)?,
                attributes: vec![attribute],
            },
        ));
    }
    Ok(found)
}

/// A stored value as it was told, by the kind that is declared for it.
fn value(
    declared: Option<ValueKind>,
    number: Option<f64>,
    text: Option<String>,
    json: Option<String>,
) -> Value {
    match (declared, number, text, json) {
        (_, Some(_), Some(text), _) => Value::Boolean(text == "true"),
        (_, Some(number), None, _) => Value::Number(number),
        (Some(ValueKind::Relationship), None, Some(text), _) => {
            EntityId::new(&text).map_or(Value::Text(text), Value::Relationship)
        }
        (_, None, Some(text), _) => Value::Text(text),
        (Some(ValueKind::Geometry), None, None, Some(json)) => serde_json::from_str(&json)
            .ok()
            .and_then(|place: serde_json::Value| model::Geometry::from_geojson(&place).ok())
            .map(Value::Geometry)
            .unwrap_or(Value::Json(json)),
        (_, None, None, Some(json)) => Value::Json(json),
        (_, None, None, None) => Value::Deleted,
    }
}
