//! What is asked of reservations. Everything is checked before anything is changed: a refusal leaves the book as it was.

use crate::book::{Book, Shelf, Taken};
use crate::refusal::Refusal;
use crate::request::{Answer, By, When};
use crate::reservation::{Reservation, State};
use crate::resource::{Offer, Resource, check_id};
use crate::store::{Change, Known};
use model::Timestamp;

/// What is asked for, with the names looked at.
pub(crate) struct Wish<'a> {
    pub(crate) resource: &'a str,
    pub(crate) when: &'a When,
    pub(crate) person: &'a str,
    pub(crate) class: &'a str,
    pub(crate) places: u32,
    pub(crate) wait: bool,
}

impl Book {
    pub(crate) fn hold(&mut self, by: &By, wish: &Wish<'_>) -> Result<Answer, Refusal> {
        let now = self.clock;
        check_id(wish.person, "person", &self.limits)?;
        if !wish.class.is_empty() {
            check_id(wish.class, "class", &self.limits)?;
        }
        only_oneself(by, wish.person)?;
        let shelf = self
            .shelves
            .get(wish.resource)
            .ok_or_else(|| Refusal::unknown(("预约对象", "resource"), wish.resource))?;
        if !shelf.resource.open {
            return Err(Refusal::conflict(
                "booking-closed",
                ("暂不接受预约", "nothing can be booked here now"),
                "resource",
                (
                    "改选其他地点,或稍后再试",
                    "choose another, or come back later",
                ),
            ));
        }
        let policy = &shelf.resource.policy;
        if wish.places == 0 || wish.places > policy.places_max {
            let most = policy.places_max;
            return Err(Refusal::invalid(
                "booking-places",
                (
                    &format!("一次预约 1–{most} 个"),
                    &format!("one booking is for 1–{most} places"),
                ),
                "places",
                ("修改数量", "change the number"),
            ));
        }
        let (slot, from, to) = self.times(shelf, wish)?;
        self.may(shelf, wish, from, to)?;
        let fits = match slot.as_ref().map(|slot| shelf.slots.get(slot)) {
            Some(Some(taken)) => self
                .fits(taken, wish, policy.smaller_may_pass)
                .then_some(None),
            Some(None) => None,
            None => shelf.free_unit(from, to, 0, now).map(Some),
        };
        let waiting = match slot.as_ref().and_then(|slot| shelf.slots.get(slot)) {
            Some(taken) => taken.waiting.len(),
            None => shelf.waiting.len(),
        };
        let has_room_to_wait =
            usize::try_from(policy.waiting_max).is_ok_and(|most| waiting < most) && to > now;
        let hold_until = now.plus_seconds(policy.hold_s).min(to);
        let (state, unit, until, step) = match fits {
            Some(unit) => (State::Held, unit, Some(hold_until), "hold"),
            None if wish.wait && has_room_to_wait => (State::Waiting, None, None, "wait"),
            None => return Err(full(wish.wait)),
        };
        self.last_reservation += 1;
        let reservation = Reservation {
            id: self.last_reservation,
            resource: wish.resource.to_owned(),
            slot,
            unit,
            person: wish.person.to_owned(),
            class: wish.class.to_owned(),
            places: wish.places,
            from,
            to,
            state,
            until,
            made_at: now,
            changed_at: now,
        };
        self.put(reservation.clone(), step, &by.name());
        Ok(Answer::Reservation(reservation))
    }

    /// The slot, begin and end of what is asked for.
    fn times(
        &self,
        shelf: &Shelf,
        wish: &Wish<'_>,
    ) -> Result<(Option<String>, Timestamp, Timestamp), Refusal> {
        let now = self.clock;
        let ahead = now.plus_seconds(shelf.resource.policy.ahead_s);
        let (slot, from, to) = match (wish.when, &shelf.resource.offer) {
            (When::Slot(id), Offer::Slots(_)) => {
                let taken = shelf
                    .slots
                    .get(id)
                    .ok_or_else(|| Refusal::unknown(("时段", "slot"), id))?;
                (Some(id.clone()), taken.slot.from, taken.slot.to)
            }
            (
                When::Interval { from, to },
                Offer::Units {
                    shortest_s,
                    longest_s,
                    ..
                },
            ) => {
                let length = to.micros_since(*from);
                let allowed =
                    shortest_s.saturating_mul(1_000_000)..=longest_s.saturating_mul(1_000_000);
                if !allowed.contains(&length) {
                    return Err(Refusal::invalid(
                        "booking-length",
                        (
                            &format!("时长须为 {shortest_s}–{longest_s} 秒"),
                            &format!("an interval lasts {shortest_s}–{longest_s} s"),
                        ),
                        "when",
                        ("修改起止时间", "change its begin or end"),
                    ));
                }
                if *from < now.plus_seconds(-self.limits.begun_ago_s) {
                    return Err(past());
                }
                (None, *from, *to)
            }
            _ => {
                return Err(Refusal::invalid(
                    "booking-when",
                    (
                        "该对象按另一种方式预约(时段或起止时间)",
                        "this is booked the other way: by slot, or by begin and end",
                    ),
                    "when",
                    ("查看该对象的预约方式", "look at what the resource offers"),
                ));
            }
        };
        if to <= now {
            return Err(past());
        }
        if from > ahead {
            return Err(Refusal::invalid(
                "booking-ahead",
                (
                    &format!("最早可预约到 {ahead}"),
                    &format!("it can be booked up to {ahead}"),
                ),
                "when",
                ("选择更近的时间", "choose an earlier time"),
            ));
        }
        Ok((slot, from, to))
    }

