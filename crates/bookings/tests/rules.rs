//! The rules of reservations, one by one.

use crate::support::*;
use bookings::{Answer, Command, Offer, Policy, Quota, Request, State};

fn many() -> Policy {
    Policy {
        open_max: 100,
        places_max: 5,
        ..Policy::default()
    }
}

#[test]
fn a_hold_becomes_a_use() {
    let mut office = Office::new();
    office.declare(slotted("museum", 2, Policy::default()));
    let a = person("a");
    let one = booked(office.ask(&a, hold("museum", slot(), "a", "", 1, false), t(0)));
    assert_eq!((one.state, one.until), (State::Held, Some(t(600))));
    let id = one.id;
    assert_eq!(
        booked(office.ask(&a, Command::Confirm { id }, t(599))).state,
        State::Confirmed
    );
    assert_eq!(
        code(office.ask(&a, Command::Confirm { id }, t(600))),
        "booking-state"
    );
    assert_eq!(
        code(office.ask(&a, Command::Begin { id }, t(2_699))),
        "booking-too-early"
    );
    assert_eq!(
        booked(office.ask(&a, Command::Begin { id }, t(2_700))).state,
        State::InUse
    );
    assert_eq!(
        booked(office.ask(&a, Command::End { id }, t(3_900))).state,
        State::Done
    );
    // What was used of a slot stays taken until the slot is over.
    booked(office.ask(
        &person("b"),
        hold("museum", slot(), "b", "", 1, false),
        t(3_950),
    ));
    let said = office.ask(
        &person("c"),
        hold("museum", slot(), "c", "", 1, false),
        t(3_960),
    );
    assert_eq!(code(said), "booking-full");
    assert_eq!(
        code(office.ask(&a, Command::Cancel { id }, t(8_000))),
        "booking-state"
    );
}

#[test]
fn a_hold_ends_on_its_second_and_whoever_waits_moves_up() {
    let mut office = Office::new();
    office.declare(slotted("museum", 1, Policy::default()));
    let first = booked(office.ask(
        &person("a"),
        hold("museum", slot(), "a", "", 1, false),
        t(0),
    ));
    let said = office.ask(
        &person("b"),
        hold("museum", slot(), "b", "", 1, false),
        t(1),
    );
    assert_eq!(code(said), "booking-full");
    let b = booked(office.ask(&person("b"), hold("museum", slot(), "b", "", 1, true), t(1)));
    let c = booked(office.ask(&person("c"), hold("museum", slot(), "c", "", 1, true), t(2)));
    assert_eq!((b.state, c.state), (State::Waiting, State::Waiting));
    assert_eq!(office.desk.next_due(), Some(t(600)));
    office.decide(&[], t(600));
    let said = office.ask(&person("a"), Command::Confirm { id: first.id }, t(600));
    assert_eq!(code(said), "booking-state");
    assert_eq!(office.state(first.id), State::Expired);
    assert_eq!(
        (office.state(b.id), office.state(c.id)),
        (State::Held, State::Waiting)
    );
    assert_eq!(office.disk.reservations[&b.id].until, Some(t(1_500)));
    // Nobody gets past those who wait; a cancellation moves the next one up at once.
    office
        .ask(&person("b"), Command::Cancel { id: b.id }, t(700))
        .unwrap();
    assert_eq!(office.state(c.id), State::Held);
    // A clock that jumps back revives nothing.
    office.decide(&[], t(10));
    assert_eq!(office.state(first.id), State::Expired);
}

