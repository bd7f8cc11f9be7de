//! Alerts become cases, and cases become closed: the workflow as data, who may move a case and how, its
//! history, its clocks and its attachments.
//!
//! Reading order: [`workflow`] (the state machine, declared and checked, and the pure decision), [`catalogue`] (what kinds of
//! things and events there are, and their limits), [`number`]
//! (what a case is called), [`assessment`] (how it went), then [`Cases`]: opening and acting
//! (`apply`, with what some actions do beside moving in [`effects`] and `acts`, and their clocks in `clocks`), reading
//! (`view`, and as a board by the seven steps, [`step`], in `board`), what time alone does (`tick`), alerts (`alerts`), attachments ([`kinds`], `attachments`,
//! and files of no case in `evidence`),
//! what lies near (`duplicates`), what other platforms say (`outside`);
//! last the assessment figures of a period, from the history alone ([`figures`]).

mod acts;
mod alerts;
mod apply;
pub mod assessment;
mod attachments;
mod board;
pub mod catalogue;
mod clocks;
mod duplicates;
pub mod effects;
mod evidence;
pub mod figures;
mod hand_over;
mod history;
pub mod kinds;
pub mod number;
mod outside;
mod photo;
mod photos;
mod picture;
mod plain;
pub mod step;
mod tick;
mod view;
pub mod workflow;

pub use alerts::note_cleared;
pub use apply::{Act, NewCase, Part};
pub use assessment::Assessment;
pub use attachments::{Taken, clean_name};
pub use board::BoardColumn;
pub use catalogue::{Catalogue, Category};
pub use clocks::Left;
pub use duplicates::{Like, Similar};
pub use hand_over::hand_over;
pub use kinds::{CAPACITIES, Kind, Signed};
pub use outside::{Outside, note_outside};
pub use photos::{KeptPhoto, StagedPhoto};
pub use picture::{PIXELS_MAX, SMALL_SIDE_MAX};
pub use step::Step;
pub use tick::Ticked;
pub use view::{AllowedAction, Assignee, CaseDetail, CaseSummary, HistoryEntry, NextAction};
pub use workflow::Workflow;

