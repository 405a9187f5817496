//! One differentiable function for each operation, for the Taylor tests, the derivative table and the poison tests.

use crate::expr::{Binary, Expr, Unary};
use crate::graph::{Draw, From, Graph, Op, PairSum, Reduction, Transposed, Var, grad};
use crate::rng;

/// A function of a [5, 3] input.
pub(super) type Build = dyn for<'g> Fn(&'g Graph, Var<'g>) -> Var<'g>;

/// Shape of every input.
pub(super) const SHAPE: [usize; 2] = [5, 3];

/// A function, and the range its input is drawn from.
pub(super) struct Case {
    pub name: String,
    pub build: Box<Build>,
    pub low: f64,
    pub high: f64,
}

/// Deterministic numbers in (low, high).
pub(super) fn numbers(seed: u32, count: usize, low: f64, high: f64) -> Vec<f64> {
    let draws = rng::uniform_vec(seed, 9, 0, count);
    draws
        .iter()
        .map(|&u| low + (high - low) * f64::from(u))
        .collect()
}

pub(super) fn kernels() -> Vec<Expr> {
    let (r2, dot, p) = (Expr::arg(0), Expr::arg(1), Expr::arg(2));
    vec![
        (r2.clone() * p.clone()).exp(),
        (r2 + 1.0).recip() * dot.clone(),
        dot * p,
    ]
}

pub(super) fn pairs<'g>(g: &'g Graph, x: Var<'g>) -> Var<'g> {
    let sum = PairSum {
        kernels: kernels(),
        channels: vec![2, 1, 3],
    };
    let y = x.slice(0, 1, 4) * 0.7 + 0.1;
    let v = g.concat(&[y.square(), y], 1);
    let p = x.total() * -0.05;
    g.pair_sum(sum, x, y, v, &[p])
}

/// A two-layer network and its width: the pairwise sum whose kernel is an activation of x·w.
fn two_layer<'g>(g: &'g Graph, x: Var<'g>, activation: Expr) -> Var<'g> {
    let w = x.slice(0, 0, 4) - 0.6;
    let a = w.sum(1).reshape(&[4, 1]) + 0.3;
    let network = PairSum {
        kernels: vec![activation],
        channels: vec![1],
    };
    g.pair_sum(network, x, w, a, &[])
}

/// Name of an operation; a new one does not compile until it has a name, and fails a test until it has a case.
pub(super) fn name(op: &Op) -> &'static str {
    match op {
        Op::Input(_) => "input",
        Op::Uniform(_) => "uniform",
        Op::Const(_) => "const",
        Op::Iota => "iota",
        Op::Map(_) => "map",
        Op::MatMul { .. } => "matmul",
        Op::Reduce(Reduction::Sum, _) => "sum",
        Op::Reduce(Reduction::Max, _) => "max",
        Op::CumSum(..) => "cumsum",
        Op::Broadcast => "broadcast",
        Op::Reshape => "reshape",
        Op::Transpose => "transpose",
        Op::Slice { .. } => "slice",
        Op::Concat(_) => "concat",
        Op::Gather => "gather",
        Op::ScatterAdd => "scatter-add",
        Op::Random(..) => "random",
        Op::StopGradient => "stop-gradient",
        Op::PairSum(_) => "pair-sum",
        Op::MedianSquaredDistance => "median",
        Op::PotentialFlow(..) => "potential-flow",
    }
}

/// Every name that a case has to show; leaves but iota and random have no formula.
pub(super) const NAMES: [&str; 17] = [
    "iota",
    "map",
    "matmul",
    "sum",
    "max",
    "cumsum",
    "broadcast",
    "reshape",
    "transpose",
    "slice",
    "concat",
    "gather",
    "scatter-add",
    "random",
    "stop-gradient",
    "pair-sum",
    "median",
];

