//! A roster (值班表) as a sheet that people fill in a workbook: what its columns are, what a file of it asks for, and everything
//! that is wrong with it by line and column. Two layouts are read: a line for each turn (日期, 班次, 值班岗, 人员), and a line for
//! each day with a column for each post (日期, 白班 值班员, 夜班 带班领导 …), as offices hang it on the wall.
//!
//! Reading order: [`read`] (what a file says), [`against`] (what of it clashes with the roster), [`write`](fn@write) (the sheets to
//! fill).

use crate::roster::{Slot, Span, clash, span, written_day};
use jiff::tz::TimeZone;
use model::problem::{both, quote};
use model::{Both, Timestamp, Told};

pub use model::sheet::{Mistake, Sheet, Written};

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// What a file may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most turns of a file. Default: 2,000.
    pub turns_max: usize,
    /// Most mistakes that are told one by one; the others are counted. Default: 1,000.
    pub mistakes_max: usize,
    /// Longest post, characters. Default: 200.
    pub post_chars_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turns_max: 2_000,
            mistakes_max: 1_000,
            post_chars_max: 200,
        }
    }
}

/// A column of a line for each turn.
struct Column {
    key: &'static str,
    /// Its Chinese names; the first is written.
    zh: &'static [&'static str],
    en: &'static str,
    about_zh: &'static str,
    about_en: &'static str,
}

const DAY: &str = "day";
const SHIFT: &str = "shift";
const POST: &str = "post";
const PERSON: &str = "person";

const COLUMNS: [Column; 4] = [
    Column {
        key: DAY,
        zh: &["日期", "值班日期", "日"],
        en: "day",
        about_zh: "班次开始的那一天，如 2026-12-01",
        about_en: "the day on which the shift begins, such as 2026-12-01",
    },
    Column {
        key: SHIFT,
        zh: &["班次"],
        en: "shift",
        about_zh: "本单位班次的名称；只有一个班次时可空",
        about_en: "title of a shift of the organisation; may be empty where there is one only",
    },
    Column {
        key: POST,
        zh: &["值班岗", "岗位", "值班岗位"],
        en: "post",
        about_zh: "如：值班员、带班领导",
        about_en: "such as duty officer",
    },
    Column {
        key: PERSON,
        zh: &["人员", "姓名", "值班人员", "值班人"],
        en: "person",
        about_zh: "姓名；同名的写登录名；多人用顿号分开",
        about_en: "name, or what is typed at sign-in where two share one; several with ; between",
    },
];

/// Columns that stand in many rosters and say nothing that is read.
const PLAIN: [&str; 6] = ["星期", "周", "备注", "序号", "weekday", "note"];
/// The post of a column that names a shift alone.
const POST_PLAIN: &str = "值班员";
/// The sheet that says how to fill the other.
const ABOUT_SHEET: &str = "填写说明";
/// The name of the sheet that is written.
const SHEET: &str = "值班表";
/// What stands between people in a cell.
const BETWEEN: [char; 8] = ['、', ',', '，', ';', '；', '/', '\n', '\r'];

/// A shift (班次) that turns may be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its number.
    pub id: i64,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// From this minute of the day.
    pub from_minute: i64,
    /// Until this one; of the next day where it is not later.
    pub until_minute: i64,
}

/// Somebody who may be put on the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub id: i64,
    /// What they type at sign-in.
    pub username: String,
    /// Their name.
    pub name: String,
}

/// What a file is read against.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The organisation's shifts.
    pub shifts: &'a [Shift],
    /// The organisation's people.
    pub people: &'a [Person],
    /// The city's zone.
    pub zone: &'a TimeZone,
    /// The time.
    pub now: Timestamp,
}

/// A turn that a file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The sheet.
    pub sheet: String,
    /// The line.
    pub line: u64,
    /// The column that names the person.
    pub column: String,
    /// The shift.
    pub shift_id: i64,
    /// The day on which it begins, `2026-12-01`.
    pub day: String,
    /// The post.
    pub post: String,
    /// Who.
    pub user_id: i64,
    /// Their name.
    pub name: String,
    /// From when until when.
    pub span: Span,
    /// Whether the roster has it already.
    pub is_there: bool,
}

