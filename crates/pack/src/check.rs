//! What must fit together inside a pack, and the plan's quotes.

mod commands;
mod isolines;
mod plan;
mod relations;
mod views;

use crate::bulletins;
use crate::declare::{MappingDoor, QUALITY_RULES, QualityState, STANDARD_WORKFLOW};
use crate::document::Document;
use crate::files::{Folder, Limits};
use crate::load::{Pack, Read, read};
use crate::responses;
use crate::run_definitions;
use crate::scenario;
use crate::words;
use cases::Workflow;
use indicators::Place;
use model::problem::quote;
use model::{Catalogue, EntityKind, Problem, TypeName, ValueKind, unit};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every mistake in the pack in `folder`, each with `file:line`; empty when it can be loaded.
pub fn check(folder: &Path) -> Vec<Problem> {
    match read(&Folder::new(folder, Limits::default())) {
        Ok(read) => match inside(&read) {
            problems if problems.is_empty() => crate::packs::beside_carried(&read.pack),
            problems => problems,
        },
        Err(problems) => problems,
    }
}

/// Every place of `pack` whose words are not in the plan's text. White space does not count; `…` stands
/// for words left out.
pub fn verify_quotes(pack: &Pack, plan_text: &str) -> Vec<Problem> {
    let squeeze = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let plan = squeeze(plan_text);
    let mut problems = Vec::new();
    let mut verify = |owner: String, places: &[Place]| {
        for place in places {
            let mut rest = plan.as_str();
            let found = place.quote.split('…').all(|part| {
                let part = squeeze(part);
                rest.find(&part)
                    .map(|at| rest = &rest[at + part.len()..])
                    .is_some()
            });
            if !found {
                problems.push(Problem::new(
                    "plan-quote",
                    format!("the plan does not say \"{}\"", quote(&place.quote)),
                    owner.clone(),
                    "copy the plan's words; put … for words left out",
                ));
            }
        }
    };
    verify(
        format!("{}/pack.toml", pack.manifest.name),
        &pack.manifest.plan,
    );
    for indicator in &pack.indicators {
        verify(indicator.file.clone(), &indicator.places);
    }
    for target in &pack.targets {
        let file = crate::targets::FILE;
        let owner = format!("{}/{file}: {}", pack.manifest.name, target.indicator);
        verify(owner, &target.places);
    }
    for contradiction in &pack.contradictions {
        let owner = format!(
            "{}/contradictions.toml: {}",
            pack.manifest.name, contradiction.id
        );
        verify(owner, &contradiction.places);
    }
    for system in pack.plan.iter().flat_map(|plan| &plan.systems) {
        let owner = format!("{}/plan.toml: {}", pack.manifest.name, system.id);
        verify(owner, &[system.place()]);
    }
    for project in &pack.projects {
        let owner = format!("{}/projects.toml: {}", pack.manifest.name, project.id);
        let place = Place {
            section: format!("专栏{}", project.plan_box),
            quote: project.quote.clone(),
        };
        verify(owner, &[place]);
    }
    problems
}

/// Everything that must fit together inside one pack.
pub(crate) fn inside(read: &Read) -> Vec<Problem> {
    let mut checker = Checker {
        pack: &read.pack,
        documents: &read.documents,
        catalogue: read.pack.catalogue(),
        problems: Vec::new(),
    };
    checker.manifest();
    checker.quality();
    checker.entities();
    checker.rules();
    for (plan, document) in read.pack.responses.iter().zip(checker.under("responses/")) {
        let found = responses::mistakes(plan, document, &read.pack);
        checker.problems.extend(found);
    }
    for (run, document) in read.pack.runs.iter().zip(checker.under("runs/")) {
        let found = run_definitions::mistakes(run, document, &read.pack);
        checker.problems.extend(found);
    }
    for (bulletin, document) in read.pack.bulletins.iter().zip(checker.under("bulletins/")) {
        let found = bulletins::mistakes(bulletin, document);
        checker.problems.extend(found);
    }
    checker.workflows();
    checker.views();
    checker.mappings();
    checker.strings();
    checker.scenarios();
    checker.plan();
    checker.duplicates();
    checker.problems.extend(crate::categories::mistakes(read));
    checker
        .problems
        .extend(crate::forms::mistakes(&[&read.pack], false));
    checker.problems.extend(read.table_problems.iter().cloned());
    let quotes = read
        .pack
        .plan
        .as_ref()
        .map(|plan| verify_quotes(&read.pack, &plan.text));
    checker.problems.extend(quotes.unwrap_or_default());
    checker.problems
}

