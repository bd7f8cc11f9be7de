//! The store over the city's records: every batch is one transaction, which says first that this is still the one writer.

use crate::settings::Settings;
use crate::store::{Change, Kept, KeptBill, Span, State, Store};
use charging::ledger::{BillMoney, Seen, judge, undone_key};
use charging::{Account, Bill, Entry, EntryKind, Event, EventKind, Fen, Posting, SessionKey, Wh};
use model::problem::both;
use model::{Problem, Timestamp, Told};
use records::charging::{
    self as rows, ChargingEvent, ChargingSession, LedgerBill, LedgerEntry, LedgerPosting,
};
use records::{Connection, Failure, Records, Write};
use std::fmt::Display;

/// The code of a store that cannot be written or read now.
pub const STORE: &str = "billing-store";

/// Sessions, bills and the ledger in the records.
#[derive(Clone, Debug)]
pub struct Durable {
    records: Records,
    generation: i64,
    /// How long before another one a session may have begun that still has time in common with it, seconds.
    longest_s: i64,
}

impl Durable {
    /// Over these records, as their one writer from now on.
    ///
    /// # Errors
    /// The records' own.
    pub async fn open(records: Records, settings: &Settings) -> records::Result<Self> {
        let mut write = records.write().await?;
        let generation = rows::take_over(&mut write).await?;
        write.commit().await?;
        Ok(Self {
            records,
            generation,
            longest_s: settings.limits.duration_max_seconds,
        })
    }

    async fn writing(&self) -> records::Result<Write> {
        let mut write = self.records.write().await?;
        rows::must_be_writer(&mut write, self.generation).await?;
        Ok(write)
    }

    async fn put(&self, changes: &[Change]) -> Result<(), Refused> {
        let mut events = Vec::new();
        let mut sessions = Vec::new();
        let mut write = self.writing().await?;
        for change in changes {
            match change {
                Change::Number {
                    station,
                    start,
                    number,
                } => {
                    let number = i64::from(*number);
                    if !rows::put_start(&mut write, station, start, number).await? {
                        return Err(number_given(station).into());
                    }
                }
                Change::Event(event) => events.push(event_row(event)),
                Change::Session(kept) => sessions.push(session_row(kept)?),
                Change::Post(_) => {}
            }
        }
        rows::put_events(&mut write, &events).await?;
        rows::put_sessions(&mut write, &sessions).await?;
        for change in changes {
            if let Change::Post(entry) = change {
                post(&mut write, entry).await?;
            }
        }
        Ok(write.commit().await?)
    }
}

impl Store for Durable {
    async fn events(&mut self, key: &SessionKey) -> Result<Vec<Event>, Told> {
        let read = async {
            let mut connection = self.records.read().await?;
            let told = rows::events(&mut connection, &key.station, &key.transaction).await?;
            told.into_iter().map(event).collect::<records::Result<_>>()
        };
        read.await.map_err(|failure| told(&failure))
    }

    async fn kept(&mut self, key: &SessionKey) -> Result<Option<Kept>, Told> {
        let read = async {
            let mut connection = self.records.read().await?;
            let found = rows::session(&mut connection, &key.station, &key.transaction).await?;
            found.map(kept).transpose()
        };
        read.await.map_err(|failure| told(&failure))
    }

