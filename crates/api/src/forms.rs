//! Reporting forms (报表) to be filled in once (一表同享): which are due, one of a period with what the platform knows filled in, and who
//! handed in what. What is written is [`crate::form_returns`], what it costs towns and villages [`crate::form_burden`].

use crate::access::Caller;
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::form_disputes::DisputeBody;
use crate::form_known::{Filled, SourceBody, source};
use crate::projects::{Names, UnitBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use identity::{Permission, Principal};
use indicators::reports::Period;
use jiff::civil::Date;
use pack::Packs;
use pack::forms::{Element, Form, Per};
use records::Connection;
use records::form_disputes::{self, FormDispute};
use records::form_returns::{self, FormReturn, Key, Standing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

pub use crate::form_known::Options;

/// Fewest digits of the division of an organisation that fills in forms: a town's.
const TOWN_DIGITS: usize = 9;
/// The word of a form that nobody began.
const NONE: &str = "none";
/// The word of one that is handed in.
pub(crate) const SUBMITTED: &str = "submitted";

/// A town or village.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormDivision)]
pub struct DivisionBody {
    /// Its code, 9 digits of a town, 12 of a village.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The name of the town of a village.
    pub town: Option<String>,
}

/// A form in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormItem)]
pub struct ItemBody {
    /// Its id.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Which document asks for it, in Chinese.
    pub basis_zh: String,
    /// Which document asks for it, in English.
    pub basis_en: String,
    /// Who asks for it.
    pub asked_by: UnitBody,
    /// Who fills it in: each `town` or each `village`.
    pub of: String,
    /// How often: each `year`, `quarter` or `month`.
    pub every: String,
    /// How many days after a period's end it is due.
    pub due_days: u16,
    /// How many fields it has.
    pub fields: usize,
    /// How many of them people are asked.
    pub asked: usize,
    /// How many of them the platform fills in.
    pub filled: usize,
    /// The newest period that is over; null while the first one runs.
    pub period: Option<String>,
    /// The last day on which that is in time.
    pub due_on: Option<String>,
    /// How many towns or villages fill it in.
    pub expected: usize,
    /// How many of them handed that period in.
    pub handed_in: usize,
    /// How many have not, and are late.
    pub late: usize,
}

/// A form that a town or village has not handed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormDue)]
pub struct DueBody {
    /// The form.
    pub form: String,
    /// The form's title in Chinese.
    pub title_zh: String,
    /// The form's title in English.
    pub title_en: String,
    /// The period.
    pub period: String,
    /// The town or village.
    pub division: DivisionBody,
    /// `none`, `draft` or `returned`.
    pub state: String,
    /// The last day on which it is in time.
    pub due_on: String,
    /// Whether that is over.
    pub is_late: bool,
    /// How many fields people are asked.
    pub asked: usize,
    /// How many the platform fills in.
    pub filled: usize,
    /// Why it was returned.
    pub returned_why: Option<String>,
}

/// The forms, and what is due of the caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forms)]
pub struct ListBody {
    /// The day in the city.
    pub today: String,
    /// Every form.
    pub items: Vec<ItemBody>,
    /// What the caller's towns and villages have not handed in, late ones first. Empty for who is held to none.
    pub due: Vec<DueBody>,
    /// Whether the caller belongs to no organisation and may fill in for any town.
    pub reaches_all: bool,
    /// Whether the caller may fill in forms.
    pub may_fill: bool,
}

/// A field of a form.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormField)]
pub struct FieldBody {
    /// The data element.
    pub element: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// What is meant, in Chinese.
    pub definition_zh: String,
    /// What is meant, in English.
    pub definition_en: String,
    /// `integer`, `number`, `text` or `boolean`.
    pub datatype: String,
    /// Unit in Chinese; empty for none.
    pub unit_zh: String,
    /// Unit in English.
    pub unit_en: String,
    /// Whether people are asked; else the platform fills it in, and it cannot be written over.
    pub ask: bool,
    /// Whether it must be answered.
    pub required: bool,
    /// Least number.
    pub min: Option<f64>,
    /// Greatest number.
    pub max: Option<f64>,
    /// How it is filled in, in Chinese.
    pub help_zh: String,
    /// How it is filled in, in English.
    pub help_en: String,
    /// The value: what was written, or what the platform knows; null for none.
    pub value: Value,
    /// Where it comes from; null for what people are asked.
    pub source: Option<SourceBody>,
    /// What was written of it for the newest period before; null for none, and for what the platform fills in.
    pub last: Option<LastBody>,
    /// That the town holds the filled-in value wrong, and what becomes of it; null where nobody does.
    pub dispute: Option<DisputeBody>,
    /// Whether the caller may dispute it now.
    pub may_dispute: bool,
}

/// What was written for an earlier period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormLast)]
pub struct LastBody {
    /// The period.
    pub period: String,
    /// The value.
    pub value: Value,
}

/// A form once handed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormVersion)]
pub struct VersionBody {
    /// Its number.
    pub id: i64,
    /// `submitted`, `returned` or `replaced`.
    pub state: String,
    /// When it was handed in.
    pub submitted_at: String,
    /// By whom.
    pub by: String,
    /// Why it corrects the one before; empty for none.
    pub reason: String,
    /// What was written, by data element.
    pub asked: BTreeMap<String, Value>,
}

/// A form of a period in a town or village.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormDetail)]
pub struct DetailBody {
    /// The form.
    pub form: ItemBody,
    /// The period.
    pub period: String,
    /// The period's first day.
    pub first: String,
    /// The period's last day.
    pub last: String,
    /// The last day on which it is in time.
    pub due_on: String,
    /// Whether it is late: not handed in by then, or handed in after it.
    pub is_late: bool,
    /// The town or village.
    pub division: DivisionBody,
    /// `none`, `draft`, `submitted` or `returned`.
    pub state: String,
    /// Counts its changes; a change names the version that was seen. Null where nobody began.
    pub version: Option<i64>,
    /// Its fields.
    pub fields: Vec<FieldBody>,
    /// Who wrote it last.
    pub by: Option<String>,
    /// When it changed last.
    pub changed_at: Option<String>,
    /// When it was handed in.
    pub submitted_at: Option<String>,
    /// Who returned it.
    pub returned_by: Option<String>,
    /// Why.
    pub returned_why: Option<String>,
    /// Whether the caller may fill it in, or correct it.
    pub may_fill: bool,
    /// Whether the caller may return it now.
    pub may_return: bool,
    /// What was handed in, newest first.
    pub history: Vec<VersionBody>,
}

/// How a form stands in a town or village.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormStanding)]
pub struct StandingBody {
    /// The town or village.
    pub division: DivisionBody,
    /// `none`, `draft`, `submitted` or `returned`.
    pub state: String,
    /// When it was handed in.
    pub submitted_at: Option<String>,
    /// By whom.
    pub by: Option<String>,
    /// Whether it is late.
    pub is_late: bool,
    /// Why it was returned.
    pub returned_why: Option<String>,
}

/// Who handed in a form of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormReturns)]
pub struct ReturnsBody {
    /// The form.
    pub form: ItemBody,
    /// The period; null while the first one runs and none was asked for.
    pub period: Option<String>,
    /// The last day on which it is in time.
    pub due_on: Option<String>,
    /// Every town or village.
    pub items: Vec<StandingBody>,
}

/// Which towns and villages are a caller's.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// Who belongs to no organisation is held to none.
    All,
    /// Those whose codes begin with one of these.
    Within(Vec<String>),
}

impl Reach {
    pub(crate) async fn of(read: &mut Connection, caller: &Principal) -> Answer<Self> {
        let own = caller.organisations();
        if own.is_empty() {
            return Ok(Self::All);
        }
        let all = records::organisations::list(read).await?.into_iter();
        let own = all.filter(|o| own.contains(&o.id.as_str()));
        let divisions = own.filter_map(|o| o.division);
        Ok(Self::Within(
            divisions.filter(|code| code.len() >= TOWN_DIGITS).collect(),
        ))
    }

    pub(crate) fn covers(&self, code: &str) -> bool {
        match self {
            Self::All => true,
            Self::Within(codes) => codes.iter().any(|own| code.starts_with(own.as_str())),
        }
    }
}

/// Whether the caller may return what is handed in of a form: the organisation that asks for it, or the plan office.
pub(crate) fn may_return(caller: &Principal, form: &Form) -> bool {
    let own = caller.organisations();
    caller.user_id().is_some()
        && caller.may(Permission::IndicatorApprove)
        && (own.is_empty()
            || own.contains(&form.asked_by.as_str())
            || caller.may(Permission::IndicatorLock))
}

/// Whether it is late: handed in after the day, or not by today.
pub(crate) fn is_late(app: &App, standing: Option<&Standing>, due: Date, today: Date) -> bool {
    let handed_in = standing.filter(|s| s.state == SUBMITTED);
    let day = handed_in
        .and_then(|s| s.submitted_at)
        .map(|at| app.plan.day(at));
    day.unwrap_or(today) > due
}

impl App {
    /// The towns or villages of the city.
    pub(crate) fn divisions(&self, per: Per) -> Vec<DivisionBody> {
        match per {
            Per::Town => {
                let town = |town: &city::Town| DivisionBody {
                    code: town.code.clone(),
                    name: town.name.clone(),
                    town: None,
                };
                self.city.towns.iter().map(town).collect()
            }
            Per::Village => {
                let names: BTreeMap<&str, &str> = (self.city.towns.iter())
                    .map(|town| (town.code.as_str(), town.name.as_str()))
                    .collect();
                let village = |village: &city::Village| DivisionBody {
                    code: village.code.clone(),
                    name: village.name.clone(),
                    town: names
                        .get(village.town_code.as_str())
                        .map(|name| (*name).to_owned()),
                };
                self.city.villages.iter().map(village).collect()
            }
        }
    }

    /// The town or village of that code.
    pub(crate) fn form_division(&self, per: Per, code: &str) -> Answer<DivisionBody> {
        let all = self.divisions(per).into_iter();
        let mut found = all.filter(|division| division.code == code);
        found
            .next()
            .ok_or_else(|| ApiError::not_found(per.as_str(), model::problem::quote(code)))
    }

    /// How many towns or villages there are.
    pub(crate) fn division_count(&self, per: Per) -> usize {
        match per {
            Per::Town => self.city.towns.len(),
            Per::Village => self.city.villages.len(),
        }
    }

    fn form_item(
        &self,
        form: &Form,
        names: &Names,
        standings: &[Standing],
        today: Date,
    ) -> ItemBody {
        let period = form.last_over(today);
        let due = period.as_ref().map(|period| form.due_on(period));
        let expected = self.division_count(form.of);
        let handed_in = standings.iter().filter(|s| s.state == SUBMITTED).count();
        let missing = expected.saturating_sub(handed_in);
        ItemBody {
            id: form.id.clone(),
            title_zh: form.title_zh.clone(),
            title_en: form.title_en.clone(),
            basis_zh: form.basis_zh.clone(),
            basis_en: form.basis_en.clone(),
            asked_by: names.of(&form.asked_by),
            of: form.of.as_str().to_owned(),
            every: form.every.as_str().to_owned(),
            due_days: form.due_days,
            fields: form.fields.len(),
            asked: form.asked(),
            filled: form.fields.len() - form.asked(),
            period: period.map(|period| period.as_str().to_owned()),
            due_on: due.map(|day| day.to_string()),
            expected,
            handed_in,
            late: due.filter(|due| today > *due).map_or(0, |_| missing),
        }
    }

    /// The form of that id.
    pub(crate) fn form(&self, id: &str) -> Answer<Form> {
        let packs = self.packs.now();
        let found = packs.form(id).cloned();
        found.ok_or_else(|| ApiError::not_found("form", model::problem::quote(id)))
    }

    /// The values of what the platform fills in of a form in a division, in order.
    pub(crate) async fn fill(
        &self,
        packs: &Packs,
        form: &Form,
        division: &str,
    ) -> Answer<Vec<(Filled, Option<model::Problem>)>> {
        let elements: Vec<&Element> = (form.fields.iter())
            .filter(|field| !field.ask)
            .filter_map(|field| packs.element(field.element()))
            .collect();
        let mut known = self.known(packs, &elements).await?;
        let all = elements.into_iter().map(|element| {
            let known = known.remove(&element.id).unwrap_or_default();
            (known.filled(element, division), known.problem)
        });
        Ok(all.collect())
    }

    /// A form of a period in a division as the caller sees it.
    pub(crate) async fn form_detail(
        &self,
        caller: &Principal,
        form: &Form,
        period: &Period,
        division: DivisionBody,
    ) -> Answer<DetailBody> {
        let key = Key {
            form: &form.id,
            period: period.as_str(),
            division_code: &division.code,
        };
        let mut read = self.records.read().await?;
        let names = Names::read(&mut read).await?;
        let reach = Reach::of(&mut read, caller).await?;
        let current = form_returns::current(&mut read, &key).await?;
        let history = form_returns::history(&mut read, &key).await?;
        let before = form_returns::before(&mut read, &key).await?;
        let disputes = form_disputes::of_division(&mut read, &division.code).await?;
        let standings = form_returns::standings(&mut read, &form.id, &self.newest(form)).await?;
        drop(read);
        let today = self.plan.day(self.now());
        let is_own = caller.user_id().is_some() && reach.covers(&division.code);
        let may_fill = is_own && caller.may(Permission::IndicatorReport);
        let state = current
            .as_ref()
            .map_or(NONE, |c| c.state.as_str())
            .to_owned();
        let handed_in = current.as_ref().filter(|c| c.state == SUBMITTED);
        let packs = self.packs.now();
        // What was handed in stays as it was shown then.
        let filled = match handed_in {
            Some(current) => {
                let kept: Vec<Filled> =
                    serde_json::from_value(current.filled.clone()).map_err(ApiError::internal)?;
                let problem = |f: &Filled| f.problem(packs.element(&f.element)?.place.as_str());
                let kept = kept.into_iter().map(|f| {
                    let problem = problem(&f);
                    (f, problem)
                });
                kept.collect()
            }
            None => self.fill(&packs, form, &division.code).await?,
        };
        // What somebody still writes is for those who write it.
        let written = current.as_ref().filter(|_| may_fill || handed_in.is_some());
        let written = written.map(|c| &c.asked);
        let due = form.due_on(period);
        let day = handed_in
            .and_then(|c| c.submitted_at)
            .map(|at| self.plan.day(at));
        let mut fields = fields(&packs, form, written, &filled);
        let beside = Beside {
            key,
            before: before.as_ref(),
            disputes: &disputes,
            filled: &filled,
            packs: &packs,
            names: &names,
            division: &division,
            may_fill,
        };
        fields.iter_mut().for_each(|field| beside.lay(field));
        Ok(DetailBody {
            form: self.form_item(form, &names, &standings, today),
            period: period.as_str().to_owned(),
            first: period.first().to_string(),
            last: period.last().to_string(),
            due_on: due.to_string(),
            is_late: day.unwrap_or(today) > due,
            division,
            version: current.as_ref().map(|c| c.version),
            fields,
            by: current.as_ref().map(|c| c.by_name.clone()),
            changed_at: current.as_ref().map(|c| c.changed_at.to_string()),
            submitted_at: handed_in
                .and_then(|c| c.submitted_at)
                .map(|at| at.to_string()),
            returned_by: current.as_ref().and_then(|c| c.returned_by.clone()),
            returned_why: current
                .as_ref()
                .filter(|c| c.state == "returned")
                .and_then(|c| c.returned_why.clone()),
            may_fill,
            may_return: handed_in.is_some() && may_return(caller, form),
            history: history.into_iter().filter_map(version).collect(),
            state,
        })
    }

    /// The newest period that is over of a form, as a word; empty for none.
    fn newest(&self, form: &Form) -> String {
        let period = form.last_over(self.plan.day(self.now()));
        period.map_or_else(String::new, |period| period.as_str().to_owned())
    }
}

/// One that was handed in.
fn version(row: FormReturn) -> Option<VersionBody> {
    let submitted_at = row.submitted_at?.to_string();
    let asked: BTreeMap<String, Value> = serde_json::from_value(row.asked).ok()?;
    Some(VersionBody {
        id: row.id,
        state: row.state,
        submitted_at,
        by: row.by_name,
        reason: row.reason,
        asked,
    })
}

/// What stands beside the values of a form: what was written for the period before, and what is disputed.
struct Beside<'a> {
    key: Key<'a>,
    before: Option<&'a FormReturn>,
    disputes: &'a [FormDispute],
    filled: &'a [(Filled, Option<model::Problem>)],
    packs: &'a Packs,
    names: &'a Names,
    division: &'a DivisionBody,
    may_fill: bool,
}