#[test]
fn the_first_who_waits_is_not_passed_by_fewer_places() {
    for (may_pass, later) in [(false, State::Waiting), (true, State::Held)] {
        let mut office = Office::new();
        let policy = Policy {
            smaller_may_pass: may_pass,
            ..many()
        };
        office.declare(slotted("museum", 3, policy));
        let a = booked(office.ask(&operator(), hold("museum", slot(), "a", "", 1, false), t(0)));
        booked(office.ask(&operator(), hold("museum", slot(), "b", "", 2, false), t(0)));
        let big = booked(office.ask(&operator(), hold("museum", slot(), "c", "", 3, true), t(0)));
        let small = booked(office.ask(&operator(), hold("museum", slot(), "d", "", 1, true), t(0)));
        office
            .ask(&operator(), Command::Cancel { id: a.id }, t(1))
            .unwrap();
        assert_eq!(office.state(big.id), State::Waiting);
        assert_eq!(office.state(small.id), later);
        let new = office.ask(&operator(), hold("museum", slot(), "e", "", 1, false), t(2));
        assert_eq!(code(new), "booking-full", "{may_pass}");
    }
}

#[test]
fn quotas_keep_places_for_classes_and_bound_them() {
    let mut office = Office::new();
    let mut resource = slotted("clinic", 10, many());
    let Offer::Slots(slots) = &mut resource.offer else {
        panic!()
    };
    slots[0].quotas = [
        (
            "resident".to_owned(),
            Quota {
                kept: 4,
                at_most: None,
            },
        ),
        (
            "visitor".to_owned(),
            Quota {
                kept: 0,
                at_most: Some(3),
            },
        ),
    ]
    .into();
    office.declare(resource.clone());
    let mut got = |class: &str, places: u32, n: u32| {
        let who = format!("{class}{n}");
        let said = office.ask(
            &operator(),
            hold("clinic", slot(), &who, class, places, false),
            t(0),
        );
        said.map(|_| ())
            .map_err(|refusal| refusal.code().to_owned())
    };
    assert_eq!(got("visitor", 4, 0), Err("booking-full".into()));
    assert_eq!(got("visitor", 3, 1), Ok(()));
    assert_eq!(got("visitor", 1, 2), Err("booking-full".into()));
    assert_eq!(got("", 4, 3), Err("booking-full".into()), "four are kept");
    assert_eq!(got("", 3, 4), Ok(()));
    assert_eq!(got("other", 1, 5), Err("booking-full".into()));
    assert_eq!(got("resident", 4, 6), Ok(()));
    assert_eq!(got("resident", 1, 7), Err("booking-full".into()));
    // The declaration cannot take away what is sold.
    for change in [
        |slot: &mut bookings::Slot| slot.capacity = 9,
        |slot: &mut bookings::Slot| slot.to = t(9_000),
        |slot: &mut bookings::Slot| slot.id = "other".into(),
        |slot: &mut bookings::Slot| {
            slot.quotas.insert(
                "visitor".into(),
                Quota {
                    kept: 0,
                    at_most: Some(2),
                },
            );
        },
    ] {
        let mut less = resource.clone();
        let Offer::Slots(slots) = &mut less.offer else {
            panic!()
        };
        change(&mut slots[0]);
        assert_eq!(
            code(office.ask(&operator(), Command::Declare(less), t(1))),
            "booking-sold"
        );
    }
}

#[test]
fn a_class_that_is_full_stops_only_its_own() {
    let mut office = Office::new();
    let mut resource = slotted("clinic", 3, many());
    let Offer::Slots(slots) = &mut resource.offer else {
        panic!()
    };
    slots[0].quotas = [(
        "visitor".to_owned(),
        Quota {
            kept: 0,
            at_most: Some(1),
        },
    )]
    .into();
    office.declare(resource);
    booked(office.ask(
        &operator(),
        hold("clinic", slot(), "v1", "visitor", 1, false),
        t(0),
    ));
    let r1 = booked(office.ask(
        &operator(),
        hold("clinic", slot(), "r1", "", 2, false),
        t(0),
    ));
    let v2 = booked(office.ask(
        &operator(),
        hold("clinic", slot(), "v2", "visitor", 1, true),
        t(0),
    ));
    let r2 = booked(office.ask(&operator(), hold("clinic", slot(), "r2", "", 1, true), t(0)));
    office
        .ask(&operator(), Command::Cancel { id: r1.id }, t(1))
        .unwrap();
    assert_eq!(
        (office.state(v2.id), office.state(r2.id)),
        (State::Waiting, State::Held)
    );
}

