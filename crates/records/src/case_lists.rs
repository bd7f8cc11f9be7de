//! Lists of cases: filtered, newest or most urgent first, in pages by key; the board; what lies near a place; what the
//! clocks have to do. Each is made so that one index serves it among a million cases.

use crate::case_text;
use crate::cases::Case;
use crate::failure::{Failure, Result};
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::{Problem, Timestamp, problem::quote};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Arguments, AssertSqlSafe, Row};

/// Which cases are wanted.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only at one of these places.
    pub places: Option<Vec<Place>>,
    /// Only those not ended (`true`) or only those ended (`false`).
    pub open: Option<bool>,
    /// Only of this department.
    pub organisation_id: Option<String>,
    /// Only the work of this person: given to them, opened by them, or lying with their department
    /// without a person.
    pub mine: Option<Mine>,
    /// Only in this town.
    pub town: Option<String>,
    /// Only in this unit grid.
    pub grid: Option<String>,
    /// Only of this kind.
    pub category: Option<String>,
    /// Only of this severity.
    pub severity: Option<String>,
    /// Only open ones whose present step was to be done before this moment, clocks that stand left out.
    pub overdue_at: Option<Timestamp>,
    /// Only those that hold these words in number, title or description.
    pub text: Option<String>,
    /// Only those opened at or after.
    pub from: Option<Timestamp>,
    /// Only those opened before.
    pub until: Option<Timestamp>,
    /// Only parts of this case.
    pub parent_id: Option<i64>,
    /// Only what a reader may see; everything when `None`.
    pub seen: Option<Seen>,
    /// In which order.
    pub order: Order,
}

/// A state, of whichever workflows: where workflows mean different things by one name, some of them only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The state.
    pub state: String,
    /// The workflows that it is a state of.
    pub of: Of,
}

/// The workflows that a state belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// Whichever.
    #[default]
    Any,
    /// These.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Place {
    fn holds(&self, state: &str, workflow: &str) -> bool {
        let is_of = |names: &[String]| names.iter().any(|name| name == workflow);
        self.state == state
            && match &self.of {
                Of::Any => true,
                Of::Only(names) => is_of(names),
                Of::AllBut(names) => !is_of(names),
            }
    }
}

/// The departments whose cases a reader may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Their ids.
    pub organisations: Vec<String>,
    /// Whether cases of no department are seen too.
    pub without: bool,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Open ones only, those first whose present step is to be done first; those without a clock come last.
    Urgent,
}

/// Whose work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    /// The person.
    pub user_id: i64,
    /// Their department.
    pub organisation_id: Option<String>,
}

enum Value {
    Number(i64),
    Real(f64),
    Text(String),
}

/// A condition with its values, in the order of their numbers.
#[derive(Default)]
struct Wanted {
    clauses: Vec<String>,
    values: Vec<Value>,
}

impl Wanted {
    /// Gives a value its number.
    fn value(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len()
    }

    fn number(&mut self, clause: &str, value: i64) {
        let n = self.value(Value::Number(value));
        self.clauses.push(clause.replace('?', &format!("${n}")));
    }

    fn text(&mut self, clause: &str, value: &str) {
        let n = self.value(Value::Text(value.to_owned()));
        self.clauses.push(clause.replace('?', &format!("${n}")));
    }

    fn real(&mut self, clause: &str, value: f64) {
        let n = self.value(Value::Real(value));
        self.clauses.push(clause.replace('?', &format!("${n}")));
    }

    fn place(&mut self, place: &Place) -> String {
        let state = format!("state = ${}", self.value(Value::Text(place.state.clone())));
        let (names, how) = match &place.of {
            Of::Any => return state,
            Of::Only(names) => (names, "IN"),
            Of::AllBut(names) => (names, "NOT IN"),
        };
        let names: Vec<_> = names
            .iter()
            .map(|name| format!("${}", self.value(Value::Text(name.clone()))))
            .collect();
        format!("({state} AND workflow {how} ({}))", names.join(", "))
    }

