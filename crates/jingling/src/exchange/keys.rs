//! The secrets between the city and a partner: a file of mode 600 with those with which the partner asks us (`door`, made here) and those
//! with which we ask it (`ask`, given by the partner), and `jingling exchange partner-keys`, which makes ours.

use crate::args::ExchangeCommand;
use crate::files;
use crate::folder::Folder;
use crate::output::print_json;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use proto_tcec102::Keys;
use proto_tcec102::config::DATA_SECRET_BYTES;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Whoever but the owner may read a file.
const OTHERS: u32 = 0o077;
/// Largest file of secrets, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1_024;
/// What secrets are made of: a text, because partners exchange them as texts.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Letters of an operator's secret and of a signature's.
const SECRET_CHARS: usize = 32;

/// The four secrets of one direction.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    operator_secret: String,
    data_secret: String,
    data_secret_iv: String,
    sig_secret: String,
}

impl Secrets {
    fn random() -> Self {
        Self {
            operator_secret: random(SECRET_CHARS),
            data_secret: random(DATA_SECRET_BYTES),
            data_secret_iv: random(DATA_SECRET_BYTES),
            sig_secret: random(SECRET_CHARS),
        }
    }

    fn keys(&self, path: &Path, part: &str) -> Result<Keys> {
        Keys::new(
            &self.operator_secret,
            &self.data_secret,
            &self.data_secret_iv,
            &self.sig_secret,
        )
        .map_err(|told| anyhow::anyhow!("{}, {part}: {told}", path.display()))
    }
}

/// A file of secrets.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// With which the partner asks us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    door: Option<Secrets>,
    /// With which we ask the partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask: Option<Secrets>,
}

/// The keys of a partner.
#[derive(Debug)]
pub struct PartnerKeys {
    /// With which it asks us.
    pub door: Keys,
    /// With which we ask it; none while it gave none.
    pub ask: Option<Keys>,
}

fn random(chars: usize) -> String {
    let mut rng = rand::rng();
    (0..chars)
        .filter_map(|_| {
            let at = rng.random_range(0..LETTERS.len());
            LETTERS.get(at).map(|&letter| char::from(letter))
        })
        .collect()
}

fn read(path: &Path) -> Result<File> {
    let about = std::fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    if about.permissions().mode() & OTHERS != 0 {
        bail!(
            "{}: others may read these secrets; run: chmod 600 {}",
            path.display(),
            path.display()
        );
    }
    if about.len() > FILE_BYTES_MAX {
        bail!(
            "{}: it is longer than {FILE_BYTES_MAX} bytes",
            path.display()
        );
    }
    let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    // Not the parser's own words, which may show a part of a secret.
    serde_json::from_slice(&text).map_err(|error| {
        anyhow::anyhow!(
            "{}: line {} is not what jingling exchange partner-keys writes",
            path.display(),
            error.line()
        )
    })
}

/// Reads the secrets of a partner.
///
/// # Errors
/// A file that does not read, that others may read, or a secret that is none; no secret is in any error.
pub fn of_partner(folder: &Path, file: &str) -> Result<PartnerKeys> {
    let path = folder.join(file);
    let read = read(&path)?;
    let door = read.door.as_ref().with_context(|| {
        format!(
            "{}: there is no \"door\"; run: jingling exchange partner-keys",
            path.display()
        )
    })?;
    Ok(PartnerKeys {
        door: door.keys(&path, "door")?,
        ask: read
            .ask
            .as_ref()
            .map(|ask| ask.keys(&path, "ask"))
            .transpose()?,
    })
}

/// `jingling exchange …`.
///
/// # Errors
/// No such partner, or secrets that are there already.
pub fn command(command: ExchangeCommand) -> Result<()> {
    let ExchangeCommand::PartnerKeys {
        dir,
        operator_id,
        replace,
        json,
        overrides,
    } = command;
    let settings = Settings::load(&dir, &overrides.set)?;
    let partners = &settings.tcec102.partner;
    let Some(partner) = partners.iter().find(|one| one.operator_id == operator_id) else {
        bail!(
            "no [[tcec102.partner]] has operator_id = \"{operator_id}\"; write it into {} first",
            dir.join(crate::settings::FILE_NAME).display()
        );
    };
    let path: PathBuf = Folder::new(&dir).path().join(&partner.secrets_file);
    let mut file = match path.exists() {
        true => read(&path)?,
        false => File::default(),
    };
    if file.door.is_some() && !replace {
        bail!(
            "{}: there are secrets of this partner already; with --replace it is given others, and those it has are worth nothing",
            path.display()
        );
    }
    file.door = Some(Secrets::random());
    let mut text = serde_json::to_vec_pretty(&file)?;
    text.push(b'\n');
    files::write_secret(&path, &text)?;
    let has_ask = file.ask.is_some();
    if json {
        print_json(&json!({"operator_id": operator_id, "file": path, "has_ask": has_ask}))?;
    } else {
        eprintln!(
            "{}: \"door\" holds what {operator_id} asks with; give it to them by a safe way{}",
            path.display(),
            match has_ask {
                true => "",
                false =>
                    ", and write what they give you as \"ask\", with the same four names, so that they are asked too",
            }
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_others_may_read_are_refused_and_never_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        let file = File {
            door: Some(Secrets::random()),
            ask: None,
        };
        let secret = file.door.as_ref().unwrap().data_secret.clone();
        assert_eq!(secret.len(), DATA_SECRET_BYTES);
        files::write_secret(&path, &serde_json::to_vec(&file).unwrap()).unwrap();
        assert!(of_partner(folder.path(), "p.json").unwrap().ask.is_none());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let told = of_partner(folder.path(), "p.json").unwrap_err().to_string();
        assert!(told.contains("chmod 600"), "{told}");
        let broken = format!("{{\"door\": \"{secret}\"}}");
        files::write_secret(&path, broken.as_bytes()).unwrap();
        let told = format!("{:#}", of_partner(folder.path(), "p.json").unwrap_err());
        assert!(!told.contains(&secret), "{told}");
    }
}
