//! ∇Φ and ΔΦ for a tile of samples, with the activations that the way back needs.

use super::activation::Activation;
use super::products::{Columns, Start, load, product, store};
use super::weights::Weights;
use super::{Lanes, TILE, filled, zeros};
use crate::graph::PotentialFlow;
use crate::kernels::Number;
use fearless_simd::{Simd, SimdFloat};
use fearless_simd_macros::simd;
use std::ops::Range;

/// What is kept of a residual layer.
pub(super) struct Kept<R> {
    /// Its input u, its derivatives J along the d coordinates, and a column for the way back: `[m, d + 2]`.
    pub input: Box<[Lanes<R>]>,
    /// a = tanh of the pre-activations, and K J: `[m, d + 1]`.
    pub output: Box<[Lanes<R>]>,
    /// z, the derivative of Φ with respect to the input: `[m]`.
    pub z: Box<[Lanes<R>]>,
}

/// One evaluation at a point (x, t).
pub(super) struct Evaluation<R> {
    /// The point, `[d + 1]`.
    pub s: Box<[Lanes<R>]>,
    /// tanh of the opening's pre-activations, `[m]`.
    pub opening: Box<[Lanes<R>]>,
    /// Residual layers.
    pub layers: Box<[Kept<R>]>,
    /// ∇Φ, `[d + 1]`.
    pub gradient: Box<[Lanes<R>]>,
    /// ΔΦ
    pub laplacian: Lanes<R>,
}

impl<R: Number> Evaluation<R> {
    pub fn new(flow: &PotentialFlow) -> Self {
        let (m, d) = (flow.hidden, flow.d);
        let lanes = |count| zeros(count);
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
            laplacian: filled(R::ZERO),
        }
    }
}

/// Evaluates at `evaluation.s`.
#[simd]
pub(super) fn forward<S: Simd, V: SimdFloat<S, Element = R>, R: Number, A: Activation<S, V>>(
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
    let [straight, transposed] = &weights.opening_panels;
    product::<S, V, R>(simd, Start::Zero, (opening, 1), straight, point, 1);
    let input = &mut layers[0].input;
    for i in 0..m {
        let (bias, row, to) = (weights.opening_bias[i], i * (d + 1), i * (d + 2));
        for v in (0..TILE).step_by(V::LEN) {
            let (tanh, sigma) = A::at(simd, load::<S, V, R>(simd, &opening[i], v) + bias);
            store::<S, V, R>(tanh, &mut opening[i], v);
            store::<S, V, R>(sigma, &mut input[to], v);
            for j in 0..d {
                let k = weights.opening[row + j];
                store::<S, V, R>(tanh * k, &mut input[to + 1 + j], v);
            }
        }
    }
    for (l, layer) in weights.layers.iter().enumerate() {
        let (now, after) = layers[l..].split_at_mut(1);
        let Kept { input, output, .. } = &mut now[0];
        let columns = Columns::all(input, d + 2);
        product::<S, V, R>(simd, Start::Zero, (output, d + 1), &layer.k, columns, d + 1);
        for i in 0..m {
            let (bias, from, to) = (layer.bias[i], i * (d + 1), i * (d + 2));
            for v in (0..TILE).step_by(V::LEN) {
                let (a, sigma) = A::at(simd, load::<S, V, R>(simd, &output[from], v) + bias);
                store::<S, V, R>(a, &mut output[from], v);
                let Some(after) = after.first_mut() else {
                    continue;
                };
                let next = &mut after.input;
                let u = load::<S, V, R>(simd, &input[to], v) + sigma * h;
                store::<S, V, R>(u, &mut next[to], v);
                for j in 1..=d {
                    let p = load::<S, V, R>(simd, &output[from + j], v);
                    let u = load::<S, V, R>(simd, &input[to + j], v) + a * p * h;
                    store::<S, V, R>(u, &mut next[to + j], v);
                }
            }
        }
    }
    *laplacian = filled(weights.trace);
    let mut pulled = zeros(m);
    for (l, layer) in weights.layers.iter().enumerate().rev() {
        let (now, after) = layers[l..].split_at_mut(1);
        let Kept { output, z, .. } = &mut now[0];
        for i in 0..m {
            let above = match after.first() {
                Some(after) => after.z[i],
                None => filled(weights.w[i]),
            };
            let from = i * (d + 1);
            for v in (0..TILE).step_by(V::LEN) {
                let (a, scaled) = (
                    load::<S, V, R>(simd, &output[from], v),
                    load::<S, V, R>(simd, &above, v) * h,
                );
                let squares: V = squares(simd, output, from + 1..from + 1 + d, v);
                let bend = (V::splat(simd, R::ONE) - a * a) * scaled;
                store::<S, V, R>(a * scaled, &mut pulled[i], v);
                store::<S, V, R>(
                    bend.mul_add(squares, load::<S, V, R>(simd, laplacian, v)),
                    laplacian,
                    v,
                );
            }
            z[i] = above;
        }
        let pulled = Columns::all(&pulled, 1);
        product::<S, V, R>(simd, Start::Add, (z, 1), &layer.transposed, pulled, 1);
    }
    for i in 0..m {
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (
                load::<S, V, R>(simd, &opening[i], v),
                load::<S, V, R>(simd, &layers[0].z[i], v),
            );
            let bend = (V::splat(simd, R::ONE) - a * a) * z * weights.sizes[i];
            store::<S, V, R>(a * z, &mut pulled[i], v);
            store::<S, V, R>(load::<S, V, R>(simd, laplacian, v) + bend, laplacian, v);
        }
    }
    for (g, &b) in gradient.iter_mut().zip(weights.linear) {
        *g = filled(b);
    }
    let pulled = Columns::all(&pulled, 1);
    product::<S, V, R>(simd, Start::Add, (gradient, 1), transposed, pulled, 1);
    let point = Columns::all(s, 1);
    product::<S, V, R>(simd, Start::Add, (gradient, 1), &weights.square, point, 1);
}

/// Σ_j P_j² over some columns, lanes from `v` on.
#[inline(always)]
pub(super) fn squares<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    columns: &[Lanes<R>],
    which: Range<usize>,
    v: usize,
) -> V {
    let mut sum = V::splat(simd, R::ZERO);
    for j in which {
        let p = load::<S, V, R>(simd, &columns[j], v);
        sum = p.mul_add(p, sum);
    }
    sum
}
