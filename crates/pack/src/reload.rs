//! What may change while a city runs, and what needs a restart. Pure: two sets of packs in, the difference or the refusal out.
//!
//! Everything that a pack says of things takes effect at once: entity types, rules, workflows for cases that are opened from then
//! on, indicators, mappings, views, runbooks, response plans, words, the plan. What a pack says of who may do what needs a restart: policies,
//! permissions, and which department owns a pack; so do classes of cases. Whoever loads packs is the system administrator, and granting is the security
//! administrator's (三员分立); a reload by one must not do what only the other may. A reload that would change such a thing is
//! refused whole, so that what holds is always one set. So is one whose types contradict values that are stored
//! ([`contradictions`]).

use crate::load::Pack;
use crate::packs::Packs;
use model::{AttributeKind, Catalogue, EntityKind, Problem, ValueKind};
use rules::Rule;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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
/// else under its old version, because its alerts and its memory are kept by version; `run-version` for a run, because each run says
/// by which version it was made.
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
    let (runs_before, runs_after) = (runs(old), runs(new));
    for (id, (pack, run)) in &runs_after {
        if let Some((_, was)) = runs_before.get(id)
            && was != run
            && was.version >= run.version
        {
            problems.push(Problem::new(
                "run-version",
                format!(
                    "the run {id} says something else, and its version goes from {} to {}",
                    was.version, run.version
                ),
                format!("{pack}/runs/{id}.toml: version"),
                "count its version up",
            ));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut changes = Changes::default();
    changes.of(
        "entity type",
        &borrowed(&old.catalogue.kinds),
        &borrowed(&new.catalogue.kinds),
    );
    changes.of("rule", &before, &after);
    for (what, told) in [
        ("workflow", workflows as Told),
        ("indicator", indicators as Told),
        ("mapping", mappings as Told),
        ("plan", plan as Told),
        ("pack", about as Told),
    ] {
        let (before, after) = (told(old), told(new));
        changes.of(what, &borrowed(&before), &borrowed(&after));
    }
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
    changes.of("response plan", &responses(old), &responses(new));
    changes.of("run", &runs_before, &runs_after);
    changes.of("bulletin", &bulletins(old), &bulletins(new));
    changes.of("data element", &elements(old), &elements(new));
    changes.of("form", &forms(old), &forms(new));
    changes.of("table", &tables(old), &tables(new));
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

/// The response plans by id. One that is under way keeps the text that it began with.
fn responses(packs: &Packs) -> BTreeMap<&str, &duty::response::ResponsePlan> {
    let all = packs.responses.iter();
    all.map(|plan| (plan.id.as_str(), plan)).collect()
}

/// The runs by id, each with its pack.
fn runs(packs: &Packs) -> BTreeMap<&str, (&str, &runs::Definition)> {
    let all = packs.runs();
    all.map(|(pack, run)| (run.id.as_str(), (pack, run)))
        .collect()
}

/// The data elements by id, as they are declared wherever they stand.
fn elements(packs: &Packs) -> BTreeMap<&str, crate::forms::Element> {
    let bare = |element: &crate::forms::Element| crate::forms::Element {
        place: String::new(),
        ..element.clone()
    };
    let all = packs.elements.iter();
    all.map(|element| (element.id.as_str(), bare(element)))
        .collect()
}

/// The forms by id; where their lines are does not count.
fn forms(packs: &Packs) -> BTreeMap<&str, String> {
    let all = packs.forms.iter();
    all.map(|form| (form.id.as_str(), serde_json::json!(form).to_string()))
        .collect()
}

/// The bulletins by id.
fn bulletins(packs: &Packs) -> BTreeMap<&str, &crate::bulletins::Bulletin> {
    let all = packs.bulletins().into_iter();
    all.map(|(_, bulletin)| (bulletin.id.as_str(), bulletin))
        .collect()
}

/// The declared tables by name.
fn tables(packs: &Packs) -> BTreeMap<&str, &model::TableView> {
    let all = packs.catalogue.views.iter();
    all.map(|table| (table.name.as_str(), table)).collect()
}

/// Something of all packs by its name, as text to compare.
type Told = fn(&Packs) -> BTreeMap<String, String>;

/// The workflows by name.
fn workflows(packs: &Packs) -> BTreeMap<String, String> {
    let all = packs.workflows.iter();
    all.map(|w| (w.name.clone(), format!("{w:?}"))).collect()
}

/// The indicators by id, wherever they were read from.
fn indicators(packs: &Packs) -> BTreeMap<String, String> {
    let bare = packs.indicators.iter().map(|i| indicators::Definition {
        file: String::new(),
        ..i.clone()
    });
    bare.map(|i| (i.id.clone(), format!("{i:?}"))).collect()
}

fn mappings(packs: &Packs) -> BTreeMap<String, String> {
    let all = packs.mappings.iter();
    all.map(|m| (m.id.clone(), format!("{m:?}"))).collect()
}

/// What a pack says of itself, by its name.
fn about(packs: &Packs) -> BTreeMap<String, String> {
    let all = packs.packs.iter();
    let told = all.map(|p| (p.manifest.name.clone(), format!("{:?}", p.manifest)));
    told.collect()
}

/// The plans, where they contradict themselves, and what they want of others' indicators.
fn plan(packs: &Packs) -> BTreeMap<String, String> {
    let told = packs.plans.iter().map(|p| {
        let told = format!("{:?} {:?} {:?}", p.plan, p.contradictions, p.targets);
        (p.plan.id.clone(), told)
    });
    told.collect()
}

fn file_of(packs: &Packs, id: &str) -> String {
    let rule = packs.rules.iter().find(|rule| rule.id == id);
    rule.map_or_else(|| id.to_owned(), |rule| format!("{}: version", rule.file))
}

/// What must be the same.
fn fixed(old: &Packs, new: &Packs, problems: &mut Vec<Problem>) {
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
        let permissions = parts(was, is, |p| format!("{:?}", p.manifest.own_permissions));
        // A new pack brings new types, of which nobody had anything; to whom an old one belongs is who may see what it has.
        let owner = match (was, is) {
            (Some(was), Some(is)) => was.manifest.owner == is.manifest.owner,
            _ => true,
        };
        let who = "who may do what does not change by loading packs";
        let limits = "limits and who is responsible are those with which the city was started";
        for (what, place, same, because) in [
            (
                "policies",
                "policies",
                parts(was, is, |p| format!("{:?}", p.policies)),
                who,
            ),
            ("permissions", "pack.toml: permission", permissions, who),
            ("the owner", "pack.toml: owner", owner, who),
            (
                "classes of cases",
                "categories",
                parts(was, is, |p| format!("{:?}", p.categories)),
                limits,
            ),
        ] {
            if !same {
                problems.push(Problem::new(
                    "pack-needs-restart",
                    format!("{what} of {name} say something else: {because}"),
                    format!("{name}/{place}"),
                    "start the platform again to let it hold, or take the change back",
                ));
            }
        }
    }
}

/// Whether a part of a pack is the same before and after; a pack that is not there has an empty one.
fn parts(was: Option<&Pack>, is: Option<&Pack>, part: impl Fn(&Pack) -> String) -> bool {
    let told = |pack: Option<&Pack>| pack.map_or_else(|| "[]".to_owned(), &part);
    told(was) == told(is)
}

/// What kind of value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Text, a sealed personal value too.
    Text,
    /// JSON.
    Json,
    /// Another entity.
    Relationship,
    /// A place.
    Geometry,
}

