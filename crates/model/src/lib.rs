//! The city's nouns as plain data: entities, attributes, updates, observations, places, quantities
//! with units, time and typed ids. No I/O, no async, no clock: whoever needs "now" is given it.
//!
//! Reading order: [`ids`], [`time`], [`value`], [`unit`], [`update`], [`record`] (what the journal
//! holds), [`kind`] (entity types), [`command`] (what they can be told), [`table_view`] (tables that packs declare), [`forecast`], [`calendar`] (working time), [`problem`] (how an error is told).

pub mod calendar;
pub mod command;
pub mod forecast;
pub mod ids;
pub mod kind;
pub mod problem;
pub mod record;
pub mod shared;
pub mod sheet;
pub mod table_view;
pub mod time;
pub mod unit;
pub mod update;
pub mod value;

pub use calendar::{Calendars, WorkingCalendar};
pub use command::{
    CommandAct, CommandApproval, CommandKind, CommandValue, CommandWord, Interlock, Meaning,
    NumberOf,
};
pub use forecast::{Forecast, ForecastPoint};
pub use ids::{AttributeName, DeviceId, EntityId, TypeName};
pub use kind::{
    AffectedKind, AttributeKind, Catalogue, Counted, EntityKind, ForecastKind, HistoryKind,
    MaskKind, MissingUnit, Personal, RollupKind, RollupSpan, Standard, ValueKind,
};
pub use problem::{Both, Problem, Told};
pub use record::{Accepted, CORRECTION_DOOR, Corrected, Corrector, Record, Rejected, Retained};
pub use shared::{Shared, WeakShared};
pub use table_view::{IntakeTime, IntakeValue, TableIntake, TableView, ViewColumn, ViewColumnKind};
pub use time::Timestamp;
pub use update::{AttributeUpdate, Quality, Update};
pub use value::{Geometry, Value};
