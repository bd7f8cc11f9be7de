//! The seam of payload formats: a format turns the bytes of one message into updates.

use model::{EntityId, Problem, Timestamp, TypeName, Update};

/// What a payload decoder may know besides the bytes.
#[derive(Clone, Debug)]
pub struct Context {
    /// When the door received the message; used where the message gives no time.
    pub received_at: Timestamp,
    /// The entity that the address stands for, for formats or messages that do not name one.
    pub entity: Option<(EntityId, TypeName)>,
}

/// What a payload says. A payload that is partly good gives its good updates and the problems of the
/// rest; the door keeps the whole message as a dead letter when there is any problem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// The updates understood, in the message's order.
    pub updates: Vec<Update>,
    /// What was not understood, each with its place in the message.
    pub problems: Vec<Problem>,
}

impl Payload {
    /// A payload of which nothing was understood.
    pub fn refused(problem: Problem) -> Self {
        Self {
            updates: Vec::new(),
            problems: vec![problem],
        }
    }
}

/// A payload format, e.g. NGSI-LD JSON.
///
/// A number for whose unit the form has no place (a bare JSON value, a field of a line) is given without a
/// unit and with [`model::Quality::UnitAssumed`]: whoever knows the declared unit fills it in. A number whose
/// form could have told the unit, and does not, keeps its own quality: there a required unit is missing.
pub trait PayloadDecoder: Send + Sync {
    /// The format's short name, e.g. `ngsi-ld`.
    fn name(&self) -> &'static str;
    /// Whether the bytes look like this format; `content_type` is what the sender said, if anything.
    /// Cheap: looks at the first bytes only where it can.
    fn recognises(&self, bytes: &[u8], content_type: Option<&str>) -> bool;
    /// Reads the bytes. Never panics, bounded work.
    fn decode(&self, bytes: &[u8], context: &Context) -> Payload;
}
