//! Joint dispatch of a reservoir, a reach, a gate and pumps, over tables: what is read, and what is asked of it. What is said of the answer: [`told`].

use super::stage::times;
use super::{DISCHARGE_MAX, PACK, STAGE, column, json, number, optional, report, structure, whole};
use crate::joint_dispatch::{Chain, Outside};
use crate::polder::{self, Gate, Polder, Pumps};
use crate::rating;
use crate::reservoir::{Coming, Curve, Day, Reach, Reservoir, River, Rule, highest};
use engine::{Description, Engine, Mistakes, Output, Parameters, Table};
use model::Problem;
use model::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

mod told;

const INFLOW: &str = "inflow_m3s";
const INFLOW_HIGH: &str = "inflow_high_m3s";
const LATERAL: &str = "lateral_m3s";
const POLDER_INFLOW: &str = "polder_inflow_m3s";
const OUTLET_STAGE: &str = "outlet_stage_m";
const MINUTE: i64 = 60_000_000;
/// Most points of a curve, and rules of a reservoir.
const POINTS_MAX: usize = 1_000;
const LEVELS: (f64, f64) = STAGE;
const FLOWS: (f64, f64) = (0.0, DISCHARGE_MAX);

pub(super) fn engines() -> Vec<Engine> {
    vec![Engine::new(
        const {
            Description {
                name: "water.joint-dispatch",
                pack: PACK,
                title_zh: "水库、河道、闸、泵联合调度建议",
                title_en: "Joint dispatch of a reservoir, its reach, a gate and pumps",
                method: "Three courses from the first row's moment on: everything stays as it is; by the release rules and the stations' own; and what is \
                         suggested. Reservoir: level by level-storage, releases within what the level lets out, within the rules, not below the dead \
                         level; linear Muskingum to the section, where lateral water joins. Suggested: the least peak at the section that keeps the \
                         level below its limit, by bisection, each release the most that may be held for as long as the reach remembers it, or what the section carries for good where it passes that already; within the \
                         safe discharge the level goes back to the flood limit first; drawn down below it only where the section would pass its safe \
                         discharge otherwise, and no further than needed. Polder: gravity through the gate while the river is lower, and the fewest \
                         units that, held, keep the stage within its limit. The stage outside goes with the section's discharge by its rating curve. \
                         Best is what passes least: the reservoir's limit, the section's safe discharge, the flood limit, the polder's limit, in this \
                         order; what stays is kept where it passes nothing. The input may have inflow_high_m3s, lateral_m3s, polder_inflow_m3s and \
                         outlet_stage_m besides; gaps are bridged by straight lines, and the last value stays. The output is one row a step: at (RFC \
                         3339, Z) is its end, levels are those of its end, the rest its means",
                reference: "Chow, Maidment & Mays 1988, Applied Hydrology, sections 8.2 and 8.4; Henderson 1966, Open Channel Flow, section 6.3; Chow 1959, \
                            Open-Channel Hydraulics, section 3.6; GB/T 22482-2008",
                version: 1,
                input: &[
                    column(
                        "at",
                        "a moment, RFC 3339 with its zone; the first row is now, rows in order of time",
                    ),
                    column(INFLOW, "inflow to the reservoir, m³/s; may be empty"),
                ],
                output: &[
                    column(
                        "nothing_level_m",
                        "level of the reservoir when everything stays as it is, m",
                    ),
                    column("nothing_storage_m3", "its storage, m³"),
                    column("nothing_release_m3s", "what is let out, m³/s"),
                    column("nothing_section_m3s", "discharge at the section, m³/s"),
                    column("nothing_outside_m", "stage outside the polder's dike, m"),
                    column("nothing_polder_m", "stage in the polder, m"),
                    column("nothing_opening_m", "opening of the gate, m"),
                    column(
                        "nothing_gate_m3s",
                        "what goes through it, m³/s, positive out of the polder",
                    ),
                    column("nothing_pumps", "units that run"),
                    column("rules_level_m", "level of the reservoir by the rules, m"),
                    column("rules_release_m3s", "what is let out by them, m³/s"),
                    column(
                        "rules_section_m3s",
                        "discharge at the section by them, m³/s",
                    ),
                    column(
                        "suggested_level_m",
                        "level of the reservoir as suggested, m",
                    ),
                    column("suggested_storage_m3", "its storage, m³"),
                    column("suggested_release_m3s", "what is let out, m³/s"),
                    column("suggested_section_m3s", "discharge at the section, m³/s"),
                    column("suggested_outside_m", "stage outside the polder's dike, m"),
                    column("suggested_polder_m", "stage in the polder, m"),
                    column("suggested_opening_m", "opening of the gate, m"),
                    column(
                        "suggested_gate_m3s",
                        "what goes through it, m³/s, positive out of the polder",
                    ),
                    column("suggested_pumps", "units that run"),
                ],
                parameters: &[
                    whole("step_minutes", "the step", "min", (5, 1_440), 60),
                    whole("leads", "steps that are reckoned", "steps", (2, 240), 24),
                    number(
                        "utc_offset_minutes",
                        "what the city's clock is ahead of UTC: rules hold for its days",
                        "min",
                        (-840.0, 840.0),
                        Some(480.0),
                    ),
                    number("level_m", "level of the reservoir now", "m", LEVELS, None),
                    optional(
                        "release_m3s",
                        "what is let out now; the inflow when left out",
                        "m³/s",
                        FLOWS,
                    ),
                    structure(
                        "capacity_curve",
                        "level and storage: {\"points\": [{\"level\": 80.0, \"storage\": 1.2e7}, …]}, m and m³, both rising",
                    ),
                    structure(
                        "discharge_curve",
                        "what can be let out by level: {\"points\": [{\"level\": 80.0, \"outflow\": 0.0}, …]}, m and m³/s",
                    ),
                    structure(
                        "dispatch_curve",
                        "release rules, of which the first that holds counts: {\"rules\": [{\"from\": \"05-01\", \"until\": \"10-15\", \"fromLevel\": 90.0, \
                         \"untilLevel\": 92.0, \"fromInflow\": 0.0, \"untilInflow\": 500.0, \"outflow\": 100.0, or \"outflowMin\", \"outflowMax\"}, …]}",
                    ),
                    structure(
                        "flood_limit_periods",
                        "flood-limit levels by period: [{\"from\": \"05-01\", \"until\": \"06-20\", \"level\": 90.5}, …]; read where flood_limit_m is left out",
                    ),
                    optional(
                        "dead_m",
                        "dead level; the curve's lowest when left out",
                        "m",
                        LEVELS,
                    ),
                    optional("flood_limit_m", "flood-limit level in force", "m", LEVELS),
                    optional(
                        "drawdown_m",
                        "lowest level of a drawdown before a flood; the flood-limit level when left out",
                        "m",
                        LEVELS,
                    ),
                    optional(
                        "flood_control_m",
                        "flood-control level: not to be passed",
                        "m",
                        LEVELS,
                    ),
                    optional(
                        "design_flood_m",
                        "design flood level: not to be passed where flood_control_m is left out",
                        "m",
                        LEVELS,
                    ),
                    optional(
                        "k_h",
                        "storage constant K of the reach; without it the section is at the dam",
                        "h",
                        (1e-6, 10_000.0),
                    ),
                    number("x", "weight of the inflow", "-", (-1.0, 0.5), Some(0.2)),
                    optional("safe_m3s", "safe discharge of the section", "m³/s", FLOWS),
                    optional("section_m3s", "discharge at the section now", "m³/s", FLOWS),
                    structure(
                        "section_rating",
                        "the section's rating curve as water.rating-fit gives it: {\"a\", \"b\", \"zero_m\", \"low_m\", \"high_m\"}",
                    ),
                    optional("gate_bays", "bays of the gate", "-", (1.0, 100.0)),
                    optional("gate_width_m", "clear width of a bay", "m", (0.01, 100.0)),
                    optional("gate_sill_m", "its sill", "m", LEVELS),
                    optional("gate_height_m", "its full opening", "m", (0.01, 30.0)),
                    number(
                        "gate_coefficient",
                        "coefficient of the flow below the gate",
                        "-",
                        (0.01, 1.0),
                        Some(0.6),
                    ),
                    optional("gate_opening_m", "how far it is open now", "m", (0.0, 30.0)),
                    optional(
                        "gate_open",
                        "bays that are open now, all when left out: with fewer, the opening is that of all which lets as much through",
                        "-",
                        (0.0, 100.0),
                    ),
                    optional(
                        "gate_guarantee_m",
                        "stage outside from which on it stays closed",
                        "m",
                        LEVELS,
                    ),
                    optional(
                        "polder_area_m2",
                        "surface of the polder's water",
                        "m²",
                        (1.0, 1e11),
                    ),
                    optional("polder_level_m", "stage in the polder now", "m", LEVELS),
                    optional(
                        "polder_limit_m",
                        "stage in the polder not to be passed; start_m when left out",
                        "m",
                        LEVELS,
                    ),
                    optional("pump_installed", "units installed", "-", (1.0, 100.0)),
                    optional(
                        "pump_available",
                        "units that could run; those installed when left out",
                        "-",
                        (0.0, 100.0),
                    ),
                    optional(
                        "pump_design_m3s",
                        "discharge of all units installed",
                        "m³/s",
                        (0.0, 10_000.0),
                    ),
                    optional(
                        "pump_design_kw",
                        "power of all units installed",
                        "kW",
                        (0.0, 1e6),
                    ),
                    optional("pump_running", "units that run now", "-", (0.0, 100.0)),
                    optional(
                        "start_m",
                        "stage in the polder at which pumps start",
                        "m",
                        LEVELS,
                    ),
                    optional(
                        "stop_m",
                        "stage in the polder at which they stop",
                        "m",
                        LEVELS,
                    ),
                    optional(
                        "outlet_max_m",
                        "stage outside above which they must not run",
                        "m",
                        LEVELS,
                    ),
                    structure(
                        "things",
                        "ids of the things, for who reads the report: {\"reservoir\": …, \"reach\": …, \"section\": …, \"gate\": …, \"pump\": …}",
                    ),
                ],
            }
        },
        Box::new(run),
    )]
}

