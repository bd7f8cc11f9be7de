//! Tables that packs declare as SQL (`tables/*.sql` of a pack, [`model::TableView`]): which are right, in which order they stand, and
//! how a session comes to know them.
//!
//! A declared table is SQL over what whoever asks may name: the views of the entity types, history, and other declared tables. It is
//! planned in the session of each statement that names it, over the tables of that session, so that rows and values that the asker
//! may not see, and personal values, are taken out below it as they are below any statement of the asker's own. Whoever may not read
//! one of the tables that it reads does not have it.
//!
//! It gives the same rows whatever zone a client asks in ([`crate::zone`]): one that does not is a mistake, found by planning it in
//! two zones.

use crate::engine::planning;
use crate::errors::{Known, sql_problem};
use crate::query::{Limits, plan};
use crate::records::{self, RecordTable};
use crate::schema::{ColumnKind, OBSERVATION_COLUMNS, OBSERVATIONS};
use crate::{rollups, statement, wide};
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use futures::FutureExt;
use model::problem::quote;
use model::{EntityKind, Problem, RollupSpan, TableView, ViewColumnKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most tables that one pack declares.
pub const VIEWS_MAX: usize = 100;
/// Longest statement of a declared table, in bytes.
pub const SQL_BYTES_MAX: usize = 32 << 10;
/// Most columns of a declared table.
pub const COLUMNS_MAX: usize = 200;
/// Longest name of a declared table, in bytes: what PostgreSQL allows.
pub const NAME_BYTES_MAX: usize = 63;
/// How many declared tables may stand on each other: one that reads no other has depth 1.
pub const DEPTH_MAX: usize = 4;
/// Most tables that a declared table reads in the end, each counted as often as it is read.
pub const SCANS_MAX: usize = 64;

/// Zones in which the same statement must mean the same.
const ZONES: [&str; 2] = ["Asia/Shanghai", "America/New_York"];

/// A mistake of a declared table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The table's name.
    pub view: String,
    /// Where it is.
    pub at: At,
    /// What is wrong; its place is that inside the statement, where that is known.
    pub problem: Problem,
}

/// Where a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In its name, or in how many there are.
    Name,
    /// In the header's line of this column, counted from 0.
    Column(usize),
    /// In this line of the statement, from 1.
    Line(usize),
    /// Somewhere in the statement.
    Statement,
}

/// The declared tables of a pack that are right, each after those that it reads, and what is wrong with the others.
#[derive(Debug, Default)]
pub struct Arranged {
    /// Those that are right, with what they read.
    pub views: Vec<TableView>,
    /// Every mistake. A table that is right but for one that it reads is left out and not told.
    pub mistakes: Vec<Mistake>,
}

/// Puts declared tables in order and checks each: its name, what it reads, that it plans, that its columns are those of its
/// header, and that it means the same in every zone. `kinds` are the entity types that they may read.
pub fn arrange(kinds: &BTreeMap<String, EntityKind>, declared: Vec<TableView>) -> Arranged {
    let mut arranging = Arranging::new(kinds, &declared);
    let mut waiting: Vec<(TableView, Statement)> = Vec::new();
    for (n, view) in declared.into_iter().enumerate() {
        if let Some(read) = arranging.read(n, view) {
            waiting.push(read);
        }
    }
    // Each round takes those whose tables are all there.
    loop {
        let names: BTreeSet<String> = waiting.iter().map(|(view, _)| view.name.clone()).collect();
        let is_ready = |view: &TableView| !view.reads.iter().any(|read| names.contains(read));
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(view, _)| is_ready(view));
        waiting = rest;
        if ready.is_empty() {
            break;
        }
        for (view, statement) in ready {
            arranging.take(view, statement);
        }
    }
    arranging.cycles(&waiting);
    arranging.arranged
}

/// The table as it stands in the list of tables.
pub(crate) fn table(view: &TableView) -> RecordTable {
    RecordTable {
        name: view.name.clone(),
        description: format!("{} / {} ({})", view.title_zh, view.title_en, view.source),
        columns: (view.columns.iter())
            .map(|column| (column.name.clone(), kind(column.kind)))
            .collect(),
    }
}

/// The kind of a declared column.
pub const fn kind(kind: ViewColumnKind) -> ColumnKind {
    match kind {
        ViewColumnKind::Text => ColumnKind::Text,
        ViewColumnKind::Number => ColumnKind::Number,
        ViewColumnKind::Integer => ColumnKind::Integer,
        ViewColumnKind::Boolean => ColumnKind::Boolean,
        ViewColumnKind::Time => ColumnKind::Time,
        ViewColumnKind::Clock => ColumnKind::Clock,
        ViewColumnKind::Json => ColumnKind::Json,
    }
}

