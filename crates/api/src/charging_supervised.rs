//! What the supervision of charging (充电监管) tells: its figures, and how each of them is counted.

use crate::charging_known::FAULTED;
use crate::charging_subsidy::SubsidyBody;
use crate::charging_supervision::{LOOK_BACK_DAYS, Options};
use charging::supervision::{self as counted, Figures};
use serde::Serialize;
use utoipa::ToSchema;

/// What is counted of charge points.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ChargingSupervised)]
pub struct FiguresBody {
    /// Charge points (outlets).
    pub points: i64,
    /// Of alternating current.
    pub alternating: i64,
    /// Of direct current.
    pub direct: i64,
    /// Without a place.
    pub without_place: i64,
    /// Whose rated power is known.
    pub rated: i64,
    /// Their rated power together, W.
    pub rated_w: i64,
    /// On the line now.
    pub online: i64,
    /// Of all, 0 to 1; null: there are none. So are the other rates.
    pub online_rate: Option<f64>,
    /// Faulted now.
    pub faulted: i64,
    /// For how long the points were known within the span, seconds.
    pub seconds: i64,
    /// For how long they were in charges, seconds.
    pub charging_seconds: i64,
    /// Of the time known.
    pub time_rate: Option<f64>,
    /// Charges that ended within the span.
    pub sessions: i64,
    /// Their energy, Wh.
    pub energy_wh: i64,
    /// That of points of known power, Wh.
    pub rated_energy_wh: i64,
    /// What points of known power could have given in the time known, Wh.
    pub possible_wh: i64,
    /// The one of the other.
    pub energy_rate: Option<f64>,
    /// Days on which points were known, each point's own.
    pub days: i64,
    /// On which nothing was heard of them.
    pub days_missing: i64,
    /// Of all.
    pub missing_rate: Option<f64>,
    /// Charges without energy.
    pub without_energy: i64,
    /// Without start or end.
    pub without_time: i64,
    /// Without a card.
    pub without_card: i64,
    /// With any of the three.
    pub incomplete: i64,
    /// Of all charges.
    pub incomplete_rate: Option<f64>,
    /// Faults that began within the span.
    pub faults: i64,
    /// For how long points were faulted within it, seconds.
    pub fault_seconds: i64,
    /// Faults that ended within it.
    pub repairs: i64,
    /// Mean time to repair, seconds.
    pub repair_mean_seconds: Option<f64>,
}

impl From<Figures> for FiguresBody {
    fn from(f: Figures) -> Self {
        Self {
            points: f.points,
            alternating: f.alternating,
            direct: f.direct,
            without_place: f.without_place,
            rated: f.rated,
            rated_w: f.rated_w,
            online: f.online,
            online_rate: f.online_rate(),
            faulted: f.faulted,
            seconds: f.seconds,
            charging_seconds: f.charging_seconds,
            time_rate: f.time_rate(),
            sessions: f.sessions,
            energy_wh: f.energy_wh,
            rated_energy_wh: f.rated_energy_wh,
            possible_wh: f.possible_wh,
            energy_rate: f.energy_rate(),
            days: f.days,
            days_missing: f.days_missing,
            missing_rate: f.missing_rate(),
            without_energy: f.without_energy,
            without_time: f.without_time,
            without_card: f.without_card,
            incomplete: f.incomplete,
            incomplete_rate: f.incomplete_rate(),
            faults: f.faults,
            fault_seconds: f.fault_seconds,
            repairs: f.repairs,
            repair_mean_seconds: f.repair_mean_seconds(),
        }
    }
}

/// The figures of an operator or a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSupervisedGroup)]
pub struct GroupBody {
    /// The operator, or the place's id; empty for points without a place.
    pub key: String,
    /// What people call it; empty where it has no name.
    pub name: String,
    /// Of a place: its operator.
    pub operator: Option<String>,
    /// Its figures.
    pub figures: FiguresBody,
}

/// The figures of a town.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSupervisedTown)]
pub struct TownBody {
    /// Its code; empty where a point's town is not known.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Places (充电站) with points.
    pub places: usize,
    /// Its villages and communities.
    pub villages: usize,
    /// How many of them are far from charging.
    pub villages_far: usize,
    /// Its figures.
    pub figures: FiguresBody,
}

