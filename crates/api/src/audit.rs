//! The audit trail over HTTP: searching it, its catalogue of acts, whether its chain is whole, and the trail as a file that
//! others verify. Whoever looks at it is told in it: once for the same look within [`QUIET_S`], and not for further pages
//! or for a page that refreshes itself, so that looking makes the trail grow no faster than people look. Whoever reads it as
//! a table, by SQL, is told with every statement ([`crate::tables`]).

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::dead_letters::ProblemDetail;
use crate::error::{Answer, ApiError};
use crate::notices::Notice;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::{Problem, Timestamp};
use parking_lot::Mutex;
use records::audit::{self, Search};
use records::audit_export::Export;
use records::audit_verify::{self, Report};
use records::{Actor, Event, Failure, PageRequest, Records, audit_events};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Code of the notice that the chain is broken.
pub const BROKEN: &str = "audit-chain-broken";
/// The same look by the same caller is told again after this long, in seconds.
const QUIET_S: i64 = 600;
/// Looks that are remembered for that.
const LOOKS_MAX: usize = 1_000;
/// Longest text that is searched for, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// A proof that is no older than this is given again, in seconds: reading a long chain is work.
const FRESH_S: i64 = 10;

/// What is kept of the audit chain between requests.
#[derive(Debug, Default)]
pub struct Chain {
    /// When which look was told last.
    looks: Mutex<HashMap<String, Timestamp>>,
    /// The last proof; held while the next is made, so that there is one at a time.
    seen: tokio::sync::Mutex<Option<(Timestamp, Arc<Report>)>>,
}

impl Chain {
    /// Whether this look is to be told now; remembers that it was.
    fn is_new(&self, look: String, now: Timestamp) -> bool {
        let mut looks = self.looks.lock();
        let recent = |at: &Timestamp| (0..QUIET_S * 1_000_000).contains(&now.micros_since(*at));
        if looks.get(&look).is_some_and(recent) {
            return false;
        }
        if looks.len() >= LOOKS_MAX {
            looks.retain(|_, at| recent(at));
        }
        if looks.len() >= LOOKS_MAX {
            // So many different looks in so short a time: rather told twice than not.
            looks.clear();
        }
        looks.insert(look, now);
        true
    }
}

/// Proves the chain, keeps what was found, and sets or takes back the notice about it.
///
/// # Errors
/// The records' own.
pub async fn prove(app: &App) -> Result<(Timestamp, Arc<Report>), Failure> {
    let mut seen = app.audit.seen.lock().await;
    let now = app.now();
    let options = audit_verify::Options::default();
    let report = audit_verify::verify(&mut *app.records.read().await?, &options).await?;
    let notice = report.breaks.first().map(|found| Notice {
        code: BROKEN.to_owned(),
        found_at: now.to_string(),
        position_from: 0,
        position_to: 0,
        what: format!("the audit trail is broken: {}", found.what_en),
        place: format!("audit trail, row {}", found.from),
        mend: "find out who could change records.sqlite; compare with a backup or an export: docs/audit.md".to_owned(),
    });
    if let Some(notice) = &notice {
        tracing::error!(what = notice.what, "the audit chain is broken");
    }
    app.notices.set("audit-chain", notice.into_iter().collect());
    let proved = (now, Arc::new(report));
    *seen = Some(proved.clone());
    Ok(proved)
}

/// The last proof of this run, without making one; `None` while there is none.
pub async fn last_proof(app: &App) -> Option<(Timestamp, Arc<Report>)> {
    app.audit.seen.lock().await.clone()
}

/// Tells the trail that the caller looked at something, unless it told the same a moment ago.
pub(crate) async fn tell_look(
    app: &App,
    caller: &identity::Principal,
    peer: Peer,
    event: Event,
) -> Answer<()> {
    if app
        .audit
        .is_new(format!("{:?} {event:?}", caller.id), app.now())
    {
        tell(app, &peer.actor(caller), event, &json!({})).await?;
    }
    Ok(())
}

/// Tells the trail that somebody looked. Where the disk takes no writes, reading goes on untold, but for the log.
async fn tell(app: &App, actor: &Actor, event: Event, detail: &serde_json::Value) -> Answer<()> {
    Ok(write_look(&app.records, actor, event, detail, app.now()).await?)
}

