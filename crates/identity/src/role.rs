//! Roles: the words of; what each may do is policy.

use crate::permission::Permission;
use model::{Problem, problem::quote};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// What a person or a machine is in the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The system administrator (系统管理员): accounts, devices, tokens, clients.
    Admin,
    /// The security administrator (安全管理员): roles, policies, keys, approvals.
    Security,
    /// The audit administrator (审计管理员): the audit trail.
    Auditor,
    /// The duty officer of the command centre.
    Duty,
    /// A department's operator.
    Operator,
    /// A field worker.
    Field,
    /// The plan office.
    Planner,
    /// A data analyst.
    Analyst,
    /// Somebody who only looks.
    Viewer,
    /// A resident (市民): what is their own, and what is offered to everybody.
    Resident,
    /// A machine that sends data in and reads back what became of it.
    Collector,
    /// A machine through which people report: another platform or an app (Open311).
    Channel,
    /// Somebody whom the security administrator has not given a role yet: may sign in, and nothing else.
    None,
}

/// The roles, each with its word. What each may do by default is said in `policies/roles.cedar`.
const ROLES: &[(Role, &str)] = &[
    (Role::Admin, "admin"),
    (Role::Security, "security"),
    (Role::Auditor, "auditor"),
    (Role::Duty, "duty"),
    (Role::Operator, "operator"),
    (Role::Field, "field"),
    (Role::Planner, "planner"),
    (Role::Analyst, "analyst"),
    (Role::Viewer, "viewer"),
    (Role::Resident, "resident"),
    (Role::Collector, "collector"),
    (Role::Channel, "channel"),
    (Role::None, "none"),
];

impl Role {
    /// Every role.
    pub fn all() -> impl Iterator<Item = Role> {
        ROLES.iter().map(|(role, _)| *role)
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        self.entry().1
    }

    /// What it may do by the program's own policies, wherever others hold beside them.
    pub fn permissions(self) -> &'static [Permission] {
        static BY_DEFAULT: OnceLock<HashMap<Role, Vec<Permission>>> = OnceLock::new();
        let all = BY_DEFAULT.get_or_init(crate::policies::by_default);
        all.get(&self).map_or(&[], Vec::as_slice)
    }

    /// Whether it is a machine's, which no person has.
    pub const fn is_of_machines(self) -> bool {
        matches!(self, Self::Collector | Self::Channel)
    }

    fn entry(self) -> &'static (Role, &'static str) {
        // Every role is in the table (tested); the last one may do nothing.
        ROLES
            .iter()
            .find(|(role, _)| *role == self)
            .unwrap_or(&ROLES[ROLES.len() - 1])
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Problem;
    fn from_str(text: &str) -> Result<Self, Problem> {
        ROLES
            .iter()
            .find(|(_, word)| *word == text)
            .map(|(role, _)| *role)
            .ok_or_else(|| {
                let words: Vec<_> = ROLES.iter().map(|(_, word)| *word).collect();
                Problem::new(
                    "unknown-role",
                    format!("\"{}\" is not a role", quote(text)),
                    "role",
                    format!("use one of {}", words.join(", ")),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_role_is_in_the_table_once_and_its_word_leads_back() {
        for role in [
            Role::Admin,
            Role::Security,
            Role::Auditor,
            Role::Duty,
            Role::Operator,
            Role::Field,
            Role::Planner,
            Role::Analyst,
            Role::Viewer,
            Role::Resident,
            Role::Collector,
            Role::Channel,
            Role::None,
        ] {
            assert_eq!(ROLES.iter().filter(|(r, _)| *r == role).count(), 1);
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
            let set: BTreeSet<_> = role.permissions().iter().collect();
            assert_eq!(
                set.len(),
                role.permissions().len(),
                "{role} lists one twice"
            );
        }
        assert_eq!(Role::all().count(), 13);
        assert_eq!(Role::None.permissions(), []);
        assert_eq!("root".parse::<Role>().unwrap_err().code, "unknown-role");
    }
}