/// A charge point that was out of order for long, or of which little was heard.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingWorstPoint)]
pub struct PointBody {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its place's id.
    pub place: Option<String>,
    /// Its operator.
    pub operator: String,
    /// Its town's code.
    pub town: String,
    /// Whether it is faulted now.
    pub faulted: bool,
    /// Faults that began within the span.
    pub faults: i64,
    /// For how long it was faulted within it, seconds.
    pub fault_seconds: i64,
    /// Days on which it was known.
    pub days: i64,
    /// On which nothing was heard of it.
    pub days_missing: i64,
}

/// A goal of the plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingGoal)]
pub struct GoalBody {
    /// The indicator's id; its page is `/plan/indicators/{id}`.
    pub id: String,
    /// Its name, Chinese.
    pub name_zh: String,
    /// English.
    pub name_en: String,
    /// Its unit, Chinese.
    pub unit_zh: String,
    /// English.
    pub unit_en: String,
    /// As it was measured last; null where nothing was.
    pub value: Option<f64>,
    /// What the plan wants.
    pub target: f64,
    /// By the end of which year.
    pub target_year: i16,
    /// What there was before.
    pub baseline: Option<f64>,
    /// The year of that.
    pub baseline_year: i16,
}

/// A village or community far from charging.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingFarVillage)]
pub struct VillageBody {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its town's code.
    pub town: String,
    /// Its town's name.
    pub town_name: String,
    /// Longitude, WGS 84 degrees.
    pub lon: f64,
    /// Latitude.
    pub lat: f64,
    /// How far the nearest charge point is, straight, km; null where there is none.
    pub km: Option<f64>,
    /// The id of the nearest charge point.
    pub nearest: Option<String>,
}

/// Where charging is far.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingFar)]
pub struct FarBody {
    /// How far is far, straight, km.
    pub km: f64,
    /// Charge points whose place is known.
    pub located: usize,
    /// Villages and communities of the city.
    pub villages: usize,
    /// How many of them are far.
    pub far: usize,
    /// The farthest of them.
    pub items: Vec<VillageBody>,
    /// What the city's map says of itself, Chinese: village points may be drawn, not surveyed.
    pub notes_zh: Vec<String>,
    /// English.
    pub notes_en: Vec<String>,
}

/// Alarms of residential chargers by one rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingAlarm)]
pub struct AlarmBody {
    /// The rule.
    pub rule: String,
    /// Raised within the span.
    pub raised: i64,
    /// Standing now.
    pub active: i64,
}

/// Fire safety of residential chargers (居民区慢充消防).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingFire)]
pub struct FireBody {
    /// Residential chargers that the city knows.
    pub chargers: usize,
    /// Their alarms, by rule; rules that found nothing are left out.
    pub alarms: Vec<AlarmBody>,
}

