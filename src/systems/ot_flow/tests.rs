//! Closed forms: the flow between Gaussians, and the whole objective at its optimum.

use super::*;
use crate::exec::Cpu;
use crate::params::Params;
use crate::session::Session;
use crate::systems::copy;

fn session(settings: &[(&str, &str)]) -> Session {
    let mut system = (ENTRY.fresh)();
    for (key, value) in settings {
        system
            .set(key, value)
            .expect("a parameter")
            .expect("a value");
    }
    Session::new(&ENTRY, copy(&ENTRY, &*system), Inputs::default()).expect("can be built")
}

fn measured(session: &mut Session, id: &str) -> f64 {
    let at = session.metrics().iter().position(|m| m.id() == id);
    let row = session.measure_now();
    row.values[at.expect("a curve")].expect("a value")
}

/// For N(0, s²) a quadratic potential is optimal, and constant in time for the right map: Φ = ½ q x² gives
/// x(1) = e^{−q} x, log-determinant −q d, cost ½|x|² (1 − e^{−2q}) q/2 … all exact.
#[test]
fn a_quadratic_potential_has_its_exponential() {
    let flow = PotentialFlow {
        d: 2,
        hidden: 3,
        layers: 1,
        rank: 2,
        steps: 32,
        span: [0.0, 1.0],
        alpha: 1.0,
    };
    let q: f64 = 0.6;
    let g = Graph::default();
    let (x, theta) = (
        g.input("x", &[1, 2]),
        g.input("theta", &[flow.parameters()]),
    );
    g.assign("end", g.potential_flow(flow, x, theta));
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("flow"));
    let mut values = vec![0.0; flow.parameters()];
    let at = flow.offsets().quadratic;
    // A = √q (I 0): Φ = ½ q |x|².
    (values[at], values[at + 4]) = (q.sqrt(), q.sqrt());
    cpu.set("theta", &values);
    cpu.set("x", &[1.5, -0.5]);
    cpu.run(id);
    let end = cpu.get("end").expect("assigned");
    let (shrunk, square) = ((-q).exp(), 1.5f64.powi(2) + 0.25);
    // v = ∫ ½ q² |x|² e^{−2qt} dt, and so is r: ∂ₜΦ = 0.
    let cost = 0.25 * q * square * (1.0 - (-2.0 * q).exp());
    for (own, exact) in end
        .iter()
        .zip([1.5 * shrunk, -0.5 * shrunk, -2.0 * q, cost, cost])
    {
        // The error of Runge–Kutta with 32 steps.
        assert!((own - exact).abs() < 1e-9, "{own} against {exact}");
    }
}

/// Trained on N(0, diag s²), J reaches its closed form: with σ₁ = (s + √(s² + 4α(1 + α)))/(2(1 + α)), α = α₁/α₀,
/// L = ½ Σ (σ₁ − s)², C = Σ ½ log 2π + ½ σ₁² − log(σ₁/s), R = 0.
#[test]
fn a_gaussian_reaches_its_closed_form() {
    let mut session = session(&[
        ("source", "gaussian"),
        ("cov", "4,0,0,0.25"),
        ("alpha", "1,1,1"),
        ("hidden", "16"),
        ("nt", "4"),
        ("batch", "512"),
    ]);
    session.advance(u64::MAX, 500);
    let [mut cost, mut nll] = [0.0, 0.0];
    for s in [2.0f64, 0.5] {
        let end = (s + (s * s + 8.0).sqrt()) / 4.0;
        cost += 0.5 * (end - s).powi(2);
        nll += 0.5 * std::f64::consts::TAU.ln() + 0.5 * end * end - (end / s).ln();
    }
    let exact = cost + nll;
    let [l, c, r] = ["transport_cost", "nll", "hjb"].map(|id| measured(&mut session, id));
    println!(
        "L {l} against {cost}, C {c} against {nll}, R {r}, J {} against {exact}",
        l + c + r
    );
    assert!((l + c + r - exact).abs() < 0.02 * exact);
}

/// The gradient that the step uses is that of the mean objective.
#[test]
fn the_adjoint_is_that_of_the_objective() {
    let (n, weights) = (5, [1.0, 7.0, 3.0]);
    let flow = PotentialFlow {
        d: 2,
        hidden: 4,
        layers: 1,
        rank: 3,
        steps: 2,
        span: [0.0, 1.0],
        alpha: 1.0,
    };
    let g = Graph::default();
    let (x, theta) = (
        g.input("batch", &[n, 2]),
        g.input("theta", &[flow.parameters()]),
    );
    let end = flow.expansion(x, theta);
    let objective = weights[0] * end.column(3).mean(0)
        - weights[1] * curves::log_likelihood(end).mean(0)
        + weights[2] * end.column(4).mean(0);
    g.assign("plain", crate::graph::grad(objective, &[theta])[0]);
    let mean = weights.map(|w| w / n as f64);
    let offset = vec![0.0, 0.0, -mean[1], mean[0], mean[2]];
    let slope = vec![mean[1], mean[1], 0.0, 0.0, 0.0];
    let adjoint = [
        g.constant(offset, &[5]).broadcast(&[n, 5]),
        g.constant(slope, &[5]),
    ];
    let hot = g.potential_flow_gradient(flow, Wanted::Parameters, [x, theta], adjoint);
    g.assign("hot", hot);
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("both"));
    let wide = |data: Vec<f32>| -> Vec<f64> { data.into_iter().map(f64::from).collect() };
    cpu.set("batch", &wide(crate::rng::normal_vec(1, 0, 0, 2 * n)));
    cpu.set("theta", &wide(start(&flow, 3)));
    cpu.run(id);
    let (plain, hot) = (
        cpu.get("plain").expect("assigned"),
        cpu.get("hot").expect("assigned"),
    );
    for (a, b) in plain.iter().zip(hot) {
        assert!((a - b).abs() < 1e-11 * (1.0 + a.abs()), "{a} against {b}");
    }
}

#[test]
fn bad_weights_are_named() {
    let mut system = OtFlow::default();
    for alpha in ["1,2", "1,0,1", ""] {
        system
            .set("alpha", alpha)
            .expect("a parameter")
            .expect("numbers");
        let error = system.build(&Inputs::default()).err().expect("refused");
        assert!(error.to_string().contains("alpha"), "{error}");
    }
}

/// Every batch is new, and the same in every run of a seed.
#[test]
fn batches_are_drawn_when_due() {
    let run = |steps| {
        let mut session = session(&[
            ("batch", "16"),
            ("resample", "2"),
            ("hidden", "2"),
            ("nt", "1"),
        ]);
        session.advance(u64::MAX, steps);
        session.get("batch").expect("a buffer").to_vec()
    };
    assert_eq!(run(1), run(2));
    assert_ne!(run(2), run(3));
    assert_eq!(run(3), run(3));
}
