//! Values that the platform filled in and a town holds wrong (异议): the form goes on with the platform's value, marked, and the dispute is
//! a case of the organisation that answers for the source, with clocks. The town accepts the answer, goes on, or withdraws.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::case_pages::announce;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::form_returns::{self as steps, Place, must_be_own, tell};
use crate::forms::{DetailBody, DivisionBody};
use crate::plan_reports::{conflict, invalid, person, reason_place};
use crate::projects::{Names, UnitBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cases::{Act, NewCase};
use identity::{Permission, Principal};
use indicators::reports as rules;
use model::Told;
use model::problem::{both, number, quote};
use pack::Packs;
use pack::forms::{Element, Field, Form, Origin, Per};
use records::form_disputes::{self, FormDispute, NewDispute};
use records::{Acting, Connection, Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The workflow of disputes: a file of the plan's pack.
const WORKFLOW: &str = "form-dispute";
/// The state in which one has not been handed over yet.
const TO_HAND_OVER: &str = "collected";
/// How many characters of its digest name the request by which a case is opened.
const REQUEST_CHARS: usize = 32;

/// Held while a case is made of a dispute, so that of one value there is one.
static OPENING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// That a town holds a filled-in value wrong, and where its case stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FormDispute)]
pub struct DisputeBody {
    /// The case.
    pub case_id: i64,
    /// Its number.
    pub number: String,
    /// Where it stands: `collected`, `dispatched`, `handling`, `handled`, `closed` or `cancelled`.
    pub state: String,
    /// Whether the case has not ended.
    pub is_open: bool,
    /// By when the case is due in that state.
    pub due_at: Option<String>,
    /// When it ended.
    pub closed_at: Option<String>,
    /// The data element.
    pub element: String,
    /// The element's name in Chinese.
    pub name_zh: String,
    /// The element's name in English.
    pub name_en: String,
    /// Unit in Chinese; empty for none.
    pub unit_zh: String,
    /// Unit in English.
    pub unit_en: String,
    /// The form in which it was disputed.
    pub form: String,
    /// The form's title in Chinese.
    pub title_zh: String,
    /// The form's title in English.
    pub title_en: String,
    /// The period of that form.
    pub period: String,
    /// The town or village.
    pub division: DivisionBody,
    /// Who answers for the source.
    pub organisation: UnitBody,
    /// What the form showed; null for nothing.
    pub shown: Value,
    /// What the town holds right.
    pub stated: Value,
    /// Why.
    pub why: String,
    /// Who disputed it.
    pub by: String,
    /// When.
    pub at: String,
    /// What who answers for the source said when they were done.
    pub answer: Option<String>,
    /// Whether the caller may accept the answer, go on, or withdraw.
    pub may_settle: bool,
}

impl DisputeBody {
    pub(crate) fn of(
        row: FormDispute,
        packs: &Packs,
        names: &Names,
        division: DivisionBody,
        may_settle: bool,
    ) -> Self {
        let element = packs.element(&row.element);
        let said = |of: fn(&Element) -> &String, otherwise: &str| {
            element.map_or_else(|| otherwise.to_owned(), |e| of(e).clone())
        };
        let form = packs.form(&row.form);
        let title =
            |of: fn(&Form) -> &String| form.map_or_else(|| row.form.clone(), |f| of(f).clone());
        Self {
            name_zh: said(|e| &e.name_zh, &row.element),
            name_en: said(|e| &e.name_en, &row.element),
            unit_zh: said(|e| &e.unit_zh, ""),
            unit_en: said(|e| &e.unit_en, ""),
            title_zh: title(|f| &f.title_zh),
            title_en: title(|f| &f.title_en),
            case_id: row.case_id,
            number: row.number,
            is_open: row.closed_at.is_none(),
            may_settle: may_settle && row.closed_at.is_none(),
            state: row.state,
            due_at: row.due_at.map(|at| at.to_string()),
            closed_at: row.closed_at.map(|at| at.to_string()),
            organisation: names.of(&row.organisation_id),
            element: row.element,
            form: row.form,
            period: row.period,
            division,
            shown: row.shown,
            stated: row.stated,
            why: row.why,
            by: row.by_name,
            at: row.at.to_string(),
            answer: row.answer,
        }
    }
}

/// The disputes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormDisputes)]
pub struct DisputesBody {
    /// Those whose cases have not ended, then the others, newest first.
    pub items: Vec<DisputeBody>,
    /// How many have not ended.
    pub open: usize,
}

/// A filled-in value that is held wrong.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormDisputeDraft)]
pub struct DisputeRequest {
    /// The data element.
    pub element: String,
    /// What is right.
    pub value: Value,
    /// Why: how it was counted, what is missing at the source.
    pub why: String,
}

/// What a town does with its dispute.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormDisputeStep)]
pub struct StepRequest {
    /// `accept` the answer, which ends the case; `reject` it, so that it is handled again; `withdraw` what was not answered yet.
    pub step: Step,
    /// Why; not needed to accept.
    #[serde(default)]
    pub note: String,
}

/// A step of the town.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FormDisputeStepKind)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The answer is accepted.
    Accept,
    /// It is not.
    Reject,
    /// The dispute is taken back.
    Withdraw,
}

impl Step {
    const fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }

    /// What it is in the workflow.
    const fn action(self) -> &'static str {
        match self {
            Self::Accept => "verify",
            Self::Reject => "reject",
            Self::Withdraw => "cancel",
        }
    }
}