    fn of(filter: &CaseFilter) -> Self {
        let mut wanted = Self::default();
        for (clause, value) in [
            ("state = ?", &filter.state),
            ("workflow = ?", &filter.workflow),
            ("organisation_id = ?", &filter.organisation_id),
            ("town = ?", &filter.town),
            ("grid = ?", &filter.grid),
            ("category = ?", &filter.category),
            ("severity = ?", &filter.severity),
        ] {
            if let Some(value) = value {
                wanted.text(clause, value);
            }
        }
        if let Some(places) = &filter.places {
            let any: Vec<_> = places.iter().map(|place| wanted.place(place)).collect();
            wanted.clauses.push(any_of(&any));
        }
        match filter.open {
            Some(true) => wanted.clauses.push("closed_at IS NULL".to_owned()),
            Some(false) => wanted.clauses.push("closed_at IS NOT NULL".to_owned()),
            None => {}
        }
        if let Some(mine) = &filter.mine {
            let user = wanted.value(Value::Number(mine.user_id));
            let lying = mine
                .organisation_id
                .as_ref()
                .map_or_else(String::new, |of| {
                    let n = wanted.value(Value::Text(of.clone()));
                    format!(" OR (assignee_id IS NULL AND organisation_id = ${n})")
                });
            wanted.clauses.push(format!(
                "(assignee_id = ${user} OR created_by_id = ${user}{lying})"
            ));
        }
        if let Some(seen) = &filter.seen {
            let mut any = Vec::new();
            if seen.without {
                any.push("organisation_id IS NULL".to_owned());
            }
            for of in &seen.organisations {
                let n = wanted.value(Value::Text(of.clone()));
                any.push(format!("organisation_id = ${n}"));
            }
            wanted.clauses.push(any_of(&any));
        }
        if let Some(now) = filter.overdue_at {
            wanted
                .clauses
                .push("closed_at IS NULL AND suspended_at IS NULL".to_owned());
            wanted.number("due_at < ?", now.micros());
        }
        if let Some(from) = filter.from {
            wanted.number("created_at >= ?", from.micros());
        }
        if let Some(until) = filter.until {
            wanted.number("created_at < ?", until.micros());
        }
        if let Some(parent) = filter.parent_id {
            wanted.number("parent_id = ?", parent);
        }
        if let Some(words) = &filter.text {
            match case_text::wanted(words) {
                // The full-text index gives ids in order, so that the first page is all that is read of it.
                Some(words) => wanted.text("case_text MATCH ?", &words),
                None => wanted.clauses.push("1 = 0".to_owned()),
            }
        }
        wanted
    }

    /// Of open cases that hold words: those whose words fit are looked up in the index of columns, which is shorter than the list of
    /// all that fit, closed ones among them, when the words are common.
    fn open_with_text(filter: &CaseFilter) -> Self {
        let mut wanted = Self::of(&CaseFilter {
            text: None,
            open: Some(true),
            ..filter.clone()
        });
        match filter.text.as_deref().and_then(case_text::wanted) {
            Some(words) => wanted.text(
                "id IN (SELECT rowid FROM case_text WHERE case_text MATCH ?)",
                &words,
            ),
            None => wanted.clauses.push("1 = 0".to_owned()),
        }
        wanted
    }

    fn condition(&self) -> String {
        if self.clauses.is_empty() {
            return "1 = 1".to_owned();
        }
        self.clauses.join(" AND ")
    }

    /// The values as they are bound, in the order of their numbers.
    fn bound(self) -> Result<AnyArguments> {
        let mut bound = AnyArguments::default();
        for value in self.values {
            match value {
                Value::Number(n) => bound.add(n),
                Value::Real(x) => bound.add(x),
                Value::Text(text) => bound.add(text),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(bound)
    }

    async fn cases(self, connection: &mut Connection, sql: String) -> Result<Vec<Case>> {
        let query = sqlx::query_as_with::<Any, Case, _>(AssertSqlSafe(sql), self.bound()?);
        Ok(query.fetch_all(connection).await?)
    }

    async fn rows(self, connection: &mut Connection, sql: String) -> Result<Vec<AnyRow>> {
        let query = sqlx::query_with::<Any, _>(AssertSqlSafe(sql), self.bound()?);
        Ok(query.fetch_all(connection).await?)
    }

    async fn count(self, connection: &mut Connection, sql: String) -> Result<i64> {
        let query = sqlx::query_scalar_with::<Any, i64, _>(AssertSqlSafe(sql), self.bound()?);
        Ok(query.fetch_one(connection).await?)
    }
}

fn any_of(clauses: &[String]) -> String {
    match clauses {
        [] => "1 = 0".to_owned(),
        clauses => format!("({})", clauses.join(" OR ")),
    }
}

fn from(filter: &CaseFilter) -> &'static str {
    match &filter.text {
        // The index of words leads: it is in the list's order already, and CROSS keeps the planner from turning it round.
        Some(_) => "case_text CROSS JOIN cases ON cases.id = case_text.rowid",
        None => "cases",
    }
}

/// From where open cases of one state are read: by the index of columns, which the planner would leave for that of departments
/// (and read a department's cases of all states) when a filter names one.
fn open_from(filter: &CaseFilter) -> &'static str {
    if filter.state.is_some() || filter.places.is_some() {
        return "cases INDEXED BY cases_board";
    }
    from(filter)
}

