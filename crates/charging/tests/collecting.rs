//! Collecting: the provider's states, and that nothing is taken or entered twice whatever is lost, repeated, delivered late or forgotten.

use crate::common::{at, days, event, plain, session, tariff};
use charging::books::Books;
use charging::collect::{Collection, Parties, Refund, RefundState, State, Step};
use charging::ledger::BillMoney;
use charging::pay::{Act, Order, Provider, Refusal, Request};
use charging::sandbox::{Faults, Lossy, Sandbox};
use charging::{Account, Bill, EventKind, Fen, Memory, bill};
use model::Timestamp;
use proptest::prelude::*;

fn now() -> Timestamp {
    at("2026-03-10T18:00:00")
}

fn parties() -> Parties {
    Parties {
        driver: "d".to_owned(),
        operator: "o".to_owned(),
        provider: "sandbox".to_owned(),
    }
}

fn a_bill() -> Bill {
    bill(&session(&plain()), &tariff("hubei-station"), &days()).unwrap()
}

#[test]
fn a_provider_does_what_a_key_asks_for_once() {
    let mut sandbox = Sandbox::new("sandbox", Fen(10_000));
    let mut ask = |key: &str, act| {
        let request = Request {
            key: key.to_owned(),
            order: "o".to_owned(),
            act,
        };
        sandbox.ask(&request, now()).unwrap().outcome
    };
    let captured = |captured, refunded| {
        Ok(Order::Captured {
            captured: Fen(captured),
            refunded: Fen(refunded),
        })
    };
    assert_eq!(ask("c0", Act::Capture(Fen(1))), Err(Refusal::Unknown));
    assert_eq!(ask("h0", Act::Hold(Fen(10_001))), Err(Refusal::Funds));
    assert_eq!(ask("h1", Act::Hold(Fen(0))), Err(Refusal::Amount));
    assert_eq!(
        ask("h", Act::Hold(Fen(5_000))),
        Ok(Order::Held { hold: Fen(5_000) })
    );
    assert_eq!(
        ask("h", Act::Hold(Fen(5_000))),
        Ok(Order::Held { hold: Fen(5_000) })
    );
    assert_eq!(ask("h", Act::Hold(Fen(5_001))), Err(Refusal::KeyReused));
    assert_eq!(ask("h2", Act::Hold(Fen(1))), Err(Refusal::Exists));
    assert_eq!(ask("c1", Act::Capture(Fen(5_001))), Err(Refusal::Amount));
    assert_eq!(ask("c", Act::Capture(Fen(3_000))), captured(3_000, 0));
    assert_eq!(ask("c2", Act::Capture(Fen(1))), Err(Refusal::State));
    assert_eq!(ask("x", Act::Release), Err(Refusal::State));
    assert_eq!(ask("r", Act::Refund(Fen(2_000))), captured(3_000, 2_000));
    assert_eq!(ask("r", Act::Refund(Fen(2_000))), captured(3_000, 2_000));
    assert_eq!(ask("r2", Act::Refund(Fen(1_001))), Err(Refusal::Amount));
    assert_eq!(
        ask("c", Act::Capture(Fen(3_000))),
        captured(3_000, 0),
        "the answer of then"
    );
    assert_eq!(sandbox.taken(), Fen(1_000));
}

#[test]
fn a_hold_that_arrives_after_its_release_holds_nothing() {
    let mut sandbox = Sandbox::new("sandbox", Fen(10_000));
    let request = |key: &str, act| Request {
        key: key.to_owned(),
        order: "o".to_owned(),
        act,
    };
    assert_eq!(
        sandbox
            .ask(&request("x", Act::Release), now())
            .unwrap()
            .outcome,
        Ok(Order::Released)
    );
    assert_eq!(
        sandbox
            .ask(&request("h", Act::Hold(Fen(1))), now())
            .unwrap()
            .outcome,
        Err(Refusal::Exists)
    );
}

/// Does what the machine says until it waits or is over; at most `tries` steps.
fn run<P: Provider>(
    one: &mut Collection,
    provider: &mut P,
    books: &mut Memory,
    tries: u32,
) -> Step {
    for _ in 0..tries {
        match one.step(now()) {
            Step::Ask(request) => {
                if let Ok(answer) = provider.ask(&request, now()) {
                    one.answered(&answer);
                }
            }
            Step::Post(entry) => {
                books.post(&entry).unwrap();
                one.posted();
            }
            step => return step,
        }
    }
    one.step(now())
}

