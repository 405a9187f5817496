//! Values against plain loops, gradients against Taylor remainders in f64, second derivatives included.

use super::*;
use crate::exec::Cpu;
use crate::expr::{Binary, Unary};
use crate::rng;

type Build = dyn for<'g> Fn(&'g Graph, Var<'g>) -> Var<'g>;

/// Deterministic numbers in (low, high).
fn numbers(seed: u32, count: usize, low: f64, high: f64) -> Vec<f64> {
    let draws = rng::uniform_vec(seed, 9, 0, count);
    draws
        .iter()
        .map(|&u| low + (high - low) * f64::from(u))
        .collect()
}

/// Runs a program of the input `x` and returns buffer `name`.
fn evaluate(program: &Program, x: &[f64], name: &str) -> Vec<f64> {
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(program);
    cpu.set("x", x);
    cpu.run(id);
    cpu.get(name).expect("assigned").to_vec()
}

/// The scalar that Taylor tests differentiate: a fixed random combination of the entries, so that none can hide.
fn weighed<'g>(g: &'g Graph, y: Var<'g>) -> Var<'g> {
    let shape = y.shape();
    let w = g.constant(numbers(77, count(&shape), 0.5, 1.5), &shape);
    (y * w).total()
}

/// |f(x + hv) − f(x) − h ∇f·v| must fall like h²: by 4 a halving, over three halvings. Linear functions have no remainder.
fn taylor(what: &str, build: &Build, shape: &[usize], low: f64, high: f64) {
    let g = Graph::default();
    let x = g.input("x", shape);
    let f = weighed(&g, build(&g, x));
    g.assign("f", f);
    g.assign("gradient", grad(f, &[x])[0]);
    let program = g.compile("taylor");
    let at = numbers(1, count(shape), low, high);
    let direction = numbers(2, count(shape), -1.0, 1.0);
    let f0 = evaluate(&program, &at, "f")[0];
    let gradient = evaluate(&program, &at, "gradient");
    let slope: f64 = gradient.iter().zip(&direction).map(|(a, b)| a * b).sum();
    let remainder = |h: f64| {
        let moved: Vec<f64> = at.iter().zip(&direction).map(|(x, v)| x + h * v).collect();
        (evaluate(&program, &moved, "f")[0] - f0 - h * slope).abs()
    };
    let h = 1e-3 * (high - low);
    let scale = f0.abs().max(slope.abs()).max(1e-3);
    if remainder(h) < 1e-12 * scale {
        return;
    }
    let order = (remainder(h) / remainder(h / 8.0)).log2() / 3.0;
    assert!(
        (order - 2.0).abs() < 0.1,
        "{what}: Taylor remainder of order {order}, slope {slope}"
    );
}

fn map1(expr: Expr) -> Box<Build> {
    Box::new(move |_, x| x.map(expr.clone()))
}

#[test]
fn taylor_of_every_unary() {
    for op in Unary::ALL {
        let (low, high) = (0.3, 1.7);
        taylor(
            &format!("{op:?}"),
            &*map1(Expr::arg(0).apply1(op)),
            &[5, 3],
            low,
            high,
        );
    }
}

#[test]
fn taylor_of_every_binary_on_both_sides() {
    for op in Binary::ALL {
        taylor(
            &format!("{op:?}"),
            &move |g, x| {
                let c = g.constant(numbers(3, 15, 0.4, 1.6), &[5, 3]);
                let f = Expr::arg(0).apply2(op, Expr::arg(1));
                g.map(f.clone(), &[x, c]) + g.map(f, &[c, x])
            },
            &[5, 3],
            0.3,
            1.7,
        );
    }
}

#[test]
fn taylor_of_every_op() {
    let c = |g: &Graph, n: usize, m: usize| g.constant(numbers(4, n * m, -1.0, 1.0), &[n, m]).id;
    let cases: Vec<(&str, Box<Build>)> = vec![
        (
            "choose",
            Box::new(|_, x| (x - 0.5).choose(x.square(), x.exp())),
        ),
        (
            "matmul",
            Box::new(move |g, x| x.matmul(g.var(c(g, 3, 4))).square()),
        ),
        (
            "matmul right",
            Box::new(move |g, x| g.var(c(g, 2, 5)).matmul(x).square()),
        ),
        (
            "matmul both",
            Box::new(|_, x| x.matmul_with(x, Transposed::No, Transposed::Yes)),
        ),
        (
            "matmul both, left",
            Box::new(|_, x| x.matmul_with(x, Transposed::Yes, Transposed::No)),
        ),
        (
            "matmul transposed",
            Box::new(|_, x| {
                let xt = x.transpose();
                xt.matmul_with(xt, Transposed::Yes, Transposed::No).square()
            }),
        ),
        (
            "sum",
            Box::new(|_, x| x.sum(0).square() * 2.0 + x.sum(1).total()),
        ),
        (
            "max",
            Box::new(|_, x| x.max(1).square().total() + x.max(0).square().total()),
        ),
        (
            "broadcast",
            Box::new(|_, x| (x * x.sum(0)) * x.sum(1).reshape(&[5, 1])),
        ),
        (
            "reshape",
            Box::new(|_, x| x.reshape(&[3, 5]).square().sum(0).square()),
        ),
        (
            "transpose",
            Box::new(|_, x| x.transpose().square().sum(0).square()),
        ),
        (
            "slice",
            Box::new(|_, x| {
                x.slice(0, 1, 3).square().sum(0).square() + x.slice(1, 1, 2).square().total()
            }),
        ),
        (
            "concat",
            Box::new(|g, x| g.concat(&[x, x.square(), x], 1).square()),
        ),
        (
            "gather",
            Box::new(|g, x| {
                let index = g.constant(vec![4.0, 0.0, 4.0, 2.0], &[4]);
                x.square().gather(index).square()
            }),
        ),
        (
            "scatter-add",
            Box::new(|g, x| {
                let index = g.constant(vec![1.0, 0.0, 1.0, 2.0, 1.0], &[5]);
                x.square().scatter_add(index, 3).square()
            }),
        ),
        ("logsumexp", Box::new(|_, x| x.logsumexp(1).square())),
        (
            "random",
            Box::new(|g, x| x.square() * g.random(Draw::Normal, 1, &[5, 3])),
        ),
        ("iota", Box::new(|g, x| x.square() * g.iota(3))),
    ];
    for (what, build) in cases {
        taylor(what, &*build, &[5, 3], 0.2, 1.3);
    }
}

