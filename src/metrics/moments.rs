//! Mean and covariance of a cloud, relative to those of the target, in one resumable pass.

use super::Cloud;

/// Rows of one slice.
const ROWS: usize = 1024;

/// Sums of x − μ and of its products, in f64.
pub(super) struct Moments {
    d: usize,
    row: usize,
    first: Vec<f64>,
    /// Lower triangle, row-major in a full square.
    second: Vec<f64>,
}

impl Moments {
    pub(super) fn new(d: usize) -> Self {
        Self {
            d,
            row: 0,
            first: vec![0.0; d],
            second: vec![0.0; d * d],
        }
    }

    /// Some rows more; `None` when all are in.
    pub(super) fn advance(&mut self, cloud: &Cloud, mean: &[f64]) -> Option<u64> {
        if self.row == cloud.n {
            return None;
        }
        let d = self.d;
        let rows = ROWS.min(cloud.n - self.row);
        let mut off = vec![0.0; d];
        for x in cloud.x[self.row * d..(self.row + rows) * d].chunks_exact(d) {
            for i in 0..d {
                off[i] = f64::from(x[i]) - mean[i];
                self.first[i] += off[i];
            }
            for i in 0..d {
                for j in 0..=i {
                    self.second[i * d + j] += off[i] * off[j];
                }
            }
        }
        self.row += rows;
        Some((rows * d * (d + 3)) as u64)
    }

    /// m − μ.
    pub(super) fn mean_gap(&self) -> Vec<f64> {
        let n = self.row.max(1) as f64;
        self.first.iter().map(|v| v / n).collect()
    }

    /// Σ̂, divided by n.
    pub(super) fn covariance(&self) -> Vec<f64> {
        let (d, n, gap) = (self.d, self.row.max(1) as f64, self.mean_gap());
        (0..d * d)
            .map(|k| {
                let (i, j) = ((k / d).max(k % d), (k / d).min(k % d));
                self.second[i * d + j] / n - gap[i] * gap[j]
            })
            .collect()
    }
}
