//! Reports of settings that stations of 2.0.1 send in parts after they were asked (`GetBaseReport`, `NotifyReport`; 2.0.1, B07): the parts
//! are gathered for who waits. Nobody waits long, and what comes unasked or late is kept in the journal alone.

use parking_lot::Mutex;
use proto_ocpp::message::Variable;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Most settings of one report; a device model has some hundred.
const SETTINGS_MAX: usize = 20_000;

/// By station and request.
type Key = (String, i64);

struct Waiting {
    parts: Vec<Variable>,
    whole: oneshot::Sender<Vec<Variable>>,
}

/// Reports that are waited for.
#[derive(Default)]
pub struct Reports(Mutex<HashMap<Key, Waiting>>);

/// A report to come; let go, it is waited for no longer.
pub struct Coming {
    reports: Arc<Reports>,
    key: Key,
    whole: oneshot::Receiver<Vec<Variable>>,
}

impl Reports {
    /// From now on a report's parts are gathered.
    pub fn expect(self: &Arc<Self>, station: &str, request: i64) -> Coming {
        let (sender, whole) = oneshot::channel();
        let key = (station.to_owned(), request);
        let waiting = Waiting {
            parts: Vec::new(),
            whole: sender,
        };
        self.0.lock().insert(key.clone(), waiting);
        Coming {
            reports: Arc::clone(self),
            key,
            whole,
        }
    }

    /// A part came.
    pub fn came(&self, station: &str, request: i64, variables: &[Variable], more_follow: bool) {
        let key = (station.to_owned(), request);
        let mut all = self.0.lock();
        let Some(waiting) = all.get_mut(&key) else {
            return;
        };
        let room = SETTINGS_MAX.saturating_sub(waiting.parts.len());
        waiting.parts.extend(variables.iter().take(room).cloned());
        if !more_follow && let Some(waiting) = all.remove(&key) {
            // Who waited may have gone.
            let _ = waiting.whole.send(waiting.parts);
        }
    }
}

impl Coming {
    /// The report, or what has come of it when the time is over.
    pub async fn parts(mut self, wait: Duration) -> Vec<Variable> {
        if let Ok(Ok(whole)) = tokio::time::timeout(wait, &mut self.whole).await {
            return whole;
        }
        let left = self.reports.0.lock().remove(&self.key);
        left.map(|left| left.parts).unwrap_or_default()
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.reports.0.lock().remove(&self.key);
    }
}
