//! The way in of a declared table: the lines of its header that say what a file with its columns becomes.
//!
//! ```sql
//! -- in: WaterReservoir, WaterObserved | STCD = stationCode | TM +08:00
//! -- in-value: Z = waterLevel | MTR
//! -- in-value: DRP = precipitation1h | MMT | INTV = 1.00
//! -- in-value: LGTD, LTTD = location
//! ```
//! `in` says of which types the entity may be (the first that has the key), which column and text attribute are the key, and which
//! column is the time, on a clock so far ahead of UTC; a register has no time. Each `in-value` says a column, the attribute that it
//! becomes, the unit (UN/CEFACT) of the column's numbers where the attribute has one, and another column's value without which it does not count.

use model::problem::quote;
use model::{
    AttributeKind, EntityKind, IntakeTime, IntakeValue, Problem, TableIntake, TableView, ValueKind,
    ViewColumnKind, unit,
};

/// Most values of one row.
const VALUES_MAX: usize = 100;
/// How a way in is written.
const MEND: &str =
    "write `-- in: TYPE, TYPE | COLUMN = attribute | TIME +08:00`, a register without the time";
/// How a value is written.
const MEND_VALUE: &str = "write `-- in-value: COLUMN = attribute | UNIT | OTHER = value`, the last two where they are needed";

/// The lines of a header that say a way in, with their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    way: Option<(usize, String)>,
    values: Vec<(usize, String)>,
}

/// What is wrong in a line, and how to mend it.
type Wrong = (usize, String, String);

impl Lines {
    /// Takes what follows `in:`.
    pub(crate) fn way(&mut self, line: usize, said: &str) -> Result<(), Wrong> {
        match self.way.replace((line, said.to_owned())) {
            None => Ok(()),
            Some(_) => Err((line, "in is said twice".into(), "say it once".into())),
        }
    }

    /// Takes what follows `in-value:`.
    pub(crate) fn value(&mut self, line: usize, said: &str) {
        self.values.push((line, said.to_owned()));
    }

    /// The way in, if there is one.
    pub(crate) fn read(&self) -> Result<Option<TableIntake>, Vec<Wrong>> {
        let Some((line, said)) = &self.way else {
            return match self.values.first() {
                None => Ok(None),
                Some((line, _)) => Err(vec![(
                    *line,
                    "there is in-value without in".into(),
                    MEND.into(),
                )]),
            };
        };
        let mut wrong = Vec::new();
        let way = way(said);
        if way.is_none() {
            wrong.push((
                *line,
                format!("{} is no way in", quote(said)),
                MEND.to_owned(),
            ));
        }
        let mut values = Vec::new();
        for (line, said) in &self.values {
            match value(said) {
                Some(value) => values.push(value),
                None => wrong.push((
                    *line,
                    format!("{} is no value that comes in", quote(said)),
                    MEND_VALUE.to_owned(),
                )),
            }
        }
        if !(1..=VALUES_MAX).contains(&self.values.len()) {
            let what = format!("{} values come in", self.values.len());
            wrong.push((
                *line,
                what,
                format!("say 1 to {VALUES_MAX} lines `-- in-value: …`"),
            ));
        }
        match way {
            Some(mut way) if wrong.is_empty() => {
                way.values = values;
                Ok(Some(way))
            }
            _ => Err(wrong),
        }
    }

