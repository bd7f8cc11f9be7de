//! What happened, as rules judge it and messages tell it.

use crate::affected::Affected;
use crate::doubt::Doubt;
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// The severities, from the least.
pub const SEVERITIES: [&str; 4] = ["info", "minor", "major", "critical"];

/// The gravest severity: it passes through quiet hours and is never folded into a digest.
pub const CRITICAL: &str = "critical";

/// The kind of event that turns of duty are open, because whoever has them left (空缺班次).
pub const TURNS_OPEN: &str = "duty.turns-open";

/// The kind of event that the value of an alert that is up reached more places than it was told for.
pub const REACHED: &str = "alert.reached";

/// The kind of event that nobody who could be told answers for places that are reached. It is told to those on duty by the rule
/// that looked for them; no rule asks for it.
pub const NOBODY_RESPONSIBLE: &str = "alert.nobody-responsible";

/// The kind of event that what is happening suggests a response plan, which a person starts or does not.
pub const PLAN_SUGGESTED: &str = "duty.plan-suggested";

/// How grave a severity is, from 0; a word that is none counts as the least.
pub fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|s| *s == severity).unwrap_or(0)
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What makes it the same when it is read again: `alert:12`, `alert-reached:12:1`, `nobody-responsible:alert:12`,
    /// `case-step:40`, `case-overdue:3:…`, `act:7`, `activation:5`, `open-turns:7:command-centre`, `plan-suggested:flood-4:12`.
    pub key: String,
    /// `alert.raised`, [`REACHED`], [`NOBODY_RESPONSIBLE`], `case.<action>`, `case.overdue`, `security.<act>`,
    /// `duty.plan-started`, [`PLAN_SUGGESTED`], `duty.turns-open`.
    pub kind: String,
    /// One of [`SEVERITIES`].
    pub severity: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What happened, in English.
    pub title_en: String,
    /// When.
    pub at: Timestamp,
    /// The alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<i64>,
    /// The case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_id: Option<i64>,
    /// The newest step of the case then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<i64>,
    /// The entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// The entity's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// The attribute judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The alert rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_rule: Option<String>,
    /// Code of the town (区划代码).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    /// The department that the case lies with, or whose duty it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<String>,
    /// The person whom the case was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<i64>,
    /// The response plan that was started (预案启动).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_id: Option<i64>,
    /// Whether it belongs to a drill (演练): then it is told on the pages alone, whatever the rule says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
    /// Whom it affects: all of it, also what not every reader may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<Affected>,
    /// The doubt that arose about the alert after it was up, as it is when a message is made; never of what is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Who did it; they are not told of what they did themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<i64>,
}

impl Event {
    /// Whether it passes through quiet hours.
    pub fn is_urgent(&self) -> bool {
        self.severity == CRITICAL
    }

    /// The page that shows it.
    pub fn path(&self) -> String {
        if let Some(activation) = self.activation_id {
            return format!("/duty?tab=plans&activation={activation}");
        }
        if self.kind == TURNS_OPEN {
            return "/duty?tab=roster".to_owned();
        }
        if self.kind == PLAN_SUGGESTED {
            return "/duty?tab=plans".to_owned();
        }
        match (self.case_id, self.alert_id) {
            (Some(case), _) => format!("/cases/{case}"),
            (None, Some(alert)) => format!("/alerts?alert={alert}"),
            (None, None) => "/notifications".to_owned(),
        }
    }
}
