//! Runs (计算任务) as the running city makes them: finds what an engine reads, has it reckon, tells the city what came of it through
//! admission like anything else, and keeps all of it. One run at a time; how a run is declared and kept is the crate `runs`.

use crate::app::App;
use crate::error::{Answer, ApiError};
use axum::http::StatusCode;
use lake::{Question, ScalarValue};
use model::{EntityId, Problem, Timestamp, Update};
use parking_lot::Mutex;
use proto_ngsild::encode::{self, AttributeView};
use records::Actor;
use records::runs::{DONE, Ended, FAILED, NewRun};
use runs::outcome::{self, Made};
use runs::{Definition, Kept};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// The program's version, as runs keep it.
const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The column of targets that holds parameters.
const PARAMETERS: &str = "parameters";
/// The door by which outcomes come in.
const DOOR: &str = "run";
/// How often what is kept too long is looked for, in seconds.
const PRUNE_EVERY_S: i64 = 3_600;

/// What runs may take.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most targets of a run (default 1,000).
    pub targets_max: usize,
    /// Most rows that a run reads for one target (default 100,000).
    pub rows_max: usize,
    /// For how many days runs are kept (default 400).
    pub keep_days: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            targets_max: 1_000,
            rows_max: 100_000,
            keep_days: 400,
        }
    }
}

/// What the runner remembers between rounds.
#[derive(Default)]
pub struct Runner {
    /// Held while a run is made.
    turn: tokio::sync::Mutex<()>,
    /// The last moment that the clock had each declaration run for.
    last: Mutex<Option<HashMap<String, Timestamp>>>,
    /// When it was last looked for what is kept too long.
    pruned: Mutex<Option<Timestamp>>,
}

/// For what a run is made, with the values of its row.
struct Target {
    id: EntityId,
    values: Vec<Value>,
    parameters: Map<String, Value>,
}

impl App {
    /// Makes the runs that are due. The first call marks those that an earlier start left running.
    ///
    /// # Errors
    /// When the records cannot be read or written; it is tried again at the next call.
    pub async fn run_due(&self) -> Answer<()> {
        let now = self.now();
        if self.runner.last.lock().is_none() {
            let mut write = self.records.write().await?;
            let interrupted = records::runs::interrupt(&mut write, now).await?;
            let last = records::runs::last_due(&mut write).await?;
            write.commit().await?;
            if interrupted > 0 {
                tracing::warn!(
                    interrupted,
                    "runs were interrupted by the program's end; those that are due are made again"
                );
            }
            *self.runner.last.lock() = Some(last.into_iter().collect());
        }
        let packs = self.packs.now();
        for (_, definition) in packs.runs() {
            let due = definition.due(now);
            if self
                .last_run_for(&definition.id)
                .is_some_and(|before| before >= due)
            {
                continue;
            }
            let made = self.run(definition, due, None, None).await?;
            // Without targets it is looked again: they may come within the minute, as in a city that was begun a moment ago.
            if !made.is_empty()
                && let Some(last) = self.runner.last.lock().as_mut()
            {
                last.insert(definition.id.clone(), due);
            }
        }
        self.prune_runs(now).await
    }

    /// The last moment that the clock had a declaration run for.
    fn last_run_for(&self, id: &str) -> Option<Timestamp> {
        let last = self.runner.last.lock();
        last.as_ref()?.get(id).copied()
    }

    async fn prune_runs(&self, now: Timestamp) -> Answer<()> {
        let pruned = *self.runner.pruned.lock();
        if pruned.is_some_and(|at| now.micros_since(at) < PRUNE_EVERY_S * 1_000_000) {
            return Ok(());
        }
        let before = now.plus_seconds(-86_400 * i64::from(self.options.runs.keep_days));
        let mut write = self.records.write().await?;
        records::runs::prune(&mut write, before).await?;
        write.commit().await?;
        *self.runner.pruned.lock() = Some(now);
        Ok(())
    }