/// What is in doubt, in both languages.
#[derive(Default)]
struct Doubts {
    zh: Vec<String>,
    en: Vec<String>,
}

impl Doubts {
    fn add(&mut self, zh: impl Into<String>, en: impl Into<String>) {
        self.zh.push(zh.into());
        self.en.push(en.into());
    }
}

/// One column at the moments of the grid, from its readings.
struct Series {
    /// At now and at the end of each step.
    instants: Vec<f64>,
    /// How many steps end before or with the last that was given; the value stays after them.
    known: usize,
}

impl Series {
    /// By straight lines between what is given. `None` when nothing is.
    fn of(given: &[(i64, f64)], origin: i64, step: i64, steps: usize) -> Option<Self> {
        let (first, last) = (given.first()?, given.last()?);
        let mut instants = Vec::with_capacity(steps + 1);
        let mut known = 0;
        for n in 0..=steps {
            let at = origin + step * i64::try_from(n).unwrap_or(i64::MAX);
            let next = given.partition_point(|(time, _)| *time < at);
            let value = match (
                next.checked_sub(1).and_then(|n| given.get(n)),
                given.get(next),
            ) {
                (Some((t1, v1)), Some((t2, v2))) => {
                    let share = seconds(at - t1) / seconds(t2 - t1);
                    v1 + (v2 - v1) * share
                }
                (None, _) => first.1,
                (_, None) => last.1,
            };
            if n > 0 && at <= last.0 {
                known = n;
            }
            instants.push(value);
        }
        Some(Self { instants, known })
    }