    /// What does not fit the columns of the view and the types of the pack, with the lines.
    pub(crate) fn misfits(&self, view: &TableView, kinds: &[EntityKind]) -> Vec<Problem> {
        let Some((intake, (line, _))) = view.intake.as_ref().zip(self.way.as_ref()) else {
            return Vec::new();
        };
        let mut found: Vec<Wrong> = Vec::new();
        let mut say = |line: usize, what: String, mend: &str| {
            found.push((line, what, mend.to_owned()));
        };
        let column = |name: &str| view.columns.iter().find(|column| column.name == name);
        let of_pack = |name: &String| kinds.iter().find(|kind| kind.name == *name);
        for name in &intake.types {
            let Some(kind) = of_pack(name) else {
                let what = format!("the pack has no entity type {}", quote(name));
                say(*line, what, "name types of the entities folder");
                continue;
            };
            let key = kind.attributes.get(&intake.key_attribute);
            if !key.is_some_and(|key| key.value == ValueKind::Text && key.personal.is_none()) {
                let key = quote(&intake.key_attribute);
                let what = format!("{name} has no text {key} that is not personal");
                say(*line, what, "name a text attribute that every type has");
            }
        }
        if column(&intake.key).is_none_or(|c| c.kind != ViewColumnKind::Text) {
            let what = format!("{} is no column of texts", quote(&intake.key));
            say(
                *line,
                what,
                "name a column of texts of this table as the key",
            );
        }
        if let Some(time) = &intake.time {
            let is_time = |kind| matches!(kind, ViewColumnKind::Clock | ViewColumnKind::Time);
            if !column(&time.column).is_some_and(|c| is_time(c.kind)) {
                let what = format!("{} is no column of times", quote(&time.column));
                say(
                    *line,
                    what,
                    "name a column of this table that holds clock or time",
                );
            }
        }
        let kinds: Vec<&EntityKind> = intake.types.iter().filter_map(of_pack).collect();
        for (value, (line, _)) in intake.values.iter().zip(&self.values) {
            let mut named = value.columns.clone();
            named.extend(value.only_where.iter().map(|(column, _)| column.clone()));
            let missing = |name: &&String| column(name).is_none_or(|column| column.empty);
            if let Some(name) = named.iter().find(missing) {
                let what = format!(
                    "{} is no column that the platform has something for",
                    quote(name)
                );
                say(*line, what, "name a column of this table, without `none`");
                continue;
            }
            let declared: Vec<&AttributeKind> = (kinds.iter())
                .filter_map(|kind| kind.attributes.get(&value.attribute))
                .collect();
            if declared.is_empty() && !kinds.is_empty() {
                let what = format!("none of the types has {}", quote(&value.attribute));
                say(*line, what, "name an attribute of one of them");
            }
            let held = column(&value.columns[0]).map(|column| column.kind);
            for declared in declared {
                if let Some((what, mend)) = misfit(value, declared, held) {
                    say(*line, what, mend);
                    break;
                }
            }
        }
        let name = &view.name;
        let problems = found.into_iter().map(|(line, what, mend)| {
            Problem::new(
                "table-in",
                format!("{name}: {what}"),
                line.to_string(),
                mend,
            )
        });
        problems.collect()
    }
}

/// Why a column cannot become an attribute.
fn misfit(
    value: &IntakeValue,
    declared: &AttributeKind,
    held: Option<ViewColumnKind>,
) -> Option<(String, &'static str)> {
    let name = quote(&value.attribute);
    if declared.personal.is_some() {
        let mend = "let a form or a device say it, where it is sealed";
        return Some((format!("{name} is personal"), mend));
    }
    let is_point = value.columns.len() == 2;
    let number = matches!(held, Some(ViewColumnKind::Number | ViewColumnKind::Integer));
    let fits = match declared.value {
        ValueKind::Geometry => is_point && number,
        ValueKind::Number => !is_point && number,
        ValueKind::Text => !is_point && held == Some(ViewColumnKind::Text),
        ValueKind::Boolean => !is_point && held == Some(ViewColumnKind::Boolean),
        ValueKind::Relationship | ValueKind::Json => false,
    };
    if !fits {
        let mend = "let numbers become numbers, texts texts, and two columns of degrees a place";
        return Some((format!("the column cannot become {name}"), mend));
    }
    let wanted = declared.unit.as_deref().and_then(unit::find);
    let given = value.unit.as_deref().and_then(unit::find);
    let good = match (wanted, given, &value.unit) {
        (None, None, None) => true,
        (Some(wanted), Some(given), Some(code)) => {
            given.code == code && unit::convert(0.0, given, wanted).is_some()
        }
        _ => false,
    };
    (!good).then(|| {
        let mend = "name the unit (UN/CEFACT) of the column's numbers, of the attribute's dimension; none where the attribute has none";
        (format!("the unit does not fit {name}"), mend)
    })
}

