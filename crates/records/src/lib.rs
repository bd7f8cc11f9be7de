//! Rows that people change: users, devices, alerts, cases, reports, the audit trail. One set of queries
//! and compiled-in migrations over `sqlx`'s `Any` driver, on SQLite today, written so that PostgreSQL can
//! take its place (portable SQL, `$1` placeholders, BIGINT times). No rules of the city live here: who may
//! do what is `identity`, how a case moves is `cases`.
//!
//! Reading order: [`failure`] (how it fails), [`actor`] (who did it), [`store`] (opening, transactions,
//! projections), then one module per group of tables, then [`tables`] (the same rows for SQL).

pub mod actor;
pub mod alerts;
pub mod attachments;
pub mod audit;
pub mod cases;
pub mod corrections;
pub mod dead_letters;
pub mod devices;
pub mod failure;
mod field;
pub mod indicators;
mod migrations;
pub mod oidc;
pub mod oidc_clients;
pub mod organisations;
pub mod page;
pub mod sessions;
mod snapshot;
pub mod store;
pub mod tables;
pub mod tokens;
pub mod users;

pub use actor::{Acting, Actor, ActorKind};
pub use failure::{Failure, RECORDS_FULL, Result};
pub use field::Secret;
pub use migrations::{VERSION, shapes};
pub use page::{Page, PageRequest};
pub use store::{Connection, Options, Projection, Records, Write};
