//! Every derivative on every executor, first and second order, and poison values. `cargo xtask derivatives` prints the table.
//!
//! In f64 a directional derivative is compared with an extrapolated central difference; in single precision, on the CPU and
//! on the device, every entry with its f64 value. Errors are relative to the largest entry.

use super::cases::{Build, Case, SHAPE, cases, numbers};
use super::weighed;
use crate::exec::Cpu;
use crate::exec::gpu::{Device, Gpu, Part, Report};
use crate::graph::{Graph, Program, Var, count, grad};
use crate::kernels::Number;

/// A case as one program: buffers `<k>.x` to `<k>.f`, `<k>.first`, `<k>.slope` (first derivatives along a fixed direction)
/// and `<k>.second`.
fn program(k: usize, build: &Build) -> Program {
    let g = Graph::default();
    let x = g.input(&format!("{k}.x"), &SHAPE);
    let f = build(&g, x);
    let value = weighed(&g, f);
    let first = grad(value, &[x])[0];
    let slope = (first * direction(&g)).total();
    let second = grad(slope, &[x])[0];
    let named = [
        ("values", f),
        ("f", value),
        ("first", first),
        ("slope", slope),
        ("second", second),
    ];
    for (name, value) in named {
        g.assign(&format!("{k}.{name}"), value);
    }
    g.compile("derivatives")
}

fn direction(g: &Graph) -> Var<'_> {
    g.constant(numbers(2, count(&SHAPE), -1.0, 1.0), &SHAPE)
}

/// The directional derivative of buffer `name` in f64, by central differences extrapolated twice.
fn difference(program: &Program, k: usize, case: &Case, at: &[f64], name: &str) -> f64 {
    let along = numbers(2, count(&SHAPE), -1.0, 1.0);
    let f = |h: f64| {
        let moved: Vec<f64> = at.iter().zip(&along).map(|(x, v)| x + h * v).collect();
        run::<f64>(program, k, &moved, name)[0]
    };
    let h = 2e-3 * (case.high - case.low);
    let central = |h: f64| (f(h) - f(-h)) / (2.0 * h);
    let once = |h: f64| (4.0 * central(h / 2.0) - central(h)) / 3.0;
    (16.0 * once(h / 2.0) - once(h)) / 15.0
}

fn run<R: Number>(program: &Program, k: usize, x: &[f64], name: &str) -> Vec<f64> {
    let mut cpu = Cpu::<R>::default();
    let id = cpu.load(program);
    let x: Vec<R> = x.iter().map(|&v| R::from_f64(v)).collect();
    cpu.set(&format!("{k}.x"), &x);
    cpu.run(id);
    let values = cpu.get(&format!("{k}.{name}")).expect("assigned");
    values.iter().map(|v| v.to_f64()).collect()
}

/// Every program on one device.
fn device(programs: &[Program]) -> Gpu {
    let device = pollster::block_on(Device::open()).expect("an adapter; software ones count");
    let programs: Vec<(&Program, Part)> = programs.iter().map(|p| (p, Part::Aside)).collect();
    Gpu::new(&device, &programs, 0).expect("fits, and shaders compile")
}

/// Runs program `k` from `x` and returns its buffers called `names`.
fn on_device<const N: usize>(gpu: &Gpu, k: usize, x: &[f64], names: [&str; N]) -> [Vec<f64>; N] {
    let x: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    gpu.set(&format!("{k}.x"), &x);
    let mut slot = gpu.slot();
    let mut batch = gpu.batch();
    batch.run(k);
    batch.submit_with(&mut slot, Report::State);
    gpu.device().wait();
    let state = slot
        .take()
        .expect("waited for")
        .expect("a live device")
        .state;
    names.map(|name| {
        let name = format!("{k}.{name}");
        let (_, start) = gpu.place_of(&name).expect("a known buffer");
        let (_, entries) = gpu.buffers().find(|(own, _)| *own == name).expect("known");
        let values = &state[start..start + entries];
        values.iter().map(|&v| f64::from(v)).collect()
    })
}

/// Largest difference over the largest entry; 0 where both vanish.
fn relative(values: &[f64], exact: &[f64]) -> f64 {
    let size = exact.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let worst = values.iter().zip(exact).fold(0.0, |m: f64, (a, b)| {
        let d = (a - b).abs();
        if d <= m { m } else { d }
    });
    if worst == 0.0 { 0.0 } else { worst / size }
}

