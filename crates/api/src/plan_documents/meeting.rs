//! The pack of the monthly dispatch meeting (会议材料): what was stated for the month before by unit, with what is asked; milestones of the
//! month and the next; money, risks and reminders.

use super::gathered::{Gathered, ProjectAt, Stated};
use super::words::{float, none, shown};
use duty::official::{Level, Official, Words};
use jiff::civil::Date;
use projects::months::Month;
use projects::reminders::About;
use projects::status::{MilestoneState, Sums};
use std::collections::BTreeMap;

/// Writes the pack of a month's meeting.
pub(super) fn write(made: &mut Official, all: &Gathered, month: Month) {
    let of = all.month(month);
    let before = month.first().yesterday().map_or(month, Month::of);
    let next = month.last().tomorrow().map_or(month, Month::of);
    made.title = all.pick(
        format!("{of}重点项目调度会会议材料"),
        format!("Pack of the dispatch meeting, {of}"),
    );
    made.text(all.as_of());

    made.heading(Level::First, all.pick("会议议程", "Agenda"));
    let last = all.month(before);
    let agenda = [
        all.pick(
            format!("通报{last}调度情况，听取责任单位汇报"),
            format!("dispatch of {last} by unit"),
        ),
        all.pick("研究提请协调的事项", "what is asked").to_owned(),
        all.pick("明确近期里程碑", "milestones to come").to_owned(),
        all.pick("通报资金情况", "money").to_owned(),
        all.pick("研判风险", "risks").to_owned(),
        all.pick("督办事项", "reminders").to_owned(),
    ];
    for (n, item) in (1..).zip(agenda) {
        made.text(all.pick(format!("{n}．{item}。"), format!("({n}) {item}")));
    }

    made.heading(
        Level::First,
        all.pick(format!("{last}调度情况"), format!("Dispatch of {last}")),
    );
    dispatch(made, all, before);
    made.heading(Level::First, all.pick("里程碑", "Milestones"));
    milestones(made, all, (month, next));
    made.heading(Level::First, all.pick("资金", "Money"));
    money(made, all, month.first().year());
    made.heading(Level::First, all.pick("风险", "Risks"));
    risks(made, all);
    made.heading(Level::First, all.pick("督办", "Reminders"));
    all.reminder_table(made);
}

fn dispatch(made: &mut Official, all: &Gathered, month: Month) {
    let stated = all.stated(month);
    let page = all.projects_page(&format!("?view=months&month={month}"));
    let done = stated.iter().filter(|s| s.report.is_some()).count();
    made.text(
        Words::from(all.pick("应报项目", "Of "))
            .figure(stated.len().to_string(), float(stated.len()), page.as_str())
            .text(all.pick("个，已报", " projects that owe a report, "))
            .figure(done.to_string(), float(done), page)
            .text(all.pick("个。", " made it.")),
    );
    let mut units: BTreeMap<String, Vec<&Stated<'_>>> = BTreeMap::new();
    for one in &stated {
        let answers = one.project.kept.profile.organisation.clone();
        let then = one.report.map(|report| report.organisation_id.clone());
        units
            .entry(then.or(answers).unwrap_or_default())
            .or_default()
            .push(one);
    }
    for (unit, all_of_it) in units {
        let name = all.unit(Some(&unit));
        made.heading(Level::Second, &name);
        let rows = all_of_it.into_iter().map(|one| {
            let said = |pick: fn(&records::projects::ProjectReport) -> &String| -> Words {
                match one.report.map(|report| pick(report).trim()) {
                    Some("") | None => none(),
                    Some(text) => text.into(),
                }
            };
            vec![
                all.project_name(one.project),
                all.report_state(one.state).into(),
                said(|report| &report.progress),
                said(|report| &report.problems),
                asks(all, one.project),
            ]
        });
        let rows = rows.collect();
        let columns = [
            (all.pick("项目", "Project"), 4),
            (all.pick("填报", "Report"), 2),
            (all.pick("进展", "Progress"), 5),
            (all.pick("存在问题", "Problems"), 5),
            (all.pick("提请事项", "What is asked"), 4),
        ];
        made.table(name, &columns, rows, "");
    }
    let nobody = all.projects.iter();
    let nobody = nobody
        .filter(|p| p.row.ended_at.is_none() && p.kept.profile.organisation.is_none())
        .count();
    if nobody > 0 {
        let page = all.projects_page("?organisation=none");
        made.text(
            Words::from(all.pick("另有", "Besides, "))
                .figure(nobody.to_string(), float(nobody), page)
                .text(all.pick(
                    "个项目未定责任单位，无人填报，请会议明确。",
                    " projects have no responsible unit: the meeting names one.",
                )),
        );
    }
}

/// What of a project is to be settled: what a reminder is due of, and what it lacks.
fn asks(all: &Gathered, project: &ProjectAt) -> Words {
    let due = project.due.iter();
    let due = due.filter(|about| matches!(about, About::Milestone(_) | About::Task { .. }));
    let mut said: Vec<String> = due.map(|about| all.about(about)).collect();
    for factor in &project.kept.factors {
        let missing = factor.missing.trim();
        if !missing.is_empty() {
            said.push(all.pick(
                format!("要素缺口：{missing}"),
                format!("missing: {missing}"),
            ));
        }
    }
    match said.is_empty() {
        true => none(),
        false => said.join(all.pick("；", "; ")).into(),
    }
}

