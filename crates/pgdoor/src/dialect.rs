//! Questions about the catalogue, as clients of PostgreSQL ask them, in words that the lake knows: system
//! tables under their plain names, system functions as the constants they come to, `regclass` and its kin
//! as lookups. A statement that asks nothing of the kind is left as it was written.

use crate::catalog::{Catalog, DATABASE, OWNER, PUBLIC, SCHEMAS, is_empty_table, is_system_table};
use crate::commands::SERVER_VERSION;
use crate::expand;
use crate::naming::{name_apart, names, repeats};
use crate::procedures;
use crate::settings::PURPOSE;
use crate::types::TYPES;
use crate::wording::{
    TIMES_BY_FORMAT, elements, in_lakes_letters, is_interval, is_reading, is_search_path, listed,
    zone_name,
};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, Ident, JoinOperator, ObjectName, ObjectNamePart, Query, SelectItem, SetExpr,
    Statement, TableAlias, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use model::Problem;
use std::ops::ControlFlow;

/// What to do with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The lake answers it as it stands.
    Plain,
    /// The lake answers this in its place, with the catalogue's tables.
    Catalogue(String),
    /// The lake answers this in its place, without them.
    Reworded(String),
    /// It asks for things that do not exist here: no rows, with these columns.
    Nothing(Vec<String>),
    /// It cannot be answered.
    Refused(Problem),
}

/// Words that stand in questions about the catalogue.
const SIGNS: [&str; 29] = [
    "pg_",
    "information_schema",
    "regclass",
    "regtype",
    "regproc",
    "regnamespace",
    "current_schema",
    "current_database",
    "current_catalog",
    "current_setting",
    "current_user",
    "session_user",
    "set_config",
    "version",
    "format_type",
    "quote_ident",
    "obj_description",
    "col_description",
    "_privilege",
    "::oid",
    "::name",
    "inet_",
    // Formats and parts of times, and arrays written as text.
    "to_char",
    "to_timestamp",
    "to_date",
    "'{",
    "[]",
    "zone",
    "interval",
];

/// Reads a statement for questions about the catalogue.
pub fn read(sql: &str, catalog: &Catalog) -> Question {
    let lower = sql.to_ascii_lowercase();
    let has_sign = SIGNS.iter().any(|sign| lower.contains(sign));
    // What does not parse here is told by the lake, with its place in the text as written.
    let Ok(mut statements) = Parser::parse_sql(&PostgreSqlDialect {}, sql) else {
        return Question::Plain;
    };
    let [statement] = statements.as_mut_slice() else {
        return Question::Plain;
    };
    if !has_sign {
        return match statement {
            Statement::Query(query) if repeats(query) => {
                let names = names(query);
                name_apart(query, &names);
                Question::Reworded(statement.to_string())
            }
            _ => Question::Plain,
        };
    }
    let before = statement.to_string();
    if let Statement::Query(query) = statement {
        expand::wildcards(query);
    }
    let names = match &statement {
        Statement::Query(query) => names(query),
        _ => Vec::new(),
    };
    let mut rewrite = Rewrite {
        catalog,
        reads_catalogue: false,
        refused: None,
    };
    let _ = statement.visit(&mut rewrite);
    if let Some(problem) = rewrite.refused {
        return Question::Refused(problem);
    }
    let reads_catalogue = rewrite.reads_catalogue;
    let repeats = matches!(statement, Statement::Query(query) if repeats(query));
    if !reads_catalogue && !repeats && statement.to_string() == before {
        return Question::Plain;
    }
    if let Statement::Query(query) = statement {
        if is_empty(query) {
            return Question::Nothing(names);
        }
        name_apart(query, &names);
    }
    if reads_catalogue {
        Question::Catalogue(statement.to_string())
    } else {
        Question::Reworded(statement.to_string())
    }
}

struct Rewrite<'a> {
    catalog: &'a Catalog,
    /// Whether a system table was met.
    reads_catalogue: bool,
    /// Why it cannot be answered.
    refused: Option<Problem>,
}

