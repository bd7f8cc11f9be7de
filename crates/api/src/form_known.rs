//! What the platform knows of a data element (数据元), town by town or village by village, and where each value comes from. Sources are
//! read several at a time, each once however many elements it gives, and each within a time of its own.

use crate::app::App;
use crate::dead_letters::ProblemDetail;
use crate::error::Answer;
use city::{City, Division};
use futures::StreamExt as _;
use jiff::civil::Date;
use model::{Problem, Timestamp};
use pack::Packs;
use pack::forms::{Datatype, Element, Origin, Per};
use records::form_returns;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use utoipa::ToSchema;

/// How sources are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most sources that one form reads at a time.
    pub sources_at_once: usize,
    /// Longest time for one source; a field whose source takes longer is shown without a value and says so.
    pub source_time_max: Duration,
}

/// Where a value comes from that nobody has to write.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormSource)]
pub struct SourceBody {
    /// `indicator`, `query`, `table` or `form`.
    pub kind: String,
    /// What it is, in Chinese.
    pub title_zh: String,
    /// What it is, in English.
    pub title_en: String,
    /// The indicator whose value for the town it is.
    pub indicator: Option<String>,
    /// The form in which it was asked.
    pub form: Option<String>,
    /// The period of that form.
    pub period: Option<String>,
    /// The statement that gives it.
    pub sql: Option<String>,
    /// Where it is declared: `file:line`.
    pub place: String,
    /// When it was read; of what another form asked, when that was handed in.
    pub at: String,
    /// Why it could not be read, if it could not.
    pub problem: Option<ProblemDetail>,
}

/// A value that the platform filled in, as it is kept with the form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Filled {
    /// The data element.
    pub element: String,
    /// The value; null where there was none.
    pub value: Value,
    /// `indicator:…`, `query`, `table:…`, `form:…`.
    pub origin: String,
    /// When it was read, or handed in.
    pub at: String,
    /// The period of the form that asked for it.
    pub period: Option<String>,
    /// Why its source could not be read, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// The case of the dispute under which it was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputed: Option<i64>,
}

impl Filled {
    /// Why it could not be read, as a problem of its element.
    pub(crate) fn problem(&self, place: &str) -> Option<Problem> {
        let what = self.unread.as_deref()?;
        Some(unread("element-unread", what, place))
    }
}

fn unread(code: &str, what: impl Into<String>, place: &str) -> Problem {
    Problem::new(
        code,
        what,
        place,
        "read the form again later, or tell whoever answers for the source",
    )
}

/// Why a source gave nothing: one that took too long is told with its limit.
fn of_source(problem: &Problem, limit: Duration, place: &str) -> Problem {
    if problem.code != "sql-time" {
        return problem.clone();
    }
    let seconds = limit.as_secs_f64();
    let what = format!("the source did not answer within {seconds} s");
    unread("element-late", what, place)
}

/// What is read once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// A statement.
    Statement(String),
    /// Columns of a table, by the column of the division's code.
    Table {
        table: String,
        key: String,
        per: Per,
    },
    /// What people were asked in a form.
    Form(String),
}

/// The names of columns, and the rows.
type Rows = (Vec<String>, Vec<Vec<Value>>);

/// An element that a source gives.
#[derive(Clone, Debug)]
struct Wanted {
    element: Element,
    /// The column of its values.
    column: String,
    /// Where the source is declared.
    place: String,
}

/// The sources of elements, each with what it gives. An element whose indicator is gone has none.
fn sources(packs: &Packs, elements: &[&Element]) -> BTreeMap<Source, Vec<Wanted>> {
    let mut all: BTreeMap<Source, Vec<Wanted>> = BTreeMap::new();
    for element in elements {
        let mut wanted = Wanted {
            element: (*element).clone(),
            column: element.value_column().to_owned(),
            place: element.place.clone(),
        };
        let source = match element.origin() {
            Some(Origin::Form(form)) => Source::Form(form.to_owned()),
            Some(Origin::Indicator(id)) => {
                let Some(indicator) = packs.indicators.iter().find(|i| i.id == id) else {
                    continue;
                };
                wanted.place = format!("{}:{}", indicator.file, indicator.towns_sql_line);
                Source::Statement(indicator.towns_sql.clone())
            }
            Some(Origin::Sql(sql)) => Source::Statement(sql.to_owned()),
            Some(Origin::Column { table, column, key }) => {
                column.clone_into(&mut wanted.column);
                Source::Table {
                    table: table.to_owned(),
                    key: key.to_owned(),
                    per: element.per,
                }
            }
            None => continue,
        };
        let given = all.entry(source).or_default();
        if !given.iter().any(|w| w.element.id == element.id) {
            given.push(wanted);
        }
    }
    all
}