fn milestones(made: &mut Official, all: &Gathered, (from, until): (Month, Month)) {
    let (first, last) = (from.first(), until.last());
    let mut found: Vec<(Date, Vec<Words>)> = Vec::new();
    for project in all.projects.iter().filter(|p| p.row.ended_at.is_none()) {
        for milestone in project.kept.milestones.iter().filter(|m| m.done.is_none()) {
            let state = milestone.state(all.today);
            let is_late = state == MilestoneState::Overdue;
            if !is_late && !(first..=last).contains(&milestone.planned) {
                continue;
            }
            let late = milestone.days_late(all.today);
            let late = match usize::try_from(late) {
                Ok(late) if late > 0 => all.count(late, all.project_page(&project.row.id)),
                _ => none(),
            };
            found.push((
                milestone.planned,
                vec![
                    milestone.planned.to_string().into(),
                    all.project_name(project),
                    milestone.name.as_str().into(),
                    all.unit(project.kept.profile.organisation.as_deref())
                        .into(),
                    all.milestone(state).into(),
                    late,
                ],
            ));
        }
    }
    found.sort_by_key(|(planned, _)| *planned);
    let title = all.pick(
        "本月和下月到期及已逾期的里程碑",
        "Milestones of this month and the next, and overdue",
    );
    let columns = [
        (all.pick("计划日期", "Planned"), 3),
        (all.pick("项目", "Project"), 5),
        (all.pick("里程碑", "Milestone"), 4),
        (all.pick("责任单位", "Unit"), 4),
        (all.pick("状态", "State"), 3),
        (all.pick("逾期天数", "Days late"), 2),
    ];
    let rows = found.into_iter().map(|(_, row)| row).collect();
    let none = all.pick(
        "没有到期或逾期的里程碑。",
        "No milestone is due or overdue.",
    );
    made.table(title, &columns, rows, none);
}

fn money(made: &mut Official, all: &Gathered, year: i16) {
    let (mut rows, mut total) = (Vec::new(), Sums::default());
    for project in &all.projects {
        let of_year = project.kept.money.iter().filter(|row| row.year == year);
        let sums = Sums::of(of_year);
        if sums == Sums::default() {
            continue;
        }
        total.planned_fen += sums.planned_fen;
        total.arranged_fen += sums.arranged_fen;
        total.paid_fen += sums.paid_fen;
        let page = all.project_page(&project.row.id);
        rows.push(money_row(all, all.project_name(project), &sums, &page));
    }
    if rows.len() > 1 {
        let name = all.pick("合计", "Total").into();
        rows.push(money_row(all, name, &total, &all.projects_page("")));
    }
    let title = all.pick(
        format!("{year}年资金（万元）"),
        format!("Money of {year}, ten thousand yuan"),
    );
    let columns = [
        (all.pick("项目", "Project"), 6),
        (all.pick("计划", "Planned"), 3),
        (all.pick("到位", "Arranged"), 3),
        (all.pick("支付", "Paid"), 3),
        (all.pick("支付率（%）", "Paid, %"), 3),
    ];
    let none = all.pick(
        format!("{year}年没有资金记录。"),
        format!("No money of {year} is recorded."),
    );
    made.table(title, &columns, rows, &none);
}

#[expect(clippy::cast_precision_loss, reason = "a share is told in hundredths")]
fn money_row(all: &Gathered, name: Words, sums: &Sums, page: &str) -> Vec<Words> {
    let share = match sums.planned_fen {
        0 => none(),
        planned => {
            let share = sums.paid_fen as f64 / planned as f64 * 100.0;
            Words::default().figure(shown(share), share, page)
        }
    };
    vec![
        name,
        all.money(sums.planned_fen, page),
        all.money(sums.arranged_fen, page),
        all.money(sums.paid_fen, page),
        share,
    ]
}

fn risks(made: &mut Official, all: &Gathered) {
    let mut rows = Vec::new();
    for project in all.projects.iter().filter(|p| p.row.ended_at.is_none()) {
        for risk in project.kept.risks.iter().filter(|risk| !risk.over) {
            let measure = match risk.measure.trim() {
                "" => none(),
                measure => measure.into(),
            };
            rows.push(vec![
                all.project_name(project),
                risk.risk.as_str().into(),
                all.risk(risk.level).into(),
                measure,
            ]);
        }
    }
    let title = all.pick("未解除的风险", "Open risks");
    let columns = [
        (all.pick("项目", "Project"), 5),
        (all.pick("风险", "Risk"), 6),
        (all.pick("等级", "Level"), 2),
        (all.pick("措施", "Measure"), 6),
    ];
    made.table(
        title,
        &columns,
        rows,
        all.pick("没有未解除的风险。", "No risk is open."),
    );
}
