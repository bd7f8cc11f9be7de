//! What the pages hear without asking: server-sent events of what changed.

use crate::access::Caller;
use crate::app::App;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use identity::Permission;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

/// Notices kept for a slow listener before it loses the oldest; it is told so by a `lost` event.
const NOTICES_KEPT_MAX: usize = 1_024;
/// A comment is sent this often, so that proxies keep the connection.
const KEEP_ALIVE_S: u64 = 15;

/// One thing that changed.
#[derive(Clone, Debug)]
pub struct Notice {
    /// `entity`, `alert`, `case`, `device`, `dead_letter`, `indicator`, `approval` or `notification`.
    pub kind: &'static str,
    /// Who alone hears of it, by user id; everybody when `None`.
    pub people: Option<Arc<[i64]>>,
    /// The permission that a listener needs to hear of it; none where the people are named.
    pub permission: Option<Permission>,
    /// The object, as the API would give it.
    pub data: Arc<serde_json::Value>,
}

/// The bus of notices.
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<Notice>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(NOTICES_KEPT_MAX).0)
    }
}

impl Events {
    /// Tells every listener; nobody listening is fine.
    pub fn tell(&self, kind: &'static str, permission: Permission, data: serde_json::Value) {
        let _nobody_listens = self.0.send(Notice {
            kind,
            people: None,
            permission: Some(permission),
            data: Arc::new(data),
        });
    }
    /// Tells these people that something of theirs changed.
    pub fn tell_people(&self, kind: &'static str, people: Vec<i64>) {
        let _nobody_listens = self.0.send(Notice {
            kind,
            people: Some(people.into()),
            permission: None,
            data: Arc::new(serde_json::json!({})),
        });
    }
    /// Whether anyone listens.
    pub fn has_listeners(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

/// Live changes as server-sent events: `entity`, `alert`, `case`, `device`, `dead_letter`, `indicator`, `approval`, `notification`.
#[utoipa::path(get, path = "/api/v1/events", tag = "live", security(("session" = [])),
    responses((status = 200, description = "A stream of events", content_type = "text/event-stream", body = String)))]
pub async fn listen(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let notices = BroadcastStream::new(app.events.0.subscribe());
    let app = app.clone();
    let stream = notices.filter_map(move |notice| match notice {
        // Asked anew for each: policies change, and so does the hour.
        Ok(notice) if !concerns(&notice, caller.user_id()) => None,
        Ok(notice) => app
            .sight(&caller, None)
            .notice(&notice)
            .map(|data| Ok(Event::default().event(notice.kind).data(data.to_string()))),
        Err(_) => Some(Ok(Event::default().event("lost").data("{}"))),
    });
    // Something at once: a proxy, and some browsers, hold the answer back until its first byte.
    let hello = tokio_stream::once(Ok(Event::default().comment("listening")));
    Sse::new(hello.chain(stream))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(KEEP_ALIVE_S)))
}

/// Whether a notice is for this listener by name, or for nobody by name.
fn concerns(notice: &Notice, user_id: Option<i64>) -> bool {
    match &notice.people {
        None => true,
        Some(people) => user_id.is_some_and(|id| people.contains(&id)),
    }
}