impl Asked {
    fn slot(&self) -> Slot<'_> {
        Slot {
            shift_id: self.shift_id,
            day: &self.day,
            span: self.span,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.user_id, &self.post) == (other.user_id, &other.post)
            && (self.shift_id, &self.day) == (other.shift_id, &other.day)
    }
}

/// What a file asks for, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The turns of good cells, in the order of the file.
    pub turns: Vec<Asked>,
    /// The first mistakes, in the order of the file.
    pub mistakes: Vec<Mistake>,
    /// All mistakes.
    pub mistakes_count: usize,
    /// Sheets and columns that are not read.
    pub not_read: Vec<String>,
}

/// A turn of one of the asked people that the roster has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whose.
    pub user_id: i64,
    /// The shift.
    pub shift_id: i64,
    /// The day.
    pub day: String,
    /// The post.
    pub post: String,
    /// From when until when.
    pub span: Span,
}

/// Which column of a sheet says what.
enum Layout<'a> {
    /// A line for each turn; the places of its columns.
    Turns(BTreeMap<&'static str, usize>),
    /// A line for each day: the place of the day, and of each post its place, its shift and what it is called.
    Days(usize, Vec<(usize, &'a Shift, String)>),
}

/// A cell with its place.
#[derive(Clone, Copy)]
struct At<'a> {
    sheet: &'a str,
    line: u64,
    column: &'a str,
    value: &'a str,
}

struct Reader<'a> {
    known: Known<'a>,
    limits: &'a Limits,
    read: Read,
}

/// What the sheets of a file ask for. A file with a mistake is to be refused whole.
pub fn read(sheets: &[Sheet], known: Known<'_>, limits: &Limits) -> Read {
    let mut reader = Reader {
        known,
        limits,
        read: Read::default(),
    };
    let mut found = 0;
    for sheet in sheets {
        if sheet.name == ABOUT_SHEET {
            continue;
        }
        match reader.layout(sheet) {
            Some(layout) => {
                found += 1;
                reader.sheet(sheet, &layout);
            }
            None => reader.read.not_read.push(sheet.name.clone()),
        }
    }
    if found == 0 {
        let sheet = sheets.first().map_or("", |sheet| sheet.name.as_str());
        let told = Told::new(
            "duty-sheet",
            both(
                "文件里没有值班表：要有“日期”一列，再有“值班岗”“人员”两列，或每个班次、岗位一列",
                "there is no roster in the file: it has a column day, and the columns post and person or one for each shift and post",
            ),
            sheet,
            both(
                "请用导出的模板填写；班次要先在页面上设好",
                "fill the template that the export gives; make the shifts on the page first",
            ),
        );
        reader.mistake(sheet, None, None, None, told);
    }
    let turns = reader.read.turns.len();
    if turns > limits.turns_max {
        let max = limits.turns_max;
        let told = Told::new(
            "duty-turns",
            both(
                format!("文件排了 {turns} 人次"),
                format!("the file has {turns} turns"),
            ),
            "file",
            both(
                format!("请拆成每个不超过 {max} 人次的文件"),
                format!("cut it into files of at most {max}"),
            ),
        );
        let sheet = sheets.first().map_or("", |sheet| sheet.name.as_str());
        reader.mistake(sheet, None, None, None, told);
    }
    reader.within();
    reader.read
}