#[test]
fn a_person_has_limits() {
    let mut office = Office::new();
    office.declare(units(
        "station",
        9,
        Policy {
            open_max: 2,
            no_shows_max: 2,
            ..Policy::default()
        },
    ));
    office.declare(units(
        "other",
        9,
        Policy {
            open_max: 2,
            no_shows_max: 2,
            ..Policy::default()
        },
    ));
    let a = person("a");
    let mut confirmed = Vec::new();
    for from in [100, 4_000] {
        let one = booked(office.ask(
            &a,
            hold("station", interval(from, from + 600), "a", "", 1, false),
            t(0),
        ));
        office
            .ask(&a, Command::Confirm { id: one.id }, t(0))
            .unwrap();
        confirmed.push(one.id);
    }
    // In the group, not only in the resource.
    let third = hold("other", interval(9_000, 9_900), "a", "", 1, false);
    assert_eq!(
        code(office.ask(&a, third.clone(), t(1))),
        "booking-person-limit"
    );
    office
        .ask(&a, Command::Cancel { id: confirmed[1] }, t(2))
        .unwrap();
    let overlaps = hold("other", interval(500, 900), "a", "", 1, false);
    assert_eq!(code(office.ask(&a, overlaps, t(3))), "booking-overlap");
    let foreign = hold("other", interval(500, 900), "b", "", 1, false);
    assert_eq!(code(office.ask(&a, foreign, t(3))), "booking-other-person");
    let said = office.ask(&person("b"), Command::Cancel { id: confirmed[0] }, t(3));
    assert_eq!(
        code(said),
        "booking-unknown",
        "another's booking is not there"
    );
    // Did not come, and once more, after which nothing new for thirty days.
    office.decide(&[], t(1_000));
    assert_eq!(office.state(confirmed[0]), State::NoShow);
    let again = booked(office.ask(
        &a,
        hold("other", interval(2_000, 2_600), "a", "", 1, false),
        t(1_001),
    ));
    office
        .ask(&a, Command::Confirm { id: again.id }, t(1_002))
        .unwrap();
    office.decide(&[], t(2_600));
    assert_eq!(office.state(again.id), State::NoShow);
    assert_eq!(
        code(office.ask(&a, third.clone(), t(2_601))),
        "booking-no-shows"
    );
    office.restart(t(2_602));
    assert_eq!(
        code(office.ask(&a, third, t(2_603))),
        "booking-no-shows",
        "a restart forgets nothing"
    );
    let later = 30 * 86_400 + 2_700;
    let said = office.ask(
        &a,
        hold("other", interval(later + 9, later + 99), "a", "", 1, false),
        t(later),
    );
    booked(said);
}

#[test]
fn a_person_cancels_in_time_and_an_operator_always() {
    let mut office = Office::new();
    office.declare(slotted(
        "museum",
        1,
        Policy {
            cancel_before_s: 600,
            ..Policy::default()
        },
    ));
    let a = person("a");
    let id = booked(office.ask(&a, hold("museum", slot(), "a", "", 1, false), t(0))).id;
    office.ask(&a, Command::Confirm { id }, t(1)).unwrap();
    assert_eq!(
        code(office.ask(&a, Command::Cancel { id }, t(3_001))),
        "booking-too-late"
    );
    office
        .ask(&operator(), Command::Cancel { id }, t(3_002))
        .unwrap();
    assert_eq!(office.state(id), State::Cancelled);
}

