//! What is wrong in `runs/*.toml`: the declaration by itself, its file's name, and the types that it names, which are this pack's.
//! Whether there is such an engine knows whoever has the engines: [`unknown_engines`].

use crate::document::Document;
use crate::load::Pack;
use crate::packs::Packs;
use model::problem::quote;
use model::{Problem, unit};
use runs::Definition;

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
    problems
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
