//! Reads an indicator file.
//!
//! ```sql
//! -- # In-service 5G base stations.
//! -- id: 5g-base-stations
//! -- number: 1
//! -- origin: table
//! -- group_zh: 信息基础设施
//! -- …
//! -- baseline: 398
//! -- baseline_year: 2020
//! -- target: 1800
//! -- target_year: 2025
//! -- path: linear
//! -- responsible: jingxin
//! -- towns: sum
//! -- place: 二、(三)规划目标·表 | 5G基站规模
//! SELECT … AS value FROM …;
//! -- rows:
//! SELECT … FROM …;
//! -- towns:
//! SELECT town_code, … AS value FROM …;
//! ```
//! `-- # …` is a remark. `place` may come several times. `target: 3..5` is a range. `baseline: none`
//! says that the plan gives none. `path: 2021=600 2023=1200` are milestones, `path: s-curve` is slow, fast, slow.
//! `responsible` (an organisation of the city profile) and `towns` (`sum`, `mean` or `none`) may be left out; the query
//! after `-- towns:` is there when `towns` is `sum` or `mean`, and only then.

use crate::definition::{Definition, Direction, Method, Origin, Place, Target, Towns};
use crate::path::Path;
use model::Problem;
use model::problem::quote;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Longest indicator file, in bytes.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// Years that make sense in a plan.
pub const YEARS: RangeInclusive<i16> = 1900..=2200;
/// What a share of a hundred may be.
pub const PERCENTS: RangeInclusive<f64> = 0.0..=100.0;

const KEYS: [&str; 24] = [
    "id",
    "number",
    "origin",
    "group_zh",
    "group_en",
    "subgroup_zh",
    "subgroup_en",
    "name_zh",
    "name_en",
    "unit_zh",
    "unit_en",
    "unit_code",
    "direction",
    "baseline",
    "baseline_year",
    "target",
    "target_year",
    "method",
    "source_zh",
    "source_en",
    "path",
    "responsible",
    "towns",
    "place",
];

/// Reads an indicator file; `file` is its name for messages.
///
/// # Errors
/// Every mistake in it, each with `file:line`.
pub fn parse(file: &str, text: &str) -> Result<Definition, Vec<Problem>> {
    if text.len() > FILE_BYTES_MAX {
        return Err(vec![Problem::new(
            "indicator-length",
            format!("the file has {} bytes", text.len()),
            format!("{file}:1"),
            format!("use at most {FILE_BYTES_MAX} bytes"),
        )]);
    }
    let mut reader = Reader {
        file,
        header_lines: 0,
        keys: BTreeMap::new(),
        places: Vec::new(),
        problems: Vec::new(),
    };
    let lines: Vec<&str> = text.lines().collect();
    reader.header(&lines);
    let queries = reader.queries(&lines);
    let definition = Definition {
        id: reader.id(),
        number: reader.required("number"),
        origin: reader.choice(
            "origin",
            &[
                ("table", Origin::Table),
                ("text", Origin::Text),
                ("platform", Origin::Platform),
            ],
        ),
        group_zh: reader.required("group_zh"),
        group_en: reader.required("group_en"),
        subgroup_zh: reader.required("subgroup_zh"),
        subgroup_en: reader.required("subgroup_en"),
        name_zh: reader.required("name_zh"),
        name_en: reader.required("name_en"),
        unit_zh: reader.required("unit_zh"),
        unit_en: reader.required("unit_en"),
        direction: reader.choice(
            "direction",
            &[("more", Direction::More), ("less", Direction::Less)],
        ),
        baseline: reader.baseline(),
        baseline_year: reader.year("baseline_year"),
        target: reader.target(),
        target_year: reader.year("target_year"),
        method: reader.choice(
            "method",
            &[
                ("computed", Method::Computed),
                ("reported", Method::Reported),
            ],
        ),
        source_zh: reader.required("source_zh"),
        source_en: reader.required("source_en"),
        path: reader.path(),
        unit_code: reader.unit_code(),
        responsible: reader.responsible(),
        towns: reader.towns(),
        places: std::mem::take(&mut reader.places),
        sql: queries.value.0,
        rows_sql: queries.rows.0,
        towns_sql: queries.towns.0,
        file: file.to_owned(),
        sql_line: queries.value.1,
        rows_sql_line: queries.rows.1,
        towns_sql_line: queries.towns.1,
    };
    reader.together(&definition);
    if reader.problems.is_empty() {
        Ok(definition)
    } else {
        Err(reader.problems)
    }
}

