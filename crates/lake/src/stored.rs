//! A stored table as an SQL table: files and rows in memory, as they were at one moment. Predicates and
//! projections reach the files: whole files are passed over by what the manifest knows of their times,
//! positions and entities, row groups and pages by their statistics and bloom filters, and only the columns
//! asked for are read; of rows for which a filter is known to hold it is not asked. Of files that may hold
//! rows which corrections took the place of, those rows are left out.

use crate::engine::store_url;
use crate::lake::Contents;
use crate::layout::Table;
use crate::manifest::{FileEntry, Manifest};
use crate::pieces::{Condition, Parts, Piece, piece_rows, pieces, rows};
use crate::schema::{ZONE, column, rollup_column};
use crate::tail::Chunk;
use crate::verified::{Expected, Verified, Verifying};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{BinaryExpr, Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::conjunction;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::union::UnionExec;
use futures::StreamExt;
use object_store::path::Path;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::file::metadata::ParquetMetaData;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// Rows of one stored table at one moment.
pub(crate) struct Stored {
    table: Table,
    files: Vec<Arc<FileEntry>>,
    contents: Contents,
    has_tail: bool,
}

impl Stored {
    /// All observations.
    pub fn observations(contents: Contents) -> Self {
        Self {
            table: Table::Observations,
            files: contents.manifest.of(Table::Observations).cloned().collect(),
            contents,
            has_tail: true,
        }
    }

    /// Some of a table's files, and the rows in memory if wanted, which are observations.
    pub fn some(
        table: Table,
        files: Vec<Arc<FileEntry>>,
        contents: Contents,
        has_tail: bool,
    ) -> Self {
        Self {
            table,
            files,
            contents,
            has_tail,
        }
    }

    /// Makes readers of some files.
    fn leased(&self, state: &dyn Session, files: &[Arc<FileEntry>]) -> Result<Leased> {
        let runtime = state.runtime_env();
        Ok(Leased {
            inner: CachedParquetFileReaderFactory::new(
                runtime.object_store(store_url())?,
                runtime.cache_manager.get_file_metadata_cache(),
            ),
            files: files
                .iter()
                .map(|file| (location(file), expected(file)))
                .collect(),
            footers: HashMap::new(),
            verified: Arc::clone(&self.contents.verified),
            _manifest: Arc::clone(&self.contents.manifest),
        })
    }

    fn scan_files(
        &self,
        state: &dyn Session,
        wanted: &Wanted,
        projection: &[usize],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut options = TableParquetOptions::default();
        // Other columns of a row that a predicate turns down are not even decoded.
        options.global.pushdown_filters = true;
        options.global.reorder_filters = true;
        let source = ParquetSource::new(self.table.schema())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::clone(&wanted.leased) as Arc<_>);

        let groups = state.config().target_partitions().clamp(1, wanted.count());
        let mut file_groups = vec![Vec::new(); groups];
        for (n, file) in wanted.files().enumerate() {
            file_groups[n % groups].push(file);
        }
        let config = FileScanConfigBuilder::new(store_url(), Arc::new(source))
            .with_file_groups(file_groups.into_iter().map(FileGroup::new).collect())
            .with_statistics(wanted.statistics())
            .with_projection_indices(Some(projection.to_vec()))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// As [`Self::scan_files`], without struck rows and without those that the filters turn down.
    fn scan_filtered(
        &self,
        state: &dyn Session,
        wanted: &Wanted,
        projection: &[usize],
        filters: &[Expr],
        is_struck: bool,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut filters = filters.to_vec();
        if is_struck {
            filters.push(self.contents.struck.expr().is_not_true());
        }
        if filters.is_empty() {
            return self.scan_files(state, wanted, projection, limit);
        }
        let wider = self.with_columns_of(&filters, projection)?;
        let scan = self.scan_files(state, wanted, &wider, None)?;
        filtered(state, &filters, scan, projection.len())
    }

    /// Some columns and, behind them, those that filters look at besides.
    fn with_columns_of(&self, filters: &[Expr], projection: &[usize]) -> Result<Vec<usize>> {
        let schema = self.table.schema();
        let mut wider = projection.to_vec();
        for filter in filters {
            let mut named: Vec<usize> = (filter.column_refs().into_iter())
                .map(|column| schema.index_of(column.name()))
                .collect::<std::result::Result<_, _>>()?;
            named.sort_unstable();
            named.retain(|column| !wider.contains(column));
            wider.extend(named);
        }
        Ok(wider)
    }

    /// The filters, as ranges of rows are asked about them.
    fn conditions(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<Condition>> {
        let schema = self.table.schema();
        let condition = |filter: &Expr| {
            let columns = filter.column_refs();
            let only = columns.iter().next().filter(|_| columns.len() == 1);
            let opposite = opposite(filter, &schema);
            Ok(Condition {
                may_hold: self.predicate(state, std::slice::from_ref(filter))?,
                may_fail: match opposite {
                    Some(opposite) => self.predicate(state, &[opposite])?,
                    None => None,
                },
                column: only.map(|column| column.name().to_owned()),
            })
        };
        filters.iter().map(condition).collect()
    }

    /// What of some files has to be read, and of which of it the filters have to be asked: of files whose footers were
    /// looked at, what holds for their row groups and pages is known.
    fn wanted(
        &self,
        state: &dyn Session,
        leased: &Arc<Leased>,
        files: &[Arc<FileEntry>],
        filters: &[Expr],
    ) -> Result<(Wanted, Wanted)> {
        let nothing = || Wanted {
            leased: Arc::clone(leased),
            whole: Vec::new(),
            pieces: Vec::new(),
        };
        let (mut sure, mut unsure) = (nothing(), nothing());
        let conditions = match leased.footers.is_empty() {
            true => Vec::new(),
            false => self.conditions(state, filters)?,
        };
        let mut looked = Vec::new();
        for file in files {
            match leased.footers.get(&location(file)) {
                Some(footer) => {
                    let parts = Parts::of(&self.table.schema(), footer, &conditions)?;
                    looked.push((file, footer, parts));
                }
                None => unsure.whole.push(Arc::clone(file)),
            }
        }
        let threads = state.config().target_partitions();
        let all = (looked.iter()).map(|(.., parts)| rows(&parts.sure) + rows(&parts.unsure));
        let piece_rows = piece_rows(all.sum(), threads);
        for (file, footer, parts) in looked {
            let cut = |parts, wanted: &mut Wanted| {
                for piece in pieces(parts, footer, piece_rows) {
                    wanted.pieces.push((Arc::clone(file), piece));
                }
            };
            cut(parts.sure, &mut sure);
            cut(parts.unsure, &mut unsure);
        }
        Ok((sure, unsure))
    }

    /// For each file, which filters cannot turn down any of its rows.
    fn always_true(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        files: &[Arc<FileEntry>],
    ) -> Result<Vec<Vec<bool>>> {
        let mut idle = vec![vec![false; filters.len()]; files.len()];
        for (n, filter) in filters.iter().enumerate() {
            let Some(opposite) = opposite(filter, &self.table.schema()) else {
                continue;
            };
            let opposite = self.predicate(state, &[opposite])?;
            let known = files.iter();
            let known = known.map(|f| statistics(std::slice::from_ref(f))).collect();
            for (idle, may_hold) in idle
                .iter_mut()
                .zip(self.relevant(opposite.as_ref(), known)?)
            {
                idle[n] = !may_hold;
            }
        }
        Ok(idle)
    }

    /// What the filters say of ranges of rows; `None` when they say nothing.
    fn predicate(&self, state: &dyn Session, filters: &[Expr]) -> Result<Option<PruningPredicate>> {
        if filters.is_empty() {
            return Ok(None);
        }
        let schema = self.table.schema();
        let named = DFSchema::try_from(Arc::clone(&schema))?;
        let filters = filters
            .iter()
            .map(|f| state.create_physical_expr(f.clone(), &named))
            .collect::<Result<Vec<_>>>()?;
        PruningPredicateBuilder::new()
            .with_file_schema(schema)
            .try_build(conjunction(filters))
            .map(Some)
    }

    /// Which of some ranges of rows may hold rows that the filters let through.
    fn relevant(
        &self,
        predicate: Option<&PruningPredicate>,
        known: Vec<Statistics>,
    ) -> Result<Vec<bool>> {
        match predicate {
            Some(predicate) if !known.is_empty() => {
                let known = known.into_iter().map(Arc::new).collect();
                predicate.prune(&PrunableStatistics::new(known, self.table.schema()))
            }
            _ => Ok(vec![true; known.len()]),
        }
    }
}

/// Makes readers that give nothing of a damaged file, and holds the manifest they read by, so that its files stay
/// until the plan is gone.
#[derive(Debug)]
struct Leased {
    inner: CachedParquetFileReaderFactory,
    files: HashMap<Path, Expected>,
    /// Footers that were looked at.
    footers: HashMap<Path, Arc<ParquetMetaData>>,
    verified: Arc<Verified>,
    _manifest: Arc<Manifest>,
}

impl Leased {
    /// Looks at the footers of some files, as many as may be kept until the question is answered.
    async fn look(&mut self, files: &[Arc<FileEntry>], threads: usize) -> Result<()> {
        let metrics = ExecutionPlanMetricsSet::new();
        let mut looks = Vec::new();
        for file in files.iter().take(FOOTERS_MAX) {
            let found = PartitionedFile::new(&file.path, file.bytes);
            let reader = self.create_reader(0, found, None, &metrics)?;
            looks.push(look(location(file), reader));
        }
        let mut footers = futures::stream::iter(looks).buffered(threads.max(1));
        let mut bytes = 0;
        while bytes < FOOTER_BYTES_MAX
            && let Some(found) = footers.next().await
        {
            let (location, footer) = found?;
            bytes += footer.memory_size();
            self.footers.insert(location, footer);
        }
        Ok(())
    }
}

/// Reads a footer on another thread; with its index of pages, which the cache of footers keeps too.
async fn look(
    location: Path,
    mut reader: Box<dyn AsyncFileReader + Send>,
) -> Result<(Path, Arc<ParquetMetaData>)> {
    let look = SpawnedTask::spawn(async move { reader.get_metadata(None).await });
    let footer = look.await;
    let footer = footer.map_err(|e| DataFusionError::External(Box::new(e)))??;
    Ok((location, footer))
}

/// Most files whose footers are looked at before a question begins to be answered.
const FOOTERS_MAX: usize = 32;
/// Memory of footers, in bytes, after which no more are looked at beforehand.
const FOOTER_BYTES_MAX: usize = 16 << 20;

/// What is read of a table's files by one scan.
struct Wanted {
    leased: Arc<Leased>,
    whole: Vec<Arc<FileEntry>>,
    pieces: Vec<(Arc<FileEntry>, Piece)>,
}

impl Wanted {
    fn count(&self) -> usize {
        self.whole.len() + self.pieces.len()
    }

    fn files(&self) -> impl Iterator<Item = PartitionedFile> {
        let file = |entry: &Arc<FileEntry>| {
            PartitionedFile::new(&entry.path, entry.bytes)
                .with_statistics(Arc::new(statistics(std::slice::from_ref(entry))))
        };
        let piece = move |(entry, piece): &(Arc<FileEntry>, Piece)| {
            file(entry)
                .with_range(piece.bytes.start, piece.bytes.end)
                .with_extension(piece.plan.clone())
        };
        (self.whole.iter().map(file)).chain(self.pieces.iter().map(piece))
    }

    fn statistics(&self) -> Statistics {
        if self.pieces.is_empty() {
            return statistics(&self.whole);
        }
        let mut files = self.whole.clone();
        files.extend(self.pieces.iter().map(|(file, _)| Arc::clone(file)));
        let rows: u64 = self.whole.iter().map(|file| file.rows).sum();
        let rows = rows as usize + self.pieces.iter().map(|(_, p)| p.rows).sum::<usize>();
        Statistics {
            num_rows: Precision::Exact(rows),
            // Of whole files, not of what is read of them.
            ..statistics(&files).to_inexact()
        }
    }
}

/// Where the engine finds a file.
fn location(file: &FileEntry) -> Path {
    Path::from(file.path.as_str())
}

fn expected(file: &FileEntry) -> Expected {
    Expected {
        path: file.path.as_str().into(),
        sha256: file.sha256.as_str().into(),
        mend: "restore the file from a backup; `jingling check` tells every damaged one",
    }
}

impl ParquetFileReaderFactory for Leased {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let location = &file.object_meta.location;
        let expected = self.files.get(location).cloned().ok_or_else(|| {
            DataFusionError::Internal(format!("{location} is none of the table's files"))
        })?;
        let inner = (self.inner).create_reader(
            partition_index,
            file.clone(),
            metadata_size_hint,
            metrics,
        )?;
        let verified = Arc::clone(&self.verified);
        let footer = self.footers.get(location).cloned();
        Ok(Box::new(Verifying::new(inner, verified, expected, footer)))
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("table", &self.table)
            .field("files", &self.files.len())
            .field("has_tail", &self.has_tail)
            .finish()
    }
}

/// What is known of some rows in memory.
fn chunk_statistics(chunk: &Chunk) -> Statistics {
    let time = |us: i64| {
        Precision::Exact(ScalarValue::TimestampMicrosecond(
            Some(us),
            Some(ZONE.into()),
        ))
    };
    let mut columns = vec![ColumnStatistics::new_unknown(); column::COUNT];
    columns[column::OBSERVED_AT] = ColumnStatistics {
        null_count: Precision::Exact(0),
        min_value: time(chunk.observed_us.0),
        max_value: time(chunk.observed_us.1),
        ..ColumnStatistics::new_unknown()
    };
    Statistics {
        num_rows: Precision::Exact(chunk.rows()),
        total_byte_size: Precision::Absent,
        column_statistics: columns,
    }
}

/// What the manifest knows of the rows of some files of one table, so that files are passed over unopened.
fn statistics(files: &[Arc<FileEntry>]) -> Statistics {
    let range = |min: Option<ScalarValue>, max: Option<ScalarValue>| ColumnStatistics {
        null_count: Precision::Exact(0),
        min_value: min.map_or(Precision::Absent, Precision::Exact),
        max_value: max.map_or(Precision::Absent, Precision::Exact),
        ..ColumnStatistics::new_unknown()
    };
    let time = |us: i64| ScalarValue::TimestampMicrosecond(Some(us), Some(ZONE.into()));
    let text = |t: &String| ScalarValue::Utf8View(Some(t.clone()));
    let is_raw = files.first().is_none_or(|f| f.table == Table::Observations);
    let width = if is_raw {
        column::COUNT
    } else {
        rollup_column::COUNT
    };
    let mut columns = vec![ColumnStatistics::new_unknown(); width];
    columns[column::OBSERVED_AT] = range(
        files.iter().map(|f| f.time_min_us).min().map(time),
        files.iter().map(|f| f.time_max_us).max().map(time),
    );
    if files.iter().all(|f| f.entities.is_some()) {
        let entities = || files.iter().filter_map(|f| f.entities.as_ref());
        columns[column::ENTITY_ID] = range(
            entities().map(|(least, _)| least).min().map(text),
            entities().map(|(_, greatest)| greatest).max().map(text),
        );
    }
    if files.iter().all(|f| f.types.is_some()) {
        let types = || files.iter().filter_map(|f| f.types.as_ref());
        columns[column::ENTITY_TYPE] = range(
            types().filter_map(|t| t.keys().next()).min().map(text),
            types().filter_map(|t| t.keys().next_back()).max().map(text),
        );
    }
    if is_raw {
        if files.iter().all(|f| f.received_us.is_some()) {
            let received = || files.iter().filter_map(|f| f.received_us);
            columns[column::RECEIVED_AT] = range(
                received().map(|(least, _)| least).min().map(time),
                received().map(|(_, greatest)| greatest).max().map(time),
            );
        }
        let position = |p: u64| ScalarValue::Int64(Some(p as i64));
        columns[column::JOURNAL_POSITION] = range(
            files.iter().map(|f| f.position_first).min().map(position),
            files.iter().map(|f| f.position_last).max().map(position),
        );
    }
    let rows: u64 = files.iter().map(|f| f.rows).sum();
    Statistics {
        num_rows: Precision::Exact(rows as usize),
        total_byte_size: Precision::Absent,
        column_statistics: columns,
    }
}

/// The rows that filters let through, with the first columns only.
fn filtered(
    state: &dyn Session,
    filters: &[Expr],
    rows: Arc<dyn ExecutionPlan>,
    columns: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let named = DFSchema::try_from(rows.schema())?;
    let filters = filters
        .iter()
        .map(|filter| state.create_physical_expr(filter.clone(), &named))
        .collect::<Result<Vec<_>>>()?;
    let filter = FilterExecBuilder::new(conjunction(filters), rows)
        .apply_projection(Some((0..columns).collect()))?;
    Ok(Arc::new(filter.build()?))
}

/// What holds of exactly the rows that a filter turns down; `None` when that cannot be said, as where a value may be
/// missing: such a row is let through by neither.
fn opposite(filter: &Expr, schema: &SchemaRef) -> Option<Expr> {
    let Expr::BinaryExpr(compared) = filter else {
        return None;
    };
    let is_whole = |column: &Column| {
        let field = schema.field_with_name(column.name());
        // What statistics say of fractions they do not say of NaN, which may be among them.
        field.is_ok_and(|field| !field.is_nullable() && !field.data_type().is_floating())
    };
    let is_plain = match (compared.left.as_ref(), compared.right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _))
        | (Expr::Literal(value, _), Expr::Column(column)) => is_whole(column) && !value.is_null(),
        _ => false,
    };
    let op = compared.op.negate().filter(|_| is_plain)?;
    let (left, right) = (compared.left.clone(), compared.right.clone());
    Some(Expr::BinaryExpr(BinaryExpr::new(left, op, right)))
}

