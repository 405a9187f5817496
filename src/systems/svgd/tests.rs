//! SVGD against published numbers, a double loop in f64, and the closed-form moments of the bilinear kernel.

use super::*;
use crate::data::Table;
use crate::kernels::Number;
use crate::linalg;
use crate::params::{Numbers, Params};
use crate::session::{Run, Session, Turn};
use crate::targets::TargetParams;

/// SVGD on a Gaussian, configured by link keys.
fn svgd(keys: &[(&str, &str)]) -> Svgd {
    let mut svgd = Svgd::default();
    for (key, text) in keys {
        let done = svgd.set(key, text);
        assert!(matches!(done, Some(Ok(()))), "{key}={text}: {done:?}");
    }
    svgd
}

/// Particles after `steps` steps in precision `R`.
fn run<R: Number>(svgd: &Svgd, inputs: &Inputs, steps: u32) -> Vec<f64> {
    let mut run = start::<R>(svgd, inputs);
    for _ in 0..steps {
        assert_eq!(run.complete_step(), Turn::Stepped);
    }
    positions(&run)
}

fn start<R: Number>(svgd: &Svgd, inputs: &Inputs) -> Run<R> {
    let build = svgd.build(inputs).expect("a valid configuration");
    let mut run = Run::<R>::new(
        build.prepare,
        build.programs,
        build.driver,
        build.stage.seed,
    );
    for (name, data) in &build.state {
        let data: Vec<R> = data.iter().map(|&v| R::from_f64(f64::from(v))).collect();
        run.cpu.set(name, &data);
    }
    run.uniforms(&svgd.uniforms());
    run
}

fn positions<R: Number>(run: &Run<R>) -> Vec<f64> {
    run.cpu
        .get("x")
        .expect("particles")
        .iter()
        .map(|v| v.to_f64())
        .collect()
}

fn points(values: &[f32]) -> Inputs {
    Inputs {
        source: None,
        init: Some(Table {
            names: vec![],
            columns: 2,
            values: values.to_vec(),
        }),
    }
}

const FIVE: [f32; 10] = [0.0, 0.0, 1.0, 0.0, 0.0, 2.0, -1.0, 1.0, 0.5, -1.5];

#[test]
fn five_points_move_by_the_published_direction() {
    let keys = [
        ("n", "5"),
        ("init", "file"),
        ("bandwidth", "1"),
        ("step", "0.1"),
    ];
    let svgd = svgd(&keys);
    // First particle from the room's closed forms; the step is an f32 parameter.
    let step = f64::from(0.1f32);
    let published = [-0.152_761_446_8 * step, -0.083_517_124_9 * step];
    let double = run::<f64>(&svgd, &points(&FIVE), 1);
    let single = run::<f32>(&svgd, &points(&FIVE), 1);
    for c in 0..2 {
        assert!((double[c] - published[c]).abs() < 1e-11, "{double:?}");
        // exp2 by polynomial: 2e-7 relative.
        assert!((single[c] - published[c]).abs() < 1e-7, "{single:?}");
    }
}

/// φ by a double loop in f64 with typed scores: nothing shared with the graph.
fn brute_force(
    x: &[f64],
    kernel: impl Fn(f64) -> (f64, f64),
    score: impl Fn(&[f64]) -> [f64; 2],
) -> Vec<f64> {
    let n = x.len() / 2;
    let mut phi = vec![0.0; x.len()];
    for i in 0..n {
        for j in 0..n {
            let difference = [x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]];
            let (k, slope) = kernel(difference[0].powi(2) + difference[1].powi(2));
            let s = score(&x[2 * j..2 * j + 2]);
            for c in 0..2 {
                phi[2 * i + c] += (k * s[c] - 2.0 * slope * difference[c]) / n as f64;
            }
        }
    }
    phi
}

#[test]
fn radial_kernels_equal_a_double_loop() {
    let banana = |p: &[f64]| {
        let u = p[1] - p[0] * p[0] / 4.0 + 1.0;
        [-p[0] / 4.0 + 2.0 * u * p[0], -4.0 * u]
    };
    for (kernel, h2, beta) in [("rbf", 0.7, 0.5), ("imq", 0.7, 0.5), ("imq", 0.3, 1.25)] {
        let (h2_text, beta_text) = (h2.to_string(), beta.to_string());
        let svgd = svgd(&[
            ("target", "banana"),
            ("n", "65"),
            ("kernel", kernel),
            ("bandwidth", &h2_text),
            ("beta", &beta_text),
            ("step", "0.25"),
        ]);
        let h2 = f64::from(h2 as f32);
        let before = positions(&start::<f64>(&svgd, &Inputs::default()));
        let radial = |r2: f64| {
            if kernel == "rbf" {
                let k = (-r2 / (2.0 * h2)).exp();
                (k, -k / (2.0 * h2))
            } else {
                let q = 1.0 + r2 / (2.0 * h2);
                (q.powf(-beta), -beta * q.powf(-beta - 1.0) / (2.0 * h2))
            }
        };
        let phi = brute_force(&before, radial, banana);
        for (precision, after) in [
            (1e-12, run::<f64>(&svgd, &Inputs::default(), 1)),
            (2e-5, run::<f32>(&svgd, &Inputs::default(), 1)),
        ] {
            for i in 0..before.len() {
                let expected = before[i] + 0.25 * phi[i];
                let error = (after[i] - expected).abs();
                assert!(
                    error < precision * (1.0 + expected.abs()),
                    "{kernel} entry {i}: {error}"
                );
            }
        }
    }
}