/// The queries of a file, each with the line on which it begins.
struct Queries {
    value: (String, usize),
    rows: (String, usize),
    towns: (String, usize),
}

struct Reader<'a> {
    file: &'a str,
    header_lines: usize,
    /// Value and line (from 1) of each key.
    keys: BTreeMap<&'a str, (&'a str, usize)>,
    places: Vec<Place>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn say(&mut self, line: usize, code: &str, what: String, mend: &str) {
        self.problems.push(Problem::new(
            code,
            what,
            format!("{}:{line}", self.file),
            mend,
        ));
    }

    fn header(&mut self, lines: &[&'a str]) {
        for (n, line) in lines.iter().enumerate() {
            let number = n + 1;
            let Some(rest) = line.trim().strip_prefix("--") else {
                if line.trim().is_empty() {
                    self.header_lines = number;
                    continue;
                }
                break;
            };
            self.header_lines = number;
            let rest = rest.trim();
            if rest.is_empty() || rest.starts_with('#') {
                continue;
            }
            let Some((key, value)) = rest.split_once(':') else {
                self.say(
                    number,
                    "indicator-header",
                    format!("\"{}\" is no header line", quote(rest)),
                    "write -- key: value, or -- # for a remark",
                );
                continue;
            };
            let (key, value) = (key.trim(), value.trim());
            if !KEYS.contains(&key) {
                self.say(
                    number,
                    "indicator-unknown-key",
                    format!("the header has no key \"{}\"", quote(key)),
                    &format!("use one of: {}", KEYS.join(", ")),
                );
            } else if key == "place" {
                match value.split_once('|') {
                    Some((section, words))
                        if !section.trim().is_empty() && !words.trim().is_empty() =>
                    {
                        self.places.push(Place {
                            section: section.trim().to_owned(),
                            quote: words.trim().to_owned(),
                        });
                    }
                    _ => self.say(
                        number,
                        "indicator-place",
                        format!("\"{}\" does not give section and words", quote(value)),
                        "write -- place: section | the plan's words",
                    ),
                }
            } else if let Some((_, first)) = self.keys.insert(key, (value, number)) {
                self.say(
                    number,
                    "indicator-key-twice",
                    format!("{key} was given on line {first} already"),
                    "keep one of them",
                );
            }
        }
    }

    fn queries(&mut self, lines: &[&str]) -> Queries {
        let start = self.header_lines;
        let mark = |word: &str| {
            let mut after = lines.iter().skip(start);
            after
                .position(|line| line.trim() == word)
                .map(|n| start + n)
        };
        let (rows, towns) = (mark("-- rows:"), mark("-- towns:"));
        let end = towns.unwrap_or(lines.len());
        let last = lines.len().max(1);
        let value_end = rows.unwrap_or(end).min(end);
        let what = "the query of the value";
        let value = self.query(lines, start, value_end, "indicator-sql", what);
        let rows = match rows {
            Some(split) if split <= end => {
                let what = "the query of the rows";
                let sql = self.query(lines, split + 1, end, "indicator-rows", what);
                (sql, split + 2)
            }
            Some(split) => {
                self.say(
                    split + 1,
                    "indicator-rows",
                    "the query of the rows stands after that of the towns".into(),
                    "write -- rows: first, then -- towns:",
                );
                (String::new(), last)
            }
            None => {
                self.say(
                    last,
                    "indicator-rows",
                    "the file does not say which rows are behind the value".into(),
                    "add a line \"-- rows:\" and the query of the rows after it",
                );
                (String::new(), last)
            }
        };
        let towns = towns.map_or_else(
            || (String::new(), last),
            |split| {
                let what = "the query of the towns";
                let sql = self.query(lines, split + 1, lines.len(), "indicator-towns", what);
                (sql, split + 2)
            },
        );
        Queries {
            value: (value, start + 1),
            rows,
            towns,
        }
    }

    /// One statement: reading only, not empty, without a second one behind a semicolon.
    fn query(
        &mut self,
        lines: &[&str],
        start: usize,
        end: usize,
        code: &str,
        name: &str,
    ) -> String {
        let text = lines[start.min(end)..end].join("\n");
        let sql = text.trim_end().trim_end_matches(';').trim_end();
        let first_word = sql
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with("--"))
            .and_then(|line| line.split_whitespace().next())
            .unwrap_or_default()
            .to_ascii_uppercase();
        let line = start + 1;
        if first_word.is_empty() {
            self.say(line, code, format!("{name} is missing"), "write a SELECT");
        } else if first_word != "SELECT" && first_word != "WITH" {
            self.say(
                line,
                code,
                format!("{name} begins with {}", quote(&first_word)),
                "begin with SELECT or WITH",
            );
        }
        if let Some(at) = outside_quotes(sql)
            .find(|(_, c)| *c == ';')
            .map(|(at, _)| at)
        {
            let line = line + sql[..at].matches('\n').count();
            self.say(
                line,
                code,
                format!("{name} holds more than one statement"),
                "keep one statement",
            );
        }
        let depth = outside_quotes(sql).try_fold(0_i32, |depth, (_, c)| match c {
            '(' => Some(depth + 1),
            ')' if depth == 0 => None,
            ')' => Some(depth - 1),
            _ => Some(depth),
        });
        if depth != Some(0) {
            self.say(
                line,
                code,
                format!("the brackets of {name} do not close"),
                "match every ( with a )",
            );
        }
        sql.to_owned()
    }

    fn value(&mut self, key: &'static str) -> Option<(&'a str, usize)> {
        let found = self.keys.get(key).copied();
        match found {
            Some((value, _)) if !value.is_empty() => found,
            Some((_, line)) => {
                self.say(
                    line,
                    "indicator-empty",
                    format!("{key} is empty"),
                    "give it a value",
                );
                None
            }
            None => {
                self.say(
                    1,
                    "indicator-key-missing",
                    format!("the header lacks {key}"),
                    &format!("add -- {key}: …"),
                );
                None
            }
        }
    }

    fn required(&mut self, key: &'static str) -> String {
        self.value(key)
            .map(|(value, _)| value.to_owned())
            .unwrap_or_default()
    }

    fn id(&mut self) -> String {
        let Some((id, line)) = self.value("id") else {
            return String::new();
        };
        let good = id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !good {
            self.say(
                line,
                "indicator-id",
                format!("\"{}\" is no id", quote(id)),
                "use lower-case letters, digits and hyphens",
            );
        }
        id.to_owned()
    }

    fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> T {
        if let Some((value, line)) = self.value(key) {
            if let Some((_, chosen)) = choices.iter().find(|(word, _)| *word == value) {
                return *chosen;
            }
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.say(
                line,
                "indicator-word",
                format!("{key} cannot be \"{}\"", quote(value)),
                &format!("use {}", words.join(" or ")),
            );
        }
        choices[0].1
    }

    fn number(&mut self, text: &str, line: usize, key: &str) -> f64 {
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => number,
            _ => {
                self.say(
                    line,
                    "indicator-number",
                    format!("{key} \"{}\" is no number", quote(text)),
                    "write a plain number such as 28.2",
                );
                0.0
            }
        }
    }

    fn baseline(&mut self) -> Option<f64> {
        let (text, line) = self.value("baseline")?;
        (text != "none").then(|| self.number(text, line, "baseline"))
    }

    fn target(&mut self) -> Target {
        let Some((text, line)) = self.value("target") else {
            return Target {
                low: 0.0,
                high: 0.0,
            };
        };
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let target = Target {
            low: self.number(low, line, "target"),
            high: self.number(high, line, "target"),
        };
        if target.low > target.high {
            self.say(
                line,
                "indicator-range",
                format!("the target \"{}\" goes down", quote(text)),
                "write the smaller number first",
            );
        }
        target
    }

    fn year(&mut self, key: &'static str) -> i16 {
        let Some((text, line)) = self.value(key) else {
            return *YEARS.start();
        };
        match text.parse::<i16>() {
            Ok(year) if YEARS.contains(&year) => year,
            _ => {
                self.say(
                    line,
                    "indicator-year",
                    format!("{key} \"{}\" is no year", quote(text)),
                    "write a year such as 2025",
                );
                *YEARS.start()
            }
        }
    }

    fn path(&mut self) -> Path {
        let Some((text, line)) = self.value("path") else {
            return Path::Linear;
        };
        match text {
            "linear" => return Path::Linear,
            "s-curve" => return Path::SCurve,
            _ => {}
        }
        let mut points = Vec::new();
        for part in text.split_whitespace() {
            let parsed = part
                .split_once('=')
                .and_then(|(year, value)| Some((year.parse::<i16>().ok()?, value)));
            let Some((year, value)) = parsed.filter(|(year, _)| YEARS.contains(year)) else {
                self.say(
                    line,
                    "indicator-path",
                    format!("\"{}\" is no path", quote(text)),
                    "write linear, s-curve, or milestones such as 2021=600 2023=1200",
                );
                return Path::Linear;
            };
            points.push((year, self.number(value, line, "path")));
        }
        Path::Milestones(points)
    }

    /// The unit that its query must tell; `None` when the file does not say.
    fn unit_code(&mut self) -> Option<String> {
        if !self.keys.contains_key("unit_code") {
            return None;
        }
        let (code, line) = self.value("unit_code")?;
        let good = (2..=3).contains(&code.len())
            && (code.chars()).all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if !good {
            self.say(
                line,
                "indicator-unit",
                format!("\"{}\" is no code of a unit", quote(code)),
                "write a common code of UN/CEFACT Recommendation 20, such as KWH, as the entity type declares it",
            );
        }
        Some(code.to_owned())
    }

    /// Who answers for it; `None` when the file does not say.
    fn responsible(&mut self) -> Option<String> {
        if !self.keys.contains_key("responsible") {
            return None;
        }
        let (id, line) = self.value("responsible")?;
        let good = id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !good {
            self.say(
                line,
                "indicator-responsible",
                format!("\"{}\" is no id of an organisation", quote(id)),
                "write the id of an organisation of the city profile, such as jingxin",
            );
        }
        Some(id.to_owned())
    }

    fn towns(&mut self) -> Towns {
        if !self.keys.contains_key("towns") {
            return Towns::None;
        }
        let words = [
            ("none", Towns::None),
            ("sum", Towns::Sum),
            ("mean", Towns::Mean),
        ];
        self.choice("towns", &words)
    }

    /// What must fit together.
    fn together(&mut self, definition: &Definition) {
        self.towns_fit(definition);
        self.percent_fits(definition);
        let line = self.keys.get("target_year").map_or(1, |(_, line)| *line);
        let years: Vec<i16> = match &definition.path {
            Path::Linear | Path::SCurve => Vec::new(),
            Path::Milestones(points) => points.iter().map(|(year, _)| *year).collect(),
        };
        let all = std::iter::once(definition.baseline_year)
            .chain(years)
            .chain([definition.target_year]);
        if !all.clone().zip(all.skip(1)).all(|(a, b)| a < b) && self.problems.is_empty() {
            self.say(
                line,
                "indicator-years",
                "the years of baseline, path and target do not go forward".into(),
                "put them in order",
            );
        }
        if definition.places.is_empty() && definition.origin != Origin::Platform {
            self.say(
                1,
                "indicator-key-missing",
                "the header lacks place".into(),
                "add -- place: section | the plan's words",
            );
        }
        let says_value = outside_quotes(&definition.sql)
            .map(|(_, c)| c.to_ascii_lowercase())
            .collect::<String>()
            .contains("value");
        if !definition.sql.is_empty() && !says_value {
            self.say(
                definition.sql_line,
                "indicator-sql",
                "the query has no column value".into(),
                "name its one column value: SELECT … AS value",
            );
        }
    }
}

