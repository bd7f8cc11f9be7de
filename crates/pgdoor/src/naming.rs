//! Names of a query's columns as PostgreSQL gives them, and each one of its own, which the lake asks for.

use crate::dialect::null;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr};

/// The names of a query's columns, as PostgreSQL would give them.
pub(crate) fn names(query: &Query) -> Vec<String> {
    fn select(set: &SetExpr) -> Option<&[SelectItem]> {
        match set {
            SetExpr::Select(select) => Some(&select.projection),
            SetExpr::Query(query) => select(&query.body),
            SetExpr::SetOperation { left, .. } => select(left),
            _ => None,
        }
    }
    let items = select(&query.body).unwrap_or_default();
    items
        .iter()
        .map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
            SelectItem::UnnamedExpr(expr) => unnamed(expr),
            _ => "?column?".to_owned(),
        })
        .collect()
}

fn unnamed(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => {
            parts.last().map(|p| p.value.clone()).unwrap_or_default()
        }
        Expr::Function(f) => {
            let name = f.name.to_string().to_ascii_lowercase();
            name.trim_start_matches("pg_catalog.").to_owned()
        }
        Expr::Cast { expr, .. } | Expr::Nested(expr) => unnamed(expr),
        Expr::Case { .. } => "case".to_owned(),
        _ => "?column?".to_owned(),
    }
}

/// Whether the outermost query asks for one thing twice without a name, which the lake refuses.
pub(crate) fn repeats(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return false;
    };
    let mut unnamed: Vec<String> = Vec::new();
    for item in &select.projection {
        if let SelectItem::UnnamedExpr(expr) = item {
            unnamed.push(expr.to_string());
        }
    }
    let all = unnamed.len();
    unnamed.sort_unstable();
    unnamed.dedup();
    unnamed.len() < all
}

/// Gives each column of the outermost query that has no name the one that PostgreSQL would give it, and one
/// of its own where two would be alike, which the lake refuses.
pub(crate) fn name_apart(query: &mut Query, names: &[String]) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let mut taken: Vec<String> = Vec::new();
    for (item, name) in select.projection.iter_mut().zip(names) {
        let expr = match item {
            SelectItem::ExprWithAlias { alias, .. } => {
                taken.push(alias.value.clone());
                continue;
            }
            SelectItem::UnnamedExpr(expr) => expr,
            _ => continue,
        };
        let mut unique = name.clone();
        let mut n = 1;
        while taken.contains(&unique) {
            n += 1;
            unique = format!("{name}_{n}");
        }
        let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        if !is_column || unique != *name {
            let expr = std::mem::replace(expr, null());
            *item = SelectItem::ExprWithAlias {
                expr,
                alias: Ident::with_quote('"', &unique),
            };
        }
        taken.push(unique);
    }
}
