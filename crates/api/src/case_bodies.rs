//! What the API says of cases: the shapes of [`crate::case_pages`].

use crate::city_pages::OrganisationBody;
use crate::description::Place;
use crate::words::Severity;
use records::attachments::Attachment;
use serde::Serialize;
use utoipa::ToSchema;

/// A case (案件) in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseSummary {
    /// Counts up from 1.
    pub id: i64,
    /// The number people say.
    pub number: String,
    /// One line.
    pub title: String,
    /// More; may be empty.
    pub description: String,
    /// The workflow it follows.
    pub workflow: String,
    /// Where it stands: a state of its workflow; of the standard one `collected`, `filed`, `dispatched`,
    /// `handling`, `handled`, `verified`, `closed` or `cancelled`.
    pub state: String,
    /// How grave it is.
    #[schema(value_type = Severity)]
    pub severity: String,
    /// The alert it came from.
    pub alert_id: Option<i64>,
    /// The entity it is about.
    pub entity_id: Option<String>,
    /// Longitude and latitude, WGS 84 degrees.
    #[schema(value_type = Option<Place>)]
    pub location: Option<[f64; 2]>,
    /// The organisation that has it.
    pub organisation: Option<OrganisationBody>,
    /// The person who has it.
    pub assignee: Option<AssigneeBody>,
    /// When it was opened.
    pub created_at: String,
    /// Who opened it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: String,
    /// When the present step should be done.
    pub due_at: Option<String>,
    /// When it ended.
    pub closed_at: Option<String>,
    /// Counts its changes.
    pub version: i64,
}

/// A person who has a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Assignee)]
pub struct AssigneeBody {
    /// The user's id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasePage {
    /// Newest first.
    pub items: Vec<CaseSummary>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// A case with everything known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    /// The case.
    #[serde(flatten)]
    pub case: CaseSummary,
    /// The states of its workflow on the way to the end, in order; empty when its workflow is gone.
    pub way: Vec<String>,
    /// Its steps, oldest first.
    pub history: Vec<CaseStep>,
    /// Its attachments, oldest first.
    pub attachments: Vec<AttachmentBody>,
    /// The names of the actions that the caller may do now.
    pub actions: Vec<String>,
    /// The same with what each needs.
    pub allowed: Vec<AllowedAction>,
    /// How it went, once it has ended.
    pub assessment: Option<AssessmentBody>,
}

/// A step of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseStep {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: String,
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
    /// The organisation it was given to.
    pub organisation: Option<OrganisationBody>,
    /// The person it was given to.
    pub assignee: Option<AssigneeBody>,
    /// Whether the state before was left late.
    pub late: bool,
    /// The attachments of this step.
    pub attachments: Vec<i64>,
}

/// An action that the caller may do now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AllowedAction {
    /// Its name.
    pub action: String,
    /// What must come with it.
    pub needs: Vec<Need>,
}

/// What must come with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseNeed)]
pub enum Need {
    /// Words.
    Note,
    /// At least one attachment that is a picture.
    Photo,
    /// An organisation.
    Organisation,
}

/// How an ended case went.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Assessment)]
pub struct AssessmentBody {
    /// Whole minutes from opening to the end.
    pub minutes: i64,
    /// The states that were left late, in order.
    pub late_states: Vec<String>,
    /// How often the work was sent back.
    pub rejections: usize,
}

/// A photo or document of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Attachment)]
pub struct AttachmentBody {
    /// Counts up from 1.
    pub id: i64,
    /// The case.
    pub case_id: i64,
    /// The step of the case's history that names it; null until one does.
    pub event_id: Option<i64>,
    /// The file's name as sent.
    pub name: String,
    /// What it is, found from its bytes.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// When it was added.
    pub uploaded_at: String,
    /// Who added it.
    pub uploaded_by: String,
}

/// A file to add, as form data.
#[derive(ToSchema)]
pub struct AttachmentForm {
    /// The file; its name is kept.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

impl From<cases::Assignee> for AssigneeBody {
    fn from(a: cases::Assignee) -> Self {
        Self {
            id: a.id,
            name: a.name,
        }
    }
}

impl From<cases::CaseSummary> for CaseSummary {
    fn from(c: cases::CaseSummary) -> Self {
        Self {
            id: c.id,
            number: c.number,
            title: c.title,
            description: c.description,
            workflow: c.workflow,
            state: c.state,
            severity: c.severity,
            alert_id: c.alert_id,
            entity_id: c.entity_id,
            location: c.location,
            organisation: c.organisation.map(Into::into),
            assignee: c.assignee.map(Into::into),
            created_at: c.created_at.to_string(),
            created_by: c.created_by,
            updated_at: c.updated_at.to_string(),
            due_at: c.due_at.map(|t| t.to_string()),
            closed_at: c.closed_at.map(|t| t.to_string()),
            version: c.version,
        }
    }
}

impl From<cases::HistoryEntry> for CaseStep {
    fn from(h: cases::HistoryEntry) -> Self {
        Self {
            id: h.id,
            at: h.at.to_string(),
            actor: h.actor,
            action: h.action,
            from_state: h.from_state,
            to_state: h.to_state,
            note: h.note,
            organisation: h.organisation.map(Into::into),
            assignee: h.assignee.map(Into::into),
            late: h.late,
            attachments: h.attachments,
        }
    }
}

impl From<cases::workflow::Need> for Need {
    fn from(need: cases::workflow::Need) -> Self {
        match need {
            cases::workflow::Need::Note => Self::Note,
            cases::workflow::Need::Photo => Self::Photo,
            cases::workflow::Need::Organisation => Self::Organisation,
        }
    }
}

impl From<Attachment> for AttachmentBody {
    fn from(a: Attachment) -> Self {
        Self {
            id: a.id,
            case_id: a.case_id,
            event_id: a.event_id,
            name: a.name,
            media_type: a.media_type,
            size_bytes: a.size_bytes,
            sha256: a.sha256,
            uploaded_at: a.uploaded_at.to_string(),
            uploaded_by: a.uploaded_by,
        }
    }
}

impl From<cases::CaseDetail> for CaseDetail {
    fn from(d: cases::CaseDetail) -> Self {
        Self {
            case: d.case.into(),
            way: d.way,
            history: d.history.into_iter().map(Into::into).collect(),
            attachments: d.attachments.into_iter().map(Into::into).collect(),
            actions: d.actions,
            allowed: d
                .allowed
                .into_iter()
                .map(|a| AllowedAction {
                    action: a.action,
                    needs: a.needs.into_iter().map(Into::into).collect(),
                })
                .collect(),
            assessment: d.assessment.map(|a| AssessmentBody {
                minutes: a.minutes,
                late_states: a.late_states,
                rejections: a.rejections,
            }),
        }
    }
}
