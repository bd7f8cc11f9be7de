//! Double entry (复式记账): every movement of money is an entry whose postings add up to nothing, known by a key. The same key again
//! changes nothing; what a bill was paid never exceeds what it comes to, and what is given back never exceeds what was paid.
//!
//! | account | a positive balance is |
//! | --- | --- |
//! | `driver:ID` | what a driver owes |
//! | `provider:NAME` | money that lies with a payment provider |
//! | `income:OPERATOR` | (negative) what was charged for the operator and is not settled |
//! | `payable:OPERATOR` | (negative) what is to be handed to the operator |
//! | `bank:OPERATOR` | (negative) what was handed over |
//!
//! | entry | key | postings |
//! | --- | --- | --- |
//! | billed | `bill:BILL` | driver +, income − |
//! | paid | `paid:BILL:PART` | provider +, driver − |
//! | refund | `refund:BILL:PART` | income +, provider − |
//! | refund undone | `refund:BILL:PART:undone` | provider +, income − |
//! | settled | `settle:…` | income of the station's operator +, payable −, share of the other operator − |

use crate::money::Fen;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most postings of an entry.
pub const POSTINGS_MAX: usize = 16;
/// Longest key, bytes.
pub const KEY_BYTES_MAX: usize = 1_024;
/// Most money of one posting, fen: a billion yuan, so that sums stay whole numbers.
pub const FEN_MAX: i64 = 100_000_000_000;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// What a driver owes.
    Driver(String),
    /// Money with a payment provider.
    Provider(String),
    /// What was charged for an operator.
    Income(String),
    /// What an operator is to be given.
    Payable(String),
    /// What an operator was given.
    Bank(String),
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, name) = match self {
            Self::Driver(name) => ("driver", name),
            Self::Provider(name) => ("provider", name),
            Self::Income(name) => ("income", name),
            Self::Payable(name) => ("payable", name),
            Self::Bank(name) => ("bank", name),
        };
        write!(f, "{class}:{name}")
    }
}

impl Account {
    /// The account of a text as [`fmt::Display`] writes it.
    pub fn named(text: &str) -> Option<Self> {
        let (class, name) = text.split_once(':')?;
        let name = name.to_owned();
        Some(match class {
            "driver" => Self::Driver(name),
            "provider" => Self::Provider(name),
            "income" => Self::Income(name),
            "payable" => Self::Payable(name),
            "bank" => Self::Bank(name),
            _ => return None,
        })
    }
}

