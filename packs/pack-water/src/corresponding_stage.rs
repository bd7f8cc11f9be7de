//! Corresponding stages (相应水位预报): the stages to come of a river station from its own last stages and those of stations upstream.
//!
//! After GB/T 22482-2008, section 6, and Bao (2009), 水文预报, 4th ed.: a wave that passed upstream passes here a travel time later, so what the stage
//! will do is read off what it and the stages upstream did. Here each lead has a regression of its own (direct multi-step forecasts,
//! not steps of one forecast after another): the change of the stage from now to the lead on the last own changes, those upstream, and
//! the rain of the last steps; and a second one that has the stage above its median too, for what a river does after a flood. Least
//! squares with a small ridge (Hoerl & Kennard 1970), no constant: where nothing moves, nothing is foretold.
//!
//! * What is told of a forecast's errors comes from cross-validation in blocks of time (Bergmeir & Benítez 2012): a block is foretold
//!   by what was fitted to the others, less the rows so near that their targets overlap.
//! * Of the two regressions and persistence (the stage stays) each lead takes the one with the least squared error there.
//! * The interval is the quantiles of those errors, each as a share of how lively the river was when its forecast began: errors grow
//!   in a flood. No later lead has a narrower one.

use crate::math::{count, mean, quantile, solve};
use serde::Serialize;
use std::ops::Range;

/// Rain enters as sums over so many last steps.
pub const RAIN_SPANS: [usize; 4] = [1, 3, 6, 12];
/// Least liveliness, m: half of the millimetre that stages are given with.
const LIVELINESS_MIN: f64 = 0.000_5;
/// A forecast is good within this share of the change that came (许可误差, GB/T 22482-2008, section 6) …
const ALLOWED_SHARE: f64 = 0.2;
/// … or within this, m, where that is more.
const ALLOWED_M: f64 = 0.1;

/// Equal steps of time up to the moment from which is foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The last moment, µs since 1970.
    pub origin: i64,
    /// The step, µs.
    pub step: i64,
    /// How many moments there are, the origin included.
    pub steps: usize,
}

impl Axis {
    /// The moment of that number, from 0, µs since 1970.
    pub fn at(&self, n: usize) -> i64 {
        let back = self.steps.saturating_sub(n + 1);
        let back = i64::try_from(back).unwrap_or(i64::MAX);
        self.origin.saturating_sub(back.saturating_mul(self.step))
    }

    /// The number of the moment with which the step ends in which a time lies; `None` after the origin and before the first step.
    pub fn step_of(&self, time: i64) -> Option<usize> {
        let since = self.origin.checked_sub(time).filter(|s| *s >= 0)?;
        let back = usize::try_from(since / self.step).ok()?;
        self.steps.checked_sub(back + 1)
    }
}

/// The stages of one station at the moments of an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stages {
    /// The stage, m; not a number in a gap.
    pub values: Vec<f64>,
    /// Whether something was read in the step that ends there, rather than only before and after it.
    pub is_read: Vec<bool>,
}

impl Stages {
    /// From readings (µs since 1970, m) in order of time. A moment between two readings has the value of the straight line between
    /// them where at most `gap_steps_max` moments lie between; else that of the last reading within its step, else none.
    pub fn from_readings(readings: &[(i64, f64)], axis: Axis, gap_steps_max: usize) -> Self {
        let gap = i64::try_from(gap_steps_max).unwrap_or(i64::MAX);
        let longest = gap.saturating_add(1).saturating_mul(axis.step);
        let mut stages = Self::default();
        let mut next = 0;
        for n in 0..axis.steps {
            let at = axis.at(n);
            while readings.get(next).is_some_and(|(time, _)| *time <= at) {
                next += 1;
            }
            let before = next.checked_sub(1).and_then(|k| readings.get(k));
            let last = before.filter(|(time, _)| at - time < axis.step);
            let value = match (before, readings.get(next)) {
                (Some((time, value)), _) if *time == at => *value,
                (Some((from, a)), Some((to, b))) if to - from <= longest => {
                    a + (b - a) * span(at - from) / span(to - from)
                }
                _ => last.map_or(f64::NAN, |(_, value)| *value),
            };
            stages.values.push(value);
            stages.is_read.push(last.is_some());
        }
        stages
    }