/// Looks for what of a file is on the roster already, and for what clashes with it; `taken` are the turns of the asked people.
pub fn against(read: &mut Read, taken: &[Taken], limits: &Limits) {
    let mut of: BTreeMap<i64, Vec<&Taken>> = BTreeMap::new();
    for turn in taken {
        of.entry(turn.user_id).or_default().push(turn);
    }
    let mut clashes = Vec::new();
    for asked in &mut read.turns {
        let turns = of.get(&asked.user_id).map_or(&[][..], Vec::as_slice);
        asked.is_there = turns.iter().any(|turn| {
            (turn.shift_id, &turn.day, &turn.post) == (asked.shift_id, &asked.day, &asked.post)
        });
        let other = turns.iter().find(|turn| {
            let slot = Slot {
                shift_id: turn.shift_id,
                day: &turn.day,
                span: turn.span,
            };
            clash(&asked.slot(), &slot)
        });
        if let Some(other) = other.filter(|_| !asked.is_there) {
            let what = both(
                format!(
                    "{} 在 {} 已有另一个班次（{}）",
                    asked.name, other.day, other.post
                ),
                format!(
                    "{} has another shift on {}: {}",
                    asked.name, other.day, other.post
                ),
            );
            clashes.push(clashing(asked, what));
        }
    }
    for mistake in clashes {
        add(read, mistake, limits);
    }
    read.mistakes.sort_by(in_order);
}

fn clashing(asked: &Asked, what: Both) -> Mistake {
    Mistake {
        sheet: asked.sheet.clone(),
        line: Some(asked.line),
        column: Some(asked.column.clone()),
        value: Some(asked.name.clone()),
        told: Told::new(
            "duty-overlap",
            what,
            both("人员", "person"),
            both("请换一个人或换一天", "take somebody else, or another day"),
        ),
    }
}

/// Sheet by sheet, line by line.
fn in_order(a: &Mistake, b: &Mistake) -> Ordering {
    (&a.sheet, a.line).cmp(&(&b.sheet, b.line))
}

fn add(read: &mut Read, mistake: Mistake, limits: &Limits) {
    read.mistakes_count += 1;
    if read.mistakes.len() < limits.mistakes_max {
        read.mistakes.push(mistake);
    }
}

/// A column's name as it is compared: without its star, and without what stands behind it in brackets or in the other language.
fn heads(name: &str) -> [String; 2] {
    let plain = name
        .trim()
        .trim_end_matches(['*', '＊'])
        .trim()
        .to_lowercase();
    let first = plain.split([' ', '(', '（']).next().unwrap_or_default();
    [plain.clone(), first.to_owned()]
}

fn column(name: &str) -> Option<&'static Column> {
    let heads = heads(name);
    COLUMNS.iter().find(|column| {
        let is = |head: &String| column.en == head || column.zh.contains(&head.as_str());
        heads.iter().any(is)
    })
}

/// A name without white space: 王 敏 is written so to be as wide as 欧阳敏.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

impl<'a> Reader<'a> {
    fn mistake(
        &mut self,
        sheet: &str,
        line: Option<u64>,
        column: Option<&str>,
        value: Option<&str>,
        told: Told,
    ) {
        let mistake = Mistake {
            sheet: sheet.to_owned(),
            line,
            column: column.map(str::to_owned),
            value: value.filter(|text| !text.is_empty()).map(quote),
            told,
        };
        add(&mut self.read, mistake, self.limits);
    }

    fn wrong(&mut self, at: At<'_>, told: Told) {
        self.mistake(
            at.sheet,
            Some(at.line),
            Some(at.column),
            Some(at.value),
            told,
        );
    }

