//! The grammar of a step, in Chinese and English. Names and codes stand in backticks, words of people in quotation marks.
//!
//! ```text
//! 给定 / Given    时间 `2026-07-01T08:00:00+08:00`                     the time `…`
//!                 实体 `ID`：VALUES                                   the entity `ID`: VALUES
//!                 人员 `NAME` 部门 `ORG` 权限 `WORD` `WORD`            the person `NAME` of `ORG` who may `WORD` `WORD`
//! 当 / When       `ID` 报告 VALUES 并保持 60 秒                       `ID` reports VALUES and stays for 60 seconds
//!                 `ID` 依次报告  (table: 经过 | attribute UNIT …)       `ID` reports in turn  (table: after | …)
//!                 过 15 分钟                                          15 minutes pass
//!                 `NAME` 由告警 `RULE` 开出事件                        `NAME` opens a case from the alert `RULE`
//!                 `NAME` 按 `WORKFLOW` 开出事件 `CASE` 类别 `CODE` 地点 113.1 30.6 标题 “…”
//!                                                                    `NAME` opens the case `CASE` with `WORKFLOW` of the class `CODE`
//!                                                                    at 113.1 30.6 titled "…"
//!                 `NAME` 对事件 `ACTION` 部门 `ORG` 人员 `WHO` 附言 “…” 附照片
//!                                                                    `NAME` does `ACTION` to the case for the department `ORG`
//!                                                                    for the person `WHO` saying "…" with a photo
//!                 `NAME` 对事件 `CASE` 做 `ACTION` 附录音 附文件 附签名 “…” 时长 2 小时 直到 `TIME` 重复 `CASE` 分给 `ORG` `ORG`
//!                                                                    `NAME` does `ACTION` to the case `CASE` with a voice note
//!                                                                    with a document with the signature of "…" for 2 hours
//!                                                                    until `TIME` repeating `CASE` in parts for `ORG` `ORG`
//! 则 / Then       出现告警 `RULE` 重要 实体 `ID` 标题 “…”              the alert `RULE` is raised: major on `ID` titled "…"
//!                 告警 `RULE` 解除 实体 `ID`                           the alert `RULE` is cleared on `ID`
//!                 告警 `RULE` 仍在                                    the alert `RULE` is still up
//!                 规则 `RULE` 无法判断 `CODE` 实体 `ID`                the rule `RULE` cannot judge: `CODE` on `ID`
//!                 没有告警变化                                        no alert changes
//!                 事件 [`CASE`] 在 `STATE`                            the case [`CASE`] is in `STATE`
//!                 …时限 `TIME`；全案时限 `TIME`                        … is due at `TIME`; is due as a whole at `TIME`
//!                 …还剩 20 分钟；超期 [10 分钟]；未超期                 … has 20 minutes left; is overdue [by 10 minutes]; is not overdue
//!                 …上一步超时；上一步按时                              … was moved late; was moved in time
//!                 …升级到第 1 级                                      … is escalated to level 1
//!                 …挂账到 `TIME`；恢复计时                             … is suspended until `TIME`; runs again
//!                 …督办到 `TIME`；没有督办                             … is supervised until `TIME`; is not supervised
//!                 …疑似重复 `CASE`；没有疑似重复                        … may repeat `CASE`; may repeat none
//!                 …有 2 人反映                                        … has 2 reporters
//!                 被拒绝 `CODE`                                       it is refused: `CODE`
//! 并且 / And      goes on with the kind of the step before it; it changes nothing
//! ```
//! VALUES: `` `waterLevel` 29.31 MTR ``, separated by commas; a number with or without the code of its unit, `true`, `false`,
//! 是, 否, or text in backticks or quotation marks. Or a table below the step: attribute | value | unit. Or a JSON object in
//! a fenced block, whose values are those of the NGSI-LD simplified form.

pub mod cases;

use self::cases::{Doing, Opening, Standing};
use model::{EntityId, Geometry, Timestamp, Value};
use rules::Severity;