    /// How many steps before the last moment something was read last; `None` when nothing was.
    pub fn silent_steps(&self) -> Option<usize> {
        self.is_read.iter().rev().position(|is_read| *is_read)
    }

    fn is_read_at(&self, n: usize) -> bool {
        self.is_read.get(n).is_some_and(|is_read| *is_read)
    }
}

/// A span of time as a number.
fn span(micros: i64) -> f64 {
    count(usize::try_from(micros).unwrap_or_default())
}

/// The rain of each step of an axis, mm, from amounts (µs since 1970, mm) in order of time: the sum of those within the step. Up to
/// `gap_steps_max` steps on end of which nothing is known count as dry, longer gaps are not a number.
pub fn rain_of_steps(amounts: &[(i64, f64)], axis: Axis, gap_steps_max: usize) -> Vec<f64> {
    let mut rain = vec![f64::NAN; axis.steps];
    for (time, amount) in amounts {
        if let Some(cell) = axis.step_of(*time).and_then(|n| rain.get_mut(n)) {
            *cell = amount + if cell.is_nan() { 0.0 } else { *cell };
        }
    }
    let known = |r: &f64| !r.is_nan();
    let Some((first, last)) = rain
        .iter()
        .position(known)
        .zip(rain.iter().rposition(known))
    else {
        return rain;
    };
    let mut between = rain.get_mut(first..=last).unwrap_or_default();
    while let Some(from) = between.iter().position(|r| r.is_nan()) {
        let (_, rest) = between.split_at_mut(from);
        let long = rest.iter().position(known).unwrap_or(rest.len());
        let (gap, rest) = rest.split_at_mut(long);
        if long <= gap_steps_max {
            gap.fill(0.0);
        }
        between = rest;
    }
    rain
}

/// What is known of a river up to now, all on the same axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct River {
    /// The station of which is foretold; its last moment has been read.
    pub own: Stages,
    /// Stations upstream.
    pub upstream: Vec<Stages>,
    /// Rain of each step, mm; not a number where it is not known.
    pub rain: Option<Vec<f64>>,
}

/// How is foretold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Leads: 1 to this, steps.
    pub leads: usize,
    /// Own last changes that enter, steps.
    pub memory: usize,
    /// Last changes of each station upstream that enter, steps.
    pub upstream_memory: usize,
    /// Steps that a source may be silent at the end, so that its changes before that enter instead.
    pub gap_steps_max: usize,
    /// The share of the outcomes that the intervals should hold.
    pub certainty: f64,
    /// Fewest rows that each lead is fitted to.
    pub rows_min: usize,
    /// Blocks of time of the cross-validation.
    pub folds: usize,
    /// The ridge: what is added to each term's sum of squares, as a share of it.
    pub ridge: f64,
}

/// What enters beside the station's own changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A station upstream, by its number from 0.
    Upstream(usize),
    /// Rain.
    Rain,
}

/// Why a source does not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing was read of it, or not enough of late.
    Silent,
    /// With it, too few rows are whole.
    Sparse,
}

/// A source that enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// Which.
    pub source: Source,
    /// How many steps it is behind: what enters ends so many steps before the forecast begins, in every row alike.
    pub delay: usize,
}

/// What a lead is foretold by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Terms {
    /// The stage stays: nothing was better.
    Persistence,
    /// Changes, and rain.
    Changes,
    /// Those, and how high the stage is above its median.
    ChangesAndLevel,
}

