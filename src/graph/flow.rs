//! Samples carried by the gradient of a potential, with what the way costs: the description of the hot op, and the same flow
//! as plain ops, which is its oracle.

use super::{Graph, Transposed, Var};
use crate::expr::Expr;

/// The flow ẋ = −∇Φ(x, t)/α of a residual potential, and how it is integrated.
///
/// Φ(s) = wᵀu + ½|A s|² + bᵀs + c with s = (x, t), u₀ = σ(K₀s + b₀), u_ℓ = u_{ℓ−1} + h σ(K_ℓ u_{ℓ−1} + b_ℓ), h = 1/layers and
/// σ(z) = log(eᶻ + e⁻ᶻ). Its gradient and Laplacian are analytic.
///
/// The state (x, l, v, r) starts at (x, 0, 0, 0) and follows
/// l̇ = −ΔΦ/α (log-determinant), v̇ = ½|ẋ|² (transport cost), ṙ = |−∂ₜΦ + α v̇| (Hamilton–Jacobi–Bellman residual),
/// by `steps` steps of the classical Runge–Kutta method.
///
/// **Source** D. Onken, S. Wu Fung, X. Li, L. Ruthotto, "OT-Flow" (AAAI 2021), eq. 3–13.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PotentialFlow {
    /// Dimension d of the samples.
    pub d: usize,
    /// Width m of the network.
    pub hidden: usize,
    /// Residual layers, at least one; the paper's nTh − 1.
    pub layers: usize,
    /// Rows r of A.
    pub rank: usize,
    /// Runge–Kutta steps.
    pub steps: usize,
    /// Times at which the way begins and ends; backwards is the inverse.
    pub span: [f64; 2],
    /// α, the weight of the transport cost.
    pub alpha: f64,
}

/// What of a flow is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The state at the end, `[n, d + 3]`.
    End,
    /// The gradient with respect to the parameters, summed over samples, `[parameters]`.
    Parameters,
    /// The gradient with respect to the samples, `[n, d]`.
    Samples,
}

/// Offsets of the parts of a flat parameter vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// b₀ `[m]`; K₀ `[m, d + 1]` begins at 0.
    pub opening_bias: usize,
    /// K₁ `[m, m]`; b₁ `[m]` follows, then K₂, b₂ and so on.
    pub residual: usize,
    /// w `[m]`
    pub weights: usize,
    /// A `[r, d + 1]`
    pub quadratic: usize,
    /// b `[d + 1]`
    pub linear: usize,
    /// c
    pub constant: usize,
}

/// The parameters of a potential as values of a graph.
struct Parts<'g> {
    opening: (Var<'g>, Var<'g>),
    residual: Vec<(Var<'g>, Var<'g>)>,
    weights: Var<'g>,
    quadratic: Var<'g>,
    linear: Var<'g>,
}

/// The directions along which second derivatives are summed to a Laplacian.
struct Directions<'g> {
    /// K₀ times each, `[1 or n, directions, m]`.
    opening: Var<'g>,
    /// Σ |A e|² over them, a scalar or `[n]`.
    quadratic: Var<'g>,
}

impl PotentialFlow {
    /// Where each part of the flat parameter vector begins.
    pub fn offsets(&self) -> Offsets {
        let (m, k) = (self.hidden, self.d + 1);
        let residual = m * k + m;
        let weights = residual + self.layers * (m * m + m);
        let quadratic = weights + m;
        let linear = quadratic + self.rank * k;
        Offsets {
            opening_bias: m * k,
            residual,
            weights,
            quadratic,
            linear,
            constant: linear + k,
        }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.offsets().constant + 1
    }

    /// Floating point operations for one sample: products of the layers with u, J and z, and about 40 for each activation; a
    /// gradient takes three times as many.
    pub fn flops_per_sample(&self, wanted: Wanted) -> usize {
        let (m, d) = (self.hidden, self.d);
        let layer = 2 * m * m * (d + 2) + 40 * m;
        let opening = 6 * m * (d + 1) + 40 * m + 2 * (d + 1) * (d + 1);
        let passes = if wanted == Wanted::End { 1 } else { 3 };
        passes * 4 * self.steps * (self.layers * layer + opening)
    }

    /// The end of the flow as plain ops: the oracle of the hot op.
    ///
    /// **Shapes** `x: [n, d]`, `theta: [parameters]`; result `[n, d + 3]`.
    pub fn expansion<'g>(&self, x: Var<'g>, theta: Var<'g>) -> Var<'g> {
        self.plain(x, theta, None)
    }

