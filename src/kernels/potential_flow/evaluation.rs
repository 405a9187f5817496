//! ∇Φ and ΔΦ for a tile of samples, with the activations that the way back needs.

use super::products::{Columns, Start, product};
use super::weights::Weights;
use super::{Lanes, TILE};
use crate::graph::PotentialFlow;
use crate::kernels::Number;
use fearless_simd::{Simd, SimdFloat};
use fearless_simd_macros::simd;

/// What is kept of a residual layer.
pub(super) struct Kept<R> {
    /// Its input u, its derivatives J along the d coordinates, and a column for the way back: `[m, d + 2]`.
    pub input: Vec<Lanes<R>>,
    /// a = tanh of the pre-activations, and K J: `[m, d + 1]`.
    pub output: Vec<Lanes<R>>,
    /// z, the derivative of Φ with respect to the input: `[m]`.
    pub z: Vec<Lanes<R>>,
}

/// One evaluation at a point (x, t).
pub(super) struct Evaluation<R> {
    /// The point, `[d + 1]`.
    pub s: Vec<Lanes<R>>,
    /// tanh of the opening's pre-activations, `[m]`.
    pub opening: Vec<Lanes<R>>,
    /// Residual layers.
    pub layers: Vec<Kept<R>>,
    /// ∇Φ, `[d + 1]`.
    pub gradient: Vec<Lanes<R>>,
    /// ΔΦ
    pub laplacian: Lanes<R>,
}

impl<R: Number> Evaluation<R> {
    pub fn new(flow: &PotentialFlow) -> Self {
        let (m, d) = (flow.hidden, flow.d);
        let lanes = |count: usize| vec![[R::ZERO; TILE]; count];
        let layer = |_| Kept {
            input: lanes(m * (d + 2)),
            output: lanes(m * (d + 1)),
            z: lanes(m),
        };
        Self {
            s: lanes(d + 1),
            opening: lanes(m),
            layers: (0..flow.layers).map(layer).collect(),
            gradient: lanes(d + 1),
            laplacian: [R::ZERO; TILE],
        }
    }
}

/// tanh q and log(e^q + e^−q), of one exponential.
#[inline(always)]
fn activation<R: Number>(q: R) -> (R, R) {
    let size = q.abs();
    let u = (R::from_f64(-2.0) * size).exp();
    let sum = R::ONE + u;
    let tanh = (R::ONE - u) / sum;
    let tanh = if q < R::ZERO { -tanh } else { tanh };
    (tanh, size + sum.ln())
}

/// Evaluates at `evaluation.s`.
#[simd]
pub(super) fn forward<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    weights: &Weights<'_, R>,
    evaluation: &mut Evaluation<R>,
) {
    let Evaluation {
        s,
        opening,
        layers,
        gradient,
        laplacian,
    } = evaluation;
    let (d, m, h) = (weights.d, weights.m, weights.h);
    let point = Columns::all(s, 1);
    product::<S, V, R>(simd, Start::Zero, (opening, 1), weights.opening, point, 1);
    let inputs = layers[0].input.chunks_exact_mut(d + 2);
    for (i, (a, input)) in opening.iter_mut().zip(inputs).enumerate() {
        let bias = weights.opening_bias[i];
        for t in 0..TILE {
            (a[t], input[0][t]) = activation(a[t] + bias);
        }
        let row = &weights.opening[i * (d + 1)..];
        for (j, &k) in input[1..=d].iter_mut().zip(row) {
            for t in 0..TILE {
                j[t] = k * a[t];
            }
        }
    }
    for (l, layer) in weights.layers.iter().enumerate() {
        let (now, after) = layers[l..].split_at_mut(1);
        let Kept { input, output, .. } = &mut now[0];
        let columns = Columns::all(input, d + 2);
        product::<S, V, R>(simd, Start::Zero, (output, d + 1), layer.k, columns, d + 1);
        for i in 0..m {
            let output = &mut output[i * (d + 1)..(i + 1) * (d + 1)];
            let (a, derivatives) = output.split_at_mut(1);
            let (a, bias) = (&mut a[0], layer.bias[i]);
            let mut sigma = [R::ZERO; TILE];
            for t in 0..TILE {
                (a[t], sigma[t]) = activation(a[t] + bias);
            }
            if let Some(after) = after.first_mut() {
                let next = &mut after.input[i * (d + 2)..];
                let now = &input[i * (d + 2)..];
                for t in 0..TILE {
                    next[0][t] = now[0][t] + h * sigma[t];
                }
                for j in 0..d {
                    for t in 0..TILE {
                        next[1 + j][t] = now[1 + j][t] + h * a[t] * derivatives[j][t];
                    }
                }
            }
        }
    }
    *laplacian = [weights.trace; TILE];
    let mut pulled = vec![[R::ZERO; TILE]; m];
    for (l, layer) in weights.layers.iter().enumerate().rev() {
        let (now, after) = layers[l..].split_at_mut(1);
        let Kept { output, z, .. } = &mut now[0];
        for i in 0..m {
            let above = match after.first() {
                Some(after) => after.z[i],
                None => [weights.w[i]; TILE],
            };
            let output = &output[i * (d + 1)..(i + 1) * (d + 1)];
            let (a, squares) = (&output[0], squares(&output[1..]));
            for t in 0..TILE {
                let scaled = h * above[t];
                pulled[i][t] = a[t] * scaled;
                laplacian[t] += (R::ONE - a[t] * a[t]) * scaled * squares[t];
            }
            z[i] = above;
        }
        let pulled = Columns::all(&pulled, 1);
        product::<S, V, R>(simd, Start::Add, (z, 1), &layer.transposed, pulled, 1);
    }
    for i in 0..m {
        let (a, z, size) = (&opening[i], &layers[0].z[i], weights.sizes[i]);
        for t in 0..TILE {
            pulled[i][t] = a[t] * z[t];
            laplacian[t] += (R::ONE - a[t] * a[t]) * z[t] * size;
        }
    }
    for (g, &b) in gradient.iter_mut().zip(weights.linear) {
        *g = [b; TILE];
    }
    let pulled = Columns::all(&pulled, 1);
    let transposed = &weights.opening_transposed;
    product::<S, V, R>(simd, Start::Add, (gradient, 1), transposed, pulled, 1);
    let point = Columns::all(s, 1);
    product::<S, V, R>(simd, Start::Add, (gradient, 1), &weights.square, point, 1);
}

/// Σ_j P_j²
#[inline(always)]
pub(super) fn squares<R: Number>(derivatives: &[Lanes<R>]) -> Lanes<R> {
    let mut sum = [R::ZERO; TILE];
    for p in derivatives {
        for t in 0..TILE {
            sum[t] += p[t] * p[t];
        }
    }
    sum
}
