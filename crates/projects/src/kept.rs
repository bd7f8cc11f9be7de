//! What people keep of a project. Money is whole fen (分), days are calendar days of the city.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a project is (项目阶段).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectStage)]
pub enum Stage {
    /// In reserve (储备).
    #[default]
    Reserve,
    /// Being prepared: studies, procedures, tenders (前期).
    Preparing,
    /// Being built (在建).
    Building,
    /// Built, not yet accepted (完工).
    Built,
    /// Accepted and in use (投用).
    InUse,
    /// Stopped for now (停缓建).
    Paused,
}

impl Stage {
    /// The word of tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Preparing => "preparing",
            Self::Building => "building",
            Self::Built => "built",
            Self::InUse => "in_use",
            Self::Paused => "paused",
        }
    }
}

/// Who answers for it, from when to when, for how much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ProjectProfile)]
pub struct Profile {
    /// The responsible organisation (责任单位), by id.
    pub organisation: Option<String>,
    /// The day on which it begins by plan.
    #[schema(value_type = Option<String>)]
    pub start: Option<Date>,
    /// The day on which it ends by plan.
    #[schema(value_type = Option<String>)]
    pub end: Option<Date>,
    /// Its whole cost (总投资), fen.
    pub total_fen: Option<i64>,
    /// Anything else.
    pub note: String,
}

/// What a member department does (任务分解).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectTask)]
pub struct Task {
    /// The department, by id.
    pub organisation: String,
    /// What it does.
    pub task: String,
    /// By when.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub due: Option<Date>,
    /// When it was done.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub done: Option<Date>,
    /// How far it is, in words.
    #[serde(default)]
    pub progress: String,
}

/// A step of the way that has a day (里程碑).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectMilestone)]
pub struct Milestone {
    /// What is reached; unique in the project.
    pub name: String,
    /// By which day, by plan.
    #[schema(value_type = String)]
    pub planned: Date,
    /// By which day, as things look now.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub forecast: Option<Date>,
    /// On which day it was reached.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub done: Option<Date>,
    /// What shows that it was: a document, its number, a page.
    #[serde(default)]
    pub evidence: String,
    /// The photo of the site that shows it, by its number; it stands for words.
    #[serde(default)]
    pub photo: Option<i64>,
}

/// Where money comes from (资金来源).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectMoneySource)]
pub enum Source {
    /// The central budget (中央资金).
    Central,
    /// The province (省级资金).
    Province,
    /// The city's own budget (市级资金).
    City,
    /// Special bonds (专项债券).
    Bonds,
    /// Bank loans (银行贷款).
    Loans,
    /// Social capital (社会资本).
    Social,
    /// The enterprise's own (企业自筹).
    Own,
    /// Another source (其他).
    Other,
}

impl Source {
    /// The word of tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Province => "province",
            Self::City => "city",
            Self::Bonds => "bonds",
            Self::Loans => "loans",
            Self::Social => "social",
            Self::Own => "own",
            Self::Other => "other",
        }
    }
}

/// Money of one source in one year, fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectMoney)]
pub struct Money {
    /// Where it comes from; with the year unique in the project.
    pub source: Source,
    /// In which year.
    pub year: i16,
    /// How much the year's plan asks for (计划).
    pub planned_fen: i64,
    /// How much of it is arranged (到位).
    pub arranged_fen: i64,
    /// How much is paid (支付).
    pub paid_fen: i64,
}

/// How far a procedure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectProcedureState)]
pub enum ProcedureState {
    /// Not applied for (未办).
    Needed,
    /// Applied for (在办).
    Applied,
    /// Granted (办结).
    Granted,
    /// Refused (不予批准).
    Refused,
}

/// A procedure or permit (手续): project approval, land, planning, environment, construction, …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectProcedure)]
pub struct Procedure {
    /// Which; unique in the project.
    pub name: String,
    /// How far it is.
    pub state: ProcedureState,
    /// The number of the document.
    #[serde(default)]
    pub number: String,
    /// When it was granted or refused.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub decided: Option<Date>,
}

/// What a project needs that is not money (要素).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectFactorKind)]
pub enum FactorKind {
    /// Land (用地).
    Land,
    /// Energy: its allowance and its supply (用能).
    Energy,
    /// Capacity of the environment (环境容量).
    Environment,
    /// People (用工).
    Labour,
    /// Another (其他).
    Other,
}

