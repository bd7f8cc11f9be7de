//! Stages foretold over tables.

use super::{
    CERTAINTY, GAP_STEPS_MAX, PACK, RAIN_MAX, STAGE, STAGE_M, column, json, number, report, whole,
};
use crate::corresponding_stage::{
    self as stage, Axis, Beyond, Forecast, Lead, Missing, River, Settings, Source, Stages, Terms,
    TooFew, Used,
};
use crate::math::count;
use engine::{Description, Engine, Mistakes, Output, Parameters, Table, wrong};
use model::Problem;
use model::time::Timestamp;
use serde_json::{Value, json};

/// The optional columns of stages upstream, and that of rain.
const UPSTREAM: [&str; 4] = [
    "upstream_1_m",
    "upstream_2_m",
    "upstream_3_m",
    "upstream_4_m",
];
const RAIN: &str = "rain_mm";
const MINUTE: i64 = 60_000_000;
/// Most steps that the readings may span.
const STEPS_MAX: usize = 200_000;
/// Most sums of products that one run makes: some seconds.
const WORK_MAX: f64 = 1e10;
/// Intervals that held so much less than they should are a doubt.
const COVERED_LESS: f64 = 0.1;
/// From this correlation on a travel time is told.
const TOGETHER_MIN: f64 = 0.5;

pub(super) fn engines() -> Vec<Engine> {
    vec![Engine::new(
        const {
            Description {
                name: "water.corresponding-stage",
                pack: PACK,
                title_zh: "相应水位预报",
                title_en: "Stages foretold from past stages here and upstream",
                method: "For each lead the change of the stage is regressed on the last own changes, on those of the columns upstream_1_m to upstream_4_m \
                     (stage, m; may be empty) and on sums of rain_mm (rain since the row before, mm) over 1, 3, 6 and 12 steps, where these columns are \
                     there; a second regression has the stage above its median too. Least squares with a ridge, without a constant. Both and persistence \
                     are judged by cross-validation in blocks of time, and each lead takes the best; the interval is the quantiles of these errors, as \
                     shares of how much the stages changed of late, never narrower for a later lead. Readings come onto equal steps that end with the \
                     last reading, by straight lines. The output is one row a lead: at (RFC 3339, Z), value, lower, upper",
                reference: "GB/T 22482-2008, section 6; Bao 2009, 水文预报, 4th ed.; Hoerl & Kennard 1970, Technometrics 12(1); Bergmeir & Benítez 2012, \
                        Information Sciences 191",
                version: 1,
                input: &[
                    column(
                        "at",
                        "when it was read, RFC 3339 with its zone; rows in order of time, of rows of one time the last that is not empty counts",
                    ),
                    STAGE_M,
                ],
                output: &[
                    column("value", "stage foretold, m; a millimetre is the last digit"),
                    column("lower", "lower end of its interval, m"),
                    column("upper", "upper end, m"),
                ],
                parameters: &[
                    whole(
                        "step_minutes",
                        "the step of the forecast",
                        "min",
                        (1, 1_440),
                        60,
                    ),
                    whole(
                        "leads",
                        "leads that are foretold: 1 to this",
                        "steps",
                        (1, 240),
                        24,
                    ),
                    whole("memory", "own last changes that enter", "steps", (1, 24), 3),
                    whole(
                        "upstream_memory",
                        "last changes of each station upstream that enter: the travel time from there, or more",
                        "steps",
                        (1, 96),
                        6,
                    ),
                    GAP_STEPS_MAX,
                    CERTAINTY,
                    whole(
                        "fit_steps_min",
                        "fewest whole rows that a lead is fitted to",
                        "rows",
                        (24, 100_000),
                        72,
                    ),
                    whole(
                        "folds",
                        "blocks of time that are left out in turn",
                        "-",
                        (2, 20),
                        5,
                    ),
                    number(
                        "ridge",
                        "what is added to each term's sum of squares, as a share of it",
                        "-",
                        (1e-6, 10.0),
                        Some(0.001),
                    ),
                    number(
                        "jump_m",
                        "a change within one step that is larger than this is a doubt",
                        "m",
                        (0.01, 100.0),
                        Some(0.5),
                    ),
                ],
            }
        },
        Box::new(run),
    )]
}

