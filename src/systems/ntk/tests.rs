//! The limit's kernels against closed forms, networks against the limit, residuals against their predicted decay.

use super::*;
use crate::params::Params;
use crate::session::{Session, Status};

fn system(keys: &[(&str, &str)]) -> Ntk {
    let mut system = Ntk::default();
    for (key, text) in keys {
        assert!(
            matches!(system.set(key, text), Some(Ok(()))),
            "{key}={text}"
        );
    }
    system
}

/// A run in f64.
struct Run {
    cpu: Cpu<f64>,
    step: usize,
    curves: Cpu<f64>,
    measure: usize,
}

impl Run {
    fn new(system: &Ntk) -> Self {
        let build = system.build(&Inputs::default()).expect("valid");
        let (mut cpu, mut curves) = (Cpu::<f64>::default(), Cpu::<f64>::default());
        let prepare = cpu.load(&system.prepare(&system.spectrum()));
        let step = cpu.load(&build.programs[0]);
        let measure = curves.load(build.stage.curves.as_ref().expect("curves"));
        for (name, data) in &build.state {
            let data: Vec<f64> = data.iter().map(|&v| f64::from(v)).collect();
            cpu.set(name, &data);
        }
        for (name, value) in system.uniforms() {
            cpu.uniform(name, f64::from(value));
        }
        cpu.run(prepare);
        Self {
            cpu,
            step,
            curves,
            measure,
        }
    }

    fn advance(&mut self, steps: u32) {
        (0..steps).for_each(|_| self.cpu.run(self.step));
    }

    fn curve(&mut self, id: &str) -> f64 {
        let state: Vec<(String, Vec<f64>)> = self
            .cpu
            .state()
            .map(|(name, data)| (name.to_owned(), data.to_vec()))
            .collect();
        for (name, data) in &state {
            self.curves.set(name, data);
        }
        self.curves.run(self.measure);
        self.curves.get(id).expect("a curve")[0]
    }
}

/// (1, 0), (cos ½, sin ½), (cos 2, sin 2), (.3, −1.2).
fn four() -> Vec<f64> {
    let on = |a: f64| [a.cos(), a.sin()];
    [on(0.0), on(0.5), on(2.0), [0.3, -1.2]].concat()
}

#[test]
fn the_limit_has_its_published_values() {
    let one = kernels(&four(), 2, 1, 0.0).tangent;
    let three = kernels(&four(), 2, 3, 0.0).tangent;
    for (value, exact) in [
        (one[1], 1.628_427_807),
        (one[15], 3.06),
        (three[0], 4.0),
        (three[1], 2.870_204_018_1),
    ] {
        assert!((value - exact).abs() < 1e-8, "{value} against {exact}");
    }
}

/// The kernel of a network is the inner product of the gradients of its values, whatever the formula: here by differences.
#[test]
fn a_network_s_kernel_is_that_of_its_gradients() {
    let network = Network {
        inputs: 2,
        width: 5,
        depth: 2,
        sigma_b2: 0.3,
    };
    let g = Graph::default();
    let x = g.constant(four(), &[4, 2]);
    let pass = network.pass(&network.buffers(&g), x);
    g.assign("f", pass.value());
    g.assign("kernel", network.kernel(&pass, [0, 4]));
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&g.compile("network"));
    let mut parameters: Vec<(String, Vec<f64>)> = Vec::new();
    for (i, (name, shape)) in (0..).zip(network.parameters()) {
        let drawn = normal_vec(3, 0, i, shape[0] * shape[1]);
        let drawn: Vec<f64> = drawn.iter().map(|&v| f64::from(v)).collect();
        cpu.set(&name, &drawn);
        parameters.push((name, drawn));
    }
    cpu.run(id);
    let kernel = cpu.get("kernel").expect("a kernel").to_vec();
    let mut expected = vec![0.0; 16];
    for (name, data) in &parameters {
        for k in 0..data.len() {
            let mut at = |h: f64| {
                let mut moved = data.clone();
                moved[k] += h;
                cpu.set(name, &moved);
                cpu.run(id);
                cpu.get("f").expect("values").to_vec()
            };
            let (up, down) = (at(1e-6), at(-1e-6));
            at(0.0);
            let slope: Vec<f64> = up.iter().zip(&down).map(|(u, d)| (u - d) / 2e-6).collect();
            for (e, value) in expected.iter_mut().enumerate() {
                *value += slope[e / 4] * slope[e % 4];
            }
        }
    }
    for (a, b) in kernel.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-7 * (1.0 + b.abs()), "{a} against {b}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Errors of the kernel at the start, and its movement in training, fall like 1/√m.
