//! The sliced Wasserstein distance: W2 of one-dimensional projections, averaged over fixed directions.

use crate::order;
use crate::rng::{normal_vec, stream};

/// Number of directions.
const PROJECTIONS: usize = 128;

/// Sliced W2² of two clouds of equal size, one projection at a time.
///
/// SW2² = mean over directions θ of W2²(θ·x, θ·y), each by sorting. 128 directions, drawn from a fixed seed and the same
/// for every cloud, so that a curve over time shows the clouds and not the directions.
///
/// **Source** N. Bonneel, J. Rabin, G. Peyré, H. Pfister (2015). Sliced and Radon Wasserstein barycenters of measures.
#[derive(Debug, Clone)]
pub struct Sliced {
    d: usize,
    directions: Vec<f64>,
    done: usize,
    sum: f64,
}

impl Sliced {
    /// For clouds of `d` coordinates.
    pub fn new(d: usize) -> Self {
        let draws = normal_vec(0, stream::SHAPE, u32::MAX, PROJECTIONS * d);
        let mut directions: Vec<f64> = draws.into_iter().map(f64::from).collect();
        for direction in directions.chunks_exact_mut(d) {
            let norm = crate::linalg::norm(direction);
            for v in direction {
                *v /= norm;
            }
        }
        Self {
            d,
            directions,
            done: 0,
            sum: 0.0,
        }
    }

    /// Adds one projection of `x` and `y`, both `[n, d]`; returns the work it took, or `None` when all are done.
    ///
    /// # Panics
    /// The clouds differ in size.
    pub fn advance(&mut self, x: &[f32], y: &[f32]) -> Option<u64> {
        if self.done == PROJECTIONS {
            return None;
        }
        assert_eq!(x.len(), y.len(), "sliced distance of unequal clouds");
        let direction = &self.directions[self.done * self.d..(self.done + 1) * self.d];
        let (p, q) = (project(x, direction), project(y, direction));
        let n = p.len() as f64;
        let squares = p.iter().zip(&q).map(|(a, b)| {
            let gap = f64::from(*a) - f64::from(*b);
            gap * gap
        });
        self.sum += squares.sum::<f64>() / n;
        self.done += 1;
        // Sorting costs about n log₂ n comparisons for each cloud, a comparison a few operations.
        Some((n * (2.0 * self.d as f64 + 8.0 * f64::from(p.len().max(2).ilog2()))) as u64)
    }

    /// SW2 (unsquared) over the projections done so far.
    pub fn distance(&self) -> f64 {
        (self.sum / self.done.max(1) as f64).sqrt()
    }
}

fn project(x: &[f32], direction: &[f64]) -> Vec<f32> {
    let rows = x.chunks_exact(direction.len());
    let dot = |row: &[f32]| {
        let terms = row.iter().zip(direction);
        terms.map(|(v, t)| f64::from(*v) * t).sum::<f64>() as f32
    };
    let mut out: Vec<f32> = rows.map(dot).collect();
    order::sort_numbers(&mut out);
    out
}
