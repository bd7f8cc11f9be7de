//! What was kept of a project at an earlier time: the changes since are taken back, newest first, each as the audit trail has it (what was
//! different before, what was different afterwards).

use crate::kept::Kept;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A change as the audit trail has it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The part, by its key in [`Kept`].
    pub section: &'a str,
    /// Of a list its rows that were there only before, of an object its keys that were otherwise, else the whole.
    pub old: &'a Value,
    /// The same of afterwards.
    pub new: &'a Value,
}

/// What was kept before these changes, which come newest first. Rows that were taken away stand at the end of their list, or where the row
/// that took their place stood. `None` when a change does not lead to what was kept after it: then the trail does not tell all.
pub fn before<'a>(kept: &Kept, steps: impl IntoIterator<Item = Step<'a>>) -> Option<Kept> {
    let mut kept = kept.clone();
    for Step { section, old, new } in steps {
        match section {
            "profile" => {
                let Value::Object(mut all) = serde_json::to_value(&kept.profile).ok()? else {
                    return None;
                };
                let is_so = |(key, value): (&String, &Value)| all.get(key) == Some(value);
                if !new.as_object()?.iter().all(is_so) {
                    return None;
                }
                all.extend(old.as_object()?.clone());
                kept.profile = serde_json::from_value(Value::Object(all)).ok()?;
            }
            "stage" => {
                if serde_json::to_value(kept.stage).ok()? != *new {
                    return None;
                }
                kept.stage = serde_json::from_value(old.clone()).ok()?;
            }
            "tasks" => rows(&mut kept.tasks, old, new)?,
            "milestones" => rows(&mut kept.milestones, old, new)?,
            "money" => rows(&mut kept.money, old, new)?,
            "procedures" => rows(&mut kept.procedures, old, new)?,
            "factors" => rows(&mut kept.factors, old, new)?,
            "risks" => rows(&mut kept.risks, old, new)?,
            "assets" => rows(&mut kept.assets, old, new)?,
            _ => return None,
        }
    }
    Some(kept)
}

/// Puts the rows of before in the place of those of afterwards, which must be there. They are compared as what they mean: a field that came
/// to be later is as if it had been empty.
fn rows<T: DeserializeOwned + PartialEq>(
    kept: &mut Vec<T>,
    old: &Value,
    new: &Value,
) -> Option<()> {
    let read = |rows: &Value| serde_json::from_value::<Vec<T>>(rows.clone()).ok();
    let mut old = read(old)?.into_iter();
    let mut is_kept = vec![true; kept.len()];
    for row in read(new)? {
        let at = (0..kept.len()).find(|at| is_kept[*at] && kept[*at] == row)?;
        is_kept[at] = false;
    }
    let mut all = Vec::with_capacity(kept.len() + old.len());
    for (row, is_kept) in std::mem::take(kept).into_iter().zip(is_kept) {
        if is_kept {
            all.push(row);
        } else {
            all.extend(old.next());
        }
    }
    all.extend(old);
    *kept = all;
    Some(())
}

