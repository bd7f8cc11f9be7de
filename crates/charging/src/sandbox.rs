//! A provider that plays one: [`Sandbox`] keeps orders and answers in memory, moves no money, and says so in its name. [`Lossy`] puts a
//! bad network before any provider: from a seed it loses requests, loses answers, delivers twice, and delivers old requests again.

use crate::money::Fen;
use crate::pay::{Act, Answer, Order, Provider, Refusal, Request, Silence};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most requests that [`Lossy`] remembers to deliver again.
const OLD_MAX: usize = 64;

/// A provider in memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sandbox {
    name: String,
    /// Highest hold; above it the payer "has not enough".
    funds: Fen,
    orders: BTreeMap<String, Order>,
    /// What was asked under each key, and what was answered.
    answers: BTreeMap<String, (Request, Answer)>,
}

impl Sandbox {
    /// One that holds at most `funds` per order.
    pub fn new(name: &str, funds: Fen) -> Self {
        Self {
            name: name.to_owned(),
            funds,
            orders: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// An order.
    pub fn order(&self, order: &str) -> Option<Order> {
        self.orders.get(order).copied()
    }

    /// What was taken and not given back, over all orders.
    pub fn taken(&self) -> Fen {
        self.orders
            .values()
            .map(|order| match order {
                Order::Captured { captured, refunded } => *captured - *refunded,
                _ => Fen::ZERO,
            })
            .sum()
    }

    /// How many keys it has answered.
    pub fn answered(&self) -> usize {
        self.answers.len()
    }

    fn act(&mut self, request: &Request) -> Result<Order, Refusal> {
        if matches!(request.act, Act::Hold(hold) if hold > self.funds) {
            return Err(Refusal::Funds);
        }
        let order = Order::apply(self.order(&request.order), request.act)?;
        self.orders.insert(request.order.clone(), order);
        Ok(order)
    }
}

impl Provider for Sandbox {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, request: &Request, _now: Timestamp) -> Result<Answer, Silence> {
        if let Some((before, answer)) = self.answers.get(&request.key) {
            return Ok(if before == request {
                answer.clone()
            } else {
                Answer {
                    key: request.key.clone(),
                    outcome: Err(Refusal::KeyReused),
                }
            });
        }
        let answer = Answer {
            key: request.key.clone(),
            outcome: self.act(request),
        };
        self.answers
            .insert(request.key.clone(), (request.clone(), answer.clone()));
        Ok(answer)
    }
}

/// How bad a network is, each in percent of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The request never arrives.
    pub lost_before: u8,
    /// It is done, and its answer never arrives.
    pub lost_after: u8,
    /// It arrives twice.
    pub doubled: u8,
    /// An older request arrives once more before it.
    pub old_again: u8,
}

/// A provider behind a bad network, the same from the same seed.
#[derive(Clone, Debug)]
pub struct Lossy<P> {
    /// The provider behind it.
    pub inner: P,
    faults: Faults,
    dice: Dice,
    old: Vec<Request>,
}

impl<P: Provider> Lossy<P> {
    /// Puts the network before a provider.
    pub fn new(inner: P, faults: Faults, seed: u64) -> Self {
        Self {
            inner,
            faults,
            dice: Dice(seed),
            old: Vec::new(),
        }
    }
}

impl<P: Provider> Provider for Lossy<P> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn ask(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Silence> {
        let Faults {
            lost_before,
            lost_after,
            doubled,
            old_again,
        } = self.faults;
        if self.dice.falls(old_again) && !self.old.is_empty() {
            let n = self.dice.below(self.old.len());
            // Nobody waits for this answer any more.
            let _ = self.inner.ask(&self.old[n].clone(), now);
        }
        if self.old.len() < OLD_MAX {
            self.old.push(request.clone());
        }
        if self.dice.falls(lost_before) {
            return Err(Silence);
        }
        let mut answer = self.inner.ask(request, now)?;
        if self.dice.falls(doubled) {
            answer = self.inner.ask(request, now)?;
        }
        if self.dice.falls(lost_after) {
            Err(Silence)
        } else {
            Ok(answer)
        }
    }
}

/// Chance from a seed (SplitMix64, Steele, Lea and Flood 2014); good enough for faults, not for secrets.
#[derive(Clone, Copy, Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn falls(&mut self, percent: u8) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(most.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}