/// The forecast of one lead, and how good such forecasts were on what they were not fitted to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lead {
    /// The lead, steps.
    pub lead: usize,
    /// What it is foretold by.
    pub terms: Terms,
    /// Rows that it was fitted to and judged on.
    pub rows: usize,
    /// Root of the mean squared error, m.
    pub rmse_m: f64,
    /// That of persistence, m.
    pub rmse_persistence_m: f64,
    /// NSE (确定性系数) of the change over the lead.
    pub nse_of_change: f64,
    /// That of persistence: 0 at best.
    pub nse_of_change_persistence: f64,
    /// Blocks of time in which it was better than persistence: few, where it rests on one flood.
    pub folds_better: usize,
    /// Share of forecasts within the allowed error (合格率, GB/T 22482-2008): a fifth of the change that came, at least 0.10 m.
    pub within_allowed: f64,
    /// Share of what came that lay within intervals made of the other blocks' errors.
    pub covered: f64,
    /// The change that is foretold, m.
    #[serde(skip)]
    pub change_m: f64,
    /// The interval's lower end less the forecast, m: 0 or below.
    #[serde(skip)]
    pub low_m: f64,
    /// The interval's upper end less the forecast, m: 0 or above.
    #[serde(skip)]
    pub high_m: f64,
    /// Of each term: own changes, the newest first; those of each source in their order; the level. Empty for persistence.
    #[serde(skip)]
    pub coefficients: Vec<f64>,
}

/// What lies beyond everything that was fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// The stage is higher.
    Level,
    /// It changes faster.
    Change,
    /// A source changes faster, or more rain fell.
    Source(Source),
}

/// A forecast of all leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The leads from 1 on.
    pub leads: Vec<Lead>,
    /// What entered.
    pub used: Vec<Used>,
    /// What did not.
    pub missing: Vec<(Source, Missing)>,
    /// What lies beyond everything that was fitted to.
    pub beyond: Vec<Beyond>,
    /// Whether the own last changes are not known, so that every lead is persistence.
    pub is_blind: bool,
}

/// Too few rows for a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// The lead, steps.
    pub lead: usize,
    /// The rows that there are.
    pub rows: usize,
}

/// The last `memory` changes up to a moment, the newest first; `None` where one is not known.
fn changes(values: &[f64], at: usize, memory: usize, row: &mut Vec<f64>) -> Option<()> {
    let window = values.get(at.checked_sub(memory)?..=at)?;
    for pair in window.windows(2).rev() {
        let &[before, now] = pair else { continue };
        row.push(Some(now - before).filter(|change| change.is_finite())?);
    }
    Some(())
}

/// The sums of rain up to a step; `None` where one is not known.
fn sums(rain: &[f64], at: usize, row: &mut Vec<f64>) -> Option<()> {
    for steps in RAIN_SPANS {
        let window = rain.get((at + 1).checked_sub(steps)?..=at)?;
        let sum: f64 = window.iter().sum();
        row.push(Some(sum).filter(|sum| sum.is_finite())?);
    }
    Some(())
}

impl River {
    /// How many terms a source has.
    fn width(source: Source, how: &Settings) -> usize {
        match source {
            Source::Upstream(_) => how.upstream_memory,
            Source::Rain => RAIN_SPANS.len(),
        }
    }

    /// How long a source is silent at the end, steps.
    fn silent_steps(&self, source: Source) -> Option<usize> {
        match source {
            Source::Upstream(n) => self.upstream.get(n)?.silent_steps(),
            Source::Rain => self.rain.as_ref()?.iter().rev().position(|r| !r.is_nan()),
        }
    }

    /// The terms of a forecast from a moment, without the level. The newest value of a station must have been read: a straight line to
    /// a later reading knows more than anybody did then.
    fn terms(&self, at: usize, used: &[Used], how: &Settings, row: &mut Vec<f64>) -> Option<()> {
        changes(&self.own.values, at, how.memory, row)?;
        for Used { source, delay } in used {
            let at = at.checked_sub(*delay)?;
            match source {
                Source::Upstream(n) => {
                    let stages = self.upstream.get(*n).filter(|s| s.is_read_at(at))?;
                    changes(&stages.values, at, how.upstream_memory, row)?;
                }
                Source::Rain => sums(self.rain.as_ref()?, at, row)?,
            }
        }
        self.own.is_read_at(at).then_some(())
    }

