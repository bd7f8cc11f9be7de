//! The PostgreSQL door of a city that runs: whose tables are lent to it, and how a purpose that a client states
//! (`SET jingling.purpose`) is judged: by the same [`Look`] as over HTTP, with one act in the trail for each statement.

use crate::running::{sql_limits, stream_limits};
use crate::settings::{Settings, listen_address};
use anyhow::{Context, Result};
use api::personal::Look;
use api::tables::CityTables;
use api::{App, WeakApp};
use futures::future::BoxFuture;
use identity::Principal;
use lake::RecordTables;
use model::Problem;
use records::Failure;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Opens the door, when the settings want one.
///
/// # Errors
/// A wrong address, or one that cannot be listened on.
pub async fn start(
    app: &App,
    settings: &Settings,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<Option<pgdoor::Handle>> {
    let postgres = &settings.postgres;
    let listen = listen_address("postgres.listen", &postgres.listen)?;
    let listen_tls = listen_address("postgres.tls_listen", &postgres.tls_listen)?;
    if listen.is_none() && listen_tls.is_none() {
        return Ok(None);
    }
    let options = pgdoor::Options {
        listen: listen.into_iter().collect(),
        listen_tls: listen_tls.into_iter().collect(),
        tls,
        limits: pgdoor::Limits {
            connections_max: postgres.connections_max,
            idle_time_max: Duration::from_secs(postgres.idle_seconds_max),
            ..pgdoor::Limits::default()
        },
        queries: stream_limits(settings),
        gathered: sql_limits(settings),
    };
    let city = pgdoor::City {
        lake: app.lake.clone(),
        identity: app.identity.clone(),
        catalogue: Box::new({
            let ingest = app.ingest.clone();
            move || ingest.catalogue()
        }),
        tables: Box::new({
            let tables = app.tables.clone();
            move |reader, peer| tables.seen_by(&Arc::new(reader.clone()), peer)
        }),
        purposes: Box::new(Purposes(app.downgrade())),
        clock: app.clock,
    };
    let door = pgdoor::start(options, city)
        .await
        .context("opening the PostgreSQL door")?;
    Ok(Some(door))
}

/// The city lends its door to its own figures, so that the door must not keep the city.
struct Purposes(WeakApp);

impl pgdoor::Purposes for Purposes {
    fn stated(
        &self,
        caller: &Principal,
        peer: IpAddr,
        purpose: &str,
    ) -> Result<Box<dyn pgdoor::Looking>, Problem> {
        let app = self.0.upgrade().ok_or_else(|| {
            Problem::new(
                "stopping",
                "the city is being stopped",
                "server",
                "try again when it runs",
            )
        })?;
        let caller = Arc::new(caller.clone());
        let actor = caller.actor(&peer.to_string());
        let look = Look::stated(&app, &caller, actor, purpose).map_err(told)?;
        let look = Arc::new(look);
        Ok(Box::new(Statement {
            tables: app.tables.looked_at(&caller, peer, &look),
            app,
            look,
        }))
    }
}

/// One statement's look.
struct Statement {
    app: App,
    tables: Arc<CityTables>,
    look: Arc<Look>,
}

impl pgdoor::Looking for Statement {
    fn tables(&self) -> Arc<dyn RecordTables> {
        Arc::clone(&self.tables) as _
    }

    fn tell(&self) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async {
            let app = &self.app;
            let done = self.look.tell(&app.records, app.now(), "postgres").await;
            done.map_err(told)
        })
    }
}

/// A failure as the client is told it: what is the platform's own stays in its log.
fn told(failure: Failure) -> Problem {
    if let Some(problem) = failure.problem() {
        return problem.clone();
    }
    tracing::error!(%failure, "a look at personal data could not be written down");
    Problem::new(
        "internal",
        "the platform failed, so nothing was shown",
        "server",
        "try again; if it stays, give the administrator the time",
    )
}
