//! What a statement reads, from its text alone: which tables, of which entity types, and whether it asks for the time. Whoever keeps an
//! answer can so tell when it must be made anew.
//!
//! It errs on one side only: where the text does not plainly restrict a table to some entity types, it reads all.

use crate::errors::syntax_problem;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, ObjectName, Query, Select, SetExpr, TableFactor, Value, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use model::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The column by which a table is restricted to entity types.
const ENTITY_TYPE: &str = "entity_type";
/// Functions whose answer changes with time.
const CLOCKS: [&str; 8] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "localtime",
    "today",
    "current_datetime",
];

/// What a statement reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// The tables that it names, in small letters, names that it gives itself left out; with the entity types to which it restricts each,
    /// `None` where it does not.
    pub tables: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Whether it asks for the time.
    pub clock: bool,
}

/// Reads a statement's text.
///
/// # Errors
/// `sql-syntax`.
pub fn reads(sql: &str) -> Result<Reads, Problem> {
    let statements = Parser::parse_sql(&GenericDialect {}, sql)
        .map_err(|error| syntax_problem(&error.to_string()))?;
    let mut found = Found::default();
    let _: ControlFlow<()> = statements.visit(&mut found);
    Ok(found.reads())
}

/// What was seen on the way through a statement.
#[derive(Default)]
struct Found {
    /// How often a table is named.
    named: BTreeMap<String, usize>,
    /// The entity types to which it is restricted, once for each time where it plainly is.
    restricted: BTreeMap<String, Vec<BTreeSet<String>>>,
    /// Names that the statement gives.
    own: BTreeSet<String>,
    clock: bool,
}

impl Found {
    fn reads(mut self) -> Reads {
        let tables = std::mem::take(&mut self.named).into_iter();
        let tables = tables.filter(|(name, _)| !self.own.contains(name));
        let tables = tables
            .map(|(name, times)| {
                let restricted = self.restricted.get(&name);
                let all = restricted.filter(|each| each.len() == times);
                let types = all.map(|each| each.iter().flatten().cloned().collect());
                (name, types)
            })
            .collect();
        Reads {
            tables,
            clock: self.clock,
        }
    }

    /// A part of a query that reads tables by name.
    fn select(&mut self, select: &Select) {
        let factors: Vec<&TableFactor> = (select.from.iter())
            .flat_map(|from| {
                let joined = from.joins.iter().map(|join| &join.relation);
                std::iter::once(&from.relation).chain(joined)
            })
            .collect();
        for factor in &factors {
            let TableFactor::Table { name, alias, .. } = factor else {
                continue;
            };
            let name = spelt(name);
            let called = alias
                .as_ref()
                .map_or_else(|| name.clone(), |a| a.name.value.to_lowercase());
            let types = select.selection.as_ref().and_then(|condition| {
                let is_alone = factors.len() == 1;
                types_of(condition, &called, is_alone)
            });
            if let Some(types) = types {
                self.restricted.entry(name).or_default().push(types);
            }
        }
    }

    fn set(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.set(left);
                self.set(right);
            }
            // Met by themselves, or naming no table.
            _ => {}
        }
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for given in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.own.insert(given.alias.name.value.to_lowercase());
        }
        self.set(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        *self.named.entry(spelt(relation)).or_default() += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            let name = function.name.to_string().to_lowercase();
            self.clock |= CLOCKS.contains(&name.as_str());
        }
        ControlFlow::Continue(())
    }
}

