//! Reporting forms (报表) on their way: saved, handed in, corrected with a reason, returned. What the platform filled in is kept as it was
//! shown; what is handed in is at once a source for others, as the SQL table `form_values`.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::form_known::Filled;
use crate::forms::{DetailBody, DivisionBody, Reach, SUBMITTED, may_return};
use crate::plan_reports::{conflict, invalid, person, reason_place};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::{Permission, Principal};
use indicators::reports::{self as rules, Period};
use model::problem::{both, quote};
use model::{Timestamp, Told};
use pack::Packs;
use pack::forms::Form;
use records::form_disputes::{self, FormDispute};
use records::form_returns::{self, FormReturn, Key, NewValue, Written};
use records::{Actor, Connection, Event, audit};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is written of a form.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormDraft)]
pub struct DraftRequest {
    /// What people are asked, by data element; null for what is not known yet.
    pub values: BTreeMap<String, Value>,
    /// The version that the person saw; null where nobody had begun.
    pub version: Option<i64>,
}

/// A form to hand in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormSubmission)]
pub struct SubmitRequest {
    /// What people are asked, by data element.
    pub values: BTreeMap<String, Value>,
    /// The version that the person saw; null where nobody had begun.
    pub version: Option<i64>,
    /// Why what was handed in is corrected; not needed the first time.
    pub reason: Option<String>,
}

/// Why a form is returned.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormReturnReason)]
pub struct ReturnRequest {
    /// What is to be mended.
    pub reason: String,
}

/// A form of a period in a division that the caller may fill in.
pub(crate) struct Place {
    pub form: Form,
    pub period: Period,
    pub division: DivisionBody,
}

impl Place {
    pub(crate) fn find(
        app: &App,
        (id, division, period): &(String, String, String),
    ) -> Answer<Self> {
        let form = app.form(id)?;
        let period = form.period(period).map_err(invalid)?;
        let division = app.form_division(form.of, division)?;
        Ok(Self {
            form,
            period,
            division,
        })
    }

    pub(crate) fn key(&self) -> Key<'_> {
        Key {
            form: &self.form.id,
            period: self.period.as_str(),
            division_code: &self.division.code,
        }
    }

    pub(crate) fn target(&self) -> String {
        let key = self.key();
        format!("form:{}/{}/{}", key.form, key.period, key.division_code)
    }

    pub(crate) async fn must_be_own(
        &self,
        read: &mut Connection,
        caller: &Principal,
    ) -> Answer<()> {
        must_be_own(read, caller, &self.division).await
    }

    /// What was written as it is kept: only what people are asked, each value of its kind.
    fn read(
        &self,
        packs: &Packs,
        values: &BTreeMap<String, Value>,
    ) -> Answer<BTreeMap<String, Value>> {
        for id in values.keys() {
            let field = self.form.fields.iter().find(|f| f.element() == id);
            if field.is_some_and(|f| f.ask) {
                continue;
            }
            let name = packs
                .element(id)
                .map_or(id.as_str(), |e| e.name_zh.as_str());
            let (zh, en, mend_zh, mend_en) = match field {
                Some(_) => (
                    format!("“{name}”由平台带出，不能填写"),
                    format!("{id} is filled in by the platform and is not written over"),
                    "如有不符，请在该项提出异议",
                    "where it is wrong, dispute it in the form",
                ),
                None => (
                    format!("本表没有“{}”", quote(name)),
                    format!("the form has no {}", quote(id)),
                    "请刷新后再填",
                    "read the form again",
                ),
            };
            return Err(invalid(Told::new(
                "form-field",
                both(zh, en),
                both(name, id.as_str()),
                both(mend_zh, mend_en),
            )));
        }
        let mut kept = BTreeMap::new();
        for field in self.form.fields.iter().filter(|f| f.ask) {
            let (Some(element), Some(written)) =
                (packs.element(field.element()), values.get(field.element()))
            else {
                continue;
            };
            if let Some(value) = field.read(element, written).map_err(invalid)? {
                kept.insert(element.id.clone(), value);
            }
        }
        Ok(kept)
    }

    /// Asks that everything is answered that must be.
    fn must_be_whole(&self, packs: &Packs, asked: &BTreeMap<String, Value>) -> Answer<()> {
        let required = self.form.fields.iter().filter(|f| f.ask && f.required);
        let missing = required.filter(|f| !asked.contains_key(f.element()));
        let missing: Vec<_> = missing.filter_map(|f| packs.element(f.element())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let zh: Vec<&str> = missing.iter().map(|e| e.name_zh.as_str()).collect();
        let en: Vec<&str> = missing.iter().map(|e| e.name_en.as_str()).collect();
        let ids: Vec<&str> = missing.iter().map(|e| e.id.as_str()).collect();
        Err(invalid(Told::new(
            "form-missing",
            both(
                format!("还没有填：{}", zh.join("、")),
                format!("not answered yet: {}", en.join(", ")),
            ),
            both(zh.join("、"), ids.join(", ")),
            both("请填好后上报；没有的填 0", "answer it; write 0 for none"),
        )))
    }
}

