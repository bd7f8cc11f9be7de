//! Tables `notice_rules`, `notice_events`, `notice_messages`, `notice_watches`, `notice_contacts` and `notice_quiet_hours`: who is
//! told of what, how, and what became of it. What is decided about them is the crate `notice`'s.

use crate::alerts::Alert;
use crate::audit::AuditEntry;
use crate::cases::{Case, CaseEvent};
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, FromRow};

/// The channel that is the pages themselves.
pub const PAGE: &str = "page";

/// Where a message waits to be sent.
pub const QUEUED: &str = "queued";
/// Its gateway took it; on the pages: it is there.
pub const SENT: &str = "sent";
/// Its gateway says that it arrived.
pub const DELIVERED: &str = "delivered";
/// Its person took note of it.
pub const READ: &str = "read";
/// It was given up, with why.
pub const FAILED: &str = "failed";
/// Its time was over before it could be sent.
pub const EXPIRED: &str = "expired";
/// It was told within another message.
pub const FOLDED: &str = "folded";

table_row! {
    /// A rule of who is told of what (通知规则).
    pub struct RuleRow {
        /// Its id.
        pub id: String,
        /// The rule itself.
        pub document: serde_json::Value,
        /// Counts its changes, from 1.
        pub version: i64,
        /// When it was last changed.
        pub updated_at: Timestamp,
        /// Who changed it.
        pub updated_by: String,
    }
}

table_row! {
    /// Something that happened and that somebody is told of.
    pub struct EventRow {
        /// Counts up from 1.
        pub id: i64,
        /// What makes it the same event when it is read again.
        pub key: String,
        /// `alert.raised`, `case.dispatch`, …
        pub kind: String,
        /// `info`, `minor`, `major` or `critical`.
        pub severity: String,
        /// What happened, in Chinese.
        pub title_zh: String,
        /// What happened, in English.
        pub title_en: String,
        /// When.
        pub at: Timestamp,
        /// The whole of it.
        pub document: serde_json::Value,
    }
}

table_row! {
    /// A message of the outbox; of the channel [`PAGE`], what a person sees on the pages.
    pub struct Message {
        /// Counts up from 1.
        pub id: i64,
        /// What a receiver knows it by when it comes twice.
        pub key: String,
        /// What it tells of.
        pub event_id: i64,
        /// The rule that wanted it.
        pub rule_id: String,
        /// The rule's level, from 0.
        pub level: i64,
        /// The channel's id in the settings, or [`PAGE`].
        pub channel: String,
        /// Who is told; `None` when the channel is a system's.
        pub user_id: Option<i64>,
        /// Whether it goes through quiet hours and is never folded into another.
        pub urgent: bool,
        /// [`QUEUED`], [`SENT`], [`DELIVERED`], [`READ`], [`FAILED`], [`EXPIRED`] or [`FOLDED`].
        pub state: String,
        /// How often it was tried.
        pub attempts: i64,
        /// Not before.
        pub next_at: Timestamp,
        /// Not after.
        pub expires_at: Timestamp,
        /// When it was planned.
        pub created_at: Timestamp,
        /// When its gateway took it.
        pub sent_at: Option<Timestamp>,
        /// When it arrived, as its gateway says.
        pub delivered_at: Option<Timestamp>,
        /// When its person took note.
        pub read_at: Option<Timestamp>,
        /// What its gateway calls it.
        pub provider_id: Option<String>,
        /// Why it could not be sent the last time.
        pub error: Option<String>,
        /// The message that told of it.
        pub folded_into: Option<i64>,
    }
}

table_row! {
    /// A level that waits for nobody to answer.
    pub struct Watch {
        /// Counts up from 1.
        pub id: i64,
        /// What is to be answered.
        pub event_id: i64,
        /// The rule.
        pub rule_id: String,
        /// The level that is told when nobody answered.
        pub level: i64,
        /// When.
        pub due_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// How: `answered`, `over`, `told`.
        pub why: Option<String>,
    }
}

table_row! {
    /// How a person is reached (联系方式).
    pub struct Contact {
        /// Counts up from 1.
        pub id: i64,
        /// Who.
        pub user_id: i64,
        /// `email` or `phone`.
        pub kind: String,
        /// The address or number, sealed.
        pub sealed: String,
        /// The same as lists may show it.
        pub shown: String,
        /// Since when.
        pub created_at: Timestamp,
        /// When its person proved that it is theirs.
        pub verified_at: Option<Timestamp>,
        /// Hash of the code that proves it; empty when none is out.
        pub code_hash: String,
        /// Until when the code is good.
        pub code_until: Option<Timestamp>,
        /// How often a wrong code was given.
        pub code_tries: i64,
    }
}

