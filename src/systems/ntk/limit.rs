//! The infinite-width limit in closed form: the covariance of the initial functions, and the neural tangent kernel.
//!
//! **Source** A. Jacot, F. Gabriel, C. Hongler (NeurIPS 2018), proposition 1 and theorem 1; Y. Cho, L. Saul (NeurIPS 2009), eq. 6.

use super::SIGMA_W2;
use std::f64::consts::PI;

/// Kernels of a set of points, each `[n, n]`.
pub(super) struct Kernels {
    /// Covariance of the network's values at the start: of the Gaussian process that wide networks draw from.
    pub(super) covariance: Vec<f64>,
    /// Tangent kernel.
    pub(super) tangent: Vec<f64>,
}

/// The limit's kernels of a ReLU network with `depth` hidden layers.
///
/// **Shapes** `points: [n, d]`.
pub(super) fn kernels(points: &[f64], d: usize, depth: usize, sigma_b2: f64) -> Kernels {
    let n = points.len() / d;
    let dot = |i: usize, j: usize| -> f64 {
        let (a, b) = (&points[i * d..(i + 1) * d], &points[j * d..(j + 1) * d]);
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    };
    let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    let mut covariance: Vec<f64> = pairs()
        .map(|(i, j)| SIGMA_W2 * dot(i, j) / d as f64 + sigma_b2)
        .collect();
    let mut tangent = covariance.clone();
    for _ in 0..depth {
        let at = |i: usize, j: usize| covariance[i * n + j];
        let next: Vec<(f64, f64)> = pairs()
            .map(|(i, j)| {
                let size = (at(i, i) * at(j, j)).sqrt();
                let cosine = if size > 0.0 { at(i, j) / size } else { 1.0 };
                let angle = cosine.clamp(-1.0, 1.0).acos();
                let value = size * (angle.sin() + (PI - angle) * angle.cos()) / (2.0 * PI);
                (
                    SIGMA_W2 * value + sigma_b2,
                    SIGMA_W2 * (PI - angle) / (2.0 * PI),
                )
            })
            .collect();
        for ((tangent, covariance), (value, slope)) in
            tangent.iter_mut().zip(&mut covariance).zip(next)
        {
            *covariance = value;
            *tangent = value + *tangent * slope;
        }
    }
    Kernels {
        covariance,
        tangent,
    }
}
