//! Opening a case and moving it: the decision is the workflow's, the change, its history and its audit line
//! are one transaction.

use crate::alerts::{ALERT_STILL_ACTIVE, system_step};
use crate::attachments::is_picture;
use crate::view::CaseDetail;
use crate::workflow::{Assigns, Need, STANDARD, Transition, Workflow};
use crate::{Cases, SEVERITIES, number};
use model::{EntityId, Geometry, Problem, Timestamp, problem::quote};
use records::alerts;
use records::cases::{self, Case, CaseEvent};
use records::{Acting, Failure, Result, Write, attachments, audit, organisations, posts, users};
use serde::{Deserialize, Serialize};
use serde_json::json;

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
}

impl Cases {
    /// Opens a case.
    ///
    /// # Errors
    /// [`Failure::Invalid`]; [`Failure::Forbidden`]; [`Failure::NotFound`] for an unknown alert;
    /// [`Failure::Conflict`] `alert-has-case`.
    pub async fn open(&self, new: &NewCase, acting: &Acting, now: Timestamp) -> Result<CaseDetail> {
        let workflow = self.workflow(new.workflow.as_deref().unwrap_or(STANDARD))?;
        if !workflow.open_may.iter().any(|p| acting.may(p)) {
            let needed = workflow.open_may.join(" or ");
            return Err(Failure::Forbidden(Problem::new(
                "permission-missing",
                format!("opening a case needs the permission {needed}"),
                "case",
                "ask somebody who may, or the engineer for another role",
            )));
        }
        let mut write = self.records.write().await?;
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
        let mut case = self.new_row(new, workflow, acting, now)?;
        if let Some(alert) = &alert {
            if case.title.is_empty() {
                case.title.clone_from(&alert.title_zh);
            }
            case.entity_id = case.entity_id.or_else(|| Some(alert.entity_id.clone()));
            if new.severity.is_none() {
                case.severity.clone_from(&alert.severity);
            }
            if case.lon.is_none() {
                (case.lon, case.lat) = (alert.lon, alert.lat);
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
            id: 0,
            case_id: case.id,
            at: now,
            actor: acting.actor.name.clone(),
            actor_id: acting.actor.user_id(),
            action: "open".to_owned(),
            from_state: None,
            to_state: case.state.clone(),
            note: None,
            organisation_id: None,
            assignee_id: None,
            late: false,
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
        workflow: &Workflow,
        acting: &Acting,
        now: Timestamp,
    ) -> Result<Case> {
        let severity = new.severity.as_deref().unwrap_or("minor");
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
        Ok(Case {
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
            due_at: due_at(workflow, &workflow.initial, now),
            closed_at: None,
            version: 1,
        })
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
        let mut write = self.records.write().await?;
        let mut case = cases::get(&mut write, id)
            .await?
            .ok_or_else(|| Failure::not_found("case", id))?;
        if act.version.is_some_and(|seen| seen != case.version) {
            return Err(changed_meanwhile(&case));
        }
        let workflow = self.workflow_of(&mut write, &case).await?;
        let transition = workflow.decide(&case, &act.action, acting)?;
        check_needs(&mut write, transition, act, note.as_deref(), &case).await?;

        let from = case.state.clone();
        let late = transition.to.is_some() && case.due_at.is_some_and(|due| due < now);
        if let Some(to) = &transition.to {
            case.state.clone_from(to);
            case.due_at = due_at(&workflow, to, now);
            case.closed_at = workflow.is_final(to).then_some(now);
        }
        match transition.assigns {
            Some(Assigns::Oneself) => case.assignee_id = acting.actor.user_id(),
            Some(Assigns::Given) => {
                check_people(&mut write, act, now).await?;
                case.organisation_id.clone_from(&act.organisation);
                case.assignee_id = act.assignee;
            }
            None => {}
        }
        case.updated_at = now;
        let Some(case) = cases::update(&mut write, &case).await? else {
            return Err(changed_meanwhile(&case));
        };
        let given = transition.assigns.is_some();
        let event = CaseEvent {
            id: 0,
            case_id: id,
            at: now,
            actor: acting.actor.name.clone(),
            actor_id: acting.actor.user_id(),
            action: act.action.clone(),
            from_state: Some(from),
            to_state: case.state.clone(),
            note,
            organisation_id: case.organisation_id.clone().filter(|_| given),
            assignee_id: case.assignee_id.filter(|_| given),
            late,
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
        if case.closed_at.is_some() {
            end(&mut write, &case, transition, now).await?;
        }
        let audit_detail =
            json!({"number": case.number, "from": event.from_state, "to": event.to_state});
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
        let step = system_step(case.id, &case.state, ALERT_STILL_ACTIVE, note, now);
        cases::insert_event(write, &step).await?;
    }
    Ok(())
}

fn due_at(workflow: &Workflow, state: &str, now: Timestamp) -> Option<Timestamp> {
    let minutes = workflow.state(state)?.minutes?;
    Some(now.plus_seconds(i64::from(minutes) * 60))
}

fn changed_meanwhile(case: &Case) -> Failure {
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
fn check_text(text: &str, place: &str, chars_max: usize) -> Result<String> {
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

async fn check_needs(
    write: &mut Write,
    transition: &Transition,
    act: &Act,
    note: Option<&str>,
    case: &Case,
) -> Result<()> {
    for need in &transition.needs {
        let (met, code, what, place, mend) = match need {
            Need::Note => (
                note.is_some(),
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
                has_picture(write, act, case.id).await?,
                "photo-missing",
                "a photo",
                "attachment_ids",
                "add a photo to the case first and name its id",
            ),
        };
        if !met {
            let what = format!("{} needs {what}", transition.action);
            return Err(Failure::Invalid(Problem::new(code, what, place, mend)));
        }
    }
    Ok(())
}

async fn has_picture(write: &mut Write, act: &Act, case_id: i64) -> Result<bool> {
    for id in &act.attachment_ids {
        if let Some(attachment) = attachments::get(write, *id).await?
            && attachment.case_id == case_id
            && is_picture(&attachment.media_type)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The department and the person named must exist, and the person must work in the department.
async fn check_people(write: &mut Write, act: &Act, now: Timestamp) -> Result<()> {
    if let Some(id) = &act.organisation {
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
    if let Some(id) = act.assignee {
        let user = users::get(write, id).await?.filter(|u| !u.disabled);
        let fits = match (&user, act.organisation.as_deref()) {
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