/// The schema and the name of a qualified name.
fn qualified(name: &ObjectName) -> Option<(String, String)> {
    let [schema, name] = name.0.as_slice() else {
        return None;
    };
    let part = |part: &ObjectNamePart| part.as_ident().map(|i| i.value.clone());
    Some((part(schema)?.to_ascii_lowercase(), part(name)?))
}

fn plain(name: &str) -> ObjectName {
    ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))])
}

/// A system table under its plain name.
fn system_name(schema: &str, name: &str) -> Option<String> {
    match schema {
        "pg_catalog" => Some(name.to_ascii_lowercase()),
        "information_schema" => Some(format!("information_schema_{}", name.to_ascii_lowercase())),
        _ => None,
    }
}

/// The plain name of a table: of the system's own without its schema.
pub(crate) fn table_name(name: &ObjectName) -> String {
    match qualified(name) {
        Some((schema, table)) => system_name(&schema, &table).unwrap_or(table),
        None => name.to_string().to_ascii_lowercase(),
    }
}

impl VisitorMut for Rewrite<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table {
            name, alias, args, ..
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        if let Some((schema, table)) = qualified(name)
            && let Some(system) = system_name(&schema, &table)
        {
            if alias.is_none() && system != table {
                *alias = Some(TableAlias {
                    explicit: true,
                    name: Ident::with_quote('"', table),
                    columns: Vec::new(),
                    at: None,
                });
            }
            *name = plain(&system);
        }
        let name = name.to_string().to_ascii_lowercase();
        if is_system_table(&name) {
            self.reads_catalogue = true;
            *args = None;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::InSubquery {
            expr: schema,
            subquery,
            negated,
        } = expr
            && is_search_path(subquery)
        {
            *expr = listed(schema, vec![parsed(&literal(PUBLIC))], *negated);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundIdentifier(parts)
                if parts.len() == 3
                    && ["pg_catalog", "information_schema", PUBLIC]
                        .iter()
                        .any(|schema| parts[0].value.eq_ignore_ascii_case(schema)) =>
            {
                parts.remove(0);
            }
            Expr::Collate { expr: inner, .. } => {
                let inner = std::mem::replace(inner.as_mut(), null());
                *expr = inner;
            }
            Expr::BinaryOp {
                op: BinaryOperator::Multiply,
                left,
                right,
            } if is_interval(left) || is_interval(right) => {
                let (interval, number) = match is_interval(left) {
                    true => (left, right),
                    false => (right, left),
                };
                *expr = parsed(&format!("interval_times({interval}, {number})"));
            }
            Expr::BinaryOp { op, .. } => {
                if let BinaryOperator::PGCustomBinaryOperator(parts) = op
                    && let Some(plain) = parts.last().and_then(|p| operator(p))
                {
                    *op = plain;
                }
            }
            Expr::Like {
                pattern,
                escape_char,
                ..
            } => {
                // The lake escapes with a backslash alone.
                if let Some(escape) = escape_char.take() {
                    let escape = escape.to_string();
                    *pattern.as_mut() = parsed(&format!("replace({pattern}, {escape}, '\\')"));
                }
            }
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => {
                if let Some(list) = elements(right) {
                    *expr = listed(left, list, false);
                }
            }
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => {
                if let Some(list) = elements(right) {
                    *expr = listed(left, list, true);
                }
            }
            Expr::AtTimeZone {
                timestamp,
                time_zone,
            } => {
                let is_utc = self.catalog.zone.is_utc();
                if let Some(name) = text_of(time_zone).and_then(|text| zone_name(text, is_utc)) {
                    **time_zone = parsed(&literal(&name));
                }
                // PostgreSQL gives the clock's reading in that zone, the lake the same moment in another type.
                if !is_reading(timestamp) {
                    *expr = parsed(&format!("to_local_time({expr})"));
                } else if !is_utc {
                    // A moment, which from here on is one like all others.
                    *expr = parsed(&format!("CAST({expr} AS TIMESTAMP WITH TIME ZONE)"));
                }
            }
            Expr::Subquery(query) if is_empty(query) => *expr = null(),
            Expr::Subquery(query) => at_most_one_row(query),
            Expr::Exists { subquery, negated } if is_empty(subquery) => {
                *expr = parsed(if *negated { "true" } else { "false" });
            }
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr: inner,
                data_type,
                ..
            } => {
                if let Some(replacement) = self.cast(inner, data_type) {
                    *expr = replacement;
                }
            }
            Expr::Function(function) => {
                let parts = &mut function.name.0;
                if parts.len() == 2
                    && parts[0]
                        .as_ident()
                        .is_some_and(|i| i.value.eq_ignore_ascii_case("pg_catalog"))
                {
                    parts.remove(0);
                }
                let name = function.name.to_string().to_ascii_lowercase();
                let arguments = arguments(&function.args);
                if let FunctionArguments::Subquery(_) = function.args {
                    *expr = null();
                } else if TIMES_BY_FORMAT.contains(&name.as_str()) {
                    match in_lakes_letters(function, self.catalog.zone.is_utc()) {
                        Ok(()) => {}
                        Err(problem) => self.refused = Some(problem),
                    }
                } else if let Some(replacement) = self.function(&name, &arguments) {
                    *expr = parsed(&replacement);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Functions that make one row of many.
const AGGREGATES: [&str; 7] = [
    "count",
    "sum",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "bool_or",
];

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(f) => AGGREGATES.contains(&f.name.to_string().to_ascii_lowercase().as_str()),
        _ => false,
    }
}

/// Makes plain that a look into the catalogue by a number finds one row at most, which the lake asks of a
/// query that stands for a value.
fn at_most_one_row(query: &mut Query) {
    let is_plain = query.order_by.is_none() && query.limit_clause.is_none();
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let looks_up = select
        .from
        .first()
        .is_some_and(|from| match &from.relation {
            TableFactor::Table { name, .. } => is_system_table(&name.to_string()),
            _ => false,
        });
    if let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] =
        select.projection.as_mut_slice()
        && is_plain
        && looks_up
        && !is_aggregate(expr)
    {
        *expr = parsed(&format!("max({expr})"));
    }
}

pub(crate) fn null() -> Expr {
    parsed("NULL")
}

/// An expression from text written here.
pub(crate) fn parsed(text: &str) -> Expr {
    Parser::new(&PostgreSqlDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_expr())
        .unwrap_or_else(|_| Expr::Identifier(Ident::new("NULL")))
}

pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn operator(sign: &str) -> Option<BinaryOperator> {
    Some(match sign {
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        _ => return None,
    })
}

fn arguments(arguments: &FunctionArguments) -> Vec<String> {
    let FunctionArguments::List(list) = arguments else {
        return Vec::new();
    };
    let texts = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => expr.to_string(),
        other => other.to_string(),
    });
    texts.collect()
}