#[test]
fn wide_networks_have_the_limit_s_kernel_and_keep_it() {
    let at = |width: &str| {
        let runs = (1..=7).map(|seed| {
            let seed = seed.to_string();
            let keys = [
                ("width", width),
                ("bias", "0"),
                ("points", "4"),
                ("seed", &seed),
            ];
            let mut run = Run::new(&system(&keys));
            let error = run.curve("kernel_error");
            run.advance(200);
            (error, run.curve("kernel_drift"))
        });
        let (errors, drifts): (Vec<f64>, Vec<f64>) = runs.unzip();
        (median(errors), median(drifts))
    };
    let [narrow, wide] = ["64", "1024"].map(at);
    println!("error and movement of the kernel at m = 64 and 1024: {narrow:?} {wide:?}");
    for ratio in [narrow.0 / wide.0, narrow.1 / wide.1] {
        // Four, for sixteen times the width; medians of seven scatter.
        assert!((2.0..10.0).contains(&ratio), "{ratio}: {narrow:?} {wide:?}");
    }
    assert!(wide.0 < 0.1 && wide.1 < 0.1, "{wide:?}");
}

/// f_t = y + (I − ηΘ/N)^t (f₀ − y), part by part in the eigenvectors.
#[test]
fn residuals_decay_as_predicted() {
    let keys = [("net", "limit"), ("depth", "2"), ("points", "9")];
    let mut run = Run::new(&system(&keys));
    run.advance(500);
    let error = run.curve("prediction_error");
    assert!(error < 1e-10, "the limit itself: {error:e}");
    let at = |width: &str| {
        let runs = (1..=3).map(|seed| {
            let seed = seed.to_string();
            let keys = [("width", width), ("seed", seed.as_str())];
            let mut run = Run::new(&system(&keys));
            run.advance(300);
            run.curve("prediction_error")
        });
        median(runs.collect())
    };
    let (narrow, wide) = (at("16"), at("4096"));
    println!("error of the prediction after 300 steps: m = 16 {narrow:.3}, m = 4096 {wide:.3}");
    assert!(wide < 0.03 && wide < 0.5 * narrow, "{narrow} {wide}");
}

/// Without biases one hidden layer has no odd frequency from 3 on; a bias or a second layer mends it.
#[test]
fn one_layer_without_biases_is_blind() {
    let loss = |keys: &[(&str, &str)]| {
        let keys = [&[("net", "limit"), ("labels", "third")][..], keys].concat();
        let system = system(&keys);
        let smallest = system.spectrum().values[system.points - 1];
        let mut run = Run::new(&system);
        run.advance(20_000);
        (smallest, run.curve("training_loss"))
    };
    let (blind, bias, deep) = (
        loss(&[("bias", "0")]),
        loss(&[("bias", "0.1")]),
        loss(&[("bias", "0"), ("depth", "2")]),
    );
    println!("λ_min and loss: no bias {blind:?}, bias {bias:?}, two layers {deep:?}");
    // ½ mean sin²(3θ) = ¼.
    assert!(blind.0.abs() < 1e-9 && blind.1 > 0.2, "{blind:?}");
    assert!(bias.0 > 1e-4 && bias.1 < 0.01, "{bias:?}");
    assert!(deep.1 < blind.1, "{deep:?}");
    let notes = system(&[("bias", "0"), ("net", "limit")]).build(&Inputs::default());
    let notes = notes.expect("valid").notes.join(" ");
    assert!(notes.contains("not positive definite"), "{notes}");
}

/// Values at the start: variance of the Gaussian process, over seeds.
#[test]
fn networks_start_as_draws_of_the_gaussian_process() {
    let variance = |net: &str, width: &str| {
        let squares = (1..=400).map(|seed| {
            let seed = seed.to_string();
            let system = system(&[
                ("net", net),
                ("width", width),
                ("seed", &seed),
                ("points", "2"),
            ]);
            let build = system.build(&Inputs::default()).expect("valid");
            let mut cpu = Cpu::<f64>::default();
            let prepare = cpu.load(&system.prepare(&system.spectrum()));
            for (name, data) in &build.state {
                let data: Vec<f64> = data.iter().map(|&v| f64::from(v)).collect();
                cpu.set(name, &data);
            }
            cpu.run(prepare);
            let picture = build.stage.depiction.expect("a picture").program;
            let picture = cpu.load(&picture);
            cpu.run(picture);
            let dots = cpu.get("particles").expect("dots");
            dots[2 * (GRID / 2) + 1].powi(2)
        });
        squares.sum::<f64>() / 400.0
    };
    let exact = system(&[]).kernels_on_grid().covariance[0];
    for (net, width) in [("limit", "1"), ("finite", "256")] {
        let found = variance(net, width);
        // The relative standard error of a variance from 400 draws is √(2/400) = .07; 5σ allowed.
        assert!(
            (found / exact - 1.0).abs() < 0.36,
            "{net}: {found} against {exact}"
        );
    }
}