    /// The whole rows before the last moment.
    fn rows(&self, used: &[Used], how: &Settings, median: f64) -> Rows {
        let widths = used.iter().map(|u| Self::width(u.source, how));
        let mut rows = Rows {
            width: how.memory + widths.sum::<usize>() + 1,
            ..Rows::default()
        };
        let is_change = |n: &usize| {
            let mut from = how.memory;
            *n < from
                || used.iter().any(|u| {
                    let own = from..from + Self::width(u.source, how);
                    from = own.end;
                    u.source != Source::Rain && own.contains(n)
                })
        };
        rows.changes = (0..rows.width).filter(is_change).collect();
        let last = self.own.values.len().saturating_sub(1);
        for (at, stage) in self.own.values.iter().enumerate().take(last) {
            let whole = rows.cells.len();
            if self.terms(at, used, how, &mut rows.cells).is_some() {
                rows.cells.push(stage - median);
                let row = rows.cells.get(whole..).unwrap_or_default();
                rows.lively.push(rows.liveliness(row));
                rows.at.push(at);
            } else {
                rows.cells.truncate(whole);
            }
        }
        rows
    }
}

/// The rows that a regression is fitted to.
#[derive(Clone, Debug, Default)]
struct Rows {
    /// Terms of a row, the level last.
    width: usize,
    /// Which of the terms are changes of stages.
    changes: Vec<usize>,
    /// The moment of each row.
    at: Vec<usize>,
    /// The terms, row after row.
    cells: Vec<f64>,
    /// How lively the river was in each row, m.
    lively: Vec<f64>,
}

impl Rows {
    fn row(&self, n: usize) -> &[f64] {
        let from = n * self.width;
        self.cells.get(from..from + self.width).unwrap_or_default()
    }

    /// The mean change in the steps that a row knows, without sign, m.
    fn liveliness(&self, row: &[f64]) -> f64 {
        let changes = self.changes.iter().filter_map(|n| row.get(*n));
        mean(changes.map(|change| change.abs()))
    }
}

/// Sums of squares and products: all that least squares need of rows.
#[derive(Clone, Debug)]
struct Sums {
    /// Those of the terms, the lower triangle row after row.
    products: Vec<f64>,
    /// Those of the terms with the target.
    right: Vec<f64>,
}

impl Sums {
    fn new(width: usize) -> Self {
        Self {
            products: vec![0.0; width * (width + 1) / 2],
            right: vec![0.0; width],
        }
    }

    /// Adds rows with their targets, four at a time, so that each sum is fetched and put back once for four; rows of 0 fill up.
    fn add<'a>(&mut self, mut rows: impl ExactSizeIterator<Item = (&'a [f64], f64)>) {
        let zeros = vec![0.0; self.right.len()];
        while rows.len() > 0 {
            let four = [(); 4].map(|()| rows.next().unwrap_or((&zeros, 0.0)));
            let [a, b, c, d] = four.map(|(row, _)| row);
            let targets = four.map(|(_, target)| target);
            let mut rest = self.products.as_mut_slice();
            let terms = a.iter().zip(b).zip(c).zip(d);
            for (n, ((((p, q), r), s), right)) in terms.zip(&mut self.right).enumerate() {
                *right += p * targets[0] + q * targets[1] + r * targets[2] + s * targets[3];
                let (line, below) = rest.split_at_mut(n + 1);
                for ((((cell, a), b), c), d) in line.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *cell += p * a + q * b + r * c + s * d;
                }
                rest = below;
            }
        }
    }

    fn join(&mut self, other: &Self) {
        let mine = self.products.iter_mut().chain(&mut self.right);
        for (cell, more) in mine.zip(other.products.iter().chain(&other.right)) {
            *cell += more;
        }
    }

    /// The coefficients of the first `width` terms. A term that is always 0 has 0.
    fn solve(&self, width: usize, ridge: f64) -> Vec<f64> {
        let mut matrix = vec![vec![0.0; width]; width];
        let mut from = 0;
        for i in 0..width {
            let line = self.products.get(from..=from + i).unwrap_or_default();
            from += i + 1;
            for (j, product) in line.iter().enumerate() {
                let on_diagonal = i == j;
                let product = match (on_diagonal, *product > 0.0) {
                    (true, true) => product * (1.0 + ridge),
                    (true, false) => 1.0,
                    _ => *product,
                };
                for (a, b) in [(i, j), (j, i)] {
                    if let Some(cell) = matrix.get_mut(a).and_then(|line| line.get_mut(b)) {
                        *cell = product;
                    }
                }
            }
        }
        let right = self.right.iter().take(width).copied().collect();
        solve(matrix, right).unwrap_or_else(|| vec![0.0; width])
    }
}