    /// That the last value stays, where it does.
    fn doubt(&self, steps: usize, zh: &str, en: &str, doubts: &mut Doubts) {
        match self.known {
            known if known >= steps => {}
            0 => doubts.add(
                format!("{zh}没有预报，按现在的值不变计"),
                format!("{en} is not foretold: taken to stay as it is"),
            ),
            known => doubts.add(
                format!("{zh}预报只到第 {known} 步，之后按不变计"),
                format!("{en} is foretold for {known} steps, and stays after them"),
            ),
        }
    }

    /// Means of the steps.
    fn means(&self) -> Vec<f64> {
        let pairs = self.instants.windows(2);
        pairs.map(|pair| pair.iter().sum::<f64>() / 2.0).collect()
    }
}

#[allow(clippy::cast_precision_loss)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// The columns of the input.
struct Columns {
    origin: i64,
    inflow: Option<Series>,
    inflow_high: Option<Series>,
    lateral: Option<Series>,
    polder_inflow: Option<Series>,
    outlet_stage: Option<Series>,
}

fn columns(table: &Table, p: &Parameters, place: &str) -> Result<Columns, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let times = times(table, &mut mistakes);
    let origin = times.first().copied().unwrap_or_default();
    let step = i64::try_from(p.whole("step_minutes")).unwrap_or(1) * MINUTE;
    let mut of = |name: &str, (min, max): (f64, f64)| {
        let cells = table.numbers_or_gaps(name, min, max, &mut mistakes);
        let mut all: Vec<(i64, f64)> = Vec::new();
        for (time, value) in times.iter().zip(cells) {
            let Some(value) = value else { continue };
            match all.last_mut() {
                Some(last) if last.0 == *time => last.1 = value,
                _ => all.push((*time, value)),
            }
        }
        Series::of(&all, origin, step, p.count("leads"))
    };
    let read = Columns {
        origin,
        inflow: of(INFLOW, FLOWS),
        inflow_high: of(INFLOW_HIGH, FLOWS),
        lateral: of(LATERAL, FLOWS),
        polder_inflow: of(POLDER_INFLOW, FLOWS),
        outlet_stage: of(OUTLET_STAGE, STAGE),
    };
    if read.inflow.is_none() && mistakes.is_empty() {
        mistakes.of_table("没有入库流量 (no inflow was read)", "fill in inflow_m3s");
    }
    mistakes.end()?;
    Ok(read)
}