/// The caller with what the workflow leaves to the plan office: whether the town may was asked before.
fn lent(caller: &Principal, peer: Peer) -> Acting {
    let mut acting = peer.acting(caller);
    acting.permissions.push(Permission::ProjectManage.as_str());
    acting
}

/// Who answers for the source of an element, of the organisations that there are; else who asks for the form.
async fn answers(
    read: &mut Connection,
    packs: &Packs,
    form: &Form,
    element: &Element,
) -> Answer<String> {
    let of_origin = match element.origin() {
        Some(Origin::Indicator(id)) => {
            let indicator = packs.indicators.iter().find(|i| i.id == id);
            indicator.and_then(|i| i.responsible.clone())
        }
        Some(Origin::Form(id)) => packs.form(id).map(|form| form.asked_by.clone()),
        Some(Origin::Sql(_) | Origin::Column { .. }) | None => None,
    };
    let known = records::organisations::list(read).await?;
    let named = [element.answered_by.clone(), of_origin];
    let mut named = named.into_iter().flatten();
    let found = named.find(|id| known.iter().any(|o| o.id == *id));
    Ok(found.unwrap_or_else(|| form.asked_by.clone()))
}

/// Whether two values are one: a whole number is that number, however it is written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON * one.abs().max(1.0),
        _ => one == other,
    }
}

/// A value in words.
fn said(value: &Value, element: &Element) -> String {
    let unit = &element.unit_zh;
    match value {
        Value::Null => "（没有数）".to_owned(),
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
        Value::String(text) => format!("“{}”", quote(text)),
        other => other
            .as_f64()
            .map_or_else(String::new, |value| format!("{}{unit}", number(value))),
    }
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

fn element_place(element: &Element) -> model::problem::Both {
    both(element.name_zh.as_str(), element.id.as_str())
}

/// The field of a form that the platform fills in, with its element.
fn filled_in<'a>(place: &'a Place, packs: &'a Packs, id: &str) -> Answer<(&'a Field, &'a Element)> {
    let field = place
        .form
        .fields
        .iter()
        .find(|f| f.element() == id && !f.ask);
    let element = packs.element(id);
    field.zip(element).ok_or_else(|| {
        let id = quote(id);
        invalid(Told::new(
            "dispute-field",
            both(
                format!("本表没有由平台带出的“{id}”"),
                format!("the platform fills in no {id} in this form"),
            ),
            both("数据元", "element"),
            both(
                "只有平台带出的项可以提出异议；要填的项直接填写",
                "only what the platform fills in can be disputed; write what you are asked",
            ),
        ))
    })
}

