//! How documents of the plan office say things: figures with the address of their proof, names, states, money.

use super::gathered::{Claim, Gathered, Goal, ProjectAt};
use duty::official::{Official, Words};
use indicators::{Definition, Method, Status};
use jiff::civil::Date;
use projects::kept::RiskLevel;
use projects::months::{Month, ReportState};
use projects::reminders::About;
use projects::status::{FindingKind as Kind, MilestoneState, Status as Standing};

/// Decimal places that are shown: a document is read, the proof has the rest.
const DECIMALS: f64 = 100.0;
/// Fen of ten thousand yuan (万元), in which documents tell money.
const FEN_OF_WAN: f64 = 1_000_000.0;

/// A number with two decimal places at most.
pub(super) fn shown(value: f64) -> String {
    let rounded = (value * DECIMALS).round() / DECIMALS;
    // What is too large or too small to be rounded so is shown as it is.
    let kept = match rounded.is_finite() && (rounded != 0.0 || value == 0.0) {
        true => rounded,
        false => value,
    };
    model::problem::number(if kept == 0.0 { 0.0 } else { kept })
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(super) const fn float(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "documents tell ten thousands of yuan"
)]
fn wan(fen: i64) -> f64 {
    fen as f64 / FEN_OF_WAN
}

/// A dash where there is nothing to say.
pub(super) fn none() -> Words {
    "—".into()
}

impl Gathered {
    /// The one of two wordings that is in the document's language.
    pub(super) fn pick<T>(&self, zh: T, en: T) -> T {
        self.language.pick(zh, en)
    }

    /// Where all goals are seen.
    pub(super) fn plan_page(&self) -> String {
        let base = &self.base;
        match &self.plan {
            Some((id, _)) => format!("{base}/plan?plan={id}"),
            None => format!("{base}/plan"),
        }
    }

    /// Where a goal is seen with its path, its query, the rows behind it and its reports.
    pub(super) fn goal_page(&self, d: &Definition) -> String {
        let (base, id) = (&self.base, &d.id);
        match &self.plan {
            Some((plan, _)) => format!("{base}/plan/{id}?plan={plan}"),
            None => format!("{base}/plan/{id}"),
        }
    }

    pub(super) fn project_page(&self, id: &str) -> String {
        format!("{}/projects/{id}", self.base)
    }

    /// A page of all projects: of these, or a view of them.
    pub(super) fn projects_page(&self, asked: &str) -> String {
        format!("{}/projects{asked}", self.base)
    }

    pub(super) fn case_page(&self, id: i64) -> String {
        format!("{}/cases/{id}", self.base)
    }

    /// A count, with the page on which what is counted stands.
    pub(super) fn count(&self, count: usize, page: impl Into<String>) -> Words {
        Words::default().figure(count.to_string(), float(count), page)
    }

    /// A value of a goal, without its unit.
    pub(super) fn value(&self, d: &Definition, value: Option<f64>) -> Words {
        value.map_or_else(none, |value| {
            Words::default().figure(shown(value), value, self.goal_page(d))
        })
    }

    /// Money of a project in ten thousands of yuan.
    pub(super) fn money(&self, fen: i64, page: impl Into<String>) -> Words {
        let value = wan(fen);
        Words::default().figure(shown(value), value, page)
    }

    /// The name of a goal with its unit.
    pub(super) fn goal_name(&self, d: &Definition) -> Words {
        let name = self.pick(&d.name_zh, &d.name_en);
        let unit = self.pick(&d.unit_zh, &d.unit_en);
        match unit.is_empty() {
            true => name.as_str().into(),
            false => self
                .pick(format!("{name}（{unit}）"), format!("{name} ({unit})"))
                .into(),
        }
    }

    /// The name of an organisation; who is nobody is called so.
    pub(super) fn unit(&self, id: Option<&str>) -> String {
        id.map_or_else(
            || self.pick("未定责任单位", "nobody").to_owned(),
            |id| {
                let unit = self.names.of(id);
                self.pick(unit.name_zh, unit.name_en)
            },
        )
    }

    /// The name of a project, which leads to it.
    pub(super) fn project_name(&self, project: &ProjectAt) -> Words {
        let row = &project.row;
        let name = self.pick(&row.name_zh, &row.name_en);
        Words::default().link(name.as_str(), self.project_page(&row.id))
    }

    pub(super) fn project_named(&self, id: &str) -> Words {
        self.project(id)
            .map_or_else(|| id.into(), |project| self.project_name(project))
    }

