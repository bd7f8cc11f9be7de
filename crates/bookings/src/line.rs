//! Queues of tickets: numbers, whose turn it is, who is called, who missed it.

use crate::act::{only_oneself, operators_only, too_many_declared};
use crate::book::Book;
use crate::queue::{QueueRules, Ticket, TicketState, number};
use crate::refusal::Refusal;
use crate::request::{Answer, By};
use crate::resource::check_id;
use crate::store::{Change, Known};
use model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Room between two places, so that somebody who missed a call finds one between them.
const PLACE_STEP: i64 = 1 << 20;

/// A queue and who is in it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) rules: QueueRules,
    /// Place and id of those who wait.
    waiting: BTreeSet<(i64, i64)>,
    /// The ticket that a person has in it.
    people: BTreeMap<String, i64>,
    day: String,
    serial: i64,
    last_place: i64,
    /// Calls in a row that preferred somebody. In memory alone: a restart begins to count anew.
    run: u32,
}

impl Line {
    pub(crate) fn new(rules: QueueRules) -> Self {
        Self {
            rules,
            waiting: BTreeSet::new(),
            people: BTreeMap::new(),
            day: String::new(),
            serial: 0,
            last_place: 0,
            run: 0,
        }
    }

    fn rank(&self, class: &str) -> usize {
        let classes = &self.rules.classes;
        let found = classes.iter().position(|one| one == class);
        found.unwrap_or(classes.len())
    }

    /// In which order they would be called if nothing changed.
    fn order(&self, class_of: impl Fn(i64) -> Option<String>) -> Vec<i64> {
        let ranks = self.rules.classes.len() + 1;
        let mut by_rank: Vec<std::collections::VecDeque<(i64, i64)>> =
            vec![std::collections::VecDeque::new(); ranks];
        for &(place, id) in &self.waiting {
            let rank = class_of(id).map_or(ranks - 1, |class| self.rank(&class));
            by_rank[rank].push_back((place, id));
        }
        let mut run = self.run;
        let mut order = Vec::with_capacity(self.waiting.len());
        while let Some(best) = by_rank.iter().position(|some| !some.is_empty()) {
            let others = (best + 1..ranks).filter(|rank| !by_rank[*rank].is_empty());
            let longest = others.min_by_key(|rank| by_rank[*rank].front().copied());
            let rank = match longest {
                Some(rank) if run >= self.rules.precedence_run_max => {
                    run = 0;
                    rank
                }
                Some(_) => {
                    run += 1;
                    best
                }
                None => {
                    run = 0;
                    best
                }
            };
            order.extend(by_rank[rank].pop_front().map(|(_, id)| id));
        }
        order
    }

    /// The place of somebody who missed a call: behind so many of those who wait.
    fn place_behind(&self, behind: u32) -> i64 {
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        match self.waiting.iter().nth(behind) {
            None => self.last_place.saturating_add(PLACE_STEP),
            Some(&(next, _)) => match behind
                .checked_sub(1)
                .and_then(|n| self.waiting.iter().nth(n))
            {
                None => next.saturating_sub(PLACE_STEP),
                Some(&(before, _)) => before + (next - before) / 2,
            },
        }
    }
}

impl Book {
    /// Notes the last number that a queue gave.
    pub(crate) fn numbered(&mut self, queue: &str, day: &str, serial: i64) {
        if let Some(line) = self.lines.get_mut(queue) {
            day.clone_into(&mut line.day);
            line.serial = serial;
        }
    }

    pub(crate) fn insert_ticket(&mut self, ticket: Ticket) {
        let Some(line) = self.lines.get_mut(&ticket.queue) else {
            return;
        };
        if !ticket.state.is_open() {
            return;
        }
        line.last_place = line.last_place.max(ticket.place);
        line.people.insert(ticket.person.clone(), ticket.id);
        if ticket.state == TicketState::Waiting {
            line.waiting.insert((ticket.place, ticket.id));
        }
        if let Some(at) = due(&ticket, &line.rules) {
            self.ticket_due.insert((at, ticket.id));
        }
        self.tickets.insert(ticket.id, ticket);
    }

    fn put_ticket(&mut self, ticket: Ticket) {
        if let Some(old) = self.tickets.remove(&ticket.id)
            && let Some(line) = self.lines.get_mut(&old.queue)
        {
            line.waiting.remove(&(old.place, old.id));
            line.people.remove(&old.person);
            if let Some(at) = due(&old, &line.rules) {
                self.ticket_due.remove(&(at, old.id));
            }
        }
        self.staged.tickets.insert(ticket.id, ticket.clone());
        self.insert_ticket(ticket);
    }

