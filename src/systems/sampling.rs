//! Parameters that all samplers share: the target, the initial cloud, the step.

use crate::params::{Numbers, Spec};
use crate::targets::TargetParams;
use crate::{choices, params};

choices! {
    /// How the initial particles are drawn.
    pub enum Init {
        /// N(init_mean, init_scale²)
        Normal = "normal" "normal",
        /// Uniform on a box of half-width init_scale around init_mean.
        Uniform = "uniform" "uniform box",
        /// All at init_mean, with a tiny spread so that they can part.
        Point = "point" "point",
        /// From a file or from the link's `data`.
        File = "file" "own points",
    }
}

params! {
    /// What every sampler needs.
    pub struct Sampling {
        groups { target: TargetParams }
        /// Number of particles.
        n: usize = 512, Spec::restart("particles n").log(1.0, 1_000_000.0);
        /// Seed of every random number in the run.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// Step size γ.
        step: f32 = 0.05, Spec::live("step γ").log(1e-6, 10.0);
        /// How the initial particles are drawn.
        init: Init = Init::Normal, Spec::restart("initial cloud");
        /// Centre of the initial cloud; empty means the origin.
        init_mean: Numbers = Numbers::default(), Spec::restart("initial centre").range(-1e6, 1e6);
        /// Standard deviation (normal) or half-width (uniform) of the initial cloud.
        init_scale: f32 = 1.0, Spec::restart("initial scale").log(1e-4, 1e3);
    }
}
