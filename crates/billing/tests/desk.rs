//! The desk: from events to a bill that is entered, what is held, what waits, what is refused.

use crate::support::*;
use billing::{Clerk, Memory, State};
use charging::bill::{Decision, Review};
use charging::{Account, EventKind, Fen, Standing};
use model::Timestamp;

fn review(at: Timestamp) -> Review {
    Review {
        by: "clerk".to_owned(),
        at,
        note: "looked at the meter".to_owned(),
    }
}

fn sum(store: &Memory) -> Fen {
    store.ledger().balances().values().copied().sum()
}

#[tokio::test]
async fn a_session_becomes_a_bill_that_is_entered() {
    let store = tell(Memory::default(), flat(), &plain()).await;
    let kept = only(&store);
    let bill = &kept.bill.as_ref().unwrap().bill;
    assert_eq!(
        (kept.state, &bill.standing),
        (State::Billed, &Standing::Due)
    );
    assert_eq!((bill.total, bill.energy.0), (Fen(3_300), 22_000));
    let driver = settings().pseudonym("card-1");
    assert_eq!(kept.card.as_deref(), Some(driver.as_str()));
    let ledger = store.ledger();
    assert_eq!(ledger.balance(&Account::Driver(driver)), Fen(3_300));
    assert_eq!(
        ledger.balance(&Account::Income("one".to_owned())),
        Fen(-3_300)
    );
    assert_eq!(sum(&store), Fen::ZERO);
}

#[tokio::test]
async fn five_hundred_sessions_at_once_are_billed_once_each() {
    let (desk, writer) = open(Memory::default(), flat());
    let mut told = tokio::task::JoinSet::new();
    for n in 0..500 {
        let desk = desk.clone();
        told.spawn(async move {
            let events = of(&key(&format!("S{n}"), &n.to_string()), &plain());
            for event in events {
                let (a, b) = tokio::join!(
                    desk.take(vec![event.clone()], event.received),
                    desk.take(vec![event.clone()], event.received)
                );
                a.and(b).unwrap();
            }
        });
    }
    told.join_all().await;
    drop(desk);
    let store = writer.await.unwrap();
    assert_eq!(store.events_kept(), 1_500);
    assert_eq!(store.ledger().entries().len(), 500);
    let billed = |kept: &&billing::Kept| kept.state == State::Billed;
    assert_eq!(store.sessions().values().filter(billed).count(), 500);
    let two = Account::Income("two".to_owned());
    assert_eq!(store.ledger().balance(&two), Fen(-3_300));
    assert_eq!(sum(&store), Fen::ZERO);
}

#[tokio::test]
async fn what_is_doubtful_is_held_and_not_entered() {
    let [start, reading, end] = <[_; 3]>::try_from(plain()).unwrap();
    let backwards = event(EventKind::Reading, "16:30:00", Some(2_000));
    let jump = event(EventKind::Reading, "16:00:01", Some(22_000_000));
    let mut no_card = start.clone();
    no_card.card = None;
    let cases = [
        vec![start.clone(), reading.clone(), backwards, end.clone()],
        vec![start.clone(), reading.clone(), jump, end.clone()],
        vec![reading.clone(), end.clone()],
        vec![no_card, reading.clone(), end.clone()],
    ];
    for (n, events) in cases.iter().enumerate() {
        let store = tell(Memory::default(), flat(), events).await;
        let kept = only(&store);
        assert_eq!(kept.state, State::Doubtful, "case {n}");
        let bill = &kept.bill.as_ref().unwrap().bill;
        assert_eq!(bill.standing, Standing::Held, "case {n}");
        assert!(store.ledger().entries().is_empty(), "case {n}");
    }
    // Without an end it goes on.
    let store = tell(Memory::default(), flat(), &[start, reading]).await;
    assert_eq!(only(&store).state, State::Charging);
    assert_eq!(only(&store).bill, None);
}

#[tokio::test]
async fn a_person_decides_on_what_is_held_once() {
    // A register after the end differs from the last one: held, with 22 kWh proposed.
    let mut events = plain();
    events.insert(2, event(EventKind::Reading, "16:30:00", Some(12_001)));
    events[3].at = Some(at("16:20:00"));
    let store = tell(Memory::default(), flat(), &events).await;
    assert_eq!(only(&store).state, State::Doubtful);
    let proposed = only(&store).bill.as_ref().unwrap().bill.total;
    assert_eq!(proposed, Fen(3_300));
    let (desk, writer) = open(store, flat());
    let one = key("S1", "T1");
    let accept = || desk.decide(one.clone(), Decision::Accept, review(at("18:00:00")));
    assert_eq!(accept().await.unwrap().due(), Some(proposed));
    // The same again changes nothing; another decision is refused.
    assert_eq!(accept().await.unwrap().due(), Some(proposed));
    let waive = desk.decide(one.clone(), Decision::Waive, review(at("18:01:00")));
    assert_eq!(waive.await.unwrap_err().code, "charging-review");
    let other = desk.decide(key("S1", "T9"), Decision::Waive, review(at("18:01:00")));
    assert_eq!(other.await.unwrap_err().code, "billing-unknown");
    drop(desk);
    let store = writer.await.unwrap();
    assert_eq!(store.ledger().entries().len(), 1);
    assert_eq!(sum(&store), Fen::ZERO);
}

#[tokio::test]
async fn nobody_known_cannot_be_charged() {
    let mut events = plain();
    events[0].card = None;
    let store = tell(Memory::default(), flat(), &events).await;
    let (desk, writer) = open(store, flat());
    let one = key("S1", "T1");
    let accept = desk.decide(one.clone(), Decision::Accept, review(at("18:00:00")));
    assert_eq!(accept.await.unwrap_err().code, "billing-no-card");
    let waive = desk.decide(one, Decision::Waive, review(at("18:00:00")));
    assert_eq!(waive.await.unwrap().due(), Some(Fen::ZERO));
    drop(desk);
    let store = writer.await.unwrap();
    assert_eq!(only(&store).state, State::Billed);
    assert!(store.ledger().entries().is_empty());
}

