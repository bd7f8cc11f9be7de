//! The audit trail on this machine: the signing key's file, sealing and proving in the background, and `jingling audit`.
//! What the chain is, and how it is judged, is the records' (`records::audit_chain`, `audit_seals`, `audit_verify`).
//!
//! Reading order: [`key`] (the file), [`sealing`] (what goes on while the city runs), [`args`], [`commands`].

pub mod args;
pub mod commands;
pub mod key;
pub mod sealing;

/// The program that verifies an export without us: `jingling audit verifier` prints it.
pub const VERIFIER: &str = include_str!("verify_export.py");
