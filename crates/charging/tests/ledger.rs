//! The ledger: entries stand once, add up to nothing, and no refund passes what was paid.

use crate::common::at;
use charging::books::Books;
use charging::ledger::{BillMoney, Seen};
use charging::{Account, Entry, EntryKind, Fen, Memory, Posted};
use model::{Timestamp, Told};
use proptest::prelude::*;

fn now() -> Timestamp {
    at("2026-03-10T12:00:00")
}
fn billed(fen: i64) -> Entry {
    Entry::billed("b", "d", "o", Fen(fen), now())
}
fn paid(part: &str, fen: i64) -> Entry {
    Entry::paid("b", part, "d", "p", Fen(fen), now())
}
fn refund(part: &str, fen: i64) -> Entry {
    Entry::refund("b", part, "o", "p", Fen(fen), now())
}
fn undone(part: &str, fen: i64) -> Entry {
    Entry::refund_undone("b", part, "o", "p", Fen(fen), now())
}
fn code(posted: Result<Posted, Told>) -> String {
    posted.map_or_else(|told| told.code, |posted| format!("{posted:?}"))
}

#[test]
fn the_same_key_changes_nothing() {
    let mut books = Memory::default();
    for (entry, came) in [
        (billed(1_000), "Now"),
        (billed(1_000), "Before"),
        (billed(999), "ledger-key-reused"),
        (paid("1", 700), "Now"),
        (paid("1", 700), "Before"),
        (paid("2", 301), "ledger-overpaid"),
        (paid("2", 300), "Now"),
        (refund("1", 600), "Now"),
        (refund("1", 600), "Before"),
        (refund("2", 401), "ledger-over-refunded"),
        (undone("2", 400), "ledger-no-refund"),
        (undone("1", 599), "ledger-no-refund"),
        (undone("1", 600), "Now"),
        (undone("1", 600), "Before"),
        (refund("2", 1_000), "Now"),
        (refund("3", 1), "ledger-over-refunded"),
    ] {
        assert_eq!(code(books.post(&entry)), came, "{}", entry.key);
    }
    let later = Entry {
        at: now().plus_seconds(60),
        ..paid("1", 700)
    };
    assert_eq!(
        code(books.post(&later)),
        "Before",
        "the time of a second try may differ"
    );
    assert_eq!(
        books.money("b"),
        BillMoney {
            billed: Fen(1_000),
            paid: Fen(1_000),
            refunded: Fen(1_000)
        }
    );
    assert_eq!(books.balance(&Account::Driver("d".into())), Fen::ZERO);
    assert_eq!(books.balance(&Account::Provider("p".into())), Fen::ZERO);
    assert_eq!(books.balances().values().copied().sum::<Fen>(), Fen::ZERO);
}

#[test]
fn what_is_no_entry_is_refused() {
    let mut books = Memory::default();
    let mut cases = vec![
        (billed(0), "ledger-balance"),
        (billed(-5), "ledger-balance"),
    ];
    let mut lopsided = billed(10);
    lopsided.postings[0].amount = Fen(11);
    cases.push((lopsided, "ledger-balance"));
    let mut single = billed(10);
    single.postings.truncate(1);
    cases.push((single, "ledger-balance"));
    cases.push((
        Entry {
            kind: EntryKind::Paid,
            ..billed(10)
        },
        "ledger-balance",
    ));
    cases.push((
        Entry {
            key: String::new(),
            ..billed(10)
        },
        "ledger-key",
    ));
    cases.push((
        Entry {
            bill: None,
            ..billed(10)
        },
        "ledger-bill",
    ));
    cases.push((
        Entry {
            key: "bill:again".to_owned(),
            ..billed(10)
        },
        "Now",
    ));
    cases.push((billed(10), "ledger-billed"));
    for (entry, came) in cases {
        assert_eq!(code(books.post(&entry)), came, "{entry:?}");
    }
}

/// A store between whose reading and writing others come.
struct Busy {
    inner: Memory,
    others: Vec<Entry>,
}

impl Books for Busy {
    fn seen(&self, entry: &Entry) -> Result<Seen, Told> {
        self.inner.seen(entry)
    }
    fn commit(&mut self, seen: &Seen, entry: &Entry, money: BillMoney) -> Result<bool, Told> {
        if let Some(other) = self.others.pop() {
            self.inner.post(&other)?;
        }
        self.inner.commit(seen, entry, money)
    }
}

#[test]
fn two_refunds_at_once_do_not_pass_what_was_paid() {
    let mut inner = Memory::default();
    for entry in [billed(1_000), paid("1", 1_000)] {
        inner.post(&entry).unwrap();
    }
    let mut books = Busy {
        inner,
        others: vec![refund("other", 700)],
    };
    assert_eq!(
        code(books.post(&refund("mine", 700))),
        "ledger-over-refunded"
    );
    assert_eq!(books.inner.money("b").refunded, Fen(700));
    let mut books = Busy {
        inner: books.inner,
        others: vec![refund("same", 100)],
    };
    assert_eq!(code(books.post(&refund("same", 100))), "Before");
    assert_eq!(books.inner.money("b").refunded, Fen(800));
}

proptest! {
    #[test]
    fn whatever_is_posted_in_whatever_order(ops in proptest::collection::vec((0..4_u8, 0..4_u8, -50..1_500_i64), 0..80)) {
        let mut books = Memory::default();
        for (what, part, fen) in ops {
            let part = part.to_string();
            let entry = match what {
                0 => billed(fen),
                1 => paid(&part, fen),
                2 => refund(&part, fen),
                _ => undone(&part, fen),
            };
            let before = books.clone();
            if !matches!(books.post(&entry), Ok(Posted::Now)) {
                prop_assert_eq!(&books, &before, "what is refused or stood before changes nothing");
            }
            let money = books.money("b");
            prop_assert!(Fen::ZERO <= money.refunded && money.refunded <= money.paid && money.paid <= money.billed);
            prop_assert_eq!(books.balances().values().copied().sum::<Fen>(), Fen::ZERO);
            prop_assert_eq!(books.balance(&Account::Driver("d".into())), money.owed());
            prop_assert_eq!(books.balance(&Account::Provider("p".into())), money.refundable());
        }
    }
}