/// Asks that a division is the caller's to fill in for.
pub(crate) async fn must_be_own(
    read: &mut Connection,
    caller: &Principal,
    division: &DivisionBody,
) -> Answer<()> {
    if Reach::of(read, caller).await?.covers(&division.code) {
        return Ok(());
    }
    let name = &division.name;
    Err(ApiError::told(
        StatusCode::FORBIDDEN,
        Told::new(
            "form-division",
            both(
                format!("{name}不是您所在单位负责的区划"),
                format!("your organisation does not answer for {name}"),
            ),
            both("填报单位", "division"),
            both(
                "请由该乡镇（街道）填报",
                "leave it to the people of that town",
            ),
        ),
    ))
}

fn changed_meanwhile(current: Option<&FormReturn>) -> ApiError {
    let (by, at) = current.map_or((String::new(), String::new()), |c| {
        (c.by_name.clone(), c.changed_at.to_string())
    });
    conflict(Told::new(
        "form-changed",
        both(
            format!("这张表已被 {by} 于 {at} 改动"),
            format!("the form was changed by {by} at {at}"),
        ),
        both("版本", "version"),
        both("请刷新后再填", "read it again, then write"),
    ))
}

fn handed_in(current: &FormReturn) -> ApiError {
    let at = current
        .submitted_at
        .map_or_else(String::new, |at| at.to_string());
    let by = &current.by_name;
    conflict(Told::new(
        "form-exists",
        both(
            format!("本期已由 {by} 于 {at} 上报（第 {} 号）", current.id),
            format!("it was handed in by {by} at {at} (number {})", current.id),
        ),
        both("报告期", "period"),
        both(
            "要改请写明更正理由后再上报；原来的值保留",
            "correct it with a reason; what was handed in is kept",
        ),
    ))
}

/// The values of a form for SQL and for other forms.
fn values_of(asked: &BTreeMap<String, Value>, filled: &[Filled]) -> Vec<NewValue> {
    let row = |element: &str, value: &Value, origin: &str, disputed: Option<i64>| NewValue {
        element: element.to_owned(),
        disputed,
        value: match value {
            Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
            other => other.as_f64(),
        },
        value_text: value.as_str().map(str::to_owned),
        origin: origin.to_owned(),
    };
    let written = asked
        .iter()
        .map(|(id, value)| row(id, value, "person", None));
    let known = filled.iter().filter(|f| !f.value.is_null());
    written
        .chain(known.map(|f| row(&f.element, &f.value, &f.origin, f.disputed)))
        .collect()
}

pub(crate) fn tell(app: &App, place: &Place) {
    app.events.tell(
        "form",
        Permission::IndicatorRead,
        json!({"id": place.form.id, "division": place.division.code, "period": place.period.as_str()}),
    );
}

pub(crate) async fn answer(
    app: &App,
    caller: &Principal,
    place: Place,
) -> Answer<Json<DetailBody>> {
    let Place {
        form,
        period,
        division,
    } = place;
    let body = app.form_detail(caller, &form, &period, division).await?;
    Ok(Json(body))
}