/// The same, for who has the records alone.
///
/// # Errors
/// The store's own.
pub(crate) async fn write_look(
    records: &Records,
    actor: &Actor,
    event: Event,
    detail: &serde_json::Value,
    now: Timestamp,
) -> Result<(), Failure> {
    let target = match event {
        Event::SecurityLook => "security",
        _ => "audit",
    };
    let written = async {
        let mut write = records.write().await?;
        audit::insert(&mut write, now, actor, event, target, detail).await?;
        write.commit().await
    };
    match written.await {
        Ok(()) => Ok(()),
        Err(Failure::Unavailable(problem)) => {
            tracing::error!(%problem, by = actor.name, "a look at the audit trail was not told in it");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// What is looked for, and which page of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct AuditQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
    /// Not before this time, RFC 3339.
    pub from: Option<String>,
    /// Before this time, RFC 3339.
    pub to: Option<String>,
    /// Part of the actor's name.
    pub actor: Option<String>,
    /// The act's word, such as `case.dispatch`; `case.*` is every word that begins so.
    pub action: Option<String>,
    /// The beginning of the target, such as `user:3`.
    pub target: Option<String>,
    /// Part of the target, the detail, the actor's name or the network address.
    pub text: Option<String>,
}

fn time(text: Option<&String>, place: &str) -> Answer<Option<Timestamp>> {
    let Some(text) = given(text) else {
        return Ok(None);
    };
    Timestamp::parse(&text).map(Some).map_err(|problem| {
        ApiError::invalid(Problem::new(
            &problem.code,
            problem.what,
            place,
            problem.mend,
        ))
    })
}

fn given(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

impl AuditQuery {
    fn search(&self) -> Answer<Search> {
        for (place, text) in [
            ("actor", &self.actor),
            ("action", &self.action),
            ("target", &self.target),
            ("text", &self.text),
        ] {
            if text
                .as_ref()
                .is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX)
            {
                return Err(ApiError::invalid(Problem::new(
                    "search-too-long",
                    format!("more than {TEXT_CHARS_MAX} characters"),
                    place,
                    "search for less",
                )));
            }
        }
        Ok(Search {
            from: time(self.from.as_ref(), "from")?,
            to: time(self.to.as_ref(), "to")?,
            actor: given(self.actor.as_ref()),
            action: given(self.action.as_ref()),
            target: given(self.target.as_ref()),
            text: given(self.text.as_ref()),
        })
    }
}

/// A search as the trail tells it: what does not narrow is left out.
fn told(search: &Search) -> serde_json::Value {
    let parts = [
        ("from", search.from.map(|t| t.to_string())),
        ("to", search.to.map(|t| t.to_string())),
        ("actor", search.actor.clone()),
        ("action", search.action.clone()),
        ("target", search.target.clone()),
        ("text", search.text.clone()),
    ];
    let given = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    given
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Who changed what, when and from where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditBody {
    /// Counts up from 1.
    pub id: i64,
    /// When.
    pub at: String,
    /// `user`, `token`, `cli` or `system`.
    pub actor_kind: String,
    /// The user's or the token's id.
    pub actor_id: Option<i64>,
    /// The name at the time.
    pub actor: String,
    /// What was done, e.g. `case.dispatch`.
    pub action: String,
    /// The catalogue's title of it in Chinese; null for a word that is not in it.
    pub title_zh: Option<String>,
    /// The same in English.
    pub title_en: Option<String>,
    /// To what, e.g. `case:12`.
    pub target: String,
    /// What else is worth knowing; never a secret.
    pub detail: serde_json::Value,
    /// The caller's network address; empty for the command line and the platform itself.
    pub peer: String,
    /// The row's hash in the chain (SM3), hex.
    pub hash: String,
}

/// A page of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// The audit trail, newest first, all of it or what is looked for. That it was looked at is told in it.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", security(("session" = ["audit.read"])), params(AuditQuery),
    responses((status = 200, body = AuditPage)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Query(query): Query<AuditQuery>,
) -> Answer<Json<AuditPage>> {
    let search = query.search()?;
    if query.after.is_none() {
        let (actor, detail) = (peer.actor(&caller), told(&search));
        let look = format!("{:?} {detail}", caller.id);
        if app.audit.is_new(look, app.now()) {
            tell(&app, &actor, Event::AuditSearch, &detail).await?;
        }
    }
    let page = PageRequest {
        after: query.after.clone(),
        limit: query.limit,
    };
    let mut connection = app.records.read().await?;
    let page = audit::search(&mut connection, &search, &page).await?;
    let items = page.items.into_iter().map(|entry| {
        let line = audit_events::find(&entry.action);
        AuditBody {
            id: entry.id,
            at: entry.at.to_string(),
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            actor: entry.actor,
            title_zh: line.map(|line| line.title_zh.to_owned()),
            title_en: line.map(|line| line.title_en.to_owned()),
            action: entry.action,
            target: entry.target,
            detail: entry.detail,
            peer: entry.peer,
            hash: entry.hash,
        }
    });
    Ok(Json(AuditPage {
        items: items.collect(),
        next: page.next,
    }))
}

/// One field of an act's detail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditField {
    /// Its name.
    pub name: String,
    /// What it says, in Chinese.
    pub zh: String,
    /// What it says, in English.
    pub en: String,
    /// Whether it may be absent.
    pub optional: bool,
}

/// One act that the trail can hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    /// Its word; one that ends with `*` is a family.
    pub action: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// How its target is written.
    pub target: String,
    /// The fields of its detail.
    pub fields: Vec<AuditField>,
}

/// The catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvents {
    /// Every act that the trail can hold.
    pub items: Vec<AuditEvent>,
}