impl Beside<'_> {
    fn lay(&self, field: &mut FieldBody) {
        if field.ask {
            field.last = self.before.and_then(|row| last(row, &field.element));
            return;
        }
        let kept = self.filled.iter().find(|(f, _)| f.element == field.element);
        let kept = kept.and_then(|(f, _)| f.disputed);
        // The newest first: one that is open, whichever form it came from, or what became of this form's own.
        let is_here = |d: &&FormDispute| {
            let is_of_this = d.form == self.key.form && d.period == self.key.period;
            d.element == field.element
                && (d.closed_at.is_none() || is_of_this || kept == Some(d.case_id))
        };
        let dispute = self.disputes.iter().find(is_here);
        field.may_dispute = self.may_fill && dispute.is_none_or(|d| d.closed_at.is_some());
        field.dispute = dispute.map(|d| {
            let division = self.division.clone();
            DisputeBody::of(d.clone(), self.packs, self.names, division, self.may_fill)
        });
    }
}

/// What was written of an element in an earlier form.
fn last(row: &FormReturn, element: &str) -> Option<LastBody> {
    let value = row.asked.get(element)?.clone();
    Some(LastBody {
        period: row.period.clone(),
        value,
    })
}

fn fields(
    packs: &Packs,
    form: &Form,
    written: Option<&Value>,
    filled: &[(Filled, Option<model::Problem>)],
) -> Vec<FieldBody> {
    let mut all = Vec::new();
    for field in &form.fields {
        let Some(element) = packs.element(field.element()) else {
            continue;
        };
        let known = filled
            .iter()
            .find(|(f, _)| f.element == element.id)
            .filter(|_| !field.ask);
        let value = match known {
            Some((known, _)) => known.value.clone(),
            None => written
                .and_then(|w| w.get(&element.id))
                .cloned()
                .unwrap_or(Value::Null),
        };
        let (min, max) = field.limits(element);
        let is_number = field.ask && matches!(element.datatype.as_str(), "integer" | "number");
        all.push(FieldBody {
            element: element.id.clone(),
            name_zh: element.name_zh.clone(),
            name_en: element.name_en.clone(),
            definition_zh: element.definition_zh.clone(),
            definition_en: element.definition_en.clone(),
            datatype: element.datatype.as_str().to_owned(),
            unit_zh: element.unit_zh.clone(),
            unit_en: element.unit_en.clone(),
            ask: field.ask,
            required: field.required,
            min: is_number.then_some(min),
            max: is_number.then_some(max),
            help_zh: field.help_zh.clone(),
            help_en: field.help_en.clone(),
            value,
            source: known.map(|(known, problem)| source(packs, element, known, problem.as_ref())),
            last: None,
            dispute: None,
            may_dispute: false,
        });
    }
    all
}

