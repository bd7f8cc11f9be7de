//! A city that runs: opens the stores, starts projections, doors and pages, and ends them in order.

use crate::backup::drills::Found;
use crate::charging::Charging;
use crate::city_lock::CityLock;
use crate::gaps::{Cause, Gap, Gaps};
use crate::history_upkeep::News;
use crate::mapping::TopicMapping;
use crate::mqtt_door::{CityAuthenticator, CitySink, Senders};
use crate::pack_reload::taker;
use crate::projector::Projector;
use crate::records_projection::RecordsProjection;
use crate::retention::{Floors, Keep};
use crate::security::{self, certificates};
use crate::settings::{Settings, listen_address};
use crate::{files, folder::Folder, formats, history_upkeep, personal_keys, reseal, upkeep};
use admission::Ingest;
use anyhow::{Context, Result, anyhow};
use api::app::App;
use api::personal::{Look, Personal};
use api::plan::Plan;
use api::tables::CityTables;
use gateway::mqtt::{MqttDoor, MqttHandle, MqttOptions, TlsSource};
use journal::Journal;
use lake::Lake;
use model::{Problem, Timestamp};
use parking_lot::RwLock;
use personal::Sealer;
use proto_influx::{Influx, LineMapping};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use twin::Twin;

const MIB: usize = 1024 * 1024;
const KIB: usize = 1024;
/// Batches that may wait for the records' projections before the journal's reader waits for them.
const RECORDS_QUEUE: usize = 8;
/// How often it is asked whether history should be sealed.
const SEAL_CHECK_S: u64 = 5;
/// How often it is asked whether a run is due.
const RUNS_CHECK_S: u64 = 15;
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

/// Personal data as the settings, the packs and the profile have it.
pub(crate) fn personal_data(
    settings: &Settings,
    packs: &pack::Packs,
    city: &city::City,
    sealer: Option<Arc<Sealer>>,
) -> Personal {
    Personal {
        sealer,
        catalogue: RwLock::new(Arc::new(packs.catalogue.clone())),
        purposes: city.purposes.clone(),
        options: api::personal::Options {
            entities_max: settings.personal.entities_max,
            ..api::personal::Options::default()
        },
    }
}

