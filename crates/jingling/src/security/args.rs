//! `jingling security …`: what can be said.

use clap::Subcommand;
use std::path::PathBuf;

/// `jingling security …`.
#[derive(Debug, Subcommand)]
pub enum SecurityCommand {
    /// Known holes of what this program is made of, by advisories that you bring; exit status 1 when there is one, or when
    /// nothing is known.
    #[command(
        after_help = "Examples:\n  jingling security holes ./city --advisories ./advisory-db   bring them in, look\n  jingling security holes ./city --json                      look at what was brought in\n  jingling security holes --advisories osv-crates/           without a city\n\nAdvisories are RustSec's repository (github.com/RustSec/advisory-db) or a folder of OSV files for crates.io and npm\n(osv.dev). Fetch them where there is a network and carry them here; nothing is fetched by this program."
    )]
    Holes {
        /// The city's folder, where the advisories are kept and the security view finds them.
        dir: Option<PathBuf>,
        /// A folder or file of advisories to bring in.
        #[arg(long, value_name = "PATH", required_unless_present = "dir")]
        advisories: Option<PathBuf>,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// What this program is made of: every package with its version, as the lock files say.
    Packages {
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
}