/// The forms, how the newest period of each stands, and what the caller's towns and villages have not handed in.
#[utoipa::path(get, path = "/api/v1/forms", tag = "forms", security(("session" = ["indicator.read"])),
    responses((status = 200, body = ListBody)))]
pub async fn list(State(app): State<App>, Caller(caller): Caller) -> Answer<Json<ListBody>> {
    let today = app.plan.day(app.now());
    let packs = app.packs.now();
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let reach = Reach::of(&mut read, &caller).await?;
    let (mut items, mut due) = (Vec::new(), Vec::new());
    for form in &packs.forms {
        let newest = app.newest(form);
        let standings = form_returns::standings(&mut read, &form.id, &newest).await?;
        items.push(app.form_item(form, &names, &standings, today));
        let (Some(period), Reach::Within(_)) = (form.last_over(today), &reach) else {
            continue;
        };
        let due_on = form.due_on(&period);
        let own = app
            .divisions(form.of)
            .into_iter()
            .filter(|d| reach.covers(&d.code));
        for division in own {
            let standing = standings.iter().find(|s| s.division_code == division.code);
            if standing.is_some_and(|s| s.state == SUBMITTED) {
                continue;
            }
            due.push(DueBody {
                form: form.id.clone(),
                title_zh: form.title_zh.clone(),
                title_en: form.title_en.clone(),
                period: period.as_str().to_owned(),
                division,
                state: standing.map_or(NONE, |s| s.state.as_str()).to_owned(),
                due_on: due_on.to_string(),
                is_late: today > due_on,
                asked: form.asked(),
                filled: form.fields.len() - form.asked(),
                returned_why: standing.and_then(|s| s.returned_why.clone()),
            });
        }
    }
    due.sort_by(|a, b| (!a.is_late, &a.due_on).cmp(&(!b.is_late, &b.due_on)));
    Ok(Json(ListBody {
        today: today.to_string(),
        items,
        due,
        reaches_all: matches!(reach, Reach::All),
        may_fill: caller.user_id().is_some() && caller.may(Permission::IndicatorReport),
    }))
}

