//! Figures that people report (填报): the period that one speaks of, what a figure must be, the way from draft to a figure that
//! counts, who may take which step, and a claim beside what the platform measured.
//!
//! | state | step | becomes |
//! | --- | --- | --- |
//! | draft, returned | its author submits | submitted, no level agreed |
//! | submitted | the present level agrees | submitted with one level more; approved at the last one |
//! | submitted | the present level returns it, with a reason | returned |
//! | draft, submitted, returned | its author, or the plan office, withdraws it | withdrawn |
//!
//! Nothing leads out of `approved` and `withdrawn`: an approved figure is corrected by another report, which names it.

use jiff::ToSpan;
use jiff::civil::Date;
use model::problem::{both, quote};
use model::{Both, Told};
use serde::{Deserialize, Serialize};

/// Longest evidence, note or reason, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Most levels of approval.
pub const LEVELS_MAX: usize = 4;
/// What a percentage may be.
const PERCENT: std::ops::RangeInclusive<f64> = 0.0..=100.0;

/// A year, a quarter or a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    text: String,
    first: Date,
    last: Date,
}

impl Period {
    /// Reads `2025`, `2025-Q3` (also `2025Q3`) or `2025-10`.
    ///
    /// # Errors
    /// `report-period` for anything else.
    pub fn parse(text: &str) -> Result<Self, Told> {
        Self::read(text.trim()).ok_or_else(|| {
            Told::new(
                "report-period",
                both(
                    format!("“{}”不是统计期", quote(text)),
                    format!("\"{}\" is not a period", quote(text)),
                ),
                both("统计期", "period"),
                both(
                    "请写年（2025）、季（2025-Q3）或月（2025-10）",
                    "write a year (2025), a quarter (2025-Q3) or a month (2025-10)",
                ),
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let digits = |part: &str, count: usize| {
            let plain = part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse::<i16>().ok()).flatten()
        };
        let year = digits(text.get(..4)?, 4).filter(|y| crate::parse::YEARS.contains(y))?;
        let rest = &text[4..];
        if rest.is_empty() {
            return Self::of(year, 1, 12, text.to_owned());
        }
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        if let Some(quarter) = rest.strip_prefix(['Q', 'q']) {
            let quarter = digits(quarter, 1).filter(|q| (1..=4).contains(q))?;
            return Self::of(year, quarter * 3 - 2, 3, format!("{year:04}-Q{quarter}"));
        }
        let month = digits(rest, 2).filter(|m| (1..=12).contains(m))?;
        // A month without its hyphen could be read as something else.
        text[4..].starts_with('-').then_some(())?;
        Self::of(year, month, 1, text.to_owned())
    }

    /// So many months from the beginning of one.
    fn of(year: i16, month: i16, months: i64, text: String) -> Option<Self> {
        let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
        let last = first.checked_add(months.months()).ok()?.yesterday().ok()?;
        Some(Self { text, first, last })
    }

    /// As it is kept and shown.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its first day.
    pub const fn first(&self) -> Date {
        self.first
    }

    /// Its last day.
    pub const fn last(&self) -> Date {
        self.last
    }

    /// Whether the other lies within this one: a year covers its quarters and months, a quarter its months, each itself.
    pub fn covers(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Until which day a figure of it speaks that is reported today: its last day, or today while it runs.
    pub fn as_of(&self, today: Date) -> Date {
        self.last.min(today)
    }

    /// Asks that it has begun: what is reported has happened.
    ///
    /// # Errors
    /// `report-future`.
    pub fn must_have_begun(&self, today: Date) -> Result<(), Told> {
        if self.first <= today {
            return Ok(());
        }
        Err(Told::new(
            "report-future",
            both(
                format!("{} 还没有开始（今天是 {today}）", self.text),
                format!("{} has not begun (today is {today})", self.text),
            ),
            both("统计期", "period"),
            both("请填报已经开始的统计期", "report a period that has begun"),
        ))
    }

    /// Asks that it is over: what still changes is not locked.
    ///
    /// # Errors
    /// `lock-early`.
    pub fn must_be_over(&self, today: Date) -> Result<(), Told> {
        if self.last < today {
            return Ok(());
        }
        Err(Told::new(
            "lock-early",
            both(
                format!("{} 到 {} 才结束", self.text, self.last),
                format!("{} ends on {}", self.text, self.last),
            ),
            both("统计期", "period"),
            both("请在它结束以后锁定", "lock it once it is over"),
        ))
    }
}

/// How often a figure is wanted of each reported indicator, or a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Each year.
    Year,
    /// Each quarter.
    Quarter,
    /// Each month.
    Month,
}

impl Every {
    /// The one of a word of the settings: `year`, `quarter` or `month`.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "year" => Some(Self::Year),
            "quarter" => Some(Self::Quarter),
            "month" => Some(Self::Month),
            _ => None,
        }
    }

