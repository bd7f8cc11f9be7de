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
    for rule in &plan.alert_rules {
        if !pack.rules.iter().any(|known| known.id == *rule) {
            problems.push(Problem::new(
                "response-rule",
                format!("there is no rule {}", quote(rule)),
                document.at(&["alert_rules"]),
                "name rules of this pack",
            ));
        }
    }
    problems
}
