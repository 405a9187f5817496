//! The kernel against the plain flow and its reverse mode, at sizes around tiles, on both number types; cuts change nothing.

use crate::exec::{Cpu, Progress};
use crate::graph::{Graph, PotentialFlow, Program, Var, Wanted, grad};
use crate::kernels::Number;
use crate::rng;

fn flow(d: usize, hidden: usize, layers: usize) -> PotentialFlow {
    PotentialFlow {
        d,
        hidden,
        layers,
        rank: 2,
        steps: 2,
        span: [0.1, 0.9],
        alpha: 1.3,
    }
}

/// A cost with every kind of adjoint: linear and quadratic in each part of the end.
fn adjoint<'g>(g: &'g Graph, n: usize, d: usize) -> [Var<'g>; 2] {
    let fixed = |seed, shape: &[usize]| g.constant(numbers(seed, shape, 1.0), shape);
    [fixed(7, &[n, d + 3]), fixed(8, &[d + 3])]
}

fn numbers(seed: u32, shape: &[usize], scale: f64) -> Vec<f64> {
    let draws = rng::normal_vec(seed, 0, 0, shape.iter().product());
    draws.iter().map(|&v| scale * f64::from(v)).collect()
}

/// End and gradients, by the hot op or by plain ops.
fn program(flow: PotentialFlow, n: usize, hot: bool) -> Program {
    let g = Graph::default();
    let (x, theta) = (
        g.input("x", &[n, flow.d]),
        g.input("theta", &[flow.parameters()]),
    );
    let [offset, slope] = adjoint(&g, n, flow.d);
    let [end, by_theta, by_x] = if hot {
        let pull = |wanted| g.potential_flow_gradient(flow, wanted, [x, theta], [offset, slope]);
        let end = g.potential_flow(flow, x, theta);
        [end, pull(Wanted::Parameters), pull(Wanted::Samples)]
    } else {
        let end = flow.expansion(x, theta);
        let cost = ((offset + 0.5 * slope * end) * end).total();
        let gradients = grad(cost, &[theta, x]);
        [end, gradients[0], gradients[1]]
    };
    g.assign("end", end);
    g.assign("by_theta", by_theta);
    g.assign("by_x", by_x);
    g.compile("flow")
}

fn run<R: Number>(program: &Program, flow: &PotentialFlow, n: usize, budget: u64) -> Vec<Vec<f64>> {
    let mut cpu = Cpu::<R>::default();
    let id = cpu.load(program);
    let narrow = |data: Vec<f64>| -> Vec<R> { data.iter().map(|&v| R::from_f64(v)).collect() };
    cpu.set("x", &narrow(numbers(1, &[n, flow.d], 1.0)));
    // Rounded once, so that both number types see the same parameters.
    let scale = 0.7 / (flow.hidden as f64).sqrt();
    let theta = numbers(2, &[flow.parameters()], scale);
    let theta = theta.iter().map(|&v| f64::from(v as f32)).collect();
    cpu.set("theta", &narrow(theta));
    while cpu.advance(id, &mut budget.clone()) == Progress::Working {}
    ["end", "by_theta", "by_x"]
        .map(|name| {
            let values = cpu.get(name).expect("assigned");
            values.iter().map(|v| v.to_f64()).collect()
        })
        .to_vec()
}

/// Largest difference over the largest entry.
fn relative(a: &[f64], b: &[f64]) -> f64 {
    let size = b.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
    let worst = a.iter().zip(b).fold(0.0, |m: f64, (a, b)| {
        let d = (a - b).abs();
        if d <= m { m } else { d }
    });
    worst / size
}

#[test]
fn agrees_with_the_plain_flow() {
    let mut backwards = flow(2, 8, 1);
    backwards.span = [1.0, 0.0];
    let sizes = [
        (1, flow(1, 1, 1)),
        (15, flow(2, 32, 1)),
        (16, flow(3, 7, 2)),
        (17, backwards),
        (130, flow(2, 5, 3)),
        (33, flow(6, 12, 1)),
    ];
    for (n, flow) in sizes {
        let exact = run::<f64>(&program(flow, n, false), &flow, n, u64::MAX);
        let hot = program(flow, n, true);
        let wide = run::<f64>(&hot, &flow, n, u64::MAX);
        let narrow = run::<f32>(&hot, &flow, n, u64::MAX);
        for (k, what) in ["end", "parameters", "samples"].iter().enumerate() {
            let (wide, narrow) = (
                relative(&wide[k], &exact[k]),
                relative(&narrow[k], &exact[k]),
            );
            println!("n {n}, {flow:?}: {what} {wide:.1e} {narrow:.1e}");
            assert!(wide < 1e-12, "{what} in f64, n {n}, {flow:?}: {wide:e}");
            // Eight evaluations with sums of up to 32 terms, 6e-8 each.
            assert!(narrow < 2e-5, "{what} in f32, n {n}, {flow:?}: {narrow:e}");
        }
    }
}

#[test]
fn cuts_change_nothing() {
    let (flow, n) = (flow(2, 8, 1), 300);
    let hot = program(flow, n, true);
    let whole = run::<f32>(&hot, &flow, n, u64::MAX);
    assert_eq!(whole, run::<f32>(&hot, &flow, n, 1000));
}
