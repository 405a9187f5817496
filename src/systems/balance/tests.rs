//! The identity step by step, the drift against the step size, what keeps the balance and what breaks it.

use super::*;
use crate::exec::Cpu;
use crate::kernels::Number;
use crate::params::Params;
use crate::session::{Session, Status};

fn system(keys: &[(&str, &str)]) -> Balance {
    let mut system = Balance::default();
    for (key, text) in keys {
        assert!(
            matches!(system.set(key, text), Some(Ok(()))),
            "{key}={text}"
        );
    }
    system
}

/// Runs to time 40 and returns the curves by name, computed in f64.
fn run<R: Number>(keys: &[(&str, &str)]) -> impl Fn(&str) -> f64 + use<R> {
    let system = system(keys);
    let build = system.build(&Inputs::default()).expect("valid");
    let mut cpu = Cpu::<R>::default();
    let program = cpu.load(&build.programs[0]);
    for (name, data) in &build.state {
        let data: Vec<R> = data.iter().map(|&v| R::from_f64(f64::from(v))).collect();
        cpu.set(name, &data);
    }
    for (name, value) in system.uniforms() {
        cpu.uniform(name, R::from_f64(f64::from(value)));
    }
    cpu.seed = system.seed;
    for step in 0..build.default_steps {
        cpu.step = step;
        cpu.run(program);
    }
    let mut curves = Cpu::<f64>::default();
    let measure = curves.load(build.stage.curves.as_ref().expect("curves"));
    for (name, data) in cpu.state() {
        let data: Vec<f64> = data.iter().map(|v| v.to_f64()).collect();
        curves.set(name, &data);
    }
    curves.run(measure);
    move |id| curves.get(id).expect("a curve")[0]
}

#[test]
fn the_identity_holds_exactly() {
    for (layers, activation, batch) in [
        ("dense", "linear", "10000"),
        ("dense", "relu", "10000"),
        ("dense", "leaky", "10000"),
        ("dense", "relu", "16"),
        ("conv", "relu", "10000"),
    ] {
        let width = if layers == "conv" { "6" } else { "20" };
        let keys = [
            ("layers", layers),
            ("activation", activation),
            ("batch", batch),
            ("width", width),
        ];
        let (double, single) = (run::<f64>(&keys), run::<f32>(&keys));
        println!(
            "{layers} {activation} batch {batch}: loss {:.1e}, drift {:.2e}, identity {:.1e} in f64, {:.1e} in f32",
            double("training_loss"),
            double("layer_drift"),
            double("identity_error"),
            single("identity_error")
        );
        // Filters averaged along a ring see only the part of the labels that does not change when the ring turns.
        let learned = if layers == "conv" { 0.5 } else { 0.1 };
        let loss = double("training_loss");
        assert!(loss < learned, "it learns: {loss}");
        assert!(
            double("identity_error") < 1e-11,
            "{}",
            double("identity_error")
        );
        // 800 steps, each rounding squared norms of 40 at 6e-8.
        assert!(
            single("identity_error") < 1e-5,
            "{}",
            single("identity_error")
        );
        assert!(
            double("layer_drift") > 1e-4,
            "there is a drift to explain: {}",
            double("layer_drift")
        );
    }
}

#[test]
fn the_drift_is_proportional_to_the_step() {
    let steps = ["0.1", "0.05", "0.025", "0.0125"];
    for activation in ["linear", "relu"] {
        let drifts = steps.map(|step| {
            let at = run::<f64>(&[("activation", activation), ("step", step)]);
            (at("layer_drift"), at("neuron_drift"), at("matrix_drift"))
        });
        println!("{activation}: layers, neurons, matrix at η = .1, .05, .025, .0125: {drifts:?}");
        let slope =
            |of: fn(&(f64, f64, f64)) -> f64| (of(&drifts[0]) / of(&drifts[3])).log2() / 3.0;
        for (what, slope) in [("layers", slope(|d| d.0)), ("neurons", slope(|d| d.1))] {
            println!("{activation}: slope of {what} {slope:.3}");
            assert!(
                (slope - 1.0).abs() < 0.1,
                "{activation}, {what}: slope {slope}"
            );
        }
        if activation == "linear" {
            assert!(
                (slope(|d| d.2) - 1.0).abs() < 0.1,
                "the matrix law of linear networks: {drifts:?}"
            );
        } else {
            assert!(
                slope(|d| d.2).abs() < 0.1 && drifts[3].2 > 0.01,
                "no matrix law for ReLU: {drifts:?}"
            );
        }
    }
}

#[test]
fn what_is_not_homogeneous_or_not_a_gradient_breaks_it() {
    let good = run::<f64>(&[]);
    for keys in [
        &[("activation", "tanh")][..],
        &[("optimizer", "adam"), ("step", "0.01")],
        &[("decay", "0.02")],
        &[("optimizer", "momentum")],
    ] {
        let broken = run::<f64>(keys);
        let (drift, error) = (broken("neuron_drift"), broken("identity_error"));
        println!("{keys:?}: drift of neurons {drift:.2e}, identity {error:.1e}");
        assert!(error > 1e-3, "{keys:?}: identity {error:e}");
        assert!(
            drift > 1.5 * good("neuron_drift"),
            "{keys:?}: drift {drift:e}"
        );
        assert!(!system(keys).notes().is_empty(), "{keys:?} is named");
    }
    assert!(system(&[]).notes().is_empty());
}

#[test]
fn neurons_of_a_session_move_along_diagonals() {
    let system = system(&[("step", "0.01")]);
    let mut session = Session::new(&ENTRY, Box::new(system), Inputs::default()).expect("valid");
    let before = session.particles().to_vec();
    session.advance(u64::MAX, 1000);
    assert_eq!(*session.status(), Status::Ready);
    let mut moved: f32 = 0.0;
    for (a, b) in before
        .chunks_exact(2)
        .zip(session.particles().chunks_exact(2))
    {
        let (along, across) = ((b[0] - a[0]) + (b[1] - a[1]), (b[0] - a[0]) - (b[1] - a[1]));
        moved = moved.max(along.abs());
        assert!(across.abs() < 0.01, "left its diagonal by {across}");
    }
    assert!(moved > 0.3, "nothing moved: {moved}");
    let row = session.measure_now();
    assert!(row.values.iter().all(Option::is_some), "{row:?}");
}

#[test]
fn one_hidden_layer_and_six() {
    for depth in ["1", "6"] {
        let error = run::<f64>(&[("depth", depth), ("width", "8"), ("activation", "leaky")])(
            "identity_error",
        );
        assert!(error < 1e-10, "depth {depth}: {error:e}");
    }
}
