//! What a signed-in client asks, message by message: simple and extended protocol, transactions that only
//! read, prepared statements, portals and cursors.

use crate::catalog::Catalog;
use crate::commands::{self, Command};
use crate::connection::{Guest, Stop, Wire};
use crate::dialect::{self, Question};
use crate::door::{Cancellable, Door, Looking};
use crate::figures::Figures;
use crate::report::{Severity, Written};
use crate::rows::{
    Rows, Source, cells, columns_of, gathered, headers, is_binary, show_all_columns,
};
use crate::settings::{PURPOSE, Settings, title};
use crate::split::{first_word, parameters as parameters_of, split};
use crate::types::{self, PgType};
use crate::wire::{Frontend, Target, Transaction};
use identity::Principal;
use lake::{RecordTables, ScalarValue};
use model::{Catalogue, Problem};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Most parameters of a statement, as in the lake.
const PARAMETERS_MAX: usize = 1_000;

/// What a statement asks for.
#[derive(Clone, Debug, PartialEq)]
enum Work {
    /// There is none.
    Empty,
    /// Something about the connection.
    Command(Command),
    /// A query for the lake; whether it needs the catalogue's tables.
    Lake(String, bool),
    /// A query that has no rows, with its columns.
    Nothing(Vec<String>),
}

impl Work {
    /// Whether it may run in a transaction in which a statement has failed.
    fn ends_transaction(&self) -> bool {
        matches!(self, Self::Command(Command::End(_) | Command::RollbackTo))
    }
}

/// A prepared statement.
struct Prepared {
    work: Work,
    /// The zone in which it was read.
    zone: Arc<str>,
    sql: String,
    parameters: Vec<PgType>,
    /// The types' numbers as the client is told them.
    parameter_ids: Vec<u32>,
    columns: Vec<(String, PgType)>,
}

/// A statement with its parameters, and how far its rows were sent.
struct Portal {
    prepared: Arc<Prepared>,
    parameters: Vec<ScalarValue>,
    formats: Vec<i16>,
    rows: Option<Rows>,
}

