//! Random numbers for drawing one exact sample: a stream of its own for every row.

use crate::rng::{normals, stream, threefry2x32, uniform};

/// The draws of one row, in order; equal (seed, row) give equal draws. No two draws share a random word.
pub(super) struct Source {
    seed: u32,
    row: u32,
    next: u32,
    spare: Option<f32>,
}

impl Source {
    pub(super) fn new(seed: u32, row: u32) -> Self {
        Self {
            seed,
            row,
            next: 0,
            spare: None,
        }
    }

    fn words(&mut self) -> [u32; 2] {
        let counter = [self.row, self.next];
        self.next += 1;
        threefry2x32([self.seed, stream::TARGET], counter)
    }

    /// Uniform on (0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        f64::from(uniform(self.words()[0]))
    }

    /// Standard normal.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return f64::from(spare);
        }
        let [first, second] = normals(self.words());
        self.spare = Some(second);
        f64::from(first)
    }

    /// Gamma of shape `k` and scale 1.
    ///
    /// **Source** G. Marsaglia, W. Tsang (2000). A simple method for generating gamma variables. ACM TOMS 26, for k ≥ 1;
    /// below by their boost Γ(k) = Γ(k + 1) U^{1/k}.
    pub(super) fn gamma(&mut self, k: f64) -> f64 {
        let boost = if k < 1.0 {
            (self.uniform().ln() / k).exp()
        } else {
            1.0
        };
        let d = if k < 1.0 { k + 1.0 } else { k } - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let v = (1.0 + c * z).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return boost * d * v;
            }
        }
    }

    /// A uniform direction times `length`.
    pub(super) fn direction(&mut self, length: f64, out: &mut [f64]) {
        for v in out.iter_mut() {
            *v = self.normal();
        }
        let norm = crate::linalg::norm(out).max(f64::MIN_POSITIVE);
        for v in out {
            *v *= length / norm;
        }
    }

    /// A radius with density ∝ r^{d−1} exp(−(r − centre)²/2σ²), by exact rejection.
    ///
    /// At the mode r*, (d−1) log r lies below its tangent, so N(r*, σ²) dominates; the acceptance probability is
    /// exp((d−1)(log(r/r*) − r/r* + 1)).
    pub(super) fn shell_radius(&mut self, d: usize, centre: f64, sigma: f64) -> f64 {
        let k = d as f64 - 1.0;
        let mode = 0.5 * (centre + (centre * centre + 4.0 * k * sigma * sigma).sqrt());
        loop {
            let r = mode + sigma * self.normal();
            if r > 0.0 && self.uniform().ln() < k * ((r / mode).ln() - r / mode + 1.0) {
                return r;
            }
        }
    }
}
