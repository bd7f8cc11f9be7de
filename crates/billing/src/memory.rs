//! A store in memory: for tests and small uses. It keeps a batch whole or not at all, as any store must.

use crate::store::{Change, Kept, Span, State, Store};
use charging::books::Books;
use charging::{Event, Memory as Ledger, SessionKey};
use model::problem::both;
use model::{Timestamp, Told};
use std::collections::BTreeMap;

/// A store in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    events: BTreeMap<SessionKey, Vec<Event>>,
    sessions: BTreeMap<SessionKey, Kept>,
    numbers: BTreeMap<(String, String), i32>,
    ledger: Ledger,
}

impl Memory {
    /// All sessions.
    pub const fn sessions(&self) -> &BTreeMap<SessionKey, Kept> {
        &self.sessions
    }

    /// The ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How many events are kept.
    pub fn events_kept(&self) -> usize {
        self.events.values().map(Vec::len).sum()
    }

    fn apply(&mut self, change: &Change) -> Result<(), Told> {
        match change {
            Change::Number {
                station,
                start,
                number,
            } => {
                let name = (station.clone(), start.clone());
                let is_given = self.numbers.contains_key(&name)
                    || self.numbers.values().any(|given| given == number);
                if is_given {
                    return Err(Told::new(
                        "billing-number-given",
                        both("交易编号已给出", "the number was given already"),
                        both(format!("充电站 {station}"), format!("station {station}")),
                        both("只运行一个计费进程", "let one writer work on one store"),
                    ));
                }
                self.numbers.insert(name, *number);
            }
            Change::Event(event) => {
                let told = self.events.entry(event.key.clone()).or_default();
                if !told.iter().any(|before| is_same(before, event)) {
                    told.push(event.clone());
                }
            }
            Change::Session(kept) => {
                self.sessions.insert(kept.key.clone(), (**kept).clone());
            }
            Change::Post(entry) => {
                self.ledger.post(entry)?;
            }
        }
        Ok(())
    }
}

/// Whether the same was told, whenever it reached us.
fn is_same(one: &Event, other: &Event) -> bool {
    let told = |event: &Event| (event.connector, event.kind, event.at, event.register);
    told(one) == told(other) && one.card == other.card
}

impl Store for Memory {
    async fn events(&mut self, key: &SessionKey) -> Result<Vec<Event>, Told> {
        Ok(self.events.get(key).cloned().unwrap_or_default())
    }

    async fn kept(&mut self, key: &SessionKey) -> Result<Option<Kept>, Told> {
        Ok(self.sessions.get(key).cloned())
    }

    async fn beside(
        &mut self,
        station: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Span>, Told> {
        let spans = self.sessions.values().filter_map(|kept| {
            let (started, ended) = (kept.started?, kept.ended?);
            (kept.key.station == station && started < until && ended > from).then(|| Span {
                key: kept.key.clone(),
                connector: kept.connector,
                started,
                ended,
            })
        });
        Ok(spans.collect())
    }

    async fn due(&mut self, now: Timestamp, most: usize) -> Result<Vec<SessionKey>, Told> {
        let mut due: Vec<(Timestamp, SessionKey)> = self
            .sessions
            .values()
            .filter_map(|kept| Some((kept.look_at?, kept.key.clone())))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort();
        due.truncate(most);
        Ok(due.into_iter().map(|(_, key)| key).collect())
    }

    async fn number(&mut self, station: &str, start: &str) -> Result<Option<i32>, Told> {
        let name = (station.to_owned(), start.to_owned());
        Ok(self.numbers.get(&name).copied())
    }

    async fn last_number(&mut self) -> Result<i32, Told> {
        Ok(self.numbers.values().copied().max().unwrap_or_default())
    }

    async fn forget(&mut self, unchanged_since: Timestamp, most: usize) -> Result<usize, Told> {
        let old: Vec<SessionKey> = self
            .sessions
            .values()
            .filter(|kept| kept.state == State::Billed && kept.changed < unchanged_since)
            .filter(|kept| {
                kept.bill
                    .as_ref()
                    .is_some_and(|bill| bill.correction.is_none())
            })
            .filter(|kept| self.events.contains_key(&kept.key))
            .take(most)
            .map(|kept| kept.key.clone())
            .collect();
        for key in &old {
            self.events.remove(key);
        }
        Ok(old.len())
    }

    async fn write(&mut self, changes: &[Change]) -> Result<(), Told> {
        let mut next = self.clone();
        changes.iter().try_for_each(|change| next.apply(change))?;
        *self = next;
        Ok(())
    }
}
