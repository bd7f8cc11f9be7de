//! Service requests of other Open311 endpoints, taken as cases: each configured endpoint is asked again and again for what was made
//! since the bookmark, and a request that comes twice is taken once. How far it was read is in the records.

use crate::running::wall_clock;
use crate::settings::Settings;
use anyhow::{Result, bail};
use api::App;
use api::open311::{Taking, imported_name, take};
use api::outgoing::{Ask, Outgoing};
use model::{Problem, Timestamp};
use oidc::address::Network;
use open311::query::{DAYS_MAX, REQUESTS_MAX};
use open311::{Draft, Request, Status, read_requests};
use records::open311::{self as rows, Endpoint};
use records::{Acting, Actor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use url::Url;

/// The setting that names networks inside where an endpoint may be.
const NETWORKS: &str = "open311.networks";
const DAY_S: i64 = 86_400;
/// The shortest window that is asked for: one with more requests than an answer holds is read as far as it goes.
const WINDOW_S_MIN: i64 = 60;

/// One `[[open311.endpoint]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Its name here: small letters, digits and `-`.
    pub name: String,
    /// Its address, such as `https://city.example/open311/v2`, without an end slash.
    pub url: String,
    /// What it calls the city; nothing is said when empty.
    #[serde(default)]
    pub jurisdiction_id: String,
    /// `json` or `xml`.
    #[serde(default = "json")]
    pub format: String,
    /// Time between looks, seconds.
    #[serde(default = "every_seconds")]
    pub every_seconds: u64,
    /// How many days before now the first look begins, at most the standard's 90.
    #[serde(default = "first_days")]
    pub first_days: i64,
    /// How far back behind the bookmark each look begins, seconds: for requests that show late.
    #[serde(default = "overlap_seconds")]
    pub overlap_seconds: i64,
    /// Its service codes and the classes here that they mean; what is not named is not taken.
    pub services: BTreeMap<String, String>,
}

fn json() -> String {
    "json".to_owned()
}

const fn every_seconds() -> u64 {
    300
}

const fn first_days() -> i64 {
    7
}

const fn overlap_seconds() -> i64 {
    3_600
}

fn networks(settings: &Settings) -> Result<Vec<Network>> {
    let parse = |text: &String| {
        text.parse()
            .map_err(|why| anyhow::anyhow!("{NETWORKS}: {why}"))
    };
    settings.open311.networks.iter().map(parse).collect()
}

/// Looks whether the settings make sense.
///
/// # Errors
/// The first that does not.
pub fn check(settings: &Settings) -> Result<()> {
    networks(settings)?;
    let mut names = BTreeSet::new();
    for endpoint in &settings.open311.endpoint {
        let name = &endpoint.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) || !names.insert(name) {
            bail!(
                "open311.endpoint: the name \"{name}\" is taken or not of small letters, digits and -"
            );
        }
        Url::parse(&endpoint.url)
            .map_err(|e| anyhow::anyhow!("open311.endpoint \"{name}\": url: {e}"))?;
        if !matches!(endpoint.format.as_str(), "json" | "xml") {
            bail!("open311.endpoint \"{name}\": format is json or xml");
        }
        if endpoint.every_seconds == 0 || !(1..=DAYS_MAX).contains(&endpoint.first_days) {
            bail!(
                "open311.endpoint \"{name}\": every_seconds must be 1 at least, first_days 1 to {DAYS_MAX}"
            );
        }
        if !(0..=DAYS_MAX * DAY_S).contains(&endpoint.overlap_seconds) {
            bail!(
                "open311.endpoint \"{name}\": overlap_seconds must be 0 to {}",
                DAYS_MAX * DAY_S
            );
        }
    }
    Ok(())
}

