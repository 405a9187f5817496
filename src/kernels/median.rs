//! Median of all pairwise squared distances, the zero diagonal included, without storing the n² matrix.
//!
//! Distances are counted into bins by exponent and leading bits; only the bin of the middle is searched.

use crate::expr::Real;
use crate::order;

/// Bins: the exponent and two bits of the mantissa of an f64 (its sign is 0).
const BINS: usize = 1 << 13;

/// The bin of a number ≥ 0; bins ascend with the numbers, NaN comes last.
fn bin<R: Real>(value: R) -> usize {
    (value.to_f64().to_bits() >> 50) as usize % BINS
}

/// Median over all ordered pairs (i, j) of |x_i − x_j|²; for an even number of pairs the mean of the middle two.
///
/// **Shapes** `x: [n, d]`, row-major, n ≥ 1. O(n² d) time, n(n−1)/2 numbers of scratch (2 MB at n = 1024 in f32).
/// NaN where a distance is not a number.
pub fn median_squared_distance<R: Real>(x: &[R], d: usize) -> R {
    let distances = squared_distances(x, d);
    let mut counts = vec![0usize; BINS];
    for &v in &distances {
        counts[bin(v)] += 1;
    }
    if counts[bin(f64::NAN)] > 0 {
        return R::from_f64(f64::NAN);
    }
    // The sorted n² entries are n zeros, then each distance twice; an even number has two in the middle.
    let n = x.len() / d.max(1);
    let ranks = [(n * n - 1) / 2, n * n / 2];
    let mut inside: (usize, Vec<R>) = (BINS, Vec::new());
    let middle = ranks.map(|rank| {
        if rank < n {
            return R::ZERO;
        }
        let mut rank = (rank - n) / 2;
        let mut own = 0;
        while rank >= counts[own] {
            rank -= counts[own];
            own += 1;
        }
        if inside.0 != own {
            let members = distances.iter().copied().filter(|&v| bin(v) == own);
            inside = (own, members.collect());
        }
        order::select(&mut inside.1, rank)
    });
    (middle[0] + middle[1]) * R::from_f64(0.5)
}

/// |x_i − x_j|² for all j < i.
fn squared_distances<R: Real>(x: &[R], d: usize) -> Vec<R> {
    let n = x.len() / d.max(1);
    let mut distances = vec![R::ZERO; n * n.saturating_sub(1) / 2];
    for a in 0..d {
        let column: Vec<R> = x.iter().skip(a).step_by(d).copied().collect();
        let mut rest = &mut distances[..];
        for (i, &own) in column.iter().enumerate() {
            let (row, after) = rest.split_at_mut(i);
            for (total, &other) in row.iter_mut().zip(&column) {
                let difference = own - other;
                *total += difference * difference;
            }
            rest = after;
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;

    #[test]
    fn equals_the_sorted_matrix() {
        for n in [1usize, 2, 3, 4, 7, 20] {
            let x: Vec<f64> = rng::normal_vec(n as u32, 0, 0, 2 * n)
                .iter()
                .map(|&v| f64::from(v))
                .collect();
            let mut all = Vec::new();
            for i in 0..n {
                for j in 0..n {
                    all.push((x[2 * i] - x[2 * j]).powi(2) + (x[2 * i + 1] - x[2 * j + 1]).powi(2));
                }
            }
            all.sort_by(f64::total_cmp);
            let expected = if all.len() % 2 == 1 {
                all[all.len() / 2]
            } else {
                0.5 * (all[all.len() / 2 - 1] + all[all.len() / 2])
            };
            assert_eq!(median_squared_distance(&x, 2), expected, "n = {n}");
        }
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        assert!(median_squared_distance(&[0.0, f64::NAN, 1.0], 1).is_nan());
    }
}
