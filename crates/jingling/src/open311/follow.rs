//! How a request stands at another endpoint, written into the history of its case: of cases that were sent there and of requests that
//! were taken from there alike. A closure there closes nothing here: it is noted, with the step that the settings suggest; where they
//! say so the platform does that step, unless it would end the case.

use super::peer::Peer;
use super::settings::{EndpointSettings, ForwardSettings};
use anyhow::{Context, Result};
use api::App;
use api::open311_links::tell_pages;
use cases::{Act, Outside, note_outside};
use model::{Problem, Timestamp};
use open311::{Request, Status, read_requests};
use records::cases::Case;
use records::open311_links::{self as links, Link};
use records::{Acting, Actor, cases as rows};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many requests are asked for at once: so that the address stays short enough for any server.
const IDS_AT_ONCE: u32 = 20;
/// How many times in one look a batch is asked for, so that a look ends.
const BATCHES_MAX: u32 = 50;
/// How much more seldom than an open request one is asked for that is closed there.
const CLOSED_TIMES: i64 = 12;
/// How long to wait after an endpoint did not answer, seconds at least.
const AFTER_TROUBLE_S: i64 = 60;
/// Longest text that is kept of what the other side says, in characters.
const NOTES_CHARS: usize = 2_000;
const DAY_S: i64 = 86_400;

/// Asks how requests stand.
pub(super) struct Follower {
    peer: Arc<Peer>,
    way: &'static str,
    every_s: i64,
    days_max: i64,
    closed_step: String,
    closed_moves: bool,
}

impl Follower {
    /// For requests that were taken from there.
    pub fn of_import(peer: Arc<Peer>, settings: &EndpointSettings, days_max: i64) -> Self {
        Self {
            peer,
            way: links::FROM,
            every_s: i64::try_from(settings.follow_seconds).unwrap_or(i64::MAX),
            days_max,
            closed_step: settings.closed_step.clone(),
            closed_moves: settings.closed_moves,
        }
    }

    /// For cases that were sent there.
    pub fn of_forward(peer: Arc<Peer>, settings: &ForwardSettings, days_max: i64) -> Self {
        Self {
            peer,
            way: links::TO,
            every_s: i64::try_from(settings.follow_seconds).unwrap_or(i64::MAX),
            days_max,
            closed_step: settings.closed_step.clone(),
            closed_moves: settings.closed_moves,
        }
    }

    /// Asks for what is due. What goes wrong is in the log, and the next look asks again.
    pub async fn look(&self, app: &App, now: Timestamp) {
        if self.every_s == 0 {
            return;
        }
        for _ in 0..BATCHES_MAX {
            match self.batch(app, now).await {
                Ok(asked) if asked == IDS_AT_ONCE as usize => {}
                Ok(_) => return,
                Err(error) => {
                    let endpoint = &self.peer.name;
                    tracing::warn!(%endpoint, %error, "how requests stand there could not be asked");
                    return;
                }
            }
        }
    }

    async fn batch(&self, app: &App, now: Timestamp) -> Result<usize> {
        let states = [links::OPEN, links::CLOSED];
        let of = (self.peer.name.as_str(), self.way);
        let due = links::due(
            &mut *app.records.read().await?,
            of,
            &states,
            now,
            IDS_AT_ONCE,
        )
        .await?;
        if due.is_empty() {
            return Ok(0);
        }
        let count = due.len();
        let answered = self.ask(&due).await;
        let mut trouble = None;
        for link in due {
            let heard = match &answered {
                Err(error) => Heard::Nothing(error.to_string()),
                Ok(all) => self.heard(&link, all).await,
            };
            if let Heard::Nothing(why) = &heard {
                trouble = Some(why.clone());
            }
            self.write(app, link, heard, now).await?;
        }
        match (answered, trouble) {
            (Err(error), _) => Err(error),
            (Ok(_), Some(why)) => Err(anyhow::Error::msg(why)),
            _ => Ok(count),
        }
    }

