//! `jingling query`: SQL over a city's folder, whether the city runs or not.

use crate::args::{Query, QueryFormat};
use crate::commands::open_records;
use crate::folder::Folder;
use crate::formats;
use crate::output::{print_json, print_table};
use crate::personal_keys;
use crate::running::{lake_options, personal_data, sql_limits, stream_limits, wall_clock};
use crate::settings::Settings;
use anyhow::{Result, anyhow};
use api::personal::{Look, Personal};
use api::tables::CityTables;
use futures::{Stream, StreamExt};
use lake::{Format, Lake};
use model::{Problem, Record};
use personal::Sealer;
use records::Records;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

/// A city's data, opened for reading.
pub(crate) struct Opened {
    pub(crate) settings: Settings,
    pub(crate) packs: pack::Packs,
    pub(crate) calendars: model::Calendars,
    pub(crate) lake: Lake,
    pub(crate) records: Records,
    pub(crate) tables: Arc<CityTables>,
    pub(crate) personal: Arc<Personal>,
    /// The city's name.
    pub(crate) name: String,
}

impl Opened {
    /// The sealed history, the journal's tail and the records; the indicators measured when the statement
    /// names them.
    pub(crate) async fn new(dir: &Path, overrides: &[String], sql: &str) -> Result<Self> {
        let folder = Folder::new(dir);
        let settings = Settings::load(dir, overrides)?;
        formats::read(&folder)?;
        let packs = folder.packs()?;
        let city = folder.city(&settings.city.profile)?;
        let options = lake_options(&settings, &packs.catalogue, &city.zone)?;
        let lake = Lake::open_read_only(folder.lake(), options).map_err(|p| anyhow!("{p}"))?;
        let twin = Arc::new(twin::Twin::restore(&folder.twin_checkpoint())?);
        let mut reader = journal::open_read_only(folder.journal())?;
        reader.seek(
            lake.sealed_position()
                .min(twin.position())
                .max(reader.first_position()),
        );
        loop {
            let records = match reader.next_batch(4_096) {
                Err(journal::ReadError::Damaged(damage)) => {
                    eprintln!("the answer lacks what cannot be read: {damage}");
                    twin.advance(damage.positions.end);
                    continue;
                }
                read => read?,
            };
            if records.is_empty() {
                break;
            }
            for (position, bytes) in records {
                match Record::decode(&bytes)? {
                    Record::Accepted(accepted) => {
                        lake.apply(position, &accepted);
                        twin.apply(position, &accepted);
                    }
                    Record::Corrected(corrected) => {
                        lake.apply_corrected(position, &corrected);
                        twin.apply_corrected(position, &corrected);
                    }
                    Record::Rejected(_) | Record::Retained(_) => {}
                }
            }
        }
        let records = open_records(&folder, false).await?;
        let plan = Arc::new(api::plan::Plan::new(&packs, &city.zone));
        // Without keys, what is sealed is hidden whole.
        let keys = personal_keys::read(&folder).unwrap_or_else(|problem| {
            eprintln!("personal values are hidden: {problem}");
            None
        });
        let sealer = keys.map(|keys| Arc::new(Sealer::new(keys, personal_keys::draw)));
        let personal = Arc::new(personal_data(&settings, &packs, &city, sealer));
        let tables = Arc::new(CityTables {
            look: Arc::new(Look::masked(&personal)),
            records: records.clone(),
            twin,
            plan: plan.clone(),
            identity: identity::Identity::new(records.clone(), identity::Options::default())?,
            city: Arc::new(city.clone()),
            clock: wall_clock,
            reader: None,
        });
        if sql.to_lowercase().contains("indicators") {
            plan.measure_all(
                &lake,
                &sql_limits(&settings),
                tables.clone(),
                &packs.catalogue,
                wall_clock(),
            )
            .await;
        }
        Ok(Self {
            settings,
            packs,
            lake,
            records,
            tables,
            personal,
            calendars: city.calendars.clone(),
            name: city.name_zh.clone(),
        })
    }

    pub(crate) async fn close(self) {
        self.records.close().await;
    }

    /// Answers a statement batch by batch, everything personal masked.
    pub(crate) async fn stream(&self, sql: &str, limits: &lake::Limits) -> Result<lake::Answer> {
        self.stream_of(self.tables.clone(), sql, limits).await
    }

    async fn stream_of(
        &self,
        tables: Arc<CityTables>,
        sql: &str,
        limits: &lake::Limits,
    ) -> Result<lake::Answer> {
        let question = lake::Question {
            sql,
            parameters: Vec::new(),
            tables,
            catalogue: &self.packs.catalogue,
            zone: None,
        };
        let answer = self.lake.query_stream(question, limits).await;
        answer.map_err(|p| anyhow!("{p}"))
    }
}