/// `TYPE, TYPE | COLUMN = attribute [| TIME +08:00]`.
fn way(said: &str) -> Option<TableIntake> {
    let parts: Vec<&str> = said.split('|').map(str::trim).collect();
    let (types, key, time) = match parts[..] {
        [types, key] => (types, key, None),
        [types, key, time] => (types, key, Some(time)),
        _ => return None,
    };
    let types: Vec<String> = types.split(',').map(|t| t.trim().to_owned()).collect();
    let (key, key_attribute) = pair(key)?;
    if types.iter().any(String::is_empty) {
        return None;
    }
    let time = match time {
        None => None,
        Some(said) => {
            let (column, zone) = said.split_once(' ')?;
            Some(IntakeTime {
                column: column.to_owned(),
                utc_offset_seconds: offset(zone.trim())?,
            })
        }
    };
    Some(TableIntake {
        types,
        key,
        key_attribute,
        time,
        values: Vec::new(),
    })
}

/// `COLUMN[, COLUMN] = attribute [| UNIT [| OTHER = value]]`.
fn value(said: &str) -> Option<IntakeValue> {
    let parts: Vec<&str> = said.split('|').map(str::trim).collect();
    if parts.len() > 3 {
        return None;
    }
    let (columns, attribute) = pair(parts.first()?)?;
    let columns: Vec<String> = columns.split(',').map(|c| c.trim().to_owned()).collect();
    if !(1..=2).contains(&columns.len()) || columns.iter().any(String::is_empty) {
        return None;
    }
    let unit = parts.get(1).filter(|unit| !unit.is_empty());
    let only_where = match parts.get(2) {
        None => None,
        Some(said) => Some(pair(said)?),
    };
    Some(IntakeValue {
        columns,
        attribute,
        unit: unit.map(|unit| (*unit).to_owned()),
        only_where,
    })
}

/// `LEFT = RIGHT`.
fn pair(said: &str) -> Option<(String, String)> {
    let (left, right) = said.split_once('=')?;
    let (left, right) = (left.trim(), right.trim());
    (!left.is_empty() && !right.is_empty()).then(|| (left.to_owned(), right.to_owned()))
}

/// `+08:00` in seconds.
fn offset(said: &str) -> Option<i64> {
    let (sign, clock) = match said.strip_prefix('-') {
        Some(clock) => (-1, clock),
        None => (1, said.strip_prefix('+')?),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let two = |text: &str, max: i64| -> Option<i64> {
        let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse().ok())?.filter(|n| *n <= max)
    };
    Some(sign * (two(hours, 14)? * 3_600 + two(minutes, 59)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_in_and_values_are_read() {
        let way = way("A, B | STCD = stationCode | TM +08:00").unwrap();
        assert_eq!(way.types, ["A", "B"]);
        assert_eq!(
            (way.key.as_str(), way.key_attribute.as_str()),
            ("STCD", "stationCode")
        );
        assert_eq!(way.time.unwrap().utc_offset_seconds, 28_800);
        assert_eq!(super::way("A | C = a").unwrap().time, None);
        for bad in [
            "A",
            "A | C",
            "A, | C = a",
            "A | C = a | TM",
            "A | C = a | TM 8",
            "A | C = a | TM +08:00 | x",
        ] {
            assert_eq!(super::way(bad), None, "{bad}");
        }
        let rain = value("DRP = precipitation1h | MMT | INTV = 1.00").unwrap();
        assert_eq!(rain.unit.as_deref(), Some("MMT"));
        assert_eq!(rain.only_where, Some(("INTV".into(), "1.00".into())));
        assert_eq!(
            value("LGTD, LTTD = location").unwrap().columns,
            ["LGTD", "LTTD"]
        );
        for bad in [
            "Z",
            "= a",
            "Z =",
            "A, B, C = a",
            "Z = a | MTR | x",
            "Z = a | MTR | X = 1 | y",
        ] {
            assert_eq!(value(bad), None, "{bad}");
        }
        assert_eq!(
            [offset("-03:30"), offset("+15:00"), offset("8")],
            [Some(-12_600), None, None]
        );
    }

    #[test]
    fn a_header_has_one_way_in_with_values() {
        let mut lines = Lines::default();
        assert_eq!(lines.read(), Ok(None));
        lines.value(3, "Z = waterLevel | MTR");
        assert_eq!(lines.read().unwrap_err()[0].0, 3);
        lines.way(2, "A | STCD = stationCode").unwrap();
        assert!(lines.way(4, "A | STCD = stationCode").is_err());
        assert_eq!(lines.read().unwrap().unwrap().values.len(), 1);
    }
}