fn foretold(coefficients: &[f64], row: &[f64]) -> f64 {
    coefficients.iter().zip(row).map(|(c, x)| c * x).sum()
}

/// A block of time of the cross-validation, as numbers of rows.
struct Fold {
    /// Its own rows.
    own: Range<usize>,
    /// Rows before this number are fitted to, …
    before: usize,
    /// … and those from this on.
    after: usize,
}

impl Fold {
    fn fits_to(&self, row: usize) -> bool {
        row < self.before || row >= self.after
    }
}

/// Blocks of as many rows each; `at` are the rows' moments. Rows within the lead of a block are neither in it nor fitted to.
fn folds(at: &[usize], lead: usize, folds: usize) -> Vec<Fold> {
    let one = |k: usize| {
        let own = at.len() * k / folds..at.len() * (k + 1) / folds;
        let first = *at.get(own.start)?;
        let last = *at.get(own.end.checked_sub(1)?)?;
        Some(Fold {
            before: at.partition_point(|t| t + lead < first),
            after: at.partition_point(|t| *t <= last + lead),
            own,
        })
    };
    (0..folds).filter_map(one).collect()
}

/// A row of which is known what came: its number, its moment, the change over the lead.
type Known = (usize, usize, f64);

/// What a lead may be foretold by, fitted to all rows, with the errors on the blocks that were left out.
struct Tried {
    terms: Terms,
    coefficients: Vec<f64>,
    errors: Vec<f64>,
}

impl Tried {
    fn squares(&self) -> f64 {
        self.errors.iter().map(|e| e * e).sum()
    }
}

