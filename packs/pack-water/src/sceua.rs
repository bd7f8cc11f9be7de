//! SCE-UA, the shuffled complex evolution (SCE-UA 算法): the least of a function of several parameters within bounds.
//!
//! Duan, Sorooshian & Gupta (1992), Water Resources Research 28(4), 1015–1031, with the sizes that Duan et al. (1994), J. Hydrology 158,
//! recommend: complexes of 2n + 1 points, simplexes of n + 1, 2n + 1 steps before shuffling. Written here: the crate of that name is
//! young, and its chance goes through the system's logarithm, so that a run could differ between machines. Chance is xoshiro256++
//! from the seed: the same seed and function give the same point, bit for bit.

use crate::math::{count, exp, ln, whole};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use serde::Serialize;

/// What is searched and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Least and most of each parameter.
    pub bounds: Vec<(f64, f64)>,
    /// Complexes p; more find the least more surely, and take longer.
    pub complexes: usize,
    /// Most times that the function is asked.
    pub evaluations_max: usize,
    /// It ends when the best has not become better by this share in [`Search::loops`] shufflings.
    pub improvement: f64,
    /// Shufflings over which that is judged.
    pub loops: usize,
    /// It ends when the points lie within this share of the bounds (geometric mean over the parameters).
    pub range: f64,
    /// The seed of chance.
    pub seed: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            bounds: Vec::new(),
            complexes: 4,
            evaluations_max: 20_000,
            improvement: 1e-4,
            loops: 8,
            range: 1e-3,
            seed: 1,
        }
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// As often asked as was allowed: more might be better.
    Evaluations,
    /// It did not become better.
    Improvement,
    /// The points lie together.
    Range,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The best point.
    pub point: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// How often the function was asked.
    pub evaluations: usize,
    /// Why it ended.
    pub end: End,
}

type Member = (Vec<f64>, f64);

struct Chance(Xoshiro256PlusPlus);

impl Chance {
    /// From 0 to below 1, from the upper 53 bits.
    #[allow(clippy::cast_precision_loss)]
    fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn point(&mut self, bounds: &[(f64, f64)]) -> Vec<f64> {
        let one = |(low, high): &(f64, f64)| low + (high - low) * self.share();
        bounds.iter().map(one).collect()
    }
}

/// The least of `function` within the bounds. Where it is not a number it counts as worst. Without bounds nothing is searched.
pub fn minimise(search: &Search, mut function: impl FnMut(&[f64]) -> f64) -> Option<Found> {
    let n = search.bounds.len();
    if n == 0 || search.complexes == 0 {
        return None;
    }
    let mut asked = 0;
    let mut ask = |point: &[f64]| {
        asked += 1;
        let value = function(point);
        (if value.is_nan() { f64::INFINITY } else { value }, asked)
    };
    let mut chance = Chance(Xoshiro256PlusPlus::seed_from_u64(search.seed));
    let size = 2 * n + 1;
    let mut members: Vec<Member> = Vec::with_capacity(size * search.complexes);
    let mut evaluations = 0;
    for _ in 0..size * search.complexes {
        let point = chance.point(&search.bounds);
        let (value, now) = ask(&point);
        evaluations = now;
        members.push((point, value));
    }
    let better = |a: &Member, b: &Member| a.1.total_cmp(&b.1);
    members.sort_by(better);
    let mut bests = vec![members.first()?.1];
    let end = loop {
        if evaluations >= search.evaluations_max {
            break End::Evaluations;
        }
        let mut complexes: Vec<Vec<Member>> = vec![Vec::with_capacity(size); search.complexes];
        for (rank, member) in members.drain(..).enumerate() {
            if let Some(complex) = complexes.get_mut(rank % search.complexes) {
                complex.push(member);
            }
        }
        for complex in &mut complexes {
            for _ in 0..size {
                if evaluations >= search.evaluations_max {
                    break;
                }
                evaluations = evolve(complex, &search.bounds, &mut chance, &mut ask)?;
            }
        }
        members = complexes.into_iter().flatten().collect();
        members.sort_by(better);
        let best = members.first()?.1;
        bests.push(best);
        if together(&members, &search.bounds) < search.range {
            break End::Range;
        }
        if let Some(before) = bests
            .len()
            .checked_sub(1 + search.loops)
            .and_then(|at| bests.get(at))
        {
            let middle = bests
                .iter()
                .rev()
                .take(search.loops)
                .map(|b| b.abs())
                .sum::<f64>()
                / count(search.loops);
            if (before - best) <= search.improvement * middle {
                break End::Improvement;
            }
        }
    };
    let (point, value) = members.into_iter().next()?;
    Some(Found {
        point,
        value,
        evaluations,
        end,
    })
}