    /// Whether the person may book one more.
    fn may(
        &self,
        shelf: &Shelf,
        wish: &Wish<'_>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(), Refusal> {
        let policy = &shelf.resource.policy;
        let key = (shelf.resource.group.clone(), wish.person.to_owned());
        let Some(person) = self.people.get(&key) else {
            return Ok(());
        };
        if usize::try_from(policy.open_max).is_ok_and(|most| person.open.len() >= most) {
            let most = policy.open_max;
            return Err(Refusal::conflict(
                "booking-person-limit",
                (
                    &format!("每人最多有 {most} 个未结束的预约"),
                    &format!("one person has at most {most} bookings that have not ended"),
                ),
                "person",
                ("先使用或取消一个", "use or cancel one first"),
            ));
        }
        let since = self
            .clock
            .plus_seconds(-i64::from(policy.no_show_days) * 86_400);
        let missed = person.no_shows.iter().filter(|at| **at > since).count();
        if policy.no_shows_max > 0
            && usize::try_from(policy.no_shows_max).is_ok_and(|most| missed >= most)
        {
            let days = policy.no_show_days;
            return Err(Refusal::conflict(
                "booking-no-shows",
                (
                    &format!("{days} 天内爽约 {missed} 次,暂停预约"),
                    &format!("did not come {missed} times in {days} days: nothing new for now"),
                ),
                "person",
                (
                    "期满后再预约,或联系工作人员",
                    "come back when the days are over, or ask the staff",
                ),
            ));
        }
        let meets = person
            .open
            .iter()
            .filter_map(|id| self.live.get(id))
            .find(|one| one.from < to && from < one.to);
        if let Some(other) = meets {
            return Err(Refusal::conflict(
                "booking-overlap",
                (
                    &format!("与本人的预约 {} 时间重叠", other.id),
                    &format!("it overlaps with the same person's booking {}", other.id),
                ),
                "when",
                (
                    "改选时间,或先取消那一个",
                    "choose another time, or cancel that one first",
                ),
            ));
        }
        Ok(())
    }

    /// Whether there is room in a slot, and nobody who waits is passed by.
    fn fits(&self, taken: &Taken, wish: &Wish<'_>, may_pass: bool) -> bool {
        if taken.room(wish.class) < u64::from(wish.places) {
            return false;
        }
        may_pass
            || !taken
                .waiting
                .iter()
                .filter_map(|id| self.live.get(id))
                .any(|one| one.class == wish.class || taken.unsold() < u64::from(one.places))
    }

    /// The reservation, when it is there for whoever asks; one that ended in this batch from what is to be written, one that ended
    /// before from what the store knew.
    fn find(&self, by: &By, id: i64, known: &Known) -> Result<Reservation, Refusal> {
        let live = self.live.get(&id);
        let ended = || self.staged.reservations.get(&id);
        let found = live.or_else(ended).or_else(|| known.reservations.get(&id));
        let mine = found.filter(|one| !matches!(by, By::Person(person) if *person != one.person));
        mine.cloned()
            .ok_or_else(|| Refusal::unknown(("预约", "booking"), &id.to_string()))
    }

    pub(crate) fn confirm(&mut self, by: &By, id: i64, known: &Known) -> Result<Answer, Refusal> {
        let mut one = self.find(by, id, known)?;
        if one.state != State::Held {
            return Err(not_now(&one, "确认", "confirmed"));
        }
        one.state = State::Confirmed;
        one.until = None;
        self.done(one, "confirm", by)
    }

    pub(crate) fn cancel(&mut self, by: &By, id: i64, known: &Known) -> Result<Answer, Refusal> {
        let mut one = self.find(by, id, known)?;
        if !matches!(one.state, State::Waiting | State::Held | State::Confirmed) {
            return Err(not_now(&one, "取消", "cancelled"));
        }
        let before = self
            .shelves
            .get(&one.resource)
            .map_or(0, |shelf| shelf.resource.policy.cancel_before_s);
        let last = one.from.plus_seconds(-before);
        if matches!(by, By::Person(_)) && one.state == State::Confirmed && self.clock > last {
            return Err(Refusal::conflict(
                "booking-too-late",
                (
                    &format!("只能在 {last} 前取消"),
                    &format!("it could be cancelled until {last}"),
                ),
                "id",
                ("联系工作人员", "ask the staff"),
            ));
        }
        one.state = State::Cancelled;
        one.until = None;
        self.done(one, "cancel", by)
    }