/// Saves what is written so far of a form: for one's own town and its villages.
#[utoipa::path(put, path = "/api/v1/forms/{id}/{division}/{period}", tag = "forms", security(("session" = ["indicator.report"])),
    params(("id" = String, Path), ("division" = String, Path), ("period" = String, Path)), request_body = DraftRequest,
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn save(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(path): Path<(String, String, String)>,
    Json(request): Json<DraftRequest>,
) -> Answer<Json<DetailBody>> {
    let place = Place::find(&app, &path)?;
    person(&caller)?;
    let packs = app.packs.now();
    let (now, actor) = (app.now(), peer.actor(&caller));
    let mut write = app.records.write().await?;
    place.must_be_own(&mut write, &caller).await?;
    let today = app.plan.day(now);
    place.period.must_have_begun(today).map_err(invalid)?;
    let asked = json!(place.read(&packs, &request.values)?);
    let current = form_returns::current(&mut write, &place.key()).await?;
    let (filled, state) = (
        json!([]),
        current.as_ref().map_or("draft", |c| c.state.as_str()),
    );
    let written = Written {
        state,
        asked: &asked,
        filled: &filled,
        corrects: None,
        reason: "",
    };
    match &current {
        Some(current) if current.state == SUBMITTED => return Err(handed_in(current)),
        Some(current) if request.version == Some(current.version) => {
            let id = current.id;
            if !form_returns::write(&mut write, id, current.version, &written, &actor, now).await? {
                return Err(changed_meanwhile(Some(current)));
            }
        }
        None if request.version.is_none() => {
            form_returns::insert(&mut write, &place.key(), &written, &actor, now).await?;
        }
        other => return Err(changed_meanwhile(other.as_ref())),
    }
    let detail = json!({"asked": asked});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::FormSave,
        &place.target(),
        &detail,
    )
    .await?;
    write.commit().await?;
    tell(&app, &place);
    answer(&app, &caller, place).await
}

/// Hands a form in, or corrects one that was, with a reason; what was handed in before is kept.
#[utoipa::path(post, path = "/api/v1/forms/{id}/{division}/{period}/submit", tag = "forms", security(("session" = ["indicator.report"])),
    params(("id" = String, Path), ("division" = String, Path), ("period" = String, Path)), request_body = SubmitRequest,
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn submit(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(path): Path<(String, String, String)>,
    Json(request): Json<SubmitRequest>,
) -> Answer<Json<DetailBody>> {
    let place = Place::find(&app, &path)?;
    let person = person(&caller)?;
    let packs = app.packs.now();
    let (now, actor) = (app.now(), peer.actor(&caller));
    let mut read = app.records.read().await?;
    place.must_be_own(&mut read, &caller).await?;
    drop(read);
    place
        .period
        .must_have_begun(app.plan.day(now))
        .map_err(invalid)?;
    let asked = place.read(&packs, &request.values)?;
    place.must_be_whole(&packs, &asked)?;
    let reason = request.reason.as_deref().unwrap_or_default();
    let reason = rules::check_text(reason, &reason_place(), false).map_err(invalid)?;
    // Read before the records are held: history may take its time.
    let filled = app.fill(&packs, &place.form, &place.division.code).await?;
    let mut filled: Vec<Filled> = filled.into_iter().map(|(filled, _)| filled).collect();
    let mut write = app.records.write().await?;
    let disputes = form_disputes::of_division(&mut write, &place.division.code).await?;
    for filled in &mut filled {
        let open = |d: &&FormDispute| d.element == filled.element && d.closed_at.is_none();
        filled.disputed = disputes.iter().find(open).map(|d| d.case_id);
    }
    let current = form_returns::current(&mut write, &place.key()).await?;
    let before = current.as_ref().filter(|c| c.state == SUBMITTED);
    if let Some(current) = before.filter(|_| reason.is_empty()) {
        // Sent twice, it is done once.
        let is_same = current.by_id == Some(person.id) && current.asked == json!(asked);
        if !is_same {
            return Err(handed_in(current));
        }
        drop(write);
        return answer(&app, &caller, place).await;
    }
    if request.version != current.as_ref().map(|c| c.version) {
        return Err(changed_meanwhile(current.as_ref()));
    }
    let step = Step {
        asked: &asked,
        filled: &filled,
        reason: if before.is_some() { reason } else { "" },
    };
    hand_in(&mut write, &place, current.as_ref(), &step, &actor, now).await?;
    write.commit().await?;
    tell(&app, &place);
    answer(&app, &caller, place).await
}

