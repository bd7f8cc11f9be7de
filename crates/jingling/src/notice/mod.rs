//! Telling people (通知) in a city that runs: the channels of the settings as senders, the timer that drives the crate `notice`,
//! and the commands.

pub mod args;
mod city;
mod gateway;
pub mod settings;
mod smtp;
mod webhook;

use self::args::NoticeCommand;
use self::city::Asked;
use self::gateway::Phone;
use self::settings::{ChannelSettings, NETWORKS, networks, secret};
use self::smtp::Mail;
use self::webhook::Hook;
use crate::files;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use crate::settings::Settings;
use ::notice::office::Channel;
use ::notice::{NotSent, Office, Outgoing, Sender};
use anyhow::{Context, Result, bail};
use api::App;
use api::notices::Notice;
use api::notifications::{Desk, Links, ReceiptDoor};
use api::outgoing::Outgoing as Outside;
use model::Timestamp;
use records::notices::{self, MessageFilter};
use records::{Failure, PageRequest, Records};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Bytes of the key that links are signed with.
const NOTICE_KEY_BYTES: usize = 32;

/// Time over which what was given up is told in the notices of the platform, seconds.
const TOLD_SECONDS: i64 = 24 * 3_600;

/// Time between counts of these, seconds.
const COUNT_SECONDS: i64 = 60;

/// Time between looks at what was kept for long enough, and the pause between two passes when one was not enough, seconds.
const TRIM_SECONDS: u64 = 3_600;
const TRIM_PAUSE_SECONDS: u64 = 1;

/// The channels of the settings, ready to send.
///
/// # Errors
/// Settings that make no sense, secrets' files that do not read.
pub fn channels(folder: &Path, settings: &Settings) -> Result<BTreeMap<String, Channel>> {
    let authorities = match settings.notice.channel.is_empty() {
        // Nobody is spoken with, so nobody need be believed.
        true => Path::new("/dev/null"),
        false => Path::new(&settings.notice.authorities),
    };
    let outside = Arc::new(Outside::new(networks(settings)?, NETWORKS, authorities));
    let mut channels = BTreeMap::new();
    for written in &settings.notice.channel {
        let sender: Arc<dyn Sender> = match written {
            ChannelSettings::Smtp(smtp) => Arc::new(Mail::new(folder, smtp, authorities)?),
            ChannelSettings::Webhook(hook) => {
                Arc::new(Hook::new(folder, hook, Arc::clone(&outside))?)
            }
            ChannelSettings::Sms(gateway) | ChannelSettings::Voice(gateway) => {
                Arc::new(Phone::new(folder, gateway, Arc::clone(&outside))?)
            }
        };
        let common = written.common();
        let channel = Channel {
            sender,
            retry: common.retry,
            limits: common.limits,
        };
        channels.insert(common.id.clone(), channel);
    }
    Ok(channels)
}

fn receipts(folder: &Path, settings: &Settings) -> Result<BTreeMap<String, ReceiptDoor>> {
    let mut doors = BTreeMap::new();
    for written in &settings.notice.channel {
        let (ChannelSettings::Sms(gateway) | ChannelSettings::Voice(gateway)) = written else {
            continue;
        };
        let (common, file) = (&gateway.common, &gateway.receipts_secret_file);
        if file.is_empty() {
            continue;
        }
        let door = ReceiptDoor {
            secret: secret(folder, file, common, "receipts_secret_file")?,
            id_path: gateway.receipt_id_path.clone(),
            state_path: gateway.receipt_state_path.clone(),
            arrived: gateway.receipt_arrived.clone(),
        };
        doors.insert(common.id.clone(), door);
    }
    Ok(doors)
}

