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
    /// The city's IT engineer.
    Admin,
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
}

/// The roles, each with its word and what it may do.
const ROLES: &[(Role, &str, &[Permission])] = &[
    // One engineer runs a small city's platform: everything. Larger cities give the parts to other roles.
    (Role::Admin, "admin", Permission::ALL),
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
            OrganisationRead,
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
            OrganisationRead,
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
            OrganisationRead,
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
            Role::Duty,
            Role::Operator,
            Role::Field,
            Role::Planner,
            Role::Analyst,
            Role::Viewer,
            Role::Collector,
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
        assert_eq!(Role::all().count(), 8);
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
        for only_admin in [UserManage, TokenManage, DeviceManage, AuditRead] {
            assert_eq!(holders(only_admin), ["admin"], "{only_admin}");
        }
        assert_eq!(holders(IngestWrite), ["admin", "collector"]);
        assert_eq!(holders(CaseDispatch), ["admin", "duty"]);
        assert_eq!(holders(CaseVerify), ["admin", "duty"]);
        assert_eq!(holders(CaseHandle), ["admin", "operator", "field"]);
        assert_eq!(holders(IndicatorReport), ["admin", "planner"]);
        assert_eq!(holders(DataCorrect), ["admin", "duty", "planner"]);
        assert_eq!(holders(SqlQuery), ["admin", "duty", "planner", "analyst"]);
        assert_eq!(holders(TableImport), ["admin", "planner", "analyst"]);
        assert_eq!(holders(TableRemove), ["admin", "planner"]);
        assert_eq!(
            holders(OrganisationRead),
            ["admin", "duty", "operator", "planner"]
        );
        for permission in Permission::ALL {
            assert!(!holders(*permission).is_empty());
            assert_eq!(
                permission.as_str().parse::<Permission>().unwrap(),
                *permission
            );
        }
    }
}
