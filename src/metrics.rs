//! Metrics of a cloud of particles against a target, as resumable jobs on a snapshot.

use crate::targets::Target;
use std::rc::Rc;

/// The metrics of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Squared kernel Stein discrepancy, V-statistic.
    Ksd2,
    /// KL divergence over stated bins.
    Kl,
    /// W2 by exact assignment, or sliced.
    W2,
    /// ‖m − μ‖₂
    MeanErr,
    /// ‖Σ̂ − Σ‖_F/‖Σ‖_F
    CovErr,
    /// Mean acceptance over particles and the whole run.
    Accept,
}

/// A copy of the particles at one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cloud {
    /// Steps done when it was taken.
    pub step: u32,
    /// Number of particles.
    pub n: usize,
    /// Dimension.
    pub d: usize,
    /// Row-major `[n, d]`.
    pub x: Vec<f32>,
    /// Accepted proposals of each particle since step 0, where the system counts them.
    pub accepted: Option<Vec<f32>>,
}

/// Computes the metrics of one cloud in slices.
pub struct Job {
    _target: Rc<Target>,
}

#[allow(
    missing_docs,
    unused_variables,
    clippy::unimplemented,
    reason = "placeholder until the metrics land"
)]
impl Job {
    pub fn new(
        target: &Rc<Target>,
        cloud: Cloud,
        metrics: &[Metric],
        metric_bandwidth: f32,
        seed: u32,
    ) -> Self {
        unimplemented!()
    }
    pub fn advance(&mut self, budget: u64) -> bool {
        unimplemented!()
    }
    pub fn finish(self) -> Vec<Option<f64>> {
        unimplemented!()
    }
}
