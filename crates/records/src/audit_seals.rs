//! Seals of the audit chain: every so many rows, or so many seconds, the chain's state is signed with SM2. Whoever has no
//! key can then change nothing before the last seal without it being seen, not even by computing every hash anew.
//!
//! ```text
//! statement(n) = "jingling audit seal 1\n" ‖ s(n) ‖ s(at) ‖ s(row) ‖ s(hash of the row, hex) ‖ s(previous, hex) ‖ s(key, hex)
//! signature(n) = SM2 with SM3 and the user id 1234567812345678 over statement(n), DER
//! previous     = SM3(statement(n-1) ‖ signature(n-1)); 64 zeros for the first
//! key          = SM3 of the public key's point (0x04 ‖ x ‖ y)
//! ```
//! `s` is as in [`crate::audit_chain`]. The key's file and when it is asked for a seal are the binary's; here are the
//! tables, what is signed, and whether it is time. Time and key are arguments.

use crate::actor::Actor;
use crate::audit;
use crate::audit_chain::{self, put};
use crate::audit_events::Event;
use crate::failure::{Failure, Result};
use crate::field::table_row;
use crate::store::{Connection, Write};
use gm::{SigningKey, VerifyingKey};
use model::{Problem, Timestamp};
use serde_json::json;
use sqlx::Any;

/// What a statement begins with; the 1 is the version of its form.
const SEAL: &[u8] = b"jingling audit seal 1\n";
/// A number that an SM3 hash would be: before the first seal there is none.
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// When a seal is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Rows behind the last seal that bring the next one at once (default 1,000).
    pub rows: i64,
    /// Longest time that a row stays without a seal, in seconds (default 3,600).
    pub seconds: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rows: 1_000,
            seconds: 3_600,
        }
    }
}

table_row! {
    /// A key whose seals the chain has.
    pub struct SealKey {
        /// SM3 of its point, hex.
        pub id: String,
        /// SPKI PEM.
        pub public_key: String,
        /// When it was put in use.
        pub made_at: Timestamp,
    }
}

table_row! {
    /// A seal.
    pub struct Seal {
        /// Counts up from 1.
        pub number: i64,
        /// When.
        pub at: Timestamp,
        /// The last row that it covers.
        pub row_id: i64,
        /// That row's hash, hex.
        pub row_hash: String,
        /// The hash of the seal before it, hex.
        pub previous: String,
        /// The key, by its id.
        pub key_id: String,
        /// DER, hex.
        pub signature: String,
    }
}

impl Seal {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        let mut out = SEAL.to_vec();
        for number in [self.number, self.at.micros(), self.row_id] {
            put(&mut out, &number.to_string());
        }
        for text in [&self.row_hash, &self.previous, &self.key_id] {
            put(&mut out, text);
        }
        out
    }

    /// What the next seal names as the one before it, hex.
    pub fn hash(&self) -> String {
        let mut bytes = self.statement();
        // Of a signature that is no hex nothing is taken: it is found false anyway.
        bytes.extend(hex::decode(&self.signature).unwrap_or_default());
        hex::encode(gm::sm3(&bytes))
    }

    /// Whether the key made the signature.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        hex::decode(&self.signature).is_ok_and(|der| key.verify(&self.statement(), &der).is_ok())
    }
}

/// What the first seal names as the one before it.
pub const fn before_the_first() -> &'static str {
    NONE
}

/// The name of a key: SM3 of its point, hex.
pub fn key_id(key: &VerifyingKey) -> String {
    hex::encode(key.fingerprint())
}

/// The keys, oldest first.
///
/// # Errors
/// The store's own.
pub async fn keys(connection: &mut Connection) -> Result<Vec<SealKey>> {
    let keys = sqlx::query_as::<Any, SealKey>("SELECT * FROM audit_keys ORDER BY made_at, id")
        .fetch_all(connection)
        .await?;
    Ok(keys)
}

