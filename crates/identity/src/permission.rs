//! Permissions as words. Every endpoint names the one it needs.

use model::{Problem, problem::quote};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// Something that a role may be allowed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission {
            $( $(#[$doc])* #[serde(rename = $word)] $name, )*
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Permission] = &[$(Permission::$name),*];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

permissions! {
    /// Read entities, their history, the map, and the messages behind them.
    EntityRead = "entity.read",
    /// Query with SQL.
    SqlQuery = "sql.query",
    /// Make a department's file a table.
    TableImport = "table.import",
    /// Take a department's table away.
    TableRemove = "table.remove",
    /// Read alerts.
    AlertRead = "alert.read",
    /// Take note of an alert.
    AlertAcknowledge = "alert.acknowledge",
    /// Try rules on past periods, dismiss their failures, make and end maintenance windows.
    RuleManage = "rule.manage",
    /// Read runs of packs' mathematics: what was reckoned from what, and what came of it.
    RunRead = "run.read",
    /// Run packs' mathematics now.
    RunStart = "run.start",
    /// Read commands to things that can be controlled, and what they can be told.
    CommandRead = "command.read",
    /// Ask for a command to a thing of one's department.
    CommandAsk = "command.ask",
    /// Agree to a command that somebody else asked for.
    CommandApprove = "command.approve",
    /// Read sessions and bills of charging, tariffs and figures.
    ChargingRead = "charging.read",
    /// Decide on bills that are held, put tariffs in force, keep cards, tell stations what to do.
    ChargingManage = "charging.manage",
    /// Charge one's own vehicle: find places, reserve, order, pay, complain; of what was charged, one's own alone.
    ChargingUse = "charging.use",
    /// Read cases and their attachments.
    CaseRead = "case.read",
    /// Open a case.
    CaseOpen = "case.open",
    /// File, dispatch and cancel cases.
    CaseDispatch = "case.dispatch",
    /// Take a case, add to it, finish it.
    CaseHandle = "case.handle",
    /// Verify, reject and close cases.
    CaseVerify = "case.verify",
    /// Read devices.
    DeviceRead = "device.read",
    /// Add and remove devices.
    DeviceManage = "device.manage",
    /// Read dead letters.
    DeadLetterRead = "deadletter.read",
    /// Read the plan's indicators.
    IndicatorRead = "indicator.read",
    /// Report a figure of the plan.
    IndicatorReport = "indicator.report",
    /// Read key projects, their monthly reports and the assessment of units.
    ProjectRead = "project.read",
    /// Keep the projects of one's organisation: milestones, money, procedures, risks, monthly reports.
    ProjectEdit = "project.edit",
    /// Keep every project, add and end projects, say who answers for them, send reminders.
    ProjectManage = "project.manage",
    /// Agree to figures of the plan that others of one's unit reported, or return them.
    IndicatorApprove = "indicator.approve",
    /// The plan office: agree to figures as the last level, lock periods and lift locks.
    IndicatorLock = "indicator.lock",
    /// Correct observations, with a reason.
    DataCorrect = "data.correct",
    /// Send updates through the HTTP doors.
    IngestWrite = "ingest.write",
    /// See personal data whole, for a stated purpose.
    PersonalReveal = "personal.reveal",
    /// Export everything held about a person, and see who looked at it.
    PersonalExport = "personal.export",
    /// Read the audit trail.
    AuditRead = "audit.read",
    /// Read the security view (安全态势): failed sign-ins, who waits, certificates, known holes, backups.
    SecurityRead = "security.read",
    /// Add and change users.
    UserManage = "user.manage",
    /// Load the packs of the city's folder anew.
    PackManage = "pack.manage",
    /// Add and remove machines' tokens.
    TokenManage = "token.manage",
    /// Give people their roles (授权), and take them back.
    RoleGrant = "role.grant",
    /// Read the rules of who may see what.
    PolicyRead = "policy.read",
    /// Change the rules of who may see what.
    PolicyManage = "policy.manage",
    /// Renew and end the platform's signing keys.
    KeyManage = "key.manage",
    /// Decide on dangerous acts that others asked for (双人审批); which of them is the act's own rule.
    ApprovalDecide = "approval.decide",
    /// Read organisations, posts and who holds them; telephone numbers in part.
    OrganisationRead = "organisation.read",
    /// Say who is told of what, and see what could not be sent.
    NoticeManage = "notice.manage",
    /// Enter values of entities in the forms and on the boards of one's department's packs.
    DataEnter = "data.enter",
    /// Read the roster, hand-overs, response plans, contacts (numbers in part), and write shift reports.
    DutyRead = "duty.read",
    /// Hand over and sign, start response plans and tick off their steps, keep outside contacts.
    DutyAct = "duty.act",
    /// Make shifts and the roster of one's organisations.
    DutyManage = "duty.manage",
    /// Read cases of public classes as service requests, without personal data (Open311).
    RequestRead = "request.read",
    /// Make service requests, which become cases (Open311).
    RequestReport = "request.report",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = Problem;
    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| {
                let words: Vec<_> = Self::ALL.iter().map(|p| p.as_str()).collect();
                Problem::new(
                    "unknown-permission",
                    format!("\"{}\" is not a permission", quote(text)),
                    "permission",
                    format!("use one of {}", words.join(", ")),
                )
            })
    }
}