/// The rules, by id.
pub async fn rules(connection: &mut Connection) -> Result<Vec<RuleRow>> {
    Ok(
        sqlx::query_as::<Any, RuleRow>("SELECT * FROM notice_rules ORDER BY id")
            .fetch_all(connection)
            .await?,
    )
}

/// Adds a rule or changes it; gives its version.
pub async fn put_rule(
    connection: &mut Connection,
    id: &str,
    document: &serde_json::Value,
    by: &str,
    now: Timestamp,
) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO notice_rules (id, document, version, updated_at, updated_by) VALUES ($1, $2, 1, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET document = excluded.document, version = notice_rules.version + 1, \
         updated_at = excluded.updated_at, updated_by = excluded.updated_by RETURNING version",
    )
    .bind(id)
    .bind(document.to_string())
    .bind(now.micros())
    .bind(by)
    .fetch_one(connection)
    .await?)
}

/// Takes a rule away; `false` when there is none.
pub async fn remove_rule(connection: &mut Connection, id: &str) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM notice_rules WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The alerts behind `after`, oldest first.
pub async fn alerts_after(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<Alert>> {
    behind(
        connection,
        "SELECT * FROM alerts WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    .await
}

/// The rows that `sql` gives behind a number, at most so many.
async fn behind<T>(
    connection: &mut Connection,
    sql: &'static str,
    after: i64,
    limit: u32,
) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    let query = sqlx::query_as::<Any, T>(sql).bind(after);
    Ok(query.bind(i64::from(limit)).fetch_all(connection).await?)
}

/// The steps of cases behind `after`, oldest first.
pub async fn case_events_after(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<CaseEvent>> {
    behind(
        connection,
        "SELECT * FROM case_events WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    .await
}

/// The acts of the audit trail behind `after`, oldest first.
pub async fn audit_after(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    behind(
        connection,
        "SELECT * FROM audit WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    .await
}

/// The open cases that became overdue in `(from, to]`, by when.
pub async fn cases_overdue(
    connection: &mut Connection,
    from: Timestamp,
    to: Timestamp,
    limit: u32,
) -> Result<Vec<Case>> {
    Ok(sqlx::query_as::<Any, Case>(
        "SELECT * FROM cases WHERE closed_at IS NULL AND due_at > $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3",
    )
    .bind(from.micros())
    .bind(to.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The newest step of a case.
pub async fn last_step(connection: &mut Connection, case_id: i64) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COALESCE(MAX(id), 0) FROM case_events WHERE case_id = $1",
    )
    .bind(case_id)
    .fetch_one(connection)
    .await?)
}

/// Adds an event, when it is new; gives its id in either case, and whether it is new.
pub async fn add_event(connection: &mut Connection, row: &EventRow) -> Result<(i64, bool)> {
    let added = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO notice_events (key, kind, severity, title_zh, title_en, at, document) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING RETURNING id",
    )
    .bind(&row.key)
    .bind(&row.kind)
    .bind(&row.severity)
    .bind(&row.title_zh)
    .bind(&row.title_en)
    .bind(row.at.micros())
    .bind(row.document.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(id) = added {
        return Ok((id, true));
    }
    let id = sqlx::query_scalar::<Any, i64>("SELECT id FROM notice_events WHERE key = $1")
        .bind(&row.key)
        .fetch_one(connection)
        .await?;
    Ok((id, false))
}

/// One event.
pub async fn event(connection: &mut Connection, id: i64) -> Result<Option<EventRow>> {
    Ok(
        sqlx::query_as::<Any, EventRow>("SELECT * FROM notice_events WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Adds a message; its `id` and everything behind `created_at` is ignored. `None` when its key is there already.
pub async fn add_message(connection: &mut Connection, new: &Message) -> Result<Option<Message>> {
    Ok(sqlx::query_as::<Any, Message>(
        "INSERT INTO notice_messages (key, event_id, rule_id, level, channel, user_id, urgent, state, next_at, \
         expires_at, created_at, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (key) DO NOTHING RETURNING *",
    )
    .bind(&new.key)
    .bind(new.event_id)
    .bind(&new.rule_id)
    .bind(new.level)
    .bind(&new.channel)
    .bind(new.user_id)
    .bind(i64::from(new.urgent))
    .bind(&new.state)
    .bind(new.next_at.micros())
    .bind(new.expires_at.micros())
    .bind(new.created_at.micros())
    .bind(new.sent_at.map(Timestamp::micros))
    .fetch_optional(connection)
    .await?)
}

/// One message.
pub async fn message(connection: &mut Connection, id: i64) -> Result<Option<Message>> {
    Ok(
        sqlx::query_as::<Any, Message>("SELECT * FROM notice_messages WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The messages of a channel that are due, the urgent first, then the oldest.
pub async fn due(
    connection: &mut Connection,
    channel: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Message>> {
    Ok(sqlx::query_as::<Any, Message>(
        "SELECT * FROM notice_messages WHERE state = 'queued' AND channel = $1 AND next_at <= $2 \
         ORDER BY urgent DESC, id LIMIT $3",
    )
    .bind(channel)
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The channels that messages wait for.
pub async fn waiting_channels(connection: &mut Connection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar::<Any, String>(
        "SELECT DISTINCT channel FROM notice_messages WHERE state = 'queued' ORDER BY channel",
    )
    .fetch_all(connection)
    .await?)
}

/// How many messages a channel took since then, all of them and those of one person.
pub async fn sent_since(
    connection: &mut Connection,
    channel: &str,
    user_id: Option<i64>,
    since: Timestamp,
) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM notice_messages WHERE channel = $1 AND sent_at > $2 AND folded_into IS NULL \
         AND ($3 IS NULL OR user_id = $3)",
    )
    .bind(channel)
    .bind(since.micros())
    .bind(user_id)
    .fetch_one(connection)
    .await?)
}

/// Takes a message up: it is tried now, and when nothing is heard of that (the process died), again at `again_at`. `false`
/// when it is no longer queued or somebody else took it up.
pub async fn take_up(
    connection: &mut Connection,
    message: &Message,
    again_at: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET attempts = attempts + 1, next_at = $1 \
         WHERE id = $2 AND state = 'queued' AND attempts = $3",
    )
    .bind(again_at.micros())
    .bind(message.id)
    .bind(message.attempts)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the gateway took a message; `false` when that is known already.
pub async fn sent(
    connection: &mut Connection,
    id: i64,
    provider_id: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET state = 'sent', sent_at = $1, provider_id = $2, error = NULL \
         WHERE id = $3 AND state = 'queued'",
    )
    .bind(now.micros())
    .bind(provider_id)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a message could not be sent: it is tried again at `next_at`, or with `state` given up.
pub async fn not_sent(
    connection: &mut Connection,
    id: i64,
    state: &str,
    next_at: Timestamp,
    error: &str,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET state = $1, next_at = $2, error = $3 WHERE id = $4 AND state = 'queued'",
    )
    .bind(state)
    .bind(next_at.micros())
    .bind(error)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a message off without having tried it.
pub async fn put_off(connection: &mut Connection, id: i64, next_at: Timestamp) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE notice_messages SET next_at = $1 WHERE id = $2 AND state = 'queued'",
    )
    .bind(next_at.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a message is told within another, and is sent when that is.
pub async fn fold(connection: &mut Connection, id: i64, into: i64) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET state = 'folded', folded_into = $1 WHERE id = $2 AND state = 'queued'",
    )
    .bind(into)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The titles of the events that are told within a message, the newest first, and how many they are.
pub async fn folded(
    connection: &mut Connection,
    into: i64,
    limit: u32,
) -> Result<(i64, Vec<(String, String)>)> {
    let count = sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM notice_messages WHERE folded_into = $1",
    )
    .bind(into)
    .fetch_one(&mut *connection)
    .await?;
    let titles = sqlx::query_as::<Any, (String, String)>(
        "SELECT e.title_zh, e.title_en FROM notice_messages m JOIN notice_events e ON e.id = m.event_id \
         WHERE m.folded_into = $1 ORDER BY m.id DESC LIMIT $2",
    )
    .bind(into)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok((count, titles))
}

/// Notes what a gateway says of a message that it took: that it arrived, or that it did not.
pub async fn receipt(
    connection: &mut Connection,
    channel: &str,
    provider_id: &str,
    arrived: std::result::Result<(), &str>,
    now: Timestamp,
) -> Result<bool> {
    let (state, error) = match arrived {
        Ok(()) => (DELIVERED, None),
        Err(why) => (FAILED, Some(why)),
    };
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET state = $1, delivered_at = $2, error = $3 \
         WHERE channel = $4 AND provider_id = $5 AND state = 'sent'",
    )
    .bind(state)
    .bind(error.is_none().then_some(now.micros()))
    .bind(error)
    .bind(channel)
    .bind(provider_id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes that a person took note of what a message tells of, whatever other channels tell the same; what still waits to be sent
/// of it is not sent any more. How many messages that were.
pub async fn read(
    connection: &mut Connection,
    id: i64,
    user_id: i64,
    now: Timestamp,
) -> Result<u64> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET read_at = $1, \
         state = CASE WHEN state IN ('queued', 'sent', 'delivered') THEN 'read' ELSE state END \
         WHERE user_id = $2 AND read_at IS NULL AND event_id IN \
         (SELECT event_id FROM notice_messages WHERE user_id = $2 AND (id = $3 OR folded_into = $3))",
    )
    .bind(now.micros())
    .bind(user_id)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// The same for all that the pages show a person, up to a message.
pub async fn read_all(
    connection: &mut Connection,
    user_id: i64,
    up_to: i64,
    now: Timestamp,
) -> Result<u64> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET read_at = $1, \
         state = CASE WHEN state IN ('queued', 'sent', 'delivered') THEN 'read' ELSE state END \
         WHERE user_id = $2 AND read_at IS NULL AND event_id IN \
         (SELECT event_id FROM notice_messages WHERE user_id = $2 AND channel = 'page' AND id <= $3)",
    )
    .bind(now.micros())
    .bind(user_id)
    .bind(up_to)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// How many notices the pages show a person that they took no note of.
pub async fn unread(connection: &mut Connection, user_id: i64) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM notice_messages WHERE user_id = $1 AND channel = 'page' AND read_at IS NULL",
    )
    .bind(user_id)
    .fetch_one(connection)
    .await?)
}

/// Gives up what was told within a message that is given up.
pub async fn give_up_folded(connection: &mut Connection, into: i64, error: &str) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE notice_messages SET state = 'failed', error = $1, folded_into = NULL \
         WHERE folded_into = $2 AND state = 'folded'",
    )
    .bind(error)
    .bind(into)
    .execute(connection)
    .await?;
    Ok(())
}

/// Who took note of an event that a rule told of, by id.
pub async fn readers(
    connection: &mut Connection,
    event_id: i64,
    rule_id: &str,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT DISTINCT user_id FROM notice_messages WHERE event_id = $1 AND rule_id = $2 \
         AND read_at IS NOT NULL AND user_id IS NOT NULL ORDER BY user_id",
    )
    .bind(event_id)
    .bind(rule_id)
    .fetch_all(connection)
    .await?)
}

