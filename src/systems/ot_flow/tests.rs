//! Closed forms: the flow between Gaussians, and the whole objective at its optimum.

use super::*;
use crate::exec::Cpu;
use crate::params::Params;
use crate::systems::tests::{measured, session};

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
    let mut session = session(
        &ENTRY,
        &[
            ("source", "gaussian"),
            ("cov", "4,0,0,0.25"),
            ("alpha", "1,1,1"),
            ("hidden", "16"),
            ("nt", "4"),
            ("batch", "512"),
        ],
    );
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
    g.assign("plain", grad(objective, &[theta])[0]);
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
        let mut session = session(
            &ENTRY,
            &[
                ("batch", "16"),
                ("resample", "2"),
                ("hidden", "2"),
                ("nt", "1"),
            ],
        );
        session.advance(u64::MAX, steps);
        session.get("batch").expect("a buffer").to_vec()
    };
    assert_eq!(run(1), run(2));
    assert_ne!(run(2), run(3));
    assert_eq!(run(3), run(3));
}

/// Probes along the coordinates sum the whole trace: Hutchinson's estimate is then exact, for values and gradients.
#[test]
fn probes_along_every_coordinate_give_the_exact_trace() {
    let (n, d) = (4, 3);
    let flow = PotentialFlow {
        d,
        hidden: 5,
        layers: 2,
        rank: 4,
        steps: 2,
        span: [0.0, 1.0],
        alpha: 2.0,
    };
    let g = Graph::default();
    let (x, theta) = (
        g.input("x", &[n, d]),
        g.input("theta", &[flow.parameters()]),
    );
    let mut probes = vec![0.0; n * d * d];
    for (at, entry) in probes.iter_mut().enumerate() {
        if at / d % d == at % d {
            *entry = (d as f64).sqrt();
        }
    }
    let estimated = flow.estimated(x, theta, g.constant(probes, &[n, d, d]));
    let exact = flow.expansion(x, theta);
    for (name, end) in [("estimated", estimated), ("exact", exact)] {
        g.assign(name, end);
        g.assign(
            &format!("{name}_slope"),
            grad(end.square().total(), &[theta])[0],
        );
    }
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("both"));
    let wide = |data: Vec<f32>| -> Vec<f64> { data.into_iter().map(f64::from).collect() };
    cpu.set("x", &wide(crate::rng::normal_vec(1, 0, 0, n * d)));
    cpu.set("theta", &wide(start(&flow, 3)));
    cpu.run(id);
    for (a, b) in [("estimated", "exact"), ("estimated_slope", "exact_slope")] {
        let (a, b) = (cpu.get(a).expect("assigned"), cpu.get(b).expect("assigned"));
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-10 * (1.0 + b.abs()), "{a} against {b}");
        }
    }
}

/// A trained step with estimated traces is a step of the same run: it goes the same way, roughly.
#[test]
fn an_estimated_trace_trains_too() {
    let mut session = session(
        &ENTRY,
        &[
            ("source", "gaussian"),
            ("cov", "4,0,0,0.25"),
            ("trace", "rademacher"),
            ("probes", "2"),
            ("hidden", "8"),
            ("nt", "2"),
            ("batch", "128"),
        ],
    );
    let before = measured(&mut session, "nll");
    session.advance(u64::MAX, 100);
    let after = measured(&mut session, "nll");
    assert!(after < before - 0.3, "{before} to {after}");
}

/// In principal components, samples are uncorrelated and the first has the largest variance.
#[test]
fn principal_components_are_shown() {
    let mut session = session(
        &ENTRY,
        &[
            ("source", "mixture"),
            ("d", "5"),
            ("modes", "3"),
            ("project", "principal"),
            ("show", "data"),
            ("time", "0"),
            ("n", "4000"),
            ("hidden", "2"),
            ("nt", "1"),
        ],
    );
    session.run_to(0);
    session.settle();
    let particles = session.particles();
    let (_, covariance) = crate::linalg::mean_covariance(particles, 5);
    let variance = |i: usize| covariance[i * 5 + i];
    assert_eq!(session.stage().names[0], "PC 1");
    assert!(
        variance(0) > variance(1) && variance(1) > variance(2),
        "{covariance:?}"
    );
    assert!(
        variance(4) < 0.35 && covariance[1].abs() < 0.1 * variance(0),
        "{covariance:?}"
    );
}

/// Samples that went there and back are where they were, as exactly as the steps allow.
#[test]
fn returned_samples_lie_on_their_marks() {
    let mut session = session(
        &ENTRY,
        &[
            ("show", "returned"),
            ("n", "50"),
            ("batch", "8"),
            ("nt", "32"),
        ],
    );
    session.settle();
    let marks = session.stage().marks.concat();
    assert_eq!(marks.len(), 100);
    for (at, mark) in session.particles().iter().zip(&marks) {
        assert!((at - mark).abs() < 1e-3, "{at} against {mark}");
    }
}

#[test]
fn bad_axes_are_named() {
    for axes in ["0,5", "1,1", "0.5,1", "0"] {
        let mut system = OtFlow::default();
        for (key, value) in [("source", "gaussian"), ("d", "5"), ("axes", axes)] {
            system
                .set(key, value)
                .expect("a parameter")
                .expect("numbers");
        }
        let error = system.build(&Inputs::default()).err().expect("refused");
        assert!(error.to_string().contains("axes"), "{error}");
    }
}
