//! The packs that hold now, which a reload changes while the city runs: whole or not at all.

use model::Problem;
use pack::Packs;
use pack::reload::{Changes, changes};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Mutex, MutexGuard, watch};

/// Reads the packs that the binary carries and those of the city's folder.
pub type Reader = Arc<dyn Fn() -> Result<Packs, Vec<Problem>> + Send + Sync>;

/// The packs that hold now.
pub struct LivePacks {
    now: watch::Sender<Arc<Packs>>,
    reader: OnceLock<Reader>,
    /// One reload at a time.
    reloading: Mutex<()>,
}

impl LivePacks {
    /// Begins with these.
    pub fn new(packs: Arc<Packs>) -> Self {
        Self {
            now: watch::Sender::new(packs),
            reader: OnceLock::new(),
            reloading: Mutex::new(()),
        }
    }

    /// The packs as they are now.
    pub fn now(&self) -> Arc<Packs> {
        Arc::clone(&self.now.borrow())
    }

    /// Tells whenever they change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Packs>> {
        self.now.subscribe()
    }

    /// How packs are read anew; set once, at the start.
    pub fn read_with(&self, reader: Reader) {
        // A second one would be the program's mistake and changes nothing.
        let _ = self.reader.set(reader);
    }

    /// Reads the packs anew and checks them against those that hold; [`Reload::hold`] lets them hold.
    ///
    /// # Errors
    /// Every mistake, and everything that only a restart can change.
    pub async fn read(&self) -> Result<Reload<'_>, Vec<Problem>> {
        let one = self.reloading.lock().await;
        let problem = |what: &str| {
            vec![Problem::new(
                "pack-reload",
                what,
                "packs",
                "try again in a moment",
            )]
        };
        let Some(reader) = self.reader.get().cloned() else {
            return Err(problem("the city is still starting"));
        };
        let read = tokio::task::spawn_blocking(move || reader()).await;
        let new = read.map_err(|e| problem(&format!("reading the packs broke off: {e}")))??;
        let changes = changes(&self.now(), &new)?;
        Ok(Reload {
            changes,
            new: Arc::new(new),
            packs: self,
            _one: one,
        })
    }
}

/// Packs that were read and checked, and do not hold yet.
pub struct Reload<'a> {
    /// What they change.
    pub changes: Changes,
    new: Arc<Packs>,
    packs: &'a LivePacks,
    _one: MutexGuard<'a, ()>,
}

impl Reload<'_> {
    /// Lets them hold from now on.
    pub fn hold(self) -> Changes {
        if !self.changes.is_empty() {
            self.packs.now.send_replace(self.new);
        }
        self.changes
    }
}