/// What a signed-in client asks.
pub(crate) struct Session {
    door: Arc<Door>,
    guest: Guest,
    settings: Settings,
    /// Settings as the client was told them last.
    told: Vec<(&'static str, String)>,
    statements: HashMap<String, Arc<Prepared>>,
    portals: HashMap<String, Portal>,
    transaction: Transaction,
    /// After an error in the extended protocol everything is passed over until the client's Sync.
    skips: bool,
    id: i32,
    cancelled: watch::Receiver<u64>,
    shutdown: watch::Receiver<bool>,
}

fn problem(code: &str, what: impl Into<String>, mend: &str) -> Problem {
    Problem::new(code, what, "statement", mend)
}

/// Waits for `work`, no longer than the client is there and wants it.
async fn watched<T>(
    wire: &mut Wire,
    cancelled: &mut watch::Receiver<u64>,
    shutdown: &mut watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Result<T, Stop> {
    tokio::select! {
        biased;
        _ = cancelled.changed() => Err(Stop::Failed(problem(
            "sql-cancelled",
            "the statement was cancelled as its client asked",
            "ask again",
        ))),
        _ = shutdown.wait_for(|down| *down) => Err(stopping()),
        done = work => Ok(done),
        () = wire.gone() => Err(Stop::Gone),
    }
}

/// Takes the place out of a problem of a statement that the lake was given in other words: it would point astray.
fn placed(stop: Stop, work: &Work, sql: &str) -> Stop {
    match (stop, work) {
        (Stop::Failed(mut problem), Work::Lake(asked, _)) if asked != sql => {
            if problem.place.starts_with("line ") {
                problem.place = "statement".to_owned();
            }
            Stop::Failed(problem)
        }
        (stop, _) => stop,
    }
}

fn stopping() -> Stop {
    Stop::Fatal(Problem::new(
        "postgres-stopping",
        "the platform is stopping",
        "connection",
        "connect again in a while",
    ))
}

impl Session {
    pub fn new(door: Arc<Door>, guest: Guest, settings: Settings, entry: &Cancellable) -> Self {
        Self {
            shutdown: door.shutdown.subscribe(),
            door,
            guest,
            told: settings.told(),
            settings,
            statements: HashMap::new(),
            portals: HashMap::new(),
            transaction: Transaction::Idle,
            skips: false,
            id: entry.id,
            cancelled: entry.cancelled.clone(),
        }
    }

    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Serves messages until the client says good-bye.
    pub async fn run(&mut self, wire: &mut Wire) -> Result<(), Stop> {
        wire.out.ready(self.transaction);
        wire.flush().await?;
        loop {
            let idle_max = self.door.options.limits.idle_time_max;
            let message = tokio::select! {
                biased;
                _ = self.shutdown.wait_for(|down| *down) => return Err(stopping()),
                message = timeout(idle_max, wire.next()) => message,
            };
            let message = message.map_err(|_| {
                Stop::Fatal(Problem::new(
                    "postgres-idle",
                    format!("nothing was asked for {} s", idle_max.as_secs()),
                    "connection",
                    "connect again",
                ))
            })??;
            match message {
                Frontend::Terminate => return Ok(()),
                Frontend::Query(text) => {
                    self.skips = false;
                    self.simple(wire, &text).await?;
                }
                Frontend::Sync => {
                    self.skips = false;
                    self.ready(wire).await?;
                }
                _ if self.skips => {}
                message => {
                    let statement = self.text_of(&message);
                    if let Err(stop) = self.extended(wire, message).await {
                        let sql = statement.as_deref().map(|sql| (sql, 0));
                        self.failed(wire, stop, sql)?;
                        self.skips = true;
                    }
                    wire.flush_much().await?;
                }
            }
        }
    }

    /// The statement that an error of this message points into.
    fn text_of(&self, message: &Frontend) -> Option<String> {
        match message {
            Frontend::Parse { sql, .. } => Some(sql.clone()),
            Frontend::Execute { portal, .. } => {
                let portal = self.portals.get(portal)?;
                // A place in other words than the client's would point astray.
                matches!(&portal.prepared.work, Work::Lake(sql, _) if *sql == portal.prepared.sql)
                    .then(|| portal.prepared.sql.clone())
            }
            _ => None,
        }
    }

    /// Tells an error; one that ends the connection is given back.
    fn failed(
        &mut self,
        wire: &mut Wire,
        stop: Stop,
        sql: Option<Written<'_>>,
    ) -> Result<(), Stop> {
        let Stop::Failed(problem) = stop else {
            return Err(stop);
        };
        tracing::debug!(user = self.guest.username, %problem, "a statement failed");
        Figures::one(&self.door.figures.statements_failed);
        wire.error(Severity::Error, &problem, sql);
        match self.transaction {
            Transaction::Open => self.transaction = Transaction::Failed,
            // What was sent together is a transaction of its own.
            Transaction::Idle => self.settings.end(false),
            Transaction::Failed => {}
        }
        Ok(())
    }

    /// Ends what the client sent together.
    async fn ready(&mut self, wire: &mut Wire) -> Result<(), Stop> {
        if self.transaction == Transaction::Idle {
            self.portals.clear();
            self.settings.end(true);
        }
        let told = self.settings.told();
        for (now, before) in told.iter().zip(&self.told) {
            if now != before {
                wire.out.parameter(now.0, &now.1);
            }
        }
        self.told = told;
        wire.out.ready(self.transaction);
        wire.flush().await
    }

    async fn simple(&mut self, wire: &mut Wire, text: &str) -> Result<(), Stop> {
        let statements = split(text);
        if statements.is_empty() {
            wire.out.empty();
        }
        for (start, sql) in statements {
            if let Err(stop) = self.statement(wire, sql).await {
                let before = text[..start].chars().count();
                self.failed(wire, stop, Some((sql, before)))?;
                break;
            }
        }
        self.ready(wire).await
    }

    /// One statement of the simple protocol: its columns, its rows, its end.
    async fn statement(&mut self, wire: &mut Wire, sql: &str) -> Result<(), Stop> {
        self.cancelled.mark_unchanged();
        let work = self.read(wire, sql).await?;
        self.check_transaction(&work)?;
        if let Work::Command(command) = &work
            && !matches!(command, Command::Show(_) | Command::ShowAll)
        {
            return self.command(wire, command.clone(), true).await;
        }
        let started = self.start(wire, &work, Vec::new(), &[]).await;
        let mut rows = started.map_err(|stop| placed(stop, &work, sql))?;
        wire.out.columns(&rows.headers);
        let sent = self.send(wire, &mut rows, None).await?;
        wire.out.complete(&tag(sql, &work, sent));
        Ok(())
    }

    fn check_transaction(&self, work: &Work) -> Result<(), Stop> {
        if self.transaction == Transaction::Failed && !work.ends_transaction() {
            return Err(Stop::Failed(problem(
                "postgres-transaction-failed",
                "a statement of this transaction has failed; the others are ignored until its end",
                "send ROLLBACK",
            )));
        }
        Ok(())
    }

    /// What a statement asks for.
    async fn read(&mut self, wire: &mut Wire, sql: &str) -> Result<Work, Stop> {
        let statement_bytes_max = self.door.options.queries.statement_bytes_max;
        if sql.len() > statement_bytes_max {
            return Err(Stop::Failed(problem(
                "sql-length",
                format!("the statement has {} bytes", sql.len()),
                &format!("use at most {statement_bytes_max} bytes"),
            )));
        }
        if split(sql).is_empty() {
            return Ok(Work::Empty);
        }
        if let Some(command) = commands::read(sql)? {
            return Ok(Work::Command(command));
        }
        let (catalog, _) = self.city(wire).await?;
        Ok(match dialect::read(sql, &catalog) {
            Question::Plain => Work::Lake(sql.to_owned(), false),
            Question::Catalogue(sql) => Work::Lake(sql, true),
            Question::Reworded(sql) => Work::Lake(sql, false),
            Question::Refused(problem) => return Err(problem.into()),
            Question::Nothing(columns) => Work::Nothing(columns),
        })
    }

    /// The catalogue for the caller as it stands now.
    async fn city(&mut self, wire: &mut Wire) -> Result<(Catalog, Arc<Catalogue>), Stop> {
        let (catalog, kinds, _) = self.city_of(wire).await?;
        Ok((catalog, kinds))
    }

    /// The caller as it stands now.
    async fn principal(&mut self, wire: &mut Wire) -> Result<Principal, Stop> {
        let principal = self.guest.principal();
        watched(wire, &mut self.cancelled, &mut self.shutdown, principal).await?
    }

    /// [`Self::city`], and the caller.
    async fn city_of(
        &mut self,
        wire: &mut Wire,
    ) -> Result<(Catalog, Arc<Catalogue>, Principal), Stop> {
        let principal = self.principal(wire).await?;
        let kinds = (self.door.city.catalogue)();
        let lent = (self.door.city.tables)(&principal, self.guest.peer);
        let views = kinds
            .kinds
            .keys()
            .flat_map(|name| [name.clone(), format!("{name}_now")])
            .chain(kinds.views.iter().map(|view| view.name.clone()));
        let catalog = Catalog {
            tables: Arc::new(self.door.city.lake.tables(&kinds, lent.as_ref())),
            views: Arc::new(views.collect()),
            declared: Arc::clone(&kinds),
            user: self.guest.username.clone(),
            settings: self.settings.all(),
            zone: self.settings.zone(),
            connection: self.id,
            lent,
        };
        Ok((catalog, kinds, principal))
    }

    /// A statement's look at personal values, for the purpose that the client has stated.
    fn looking(&self, caller: &Principal) -> Result<Option<Box<dyn Looking>>, Problem> {
        let purposes = &self.door.city.purposes;
        let purpose = self.settings.purpose();
        purpose
            .map(|purpose| purposes.stated(caller, self.guest.peer(), purpose))
            .transpose()
    }

    /// Limits of the next statement.
    fn limits(&self) -> lake::Limits {
        let options = &self.door.options;
        let mut limits = match self.settings.purpose() {
            None => options.queries.clone(),
            Some(_) => options.gathered.clone(),
        };
        let asked = self.settings.statement_timeout();
        limits.time_max = limits.time_max.min(asked.unwrap_or(Duration::MAX));
        // Putting the catalogue's names into a question may make it longer than its limit.
        limits.statement_bytes_max = limits.statement_bytes_max.saturating_mul(4);
        limits
    }

    /// Begins to answer.
    async fn start(
        &mut self,
        wire: &mut Wire,
        work: &Work,
        parameters: Vec<ScalarValue>,
        formats: &[i16],
    ) -> Result<Rows, Stop> {
        Figures::one(&self.door.figures.statements);
        let (sql, with_catalogue) = match work {
            Work::Lake(sql, with_catalogue) => (sql, *with_catalogue),
            Work::Nothing(columns) => {
                let columns = columns.iter().map(|name| (name.clone(), PgType::Text));
                return Ok(Rows::texts(columns.collect(), formats, Vec::new()));
            }
            Work::Command(Command::Show(name)) => {
                let value = self.settings.get(name)?.to_owned();
                let columns = vec![(title(name), PgType::Text)];
                return Ok(Rows::texts(columns, formats, vec![vec![value]]));
            }
            Work::Command(Command::ShowAll) => {
                let rows = self.settings.all().into_iter();
                let rows = rows.map(|(name, value)| vec![name, value]).collect();
                return Ok(Rows::texts(show_all_columns(), formats, rows));
            }
            Work::Empty | Work::Command(_) => {
                return Ok(Rows::texts(Vec::new(), formats, Vec::new()));
            }
        };
        let (mut catalog, kinds, caller) = self.city_of(wire).await?;
        let look = self.looking(&caller)?;
        if let Some(look) = &look {
            catalog.lent = look.tables();
        }
        let tables: Arc<dyn RecordTables> = match with_catalogue {
            true => Arc::new(catalog),
            false => catalog.lent,
        };
        let limits = self.limits();
        let question = lake::Question {
            sql,
            parameters,
            tables,
            catalogue: &kinds,
            zone: Some(Arc::clone(self.settings.zone().engine())),
        };
        let city = Arc::clone(&self.door);
        let answer = city.city.lake.query_stream(question, &limits);
        let (columns, source) = match look {
            None => {
                let answer = watched(wire, &mut self.cancelled, &mut self.shutdown, answer);
                let answer = answer.await??;
                (columns_of(answer.schema()), Source::Lake(Box::new(answer)))
            }
            Some(look) => {
                let whole = gathered(answer);
                let whole = watched(wire, &mut self.cancelled, &mut self.shutdown, whole).await;
                // Also when it failed: an error may tell a value.
                look.tell().await?;
                let (columns, batches) = whole??;
                (columns, Source::Gathered(batches.into_iter()))
            }
        };
        Ok(Rows {
            headers: headers(&columns, formats),
            kinds: columns.into_iter().map(|(_, kind)| kind).collect(),
            source,
            batch: None,
            is_done: false,
        })
    }

    /// Sends rows, at most `rows_max`; gives how many.
    async fn send(
        &mut self,
        wire: &mut Wire,
        rows: &mut Rows,
        rows_max: Option<u32>,
    ) -> Result<u64, Stop> {
        let mut sent = 0;
        let is_enough = |sent| rows_max.is_some_and(|max| sent >= u64::from(max));
        loop {
            if let Some((cells, length, at)) = &mut rows.batch {
                while *at < *length && !is_enough(sent) {
                    wire.out.row(cells.len(), |out| {
                        for (cells, header) in cells.iter().zip(&rows.headers) {
                            cells.put(*at, header.binary, out);
                        }
                    });
                    *at += 1;
                    sent += 1;
                    wire.flush_much().await?;
                }
                if *at < *length {
                    return Ok(sent);
                }
                rows.batch = None;
            }
            match &mut rows.source {
                Source::Texts(texts) => {
                    while !is_enough(sent)
                        && let Some(row) = texts.next()
                    {
                        wire.out.row(row.len(), |out| {
                            for text in &row {
                                crate::wire::put_cell(out, |out| {
                                    out.extend_from_slice(text.as_bytes());
                                });
                            }
                        });
                        sent += 1;
                    }
                    rows.is_done = texts.len() == 0;
                    return Ok(sent);
                }
                Source::Gathered(batches) => {
                    let Some(batch) = batches.next() else {
                        rows.is_done = true;
                        return Ok(sent);
                    };
                    let cells = cells(&rows.kinds, &batch, &self.settings.zone())?;
                    rows.batch = Some((cells, batch.num_rows(), 0));
                }
                Source::Lake(answer) => {
                    let next = answer.next();
                    let next = watched(wire, &mut self.cancelled, &mut self.shutdown, next);
                    let Some(batch) = next.await? else {
                        if answer.truncated() {
                            return Err(Stop::Failed(lake::formats::rows_problem(answer.limits())));
                        }
                        rows.is_done = true;
                        return Ok(sent);
                    };
                    let batch = batch?;
                    let cells = cells(&rows.kinds, &batch, &self.settings.zone())?;
                    rows.batch = Some((cells, batch.num_rows(), 0));
                }
            }
        }
    }

    async fn extended(&mut self, wire: &mut Wire, message: Frontend) -> Result<(), Stop> {
        match message {
            Frontend::Parse { name, sql, types } => {
                self.cancelled.mark_unchanged();
                self.parse(wire, name, sql, &types).await
            }
            Frontend::Bind {
                portal,
                statement,
                parameter_formats,
                parameters,
                result_formats,
            } => {
                let prepared = self.prepared(&statement)?;
                if parameters.len() != prepared.parameters.len() {
                    return Err(Stop::Failed(problem(
                        "postgres-parameter-count",
                        format!(
                            "{} parameters were given for {}",
                            parameters.len(),
                            prepared.parameters.len()
                        ),
                        "give one value for each",
                    )));
                }
                let kinds = prepared.parameters.iter().zip(&parameters).enumerate();
                let zone = self.settings.zone();
                let values = kinds.map(|(n, (kind, value))| {
                    let binary = is_binary(&parameter_formats, n);
                    types::parameter(n, *kind, binary, value.as_ref(), &zone)
                });
                let parameters = values.collect::<Result<_, _>>()?;
                let opened = Portal {
                    prepared,
                    parameters,
                    formats: result_formats,
                    rows: None,
                };
                self.open_portal(portal, opened)?;
                wire.out.bound();
                Ok(())
            }
            Frontend::Describe(Target::Statement, name) => {
                let prepared = self.prepared(&name)?;
                wire.out.parameters(&prepared.parameter_ids);
                self.describe(wire, &prepared, &[])
            }
            Frontend::Describe(Target::Portal, name) => {
                let portal = self.portals.get(&name).ok_or_else(|| no_portal(&name))?;
                let (prepared, formats) = (Arc::clone(&portal.prepared), portal.formats.clone());
                self.describe(wire, &prepared, &formats)
            }
            Frontend::Execute { portal, rows_max } => {
                self.cancelled.mark_unchanged();
                let opened = self.portals.remove(&portal);
                let mut opened = opened.ok_or_else(|| no_portal(&portal))?;
                self.execute(wire, &mut opened, rows_max).await?;
                self.portals.insert(portal, opened);
                Ok(())
            }
            Frontend::Close(target, name) => {
                match target {
                    Target::Statement => drop(self.statements.remove(&name)),
                    Target::Portal => drop(self.portals.remove(&name)),
                }
                wire.out.closed();
                Ok(())
            }
            Frontend::Flush => wire.flush().await,
            Frontend::FunctionCall => Err(Stop::Failed(problem(
                "postgres-not-supported",
                "calls of functions by number are not supported here",
                "call it in SELECT",
            ))),
            Frontend::Copy => Ok(()),
            Frontend::Password(_) | Frontend::Query(_) | Frontend::Sync | Frontend::Terminate => {
                Ok(())
            }
        }
    }

    async fn parse(
        &mut self,
        wire: &mut Wire,
        name: String,
        sql: String,
        told: &[u32],
    ) -> Result<(), Stop> {
        if !name.is_empty() && self.statements.contains_key(&name) {
            return Err(Stop::Failed(problem(
                "postgres-statement-unknown",
                format!(
                    "there is already a prepared statement \"{}\"",
                    model::problem::quote(&name)
                ),
                "close it first, or choose another name",
            )));
        }
        if self.statements.len() >= self.door.options.limits.statements_max {
            return Err(Stop::Failed(problem(
                "postgres-limit",
                format!("{} statements are prepared", self.statements.len()),
                "close those that are not needed (DEALLOCATE)",
            )));
        }
        if split(&sql).len() > 1 {
            return Err(Stop::Failed(problem(
                "sql-several-statements",
                "there are several statements",
                "prepare one at a time",
            )));
        }
        let work = self.read(wire, &sql).await?;
        self.check_transaction(&work)?;
        let (mut parameters, mut columns) = (Vec::new(), Vec::new());
        // A parameter may have gone when the statement was put into the lake's words.
        let count = told.len().max(parameters_of(&sql)).min(PARAMETERS_MAX);
        match &work {
            Work::Lake(text, with_catalogue) => {
                let (catalog, kinds) = self.city(wire).await?;
                let tables: Arc<dyn RecordTables> = match with_catalogue {
                    true => Arc::new(catalog),
                    false => catalog.lent,
                };
                let limits = self.limits();
                let question = lake::Question {
                    sql: text,
                    parameters: (0..count)
                        .map(|n| types::null(told.get(n).copied().unwrap_or(0)))
                        .collect(),
                    tables,
                    catalogue: &kinds,
                    zone: Some(Arc::clone(self.settings.zone().engine())),
                };
                let door = Arc::clone(&self.door);
                let described = door.city.lake.describe(question, &limits);
                let described =
                    watched(wire, &mut self.cancelled, &mut self.shutdown, described).await?;
                let described = described.map_err(|p| placed(p.into(), &work, &sql))?;
                let shown = described.parameters.iter().enumerate();
                parameters = shown
                    .map(|(n, shown)| {
                        let told = told.get(n).copied().unwrap_or(0);
                        types::parameter_type(told, shown.as_ref())
                    })
                    .collect();
                columns = columns_of(&described.schema);
            }
            Work::Nothing(names) => {
                columns = names.iter().map(|n| (n.clone(), PgType::Text)).collect();
                parameters = (0..count)
                    .map(|n| types::parameter_type(told.get(n).copied().unwrap_or(0), None))
                    .collect();
            }
            Work::Command(Command::Show(name)) => columns = vec![(title(name), PgType::Text)],
            Work::Command(Command::ShowAll) => columns = show_all_columns(),
            Work::Command(Command::Fetch(cursor, _)) => {
                if let Some(portal) = self.portals.get(cursor) {
                    columns.clone_from(&portal.prepared.columns);
                }
            }
            Work::Empty | Work::Command(_) => {}
        }
        // A client that gave a type hears it again, also where another one is used: drivers hold it against us.
        let ids = parameters.iter().enumerate();
        let ids = ids.map(|(n, kind)| match told.get(n).copied().unwrap_or(0) {
            0 | types::UNKNOWN => kind.id(),
            told => told,
        });
        let prepared = Prepared {
            parameter_ids: ids.collect(),
            zone: Arc::clone(self.settings.zone().engine()),
            work,
            sql,
            parameters,
            columns,
        };
        self.statements.insert(name, Arc::new(prepared));
        wire.out.parsed();
        Ok(())
    }

    fn prepared(&self, name: &str) -> Result<Arc<Prepared>, Stop> {
        self.statements.get(name).cloned().ok_or_else(|| {
            Stop::Failed(problem(
                "postgres-statement-unknown",
                format!(
                    "there is no prepared statement \"{}\"",
                    model::problem::quote(name)
                ),
                "prepare it first",
            ))
        })
    }

    fn open_portal(&mut self, name: String, portal: Portal) -> Result<(), Stop> {
        let portals_max = self.door.options.limits.portals_max;
        if self.portals.len() >= portals_max && !self.portals.contains_key(&name) {
            return Err(Stop::Failed(problem(
                "postgres-limit",
                format!("{portals_max} portals are open"),
                "close those that are not needed",
            )));
        }
        self.portals.insert(name, portal);
        Ok(())
    }

    fn describe(&self, wire: &mut Wire, prepared: &Prepared, formats: &[i16]) -> Result<(), Stop> {
        if prepared.columns.is_empty() {
            wire.out.no_rows();
        } else {
            wire.out.columns(&headers(&prepared.columns, formats));
        }
        Ok(())
    }

    async fn execute(
        &mut self,
        wire: &mut Wire,
        portal: &mut Portal,
        rows_max: u32,
    ) -> Result<(), Stop> {
        let prepared = Arc::clone(&portal.prepared);
        self.check_transaction(&prepared.work)?;
        match &prepared.work {
            Work::Empty => {
                wire.out.empty();
                return Ok(());
            }
            Work::Command(Command::Show(_) | Command::ShowAll) => {}
            Work::Command(command) => return self.command(wire, command.clone(), false).await,
            _ => {}
        }
        let mut rows = match portal.rows.take() {
            Some(rows) => rows,
            None => {
                let parameters = portal.parameters.clone();
                let formats = &portal.formats;
                if prepared.zone == *self.settings.zone().engine() {
                    self.start(wire, &prepared.work, parameters, formats)
                        .await?
                } else {
                    // Prepared in another zone: what was put into the lake's words then may be wrong now.
                    let work = self.read(wire, &prepared.sql).await?;
                    self.start(wire, &work, parameters, formats).await?
                }
            }
        };
        let rows_max = (rows_max > 0).then_some(rows_max);
        let sent = self.send(wire, &mut rows, rows_max).await?;
        if rows.is_done {
            wire.out.complete(&tag(&prepared.sql, &prepared.work, sent));
        } else {
            wire.out.suspended();
        }
        portal.rows = Some(rows);
        Ok(())
    }

    /// Does something about the connection.
    async fn command(
        &mut self,
        wire: &mut Wire,
        command: Command,
        with_columns: bool,
    ) -> Result<(), Stop> {
        Figures::one(&self.door.figures.statements);
        let tag = match command {
            Command::Nothing(tag) => tag,
            Command::Set(name, value, is_local) => {
                let tag = if value.is_some() { "SET" } else { "RESET" };
                let purpose = value.as_deref().filter(|value| !value.is_empty());
                if let Some(purpose) = purpose
                    && name.eq_ignore_ascii_case(PURPOSE)
                {
                    // Told now, and judged anew for each statement.
                    let caller = self.principal(wire).await?;
                    let peer = self.guest.peer();
                    drop(self.door.city.purposes.stated(&caller, peer, purpose)?);
                }
                self.settings.set(&name, value, is_local)?;
                tag
            }
            Command::ResetAll => {
                self.settings.reset();
                "RESET"
            }
            Command::DiscardAll => {
                self.settings.reset();
                self.statements.clear();
                self.portals.clear();
                "DISCARD ALL"
            }
            Command::Begin => {
                self.transaction = Transaction::Open;
                "BEGIN"
            }
            Command::End(keeps) => {
                let has_failed = self.transaction == Transaction::Failed;
                self.transaction = Transaction::Idle;
                self.portals.clear();
                self.settings.end(keeps && !has_failed);
                if keeps && !has_failed {
                    "COMMIT"
                } else {
                    "ROLLBACK"
                }
            }
            Command::RollbackTo => {
                if self.transaction == Transaction::Failed {
                    self.transaction = Transaction::Open;
                }
                "ROLLBACK"
            }
            Command::Deallocate(Some(name)) => {
                self.prepared(&name)?;
                self.statements.remove(&name);
                "DEALLOCATE"
            }
            Command::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL"
            }
            Command::Declare(name, sql) => {
                self.declare(wire, name, sql).await?;
                "DECLARE CURSOR"
            }
            Command::Fetch(name, count) => {
                let opened = self.portals.remove(&name);
                let mut portal = opened.ok_or_else(|| no_portal(&name))?;
                let sent = self.fetch(wire, &mut portal, count, with_columns).await?;
                self.portals.insert(name, portal);
                wire.out.complete(&format!("FETCH {sent}"));
                return Ok(());
            }
            Command::CloseCursor(Some(name)) => {
                self.portals.remove(&name).ok_or_else(|| no_portal(&name))?;
                "CLOSE CURSOR"
            }
            Command::CloseCursor(None) => {
                self.portals.clear();
                "CLOSE CURSOR ALL"
            }
            // Answered with rows, elsewhere.
            Command::Show(_) | Command::ShowAll => "SHOW",
        };
        wire.out.complete(tag);
        Ok(())
    }

    async fn declare(&mut self, wire: &mut Wire, name: String, sql: String) -> Result<(), Stop> {
        if self.transaction != Transaction::Open {
            return Err(Stop::Failed(problem(
                "postgres-no-transaction",
                "a cursor lives within a transaction, and none is open",
                "send BEGIN first",
            )));
        }
        let work = self.read(wire, &sql).await?;
        let rows = self.start(wire, &work, Vec::new(), &[]).await?;
        let columns = rows.headers.iter().zip(&rows.kinds);
        let prepared = Prepared {
            columns: columns.map(|(h, kind)| (h.name.clone(), *kind)).collect(),
            zone: Arc::clone(self.settings.zone().engine()),
            work,
            sql,
            parameters: Vec::new(),
            parameter_ids: Vec::new(),
        };
        let portal = Portal {
            prepared: Arc::new(prepared),
            parameters: Vec::new(),
            formats: Vec::new(),
            rows: Some(rows),
        };
        self.open_portal(name, portal)
    }

    async fn fetch(
        &mut self,
        wire: &mut Wire,
        portal: &mut Portal,
        count: Option<u32>,
        with_columns: bool,
    ) -> Result<u64, Stop> {
        let Some(rows) = &mut portal.rows else {
            return Ok(0);
        };
        if with_columns {
            wire.out.columns(&rows.headers);
        }
        if count == Some(0) {
            return Ok(0);
        }
        self.send(wire, rows, count).await
    }
}

fn tag(sql: &str, work: &Work, rows: u64) -> String {
    match work {
        Work::Command(_) => "SHOW".to_owned(),
        _ => match first_word(sql).as_deref() {
            Some("EXPLAIN") => "EXPLAIN".to_owned(),
            Some("SHOW") => "SHOW".to_owned(),
            _ => format!("SELECT {rows}"),
        },
    }
}

fn no_portal(name: &str) -> Stop {
    Stop::Failed(problem(
        "postgres-portal-unknown",
        format!(
            "there is no cursor or portal \"{}\"",
            model::problem::quote(name)
        ),
        "open it first; it ends with its transaction",
    ))
}
