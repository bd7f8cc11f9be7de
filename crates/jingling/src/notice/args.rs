//! `jingling notice …`: what can be said.

use crate::args::Overrides;
use clap::Subcommand;
use std::path::PathBuf;

/// `jingling notice …`.
#[derive(Debug, Subcommand)]
pub enum NoticeCommand {
    /// Send a message over a channel of the settings, to see whether it works; exit status 1 when it was not taken.
    #[command(
        after_help = "Examples:\n  jingling notice test ./city mail --to wang@example.gov.cn\n  jingling notice test ./city hook"
    )]
    Test {
        /// The city's folder.
        dir: PathBuf,
        /// The channel's id.
        channel: String,
        /// An e-mail address or a telephone number; a system needs none.
        #[arg(long)]
        to: Option<String>,
        /// Settings.
        #[command(flatten)]
        overrides: Overrides,
    },
    /// The outbox: what was or is to be sent, newest first.
    #[command(after_help = "Example: jingling notice list ./city --failed --json")]
    List {
        /// The city's folder.
        dir: PathBuf,
        /// Only what was given up.
        #[arg(long)]
        failed: bool,
        /// Most messages.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
}
