//! Metropolis-adjusted Langevin algorithm: ULA's proposal x′, accepted with probability min(1, α),
//! log α = log π(x′) − log π(x) + log q(x|x′) − log q(x′|x), q(·|x) = N(x + γ s(x), 2γ I).
//!
//! **Source** G. Roberts, R. Tweedie (Bernoulli 1996), §1.4.2. Chains are independent; acceptance is a mask on the device.

use super::sampling::density_and_score;
use super::{Build, Entry, Inputs, Own, Preset, Sampling, Steps, System};
use crate::error::Result;
use crate::graph::{Draw, Graph, Program};
use crate::metrics::Metric;
use crate::params;
use crate::params::Spec;
use crate::rng::stream;
use crate::targets::Target;
use std::rc::Rc;

params! {
    /// Metropolis-adjusted Langevin algorithm.
    pub struct Mala {
        groups { sampling: Sampling }
        /// Number of particles, each a chain of its own.
        n: usize = 2000, Spec::restart("particles n").log(1.0, 1_000_000.0);
        /// Step size γ of the proposal; larger steps are refused more often.
        step: f32 = 0.1, Spec::live("step γ").log(1e-5, 10.0);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "mala",
    title: "Metropolis-adjusted Langevin algorithm",
    room: "sampling",
    summary: "Langevin proposals with an accept–reject step: no bias, at the price of refusals.",
    citation: "G. Roberts, R. Tweedie (1996). Exponential convergence of Langevin distributions and their discrete approximations. Bernoulli.",
    fresh: || Box::new(Mala::default()),
    own: Own::Particles("init"),
    presets: &[
        Preset {
            title: "Banana",
            question: "What does the accept step cost?",
            link: "m=mala&target=banana",
        },
        Preset {
            title: "A real posterior",
            question: "Bayesian logistic regression on real data, without discretisation bias.",
            link: "m=mala&target=logistic&step=0.01",
        },
        Preset {
            title: "Funnel",
            question: "Why do chains not enter the neck? One step size cannot fit both ends; acceptance drops there.",
            link: "m=mala&target=funnel",
        },
    ],
};

impl System for Mala {
    fn build(&self, inputs: &Inputs) -> Result<Build> {
        let target = Rc::new(self.sampling.target.build(self.sampling.seed)?);
        let particles = self.sampling.particles(self.n, target.d, inputs)?;
        let mut stage = self.sampling.stage(target.clone(), self.n, None);
        stage.metrics.push(Metric::Accept);
        Ok(Build {
            prepare: Some(self.prepare_program(&target)),
            programs: vec![self.step_program(&target)],
            driver: Box::new(Steps),
            state: vec![("x".to_owned(), particles)],
            stage,
            default_steps: 500,
            notes: target.notes.clone(),
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step)]
    }

    fn divergence_cause(&self) -> String {
        "the log density or its gradient is not finite at the initial particles; start them elsewhere".to_owned()
    }
}

impl Mala {
    /// Log density and score of the initial particles.
    fn prepare_program(&self, target: &Target) -> Program {
        let g = Graph::default();
        let x = g.input("x", &[self.n, target.d]);
        let (log_density, score) = density_and_score(target, x);
        g.assign("log_density", log_density);
        g.assign("score", score);
        g.compile("prepare")
    }

    fn step_program(&self, target: &Target) -> Program {
        let (n, d) = (self.n, target.d);
        let g = Graph::default();
        let x = g.input("x", &[n, d]);
        let log_density = g.input("log_density", &[n]);
        let score = g.input("score", &[n, d]);
        let step = g.uniform("step");
        let noise = g.random(Draw::Normal, stream::NOISE, &[n, d]);
        let proposal = x + step * score + (2.0 * step).sqrt() * noise;
        let (new_density, new_score) = density_and_score(target, proposal);
        // log q(x|x′) − log q(x′|x) with x′ − x − γ s(x) = √(2γ) ξ.
        let back = (x - proposal - step * new_score).square().sum(1) / (4.0 * step);
        let forth = noise.square().sum(1) * 0.5;
        let log_alpha = new_density - log_density - back + forth;
        let uniform = g.random(Draw::Uniform, stream::ACCEPT, &[n]);
        // A proposal whose density is not a number compares false, and is refused.
        let accepted = uniform.ln().less(log_alpha);
        let mask = accepted.reshape(&[n, 1]).broadcast(&[n, d]);
        g.assign("x", mask.choose(proposal, x));
        g.assign("log_density", accepted.choose(new_density, log_density));
        g.assign("score", mask.choose(new_score, score));
        g.assign("accepted", g.input("accepted", &[n]) + accepted);
        g.compile("step")
    }
}

#[cfg(test)]
mod tests;