/// Begins to tell people, for as long as the city runs.
///
/// # Errors
/// Settings that make no sense, files that do not read.
pub fn start(app: &App, folder: &Folder, settings: &Settings) -> Result<JoinHandle<()>> {
    let zone = jiff::tz::TimeZone::get(&app.city.zone)?;
    let office = Arc::new(Office::new(
        app.records.clone(),
        Arc::new(Asked(app.downgrade())),
        (app.city.calendars.clone(), zone),
        channels(folder.path(), settings)?,
        options(settings),
    ));
    let origin = settings
        .http
        .passkey_origin(&settings.oidc.issuer, Some(settings.http.listen))?;
    let origin = origin.map(|origin| origin.as_str().to_owned());
    let wake = Arc::new(Notify::new());
    let titles = settings.notice.channel.iter().map(|channel| {
        let common = channel.common();
        let or_id = |title: &String| match title.is_empty() {
            true => common.id.clone(),
            false => title.clone(),
        };
        let titles = (or_id(&common.title_zh), or_id(&common.title_en));
        (common.id.clone(), titles)
    });
    let desk = Desk {
        office: Arc::clone(&office),
        links: Links::new(
            &files::key(&folder.notice_key(), NOTICE_KEY_BYTES)?,
            origin,
            settings.notice.acknowledge_without_sign_in,
        ),
        receipts: receipts(folder.path(), settings)?,
        titles: titles.collect(),
        wake: Arc::clone(&wake),
    };
    // Set once, here.
    let _ = app.notifications.set(desk);
    let every = Duration::from_millis(settings.notice.look_milliseconds.max(50));
    let planning = plan(app.clone(), Arc::clone(&office), every);
    // Beside it, so that a gateway that hangs keeps nobody from the pages.
    let sending = send(app.clone(), Arc::clone(&office), wake, every);
    let trimming = trim(app.clone(), office);
    Ok(tokio::spawn(async move {
        tokio::join!(planning, sending, trimming);
    }))
}

fn options(settings: &Settings) -> ::notice::Options {
    let kept = &settings.notice;
    ::notice::Options {
        keep_seconds: (kept.keep_days > 0).then(|| i64::from(kept.keep_days) * 86_400),
        trim_rows_max: kept.trim_rows_max,
        ..::notice::Options::default()
    }
}

