//! The one writer: takes whatever waits, works it as one batch, writes one transaction, and only then answers. It never waits for a batch
//! to fill. Nothing here knows the time: every call brings it.

use crate::prices::Prices;
use crate::reckon::{Verdict, follow, verdict};
use crate::settings::Settings;
use crate::store::{Change, Kept, KeptBill, State, Store};
use charging::bill::{Decision, Review};
use charging::session::mark_overlaps;
use charging::{Bill, Entry, Event, Fen, Session, SessionKey, Sessions, Standing};
use model::problem::both;
use model::{Timestamp, Told};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::{mpsc, oneshot};

type Reply<T> = oneshot::Sender<Result<T, Told>>;

/// What lies in the letter box.
enum Letter {
    Take(Vec<Event>, Timestamp, Reply<()>),
    Number(String, String, Timestamp, Reply<i32>),
    Pass(Timestamp, Reply<usize>),
    Forget(Timestamp, Reply<usize>),
    Decide(SessionKey, Decision, Review, Reply<Bill>),
    Prices(Box<Prices>, Reply<()>),
}

impl Letter {
    const fn now(&self) -> Timestamp {
        match self {
            Self::Take(_, now, _) | Self::Number(_, _, now, _) | Self::Pass(now, _) => *now,
            Self::Decide(_, _, review, _) => review.at,
            Self::Forget(..) | Self::Prices(..) => Timestamp::from_micros(i64::MIN),
        }
    }
}

/// An answer that waits for the batch to be durable.
enum Answer {
    Done(Reply<()>, Result<(), Told>),
    Number(Reply<i32>, Result<i32, Told>),
    Passed(Reply<usize>, usize),
    /// Boxed: a bill is much larger than the other answers.
    Decided(Reply<Bill>, Box<Result<Bill, Told>>),
}

impl Answer {
    /// Whoever asked may have gone.
    fn send(self, failed: Option<&Told>) {
        fn tell<T>(reply: Reply<T>, outcome: Result<T, Told>, failed: Option<&Told>) {
            let _ = reply.send(match failed {
                Some(told) => Err(told.clone()),
                None => outcome,
            });
        }
        match self {
            Self::Done(reply, outcome) => tell(reply, outcome, failed),
            Self::Number(reply, outcome) => tell(reply, outcome, failed),
            Self::Passed(reply, count) => tell(reply, Ok(count), failed),
            Self::Decided(reply, outcome) => tell(reply, *outcome, failed),
        }
    }
}

/// Where the writer is asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    letters: mpsc::Sender<Letter>,
}

impl Desk {
    /// Takes events of any stations in; they and what follows from them are durable when it comes back. Told again, they change nothing.
    ///
    /// # Errors
    /// `billing-busy`: too many wait; nothing was taken, tell it again. The store's own: it is unknown whether they were taken, tell them
    /// again. Those of [`Event::check`], `billing-events` where they are too many: none of them was taken, and none ever will be.
    pub async fn take(&self, events: Vec<Event>, now: Timestamp) -> Result<(), Told> {
        self.ask(|reply| Letter::Take(events, now, reply)).await
    }

    /// The transaction number of a start of OCPP 1.6, above 0, the same however often the start comes.
    ///
    /// # Errors
    /// `billing-busy`, the store's own, and `billing-numbers` when all are given.
    pub async fn number(&self, station: &str, start: &str, now: Timestamp) -> Result<i32, Told> {
        let (station, start) = (station.to_owned(), start.to_owned());
        self.ask(|reply| Letter::Number(station, start, now, reply))
            .await
    }

    /// Lets time pass: sessions that waited for leaving, or for a tariff, are looked at. How many were.
    ///
    /// # Errors
    /// `billing-busy` and the store's own.
    pub async fn pass(&self, now: Timestamp) -> Result<usize, Told> {
        self.ask(|reply| Letter::Pass(now, reply)).await
    }

    /// Gives up what was told of sessions that were billed and did not change since a moment, [`Settings::pass_max`] of them at most; their
    /// bills stay, and what is told of them later changes nothing. How many were given up.
    ///
    /// # Errors
    /// `billing-busy` and the store's own.
    pub async fn forget(&self, unchanged_since: Timestamp) -> Result<usize, Told> {
        self.ask(|reply| Letter::Forget(unchanged_since, reply))
            .await
    }

