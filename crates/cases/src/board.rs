//! The board: open cases in columns, of all workflows by the step that their state belongs to, or of one workflow by its
//! states. Every open case stands in one column, also where its workflow, or its state, is there no more.

use crate::Cases;
use crate::step::Step;
use crate::view::CaseSummary;
use crate::workflow::{State, Workflow};
use model::Timestamp;
use records::cases::{self, CaseFilter, Of, Place};
use records::{Connection, Page, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One column of the board.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardColumn {
    /// The step.
    pub step: Step,
    /// The state, on the board of one workflow; `None` where the column is a step of all workflows.
    pub state: Option<State>,
    /// How many cases stand there, counted up to [`crate::Options::board_count_max`].
    pub count: i64,
    /// How many of them are overdue, counted so too.
    pub overdue: i64,
    /// The most urgent ones; `next` goes on in [`Cases::list`] with the column's filter, most urgent first.
    pub cases: Page<CaseSummary>,
}

/// Which states of which workflows belong to each step: what the workflows in force say, and for a state that none of them
/// has (any more) the step in `lost`.
fn places(
    workflows: &[Arc<Workflow>],
    lost: impl IntoIterator<Item = (String, Step)>,
) -> BTreeMap<Step, Vec<Place>> {
    let mut steps_of: BTreeMap<&str, BTreeMap<Step, BTreeSet<&str>>> = BTreeMap::new();
    for workflow in workflows {
        for state in &workflow.states {
            let steps = steps_of.entry(&state.name).or_default();
            let names = steps.entry(workflow.step_of(state)).or_default();
            names.insert(&workflow.name);
        }
    }
    let mut places: BTreeMap<Step, Vec<Place>> = BTreeMap::new();
    for (state, steps) in steps_of {
        // What most mean by a name holds for workflows that are gone too.
        let usual = steps.iter().max_by_key(|(_, names)| names.len());
        let usual = usual.map(|(step, _)| *step);
        let owned = |names: &BTreeSet<&str>| names.iter().map(|&n| n.to_owned()).collect();
        for (&step, names) in &steps {
            let of = if steps.len() == 1 {
                Of::Any
            } else if usual == Some(step) {
                let others = steps.iter().filter(|(other, _)| **other != step);
                Of::AllBut(owned(
                    &others.flat_map(|(_, names)| names.clone()).collect(),
                ))
            } else {
                Of::Only(owned(names))
            };
            let state = state.to_owned();
            places.entry(step).or_default().push(Place { state, of });
        }
    }
    for (state, step) in lost {
        let of = Of::Any;
        places.entry(step).or_default().push(Place { state, of });
    }
    places
}

impl Cases {
    /// The states that cases are open in and that no workflow in force has, with the step of the definition that the newest
    /// such case follows.
    async fn lost_states(
        &self,
        connection: &mut Connection,
        workflows: &[Arc<Workflow>],
    ) -> Result<Vec<(String, Step)>> {
        let mut lost = Vec::new();
        for name in cases::open_states(connection).await? {
            if workflows.iter().any(|w| w.state(&name).is_some()) {
                continue;
            }
            let mut step = Step::Handle;
            if let Some(case) = cases::newest_open(connection, &name).await?
                && let Ok(workflow) = self.workflow_of(connection, &case).await
                && let Some(state) = workflow.state(&name)
            {
                step = workflow.step_of(state);
            }
            lost.push((name, step));
        }
        Ok(lost)
    }

    /// The states that belong to a step, of all workflows.
    ///
    /// # Errors
    /// The store's own.
    pub async fn places_of(&self, step: Step) -> Result<Vec<Place>> {
        let workflows = self.workflows();
        let mut read = self.records.read().await?;
        let lost = self.lost_states(&mut read, &workflows).await?;
        Ok(places(&workflows, lost).remove(&step).unwrap_or_default())
    }

    /// The board: the steps in which cases can be open, in order, over all workflows; or the open states of one workflow.
    /// `filter` narrows it; its own state, places, workflow and order are not asked.
    ///
    /// # Errors
    /// [`records::Failure::Conflict`] `workflow-missing`; the store's own.
    pub async fn board(
        &self,
        workflow: Option<&str>,
        filter: &CaseFilter,
        now: Timestamp,
    ) -> Result<Vec<BoardColumn>> {
        let filter = CaseFilter {
            state: None,
            workflow: None,
            places: None,
            ..filter.clone()
        };
        let mut read = self.records.read().await?;
        let mut wanted: Vec<(Step, Option<State>, CaseFilter)> = Vec::new();
        // A step that no open state of a workflow in force belongs to is shown when a case stands there.
        let mut always = BTreeSet::new();
        if let Some(name) = workflow {
            let workflow = self.workflow(name)?;
            for state in workflow.states.iter().filter(|s| !s.r#final) {
                let of = CaseFilter {
                    state: Some(state.name.clone()),
                    workflow: Some(name.to_owned()),
                    ..filter.clone()
                };
                let step = workflow.step_of(state);
                always.insert(step);
                wanted.push((step, Some(state.clone()), of));
            }
        } else {
            let workflows = self.workflows();
            for workflow in &workflows {
                let open = workflow.states.iter().filter(|s| !s.r#final);
                always.extend(open.map(|state| workflow.step_of(state)));
            }
            let lost = self.lost_states(&mut read, &workflows).await?;
            for (step, places) in places(&workflows, lost) {
                let of = CaseFilter {
                    places: Some(places),
                    ..filter.clone()
                };
                wanted.push((step, None, of));
            }
        }
        let limits = (self.options.board_cards, self.options.board_count_max);
        let found = if filter.text.is_some() {
            let filters: Vec<_> = wanted.iter().map(|(_, _, of)| of.clone()).collect();
            cases::columns_with_text(&mut read, &filters, now, limits).await?
        } else {
            let mut found = Vec::with_capacity(wanted.len());
            for (_, _, of) in &wanted {
                found.push(cases::column(&mut read, of, now, limits).await?);
            }
            found
        };
        let mut columns = Vec::new();
        for ((step, state, _), column) in wanted.into_iter().zip(found) {
            if column.count == 0 && !always.contains(&step) {
                continue;
            }
            let Page { items, next } = column.cases;
            columns.push(BoardColumn {
                step,
                state,
                count: column.count,
                overdue: column.overdue,
                cases: Page {
                    items: self.summaries(&mut read, items).await?,
                    next,
                },
            });
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(name: &str, states: &[(&str, &str)]) -> Arc<Workflow> {
        let mut workflow = Workflow::standard().unwrap();
        let model = workflow.states[0].clone();
        workflow.name = name.to_owned();
        workflow.states = states
            .iter()
            .map(|(name, step)| State {
                name: (*name).to_owned(),
                step: Some((*step).to_owned()),
                ..model.clone()
            })
            .collect();
        Arc::new(workflow)
    }

    fn place(state: &str, of: Of) -> Place {
        let state = state.to_owned();
        Place { state, of }
    }

    #[test]
    fn every_state_belongs_to_the_step_that_its_workflow_says() {
        let all = [
            workflow("a", &[("new", "collect"), ("work", "handle")]),
            workflow("b", &[("new", "collect"), ("work", "handle")]),
            workflow("c", &[("work", "verify"), ("look", "verify")]),
        ];
        let found = places(&all, [("old".to_owned(), Step::Close)]);
        let expected = BTreeMap::from([
            (Step::Collect, vec![place("new", Of::Any)]),
            (
                Step::Handle,
                vec![place("work", Of::AllBut(vec!["c".to_owned()]))],
            ),
            (
                Step::Verify,
                vec![
                    place("look", Of::Any),
                    place("work", Of::Only(vec!["c".to_owned()])),
                ],
            ),
            (Step::Close, vec![place("old", Of::Any)]),
        ]);
        assert_eq!(found, expected);
    }
}