#[derive(Deserialize)]
struct Points<P> {
    points: Vec<P>,
}

#[derive(Deserialize)]
struct StoragePoint {
    level: f64,
    storage: f64,
}

#[derive(Deserialize)]
struct OutflowPoint {
    level: f64,
    outflow: f64,
}

#[derive(Deserialize)]
struct Rules {
    rules: Vec<RuleGiven>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleGiven {
    from: Option<String>,
    until: Option<String>,
    from_level: Option<f64>,
    until_level: Option<f64>,
    from_inflow: Option<f64>,
    until_inflow: Option<f64>,
    outflow: Option<f64>,
    outflow_min: Option<f64>,
    outflow_max: Option<f64>,
}

#[derive(Deserialize)]
struct Period {
    from: String,
    until: String,
    level: f64,
}

/// A structure in its form.
fn form<T: for<'a> Deserialize<'a>>(
    p: &Parameters,
    name: &str,
    mend: &str,
) -> Result<Option<T>, Vec<Problem>> {
    let given = p.structure(name).cloned();
    let read = given.map(serde_json::from_value).transpose();
    read.map_err(|e| vec![p.problem(name, format!("写法不对 (not in its form): {e}"), mend)])
}

fn curve(
    p: &Parameters,
    name: &str,
    points: Option<Vec<(f64, f64)>>,
    is_strict: bool,
) -> Result<Option<Curve>, Vec<Problem>> {
    let Some(points) = points else {
        return Ok(None);
    };
    let is_finite = points
        .iter()
        .all(|(x, y)| x.is_finite() && y.is_finite() && *y >= 0.0);
    let curve =
        Curve::new(points.clone(), is_strict).filter(|_| is_finite && points.len() <= POINTS_MAX);
    if curve.is_none() {
        let wrong = points.windows(2).position(|pair| match pair {
            [(x, y), (x2, y2)] => x2 <= x || if is_strict { y2 <= y } else { y2 < y },
            _ => false,
        });
        let what = match wrong {
            Some(n) => format!(
                "第 {} 点不高于前一点 (point {} is not above the one before it)",
                n + 2,
                n + 2
            ),
            None => format!(
                "{} 个点，应为 2 到 {POINTS_MAX} 个不小于 0 的点 (2 to {POINTS_MAX} points of numbers from 0 on are needed)",
                points.len()
            ),
        };
        return Err(vec![p.problem(
            name,
            what,
            "give the points from the lowest level to the highest",
        )]);
    }
    Ok(curve)
}

/// `05-01`.
fn day(text: &str) -> Option<Day> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((month, day))
}