    async fn beside(
        &mut self,
        station: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Span>, Told> {
        let begun = from.plus_seconds(-self.longest_s);
        let read = async {
            let mut connection = self.records.read().await?;
            let found = rows::beside(&mut connection, station, begun, from, until).await?;
            found
                .into_iter()
                .filter_map(|row| {
                    let (started, ended) = (row.started_at?, row.ended_at?);
                    Some(connector(row.connector).map(|connector| Span {
                        key: SessionKey {
                            station: row.station,
                            transaction: row.transaction_id,
                        },
                        connector,
                        started,
                        ended,
                    }))
                })
                .collect::<records::Result<_>>()
        };
        read.await.map_err(|failure| told(&failure))
    }

    async fn due(&mut self, now: Timestamp, most: usize) -> Result<Vec<SessionKey>, Told> {
        let read = async {
            let mut connection = self.records.read().await?;
            rows::due(&mut connection, now, count(most)).await
        };
        let due = read.await.map_err(|failure| told(&failure))?;
        let keys = due.into_iter();
        Ok(keys
            .map(|(station, transaction)| SessionKey {
                station,
                transaction,
            })
            .collect())
    }

    async fn number(&mut self, station: &str, start: &str) -> Result<Option<i32>, Told> {
        let read = async {
            let mut connection = self.records.read().await?;
            let number = rows::start_number(&mut connection, station, start).await?;
            number.map(whole).transpose()
        };
        read.await.map_err(|failure| told(&failure))
    }

    async fn last_number(&mut self) -> Result<i32, Told> {
        let read = async {
            let mut connection = self.records.read().await?;
            whole(rows::last_number(&mut connection).await?)
        };
        read.await.map_err(|failure| told(&failure))
    }

    async fn forget(&mut self, unchanged_since: Timestamp, most: usize) -> Result<usize, Told> {
        let did = async {
            let mut write = self.writing().await?;
            let gone = rows::forget_events(&mut write, unchanged_since, count(most)).await?;
            write.commit().await?;
            Ok(gone)
        };
        did.await.map_err(|failure| told(&failure))
    }

    async fn write(&mut self, changes: &[Change]) -> Result<(), Told> {
        self.put(changes).await.map_err(|refused| match refused {
            Refused::Told(told) => *told,
            Refused::Store(failure) => told(&failure),
        })
    }
}

/// Why a batch was not written: the ledger's word, or the store's.
pub(crate) enum Refused {
    Told(Box<Told>),
    Store(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

impl From<Told> for Refused {
    fn from(told: Told) -> Self {
        Self::Told(Box::new(told))
    }
}

/// Enters a settlement, or what a partner paid of a bill, once, in the caller's transaction.
///
/// # Errors
/// `ledger-key-reused`: it was entered already, with another outcome. `ledger-overpaid`: more than the bill comes to. The records' own.
pub async fn settle(write: &mut Connection, entry: &Entry) -> Result<(), Told> {
    post(write, entry).await.map_err(|refused| match refused {
        Refused::Told(why) => *why,
        Refused::Store(failure) => told(&failure),
    })
}

/// The entry of a key.
///
/// # Errors
/// The records' own.
pub async fn entered(read: &mut Connection, key: &str) -> records::Result<Option<Entry>> {
    read_entry(read, key).await
}

/// Writes an entry once, within a transaction that nobody else has.
pub(crate) async fn post(write: &mut Connection, entry: &Entry) -> Result<(), Refused> {
    let undone = match undone_key(entry) {
        Some(key) => read_entry(write, key).await?,
        None => None,
    };
    let money = match &entry.bill {
        Some(bill) => rows::money(write, bill).await?,
        None => None,
    };
    let seen = Seen {
        existing: read_entry(write, &entry.key).await?,
        refund: undone,
        money: money.map_or_else(BillMoney::default, |money| BillMoney {
            billed: Fen(money.billed_fen),
            paid: Fen(money.paid_fen),
            refunded: Fen(money.refunded_fen),
        }),
        version: 0,
    };
    let Some(money) = judge(entry, &seen)? else {
        return Ok(());
    };
    let row = LedgerEntry {
        entry_key: entry.key.clone(),
        kind: entry.kind.name().to_owned(),
        bill: entry.bill.clone(),
        at: entry.at,
    };
    let postings: Vec<LedgerPosting> = (0..)
        .zip(&entry.postings)
        .map(|(n, posting)| LedgerPosting {
            entry_key: entry.key.clone(),
            n,
            account: posting.account.to_string(),
            fen: posting.amount.0,
        })
        .collect();
    let money = entry.bill.as_ref().map(|bill| LedgerBill {
        bill: bill.clone(),
        billed_fen: money.billed.0,
        paid_fen: money.paid.0,
        refunded_fen: money.refunded.0,
    });
    Ok(rows::put_entry(write, &row, &postings, money.as_ref()).await?)
}

async fn read_entry(connection: &mut Connection, key: &str) -> records::Result<Option<Entry>> {
    let Some((row, postings)) = rows::entry(connection, key).await? else {
        return Ok(None);
    };
    let postings = postings
        .into_iter()
        .map(|posting| {
            Ok(Posting {
                account: Account::named(&posting.account)
                    .ok_or_else(|| broken("ledger_postings", key, &posting.account))?,
                amount: Fen(posting.fen),
            })
        })
        .collect::<records::Result<_>>()?;
    Ok(Some(Entry {
        kind: EntryKind::named(&row.kind)
            .ok_or_else(|| broken("ledger_entries", key, &row.kind))?,
        key: row.entry_key,
        bill: row.bill,
        at: row.at,
        postings,
    }))
}

fn event_row(event: &Event) -> ChargingEvent {
    ChargingEvent {
        station: event.key.station.clone(),
        transaction_id: event.key.transaction.clone(),
        connector: i64::from(event.connector),
        kind: event.kind.name().to_owned(),
        at: event.at,
        register_wh: event.register.map(|register| register.0),
        card: event.card.clone(),
        received_at: event.received,
    }
}

/// Something told, as its row has it.
///
/// # Errors
/// A row that nobody here wrote.
pub fn event(row: ChargingEvent) -> records::Result<Event> {
    Ok(Event {
        kind: EventKind::named(&row.kind)
            .ok_or_else(|| broken("charging_events", &row.transaction_id, &row.kind))?,
        connector: connector(row.connector)?,
        key: SessionKey {
            station: row.station,
            transaction: row.transaction_id,
        },
        at: row.at,
        register: row.register_wh.map(Wh),
        card: row.card,
        received: row.received_at,
    })
}

fn session_row(kept: &Kept) -> records::Result<ChargingSession> {
    let json = |bill: &Bill| serde_json::to_string(bill).map_err(Failure::internal);
    let bill = kept.bill.as_ref();
    let correction = bill.and_then(|kept| kept.correction.as_ref());
    Ok(ChargingSession {
        id: 0,
        station: kept.key.station.clone(),
        transaction_id: kept.key.transaction.clone(),
        connector: i64::from(kept.connector),
        card: kept.card.clone(),
        operator: kept.operator.clone(),
        state: kept.state.name().to_owned(),
        started_at: kept.started,
        ended_at: kept.ended,
        energy_wh: kept.energy.0,
        look_at: kept.look_at,
        tariff_number: bill.map(|kept| kept.tariff),
        total_fen: bill.map(|kept| kept.bill.total.0),
        bill: bill.map(|kept| json(&kept.bill)).transpose()?,
        correction: correction.map(json).transpose()?,
        changed_at: kept.changed,
    })
}

/// A session as its row has it.
///
/// # Errors
/// A row that nobody here wrote.
pub fn kept(row: ChargingSession) -> records::Result<Kept> {
    let json = |text: &String| serde_json::from_str::<Bill>(text).map_err(Failure::internal);
    let bill = row.bill.as_ref().map(json).transpose()?;
    let correction = row.correction.as_ref().map(json).transpose()?;
    Ok(Kept {
        state: State::named(&row.state)
            .ok_or_else(|| broken("charging_sessions", row.id, &row.state))?,
        connector: connector(row.connector)?,
        key: SessionKey {
            station: row.station,
            transaction: row.transaction_id,
        },
        card: row.card,
        operator: row.operator,
        started: row.started_at,
        ended: row.ended_at,
        energy: Wh(row.energy_wh),
        look_at: row.look_at,
        bill: bill.map(|bill| KeptBill {
            bill,
            tariff: row.tariff_number.unwrap_or_default(),
            correction,
        }),
        changed: row.changed_at,
    })
}

fn connector(column: i64) -> records::Result<u32> {
    u32::try_from(column).map_err(Failure::internal)
}

fn whole(column: i64) -> records::Result<i32> {
    i32::try_from(column).map_err(Failure::internal)
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn broken(table: &str, row: impl Display, word: &str) -> Failure {
    Failure::internal(Problem::new(
        "charging-row",
        format!("the row {row} has a word that is none: {word}"),
        format!("records.sqlite, table {table}"),
        "stop the server and restore records.sqlite from the last backup",
    ))
}

fn number_given(station: &str) -> Told {
    Told::new(
        "billing-number-given",
        both("交易编号已给出", "the number was given already"),
        both(format!("充电站 {station}"), format!("station {station}")),
        both("只运行一个计费进程", "let one writer work on one store"),
    )
}

/// What the records say of themselves; the platform's own faults stand in the log alone.
pub(crate) fn told(failure: &Failure) -> Told {
    if let Some(problem) = failure.problem() {
        return problem.clone().into();
    }
    tracing::error!(%failure, "what was told of charging was not kept");
    Told::new(
        STORE,
        both(
            "账务数据暂时不能读写",
            "the records of charging cannot be read or written now",
        ),
        both("充电计费", "billing of charging"),
        both(
            "请稍后原样重报；原因见服务器日志",
            "tell the same again later; the server's log says why",
        ),
    )
}
