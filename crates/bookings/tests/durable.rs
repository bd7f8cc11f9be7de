//! Over the records themselves: many who ask at once, restarts, a second writer.

use crate::support::*;
use bookings::{
    Answer, By, Clerk, Command, Durable, Limits, Policy, Request, State, Store, TicketState, Window,
};
use records::Records;
use records::bookings as rows;

fn start(records: &Records) -> Window {
    let (window, clerk) = Clerk::new(Durable::new(records.clone()), Limits::default());
    tokio::spawn(clerk.run());
    window
}

fn request(key: &str, by: By, command: Command) -> Request {
    Request {
        key: Some(key.to_owned()),
        by,
        command,
    }
}

#[tokio::test]
async fn five_hundred_ask_for_fifty_places_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let window = start(&records);
    let declare = Command::Declare(slotted("museum", 50, Policy::default()));
    window
        .ask(request("d", operator(), declare), t(0))
        .await
        .unwrap();
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..500 {
        let window = window.clone();
        asked.spawn(async move {
            let who = format!("p{n}");
            let ask = request(
                "k",
                person(&who),
                hold("museum", slot(), &who, "", 1, false),
            );
            // Sent twice, as by a phone on a bad network.
            let (a, b) = tokio::join!(window.ask(ask.clone(), t(1)), window.ask(ask, t(1)));
            assert_eq!(a.is_ok(), b.is_ok());
            if let (Ok(a), Ok(b)) = (&a, &b) {
                assert_eq!(a, b);
            }
            a
        });
    }
    let answers = asked.join_all().await;
    let got: Vec<i64> = answers
        .into_iter()
        .filter(Result::is_ok)
        .map(|one| booked(one).id)
        .collect();
    assert_eq!(got.len(), 50);
    // A new process has the same bookings, and the old one can write no more.
    let other = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let after = start(&other);
    let look = Command::Look {
        resource: "museum".into(),
        class: String::new(),
    };
    let Answer::Room(room) = after
        .ask(request("l", operator(), look), t(2))
        .await
        .unwrap()
    else {
        panic!()
    };
    assert_eq!((room.slots[0].free, room.slots[0].taken), (0, 50));
    let cancel = request("c", operator(), Command::Cancel { id: got[0] });
    let said = window.ask(cancel.clone(), t(3)).await;
    assert_eq!(said.unwrap_err().code(), "booking-store");
    // It reads anew and takes over, with what is on the disk; the key makes it safe to ask again.
    let one = booked(window.ask(cancel.clone(), t(3)).await);
    assert_eq!(one.state, State::Cancelled);
    assert_eq!(booked(window.ask(cancel, t(4)).await), one);
    let mut read = records.read().await.unwrap();
    let kept = rows::get(&mut read, got[0]).await.unwrap().unwrap();
    assert_eq!(kept.state, "cancelled");
    let steps = rows::steps(&mut read, got[0]).await.unwrap();
    let steps: Vec<&str> = steps.iter().map(|one| one.step.as_str()).collect();
    assert_eq!(steps, ["hold", "cancel"]);
    let filter = rows::Filter {
        state: Some("held"),
        ..rows::Filter::default()
    };
    let page = records::PageRequest::default();
    assert_eq!(
        rows::list(&mut read, &filter, &page)
            .await
            .unwrap()
            .items
            .len(),
        49
    );
    assert_eq!(records.check().await.unwrap(), []);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let records = Records::open(&path).await.unwrap();
    let window = start(&records);
    let ask = |key: &'static str, by: By, command: Command, at: i64| {
        let window = window.clone();
        async move { window.ask(request(key, by, command), t(at)).await }
    };
    ask(
        "1",
        operator(),
        Command::Declare(units("station", 1, Policy::default())),
        0,
    )
    .await
    .unwrap();
    let queue = serde_json::json!({
        "id": "hall", "prefix": "B", "open": true, "classes": [], "precedence_run_max": 1, "come_within_s": 60,
        "misses_max": 1, "behind": 2, "waiting_max": 9, "zone": "Asia/Shanghai",
    });
    let queue = serde_json::from_value(queue).unwrap();
    ask("2", operator(), Command::DeclareQueue(queue), 0)
        .await
        .unwrap();
    let a = booked(
        ask(
            "3",
            person("a"),
            hold("station", interval(100, 900), "a", "", 1, false),
            1,
        )
        .await,
    );
    let b = booked(
        ask(
            "4",
            person("b"),
            hold("station", interval(100, 900), "b", "", 1, true),
            2,
        )
        .await,
    );
    ask("5", person("a"), Command::Confirm { id: a.id }, 3)
        .await
        .unwrap();
    let take = Command::Take {
        queue: "hall".into(),
        person: "a".into(),
        class: String::new(),
    };
    ask("6", person("a"), take.clone(), 4).await.unwrap();
    let call = Command::Call {
        queue: "hall".into(),
        counter: "1".into(),
    };
    ask("7", operator(), call, 5).await.unwrap();
    drop(window);
    records.close().await;

    let records = Records::open(&path).await.unwrap();
    let window = start(&records);
    // Without anybody asking: the call is missed, the hold is not: it was confirmed.
    let next = window.pass(t(70)).await.unwrap();
    assert_eq!(
        next,
        Some(t(100)),
        "whoever waits for the interval has until its begin"
    );
    let said = window
        .ask(
            request("8", person("a"), Command::Where { ticket: 1 }),
            t(71),
        )
        .await
        .unwrap();
    let Answer::Ticket { ticket, ahead } = said else {
        panic!()
    };
    assert_eq!(
        (ticket.number.as_str(), ticket.state, ahead),
        ("B001", TicketState::Waiting, Some(0))
    );
    window
        .ask(
            request("9", person("a"), Command::Cancel { id: a.id }),
            t(80),
        )
        .await
        .unwrap();
    let b = booked(
        window
            .ask(
                request("10", person("b"), Command::Confirm { id: b.id }),
                t(81),
            )
            .await,
    );
    assert_eq!((b.state, b.unit), (State::Confirmed, Some(0)));
    // A key of before the restart.
    let again = window
        .ask(request("6", person("a"), take), t(82))
        .await
        .unwrap();
    let Answer::Ticket { ticket, .. } = again else {
        panic!()
    };
    assert_eq!(ticket.state, TicketState::Waiting);
    assert_eq!(ticket.calls, 0, "what was answered then");
}

