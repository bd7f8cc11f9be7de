//! Reminders (督办) that are due by rule: for a milestone that is overdue, and for a monthly report that is late. The plan office sends
//! them; it may remind of anything else in its own words.

use crate::months::{Facts, Month, ReportState};
use crate::status::MilestoneState;
use jiff::civil::Date;

/// How many months back late reports are reminded of.
pub const MONTHS_BACK: usize = 3;

/// What a reminder is about; its word is kept, so that nobody is reminded of one thing twice at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A milestone, by name.
    Milestone(String),
    /// The report of a month.
    Report(Month),
    /// Something else, in the office's words.
    Other,
}

impl About {
    /// The word that is kept.
    pub fn word(&self) -> String {
        match self {
            Self::Milestone(name) => format!("milestone:{name}"),
            Self::Report(month) => format!("report:{month}"),
            Self::Other => "other".to_owned(),
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(name) = word.strip_prefix("milestone:") {
            return Some(Self::Milestone(name.to_owned()));
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
            Self::Report(month) => format!("督办：{project}——未报 {month} 月调度"),
            Self::Other => format!("督办：{project}"),
        }
    }
}

/// What the organisation of a project is to be reminded of on a day; nothing where nobody answers for it or it was ended.
pub fn due(facts: &Facts<'_>, day: Date) -> Vec<About> {
    if facts.ended.is_some() || facts.kept.profile.organisation.is_none() {
        return Vec::new();
    }
    let overdue = facts.kept.milestones.iter();
    let overdue = overdue.filter(|m| m.state(day) == MilestoneState::Overdue);
    let mut all: Vec<About> = overdue.map(|m| About::Milestone(m.name.clone())).collect();
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
    }

    #[test]
    fn words_lead_back() {
        for about in [
            About::Milestone("a:b".into()),
            About::Report(Month::new(2026, 3).unwrap()),
            About::Other,
        ] {
            assert_eq!(About::parse(&about.word()), Some(about));
        }
        assert_eq!(About::parse("report:2026-3"), None);
        assert_eq!(About::parse(""), None);
    }
}