use jiff::tz::TimeZone;
use model::calendar::{ALWAYS, Calendars};
use model::{Problem, Timestamp};
use parking_lot::RwLock;
use records::cases::Case;
use records::{Connection, Failure, Records, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The severities of alerts and cases, from least to worst.
pub const SEVERITIES: &[&str] = &["info", "minor", "major", "critical"];

/// Who finds what becomes a case: staff (采集员), a citizen (市民), a sensor (感知设备); `drill` (演练) is nobody's.
pub const SOURCES: &[&str] = &["staff", "citizen", "sensor", records::cases::DRILL];

/// The settings and limits of cases.
#[derive(Clone, Debug)]
pub struct Options {
    /// The city's time zone: a case's number holds the city's own date.
    pub zone: String,
    /// What case numbers begin with.
    pub number_prefix: String,
    /// Where the bytes of attachments lie.
    pub attachments_dir: PathBuf,
    /// Largest attachment, in bytes.
    pub attachment_bytes_max: usize,
    /// Largest voice note, in bytes: what bounds its length whatever the sender says.
    pub voice_bytes_max: usize,
    /// Longest voice note, in seconds.
    pub voice_seconds_max: u32,
    /// Largest picture of a signature, in bytes.
    pub signature_bytes_max: usize,
    /// Longest name of who signs, in characters.
    pub signer_chars_max: usize,
    /// Most attachments of one case.
    pub attachments_per_case_max: i64,
    /// Most photos of the site of one key project.
    pub photos_per_project_max: i64,
    /// Longest title, in characters.
    pub title_chars_max: usize,
    /// Longest description or note, in characters.
    pub text_chars_max: usize,
    /// Most steps of history that a case is shown with.
    pub history_rows_max: u32,
    /// The working calendars of the city.
    pub calendars: Calendars,
    /// What kinds of cases there are; a kind that it does not know is kept as it is said.
    pub catalogue: Catalogue,
    /// Most extensions of one case.
    pub extensions_max: i64,
    /// Longest extension that may be asked for at once, in minutes of working time.
    pub extension_minutes_max: u32,
    /// Longest suspension and longest deadline of a supervision, in days from now.
    pub until_days_max: u32,
    /// Most parts of one case.
    pub parts_max: usize,
    /// Until how many days after its end a case may be reopened.
    pub reopen_days_max: u32,
    /// How often a case may be reopened.
    pub reopen_times_max: i64,
    /// How near a case must lie to another to be suggested as its duplicate, in metres.
    pub duplicate_metres: f64,
    /// How near in time, in hours.
    pub duplicate_hours: u32,
    /// Most suggestions.
    pub duplicates_max: usize,
    /// A step that comes so much later than it was done, in seconds, says when it was done.
    pub step_late_seconds_min: i64,
    /// How far the clock of a photo may be from the reception before it is said, in seconds.
    pub photo_clock_seconds_max: i64,
    /// How long a phone without a network may show tasks after it read them, in hours.
    pub offline_hours_max: u32,
    /// Most cases that the clock moves in one transaction.
    pub tick_rows_max: u32,
    /// Most cases that figures are computed from.
    pub figures_cases_max: usize,
    /// Most urgent cases that each column of the board shows.
    pub board_cards: u32,
    /// Up to how many the board counts.
    pub board_count_max: u32,
}

impl Options {
    /// The defaults, with the attachments in `attachments_dir`.
    pub fn new(attachments_dir: PathBuf) -> Self {
        Self {
            zone: "Asia/Shanghai".to_owned(),
            number_prefix: "TM".to_owned(),
            attachments_dir,
            attachment_bytes_max: 10 * 1024 * 1024,
            // Two minutes at the 128 kbit/s of a recorder of AAC; one of Opus needs a quarter.
            voice_bytes_max: 2 * 1024 * 1024,
            voice_seconds_max: 120,
            signature_bytes_max: 256 * 1024,
            signer_chars_max: 50,
            attachments_per_case_max: 50,
            photos_per_project_max: 500,
            title_chars_max: 200,
            text_chars_max: 4_000,
            history_rows_max: 1_000,
            calendars: Calendars::default(),
            catalogue: Catalogue::default(),
            extensions_max: 2,
            extension_minutes_max: 30 * 24 * 60,
            until_days_max: 366,
            parts_max: 20,
            reopen_days_max: 15,
            reopen_times_max: 3,
            duplicate_metres: 100.0,
            duplicate_hours: 72,
            duplicates_max: 10,
            step_late_seconds_min: 300,
            photo_clock_seconds_max: 3_600,
            offline_hours_max: 72,
            tick_rows_max: 500,
            figures_cases_max: 200_000,
            board_cards: 20,
            board_count_max: 1_000,
        }
    }
}

/// Workflows by name.
type Workflows = BTreeMap<String, Arc<Workflow>>;

/// Alerts and cases over the records. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cases {
    records: Records,
    options: Arc<Options>,
    /// As cases opened now follow them; shared by every clone.
    workflows: Arc<RwLock<Workflows>>,
    zone: TimeZone,
}

