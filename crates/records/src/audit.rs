//! Table `audit`: who changed what, when and from where. Written in the transaction of the change itself,
//! so that neither is there without the other. Rows are only ever added.

use crate::actor::Actor;
use crate::audit_chain::{self, ChainRow};
use crate::audit_events::{Act, Event};
use crate::failure::{Failure, Result};
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;
use sqlx::Connection as _;

table_row! {
    /// One act.
    pub struct AuditEntry {
        /// Counts up from 1.
        pub id: i64,
        /// When.
        pub at: Timestamp,
        /// `user`, `token`, `cli` or `system`.
        pub actor_kind: String,
        /// The user's or the token's id.
        pub actor_id: Option<i64>,
        /// The name at the time.
        pub actor: String,
        /// What was done: `user.create`, `device.remove`, `case.dispatch`, …
        pub action: String,
        /// To what: `user:3`, `device:gauge-7-k3f9`, `case:12`, …
        pub target: String,
        /// What else is worth knowing; never a secret.
        pub detail: serde_json::Value,
        /// The caller's network address; empty for the command line and the platform itself.
        pub peer: String,
        /// The row's hash in the chain, hex.
        pub hash: String,
    }
}

/// Writes one act behind the last, in the transaction that `connection` is in: [`crate::Write`] or
/// [`crate::Projection`]. Its number and hash follow from the act before it ([`crate::audit_chain`]).
///
/// # Errors
/// The store's own; `audit-newer` and `audit-head-missing`; an internal failure outside of a transaction, for an act
/// outside of the catalogue, and, in builds with debug assertions, for a detail that is not as the catalogue says.
pub async fn insert<'a>(
    connection: &mut Connection,
    now: Timestamp,
    actor: &Actor,
    act: impl Into<Act<'a>>,
    target: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    let act = act.into();
    // Otherwise another writer could come between the chain's end and the row behind it.
    if !connection.is_in_transaction() {
        return Err(Failure::internal(
            "an act is written outside of a transaction",
        ));
    }
    let Some(action) = act.word() else {
        return Err(Failure::internal(format!(
            "{act:?} is not in the catalogue of acts"
        )));
    };
    if let Some(misfit) = act.misfit(detail) {
        // Tests find it; a city in service rather has the act with one field more than no change at all.
        if cfg!(debug_assertions) {
            return Err(Failure::internal(format!("{action}: {misfit}")));
        }
        tracing::error!(action, misfit, "an act is not as the catalogue says");
    }
    let mut row = ChainRow {
        id: 0,
        at: now,
        actor_kind: actor.kind.as_str().to_owned(),
        actor_id: actor.kind.id(),
        actor: actor.name.clone(),
        action,
        target: target.to_owned(),
        detail: detail.to_string(),
        peer: actor.peer.clone(),
        hash: String::new(),
    };
    audit_chain::link(connection, &mut row).await
}

/// The newest act's number; 0 when there is none.
pub async fn last_id(connection: &mut Connection) -> Result<i64> {
    let newest = sqlx::query_scalar::<Any, Option<i64>>("SELECT MAX(id) FROM audit")
        .fetch_one(connection)
        .await?;
    Ok(newest.unwrap_or_default())
}

/// The acts of one kind behind `after`, oldest first, `limit` at most.
pub async fn since(
    connection: &mut Connection,
    after: i64,
    event: Event,
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    let acts = sqlx::query_as::<Any, AuditEntry>(
        "SELECT * FROM audit WHERE id > $1 AND action = $2 ORDER BY id LIMIT $3",
    )
    .bind(after)
    .bind(event.entry().action)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(acts)
}

