//! Stein variational gradient descent.

use super::{Build, Entry, Inputs, Kernel, Sampling, System};
use crate::error::Result;
use crate::params;
use crate::params::{Bandwidth, Spec};

params! {
    /// Stein variational gradient descent.
    pub struct Svgd {
        groups { sampling: Sampling }
        /// Kernel of the Stein direction.
        kernel: Kernel = Kernel::Rbf, Spec::rebuild("kernel k");
        /// Squared width h² of the kernel, or the median rule.
        bandwidth: Bandwidth = Bandwidth::Median, Spec::rebuild("bandwidth h²").log(1e-6, 1e6);
        /// Exponent of the inverse multiquadric.
        beta: f32 = 0.5, Spec::rebuild("β").range(0.05, 5.0).only_if("kernel", &["imq"]);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "svgd",
    title: "Stein variational gradient descent",
    room: "sampling",
    summary: "Particles follow the kernelised gradient of KL(ρ‖π): drift along the score, repulsion between neighbours.",
    citation: "Q. Liu, D. Wang (2016). Stein variational gradient descent: a general purpose Bayesian inference algorithm. NeurIPS.",
    fresh: || Box::new(Svgd::default()),
    presets: &[],
};

impl System for Svgd {
    fn build(&self, _: &Inputs) -> Result<Build> {
        unimplemented!()
    }
    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.sampling.step)]
    }
    fn divergence_cause(&self) -> String {
        String::new()
    }
}