impl Holding {
    const fn fits(self, declared: ValueKind) -> bool {
        matches!(
            (declared, self),
            (ValueKind::Json, _)
                | (ValueKind::Number, Self::Number)
                | (ValueKind::Text, Self::Text)
                | (ValueKind::Boolean, Self::Boolean)
                | (ValueKind::Geometry, Self::Geometry)
                | (ValueKind::Relationship, Self::Relationship)
        )
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Text => "text",
            Self::Json => "JSON",
            Self::Relationship => "another entity",
            Self::Geometry => "a place",
        }
    }
}

/// Is shown a value: entity, attribute, kind, unit (UN/CEFACT code).
pub type See<'s> = dyn FnMut(&str, &str, Holding, Option<&str>) + 's;

/// The values that are stored now.
pub trait Stored {
    /// Shows each value of each entity of a type.
    fn each(&self, entity_type: &str, see: &mut See<'_>);
}

/// Where new declarations contradict what is stored: `pack-contradicts-stored`, one for each attribute, with the first entity
/// and how many there are.
///
/// What can contradict is another kind of value, another unit (numbers are stored in the declared one and are not converted
/// afterwards), and the mark `personal` (what is stored stays sealed or open as it was). Looked at are the types of which such
/// a thing changes. Other titles and other credible ranges (`min`, `max`) contradict nothing: they hold for what comes from
/// then on, and quality marks that were set stay.
pub fn contradictions(old: &Catalogue, new: &Catalogue, stored: &impl Stored) -> Vec<Problem> {
    let mut problems = Vec::new();
    let names: BTreeSet<&String> = old.kinds.keys().chain(new.kinds.keys()).collect();
    for name in names {
        let (before, after) = (old.kinds.get(name), new.kinds.get(name));
        let changed = of_weight(before, after);
        if changed.is_empty() {
            continue;
        }
        let mut found: BTreeMap<&str, (String, u64)> = BTreeMap::new();
        stored.each(name, &mut |entity, attribute, holding, unit| {
            let Some((&attribute, &(was, is))) = changed.get_key_value(attribute) else {
                return;
            };
            if let Some(why) = contradicts(was, is, holding, unit) {
                let first = || (format!("{entity} {why}"), 0);
                found.entry(attribute).or_insert_with(first).1 += 1;
            }
        });
        problems.extend(found.into_iter().map(|(attribute, (first, count))| {
            Problem::new(
                "pack-contradicts-stored",
                format!("{attribute} of {name} is declared otherwise than it is stored for {count} entities: {first}"),
                format!("entities/{name}.toml: attributes.{attribute}"),
                "declare a new attribute beside it, or take the change back",
            )
        }));
    }
    problems
}

type Declared<'a> = Option<&'a AttributeKind>;

/// The attributes whose kind, unit or mark `personal` changes.
fn of_weight<'a>(
    before: Option<&'a EntityKind>,
    after: Option<&'a EntityKind>,
) -> BTreeMap<&'a str, (Declared<'a>, Declared<'a>)> {
    let of = |kind: Option<&'a EntityKind>| kind.map(|kind| &kind.attributes);
    let (before, after) = (of(before), of(after));
    let names = before.into_iter().chain(after).flat_map(|all| all.keys());
    let both = names.map(|name| {
        let was = before.and_then(|all| all.get(name));
        (name.as_str(), (was, after.and_then(|all| all.get(name))))
    });
    let weight = |declared: Declared<'a>| declared.map(|d| (d.value, &d.unit, d.personal));
    both.filter(|(_, (was, is))| weight(*was) != weight(*is))
        .collect()
}

