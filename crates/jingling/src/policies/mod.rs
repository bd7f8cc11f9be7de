//! The policies of a city, put together: the program's, the packs', the profile's and those of who administers it; and what is
//! known of the city that policies may speak of.

pub mod command;

use anyhow::{Result, anyhow};
use api::App;
use city::City;
use identity::Identity;
use jiff::tz::TimeZone;
use pack::Packs;
use policy::{Document, Facts, Limits, Live, Source, TypeFacts};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What is known of the city that policies may speak of.
///
/// # Errors
/// The store's own.
pub async fn facts(identity: &Identity, packs: &Packs, city: &City) -> Result<Facts> {
    let mut organisations: BTreeMap<String, Option<String>> = city
        .organisations
        .iter()
        .map(|o| (o.id.clone(), None))
        .collect();
    for row in identity.organisations().await? {
        organisations.insert(row.id, row.parent);
    }
    let mut divisions = BTreeMap::from([(city.code.clone(), None)]);
    for town in &city.towns {
        divisions.insert(town.code.clone(), Some(city.code.clone()));
    }
    let mut actions = identity::policies::actions();
    for pack in &packs.packs {
        let own = pack.manifest.own_permissions.iter();
        actions.extend(own.map(|permission| permission.word.clone()));
    }
    Ok(Facts {
        organisations,
        posts: identity
            .posts()
            .await?
            .into_iter()
            .map(|post| (post.id, post.organisation_id))
            .collect(),
        divisions,
        types: types(packs),
        actions,
    })
}

/// What policies may know of the packs' entity types.
pub(crate) fn types(packs: &Packs) -> BTreeMap<String, TypeFacts> {
    let mut types = BTreeMap::new();
    for pack in &packs.packs {
        for kind in &pack.kinds {
            let known = TypeFacts {
                pack: pack.manifest.name.clone(),
                owner: pack.manifest.owner.clone(),
                personal: kind
                    .attributes
                    .iter()
                    .filter_map(|(name, a)| Some((name.clone(), a.personal?.as_str())))
                    .collect(),
                attributes: kind.attributes.keys().cloned().collect(),
            };
            types.insert(kind.name.clone(), known);
        }
    }
    types
}

/// The documents that come with the program, the packs and the profile.
///
/// # Errors
/// When the profile's cannot be read.
pub fn documents(packs: &Packs, city: &City) -> Result<Vec<Document>> {
    let mut documents = vec![identity::policies::program()];
    for pack in &packs.packs {
        documents.extend(pack.policies.iter().map(|(name, text)| Document {
            source: Source::Pack(pack.manifest.name.clone()),
            name: name.clone(),
            text: text.clone(),
        }));
    }
    let own = city.policies().map_err(|p| anyhow!("{p}"))?;
    documents.extend(own.into_iter().map(|(name, text)| Document {
        source: Source::Profile,
        name,
        text,
    }));
    Ok(documents)
}

/// What is done with the city's own policies when they do not hold together with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Nothing opens: nobody is let in by policies other than those that were given.
    Needed,
    /// They are told and left out, so that others can take their place.
    Tried,
}

/// The same identity under the city's policies.
///
/// # Errors
/// Every mistake of every policy, with document and line.
pub async fn govern(
    identity: Identity,
    packs: &Packs,
    city: &City,
    own: Own,
    rows: bool,
) -> Result<Identity> {
    let facts = facts(&identity, packs, city).await?;
    let given = documents(packs, city)?;
    let (_, of_city) = identity.city_policies().await?;
    let mut all = given.clone();
    all.extend(of_city.into_iter().map(|(name, text)| Document {
        source: Source::City,
        name,
        text,
    }));
    let mut live = Live::new(all, facts.clone(), Limits::default());
    if let (Err(problems), Own::Tried) = (&live, own) {
        eprintln!(
            "the city's own policies are left out:\n{}",
            crate::running::lines(problems)
        );
        live = Live::new(given, facts, Limits::default());
    }
    let live = live.map_err(|problems| {
        anyhow!(
            "the policies do not hold together:\n{}\nmend those of the city with `jingling policy set`, or take them away with `jingling policy set --none`",
            crate::running::lines(&problems)
        )
    })?;
    let zone = TimeZone::get(&city.zone).map_err(|e| anyhow!("{e}"))?;
    Ok(identity.governed_by(Arc::new(live), zone, rows))
}

/// Mistakes in the policies of the pack in a folder that loads.
pub fn check_pack(folder: &Path) -> Vec<model::Problem> {
    let files = pack::Folder::new(folder, pack::Limits::default());
    let pack = match pack::Pack::load(&files) {
        Ok(pack) => pack,
        Err(problems) => return problems,
    };
    let prefix = format!("{}.", pack.manifest.name.trim_start_matches("pack-"));
    let mut actions = identity::policies::actions();
    let mut problems = pack::unknown_engines([&pack], &crate::engine_commands::engines());
    for own in &pack.manifest.own_permissions {
        if !own.word.starts_with(&prefix) || actions.contains(&own.word) {
            problems.push(model::Problem::new(
                "pack-permission",
                format!(
                    "\"{}\" is no permission that this pack can bring",
                    model::problem::quote(&own.word)
                ),
                format!("{}/pack.toml", pack.manifest.name),
                format!("begin it with {prefix} and bring it once"),
            ));
        }
        actions.push(own.word.clone());
    }
    let documents = pack.policies.iter().map(|(name, text)| Document {
        source: Source::Pack(pack.manifest.name.clone()),
        name: name.clone(),
        text: text.clone(),
    });
    let facts = Facts {
        actions,
        ..Facts::default()
    };
    if problems.is_empty()
        && let Err(found) = policy::Engine::new(documents.collect(), facts, &Limits::default())
    {
        problems = found;
    }
    problems
}

/// Time between two looks at the audit trail: how long a change that another process made takes to hold here.
const LOOK_MS: u64 = 1_000;

/// Follows the audit trail and the packs for as long as the city runs: whatever was done may have changed policies, organisations
/// or posts.
pub async fn follow(app: App) {
    let mut ticker = tokio::time::interval(Duration::from_millis(LOOK_MS));
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        ticker.tick().await;
        match refresh(&app, seen.as_ref()).await {
            Ok(end) => seen = Some(end),
            // What held goes on holding; the next look tries again.
            Err(error) => tracing::warn!("policies could not be brought up to date: {error:#}"),
        }
    }
}

/// How far the trail was followed, and with which packs.
type Seen = (i64, Arc<Packs>);

async fn refresh(app: &App, seen: Option<&Seen>) -> Result<Seen> {
    let packs = app.packs.now();
    let end = records::audit::last_id(&mut *app.records.read().await?).await?;
    let is_seen = seen.is_some_and(|(at, of)| *at == end && Arc::ptr_eq(of, &packs));
    if !is_seen {
        app.identity.reload_policies().await?;
        let facts = facts(&app.identity, &packs, &app.city).await?;
        let replaced = app.identity.policies().replace_facts(facts);
        replaced.map_err(|problems| anyhow!("{}", crate::running::lines(&problems)))?;
    }
    Ok((end, packs))
}
