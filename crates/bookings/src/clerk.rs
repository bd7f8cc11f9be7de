//! The one writer: takes whatever requests wait, decides them as one batch, writes one transaction, and only then answers. It never
//! waits for a batch to fill. Nothing here knows the time: every request brings it.

use crate::desk::Desk;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::request::{Answer, Request};
use crate::store::{Known, Store};
use model::Timestamp;
use tokio::sync::{mpsc, oneshot};

/// What lies in the letter box.
enum Letter {
    Ask {
        request: Box<Request>,
        now: Timestamp,
        answer: oneshot::Sender<Result<Answer, Refusal>>,
    },
    Pass {
        now: Timestamp,
        done: oneshot::Sender<Result<Option<Timestamp>, Refusal>>,
    },
}

impl Letter {
    const fn now(&self) -> Timestamp {
        match self {
            Self::Ask { now, .. } | Self::Pass { now, .. } => *now,
        }
    }
}

/// Where requests are handed in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Window {
    letters: mpsc::Sender<Letter>,
}

impl Window {
    /// Asks, and comes back when what is answered is durable.
    ///
    /// # Errors
    /// The refusal; `booking-busy` when too many wait, `booking-store` when the disk did not take it. Both may be sent again with the
    /// same key.
    pub async fn ask(&self, request: Request, now: Timestamp) -> Result<Answer, Refusal> {
        let (answer, answered) = oneshot::channel();
        let letter = Letter::Ask {
            request: Box::new(request),
            now,
            answer,
        };
        self.letters.try_send(letter).map_err(|_| Refusal::busy())?;
        answered.await.map_err(|_| Refusal::store(None))?
    }

    /// Lets time pass, so that holds end and people move up without anybody asking; when something happens by itself next.
    ///
    /// # Errors
    /// As [`Window::ask`].
    pub async fn pass(&self, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        let (done, passed) = oneshot::channel();
        self.letters
            .try_send(Letter::Pass { now, done })
            .map_err(|_| Refusal::busy())?;
        passed.await.map_err(|_| Refusal::store(None))?
    }
}

/// The one writer.
#[derive(Debug)]
pub struct Clerk<S> {
    store: S,
    limits: Limits,
    letters: mpsc::Receiver<Letter>,
    desk: Option<Desk>,
}

impl<S: Store> Clerk<S> {
    /// A writer over a store, and the window where it is asked. It works while [`Clerk::run`] is awaited.
    pub fn new(store: S, limits: Limits) -> (Window, Self) {
        let (sender, letters) = mpsc::channel(limits.waiting_requests_max.max(1));
        let clerk = Self {
            store,
            limits,
            letters,
            desk: None,
        };
        (Window { letters: sender }, clerk)
    }

    /// Works until every window is gone.
    pub async fn run(mut self) {
        let mut batch = Vec::new();
        let most = self.limits.batch_max.max(1);
        while self.letters.recv_many(&mut batch, most).await > 0 {
            self.work(std::mem::take(&mut batch)).await;
        }
    }

    async fn work(&mut self, batch: Vec<Letter>) {
        let now = batch.iter().map(Letter::now).max().unwrap_or_default();
        let mut requests = Vec::new();
        let mut answers = Vec::new();
        let mut passed = Vec::new();
        for letter in batch {
            match letter {
                Letter::Ask {
                    request, answer, ..
                } => {
                    requests.push(*request);
                    answers.push(answer);
                }
                Letter::Pass { done, .. } => passed.push(done),
            }
        }
        match self.decide(&requests, now).await {
            Ok(outcomes) => {
                for (answer, outcome) in answers.into_iter().zip(outcomes) {
                    // Whoever asked may have gone.
                    let _ = answer.send(outcome);
                }
                let next = self.desk.as_ref().and_then(Desk::next_due);
                for done in passed {
                    let _ = done.send(Ok(next));
                }
            }
            Err(refusal) => {
                // Nobody knows what came to be on disk: it is read again before anything else is decided.
                self.desk = None;
                for answer in answers {
                    let _ = answer.send(Err(refusal.clone()));
                }
                for done in passed {
                    let _ = done.send(Err(refusal.clone()));
                }
            }
        }
    }

    async fn decide(
        &mut self,
        requests: &[Request],
        now: Timestamp,
    ) -> Result<Vec<Result<Answer, Refusal>>, Refusal> {
        let failed = |failure: records::Failure| Refusal::store(failure.problem());
        let desk = match &mut self.desk {
            Some(desk) => desk,
            empty => {
                let kept = self.store.load(now).await.map_err(failed)?;
                empty.insert(Desk::open(kept, self.limits.clone(), now)?)
            }
        };
        let needs = desk.needs(requests);
        let known = if needs.is_empty() {
            Known::default()
        } else {
            self.store.known(&needs).await.map_err(failed)?
        };
        let decided = desk.decide(requests, &known, now);
        if !decided.changes.is_empty() {
            self.store.write(&decided.changes).await.map_err(failed)?;
        }
        Ok(decided.outcomes)
    }
}
