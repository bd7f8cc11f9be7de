//! Table `corrections`: observations that people put right or withdrew. The journal has them whole; here is
//! what people look up: the old value, the new one, who, when and why.

use crate::actor::{Actor, ActorKind};
use crate::audit;
use crate::audit_events::Event;
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::{Connection, position_to_column};
use model::{Corrected, Timestamp};
use serde_json::json;
use sqlx::Any;
use std::collections::BTreeMap;

table_row! {
    /// One correction.
    pub struct Correction {
        /// Counts up from 1.
        pub id: i64,
        /// Journal position of the correction.
        pub position: i64,
        /// The entity.
        pub entity_id: String,
        /// Its type.
        pub entity_type: String,
        /// The attribute.
        pub attribute: String,
        /// When the observation was made.
        pub observed_at: Timestamp,
        /// Journal position of what said the old value.
        pub supersedes: i64,
        /// The old value; JSON null where the attribute had been taken away.
        pub old_value: serde_json::Value,
        /// UN/CEFACT code of its unit.
        pub old_unit: Option<String>,
        /// The word for its quality.
        pub old_quality: String,
        /// The new value; `None` when the observation was withdrawn.
        pub new_value: Option<serde_json::Value>,
        /// UN/CEFACT code of its unit.
        pub unit: Option<String>,
        /// Why.
        pub reason: String,
        /// Who.
        pub corrected_by: String,
        /// When.
        pub corrected_at: Timestamp,
    }
}

/// Adds a correction and its act to the audit trail; `false` when the position is there already (a replay).
pub async fn insert(
    connection: &mut Connection,
    position: u64,
    corrected: &Corrected,
) -> Result<bool> {
    let old_value = corrected.old_value.to_json();
    let new_value = corrected.value.as_ref().map(model::Value::to_json);
    let done = sqlx::query::<Any>(
        "INSERT INTO corrections (position, entity_id, entity_type, attribute, observed_at, supersedes, \
         old_value, old_unit, old_quality, new_value, unit, reason, corrected_by, corrected_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (position) DO NOTHING",
    )
    .bind(position_to_column(position)?)
    .bind(corrected.entity_id.as_str())
    .bind(corrected.entity_type.as_str())
    .bind(corrected.attribute.as_str())
    .bind(corrected.observed_at.micros())
    .bind(position_to_column(corrected.supersedes)?)
    .bind(old_value.to_string())
    .bind(&corrected.old_unit)
    .bind(corrected.old_quality.as_str())
    .bind(new_value.as_ref().map(ToString::to_string))
    .bind(&corrected.unit)
    .bind(&corrected.reason)
    .bind(&corrected.by.name)
    .bind(corrected.received_at.micros())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let detail = json!({
        "position": position,
        "attribute": corrected.attribute.as_str(),
        "observed_at": corrected.observed_at.to_string(),
        "old_value": old_value,
        "new_value": new_value,
        "reason": corrected.reason,
    });
    let target = format!("entity:{}", corrected.entity_id);
    let at = corrected.received_at;
    audit::insert(
        connection,
        at,
        &actor(corrected),
        Event::ObservationCorrect,
        &target,
        &detail,
    )
    .await?;
    Ok(true)
}

/// Stored values by the keys that `keys_of` finds them under, as [`rewrite_values`] would have to rewrite them.
///
/// # Errors
/// The store's own.
pub async fn values_by_key(
    connection: &mut Connection,
    mark: &str,
    keys_of: impl Fn(&[u8]) -> Vec<String>,
) -> Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    let mut after = 0;
    loop {
        let rows = holding(connection, mark, after).await?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = last.0;
        for (.., old, new) in &rows {
            for value in [Some(old), new.as_ref()].into_iter().flatten() {
                for key in keys_of(value.as_bytes()) {
                    *found.entry(key).or_default() += 1;
                }
            }
        }
    }
}

/// A row of which a value holds what is looked for: its number, entity, attribute, old and new value.
type Holding = (i64, String, String, String, Option<String>);

/// Rows read at a time.
const ROWS_A_PAGE: i64 = 500;

async fn holding(connection: &mut Connection, mark: &str, after: i64) -> Result<Vec<Holding>> {
    let rows = sqlx::query_as::<Any, Holding>(
        "SELECT id, entity_id, attribute, old_value, new_value FROM corrections \
         WHERE id > $1 AND (old_value LIKE $2 OR new_value LIKE $2) ORDER BY id LIMIT $3",
    )
    .bind(after)
    .bind(format!("%{mark}%"))
    .bind(ROWS_A_PAGE)
    .fetch_all(&mut *connection)
    .await?;
    Ok(rows)
}

/// Stores texts anew, where `rewrite` (of entity, attribute and text) gives another: the same value under another key. `mark`
/// is in all that come into question, and holds neither `%` nor `_`. Gives how many values were rewritten. The acts of the
/// audit trail keep what they said.
///
/// # Errors
/// The store's own.
pub async fn rewrite_values(
    connection: &mut Connection,
    mark: &str,
    rewrite: impl Fn(&str, &str, &str) -> Option<String>,
) -> Result<u64> {
    let (mut after, mut count) = (0, 0);
    loop {
        let rows = holding(connection, mark, after).await?;
        let Some(last) = rows.last() else {
            return Ok(count);
        };
        after = last.0;
        for (id, entity, attribute, old, new) in rows {
            // Values are JSON: of texts the text itself is rewritten.
            let anew = |json: &str| -> Option<String> {
                let text: String = serde_json::from_str(json).ok()?;
                let text = rewrite(&entity, &attribute, &text)?;
                Some(serde_json::Value::String(text).to_string())
            };
            let (old_anew, new_anew) = (anew(&old), new.as_deref().and_then(anew));
            let changed = u64::from(old_anew.is_some()) + u64::from(new_anew.is_some());
            if changed == 0 {
                continue;
            }
            sqlx::query::<Any>(
                "UPDATE corrections SET old_value = $1, new_value = $2 WHERE id = $3",
            )
            .bind(old_anew.unwrap_or(old))
            .bind(new_anew.or(new))
            .bind(id)
            .execute(&mut *connection)
            .await?;
            count += changed;
        }
    }
}

fn actor(corrected: &Corrected) -> Actor {
    let by = &corrected.by;
    let kind = match (by.kind.as_str(), by.id.parse()) {
        ("user", Ok(id)) => ActorKind::User(id),
        ("token", Ok(id)) => ActorKind::Token(id),
        _ => ActorKind::System,
    };
    Actor {
        kind,
        name: by.name.clone(),
        peer: by.peer.clone(),
    }
}

/// Corrections, newest first, of one entity only when asked.
pub async fn list(
    connection: &mut Connection,
    entity_id: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Correction>> {
    let rows = sqlx::query_as::<Any, Correction>(
        "SELECT * FROM corrections WHERE ($1 IS NULL OR entity_id = $1) AND position < $2 \
         ORDER BY position DESC LIMIT $3",
    )
    .bind(entity_id)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |c| c.position.to_string()))
}
