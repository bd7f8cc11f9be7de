//! Measuring the plan: each indicator when something that its query reads has changed, and every one from time to time. Where nothing
//! changes nothing is measured.

use crate::app::App;
use crate::plan::Measured;
use crate::query_sources::{Source, sources};
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use identity::Permission;
use indicators::Definition;
use indicators::answer::{Answer, Cell, UNIT};
use indicators::due::{Changes, Reads, Schedule, Types};
use model::{Catalogue, Problem, Timestamp};
use parking_lot::Mutex;
use records::indicators::IndicatorValue;
use serde_json::json;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub use indicators::due::{Lane, Times};

/// Most entities that changed since the last look whose types are looked at; of more, any type may have changed.
const CHANGED_ENTITIES_MAX: usize = 10_000;
/// Most rows of a table of people's records that are compared with what they were; a longer one counts as changed with every write.
const COMPARED_ROWS_MAX: usize = 2_000;

/// What was seen of the city when it was last looked at.
#[derive(Default)]
pub(crate) struct Watch {
    schedule: Schedule,
    /// The definitions of which the schedule is, by [`crate::plan::Plan::version`].
    version: Option<u64>,
    /// The first position of the journal that was not seen; `None` before the first look.
    position: Option<u64>,
    /// The writes of people's records that were seen.
    commits: Option<u64>,
    /// The tables as they were, by name.
    tables: HashMap<String, Option<u64>>,
}

/// What one look measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeasuredNow {
    /// How many indicators.
    pub indicators: usize,
    /// How long it took.
    pub took: Duration,
}

/// What a query reads, as far as its text says.
pub(crate) fn reads(sql: &str, catalogue: &Catalogue) -> Reads {
    let (sources, clock) = sources(sql, catalogue);
    let mut all = Reads {
        clock,
        ..Reads::default()
    };
    for source in sources {
        match source {
            Source::Things(types) => all.types.add(types),
            Source::Records(name) => {
                all.tables.insert(name);
            }
            Source::Other(_) | Source::Unreadable => all.others = true,
        }
    }
    all
}

/// Asks an indicator's query.
pub(crate) async fn query(
    lake: &lake::Lake,
    limits: &lake::Limits,
    tables: Arc<crate::tables::CityTables>,
    catalogue: &Catalogue,
    definition: &Definition,
    at: Timestamp,
) -> Measured {
    let sql = &definition.sql;
    let answered = lake.query_batches(sql, limits, tables, catalogue).await;
    let value = answered
        .and_then(|batches| answer(&batches))
        .and_then(|answer| definition.value_of(&answer));
    match value {
        Ok(value) => Measured {
            value,
            at,
            problem: None,
        },
        Err(problem) => {
            tracing::warn!(indicator = definition.id, %problem, "an indicator could not be measured");
            Measured {
                value: None,
                at,
                problem: Some(problem),
            }
        }
    }
}

/// What a query answered, as far as a figure needs.
fn answer(answered: &lake::Batches) -> Result<Answer, Problem> {
    let mut batches = answered.batches.iter();
    let first = batches.find(|batch| batch.num_rows() > 0 && batch.num_columns() > 0);
    let mut fields = answered.schema.fields().iter();
    let unit_at = fields.position(|field| field.name() == UNIT);
    let unit = match (unit_at, first) {
        (None, _) => None,
        (Some(_), None) => Some(String::new()),
        (Some(at), Some(batch)) => {
            let values = lake::json_values(&batch.column(at).slice(0, 1)).map_err(unreadable)?;
            let text = values.first().and_then(serde_json::Value::as_str);
            Some(text.unwrap_or_default().to_owned())
        }
    };
    // Where it is not the first, the figure is.
    let figure_at = usize::from(unit_at == Some(0));
    let figure = first.filter(|batch| figure_at < batch.num_columns());
    let cell = match figure.map(|batch| batch.column(figure_at).slice(0, 1)) {
        None => Cell::Nothing,
        Some(column) if column.is_null(0) || column.data_type().is_null() => Cell::Nothing,
        Some(column) if column.data_type().is_numeric() => {
            let number = cast(&column, &DataType::Float64).map_err(unreadable)?;
            Cell::Number(number.as_primitive::<Float64Type>().value(0))
        }
        Some(column) => {
            let values = lake::json_values(&column).map_err(unreadable)?;
            let text = values.first().map(|value| match value.as_str() {
                Some(text) => text.to_owned(),
                None => value.to_string(),
            });
            Cell::Other(text.unwrap_or_default())
        }
    };
    Ok(Answer {
        columns: answered.schema.fields().len() - usize::from(unit_at.is_some()),
        rows: answered
            .batches
            .iter()
            .map(arrow::array::RecordBatch::num_rows)
            .sum(),
        cell,
        unit,
    })
}