    /// The word of the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
        }
    }

    /// How often in a year.
    pub const fn times_a_year(self) -> u32 {
        match self {
            Self::Year => 1,
            Self::Quarter => 4,
            Self::Month => 12,
        }
    }

    /// Whether a period is as long as the time between two.
    pub fn fits(self, period: &Period) -> bool {
        let months = i32::from(period.last.month()) - i32::from(period.first.month()) + 1;
        match self {
            Self::Year => months == 12,
            Self::Quarter => months == 3,
            Self::Month => months == 1,
        }
    }

    /// The newest period that is over.
    pub fn last_over(self, today: Date) -> Option<Period> {
        let year = today.year();
        match self {
            Self::Year => Period::read(&format!("{:04}", year - 1)),
            Self::Quarter => match (today.month() + 2) / 3 {
                1 => Period::read(&format!("{:04}-Q4", year - 1)),
                quarter => Period::read(&format!("{year:04}-Q{}", quarter - 1)),
            },
            Self::Month => match today.month() {
                1 => Period::read(&format!("{:04}-12", year - 1)),
                month => Period::read(&format!("{year:04}-{:02}", month - 1)),
            },
        }
    }
}

/// Who agrees to a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The unit that reports it: its chief, or whoever else of it may approve.
    Unit,
    /// The plan office.
    PlanOffice,
}

impl Level {
    /// The word that is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::PlanOffice => "plan-office",
        }
    }

    /// The level of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Unit, Self::PlanOffice]
            .into_iter()
            .find(|level| level.as_str() == word)
    }

    /// The levels of a list of words.
    ///
    /// # Errors
    /// `report-levels` for an empty list, a long one, or a word that is no level.
    pub fn list(words: &[String]) -> Result<Vec<Self>, Told> {
        let levels: Option<Vec<Self>> = words.iter().map(|word| Self::from_word(word)).collect();
        let levels = levels.filter(|levels| (1..=LEVELS_MAX).contains(&levels.len()));
        levels.ok_or_else(|| {
            Told::new(
                "report-levels",
                both(
                    format!("“{}”不是审批级别", quote(&words.join("、"))),
                    format!("\"{}\" are no levels of approval", quote(&words.join(", "))),
                ),
                "indicators.report_levels",
                both(
                    format!("请写 1 至 {LEVELS_MAX} 级，每级是 unit 或 plan-office"),
                    format!("name 1 to {LEVELS_MAX}, each of them unit or plan-office"),
                ),
            )
        })
    }
}

/// Where a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its author still writes.
    Draft,
    /// Waits for a level.
    Submitted,
    /// A level wants it mended.
    Returned,
    /// Every level agreed: the figure counts.
    Approved,
    /// Taken back.
    Withdrawn,
}

/// What happens to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its author hands it in.
    Submit,
    /// The present level agrees.
    Approve,
    /// The present level does not.
    Return,
    /// It is taken back.
    Withdraw,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Draft,
        Self::Submitted,
        Self::Returned,
        Self::Approved,
        Self::Withdrawn,
    ];

    /// The word that is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Approved => "approved",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Submit, Self::Approve, Self::Return, Self::Withdraw];

    /// The word that is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Return => "return",
            Self::Withdraw => "withdraw",
        }
    }
}

/// A report's state, and how many levels have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// How many levels have agreed.
    pub agreed: usize,
}

impl Standing {
    /// Where a step leads with so many levels.
    ///
    /// # Errors
    /// `report-state` where the step is not possible.
    pub fn after(self, step: Step, levels: usize) -> Result<Self, Told> {
        use State::*;
        let to = |state, agreed| Ok(Self { state, agreed });
        match (self.state, step) {
            (Draft | Returned, Step::Submit) => to(Submitted, 0),
            (Submitted, Step::Approve) if self.agreed + 1 < levels => {
                to(Submitted, self.agreed + 1)
            }
            (Submitted, Step::Approve) => to(Approved, self.agreed + 1),
            (Submitted, Step::Return) => to(Returned, 0),
            (Draft | Submitted | Returned, Step::Withdraw) => to(Withdrawn, self.agreed),
            _ => Err(not_there(self.state.as_str())),
        }
    }
}

/// Why a step is not possible: where the report is instead.
pub fn not_there(state: &str) -> Told {
    let zh = match State::from_word(state) {
        Some(State::Draft) => "还是草稿",
        Some(State::Submitted) => "正在审批",
        Some(State::Returned) => "已退回",
        Some(State::Approved) => "已审定",
        Some(State::Withdrawn) => "已撤回",
        None => "刚刚有变化",
    };
    Told::new(
        "report-state",
        both(
            format!("这条填报{zh}，不能这样办"),
            format!("the report is {state}: this step is not possible"),
        ),
        both("填报", "report"),
        both(
            "请刷新后再看；已审定的数值请用更正",
            "read it again; an approved figure is mended by a correction",
        ),
    )
}

/// Somebody who acts on a report.
#[derive(Clone, Debug)]
pub struct Person<'a> {
    /// The user's id.
    pub id: i64,
    /// The organisations that they belong to.
    pub organisations: Vec<&'a str>,
    /// Whether they are of the plan office: they hold `indicator.lock`.
    pub is_plan_office: bool,
}