impl Source {
    /// The statement that reads it for these elements; `None` for what people were asked.
    fn statement(&self, wanted: &[Wanted]) -> Option<String> {
        match self {
            Self::Statement(sql) => Some(sql.clone()),
            Self::Table { table, key, per } => {
                let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
                let columns = wanted.iter().map(|w| name(&w.column));
                let columns: BTreeSet<String> = columns.collect();
                let columns: Vec<String> = columns.into_iter().collect();
                Some(format!(
                    "SELECT {} AS {}, {} FROM {}",
                    name(key),
                    per.code_column(),
                    columns.join(", "),
                    name(table)
                ))
            }
            Self::Form(_) => None,
        }
    }
}

/// What is known of one element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The value of each division.
    values: BTreeMap<String, Value>,
    /// Of what a form asked: the period, and when it was handed in.
    reported: BTreeMap<String, (String, Timestamp)>,
    /// Why it could not be read.
    pub problem: Option<Problem>,
    at: Timestamp,
}

impl Known {
    /// The value of a division; null where there is none.
    pub(crate) fn value(&self, division: &str) -> Value {
        self.values.get(division).cloned().unwrap_or(Value::Null)
    }

    /// The value of a division as it is kept.
    pub(crate) fn filled(&self, element: &Element, division: &str) -> Filled {
        let reported = self.reported.get(division);
        Filled {
            element: element.id.clone(),
            value: self.value(division),
            origin: origin_word(element),
            at: reported.map_or(self.at, |(_, at)| *at).to_string(),
            period: reported.map(|(period, _)| period.clone()),
            unread: self.problem.as_ref().map(|problem| problem.what.clone()),
            disputed: None,
        }
    }

    /// What is kept under the code of a town that was merged counts for the one that it was merged into.
    fn merge(&mut self, city: &City, day: Date) {
        let former = self.values.keys().filter_map(|code| {
            let Division::Former { town, .. } = city.division(code, day) else {
                return None;
            };
            Some((code.clone(), town.code.clone()))
        });
        let former: Vec<(String, String)> = former.collect();
        for (code, into) in former {
            let value = self.values.remove(&code).and_then(|v| v.as_f64());
            let held = self.values.get(&into).and_then(Value::as_f64);
            let sum = value.unwrap_or_default() + held.unwrap_or_default();
            self.values.insert(into, json!(sum));
        }
    }

    /// From the rows of a statement with the columns of the code and of the value.
    fn of_rows(wanted: &Wanted, columns: &[String], rows: &[Vec<Value>]) -> Self {
        let Wanted {
            element,
            column,
            place,
        } = wanted;
        let code = element.per.code_column();
        let wrong = |what: String, mend: &str| Self {
            problem: Some(Problem::new("element-value", what, place.as_str(), mend)),
            ..Self::default()
        };
        let at = |name: &str| columns.iter().position(|column| column == name);
        let (Some(code_at), Some(value_at)) = (at(code), at(column)) else {
            let what = format!("the statement gives {}", columns.join(", "));
            return wrong(what, "give the division's code and value");
        };
        let mut known = Self::default();
        for row in rows {
            let code = row.get(code_at).and_then(Value::as_str);
            let (Some(code), Some(value)) = (code, row.get(value_at)) else {
                continue;
            };
            let fits = match element.datatype {
                Datatype::Integer | Datatype::Number => value.is_number(),
                Datatype::Text => value.is_string(),
                Datatype::Boolean => value.is_boolean(),
            };
            if value.is_null() {
                continue;
            }
            if !fits {
                let what = format!("the statement gives {value} for {code}");
                return wrong(what, "CAST it to what the element holds");
            }
            let before = known.values.insert(code.to_owned(), value.clone());
            if before.is_some() {
                let what = format!("the statement gives {code} twice");
                return wrong(what, "GROUP BY the code");
            }
        }
        known
    }
}