fn rules(p: &Parameters) -> Result<Vec<Rule>, Vec<Problem>> {
    const NAME: &str = "dispatch_curve";
    const MEND: &str = "write {\"rules\": [{\"from\": \"05-01\", \"until\": \"10-15\", \"fromLevel\": 90.0, \"outflowMax\": 170.0}, …]}";
    let given = form::<Rules>(p, NAME, MEND)?
        .map(|given| given.rules)
        .unwrap_or_default();
    let mut all = Vec::with_capacity(given.len());
    let mut problems = Vec::new();
    if given.len() > POINTS_MAX {
        problems.push(p.problem(
            NAME,
            format!("规则多于 {POINTS_MAX} 条 (more than {POINTS_MAX} rules)"),
            "give fewer",
        ));
    }
    for (n, rule) in given.into_iter().enumerate() {
        let mut wrong = |zh: &str, en: &str| {
            let what = format!("第 {} 条规则{zh} (rule {} {en})", n + 1, n + 1);
            problems.push(p.problem(NAME, what, MEND));
        };
        let days = match (&rule.from, &rule.until) {
            (None, None) => None,
            (from, until) => {
                let both = from
                    .as_deref()
                    .and_then(day)
                    .zip(until.as_deref().and_then(day));
                if both.is_none() {
                    wrong(
                        "的起止日期不是“月-日”",
                        "has no period of two days, month-day",
                    );
                }
                both
            }
        };
        let is_span = |from: Option<f64>, until: Option<f64>| {
            from.zip(until).is_none_or(|(from, until)| from < until)
        };
        if !is_span(rule.from_level, rule.until_level)
            || !is_span(rule.from_inflow, rule.until_inflow)
        {
            wrong(
                "的水位或流量区间是空的",
                "has an empty span of levels or inflows",
            );
        }
        let flows = [rule.outflow, rule.outflow_min, rule.outflow_max];
        if flows
            .iter()
            .flatten()
            .any(|flow| !FLOWS_RANGE.contains(flow))
            || flows.iter().all(Option::is_none)
        {
            wrong(
                "没有泄量，或泄量超出 0 到 1000000",
                "lets nothing out, or not from 0 to 1,000,000 m³/s",
            );
        }
        if rule
            .outflow_min
            .zip(rule.outflow_max)
            .is_some_and(|(least, most)| least > most)
        {
            wrong(
                "的最小泄量大于最大泄量",
                "has a least release above its most",
            );
        }
        all.push(Rule {
            days,
            from_level: rule.from_level,
            until_level: rule.until_level,
            from_inflow: rule.from_inflow,
            until_inflow: rule.until_inflow,
            outflow: rule.outflow,
            outflow_min: rule.outflow_min,
            outflow_max: rule.outflow_max,
        });
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems)
    }
}

const FLOWS_RANGE: std::ops::RangeInclusive<f64> = FLOWS.0..=FLOWS.1;

/// The flood-limit level in force: as written, or that of today's period.
fn flood_limit(p: &Parameters, today: Day) -> Result<Option<f64>, Vec<Problem>> {
    const NAME: &str = "flood_limit_periods";
    if let Some(level) = p.optional("flood_limit_m") {
        return Ok(Some(level));
    }
    let mend = "write [{\"from\": \"05-01\", \"until\": \"06-20\", \"level\": 90.5}, …]";
    let periods = form::<Vec<Period>>(p, NAME, mend)?.unwrap_or_default();
    let mut found = None;
    for (n, period) in periods.iter().enumerate() {
        let Some((from, until)) = day(&period.from).zip(day(&period.until)) else {
            let what = format!(
                "第 {} 期的起止日期不是“月-日” (period {} has no two days, month-day)",
                n + 1,
                n + 1
            );
            return Err(vec![p.problem(NAME, what, mend)]);
        };
        let is_in = match from <= until {
            true => (from..=until).contains(&today),
            false => today >= from || today <= until,
        };
        if is_in && found.is_none() {
            found = Some(period.level);
        }
    }
    Ok(found)
}

/// The days of the steps by the city's clock: each is that of its beginning.
fn days(origin: i64, step: i64, steps: usize, offset_min: f64) -> Vec<Day> {
    let offset = crate::math::whole(offset_min.abs());
    let offset = i64::try_from(offset).unwrap_or_default() * MINUTE;
    let offset = if offset_min < 0.0 { -offset } else { offset };
    let one = |n: usize| {
        let at = origin + offset + step * i64::try_from(n).unwrap_or_default();
        let date = Timestamp::from_micros(at).utc_date();
        date.split_once('-')
            .and_then(|(_, rest)| day(rest))
            .unwrap_or((1, 1))
    };
    (0..steps).map(one).collect()
}

