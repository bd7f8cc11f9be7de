//! The city at a glance, in the plan's own frame 1+1+N+3: of every system of the plan whether it is installed, whether its
//! data flow, what is wrong, what is being done about it, and how its share of the plan's targets stands.
//!
//! Everything is counted from what the caller may see, and a part that the caller may not read is not there at all. What it
//! costs: one pass over the entities of the twin (about 0.1 µs each where no policy tells entities apart, about 1 µs where one
//! does), the active alerts, and one grouped query over the open cases. The answer is kept for [`Options::kept`] per caller, so
//! that any number of screens of one person cost one such pass a second.

use crate::access::Caller;
use crate::alerts::AlertBody;
use crate::app::App;
use crate::case_bodies::CaseSummary;
use crate::error::{Answer, ApiError};
use crate::personal::{Look, Looking};
use crate::sight::{Seeing, Sight};
use crate::words;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use identity::{Permission, Principal, PrincipalId};
use indicators::Status;
use model::Timestamp;
use pack::{Packs, SystemPart as Parts};
use parking_lot::Mutex;
use policy::View;
use records::PageRequest;
use records::alerts::Alert;
use records::cases::{CaseFilter, OpenCases};
use rules::Kind;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use twin::{Entity, Filter};
use utoipa::ToSchema;

mod speaking;

use speaking::{Known, Speaking};

/// Callers whose answers are kept; more, and all are forgotten.
const CALLERS_KEPT_MAX: usize = 512;
/// Entities that are looked at together where a policy tells them apart; the twin is free between.
const PAGE_ENTITIES: usize = 2_000;
/// Pages of cases that are looked through for the rows of one system.
const CASE_PAGES_MAX: usize = 8;

/// What can be set of the overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What a registered device speaks for counts as heard when it was heard of within this time, unless its type says another.
    pub heard_within: Duration,
    /// How long an answer is kept.
    pub kept: Duration,
    /// Most active alerts that are counted; beyond, the answer says that there are more.
    pub alerts_max: u32,
    /// Most open cases that are looked at for whose rule they came from.
    pub cases_max: u32,
    /// Most rows of each kind behind a system's figures.
    pub rows_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heard_within: Duration::from_mins(15),
            kept: Duration::from_secs(1),
            alerts_max: 20_000,
            cases_max: 20_000,
            rows_max: 200,
        }
    }
}

/// Where a system stands in the plan's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemPart {
    /// The one city data platform.
    Data,
    /// The one operations command centre.
    Command,
    /// One of the N thematic systems.
    Thematic,
    /// The system of standards.
    Standards,
    /// The system of security.
    Security,
    /// The system of assurance.
    Assurance,
}

impl From<Parts> for SystemPart {
    fn from(part: Parts) -> Self {
        match part {
            Parts::Data => Self::Data,
            Parts::Command => Self::Command,
            Parts::Thematic => Self::Thematic,
            Parts::Standards => Self::Standards,
            Parts::Security => Self::Security,
            Parts::Assurance => Self::Assurance,
        }
    }
}

/// Entities of one or more types, and whether those that are expected to speak are heard: those of types whose pack says how
/// often (`heard_within_seconds`), and whatever a registered device speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Flow {
    /// How many are expected to speak.
    pub total: u64,
    /// How many of these were heard of in time.
    pub heard: u64,
    /// How many more there are that do not speak by themselves: assets, facilities, resources.
    pub others: u64,
    /// How many a rule found silent.
    pub silent: u64,
    /// When one was last heard of.
    pub newest_at: Option<String>,
}

/// Active alerts by severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertCounts {
    /// Danger.
    pub critical: u64,
    /// To mend now.
    pub major: u64,
    /// To mend soon.
    pub minor: u64,
    /// To know.
    pub info: u64,
    /// How many of all nobody took note of.
    pub unacknowledged: u64,
}

