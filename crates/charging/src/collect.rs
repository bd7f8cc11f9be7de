//! How a bill's money is collected: a state machine without I/O. Its host does what [`Collection::step`] says and tells what came of it;
//! silence, restarts and a second host change nothing, because every request has a key made of the payment's id alone, every entry one made of
//! the bill's.
//!
//! ```text
//! Holding ──held──▶ Held ──bill──▶ Billing ──entered──▶ Capturing ──taken──▶ Entering ──entered──▶ Done
//!    │                └─bill of 0, given up─▶ Releasing ──released──▶ Done
//!    └─refused──▶ Refused (no charge begins) ──retry──▶ Holding      Capturing ──refused──▶ Owed (the driver owes it)
//! ```
//! A bill that is held for review leaves the machine in `Held`. What a bill comes to above the hold stays owed.

use crate::bill::Bill;
use crate::ledger::Entry;
use crate::money::Fen;
use crate::pay::{Act, Answer, Order, Refusal, Request};
use model::problem::both;
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};

/// Who pays whom through whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// The driver.
    pub driver: String,
    /// The station's operator; the bill's takes its place.
    pub operator: String,
    /// The provider's name.
    pub provider: String,
}

/// What the host does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the provider, and tell [`Collection::answered`]; after silence, the same again.
    Ask(Request),
    /// Post an entry, and tell [`Collection::posted`]; after an error of the store, the same again.
    Post(Entry),
    /// Wait for the bill.
    Wait,
    /// Nothing more: it is paid, or released, or nothing was held.
    Done,
    /// The driver owes the rest, which nobody holds.
    Owed(Fen),
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Money is being set aside.
    Holding,
    /// It is; the charge may begin.
    Held,
    /// The bill is being entered.
    Billing(Fen),
    /// Money is being taken.
    Capturing(Fen),
    /// What was taken is being entered: of the bill, so much.
    Entering(Fen, Fen),
    /// What is held is being given up.
    Releasing,
    /// Over, with so much owed.
    Done(Fen),
    /// Nothing could be set aside: no charge begins.
    Refused(Refusal),
}

/// The collection of one bill's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// The provider's order, and the part in the ledger's key.
    order: String,
    /// Whose money it is; none before there is one, unless it was begun for it.
    bill: Option<String>,
    parties: Parties,
    hold: Fen,
    /// Which try of setting money aside, from 1.
    attempt: u32,
    state: State,
}

impl Collection {
    /// Begins with what is to be set aside, before the charge or after it. `order` is the payment's own id, which no other has.
    pub fn new(order: &str, parties: Parties, hold: Fen) -> Self {
        Self {
            order: order.to_owned(),
            bill: None,
            parties,
            hold,
            attempt: 1,
            state: State::Holding,
        }
    }