/// The catalogue of every act that the trail can hold.
#[utoipa::path(get, path = "/api/v1/audit/events", tag = "audit", security(("session" = ["audit.read"])),
    responses((status = 200, body = AuditEvents)))]
pub async fn events() -> Json<AuditEvents> {
    let items = Event::ALL.iter().map(|event| {
        let entry = event.entry();
        let fields = entry.fields.iter().map(|field| AuditField {
            name: field.name.to_owned(),
            zh: field.zh.to_owned(),
            en: field.en.to_owned(),
            optional: field.optional,
        });
        AuditEvent {
            action: entry.action.to_owned(),
            title_zh: entry.title_zh.to_owned(),
            title_en: entry.title_en.to_owned(),
            target: entry.target.to_owned(),
            fields: fields.collect(),
        }
    });
    Json(AuditEvents {
        items: items.collect(),
    })
}

/// One break of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditBreak {
    /// `row-changed`, `row-removed`, `row-inserted`, `rows-rewritten`, `tail-cut`, `head-missing`, `seal-forged`,
    /// `seal-removed` or `key-missing`.
    pub kind: String,
    /// The first row concerned.
    pub from: i64,
    /// The last row concerned.
    pub to: i64,
    /// The seal that shows it, or that is concerned.
    pub seal: Option<i64>,
    /// The time that the first row bears, where it is there.
    pub at: Option<String>,
    /// What is wrong, in Chinese.
    pub what_zh: String,
    /// What is wrong, in English.
    pub what_en: String,
}

/// What a proof of the chain found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditChain {
    /// Whether nothing is broken.
    pub whole: bool,
    /// When it was looked at.
    pub proved_at: String,
    /// Rows that were looked at.
    pub rows: i64,
    /// The number of the last row.
    pub last: i64,
    /// Its hash, hex: note it elsewhere.
    pub hash: String,
    /// The number of the last row that is older than the chain; 0 when there is none.
    pub chained_later: i64,
    /// Seals that were looked at.
    pub seals: i64,
    /// Rows up to this one are proved by a genuine seal, with nothing broken before it.
    pub sealed_to: i64,
    /// That seal's number.
    pub sealed_by: Option<i64>,
    /// That seal's time.
    pub sealed_at: Option<String>,
    /// What is broken, in the order of the rows.
    pub breaks: Vec<AuditBreak>,
    /// Whether there are more breaks than are told.
    pub more: bool,
    /// Why the trail is not sealed at this time; null when it is.
    pub not_sealed: Option<ProblemDetail>,
}

/// Verifies the chain and says whether it is whole. A proof of the last ten seconds is given again.
#[utoipa::path(get, path = "/api/v1/audit/chain", tag = "audit", security(("session" = ["audit.read"])),
    responses((status = 200, body = AuditChain)))]
