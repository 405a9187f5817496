//! Explicit Runge–Kutta steps of the augmented state as graphs, forward with an error estimate and backward by reverse mode.
//!
//! The state is one array [x | l | ∫½|v|² | ∫|∇v|²], a row a sample.

use super::Trace;
use super::velocity::{Velocity, rates, velocity};
use crate::graph::{Graph, Program, Var, grad};
use crate::nn::Optimizer;
use crate::systems::Way;
use std::f64::consts::TAU;

/// What is integrated beside x: log-determinant, kinetic energy, Frobenius norm.
pub(super) const COLUMNS: usize = 3;

/// An explicit Runge–Kutta method.
#[derive(Debug)]
pub(super) struct Tableau {
    /// Times of the stages, in units of the step.
    times: &'static [f64],
    /// How earlier slopes enter each stage after the first.
    stages: &'static [&'static [f64]],
    /// Weights of the slopes in the step.
    weights: &'static [f64],
    /// Weights of the slopes in the estimate of its error, the slope at the end last; none for fixed steps.
    pub(super) error: &'static [f64],
}

/// The classical method of order 4.
pub(super) static RK4: Tableau = Tableau {
    times: &[0.0, 0.5, 0.5, 1.0],
    stages: &[&[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    weights: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error: &[],
};

/// Order 5 with an estimate of order 4; the slope at the end is the first of the next step.
///
/// **Source** J. Dormand, P. Prince (1980). A family of embedded Runge–Kutta formulae.
pub(super) static DOPRI5: Tableau = Tableau {
    times: &[0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0],
    stages: &[
        &[0.2],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[
            19372.0 / 6561.0,
            -25360.0 / 2187.0,
            64448.0 / 6561.0,
            -212.0 / 729.0,
        ],
        &[
            9017.0 / 3168.0,
            -355.0 / 33.0,
            46732.0 / 5247.0,
            49.0 / 176.0,
            -5103.0 / 18656.0,
        ],
    ],
    weights: &[
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
    ],
    error: &[
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ],
};

impl Tableau {
    /// New evaluations of v that a step takes: an adaptive method has its first slope from the step before, and computes the
    /// slope at its end.
    pub(super) fn evaluations(&self) -> u32 {
        self.times.len() as u32
    }

    /// The state after a step h from `s` at t, and all slopes of the step.
    fn step<'g>(
        &self,
        slope: impl Fn(Var<'g>, Var<'g>) -> Var<'g>,
        first: Option<Var<'g>>,
        s: Var<'g>,
        [t, h]: [Var<'g>; 2],
    ) -> (Var<'g>, Vec<Var<'g>>) {
        let mut slopes = vec![first.unwrap_or_else(|| slope(s, t))];
        for (stage, time) in self.stages.iter().zip(&self.times[1..]) {
            let at = s + h * combine(stage, &slopes);
            slopes.push(slope(at, t + h * *time));
        }
        (s + h * combine(self.weights, &slopes), slopes)
    }
}

/// Σ weight · slope, without the terms that vanish.
fn combine<'g>(weights: &[f64], slopes: &[Var<'g>]) -> Var<'g> {
    let terms = weights.iter().zip(slopes).filter(|(w, _)| **w != 0.0);
    let terms = terms.map(|(w, slope)| *slope * *w);
    terms.reduce(|a, b| a + b).expect("a weight that counts")
}

/// What the programs of a training step share.
pub(super) struct Solver {
    pub(super) velocity: Velocity,
    pub(super) tableau: &'static Tableau,
    pub(super) trace: Trace,
    /// Rows of a batch.
    pub(super) batch: usize,
    /// Absolute and relative tolerance of an adaptive step.
    pub(super) tolerance: f64,
    /// Most steps from t = 0 to 1.
    pub(super) most_steps: usize,
}

impl Solver {
    fn state_shape(&self) -> [usize; 2] {
        [self.batch, self.velocity.d + COLUMNS]
    }

