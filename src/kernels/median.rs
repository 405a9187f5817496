//! Median of all pairwise squared distances, the zero diagonal included, without storing the n² matrix.

use crate::expr::Real;
use crate::order;

/// Median over all ordered pairs (i, j) of |x_i − x_j|²; for an even number of pairs the mean of the middle two.
///
/// **Shapes** `x: [n, d]`, row-major, n ≥ 1. O(n² d) time, n(n−1)/2 numbers of scratch (4 MB at n = 1024 in f32).
/// NaN where a distance is not a number.
pub fn median_squared_distance<R: Real>(x: &[R], d: usize) -> R {
    let n = x.len() / d.max(1);
    let mut distances = Vec::with_capacity(n * n.saturating_sub(1) / 2);
    for (i, a) in x.chunks_exact(d).enumerate() {
        for b in x[..i * d].chunks_exact(d) {
            let square = |(&p, &q): (&R, &R)| (p - q) * (p - q);
            distances.push(a.iter().zip(b).map(square).fold(R::ZERO, |s, v| s + v));
        }
    }
    if !distances.iter().all(|v| *v >= R::ZERO) {
        return R::from_f64(f64::NAN);
    }
    // The sorted n² entries are n zeros, then each distance twice.
    let total = n * n;
    let mut at = |rank: usize| {
        if rank < n {
            return R::ZERO;
        }
        let index = (rank - n) / 2;
        order::select(&mut distances, index)
    };
    let upper = at(total / 2);
    if total % 2 == 1 {
        return upper;
    }
    (at(total / 2 - 1) + upper) * R::from_f64(0.5)
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
