//! Mathematics that comes out the same on every machine: IEEE 754 says what `+ - × ÷ √` give; powers, exponentials and logarithms
//! are those of `libm` in Rust instead of the system's.

/// `base` to the power of `exponent`.
pub fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// e to the power of `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// A count as a number; exact up to 2⁵³.
#[allow(clippy::cast_precision_loss)]
pub fn count(n: usize) -> f64 {
    n as f64
}

/// Six digits of a fitted number: more are not known, and so many come back the same from a text.
pub fn six_digits(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// The mean; not a number for none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value;
        n += 1.0;
    }
    sum / n
}

/// The quantile of sorted values by linear interpolation between order statistics (Hyndman & Fan 1996, type 7).
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return f64::NAN;
    };
    let at = share.clamp(0.0, 1.0) * count(sorted.len() - 1);
    let below = whole(at);
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(a), Some(b)) => a + (b - a) * (at - count(below)),
        (Some(_), None) => *last,
        _ => *first,
    }
}

/// The whole part of a number that is not negative; 0 for others.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn whole(x: f64) -> usize {
    if x > 0.0 { x as usize } else { 0 }
}

/// Solves a small system of linear equations by Gaussian elimination with partial pivoting; `None` when it has no single solution.
pub fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|a, b| {
            let size = |row: &usize| {
                matrix
                    .get(*row)
                    .and_then(|r| r.get(k))
                    .map_or(0.0, |v| v.abs())
            };
            size(a).total_cmp(&size(b))
        })?;
        matrix.swap(k, pivot);
        right.swap(k, pivot);
        let above = matrix.get(k)?.clone();
        let head = *above.get(k)?;
        if head.abs() < 1e-300 {
            return None;
        }
        let top = *right.get(k)?;
        for row in k + 1..n {
            let line = matrix.get_mut(row)?;
            let factor = *line.get(k)? / head;
            for (cell, a) in line.iter_mut().zip(&above) {
                *cell -= factor * a;
            }
            *right.get_mut(row)? -= factor * top;
        }
    }
    let mut found = vec![0.0; n];
    for k in (0..n).rev() {
        let line = matrix.get(k)?;
        let known: f64 = (k + 1..n)
            .filter_map(|j| Some(line.get(j)? * found.get(j)?))
            .sum();
        *found.get_mut(k)? = (right.get(k)? - known) / line.get(k)?;
    }
    found.iter().all(|v| v.is_finite()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_type_seven() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert!((quantile(&sorted, 0.25) - 1.75).abs() < 1e-15);
        assert!((quantile(&sorted, 1.0) - 4.0).abs() < 1e-15);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_not() {
        let x = solve(vec![vec![0.0, 2.0], vec![1.0, 1.0]], vec![4.0, 5.0]).unwrap();
        assert_eq!(x, [3.0, 2.0]);
        assert_eq!(
            solve(vec![vec![1.0, 2.0], vec![2.0, 4.0]], vec![1.0, 1.0]),
            None
        );
    }
}
