//! The city's folder: what lies where.

use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};

/// A city's folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

macro_rules! places {
    ($($(#[$doc:meta])* $name:ident = $path:literal),* $(,)?) => {
        impl Folder {
            $($(#[$doc])* pub fn $name(&self) -> PathBuf { self.0.join($path) })*
        }
    };
}

places! {
    /// The durable log.
    journal = "journal",
    /// Stretches of the log that were passed because they cannot be had.
    gaps = "gaps.json",
    /// History.
    lake = "lake",
    /// The current state's checkpoint.
    twin_checkpoint = "twin/checkpoint.bin",
    /// What the rules remember.
    rules_state = "rules/state.json",
    /// People's records.
    records = "records.sqlite",
    /// Photos and documents.
    attachments = "attachments",
    /// The city's own packs.
    own_packs = "packs",
    /// A city profile that goes before the carried one.
    own_city = "city",
    /// Certificates.
    tls = "tls",
    /// The advisories that were brought in.
    advisories = "security/advisories.json",
    /// Messages kept for later subscribers.
    retained = "mqtt/retained.bin",
    /// The first sign-in.
    first_sign_in = "secrets/first-sign-in.json",
    /// The key that the audit trail is sealed with.
    audit_key = "secrets/audit-key.pem",
    /// Credentials of the demonstration's devices.
    demo_devices = "secrets/demo-devices.json",
    /// The keys that tokens for other systems are signed with.
    oidc_keys = "secrets/oidc-keys.json",
    /// The key that secrets of second factors are sealed with.
    identity_key = "secrets/identity-key.json",
    /// The keys that personal data is sealed under.
    personal_keys = "secrets/personal-keys.json",
    /// The key that links out of messages are signed with.
    notice_key = "secrets/notice-key.bin",
    /// The key under which cards of drivers become pseudonyms.
    charging_key = "secrets/charging-key.bin",
    /// The versions of the stored formats.
    format = "format",
    /// What the last good backup was.
    last_backup = "backup/last.json",
    /// What the last restore drill found.
    last_drill = "backup/drill.json",
    /// The city's name among all cities that are backed up.
    backup_id = "backup/id",
    /// The records while they are copied.
    records_snapshot = "backup/records.sqlite",
    /// Held by the process that serves the city.
    lock = "run/lock",
    /// Files while they are received or sent.
    passing = "run/passing",
    /// Where the city listens while it runs.
    addresses = "run/addresses.json",
}

impl Folder {
    /// A folder; nothing is read or made.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folders that the stores expect.
    ///
    /// # Errors
    /// The system's own error, with the path.
    pub fn make(&self) -> Result<()> {
        for file in [
            self.twin_checkpoint(),
            self.rules_state(),
            self.retained(),
            self.addresses(),
        ] {
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)
                    .with_context(|| format!("making {}", parent.display()))?;
            }
        }
        Ok(())
    }

    /// Whether a city lies in it.
    pub fn holds_a_city(&self) -> bool {
        self.0.join(crate::settings::FILE_NAME).is_file()
    }

    /// The packs that the binary carries and those of the folder.
    ///
    /// # Errors
    /// Every mistake with file and line.
    pub fn packs(&self) -> Result<pack::Packs> {
        self.packs_or_problems().map_err(|problems| {
            anyhow!(
                "the packs have mistakes:\n{}",
                crate::running::lines(&problems)
            )
        })
    }

    /// [`Self::packs`] with its mistakes one by one.
    ///
    /// # Errors
    /// Every mistake with file and line.
    pub fn packs_or_problems(&self) -> Result<pack::Packs, Vec<model::Problem>> {
        let own = self.own_packs();
        let packs = pack::Packs::load_all(pack::embedded(), own.is_dir().then_some(own.as_path()))?;
        let unknown = pack::unknown_engines(&packs.packs, &crate::engine_commands::engines());
        if unknown.is_empty() {
            Ok(packs)
        } else {
            Err(unknown)
        }
    }

    /// The city profile: the folder's own, or the one carried.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn city(&self, profile: &str) -> Result<city::City> {
        let own = self.own_city();
        let loaded = if own.is_dir() {
            city::City::load(&own)
        } else {
            city::City::embedded(profile)
        };
        loaded.map_err(|p| anyhow!("{p}"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Folder;
    use records::Records;

    /// A folder with nothing but records in it.
    pub(crate) async fn city() -> (tempfile::TempDir, Folder, Records) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let records = Records::open(&folder.records()).await.unwrap();
        (dir, folder, records)
    }
}