/// The calendar that packs may count on beside the one that is always there.
const WORKING_HOURS: &str = "working-hours";
/// Longest time within which a type's entities are to be heard, in seconds: a year.
const HEARD_WITHIN_SECONDS_MAX: u32 = 366 * 86_400;

struct Checker<'a> {
    pack: &'a Pack,
    documents: &'a BTreeMap<String, Document>,
    catalogue: Catalogue,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    fn say(&mut self, place: String, code: &str, what: String, mend: &str) {
        self.problems.push(Problem::new(code, what, place, mend));
    }

    /// The documents of a folder, in the order in which its declarations were read.
    fn under(&self, folder: &str) -> Vec<&'a Document> {
        let documents: &'a BTreeMap<String, Document> = self.documents;
        documents
            .values()
            .filter(|d| d.path.starts_with(folder))
            .collect()
    }

    fn manifest(&mut self) {
        let document = &self.documents["pack.toml"];
        let manifest = &self.pack.manifest;
        let folder = document.place.rsplit('/').nth(1).unwrap_or_default();
        if manifest.name != folder {
            self.say(
                document.at(&["name"]),
                "pack-name",
                format!(
                    "the pack calls itself {}, its folder is {}",
                    quote(&manifest.name),
                    quote(folder)
                ),
                "give both the same name",
            );
        }
        for (key, text) in [
            ("title_zh", &manifest.title_zh),
            ("title_en", &manifest.title_en),
            ("owner_zh", &manifest.owner_zh),
            ("owner_en", &manifest.owner_en),
        ] {
            if text.trim().is_empty() {
                self.say(
                    document.at(&[key]),
                    "empty",
                    format!("{key} is empty"),
                    "write it",
                );
            }
        }
        if self.pack.readme.trim().is_empty() {
            let place = self.documents["README.md"].at::<&str>(&[]);
            self.say(
                place,
                "empty",
                "the page for the department is empty".into(),
                "say in its words what the pack does",
            );
        }
    }

    fn quality(&mut self) {
        let document = &self.documents["quality.toml"];
        for (n, rule) in self.pack.quality.iter().enumerate() {
            let at = |key: &str| document.at(&["rule", &n.to_string(), key]);
            if !QUALITY_RULES.contains(&rule.id.as_str()) {
                self.say(
                    at("id"),
                    "quality-unknown",
                    format!("there is no quality rule {}", quote(&rule.id)),
                    &format!("use {}", QUALITY_RULES.join(", ")),
                );
            }
            let said = rule
                .because
                .as_deref()
                .is_some_and(|b| !b.trim().is_empty());
            if rule.state != QualityState::Done && !said {
                self.say(
                    at("state"),
                    "quality-because",
                    format!("{} does not say why", rule.id),
                    "add because = \"…\"",
                );
            }
        }
        for id in QUALITY_RULES {
            let count = self
                .pack
                .quality
                .iter()
                .filter(|rule| rule.id == id)
                .count();
            if count != 1 {
                let place = document.at::<&str>(&[]);
                self.say(
                    place,
                    "quality-missing",
                    format!("the ledger answers {id} {count} times"),
                    "answer it once: done, todo or exempt",
                );
            }
        }
    }

    fn entities(&mut self) {
        for (kind, document) in self.pack.kinds.iter().zip(self.under("entities/")) {
            if TypeName::new(&kind.name).is_err() || kind.name.contains(['/', ':', '#']) {
                self.say(
                    document.at(&["name"]),
                    "entity-name",
                    format!("{} is no type name", quote(&kind.name)),
                    "use letters and digits, a letter first",
                );
            }
            self.both_titles(document, &[], &kind.title_zh, &kind.title_en);
            self.standard(kind, document);
            self.history(kind, document);
            self.personal(kind, document);
            self.forecast(kind, document);
            self.affected(kind, document);
            self.speaking(kind, document);
            self.commands(kind, document);
            for (name, attribute) in &kind.attributes {
                let keys = ["attributes", name];
                self.both_titles(document, &keys, &attribute.title_zh, &attribute.title_en);
                if let Some(code) = &attribute.unit {
                    let at = || document.at(&["attributes", name, "unit"]);
                    match unit::find(code) {
                        None => self.say(
                            at(),
                            "unit-unknown",
                            format!("the unit code {} of {name} is unknown", quote(code)),
                            "use a UN/CEFACT code that the platform knows, such as MTR, P1 or KWT",
                        ),
                        Some(unit) if unit.code != code => self.say(
                            at(),
                            "unit-symbol",
                            format!("{} is a symbol, no code", quote(code)),
                            &format!("write {}", unit.code),
                        ),
                        Some(_) if attribute.value != ValueKind::Number => self.say(
                            at(),
                            "unit-without-number",
                            format!("{name} has a unit but is no number"),
                            "take the unit away, or make it value = \"number\"",
                        ),
                        Some(_) => {}
                    }
                }
                if let (Some(min), Some(max)) = (attribute.min, attribute.max)
                    && min >= max
                {
                    self.say(
                        document.at(&["attributes", name, "min"]),
                        "range",
                        format!("{name} ranges from {min} to {max}"),
                        "write the smaller number as min",
                    );
                }
                for (key, bound) in [("min", attribute.min), ("max", attribute.max)] {
                    if bound.is_some() && attribute.value != ValueKind::Number {
                        self.say(
                            document.at(&["attributes", name, key]),
                            "range",
                            format!("{name} has a {key} but is no number"),
                            "take it away",
                        );
                    }
                }
            }
        }
    }

    /// Which published model the type follows.
    fn standard(&mut self, kind: &EntityKind, document: &Document) {
        let Some(standard) = &kind.standard else {
            return;
        };
        let said = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        if said(&standard.smart_data_model) == said(&standard.none) {
            self.say(
                document.at(&["standard"]),
                "standard",
                format!(
                    "{} follows a Smart Data Model or none: one of the two",
                    kind.name
                ),
                "write smart_data_model = \"dataModel.…\", or none = \"why\"",
            );
        }
        for name in &standard.own {
            if !kind.attributes.contains_key(name) {
                self.say(
                    document.at(&["standard", "own"]),
                    "standard",
                    format!("{} has no attribute {}", kind.name, quote(name)),
                    "name attributes that are declared",
                );
            }
        }
    }

    /// What is said of persons: only text and JSON can be sealed, and what is sealed tells a rule or an index nothing.
    fn personal(&mut self, kind: &EntityKind, document: &Document) {
        for (name, attribute) in &kind.attributes {
            let at = |key: &str| document.at(&["attributes", name, key]);
            match (attribute.personal, attribute.mask) {
                (Some(_), _) if !matches!(attribute.value, ValueKind::Text | ValueKind::Json) => {
                    self.say(
                        at("personal"),
                        "personal-kind",
                        format!("{name} is personal and neither text nor JSON: it cannot be sealed"),
                        "make it value = \"text\"; numbers and places of persons are kept as text or as JSON",
                    );
                }
                (Some(_), _) if name == "name" || name == "nameEn" => self.say(
                    at("personal"),
                    "personal-name",
                    format!("{name} is what maps, lists and alerts call the entity"),
                    "give the person's name another attribute, such as officerName, and the entity a name that tells nobody",
                ),
                (None, Some(_)) => self.say(
                    at("mask"),
                    "personal-mask",
                    format!("{name} has a mask and is not personal"),
                    "add personal = \"personal\" or \"sensitive\", or take the mask away",
                ),
                _ => {}
            }
        }
        let Some(subject) = &kind.data_subject else {
            return;
        };
        let known = kind.attributes.get(subject);
        if known.is_none_or(|a| a.personal.is_none() || a.value != ValueKind::Text) {
            self.say(
                document.at(&["data_subject"]),
                "personal-subject",
                format!("{} is no personal text attribute", quote(subject)),
                "name the attribute that identifies the person, and mark it personal",
            );
        }
    }

    /// How often its entities say something.
    fn speaking(&mut self, kind: &EntityKind, document: &Document) {
        let within = kind.heard_within_seconds;
        if within.is_some_and(|seconds| !(1..=HEARD_WITHIN_SECONDS_MAX).contains(&seconds)) {
            self.say(
                document.at(&["heard_within_seconds"]),
                "heard-within",
                format!("{} is not heard within that time", kind.name),
                "write 1 to 31622400 seconds (a year), or leave it out for things that do not speak",
            );
        }
    }

    /// Attributes that a rule asks about and can never see.
    fn rule_attributes(&mut self, rule: &rules::Rule, document: &Document) {
        let kind = rule.entity_type.as_str();
        let mut asked: Vec<(&str, &str, String)> = Vec::new();
        if let Some(rules::Threshold::Attribute(other)) = &rule.threshold {
            let holder = other.entity_type.as_deref().unwrap_or(kind);
            asked.push(("threshold.attribute", holder, other.attribute.clone()));
            if let Some(relation) = &other.relation {
                asked.push(("threshold.relation", kind, relation.clone()));
            }
        }
        // That nothing was heard can be asked of every attribute.
        if let Some(watched) = &rule.attribute
            && rule.kind != rules::Kind::Silence
        {
            asked.push(("attribute", kind, watched.clone()));
        }
        for (key, text) in [
            ("expression", &rule.expression),
            ("clear.expression", &rule.clear.expression),
        ] {
            let read = text
                .as_deref()
                .and_then(|text| rules::expression::Expression::new(text).ok());
            for name in read.iter().flat_map(|expression| expression.attributes()) {
                asked.push((key, kind, name.to_owned()));
            }
        }
        if let Some(outlook) = &rule.forecast {
            let forecasts = self.catalogue.kinds.get(&outlook.entity_type);
            if let Some(forecast) = forecasts.and_then(|kind| kind.forecast.clone()) {
                for name in [forecast.series, forecast.relation] {
                    asked.push(("forecast", &outlook.entity_type, name));
                }
            }
        }
        for relation in rule.suppressed_by.iter().filter_map(|by| by.relation()) {
            asked.push(("suppressed_by", kind, relation.to_owned()));
        }
        for (key, kind, name) in asked {
            let known = self.catalogue.attribute(kind, &name);
            if known.is_some_and(|a| a.personal.is_some()) {
                self.say(
                    document.at_dotted(key),
                    "rule-personal",
                    format!(
                        "{} is personal, and sealed before a rule sees it",
                        quote(&name)
                    ),
                    "watch another attribute",
                );
            }
        }
    }

    /// What the scenarios' steps cannot say.
    fn scenarios(&mut self) {
        for file in &self.pack.scenarios {
            self.problems
                .extend(scenario::parse(file).err().into_iter().flatten());
        }
    }

    /// How long history is kept and how it is condensed.
    fn history(&mut self, kind: &EntityKind, document: &Document) {
        let Some(history) = &kind.history else { return };
        let mut at_least_one = |keys: &[&str], days: Option<u32>| {
            if days == Some(0) {
                self.say(
                    document.at(keys),
                    "history-days",
                    format!("{} is kept for 0 days", kind.name),
                    "write at least 1, or take the key away to keep it for ever",
                );
            }
        };
        at_least_one(&["history", "keep_days"], history.keep_days);
        for (span, rollup) in &history.rollups {
            let keys = ["history", "rollups", span.as_str(), "keep_days"];
            at_least_one(&keys, rollup.keep_days);
        }
        for (span, rollup) in &history.rollups {
            let days = rollup.keep_days.zip(history.keep_days);
            if days.is_some_and(|(rollup, single)| rollup < single) {
                self.say(
                    document.at(&["history", "rollups", span.as_str(), "keep_days"]),
                    "history-order",
                    format!(
                        "the {} rollup of {} goes before the observations that it stands for",
                        span.as_str(),
                        kind.name
                    ),
                    "keep the rollup at least as long as history.keep_days",
                );
            }
        }
        let has_numbers = kind.open
            || kind
                .attributes
                .values()
                .any(|a| matches!(a.value, ValueKind::Number | ValueKind::Boolean));
        if !history.rollups.is_empty() && !has_numbers {
            self.say(
                document.at(&["history", "rollups"]),
                "history-without-numbers",
                format!("{} has no numbers to roll up", kind.name),
                "take the rollups away",
            );
        }
    }

    fn both_titles(&mut self, document: &Document, keys: &[&str], zh: &str, en: &str) {
        for (key, text) in [("title_zh", zh), ("title_en", en)] {
            if text.trim().is_empty() {
                let path: Vec<&str> = keys.iter().copied().chain([key]).collect();
                self.say(
                    document.at(&path),
                    "title-missing",
                    format!("{} is empty", path.join(".")),
                    "write it in both languages",
                );
            }
        }
    }

    /// What rules say of each other: that of other packs is looked at when all are loaded.
    fn rules_together(&mut self) {
        let own: BTreeSet<&str> = self
            .pack
            .rules
            .iter()
            .map(|rule| rule.id.as_str())
            .collect();
        let mut rules = self.pack.rules.clone();
        for rule in &mut rules {
            rule.suppressed_by.retain(|by| own.contains(by.rule()));
            // Calendars are the city's; a pack that stands alone may name these two.
            let named = match &mut rule.during {
                Some(rules::During::Calendar(name)) => Some(name),
                Some(rules::During::Hours(both)) => both.calendar.as_mut(),
                None => None,
            };
            if let Some(name) = named.filter(|name| *name == WORKING_HOURS) {
                model::calendar::ALWAYS.clone_into(name);
            }
        }
        let alone: BTreeSet<&str> = [
            "rule-cycle",
            "rule-suppressor-type",
            "rule-doubt",
            "calendar-unknown",
        ]
        .into();
        let found = rules::check::problems(&rules, &self.catalogue, &model::Calendars::default());
        for mut problem in found {
            let is_during = problem.place.ends_with(": during");
            if !alone.contains(problem.code.as_str()) && !is_during {
                continue;
            }
            let key = match problem.code.as_str() {
                "rule-doubt" => "doubted",
                _ if is_during => "during",
                _ => "suppressed_by",
            };
            let at = self
                .pack
                .rules
                .iter()
                .zip(self.under("rules/"))
                .find(|(rule, _)| {
                    problem.place == format!("{}: {key}", rule.file)
                        || problem.place == format!("{}: {key}", rule.id)
                });
            if let Some((_, document)) = at {
                problem.place = document.at(&[key]);
            }
            self.problems.push(problem);
        }
    }

    fn rules(&mut self) {
        self.rules_together();
        let mut used: Vec<&str> = Vec::new();
        for (rule, document) in self.pack.rules.iter().zip(self.under("rules/")) {
            for mistake in rule.mistakes(&self.catalogue) {
                let place = document.at_dotted(mistake.key);
                self.problems.push(mistake.at(place));
            }
            self.rule_attributes(rule, document);
            match &rule.runbook {
                None => self.say(
                    document.at::<&str>(&[]),
                    "rule-runbook",
                    format!("the rule {} has no runbook", rule.id),
                    "add runbook = \"…\" and runbooks/….zh.md and .en.md",
                ),
                Some(name) if !self.pack.runbooks.contains_key(name) => {
                    self.say(
                        document.at(&["runbook"]),
                        "rule-runbook",
                        format!("there is no runbook {}", quote(name)),
                        &format!("add runbooks/{name}.zh.md and runbooks/{name}.en.md"),
                    );
                }
                Some(name) => used.push(name),
            }
            if let Some(workflow) = &rule.opens_case
                && workflow != STANDARD_WORKFLOW
                && !self.pack.workflows.iter().any(|w| w.name == *workflow)
            {
                self.say(
                    document.at(&["opens_case"]),
                    "rule-workflow",
                    format!("there is no workflow {}", quote(workflow)),
                    "name a file of the workflows folder, or \"standard\"",
                );
            }
        }
        for name in self
            .pack
            .runbooks
            .keys()
            .filter(|name| !used.contains(&name.as_str()))
        {
            let place = self
                .documents
                .get(&format!("runbooks/{name}.zh.md"))
                .map(|d| d.at::<&str>(&[]));
            self.say(
                place.unwrap_or_default(),
                "runbook-unused",
                format!("no rule names the runbook {name}"),
                "name it in a rule, or delete it",
            );
        }
    }

    fn workflows(&mut self) {
        // Its words are those that the pages have names for, and the permissions that roles grant.
        let Ok(standard) = Workflow::standard() else {
            return;
        };
        let mut words = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        words[0].extend(standard.states.iter().map(|s| s.name.as_str()));
        words[1].extend(standard.transitions.iter().map(|t| t.action.as_str()));
        words[2].extend(
            standard
                .transitions
                .iter()
                .flat_map(|t| &t.may)
                .map(String::as_str),
        );
        words[2].extend(standard.open_may.iter().map(String::as_str));
        // Reminders about key projects are the plan office's.
        words[2].insert(identity::Permission::ProjectManage.as_str());
        for (workflow, document) in self.pack.workflows.iter().zip(self.under("workflows/")) {
            if workflow.name != document.stem() {
                let what = format!(
                    "the workflow calls itself {}, its file is {}",
                    quote(&workflow.name),
                    quote(document.stem())
                );
                self.say(
                    document.at(&["name"]),
                    "workflow-name",
                    what,
                    "give both the same name",
                );
            }
            if workflow.name == STANDARD_WORKFLOW {
                self.say(
                    document.at(&["name"]),
                    "workflow-name",
                    format!("{STANDARD_WORKFLOW} means the workflow that every city has"),
                    &format!(
                        "use another name; {} takes its place",
                        cases::workflow::STANDARD
                    ),
                );
            }
            self.both_titles(document, &[], &workflow.title_zh, &workflow.title_en);
            for mistake in workflow.mistakes() {
                let place = document.at(&mistake.keys);
                self.problems.push(mistake.at(place));
            }
            let mut used: Vec<(usize, &str, String)> = Vec::new();
            used.extend(
                workflow
                    .open_may
                    .iter()
                    .map(|p| (2, p.as_str(), "open_may".to_owned())),
            );
            for (n, state) in workflow.states.iter().enumerate() {
                let n = n.to_string();
                self.both_titles(document, &["states", &n], &state.title_zh, &state.title_en);
                used.push((0, &state.name, format!("states.{n}.name")));
            }
            for (n, t) in workflow.transitions.iter().enumerate() {
                used.push((1, &t.action, format!("transitions.{n}.action")));
                used.extend(
                    t.may
                        .iter()
                        .map(|p| (2, p.as_str(), format!("transitions.{n}.may"))),
                );
            }
            for (kind, word, key) in used.into_iter().filter(|(k, w, _)| !words[*k].contains(w)) {
                let known: Vec<&str> = words[kind].iter().copied().collect();
                self.say(
                    document.at_dotted(&key),
                    "workflow-word",
                    format!(
                        "there is no {} {}",
                        ["state", "action", "permission"][kind],
                        quote(word)
                    ),
                    &format!("use one of {}", known.join(", ")),
                );
            }
        }
    }

    fn mappings(&mut self) {
        for (mapping, document) in self.pack.mappings.iter().zip(self.under("mappings/")) {
            let Some(kind) = self
                .pack
                .kinds
                .iter()
                .find(|kind| kind.name == mapping.entity_type)
            else {
                self.say(
                    document.at(&["entity_type"]),
                    "mapping-unknown-type",
                    format!(
                        "the pack declares no entity type {}",
                        quote(&mapping.entity_type)
                    ),
                    "name one of the entities folder",
                );
                continue;
            };
            if let Err((what, mend)) = mapping.template() {
                self.say(document.at(&["entity_id"]), "mapping-entity-id", what, mend);
            }
            if mapping.from.is_empty()
                || (mapping.door == MappingDoor::Mqtt && mapping.from.contains('#'))
            {
                self.say(
                    document.at(&["from"]),
                    "mapping-from",
                    format!("{} cannot be mapped", quote(&mapping.from)),
                    "name a measurement, or a topic filter with + for single levels",
                );
            }
            for (field, target) in &mapping.fields {
                let at = |key| document.at(&["fields", field, key]);
                let Some(attribute) = kind.attributes.get(&target.attribute) else {
                    self.say(
                        at("attribute"),
                        "mapping-unknown-attribute",
                        format!(
                            "{} has no attribute {}",
                            kind.name,
                            quote(&target.attribute)
                        ),
                        "name a declared attribute",
                    );
                    continue;
                };
                let Some(code) = &target.unit else { continue };
                let Some(from) = unit::find(code).filter(|u| u.code == code) else {
                    self.say(
                        at("unit"),
                        "unit-unknown",
                        format!("the unit code {} is unknown", quote(code)),
                        "use a UN/CEFACT code that the platform knows",
                    );
                    continue;
                };
                let to = attribute.unit.as_deref().and_then(unit::find);
                if to.is_none_or(|to| to.dimension != from.dimension) {
                    self.say(
                        at("unit"),
                        "mapping-unit",
                        format!(
                            "{code} cannot be turned into the unit of {}",
                            target.attribute
                        ),
                        "use a unit of the same dimension",
                    );
                }
            }
        }
    }

    fn strings(&mut self) {
        for (here, there, path, other) in [
            (
                &self.pack.strings_zh,
                &self.pack.strings_en,
                "strings/zh.toml",
                "strings/en.toml",
            ),
            (
                &self.pack.strings_en,
                &self.pack.strings_zh,
                "strings/en.toml",
                "strings/zh.toml",
            ),
        ] {
            for (key, words) in here {
                if words.trim().is_empty() {
                    self.say(
                        self.documents[path].at_dotted(key),
                        "string-empty",
                        format!("{key} is empty"),
                        "write the words",
                    );
                }
                if !there.contains_key(key) {
                    self.say(
                        self.documents[path].at_dotted(key),
                        "string-language",
                        format!("{key} is missing in {other}"),
                        "add it there",
                    );
                } else if path.ends_with("zh.toml")
                    && let Some((code, what, mend)) = words::mistake(key, &self.pack.kinds)
                {
                    self.say(self.documents[path].at_dotted(key), code, what, mend);
                }
            }
        }
    }

    fn duplicates(&mut self) {
        // Where each stands is looked up for those that are told only: that reads the whole file once more.
        let mut first: BTreeMap<(&str, &str), Spot<'_>> = BTreeMap::new();
        let mut all: Vec<(&str, &str, Spot<'_>)> = Vec::new();
        for (kind, d) in self.pack.kinds.iter().zip(self.under("entities/")) {
            all.push(("entity type", &kind.name, Spot::Key(d, "name")));
        }
        for (rule, d) in self.pack.rules.iter().zip(self.under("rules/")) {
            all.push(("rule", &rule.id, Spot::Key(d, "id")));
        }
        for (view, d) in self.pack.views.iter().zip(self.under("views/")) {
            all.push(("view", &view.id, Spot::Key(d, "id")));
        }
        for (mapping, d) in self.pack.mappings.iter().zip(self.under("mappings/")) {
            all.push(("mapping", &mapping.id, Spot::Key(d, "id")));
        }
        for indicator in &self.pack.indicators {
            let place = Spot::Top(&indicator.file);
            all.push(("indicator", &indicator.id, place));
            all.push(("indicator number", &indicator.number, place));
        }
        if let Some(d) = self.documents.get("contradictions.toml") {
            for (n, c) in self.pack.contradictions.iter().enumerate() {
                all.push(("contradiction", &c.id, Spot::Contradiction(d, n)));
            }
        }
        let mut twice = Vec::new();
        for (what, id, place) in all {
            match first.get(&(what, id)) {
                Some(at) => twice.push((
                    place.tell(),
                    format!(
                        "the {what} {} is declared twice, first at {}",
                        quote(id),
                        at.tell()
                    ),
                )),
                None => {
                    first.insert((what, id), place);
                }
            }
        }
        for (place, what) in twice {
            self.say(place, "duplicate", what, "rename or delete one of them");
        }
    }
}

/// Where something is declared, not looked up yet.
#[derive(Clone, Copy)]
enum Spot<'a> {
    /// At a key of a file.
    Key(&'a Document, &'static str),
    /// At the first line of a file of that name.
    Top(&'a str),
    /// In the list of contradictions.
    Contradiction(&'a Document, usize),
}

impl Spot<'_> {
    fn tell(&self) -> String {
        match *self {
            Self::Key(document, key) => document.at(&[key]),
            Self::Top(file) => format!("{file}:1"),
            Self::Contradiction(document, n) => {
                document.at(&["contradiction", &n.to_string(), "id"])
            }
        }
    }
}
