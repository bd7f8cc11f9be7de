//! The packs that hold now, which a reload changes while the city runs: whole or not at all.

use model::Problem;
use pack::Packs;
use pack::reload::{Changes, changes};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Mutex, MutexGuard, watch};

/// Reads the packs that the binary carries and those of the city's folder.
pub type Reader = Arc<dyn Fn() -> Result<Packs, Vec<Problem>> + Send + Sync>;

/// Lets packs hold in whatever was opened with those before; cannot fail.
pub type Hold = Box<dyn FnOnce() + Send>;

/// Checks new packs (the second) against those that hold (the first) and against what is stored; what it answers lets them hold.
pub type Taker = Arc<dyn Fn(&Packs, &Arc<Packs>) -> Result<Hold, Vec<Problem>> + Send + Sync>;

/// The packs that hold now.
pub struct LivePacks {
    now: watch::Sender<Arc<Packs>>,
    reader: OnceLock<(Reader, Taker)>,
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

    /// How packs are read anew and taken up; set once, at the start.
    pub fn read_with(&self, reader: Reader, taker: Taker) {
        // A second one would be the program's mistake and changes nothing.
        let _ = self.reader.set((reader, taker));
    }

    /// Reads the packs anew and checks them against those that hold; [`Reload::hold`] lets them hold.
    ///
    /// # Errors
    /// Every mistake, everything that only a restart can change, and everything that contradicts what is stored.
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
        let Some((reader, taker)) = self.reader.get().cloned() else {
            return Err(problem("the city is still starting"));
        };
        let old = self.now();
        let read = tokio::task::spawn_blocking(move || {
            let new = Arc::new(reader()?);
            let changes = changes(&old, &new)?;
            let hold = taker(&old, &new)?;
            Ok::<_, Vec<Problem>>((changes, new, hold))
        });
        let read = read.await;
        let (changes, new, hold) =
            read.map_err(|e| problem(&format!("reading the packs broke off: {e}")))??;
        Ok(Reload {
            changes,
            new,
            hold,
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
    hold: Hold,
    packs: &'a LivePacks,
    _one: MutexGuard<'a, ()>,
}

impl Reload<'_> {
    /// Lets them hold from now on.
    pub fn hold(self) -> Changes {
        if !self.changes.is_empty() {
            // First what they stand on: whoever is told of them finds their types, workflows and indicators in force.
            (self.hold)();
            self.packs.now.send_replace(self.new);
        }
        self.changes
    }
}