/// Persistence and the two regressions.
fn try_all(rows: &Rows, known: &[Known], folds: &[Fold], ridge: f64) -> [Tried; 3] {
    // The sums of what lies between two cuts are made once; every fit takes those that it needs.
    let mut cuts: Vec<usize> = folds.iter().flat_map(|f| [f.before, f.after]).collect();
    cuts.extend([0, known.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let pieces = cuts.windows(2).filter_map(|pair| {
        let &[from, to] = pair else { return None };
        let mut sums = Sums::new(rows.width);
        let those = known.get(from..to)?.iter();
        sums.add(those.map(|(n, _, change)| (rows.row(*n), *change)));
        Some((from, sums))
    });
    let pieces: Vec<(usize, Sums)> = pieces.collect();
    let fitted = |takes: &dyn Fn(usize) -> bool| {
        let mut all = Sums::new(rows.width);
        for (_, sums) in pieces.iter().filter(|(from, _)| takes(*from)) {
            all.join(sums);
        }
        [rows.width - 1, rows.width].map(|width| all.solve(width, ridge))
    };
    let [changes, level] = fitted(&|_| true);
    let mut all = [
        (Terms::Persistence, Vec::new()),
        (Terms::Changes, changes),
        (Terms::ChangesAndLevel, level),
    ]
    .map(|(terms, coefficients)| Tried {
        terms,
        coefficients,
        errors: Vec::with_capacity(known.len()),
    });
    for fold in folds {
        let [changes, level] = fitted(&|from| fold.fits_to(from));
        for (n, _, change) in known.get(fold.own.clone()).unwrap_or_default() {
            let row = rows.row(*n);
            let told = [0.0, foretold(&changes, row), foretold(&level, row)];
            for (tried, told) in all.iter_mut().zip(told) {
                tried.errors.push(change - told);
            }
        }
    }
    all
}

/// One lead fitted and judged, and the quantiles of its errors as shares of the liveliness.
fn fit(
    rows: &Rows,
    own: &Stages,
    lead: usize,
    how: &Settings,
) -> Result<(Lead, (f64, f64)), TooFew> {
    let target = |n: usize, at: usize| {
        let (now, then) = (own.values.get(at)?, own.values.get(at + lead)?);
        own.is_read_at(at + lead).then_some((n, at, then - now))
    };
    let known = rows.at.iter().enumerate();
    let known: Vec<Known> = known.filter_map(|(n, at)| target(n, *at)).collect();
    if known.len() < how.rows_min {
        let rows = known.len();
        return Err(TooFew { lead, rows });
    }
    let at: Vec<usize> = known.iter().map(|(_, at, _)| *at).collect();
    let folds = folds(&at, lead, how.folds);
    let [stays, changes, level] = try_all(rows, &known, &folds, how.ridge);
    let of_stays = stays.squares();
    let changes_of = known.iter().map(|(_, _, change)| *change);
    let middle = mean(changes_of.clone());
    let spread: f64 = changes_of.map(|c| (c - middle) * (c - middle)).sum();
    let nse = |squares: f64| {
        if spread > 0.0 {
            1.0 - squares / spread
        } else {
            f64::NAN
        }
    };
    let squares_of = |errors: &[f64], fold: &Fold| -> f64 {
        let own = errors.get(fold.own.clone()).unwrap_or_default();
        own.iter().map(|e| e * e).sum()
    };
    let mut best = &stays;
    for tried in [&changes, &level] {
        if tried.squares() < best.squares() {
            best = tried;
        }
    }
    let is_better = |fold: &&Fold| squares_of(&best.errors, fold) < squares_of(&stays.errors, fold);
    let of_best = best.squares();
    let good = best
        .errors
        .iter()
        .zip(&known)
        .filter(|(e, (_, _, change))| e.abs() <= (ALLOWED_SHARE * change.abs()).max(ALLOWED_M));
    let usual = usual(rows);
    let shares = best.errors.iter().zip(&known).map(|(error, (n, ..))| {
        let lively = rows.lively.get(*n).copied().unwrap_or_default();
        error / (usual + lively)
    });
    let (shares, covered) = shares_of(shares.collect(), &folds, how.certainty);
    let n = count(known.len());
    let judged = Lead {
        lead,
        terms: best.terms,
        rows: known.len(),
        rmse_m: (of_best / n).sqrt(),
        rmse_persistence_m: (of_stays / n).sqrt(),
        nse_of_change: nse(of_best),
        nse_of_change_persistence: nse(of_stays),
        folds_better: folds.iter().filter(is_better).count(),
        within_allowed: count(good.count()) / n,
        covered,
        change_m: 0.0,
        low_m: 0.0,
        high_m: 0.0,
        coefficients: best.coefficients.clone(),
    };
    Ok((judged, shares))
}

/// The usual liveliness, m.
fn usual(rows: &Rows) -> f64 {
    mean(rows.lively.iter().copied()).max(LIVELINESS_MIN)
}

/// The quantiles of the errors' shares, and how many lay within the quantiles of the other blocks. The lower one is at most 0 and the
/// upper one at least: an interval holds its forecast.
fn shares_of(shares: Vec<f64>, folds: &[Fold], certainty: f64) -> ((f64, f64), f64) {
    let tail = (1.0 - certainty) / 2.0;
    let ends = |sorted: &[f64]| {
        (
            quantile(sorted, tail).min(0.0),
            quantile(sorted, 1.0 - tail).max(0.0),
        )
    };
    let mut sorted: Vec<(usize, f64)> = shares.iter().copied().enumerate().collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let those = |takes: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let taken = sorted.iter().filter(|(n, _)| takes(*n));
        taken.map(|(_, share)| *share).collect()
    };
    let (mut within, mut judged) = (0, 0);
    for fold in folds {
        let others = those(&|n| fold.fits_to(n));
        if others.is_empty() {
            continue;
        }
        let (low, high) = ends(&others);
        let own = shares.get(fold.own.clone()).unwrap_or_default();
        judged += own.len();
        within += own.iter().filter(|s| (low..=high).contains(*s)).count();
    }
    (ends(&those(&|_| true)), count(within) / count(judged))
}

/// Foretells a river.
///
/// # Errors
/// When a lead has fewer rows than it needs.
pub fn forecast(river: &River, how: &Settings) -> Result<Forecast, TooFew> {
    let values = &river.own.values;
    let last = values.len().saturating_sub(1);
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5);
    let is_blind = changes(values, last, how.memory, &mut Vec::new()).is_none();

    let (mut used, mut missing) = (Vec::new(), Vec::new());
    let mut rows = river.rows(&used, how, median);
    let upstream = (0..river.upstream.len()).map(Source::Upstream);
    for source in upstream.chain(river.rain.as_ref().map(|_| Source::Rain)) {
        let delay = river.silent_steps(source);
        let Some(delay) = delay.filter(|steps| *steps <= how.gap_steps_max) else {
            missing.push((source, Missing::Silent));
            continue;
        };
        let mut more = used.clone();
        more.push(Used { source, delay });
        let now = river.terms(last, &more, how, &mut Vec::new());
        if !is_blind && now.is_none() {
            missing.push((source, Missing::Silent));
            continue;
        }
        let with = river.rows(&more, how, median);
        if with.at.len() < how.rows_min.max(rows.at.len() / 2) {
            missing.push((source, Missing::Sparse));
            continue;
        }
        (used, rows) = (more, with);
    }

    let mut now = Vec::new();
    let is_known = river.terms(last, &used, how, &mut now).is_some();
    now.push(values.get(last).map_or(f64::NAN, |stage| stage - median));
    let usual = usual(&rows);
    let lively = if is_known {
        rows.liveliness(&now)
    } else {
        usual
    };
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    let mut leads = Vec::new();
    for lead in 1..=how.leads {
        let (mut judged, shares) = fit(&rows, &river.own, lead, how)?;
        if !is_known {
            judged.terms = Terms::Persistence;
            judged.coefficients = Vec::new();
        }
        low = low.min(shares.0 * (usual + lively));
        high = high.max(shares.1 * (usual + lively));
        judged.change_m = foretold(&judged.coefficients, &now);
        (judged.low_m, judged.high_m) = (low, high);
        leads.push(judged);
    }
    let beyond = if is_known {
        beyond(&rows, &now, &used, how)
    } else {
        Vec::new()
    };
    Ok(Forecast {
        leads,
        used,
        missing,
        beyond,
        is_blind,
    })
}

