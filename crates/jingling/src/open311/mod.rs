//! Open311 GeoReport v2 with other endpoints, while the city runs: their requests are taken as cases ([`import`]), cases are sent to
//! them ([`forward`]), and both are followed there ([`follow`]). Who is spoken with and with what key is the settings' ([`settings`]);
//! where one may go is judged for every question ([`api::outgoing`]).

mod follow;
mod forward;
mod import;
mod peer;
pub mod settings;

use self::follow::Follower;
use self::forward::Forwarder;
use self::import::Importer;
use self::peer::Peer;
use crate::folder::Folder;
use crate::settings::Settings;
use anyhow::Result;
use api::App;
use api::outgoing::Outgoing;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Keeps asking and sending while the city runs; one task for each endpoint and way.
///
/// # Errors
/// What is wrong with the settings, files that do not read.
pub fn start(app: &App, folder: &Folder, settings: &Settings) -> Result<Vec<JoinHandle<()>>> {
    let written = &settings.open311;
    let mut tasks = Vec::new();
    if written.endpoint.is_empty() && written.forward.is_empty() {
        return Ok(tasks);
    }
    let outgoing = Arc::new(Outgoing::new(
        settings::networks(settings)?,
        settings::NETWORKS,
        Path::new(&written.authorities),
    ));
    let peer = |called: &settings::Called| -> Result<Arc<Peer>> {
        let peer = Peer::new(folder.path(), called, Arc::clone(&outgoing), written)?;
        Ok(Arc::new(peer))
    };
    let here = written.forward.iter().flat_map(|f| f.services.keys());
    let taken = written.endpoint.iter().flat_map(|e| e.services.values());
    for class in here.chain(taken) {
        // Packs are loaded anew while the city runs, so that this is no mistake of the settings for certain.
        if app.cases.options().catalogue.get(class).is_none() {
            tracing::warn!(%class, "open311: the city has no such class of cases");
        }
    }
    for endpoint in &written.endpoint {
        let peer = peer(&endpoint.called())?;
        let follower = Follower::of_import(Arc::clone(&peer), endpoint, written.follow_days_max);
        let sent = written.forward.iter().filter(|f| f.url == endpoint.url);
        let importer = Importer {
            peer,
            follower,
            endpoint: endpoint.clone(),
            sent_as: sent.map(|forward| forward.name.clone()).collect(),
        };
        tasks.push(tokio::spawn(import::run(app.clone(), importer)));
    }
    for forward in &written.forward {
        let peer = peer(&forward.called())?;
        let follower = Follower::of_forward(Arc::clone(&peer), forward, written.follow_days_max);
        let taken = written.endpoint.iter().filter(|e| e.url == forward.url);
        let forwarder = Forwarder {
            peer,
            follower,
            taken_as: taken.map(|endpoint| endpoint.name.clone()).collect(),
            settings: forward.clone(),
        };
        tasks.push(tokio::spawn(forward::run(app.clone(), forwarder)));
    }
    Ok(tasks)
}

fn ticker(seconds: u64) -> tokio::time::Interval {
    let mut ticker = tokio::time::interval(Duration::from_secs(seconds.max(1)));
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}