impl Reader<'_> {
    /// A query of the towns' values is there exactly when the city's value follows from them, and names both columns.
    fn towns_fit(&mut self, definition: &Definition) {
        let asks = !definition.towns_sql.is_empty();
        let line = definition.towns_sql_line;
        match definition.towns {
            Towns::None if asks => self.say(
                line,
                "indicator-towns",
                "the file asks for the towns' values, and its header does not say how the city's follows from them".into(),
                "add -- towns: sum or mean, or take the query away",
            ),
            Towns::Sum | Towns::Mean if !asks => self.say(
                self.keys.get("towns").map_or(1, |(_, line)| *line),
                "indicator-towns",
                "the header speaks of towns, and there is no query of their values".into(),
                "add a line \"-- towns:\" and after it SELECT town_code, … AS value",
            ),
            Towns::Sum | Towns::Mean => {
                let said = outside_quotes(&definition.towns_sql);
                let said = said.map(|(_, c)| c.to_ascii_lowercase()).collect::<String>();
                if !said.contains("town_code") || !said.contains("value") {
                    self.say(
                        line,
                        "indicator-towns",
                        "the query of the towns lacks a column town_code or value".into(),
                        "SELECT town_code, … AS value, one row for each town",
                    );
                }
            }
            Towns::None => {}
        }
    }

    /// A share of a hundred starts, goes and ends within 0 and 100.
    fn percent_fits(&mut self, definition: &Definition) {
        if !definition.is_percent() {
            return;
        }
        let milestones: Vec<f64> = match &definition.path {
            Path::Milestones(points) => points.iter().map(|(_, value)| *value).collect(),
            Path::Linear | Path::SCurve => Vec::new(),
        };
        let target = [definition.target.low, definition.target.high];
        let given = [
            ("baseline", definition.baseline.into_iter().collect()),
            ("target", target.to_vec()),
            ("path", milestones),
        ];
        for (key, values) in given {
            if let Some(value) = values.into_iter().find(|v| !PERCENTS.contains(v)) {
                let line = self.keys.get(key).map_or(1, |(_, line)| *line);
                self.say(
                    line,
                    "indicator-percent",
                    format!("{key} {value} is no share of a hundred"),
                    "write a number from 0 to 100, or another unit",
                );
            }
        }
    }
}

/// The characters of an SQL text that lie outside quotes and comments, with their byte offsets.
fn outside_quotes(sql: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quoted_by: Option<char> = None;
    let mut in_comment = false;
    let mut previous = ' ';
    sql.char_indices().filter(move |(_, c)| {
        let c = *c;
        let outside = if in_comment {
            in_comment = c != '\n';
            false
        } else if let Some(mark) = quoted_by {
            if c == mark {
                quoted_by = None;
            }
            false
        } else if c == '\'' || c == '"' {
            quoted_by = Some(c);
            false
        } else if c == '-' && previous == '-' {
            in_comment = true;
            false
        } else {
            true
        };
        previous = c;
        outside
    })
}
