//! What is said of three courses: what to do now and why, the comparison, what is passed all the same, and the table.

use super::super::cells;
use super::Doubts;
use crate::joint_dispatch::{Chain, Choice, Plan, Plans};
use crate::math::{count, six_digits};
use crate::polder::Step;
use crate::reservoir::highest;
use engine::{Parameters, Table};
use serde_json::{Map, Value, json};

/// Openings that differ by less are the same, m: half of what the command takes.
const OPENING_SAME_M: f64 = 0.005;
/// Releases that differ by less, as a share, are the same.
const RELEASE_SAME: f64 = 0.02;

/// The courses, to be told.
pub(super) struct Said<'a> {
    pub(super) chain: &'a Chain,
    pub(super) plans: &'a Plans,
    pub(super) step_h: f64,
}

/// A limit that a series passes.
#[derive(Clone, Copy)]
struct Passed {
    /// When it first does, h ahead.
    first_h: f64,
    /// How long in all, h.
    hours: f64,
    /// The highest value.
    most: f64,
    /// When it is reached, h ahead.
    most_h: f64,
}

/// A series that is held against a limit.
struct Watched<'a> {
    about: &'static str,
    words: [&'static str; 2],
    unit: &'static str,
    limit: f64,
    series: &'a [f64],
}

/// Numbers as people write them: discharges of hundreds without decimals, others with one; levels with two.
fn flow(x: f64) -> String {
    if x.abs() >= 100.0 {
        format!("{x:.0}")
    } else {
        format!("{x:.1}")
    }
}

