//! What is measured of a flow: on samples that no batch has, and with at least 32 time steps.

use super::network::{back, normals};
use crate::data::Source;
use crate::graph::{Graph, PotentialFlow, Program, Var};
use crate::metrics::{Curve, Metric, Scale};
use crate::systems::likelihood::{GAP, HELD_OUT, HeldOut, INVERSE, NLL, STEPS, TRANSPORT_COST};
use std::f64::consts::TAU;

pub(crate) static HJB: Curve = Curve {
    id: "hjb",
    label: "HJB residual R",
    definition: "Mean of ∫ |−∂ₜΦ + ½|∇Φ|²/α| dt over the held-out samples of C, with as many time steps, unweighted: 0 where the potential \
                 is that of optimal transport.",
    unit: "x²",
    scale: Scale::Log,
};

static CHEAT: Curve = Curve {
    id: "nll_at_nt",
    label: "C at the training steps",
    definition: "The same negative log-likelihood with the time steps of training: where it lies below C, the integration is too coarse to \
                 be believed.",
    unit: "nats",
    scale: Scale::Linear,
};

/// Time steps that a flow is measured with.
pub fn steps(flow: &PotentialFlow) -> usize {
    flow.steps.max(STEPS)
}

/// What is measured, in the order of the charts; beside the curves the distance of generated samples from the source.
pub fn metrics(source: &Source) -> Vec<Metric> {
    let gap = source.entropy().map(|_| &GAP);
    let all = [&NLL, &TRANSPORT_COST, &HJB, &INVERSE, &CHEAT];
    let curves = gap.into_iter().chain(all).map(Metric::Curve);
    let distance = source.target.as_ref().map(|_| Metric::W2);
    curves.chain(distance).collect()
}

/// Writes the curves from the parameters `theta`, and `generated` samples.
pub fn program(seed: u32, flow: PotentialFlow, source: &Source, generated: usize) -> Program {
    let d = flow.d;
    let held_out = HeldOut::new(source, seed, HELD_OUT);
    let g = Graph::default();
    let x = held_out.points(&g);
    let theta = g.input("theta", &[flow.parameters()]);
    let fine = PotentialFlow {
        steps: steps(&flow),
        ..flow
    };
    let end = g.potential_flow(fine, x, theta);
    let coarse = g.potential_flow(flow, x, theta);
    held_out.assign(&g, -log_likelihood(end));
    g.assign(CHEAT.id, held_out.mean(-log_likelihood(coarse)));
    g.assign(TRANSPORT_COST.id, end.column(d + 1).mean(0));
    g.assign(HJB.id, end.column(d + 2).mean(0));
    let returned = g.potential_flow(back(flow), coarse.slice(1, 0, d), theta);
    let off = (returned.slice(1, 0, d) - x).square().sum(1).sqrt();
    g.assign(INVERSE.id, off.mean(0));
    let normals = normals(&g, seed, &[generated, d]);
    let made = g.potential_flow(back(flow), normals, theta);
    g.assign("particles", made.slice(1, 0, d));
    g.compile("curves")
}

/// log N(z) + l for each row of an end (z, l, …), `[n]`.
pub fn log_likelihood(end: Var<'_>) -> Var<'_> {
    let d = end.shape()[1] - 3;
    let squares = end.slice(1, 0, d).square().sum(1);
    end.column(d) - 0.5 * squares - 0.5 * d as f64 * TAU.ln()
}
