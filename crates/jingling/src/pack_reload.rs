//! Packs of the city's folder are taken up when their files change, and refused whole with any mistake, which a notice tells
//! until it is mended.

use crate::folder::Folder;
use crate::running::wall_clock;
use api::app::App;
use api::notices::Notice;
use model::Problem;
use records::{Actor, ActorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Who tells notices here.
const TELLER: &str = "packs";
/// Deepest folder that is looked at.
const DEPTH_MAX: usize = 6;

/// Looks every `every` at the files of the city's own packs, and takes them up when one changed.
pub async fn follow(app: Arc<App>, folder: Folder, every: Duration) {
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
