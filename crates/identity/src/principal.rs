//! The caller, once known: a person with a session or a machine with a token.

use crate::permission::Permission;
use crate::posts::PostHeld;
use crate::role::Role;
use model::Problem;
use records::{Acting, Actor, ActorKind, Failure};
use serde::{Deserialize, Serialize};

/// Whose row the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum PrincipalId {
    /// A person, by the user's id.
    User(i64),
    /// A machine, by the token's id.
    Token(i64),
}

/// The caller: who it is and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Whose row it is.
    pub id: PrincipalId,
    /// The username, or the token's name.
    pub username: String,
    /// The name others see.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The person's department; `None` for machines and for who belongs to none.
    pub organisation_id: Option<String>,
    /// The posts (岗位) that the person holds now beside the main one; a machine has none.
    #[serde(default)]
    pub posts: Vec<PostHeld>,
    /// What the role may do, and the roles of the posts.
    pub permissions: Vec<Permission>,
}

impl Principal {
    /// Whether the caller may.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Asks that the caller may.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] `permission-missing`, which names the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Failure> {
        if self.may(permission) {
            return Ok(());
        }
        Err(Failure::Forbidden(Problem::new(
            "permission-missing",
            format!("the role {} may not {permission}", self.role),
            "permission",
            "sign in as somebody who may, or ask the engineer for another role",
        )))
    }

    /// Every organisation that the person belongs to: the main one first, then those whose posts they hold.
    pub fn organisations(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.organisation_id.as_deref().into_iter().collect();
        for post in &self.posts {
            if !all.contains(&post.organisation_id.as_str()) {
                all.push(&post.organisation_id);
            }
        }
        all
    }

    /// The user's id; `None` for a machine.
    pub const fn user_id(&self) -> Option<i64> {
        match self.id {
            PrincipalId::User(id) => Some(id),
            PrincipalId::Token(_) => None,
        }
    }

    /// The caller as it is written into the audit trail; `peer` is its network address.
    pub fn actor(&self, peer: &str) -> Actor {
        Actor {
            kind: match self.id {
                PrincipalId::User(id) => ActorKind::User(id),
                PrincipalId::Token(id) => ActorKind::Token(id),
            },
            name: self.name.clone(),
            peer: peer.to_owned(),
        }
    }

    /// The caller as a workflow needs it; `peer` is its network address.
    pub fn acting(&self, peer: &str) -> Acting {
        Acting {
            actor: self.actor(peer),
            organisation_id: self.organisation_id.clone(),
            also: self
                .posts
                .iter()
                .map(|p| p.organisation_id.clone())
                .collect(),
            permissions: self.permissions.iter().map(|p| p.as_str()).collect(),
        }
    }
}
