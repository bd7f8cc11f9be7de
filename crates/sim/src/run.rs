//! Plays a plan against a running platform.

use crate::device::{self, Command, Tally, Times};
use crate::http::{HttpDoor, HttpError};
use crate::plan::{LiveDevice, Plan, Role};
use crate::point::{Act, Plate};
use crate::schedule::{Outgoing, Pace, Scene, Schedule, Via};
use crate::station::{self, Line};
use crate::words::Version;
use model::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What a registered device needs to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCredential {
    /// The entity that it speaks for, as in [`crate::DeviceToRegister`].
    pub id: String,
    /// MQTT client id.
    pub client_id: String,
    /// MQTT user name.
    pub username: String,
    /// MQTT password.
    pub password: String,
    /// Where it publishes.
    pub topic: String,
}

/// Where the platform's doors are, and what opens them.
#[derive(Clone, Debug)]
pub struct Doors {
    /// HTTP, without TLS.
    pub http: SocketAddr,
    /// MQTT, without TLS.
    pub mqtt: SocketAddr,
    /// Charge points, without TLS; without it they stay silent.
    pub ocpp: Option<SocketAddr>,
    /// A service token that may write (`ingest.write`) and, better, read (`entity.read`).
    pub token: String,
    /// A service token that may put tariffs and cards in force (`charging.manage`); without it there are none.
    pub operator_token: Option<String>,
    /// The registered devices; those of the plan that are missing here stay silent.
    pub credentials: Vec<DeviceCredential>,
}

/// How the demo is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// Speed and incidents.
    pub pace: Pace,
    /// Ends by itself after this time; `None`: when cancelled.
    pub duration: Option<Duration>,
    /// Hours of history sent at the first start, 0 to [`Schedule::BACKFILL_HOURS_MAX`]. Default 24.
    pub backfill_hours: u32,
    /// Days of charges that charge points tell of at the first start, 0 to 29 (the door takes none older than 30). Default 7.
    pub charging_days: u32,
    /// How often a charge point tells its meter while it charges. Default 15 s.
    pub meter_interval: Duration,
    /// Whether assets and history are to be sent; `None` (default): asks the platform whether the first asset is there.
    pub first_start: Option<bool>,
    /// Most entities in one HTTP batch. Default 500.
    pub batch_entities_max: usize,
    /// Most lines in one HTTP write. Default 500.
    pub batch_lines_max: usize,
    /// Most messages that wait in one device while the platform is away; newer ones are lost, and counted. Default 2,048.
    pub device_queue_max: usize,
    /// Most requests that wait for the HTTP doors; newer ones are lost, and counted. Default 256.
    pub http_queue_max: usize,
    /// How long an HTTP answer may take. Default 30 s.
    pub http_timeout: Duration,
    /// How often a request is tried while the platform is busy or away. Default 8.
    pub http_attempts_max: u32,
    /// How long a CONNACK or PUBACK may take. Default 20 s.
    pub ack_timeout: Duration,
    /// MQTT keep-alive. Default 30 s.
    pub keep_alive: Duration,
    /// Wait before the first reconnection or repetition; doubled each time. Default 500 ms.
    pub wait_first: Duration,
    /// Longest wait between two connections of a device. Default 15 s.
    pub wait_max: Duration,
    /// Time between two devices' first connections, so that a small machine is not asked for all at once. Default 15 ms.
    pub connect_interval: Duration,
    /// How long unacknowledged messages are waited for at the end. Default 5 s.
    pub drain_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            duration: None,
            backfill_hours: 24,
            charging_days: 7,
            meter_interval: Duration::from_secs(15),
            first_start: None,
            batch_entities_max: 500,
            batch_lines_max: 500,
            device_queue_max: 2_048,
            http_queue_max: 256,
            http_timeout: Duration::from_secs(30),
            http_attempts_max: 8,
            ack_timeout: Duration::from_secs(20),
            keep_alive: Duration::from_secs(30),
            wait_first: Duration::from_millis(500),
            wait_max: Duration::from_secs(15),
            connect_interval: Duration::from_millis(15),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// What happens while the demo is played, for a progress bar or a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many of the assets are there.
    Assets {
        /// Sent and accepted so far.
        done: usize,
        /// All.
        total: usize,
    },
    /// The past is being sent.
    Backfill {
        /// Messages and requests of it.
        messages: usize,
    },
    /// The devices play from now on.
    Playing {
        /// Devices with credentials.
        devices: usize,
    },
    /// Something worth a look has happened.
    Scene(Scene),
}