/// Something that a project needs, and what of it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectFactor)]
pub struct Factor {
    /// What it is.
    pub kind: FactorKind,
    /// How much, of what, where.
    pub need: String,
    /// What of it is missing; empty when nothing is.
    #[serde(default)]
    pub missing: String,
}

/// How grave a risk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectRiskLevel)]
pub enum RiskLevel {
    /// It is watched (低).
    Low,
    /// Something is done about it (中).
    Medium,
    /// It endangers the aim (高).
    High,
}

/// A risk and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectRisk)]
pub struct Risk {
    /// What may happen.
    pub risk: String,
    /// How grave it is.
    pub level: RiskLevel,
    /// What is done about it; empty only while it is low.
    #[serde(default)]
    pub measure: String,
    /// Whether it is over.
    #[serde(default)]
    pub over: bool,
}

/// A thing in the city that the project made or works on, so that goal, project, thing, device and value can be followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectAsset)]
pub struct Asset {
    /// The thing's id; unique in the project.
    pub entity_id: String,
    /// What it is for the project.
    #[serde(default)]
    pub note: String,
}

/// All that people keep of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ProjectKept)]
pub struct Kept {
    /// Ids of the indicators that a project serves which the plan does not list; the plan's are declared.
    pub indicators: Vec<String>,
    /// Who, when, how much.
    pub profile: Profile,
    /// How far it is.
    pub stage: Stage,
    /// Who does what.
    pub tasks: Vec<Task>,
    /// Its milestones.
    pub milestones: Vec<Milestone>,
    /// Its money.
    pub money: Vec<Money>,
    /// Its procedures.
    pub procedures: Vec<Procedure>,
    /// What it needs.
    pub factors: Vec<Factor>,
    /// Its risks.
    pub risks: Vec<Risk>,
    /// Its things.
    pub assets: Vec<Asset>,
}

/// A part of a project written anew: it takes the place of what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "section", rename_all = "snake_case")]
#[schema(as = ProjectSectionChange)]
pub enum Change {
    /// Who, when, how much.
    Profile {
        /// The new one.
        profile: Profile,
    },
    /// How far it is.
    Stage {
        /// The new one.
        stage: Stage,
    },
    /// Who does what.
    Tasks {
        /// All of them.
        tasks: Vec<Task>,
    },
    /// Milestones.
    Milestones {
        /// All of them.
        milestones: Vec<Milestone>,
    },
    /// Money.
    Money {
        /// All of it.
        money: Vec<Money>,
    },
    /// Procedures.
    Procedures {
        /// All of them.
        procedures: Vec<Procedure>,
    },
    /// What it needs.
    Factors {
        /// All of them.
        factors: Vec<Factor>,
    },
    /// Risks.
    Risks {
        /// All of them.
        risks: Vec<Risk>,
    },
    /// Things.
    Assets {
        /// All of them.
        assets: Vec<Asset>,
    },
}

impl Change {
    /// The key of the part in [`Kept`].
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Profile { .. } => "profile",
            Self::Stage { .. } => "stage",
            Self::Tasks { .. } => "tasks",
            Self::Milestones { .. } => "milestones",
            Self::Money { .. } => "money",
            Self::Procedures { .. } => "procedures",
            Self::Factors { .. } => "factors",
            Self::Risks { .. } => "risks",
            Self::Assets { .. } => "assets",
        }
    }

    /// Whether it is for the plan office alone: who answers for a project, and by when, is not the unit's own choice.
    pub const fn is_of_the_office(&self) -> bool {
        matches!(self, Self::Profile { .. })
    }

    /// Puts the part in the place of what was there.
    pub fn apply(self, kept: &mut Kept) {
        match self {
            Self::Profile { profile } => kept.profile = profile,
            Self::Stage { stage } => kept.stage = stage,
            Self::Tasks { tasks } => kept.tasks = tasks,
            Self::Milestones { milestones } => kept.milestones = milestones,
            Self::Money { money } => kept.money = money,
            Self::Procedures { procedures } => kept.procedures = procedures,
            Self::Factors { factors } => kept.factors = factors,
            Self::Risks { risks } => kept.risks = risks,
            Self::Assets { assets } => kept.assets = assets,
        }
    }
}

