//! Backups of a city: a point of a `vault` holds everything up to one position of the journal. Copying reads the
//! city's folder beside the server, by rules that hold (see docs/decisions/0008-backups-read-the-folder.md).
//!
//! Reading order: [`about`] (what a point says of the city), [`take`] (copying), [`damage`] (files that are damaged when
//! they are copied), [`restore`], [`room`] and [`drill`], [`drills`] and [`schedule`] (a server that does it by itself),
//! [`args`] and [`commands`] (the command line).

pub mod about;
pub mod args;
pub mod commands;
pub mod damage;
pub mod drill;
pub mod drills;
pub mod restore;
pub mod room;
pub mod schedule;
pub mod take;

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The limits of copying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How often a part of the folder is copied anew because it was written meanwhile (default 50). Each time only what
    /// changed is read.
    pub attempts_max: u32,
    /// Longest file of keys or of a passphrase, in bytes (default 64 KiB).
    pub key_bytes_max: u64,
    /// Shortest passphrase, in characters (default 12): whoever steals a backup can try as often as they like.
    pub passphrase_chars_min: usize,
    /// The vault's own limits.
    pub vault: vault::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts_max: 50,
            key_bytes_max: 64 << 10,
            passphrase_chars_min: 12,
            vault: vault::Options::default(),
        }
    }
}

/// Reads a small file that a person named.
fn read_text(path: &Path, options: &Options) -> Result<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|f| f.take(options.key_bytes_max + 1).read_to_end(&mut bytes))
        .with_context(|| format!("reading {}", path.display()))?;
    if bytes.len() as u64 > options.key_bytes_max {
        bail!(
            "{} is longer than {} bytes: it is no file of keys or of a passphrase",
            path.display(),
            options.key_bytes_max
        );
    }
    String::from_utf8(bytes).with_context(|| format!("reading {}", path.display()))
}

/// The passphrase: the file's first line.
fn read_passphrase(path: &Path, options: &Options) -> Result<String> {
    let text = read_text(path, options)?;
    let words = text.lines().next().unwrap_or_default().trim_end();
    if words.chars().count() < options.passphrase_chars_min {
        bail!(
            "{}: the first line is the passphrase, and must have at least {} characters",
            path.display(),
            options.passphrase_chars_min
        );
    }
    Ok(words.to_owned())
}
