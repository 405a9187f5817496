//! Variational inference with OT-Flow: the flow carries normal samples to a density that is known up to a constant, trained by
//! the reverse KL divergence; no sample of the target is needed, only its score.
//!
//! With x = F⁻¹(z), z ~ N(0, I), and ℓ the log-determinant of the way back, KL(q‖π) = E[log N(z) − ℓ(z) − log π(x)].
//!
//! **Source** D. Rezende, S. Mohamed, "Variational inference with normalizing flows" (ICML 2015), eq. 15, with the flow of
//! D. Onken, S. Wu Fung, X. Li, L. Ruthotto, "OT-Flow" (AAAI 2021).

use super::likelihood;
use super::ot_flow::network::{FlowParams, back, normals, start, update, weights};
use super::ot_flow::picture::{View, Ways};
use super::ot_flow::{curves, map};
use super::sampling::density_and_score;
use super::{Build, Entry, Inputs, Own, Preset, Stage, Steps, System};
use crate::error::Result;
use crate::graph::{Draw, Graph, PotentialFlow, Program, Var, Wanted};
use crate::metrics::{Curve, Metric, Scale};
use crate::params;
use crate::params::{Numbers, Spec, shortest};
use crate::rng::stream;
use crate::targets::{Target, TargetParams};
use std::f64::consts::TAU;
use std::rc::Rc;

params! {
    /// Variational inference with OT-Flow.
    pub struct FlowVi {
        groups { target: TargetParams, flow: FlowParams }
        /// Seed of the weights and of every normal sample.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// Normal samples of a step, always fresh ones.
        batch: usize = 512, Spec::restart("batch").log(1.0, 16_384.0);
        /// Step size η of Adam.
        step: f32 = 0.05, Spec::live("step η").log(1e-6, 1.0);
        /// Steps after which η is halved.
        halve: u32 = 200, Spec::restart("halve η every").log(1.0, 1e6);
        /// Weights of the transport cost L, of the divergence KL(q‖π) and of the Hamilton–Jacobi–Bellman residual R.
        alpha: Numbers = Numbers(vec![1.0, 100.0, 5.0]), Spec::restart("weights of L, KL, R").range(0.0, 1e6);
        /// The time at which particles are shown: 0 is the target, 1 the normal.
        time: f32 = 0.0, Spec::live("time t").range(0.0, 1.0);
        /// Particles that are shown and measured.
        n: usize = 512, Spec::rebuild("particles shown").log(1.0, 4096.0);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "flow-vi",
    title: "Variational flow",
    room: "transport",
    summary: "A flow learns to carry normal samples to a density that is known up to a constant: inference by transport.",
    citation: "D. Rezende, S. Mohamed (2015). Variational inference with normalizing flows. ICML. D. Onken, S. Wu Fung, X. Li, L. Ruthotto (2021). OT-Flow. AAAI.",
    fresh: || Box::new(FlowVi::default()),
    own: Own::None,
    presets: &[
        Preset {
            title: "Beside SVGD",
            question: "A map that is learned once, or particles that find their places: who is nearer to the banana?",
            link: "m=flow-vi&target=banana;m=svgd",
        },
        Preset {
            title: "A real posterior",
            question: "Bayesian logistic regression: does a flow, trained by scores alone, match the reference moments?",
            link: "m=flow-vi&target=logistic",
        },
        Preset {
            title: "Missing modes",
            question: "The reverse divergence does not punish a mode that is left out. Which ones does the flow find?",
            link: "m=flow-vi&target=mixture",
        },
    ],
};

static KL: Curve = Curve {
    id: "reverse_kl",
    label: "KL(q‖π)",
    definition: "E[log q − log π] over 2048 samples of the flow, at 32 time steps or more; for these samples it may dip below 0 by chance.",
    unit: "nats",
    scale: Scale::Log,
};

static FREE_ENERGY: Curve = Curve {
    id: "free_energy",
    label: "free energy",
    definition: "E[log q − log π̃] over 2048 samples of the flow, at 32 time steps or more: KL(q‖π) less the unknown log of the target's constant.",
    unit: "nats",
    scale: Scale::Linear,
};

static ESS: Curve = Curve {
    id: "ess",
    label: "effective sample size",
    definition: "(Σw)²/(n Σw²) for the importance weights w = π̃/q of 2048 samples of the flow: 1 where q = π. Modes that no sample reaches do not count.",
    unit: "",
    scale: Scale::Linear,
};

impl System for FlowVi {
    fn build(&self, _: &Inputs) -> Result<Build> {
        let target = Rc::new(self.target.build(self.seed)?);
        let weights = weights(&self.alpha.0)?;
        let d = target.d;
        let flow = self.flow.potential(d, weights[0]);
        let axes = [0, 1.min(d - 1)];
        let ways = Ways {
            flow,
            n: self.n,
            seed: self.seed,
        };
        let view = View {
            axes,
            frame: target.frame_of(axes),
            names: target.axes.clone(),
            basis: None,
        };
        let depiction = ways.back(&view);
        let own = [
            divergence(&target),
            &ESS,
            &likelihood::TRANSPORT_COST,
            &curves::HJB,
        ];
        let shared = [
            Metric::Ksd2,
            Metric::Kl,
            Metric::W2,
            Metric::MeanErr,
            Metric::CovErr,
        ];
        let mut notes = target.notes.clone();
        notes.push(format!("{} parameters.", flow.parameters()));
        let stage = Stage {
            particles: "particles",
            n: self.n,
            d,
            axes,
            frame: view.frame,
            names: view.names,
            depiction: Some(depiction),
            map: Some(map(flow)),
            least_cost: None,
            marks: Vec::new(),
            guides: Vec::new(),
            curves: Some(self.curves(flow, &target)),
            arrows: None,
            kernel_width: None,
            metrics: own.map(Metric::Curve).into_iter().chain(shared).collect(),
            metric_bandwidth: 1.0,
            seed: self.seed,
            target: Some(Rc::clone(&target)),
        };
        Ok(Build {
            prepare: None,
            programs: vec![self.step_program(flow, &target, weights)],
            driver: Box::new(Steps),
            state: vec![("theta".to_owned(), near_identity(&flow, self.seed))],
            stage,
            default_steps: 1000,
            notes,
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step), ("time", self.time)]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "the step η = {} is likely too large for this target, whose score grows away from its mass; try a tenth of it",
            shortest(self.step)
        )
    }
}

