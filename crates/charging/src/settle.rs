//! Settlement (清分结算) between the operator at whose station a charge was and the one whose customer charged, for a period, with shares
//! of the fees. And what is left of a bill, by kind of line, when a part of it was given back.

use crate::bill::{Bill, LineKind};
use crate::ledger::{Account, Entry, EntryKind, Posting};
use crate::money::{Fen, Wh, half_up, narrow};
use jiff::civil::Date;
use model::problem::both;
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole, in 1/10,000.
pub const WHOLE: u32 = 10_000;

/// From which kinds of lines a refund takes first.
const REFUND_ORDER: [LineKind; 4] = [
    LineKind::Service,
    LineKind::Idle,
    LineKind::Parking,
    LineKind::Energy,
];

/// What is charged, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Electricity.
    pub energy: Fen,
    /// Service.
    pub service: Fen,
    /// Parking.
    pub parking: Fen,
    /// Occupancy.
    pub idle: Fen,
}

impl Parts {
    /// A bill's parts, whatever its standing.
    pub fn of(bill: &Bill) -> Self {
        Self {
            energy: bill.sum(LineKind::Energy),
            service: bill.sum(LineKind::Service),
            parking: bill.sum(LineKind::Parking),
            idle: bill.sum(LineKind::Idle),
        }
    }

    /// One of them.
    pub fn get(&self, kind: LineKind) -> Fen {
        match kind {
            LineKind::Energy => self.energy,
            LineKind::Service => self.service,
            LineKind::Parking => self.parking,
            LineKind::Idle => self.idle,
        }
    }

    /// Their sum.
    pub fn total(&self) -> Fen {
        self.energy + self.service + self.parking + self.idle
    }

    /// What is left after a refund, which takes from service first, then occupancy, parking, and electricity last, which was bought
    /// from the grid. `None` when it is negative or more than there is.
    pub fn less(mut self, refund: Fen) -> Option<Self> {
        let mut left = refund;
        if left < Fen::ZERO {
            return None;
        }
        for kind in REFUND_ORDER {
            let part = match kind {
                LineKind::Energy => &mut self.energy,
                LineKind::Service => &mut self.service,
                LineKind::Parking => &mut self.parking,
                LineKind::Idle => &mut self.idle,
            };
            let taken = left.min(*part);
            *part = *part - taken;
            left = left - taken;
        }
        (left == Fen::ZERO).then_some(self)
    }

    /// What moved in a period of which `before` was paid and not given back when it began, and `after` when it ended: negative where more
    /// was given back than paid. `None` when either is negative or more than there is.
    pub fn moved(self, before: Fen, after: Fen) -> Option<Self> {
        let kept = |fen: Fen| self.less(self.total() - fen);
        Some(kept(after)?.plus(kept(before)?.negated()))
    }

    fn negated(self) -> Self {
        Self {
            energy: -self.energy,
            service: -self.service,
            parking: -self.parking,
            idle: -self.idle,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            energy: self.energy + other.energy,
            service: self.service + other.service,
            parking: self.parking + other.parking,
            idle: self.idle + other.idle,
        }
    }
}

/// A bill as settlement sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The bill.
    pub bill: String,
    /// The day of its end, in the city's zone.
    pub day: Date,
    /// At whose station.
    pub operator: String,
    /// Whose customer.
    pub home: String,
    /// How much energy.
    pub energy: Wh,
    /// What was paid and not given back, by kind ([`Parts::less`]); of a period, what moved in it ([`Parts::moved`]).
    pub parts: Parts,
}

/// What two operators agreed on: the share of each fee that goes to the customer's operator, in 1/10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// Of electricity.
    pub energy: u32,
    /// Of service.
    pub service: u32,
    /// Of parking and occupancy.
    pub time: u32,
}

/// What a period comes to between two operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// At whose stations.
    pub operator: String,
    /// Whose customers.
    pub home: String,
    /// The first day.
    pub first: Date,
    /// The last day, inclusive.
    pub last: Date,
    /// How many charges.
    pub count: u64,
    /// How much energy.
    pub energy: Wh,
    /// What was paid, by kind.
    pub parts: Parts,
    /// What of it the customers' operator keeps.
    pub share: Fen,
    /// What the stations' operator is to be given: the rest.
    pub due: Fen,
}