/// Disputes a value that the platform filled in: the form keeps it, marked, and a case goes to who answers for the source.
#[utoipa::path(post, path = "/api/v1/forms/{id}/{division}/{period}/disputes", tag = "forms", security(("session" = ["indicator.report"])),
    params(("id" = String, Path), ("division" = String, Path), ("period" = String, Path)), request_body = DisputeRequest,
    responses((status = 201, body = DetailBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn dispute(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(path): Path<(String, String, String)>,
    Json(request): Json<DisputeRequest>,
) -> Answer<(StatusCode, Json<DetailBody>)> {
    let place = Place::find(&app, &path)?;
    person(&caller)?;
    let packs = app.packs.now();
    let mut read = app.records.read().await?;
    place.must_be_own(&mut read, &caller).await?;
    drop(read);
    let today = app.plan.day(app.now());
    place.period.must_have_begun(today).map_err(invalid)?;
    let (field, element) = filled_in(&place, &packs, &request.element)?;
    let why = rules::check_text(&request.why, &reason_place(), true).map_err(invalid)?;
    let stated = field.read(element, &request.value).map_err(invalid)?;
    let stated = stated.ok_or_else(|| no_value(element))?;
    // The value that the caller saw: of a form that is handed in the one that was kept with it.
    let seen = app
        .form_detail(&caller, &place.form, &place.period, place.division.clone())
        .await?;
    let seen = seen.fields.into_iter().find(|f| f.element == element.id);
    let shown = seen.map_or(Value::Null, |field| field.value);
    if is_same(&shown, &stated) {
        return Err(same(element));
    }
    let dispute = Dispute {
        place: &place,
        element,
        shown,
        stated,
        why,
    };
    dispute.open(&app, &caller, peer, &packs).await?;
    tell(&app, &place);
    let body = steps::answer(&app, &caller, place).await?;
    Ok((StatusCode::CREATED, body))
}

fn no_value(element: &Element) -> ApiError {
    invalid(Told::new(
        "dispute-value",
        both("没有写应为多少", "what is right is not said"),
        element_place(element),
        both("请写出您认为正确的数", "write what you hold right"),
    ))
}

fn same(element: &Element) -> ApiError {
    let (zh, en) = (&element.name_zh, &element.name_en);
    invalid(Told::new(
        "dispute-same",
        both(
            format!("“{zh}”带出的就是这个数"),
            format!("{en}: it is what the form shows"),
        ),
        element_place(element),
        both("没有异议就不用提", "there is nothing to dispute"),
    ))
}

/// A value that is disputed.
struct Dispute<'a> {
    place: &'a Place,
    element: &'a Element,
    shown: Value,
    stated: Value,
    why: &'a str,
}

impl Dispute<'_> {
    /// Makes a case of it, hands it over and keeps both values.
    async fn open(&self, app: &App, caller: &Principal, peer: Peer, packs: &Packs) -> Answer<()> {
        let (place, element, now) = (self.place, self.element, app.now());
        // Between looking for an open one and keeping the new one nobody else opens one.
        let _one_at_a_time = OPENING.lock().await;
        let mut read = app.records.read().await?;
        let earlier = form_disputes::of_division(&mut read, &place.division.code).await?;
        let earlier: Vec<&FormDispute> = (earlier.iter())
            .filter(|d| d.element == element.id)
            .collect();
        if let Some(open) = earlier.iter().find(|d| d.closed_at.is_none()) {
            return Err(conflict(Told::new(
                "dispute-open",
                both(
                    format!("这个数的异议 {} 还没有办结", open.number),
                    format!("the dispute {} has not ended", open.number),
                ),
                element_place(element),
                both(
                    "请等答复，或撤回后再提",
                    "wait for its answer, or withdraw it first",
                ),
            )));
        }
        let organisation = answers(&mut read, packs, &place.form, element).await?;
        drop(read);
        let acting = lent(caller, peer);
        let new = self.described(app, earlier.len(), &acting);
        let mut case = app.cases.open(&new, &acting, now).await?.case;
        if case.state == TO_HAND_OVER {
            let act = Act {
                action: "dispatch".to_owned(),
                organisation: Some(organisation.clone()),
                ..Act::default()
            };
            case = app.cases.act(case.id, &act, &acting, now).await?.case;
        }
        let key = place.key();
        let row = NewDispute {
            case_id: case.id,
            element: &element.id,
            division_code: key.division_code,
            form: key.form,
            period: key.period,
            shown: &self.shown,
            stated: &self.stated,
            why: self.why,
            organisation_id: &organisation,
        };
        let mut write = app.records.write().await?;
        form_disputes::insert(&mut write, &row, &acting.actor, now).await?;
        let detail = json!({"element": element.id, "shown": self.shown, "stated": self.stated, "why": self.why,
            "case": case.number, "organisation": organisation});
        let (event, target) = (Event::FormDispute, place.target());
        audit::insert(&mut write, now, &acting.actor, event, &target, &detail).await?;
        write.commit().await?;
        announce(app, &case);
        Ok(())
    }

    /// The case in the words of those who handle it.
    fn described(&self, app: &App, earlier: usize, acting: &Acting) -> NewCase {
        let (place, element) = (self.place, self.element);
        let key = place.key();
        let options = app.cases.options();
        // Should the program end before the case is linked, the same person's next try finds it by this name.
        let name = format!(
            "dispute {} {} {earlier} {} {:?}",
            place.target(),
            element.id,
            self.stated,
            acting.actor.kind
        );
        let mut name = hex::encode(Sha256::digest(name.as_bytes()));
        name.truncate(REQUEST_CHARS);
        let town = place.division.town.as_deref().unwrap_or_default();
        let whose = format!("{town}{}", place.division.name);
        let (zh, title) = (&element.name_zh, &place.form.title_zh);
        let text = format!(
            "《{title}》{}：平台带出{whose}“{zh}”{}，填报单位认为应为{}。理由：{}。来源：{}（{}）。请核实：来源有误的，在来源处更正，报表会自动带出更正后的数；\
             无误的，说明依据。办完请写明结果，由填报单位确认。报表：/forms/{}/{}/{}",
            key.period,
            said(&self.shown, element),
            said(&self.stated, element),
            self.why,
            element.definition_zh,
            element.place,
            key.form,
            key.division_code,
            key.period
        );
        NewCase {
            title: cut(
                &format!("{whose}：对带出的“{zh}”有异议"),
                options.title_chars_max,
            ),
            description: cut(&text, options.text_chars_max),
            workflow: Some(WORKFLOW.to_owned()),
            request_id: Some(name),
            ..NewCase::default()
        }
    }
}