    /// Tickets that were called and nobody came, and those whose day is over.
    pub(crate) fn advance_tickets(&mut self, now: Timestamp) {
        while let Some(&(at, id)) = self.ticket_due.first() {
            if at > now {
                break;
            }
            self.ticket_due.pop_first();
            let Some(mut ticket) = self.tickets.get(&id).cloned() else {
                continue;
            };
            let ends = self
                .line_of(&ticket.queue)
                .map_or(now, |rules| rules.day(ticket.taken_at).1);
            ticket.changed_at = now;
            if now >= ends {
                ticket.state = TicketState::Expired;
                self.put_ticket(ticket);
            } else {
                self.miss(ticket);
            }
        }
    }

    /// Somebody was called and did not come.
    fn miss(&mut self, mut ticket: Ticket) -> Ticket {
        ticket.changed_at = self.clock;
        ticket.state = TicketState::Missed;
        if let Some(line) = self.lines.get(&ticket.queue)
            && ticket.calls <= line.rules.misses_max
        {
            ticket.state = TicketState::Waiting;
            ticket.place = line.place_behind(line.rules.behind);
            ticket.counter = None;
        }
        self.put_ticket(ticket.clone());
        ticket
    }

    fn ahead(&self, ticket: &Ticket) -> Option<usize> {
        if ticket.state != TicketState::Waiting {
            return None;
        }
        let order = self.called_in(&ticket.queue)?;
        order.iter().position(|id| *id == ticket.id)
    }

    fn called_in(&self, queue: &str) -> Option<Vec<i64>> {
        let line = self.lines.get(queue)?;
        Some(line.order(|id| self.tickets.get(&id).map(|ticket| ticket.class.clone())))
    }

    fn shown(&self, ticket: Ticket) -> Answer {
        let ahead = self.ahead(&ticket);
        Answer::Ticket { ticket, ahead }
    }

    pub(crate) fn declare_queue(&mut self, by: &By, rules: &QueueRules) -> Result<Answer, Refusal> {
        operators_only(by)?;
        rules.check(&self.limits)?;
        let most = self.limits.declared_max;
        if !self.lines.contains_key(&rules.id) && self.lines.len() >= most {
            return Err(too_many_declared(most));
        }
        self.staged
            .declared
            .push(Change::Queue(rules.clone(), by.name(), self.clock));
        // What falls due by the old rules is taken out by them, and put in again by the new ones.
        let its: Vec<Ticket> = self
            .tickets
            .values()
            .filter(|ticket| ticket.queue == rules.id)
            .cloned()
            .collect();
        let line = self
            .lines
            .entry(rules.id.clone())
            .or_insert_with(|| Line::new(rules.clone()));
        for ticket in &its {
            if let Some(at) = due(ticket, &line.rules) {
                self.ticket_due.remove(&(at, ticket.id));
            }
        }
        line.rules = rules.clone();
        for ticket in its {
            self.insert_ticket(ticket);
        }
        Ok(Answer::Declared)
    }

    pub(crate) fn take(
        &mut self,
        by: &By,
        queue: &str,
        person: &str,
        class: &str,
    ) -> Result<Answer, Refusal> {
        check_id(person, "person", &self.limits)?;
        only_oneself(by, person)?;
        let now = self.clock;
        let line = self
            .lines
            .get_mut(queue)
            .ok_or_else(|| Refusal::unknown(("队列", "queue"), queue))?;
        if !line.rules.open {
            return Err(Refusal::conflict(
                "queue-closed",
                ("暂不取号", "no tickets are given now"),
                "queue",
                ("在开放时间再来", "come back when it is open"),
            ));
        }
        if !class.is_empty() && !line.rules.classes.iter().any(|one| one == class) {
            return Err(Refusal::invalid(
                "queue-class",
                ("队列没有这个类别", "the queue has no such class"),
                "class",
                ("选择已有的类别,或留空", "take one that it has, or none"),
            ));
        }
        if let Some(other) = line.people.get(person) {
            return Err(Refusal::conflict(
                "queue-twice",
                (
                    &format!("本人已取号(票 {other})"),
                    &format!("the person has a ticket already ({other})"),
                ),
                "person",
                ("使用已取的号,或先退号", "use it, or leave the queue first"),
            ));
        }
        if usize::try_from(line.rules.waiting_max).is_ok_and(|most| line.waiting.len() >= most) {
            return Err(Refusal::conflict(
                "queue-full",
                ("排队人数已满", "the queue is full"),
                "queue",
                ("稍后再取号", "come back later"),
            ));
        }
        let (day, _) = line.rules.day(now);
        // A clock that was set back goes on with the numbers of the later day.
        if day > line.day {
            line.day = day;
            line.serial = 0;
        }
        line.serial += 1;
        self.last_ticket += 1;
        let ticket = Ticket {
            id: self.last_ticket,
            queue: queue.to_owned(),
            day: line.day.clone(),
            serial: line.serial,
            number: number(&line.rules.prefix, line.serial),
            person: person.to_owned(),
            class: class.to_owned(),
            state: TicketState::Waiting,
            place: line.last_place.saturating_add(PLACE_STEP),
            counter: None,
            calls: 0,
            taken_at: now,
            called_at: None,
            changed_at: now,
        };
        self.put_ticket(ticket.clone());
        Ok(self.shown(ticket))
    }