impl Cases {
    /// Builds cases over the records. The default workflow is always there; `workflows` adds others, or
    /// takes its place when one has its name.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a time zone that is not known, for a workflow whose calendar is not, and for a class whose workflow or calendar is not; [`Failure::Internal`] when the attachments'
    /// folder cannot be made.
    pub fn new(records: Records, options: Options, workflows: Vec<Workflow>) -> Result<Self> {
        let zone = TimeZone::get(&options.zone).map_err(|_| {
            Failure::Invalid(Problem::new(
                "unknown-zone",
                format!("\"{}\" is not a time zone", options.zone),
                "zone",
                "write an IANA name such as Asia/Shanghai",
            ))
        })?;
        std::fs::create_dir_all(&options.attachments_dir)?;
        let workflows = with_standard(workflows, &options.calendars)?;
        check_calendars(workflows.values().map(Arc::as_ref), &options.calendars)
            .map_err(|mut problems| Failure::Invalid(problems.swap_remove(0)))?;
        let known = |name: &str| workflows.contains_key(name);
        let found = options.catalogue.check(&known, &options.calendars);
        found.map_err(Failure::Invalid)?;
        Ok(Self {
            records,
            options: Arc::new(options),
            workflows: Arc::new(RwLock::new(workflows)),
            zone,
        })
    }

    /// Cases that are opened from now on follow these, here and in every clone; those that are open go on by what they were
    /// opened with. See [`Self::check_workflows`].
    ///
    /// # Errors
    /// [`Failure::Internal`] when the default workflow cannot be read; nothing changes then.
    pub fn set_workflows(&self, workflows: Vec<Workflow>) -> Result<()> {
        let workflows = with_standard(workflows, &self.options.calendars)?;
        *self.workflows.write() = workflows;
        Ok(())
    }

    /// Whether these could be followed in this city.
    ///
    /// # Errors
    /// A workflow for each calendar that the city does not have.
    pub fn check_workflows(&self, workflows: &[Workflow]) -> std::result::Result<(), Vec<Problem>> {
        check_calendars(workflows.iter(), &self.options.calendars)
    }

    /// The settings in force.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The city's own date at a moment, `YYYYMMDD`.
    pub fn day(&self, at: Timestamp) -> String {
        number::day(at, &self.zone)
    }

    /// The workflow that a case follows: as it was when the case was opened.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `workflow-missing` for a case from before definitions were kept whose workflow
    /// is gone; the store's own.
    pub async fn workflow_of(
        &self,
        connection: &mut Connection,
        case: &Case,
    ) -> Result<Arc<Workflow>> {
        let (name, version) = (&case.workflow, case.workflow_version);
        match records::cases::kept_workflow(connection, name, version).await? {
            Some(definition) => Workflow::from_definition(name, &definition).map(Arc::new),
            None => self.workflow(name),
        }
    }

    /// The workflow of that name as cases opened now follow it.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `workflow-missing` when no pack brings it (any more).
    pub fn workflow(&self, name: &str) -> Result<Arc<Workflow>> {
        self.workflows.read().get(name).cloned().ok_or_else(|| {
            Failure::Conflict(Problem::new(
                "workflow-missing",
                format!("there is no workflow \"{}\"", model::problem::quote(name)),
                "workflow",
                "add the pack that brings it",
            ))
        })
    }

    /// All workflows, by name.
    pub fn workflows(&self) -> Vec<Arc<Workflow>> {
        self.workflows.read().values().cloned().collect()
    }
}

/// The default workflow and others; one of its name takes its place. In a city without the calendar that the default one names it
/// counts all hours: it is part of the program, and a city may have no calendars.
fn with_standard(workflows: Vec<Workflow>, calendars: &Calendars) -> Result<Workflows> {
    let mut standard = Workflow::standard()?;
    if calendars.get(&standard.calendar).is_err() {
        ALWAYS.clone_into(&mut standard.calendar);
    }
    let all = std::iter::once(standard).chain(workflows);
    Ok(all.map(|w| (w.name.clone(), Arc::new(w))).collect())
}

/// A problem for each calendar that workflows name and the city does not have; never an empty list of them.
fn check_calendars<'a>(
    workflows: impl Iterator<Item = &'a Workflow>,
    calendars: &Calendars,
) -> std::result::Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for workflow in workflows {
        for calendar in workflow.calendars() {
            if let Err(problem) = calendars.get(calendar) {
                problems.push(Problem {
                    place: format!("workflow {}", workflow.name),
                    ..problem
                });
            }
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}
