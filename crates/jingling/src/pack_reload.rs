//! Packs of the city's folder are taken up when their files change, and refused whole with any mistake, which a notice tells
//! until it is mended; and what packs that were read are checked against and let hold in.

use crate::folder::Folder;
use crate::mapping::TopicMapping;
use crate::running::{histories, line_protocol, wall_clock};
use api::app::App;
use api::live_packs::{Hold, Taker};
use api::notices::Notice;
use model::Problem;
use pack::Packs;
use pack::reload::{Holding, Stored, contradictions};
use parking_lot::RwLock;
use records::{Actor, ActorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use twin::{Filter, Twin, ValueRef};

/// Who tells notices here.
const TELLER: &str = "packs";
/// Entities that are looked at before the twin takes messages again.
const VISITED_AT_ONCE: usize = 5_000;
/// Deepest folder that is looked at.
const DEPTH_MAX: usize = 6;

/// Looks every `every` at the files of the city's own packs, and takes them up when one changed.
pub async fn follow(app: App, folder: Folder, every: Duration) {
    let mut ticker = tokio::time::interval(every);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = look(&folder).await;
    loop {
        ticker.tick().await;
        let now = look(&folder).await;
        if now == seen {
            continue;
        }
        seen = now;
        take_up(&app).await;
    }
}

/// Takes the packs up and tells what refuses them.
async fn take_up(app: &App) {
    let actor = Actor {
        kind: ActorKind::System,
        name: "packs".to_owned(),
        peer: String::new(),
    };
    match api::pack_pages::take_up(app, &actor).await {
        Ok(Ok(changes)) => {
            app.notices.set(TELLER, Vec::new());
            tracing::info!(?changes, "the packs were loaded anew");
        }
        Ok(Err(problems)) => {
            for problem in &problems {
                tracing::warn!(%problem, "the packs stay as they were");
            }
            app.notices.set(TELLER, notices(&problems));
        }
        Err(error) => tracing::error!(%error, "the packs were not loaded anew"),
    }
}

fn notices(problems: &[Problem]) -> Vec<Notice> {
    let found_at = wall_clock().to_string();
    let notice = |problem: &Problem| Notice {
        code: problem.code.clone(),
        found_at: found_at.clone(),
        position_from: 0,
        position_to: 0,
        what: problem.what.clone(),
        place: problem.place.clone(),
        mend: problem.mend.clone(),
    };
    problems.iter().map(notice).collect()
}

/// What new packs are checked against, and where they come to hold: the way in, its doors, current values, history, cases,
/// indicators, personal data and what policies know of types. Their order is that in which a value meets them last to first, so
/// that nothing takes a value of a type of which something behind it does not know yet.
pub fn taker(app: &App, topics: Arc<RwLock<TopicMapping>>) -> Taker {
    let (ingest, lake, plan) = (app.ingest.clone(), app.lake.clone(), app.plan.clone());
    let (cases, personal) = (app.cases.clone(), app.personal.clone());
    let (identity, twin) = (app.identity.clone(), app.twin.clone());
    let (decoder, city) = (app.line_protocol.clone(), app.city.clone());
    Arc::new(move |old: &Packs, new: &Arc<Packs>| {
        let mut problems = contradictions(&old.catalogue, &new.catalogue, &Current(&twin));
        problems.extend(
            cases
                .check_workflows(&new.workflows)
                .err()
                .unwrap_or_default(),
        );
        // The packs' own check does not know the city's calendars.
        let rules = rules::check::problems(&new.rules, &new.catalogue, &city.calendars);
        problems.extend(rules);
        let influx = line_protocol(&new.mappings).map_err(|problem| problems.push(problem));
        let Ok(influx) = influx else {
            return Err(problems);
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let (ingest, lake, plan) = (ingest.clone(), lake.clone(), plan.clone());
        let (cases, personal, identity) = (cases.clone(), personal.clone(), identity.clone());
        let (decoder, topics, new) = (decoder.clone(), topics.clone(), new.clone());
        let hold: Hold = Box::new(move || {
            let catalogue = Arc::new(new.catalogue.clone());
            let live = identity.policies();
            let mut facts = live.engine().facts().clone();
            facts.types = crate::policies::types(&new);
            if let Err(problems) = live.replace_facts(facts) {
                // The look at the policies, each second, tries again.
                tracing::error!(
                    ?problems,
                    "the policies do not know the new entity types yet"
                );
            }
            *personal.catalogue.write() = Arc::clone(&catalogue);
            lake.set_history(histories(&catalogue));
            if let Err(error) = cases.set_workflows(new.workflows.clone()) {
                tracing::error!(%error, "cases are opened by the workflows of before");
            }
            plan.set_packs(&new);
            ingest.set_catalogue(catalogue);
            *decoder.write() = Arc::new(influx);
            *topics.write() = TopicMapping::new(&new.mappings);
        });
        Ok(hold)
    })
}

/// The current values, as those that a declaration could contradict.
struct Current<'a>(&'a Twin);

impl Stored for Current<'_> {
    fn each(&self, entity_type: &str, see: &mut pack::reload::See<'_>) {
        let mut filter = Filter {
            types: vec![entity_type.to_owned()],
            limit: VISITED_AT_ONCE,
            ..Filter::default()
        };
        let mut look = |entity: &twin::Entity| {
            for (name, attribute) in entity.attributes() {
                let holding = match attribute.value {
                    ValueRef::Number(_) => Holding::Number,
                    ValueRef::Boolean(_) => Holding::Boolean,
                    ValueRef::Text(_) => Holding::Text,
                    ValueRef::Json(_) => Holding::Json,
                    ValueRef::Relationship(_) => Holding::Relationship,
                    ValueRef::Point(_) | ValueRef::Shape(..) => Holding::Geometry,
                };
                see(entity.id.as_str(), name.as_str(), holding, attribute.unit);
            }
        };
        while let Some(next) = self.0.visit(&filter, &mut look) {
            filter.after = Some(next.to_string());
        }
    }
}

/// What can be seen of the files without reading them: how many, how long, and when the newest was written.
type Seen = (usize, u64, Option<SystemTime>);

async fn look(folder: &Folder) -> Seen {
    let own = folder.own_packs();
    let looked = tokio::task::spawn_blocking(move || {
        let mut seen = (0, 0, None);
        walk(&own, 0, &mut seen);
        seen
    });
    looked.await.unwrap_or_default()
}

fn walk(folder: &Path, depth: usize, seen: &mut Seen) {
    // A folder that is not there, or that cannot be read just now, has no files; the reload itself tells why.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        if about.is_dir() {
            if depth < DEPTH_MAX {
                walk(&entry.path(), depth + 1, seen);
            }
            continue;
        }
        seen.0 += 1;
        seen.1 += about.len();
        seen.2 = seen.2.max(about.modified().ok());
    }
}
