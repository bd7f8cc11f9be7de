//! The burden meter (基层填报负担): how many cells each town and village is asked to write in a year, how many the platform fills in
//! instead, and what is late.

use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::form_known::Known;
use crate::forms::{SUBMITTED, is_late};
use axum::Json;
use axum::extract::{Query, State};
use jiff::civil::Date;
use model::problem::quote;
use pack::Packs;
use pack::forms::{Element, Form, Per};
use records::form_returns::{self, Standing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What a form asks of everybody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormBurdenOfForm)]
pub struct FormRow {
    /// The form.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Who fills it in: each `town` or each `village`.
    pub of: String,
    /// How often in a year.
    pub times_a_year: u32,
    /// How many towns or villages.
    pub divisions: u32,
    /// Its fields.
    pub fields: u32,
    /// How many of them people are asked.
    pub asked: u32,
    /// How many the platform fills in.
    pub filled: u32,
    /// Cells of a year in all divisions.
    pub cells_a_year: u32,
    /// How many of them people write.
    pub asked_a_year: u32,
}

/// What is asked of a town or village.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormBurdenOfDivision)]
pub struct DivisionRow {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How many villages a town has.
    pub villages: u32,
    /// How many forms it fills in.
    pub forms: u32,
    /// Their fields.
    pub fields: u32,
    /// How many of them people are asked.
    pub asked: u32,
    /// How many the platform fills in.
    pub filled: u32,
    /// How many of those the platform has no value for now.
    pub unknown_now: u32,
    /// How often in a year a form is handed in.
    pub returns_a_year: u32,
    /// Cells of a year, of its own forms and those of its villages.
    pub cells_a_year: u32,
    /// How many of them people write.
    pub asked_a_year: u32,
    /// How many the platform fills in.
    pub filled_a_year: u32,
    /// The share that the platform fills in, 1 being all.
    pub saved: f64,
    /// Forms of the newest periods that are over, its own and its villages'.
    pub due: u32,
    /// How many of them are handed in.
    pub handed_in: u32,
    /// How many are not, and are late.
    pub late: u32,
}

/// What the towns and villages are asked in a year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormBurden)]
pub struct BurdenBody {
    /// The day in the city.
    pub today: String,
    /// Form by form.
    pub forms: Vec<FormRow>,
    /// Town by town, with its villages.
    pub towns: Vec<DivisionRow>,
    /// Village by village of the town that was asked for.
    pub villages: Vec<DivisionRow>,
    /// Cells of a year.
    pub cells_a_year: u32,
    /// How many of them people write.
    pub asked_a_year: u32,
    /// How many the platform fills in.
    pub filled_a_year: u32,
    /// The share that the platform fills in.
    pub saved: f64,
}

/// Of which town.
#[derive(Debug, Deserialize, IntoParams)]
pub struct BurdenQuery {
    /// The code of a town whose villages are told too.
    pub town: Option<String>,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn share(part: u32, of: u32) -> f64 {
    match of {
        0 => 0.0,
        of => f64::from(part) / f64::from(of),
    }
}

/// What is needed to count.
struct Counting<'a> {
    app: &'a App,
    packs: &'a Packs,
    today: Date,
    /// What is known of each element that the platform fills in.
    known: BTreeMap<String, Known>,
    /// How the newest period of each form stands.
    standings: BTreeMap<String, Vec<Standing>>,
}

impl Counting<'_> {
    fn forms(&self, per: Per) -> impl Iterator<Item = &Form> {
        self.packs.forms.iter().filter(move |form| form.of == per)
    }

    /// What is asked of a division itself.
    fn division(&self, per: Per, code: &str, name: &str) -> DivisionRow {
        let mut row = DivisionRow {
            code: code.to_owned(),
            name: name.to_owned(),
            villages: 0,
            forms: 0,
            fields: 0,
            asked: 0,
            filled: 0,
            unknown_now: 0,
            returns_a_year: 0,
            cells_a_year: 0,
            asked_a_year: 0,
            filled_a_year: 0,
            saved: 0.0,
            due: 0,
            handed_in: 0,
            late: 0,
        };
        for form in self.forms(per) {
            let (fields, asked) = (count(form.fields.len()), count(form.asked()));
            let times = form.every.times_a_year();
            row.forms += 1;
            row.fields += fields;
            row.asked += asked;
            row.filled += fields - asked;
            row.returns_a_year += times;
            row.cells_a_year += fields * times;
            row.asked_a_year += asked * times;
            let filled = form.fields.iter().filter(|field| !field.ask);
            let unknown = filled.filter(|field| {
                let known = self.known.get(field.element());
                known.is_none_or(|known| known.value(code).is_null())
            });
            row.unknown_now += count(unknown.count());
            let Some(period) = form.last_over(self.today) else {
                continue;
            };
            let all = self.standings.get(&form.id);
            let standing = all.and_then(|all| {
                let place = all.binary_search_by(|s| s.division_code.as_str().cmp(code));
                place.ok().map(|at| &all[at])
            });
            row.due += 1;
            if standing.is_some_and(|s| s.state == SUBMITTED) {
                row.handed_in += 1;
            } else if is_late(self.app, standing, form.due_on(&period), self.today) {
                row.late += 1;
            }
        }
        row.finish();
        row
    }
}