    fn theta<'g>(&self, g: &'g Graph) -> Var<'g> {
        g.input("theta", &[self.velocity.parameters()])
    }

    /// The slope of the state, with the probes of the present step of the run.
    fn slope<'g>(&self, theta: Var<'g>) -> impl Fn(Var<'g>, Var<'g>) -> Var<'g> + use<'g> {
        let (g, n, d) = (theta.graph(), self.batch, self.velocity.d);
        slope(self.velocity, theta, self.trace.probes(g, n, d))
    }

    /// A fresh batch at t = 0, and its slope.
    pub(super) fn begin(&self, rows: impl for<'g> Fn(&'g Graph) -> Var<'g>) -> Program {
        let g = Graph::default();
        let s = augmented(rows(&g));
        g.assign("s", s);
        if !self.tableau.error.is_empty() {
            g.assign("slope", self.slope(self.theta(&g))(s, g.scalar(0.0)));
            // Read and written by the host alone.
            g.assign("first_step", g.input("first_step", &[]));
        }
        g.compile("begin")
    }

    /// A step of size `h` from `s` at `t` to `trial`, and the estimated error in units of the tolerance: the root mean square over
    /// all entries of x and l.
    pub(super) fn attempt(&self) -> Program {
        let g = Graph::default();
        let shape = self.state_shape();
        let (s, first) = (g.input("s", &shape), g.input("slope", &shape));
        let [t, h] = [g.input("t", &[]), g.input("h", &[])];
        let slope = self.slope(self.theta(&g));
        let adaptive = !self.tableau.error.is_empty();
        let known = adaptive.then_some(first);
        let (trial, mut slopes) = self.tableau.step(&slope, known, s, [t, h]);
        g.assign("trial", trial);
        if adaptive {
            slopes.push(slope(trial, t + h));
            let error = h * combine(self.tableau.error, &slopes);
            let judged = self.velocity.d + 1;
            let larger = (trial.abs() - s.abs()).map(positive()) + s.abs();
            let allowed = (larger + 1.0) * self.tolerance;
            let ratio = (error / allowed).slice(1, 0, judged);
            let mean = ratio.square().total() * (1.0 / (self.batch * judged) as f64);
            g.assign("error", mean.sqrt());
            g.assign("trial_slope", *slopes.last().expect("just added"));
        }
        g.compile("attempt")
    }

    /// Keeps x before the step in row `index` of `path`, and goes on from `trial`.
    pub(super) fn accept(&self) -> Program {
        let g = Graph::default();
        let shape = self.state_shape();
        let (n, d, rows) = (self.batch, self.velocity.d, self.most_steps);
        let (s, trial) = (g.input("s", &shape), g.input("trial", &shape));
        let path = g.input("path", &[rows, n * d]);
        let apart = (g.iota(rows) - g.input("index", &[])).abs();
        let here = (0.5 - apart).reshape(&[rows, 1]);
        let x = s.slice(1, 0, d).reshape(&[1, n * d]);
        g.assign("path", here.choose(x, path));
        g.assign("s", trial);
        if !self.tableau.error.is_empty() {
            g.assign("slope", g.input("trial_slope", &shape));
        }
        g.compile("accept")
    }

    /// The objective at t = 1, J = E[−log N(x(1)) − l] and the costs, and its derivative by x(1).
    pub(super) fn turn(&self) -> Program {
        let g = Graph::default();
        let (n, d) = (self.batch, self.velocity.d);
        let s = g.input("s", &self.state_shape());
        g.assign("loss", objective(s, d).mean(0));
        g.assign("pull", s.slice(1, 0, d) * (1.0 / n as f64));
        let zero = g.scalar(0.0).broadcast(&[self.velocity.parameters()]);
        g.assign("gradient", zero);
        g.compile("turn")
    }

    /// Pulls the derivative of J back through the step from row `index` of `path`.
    pub(super) fn back(&self) -> Program {
        let g = Graph::default();
        let (n, d) = (self.batch, self.velocity.d);
        let path = g.input("path", &[self.most_steps, n * d]);
        let x = path.gather(g.input("index", &[]).reshape(&[1]));
        let x = x.reshape(&[n, d]);
        let theta = self.theta(&g);
        let [t, h] = [g.input("t", &[]), g.input("h", &[])];
        let (end, _) = self
            .tableau
            .step(self.slope(theta), None, augmented(x), [t, h]);
        let pull = g.input("pull", &[n, d]);
        let onwards = (pull * end.slice(1, 0, d)).total();
        let own = costs(end, d).total() * (1.0 / n as f64);
        let derivatives = grad(onwards + own, &[x, theta]);
        g.assign("pull", derivatives[0]);
        let gradient = g.input("gradient", &[self.velocity.parameters()]);
        g.assign("gradient", gradient + derivatives[1]);
        g.compile("back")
    }

    /// Moves the parameters along the gradient.
    pub(super) fn update(&self) -> Program {
        let g = Graph::default();
        let theta = self.theta(&g);
        let gradient = g.input("gradient", &theta.shape());
        let next = Optimizer::Adam.step("theta", theta, gradient, g.uniform("step"));
        g.assign("theta", next);
        // Written by the host alone.
        g.assign("evaluations_made", g.input("evaluations_made", &[]));
        g.compile("update")
    }
}

