//! Gaussian targets, for which the flow can be exact, and the gradient against reverse mode of the plain flow.

use super::*;
use crate::exec::Cpu;
use crate::graph::grad;
use crate::rng::normal_vec;
use crate::systems::tests::{measured, session};

/// Without a flow, KL(N(0, I)‖N(μ, Σ)) has a closed form; a trained flow brings it, and the errors of both moments, near 0.
#[test]
fn a_gaussian_is_learned() {
    let mut session = session(
        &ENTRY,
        &[
            ("mean", "1,-0.5"),
            ("cov", "4,0,0,0.25"),
            ("hidden", "16"),
            ("nt", "4"),
            ("alpha", "0,1,0"),
        ],
    );
    // ½ (tr Σ⁻¹ + μᵀΣ⁻¹μ − d + log det Σ); the start is not quite the identity, and 2048 samples have noise.
    let exact = 0.5 * (0.25 + 4.0 + 0.25 + 1.0 - 2.0);
    let start = measured(&mut session, "reverse_kl");
    assert!((start - exact).abs() < 0.3, "{start} against {exact}");
    session.advance(u64::MAX, 600);
    let [kl, ess, mean, covariance] =
        ["reverse_kl", "ess", "mean_err", "cov_err"].map(|id| measured(&mut session, id));
    println!("KL {start} to {kl}, ESS {ess}, mean {mean}, covariance {covariance}");
    assert!(kl.abs() < 0.01 && ess > 0.98);
    // 512 particles: standard errors of about 2/√512 and √2/√512.
    assert!(mean < 0.3 && covariance < 0.2);
}

/// The gradient of a step is that of the mean objective, through every op of the plain flow.
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
    let target = FlowVi::default().target.build(1).expect("a target");
    let g = Graph::default();
    let z = g.input("z", &[n, 2]);
    let theta = g.input("theta", &[flow.parameters()]);
    let end = back(flow).expansion(z, theta);
    let log_density = (target.log_density)(&g, end.slice(1, 0, 2));
    let objective = -weights[0] * end.column(3).mean(0)
        - weights[1] * (end.column(2) + log_density).mean(0)
        - weights[2] * end.column(4).mean(0);
    g.assign("plain", grad(objective, &[theta])[0]);
    g.assign("hot", gradient(flow, &target, weights, z, theta));
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("both"));
    let wide = |data: Vec<f32>| -> Vec<f64> { data.into_iter().map(f64::from).collect() };
    cpu.set("z", &wide(normal_vec(1, 0, 0, 2 * n)));
    cpu.set("theta", &wide(start(&flow, 3)));
    cpu.run(id);
    let (plain, hot) = (
        cpu.get("plain").expect("assigned"),
        cpu.get("hot").expect("assigned"),
    );
    for (a, b) in plain.iter().zip(hot) {
        assert!((a - b).abs() < 1e-10 * (1.0 + a.abs()), "{a} against {b}");
    }
}

/// (Σw)²/(n Σw²), with weights whose exponentials would overflow.
#[test]
fn the_effective_size_is_that_of_the_weights() {
    let g = Graph::default();
    let log_w = g.constant(vec![1000.0, 1000.0 + 2f64.ln(), 1000.0 + 3f64.ln()], &[3]);
    g.assign("ess", effective(log_w));
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("ess"));
    cpu.run(id);
    let found = cpu.get("ess").expect("assigned")[0];
    assert!((found - 36.0 / 42.0).abs() < 1e-9, "{found}");
}

/// Metrics of the particles are those of the step they are listed under, whatever the picture shows.
#[test]
fn particles_are_measured_at_their_step() {
    let settings = [("batch", "16"), ("hidden", "4"), ("nt", "2"), ("n", "32")];
    let mut direct = session(&ENTRY, &settings);
    direct.advance(u64::MAX, 20);
    let expected = measured(&mut direct, "ksd2");
    let mut followed = session(&ENTRY, &settings);
    followed.run_to(20);
    assert_eq!(
        measured(&mut followed, "ksd2").to_bits(),
        expected.to_bits()
    );
    let before = followed.log()[0].values.clone();
    assert_ne!(before, followed.measure_now().values);
}