    /// The same of a bill that is there already: it is no other's, and who pays can be told so before any money is set aside.
    #[must_use]
    pub fn of_bill(mut self, bill: &str) -> Self {
        self.bill = Some(bill.to_owned());
        self
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its id, the provider's order.
    pub fn order(&self) -> &str {
        &self.order
    }

    /// The bill that it pays, when there is one.
    pub fn bill_id(&self) -> Option<&str> {
        self.bill.as_deref()
    }

    /// Who pays whom through whom.
    pub fn parties(&self) -> &Parties {
        &self.parties
    }

    /// What the host does next. Asking again gives the same.
    pub fn step(&self, now: Timestamp) -> Step {
        let Parties {
            driver,
            operator,
            provider,
        } = &self.parties;
        // Without a bill nothing is entered: those states are reached with one.
        let bill = self.bill.as_deref().unwrap_or_default();
        match self.state {
            State::Holding => {
                let what = format!("hold-{}", self.attempt);
                Step::Ask(self.request(&what, Act::Hold(self.hold)))
            }
            State::Held => Step::Wait,
            State::Billing(fen) => Step::Post(Entry::billed(bill, driver, operator, fen, now)),
            State::Capturing(fen) => {
                Step::Ask(self.request("capture", Act::Capture(fen.min(self.hold))))
            }
            State::Entering(_, taken) => {
                Step::Post(Entry::paid(bill, &self.order, driver, provider, taken, now))
            }
            State::Releasing => Step::Ask(self.request("release", Act::Release)),
            State::Done(owed) if owed > Fen::ZERO => Step::Owed(owed),
            State::Done(_) | State::Refused(_) => Step::Done,
        }
    }

    /// Tries to set money aside once more after a refusal, under a key of its own. In any other state it changes nothing.
    pub fn retry(&mut self, hold: Fen) {
        if matches!(self.state, State::Refused(_)) {
            self.attempt = self.attempt.saturating_add(1);
            self.hold = hold;
            self.state = State::Holding;
        }
    }

    /// No charge began: what is held, or may be, is given up. Once there is a bill it changes nothing.
    pub fn give_up(&mut self) {
        if matches!(self.state, State::Holding | State::Held) {
            self.state = State::Releasing;
        }
    }

    /// The bill is there, of a station of `operator`. One that is held changes nothing; the same again neither.
    ///
    /// # Errors
    /// `charging-not-held`: nothing is set aside yet or any more. `charging-other-bill`: it had another one.
    pub fn bill(&mut self, bill: &Bill, operator: &str) -> Result<(), Told> {
        let id = bill.id();
        if self.bill.as_ref().is_some_and(|own| *own != id) {
            return Err(self.wrong(
                "charging-other-bill",
                "不是这一订单的账单",
                "the bill is of another session",
            ));
        }
        let Some(due) = bill.due() else {
            return Ok(());
        };
        match self.state {
            State::Held if due == Fen::ZERO => {
                self.bill = Some(id);
                self.state = State::Releasing;
            }
            State::Held => {
                self.bill = Some(id);
                operator.clone_into(&mut self.parties.operator);
                self.state = State::Billing(due);
            }
            State::Holding | State::Refused(_) => {
                return Err(self.wrong(
                    "charging-not-held",
                    "尚未完成预授权",
                    "nothing is set aside",
                ));
            }
            // Told again: what was begun goes on, and the ledger refuses another amount under this key.
            _ => {}
        }
        Ok(())
    }

    /// The provider answered. An answer to another request, which came late, changes nothing.
    pub fn answered(&mut self, answer: &Answer) {
        let Step::Ask(request) = self.step(Timestamp::default()) else {
            return;
        };
        if answer.key != request.key {
            return;
        }
        self.state = match (self.state, answer.outcome) {
            (State::Holding, Ok(_)) => State::Held,
            (State::Holding, Err(refusal)) => State::Refused(refusal),
            (State::Capturing(fen), Ok(Order::Captured { captured, .. })) => {
                State::Entering(fen, captured)
            }
            (State::Capturing(fen), _) => State::Done(fen),
            // What cannot be released is not held any more.
            (State::Releasing, _) => State::Done(Fen::ZERO),
            (state, _) => state,
        };
    }

    /// The entry of this step stands in the ledger, now or before.
    pub fn posted(&mut self) {
        self.state = match self.state {
            State::Billing(fen) => State::Capturing(fen),
            State::Entering(fen, taken) => State::Done(fen - taken),
            state => state,
        };
    }

    fn request(&self, what: &str, act: Act) -> Request {
        Request {
            key: format!("{what}:{}", self.order),
            order: self.order.clone(),
            act,
        }
    }

    fn wrong(&self, code: &str, zh: &str, en: &str) -> Told {
        Told::new(
            code,
            both(zh, en),
            both(
                format!("支付单 {}", self.order),
                format!("payment {}", self.order),
            ),
            both(
                "请先完成预授权，再交给同一订单的账单",
                "hold first, then give the bill of the same session",
            ),
        )
    }
}

/// Giving back a part of what was paid: entered first, so that the ledger's limit holds for whatever is asked at once, then asked of the
/// provider, and undone in the ledger where that refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The payment of which it is given back.
    order: String,
    bill: String,
    part: String,
    parties: Parties,
    amount: Fen,
    state: RefundState,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefundState {
    /// It is being entered.
    Entering,
    /// The provider is asked.
    Asking,
    /// The provider refused; the entry is being undone.
    Undoing(Refusal),
    /// The money went back.
    Done,
    /// It did not.
    Refused(Refusal),
}

impl Refund {
    /// Begins a refund of the payment `order` ([`Collection::order`]). `part` tells refunds of one bill apart: the same part again is the same
    /// refund.
    pub fn new(order: &str, bill: &str, part: &str, parties: Parties, amount: Fen) -> Self {
        Self {
            order: order.to_owned(),
            bill: bill.to_owned(),
            part: part.to_owned(),
            parties,
            amount,
            state: RefundState::Entering,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> RefundState {
        self.state
    }

    /// What the host does next. Asking again gives the same.
    pub fn step(&self, now: Timestamp) -> Step {
        let Parties {
            operator, provider, ..
        } = &self.parties;
        match self.state {
            RefundState::Entering => Step::Post(Entry::refund(
                &self.bill,
                &self.part,
                operator,
                provider,
                self.amount,
                now,
            )),
            RefundState::Asking => Step::Ask(Request {
                key: format!("refund:{}:{}", self.bill, self.part),
                order: self.order.clone(),
                act: Act::Refund(self.amount),
            }),
            RefundState::Undoing(_) => Step::Post(Entry::refund_undone(
                &self.bill,
                &self.part,
                operator,
                provider,
                self.amount,
                now,
            )),
            RefundState::Done | RefundState::Refused(_) => Step::Done,
        }
    }

    /// The provider answered; an answer to another request changes nothing.
    pub fn answered(&mut self, answer: &Answer) {
        let is_mine = matches!(self.step(Timestamp::default()), Step::Ask(request) if request.key == answer.key);
        if is_mine {
            self.state = match answer.outcome {
                Ok(_) => RefundState::Done,
                Err(refusal) => RefundState::Undoing(refusal),
            };
        }
    }

    /// The entry of this step stands in the ledger.
    pub fn posted(&mut self) {
        self.state = match self.state {
            RefundState::Entering => RefundState::Asking,
            RefundState::Undoing(refusal) => RefundState::Refused(refusal),
            state => state,
        };
    }
}