/// What is read of a table.
struct Readings {
    /// The moments of the rows, µs since 1970.
    times: Vec<i64>,
    own: Vec<(i64, f64)>,
    /// The columns upstream that are there.
    upstream: Vec<(&'static str, Vec<(i64, f64)>)>,
    rain: Option<Vec<(i64, f64)>>,
}

pub(super) fn times(table: &Table, mistakes: &mut Mistakes<'_>) -> Vec<i64> {
    let mut times: Vec<i64> = Vec::with_capacity(table.rows.len());
    for (n, cell) in table.cells("at").enumerate() {
        let before = times.last().copied();
        let time = match Timestamp::parse(cell) {
            Ok(time) => time.micros(),
            Err(problem) => {
                let mend = "write a time as 2026-07-01T08:00:00Z";
                mistakes.add(n, wrong(problem.what, mend));
                before.unwrap_or(i64::MIN)
            }
        };
        if before.is_some_and(|before| time < before) {
            let what = format!(
                "{} is before the row above it",
                Timestamp::from_micros(time)
            );
            mistakes.add(n, wrong(what, "give the rows in order of time"));
        }
        times.push(time.max(before.unwrap_or(time)));
    }
    times
}

fn readings(table: &Table, place: &str) -> Result<Readings, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let times = times(table, &mut mistakes);
    let mut of = |name: &str, (min, max): (f64, f64)| {
        let cells = table.numbers_or_gaps(name, min, max, &mut mistakes);
        let mut all: Vec<(i64, f64)> = Vec::with_capacity(cells.len());
        for (time, value) in times.iter().zip(cells) {
            let Some(value) = value else { continue };
            match all.last_mut() {
                Some(last) if last.0 == *time => last.1 = value,
                _ => all.push((*time, value)),
            }
        }
        all
    };
    let own = of(STAGE_M.name, STAGE);
    let upstream = UPSTREAM.into_iter().filter(|name| table.has(name));
    let upstream = upstream.map(|name| (name, of(name, STAGE))).collect();
    let rain = table.has(RAIN).then(|| of(RAIN, (0.0, RAIN_MAX)));
    if own.is_empty() && mistakes.is_empty() {
        mistakes.of_table("no stage was read", "fill in stage_m");
    }
    mistakes.end()?;
    Ok(Readings {
        times,
        own,
        upstream,
        rain,
    })
}

/// A table that cannot be foretold from.
fn refused<T>(place: &str, what: String, mend: &str) -> Result<T, Vec<Problem>> {
    Err(vec![Problem::new("engine-table", what, place, mend)])
}

fn settings(p: &Parameters) -> Settings {
    Settings {
        leads: p.count("leads"),
        memory: p.count("memory"),
        upstream_memory: p.count("upstream_memory"),
        gap_steps_max: p.count("gap_steps_max"),
        certainty: p.number("certainty"),
        rows_min: p.count("fit_steps_min"),
        folds: p.count("folds"),
        ridge: p.number("ridge"),
    }
}

fn axis(readings: &Readings, p: &Parameters, place: &str) -> Result<Axis, Vec<Problem>> {
    let minutes = i64::try_from(p.whole("step_minutes")).unwrap_or(1);
    let step = minutes * MINUTE;
    let ends = readings.own.first().zip(readings.own.last());
    let (first, origin) = ends.map_or((0, 0), |(first, last)| (first.0, last.0));
    let now = readings.times.last().copied().unwrap_or(origin);
    let steps = usize::try_from(origin.saturating_sub(first) / step).unwrap_or(usize::MAX);
    if steps >= STEPS_MAX {
        let what = format!("the readings span {steps} steps, not below {STEPS_MAX}");
        return refused(place, what, "give a shorter past, or a longer step_minutes");
    }
    let late = now.saturating_sub(origin);
    let gap = i64::try_from(p.whole("gap_steps_max")).unwrap_or(1).max(1);
    if late > gap * step {
        let what = format!(
            "the last stage is of {}, {} steps before the last row",
            Timestamp::from_micros(origin),
            late / step
        );
        let mend = "fill in stage_m up to now, or raise gap_steps_max";
        return refused(place, what, mend);
    }
    Ok(Axis {
        origin,
        step,
        steps: steps + 1,
    })
}

