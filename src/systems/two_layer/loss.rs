//! Losses of a two-layer network: over all Gaussian inputs in closed form, and over given inputs.

use super::Neuron;
use super::teacher::Teacher;
use crate::expr::Expr;
use crate::graph::{PairSum, Var};
use crate::nn::{Activation, two_layer};

impl Neuron {
    /// The activation as a network evaluates it.
    pub(super) fn activation(self) -> Activation {
        match self {
            Self::Relu => Activation::Relu,
            Self::Sigmoid => Activation::Sigmoid,
        }
    }

    /// E[φ(u·x) φ(v·x)] = r(u) r(v) k(s(u)·s(v)), x ~ N(0, I): the kernel k of a product, e.g. in place of x·y.
    ///
    /// ReLU: k = κ₁/2 of the cosine. Error function: (2/π) arcsin = 2κ₀ − 1.
    fn kernel(self, product: Expr) -> Expr {
        match self {
            Self::Relu => product.arc_cosine1() * 0.5,
            Self::Sigmoid => product.arc_cosine0() * 2.0 - 1.0,
        }
    }

    /// s(w) `[m, d]` and r(w) `[m, 1]`: w/|w| and |w|; w/√(1 + |w|²) and 1.
    pub(super) fn places(self, w: Var<'_>) -> [Var<'_>; 2] {
        let m = w.shape()[0];
        let squares = w.square().sum(1).reshape(&[m, 1]);
        match self {
            Self::Relu => {
                let norm = squares.sqrt();
                [w / norm, norm]
            }
            Self::Sigmoid => {
                let ones = w.graph().scalar(1.0).broadcast(&[m, 1]);
                [w / (squares + 1.0).sqrt(), ones]
            }
        }
    }

    /// E[φ(u·x) φ(v·x)] in f64.
    pub(super) fn product(self, u: &[f32], v: &[f32]) -> f64 {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let (uu, vv, uv) = (dot(u, u), dot(v, v), dot(u, v));
        let k = |c: f64| self.kernel(Expr::arg(0)).eval(&[c]);
        match self {
            Self::Relu => (uu * vv).sqrt() * k(uv / (uu * vv).sqrt()),
            Self::Sigmoid => k(uv / ((1.0 + uu) * (1.0 + vv)).sqrt()),
        }
    }
}

/// Student, and student and teacher as one signed cloud.
pub(super) struct Cloud<'g> {
    /// Places of the student's neurons, `[m, d]`.
    pub(super) own: Var<'g>,
    /// Their masses, `[m, 1]`.
    pub(super) mass: Var<'g>,
    /// Places of f − f*, `[m + m₀, d]`.
    pub(super) places: Var<'g>,
    /// Masses of f − f*, `[m + m₀, 1]`.
    pub(super) masses: Var<'g>,
}

impl<'g> Cloud<'g> {
    /// f − f* as a cloud.
    pub(super) fn difference(neuron: Neuron, w: Var<'g>, a: Var<'g>, teacher: &Teacher) -> Self {
        let (m, d) = (w.shape()[0], w.shape()[1]);
        let g = w.graph();
        let [own, r] = neuron.places(w);
        let mass = a * r * (1.0 / m as f64);
        let count = teacher.weights.len();
        let directions: Vec<f64> = teacher.directions.iter().map(|&t| f64::from(t)).collect();
        let [ts, tr] = neuron.places(g.constant(directions, &[count, d]));
        let weights: Vec<f64> = teacher.weights.iter().map(|&b| -f64::from(b)).collect();
        let tmass = g.constant(weights, &[count, 1]) * tr;
        Self {
            own,
            mass,
            places: g.concat(&[own, ts], 0),
            masses: g.concat(&[mass, tmass], 0),
        }
    }
}

/// Σ_j E[φ(u·x) φ(v_j·x)] mass_j for every place u of `at`, over the places v_j.
pub(super) fn product_sums<'g>(
    neuron: Neuron,
    at: Var<'g>,
    over: Var<'g>,
    masses: Var<'g>,
) -> Var<'g> {
    let kernel = PairSum {
        kernels: vec![neuron.kernel(Expr::arg(1))],
        channels: vec![1],
    };
    at.graph().pair_sum(kernel, at, over, masses, &[])
}

/// J = ½ E(f − f*)², a scalar.
///
/// **Shapes** `w: [m, d]`, `a: [m, 1]`.
pub(super) fn population<'g>(neuron: Neuron, w: Var<'g>, a: Var<'g>, teacher: &Teacher) -> Var<'g> {
    let Cloud { places, masses, .. } = Cloud::difference(neuron, w, a, teacher);
    0.5 * (masses * product_sums(neuron, places, places, masses)).total()
}

/// A function with the gradient of J: J is quadratic in a signed cloud and symmetric, so half of it, with the cloud that
/// acts held fixed, has the whole gradient at half the price.
pub(super) fn potential<'g>(neuron: Neuron, w: Var<'g>, a: Var<'g>, teacher: &Teacher) -> Var<'g> {
    let cloud = Cloud::difference(neuron, w, a, teacher);
    let (places, masses) = (cloud.places.stop_gradient(), cloud.masses.stop_gradient());
    (cloud.mass * product_sums(neuron, cloud.own, places, masses)).total()
}

/// max |E (f − f*) φ(u·x)| over the unit vectors `directions` and the neurons, each scaled to r = 1.
pub(super) fn largest_slope<'g>(
    neuron: Neuron,
    w: Var<'g>,
    a: Var<'g>,
    teacher: &Teacher,
    directions: &[f32],
) -> Var<'g> {
    let d = w.shape()[1];
    let Cloud {
        own,
        places,
        masses,
        ..
    } = Cloud::difference(neuron, w, a, teacher);
    let directions: Vec<f64> = directions.iter().map(|&u| f64::from(u)).collect();
    let shape = [directions.len() / d, d];
    let [fixed, _] = neuron.places(w.graph().constant(directions, &shape));
    let at = w.graph().concat(&[fixed, own], 0);
    let slopes = product_sums(neuron, at, places, masses).abs();
    slopes.max(0).reshape(&[])
}

/// ½ mean (f(x) − y)² with f(x) = Σ_j a_j φ(w_j·x).
///
/// **Shapes** `table: [n, d + 1]`, inputs and in the last column y; `w: [m, d]`, `a: [m, 1]`.
pub(super) fn mean_square<'g>(neuron: Neuron, table: Var<'g>, w: Var<'g>, a: Var<'g>) -> Var<'g> {
    let d = w.shape()[1];
    let (x, y) = (table.slice(1, 0, d), table.slice(1, d, 1));
    let error = two_layer(x, w, a, neuron.activation()) - y;
    error.square().total() * (0.5 / table.shape()[0] as f64)
}
