//! What of a project is refused, each with what, where and how to mend it in both languages. What is merely missing is not
//! refused: a project without money or milestones is shown as such.

use crate::kept::{Change, Kept, ProcedureState, RiskLevel};
use jiff::civil::Date;
use model::problem::both;
use model::{EntityId, Told};
use std::collections::BTreeSet;

/// Most rows of one part of a project.
pub const ROWS_MAX: usize = 100;
/// Longest name, characters.
pub const NAME_CHARS_MAX: usize = 120;
/// Longest other text, characters.
pub const TEXT_CHARS_MAX: usize = 1_000;
/// Most money of one figure, fen: 100 billion yuan, so that sums stay whole numbers wherever they are reckoned.
pub const FEN_MAX: i64 = 10_000_000_000_000;
/// The first and the last year that days and money may speak of.
pub const YEARS: [i16; 2] = [2000, 2100];

type Checked = Result<(), Told>;

/// Where in a part something is wrong: its row, counted from 1 for people, and its field.
struct Place(&'static str, Option<usize>, &'static str);

impl Place {
    fn both(&self) -> model::problem::Both {
        let Self(section, row, field) = self;
        match row {
            Some(row) => both(
                format!("{section} 第 {} 行：{field}", row + 1),
                format!("{section}.{row}.{field}"),
            ),
            None => both(format!("{section}：{field}"), format!("{section}.{field}")),
        }
    }

    fn wrong(&self, code: &str, what: [&str; 2], mend: [&str; 2]) -> Told {
        Told::new(
            code,
            both(what[0], what[1]),
            self.both(),
            both(mend[0], mend[1]),
        )
    }

    fn text(&self, text: &str, chars_min: usize, chars_max: usize) -> Checked {
        let chars = text.trim().chars().count();
        if (chars_min..=chars_max).contains(&chars) {
            return Ok(());
        }
        Err(Told::new(
            "project-text",
            both(
                format!("有 {chars} 个字"),
                format!("it has {chars} characters"),
            ),
            self.both(),
            both(
                format!("请写 {chars_min} 到 {chars_max} 个字"),
                format!("write {chars_min} to {chars_max} characters"),
            ),
        ))
    }

    fn day(&self, day: Option<Date>) -> Checked {
        match day {
            Some(day) if !(YEARS[0]..=YEARS[1]).contains(&day.year()) => Err(self.year(day.year())),
            _ => Ok(()),
        }
    }

    fn year(&self, year: i16) -> Told {
        Told::new(
            "project-year",
            both(format!("年份 {year}"), format!("the year {year}")),
            self.both(),
            both(
                format!("请写 {} 到 {} 年之间的日期", YEARS[0], YEARS[1]),
                format!("write a date from {} to {}", YEARS[0], YEARS[1]),
            ),
        )
    }

    /// A day on which something happened: not one that is still to come.
    fn past(&self, day: Option<Date>, today: Date) -> Checked {
        self.day(day)?;
        if day.is_some_and(|day| day > today) {
            return Err(self.wrong(
                "project-future",
                ["这一天还没有到", "that day is still to come"],
                [
                    "已完成的日期不能晚于今天",
                    "what was done has a day up to today",
                ],
            ));
        }
        Ok(())
    }

    fn fen(&self, fen: i64) -> Checked {
        if (0..=FEN_MAX).contains(&fen) {
            return Ok(());
        }
        Err(self.wrong(
            "project-fen",
            [
                "金额为负数，或超过一千亿元",
                "the amount is negative, or above 100 billion yuan",
            ],
            ["请以分为单位写整数", "write whole fen from 0"],
        ))
    }

    fn once<T: Ord>(&self, seen: &mut BTreeSet<T>, key: T) -> Checked {
        if seen.insert(key) {
            return Ok(());
        }
        Err(self.wrong(
            "project-twice",
            ["重复", "it is there twice"],
            ["请合并为一行", "make one row of both"],
        ))
    }
}