impl DivisionRow {
    fn finish(&mut self) {
        self.filled_a_year = self.cells_a_year - self.asked_a_year;
        self.saved = share(self.filled_a_year, self.cells_a_year);
    }

    /// With what a village of the town is asked.
    fn with(&mut self, village: &Self) {
        self.villages += 1;
        self.returns_a_year += village.returns_a_year;
        self.cells_a_year += village.cells_a_year;
        self.asked_a_year += village.asked_a_year;
        self.due += village.due;
        self.handed_in += village.handed_in;
        self.late += village.late;
        self.finish();
    }
}

/// What each town and village is asked to write in a year, how much of it the platform fills in, and what is late.
#[utoipa::path(get, path = "/api/v1/forms/burden", tag = "forms", security(("session" = ["indicator.read"])), params(BurdenQuery),
    responses((status = 200, body = BurdenBody), (status = 404, body = ProblemBody)))]
pub async fn burden(
    State(app): State<App>,
    Query(query): Query<BurdenQuery>,
) -> Answer<Json<BurdenBody>> {
    if let Some(town) = &query.town
        && !app.city.towns.iter().any(|t| t.code == *town)
    {
        return Err(ApiError::not_found("town", quote(town)));
    }
    let packs = app.packs.now();
    let today = app.plan.day(app.now());
    let mut counting = Counting {
        app: &app,
        packs: &packs,
        today,
        known: BTreeMap::new(),
        standings: BTreeMap::new(),
    };
    let filled = packs.forms.iter().flat_map(|form| &form.fields);
    let elements: Vec<&Element> = filled
        .filter(|field| !field.ask)
        .filter_map(|field| packs.element(field.element()))
        .collect();
    counting.known = app.known(&packs, &elements).await?;
    let mut read = app.records.read().await?;
    for form in &packs.forms {
        if let Some(period) = form.last_over(today) {
            let all = form_returns::standings(&mut read, &form.id, period.as_str()).await?;
            counting.standings.insert(form.id.clone(), all);
        }
    }
    drop(read);
    let (mut towns, mut villages) = (Vec::new(), Vec::new());
    for town in &app.city.towns {
        let mut row = counting.division(Per::Town, &town.code, &town.name);
        for village in app
            .city
            .villages
            .iter()
            .filter(|v| v.town_code == town.code)
        {
            let own = counting.division(Per::Village, &village.code, &village.name);
            row.with(&own);
            if query.town.as_deref() == Some(town.code.as_str()) {
                villages.push(own);
            }
        }
        towns.push(row);
    }
    let forms = packs.forms.iter().map(|form| {
        let (fields, asked) = (count(form.fields.len()), count(form.asked()));
        let divisions = count(app.division_count(form.of));
        let times = form.every.times_a_year() * divisions;
        FormRow {
            id: form.id.clone(),
            title_zh: form.title_zh.clone(),
            title_en: form.title_en.clone(),
            of: form.of.as_str().to_owned(),
            times_a_year: form.every.times_a_year(),
            divisions,
            fields,
            asked,
            filled: fields - asked,
            cells_a_year: fields * times,
            asked_a_year: asked * times,
        }
    });
    let forms: Vec<FormRow> = forms.collect();
    let cells: u32 = forms.iter().map(|form| form.cells_a_year).sum();
    let asked: u32 = forms.iter().map(|form| form.asked_a_year).sum();
    Ok(Json(BurdenBody {
        today: today.to_string(),
        forms,
        towns,
        villages,
        cells_a_year: cells,
        asked_a_year: asked,
        filled_a_year: cells - asked,
        saved: share(cells - asked, cells),
    }))
}