fn reservoir(p: &Parameters, today: Day, doubts: &mut Doubts) -> Result<Reservoir, Vec<Problem>> {
    let storage = form::<Points<StoragePoint>>(
        p,
        "capacity_curve",
        "write {\"points\": [{\"level\": 80.0, \"storage\": 1.2e7}, …]}",
    )?;
    let storage = storage.map(|curve| curve.points.iter().map(|p| (p.level, p.storage)).collect());
    let Some(storage) = curve(p, "capacity_curve", storage, true)? else {
        let what = "没有库容曲线 (there is no capacity curve)";
        return Err(vec![p.problem(
            "capacity_curve",
            what,
            "enter the reservoir's curve of level and storage",
        )]);
    };
    let discharge = form::<Points<OutflowPoint>>(
        p,
        "discharge_curve",
        "write {\"points\": [{\"level\": 80.0, \"outflow\": 0.0}, …]}",
    )?;
    let discharge =
        discharge.map(|curve| curve.points.iter().map(|p| (p.level, p.outflow)).collect());
    let discharge = curve(p, "discharge_curve", discharge, false)?;
    let (lowest, highest) = storage.range();
    let level = p.number("level_m");
    if !(lowest..=highest).contains(&level) {
        let what = format!(
            "库水位 {level} 不在库容曲线 {lowest} 至 {highest} 米之内 (the level is outside of the capacity curve)"
        );
        return Err(vec![p.problem(
            "level_m",
            what,
            "correct the level, or extend the curve",
        )]);
    }
    if discharge.is_none() {
        doubts.add(
            "没有泄流能力曲线：泄量不受能力限制",
            "no curve of what can be let out: releases are not held back by it",
        );
    }
    let limit = p
        .optional("flood_control_m")
        .or(p.optional("design_flood_m"));
    if limit.is_none() {
        doubts.add(
            "没有防洪高水位、设计洪水位：以库容曲线最高点为限",
            "no flood-control and no design flood level: the top of the capacity curve is the limit",
        );
    }
    let limit_m = limit.unwrap_or(highest).min(highest);
    let flood_limit = flood_limit(p, today)?;
    if flood_limit.is_none() {
        doubts.add(
            "没有汛限水位：以现在的水位为准",
            "no flood-limit level: the present level is kept to",
        );
    }
    let dead_m = p.optional("dead_m").unwrap_or(lowest).max(lowest);
    let flood_limit_m = flood_limit.unwrap_or(level).min(limit_m).max(dead_m);
    let drawdown_m = p
        .optional("drawdown_m")
        .unwrap_or(flood_limit_m)
        .clamp(dead_m, flood_limit_m);
    let rules = rules(p)?;
    if rules.is_empty() {
        doubts.add(
            "没有调度规则：按“不超过下游安全泄量、超汛限则回落”比较",
            "no release rules: compared with keeping to the safe discharge and going back to the flood limit",
        );
    }
    Ok(Reservoir {
        storage,
        discharge,
        rules,
        dead_m,
        flood_limit_m,
        drawdown_m,
        limit_m,
    })
}