/// Whether a part may take the place of what is kept, on a day of the city's calendar.
///
/// # Errors
/// The first thing that is wrong.
pub fn change(change: &Change, kept: &Kept, today: Date) -> Checked {
    match change {
        Change::Profile { profile } => {
            let place = |field| Place("profile", None, field);
            place("start").day(profile.start)?;
            place("end").day(profile.end)?;
            if let (Some(start), Some(end)) = (profile.start, profile.end)
                && end < start
            {
                return Err(place("end").wrong(
                    "project-dates",
                    ["结束日期早于开始日期", "the end is before the start"],
                    ["请改正其中一个日期", "put one of the two days right"],
                ));
            }
            place("total_fen").fen(profile.total_fen.unwrap_or(0))?;
            place("note").text(&profile.note, 0, TEXT_CHARS_MAX)
        }
        Change::Stage { .. } => Ok(()),
        Change::Tasks { tasks } => rows("tasks", tasks, |at, task| {
            let place = |field| Place("tasks", Some(at), field);
            place("task").text(&task.task, 1, TEXT_CHARS_MAX)?;
            place("due").day(task.due)?;
            place("progress").text(&task.progress, 0, TEXT_CHARS_MAX)?;
            place("done").past(task.done, today)
        }),
        Change::Milestones { milestones } => {
            let mut names = BTreeSet::new();
            rows("milestones", milestones, |at, milestone| {
                let place = |field| Place("milestones", Some(at), field);
                place("name").text(&milestone.name, 1, NAME_CHARS_MAX)?;
                place("name").once(&mut names, milestone.name.trim().to_owned())?;
                place("planned").day(Some(milestone.planned))?;
                place("forecast").day(milestone.forecast)?;
                place("done").past(milestone.done, today)?;
                // A photo of the site stands for words.
                let evidence_min =
                    usize::from(milestone.done.is_some() && milestone.photo.is_none());
                place("evidence").text(&milestone.evidence, evidence_min, TEXT_CHARS_MAX)?;
                moved(&place("planned"), milestone, kept)
            })
        }
        Change::Money { money } => {
            let mut seen = BTreeSet::new();
            rows("money", money, |at, row| {
                let place = |field| Place("money", Some(at), field);
                if !(YEARS[0]..=YEARS[1]).contains(&row.year) {
                    return Err(place("year").year(row.year));
                }
                place("source").once(&mut seen, (row.source, row.year))?;
                place("planned_fen").fen(row.planned_fen)?;
                place("arranged_fen").fen(row.arranged_fen)?;
                place("paid_fen").fen(row.paid_fen)
            })
        }
        Change::Procedures { procedures } => {
            let mut names = BTreeSet::new();
            rows("procedures", procedures, |at, procedure| {
                let place = |field| Place("procedures", Some(at), field);
                place("name").text(&procedure.name, 1, NAME_CHARS_MAX)?;
                place("name").once(&mut names, procedure.name.trim().to_owned())?;
                let number_min = usize::from(procedure.state == ProcedureState::Granted);
                place("number").text(&procedure.number, number_min, NAME_CHARS_MAX)?;
                place("decided").past(procedure.decided, today)
            })
        }
        Change::Factors { factors } => rows("factors", factors, |at, factor| {
            let place = |field| Place("factors", Some(at), field);
            place("need").text(&factor.need, 1, TEXT_CHARS_MAX)?;
            place("missing").text(&factor.missing, 0, TEXT_CHARS_MAX)
        }),
        Change::Risks { risks } => rows("risks", risks, |at, risk| {
            let place = |field| Place("risks", Some(at), field);
            place("risk").text(&risk.risk, 1, TEXT_CHARS_MAX)?;
            let measure_min = usize::from(risk.level != RiskLevel::Low);
            place("measure").text(&risk.measure, measure_min, TEXT_CHARS_MAX)
        }),
        Change::Assets { assets } => {
            let mut ids = BTreeSet::new();
            rows("assets", assets, |at, asset| {
                let place = |field| Place("assets", Some(at), field);
                if EntityId::new(&asset.entity_id).is_err() {
                    return Err(place("entity_id").wrong(
                        "project-asset",
                        ["不是对象编号", "it is no id of a thing"],
                        ["请从地图或台账里选取", "take it from the map or a register"],
                    ));
                }
                place("entity_id").once(&mut ids, asset.entity_id.clone())?;
                place("note").text(&asset.note, 0, TEXT_CHARS_MAX)
            })
        }
    }
}

fn rows<T>(section: &'static str, all: &[T], mut one: impl FnMut(usize, &T) -> Checked) -> Checked {
    if all.len() > ROWS_MAX {
        return Err(Told::new(
            "project-rows",
            both(
                format!("有 {} 行", all.len()),
                format!("there are {} rows", all.len()),
            ),
            section,
            both(
                format!("最多 {ROWS_MAX} 行"),
                format!("write at most {ROWS_MAX}"),
            ),
        ));
    }
    all.iter()
        .enumerate()
        .try_for_each(|(at, row)| one(at, row))
}

