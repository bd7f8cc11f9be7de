//! Random requests of many people in random batches, over a disk behind which the process dies at random: before the batch is written, or
//! after it and before anybody is told. Whoever is not told sends the same request again. Everything is counted from the disk, by other
//! code than the desk's.

use crate::support::*;
use bookings::{
    Answer, Command, Desk, Limits, Offer, Policy, Quota, Request, Reservation, Slot, State, When,
};
use std::collections::{BTreeMap, HashMap};

const SEEDS: u64 = 300;
const STEPS: u64 = 60;
const OPEN_MAX: u32 = 4;

fn policy() -> Policy {
    Policy {
        hold_s: 120,
        offer_s: 60,
        places_max: 3,
        open_max: OPEN_MAX,
        no_shows_max: 0,
        waiting_max: 5,
        ..Policy::default()
    }
}

fn request(random: &mut Random, key: u64, now: i64) -> Request {
    let who = format!("p{}", random.below(12));
    let by = if random.below(4) == 0 {
        operator()
    } else {
        person(&who)
    };
    let id = i64::try_from(random.below(40)).unwrap() + 1;
    let class = ["", "resident", "visitor"][usize::try_from(random.below(3)).unwrap()];
    let places = u32::try_from(random.below(4)).unwrap();
    let wait = random.below(2) == 0;
    let command = match random.below(10) {
        0..=2 => {
            let when = When::Slot(format!("s{}", random.below(3)));
            hold("museum", when, &who, class, places, wait)
        }
        3..=5 => {
            let from = now + i64::try_from(random.below(1_200)).unwrap() - 30;
            let length = 60 + i64::try_from(random.below(600)).unwrap();
            hold("station", interval(from, from + length), &who, "", 1, wait)
        }
        6 => Command::Confirm { id },
        7 => Command::Cancel { id },
        8 => Command::Begin { id },
        _ => Command::End { id },
    };
    Request {
        key: Some(format!("k{key}")),
        by,
        command,
    }
}

/// Nothing on the disk is sold twice at `now`.
fn oversold(disk: &Disk, now: i64) -> Result<(), String> {
    let takes = |one: &&Reservation| {
        matches!(one.state, State::Held | State::Confirmed | State::InUse)
            || (one.state == State::Done && one.slot.is_some())
    };
    let taken: Vec<&Reservation> = disk.reservations.values().filter(takes).collect();
    for resource in disk.resources.values() {
        let its = || taken.iter().filter(|one| one.resource == resource.id);
        match &resource.offer {
            Offer::Slots(slots) => {
                for slot in slots {
                    let of = |class: Option<&str>| -> u32 {
                        its()
                            .filter(|one| one.slot.as_deref() == Some(&slot.id))
                            .filter(|one| class.is_none_or(|class| one.class == class))
                            .map(|one| one.places)
                            .sum()
                    };
                    if of(None) > slot.capacity {
                        return Err(format!("{} of {} sold", of(None), slot.capacity));
                    }
                    // What is kept for a class, others never had: with it they fill the slot at most.
                    for (class, quota) in &slot.quotas {
                        if of(None) - of(Some(class)) + quota.kept > slot.capacity
                            || quota.at_most.is_some_and(|most| of(Some(class)) > most)
                        {
                            return Err(format!("the quota of {class} is broken"));
                        }
                    }
                }
            }
            Offer::Units { count, .. } => {
                for unit in 0..*count {
                    let mut its: Vec<_> = its().filter(|one| one.unit == Some(unit)).collect();
                    its.sort_by_key(|one| one.from);
                    if let Some(two) = its.windows(2).find(|two| two[0].to > two[1].from) {
                        return Err(format!("{} and {} on one unit", two[0].id, two[1].id));
                    }
                    if its.iter().filter(|one| one.state == State::InUse).count() > 1 {
                        return Err("two use one unit".into());
                    }
                }
                if its().any(|one| one.unit.is_none_or(|unit| unit >= *count)) {
                    return Err("a unit that is not there".into());
                }
            }
        }
    }
    let mut open: BTreeMap<&str, u32> = BTreeMap::new();
    for one in disk.reservations.values().filter(|one| one.state.is_open()) {
        *open.entry(&one.person).or_default() += 1;
    }
    if let Some((who, count)) = open.into_iter().find(|(_, count)| *count > OPEN_MAX) {
        return Err(format!("{who} has {count} at {now}"));
    }
    Ok(())
}

