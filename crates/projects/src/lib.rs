//! Key projects (重点项目) of the plan: what one is, how it stands on a given day by stated rules, what the monthly dispatch (月调度)
//! is owed, which reminders (督办) are due, and how units are assessed (督导考核). Pure: the day comes with the call.
//!
//! Reading order: [`declared`] (what the plan's boxes say), [`kept`] (what people keep of a project), [`check`] (what is refused),
//! [`status`] (milestones, money, the whole), [`months`] (who owes a report for which month), [`reminders`], [`assess`],
//! [`packages`] (what is published for investors), [`history`] (what was kept of a project at an earlier time).

pub mod assess;
pub mod check;
pub mod declared;
pub mod history;
pub mod kept;
pub mod months;
pub mod packages;
pub mod reminders;
pub mod status;

pub use declared::{Declared, DeclaredFile};
pub use kept::{Change, Kept, Stage};
pub use months::Month;