/// `jingling query`: the sealed history, the journal's tail and the records, whether the city runs or not.
///
/// # Errors
/// The statement's own problem.
pub async fn query(args: Query) -> Result<()> {
    let city = Opened::new(&args.dir, &args.overrides.set, &args.sql).await?;
    let format = match (args.format, args.json, args.csv) {
        (_, true, _) => QueryFormat::Json,
        (_, _, true) => QueryFormat::Csv,
        (format, ..) => format,
    };
    let done = answered(&city, &args, format).await;
    city.close().await;
    done
}

async fn answered(city: &Opened, args: &Query, format: QueryFormat) -> Result<()> {
    let look = match &args.purpose {
        None => Arc::clone(&city.tables.look),
        Some(purpose) => {
            let look = Look::of_command_line(&city.personal, purpose);
            Arc::new(look.map_err(|p| anyhow!("{p}"))?)
        }
    };
    let tables = city.tables.shown_by(&look);
    match format {
        QueryFormat::Table | QueryFormat::Json => {
            shown(city, tables, &look, &args.sql, format).await
        }
        QueryFormat::Csv => written(city, tables, &look, &args.sql, Format::Csv).await,
        QueryFormat::Arrow => written(city, tables, &look, &args.sql, Format::Arrow).await,
    }
}

/// Writes down what a look showed, before it is printed.
async fn tell(city: &Opened, look: &Look) -> Result<()> {
    Ok(look
        .tell(&city.records, wall_clock(), "command-line")
        .await?)
}

async fn shown(
    city: &Opened,
    tables: Arc<CityTables>,
    look: &Look,
    sql: &str,
    format: QueryFormat,
) -> Result<()> {
    let limits = sql_limits(&city.settings);
    let answer = city.lake.query(sql, &limits, tables, &city.packs.catalogue);
    let answer = answer.await;
    // What failed on the way may tell a value in its error.
    tell(city, look).await?;
    let answer = answer.map_err(|p| anyhow!("{p}"))?;
    let names: Vec<&str> = answer.columns.iter().map(|c| c.name.as_str()).collect();
    let count = answer.rows.len();
    if format == QueryFormat::Json {
        let rows: Vec<serde_json::Map<String, Value>> = answer
            .rows
            .into_iter()
            .map(|row| names.iter().map(|n| (*n).to_owned()).zip(row).collect())
            .collect();
        print_json(&json!(rows))?;
    } else {
        let text = |value: Value| match value {
            Value::Null => String::new(),
            Value::String(s) => s,
            other => other.to_string(),
        };
        let rows = answer.rows.into_iter();
        let rows = rows
            .map(|row| row.into_iter().map(text).collect())
            .collect();
        print_table(&names, rows);
        eprintln!("{count} rows in {:.3} s", answer.elapsed.as_secs_f64());
    }
    if answer.truncated {
        eprintln!("cut off at {count} rows: raise sql.rows_max, or add LIMIT");
    }
    Ok(())
}

/// Pieces of bytes, each as it is found.
type Pieces = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Problem>> + Send>>;

async fn written(
    city: &Opened,
    tables: Arc<CityTables>,
    look: &Look,
    sql: &str,
    format: Format,
) -> Result<()> {
    let limits = match look.has_purpose() {
        true => sql_limits(&city.settings),
        false => stream_limits(&city.settings),
    };
    let pieces = city.stream_of(tables, sql, &limits).await;
    let mut pieces: Pieces = match (pieces, look.has_purpose()) {
        (pieces, false) => Box::pin(pieces?.into_bytes(format)),
        (pieces, true) => {
            let gathered = match pieces {
                Ok(answer) => answer.into_bytes(format).collect::<Vec<_>>().await,
                Err(error) => {
                    tell(city, look).await?;
                    return Err(error);
                }
            };
            tell(city, look).await?;
            if let Some(problem) = gathered.iter().find_map(|piece| piece.as_ref().err()) {
                return Err(anyhow!("{problem}"));
            }
            Box::pin(futures::stream::iter(gathered))
        }
    };
    let mut out = std::io::stdout().lock();
    while let Some(piece) = pieces.next().await {
        match out.write_all(&piece.map_err(|p| anyhow!("{p}"))?) {
            Ok(()) => {}
            // A reader that has gone away (`| head`) is no error.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
    out.flush()?;
    Ok(())
}
