//! The three separated administrators (三员分立): system administrator (系统管理员), security administrator
//! (安全管理员) and audit administrator (审计管理员), GB/T 22239-2019 8.1.5.1 to 8.1.5.3. What belongs to each is said
//! in permissions, so that a role or a combination of roles is judged by what it may do and not by its name.

use crate::permission::Permission::{self, *};
use crate::role::Role;
use model::Problem;

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Administrator {
    /// System administrator (系统管理员), 8.1.5.1.
    System,
    /// Security administrator (安全管理员), 8.1.5.3.
    Security,
    /// Audit administrator (审计管理员), 8.1.5.2.
    Audit,
}

impl Administrator {
    /// The three.
    pub const ALL: [Self; 3] = [Self::System, Self::Security, Self::Audit];

    /// The role that is this administrator.
    pub const fn role(self) -> Role {
        match self {
            Self::System => Role::Admin,
            Self::Security => Role::Security,
            Self::Audit => Role::Auditor,
        }
    }

    /// The administrator that a role is.
    pub fn of(role: Role) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.role() == role)
    }

    /// What people call it, in Chinese.
    pub const fn title_zh(self) -> &'static str {
        match self {
            Self::System => "系统管理员",
            Self::Security => "安全管理员",
            Self::Audit => "审计管理员",
        }
    }

    /// What belongs to this administrator and to neither of the others.
    pub const fn part(self) -> &'static [Permission] {
        match self {
            Self::System => &[UserManage, TokenManage, DeviceManage, PackManage],
            Self::Security => &[RoleGrant, PolicyRead, PolicyManage, SecurityRead, KeyManage],
            Self::Audit => &[AuditRead],
        }
    }
}

/// Whether one person may hold these roles together, whatever posts they come from: at most one administrator's part.
///
/// # Errors
/// `roles-separated`, which names the two that do not go together.
pub fn check(roles: &[Role]) -> Result<(), Problem> {
    let mut held: Option<(Administrator, Role)> = None;
    for role in roles {
        for administrator in Administrator::ALL {
            let has_part = role
                .permissions()
                .iter()
                .any(|p| administrator.part().contains(p));
            match held {
                Some((other, with)) if has_part && other != administrator => {
                    return Err(Problem::new(
                        "roles-separated",
                        format!("{with} and {role} are separated administrators"),
                        "role",
                        "give the two roles to two people",
                    ));
                }
                _ if has_part => held = Some((administrator, *role)),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_holds_the_parts_of_two_administrators() {
        for role in Role::all() {
            let parts = Administrator::ALL.into_iter().filter(|a| {
                let held = |p: &Permission| role.permissions().contains(p);
                a.part().iter().any(held)
            });
            let parts: Vec<_> = parts.collect();
            let own: Vec<_> = Administrator::of(role).into_iter().collect();
            assert_eq!(parts, own, "{role}");
            assert_eq!(check(&[role]), Ok(()), "{role}");
        }
    }

    #[test]
    fn each_administrator_holds_its_whole_part() {
        for administrator in Administrator::ALL {
            for permission in administrator.part() {
                let role = administrator.role();
                assert!(
                    role.permissions().contains(permission),
                    "{role} {permission}"
                );
                let others = Administrator::ALL
                    .into_iter()
                    .filter(|a| *a != administrator);
                assert!(
                    others.into_iter().all(|a| !a.part().contains(permission)),
                    "{permission} is of two"
                );
            }
        }
    }

    #[test]
    fn every_pair_of_roles_is_refused_just_when_both_are_administrators() {
        for one in Role::all() {
            for other in Role::all() {
                let both = Administrator::of(one).is_some() && Administrator::of(other).is_some();
                let refused = check(&[one, other]).is_err();
                assert_eq!(refused, both && one != other, "{one} and {other}");
                // A third role between them hides nothing.
                let refused = check(&[one, Role::Duty, other]).is_err();
                assert_eq!(refused, both && one != other, "{one}, duty and {other}");
            }
        }
        let problem = check(&[Role::Viewer, Role::Security, Role::Auditor]).unwrap_err();
        assert_eq!(problem.code, "roles-separated");
        assert!(problem.what.contains("security") && problem.what.contains("auditor"));
    }
}
