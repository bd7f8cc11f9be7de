//! Opening a case and moving it: the decision is the workflow's, the change, its history and its audit line
//! are one transaction.

use crate::acts::{Doing, may_end};
use crate::alerts::ALERT_STILL_ACTIVE;
use crate::clocks::Clocks;
use crate::history::{step, system_step};
use crate::kinds::Kind;
use crate::view::CaseDetail;
use crate::workflow::{Assigns, Need, STANDARD, Transition, Workflow};
use crate::{Cases, SEVERITIES, SOURCES, number};
use model::{EntityId, Geometry, Problem, Timestamp, problem::quote};
use records::alerts;
use records::cases::{self, Case, CaseEvent};
use records::{Acting, Failure, Result, Write, attachments, audit, organisations, posts, users};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The severity of a case of which nothing says another.
const SEVERITY: &str = "minor";

/// A case to open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCase {
    /// One line; the alert's title when empty and there is an alert.
    #[serde(default)]
    pub title: String,
    /// More.
    #[serde(default)]
    pub description: String,
    /// The alert it comes from: fills in what is left out here.
    #[serde(default)]
    pub alert_id: Option<i64>,
    /// The entity it is about.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// `info`, `minor`, `major` or `critical`; `minor` when nothing says otherwise.
    #[serde(default)]
    pub severity: Option<String>,
    /// Longitude and latitude, degrees.
    #[serde(default)]
    pub location: Option<[f64; 2]>,
    /// The workflow; the default one when `None`.
    #[serde(default)]
    pub workflow: Option<String>,
    /// What kind it is: a code of the city's catalogue (GB/T 30428.2).
    #[serde(default)]
    pub category: Option<String>,
    /// The code of the town in which it lies.
    #[serde(default)]
    pub town: Option<String>,
    /// The code of the unit grid in which it lies (单元网格, GB/T 30428.1).
    #[serde(default)]
    pub grid: Option<String>,
    /// Who found it, one of [`crate::SOURCES`]; `sensor` when it comes from an alert, `staff` otherwise.
    #[serde(default)]
    pub source: Option<String>,
    /// A reference to the reporter that says nothing by itself, such as the number of a hotline's call.
    #[serde(default)]
    pub reporter: Option<String>,
    /// The client's own name of this request: sent twice, the case is opened once.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// An action on a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Its name.
    pub action: String,
    /// What the person writes.
    #[serde(default)]
    pub note: Option<String>,
    /// The department to dispatch to.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The person to give it to.
    #[serde(default)]
    pub assignee: Option<i64>,
    /// Attachments of this case that belong to this step.
    #[serde(default)]
    pub attachment_ids: Vec<i64>,
    /// The version that the person saw; when given, the action is refused if the case has changed since.
    #[serde(default)]
    pub version: Option<i64>,
    /// How many minutes of working time: of an extension.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Until when: of supervision and suspension.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// The other case: the one that this case repeats.
    #[serde(default)]
    pub case: Option<i64>,
    /// The parts that the case is split into.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The client's own name of this request: sent twice, it is done once.
    #[serde(default)]
    pub request_id: Option<String>,
    /// When it was done by the clock of the phone, which may have been without a network since.
    #[serde(default)]
    pub done_at: Option<Timestamp>,
    /// What that clock says while the step is sent.
    #[serde(default)]
    pub clock: Option<Timestamp>,
}

/// One part of a case (子案件), for one department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The department.
    pub organisation: String,
    /// The person, when it is given to one.
    #[serde(default)]
    pub assignee: Option<i64>,
    /// One line; the whole case's title when empty.
    #[serde(default)]
    pub title: String,
}

