//! What `jingling backup` and `jingling restore` can be told.

use super::room::RESERVE_MIB;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `jingling backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Backup {
    /// Look at a backup instead of taking one.
    #[command(subcommand)]
    pub command: Option<BackupCommand>,
    /// Taking one.
    #[command(flatten)]
    pub take: Take,
}

/// `jingling backup DIR --to VAULT`.
#[derive(Debug, Args)]
pub struct Take {
    /// The city's folder; the city may run.
    #[arg(required = true)]
    pub dir: Option<PathBuf>,
    /// The folder to copy into, best on another disk: empty or not there for the first backup, later the same.
    #[arg(long, required = true, value_name = "VAULT")]
    pub to: Option<PathBuf>,
    /// Encrypt for the public keys in this file (age1…, one a line).
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    pub encrypt_to: Option<PathBuf>,
    /// Encrypt by the passphrase in the first line of this file.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Keep this many points, this one included; older ones are taken away.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Looking at a backup.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// List the points of a backup.
    List {
        /// The backup's folder.
        vault: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Read every byte of a backup and compare it with its checksums; exit status 1 with what is wrong and where, also
    /// when the newest point has a file that was damaged in the city.
    #[command(after_help = "Example: jingling backup verify /mnt/backup/city")]
    Verify {
        /// The backup's folder.
        vault: PathBuf,
        /// What opens it; without it, an encrypted backup's stored bytes are compared.
        #[command(flatten)]
        key: KeyArgs,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Restore the newest point into a temporary folder, check it, compare it with what the backup says, and throw it away.
    #[command(after_help = "Example: jingling backup drill /mnt/backup/city --identity key.txt")]
    Drill {
        /// The backup's folder.
        vault: PathBuf,
        /// Where the temporary folder is made; needs room for the whole city.
        #[arg(long, value_name = "DIR")]
        within: Option<PathBuf>,
        /// What must stay free on that disk, MiB; where it would not, nothing is restored and exit status is 1.
        #[arg(long, value_name = "N", default_value_t = RESERVE_MIB)]
        reserve_mib: u64,
        /// What opens it.
        #[command(flatten)]
        key: KeyArgs,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// What opens an encrypted backup.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The file with the secret key (AGE-SECRET-KEY-1…) of an encrypted backup.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    pub identity: Option<PathBuf>,
    /// The file whose first line is the passphrase of an encrypted backup.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `jingling restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup's folder.
    pub vault: PathBuf,
    /// The city's folder to make: empty or not there.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Up to this time (RFC 3339, such as 2026-11-23T16:00:00+08:00).
    #[arg(long, value_name = "TIME", conflicts_with = "position")]
    pub at: Option<String>,
    /// Up to this position of the journal (not included).
    #[arg(long, value_name = "P")]
    pub position: Option<u64>,
    /// What opens it.
    #[command(flatten)]
    pub key: KeyArgs,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