#[test]
fn every_derivative_on_every_executor() {
    let cases = cases();
    let programs: Vec<Program> = cases
        .iter()
        .enumerate()
        .map(|(k, c)| program(k, &*c.build))
        .collect();
    let gpu = device(&programs);
    println!(
        "{:<24} {:>9} {:>9} {:>9}   {:>9} {:>9} {:>9}",
        "worst relative error of", "∂ f64", "∂ f32", "∂ gpu", "∂² f64", "∂² f32", "∂² gpu"
    );
    let mut failures = Vec::new();
    let mut worst = [0.0f64; 6];
    for (k, case) in cases.iter().enumerate() {
        // Single precision at exactly the points that the oracle sees.
        let at = numbers(1, count(&SHAPE), case.low, case.high);
        let at: Vec<f64> = at.iter().map(|&v| f64::from(v as f32)).collect();
        let program = &programs[k];
        let along = numbers(2, count(&SHAPE), -1.0, 1.0);
        let mut errors = [0.0; 6];
        let device = on_device(&gpu, k, &at, ["first", "second"]);
        for (order, (name, of)) in [("first", "f"), ("second", "slope")]
            .into_iter()
            .enumerate()
        {
            let exact = run::<f64>(program, k, &at, name);
            let slope: f64 = exact.iter().zip(&along).map(|(a, b)| a * b).sum();
            let numeric = difference(program, k, case, &at, of);
            let scale = exact.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            errors[3 * order] = (slope - numeric).abs() / scale.max(1e-3);
            errors[3 * order + 1] = relative(&run::<f32>(program, k, &at, name), &exact);
            errors[3 * order + 2] = relative(&device[order], &exact);
        }
        let [a, b, c, d, e, f] = errors;
        println!(
            "{:<24} {a:>9.1e} {b:>9.1e} {c:>9.1e}   {d:>9.1e} {e:>9.1e} {f:>9.1e}",
            case.name
        );
        // Differences: sixth order in a step of 2e-3, and cancellation of 1e-16/1e-3. Single precision: a few hundred
        // roundings of 6e-8 in second derivatives of sums over pairs.
        let allowed = [1e-9, 2e-6, 5e-6, 1e-9, 2e-5, 2e-5];
        for i in 0..6 {
            worst[i] = worst[i].max(errors[i]);
            if errors[i].is_nan() || errors[i] > allowed[i] {
                failures.push(format!("{}: column {i}, {:e}", case.name, errors[i]));
            }
        }
    }
    let [a, b, c, d, e, f] = worst;
    println!(
        "{:<24} {a:>9.1e} {b:>9.1e} {c:>9.1e}   {d:>9.1e} {e:>9.1e} {f:>9.1e}",
        "worst"
    );
    assert!(failures.is_empty(), "{failures:#?}");
}

/// A third derivative of a pairwise sum has dozens of channels, more than the threads of a device sum in registers. One case
/// alone: that of "pair sum", with kernels of the distance and 687 nodes, takes software drivers twenty minutes, and Mesa's
/// llvmpipe 22.3 computes it wrong (by a quarter), while SwiftShader has it to 3e-7 from the same shaders.
#[test]
fn third_derivatives_agree_between_executors() {
    let cases = cases();
    let case = cases.iter().find(|c| c.name == "two-layer, sigmoid");
    let case = case.expect("a case of that name");
    let g = Graph::default();
    let x = g.input("0.x", &SHAPE);
    let value = weighed(&g, (case.build)(&g, x));
    let slope = (grad(value, &[x])[0] * direction(&g)).total();
    let bend = (grad(slope, &[x])[0] * direction(&g)).total();
    g.assign("0.third", grad(bend, &[x])[0]);
    let programs = [g.compile("third")];
    let at = numbers(1, count(&SHAPE), case.low, case.high);
    let at: Vec<f64> = at.iter().map(|&v| f64::from(v as f32)).collect();
    let exact = run::<f64>(&programs[0], 0, &at, "third");
    let single = relative(&run::<f32>(&programs[0], 0, &at, "third"), &exact);
    let [third] = on_device(&device(&programs), 0, &at, ["third"]);
    let device = relative(&third, &exact);
    println!("third derivatives: f32 {single:.1e}, device {device:.1e}");
    // A few hundred roundings of 6e-8 relative to the largest entry.
    assert!(
        single < 5e-5 && device < 5e-5,
        "f32 {single:e}, device {device:e}"
    );
}

#[test]
fn the_table_can_fail() {
    let wrong: Box<Build> = Box::new(|_, x| x.square() + x.stop_gradient() * x);
    let case = Case {
        name: String::new(),
        build: wrong,
        low: 0.5,
        high: 1.5,
    };
    let program = program(0, &*case.build);
    let at = numbers(1, count(&SHAPE), 0.5, 1.5);
    let along = numbers(2, count(&SHAPE), -1.0, 1.0);
    let exact = run::<f64>(&program, 0, &at, "first");
    let slope: f64 = exact.iter().zip(&along).map(|(a, b)| a * b).sum();
    assert!((slope - difference(&program, 0, &case, &at, "f")).abs() > 1e-2);
    assert!(relative(&[1.0, f64::NAN], &[1.0, 2.0]).is_nan());
    assert_eq!(relative(&[1.0, 2.5], &[1.0, 2.0]), 0.25);
}

/// What kind of number a value is.
fn kind(v: f64) -> &'static str {
    match v {
        v if v.is_nan() => "NaN",
        v if v == f64::INFINITY => "+inf",
        v if v == f64::NEG_INFINITY => "-inf",
        _ => "finite",
    }
}

#[test]
fn poison_values_agree_between_executors() {
    let cases = cases();
    let programs: Vec<Program> = cases
        .iter()
        .enumerate()
        .map(|(k, c)| program(k, &*c.build))
        .collect();
    let gpu = device(&programs);
    let mut failures = Vec::new();
    for (k, case) in cases.iter().enumerate() {
        for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-42] {
            let mut x = numbers(1, count(&SHAPE), case.low, case.high);
            x[7] = poison;
            let device = on_device(&gpu, k, &x, ["values", "first"]);
            for (name, device) in ["values", "first"].into_iter().zip(device) {
                let exact = run::<f64>(&programs[k], k, &x, name);
                let single = run::<f32>(&programs[k], k, &x, name);
                for (who, values) in [("f32", single), ("gpu", device)] {
                    for (i, (v, e)) in values.iter().zip(&exact).enumerate() {
                        // A device may flush denormals to zero, and 1/1e-42 is beyond single precision: no NaN is all
                        // that is promised there.
                        let same = if poison == 1e-42 {
                            !v.is_nan() || e.is_nan()
                        } else {
                            kind(*v) == kind(*e)
                        };
                        if !same {
                            failures.push(format!(
                                "{} of {poison}, {name} {i}: {who} {v}, f64 {e}",
                                case.name
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
