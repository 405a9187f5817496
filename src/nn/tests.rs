//! Networks against plain loops, optimisers against their recursions, L-BFGS on problems with known minima.

use super::*;
use crate::exec::Cpu;
use crate::expr::Expr;
use crate::graph::{Graph, Var, grad};
use crate::rng;

fn numbers(seed: u32, count: usize) -> Vec<f64> {
    rng::normal_vec(seed, 0, 0, count)
        .iter()
        .map(|&v| f64::from(v))
        .collect()
}

fn run(g: &Graph, inputs: &[(&str, Vec<f64>)], times: u32) -> Cpu<f64> {
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("test"));
    for (name, data) in inputs {
        cpu.set(name, data);
    }
    for step in 0..times {
        cpu.step = step;
        cpu.run(id);
    }
    cpu
}

#[test]
fn activations_have_their_values() {
    let at = |activation: Activation, z: f64| activation.of(Expr::arg(0)).eval(&[z]);
    for z in [-3.0, -0.4, 0.0, 0.7, 2.5] {
        assert_eq!(at(Activation::Relu, z), z.max(0.0));
        assert_eq!(at(Activation::Leaky, z), if z > 0.0 { z } else { 0.1 * z });
        assert!((at(Activation::LogCosh, z) - (2.0 * z.cosh()).ln()).abs() < 1e-14);
        assert!((at(Activation::Softplus, z) - z.exp().ln_1p()).abs() < 1e-14);
    }
    // erf(z/√2) = 2 Φ(z) − 1.
    for (z, exact) in [
        (0.5, 0.382_924_922_5),
        (1.0, 0.682_689_492_1),
        (-2.0, -0.954_499_736_1),
    ] {
        assert!((at(Activation::Sigmoid, z) - exact).abs() < 2e-7);
    }
}

#[test]
fn two_layers_are_dense_layers() {
    let g = Graph::default();
    let x = g.input("x", &[7, 3]);
    let (w, a) = (g.input("w", &[5, 3]), g.input("a", &[5, 2]));
    for (k, activation) in [Activation::Relu, Activation::Sigmoid]
        .into_iter()
        .enumerate()
    {
        let wide = two_layer(x, w, a, activation);
        let plain = mlp(x, &[(w.transpose(), None), (a, None)], activation);
        g.assign(&format!("difference{k}"), wide - plain);
    }
    let cpu = run(
        &g,
        &[
            ("x", numbers(1, 21)),
            ("w", numbers(2, 15)),
            ("a", numbers(3, 10)),
        ],
        1,
    );
    for name in ["difference0", "difference1"] {
        let worst = cpu
            .get(name)
            .expect("assigned")
            .iter()
            .fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(worst < 1e-14, "{name}: {worst:e}");
    }
}

#[test]
fn the_potential_has_the_published_gradient() {
    let (n, k, m, r) = (4, 3, 5, 2);
    let g = Graph::default();
    let s = g.input("s", &[n, k]);
    let fixed =
        |seed: u32, shape: &[usize]| g.constant(numbers(seed, shape.iter().product()), shape);
    let (k0, b0, k1, b1) = (
        fixed(2, &[k, m]),
        fixed(3, &[m]),
        fixed(4, &[m, m]),
        fixed(5, &[m]),
    );
    let (w, a, b) = (fixed(6, &[m, 1]), fixed(7, &[r, k]), fixed(8, &[k, 1]));
    let potential = Potential {
        opening: (k0, b0),
        residual: vec![(k1, b1)],
        weights: w,
        quadratic: a,
        linear: b,
        constant: g.scalar(0.3),
    };
    // ∇Φ = K₀(tanh(q₀) ⊙ z₁) + AᵀA s + b, z₁ = w + h K₁(tanh(q₁) ⊙ w), with K read as [inputs, outputs].
    let q0 = s.matmul(k0) + b0;
    let u0 = q0.map(Activation::LogCosh.of(Expr::arg(0)));
    let q1 = u0.matmul(k1) + b1;
    let row = w.reshape(&[1, m]);
    let z1 = row + (q1.tanh() * row).matmul(k1.transpose());
    let by_hand = (q0.tanh() * z1).matmul(k0.transpose())
        + s.matmul(a.transpose()).matmul(a)
        + b.reshape(&[1, k]);
    g.assign("difference", grad(potential.value(s), &[s])[0] - by_hand);
    let cpu = run(&g, &[("s", numbers(1, n * k))], 1);
    for v in cpu.get("difference").expect("assigned") {
        assert!(v.abs() < 1e-12, "{v:e}");
    }
}

