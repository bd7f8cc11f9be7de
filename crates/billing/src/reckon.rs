//! What becomes of a session: it goes on, waits for leaving, has no tariff, or is billed; and what a bill reckoned anew does to the one
//! that stands.

use crate::prices::{Dated, Prices};
use crate::store::KeptBill;
use charging::{Bill, Session, Standing, bill};
use model::Timestamp;

/// What becomes of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Charging,
    /// Leaving may still cost something: until when it is waited for.
    Waiting(Timestamp),
    /// No tariff holds.
    Unpriced,
    /// Its bill, and the number of its tariff.
    Bill(Box<Bill>, i64),
}

/// Judges a session at `now`. `told` is when the last was told of it.
pub fn verdict(
    session: &Session,
    prices: &Prices,
    told: Timestamp,
    now: Timestamp,
    left_wait_s: i64,
) -> Verdict {
    if !session.is_ended {
        return Verdict::Charging;
    }
    // A session whose times nobody knows is held anyway; it is shown under the tariff of the day on which it was told.
    let begun = session.started.or(session.ended).unwrap_or(told);
    let Some(dated) = prices.tariff(&session.key.station, begun) else {
        return Verdict::Unpriced;
    };
    let until = told.plus_seconds(left_wait_s);
    if session.left.is_none() && now < until && costs_time(dated, prices, begun, session.ended) {
        return Verdict::Waiting(until);
    }
    let Some(mut bill) = bill(session, &dated.tariff, &prices.days) else {
        return Verdict::Charging;
    };
    // There is nobody to charge.
    if bill.card.is_none() {
        bill.standing = Standing::Held;
    }
    Verdict::Bill(Box::new(bill), dated.number)
}

/// Whether the tariff asks for parking or occupancy on the day of the begin or of the end.
fn costs_time(dated: &Dated, prices: &Prices, begun: Timestamp, ended: Option<Timestamp>) -> bool {
    [Some(begun), ended].into_iter().flatten().any(|at| {
        prices
            .days
            .day_of(at)
            .and_then(|day| dated.tariff.version(day))
            .is_some_and(|version| version.parking().is_some() || version.idle().is_some())
    })
}

/// The bill that stands after one was reckoned anew. A held one, on which nobody has decided and of which nothing was charged, gives
/// way; any other stays, with the new one beside it where they differ.
pub fn follow(before: Option<KeptBill>, bill: Bill, tariff: i64) -> KeptBill {
    match before {
        Some(before) if before.bill.standing != Standing::Held => KeptBill {
            correction: (!is_same(&before.bill, &bill)).then_some(bill),
            ..before
        },
        _ => KeptBill {
            bill,
            tariff,
            correction: None,
        },
    }
}

/// Whether two bills of a session say the same, whatever was decided on them.
fn is_same(one: &Bill, other: &Bill) -> bool {
    (&one.lines, one.total, one.energy, &one.card, &one.doubts)
        == (
            &other.lines,
            other.total,
            other.energy,
            &other.card,
            &other.doubts,
        )
}