fn kernels() -> Vec<Expr> {
    let (r2, dot, p) = (Expr::arg(0), Expr::arg(1), Expr::arg(2));
    vec![
        (r2.clone() * p.clone()).exp(),
        (r2 + 1.0).recip() * dot.clone(),
        dot * p,
    ]
}

fn pairs<'g>(g: &'g Graph, x: Var<'g>) -> Var<'g> {
    let sum = PairSum {
        kernels: kernels(),
        channels: vec![2, 1, 3],
    };
    let y = x.slice(0, 1, 4) * 0.7 + 0.1;
    let v = g.concat(&[y.square(), y], 1);
    let p = x.total() * -0.05;
    g.pair_sum(sum, x, y, v, &[p])
}

#[test]
fn taylor_of_pair_sum_in_positions_weights_and_parameters() {
    taylor("pair sum", &pairs, &[5, 3], 0.2, 1.3);
}

#[test]
fn taylor_of_a_gradient() {
    taylor(
        "gradient of a gradient",
        &|_, x| grad((x.square().sum(1) * x.sum(1).sin()).exp(), &[x])[0],
        &[5, 3],
        0.1,
        0.6,
    );
    taylor(
        "gradient of pair sum's gradient",
        &|g, x| grad(pairs(g, x), &[x])[0],
        &[5, 3],
        0.2,
        1.0,
    );
}

/// The Taylor test must be able to fail: a gradient that is stopped is not the gradient.
#[test]
#[should_panic(expected = "Taylor remainder of order")]
fn taylor_notices_a_wrong_gradient() {
    taylor(
        "wrong",
        &|_, x| x.square() + x.stop_gradient() * x,
        &[4],
        0.5,
        1.5,
    );
}

#[test]
fn pair_sum_equals_its_expansion() {
    let g = Graph::default();
    let x = g.input("x", &[5, 3]);
    g.assign("hot", pairs(&g, x));
    let y = x.slice(0, 1, 4) * 0.7 + 0.1;
    let v = g.concat(&[y.square(), y], 1);
    let p = x.total() * -0.05;
    let sum = PairSum {
        kernels: kernels(),
        channels: vec![2, 1, 3],
    };
    g.assign("plain", sum.expansion(&g, x, y, v, &[p]));
    let program = g.compile("both");
    let at = numbers(5, 15, -1.0, 1.0);
    let (hot, plain) = (
        evaluate(&program, &at, "hot"),
        evaluate(&program, &at, "plain"),
    );
    for (a, b) in hot.iter().zip(&plain) {
        assert!((a - b).abs() < 1e-13 * b.abs().max(1.0), "{a} against {b}");
    }
}

#[test]
fn equal_nodes_are_shared_and_dead_nodes_dropped() {
    let g = Graph::default();
    let x = g.input("x", &[4, 2]);
    let _dead = x.exp().sum(0);
    g.assign("y", (x * 2.0 + 1.0).square());
    let program = g.compile("small");
    assert_eq!(program.nodes.len(), 2, "{program}");
}

#[test]
fn assignments_happen_after_all_reads() {
    let g = Graph::default();
    let (x, y) = (g.input("x", &[3]), g.input("y", &[3]));
    g.assign("x", y);
    g.assign("y", x);
    let program = g.compile("swap");
    let mut cpu = Cpu::<f64>::default();
    let id = cpu.load(&program);
    cpu.set("x", &[1.0, 2.0, 3.0]);
    cpu.set("y", &[4.0, 5.0, 6.0]);
    cpu.run(id);
    assert_eq!(cpu.get("x"), Some(&[4.0, 5.0, 6.0][..]));
    assert_eq!(cpu.get("y"), Some(&[1.0, 2.0, 3.0][..]));
}
