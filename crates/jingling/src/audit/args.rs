//! `jingling audit …`: what can be said.

use clap::{Args, Subcommand};
use records::audit_chain::{Hash, from_hex};
use std::path::PathBuf;

/// `jingling audit …`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Prove the audit trail whole, or say exactly where it is broken; exit status 1 then.
    #[command(
        after_help = "Examples:\n  jingling audit verify ./city\n  jingling audit verify ./city --public-key kept-elsewhere.pem --chain 1234:9f86…"
    )]
    Verify(Verify),
    /// Write rows, hashes, seals and public keys as JSON Lines, for whoever verifies them without this program.
    #[command(
        after_help = "Example: jingling audit export ./city --output audit.jsonl --from 2026-11-01T00:00:00+08:00"
    )]
    Export(Export),
    /// Print the public key that seals are verified with, to be kept outside of the city's folder.
    #[command(after_help = "Example: jingling audit public-key ./city > kept-elsewhere.pem")]
    PublicKey {
        /// The city's folder.
        dir: PathBuf,
    },
    /// Make a new signing key, when the old one is lost or somebody may have read it; the trail tells it.
    #[command(after_help = "Example: jingling audit new-key ./city")]
    NewKey {
        /// The city's folder.
        dir: PathBuf,
    },
    /// Print the program that verifies an export (Python and openssl, nothing else).
    #[command(after_help = "Example: jingling audit verifier > verify_export.py")]
    Verifier,
}

/// `jingling audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The city's folder.
    pub dir: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// A public key that seals must be made with, instead of those that the folder names itself (may be repeated).
    #[arg(long, value_name = "PEM")]
    pub public_key: Vec<PathBuf>,
    /// A value of the chain that was noted elsewhere: shows that no row from before was changed or cut away. May be
    /// given several times.
    #[arg(long, value_name = "ROW:HASH", value_parser = noted)]
    pub chain: Vec<(i64, Hash)>,
}

/// `jingling audit export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The city's folder.
    pub dir: PathBuf,
    /// The file to write.
    #[arg(long, short)]
    pub output: PathBuf,
    /// Rows from this time on (RFC 3339, such as 2026-11-01T00:00:00+08:00).
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Rows before this time, and on to the seal that covers them.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}

fn noted(text: &str) -> Result<(i64, Hash), String> {
    let read = || {
        let (row, hash) = text.split_once(':')?;
        Some((row.parse().ok()?, from_hex(hash)?))
    };
    read().ok_or_else(|| "write it as `jingling audit verify` printed it: 1234:9f86…".to_owned())
}