/// The event of a key.
pub async fn event_of_key(connection: &mut Connection, key: &str) -> Result<Option<EventRow>> {
    Ok(
        sqlx::query_as::<Any, EventRow>("SELECT * FROM notice_events WHERE key = $1")
            .bind(key)
            .fetch_optional(connection)
            .await?,
    )
}

/// The messages of an event, the oldest first.
pub async fn messages_of(
    connection: &mut Connection,
    event_id: i64,
    limit: u32,
) -> Result<Vec<Message>> {
    Ok(sqlx::query_as::<Any, Message>(
        "SELECT * FROM notice_messages WHERE event_id = $1 ORDER BY id LIMIT $2",
    )
    .bind(event_id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// Which messages are wanted.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// Of this person.
    pub user_id: Option<i64>,
    /// Of this channel.
    pub channel: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// Only those that nobody took note of.
    pub unread: bool,
    /// Not those of the pages.
    pub outside: bool,
}

/// Messages, newest first.
pub async fn messages(
    connection: &mut Connection,
    filter: &MessageFilter,
    page: &PageRequest,
) -> Result<Page<Message>> {
    let rows = sqlx::query_as::<Any, Message>(
        "SELECT * FROM notice_messages WHERE ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR channel = $2) \
         AND ($3 IS NULL OR state = $3) AND ($4 = 0 OR read_at IS NULL) AND ($5 = 0 OR channel <> 'page') \
         AND id < $6 ORDER BY id DESC LIMIT $7",
    )
    .bind(filter.user_id)
    .bind(&filter.channel)
    .bind(&filter.state)
    .bind(i64::from(filter.unread))
    .bind(i64::from(filter.outside))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |m| m.id.to_string()))
}

