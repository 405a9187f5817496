//! The f32 executor against the f64 one over awkward shapes, cuts of the work that change nothing, poison values.

use super::{Cpu, Progress};
use crate::expr::Expr;
use crate::graph::{Draw, Graph, PairSum, Program, Transposed, grad};
use crate::kernels::Number;
use crate::rng;
use fearless_simd::Level;

pub(super) const SHAPES: [usize; 5] = [1, 63, 64, 65, 1000];

/// A step that uses every kernel: maps, products, reductions, views, random numbers, both pairwise paths, the median.
pub(super) fn everything(n: usize, d: usize) -> Program {
    let g = Graph::default();
    let x = g.input("x", &[n, d]);
    let weights = rng::normal_vec(3, 0, 0, d * 5)
        .iter()
        .map(|&v| f64::from(v))
        .collect::<Vec<_>>();
    let w = g.constant(weights, &[d, 5]);
    let hidden = x.matmul(w).tanh();
    let logits = hidden.logsumexp(1);
    let potential = logits - 0.5 * x.square().sum(1);
    let score = grad(potential, &[x])[0];
    let median = x.median_squared_distance();
    let rate = -1.0 / (median + 0.5);
    let ones = g.scalar(1.0).broadcast(&[n, 1]);
    let v = g.concat(&[score, ones], 1);
    let rbf = PairSum {
        kernels: vec![(Expr::arg(0) * Expr::arg(2)).exp()],
        channels: vec![d + 1],
    };
    let imq = PairSum {
        kernels: vec![
            (Expr::from(1.0) - Expr::arg(0) * Expr::arg(2)).pow(-0.5) + Expr::arg(1) * 0.01,
        ],
        channels: vec![d + 1],
    };
    let sums = g.pair_sum(rbf, x, x, v, &[rate]) + g.pair_sum(imq, x, x, v, &[rate]);
    let phi = sums.slice(1, 0, d) * (1.0 / n as f64) - x / (1.0 + sums.slice(1, d, 1).square());
    let moment = x.matmul_with(phi, Transposed::Yes, Transposed::No) * (1.0 / n as f64);
    let noise = g.random(Draw::Normal, rng::stream::NOISE, &[n, d]);
    let rows = g.iota(n);
    let shuffled = phi.gather(rows);
    let back = shuffled.scatter_add(rows, n);
    let moved = x + g.uniform("step") * (back + x.matmul(moment) * 0.01) + 0.1 * noise;
    g.assign("x", moved - moved.mean(0) * 0.1 + moved.max(0) * 0.01);
    g.compile("everything")
}

fn start<R: Number>(cpu: &mut Cpu<R>, n: usize, d: usize) {
    let x: Vec<R> = rng::normal_vec(11, 0, 0, n * d)
        .iter()
        .map(|&v| R::from_f64(f64::from(v)))
        .collect();
    cpu.set("x", &x);
    cpu.uniform("step", R::from_f64(0.1));
    cpu.seed = 5;
}

fn run<R: Number>(mut cpu: Cpu<R>, program: &Program, n: usize, d: usize) -> Vec<f64> {
    let id = cpu.load(program);
    start(&mut cpu, n, d);
    for step in 0..3 {
        cpu.step = step;
        cpu.run(id);
    }
    cpu.get("x")
        .expect("x")
        .iter()
        .map(|v| v.to_f64())
        .collect()
}

/// The worst entry of |a − b| ≤ atol + rtol |b|, if one fails.
fn disagreement(a: &[f64], b: &[f64], atol: f64, rtol: f64) -> Option<String> {
    let failures = a.iter().zip(b).enumerate().filter(|(_, (x, y))| {
        let close = (**x - **y).abs() <= atol + rtol * y.abs();
        !close
    });
    let worst = failures.max_by(|p, q| (p.1.0 - p.1.1).abs().total_cmp(&(q.1.0 - q.1.1).abs()));
    worst.map(|(i, (x, y))| format!("entry {i}: {x} against {y}"))
}