fn hours(h: f64) -> String {
    let text = format!("{h:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Of 10⁴ m³, as Chinese engineers count water.
fn volume(m3: f64) -> String {
    format!("{:.1}", m3 / 1e4)
}

/// Sentences in both languages with their figures.
#[derive(Default)]
struct Sentences(Vec<Value>);

impl Sentences {
    fn add(&mut self, about: &str, zh: String, en: String, figures: Value) {
        self.0
            .push(json!({"about": about, "zh": zh, "en": en, "figures": figures}));
    }
}

/// What of the courses rests on a curve beyond its range.
pub(super) fn beyond(chain: &Chain, plans: &Plans, doubts: &mut Doubts) {
    let (lowest, top) = chain.river.reservoir.storage.range();
    let all = [&plans.nothing, &plans.rules, &plans.suggested];
    let leaves = |plan: &&Plan| {
        plan.course
            .level
            .iter()
            .any(|level| !(lowest..=top).contains(level))
    };
    if all.iter().any(leaves) {
        doubts.add(
            format!("有的方案库水位超出库容曲线 {lowest:.2} 至 {top:.2} m，超出部分按直线延长"),
            format!("a course leaves the capacity curve, {lowest:.2} to {top:.2} m; beyond it the line goes on"),
        );
    }
    let rating = chain
        .polder
        .as_ref()
        .and_then(|(_, outside)| outside.rating);
    if let Some(curve) = rating {
        let ends = curve
            .discharge(curve.low_m)
            .zip(curve.discharge(curve.high_m));
        let is_out =
            |flow: &f64| ends.is_some_and(|(low, high)| *flow < low - 1e-9 || *flow > high + 1e-9);
        if all
            .iter()
            .any(|plan| plan.course.section.iter().any(is_out))
        {
            doubts.add(
                format!("断面流量超出水位流量关系的范围（{:.2} 至 {:.2} m），外河水位按端点计", curve.low_m, curve.high_m),
                format!("the section's discharge leaves the rating curve ({:.2} to {:.2} m): the stage outside is that of its end", curve.low_m, curve.high_m),
            );
        }
    }
    if plans.suggested.course.against_rules.iter().any(|is| *is) {
        doubts.add(
            "建议有的时段不合调度规则的最大或最小泄量：受能力、死水位限制，或维持现状本身就不合",
            "in some steps the suggestion is not within the rules' least or most release: capacity or dead level hold it back, or what stays is not itself",
        );
    }
}

impl Said<'_> {
    pub(super) fn choice(&self) -> &'static str {
        match self.plans.choice {
            Choice::Nothing => "keep",
            Choice::Rules => "rules",
            Choice::Cut => "cut-the-peak",
        }
    }

    fn at(&self, n: usize) -> f64 {
        count(n + 1) * self.step_h
    }

    /// Whether and how a series passes a limit.
    fn passed(&self, series: &[f64], limit: f64, slack: f64) -> Option<Passed> {
        let over: Vec<usize> = (0..series.len())
            .filter(|n| series[*n] > limit + slack)
            .collect();
        let first = over.first()?;
        let most = highest(series);
        let most_at = series.iter().position(|x| *x >= most).unwrap_or(*first);
        Some(Passed {
            first_h: self.at(*first),
            hours: count(over.len()) * self.step_h,
            most,
            most_h: self.at(most_at),
        })
    }

    fn levels(steps: &[Step]) -> Vec<f64> {
        steps.iter().map(|step| step.level).collect()
    }

    fn polders(&self) -> Option<(&[Step], &[Step])> {
        let nothing = self.plans.nothing.polder.as_ref()?;
        let suggested = self.plans.suggested.polder.as_ref()?;
        Some((&nothing.1, &suggested.1))
    }

    /// What to do now.
    pub(super) fn actions(&self, p: &Parameters) -> Value {
        let thing = |name: &str| {
            let things = p.structure("things");
            things
                .and_then(|things| things.get(name))
                .cloned()
                .unwrap_or(Value::Null)
        };
        let now = self.chain.river.coming.release;
        let release = self
            .plans
            .suggested
            .course
            .release
            .first()
            .copied()
            .unwrap_or(now);
        let mut all = vec![json!({
            "kind": "release", "thing": thing("reservoir"), "command": null, "unit": "MQS",
            "now": six_digits(now), "value": six_digits(release),
            "is_change": (release - now).abs() > RELEASE_SAME * now.abs().max(1.0),
        })];
        let first = self.polders().and_then(|(_, suggested)| suggested.first());
        if let (Some(step), Some((polder, _))) = (first, &self.chain.polder) {
            if polder.gate.is_some() {
                all.push(json!({
                    "kind": "gate", "thing": thing("gate"), "command": "set-opening", "unit": "MTR",
                    "now": six_digits(polder.opening_m), "value": six_digits(step.opening),
                    "is_change": (step.opening - polder.opening_m).abs() > OPENING_SAME_M,
                }));
            }
            all.push(json!({
                "kind": "pump", "thing": thing("pump"), "command": "set-running", "unit": null,
                "now": polder.running, "value": step.running, "is_change": step.running != polder.running,
            }));
        }
        Value::Array(all)
    }

    /// Why, with the figures.
    pub(super) fn reasons(&self) -> Value {
        let mut told = Sentences::default();
        self.of_reservoir(&mut told);
        self.of_polder(&mut told);
        if told.0.is_empty() {
            told.add(
                "keep",
                "维持现状，计算期内不超过任何限制，不必调整。".to_owned(),
                "If everything stays as it is no limit is passed within the time reckoned: nothing need be changed.".to_owned(),
                json!({}),
            );
        }
        Value::Array(told.0)
    }

    fn of_reservoir(&self, told: &mut Sentences) {
        let (nothing, suggested) = (&self.plans.nothing.course, &self.plans.suggested.course);
        let river = &self.chain.river;
        let limits = [
            ("limit", "限制水位", "its limit", river.reservoir.limit_m),
            (
                "flood-limit",
                "汛限水位",
                "the flood-limit level",
                river.reservoir.flood_limit_m,
            ),
        ];
        for (about, zh, en, limit) in limits {
            if let Some(passed) = self.passed(&nothing.level, limit, 1e-3) {
                let (best, last) = (
                    highest(&suggested.level),
                    suggested.level.last().copied().unwrap_or(f64::NAN),
                );
                let now = river.coming.level_m;
                let (begins_zh, begins_en) = if now > limit + 1e-3 {
                    (
                        format!("库水位现在 {now:.2} m，已在{zh} {limit:.2} m 以上；维持现状"),
                        format!(
                            "The reservoir is at {now:.2} m, above {en} of {limit:.2} m already; if everything stays, it is"
                        ),
                    )
                } else {
                    let first = hours(passed.first_h);
                    (
                        format!("维持现状，{first} 小时后库水位超过{zh} {limit:.2} m"),
                        format!(
                            "If everything stays, the reservoir passes {en} of {limit:.2} m in {first} h and is"
                        ),
                    )
                };
                let (most, most_h) = (passed.most, hours(passed.most_h));
                told.add(
                    about,
                    format!("{begins_zh}，{most_h} 小时后最高 {most:.2} m；照建议最高 {best:.2} m，期末 {last:.2} m。"),
                    format!("{begins_en} highest at {most:.2} m in {most_h} h; as suggested it is highest at {best:.2} m, and {last:.2} m at the end."),
                    json!({"limit_m": limit, "first_h": passed.first_h, "hours": passed.hours, "nothing_m": six_digits(passed.most), "suggested_m": six_digits(best)}),
                );
            }
        }
        if let Some(passed) = self.passed(&nothing.section, river.safe, 1e-2) {
            let best = highest(&suggested.section);
            told.add(
                "safe-flow",
                format!(
                    "维持现状，{} 小时后控制断面超过安全泄量 {} m³/s，{} 小时后最大 {} m³/s；照建议最大 {} m³/s。",
                    hours(passed.first_h), flow(river.safe), hours(passed.most_h), flow(passed.most), flow(best)
                ),
                format!(
                    "If everything stays, the section passes its safe discharge of {} m³/s in {} h and carries {} m³/s at most, in {} h; as suggested {} m³/s.",
                    flow(river.safe), hours(passed.first_h), flow(passed.most), hours(passed.most_h), flow(best)
                ),
                json!({"safe_m3s": river.safe, "first_h": passed.first_h, "hours": passed.hours, "nothing_m3s": six_digits(passed.most), "suggested_m3s": six_digits(best)}),
            );
        }
        self.of_drawdown(told);
    }

    /// Water let out before more comes.
    fn of_drawdown(&self, told: &mut Sentences) {
        let (course, river) = (&self.plans.suggested.course, &self.chain.river);
        let inflow = &river.coming.inflow;
        let most = highest(inflow);
        let until = inflow.iter().position(|i| *i >= most).unwrap_or(0);
        let before = course.release.iter().zip(inflow).take(until);
        let freed: f64 =
            before.map(|(out, come)| (out - come).max(0.0)).sum::<f64>() * river.coming.step_s;
        let worth = (river.coming.release + most) * river.coming.step_s * 0.05;
        if self.plans.choice == Choice::Nothing || until == 0 || freed <= worth {
            return;
        }
        let lowest = course
            .level
            .iter()
            .take(until)
            .copied()
            .fold(f64::INFINITY, f64::min);
        told.add(
            "drawdown",
            format!(
                "入库流量 {} 小时后最大 {} m³/s，此前多泄 {} 万 m³ 腾出库容，库水位最低降到 {lowest:.2} m。",
                hours(self.at(until)), flow(most), volume(freed)
            ),
            format!(
                "The inflow is largest in {} h at {} m³/s; {}·10⁴ m³ more than comes in are let out before, down to {lowest:.2} m.",
                hours(self.at(until)), flow(most), volume(freed)
            ),
            json!({"peak_inflow_m3s": six_digits(most), "peak_h": self.at(until), "freed_m3": six_digits(freed), "lowest_m": six_digits(lowest)}),
        );
    }

    fn of_polder(&self, told: &mut Sentences) {
        let (Some((polder, _)), Some((nothing, suggested))) = (&self.chain.polder, self.polders())
        else {
            return;
        };
        let best = highest(&Self::levels(suggested));
        if let Some(passed) = self.passed(&Self::levels(nothing), polder.limit_m, 1e-3) {
            told.add(
                "polder",
                format!(
                    "闸、泵维持现状，{} 小时后内河超过 {:.2} m，{} 小时后最高 {:.2} m；照建议最高 {best:.2} m。",
                    hours(passed.first_h), polder.limit_m, hours(passed.most_h), passed.most
                ),
                format!(
                    "If gate and pumps stay, the polder is above {:.2} m in {} h and highest at {:.2} m in {} h; as suggested it is highest at {best:.2} m.",
                    polder.limit_m, hours(passed.first_h), passed.most, hours(passed.most_h)
                ),
                json!({"limit_m": polder.limit_m, "first_h": passed.first_h, "hours": passed.hours, "nothing_m": six_digits(passed.most), "suggested_m": six_digits(best)}),
            );
        }
        let Some(first) = suggested.first() else {
            return;
        };
        let outside = self
            .plans
            .suggested
            .polder
            .as_ref()
            .map(|(outside, _)| outside.as_slice())
            .unwrap_or_default();
        let outside_now = outside.first().copied().unwrap_or(f64::NAN);
        if polder.gate.is_some() && (first.opening - polder.opening_m).abs() > OPENING_SAME_M {
            let head = (polder.level_m - outside_now).abs();
            let higher = outside_now >= polder.level_m;
            let guarantee = polder
                .gate
                .and_then(|gate| gate.guarantee_m)
                .filter(|stage| outside_now >= *stage);
            let (zh, en) = match (guarantee, higher, first.opening > 0.0) {
                (Some(stage), ..) => (
                    format!("外河 {outside_now:.2} m，达到闸下保证水位 {stage:.2} m，闸应关。"),
                    format!(
                        "Outside it is {outside_now:.2} m, at the guarantee stage below the gate, {stage:.2} m: the gate is to be closed."
                    ),
                ),
                (None, true, _) => (
                    format!("外河 {outside_now:.2} m，比内河高 {head:.2} m，闸开着会倒灌，应关。"),
                    format!(
                        "Outside it is {outside_now:.2} m, {head:.2} m higher than in the polder: an open gate lets the river in."
                    ),
                ),
                (None, false, true) => (
                    format!(
                        "内河 {:.2} m，比外河高 {head:.2} m，开闸 {:.2} m 可自排 {} m³/s。",
                        polder.level_m,
                        first.opening,
                        flow(first.drained)
                    ),
                    format!(
                        "The polder is at {:.2} m, {head:.2} m higher than outside: {:.2} m of opening drain {} m³/s by themselves.",
                        polder.level_m,
                        first.opening,
                        flow(first.drained)
                    ),
                ),
                (None, false, false) => (
                    format!(
                        "内河 {:.2} m，不需要或不能自排（水头 {head:.2} m），闸可关。",
                        polder.level_m
                    ),
                    format!(
                        "The polder is at {:.2} m and need not or cannot drain by itself (head {head:.2} m): the gate may be closed.",
                        polder.level_m
                    ),
                ),
            };
            told.add("gate", zh, en, json!({"outside_m": six_digits(outside_now), "polder_m": six_digits(polder.level_m), "opening_m": six_digits(first.opening)}));
        }
        self.of_pumps(told, first.running, outside);
    }

    fn of_pumps(&self, told: &mut Sentences, running: usize, outside: &[f64]) {
        let Some((polder, _)) = &self.chain.polder else {
            return;
        };
        let pumps = &polder.pumps;
        let closing = pumps
            .outlet_max_m
            .and_then(|most| Some((most, self.passed(outside, most, 0.0)?)));
        if let Some((most, passed)) = closing {
            told.add(
                "outlet",
                format!(
                    "外河 {} 小时后超过泵站最高运行外水位 {most:.2} m（最高 {:.2} m），共 {} 小时不能开机。",
                    hours(passed.first_h), passed.most, hours(passed.hours)
                ),
                format!(
                    "Outside the river passes the highest stage at which pumps may run, {most:.2} m, in {} h (highest {:.2} m): for {} h they cannot.",
                    hours(passed.first_h), passed.most, hours(passed.hours)
                ),
                json!({"outlet_max_m": most, "first_h": passed.first_h, "hours": passed.hours, "most_m": six_digits(passed.most)}),
            );
        }
        if running == polder.running {
            return;
        }
        let early = if polder.level_m < pumps.start_m {
            ("（预排）", " early")
        } else {
            ("", "")
        };
        let (zh, en) = if running > polder.running {
            (
                format!(
                    "开机 {running} 台（{} m³/s）{}，起排水位 {:.2} m，内河现在 {:.2} m。",
                    flow(count(running) * pumps.flow),
                    early.0,
                    pumps.start_m,
                    polder.level_m
                ),
                format!(
                    "{running} units ({} m³/s) are to run{}: they start at {:.2} m, and the polder is at {:.2} m.",
                    flow(count(running) * pumps.flow),
                    early.1,
                    pumps.start_m,
                    polder.level_m
                ),
            )
        } else {
            (
                format!(
                    "开机由 {} 台减为 {running} 台：自排够用、已近停排水位 {:.2} m，或外水位过高。",
                    polder.running, pumps.stop_m
                ),
                format!(
                    "{running} units instead of {}: the gate suffices, the stopping stage of {:.2} m is near, or the river is too high.",
                    polder.running, pumps.stop_m
                ),
            )
        };
        told.add("pump", zh, en, json!({"running": running, "start_m": pumps.start_m, "polder_m": six_digits(polder.level_m)}));
    }

    /// The three courses side by side: a row a measure.
    pub(super) fn comparison(&self) -> Value {
        let river = &self.chain.river;
        let plans = [
            &self.plans.nothing,
            &self.plans.rules,
            &self.plans.suggested,
        ];
        let row = |measure: &str, unit: &str, of: &dyn Fn(&Plan) -> Option<f64>| {
            let mut row = Map::new();
            row.insert("measure".to_owned(), json!(measure));
            row.insert("unit".to_owned(), json!(unit));
            for (name, plan) in ["nothing", "rules", "suggested"].into_iter().zip(plans) {
                row.insert(name.to_owned(), json!(of(plan).map(six_digits)));
            }
            Value::Object(row)
        };
        let over = |series: &[f64], limit: f64, slack: f64| {
            self.passed(series, limit, slack)
                .map_or(0.0, |passed| passed.hours)
        };
        let step_s = river.coming.step_s;
        let mut all = vec![
            row("peak_section", "MQS", &|plan| {
                Some(highest(&plan.course.section))
            }),
            row("hours_over_safe", "HUR", &|plan| {
                Some(over(&plan.course.section, river.safe, 1e-2))
            }),
            row("highest_level", "MTR", &|plan| {
                Some(highest(&plan.course.level))
            }),
            row("last_level", "MTR", &|plan| {
                plan.course.level.last().copied()
            }),
            row("hours_over_flood_limit", "HUR", &|plan| {
                Some(over(
                    &plan.course.level,
                    river.reservoir.flood_limit_m,
                    1e-3,
                ))
            }),
            row("hours_over_limit", "HUR", &|plan| {
                Some(over(&plan.course.level, river.reservoir.limit_m, 1e-3))
            }),
            row("let_out", "MTQ", &|plan| {
                Some(plan.course.release.iter().sum::<f64>() * step_s)
            }),
        ];
        if let Some((polder, _)) = &self.chain.polder {
            let steps = |plan: &Plan| plan.polder.as_ref().map(|(_, steps)| steps.clone());
            let sum = |plan: &Plan, of: fn(&Step) -> f64| {
                steps(plan).map(|all| all.iter().map(of).sum::<f64>() * step_s)
            };
            all.extend([
                row("highest_outside", "MTR", &|plan| {
                    plan.polder.as_ref().map(|(outside, _)| highest(outside))
                }),
                row("highest_polder", "MTR", &|plan| {
                    steps(plan).map(|all| highest(&Self::levels(&all)))
                }),
                row("hours_over_polder_limit", "HUR", &|plan| {
                    steps(plan).map(|all| over(&Self::levels(&all), polder.limit_m, 1e-3))
                }),
                row("drained", "MTQ", &|plan| {
                    sum(plan, |step| step.drained.max(0.0))
                }),
                row("let_in", "MTQ", &|plan| {
                    sum(plan, |step| (-step.drained).max(0.0))
                }),
                row("pumped", "MTQ", &|plan| sum(plan, |step| step.pumped)),
                row("energy", "KWH", &|plan| {
                    steps(plan).map(|all| polder.energy_kwh(&all))
                }),
            ]);
        }
        Value::Array(all)
    }

    /// What is passed with the suggestion all the same.
    pub(super) fn violations(&self) -> Value {
        let mut told = Sentences::default();
        let (course, river) = (&self.plans.suggested.course, &self.chain.river);
        let polder = self.chain.polder.as_ref().zip(self.polders());
        let inside = polder.map(|((polder, _), (_, steps))| (polder.limit_m, Self::levels(steps)));
        let mut watched = vec![
            Watched {
                about: "limit",
                words: ["库水位超过限制水位", "the reservoir passes its limit"],
                unit: "m",
                limit: river.reservoir.limit_m,
                series: &course.level,
            },
            Watched {
                about: "safe-flow",
                words: [
                    "控制断面超过安全泄量",
                    "the section passes its safe discharge",
                ],
                unit: "m³/s",
                limit: river.safe,
                series: &course.section,
            },
            Watched {
                about: "flood-limit",
                words: [
                    "库水位高于汛限水位",
                    "the reservoir is above its flood limit",
                ],
                unit: "m",
                limit: river.reservoir.flood_limit_m,
                series: &course.level,
            },
        ];
        if let Some((limit, levels)) = &inside {
            watched.push(Watched {
                about: "polder",
                words: ["内河超过限制水位", "the polder passes its limit"],
                unit: "m",
                limit: *limit,
                series: levels,
            });
        }
        for each in watched {
            let is_level = each.unit == "m";
            let slack = if is_level { 1e-3 } else { 1e-2 };
            let Some(passed) = self.passed(each.series, each.limit, slack) else {
                continue;
            };
            let number = |x: f64| if is_level { format!("{x:.2}") } else { flow(x) };
            let ([zh, en], unit) = (each.words, each.unit);
            let (limit, most) = (number(each.limit), number(passed.most));
            let (first, all) = (hours(passed.first_h), hours(passed.hours));
            told.add(
                each.about,
                format!("{zh} {limit} {unit}：{first} 小时后起共 {all} 小时，最大 {most} {unit}。"),
                format!("{en} of {limit} {unit}: from {first} h on, for {all} h in all, {most} {unit} at most."),
                json!({"limit": each.limit, "first_h": passed.first_h, "hours": passed.hours, "most": six_digits(passed.most)}),
            );
        }
        Value::Array(told.0)
    }

    /// The limits that counted.
    pub(super) fn limits(&self) -> Value {
        let reservoir = &self.chain.river.reservoir;
        json!({
            "limit_m": reservoir.limit_m, "flood_limit_m": reservoir.flood_limit_m, "drawdown_m": reservoir.drawdown_m, "dead_m": reservoir.dead_m,
            "safe_m3s": six_digits(self.chain.river.safe), "polder_limit_m": self.chain.polder.as_ref().map(|(polder, _)| polder.limit_m),
        })
    }

    /// A row a step.
    pub(super) fn table(&self, at: impl Fn(usize) -> String) -> Table {
        let coming = &self.chain.river.coming;
        let steps = coming.inflow.len();
        let digits =
            |series: &[f64]| cells(&series.iter().map(|x| six_digits(*x)).collect::<Vec<_>>());
        let mut columns: Vec<(String, Vec<String>)> = vec![
            ("at".to_owned(), (0..steps).map(at).collect()),
            ("inflow_m3s".to_owned(), digits(&coming.inflow)),
            ("lateral_m3s".to_owned(), digits(&coming.lateral)),
        ];
        let plans = [
            ("nothing", &self.plans.nothing),
            ("rules", &self.plans.rules),
            ("suggested", &self.plans.suggested),
        ];
        for (name, plan) in plans {
            let course = &plan.course;
            let mut add =
                |what: &str, cells: Vec<String>| columns.push((format!("{name}_{what}"), cells));
            add("level_m", digits(&course.level));
            if name != "rules" {
                // Whole: the balance is seen in it.
                add("storage_m3", cells(&course.storage));
            }
            add("release_m3s", digits(&course.release));
            add("section_m3s", digits(&course.section));
            if name == "rules" {
                continue;
            }
            let empty = (Vec::new(), Vec::new());
            let (outside, steps) = plan.polder.as_ref().unwrap_or(&empty);
            let of = |value: fn(&Step) -> f64| digits(&steps.iter().map(value).collect::<Vec<_>>());
            add("outside_m", digits(outside));
            add("polder_m", of(|step| step.level));
            add("opening_m", of(|step| step.opening));
            add("gate_m3s", of(|step| step.drained));
            add(
                "pumps",
                steps.iter().map(|step| step.running.to_string()).collect(),
            );
        }
        let rows = (0..steps).map(|n| {
            columns
                .iter()
                .map(|(_, cells)| cells.get(n).cloned().unwrap_or_default())
                .collect()
        });
        Table {
            rows: rows.collect(),
            columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}