impl Cases {
    /// Opens a case.
    ///
    /// # Errors
    /// [`Failure::Invalid`]; [`Failure::Forbidden`]; [`Failure::NotFound`] for an unknown alert;
    /// [`Failure::Conflict`] `alert-has-case`.
    pub async fn open(&self, new: &NewCase, acting: &Acting, now: Timestamp) -> Result<CaseDetail> {
        let category = new
            .category
            .as_deref()
            .and_then(|code| self.options.catalogue.get(code));
        let named = new.workflow.as_deref();
        let named = named.or_else(|| category.and_then(|c| c.workflow.as_deref()));
        let named = self.workflow(named.unwrap_or(STANDARD))?;
        if !named.open_may.iter().any(|p| acting.may(p)) {
            let needed = named.open_may.join(" or ");
            return Err(Failure::Forbidden(Problem::new(
                "permission-missing",
                format!("opening a case needs the permission {needed}"),
                "case",
                "ask somebody who may, or the engineer for another role",
            )));
        }
        let request = check_request(new.request_id.as_deref())?;
        let mut write = self.records.write().await?;
        if let Some(done) = done_before(&mut write, request, acting, None, "open").await? {
            return self.detail(&mut write, done, acting).await;
        }
        let alert = match new.alert_id {
            None => None,
            Some(id) => Some(
                alerts::get(&mut write, id)
                    .await?
                    .ok_or_else(|| Failure::not_found("alert", id))?,
            ),
        };
        if let Some(other) = alert.as_ref().and_then(|a| a.case_id) {
            let other = cases::get(&mut write, other)
                .await?
                .map_or_else(|| other.to_string(), |c| c.number);
            return Err(Failure::Conflict(Problem::new(
                "alert-has-case",
                format!("the alert already has the case {other}"),
                "alert_id",
                "go on with that case",
            )));
        }
        let severity = new.severity.as_deref();
        let severity = severity.or_else(|| alert.as_ref().map(|alert| alert.severity.as_str()));
        let severity = severity.unwrap_or(SEVERITY);
        let limited = named.limited(category, severity);
        let workflow = limited.as_ref();
        let mut case = self.new_row(new, severity, workflow, acting, now)?;
        if let Some(alert) = &alert {
            if case.title.is_empty() {
                case.title.clone_from(&alert.title_zh);
            }
            case.entity_id = case.entity_id.or_else(|| Some(alert.entity_id.clone()));
            if case.lon.is_none() {
                (case.lon, case.lat) = (alert.lon, alert.lat);
            }
            if new.source.is_none() {
                "sensor".clone_into(&mut case.source);
            }
        }
        if case.title.is_empty() {
            return Err(Failure::Invalid(Problem::new(
                "case-title",
                "the case has no title",
                "title",
                "say in one line what is the matter",
            )));
        }
        let day = number::day(now, &self.zone);
        case.workflow_version =
            cases::keep_workflow(&mut write, &workflow.name, &workflow.definition()?).await?;
        let count = cases::next_number(&mut write, &day).await?;
        case.number = number::number(&self.options.number_prefix, &day, count);
        let case = cases::insert(&mut write, &case).await?;
        if let Some(alert) = &alert {
            alerts::link_case(&mut write, alert.id, case.id).await?;
        }
        let event = CaseEvent {
            from_state: None,
            request_id: request.map(str::to_owned),
            ..step(&case, &acting.actor, "open", now)
        };
        cases::insert_event(&mut write, &event).await?;
        let detail = json!({"number": case.number, "alert_id": case.alert_id});
        let target = format!("case:{}", case.id);
        audit::insert(
            &mut write,
            now,
            &acting.actor,
            records::Event::CaseOpen,
            &target,
            &detail,
        )
        .await?;
        let detail = self.detail(&mut write, case, acting).await?;
        write.commit().await?;
        Ok(detail)
    }

