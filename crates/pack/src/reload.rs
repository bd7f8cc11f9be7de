//! What may change while a city runs, and what needs a restart. Pure: two sets of packs in, the difference or the refusal out.
//!
//! Rules, views, runbooks, words, readmes, scenarios and contradictions take effect at once. Entity types, workflows, classes of cases,
//! indicators, mappings, policies, permissions and the plan are what stores, doors and the way in were opened with; they
//! change with the next start, and a reload that would change one is refused whole, so that what holds is always one set.

use crate::load::Pack;
use crate::packs::Packs;
use model::Problem;
use rules::Rule;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a reload changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// What is new, by kind and name: `rule water-stage-warning`.
    pub added: Vec<String>,
    /// What says something else.
    pub changed: Vec<String>,
    /// What is gone.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether nothing changes.
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    fn of<T: PartialEq>(&mut self, what: &str, old: &BTreeMap<&str, T>, new: &BTreeMap<&str, T>) {
        for (name, item) in new {
            match old.get(name) {
                None => self.added.push(format!("{what} {name}")),
                Some(before) if before != item => self.changed.push(format!("{what} {name}")),
                Some(_) => {}
            }
        }
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        self.removed
            .extend(gone.map(|name| format!("{what} {name}")));
    }
}

/// What changes from one set of packs to another.
///
/// # Errors
/// `pack-needs-restart` for each thing that cannot change while the city runs; `rule-version` for a rule that says something
/// else under its old version, because its alerts and its memory are kept by version.
pub fn changes(old: &Packs, new: &Packs) -> Result<Changes, Vec<Problem>> {
    let mut problems = Vec::new();
    fixed(old, new, &mut problems);
    let (before, after) = (rules(old), rules(new));
    for (id, rule) in &after {
        if let Some(was) = before.get(id)
            && was != rule
            && was.version >= rule.version
        {
            problems.push(Problem::new(
                "rule-version",
                format!(
                    "the rule {id} says something else, and its version goes from {} to {}",
                    was.version, rule.version
                ),
                file_of(new, id),
                "count its version up",
            ));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut changes = Changes::default();
    changes.of("rule", &before, &after);
    let views = |packs: &Packs| -> BTreeMap<_, _> {
        packs
            .views
            .iter()
            .map(|v| (v.id.clone(), v.clone()))
            .collect()
    };
    let (before, after) = (views(old), views(new));
    changes.of("view", &borrowed(&before), &borrowed(&after));
    changes.of(
        "runbook",
        &borrowed(&old.runbooks),
        &borrowed(&new.runbooks),
    );
    changes.of(
        "word",
        &borrowed(&old.strings_zh),
        &borrowed(&new.strings_zh),
    );
    let mut english = Changes::default();
    english.of(
        "word",
        &borrowed(&old.strings_en),
        &borrowed(&new.strings_en),
    );
    let told = english.changed.into_iter();
    let more: Vec<String> = told
        .filter(|word| !changes.changed.contains(word))
        .collect();
    changes.changed.extend(more);
    Ok(changes)
}

fn borrowed<T>(map: &BTreeMap<String, T>) -> BTreeMap<&str, &T> {
    map.iter()
        .map(|(name, item)| (name.as_str(), item))
        .collect()
}

/// The rules by id, wherever they were read from.
fn rules(packs: &Packs) -> BTreeMap<&str, Rule> {
    let bare = |rule: &Rule| Rule {
        file: String::new(),
        ..rule.clone()
    };
    packs
        .rules
        .iter()
        .map(|rule| (rule.id.as_str(), bare(rule)))
        .collect()
}

fn file_of(packs: &Packs, id: &str) -> String {
    let rule = packs.rules.iter().find(|rule| rule.id == id);
    rule.map_or_else(|| id.to_owned(), |rule| format!("{}: version", rule.file))
}

/// What must be the same.
fn fixed(old: &Packs, new: &Packs, problems: &mut Vec<Problem>) {
    let mut say = |what: String, place: &str| {
        problems.push(Problem::new(
            "pack-needs-restart",
            what,
            place,
            "start the platform again to let it hold, or take the change back",
        ));
    };
    let kinds = |packs: &Packs| -> BTreeMap<String, String> {
        let kinds = packs.catalogue.kinds.iter();
        kinds
            .map(|(name, kind)| (name.clone(), format!("{kind:?}")))
            .collect()
    };
    let pack_of = |name: &str| {
        let owner = [new, old]
            .into_iter()
            .flat_map(|packs| &packs.packs)
            .find(|pack| pack.kinds.iter().any(|kind| kind.name == name));
        owner
            .map_or("entities", |pack| pack.manifest.name.as_str())
            .to_owned()
    };
    let mut types = Changes::default();
    let (before, after) = (kinds(old), kinds(new));
    types.of("entity type", &borrowed(&before), &borrowed(&after));
    for (word, names) in [
        ("is new", types.added),
        ("is declared otherwise", types.changed),
        ("is gone", types.removed),
    ] {
        for name in names {
            let bare = name.trim_start_matches("entity type ");
            say(
                format!(
                    "the {name} {word}: the stores and the way in were opened with the types as they were"
                ),
                &format!("{}/entities", pack_of(bare)),
            );
        }
    }
    let packs = |packs: &Packs| -> BTreeMap<String, Pack> {
        let all = packs.packs.iter();
        all.map(|pack| (pack.manifest.name.clone(), pack.clone()))
            .collect()
    };
    let (before, after) = (packs(old), packs(new));
    for name in before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)))
    {
        let (was, is) = (before.get(name), after.get(name));
        for (folder, same) in [
            (
                "workflows",
                parts(was, is, |p| format!("{:?}", p.workflows)),
            ),
            (
                "categories",
                parts(was, is, |p| format!("{:?}", p.categories)),
            ),
            ("mappings", parts(was, is, |p| format!("{:?}", p.mappings))),
            ("policies", parts(was, is, |p| format!("{:?}", p.policies))),
            (
                "indicators",
                parts(was, is, |p| {
                    let bare = p.indicators.iter().map(|i| indicators::Definition {
                        file: String::new(),
                        ..i.clone()
                    });
                    format!("{:?}", bare.collect::<Vec<_>>())
                }),
            ),
            (
                "pack.toml: permission, owner",
                parts(was, is, |p| {
                    let empty = p.manifest.own_permissions.is_empty() && p.manifest.owner.is_none();
                    match empty {
                        true => "[]".to_owned(),
                        false => format!("{:?} {:?}", p.manifest.own_permissions, p.manifest.owner),
                    }
                }),
            ),
            (
                "plan.toml",
                parts(was, is, |p| match &p.plan {
                    None => "[]".to_owned(),
                    Some(plan) => format!("{plan:?}"),
                }),
            ),
        ] {
            if !same {
                say(
                    format!(
                        "{folder} of {name} say something else, which holds from the next start on"
                    ),
                    &format!("{name}/{folder}"),
                );
            }
        }
    }
}

/// Whether a part of a pack is the same before and after; a pack that is not there has an empty one.
fn parts(was: Option<&Pack>, is: Option<&Pack>, part: impl Fn(&Pack) -> String) -> bool {
    let told = |pack: Option<&Pack>| pack.map_or_else(|| "[]".to_owned(), &part);
    told(was) == told(is)
}