/// The planned day of a milestone that was reached stays: whether it was kept is judged by it.
fn moved(place: &Place, new: &crate::kept::Milestone, kept: &Kept) -> Checked {
    let before = kept.milestones.iter().find(|old| old.name == new.name);
    if before.is_some_and(|old| old.done.is_some() && old.planned != new.planned) {
        return Err(place.wrong(
            "project-planned",
            [
                "已完成的里程碑不能改计划日期",
                "the planned day of a milestone that was reached stays",
            ],
            [
                "请保留原计划日期，是否按期由它判断",
                "leave the day as it was planned",
            ],
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::{Asset, Milestone, Money, Procedure, Profile, Risk, Source, Stage, Task};
    use jiff::civil::date;

    const TODAY: Date = date(2026, 6, 15);

    fn milestone(name: &str) -> Milestone {
        Milestone {
            name: name.to_owned(),
            planned: date(2026, 6, 30),
            forecast: None,
            done: None,
            evidence: String::new(),
            photo: None,
        }
    }

    fn money(year: i16, planned_fen: i64) -> Money {
        Money {
            source: Source::City,
            year,
            planned_fen,
            arranged_fen: 0,
            paid_fen: 0,
        }
    }

    /// The code and the place of what is refused.
    fn refused(part: Change) -> Option<(String, String)> {
        change(&part, &Kept::default(), TODAY)
            .err()
            .map(|told| (told.code, told.place.en))
    }

    fn is(code: &str, place: &str) -> Option<(String, String)> {
        Some((code.to_owned(), place.to_owned()))
    }

    #[test]
    fn an_end_before_its_start_is_refused_and_the_same_day_is_not() {
        let profile = |start, end| Change::Profile {
            profile: Profile {
                start,
                end,
                ..Profile::default()
            },
        };
        let (early, late) = (Some(date(2026, 1, 1)), Some(date(2026, 1, 2)));
        assert_eq!(
            refused(profile(late, early)),
            is("project-dates", "profile.end")
        );
        assert_eq!(refused(profile(early, early)), None);
        assert_eq!(refused(profile(early, None)), None);
        assert_eq!(
            refused(profile(None, Some(date(1999, 12, 31)))),
            is("project-year", "profile.end")
        );
        let told = change(&profile(late, early), &Kept::default(), TODAY).unwrap_err();
        assert_eq!(told.what.zh, "结束日期早于开始日期");
    }

    #[test]
    fn a_milestone_that_was_reached_has_evidence_and_a_day_that_has_come() {
        let all = |last: Milestone| Change::Milestones {
            milestones: vec![milestone("开工"), last],
        };
        let done = Milestone {
            done: Some(TODAY),
            evidence: "验收单 3 号".into(),
            ..milestone("竣工")
        };
        assert_eq!(refused(all(done.clone())), None);
        let without = Milestone {
            evidence: " ".into(),
            ..done.clone()
        };
        assert_eq!(
            refused(all(without.clone())),
            is("project-text", "milestones.1.evidence")
        );
        let shown = Milestone {
            photo: Some(7),
            ..without
        };
        assert_eq!(refused(all(shown)), None, "a photo of the site shows it");
        let future = Milestone {
            done: Some(date(2026, 6, 16)),
            ..done.clone()
        };
        assert_eq!(
            refused(all(future)),
            is("project-future", "milestones.1.done")
        );
        assert_eq!(
            refused(all(milestone("开工"))),
            is("project-twice", "milestones.1.name")
        );
        // Once reached, it is judged by the day that was planned.
        let kept = Kept {
            milestones: vec![done.clone()],
            ..Kept::default()
        };
        let later = Change::Milestones {
            milestones: vec![Milestone {
                planned: date(2026, 7, 30),
                ..done
            }],
        };
        let told = change(&later, &kept, TODAY).unwrap_err();
        assert_eq!(told.code, "project-planned");
    }

    #[test]
    fn money_is_whole_and_once_a_source_and_year() {
        let of = |money| refused(Change::Money { money });
        assert_eq!(of(vec![]), None);
        assert_eq!(of(vec![money(2025, 1), money(2026, FEN_MAX)]), None);
        assert_eq!(
            of(vec![money(2025, 1), money(2025, 2)]),
            is("project-twice", "money.1.source")
        );
        assert_eq!(
            of(vec![money(2025, -1)]),
            is("project-fen", "money.0.planned_fen")
        );
        assert_eq!(
            of(vec![money(2025, FEN_MAX + 1)]),
            is("project-fen", "money.0.planned_fen")
        );
        assert_eq!(of(vec![money(1999, 1)]), is("project-year", "money.0.year"));
        let many = (0..=100).map(|n| money(2000 + n, 1)).collect();
        assert_eq!(of(many), is("project-rows", "money"));
    }

    #[test]
    fn the_rest_says_what_it_must() {
        let procedure = |state, number: &str| Change::Procedures {
            procedures: vec![Procedure {
                name: "施工许可".into(),
                state,
                number: number.into(),
                decided: None,
            }],
        };
        assert_eq!(
            refused(procedure(ProcedureState::Granted, "")),
            is("project-text", "procedures.0.number")
        );
        assert_eq!(refused(procedure(ProcedureState::Applied, "")), None);
        let risk = |level| Change::Risks {
            risks: vec![Risk {
                risk: "汛期".into(),
                level,
                measure: String::new(),
                over: false,
            }],
        };
        assert_eq!(
            refused(risk(RiskLevel::High)),
            is("project-text", "risks.0.measure")
        );
        assert_eq!(refused(risk(RiskLevel::Low)), None);
        let assets = ["urn:ngsi-ld:X:1", "urn:ngsi-ld:X:1"];
        let assets = assets.map(|id| Asset {
            entity_id: id.into(),
            note: String::new(),
        });
        assert_eq!(
            refused(Change::Assets {
                assets: assets.into()
            }),
            is("project-twice", "assets.1.entity_id")
        );
        let task = Task {
            organisation: "shuili".into(),
            task: String::new(),
            due: None,
            done: None,
            progress: String::new(),
        };
        assert_eq!(
            refused(Change::Tasks { tasks: vec![task] }),
            is("project-text", "tasks.0.task")
        );
        assert_eq!(
            refused(Change::Stage {
                stage: Stage::Building
            }),
            None
        );
    }
}
