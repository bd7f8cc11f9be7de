//! `jingling demo` and `jingling sim`: devices that play recorded series through the city's real doors.

use crate::administrators::FirstSignIn;
use crate::args;
use crate::commands;
use crate::files;
use crate::folder::Folder;
use crate::running::{Running, wall_clock};
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use identity::{DeviceIdentity, Identity, Role};
use indicatif::{ProgressBar, ProgressStyle};
use model::{DeviceId, TypeName};
use records::{Actor, Records};
use serde::{Deserialize, Serialize};
use sim::{DeviceCredential, Doors, Event, Options, Pace, Plan};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Hours of history that the demonstration sends at its first start.
const BACKFILL_HOURS: u32 = 24;

/// Secrets of the demonstration's devices, made once.
#[derive(Serialize, Deserialize)]
struct DemoDevices {
    token: String,
    /// Of whoever keeps the demonstration's tariff and cards.
    #[serde(default)]
    operator_token: Option<String>,
    devices: Vec<Stored>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    client_id: String,
    username: String,
    password: String,
    topic: String,
}

/// Makes a city when there is none, runs it, and plays devices beside it until Ctrl-C.
///
/// # Errors
/// What could not be made or opened.
pub async fn demo(args: args::Demo) -> Result<()> {
    let folder = Folder::new(&args.dir);
    if !folder.holds_a_city() {
        eprintln!("making a demonstration city in {}", args.dir.display());
        commands::init(&args::Init {
            dir: args.dir.clone(),
            city: "tianmen".into(),
            demo: true,
            json: false,
        })
        .await?;
    }
    let settings = Settings::load(&args.dir, &args.overrides.set)?;
    let spinner = spinner("opening the stores");
    let started = std::time::Instant::now();
    let mut interrupted = Box::pin(interrupted());
    let running = tokio::select! {
        running = Running::start(folder.clone(), &settings) => running?,
        () = &mut interrupted => return Ok(()),
    };
    spinner.finish_and_clear();
    eprintln!("ready in {:.2} s", started.elapsed().as_secs_f64());
    greet(&folder, &running.addresses)?;
    let cancel = CancellationToken::new();
    let doors = doors(
        crate::args::SIM_SEED,
        &folder,
        &running.addresses,
        &running.app.identity,
    )
    .await?;
    let playing = play(
        doors,
        args.speed,
        None,
        crate::args::SIM_SEED,
        cancel.clone(),
    )?;
    tokio::select! {
        () = interrupted => eprintln!("\nending; everything acknowledged is on disk"),
        why = running.failure() => eprintln!("a part of the platform failed: {why}"),
    }
    cancel.cancel();
    let _report = playing.await;
    running.stop().await
}

fn greet(folder: &Folder, addresses: &BTreeMap<&'static str, SocketAddr>) -> Result<()> {
    let stored = std::fs::read(folder.first_sign_in()).context("reading the first sign-in")?;
    let people: Vec<FirstSignIn> = serde_json::from_slice(&stored)?;
    eprintln!();
    if let Some(http) = addresses.get("http") {
        eprintln!("  竟陵 Jingling   http://{http}/");
    }
    for person in people {
        eprintln!(
            "  {:<10} {:<10} {}",
            person.role_zh, person.username, person.password
        );
    }
    eprintln!(
        "  (also in {}; Ctrl-C ends)",
        folder.first_sign_in().display()
    );
    eprintln!();
    Ok(())
}

fn spinner(text: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Ctrl-C or a polite request to end, heard from the call on, whenever it is waited for.
pub fn interrupted() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        match signals {
            [Ok(mut interrupt), Ok(mut terminate)] => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            },
            // Not heard here, they end the process as the system does.
            _ => std::future::pending().await,
        }
    }
}

/// Registers the plan's devices once and keeps their secrets in the city's folder.
async fn doors(
    seed: u64,
    folder: &Folder,
    addresses: &BTreeMap<&'static str, SocketAddr>,
    identity: &Identity,
) -> Result<Doors> {
    let (Some(&http), Some(&mqtt)) = (addresses.get("http"), addresses.get("mqtt")) else {
        bail!("the demonstration needs http.listen and mqtt.listen");
    };
    let file = folder.demo_devices();
    let (actor, now) = (Actor::system("demo"), wall_clock());
    let mut stored: DemoDevices = if file.is_file() {
        serde_json::from_slice(&std::fs::read(&file)?)
            .with_context(|| format!("reading {}", file.display()))?
    } else {
        let plan = Plan::embedded("tianmen")?.with_seed(seed)?;
        let wanted = plan
            .devices()
            .into_iter()
            .map(|d| {
                Ok(DeviceIdentity {
                    id: DeviceId::new(&d.id)?,
                    r#type: TypeName::new(&d.kind)?,
                    name: Some(d.name),
                })
            })
            .collect::<Result<Vec<_>, model::Problem>>()?;
        let made = identity.register_devices(&wanted, &actor, now).await?;
        let token = identity
            .create_token("demo-collector", Role::Collector, None, &actor, now)
            .await?;
        let devices = made
            .into_iter()
            .map(|d| Stored {
                id: d.id,
                client_id: d.client_id,
                username: d.username,
                password: d.password,
                topic: d.topic,
            })
            .collect();
        DemoDevices {
            token: token.text,
            operator_token: None,
            devices,
        }
    };
    if stored.operator_token.is_none() {
        // A demonstration that was made before charging was played has none.
        let token = identity
            .create_token("demo-charging", Role::Operator, None, &actor, now)
            .await?;
        stored.operator_token = Some(token.text);
        files::write_secret(&file, &serde_json::to_vec_pretty(&stored)?)?;
    }
    let ocpp = addresses.get("ocpp").copied();
    if ocpp.is_none() {
        tracing::warn!(
            "没有充电桩的门，演示的充电桩不上报；请设 ocpp.listen = \"127.0.0.1:0\" / there is no door for charge points, so that those \
             of the demonstration stay silent; set ocpp.listen = \"127.0.0.1:0\""
        );
    }
    let credentials = stored.devices.into_iter().map(|d| DeviceCredential {
        id: d.id,
        client_id: d.client_id,
        username: d.username,
        password: d.password,
        topic: d.topic,
    });
    Ok(Doors {
        http,
        mqtt,
        ocpp,
        token: stored.token,
        operator_token: stored.operator_token,
        credentials: credentials.collect(),
    })
}