fn unreadable(error: arrow::error::ArrowError) -> Problem {
    Problem::new(
        "indicator-answer",
        error.to_string(),
        "the query",
        "give a number: CAST(… AS DOUBLE)",
    )
}

impl App {
    /// Measures what of a lane must be measured now: what changed at once, the rest a few at a time. One caller at a time for each lane;
    /// that of the quick one is who sees what changed.
    pub async fn measure_due(&self, lane: Lane, times: Times) -> MeasuredNow {
        if lane == Lane::Quick {
            let changes = self.look().await;
            self.plan.watch.lock().schedule.note(&changes);
        }
        let due = self
            .plan
            .watch
            .lock()
            .schedule
            .take(lane, times, self.now());
        let started = Instant::now();
        let mut indicators = 0;
        for id in due {
            if let Some(definition) = self.plan.definition(&id) {
                self.measure_one(&definition).await;
                indicators += 1;
            }
        }
        MeasuredNow {
            indicators,
            took: started.elapsed(),
        }
    }

    /// What has changed since the last look. The first look sees nothing change: nothing was measured yet.
    async fn look(&self) -> Changes {
        let mut changes = Changes::default();
        // What pages are shown: beyond it history may not be as far as current values.
        let shown = self.shown.get().map(|shown| *shown.borrow());
        let (seen, seen_commits, tables) = {
            let mut watch = self.plan.watch.lock();
            let version = self.plan.version();
            if watch.version != Some(version) {
                let catalogue = self.ingest.catalogue();
                let definitions = self.plan.definitions();
                let all = definitions.iter().map(|d| {
                    let reads = reads(&d.sql, &catalogue);
                    (d.id.clone(), d.sql.clone(), reads)
                });
                watch.schedule.set(all);
                watch.version = Some(version);
            }
            (watch.position, watch.commits, watch.schedule.tables())
        };
        let end = shown.unwrap_or_else(|| self.twin.position());
        if let Some(seen) = seen.filter(|seen| *seen < end) {
            let types = self.twin.types_within(seen..end, CHANGED_ENTITIES_MAX);
            changes.types = types.map_or(Types::All, Types::Some);
        }
        // Asked before the rows are read: a write in between is seen the next time.
        let commits = self.records.commits();
        let mut now = HashMap::new();
        if seen_commits != Some(commits) {
            for table in &tables {
                now.insert(table.clone(), self.rows_hash(table).await);
            }
        }
        let mut watch = self.plan.watch.lock();
        watch.position = Some(end);
        watch.commits = Some(commits);
        for (table, hash) in now {
            let before = watch.tables.insert(table.clone(), hash);
            if before.is_some_and(|before| before.is_none() || before != hash) {
                changes.tables.insert(table);
            }
        }
        changes
    }

    /// The rows of a table of people's records as one number; `None` when there are too many to compare, or they cannot be read.
    async fn rows_hash(&self, table: &str) -> Option<u64> {
        let limit = u32::try_from(COMPARED_ROWS_MAX + 1).unwrap_or(u32::MAX);
        let read = records::tables::table_rows(&self.records, table, limit).await;
        let (_, rows) = read.ok()?;
        if rows.len() > COMPARED_ROWS_MAX {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        for row in rows {
            for cell in row {
                cell.to_string().hash(&mut hasher);
            }
        }
        Some(hasher.finish())
    }

    /// Measures an indicator now, whoever asks.
    pub(crate) async fn measure(&self, definition: &Definition) {
        self.plan
            .watch
            .lock()
            .schedule
            .measured(&definition.id, self.now());
        self.measure_one(definition).await;
    }

    /// Measures an indicator; what changed is kept in its history and told to the pages.
    async fn measure_one(&self, definition: &Definition) {
        let started = Instant::now();
        let measured = query(
            &self.lake,
            &self.options.sql_limits,
            self.tables.clone(),
            &self.ingest.catalogue(),
            definition,
            self.now(),
        )
        .await;
        let took = started.elapsed();
        self.plan.watch.lock().schedule.took(&definition.id, took);
        self.plan.measurements.fetch_add(1, Ordering::Relaxed);
        let before = self.plan.put(&definition.id, measured.clone());
        let is_first = before.is_none();
        if before.is_some_and(|b| b.value == measured.value && b.problem == measured.problem) {
            return;
        }
        if measured.problem.is_none()
            && let Err(failure) = self.keep(definition, &measured, is_first).await
        {
            tracing::warn!(indicator = definition.id, %failure, "a measurement was not kept");
        }
        self.events.tell(
            "indicator",
            Permission::IndicatorRead,
            json!({"id": definition.id, "value": measured.value}),
        );
    }

    /// Puts a figure into the history, where it stands until the next one. After a start what stands there already is not put again.
    async fn keep(
        &self,
        definition: &Definition,
        measured: &Measured,
        is_first: bool,
    ) -> records::Result<()> {
        if is_first {
            let mut connection = self.records.read().await?;
            let id = &definition.id;
            let end = Timestamp::from_micros(i64::MAX);
            let stored = records::indicators::value_before(&mut connection, id, end).await?;
            if stored.and_then(|row| row.value) == measured.value {
                return Ok(());
            }
        }
        let row = IndicatorValue {
            indicator_id: definition.id.clone(),
            at: measured.at,
            value: measured.value,
        };
        let mut write = self.records.write().await?;
        records::indicators::put_value(&mut write, &row).await?;
        write.commit().await
    }
}

/// The watch of a plan, behind its lock.
pub(crate) type Watching = Mutex<Watch>;

#[cfg(test)]
mod tests {
    use super::*;
    use indicators::Method;
    use pack::Packs;
    use std::collections::BTreeMap;

