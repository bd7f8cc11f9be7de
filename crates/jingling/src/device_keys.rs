//! `jingling device … --psk` and `jingling device proof`: gives a device a key, changes it, and computes a proof for a test.

use crate::commands::open_identity;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use crate::sign_in;
use anyhow::{Context, Result};
use api::devices::{NewDevice, RotatedDevice};
use identity::{Algorithm, DeviceIdentity, DeviceKey, Identity, proof};
use records::{Actor, Records};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// What is printed in the place of a key that was given.
const GIVEN: &str = "(as given)";

fn read_key(file: &Path) -> Result<DeviceKey> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(DeviceKey::parse(&text)?)
}

/// Registers a device with a key: the one in the file, or one that is made.
///
/// # Errors
/// A key that does not read, or the records' own error.
pub async fn add(
    dir: &Path,
    device: &DeviceIdentity,
    key_file: Option<&Path>,
    json: bool,
) -> Result<()> {
    let key = key_file.map(read_key).transpose()?;
    let (records, identity) = open_identity(dir).await?;
    let identity = identity.with_key(sign_in::key(&Folder::new(dir))?);
    let made = identity
        .register_keyed_device(device, key, &Actor::command_line(), wall_clock())
        .await?;
    records.close().await;
    let made = NewDevice::from(made);
    if json {
        return print_json(&json!(made));
    }
    let rows = [
        ("id", made.id),
        ("client_id", made.client_id),
        ("username", made.username),
        ("key", made.key.unwrap_or_else(|| GIVEN.to_owned())),
        ("topic", made.topic),
    ];
    print_table(
        &["", "shown once"],
        rows.into_iter()
            .map(|(k, v)| vec![k.to_owned(), v])
            .collect(),
    );
    Ok(())
}

/// Gives a device a key in the place of its password or key.
///
/// # Errors
/// As [`add`].
pub async fn rotate(
    dir: &Path,
    (records, identity): (Records, Identity),
    client_id: &str,
    (key_file, overlap_s): (Option<&Path>, i64),
    json: bool,
) -> Result<()> {
    let key = key_file.map(read_key).transpose()?;
    let identity = identity.with_key(sign_in::key(&Folder::new(dir))?);
    let (actor, now) = (Actor::command_line(), wall_clock());
    let made = identity
        .rotate_device_key(client_id, key, overlap_s, &actor, now)
        .await?;
    records.close().await;
    let made = RotatedDevice::from(made);
    if json {
        return print_json(&json!(made));
    }
    print_table(
        &["client_id", "key (shown once)", "old one until (UTC)"],
        vec![vec![
            made.client_id,
            made.key.unwrap_or_else(|| GIVEN.to_owned()),
            made.old_until,
        ]],
    );
    Ok(())
}

/// Prints a proof, made with this machine's clock.
///
/// # Errors
/// A key or an algorithm that does not read.
pub fn proof(
    client_id: &str,
    username: Option<&str>,
    key_file: &Path,
    algorithm: &str,
) -> Result<()> {
    let algorithm: Algorithm = algorithm.parse()?;
    let key = read_key(key_file)?;
    let seconds = wall_clock().micros().div_euclid(1_000_000);
    let who = (client_id, username.unwrap_or(client_id));
    let proof = key.proof(algorithm, who, seconds, &proof::draw_nonce());
    writeln!(std::io::stdout(), "{proof}")?;
    Ok(())
}
