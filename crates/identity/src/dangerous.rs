//! Dangerous acts as data: what one person may not do alone (双人审批, dual approval). Whoever may ask for an act
//! cannot decide on it, by role already and by person besides; and whoever can give others new passwords decides on no act
//! that others than administrators ask for, whose accounts alone are out of one person's reach.
//!
//! A new act is a new line here and an arm in `api::approvals::perform`, which says how it is done once it is approved.

use crate::permission::Permission;
use crate::role::Role;
use model::{Problem, problem::quote};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $zh:literal, $en:literal, $asks:ident, [$($decides:ident),+];)*) => {
        /// An act that needs a second person.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DangerousAct {
            $( $(#[$doc])* #[serde(rename = $word)] $name, )*
        }

        impl DangerousAct {
            /// Every act.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its title in Chinese and English.
            pub const fn titles(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($zh, $en),)* }
            }

            /// What whoever asks for it must be allowed.
            pub const fn asks(self) -> Permission {
                match self { $(Self::$name => Permission::$asks,)* }
            }

            /// The roles that may decide on it.
            pub const fn decides(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$decides),+],)* }
            }
        }
    };
}

acts! {
    /// A department's table is taken away with its rows.
    TableRemove = "table.remove", "删除部门数据表", "Remove a department's table", TableRemove, [Security];
    /// A device's credentials are taken away.
    DeviceRemove = "device.remove", "注销设备", "Remove a device", DeviceManage, [Security];
    /// Every key that signs tokens is ended at once: all sign-ins at other systems must be made anew.
    OidcKeysEnd = "oidc.keys.end", "立即废止全部令牌签名密钥", "End all token signing keys at once", KeyManage, [Admin];
    /// The city's policies are changed: who may do and see what.
    PolicyChange = "policy.change", "修改权限策略", "Change the policies", PolicyManage, [Admin];
    /// A roster that was imported gives roles and posts (角色和岗位).
    RosterRoles = "roster.roles", "授予导入名册中的角色和岗位", "Give the roles and posts of an imported roster", UserManage, [Security];
    /// Whoever leaves passes a post on, or moves to another role.
    HandOverRoles = "handover.roles", "交接时移交岗位或变更角色", "Hand over with posts or a new role", UserManage, [Security];
    /// Somebody becomes an administrator, another kind of one, or is none any more.
    AdministratorRole = "administrator.role", "授予或收回管理员角色", "Give or take an administrator's role", RoleGrant, [Admin, Auditor];
    /// An administrator's sign-in is closed or opened, or the name that others know them by is changed.
    AdministratorChange = "administrator.change", "停用、启用或修改管理员账号", "Close, open or change an administrator's account", UserManage, [Security, Auditor];
    /// An administrator gets a new password.
    AdministratorPassword = "administrator.password", "重置管理员密码", "Reset an administrator's password", UserManage, [Security, Auditor];
}

impl fmt::Display for DangerousAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DangerousAct {
    type Err = Problem;
    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::ALL
            .iter()
            .copied()
            .find(|act| act.as_str() == text)
            .ok_or_else(|| {
                let words: Vec<_> = Self::ALL.iter().map(|act| act.as_str()).collect();
                Problem::new(
                    "unknown-dangerous-act",
                    format!("\"{}\" is no act that needs approval", quote(text)),
                    "act",
                    format!("use some of {}", words.join(", ")),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::separation::Administrator;
    use std::collections::BTreeSet;

    #[test]
    fn who_may_ask_cannot_decide_and_somebody_can_do_each() {
        for act in DangerousAct::ALL {
            let asking = Role::all().filter(|r| r.permissions().contains(&act.asks()));
            let asking: Vec<Role> = asking.collect();
            assert!(!asking.is_empty(), "nobody can ask for {act}");
            assert!(!asking.iter().any(|r| act.decides().contains(r)), "{act}");
            for role in act.decides() {
                assert!(
                    role.permissions().contains(&Permission::ApprovalDecide),
                    "{role} {act}"
                );
            }
        }
    }

    #[test]
    fn who_can_set_the_askers_password_does_not_decide() {
        // Otherwise one person could ask as somebody whose account they took over, and agree as themself.
        let resets = Role::all().filter(|r| r.permissions().contains(&Permission::UserManage));
        for resetting in resets {
            for act in DangerousAct::ALL
                .iter()
                .filter(|a| a.decides().contains(&resetting))
            {
                let asking = Role::all().filter(|r| r.permissions().contains(&act.asks()));
                for role in asking {
                    assert!(Administrator::of(role).is_some(), "{role} asks for {act}");
                }
            }
        }
    }

    #[test]
    fn words_are_there_once_and_lead_back() {
        let words: BTreeSet<_> = DangerousAct::ALL.iter().map(|a| a.as_str()).collect();
        assert_eq!(words.len(), DangerousAct::ALL.len());
        for act in DangerousAct::ALL {
            assert_eq!(act.as_str().parse::<DangerousAct>().unwrap(), *act);
            assert_eq!(serde_json::json!(act), act.as_str());
            let (zh, en) = act.titles();
            assert!(zh.chars().any(|c| c > '\u{2e80}') && en.is_ascii(), "{act}");
        }
        let problem = "gate.dance".parse::<DangerousAct>().unwrap_err();
        assert_eq!(problem.code, "unknown-dangerous-act");
    }

    #[test]
    fn the_audit_administrator_decides_on_accounts_of_administrators_only() {
        let decided = DangerousAct::ALL
            .iter()
            .filter(|act| act.decides().contains(&Role::Auditor));
        for act in decided {
            assert!(act.as_str().starts_with("administrator."), "{act}");
        }
    }
}
