//! The city's plans side by side: each with its goals, and which of them holds on a day.

use crate::declare::{Contradiction, Plan};
use crate::load::Pack;
use crate::packs::number_key;
use crate::targets::{FILE, PlanTarget};
use indicators::Definition;
use jiff::civil::Date;
use model::Problem;
use model::problem::quote;
use std::sync::Arc;

/// A plan with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct CityPlan {
    /// What its file says.
    pub plan: Plan,
    /// The pack that brings it.
    pub pack: String,
    /// Where it contradicts itself.
    pub contradictions: Vec<Contradiction>,
    /// What it wants of indicators that others brought.
    pub targets: Vec<PlanTarget>,
    /// Every indicator of it, as it wants it: the plan's table first, then its text, then the platform's own.
    pub goals: Vec<Arc<Definition>>,
}

/// Where a plan stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its first year has not begun.
    ToCome,
    /// It holds.
    Running,
    /// Its last year is over.
    Over,
}

impl Plan {
    /// Where it stands on a day. The first year of its period is that of the baselines, so it holds from the year after.
    pub fn phase(&self, day: Date) -> Phase {
        let [baselines, last] = self.period;
        match day.year() {
            year if year <= baselines => Phase::ToCome,
            year if year <= last => Phase::Running,
            _ => Phase::Over,
        }
    }
}

impl CityPlan {
    /// The indicator of that id, as the plan wants it.
    pub fn goal(&self, id: &str) -> Option<&Arc<Definition>> {
        self.goals.iter().find(|goal| goal.id == id)
    }
}

/// The plan that holds on a day: of several the newest; where none does the newest that is over, else the first to come. `plans` are in the order
/// in which they end.
pub fn on(plans: &[CityPlan], day: Date) -> Option<&CityPlan> {
    let newest = |phase| plans.iter().rfind(|p| p.plan.phase(day) == phase);
    newest(Phase::Running)
        .or_else(|| newest(Phase::Over))
        .or_else(|| plans.first())
}

/// Every plan of the packs with its goals, in the order in which they end; and targets of indicators that nobody brings, or that their unit
/// does not allow.
pub(crate) fn gather(packs: &[Pack]) -> (Vec<CityPlan>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut plans: Vec<CityPlan> = Vec::new();
    for pack in packs {
        let Some(plan) = &pack.plan else { continue };
        let mut goals: Vec<Arc<Definition>> =
            pack.indicators.iter().cloned().map(Arc::new).collect();
        for target in &pack.targets {
            let mut all = packs.iter().flat_map(|pack| &pack.indicators);
            let place = format!("{}/{FILE}: {}", pack.manifest.name, target.indicator);
            let Some(measured) = all.find(|i| i.id == target.indicator) else {
                problems.push(Problem::new(
                    "target-indicator",
                    format!("no pack has an indicator {}", quote(&target.indicator)),
                    place,
                    "name an indicator of another pack, or bring one of your own in indicators/",
                ));
                continue;
            };
            if let Some((key, value)) = target.impossible(measured) {
                problems.push(Problem::new(
                    "indicator-percent",
                    format!("{key} {value} is no share of a hundred"),
                    place,
                    "write a number from 0 to 100",
                ));
            }
            goals.push(Arc::new(target.over(measured)));
        }
        plans.push(CityPlan {
            plan: plan.clone(),
            pack: pack.manifest.name.clone(),
            contradictions: pack.contradictions.clone(),
            targets: pack.targets.clone(),
            goals,
        });
    }
    plans.sort_by(|a, b| {
        let key = |p: &CityPlan| (p.plan.period[1], p.plan.period[0]);
        key(a).cmp(&key(b)).then_with(|| a.plan.id.cmp(&b.plan.id))
    });
    // What a pack without a plan measures belongs to the plan within whose years its target lies.
    for pack in packs.iter().filter(|pack| pack.plan.is_none()) {
        for indicator in &pack.indicators {
            let year = indicator.target_year;
            let within = |p: &CityPlan| p.plan.period[0] < year && year <= p.plan.period[1];
            let at = plans.iter().rposition(within);
            if let Some(plan) = plans.get_mut(at.unwrap_or(0)) {
                plan.goals.push(Arc::new(indicator.clone()));
            }
        }
    }
    for plan in &mut plans {
        plan.goals
            .sort_by_key(|i| (i.origin as u8, number_key(&i.number)));
    }
    (plans, problems)
}
