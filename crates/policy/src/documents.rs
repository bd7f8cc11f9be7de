//! Policies as documents: texts of many policies, each document from the program, a pack, the city's profile or the people who
//! administer the city. A document is understood and checked against the schema before it holds, and each mistake is told with
//! its line and column.

use crate::{Limits, schema};
use cedar_policy::{
    ActionConstraint, Effect, EntityUid, Policy, PolicyId, PolicySet, ValidationMode, Validator,
};
use miette::Diagnostic;
use model::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Source {
    /// The program: what each role may do.
    Program,
    /// A pack, by its name.
    Pack(String),
    /// The city's profile.
    Profile,
    /// Those who administer the city.
    City,
}

/// A text of policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Where it comes from.
    pub source: Source,
    /// Its name, one of a kind with its source.
    pub name: String,
    /// The policies, in Cedar.
    pub text: String,
}

impl Document {
    /// How it is named to people: `program/roles`, `pack-water/people`, `city/night`.
    pub fn title(&self) -> String {
        match &self.source {
            Source::Program => format!("program/{}", self.name),
            Source::Pack(pack) => format!("{pack}/{}", self.name),
            Source::Profile => format!("profile/{}", self.name),
            Source::City => format!("city/{}", self.name),
        }
    }
}

/// One policy as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Its document and its place in it, from 1: `city/night#2`; or its `@id` instead of the place.
    pub id: String,
    /// Where its document comes from.
    pub source: Source,
    /// Whether it permits (`true`) or forbids.
    pub permits: bool,
    /// What it is for, in Chinese: its annotation `@zh`.
    pub zh: Option<String>,
    /// What it is for, in English: its annotation `@en`.
    pub en: Option<String>,
    /// Its text.
    pub text: String,
}

/// Documents that were understood.
pub(crate) struct Understood {
    pub set: PolicySet,
    pub stated: BTreeMap<String, Stated>,
    /// Whether a policy speaks of towns.
    pub asks_division: bool,
    /// Whether a policy about values speaks of organisations.
    pub asks_owner: bool,
    /// Whether a policy about reading may tell one value from another.
    pub asks_values: bool,
    /// Whether a policy speaks of the hour or the day.
    pub asks_time: bool,
    /// Whether a policy speaks of single people.
    pub asks_name: bool,
}

fn mistake(document: &Document, offset: Option<usize>, code: &str, what: String) -> Problem {
    let place = match offset {
        None => document.title(),
        Some(offset) => {
            let before = document
                .text
                .get(..offset.min(document.text.len()))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            format!("{}, line {line}, column {column}", document.title())
        }
    };
    let mend =
        "see docs/policy.md for what policies may speak of; `jingling policy schema` prints it";
    Problem::new(code, what, place, mend)
}

fn offset_of(error: &dyn Diagnostic) -> Option<usize> {
    let mut labels = error.labels()?;
    labels.next().map(|label| label.offset())
}

fn told(error: &dyn Diagnostic) -> String {
    let mut what = error.to_string();
    let label = error
        .labels()
        .and_then(|mut labels| labels.next()?.label().map(str::to_owned));
    for more in [label, error.help().map(|help| help.to_string())] {
        if let Some(more) = more.filter(|more| !what.contains(more.as_str())) {
            what.push_str("; ");
            what.push_str(&more);
        }
    }
    what
}

