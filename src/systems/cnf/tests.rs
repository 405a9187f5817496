//! Linear flows in closed form, the gradient of a whole step against one written-out graph and against differences, and runs.

use super::solver::{COLUMNS, along, minus_log_normal};
use super::*;
use crate::exec::Cpu;
use crate::graph::grad;
use crate::metrics::Metric;
use crate::params::Params;
use crate::rng::normal_vec;
use crate::session::{Run, Session, Status, Turn};
use crate::systems::tests::measured;
use crate::systems::{Command, Driver};

fn solver(tableau: &'static Tableau, trace: Trace, tolerance: f64, most_steps: usize) -> Solver {
    Solver {
        velocity: Velocity {
            d: 2,
            width: 8,
            depth: 2,
        },
        tableau,
        trace,
        batch: 32,
        tolerance,
        most_steps,
    }
}

/// A run of `solver` in double precision on samples of two moons, with parameters `theta`, up to its first gradient.
fn first_gradient(solver: &Solver, nt: usize, theta: &[f64]) -> Run<f64> {
    let mut params = SourceParams::default();
    assert_eq!(params.set("source", "moons"), Some(Ok(())));
    let source = params.build(1, None).expect("a source");
    let programs = vec![
        solver.update(),
        solver.begin(|g| source.draw(g, solver.batch, stream::BATCH)),
        solver.attempt(),
        solver.accept(),
        solver.turn(),
        solver.back(),
    ];
    let driver = Integrate::new(solver.tableau, solver.most_steps, nt);
    let mut run = Run::<f64>::new(None, programs, Box::new(driver), 3);
    run.uniforms(&[("step", 0.0), ("kinetic", 0.3), ("jacobian", 0.2)]);
    run.cpu.set("theta", theta);
    assert_eq!(run.complete_step(), Turn::Stepped);
    run
}

fn parameters(velocity: Velocity) -> Vec<f64> {
    let scaled = |v: f32| 2.0 * f64::from(v);
    velocity.start(5).into_iter().map(scaled).collect()
}

fn get<'a>(run: &'a Run<f64>, name: &str) -> &'a [f64] {
    run.cpu.get(name).expect("a buffer")
}

#[test]
fn steps_driven_by_the_host_have_the_gradient_of_the_whole_flow() {
    for trace in [Trace::Rademacher, Trace::Gaussian, Trace::Exact] {
        let solver = solver(&RK4, trace, 1e-4, 3);
        let theta = parameters(solver.velocity);
        let run = first_gradient(&solver, 3, &theta);
        let g = Graph::default();
        let (n, d) = (solver.batch, 2);
        let mut params = SourceParams::default();
        assert_eq!(params.set("source", "moons"), Some(Ok(())));
        let source = params.build(1, None).expect("a source");
        let weights = g.input("theta", &[theta.len()]);
        let x = source.draw(&g, n, stream::BATCH);
        let end = along(solver.velocity, weights, x, trace.probes(&g, n, d), 3);
        let loss = minus_log_normal(end.slice(1, 0, d)) - end.column(d)
            + 0.3f64 * end.column(d + 1)
            + 0.2f64 * end.column(d + 2);
        g.assign("loss", loss.mean(0));
        g.assign("gradient", grad(loss.mean(0), &[weights])[0]);
        let mut whole = Cpu::<f64>::default();
        let program = whole.load(&g.compile("whole"));
        whole.seed = 3;
        whole.set("theta", &theta);
        whole.run(program);
        // Weights 0.3 and 0.2, and times, are single precision in the run.
        let loss = whole.get("loss").expect("assigned")[0];
        assert!(
            (get(&run, "loss")[0] - loss).abs() < 1e-6 * loss.abs(),
            "{loss}"
        );
        let gradient = whole.get("gradient").expect("assigned");
        let largest = gradient.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(largest > 1e-2, "{largest}");
        for (i, (own, whole)) in get(&run, "gradient").iter().zip(gradient).enumerate() {
            assert!(
                (own - whole).abs() < 1e-6 * largest,
                "{trace:?}, entry {i}: {own} {whole}"
            );
        }
    }
}

#[test]
fn the_gradient_through_adaptive_steps_is_that_of_differences() {
    let solver = solver(&DOPRI5, Trace::Rademacher, 1e-5, MOST_STEPS);
    let theta = parameters(solver.velocity);
    let run = first_gradient(&solver, 1, &theta);
    let gradient = get(&run, "gradient").to_vec();
    let direction: Vec<f64> = normal_vec(9, stream::INIT, 0, theta.len())
        .into_iter()
        .map(f64::from)
        .collect();
    let slope: f64 = gradient.iter().zip(&direction).map(|(g, v)| g * v).sum();
    let at = |shift: f64| {
        let moved: Vec<f64> = theta
            .iter()
            .zip(&direction)
            .map(|(t, v)| t + shift * v)
            .collect();
        get(&first_gradient(&solver, 1, &moved), "loss")[0]
    };
    let difference = (at(1e-3) - at(-1e-3)) / 2e-3;
    // Steps differ between the two ends, which moves the loss by the tolerance.
    assert!(
        (slope - difference).abs() < 1e-2 + 1e-3 * slope.abs(),
        "{slope} {difference}"
    );
}

