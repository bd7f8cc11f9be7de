//! A city that runs: opens the stores, starts projections, doors and pages, and ends them in order.

use crate::gaps::{Cause, Gap, Gaps};
use crate::mapping::TopicMapping;
use crate::mqtt_door::{CityAuthenticator, CitySink};
use crate::projector::Projector;
use crate::records_projection::RecordsProjection;
use crate::retention::{Floors, Keep};
use crate::settings::{Settings, listen_address};
use crate::{files, folder::Folder};
use admission::Ingest;
use anyhow::{Context, Result, anyhow};
use api::app::App;
use api::plan::Plan;
use api::tables::CityTables;
use gateway::mqtt::{MqttDoor, MqttHandle, MqttOptions, TlsSource};
use journal::Journal;
use lake::Lake;
use model::{Problem, Timestamp};
use proto_influx::{Influx, LineMapping};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use twin::Twin;

const MIB: usize = 1024 * 1024;
/// Batches that may wait for the records' projections before the journal's reader waits for them.
const RECORDS_QUEUE: usize = 8;
/// How often it is asked whether history should be sealed.
const SEAL_CHECK_S: u64 = 5;
/// Longest wait for requests under way when the city ends.
const HTTP_SHUTDOWN_S: u64 = 5;

/// The wall clock.
pub fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Problems in a line each.
pub fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A city that runs.
pub struct Running {
    /// Everything the handlers share.
    pub app: Arc<App>,
    /// Where it listens.
    pub addresses: BTreeMap<&'static str, SocketAddr>,
    folder: Folder,
    mqtt: Option<MqttHandle>,
    http_stop: CancellationToken,
    http: JoinHandle<()>,
    timers: Vec<JoinHandle<()>>,
    projector: std::thread::JoinHandle<()>,
    projector_stop: Arc<AtomicBool>,
    records: JoinHandle<Result<()>>,
    failed: watch::Receiver<Option<String>>,
}