#[test]
fn the_start_is_measured_and_drawn() {
    for net in ["finite", "limit"] {
        let system = Box::new(system(&[("net", net)]));
        let mut session = Session::new(&ENTRY, system, Inputs::default()).expect("valid");
        let row = session.measure_now();
        let ids: Vec<&str> = session.metrics().iter().map(|m| m.id()).collect();
        let value = |id| row.values[ids.iter().position(|i| *i == id).expect("measured")];
        let [top, rest] = ["residual_top", "residual_rest"].map(|id| value(id).expect("a value"));
        assert!((top.hypot(rest) - 1.0).abs() < 1e-3, "{net}: {top} {rest}");
        assert!(value("prediction_error").expect("a value") < 1e-5, "{net}");
        session.settle();
        let angles = session.particles().chunks_exact(2).map(|p| p[0]);
        assert!(angles.clone().is_sorted() && angles.max_by(f32::total_cmp) > Some(3.0));
    }
}

/// Dots lie on the lines where the limit trains, and near them where a wide network does.
#[test]
fn spectrum_and_residual_are_drawn_beside_the_limit_s() {
    for (net, tolerance) in [("limit", 1e-4), ("finite", 0.1)] {
        let keys = [("net", net), ("width", "4096"), ("step", "0.3")];
        let shown = |shown| {
            let keys = [&keys[..], &[("shown", shown)]].concat();
            let mut session =
                Session::new(&ENTRY, Box::new(system(&keys)), Inputs::default()).expect("valid");
            session.advance(u64::MAX, 5);
            session.settle();
            session
        };
        let near = |dot: &[f32], line: &[f32]| {
            assert!(dot[0] == line[0], "{net}: {dot:?} {line:?}");
            assert!(
                (dot[1] - line[1]).abs() < tolerance,
                "{net}: {dot:?} {line:?}"
            );
        };
        let session = shown("spectrum");
        let guides = &session.stage().guides;
        let line = guides
            .iter()
            .map(|g| g[0])
            .chain(guides.last().map(|g| g[1]));
        let dots = session.particles().chunks_exact(2);
        assert_eq!(dots.len(), 12);
        dots.zip(line).for_each(|(dot, line)| near(dot, &line));
        let session = shown("residual");
        let way = session
            .get("paths")
            .expect("a line")
            .chunks_exact(2)
            .step_by(12);
        let dots = session.particles().chunks_exact(2);
        assert_eq!(dots.len(), 12);
        // Directions of small eigenvalues take what the error of the kernel leaks from the others.
        let kept = if net == "limit" { 12 } else { 5 };
        for (dot, line) in dots.zip(way).take(kept) {
            let apart = (10f32.powf(dot[1]) - 10f32.powf(line[1])).abs();
            assert!(
                dot[0] == line[0] && apart < tolerance,
                "{net}: {dot:?} {line:?}"
            );
        }
    }
}

/// Parameters may be finite while the kernel of a network no longer is.
#[test]
fn a_picture_that_is_not_finite_is_left_out() {
    let keys = [
        ("width", "5"),
        ("depth", "2"),
        ("points", "4"),
        ("step", "55"),
        ("shown", "spectrum"),
    ];
    let mut session =
        Session::new(&ENTRY, Box::new(system(&keys)), Inputs::default()).expect("valid");
    for _ in 0..20 {
        session.advance(u64::MAX, 1);
        session.settle();
        assert!(session.particles().iter().all(|x| x.is_finite()));
    }
    assert!(matches!(session.status(), Status::Diverged(_)));
}

#[test]
fn a_step_too_large_stops_with_its_cause() {
    let system = system(&[("step", "100"), ("net", "limit")]);
    let mut session = Session::new(&ENTRY, Box::new(system), Inputs::default()).expect("valid");
    session.advance(u64::MAX, 5000);
    let Status::Diverged(divergence) = session.status() else {
        panic!("{:?}", session.status())
    };
    assert!(
        divergence.cause.contains("2N/λ_max"),
        "{}",
        divergence.cause
    );
}