/// Three steps of each optimiser on ½ Σ c x², against the recursion written out.
#[test]
fn optimisers_follow_their_recursions() {
    let (c, rate) = ([1.0, 3.0], 0.1);
    for optimizer in [Optimizer::Sgd, Optimizer::Momentum, Optimizer::Adam] {
        let g = Graph::default();
        let x = g.input("x", &[2]);
        let gradient = x * g.constant(c.to_vec(), &[2]);
        g.assign("x", optimizer.step("x", x, gradient, g.scalar(rate)));
        let cpu = run(&g, &[("x", vec![1.0, -2.0])], 3);
        for i in 0..2 {
            let (mut x, mut v, mut m, mut s) = ([1.0, -2.0][i], 0.0, 0.0, 0.0);
            for t in 1..=3 {
                let g = c[i] * x;
                v = 0.9 * v + g;
                m = 0.9 * m + 0.1 * g;
                s = 0.999 * s + 0.001 * g * g;
                let (mean, square) = (m / (1.0 - 0.9f64.powi(t)), s / (1.0 - 0.999f64.powi(t)));
                x -= rate
                    * match optimizer {
                        Optimizer::Sgd => g,
                        Optimizer::Momentum => v,
                        Optimizer::Adam => mean / (square.sqrt() + 1e-8),
                    };
            }
            let found = cpu.get("x").expect("x")[i];
            assert!(
                (found - x).abs() < 1e-12,
                "{optimizer:?}: {found} against {x}"
            );
        }
    }
}

#[test]
fn schedules() {
    let g = Graph::default();
    let t = g.input("t", &[]);
    let cases = [
        (Schedule::Constant, [1.0, 1.0, 1.0]),
        (
            Schedule::InverseRoot,
            [1.0, 1.0 / 5f64.sqrt(), 1.0 / 11f64.sqrt()],
        ),
        (Schedule::Halving { every: 4.0 }, [1.0, 0.5, 0.25]),
        (Schedule::Cosine { length: 8.0 }, [1.0, 0.5, 0.0]),
    ];
    for (k, (schedule, _)) in cases.iter().enumerate() {
        g.assign(&format!("rate{k}"), schedule.rate(g.scalar(1.0), t));
    }
    for (i, at) in [0.0, 4.0, 10.0].into_iter().enumerate() {
        let cpu = run(&g, &[("t", vec![at])], 1);
        for (k, (schedule, expected)) in cases.iter().enumerate() {
            let found = cpu.get(&format!("rate{k}")).expect("assigned")[0];
            assert!(
                (found - expected[i]).abs() < 1e-12,
                "{schedule:?} at {at}: {found}"
            );
        }
    }
}

#[test]
fn minibatches_draw_every_row_with_equal_chance() {
    let g = Graph::default();
    let rows = 5;
    g.assign(
        "batch",
        minibatch(g.iota(rows).reshape(&[rows, 1]), 20_000, 3),
    );
    let cpu = run(&g, &[], 1);
    let batch = cpu.get("batch").expect("assigned");
    for row in 0..rows {
        let share = batch.iter().filter(|v| **v == row as f64).count() as f64 / batch.len() as f64;
        // Five standard errors of a share of 1/5.
        assert!(
            (share - 0.2).abs() < 5.0 * (0.16f64 / 20_000.0).sqrt(),
            "row {row}: {share}"
        );
    }
}

/// Minimises a graph's function and returns the point and the number of evaluations.
fn minimise(f: impl for<'g> Fn(Var<'g>) -> Var<'g>, start: &[f64]) -> (Vec<f64>, usize) {
    let g = Graph::default();
    let x = g.input("x", &[start.len()]);
    let value = f(x);
    g.assign("value", value);
    g.assign("gradient", grad(value, &[x])[0]);
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("value and gradient"));
    let mut lbfgs = Lbfgs::new(start.to_vec());
    for evaluations in 0..400 {
        cpu.set("x", &lbfgs.trial());
        cpu.run(id);
        let gradient = cpu.get("gradient").expect("assigned").to_vec();
        if lbfgs.tell(cpu.get("value").expect("assigned")[0], &gradient) == Ask::Stuck
            || gradient.iter().all(|v| v.abs() < 1e-10)
        {
            return (lbfgs.point().to_vec(), evaluations);
        }
    }
    panic!("no minimum after 400 evaluations: {:?}", lbfgs.point())
}

#[test]
fn lbfgs_finds_the_minimum_of_rosenbrock() {
    fn fixed<F: for<'g> Fn(Var<'g>) -> Var<'g>>(f: F) -> F {
        f
    }
    let rosenbrock = fixed(move |x| {
        let (a, b) = (x.slice(0, 0, 9), x.slice(0, 1, 9));
        (100.0 * (b - a.square()).square() + (1.0 - a).square()).total()
    });
    let (x, evaluations) = minimise(
        rosenbrock,
        &[-1.2, 1.0, -1.2, 1.0, -1.2, 1.0, -1.2, 1.0, -1.2, 1.0],
    );
    for v in &x {
        assert!((v - 1.0).abs() < 1e-8, "{x:?} after {evaluations}");
    }
}

#[test]
fn lbfgs_solves_a_convex_quadratic_in_few_steps() {
    // ½ Σ k x_k² − Σ x_k, condition number 20, minimum at 1/k.
    let (x, evaluations) = minimise(
        |x| {
            let k = x.graph().iota(20) + 1.0;
            (0.5 * k * x.square() - x).total()
        },
        &[0.0; 20],
    );
    for (i, v) in x.iter().enumerate() {
        assert!((v - 1.0 / (i + 1) as f64).abs() < 1e-9, "{x:?}");
    }
    assert!(evaluations < 60, "{evaluations} evaluations");
}