/// The polder, where enough is known of it.
fn polder(
    p: &Parameters,
    read: &Columns,
    steps: usize,
    step_s: f64,
    doubts: &mut Doubts,
) -> Option<(Polder, Outside)> {
    let is_asked = ["pump_installed", "gate_bays", "polder_area_m2"]
        .iter()
        .any(|name| p.optional(name).is_some());
    if !is_asked {
        return None;
    }
    let names = [
        "polder_area_m2",
        "polder_level_m",
        "pump_installed",
        "pump_design_m3s",
        "start_m",
        "stop_m",
    ];
    let mut missing: Vec<&str> = names
        .into_iter()
        .filter(|name| p.optional(name).is_none())
        .collect();
    if read.outlet_stage.is_none() {
        missing.push(OUTLET_STAGE);
    }
    let is_upside_down = p.number("start_m") <= p.number("stop_m");
    if is_upside_down {
        missing.push("start_m > stop_m");
    }
    let stage = match (&read.outlet_stage, missing.is_empty()) {
        (Some(stage), true) => stage,
        _ => {
            let which = missing.join("、");
            doubts.add(
                format!("闸、泵没有参加计算，缺：{which}"),
                format!(
                    "gate and pumps are left out, missing: {}",
                    missing.join(", ")
                ),
            );
            return None;
        }
    };
    let gate_names = ["gate_bays", "gate_width_m", "gate_sill_m", "gate_height_m"];
    let gate = gate_names.map(|name| p.optional(name));
    let gate = match gate {
        [Some(bays), Some(width_m), Some(sill_m), Some(height_m)] => Some(Gate {
            bays,
            width_m,
            sill_m,
            height_m,
            coefficient: p.number("gate_coefficient"),
            guarantee_m: p.optional("gate_guarantee_m"),
        }),
        [None, ..] => None,
        _ => {
            doubts.add(
                "闸的宽度、底板或高度不全，没有参加计算",
                "width, sill or height of the gate is missing: it is left out",
            );
            None
        }
    };
    if gate.is_some() && p.optional("gate_opening_m").is_none() {
        doubts.add(
            "没有闸门开度，按关闭计",
            "the gate's opening is not known: taken as closed",
        );
    }
    if p.optional("pump_running").is_none() {
        doubts.add(
            "没有开机台数，按停机计",
            "how many units run is not known: taken as none",
        );
    }
    let polder_inflow = read.polder_inflow.as_ref();
    match polder_inflow {
        None => doubts.add(
            "没有内河来水，按 0 计",
            "inflow to the polder is not known: taken as 0",
        ),
        Some(series) => series.doubt(steps, "内河来水", "inflow to the polder", doubts),
    }
    let rating = form::<rating::Curve>(p, "section_rating", "")
        .ok()
        .flatten();
    if rating.is_none() && stage.known < steps {
        doubts.add(
            "外河水位没有预报，断面也没有水位流量关系：外河水位按不变计",
            "the stage outside is not foretold and the section has no rating curve: the stage outside is taken to stay",
        );
    }
    let installed = p.number("pump_installed");
    let available = p.optional("pump_available").unwrap_or(installed);
    let start_m = p.number("start_m");
    let bays = p.optional("gate_open").zip(p.optional("gate_bays"));
    let open = bays.map_or(1.0, |(open, all)| (open / all).min(1.0));
    let polder = Polder {
        area_m2: p.number("polder_area_m2"),
        level_m: p.number("polder_level_m"),
        limit_m: p.optional("polder_limit_m").unwrap_or(start_m),
        gate,
        opening_m: p.optional("gate_opening_m").unwrap_or_default() * open,
        pumps: Pumps {
            units: polder::units(available),
            flow: p.number("pump_design_m3s") / installed,
            power_kw: p.optional("pump_design_kw").unwrap_or_default() / installed,
            start_m,
            stop_m: p.number("stop_m"),
            outlet_max_m: p.optional("outlet_max_m"),
        },
        running: polder::units(p.optional("pump_running").unwrap_or_default()),
        inflow: polder_inflow.map_or_else(|| vec![0.0; steps], Series::means),
        step_s,
    };
    let outside = Outside {
        stage: stage.means(),
        is_foretold: (0..steps).map(|n| n < stage.known).collect(),
        rating,
    };
    Some((polder, outside))
}

