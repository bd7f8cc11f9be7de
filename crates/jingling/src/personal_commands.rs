//! `jingling keys …` and `jingling personal …`.

use crate::args::{KeysCommand, PersonOf, PersonalCommand};
use crate::commands::open_records;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::query::Opened;
use crate::running::{sql_limits, wall_clock};
use crate::settings::Settings;
use crate::{files, personal_keys};
use anyhow::{Context, Result, bail};
use api::personal_subjects::Holdings;
use records::Actor;
use std::io::Read as _;

/// `jingling keys …`.
///
/// # Errors
/// What is wrong with the keys, or the records' own.
pub async fn keys(command: KeysCommand) -> Result<()> {
    let keys = match &command {
        KeysCommand::List { dir, .. } => {
            let folder = Folder::new(dir);
            let keys = personal_keys::read(&folder).map_err(|p| anyhow::anyhow!("{p}"))?;
            keys.with_context(|| {
                format!(
                    "{}: there is none; it is made when the city first starts",
                    folder.personal_keys().display()
                )
            })?
        }
        KeysCommand::Rotate {
            dir,
            cipher,
            forget_old,
            ..
        } => {
            let folder = Folder::new(dir);
            let cipher = match cipher {
                Some(word) => word.clone(),
                None => Settings::load(dir, &[])?.personal.cipher,
            };
            let cipher = cipher.parse().map_err(|p| anyhow::anyhow!("{p}"))?;
            let records = open_records(&folder, false).await?;
            let made =
                personal_keys::rotate(&folder, &records, cipher, *forget_old, wall_clock()).await;
            records.close().await;
            made?
        }
    };
    let (KeysCommand::List { json, .. } | KeysCommand::Rotate { json, .. }) = command;
    if json {
        let keys = keys.all().iter().map(|key| {
            serde_json::json!({
                "id": key.id,
                "cipher": key.cipher.as_str(),
                "made_at": key.made_at.to_string(),
                "followed_at": key.followed_at.map(|at| at.to_string()),
            })
        });
        return print_json(&serde_json::Value::Array(keys.collect()));
    }
    let rows = keys.all().iter().map(|key| {
        vec![
            key.id.clone(),
            key.cipher.as_str().to_owned(),
            key.made_at.to_string(),
            match key.followed_at {
                None => "seals".to_owned(),
                Some(at) => format!("opens; followed {at}"),
            },
        ]
    });
    print_table(&["key", "cipher", "made (UTC)", ""], rows.collect());
    Ok(())
}

/// The identifier, or what stands on standard input for `-`.
fn subject(of: &PersonOf) -> Result<String> {
    if of.subject != "-" {
        return Ok(of.subject.clone());
    }
    let mut text = String::new();
    std::io::stdin()
        .take(4_096)
        .read_to_string(&mut text)
        .context("reading the identifier from standard input")?;
    Ok(text)
}

/// `jingling personal …`.
///
/// # Errors
/// What could not be read or written.
pub async fn personal(command: PersonalCommand) -> Result<()> {
    let (PersonalCommand::Export { of, .. } | PersonalCommand::Viewers { of }) = &command;
    let subject = subject(of)?;
    let city = Opened::new(&of.dir, &[], "").await?;
    let holdings = Holdings {
        personal: &city.personal,
        twin: &city.tables.twin,
        lake: &city.lake,
        limits: sql_limits(&city.settings),
        records: &city.records,
        city: city.name.clone(),
        now: wall_clock(),
    };
    let actor = Actor::command_line();
    match &command {
        PersonalCommand::Export {
            output, purpose, ..
        } => {
            if output.exists() {
                bail!("{} is there already; name another file", output.display());
            }
            let data = holdings.export(&subject, purpose, &actor).await?;
            files::write_secret(output, &serde_json::to_vec_pretty(&data)?)?;
            let values: usize = data.entities.iter().map(|e| e.values.len()).sum();
            eprintln!(
                "{values} values of {} entities written: {}",
                data.entities.len(),
                output.display()
            );
        }
        PersonalCommand::Viewers { .. } => {
            let found = holdings.viewers(&subject, &actor).await?;
            print_json(&serde_json::to_value(&found)?)?;
        }
    }
    city.close().await;
    Ok(())
}