/// The word of an element's origin.
fn origin_word(element: &Element) -> String {
    match element.origin() {
        Some(Origin::Indicator(id)) => format!("indicator:{id}"),
        Some(Origin::Sql(_)) | None => "query".to_owned(),
        Some(Origin::Column { table, column, .. }) => format!("table:{table}.{column}"),
        Some(Origin::Form(form)) => format!("form:{form}"),
    }
}

/// Where a filled value comes from, as people are told.
pub(crate) fn source(
    packs: &Packs,
    element: &Element,
    filled: &Filled,
    problem: Option<&Problem>,
) -> SourceBody {
    let mut body = SourceBody {
        kind: "query".to_owned(),
        title_zh: element.definition_zh.clone(),
        title_en: element.definition_en.clone(),
        indicator: None,
        form: None,
        period: None,
        sql: element.statement(),
        place: element.place.clone(),
        at: filled.at.clone(),
        problem: problem.cloned().map(Into::into),
    };
    match element.origin() {
        Some(Origin::Indicator(id)) => {
            "indicator".clone_into(&mut body.kind);
            body.indicator = Some(id.to_owned());
            if let Some(indicator) = packs.indicators.iter().find(|i| i.id == id) {
                body.title_zh.clone_from(&indicator.name_zh);
                body.title_en.clone_from(&indicator.name_en);
                body.sql = Some(indicator.towns_sql.clone());
                body.place = format!("{}:{}", indicator.file, indicator.towns_sql_line);
            }
        }
        Some(Origin::Column { .. }) => "table".clone_into(&mut body.kind),
        Some(Origin::Form(id)) => {
            "form".clone_into(&mut body.kind);
            body.form = Some(id.to_owned());
            body.period.clone_from(&filled.period);
            if let Some(form) = packs.form(id) {
                body.title_zh.clone_from(&form.title_zh);
                body.title_en.clone_from(&form.title_en);
                body.place.clone_from(&form.place);
            }
        }
        Some(Origin::Sql(_)) | None => {}
    }
    body
}

impl App {
    /// What is known of elements by their ids, in every division. A source that fails or takes too long is a problem of its elements, not
    /// of who asks.
    pub(crate) async fn known(
        &self,
        packs: &Packs,
        elements: &[&Element],
    ) -> Answer<BTreeMap<String, Known>> {
        let reading: Vec<_> = sources(packs, elements)
            .into_iter()
            .map(|(source, wanted)| {
                let app = self.clone();
                async move { app.read_source(&source, wanted).await }
            })
            .collect();
        let at_once = self.options.forms.sources_at_once.max(1);
        let mut reading = futures::stream::iter(reading).buffer_unordered(at_once);
        let mut all = BTreeMap::new();
        while let Some(known) = reading.next().await {
            all.extend(known?);
        }
        Ok(all)
    }

    /// Reads a source for the elements that it gives.
    async fn read_source(
        &self,
        source: &Source,
        wanted: Vec<Wanted>,
    ) -> Answer<Vec<(String, Known)>> {
        let now = self.now();
        let sql = match source {
            Source::Form(form) => return self.asked_before(form, wanted, now).await,
            other => other.statement(&wanted).unwrap_or_default(),
        };
        let rows = match self.rows_of(&sql).await {
            // One column that is not there does not take the others with it.
            Err(_) if matches!(source, Source::Table { .. }) && wanted.len() > 1 => {
                let mut all = Vec::new();
                for one in wanted {
                    let one = vec![one];
                    let sql = source.statement(&one).unwrap_or_default();
                    let rows = self.rows_of(&sql).await;
                    all.extend(self.known_of_rows(one, &rows, now));
                }
                return Ok(all);
            }
            rows => rows,
        };
        Ok(self.known_of_rows(wanted, &rows, now))
    }

