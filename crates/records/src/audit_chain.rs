//! How the rows of the audit trail hang together: the hash of a row is SM3 (GB/T 32905) over the hash before it and the
//! row in one canonical form, so that no row can be changed, taken out or put in without every later hash being another.
//!
//! ```text
//! hash(0)   = SM3("jingling audit chain 1\n")
//! hash(n)   = SM3(hash(n-1), 32 bytes ‖ canonical(row n))
//! canonical = "jingling audit row 1\n" ‖ s(id) ‖ s(at) ‖ s(actor_kind) ‖ s(actor_id) ‖ s(actor)
//!                                     ‖ s(action) ‖ s(target) ‖ s(detail) ‖ s(peer)
//! s(x)      = the length of x in bytes, decimal ‖ ":" ‖ x in UTF-8 ‖ ","       a number is decimal; nothing is "~,"
//! ```
//! `at` is microseconds since 1970 UTC, `detail` the text of the JSON as it is stored. Lengths come first, so that no two
//! rows have the same form. `docs/audit.md` says the same for whoever verifies without us.
//!
//! The chain is a line because all writers wait for each other: `audit_head` is one row, which each of them changes first
//! in its transaction ([`link`]). SQLite has one writer anyway; PostgreSQL locks the row until the transaction ends.

use crate::failure::{Failure, Result};
use crate::field::table_row;
use crate::store::Connection;
use gm::{HASH_BYTES, Sm3};
use model::{Problem, Timestamp};
use sqlx::{Any, Row as _};

/// Version of the form above; a chain of a newer one is refused.
pub const FORMAT: i64 = 1;
/// What a row's canonical form begins with.
const ROW: &[u8] = b"jingling audit row 1\n";
/// What the hash before the first row is made of.
const BEGINNING: &[u8] = b"jingling audit chain 1\n";
/// Rows of an older folder that are chained in one step.
const STEP_ROWS: i64 = 1_000;

/// A hash of the chain.
pub type Hash = [u8; HASH_BYTES];

table_row! {
    /// A row of the trail as it is stored: what the chain is over.
    pub struct ChainRow {
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
        /// What was done.
        pub action: String,
        /// To what.
        pub target: String,
        /// What else: the JSON's text as it is stored.
        pub detail: String,
        /// The caller's network address.
        pub peer: String,
        /// The row's hash, hex.
        pub hash: String,
    }
}

/// Writes `s(x)`.
pub(crate) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(text.as_bytes());
    out.push(b',');
}

impl ChainRow {
    /// The row's canonical form under a number, which is its own unless somebody renumbered.
    fn canonical(&self, id: i64) -> Vec<u8> {
        let mut out = ROW.to_vec();
        put(&mut out, &id.to_string());
        put(&mut out, &self.at.micros().to_string());
        put(&mut out, &self.actor_kind);
        match self.actor_id {
            Some(id) => put(&mut out, &id.to_string()),
            None => out.extend_from_slice(b"~,"),
        }
        for text in [
            &self.actor,
            &self.action,
            &self.target,
            &self.detail,
            &self.peer,
        ] {
            put(&mut out, text);
        }
        out
    }

    /// The hash that the row has behind `previous`.
    pub fn hash_behind(&self, previous: &Hash) -> Hash {
        self.hash_as(previous, self.id)
    }

    /// The hash that it would have under another number.
    pub(crate) fn hash_as(&self, previous: &Hash, id: i64) -> Hash {
        let mut hash = Sm3::new();
        hash.update(previous);
        hash.update(&self.canonical(id));
        hash.finish()
    }
}

/// The hash before the first row.
pub fn beginning() -> Hash {
    gm::sm3(BEGINNING)
}

/// A hash from its hex text; `None` when it is none.
pub fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; HASH_BYTES];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}

table_row! {
    /// The chain's end.
    pub struct Head {
        /// The form of the chain: [`FORMAT`].
        pub format: i64,
        /// The number of the last row; 0 when there is none.
        pub last: i64,
        /// Its hash, hex.
        pub hash: String,
        /// The number of the last row that was there before the chain was: such rows are proved unchanged since then only.
        pub chained_later: i64,
    }
}

/// The chain's end; `None` when somebody took it away.
///
/// # Errors
/// The store's own; `audit-newer` when a newer program made the chain.
pub async fn head(connection: &mut Connection) -> Result<Option<Head>> {
    let head = sqlx::query_as::<Any, Head>(
        "SELECT format, last, hash, chained_later FROM audit_head WHERE one = 1",
    )
    .fetch_optional(connection)
    .await?;
    match head {
        Some(head) if head.format > FORMAT => Err(newer(head.format)),
        head => Ok(head),
    }
}

fn newer(format: i64) -> Failure {
    Failure::Invalid(Problem::new(
        "audit-newer",
        format!("the audit chain has the form {format}, this build knows forms up to {FORMAT}"),
        "records.sqlite, table audit_head",
        "run the newer build that wrote it",
    ))
}