/// A change, or a stage, that is beyond others by less than this is not worth a word, m (rain: mm).
const BEYOND_MIN: f64 = 0.01;

fn beyond(rows: &Rows, now: &[f64], used: &[Used], how: &Settings) -> Vec<Beyond> {
    let most = |row: &[f64], of: &Range<usize>| {
        let own = row.get(of.clone()).unwrap_or_default();
        own.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
    };
    let is_beyond = |of: Range<usize>| {
        let before = (0..rows.at.len()).map(|n| most(rows.row(n), &of));
        most(now, &of) > before.fold(0.0, f64::max) + BEYOND_MIN
    };
    let mut found = Vec::new();
    let level = |row: &[f64]| row.last().copied().unwrap_or_default();
    let levels = (0..rows.at.len()).map(|n| level(rows.row(n)));
    if level(now) > levels.fold(f64::NEG_INFINITY, f64::max) + BEYOND_MIN {
        found.push(Beyond::Level);
    }
    if is_beyond(0..how.memory) {
        found.push(Beyond::Change);
    }
    let mut from = how.memory;
    for Used { source, .. } in used {
        let own = from..from + River::width(*source, how);
        from = own.end;
        if is_beyond(own) {
            found.push(Beyond::Source(*source));
        }
    }
    found
}