/// The seals behind `after`, in order, `limit` at most.
///
/// # Errors
/// The store's own.
pub async fn seals(connection: &mut Connection, after: i64, limit: i64) -> Result<Vec<Seal>> {
    let seals = sqlx::query_as::<Any, Seal>(
        "SELECT * FROM audit_seals WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(seals)
}

/// The last seal.
///
/// # Errors
/// The store's own.
pub async fn last(connection: &mut Connection) -> Result<Option<Seal>> {
    let seal =
        sqlx::query_as::<Any, Seal>("SELECT * FROM audit_seals ORDER BY number DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    Ok(seal)
}

/// Puts a key in use and writes that into the trail; nothing when it is the newest already.
///
/// # Errors
/// The store's own; [`Failure::Conflict`] `audit-key-old` for a key that another has taken the place of.
pub async fn adopt(
    write: &mut Write,
    key: &VerifyingKey,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let id = key_id(key);
    let known = keys(write).await?;
    let newest = known.last().map(|k| k.id.clone());
    if newest.as_deref() == Some(id.as_str()) {
        return Ok(false);
    }
    if known.iter().any(|k| k.id == id) {
        return Err(Failure::Conflict(Problem::new(
            "audit-key-old",
            format!("the key {id} was in use before another took its place"),
            "table audit_keys",
            "use the newest key, or make a new one: `jingling audit new-key`",
        )));
    }
    // Keys are in order of this time, whatever the clock did.
    let after = known.last().map(|k| k.made_at.micros() + 1);
    let made_at = now.micros().max(after.unwrap_or(i64::MIN));
    sqlx::query::<Any>("INSERT INTO audit_keys (id, public_key, made_at) VALUES ($1, $2, $3)")
        .bind(&id)
        .bind(key.to_pem().map_err(Failure::internal)?)
        .bind(made_at)
        .execute(&mut **write)
        .await?;
    let chained_later = audit_chain::head(write).await?.map(|h| h.chained_later);
    let detail = json!({"previous": newest, "chained_later": chained_later});
    let target = format!("audit-key:{id}");
    audit::insert(write, now, actor, Event::AuditKey, &target, &detail).await?;
    Ok(true)
}

/// Rows behind the last seal; `None` when there are none.
///
/// # Errors
/// The store's own.
pub async fn unsealed(connection: &mut Connection) -> Result<Option<Unsealed>> {
    let Some(head) = audit_chain::head(connection).await? else {
        return Ok(None);
    };
    let sealed = last(connection).await?.map_or(0, |seal| seal.row_id);
    if head.last <= sealed {
        return Ok(None);
    }
    let since = sqlx::query_scalar::<Any, Option<i64>>("SELECT MIN(at) FROM audit WHERE id > $1")
        .bind(sealed)
        .fetch_one(connection)
        .await?;
    Ok(Some(Unsealed {
        rows: head.last - sealed,
        since: Timestamp::from_micros(since.unwrap_or_default()),
    }))
}

/// What waits for the next seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsealed {
    /// How many rows.
    pub rows: i64,
    /// The time of the oldest.
    pub since: Timestamp,
}

impl Unsealed {
    /// Whether it has waited long enough. A clock that went back makes a seal come early, never late.
    pub fn is_due(&self, now: Timestamp, options: &Options) -> bool {
        let waited = now.micros_since(self.since);
        let limit = options.seconds.saturating_mul(1_000_000);
        self.rows >= options.rows || waited >= limit || waited < 0
    }
}

/// Signs the chain's state; `None` when the last seal covers every row.
///
/// # Errors
/// The store's own; [`Failure::Unavailable`] `audit-key-other` when the key is not the one in use.
pub async fn seal(write: &mut Write, key: &SigningKey, now: Timestamp) -> Result<Option<Seal>> {
    let Some(head) = audit_chain::head(write).await? else {
        return Ok(None);
    };
    let before = last(write).await?;
    if head.last <= before.as_ref().map_or(0, |seal| seal.row_id) {
        return Ok(None);
    }
    let id = key_id(&key.verifying_key());
    let known = keys(write).await?;
    if known.last().map(|k| k.id.as_str()) != Some(id.as_str()) {
        return Err(Failure::Unavailable(Problem::new(
            "audit-key-other",
            format!("the key {id} is not the one that the chain's seals are made with"),
            "secrets/audit-key.pem",
            "put back the right key from a backup, or make a new one: `jingling audit new-key`",
        )));
    }
    let mut seal = Seal {
        number: before.as_ref().map_or(0, |seal| seal.number) + 1,
        at: now,
        row_id: head.last,
        row_hash: head.hash,
        previous: before.map_or_else(|| NONE.to_owned(), |seal| seal.hash()),
        key_id: id,
        signature: String::new(),
    };
    let signature = key.sign(&seal.statement()).map_err(Failure::internal)?;
    seal.signature = hex::encode(signature);
    sqlx::query::<Any>(
        "INSERT INTO audit_seals (number, at, row_id, row_hash, previous, key_id, signature) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(seal.number)
    .bind(seal.at.micros())
    .bind(seal.row_id)
    .bind(&seal.row_hash)
    .bind(&seal.previous)
    .bind(&seal.key_id)
    .bind(&seal.signature)
    .execute(&mut **write)
    .await?;
    Ok(Some(seal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_due_by_rows_by_time_or_when_the_clock_went_back() {
        let since = Timestamp::from_seconds(1_000);
        let options = Options {
            rows: 10,
            seconds: 60,
        };
        let due = |rows, at| Unsealed { rows, since }.is_due(Timestamp::from_seconds(at), &options);
        assert!(!due(9, 1_059));
        assert!(due(10, 1_000));
        assert!(due(1, 1_060));
        assert!(due(1, 900));
    }
}
