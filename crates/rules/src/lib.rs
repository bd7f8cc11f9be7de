//! Alert rules: what is watched, and the engine that watches it. Pure: no I/O, no clock.
//!
//! A [`Rule`] is data, from a pack's `rules/*.toml`. The [`Engine`] folds updates (in the journal's
//! order) and the passing of time into [`RuleEvent`]s. Reading order: [`rule`], [`event`], [`engine`]
//! (which states how time is judged), [`state`] (what a checkpoint holds).

pub mod engine;
pub mod event;
pub mod rule;
pub mod state;

mod index;
mod text;

pub use engine::Engine;
pub use event::{Cleared, Raised, RuleEvent};
pub use rule::{Clear, Kind, Mistake, Op, Rule, Severity, Threshold};
pub use state::State;
