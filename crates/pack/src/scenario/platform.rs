//! The platform as a scenario needs it: admission, the rules engine and the workflows' decision, over nothing but a pack's
//! declarations. The one file of the scenarios that knows those crates' calls.

use crate::declare::STANDARD_WORKFLOW;
use crate::load::Pack;
use crate::scenario::grammar::{Stated, type_of};
use cases::Workflow;
use cases::workflow::{Assigns, Need, STANDARD};
use identity::Permission;
use model::calendar::Declared;
use model::{
    AttributeName, AttributeUpdate, Calendars, Catalogue, EntityId, Problem, Quality, Timestamp,
    TypeName, Update, Value, ValueKind, WorkingCalendar,
};
use records::cases::Case;
use records::{Acting, Actor, ActorKind, Failure};
use rules::{Engine, RuleEvent};
use std::collections::BTreeMap;

/// The zone of scenarios.
const ZONE: &str = "Asia/Shanghai";

/// Somebody who acts in a scenario.
pub(crate) type Somebody = Acting;

/// What a person does to a case, beside the action's name.
#[derive(Debug, Default)]
pub(crate) struct With<'a> {
    pub organisation: Option<&'a str>,
    pub assignee: Option<i64>,
    pub note: bool,
    pub photo: bool,
}

/// A pack at work.
pub(crate) struct Platform {
    catalogue: Catalogue,
    engine: Engine,
    workflows: BTreeMap<String, Workflow>,
    rule_workflows: BTreeMap<String, Option<String>>,
    limits: admission::Limits,
    position: u64,
}

impl Platform {
    /// Sets a pack to work.
    ///
    /// # Errors
    /// Mistakes of its rules.
    pub(crate) fn new(pack: &Pack) -> Result<Self, Vec<Problem>> {
        let catalogue = pack.catalogue();
        let engine = Engine::new(pack.rules.clone(), &catalogue, &calendars()?)?;
        let standard = Workflow::standard().map_err(|failure| vec![told(&failure)])?;
        let workflows = std::iter::once(standard)
            .chain(pack.workflows.iter().cloned())
            .map(|workflow| (workflow.name.clone(), workflow))
            .collect();
        let rule_workflows = pack
            .rules
            .iter()
            .map(|rule| (rule.id.clone(), rule.opens_case.clone()))
            .collect();
        Ok(Self {
            catalogue,
            engine,
            workflows,
            rule_workflows,
            limits: admission::Limits::default(),
            position: 0,
        })
    }

    /// An entity reports: what admission lets through is judged by the rules.
    ///
    /// # Errors
    /// What admission refuses.
    pub(crate) fn report(
        &mut self,
        entity: &EntityId,
        values: &[Stated],
        now: Timestamp,
    ) -> Result<Vec<RuleEvent>, Vec<Problem>> {
        let update =
            update(entity, values, now, &self.catalogue).map_err(|problem| vec![problem])?;
        let (good, bad) = admission::admit(update, &self.catalogue, &self.limits, now);
        if !bad.is_empty() {
            return Err(bad);
        }
        let Some(update) = good else {
            return Ok(Vec::new());
        };
        self.position += 1;
        let mut events = self.engine.observe(self.position, &update, now);
        events.extend(self.engine.tick(now));
        Ok(events)
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, now: Timestamp) -> Vec<RuleEvent> {
        self.engine.tick(now)
    }

    /// Opens a case: from an alert of the rule, or of a workflow.
    ///
    /// # Errors
    /// Why the person may not, or that there is no such workflow.
    pub(crate) fn open(
        &self,
        rule: Option<&str>,
        workflow: Option<&str>,
        by: &Somebody,
        now: Timestamp,
    ) -> Result<Case, Problem> {
        let named = match rule {
            Some(rule) => self.rule_workflows.get(rule).and_then(Option::as_deref),
            None => workflow,
        };
        let name = named
            .filter(|name| *name != STANDARD_WORKFLOW)
            .unwrap_or(STANDARD);
        let workflow = self.workflow(name)?;
        if !workflow.open_may.iter().any(|word| by.may(word)) {
            return Err(Problem::new(
                "permission-missing",
                format!(
                    "opening a case needs the permission {}",
                    workflow.open_may.join(" or ")
                ),
                "case",
                "let somebody open it who may",
            ));
        }
        Ok(case(workflow, by, now))
    }

