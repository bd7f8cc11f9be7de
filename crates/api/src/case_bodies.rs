//! What the API says of cases: the shapes of [`crate::case_pages`].

use crate::city_pages::OrganisationBody;
use crate::description::Place;
use crate::words::Severity;
use model::Timestamp;
use records::attachments::Attachment;
use serde::{Deserialize, Serialize};
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
    /// What kind it is: a code of the city's catalogue (GB/T 30428.2).
    pub category: Option<String>,
    /// The code of the town in which it lies.
    pub town: Option<String>,
    /// The code of the unit grid in which it lies (单元网格, GB/T 30428.1).
    pub grid: Option<String>,
    /// Who found it: `staff`, `citizen` or `sensor`.
    pub source: String,
    /// A reference to the reporter that says nothing by itself.
    pub reporter: Option<String>,
    /// How many reported it: its own reporter and those of its duplicates.
    pub reporters: i64,
    /// The case that it is a part of (子案件).
    pub parent_id: Option<i64>,
    /// The case that it repeats (重复案件).
    pub duplicate_of: Option<i64>,
    /// When the whole case should be closed.
    pub case_due_at: Option<String>,
    /// The extension (延期) that waits for a decision, in minutes of working time.
    pub extension_minutes: Option<i64>,
    /// How many extensions were granted.
    pub extensions: i64,
    /// Until when its open supervision (督办) is to be answered.
    pub supervised_until: Option<String>,
    /// Since when its clocks stand (挂账).
    pub suspended_at: Option<String>,
    /// Until when they stand.
    pub suspended_until: Option<String>,
    /// The level of escalation reached in the present state; 0: none.
    pub escalation: i64,
    /// How often it was reopened.
    pub reopened: i64,
    /// How much working time is left; null when its workflow is gone.
    pub left: Option<LeftBody>,
}

/// How much working time a case has left.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseTimeLeft)]
pub struct LeftBody {
    /// The calendar of the present state, such as `working-hours` or `always`.
    pub calendar: String,
    /// Whether that clock runs now.
    pub running: bool,
    /// Working time until the present step is due, in seconds; negative when it is overdue; null without a clock.
    pub seconds: Option<i64>,
    /// Working time until the whole case is due, in seconds; negative when it is overdue; null without a clock.
    pub case_seconds: Option<i64>,
}

/// The board: open cases in columns.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseBoard)]
pub struct BoardBody {
    /// The columns, in the order of the work.
    pub columns: Vec<BoardColumnBody>,
    /// Up to how many cases a column counts: a count that has reached it means "at least".
    pub count_max: u32,
    /// The workflows of which a board can be asked.
    pub workflows: Vec<WorkflowName>,
}