/// Takes away what was kept for long enough, for as long as the city runs.
async fn trim(app: App, office: Arc<Office>) {
    loop {
        let is_full = match office.trim(app.now()).await {
            Ok((trimmed, is_full)) => {
                if trimmed.rows() > 0 {
                    let notices::Trimmed {
                        messages,
                        watches,
                        events,
                    } = trimmed;
                    tracing::info!(messages, watches, events, "old notices were taken away");
                }
                is_full
            }
            // The next look takes it up.
            Err(error) => {
                tracing::error!(%error, "old notices could not be taken away");
                false
            }
        };
        let pause = if is_full {
            TRIM_PAUSE_SECONDS
        } else {
            TRIM_SECONDS
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// Finds out who is to be told of what, for as long as the city runs.
async fn plan(app: App, office: Arc<Office>, every: Duration) {
    let mut ticker = ticker(every);
    loop {
        ticker.tick().await;
        match planned(&office, app.now()).await {
            Ok(told) => app.tell_notified(told),
            // The next look takes it up.
            Err(error) => {
                tracing::error!(%error, "who is to be told of what could not be found out");
            }
        }
    }
}

async fn planned(office: &Office, now: Timestamp) -> Result<BTreeSet<i64>, Failure> {
    let mut told = office.fold(now).await?;
    told.extend(office.escalate(now).await?);
    Ok(told)
}

/// Sends what is due, for as long as the city runs.
async fn send(app: App, office: Arc<Office>, wake: Arc<Notify>, every: Duration) {
    let mut ticker = ticker(every);
    let mut counted = Timestamp::default();
    loop {
        tokio::select! {
            _ = ticker.tick() => {}
            () = wake.notified() => {}
        }
        let clock = || app.now();
        let mut is_news = false;
        match office.deliver(app.now(), &clock, &draw).await {
            Ok(report) if report.given_up > 0 => {
                is_news = true;
                tracing::error!(
                    messages = report.given_up,
                    "messages were given up: jingling notice list --failed"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "messages could not be sent"),
        }
        let now = app.now();
        if !is_news && now.micros_since(counted) < COUNT_SECONDS * 1_000_000 {
            continue;
        }
        counted = now;
        if let Err(error) = tell(&app, now).await {
            tracing::error!(%error, "what was given up could not be counted");
        }
    }
}

fn draw() -> f64 {
    rand::random()
}

fn ticker(every: Duration) -> tokio::time::Interval {
    let mut ticker = tokio::time::interval(every);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticker
}

/// Tells in the platform's notices what was given up lately.
async fn tell(app: &App, now: Timestamp) -> Result<(), Failure> {
    let since = now.plus_seconds(-TOLD_SECONDS);
    let given_up = notices::given_up(&mut *app.records.read().await?, since).await?;
    let told = given_up.into_iter().map(|(channel, count, error)| Notice {
        code: "notice-given-up".to_owned(),
        found_at: now.to_string(),
        position_from: 0,
        position_to: 0,
        what: format!("{count} messages of the last 24 hours could not be sent over the channel {channel}: {error}"),
        place: format!("notice.channel \"{channel}\""),
        mend: format!(
            "see jingling notice list --failed, try jingling notice test DIR {channel}, then send them once more under notices"
        ),
    });
    app.notices.set("notice", told.collect());
    Ok(())
}

/// `jingling notice …`; whether nothing was wrong.
///
/// # Errors
/// Settings that make no sense, records that do not open.
pub async fn command(command: NoticeCommand) -> Result<bool> {
    match command {
        NoticeCommand::Test {
            dir,
            channel,
            to,
            overrides,
        } => {
            let settings = Settings::load(&dir, &overrides.set)?;
            test(&dir, &settings, &channel, to).await
        }
        NoticeCommand::List {
            dir,
            failed,
            limit,
            json,
        } => list(&dir, failed, limit, json).await,
    }
}

async fn test(dir: &Path, settings: &Settings, id: &str, to: Option<String>) -> Result<bool> {
    let channels = channels(dir, settings)?;
    let Some(channel) = channels.get(id) else {
        let ids: Vec<&str> = channels.keys().map(String::as_str).collect();
        bail!(
            "there is no [[notice.channel]] \"{id}\"; there are: {}",
            ids.join(", ")
        );
    };
    if channel.sender.reach().contact().is_some() && to.is_none() {
        bail!("say whom: --to ADDRESS-OR-NUMBER");
    }
    let now = wall_clock();
    let said = format!("竟陵城市平台的测试消息，{now}");
    let outgoing = Outgoing {
        key: format!("test/{id}/{}", now.micros()),
        to,
        subject: "竟陵城市平台的测试消息 · A test of Jingling".to_owned(),
        body: format!("{said}\nA test message of Jingling, {now}\n"),
        short: said,
        event: json!({"kind": "test"}),
        more: 0,
    };
    let (is_good, said) = match channel.sender.send(&outgoing).await {
        Ok(taken) => (true, taken.provider_id.unwrap_or_default()),
        Err(NotSent::Later(why)) => (false, format!("not taken, and would be tried again: {why}")),
        Err(NotSent::Never(why)) => (false, format!("not taken: {why}")),
    };
    let state = if is_good { "taken" } else { "failed" };
    print_table(
        &["channel", "", ""],
        vec![vec![id.to_owned(), state.to_owned(), said]],
    );
    Ok(is_good)
}

async fn list(dir: &Path, failed: bool, limit: u32, as_json: bool) -> Result<bool> {
    let folder = Folder::new(dir);
    let records = Records::open(&folder.records())
        .await
        .context("opening the records")?;
    let mut read = records.read().await?;
    let mut found = Vec::new();
    let states: &[Option<&str>] = match failed {
        true => &[Some(notices::FAILED), Some(notices::EXPIRED)],
        false => &[None],
    };
    for state in states {
        let filter = MessageFilter {
            state: state.map(str::to_owned),
            outside: true,
            ..MessageFilter::default()
        };
        let page = PageRequest {
            after: None,
            limit: Some(limit),
        };
        found.extend(notices::messages(&mut read, &filter, &page).await?.items);
    }
    found.sort_by_key(|message| std::cmp::Reverse(message.id));
    found.truncate(limit as usize);
    drop(read);
    records.close().await;
    if as_json {
        let rows = found.iter().map(|m| {
            json!({"id": m.id, "channel": m.channel, "state": m.state, "attempts": m.attempts, "rule": m.rule_id,
                "created_at": m.created_at.to_string(), "next_at": m.next_at.to_string(), "error": m.error})
        });
        print_json(&rows.collect())?;
        return Ok(true);
    }
    let rows = found.into_iter().map(|m| {
        vec![
            m.id.to_string(),
            m.created_at.to_string(),
            m.channel,
            m.state,
            m.attempts.to_string(),
            m.error.unwrap_or_default(),
        ]
    });
    print_table(
        &["id", "planned", "channel", "state", "attempts", "error"],
        rows.collect(),
    );
    Ok(true)
}