/// What a statement names, and what the declared tables among it read.
pub(crate) fn with_reads(
    mut wanted: Vec<TableReference>,
    views: &[TableView],
) -> Vec<TableReference> {
    // Each stands after those that it reads.
    for view in views.iter().rev() {
        if wanted.iter().any(|table| table.table() == view.name) {
            let reads = view.reads.iter().cloned().map(TableReference::bare);
            wanted.extend(reads);
        }
    }
    wanted
}

/// Makes a declared table known to a session that knows what it reads.
///
/// # Errors
/// When it does not plan there, with the table's name and the line in its statement.
pub(crate) async fn register(
    context: &SessionContext,
    view: &TableView,
    known: &Known,
    limits: &Limits,
) -> Result<(), Problem> {
    let inside = |problem: Problem| Problem {
        place: format!("table {}, {}", view.name, problem.place),
        ..problem
    };
    let told = |e: DataFusionError| inside(sql_problem(&e, known, limits));
    let statement = statement::parse(&view.sql, known, SQL_BYTES_MAX).map_err(inside)?;
    let plan = plan(context, statement).await.map_err(told)?;
    let table = ViewTable::new(plan, Some(view.sql.clone()));
    context
        .register_table(TableReference::bare(view.name.clone()), Arc::new(table))
        .map_err(told)?;
    Ok(())
}

/// Reads, orders and plans declared tables over empty ones.
struct Arranging {
    /// What they may name, themselves included.
    known: Known,
    /// The names of those among them that are not declared.
    bases: BTreeSet<String>,
    /// A session for each of [`ZONES`].
    sessions: Vec<SessionContext>,
    limits: Limits,
    depths: BTreeMap<String, usize>,
    /// Names that are taken, in small letters.
    taken: BTreeSet<String>,
    arranged: Arranged,
}

impl Arranging {
    fn new(kinds: &BTreeMap<String, EntityKind>, declared: &[TableView]) -> Self {
        let observations = RecordTable {
            name: OBSERVATIONS.to_owned(),
            description: String::new(),
            columns: OBSERVATION_COLUMNS
                .iter()
                .map(|(name, kind, _)| ((*name).to_owned(), *kind))
                .collect(),
        };
        let mut tables = vec![observations];
        tables.extend(RollupSpan::ALL.map(rollups::table));
        tables.extend(kinds.values().map(wide::table));
        tables.extend(kinds.values().map(wide::table_now));
        let sessions: Vec<SessionContext> = ZONES.map(|zone| planning(Some(zone))).into();
        let mut arranged = Arranged::default();
        for session in &sessions {
            for table in &tables {
                if let Err(e) = stand_in(session, table) {
                    let problem = Problem::new(
                        "table-plan",
                        e.strip_backtrace(),
                        "the tables that it may read",
                        "report this: the entity type has no view",
                    );
                    arranged.mistakes.push(Mistake {
                        view: table.name.clone(),
                        at: At::Name,
                        problem,
                    });
                }
            }
        }
        let taken = tables.iter().map(|t| t.name.to_lowercase()).collect();
        let bases = tables.iter().map(|t| t.name.clone()).collect();
        tables.extend(declared.iter().map(table));
        Self {
            known: Known { tables },
            bases,
            sessions,
            limits: Limits::default(),
            depths: BTreeMap::new(),
            taken,
            arranged,
        }
    }

    fn say(&mut self, view: &TableView, at: At, code: &str, what: String, mend: &str) {
        self.arranged.mistakes.push(Mistake {
            view: view.name.clone(),
            at,
            problem: Problem::new(code, what, "statement", mend),
        });
    }

    fn told(&mut self, view: &TableView, problem: Problem) {
        let line = problem.place.strip_prefix("line ");
        let line = line.and_then(|rest| rest.split(',').next()?.trim().parse().ok());
        self.arranged.mistakes.push(Mistake {
            view: view.name.clone(),
            at: line.map_or(At::Statement, At::Line),
            problem,
        });
    }

    fn failed(&mut self, view: &TableView, error: &DataFusionError) {
        let problem = sql_problem(error, &self.known, &self.limits);
        self.told(view, problem);
    }

