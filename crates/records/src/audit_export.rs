//! The audit trail as JSON Lines for whoever verifies it without us: one object a line, in this order:
//!
//! ```text
//! {"kind":"header","format":"jingling-audit","version":1, city, exported_at, from, to, the row and hash before the first row, …}
//! {"kind":"key", …}    each key that seals were made with
//! {"kind":"row", …}    each row with its hash; "at" is microseconds since 1970 UTC, "detail" the stored text
//! {"kind":"seal", …}   behind the row that it covers up to
//! {"kind":"end", …}    how many rows and seals there were: a file without it was cut off
//! ```
//! It goes on to the first seal behind the last row asked for, where there is one, so that those rows are under a signature
//! too. `docs/audit.md` says how it is verified; `verify_export.py` of the binary does it.

use crate::audit_chain::{self, ChainRow};
use crate::audit_seals::{self, Seal};
use crate::failure::{Failure, Result};
use crate::store::Connection;
use model::{Problem, Timestamp};
use serde_json::{Value, json};
use sqlx::Any;
use std::collections::VecDeque;

/// Version of the lines.
pub const VERSION: u32 = 1;
/// Rows of one piece.
const PIECE_ROWS: i64 = 1_000;

/// An export under way: pieces of whole lines until there are no more.
#[derive(Debug)]
pub struct Export {
    header: Option<Vec<Value>>,
    after: i64,
    last: i64,
    seals: VecDeque<Seal>,
    rows: i64,
    sealed: i64,
    is_done: bool,
}

impl Export {
    /// Begins an export of the rows from the first whose time is not before `from` to the last whose time is before
    /// `to`, with all between them; `city` says which city it is.
    ///
    /// # Errors
    /// The store's own; `audit-newer`; `audit-head-missing`; `audit-row-missing` when the row before the first is not there.
    pub async fn begin(
        connection: &mut Connection,
        city: &str,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self> {
        let Some(head) = audit_chain::head(connection).await? else {
            return Err(Failure::Unavailable(Problem::new(
                "audit-head-missing",
                "the end of the audit chain is not there",
                "records.sqlite, table audit_head",
                "see what is wrong with `jingling audit verify`",
            )));
        };
        let first = match from {
            None => Some(1),
            Some(from) => {
                bound(connection, "SELECT MIN(id) FROM audit WHERE at >= $1", from).await?
            }
        };
        let last = match to {
            None => Some(head.last),
            Some(to) => bound(connection, "SELECT MAX(id) FROM audit WHERE at < $1", to).await?,
        };
        // No row: nothing behind the chain's end.
        let first = first.unwrap_or(head.last + 1);
        let mut last = last.unwrap_or(0).min(head.last).max(first - 1);
        let mut seals = VecDeque::new();
        let mut number = 0;
        loop {
            let step = audit_seals::seals(connection, number, PIECE_ROWS).await?;
            let Some(end) = step.last() else { break };
            number = end.number;
            seals.extend(step.into_iter().filter(|seal| seal.row_id >= first));
        }
        let covering = seals
            .iter()
            .find(|seal| seal.row_id >= last)
            .map(|s| s.row_id);
        if last >= first {
            last = covering.unwrap_or(last);
        }
        seals.retain(|seal| seal.row_id <= last);
        let before = match audit_chain::rows(connection, first - 2, 1).await?.pop() {
            _ if first == 1 => hex::encode(audit_chain::beginning()),
            Some(row) if row.id == first - 1 => row.hash,
            // Of a city made from an older folder the numbers may have gaps.
            Some(_) | None => return Err(gap(first - 1)),
        };
        let mut header = vec![json!({
            "kind": "header", "format": "jingling-audit", "version": VERSION, "city": city,
            "exported_at": now.to_string(),
            "from": from.map(|t| t.to_string()), "to": to.map(|t| t.to_string()),
            "before_row": first - 1, "before_hash": before,
            "last_row": last, "chained_later": head.chained_later,
            "chain_end": {"row": head.last, "hash": head.hash},
            "user_id": gm::DEFAULT_USER_ID,
        })];
        for key in audit_seals::keys(connection).await? {
            header.push(json!({
                "kind": "key", "id": key.id, "public_key": key.public_key, "made_at": key.made_at.to_string(),
            }));
        }
        Ok(Self {
            header: Some(header),
            after: first - 1,
            last,
            seals,
            rows: 0,
            sealed: 0,
            is_done: false,
        })
    }

    /// The next whole lines; `None` at the end.
    ///
    /// # Errors
    /// The store's own: the file is then without its end, and so not taken for a whole one.
    pub async fn next(&mut self, connection: &mut Connection) -> Result<Option<String>> {
        let mut lines = self.header.take().unwrap_or_default();
        if lines.is_empty() {
            if self.is_done {
                return Ok(None);
            }
            let rows = audit_chain::rows(connection, self.after, PIECE_ROWS).await?;
            for row in rows.iter().take_while(|row| row.id <= self.last) {
                lines.push(line_of(row));
                self.after = row.id;
                self.rows += 1;
                while let Some(seal) = self.seals.pop_front_if(|seal| seal.row_id <= row.id) {
                    lines.push(line_of_seal(&seal));
                    self.sealed += 1;
                }
            }
            if lines.is_empty() {
                self.is_done = true;
                lines.push(json!({"kind": "end", "rows": self.rows, "seals": self.sealed}));
            }
        }
        let mut text = String::new();
        for line in lines {
            text += &line.to_string();
            text.push('\n');
        }
        Ok(Some(text))
    }
}

async fn bound(
    connection: &mut Connection,
    sql: &'static str,
    at: Timestamp,
) -> Result<Option<i64>> {
    let id = sqlx::query_scalar::<Any, Option<i64>>(sql)
        .bind(at.micros())
        .fetch_one(connection)
        .await?;
    Ok(id)
}

fn gap(row: i64) -> Failure {
    Failure::Conflict(Problem::new(
        "audit-row-missing",
        format!(
            "row {row} of the audit trail is not there, and so not the hash that the export would begin with"
        ),
        "records.sqlite, table audit",
        "see what is wrong with `jingling audit verify`; export from the beginning meanwhile",
    ))
}

fn line_of(row: &ChainRow) -> Value {
    json!({
        "kind": "row", "id": row.id, "at": row.at.micros(), "time": row.at.to_string(),
        "actor_kind": row.actor_kind, "actor_id": row.actor_id, "actor": row.actor, "action": row.action,
        "target": row.target, "detail": row.detail, "peer": row.peer, "hash": row.hash,
    })
}

fn line_of_seal(seal: &Seal) -> Value {
    json!({
        "kind": "seal", "number": seal.number, "at": seal.at.micros(), "time": seal.at.to_string(), "row": seal.row_id,
        "row_hash": seal.row_hash, "previous": seal.previous, "key": seal.key_id, "signature": seal.signature,
    })
}