/// Open cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseCounts {
    /// How many have not ended.
    pub open: u64,
    /// How many of them are past the due time of their present step.
    pub overdue: u64,
    /// The same by the state that they are in.
    pub states: Vec<StateCount>,
}

/// Open cases in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateCount {
    /// The state.
    pub state: String,
    /// How many.
    pub open: u64,
    /// How many are overdue.
    pub overdue: u64,
}

/// Targets of the plan by how they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TargetCounts {
    /// Reached.
    pub met: u64,
    /// Not yet, but at or ahead of the path.
    pub on_path: u64,
    /// Worse than the path.
    pub behind: u64,
    /// No value, or nothing to compare it with.
    pub unknown: u64,
}

/// One target of a system.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Target {
    /// The indicator's id.
    pub id: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// How it stands.
    pub status: words::IndicatorStatus,
}

/// A pack that makes a system, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SystemPack {
    /// Its name.
    pub name: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// The department that owns it, in Chinese.
    pub owner_zh: String,
    /// The same in English.
    pub owner_en: String,
}

/// A system of the plan as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SystemState {
    /// Its id, such as `S28`.
    pub id: String,
    /// Where it stands in the frame 1+1+N+3.
    pub part: SystemPart,
    /// The plan's name for it.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// The plan's words that ask for it.
    pub quote: String,
    /// Whether this city has it: a pack makes it, or the platform itself does.
    pub installed: bool,
    /// The packs that make it.
    pub packs: Vec<SystemPack>,
    /// The entity types that it speaks of.
    pub entity_types: Vec<String>,
    /// Its entities; null where it has no types, or the caller may not read entities.
    pub flow: Option<Flow>,
    /// Its active alerts; null where no rule is its own, or the caller may not read alerts.
    pub alerts: Option<AlertCounts>,
    /// Cases that came from its alerts; null as `alerts`.
    pub cases: Option<CaseCounts>,
    /// Its targets; null where the caller may not read the plan.
    pub targets: Option<Vec<Target>>,
}

/// The city at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// When it was counted.
    pub at: String,
    /// Seconds within which what a device speaks for is to be heard, where its type says nothing.
    pub heard_within_seconds: u64,
    /// All entities; null where the caller may not read entities.
    pub flow: Option<Flow>,
    /// All active alerts; null where the caller may not read alerts.
    pub alerts: Option<AlertCounts>,
    /// Whether there are more active alerts than were counted.
    pub alerts_truncated: bool,
    /// All open cases; null where the caller may not read cases.
    pub cases: Option<CaseCounts>,
    /// All targets of the plan; null where the caller may not read the plan.
    pub targets: Option<TargetCounts>,
    /// What is wrong with what is stored: how many notices stand.
    pub notices: Option<usize>,
    /// The systems of the plan, in its order; empty where the city has no plan.
    pub systems: Vec<SystemState>,
}

/// Systems that the platform makes itself, whatever packs there are: its data platform (history and SQL), its command
/// centre (map, alerts, cases), and signing in for other systems. Of the last, certificates and seals are not there yet;
/// its page says so.
const BY_PLATFORM: [&str; 3] = ["S01", "S02", "S07"];

/// What belongs to which system, by the packs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    of_type: HashMap<String, String>,
    of_rule: HashMap<String, String>,
    /// Rules that find what is silent.
    silence: HashSet<String>,
}

impl Frame {
    pub fn new(packs: &Packs) -> Self {
        let mut frame = Self::default();
        for pack in &packs.packs {
            for rule in &pack.rules {
                // What states its own time is what people do now and then, or something that speaks seldom.
                if rule.kind == Kind::Silence && rule.threshold.is_none() {
                    frame.silence.insert(rule.id.clone());
                }
            }
            let Some(system) = &pack.manifest.system else {
                continue;
            };
            for kind in &pack.kinds {
                frame.of_type.insert(kind.name.clone(), system.clone());
            }
            for rule in &pack.rules {
                frame.of_rule.insert(rule.id.clone(), system.clone());
            }
        }
        frame
    }