    #[test]
    fn every_indicator_reads_what_its_text_says() {
        let packs = Packs::load_all(pack::embedded(), None).unwrap();
        let told = |reads: &Reads| {
            let types = match &reads.types {
                Types::All => "*".to_owned(),
                Types::Some(types) => types.iter().cloned().collect::<Vec<_>>().join(" "),
            };
            let tables: Vec<&str> = reads.tables.iter().map(String::as_str).collect();
            let clock = if reads.clock { " clock" } else { "" };
            assert!(!reads.others);
            format!("{types}{}{clock}", tables.join(" "))
        };
        let (reported, computed): (Vec<_>, Vec<_>) = (packs.indicators.iter())
            .map(|d| (d, told(&reads(&d.sql, &packs.catalogue))))
            .partition(|(d, _)| d.method == Method::Reported);
        for (d, reads) in reported {
            assert_eq!(reads, "indicator_reports", "{}", d.file);
        }
        let computed: BTreeMap<&str, String> = computed
            .into_iter()
            .map(|(d, reads)| (d.id.as_str(), reads))
            .collect();
        let expected = [
            ("5g-base-stations", "TelecomBaseStation"),
            ("charging-points", "ChargePoint"),
            ("charging-stations", "EVChargingStation"),
            ("data-centre-pue", "DataCentre"),
            ("data-centre-racks", "ServerRack"),
            ("edge-nodes", "EdgeNode"),
            ("iot-online-rate", "devices"),
            ("racks-in-use", "ServerRack"),
            (
                "river-lake-monitoring",
                "RiverReach WaterObserved WaterReservoir clock",
            ),
            ("servers", "ServerRack"),
            ("water-station-reporting", "WaterObserved clock"),
        ];
        let expected = expected.map(|(id, reads)| (id, reads.to_owned()));
        assert_eq!(computed, BTreeMap::from(expected));
    }

    #[test]
    fn views_and_declared_tables_are_followed_to_their_types() {
        let mut catalogue = Packs::load_all(pack::embedded(), None).unwrap().catalogue;
        let of = |sql: &str, catalogue: &Catalogue| {
            let reads = reads(sql, catalogue);
            (reads.types, reads.others)
        };
        let racks = Types::Some(["ServerRack".to_owned()].into());
        for sql in [
            "SELECT 1 FROM ServerRack",
            "SELECT 1 FROM \"serverrack_now\" WHERE x = 1",
        ] {
            assert_eq!(of(sql, &catalogue), (racks.clone(), false), "{sql}");
        }
        let mut view = catalogue.views[0].clone();
        view.name = "racks_of_mine".into();
        view.sql = "SELECT 1 AS x FROM ServerRack_now".into();
        catalogue.views.push(view);
        assert_eq!(
            of("SELECT x FROM racks_of_mine", &catalogue),
            (racks, false)
        );
        let unknown = (Types::default(), true);
        assert_eq!(of("SELECT 1 FROM a_department", &catalogue), unknown);
        assert_eq!(of("SELECT (", &catalogue), unknown);
    }

    #[test]
    fn who_answers_for_an_indicator_is_an_organisation_of_the_city() {
        let packs = Packs::load_all(pack::embedded(), None).unwrap();
        let city = city::City::embedded("tianmen").unwrap();
        for d in &packs.indicators {
            let id = d.responsible.as_deref().unwrap_or_default();
            assert!(
                city.organisations.iter().any(|o| o.id == id),
                "{}: {id}",
                d.file
            );
        }
    }
}
