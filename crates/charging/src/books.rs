//! Where the ledger is kept, as a promise: a store reads what an entry meets and writes it whole or not at all. [`Memory`] keeps it for
//! tests and small uses; rows are kept by `records`.
//!
//! What a store over SQL keeps, and how it is atomic: one transaction reads the entry of the key, the refund it undoes and the bill's row,
//! calls [`judge`], and writes entry, postings and the bill's row with its version one higher. Two at once on one bill meet at that
//! row: `UPDATE … WHERE version = ?` touches no row for the later one, which reads anew. SQLite's single writer needs no more.
//!
//! ```sql
//! CREATE TABLE charging_sessions (       -- what is being told, until it is billed
//!     station TEXT NOT NULL, transaction_id TEXT NOT NULL,
//!     draft TEXT NOT NULL,               -- the sets of `Sessions`, JSON
//!     changed_micros BIGINT NOT NULL,
//!     PRIMARY KEY (station, transaction_id));
//! CREATE TABLE charging_bills (
//!     id TEXT PRIMARY KEY,               -- Bill::id
//!     driver TEXT NOT NULL, operator TEXT NOT NULL, tariff TEXT NOT NULL,
//!     ended_micros BIGINT, energy_wh BIGINT NOT NULL, total_fen BIGINT NOT NULL,
//!     standing TEXT NOT NULL,            -- due, held, accepted, waived
//!     body TEXT NOT NULL,                -- the bill with its lines, JSON
//!     billed_fen BIGINT NOT NULL DEFAULT 0, paid_fen BIGINT NOT NULL DEFAULT 0,
//!     refunded_fen BIGINT NOT NULL DEFAULT 0, version BIGINT NOT NULL DEFAULT 0,
//!     CHECK (0 <= refunded_fen AND refunded_fen <= paid_fen AND paid_fen <= billed_fen));
//! CREATE TABLE ledger_entries (
//!     key TEXT PRIMARY KEY, kind TEXT NOT NULL, bill TEXT, at_micros BIGINT NOT NULL);
//! CREATE TABLE ledger_postings (
//!     entry TEXT NOT NULL REFERENCES ledger_entries (key), n INTEGER NOT NULL,
//!     account TEXT NOT NULL, fen BIGINT NOT NULL CHECK (fen <> 0),
//!     PRIMARY KEY (entry, n));
//! CREATE INDEX ledger_postings_by_account ON ledger_postings (account);
//! CREATE TABLE charging_collections (    -- Collection and Refund, so that a restart goes on where it was
//!     bill TEXT PRIMARY KEY, body TEXT NOT NULL);
//! ```

use crate::ledger::{Account, BillMoney, Entry, Posted, Seen, judge, undone_key};
use crate::money::Fen;
use model::Told;
use model::problem::both;
use std::collections::BTreeMap;

/// How often an entry is tried anew when another one of its bill came in between.
pub const TRIES_MAX: u32 = 16;

/// A store of the ledger.
pub trait Books {
    /// What stands of an entry's key and bill.
    ///
    /// # Errors
    /// What the store says of itself.
    fn seen(&self, entry: &Entry) -> Result<Seen, Told>;

    /// Writes the entry and its bill's money, both or neither, provided that no entry has its key and the bill's version is
    /// still `seen.version`. `Ok(false)`: it is not, and nothing was written. After `Ok(true)` it is durable.
    ///
    /// # Errors
    /// What the store says of itself; it is then unknown whether the entry stands, and posting it again finds out.
    fn commit(&mut self, seen: &Seen, entry: &Entry, money: BillMoney) -> Result<bool, Told>;

    /// Writes an entry once.
    ///
    /// # Errors
    /// Those of [`judge`] and of the store; `ledger-busy` when others came in between [`TRIES_MAX`] times.
    fn post(&mut self, entry: &Entry) -> Result<Posted, Told> {
        for _ in 0..TRIES_MAX {
            let seen = self.seen(entry)?;
            let Some(money) = judge(entry, &seen)? else {
                return Ok(Posted::Before);
            };
            if self.commit(&seen, entry, money)? {
                return Ok(Posted::Now);
            }
        }
        Err(Told::new(
            "ledger-busy",
            both(
                "账单正被多处同时记账",
                "the bill is being entered from many sides at once",
            ),
            both(
                format!("分录 {}", entry.key),
                format!("entry {}", entry.key),
            ),
            both("请稍后重试，键不变", "try again later with the same key"),
        ))
    }
}

/// A ledger in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    entries: BTreeMap<String, Entry>,
    bills: BTreeMap<String, (BillMoney, u64)>,
    balances: BTreeMap<Account, Fen>,
}

impl Memory {
    /// The money of a bill.
    pub fn money(&self, bill: &str) -> BillMoney {
        self.bills
            .get(bill)
            .map(|(money, _)| *money)
            .unwrap_or_default()
    }

    /// The balance of an account.
    pub fn balance(&self, account: &Account) -> Fen {
        self.balances.get(account).copied().unwrap_or_default()
    }

    /// All balances; they add up to nothing.
    pub fn balances(&self) -> &BTreeMap<Account, Fen> {
        &self.balances
    }

    /// All entries by key.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }
}

impl Books for Memory {
    fn seen(&self, entry: &Entry) -> Result<Seen, Told> {
        let bill = entry.bill.as_ref().and_then(|bill| self.bills.get(bill));
        let (money, version) = bill.copied().unwrap_or_default();
        Ok(Seen {
            existing: self.entries.get(&entry.key).cloned(),
            refund: undone_key(entry)
                .and_then(|key| self.entries.get(key))
                .cloned(),
            money,
            version,
        })
    }

    fn commit(&mut self, seen: &Seen, entry: &Entry, money: BillMoney) -> Result<bool, Told> {
        let now = self.seen(entry)?;
        if now.existing.is_some() || now.version != seen.version {
            return Ok(false);
        }
        if let Some(bill) = &entry.bill {
            self.bills.insert(bill.clone(), (money, seen.version + 1));
        }
        for posting in &entry.postings {
            let balance = self.balances.entry(posting.account.clone()).or_default();
            *balance = *balance + posting.amount;
        }
        self.entries.insert(entry.key.clone(), entry.clone());
        Ok(true)
    }
}