/// Queues a message that was given up once more; `false` when it was not given up.
pub async fn retry(
    connection: &mut Connection,
    id: i64,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE notice_messages SET state = 'queued', attempts = 0, next_at = $1, expires_at = $2 \
         WHERE id = $3 AND state IN ('failed', 'expired')",
    )
    .bind(now.micros())
    .bind(expires_at.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many messages of each channel are in each state, of those planned since then.
pub async fn counts(
    connection: &mut Connection,
    since: Timestamp,
) -> Result<Vec<(String, String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, String, i64)>(
        "SELECT channel, state, COUNT(*) FROM notice_messages WHERE created_at > $1 GROUP BY channel, state \
         ORDER BY channel, state",
    )
    .bind(since.micros())
    .fetch_all(connection)
    .await?)
}

/// How many were given up since then, and when the oldest of these was planned.
pub async fn given_up(
    connection: &mut Connection,
    since: Timestamp,
) -> Result<Vec<(String, i64, String)>> {
    Ok(sqlx::query_as::<Any, (String, i64, String)>(
        "SELECT channel, COUNT(*), COALESCE(MAX(error), '') FROM notice_messages \
         WHERE created_at > $1 AND state IN ('failed', 'expired') GROUP BY channel ORDER BY channel",
    )
    .bind(since.micros())
    .fetch_all(connection)
    .await?)
}

