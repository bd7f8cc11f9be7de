//! Service requests of other Open311 endpoints, taken as cases: each configured endpoint is asked again and again for what was made
//! since the bookmark, and a request that comes twice is taken once. How far it was read is in the records. What was sent there from
//! here is not taken back.

use super::follow::Follower;
use super::peer::Peer;
use super::settings::EndpointSettings;
use super::ticker;
use crate::running::wall_clock;
use anyhow::{Context, Result};
use api::App;
use api::open311::{Taking, take};
use model::{Problem, Timestamp};
use open311::forward::marked_by;
use open311::query::{DAYS_MAX, REQUESTS_MAX};
use open311::{Draft, Request, Status, read_requests};
use records::open311::{self as rows, Endpoint};
use records::{Acting, Actor, open311_links as links};
use std::sync::Arc;

const DAY_S: i64 = 86_400;
/// The shortest window that is asked for: one with more requests than an answer holds is read as far as it goes.
const WINDOW_S_MIN: i64 = 60;

/// Takes what is new and follows what was taken, for as long as the city runs.
pub(super) async fn run(app: App, importer: Importer) {
    let mut ticker = ticker(importer.endpoint.every_seconds);
    loop {
        ticker.tick().await;
        let name = &importer.endpoint.name;
        match importer.look(&app, wall_clock()).await {
            Ok(taken) if taken.cases == 0 => {}
            Ok(taken) => {
                let (cases, passed_over) = (taken.cases, taken.passed_over);
                tracing::info!(endpoint = %name, cases, passed_over, "service requests taken");
            }
            Err(error) => {
                tracing::warn!(endpoint = %name, %error, "service requests could not be taken");
            }
        }
        importer.follower.look(&app, wall_clock()).await;
    }
}

/// What a look brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    /// New cases.
    cases: usize,
    /// Requests that were not taken: of no class here, ended, or outside the city.
    passed_over: usize,
}

/// An endpoint whose requests are taken.
pub(super) struct Importer {
    pub peer: Arc<Peer>,
    pub follower: Follower,
    pub endpoint: EndpointSettings,
    /// The names under which cases are sent to the same address.
    pub sent_as: Vec<String>,
}

impl Importer {
    /// Reads what is new, window after window, and moves the bookmark behind each that was taken whole.
    async fn look(&self, app: &App, now: Timestamp) -> Result<Taken> {
        let name = &self.endpoint.name;
        let known = rows::endpoint(&mut *app.records.read().await?, name).await?;
        let first = now.plus_seconds(-self.endpoint.first_days * DAY_S);
        let mut bookmark = known.map_or(first, |row| row.bookmark);
        let mut all = Taken::default();
        let found = self.windows(app, now, &mut bookmark, &mut all).await;
        let row = Endpoint {
            name: name.clone(),
            bookmark,
            tried_at: Some(now),
            problem: found.as_ref().err().map(ToString::to_string),
        };
        let mut write = app.records.write().await?;
        rows::put_endpoint(&mut write, &row).await?;
        write.commit().await?;
        found.map(|()| all)
    }

    async fn windows(
        &self,
        app: &App,
        now: Timestamp,
        bookmark: &mut Timestamp,
        all: &mut Taken,
    ) -> Result<()> {
        let mut span_s = DAYS_MAX * DAY_S;
        let mut from = bookmark.plus_seconds(-self.endpoint.overlap_seconds);
        while from < now {
            let until = from.plus_seconds(span_s).min(now);
            let requests = made_between(&self.peer, from, until, "").await?;
            if requests.len() >= REQUESTS_MAX as usize && span_s > WINDOW_S_MIN {
                // The answer may be cut off: the standard has no way to ask for the rest but a shorter window.
                span_s = (span_s / 2).max(WINDOW_S_MIN);
                continue;
            }
            for request in requests {
                match self.one(app, request, now).await? {
                    true => all.cases += 1,
                    false => all.passed_over += 1,
                }
            }
            *bookmark = until;
            from = until;
        }
        Ok(())
    }

    /// Whether a request is a case of this city that was sent there.
    async fn is_ours(&self, app: &App, request: &Request) -> Result<bool> {
        let ours = app.options.open311.jurisdiction_id.as_str();
        let marked = request.description.as_deref().and_then(marked_by);
        if marked.is_some_and(|(jurisdiction, _)| jurisdiction == ours) {
            return Ok(true);
        }
        let id = &request.service_request_id;
        let sent = links::sent_as(&mut *app.records.read().await?, &self.sent_as, id).await?;
        Ok(sent.is_some())
    }

    /// Takes one request; `false` when it is none of ours or was taken before.
    async fn one(&self, app: &App, request: Request, now: Timestamp) -> Result<bool> {
        let name = &self.endpoint.name;
        let id = request.service_request_id.clone();
        let Some(class) = self.endpoint.services.get(&request.service_code) else {
            return Ok(false);
        };
        // What ended there before it was seen here is nobody's work any more.
        if request.status == Status::Closed || self.is_ours(app, &request).await? {
            return Ok(false);
        }
        let known = rows::by_remote(&mut *app.records.read().await?, name, &id).await?;
        if known.is_some() {
            return Ok(false);
        }
        let draft = Draft {
            service_code: class.clone(),
            place: request.place,
            address: request.address,
            address_id: request.address_id,
            zipcode: request.zipcode,
            description: request.description,
            media_url: request.media_url,
            ..Draft::default()
        };
        let acting = Acting {
            actor: Actor::system(&format!("open311:{name}")),
            organisation_id: None,
            also: Vec::new(),
            permissions: vec![identity::Permission::CaseOpen.as_str()],
        };
        let taken = take(app, Taking::of_other(name, id, draft, now), &acting).await;
        let taken = taken.map_err(|error| anyhow::anyhow!("{}", error.in_words()))?;
        Ok(taken.is_ok())
    }
}

/// The requests that were made there between two moments, of one service where one is named.
pub(super) async fn made_between(
    peer: &Peer,
    from: Timestamp,
    until: Timestamp,
    service_code: &str,
) -> Result<Vec<Request>> {
    let (from, until) = (from.to_string(), until.to_string());
    let query = [
        ("start_date", from.as_str()),
        ("end_date", until.as_str()),
        ("service_code", service_code),
    ];
    let body = peer.read(&["requests"], &query).await?;
    let body = body.context("it answered 404 where its requests should be")?;
    let (requests, _) = read_requests(&body).map_err(|p: Problem| anyhow::anyhow!("{p}"))?;
    Ok(requests)
}
