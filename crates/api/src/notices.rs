//! What the platform must not keep to itself: stretches of the journal that cannot be read, so that figures
//! rest on less than came in. Told here, at `/readyz` and as a metric, until a person ends the notice.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use parking_lot::RwLock;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Something that is wrong with what is stored.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Notice {
    /// `journal-damaged`, `journal-missing` or `journal-trimmed`.
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

/// The notices that stand.
#[derive(Debug, Default)]
pub struct Notices(RwLock<Vec<Notice>>);

impl Notices {
    /// Sets all of them.
    pub fn set(&self, notices: Vec<Notice>) {
        *self.0.write() = notices;
    }

    /// All of them, oldest first.
    pub fn all(&self) -> Vec<Notice> {
        self.0.read().clone()
    }

    /// How many records they concern.
    pub fn records(&self) -> u64 {
        let notices = self.0.read();
        notices
            .iter()
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
pub async fn list(State(app): State<Arc<App>>) -> Json<NoticeList> {
    Json(NoticeList {
        items: app.notices.all(),
    })
}
