//! Payment behind a trait: hold (预授权) before a charge, capture what it came to, release the rest, refund. Every request has a key; a
//! provider does what a key asks for once and answers it the same ever after, because answers are lost and requests repeated.
//!
//! | order is | hold | capture | release | refund |
//! | --- | --- | --- | --- | --- |
//! | unknown | → held | unknown | → released | unknown |
//! | held | exists | ≤ hold → captured, the rest is free | → released | state |
//! | captured | exists | state | state | ≤ captured − refunded |
//! | released | exists | state | stays | state |
//!
//! Releasing an unknown order closes it, so that a hold that was lost on its way and arrives late holds nothing.

use crate::money::Fen;
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Most money of one order, fen: 1,000,000 yuan.
pub const ORDER_MAX: Fen = Fen(100_000_000);

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Sets money aside.
    Hold(Fen),
    /// Takes at most what was set aside, once.
    Capture(Fen),
    /// Gives up what was set aside.
    Release,
    /// Gives back some of what was taken.
    Refund(Fen),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its key, the same whenever it is repeated.
    pub key: String,
    /// Which order.
    pub order: String,
    /// What is asked.
    pub act: Act,
}

/// Why a provider did not do it. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Another request had this key.
    KeyReused,
    /// There is no such order.
    Unknown,
    /// The order exists already, under another hold.
    Exists,
    /// The order is not in a state for this.
    State,
    /// The amount is not above 0, or above what the order allows.
    Amount,
    /// The payer has not enough.
    Funds,
}

/// An order at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Money is set aside.
    Held {
        /// How much.
        hold: Fen,
    },
    /// Money was taken.
    Captured {
        /// How much.
        captured: Fen,
        /// What of it was given back.
        refunded: Fen,
    },
    /// Nothing is set aside any more.
    Released,
}

impl Order {
    /// What an act makes of an order; `None` is one that nobody knows.
    ///
    /// # Errors
    /// The refusals of this module's table.
    pub fn apply(order: Option<Self>, act: Act) -> Result<Self, Refusal> {
        let good = |fen: Fen, most: Fen| {
            if fen > Fen::ZERO && fen <= most {
                Ok(())
            } else {
                Err(Refusal::Amount)
            }
        };
        match (order, act) {
            (None, Act::Hold(hold)) => {
                good(hold, ORDER_MAX)?;
                Ok(Self::Held { hold })
            }
            (Some(_), Act::Hold(_)) => Err(Refusal::Exists),
            (None | Some(Self::Held { .. } | Self::Released), Act::Release) => Ok(Self::Released),
            (None, Act::Capture(_) | Act::Refund(_)) => Err(Refusal::Unknown),
            (Some(Self::Held { hold }), Act::Capture(fen)) => {
                good(fen, hold)?;
                Ok(Self::Captured {
                    captured: fen,
                    refunded: Fen::ZERO,
                })
            }
            (Some(Self::Captured { captured, refunded }), Act::Refund(fen)) => {
                good(fen, captured - refunded)?;
                Ok(Self::Captured {
                    captured,
                    refunded: refunded + fen,
                })
            }
            (Some(_), Act::Capture(_) | Act::Refund(_) | Act::Release) => Err(Refusal::State),
        }
    }
}

/// What a provider answers: the order after the request, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's key.
    pub key: String,
    /// What came of it.
    pub outcome: Result<Order, Refusal>,
}

/// Nothing came back: it is unknown whether the request was done. Repeat it, with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence;

/// A payment provider. One over the network asks its server and waits; its errors of transport are [`Silence`].
pub trait Provider {
    /// Its name, as the ledger's account has it.
    fn name(&self) -> &str;

    /// Asks for something, again and again if need be.
    ///
    /// # Errors
    /// [`Silence`]: nobody knows whether it was done.
    fn ask(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Silence>;
}
