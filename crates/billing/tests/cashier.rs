//! The cashier over the records: whatever is lost on the way to the provider, and however often the process begins anew, a bill is paid
//! once, ledger and provider agree, and no refund passes what was paid.

use crate::support::*;
use billing::cashier::{Asked, Till};
use billing::{Cashier, Durable, Kept, Play};
use charging::Fen;
use charging::collect::{RefundState, State};
use charging::pay::{Answer, Order, Refusal, Request, Silence};
use model::Timestamp;
use records::{Records, charging as rows, charging_orders as orders};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const FUNDS: Fen = Fen(100_000);

/// A network before the provider that loses requests and answers, the same from the same seed.
struct Lossy {
    inner: Play,
    dice: AtomicU64,
    percent: u64,
}

impl Lossy {
    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn falls(&self) -> bool {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let at = self
            .dice
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP);
        let mut z = (at ^ (at >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % 100 < self.percent
    }
}

impl Till for Lossy {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn is_play(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, request: &'a Request, now: Timestamp) -> Asked<'a> {
        Box::pin(async move {
            if self.falls() {
                return Err(Silence);
            }
            let answer = self.inner.ask(request, now).await?;
            if self.falls() {
                Err(Silence)
            } else {
                Ok(answer)
            }
        })
    }
}

/// A bill of 33 yuan in the records.
async fn billed(records: &Records) -> Kept {
    let store = Durable::open(records.clone(), &settings()).await.unwrap();
    let (desk, writer) = open(store, flat());
    desk.take(plain(), at("17:00:01")).await.unwrap();
    drop(desk);
    writer.await.unwrap();
    let mut read = records.read().await.unwrap();
    let row = rows::session(&mut read, "S1", "T1").await.unwrap().unwrap();
    billing::durable::kept(row).unwrap()
}

async fn begin(records: &Records, cashier: &Cashier, id: &str, card: &str, hold: i64) {
    let mut write = records.write().await.unwrap();
    let now = at("14:00:00");
    assert!(
        cashier
            .begin(&mut write, id, card, Fen(hold), now)
            .await
            .unwrap()
    );
    // The same again is no second payment.
    assert!(
        !cashier
            .begin(&mut write, id, card, Fen(hold), now)
            .await
            .unwrap()
    );
    write.commit().await.unwrap();
}

async fn balance(records: &Records, class: &str) -> i64 {
    let mut read = records.read().await.unwrap();
    let all = rows::balances(&mut read, class).await.unwrap();
    all.iter().map(|balance| balance.fen).sum()
}

async fn taken_by_the_provider(records: &Records, order: &str) -> i64 {
    let mut read = records.read().await.unwrap();
    let body = orders::sandbox_order(&mut read, order).await.unwrap();
    match body.map(|body| serde_json::from_str::<Order>(&body).unwrap()) {
        Some(Order::Captured { captured, refunded }) => (captured - refunded).0,
        _ => 0,
    }
}

#[tokio::test]
async fn whatever_is_lost_a_bill_is_paid_once_and_given_back_once() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..6 {
        let records = Records::open(&dir.path().join(format!("{seed}.sqlite")))
            .await
            .unwrap();
        let network = || {
            let till = Lossy {
                inner: Play::new(records.clone(), FUNDS),
                dice: AtomicU64::new(seed),
                percent: 30,
            };
            Arc::new(till)
        };
        let till = network();
        // A cashier that begins anew with every step, as after a crash, over the same network.
        let cashier = || Cashier::new(records.clone(), till.clone());
        let kept = billed(&records).await;
        let card = kept.card.clone().unwrap();
        begin(&records, &cashier(), "pay-1", &card, 5_000).await;
        for n in 0..60 {
            let now = at("17:00:00").plus_seconds(n);
            cashier().advance("pay-1", now).await.unwrap();
            // Before the hold stands, a bill is too early.
            let _ = cashier().bill("pay-1", &kept, now).await;
        }
        let machine = cashier().look("pay-1").await.unwrap();
        assert_eq!(machine.state(), State::Done(Fen::ZERO), "seed {seed}");
        let mut read = records.read().await.unwrap();
        let money = rows::money(&mut read, "S1/T1").await.unwrap().unwrap();
        drop(read);
        assert_eq!(
            (money.billed_fen, money.paid_fen),
            (3_300, 3_300),
            "seed {seed}"
        );
        assert_eq!(
            taken_by_the_provider(&records, "pay-1").await,
            3_300,
            "seed {seed}"
        );
        assert_eq!(balance(&records, "driver").await, 0, "seed {seed}");

        for (part, fen, expected) in [
            ("a", 3_000, Ok(RefundState::Done)),
            // The same once more is the same refund.
            ("a", 3_000, Ok(RefundState::Done)),
            // More than is left of what was paid.
            ("b", 301, Err("ledger-over-refunded")),
            ("c", 300, Ok(RefundState::Done)),
        ] {
            let now = at("18:00:00");
            let mut write = records.write().await.unwrap();
            let one = cashier();
            let made = one.begin_refund(
                &mut write,
                &machine,
                ("S1/T1", part),
                Fen(fen),
                ("fagai", "电表更正"),
                now,
            );
            made.await.unwrap();
            write.commit().await.unwrap();
            let mut state = cashier().advance_refund("S1/T1", part, now).await;
            for _ in 0..60 {
                if state != Ok(RefundState::Asking) {
                    break;
                }
                state = cashier().advance_refund("S1/T1", part, now).await;
            }
            assert_eq!(
                state.map_err(|why| why.code),
                expected.map_err(str::to_owned),
                "seed {seed} {part}"
            );
        }
        assert_eq!(
            taken_by_the_provider(&records, "pay-1").await,
            0,
            "seed {seed}"
        );
        assert_eq!(balance(&records, "provider").await, 0, "seed {seed}");
        assert_eq!(balance(&records, "income").await, 0, "seed {seed}");
        // Nothing waits any more.
        assert_eq!(
            cashier().round(at("19:00:00"), 100).await,
            Ok(0),
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn a_payment_of_a_bill_is_that_bills_alone_and_one_that_is_refused_is_one_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let cashier = Cashier::new(records.clone(), Arc::new(Play::new(records.clone(), FUNDS)));
    let now = at("18:00:00");
    let kept = billed(&records).await;
    let (bill, card) = (kept.key.to_string(), kept.card.clone().unwrap());
    let begin_for = async |id: &str, bill: &str, owed: i64| {
        let mut write = records.write().await.unwrap();
        let begun = cashier.begin_for(&mut write, id, &card, (bill, Fen(owed)), now);
        assert!(begun.await.unwrap());
        write.commit().await.unwrap();
    };
    // More than there is: it counts among the bill's payments, so that the next has a name of its own.
    begin_for("pay-1", &bill, 100_001).await;
    let refused = cashier.advance("pay-1", now).await.unwrap();
    assert_eq!(refused.state(), State::Refused(Refusal::Funds));
    let mut read = records.read().await.unwrap();
    let of = orders::payments_for(&mut read, &bill).await.unwrap();
    drop(read);
    assert_eq!(
        of.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
        ["pay-1"]
    );
    // Another bill of the same card: its payment waits for it, and is given no other.
    begin_for("pay-2", "S1/T0", 3_300).await;
    assert_eq!(cashier.round(now, 100).await, Ok(1));
    assert_eq!(cashier.round(now, 100).await, Ok(0));
    assert_eq!(cashier.look("pay-2").await.unwrap().state(), State::Held);
    // Its own it is given.
    begin_for("pay-3", &bill, 3_300).await;
    assert_eq!(cashier.round(now, 100).await, Ok(1));
    assert_eq!(cashier.round(now, 100).await, Ok(1));
    let paid = cashier.look("pay-3").await.unwrap();
    assert_eq!(paid.state(), State::Done(Fen::ZERO));
    assert_eq!(taken_by_the_provider(&records, "pay-3").await, 3_300);
    assert_eq!(taken_by_the_provider(&records, "pay-2").await, 0);
}

#[tokio::test]
async fn rounds_carry_on_what_a_crash_left_and_what_never_began_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let cashier = Cashier::new(records.clone(), Arc::new(Play::new(records.clone(), FUNDS)));
    let now = at("18:00:00");
    let kept = billed(&records).await;
    let card = kept.card.clone().unwrap();
    // Written, and nothing asked yet; the bill is there before the money is held.
    begin(&records, &cashier, "pay-1", &card, 2_000).await;
    begin(&records, &cashier, "pay-2", "nobody's", 2_000).await;
    begin(&records, &cashier, "pay-3", "poor", 100_001).await;
    assert_eq!(cashier.round(now, 100).await, Ok(3));
    assert_eq!(cashier.round(now, 100).await, Ok(1));
    let paid = cashier.look("pay-1").await.unwrap();
    assert_eq!(
        paid.state(),
        State::Done(Fen(1_300)),
        "what is above the hold stays owed"
    );
    assert_eq!(balance(&records, "driver").await, 1_300);
    assert_eq!(
        cashier.look("pay-3").await.unwrap().state(),
        State::Refused(Refusal::Funds)
    );
    let given_up = cashier.give_up("pay-2", now).await.unwrap();
    assert_eq!(given_up.state(), State::Done(Fen::ZERO));
    assert_eq!(taken_by_the_provider(&records, "pay-2").await, 0);
    // What is owed is paid by another payment, which its bill is given at once.
    begin(&records, &cashier, "pay-4", &card, 1_300).await;
    cashier.advance("pay-4", now).await.unwrap();
    cashier.bill("pay-4", &kept, now).await.unwrap();
    assert_eq!(balance(&records, "driver").await, 0);
    assert_eq!(taken_by_the_provider(&records, "pay-4").await, 1_300);
    assert_eq!(
        cashier.look("no-such").await.unwrap_err().code,
        "charging-payment"
    );
    // A key that comes with another request is refused, and does nothing.
    let till = Play::new(records.clone(), FUNDS);
    let request = Request {
        key: "capture:pay-4".to_owned(),
        order: "pay-1".to_owned(),
        act: charging::pay::Act::Release,
    };
    let answer = till.ask(&request, now).await.unwrap();
    assert_eq!(
        answer,
        Answer {
            key: request.key.clone(),
            outcome: Err(Refusal::KeyReused)
        }
    );
}