/// Settles the bills of a period between each pair of operators, in order of names. Shares are taken of the period's sum of a kind, and
/// rounded half up once per kind: not per charge, so that many small ones lose nothing. Who charges at their own operator's
/// stations shares with nobody. A bill that is given twice counts once.
///
/// # Errors
/// `settle-share`: a share above [`WHOLE`]. `settle-bill`: one bill with two contents. `settle-pair`: no agreement between two operators.
pub fn settle(
    bills: &[Settled],
    [first, last]: [Date; 2],
    shares: impl Fn(&str, &str) -> Option<Shares>,
) -> Result<Vec<Statement>, Told> {
    let mut once: BTreeMap<&str, &Settled> = BTreeMap::new();
    for bill in bills
        .iter()
        .filter(|bill| first <= bill.day && bill.day <= last)
    {
        if once
            .insert(&bill.bill, bill)
            .is_some_and(|before| before != bill)
        {
            return Err(wrong(
                "settle-bill",
                &bill.bill,
                "同一账单有两种内容",
                "one bill with two contents",
            ));
        }
    }
    let mut pairs: BTreeMap<(&str, &str), Statement> = BTreeMap::new();
    for bill in once.values() {
        let statement = pairs
            .entry((&bill.operator, &bill.home))
            .or_insert_with(|| Statement {
                operator: bill.operator.clone(),
                home: bill.home.clone(),
                first,
                last,
                count: 0,
                energy: Wh(0),
                parts: Parts::default(),
                share: Fen::ZERO,
                due: Fen::ZERO,
            });
        statement.count += 1;
        statement.energy = Wh(statement.energy.0.saturating_add(bill.energy.0));
        statement.parts = statement.parts.plus(bill.parts);
    }
    let mut statements: Vec<Statement> = pairs.into_values().collect();
    for statement in &mut statements {
        let pair = format!("{} / {}", statement.operator, statement.home);
        let agreed = if statement.operator == statement.home {
            Some(Shares {
                energy: 0,
                service: 0,
                time: 0,
            })
        } else {
            shares(&statement.operator, &statement.home)
        };
        let agreed = agreed.ok_or_else(|| {
            wrong(
                "settle-pair",
                &pair,
                "两家没有分成约定",
                "the two have no agreement",
            )
        })?;
        if [agreed.energy, agreed.service, agreed.time]
            .iter()
            .any(|share| *share > WHOLE)
        {
            return Err(wrong(
                "settle-share",
                &pair,
                "分成比例超过全部",
                "a share is more than the whole",
            ));
        }
        let of = |fen: Fen, share: u32| {
            Fen(narrow(half_up(
                i128::from(fen.0) * i128::from(share),
                i128::from(WHOLE),
            )))
        };
        let parts = statement.parts;
        statement.share = of(parts.energy, agreed.energy)
            + of(parts.service, agreed.service)
            + of(parts.parking + parts.idle, agreed.time);
        statement.due = parts.total() - statement.share;
    }
    Ok(statements)
}

impl Statement {
    /// The entry that books it: from income to what each is to be given. `None` when there is no money. Its key has the pair and the
    /// period, so that a period is settled once.
    pub fn entry(&self, at: Timestamp) -> Option<Entry> {
        let posting = |account, amount| Posting { account, amount };
        let postings: Vec<Posting> = [
            posting(Account::Income(self.operator.clone()), self.parts.total()),
            posting(Account::Payable(self.operator.clone()), -self.due),
            posting(Account::Payable(self.home.clone()), -self.share),
        ]
        .into_iter()
        .filter(|posting| posting.amount != Fen::ZERO)
        .collect();
        (!postings.is_empty()).then(|| Entry {
            key: format!(
                "settle:{}:{}:{}:{}",
                self.operator.replace(':', "%3A"),
                self.home.replace(':', "%3A"),
                self.first,
                self.last
            ),
            kind: EntryKind::Settled,
            bill: None,
            at,
            postings,
        })
    }
}

fn wrong(code: &str, place: &str, zh: &str, en: &str) -> Told {
    Told::new(
        code,
        both(zh, en),
        place,
        both(
            "请核对账单，并约定 0 到 10000 的万分比",
            "look at the bills, and agree on shares of 0 to 10,000 in ten thousand",
        ),
    )
}
