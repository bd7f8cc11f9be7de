//! The policies of a city, put together: the program's, the packs', the profile's and those of who administers it; and what is
//! known of the city that policies may speak of.

use anyhow::{Result, anyhow};
use api::App;
use city::City;
use identity::Identity;
use jiff::tz::TimeZone;
use pack::Packs;
use policy::{Document, Facts, Limits, Live, Source, TypeFacts};
use std::collections::BTreeMap;
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
    let mut types = BTreeMap::new();
    let mut actions = identity::policies::actions();
    for pack in &packs.packs {
        for kind in &pack.kinds {
            let known = TypeFacts {
                pack: pack.manifest.name.clone(),
                owner: pack.manifest.owner.clone(),
                personal: BTreeMap::new(),
                attributes: kind.attributes.keys().cloned().collect(),
            };
            types.insert(kind.name.clone(), known);
        }
        let own = pack.manifest.own_permissions.iter();
        actions.extend(own.map(|permission| permission.word.clone()));
    }
    Ok(Facts {
        organisations,
        posts: BTreeMap::new(),
        divisions,
        types,
        actions,
    })
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

/// The same identity under the city's policies.
///
/// # Errors
/// Every mistake of every policy, with document and line.
pub async fn govern(identity: Identity, packs: &Packs, city: &City) -> Result<Identity> {
    let facts = facts(&identity, packs, city).await?;
    let mut all = documents(packs, city)?;
    let (_, own) = identity.city_policies().await?;
    all.extend(own.into_iter().map(|(name, text)| Document {
        source: Source::City,
        name,
        text,
    }));
    let live = Live::new(all, facts, Limits::default()).map_err(|problems| {
        anyhow!(
            "the policies do not hold together:\n{}\nmend those of the city with `jingling policy set`, or take them away with `jingling policy set --none`",
            crate::running::lines(&problems)
        )
    })?;
    let zone = TimeZone::get(&city.zone).map_err(|e| anyhow!("{e}"))?;
    Ok(identity.governed_by(Arc::new(live), zone))
}

/// Time between two looks at the audit trail: how long a change that another process made takes to hold here.
const LOOK_MS: u64 = 1_000;

/// Follows the audit trail for as long as the city runs: whatever was done may have changed policies, organisations or posts.
pub async fn follow(app: Arc<App>) {
    let mut ticker = tokio::time::interval(Duration::from_millis(LOOK_MS));
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        ticker.tick().await;
        match refresh(&app, seen).await {
            Ok(end) => seen = Some(end),
            // What held goes on holding; the next look tries again.
            Err(error) => tracing::warn!("policies could not be brought up to date: {error:#}"),
        }
    }
}

async fn refresh(app: &App, seen: Option<i64>) -> Result<i64> {
    let end = records::audit::last_id(&mut *app.records.read().await?).await?;
    if seen != Some(end) {
        app.identity.reload_policies().await?;
        let facts = facts(&app.identity, &app.packs, &app.city).await?;
        let replaced = app.identity.policies().replace_facts(facts);
        replaced.map_err(|problems| anyhow!("{}", crate::running::lines(&problems)))?;
    }
    Ok(end)
}