/// One side of an entry; positive is debit (借), negative credit (贷).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// How much.
    pub amount: Fen,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A bill became due.
    Billed,
    /// Some or all of it was paid.
    Paid,
    /// Some of what was paid is given back; entered before the provider is asked, so that no second refund passes it.
    Refund,
    /// The provider refused the refund.
    RefundUndone,
    /// A period was settled between operators.
    Settled,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Billed,
        Self::Paid,
        Self::Refund,
        Self::RefundUndone,
        Self::Settled,
    ];

    /// Its word in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Paid => "paid",
            Self::Refund => "refund",
            Self::RefundUndone => "refund-undone",
            Self::Settled => "settled",
        }
    }

    /// The kind of a word in rows.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its key: what it is for, never when or by whom, so that whoever tries again writes the same.
    pub key: String,
    /// What it is.
    pub kind: EntryKind,
    /// Whose bill; none for settlements.
    pub bill: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Its sides.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// A bill became due.
    pub fn billed(bill: &str, driver: &str, operator: &str, amount: Fen, at: Timestamp) -> Self {
        Self::new(
            (format!("bill:{bill}"), EntryKind::Billed, Some(bill), at),
            [
                Account::Driver(driver.to_owned()),
                Account::Income(operator.to_owned()),
            ],
            amount,
        )
    }

    /// A part of it was paid. `part` tells payments of one bill apart.
    pub fn paid(
        bill: &str,
        part: &str,
        driver: &str,
        provider: &str,
        amount: Fen,
        at: Timestamp,
    ) -> Self {
        Self::new(
            (
                format!("paid:{bill}:{part}"),
                EntryKind::Paid,
                Some(bill),
                at,
            ),
            [
                Account::Provider(provider.to_owned()),
                Account::Driver(driver.to_owned()),
            ],
            amount,
        )
    }

    /// A part of what was paid is given back. `part` tells refunds of one bill apart.
    pub fn refund(
        bill: &str,
        part: &str,
        operator: &str,
        provider: &str,
        amount: Fen,
        at: Timestamp,
    ) -> Self {
        Self::new(
            (
                format!("refund:{bill}:{part}"),
                EntryKind::Refund,
                Some(bill),
                at,
            ),
            [
                Account::Income(operator.to_owned()),
                Account::Provider(provider.to_owned()),
            ],
            amount,
        )
    }

    /// The provider refused that refund.
    pub fn refund_undone(
        bill: &str,
        part: &str,
        operator: &str,
        provider: &str,
        amount: Fen,
        at: Timestamp,
    ) -> Self {
        Self::new(
            (
                format!("refund:{bill}:{part}:undone"),
                EntryKind::RefundUndone,
                Some(bill),
                at,
            ),
            [
                Account::Provider(provider.to_owned()),
                Account::Income(operator.to_owned()),
            ],
            amount,
        )
    }

    fn new(
        (key, kind, bill, at): (String, EntryKind, Option<&str>, Timestamp),
        [debit, credit]: [Account; 2],
        amount: Fen,
    ) -> Self {
        Self {
            key,
            kind,
            bill: bill.map(str::to_owned),
            at,
            postings: vec![
                Posting {
                    account: debit,
                    amount,
                },
                Posting {
                    account: credit,
                    amount: -amount,
                },
            ],
        }
    }

    /// Whether a second try says the same; the time may differ.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.key, self.kind, &self.bill, &self.postings)
            == (&other.key, other.kind, &other.bill, &other.postings)
    }

    /// How much it moves: the sum of its debits.
    pub fn amount(&self) -> Fen {
        self.postings
            .iter()
            .map(|posting| posting.amount.max(Fen::ZERO))
            .sum()
    }

    /// What no ledger takes.
    ///
    /// # Errors
    /// `ledger-key`: empty or longer than [`KEY_BYTES_MAX`]. `ledger-balance`: fewer than two postings or more than [`POSTINGS_MAX`],
    /// one of nothing or above [`FEN_MAX`], a sum that is not 0, or a kind whose accounts or direction it does not have.
    /// `ledger-bill`: no bill where the kind asks for one, or one where it does not.
    pub fn check(&self) -> Result<(), Told> {
        if self.key.is_empty() || self.key.len() > KEY_BYTES_MAX {
            return Err(self.wrong(
                "ledger-key",
                "记账键为空或过长",
                "the key is empty or too long",
                "请用账单编号作键",
                "make keys of the bill's id",
            ));
        }
        if self.bill.is_some() == (self.kind == EntryKind::Settled) {
            return Err(self.wrong(
                "ledger-bill",
                "分录与账单的关系不对",
                "the entry names a bill where it should not, or none where it should",
                "结算分录不写账单，其他分录写账单",
                "name a bill in every entry but a settlement",
            ));
        }
        let fits = |posting: &Posting| {
            posting.amount != Fen::ZERO && (-FEN_MAX..=FEN_MAX).contains(&posting.amount.0)
        };
        let sum: i128 = self
            .postings
            .iter()
            .map(|posting| i128::from(posting.amount.0))
            .sum();
        if !(2..=POSTINGS_MAX).contains(&self.postings.len())
            || !self.postings.iter().all(fits)
            || sum != 0
            || !self.has_its_sides()
        {
            return Err(self.wrong(
                "ledger-balance",
                "分录借贷不平，或科目、方向、金额不对",
                "the postings do not add up to nothing, or their accounts, direction or amounts are not of this kind",
                "请让各笔金额不为零、合计为零，科目与分录类型一致",
                "give amounts other than 0 that add up to 0, on the accounts of this kind of entry",
            ));
        }
        Ok(())
    }

    /// Whether debits and credits stand on the accounts that the kind asks for.
    fn has_its_sides(&self) -> bool {
        self.postings.iter().all(|posting| {
            let is_debit = posting.amount > Fen::ZERO;
            match (self.kind, &posting.account) {
                (EntryKind::Billed, Account::Driver(_))
                | (EntryKind::Paid | EntryKind::RefundUndone, Account::Provider(_))
                | (EntryKind::Refund, Account::Income(_)) => is_debit,
                (EntryKind::Billed | EntryKind::RefundUndone, Account::Income(_))
                | (EntryKind::Paid, Account::Driver(_))
                | (EntryKind::Refund, Account::Provider(_)) => !is_debit,
                (
                    EntryKind::Settled,
                    Account::Income(_) | Account::Payable(_) | Account::Bank(_),
                ) => true,
                _ => false,
            }
        })
    }

    fn wrong(&self, code: &str, zh: &str, en: &str, mend_zh: &str, mend_en: &str) -> Told {
        Told::new(
            code,
            both(zh, en),
            both(
                format!("分录 {}", quote(&self.key)),
                format!("entry {}", quote(&self.key)),
            ),
            both(mend_zh, mend_en),
        )
    }
}