    /// What the columns of a sheet say; `None` of one that is no roster.
    fn layout(&mut self, sheet: &Sheet) -> Option<Layout<'a>> {
        let mut places = BTreeMap::new();
        let mut others = Vec::new();
        for (place, name) in sheet.names.iter().enumerate() {
            match column(name) {
                Some(column) if !places.contains_key(column.key) => {
                    places.insert(column.key, place);
                }
                _ => others.push((place, name)),
            }
        }
        let day = *places.get(DAY)?;
        let is_turns = places.contains_key(PERSON) && places.contains_key(POST);
        let mut posts = Vec::new();
        for (place, name) in others {
            if name.trim().is_empty() || PLAIN.contains(&heads(name)[1].as_str()) {
                continue;
            }
            match self.post_of(name).filter(|_| !is_turns) {
                Some((shift, post)) => posts.push((place, shift, post)),
                None => self.read.not_read.push(format!("{}：{name}", sheet.name)),
            }
        }
        if is_turns {
            return Some(Layout::Turns(places));
        }
        (!posts.is_empty()).then_some(Layout::Days(day, posts))
    }

    /// The shift and the post that a column is of: 白班 值班员, 夜班/带班领导; where there is one shift only, the post alone.
    fn post_of(&self, name: &str) -> Option<(&'a Shift, String)> {
        let name = name.trim().trim_end_matches(['*', '＊']).trim();
        let lower = name.to_lowercase();
        let longest = |shift: &&Shift| shift.title_zh.len().max(shift.title_en.len());
        let begins = self.known.shifts.iter().filter_map(|shift| {
            let titles = [&shift.title_zh, &shift.title_en];
            let begin = titles
                .into_iter()
                .find(|title| lower.starts_with(&title.to_lowercase()))?;
            Some((shift, begin.len()))
        });
        match (
            begins.max_by_key(|(shift, _)| longest(shift)),
            self.known.shifts,
        ) {
            (Some((shift, taken)), _) => {
                let rest = name.get(taken..).unwrap_or_default();
                let sign = |c: char| c.is_whitespace() || "/-—–·:：_（）()".contains(c);
                let post = rest.trim_matches(sign);
                let post = if post.is_empty() { POST_PLAIN } else { post };
                Some((shift, post.to_owned()))
            }
            (None, [only]) => Some((only, name.to_owned())),
            (None, _) => None,
        }
    }

    fn sheet(&mut self, sheet: &Sheet, layout: &Layout<'a>) {
        for (line, cells) in &sheet.rows {
            let at = |place: Option<&usize>| {
                let place = place.copied().unwrap_or(usize::MAX);
                At {
                    sheet: &sheet.name,
                    line: *line,
                    column: sheet.names.get(place).map_or("", |name| name.trim()),
                    value: cells.get(place).map_or("", |cell| cell.trim()),
                }
            };
            match layout {
                Layout::Turns(places) => {
                    let day = self.day(at(places.get(DAY)));
                    let shift = self.shift(at(places.get(SHIFT)));
                    let person = at(places.get(PERSON));
                    let post = self.post(at(places.get(POST)));
                    let people = self.people(person, true);
                    if let (Some(day), Some(shift), Some(post)) = (day, shift, post) {
                        self.turns(person, (&day, shift, &post), &people);
                    }
                }
                Layout::Days(place, posts) => {
                    let is_free = posts
                        .iter()
                        .all(|(place, _, _)| at(Some(place)).value.is_empty());
                    if is_free {
                        // A line of the month without anybody, or of words below the table.
                        continue;
                    }
                    let Some(day) = self.day(at(Some(place))) else {
                        continue;
                    };
                    for (place, shift, post) in posts {
                        let cell = at(Some(place));
                        let people = self.people(cell, false);
                        self.turns(cell, (&day, shift, post), &people);
                    }
                }
            }
        }
    }

    fn day(&mut self, at: At<'_>) -> Option<String> {
        if let Some(day) = written_day(at.value) {
            return Some(day.to_string());
        }
        let told = Told::new(
            "duty-day",
            both(
                format!("“{}”不是日期", quote(at.value)),
                format!("\"{}\" is no day", quote(at.value)),
            ),
            both("日期", "day"),
            both("请写成 2026-12-01", "write it as 2026-12-01"),
        );
        self.wrong(at, told);
        None
    }

    fn shift(&mut self, at: At<'_>) -> Option<&'a Shift> {
        let shifts = self.known.shifts;
        if let ([only], "") = (shifts, at.value) {
            return Some(only);
        }
        let asked = squeezed(at.value);
        let mut found = shifts.iter().filter(|shift| {
            squeezed(&shift.title_zh) == asked || squeezed(&shift.title_en) == asked
        });
        match (found.next(), found.next()) {
            (Some(shift), None) => Some(shift),
            (Some(_), Some(_)) => {
                let told = Told::new(
                    "duty-shift-many",
                    both(
                        format!("有几个班次都叫“{}”", quote(at.value)),
                        format!("several shifts are called \"{}\"", quote(at.value)),
                    ),
                    both("班次", "shift"),
                    both(
                        "请先在页面上停用其中一个，或改名",
                        "close one of them on the page, or give it another title",
                    ),
                );
                self.wrong(at, told);
                None
            }
            (None, _) => {
                let titles = |title: fn(&Shift) -> &str| {
                    let titles: Vec<&str> = shifts.iter().map(title).collect();
                    titles.join("、")
                };
                let mend = match shifts.is_empty() {
                    true => both("请先在页面上设班次", "make shifts on the page first"),
                    false => both(
                        format!("请填：{}", titles(|shift| &shift.title_zh)),
                        format!("use one of {}", titles(|shift| &shift.title_en)),
                    ),
                };
                let told = Told::new(
                    "duty-pattern",
                    both(
                        format!("本单位没有班次“{}”", quote(at.value)),
                        format!("the organisation has no shift \"{}\"", quote(at.value)),
                    ),
                    both("班次", "shift"),
                    mend,
                );
                self.wrong(at, told);
                None
            }
        }
    }

    fn post(&mut self, at: At<'_>) -> Option<String> {
        let (chars, max) = (at.value.chars().count(), self.limits.post_chars_max);
        if (1..=max).contains(&chars) {
            return Some(at.value.to_owned());
        }
        let told = Told::new(
            "duty-text",
            both(
                format!("值班岗有 {chars} 个字"),
                format!("the post has {chars} characters"),
            ),
            both("值班岗", "post"),
            both(
                format!("请写 1 至 {max} 个字"),
                format!("write 1 to {max} characters"),
            ),
        );
        self.wrong(at, told);
        None
    }

    /// The people of a cell.
    fn people(&mut self, at: At<'_>, must: bool) -> Vec<&'a Person> {
        let mut people = Vec::new();
        let named: Vec<&str> = at
            .value
            .split(BETWEEN)
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if named.is_empty() && must {
            let told = Told::new(
                "duty-person-missing",
                both("没有写人员", "nobody is named"),
                both("人员", "person"),
                both("请写姓名，或删掉这一行", "write who, or take the line out"),
            );
            self.wrong(at, told);
        }
        for name in named {
            match self.person(name) {
                Ok(person) => people.push(person),
                Err(told) => self.wrong(At { value: name, ..at }, told),
            }
        }
        people
    }

    fn person(&self, text: &str) -> Result<&'a Person, Told> {
        let (name, username) = (squeezed(text), text.to_lowercase());
        let people = self.known.people;
        if let Some(person) = people
            .iter()
            .find(|p| p.username.to_lowercase() == username)
        {
            return Ok(person);
        }
        let mut found = people.iter().filter(|p| squeezed(&p.name) == name);
        match (found.next(), found.next()) {
            (Some(person), None) => Ok(person),
            (Some(_), Some(_)) => Err(Told::new(
                "duty-person-many",
                both(
                    format!("有几个人都叫“{}”", quote(text)),
                    format!("several people are called \"{}\"", quote(text)),
                ),
                both("人员", "person"),
                both("请改写登录名", "write what the person types at sign-in"),
            )),
            (None, _) => Err(Told::new(
                "duty-person-unknown",
                both(
                    format!("本单位没有在用账号的“{}”", quote(text)),
                    format!(
                        "nobody of the organisation who may sign in is called \"{}\"",
                        quote(text)
                    ),
                ),
                both("人员", "person"),
                both(
                    "请核对姓名；外单位的人先给他本单位的岗位",
                    "check the name; give who is of another organisation a post of this one first",
                ),
            )),
        }
    }

    fn turns(
        &mut self,
        at: At<'_>,
        (day, shift, post): (&str, &Shift, &str),
        people: &[&'a Person],
    ) {
        if people.is_empty() {
            return;
        }
        let known = self.known;
        let times = written_day(day)
            .and_then(|day| span(day, shift.from_minute, shift.until_minute, known.zone).ok())
            .filter(|(_, until)| *until > known.now);
        let Some(span) = times else {
            let told = Told::new(
                "duty-past",
                both(
                    format!("{day} 的“{}”已经结束，不能再排", shift.title_zh),
                    format!("the shift \"{}\" of {day} is over", shift.title_en),
                ),
                both("日期", "day"),
                both("请选择今天或以后的班次", "take a shift of today or later"),
            );
            return self.wrong(at, told);
        };
        for person in people {
            self.read.turns.push(Asked {
                sheet: at.sheet.to_owned(),
                line: at.line,
                column: at.column.to_owned(),
                shift_id: shift.id,
                day: day.to_owned(),
                post: post.to_owned(),
                user_id: person.id,
                name: person.name.clone(),
                span,
                is_there: false,
            });
        }
    }

    /// What of the file clashes with another line of it; the same turn twice is one.
    fn within(&mut self) {
        let mut kept: Vec<Asked> = Vec::new();
        let mut of: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut clashes = Vec::new();
        for asked in std::mem::take(&mut self.read.turns) {
            let before = of.entry(asked.user_id).or_default();
            let earlier = || before.iter().filter_map(|n| kept.get(*n));
            if earlier().any(|other| other.is_same(&asked)) {
                continue;
            }
            if let Some(other) = earlier().find(|other| clash(&asked.slot(), &other.slot())) {
                let line = other.line;
                let what = both(
                    format!("{} 在第 {line} 行已排了同一时间的班", asked.name),
                    format!("{} has a shift of that time in line {line}", asked.name),
                );
                clashes.push(clashing(&asked, what));
                continue;
            }
            before.push(kept.len());
            kept.push(asked);
        }
        self.read.turns = kept;
        for mistake in clashes {
            add(&mut self.read, mistake, self.limits);
        }
        self.read.mistakes.sort_by(in_order);
    }
}

/// A turn to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The day.
    pub day: String,
    /// The shift's title in Chinese.
    pub shift: String,
    /// The post.
    pub post: String,
    /// Whose it is.
    pub user_id: i64,
    /// Their name, where they are none of the organisation's people any more.
    pub name: String,
}