fn play(
    doors: Doors,
    speed: f64,
    duration: Option<Duration>,
    seed: u64,
    cancel: CancellationToken,
) -> Result<tokio::task::JoinHandle<Result<sim::Report>>> {
    let plan = Arc::new(Plan::embedded("tianmen")?.with_seed(seed)?);
    let options = Options {
        pace: Pace {
            speed,
            ..Pace::default()
        },
        duration,
        backfill_hours: BACKFILL_HOURS,
        ..Options::default()
    };
    Ok(tokio::spawn(async move {
        let played = sim::run(plan, doors, options, cancel, teller()).await;
        if let Err(error) = &played {
            tracing::error!(%error, "the demonstration ended");
        }
        Ok(played?)
    }))
}

/// Tells how the play goes: a bar while the assets are sent, a line for everything else.
fn teller() -> impl Fn(Event) + Send + Sync + 'static {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}") {
        bar.set_style(style);
    }
    move |event| match event {
        Event::Assets { done, total } => {
            bar.set_message("资产经 HTTP 门写入 / assets through the HTTP door");
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            if done == total {
                bar.finish_and_clear();
                tracing::info!("{total} 项资产已入库 / {total} assets are kept");
            }
        }
        Event::Backfill { messages } => tracing::info!(
            "补发过去 {BACKFILL_HOURS} 小时：{messages} 条消息 / the last {BACKFILL_HOURS} hours: {messages} messages"
        ),
        Event::Playing { devices } => {
            tracing::info!("{devices} 台设备开始上报 / {devices} devices are sending");
        }
        Event::Scene(scene) => tracing::info!("{} / {}", scene.zh, scene.en),
    }
}

/// `jingling sim`: the same against a city that runs already.
///
/// # Errors
/// When the city does not run, or is no demonstration.
pub async fn sim(args: args::Sim) -> Result<()> {
    let folder = Folder::new(&args.dir);
    let file = folder.addresses();
    let shown = std::fs::read(&file).with_context(|| {
        format!(
            "{}: the city does not run; start it: jingling serve {}",
            file.display(),
            args.dir.display()
        )
    })?;
    let shown: BTreeMap<String, SocketAddr> = serde_json::from_slice(&shown)?;
    let mut addresses = BTreeMap::new();
    for name in ["http", "mqtt", "ocpp"] {
        addresses.extend(shown.get(name).map(|&a| (name, a)));
    }
    let _lock = crate::formats::open_beside(&folder)?;
    let records = Records::open(&folder.records()).await?;
    let identity = Identity::new(records.clone(), identity::Options::default())?;
    let doors = doors(args.seed, &folder, &addresses, &identity).await?;
    records.close().await;
    let cancel = CancellationToken::new();
    let playing = play(
        doors,
        args.speed,
        args.seconds.map(Duration::from_secs),
        args.seed,
        cancel.clone(),
    )?;
    let ending = cancel.clone();
    let interrupted = interrupted();
    tokio::spawn(async move {
        interrupted.await;
        ending.cancel();
    });
    let report = playing.await??;
    crate::output::print_json(&serde_json::json!(report))
}

/// Runs a city until Ctrl-C.
///
/// # Errors
/// What could not be opened, or the part that failed.
pub async fn serve(args: args::Serve) -> Result<()> {
    let settings = Settings::load(&args.dir, &args.overrides.set)?;
    let started = std::time::Instant::now();
    let mut interrupted = Box::pin(interrupted());
    let running = tokio::select! {
        running = Running::start(Folder::new(&args.dir), &settings) => running?,
        // Whatever was taken meanwhile is in the journal; the next start reads it.
        () = &mut interrupted => {
            tracing::info!("ended before it was ready");
            return Ok(());
        }
    };
    let shown: Vec<String> = running
        .addresses
        .iter()
        .map(|(name, a)| format!("{name} {a}"))
        .collect();
    tracing::info!(
        "ready in {:.3} s: {}",
        started.elapsed().as_secs_f64(),
        shown.join(", ")
    );
    let failure = tokio::select! {
        () = interrupted => None,
        why = running.failure() => Some(why),
    };
    running.stop().await?;
    match failure {
        None => Ok(()),
        Some(why) => bail!("a part of the platform failed: {why}"),
    }
}
