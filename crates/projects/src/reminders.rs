//! Reminders (督办) that are due by rule: for a milestone that is overdue, for a member department's task that is overdue, and for a monthly
//! report that is late. The plan office sends them; it may remind of anything else in its own words.

use crate::kept::Task;
use crate::months::{Facts, Month, ReportState};
use crate::status::{MilestoneState, TaskState};
use jiff::civil::Date;

/// How many months back late reports are reminded of.
pub const MONTHS_BACK: usize = 3;

/// What a reminder is about; its word is kept, so that nobody is reminded of one thing twice at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A milestone, by name.
    Milestone(String),
    /// A task of a member department.
    Task {
        /// The department, by id, which is who is reminded.
        organisation: String,
        /// What it does.
        task: String,
    },
    /// The report of a month.
    Report(Month),
    /// Something else, in the office's words.
    Other,
}

/// Characters of a task that stand in the title of a case.
const TITLE_TASK_CHARS: usize = 40;

impl From<&Task> for About {
    fn from(task: &Task) -> Self {
        Self::Task {
            organisation: task.organisation.clone(),
            task: task.task.clone(),
        }
    }
}

impl About {
    /// The word that is kept.
    pub fn word(&self) -> String {
        match self {
            Self::Milestone(name) => format!("milestone:{name}"),
            Self::Task { organisation, task } => format!("task:{organisation}:{task}"),
            Self::Report(month) => format!("report:{month}"),
            Self::Other => "other".to_owned(),
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(name) = word.strip_prefix("milestone:") {
            return Some(Self::Milestone(name.to_owned()));
        }
        if let Some(task) = word.strip_prefix("task:") {
            let (organisation, task) = task.split_once(':')?;
            return Some(Self::Task {
                organisation: organisation.to_owned(),
                task: task.to_owned(),
            });
        }
        if let Some(month) = word.strip_prefix("report:") {
            return Month::parse(month).map(Self::Report);
        }
        (word == "other").then_some(Self::Other)
    }

    /// One line for the case, in Chinese.
    pub fn title_zh(&self, project: &str) -> String {
        match self {
            Self::Milestone(name) => format!("督办：{project}——里程碑“{name}”逾期"),
            Self::Task { task, .. } => {
                let short: String = task.chars().take(TITLE_TASK_CHARS).collect();
                let more = if short.len() < task.len() { "…" } else { "" };
                format!("督办：{project}——任务“{short}{more}”逾期")
            }
            Self::Report(month) => format!("督办：{project}——未报 {month} 月调度"),
            Self::Other => format!("督办：{project}"),
        }
    }
}

/// What the organisation of a project, and the departments that have its tasks, are to be reminded of on a day: nothing when it was ended, and
/// tasks alone where nobody answers for it.
pub fn due(facts: &Facts<'_>, day: Date) -> Vec<About> {
    if facts.ended.is_some() {
        return Vec::new();
    }
    let tasks = facts.kept.tasks.iter();
    let tasks = tasks.filter(|task| task.state(day) == TaskState::Overdue);
    let mut all: Vec<About> = tasks.map(About::from).collect();
    if facts.kept.profile.organisation.is_none() {
        return all;
    }
    let overdue = facts.kept.milestones.iter();
    let overdue = overdue.filter(|m| m.state(day) == MilestoneState::Overdue);
    // Milestones first: what they are late by is the project's own.
    all.splice(0..0, overdue.map(|m| About::Milestone(m.name.clone())));
    let mut last = day;
    for _ in 0..MONTHS_BACK {
        let Ok(before) = last.first_of_month().yesterday() else {
            break;
        };
        last = before;
        let month = Month::of(last);
        if facts.report(month, day) == Some(ReportState::Missing) {
            all.push(About::Report(month));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::{Kept, Milestone};
    use jiff::civil::date;

    #[test]
    fn what_is_overdue_and_late_is_reminded_of() {
        let milestone = |name: &str, planned| Milestone {
            name: name.into(),
            planned,
            forecast: None,
            done: None,
            evidence: String::new(),
            photo: None,
        };
        let mut kept = Kept {
            milestones: vec![
                milestone("开工", date(2026, 5, 1)),
                milestone("竣工", date(2026, 12, 1)),
            ],
            ..Kept::default()
        };
        let reports = [(Month::new(2026, 3).unwrap(), date(2026, 4, 1))];
        let day = date(2026, 6, 3);
        fn facts<'a>(
            (kept, reports): (&'a Kept, &'a [(Month, Date)]),
            ended: Option<Date>,
        ) -> Facts<'a> {
            Facts {
                id: "p",
                kept,
                created: date(2026, 2, 1),
                ended,
                reports,
            }
        }
        assert_eq!(due(&facts((&kept, &reports), None), day), Vec::new());
        kept.profile.organisation = Some("shuili".into());
        let words: Vec<_> = due(&facts((&kept, &reports), None), day)
            .iter()
            .map(About::word)
            .collect();
        // May is due on the 5th of June, March was reported; February is further back than is looked.
        assert_eq!(words, ["milestone:开工", "report:2026-04"]);
        assert_eq!(due(&facts((&kept, &reports), Some(day)), day), Vec::new());
        // A task is of its own department, whether anybody answers for the project or not.
        kept.tasks = vec![Task {
            organisation: "jingxin".into(),
            task: "编制标准：第一批".into(),
            due: Some(date(2026, 5, 31)),
            done: None,
            progress: String::new(),
        }];
        let words = |kept: &Kept| -> Vec<_> {
            let all = due(&facts((kept, &reports), None), day);
            all.iter().map(About::word).collect()
        };
        let task = "task:jingxin:编制标准：第一批";
        assert_eq!(words(&kept), ["milestone:开工", task, "report:2026-04"]);
        kept.profile.organisation = None;
        assert_eq!(words(&kept), [task]);
        kept.tasks[0].done = Some(day);
        assert_eq!(words(&kept), [""; 0]);
    }

    #[test]
    fn a_long_task_is_cut_in_the_title() {
        let about = |task: String| About::Task {
            organisation: "jingxin".into(),
            task,
        };
        let short = about("编制标准".into()).title_zh("智慧水利");
        assert_eq!(short, "督办：智慧水利——任务“编制标准”逾期");
        let long = about("长".repeat(41)).title_zh("智慧水利");
        assert!(long.contains(&format!("“{}…”", "长".repeat(40))), "{long}");
    }

    #[test]
    fn words_lead_back() {
        for about in [
            About::Milestone("a:b".into()),
            About::Task {
                organisation: "jingxin".into(),
                task: "a:b".into(),
            },
            About::Report(Month::new(2026, 3).unwrap()),
            About::Other,
        ] {
            assert_eq!(About::parse(&about.word()), Some(about));
        }
        assert_eq!(About::parse("task:jingxin"), None);
        assert_eq!(About::parse("report:2026-3"), None);
        assert_eq!(About::parse(""), None);
    }
}