    fn types_of(&self, system: &str) -> BTreeSet<String> {
        let all = self.of_type.iter().filter(|(_, s)| *s == system);
        all.map(|(kind, _)| kind.clone()).collect()
    }

    fn has_rules(&self, system: &str) -> bool {
        self.of_rule.values().any(|s| s == system)
    }
}

#[derive(Clone, Debug, Default)]
struct Heard {
    total: u64,
    heard: u64,
    others: u64,
    newest: Option<Timestamp>,
}

impl Heard {
    fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.heard += other.heard;
        self.others += other.others;
        self.newest = self.newest.max(other.newest);
    }
    fn flow(&self, silent: usize) -> Flow {
        Flow {
            total: self.total,
            heard: self.heard,
            others: self.others,
            silent: silent as u64,
            newest_at: self.newest.map(|t| t.to_string()),
        }
    }
}

/// What was counted so far: pure, so that it is told one by one what the caller may see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    by_type: HashMap<String, Heard>,
    alerts: HashMap<Option<String>, AlertCounts>,
    silent: HashMap<Option<String>, HashSet<String>>,
    cases: HashMap<Option<String>, BTreeMap<String, (u64, u64)>>,
}

impl Tally {
    /// An entity, and since when it must have been heard; `None` when it is not expected to speak.
    pub fn entity(&mut self, entity_type: &str, modified_at: Timestamp, since: Option<Timestamp>) {
        if !self.by_type.contains_key(entity_type) {
            self.by_type
                .insert(entity_type.to_owned(), Heard::default());
        }
        if let Some(heard) = self.by_type.get_mut(entity_type) {
            match since {
                Some(since) => {
                    heard.total += 1;
                    heard.heard += u64::from(modified_at >= since);
                }
                None => heard.others += 1,
            }
            heard.newest = heard.newest.max(Some(modified_at));
        }
    }

    pub fn alert(&mut self, frame: &Frame, alert: &Alert) {
        let system = frame.of_rule.get(&alert.rule_id);
        let system = system.or_else(|| frame.of_type.get(&alert.entity_type));
        let counts = self.alerts.entry(system.cloned()).or_default();
        match alert.severity.as_str() {
            "critical" => counts.critical += 1,
            "major" => counts.major += 1,
            "minor" => counts.minor += 1,
            _ => counts.info += 1,
        }
        counts.unacknowledged += u64::from(alert.acknowledged_at.is_none());
        if frame.silence.contains(&alert.rule_id) {
            let silent = self.silent.entry(system.cloned()).or_default();
            silent.insert(alert.entity_id.clone());
        }
    }

    pub fn cases(&mut self, frame: &Frame, open: &OpenCases) {
        let rule = open.rule_id.as_ref();
        let system = rule.and_then(|rule| frame.of_rule.get(rule)).cloned();
        let states = self.cases.entry(system).or_default();
        let (count, overdue) = states.entry(open.state.clone()).or_default();
        *count += open.count.max(0).unsigned_abs();
        *overdue += open.overdue.max(0).unsigned_abs();
    }

    fn flow_of<'a>(&self, types: impl IntoIterator<Item = &'a String>, silent: usize) -> Flow {
        let mut sum = Heard::default();
        let found = types.into_iter().filter_map(|t| self.by_type.get(t));
        found.for_each(|heard| sum.add(heard));
        sum.flow(silent)
    }

    fn all_flow(&self) -> Flow {
        let ids: HashSet<&String> = self.silent.values().flatten().collect();
        self.flow_of(self.by_type.keys(), ids.len())
    }

    fn all_alerts(&self) -> AlertCounts {
        let mut all = AlertCounts::default();
        for counts in self.alerts.values() {
            all.critical += counts.critical;
            all.major += counts.major;
            all.minor += counts.minor;
            all.info += counts.info;
            all.unacknowledged += counts.unacknowledged;
        }
        all
    }

    fn all_cases(&self) -> CaseCounts {
        let mut all: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (state, (open, overdue)) in self.cases.values().flatten() {
            let sum = all.entry(state.clone()).or_default();
            sum.0 += open;
            sum.1 += overdue;
        }
        case_counts(&all)
    }
}