/// What is handed in.
struct Step<'a> {
    asked: &'a BTreeMap<String, Value>,
    filled: &'a [Filled],
    reason: &'a str,
}

async fn hand_in(
    write: &mut Connection,
    place: &Place,
    current: Option<&FormReturn>,
    step: &Step<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Answer<()> {
    let before = current.filter(|c| c.state == SUBMITTED);
    let (asked, filled) = (json!(step.asked), json!(step.filled));
    let written = Written {
        state: SUBMITTED,
        asked: &asked,
        filled: &filled,
        corrects: before.map(|c| c.id),
        reason: step.reason,
    };
    let key = place.key();
    let id = match (current, before) {
        (_, Some(before)) => {
            if !form_returns::replace(write, before.id, now).await? {
                return Err(changed_meanwhile(Some(before)));
            }
            form_returns::insert(write, &key, &written, actor, now).await?
        }
        (Some(open), None) => {
            if !form_returns::write(write, open.id, open.version, &written, actor, now).await? {
                return Err(changed_meanwhile(Some(open)));
            }
            open.id
        }
        (None, None) => form_returns::insert(write, &key, &written, actor, now).await?,
    };
    let values = values_of(step.asked, step.filled);
    form_returns::put_values(write, id, &key, &values, now).await?;
    let mut detail = json!({"asked": asked, "filled": step.filled.len()});
    if let Some(before) = before {
        detail["old"] = before.asked.clone();
        detail["reason"] = json!(step.reason);
    }
    audit::insert(
        write,
        now,
        actor,
        Event::FormSubmit,
        &place.target(),
        &detail,
    )
    .await?;
    Ok(())
}

/// Returns a form that was handed in, with a reason: by the organisation that asks for it, or the plan office.
#[utoipa::path(post, path = "/api/v1/forms/{id}/{division}/{period}/return", tag = "forms", security(("session" = ["indicator.approve"])),
    params(("id" = String, Path), ("division" = String, Path), ("period" = String, Path)), request_body = ReturnRequest,
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn give_back(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(path): Path<(String, String, String)>,
    Json(request): Json<ReturnRequest>,
) -> Answer<Json<DetailBody>> {
    let place = Place::find(&app, &path)?;
    person(&caller)?;
    if !may_return(&caller, &place.form) {
        return Err(ApiError::told(
            StatusCode::FORBIDDEN,
            Told::new(
                "form-asker",
                both(
                    "退回由要表的单位或规划办办理",
                    "a form is returned by the organisation that asks for it, or by the plan office",
                ),
                both("要表单位", "asked_by"),
                both("请与要表单位联系", "ask them"),
            ),
        ));
    }
    let reason = rules::check_text(&request.reason, &reason_place(), true).map_err(invalid)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    let mut write = app.records.write().await?;
    let current = form_returns::current(&mut write, &place.key()).await?;
    let is_done = match &current {
        Some(current) => {
            form_returns::give_back(&mut write, current.id, reason, &actor, now).await?
        }
        None => false,
    };
    if !is_done {
        return Err(conflict(Told::new(
            "form-state",
            both("这张表现在没有上报", "the form is not handed in now"),
            both("状态", "state"),
            both("请刷新后再看", "read it again"),
        )));
    }
    let detail = json!({"reason": reason});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::FormReturn,
        &place.target(),
        &detail,
    )
    .await?;
    write.commit().await?;
    tell(&app, &place);
    answer(&app, &caller, place).await
}
