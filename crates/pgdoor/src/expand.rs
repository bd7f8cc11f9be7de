//! `alias.*` over tables of the system catalogue as the columns that it stands for: clients ask for `c.oid, c.*`, where the
//! same column comes twice, and the lake refuses two columns of one name until each has one of its own.

use crate::catalog::columns_of;
use crate::dialect::table_name;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor,
};

/// Expands the wildcards of the outermost query that stand for columns of system tables.
pub(crate) fn wildcards(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let tables = tables(select);
    let mut items = Vec::with_capacity(select.projection.len());
    for item in std::mem::take(&mut select.projection) {
        let columns = match &item {
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = name.to_string().replace('"', "");
                let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
                let mut tables = tables.iter();
                let found = tables.find(|(alias, _)| alias.value.eq_ignore_ascii_case(&name));
                found.and_then(|(alias, system)| columns(alias, system.as_deref()?))
            }
            SelectItem::Wildcard(_) => {
                let all = tables
                    .iter()
                    .map(|(alias, system)| columns(alias, system.as_deref()?));
                all.collect::<Option<Vec<_>>>().map(|all| all.concat())
            }
            _ => None,
        };
        match columns {
            Some(columns) if !columns.is_empty() => items.extend(columns),
            _ => items.push(item),
        }
    }
    select.projection = items;
}

/// The tables of FROM, each by the name that columns are written behind, with its system name if it has one.
fn tables(select: &Select) -> Vec<(Ident, Option<String>)> {
    let factors = select.from.iter().flat_map(|from| {
        std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
    });
    let named = factors.map(|factor| match factor {
        TableFactor::Table { name, alias, .. } => {
            let system = table_name(name);
            let own = name.0.last().and_then(|part| part.as_ident());
            let alias = alias.as_ref().map(|alias| &alias.name).or(own);
            (
                alias.cloned().unwrap_or_else(|| Ident::new("")),
                Some(system),
            )
        }
        TableFactor::Derived { alias, .. } => {
            let alias = alias.as_ref().map(|alias| alias.name.clone());
            (alias.unwrap_or_else(|| Ident::new("")), None)
        }
        _ => (Ident::new(""), None),
    });
    named.collect()
}

/// The columns of a system table as items; `None` for every other table.
fn columns(alias: &Ident, system: &str) -> Option<Vec<SelectItem>> {
    let items = columns_of(system)?.map(|column| {
        let parts = vec![alias.clone(), Ident::new(column)];
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts))
    });
    Some(items.collect())
}