    /// Asks for all at once, by their ids.
    async fn ask(&self, due: &[Link]) -> Result<BTreeMap<String, Request>> {
        let ids: BTreeSet<&str> = due.iter().filter_map(|l| l.remote_id.as_deref()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let ids = ids.join(",");
        let body = self
            .peer
            .read(&["requests"], &[("service_request_id", &ids)])
            .await?;
        Ok(match body {
            // A server that knows none of them, or no such question: each is asked for alone.
            None => BTreeMap::new(),
            Some(body) => by_id(&body)?,
        })
    }

    /// One of an answer, or asked for alone: not every server takes several ids.
    async fn heard(&self, link: &Link, all: &BTreeMap<String, Request>) -> Heard {
        let Some(id) = &link.remote_id else {
            return Heard::Missing;
        };
        if let Some(found) = all.get(id) {
            return Heard::Stands(Box::new(found.clone()));
        }
        let alone = async {
            let body = self.peer.read(&["requests", id], &[]).await?;
            let mut found = body.map(|body| by_id(&body)).transpose()?;
            anyhow::Ok(found.as_mut().and_then(|found| found.remove(id)))
        };
        match alone.await {
            Ok(Some(found)) => Heard::Stands(Box::new(found)),
            Ok(None) => Heard::Missing,
            Err(error) => Heard::Nothing(error.to_string()),
        }
    }

    async fn write(&self, app: &App, link: Link, heard: Heard, now: Timestamp) -> Result<()> {
        let mut write = app.records.write().await?;
        let Some(case) = rows::get(&mut write, link.case_id).await? else {
            return Ok(());
        };
        let after = self.after(&link, &heard, case.closed_at.is_some(), now);
        if !links::put(&mut write, &link, &after).await? {
            return Ok(());
        }
        let news = news(&link, &after);
        if let Some(action) = news {
            let actor = Actor::system(&format!("open311:{}", self.peer.name));
            let said = Outside {
                actor: &actor,
                action,
                note: after.remote_notes.clone(),
                detail: Some(self.detail(&after, action, &case)),
            };
            note_outside(&mut write, case.id, said, now).await?;
        }
        write.commit().await?;
        if news.is_some() {
            tell_pages(app, &case);
        }
        if news == Some(CLOSED_THERE) && self.closed_moves && case.closed_at.is_none() {
            self.step(app, &after, &case, now).await?;
        }
        Ok(())
    }

    fn detail(&self, link: &Link, action: &str, case: &Case) -> Value {
        let mut detail =
            json!({"peer": link.peer, "remote_id": link.remote_id, "status": link.remote_status});
        let is_suggested = action == CLOSED_THERE && case.closed_at.is_none();
        if is_suggested && !self.closed_step.is_empty() {
            detail["suggest"] = json!(self.closed_step);
        }
        detail
    }

    /// How a link stands after it was asked for.
    fn after(&self, link: &Link, heard: &Heard, has_ended: bool, now: Timestamp) -> Link {
        let mut after = link.clone();
        let trouble_s = self.every_s.max(AFTER_TROUBLE_S);
        match heard {
            Heard::Nothing(why) => {
                after.problem = Some(why.clone());
                after.next_at = now.plus_seconds(trouble_s);
            }
            Heard::Missing => {
                after.problem = Some("it is not there any more, or not shown".to_owned());
                after.next_at = now.plus_seconds(trouble_s.saturating_mul(CLOSED_TIMES));
            }
            Heard::Stands(request) => {
                let is_closed = request.status == Status::Closed;
                let state = if is_closed {
                    links::CLOSED
                } else {
                    links::OPEN
                };
                state.clone_into(&mut after.state);
                after.remote_status = Some(request.status.as_str().to_owned());
                after.remote_notes = request.status_notes.as_deref().map(cut);
                after.asked_at = Some(now);
                after.problem = None;
                // Closed there, it may be opened again; ended here, nothing hangs on it.
                let times = match is_closed || has_ended {
                    true => CLOSED_TIMES,
                    false => 1,
                };
                after.next_at = now.plus_seconds(self.every_s.saturating_mul(times));
                if is_closed && has_ended {
                    links::DONE.clone_into(&mut after.state);
                }
            }
        }
        if now > link.made_at.plus_seconds(self.days_max * DAY_S) {
            links::DONE.clone_into(&mut after.state);
            let days = self.days_max;
            after.problem = Some(format!("it is not asked for any more after {days} days"));
        }
        after
    }

    /// Does the step that follows from a closure there, where the workflow lets the platform and the case does not end with it.
    async fn step(&self, app: &App, link: &Link, case: &Case, now: Timestamp) -> Result<()> {
        let workflow = app
            .cases
            .workflow_of(&mut *app.records.read().await?, case)
            .await?;
        let fits = workflow
            .transitions
            .iter()
            .find(|t| t.action == self.closed_step && t.from.contains(&case.state));
        let ends = |to: &String| workflow.is_final(to);
        if fits.is_none_or(|t| t.to.as_ref().is_some_and(ends)) {
            return Ok(());
        }
        let id = link.remote_id.as_deref().unwrap_or_default();
        let act = Act {
            action: self.closed_step.clone(),
            note: Some(format!("{} {id}", link.peer)),
            ..Act::default()
        };
        let acting = Acting {
            actor: Actor::system(&format!("open311:{}", self.peer.name)),
            organisation_id: None,
            also: Vec::new(),
            permissions: vec![
                identity::Permission::CaseHandle.as_str(),
                identity::Permission::CaseDispatch.as_str(),
            ],
        };
        match app.cases.act(case.id, &act, &acting, now).await {
            Ok(_) => {
                if let Some(case) = rows::get(&mut *app.records.read().await?, case.id).await? {
                    tell_pages(app, &case);
                }
            }
            // It stays suggested in the history.
            Err(error) => {
                let case = &case.number;
                tracing::info!(%case, %error, "a step that another endpoint's closure suggests is left to people");
            }
        }
        Ok(())
    }
}

/// The word in the history for a closure there.
const CLOSED_THERE: &str = "closed-there";
const REOPENED_THERE: &str = "reopened-there";
const TOLD_THERE: &str = "told-there";

/// What is new about a request; the word of the step.
fn news(before: &Link, after: &Link) -> Option<&'static str> {
    let closed = Status::Closed.as_str();
    let was = before.remote_status.as_deref() == Some(closed);
    let is = after.remote_status.as_deref() == Some(closed);
    match (was, is) {
        (false, true) => Some(CLOSED_THERE),
        (true, false) => Some(REOPENED_THERE),
        _ if after.remote_notes.is_some() && after.remote_notes != before.remote_notes => {
            Some(TOLD_THERE)
        }
        _ => None,
    }
}

/// What was heard of one request.
enum Heard {
    Stands(Box<Request>),
    Missing,
    Nothing(String),
}

fn by_id(body: &[u8]) -> Result<BTreeMap<String, Request>> {
    let (requests, _) = read_requests(body)
        .map_err(|p: Problem| anyhow::anyhow!("{p}"))
        .context("its requests do not read")?;
    let named = requests
        .into_iter()
        .map(|request| (request.service_request_id.clone(), request));
    Ok(named.collect())
}

fn cut(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => ' ',
        c => c,
    };
    text.trim().chars().map(plain).take(NOTES_CHARS).collect()
}
