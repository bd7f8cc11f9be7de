//! What is wrong with data elements and forms. One thing is asked once: an element has one origin, no two have the same, and no form asks
//! for what is known elsewhere; each refusal names the place where it is.

use super::known::{Index, Known, essence};
use super::{DUE_DAYS_MAX, Element, FIELDS_MAX, Field, Form, Origin, Per};
use crate::load::Pack;
use indicators::reports::Period;
use indicators::{Definition, Towns};
use model::Problem;
use model::problem::quote;
use std::collections::{BTreeMap, BTreeSet};

/// Longest title or name, in characters.
const TITLE_CHARS_MAX: usize = 100;
/// Longest definition, basis or help, in characters.
const TEXT_CHARS_MAX: usize = 500;
/// Shortest reason for a difference, in characters.
const WHY_CHARS_MIN: usize = 6;

/// Every mistake among the elements and forms of these packs. What a pack names that none of them has is one when they are all that there are.
pub(crate) fn mistakes(packs: &[&Pack], is_whole: bool) -> Vec<Problem> {
    if packs
        .iter()
        .all(|pack| pack.elements.is_empty() && pack.forms.is_empty())
    {
        return Vec::new();
    }
    let mut elements = BTreeMap::new();
    let mut forms = BTreeMap::new();
    let mut problems = Vec::new();
    for element in packs.iter().flat_map(|pack| &pack.elements) {
        if let Some(first) = elements.insert(element.id.as_str(), element) {
            problems.push(twice(
                "element-twice",
                &element.id,
                &element.place,
                first.place.as_str(),
            ));
        }
    }
    for form in packs.iter().flat_map(|pack| &pack.forms) {
        if let Some(first) = forms.insert(form.id.as_str(), form) {
            problems.push(twice(
                "form-twice",
                &form.id,
                &form.place,
                first.place.as_str(),
            ));
        }
    }
    let mut checking = Checking {
        packs,
        elements,
        forms,
        known: Index::of(packs),
        is_whole,
        problems,
    };
    for element in packs.iter().flat_map(|pack| &pack.elements) {
        checking.element(element);
    }
    checking.same();
    for form in packs.iter().flat_map(|pack| &pack.forms) {
        checking.form(form);
    }
    checking.problems
}

fn twice(code: &str, id: &str, place: &str, first: &str) -> Problem {
    Problem::new(
        code,
        format!("{} is declared twice: it is at {first} too", quote(id)),
        place,
        "give each an id of its own",
    )
}

fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=60).contains(&id.len()) && id.chars().all(plain)
}

/// A statement as its words, whatever the blanks and the case.
fn bare(sql: &str) -> String {
    let words: Vec<String> = sql.split_whitespace().map(str::to_lowercase).collect();
    let words = words.join(" ");
    words.trim_end_matches(';').trim_end().to_owned()
}

struct Checking<'a> {
    packs: &'a [&'a Pack],
    elements: BTreeMap<&'a str, &'a Element>,
    forms: BTreeMap<&'a str, &'a Form>,
    known: Index,
    is_whole: bool,
    problems: Vec<Problem>,
}

impl<'a> Checking<'a> {
    fn say(&mut self, place: &str, code: &str, what: String, mend: &str) {
        self.problems.push(Problem::new(code, what, place, mend));
    }

    fn words(&mut self, place: &str, code: &str, texts: &[(&str, &str, usize)]) {
        for (key, text, most) in texts {
            let chars = text.trim().chars().count();
            if !(1..=*most).contains(&chars) {
                let what = format!("{key} has {chars} characters");
                self.say(place, code, what, &format!("write 1 to {most}"));
            }
        }
    }