fn case_counts(states: &BTreeMap<String, (u64, u64)>) -> CaseCounts {
    CaseCounts {
        open: states.values().map(|(open, _)| open).sum(),
        overdue: states.values().map(|(_, overdue)| overdue).sum(),
        states: states
            .iter()
            .map(|(state, (open, overdue))| StateCount {
                state: state.clone(),
                open: *open,
                overdue: *overdue,
            })
            .collect(),
    }
}

/// What the caller may read at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct May {
    pub entities: bool,
    pub alerts: bool,
    pub cases: bool,
    pub plan: bool,
}

impl May {
    fn of(view: &View) -> Self {
        let may = |permission: Permission| view.may(permission.as_str());
        Self {
            entities: may(Permission::EntityRead),
            alerts: may(Permission::AlertRead),
            cases: may(Permission::CaseRead),
            plan: may(Permission::IndicatorRead),
        }
    }
}

/// How a target stands.
pub(crate) struct Standing<'a> {
    pub id: &'a str,
    pub name_zh: &'a str,
    pub name_en: &'a str,
    pub status: Status,
}

/// The plan's systems with what was counted. The data platform tells the figures of all entities, the command centre those
/// of all alerts and cases.
pub(crate) fn systems(
    packs: &Packs,
    frame: &Frame,
    tally: &Tally,
    standings: &[Standing<'_>],
    may: May,
) -> Vec<SystemState> {
    let plan = packs.plan.as_ref();
    let systems = plan.iter().flat_map(|plan| &plan.systems);
    systems
        .map(|system| {
            let own = packs.packs.iter().map(|pack| &pack.manifest);
            let own = own.filter(|m| m.system.as_deref() == Some(&system.id));
            let makers: Vec<SystemPack> = own
                .map(|m| SystemPack {
                    name: m.name.clone(),
                    title_zh: m.title_zh.clone(),
                    title_en: m.title_en.clone(),
                    owner_zh: m.owner_zh.clone(),
                    owner_en: m.owner_en.clone(),
                })
                .collect();
            let types = frame.types_of(&system.id);
            let key = Some(system.id.clone());
            let silent = tally.silent.get(&key).map_or(0, HashSet::len);
            let (is_data, is_command) = (system.part == Parts::Data, system.part == Parts::Command);
            let flow = match (is_data, types.is_empty()) {
                (true, _) => Some(tally.all_flow()),
                (false, false) => Some(tally.flow_of(&types, silent)),
                (false, true) => None,
            };
            let has_alerts = is_command || frame.has_rules(&system.id);
            let alerts = || match is_command {
                true => tally.all_alerts(),
                false => tally.alerts.get(&key).cloned().unwrap_or_default(),
            };
            let cases = || match is_command {
                true => tally.all_cases(),
                false => tally.cases.get(&key).map(case_counts).unwrap_or_default(),
            };
            let targets = standings
                .iter()
                .filter(|s| system.indicators.iter().any(|id| id == s.id));
            SystemState {
                part: system.part.into(),
                name_zh: system.name_zh.clone(),
                name_en: system.name_en.clone(),
                quote: system.quote.clone(),
                installed: !makers.is_empty() || BY_PLATFORM.contains(&system.id.as_str()),
                packs: makers,
                entity_types: types.iter().cloned().collect(),
                flow: flow.filter(|_| may.entities),
                alerts: (may.alerts && has_alerts).then(alerts),
                cases: (may.cases && has_alerts).then(cases),
                targets: may.plan.then(|| {
                    let targets = targets.map(|s| Target {
                        id: s.id.to_owned(),
                        name_zh: s.name_zh.to_owned(),
                        name_en: s.name_en.to_owned(),
                        status: s.status.into(),
                    });
                    targets.collect()
                }),
                id: system.id.clone(),
            }
        })
        .collect()
}

fn target_counts(standings: &[Standing<'_>]) -> TargetCounts {
    let of = |status| standings.iter().filter(|s| s.status == status).count() as u64;
    TargetCounts {
        met: of(Status::Met),
        on_path: of(Status::OnPath),
        behind: of(Status::Behind),
        unknown: of(Status::Unknown),
    }
}

struct Kept {
    /// By which policies it was counted: kept alive, so that another view cannot have its address.
    view: Arc<View>,
    at: Timestamp,
    body: Arc<Overview>,
}

/// Answers that are kept for a moment, by caller, and which devices there are.
#[derive(Default)]
pub struct Cache {
    answers: Mutex<HashMap<PrincipalId, Kept>>,
    devices: Known,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cache({} callers)", self.answers.lock().len())
    }
}

impl Cache {
    fn get(
        &self,
        id: PrincipalId,
        view: &Arc<View>,
        now: Timestamp,
        kept: Duration,
    ) -> Option<Arc<Overview>> {
        let all = self.answers.lock();
        let found = all.get(&id)?;
        let age = now.micros_since(found.at);
        let is_young = u128::try_from(age).is_ok_and(|age| age < kept.as_micros());
        (is_young && Arc::ptr_eq(&found.view, view)).then(|| Arc::clone(&found.body))
    }

    fn put(&self, id: PrincipalId, view: &Arc<View>, at: Timestamp, body: &Arc<Overview>) {
        let mut all = self.answers.lock();
        if all.len() >= CALLERS_KEPT_MAX {
            all.clear();
        }
        let kept = Kept {
            view: Arc::clone(view),
            at,
            body: Arc::clone(body),
        };
        all.insert(id, kept);
    }
}

/// Shows every entity of some types (all when none are named) that the caller may see.
fn visit_seen(app: &App, sight: &Sight, types: &[String], mut see: impl FnMut(&Entity)) {
    let mut filter = Filter {
        types: types.to_vec(),
        limit: usize::MAX,
        ..Filter::default()
    };
    if sight.sees_all() {
        app.twin.visit(&filter, see);
        return;
    }
    // Where an entity stands is looked up in the city's map: not while the twin waits.
    filter.limit = PAGE_ENTITIES;
    loop {
        let page = app.twin.query(&filter);
        page.items
            .iter()
            .filter(|e| sight.sees(e))
            .for_each(&mut see);
        match page.next {
            Some(next) => filter.after = Some(next.to_string()),
            None => return,
        }
    }
}

impl App {
    async fn count(&self, sight: &Sight, now: Timestamp) -> Answer<Overview> {
        let options = &self.options.overview;
        let may = May::of(sight.view());
        let packs = self.packs.now();
        let frame = Frame::new(&packs);
        let mut tally = Tally::default();
        if may.entities {
            let speaking = self.speaking(&packs, now).await?;
            visit_seen(self, sight, &[], |entity| {
                let kind = entity.entity_type.as_str();
                let since = speaking.since(kind, &entity.id);
                tally.entity(kind, entity.modified_at, since);
            });
        }
        let mut alerts_truncated = false;
        if may.alerts || may.cases {
            let mut connection = self.records.read().await?;
            if may.alerts {
                let active = records::alerts::active(&mut connection, options.alerts_max).await?;
                alerts_truncated = active.len() >= options.alerts_max as usize;
                let seen = active
                    .iter()
                    .filter(|a| sight.sees_series(&a.entity_id, &a.entity_type, &a.attribute));
                seen.for_each(|alert| tally.alert(&frame, alert));
            }
            if may.cases {
                let open = records::cases::count_open(&mut connection, now).await?;
                let seen = open
                    .iter()
                    .filter(|c| sight.sees_case(c.organisation_id.as_deref()));
                seen.for_each(|cases| tally.cases(&frame, cases));
            }
        }
        let standing = self.plan.standing_of_plan(now);
        let standings = standing.iter().map(|(definition, status)| Standing {
            id: &definition.id,
            name_zh: &definition.name_zh,
            name_en: &definition.name_en,
            status: *status,
        });
        let standings: Vec<Standing<'_>> = standings.collect();
        Ok(Overview {
            at: now.to_string(),
            heard_within_seconds: options.heard_within.as_secs(),
            flow: may.entities.then(|| tally.all_flow()),
            alerts: may.alerts.then(|| tally.all_alerts()),
            alerts_truncated,
            cases: may.cases.then(|| tally.all_cases()),
            targets: may.plan.then(|| target_counts(&standings)),
            notices: may.entities.then(|| self.notices.all().len()),
            systems: systems(&packs, &frame, &tally, &standings, may),
        })
    }

    /// The overview as the caller sees it, counted now or within the last moment.
    async fn overview_of(&self, caller: &Principal, sight: &Sight) -> Answer<Arc<Overview>> {
        let (now, view) = (self.now(), sight.view());
        let kept = self.options.overview.kept;
        if let Some(body) = self.overviews.get(caller.id, view, now, kept) {
            return Ok(body);
        }
        let body = Arc::new(self.count(sight, now).await?);
        self.overviews.put(caller.id, view, now, &body);
        Ok(body)
    }
}

/// The city at a glance: every system of the plan with its health, its alerts, its cases and its targets, as far as the caller
/// may see them. Kept for a second for each caller.
#[utoipa::path(get, path = "/api/v1/overview", tag = "overview", security(("session" = [])),
    responses((status = 200, body = Overview)))]