    /// Runs a declaration as of a moment, for all its targets or for one of them, and gives the runs' numbers in the targets' order.
    /// What fails is a run that failed; only the stores' own errors are errors here.
    ///
    /// # Errors
    /// When the records cannot be written, or the journal does not take the outcome; 404 when `only` is none of its targets.
    pub async fn run(
        &self,
        definition: &Definition,
        due: Timestamp,
        only: Option<&EntityId>,
        asked_by: Option<&Actor>,
    ) -> Answer<Vec<i64>> {
        let _turn = self.runner.turn.lock().await;
        let mut targets = match self.targets(definition, due).await {
            Ok(targets) => targets,
            Err(problem) => {
                let id = self.begin_run(definition, None, due, asked_by).await?;
                self.fail_run(id, 0, vec![problem], None).await?;
                return Ok(vec![id]);
            }
        };
        if let Some(only) = only {
            targets.retain(|target| target.as_ref().is_some_and(|target| target.id == *only));
            if targets.is_empty() {
                return Err(ApiError::not_found("target of the run", only));
            }
        }
        let mut made = Vec::with_capacity(targets.len());
        for target in targets {
            let id = self
                .begin_run(definition, target.as_ref(), due, asked_by)
                .await?;
            self.run_one(definition, id, target.as_ref(), due).await?;
            self.events.tell(
                "run",
                identity::Permission::RunRead,
                json!({"id": id, "definition_id": definition.id}),
            );
            made.push(id);
        }
        Ok(made)
    }

    async fn begin_run(
        &self,
        definition: &Definition,
        target: Option<&Target>,
        due: Timestamp,
        asked_by: Option<&Actor>,
    ) -> Answer<i64> {
        let engine = engine::find(&self.engines, &definition.engine).ok();
        let kind = definition.targets.as_ref().map(|t| t.entity_type.as_str());
        let new = NewRun {
            definition_id: &definition.id,
            definition_version: i64::from(definition.version),
            engine: &definition.engine,
            engine_version: engine.map_or(0, |e| i64::from(e.description.version)),
            target: target.map(|t| t.id.as_str()).zip(kind),
            due_at: due,
            asked_by,
        };
        let mut write = self.records.write().await?;
        let id = records::runs::begin(&mut write, &new, self.now()).await?;
        write.commit().await?;
        Ok(id)
    }

    async fn fail_run(
        &self,
        id: i64,
        rows_in: usize,
        problems: Vec<Problem>,
        kept: Option<&Kept>,
    ) -> Answer<()> {
        tracing::warn!(run = id, problem = %problems.first().map(ToString::to_string).unwrap_or_default(), "a run failed");
        let kept = kept.and_then(|kept| kept.to_text().ok());
        let ended = Ended {
            outcome: FAILED,
            problems: Some(json!(problems)),
            rows_in: count(rows_in),
            kept: kept.as_deref(),
            ..Ended::default()
        };
        self.end_run(id, &ended).await
    }

    async fn end_run(&self, id: i64, ended: &Ended<'_>) -> Answer<()> {
        let mut write = self.records.write().await?;
        records::runs::end(&mut write, id, ended, self.now()).await?;
        write.commit().await?;
        Ok(())
    }

    async fn run_one(
        &self,
        definition: &Definition,
        id: i64,
        target: Option<&Target>,
        due: Timestamp,
    ) -> Answer<()> {
        let mut kept = match self.input(definition, target, due).await {
            Ok(kept) => kept,
            Err(problem) => return self.fail_run(id, 0, vec![problem], None).await,
        };
        let rows_in = kept.input.rows.len();
        if rows_in == 0 {
            let problem = Problem::new(
                "run-no-input",
                "the statement found nothing to reckon from",
                "input",
                "check that the target sends what the input asks for, within the window",
            );
            return self.fail_run(id, 0, vec![problem], Some(&kept)).await;
        }
        let (engines, name) = (Arc::clone(&self.engines), definition.engine.clone());
        let work = tokio::task::spawn_blocking(move || {
            let outcome = engine::find(&engines, &name)
                .map_err(|problem| vec![problem])
                .and_then(|engine| kept.run(engine));
            if let Ok(output) = &outcome {
                kept.keep(output);
            }
            (kept, outcome)
        });
        let Ok((kept, outcome)) = work.await else {
            let problem = Problem::new(
                "run-crashed",
                "the engine ended without an answer",
                definition.engine.as_str(),
                "report it with the input of the run",
            );
            return self.fail_run(id, rows_in, vec![problem], None).await;
        };
        let said = outcome.and_then(|output| {
            let told = self.outcome_of(definition, (id, due), target, &kept, &output)?;
            Ok((output, told))
        });
        let (output, told) = match said {
            Ok(said) => said,
            Err(problems) => return self.fail_run(id, rows_in, problems, Some(&kept)).await,
        };
        let mut ended = Ended {
            outcome: DONE,
            rows_in: count(rows_in),
            rows_out: count(output.table.rows.len()),
            ..Ended::default()
        };
        let entity_id = told.as_ref().map(|update| update.entity_id.to_string());
        if let Some(update) = told {
            match self.tell_outcome(id, update).await? {
                Ok(position) => ended.position = i64::try_from(position).ok(),
                Err(problems) => {
                    return self.fail_run(id, rows_in, problems, Some(&kept)).await;
                }
            }
        }
        let digest = kept.output.digest();
        // What was read has a limit in rows, so that this fits.
        let text = kept.to_text().map_err(ApiError::invalid)?;
        ended.entity_id = entity_id.as_deref();
        ended.output_digest = Some(&digest);
        ended.kept = Some(&text);
        self.end_run(id, &ended).await
    }