    pub(crate) fn begin(&mut self, by: &By, id: i64, known: &Known) -> Result<Answer, Refusal> {
        let mut one = self.find(by, id, known)?;
        let now = self.clock;
        if one.state != State::Confirmed {
            return Err(not_now(&one, "开始使用", "begun"));
        }
        let shelf = self
            .shelves
            .get(&one.resource)
            .ok_or_else(|| Refusal::unknown(("预约对象", "resource"), &one.resource))?;
        let earliest = one.from.plus_seconds(-shelf.resource.policy.early_s);
        if now < earliest {
            return Err(Refusal::conflict(
                "booking-too-early",
                (
                    &format!("{earliest} 起可以开始"),
                    &format!("it can begin from {earliest}"),
                ),
                "id",
                ("到时再来", "come back then"),
            ));
        }
        if one.slot.is_none() {
            let from = one.from.min(now);
            let is_good = |n: u32| {
                usize::try_from(n)
                    .ok()
                    .and_then(|n| shelf.units.get(n))
                    .is_some_and(|unit| {
                        unit.in_use.is_none() && unit.is_free(from, one.to, id, now)
                    })
            };
            // Whoever had the unit before is still there: any other that is free for the whole time will do.
            let own = one.unit.filter(|n| is_good(*n));
            let any =
                || (0..u32::try_from(shelf.units.len()).unwrap_or(u32::MAX)).find(|n| is_good(*n));
            let Some(unit) = own.or_else(any) else {
                return Err(Refusal::conflict(
                    "booking-unit-in-use",
                    (
                        "上一位尚未离开,没有其他空位",
                        "whoever was before is still there, and no other unit is free",
                    ),
                    "unit",
                    (
                        "等待其离开,或联系工作人员",
                        "wait until they leave, or ask the staff",
                    ),
                ));
            };
            one.unit = Some(unit);
            one.from = from;
        }
        one.state = State::InUse;
        self.done(one, "begin", by)
    }

    pub(crate) fn end(&mut self, by: &By, id: i64, known: &Known) -> Result<Answer, Refusal> {
        let mut one = self.find(by, id, known)?;
        if one.state != State::InUse {
            return Err(not_now(&one, "结束使用", "ended"));
        }
        if one.slot.is_none() {
            one.to = self.clock.max(one.from);
        }
        one.state = State::Done;
        self.done(one, "end", by)
    }

    fn done(
        &mut self,
        mut one: Reservation,
        step: &'static str,
        by: &By,
    ) -> Result<Answer, Refusal> {
        one.changed_at = self.clock;
        self.put(one.clone(), step, &by.name());
        self.move_up();
        Ok(Answer::Reservation(one))
    }

    pub(crate) fn look(&self, resource: &str, class: &str) -> Result<Answer, Refusal> {
        let shelf = self
            .shelves
            .get(resource)
            .ok_or_else(|| Refusal::unknown(("预约对象", "resource"), resource))?;
        Ok(Answer::Room(self.room(shelf, class)))
    }

    pub(crate) fn declare(&mut self, by: &By, resource: &Resource) -> Result<Answer, Refusal> {
        operators_only(by)?;
        resource.check(&self.limits)?;
        match self.shelves.get(&resource.id) {
            Some(shelf) => may_change(shelf, resource)?,
            None if self.shelves.len() >= self.limits.declared_max => {
                return Err(too_many_declared(self.limits.declared_max));
            }
            None => {}
        }
        let id = resource.id.clone();
        self.staged
            .declared
            .push(Change::Resource(resource.clone(), by.name(), self.clock));
        let slots: Vec<Option<String>> = match self.shelves.get_mut(&id) {
            Some(shelf) => {
                shelf.resource = resource.clone();
                shelf.fit();
                for taken in shelf.slots.values_mut() {
                    // Counted anew below; which classes have a quota may have changed.
                    taken.by_class.clear();
                }
                self.recount(&id);
                let shelf = self.shelves.get(&id);
                let slots = shelf.map(|shelf| shelf.slots.keys().cloned().map(Some).collect());
                slots.unwrap_or_default()
            }
            None => {
                self.shelves
                    .insert(id.clone(), Shelf::new(resource.clone()));
                Vec::new()
            }
        };
        // There may be more room now.
        self.freed.extend(
            slots
                .into_iter()
                .chain([None])
                .map(|slot| (id.clone(), slot)),
        );
        self.move_up();
        Ok(Answer::Declared)
    }
}