    /// The same with Hutchinson's estimate (1/k) Σ_p e_pᵀ ∇²Φ e_p of the Laplacian, as plain ops. Where the probes of a sample
    /// are independent with covariance I, it is right on average.
    ///
    /// **Shapes** `x: [n, d]`, `theta: [parameters]`, `probes: [n, k, d]`; result `[n, d + 3]`.
    pub fn estimated<'g>(&self, x: Var<'g>, theta: Var<'g>, probes: Var<'g>) -> Var<'g> {
        self.plain(x, theta, Some(probes))
    }

    fn plain<'g>(&self, x: Var<'g>, theta: Var<'g>, probes: Option<Var<'g>>) -> Var<'g> {
        let g = x.graph();
        let n = x.shape()[0];
        let parts = self.parts(theta);
        let along = self.directions(&parts, probes);
        let [from, to] = self.span;
        let h = (to - from) / self.steps as f64;
        let zeros = g.scalar(0.0).broadcast(&[n, 3]);
        let mut state = g.concat(&[x, zeros], 1);
        for step in 0..self.steps {
            let t = from + h * step as f64;
            let slope =
                |state: Var<'g>, t: f64| self.slope(&parts, &along, state.slice(1, 0, self.d), t);
            let k1 = slope(state, t);
            let k2 = slope(state + k1 * (0.5 * h), t + 0.5 * h);
            let k3 = slope(state + k2 * (0.5 * h), t + 0.5 * h);
            let k4 = slope(state + k3 * h, t + h);
            state = state + (k1 + 2.0 * k2 + 2.0 * k3 + k4) * (h / 6.0);
        }
        state
    }

    fn parts<'g>(&self, theta: Var<'g>) -> Parts<'g> {
        let (m, k) = (self.hidden, self.d + 1);
        let at = self.offsets();
        let part = |start: usize, shape: &[usize]| {
            let entries = shape.iter().product();
            theta.slice(0, start, entries).reshape(shape)
        };
        let layer = |l: usize| {
            let start = at.residual + l * (m * m + m);
            (part(start, &[m, m]), part(start + m * m, &[m]))
        };
        Parts {
            opening: (part(0, &[m, k]), part(at.opening_bias, &[m])),
            residual: (0..self.layers).map(layer).collect(),
            weights: part(at.weights, &[1, m]),
            quadratic: part(at.quadratic, &[self.rank, k]),
            linear: part(at.linear, &[1, k]),
        }
    }

    /// The coordinates, or the probes.
    fn directions<'g>(&self, parts: &Parts<'g>, probes: Option<Var<'g>>) -> Directions<'g> {
        let (d, m) = (self.d, self.hidden);
        let opening = parts.opening.0.slice(1, 0, d);
        let quadratic = parts.quadratic.slice(1, 0, d);
        let Some(probes) = probes else {
            return Directions {
                opening: opening.transpose().reshape(&[1, d, m]),
                quadratic: quadratic.square().total(),
            };
        };
        let [n, k] = [probes.shape()[0], probes.shape()[1]];
        let flat = probes.reshape(&[n * k, d]) * (1.0 / k as f64).sqrt();
        let across = |rows: Var<'g>| flat.matmul_with(rows, Transposed::No, Transposed::Yes);
        let stretched = across(quadratic).square().sum(1);
        Directions {
            opening: across(opening).reshape(&[n, k, m]),
            quadratic: stretched.reshape(&[n, k]).sum(1),
        }
    }

    /// (ẋ, l̇, v̇, ṙ) at time t, `[n, d + 3]`.
    fn slope<'g>(&self, parts: &Parts<'g>, along: &Directions<'g>, x: Var<'g>, t: f64) -> Var<'g> {
        let g = x.graph();
        let (n, d, m) = (x.shape()[0], self.d, self.hidden);
        let h = 1.0 / self.layers as f64;
        let time = g.scalar(t).broadcast(&[n, 1]);
        let s = g.concat(&[x, time], 1);
        let (k0, b0) = parts.opening;
        let q0 = s.matmul_with(k0, Transposed::No, Transposed::Yes) + b0;
        let a0 = q0.tanh();
        let mut u = log_cosh(q0);
        // J = ∂u/∂x, a row for each sample and direction.
        let directions = along.opening;
        let k = directions.shape()[1];
        let mut j = a0.reshape(&[n, 1, m]) * directions;
        let mut kept = Vec::new();
        for &(layer, b) in &parts.residual {
            let q = u.matmul_with(layer, Transposed::No, Transposed::Yes) + b;
            let flat = j.reshape(&[n * k, m]);
            let p = flat
                .matmul_with(layer, Transposed::No, Transposed::Yes)
                .reshape(&[n, k, m]);
            let a = q.tanh();
            kept.push((layer, a, p.square().sum(1)));
            u = u + h * log_cosh(q);
            j = j + h * (a.reshape(&[n, 1, m]) * p);
        }
        let mut z = parts.weights;
        let mut laplacian = along.quadratic;
        for &(layer, a, squares) in kept.iter().rev() {
            laplacian = laplacian + h * ((1.0 - a.square()) * z * squares).sum(1);
            z = z + h * (a * z).matmul(layer);
        }
        let sizes = directions.square().sum(1);
        laplacian = laplacian + ((1.0 - a0.square()) * z * sizes).sum(1);
        let stretched = s.matmul_with(parts.quadratic, Transposed::No, Transposed::Yes);
        let gradient = (a0 * z).matmul(k0) + stretched.matmul(parts.quadratic) + parts.linear;
        let dx = gradient.slice(1, 0, d) * (-1.0 / self.alpha);
        let dv = 0.5 * dx.square().sum(1).reshape(&[n, 1]);
        let dr = (self.alpha * dv - gradient.slice(1, d, 1)).abs();
        let dl = laplacian.broadcast(&[n]).reshape(&[n, 1]) * (-1.0 / self.alpha);
        g.concat(&[dx, dl, dv, dr], 1)
    }
}

