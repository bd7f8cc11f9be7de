//! The rules of queues.

use crate::support::*;
use bookings::{Answer, Command, QueueRules, Refusal, Ticket, TicketState};

fn hall() -> QueueRules {
    QueueRules {
        id: "hall".into(),
        prefix: "A".into(),
        open: true,
        classes: vec!["elderly".into()],
        precedence_run_max: 2,
        come_within_s: 60,
        misses_max: 1,
        behind: 2,
        waiting_max: 8,
        zone: "Asia/Shanghai".into(),
    }
}

fn ticket(answer: Result<Answer, Refusal>) -> (Ticket, Option<usize>) {
    match answer.unwrap() {
        Answer::Ticket { ticket, ahead } => (ticket, ahead),
        other => panic!("{other:?}"),
    }
}

fn take(office: &mut Office, who: &str, class: &str, now: i64) -> (Ticket, Option<usize>) {
    let command = Command::Take {
        queue: "hall".into(),
        person: who.into(),
        class: class.into(),
    };
    ticket(office.ask(&person(who), command, t(now)))
}

fn call(office: &mut Office, now: i64) -> Ticket {
    let command = Command::Call {
        queue: "hall".into(),
        counter: "3".into(),
    };
    ticket(office.ask(&operator(), command, t(now))).0
}

fn office() -> Office {
    let mut office = Office::new();
    let said = office.ask(&operator(), Command::DeclareQueue(hall()), t(0));
    assert_eq!(said, Ok(Answer::Declared));
    office
}

#[test]
fn precedence_and_its_bound() {
    let mut office = office();
    for (who, class, number, ahead) in [
        ("a", "", "A001", 0),
        ("b", "", "A002", 1),
        ("e1", "elderly", "A003", 0),
        ("e2", "elderly", "A004", 1),
        ("e3", "elderly", "A005", 3),
    ] {
        let (one, before) = take(&mut office, who, class, 1);
        assert_eq!(
            (one.number.as_str(), before),
            (number, Some(ahead)),
            "{who}"
        );
    }
    let order: Vec<String> = (0..5).map(|n| call(&mut office, 10 + n).person).collect();
    assert_eq!(order, ["e1", "e2", "a", "e3", "b"]);
    let said = office.ask(
        &operator(),
        Command::Call {
            queue: "hall".into(),
            counter: "3".into(),
        },
        t(20),
    );
    assert_eq!(said, Ok(Answer::Nobody));
}

#[test]
fn who_misses_a_call_comes_behind_and_at_last_is_out() {
    let mut office = office();
    for who in ["a", "b", "c", "d"] {
        take(&mut office, who, "", 1);
    }
    let a = call(&mut office, 10);
    assert_eq!((a.person.as_str(), a.counter.as_deref()), ("a", Some("3")));
    assert_eq!(office.desk.next_due(), Some(t(70)));
    office.decide(&[], t(70));
    let back = ticket(office.ask(&person("a"), Command::Where { ticket: a.id }, t(71)));
    assert_eq!((back.0.state, back.1), (TicketState::Waiting, Some(2)));
    office.restart(t(72));
    let order: Vec<String> = (0..3).map(|n| call(&mut office, 80 + n).person).collect();
    assert_eq!(order, ["b", "c", "a"]);
    let said = office.ask(&operator(), Command::PassOver { ticket: a.id }, t(90));
    assert_eq!(ticket(said).0.state, TicketState::Missed);
    let said = office.ask(&operator(), Command::Come { ticket: a.id }, t(91));
    assert_eq!(code(said), "queue-state");
}

#[test]
fn a_ticket_is_served_or_left() {
    let mut office = office();
    let (a, _) = take(&mut office, "a", "", 1);
    let again = Command::Take {
        queue: "hall".into(),
        person: "a".into(),
        class: String::new(),
    };
    assert_eq!(
        code(office.ask(&person("a"), again.clone(), t(2))),
        "queue-twice"
    );
    call(&mut office, 3);
    for (command, state) in [
        (Command::Come { ticket: a.id }, TicketState::Serving),
        (Command::Finish { ticket: a.id }, TicketState::Done),
    ] {
        assert_eq!(
            code(office.ask(&person("a"), command.clone(), t(4))),
            "booking-unknown"
        );
        assert_eq!(
            ticket(office.ask(&operator(), command, t(4))).0.state,
            state
        );
    }
    let b = ticket(office.ask(&person("a"), again, t(5))).0;
    assert_eq!(b.number, "A002");
    let said = office.ask(&person("x"), Command::Leave { ticket: b.id }, t(6));
    assert_eq!(code(said), "booking-unknown");
    let said = office.ask(&person("a"), Command::Leave { ticket: b.id }, t(6));
    assert_eq!(ticket(said).0.state, TicketState::Left);
    // Known from the store when it is live no more.
    let said = office.ask(&person("a"), Command::Where { ticket: b.id }, t(7));
    assert_eq!(ticket(said), (office.disk.tickets[&b.id].clone(), None));
}

#[test]
fn numbers_begin_anew_at_local_midnight_and_yesterdays_end() {
    let mut office = office();
    // 08:00 UTC is 16:00 in Shanghai: midnight is eight hours on.
    let (a, _) = take(&mut office, "a", "", 1);
    assert_eq!(a.day, "2027-01-15");
    let (b, _) = take(&mut office, "b", "", 8 * 3_600 - 1);
    assert_eq!(b.number, "A002");
    let (c, ahead) = take(&mut office, "c", "", 8 * 3_600);
    assert_eq!(
        (c.number.as_str(), c.day.as_str(), ahead),
        ("A001", "2027-01-16", Some(0))
    );
    assert_eq!(office.disk.tickets[&a.id].state, TicketState::Expired);
    // After a restart with a clock that was set back the numbers go on.
    office.restart(t(100));
    let (d, _) = take(&mut office, "d", "", 101);
    assert_eq!((d.number.as_str(), d.day.as_str()), ("A002", "2027-01-16"));
}

#[test]
fn a_queue_is_bounded() {
    let mut office = office();
    for n in 0..8 {
        take(&mut office, &format!("p{n}"), "", 1);
    }
    let one_more = |class: &str| Command::Take {
        queue: "hall".into(),
        person: "x".into(),
        class: class.into(),
    };
    assert_eq!(
        code(office.ask(&person("x"), one_more(""), t(2))),
        "queue-full"
    );
    assert_eq!(
        code(office.ask(&person("x"), one_more("vip"), t(2))),
        "queue-class"
    );
    let mut closed = hall();
    closed.open = false;
    office
        .ask(&operator(), Command::DeclareQueue(closed.clone()), t(3))
        .unwrap();
    assert_eq!(
        code(office.ask(&person("x"), one_more(""), t(4))),
        "queue-closed"
    );
    closed.zone = "Nowhere".into();
    let said = office.ask(&operator(), Command::DeclareQueue(closed), t(5));
    assert_eq!(code(said), "booking-declaration");
}