/// Understands documents and checks them against the schema of these acts.
///
/// # Errors
/// Every mistake: `policy-syntax`, `policy-check`, `policy-name`, `policy-limit`.
pub(crate) fn understand(
    documents: &[Document],
    actions: &[String],
    limits: &Limits,
) -> Result<Understood, Vec<Problem>> {
    let schema = schema::schema(actions).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let mut policies: Vec<Policy> = Vec::new();
    let mut stated = BTreeMap::new();
    let mut titles = BTreeMap::new();
    if documents.len() > limits.documents_max {
        let what = format!(
            "{} documents; at most {} are taken",
            documents.len(),
            limits.documents_max
        );
        let mend = "put several policies into one document";
        return Err(vec![Problem::new("policy-limit", what, "policies", mend)]);
    }
    for (n, document) in documents.iter().enumerate() {
        if !schema::is_word(&document.name) {
            let what = format!(
                "\"{}\" is no name of a document",
                model::problem::quote(&document.name)
            );
            problems.push(mistake(document, None, "policy-name", what));
            continue;
        }
        if let Some(_before) = titles.insert(document.title(), n) {
            let what = "there is another document of this name".to_owned();
            problems.push(mistake(document, None, "policy-name", what));
            continue;
        }
        if document.text.len() > limits.document_bytes_max {
            let what = format!(
                "{} bytes; at most {} are taken",
                document.text.len(),
                limits.document_bytes_max
            );
            problems.push(mistake(document, None, "policy-limit", what));
            continue;
        }
        match PolicySet::from_str(&document.text) {
            Err(errors) => {
                for error in errors.iter() {
                    problems.push(mistake(
                        document,
                        offset_of(error),
                        "policy-syntax",
                        told(error),
                    ));
                }
            }
            Ok(set) => {
                if set.templates().next().is_some() {
                    let what = "a template: slots such as ?principal are not taken".to_owned();
                    problems.push(mistake(document, None, "policy-check", what));
                }
                let mut found: Vec<&Policy> = set.policies().collect();
                // Ids count up in the order of the text: policy0, policy1, …
                found.sort_by_key(|p| number_of(p.id()));
                for (place, policy) in found.into_iter().enumerate() {
                    let id = match policy.annotation("id") {
                        Some(id) => format!("{}#{id}", document.title()),
                        None => format!("{}#{}", document.title(), place + 1),
                    };
                    let entry = Stated {
                        id: id.clone(),
                        source: document.source.clone(),
                        permits: policy.effect() == Effect::Permit,
                        zh: policy.annotation("zh").map(str::to_owned),
                        en: policy.annotation("en").map(str::to_owned),
                        text: policy.to_string(),
                    };
                    if stated.insert(id.clone(), entry).is_some() {
                        let what = format!("two policies are called {id}");
                        problems.push(mistake(document, None, "policy-name", what));
                    }
                    policies.push(policy.new_id(PolicyId::new(id)));
                }
            }
        }
    }
    if policies.len() > limits.policies_max {
        let what = format!(
            "{} policies; at most {} are taken",
            policies.len(),
            limits.policies_max
        );
        let mend = "join policies that say the same of several acts or roles";
        problems.push(Problem::new("policy-limit", what, "policies", mend));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let set = PolicySet::from_policies(policies).map_err(|e| {
        let mend = "give each policy one @id at most";
        vec![Problem::new("policy-name", e.to_string(), "policies", mend)]
    })?;
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    for error in result.validation_errors() {
        let id = error.policy_id().to_string();
        let title = id.split('#').next().unwrap_or_default();
        let Some(document) = titles.get(title).map(|n| &documents[*n]) else {
            continue;
        };
        problems.push(mistake(
            document,
            offset_of(error),
            "policy-check",
            format!("{}: {}", id, told(error)),
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let about_values = |policy: &&Stated| {
        policy.text.contains("Organisation::") && !policy.text.contains("resource == City::")
    };
    let says = |words: &str| stated.values().any(|p| p.text.contains(words));
    let asks_values = set.policies().any(tells_values_apart);
    Ok(Understood {
        asks_division: stated.values().any(|p| p.text.contains("Division::")),
        asks_owner: stated.values().any(|p| about_values(&p)),
        asks_values,
        asks_time: says("context.hour") || says("context.weekday") || says("context["),
        asks_name: says("Person::")
            || says("Machine::")
            || says("principal.name")
            || says("principal["),
        set,
        stated,
    })
}

/// Whether a policy is about reading values, and may be about some of them only.
fn tells_values_apart(policy: &Policy) -> bool {
    let is_reading = |act: &EntityUid| {
        let word: &str = act.id().as_ref();
        word == crate::schema::READ
    };
    let is_about_reading = match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(act) => is_reading(&act),
        ActionConstraint::In(acts) => acts.iter().any(is_reading),
    };
    is_about_reading && !names_any_resource_alone(&policy.to_string())
}

/// Whether a policy takes every resource as it is: the word stands in its head alone, with nothing said of it. Where that
/// cannot be seen from the text, it is taken to say something.
fn names_any_resource_alone(text: &str) -> bool {
    let mut after = text.split("resource").skip(1);
    let head = after.next().unwrap_or_default().trim_start();
    let closes = head
        .strip_prefix(',')
        .unwrap_or(head)
        .trim_start()
        .starts_with(')');
    closes && after.next().is_none()
}

fn number_of(id: &PolicyId) -> usize {
    let text: &str = id.as_ref();
    text.trim_start_matches("policy")
        .parse()
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::names_any_resource_alone;

    #[test]
    fn a_policy_that_says_something_of_the_resource_is_known() {
        for alone in [
            "permit (principal, action, resource);",
            "permit (principal in Role::\"x\", action == Action::\"entity.read\", resource ,\n) when { context.hour > 8 };",
        ] {
            assert!(names_any_resource_alone(alone), "{alone}");
        }
        for said in [
            "forbid (principal, action, resource is Datum);",
            "forbid (principal, action, resource in Pack::\"water\");",
            "forbid (principal, action, resource) when { resource has attribute };",
            "forbid (principal, action, resource == City::\"city\");",
            "forbid (principal, action, resource /* of any kind */);",
        ] {
            assert!(!names_any_resource_alone(said), "{said}");
        }
    }
}
