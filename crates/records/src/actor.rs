//! Who did something: written into the audit trail and into a case's history with every change.

use serde::{Deserialize, Serialize};

/// Who did something, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of caller it is.
    pub kind: ActorKind,
    /// The name people see: the user's name, the token's name, `cli`, the rule's id.
    pub name: String,
    /// The network address that the call came from; empty for the platform itself and the command line.
    pub peer: String,
}

/// What kind of caller did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum ActorKind {
    /// A person, by the user's id.
    User(i64),
    /// A machine with a service token, by the token's id.
    Token(i64),
    /// A person at the machine's own command line.
    CommandLine,
    /// The platform itself: a rule, a clock, the first start.
    System,
}

/// An actor with what it may do: what a workflow needs to know to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// Who.
    pub actor: Actor,
    /// The department; who belongs to none (the command centre) is not held to one.
    pub organisation_id: Option<String>,
    /// The departments whose posts the actor holds beside it.
    pub also: Vec<String>,
    /// Permission words.
    pub permissions: Vec<&'static str>,
}

impl Acting {
    /// Whether a department's work is the actor's: of its own department, or of one whose post it holds.
    pub fn works_in(&self, organisation_id: &str) -> bool {
        self.organisation_id.as_deref() == Some(organisation_id)
            || self.also.iter().any(|id| id == organisation_id)
    }

    /// Whether the actor has the permission.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.contains(&permission)
    }
}

impl ActorKind {
    /// The word kept in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::CommandLine => "cli",
            Self::System => "system",
        }
    }

    /// The id beside the word, when there is one.
    pub const fn id(self) -> Option<i64> {
        match self {
            Self::User(id) | Self::Token(id) => Some(id),
            Self::CommandLine | Self::System => None,
        }
    }
}

impl Actor {
    /// A person at the machine's own command line.
    pub fn command_line() -> Self {
        Self {
            kind: ActorKind::CommandLine,
            name: "cli".to_owned(),
            peer: String::new(),
        }
    }

    /// The platform itself; `name` says which part of it.
    pub fn system(name: &str) -> Self {
        Self {
            kind: ActorKind::System,
            name: name.to_owned(),
            peer: String::new(),
        }
    }

    /// The user's id, when a person signed in did it.
    pub const fn user_id(&self) -> Option<i64> {
        match self.kind {
            ActorKind::User(id) => Some(id),
            _ => None,
        }
    }
}
