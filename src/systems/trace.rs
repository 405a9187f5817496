//! How a flow in training finds the trace of its velocity's Jacobian.

use crate::choices;
use crate::graph::{Draw, Graph, Var};
use crate::rng::stream;

choices! {
    /// How the trace of ∇v is found.
    pub enum Trace {
        /// Hutchinson's estimate with probes ±1.
        Rademacher = "rademacher" "estimated, probes ±1",
        /// Hutchinson's estimate with probes N(0, I).
        Gaussian = "gaussian" "estimated, probes N(0, I)",
        /// The sum of all d diagonal entries.
        Exact = "exact" "exact",
    }
}

impl Trace {
    /// `n` fresh probes ε with E[εεᵀ] = I; none where the trace is exact.
    ///
    /// **Shapes** result `[n, d]`.
    pub fn probes<'g>(self, g: &'g Graph, n: usize, d: usize) -> Option<Var<'g>> {
        match self {
            Self::Exact => None,
            Self::Gaussian => Some(g.random(Draw::Normal, stream::PROBE, &[n, d])),
            Self::Rademacher => {
                let uniform = g.random(Draw::Uniform, stream::PROBE, &[n, d]);
                Some((uniform - 0.5).step() * 2.0 - 1.0)
            }
        }
    }
}