/// How many steps changes upstream go before those here, and how closely (correlation): the lag up to `most` at which changes over
/// `steps` steps go together best. `None` where nothing changes.
pub fn travel(own: &[f64], upstream: &[f64], steps: usize, most: usize) -> Option<(usize, f64)> {
    let changes = |values: &[f64]| -> Vec<f64> {
        let later = values.iter().skip(steps);
        later.zip(values).map(|(b, a)| b - a).collect()
    };
    let (own, upstream) = (changes(own), changes(upstream));
    let mut best: Option<(usize, f64)> = None;
    for lag in 0..=most {
        let both = own.iter().skip(lag).zip(&upstream);
        let (mut oo, mut uu, mut ou) = (0.0, 0.0, 0.0);
        for (o, u) in both.filter(|(o, u)| o.is_finite() && u.is_finite()) {
            oo += o * o;
            uu += u * u;
            ou += o * u;
        }
        let together = ou / (oo * uu).sqrt();
        if together > best.map_or(0.0, |(_, most)| most) {
            best = Some((lag, together));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIS: Axis = Axis {
        origin: 60,
        step: 10,
        steps: 7,
    };

    #[test]
    fn readings_come_onto_the_grid() {
        // Read at 0, 10, 20 and 60: three moments lie between the last two. At 4 and 18 something was read beside the grid.
        let readings = [
            (0, 1.0),
            (4, 9.0),
            (10, 3.0),
            (18, 4.0),
            (22, 8.0),
            (60, 2.0),
        ];
        let stages = Stages::from_readings(&readings, AXIS, 3);
        let line = |at: f64| 8.0 - 6.0 * (at - 22.0) / 38.0;
        let hoped = [1.0, 3.0, 6.0, line(30.0), line(40.0), line(50.0), 2.0];
        for (value, hoped) in stages.values.iter().zip(hoped) {
            assert!((value - hoped).abs() < 1e-12, "{stages:?}");
        }
        assert_eq!(stages.is_read, [true, true, true, true, false, false, true]);
        let short = Stages::from_readings(&readings, AXIS, 2);
        assert!(short.values[3] == 8.0 && short.values[4].is_nan() && short.values[5].is_nan());
        let late = Stages::from_readings(&[(0, 1.0), (38, 5.0)], AXIS, 3);
        assert_eq!((late.silent_steps(), late.values[4]), (Some(2), 5.0));
        assert!(late.values[5].is_nan());
        assert_eq!(Stages::from_readings(&[], AXIS, 3).silent_steps(), None);
    }

    #[test]
    fn rain_falls_within_steps() {
        let amounts = [
            (-25, 9.0),
            (1, 1.0),
            (10, 2.0),
            (11, 4.0),
            (50, 0.5),
            (61, 7.0),
        ];
        let dry = rain_of_steps(&amounts, AXIS, 2);
        assert!(dry[0].is_nan() && dry[6].is_nan());
        assert_eq!(dry[1..6], [3.0, 4.0, 0.0, 0.0, 0.5]);
        let unknown = rain_of_steps(&amounts, AXIS, 1);
        assert!(unknown[3].is_nan() && unknown[4].is_nan());
    }

    #[test]
    fn rows_near_a_block_are_not_fitted_to() {
        // Moments 10 to 39 with a hole.
        let at: Vec<usize> = (10..40).filter(|t| !(18..22).contains(t)).collect();
        let all = folds(&at, 3, 4);
        assert_eq!(all.iter().map(|f| f.own.len()).sum::<usize>(), at.len());
        for fold in all {
            for (row, t) in at.iter().enumerate() {
                let near = at[fold.own.clone()].iter().any(|own| own.abs_diff(*t) <= 3);
                assert_eq!(fold.fits_to(row), !near);
            }
        }
    }

    #[test]
    fn the_lag_of_a_wave_is_found() {
        let wave = |n: i32| (f64::from(n) / 7.0).sin() + (f64::from(n) / 3.1).sin();
        let upstream: Vec<f64> = (0..300).map(wave).collect();
        let own: Vec<f64> = (0..300).map(|n| 2.0 * wave(n - 5)).collect();
        let (lag, together) = travel(&own, &upstream, 3, 20).unwrap();
        assert!(lag == 5 && together > 0.999);
        assert_eq!(travel(&[1.0; 9], &[2.0; 9], 2, 3), None);
    }
}