/// What a step says.
#[derive(Clone, Debug, PartialEq)]
pub enum Sentence {
    /// The simulated clock stands at this time.
    Time(Timestamp),
    /// An entity with what is known of it, or what it reports now; then the values stay for some seconds.
    Reports {
        /// The entity.
        entity: EntityId,
        /// The values.
        values: Vec<Stated>,
        /// Seconds that pass afterwards with nothing new.
        then_seconds: i64,
    },
    /// An entity reports several times.
    Series {
        /// The entity.
        entity: EntityId,
        /// Seconds after the step's beginning, ascending, and what is reported then.
        rows: Vec<(i64, Vec<Stated>)>,
    },
    /// A person there is.
    Person {
        /// The name that other steps use.
        name: String,
        /// The department's id.
        organisation: Option<String>,
        /// Permission words.
        permissions: Vec<String>,
    },
    /// Seconds pass.
    Pass(i64),
    /// A person opens a case.
    Open(Opening),
    /// A person does something to a case.
    Act(Doing),
    /// An alert is raised.
    Raised {
        /// The rule.
        rule: String,
        /// How bad.
        severity: Severity,
        /// The entity; any when not said.
        entity: Option<EntityId>,
        /// The title in Chinese or in English; any when not said.
        title: Option<String>,
    },
    /// An alert is cleared.
    Cleared {
        /// The rule.
        rule: String,
        /// The entity; any when not said.
        entity: Option<EntityId>,
    },
    /// An alert was raised before and still is.
    StillUp {
        /// The rule.
        rule: String,
    },
    /// A rule could not judge what it heard.
    Unjudged {
        /// The rule.
        rule: String,
        /// Why: the code of the failure.
        code: String,
        /// The entity; any when not said.
        entity: Option<EntityId>,
    },
    /// Nothing was raised or cleared, and every rule could judge.
    NoChange,
    /// How a case stands; the one that was opened last when none is named.
    Case {
        /// What it is called.
        case: Option<String>,
        /// How it stands.
        is: Standing,
    },
    /// The last thing that a person did was refused.
    Refused(String),
}

impl Sentence {
    /// Whether it is a "then".
    pub const fn expects(&self) -> bool {
        matches!(
            self,
            Self::Raised { .. }
                | Self::Cleared { .. }
                | Self::StillUp { .. }
                | Self::Unjudged { .. }
                | Self::NoChange
                | Self::Case { .. }
                | Self::Refused(_)
        )
    }
}

/// One value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// The attribute's name.
    pub attribute: String,
    /// Its value.
    pub value: Value,
    /// The code of its unit.
    pub unit: Option<String>,
}

/// Why a list item is no step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

fn wrong(what: impl Into<String>, mend: impl Into<String>) -> Wrong {
    Wrong {
        what: what.into(),
        mend: mend.into(),
    }
}

type Read<T> = Result<T, Wrong>;

/// Reads one step with the table's rows and the JSON below it.
///
/// # Errors
/// Why it is none.
pub fn read(text: &str, table: &[Vec<String>], json: Option<&str>) -> Read<Sentence> {
    let plain = text.replace("**", "");
    let mut line = Line { rest: &plain };
    let expects = line.word(&["则", "Then"]);
    let goes_on = !expects && line.word(&["并且", "And"]);
    if !expects && !goes_on && !line.word(&["给定", "当", "Given", "When"]) {
        return Err(wrong(
            "the list item begins with no word of a step",
            "begin it with 给定, 当, 则 or 并且 (Given, When, Then, And), or make it prose",
        ));
    }
    let forms = [
        time,
        entity,
        person,
        reports,
        pass,
        cases::opens,
        cases::acts,
        raised,
        cleared_or_up,
        unjudged,
        no_change,
        cases::stands,
        cases::refused,
    ];
    let mut data = Data {
        table,
        json,
        used: false,
    };
    for form in forms {
        let mut attempt = line;
        let Some(sentence) = form(&mut attempt, &mut data)? else {
            continue;
        };
        if !attempt.is_at_end() {
            return Err(wrong(
                format!("\"{}\" is more than the step can hold", attempt.rest.trim()),
                "write one of the forms of docs/packs.md; several values are separated by commas",
            ));
        }
        if !goes_on && expects != sentence.expects() {
            return Err(wrong(
                "the step begins with the wrong word",
                "begin what is expected with 则 (Then), what is done with 当 (When), what is there with 给定 (Given)",
            ));
        }
        if !data.used && (!table.is_empty() || json.is_some()) {
            return Err(wrong(
                "the step has no use for the table or block below it",
                "take it away, or put it below a step that reports",
            ));
        }
        return Ok(sentence);
    }
    Err(wrong(
        "no step is written so",
        "write one of the forms of docs/packs.md, such as: 当 `urn:ngsi-ld:…` 报告 `attribute` 1.5 MTR 并保持 60 秒",
    ))
}