fn run(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let read = columns(table, p, place)?;
    let mut doubts = Doubts::default();
    let steps = p.count("leads");
    let step = i64::try_from(p.whole("step_minutes")).unwrap_or(1) * MINUTE;
    let step_s = seconds(step);
    let days = days(read.origin, step, steps, p.number("utc_offset_minutes"));
    let today = days.first().copied().unwrap_or((1, 1));
    let reservoir = reservoir(p, today, &mut doubts)?;
    // Its form is told even where there is no polder.
    let rating = form::<rating::Curve>(
        p,
        "section_rating",
        "write {\"a\": …, \"b\": …, \"zero_m\": …, \"low_m\": …, \"high_m\": …}",
    )?;
    let is_curve =
        |c: &rating::Curve| c.a > 0.0 && c.b > 0.0 && c.zero_m <= c.low_m && c.low_m < c.high_m;
    if rating.is_some_and(|curve| !is_curve(&curve)) {
        let what = "不是水位流量关系：系数、指数须大于 0，断流水位、下限、上限依次升高 (no rating curve: a and b above 0, zero_m, low_m and high_m rising)";
        return Err(vec![p.problem(
            "section_rating",
            what,
            "give it as water.rating-fit does",
        )]);
    }
    let Some(inflow) = &read.inflow else {
        return Err(vec![Problem::new(
            "engine-table",
            "no inflow was read",
            place,
            "fill in inflow_m3s",
        )]);
    };
    inflow.doubt(steps, "入库流量", "the inflow", &mut doubts);
    let now = |series: &Series| series.instants.first().copied().unwrap_or_default();
    let release = p.optional("release_m3s").unwrap_or_else(|| {
        doubts.add(
            "没有出库流量，按等于入库流量计",
            "what is let out is not known: taken as what comes in",
        );
        now(inflow)
    });
    let lateral = read.lateral.as_ref();
    match lateral {
        None => doubts.add(
            "没有区间来水，按 0 计",
            "what joins between dam and section is not known: taken as 0",
        ),
        Some(series) => series.doubt(steps, "区间来水", "what joins below the dam", &mut doubts),
    }
    let lateral_now = lateral.map_or(0.0, now);
    let reach = Reach::new(p.optional("k_h"), p.number("x"), step_s / 3_600.0);
    if !reach.is_routed() {
        doubts.add(
            "河段没有马斯京根 K，或 K 比半个时段还短：按断面紧接坝下计",
            "the reach has no Muskingum K, or one shorter than half a step: the section is taken to be at the dam",
        );
    }
    let section_now = p.optional("section_m3s").unwrap_or(release + lateral_now);
    let safe = p.optional("safe_m3s").unwrap_or_else(|| {
        doubts.add(
            "没有安全泄量：以断面现在的流量为准",
            "no safe discharge: the section's present discharge counts as it",
        );
        section_now
    });
    let river = River {
        reservoir,
        reach,
        coming: Coming {
            step_s,
            level_m: p.number("level_m"),
            release,
            section: (section_now - lateral_now).max(0.0),
            inflow: inflow.means(),
            lateral: lateral.map_or_else(|| vec![0.0; steps], Series::means),
            days,
        },
        safe,
    };
    let chain = Chain {
        polder: polder(p, &read, steps, step_s, &mut doubts),
        river,
        section_now,
    };
    let plans = chain.plans();
    if let Some(high) = &read.inflow_high {
        let course = chain
            .river
            .with_inflow(&plans.suggested.course, &high.means());
        let level = highest(&course.level);
        let over = if level > chain.river.reservoir.limit_m + 1e-3 {
            ("，超过限制水位", ", above its limit")
        } else {
            ("", "")
        };
        doubts.add(
            format!("来水若按预报上限，照建议泄放，最高库水位 {level:.2} m{}", over.0),
            format!("with the upper end of the inflow's interval and the suggested releases the highest level is {level:.2} m{}", over.1),
        );
    }
    let at = |n: usize| {
        Timestamp::from_micros(read.origin + step * i64::try_from(n).unwrap_or_default())
    };
    for (which, zh, en) in [
        ("gates", "排水闸", "drainage gates"),
        ("pumps", "泵站", "pumping stations"),
    ] {
        let n = p
            .structure("things")
            .and_then(|things| things.get(which)?.as_u64());
        if let Some(n) = n.filter(|n| *n > 1) {
            doubts.add(
                format!("河段上有 {n} 座{zh}，只算了编号最小的一座"),
                format!("there are {n} {en} on the reach; only the one with the first id is reckoned with"),
            );
        }
    }
    told::beyond(&chain, &plans, &mut doubts);
    let said = told::Said {
        chain: &chain,
        plans: &plans,
        step_h: step_s / 3_600.0,
    };
    let report = report([
        ("method", json!("joint-dispatch")),
        ("origin", json!(at(0).to_string())),
        (
            "things",
            p.structure("things").cloned().unwrap_or(json!({})),
        ),
        ("choice", json!(said.choice())),
        ("actions", said.actions(p)),
        ("reasons", said.reasons()),
        ("comparison", said.comparison()),
        ("violations", said.violations()),
        ("limits", said.limits()),
        ("doubts", json(&doubts.en)),
        ("doubts_zh", json(&doubts.zh)),
    ]);
    let table = said.table(|n| at(n + 1).to_string());
    Ok(Output { table, report })
}
