//! The systems of the plan: what must fit together among them, and between them and the packs that make them.

use crate::declare::{Plan, SystemPart};
use crate::document::Document;
use crate::load::Pack;
use crate::plans::CityPlan;
use model::Problem;
use model::problem::quote;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong in `plan.toml`: a system that is there twice, an indicator that is not there or of two systems, and a frame
/// 1+1+N+3 without its one data platform and its one command centre.
pub(crate) fn mistakes(
    plan: &Plan,
    has_indicator: impl Fn(&str) -> bool,
    document: &Document,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |keys: &[&str], code: &str, what: String, mend: &str| {
        problems.push(Problem::new(code, what, document.at(keys), mend));
    };
    let mut ids = BTreeSet::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (n, system) in plan.systems.iter().enumerate() {
        let n = n.to_string();
        if !ids.insert(&system.id) {
            say(
                &["system", &n, "id"],
                "system-twice",
                format!("the system {} is there twice", quote(&system.id)),
                "give each system an id of its own",
            );
        }
        for id in &system.indicators {
            let place = ["system", n.as_str(), "indicators"];
            if !has_indicator(id) {
                say(
                    &place,
                    "system-indicator",
                    format!("there is no indicator {}", quote(id)),
                    "name an indicator of this pack",
                );
            } else if let Some(first) = owners.insert(id, &system.id) {
                say(
                    &place,
                    "system-indicator",
                    format!("the indicator {} is already of {first}", quote(id)),
                    "leave it to one system, so that no target is counted twice",
                );
            }
        }
    }
    for (part, word) in [(SystemPart::Data, "data"), (SystemPart::Command, "command")] {
        let count = plan.systems.iter().filter(|s| s.part == part).count();
        if !plan.systems.is_empty() && count != 1 {
            say(
                &[],
                "system-frame",
                format!("the frame 1+1+N+3 has one system of part {word}, here are {count}"),
                "mark exactly one",
            );
        }
    }
    problems
}

/// Packs that say to make a system which no plan has.
pub(crate) fn unknown(plans: &[CityPlan], packs: &[Pack]) -> Vec<Problem> {
    let known = |id: &str| {
        let mut systems = plans.iter().flat_map(|plan| &plan.plan.systems);
        systems.any(|s| s.id == id)
    };
    let manifests = packs.iter().map(|pack| &pack.manifest);
    manifests
        .filter_map(|manifest| {
            let id = manifest.system.as_deref().filter(|id| !known(id))?;
            Some(Problem::new(
                "pack-system",
                format!("the city's plan has no system {}", quote(id)),
                format!("{}/pack.toml: system", manifest.name),
                "name a system of plan.toml, or leave the line out",
            ))
        })
        .collect()
}