/// What a bill's money comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillMoney {
    /// What it comes to.
    pub billed: Fen,
    /// What was paid of it.
    pub paid: Fen,
    /// What of that was given back.
    pub refunded: Fen,
}

impl BillMoney {
    /// What is still owed.
    pub fn owed(&self) -> Fen {
        self.billed - self.paid
    }

    /// What can still be given back.
    pub fn refundable(&self) -> Fen {
        self.paid - self.refunded
    }
}

/// What a store knows before an entry is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The entry of that key, if there is one.
    pub existing: Option<Entry>,
    /// Of a refund that is undone: the refund.
    pub refund: Option<Entry>,
    /// The money of the entry's bill.
    pub money: BillMoney,
    /// How often the bill's money changed; a commit holds only while it is the same.
    pub version: u64,
}

/// Whether an entry was written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was.
    Now,
    /// It stood there already; nothing changed.
    Before,
}

/// Judges an entry against what stands: the money of its bill after it, or `None` when it stands there already. A store calls this
/// and writes within one transaction.
///
/// # Errors
/// Those of [`Entry::check`]. `ledger-key-reused`: another entry has its key. `ledger-billed`: the bill was billed already.
/// `ledger-overpaid`: more would be paid than it comes to. `ledger-over-refunded`: more would be given back than was paid.
/// `ledger-no-refund`: there is no such refund to undo.
pub fn judge(entry: &Entry, seen: &Seen) -> Result<Option<BillMoney>, Told> {
    entry.check()?;
    if let Some(existing) = &seen.existing {
        return if existing.is_same(entry) {
            Ok(None)
        } else {
            Err(entry.wrong(
                "ledger-key-reused",
                "同一记账键已有另一分录",
                "another entry has this key",
                "一个键只用于一笔业务，请查明两笔为何不同",
                "use a key for one thing only, and find out why the two differ",
            ))
        };
    }
    let (mut money, amount) = (seen.money, entry.amount());
    match entry.kind {
        EntryKind::Billed if money.billed != Fen::ZERO => {
            return Err(entry.wrong(
                "ledger-billed",
                "账单已入账",
                "the bill was entered already",
                "金额有误时请退款，不要重复入账",
                "refund what is wrong instead of entering it again",
            ));
        }
        EntryKind::Billed => money.billed = amount,
        EntryKind::Paid if amount > money.owed() => {
            return Err(entry.wrong(
                "ledger-overpaid",
                "支付超过账单余额",
                "more would be paid than is owed",
                "多收的款请由支付渠道原路退回",
                "let the provider send back what is too much",
            ));
        }
        EntryKind::Paid => money.paid = money.paid + amount,
        EntryKind::Refund if amount > money.refundable() => {
            return Err(entry.wrong(
                "ledger-over-refunded",
                "退款超过已付金额",
                "more would be given back than was paid",
                "请把退款减到可退余额以内",
                "refund at most what was paid and not yet given back",
            ));
        }
        EntryKind::Refund => money.refunded = money.refunded + amount,
        EntryKind::RefundUndone => {
            let is_of = |refund: &Entry| {
                refund.kind == EntryKind::Refund
                    && refund.bill == entry.bill
                    && refund.amount() == amount
            };
            if !seen.refund.as_ref().is_some_and(is_of) {
                return Err(entry.wrong(
                    "ledger-no-refund",
                    "没有可撤销的退款",
                    "there is no such refund",
                    "请只撤销已入账、金额相同的退款",
                    "undo only a refund that stands here, by its whole amount",
                ));
            }
            money.refunded = money.refunded - amount;
        }
        EntryKind::Settled => {}
    }
    Ok(Some(money))
}

/// The key of the refund that an entry undoes.
pub fn undone_key(entry: &Entry) -> Option<&str> {
    (entry.kind == EntryKind::RefundUndone).then(|| entry.key.strip_suffix(":undone"))?
}