#[test]
fn a_unit_is_for_one_at_a_time() {
    let mut office = Office::new();
    office.declare(units("station", 2, many()));
    let mut ask = |from: i64, to: i64, who: &str| {
        let said = office.ask(
            &operator(),
            hold("station", interval(from, to), who, "", 1, false),
            t(0),
        );
        said.map(|answer| match answer {
            Answer::Reservation(one) => one.unit.unwrap(),
            other => panic!("{other:?}"),
        })
        .map_err(|refusal| refusal.code().to_owned())
    };
    assert_eq!(ask(1_000, 2_000, "a"), Ok(0));
    assert_eq!(
        ask(2_000, 3_000, "b"),
        Ok(0),
        "ends are excluded; the least gap is taken"
    );
    assert_eq!(ask(1_500, 2_500, "c"), Ok(1));
    assert_eq!(ask(1_990, 2_060, "d"), Err("booking-full".into()));
    assert_eq!(ask(3_000, 3_059, "e"), Err("booking-length".into()));
    assert_eq!(ask(-100, 500, "e"), Err("booking-past".into()));
    assert_eq!(
        ask(31 * 86_400, 31 * 86_400 + 60, "e"),
        Err("booking-ahead".into())
    );
    assert_eq!(
        code(office.ask(
            &operator(),
            hold("station", slot(), "e", "", 1, false),
            t(0)
        )),
        "booking-when"
    );
    assert_eq!(
        code(office.ask(
            &operator(),
            Command::Declare(units("station", 1, many())),
            t(0)
        )),
        "booking-sold"
    );
}

#[test]
fn who_stays_too_long_keeps_the_unit_and_the_next_gets_another() {
    let mut office = Office::new();
    office.declare(units("station", 2, many()));
    let book = |office: &mut Office, from: i64, to: i64, who: &str| {
        let one = booked(office.ask(
            &operator(),
            hold("station", interval(from, to), who, "", 1, false),
            t(0),
        ));
        office
            .ask(&operator(), Command::Confirm { id: one.id }, t(0))
            .unwrap();
        one
    };
    let a = book(&mut office, 1_000, 2_000, "a");
    let b = book(&mut office, 2_000, 3_000, "b");
    let c = book(&mut office, 2_000, 3_000, "c");
    assert_eq!((a.unit, b.unit, c.unit), (Some(0), Some(0), Some(1)));
    office
        .ask(&operator(), Command::Begin { id: a.id }, t(1_000))
        .unwrap();
    // a is still there: b has nowhere to go while c's unit is kept for c.
    let said = office.ask(&operator(), Command::Begin { id: b.id }, t(2_100));
    assert_eq!(code(said), "booking-unit-in-use");
    let said = office.ask(
        &operator(),
        hold("station", interval(2_150, 2_250), "d", "", 1, false),
        t(2_150),
    );
    assert_eq!(code(said), "booking-full");
    office
        .ask(&operator(), Command::Cancel { id: c.id }, t(2_200))
        .unwrap();
    let moved = booked(office.ask(&operator(), Command::Begin { id: b.id }, t(2_201)));
    assert_eq!(moved.unit, Some(1));
    office.restart(t(2_300));
    // a gives the unit back: it is free at once, also to whoever waits.
    let e = booked(office.ask(
        &operator(),
        hold("station", interval(2_300, 2_900), "e", "", 1, true),
        t(2_300),
    ));
    assert_eq!(e.state, State::Waiting);
    // The interval has begun meanwhile: whoever waited for its begin has it no more.
    office.decide(&[], t(2_301));
    assert_eq!(office.state(e.id), State::Expired);
    office
        .ask(&operator(), Command::End { id: a.id }, t(2_302))
        .unwrap();
    let f = booked(office.ask(
        &operator(),
        hold("station", interval(2_302, 2_900), "f", "", 1, false),
        t(2_302),
    ));
    assert_eq!(f.unit, Some(0));
}

