//! KL divergence between a histogram of the particles and the target's exact bin masses, in one and two dimensions.

use super::Cloud;
use crate::decimal::scientific_to;
use crate::targets::{Evaluator, Target, nodes};

/// Cells along each axis: 64 in one dimension, 32 × 32 in two.
const fn cells(d: usize) -> usize {
    if d == 1 { 64 } else { 32 }
}

/// Least mass of the outside bin: it is found as 1 minus the rest, which f32 densities give to about 10⁻⁶.
const OUTSIDE_FLOOR: f64 = 1e-6;

/// What is computed, for the tooltip.
pub(super) fn definition(n: usize, d: usize) -> String {
    if d > 2 {
        return "KL divergence over bins: defined in one and two dimensions only.".to_owned();
    }
    let side = cells(d);
    let (grid, bins) = if d == 1 {
        (side.to_string(), side + 1)
    } else {
        (format!("{side} × {side}"), side * side + 1)
    };
    let bias = scientific_to((bins - 1) as f64 / (2 * n.max(1)) as f64, 2);
    format!(
        "Σ p̂ log(p̂/π) over {bins} bins: {grid} equal cells over the target's frame and one outside bin; p̂ from all {n} \
         particles, π by quadrature (outside at least 10⁻⁶). Plug-in estimate: n exact samples would show about \
         (B − 1)/2n = {bias}."
    )
}

/// The bins of one target. The masses are found by quadrature, a row of cells at a time, when they are first needed.
pub(super) struct Bins {
    d: usize,
    frame: [f64; 4],
    log_normalizer: f64,
    /// log π_b of the cells found so far, x fastest.
    log_mass: Vec<f64>,
    log_outside: f64,
}

impl Bins {
    /// `None` where the target has more than two dimensions or no known normalising constant.
    pub(super) fn new(target: &Target) -> Option<Self> {
        let log_normalizer = target.log_normalizer.filter(|_| target.d <= 2)?;
        Some(Self {
            d: target.d,
            frame: target.frame.map(f64::from),
            log_normalizer,
            log_mass: Vec::new(),
            log_outside: 0.0,
        })
    }

    fn inside(&self) -> usize {
        cells(self.d).pow(self.d as u32)
    }

    /// Expected KL of `n` exact samples, (B − 1)/2n to first order.
    pub(super) fn bias(&self, n: usize) -> f64 {
        self.inside() as f64 / (2 * n.max(1)) as f64
    }

    /// One row of cells more; `None` when all masses are known.
    pub(super) fn advance(&mut self, evaluator: &mut Evaluator) -> Option<u64> {
        let side = cells(self.d);
        if self.log_mass.len() == self.inside() {
            return None;
        }
        let row = self.log_mass.len() / side;
        let [x0, y0, x1, y1] = self.frame;
        let along = |a: f64, b: f64, k: usize| a + (b - a) * k as f64 / side as f64;
        // With d = 1 the second coordinate is a single node of weight 1.
        let rows: Vec<(f64, f64)> = if self.d == 1 {
            vec![(0.0, 1.0)]
        } else {
            nodes(along(y0, y1, row), along(y0, y1, row + 1)).to_vec()
        };
        let mut points = Vec::new();
        let mut log_weights = Vec::new();
        for k in 0..side {
            for (x, u) in nodes(along(x0, x1, k), along(x0, x1, k + 1)) {
                for (y, v) in &rows {
                    points.push(x as f32);
                    if self.d == 2 {
                        points.push(*y as f32);
                    }
                    log_weights.push((u * v).ln());
                }
            }
        }
        let values = evaluator.log_density(&points);
        let terms: Vec<f64> = values
            .iter()
            .zip(&log_weights)
            .map(|(l, w)| f64::from(*l) + w - self.log_normalizer)
            .collect();
        self.log_mass
            .extend(terms.chunks_exact(8 * rows.len()).map(logsumexp));
        if self.log_mass.len() == self.inside() {
            let inside: f64 = self.log_mass.iter().map(|l| l.exp()).sum();
            self.log_outside = (1.0 - inside).max(OUTSIDE_FLOOR).ln();
        }
        Some(log_weights.len() as u64 * (evaluator.density_flops() + 40))
    }

    /// Cell of a point; the last bin is the outside.
    fn bin(&self, x: &[f32]) -> usize {
        let side = cells(self.d);
        let mut index = 0;
        for axis in (0..self.d).rev() {
            let (a, b) = (self.frame[axis], self.frame[axis + 2]);
            let along = ((f64::from(x[axis]) - a) / (b - a) * side as f64).floor();
            if !(0.0..side as f64).contains(&along) {
                return self.inside();
            }
            index = index * side + along as usize;
        }
        index
    }

    /// Σ p̂ log(p̂/π); call it when the masses are known.
    pub(super) fn divergence(&self, counts: &[u32], n: usize) -> f64 {
        let masses = self.log_mass.iter().chain([&self.log_outside]);
        let terms = counts.iter().zip(masses).filter(|(count, _)| **count > 0);
        terms
            .map(|(count, log_mass)| {
                let share = f64::from(*count) / n as f64;
                share * (share.ln() - log_mass)
            })
            .sum()
    }

    /// Probabilities of all bins, the outside last.
    #[cfg(test)]
    pub(super) fn masses(&self) -> Vec<f64> {
        let logs = self.log_mass.iter().chain([&self.log_outside]);
        logs.map(|l| l.exp()).collect()
    }
}

fn logsumexp(terms: &[f64]) -> f64 {
    let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        // A cell without mass: the least that a particle in it can be charged with.
        return f64::from(f32::MIN_POSITIVE).ln();
    }
    top + terms.iter().map(|t| (t - top).exp()).sum::<f64>().ln()
}

/// Counts particles, some at a time.
pub(super) struct Histogram {
    pub(super) counts: Vec<u32>,
    row: usize,
}

impl Histogram {
    pub(super) fn new(bins: &Bins) -> Self {
        Self {
            counts: vec![0; bins.inside() + 1],
            row: 0,
        }
    }

    /// Some rows more; `None` when all are in.
    pub(super) fn advance(&mut self, bins: &Bins, cloud: &Cloud) -> Option<u64> {
        if self.row == cloud.n {
            return None;
        }
        let rows = 4096.min(cloud.n - self.row);
        let d = cloud.d;
        for x in cloud.x[self.row * d..(self.row + rows) * d].chunks_exact(d) {
            self.counts[bins.bin(x)] += 1;
        }
        self.row += rows;
        Some(20 * rows as u64)
    }
}

#[cfg(test)]
mod tests;
