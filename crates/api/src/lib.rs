//! HTTP: pages, records, current state, history, SQL, live events, and the HTTP doors. Every operation
//! has its access rule in its description; see [`access`].

pub mod access;
pub mod account;
pub mod accounts;
pub mod alerts;
pub mod app;
pub mod approvals;
pub mod audit;
pub mod case_bodies;
pub mod case_pages;
pub mod city_pages;
pub mod corrections;
pub mod dead_letters;
pub mod description;
pub mod devices;
pub mod doors;
pub mod entities;
pub mod entity_types;
pub mod error;
pub mod events;
pub mod headers;
pub mod health;
pub mod import_progress;
pub mod notices;
pub mod oidc_backchannel;
pub mod oidc_clients;
pub mod oidc_consent;
pub mod oidc_door;
pub mod pages;
pub mod paging;
pub mod plan;
pub mod policy_pages;
pub mod provenance;
pub mod second_step;
pub mod secure;
pub mod security;
pub mod session;
pub mod sight;
pub mod sql;
pub mod table_imports;
pub mod tables;
pub mod words;

pub use app::{App, Options, router};
pub use error::{Answer, ApiError};
pub use events::Events;