    /// Decides on a held bill; accepted, it is entered in the same transaction.
    ///
    /// # Errors
    /// `billing-unknown`: there is no bill. `billing-no-card`: nobody is known who could be charged. `charging-review`, `billing-busy` and the
    /// store's own.
    pub async fn decide(
        &self,
        key: SessionKey,
        decision: Decision,
        review: Review,
    ) -> Result<Bill, Told> {
        self.ask(|reply| Letter::Decide(key, decision, review, reply))
            .await
    }

    /// Puts prices in force, for sessions billed from now on.
    ///
    /// # Errors
    /// `billing-busy` and the store's own.
    pub async fn prices(&self, prices: Prices) -> Result<(), Told> {
        self.ask(|reply| Letter::Prices(Box::new(prices), reply))
            .await
    }

    async fn ask<T>(&self, letter: impl FnOnce(Reply<T>) -> Letter) -> Result<T, Told> {
        let (reply, answered) = oneshot::channel();
        self.letters.try_send(letter(reply)).map_err(|_| busy())?;
        // The writer ended before it answered: as with a failing store, nobody knows.
        answered.await.map_err(|_| busy())?
    }
}

/// The one writer. It works while [`Clerk::run`] is awaited.
#[derive(Debug)]
pub struct Clerk<S> {
    store: S,
    settings: Settings,
    prices: Prices,
    letters: mpsc::Receiver<Letter>,
    /// The sessions that go on, as far as they were told of since this writer began.
    live: Sessions,
    loaded: BTreeSet<SessionKey>,
}

/// Whether a session can still be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loaded {
    Live,
    /// What was told of it was given up ([`Desk::forget`]): nothing more is taken in, its bill stays.
    Over,
}

/// What a batch comes to before it is written.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    touched: BTreeMap<SessionKey, Timestamp>,
    fresh: BTreeMap<SessionKey, Kept>,
    numbers: BTreeMap<(String, String), i32>,
    last_number: Option<i32>,
}

impl<S: Store> Clerk<S> {
    /// A writer over a store, and the desk where it is asked.
    pub fn new(store: S, settings: Settings, prices: Prices) -> (Desk, Self) {
        let (sender, letters) = mpsc::channel(settings.waiting_max.max(1));
        let clerk = Self {
            store,
            settings,
            prices,
            letters,
            live: Sessions::default(),
            loaded: BTreeSet::new(),
        };
        (Desk { letters: sender }, clerk)
    }

    /// Works until every desk is gone, and gives the store back.
    pub async fn run(mut self) -> S {
        let mut letters = Vec::new();
        let most = self.settings.batch_max.max(1);
        while self.letters.recv_many(&mut letters, most).await > 0 {
            self.work(std::mem::take(&mut letters)).await;
        }
        self.store
    }

    async fn work(&mut self, letters: Vec<Letter>) {
        let mut answers = Vec::with_capacity(letters.len());
        let done = self.batch(letters, &mut answers).await;
        if done.is_err() {
            // Nobody knows what came to be on disk: it is read again before anything else is reckoned.
            self.forget_all();
        }
        for answer in answers {
            answer.send(done.as_ref().err());
        }
    }

    fn forget_all(&mut self) {
        self.live = Sessions::default();
        self.loaded.clear();
    }

