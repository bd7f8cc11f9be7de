//! What the platform knows of a data element (数据元), town by town or village by village, and where each value comes from.

use crate::app::App;
use crate::dead_letters::ProblemDetail;
use crate::error::Answer;
use city::{City, Division};
use jiff::civil::Date;
use model::{Problem, Timestamp};
use pack::Packs;
use pack::forms::{Datatype, Element, Origin, Per};
use records::form_returns;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

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
    fn of_rows(element: &Element, columns: &[String], rows: Vec<Vec<Value>>, place: &str) -> Self {
        let code = element.per.code_column();
        let wrong = |what: String, mend: &str| Self {
            problem: Some(Problem::new("element-value", what, place, mend)),
            ..Self::default()
        };
        let at = |name: &str| columns.iter().position(|column| column == name);
        let (Some(code_at), Some(value_at)) = (at(code), at("value")) else {
            let what = format!("the statement gives {}", columns.join(", "));
            return wrong(what, "give the division's code and value");
        };
        let mut known = Self::default();
        for mut row in rows {
            let (Some(code), true) = (
                row.get(code_at).and_then(Value::as_str).map(str::to_owned),
                row.len() > value_at,
            ) else {
                continue;
            };
            let value = row.swap_remove(value_at);
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
            if known.values.insert(code.clone(), value).is_some() {
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
    /// What is known of an element, in every division. A statement that fails is a problem of the element, not of who asks.
    pub(crate) async fn known(&self, packs: &Packs, element: &Element) -> Answer<Known> {
        let now = self.now();
        let (sql, place) = match element.origin() {
            Some(Origin::Form(form)) => return self.asked_before(form, element, now).await,
            Some(Origin::Indicator(id)) => {
                let indicator = packs.indicators.iter().find(|i| i.id == id);
                indicator.map_or_else(
                    || (None, element.place.clone()),
                    |i| {
                        let place = format!("{}:{}", i.file, i.towns_sql_line);
                        (Some(i.towns_sql.clone()), place)
                    },
                )
            }
            _ => (element.statement(), element.place.clone()),
        };
        let Some(sql) = sql else {
            return Ok(Known::default());
        };
        let limits = &self.options.sql_limits;
        let catalogue = self.ingest.catalogue();
        let asked = self
            .lake
            .query(&sql, limits, self.tables.clone(), &catalogue)
            .await;
        let mut known = match asked {
            Ok(answer) => {
                let columns: Vec<String> = answer.columns.iter().map(|c| c.name.clone()).collect();
                Known::of_rows(element, &columns, answer.rows, &place)
            }
            Err(problem) => {
                tracing::warn!(element = element.id, %problem, "a data element could not be read");
                Known {
                    problem: Some(problem),
                    ..Known::default()
                }
            }
        };
        known.at = now;
        let is_added_up = element.datatype != Datatype::Text
            && element.datatype != Datatype::Boolean
            && element.unit_zh != "%";
        if element.per == Per::Town && is_added_up {
            known.merge(&self.city, self.plan.day(now));
        }
        Ok(known)
    }

    /// What another form asked, of the newest period that each division handed in.
    async fn asked_before(&self, form: &str, element: &Element, now: Timestamp) -> Answer<Known> {
        let mut read = self.records.read().await?;
        let rows = form_returns::latest_values(&mut read, form, &element.id).await?;
        let mut known = Known {
            at: now,
            ..Known::default()
        };
        for row in rows {
            let value = match element.datatype {
                Datatype::Text => json!(row.value_text),
                Datatype::Boolean => json!(row.value.map(|value| value != 0.0)),
                Datatype::Integer | Datatype::Number => json!(row.value),
            };
            if !value.is_null() {
                known.values.insert(row.division_code.clone(), value);
            }
            let reported = (row.period, row.reported_at);
            known.reported.insert(row.division_code, reported);
        }
        Ok(known)
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
        let element = packs.element("town-charging-capacity").unwrap();
        let columns = |names: [&str; 2]| names.map(str::to_owned);
        let of = |names: [&str; 2], rows: &[(Value, Value)]| {
            let rows = rows
                .iter()
                .map(|(code, value)| vec![code.clone(), value.clone()]);
            Known::of_rows(element, &columns(names), rows.collect(), "p:1")
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
}