/// The text of a string literal.
pub(crate) fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) => text_of(inner),
        _ => None,
    }
}

/// Whether it is a parameter, cast or not.
fn is_parameter(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(value.value, Value::Placeholder(_)),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_parameter(inner),
        _ => false,
    }
}

impl Rewrite<'_> {
    fn cast(&mut self, inner: &mut Expr, to: &mut DataType) -> Option<Expr> {
        let name = to.to_string().to_ascii_lowercase().replace('"', "");
        let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
        match name {
            "regclass" => Some(match text_of(inner) {
                Some(text) => self.table_number(text),
                // A parameter gives the name as text, as clients that look keys up do.
                None if is_parameter(inner) => parsed(&self.number_of_name(&inner.to_string())),
                None => parsed(&self.table_name(&inner.to_string())),
            }),
            "regtype" => Some(match text_of(inner) {
                Some(text) => parsed(&type_number(text)),
                None => parsed(&type_name(&inner.to_string())),
            }),
            "regnamespace" if text_of(inner).is_some() => {
                let name = text_of(inner).unwrap_or_default();
                Some(parsed(&schema_number(name).to_string()))
            }
            // Functions that have no number go by their names.
            "regproc" | "regprocedure" if text_of(inner).is_some() => {
                let name = text_of(inner).unwrap_or_default();
                Some(match procedures::number(name) {
                    Some(number) => parsed(&number.to_string()),
                    None => parsed(&literal(name.trim_start_matches("pg_catalog."))),
                })
            }
            "regproc" | "regprocedure" | "regoper" | "regrole" | "regnamespace" => {
                *to = DataType::Varchar(None);
                None
            }
            "oid" | "xid" | "cid" | "int8" => {
                if let Some(name) = text_of(inner)
                    && name.trim().parse::<i64>().is_err()
                {
                    self.refused = Some(Problem::new(
                        "sql-function-unknown",
                        format!(
                            "there is no function \"{}\" to be shown",
                            model::problem::quote(name)
                        ),
                        "statement",
                        "functions here are built in and have no source; SHOW FUNCTIONS lists them",
                    ));
                }
                *to = DataType::BigInt(None);
                None
            }
            "text" | "name" | "char" | "bpchar" | "json" | "jsonb" | "unknown" | "cstring" => {
                *to = DataType::Varchar(None);
                None
            }
            _ => None,
        }
    }

    fn table_number(&self, text: &str) -> Expr {
        let id = match text.trim().parse::<i64>() {
            Ok(id) => Some(id),
            Err(_) => self.catalog.table_id(text),
        };
        // A number that no table has, so that the question finds nothing.
        parsed(&id.unwrap_or(0).to_string())
    }

    /// The number of the table with a name that is known only when the statement runs; 0 when there is none.
    fn number_of_name(&self, name: &str) -> String {
        let mut text = format!("CASE CAST({name} AS VARCHAR)");
        for (id, table) in self.catalog.numbered() {
            text += &format!(" WHEN {} THEN {id}", literal(&table.name));
        }
        text + " ELSE 0 END"
    }

    fn table_name(&self, number: &str) -> String {
        self.by_table(number, |table| table.name.clone())
    }

    fn by_table(&self, number: &str, told: impl Fn(&lake::RecordTable) -> String) -> String {
        let mut text = format!("CASE CAST({number} AS BIGINT)");
        for (id, table) in self.catalog.numbered() {
            text += &format!(" WHEN {id} THEN {}", literal(&told(table)));
        }
        text + " END"
    }

    /// What a call of a system function comes to; `None` for all other functions.
    fn function(&mut self, name: &str, arguments: &[String]) -> Option<String> {
        let argument = |n: usize| arguments.get(n).map_or("NULL", String::as_str);
        let bare = |n: usize| argument(n).trim_matches('\'').to_owned();
        Some(match name {
            "version" => literal(&format!("PostgreSQL {SERVER_VERSION}")),
            "current_database" | "current_catalog" => literal(DATABASE),
            "current_schema" => literal(PUBLIC),
            "current_schemas" if argument(0).eq_ignore_ascii_case("false") => {
                format!("ARRAY['{PUBLIC}']")
            }
            "current_schemas" => format!("ARRAY['pg_catalog', '{PUBLIC}']"),
            // How long an array is that is written out.
            "array_upper" => match elements(&parsed(argument(0))) {
                Some(list) => list.len().to_string(),
                None => return None,
            },
            "current_user" | "session_user" | "user" | "current_role" => {
                literal(&self.catalog.user)
            }
            "pg_get_userbyid" => literal(OWNER),
            "format_type" => type_name(argument(0)),
            name if name.starts_with("pg_") && name.ends_with("_is_visible") => "true".into(),
            name if name.starts_with("has_") && name.ends_with("_privilege") => "true".into(),
            "pg_is_in_recovery" | "pg_is_other_temp_schema" => "false".into(),
            "pg_get_expr"
            | "pg_get_constraintdef"
            | "pg_get_indexdef"
            | "pg_get_viewdef"
            | "pg_get_ruledef"
            | "pg_get_triggerdef"
            | "pg_get_partkeydef"
            | "pg_get_serial_sequence"
            | "pg_get_statisticsobjdef_columns"
            | "pg_get_function_identity_arguments"
            | "pg_tablespace_location"
            | "pg_size_pretty"
            | "pg_get_functiondef"
            | "pg_get_function_sqlbody"
            | "pg_get_function_arguments"
            | "pg_get_function_result"
            | "array_remove"
            | "shobj_description"
            | "col_description"
            | "inet_server_addr"
            | "inet_client_addr" => "CAST(NULL AS VARCHAR)".into(),
            "inet_server_port" | "inet_client_port" => "CAST(NULL AS BIGINT)".into(),
            "obj_description" => self.by_table(argument(0), |table| table.description.clone()),
            "pg_relation_size"
            | "pg_total_relation_size"
            | "pg_table_size"
            | "pg_indexes_size"
            | "pg_database_size"
            | "pg_my_temp_schema"
            | "txid_current" => "0".into(),
            "pg_stat_get_numscans" | "pg_stat_get_tuples_returned" => "0".into(),
            "pg_relation_is_publishable" => "false".into(),
            "getdatabaseencoding" => "'UTF8'".into(),
            "pg_char_to_encoding" => "6".into(),
            // Whoever may see a table may read it, and nobody may more.
            "array_to_string" if argument(0).ends_with("relacl") => {
                format!("btrim({}, '{{}}')", argument(0))
            }
            // Other privileges and options are null, and lists of what does not exist are too.
            "array_to_string"
                if argument(0) == "NULL"
                    || ["acl", "options", "config"]
                        .iter()
                        .any(|w| argument(0).contains(w)) =>
            {
                "CAST(NULL AS VARCHAR)".into()
            }
            "pg_encoding_to_char" => "'UTF8'".into(),
            "pg_backend_pid" => self.catalog.connection.to_string(),
            "pg_postmaster_start_time" => "now()".into(),
            "quote_ident" => argument(0).to_owned(),
            // A zone that is not set would be believed to be.
            "set_config" if bare(0).eq_ignore_ascii_case("timezone") => {
                self.refused = Some(Problem::new(
                    "sql-not-supported",
                    "set_config sets no zone here",
                    "statement",
                    "send SET TIME ZONE",
                ));
                return None;
            }
            // Nor would values be shown for a purpose that is not stated.
            "set_config" if bare(0).eq_ignore_ascii_case(PURPOSE) => {
                self.refused = Some(Problem::new(
                    "sql-not-supported",
                    "set_config states no purpose here",
                    "statement",
                    "send SET jingling.purpose = 'word'",
                ));
                return None;
            }
            "set_config" => argument(1).to_owned(),
            "pg_advisory_unlock_all" => "CAST(NULL AS VARCHAR)".into(),
            "current_setting" if !argument(0).starts_with('\'') => {
                let mut text = format!("CASE lower({})", argument(0));
                for (name, value) in &self.catalog.settings {
                    text += &format!(" WHEN {} THEN {}", literal(name), literal(value));
                }
                text + " END"
            }
            "current_setting" => {
                let wanted = bare(0).to_ascii_lowercase();
                let found = self.catalog.settings.iter().find(|s| s.0 == wanted);
                found.map_or_else(|| "CAST(NULL AS VARCHAR)".to_owned(), |s| literal(&s.1))
            }
            "to_regclass" => match argument(0).starts_with('\'') {
                true => self.table_number(&bare(0)).to_string(),
                false => return None,
            },
            "to_regtype" => type_number(&bare(0)),
            _ => return None,
        })
    }
}