/// Has a level wait; nothing when it does already or did.
pub async fn watch(
    connection: &mut Connection,
    event_id: i64,
    rule_id: &str,
    level: i64,
    due_at: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO notice_watches (event_id, rule_id, level, due_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(event_id)
    .bind(rule_id)
    .bind(level)
    .bind(due_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// What [`trim`] took away, rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Of messages.
    pub messages: u64,
    /// Of levels that waited for an answer.
    pub watches: u64,
    /// Of events.
    pub events: u64,
}

impl Trimmed {
    /// All of them.
    pub fn rows(self) -> u64 {
        self.messages + self.watches + self.events
    }
}

/// The events `e` of which nothing is unfinished and nothing happened from `$1` on: no message waits to be sent, or is told
/// within one that does, and no level waits for an answer.
const FINISHED: &str = "e.at < $1 \
     AND NOT EXISTS (SELECT 1 FROM notice_messages m WHERE m.event_id = e.id AND (m.state = 'queued' \
     OR m.created_at >= $1 OR COALESCE(m.sent_at, 0) >= $1 OR COALESCE(m.read_at, 0) >= $1 \
     OR EXISTS (SELECT 1 FROM notice_messages o WHERE o.id = m.folded_into AND o.state = 'queued'))) \
     AND NOT EXISTS (SELECT 1 FROM notice_watches w WHERE w.event_id = e.id \
     AND (w.ended_at IS NULL OR w.ended_at >= $1))";

/// Takes away what was told before `before` and is finished, the oldest first, at most `rows_max` rows.
pub async fn trim(
    connection: &mut Connection,
    before: Timestamp,
    rows_max: u32,
) -> Result<Trimmed> {
    let mut left = u64::from(rows_max);
    let mut taken = [0; 3];
    let of_events = |table: &str| {
        format!(
            "DELETE FROM {table} WHERE id IN (SELECT r.id FROM {table} r JOIN notice_events e ON e.id = r.event_id \
             WHERE {FINISHED} ORDER BY r.id LIMIT $2)"
        )
    };
    let bare = format!(
        "DELETE FROM notice_events WHERE id IN (SELECT e.id FROM notice_events e WHERE {FINISHED} \
         AND NOT EXISTS (SELECT 1 FROM notice_messages m WHERE m.event_id = e.id) \
         AND NOT EXISTS (SELECT 1 FROM notice_watches w WHERE w.event_id = e.id) ORDER BY e.id LIMIT $2)"
    );
    // What points to an event goes before it.
    let steps = [
        of_events("notice_messages"),
        of_events("notice_watches"),
        bare,
    ];
    for (statement, taken) in steps.iter().zip(&mut taken) {
        // Only the words above are in it.
        let done = sqlx::query::<Any>(sqlx::AssertSqlSafe(statement.as_str()))
            .bind(before.micros())
            .bind(i64::try_from(left).unwrap_or(i64::MAX))
            .execute(&mut *connection)
            .await?;
        *taken = done.rows_affected();
        left = left.saturating_sub(*taken);
    }
    let [messages, watches, events] = taken;
    Ok(Trimmed {
        messages,
        watches,
        events,
    })
}

/// The levels whose time has come, the oldest first.
pub async fn watches_due(
    connection: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Watch>> {
    Ok(sqlx::query_as::<Any, Watch>(
        "SELECT * FROM notice_watches WHERE ended_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2",
    )
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// Ends a level's waiting.
pub async fn end_watch(
    connection: &mut Connection,
    id: i64,
    why: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE notice_watches SET ended_at = $1, why = $2 WHERE id = $3 AND ended_at IS NULL",
    )
    .bind(now.micros())
    .bind(why)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// How a person is reached.
pub async fn contacts(connection: &mut Connection, user_id: i64) -> Result<Vec<Contact>> {
    Ok(sqlx::query_as::<Any, Contact>(
        "SELECT * FROM notice_contacts WHERE user_id = $1 ORDER BY kind",
    )
    .bind(user_id)
    .fetch_all(connection)
    .await?)
}

/// How everybody is reached: for keys that are changed.
pub async fn all_contacts(connection: &mut Connection) -> Result<Vec<Contact>> {
    Ok(
        sqlx::query_as::<Any, Contact>("SELECT * FROM notice_contacts ORDER BY id")
            .fetch_all(connection)
            .await?,
    )
}

/// Puts the same value under another key; nothing when it was changed meanwhile.
pub async fn reseal_contact(
    connection: &mut Connection,
    id: i64,
    before: &str,
    sealed: &str,
) -> Result<()> {
    sqlx::query::<Any>("UPDATE notice_contacts SET sealed = $1 WHERE id = $2 AND sealed = $3")
        .bind(sealed)
        .bind(id)
        .bind(before)
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets how a person is reached by one kind, with the code that is to prove it.
pub async fn put_contact(connection: &mut Connection, row: &Contact) -> Result<Contact> {
    Ok(sqlx::query_as::<Any, Contact>(
        "INSERT INTO notice_contacts (user_id, kind, sealed, shown, created_at, code_hash, code_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id, kind) DO UPDATE SET \
         sealed = excluded.sealed, shown = excluded.shown, created_at = excluded.created_at, verified_at = NULL, \
         code_hash = excluded.code_hash, code_until = excluded.code_until, code_tries = 0 RETURNING *",
    )
    .bind(row.user_id)
    .bind(&row.kind)
    .bind(&row.sealed)
    .bind(&row.shown)
    .bind(row.created_at.micros())
    .bind(&row.code_hash)
    .bind(row.code_until.map(Timestamp::micros))
    .fetch_one(connection)
    .await?)
}

/// Notes that a wrong code was given.
pub async fn wrong_code(connection: &mut Connection, id: i64) -> Result<()> {
    sqlx::query::<Any>("UPDATE notice_contacts SET code_tries = code_tries + 1 WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a person proved that it is theirs; the code is good no more.
pub async fn verified(connection: &mut Connection, id: i64, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE notice_contacts SET verified_at = $1, code_hash = '', code_until = NULL WHERE id = $2",
    )
    .bind(now.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes away how a person is reached by one kind.
pub async fn remove_contact(connection: &mut Connection, user_id: i64, kind: &str) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM notice_contacts WHERE user_id = $1 AND kind = $2")
        .bind(user_id)
        .bind(kind)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// When a person is left in peace: from and until, minutes of the city's day.
pub async fn quiet_hours(connection: &mut Connection, user_id: i64) -> Result<Option<(i64, i64)>> {
    Ok(sqlx::query_as::<Any, (i64, i64)>(
        "SELECT from_minute, until_minute FROM notice_quiet_hours WHERE user_id = $1",
    )
    .bind(user_id)
    .fetch_optional(connection)
    .await?)
}

/// Sets or, with `None`, takes away when a person is left in peace.
pub async fn put_quiet_hours(
    connection: &mut Connection,
    user_id: i64,
    hours: Option<(i64, i64)>,
) -> Result<()> {
    let Some((from, until)) = hours else {
        sqlx::query::<Any>("DELETE FROM notice_quiet_hours WHERE user_id = $1")
            .bind(user_id)
            .execute(connection)
            .await?;
        return Ok(());
    };
    sqlx::query::<Any>(
        "INSERT INTO notice_quiet_hours (user_id, from_minute, until_minute) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET from_minute = excluded.from_minute, until_minute = excluded.until_minute",
    )
    .bind(user_id)
    .bind(from)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(())
}