/// x(1), l and the costs of a linear flow ẋ = x W, from rows of `x`.
fn linear_flow(weights: [f64; 4], trace: Trace, n: usize) -> Vec<f64> {
    let sizes = Velocity {
        d: 2,
        width: 1,
        depth: 0,
    };
    let g = Graph::default();
    let x = g.constant(vec![1.0, 2.0], &[2]).broadcast(&[n, 2]);
    let theta = [&weights[..], &[0.0; 4]].concat();
    assert_eq!(theta.len(), sizes.parameters());
    let theta = g.constant(theta, &[sizes.parameters()]);
    let end = along(sizes, theta, x, trace.probes(&g, n, 2), 16);
    g.assign("end", end.mean(0));
    let mut cpu = Cpu::<f64>::default();
    let program = cpu.load(&g.compile("linear"));
    cpu.run(program);
    cpu.get("end").expect("assigned").to_vec()
}

#[test]
fn linear_flows_are_exponentials_with_their_trace() {
    // x ↦ e^a times a rotation by b; the trace is 2a, ‖W‖² is 2(a² + b²).
    let (a, b) = (0.3, 0.7);
    let w = [a, b, -b, a];
    let (sine, cosine) = crate::expr::sine_cosine(b);
    let stretch = a.exp();
    let x = [
        stretch * (cosine - 2.0 * sine),
        stretch * (sine + 2.0 * cosine),
    ];
    let exact = linear_flow(w, Trace::Exact, 1);
    // |v|² = (a² + b²)|x|² and |x(t)|² = 5 e^{2at}.
    let kinetic = 0.5 * (a * a + b * b) * 5.0 * ((2.0 * a).exp() - 1.0) / (2.0 * a);
    let expected = [x[0], x[1], 2.0 * a, kinetic, 2.0 * (a * a + b * b)];
    assert_eq!(exact.len(), 2 + COLUMNS);
    // Runge–Kutta 4 with 16 steps.
    for (found, expected) in exact.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{exact:?} {expected:?}");
    }
    // Probes ±1 see the diagonal exactly, and here the antisymmetric rest as well; normal ones only on average.
    let signs = linear_flow(w, Trace::Rademacher, 64);
    assert!((signs[2] - 2.0 * a).abs() < 1e-9, "{signs:?}");
    let normals = linear_flow(w, Trace::Gaussian, 20_000);
    // ε·Wε has variance 2 (2a²) here.
    let error = (4.0 * a * a / 20_000.0).sqrt();
    assert!((normals[2] - 2.0 * a).abs() < 5.0 * error, "{normals:?}");
    assert!((normals[2] - 2.0 * a).abs() > 1e-9, "{normals:?}");
    // Off-diagonal entries are noise to probes ±1: ε₁ε₂ (W₁₂ + W₂₁) has variance 1 here.
    let shear = linear_flow([0.0, 1.0, 0.0, 0.0], Trace::Rademacher, 10_000);
    assert!(shear[2].abs() < 0.05 && shear[2] != 0.0, "{shear:?}");
}

#[test]
fn a_smaller_tolerance_takes_more_evaluations_and_less_error() {
    let theta = parameters(solver(&RK4, Trace::Exact, 1.0, 1).velocity);
    let loss = |tableau: &'static Tableau, tolerance: f64, nt: usize| {
        let solver = solver(tableau, Trace::Exact, tolerance, nt.max(MOST_STEPS));
        let run = first_gradient(&solver, nt, &theta);
        let evaluations = get(&run, "evaluations_made")[0];
        (get(&run, "loss")[0], evaluations)
    };
    let (truth, evaluations) = loss(&RK4, 1.0, 64);
    assert_eq!(evaluations, 256.0);
    let (coarse, few) = loss(&DOPRI5, 1e-2, 1);
    let (fine, many) = loss(&DOPRI5, 1e-6, 1);
    assert!(many > 1.5 * few, "{few} {many}");
    assert_eq!((many - 1.0) % 6.0, 0.0, "first slope and six a step");
    let (coarse, fine) = ((coarse - truth).abs(), (fine - truth).abs());
    assert!(fine < 1e-4 && coarse > fine, "{coarse} {fine}");
}

fn session(link: &str) -> Session {
    let mut system = (ENTRY.fresh)();
    for pair in link.split('&') {
        let (key, value) = pair.split_once('=').expect("key=value");
        assert_eq!(system.set(key, value), Some(Ok(())), "{pair}");
    }
    Session::new(&ENTRY, system, Inputs::default()).expect("a run")
}