#[test]
fn a_use_that_begins_early_needs_the_unit_free() {
    let mut office = Office::new();
    office.declare(units("station", 1, many()));
    let a = booked(office.ask(
        &operator(),
        hold("station", interval(100, 2_000), "a", "", 1, false),
        t(0),
    ));
    let b = booked(office.ask(
        &operator(),
        hold("station", interval(2_000, 3_000), "b", "", 1, false),
        t(0),
    ));
    for one in [&a, &b] {
        office
            .ask(&operator(), Command::Confirm { id: one.id }, t(1))
            .unwrap();
    }
    office
        .ask(&operator(), Command::Begin { id: a.id }, t(100))
        .unwrap();
    let said = office.ask(&operator(), Command::Begin { id: b.id }, t(1_500));
    assert_eq!(code(said), "booking-unit-in-use");
    office
        .ask(&operator(), Command::End { id: a.id }, t(1_600))
        .unwrap();
    let b = booked(office.ask(&operator(), Command::Begin { id: b.id }, t(1_600)));
    assert_eq!((b.from, b.state), (t(1_600), State::InUse));
}

#[test]
fn a_key_is_answered_once() {
    let mut office = Office::new();
    office.declare(slotted("museum", 2, many()));
    let request = |key: &str, who: &str| Request {
        key: Some(key.to_owned()),
        by: person(who),
        command: hold("museum", slot(), who, "", 1, false),
    };
    // Twice in one batch, then in another, then after a restart.
    let twice = office.decide(&[request("k", "a"), request("k", "a")], t(0));
    assert_eq!(twice.outcomes[0], twice.outcomes[1]);
    let again = office.decide(&[request("k", "a")], t(5));
    assert_eq!(again.outcomes[0], twice.outcomes[0]);
    office.restart(t(9));
    let again = office.decide(&[request("k", "a")], t(10));
    assert_eq!(again.outcomes[0], twice.outcomes[0]);
    assert_eq!(office.disk.reservations.len(), 1);
    // Another's key of the same name is another key; the same key for something else is refused.
    booked(
        office
            .decide(&[request("k", "b")], t(11))
            .outcomes
            .remove(0),
    );
    let mut other = request("k", "a");
    other.command = Command::Cancel { id: 1 };
    assert_eq!(
        code(office.decide(&[other], t(12)).outcomes.remove(0)),
        "booking-key-reused"
    );
    // What was refused is looked at again.
    assert_eq!(
        code(
            office
                .decide(&[request("k", "c")], t(13))
                .outcomes
                .remove(0)
        ),
        "booking-full"
    );
    office
        .ask(&person("b"), Command::Cancel { id: 2 }, t(14))
        .unwrap();
    booked(
        office
            .decide(&[request("k", "c")], t(15))
            .outcomes
            .remove(0),
    );
}

#[test]
fn declarations_are_checked() {
    let mut office = Office::new();
    let mut bad = slotted("x", 1, Policy::default());
    bad.id = "a\n".into();
    assert_eq!(
        code(office.ask(&operator(), Command::Declare(bad), t(0))),
        "booking-id"
    );
    for bad in [
        units("x", 0, Policy::default()),
        units(
            "x",
            1,
            Policy {
                hold_s: 0,
                ..Policy::default()
            },
        ),
        units(
            "x",
            1,
            Policy {
                places_max: 0,
                ..Policy::default()
            },
        ),
    ] {
        assert_eq!(
            code(office.ask(&operator(), Command::Declare(bad), t(0))),
            "booking-declaration"
        );
    }
    let mut kept = slotted("x", 3, Policy::default());
    let Offer::Slots(slots) = &mut kept.offer else {
        panic!()
    };
    slots[0].quotas = [(
        "r".to_owned(),
        Quota {
            kept: 4,
            at_most: None,
        },
    )]
    .into();
    assert_eq!(
        code(office.ask(&operator(), Command::Declare(kept), t(0))),
        "booking-declaration"
    );
    let said = office.ask(
        &person("a"),
        Command::Declare(units("x", 1, Policy::default())),
        t(0),
    );
    assert_eq!(code(said), "booking-unknown");
    // More places move up whoever waits.
    office.declare(slotted("museum", 1, many()));
    booked(office.ask(&operator(), hold("museum", slot(), "a", "", 1, false), t(0)));
    let b = booked(office.ask(&operator(), hold("museum", slot(), "b", "", 1, true), t(0)));
    office.declare(slotted("museum", 2, many()));
    assert_eq!(office.state(b.id), State::Held);
}
