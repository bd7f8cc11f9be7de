//! Whatever is told twice, in whatever order, with a disk that fails and a writer that begins anew: one bill, one entry, and what the
//! events come to stands in the bill or in its correction.

use crate::support::*;
use billing::{Memory, Prices};
use charging::{Bill, Event, EventKind, Fen, Limits, Sessions, Standing, Wh, bill};

/// A charge whose reading says that most of it came after 16:00, when it is dearer: without the reading the bill is another.
fn uneven() -> Vec<Event> {
    let mut events = plain();
    events[1].register = Some(Wh(6_000));
    events
}

/// What events come to, reckoned at once.
fn expected(events: Vec<Event>, prices: &Prices) -> Bill {
    let mut sessions = Sessions::default();
    for mut event in events {
        event.card = event.card.map(|card| settings().pseudonym(&card));
        sessions.add(&event, &Limits::default()).unwrap();
    }
    let session = sessions.get(&key("S1", "T1"), &Limits::default()).unwrap();
    bill(&session, &prices.tariffs[0].tariff, &prices.days).unwrap()
}

#[tokio::test]
async fn told_in_any_order_over_a_failing_disk_it_is_billed_once() {
    let expected = expected(uneven(), &twofold());
    // 5 kWh at 1.50 and 17 kWh at 2.50 yuan.
    assert_eq!(expected.standing, Standing::Due);
    assert_eq!(expected.total, Fen(750 + 4_250));
    let mut corrected = 0;
    for seed in 0..300 {
        let mut seeded = Seeded(seed);
        let mut events = uneven();
        events.extend(uneven());
        seeded.shuffle(&mut events);
        let mut store = Failing {
            inner: Memory::default(),
            seeded: seeded.clone(),
        };
        for event in events {
            // The writer begins anew with each event, and the station tells it until it is taken.
            let mut taken = false;
            while !taken {
                let (desk, writer) = open(store, twofold());
                let outcome = desk.take(vec![event.clone()], event.received).await;
                taken = outcome.is_ok();
                drop(desk);
                store = writer.await.unwrap();
            }
        }
        let store = store.inner;
        assert_eq!(store.events_kept(), 3, "seed {seed}");
        let kept = only(&store).bill.as_ref().unwrap();
        let last = kept.correction.as_ref().unwrap_or(&kept.bill);
        assert_eq!(last, &expected, "seed {seed}");
        let entries = store.ledger().entries();
        assert_eq!(entries.len(), 1, "seed {seed}");
        let entered = entries.values().map(charging::Entry::amount).sum::<Fen>();
        assert_eq!(Some(entered), kept.bill.due(), "seed {seed}");
        let sum: Fen = store.ledger().balances().values().copied().sum();
        assert_eq!(sum, Fen::ZERO, "seed {seed}");
        corrected += usize::from(kept.correction.is_some());
    }
    // Both were seen: the reading before the bill, and after it.
    assert!((1..300).contains(&corrected), "{corrected} corrections");
}

#[tokio::test]
async fn numbers_survive_a_failing_disk() {
    for seed in 0..100 {
        let mut store = Failing {
            inner: Memory::default(),
            seeded: Seeded(seed),
        };
        let mut given: Vec<(String, i32)> = Vec::new();
        for n in 0..20 {
            let start = format!("start-{}", n % 7);
            let number = loop {
                let (desk, writer) = open(store, flat());
                let outcome = desk.number("S1", &start, at("15:00:00")).await;
                drop(desk);
                store = writer.await.unwrap();
                if let Ok(number) = outcome {
                    break number;
                }
            };
            given.push((start, number));
        }
        given.sort();
        given.dedup();
        let mut numbers: Vec<i32> = given.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(given.len(), 7, "seed {seed}");
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7], "seed {seed}");
    }
}

#[tokio::test]
async fn leaving_told_late_changes_nothing_where_it_costs_nothing() {
    let mut events = plain();
    events.push(event(EventKind::Left, "19:00:00", None));
    let store = tell(Memory::default(), flat(), &events).await;
    let kept = only(&store).bill.as_ref().unwrap();
    assert_eq!(
        (&kept.bill, &kept.correction),
        (&expected(plain(), &flat()), &None)
    );
}
