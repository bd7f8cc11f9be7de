//! The binary's parts: configuration, the command line, and the one place that names concrete protocols,
//! packs and engines and joins them to a city.
//!
//! Reading order: [`settings`], [`folder`], [`running`] (a city that runs), [`projector`] and
//! [`records_projection`] (from the journal to everything else), [`gaps`] (what the journal lost),
//! [`retention`] (what it no longer keeps), [`upkeep`] (when history is tidied), [`history_upkeep`] (what history no longer keeps),
//! [`administrators`] (who runs it), [`policies`] (who may do what), [`sign_in`], [`mqtt_door`], [`sl651_door`], [`sl651_outlet`], [`sl651_questions`], [`charging`], [`decode_command`], [`postgres_door`] and [`mapping`], [`commands`], [`pack_commands`], [`engine_commands`], [`pack_reload`], [`query`],
//! [`department`] (files in and out), [`personal_keys`], [`reseal`], [`key_needs`] and [`personal_commands`], [`check`], [`security`] (what the security view
//! is told), [`demo`].

pub mod administrators;
pub mod args;
pub mod audit;
pub mod backup;
mod case_clocks;
pub mod certificates;
pub mod charging;
pub mod check;
pub mod city_lock;
pub mod commands;
pub mod decode_command;
pub mod demo;
mod demo_roster;
pub mod department;
pub mod device_keys;
pub mod duty_commands;
pub mod engine_commands;
pub mod exchange;
pub mod files;
pub mod folder;
pub mod formats;
pub mod gaps;
pub mod history_upkeep;
mod intake_command;
pub mod key_needs;
pub mod mapping;
mod measuring;
pub mod metrics;
pub mod mqtt_door;
pub mod notice;
pub mod oidc;
pub mod open311;
pub mod organisation;
mod output;
pub mod outside;
pub mod pack_commands;
pub mod pack_reload;
pub mod personal_commands;
pub mod personal_keys;
mod plan_settings;
pub mod policies;
pub mod postgres_door;
pub mod presence;
pub mod program;
pub mod projector;
pub mod query;
pub mod records_projection;
pub mod reseal;
pub mod retention;
pub mod rule_commands;
pub mod running;
pub mod security;
pub mod settings;
pub mod sign_in;
pub mod sl651_door;
pub mod sl651_outlet;
pub mod sl651_questions;
pub mod upkeep;
pub mod withdrawn;