#[test]
fn median_bandwidth_is_the_rule_over_the_full_matrix() {
    let svgd = svgd(&[("n", "50")]);
    let mut run = start::<f64>(&svgd, &Inputs::default());
    let x = positions(&run);
    let mut squares = Vec::new();
    for a in x.chunks_exact(2) {
        for b in x.chunks_exact(2) {
            squares.push((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
        }
    }
    squares.sort_by(f64::total_cmp);
    let median = 0.5 * (squares[1249] + squares[1250]);
    run.complete_step();
    let h2 = run.cpu.get("bandwidth").expect("bandwidth")[0];
    assert!((h2 - 0.5 * median / 51f64.ln()).abs() < 1e-12);
}

#[test]
fn above_1024_particles_the_median_is_renewed_every_ten_steps() {
    let svgd = svgd(&[("n", "1100"), ("step", "0.5")]);
    let build = svgd.build(&Inputs::default()).expect("valid");
    assert!(build.notes[0].contains("1024 of 1100"), "{:?}", build.notes);
    let mut run = start::<f32>(&svgd, &Inputs::default());
    let mut widths = Vec::new();
    for _ in 0..21 {
        run.complete_step();
        widths.push(run.cpu.get("bandwidth").expect("bandwidth")[0]);
    }
    assert!(widths[..10].iter().all(|w| *w == widths[0]));
    assert!(widths[10..20].iter().all(|w| *w == widths[10]));
    assert!(widths[0] != widths[10] && widths[10] != widths[20]);
}

const MEAN: [f64; 2] = [1.0, -0.5];
const COV: [f64; 4] = [2.0, 0.75, 0.75, 1.0];

fn bilinear(n: &str, step: &str) -> Svgd {
    svgd(&[
        ("target", "gaussian"),
        ("mean", "1,-0.5"),
        ("cov", "2,0.75,0.75,1"),
        ("kernel", "bilinear"),
        ("kernel_matrix", "1,0.25,0.25,0.5"),
        ("n", n),
        ("step", step),
    ])
}

fn moments(x: &[f64]) -> ([f64; 2], [f64; 4]) {
    let n = (x.len() / 2) as f64;
    let mut mean = [0.0; 2];
    for p in x.chunks_exact(2) {
        mean[0] += p[0] / n;
        mean[1] += p[1] / n;
    }
    let mut cov = [0.0; 4];
    for p in x.chunks_exact(2) {
        let e = [p[0] - mean[0], p[1] - mean[1]];
        for i in 0..4 {
            cov[i] += e[i / 2] * e[i % 2] / n;
        }
    }
    (mean, cov)
}

fn product(a: &[f64; 4], b: &[f64; 4]) -> [f64; 4] {
    std::array::from_fn(|i| a[i / 2 * 2] * b[i % 2] + a[i / 2 * 2 + 1] * b[2 + i % 2])
}

/// m′ = Gm − Q⁻¹(m − μ), G = (I − Q⁻¹(Σ + (m − μ)mᵀ))A; φ is affine, so one explicit step maps Σ to (I + γG)Σ(I + γG)ᵀ.
fn slope(mean: [f64; 2], cov: [f64; 4]) -> ([f64; 2], [f64; 4]) {
    let inverse = linalg::inverse(&COV, 2).expect("positive definite");
    let inverse = [inverse[0], inverse[1], inverse[2], inverse[3]];
    let e = [mean[0] - MEAN[0], mean[1] - MEAN[1]];
    let second: [f64; 4] = std::array::from_fn(|i| cov[i] + e[i / 2] * mean[i % 2]);
    let scaled = product(&inverse, &second);
    let left: [f64; 4] = std::array::from_fn(|i| f64::from(u8::from(i % 3 == 0)) - scaled[i]);
    let g = product(&left, &[1.0, 0.25, 0.25, 0.5]);
    let m = std::array::from_fn(|i| {
        g[2 * i] * mean[0] + g[2 * i + 1] * mean[1]
            - inverse[2 * i] * e[0]
            - inverse[2 * i + 1] * e[1]
    });
    (m, g)
}

#[test]
fn bilinear_moments_follow_their_closed_form() {
    for (n, steps) in [("7", 200u32), ("300", 200)] {
        let svgd = bilinear(n, "0.03125");
        let gamma = 0.03125;
        let (mut mean, mut cov) = moments(&positions(&start::<f64>(&svgd, &Inputs::default())));
        for _ in 0..steps {
            let (m, g) = slope(mean, cov);
            let map: [f64; 4] =
                std::array::from_fn(|i| f64::from(u8::from(i % 3 == 0)) + gamma * g[i]);
            let half = product(&map, &cov);
            cov = product(&half, &[map[0], map[2], map[1], map[3]]);
            mean = [mean[0] + gamma * m[0], mean[1] + gamma * m[1]];
        }
        for (precision, x) in [
            (1e-9, run::<f64>(&svgd, &Inputs::default(), steps)),
            (1e-4, run::<f32>(&svgd, &Inputs::default(), steps)),
        ] {
            let (m, c) = moments(&x);
            let error = (0..2)
                .map(|i| (m[i] - mean[i]).abs())
                .chain((0..4).map(|i| (c[i] - cov[i]).abs()));
            let worst = error.fold(0.0, f64::max);
            assert!(worst < precision, "n = {n}: {worst} against {precision}");
        }
    }
}

/// In one dimension with A = 1 the flow has Σ(t) = q/(1 + (q/Σ₀ − 1)e^{−2t}); explicit steps approach it with order one.
#[test]
fn bilinear_variance_in_one_dimension_approaches_the_flow() {
    let error = |step: &str, steps: u32| {
        let mut svgd = svgd(&[
            ("target", "gaussian"),
            ("d", "1"),
            ("cov", "2"),
            ("kernel", "bilinear"),
            ("n", "200"),
            ("step", step),
        ]);
        svgd.sampling.init_scale = 0.4;
        let centred = |svgd: &Svgd, steps| {
            let mut run = start::<f64>(svgd, &Inputs::default());
            let x = positions(&run);
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let x: Vec<f64> = x.iter().map(|v| v - mean).collect();
            run.cpu.set("x", &x);
            for _ in 0..steps {
                run.complete_step();
            }
            positions(&run).iter().map(|v| v * v).sum::<f64>() / x.len() as f64
        };
        let start = centred(&svgd, 0);
        let exact = 2.0 / (1.0 + (2.0 / start - 1.0) * (-2.0f64).exp());
        (centred(&svgd, steps) - exact).abs()
    };
    let (coarse, fine) = (error("0.0078125", 128), error("0.00390625", 256));
    assert!(fine < 2e-3, "error {fine} at γ = 1/256");
    assert!(
        (coarse / fine - 2.0).abs() < 0.1,
        "order one: {coarse} to {fine}"
    );
}

#[test]
fn drift_and_repulsion_add_up_to_the_step() {
    for kernel in ["rbf", "imq", "bilinear"] {
        let svgd = svgd(&[
            ("target", "banana"),
            ("kernel", kernel),
            ("bandwidth", "0.5"),
            ("n", "70"),
            ("step", "0.25"),
        ]);
        let mut session = Session::new(&ENTRY, Box::new(svgd), Inputs::default()).expect("valid");
        let before = session.particles().to_vec();
        let (drift, repulsion) = session.arrows().expect("SVGD has arrows");
        session.advance(u64::MAX, 1);
        for (i, after) in session.particles().iter().enumerate() {
            let expected = before[i] + 0.25 * (drift[i] + repulsion[i]);
            assert!(
                (after - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                "{kernel}: {after} {expected}"
            );
        }
    }
}

#[test]
fn adagrad_divides_by_the_running_root_mean_square() {
    let adagrad = svgd(&[
        ("n", "20"),
        ("bandwidth", "1"),
        ("optimizer", "adagrad"),
        ("step", "0.5"),
    ]);
    let plain = svgd(&[("n", "20"), ("bandwidth", "1"), ("step", "1")]);
    let before = positions(&start::<f64>(&plain, &Inputs::default()));
    let phi: Vec<f64> = run::<f64>(&plain, &Inputs::default(), 1)
        .iter()
        .zip(&before)
        .map(|(a, b)| a - b)
        .collect();
    let after = run::<f64>(&adagrad, &Inputs::default(), 1);
    for i in 0..before.len() {
        // At the first step G = φ², so every coordinate moves by γ φ/(10⁻⁶ + |φ|).
        let expected = before[i] + 0.5 * phi[i] / (1e-6 + phi[i].abs());
        assert!((after[i] - expected).abs() < 1e-10);
    }
}

#[test]
fn an_asymmetric_kernel_matrix_is_refused() {
    let mut svgd = bilinear("5", "0.1");
    svgd.kernel_matrix = Numbers(vec![1.0, 2.0, 3.0, 1.0]);
    let message = svgd
        .build(&Inputs::default())
        .err()
        .expect("refused")
        .to_string();
    assert!(
        message.contains("kernel_matrix") && message.contains("symmetric 2×2"),
        "{message}"
    );
}

#[test]
fn coincident_particles_stay_together_and_finite() {
    let svgd = svgd(&[("init", "point"), ("init_mean", "1,1"), ("n", "10")]);
    let x = run::<f32>(&svgd, &Inputs::default(), 5);
    assert!(x.iter().all(|v| v.is_finite()));
    assert!(x.chunks_exact(2).all(|p| p == &x[..2]));
}

#[test]
fn shared_parameters_come_first() {
    let specs = Svgd::default().specs();
    let shared = TargetParams::default().specs();
    assert_eq!(specs[0].key, shared[0].key);
}
