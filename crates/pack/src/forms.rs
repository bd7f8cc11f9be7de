//! Fill once (一表同享): data elements (数据元) and reporting forms (报表), as packs declare them in `elements.toml` and `returns/*.toml`.
//! Terms are those of GB/T 18391 (ISO/IEC 11179): an element says what is meant, in which unit and of what, and has exactly one origin.
//! Every field of a form is bound to an element. It is asked of people only where the element's origin is that form; any other is
//! filled in by the platform. What does not fit is told by [`mistakes`].

mod known;
mod mistakes;

pub(crate) use mistakes::mistakes;

use indicators::reports::{Every, Period};
use jiff::ToSpan as _;
use jiff::civil::Date;
use model::Told;
use model::problem::{both, number, quote};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The file of a pack's data elements.
pub const ELEMENTS: &str = "elements.toml";
/// The folder of a pack's forms.
pub const FOLDER: &str = "returns/";
/// Most fields of a form: more nobody fills in on a phone.
pub const FIELDS_MAX: usize = 60;
/// Longest text that a field takes, in characters.
pub const TEXT_CHARS_MAX: usize = 500;
/// Longest time from the end of a period until a form is due, in days.
pub const DUE_DAYS_MAX: u16 = 120;
/// Greatest number that a field takes, either way, where the form says none.
const NUMBER_MAX: f64 = 1e12;

/// `elements.toml`: one `[[element]]` each, and one `[[source]]` for each statement that several of them share.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElementsFile {
    /// Them all.
    #[serde(rename = "element", default)]
    pub all: Vec<Element>,
    /// What they share.
    #[serde(rename = "source", default)]
    pub sources: Vec<Source>,
}

/// A statement that several elements share, each with a column of its own: it is read once for all of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// As its elements name it, within the file.
    pub id: String,
    /// The statement, with the column of the division's code.
    pub sql: String,
}

impl ElementsFile {
    /// Gives each element the statement of the source that it names; what does not fit is answered by its place in the list, with why.
    pub(crate) fn join(&mut self) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        for (n, element) in self.all.iter_mut().enumerate() {
            let Some(id) = element.source.as_deref() else {
                continue;
            };
            let found = self.sources.iter().find(|source| source.id == id);
            match (found, &element.sql, &element.column) {
                (None, ..) => wrong.push((n, format!("there is no source {}", quote(id)))),
                (Some(_), Some(_), _) => wrong.push((
                    n,
                    format!("{} has a statement and a source", quote(&element.id)),
                )),
                (Some(_), None, None) => wrong.push((
                    n,
                    format!("{} names no column of its source", quote(&element.id)),
                )),
                (Some(source), None, Some(_)) => element.sql = Some(source.sql.clone()),
            }
        }
        wrong
    }
}

/// Of what an element is told, and who fills a form in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// Each town and street (乡镇、街道).
    Town,
    /// Each village and community (村、社区).
    Village,
}

impl Per {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Town => "town",
            Self::Village => "village",
        }
    }

    /// The column of a query that holds the division's code.
    pub const fn code_column(self) -> &'static str {
        match self {
            Self::Town => "town_code",
            Self::Village => "village_code",
        }
    }
}

/// What an element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datatype {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
    /// Yes or no.
    Boolean,
}

impl Datatype {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Boolean => "boolean",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// A data element (数据元).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// Unique in the city, kebab case.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// What is meant, in Chinese: what counts and what does not.
    pub definition_zh: String,
    /// The same in English.
    pub definition_en: String,
    /// What it holds.
    pub datatype: Datatype,
    /// Unit in Chinese; empty for none.
    #[serde(default)]
    pub unit_zh: String,
    /// Unit in English.
    #[serde(default)]
    pub unit_en: String,
    /// Of what it is told.
    pub per: Per,
    /// Origin: the towns' values of this indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// Origin: this statement, with the columns `town_code` (or `village_code`) and `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// Origin: a column of the statement that several elements of the file share, by the id of its `[[source]]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Origin: a column of this table, a department's or a declared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Which column, of the table or of the shared statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The column of the table that holds the division's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Origin: people, asked once, in this form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The organisation of the city profile that answers for the origin: what a town holds wrong is handed to it. Left out: the one that
    /// answers for the indicator, else the one that asks for the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// What it seems to be and is not, as the check names it, with why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub differs_from: BTreeMap<String, String>,
    /// `file:line`.
    #[serde(skip)]
    pub place: String,
}

