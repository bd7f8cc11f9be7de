//! Declared tables (数据表视图), `tables/NAME.sql`: SQL that every door answers under the file's name.
//!
//! ```sql
//! -- # A remark.
//! -- title_zh: 河道水情表
//! -- title_en: River stages
//! -- source: SL 323-2011, ST_RIVER_R
//! -- column: STCD | text | | 测站编码 | Station code
//! -- column: Z | number | m | 水位 | Stage
//! -- column: XSA | number | m² | 断面过水面积 | Wetted area | none
//! SELECT … AS "STCD", … AS "Z", CAST(NULL AS DOUBLE) AS "XSA" FROM …
//! ```
//! A column says its name, what it holds ([`ViewColumnKind`]), its unit, and its meaning in both languages; `none` says that the
//! platform has nothing for it. `in` and `in-value` say how a file with its columns comes in: [`crate::table_intake`]. What a statement may read and what it must give, the lake knows: [`lake::views`].

use crate::document::Document;
use crate::load::Pack;
use crate::table_intake;
use lake::views::{At, Mistake};
use model::problem::quote;
use model::{Problem, TableView, ViewColumn, ViewColumnKind};
use std::collections::BTreeSet;

/// Longest title or meaning, in characters.
const TITLE_CHARS_MAX: usize = 200;
/// Longest unit, in characters.
const UNIT_CHARS_MAX: usize = 20;
/// Tables that the platform lends beside people's records.
const LENT: [&str; 2] = ["entities_now", "indicators"];
/// What the names of the tables of PostgreSQL's catalogue begin with.
const CATALOGUE: [&str; 2] = ["pg_", "information_schema"];

/// A declared table with the lines of its file.
pub(crate) struct Declared {
    pub view: TableView,
    /// The line of each of its columns.
    column_lines: Vec<usize>,
    /// The lines of its way in.
    intake_lines: table_intake::Lines,
    place: String,
}

impl Declared {
    /// `file:line` of a mistake.
    fn at(&self, at: At) -> String {
        let line = match at {
            At::Name => 1,
            At::Column(n) => self.column_lines.get(n).copied().unwrap_or(1),
            At::Line(line) => self.view.sql_line + line.saturating_sub(1),
            At::Statement => self.view.sql_line,
        };
        format!("{}:{line}", self.place)
    }
}

/// Reads a file.
///
/// # Errors
/// Every mistake of its header, with its line.
pub(crate) fn read(document: &Document) -> Result<Declared, Vec<Problem>> {
    let mut reader = Reader {
        place: &document.place,
        problems: Vec::new(),
    };
    let (mut title_zh, mut title_en, mut source) = (None, None, None);
    let (mut columns, mut column_lines) = (Vec::new(), Vec::new());
    let mut intake_lines = table_intake::Lines::default();
    let lines: Vec<&str> = document.text.lines().collect();
    let mut header_lines = 0;
    for (n, line) in lines.iter().enumerate() {
        let line = line.trim();
        let Some(said) = line.strip_prefix("--") else {
            if line.is_empty() {
                continue;
            }
            break;
        };
        header_lines = n + 1;
        let said = said.trim();
        if said.is_empty() || said.starts_with('#') {
            continue;
        }
        let Some((key, value)) = said.split_once(':') else {
            let what = format!("{} is no `key: value`", quote(said));
            reader.say(n + 1, what, "begin remarks with `-- #`");
            continue;
        };
        let value = value.trim();
        let slot = match key.trim() {
            "title_zh" => &mut title_zh,
            "title_en" => &mut title_en,
            "source" => &mut source,
            "column" => {
                if let Some(column) = reader.column(n + 1, value) {
                    columns.push(column);
                    column_lines.push(n + 1);
                }
                continue;
            }
            "in" => {
                if let Err((line, what, mend)) = intake_lines.way(n + 1, value) {
                    reader.say(line, what, &mend);
                }
                continue;
            }
            "in-value" => {
                intake_lines.value(n + 1, value);
                continue;
            }
            other => {
                let what = format!("a table's header has no {}", quote(other));
                reader.say(
                    n + 1,
                    what,
                    "use title_zh, title_en, source, column, in and in-value",
                );
                continue;
            }
        };
        if !(1..=TITLE_CHARS_MAX).contains(&value.chars().count()) {
            let what = format!("{} is empty, or too long", key.trim());
            reader.say(n + 1, what, "say it in a few words");
        } else if slot.replace(value.to_owned()).is_some() {
            let what = format!("{} is said twice", key.trim());
            reader.say(n + 1, what, "say it once");
        }
    }
    for (key, slot) in [
        ("title_zh", &title_zh),
        ("title_en", &title_en),
        ("source", &source),
    ] {
        if slot.is_none() && reader.problems.is_empty() {
            let what = format!("the header has no {key}");
            reader.say(1, what, "add a line `-- key: value`");
        }
    }
    let intake = intake_lines.read().unwrap_or_else(|wrong| {
        for (line, what, mend) in wrong {
            reader.say(line, what, &mend);
        }
        None
    });
    let after = &lines[header_lines..];
    let blank = after
        .iter()
        .take_while(|line| line.trim().is_empty())
        .count();
    if after.len() == blank && reader.problems.is_empty() {
        let what = "there is no statement".to_owned();
        reader.say(
            header_lines.max(1),
            what,
            "write one SELECT below the header",
        );
    }
    match (title_zh, title_en, source) {
        (Some(title_zh), Some(title_en), Some(source)) if reader.problems.is_empty() => {
            Ok(Declared {
                view: TableView {
                    name: document.stem().to_owned(),
                    title_zh,
                    title_en,
                    source,
                    columns,
                    sql: after[blank..].join("\n"),
                    sql_line: header_lines + blank + 1,
                    reads: Vec::new(),
                    intake,
                },
                column_lines,
                intake_lines,
                place: document.place.clone(),
            })
        }
        _ => Err(reader.problems),
    }
}

