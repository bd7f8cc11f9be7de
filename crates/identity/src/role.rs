//! Roles as data: which role may do what. One table, read from top to bottom.

use crate::permission::Permission::{self, *};
use model::{Problem, problem::quote};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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
    /// A machine that sends data in and reads back what became of it.
    Collector,
    /// Somebody whom the security administrator has not given a role yet: may sign in, and nothing else.
    None,
}

/// The roles, each with its word and what it may do.
const ROLES: &[(Role, &str, &[Permission])] = &[
    // The three administrators (三员分立, GB/T 22239-2019 8.1.5): none can do another's part, which
    // `crate::separation` checks. The first sees what shows that devices and doors work, and no cases, SQL or corrections.
    (
        Role::Admin,
        "admin",
        &[
            EntityRead,
            AlertRead,
            DeviceRead,
            DeviceManage,
            DeadLetterRead,
            IndicatorRead,
            UserManage,
            TokenManage,
            ApprovalDecide,
        ],
    ),
    (
        Role::Security,
        "security",
        &[
            RoleGrant,
            PolicyRead,
            PolicyManage,
            SecurityRead,
            KeyManage,
            ApprovalDecide,
        ],
    ),
    // Decides on what is done to administrators' accounts only, see `crate::dangerous`: a check, not a part of theirs.
    (Role::Auditor, "auditor", &[AuditRead, ApprovalDecide]),
    (
        Role::Duty,
        "duty",
        &[
            EntityRead,
            SqlQuery,
            AlertRead,
            AlertAcknowledge,
            CaseRead,
            CaseOpen,
            CaseDispatch,
            CaseVerify,
            DeviceRead,
            DeadLetterRead,
            IndicatorRead,
            DataCorrect,
        ],
    ),
    (
        Role::Operator,
        "operator",
        &[
            EntityRead,
            AlertRead,
            AlertAcknowledge,
            CaseRead,
            CaseOpen,
            CaseHandle,
            DeviceRead,
            DeadLetterRead,
            IndicatorRead,
        ],
    ),
    (
        Role::Field,
        "field",
        &[EntityRead, AlertRead, CaseRead, CaseHandle],
    ),
    (
        Role::Planner,
        "planner",
        &[
            EntityRead,
            SqlQuery,
            TableImport,
            TableRemove,
            AlertRead,
            CaseRead,
            DeviceRead,
            IndicatorRead,
            IndicatorReport,
            DataCorrect,
        ],
    ),
    (
        Role::Analyst,
        "analyst",
        &[
            EntityRead,
            SqlQuery,
            TableImport,
            AlertRead,
            CaseRead,
            DeviceRead,
            DeadLetterRead,
            IndicatorRead,
        ],
    ),
    (
        Role::Viewer,
        "viewer",
        &[EntityRead, AlertRead, CaseRead, IndicatorRead],
    ),
    (Role::Collector, "collector", &[IngestWrite, EntityRead]),
    (Role::None, "none", &[]),
];

impl Role {
    /// Every role.
    pub fn all() -> impl Iterator<Item = Role> {
        ROLES.iter().map(|(role, _, _)| *role)
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        self.entry().1
    }

    /// What it may do.
    pub fn permissions(self) -> &'static [Permission] {
        self.entry().2
    }

    fn entry(self) -> &'static (Role, &'static str, &'static [Permission]) {
        // Every role is in the table (tested); the last one may do the least harm.
        ROLES
            .iter()
            .find(|(role, _, _)| *role == self)
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
            .find(|(_, word, _)| *word == text)
            .map(|(role, _, _)| *role)
            .ok_or_else(|| {
                let words: Vec<_> = ROLES.iter().map(|(_, word, _)| *word).collect();
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
            Role::Collector,
            Role::None,
        ] {
            assert_eq!(ROLES.iter().filter(|(r, _, _)| *r == role).count(), 1);
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
            let set: BTreeSet<_> = role.permissions().iter().collect();
            assert_eq!(
                set.len(),
                role.permissions().len(),
                "{role} lists one twice"
            );
        }
        assert_eq!(Role::all().count(), 11);
        assert_eq!(Role::None.permissions(), []);
        assert_eq!("root".parse::<Role>().unwrap_err().code, "unknown-role");
    }

    #[test]
    fn the_dangerous_permissions_are_where_they_should_be() {
        let holders = |permission| {
            Role::all()
                .filter(|r| r.permissions().contains(&permission))
                .map(Role::as_str)
                .collect::<Vec<_>>()
        };
        for only_admin in [UserManage, TokenManage, DeviceManage] {
            assert_eq!(holders(only_admin), ["admin"], "{only_admin}");
        }
        for only_security in [RoleGrant, PolicyRead, PolicyManage, SecurityRead, KeyManage] {
            assert_eq!(holders(only_security), ["security"], "{only_security}");
        }
        assert_eq!(holders(AuditRead), ["auditor"]);
        assert_eq!(holders(ApprovalDecide), ["admin", "security", "auditor"]);
        assert_eq!(holders(IngestWrite), ["collector"]);
        assert_eq!(holders(CaseDispatch), ["duty"]);
        assert_eq!(holders(CaseVerify), ["duty"]);
        assert_eq!(holders(CaseHandle), ["operator", "field"]);
        assert_eq!(holders(IndicatorReport), ["planner"]);
        assert_eq!(holders(DataCorrect), ["duty", "planner"]);
        assert_eq!(holders(SqlQuery), ["duty", "planner", "analyst"]);
        assert_eq!(holders(TableImport), ["planner", "analyst"]);
        assert_eq!(holders(TableRemove), ["planner"]);
        for permission in Permission::ALL {
            assert!(!holders(*permission).is_empty());
            assert_eq!(
                permission.as_str().parse::<Permission>().unwrap(),
                *permission
            );
        }
    }
}