/// What stands below a step.
struct Data<'a> {
    table: &'a [Vec<String>],
    json: Option<&'a str>,
    used: bool,
}

/// The rest of a line.
#[derive(Clone, Copy)]
struct Line<'a> {
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, ',' | '，' | ':' | '：' | ';' | '；' | '、')
        });
    }

    fn is_at_end(&self) -> bool {
        let mut line = *self;
        line.skip();
        matches!(line.rest, "" | "." | "。")
    }

    /// Takes one of the words, the first that fits; in English without regard to capitals and only as a whole word.
    fn word(&mut self, words: &[&str]) -> bool {
        self.skip();
        for word in words {
            let Some(head) = self.rest.get(..word.len()) else {
                continue;
            };
            let after = self.rest.get(word.len()..).unwrap_or_default();
            let ends = !word.ends_with(|c: char| c.is_ascii_alphabetic())
                || !after.starts_with(|c: char| c.is_ascii_alphanumeric());
            if head.eq_ignore_ascii_case(word) && ends {
                self.rest = after;
                return true;
            }
        }
        false
    }

    /// What stands between two marks.
    fn between(&mut self, open: char, close: char) -> Option<&'a str> {
        self.skip();
        let inner = self.rest.strip_prefix(open)?;
        let (inside, after) = inner.split_once(close)?;
        self.rest = after;
        Some(inside)
    }

    fn code(&mut self) -> Option<&'a str> {
        self.between('`', '`')
    }

    fn quoted(&mut self) -> Option<&'a str> {
        self.between('“', '”')
            .or_else(|| self.between('"', '"'))
            .or_else(|| self.between('「', '」'))
    }

    fn codes(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.code().map(str::to_owned)).collect()
    }

    fn number(&mut self) -> Option<f64> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
            .unwrap_or(self.rest.len());
        let number = self.rest.get(..end)?.parse().ok()?;
        self.rest = self.rest.get(end..)?;
        Some(number)
    }

    /// A unit's code: capital letters and digits.
    fn unit(&mut self) -> Option<String> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit()))
            .unwrap_or(self.rest.len());
        let code = self.rest.get(..end).filter(|code| !code.is_empty())?;
        self.rest = self.rest.get(end..)?;
        Some(code.to_owned())
    }

    /// A whole number that is not negative.
    fn whole(&mut self) -> Option<i64> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let number = self.rest.get(..end)?.parse().ok()?;
        self.rest = self.rest.get(end..)?;
        Some(number)
    }

    /// A time in seconds, from a whole number: `60 秒`, `15 minutes`.
    fn duration(&mut self) -> Option<i64> {
        const UNITS: [(&[&str], i64); 4] = [
            (&["秒", "seconds", "second", "s"], 1),
            (&["分钟", "分", "minutes", "minute", "min"], 60),
            (&["小时", "hours", "hour", "h"], 3_600),
            (&["天", "日", "days", "day", "d"], 86_400),
        ];
        /// Ten years; what is longer is no scenario.
        const SECONDS_MAX: i64 = 10 * 366 * 86_400;
        let mut attempt = *self;
        let number = attempt.whole()?;
        let (_, seconds) = UNITS.iter().find(|(words, _)| attempt.word(words))?;
        let total = number
            .checked_mul(*seconds)
            .filter(|total| *total <= SECONDS_MAX)?;
        *self = attempt;
        Some(total)
    }
}

fn entity_id(code: &str) -> Read<EntityId> {
    EntityId::new(code)
        .map_err(|problem| wrong(problem.what, problem.mend))
        .and_then(|id| {
            if type_of(&id).is_some() {
                Ok(id)
            } else {
                Err(wrong(
                    format!("`{code}` does not name its type"),
                    "write ids as urn:ngsi-ld:TYPE:…",
                ))
            }
        })
}

/// The type in an id of the form `urn:ngsi-ld:TYPE:…`.
pub fn type_of(id: &EntityId) -> Option<&str> {
    let rest = id.as_str().strip_prefix("urn:ngsi-ld:")?;
    rest.split_once(':').map(|(name, _)| name)
}

fn time(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["时间", "the time"]) {
        return Ok(None);
    }
    let Some(code) = line.code() else {
        return Ok(None);
    };
    let at = Timestamp::parse(code).map_err(|problem| wrong(problem.what, problem.mend))?;
    Ok(Some(Sentence::Time(at)))
}