    fn new_row(
        &self,
        new: &NewCase,
        severity: &str,
        workflow: &Workflow,
        acting: &Acting,
        now: Timestamp,
    ) -> Result<Case> {
        if !SEVERITIES.contains(&severity) {
            return Err(Failure::Invalid(Problem::new(
                "severity",
                format!("\"{}\" is not a severity", quote(severity)),
                "severity",
                format!("use one of {}", SEVERITIES.join(", ")),
            )));
        }
        if let Some(id) = &new.entity_id {
            EntityId::new(id)?;
        }
        if let Some([lon, lat]) = new.location {
            Geometry::from_geojson(&json!({"type": "Point", "coordinates": [lon, lat]})).map_err(
                |p| Problem {
                    place: "location".to_owned(),
                    ..p
                },
            )?;
        }
        let source = new.source.as_deref().unwrap_or("staff");
        if !SOURCES.contains(&source) {
            return Err(Failure::Invalid(Problem::new(
                "case-source",
                format!("\"{}\" is not a source of cases", quote(source)),
                "source",
                format!("use one of {}", SOURCES.join(", ")),
            )));
        }
        let category = new
            .category
            .as_deref()
            .map(|text| check_code(text, "category"));
        let town = new.town.as_deref().map(|text| check_code(text, "town"));
        let grid = new.grid.as_deref().map(|text| check_code(text, "grid"));
        let reporter = new.reporter.as_deref().map(check_reporter);
        let clocks = self.clocks(workflow);
        let mut case = Case {
            id: 0,
            number: String::new(),
            title: check_text(&new.title, "title", self.options.title_chars_max)?,
            description: check_text(&new.description, "description", self.options.text_chars_max)?,
            workflow: workflow.name.clone(),
            workflow_version: 0,
            state: workflow.initial.clone(),
            severity: severity.to_owned(),
            alert_id: new.alert_id,
            entity_id: new.entity_id.clone(),
            lon: new.location.map(|l| l[0]),
            lat: new.location.map(|l| l[1]),
            organisation_id: None,
            assignee_id: None,
            created_at: now,
            created_by: acting.actor.name.clone(),
            created_by_id: acting.actor.user_id(),
            updated_at: now,
            due_at: clocks.state_due(&workflow.initial, now)?,
            closed_at: None,
            version: 1,
            category: category.transpose()?,
            town: town.transpose()?,
            grid: grid.transpose()?,
            source: source.to_owned(),
            reporter: reporter.transpose()?,
            reporters: 1,
            parent_id: None,
            duplicate_of: None,
            case_due_at: clocks.case_due(now)?,
            extension_minutes: None,
            extensions: 0,
            supervised_until: None,
            suspended_at: None,
            suspended_until: None,
            escalation: 0,
            escalates_at: None,
            reopened: 0,
        };
        case.escalates_at = clocks.escalates_at(&case)?;
        Ok(case)
    }

    /// Whether this person's request of that name was done to the case before.
    ///
    /// # Errors
    /// The store's own.
    pub async fn was_done(&self, id: i64, request: Option<&str>, acting: &Acting) -> Result<bool> {
        let Some(request) = request else {
            return Ok(false);
        };
        let mut read = self.records.read().await?;
        let event = cases::event_of_request(&mut read, request).await?;
        Ok(event.is_some_and(|e| e.case_id == id && e.actor_id == acting.actor.user_id()))
    }

    /// When a step was done that comes late, in the time of the reception; and that the phone's clock is wrong.
    fn times_of(&self, act: &Act, case: &Case, now: Timestamp) -> Map<String, Value> {
        let seconds = |later: Timestamp, earlier| later.micros_since(earlier) / 1_000_000;
        let mut times = Map::new();
        let off = act.clock.map_or(0, |clock| seconds(clock, now));
        if off.abs() > self.options.photo_clock_seconds_max {
            times.insert("clock_off_s".to_owned(), json!(off));
        }
        if let Some(said) = act.done_at {
            let done_at = said.plus_seconds(-off);
            if done_at > now || done_at < case.created_at {
                // No step is done after it came, or before its case was there: the clock was put right or wrong meanwhile.
                times.insert("done_at_doubtful".to_owned(), json!(said));
            } else if seconds(now, done_at) >= self.options.step_late_seconds_min {
                times.insert("done_at".to_owned(), json!(done_at));
            }
        }
        times
    }

    pub(crate) fn clocks<'a>(&'a self, workflow: &'a Workflow) -> Clocks<'a> {
        Clocks {
            calendars: &self.options.calendars,
            workflow,
        }
    }