/// log(eᶻ + e⁻ᶻ) = |z| + log(1 + e^{−2|z|}).
fn log_cosh(z: Var<'_>) -> Var<'_> {
    let size = Expr::arg(0).abs();
    let rest = ((size.clone() * -2.0).exp() + 1.0).ln();
    z.map(size + rest)
}

impl Graph {
    /// Hot op: the end (x, l, v, r) of a potential flow.
    ///
    /// **Shapes** `x: [n, d]`, `theta: [parameters]`; result `[n, d + 3]`.
    ///
    /// # Panics
    /// Shapes that do not fit the flow.
    pub fn potential_flow<'g>(
        &'g self,
        flow: PotentialFlow,
        x: Var<'g>,
        theta: Var<'g>,
    ) -> Var<'g> {
        self.push_flow(flow, Wanted::End, vec![x, theta])
    }

    /// Hot op: the gradient of Σ_i (offset_i·e_i + ½ Σ_c slope_c e_ic²), e the ends of the flow, with respect to parameters or
    /// samples. With slope 0 it is the adjoint of [`Graph::potential_flow`]; a cost that is at most quadratic in the
    /// end, as the negative log-density of a normal distribution, needs no pass of its own to find its adjoint.
    ///
    /// **Shapes** `x: [n, d]`, `theta: [parameters]`, `offset: [n, d + 3]`, `slope: [d + 3]`; result `[parameters]`, or `[n, d]`.
    ///
    /// # Panics
    /// Shapes that do not fit the flow; [`Wanted::End`], which is no gradient.
    pub fn potential_flow_gradient<'g>(
        &'g self,
        flow: PotentialFlow,
        wanted: Wanted,
        [x, theta]: [Var<'g>; 2],
        [offset, slope]: [Var<'g>; 2],
    ) -> Var<'g> {
        assert!(wanted != Wanted::End, "the end of a flow is no gradient");
        self.push_flow(flow, wanted, vec![x, theta, offset, slope])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Cpu;
    use crate::graph::grad;
    use crate::nn::Potential;
    use crate::rng;

    fn numbers(seed: u32, count: usize, scale: f64) -> Vec<f64> {
        let draws = rng::normal_vec(seed, 0, 0, count);
        draws.iter().map(|&v| scale * f64::from(v)).collect()
    }

    /// ∇Φ, ΔΦ and the residual against reverse mode of the potential, applied twice.
    #[test]
    fn the_slope_is_that_of_the_potential() {
        let flow = PotentialFlow {
            d: 3,
            hidden: 5,
            layers: 2,
            rank: 2,
            steps: 1,
            span: [0.0, 1.0],
            alpha: 1.7,
        };
        let (n, d, t) = (4, 3, 0.4);
        let g = Graph::default();
        let (x, theta) = (
            g.input("x", &[n, d]),
            g.input("theta", &[flow.parameters()]),
        );
        let parts = flow.parts(theta);
        let slope = flow.slope(&parts, &flow.directions(&parts, None), x, t);
        let s = g.concat(&[x, g.scalar(t).broadcast(&[n, 1])], 1);
        let turned = |k: Var<'_>, b: Var<'_>| (g.var(k.id).transpose(), g.var(b.id));
        let potential = Potential {
            opening: turned(parts.opening.0, parts.opening.1),
            residual: parts.residual.iter().map(|&(k, b)| turned(k, b)).collect(),
            weights: parts.weights.transpose(),
            quadratic: parts.quadratic,
            linear: parts.linear.transpose(),
            constant: g.scalar(0.0),
        };
        let gradient = grad(potential.value(s), &[s])[0];
        let dx = gradient.slice(1, 0, d) * (-1.0 / flow.alpha);
        g.assign("dx", dx - slope.slice(1, 0, d));
        let laplacian = (0..d).fold(g.scalar(0.0).broadcast(&[n]), |sum, j| {
            sum + grad(gradient.column(j), &[s])[0].column(j)
        });
        g.assign("dl", laplacian * (-1.0 / flow.alpha) - slope.column(d));
        let kinetic = 0.5 * dx.square().sum(1);
        g.assign("dv", kinetic - slope.column(d + 1));
        let residual = (flow.alpha * kinetic - gradient.column(d)).abs();
        g.assign("dr", residual - slope.column(d + 2));
        let mut cpu = Cpu::<f64>::default();
        let id = cpu.load(&g.compile("slope"));
        cpu.set("x", &numbers(1, n * d, 1.0));
        cpu.set("theta", &numbers(2, flow.parameters(), 0.7));
        cpu.run(id);
        for name in ["dx", "dl", "dv", "dr"] {
            for v in cpu.get(name).expect("assigned") {
                assert!(v.abs() < 1e-12, "{name}: {v:e}");
            }
        }
    }

    /// The hot op is differentiated twice: its slope along a direction against a central difference of the same slope.
    #[test]
    fn second_derivatives_are_those_of_the_plain_flow() {
        let flow = PotentialFlow {
            d: 2,
            hidden: 3,
            layers: 1,
            rank: 1,
            steps: 1,
            span: [0.0, 1.0],
            alpha: 0.8,
        };
        let (n, p) = (3, flow.parameters());
        let g = Graph::default();
        let (x, theta) = (g.input("x", &[n, 2]), g.input("theta", &[p]));
        let end = g.potential_flow(flow, x, theta);
        let weighed = (end * g.constant(numbers(5, n * 5, 1.0), &[n, 5])).total();
        let along = g.constant(numbers(6, p, 1.0), &[p]);
        let slope = (grad(weighed, &[theta])[0] * along).total();
        g.assign("slope", slope);
        g.assign("second", (grad(slope, &[theta])[0] * along).total());
        let program = g.compile("twice");
        let at = |h: f64, name: &str| {
            let mut cpu = Cpu::<f64>::default();
            let id = cpu.load(&program);
            let moved = numbers(2, p, 0.7).into_iter().zip(numbers(6, p, 1.0));
            cpu.set("theta", &moved.map(|(t, v)| t + h * v).collect::<Vec<_>>());
            cpu.set("x", &numbers(1, 2 * n, 1.0));
            cpu.run(id);
            cpu.get(name).expect("assigned")[0]
        };
        let central = |h: f64| (at(h, "slope") - at(-h, "slope")) / (2.0 * h);
        let numeric = (4.0 * central(5e-4) - central(1e-3)) / 3.0;
        let exact = at(0.0, "second");
        assert!(
            (exact - numeric).abs() < 1e-7 * (1.0 + exact.abs()),
            "{exact} against {numeric}"
        );
    }

    #[test]
    fn parameters_are_counted_as_published() {
        let flow = PotentialFlow {
            d: 2,
            hidden: 32,
            layers: 1,
            rank: 3,
            steps: 8,
            span: [0.0, 1.0],
            alpha: 1.0,
        };
        assert_eq!(flow.parameters(), 1229);
    }
}
