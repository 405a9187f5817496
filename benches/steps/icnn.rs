//! W5: one step of the minimax map of A. Makkuva et al. (ICML 2020) with two dense input-convex networks, each updated by Adam.
//!
//! z₁ = σ(x A₀ + b₀), z_{k+1} = σ(z_k W_k + x A_k + b_k) with W_k ≥ 0, σ = softplus, three layers of 64 on the plane;
//! the value is z₃·w + x·a + ½|x|². The step is what systems would write: nn's layers and optimiser, reverse mode twice.

use pushforward::exec::Cpu;
use pushforward::expr::Expr;
use pushforward::graph::{Graph, Var, grad};
use pushforward::nn::{Activation, Optimizer};
use pushforward::rng;

use super::Steps;

const M: usize = 64;
const D: usize = 2;
const SHAPES: [(&str, [usize; 2]); 10] = [
    ("A0", [D, M]),
    ("A1", [D, M]),
    ("A2", [D, M]),
    ("a", [D, 1]),
    ("b0", [1, M]),
    ("b1", [1, M]),
    ("b2", [1, M]),
    ("W1", [M, M]),
    ("W2", [M, M]),
    ("w", [M, 1]),
];

fn parameters<'g>(g: &'g Graph, net: &str) -> Vec<Var<'g>> {
    let input = |(name, shape): &(&str, [usize; 2])| g.input(&format!("{net}.{name}"), shape);
    SHAPES.iter().map(input).collect()
}

/// **Shapes** `x: [n, 2]`; result `[n]`.
fn value<'g>(p: &[Var<'g>], x: Var<'g>) -> Var<'g> {
    let softplus = |z: Var<'g>| z.map(Activation::Softplus.of(Expr::arg(0)));
    let z = softplus(x.matmul(p[0]) + p[4]);
    let z = softplus(z.matmul(p[7]) + x.matmul(p[1]) + p[5]);
    let z = softplus(z.matmul(p[8]) + x.matmul(p[2]) + p[6]);
    let plain = z.matmul(p[9]) + x.matmul(p[3]);
    plain.reshape(&[x.shape()[0]]) + 0.5 * x.square().sum(1)
}

/// ∇ of the network at y.
fn push<'g>(p: &[Var<'g>], y: Var<'g>) -> Var<'g> {
    grad(value(p, y).total(), &[y])[0]
}

/// Adam on every parameter of `net`; the W_k and w stay non-negative.
fn update<'g>(g: &'g Graph, net: &str, loss: Var<'g>, p: &[Var<'g>]) -> Vec<Var<'g>> {
    let rate = g.scalar(1e-3);
    let gradients = grad(loss, p);
    let steps = SHAPES.iter().zip(p.iter().zip(gradients));
    steps
        .map(|((name, _), (&p, gradient))| {
            let next = Optimizer::Adam.step(&format!("{net}.{name}"), p, gradient, rate);
            match *name {
                "W1" | "W2" | "w" => next.map(Expr::arg(0).largest(0.0)),
                _ => next,
            }
        })
        .collect()
}

/// A run of the whole minimax step on `batch` samples.
pub fn steps(batch: usize) -> Steps {
    let g = Graph::default();
    let (x, y) = (g.input("x", &[batch, D]), g.input("y", &[batch, D]));
    let (f, p) = (parameters(&g, "f"), parameters(&g, "g"));
    let mean = 1.0 / batch as f64;
    // The map's network first, then the potential's against the new map.
    let moved = push(&p, y);
    let loss = (value(&f, moved).total() - (y * moved).total()) * mean;
    let next = update(&g, "g", loss, &p);
    let moved = push(&next, y).stop_gradient();
    let loss = (value(&f, x).total() - value(&f, moved).total()) * mean;
    let potential = update(&g, "f", loss, &f);
    for (net, values) in [("g", next), ("f", potential)] {
        for ((name, _), value) in SHAPES.iter().zip(values) {
            g.assign(&format!("{net}.{name}"), value);
        }
    }
    let mut cpu = Cpu::<f32>::default();
    let program = cpu.load(&g.compile("step"));
    let draw = |seed, shape: &[usize]| rng::normal_vec(seed, 0, 0, shape.iter().product());
    cpu.set("x", &draw(1, &[batch, D]));
    cpu.set("y", &draw(2, &[batch, D]));
    for (k, net) in ["f", "g"].into_iter().enumerate() {
        for (i, (name, shape)) in SHAPES.iter().enumerate() {
            let draws = draw((10 * k + i) as u32 + 3, shape);
            let scaled = |z: &f32| match *name {
                "W1" | "W2" | "w" => z.abs() / M as f32,
                _ if name.starts_with('b') => 0.0,
                _ => 0.3 * z,
            };
            let values: Vec<f32> = draws.iter().map(scaled).collect();
            cpu.set(&format!("{net}.{name}"), &values);
        }
    }
    Box::new(move |steps| (0..steps).for_each(|_| cpu.run(program)))
}