/// Long names of types that only the catalogue speaks of.
const LONG_NAMES: [(i64, &str); 7] = [
    (18, "\"char\""),
    (19, "name"),
    (26, "oid"),
    (705, "unknown"),
    (1042, "character"),
    (1043, "character varying"),
    (1186, "interval"),
];

/// The number of a schema by its name; 0 when there is none.
fn schema_number(name: &str) -> i64 {
    SCHEMAS
        .iter()
        .find(|s| s.1 == name.trim_matches('"'))
        .map_or(0, |s| s.0)
}

/// The name of a type by its number.
fn type_name(number: &str) -> String {
    let mut text = format!("CASE CAST({number} AS BIGINT)");
    for (_, id, _, _, long) in TYPES {
        text += &format!(" WHEN {id} THEN '{long}'");
    }
    for (id, name) in LONG_NAMES {
        text += &format!(" WHEN {id} THEN '{name}'");
    }
    format!("{text} ELSE CASE WHEN {number} IS NULL THEN NULL ELSE '???' END END")
}

/// The number of a type by its name.
fn type_number(name: &str) -> String {
    let name = name.trim_start_matches("pg_catalog.");
    let found = TYPES.iter().find(|t| t.3 == name || t.4 == name);
    found.map_or_else(|| "NULL".to_owned(), |t| t.1.to_string())
}