fn entity(line: &mut Line<'_>, data: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["实体", "the entity"]) {
        return Ok(None);
    }
    let Some(code) = line.code() else {
        return Ok(None);
    };
    let entity = entity_id(code)?;
    let values = values(line, data)?;
    Ok(Some(Sentence::Reports {
        entity,
        values,
        then_seconds: 0,
    }))
}

fn reports(line: &mut Line<'_>, data: &mut Data<'_>) -> Read<Option<Sentence>> {
    let Some(code) = line.code() else {
        return Ok(None);
    };
    if line.word(&["依次报告", "reports in turn"]) {
        let entity = entity_id(code)?;
        let rows = series(data)?;
        return Ok(Some(Sentence::Series { entity, rows }));
    }
    if !line.word(&["报告", "reports"]) {
        return Ok(None);
    }
    let entity = entity_id(code)?;
    let values = values(line, data)?;
    let mut then_seconds = 0;
    if line.word(&["并保持", "and stays for"]) {
        then_seconds = line.duration().ok_or_else(no_duration)?;
    }
    Ok(Some(Sentence::Reports {
        entity,
        values,
        then_seconds,
    }))
}

fn no_duration() -> Wrong {
    wrong(
        "no duration stands there",
        "write a number and 秒, 分钟, 小时 or 天 (seconds, minutes, hours, days)",
    )
}

fn person(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["人员", "the person"]) {
        return Ok(None);
    }
    let Some(name) = line.code() else {
        return Ok(None);
    };
    let organisation = line
        .word(&["部门", "of"])
        .then(|| line.code().map(str::to_owned))
        .flatten();
    if !line.word(&["权限", "who may"]) {
        return Ok(None);
    }
    Ok(Some(Sentence::Person {
        name: name.to_owned(),
        organisation,
        permissions: line.codes(),
    }))
}

fn pass(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if line.word(&["过"]) {
        let seconds = line.duration().ok_or_else(no_duration)?;
        return Ok(Some(Sentence::Pass(seconds)));
    }
    let Some(seconds) = line.duration() else {
        return Ok(None);
    };
    Ok(line
        .word(&["passes", "pass"])
        .then_some(Sentence::Pass(seconds)))
}

fn raised(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    let chinese = line.word(&["出现告警"]);
    if !chinese && !line.word(&["the alert"]) {
        return Ok(None);
    }
    let Some(rule) = line.code().map(str::to_owned) else {
        return Ok(None);
    };
    if !chinese && !line.word(&["is raised"]) {
        return Ok(None);
    }
    const SEVERITIES: [(&[&str], Severity); 4] = [
        (&["提示", "info"], Severity::Info),
        (&["轻微", "minor"], Severity::Minor),
        (&["重要", "major"], Severity::Major),
        (&["紧急", "critical"], Severity::Critical),
    ];
    let Some((_, severity)) = SEVERITIES.iter().find(|(words, _)| line.word(words)) else {
        return Err(wrong(
            "the alert's severity is missing",
            "write 提示, 轻微, 重要 or 紧急 (info, minor, major, critical) behind the rule",
        ));
    };
    let entity = entity_after(line)?;
    let mut title = None;
    if line.word(&["标题", "titled"]) {
        title = Some(
            line.quoted()
                .map(str::to_owned)
                .ok_or_else(|| wrong("no title stands there", "write it in quotation marks"))?,
        );
    }
    Ok(Some(Sentence::Raised {
        rule,
        severity: *severity,
        entity,
        title,
    }))
}

fn entity_after(line: &mut Line<'_>) -> Read<Option<EntityId>> {
    if !line.word(&["实体", "on"]) {
        return Ok(None);
    }
    let code = line
        .code()
        .ok_or_else(|| wrong("no entity stands there", "write its id in backticks"))?;
    entity_id(code).map(Some)
}

fn cleared_or_up(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["告警", "the alert"]) {
        return Ok(None);
    }
    let Some(rule) = line.code().map(str::to_owned) else {
        return Ok(None);
    };
    if line.word(&["解除", "is cleared"]) {
        let entity = entity_after(line)?;
        return Ok(Some(Sentence::Cleared { rule, entity }));
    }
    Ok(line
        .word(&["仍在", "is still up"])
        .then_some(Sentence::StillUp { rule }))
}