impl Running {
    /// Opens and starts everything; returns when the doors are open.
    ///
    /// # Errors
    /// What could not be opened, with its path and the mend.
    pub async fn start(folder: Folder, settings: &Settings) -> Result<Self> {
        folder.make()?;
        let packs = Arc::new(folder.packs()?);
        let city = Arc::new(folder.city(&settings.city.profile)?);
        let journal_options = journal::Options {
            segment_bytes: settings.journal.segment_mib.max(1) * MIB as u64,
            buffer_bytes_max: settings.journal.buffer_mib_max.max(1) * MIB,
            ..journal::Options::default()
        };
        let (journal, recovery) =
            Journal::open(folder.journal(), journal_options).context("opening the journal")?;
        tracing::debug!(?recovery, "journal opened");
        let twin_options = twin::Options {
            indexed_attributes: settings.twin.indexed_attributes.clone(),
            ..twin::Options::default()
        };
        let twin = match Twin::restore_with(&folder.twin_checkpoint(), &twin_options) {
            Ok(twin) => twin,
            Err(error) => {
                tracing::warn!(%error, "the current state is rebuilt from the journal");
                Twin::new(&twin_options)
            }
        };
        let twin = Arc::new(twin);
        let lake_options = lake::Options {
            seal_rows: settings.lake.seal_rows,
            seal_age: Duration::from_secs(settings.lake.seal_minutes * 60),
            ..lake::Options::default()
        };
        let lake = Arc::new(
            Lake::open(folder.lake(), lake_options)
                .map_err(|p| anyhow!("opening the lake: {p}"))?,
        );
        let records = records::Records::open(&folder.records())
            .await
            .context("opening the records")?;
        let identity = identity::Identity::new(records.clone(), identity::Options::default())?;
        identity.all_devices_offline().await?;
        let case_options = cases::Options {
            zone: city.zone.clone(),
            attachment_bytes_max: settings.http.attachment_mib_max * MIB,
            ..cases::Options::new(folder.attachments())
        };
        let cases = cases::Cases::new(records.clone(), case_options, Vec::new())?;
        let limits = admission::Limits {
            observed_past_seconds_max: settings.admission.observed_past_days_max * 86_400,
            observed_future_seconds_max: settings.admission.observed_future_seconds_max,
            attributes_max: settings.admission.attributes_max,
        };
        let ingest = Arc::new(Ingest::new(
            journal.clone(),
            Arc::new(packs.catalogue.clone()),
            limits,
        ));
        let plan = Arc::new(Plan::new(packs.indicators.clone(), &city.zone));
        let tables = Arc::new(CityTables {
            records: records.clone(),
            twin: twin.clone(),
            plan: plan.clone(),
            reader: None,
        });
        let notices = Arc::new(api::notices::Notices::default());
        let gaps = Arc::new(Gaps::load(folder.gaps(), notices.clone())?);
        let (description, rules) = api::app::description();
        let app = Arc::new(App {
            options: api::Options {
                demo: settings.city.demo,
                cookie_secure: settings.http.cookie_secure,
                body_bytes_max: settings.http.body_mib_max * MIB,
                request_time_max: Duration::from_secs(settings.http.request_seconds_max),
                sql_limits: sql_limits(settings),
            },
            ingest: ingest.clone(),
            twin: twin.clone(),
            lake: lake.clone(),
            records,
            identity: identity.clone(),
            cases,
            packs: packs.clone(),
            city,
            plan,
            tables,
            events: api::Events::default(),
            ngsi_ld: proto_ngsild::NgsiLd::default(),
            line_protocol: line_protocol(&packs)?,
            clock: wall_clock,
            notices: notices.clone(),
            is_ready: AtomicBool::new(false),
            rules,
            description,
            door_metrics: OnceLock::new(),
            disconnect: OnceLock::new(),
        });
        let live_from = *journal.durable().borrow();
        let projector_stop = Arc::new(AtomicBool::new(false));
        let projection = RecordsProjection::load(
            app.clone(),
            folder.rules_state(),
            live_from,
            projector_stop.clone(),
        )
        .await?;
        // What a projection has seen, the journal must have had: those positions are not given again.
        let seen = [twin.position(), lake.sealed_position(), projection.seen()];
        if let Some(missing) = journal.begin_at(seen.into_iter().max().unwrap_or_default()) {
            gaps.add(Gap::without_file(Cause::Missing, missing, wall_clock()))?;
        }
        let mut floors = Floors::default();
        let twin_stored = Arc::new(AtomicU64::new(twin.position()));
        floors.add("twin", {
            let stored = twin_stored.clone();
            move || stored.load(Ordering::Acquire)
        });
        floors.add("lake", {
            let lake = lake.clone();
            move || lake.sealed_position()
        });
        floors.add("records", {
            let stored = projection.stored();
            move || stored.load(Ordering::Acquire)
        });
        let from = twin
            .position()
            .min(lake.sealed_position())
            .min(projection.position());
        let (failed_send, failed) = watch::channel(None);
        let (batches, batches_taken) = mpsc::channel(RECORDS_QUEUE);
        let (progress, mut progressed) = watch::channel(from);
        let projector = Projector {
            journal,
            twin,
            lake,
            records: batches,
            progress,
            gaps,
            clock: wall_clock,
            stop: projector_stop.clone(),
        };
        let runtime = tokio::runtime::Handle::current();
        let told = failed_send.clone();
        let projector = std::thread::Builder::new()
            .name("projector".into())
            .spawn(move || {
                if let Err(error) = projector.run(from, &runtime) {
                    told.send_replace(Some(format!("{error:#}")));
                }
            })?;
        let records = tokio::spawn(async move {
            let ended = projection.run(batches_taken).await;
            if let Err(error) = &ended {
                failed_send.send_replace(Some(format!("{error:#}")));
            }
            ended
        });
        let mut failed_early = failed.clone();
        tokio::select! {
            caught_up = progressed.wait_for(|&position| position >= live_from) => {
                caught_up.context("the projections ended while replaying the journal")?;
            }
            why = failed_early.wait_for(Option::is_some) => {
                anyhow::bail!("{}", why.ok().and_then(|w| w.clone()).unwrap_or_default());
            }
        }
        let mut addresses = BTreeMap::new();
        let mqtt = start_mqtt(&app, &folder, settings, &packs, identity).await?;
        if let Some(mqtt) = &mqtt {
            addresses.extend(mqtt.addresses().first().map(|&a| ("mqtt", a)));
            addresses.extend(mqtt.addresses_tls().first().map(|&a| ("mqtts", a)));
            // Set once, here.
            let door = mqtt.clone();
            let _ = app.disconnect.set(Box::new(move |client_id| {
                door.disconnect(client_id);
            }));
            let metrics = mqtt.metrics().clone();
            let _ = app
                .door_metrics
                .set(Box::new(move || crate::metrics::mqtt(&metrics)));
        }
        let listener = tokio::net::TcpListener::bind(settings.http.listen)
            .await
            .with_context(|| {
                format!(
                    "http.listen = {}: is another program using it?",
                    settings.http.listen
                )
            })?;
        addresses.insert("http", listener.local_addr()?);
        let http_stop = CancellationToken::new();
        let http = tokio::spawn(api::app::serve(
            listener,
            app.clone(),
            http_stop.clone().cancelled_owned(),
        ));
        let mut timers = timers(&app, &folder, settings, twin_stored);
        let keep = Keep {
            bytes: settings.journal.keep_gib.saturating_mul(1 << 30),
            days: settings.journal.keep_days,
        };
        timers.push(tokio::spawn(crate::retention::run(
            ingest.journal().clone(),
            Arc::new(floors),
            keep,
            wall_clock,
        )));
        let shown: BTreeMap<&str, String> = addresses
            .iter()
            .map(|(&name, a)| (name, a.to_string()))
            .collect();
        files::write_atomically(&folder.addresses(), &serde_json::to_vec_pretty(&shown)?)?;
        app.is_ready.store(true, Ordering::Release);
        Ok(Self {
            app,
            addresses,
            folder,
            mqtt,
            http_stop,
            http,
            timers,
            projector,
            projector_stop,
            records,
            failed,
        })
    }