pub async fn overview(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
) -> Answer<Response> {
    let body = app.overview_of(&caller, &sight).await?;
    Ok(Json(&*body).into_response())
}

/// An entity and when it was last heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastHeard {
    /// Its id.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// Its name, where it may be seen.
    pub name: Option<String>,
    /// When anything of it was last heard.
    pub modified_at: String,
}

/// The rows behind a system's figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemRows {
    /// The system with its figures.
    pub system: SystemState,
    /// Its entities that are expected to speak and were not heard in time, the longest unheard first.
    pub unheard: Vec<LastHeard>,
    /// Its active alerts, newest first.
    pub alerts: Vec<AlertBody>,
    /// Open cases that came from its alerts, newest first.
    pub cases: Vec<CaseSummary>,
    /// Whether there are more of any than are shown.
    pub truncated: bool,
}

/// The rows behind the figures of one system. Those of the data platform are all entities', those of the command centre all
/// alerts' and cases'.
#[utoipa::path(get, path = "/api/v1/overview/systems/{id}", tag = "overview", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 200, body = SystemRows), (status = 404, body = crate::error::ProblemBody)))]
pub async fn system(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Path(id): Path<String>,
) -> Answer<Json<SystemRows>> {
    let overview = app.overview_of(&caller, &sight).await?;
    let found = overview.systems.iter().find(|s| s.id == id);
    let system = found.ok_or_else(|| ApiError::not_found("system", &id))?;
    let packs = app.packs.now();
    let frame = Frame::new(&packs);
    let may = May::of(sight.view());
    let mut rows = SystemRows {
        system: system.clone(),
        unheard: Vec::new(),
        alerts: Vec::new(),
        cases: Vec::new(),
        truncated: false,
    };
    if may.entities && system.flow.is_some() {
        let speaking = app.speaking(&packs, app.now()).await?;
        app.unheard(&sight, &speaking, &mut rows);
    }
    let is_all = system.part == SystemPart::Command;
    let is_of = |rule: &str, kind: &str| {
        let owner = frame.of_rule.get(rule).or_else(|| frame.of_type.get(kind));
        is_all || owner == Some(&id)
    };
    if may.alerts && system.alerts.is_some() {
        app.alert_rows(&sight, is_of, &mut rows).await?;
    }
    if may.cases && system.cases.is_some() {
        let is_of = |rule: &str| is_all || frame.of_rule.get(rule) == Some(&id);
        app.case_rows(&sight, &look, is_of, &mut rows).await?;
    }
    look.tell(&app.records, app.now(), "overview").await?;
    Ok(Json(rows))
}

