//! Organisations, posts and people as the sheets that are read: what there is, or, of a new city, a template to fill.

use super::columns::{ABOUT_SHEET, Kind, ROLE_NAMES, role_name};
use crate::Identity;
use crate::organisation::KINDS;
use crate::posts::administers;
use crate::role::Role;
use model::Timestamp;
use model::sheet::Written;
use records::organisations::Organisation;
use records::users::{PeopleFilter, User};
use records::{Actor, Event, PageRequest, Result, audit, organisations, posts, users};
use serde_json::json;
use std::collections::BTreeMap;

impl Identity {
    /// The sheets, with everybody's telephone number: personal data, so that the export is an act of the audit trail.
    ///
    /// # Errors
    /// The store's own.
    pub async fn export_roster(&self, actor: &Actor, now: Timestamp) -> Result<Vec<Written>> {
        let mut write = self.records().write().await?;
        let organisations = organisations::list(&mut write).await?;
        let posts = posts::list(&mut write).await?;
        let holders = posts::holders(&mut write, None, now).await?;
        let mut people: Vec<User> = Vec::new();
        let mut page = PageRequest {
            after: None,
            limit: Some(records::page::PAGE_ITEMS_MAX),
        };
        loop {
            let found = users::search(&mut write, &PeopleFilter::default(), now, &page).await?;
            people.extend(found.items);
            match found.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        let detail = json!({
            "organisations": organisations.len(),
            "posts": posts.len(),
            "people": people.len(),
        });
        let event = Event::OrganisationExport;
        audit::insert(&mut write, now, actor, event, "organisations", &detail).await?;
        write.commit().await?;

        let names = Names::new(&organisations);
        let mut sheets = Vec::new();
        let rows = organisations.iter().map(|o| {
            let kind = KINDS.iter().find(|(word, _, _)| *word == o.kind);
            vec![
                o.id.clone(),
                o.name_zh.clone(),
                o.name_en.clone(),
                kind.map_or(o.kind.as_str(), |(_, zh, _)| zh).to_owned(),
                names.of(o.parent.as_ref()),
                o.credit_code.clone().unwrap_or_default(),
                o.division.clone().unwrap_or_default(),
                state(o.disabled),
            ]
        });
        sheets.push(sheet(Kind::Organisations, rows.collect()));
        let rows = posts.iter().map(|p| {
            vec![
                p.id.clone(),
                names.of(Some(&p.organisation_id)),
                p.title_zh.clone(),
                p.title_en.clone(),
                p.duty.clone(),
                role_name(&p.role).to_owned(),
                p.division.clone().unwrap_or_default(),
                state(p.disabled),
            ]
        });
        sheets.push(sheet(Kind::Posts, rows.collect()));
        let rows = people.iter().map(|u| {
            let held = holders.iter().filter(|h| h.user_id == u.id);
            let held: Vec<&str> = held.map(|h| h.post_id.as_str()).collect();
            vec![
                u.username.clone(),
                u.name.clone(),
                role_name(&u.role).to_owned(),
                names.of(u.organisation_id.as_ref()),
                u.phone.clone().unwrap_or_default(),
                held.join("、"),
                state(u.disabled),
            ]
        });
        sheets.push(sheet(Kind::People, rows.collect()));
        sheets.push(about());
        Ok(sheets)
    }
}

/// What organisations are called in a file: by name, or by id where two share one.
struct Names<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Names<'a> {
    fn new(list: &'a [Organisation]) -> Self {
        let is_one = |o: &Organisation| list.iter().filter(|p| p.name_zh == o.name_zh).count() == 1;
        let name = |o: &'a Organisation| match is_one(o) {
            true => o.name_zh.as_str(),
            false => o.id.as_str(),
        };
        Self(list.iter().map(|o| (o.id.as_str(), name(o))).collect())
    }

    fn of(&self, id: Option<&String>) -> String {
        let Some(id) = id else {
            return String::new();
        };
        (*self.0.get(id.as_str()).unwrap_or(&id.as_str())).to_owned()
    }
}

fn state(disabled: bool) -> String {
    (if disabled { "停用" } else { "在用" }).to_owned()
}

fn sheet(kind: Kind, rows: Vec<Vec<String>>) -> Written {
    let columns = kind.columns();
    let place = |key: &str| columns.iter().position(|c| c.key == key);
    let mut choices = Vec::new();
    if let Some(at) = place("kind") {
        choices.push((
            at,
            KINDS.iter().map(|(_, zh, _)| (*zh).to_owned()).collect(),
        ));
    }
    if let Some(at) = place("role") {
        // Only what a file may give.
        let may = |word: &str| word.parse::<Role>().is_ok_and(|role| !administers(role));
        let names = ROLE_NAMES.iter().filter(|(word, _)| may(word));
        choices.push((at, names.map(|(_, zh)| (*zh).to_owned()).collect()));
    }
    Written {
        name: kind.sheet().to_owned(),
        names: columns.iter().map(|c| c.zh[0].to_owned()).collect(),
        rows,
        choices,
    }
}

fn about() -> Written {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for column in kind.columns() {
            let required = if column.required {
                "必填 required"
            } else {
                ""
            };
            rows.push(vec![
                kind.sheet().to_owned(),
                column.zh[0].to_owned(),
                column.key.to_owned(),
                required.to_owned(),
                column.about_zh.to_owned(),
                column.about_en.to_owned(),
            ]);
        }
    }
    let names = ["工作表", "列", "column", "必填", "怎样填", "how to fill it"];
    Written {
        name: ABOUT_SHEET.to_owned(),
        names: names.map(str::to_owned).to_vec(),
        rows,
        choices: Vec::new(),
    }
}
