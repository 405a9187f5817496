//! Metrics of a cloud of particles against a target, and curves that a system computes itself, as resumable jobs on a
//! snapshot.
//!
//! A [`Job`] works on one copied cloud in slices, off the hot path; what depends on the target alone (bins, exact samples,
//! floors) lives in a [`Reference`] that outlasts jobs. Every metric states its definition, its n and its kind of
//! statistic; one that is undefined is `None`, never a guess.

mod bins;
mod curves;
mod distance;
mod job;
mod ksd;
mod moments;
mod reference;

pub use curves::inputs;
pub use job::Job;
pub use reference::{Level, Reference, SharedReference};

use crate::params::shortest;
use serde::Serialize;

/// Largest cloud of which `ksd2` takes every particle.
pub(crate) const KSD_POINTS: usize = 4096;
/// Largest cloud whose `w2` is an exact assignment.
pub(crate) const ASSIGNMENT_POINTS: usize = 1024;

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
    /// A scalar that the system's own program computes from its buffers.
    Curve(&'static Curve),
}

/// A scalar that a system's program ([`crate::graph::Program`]) leaves in the buffer called `id`, computed at probe steps.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Curve {
    /// Name in results, and of the scalar buffer that the program writes.
    pub id: &'static str,
    /// Short name for charts, with the field's symbol.
    pub label: &'static str,
    /// What is computed, for the tooltip.
    pub definition: &'static str,
    /// Unit of its values; empty where it has none.
    pub unit: &'static str,
    /// How its chart is drawn.
    pub scale: Scale,
}

/// How a chart's vertical axis is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal steps.
    Linear,
    /// Equal factors.
    Log,
}

/// What a metric's definition depends on, besides the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Number of particles.
    pub n: usize,
    /// Dimension.
    pub d: usize,
    /// h² of `ksd2`.
    pub bandwidth: f32,
}

impl Metric {
    /// Every metric that measures particles against a target, in the order of the charts.
    pub const ALL: [Self; 6] = [
        Self::Ksd2,
        Self::Kl,
        Self::W2,
        Self::MeanErr,
        Self::CovErr,
        Self::Accept,
    ];

    /// Name in requests.
    pub fn id(self) -> &'static str {
        match self {
            Self::Ksd2 => "ksd2",
            Self::Kl => "kl",
            Self::W2 => "w2",
            Self::MeanErr => "mean_err",
            Self::CovErr => "cov_err",
            Self::Accept => "accept",
            Self::Curve(curve) => curve.id,
        }
    }

    /// The metric called `id`, if there is one.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.id() == id)
    }

    /// Name in results for a cloud of `n` particles: above 1024 W2 is sliced, and says so.
    pub fn name(self, n: usize) -> &'static str {
        match self {
            Self::W2 if n > ASSIGNMENT_POINTS => "w2_sliced",
            _ => self.id(),
        }
    }

    /// Short name for charts, with the field's symbol.
    pub fn label(self, n: usize) -> &'static str {
        match self {
            Self::Ksd2 if n > KSD_POINTS => "KSD² (4096 particles)",
            Self::Ksd2 => "KSD²",
            Self::Kl => "KL(ρ‖π), binned",
            Self::W2 if n > ASSIGNMENT_POINTS => "sliced W₂",
            Self::W2 => "W₂",
            Self::MeanErr => "mean error",
            Self::CovErr => "covariance error",
            Self::Accept => "acceptance",
            Self::Curve(curve) => curve.label,
        }
    }

    /// What is computed, for the tooltip.
    pub fn definition(self, setting: Setting) -> String {
        let Setting { n, d, bandwidth } = setting;
        match self {
            Self::Ksd2 => {
                let points = if n > KSD_POINTS {
                    format!("a fixed strided subset of {KSD_POINTS} of the {n} particles")
                } else {
                    format!("all {n} particles")
                };
                format!(
                    "Squared kernel Stein discrepancy, V-statistic (diagonal included) over {points}; \
                     kernel exp(−r²/2h²) with h² = {}.",
                    shortest(bandwidth)
                )
            }
            Self::Kl => bins::definition(n, d),
            Self::W2 if n > ASSIGNMENT_POINTS => format!(
                "Sliced 2-Wasserstein distance, unsquared: root mean square over 128 fixed directions of the \
                 distance between all {n} particles and as many exact samples of the target. The floor is that of two \
                 independent exact batches of the same size."
            ),
            Self::W2 => format!(
                "2-Wasserstein distance, unsquared, by exact assignment of all {n} particles to as many exact samples of \
                 the target. The floor is that of two independent exact batches of the same size."
            ),
            Self::MeanErr => {
                format!("‖m − μ‖₂, m the mean of all {n} particles, μ that of the target.")
            }
            Self::CovErr => format!(
                "‖Σ̂ − Σ‖_F / ‖Σ‖_F, Σ̂ the covariance of all {n} particles (divided by n), Σ that of the target."
            ),
            Self::Accept => format!(
                "Accepted proposals over all proposals: mean over all {n} particles and the whole run so far."
            ),
            Self::Curve(curve) => curve.definition.to_owned(),
        }
    }

    /// How its chart is drawn.
    pub fn scale(self) -> Scale {
        match self {
            Self::Accept => Scale::Linear,
            Self::Curve(curve) => curve.scale,
            _ => Scale::Log,
        }
    }

    /// Unit of its values; empty where it has none.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Kl => "nats",
            Self::W2 | Self::MeanErr => "x",
            Self::Ksd2 | Self::CovErr | Self::Accept => "",
            Self::Curve(curve) => curve.unit,
        }
    }
}

/// A copy of the particles, and of what the curves are computed from, at one step.
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
    /// The buffers that the program of the curves reads.
    pub buffers: Vec<(String, Vec<f32>)>,
}

impl Cloud {
    fn is_finite(&self) -> bool {
        self.x.iter().all(|v| v.is_finite())
    }
}

#[cfg(test)]
mod tests;