/// The turns as the sheet that is read, a template to fill where there are none, and how to fill it.
pub fn write(lines: &[Line], shifts: &[Shift], people: &[Person]) -> Vec<Written> {
    let called = |person: &Person| {
        let alike = people.iter().filter(|p| p.name == person.name).count();
        if alike == 1 {
            person.name.clone()
        } else {
            person.username.clone()
        }
    };
    let names: BTreeMap<i64, String> = people.iter().map(|p| (p.id, called(p))).collect();
    let rows = lines.iter().map(|line| {
        let name = names.get(&line.user_id).unwrap_or(&line.name);
        vec![
            line.day.clone(),
            line.shift.clone(),
            line.post.clone(),
            name.clone(),
        ]
    });
    let place = |key: &str| COLUMNS.iter().position(|column| column.key == key);
    let titles: BTreeSet<String> = shifts.iter().map(|s| s.title_zh.clone()).collect();
    let mut choices = Vec::new();
    choices.extend(place(SHIFT).map(|at| (at, titles.into_iter().collect())));
    choices.extend(place(PERSON).map(|at| (at, names.values().cloned().collect())));
    // A list that is longer than a workbook takes is not offered (ECMA-376 part 1, 18.3.1.33: 255 characters).
    choices.retain(|(_, list): &(usize, Vec<String>)| {
        !list.is_empty()
            && list
                .iter()
                .map(|one| one.chars().count() + 1)
                .sum::<usize>()
                <= 255
    });
    let about = COLUMNS.iter().map(|column| {
        vec![
            column.zh[0].to_owned(),
            column.about_zh.to_owned(),
            column.about_en.to_owned(),
        ]
    });
    vec![
        Written {
            name: SHEET.to_owned(),
            names: COLUMNS.iter().map(|c| c.zh[0].to_owned()).collect(),
            rows: rows.collect(),
            choices,
        },
        Written {
            name: ABOUT_SHEET.to_owned(),
            names: ["列 column", "说明", "about"].map(str::to_owned).to_vec(),
            rows: about.collect(),
            choices: Vec::new(),
        },
    ]
}

#[cfg(test)]
mod tests;