    /// Does an action to a case.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn act(
        &self,
        case: &mut Case,
        action: &str,
        with: &With<'_>,
        by: &Somebody,
    ) -> Result<(), Problem> {
        let workflow = self.workflow(&case.workflow)?;
        let transition = workflow
            .decide(case, action, by)
            .map_err(|failure| told(&failure))?;
        for need in &transition.needs {
            let (met, code) = match need {
                Need::Note => (with.note, "note-missing"),
                Need::Organisation => (with.organisation.is_some(), "organisation-missing"),
                Need::Photo => (with.photo, "photo-missing"),
                // Scenarios play the moves of a case, not its signatures, clocks, parts and duplicates.
                Need::Signature | Need::Minutes | Need::Until | Need::Case | Need::Parts => {
                    (false, "scenario-cannot")
                }
            };
            if !met {
                return Err(Problem::new(
                    code,
                    format!("{action} needs more than was given"),
                    "action",
                    "give what the workflow's needs say",
                ));
            }
        }
        match transition.assigns {
            Some(Assigns::Oneself) => case.assignee_id = by.actor.user_id(),
            Some(Assigns::Given) => {
                case.organisation_id = with.organisation.map(str::to_owned);
                case.assignee_id = with.assignee;
            }
            Some(Assigns::Nobody) => {
                case.organisation_id = None;
                case.assignee_id = None;
            }
            None => {}
        }
        if let Some(to) = &transition.to {
            case.state.clone_from(to);
        }
        Ok(())
    }

    fn workflow(&self, name: &str) -> Result<&Workflow, Problem> {
        self.workflows.get(name).ok_or_else(|| {
            Problem::new(
                "workflow-missing",
                format!("there is no workflow {name}"),
                "workflow",
                "name one of the pack's workflows",
            )
        })
    }
}

/// Somebody with permission words. The id tells persons apart.
///
/// # Errors
/// The first word that is no permission.
pub(crate) fn somebody(
    id: i64,
    name: &str,
    organisation: Option<&str>,
    words: &[String],
) -> Result<Somebody, Problem> {
    let mut permissions = Vec::new();
    for word in words {
        let known = Permission::ALL.iter().find(|p| p.as_str() == word);
        let known = known.ok_or_else(|| {
            Problem::new(
                "permission-unknown",
                format!("{word} is no permission of the platform"),
                "person",
                "write one that the workflow's `may` names, such as case.dispatch",
            )
        })?;
        permissions.push(known.as_str());
    }
    Ok(Acting {
        actor: Actor {
            kind: ActorKind::User(id),
            name: name.to_owned(),
            peer: String::new(),
        },
        organisation_id: organisation.map(str::to_owned),
        also: Vec::new(),
        permissions,
    })
}

fn update(
    entity: &EntityId,
    values: &[Stated],
    now: Timestamp,
    catalogue: &Catalogue,
) -> Result<Update, Problem> {
    let kind = type_of(entity).unwrap_or_default();
    // The simplified form of NGSI-LD writes another entity as its id.
    let value =
        |stated: &Stated| match (&stated.value, catalogue.attribute(kind, &stated.attribute)) {
            (Value::Text(id), Some(declared)) if declared.value == ValueKind::Relationship => {
                Ok(Value::Relationship(EntityId::new(id)?))
            }
            (value, _) => Ok::<_, Problem>(value.clone()),
        };
    let attributes = values
        .iter()
        .map(|stated| {
            Ok(AttributeUpdate {
                name: AttributeName::new(&stated.attribute)?,
                value: value(stated)?,
                unit: stated.unit.clone(),
                observed_at: now,
                quality: Quality::Good,
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok(Update {
        entity_id: entity.clone(),
        entity_type: TypeName::new(kind)?,
        attributes,
    })
}

fn case(workflow: &Workflow, by: &Somebody, now: Timestamp) -> Case {
    Case {
        id: 1,
        number: "1".to_owned(),
        title: String::new(),
        description: String::new(),
        workflow: workflow.name.clone(),
        workflow_version: 1,
        state: workflow.initial.clone(),
        severity: "minor".to_owned(),
        alert_id: None,
        entity_id: None,
        lon: None,
        lat: None,
        organisation_id: None,
        assignee_id: None,
        created_at: now,
        created_by: by.actor.name.clone(),
        created_by_id: by.actor.user_id(),
        updated_at: now,
        due_at: None,
        closed_at: None,
        version: 1,
        category: None,
        town: None,
        grid: None,
        source: "staff".to_owned(),
        reporter: None,
        reporters: 1,
        parent_id: None,
        duplicate_of: None,
        case_due_at: None,
        extension_minutes: None,
        extensions: 0,
        supervised_until: None,
        suspended_at: None,
        suspended_until: None,
        escalation: 0,
        escalates_at: None,
        reopened: 0,
    }
}

fn told(failure: &Failure) -> Problem {
    failure.problem().cloned().unwrap_or_else(|| {
        Problem::new(
            "internal",
            failure.to_string(),
            "scenario",
            "tell the makers of the platform",
        )
    })
}

/// What scenarios know of calendars: every hour, and a week of `working-hours` without holidays, so that they end alike in every
/// city and year.
fn calendars() -> Result<Calendars, Vec<Problem>> {
    let zone = jiff::tz::TimeZone::get(ZONE).map_err(|error| {
        vec![Problem::new(
            "scenario-zone",
            error.to_string(),
            ZONE,
            "none: the zone is part of the program",
        )]
    })?;
    let day = ["08:30-12:00", "14:00-17:30"].map(str::to_owned).to_vec();
    let declared = Declared {
        title_zh: "工作时间".to_owned(),
        title_en: "Working hours".to_owned(),
        week: ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|name| (name.to_owned(), day.clone()))
            .into(),
        ..Declared::default()
    };
    let working = WorkingCalendar::new("working-hours", declared, zone.clone(), "scenario")?;
    Ok(Calendars::new(zone, [working]))
}
