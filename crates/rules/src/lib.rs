//! Alert rules: what is watched, and the engine that watches it. Pure: no I/O, no clock.
//!
//! A [`Rule`] is data, from a pack's `rules/*.toml`. The [`Engine`] folds updates (in the journal's
//! order) and the passing of time into [`RuleEvent`]s. Reading order: [`rule`], [`check`] (what can be wrong), [`area`],
//! [`expression`] (CEL and its bounds), [`event`], [`engine`] (which states how time is judged and what holds an alert back),
//! [`state`] (what a checkpoint holds), [`back_test`] (the engine over a past period).

pub mod area;
pub mod back_test;
pub mod check;
pub mod engine;
pub mod event;
pub mod expression;
pub mod maintenance;
pub mod rule;
pub mod state;

mod index;
mod schedule;
mod text;

pub use area::Area;
pub use back_test::{BackTest, Report, back_test};
pub use engine::Engine;
pub use event::{Cleared, Failed, NamedValue, Raised, RuleEvent};
pub use maintenance::Maintenance;
pub use rule::{
    Bound, Clear, During, Kind, Mistake, Op, Outlook, Rule, Severity, Storm, Suppressor, Threshold,
    When,
};
pub use state::{Held, State};