/// Cases in the filter's order.
///
/// # Errors
/// [`Failure::Invalid`] for a cursor of another list.
pub async fn list(
    connection: &mut Connection,
    filter: &CaseFilter,
    page: &PageRequest,
) -> Result<Page<Case>> {
    let mut wanted = Wanted::of(filter);
    match filter.order {
        Order::Newest => {
            let key = if filter.text.is_some() {
                "case_text.rowid"
            } else {
                "id"
            };
            if let Some(after) = page.after_number()? {
                wanted.number(&format!("{key} < ?"), after);
            }
            let sql = format!(
                "SELECT cases.* FROM {} WHERE {} ORDER BY {key} DESC LIMIT {}",
                from(filter),
                wanted.condition(),
                page.fetch()
            );
            let rows = wanted.cases(connection, sql).await?;
            Ok(Page::cut(rows, page, |c| c.id.to_string()))
        }
        Order::Urgent => urgent(connection, filter, page).await,
    }
}

/// One filter for each place that it asks for: each is read by an index of its own, in the order of the list.
fn each_place(filter: &CaseFilter) -> Vec<CaseFilter> {
    let Some(places) = &filter.places else {
        return vec![filter.clone()];
    };
    let of = places.iter().map(|place| CaseFilter {
        places: Some(vec![place.clone()]),
        ..filter.clone()
    });
    of.collect()
}

async fn urgent(
    connection: &mut Connection,
    filter: &CaseFilter,
    page: &PageRequest,
) -> Result<Page<Case>> {
    let after = urgent_cursor(page)?;
    let fetch = page.fetch();
    if filter.text.is_some() {
        return urgent_with_text(connection, filter, page, after).await;
    }
    let mut rows = Vec::new();
    for filter in each_place(filter) {
        let mut found = 0;
        if !matches!(after, Some((None, _))) {
            let mut wanted = Wanted::of(&filter);
            wanted
                .clauses
                .push("closed_at IS NULL AND due_at IS NOT NULL".to_owned());
            if let Some((Some(due), id)) = after {
                let (due, id) = (
                    wanted.value(Value::Number(due)),
                    wanted.value(Value::Number(id)),
                );
                wanted
                    .clauses
                    .push(format!("(due_at, cases.id) > (${due}, ${id})"));
            }
            let sql = format!(
                "SELECT cases.* FROM {} WHERE {} ORDER BY due_at, cases.id LIMIT {fetch}",
                open_from(&filter),
                wanted.condition()
            );
            let with_clock = wanted.cases(connection, sql).await?;
            found = i64::try_from(with_clock.len()).unwrap_or(fetch);
            rows.extend(with_clock);
        }
        // What is overdue has a clock.
        if found < fetch && filter.overdue_at.is_none() {
            let mut wanted = Wanted::of(&filter);
            wanted
                .clauses
                .push("closed_at IS NULL AND due_at IS NULL".to_owned());
            if let Some((None, id)) = after {
                wanted.number("cases.id > ?", id);
            }
            let sql = format!(
                "SELECT cases.* FROM {} WHERE {} ORDER BY cases.id LIMIT {}",
                open_from(&filter),
                wanted.condition(),
                fetch - found
            );
            rows.extend(wanted.cases(connection, sql).await?);
        }
    }
    rows.sort_by_key(|case| (case.due_at.is_none(), case.due_at, case.id));
    Ok(Page::cut(rows, page, urgent_key))
}