    /// What the outcome says to the city.
    fn outcome_of(
        &self,
        definition: &Definition,
        (id, due): (i64, Timestamp),
        target: Option<&Target>,
        kept: &Kept,
        output: &engine::Output,
    ) -> Result<Option<Update>, Vec<Problem>> {
        let catalogue = self.ingest.catalogue();
        let (Some(of), Some(target)) = (&definition.forecast, target) else {
            return Ok(None);
        };
        let kind = catalogue.kinds.get(&of.entity_type);
        let Some(kind) = kind.and_then(|kind| kind.forecast.as_ref()) else {
            return Err(vec![Problem::new(
                "run-forecast",
                format!("{} declares no [forecast]", of.entity_type),
                "forecast.entity_type",
                "name a type that does",
            )]);
        };
        let engine = engine::find(&self.engines, &definition.engine).map_err(|p| vec![p])?;
        let made = Made {
            id,
            due,
            target: &target.id,
            engine,
            input: &kept.input.table(),
        };
        outcome::forecast(definition, kind, made, output)
    }

    /// Tells the city; the position of the message, or what admission refused.
    async fn tell_outcome(&self, id: i64, update: Update) -> Answer<Result<u64, Vec<Problem>>> {
        let receipt = self.submit_of_run(id, update)?;
        self.durable(receipt.position).await?;
        Ok(match receipt.problems.is_empty() {
            true => Ok(receipt.position),
            false => Err(receipt.problems),
        })
    }

    /// Hands what a run says to admission; whoever asks waits until it is durable.
    pub(crate) fn submit_of_run(&self, id: i64, update: Update) -> Answer<admission::Receipt> {
        let views = update.attributes.iter().map(|a| AttributeView {
            name: a.name.as_str(),
            value: &a.value,
            unit: a.unit.as_deref(),
            observed_at: a.observed_at,
        });
        let (entity, kind) = (update.entity_id.as_str(), update.entity_type.as_str());
        let raw = encode::normalized(entity, kind, views).to_string();
        let address = format!("runs/{id}");
        let incoming = admission::Incoming {
            door: DOOR,
            device_id: None,
            scope: &admission::Scope::Any,
            address: &address,
            raw: raw.as_bytes(),
            received_at: self.now(),
            retain: false,
        };
        let payload = wire::Payload {
            updates: vec![update],
            problems: Vec::new(),
        };
        let receipt = self.ingest.submit(incoming, payload);
        receipt.map_err(|refusal| ApiError::busy(&refusal))
    }

    /// The targets of a declaration; one that is none where it declares none.
    async fn targets(
        &self,
        definition: &Definition,
        due: Timestamp,
    ) -> Result<Vec<Option<Target>>, Problem> {
        let Some(declared) = &definition.targets else {
            return Ok(vec![None]);
        };
        let most = self.options.runs.targets_max;
        let found = self.asked(&declared.sql, vec![time(due)], most).await;
        let (columns, rows) = found.map_err(|problem| within("targets.sql", problem))?;
        let wrong =
            |what: String| Problem::new("run-targets", what, "targets.sql", "mend the statement");
        let at = columns.iter().position(|name| name == PARAMETERS);
        let mut targets = Vec::with_capacity(rows.len());
        for values in rows {
            let id = values.first().and_then(Value::as_str);
            let Some(id) = id else {
                return Err(wrong("the first column holds no entity's id".to_owned()));
            };
            let parameters = match at.and_then(|at| values.get(at)) {
                None | Some(Value::Null) => Map::new(),
                Some(Value::Object(map)) => map.clone(),
                Some(Value::String(text)) => serde_json::from_str(text)
                    .map_err(|e| wrong(format!("parameters of {id} are no JSON object: {e}")))?,
                Some(_) => return Err(wrong(format!("parameters of {id} are no JSON object"))),
            };
            let id = EntityId::new(id)?;
            targets.push(Some(Target {
                id,
                values,
                parameters,
            }));
        }
        Ok(targets)
    }