fn run(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let readings = readings(table, place)?;
    let axis = axis(&readings, p, place)?;
    let how = settings(p);
    let width = how.memory + how.upstream_memory * readings.upstream.len();
    let work = count(axis.steps) * count(how.leads) * count(width) * count(width);
    if work > WORK_MAX {
        let what = format!(
            "{} steps, {} leads and {width} changes are too much at once",
            axis.steps, how.leads
        );
        let mend = "give a shorter past, fewer leads or a shorter upstream_memory";
        return Err(vec![p.problem("leads", what, mend)]);
    }
    let of = |all: &[(i64, f64)]| Stages::from_readings(all, axis, how.gap_steps_max);
    let rain = readings.rain.as_ref();
    let river = River {
        own: of(&readings.own),
        upstream: readings.upstream.iter().map(|(_, all)| of(all)).collect(),
        rain: rain.map(|all| stage::rain_of_steps(all, axis, how.gap_steps_max)),
    };
    let forecast = stage::forecast(&river, &how).or_else(|TooFew { lead, rows }| {
        let what = format!(
            "{rows} whole rows for a lead of {lead} steps, fewer than fit_steps_min, {}",
            how.rows_min
        );
        let mend = "give a longer past, fewer leads, a shorter memory, or a step_minutes as long as the readings are apart";
        refused(place, what, mend)
    })?;
    let name = |source: Source| match source {
        Source::Upstream(n) => readings.upstream.get(n).map_or("", |(name, _)| name),
        Source::Rain => RAIN,
    };
    let sources: Vec<Behind> = forecast
        .used
        .iter()
        .map(|used| Behind::new(used, name(used.source), &river, &how))
        .collect();
    let last = river.own.values.last().copied().unwrap_or(f64::NAN);
    let origin = Timestamp::from_micros(axis.origin);
    let doubts = Doubts {
        all: Vec::new(),
        axis,
        how: &how,
    };
    Ok(Output {
        table: rows(&forecast, axis, last),
        report: report([
            ("method", json!("corresponding-stage")),
            ("origin", json!(origin.to_string())),
            ("stage_m", json!(last)),
            ("certainty", json!(how.certainty)),
            ("sources", sources.iter().map(Behind::json).collect()),
            ("skill", json(&forecast.leads)),
            (
                "doubts",
                doubts.told(&readings, &river, &forecast, &sources, p.number("jump_m")),
            ),
        ]),
    })
}

/// The rows of a forecast, to the millimetre; the interval's ends are rounded outwards.
fn rows(forecast: &Forecast, axis: Axis, last: f64) -> Table {
    let mut table = Table::of(&["at", "value", "lower", "upper"]);
    // Adding 0 leaves no -0.
    let metres = |millimetres: f64| (millimetres / 1e3 + 0.0).to_string();
    for lead in &forecast.leads {
        let steps = i64::try_from(lead.lead).unwrap_or(i64::MAX);
        let at = axis.origin.saturating_add(steps.saturating_mul(axis.step));
        let value = ((last + lead.change_m) * 1e3).round();
        table.rows.push(vec![
            Timestamp::from_micros(at).to_string(),
            metres(value),
            metres(value + (lead.low_m * 1e3).floor()),
            metres(value + (lead.high_m * 1e3).ceil()),
        ]);
    }
    table
}

/// What is told of a source that entered.
struct Behind {
    column: &'static str,
    delay: usize,
    /// Steps that a station's changes go before those here, and how closely.
    travel: Option<(usize, f64)>,
}

impl Behind {
    fn new(used: &Used, column: &'static str, river: &River, how: &Settings) -> Self {
        let most = 2 * (how.leads + how.upstream_memory);
        let travel = match used.source {
            Source::Upstream(n) => river.upstream.get(n),
            Source::Rain => None,
        };
        let travel = travel.and_then(|upstream| {
            let steps = how.upstream_memory.div_ceil(2);
            stage::travel(&river.own.values, &upstream.values, steps, most)
        });
        Self {
            column,
            delay: used.delay,
            travel,
        }
    }

    fn json(&self) -> Value {
        json!({
            "column": self.column,
            "delay_steps": self.delay,
            "travel_steps": self.travel.map(|(steps, _)| steps),
            "correlation": self.travel.map(|(_, together)| together),
        })
    }
}

/// What a forecaster should look at.
struct Doubts<'a> {
    all: Vec<Value>,
    axis: Axis,
    how: &'a Settings,
}