fn urgent_key(case: &Case) -> String {
    let due = case
        .due_at
        .map_or_else(String::new, |due| due.micros().to_string());
    format!("{due}:{}", case.id)
}

/// The same of cases that hold words: in one pass over the open ones, whatever their place.
async fn urgent_with_text(
    connection: &mut Connection,
    filter: &CaseFilter,
    page: &PageRequest,
    after: Option<(Option<i64>, i64)>,
) -> Result<Page<Case>> {
    let mut wanted = Wanted::open_with_text(filter);
    match after {
        Some((Some(due), id)) => {
            let due = wanted.value(Value::Number(due));
            let id = wanted.value(Value::Number(id));
            let clause = format!("(due_at IS NULL OR (due_at, id) > (${due}, ${id}))");
            wanted.clauses.push(clause);
        }
        Some((None, id)) => wanted.number("due_at IS NULL AND id > ?", id),
        None => {}
    }
    let sql = format!(
        "SELECT * FROM cases WHERE id IN (SELECT id FROM cases INDEXED BY cases_board WHERE {} \
         ORDER BY due_at IS NULL, due_at, id LIMIT {})",
        wanted.condition(),
        page.fetch()
    );
    let mut rows = wanted.cases(connection, sql).await?;
    rows.sort_by_key(|case| (case.due_at.is_none(), case.due_at, case.id));
    Ok(Page::cut(rows, page, urgent_key))
}

/// The due time and the id of the last case of the page before; one without a clock has no due time.
fn urgent_cursor(page: &PageRequest) -> Result<Option<(Option<i64>, i64)>> {
    let Some(text) = page.after.as_deref() else {
        return Ok(None);
    };
    let read = text.split_once(':').and_then(|(due, id)| {
        let due = match due {
            "" => None,
            due => Some(due.parse().ok()?),
        };
        Some((due, id.parse().ok()?))
    });
    read.map(Some).ok_or_else(|| {
        Failure::Invalid(Problem::new(
            "cursor",
            format!("\"{}\" is not a cursor of this list", quote(text)),
            "after",
            "take `next` from the page before, or leave `after` out",
        ))
    })
}

/// A column of the board.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// How many cases stand there, counted up to the limit.
    pub count: i64,
    /// How many of them are overdue, counted up to the limit.
    pub overdue: i64,
    /// The most urgent ones; `next` goes on in a list of the same filter by [`Order::Urgent`].
    pub cases: Page<Case>,
}

/// The open cases of a filter as a column of the board: the most urgent `cards`, and counts up to `count_max`. The filter's
/// own order is not asked.
///
/// # Errors
/// The store's own.
pub async fn column(
    connection: &mut Connection,
    filter: &CaseFilter,
    now: Timestamp,
    (cards, count_max): (u32, u32),
) -> Result<Column> {
    let most = i64::from(count_max);
    let open = CaseFilter {
        open: Some(true),
        ..filter.clone()
    };
    let (mut count, mut overdue) = (0, 0);
    for filter in each_place(&open) {
        let late = CaseFilter {
            overdue_at: Some(now),
            ..filter.clone()
        };
        for (filter, sum) in [(filter, &mut count), (late, &mut overdue)] {
            let wanted = Wanted::of(&filter);
            let sql = format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE {} LIMIT {most}) AS counted",
                open_from(&filter),
                wanted.condition()
            );
            *sum = most.min(*sum + wanted.count(connection, sql).await?);
        }
    }
    let page = PageRequest {
        after: None,
        limit: Some(cards),
    };
    let cases = urgent(connection, &open, &page).await?;
    Ok(Column {
        count,
        overdue,
        cases,
    })
}

/// Open cases of one state and workflow that hold the words of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stand {
    state: String,
    workflow: String,
    count: i64,
    overdue: i64,
    /// When they are due, and their ids, the most urgent first.
    urgent: Vec<(Option<i64>, i64)>,
}