fn unjudged(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    if !line.word(&["规则", "the rule"]) {
        return Ok(None);
    }
    let Some(rule) = line.code().map(str::to_owned) else {
        return Ok(None);
    };
    if !line.word(&["无法判断", "cannot judge"]) {
        return Ok(None);
    }
    let Some(code) = line.code().map(str::to_owned) else {
        return Err(wrong(
            "it is not said why",
            "write the code of the failure in backticks, as the list of failing rules shows it",
        ));
    };
    let entity = entity_after(line)?;
    Ok(Some(Sentence::Unjudged { rule, code, entity }))
}

fn no_change(line: &mut Line<'_>, _: &mut Data<'_>) -> Read<Option<Sentence>> {
    Ok(line
        .word(&["没有告警变化", "no alert changes"])
        .then_some(Sentence::NoChange))
}

/// The values in the line, in the table below it and in the JSON below it.
fn values(line: &mut Line<'_>, data: &mut Data<'_>) -> Read<Vec<Stated>> {
    let mut found = Vec::new();
    while let Some(attribute) = line.code() {
        let (value, unit) = value(line).ok_or_else(|| {
            wrong(
                format!("`{attribute}` has no value"),
                "write a number with the code of its unit, true, false, or text in backticks",
            )
        })?;
        found.push(Stated {
            attribute: attribute.to_owned(),
            value,
            unit,
        });
    }
    if let Some((_, rows)) = data.table.split_first() {
        data.used = true;
        for row in rows {
            let cell = |n: usize| row.get(n).map(String::as_str).filter(|c| !c.is_empty());
            let (Some(attribute), Some(text)) = (cell(0), cell(1)) else {
                return Err(wrong(
                    format!("the row {} has no attribute or no value", row.join(" | ")),
                    "give the table the columns attribute, value and unit",
                ));
            };
            found.push(Stated {
                attribute: attribute.trim_matches('`').to_owned(),
                value: cell_value(text),
                unit: cell(2).map(|unit| unit.trim_matches('`').to_owned()),
            });
        }
    }
    if let Some(json) = data.json {
        data.used = true;
        found.extend(json_values(json)?);
    }
    if found.is_empty() {
        return Err(wrong(
            "nothing is reported",
            "name attributes in backticks with their values, or put a table below",
        ));
    }
    Ok(found)
}

fn value(line: &mut Line<'_>) -> Option<(Value, Option<String>)> {
    if let Some(number) = line.number() {
        return Some((Value::Number(number), line.unit()));
    }
    if line.word(&["true", "是"]) {
        return Some((Value::Boolean(true), None));
    }
    if line.word(&["false", "否"]) {
        return Some((Value::Boolean(false), None));
    }
    let text = line.code().or_else(|| line.quoted())?;
    Some((Value::Text(text.to_owned()), None))
}

fn cell_value(text: &str) -> Value {
    match text {
        "true" | "是" => Value::Boolean(true),
        "false" | "否" => Value::Boolean(false),
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Text(text.trim_matches(['`', '“', '”', '"']).to_owned()),
        },
    }
}

fn json_values(json: &str) -> Read<Vec<Stated>> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|e| {
            wrong(
                format!("the block is no JSON object: {e}"),
                "write the attributes as {\"name\": value}",
            )
        })?;
    object
        .into_iter()
        .map(|(attribute, json)| {
            let value = match &json {
                serde_json::Value::Bool(b) => Value::Boolean(*b),
                serde_json::Value::Number(n) => Value::Number(n.as_f64().unwrap_or_default()),
                serde_json::Value::String(text) => Value::Text(text.clone()),
                other if other.get("coordinates").is_some() => Value::Geometry(
                    Geometry::from_geojson(other).map_err(|e| wrong(e.what, e.mend))?,
                ),
                other => Value::Json(other.to_string()),
            };
            Ok(Stated {
                attribute,
                value,
                unit: None,
            })
        })
        .collect()
}