/// A city that runs.
pub struct Running {
    /// Everything the handlers share.
    pub app: App,
    /// Where it listens.
    pub addresses: BTreeMap<&'static str, SocketAddr>,
    folder: Folder,
    /// Held until everything has ended.
    lock: CityLock,
    mqtt: Option<MqttHandle>,
    sl651: Option<gateway::Sl651Handle>,
    charging: Charging,
    postgres: Option<pgdoor::Handle>,
    http_stop: CancellationToken,
    http: JoinHandle<()>,
    https: Option<JoinHandle<()>>,
    timers: Vec<JoinHandle<()>>,
    given_up: Arc<News>,
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
        let lock = CityLock::take(&folder)?;
        formats::open_for_writing(&folder, &lock)?;
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
        let lake_options = lake_options(settings, &packs.catalogue, &city.zone)?;
        let lake = Arc::new(
            Lake::open(folder.lake(), lake_options)
                .map_err(|p| anyhow!("opening the lake: {p}"))?,
        );
        let records = records::Records::open(&folder.records())
            .await
            .context("opening the records")?;
        let identity = crate::sign_in::identity(&folder, settings, records.clone())?;
        let (own, rows) = (crate::policies::Own::Needed, settings.policy.rows);
        if !rows {
            tracing::warn!(
                "policy.rows = false: whoever may read entities at all sees all of them"
            );
        }
        let identity = crate::policies::govern(identity, &packs, &city, own, rows).await?;
        identity.all_devices_offline().await?;
        // The profile may name others since the city was made; nothing is written when it does not.
        identity
            .import_organisations(
                &crate::organisation::of_profile(&city),
                &records::Actor::system("city-profile"),
                wall_clock(),
            )
            .await?;
        let case_options = cases::Options {
            zone: city.zone.clone(),
            calendars: city.calendars.clone(),
            catalogue: packs.case_catalogue(),
            attachment_bytes_max: settings.http.attachment_mib_max * MIB,
            voice_seconds_max: settings.http.voice_seconds_max,
            voice_bytes_max: settings.http.voice_kib_max * KIB,
            signature_bytes_max: settings.http.signature_kib_max * KIB,
            offline_hours_max: settings.http.offline_hours_max,
            ..cases::Options::new(folder.attachments())
        };
        let cases = cases::Cases::new(records.clone(), case_options, packs.workflows.clone())?;
        let limits = admission::Limits {
            observed_past_seconds_max: settings.admission.observed_past_days_max * 86_400,
            observed_future_seconds_max: settings.admission.observed_future_seconds_max,
            attributes_max: settings.admission.attributes_max,
        };
        let notices = Arc::new(api::notices::Notices::default());
        let ingest = Ingest::new(journal.clone(), Arc::new(packs.catalogue.clone()), limits);
        let cipher = settings
            .personal
            .cipher
            .parse()
            .map_err(|p| anyhow!("{p}"))?;
        // Without keys the city runs, and takes and shows nothing personal.
        let sealer = personal_keys::make_ready(&folder, &records, cipher, wall_clock()).await;
        personal_keys::tell(&notices, sealer.as_ref().err(), wall_clock());
        let sealer = sealer.ok();
        let ingest = Arc::new(match &sealer {
            Some(sealer) => ingest.with_sealer(Arc::clone(sealer)),
            None => ingest,
        });
        let personal = Arc::new(personal_data(settings, &packs, &city, sealer.clone()));
        let plan = Arc::new(Plan::new(&packs, &city.zone));
        let tables = Arc::new(CityTables {
            records: records.clone(),
            twin: twin.clone(),
            plan: plan.clone(),
            identity: identity.clone(),
            city: city.clone(),
            clock: wall_clock,
            reader: None,
            look: Arc::new(Look::masked(&personal)),
        });
        let gaps = Arc::new(Gaps::load(folder.gaps(), notices.clone())?);
        let oidc = crate::oidc::provider(&folder, settings, records.clone())?;
        let outside = crate::outside::providers(&folder, settings)?;
        let (description, rules) = api::app::description();
        let influx = line_protocol(&packs.mappings).map_err(|p| anyhow!("{p}"))?;
        let line_protocol = Arc::new(RwLock::new(Arc::new(influx)));
        let app = App::new(api::AppParts {
            options: api::Options {
                demo: settings.city.demo,
                cookie_secure: settings.http.cookie_secure
                    || settings.oidc.issuer.starts_with("https://"),
                headers: api::headers::Options {
                    hsts_seconds: settings.http.hsts_seconds,
                    is_behind_https: settings.http.cookie_secure,
                },
                proxies: settings.http.proxies()?,
                body_bytes_max: settings.http.body_mib_max * MIB,
                lingering: api::lingering::Options {
                    bytes_max: settings.http.refused_body_mib_max * MIB,
                    time_max: Duration::from_secs(settings.http.refused_body_seconds_max),
                },
                request_time_max: Duration::from_secs(settings.http.request_seconds_max),
                sql_limits: sql_limits(settings),
                sql_stream_limits: stream_limits(settings),
                import_limits: import_limits(settings),
                upload_bytes_max: settings.import.upload_mib_max << 20,
                passing_dir: passing_dir(&folder)?,
                back_tests: back_test_options(settings),
                overview: overview_options(settings),
                replay: replay_options(settings),
                open311: api::open311::Options {
                    jurisdiction_id: match settings.open311.jurisdiction_id.as_str() {
                        "" => city.id.clone(),
                        said => said.to_owned(),
                    },
                    public_reads: settings.open311.public_reads,
                    contact: settings.open311.contact.clone(),
                    public_url: settings.http.public_url.trim_end_matches('/').to_owned(),
                    form_bytes_max: settings.open311.form_kib_max * 1024,
                    media_bytes_max: settings.open311.media_mib_max * MIB,
                    media_files_max: settings.open311.media_files_max,
                    limits: Default::default(),
                },
                runs: api::runner::Options {
                    targets_max: settings.runs.targets_max,
                    rows_max: settings.runs.rows_max,
                    keep_days: settings.runs.keep_days,
                },
                map_entities_max: settings.command_centre.map_entities_max,
                reports: settings.indicators.reports()?,
                portal: settings.portal.options(&settings.http.public_url),
                documents: settings.plan_office.options(&settings.http.public_url),
                forms: settings.forms.options(),
            },
            ingest: ingest.clone(),
            twin: twin.clone(),
            lake: lake.clone(),
            records,
            identity: identity.clone(),
            oidc: api::oidc_door::Door::new(oidc),
            outside,
            cases,
            packs: api::live_packs::LivePacks::new(packs.clone()),
            city,
            plan,
            corrections: api::corrections::UnderWay::default(),
            tables,
            personal,
            events: api::Events::default(),
            ngsi_ld: proto_ngsild::NgsiLd::default(),
            line_protocol: line_protocol.clone(),
            clock: wall_clock,
            notices: notices.clone(),
            notifications: OnceLock::new(),
            is_ready: AtomicBool::new(false),
            rules,
            description,
            door_metrics: OnceLock::new(),
            disconnect: OnceLock::new(),
            disconnect_token: OnceLock::new(),
            last_backup: OnceLock::new(),
            last_drill: OnceLock::new(),
            shown: OnceLock::new(),
            imports: Arc::default(),
            importing: Arc::default(),
            opening_claim_cases: Arc::default(),
            portal: api::portal::Desk::default(),
            back_tests: api::back_tests::BackTests::default(),
            audit: api::audit::Chain::default(),
            security: api::security::Sources::default(),
            overviews: api::overview::Cache::default(),
            engines: Arc::new(crate::engine_commands::engines()),
            runner: api::runner::Runner::default(),
            outlet: OnceLock::new(),
            charging: OnceLock::new(),
            exchange: OnceLock::new(),
            commands: api::command_office::UnderWay::default(),
        });
        let topics = Arc::new(RwLock::new(TopicMapping::new(&packs.mappings)));
        let own = folder.clone();
        let reader = move || own.packs_or_problems();
        app.packs
            .read_with(Arc::new(reader), taker(&app, topics.clone()));
        let own = folder.clone();
        // Set once, here.
        let _ = app.last_backup.set(Box::new(move || {
            Some(crate::backup::about::Last::read(&own)?.taken_at)
        }));
        let own = folder.clone();
        let _ = app
            .last_drill
            .set(Box::new(move || Some(Found::read(&own)?.seen())));
        if let Some(found) = Found::read(&folder) {
            found.show(&notices);
        }
        if let Some(last) = crate::backup::about::Last::read(&folder) {
            crate::backup::damage::show(&last, &folder, &notices);
        }
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
        // A file of retained messages that cannot be read is told when its door opens.
        let retained = gateway::mqtt::check_retained(&folder.retained());
        let retained = retained.ok().flatten().unwrap_or_default();
        let seen = [
            twin.position(),
            lake.sealed_position(),
            projection.seen(),
            retained,
        ];
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
        // Set once, here.
        let _ = app.shown.set(progressed.clone());
        let projector = Projector {
            journal,
            ingest: ingest.clone(),
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
        let acts_seen = crate::withdrawn::end(&app.records).await?;
        crate::administrators::start(&app, &folder, &settings.approval).await?;
        let speaks_tls = [
            &settings.http.tls_listen,
            &settings.mqtt.tls_listen,
            &settings.ocpp.tls_listen,
            &settings.postgres.listen,
            &settings.postgres.tls_listen,
        ];
        let served = match speaks_tls.iter().any(|address| !address.is_empty()) {
            true => Some(certificates::open(&folder, settings)?),
            false => None,
        };
        let tls = served.as_ref().map(|served| served.config.clone());
        let for_devices = served.as_ref().map(|served| served.for_devices.clone());
        let charging = crate::charging::start(&app, &folder, settings, for_devices.clone()).await?;
        addresses.extend(charging.addresses());
        let exchange = crate::exchange::start(&app, &folder, settings).await?;
        let mqtt = start_mqtt(&app, &folder, settings, topics, identity, for_devices).await?;
        if let Some(mqtt) = &mqtt {
            addresses.extend(mqtt.addresses().first().map(|&a| ("mqtt", a)));
            addresses.extend(mqtt.addresses_tls().first().map(|&a| ("mqtts", a)));
            // Set once, here.
            let door = mqtt.clone();
            floors.add("retained", move || door.retained_saved());
            let door = mqtt.clone();
            let _ = app.disconnect.set(Box::new(move |client_id| {
                door.disconnect(client_id);
            }));
            let door = mqtt.clone();
            let _ = app.disconnect_token.set(Box::new(move |token| {
                door.disconnect_named(&crate::mqtt_door::token_client(token));
            }));
        }
        let sl651 = crate::sl651_door::start(&app, settings).await?;
        if let Some(sl651) = &sl651 {
            // Set once, here.
            let _ = app
                .outlet
                .set(crate::sl651_outlet::outlet(&app, settings, sl651)?);
            addresses.extend(sl651.tcp_addresses().first().map(|&a| ("sl651", a)));
            addresses.extend(sl651.udp_addresses().first().map(|&a| ("sl651_udp", a)));
        }
        let postgres = crate::postgres_door::start(&app, settings, tls.clone()).await?;
        if let Some(postgres) = &postgres {
            addresses.extend(postgres.addresses().first().map(|&a| ("postgres", a)));
            addresses.extend(
                postgres
                    .addresses_tls()
                    .first()
                    .map(|&a| ("postgres_tls", a)),
            );
        }
        let (mqtt_door, postgres_door) = (mqtt.clone(), postgres.clone());
        let sl651_door = sl651.clone();
        let ocpp_door = charging.door.clone();
        let exchange_door = app.exchange.get().cloned();
        let _ = app.door_metrics.set(Box::new(move || {
            let mqtt = mqtt_door.iter().flat_map(|door| {
                crate::metrics::lines("mqtt", "Of the MQTT door.", door.metrics().figures())
            });
            let postgres = postgres_door.iter().flat_map(|door| {
                crate::metrics::lines("postgres", "Of the PostgreSQL door.", door.figures())
            });
            let sl651 = sl651_door.iter().flat_map(|door| {
                crate::metrics::lines("sl651", "Of the SL 651 door.", door.metrics().figures())
            });
            let ocpp = ocpp_door.iter().flat_map(|door| {
                crate::metrics::lines("ocpp", "Of the OCPP door.", door.metrics().figures())
            });
            let exchange = exchange_door.iter().flat_map(|door| {
                crate::metrics::lines("exchange", "Of the exchange.", door.figures())
            });
            let devices = mqtt.chain(sl651).chain(ocpp);
            devices.chain(exchange).chain(postgres).collect()
        }));
        let listener = tokio::net::TcpListener::bind(settings.http.listen)
            .await
            .with_context(|| {
                format!(
                    "http.listen = {}: is another program using it?",
                    settings.http.listen
                )
            })?;
        addresses.insert("http", listener.local_addr()?);
        let origin = settings
            .http
            .passkey_origin(&settings.oidc.issuer, Some(listener.local_addr()?))?;
        if let Some(origin) = origin {
            app.identity.set_origin(origin);
        }
        let http_stop = CancellationToken::new();
        let http = tokio::spawn(api::app::serve(
            listener,
            app.clone(),
            http_stop.clone().cancelled_owned(),
        ));
        let https = match listen_address("http.tls_listen", &settings.http.tls_listen)?.zip(tls) {
            None => None,
            Some((address, config)) => {
                let listener = tokio::net::TcpListener::bind(address)
                    .await
                    .with_context(|| {
                        format!("http.tls_listen = {address}: is another program using it?")
                    })?;
                addresses.insert("https", listener.local_addr()?);
                let limits = api::secure::Limits::default();
                let listener = api::secure::TlsListener::new(listener, config, limits)?;
                let stop = http_stop.clone().cancelled_owned();
                Some(tokio::spawn(api::app::serve_tls(
                    listener,
                    app.clone(),
                    stop,
                )))
            }
        };
        let certificate = served.map(|served| served.certificate);
        security::tell(&app, &folder, settings, certificate.clone(), mqtt.clone());
        let given_up = Arc::new(News::default());
        let mut timers = timers(&app, &folder, settings, twin_stored, &given_up);
        timers.push(tokio::spawn(crate::withdrawn::run(app.clone(), acts_seen)));
        timers.push(tokio::spawn(crate::policies::follow(app.clone())));
        timers.push(crate::administrators::timer(&app));
        timers.push(charging.timer(&app, settings));
        timers.extend(charging.grid_timer(&app, settings));
        timers.extend(exchange);
        timers.push(tokio::spawn(crate::case_clocks::run(app.clone())));
        timers.push(crate::notice::start(&app, &folder, settings)?);
        timers.extend(crate::audit::sealing::start(&app, &folder, &settings.audit).await);
        timers.extend(crate::oidc::timers(&app, settings)?);
        timers.extend(crate::open311::start(&app, &folder, settings)?);
        if let Some(certificate) = certificate {
            let every = Duration::from_secs(settings.tls.reload_seconds.max(1));
            timers.push(tokio::spawn(certificates::renew(certificate, every)));
        }
        if settings.packs.reload_seconds > 0 {
            let every = Duration::from_secs(settings.packs.reload_seconds);
            let follow = crate::pack_reload::follow(app.clone(), folder.clone(), every);
            timers.push(tokio::spawn(follow));
        }
        if settings.security.publish_seconds > 0 {
            let every = Duration::from_secs(settings.security.publish_seconds);
            timers.push(tokio::spawn(security::figures::run(app.clone(), every)));
        }
        if let Some(sealer) = sealer {
            let options = reseal::Options::default();
            timers.push(reseal::start(&app, &folder, &sealer, options));
            timers.push(personal_keys::follow(&folder, sealer));
        }
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
        // In this order: whoever finds the addresses finds the city ready.
        app.is_ready.store(true, Ordering::Release);
        files::write_atomically(&folder.addresses(), &serde_json::to_vec_pretty(&shown)?)?;
        Ok(Self {
            app,
            addresses,
            folder,
            lock,
            mqtt,
            sl651,
            charging,
            postgres,
            http_stop,
            http,
            https,
            timers,
            given_up,
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
        if let Some(sl651) = &self.sl651 {
            sl651.shutdown().await;
        }
        self.charging.close_door().await;
        if let Some(postgres) = &self.postgres {
            postgres.shutdown().await;
        }
        self.http_stop.cancel();
        for timer in &self.timers {
            timer.abort();
        }
        self.app.lake.stop_upkeep();
        for mut http in std::iter::once(self.http).chain(self.https) {
            if tokio::time::timeout(Duration::from_secs(HTTP_SHUTDOWN_S), &mut http)
                .await
                .is_err()
            {
                http.abort();
            }
        }
        self.charging.end();
        self.projector_stop.store(true, Ordering::Release);
        let (joined, ended) = oneshot::channel();
        let projector = self.projector;
        std::thread::spawn(move || joined.send(projector.join().is_ok()));
        let _projector_ended = ended.await;
        self.records.await??;
        self.app.twin.checkpoint(&self.folder.twin_checkpoint())?;
        let given_up = self.given_up.write_down(&self.app.records, wall_clock());
        if let Err(error) = given_up.await {
            tracing::error!(%error, "what history gave up is told in the log only");
        }
        // The last acts of this run are under a seal before it ends.
        let sealed =
            crate::audit::sealing::step(&self.folder, &self.app.records, None, wall_clock());
        if let Err(error) = sealed.await {
            tracing::warn!(%error, "the audit trail's last rows wait for the next start's seal");
        }
        self.app.ingest.journal().close();
        self.app.records.close().await;
        drop(self.lock);
        Ok(())
    }
}

/// The lake's options, from the settings, the packs and the city's time zone.
///
/// # Errors
/// A zone that is unknown.
pub fn lake_options(
    settings: &Settings,
    catalogue: &model::Catalogue,
    zone: &str,
) -> Result<lake::Options> {
    Ok(lake::Options {
        seal_rows: settings.lake.seal_rows,
        seal_age: Duration::from_secs(settings.lake.seal_minutes * 60),
        compact_memory_bytes: settings.lake.upkeep_mib_max.max(1) * MIB,
        struck_rows_max: settings.lake.struck_rows_max.max(1),
        history: histories(catalogue),
        day_offset_seconds: jiff::tz::TimeZone::get(zone)?
            .to_offset(jiff::Timestamp::now())
            .seconds(),
        ..lake::Options::default()
    })
}

/// How long and how condensed history is kept, by entity type.
pub(crate) fn histories(catalogue: &model::Catalogue) -> lake::Histories {
    let kinds = catalogue.kinds.iter();
    kinds
        .filter_map(|(name, kind)| Some((name.clone(), kind.history.clone()?)))
        .collect()
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

/// What back-tests of rules may use.
pub fn back_test_options(settings: &Settings) -> api::back_tests::Options {
    api::back_tests::Options {
        at_once_max: settings.rules.back_tests_max,
        days_max: settings.rules.back_test_days_max,
        limits: rules::back_test::Limits {
            observations_max: settings.rules.back_test_observations_max,
            alerts_max: settings.rules.back_test_alerts_max,
        },
        ..api::back_tests::Options::default()
    }
}

/// The limits of a query whose answer is sent as it is found.
pub fn stream_limits(settings: &Settings) -> lake::Limits {
    lake::Limits {
        rows_max: settings.sql.stream_rows_max,
        ..sql_limits(settings)
    }
}

/// How the city at a glance is counted, from the settings.
fn overview_options(settings: &Settings) -> api::overview::Options {
    let own = &settings.command_centre;
    api::overview::Options {
        heard_within: Duration::from_secs(own.heard_within_seconds),
        kept: Duration::from_millis(own.overview_kept_ms),
        alerts_max: own.alerts_max,
        cases_max: own.cases_max,
        rows_max: own.rows_max,
    }
}

/// The limits of playing back a past hour, from the settings.
fn replay_options(settings: &Settings) -> api::replay::Options {
    let own = &settings.command_centre;
    api::replay::Options {
        span_max: Duration::from_secs(own.replay_minutes_max * 60),
        look_back: Duration::from_secs(own.replay_look_back_minutes * 60),
        changes_max: own.replay_changes_max,
        state_rows_max: own.replay_state_rows_max,
        entities_max: own.map_entities_max,
        alerts_max: own.alerts_max,
        attributes_max: own.replay_attributes_max,
    }
}

/// The limits of an export to a file on the command line.
pub fn export_limits(settings: &Settings) -> lake::Limits {
    lake::Limits {
        rows_max: settings.export.rows_max,
        time_max: Duration::from_secs(settings.export.seconds_max),
        ..sql_limits(settings)
    }
}

/// The limits of a file that is made a table.
pub fn import_limits(settings: &Settings) -> imports::Limits {
    let import = &settings.import;
    imports::Limits {
        file_bytes_max: import.file_mib_max << 20,
        unpacked_bytes_max: import.unpacked_mib_max << 20,
        rows_max: import.rows_max,
        columns_max: import.columns_max,
        cell_bytes_max: import.cell_kib_max << 10,
        problems_max: import.problems_max,
        ..imports::Limits::default()
    }
}

/// An empty folder for files that pass through; what an earlier start left in it is gone.
fn passing_dir(folder: &Folder) -> Result<std::path::PathBuf> {
    let path = folder.passing();
    match std::fs::remove_dir_all(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(e).with_context(|| format!("clearing {}", path.display()));
        }
        _ => {}
    }
    std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
    Ok(path)
}

/// The decoder of line protocol with the packs' declarations.
///
/// # Errors
/// A declaration that it cannot follow.
pub(crate) fn line_protocol(declared: &[pack::Mapping]) -> std::result::Result<Influx, Problem> {
    let mut mappings = Vec::new();
    for mapping in declared
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
    Influx::new(mappings, proto_influx::Limits::default())
}

async fn start_mqtt(
    app: &App,
    folder: &Folder,
    settings: &Settings,
    topics: Arc<RwLock<TopicMapping>>,
    identity: identity::Identity,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<Option<MqttHandle>> {
    let listen: Vec<SocketAddr> = listen_address("mqtt.listen", &settings.mqtt.listen)?
        .into_iter()
        .collect();
    let listen_tls: Vec<SocketAddr> = listen_address("mqtt.tls_listen", &settings.mqtt.tls_listen)?
        .into_iter()
        .collect();
    if listen.is_empty() && listen_tls.is_empty() {
        // Trimming must not wait for a door that may never open again.
        let sink = CitySink {
            ingest: app.ingest.clone(),
            decoders: Vec::new(),
            mapping: topics,
            senders: Arc::default(),
            clock: app.clock,
        };
        let limits = MqttOptions::default().limits;
        gateway::mqtt::settle_retained(&folder.retained(), &limits, &sink)
            .map_err(|p| anyhow!("{p}"))?;
        return Ok(None);
    }
    let mut options = MqttOptions {
        tls: tls.map(TlsSource::Made),
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
    let senders = Arc::new(Senders::default());
    let sink = CitySink {
        ingest: app.ingest.clone(),
        decoders: vec![
            Arc::new(proto_senml::SenMl { limits: senml }),
            Arc::new(proto_ngsild::NgsiLd { limits: ngsi_ld }),
        ],
        mapping: topics,
        senders: Arc::clone(&senders),
        clock: app.clock,
    };
    let authenticator = CityAuthenticator {
        identity,
        city: Arc::clone(&app.city),
        twin: Arc::clone(&app.twin),
        senders,
        clock: app.clock,
    };
    let door = MqttDoor::start(options, Arc::new(sink), Arc::new(authenticator))
        .await
        .context("opening the MQTT door")?;
    Ok(Some(door))
}

fn timers(
    app: &App,
    folder: &Folder,
    settings: &Settings,
    twin_stored: Arc<AtomicU64>,
    given_up: &Arc<News>,
) -> Vec<JoinHandle<()>> {
    let measure = {
        let measured = crate::measuring::run(app.clone(), &settings.indicators);
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(failure) = app.keep_plan_projects().await {
                tracing::warn!(%failure, "the plan's projects were not written down; who looks at them tries again");
            }
            measured.await;
        })
    };
    let runs = {
        let app = app.clone();
        tokio::spawn(async move {
            let mut ticker = tokio::time::interval(Duration::from_secs(RUNS_CHECK_S));
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticker.tick().await;
                if let Err(failure) = app.run_due().await {
                    let failure = failure.in_words();
                    tracing::error!(failure, "runs could not be made; they are tried again");
                }
            }
        })
    };
    let commands = crate::sl651_outlet::look_after(app.clone());
    let asked = Arc::new(Notify::new());
    let seal = {
        let (app, asked) = (app.clone(), Arc::clone(&asked));
        tokio::spawn(async move {
            let mut ticker = tokio::time::interval(Duration::from_secs(SEAL_CHECK_S));
            loop {
                ticker.tick().await;
                if app.lake.should_seal(wall_clock()) {
                    let lake = app.lake.clone();
                    match tokio::task::spawn_blocking(move || lake.seal()).await {
                        Ok(Ok(Some(sealed))) if sealed.struck > 0 => asked.notify_one(),
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
    let upkeep = {
        let (lake, records, news) = (app.lake.clone(), app.records.clone(), given_up.clone());
        tokio::spawn(upkeep::run(upkeep::Pace::default(), asked, move || {
            history_upkeep::round(lake.clone(), records.clone(), news.clone(), wall_clock)
        }))
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
    let mut timers = vec![measure, runs, commands, seal, upkeep, checkpoint];
    timers.extend(crate::backup::schedule::start(
        app.clone(),
        folder.clone(),
        &settings.backup,
    ));
    timers
}