#[async_trait]
impl TableProvider for Stored {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.table.schema();
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let mut inputs = Vec::new();
        let predicate = self.predicate(state, filters)?;
        let known = self.files.iter();
        let known = known.map(|f| statistics(std::slice::from_ref(f))).collect();
        let may_hold = self.relevant(predicate.as_ref(), known)?;
        let files: Vec<_> = self
            .files
            .iter()
            .zip(may_hold)
            .filter(|(_, may_hold)| *may_hold)
            .map(|(file, _)| Arc::clone(file))
            .collect();
        let is_struck = |file: &Arc<FileEntry>| {
            file.table == Table::Observations && self.contents.struck.may_touch(file)
        };
        // Files of which the same has to be asked are read together; of a day's file, its day need not be asked.
        let mut alike: BTreeMap<(bool, Vec<bool>), Vec<Arc<FileEntry>>> = BTreeMap::new();
        let idle = self.always_true(state, filters, &files)?;
        let mut leased = self.leased(state, &files)?;
        if limit.is_none() {
            // Where nothing has to be asked, footers tell nothing that a question needs.
            let asked = files.iter().zip(&idle);
            let asked = asked.filter(|(_, idle)| idle.contains(&false));
            let asked: Vec<_> = asked.map(|(file, _)| Arc::clone(file)).collect();
            let threads = state.config().target_partitions();
            leased.look(&asked, threads).await?;
        }
        let leased = Arc::new(leased);
        for (file, idle) in files.into_iter().zip(idle) {
            let key = (is_struck(&file), idle);
            alike.entry(key).or_default().push(file);
        }
        for ((is_struck, idle), files) in alike {
            let asked = filters.iter().zip(idle).filter(|(_, idle)| !idle);
            let asked: Vec<Expr> = asked.map(|(filter, _)| filter.clone()).collect();
            let (sure, unsure) = self.wanted(state, &leased, &files, &asked)?;
            for (wanted, asked) in [(sure, &[][..]), (unsure, &asked[..])] {
                if wanted.count() > 0 {
                    let scan =
                        self.scan_filtered(state, &wanted, projection, asked, is_struck, limit)?;
                    inputs.push(scan);
                }
            }
        }
        let mut batches = Vec::new();
        let wider = self.with_columns_of(filters, projection)?;
        if self.has_tail {
            for part in &self.contents.parts {
                let known = part.chunks.iter().map(|c| chunk_statistics(c)).collect();
                let wanted = self.relevant(predicate.as_ref(), known)?;
                batches.extend(part.batches(&wider, &wanted, &self.contents.struck)?);
            }
        }
        if !batches.is_empty() || inputs.is_empty() {
            let schema = Arc::new(schema.project(&wider)?);
            let rows = MemorySourceConfig::try_new_exec(&[batches], schema, None)?;
            inputs.push(match filters {
                [] => rows,
                filters => filtered(state, filters, rows, projection.len())?,
            });
        }
        UnionExec::try_new(inputs)
    }
}