/// The acts of these kinds, newest first, `limit` at most.
pub async fn newest_of(
    connection: &mut Connection,
    events: &[Event],
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    let mut newest = Vec::new();
    // Each kind by itself, by the index on acts: of a long trail not every row is looked at.
    for event in events {
        let acts = sqlx::query_as::<Any, AuditEntry>(
            "SELECT * FROM audit WHERE action = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(event.entry().action)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
        newest.extend(acts);
    }
    newest.sort_by_key(|act| std::cmp::Reverse(act.id));
    newest.truncate(limit as usize);
    Ok(newest)
}

/// The acts of these kinds on one target, newest first.
///
/// # Errors
/// As [`list`].
pub async fn of_target(
    connection: &mut Connection,
    target: &str,
    events: &[Event],
    page: &PageRequest,
) -> Result<Page<AuditEntry>> {
    let before = page.after_number()?.unwrap_or(i64::MAX);
    let mut rows = Vec::new();
    // Each kind by itself, as in `newest_of`.
    for event in events {
        let acts = sqlx::query_as::<Any, AuditEntry>(
            "SELECT * FROM audit WHERE action = $1 AND target = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        )
        .bind(event.entry().action)
        .bind(target)
        .bind(before)
        .bind(page.fetch())
        .fetch_all(&mut *connection)
        .await?;
        rows.extend(acts);
    }
    rows.sort_by_key(|act| std::cmp::Reverse(act.id));
    rows.truncate(usize::try_from(page.fetch()).unwrap_or(usize::MAX));
    Ok(Page::cut(rows, page, |act| act.id.to_string()))
}

/// The acts of one kind from a time on, newest first.
pub async fn from(
    connection: &mut Connection,
    event: Event,
    from: Timestamp,
) -> Result<Vec<AuditEntry>> {
    Ok(sqlx::query_as::<Any, AuditEntry>(
        "SELECT * FROM audit WHERE action = $1 AND at >= $2 ORDER BY id DESC",
    )
    .bind(event.entry().action)
    .bind(from.micros())
    .fetch_all(connection)
    .await?)
}

/// How many acts of one kind each target has.
pub async fn count_by_target(connection: &mut Connection, event: Event) -> Result<Vec<ActCount>> {
    Ok(sqlx::query_as::<Any, ActCount>(
        "SELECT target AS name, COUNT(*) AS acts, MAX(at) AS last FROM audit WHERE action = $1 GROUP BY target",
    )
    .bind(event.entry().action)
    .fetch_all(connection)
    .await?)
}

/// Which acts are looked for; what is `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Part of the actor's name.
    pub actor: Option<String>,
    /// The act's word; one that ends with `*` is the beginning of the word.
    pub action: Option<String>,
    /// The beginning of the target.
    pub target: Option<String>,
    /// Part of the target, the detail, the actor's name or the network address.
    pub text: Option<String>,
}

/// The acts, newest first.
///
/// # Errors
/// The store's own; [`Failure::Invalid`] for a cursor that is none.
pub async fn list(connection: &mut Connection, page: &PageRequest) -> Result<Page<AuditEntry>> {
    search(connection, &Search::default(), page).await
}

/// The acts that are looked for, newest first. A letter's case does not matter where it is ASCII.
///
/// # Errors
/// As [`list`].
pub async fn search(
    connection: &mut Connection,
    wanted: &Search,
    page: &PageRequest,
) -> Result<Page<AuditEntry>> {
    let action = wanted
        .action
        .as_deref()
        .map(|word| match word.strip_suffix('*') {
            Some(begin) => format!("{}%", escaped(begin)),
            None => escaped(word),
        });
    let within = |text: &String| format!("%{}%", escaped(&text.to_lowercase()));
    let rows = sqlx::query_as::<Any, AuditEntry>(
        "SELECT * FROM audit WHERE id < $1 \
         AND ($2 IS NULL OR at >= $2) AND ($3 IS NULL OR at < $3) \
         AND ($4 IS NULL OR lower(actor) LIKE $4 ESCAPE '!') \
         AND ($5 IS NULL OR action LIKE $5 ESCAPE '!') \
         AND ($6 IS NULL OR target LIKE $6 ESCAPE '!') \
         AND ($7 IS NULL OR lower(actor || ' ' || target || ' ' || detail || ' ' || peer) LIKE $7 ESCAPE '!') \
         ORDER BY id DESC LIMIT $8",
    )
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(wanted.from.map(|t| t.micros()))
    .bind(wanted.to.map(|t| t.micros()))
    .bind(wanted.actor.as_ref().map(within))
    .bind(action)
    .bind(wanted.target.as_deref().map(|t| format!("{}%", escaped(t))))
    .bind(wanted.text.as_ref().map(within))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |a| a.id.to_string()))
}

/// What acts are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountBy {
    /// The actor's name.
    Actor,
    /// The network address.
    Peer,
}

table_row! {
    /// How many acts somebody, or somewhere, has, or were done to something.
    pub struct ActCount {
        /// The actor's name, the network address or the target.
        pub name: String,
        /// How many.
        pub acts: i64,
        /// The last of them.
        pub last: Timestamp,
    }
}

table_row! {
    /// How many acts an hour has.
    pub struct HourCount {
        /// Hours since 1970, UTC.
        pub hour: i64,
        /// How many acts.
        pub acts: i64,
    }
}

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// Refusals: every act whose word ends so (`session.refused`, `oidc.client.refused`, …).
pub const REFUSED: &str = ".refused";

/// How many refusals there were from a time on, by whom or from where, most first, `limit` at most.
pub async fn refusals_by(
    connection: &mut Connection,
    by: CountBy,
    from: Timestamp,
    limit: u32,
) -> Result<Vec<ActCount>> {
    let sql = match by {
        CountBy::Actor => {
            "SELECT actor AS name, COUNT(*) AS acts, MAX(at) AS last FROM audit \
             WHERE at >= $1 AND action LIKE $2 GROUP BY actor ORDER BY 2 DESC, 3 DESC, 1 LIMIT $3"
        }
        CountBy::Peer => {
            "SELECT peer AS name, COUNT(*) AS acts, MAX(at) AS last FROM audit \
             WHERE at >= $1 AND action LIKE $2 GROUP BY peer ORDER BY 2 DESC, 3 DESC, 1 LIMIT $3"
        }
    };
    let counts = sqlx::query_as::<Any, ActCount>(sql)
        .bind(from.micros())
        .bind(format!("%{REFUSED}"))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    Ok(counts)
}

/// How many refusals each hour had from a time on; an hour without any is not there.
pub async fn refusals_by_hour(
    connection: &mut Connection,
    from: Timestamp,
) -> Result<Vec<HourCount>> {
    let counts = sqlx::query_as::<Any, HourCount>(
        "SELECT at / $1 AS hour, COUNT(*) AS acts FROM audit \
         WHERE at >= $2 AND action LIKE $3 GROUP BY at / $1 ORDER BY 1",
    )
    .bind(HOUR_MICROS)
    .bind(from.micros())
    .bind(format!("%{REFUSED}"))
    .fetch_all(connection)
    .await?;
    Ok(counts)
}

/// How many refusals there were from a time on, before another.
pub async fn refusals(connection: &mut Connection, from: Timestamp, to: Timestamp) -> Result<i64> {
    let count = sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM audit WHERE at >= $1 AND at < $2 AND action LIKE $3",
    )
    .bind(from.micros())
    .bind(to.micros())
    .bind(format!("%{REFUSED}"))
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// Text in which nothing is a sign of LIKE.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}