impl FlowVi {
    /// One step of Adam on α₀ L + α₁ KL(q‖π) + α₂ R over fresh normal samples.
    fn step_program(&self, flow: PotentialFlow, target: &Target, weights: [f64; 3]) -> Program {
        let g = Graph::default();
        let z = g.random(Draw::Normal, stream::BATCH, &[self.batch, flow.d]);
        let theta = g.input("theta", &[flow.parameters()]);
        let gradient = gradient(flow, target, weights, z, theta);
        update(theta, gradient, self.halve);
        g.compile("step")
    }

    /// Writes the curves, and the particles that the other metrics are measured on.
    fn curves(&self, flow: PotentialFlow, target: &Target) -> Program {
        let (n, d) = (likelihood::HELD_OUT.max(self.n), flow.d);
        let g = Graph::default();
        // The first rows are the particles of the picture.
        let z = normals(&g, self.seed, &[n, d]);
        let theta = g.input("theta", &[flow.parameters()]);
        let fine = PotentialFlow {
            steps: curves::steps(&flow),
            ..back(flow)
        };
        let end = g.potential_flow(fine, z, theta);
        let x = end.slice(1, 0, d);
        let log_q = -0.5 * z.square().sum(1) - 0.5 * d as f64 * TAU.ln() - end.column(d);
        let log_w = (target.log_density)(&g, x) - log_q;
        let constant = target.log_normalizer.unwrap_or(0.0);
        g.assign(divergence(target).id, constant - log_w.mean(0));
        g.assign(ESS.id, effective(log_w));
        g.assign(likelihood::TRANSPORT_COST.id, -end.column(d + 1).mean(0));
        g.assign(curves::HJB.id, -end.column(d + 2).mean(0));
        g.assign("particles", x.slice(0, 0, self.n));
        g.compile("curves")
    }
}

/// ∇θ of α₀ L + α₁ KL(q‖π) + α₂ R as means over `z: [n, d]`.
fn gradient<'g>(
    flow: PotentialFlow,
    target: &Target,
    weights: [f64; 3],
    z: Var<'g>,
    theta: Var<'g>,
) -> Var<'g> {
    let g = theta.graph();
    let (n, d) = (z.shape()[0], flow.d);
    let back = back(flow);
    let x = g.potential_flow(back, z, theta).slice(1, 0, d);
    let (_, score) = density_and_score(target, x);
    // Integrals of the way back run from t = 1 to 0: its cost and residual are −L and −R.
    let [cost, divergence, residual] = weights.map(|weight| -weight / n as f64);
    let rest = g.constant(vec![divergence, cost, residual], &[1, 3]);
    let offset = g.concat(&[score * divergence, rest.broadcast(&[n, 3])], 1);
    let slope = g.constant(vec![0.0; d + 3], &[d + 3]);
    g.potential_flow_gradient(back, Wanted::Parameters, [z, theta], [offset, slope])
}

/// The divergence where the target's constant is known, else what differs from it by that.
fn divergence(target: &Target) -> &'static Curve {
    match target.log_normalizer {
        Some(_) => &KL,
        None => &FREE_ENERGY,
    }
}

/// (Σw)²/(n Σw²) from log w.
fn effective(log_w: Var<'_>) -> Var<'_> {
    let n = log_w.shape()[0] as f64;
    (2.0 * log_w.logsumexp(0) - (2.0 * log_w).logsumexp(0) - n.ln()).exp()
}

/// Parameters of a flow that hardly moves: scores far from a target's mass can be huge, and where the flow starts they should not be.
fn near_identity(flow: &PotentialFlow, seed: u32) -> Vec<f32> {
    let mut theta = start(flow, seed);
    let at = flow.offsets();
    theta[at.weights..at.quadratic].fill(0.0);
    for entry in &mut theta[at.quadratic..at.linear] {
        *entry *= 0.1;
    }
    theta
}

#[cfg(test)]
mod tests;