/// Where an element's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The towns' values of an indicator.
    Indicator(&'a str),
    /// A statement.
    Sql(&'a str),
    /// A column of a table, and the column of the codes.
    Column {
        /// The table.
        table: &'a str,
        /// The column.
        column: &'a str,
        /// The column of the division's code.
        key: &'a str,
    },
    /// People, asked in a form.
    Form(&'a str),
}

impl Element {
    /// Every origin that it names; a right one names one.
    pub fn origins(&self) -> Vec<Origin<'_>> {
        let column = self.table.as_deref().map(|table| Origin::Column {
            table,
            column: self.column.as_deref().unwrap_or_default(),
            key: self.key.as_deref().unwrap_or_default(),
        });
        [
            self.indicator.as_deref().map(Origin::Indicator),
            self.sql.as_deref().map(Origin::Sql),
            column,
            self.form.as_deref().map(Origin::Form),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Its origin.
    pub fn origin(&self) -> Option<Origin<'_>> {
        self.origins().first().copied()
    }

    /// The column of its statement that holds the values.
    pub fn value_column(&self) -> &str {
        let shared = self.column.as_deref().filter(|_| self.table.is_none());
        shared.unwrap_or("value")
    }

    /// Whether people are asked for it, in that form.
    pub fn is_asked_in(&self, form: &str) -> bool {
        self.form.as_deref() == Some(form)
    }

    /// The statement that gives its values, where the platform keeps them in tables.
    pub fn statement(&self) -> Option<String> {
        match self.origin()? {
            Origin::Sql(sql) => Some(sql.to_owned()),
            Origin::Column { table, column, key } => {
                let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
                let code = self.per.code_column();
                Some(format!(
                    "SELECT {} AS {code}, {} AS value FROM {}",
                    name(key),
                    name(column),
                    name(table)
                ))
            }
            Origin::Indicator(_) | Origin::Form(_) => None,
        }
    }
}

const fn due_days() -> u16 {
    15
}

/// A reporting form (报表).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Unique in the city, kebab case.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Which document asks for it, in Chinese.
    pub basis_zh: String,
    /// The same in English.
    pub basis_en: String,
    /// The organisation of the city profile that asks for it.
    pub asked_by: String,
    /// Who fills it in.
    pub of: Per,
    /// How often.
    pub every: Every,
    /// How many days after a period's end it is due.
    #[serde(default = "due_days")]
    pub due_days: u16,
    /// The first period for which it is wanted.
    pub from: String,
    /// Place among the forms; lower comes first.
    #[serde(default)]
    pub order: u32,
    /// Its fields, in order.
    #[serde(rename = "field", default)]
    pub fields: Vec<Field>,
    /// `file:line`.
    #[serde(skip)]
    pub place: String,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The data element.
    #[serde(default)]
    pub element: Option<String>,
    /// Whether people are asked; else the platform fills it in.
    #[serde(default)]
    pub ask: bool,
    /// Whether what is asked must be answered.
    #[serde(default)]
    pub required: bool,
    /// Least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How it is filled in, in Chinese.
    #[serde(default)]
    pub help_zh: String,
    /// The same in English.
    #[serde(default)]
    pub help_en: String,
    /// `file:line`.
    #[serde(skip)]
    pub place: String,
}

impl Form {
    /// The period of that text.
    ///
    /// # Errors
    /// `report-period`; `form-period` for a period of another length.
    pub fn period(&self, text: &str) -> Result<Period, Told> {
        let period = Period::parse(text)?;
        if self.every.fits(&period) {
            return Ok(period);
        }
        let example = match self.every {
            Every::Year => "2026",
            Every::Quarter => "2026-Q3",
            Every::Month => "2026-09",
        };
        Err(Told::new(
            "form-period",
            both(
                format!("“{}”不是本表的报告期", quote(text)),
                format!("\"{}\" is no period of this form", quote(text)),
            ),
            both("报告期", "period"),
            both(
                format!("请写成 {example} 的样子"),
                format!("write it as {example}"),
            ),
        ))
    }

    /// The newest period that is over and for which the form is wanted.
    pub fn last_over(&self, today: Date) -> Option<Period> {
        let first = Period::parse(&self.from).ok()?;
        let newest = self.every.last_over(today)?;
        (newest.first() >= first.first()).then_some(newest)
    }

    /// The last day on which a period's form is in time.
    pub fn due_on(&self, period: &Period) -> Date {
        let last = period.last();
        last.checked_add(i64::from(self.due_days).days())
            .unwrap_or(last)
    }

    /// How many fields people are asked.
    pub fn asked(&self) -> usize {
        self.fields.iter().filter(|field| field.ask).count()
    }
}

impl Field {
    /// The element's id.
    pub fn element(&self) -> &str {
        self.element.as_deref().unwrap_or_default()
    }

    /// What somebody wrote as it is kept; `None` for nothing.
    ///
    /// # Errors
    /// `form-value`: another kind of value, or one outside the form's limits.
    pub fn read(&self, element: &Element, written: &Value) -> Result<Option<Value>, Told> {
        let wrong = |zh: String, en: String, mend_zh: String, mend_en: String| {
            Told::new(
                "form-value",
                both(
                    format!("{}：{zh}", element.name_zh),
                    format!("{}: {en}", element.name_en),
                ),
                both(element.name_zh.as_str(), element.id.as_str()),
                both(mend_zh, mend_en),
            )
        };
        let shown = quote(&match written {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        match (element.datatype, written) {
            (_, Value::Null) => Ok(None),
            (Datatype::Text, Value::String(text)) => {
                let text = text.trim();
                let chars = text.chars().count();
                if chars > TEXT_CHARS_MAX {
                    return Err(wrong(
                        format!("有 {chars} 个字"),
                        format!("it has {chars} characters"),
                        format!("请写到 {TEXT_CHARS_MAX} 个字以内"),
                        format!("write at most {TEXT_CHARS_MAX} characters"),
                    ));
                }
                Ok((chars > 0).then(|| Value::from(text)))
            }
            (Datatype::Boolean, Value::Bool(_)) => Ok(Some(written.clone())),
            (datatype, Value::Number(_)) if datatype.is_number() => {
                let value = written.as_f64().filter(|value| value.is_finite());
                let (min, max) = self.limits(element);
                let Some(value) = value.filter(|value| (min..=max).contains(value)) else {
                    let (low, high) = (number(min), number(max));
                    return Err(wrong(
                        format!("{shown} 不在 {low} 至 {high} 之间"),
                        format!("{shown} is not from {low} to {high}"),
                        format!("请填 {low} 至 {high} 的数"),
                        format!("write a number from {low} to {high}"),
                    ));
                };
                if datatype == Datatype::Integer && value.fract() != 0.0 {
                    return Err(wrong(
                        format!("{shown} 不是整数"),
                        format!("{shown} is no whole number"),
                        "请填整数".to_owned(),
                        "write a whole number".to_owned(),
                    ));
                }
                Ok(Some(Value::from(value)))
            }
            (datatype, _) => {
                let (zh, en) = match datatype {
                    Datatype::Integer => ("整数", "a whole number"),
                    Datatype::Number => ("数", "a number"),
                    Datatype::Text => ("文字", "a text"),
                    Datatype::Boolean => ("是或否", "yes or no"),
                };
                Err(wrong(
                    format!("{shown} 不是{zh}"),
                    format!("{shown} is not {en}"),
                    format!("请填{zh}"),
                    format!("write {en}"),
                ))
            }
        }
    }

    /// The least and the greatest number that it takes.
    pub fn limits(&self, element: &Element) -> (f64, f64) {
        let least = if element.unit_zh == "%" || element.datatype == Datatype::Integer {
            0.0
        } else {
            -NUMBER_MAX
        };
        let greatest = match element.unit_zh == "%" {
            true => 100.0,
            false => NUMBER_MAX,
        };
        (self.min.unwrap_or(least), self.max.unwrap_or(greatest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn element(datatype: Datatype, unit: &str) -> Element {
        let text = format!(
            "id = \"e\"\nname_zh = \"项\"\nname_en = \"E\"\ndefinition_zh = \"d\"\ndefinition_en = \"d\"\ndatatype = \"{}\"\nunit_zh = \"{unit}\"\nper = \"town\"\nform = \"f\"\n",
            datatype.as_str()
        );
        toml::from_str(&text).unwrap()
    }

    fn form(every: &str, from: &str) -> Form {
        let text = format!(
            "id = \"f\"\ntitle_zh = \"表\"\ntitle_en = \"F\"\nbasis_zh = \"b\"\nbasis_en = \"b\"\nasked_by = \"fagai\"\nof = \"town\"\nevery = \"{every}\"\nfrom = \"{from}\"\n[[field]]\nelement = \"e\"\nask = true\nmin = 1\n"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_written_is_read_by_the_element_and_the_limits() {
        let field = &form("year", "2025").fields[0];
        let read = |datatype, unit: &str, value: Value| {
            let told = field.read(&element(datatype, unit), &value);
            told.map_err(|told| told.what.zh.clone())
        };
        assert_eq!(
            read(Datatype::Integer, "个", json!(3)),
            Ok(Some(json!(3.0)))
        );
        assert_eq!(read(Datatype::Integer, "个", json!(null)), Ok(None));
        assert_eq!(read(Datatype::Text, "", json!("  ")), Ok(None));
        assert_eq!(
            read(Datatype::Text, "", json!(" 好 ")),
            Ok(Some(json!("好")))
        );
        for (datatype, unit, value, said) in [
            (Datatype::Integer, "个", json!(2.5), "项：2.5 不是整数"),
            (
                Datatype::Integer,
                "个",
                json!(0),
                "项：0 不在 1 至 1000000000000 之间",
            ),
            (
                Datatype::Number,
                "%",
                json!(101),
                "项：101 不在 1 至 100 之间",
            ),
            (Datatype::Number, "%", json!("5"), "项：5 不是数"),
            (Datatype::Boolean, "", json!("yes"), "项：yes 不是是或否"),
            (
                Datatype::Text,
                "",
                json!("字".repeat(501)),
                "项：有 501 个字",
            ),
        ] {
            assert_eq!(read(datatype, unit, value), Err(said.to_owned()));
        }
    }

    #[test]
    fn a_form_is_due_so_many_days_after_its_newest_period() {
        let form = form("quarter", "2026-Q1");
        let day = |text: &str| text.parse::<Date>().unwrap();
        let over = |today: &str| form.last_over(day(today)).map(|p| p.as_str().to_owned());
        assert_eq!(over("2026-03-31"), None);
        assert_eq!(over("2026-04-01"), Some("2026-Q1".to_owned()));
        let period = form.period("2026-Q1").unwrap();
        assert_eq!(form.due_on(&period), day("2026-04-15"));
        assert_eq!(form.period("2026-04").unwrap_err().code, "form-period");
        assert_eq!(form.period("x").unwrap_err().code, "report-period");
    }

    #[test]
    fn several_elements_share_a_statement_by_its_columns() {
        let of = |id: &str, more: &str| {
            format!(
                "[[element]]\nid = \"{id}\"\nname_zh = \"项\"\nname_en = \"E\"\ndefinition_zh = \"d\"\ndefinition_en = \"d\"\n\
                 datatype = \"integer\"\nper = \"town\"\n{more}\n"
            )
        };
        let text = [
            "[[source]]\nid = \"things\"\nsql = \"SELECT 1\"\n".to_owned(),
            of("a", "source = \"things\"\ncolumn = \"lights\""),
            of("b", "source = \"others\"\ncolumn = \"lights\""),
            of("c", "source = \"things\""),
            of(
                "d",
                "source = \"things\"\ncolumn = \"x\"\nsql = \"SELECT 2\"",
            ),
            of("e", "sql = \"SELECT 3\""),
        ];
        let mut file: ElementsFile = toml::from_str(&text.concat()).unwrap();
        let wrong = file.join();
        assert_eq!(wrong.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2, 3]);
        let shared = &file.all[0];
        assert_eq!(shared.statement().unwrap(), "SELECT 1");
        assert_eq!(shared.value_column(), "lights");
        assert_eq!(file.all[4].value_column(), "value");
    }

    #[test]
    fn a_column_is_asked_for_by_its_names() {
        let mut element = element(Datatype::Integer, "户");
        element.form = None;
        element.table = Some("dept_broadband".into());
        element.column = Some("户\"数".into());
        element.key = Some("code".into());
        assert_eq!(
            element.statement().unwrap(),
            "SELECT \"code\" AS town_code, \"户\"\"数\" AS value FROM \"dept_broadband\""
        );
    }
}