    /// Waits until a part fails; says why.
    pub async fn failure(&self) -> String {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "a part of the platform ended".to_owned(),
        }
    }

    /// Ends everything in order: doors first, then projections, then a checkpoint.
    ///
    /// # Errors
    /// What could not be written at the end; the journal has everything all the same.
    pub async fn stop(self) -> Result<()> {
        let _ = std::fs::remove_file(self.folder.addresses());
        if let Some(mqtt) = &self.mqtt {
            mqtt.shutdown().await;
        }
        self.http_stop.cancel();
        for timer in &self.timers {
            timer.abort();
        }
        let mut http = self.http;
        if tokio::time::timeout(Duration::from_secs(HTTP_SHUTDOWN_S), &mut http)
            .await
            .is_err()
        {
            http.abort();
        }
        self.projector_stop.store(true, Ordering::Release);
        let (joined, ended) = oneshot::channel();
        let projector = self.projector;
        std::thread::spawn(move || joined.send(projector.join().is_ok()));
        let _projector_ended = ended.await;
        self.records.await??;
        self.app.twin.checkpoint(&self.folder.twin_checkpoint())?;
        self.app.ingest.journal().close();
        self.app.records.close().await;
        Ok(())
    }
}

/// The limits of a query, from the settings.
pub fn sql_limits(settings: &Settings) -> lake::Limits {
    lake::Limits {
        rows_max: settings.sql.rows_max,
        time_max: Duration::from_secs(settings.sql.seconds_max),
        memory_bytes_max: settings.sql.memory_mib_max * MIB,
        ..lake::Limits::default()
    }
}

fn line_protocol(packs: &pack::Packs) -> Result<Influx> {
    let mut mappings = Vec::new();
    for mapping in packs
        .mappings
        .iter()
        .filter(|m| m.door == pack::MappingDoor::Influx)
    {
        let fields = mapping.fields.iter();
        mappings.push(LineMapping {
            measurement: mapping.from.clone(),
            entity_type: model::TypeName::new(&mapping.entity_type)?,
            entity_id: mapping.entity_id.clone(),
            fields: fields
                .clone()
                .map(|(name, f)| Ok((name.clone(), model::AttributeName::new(&f.attribute)?)))
                .collect::<Result<_, Problem>>()?,
            units: fields
                .filter_map(|(name, f)| Some((name.clone(), f.unit.clone()?)))
                .collect(),
        });
    }
    Influx::new(mappings, proto_influx::Limits::default()).map_err(|p| anyhow!("{p}"))
}

