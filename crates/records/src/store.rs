//! Opening the records, reading, writing in one transaction, and keeping a projection's rows and its
//! position together.

use crate::failure::{Failure, Result};
use crate::migrations;
use model::Problem;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, AssertSqlSafe, Connection as _, Row, Transaction};
use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What the table modules' functions run on: a plain connection or one inside a transaction.
pub type Connection = sqlx::AnyConnection;

/// How the records are opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections of this process; one writes at a time, the others read.
    pub connections_max: u32,
    /// How long a statement waits for another process's write, in milliseconds.
    pub busy_timeout_ms: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections_max: 4,
            busy_timeout_ms: 10_000,
        }
    }
}

/// The records of one city. Cheap to clone; several processes may hold the same file open.
#[derive(Clone, Debug)]
pub struct Records {
    pool: AnyPool,
    // SQLite has one writer: waiting here is fair and wakes at once, where its own busy wait polls.
    writer: Arc<Mutex<()>>,
    commits: Arc<AtomicU64>,
}

impl Records {
    /// Opens the records file, makes it when it is not there, and brings it to the newest shape. On a disk that is
    /// read-only it is opened for reading, when it is whole and of the newest shape.
    ///
    /// # Errors
    /// `records-newer` ([`Failure::Invalid`]) when a newer build wrote it; `records-read-only`
    /// ([`Failure::Unavailable`]); otherwise the store's own error.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Options::default()).await
    }

    /// [`Records::open`] with options.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub async fn open_with(path: &Path, options: Options) -> Result<Self> {
        let url = sqlite_url(path)?;
        // Asked before: where every new connection fails, the pool would try for its whole patience.
        if is_on_read_only_disk(path) {
            must_be_whole(path)?;
            // Nobody changes it, and there is no place for what SQLite lays beside it.
            let url = format!("{url}?mode=ro&immutable=1");
            let pragmas = "PRAGMA query_only = ON;".to_owned();
            let records = Self::connect(&url, pragmas, &options).await?;
            migrations::must_be_newest(&mut *records.read().await?).await?;
            return Ok(records);
        }
        let pragmas = format!(
            "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON;",
            options.busy_timeout_ms
        );
        let records = Self::connect(&format!("{url}?mode=rwc"), pragmas, &options).await?;
        let mut write = records.write().await?;
        migrations::migrate(&mut write).await?;
        write.commit().await?;
        Ok(records)
    }

    async fn connect(url: &str, pragmas: String, options: &Options) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let connect = AnyConnectOptions::from_str(url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(options.connections_max.max(2))
            .after_connect(move |connection, _| {
                let pragmas = pragmas.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(pragmas))
                        .execute(connection)
                        .await
                        .map(|_| ())
                })
            })
            // SQLite takes a transaction back by itself when the disk is full, and the driver then believes for ever that
            // one is open: such a connection is closed rather than given to the next. A rollback that is only on
            // its way has happened after the ping.
            .after_release(|connection, _| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        connection.ping().await?;
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(connect)
            .await?;
        Ok(Self {
            pool,
            writer: Arc::default(),
            commits: Arc::default(),
        })
    }

    /// A connection to read with. It sees every write committed before each statement, of any process.
    ///
    /// # Errors
    /// The store's own error.
    pub async fn read(&self) -> Result<PoolConnection<Any>> {
        Ok(self.pool.acquire().await?)
    }

    /// A transaction to write with; dropped without [`Write::commit`] it is taken back. One task holds one
    /// at a time: asking for a second while holding the first waits for ever.
    ///
    /// # Errors
    /// The store's own error; also when another process holds the write lock past the busy timeout.
    pub async fn write(&self) -> Result<Write> {
        let turn = self.writer.clone().lock_owned().await;
        // IMMEDIATE: a transaction that reads first and then writes would otherwise fail at once,
        // whatever the busy timeout, when another process wrote in between.
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write {
            transaction,
            commits: Arc::clone(&self.commits),
            _turn: turn,
        })
    }

    /// How many writes this process has made durable since it opened the records: while it stays the same, no row that this process
    /// writes has changed.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// A transaction for a projection: it reads where the projection stands, writes rows, and commits them
    /// together with the new position.
    ///
    /// # Errors
    /// As [`Records::write`].
    pub async fn project(&self, name: &str) -> Result<Projection> {
        let mut write = self.write().await?;
        let position = projection_position(&mut write, name).await?;
        Ok(Projection {
            write,
            name: name.to_owned(),
            position,
        })
    }

    /// The position of a projection: every record below it is in its rows. 0 when it never ran.
    ///
    /// # Errors
    /// The store's own error.
    pub async fn projection_position(&self, name: &str) -> Result<u64> {
        let mut connection = self.read().await?;
        projection_position(&mut connection, name).await
    }

    /// Checks the whole file: pages, indexes, references. Empty when all is well.
    ///
    /// # Errors
    /// The store's own error.
    pub async fn check(&self) -> Result<Vec<Problem>> {
        let mut connection = self.read().await?;
        let mut problems = Vec::new();
        let mend = "stop the server and restore records.sqlite from the last backup";
        for row in sqlx::query::<Any>("PRAGMA integrity_check")
            .fetch_all(&mut *connection)
            .await?
        {
            let finding: String = row.try_get(0)?;
            if finding != "ok" {
                problems.push(Problem::new(
                    "records-damaged",
                    finding,
                    "records.sqlite",
                    mend,
                ));
            }
        }
        for row in sqlx::query::<Any>("PRAGMA foreign_key_check")
            .fetch_all(&mut *connection)
            .await?
        {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            problems.push(Problem::new(
                "records-reference",
                format!("a row of {table} refers to a row of {parent} that is not there"),
                format!("records.sqlite, table {table}"),
                mend,
            ));
        }
        Ok(problems)
    }

    /// Closes every connection; the file is then complete without its `-wal` companion.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A write transaction. Give `&mut write` to the table modules' functions.