/// Milestones that a change calls otherwise, by their old and new names: of those whose name is gone and those whose name is new, the ones
/// that are otherwise the same, or that stand in the same place and are planned for the same day. One that is called and planned otherwise
/// at once is another.
pub fn renamed<'a>(before: &'a [Milestone], after: &'a [Milestone]) -> Vec<(&'a str, &'a str)> {
    fn without<'a>(these: &'a [Milestone], those: &[Milestone]) -> Vec<(usize, &'a Milestone)> {
        let is_there = |name: &str| those.iter().any(|other| other.name == name);
        let all = these.iter().enumerate();
        all.filter(|(_, milestone)| !is_there(&milestone.name))
            .collect()
    }
    let is_same = |old: &Milestone, new: &Milestone| {
        let named = Milestone {
            name: new.name.clone(),
            ..old.clone()
        };
        named == *new
    };
    let (gone, mut new) = (without(before, after), without(after, before));
    let mut pairs = Vec::new();
    for (at, old) in gone {
        let same = new.iter().position(|(_, one)| is_same(old, one));
        let placed = || {
            new.iter()
                .position(|(place, one)| *place == at && one.planned == old.planned)
        };
        if let Some(found) = same.or_else(placed) {
            let (_, one) = new.remove(found);
            pairs.push((old.name.as_str(), one.name.as_str()));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use serde_json::json;

    #[test]
    fn a_milestone_that_is_called_otherwise_is_the_same_one() {
        let milestone = |name: &str, month| Milestone {
            name: name.into(),
            planned: date(2026, month, 1),
            forecast: None,
            done: None,
            evidence: String::new(),
            photo: None,
        };
        let before = [
            milestone("开工", 3),
            milestone("封顶", 6),
            milestone("竣工", 9),
        ];
        let mut begun = milestone("正式开工", 3);
        begun.done = Some(date(2026, 3, 2));
        for (after, expected) in [
            (before.to_vec(), vec![]),
            // Called otherwise and reached at once, in its place.
            (
                vec![begun, milestone("封顶", 6), milestone("竣工", 9)],
                vec![("开工", "正式开工")],
            ),
            // In another place, and otherwise the same.
            (
                vec![milestone("竣工验收", 9), milestone("开工", 3)],
                vec![("竣工", "竣工验收")],
            ),
            // Another day and another name: another one.
            (
                vec![
                    milestone("开工", 3),
                    milestone("主体完成", 7),
                    milestone("竣工", 9),
                ],
                vec![],
            ),
            // Names that change places are no new names.
            (
                vec![
                    milestone("封顶", 3),
                    milestone("开工", 6),
                    milestone("竣工", 9),
                ],
                vec![],
            ),
        ] {
            assert_eq!(renamed(&before, &after), expected);
        }
    }

    #[test]
    fn a_part_is_sent_and_kept_in_one_form() {
        let sent = json!({"section": "milestones", "milestones": [{"name": "开工", "planned": "2026-03-01"}]});
        let change: Change = serde_json::from_value(sent).unwrap();
        assert_eq!(change.section(), "milestones");
        assert!(!change.is_of_the_office());
        let mut kept = Kept::default();
        change.apply(&mut kept);
        let all = serde_json::to_value(&kept).unwrap();
        assert_eq!(all["milestones"][0]["planned"], "2026-03-01");
        assert!(all["milestones"][0]["photo"].is_null());
        assert_eq!(serde_json::from_value::<Kept>(all).unwrap(), kept);
        // A shape of before, in which parts were missing, is read.
        assert_eq!(
            serde_json::from_value::<Kept>(json!({})).unwrap(),
            Kept::default()
        );
    }

    #[test]
    fn what_is_no_part_and_no_day_is_refused() {
        for sent in [
            json!({"section": "photos", "photos": []}),
            json!({"section": "milestones", "milestones": [{"name": "x", "planned": "2026-02-30"}]}),
            json!({"section": "money", "money": [{"source": "central", "year": 2026, "planned_fen": 1.5, "arranged_fen": 0, "paid_fen": 0}]}),
            json!({"section": "stage", "stage": "dreaming"}),
        ] {
            assert!(
                serde_json::from_value::<Change>(sent.clone()).is_err(),
                "{sent}"
            );
        }
    }

    #[test]
    fn words_are_those_of_json() {
        for stage in [
            Stage::Reserve,
            Stage::Preparing,
            Stage::Building,
            Stage::Built,
            Stage::InUse,
            Stage::Paused,
        ] {
            assert_eq!(json!(stage), json!(stage.as_str()));
        }
        for source in [
            Source::Central,
            Source::Province,
            Source::City,
            Source::Bonds,
            Source::Loans,
            Source::Social,
            Source::Own,
            Source::Other,
        ] {
            assert_eq!(json!(source), json!(source.as_str()));
        }
    }
}