/// Whether a declaration leaves everything that is sold as it is.
fn may_change(shelf: &Shelf, new: &Resource) -> Result<(), Refusal> {
    let refuse = |zh: String, en: String| {
        Err(Refusal::conflict(
            "booking-sold",
            (&zh, &en),
            "offer",
            (
                "先取消或等待这些预约结束",
                "cancel those bookings first, or wait until they are over",
            ),
        ))
    };
    let has_slots = shelf
        .slots
        .values()
        .any(|taken| !taken.live.is_empty() || !taken.waiting.is_empty());
    let has_units =
        !shelf.waiting.is_empty() || shelf.units.iter().any(|unit| !unit.taken.is_empty());
    if (has_slots || has_units) && new.group != shelf.resource.group {
        return refuse(
            "仍有预约,不能更换分组".into(),
            "there are bookings: the group cannot change".into(),
        );
    }
    match &new.offer {
        Offer::Units { count, .. } => {
            let kept = usize::try_from(*count).unwrap_or(usize::MAX);
            let gone = shelf
                .units
                .iter()
                .skip(kept)
                .any(|unit| !unit.taken.is_empty());
            if has_slots || gone {
                return refuse(
                    "要取消的单元仍有预约".into(),
                    "a unit that would go has bookings".into(),
                );
            }
        }
        Offer::Slots(slots) => {
            if has_units {
                return refuse(
                    "仍有按时间的预约".into(),
                    "there are bookings by interval".into(),
                );
            }
            for taken in shelf.slots.values() {
                if taken.live.is_empty() && taken.waiting.is_empty() {
                    continue;
                }
                let id = &taken.slot.id;
                let Some(slot) = slots.iter().find(|slot| slot.id == *id) else {
                    return refuse(
                        format!("时段 {id} 仍有预约"),
                        format!("the slot {id} has bookings"),
                    );
                };
                let sold = taken.total;
                if sold > u64::from(slot.capacity)
                    || (slot.from, slot.to) != (taken.slot.from, taken.slot.to)
                {
                    return refuse(
                        format!("时段 {id} 已约 {sold} 个:容量不能更小,时间不能更改"),
                        format!(
                            "{sold} places of the slot {id} are taken: it can be no smaller, and keeps its time"
                        ),
                    );
                }
                // What a class has now was counted only where it had a quota; whether a new one holds is counted from the bookings.
                for (class, quota) in &slot.quotas {
                    let had = taken.slot.quotas.contains_key(class);
                    let has = taken.by_class.get(class).copied().unwrap_or(0);
                    if quota.at_most.is_some_and(|most| {
                        has > u64::from(most) || (!had && sold > u64::from(most))
                    }) {
                        return refuse(
                            format!("时段 {id} 的 {class} 已超过新配额"),
                            format!(
                                "the class {class} may have more of the slot {id} than the new quota"
                            ),
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn too_many_declared(most: usize) -> Refusal {
    Refusal::conflict(
        "booking-declared-max",
        (
            &format!("最多登记 {most} 个"),
            &format!("at most {most} can be declared"),
        ),
        "id",
        (
            "提高上限或删除旧的",
            "raise the limit, or take old ones away",
        ),
    )
}

pub(crate) fn operators_only(by: &By) -> Result<(), Refusal> {
    match by {
        By::Person(_) => Err(Refusal::unknown(("此操作", "such act for a person"), "")),
        By::Operator(_) | By::System => Ok(()),
    }
}

pub(crate) fn only_oneself(by: &By, person: &str) -> Result<(), Refusal> {
    match by {
        By::Person(own) if own != person => Err(Refusal::invalid(
            "booking-other-person",
            ("只能为本人办理", "a person books for themselves"),
            "person",
            ("填写本人的标识", "give the own id"),
        )),
        _ => Ok(()),
    }
}

fn past() -> Refusal {
    Refusal::invalid(
        "booking-past",
        ("时间已过", "that time is over"),
        "when",
        ("选择以后的时间", "choose a later time"),
    )
}

fn full(waits: bool) -> Refusal {
    let mend = if waits {
        (
            "候补名单也已满,改选其他时间",
            "the waiting list is full too: choose another time",
        )
    } else {
        (
            "改选其他时间,或加入候补",
            "choose another time, or wait for it",
        )
    };
    Refusal::conflict("booking-full", ("已约满", "it is full"), "when", mend)
}

fn not_now(one: &Reservation, zh: &str, en: &str) -> Refusal {
    let state = one.state.name();
    Refusal::conflict(
        "booking-state",
        (
            &format!("预约 {} 的状态是 {state},不能{zh}", one.id),
            &format!("booking {} is {state} and cannot be {en}", one.id),
        ),
        "id",
        ("查看预约的当前状态", "look at the booking as it is now"),
    )
}
