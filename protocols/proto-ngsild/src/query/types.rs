//! Which entity types: `Building|House`, `(Home;Vehicle),Motorhome` (clause 4.17).

use super::alternatives;
use crate::context::{Context, Iri};
use crate::refusal::Refusal;

/// A selection of entity types, with full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Types {
    /// `*`: all of them.
    Any,
    /// An entity has all types of one of these groups.
    Of(Vec<Vec<Iri>>),
}

impl Types {
    /// Reads a selection.
    ///
    /// # Errors
    /// `BadRequestData` for what is none, `TooComplexQuery` beyond a limit.
    pub fn parse(text: &str, context: &Context) -> Result<Self, Refusal> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let groups = alternatives("type", text)?.into_iter().map(|group| {
            let names = group
                .into_iter()
                .map(|name| context.name(name).map_err(|e| e.within("type")));
            names.collect::<Result<Vec<_>, _>>()
        });
        groups.collect::<Result<_, _>>().map(Self::Of)
    }

    /// Whether an entity of these types is selected.
    pub fn is_met_by(&self, types: &[Iri]) -> bool {
        match self {
            Self::Any => true,
            Self::Of(groups) => groups
                .iter()
                .any(|group| group.iter().all(|one| types.contains(one))),
        }
    }
}