/// A step of the town with its dispute: accepts the answer, has it handled again, or withdraws it.
#[utoipa::path(post, path = "/api/v1/forms/disputes/{case_id}", tag = "forms", security(("session" = ["indicator.report"])),
    params(("case_id" = i64, Path)), request_body = StepRequest,
    responses((status = 200, body = DisputeBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn settle(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(case_id): Path<i64>,
    Json(request): Json<StepRequest>,
) -> Answer<Json<DisputeBody>> {
    person(&caller)?;
    let mut read = app.records.read().await?;
    let row = form_disputes::of_case(&mut read, case_id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("dispute", case_id))?;
    let division = app.division_of(&row.division_code);
    must_be_own(&mut read, &caller, &division).await?;
    drop(read);
    let is_needed = request.step != Step::Accept;
    let note = rules::check_text(&request.note, &reason_place(), is_needed).map_err(invalid)?;
    let now = app.now();
    let acting = lent(&caller, peer);
    let act = Act {
        action: request.step.action().to_owned(),
        note: Some(note.to_owned()).filter(|note| !note.is_empty()),
        ..Act::default()
    };
    let case = app.cases.act(case_id, &act, &acting, now).await?.case;
    let mut write = app.records.write().await?;
    let target = format!("form:{}/{}/{}", row.form, row.period, row.division_code);
    let detail = json!({"element": row.element, "case": case.number, "step": request.step.word(), "note": note});
    let event = Event::FormDisputeStep;
    audit::insert(&mut write, now, &acting.actor, event, &target, &detail).await?;
    write.commit().await?;
    announce(&app, &case);
    let notice = json!({"id": row.form, "division": row.division_code, "period": row.period});
    app.events.tell("form", Permission::IndicatorRead, notice);
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let row = form_disputes::of_case(&mut read, case_id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("dispute", case_id))?;
    let packs = app.packs.now();
    Ok(Json(DisputeBody::of(row, &packs, &names, division, true)))
}

/// What towns and villages hold wrong of what was filled in: what is open first.
#[utoipa::path(get, path = "/api/v1/forms/disputes", tag = "forms", security(("session" = ["indicator.read"])),
    responses((status = 200, body = DisputesBody)))]
pub async fn list(State(app): State<App>, Caller(caller): Caller) -> Answer<Json<DisputesBody>> {
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let reach = crate::forms::Reach::of(&mut read, &caller).await?;
    let rows = form_disputes::list(&mut read).await?;
    drop(read);
    let packs = app.packs.now();
    let all = app.divisions(Per::Town).into_iter();
    let all = all.chain(app.divisions(Per::Village));
    let all: BTreeMap<String, DivisionBody> = all.map(|d| (d.code.clone(), d)).collect();
    let may_fill = caller.user_id().is_some() && caller.may(Permission::IndicatorReport);
    let items = rows.into_iter().map(|row| {
        let division = all.get(&row.division_code).cloned();
        let division = division.unwrap_or_else(|| unknown(&row.division_code));
        let is_own = may_fill && reach.covers(&row.division_code);
        DisputeBody::of(row, &packs, &names, division, is_own)
    });
    let items: Vec<DisputeBody> = items.collect();
    Ok(Json(DisputesBody {
        open: items.iter().filter(|d| d.is_open).count(),
        items,
    }))
}

/// A division that the city does not have any more.
fn unknown(code: &str) -> DivisionBody {
    DivisionBody {
        code: code.to_owned(),
        name: code.to_owned(),
        town: None,
    }
}

impl App {
    /// The town or village of that code; one that is gone is called by its code.
    fn division_of(&self, code: &str) -> DivisionBody {
        let all = [Per::Town, Per::Village].into_iter();
        let mut found = all.filter_map(|per| self.form_division(per, code).ok());
        found.next().unwrap_or_else(|| unknown(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_that_number_however_it_is_written() {
        for (one, other, is) in [
            (json!(2), json!(2.0), true),
            (json!(0), json!(0.0), true),
            (json!(2), json!(3), false),
            (json!(null), json!(0), false),
            (json!("无"), json!("无"), true),
            (json!(true), json!(false), false),
        ] {
            assert_eq!(is_same(&one, &other), is, "{one} {other}");
        }
    }
}
