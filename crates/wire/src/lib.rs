//! Toolkit for codecs: the four-way decode result, and the seam through which a payload format gives
//! the platform its updates. Pure: bytes in, messages out.

pub mod payload;

pub use payload::{Context, Payload, PayloadDecoder};

use model::Problem;

/// What a decoder found at the front of some bytes. There is no fifth outcome and no `null`.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded<T> {
    /// A whole message.
    Message {
        /// The message.
        message: T,
        /// How many bytes it took.
        used: usize,
        /// What was odd about it, though it is good.
        warnings: Vec<Problem>,
    },
    /// The front of a message; at least this many bytes more are needed.
    Incomplete {
        /// Bytes still missing, at least.
        at_least: usize,
    },
    /// Not this protocol at all.
    Foreign,
    /// This protocol, but broken.
    Invalid {
        /// What is wrong.
        error: Problem,
        /// How many bytes to drop before trying again.
        skip: usize,
    },
}