    /// The table with what it reads, when its name and its statement are right.
    fn read(&mut self, n: usize, mut view: TableView) -> Option<(TableView, Statement)> {
        let before = self.arranged.mistakes.len();
        if n >= VIEWS_MAX {
            let what = format!("the pack declares more than {VIEWS_MAX} tables");
            self.say(&view, At::Name, "table-count", what, "take some away");
            return None;
        }
        let name = view.name.clone();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= NAME_BYTES_MAX
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            let what = format!("{} is no name of a table", quote(&name));
            let mend = "use letters, digits and _, a letter first, at most 63";
            self.say(&view, At::Name, "table-name", what, mend);
        } else if !self.taken.insert(name.to_lowercase()) {
            let what = format!("there is a table {} already", quote(&name));
            let mend = "give it another name; capitals do not tell names apart";
            self.say(&view, At::Name, "table-taken", what, mend);
        }
        if !(1..=COLUMNS_MAX).contains(&view.columns.len()) {
            let what = format!("its header names {} columns", view.columns.len());
            let mend = format!("name 1 to {COLUMNS_MAX}, each on a line `-- column: …`");
            self.say(&view, At::Name, "table-columns", what, &mend);
        }
        let mut names = BTreeSet::new();
        let columns: Vec<String> = view.columns.iter().map(|c| c.name.clone()).collect();
        for (n, column) in columns.iter().enumerate() {
            if !names.insert(column.to_lowercase()) {
                let what = format!("its header names the column {} twice", quote(column));
                self.say(&view, At::Column(n), "table-columns", what, "name it once");
            }
        }
        let statement = match statement::parse(&view.sql, &self.known, SQL_BYTES_MAX) {
            Ok(statement) => statement,
            Err(problem) => {
                self.told(&view, problem);
                return None;
            }
        };
        let is_query = matches!(&statement, Statement::Statement(inner) if matches!(**inner, ast::Statement::Query(_)));
        if !is_query {
            let what = "it is no query".to_owned();
            self.say(
                &view,
                At::Statement,
                "table-query",
                what,
                "write one SELECT or WITH",
            );
        }
        match (self.sessions[0].state()).resolve_table_references(&statement) {
            Ok(named) => {
                let names = named.iter().map(TableReference::table);
                let is_known = |name: &&str| self.known.tables.iter().any(|t| t.name == *name);
                view.reads = names.filter(is_known).map(str::to_owned).collect();
            }
            Err(e) => self.failed(&view, &e),
        }
        (self.arranged.mistakes.len() == before).then_some((view, statement))
    }

    /// Plans a table all of whose own tables are there or wrong, and takes it when it is right.
    fn take(&mut self, view: TableView, statement: Statement) {
        let before = self.arranged.mistakes.len();
        let declared: Vec<&String> = (view.reads.iter())
            .filter(|read| !self.bases.contains(*read))
            .collect();
        if declared.iter().any(|read| !self.depths.contains_key(*read)) {
            // It reads one that is wrong, which is told.
            return;
        }
        let deepest = declared.iter().filter_map(|read| self.depths.get(*read));
        let depth = 1 + deepest.max().copied().unwrap_or(0);
        if depth > DEPTH_MAX {
            let what = format!(
                "it stands on {} declared tables one above the other",
                depth - 1
            );
            let mend = format!("let at most {DEPTH_MAX} stand on each other");
            self.say(&view, At::Statement, "table-depth", what, &mend);
            return;
        }
        let sessions = self.sessions.iter();
        let plans: Result<Vec<LogicalPlan>, DataFusionError> = sessions
            .map(|session| planned(session, &statement))
            .collect();
        let plans = match plans {
            Ok(plans) => plans,
            Err(e) => return self.failed(&view, &e),
        };
        self.columns(&view, &plans[0]);
        self.meaning(&view, &plans);
        if self.arranged.mistakes.len() > before {
            return;
        }
        let registered = self
            .sessions
            .iter()
            .zip(plans)
            .try_for_each(|(session, plan)| {
                let name = TableReference::bare(view.name.clone());
                let table = Arc::new(ViewTable::new(plan, Some(view.sql.clone())));
                session.register_table(name, table).map(|_| ())
            });
        if let Err(e) = registered {
            return self.failed(&view, &e);
        }
        self.depths.insert(view.name.clone(), depth);
        self.arranged.views.push(view);
    }

    /// Whether the statement gives the columns of the header.
    fn columns(&mut self, view: &TableView, plan: &LogicalPlan) {
        let given: Vec<(String, ColumnKind)> = (plan.schema().fields().iter())
            .map(|field| (field.name().clone(), ColumnKind::of(field)))
            .collect();
        let declared = table(view).columns;
        let mend = "let header and statement name the same columns in the same order; a name with capitals needs quotes: AS \"STCD\"";
        for (n, (name, kind)) in declared.iter().enumerate() {
            let (at, place) = (At::Column(n), n + 1);
            match given.get(n) {
                None => {
                    let what = format!(
                        "the statement gives {} columns, without {}",
                        given.len(),
                        quote(name)
                    );
                    return self.say(view, at, "table-columns", what, mend);
                }
                Some((other, _)) if other != name => {
                    let what = format!(
                        "column {place} of the statement is {}, the header says {}",
                        quote(other),
                        quote(name)
                    );
                    return self.say(view, at, "table-columns", what, mend);
                }
                Some((_, other)) if !is_as_declared(*kind, *other) => {
                    let what = format!(
                        "the statement gives {} as {}, the header says {}",
                        quote(name),
                        other.as_str(),
                        kind.as_str()
                    );
                    let mend = "cast it in the statement, or say in the header what it is";
                    self.say(view, at, "table-columns", what, mend);
                }
                Some(_) => {}
            }
        }
        if let Some((name, _)) = given.get(declared.len()) {
            let what = format!("the header has no column {}", quote(name));
            self.say(view, At::Statement, "table-columns", what, mend);
        }
    }

    /// Whether the table means the same in every zone, has no parameters, and does not read too much.
    fn meaning(&mut self, view: &TableView, plans: &[LogicalPlan]) {
        let has_parameters = |plan: &LogicalPlan| {
            let types = plan.get_parameter_types();
            types.is_ok_and(|types| !types.is_empty())
        };
        if plans.iter().any(has_parameters) {
            let what = "it has parameters".to_owned();
            let mend = "write the values: nobody could give them";
            self.say(view, At::Statement, "table-parameters", what, mend);
            return;
        }
        let analyzed: Result<Vec<(usize, String)>, DataFusionError> =
            (self.sessions.iter().zip(plans)).map(analyzed).collect();
        let shown = match analyzed {
            Ok(shown) => shown,
            Err(e) => return self.failed(view, &e),
        };
        let read = shown.first().map_or(0, |(scans, _)| *scans);
        if read > SCANS_MAX {
            let what = format!("it reads {read} tables in the end");
            let mend =
                format!("let it read at most {SCANS_MAX}, each counted as often as it is read");
            self.say(view, At::Statement, "table-scans", what, &mend);
        }
        if shown.iter().any(|(_, text)| *text != shown[0].1) {
            let what = "what it gives depends on the zone in which a client asks".to_owned();
            let mend = "say whose clock is read before a moment becomes a date, a text or a timestamp: to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai')";
            self.say(view, At::Statement, "table-zone", what, mend);
        }
    }

    /// Those that wait for each other: of what is left, what reads itself in the end.
    fn cycles(&mut self, waiting: &[(TableView, Statement)]) {
        let reads: BTreeMap<&str, &[String]> = (waiting.iter())
            .map(|(view, _)| (view.name.as_str(), view.reads.as_slice()))
            .collect();
        for (view, _) in waiting {
            let mut reached: BTreeSet<&str> = BTreeSet::new();
            let mut ahead: Vec<&str> = view.reads.iter().map(String::as_str).collect();
            while let Some(name) = ahead.pop() {
                if reached.insert(name)
                    && let Some(more) = reads.get(name)
                {
                    ahead.extend(more.iter().map(String::as_str));
                }
            }
            if reached.contains(view.name.as_str()) {
                let what = "it reads itself in the end".to_owned();
                let mend = "break the circle: no table can be made of itself";
                self.say(view, At::Statement, "table-cycle", what, mend);
            }
        }
    }
}