    async fn batch(&mut self, letters: Vec<Letter>, answers: &mut Vec<Answer>) -> Result<(), Told> {
        let now = letters.iter().map(Letter::now).max().unwrap_or_default();
        let mut batch = Batch::default();
        let mut decisions = Vec::new();
        let mut failed = None;
        // Every letter gets its answer, also after one that the store failed.
        for letter in letters {
            let did = match letter {
                Letter::Take(events, _, reply) => match self.checked(&events) {
                    Ok(()) => {
                        answers.push(Answer::Done(reply, Ok(())));
                        self.add(events, &mut batch).await
                    }
                    Err(told) => {
                        answers.push(Answer::Done(reply, Err(told)));
                        Ok(())
                    }
                },
                Letter::Number(station, start, _, reply) => {
                    let number = self.give_number(station, start, &mut batch).await;
                    let did = number.as_ref().map(|_| ()).map_err(Told::clone);
                    answers.push(Answer::Number(reply, number.flatten()));
                    did
                }
                Letter::Pass(_, reply) => {
                    let due = self.store.due(now, self.settings.pass_max).await;
                    let (count, did) = match due {
                        Ok(due) => (due.len(), self.look_at(due, &mut batch).await),
                        Err(told) => (0, Err(told)),
                    };
                    answers.push(Answer::Passed(reply, count));
                    did
                }
                Letter::Forget(before, reply) => {
                    let gone = self.store.forget(before, self.settings.pass_max).await;
                    let did = gone.as_ref().map(|_| ()).map_err(Told::clone);
                    answers.push(Answer::Passed(reply, gone.unwrap_or_default()));
                    did
                }
                Letter::Decide(key, decision, review, reply) => {
                    decisions.push((key, decision, review, reply));
                    Ok(())
                }
                Letter::Prices(prices, reply) => {
                    self.prices = *prices;
                    answers.push(Answer::Done(reply, Ok(())));
                    Ok(())
                }
            };
            failed = failed.or(did.err());
        }
        if failed.is_none() {
            failed = self.reckon_all(now, &mut batch).await.err();
        }
        for (key, decision, review, reply) in decisions {
            let decided = self.decided(&key, decision, review, &mut batch).await;
            let outcome = match decided {
                Ok(outcome) => outcome,
                Err(told) => {
                    failed = failed.or(Some(told.clone()));
                    Err(told)
                }
            };
            answers.push(Answer::Decided(reply, Box::new(outcome)));
        }
        if let Some(told) = failed {
            return Err(told);
        }
        let finished: Vec<SessionKey> = batch
            .fresh
            .values()
            .filter(|kept| kept.bill.is_some())
            .map(|kept| kept.key.clone())
            .collect();
        batch.changes.extend(
            batch
                .fresh
                .into_values()
                .map(|kept| Change::Session(Box::new(kept))),
        );
        // A session's row stands before the entry of its bill.
        batch
            .changes
            .sort_by_key(|change| matches!(change, Change::Post(_)));
        if !batch.changes.is_empty() {
            self.store.write(&batch.changes).await?;
        }
        self.give_up(&finished);
        Ok(())
    }

    /// Whether these can be taken at all.
    fn checked(&self, events: &[Event]) -> Result<(), Told> {
        if events.len() > self.settings.events_max {
            return Err(Told::new(
                "billing-events",
                both(
                    format!("一次上报 {} 个事件", events.len()),
                    format!("{} events at once", events.len()),
                ),
                both("充电事件", "events of charging"),
                both(
                    format!("一次最多 {} 个，请分批上报", self.settings.events_max),
                    format!("hand in at most {} at once", self.settings.events_max),
                ),
            ));
        }
        events.iter().try_for_each(Event::check)
    }

    async fn add(&mut self, events: Vec<Event>, batch: &mut Batch) -> Result<(), Told> {
        for mut event in events {
            event.card = event.card.map(|card| self.settings.pseudonym(&card));
            if self.load(&event.key).await? == Loaded::Over {
                continue;
            }
            self.live.add(&event, &self.settings.limits)?;
            let told = batch
                .touched
                .entry(event.key.clone())
                .or_insert(event.received);
            *told = (*told).max(event.received);
            batch.changes.push(Change::Event(event));
        }
        Ok(())
    }

    async fn look_at(&mut self, keys: Vec<SessionKey>, batch: &mut Batch) -> Result<(), Told> {
        for key in keys {
            if self.load(&key).await? == Loaded::Over {
                continue;
            }
            let events = self.store.events(&key).await?;
            let told = events.iter().map(|event| event.received).max();
            batch.touched.entry(key).or_insert(told.unwrap_or_default());
        }
        Ok(())
    }

