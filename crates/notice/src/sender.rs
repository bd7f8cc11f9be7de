//! Whoever sends: one trait for e-mail, webhooks, SMS and voice gateways.

use async_trait::async_trait;

/// What a channel reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// People, at their e-mail address.
    Email,
    /// People, at their telephone number.
    Phone,
    /// A system, whose address is the settings'.
    System,
}

impl Reach {
    /// The kind of contact that it needs.
    pub const fn contact(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("email"),
            Self::Phone => Some("phone"),
            Self::System => None,
        }
    }
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Stays the same when it comes again.
    pub key: String,
    /// Where to: an address or a number; `None` for a system.
    pub to: Option<String>,
    /// One line.
    pub subject: String,
    /// All of it.
    pub body: String,
    /// The shortest.
    pub short: String,
    /// The event, for systems.
    pub event: serde_json::Value,
    /// How many other events it tells of.
    pub more: i64,
}

/// What a gateway said when it took a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What it calls the message, for receipts.
    pub provider_id: Option<String>,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It may be taken later.
    Later(String),
    /// It will never be.
    Never(String),
}

/// A channel.
#[async_trait]
pub trait Sender: Send + Sync {
    /// What it reaches.
    fn reach(&self) -> Reach;
    /// Sends, within a time of its own.
    async fn send(&self, message: &Outgoing) -> Result<Taken, NotSent>;
}