#[tokio::test]
async fn what_comes_after_the_bill_is_a_correction() {
    let mut events = plain();
    events.push(event(EventKind::Reading, "17:10:00", Some(29_000)));
    let late = event(EventKind::Ended, "17:10:00", Some(29_000));
    events.push(late);
    let store = tell(Memory::default(), flat(), &events).await;
    let kept = only(&store).bill.as_ref().unwrap();
    assert_eq!(
        (kept.bill.total, &kept.bill.standing),
        (Fen(3_300), &Standing::Due)
    );
    let correction = kept.correction.as_ref().unwrap();
    assert_eq!(correction.standing, Standing::Held);
    assert_eq!(kept.difference(), Some(correction.total - Fen(3_300)));
    assert_eq!(store.ledger().entries().len(), 1);
}

#[tokio::test]
async fn where_leaving_costs_it_is_waited_for() {
    let store = tell(Memory::default(), hubei(), &plain()).await;
    assert_eq!(only(&store).state, State::Waiting);
    assert_eq!(only(&store).bill, None);
    // Told of leaving, an hour after the end: 45 minutes at 0.50 yuan.
    let left = event(EventKind::Left, "18:00:00", None);
    let told = tell(store.clone(), hubei(), &[left]).await;
    let bill = &only(&told).bill.as_ref().unwrap().bill;
    assert_eq!(bill.sum(charging::LineKind::Idle), Fen(2_250));
    // Not told: billed without it when the wait is over, not before.
    let (desk, writer) = open(store, hubei());
    assert_eq!(desk.pass(at("17:59:00")).await.unwrap(), 0);
    assert_eq!(desk.pass(at("18:00:01")).await.unwrap(), 1);
    drop(desk);
    let store = writer.await.unwrap();
    let bill = &only(&store).bill.as_ref().unwrap().bill;
    assert_eq!(bill.sum(charging::LineKind::Idle), Fen::ZERO);
    assert_eq!(bill.standing, Standing::Due);
}

#[tokio::test]
async fn without_a_tariff_there_is_no_bill_until_there_is_one() {
    let store = tell(Memory::default(), no_prices(), &plain()).await;
    assert_eq!(only(&store).state, State::Unpriced);
    assert_eq!(only(&store).bill, None);
    let (desk, writer) = open(store, no_prices());
    desk.prices(flat()).await.unwrap();
    assert_eq!(desk.pass(at("19:00:00")).await.unwrap(), 1);
    drop(desk);
    let store = writer.await.unwrap();
    let kept = only(&store).bill.as_ref().unwrap();
    assert_eq!((kept.bill.total, kept.tariff), (Fen(3_300), 1));
}

#[tokio::test]
async fn two_sessions_of_one_connector_at_one_time_are_not_both_charged() {
    let twice = of(&key("S1", "T2"), &plain());
    let mut events = plain();
    events.extend(twice);
    let store = tell(Memory::default(), flat(), &events).await;
    let states: Vec<State> = store.sessions().values().map(|kept| kept.state).collect();
    assert_eq!(states, [State::Billed, State::Doubtful]);
    assert_eq!(store.ledger().entries().len(), 1);
}

#[tokio::test]
async fn a_start_has_one_number_for_ever() {
    let (desk, writer) = open(Memory::default(), flat());
    let now = at("15:00:00");
    let (a, b, c, d) = tokio::join!(
        desk.number("S1", "start-1", now),
        desk.number("S1", "start-1", now),
        desk.number("S1", "start-2", now),
        desk.number("S2", "start-1", now)
    );
    let numbers = [a.unwrap(), b.unwrap(), c.unwrap(), d.unwrap()];
    assert_eq!(numbers, [1, 1, 2, 3]);
    drop(desk);
    let (desk, _writer) = open(writer.await.unwrap(), flat());
    assert_eq!(desk.number("S2", "start-1", now).await.unwrap(), 3);
    assert_eq!(desk.number("S2", "start-2", now).await.unwrap(), 4);
}

#[tokio::test]
async fn what_is_wrong_is_refused_alone_and_a_full_box_says_so() {
    let (desk, writer) = open(Memory::default(), flat());
    let mut wrong = plain();
    wrong[1].register = None;
    let now = at("17:00:01");
    let (bad, good) = tokio::join!(
        desk.take(wrong, now),
        desk.take(of(&key("S2", "T1"), &plain()), now)
    );
    assert_eq!(bad.unwrap_err().code, "charging-register");
    good.unwrap();
    let many = vec![plain()[0].clone(); settings().events_max + 1];
    let told = desk.take(many, now).await.unwrap_err();
    assert_eq!(told.code, "billing-events");
    drop(desk);
    assert_eq!(only(&writer.await.unwrap()).key.station, "S2");

    let mut narrow = settings();
    narrow.waiting_max = 1;
    let (desk, clerk) = Clerk::new(Memory::default(), narrow, flat());
    let (first, second, store) =
        tokio::join!(desk.take(plain(), now), desk.take(plain(), now), async {
            let writer = clerk.run();
            tokio::pin!(writer);
            // Both were asked before the writer began; it ends when no desk is left, which this one outlives.
            tokio::select! {
                biased;
                store = &mut writer => Some(store),
                () = std::future::ready(()) => None,
            }
        });
    assert_eq!(second.unwrap_err().code, "billing-busy");
    assert!(store.is_none() && first.is_ok());
}