/// Appends a row: gives it the next number and its hash, which is made here. To be called in a transaction, whose other
/// writers wait from here until its end.
///
/// # Errors
/// The store's own; `audit-newer`; `audit-head-missing` when the chain's end is not there, or is no hash.
pub(crate) async fn link(connection: &mut Connection, row: &mut ChainRow) -> Result<()> {
    let head = sqlx::query::<Any>(
        "UPDATE audit_head SET last = last + 1 WHERE one = 1 RETURNING last, hash, format",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let missing = || {
        Failure::Unavailable(Problem::new(
            "audit-head-missing",
            "the end of the audit chain is not there, so nothing can be written behind it",
            "records.sqlite, table audit_head",
            "somebody changed the records by hand: see what with `jingling audit verify`, then restore them from a backup",
        ))
    };
    let head = head.ok_or_else(missing)?;
    let (last, hash, format): (i64, String, i64) =
        (head.try_get(0)?, head.try_get(1)?, head.try_get(2)?);
    if format > FORMAT {
        return Err(newer(format));
    }
    let previous = from_hex(&hash).ok_or_else(missing)?;
    row.id = last;
    row.hash = hex::encode(row.hash_behind(&previous));
    sqlx::query::<Any>(
        "INSERT INTO audit (id, at, actor_kind, actor_id, actor, action, target, detail, peer, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.id)
    .bind(row.at.micros())
    .bind(&row.actor_kind)
    .bind(row.actor_id)
    .bind(&row.actor)
    .bind(&row.action)
    .bind(&row.target)
    .bind(&row.detail)
    .bind(&row.peer)
    .bind(&row.hash)
    .execute(&mut *connection)
    .await?;
    sqlx::query::<Any>("UPDATE audit_head SET hash = $1 WHERE one = 1")
        .bind(&row.hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// The rows behind `after`, in order, `limit` at most.
///
/// # Errors
/// The store's own.
pub async fn rows(connection: &mut Connection, after: i64, limit: i64) -> Result<Vec<ChainRow>> {
    let rows = sqlx::query_as::<Any, ChainRow>(
        "SELECT id, at, actor_kind, actor_id, actor, action, target, detail, peer, hash FROM audit \
         WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// Chains the rows that are there, when the shape is made: part of the migration, so that no row is ever unchained.
pub(crate) async fn begin(connection: &mut Connection) -> Result<()> {
    let (mut last, mut hash) = (0, beginning());
    loop {
        let step = rows(connection, last, STEP_ROWS).await?;
        let Some(end) = step.last() else { break };
        for row in &step {
            hash = row.hash_behind(&hash);
            sqlx::query::<Any>("UPDATE audit SET hash = $1 WHERE id = $2")
                .bind(hex::encode(hash))
                .bind(row.id)
                .execute(&mut *connection)
                .await?;
        }
        last = end.id;
    }
    sqlx::query::<Any>(
        "INSERT INTO audit_head (one, format, last, hash, chained_later) VALUES (1, $1, $2, $3, $2)",
    )
    .bind(FORMAT)
    .bind(last)
    .bind(hex::encode(hash))
    .execute(connection)
    .await?;
    if last > 0 {
        tracing::info!(rows_to = last, "the audit trail's rows were chained");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ChainRow {
        ChainRow {
            id: 7,
            at: Timestamp::from_micros(1_800_000_000_000_001),
            actor_kind: "user".into(),
            actor_id: Some(3),
            actor: "王敏".into(),
            action: "user.change".into(),
            target: "user:4".into(),
            detail: "{}".into(),
            peer: String::new(),
            hash: String::new(),
        }
    }

    /// The form is a promise to whoever verifies with a program of their own.
    #[test]
    fn the_canonical_form_is_this() {
        let text = "jingling audit row 1\n1:7,16:1800000000000001,4:user,1:3,6:王敏,11:user.change,6:user:4,2:{},0:,";
        assert_eq!(String::from_utf8(row().canonical(7)).unwrap(), text);
        let nobody = ChainRow {
            actor_id: None,
            ..row()
        };
        let text = String::from_utf8(nobody.canonical(7)).unwrap();
        assert!(text.contains("4:user,~,6:王敏,"), "{text}");
        let whole = [beginning().as_slice(), &row().canonical(7)].concat();
        assert_eq!(row().hash_behind(&beginning()), gm::sm3(&whole));
    }

    #[test]
    fn every_field_and_the_hash_before_count() {
        let first = row().hash_behind(&beginning());
        let changes: [fn(&mut ChainRow); 9] = [
            |r| r.id = 8,
            |r| r.at = Timestamp::from_micros(1),
            |r| r.actor_kind = "cli".into(),
            |r| r.actor_id = None,
            |r| r.actor = "王".into(),
            |r| r.action = "user.create".into(),
            |r| r.target = "user:5".into(),
            |r| r.detail = "{ }".into(),
            |r| r.peer = "10.0.0.1".into(),
        ];
        for change in changes {
            let mut other = row();
            change(&mut other);
            assert_ne!(other.hash_behind(&beginning()), first, "{other:?}");
        }
        assert_ne!(row().hash_behind(&first), first);
        // Text that moves from one field to its neighbour is another row.
        let mut moved = row();
        (moved.actor, moved.action) = ("王敏user".into(), ".change".into());
        assert_ne!(moved.hash_behind(&beginning()), first);
    }
}