    /// What was told of a session before this writer began.
    async fn load(&mut self, key: &SessionKey) -> Result<Loaded, Told> {
        if self.loaded.contains(key) {
            return Ok(Loaded::Live);
        }
        let events = self.store.events(key).await?;
        if events.is_empty() {
            // Either nobody told of it yet, or what was told was given up long after its bill.
            let kept = self.store.kept(key).await?;
            if kept.is_some_and(|kept| kept.bill.is_some()) {
                return Ok(Loaded::Over);
            }
        }
        for event in events {
            self.live.add(&event, &self.settings.limits)?;
        }
        self.loaded.insert(key.clone());
        Ok(Loaded::Live)
    }

    /// The number of a start; the outer error is the store's.
    async fn give_number(
        &mut self,
        station: String,
        start: String,
        batch: &mut Batch,
    ) -> Result<Result<i32, Told>, Told> {
        let name = (station, start);
        if let Some(number) = batch.numbers.get(&name) {
            return Ok(Ok(*number));
        }
        if let Some(number) = self.store.number(&name.0, &name.1).await? {
            return Ok(Ok(number));
        }
        let last = match batch.last_number {
            Some(last) => last,
            None => self.store.last_number().await?,
        };
        let Some(number) = last.checked_add(1) else {
            return Ok(Err(Told::new(
                "billing-numbers",
                both("交易编号已用完", "all transaction numbers are given"),
                both(format!("充电站 {}", name.0), format!("station {}", name.0)),
                both(
                    "请把充电桩升级到 OCPP 2.0.1",
                    "bring the stations to OCPP 2.0.1, which gives numbers of its own",
                ),
            )));
        };
        batch.last_number = Some(number);
        batch.changes.push(Change::Number {
            station: name.0.clone(),
            start: name.1.clone(),
            number,
        });
        batch.numbers.insert(name, number);
        Ok(Ok(number))
    }

    async fn reckon_all(&mut self, now: Timestamp, batch: &mut Batch) -> Result<(), Told> {
        for (key, told) in std::mem::take(&mut batch.touched) {
            let Some(session) = self.judged(&key).await? else {
                continue;
            };
            let before = self.store.kept(&key).await?;
            let (kept, entry) = self.reckon(session, before, told, now);
            batch.changes.extend(entry.map(Change::Post));
            batch.fresh.insert(key, kept);
        }
        Ok(())
    }

    /// A session as it stands, beside the others of its connector.
    async fn judged(&mut self, key: &SessionKey) -> Result<Option<Session>, Told> {
        let limits = &self.settings.limits;
        let mut all = self.live.at_station(&key.station, limits);
        let Some(mine) = all.iter().find(|session| session.key == *key) else {
            return Ok(None);
        };
        if let (Some(from), Some(until)) = (mine.started, mine.ended) {
            for span in self.store.beside(&key.station, from, until).await? {
                if all.iter().all(|session| session.key != span.key) {
                    all.push(Session {
                        key: span.key,
                        connector: span.connector,
                        card: None,
                        arrived: None,
                        started: Some(span.started),
                        full: None,
                        ended: Some(span.ended),
                        left: None,
                        is_ended: true,
                        readings: Vec::new(),
                        doubts: BTreeSet::new(),
                    });
                }
            }
            mark_overlaps(&mut all);
        }
        Ok(all.into_iter().find(|session| session.key == *key))
    }