/// What is kept, as it was to be judged at the end of a day: what was done afterwards was not done yet.
pub fn at_end_of(mut kept: Kept, day: Date) -> Kept {
    let by_then = |done: &mut Option<Date>| *done = done.filter(|done| *done <= day);
    for milestone in &mut kept.milestones {
        by_then(&mut milestone.done);
    }
    for task in &mut kept.tasks {
        by_then(&mut task.done);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::{Milestone, Stage, Task};
    use jiff::civil::date;
    use serde_json::json;

    fn milestone(name: &str, done: Option<Date>) -> Milestone {
        Milestone {
            name: name.into(),
            planned: date(2026, 3, 1),
            forecast: None,
            done,
            evidence: String::new(),
            photo: None,
        }
    }

    /// A step of the trail: its part, and what differed before and afterwards.
    type Row = (&'static str, Value, Value);

    fn back(kept: &Kept, trail: &[Row]) -> Option<Kept> {
        let steps = trail
            .iter()
            .map(|(section, old, new)| Step { section, old, new });
        before(kept, steps)
    }

    #[test]
    fn changes_are_taken_back_one_by_one() {
        let mut kept = Kept {
            stage: Stage::Building,
            milestones: vec![
                milestone("开工", Some(date(2026, 3, 2))),
                milestone("封顶", None),
                milestone("竣工", None),
            ],
            ..Kept::default()
        };
        kept.profile.organisation = Some("shuili".into());
        kept.profile.total_fen = Some(5);
        // Newest first; the last one is of a time when a milestone had no photo.
        let trail: [Row; 4] = [
            ("stage", json!("preparing"), json!("building")),
            (
                "milestones",
                json!([{"name": "开工", "planned": "2026-03-01", "forecast": null, "done": null, "evidence": "", "photo": null}]),
                json!([{"name": "开工", "planned": "2026-03-01", "forecast": null, "done": "2026-03-02", "evidence": "", "photo": null}]),
            ),
            (
                "profile",
                json!({"total_fen": null}),
                json!({"total_fen": 5}),
            ),
            (
                "milestones",
                json!([{"name": "移交", "planned": "2026-03-01"}]),
                json!([{"name": "封顶", "planned": "2026-03-01"}, {"name": "竣工", "planned": "2026-03-01"}]),
            ),
        ];
        let two = back(&kept, &trail[..2]).unwrap();
        assert_eq!(two.stage, Stage::Preparing);
        let names = |kept: &Kept| -> Vec<String> {
            kept.milestones.iter().map(|m| m.name.clone()).collect()
        };
        assert_eq!(names(&two), ["开工", "封顶", "竣工"]);
        assert_eq!(two.milestones[0], milestone("开工", None));
        let all = back(&kept, &trail).unwrap();
        assert_eq!(all.profile.total_fen, None);
        assert_eq!(all.profile.organisation.as_deref(), Some("shuili"));
        assert_eq!(names(&all), ["开工", "移交"]);
        assert_eq!(back(&kept, &[]).unwrap(), kept);
    }

    #[test]
    fn a_trail_that_does_not_lead_here_is_told_from_one_that_does() {
        let kept = Kept {
            milestones: vec![milestone("开工", None)],
            ..Kept::default()
        };
        for step in [
            ("stage", json!("reserve"), json!("building")),
            (
                "milestones",
                json!([]),
                json!([{"name": "开工", "planned": "2026-03-05"}]),
            ),
            (
                "milestones",
                json!([]),
                json!([{"name": "开工", "planned": "2026-03-01", "colour": "red"}]),
            ),
            // One row cannot have come twice.
            (
                "milestones",
                json!([]),
                json!([{"name": "开工", "planned": "2026-03-01"}, {"name": "开工", "planned": "2026-03-01"}]),
            ),
            ("profile", json!({}), json!({"note": "x"})),
            ("profile", json!(null), json!({})),
            ("photos", json!([]), json!([])),
        ] {
            assert_eq!(back(&kept, std::slice::from_ref(&step)), None, "{step:?}");
        }
    }

    #[test]
    fn what_was_done_afterwards_was_not_done_yet() {
        let kept = Kept {
            milestones: vec![
                milestone("开工", Some(date(2026, 3, 31))),
                milestone("封顶", Some(date(2026, 4, 1))),
            ],
            tasks: vec![Task {
                organisation: "jingxin".into(),
                task: "编制标准".into(),
                due: None,
                done: Some(date(2026, 4, 2)),
                progress: String::new(),
            }],
            ..Kept::default()
        };
        let then = at_end_of(kept, date(2026, 3, 31));
        assert_eq!(then.milestones[0].done, Some(date(2026, 3, 31)));
        assert_eq!((then.milestones[1].done, then.tasks[0].done), (None, None));
    }
}
