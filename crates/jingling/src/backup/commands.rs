//! `jingling backup` and `jingling restore` as a person or a script uses them.

use super::about::CityPoint;
use super::args::{Backup, BackupCommand, KeyArgs, Restore, Take};
use super::restore::{Until, restore};
use super::room::{NO_ROOM, Room};
use super::take::{Progress, take};
use super::{Options, drill, read_passphrase, read_text, restore as restoring, take as taking};
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Problem, Timestamp};
use records::Actor;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use vault::{Key, PointDamage, Protection, Vault};

/// `jingling backup …`. Gives whether nothing wrong was found.
///
/// # Errors
/// What could not be read or written, with the place and the mend.
pub async fn backup(args: Backup) -> Result<bool> {
    let options = Options::default();
    match args.command {
        None => take_one(args.take, options).await,
        Some(BackupCommand::List { vault, json }) => list(&vault, json, &options).map(|()| true),
        Some(BackupCommand::Verify { vault, key, json }) => {
            verify(&vault, &key, json, options).await
        }
        Some(BackupCommand::Drill {
            vault,
            within,
            reserve_mib,
            key,
            json,
        }) => {
            let key = read_key(&key, &options)?;
            let within = within.unwrap_or_else(std::env::temp_dir);
            let bar = bar(0);
            let place = (within.as_path(), Room::new(reserve_mib));
            let done = drill::drill(vault, key, place, options, told(&bar)).await;
            bar.finish_and_clear();
            if let Err(error) = &done
                && json
                && let Some(problem) = error.downcast_ref::<Problem>()
                && problem.code == NO_ROOM
            {
                // For whoever starts drills on a schedule: nothing is known of the backup.
                print_json(&json!({"refused": problem}))?;
            }
            let drill = done?;
            let sound = drill.differences.is_empty();
            if json {
                print_json(&json!(drill))?;
            } else {
                for difference in &drill.differences {
                    eprintln!("{difference}");
                }
                eprintln!(
                    "point {} restored to position {} in {:.1} s: {} journal records, {} entities, {} rows of history, {} rows of records; checked {}: {}",
                    drill.restored.point,
                    drill.restored.position,
                    drill.seconds,
                    drill.journal_records,
                    drill.entities,
                    drill.lake_rows,
                    drill.record_rows,
                    drill.restored.checked.join(", "),
                    if sound {
                        "all as the backup says"
                    } else {
                        "not as the backup says"
                    }
                );
            }
            Ok(sound)
        }
    }
}

async fn take_one(args: Take, options: Options) -> Result<bool> {
    // Both are required by the command line.
    let (dir, to) = args.dir.zip(args.to).context("name the city and --to")?;
    let protection = match (&args.encrypt_to, &args.passphrase_file) {
        (Some(path), _) => {
            Protection::recipients(&read_text(path, &options)?, &path.display().to_string())?
        }
        (None, Some(path)) => Protection::Passphrase(read_passphrase(path, &options)?),
        (None, None) => Protection::AsItIs,
    };
    let folder = Folder::new(&dir);
    let bar = bar(taking::size(&folder));
    let wanted = taking::Wanted {
        to: to.clone(),
        protection,
        keep: args.keep.map(|n| n as usize),
        may_make: true,
        actor: Actor::command_line(),
    };
    let made = take(folder, wanted, options, told(&bar)).await;
    bar.finish_and_clear();
    let made = made?;
    let sound = made.damaged.is_empty();
    if args.json {
        print_json(&json!(made))?;
        return Ok(sound);
    }
    for told in &made.damaged {
        eprintln!("{told}");
    }
    eprintln!(
        "point {} holds everything up to position {} ({}): {} files, {}; new in this backup {}",
        made.point,
        made.about.position,
        made.about.taken_at,
        made.copied.files,
        size(made.copied.bytes),
        size(made.copied.bytes_new),
    );
    if made.removed.points > 0 {
        eprintln!(
            "{} older points were taken away, which freed {}",
            made.removed.points,
            size(made.removed.bytes)
        );
    }
    if let Some(spared) = made.removed.spared {
        eprintln!(
            "point {spared} stays beyond --keep: every newer one has a damaged file, of which it may hold the last good copy"
        );
    }
    tell_left_out(&made.about.left_out);
    if !made.encrypted {
        eprintln!(
            "the backup is not encrypted: whoever can read {} can read the city",
            to.display()
        );
    }
    if !sound {
        let good = made.damaged.iter().filter(|told| told.file.held.is_good());
        let good = good.count();
        eprintln!(
            "{} files of the city are damaged (above): for {good} of them this point has an earlier good copy, for {} it has none",
            made.damaged.len(),
            made.damaged.len() - good
        );
    }
    Ok(sound)
}

fn tell_left_out(left_out: &[String]) {
    if !left_out.is_empty() {
        eprintln!(
            "left out, because the backup is not encrypted: {} (passwords shown once, keys of TLS); a restored city makes a new certificate",
            left_out.join(", ")
        );
    }
}