/// Whether a column of this kind is what the header says. Stored JSON may lose its mark on the way.
fn is_as_declared(declared: ColumnKind, given: ColumnKind) -> bool {
    let is_text = |kind| matches!(kind, ColumnKind::Text | ColumnKind::Json);
    declared == given || (is_text(declared) && is_text(given))
}

/// An empty table in the place of one of the city's.
fn stand_in(session: &SessionContext, table: &RecordTable) -> Result<(), DataFusionError> {
    let empty = MemTable::try_new(records::schema(table), vec![Vec::new()])?;
    let name = TableReference::bare(table.name.clone());
    session.register_table(name, Arc::new(empty)).map(|_| ())
}

/// Plans over tables that are there at once, so that nothing is waited for.
fn planned(
    session: &SessionContext,
    statement: &Statement,
) -> Result<LogicalPlan, DataFusionError> {
    let planned = plan(session, statement.clone()).now_or_never();
    planned.unwrap_or_else(|| {
        Err(DataFusionError::Plan(
            "planning waits for a table".to_owned(),
        ))
    })
}

/// How many tables a plan reads, and what it does, once types have met and clocks are read in the session's zone.
fn analyzed(
    (session, plan): (&SessionContext, &LogicalPlan),
) -> Result<(usize, String), DataFusionError> {
    let state = session.state();
    let (analyzer, options) = (state.analyzer(), state.config_options());
    let plan = analyzer.execute_and_check(plan.clone(), options, |_, _| {})?;
    Ok((scans(&plan), plan.display_indent().to_string()))
}

/// How many tables a plan reads.
fn scans(plan: &LogicalPlan) -> usize {
    let mut count = 0;
    let walked = plan.apply_with_subqueries(|node| {
        count += usize::from(matches!(node, LogicalPlan::TableScan(_)));
        Ok(TreeNodeRecursion::Continue)
    });
    match walked {
        Ok(_) => count,
        Err(_) => usize::MAX,
    }
}
