//! The yearly assessment (年度评估报告): every goal by its last figure at or before the year's end, with the share of the way and its proof;
//! projects by unit, by the rules of `projects::assess`; what has no proof, apart.

use super::gathered::{Gathered, Goal};
use super::words::{float, none, shown};
use duty::official::{Level, Official, Words};
use indicators::Status;

/// Writes the assessment of a year.
pub(super) fn write(made: &mut Official, all: &Gathered, year: i16) {
    made.title = all.pick(
        format!("{year}年度规划实施情况评估报告"),
        format!("Assessment of the plan's progress in {year}"),
    );
    made.text(all.as_of());

    made.heading(Level::First, all.pick("评估结论", "Conclusion"));
    made.text(all.goal_sums());
    made.text(conclusion(all, year));

    made.heading(Level::First, all.pick("指标完成情况", "Indicators"));
    goals(made, all);
    made.heading(
        Level::First,
        all.pick("无依据的指标", "Indicators without proof"),
    );
    all.without_proof(made);
    made.heading(
        Level::First,
        all.pick("填报与实测对照", "Claimed and measured"),
    );
    all.claim_table(made);
    made.heading(
        Level::First,
        all.pick("重点项目督导考核", "Key projects by unit"),
    );
    units(made, all, year);
    made.heading(Level::First, all.pick("评估方法", "Method"));
    made.text(all.pick(
        "指标按年末（年度未结束的，按生成当日）及以前最近一个有依据的数值评估：达到目标为已达标；未达标但不低于路径应达到的数值为进度正常，\
         否则为滞后。完成比例为（现值－基期值）÷（目标值－基期值），没有基期值的不计算。实时计算的指标以查询及其测算时间为依据，填报的指标以\
         各级审定的填报及其所附依据为依据；没有依据的数值不列入。重点项目按里程碑计划日期、年度资金和月调度填报计数，不打分。",
        "An indicator is judged by its last figure with proof at or before the year's end (today while the year runs): met when it reaches the target; \
         on path when it does not but is at or ahead of the path; else behind. The share of the way is (value - baseline) / (target - baseline), none without \
         a baseline. A computed figure is proved by its query and the time of measuring, a reported one by its approved report and the evidence \
         named there; a figure without proof is not told. Projects are counted by planned days of milestones, money of the year and monthly reports; there is no score.",
    ));
}

fn conclusion(all: &Gathered, year: i16) -> Words {
    let due = all.goals.iter().filter(|goal| goal.d.target_year <= year);
    let due: Vec<&Goal> = due.collect();
    if due.is_empty() {
        return all
            .pick(
                "本年度没有到期的目标。".to_owned(),
                "No target is due by the end of this year.".to_owned(),
            )
            .into();
    }
    let met = due.iter().filter(|goal| goal.status == Status::Met).count();
    let not_met = due
        .iter()
        .filter(|goal| goal.figure.is_ok() && goal.status != Status::Met)
        .count();
    let page = all.plan_page();
    let figure = |words: Words, n: usize| words.figure(n.to_string(), float(n), page.as_str());
    let words = figure(Words::from(all.pick("目标已到期的指标", "Of ")), due.len());
    let words = words.text(all.pick("项，其中达标", " indicators whose target is due, "));
    let words = figure(words, met).text(all.pick("项，未达标", " are met, "));
    let words = figure(words, not_met).text(all.pick("项，无依据不能评估", " are not, and "));
    figure(words, due.len() - met - not_met)
        .text(all.pick("项。", " cannot be judged for want of proof."))
}

fn goals(made: &mut Official, all: &Gathered) {
    let rows = all.goals.iter().filter(|goal| goal.figure.is_ok());
    let rows = rows.map(|goal| {
        let d = &goal.d;
        let share = goal.value().and_then(|value| d.share_of_way(value));
        let share = share.map_or_else(none, |share| {
            let percent = share * 100.0;
            Words::default().figure(shown(percent), percent, all.goal_page(d))
        });
        vec![
            all.goal_name(d),
            all.unit(d.responsible.as_deref()).into(),
            all.value(d, d.baseline),
            all.value(d, Some(d.target.edge(d.direction))),
            all.value(d, goal.value()),
            share,
            all.status(goal.status).into(),
            all.proof(goal),
        ]
    });
    let title = all.pick("指标完成情况", "Indicators");
    let columns = [
        (all.pick("指标", "Indicator"), 10),
        (all.pick("责任单位", "Unit"), 8),
        (all.pick("基期值", "Baseline"), 6),
        (all.pick("目标值", "Target"), 6),
        (all.pick("现值", "Value"), 6),
        (all.pick("完成比例\n（%）", "Way, %"), 7),
        (all.pick("结论", "Status"), 5),
        (all.pick("依据", "Proof"), 12),
    ];
    let rows = rows.collect();
    let none = all.pick(
        "没有有依据的指标。",
        "No indicator has a figure with proof.",
    );
    made.table(title, &columns, rows, none);
}

fn units(made: &mut Official, all: &Gathered, year: i16) {
    let page = |organisation: Option<&str>| {
        let id = organisation.unwrap_or("none");
        all.projects_page(&format!("?organisation={id}"))
    };
    let rows = all.units.iter().map(|unit| {
        let organisation = unit.organisation.as_deref();
        let page = page(organisation);
        let count = |n| all.count(n, page.as_str());
        vec![
            all.unit(organisation).into(),
            count(unit.projects),
            count(unit.kept),
            count(unit.late),
            count(unit.overdue),
            count(unit.reports_in_time),
            count(unit.reports_late),
            count(unit.reports_missing),
        ]
    });
    let title = all.pick("里程碑和月调度", "Milestones and reports");
    let columns = [
        (all.pick("责任单位", "Unit"), 6),
        (all.pick("项目数", "Projects"), 3),
        (all.pick("里程碑\n按期", "Kept"), 3),
        (all.pick("里程碑\n推迟", "Late"), 3),
        (all.pick("里程碑\n逾期", "Overdue"), 3),
        (all.pick("月调度\n按时", "In time"), 3),
        (all.pick("月调度\n迟报", "Late"), 3),
        (all.pick("月调度\n未报", "Missing"), 3),
    ];
    let rows = rows.collect();
    let nothing = all.pick("没有重点项目。", "There is no key project.");
    made.table(title, &columns, rows, nothing);

    let with_money = all.units.iter().filter(|unit| !unit.money_rows.is_empty());
    let rows = with_money.map(|unit| {
        let organisation = unit.organisation.as_deref();
        let page = page(organisation);
        let money = unit.money;
        vec![
            all.unit(organisation).into(),
            all.money(money.planned_fen, page.as_str()),
            all.money(money.arranged_fen, page.as_str()),
            all.money(money.paid_fen, page),
        ]
    });
    let title = all.pick(
        format!("{year}年资金（万元）"),
        format!("Money of {year}, ten thousand yuan"),
    );
    let columns = [
        (all.pick("责任单位", "Unit"), 6),
        (all.pick("计划", "Planned"), 3),
        (all.pick("到位", "Arranged"), 3),
        (all.pick("支付", "Paid"), 3),
    ];
    let rows = rows.collect();
    let nothing = all.pick(
        format!("{year}年没有资金记录。"),
        format!("No money of {year} is recorded."),
    );
    made.table(title, &columns, rows, &nothing);
}