/// The columns of a board whose filter asks for words (`text`): as [`column`] for each of `filters`, which differ by their places, or
/// by state and workflow, only. All are answered by one pass over the open cases, since each pass looks up all that hold the words.
///
/// # Errors
/// The store's own.
pub async fn columns_with_text(
    connection: &mut Connection,
    filters: &[CaseFilter],
    now: Timestamp,
    (cards, count_max): (u32, u32),
) -> Result<Vec<Column>> {
    let Some(first) = filters.first() else {
        return Ok(Vec::new());
    };
    let all = CaseFilter {
        state: None,
        workflow: None,
        places: None,
        ..first.clone()
    };
    let stands = stands(connection, &all, now, cards).await?;
    let page = PageRequest {
        after: None,
        limit: Some(cards),
    };
    let mut columns = Vec::new();
    for filter in filters {
        let here: Vec<_> = stands
            .iter()
            .filter(|stand| {
                let of =
                    |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
                of(&filter.state, &stand.state)
                    && of(&filter.workflow, &stand.workflow)
                    && filter.places.as_ref().is_none_or(|places| {
                        places
                            .iter()
                            .any(|place| place.holds(&stand.state, &stand.workflow))
                    })
            })
            .collect();
        let sum = |of: fn(&Stand) -> i64| here.iter().map(|&stand| of(stand)).sum::<i64>();
        let most = i64::from(count_max);
        let mut urgent: Vec<_> = here
            .iter()
            .flat_map(|stand| &stand.urgent)
            .copied()
            .collect();
        urgent.sort_by_key(|&(due, id)| (due.is_none(), due, id));
        urgent.truncate(usize::try_from(page.fetch()).unwrap_or(usize::MAX));
        let ids: Vec<i64> = urgent.into_iter().map(|(_, id)| id).collect();
        let mut rows = of_ids(connection, &ids).await?;
        rows.sort_by_key(|case| (case.due_at.is_none(), case.due_at, case.id));
        columns.push(Column {
            count: most.min(sum(|stand| stand.count)),
            overdue: most.min(sum(|stand| stand.overdue)),
            cases: Page::cut(rows, &page, urgent_key),
        });
    }
    Ok(columns)
}

/// Open cases that hold the words of a filter, by state and workflow, each with its `cards` most urgent ones and one more.
async fn stands(
    connection: &mut Connection,
    filter: &CaseFilter,
    now: Timestamp,
    cards: u32,
) -> Result<Vec<Stand>> {
    let mut wanted = Wanted::open_with_text(filter);
    let condition = wanted.condition();
    let late = wanted.value(Value::Number(now.micros()));
    let sql = format!(
        "SELECT state, workflow, id, due_at, total, late FROM (\
         SELECT state, workflow, id, due_at, \
         ROW_NUMBER() OVER (PARTITION BY state, workflow ORDER BY due_at IS NULL, due_at, id) AS n, \
         COUNT(*) OVER (PARTITION BY state, workflow) AS total, \
         SUM(CASE WHEN suspended_at IS NULL AND due_at < ${late} THEN 1 ELSE 0 END) OVER (PARTITION BY state, workflow) AS late \
         FROM cases INDEXED BY cases_board WHERE {condition}) AS placed \
         WHERE n <= {} ORDER BY state, workflow, n",
        i64::from(cards) + 1
    );
    let mut stands: Vec<Stand> = Vec::new();
    for row in wanted.rows(connection, sql).await? {
        let (state, workflow): (String, String) = (row.try_get("state")?, row.try_get("workflow")?);
        let one = (row.try_get("due_at")?, row.try_get("id")?);
        match stands.last_mut() {
            Some(last) if last.state == state && last.workflow == workflow => last.urgent.push(one),
            _ => stands.push(Stand {
                state,
                workflow,
                count: row.try_get("total")?,
                overdue: row.try_get("late")?,
                urgent: vec![one],
            }),
        }
    }
    Ok(stands)
}

async fn of_ids(connection: &mut Connection, ids: &[i64]) -> Result<Vec<Case>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted = Wanted::default();
    let places: Vec<String> = ids
        .iter()
        .map(|&id| format!("${}", wanted.value(Value::Number(id))))
        .collect();
    let sql = format!("SELECT * FROM cases WHERE id IN ({})", places.join(", "));
    wanted.cases(connection, sql).await
}