/// How a figure is counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingDefinition)]
pub struct DefinitionBody {
    /// Which figure.
    pub id: String,
    /// How it is counted, Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The supervision of charging.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSupervision)]
pub struct SupervisionBody {
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// When this was counted; what goes on counts until then.
    pub at: String,
    /// How each figure is counted.
    pub definitions: Vec<DefinitionBody>,
    /// Places (充电站) with points, and those without.
    pub places_known: usize,
    /// The whole city.
    pub overall: FiguresBody,
    /// By operator.
    pub operators: Vec<GroupBody>,
    /// By town, every town of the city among them.
    pub towns: Vec<TownBody>,
    /// By place, the most points first.
    pub places: Vec<GroupBody>,
    /// Places that are not told by name.
    pub places_left_out: usize,
    /// Charges of outlets that the city does not know: they are in the figures of operators and the city alone.
    pub sessions_elsewhere: i64,
    /// The points that were out of order longest.
    pub worst: Vec<PointBody>,
    /// The points of which nothing was heard on the most days.
    pub silent: Vec<PointBody>,
    /// The subsidy by energy.
    pub subsidy: SubsidyBody,
    /// The plan's goals of charging.
    pub goals: Vec<GoalBody>,
    /// Where charging is far.
    pub far: FarBody,
    /// Fire safety of residential chargers.
    pub fire: FireBody,
}

/// How each figure is counted.
pub(crate) fn definitions(options: &Options, far_km: f64) -> Vec<DefinitionBody> {
    let minutes = options.heard_minutes;
    let (over, slack) = (counted::OVER_RATED_PERCENT, counted::OVER_RATED_SLACK);
    let all = [
        (
            "register",
            "登记的充电桩（每个充电枪一个实体）与充电站；额定功率只加已上报的；交流、直流按接口名称（GB/T 20234.2、20234.3）。".to_owned(),
            "Charge points (each outlet a thing of its own) and places that are registered; rated power of those that told it; current by the connector's name (GB/T 20234.2, 20234.3).".to_owned(),
        ),
        (
            "online",
            format!("现在报过状态、并且所属的桩已连接或 {minutes} 分钟内有消息的充电桩 ÷ 全部充电桩。"),
            format!("Points that told a state and whose station is connected, or that were heard of within {minutes} minutes, of all points, now."),
        ),
        (
            "time",
            "订单内的时间（重叠只计一次，未结束的计到现在、最多 7 天）÷ 充电桩在所选日期内已知的时间（自首次有消息或首单起）。".to_owned(),
            "Time in charges (overlapping ones once; one without end counts until now, 7 days at most), of the time for which points were known on these days (since first heard of, or their first charge).".to_owned(),
        ),
        (
            "energy",
            "所选日期内结束的订单电量 ÷（额定功率 × 已知的时间），只算已知额定功率的桩；电表倒走的按 0 计。".to_owned(),
            "Energy of charges that ended on these days, of rated power times the time known; points of known power alone. A meter that ran backwards counts 0.".to_owned(),
        ),
        (
            "missing",
            "没有任何状态或读数的桩·天 ÷ 已知的桩·天，按城市日历日。只有心跳而无状态、无读数的往日也算缺失。".to_owned(),
            "Days of points without any state or reading, of all days on which they were known, by the city's days. A past day with heartbeats alone counts as missing.".to_owned(),
        ),
        (
            "incomplete",
            "所选日期内结束的订单中，没有电量（含倒走）、没有开始或结束时间、没有充电卡的任一种 ÷ 全部。没有结束时间的订单不在其中。".to_owned(),
            "Charges that ended on these days without energy (a meter that ran backwards among them), without start, or without a card, of all. What never ended is not among them.".to_owned(),
        ),
        (
            "faults",
            format!("状态变为 {FAULTED} 记一次，恢复前重复上报不另计；时长只计所选日期内的部分。日期之前 {LOOK_BACK_DAYS} 天内开始的也看得到。"),
            format!("A change to {FAULTED} is one; told again before it ends it is the same. Hours are those of these days. What began up to {LOOK_BACK_DAYS} days before is seen."),
        ),
        (
            "repair",
            "所选日期内恢复的故障，从开始到恢复的平均时长。".to_owned(),
            "Mean time from beginning to end of the faults that ended on these days.".to_owned(),
        ),
        (
            "subsidy",
            format!(
                "所选日期内结束的订单，逐单四舍五入到分后相加；不计：未出账、倒走、存疑未决、免收、出账后更正、缺时间、缺卡、电量超过额定功率 × 时长的 {} % 再加 {slack} 千瓦时。封顶按运营商。额定功率按现在登记的；未知的无法按功率核对，另列。",
                100 + over
            ),
            format!(
                "Charges that ended on these days, each rounded to the fen, then added up. Not counted: no bill yet, meter backwards, held, waived, corrected after its bill, no start or end, no card, energy above {} % of rated power times duration plus {slack} kWh. The cap is an operator's. Rated power is the one registered now; what could not be judged by a rated power is told beside.",
                100 + over
            ),
        ),
        (
            "goals",
            "规划指标的现值与目标，与“规划指标”页同一查询。".to_owned(),
            "Value and target of the plan's indicators, by the same query as the plan's page.".to_owned(),
        ),
        (
            "towns",
            "按充电桩自己的乡镇代码，否则按位置。城市档案中没有人口，不算人均。".to_owned(),
            "By the point's own code of the town, else by where it stands. The city's profile has no population, so nothing is told per head.".to_owned(),
        ),
        (
            "far",
            format!("村（社区）点到最近充电桩的直线距离超过 {far_km} 公里；不是路程。居民区慢充不计入；桩是否对外开放未知，全部计入。"),
            format!("Villages and communities from whose point the nearest charge point is farther than {far_km} km in a straight line, not by road. Residential chargers do not count; whether a point is open to all is not known, and all count."),
        ),
        (
            "fire",
            "居民区慢充（两轮车）告警：所选日期内发生的次数与现在未解除的次数，按规则。".to_owned(),
            "Alarms of residential chargers by rule: raised on these days, and standing now.".to_owned(),
        ),
    ];
    let body = |(id, zh, en): (&str, String, String)| DefinitionBody {
        id: id.to_owned(),
        zh,
        en,
    };
    all.into_iter().map(body).collect()
}
