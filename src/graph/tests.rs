//! Values against plain loops, gradients against Taylor remainders in f64, second derivatives included.

use super::*;
use crate::exec::Cpu;

mod cases;
#[cfg(not(target_arch = "wasm32"))]
mod derivatives;

use cases::{Build, kernels, numbers, pairs};

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

#[test]
fn taylor_of_every_op() {
    for case in cases::cases() {
        taylor(&case.name, &*case.build, &cases::SHAPE, case.low, case.high);
    }
}

#[test]
fn every_op_has_a_case() {
    let mut seen: Vec<&str> = Vec::new();
    let mut expressions = Vec::new();
    for case in cases::cases() {
        let g = Graph::default();
        (case.build)(&g, g.input("x", &cases::SHAPE));
        for node in g.nodes.borrow().iter() {
            seen.push(cases::name(&node.op));
            if let Op::Map(expr) = &node.op {
                expressions.push(expr.clone());
            }
        }
    }
    for name in cases::NAMES {
        assert!(seen.contains(&name), "{name} has no case");
    }
}

#[test]
fn reductions_that_are_compositions() {
    let program = {
        let g = Graph::default();
        let x = g.input("x", &[2, 4]);
        g.assign("least", x.min(1));
        g.assign("first", x.argmax(1));
        g.assign("lowest", x.argmin(0));
        g.assign("running", x.cumsum(1));
        g.assign("back", x.cumsum_from(0, From::End));
        g.assign("cubed", x.repeat(2, |v| v * x));
        g.compile("compositions")
    };
    let x = [1.0, 5.0, -2.0, 5.0, 4.0, 0.0, 3.0, f64::NAN];
    let of = |name| evaluate(&program, &x, name);
    assert_eq!(of("least")[0], -2.0);
    assert!(of("least")[1].is_nan());
    assert_eq!(of("first"), [1.0, 0.0]);
    assert_eq!(of("lowest"), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(of("running")[..7], [1.0, 6.0, 4.0, 9.0, 4.0, 4.0, 7.0]);
    assert_eq!(of("back")[..3], [5.0, 5.0, 1.0]);
    assert_eq!(of("back")[4..7], [4.0, 0.0, 3.0]);
    assert_eq!(of("cubed")[..3], [1.0, 125.0, -8.0]);
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
