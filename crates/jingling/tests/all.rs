//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod access;
mod approvals;
mod audit;
mod backup;
mod backup_damage;
mod bad_input;
mod command_centre;
mod command_line;
mod corrections;
mod department_tables;
mod device_keys;
mod duty;
mod entries;
mod folder;
mod formats;
mod fuzz;
mod harmed;
mod journal_faults;
mod notice;
mod oidc;
mod open311;
mod organisation;
mod personal;
mod policy;
mod policy_mqtt;
mod province;
mod refusals;
mod refused;
mod retained;
mod second_factors;
mod security;
mod served;
mod sl651;
mod sql_everywhere;
mod support;
