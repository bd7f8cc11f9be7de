//! `jingling keys …` and `jingling personal …`.

use crate::args::{KeysCommand, PersonOf, PersonalCommand};
use crate::commands::open_records;
use crate::folder::Folder;
use crate::key_needs::Need;
use crate::output::{print_json, print_table};
use crate::personal_keys::RetireOptions;
use crate::query::Opened;
use crate::running::{sql_limits, wall_clock};
use crate::settings::Settings;
use crate::{files, key_needs, personal_keys};
use anyhow::{Context, Result, bail};
use api::personal_subjects::Holdings;
use personal::Keys;
use records::Actor;
use std::collections::BTreeMap;
use std::io::Read as _;

/// `jingling keys …`.
///
/// # Errors
/// What is wrong with the keys, or the records' own.
pub async fn keys(command: KeysCommand) -> Result<()> {
    let told = |problem: model::Problem| anyhow::anyhow!("{problem}");
    let mut needs = BTreeMap::new();
    let (keys, json) = match command {
        KeysCommand::List { dir, json } => {
            let folder = Folder::new(&dir);
            let keys = personal_keys::read(&folder).map_err(told)?;
            let keys = keys.with_context(|| {
                format!(
                    "{}: there is none; it is made when the city first starts",
                    folder.personal_keys().display()
                )
            })?;
            if keys.all().len() > 1 {
                let records = open_records(&folder, false).await?;
                let counted =
                    key_needs::count(&folder, &Settings::load(&dir, &[])?, &records).await;
                records.close().await;
                needs = counted?;
                // What is not there is needed by nothing, which is to be said too.
                for key in keys.all() {
                    needs.entry(key.id.clone()).or_default();
                }
            }
            (keys, json)
        }
        KeysCommand::Rotate {
            dir,
            cipher,
            forget_old,
            json,
        } => {
            let folder = Folder::new(&dir);
            let cipher = match cipher {
                Some(word) => word,
                None => Settings::load(&dir, &[])?.personal.cipher,
            };
            let cipher = cipher.parse().map_err(told)?;
            let records = open_records(&folder, false).await?;
            let made =
                personal_keys::rotate(&folder, &records, cipher, forget_old, wall_clock()).await;
            records.close().await;
            (made?, json)
        }
        KeysCommand::Retire {
            dir,
            id,
            even_if_needed,
            confirm,
            json,
        } => {
            if confirm.as_ref().is_some_and(|confirm| *confirm != id) {
                bail!("--confirm does not name the key {id}; nothing was changed");
            }
            let folder = Folder::new(&dir);
            let records = open_records(&folder, false).await?;
            let counted = key_needs::count(&folder, &Settings::load(&dir, &[])?, &records).await;
            let retired = match counted {
                Ok(mut needs) => {
                    let need = needs.remove(&id).unwrap_or_default();
                    let (options, now) = (RetireOptions::default(), wall_clock());
                    personal_keys::retire(
                        &folder,
                        &records,
                        &id,
                        &need,
                        even_if_needed,
                        &options,
                        now,
                    )
                    .await
                    .map_err(Into::into)
                }
                Err(error) => Err(error),
            };
            records.close().await;
            (retired?, json)
        }
    };
    match json {
        true => print_json(&as_json(&keys, &needs)),
        false => {
            print_keys(&keys, &needs);
            Ok(())
        }
    }
}

fn as_json(keys: &Keys, needs: &BTreeMap<String, Need>) -> serde_json::Value {
    let there = keys.all().iter().map(|key| {
        serde_json::json!({
            "id": key.id,
            "cipher": key.cipher.as_str(),
            "made_at": key.made_at.to_string(),
            "followed_at": key.followed_at.map(|at| at.to_string()),
            "needed": needs.get(&key.id),
        })
    });
    let retired = keys
        .retired()
        .iter()
        .map(|key| serde_json::json!({ "id": key.id, "retired_at": key.retired_at.to_string() }));
    there.chain(retired).collect()
}

fn print_keys(keys: &Keys, needs: &BTreeMap<String, Need>) {
    let needed = |id: &str| match needs.get(id) {
        None => String::new(),
        Some(need) if need.is_nothing() => "nothing: it may be retired".to_owned(),
        Some(need) => need.stores().join("\n"),
    };
    let there = keys.all().iter().map(|key| {
        let (state, needed) = match key.followed_at {
            None => ("seals".to_owned(), String::new()),
            Some(at) => (format!("opens; followed {at}"), needed(&key.id)),
        };
        let made_at = key.made_at.to_string();
        vec![
            key.id.clone(),
            key.cipher.as_str().to_owned(),
            made_at,
            state,
            needed,
        ]
    });
    let retired = keys.retired().iter().map(|key| {
        let state = format!("retired {}", key.retired_at);
        vec![
            key.id.clone(),
            String::new(),
            String::new(),
            state,
            String::new(),
        ]
    });
    let columns = ["key", "cipher", "made (UTC)", "", "needed by"];
    print_table(&columns, there.chain(retired).collect());
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