fn list(dir: &Path, json: bool, options: &Options) -> Result<()> {
    let vault = Vault::open(dir, &Key::None, options.vault.clone())?;
    let mut rows = Vec::new();
    for number in vault.numbers()? {
        let point = vault.point(number)?;
        rows.push((point.stored_bytes(), CityPoint::of(&point)?, point));
    }
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(bytes, about, point)| {
                json!({"point": point.number, "stored_bytes": bytes, "files_not_whole": point.damaged, "about": about})
            })
            .collect();
        return print_json(&json!(rows));
    }
    let rows = rows.into_iter().map(|(bytes, about, point)| {
        vec![
            point.number.to_string(),
            about.taken_at.to_string(),
            about.position.to_string(),
            about.first_position.to_string(),
            size(bytes),
            match point.damaged {
                0 => String::new(),
                files => format!("{files} files"),
            },
            about.formats.written_by,
        ]
    });
    print_table(
        &[
            "point",
            "taken (UTC)",
            "position",
            "journal from",
            "stored",
            "not whole",
            "by",
        ],
        rows.collect(),
    );
    Ok(())
}

async fn verify(dir: &Path, key: &KeyArgs, json: bool, options: Options) -> Result<bool> {
    let vault = Vault::open(dir, &read_key(key, &options)?, options.vault)?;
    let bar = bar(0);
    let progress = told(&bar);
    let verified =
        tokio::task::spawn_blocking(move || vault::verify(&vault, progress.as_ref())).await;
    bar.finish_and_clear();
    let verified = verified.context("verifying ended")??;
    let sound = verified.findings.is_empty() && verified.newest_is_whole;
    if json {
        print_json(&json!(verified))?;
    } else {
        for finding in &verified.findings {
            eprintln!("{finding}");
        }
        for damage in &verified.damaged {
            tell_damage(damage);
        }
        eprintln!(
            "{} points, {} chunks, {} read{}: {}",
            verified.points,
            verified.chunks,
            size(verified.bytes),
            if verified.decrypted {
                ""
            } else {
                " (as stored; give the key to compare the files' own bytes too)"
            },
            if sound {
                "nothing found".to_owned()
            } else if verified.findings.is_empty() {
                "the backup is as it was written, but the newest point has damaged files of the city"
                    .to_owned()
            } else {
                format!("{} findings", verified.findings.len())
            }
        );
    }
    Ok(sound)
}

/// What a point has of files that were damaged when it was made.
fn tell_damage(damage: &PointDamage) {
    for file in &damage.files {
        eprintln!("point {}: {file}", damage.point);
    }
    if damage.files.is_empty() {
        eprintln!(
            "point {}: {} files of the city were damaged when it was made; give the key to see which",
            damage.point, damage.files_not_whole
        );
    }
}

/// `jingling restore`.
///
/// # Errors
/// As [`restore`].
pub async fn restore_one(args: Restore) -> Result<()> {
    let options = Options::default();
    let until = match (&args.at, args.position) {
        (Some(text), _) => Until::Time(Timestamp::parse(text)?),
        (None, Some(position)) => Until::Position(position),
        (None, None) => Until::Newest,
    };
    let wanted = restoring::Wanted {
        from: args.vault,
        key: read_key(&args.key, &options)?,
        to: args.to.clone(),
        until,
        actor: Some(Actor::command_line()),
    };
    let bar = bar(restoring::size(&wanted, &options).unwrap_or(0));
    let restored = restore(wanted, options, told(&bar)).await;
    bar.finish_and_clear();
    let restored = restored?;
    if args.json {
        return print_json(&json!(restored));
    }
    for file in &restored.damaged {
        eprintln!("damaged in the city when the backup was taken: {file}");
    }
    eprintln!(
        "{} holds the city up to position {}, from point {}: {} files, {}; checked {}: {}",
        args.to.display(),
        restored.position,
        restored.point,
        restored.files,
        size(restored.bytes),
        restored.checked.join(", "),
        if restored.is_whole() {
            "nothing found"
        } else {
            "nothing found but the damaged files above; questions that need them are refused"
        }
    );
    eprintln!(
        "what people changed (cases, users, devices) is as of {}; {} records of the journal came later, and are followed when the city starts",
        restored.records_as_of, restored.replayed
    );
    tell_left_out(&restored.left_out);
    eprintln!("run it: jingling serve {}", args.to.display());
    Ok(())
}

fn read_key(args: &KeyArgs, options: &Options) -> Result<Key> {
    Ok(match (&args.identity, &args.passphrase_file) {
        (Some(path), _) => {
            Key::identities(&read_text(path, options)?, &path.display().to_string())?
        }
        (None, Some(path)) => Key::Passphrase(read_passphrase(path, options)?),
        (None, None) => Key::None,
    })
}

/// A bar over bytes, on standard error when that is a terminal; a spinner when the length is not known.
fn bar(bytes: u64) -> ProgressBar {
    let template = if bytes > 0 {
        "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    } else {
        "{spinner} {bytes} {bytes_per_sec}"
    };
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn told(bar: &ProgressBar) -> Progress {
    let bar = bar.clone();
    Arc::new(move |bytes| bar.inc(bytes))
}

fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}