    pub(super) fn day(&self, day: Date) -> String {
        let (year, month, of_month) = (day.year(), day.month(), day.day());
        self.pick(format!("{year}年{month}月{of_month}日"), day.to_string())
    }

    pub(super) fn month(&self, month: Month) -> String {
        let first = month.first();
        let (year, n) = (first.year(), first.month());
        self.pick(
            format!("{year}年{n}月"),
            first.strftime("%B %Y").to_string(),
        )
    }

    pub(super) fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Met => self.pick("已达标", "met"),
            Status::OnPath => self.pick("进度正常", "on path"),
            Status::Behind => self.pick("滞后", "behind"),
            Status::Unknown => self.pick("无法判断", "not to be judged"),
        }
    }

    pub(super) fn standing(&self, status: Standing) -> &'static str {
        match status {
            Standing::Late => self.pick("滞后", "late"),
            Standing::AtRisk => self.pick("有风险", "at risk"),
            Standing::OnCourse => self.pick("正常", "on course"),
            Standing::NoMilestones => self.pick("未排里程碑", "no milestones"),
            Standing::Paused => self.pick("停缓建", "paused"),
            Standing::Finished => self.pick("已完成", "finished"),
            Standing::Ended => self.pick("已终止", "ended"),
        }
    }

    pub(super) fn milestone(&self, state: MilestoneState) -> &'static str {
        match state {
            MilestoneState::OnTime => self.pick("按期完成", "on time"),
            MilestoneState::DoneLate => self.pick("推迟完成", "done late"),
            MilestoneState::Overdue => self.pick("逾期", "overdue"),
            MilestoneState::WillBeLate => self.pick("预计逾期", "will be late"),
            MilestoneState::Soon => self.pick("30日内到期", "within 30 days"),
            MilestoneState::OnCourse => self.pick("正常", "on course"),
        }
    }

    pub(super) fn report_state(&self, state: ReportState) -> &'static str {
        match state {
            ReportState::InTime => self.pick("按时", "in time"),
            ReportState::Late => self.pick("迟报", "late"),
            ReportState::Missing => self.pick("逾期未报", "missing"),
            ReportState::Open => self.pick("未报（未到期）", "not stated, not due yet"),
        }
    }

    pub(super) fn risk(&self, level: RiskLevel) -> &'static str {
        match level {
            RiskLevel::Low => self.pick("低", "low"),
            RiskLevel::Medium => self.pick("中", "medium"),
            RiskLevel::High => self.pick("高", "high"),
        }
    }

    /// What a reminder is about.
    pub(super) fn about(&self, about: &About) -> String {
        match about {
            About::Milestone(name) => self.pick(
                format!("里程碑“{name}”逾期"),
                format!("milestone \"{name}\" is overdue"),
            ),
            About::Task { organisation, task } => {
                let unit = self.names.of(organisation);
                self.pick(
                    format!("{}的任务“{task}”逾期", unit.name_zh),
                    format!("the task \"{task}\" of {} is overdue", unit.name_en),
                )
            }
            About::Report(month) => self.pick(
                format!("未报 {month} 月调度"),
                format!("the report of {month} is missing"),
            ),
            About::Other => self.pick("其他事项", "another matter").to_owned(),
        }
    }

    pub(super) fn about_word(&self, word: &str) -> String {
        About::parse(word).map_or_else(|| word.to_owned(), |about| self.about(&about))
    }

    /// What endangers a project, each with how often.
    pub(super) fn findings(&self, project: &ProjectAt) -> Words {
        let page = self.project_page(&project.row.id);
        let mut words = Words::default();
        for (n, finding) in project.kept.findings(self.day).into_iter().enumerate() {
            let (said, is_counted) = match finding.kind {
                Kind::MilestoneOverdue => (self.pick("个里程碑逾期", " milestones overdue"), true),
                Kind::MilestoneWillBeLate => (
                    self.pick("个里程碑预计逾期", " milestones will be late"),
                    true,
                ),
                Kind::RiskHigh => (self.pick("项高风险", " high risks"), true),
                Kind::ProcedureRefused => {
                    (self.pick("项手续未获批准", " procedures refused"), true)
                }
                Kind::MoneyBehind => (
                    self.pick("个年度支付滞后", " years with payment behind"),
                    true,
                ),
                Kind::MoneyOverpaid => (
                    self.pick("个年度支付超过到位", " years with more paid than arranged"),
                    true,
                ),
                Kind::FactorMissing => (self.pick("项要素有缺口", " needs unmet"), true),
                Kind::NoOrganisation => (self.pick("未定责任单位", "nobody answers for it"), false),
                Kind::NoMilestones => (self.pick("没有里程碑", "no milestones"), false),
                Kind::NoMoney => (self.pick("没有资金记录", "no money recorded"), false),
            };
            words = self.joined(words, n);
            if is_counted {
                let count = finding.count;
                words = words.figure(count.to_string(), float(count), page.as_str());
            }
            words = words.text(said);
        }
        words
    }

    fn joined(&self, words: Words, n: usize) -> Words {
        match n {
            0 => words,
            _ => words.text(self.pick("；", "; ")),
        }
    }

    /// The sentence that says of when the figures are, and where they are proved.
    pub(super) fn as_of(&self) -> String {
        let at = &self.at;
        let running = match self.is_over {
            true => "",
            false => self.pick(
                "本期尚未结束，以下为截至当日的情况。",
                " The period is not over: this is how things stand today.",
            ),
        };
        let projects = self.projects_as_of();
        self.pick(
            format!("本文由平台依据各单位填报和监测数据生成，数据截至{at}。{running}{projects}文中数字均可点击，打开即见其来源和依据。"),
            format!("Made by the platform from what units reported and what was measured, as of {at}.{running}{projects} Each figure leads to where it is proved."),
        )
    }

    /// The sentence that says of when projects of a period that is over are.
    fn projects_as_of(&self) -> String {
        let Some((until, untold)) = self.projects_until else {
            return String::new();
        };
        let (day, until) = (self.day(self.day), self.day(until));
        let untold = match untold {
            0 => String::new(),
            n => self.pick(
                format!("（其中{n}个项目的变更记录不全，按现有记录判断）"),
                format!(" ({n} of them, whose trail is not whole, by what is kept now)"),
            ),
        };
        self.pick(
            format!("重点项目按各单位截至{until}报送的内容，判断其在{day}的状态{untold}。"),
            format!(
                " Projects are judged on {day} by what their units kept until {until}{untold}."
            ),
        )
    }

    /// The reminders that are open, as a table.
    pub(super) fn reminder_table(&self, made: &mut Official) {
        let rows = self.reminders.iter().map(|(reminder, state)| {
            let due = reminder
                .due_at
                .map_or_else(none, |at| self.day_of(at).to_string().into());
            vec![
                Words::default().link(&reminder.number, self.case_page(reminder.case_id)),
                self.project_named(&reminder.project_id),
                self.about_word(&reminder.about).into(),
                self.unit(Some(&reminder.organisation_id)).into(),
                state.as_str().into(),
                due,
            ]
        });
        let title = self.pick("未办结的督办", "Open reminders");
        let columns = [
            (self.pick("编号", "Number"), 4),
            (self.pick("项目", "Project"), 5),
            (self.pick("事项", "About"), 5),
            (self.pick("责任单位", "Unit"), 4),
            (self.pick("状态", "State"), 3),
            (self.pick("时限", "Due"), 3),
        ];
        let rows = rows.collect();
        made.table(
            title,
            &columns,
            rows,
            self.pick("没有未办结的督办。", "No reminder is open."),
        );
    }

    /// What has no figure because it has no proof, with why.
    pub(super) fn without_proof(&self, made: &mut Official) {
        let rows = self.goals.iter().filter_map(|goal| {
            let why = goal.figure.as_ref().err()?;
            let said = self.pick(&why.zh, &why.en);
            let link = self.goal_page(&goal.d);
            let name = self.goal_name(&goal.d).plain();
            Some(vec![
                Words::default().link(name, link),
                self.unit(goal.d.responsible.as_deref()).into(),
                match goal.d.method {
                    Method::Computed => self.pick("实时计算", "computed").into(),
                    Method::Reported => self.pick("填报", "reported").into(),
                },
                self.pick(format!("无依据：{said}"), format!("no proof: {said}"))
                    .into(),
            ])
        });
        let title = self.pick("无依据的指标", "Indicators without proof");
        let columns = [
            (self.pick("指标", "Indicator"), 6),
            (self.pick("责任单位", "Unit"), 4),
            (self.pick("取数方式", "Method"), 2),
            (self.pick("原因", "Why"), 6),
        ];
        let rows = rows.collect();
        let every = self.pick("各项指标均有依据。", "Every indicator has its proof.");
        made.table(title, &columns, rows, every);
    }

    /// Claims that are not what was measured.
    pub(super) fn claim_table(&self, made: &mut Official) {
        let rows = self.claims.iter().map(|Claim { d, compared }| {
            vec![
                self.goal_name(d),
                compared.period.as_str().into(),
                self.value(d, Some(compared.claimed)),
                self.value(d, compared.measured),
                self.value(d, compared.difference),
                self.unit(d.responsible.as_deref()).into(),
            ]
        });
        let title = self.pick("填报与实测不一致", "Claims that differ");
        let columns = [
            (self.pick("指标", "Indicator"), 6),
            (self.pick("统计期", "Period"), 3),
            (self.pick("填报值", "Claimed"), 3),
            (self.pick("实测值", "Measured"), 3),
            (self.pick("差额", "Difference"), 3),
            (self.pick("责任单位", "Unit"), 4),
        ];
        let rows = rows.collect();
        let none = self.pick(
            "本期没有填报值与实测值不一致的指标。",
            "No claim of this period differs from what was measured.",
        );
        made.table(title, &columns, rows, none);
    }

    /// How many of the goals stand so.
    pub(super) fn goals_of(&self, status: Status) -> usize {
        let with_proof = self.goals.iter().filter(|goal| goal.figure.is_ok());
        with_proof.filter(|goal| goal.status == status).count()
    }

    /// The sentence that sums up the goals, each count with its page.
    pub(super) fn goal_sums(&self) -> Words {
        let page = self.plan_page();
        let of = |status| self.goals_of(status);
        let without = self
            .goals
            .iter()
            .filter(|goal| goal.figure.is_err())
            .count();
        let Some((_, title)) = &self.plan else {
            return self
                .pick("本市还没有载入规划。", "The city has no plan.")
                .into();
        };
        let day = self.day(self.day);
        let mut words =
            Words::from(self.pick(format!("《{title}》共有指标"), format!("{title} has ")));
        let parts = [
            (
                self.goals.len(),
                self.pick(
                    format!("项。截至{day}，已达标"),
                    format!(" indicators. On {day}, "),
                ),
            ),
            (
                of(Status::Met),
                self.pick("项，进度正常".into(), " were met, ".into()),
            ),
            (
                of(Status::OnPath),
                self.pick("项，滞后".into(), " on path, ".into()),
            ),
            (
                of(Status::Behind),
                self.pick("项，尚无可比进度".into(), " behind, ".into()),
            ),
            (
                of(Status::Unknown),
                self.pick("项，无依据".into(), " not to be judged yet, and ".into()),
            ),
            (
                without,
                self.pick("项。".into(), " had no figure with proof.".into()),
            ),
        ];
        for (count, behind) in parts {
            words = words
                .figure(count.to_string(), float(count), page.as_str())
                .text(behind);
        }
        words
    }

    /// What proves a goal's figure.
    pub(super) fn proof(&self, goal: &Goal) -> Words {
        match &goal.figure {
            Err(why) => {
                let said = self.pick(&why.zh, &why.en);
                self.pick(format!("无依据：{said}"), format!("no proof: {said}"))
                    .into()
            }
            Ok(figure) => match &figure.proof.period {
                Some(period) => {
                    let said = figure.proof.evidence.clone();
                    let files = match figure.proof.file_sha256.len() {
                        0 => None,
                        1 => Some(self.pick("佐证材料 1 份".to_owned(), "1 file".to_owned())),
                        n => Some(self.pick(format!("佐证材料 {n} 份"), format!("{n} files"))),
                    };
                    let parts: Vec<String> = said.into_iter().chain(files).collect();
                    self.pick(
                        format!("{period} 填报：{}", parts.join("；")),
                        format!("Report of {period}: {}", parts.join("; ")),
                    )
                    .into()
                }
                None => {
                    // The folder is told on the goal's page.
                    let file = goal.d.file.rsplit('/').next().unwrap_or_default();
                    let day = figure.as_of.split('T').next().unwrap_or_default();
                    self.pick(
                        format!("查询 {file}，{day} 测算"),
                        format!("Query {file}, measured {day}"),
                    )
                    .into()
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn figures_are_shown_with_two_places_at_most() {
        for (value, is) in [
            (0.0, "0"),
            (-0.0, "0"),
            (53.5, "53.5"),
            (66.666_66, "66.67"),
            (1_200.0, "1200"),
            (0.001, "0.001"),
            (-3.004, "-3"),
        ] {
            assert_eq!(shown(value), is);
        }
    }
}