    /// What is to be kept of a session, and the entry of its bill when it became due.
    fn reckon(
        &self,
        session: Session,
        before: Option<Kept>,
        told: Timestamp,
        now: Timestamp,
    ) -> (Kept, Option<Entry>) {
        let settings = &self.settings;
        let own = || self.prices.operator(&session.key.station).to_owned();
        // A bill stays with the operator for whom it was made.
        let (operator, stood) = match before {
            Some(kept) if kept.bill.is_some() => (kept.operator, kept.bill),
            _ => (own(), None),
        };
        let verdict = verdict(&session, &self.prices, told, now, settings.left_wait_s);
        let (state, look_at, bill) = match verdict {
            // Nothing told takes a bill away.
            _ if stood.is_some() && !matches!(verdict, Verdict::Bill(..)) => {
                let is_held = stood
                    .as_ref()
                    .is_some_and(|kept| kept.bill.standing == Standing::Held);
                let look_at = match verdict {
                    Verdict::Waiting(until) => Some(until),
                    _ => None,
                };
                (standing(is_held), look_at, stood)
            }
            Verdict::Charging => (State::Charging, None, None),
            Verdict::Waiting(until) => (State::Waiting, Some(until), None),
            Verdict::Unpriced => {
                let again = now.plus_seconds(settings.unpriced_again_s);
                (State::Unpriced, Some(again), None)
            }
            Verdict::Bill(bill, tariff) => {
                let kept = follow(stood, *bill, tariff);
                let is_held = kept.bill.standing == Standing::Held;
                (standing(is_held), None, Some(kept))
            }
        };
        let entry = bill.as_ref().and_then(|kept| entered(kept, &operator, now));
        let kept = Kept {
            connector: session.connector,
            energy: session.energy().unwrap_or_default(),
            card: session.card,
            operator,
            state,
            started: session.started,
            ended: session.ended,
            look_at,
            bill,
            changed: now,
            key: session.key,
        };
        (kept, entry)
    }

    /// A person's decision; the outer error is the store's.
    async fn decided(
        &mut self,
        key: &SessionKey,
        decision: Decision,
        review: Review,
        batch: &mut Batch,
    ) -> Result<Result<Bill, Told>, Told> {
        let kept = match batch.fresh.get(key) {
            Some(kept) => Some(kept.clone()),
            None => self.store.kept(key).await?,
        };
        let place = both(format!("账单 {key}"), format!("bill {key}"));
        let Some((mut kept, stood)) = kept.and_then(|mut kept| {
            let stood = kept.bill.take()?;
            Some((kept, stood))
        }) else {
            return Ok(Err(Told::new(
                "billing-unknown",
                both("没有这张账单", "there is no such bill"),
                place,
                both("请核对充电站和交易编号", "look at station and transaction"),
            )));
        };
        if decision == Decision::Accept && stood.bill.card.is_none() {
            return Ok(Err(Told::new(
                "billing-no-card",
                both("不知道向谁收费", "nobody is known who could be charged"),
                place,
                both("请免收", "waive the bill"),
            )));
        }
        let at = review.at;
        let bill = match stood.bill.clone().decide(decision, review) {
            Ok(bill) => bill,
            Err(told) => return Ok(Err(told)),
        };
        let decided = KeptBill {
            bill: bill.clone(),
            ..stood
        };
        let entry = entered(&decided, &kept.operator, at);
        if let Some(Err(told)) = entry.as_ref().map(Entry::check) {
            return Ok(Err(told));
        }
        batch.changes.extend(entry.map(Change::Post));
        kept.state = State::Billed;
        kept.changed = at;
        kept.bill = Some(decided);
        batch.fresh.insert(key.clone(), kept);
        Ok(Ok(bill))
    }

    /// What needs no memory any more: it is read again when more is told of it.
    fn give_up(&mut self, finished: &[SessionKey]) {
        for key in finished {
            self.live.forget(key);
            self.loaded.remove(key);
        }
        if self.loaded.len() > self.settings.live_max {
            self.forget_all();
        }
    }
}

const fn standing(is_held: bool) -> State {
    if is_held {
        State::Doubtful
    } else {
        State::Billed
    }
}

/// The entry of a bill that is due; its key is the bill's, so that it stands once however often it is written.
fn entered(kept: &KeptBill, operator: &str, at: Timestamp) -> Option<Entry> {
    let due = kept.bill.due().filter(|due| *due > Fen::ZERO)?;
    let card = kept.bill.card.as_deref()?;
    Some(Entry::billed(&kept.bill.id(), card, operator, due, at))
}

fn busy() -> Told {
    Told::new(
        "billing-busy",
        both(
            "计费正忙，或正在停止",
            "billing is busy, or is being stopped",
        ),
        both("充电计费", "billing of charging"),
        both(
            "请稍后原样重报，重报不会重复计费",
            "tell the same again later; nothing is billed twice",
        ),
    )
}