impl App {
    fn unheard(&self, sight: &Sight, speaking: &Speaking, rows: &mut SystemRows) {
        let options = &self.options.overview;
        let types = match rows.system.part {
            SystemPart::Data => Vec::new(),
            _ => rows.system.entity_types.clone(),
        };
        // The longest unheard, in a heap of at most so many.
        let mut longest = std::collections::BinaryHeap::new();
        let mut count = 0_usize;
        visit_seen(self, sight, &types, |entity| {
            let since = speaking.since(entity.entity_type.as_str(), &entity.id);
            if since.is_none_or(|since| entity.modified_at >= since) {
                return;
            }
            count += 1;
            longest.push((entity.modified_at, entity.id.clone()));
            if longest.len() > options.rows_max {
                longest.pop();
            }
        });
        rows.truncated |= count > options.rows_max;
        for (modified_at, id) in longest.into_sorted_vec() {
            let Some(entity) = self.twin.get(&id) else {
                continue;
            };
            let sees_name = sight.access(&entity, "name") != policy::Access::Hidden;
            rows.unheard.push(LastHeard {
                name: crate::entities::name_of(&entity).filter(|_| sees_name),
                r#type: entity.entity_type.to_string(),
                modified_at: modified_at.to_string(),
                id: id.to_string(),
            });
        }
    }

