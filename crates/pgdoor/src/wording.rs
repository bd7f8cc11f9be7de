//! What PostgreSQL says and the lake says in other words, whatever table it is about: arrays that are written out, formats
//! of times, and clocks' readings.

use crate::dialect::{literal, null, parsed, text_of};
use crate::time_formats;
use crate::zone::Zone;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Query, TimezoneInfo,
};
use model::Problem;

/// Whether an expression is plainly a clock's reading, without a zone: `AT TIME ZONE` then says which zone it was read
/// in. All times of the city are moments.
pub(crate) fn is_reading(time: &Expr) -> bool {
    match time {
        Expr::Nested(inner) => is_reading(inner),
        Expr::Cast { data_type, .. } => is_without_zone(data_type),
        Expr::TypedString(typed) => is_without_zone(&typed.data_type),
        Expr::Function(function) => match function.name.to_string().to_ascii_lowercase().as_str() {
            "to_local_time" => true,
            "date_trunc" => match &function.args {
                FunctionArguments::List(list) => list.args.iter().any(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(time)) => is_reading(time),
                    _ => false,
                }),
                _ => false,
            },
            _ => false,
        },
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus | BinaryOperator::Minus,
            right,
        } => is_reading(left) && is_interval(right),
        _ => false,
    }
}

/// A zone after AT TIME ZONE in the lake's words, where those are others. Offsets are left as they are. Where clocks are
/// read in another zone, UTC goes by its longer name: by the short one the lake knows the zone of its columns, which nobody said.
pub(crate) fn zone_name(text: &str, reads_utc: bool) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let zone = Zone::read(text)?;
    match zone.is_utc() && !reads_utc {
        true => Some("Etc/UTC".to_owned()),
        false => (**zone.engine() != *text).then(|| zone.engine().to_string()),
    }
}

fn is_without_zone(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
    )
}

/// Functions whose second argument is a format of times.
pub(crate) const TIMES_BY_FORMAT: [&str; 3] = ["to_char", "to_timestamp", "to_date"];

/// Puts the format of such a function, when it is written out, into the lake's letters.
pub(crate) fn in_lakes_letters(function: &mut Function, is_utc: bool) -> Result<(), Problem> {
    let FunctionArguments::List(list) = &mut function.args else {
        return Ok(());
    };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(format))) = list.args.get_mut(1) else {
        return Ok(());
    };
    // One that is in those letters already stays.
    if let Some(text) = text_of(format)
        && !text.contains('%')
    {
        *format = parsed(&literal(&time_formats::translated(text, is_utc)?));
    }
    Ok(())
}

/// Whether an expression is an interval that is written out.
pub(crate) fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Interval(_) => true,
        Expr::Nested(inner) => is_interval(inner),
        Expr::Cast { data_type, .. } => matches!(data_type, DataType::Interval { .. }),
        _ => false,
    }
}

/// Columns of the catalogue that hold lists which are always null here.
const NULL_LISTS: [&str; 6] = [
    "options", "config", "polroles", "conkey", "confkey", "indkey",
];

/// The elements of an array that is written out: `ARRAY[…]`, or text such as `'{a,b}'` made an array.
pub(crate) fn elements(array: &Expr) -> Option<Vec<Expr>> {
    match array {
        Expr::Array(array) => Some(array.elem.clone()),
        Expr::Nested(inner) => elements(inner),
        Expr::Cast { expr, .. } => elements(expr),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
            let name = array.to_string();
            NULL_LISTS
                .iter()
                .any(|list| name.ends_with(list))
                .then(|| vec![null()])
        }
        _ => {
            let inner = text_of(array)?.strip_prefix('{')?.strip_suffix('}')?;
            let words = inner.split(',').map(|word| word.trim().trim_matches('"'));
            let words = words.filter(|word| !word.is_empty());
            Some(words.map(|word| parsed(&literal(word))).collect())
        }
    }
}

/// Whether a query takes the search path apart, name by name, as Grafana does to find the tables of its schemas.
pub(crate) fn is_search_path(query: &Query) -> bool {
    let text = query.to_string().to_ascii_lowercase();
    text.contains("current_setting('search_path')") && text.contains("generate_series")
}

/// `left IN (list)`, or its opposite.
pub(crate) fn listed(left: &mut Expr, list: Vec<Expr>, negated: bool) -> Expr {
    if list.is_empty() {
        return parsed(if negated { "true" } else { "false" });
    }
    Expr::InList {
        expr: Box::new(std::mem::replace(left, null())),
        list,
        negated,
    }
}
