//! Cases as people read them: with the names of departments and people, the history and the attachments.

use crate::Cases;
use crate::assessment::{Assessment, assess};
use crate::clocks::{Left, LeftOf};
use crate::workflow::{Assigns, Need, Transition, Workflow};
use model::Timestamp;
use records::attachments::{self, Attachment};
use records::cases::{self, Case, CaseFilter};
use records::organisations::{self, Organisation};
use records::{Acting, Connection, Failure, Page, PageRequest, Result, users};
use std::collections::BTreeMap;
use std::ops::Deref;

/// A case in a list: the row, with whose it is by name. Its own fields are read through.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseSummary {
    /// The case.
    pub case: Case,
    /// The department that has it.
    pub organisation: Option<Organisation>,
    /// The person who has it.
    pub assignee: Option<Assignee>,
}

impl Deref for CaseSummary {
    type Target = Case;

    fn deref(&self) -> &Case {
        &self.case
    }
}

impl CaseSummary {
    /// Longitude and latitude, degrees.
    pub fn location(&self) -> Option<[f64; 2]> {
        self.lon.zip(self.lat).map(|(lon, lat)| [lon, lat])
    }
}

/// A person who has a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// The user's id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// A case with everything known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseDetail {
    /// The case.
    pub case: CaseSummary,
    /// The states of its workflow on the way to the end, in order; empty when its workflow is gone.
    pub way: Vec<String>,
    /// Its steps, oldest first.
    pub history: Vec<HistoryEntry>,
    /// Its attachments, oldest first.
    pub attachments: Vec<Attachment>,
    /// The names of the actions that the reader may do now.
    pub actions: Vec<String>,
    /// The same with what each needs.
    pub allowed: Vec<AllowedAction>,
    /// How it went, once it has ended.
    pub assessment: Option<Assessment>,
    /// Its parts, oldest first.
    pub parts: Vec<CaseSummary>,
}

/// An action that the reader may do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedAction {
    /// Its name.
    pub action: String,
    /// What must come with it.
    pub needs: Vec<Need>,
    /// What the same person may do next, so that a phone without a network can take it down already.
    pub next: Vec<NextAction>,
}

/// An action that follows another of the same person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextAction {
    /// Its name.
    pub action: String,
    /// What must come with it.
    pub needs: Vec<Need>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEntry {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The state before.
    pub from_state: Option<String>,
    /// The state after.
    pub to_state: String,
    /// What the person wrote.
    pub note: Option<String>,
    /// The department it was given to.
    pub organisation: Option<Organisation>,
    /// The person it was given to.
    pub assignee: Option<Assignee>,
    /// Whether the state before was left late.
    pub late: bool,
    /// The attachments of this step.
    pub attachments: Vec<i64>,
    /// What the step holds beside words.
    pub detail: Option<serde_json::Value>,
}

/// Departments and people by id, fetched once for a page.
#[derive(Default)]
struct Names {
    organisations: BTreeMap<String, Organisation>,
    people: BTreeMap<i64, Assignee>,
}

impl Names {
    async fn load(connection: &mut Connection, people: impl Iterator<Item = i64>) -> Result<Self> {
        let mut names = Self::default();
        for organisation in organisations::list(connection).await? {
            names
                .organisations
                .insert(organisation.id.clone(), organisation);
        }
        for id in people {
            if let std::collections::btree_map::Entry::Vacant(place) = names.people.entry(id)
                && let Some(user) = users::get(connection, id).await?
            {
                place.insert(Assignee {
                    id,
                    name: user.name,
                });
            }
        }
        Ok(names)
    }

    fn organisation(&self, id: Option<&String>) -> Option<Organisation> {
        id.and_then(|id| self.organisations.get(id)).cloned()
    }

    fn person(&self, id: Option<i64>) -> Option<Assignee> {
        id.and_then(|id| self.people.get(&id)).cloned()
    }

    fn summary(&self, case: Case) -> CaseSummary {
        CaseSummary {
            organisation: self.organisation(case.organisation_id.as_ref()),
            assignee: self.person(case.assignee_id),
            case,
        }
    }
}

/// What a person may do after an action of theirs that moves the case and says by itself who gets it.
fn next(workflow: &Workflow, case: &Case, done: &Transition, reader: &Acting) -> Vec<NextAction> {
    let (Some(to), None) = (&done.to, done.effect()) else {
        return Vec::new();
    };
    let mut case = case.clone();
    case.state.clone_from(to);
    match done.assigns {
        Some(Assigns::Given) => return Vec::new(),
        Some(Assigns::Oneself) => case.assignee_id = reader.actor.user_id(),
        Some(Assigns::Nobody) => (case.organisation_id, case.assignee_id) = (None, None),
        None => {}
    }
    let allowed = workflow.allowed(&case, reader);
    allowed
        .into_iter()
        .map(|t| NextAction {
            action: t.action.clone(),
            needs: t.all_needs(),
        })
        .collect()
}