    async fn alert_rows(
        &self,
        sight: &Sight,
        is_of: impl Fn(&str, &str) -> bool,
        rows: &mut SystemRows,
    ) -> Answer<()> {
        let options = &self.options.overview;
        let mut connection = self.records.read().await?;
        let active = records::alerts::active(&mut connection, options.alerts_max).await?;
        drop(connection);
        for alert in active {
            let sees = sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute);
            if !sees || !is_of(&alert.rule_id, &alert.entity_type) {
                continue;
            }
            if rows.alerts.len() >= options.rows_max {
                rows.truncated = true;
                return Ok(());
            }
            rows.alerts.push(sight.alert(self.alert_body(alert)));
        }
        Ok(())
    }

    async fn case_rows(
        &self,
        sight: &Sight,
        look: &Look,
        is_of: impl Fn(&str) -> bool,
        rows: &mut SystemRows,
    ) -> Answer<()> {
        let most = self.options.overview.rows_max;
        // Whoever wants the cases of all rules wants those of none too.
        let wanted: Option<HashSet<i64>> = if is_of("") {
            None
        } else {
            let mut connection = self.records.read().await?;
            let limit = self.options.overview.cases_max;
            let all = records::cases::rules_of_open(&mut connection, limit).await?;
            let own = all.into_iter().filter(|case| is_of(&case.rule_id));
            Some(own.map(|case| case.case_id).collect())
        };
        let filter = CaseFilter {
            open: Some(true),
            ..CaseFilter::default()
        };
        let mut request = PageRequest {
            after: None,
            limit: Some(records::PAGE_ITEMS_MAX),
        };
        for _ in 0..CASE_PAGES_MAX {
            let page = self.cases.list(&filter, &request).await?;
            for case in page.items {
                let organisation = case.organisation.as_ref().map(|o| o.id.as_str());
                let is_wanted = wanted.as_ref().is_none_or(|ids| ids.contains(&case.id));
                if !is_wanted || !sight.sees_case(organisation) {
                    continue;
                }
                if rows.cases.len() >= most {
                    rows.truncated = true;
                    return Ok(());
                }
                let case = crate::case_lists::masked(look, case);
                let body = CaseSummary::of(&self.cases, case, self.now());
                rows.cases.push(body);
            }
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(()),
            }
        }
        rows.truncated = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