/// A workflow by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseWorkflowName)]
pub struct WorkflowName {
    /// Its name.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// One of the seven steps of digital urban management (七个环节, CJJ/T 106), to which the states of every workflow belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseBoardStep)]
pub enum Step {
    /// Collected (信息采集).
    Collect,
    /// To be filed (案件建立).
    File,
    /// To be dispatched or taken (任务派遣).
    Dispatch,
    /// Handled (任务处理).
    Handle,
    /// To be verified (核查).
    Verify,
    /// To be closed (结案).
    Close,
    /// Assessed (综合评价).
    Assess,
}

impl From<cases::Step> for Step {
    fn from(step: cases::Step) -> Self {
        match step {
            cases::Step::Collect => Self::Collect,
            cases::Step::File => Self::File,
            cases::Step::Dispatch => Self::Dispatch,
            cases::Step::Handle => Self::Handle,
            cases::Step::Verify => Self::Verify,
            cases::Step::Close => Self::Close,
            cases::Step::Assess => Self::Assess,
        }
    }
}

impl From<Step> for cases::Step {
    fn from(step: Step) -> Self {
        match step {
            Step::Collect => Self::Collect,
            Step::File => Self::File,
            Step::Dispatch => Self::Dispatch,
            Step::Handle => Self::Handle,
            Step::Verify => Self::Verify,
            Step::Close => Self::Close,
            Step::Assess => Self::Assess,
        }
    }
}

/// One column of the board: a step of all workflows, or a state of one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseBoardColumn)]
pub struct BoardColumnBody {
    /// The step.
    pub step: Step,
    /// The state; null where the column is a step of all workflows.
    pub state: Option<BoardState>,
    /// How many cases stand there.
    pub count: i64,
    /// How many of them are overdue.
    pub overdue: i64,
    /// The most urgent ones.
    pub cases: Vec<CaseSummary>,
    /// Where more of them begin: the `after` of the list of cases, with `order=urgent`, the board's filters, and the column's
    /// `step`, or its `state` and the `workflow`.
    pub next: Option<String>,
}

/// A state of a workflow.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseBoardState)]
pub struct BoardState {
    /// Its name.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// A case that may be the same.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SimilarCase)]
pub struct SimilarBody {
    /// The case.
    #[serde(flatten)]
    pub case: CaseSummary,
    /// How far away it lies, in metres.
    pub metres: f64,
}

/// Cases that may be the same.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SimilarCases)]
pub struct SimilarList {
    /// The nearest first.
    pub items: Vec<SimilarBody>,
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
    /// Its parts (子案件), oldest first; only those that the caller may see.
    pub parts: Vec<CaseSummary>,
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
    /// What the step holds beside words: `minutes`, `until`, `level`, `case`, `parts`; of one that came late, `done_at`; of a
    /// phone with a wrong clock, `clock_off_s` and `done_at_doubtful`.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<serde_json::Value>,
}

/// An action that the caller may do now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AllowedAction {
    /// Its name.
    pub action: String,
    /// What must come with it.
    pub needs: Vec<Need>,
    /// What the caller may do after it, so that a phone without a network can take it down already.
    pub next: Vec<NextAction>,
}

/// An action that follows another of the same person.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseNextAction)]
pub struct NextAction {
    /// Its name.
    pub action: String,
    /// What must come with it.
    pub needs: Vec<Need>,
}

/// What files and steps of cases are held to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseLimits)]
pub struct LimitsBody {
    /// What the platform's clock says, so that a phone learns that its own is wrong.
    pub now: String,
    /// How far a phone's clock may be off before it is told, in seconds.
    pub clock_off_seconds_max: i64,
    /// Largest file, in bytes.
    pub attachment_bytes_max: usize,
    /// Largest voice note, in bytes.
    pub voice_bytes_max: usize,
    /// Longest voice note, in seconds.
    pub voice_seconds_max: u32,
    /// Largest picture of a signature, in bytes.
    pub signature_bytes_max: usize,
    /// Longest name of who signs, in characters.
    pub signer_chars_max: usize,
    /// As what somebody may sign.
    pub capacities: Vec<String>,
    /// Longest note, in characters.
    pub text_chars_max: usize,
    /// How long a phone without a network may show tasks after it read them, in hours.
    pub offline_hours_max: u32,
}

impl LimitsBody {
    /// The limits in force.
    pub fn of(options: &cases::Options, now: Timestamp) -> Self {
        Self {
            now: now.to_string(),
            clock_off_seconds_max: options.photo_clock_seconds_max,
            attachment_bytes_max: options.attachment_bytes_max,
            voice_bytes_max: options.voice_bytes_max,
            voice_seconds_max: options.voice_seconds_max,
            signature_bytes_max: options.signature_bytes_max,
            signer_chars_max: options.signer_chars_max,
            capacities: cases::CAPACITIES.iter().map(|&word| word.into()).collect(),
            text_chars_max: options.text_chars_max,
            offline_hours_max: options.offline_hours_max,
        }
    }
}

/// What must come with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseNeed)]
pub enum Need {
    /// Words, written or as a voice note.
    Note,
    /// At least one attachment that is a picture and no signature.
    Photo,
    /// A signature.
    Signature,
    /// An organisation.
    Organisation,
    /// How many minutes of working time.
    Minutes,
    /// Until when.
    Until,
    /// Another case.
    Case,
    /// The parts of a case, each with its organisation.
    Parts,
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

/// A photo, voice note, signature or document of a case.
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
    /// When the photo was taken by its own clock.
    pub taken_at: Option<String>,
    /// Longitude and latitude where it was taken.
    #[schema(value_type = Option<Place>)]
    pub location: Option<[f64; 2]>,
    /// How far `taken_at` is from the reception, in seconds, positive when it is later; null within the limit: the clock of
    /// the photo is right, or it came at once.
    pub clock_off_s: Option<i64>,
    /// What it is to the case: `photo`, `voice`, `signature` or `document`.
    pub kind: String,
    /// How sure the phone is of the place, in metres.
    pub accuracy_m: Option<f64>,
    /// How long a voice note is, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Whose signature it is.
    pub signed: Option<SignedBody>,
}

/// Whose signature an attachment is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Signed)]
pub struct SignedBody {
    /// Who signed.
    pub signer: String,
    /// As what: `party`, `reporter`, `merchant`, `witness`, `worker` or `other`.
    pub capacity: String,
    /// Whether the name was typed where nobody could draw.
    pub is_typed: bool,
}

/// A file to add, as form data.
#[derive(ToSchema)]
pub struct AttachmentForm {
    /// The file; its name is kept.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// Who signed, when the file is a signature (PNG). In the form and not in the address, which is written to logs.
    pub signer: Option<String>,
    /// As what they signed: `party`, `reporter`, `merchant`, `witness`, `worker` or `other`.
    pub capacity: Option<String>,
    /// `drawn` (default) or `typed`.
    pub signed_how: Option<String>,
}

impl From<cases::Assignee> for AssigneeBody {
    fn from(a: cases::Assignee) -> Self {
        Self {
            id: a.id,
            name: a.name,
        }
    }
}

impl CaseSummary {
    /// A case as it stands at `now`.
    pub fn of(all: &cases::Cases, c: cases::CaseSummary, now: Timestamp) -> Self {
        let location = c.location();
        let left = all.left(&c, now).map(|left| LeftBody {
            calendar: left.calendar,
            running: left.running,
            seconds: left.seconds,
            case_seconds: left.case_seconds,
        });
        let cases::CaseSummary {
            case: c,
            organisation,
            assignee,
        } = c;
        Self {
            left,
            id: c.id,
            number: c.number,
            title: c.title,
            description: c.description,
            workflow: c.workflow,
            state: c.state,
            severity: c.severity,
            alert_id: c.alert_id,
            entity_id: c.entity_id,
            location,
            organisation: organisation.map(Into::into),
            assignee: assignee.map(Into::into),
            created_at: c.created_at.to_string(),
            created_by: c.created_by,
            updated_at: c.updated_at.to_string(),
            due_at: c.due_at.map(|t| t.to_string()),
            closed_at: c.closed_at.map(|t| t.to_string()),
            version: c.version,
            category: c.category,
            town: c.town,
            grid: c.grid,
            source: c.source,
            reporter: c.reporter,
            reporters: c.reporters,
            parent_id: c.parent_id,
            duplicate_of: c.duplicate_of,
            case_due_at: c.case_due_at.map(|t| t.to_string()),
            extension_minutes: c.extension_minutes,
            extensions: c.extensions,
            supervised_until: c.supervised_until.map(|t| t.to_string()),
            suspended_at: c.suspended_at.map(|t| t.to_string()),
            suspended_until: c.suspended_until.map(|t| t.to_string()),
            escalation: c.escalation,
            reopened: c.reopened,
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
            detail: h.detail,
        }
    }
}

impl From<cases::workflow::Need> for Need {
    fn from(need: cases::workflow::Need) -> Self {
        match need {
            cases::workflow::Need::Note => Self::Note,
            cases::workflow::Need::Photo => Self::Photo,
            cases::workflow::Need::Signature => Self::Signature,
            cases::workflow::Need::Organisation => Self::Organisation,
            cases::workflow::Need::Minutes => Self::Minutes,
            cases::workflow::Need::Until => Self::Until,
            cases::workflow::Need::Case => Self::Case,
            cases::workflow::Need::Parts => Self::Parts,
        }
    }
}

impl From<cases::NextAction> for NextAction {
    fn from(next: cases::NextAction) -> Self {
        Self {
            action: next.action,
            needs: next.needs.into_iter().map(Into::into).collect(),
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
            taken_at: a.taken_at.map(|t| t.to_string()),
            location: a.lon.zip(a.lat).map(|(lon, lat)| [lon, lat]),
            clock_off_s: a.clock_off_s,
            kind: a.kind,
            accuracy_m: a.accuracy_m,
            duration_ms: a.duration_ms,
            signed: a.signer.map(|signer| SignedBody {
                signer,
                capacity: a.signer_capacity.unwrap_or_default(),
                is_typed: a.signed_how.as_deref() == Some("typed"),
            }),
        }
    }
}

impl CaseDetail {
    /// A case with everything known of it, as it stands at `now`.
    pub fn of(all: &cases::Cases, d: cases::CaseDetail, now: Timestamp) -> Self {
        Self {
            case: CaseSummary::of(all, d.case, now),
            parts: d
                .parts
                .into_iter()
                .map(|part| CaseSummary::of(all, part, now))
                .collect(),
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
                    next: a.next.into_iter().map(Into::into).collect(),
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