fn run_refund<P: Provider>(one: &mut Refund, provider: &mut P, books: &mut Memory, tries: u32) {
    for _ in 0..tries {
        match one.step(now()) {
            Step::Ask(request) => {
                if let Ok(answer) = provider.ask(&request, now()) {
                    one.answered(&answer);
                }
            }
            Step::Post(entry) => match books.post(&entry) {
                Ok(_) => one.posted(),
                Err(_) => return,
            },
            _ => return,
        }
    }
}

#[test]
fn from_hold_to_paid() {
    let (mut sandbox, mut books) = (Sandbox::new("sandbox", Fen(10_000)), Memory::default());
    let bill = a_bill();
    let mut one = Collection::new(&bill.id(), parties(), Fen(5_000));
    assert_eq!(one.bill(&bill, "o").unwrap_err().code, "charging-not-held");
    assert_eq!(run(&mut one, &mut sandbox, &mut books, 10), Step::Wait);
    one.bill(&bill, "o").unwrap();
    assert_eq!(run(&mut one, &mut sandbox, &mut books, 10), Step::Done);
    one.bill(&bill, "o").unwrap();
    assert_eq!(run(&mut one, &mut sandbox, &mut books, 10), Step::Done);
    assert_eq!((sandbox.taken(), sandbox.answered()), (bill.total, 2));
    assert_eq!(
        books.money(&bill.id()),
        BillMoney {
            billed: bill.total,
            paid: bill.total,
            refunded: Fen::ZERO
        }
    );
    let other = Bill {
        key: crate::common::key("T2"),
        ..bill
    };
    assert_eq!(
        one.bill(&other, "o").unwrap_err().code,
        "charging-other-bill"
    );
}

#[test]
fn held_bills_zero_bills_and_bills_above_the_hold() {
    let held = bill(&session(&plain()[1..]), &tariff("hubei-station"), &days()).unwrap();
    let (mut sandbox, mut books) = (Sandbox::new("sandbox", Fen(10_000)), Memory::default());
    let mut one = Collection::new(&held.id(), parties(), Fen(5_000));
    run(&mut one, &mut sandbox, &mut books, 10);
    one.bill(&held, "o").unwrap();
    assert_eq!(
        run(&mut one, &mut sandbox, &mut books, 10),
        Step::Wait,
        "nothing is taken while it is held"
    );
    assert_eq!((sandbox.taken(), books.entries().len()), (Fen::ZERO, 0));

    let nothing = [
        event(EventKind::Started, "2026-03-10T15:00:00", Some(7)),
        event(EventKind::Ended, "2026-03-10T15:01:00", Some(7)),
    ];
    let nothing = bill(&session(&nothing), &tariff("hubei-station"), &days()).unwrap();
    one.bill(&nothing, "o").unwrap();
    assert_eq!(run(&mut one, &mut sandbox, &mut books, 10), Step::Done);
    assert_eq!(sandbox.order(one.order()), Some(Order::Released));

    let (mut sandbox, mut books) = (Sandbox::new("sandbox", Fen(10_000)), Memory::default());
    let bill = a_bill();
    let mut one = Collection::new(&bill.id(), parties(), Fen(500));
    run(&mut one, &mut sandbox, &mut books, 10);
    one.bill(&bill, "o").unwrap();
    assert_eq!(
        run(&mut one, &mut sandbox, &mut books, 10),
        Step::Owed(bill.total - Fen(500))
    );
    assert_eq!(
        books.balance(&Account::Driver("d".into())),
        bill.total - Fen(500)
    );

    let mut poor = Collection::new("x", parties(), Fen(10_001));
    run(&mut poor, &mut sandbox, &mut books, 10);
    assert_eq!(
        (poor.state(), poor.step(now())),
        (State::Refused(Refusal::Funds), Step::Done)
    );
    poor.retry(Fen(9_000));
    assert_eq!(run(&mut poor, &mut sandbox, &mut books, 10), Step::Wait);
    assert_eq!(sandbox.order("x"), Some(Order::Held { hold: Fen(9_000) }));
    poor.give_up();
    assert_eq!(run(&mut poor, &mut sandbox, &mut books, 10), Step::Done);
    assert_eq!(sandbox.order("x"), Some(Order::Released));
}