pub async fn chain(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
) -> Answer<Json<AuditChain>> {
    let last = app.audit.seen.lock().await.clone();
    let fresh =
        last.filter(|(at, _)| (0..FRESH_S * 1_000_000).contains(&app.now().micros_since(*at)));
    let (at, report) = match fresh {
        Some(seen) => seen,
        None => prove(&app).await?,
    };
    let look = format!("{:?} chain {}", caller.id, report.whole);
    if app.audit.is_new(look, app.now()) {
        let detail = json!({"whole": report.whole, "last": report.last});
        tell(&app, &peer.actor(&caller), Event::AuditVerify, &detail).await?;
    }
    let notices = app.notices.all();
    let not_sealed = notices
        .into_iter()
        .find(|n| n.code.starts_with("audit-") && n.code != BROKEN)
        .map(|n| ProblemDetail {
            code: n.code,
            what: n.what,
            place: n.place,
            mend: n.mend,
        });
    let breaks = report.breaks.iter().map(|found| AuditBreak {
        kind: json!(found.kind).as_str().unwrap_or_default().to_owned(),
        from: found.from,
        to: found.to,
        seal: found.seal,
        at: found.at.map(|at| at.to_string()),
        what_zh: found.what_zh.clone(),
        what_en: found.what_en.clone(),
    });
    Ok(Json(AuditChain {
        whole: report.whole,
        proved_at: at.to_string(),
        rows: report.rows,
        last: report.last,
        hash: report.hash.clone(),
        chained_later: report.chained_later,
        seals: report.seals,
        sealed_to: report.sealed_to,
        sealed_by: report.sealed_by,
        sealed_at: report.sealed_at.map(|at| at.to_string()),
        breaks: breaks.collect(),
        more: report.more,
        not_sealed,
    }))
}

/// Which part of the trail is exported.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct AuditExportQuery {
    /// Not before this time, RFC 3339.
    pub from: Option<String>,
    /// Before this time, RFC 3339, and on to the seal that covers the last row.
    pub to: Option<String>,
}

/// The trail as JSON Lines with hashes, seals and public keys, for whoever verifies it without this platform.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", security(("session" = ["audit.read"])), params(AuditExportQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub async fn export(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Query(query): Query<AuditExportQuery>,
) -> Answer<Response> {
    let (from, to) = (
        time(query.from.as_ref(), "from")?,
        time(query.to.as_ref(), "to")?,
    );
    let text = |time: Option<Timestamp>| time.map(|t| t.to_string());
    let detail = json!({"from": text(from), "to": text(to)});
    tell(&app, &peer.actor(&caller), Event::AuditExport, &detail).await?;
    let now = app.now();
    let mut connection = app.records.read().await?;
    let begun = Export::begin(&mut connection, &app.city.id, from, to, now).await?;
    drop(connection);
    let records = app.records.clone();
    let pieces =
        futures::stream::try_unfold((begun, records), |(mut export, records)| async move {
            // A connection for each piece: a slow reader keeps none.
            let mut connection = records.read().await?;
            let piece = export.next(&mut connection).await?;
            drop(connection);
            Ok::<_, Failure>(piece.map(|piece| (Bytes::from(piece), (export, records))))
        });
    let name = format!(
        "attachment; filename=\"audit-{}-{}.jsonl\"",
        app.city.id,
        now.utc_date()
    );
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_look_is_told_once_in_a_while() {
        let (chain, t0) = (Chain::default(), Timestamp::from_seconds(1_800_000_000));
        let look = || "1 {}".to_owned();
        assert!(chain.is_new(look(), t0));
        assert!(!chain.is_new(look(), t0.plus_seconds(QUIET_S - 1)));
        assert!(chain.is_new("1 {\"text\":\"x\"}".to_owned(), t0));
        assert!(chain.is_new("2 {}".to_owned(), t0));
        assert!(chain.is_new(look(), t0.plus_seconds(QUIET_S)));
        assert!(chain.is_new(look(), t0), "the clock went back");
        for n in 0..3 * LOOKS_MAX {
            assert!(chain.is_new(n.to_string(), t0));
        }
        assert!(chain.looks.lock().len() <= LOOKS_MAX);
    }
}
