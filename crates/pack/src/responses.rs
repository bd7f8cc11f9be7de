//! What is wrong in `responses/*.toml`: the plan by itself, its file's name, and the rules that it names, which are this pack's.

use crate::document::Document;
use crate::load::Pack;
use duty::response::ResponsePlan;
use model::Problem;
use model::problem::quote;

/// Every mistake of a response plan, with its line.
pub(crate) fn mistakes(plan: &ResponsePlan, document: &Document, pack: &Pack) -> Vec<Problem> {
    let mut problems = plan.mistakes();
    for problem in &mut problems {
        problem.place = document.at_dotted(&problem.place);
    }
    if plan.id != document.stem() {
        problems.push(Problem::new(
            "response-plan",
            format!(
                "the plan calls itself {}, its file is {}",
                quote(&plan.id),
                quote(document.stem())
            ),
            document.at(&["id"]),
            "give both the same name",
        ));
    }
    let conditions = plan.suggested.iter().enumerate();
    let conditions = conditions.flat_map(|(n, condition)| {
        let place = format!("suggested.{n}.alert_rules");
        let rules = condition.alert_rules.iter();
        rules.map(move |rule| (rule, place.clone()))
    });
    let own = plan.alert_rules.iter();
    let named = own
        .map(|rule| (rule, "alert_rules".to_owned()))
        .chain(conditions);
    for (rule, place) in named {
        if !pack.rules.iter().any(|known| known.id == *rule) {
            problems.push(Problem::new(
                "response-rule",
                format!("there is no rule {}", quote(rule)),
                document.at_dotted(&place),
                "name rules of this pack",
            ));
        }
    }
    if let Some(level) = &plan.level {
        let same = pack.responses.iter().filter(|other| {
            let other = other.level.as_ref();
            other.is_some_and(|other| other.ladder == level.ladder && other.rank == level.rank)
        });
        if same.count() > 1 {
            problems.push(Problem::new(
                "response-level",
                format!(
                    "another plan of the ladder {} has the rank {} too",
                    quote(&level.ladder),
                    level.rank
                ),
                document.at(&["level", "rank"]),
                "give each level a rank of its own, 1 to the gravest",
            ));
        }
    }
    problems
}
