//! Rows that people change: users, devices, alerts, cases, reports, the audit trail. One set of queries
//! and compiled-in migrations over `sqlx`'s `Any` driver, on SQLite today, written so that PostgreSQL can
//! take its place (portable SQL, `$1` placeholders, BIGINT times). No rules of the city live here: who may
//! do what is `identity`, how a case moves is `cases`.
//!
//! Reading order: [`failure`] (how it fails), [`actor`] (who did it), [`store`] (opening, transactions,
//! projections), the audit trail ([`audit_events`] what it can hold, [`audit_chain`] how its rows hang together,
//! [`audit`] writing and searching, [`audit_seals`] signing, [`audit_verify`] proving), then one module per group of tables, then [`tables`] (the same rows for SQL).

pub mod actor;
pub mod alerts;
pub mod approvals;
pub mod attachments;
pub mod audit;
pub mod audit_chain;
pub mod audit_events;
pub mod audit_export;
pub mod audit_seals;
pub mod audit_verify;
pub mod bookings;
mod case_lists;
mod case_text;
pub mod cases;
pub mod charging;
pub mod charging_invoices;
pub mod charging_orders;
pub mod commands;
pub mod corrections;
pub mod dead_letters;
pub mod device_credentials;
pub mod devices;
pub mod duty;
pub mod duty_acts;
pub mod exchange;
pub mod failure;
mod field;
pub mod filing_files;
pub mod filings;
pub mod form_disputes;
pub mod form_returns;
pub mod handovers;
pub mod indicators;
pub mod linked_identities;
pub mod maintenance_windows;
mod migrations;
pub mod notices;
pub mod oidc;
pub mod oidc_clients;
pub mod open311;
pub mod open311_links;
pub mod organisations;
pub mod packages;
pub mod page;
pub mod passkeys;
pub mod plan_numbers;
pub mod policies;
pub mod posts;
pub mod project_photos;
pub mod projects;
pub mod rule_failures;
pub mod runs;
pub mod sessions;
mod snapshot;
pub mod store;
pub mod tables;
pub mod tokens;
pub mod totp;
pub mod users;
mod values;
mod writer;

pub use actor::{Acting, Actor, ActorKind};
pub use audit_events::Event;
pub use failure::{Failure, RECORDS_FULL, Result};
pub use field::Secret;
pub use migrations::VERSION;
pub use page::{PAGE_ITEMS_MAX, Page, PageRequest};
pub use store::{Connection, Options, Projection, Records, Write};
