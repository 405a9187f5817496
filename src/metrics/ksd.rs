//! The squared kernel Stein discrepancy.

use super::{Cloud, KSD_POINTS};
use crate::expr::Real;
use crate::targets::Evaluator;

/// KSD² as a V-statistic, (1/m²) Σ_ij K_π(x_i, x_j) over all ordered pairs, diagonal included, with the Stein kernel of
/// k = exp(−r²/2h²): K = k (s·s′ + (x−x′)·(s−s′)/h² + (d − r²/h²)/h²).
///
/// Above 4096 particles a strided subset of 4096. Pairs in f32, sums in f64; O(m d) memory.
///
/// **Source** Q. Liu, J. Lee, M. Jordan (2016), eq. 8; K. Chwialkowski, H. Strathmann, A. Gretton (2016).
pub(super) struct Ksd {
    d: usize,
    m: usize,
    inverse_bandwidth: f32,
    /// Row-major `[m, d]`, until the scores are known.
    rows: Vec<f32>,
    scores: Vec<f32>,
    /// The same, coordinate by coordinate: `[d, m]`.
    x: Vec<f32>,
    s: Vec<f32>,
    row: usize,
    sum: f64,
}

impl Ksd {
    pub(super) fn new(cloud: &Cloud, bandwidth: f32) -> Self {
        let (n, d) = (cloud.n, cloud.d);
        let m = n.min(KSD_POINTS);
        let mut rows = Vec::with_capacity(m * d);
        for i in 0..m {
            let at = i * n / m * d;
            rows.extend_from_slice(&cloud.x[at..at + d]);
        }
        Self {
            d,
            m,
            inverse_bandwidth: 1.0 / bandwidth,
            rows,
            scores: Vec::with_capacity(m * d),
            x: Vec::new(),
            s: Vec::new(),
            row: 0,
            sum: 0.0,
        }
    }

    /// A batch of scores or a row of pairs; `None` when it is done.
    pub(super) fn advance(&mut self, evaluator: &mut Evaluator) -> Option<u64> {
        let done = self.scores.len();
        if done < self.rows.len() {
            let end = (done + Evaluator::<f32>::batch() * self.d).min(self.rows.len());
            self.scores.extend(evaluator.score(&self.rows[done..end]));
            return Some(evaluator.score_flops() * Evaluator::<f32>::batch() as u64);
        }
        if self.x.is_empty() {
            self.x = by_coordinate(&self.rows, self.d);
            self.s = by_coordinate(&self.scores, self.d);
        }
        if self.row == self.m {
            return None;
        }
        let i = self.row;
        self.row += 1;
        self.sum += self.diagonal(i) + 2.0 * self.right_of(i);
        Some((self.m - i) as u64 * (6 * self.d as u64 + 25))
    }

    /// K(x_i, x_i) = |s|² + d/h².
    fn diagonal(&self, i: usize) -> f64 {
        let squares = (0..self.d).map(|c| f64::from(self.s[c * self.m + i]).powi(2));
        squares.sum::<f64>() + self.d as f64 * f64::from(self.inverse_bandwidth)
    }

    /// Σ_{j > i} K(x_i, x_j), in blocks that stay in registers and cache.
    fn right_of(&self, i: usize) -> f64 {
        const BLOCK: usize = 128;
        let g = self.inverse_bandwidth;
        let mut total = 0.0;
        let mut start = i + 1;
        while start < self.m {
            let width = BLOCK.min(self.m - start);
            let (mut r2, mut inner) = ([0f32; BLOCK], [0f32; BLOCK]);
            for c in 0..self.d {
                let at = c * self.m;
                let (xi, si) = (self.x[at + i], self.s[at + i]);
                let x = &self.x[at + start..at + start + width];
                let s = &self.s[at + start..at + start + width];
                for (((r2, inner), x), s) in r2.iter_mut().zip(&mut inner).zip(x).zip(s) {
                    let gap = xi - x;
                    *r2 += gap * gap;
                    *inner += si * s + gap * (si - s) * g;
                }
            }
            let d = self.d as f32;
            let mut terms = [0f32; BLOCK];
            for ((term, r2), inner) in terms.iter_mut().zip(r2).zip(inner) {
                *term = Real::exp(-0.5 * r2 * g) * (inner + (d - r2 * g) * g);
            }
            total += terms[..width].iter().map(|t| f64::from(*t)).sum::<f64>();
            start += width;
        }
        total
    }

    pub(super) fn value(&self) -> f64 {
        self.sum / (self.m as f64).powi(2)
    }
}

/// `[m, d]` to `[d, m]`.
fn by_coordinate(rows: &[f32], d: usize) -> Vec<f32> {
    (0..d)
        .flat_map(|c| rows.iter().skip(c).step_by(d).copied())
        .collect()
}
