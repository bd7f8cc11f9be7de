//! The monthly circular (通报): how the goals stood at the month's end, who is behind by how much, projects that are late or in danger,
//! reminders, months that were not stated, and claims that differ.

use super::gathered::{Gathered, Goal};
use super::words::{float, none, shown};
use duty::official::{Level, Official, Words};
use indicators::Status;
use projects::months::{Month, ReportState};
use projects::status::Status as Standing;

/// Writes the circular of a month.
pub(super) fn write(made: &mut Official, all: &Gathered, month: Month) {
    let of = all.month(month);
    made.title = all.pick(
        format!("关于{of}规划指标和重点项目进展情况的通报"),
        format!("Circular on indicators and key projects, {of}"),
    );
    made.text(all.pick(
        format!(
            "现将{of}规划指标和重点项目进展情况通报如下。{}",
            all.as_of()
        ),
        all.as_of(),
    ));

    made.heading(Level::First, all.pick("规划指标", "Indicators"));
    made.heading(Level::Second, all.pick("总体情况", "Overall"));
    made.text(all.goal_sums());
    made.heading(Level::Second, all.pick("滞后指标", "Behind"));
    behind(made, all);
    made.heading(Level::Second, all.pick("无依据的指标", "Without proof"));
    all.without_proof(made);
    made.heading(
        Level::Second,
        all.pick("填报与实测对照", "Claimed and measured"),
    );
    all.claim_table(made);

    made.heading(Level::First, all.pick("重点项目", "Key projects"));
    made.heading(Level::Second, all.pick("总体情况", "Overall"));
    made.text(project_sums(all));
    made.heading(
        Level::Second,
        all.pick("滞后和有风险的项目", "Late or at risk"),
    );
    endangered(made, all);
    made.heading(Level::Second, all.pick("月调度填报", "Monthly reports"));
    not_stated(made, all, month);
    made.heading(Level::Second, all.pick("督办", "Reminders"));
    all.reminder_table(made);

    made.heading(Level::First, all.pick("工作要求", "What is asked"));
    let due = all.day(month.due());
    made.text(all.pick(
        format!(
            "请滞后指标和滞后项目的责任单位查明原因、明确完成时限，通过平台填报进展；尚未填报{of}调度情况的单位请于{due}前补报；\
             无依据的指标请责任单位尽快填报数值并附依据；填报值与实测值不一致的，请核实后更正。"
        ),
        format!(
            "Units whose indicators or projects are behind find out why, say by when it is made good, and report on the platform; reports of {of} \
             are due by {due}; indicators without proof are reported with their evidence; claims that differ are checked and corrected."
        ),
    ));
}

fn behind(made: &mut Official, all: &Gathered) {
    let mut late: Vec<&Goal> = all.goals.iter().collect();
    late.retain(|goal| goal.figure.is_ok() && goal.status == Status::Behind);
    // By unit, those of nobody last; within a unit as the plan lists them.
    late.sort_by_key(|goal| {
        let unit = goal.d.responsible.clone();
        (unit.is_none(), unit)
    });
    let rows = late.into_iter().map(|goal| {
        let d = &goal.d;
        let gap = goal
            .value()
            .zip(goal.expected)
            .map(|(is, should)| is - should);
        vec![
            all.unit(d.responsible.as_deref()).into(),
            all.goal_name(d),
            all.value(d, goal.value()),
            all.value(d, goal.expected),
            gap.map_or_else(none, |gap| {
                Words::default().figure(signed(gap), gap, all.goal_page(d))
            }),
        ]
    });
    let title = all.pick("滞后指标（按责任单位）", "Indicators behind, by unit");
    let columns = [
        (all.pick("责任单位", "Unit"), 5),
        (all.pick("指标", "Indicator"), 7),
        (all.pick("现值", "Value"), 3),
        (all.pick("应达到", "Expected"), 3),
        (all.pick("差距", "Gap"), 3),
    ];
    let rows = rows.collect();
    made.table(
        title,
        &columns,
        rows,
        all.pick("没有滞后的指标。", "No indicator is behind."),
    );
}

fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", shown(value))
}

fn project_sums(all: &Gathered) -> Words {
    let of = |status| {
        all.projects
            .iter()
            .filter(|p| p.status(all.day) == status)
            .count()
    };
    let figure = |words: Words, count: usize, page: &str| {
        words.figure(count.to_string(), float(count), all.projects_page(page))
    };
    let words = Words::from(all.pick("入库重点项目", "Of "));
    let words =
        figure(words, all.projects.len(), "").text(all.pick("个，其中滞后", " key projects "));
    let words = figure(words, of(Standing::Late), "?status=late")
        .text(all.pick("个，有风险", " were late, "));
    let words = figure(words, of(Standing::AtRisk), "?status=at_risk")
        .text(all.pick("个，未排里程碑", " at risk, "));
    let words = figure(words, of(Standing::NoMilestones), "?status=no_milestones")
        .text(all.pick("个，已完成", " without milestones, "));
    figure(words, of(Standing::Finished), "?status=finished").text(all.pick("个。", " finished."))
}

fn endangered(made: &mut Official, all: &Gathered) {
    let mut rows = Vec::new();
    for standing in [Standing::Late, Standing::AtRisk] {
        let of_it = all
            .projects
            .iter()
            .filter(|p| p.status(all.day) == standing);
        rows.extend(of_it.map(|project| {
            vec![
                all.project_name(project),
                all.unit(project.kept.profile.organisation.as_deref())
                    .into(),
                all.standing(standing).into(),
                all.findings(project),
            ]
        }));
    }
    let title = all.pick("滞后和有风险的重点项目", "Key projects late or at risk");
    let columns = [
        (all.pick("项目", "Project"), 6),
        (all.pick("责任单位", "Unit"), 5),
        (all.pick("状态", "Status"), 2),
        (all.pick("情况", "What"), 6),
    ];
    let none = all.pick("没有滞后或有风险的项目。", "No project is late or at risk.");
    made.table(title, &columns, rows, none);
}

fn not_stated(made: &mut Official, all: &Gathered, month: Month) {
    let stated = all.stated(month);
    let missing = stated
        .iter()
        .filter(|s| matches!(s.state, ReportState::Missing | ReportState::Open));
    let rows = missing.map(|s| {
        vec![
            all.project_name(s.project),
            all.unit(s.project.kept.profile.organisation.as_deref())
                .into(),
            month.due().to_string().into(),
            all.report_state(s.state).into(),
        ]
    });
    let page = all.projects_page(&format!("?view=months&month={month}"));
    let done = stated.iter().filter(|s| s.report.is_some()).count();
    let should = Words::from(all.pick("本月应报项目", "Of "));
    let should = should
        .figure(stated.len().to_string(), float(stated.len()), page.as_str())
        .text(all.pick("个，已报", " projects that owe a report, "));
    made.text(
        should
            .figure(done.to_string(), float(done), page)
            .text(all.pick("个。", " made it.")),
    );
    let title = all.pick("未填报月调度的项目", "Projects without a report");
    let columns = [
        (all.pick("项目", "Project"), 6),
        (all.pick("责任单位", "Unit"), 5),
        (all.pick("截止日期", "Due"), 3),
        (all.pick("状态", "State"), 3),
    ];
    let rows = rows.collect();
    made.table(
        title,
        &columns,
        rows,
        all.pick("没有未报的项目。", "No report is missing."),
    );
}
