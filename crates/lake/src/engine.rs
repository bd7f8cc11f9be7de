//! What all queries share: threads of their own, so that a heavy query never holds up a door, the cache
//! of file footers, and a bound on how many run; and the session that each gets for itself.

use crate::errors::{CATALOG, SCHEMA};
use crate::functions;
use crate::lake::Options;
use crate::numbered::ByNumbers;
use crate::runs::ByRuns;
use crate::schema::ZONE;
use crate::store::LakeFolder;
use crate::verified::Verified;
use crate::zone;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::prelude::{SessionConfig, SessionContext};
use model::Problem;
use object_store::local::LocalFileSystem;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// Partitions that one query is split into.
const TARGET_PARTITIONS: usize = 2;

/// Functions taken away because one call can ask for any amount of memory, unseen by the memory limit.
pub(crate) const UNBOUNDED_FUNCTIONS: [&str; 7] = [
    "repeat",
    "lpad",
    "rpad",
    "array_repeat",
    "array_resize",
    "range",
    "generate_series",
];

/// What all queries share.
pub(crate) struct Engine {
    env: RuntimeEnv,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    permits: Arc<Semaphore>,
    /// Permits for answers whose reader sets the pace: one fewer, so that slow readers leave a turn.
    paced: Arc<Semaphore>,
    /// Which files were seen to be whole.
    pub verified: Arc<Verified>,
}

/// The right to run a query, until it is dropped.
pub(crate) struct Turn {
    _paced: Option<OwnedSemaphorePermit>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Engine {
    pub fn new(dir: &Path, options: &Options) -> Result<Self, Problem> {
        let told = |e: &dyn std::fmt::Display| {
            Problem::new(
                "lake-engine",
                format!("cannot start the query engine: {e}"),
                dir.display().to_string(),
                "check the folder and the system's limits on threads",
            )
        };
        let env = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
            )
            .with_metadata_cache_limit(options.footer_cache_bytes)
            .build()
            .map_err(|e| told(&e))?;
        let store = LocalFileSystem::new_with_prefix(dir).map_err(|e| told(&e))?;
        env.register_object_store(store_url().as_ref(), Arc::new(LakeFolder(store)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.query_threads.max(1))
            .thread_name("lake-query")
            .enable_all()
            .build()
            .map_err(|e| told(&e))?;
        Ok(Self {
            env,
            runtime: Some(runtime),
            permits: Arc::new(Semaphore::new(options.queries_max.max(1))),
            paced: Arc::new(Semaphore::new(options.queries_max.saturating_sub(1).max(1))),
            verified: Arc::new(Verified::new(dir)),
        })
    }

    /// A session with no tables, whose memory is bounded, and which reads clocks in a zone.
    pub fn session(&self, memory_bytes_max: usize, zone: Option<&str>) -> SessionContext {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(memory_bytes_max));
        let mut env = self.env.clone();
        env.memory_pool = pool;
        session_of(env, zone)
    }

    /// Waits for a turn. Neither semaphore is ever closed.
    pub async fn turn(&self, leaves_one: bool) -> Turn {
        let paced = match leaves_one {
            true => Arc::clone(&self.paced).acquire_owned().await.ok(),
            false => None,
        };
        Turn {
            _paced: paced,
            _permit: Arc::clone(&self.permits).acquire_owned().await.ok(),
        }
    }

    /// Starts `work` on the engine's threads; dropping what is given stops it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Option<JoinSet<()>> {
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, self.runtime.as_ref()?.handle());
        Some(tasks)
    }
}

/// A session of no lake: it plans, and has no files.
pub(crate) fn planning(zone: Option<&str>) -> SessionContext {
    session_of(RuntimeEnv::default(), zone)
}

fn session_of(env: RuntimeEnv, zone: Option<&str>) -> SessionContext {
    let mut config = SessionConfig::new()
        .with_target_partitions(TARGET_PARTITIONS)
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA);
    config.options_mut().sql_parser.collect_spans = true;
    // The bound that the threads of a MIN or MAX share while they read leaves out rows that it must not (found by
    // tests/pieces.rs, in some runs only).
    let optimizer = &mut config.options_mut().optimizer;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // Where the question names no zone `now()` is a moment all the same, and not the reading of a clock.
    zone::configure(&mut config, zone.unwrap_or(ZONE));
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(Arc::new(env))
        .with_default_features()
        .with_physical_optimizer_rule(Arc::new(ByRuns))
        .with_physical_optimizer_rule(Arc::new(ByNumbers))
        .with_physical_optimizer_rule(Arc::new(JoinsYield));
    if let Some(zone) = zone {
        builder = zone::add(builder, zone);
    }
    if let Some(functions) = builder.scalar_functions() {
        functions.retain(|f| !UNBOUNDED_FUNCTIONS.contains(&f.name()));
    }
    functions::add(&mut builder);
    SessionContext::new_with_state(builder.build())
}

/// Lets a query be stopped in the midst of a join. The engine yields where rows are read; but a join (or
/// an unnest) can make a billion rows of a few, and would hold its thread until all are made.
#[derive(Debug)]
struct JoinsYield;

impl PhysicalOptimizerRule for JoinsYield {
    fn name(&self) -> &str {
        "joins_yield"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let yields = plan.transform_up(|node| {
            let multiplies = node.name().contains("Join") || node.name().contains("Unnest");
            Ok(if multiplies {
                Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>)
            } else {
                Transformed::no(node)
            })
        })?;
        Ok(yields.data)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting here would be refused inside another runtime, and nobody waits for an answer any more.
            runtime.shutdown_background();
        }
    }
}

/// Where the engine finds the lake's files.
pub(crate) fn store_url() -> ObjectStoreUrl {
    ObjectStoreUrl::parse("lake://files").expect("a fixed address")
}