/// Whether a query reads, joined to all else, a table of things that do not exist here.
fn is_empty(query: &Query) -> bool {
    fn factor(factor: &TableFactor) -> bool {
        match factor {
            TableFactor::Table { name, .. } => is_empty_table(&table_name(name)),
            TableFactor::Derived { subquery, .. } => is_empty(subquery),
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => joined(table_with_joins),
            _ => false,
        }
    }
    // A left join keeps the left side, whatever is on the right; the others here keep what both have.
    fn joined(from: &TableWithJoins) -> bool {
        factor(&from.relation)
            || from.joins.iter().any(|join| {
                let inner = matches!(
                    join.join_operator,
                    JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_)
                );
                inner && factor(&join.relation)
            })
    }
    fn body(set: &SetExpr) -> bool {
        match set {
            SetExpr::Select(select) => {
                let aggregates = select.projection.iter().any(|item| match item {
                    SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                        is_aggregate(expr)
                    }
                    _ => false,
                });
                let groups = match &select.group_by {
                    GroupByExpr::Expressions(groups, _) => !groups.is_empty(),
                    GroupByExpr::All(_) => true,
                };
                // An aggregate over nothing has one row, but no group has none.
                (groups || !aggregates) && select.from.iter().any(joined)
            }
            SetExpr::Query(query) => is_empty(query),
            SetExpr::SetOperation { left, right, .. } => body(left) && body(right),
            _ => false,
        }
    }
    query.with.is_none() && body(&query.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;
    use lake::{ColumnKind, NoRecords, RecordTable};
    use std::sync::Arc;

    fn catalog() -> Catalog {
        let table = |name: &str| RecordTable {
            name: name.into(),
            description: format!("the table {name}"),
            columns: vec![("entity_id".into(), ColumnKind::Text)],
        };
        Catalog {
            tables: Arc::new(vec![table("observations"), table("WaterObserved")]),
            views: Arc::new(["WaterObserved".to_owned()].into()),
            declared: Arc::default(),
            user: "wang".into(),
            settings: vec![("server_version_num".into(), "150000".into())],
            zone: Zone::default(),
            connection: 7,
            lent: Arc::new(NoRecords),
        }
    }

    fn rewritten(sql: &str) -> String {
        match read(sql, &catalog()) {
            Question::Catalogue(sql) | Question::Reworded(sql) => sql,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn what_asks_nothing_of_the_catalogue_stays() {
        for sql in [
            "SELECT * FROM observations",
            "SELECT count(*) FROM \"WaterObserved\" WHERE \"waterLevel\" > $1",
            "SELECT 'version'",
            "SELECT pg_ FROM",
        ] {
            assert_eq!(read(sql, &catalog()), Question::Plain, "{sql}");
        }
    }

    #[test]
    fn the_catalogue_may_be_named_without_its_schema() {
        assert_eq!(
            rewritten("SELECT relname FROM pg_class"),
            "SELECT relname FROM pg_class"
        );
    }

    #[test]
    fn what_is_asked_for_twice_gets_names_of_its_own() {
        for (sql, expected) in [
            (
                "SELECT NULL, NULL, 'r' AS kind",
                "SELECT NULL AS \"?column?\", NULL AS \"?column?_2\", 'r' AS kind",
            ),
            (
                "SELECT entity_id, entity_id FROM observations",
                "SELECT entity_id, entity_id AS \"entity_id_2\" FROM observations",
            ),
        ] {
            assert_eq!(rewritten(sql), expected);
        }
        let apart = "SELECT a.entity_id, b.entity_id FROM observations a, observations b";
        assert_eq!(read(apart, &catalog()), Question::Plain);
    }

    #[test]
    fn functions_and_casts_come_to_what_they_are() {
        assert!(rewritten("SELECT version()").starts_with("SELECT 'PostgreSQL 15.0 (Jingling"));
        assert_eq!(
            rewritten("SELECT current_user, pg_catalog.current_database()"),
            "SELECT 'wang' AS \"current_user\", 'city' AS \"current_database\""
        );
        assert_eq!(
            rewritten("SELECT 1 WHERE 16385 = '\"WaterObserved\"'::regclass"),
            "SELECT 1 AS \"?column?\" WHERE 16385 = 16385"
        );
        assert_eq!(
            rewritten("SELECT c.oid::pg_catalog.regclass::text AS t FROM pg_catalog.pg_class c"),
            "SELECT CASE CAST(c.oid AS BIGINT) WHEN 16384 THEN 'observations' WHEN 16385 THEN 'WaterObserved' END::VARCHAR AS t FROM pg_class c"
        );
        assert_eq!(
            rewritten(
                "SELECT relname FROM pg_class WHERE relname OPERATOR(pg_catalog.~) '^(a)$' COLLATE pg_catalog.default"
            ),
            "SELECT relname FROM pg_class WHERE relname ~ '^(a)$'"
        );
        assert_eq!(
            rewritten(
                "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE $1 || '%' ESCAPE '/'"
            ),
            r"SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE replace($1 || '%', '/', '\')"
        );
        assert_eq!(
            rewritten(
                "SELECT table_name FROM information_schema.tables WHERE tables.table_schema = 'public'"
            ),
            "SELECT table_name FROM information_schema_tables AS \"tables\" WHERE tables.table_schema = 'public'"
        );
    }

    #[test]
    fn what_does_not_exist_is_answered_with_no_rows() {
        let nothing = |sql| match read(sql, &catalog()) {
            Question::Nothing(names) => names,
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(
            nothing(
                "SELECT pol.polname, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) FROM pg_catalog.pg_policy pol WHERE pol.polrelid = '16384' ORDER BY 1"
            ),
            ["polname", "pg_get_expr"]
        );
        assert_eq!(
            nothing(
                "SELECT c.oid FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i WHERE c.oid = i.inhparent"
            ),
            ["oid"]
        );
        // As the ODBC driver nests what it asks about keys.
        assert_eq!(
            nothing(
                "SELECT ref.conname FROM ((((SELECT conname, conrelid, generate_series(1, 2) AS i FROM pg_constraint) ref INNER JOIN pg_class c ON c.oid = ref.conrelid) INNER JOIN pg_namespace n ON n.oid = c.relnamespace) LEFT OUTER JOIN pg_index x ON true)"
            ),
            ["conname"]
        );
        // A left join keeps the left side.
        rewritten(
            "SELECT a.attname, d.adbin FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON a.attrelid = d.adrelid",
        );
    }

    #[test]
    fn wildcards_over_the_catalogue_become_columns_of_names_of_their_own() {
        let sql = rewritten(
            "SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT JOIN pg_description d ON true",
        );
        assert_eq!(
            sql,
            "SELECT n.oid, n.oid AS \"oid_2\", n.nspname, n.nspowner, n.nspacl, d.description FROM pg_namespace n LEFT JOIN pg_description d ON true"
        );
        // Of other tables they stay.
        assert!(rewritten("SELECT x.* FROM (SELECT version()) x").starts_with("SELECT x.* FROM"));
    }

    #[test]
    fn arrays_that_are_written_out_become_lists() {
        for (asked, expected) in [
            (
                "SELECT 1 FROM pg_class WHERE relname = ANY(current_schemas(true))",
                "relname IN ('pg_catalog', 'public')",
            ),
            (
                "SELECT 1 FROM pg_class WHERE relname <> ALL ('{a,\"b\"}'::text[])",
                "relname NOT IN ('a', 'b')",
            ),
            (
                "SELECT 1 FROM pg_class WHERE relname <> ALL ('{}'::text[])",
                "WHERE true",
            ),
            (
                "SELECT 1 FROM pg_class WHERE 'x' = ANY (reloptions)",
                "'x' IN (NULL)",
            ),
        ] {
            let sql = rewritten(asked);
            assert!(sql.contains(expected), "{sql}");
        }
    }

    #[test]
    fn times_are_asked_for_in_the_lakes_letters() {
        let reworded = |sql: &str| match read(sql, &catalog()) {
            Question::Reworded(sql) => sql,
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(
            reworded("SELECT to_char(observed_at, 'YYYY-MM-DD HH24:MI') FROM observations"),
            "SELECT to_char(observed_at, '%Y-%m-%d %H:%M') AS \"to_char\" FROM observations"
        );
        assert_eq!(
            reworded(
                "SELECT (observed_at AT TIME ZONE 'Asia/Shanghai')::date AS d FROM observations"
            ),
            "SELECT (to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai'))::DATE AS d FROM observations"
        );
        assert_eq!(
            reworded(
                "SELECT observed_at + INTERVAL '5 minutes' * floor(x / 5) AS t FROM observations"
            ),
            "SELECT observed_at + interval_times(INTERVAL '5 minutes', FLOOR(x / 5)) AS t FROM observations"
        );
        for stays in [
            "SELECT now() - INTERVAL '7 days'",
            "SELECT TIMESTAMP '2026-11-23 08:00' AT TIME ZONE 'Asia/Shanghai'",
            "SELECT to_char(observed_at, '%Y') FROM observations",
            "SELECT to_timestamp(1.5)",
        ] {
            assert_eq!(read(stays, &catalog()), Question::Plain, "{stays}");
        }
        for (refused, code) in [
            (
                "SELECT to_char(observed_at, 'J') FROM observations",
                "sql-not-supported",
            ),
            ("SELECT 'flood'::regproc::oid", "sql-function-unknown"),
        ] {
            match read(refused, &catalog()) {
                Question::Refused(problem) => assert_eq!(problem.code, code),
                other => panic!("{refused}: {other:?}"),
            }
        }
    }

    #[test]
    fn zones_are_named_as_the_lake_names_them() {
        let mut catalog = catalog();
        let reworded = |catalog: &Catalog, sql: &str| match read(sql, catalog) {
            Question::Reworded(sql) => sql,
            other => panic!("{sql}: {other:?}"),
        };
        let sql = "SELECT TIMESTAMP '2026-11-23 08:00' AT TIME ZONE 'asia/shanghai' AS t";
        assert!(reworded(&catalog, sql).contains("ZONE 'Asia/Shanghai'"));
        let sql = "SELECT TIMESTAMP '2026-11-23 08:00' AT TIME ZONE 'UTC' AS t";
        assert_eq!(read(sql, &catalog), Question::Plain);
        let zoned = "SELECT to_char(observed_at, 'HH24 TZ') FROM observations";
        assert!(reworded(&catalog, zoned).contains("'%H UTC'"));
        catalog.zone = Zone::read("Asia/Shanghai").unwrap();
        // Moments of the lake are of the zone UTC; this one is said to be.
        assert!(reworded(&catalog, sql).contains("ZONE 'Etc/UTC'"));
        let purpose = "SELECT set_config('jingling.purpose', 'emergency', false)";
        for refused in [
            zoned,
            "SELECT set_config('TimeZone', 'PRC', false)",
            purpose,
        ] {
            match read(refused, &catalog) {
                Question::Refused(problem) => assert_eq!(problem.code, "sql-not-supported"),
                other => panic!("{refused}: {other:?}"),
            }
        }
        // A day by one zone's clock, and the moment at which it began.
        let sql = "SELECT date_trunc('day', observed_at AT TIME ZONE 'PRC') AT TIME ZONE 'PRC' AS t FROM observations";
        assert_eq!(
            reworded(&catalog, sql),
            "SELECT CAST(date_trunc('day', to_local_time(observed_at AT TIME ZONE 'PRC')) AT TIME ZONE 'PRC' AS TIMESTAMP WITH TIME ZONE) AS t FROM observations"
        );
    }

    #[test]
    fn a_look_by_a_number_finds_one_row_at_most() {
        assert_eq!(
            rewritten(
                "SELECT a.attname, (SELECT t.typname FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) AS t FROM pg_catalog.pg_attribute a"
            ),
            "SELECT a.attname, (SELECT max(t.typname) FROM pg_type t WHERE t.oid = a.atttypid) AS t FROM pg_attribute a"
        );
    }

    #[test]
    fn a_correlated_look_at_nothing_is_null() {
        assert_eq!(
            rewritten(
                "SELECT a.attname, (SELECT d.adbin FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid) FROM pg_catalog.pg_attribute a"
            ),
            "SELECT a.attname, NULL AS \"?column?\" FROM pg_attribute a"
        );
    }
}
