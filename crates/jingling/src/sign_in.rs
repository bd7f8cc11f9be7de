//! How people sign in to a city that runs: its limits from the settings, and the key of its second factors and of devices'
//! keys, which is made the first time.

use crate::files;
use crate::folder::Folder;
use crate::settings::Settings;
use anyhow::{Context, Result};
use identity::{CityKey, Identity, Options};
use records::Records;

/// Identity of a city that runs.
///
/// # Errors
/// A key that does not read, or cannot be kept.
pub fn identity(folder: &Folder, settings: &Settings, records: Records) -> Result<Identity> {
    let options = Options {
        approval: settings.approval.options(),
        second_factor_required_for: settings.sign_in.roles()?,
        session_idle_s: settings.sign_in.session_idle_minutes.saturating_mul(60),
        session_absolute_s: settings.sign_in.session_hours.saturating_mul(3_600),
        device_proof_window_s: settings.sign_in.device_proof_window_seconds,
        ..Options::default()
    };
    Ok(Identity::new(records, options)?.with_key(key(folder)?))
}

/// The city's key for what identity must be able to read again, made when there is none.
///
/// # Errors
/// A key that does not read, or cannot be kept.
pub fn key(folder: &Folder) -> Result<CityKey> {
    let path = folder.identity_key();
    match std::fs::read_to_string(&path) {
        Ok(text) => CityKey::parse(&text).with_context(|| format!("reading {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = CityKey::generate();
            files::write_secret(&path, key.text().as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
