//! What is asked of entities: [`q`] (clause 4.9), [`geo`] (4.10), [`types`] (4.17), [`scope`] (4.19), [`order`] (4.23). Each is
//! parsed with the request's context, so that what is kept has full names, and is then asked of expanded entities.

pub mod eval;
pub mod geo;
pub mod order;
pub mod path;
pub mod q;
pub mod scope;
pub mod types;

use crate::refusal::{ErrorType, Refusal, bad};
use model::problem::{both, quote};

/// Longest text of one query, in bytes.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;
/// Most conditions in one query.
pub const QUERY_CONDITIONS_MAX: usize = 256;
/// Deepest nesting of parentheses or of linked entities.
pub const QUERY_DEPTH_MAX: usize = 16;

/// A mistake in the text of `parameter`, at a place counted in characters from 1.
fn mistake(parameter: &str, text: &str, at: usize, zh: &str, en: &str) -> Refusal {
    let rest = quote(text.get(at..).unwrap_or_default());
    let n = text.get(..at).unwrap_or(text).chars().count() + 1;
    bad(
        "query-syntax",
        parameter,
        (
            format!("第 {n} 个字符“{rest}”处：{zh}"),
            format!("at character {n}, \"{rest}\": {en}"),
        ),
        (
            "语法见 ETSI GS CIM 009 第 4.9、4.10、4.17、4.19、4.23 条",
            "the languages of queries are in clauses 4.9, 4.10, 4.17, 4.19 and 4.23 of ETSI GS CIM 009",
        ),
    )
}

fn too_complex(parameter: &str, limit: &str, max: usize) -> Refusal {
    Refusal::new(
        ErrorType::TooComplexQuery,
        "query-limit",
        both(
            format!("查询超过限制：{limit} 最多 {max}"),
            format!("the query is beyond the limit {limit}, {max}"),
        ),
        parameter,
        both(
            "请缩短，或分几次查询",
            "make it shorter, or ask in several queries",
        ),
    )
}

fn check_length(parameter: &str, text: &str) -> Result<(), Refusal> {
    if text.len() <= QUERY_BYTES_MAX {
        return Ok(());
    }
    Err(too_complex(parameter, "query_bytes_max", QUERY_BYTES_MAX))
}

/// Splits `a|(b;c),d` into alternatives of which each is a list of what must hold together.
fn alternatives<'t>(parameter: &str, text: &'t str) -> Result<Vec<Vec<&'t str>>, Refusal> {
    check_length(parameter, text)?;
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let (group, used) = match rest.strip_prefix('(') {
            Some(inner) => {
                let Some(end) = inner.find(')') else {
                    return Err(mistake(
                        parameter,
                        text,
                        at,
                        "缺少右括号",
                        "the parenthesis is not closed",
                    ));
                };
                let parts: Vec<&str> = inner
                    .get(..end)
                    .unwrap_or_default()
                    .split(';')
                    .map(str::trim)
                    .collect();
                (parts, end + 2)
            }
            None => {
                let end = rest.find(['|', ',', ';', '(', ')']).unwrap_or(rest.len());
                (vec![rest.get(..end).unwrap_or_default().trim()], end)
            }
        };
        if group
            .iter()
            .any(|part| part.is_empty() || part.contains(['(', '|', ',']))
        {
            return Err(mistake(
                parameter,
                text,
                at,
                "此处应有一个名称",
                "a name belongs here",
            ));
        }
        out.push(group);
        if out.len() > QUERY_CONDITIONS_MAX {
            return Err(too_complex(
                parameter,
                "query_conditions_max",
                QUERY_CONDITIONS_MAX,
            ));
        }
        at += used;
        match text.get(at..).unwrap_or_default().chars().next() {
            None => return Ok(out),
            Some('|' | ',') => at += 1,
            Some(_) => {
                return Err(mistake(
                    parameter,
                    text,
                    at,
                    "此处应为 | 或 ,",
                    "`|` or `,` belongs here",
                ));
            }
        }
    }
}
