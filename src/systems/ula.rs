//! Unadjusted Langevin algorithm: x ← x + γ ∇log π(x) + √(2γ) ξ, the explicit scheme of KL's gradient flow in W2.
//!
//! **Source** G. Roberts, R. Tweedie, "Exponential convergence of Langevin distributions and their discrete approximations"
//! (Bernoulli 1996), §1.4.1.

use super::sampling::density_and_score;
use super::{Build, Entry, Inputs, Own, Preset, Sampling, Steps, System};
use crate::error::Result;
use crate::graph::{Draw, Graph};
use crate::params;
use crate::params::{Spec, shortest};
use crate::rng::stream;
use std::rc::Rc;

params! {
    /// Unadjusted Langevin algorithm.
    pub struct Ula {
        groups { sampling: Sampling }
        /// Number of particles, each a chain of its own.
        n: usize = 2000, Spec::restart("particles n").log(1.0, 1_000_000.0);
        /// Step size γ; the bias grows with it.
        step: f32 = 0.05, Spec::live("step γ").log(1e-5, 10.0);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "ula",
    title: "Unadjusted Langevin algorithm",
    room: "sampling",
    summary: "Each particle climbs log π and is shaken by fresh noise; the finite step leaves a bias.",
    citation: "G. Roberts, R. Tweedie (1996). Exponential convergence of Langevin distributions and their discrete approximations. Bernoulli.",
    fresh: || Box::new(Ula::default()),
    own: Own::Particles("init"),
    presets: &[
        Preset {
            title: "Banana",
            question: "Does noise follow a partial differential equation?",
            link: "m=ula&target=banana&n=5000",
        },
        Preset {
            title: "Bias at γ = 1",
            question: "Where is the bias? On N(0, 1) the variance settles at 1/(1 − γ/2) = 2, not at 1.",
            link: "m=ula&step=1;m=mala",
        },
        Preset {
            title: "100,000 particles",
            question: "What does the density itself do?",
            link: "m=ula&target=mixture&init_scale=0.5&n=100000&step=0.02",
        },
    ],
};

impl System for Ula {
    fn build(&self, inputs: &Inputs) -> Result<Build> {
        let target = Rc::new(self.sampling.target.build(self.sampling.seed)?);
        let (n, d) = (self.n, target.d);
        let particles = self.sampling.particles(n, d, inputs)?;
        let g = Graph::default();
        let x = g.input("x", &[n, d]);
        let (_, score) = density_and_score(&target, x);
        let step = g.uniform("step");
        let noise = g.random(Draw::Normal, stream::NOISE, &[n, d]);
        g.assign("x", x + step * score + (2.0 * step).sqrt() * noise);
        Ok(Build {
            prepare: None,
            programs: vec![g.compile("step")],
            driver: Box::new(Steps),
            state: vec![("x".to_owned(), particles)],
            stage: self.sampling.stage(target.clone(), n, None),
            default_steps: 500,
            notes: target.notes.clone(),
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step)]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "the step γ = {} is likely too large: on N(0, σ²) the scheme is stable only for γ < 2σ²; try a tenth of it",
            shortest(self.step)
        )
    }
}

#[cfg(test)]
mod tests;