fn setup() -> Disk {
    let mut office = Office::new();
    let slot = |n: i64| Slot {
        id: format!("s{n}"),
        from: t(600 + n * 600),
        to: t(1_200 + n * 600),
        capacity: 6,
        quotas: [
            (
                "resident".to_owned(),
                Quota {
                    kept: 2,
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
        .into(),
    };
    let mut museum = slotted("museum", 1, policy());
    museum.offer = Offer::Slots((0..3).map(slot).collect());
    office.declare(museum);
    office.declare(units("station", 3, policy()));
    office.disk
}

fn run(seed: u64) -> Result<(usize, usize), String> {
    let mut random = Random(seed);
    let mut disk = setup();
    let mut now = 0;
    // The clock of the living desk: it never goes back while it lives.
    let mut seen = 0;
    let mut desk = Desk::open(disk.load(t(0)), Limits::default(), t(0)).unwrap();
    let mut told: HashMap<String, Answer> = HashMap::new();
    let mut waiting: Vec<Request> = Vec::new();
    let (mut keys, mut crashes) = (0, 0);
    for step in 0..STEPS {
        // Now and then the clock stands still or goes back.
        now += i64::try_from(random.below(60)).unwrap() - 8;
        seen = now.max(seen);
        for _ in 0..random.below(8) {
            keys += 1;
            waiting.push(request(&mut random, keys, now));
        }
        // Somebody sends again what was answered already.
        let mut batch = std::mem::take(&mut waiting);
        if !batch.is_empty() && random.below(3) == 0 {
            let n = usize::try_from(random.below(batch.len() as u64)).unwrap();
            batch.push(batch[n].clone());
        }
        let known = disk.known(&desk.needs(&batch));
        let decided = desk.decide(&batch, &known, t(now));
        let fault = random.below(8);
        let is_written = fault != 0;
        let is_told = fault > 1;
        if is_written {
            disk.write(&decided.changes);
        }
        let at = |what: String| format!("step {step}: {what}");
        oversold(&disk, now).map_err(at)?;
        if is_told {
            desk.book().check().map_err(at)?;
            for (request, outcome) in batch.iter().zip(&decided.outcomes) {
                let Ok(answer) = outcome else { continue };
                let key = format!("{:?}{:?}", request.by, request.key);
                if let Some(before) = told.insert(key, answer.clone())
                    && before != *answer
                {
                    return Err(at("one key was answered in two ways".into()));
                }
                let Answer::Reservation(one) = answer else {
                    continue;
                };
                if !disk.reservations.contains_key(&one.id) {
                    return Err(at(format!("{} was told and is lost", one.id)));
                }
            }
        } else {
            crashes += 1;
            seen = now;
            desk = Desk::open(disk.load(t(now)), Limits::default(), t(now))
                .map_err(|e| at(e.to_string()))?;
            waiting = batch;
        }
        // A desk opened from the disk shows the same as the living one.
        let look = |desk: &mut Desk| {
            let requests = ["museum", "station"].map(|resource| Request {
                key: None,
                by: operator(),
                command: Command::Look {
                    resource: resource.into(),
                    class: "resident".into(),
                },
            });
            desk.decide(&requests, &Default::default(), t(seen))
                .outcomes
        };
        let mut opened = Desk::open(disk.load(t(seen)), Limits::default(), t(seen))
            .map_err(|e| at(e.to_string()))?;
        let mut living = desk.clone();
        if look(&mut living) != look(&mut opened) {
            return Err(at("the desk opened anew shows something else".into()));
        }
    }
    // Every key stands for one booking at most, and each booking for one key.
    let mut made: BTreeMap<i64, usize> = BTreeMap::new();
    for answer in disk
        .keys
        .values()
        .filter_map(|(_, answer)| serde_json::from_str(answer).ok())
    {
        if let Answer::Reservation(one) = answer
            && one.made_at == one.changed_at
            && matches!(one.state, State::Held | State::Waiting)
        {
            *made.entry(one.id).or_default() += 1;
        }
    }
    if made.len() != disk.reservations.len() {
        return Err(format!(
            "{} bookings from {} keys",
            disk.reservations.len(),
            made.len()
        ));
    }
    Ok((disk.reservations.len(), crashes))
}

#[test]
fn nothing_is_sold_twice_or_lost_whenever_the_process_dies() {
    let (mut bookings, mut crashes) = (0, 0);
    for seed in 0..SEEDS {
        match run(seed) {
            Ok((some, times)) => {
                bookings += some;
                crashes += times;
            }
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    assert!(
        bookings > 5_000 && crashes > 1_000,
        "{bookings} bookings, {crashes} crashes: too tame to prove anything"
    );
}
