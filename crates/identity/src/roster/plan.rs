//! What a file would do: every line against its own rules, the other lines and what there is. Nothing is written.

use super::columns::{Kind, role_word};
use super::{Doing, Line, Mistake, Report, Sheet};
use crate::organisation::{self, Fault, NewOrganisation, by_id};
use crate::posts::{self, NewPost, administers, administrator, free_id};
use crate::role::Role;
use crate::users::clean_username;
use crate::{Identity, checks};
use model::problem::{both, quote};
use model::{Both, Timestamp, Told};
use records::organisations::Organisation;
use records::posts::{Holder, Post};
use records::users::{PeopleFilter, User};
use records::{Connection, PageRequest, Result, organisations, users};
use std::collections::{BTreeMap, BTreeSet};

/// A person as the file has them.
#[derive(Clone, Debug)]
pub(super) struct PersonPlan {
    pub doing: Doing,
    /// The person as they are, when they are there.
    pub before: Option<User>,
    pub username: String,
    pub name: String,
    pub role: Role,
    pub organisation_id: Option<String>,
    pub phone: Option<String>,
    /// Posts that they do not hold yet.
    pub gets: Vec<String>,
}

impl PersonPlan {
    /// Whether the person would get a role, or another one: by name, or by a post.
    pub fn gives_role(&self) -> bool {
        let before = self.before.as_ref().map(|u| u.role.as_str());
        !self.gets.is_empty() || self.role.as_str() != before.unwrap_or(Role::None.as_str())
    }
}

/// What a file would do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Those that are above others first.
    pub organisations: Vec<(Doing, Organisation)>,
    pub posts: Vec<(Doing, Post)>,
    pub people: Vec<PersonPlan>,
    pub report: Report,
}

impl Plan {
    /// Whether somebody would get a role by it: by name, or by a post.
    pub fn gives_roles(&self) -> bool {
        self.posts.iter().any(|(doing, _)| *doing != Doing::Same)
            || self.people.iter().any(PersonPlan::gives_role)
    }

    /// Leaves all of that out.
    pub fn leave_roles(&mut self) {
        self.posts.clear();
        for person in &mut self.people {
            let before = person.before.as_ref().and_then(|u| u.role.parse().ok());
            person.role = before.unwrap_or(Role::None);
            person.gets.clear();
        }
        self.report.lines.retain(|line| line.kind != Kind::Posts);
        self.report.holders = 0;
    }
}

/// A line of a sheet, by the keys of its columns.
struct Cells<'a> {
    sheet: &'a str,
    line: u64,
    names: &'a [String],
    places: &'a BTreeMap<&'static str, usize>,
    cells: &'a [String],
}

impl Cells<'_> {
    /// What stands under a column; empty where there is none.
    fn get(&self, key: &str) -> &str {
        let place = self.places.get(key);
        let cell = place.and_then(|place| self.cells.get(*place));
        cell.map_or("", |text| text.trim())
    }

    fn filled(&self, key: &str) -> Option<String> {
        let text = self.get(key);
        (!text.is_empty()).then(|| text.to_owned())
    }
}

struct Planner<'a> {
    identity: &'a Identity,
    now: Timestamp,
    known_organisations: BTreeMap<String, Organisation>,
    /// As they will be.
    organisations: BTreeMap<String, Organisation>,
    /// As they will be.
    posts: BTreeMap<String, Post>,
    known_posts: BTreeMap<String, Post>,
    users: BTreeMap<String, User>,
    holders: Vec<Holder>,
    plan: Plan,
}

