//! Scopes (clause 4.18) and which of them: `/Madrid/+/ParqueNorte`, `/Madrid/#`, `(/A;/B)|/C` (clause 4.19).

use super::{alternatives, mistake};
use crate::refusal::{Refusal, bad};
use model::problem::quote;

/// Checks a scope.
///
/// # Errors
/// `BadRequestData` when it is none.
pub fn check(scope: &str) -> Result<(), Refusal> {
    if levels(scope).all(is_level) {
        return Ok(());
    }
    let shown = quote(scope);
    Err(bad(
        "scope-format",
        "scope",
        (
            format!("“{shown}”不是范围"),
            format!("\"{shown}\" is not a scope"),
        ),
        (
            "请用 / 分开各级，每级以字母开头，例如 /天门/竟陵",
            "separate levels by /, each beginning with a letter, such as /Tianmen/Jingling",
        ),
    ))
}

fn levels(scope: &str) -> impl Iterator<Item = &str> {
    scope.strip_prefix('/').unwrap_or(scope).split('/')
}

fn is_level(level: &str) -> bool {
    level.starts_with(char::is_alphabetic) && level.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A selection of scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// `/#`: any scope at all.
    Any,
    /// An entity has scopes for all patterns of one of these groups.
    Of(Vec<Vec<Pattern>>),
}

/// Levels of a scope, of which some may be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The levels; `None` for any.
    levels: Vec<Option<Box<str>>>,
    /// Whether what lies below is meant too.
    is_tree: bool,
}

impl Scopes {
    /// Reads a selection.
    ///
    /// # Errors
    /// `BadRequestData` for what is none, `TooComplexQuery` beyond a limit.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text == "/#" {
            return Ok(Self::Any);
        }
        let groups = alternatives("scopeQ", text)?.into_iter().map(|group| {
            let patterns = group.into_iter().map(|part| {
                pattern(part).ok_or_else(|| {
                    let at = text.find(part).unwrap_or_default();
                    mistake("scopeQ", text, at, "不是范围", "is not a scope")
                })
            });
            patterns.collect::<Result<Vec<_>, _>>()
        });
        groups.collect::<Result<_, _>>().map(Self::Of)
    }

    /// Whether an entity of these scopes is selected.
    pub fn is_met_by(&self, scopes: &[Box<str>]) -> bool {
        match self {
            Self::Any => !scopes.is_empty(),
            Self::Of(groups) => groups.iter().any(|group| {
                group
                    .iter()
                    .all(|pattern| scopes.iter().any(|scope| pattern.is_met_by(scope)))
            }),
        }
    }
}

fn pattern(text: &str) -> Option<Pattern> {
    let (text, is_tree) = match text.strip_suffix("/#") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let levels = levels(text).map(|level| match level {
        "+" => Some(None),
        level => is_level(level).then(|| Some(level.into())),
    });
    Some(Pattern {
        levels: levels.collect::<Option<_>>()?,
        is_tree,
    })
}

impl Pattern {
    fn is_met_by(&self, scope: &str) -> bool {
        let mut found = levels(scope);
        let all = self.levels.iter().all(|wanted| {
            let level = found.next();
            level.is_some_and(|level| wanted.as_deref().is_none_or(|wanted| wanted == level))
        });
        all && (self.is_tree || found.next().is_none())
    }
}