    /// The columns and rows of a statement.
    async fn rows_of(&self, sql: &str) -> Result<Rows, Problem> {
        let options = &self.options.forms;
        let limits = lake::Limits {
            time_max: self
                .options
                .sql_limits
                .time_max
                .min(options.source_time_max),
            ..self.options.sql_limits.clone()
        };
        let catalogue = self.ingest.catalogue();
        let tables = self.tables.clone();
        let asked = self.lake.query(sql, &limits, tables, &catalogue).await?;
        let columns = asked.columns.into_iter().map(|c| c.name).collect();
        Ok((columns, asked.rows))
    }

    fn known_of_rows(
        &self,
        wanted: Vec<Wanted>,
        rows: &Result<Rows, Problem>,
        now: Timestamp,
    ) -> Vec<(String, Known)> {
        let known = wanted.into_iter().map(|wanted| {
            let mut known = match rows {
                Ok((columns, rows)) => Known::of_rows(&wanted, columns, rows),
                Err(problem) => {
                    let element = &wanted.element.id;
                    tracing::warn!(element, %problem, "a data element could not be read");
                    let limit = self.options.forms.source_time_max;
                    let problem = of_source(problem, limit, &wanted.place);
                    Known {
                        problem: Some(problem),
                        ..Known::default()
                    }
                }
            };
            known.at = now;
            let element = wanted.element;
            let is_added_up = element.datatype != Datatype::Text
                && element.datatype != Datatype::Boolean
                && element.unit_zh != "%";
            if element.per == Per::Town && is_added_up {
                known.merge(&self.city, self.plan.day(now));
            }
            (element.id, known)
        });
        known.collect()
    }

