//! What all flows from data to N(0, I) are measured by, alike, so that their curves share charts: on samples that no batch has, and
//! with at least 32 time steps.

use crate::data::Source;
use crate::graph::{Graph, Var};
use crate::metrics::{Curve, Scale};
use crate::rng::stream;

/// Samples that the curves are measured on; where each costs more, the first of them.
pub const HELD_OUT: usize = 2048;
/// Those for free-form velocities.
pub const FEWER: usize = 1024;

/// So many of `most` samples serve in d dimensions: in fifty, one costs as much as a hundred in the plane.
pub const fn serving(most: usize, d: usize) -> usize {
    if d > 10 { most / 4 } else { most }
}

/// Fewest time steps that they are measured with.
pub const STEPS: usize = 32;

pub static GAP: Curve = Curve {
    id: "entropy_gap",
    label: "C − H(ρ₀)",
    definition: "C − H(ρ₀) = KL(ρ₀‖model), both as means over the same held-out samples, whose noise cancels (2048; 1024 for free-form \
                 velocities; a quarter above d = 10); at 32 time steps or more.",
    unit: "nats",
    scale: Scale::Log,
};

pub static NLL: Curve = Curve {
    id: "nll",
    label: "C",
    definition: "C = E[−log N(x(1)) − l] over held-out samples (2048; 1024 for free-form velocities; a quarter above d = 10) at 32 time steps or \
                 more; less the noise of the samples where the source's entropy is known. The trace is exact; free-form \
                 velocities have one probe a sample above d = 4.",
    unit: "nats",
    scale: Scale::Linear,
};

pub static TRANSPORT_COST: Curve = Curve {
    id: "transport_cost",
    label: "transport cost L",
    definition: "Mean of ∫ ½|ẋ|² dt over the held-out samples of C, with as many time steps, unweighted.",
    unit: "x²",
    scale: Scale::Linear,
};

pub static INVERSE: Curve = Curve {
    id: "inverse_err",
    label: "inverse error",
    definition: "Mean of ‖x − F⁻¹(F(x))‖ over the held-out samples of C, at the time steps of training; 16 where those are adaptive.",
    unit: "x",
    scale: Scale::Log,
};

/// Samples of a source that no batch has.
pub struct HeldOut {
    rows: Vec<f64>,
    n: usize,
    d: usize,
    /// The mean of −log ρ₀ over the rows, and what it has beyond its expectation, the entropy.
    known: Option<[f64; 2]>,
}

impl HeldOut {
    /// The first `most` of them; fewer [serve](serving) in many dimensions.
    pub fn new(source: &Source, seed: u32, most: usize) -> Self {
        let n = serving(most, source.d);
        let rows = source.samples(seed, stream::HELD_OUT, 0, n);
        let known = source.entropy().zip(source.entropy_over(&rows));
        Self {
            known: known.map(|(entropy, mean)| [mean, mean - entropy.value]),
            rows: rows.into_iter().map(f64::from).collect(),
            n,
            d: source.d,
        }
    }

    /// The samples, `[n, d]`.
    pub fn points<'g>(&self, g: &'g Graph) -> Var<'g> {
        g.constant(self.rows.clone(), &[self.n, self.d])
    }

    /// A negative log-likelihood of each sample as their mean, less its noise.
    pub fn mean<'g>(&self, nll: Var<'g>) -> Var<'g> {
        nll.mean(0) - self.known.map_or(0.0, |[_, noise]| noise)
    }

    /// Writes [`NLL`], and [`GAP`] where the entropy is known.
    pub fn assign<'g>(&self, g: &'g Graph, nll: Var<'g>) {
        g.assign(NLL.id, self.mean(nll));
        if let Some([mean, _]) = self.known {
            g.assign(GAP.id, nll.mean(0) - mean);
        }
    }
}