#[test]
fn training_approaches_the_entropy_from_above() {
    for method in ["dopri5&tolerance=0.001", "rk4&kinetic=0.02&jacobian=0.01"] {
        let mut run = session(&format!(
            "source=moons&width=32&depth=2&batch=256&step=0.01&n=64&method={method}"
        ));
        let before = measured(&mut run, "nll");
        run.advance(u64::MAX, 120);
        assert_eq!(*run.status(), Status::Ready);
        let (after, gap) = (measured(&mut run, "nll"), measured(&mut run, "entropy_gap"));
        // An untrained flow leaves moons at about 3.4; H is 2.394, and a mean over 1024 errs by 0.02.
        assert!(after < before - 0.4, "{method}: {before} {after}");
        assert!(gap > -0.05, "{method}: {gap}");
        assert!(measured(&mut run, "transport_cost") > 0.3, "{method}");
        assert!(measured(&mut run, "evaluations") > 6.0, "{method}");
        assert!(measured(&mut run, "inverse_err") < 0.01, "{method}");
        assert!(run.metrics().contains(&Metric::W2));
    }
}

#[test]
fn points_come_back_from_where_they_were_carried() {
    let sizes = Velocity {
        d: 3,
        width: 16,
        depth: 2,
    };
    let map = map(sizes, 32);
    let mut cpu = Cpu::<f64>::default();
    let [there, back] = [Way::There, Way::Back].map(|way| cpu.load(&(map.program)(50, way)));
    cpu.set(map.parameters[0], &parameters(sizes));
    let start: Vec<f64> = normal_vec(2, stream::INIT, 0, 150)
        .into_iter()
        .map(f64::from)
        .collect();
    let mut carry = |program: usize, points: &[f64]| {
        cpu.set("points", points);
        cpu.run(program);
        cpu.get("mapped").expect("assigned").to_vec()
    };
    let far = |a: &[f64], b: &[f64]| {
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        apart.fold(0.0, f64::max)
    };
    let moved = carry(there, &start);
    let returned = carry(back, &moved);
    assert!(far(&moved, &start) > 0.1);
    assert!(far(&returned, &start) < 1e-5);
}

/// Why a driver stops whose every attempt has this error.
fn reason(mut driver: Integrate, error: f32) -> String {
    let mut reads = Vec::new();
    for _ in 0..1000 {
        match driver.next(0, &reads) {
            Command::Stop(reason) => return reason,
            Command::Read(names) => {
                let value = if names == ["error"] { error } else { 0.1 };
                reads = vec![vec![value]];
            }
            Command::Run { .. } | Command::Write(..) => {}
        }
    }
    panic!("not stopped")
}

#[test]
fn a_flow_that_cannot_be_followed_stops_with_its_reason() {
    for error in [f32::NAN, 1e9] {
        let driver = Integrate::new(&DOPRI5, MOST_STEPS, 1);
        assert!(reason(driver, error).contains("steep"));
    }
    let driver = Integrate::new(&DOPRI5, 3, 1);
    assert!(reason(driver, 0.99).contains("more than 3"));
}

#[test]
fn own_samples_are_learned_from() {
    let mut system = (ENTRY.fresh)();
    for (key, value) in [
        ("source", "file"),
        ("n", "16"),
        ("batch", "32"),
        ("width", "8"),
    ] {
        assert_eq!(system.set(key, value), Some(Ok(())));
    }
    let values = normal_vec(1, stream::INIT, 0, 300);
    let table = crate::data::Table {
        columns: 3,
        values,
        ..Default::default()
    };
    let inputs = Inputs {
        source: Some(table),
        ..Inputs::default()
    };
    let mut run = Session::new(&ENTRY, system, inputs).expect("a run");
    run.advance(u64::MAX, 2);
    assert_eq!((run.step(), run.stage().d), (2, 3));
    assert!(run.metrics().iter().all(|m| m.id() != "entropy_gap"));
}

#[test]
fn a_wrong_gradient_is_seen() {
    let solver = solver(&RK4, Trace::Exact, 1e-4, 3);
    let theta = parameters(solver.velocity);
    let run = first_gradient(&solver, 3, &theta);
    let gradient = get(&run, "gradient");
    let against: f64 = gradient.iter().map(|g| g * g).sum();
    let step = 1e-3 / against.sqrt();
    let moved = |sign: f64| -> Vec<f64> {
        let pairs = theta.iter().zip(gradient);
        pairs.map(|(t, g)| t + sign * step * g).collect()
    };
    let loss = |theta: &[f64]| get(&first_gradient(&solver, 3, theta), "loss")[0];
    let here = get(&run, "loss")[0];
    assert!(loss(&moved(-1.0)) < here && loss(&moved(1.0)) > here);
}