/// Which period.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ReturnsQuery {
    /// The period; the newest that is over when left out.
    pub period: Option<String>,
}

/// Who handed in a form of a period, and who has not.
#[utoipa::path(get, path = "/api/v1/forms/{id}/returns", tag = "forms", security(("session" = ["indicator.read"])), params(("id" = String, Path), ReturnsQuery),
    responses((status = 200, body = ReturnsBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn returns(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ReturnsQuery>,
) -> Answer<Json<ReturnsBody>> {
    let form = app.form(&id)?;
    let today = app.plan.day(app.now());
    let period = match &query.period {
        Some(asked) => Some(form.period(asked).map_err(crate::plan_reports::invalid)?),
        None => form.last_over(today),
    };
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let newest = form_returns::standings(&mut read, &form.id, &app.newest(&form)).await?;
    let word = period.as_ref().map_or("", Period::as_str);
    let standings = form_returns::standings(&mut read, &form.id, word).await?;
    drop(read);
    let due = period.as_ref().map(|period| form.due_on(period));
    let items = app.divisions(form.of).into_iter().map(|division| {
        let standing = standings.iter().find(|s| s.division_code == division.code);
        let handed_in = standing.filter(|s| s.state == SUBMITTED);
        StandingBody {
            state: standing.map_or(NONE, |s| s.state.as_str()).to_owned(),
            submitted_at: handed_in
                .and_then(|s| s.submitted_at)
                .map(|at| at.to_string()),
            by: handed_in.map(|s| s.by_name.clone()),
            is_late: due.is_some_and(|due| is_late(&app, standing, due, today)),
            returned_why: standing
                .filter(|s| s.state == "returned")
                .and_then(|s| s.returned_why.clone()),
            division,
        }
    });
    Ok(Json(ReturnsBody {
        items: items.collect(),
        form: app.form_item(&form, &names, &newest, today),
        period: period.map(|period| period.as_str().to_owned()),
        due_on: due.map(|day| day.to_string()),
    }))
}

/// A form of a period in a town or village: what people are asked, and the rest filled in, each value with where it comes from.
#[utoipa::path(get, path = "/api/v1/forms/{id}/{division}/{period}", tag = "forms", security(("session" = ["indicator.read"])),
    params(("id" = String, Path), ("division" = String, Path), ("period" = String, Path)),
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Path((id, division, period)): Path<(String, String, String)>,
) -> Answer<Json<DetailBody>> {
    let form = app.form(&id)?;
    let period = form.period(&period).map_err(crate::plan_reports::invalid)?;
    let division = app.form_division(form.of, &division)?;
    let body = app.form_detail(&caller, &form, &period, division).await?;
    Ok(Json(body))
}