impl Doubts<'_> {
    fn add(&mut self, doubt: impl Into<String>) {
        self.all.push(Value::String(doubt.into()));
    }

    fn told(
        mut self,
        readings: &Readings,
        river: &River,
        forecast: &Forecast,
        sources: &[Behind],
        jump_m: f64,
    ) -> Value {
        let columns = readings.upstream.iter().map(|(name, _)| *name);
        let columns: Vec<&str> = columns.collect();
        self.of_time(readings, forecast);
        self.of_jumps(STAGE_M.name, &river.own, jump_m);
        for (name, stages) in columns.iter().zip(&river.upstream) {
            self.of_jumps(name, stages, jump_m);
        }
        let name = |source: Source| match source {
            Source::Upstream(n) => columns.get(n).copied().unwrap_or_default(),
            Source::Rain => RAIN,
        };
        for (source, why) in &forecast.missing {
            let name = name(*source);
            self.add(match why {
                Missing::Silent => format!(
                    "{name}: silent, or with a gap in its last steps: the forecast does without it"
                ),
                Missing::Sparse => {
                    format!("{name}: too often silent in this past: the forecast does without it")
                }
            });
        }
        for source in sources {
            self.of_source(source);
        }
        for beyond in &forecast.beyond {
            let what = match beyond {
                Beyond::Level => "the stage is higher".to_owned(),
                Beyond::Change => "the stage changes faster".to_owned(),
                Beyond::Source(Source::Rain) => "more rain fell".to_owned(),
                Beyond::Source(source) => format!("{} changes faster", name(*source)),
            };
            self.add(format!(
                "{what} than ever in this past: the forecast goes beyond what it was fitted to"
            ));
        }
        self.of_leads(&forecast.leads);
        Value::Array(self.all)
    }

    fn of_time(&mut self, readings: &Readings, forecast: &Forecast) {
        let now = readings.times.last().copied().unwrap_or(self.axis.origin);
        if now.saturating_sub(self.axis.origin) > self.axis.step {
            self.add(format!(
                "the last stage is of {}, the last row of {}",
                Timestamp::from_micros(self.axis.origin),
                Timestamp::from_micros(now)
            ));
        }
        if forecast.is_blind {
            self.add("there is a gap in the last own steps: the stage is taken to stay");
        }
    }

    fn of_jumps(&mut self, name: &str, stages: &Stages, jump_m: f64) {
        let pairs = stages.values.iter().zip(stages.values.iter().skip(1));
        let jumps = (1..)
            .zip(pairs)
            .filter(|(_, (a, b))| (*b - *a).abs() > jump_m);
        let jumps: Vec<usize> = jumps.map(|(n, _)| n).collect();
        if let Some(last) = jumps.last() {
            self.add(format!(
                "{name} changed by more than {jump_m} m in a step, {} times, the last up to {}: look whether it was water",
                jumps.len(),
                Timestamp::from_micros(self.axis.at(*last))
            ));
        }
    }

    fn of_source(&mut self, source: &Behind) {
        let Behind { column, delay, .. } = source;
        if *delay > 0 {
            self.add(format!(
                "{column}: its last reading is {delay} steps older than the stage's"
            ));
        }
        let far = source.travel.filter(|(steps, together)| {
            *steps > self.how.upstream_memory + delay && *together >= TOGETHER_MIN
        });
        if let Some((steps, _)) = far {
            self.add(format!(
                "{column} goes before by {steps} steps, more than upstream_memory: raise it to as many"
            ));
        }
    }

    fn of_leads(&mut self, leads: &[Lead]) {
        let stays = |lead: &&Lead| lead.terms == Terms::Persistence;
        if let Some(which) = numbers(leads.iter().filter(stays).map(|lead| lead.lead)) {
            self.add(format!(
                "leads {which}: nothing was better than that the stage stays, and so it is foretold"
            ));
        }
        let rests = |lead: &&Lead| {
            lead.terms != Terms::Persistence && 2 * lead.folds_better < self.how.folds
        };
        if let Some(which) = numbers(leads.iter().filter(rests).map(|lead| lead.lead)) {
            self.add(format!(
                "leads {which}: better than that the stage stays in fewer than half of the blocks of time: one flood speaks for it"
            ));
        }
        let least = self.how.certainty - COVERED_LESS;
        let held = leads.iter().filter(|lead| lead.covered < least);
        let held: Vec<&Lead> = held.collect();
        let worst = held
            .iter()
            .fold(1.0, |least: f64, lead| least.min(lead.covered));
        if let Some(which) = numbers(held.iter().map(|lead| lead.lead)) {
            self.add(format!(
                "leads {which}: intervals of {:.0} % held as little as {:.0} % of what they had not seen",
                100.0 * self.how.certainty,
                100.0 * worst
            ));
        }
    }
}

/// Numbers in order as people write them: `1, 3 to 5`; `None` for none.
fn numbers(of: impl Iterator<Item = usize>) -> Option<String> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for n in of {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => runs.push((n, n)),
        }
    }
    let words = runs.iter().map(|(from, to)| {
        if from == to {
            from.to_string()
        } else {
            format!("{from} to {to}")
        }
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        let all = |of: &[usize]| numbers(of.iter().copied());
        assert_eq!(all(&[]), None);
        assert_eq!(all(&[1, 3, 4, 5, 9]).unwrap(), "1, 3 to 5, 9");
    }
}
