//! Doubt (存疑) that arises about an alert while it is up: a rule says which other rules' alerts on the same entity make its own doubtful.
//! An alert that was raised while one of them was up says so in its title for good; one that was up before is doubted as long as one is.

use crate::event::Event;
use model::Timestamp;
use records::alerts::{self, Alert};
use records::{Connection, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule says of doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubting {
    /// The rules whose alerts on the same entity make its own doubtful.
    pub by: Vec<String>,
    /// The doubt, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// A doubt that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What is doubted, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Since when.
    pub since: Timestamp,
}

/// The doubt about an alert, of the alerts that are `up`: since the first of them that came after it and before its end. None where its
/// title says so already. Pure.
pub fn doubt(alert: &Alert, says: &Doubting, up: &[Alert]) -> Option<Doubt> {
    if alert.title_zh.contains(&says.zh) {
        return None;
    }
    let casts = |other: &&Alert| {
        other.entity_id == alert.entity_id
            && other.entity_type == alert.entity_type
            && other.id > alert.id
            && says.by.contains(&other.rule_id)
            && other.cleared_at.is_none()
            && alert.cleared_at.is_none_or(|end| other.raised_at <= end)
    };
    let first = up.iter().filter(casts).min_by_key(|other| other.id)?;
    Some(Doubt {
        zh: says.zh.clone(),
        en: says.en.clone(),
        since: first.raised_at,
    })
}

/// The doubts about alerts, by the alert's id, each with what its rule says.
///
/// # Errors
/// The records' own.
pub async fn find(
    connection: &mut Connection,
    doubted: &[(&Alert, Doubting)],
) -> Result<BTreeMap<i64, Doubt>> {
    let rules: BTreeSet<&str> = doubted
        .iter()
        .flat_map(|(_, says)| says.by.iter().map(String::as_str))
        .collect();
    let entities: BTreeSet<&str> = doubted
        .iter()
        .map(|(alert, _)| alert.entity_id.as_str())
        .collect();
    let up = alerts::active_of(connection, &rules, &entities).await?;
    let found = doubted
        .iter()
        .filter_map(|(alert, says)| Some((alert.id, doubt(alert, says, &up)?)));
    Ok(found.collect())
}

/// The doubt about the alert that an event is of, by what its rule says; none of other events.
///
/// # Errors
/// The records' own.
pub async fn of_event(
    connection: &mut Connection,
    event: &Event,
    says: Option<Doubting>,
) -> Result<Option<Doubt>> {
    let (Some(id), Some(says)) = (event.alert_id, says) else {
        return Ok(None);
    };
    let Some(alert) = alerts::get(connection, id).await? else {
        return Ok(None);
    };
    let mut found = find(connection, &[(&alert, says)]).await?;
    Ok(found.remove(&id))
}