/// What was played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Assets sent and accepted.
    pub assets: usize,
    /// Device messages handed to devices.
    pub device_messages: u64,
    /// Device messages acknowledged by the platform.
    pub device_messages_acked: u64,
    /// Device messages sent again after a connection was lost.
    pub device_messages_sent_again: u64,
    /// Device messages lost because too many waited.
    pub device_messages_lost: u64,
    /// MQTT connections made.
    pub connects: u64,
    /// MQTT connections that were refused or failed.
    pub connects_refused: u64,
    /// Links of charge points opened.
    pub links: u64,
    /// Links of charge points that were refused or failed.
    pub links_refused: u64,
    /// Messages of charge points that were answered.
    pub station_answers: u64,
    /// Messages of charge points that were answered with an error.
    pub station_errors: u64,
    /// Acts of charge points that were lost because too many waited, or because there is no door for them.
    pub station_acts_lost: u64,
    /// HTTP requests accepted after the assets.
    pub http_requests: u64,
    /// HTTP requests that failed, or were lost because too many waited.
    pub http_failures: u64,
    /// The first few problems that the platform told over HTTP.
    pub http_problems: Vec<String>,
    /// Devices of the plan without credentials.
    pub devices_without_credentials: usize,
}

/// Why the demo could not be played.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// None of the plan's devices has credentials.
    #[error(
        "none of the {0} devices of the demo has credentials; register those that Plan::devices names"
    )]
    NoCredentials(usize),
    /// The assets could not be sent.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Plays the plan until `cancel` or the duration's end. `on_event` is called from the playing task and must not block.
///
/// # Errors
/// [`SimError`]; later failures are counted in the report and do not end the demo.
pub async fn run(
    plan: Arc<Plan>,
    doors: Doors,
    options: Options,
    cancel: CancellationToken,
    on_event: impl Fn(Event) + Send,
) -> Result<Report, SimError> {
    let mut report = Report::default();
    let http = HttpDoor::new(
        doors.http,
        &doors.token,
        options.http_timeout,
        options.http_attempts_max,
        options.wait_first,
    )?;
    let credentials: HashMap<&str, &DeviceCredential> = doors
        .credentials
        .iter()
        .map(|c| (c.id.as_str(), c))
        .collect();
    report.devices_without_credentials = plan
        .devices
        .iter()
        .filter(|d| !credentials.contains_key(d.id.as_str()))
        .count();
    if report.devices_without_credentials == plan.devices.len() {
        return Err(SimError::NoCredentials(plan.devices.len()));
    }

    let first_start = tokio::select! {
        known = is_first_start(&plan, &http, options.first_start) => known?,
        () = cancel.cancelled() => return Ok(report),
    };
    if first_start.assets {
        let total = plan.assets.len();
        for batch in plan.assets.chunks(options.batch_entities_max.max(1)) {
            let entities: Vec<Json> = batch.iter().map(|a| a.entity.clone()).collect();
            let problems = tokio::select! {
                answer = http.upsert(&entities) => answer?,
                () = cancel.cancelled() => return Ok(report),
            };
            report.assets += batch.len() - problems.len().min(batch.len());
            note_problems(&mut report, problems);
            on_event(Event::Assets {
                done: report.assets,
                total,
            });
        }
    }

    if let Some(token) = &doors.operator_token {
        let office = HttpDoor::new(
            doors.http,
            token,
            options.http_timeout,
            options.http_attempts_max,
            options.wait_first,
        )?;
        let ready = tokio::select! {
            ready = open_charging(&plan, &http, &office) => ready,
            () = cancel.cancelled() => return Ok(report),
        };
        if let Err(error) = ready {
            tracing::warn!("no tariff and no cards: {error}");
            note_problems(&mut report, vec![error.to_string()]);
        }
    }

    let mut stage = Stage::open(&plan, &doors, &credentials, http, &options);
    let mut schedule = Schedule::new(plan.clone(), now(), options.pace.clone());
    if first_start.backfill {
        let mut past = schedule.backfill(options.backfill_hours);
        past.extend(schedule.past_energy());
        let mut past = batched(past, &options);
        past.extend(schedule.past_charges(options.charging_days.min(CHARGING_DAYS_MAX)));
        on_event(Event::Backfill {
            messages: past.len(),
        });
        for outgoing in past {
            stage.play(outgoing, &mut report, &on_event);
        }
    }
    on_event(Event::Playing {
        devices: plan.devices.len() - report.devices_without_credentials,
    });

    let end = options.duration.map(|d| tokio::time::Instant::now() + d);
    loop {
        let wait =
            Duration::from_micros(u64::try_from(schedule.due().micros_since(now())).unwrap_or(0));
        tokio::select! {
            () = cancel.cancelled() => break,
            () = until(end) => break,
            () = tokio::time::sleep(wait) => {}
        }
        for outgoing in schedule.next(now()) {
            stage.play(outgoing, &mut report, &on_event);
        }
    }
    stage.close(&mut report, options.drain_timeout).await;
    Ok(report)
}

