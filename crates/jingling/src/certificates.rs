//! `jingling device certificate`: makes a key and a certificate for a device, registers one that it has, lists and takes away.

use crate::args::CertificateCommand;
use crate::commands::{client_id_of, open_identity};
use crate::files;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use anyhow::{Context, Result, bail};
use api::devices::CredentialBody;
use identity::Certificate;
use model::Timestamp;
use records::Actor;
use serde_json::json;
use std::path::Path;

/// How far a device's clock may be behind when a new certificate comes, seconds.
const CLOCK_BEHIND_S: i64 = 86_400;

/// `jingling device certificate …`.
///
/// # Errors
/// What is wrong with the words or the certificate, or the records' own error.
pub async fn command(command: CertificateCommand) -> Result<()> {
    let (actor, now) = (Actor::command_line(), wall_clock());
    match command {
        CertificateCommand::Add {
            dir,
            id,
            make,
            days,
            file,
        } => {
            let (records, identity) = open_identity(&dir).await?;
            let client_id = client_id_of(&records, &id).await?;
            let pem = match (&make, &file) {
                (Some(folder), _) => made(folder, &client_id, days, now)?,
                (None, Some(file)) => std::fs::read_to_string(file)
                    .with_context(|| format!("reading {}", file.display()))?,
                (None, None) => bail!("say --make or --file"),
            };
            let certificate = Certificate::from_pem(&pem)?;
            let added = identity
                .add_device_certificate(&client_id, &certificate, &actor, now)
                .await?;
            records.close().await;
            print_table(
                &["client_id", "fingerprint (SHA-256)", "good until (UTC)"],
                vec![vec![
                    client_id,
                    certificate.fingerprint,
                    added.expires_at.to_string(),
                ]],
            );
        }
        CertificateCommand::List { dir, id, json } => {
            let (records, identity) = open_identity(&dir).await?;
            let client_id = client_id_of(&records, &id).await?;
            let device = identity.device(&client_id).await?;
            let all = CredentialBody::all(&identity, device, now).await?;
            records.close().await;
            if json {
                return print_json(&json!(all));
            }
            let rows = all.into_iter().map(|c| {
                vec![
                    c.kind,
                    c.subject.unwrap_or_default(),
                    c.fingerprint.unwrap_or_default(),
                    c.created_at,
                    c.expires_at.unwrap_or_default(),
                    c.last_used_at.unwrap_or_default(),
                    if c.is_over { "over" } else { "" }.to_owned(),
                ]
            });
            print_table(
                &[
                    "kind",
                    "subject",
                    "fingerprint (SHA-256)",
                    "since (UTC)",
                    "until (UTC)",
                    "last used (UTC)",
                    "",
                ],
                rows.collect(),
            );
        }
        CertificateCommand::Remove {
            dir,
            id,
            fingerprint,
        } => {
            let (records, identity) = open_identity(&dir).await?;
            let client_id = client_id_of(&records, &id).await?;
            identity
                .remove_device_certificate(&client_id, &fingerprint, &actor, now)
                .await?;
            records.close().await;
        }
    }
    Ok(())
}

/// Makes a key and a certificate that it signs itself; gives the certificate as PEM.
fn made(folder: &Path, client_id: &str, days: u16, now: Timestamp) -> Result<String> {
    let (key_file, certificate_file) = (folder.join("key.pem"), folder.join("certificate.pem"));
    for file in [&key_file, &certificate_file] {
        if file.exists() {
            bail!("{} is there already; choose another folder", file.display());
        }
    }
    let at = |seconds: i64| {
        let since_1970 = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        rcgen::date_time_ymd(1970, 1, 1) + since_1970
    };
    let seconds = now.micros() / 1_000_000;
    let mut params = rcgen::CertificateParams::new(vec![client_id.to_owned()])?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, client_id);
    params.not_before = at(seconds - CLOCK_BEHIND_S);
    params.not_after = at(seconds + i64::from(days) * 86_400);
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let key = rcgen::KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    files::write_secret(&key_file, key.serialize_pem().as_bytes())?;
    files::write_atomically(&certificate_file, pem.as_bytes())?;
    Ok(pem)
}