impl Identity {
    pub(super) async fn plan_roster(
        &self,
        connection: &mut Connection,
        sheets: &[Sheet],
        now: Timestamp,
    ) -> Result<Plan> {
        let known_organisations = by_id(organisations::list(connection).await?);
        let list = records::posts::list(connection).await?;
        let known_posts: BTreeMap<_, _> = list.into_iter().map(|p| (p.id.clone(), p)).collect();
        let mut planner = Planner {
            identity: self,
            now,
            organisations: known_organisations.clone(),
            known_organisations,
            posts: known_posts.clone(),
            known_posts,
            users: all_users(connection, now).await?,
            holders: records::posts::holders(connection, None, now).await?,
            plan: Plan::default(),
        };
        planner.read(sheets);
        let mut plan = planner.plan;
        // The order of the file is that of whoever mends it.
        let place = |sheet: &str| sheets.iter().position(|s| s.name == sheet);
        plan.report
            .mistakes
            .sort_by_key(|m| (place(&m.sheet), m.line));
        Ok(plan)
    }
}

async fn all_users(connection: &mut Connection, now: Timestamp) -> Result<BTreeMap<String, User>> {
    let mut all = BTreeMap::new();
    let mut page = PageRequest {
        after: None,
        limit: Some(records::page::PAGE_ITEMS_MAX),
    };
    loop {
        let found = users::search(connection, &PeopleFilter::default(), now, &page).await?;
        all.extend(found.items.into_iter().map(|u| (u.username.clone(), u)));
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(all),
        }
    }
}

/// The organisation of that id or Chinese name.
fn find<'o>(
    organisations: &'o BTreeMap<String, Organisation>,
    text: &str,
) -> Option<&'o Organisation> {
    organisations
        .get(text)
        .or_else(|| organisations.values().find(|o| o.name_zh == text))
}

fn unknown_organisation(text: &str) -> Told {
    Told::new(
        "unknown-organisation",
        both(
            format!("没有单位“{}”", quote(text)),
            format!("there is no organisation \"{}\"", quote(text)),
        ),
        both("单位", "organisation"),
        both(
            "请填已有单位的名称或编号，或把它加到“单位”表里",
            "write the name or id of one that is there, or add it to the sheet of organisations",
        ),
    )
}

fn twice(what: Both, line: u64) -> Told {
    Told::new(
        "roster-twice",
        both(
            format!("{}与第 {line} 行重复", what.zh),
            format!("{} stands in line {line} too", what.en),
        ),
        what,
        both("请删掉其中一行", "take one of the two lines out"),
    )
}

