//! Maintenance windows (检修窗口): people say when work is being done, and alerts are not raised meanwhile.

use model::{EntityId, Timestamp};
use serde::{Deserialize, Serialize};

/// A maintenance window. What is left out is no condition; with nothing given it stands for the whole city.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Only this entity.
    pub entity_id: Option<EntityId>,
    /// Only entities of this type.
    pub entity_type: Option<String>,
    /// Only this rule.
    pub rule_id: Option<String>,
    /// From when, inclusive.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub until: Timestamp,
}

impl Maintenance {
    pub(crate) fn covers(
        &self,
        rule_id: &str,
        entity_type: &str,
        id: &EntityId,
        at: Timestamp,
    ) -> bool {
        self.from <= at
            && at < self.until
            && self.rule_id.as_ref().is_none_or(|rule| rule == rule_id)
            && self
                .entity_type
                .as_ref()
                .is_none_or(|kind| kind == entity_type)
            && self.entity_id.as_ref().is_none_or(|entity| entity == id)
    }
}