/// The states in which cases are open, by name.
///
/// # Errors
/// The store's own.
pub async fn open_states(connection: &mut Connection) -> Result<Vec<String>> {
    // From one state to the next in the index of states, instead of over every open case.
    Ok(sqlx::query_scalar::<Any, String>(
        "WITH RECURSIVE found(state) AS (SELECT MIN(state) FROM cases WHERE closed_at IS NULL \
         UNION ALL SELECT (SELECT MIN(state) FROM cases WHERE closed_at IS NULL AND state > found.state) \
         FROM found WHERE found.state IS NOT NULL) \
         SELECT state FROM found WHERE state IS NOT NULL ORDER BY state",
    )
    .fetch_all(connection)
    .await?)
}

/// The newest open case of a state.
///
/// # Errors
/// The store's own.
pub async fn newest_open(connection: &mut Connection, state: &str) -> Result<Option<Case>> {
    Ok(sqlx::query_as::<Any, Case>(
        "SELECT * FROM cases WHERE closed_at IS NULL AND state = $1 ORDER BY due_at DESC, id DESC LIMIT 1",
    )
    .bind(state)
    .fetch_optional(connection)
    .await?)
}

/// Cases within a box of degrees `[west, south, east, north]`, opened at or after `since`, newest first, at most `limit`.
///
/// # Errors
/// The store's own.
pub async fn near(
    connection: &mut Connection,
    [west, south, east, north]: [f64; 4],
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Case>> {
    let mut wanted = Wanted::default();
    wanted.real("lat >= ?", south);
    wanted.real("lat <= ?", north);
    wanted.real("lon >= ?", west);
    wanted.real("lon <= ?", east);
    // The plus keeps the index of places in use: few lie in the box, many are new.
    wanted.number("+created_at >= ?", since.micros());
    let sql = format!(
        "SELECT * FROM cases WHERE {} ORDER BY +id DESC LIMIT {limit}",
        wanted.condition()
    );
    wanted.cases(connection, sql).await
}

/// The parts of a case, oldest first.
///
/// # Errors
/// The store's own.
pub async fn children(connection: &mut Connection, parent_id: i64) -> Result<Vec<Case>> {
    Ok(
        sqlx::query_as::<Any, Case>("SELECT * FROM cases WHERE parent_id = $1 ORDER BY id")
            .bind(parent_id)
            .fetch_all(connection)
            .await?,
    )
}

/// Open cases whose next level of escalation is due, at most `limit`, the oldest first.
///
/// # Errors
/// The store's own.
pub async fn due_for_escalation(
    connection: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<i64>> {
    due(
        connection,
        "SELECT id FROM cases WHERE escalates_at IS NOT NULL AND escalates_at <= $1 \
         ORDER BY escalates_at LIMIT $2",
        now,
        limit,
    )
    .await
}

/// The ids that `sql` gives for a moment, at most so many.
async fn due(
    connection: &mut Connection,
    sql: &'static str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<i64>> {
    let query = sqlx::query_scalar::<Any, i64>(sql).bind(now.micros());
    Ok(query.bind(i64::from(limit)).fetch_all(connection).await?)
}

/// Open cases whose clocks stood until now, at most `limit`, the oldest first.
///
/// # Errors
/// The store's own.
pub async fn due_for_resumption(
    connection: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<i64>> {
    due(
        connection,
        "SELECT id FROM cases WHERE suspended_until IS NOT NULL AND suspended_until <= $1 \
         ORDER BY suspended_until LIMIT $2",
        now,
        limit,
    )
    .await
}

/// Cases that had not ended before `from` and were opened before `until`, those of drills left out, by id, after `after`, at
/// most `limit`.
///
/// # Errors
/// The store's own.
pub async fn of_period(
    connection: &mut Connection,
    from: Timestamp,
    until: Timestamp,
    after: i64,
    limit: u32,
) -> Result<Vec<Case>> {
    Ok(sqlx::query_as::<Any, Case>(
        "SELECT * FROM cases WHERE id > $1 AND created_at < $2 AND source <> 'drill' \
         AND (closed_at IS NULL OR closed_at >= $3) ORDER BY id LIMIT $4",
    )
    .bind(after)
    .bind(until.micros())
    .bind(from.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}