/// One case for each operation of expressions and graphs, and for compositions whose derivative is easy to get wrong.
pub(super) fn cases() -> Vec<Case> {
    let mut out: Vec<Case> = Vec::new();
    for op in Unary::ALL {
        let (low, high) = match op {
            Unary::ArcCosine0 | Unary::ArcCosine1 => (-0.8, 0.8),
            _ => (0.3, 1.7),
        };
        let expr = Expr::arg(0).apply1(op);
        out.push(Case {
            name: format!("{op:?}").to_lowercase(),
            build: Box::new(move |_, x| x.map(expr.clone())),
            low,
            high,
        });
    }
    for op in Binary::ALL {
        let f = Expr::arg(0).apply2(op, Expr::arg(1));
        out.push(Case {
            name: format!("{op:?}").to_lowercase(),
            build: Box::new(move |g, x| {
                let c = g.constant(numbers(3, 15, 0.4, 1.6), &[5, 3]);
                g.map(f.clone(), &[x, c]) + g.map(f.clone(), &[c, x])
            }),
            low: 0.3,
            high: 1.7,
        });
    }
    let c = |g: &Graph, n: usize, m: usize| g.constant(numbers(4, n * m, -1.0, 1.0), &[n, m]).id;
    let mut add = |name: &str, build: Box<Build>| {
        out.push(Case {
            name: name.to_owned(),
            build,
            low: 0.2,
            high: 1.3,
        });
    };
    add(
        "choose",
        Box::new(|_, x| (x - 0.5).choose(x.square(), x.exp())),
    );
    add(
        "softplus",
        Box::new(|_, x| (x - 0.7).map(Expr::arg(0).softplus())),
    );
    add(
        "sigmoid",
        Box::new(|_, x| (x - 0.7).map(Expr::arg(0).sigmoid())),
    );
    add(
        "matmul",
        Box::new(move |g, x| x.matmul(g.var(c(g, 3, 4))).square()),
    );
    add(
        "matmul right",
        Box::new(move |g, x| g.var(c(g, 2, 5)).matmul(x).square()),
    );
    add(
        "matmul x xᵀ",
        Box::new(|_, x| x.matmul_with(x, Transposed::No, Transposed::Yes)),
    );
    add(
        "matmul xᵀ x",
        Box::new(|_, x| x.matmul_with(x, Transposed::Yes, Transposed::No)),
    );
    add(
        "matmul of transposes",
        Box::new(|_, x| {
            let xt = x.transpose();
            xt.matmul_with(xt, Transposed::Yes, Transposed::No).square()
        }),
    );
    add(
        "sum",
        Box::new(|_, x| x.sum(0).square() * 2.0 + x.sum(1).total()),
    );
    add(
        "max",
        Box::new(|_, x| x.max(1).square().total() + x.max(0).square().total()),
    );
    add(
        "min",
        Box::new(|_, x| x.min(1).square().total() + x.min(0).square().total()),
    );
    add(
        "argmax",
        Box::new(|_, x| x.square() * (x.argmax(0) + x.argmin(0))),
    );
    add(
        "cumsum",
        Box::new(|_, x| {
            (x.cumsum(0) * x.cumsum_from(1, From::End))
                .cumsum(1)
                .square()
        }),
    );
    add(
        "broadcast",
        Box::new(|_, x| (x * x.sum(0)) * x.sum(1).reshape(&[5, 1])),
    );
    add(
        "reshape",
        Box::new(|_, x| x.reshape(&[3, 5]).square().sum(0).square()),
    );
    add(
        "transpose",
        Box::new(|_, x| x.transpose().square().sum(0).square()),
    );
    add(
        "slice",
        Box::new(|_, x| {
            x.slice(0, 1, 3).square().sum(0).square() + x.slice(1, 1, 2).square().total()
        }),
    );
    add(
        "concat",
        Box::new(|g, x| g.concat(&[x, x.square(), x], 1).square()),
    );
    add(
        "gather",
        Box::new(|g, x| {
            let index = g.constant(vec![4.0, 0.0, 4.0, 2.0], &[4]);
            x.square().gather(index).square()
        }),
    );
    add(
        "scatter-add",
        Box::new(|g, x| {
            let index = g.constant(vec![1.0, 0.0, 1.0, 2.0, 1.0], &[5]);
            x.square().scatter_add(index, 3).square()
        }),
    );
    add("logsumexp", Box::new(|_, x| x.logsumexp(1).square()));
    add(
        "random",
        Box::new(|g, x| x.square() * g.random(Draw::Normal, 1, &[5, 3])),
    );
    add("iota", Box::new(|g, x| x.square() * g.iota(3)));
    add(
        "stop-gradient",
        Box::new(|g, x| x.square() * g.iota(3).stop_gradient()),
    );
    add("repeat", Box::new(|_, x| x.repeat(3, |v| v.sin() + x * v)));
    add(
        "median",
        Box::new(|g, x| x.square() * g.iota(15).reshape(&[5, 3]).median_squared_distance()),
    );
    add("pair sum", Box::new(pairs));
    add(
        "pair sum, Gaussian",
        Box::new(|g, x| {
            let gaussian = PairSum {
                kernels: vec![(Expr::arg(0) * Expr::arg(2)).exp()],
                channels: vec![3],
            };
            g.pair_sum(gaussian, x, x, x.square(), &[x.total() * -0.05])
        }),
    );
    add(
        "two-layer, ReLU",
        Box::new(|g, x| two_layer(g, x, Expr::arg(1).largest(0.0))),
    );
    add(
        "two-layer, sigmoid",
        Box::new(|g, x| two_layer(g, x, Expr::arg(1).sigmoid())),
    );
    add(
        "gradient of a gradient",
        Box::new(|_, x| grad((x.square().sum(1) * x.sum(1).sin() * 0.3).exp(), &[x])[0]),
    );
    out
}
