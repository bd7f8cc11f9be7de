//! Known holes (已知漏洞): the advisories that an operator brings into the city's folder, and which of them are about this
//! program. Where none were brought, nothing is known, and that is what is said.

use super::args::SecurityCommand;
use crate::commands::open_records;
use crate::files;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use advisories::{Brought, Dependency, Hole, Limits, Severity, holes, own};
use anyhow::{Context, Result, anyhow};
use api::security::{Hole as Shown, Holes};
use model::Timestamp;
use records::{Actor, Event, audit};
use serde_json::json;
use std::path::Path;

/// `jingling security …`. Gives whether nothing was found.
///
/// # Errors
/// Advisories that cannot be read, a folder that cannot be written.
pub async fn command(command: SecurityCommand) -> Result<bool> {
    match command {
        SecurityCommand::Packages { json } => packages(json).map(|()| true),
        SecurityCommand::Holes {
            dir,
            advisories,
            json,
        } => {
            let folder = dir.as_deref().map(Folder::new);
            let brought = match (&folder, &advisories) {
                (Some(folder), None) => kept(folder)?,
                (folder, Some(path)) => Some(bring(folder.as_ref(), path).await?),
                (None, None) => None,
            };
            say(brought, json)
        }
    }
}

fn packages(as_json: bool) -> Result<()> {
    let rows = own().into_iter();
    if as_json {
        let items: Vec<_> = rows
            .map(|d| json!({"ecosystem": d.ecosystem, "name": d.name, "version": d.version, "builds_only": d.builds_only}))
            .collect();
        return print_json(&json!(items));
    }
    let rows = rows.map(|d| {
        vec![
            d.ecosystem.to_string(),
            d.name,
            d.version.to_string(),
            if d.builds_only { "builds only" } else { "" }.to_owned(),
        ]
    });
    print_table(&["ecosystem", "package", "version", ""], rows.collect());
    Ok(())
}

/// What was brought in earlier; `None` when nothing was.
///
/// # Errors
/// A file that does not read.
pub fn kept(folder: &Folder) -> Result<Option<Brought>> {
    let path = folder.advisories();
    match std::fs::read_to_string(&path) {
        Ok(text) => Brought::parse(&text).map(Some).map_err(|p| anyhow!("{p}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

async fn bring(folder: Option<&Folder>, path: &Path) -> Result<Brought> {
    let read = advisories::read::read(path, &Limits::default()).map_err(|p| anyhow!("{p}"))?;
    for problem in &read.problems {
        eprintln!("{problem}");
    }
    let (dependencies, now) = (own(), wall_clock());
    let brought = Brought::new(read, &dependencies, now);
    if let Some(folder) = folder {
        let records = open_records(folder, false).await?;
        let text = brought.text().map_err(|p| anyhow!("{p}"))?;
        let detail = json!({
            "advisories": brought.read,
            "newest": brought.newest,
            "holes": holes(&dependencies, &brought.advisories).len(),
            "unread": brought.unread,
        });
        let actor = Actor::command_line();
        let event = Event::SecurityAdvisories;
        let mut write = records.write().await?;
        audit::insert(&mut write, now, &actor, event, "security", &detail).await?;
        // Before the act is: an act that is told has happened.
        files::write_atomically(&folder.advisories(), text.as_bytes())?;
        write.commit().await?;
        records.close().await;
    }
    Ok(brought)
}

fn is_grave(hole: &Hole) -> bool {
    hole.severity >= Severity::High && !hole.builds_only
}

fn say(brought: Option<Brought>, as_json: bool) -> Result<bool> {
    let dependencies = own();
    let Some(brought) = brought else {
        let told = "no advisories were brought in, so nothing is known of holes";
        if as_json {
            print_json(
                &json!({"has_data": false, "packages": dependencies.len(), "holes": null, "told": told}),
            )?;
        } else {
            eprintln!("{told}; bring them in with --advisories DIR");
        }
        return Ok(false);
    };
    let found = holes(&dependencies, &brought.advisories);
    let not_covered = not_covered(&brought, &dependencies);
    let brought_at = Timestamp::from_micros(brought.brought_at).to_string();
    if as_json {
        print_json(
            &json!({"has_data": true, "packages": dependencies.len(), "not_covered": not_covered,
            "brought_at": brought_at, "newest": brought.newest, "advisories": brought.read, "unread": brought.unread,
            "holes": found}),
        )?;
    } else {
        let rows = found.iter().map(|h| {
            vec![
                h.severity.to_string(),
                format!("{} {}", h.package, h.version),
                h.id.clone(),
                h.summary.clone(),
                h.mended_in
                    .clone()
                    .unwrap_or_else(|| "nothing yet".to_owned()),
            ]
        });
        if !found.is_empty() {
            let head = ["severity", "package", "advisory", "what", "mended in"];
            print_table(&head, rows.collect());
        }
        eprintln!(
            "{} packages, {} advisories (the newest of {}, brought in {brought_at}): {} known holes, {} of them grave",
            dependencies.len(),
            brought.read,
            brought.newest,
            found.len(),
            found.iter().filter(|hole| is_grave(hole)).count(),
        );
        if not_covered > 0 {
            eprintln!(
                "{not_covered} packages were not covered by the advisories: nothing is known of them"
            );
        }
        if brought.unread > 0 {
            eprintln!("{} files could not be read", brought.unread);
        }
    }
    Ok(found.is_empty() && not_covered == 0 && brought.unread == 0)
}

/// Packages of which nothing is known: those that are new since, and those of an ecosystem that the data is not about.
fn not_covered(brought: &Brought, dependencies: &[Dependency]) -> usize {
    let new = brought.not_looked_for(dependencies);
    let is_covered = |d: &Dependency| match d.ecosystem {
        advisories::Ecosystem::CratesIo => brought.of_crates > 0,
        advisories::Ecosystem::Npm => brought.of_npm > 0,
    };
    dependencies
        .iter()
        .filter(|d| !is_covered(d) || new.contains(&format!("{} {}", d.ecosystem, d.name)))
        .count()
}

/// What the security view shows, `max` holes at most by name.
pub fn for_view(folder: &Folder, max: usize) -> Holes {
    let dependencies = own();
    let nothing = Holes {
        packages: dependencies.len() as u64,
        has_data: false,
        brought_at: None,
        newest: None,
        unread: None,
        not_covered: dependencies.len() as u64,
        grave: None,
        total: None,
        items: Vec::new(),
    };
    let brought = match kept(folder) {
        Ok(Some(brought)) => brought,
        Ok(None) => return nothing,
        Err(error) => {
            return Holes {
                unread: Some(format!("{error:#}")),
                ..nothing
            };
        }
    };
    let found = holes(&dependencies, &brought.advisories);
    Holes {
        has_data: true,
        brought_at: Some(Timestamp::from_micros(brought.brought_at).to_string()),
        not_covered: not_covered(&brought, &dependencies) as u64,
        newest: Some(brought.newest),
        grave: Some(found.iter().filter(|hole| is_grave(hole)).count() as u64),
        total: Some(found.len() as u64),
        items: found.into_iter().take(max).map(shown).collect(),
        ..nothing
    }
}

fn shown(hole: Hole) -> Shown {
    Shown {
        id: hole.id,
        ecosystem: hole.ecosystem.to_string(),
        package: hole.package,
        version: hole.version,
        severity: hole.severity.to_string(),
        builds_only: hole.builds_only,
        summary: hole.summary,
        mended_in: hole.mended_in,
        url: hole.url,
    }
}