/// Most days of charges that are told of: the door takes none older than 30 days.
const CHARGING_DAYS_MAX: u32 = 29;
/// How often it is looked whether the assets can be seen, and how many times.
const SEEN_EVERY: Duration = Duration::from_millis(100);
const SEEN_TRIES: u32 = 100;

/// Puts the example tariff and the cards in force, where there is no tariff yet.
async fn open_charging(plan: &Plan, http: &HttpDoor, office: &HttpDoor) -> Result<(), HttpError> {
    const TARIFFS: &str = "/api/v1/charging/tariffs";
    let known = office.get(TARIFFS).await?;
    if known["items"]
        .as_array()
        .is_some_and(|items| !items.is_empty())
    {
        return Ok(());
    }
    // Whose income a charge is follows from its place, which is looked up with each new tariff.
    if let Some(last) = plan.assets.last() {
        for _ in 0..SEEN_TRIES {
            if http.exists(&last.id).await? != Some(false) {
                break;
            }
            tokio::time::sleep(SEEN_EVERY).await;
        }
    }
    let charging = &plan.demo.charging;
    for (card, holder) in &charging.cards {
        let body = json!({"card": card, "holder": holder});
        office
            .put(Method::PUT, "/api/v1/charging/cards", &body)
            .await?;
    }
    let body = json!({"station": null, "from": charging.tariff_from, "tariff": charging.tariff});
    office.put(Method::POST, TARIFFS, &body).await
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

async fn until(end: Option<tokio::time::Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

struct FirstStart {
    assets: bool,
    backfill: bool,
}

async fn is_first_start(
    plan: &Plan,
    http: &HttpDoor,
    told: Option<bool>,
) -> Result<FirstStart, HttpError> {
    if let Some(first) = told {
        return Ok(FirstStart {
            assets: first,
            backfill: first,
        });
    }
    // The last asset: when the sending of assets was broken off, it is missing and all are sent again.
    let Some(last) = plan.assets.last() else {
        return Ok(FirstStart {
            assets: false,
            backfill: false,
        });
    };
    Ok(match http.exists(&last.id).await? {
        Some(there) => FirstStart {
            assets: !there,
            backfill: !there,
        },
        None => {
            tracing::warn!(
                "the token may not read entities: assets are sent again, history is not"
            );
            FirstStart {
                assets: true,
                backfill: false,
            }
        }
    })
}

/// The past as few large requests: neighbouring lines and entities together.
fn batched(past: Vec<Outgoing>, options: &Options) -> Vec<Outgoing> {
    let (mut out, mut lines, mut entities): (Vec<Outgoing>, Vec<Outgoing>, Vec<Outgoing>) =
        Default::default();
    for Outgoing { at, via } in past {
        match via {
            Via::Lines(text) => match lines.last_mut().map(|o| &mut o.via) {
                Some(Via::Lines(all)) if all.lines().count() < options.batch_lines_max => {
                    all.push_str(&text)
                }
                _ => lines.push(Outgoing {
                    at,
                    via: Via::Lines(text),
                }),
            },
            Via::Entities(more) => match entities.last_mut().map(|o| &mut o.via) {
                Some(Via::Entities(all))
                    if all.len() + more.len() <= options.batch_entities_max =>
                {
                    all.extend(more)
                }
                _ => entities.push(Outgoing {
                    at,
                    via: Via::Entities(more),
                }),
            },
            via => out.push(Outgoing { at, via }),
        }
    }
    out.extend(lines);
    out.extend(entities);
    out
}

const PROBLEMS_KEPT_MAX: usize = 5;

fn note_problems(report: &mut Report, problems: Vec<String>) {
    let room = PROBLEMS_KEPT_MAX.saturating_sub(report.http_problems.len());
    report.http_problems.extend(problems.into_iter().take(room));
}

/// The running devices and the HTTP sender.
struct Stage {
    devices: Vec<Option<Seat>>,
    tasks: Vec<JoinHandle<()>>,
    requests: mpsc::Sender<Via>,
    sender: JoinHandle<Sent>,
    tally: Arc<Tally>,
}

/// What a device hears its commands with.
enum Seat {
    Mqtt(mpsc::Sender<Command>),
    Ocpp(mpsc::Sender<Act>),
}

/// A charge point's plate; every second one speaks 1.6.
fn plate(live: &LiveDevice, n: usize, options: &Options) -> Plate {
    let rated_kw = live.rated_kw.unwrap_or(7.0);
    Plate {
        version: if n.is_multiple_of(2) {
            Version::V16
        } else {
            Version::V201
        },
        name: live.id.rsplit(':').next().unwrap_or_default().to_owned(),
        model: format!("Demo {rated_kw:.0} kW"),
        rated_w: (rated_kw * 1_000.0) as i64,
        meter_seconds: i64::try_from(options.meter_interval.as_secs())
            .unwrap_or(i64::MAX)
            .max(1),
    }
}

/// What the HTTP sender did.
#[derive(Default)]
struct Sent {
    accepted: u64,
    failed: u64,
    problems: Vec<String>,
}

impl Stage {
    fn open(
        plan: &Plan,
        doors: &Doors,
        credentials: &HashMap<&str, &DeviceCredential>,
        http: HttpDoor,
        options: &Options,
    ) -> Self {
        let tally = Arc::new(Tally::default());
        let times = Times {
            keep_alive: options.keep_alive,
            wait_first: options.wait_first,
            wait_max: options.wait_max,
            ack_timeout: options.ack_timeout,
        };
        let (mut devices, mut tasks) = (Vec::new(), Vec::new());
        let mut delay = Duration::ZERO;
        for device in &plan.devices {
            let Some(&credential) = credentials.get(device.id.as_str()) else {
                devices.push(None);
                continue;
            };
            let (credential, times, tally) = (credential.clone(), times.clone(), tally.clone());
            let room = options.device_queue_max.max(1);
            let seat = match (device.role, doors.ocpp) {
                (Role::ChargePoint(n), Some(address)) => {
                    let (queue, acts) = mpsc::channel(room);
                    let plate = plate(device, n, options);
                    let line = Line {
                        credential,
                        address,
                        times,
                    };
                    tasks.push(tokio::spawn(async move {
                        tokio::time::sleep(delay).await;
                        station::live(line, plate, acts, tally).await;
                    }));
                    Some(Seat::Ocpp(queue))
                }
                (Role::ChargePoint(_), None) => None,
                _ => {
                    let (queue, commands) = mpsc::channel(room);
                    let mqtt = doors.mqtt;
                    tasks.push(tokio::spawn(async move {
                        tokio::time::sleep(delay).await;
                        device::live(credential, mqtt, times, commands, tally).await;
                    }));
                    Some(Seat::Mqtt(queue))
                }
            };
            if seat.is_some() {
                delay += options.connect_interval;
            }
            devices.push(seat);
        }
        let (requests, queue) = mpsc::channel(options.http_queue_max.max(1));
        Self {
            devices,
            tasks,
            requests,
            sender: tokio::spawn(send(http, queue)),
            tally,
        }
    }

    fn play(&mut self, outgoing: Outgoing, report: &mut Report, on_event: &impl Fn(Event)) {
        match outgoing.via {
            Via::Device { device, payload } => {
                let Some(Seat::Mqtt(queue)) = &self.devices[device] else {
                    return;
                };
                report.device_messages += 1;
                if queue.try_send(Command::Publish(payload)).is_err() {
                    report.device_messages_lost += 1;
                }
            }
            Via::Station { device, act } => {
                let is_taken = match &self.devices[device] {
                    Some(Seat::Ocpp(queue)) => queue.try_send(act).is_ok(),
                    _ => false,
                };
                report.station_acts_lost += u64::from(!is_taken);
            }
            Via::Break(device) => self.command(device, Command::Break),
            Via::Return(device) => self.command(device, Command::Return),
            Via::Say(scene) => on_event(Event::Scene(scene)),
            request @ (Via::Entities(_) | Via::Lines(_)) => {
                if self.requests.try_send(request).is_err() {
                    report.http_failures += 1;
                }
            }
        }
    }

    fn command(&self, device: usize, command: Command) {
        if let Some(Seat::Mqtt(queue)) = &self.devices[device] {
            // A full queue means that the platform is away: the device is silent already.
            let _ = queue.try_send(command);
        }
    }

    /// No more messages; waits a while for what is under way.
    async fn close(self, report: &mut Report, drain_timeout: Duration) {
        let Self {
            devices,
            mut tasks,
            requests,
            mut sender,
            tally,
        } = self;
        drop(devices);
        drop(requests);
        let deadline = tokio::time::Instant::now() + drain_timeout;
        for task in &mut tasks {
            if tokio::time::timeout_at(deadline, &mut *task).await.is_err() {
                task.abort();
            }
        }
        match tokio::time::timeout_at(deadline, &mut sender).await {
            Ok(Ok(sent)) => {
                report.http_requests = sent.accepted;
                report.http_failures += sent.failed;
                note_problems(report, sent.problems);
            }
            _ => sender.abort(),
        }
        report.device_messages_acked = tally.acked.load(Ordering::Relaxed);
        report.device_messages_sent_again = tally.sent_again.load(Ordering::Relaxed);
        report.connects = tally.connects.load(Ordering::Relaxed);
        report.connects_refused = tally.refused.load(Ordering::Relaxed);
        report.links = tally.links.load(Ordering::Relaxed);
        report.links_refused = tally.links_refused.load(Ordering::Relaxed);
        report.station_answers = tally.answers.load(Ordering::Relaxed);
        report.station_errors = tally.answers_refused.load(Ordering::Relaxed);
    }
}

/// Sends what is queued for the HTTP doors, in order.
async fn send(http: HttpDoor, mut queue: mpsc::Receiver<Via>) -> Sent {
    let mut sent = Sent::default();
    while let Some(request) = queue.recv().await {
        let answer = match &request {
            Via::Entities(entities) => http.upsert(entities).await,
            Via::Lines(lines) => http.write(lines).await.map(|()| Vec::new()),
            _ => continue,
        };
        match answer {
            Ok(problems) => {
                sent.accepted += 1;
                sent.problems.extend(problems);
                sent.problems.truncate(PROBLEMS_KEPT_MAX);
            }
            Err(e) => {
                tracing::warn!("{e}");
                sent.failed += 1;
                sent.problems.push(e.to_string());
                sent.problems.truncate(PROBLEMS_KEPT_MAX);
            }
        }
    }
    sent
}