    /// Does an action to a case.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] when the action is unknown or something that it needs is
    /// missing; [`Failure::Forbidden`] when the person may not; [`Failure::Conflict`] `case-state` or
    /// `case-changed` when somebody else was faster.
    pub async fn act(
        &self,
        id: i64,
        act: &Act,
        acting: &Acting,
        now: Timestamp,
    ) -> Result<CaseDetail> {
        let note = check_text(
            act.note.as_deref().unwrap_or(""),
            "note",
            self.options.text_chars_max,
        )?;
        let note = Some(note).filter(|n| !n.is_empty());
        let request = check_request(act.request_id.as_deref())?;
        let mut write = self.records.write().await?;
        if let Some(done) = done_before(&mut write, request, acting, Some(id), &act.action).await? {
            return self.detail(&mut write, done, acting).await;
        }
        let mut case = cases::get(&mut write, id)
            .await?
            .ok_or_else(|| Failure::not_found("case", id))?;
        if act.version.is_some_and(|seen| seen != case.version) {
            return Err(changed_meanwhile(&case));
        }
        let workflow = self.workflow_of(&mut write, &case).await?;
        let transition = workflow.decide(&case, &act.action, acting)?;
        check_needs(&mut write, transition, act, note.as_deref(), &case).await?;
        let clocks = self.clocks(&workflow);

        let before = case.clone();
        let late = transition.to.is_some()
            && case.suspended_at.is_none()
            && case.due_at.is_some_and(|due| due < now);
        if let Some(to) = &transition.to {
            if workflow.is_final(to) {
                may_end(&mut write, &case, transition).await?;
            }
            case.state.clone_from(to);
            case.due_at = clocks.state_due(to, now)?;
            case.closed_at = workflow.is_final(to).then_some(now);
            // What was asked for, and how far it was escalated, was of the state before.
            case.extension_minutes = None;
            case.escalation = 0;
        }
        match transition.assigns {
            Some(Assigns::Oneself) => case.assignee_id = acting.actor.user_id(),
            Some(Assigns::Given) => {
                let organisation = act.organisation.as_deref();
                check_people(&mut write, organisation, act.assignee, now).await?;
                case.organisation_id.clone_from(&act.organisation);
                case.assignee_id = act.assignee;
            }
            Some(Assigns::Nobody) => (case.organisation_id, case.assignee_id) = (None, None),
            None => {}
        }
        let detail = match transition.effect() {
            Some(effect) => {
                let doing = Doing {
                    act,
                    acting,
                    now,
                    clocks,
                    before: &before,
                };
                self.take_effect(&mut write, effect, &mut case, &doing)
                    .await?
            }
            None => None,
        };
        case.escalates_at = clocks.escalates_at(&case)?;
        case.updated_at = now;
        let Some(case) = cases::update(&mut write, &case).await? else {
            return Err(changed_meanwhile(&case));
        };
        let detail = with_times(detail, self.times_of(act, &before, now));
        let given = transition.assigns.is_some();
        let event = CaseEvent {
            from_state: Some(before.state.clone()),
            note,
            organisation_id: case.organisation_id.clone().filter(|_| given),
            assignee_id: case.assignee_id.filter(|_| given),
            late,
            detail,
            request_id: request.map(str::to_owned),
            ..step(&case, &acting.actor, &act.action, now)
        };
        let event = cases::insert_event(&mut write, &event).await?;
        for attachment in &act.attachment_ids {
            if !attachments::link_event(&mut write, *attachment, id, event.id).await? {
                return Err(Failure::Invalid(Problem::new(
                    "attachment-unknown",
                    format!("{} has no free attachment {attachment}", case.number),
                    "attachment_ids",
                    "add the file to this case first and name it in one step only",
                )));
            }
        }
        if case.closed_at.is_some() && before.closed_at.is_none() {
            end(&mut write, &case, transition, now).await?;
        }
        let mut audit_detail =
            json!({"number": case.number, "from": event.from_state, "to": event.to_state});
        if let Some(detail) = &event.detail {
            audit_detail["detail"] = detail.clone();
        }
        let target = format!("case:{id}");
        audit::insert(
            &mut write,
            now,
            &acting.actor,
            records::Event::CaseStep.step(&act.action),
            &target,
            &audit_detail,
        )
        .await?;
        let detail = self.detail(&mut write, case, acting).await?;
        write.commit().await?;
        Ok(detail)
    }
}