/// One step of competitive complex evolution; how often the function has been asked after it.
fn evolve(
    complex: &mut [Member],
    bounds: &[(f64, f64)],
    chance: &mut Chance,
    ask: &mut impl FnMut(&[f64]) -> (f64, usize),
) -> Option<usize> {
    let parents = parents(complex.len(), bounds.len() + 1, chance);
    let worst = *parents.last()?;
    let rest = parents.get(..parents.len() - 1)?;
    let mut centre = vec![0.0; bounds.len()];
    for at in rest {
        for (sum, x) in centre.iter_mut().zip(&complex.get(*at)?.0) {
            *sum += x / count(rest.len());
        }
    }
    let (old, of_old) = complex.get(worst)?.clone();
    let within = |point: &[f64]| {
        point
            .iter()
            .zip(bounds)
            .all(|(x, (low, high))| (*low..=*high).contains(x))
    };
    let mut reflected: Vec<f64> = centre.iter().zip(&old).map(|(c, x)| 2.0 * c - x).collect();
    if !within(&reflected) {
        reflected = chance.point(&around(complex, bounds));
    }
    let (value, mut asked) = ask(&reflected);
    let mut taken = (reflected, value);
    if taken.1 >= of_old {
        let contracted: Vec<f64> = centre
            .iter()
            .zip(&old)
            .map(|(c, x)| f64::midpoint(*c, *x))
            .collect();
        let (value, now) = ask(&contracted);
        asked = now;
        taken = (contracted, value);
        if taken.1 >= of_old {
            let anywhere = chance.point(&around(complex, bounds));
            let (value, now) = ask(&anywhere);
            asked = now;
            taken = (anywhere, value);
        }
    }
    *complex.get_mut(worst)? = taken;
    complex.sort_by(|a, b| a.1.total_cmp(&b.1));
    Some(asked)
}

/// `wanted` ranks of `of`, each once, the better the more likely: a triangular probability. In order.
fn parents(of: usize, wanted: usize, chance: &mut Chance) -> Vec<usize> {
    let m = count(of);
    let mut taken: Vec<usize> = Vec::with_capacity(wanted);
    while taken.len() < wanted.min(of) {
        let u = chance.share();
        let rank = m + 0.5 - ((m + 0.5) * (m + 0.5) - m * (m + 1.0) * u).max(0.0).sqrt();
        let rank = whole(rank).min(of - 1);
        if !taken.contains(&rank) {
            taken.push(rank);
        }
    }
    taken.sort_unstable();
    taken
}

/// The smallest box that holds the complex.
fn around(complex: &[Member], bounds: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let side = |k: usize| {
        let values = complex.iter().filter_map(|(point, _)| point.get(k));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(*x), high.max(*x))
        })
    };
    (0..bounds.len()).map(side).collect()
}

/// Geometric mean of the shares of the bounds within which all points lie.
fn together(members: &[Member], bounds: &[(f64, f64)]) -> f64 {
    let sides = around(members, bounds);
    let logs = sides
        .iter()
        .zip(bounds)
        .map(|((low, high), (least, most))| ln(1e-30 + (high - low) / (most - least)));
    exp(logs.sum::<f64>() / count(bounds.len()))
}