/// max(z, 0).
fn positive() -> crate::expr::Expr {
    crate::expr::Expr::arg(0).largest(0.0)
}

/// [x | 0 | 0 | 0].
fn augmented(x: Var<'_>) -> Var<'_> {
    let n = x.shape()[0];
    let zeros = x.graph().scalar(0.0).broadcast(&[n, COLUMNS]);
    x.graph().concat(&[x, zeros], 1)
}

fn slope<'g>(
    sizes: Velocity,
    theta: Var<'g>,
    probe: Option<Var<'g>>,
) -> impl Fn(Var<'g>, Var<'g>) -> Var<'g> + use<'g> {
    let layers = sizes.layers(theta);
    move |s, t| {
        let n = s.shape()[0];
        let rates = rates(&layers, s.slice(1, 0, sizes.d), t, probe);
        let columns = [rates.log_det, rates.kinetic, rates.frobenius];
        let [l, kinetic, frobenius] = columns.map(|column| column.reshape(&[n, 1]));
        s.graph().concat(&[rates.x, l, kinetic, frobenius], 1)
    }
}

/// What a row adds to J on its way: −l + α_K ∫½|v|² + α_J ∫‖∇v‖², `[n]`.
fn costs(s: Var<'_>, d: usize) -> Var<'_> {
    let g = s.graph();
    let weighted = g.uniform("kinetic") * s.column(d + 1) + g.uniform("jacobian") * s.column(d + 2);
    weighted - s.column(d)
}

/// J of each row, `[n]`.
fn objective(s: Var<'_>, d: usize) -> Var<'_> {
    costs(s, d) + minus_log_normal(s.slice(1, 0, d))
}

/// −log N(x; 0, I), `[n]`.
pub(super) fn minus_log_normal(x: Var<'_>) -> Var<'_> {
    0.5 * x.square().sum(1) + 0.5 * x.shape()[1] as f64 * TAU.ln()
}

/// The augmented state at t = 1 from `x` at t = 0 by `count` equal steps, written out.
///
/// **Shapes** `x: [n, d]`; result `[n, d + 3]`.
pub(super) fn along<'g>(
    sizes: Velocity,
    theta: Var<'g>,
    x: Var<'g>,
    probe: Option<Var<'g>>,
    count: usize,
) -> Var<'g> {
    let g = x.graph();
    let slope = slope(sizes, theta, probe);
    let h = g.scalar(1.0 / count as f64);
    (0..count).fold(augmented(x), |s, k| {
        let t = g.scalar(k as f64 / count as f64);
        RK4.step(&slope, None, s, [t, h]).0
    })
}

/// `points` `[n, d]` and where they are after each of `nt` equal steps there or back, without the log-determinant.
pub(super) fn ways<'g>(
    sizes: Velocity,
    theta: Var<'g>,
    points: Var<'g>,
    nt: usize,
    way: Way,
) -> Vec<Var<'g>> {
    let g = points.graph();
    let layers = sizes.layers(theta);
    let (from, h) = match way {
        Way::There => (0.0, 1.0 / nt as f64),
        Way::Back => (1.0, -1.0 / nt as f64),
    };
    let mut all = vec![points];
    for k in 0..nt {
        let at = [from + h * k as f64, h].map(|v| g.scalar(v));
        let (end, _) = RK4.step(|y, t| velocity(&layers, y, t), None, all[k], at);
        all.push(end);
    }
    all
}

/// Where [`ways`] end.
pub(super) fn carried<'g>(
    sizes: Velocity,
    theta: Var<'g>,
    points: Var<'g>,
    nt: usize,
    way: Way,
) -> Var<'g> {
    let mut all = ways(sizes, theta, points, nt, way);
    all.pop().unwrap_or(points)
}