#[tokio::test]
async fn keys_are_forgotten_after_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let window = start(&records);
    window
        .ask(
            request(
                "k",
                operator(),
                Command::Declare(units("a", 1, Policy::default())),
            ),
            t(0),
        )
        .await
        .unwrap();
    let count = async || records.row_counts().await.unwrap()["booking_keys"];
    assert_eq!(count().await, 1);
    let later = t(8 * 86_400);
    window
        .ask(
            request(
                "m",
                operator(),
                Command::Declare(units("b", 1, Policy::default())),
            ),
            later,
        )
        .await
        .unwrap();
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn a_disk_that_refuses_is_read_again_before_anything_else() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    // One that fails after it wrote: nobody knows what came to be until it is read again.
    struct Torn {
        inner: Durable,
        fails: u32,
    }
    impl Store for Torn {
        async fn load(&mut self, now: model::Timestamp) -> records::Result<bookings::Kept> {
            self.inner.load(now).await
        }
        async fn known(&mut self, needs: &bookings::Needs) -> records::Result<bookings::Known> {
            self.inner.known(needs).await
        }
        async fn write(&mut self, changes: &[bookings::Change]) -> records::Result<()> {
            self.inner.write(changes).await?;
            match self.fails {
                0 => Ok(()),
                _ => {
                    self.fails -= 1;
                    Err(records::Failure::internal("the cable was pulled"))
                }
            }
        }
    }
    let torn = Torn {
        inner: Durable::new(records.clone()),
        fails: 1,
    };
    let (window, clerk) = Clerk::new(torn, Limits::default());
    tokio::spawn(clerk.run());
    let declare = request(
        "d",
        operator(),
        Command::Declare(slotted("museum", 1, Policy::default())),
    );
    assert_eq!(
        window.ask(declare.clone(), t(0)).await.unwrap_err().code(),
        "booking-store"
    );
    assert_eq!(window.ask(declare, t(0)).await.unwrap(), Answer::Declared);
    let ask = request("h", person("a"), hold("museum", slot(), "a", "", 1, false));
    assert_eq!(booked(window.ask(ask, t(1)).await).id, 1);
}