/// A table's name in small letters, without quotes.
fn spelt(name: &ObjectName) -> String {
    let parts = name.0.iter().map(|part| match part.as_ident() {
        Some(ident) => ident.value.to_lowercase(),
        None => part.to_string().to_lowercase(),
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The entity types to which a condition restricts the table of that name; `None` where it does not.
fn types_of(condition: &Expr, table: &str, is_alone: bool) -> Option<BTreeSet<String>> {
    let again = |e: &Expr| types_of(e, table, is_alone);
    match condition {
        Expr::Nested(inner) => again(inner),
        Expr::BinaryOp { left, op, right } => match op {
            // Either restriction is enough.
            BinaryOperator::And => again(left).or_else(|| again(right)),
            BinaryOperator::Or => {
                let (mut types, others) = again(left).zip(again(right))?;
                types.extend(others);
                Some(types)
            }
            BinaryOperator::Eq => {
                let (column, value) = if is_type(left, table, is_alone) {
                    (left, right)
                } else {
                    (right, left)
                };
                let text = is_type(column, table, is_alone).then(|| text(value))??;
                Some(BTreeSet::from([text]))
            }
            _ => None,
        },
        Expr::InList {
            expr,
            list,
            negated: false,
        } if is_type(expr, table, is_alone) => list.iter().map(text).collect(),
        _ => None,
    }
}

/// Whether it is the column of the entity type of that table.
fn is_type(expr: &Expr, table: &str, is_alone: bool) -> bool {
    match expr {
        Expr::Identifier(column) => is_alone && column.value.eq_ignore_ascii_case(ENTITY_TYPE),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [of, column] => {
                of.value.to_lowercase() == table && column.value.eq_ignore_ascii_case(ENTITY_TYPE)
            }
            _ => false,
        },
        _ => false,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each table with its types, `*` for all.
    fn told(sql: &str) -> Vec<String> {
        let found = reads(sql).unwrap();
        let tables = found.tables.iter().map(|(name, types)| match types {
            None => format!("{name}: *"),
            Some(types) => format!(
                "{name}: {}",
                types.iter().cloned().collect::<Vec<_>>().join(" ")
            ),
        });
        let clock = found.clock.then(|| "clock".to_owned());
        tables.chain(clock).collect()
    }

    #[test]
    fn tables_types_and_the_time_are_read_from_the_text() {
        for (sql, expected) in [
            ("SELECT count(*) FROM entities_now WHERE entity_type = 'A'", vec!["entities_now: A"]),
            ("SELECT 1 FROM Entities_Now AS e WHERE 'A' = e.entity_type AND x > 1", vec!["entities_now: A"]),
            (
                "SELECT 1 FROM entities_now WHERE (entity_type = 'A' AND x = 1) OR (entity_type IN ('B', 'C') AND x = 2)",
                vec!["entities_now: A B C"],
            ),
            (
                "SELECT 1 FROM \"Entities_now\" WHERE \"entity_type\" = 'A'",
                vec!["entities_now: A"],
            ),
            // One side of an OR says no type; a NOT IN; no text; the column of another table.
            ("SELECT 1 FROM entities_now WHERE entity_type = 'A' OR x = 1", vec!["entities_now: *"]),
            ("SELECT 1 FROM entities_now WHERE entity_type NOT IN ('A')", vec!["entities_now: *"]),
            ("SELECT 1 FROM entities_now WHERE entity_type = attribute", vec!["entities_now: *"]),
            (
                "SELECT 1 FROM entities_now a JOIN entities_now b ON a.x = b.x WHERE a.entity_type = 'A'",
                vec!["entities_now: *"],
            ),
            (
                "SELECT 1 FROM entities_now a JOIN devices ON true WHERE a.entity_type = 'A'",
                vec!["devices: *", "entities_now: A"],
            ),
            ("SELECT 1 FROM entities_now, devices WHERE entity_type = 'A'", vec!["devices: *", "entities_now: *"]),
            // A second mention without a restriction.
            (
                "SELECT (SELECT count(*) FROM entities_now) FROM entities_now WHERE entity_type = 'A'",
                vec!["entities_now: *"],
            ),
            (
                "WITH a AS (SELECT 1 FROM entities_now WHERE entity_type = 'A'), b AS (SELECT 2 FROM devices)
                 SELECT * FROM a UNION ALL SELECT * FROM b UNION SELECT 3 FROM cases",
                vec!["cases: *", "devices: *", "entities_now: A"],
            ),
            (
                "SELECT 1 FROM (SELECT * FROM entities_now WHERE entity_type = 'A' AND at > now() - INTERVAL '1 day') AS t",
                vec!["entities_now: A", "clock"],
            ),
            ("SELECT CURRENT_DATE", vec!["clock"]),
            ("SELECT 1 FROM cases WHERE id IN (SELECT case_id FROM case_events)", vec!["case_events: *", "cases: *"]),
        ] {
            assert_eq!(told(sql), expected, "{sql}");
        }
        assert_eq!(reads("SELECT (").unwrap_err().code, "sql-syntax");
    }
}