/// Keeps asking while the city runs; one task for each endpoint.
///
/// # Errors
/// What is wrong with the settings.
pub fn start(app: &Arc<App>, settings: &Settings) -> Result<Vec<JoinHandle<()>>> {
    let mut tasks = Vec::new();
    for endpoint in &settings.open311.endpoint {
        let authorities = Path::new(&settings.open311.authorities);
        let outgoing = Outgoing::new(networks(settings)?, NETWORKS, authorities);
        let (app, endpoint) = (Arc::clone(app), endpoint.clone());
        let time_max = Duration::from_secs(settings.open311.answer_seconds_max.max(1));
        let bytes_max = settings.open311.answer_mib_max << 20;
        let importer = Importer {
            outgoing,
            endpoint,
            time_max,
            bytes_max,
        };
        tasks.push(tokio::spawn(async move {
            let every = Duration::from_secs(importer.endpoint.every_seconds.max(1));
            let mut ticker = tokio::time::interval(every);
            ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
            }
        }));
    }
    Ok(tasks)
}

/// What a look brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    /// New cases.
    cases: usize,
    /// Requests that were not taken: of no class here, ended, or outside the city.
    passed_over: usize,
}

struct Importer {
    outgoing: Outgoing,
    endpoint: EndpointSettings,
    time_max: Duration,
    bytes_max: usize,
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
            let requests = self.ask(from, until).await?;
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

    /// The address that asks for what was made between two moments.
    fn question(&self, from: Timestamp, until: Timestamp) -> Result<Url> {
        let EndpointSettings {
            url,
            format,
            jurisdiction_id,
            ..
        } = &self.endpoint;
        let mut url = Url::parse(&format!("{url}/requests.{format}"))?;
        let mut query = url.query_pairs_mut();
        query.append_pair("start_date", &from.to_string());
        query.append_pair("end_date", &until.to_string());
        if !jurisdiction_id.is_empty() {
            query.append_pair("jurisdiction_id", jurisdiction_id);
        }
        drop(query);
        Ok(url)
    }

    async fn ask(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Request>> {
        let url = self.question(from, until)?;
        let ask = Ask::read(&url, Some(self.bytes_max), self.time_max);
        let (status, body) = self.outgoing.ask(ask).await.map_err(anyhow::Error::msg)?;
        if !status.is_success() {
            let faults = open311::read_faults(&body);
            let said = faults
                .first()
                .map_or("", |fault| fault.description.as_str());
            bail!("it answered {status}: {}", model::problem::quote(said));
        }
        let (requests, _) = read_requests(&body).map_err(|p: Problem| anyhow::anyhow!("{p}"))?;
        Ok(requests)
    }

    /// Takes one request; `false` when it is none of ours or was taken before.
    async fn one(&self, app: &App, request: Request, now: Timestamp) -> Result<bool> {
        let name = &self.endpoint.name;
        let id = request.service_request_id.clone();
        let Some(class) = self.endpoint.services.get(&request.service_code) else {
            return Ok(false);
        };
        // What ended there before it was seen here is nobody's work any more.
        if request.status == Status::Closed {
            return Ok(false);
        }
        let known = rows::by_remote(&mut *app.records.read().await?, name, &id).await?;
        if known.is_some() {
            return Ok(false);
        }
        let taking = Taking {
            name: imported_name(name, &id),
            draft: Draft {
                service_code: class.clone(),
                place: request.place,
                address: request.address,
                address_id: request.address_id,
                zipcode: request.zipcode,
                description: request.description,
                media_url: request.media_url,
                ..Draft::default()
            },
            endpoint: name,
            remote_id: Some(id),
            at: now,
        };
        let acting = Acting {
            actor: Actor::system(&format!("open311:{name}")),
            organisation_id: None,
            also: Vec::new(),
            permissions: vec![identity::Permission::CaseOpen.as_str()],
        };
        let taken = take(app, taking, &acting).await;
        let taken = taken.map_err(|error| anyhow::anyhow!("{}", error.in_words()))?;
        Ok(taken.is_ok())
    }
}