/// What else the end of a case means for its alert.
async fn end(
    write: &mut Write,
    case: &Case,
    transition: &Transition,
    now: Timestamp,
) -> Result<()> {
    let Some(alert_id) = case.alert_id else {
        return Ok(());
    };
    if transition.frees_alert {
        return alerts::unlink_case(write, case.id).await;
    }
    let active = alerts::get(write, alert_id)
        .await?
        .is_some_and(|alert| alert.cleared_at.is_none());
    if active {
        let note = "结案时告警仍未解除 · The alert was still active when the case was closed";
        let step = system_step(case, ALERT_STILL_ACTIVE, note, now);
        cases::insert_event(write, &step).await?;
    }
    Ok(())
}

pub(crate) fn changed_meanwhile(case: &Case) -> Failure {
    Failure::Conflict(Problem::new(
        "case-changed",
        format!(
            "{} was changed at {} and is {} now",
            case.number, case.updated_at, case.state
        ),
        "version",
        "load the case again and decide anew",
    ))
}

/// Takes surrounding white space off and checks the length and the characters (new lines are welcome).
pub(crate) fn check_text(text: &str, place: &str, chars_max: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > chars_max
        || text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(Failure::Invalid(Problem::new(
            "text",
            format!(
                "\"{}\" is too long or holds control characters",
                quote(text)
            ),
            place,
            format!("use at most {chars_max} characters"),
        )));
    }
    Ok(text.to_owned())
}

/// What a step holds, with its own times.
fn with_times(detail: Option<Value>, times: Map<String, Value>) -> Option<Value> {
    if times.is_empty() {
        return detail;
    }
    let mut all = times;
    if let Some(Value::Object(detail)) = detail {
        all.extend(detail);
    }
    Some(Value::Object(all))
}

async fn check_needs(
    write: &mut Write,
    transition: &Transition,
    act: &Act,
    note: Option<&str>,
    case: &Case,
) -> Result<()> {
    for need in transition.all_needs() {
        let (met, code, what, place, mend) = match need {
            Need::Note => (
                // What was done may be spoken.
                note.is_some() || has_kind(write, act, case.id, Kind::Voice).await?,
                "note-missing",
                "words",
                "note",
                "write what was done or why",
            ),
            Need::Organisation => (
                act.organisation.is_some(),
                "organisation-missing",
                "a department",
                "organisation",
                "name the department that is to handle it",
            ),
            Need::Photo => (
                has_kind(write, act, case.id, Kind::Photo).await?,
                "photo-missing",
                "a photo",
                "attachment_ids",
                "add a photo to the case first and name its id",
            ),
            Need::Signature => (
                has_kind(write, act, case.id, Kind::Signature).await?,
                "signature-missing",
                "a signature",
                "attachment_ids",
                "let the other side sign, add it to the case first and name its id",
            ),
            Need::Minutes => (
                act.minutes.is_some(),
                "minutes-missing",
                "a number of minutes",
                "minutes",
                "say how many minutes of working time",
            ),
            Need::Until => (
                act.until.is_some(),
                "until-missing",
                "a moment",
                "until",
                "say until when",
            ),
            Need::Case => (
                act.case.is_some(),
                "other-case-missing",
                "another case",
                "case",
                "name the case that was there first",
            ),
            Need::Parts => (
                !act.parts.is_empty(),
                "parts-missing",
                "parts",
                "parts",
                "name each department and, if you like, what is its part",
            ),
        };
        if !met {
            let what = format!("{} needs {what}", transition.action);
            return Err(Failure::Invalid(Problem::new(code, what, place, mend)));
        }
    }
    Ok(())
}

