//! What the platform must not keep to itself: stretches of the journal that cannot be read, so that figures
//! rest on less than came in, files that a backup found damaged, and a backup that did not pass its restore drill. Told
//! here, at `/readyz` and as a metric, until it is mended.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use parking_lot::RwLock;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Something that is wrong with what is stored, or with packs that were not taken up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Notice {
    /// `journal-damaged`, `journal-missing`, `journal-trimmed`, `backup-damaged-file`, `backup-drill`, `notice-given-up`, `open311-held`, or the
    /// code of what is wrong with the packs of the city's folder.
    pub code: String,
    /// When it was found, RFC 3339 UTC.
    pub found_at: String,
    /// First journal position concerned.
    pub position_from: u64,
    /// The position behind the last.
    pub position_to: u64,
    /// What is wrong.
    pub what: String,
    /// Where: file and byte.
    pub place: String,
    /// What mends it.
    pub mend: String,
}

/// The notices that stand, by who tells them.
#[derive(Debug, Default)]
pub struct Notices(RwLock<BTreeMap<&'static str, Vec<Notice>>>);

impl Notices {
    /// Sets all that one teller has.
    pub fn set(&self, teller: &'static str, notices: Vec<Notice>) {
        self.0.write().insert(teller, notices);
    }

    /// All of them, oldest first.
    pub fn all(&self) -> Vec<Notice> {
        let mut all: Vec<Notice> = self.0.read().values().flatten().cloned().collect();
        all.sort_by(|a, b| a.found_at.cmp(&b.found_at));
        all
    }

    /// How many records they concern.
    pub fn records(&self) -> u64 {
        let notices = self.0.read();
        notices
            .values()
            .flatten()
            .map(|n| n.position_to.saturating_sub(n.position_from))
            .sum()
    }
}

/// The notices.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeList {
    /// Oldest first.
    pub items: Vec<Notice>,
}

/// What is wrong with what is stored; empty when all is well.
#[utoipa::path(get, path = "/api/v1/notices", tag = "health", security(("session" = ["entity.read"])),
    responses((status = 200, body = NoticeList)))]
pub async fn list(State(app): State<App>) -> Json<NoticeList> {
    Json(NoticeList {
        items: app.notices.all(),
    })
}