fn not_of(unit: &str) -> Told {
    Told::new(
        "report-organisation",
        both(
            format!("这项指标由 {unit} 负责，您不在这个单位"),
            format!("{unit} is responsible for the indicator, and you are not of it"),
        ),
        both("单位", "organisation"),
        both("请该单位的人办理", "ask somebody of that organisation"),
    )
}

/// Asks that a person may report for an indicator, which may name who is responsible for it. As with cases, who belongs to no
/// organisation (the plan office itself) is not held to one.
///
/// # Errors
/// `report-organisation`.
pub fn may_report(responsible: Option<&str>, person: &Person<'_>) -> Result<(), Told> {
    match responsible {
        Some(unit) if !person.organisations.is_empty() && !person.organisations.contains(&unit) => {
            Err(not_of(unit))
        }
        _ => Ok(()),
    }
}

/// Asks that a person may agree to a report at a level, or return it there: not its author, not who agreed at another level, and
/// of whom the level is. Where no unit is known, the plan office stands in for it.
///
/// # Errors
/// `report-own`, `report-twice`, `report-organisation`, `report-plan-office`.
pub fn may_decide(
    level: Level,
    unit: Option<&str>,
    author: Option<i64>,
    agreed_by: &[i64],
    person: &Person<'_>,
) -> Result<(), Told> {
    let refused = |code: &str, what: Both| {
        let mend = both("请另一个有权的人办理", "ask another person who may");
        Err(Told::new(code, what, both("审批人", "approver"), mend))
    };
    if author == Some(person.id) {
        return refused(
            "report-own",
            both("不能审批自己填报的数值", "nobody approves their own report"),
        );
    }
    if agreed_by.contains(&person.id) {
        return refused(
            "report-twice",
            both(
                "您已在前一级同意过",
                "you have agreed at an earlier level already",
            ),
        );
    }
    match (level, unit) {
        (Level::Unit, Some(unit)) if !person.organisations.contains(&unit) => Err(not_of(unit)),
        (Level::Unit, Some(_)) => Ok(()),
        (Level::Unit, None) | (Level::PlanOffice, _) if person.is_plan_office => Ok(()),
        _ => refused(
            "report-plan-office",
            both(
                "这一级由规划办审批（权限 indicator.lock）",
                "this level is the plan office's (permission indicator.lock)",
            ),
        ),
    }
}

/// Asks that a figure can be one of its unit.
///
/// # Errors
/// `report-value`, `report-percent`.
pub fn check_value(value: f64, unit: &str) -> Result<(), Told> {
    let bad = |code: &str, what: Both, mend: Both| {
        Err(Told::new(code, what, both("数值", "value"), mend))
    };
    if !value.is_finite() {
        return bad(
            "report-value",
            both("数值不是有限的数", "the value is no finite number"),
            both(
                "请按指标的单位填一个数",
                "send a number in the indicator's unit",
            ),
        );
    }
    if is_percent(unit) && !PERCENT.contains(&value) {
        let said = model::problem::number(value);
        return bad(
            "report-percent",
            both(
                format!("{said}% 不在 0 到 100 之间"),
                format!("{said} % is not between 0 and 100"),
            ),
            both(
                "请填 0 到 100 的百分数",
                "report a percentage from 0 to 100",
            ),
        );
    }
    Ok(())
}

/// Whether a unit is a share of a whole.
fn is_percent(unit: &str) -> bool {
    matches!(unit.trim(), "%" | "％")
}

/// A text of a report, without the spaces around it.
///
/// # Errors
/// `report-empty` where it is needed and empty, `report-long`.
pub fn check_text<'a>(text: &'a str, place: &Both, is_needed: bool) -> Result<&'a str, Told> {
    let text = text.trim();
    if is_needed && text.is_empty() {
        return Err(Told::new(
            "report-empty",
            both(
                format!("没有填写{}", place.zh),
                format!("the {} is empty", place.en),
            ),
            place.clone(),
            both(
                "数值要有统计期和依据（写明，或附佐证材料），退回、更正、锁定要有理由",
                "a figure has its period and its evidence, in words or as files; returning, correcting and locking have a reason",
            ),
        ));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(Told::new(
            "report-long",
            both(
                format!("{}超过 {TEXT_CHARS_MAX} 字", place.zh),
                format!(
                    "the {} is longer than {TEXT_CHARS_MAX} characters",
                    place.en
                ),
            ),
            place.clone(),
            both(
                "请写短一些，附文件编号",
                "write less, and name the document",
            ),
        ));
    }
    Ok(text)
}

/// A claim beside what the platform measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What was reported.
    pub claimed: f64,
    /// What was measured.
    pub measured: f64,
    /// Claimed minus measured, in the indicator's unit.
    pub difference: f64,
    /// The same as a share of what was measured, percent; `None` where nothing was measured but zero.
    pub percent: Option<f64>,
}

impl Comparison {
    /// Compares the two.
    pub fn of(claimed: f64, measured: f64) -> Self {
        let difference = claimed - measured;
        Self {
            claimed,
            measured,
            difference,
            percent: (measured != 0.0).then(|| difference / measured.abs() * 100.0),
        }
    }
}
