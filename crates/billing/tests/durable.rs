//! The store over the records keeps what the one in memory keeps, over a writer that begins anew with every event, and lets no second
//! writer in.

use crate::support::*;
use billing::durable::kept;
use billing::{Change, Durable, Memory, Store};
use charging::{Event, EventKind, Fen};
use records::{PageRequest, Records, charging as rows};

async fn durable(records: &Records) -> Durable {
    Durable::open(records.clone(), &settings()).await.unwrap()
}

/// Several stations' charges, shuffled, each event twice, among them a stop alone and a meter that runs backwards.
fn told(seed: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for n in 0..6 {
        events.extend(of(&key(&format!("S{}", n % 3), &format!("T{n}")), &plain()));
    }
    events.extend(of(&key("S1", "alone"), &plain()[2..]));
    let mut back = plain();
    back[1].register = Some(charging::Wh(500));
    events.extend(of(&key("S2", "back"), &back));
    events.extend(events.clone());
    Seeded(seed).shuffle(&mut events);
    events
}

#[tokio::test]
async fn it_keeps_what_the_store_in_memory_keeps() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let path = dir.path().join(format!("{seed}.sqlite"));
        let records = Records::open(&path).await.unwrap();
        let mut memory = Memory::default();
        for event in told(seed) {
            memory = tell(memory, twofold(), std::slice::from_ref(&event)).await;
            // The writer begins anew each time, as after a crash.
            let (desk, writer) = open(durable(&records).await, twofold());
            desk.take(vec![event.clone()], event.received)
                .await
                .unwrap();
            drop(desk);
            writer.await.unwrap();
        }
        let mut store = durable(&records).await;
        let mut again = memory.clone();
        for (key, expected) in memory.sessions() {
            let stands = store.kept(key).await.unwrap();
            assert_eq!(stands.as_ref(), Some(expected), "seed {seed}, {key}");
            let mut both = [
                again.events(key).await.unwrap(),
                store.events(key).await.unwrap(),
            ];
            for told in &mut both {
                told.sort_by_key(|event| (event.kind, event.at, event.register));
            }
            assert_eq!(both[0], both[1], "seed {seed}, {key}");
        }
        let mut read = records.read().await.unwrap();
        let mut sum = Fen::ZERO;
        for class in ["driver", "income"] {
            for balance in rows::balances(&mut read, class).await.unwrap() {
                let account = charging::Account::named(&balance.account).unwrap();
                let expected = memory.ledger().balance(&account);
                assert_eq!(Fen(balance.fen), expected, "seed {seed}, {account}");
                sum = sum + expected;
            }
        }
        assert_eq!(sum, Fen::ZERO);
        assert!(!memory.ledger().entries().is_empty());
        for entry in memory.ledger().entries().values() {
            let (row, postings) = rows::entry(&mut read, &entry.key).await.unwrap().unwrap();
            assert_eq!(
                (row.kind.as_str(), postings.len()),
                (entry.kind.name(), entry.postings.len())
            );
        }
    }
}

#[tokio::test]
async fn a_second_writer_ends_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let mut first = durable(&records).await;
    let mut second = durable(&records).await;
    let changes: Vec<Change> = plain().into_iter().map(Change::Event).collect();
    let refused = first.write(&changes).await.unwrap_err();
    assert_eq!(refused.code, "charging-second-writer");
    assert_eq!(first.events(&key("S1", "T1")).await.unwrap(), []);
    second.write(&changes).await.unwrap();
    assert_eq!(second.events(&key("S1", "T1")).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_batch_that_cannot_stand_is_not_written_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let mut store = durable(&records).await;
    let number = |number| Change::Number {
        station: "S1".to_owned(),
        start: format!("start-{number}"),
        number: 1,
    };
    store.write(&[number(1)]).await.unwrap();
    let event = Change::Event(plain().remove(0));
    let refused = store.write(&[event, number(2)]).await.unwrap_err();
    assert_eq!(refused.code, "billing-number-given");
    assert_eq!(store.events(&key("S1", "T1")).await.unwrap(), []);
    assert_eq!(store.last_number().await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_told_is_given_up_and_the_bill_stays() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let (desk, writer) = open(durable(&records).await, flat());
    for event in plain() {
        desk.take(vec![event.clone()], event.received)
            .await
            .unwrap();
    }
    let going_on = of(&key("S1", "T2"), &plain()[..1]);
    desk.take(going_on, at("18:00:00")).await.unwrap();
    // Not yet, then once.
    assert_eq!(desk.forget(at("17:00:00")).await.unwrap(), 0);
    assert_eq!(desk.forget(at("20:00:00")).await.unwrap(), 1);
    assert_eq!(desk.forget(at("20:00:00")).await.unwrap(), 0);
    // A stop that comes once more, months later, is no new bill and no correction.
    let late = event(EventKind::Ended, "17:00:01", Some(30_000));
    desk.take(vec![late], at("21:00:00")).await.unwrap();
    drop(desk);
    let mut store = writer.await.unwrap();
    assert_eq!(store.events(&key("S1", "T1")).await.unwrap(), []);
    assert_eq!(store.events(&key("S1", "T2")).await.unwrap().len(), 1);
    let mut read = records.read().await.unwrap();
    let (all, first) = (rows::Filter::default(), PageRequest::default());
    let listed = rows::list(&mut read, &all, &first).await.unwrap().items;
    let listed: Vec<_> = listed.into_iter().map(|row| kept(row).unwrap()).collect();
    assert_eq!(listed.len(), 2);
    let bill = listed[1].bill.as_ref().unwrap();
    assert_eq!((bill.bill.total, &bill.correction), (Fen(3_300), &None));
    let sums = rows::sums(&mut read, at("00:00:00"), at("23:00:00")).await;
    let sums: Vec<_> = sums.unwrap();
    let billed = sums.iter().find(|sum| sum.state == "billed").unwrap();
    assert_eq!(
        (billed.sessions, billed.energy_wh, billed.total_fen),
        (1, 22_000, 3_300)
    );
}