#[test]
fn a_refund_that_the_provider_refuses_is_undone() {
    let (mut sandbox, mut books) = (Sandbox::new("sandbox", Fen(10_000)), Memory::default());
    let bill = a_bill();
    let mut one = Collection::new(&bill.id(), parties(), Fen(5_000));
    run(&mut one, &mut sandbox, &mut books, 10);
    one.bill(&bill, "o").unwrap();
    run(&mut one, &mut sandbox, &mut books, 10);
    // Somebody gave it back at the provider's own counter, past us.
    let past_us = Request {
        key: "counter".to_owned(),
        order: bill.id(),
        act: Act::Refund(bill.total),
    };
    sandbox.ask(&past_us, now()).unwrap();
    let mut refund = Refund::new(&bill.id(), &bill.id(), "1", parties(), Fen(100));
    run_refund(&mut refund, &mut sandbox, &mut books, 10);
    assert_eq!(refund.state(), RefundState::Refused(Refusal::Amount));
    assert_eq!(books.money(&bill.id()).refunded, Fen::ZERO);
    assert_eq!(books.balances().values().copied().sum::<Fen>(), Fen::ZERO);
}

proptest! {
    /// A network that loses a third of everything and delivers old requests again, a host that forgets its machine and begins anew, and
    /// two hosts at once: the driver pays the bill once, and no refund passes what was paid.
    #[test]
    fn nothing_is_charged_twice(
        seed in any::<u64>(),
        faults in (0..40_u8, 0..40_u8, 0..40_u8, 0..40_u8),
        hold in 1..6_000_i64,
        crashes in proptest::collection::vec(0..12_u32, 0..6),
        refunds in proptest::collection::vec((0..4_u8, 1..2_500_i64), 0..8),
    ) {
        let (lost_before, lost_after, doubled, old_again) = faults;
        let faults = Faults { lost_before, lost_after, doubled, old_again };
        let mut provider = Lossy::new(Sandbox::new("sandbox", Fen(100_000)), faults, seed);
        let mut books = Memory::default();
        let bill = a_bill();
        let id = bill.id();
        let new = || Collection::new(&id, parties(), Fen(hold));
        let mut hosts = [new(), new()];
        for (n, steps) in crashes.iter().enumerate() {
            let one = &mut hosts[n % 2];
            run(one, &mut provider, &mut books, *steps);
            let _ = one.bill(&bill, "o");
            run(one, &mut provider, &mut books, *steps);
            *one = new();
        }
        for one in &mut hosts {
            prop_assert_eq!(run(one, &mut provider, &mut books, 2_000), Step::Wait, "seed {}", seed);
            one.bill(&bill, "o").unwrap();
            run(one, &mut provider, &mut books, 2_000);
            prop_assert!(matches!(one.state(), State::Done(_)));
        }
        let taken = bill.total.min(Fen(hold));
        prop_assert_eq!(provider.inner.taken(), taken);
        prop_assert_eq!(books.money(&id), BillMoney { billed: bill.total, paid: taken, refunded: Fen::ZERO });

        let mut parts: std::collections::BTreeMap<u8, i64> = std::collections::BTreeMap::new();
        for (part, fen) in refunds {
            // The same part with another amount would be another refund under one key, which the ledger refuses.
            let fen = *parts.entry(part).or_insert(fen);
            for _ in 0..2 {
                let mut refund = Refund::new(&id, &id, &part.to_string(), parties(), Fen(fen));
                run_refund(&mut refund, &mut provider, &mut books, 2_000);
            }
        }
        let money = books.money(&id);
        prop_assert!(money.refunded <= money.paid);
        prop_assert_eq!(provider.inner.taken(), money.refundable(), "provider and ledger agree");
        prop_assert_eq!(books.balance(&Account::Provider("sandbox".into())), provider.inner.taken());
        prop_assert_eq!(books.balances().values().copied().sum::<Fen>(), Fen::ZERO);
    }
}