/// The rows of a table whose first column is a time since the step's beginning.
fn series(data: &mut Data<'_>) -> Read<Vec<(i64, Vec<Stated>)>> {
    data.used = true;
    let shape = || {
        wrong(
            "the table of what is reported in turn is missing or has no row",
            "put a table below: 经过 (after) | attribute UNIT …, and one row for each report",
        )
    };
    let (header, rows) = data.table.split_first().ok_or_else(shape)?;
    if rows.is_empty() || header.len() < 2 {
        return Err(shape());
    }
    let mut found: Vec<(i64, Vec<Stated>)> = Vec::new();
    for row in rows {
        let mut first = Line {
            rest: row.first().map_or("", String::as_str),
        };
        let after = first.duration().ok_or_else(no_duration)?;
        if found.last().is_some_and(|(last, _)| *last > after) {
            return Err(wrong(
                "the times of the table go back",
                "order its rows by time",
            ));
        }
        let mut stated = Vec::new();
        for (head, cell) in header
            .iter()
            .zip(row)
            .skip(1)
            .filter(|(_, cell)| !cell.is_empty())
        {
            let mut words = head.split_whitespace();
            stated.push(Stated {
                attribute: words
                    .next()
                    .unwrap_or_default()
                    .trim_matches('`')
                    .to_owned(),
                value: cell_value(cell),
                unit: words.next().map(|unit| unit.trim_matches('`').to_owned()),
            });
        }
        found.push((after, stated));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in both languages.
    #[test]
    fn both_languages_say_the_same() {
        for (zh, en) in [
            (
                "**给定** 时间 `2026-07-01T08:00:00+08:00`",
                "Given the time `2026-07-01T00:00:00Z`.",
            ),
            (
                "当 `urn:ngsi-ld:W:1` 报告 `waterLevel` 29.31 MTR、`ok` 是 并保持 2 分钟。",
                "When `urn:ngsi-ld:W:1` reports `waterLevel` 29.31 MTR, `ok` true and stays for 120 seconds",
            ),
            ("当 过 1 小时", "when 60 minutes pass"),
            (
                "给定 人员 `值班员` 部门 `shuili`，权限 `case.open`、`case.verify`",
                "Given the person `值班员` of `shuili` who may `case.open` `case.verify`",
            ),
            (
                "则 出现告警 `r` 重要，实体 `urn:ngsi-ld:W:1`，标题 “高”",
                "Then the alert `r` is raised: major on `urn:ngsi-ld:W:1` titled \"高\"",
            ),
            ("并且 告警 `r` 解除", "And the alert `r` is cleared"),
            ("则 告警 `r` 仍在", "Then the alert `r` is still up"),
            (
                "则 规则 `r` 无法判断 `c` 实体 `urn:ngsi-ld:W:1`",
                "Then the rule `r` cannot judge: `c` on `urn:ngsi-ld:W:1`",
            ),
            ("则 没有告警变化", "Then no alert changes"),
        ] {
            let read = |text| read(text, &[], None).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(read(zh), read(en));
        }
    }

    #[test]
    fn data_below_a_step() {
        let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let table = [
            row(&["属性", "值", "单位"]),
            row(&["`depth`", "3.5", "MTR"]),
            row(&["name", "一号", ""]),
        ];
        let inline = read(
            "给定 实体 `urn:ngsi-ld:W:1`：`depth` 3.5 MTR，`name` “一号”",
            &[],
            None,
        );
        assert_eq!(read("给定 实体 `urn:ngsi-ld:W:1`", &table, None), inline);
        let json = read(
            "Given the entity `urn:ngsi-ld:W:1`",
            &[],
            Some("{\"depth\": 3.5}"),
        );
        assert_eq!(
            json,
            read("Given the entity `urn:ngsi-ld:W:1`: `depth` 3.5", &[], None)
        );
        let turns = [
            row(&["经过", "depth MTR"]),
            row(&["0 秒", "3"]),
            row(&["1 分钟", "4"]),
        ];
        let Ok(Sentence::Series { rows, .. }) = read("当 `urn:ngsi-ld:W:1` 依次报告", &turns, None)
        else {
            panic!("a series");
        };
        assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), [0, 60]);
        assert_eq!(rows[1].1[0].unit.as_deref(), Some("MTR"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let table = [vec!["a".to_owned()], vec!["b".to_owned()]];
        for (text, table) in [
            ("下雨了", &[][..]),
            ("当 `x` 报告 `a` 1", &[]),
            ("当 `urn:ngsi-ld:W:1` 报告", &[]),
            ("当 `urn:ngsi-ld:W:1` 报告 `a` 1 MTR 然后停机", &[]),
            ("当 过 很久", &[]),
            ("当 过 99999999999 天", &[]),
            ("则 出现告警 `r`", &[]),
            ("则 没有告警变化", &table[..]),
            ("当 `urn:ngsi-ld:W:1` 依次报告", &[]),
            ("给定 时间 `昨天`", &[]),
        ] {
            assert!(read(text, table, None).is_err(), "{text}");
        }
    }
}
