//! Packs (专题包): the contract of a thematic system's declarations, their loader and their validator.
//!
//! A pack is a folder with fixed furniture (`pack.toml`, `quality.toml`, `README.md`, `entities/`,
//! `rules/`, `workflows/`, `categories/`, `indicators/`, `views/`, `runbooks/`, `responses/`, `runs/`, `bulletins/`, `returns/`, `elements.toml`, `tables/`, `strings/`, `mappings/`, `scenarios/`;
//! the plan's pack also `plan.toml`, `plan.txt`, `contradictions.toml`, `goals-by-paragraph.toml`, `targets.toml`). It comes from the binary
//! ([`embedded`]) or from a folder. Every mistake is told with file and line, all at once.
//!
//! Reading order: [`declare`] (what the files hold), [`files`], [`load`] (reading one pack),
//! [`check`] (what must fit together, classes of cases in `categories`), [`packs`] (all packs of a city), [`scenario`] (given / when / then, played),
//! `words` (what values are called), `tables` (tables declared as SQL, `table_intake` their way in), [`schema`] (context, JSON Schema and form of the types), [`scaffold`] (a new pack),
//! [`forms`] (data elements and reporting forms), [`goals`] (the goals of the plan's text), [`reload`] (what may change while a city runs), [`engines`] (a pack's mathematics over files).

pub mod bulletins;
mod categories;
pub mod check;
pub mod declare;
pub mod engines;
pub mod files;
pub mod forms;
pub mod goals;
pub mod load;
pub mod packs;
pub mod plans;
pub mod reload;
pub mod scaffold;
pub mod scenario;
pub mod schema;
pub mod targets;

mod document;
mod isolines;
mod responses;
mod run_definitions;
mod systems;
mod table_intake;
mod tables;
mod words;

pub use check::{check, verify_quotes};
pub use declare::{
    Board, CaseBoard, Chart, Choice, Contradiction, EntryField, EntryForm, Layer, Manifest,
    Mapping, MappingDoor, MappingField, Plan, QualityRule, QualityState, Runbook, System,
    SystemPart, Table, View,
};
pub use files::{Files, Folder, Limits, embedded};
pub use isolines::{IsolineLevel, IsolineMethod, Isolines, Ramp};
pub use load::Pack;
pub use packs::Packs;
pub use plans::{CityPlan, Phase};
pub use run_definitions::unknown_engines;
pub use scaffold::scaffold;