struct Reader<'a> {
    place: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn say(&mut self, line: usize, what: String, mend: &str) {
        let place = format!("{}:{line}", self.place);
        let problem = Problem::new("table-header", what, place, mend);
        self.problems.push(problem);
    }

    /// `NAME | kind | unit | 中文 | English [| none]`.
    fn column(&mut self, line: usize, value: &str) -> Option<ViewColumn> {
        const MEND: &str = "write `-- column: NAME | kind | unit | 中文 | English`, and `| none` where the platform has nothing";
        let parts: Vec<&str> = value.split('|').map(str::trim).collect();
        let empty = match parts.get(5..) {
            Some([]) => false,
            Some(["none"]) => true,
            _ => {
                let what = format!("{} says {} things of a column", quote(value), parts.len());
                self.say(line, what, MEND);
                return None;
            }
        };
        let Some(kind) = ViewColumnKind::of(parts[1]) else {
            let words = ViewColumnKind::ALL.map(ViewColumnKind::as_str).join(", ");
            let what = format!("{} is nothing that a column holds", quote(parts[1]));
            self.say(line, what, &format!("use one of {words}"));
            return None;
        };
        let is_said = |text: &str| (1..=TITLE_CHARS_MAX).contains(&text.chars().count());
        if ![parts[0], parts[3], parts[4]].into_iter().all(is_said) {
            let what = "the column has no name, or no meaning in both languages".to_owned();
            self.say(line, what, MEND);
            return None;
        }
        if parts[2].chars().count() > UNIT_CHARS_MAX {
            let what = format!("the unit {} is too long", quote(parts[2]));
            self.say(line, what, "write its symbol, such as m³/s");
            return None;
        }
        Some(ViewColumn {
            name: parts[0].to_owned(),
            kind,
            unit: Some(parts[2].to_owned()).filter(|unit| !unit.is_empty()),
            title_zh: parts[3].to_owned(),
            title_en: parts[4].to_owned(),
            empty,
        })
    }
}

/// The declared tables that are right, in order, and every mistake of the others, with file and line.
pub(crate) fn arranged(
    kinds: &[model::EntityKind],
    declared: &[Declared],
) -> (Vec<TableView>, Vec<Problem>) {
    if declared.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut problems: Vec<Problem> = Vec::new();
    for declared in declared {
        let misfits = declared.intake_lines.misfits(&declared.view, kinds);
        problems.extend(misfits.into_iter().map(|misfit| Problem {
            place: format!("{}:{}", declared.place, misfit.place),
            ..misfit
        }));
    }
    let kinds = kinds.iter().map(|kind| (kind.name.clone(), kind.clone()));
    let views = declared.iter().map(|d| d.view.clone()).collect();
    let arranged = lake::views::arrange(&kinds.collect(), views);
    for declared in declared {
        if is_lent(&declared.view.name) {
            problems.push(Problem::new(
                "table-taken",
                format!(
                    "{} is one of the platform's own tables",
                    quote(&declared.view.name)
                ),
                declared.at(At::Name),
                "give it another name",
            ));
        }
    }
    let told = arranged.mistakes.into_iter().map(|mistake| {
        let Mistake { view, at, problem } = mistake;
        let declared = declared.iter().find(|d| d.view.name == view);
        let place = declared.map_or(view, |declared| declared.at(at));
        Problem { place, ..problem }
    });
    problems.extend(told);
    (arranged.views, problems)
}

/// Whether the platform lends a table of that name.
fn is_lent(name: &str) -> bool {
    let name = name.to_lowercase();
    LENT.contains(&name.as_str())
        || records::tables::table(&name).is_some()
        || CATALOGUE.iter().any(|begins| name.starts_with(begins))
}

/// Where packs declare tables of one name, or a table that has the name of another pack's entity type or of its current values.
pub(crate) fn clashes(packs: &[Pack]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut tables: BTreeSet<String> = BTreeSet::new();
    let types = || packs.iter().flat_map(|pack| &pack.kinds);
    let mut names: BTreeSet<String> = types().map(|kind| kind.name.to_lowercase()).collect();
    names.extend(types().map(|kind| format!("{}_now", kind.name.to_lowercase())));
    for pack in packs {
        for table in &pack.tables {
            let name = table.name.to_lowercase();
            let (is_type, is_new) = (names.contains(&name), tables.insert(name));
            if is_new && !is_type {
                continue;
            }
            let (pack, table) = (&pack.manifest.name, &table.name);
            problems.push(Problem::new(
                "pack-clash",
                format!("the pack {pack} declares the table {table}, and another pack has a table or an entity type of that name"),
                format!("{pack}/tables/{table}.sql"),
                "take one of the packs away, or rename it in one",
            ));
        }
    }
    problems
}