fn contradicts(
    was: Declared<'_>,
    is: Declared<'_>,
    holding: Holding,
    unit: Option<&str>,
) -> Option<String> {
    let personal = |declared: Declared<'_>| declared.is_some_and(|d| d.personal.is_some());
    match (personal(was), personal(is)) {
        (false, true) => {
            return Some("is stored as it came and would have to be sealed".to_owned());
        }
        (true, false) => return Some("is stored sealed and could not be read".to_owned()),
        // A sealed value is a text, whatever was sealed; what it was is not known here but by what was declared.
        (true, true) => {
            let kind = |declared: Declared<'_>| declared.map(|d| (d.value, d.unit.clone()));
            let is_same = kind(was) == kind(is);
            return (!is_same).then(|| "is stored sealed, of another kind or unit".to_owned());
        }
        (false, false) => {}
    }
    let is = is?;
    if !holding.fits(is.value) {
        return Some(format!("holds {}", holding.word()));
    }
    if holding != Holding::Number || is.value != ValueKind::Number {
        return None;
    }
    match (unit, is.unit.as_deref()) {
        (Some(stored), declared) if declared != Some(stored) => {
            let declared = declared.unwrap_or("no unit");
            Some(format!("is in {stored} and not in {declared}"))
        }
        _ => None,
    }
}