#[test]
fn single_precision_agrees_with_double() {
    for n in SHAPES {
        for d in [1, 2, 3, 7] {
            let program = everything(n, d);
            let single = run(Cpu::<f32>::default(), &program, n, d);
            let double = run(Cpu::<f64>::default(), &program, n, d);
            // Three steps of sums over up to 1000 pairs in f32: a few hundred roundings of 6e-8.
            let bad = disagreement(&single, &double, 3e-5, 3e-5);
            assert_eq!(bad, None, "n = {n}, d = {d}");
        }
    }
}

#[test]
fn the_comparison_can_fail() {
    let program = everything(64, 2);
    let mut other = run(Cpu::<f64>::default(), &program, 64, 2);
    let reference = other.clone();
    other[17] += 1e-3;
    let message = disagreement(&other, &reference, 3e-5, 3e-5).expect("a difference of 1e-3");
    assert!(message.starts_with("entry 17:"), "{message}");
    other[17] = f64::NAN;
    assert!(
        disagreement(&other, &reference, 3e-5, 3e-5).is_some(),
        "NaN is a difference"
    );
}

#[test]
fn simd_levels_agree() {
    let program = everything(65, 3);
    let best = run(Cpu::<f32>::default(), &program, 65, 3);
    let base = run(Cpu::<f32>::with_level(Level::baseline()), &program, 65, 3);
    // Levels without fused multiply–add round twice.
    assert_eq!(disagreement(&best, &base, 3e-5, 3e-5), None);
}

#[test]
fn cutting_the_work_changes_nothing() {
    let (n, d) = (1000, 2);
    let program = everything(n, d);
    let whole = run(Cpu::<f32>::default(), &program, n, d);
    let mut cpu = Cpu::<f32>::default();
    let id = cpu.load(&program);
    start(&mut cpu, n, d);
    let mut cuts = 0;
    for step in 0..3 {
        cpu.step = step;
        while cpu.advance(id, &mut 50_000) == Progress::Working {
            cuts += 1;
        }
    }
    let cut: Vec<f64> = cpu
        .get("x")
        .expect("x")
        .iter()
        .map(|v| f64::from(*v))
        .collect();
    assert!(cuts > 100, "the budget cut only {cuts} times");
    assert_eq!(cut, whole);
}

#[test]
fn poison_spreads_to_where_it_belongs_and_never_panics() {
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-42, f32::MAX] {
        let program = everything(65, 2);
        let mut cpu = Cpu::<f32>::default();
        let id = cpu.load(&program);
        start(&mut cpu, 65, 2);
        let mut x = cpu.get("x").expect("x").to_vec();
        x[30] = poison;
        cpu.set("x", &x);
        cpu.run(id);
        let after = cpu.get("x").expect("x");
        if poison.is_nan() {
            assert!(
                after.iter().all(|v| v.is_nan()),
                "means and the median carry a NaN everywhere"
            );
        }
        if poison == 1e-42 {
            assert!(after.iter().all(|v| v.is_finite()));
        }
    }
}

#[test]
fn random_numbers_are_those_of_the_generator() {
    let g = Graph::default();
    g.assign("normal", g.random(Draw::Normal, 7, &[333, 3]));
    g.assign("uniform", g.random(Draw::Uniform, 8, &[1000]));
    let program = g.compile("draws");
    let mut cpu = Cpu::<f32>::default();
    let id = cpu.load(&program);
    (cpu.seed, cpu.step) = (42, 9);
    cpu.run(id);
    assert_eq!(
        cpu.get("uniform"),
        Some(&rng::uniform_vec(42, 8, 9, 1000)[..])
    );
    let expected = rng::normal_vec(42, 7, 9, 999);
    assert_eq!(cpu.get("normal"), Some(&expected[..]));
}