#[derive(Debug)]
pub struct Write {
    // Before the turn: fields drop in order, and the rollback must be queued before the next writer goes.
    transaction: Transaction<'static, Any>,
    commits: Arc<AtomicU64>,
    _turn: OwnedMutexGuard<()>,
}

impl Write {
    /// Makes the writes durable.
    ///
    /// # Errors
    /// The store's own error; then nothing was written.
    pub async fn commit(self) -> Result<()> {
        let committed = self.transaction.commit().await;
        // Also after an error: nobody knows then what has come to be.
        self.commits.fetch_add(1, Ordering::AcqRel);
        Ok(committed?)
    }
}

impl Deref for Write {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}

/// One step of a projection: its rows and its position in one transaction.
#[derive(Debug)]
pub struct Projection {
    write: Write,
    name: String,
    position: u64,
}

impl Projection {
    /// Where the projection stands: the first position that is not in its rows.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Makes the rows and the new position durable together.
    ///
    /// # Errors
    /// [`Failure::Conflict`] when `position` lies behind the one stored; otherwise the store's own error.
    pub async fn commit(mut self, position: u64) -> Result<()> {
        if position < self.position {
            return Err(Failure::Conflict(Problem::new(
                "projection-behind",
                format!("{position} lies behind {}", self.position),
                self.name,
                "read the journal from the projection's own position",
            )));
        }
        sqlx::query::<Any>(
            "INSERT INTO projections (name, position) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET position = excluded.position",
        )
        .bind(&self.name)
        .bind(position_to_column(position)?)
        .execute(&mut *self.write)
        .await?;
        self.write.commit().await
    }
}

impl Deref for Projection {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.write
    }
}

impl DerefMut for Projection {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.write
    }
}

async fn projection_position(connection: &mut Connection, name: &str) -> Result<u64> {
    let stored = sqlx::query_scalar::<Any, i64>("SELECT position FROM projections WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?
        .unwrap_or(0);
    u64::try_from(stored).map_err(Failure::internal)
}

/// A journal position as a column.
pub(crate) fn position_to_column(position: u64) -> Result<i64> {
    i64::try_from(position).map_err(Failure::internal)
}

/// Whether the disk that the file is on takes no writes. The file itself is not opened for that: closing it would end
/// the locks that SQLite holds on it in this process.
fn is_on_read_only_disk(path: &Path) -> bool {
    let probe = path.with_extension("probe");
    match File::options().write(true).create_new(true).open(&probe) {
        Err(error) => error.kind() == std::io::ErrorKind::ReadOnlyFilesystem,
        Ok(_) => {
            let _ = std::fs::remove_file(&probe);
            false
        }
    }
}

/// Whether the newest rows are in the file, and not beside it, where SQLite reads them only if it may write.
fn must_be_whole(path: &Path) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-wal");
    if Path::new(&beside).metadata().is_ok_and(|wal| wal.len() > 0) {
        return Err(Failure::Unavailable(Problem::new(
            "records-read-only",
            "the disk is read-only, and the city was not ended in order: the newest records cannot be read",
            path.display().to_string(),
            "make the disk writable, or copy the city's folder to one that is and look there",
        )));
    }
    Ok(())
}

/// The driver's address of a file: absolute, every byte outside the plain ones percent-encoded.
fn sqlite_url(path: &Path) -> Result<String> {
    use std::fmt::Write as _;
    let path = std::path::absolute(path)?;
    let mut url = "sqlite://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    Ok(url)
}
