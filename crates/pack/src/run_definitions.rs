//! What is wrong in `runs/*.toml`: the declaration by itself, its file's name, and the types that it names, which are this pack's.
//! Whether there is such an engine knows whoever has the engines: [`unknown_engines`].

use crate::document::Document;
use crate::load::Pack;
use crate::packs::Packs;
use model::problem::quote;
use model::{EntityKind, Problem, ValueKind, unit};
use runs::{Adopt, Definition};

/// Every mistake of a declaration, with its line.
pub(crate) fn mistakes(run: &Definition, document: &Document, pack: &Pack) -> Vec<Problem> {
    let mut problems = run.mistakes();
    for problem in &mut problems {
        problem.place = document.at_dotted(&problem.place);
    }
    let mut wrong = |key: &str, what: String, mend: &str| {
        let place = document.at_dotted(key);
        problems.push(Problem::new("run-definition", what, place, mend));
    };
    if run.id != document.stem() {
        let (id, file) = (quote(&run.id), quote(document.stem()));
        wrong(
            "id",
            format!("the run calls itself {id}, its file is {file}"),
            "give both the same name",
        );
    }
    let kind = |name: &str| pack.kinds.iter().find(|kind| kind.name == name);
    if let Some(targets) = &run.targets
        && kind(&targets.entity_type).is_none()
    {
        let name = quote(&targets.entity_type);
        wrong(
            "targets.entity_type",
            format!("there is no entity type {name}"),
            "name a type of this pack",
        );
    }
    if let Some(of) = &run.forecast {
        let declared = kind(&of.entity_type).and_then(|kind| kind.forecast.as_ref());
        let named = run.targets.as_ref().map(|targets| &targets.entity_type);
        match declared {
            None => wrong(
                "forecast.entity_type",
                format!("{} is no type with [forecast]", quote(&of.entity_type)),
                "name a type of this pack that declares one",
            ),
            Some(declared) if Some(&declared.entity_type) != named => wrong(
                "forecast.entity_type",
                format!(
                    "{} forecasts {}, which the targets are not",
                    of.entity_type, declared.entity_type
                ),
                "take targets of that type",
            ),
            Some(_) => {}
        }
        if unit::find(&of.unit).is_none() {
            wrong(
                "forecast.unit",
                format!("{} is no unit", quote(&of.unit)),
                "use a UN/CEFACT code, such as MTR",
            );
        }
    }
    if let Some(adopt) = &run.adopt {
        let named = run.targets.as_ref().map(|targets| &targets.entity_type);
        match kind(&adopt.entity_type) {
            None => wrong(
                "adopt.entity_type",
                format!("there is no entity type {}", quote(&adopt.entity_type)),
                "name a type of this pack",
            ),
            Some(of) => {
                for (key, what, mend) in adoption(adopt, of, named == Some(&of.name)) {
                    wrong(&key, what, mend);
                }
            }
        }
    }
    problems
}

/// What is wrong with what is adopted, beside the type that adopts it: key, what, mend.
fn adoption(
    adopt: &Adopt,
    of: &EntityKind,
    is_target: bool,
) -> Vec<(String, String, &'static str)> {
    let mut found = Vec::new();
    let relation = adopt.relation.as_deref();
    let is_relationship = |name: &str| {
        let declared = of.attributes.get(name);
        declared.is_some_and(|a| a.value == ValueKind::Relationship)
    };
    if is_target && relation.is_some() {
        let what = "the target itself adopts it, and need not be named".to_owned();
        found.push(("adopt.relation".to_owned(), what, "take it out"));
    } else if !is_target && !relation.is_some_and(is_relationship) {
        let what = format!("nothing of {} names the target", of.name);
        let mend = "name a relationship of that type as relation";
        found.push(("adopt.relation".to_owned(), what, mend));
    }
    for (name, origin) in &adopt.attributes {
        let key = format!("adopt.attributes.{name}");
        let fits = |kind: ValueKind| match kind {
            ValueKind::Text => true,
            ValueKind::Number | ValueKind::Boolean | ValueKind::Json => origin.fact.is_none(),
            ValueKind::Geometry | ValueKind::Relationship => false,
        };
        match of.attributes.get(name) {
            None => found.push((
                key,
                format!("{} declares no {}", of.name, quote(name)),
                "name an attribute of it",
            )),
            Some(declared) if !fits(declared.value) => found.push((
                key,
                format!("{} cannot hold that", quote(name)),
                "facts of a run are texts; values of a report numbers, texts, truths or JSON",
            )),
            // What is sealed would be shown beside what is new.
            Some(declared) if declared.personal.is_some() => found.push((
                key,
                format!("{} is of a person", quote(name)),
                "adopt what no person is known by",
            )),
            Some(_) => {}
        }
        if let Some(code) = origin
            .unit
            .as_ref()
            .filter(|code| unit::find(code).is_none())
        {
            let key = format!("adopt.attributes.{name}");
            let what = format!("{} is no unit", quote(code));
            found.push((key, what, "use a UN/CEFACT code, such as HUR"));
        }
    }
    found
}

/// The engines that declarations name and that there are not.
pub fn unknown_engines<'p>(
    packs: impl IntoIterator<Item = &'p Pack>,
    engines: &[engine::Engine],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for pack in packs {
        for run in &pack.runs {
            if let Err(mut problem) = engine::find(engines, &run.engine) {
                problem.place = format!("{}/runs/{}.toml", pack.manifest.name, run.id);
                problems.push(problem);
            }
        }
    }
    problems
}

impl Packs {
    /// The run of that id, with the name of its pack.
    pub fn run(&self, id: &str) -> Option<(&str, &Definition)> {
        let mut all = self.runs();
        all.find(|(_, run)| run.id == id)
    }

    /// Every run, each with the name of its pack.
    pub fn runs(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.packs.iter().flat_map(|pack| {
            let name = pack.manifest.name.as_str();
            pack.runs.iter().map(move |run| (name, run))
        })
    }
}
