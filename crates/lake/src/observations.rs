//! `observations` as one SQL table: the sealed files and the rows in memory, as they were at one moment.
//! Predicates and projections reach the files: whole files are passed over by their range of times and
//! positions, row groups and pages by their statistics, and only the columns asked for are read.

use crate::engine::store_url;
use crate::lake::Contents;
use crate::manifest::FileEntry;
use crate::schema::{ZONE, column, observations};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use std::fmt;
use std::sync::Arc;

/// All observations at one moment.
pub(crate) struct Observations {
    contents: Contents,
}

impl Observations {
    pub fn new(contents: Contents) -> Self {
        Self { contents }
    }

    fn files(
        &self,
        state: &dyn Session,
        projection: &[usize],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let runtime = state.runtime_env();
        let factory = CachedParquetFileReaderFactory::new(
            runtime.object_store(store_url())?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let mut options = TableParquetOptions::default();
        // Other columns of a row that a predicate turns down are not even decoded.
        options.global.pushdown_filters = true;
        options.global.reorder_filters = true;
        let source = ParquetSource::new(observations())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(factory));

        let entries = &self.contents.manifest.files;
        let groups = state.config().target_partitions().clamp(1, entries.len());
        let mut file_groups = vec![Vec::new(); groups];
        for (n, entry) in entries.iter().enumerate() {
            let file = PartitionedFile::new(&entry.path, entry.bytes)
                .with_statistics(Arc::new(statistics(std::slice::from_ref(entry))));
            file_groups[n % groups].push(file);
        }
        let config = FileScanConfigBuilder::new(store_url(), Arc::new(source))
            .with_file_groups(file_groups.into_iter().map(FileGroup::new).collect())
            .with_statistics(statistics(entries))
            .with_projection_indices(Some(projection.to_vec()))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

impl fmt::Debug for Observations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observations")
            .field("files", &self.contents.manifest.files.len())
            .field("parts", &self.contents.parts.len())
            .finish()
    }
}

/// What the manifest knows of the rows of some files, so that files are passed over unopened.
fn statistics(entries: &[Arc<FileEntry>]) -> Statistics {
    let range = |min: Option<ScalarValue>, max: Option<ScalarValue>| ColumnStatistics {
        null_count: Precision::Exact(0),
        min_value: min.map_or(Precision::Absent, Precision::Exact),
        max_value: max.map_or(Precision::Absent, Precision::Exact),
        ..ColumnStatistics::new_unknown()
    };
    let time = |us: Option<i64>| {
        us.map(|us| ScalarValue::TimestampMicrosecond(Some(us), Some(ZONE.into())))
    };
    let position = |p: Option<u64>| p.map(|p| ScalarValue::Int64(Some(p as i64)));
    let mut columns = vec![ColumnStatistics::new_unknown(); column::COUNT];
    columns[column::OBSERVED_AT] = range(
        time(entries.iter().map(|f| f.observed_at_min_us).min()),
        time(entries.iter().map(|f| f.observed_at_max_us).max()),
    );
    columns[column::RECEIVED_AT] = range(
        time(entries.iter().map(|f| f.received_at_min_us).min()),
        time(entries.iter().map(|f| f.received_at_max_us).max()),
    );
    columns[column::JOURNAL_POSITION] = range(
        position(entries.iter().map(|f| f.position_first).min()),
        position(entries.iter().map(|f| f.position_last).max()),
    );
    let rows: u64 = entries.iter().map(|f| f.rows).sum();
    Statistics {
        num_rows: Precision::Exact(rows as usize),
        total_byte_size: Precision::Absent,
        column_statistics: columns,
    }
}

#[async_trait]
impl TableProvider for Observations {
    fn schema(&self) -> SchemaRef {
        observations()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // The rows in memory are filtered above the scan; files are passed over by the same filter.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..column::COUNT).collect();
        let projection = projection.unwrap_or(&all);
        let mut inputs = Vec::new();
        if !self.contents.manifest.files.is_empty() {
            inputs.push(self.files(state, projection, limit)?);
        }
        let mut batches = Vec::new();
        for part in &self.contents.parts {
            batches.extend(part.batches(projection)?);
        }
        if !batches.is_empty() || inputs.is_empty() {
            let schema = Arc::new(observations().project(projection)?);
            inputs.push(MemorySourceConfig::try_new_exec(&[batches], schema, None)?);
        }
        UnionExec::try_new(inputs)
    }
}