    /// What another form asked, of the newest period that each division handed in.
    async fn asked_before(
        &self,
        form: &str,
        wanted: Vec<Wanted>,
        now: Timestamp,
    ) -> Answer<Vec<(String, Known)>> {
        let mut read = self.records.read().await?;
        let rows = form_returns::latest_values(&mut read, form, None).await?;
        drop(read);
        let known = wanted.into_iter().map(|wanted| {
            let element = wanted.element;
            let mut known = Known {
                at: now,
                ..Known::default()
            };
            for row in rows.iter().filter(|row| row.element == element.id) {
                let value = match element.datatype {
                    Datatype::Text => json!(row.value_text),
                    Datatype::Boolean => json!(row.value.map(|value| value != 0.0)),
                    Datatype::Integer | Datatype::Number => json!(row.value),
                };
                let code = row.division_code.clone();
                if !value.is_null() {
                    known.values.insert(code.clone(), value);
                }
                let reported = (row.period.clone(), row.reported_at);
                known.reported.insert(code, reported);
            }
            (element.id, known)
        });
        Ok(known.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_merged_town_had_counts_for_its_successor() {
        let mut city = City::embedded("tianmen").unwrap();
        let into = city.towns[0].code.clone();
        city.successions.push(city::Succession {
            code: "429006199".into(),
            name: "某某镇".into(),
            into: into.clone(),
            on: Date::constant(2024, 5, 1),
        });
        let values = [
            ("429006199", json!(3)),
            (into.as_str(), json!(2)),
            ("429006998", json!(9)),
        ];
        let mut known = Known {
            values: values.map(|(code, value)| (code.to_owned(), value)).into(),
            ..Known::default()
        };
        let before = known.clone();
        known.merge(&city, Date::constant(2024, 4, 30));
        assert_eq!(known.values, before.values);
        known.merge(&city, Date::constant(2024, 5, 1));
        assert_eq!(known.value(&into), json!(5.0));
        assert_eq!(known.value("429006199"), Value::Null);
        assert_eq!(known.value("429006998"), json!(9));
    }

    #[test]
    fn rows_that_make_no_sense_are_a_problem_of_the_element() {
        let packs = Packs::load_all(pack::embedded(), None).unwrap();
        let wanted = Wanted {
            element: packs.element("town-charging-capacity").unwrap().clone(),
            column: "value".to_owned(),
            place: "p:1".to_owned(),
        };
        let columns = |names: [&str; 2]| names.map(str::to_owned);
        let of = |names: [&str; 2], rows: &[(Value, Value)]| {
            let rows = rows
                .iter()
                .map(|(code, value)| vec![code.clone(), value.clone()]);
            let rows: Vec<Vec<Value>> = rows.collect();
            Known::of_rows(&wanted, &columns(names), &rows)
        };
        let named = ["town_code", "value"];
        let good = of(
            named,
            &[
                (json!("1"), json!(2)),
                (json!("2"), json!(null)),
                (json!(null), json!(3)),
            ],
        );
        assert_eq!((good.value("1"), good.value("2")), (json!(2), Value::Null));
        assert!(good.problem.is_none());
        for bad in [
            of(["code", "value"], &[]),
            of(named, &[(json!("1"), json!("two"))]),
            of(named, &[(json!("1"), json!(2)), (json!("1"), json!(3))]),
        ] {
            assert_eq!(bad.problem.unwrap().code, "element-value");
        }
    }

    #[test]
    fn a_source_is_read_once_for_all_that_it_gives() {
        let packs = Packs::load_all(pack::embedded(), None).unwrap();
        let form = packs.form("town-progress").unwrap();
        let filled = form.fields.iter().filter(|field| !field.ask);
        let elements: Vec<&Element> = filled
            .filter_map(|field| packs.element(field.element()))
            .collect();
        // Asked for twice, one is still read once.
        let twice = [elements.clone(), elements.clone()].concat();
        let found = sources(&packs, &twice);
        let given: usize = found.values().map(Vec::len).sum();
        assert_eq!(given, elements.len());
        assert!(found.len() < elements.len(), "{:?}", found.keys());
        let shared = found.values().find(|wanted| wanted.len() > 1).unwrap();
        assert!(shared.iter().all(|w| w.column != "value"));

        let column = |id: &str, column: &str| Wanted {
            element: Element {
                id: id.to_owned(),
                ..elements[0].clone()
            },
            column: column.to_owned(),
            place: "p:1".to_owned(),
        };
        let table = Source::Table {
            table: "dept_broadband".to_owned(),
            key: "代码".to_owned(),
            per: Per::Village,
        };
        let wanted = [
            column("a", "户数"),
            column("b", "带\"宽"),
            column("c", "户数"),
        ];
        assert_eq!(
            table.statement(&wanted).unwrap(),
            "SELECT \"代码\" AS village_code, \"带\"\"宽\", \"户数\" FROM \"dept_broadband\""
        );
    }

    #[test]
    fn a_source_that_takes_too_long_is_told_with_its_limit_and_kept_so() {
        let limit = Duration::from_secs(10);
        let slow = Problem::new("sql-time", "the query took longer", "query", "ask less");
        let late = of_source(&slow, limit, "p:1");
        assert_eq!(
            (late.code.as_str(), late.place.as_str()),
            ("element-late", "p:1")
        );
        assert!(late.what.contains("10 s"), "{late}");
        let other = Problem::new("sql-table-unknown", "no table t", "query", "name one");
        assert_eq!(of_source(&other, limit, "p:1"), other);

        let packs = Packs::load_all(pack::embedded(), None).unwrap();
        let element = packs.element("town-streetlights").unwrap();
        let known = Known {
            problem: Some(late.clone()),
            ..Known::default()
        };
        let kept = json!(known.filled(element, "429006001"));
        let kept: Filled = serde_json::from_value(kept).unwrap();
        assert_eq!(kept.problem("p:1").unwrap().what, late.what);
        // What was kept before shape 17 says nothing of it.
        let before = json!({"element": "e", "value": 1, "origin": "query", "at": "2026-01-01T00:00:00Z", "period": null});
        let before: Filled = serde_json::from_value(before).unwrap();
        assert_eq!((before.problem("p:1"), before.disputed), (None, None));
    }
}