impl Planner<'_> {
    fn read(&mut self, sheets: &[Sheet]) {
        let limits = &self.identity.options().roster;
        let rows: usize = sheets.iter().map(|s| s.rows.len()).sum();
        if rows > limits.rows_max {
            let (max, name) = (
                limits.rows_max,
                sheets.first().map_or("", |s| s.name.as_str()),
            );
            let told = Told::new(
                "roster-rows",
                both(format!("共有 {rows} 行"), format!("there are {rows} lines")),
                name,
                both(
                    format!("请拆成每个不超过 {max} 行的文件"),
                    format!("cut it into files of at most {max} lines"),
                ),
            );
            return self.mistake(name, None, None, None, told);
        }
        let mut found = Vec::new();
        for sheet in sheets {
            match Kind::of(&sheet.name, &sheet.names) {
                Some(kind) => found.push((kind, sheet)),
                None if sheet.name == super::columns::ABOUT_SHEET => {}
                None => self.plan.report.not_read.push(sheet.name.clone()),
            }
        }
        if found.is_empty() {
            let name = sheets.first().map_or("", |s| s.name.as_str()).to_owned();
            let told = Told::new(
                "roster-sheets",
                both(
                    "文件里没有单位、岗位或人员的表",
                    "there is no sheet of organisations, posts or people in the file",
                ),
                name.as_str(),
                both(
                    "请用导出的模板填写，或给工作表取名“单位”“岗位”“人员”",
                    "fill the template that the export gives, or name the sheets organisations, posts, people",
                ),
            );
            return self.mistake(&name, None, None, None, told);
        }
        for kind in Kind::ALL {
            let mut lines = Lines::default();
            for (_, sheet) in found.iter().filter(|(of, _)| *of == kind) {
                let Some(places) = self.places(kind, sheet) else {
                    continue;
                };
                for (line, cells) in &sheet.rows {
                    let cells = Cells {
                        sheet: &sheet.name,
                        line: *line,
                        names: &sheet.names,
                        places: &places,
                        cells,
                    };
                    match kind {
                        Kind::Organisations => self.organisation(&cells, &mut lines),
                        Kind::Posts => self.post(&cells, &mut lines),
                        Kind::People => self.person(&cells, &mut lines),
                    }
                }
            }
            if kind == Kind::Organisations {
                self.relate(lines.organisations);
            }
        }
    }

    /// Where the columns of a sheet stand; `None` when one is missing that must be there.
    fn places(&mut self, kind: Kind, sheet: &Sheet) -> Option<BTreeMap<&'static str, usize>> {
        let mut places = BTreeMap::new();
        let mut good = true;
        for (n, name) in sheet.names.iter().enumerate() {
            let Some(column) = kind.column(name) else {
                let not_read = &mut self.plan.report.not_read;
                not_read.push(format!("{}：{name}", sheet.name));
                continue;
            };
            if places.insert(column.key, n).is_some() {
                good = false;
                let told = Told::new(
                    "roster-column",
                    both(
                        format!("有两列都是“{}”", column.zh[0]),
                        format!("two columns are {}", column.key),
                    ),
                    sheet.name.as_str(),
                    both("请删掉其中一列", "take one of them out"),
                );
                self.mistake(&sheet.name, None, Some(name.clone()), None, told);
            }
        }
        for column in kind.columns().iter().filter(|c| c.required) {
            if places.contains_key(column.key) {
                continue;
            }
            good = false;
            let told = Told::new(
                "roster-column",
                both(
                    format!("缺少“{}”这一列", column.zh[0]),
                    format!("the column {} is missing", column.key),
                ),
                sheet.name.as_str(),
                both(
                    "列名写在第一个不空的行；请对照导出的模板",
                    "the first line that is not empty names the columns; compare it with the template that the export gives",
                ),
            );
            self.mistake(&sheet.name, None, None, None, told);
        }
        good.then_some(places)
    }

    fn organisation(&mut self, cells: &Cells<'_>, lines: &mut Lines) {
        let name = cells.get("name_zh").to_owned();
        let known = match cells.filled("id") {
            Some(id) => self.known_organisations.get(&id),
            None => self
                .known_organisations
                .values()
                .find(|o| o.name_zh == name),
        };
        let mut new = known.map(NewOrganisation::from).unwrap_or_default();
        if new.id.is_empty() {
            let code = cells.filled("credit_code").map(|c| c.to_lowercase());
            new.id = cells.filled("id").or(code).unwrap_or_default();
        }
        for (to, key) in [
            (&mut new.name_zh, "name_zh"),
            (&mut new.name_en, "name_en"),
            (&mut new.kind, "kind"),
        ] {
            if let Some(text) = cells.filled(key) {
                *to = text;
            }
        }
        for (to, key) in [
            (&mut new.parent, "parent"),
            (&mut new.credit_code, "credit_code"),
            (&mut new.division, "division"),
        ] {
            if let Some(text) = cells.filled(key) {
                *to = Some(text);
            }
        }
        let known = known.cloned();
        let (mut row, faults) = self.identity.organisation_row(&new);
        let mut good = faults.is_empty();
        self.faults(cells, faults);
        if let Some(known) = &known {
            row.id.clone_from(&known.id);
            (row.of_profile, row.disabled) = (known.of_profile, known.disabled);
            if organisation::is_anothers(known, &row) {
                good = false;
                self.cell_mistake(cells, "name_zh", organisation::of_profile(known));
            }
        }
        if let Some(before) = lines.ids.insert(row.id.clone(), cells.line) {
            good = false;
            self.cell_mistake(cells, "id", twice(both("单位编号", "id"), before));
        }
        if good {
            self.organisations.insert(row.id.clone(), row.clone());
            lines.organisations.push(Related {
                sheet: cells.sheet.to_owned(),
                line: cells.line,
                titles: ["parent", "credit_code", "name_zh"]
                    .into_iter()
                    .filter_map(|key| Some((key, title(cells, key)?)))
                    .collect(),
                before: known,
                row,
            });
        }
    }

    /// Now that all organisations are read: which is above which, and what must be of one alone.
    fn relate(&mut self, mut related: Vec<Related>) {
        for one in &mut related {
            if let Some(parent) = &one.row.parent
                && let Some(found) = find(&self.organisations, parent)
            {
                one.row.parent = Some(found.id.clone());
                self.organisations
                    .insert(one.row.id.clone(), one.row.clone());
            }
        }
        let depth_max = self.identity.options().organisation_depth_max;
        for one in related {
            let row = &one.row;
            let mut faults = organisation::misfits(row, &self.organisations, depth_max);
            let same_name = |o: &&Organisation| o.id != row.id && o.name_zh == row.name_zh;
            if let Some(other) = self.organisations.values().find(same_name) {
                let told = Told::new(
                    "organisation-name-taken",
                    both(
                        format!("单位“{}”已有，编号是 {}", row.name_zh, other.id),
                        format!("{} has that name already", other.id),
                    ),
                    both("单位名称", "name_zh"),
                    both(
                        "请用全称区分，或填上已有单位的编号",
                        "tell them apart by their full names, or write the id of the one that is there",
                    ),
                );
                faults.push(organisation::fault("name_zh", told));
            }
            if !faults.is_empty() {
                for Fault { field, told } in faults {
                    let column = one.titles.get(field).cloned();
                    let value = match field {
                        "parent" => row.parent.as_deref(),
                        "credit_code" => row.credit_code.as_deref(),
                        _ => Some(row.name_zh.as_str()),
                    };
                    self.mistake(&one.sheet, Some(one.line), column, value.map(quote), told);
                }
                continue;
            }
            let doing = doing(one.before.as_ref(), row);
            self.line(
                &one.sheet,
                one.line,
                Kind::Organisations,
                doing,
                &row.id,
                &row.name_zh,
            );
            self.plan.organisations.push((doing, one.row));
        }
        // A row that refers to one above it needs that one first.
        let above = |id: &str, all: &BTreeMap<String, Organisation>| {
            let mut steps = 0;
            let mut at = all.get(id).and_then(|o| o.parent.clone());
            while let Some(parent) = at.filter(|_| steps <= depth_max) {
                steps += 1;
                at = all.get(&parent).and_then(|o| o.parent.clone());
            }
            steps
        };
        let all = &self.organisations;
        self.plan
            .organisations
            .sort_by_key(|(_, o)| above(&o.id, all));
    }

    fn post(&mut self, cells: &Cells<'_>, lines: &mut Lines) {
        let of = cells.get("organisation");
        let Some(organisation_id) = find(&self.organisations, of).map(|o| o.id.clone()) else {
            return self.cell_mistake(cells, "organisation", unknown_organisation(of));
        };
        let title_zh = cells.get("title_zh").to_owned();
        let known = match cells.filled("id") {
            Some(id) => self.known_posts.get(&id),
            None => self
                .known_posts
                .values()
                .find(|p| p.organisation_id == organisation_id && p.title_zh == title_zh),
        }
        .cloned();
        if known
            .as_ref()
            .is_some_and(|k| k.organisation_id != organisation_id)
        {
            let told = Told::new(
                "post-organisation",
                both(
                    "岗位已属于另一个单位",
                    "the post belongs to another organisation",
                ),
                both("单位", "organisation"),
                both(
                    "岗位不换单位：请停用它，在新单位另设一个",
                    "a post stays with its organisation: close it, and make another there",
                ),
            );
            return self.cell_mistake(cells, "organisation", told);
        }
        let or = |key: &str, known: Option<&String>| {
            cells
                .filled(key)
                .or_else(|| known.cloned())
                .unwrap_or_default()
        };
        let id = cells
            .filled("id")
            .or_else(|| known.as_ref().map(|k| k.id.clone()));
        let new = NewPost {
            id: id.unwrap_or_else(|| {
                free_id(&organisation_id, |id| {
                    self.posts.contains_key(id) || lines.ids.contains_key(id)
                })
            }),
            title_en: or("title_en", known.as_ref().map(|k| &k.title_en)),
            duty: or("duty", known.as_ref().map(|k| &k.duty)),
            role: role_word(&or("role", known.as_ref().map(|k| &k.role))).to_owned(),
            division: cells
                .filled("division")
                .or_else(|| known.as_ref().and_then(|k| k.division.clone())),
            organisation_id,
            title_zh,
        };
        let created_at = known.as_ref().map_or(self.now, |k| k.created_at);
        let (mut row, faults) = self.identity.post_row(&new, created_at);
        row.disabled = known.as_ref().is_some_and(|k| k.disabled);
        let mut good = faults.is_empty();
        self.faults(cells, faults);
        if let Some(before) = lines.ids.insert(row.id.clone(), cells.line) {
            good = false;
            self.cell_mistake(cells, "id", twice(both("岗位编号", "id"), before));
        }
        let same_title = |p: &&Post| {
            p.id != row.id && p.organisation_id == row.organisation_id && p.title_zh == row.title_zh
        };
        if let Some(other) = self.posts.values().find(same_title) {
            good = false;
            let told = Told::new(
                "post-title-taken",
                both(
                    format!("这个单位已有岗位“{}”，编号是 {}", row.title_zh, other.id),
                    format!(
                        "the organisation has a post {} already: {}",
                        row.title_zh, other.id
                    ),
                ),
                both("岗位名称", "title_zh"),
                both(
                    "一个岗位可以由几个人担任；不同的岗位请用不同的名称",
                    "several people may hold one post; different posts need different titles",
                ),
            );
            self.cell_mistake(cells, "title_zh", told);
        }
        if good {
            let doing = doing(known.as_ref(), &row);
            self.line(
                cells.sheet,
                cells.line,
                Kind::Posts,
                doing,
                &row.id,
                &row.title_zh,
            );
            self.posts.insert(row.id.clone(), row.clone());
            self.plan.posts.push((doing, row));
        }
    }

    fn person(&mut self, cells: &Cells<'_>, lines: &mut Lines) {
        let count = self.plan.report.mistakes_count;
        let username = clean_username(cells.get("username"));
        let before = self.users.get(&username).cloned();
        if self.identity.check_username(&username).is_err() {
            let max = self.identity.options().username_chars_max;
            let told = Told::new(
                "username",
                both(
                    format!("“{}”不能用作登录名", quote(&username)),
                    format!("\"{}\" is not a username", quote(&username)),
                ),
                both("登录名", "username"),
                both(
                    format!("2 到 {max} 个字母、汉字、数字或 . _ - @"),
                    format!("use 2 to {max} letters, digits and . _ - @"),
                ),
            );
            self.cell_mistake(cells, "username", told);
        } else if let Some(line) = lines.ids.insert(username.clone(), cells.line) {
            self.cell_mistake(cells, "username", twice(both("登录名", "username"), line));
        }
        let name = cells
            .filled("name")
            .or_else(|| before.as_ref().map(|u| u.name.clone()));
        let chars_max = self.identity.options().name_chars_max;
        let name = organisation::clean_name(&name.unwrap_or_default(), chars_max);
        let name = self.or_mistake(cells, "name", name).unwrap_or_default();
        let role = self.person_role(cells, before.as_ref());
        let organisation_id = match cells.filled("organisation") {
            None => before.as_ref().and_then(|u| u.organisation_id.clone()),
            Some(text) => {
                let found = find(&self.organisations, &text).map(|o| o.id.clone());
                if found.is_none() {
                    self.cell_mistake(cells, "organisation", unknown_organisation(&text));
                }
                found
            }
        };
        let phone = match cells.filled("phone") {
            None => before.as_ref().and_then(|u| u.phone.clone()),
            Some(text) => {
                let phone = checks::phone(&text);
                self.or_mistake(cells, "phone", phone)
            }
        };
        let gets = self.gets(cells, before.as_ref(), organisation_id.as_deref());
        let Some(role) = role.filter(|_| self.plan.report.mistakes_count == count) else {
            return;
        };
        let differs = before.as_ref().is_none_or(|u| {
            u.name != name
                || u.role != role.as_str()
                || u.organisation_id != organisation_id
                || u.phone != phone
        });
        let doing = match (&before, differs || !gets.is_empty()) {
            (None, _) => Doing::Add,
            (Some(_), true) => Doing::Change,
            (Some(_), false) => Doing::Same,
        };
        self.line(
            cells.sheet,
            cells.line,
            Kind::People,
            doing,
            &username,
            &name,
        );
        self.plan.report.holders += gets.len();
        self.plan.people.push(PersonPlan {
            doing,
            before,
            username,
            name,
            role,
            organisation_id,
            phone,
            gets,
        });
        let max = self.identity.options().roster.new_people_max;
        if doing == Doing::Add && self.plan.report.count(Kind::People, Doing::Add) == max + 1 {
            let told = Told::new(
                "roster-people",
                both(
                    format!("新增人员超过 {max} 人"),
                    format!("more than {max} people are new"),
                ),
                both("登录名", "username"),
                both("请分成几个文件导入", "cut it into several files"),
            );
            self.cell_mistake(cells, "username", told);
        }
    }

    /// The main role of a person. A file makes nobody an administrator, and no administrator anything else.
    fn person_role(&mut self, cells: &Cells<'_>, before: Option<&User>) -> Option<Role> {
        let text = cells.filled("role");
        let word = text.as_deref().map(role_word);
        let word = word
            .or_else(|| before.map(|u| u.role.as_str()))
            .unwrap_or(Role::None.as_str());
        let role = posts::role(word);
        let role = self.or_mistake(cells, "role", role)?;
        let was = before.and_then(|u| u.role.parse::<Role>().ok());
        if was != Some(role)
            && let Some(of) = [Some(role), was]
                .into_iter()
                .flatten()
                .find(|r| administers(*r))
        {
            self.cell_mistake(cells, "role", administrator(of));
            return None;
        }
        Some(role)
    }

    /// The posts of a person's cell that they do not hold yet.
    fn gets(
        &mut self,
        cells: &Cells<'_>,
        before: Option<&User>,
        organisation_id: Option<&str>,
    ) -> Vec<String> {
        let mut gets: Vec<String> = Vec::new();
        let held: BTreeSet<String> = before.map_or_else(BTreeSet::new, |user| {
            let holders = self.holders.iter().filter(|h| h.user_id == user.id);
            holders.map(|h| h.post_id.clone()).collect()
        });
        let names = cells.get("posts").to_owned();
        let names = names
            .split(['、', '，', ',', ';', '；', '\n'])
            .map(str::trim);
        for name in names.filter(|n| !n.is_empty()) {
            let Some(post) = self.post_of(name, organisation_id) else {
                let told = Told::new(
                    "unknown-post",
                    both(
                        format!("没有岗位“{}”", quote(name)),
                        format!("there is no post \"{}\"", quote(name)),
                    ),
                    both("岗位", "posts"),
                    both(
                        "请填岗位编号，或本单位的岗位名称，或“单位/岗位名称”；新岗位先写进“岗位”表",
                        "write its id, its title in the person's organisation, or organisation/title; a new one goes into the sheet of posts first",
                    ),
                );
                self.cell_mistake(cells, "posts", told);
                continue;
            };
            let (id, is_closed, title) = (post.id.clone(), post.disabled, post.title_zh.clone());
            if held.contains(&id) || gets.contains(&id) {
                continue;
            }
            if is_closed || before.is_some_and(|u| u.disabled) {
                let told = Told::new(
                    "post-closed",
                    both(
                        format!("岗位“{title}”或本人账号已停用"),
                        format!("the post {title} or the person's sign-in is closed"),
                    ),
                    both("岗位", "posts"),
                    both("请先在页面上启用", "open it on the page first"),
                );
                self.cell_mistake(cells, "posts", told);
                continue;
            }
            gets.push(id);
        }
        let max = self.identity.options().posts_per_person_max;
        if held.len() + gets.len() > max {
            let n = held.len() + gets.len();
            let told = Told::new(
                "posts-many",
                both(
                    format!("共担任 {n} 个岗位"),
                    format!("the person would hold {n} posts"),
                ),
                both("岗位", "posts"),
                both(
                    format!("一人最多 {max} 个"),
                    format!("at most {max} a person"),
                ),
            );
            self.cell_mistake(cells, "posts", told);
        }
        gets
    }

    fn post_of(&self, name: &str, organisation_id: Option<&str>) -> Option<&Post> {
        let titled = |organisation_id: &str, title: &str| {
            self.posts
                .values()
                .find(|p| p.organisation_id == organisation_id && p.title_zh == title)
        };
        self.posts
            .get(name)
            .or_else(|| titled(organisation_id?, name))
            .or_else(|| {
                let (of, title) = name.split_once(['/', '／'])?;
                titled(&find(&self.organisations, of.trim())?.id, title.trim())
            })
    }

    fn line(&mut self, sheet: &str, line: u64, kind: Kind, doing: Doing, id: &str, name: &str) {
        self.plan.report.lines.push(Line {
            sheet: sheet.to_owned(),
            line,
            kind,
            doing,
            id: id.to_owned(),
            name: name.to_owned(),
        });
    }

    fn faults(&mut self, cells: &Cells<'_>, faults: Vec<Fault>) {
        for Fault { field, told } in faults {
            self.cell_mistake(cells, field, told);
        }
    }

    fn or_mistake<T>(
        &mut self,
        cells: &Cells<'_>,
        key: &str,
        result: std::result::Result<T, Told>,
    ) -> Option<T> {
        result
            .map_err(|told| self.cell_mistake(cells, key, told))
            .ok()
    }

    fn cell_mistake(&mut self, cells: &Cells<'_>, key: &str, told: Told) {
        // A telephone number is not repeated: what is wrong with a file is read by others too.
        let value = cells.filled(key).filter(|_| key != "phone");
        let value = value.map(|v| quote(&v));
        self.mistake(
            cells.sheet,
            Some(cells.line),
            title(cells, key),
            value,
            told,
        );
    }

    fn mistake(
        &mut self,
        sheet: &str,
        line: Option<u64>,
        column: Option<String>,
        value: Option<String>,
        told: Told,
    ) {
        let report = &mut self.plan.report;
        report.mistakes_count += 1;
        if report.mistakes.len() < self.identity.options().roster.mistakes_max {
            report.mistakes.push(Mistake {
                sheet: sheet.to_owned(),
                line,
                column,
                value,
                told,
            });
        }
    }
}

/// Lines of one kind, as far as they are read.
#[derive(Default)]
struct Lines {
    /// The line of each id.
    ids: BTreeMap<String, u64>,
    organisations: Vec<Related>,
}

/// An organisation whose place among the others is still to be looked at.
struct Related {
    sheet: String,
    line: u64,
    /// How the file names the columns that are looked at later.
    titles: BTreeMap<&'static str, String>,
    before: Option<Organisation>,
    row: Organisation,
}

/// A column as the file names it.
fn title(cells: &Cells<'_>, key: &str) -> Option<String> {
    let place = cells.places.get(key)?;
    cells.names.get(*place).cloned()
}

fn doing<T: PartialEq>(before: Option<&T>, row: &T) -> Doing {
    match before {
        None => Doing::Add,
        Some(before) if before == row => Doing::Same,
        Some(_) => Doing::Change,
    }
}