async fn has_kind(write: &mut Write, act: &Act, case_id: i64, kind: Kind) -> Result<bool> {
    for id in &act.attachment_ids {
        if let Some(attachment) = attachments::get(write, *id).await?
            && attachment.case_id == case_id
            && attachment.kind == kind.name()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The department and the person named must exist, and the person must work in the department.
pub(crate) async fn check_people(
    write: &mut Write,
    organisation: Option<&str>,
    assignee: Option<i64>,
    now: Timestamp,
) -> Result<()> {
    if let Some(id) = organisation {
        let Some(organisation) = organisations::get(write, id).await? else {
            return Err(Failure::Invalid(Problem::new(
                "unknown-organisation",
                format!("there is no organisation \"{}\"", quote(id)),
                "organisation",
                "take an id from the list of organisations",
            )));
        };
        if organisation.disabled {
            return Err(Failure::Invalid(Problem::new(
                "organisation-closed",
                format!("{} takes no more work", organisation.name_zh),
                "organisation",
                "take one that is not closed",
            )));
        }
    }
    if let Some(id) = assignee {
        let user = users::get(write, id).await?.filter(|u| !u.disabled);
        let fits = match (&user, organisation) {
            (None, _) => false,
            (Some(_), None) => true,
            // Whoever holds a post of the department works in it, wherever their main post is.
            (Some(user), Some(of)) => {
                user.organisation_id.as_deref() == Some(of)
                    || posts::people_of(write, of, now).await?.contains(&id)
            }
        };
        if !fits {
            return Err(Failure::Invalid(Problem::new(
                "assignee",
                format!("the department has no user {id}"),
                "assignee",
                "take a user of the department, or leave it open for the department to take",
            )));
        }
    }
    Ok(())
}

/// Longest code of a kind, a town or a reporter's reference, in characters.
const CODE_CHARS_MAX: usize = 64;

fn check_code(text: &str, place: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if text.is_empty() || text.len() > CODE_CHARS_MAX || !text.chars().all(plain) {
        return Err(Failure::Invalid(Problem::new(
            "case-code",
            format!("\"{}\" is not a code", quote(text)),
            place,
            format!("use letters, digits and - _ . :, at most {CODE_CHARS_MAX}"),
        )));
    }
    Ok(text.to_owned())
}

/// A name or a telephone number is personal and is refused: what is kept here must say nothing by itself.
fn check_reporter(text: &str) -> Result<String> {
    let text = check_code(text, "reporter")?;
    let is_phone =
        text.len() == 11 && text.starts_with('1') && text.chars().all(|c| c.is_ascii_digit());
    if is_phone {
        return Err(Failure::Invalid(Problem::new(
            "reporter-personal",
            "that looks like a telephone number",
            "reporter",
            "give a reference such as the number of the call; the number itself stays where the call was taken",
        )));
    }
    Ok(text)
}

/// Checks the client's name of a request: a UUID, or another text of letters, digits and hyphens.
fn check_request(request: Option<&str>) -> Result<Option<&str>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match request {
        Some(text)
            if text.len() < 16 || text.len() > CODE_CHARS_MAX || !text.chars().all(plain) =>
        {
            Err(Failure::Invalid(Problem::new(
                "request-id",
                format!("\"{}\" does not name a request", quote(text)),
                "request_id",
                "send a UUID made for this one request",
            )))
        }
        other => Ok(other),
    }
}

/// The case that this very request was done to before.
async fn done_before(
    write: &mut Write,
    request: Option<&str>,
    acting: &Acting,
    case_id: Option<i64>,
    action: &str,
) -> Result<Option<Case>> {
    let Some(request) = request else {
        return Ok(None);
    };
    let Some(event) = cases::event_of_request(write, request).await? else {
        return Ok(None);
    };
    let same = event.action == action
        && event.actor_id == acting.actor.user_id()
        && case_id.is_none_or(|id| id == event.case_id);
    if !same {
        return Err(Failure::Conflict(Problem::new(
            "request-id-used",
            "another request had that id",
            "request_id",
            "make a new UUID for each request",
        )));
    }
    cases::get(write, event.case_id).await
}