    /// What the engine is to read and its parameters.
    async fn input(
        &self,
        definition: &Definition,
        target: Option<&Target>,
        due: Timestamp,
    ) -> Result<Kept, Problem> {
        let mut given = vec![time(due), time(definition.from(due))];
        let values = target.iter().flat_map(|target| &target.values);
        given.extend(values.map(scalar));
        let most = self.options.runs.rows_max;
        let found = self.asked(&definition.input.sql, given, most).await;
        let (columns, rows) = found.map_err(|problem| within("input.sql", problem))?;
        let rows = rows.into_iter();
        let table = engine::Table {
            columns,
            rows: rows.map(|row| row.iter().map(cell).collect()).collect(),
        };
        let mut parameters = definition.parameters.clone();
        parameters.extend(target.iter().flat_map(|target| target.parameters.clone()));
        Ok(Kept::of(
            table,
            parameters,
            &definition.input.sql,
            PROGRAM_VERSION,
        ))
    }

    /// Asks as the platform itself.
    async fn asked(
        &self,
        sql: &str,
        parameters: Vec<ScalarValue>,
        rows_max: usize,
    ) -> Result<(Vec<String>, Vec<Vec<Value>>), Problem> {
        let limits = lake::Limits {
            rows_max,
            ..self.options.sql_stream_limits.clone()
        };
        let question = Question {
            sql,
            parameters,
            tables: Arc::clone(&self.tables) as Arc<dyn lake::RecordTables>,
            catalogue: &self.ingest.catalogue(),
            zone: None,
        };
        rows(&self.lake, question, &limits).await
    }

    /// A run's engine, as it is now.
    pub(crate) fn engine(&self, name: &str) -> Option<&engine::Engine> {
        engine::find(&self.engines, name).ok()
    }
}

/// An engine that is not there, for whoever asks for a run of it.
pub(crate) fn gone(name: &str) -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        Problem::new(
            "engine-unknown",
            format!("this program has no engine {name}"),
            "engine",
            "use the version of the program that made the run",
        ),
    )
}

/// The columns and rows of an answer; more rows than its limit are refused, since half an answer is none.
pub(crate) async fn rows(
    lake: &lake::Lake,
    question: Question<'_>,
    limits: &lake::Limits,
) -> Result<(Vec<String>, Vec<Vec<Value>>), Problem> {
    let mut answer = lake.query_stream(question, limits).await?;
    let columns = answer.schema().fields().iter();
    let columns = columns.map(|field| field.name().clone()).collect();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        let told = |e: &dyn std::fmt::Display| {
            Problem::new("sql-answer", e.to_string(), "statement", "cast the column")
        };
        let first = rows.len();
        rows.resize_with(first + batch.num_rows(), Vec::new);
        for column in batch.columns() {
            let values = lake::json_values(column).map_err(|e| told(&e))?;
            for (row, value) in rows[first..].iter_mut().zip(values) {
                row.push(value);
            }
        }
    }
    if answer.truncated() {
        return Err(Problem::new(
            "sql-rows",
            format!("there are more than {} rows", limits.rows_max),
            "statement",
            "ask for less",
        ));
    }
    Ok((columns, rows))
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn within(key: &str, problem: Problem) -> Problem {
    Problem {
        place: format!("{key}: {}", problem.place),
        ..problem
    }
}

fn time(at: Timestamp) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into()))
}

/// A value of a target's row as a parameter of a statement. What is missing is a missing text.
fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Number(number) if number.is_f64() => ScalarValue::Float64(number.as_f64()),
        Value::Number(number) => ScalarValue::Int64(number.as_i64()),
        Value::Bool(is) => ScalarValue::Boolean(Some(*is)),
        Value::Null => ScalarValue::Utf8(None),
        Value::String(text) => ScalarValue::from(text.as_str()),
        other => ScalarValue::from(other.to_string().as_str()),
    }
}

/// A value of an answer as a cell of a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
