//! The PostgreSQL door: psql, drivers and BI tools ask the lake with SQL, and can only read.
//!
//! ```text
//! door ── one task per connection ── connection (TLS, sign-in) ── session ── lake::query_stream
//!                                        wire (bytes ⇄ messages)    ├ commands (settings, transactions, cursors)
//!                                        types (Arrow ⇄ PostgreSQL) └ dialect + catalog (what clients ask to find tables)
//! ```
//!
//! What it promises: the caller's permission is looked up anew for each statement; every statement runs
//! within the limits of `POST /api/v1/sql`; a password is asked for only over TLS or from this machine; an
//! answer is never cut off quietly; personal values are masked unless the client states a purpose (`SET jingling.purpose`) that
//! is granted, and then written down before they go out; one peer's faults, floods and slowness stay its own; every queue and
//! store has a limit with a name ([`Limits`]).
//!
//! Reading order: [`wire`], [`zone`], [`types`], [`report`], [`split`], [`commands`], [`settings`], `procedures`, [`catalog`], [`time_formats`], `wording`,
//! `expand`, `naming`, [`dialect`], `rows`, `session`, `connection`, [`door`].

pub mod catalog;
pub mod commands;
mod connection;
pub mod dialect;
pub mod door;
mod expand;
mod figures;
mod naming;
mod procedures;
pub mod report;
mod rows;
mod session;
pub mod settings;
pub mod split;
pub mod time_formats;
pub mod types;
pub mod wire;
mod wording;
pub mod zone;

pub use door::{City, Handle, Limits, Looking, Options, Purposes, StartError, start};
