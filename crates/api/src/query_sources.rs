//! What a statement reads of the city: the tables that its text names, views and declared tables followed to theirs.

use crate::plan_towns::ENTITIES_NOW;
use indicators::due::Types;
use model::Catalogue;

/// How deep declared tables are followed to what they read.
const DEPTH_MAX: usize = 8;

/// Something that a statement reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Current values or history of things of these types.
    Things(Types),
    /// A table of people's records.
    Records(String),
    /// A table of something else.
    Other(String),
    /// A text that is no statement.
    Unreadable,
}

/// What a statement reads, and whether it asks for the time.
pub(crate) fn sources(sql: &str, catalogue: &Catalogue) -> (Vec<Source>, bool) {
    let mut found = (Vec::new(), false);
    follow(sql, catalogue, 0, &mut found);
    found
}

fn follow(
    sql: &str,
    catalogue: &Catalogue,
    depth: usize,
    (found, clock): &mut (Vec<Source>, bool),
) {
    let Ok(reads) = lake::reads(sql) else {
        found.push(Source::Unreadable);
        return;
    };
    *clock |= reads.clock;
    for (name, types) in reads.tables {
        let kind = catalogue.kinds.keys().find(|kind| {
            let kind = kind.to_lowercase();
            name == kind || name.strip_suffix("_now") == Some(kind.as_str())
        });
        let view = catalogue.views.iter().find(|view| view.name == name);
        let source = match (name.as_str(), kind, view) {
            (ENTITIES_NOW | "observations", _, _) => {
                Source::Things(types.map_or(Types::All, Types::Some))
            }
            (_, Some(kind), _) => Source::Things(Types::Some([kind.clone()].into())),
            (_, None, Some(view)) if depth < DEPTH_MAX => {
                let mut inner = (std::mem::take(found), *clock);
                follow(&view.sql, catalogue, depth + 1, &mut inner);
                (*found, *clock) = inner;
                continue;
            }
            _ if records::tables::table(&name).is_some() => Source::Records(name),
            _ => Source::Other(name),
        };
        found.push(source);
    }
}
