//! Joint dispatch (联合调度) of a chain: a reservoir, the reach below it with its control section, and a polder beside the river that a gate and pumps drain.
//!
//! Three courses are reckoned from the same moment ([`crate::reservoir`], [`crate::polder`]): everything stays as it is, everything by its rules, and what is
//! suggested. The suggestion is the best of the courses that are known, by what is passed: the reservoir's limit, the section's safe discharge, the flood-limit
//! level, the polder's limit, in this order. So it is never worse than doing nothing; and where nothing is passed, nothing is suggested.
//!
//! What is let out of the reservoir and what the polder may do hang together by the stage outside the dike: it goes with the discharge at the section, by its
//! rating curve where one is known.

use crate::polder::{Polder, Step};
use crate::rating::Curve;
use crate::reservoir::{Course, River, Score};

/// The river outside the polder's dike.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// Stage of each step if everything stays as it is, m: foretold, or that of now.
    pub stage: Vec<f64>,
    /// Whether the stage was foretold for the step: then it knows of the section's discharge already.
    pub is_foretold: Vec<bool>,
    /// The section's rating curve.
    pub rating: Option<Curve>,
}

/// The stage of a discharge by a curve, that of its ends beyond what was measured, m.
fn stage_at(curve: &Curve, flow: f64) -> Option<f64> {
    let ends = (
        curve.discharge(curve.low_m)?,
        curve.discharge(curve.high_m)?,
    );
    curve.stage(flow.max(ends.0).min(ends.1))
}

/// A chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Reservoir and reach.
    pub river: River,
    /// The polder and the river outside it.
    pub polder: Option<(Polder, Outside)>,
    /// The section's discharge now, m³/s, with what joins.
    pub section_now: f64,
}

/// One course of the whole chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Of reservoir and section.
    pub course: Course,
    /// How good it is.
    pub score: Score,
    /// Stage outside of each step, and what the polder does.
    pub polder: Option<(Vec<f64>, Vec<Step>)>,
}

/// Which course the suggestion takes for the reservoir.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Everything stays as it is.
    Nothing,
    /// The rules.
    Rules,
    /// The peak is cut.
    Cut,
}

/// The three courses.
#[derive(Clone, Debug, PartialEq)]
pub struct Plans {
    /// Everything stays as it is.
    pub nothing: Plan,
    /// By the rules.
    pub rules: Plan,
    /// What is suggested.
    pub suggested: Plan,
    /// Whose releases the suggestion has.
    pub choice: Choice,
}

impl Chain {
    /// The stage outside of each step for a course, m.
    fn outside(&self, outside: &Outside, course: &Course, nothing: &Course) -> Vec<f64> {
        let steps = outside.stage.iter().zip(&outside.is_foretold);
        let flows = course.section.iter().zip(&nothing.section);
        steps
            .zip(flows)
            .map(|((stage, is_foretold), (flow, stays))| {
                let before = if *is_foretold {
                    *stays
                } else {
                    self.section_now
                };
                let rating = outside.rating.as_ref();
                let change = rating
                    .and_then(|curve| Some(stage_at(curve, *flow)? - stage_at(curve, before)?));
                stage + change.unwrap_or(0.0)
            })
            .collect()
    }

    fn plan(
        &self,
        course: Course,
        nothing: &Course,
        polder: impl Fn(&Polder, &[f64]) -> Vec<Step>,
    ) -> Plan {
        let score = self.river.score(&course);
        let polder = self.polder.as_ref().map(|(known, river)| {
            let outside = self.outside(river, &course, nothing);
            let steps = polder(known, &outside);
            (outside, steps)
        });
        Plan {
            course,
            score,
            polder,
        }
    }

    /// All three courses.
    pub fn plans(&self) -> Plans {
        let stays = self.river.nothing();
        let nothing = self.plan(stays.clone(), &stays, Polder::nothing);
        let rules = self.plan(self.river.by_rules(), &stays, Polder::by_rules);
        let (mut choice, mut best) = (Choice::Nothing, stays.clone());
        if !nothing.score.is_free() {
            let mut score = nothing.score;
            let others = [
                (Choice::Cut, self.river.cut()),
                (Choice::Rules, rules.course.clone()),
            ];
            for (which, course) in others {
                let its = self.river.score(&course);
                if its < score {
                    (choice, best, score) = (which, course, its);
                }
            }
        }
        let suggested = self.plan(best, &stays, Polder::suggested);
        Plans {
            nothing,
            rules,
            suggested,
            choice,
        }
    }
}
