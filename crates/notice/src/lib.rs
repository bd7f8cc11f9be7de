//! Telling people (通知): what happened (alerts, steps of cases, security events) becomes messages to whom the rules name, over
//! the pages, e-mail, webhooks, SMS and voice; durable, with retries, quiet hours, limits, digests and escalation.
//!
//! Events are read from the records with positions of this crate's own, and the messages are written in the transaction that
//! moves a position: a crash loses none and plans none twice. A message is sent at least once; its key stays the same, so that
//! a receiver can tell. The senders, who may see what and whom an alert affects are traits: nothing here knows HTTP, SMTP, a policy,
//! or the twin.
//!
//! Reading order: [`event`], [`affected`], [`doubt`], [`rule`], [`quiet`], [`plan`], [`retry`], [`flood`], [`text`] (all pure), [`sender`], then [`office`],
//! which does it.

pub mod affected;
pub mod doubt;
pub mod event;
pub mod flood;
mod fold;
pub mod office;
pub mod people;
pub mod plan;
pub mod quiet;
pub mod reach;
pub mod retry;
pub mod rule;
pub mod sender;
pub mod text;

pub use affected::{Affected, Place};
pub use doubt::{Doubt, Doubting};
pub use event::Event;
pub use office::{City, Office, Options, Report};
pub use rule::{Level, Rule, Target};
pub use sender::{NotSent, Outgoing, Reach, Sender, Taken};
