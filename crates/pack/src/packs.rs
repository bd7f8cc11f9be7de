//! All packs of a city, merged.

use crate::check::verify_quotes;
use crate::declare::{Contradiction, Mapping, Plan, Runbook, STANDARD_WORKFLOW, View};
use crate::files::{Embedded, Files, Folder, Limits};
use crate::forms::{self, Element, Form};
use crate::load::Pack;
use crate::plans::{self, CityPlan};
use crate::{systems, tables};
use cases::Workflow;
use cases::catalogue::{Catalogue as CaseCatalogue, MajorClass};
use duty::response::ResponsePlan;
use indicators::Definition;
use jiff::civil::Date;
use model::{Catalogue, Problem};
use rules::Rule;
use std::collections::BTreeMap;
use std::path::Path;

/// All packs of a city.
#[derive(Clone, Debug, Default)]
pub struct Packs {
    /// The packs, by name.
    pub packs: Vec<Pack>,
    /// Their entity types.
    pub catalogue: Catalogue,
    /// Their rules.
    pub rules: Vec<Rule>,
    /// Their runbooks, by the name that rules give in `runbook`.
    pub runbooks: BTreeMap<String, Runbook>,
    /// Their response plans (预案).
    pub responses: Vec<ResponsePlan>,
    /// Their indicators: the plan's table first, then its text, then the platform's own.
    pub indicators: Vec<Definition>,
    /// Their views, in order.
    pub views: Vec<View>,
    /// Their workflows.
    pub workflows: Vec<Workflow>,
    /// Their classes of cases.
    pub categories: Vec<MajorClass>,
    /// Their mappings.
    pub mappings: Vec<Mapping>,
    /// Their words in Chinese, by key.
    pub strings_zh: BTreeMap<String, String>,
    /// The same in English.
    pub strings_en: BTreeMap<String, String>,
    /// The city's plans, in the order in which they end.
    pub plans: Vec<CityPlan>,
    /// The plan that frames the city's systems: the newest that lists any.
    pub plan: Option<Plan>,
    /// Where the plans contradict themselves.
    pub contradictions: Vec<Contradiction>,
    /// The projects that they list (重点项目), in their order.
    pub projects: Vec<projects::Declared>,
    /// Their data elements (数据元).
    pub elements: Vec<Element>,
    /// Their reporting forms (报表), in order.
    pub forms: Vec<Form>,
}

/// What is wrong with the elements and forms of a pack beside the packs that the program carries: what it asks may be known there.
pub(crate) fn beside_carried(pack: &Pack) -> Vec<Problem> {
    if pack.elements.is_empty() && pack.forms.is_empty() {
        return Vec::new();
    }
    let name = pack.manifest.name.clone();
    let others = crate::files::embedded()
        .into_iter()
        .filter(|files| files.name() != name)
        .filter_map(|files| Pack::load(&files).ok());
    let others: Vec<Pack> = others.collect();
    let all: Vec<&Pack> = others.iter().chain([pack]).collect();
    let own = format!("{name}/");
    let mut problems = forms::mistakes(&all, true);
    problems.retain(|problem| problem.place.contains(&own));
    problems
}