    fn indicator(&self, id: &str) -> Option<&'a Definition> {
        let mut all = self.packs.iter().flat_map(|pack| &pack.indicators);
        all.find(|indicator| indicator.id == id)
    }

    /// One element by itself.
    fn element(&mut self, element: &'a Element) {
        let place = element.place.as_str();
        if !is_id(&element.id) {
            let what = format!("{} is no id of a data element", quote(&element.id));
            self.say(
                place,
                "element-id",
                what,
                "use small letters, digits and hyphens",
            );
        }
        self.words(
            place,
            "element-words",
            &[
                ("name_zh", &element.name_zh, TITLE_CHARS_MAX),
                ("name_en", &element.name_en, TITLE_CHARS_MAX),
                ("definition_zh", &element.definition_zh, TEXT_CHARS_MAX),
                ("definition_en", &element.definition_en, TEXT_CHARS_MAX),
            ],
        );
        for (name, why) in &element.differs_from {
            if why.trim().chars().count() < WHY_CHARS_MIN {
                let what = format!(
                    "{} is said to be no {name}, without why",
                    quote(&element.id)
                );
                self.say(
                    place,
                    "element-differs",
                    what,
                    "say in a sentence what makes the difference",
                );
            }
        }
        let origins = element.origins();
        let [origin] = origins.as_slice() else {
            let what = format!("{} has {} origins", quote(&element.id), origins.len());
            let mend = "give it exactly one: indicator, sql, table with column and key, or form";
            self.say(place, "element-origin", what, mend);
            return;
        };
        match *origin {
            Origin::Indicator(id) => self.of_indicator(element, id),
            Origin::Sql(sql) => self.of_statement(element, sql),
            Origin::Column { table, column, key } => self.of_column(element, table, column, key),
            Origin::Form(form) => self.of_form(element, form),
        }
    }

    fn of_indicator(&mut self, element: &Element, id: &str) {
        match self.indicator(id) {
            Some(indicator) if indicator.towns == Towns::None || element.per != Per::Town => {
                let what = format!(
                    "the indicator {id} at {} has no value for each {}",
                    indicator.file,
                    element.per.as_str()
                );
                let mend = "give the indicator the query of its towns (`-- towns:`), or the element another origin";
                self.say(&element.place, "element-indicator", what, mend);
            }
            None if self.is_whole => {
                let what = format!("there is no indicator {}", quote(id));
                self.say(
                    &element.place,
                    "element-indicator",
                    what,
                    "name an indicator of a pack",
                );
            }
            Some(_) | None => {}
        }
    }

    fn of_statement(&mut self, element: &Element, sql: &str) {
        let column = element.per.code_column();
        let problem = match lake::reads(sql) {
            Err(problem) => Some(problem.what),
            Ok(_) => {
                let words = bare(sql);
                let wanted = [column, element.value_column()];
                let missing = wanted
                    .into_iter()
                    .find(|c| !words.contains(&c.to_lowercase()));
                missing.map(|missing| format!("the statement gives no column {missing}"))
            }
        };
        if let Some(what) = problem {
            let mend = format!("write SELECT {column}, … AS value … GROUP BY {column}");
            self.say(&element.place, "element-sql", what, &mend);
        }
    }

    fn of_column(&mut self, element: &Element, table: &str, column: &str, key: &str) {
        if column.is_empty() || key.is_empty() {
            let what = format!("the table {} is named without column and key", quote(table));
            let mend = "name the column, and as key the column that holds the division's code";
            self.say(&element.place, "element-table", what, mend);
            return;
        }
        let declared = self.packs.iter().find_map(|pack| {
            let table = pack
                .tables
                .iter()
                .find(|t| t.name.eq_ignore_ascii_case(table))?;
            Some((pack.manifest.name.as_str(), table))
        });
        let Some((pack, declared)) = declared else {
            // A department's table comes with its file, while the city runs.
            return;
        };
        for name in [column, key] {
            if !declared.columns.iter().any(|c| c.name == name) {
                let what = format!(
                    "the table {pack}/tables/{}.sql has no column {}",
                    declared.name,
                    quote(name)
                );
                self.say(
                    &element.place,
                    "element-table",
                    what,
                    "name one of its columns",
                );
            }
        }
    }

    /// What people are asked: in a form that is there, and only what is known nowhere.
    fn of_form(&mut self, element: &'a Element, form: &str) {
        match self.forms.get(form) {
            Some(form)
                if !form
                    .fields
                    .iter()
                    .any(|f| f.element() == element.id && f.ask) =>
            {
                let what = format!(
                    "{} is to be asked in {}, which does not ask for it",
                    quote(&element.id),
                    form.id
                );
                let mend = format!(
                    "add it to {} as a field with ask = true, or give it another origin",
                    form.place
                );
                self.say(&element.place, "element-form", what, &mend);
            }
            None if self.is_whole => {
                let what = format!("there is no form {}", quote(form));
                self.say(
                    &element.place,
                    "element-form",
                    what,
                    "name a form of a pack",
                );
            }
            Some(_) | None => {}
        }
        let found: Vec<Known> = self.known.under(element.per, &element.name_zh).to_vec();
        for known in found {
            if element.differs_from.contains_key(&known.name) {
                continue;
            }
            let what = format!(
                "{} ({}) 已在{}中：{}; the platform knows it there",
                element.name_zh, element.id, known.what, known.place
            );
            let mend = format!(
                "bind it: {}; or say why it is something else: differs_from = {{ \"{}\" = \"…\" }}",
                known.bind, known.name
            );
            self.say(&element.place, "element-known", what, &mend);
        }
    }

    /// Two elements of one origin, or of one name, are one thing under two names.
    fn same(&mut self) {
        let mut origins: BTreeMap<(Per, String), &Element> = BTreeMap::new();
        let mut names: BTreeMap<(Per, String), &Element> = BTreeMap::new();
        let all: Vec<&'a Element> = self.packs.iter().flat_map(|pack| &pack.elements).collect();
        for element in all {
            let origin = match element.origin() {
                Some(Origin::Indicator(id)) => Some(format!("indicator {id}")),
                Some(Origin::Sql(sql)) => Some(format!("{} {}", bare(sql), element.value_column())),
                Some(Origin::Column { table, column, .. }) => {
                    Some(format!("column {table}.{column}").to_lowercase())
                }
                Some(Origin::Form(_)) | None => None,
            };
            let first = origin.and_then(|origin| origins.insert((element.per, origin), element));
            if let Some(first) = first.filter(|first| first.id != element.id) {
                let what = format!(
                    "{} has the origin of {}, which is at {}: one thing under two names",
                    quote(&element.id),
                    quote(&first.id),
                    first.place
                );
                let mend = format!("use {} instead", first.id);
                self.say(&element.place, "element-same-origin", what, &mend);
                continue;
            }
            let name = (element.per, essence(&element.name_zh));
            let Some(first) = names.insert(name, element) else {
                continue;
            };
            let differs = |a: &Element, b: &Element| {
                a.differs_from.contains_key(&format!("element:{}", b.id))
            };
            if first.id == element.id || differs(element, first) || differs(first, element) {
                continue;
            }
            let what = format!(
                "{} ({}) is called like {} ({}), which is at {}",
                quote(&element.id),
                element.name_zh,
                quote(&first.id),
                first.name_zh,
                first.place
            );
            let mend = format!(
                "use {}, or say why it is something else: differs_from = {{ \"element:{}\" = \"…\" }}",
                first.id, first.id
            );
            self.say(&element.place, "element-same-name", what, &mend);
        }
    }

    fn form(&mut self, form: &'a Form) {
        let place = form.place.as_str();
        if !is_id(&form.id) {
            let what = format!("{} is no id of a form", quote(&form.id));
            self.say(
                place,
                "form-id",
                what,
                "use small letters, digits and hyphens",
            );
        }
        self.words(
            place,
            "form-words",
            &[
                ("title_zh", &form.title_zh, TITLE_CHARS_MAX),
                ("title_en", &form.title_en, TITLE_CHARS_MAX),
                ("basis_zh", &form.basis_zh, TEXT_CHARS_MAX),
                ("basis_en", &form.basis_en, TEXT_CHARS_MAX),
                ("asked_by", &form.asked_by, TITLE_CHARS_MAX),
            ],
        );
        let from = Period::parse(&form.from).ok();
        if from.is_none_or(|from| !form.every.fits(&from)) {
            let what = format!(
                "{} is no period of a form of each {}",
                quote(&form.from),
                form.every.as_str()
            );
            self.say(
                place,
                "form-from",
                what,
                "write the first period as 2026, 2026-Q1 or 2026-01",
            );
        }
        if form.due_days > DUE_DAYS_MAX {
            let what = format!("it is due {} days after its period", form.due_days);
            self.say(
                place,
                "form-due",
                what,
                &format!("write at most {DUE_DAYS_MAX} days"),
            );
        }
        if !(1..=FIELDS_MAX).contains(&form.fields.len()) {
            let what = format!("the form has {} fields", form.fields.len());
            self.say(
                place,
                "form-fields",
                what,
                &format!("give it 1 to {FIELDS_MAX}"),
            );
        }
        let mut seen = BTreeSet::new();
        for field in &form.fields {
            if field.element.is_some() && !seen.insert(field.element()) {
                let what = format!("{} has {} twice", form.id, quote(field.element()));
                self.say(
                    &field.place,
                    "form-element-twice",
                    what,
                    "take one of the two fields away",
                );
            }
            self.field(form, field);
        }
    }

    fn field(&mut self, form: &Form, field: &Field) {
        let place = field.place.as_str();
        let Some(id) = field.element.as_deref() else {
            let what = format!("a field of {} is bound to no data element", form.id);
            let mend = "name one as element; what is new is declared in elements.toml first";
            self.say(place, "form-field-element", what, mend);
            return;
        };
        let Some(&element) = self.elements.get(id) else {
            if self.is_whole {
                let what = format!("there is no data element {}", quote(id));
                self.say(
                    place,
                    "form-unknown-element",
                    what,
                    "declare it in elements.toml, or name one that is there",
                );
            }
            return;
        };
        if element.per != form.of {
            let what = format!(
                "{} is told of each {}, the form is filled in by each {}",
                quote(id),
                element.per.as_str(),
                form.of.as_str()
            );
            self.say(
                place,
                "form-per",
                what,
                "take an element of the same divisions",
            );
        }
        let is_own = element.is_asked_in(&form.id);
        // One without an origin, or with several, is told where it is declared.
        let is_told = element.origins().len() != 1;
        match (field.ask, is_own) {
            _ if is_told => {}
            (true, false) => {
                let (what, known) = self.where_known(element);
                let what = format!(
                    "{} asks for {} ({id}) again: 已在{what}中：{known}; the platform knows it there",
                    form.id, element.name_zh
                );
                let mend = "take ask = true away: the platform fills it in, with its source";
                self.say(place, "form-asks-known", what, mend);
            }
            (false, true) => {
                let what = format!(
                    "{} is asked here and nowhere else, and the field does not ask",
                    quote(id)
                );
                self.say(place, "form-not-asked", what, "say ask = true");
            }
            (true, true) | (false, false) => {}
        }
        if !field.ask && (field.required || field.min.is_some() || field.max.is_some()) {
            let what = format!("{} is filled in by the platform and has limits", quote(id));
            self.say(
                place,
                "form-limits",
                what,
                "take required, min and max away",
            );
        }
        let is_limited = field.min.is_some() || field.max.is_some();
        let (min, max) = field.limits(element);
        if is_limited && (min > max || !element.datatype.is_number()) {
            let what = format!("{} ranges from {min} to {max}", quote(id));
            self.say(
                place,
                "form-limits",
                what,
                "give limits to numbers only, the smaller as min",
            );
        }
        for (key, text) in [("help_zh", &field.help_zh), ("help_en", &field.help_en)] {
            if text.chars().count() > TEXT_CHARS_MAX
                || field.help_zh.is_empty() != field.help_en.is_empty()
            {
                let what = format!(
                    "{key} of {} is too long, or in one language only",
                    quote(id)
                );
                self.say(place, "form-words", what, "say it in both, in a sentence");
                break;
            }
        }
    }

    /// What holds an element, and where: `packs/…:line`.
    fn where_known(&self, element: &Element) -> (String, String) {
        match element.origin() {
            Some(Origin::Indicator(id)) => match self.indicator(id) {
                Some(indicator) => (
                    format!("指标“{}”", indicator.name_zh),
                    format!("{}:{}", indicator.file, indicator.towns_sql_line),
                ),
                None => (format!("指标 {id}"), element.place.clone()),
            },
            Some(Origin::Sql(_)) => ("平台查询".to_owned(), element.place.clone()),
            Some(Origin::Column { table, column, .. }) => {
                (format!("表 {table} 的列 {column}"), element.place.clone())
            }
            Some(Origin::Form(id)) => match self.forms.get(id) {
                Some(form) => {
                    let field = form.fields.iter().find(|f| f.element() == element.id);
                    let place = field.map_or(&form.place, |field| &field.place);
                    (format!("报表“{}”", form.title_zh), place.clone())
                }
                None => (format!("报表 {id}"), element.place.clone()),
            },
            None => ("数据元".to_owned(), element.place.clone()),
        }
    }
}