impl Cases {
    /// Cases, newest first.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a cursor of another list.
    pub async fn list(&self, filter: &CaseFilter, page: &PageRequest) -> Result<Page<CaseSummary>> {
        let mut connection = self.records.read().await?;
        let page = cases::list(&mut connection, filter, page).await?;
        let people = page.items.iter().filter_map(|c| c.assignee_id);
        let names = Names::load(&mut connection, people).await?;
        Ok(page.map(|case| names.summary(case)))
    }

    pub(crate) async fn summaries(
        &self,
        connection: &mut Connection,
        rows: Vec<Case>,
    ) -> Result<Vec<CaseSummary>> {
        let people: Vec<i64> = rows.iter().filter_map(|c| c.assignee_id).collect();
        let names = Names::load(connection, people.into_iter()).await?;
        Ok(rows.into_iter().map(|case| names.summary(case)).collect())
    }

    /// How much working time a case has left at a moment; `None` when its workflow is gone.
    pub fn left(&self, case: &CaseSummary, now: Timestamp) -> Option<Left> {
        let workflow = self.workflow(&case.workflow).ok()?;
        let category = case.category.as_deref();
        let category = category.and_then(|code| self.options.catalogue.get(code));
        let workflow = workflow.limited(category, &case.severity);
        let clocks = self.clocks(&workflow);
        let times = LeftOf {
            state: &case.state,
            due_at: case.due_at,
            case_due_at: case.case_due_at,
            closed_at: case.closed_at,
            suspended_at: case.suspended_at,
        };
        clocks.left(&times, now).ok()
    }

    /// One case with everything known of it, as `reader` sees it.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn case(&self, id: i64, reader: &Acting) -> Result<CaseDetail> {
        let mut connection = self.records.read().await?;
        let case = cases::get(&mut connection, id)
            .await?
            .ok_or_else(|| Failure::not_found("case", id))?;
        self.detail(&mut connection, case, reader).await
    }

    pub(crate) async fn detail(
        &self,
        connection: &mut Connection,
        case: Case,
        reader: &Acting,
    ) -> Result<CaseDetail> {
        let events = cases::events(connection, case.id, self.options.history_rows_max).await?;
        let attachments = attachments::of_case(connection, case.id).await?;
        let people = events.iter().filter_map(|e| e.assignee_id);
        let parts = cases::children(connection, case.id).await?;
        let of_parts = parts.iter().filter_map(|part| part.assignee_id);
        let people = people.chain(case.assignee_id).chain(of_parts);
        let names = Names::load(connection, people).await?;
        // A case whose workflow is gone can still be read.
        let workflow = self.workflow_of(connection, &case).await.ok();
        let allowed: Vec<_> = workflow
            .iter()
            .flat_map(|workflow| {
                let allowed = workflow.allowed(&case, reader);
                allowed.into_iter().map(|t| AllowedAction {
                    action: t.action.clone(),
                    needs: t.all_needs(),
                    next: next(workflow, &case, t, reader),
                })
            })
            .collect();
        let way = workflow
            .iter()
            .flat_map(|workflow| workflow.way())
            .map(str::to_owned)
            .collect();
        let assessment = case
            .closed_at
            .map(|ended_at| assess(case.created_at, ended_at, &events));
        let history = events
            .into_iter()
            .map(|event| HistoryEntry {
                organisation: names.organisation(event.organisation_id.as_ref()),
                assignee: names.person(event.assignee_id),
                attachments: attachments
                    .iter()
                    .filter(|a| a.event_id == Some(event.id))
                    .map(|a| a.id)
                    .collect(),
                id: event.id,
                at: event.at,
                actor: event.actor,
                action: event.action,
                from_state: event.from_state,
                to_state: event.to_state,
                note: event.note,
                late: event.late,
                detail: event.detail,
            })
            .collect();
        Ok(CaseDetail {
            case: names.summary(case),
            way,
            history,
            attachments,
            actions: allowed.iter().map(|a| a.action.clone()).collect(),
            allowed,
            assessment,
            parts: parts.into_iter().map(|part| names.summary(part)).collect(),
        })
    }
}
