//! What must fit together around a plan.

use super::Checker;
use crate::declare::ContradictionKind;
use crate::{systems, targets};
use indicators::Origin;
use model::Problem;
use model::problem::quote;

/// Longest id of a plan.
const ID_CHARS_MAX: usize = 40;

fn is_id(text: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.bytes().all(letters)
}

impl Checker<'_> {
    pub(super) fn plan(&mut self) {
        let here = |path: &str| self.documents.get(path);
        let alone = [
            "contradictions.toml",
            "plan.txt",
            crate::goals::FILE,
            targets::FILE,
            "projects.toml",
        ];
        if let Some(document) = alone.into_iter().find_map(here)
            && self.pack.plan.is_none()
        {
            self.say(
                document.at::<&str>(&[]),
                "plan-missing",
                "the pack has no plan.toml".into(),
                "add it, or delete this file",
            );
            return;
        }
        let Some(plan) = &self.pack.plan else { return };
        let document = &self.documents["plan.toml"];
        if !is_id(&plan.id) {
            self.say(
                document.at(&["id"]),
                "plan-id",
                format!("\"{}\" is no id of a plan", quote(&plan.id)),
                "use lower-case letters, digits and hyphens, such as tianmen-15-5",
            );
        }
        if plan.text.is_empty() {
            self.say(
                document.at::<&str>(&[]),
                "plan-text",
                "the plan's text is not there".into(),
                "add plan.txt, so that every quote can be verified",
            );
        }
        if plan.period[0] >= plan.period[1] {
            self.say(
                document.at(&["period"]),
                "plan-period",
                format!("the period {:?} does not go forward", plan.period),
                "write [first year, last year]",
            );
        }
        if let Some(document) = self.documents.get(targets::FILE) {
            let wrong = targets::mistakes(&self.pack.targets, &self.pack.indicators, document);
            self.problems.extend(wrong);
        }
        // Whether others bring what is named under targets is seen when all packs are put together.
        let own = self.pack.indicators.iter();
        let known: Vec<(&str, Origin)> = own
            .map(|i| (i.id.as_str(), i.origin))
            .chain(
                self.pack
                    .targets
                    .iter()
                    .map(|t| (t.indicator.as_str(), t.origin)),
            )
            .collect();
        let has_indicator = |id: &str| known.iter().any(|(known, _)| *known == id);
        self.problems
            .extend(systems::mistakes(plan, has_indicator, document));
        if let Some((goals, document)) =
            (self.pack.goals.as_ref()).zip(self.documents.get(crate::goals::FILE))
        {
            let wrong = crate::goals::mistakes(goals, &plan.text, &known, document);
            self.problems.extend(wrong);
        }
        if let Some(document) = self.documents.get("projects.toml") {
            let wrong = projects::declared::mistakes(&self.pack.projects, has_indicator, |id| {
                plan.systems.iter().any(|s| s.id == id)
            });
            let wrong = wrong.into_iter().map(|mistake| {
                let at = document.at(&["project", &mistake.at.to_string(), mistake.key]);
                Problem::new("plan-project", mistake.what, at, mistake.mend)
            });
            self.problems.extend(wrong);
        }
        let Some(document) = self.documents.get("contradictions.toml") else {
            return;
        };
        for (n, contradiction) in self.pack.contradictions.iter().enumerate() {
            let n = n.to_string();
            for id in &contradiction.indicators {
                if !has_indicator(id) {
                    self.say(
                        document.at(&["contradiction", &n, "indicators"]),
                        "contradiction-indicator",
                        format!("there is no indicator {}", quote(id)),
                        "name an indicator of this pack",
                    );
                }
            }
            let least = if contradiction.kind == ContradictionKind::Contradiction {
                2
            } else {
                1
            };
            if contradiction.places.len() < least {
                self.say(
                    document.at(&["contradiction", &n, "places"]),
                    "contradiction-places",
                    format!(
                        "{} quotes {} places",
                        contradiction.id,
                        contradiction.places.len()
                    ),
                    "quote every place that it speaks of",
                );
            }
        }
    }
}