async fn start_mqtt(
    app: &Arc<App>,
    folder: &Folder,
    settings: &Settings,
    packs: &pack::Packs,
    identity: identity::Identity,
) -> Result<Option<MqttHandle>> {
    let listen: Vec<SocketAddr> = listen_address("mqtt.listen", &settings.mqtt.listen)?
        .into_iter()
        .collect();
    let listen_tls: Vec<SocketAddr> = listen_address("mqtt.tls_listen", &settings.mqtt.tls_listen)?
        .into_iter()
        .collect();
    if listen.is_empty() && listen_tls.is_empty() {
        return Ok(None);
    }
    let mut options = MqttOptions {
        tls: Some(TlsSource::SelfSigned {
            directory: folder.tls(),
            names: vec!["localhost".into(), "127.0.0.1".into()],
        }),
        listen,
        listen_tls,
        retained_file: Some(folder.retained()),
        ..MqttOptions::default()
    };
    options.limits.connections_max = settings.mqtt.connections_max;
    options.session.packet_bytes_max = settings.mqtt.packet_kib_max.saturating_mul(1_024);
    options.session.packet_bytes_max_setting = "mqtt.packet_kib_max";
    // A packet that the door takes is not too long for its decoder.
    let message_bytes_max = options.session.packet_bytes_max;
    let senml = proto_senml::Limits {
        message_bytes_max,
        ..proto_senml::Limits::default()
    };
    let ngsi_ld = proto_ngsild::Limits {
        message_bytes_max,
        ..proto_ngsild::Limits::default()
    };
    let sink = CitySink {
        ingest: app.ingest.clone(),
        decoders: vec![
            Arc::new(proto_senml::SenMl { limits: senml }),
            Arc::new(proto_ngsild::NgsiLd { limits: ngsi_ld }),
        ],
        mapping: TopicMapping::new(&packs.mappings),
    };
    let authenticator = CityAuthenticator {
        identity,
        clock: wall_clock,
    };
    let door = MqttDoor::start(options, Arc::new(sink), Arc::new(authenticator))
        .await
        .context("opening the MQTT door")?;
    Ok(Some(door))
}

fn timers(
    app: &Arc<App>,
    folder: &Folder,
    settings: &Settings,
    twin_stored: Arc<AtomicU64>,
) -> Vec<JoinHandle<()>> {
    let measure = {
        let (app, every) = (
            app.clone(),
            Duration::from_secs(settings.indicators.measure_seconds.max(1)),
        );
        tokio::spawn(async move {
            let mut ticker = tokio::time::interval(every);
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticker.tick().await;
                app.measure_plan().await;
            }
        })
    };
    let seal = {
        let app = app.clone();
        tokio::spawn(async move {
            let mut ticker = tokio::time::interval(Duration::from_secs(SEAL_CHECK_S));
            loop {
                ticker.tick().await;
                if app.lake.should_seal(wall_clock()) {
                    let lake = app.lake.clone();
                    match tokio::task::spawn_blocking(move || lake.seal()).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(problem)) => {
                            tracing::error!(%problem, "history could not be sealed; it stays in memory and in the journal")
                        }
                        Err(error) => tracing::error!(%error, "sealing ended"),
                    }
                }
            }
        })
    };
    let checkpoint = {
        let (app, path) = (app.clone(), folder.twin_checkpoint());
        let every = Duration::from_secs(settings.twin.checkpoint_seconds.max(1));
        tokio::spawn(async move {
            let mut written = 0;
            let mut ticker = tokio::time::interval(every);
            loop {
                ticker.tick().await;
                let position = app.twin.position();
                if position == written {
                    continue;
                }
                let (twin, path) = (app.twin.clone(), path.clone());
                match tokio::task::spawn_blocking(move || twin.checkpoint(&path)).await {
                    Ok(Ok(())) => {
                        written = position;
                        twin_stored.store(position, Ordering::Release);
                    }
                    Ok(Err(error)) => {
                        tracing::error!(%error, "the current state's checkpoint was not written")
                    }
                    Err(error) => tracing::error!(%error, "the checkpoint ended"),
                }
            }
        })
    };
    vec![measure, seal, checkpoint]
}