impl Packs {
    /// Loads the packs that the binary carries and those in the folders below `folder`; a pack of the
    /// folder takes the place of a carried one of the same name.
    ///
    /// # Errors
    /// Every mistake of every pack, and where two packs clash.
    pub fn load_all(carried: Vec<Embedded>, folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut sources: BTreeMap<String, Box<dyn Files>> = BTreeMap::new();
        for pack in carried {
            sources.insert(pack.name(), Box::new(pack));
        }
        if let Some(folder) = folder {
            for pack in
                Folder::all_below(folder, Limits::default()).map_err(|problem| vec![problem])?
            {
                sources.insert(pack.name(), Box::new(pack));
            }
        }
        let mut packs = Vec::new();
        let mut problems = Vec::new();
        for files in sources.values() {
            match Pack::load(files.as_ref()) {
                Ok(pack) => packs.push(pack),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Self::merge(packs)
        } else {
            Err(problems)
        }
    }

    /// Merges loaded packs.
    ///
    /// # Errors
    /// Where two packs declare the same thing, and where a pack quotes the plan wrongly.
    pub fn merge(packs: Vec<Pack>) -> Result<Self, Vec<Problem>> {
        let mut all = Self::default();
        let mut owners: BTreeMap<(&'static str, String), (String, String)> = BTreeMap::new();
        let mut problems = Vec::new();
        for pack in &packs {
            let name = &pack.manifest.name;
            let mut claim_in = |what: &'static str, id: &str, file: &str| {
                let owner = (name.clone(), file.to_owned());
                if let Some((first, there)) = owners.insert((what, id.to_owned()), owner) {
                    problems.push(Problem::new(
                        "pack-clash",
                        format!("the packs {first} and {name} both declare the {what} {id}: {there} and {file}"),
                        file,
                        "take one of the packs away, or rename it in one",
                    ));
                }
            };
            for kind in &pack.kinds {
                let file = pack.kind_files.get(&kind.name).unwrap_or(name);
                claim_in("entity type", &kind.name, file);
            }
            for rule in &pack.rules {
                claim_in("rule", &rule.id, &rule.file);
            }
            for indicator in &pack.indicators {
                claim_in("indicator", &indicator.id, &indicator.file);
            }
            let mut claim = |what: &'static str, id: &str| claim_in(what, id, name);
            pack.views.iter().for_each(|view| claim("view", &view.id));
            pack.runbooks.keys().for_each(|name| claim("runbook", name));
            pack.responses
                .iter()
                .for_each(|plan| claim("response plan", &plan.id));
            pack.bulletins
                .iter()
                .for_each(|bulletin| claim("bulletin", &bulletin.id));
            pack.runs.iter().for_each(|run| claim("run", &run.id));
            pack.workflows
                .iter()
                .for_each(|workflow| claim("workflow", &workflow.name));
            pack.categories
                .iter()
                .flat_map(MajorClass::categories)
                .for_each(|category| claim("class of cases", &category.code));
            pack.mappings
                .iter()
                .for_each(|mapping| claim("mapping", &mapping.id));
            pack.strings_zh.keys().for_each(|key| claim("word", key));
            pack.plan.iter().for_each(|plan| claim("plan", &plan.id));
            pack.projects
                .iter()
                .for_each(|project| claim("project", &project.id));
            pack.contradictions
                .iter()
                .for_each(|one| claim("contradiction", &one.id));
        }
        problems.extend(tables::clashes(&packs));
        let borrowed: Vec<&Pack> = packs.iter().collect();
        problems.extend(forms::mistakes(&borrowed, true));
        for pack in &packs {
            let catalogue = pack.catalogue();
            all.catalogue.kinds.extend(catalogue.kinds);
            // Tables read those of their own pack only, so that the order stays right.
            all.catalogue.views.extend(catalogue.views);
            all.rules.extend(pack.rules.iter().cloned());
            all.runbooks.extend(pack.runbooks.clone());
            all.responses.extend(pack.responses.iter().cloned());
            all.indicators.extend(pack.indicators.iter().cloned());
            all.views.extend(pack.views.iter().cloned());
            all.workflows.extend(pack.workflows.iter().cloned());
            all.categories.extend(pack.categories.iter().cloned());
            all.mappings.extend(pack.mappings.iter().cloned());
            all.strings_zh.extend(pack.strings_zh.clone());
            all.strings_en.extend(pack.strings_en.clone());
            all.contradictions
                .extend(pack.contradictions.iter().cloned());
            all.projects.extend(pack.projects.iter().cloned());
            all.elements.extend(pack.elements.iter().cloned());
            all.forms.extend(pack.forms.iter().cloned());
        }
        let (plans, wrong) = plans::gather(&packs);
        problems.extend(wrong);
        let frame = plans.iter().rfind(|p| !p.plan.systems.is_empty());
        all.plan = frame.or_else(|| plans.last()).map(|p| p.plan.clone());
        if !plans.is_empty() {
            // A plan's own pack verified its quotes when it was loaded; the others quote any of the plans.
            let others = packs.iter().filter(|pack| pack.plan.is_none());
            problems.extend(others.flat_map(|pack| unsaid(pack, &plans)));
            problems.extend(systems::unknown(&plans, &packs));
        }
        all.plans = plans;
        all.indicators
            .sort_by_key(|i| (i.origin as u8, number_key(&i.number)));
        all.views
            .sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        all.forms
            .sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        all.packs = packs;
        if problems.is_empty() {
            Ok(all)
        } else {
            Err(problems)
        }
    }
}

/// What a pack quotes and no plan says.
fn unsaid(pack: &Pack, plans: &[CityPlan]) -> Vec<Problem> {
    let mut texts = plans.iter().map(|plan| &plan.plan.text);
    let first = texts.next().map(|text| verify_quotes(pack, text));
    texts.fold(first.unwrap_or_default(), |mut unsaid, text| {
        let here = verify_quotes(pack, text);
        unsaid.retain(|problem| here.contains(problem));
        unsaid
    })
}

impl Packs {
    /// The plan that holds on a day, as [`plans::on`].
    pub fn plan_on(&self, day: Date) -> Option<&CityPlan> {
        plans::on(&self.plans, day)
    }

    /// The kinds of cases that there are (部件和事件分类).
    pub fn case_catalogue(&self) -> CaseCatalogue {
        CaseCatalogue::new(&self.categories)
    }

    /// The data element of that id.
    pub fn element(&self, id: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.id == id)
    }

    /// The form of that id.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id)
    }

    /// The workflow of cases opened from an alert of a rule; `None` for the standard one, also when the
    /// rule names none or is gone.
    pub fn case_workflow(&self, rule_id: &str) -> Option<&str> {
        let rule = self.rules.iter().find(|rule| rule.id == rule_id)?;
        let named = rule.opens_case.as_deref()?;
        (named != STANDARD_WORKFLOW).then_some(named)
    }
}

/// Orders `2` before `10`, and `T2` before `T10`.
pub(crate) fn number_key(number: &str) -> (String, u32) {
    let digits = number.trim_start_matches(|c: char| !c.is_ascii_digit());
    let letters = &number[..number.len() - digits.len()];
    (letters.to_owned(), digits.parse().unwrap_or(u32::MAX))
}