    pub(crate) fn call(&mut self, by: &By, queue: &str, counter: &str) -> Result<Answer, Refusal> {
        operators_only(by)?;
        check_id(counter, "counter", &self.limits)?;
        let order = self
            .called_in(queue)
            .ok_or_else(|| Refusal::unknown(("队列", "queue"), queue))?;
        let Some(mut ticket) = order.first().and_then(|id| self.tickets.get(id).cloned()) else {
            return Ok(Answer::Nobody);
        };
        let ranks: Vec<usize> = match self.lines.get(queue) {
            Some(line) => order
                .iter()
                .filter_map(|id| self.tickets.get(id))
                .map(|one| line.rank(&one.class))
                .collect(),
            None => Vec::new(),
        };
        if let Some(line) = self.lines.get_mut(queue) {
            // As in the order: a run goes on while somebody of lower precedence waits behind the one called.
            let preferred = ranks
                .first()
                .is_some_and(|own| ranks.iter().any(|other| other > own));
            let best = ranks.iter().min() == ranks.first();
            line.run = if preferred && best { line.run + 1 } else { 0 };
        }
        ticket.state = TicketState::Called;
        ticket.counter = Some(counter.to_owned());
        ticket.calls += 1;
        ticket.called_at = Some(self.clock);
        ticket.changed_at = self.clock;
        self.put_ticket(ticket.clone());
        Ok(self.shown(ticket))
    }

    fn find_ticket(&self, by: &By, id: i64, known: &Known) -> Result<Ticket, Refusal> {
        let live = self.tickets.get(&id);
        let ended = || self.staged.tickets.get(&id);
        let found = live.or_else(ended).or_else(|| known.tickets.get(&id));
        let mine = found.filter(|one| !matches!(by, By::Person(person) if *person != one.person));
        mine.cloned()
            .ok_or_else(|| Refusal::unknown(("号票", "ticket"), &id.to_string()))
    }

    pub(crate) fn whereabouts(&self, by: &By, id: i64, known: &Known) -> Result<Answer, Refusal> {
        Ok(self.shown(self.find_ticket(by, id, known)?))
    }

    /// Moves a ticket on, when it is in one of these states.
    pub(crate) fn ticket_step(
        &mut self,
        by: &By,
        id: i64,
        from: &[TicketState],
        to: TicketState,
        known: &Known,
    ) -> Result<Answer, Refusal> {
        let mut ticket = self.find_ticket(by, id, known)?;
        if !from.contains(&ticket.state) {
            let state = ticket.state.name();
            let to = to.name();
            return Err(Refusal::conflict(
                "queue-state",
                (
                    &format!("号票 {id} 的状态是 {state},不能变为 {to}"),
                    &format!("ticket {id} is {state} and cannot become {to}"),
                ),
                "ticket",
                ("查看号票的当前状态", "look at the ticket as it is now"),
            ));
        }
        if to == TicketState::Missed {
            let ticket = self.miss(ticket);
            return Ok(self.shown(ticket));
        }
        ticket.state = to;
        ticket.changed_at = self.clock;
        self.put_ticket(ticket.clone());
        Ok(self.shown(ticket))
    }
}

/// When a ticket changes by itself.
fn due(ticket: &Ticket, rules: &QueueRules) -> Option<Timestamp> {
    let (_, ends) = rules.day(ticket.taken_at);
    match ticket.state {
        TicketState::Waiting => Some(ends),
        TicketState::Called => {
            let come = ticket.called_at?.plus_seconds(rules.come_within_s);
            Some(come.min(ends))
        }
        _ => None,
    }
}
