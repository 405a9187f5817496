//! ∇Φ and ΔΦ for a tile of samples, with the activations that the way back needs.

use super::activation::Activation;
use super::products::{Columns, Start, load, product, store};
use super::weights::Weights;
use super::{Lanes, TILE, filled};
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
        let lanes = |count: usize| vec![filled(R::ZERO); count];
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
    let inputs = layers[0].input.chunks_exact_mut(d + 2);
    for (i, (a, input)) in opening.iter_mut().zip(inputs).enumerate() {
        let (bias, row) = (weights.opening_bias[i], &weights.opening[i * (d + 1)..]);
        for v in (0..TILE).step_by(V::LEN) {
            let (tanh, sigma) = A::at(simd, load::<S, V, R>(simd, a, v) + bias);
            store::<S, V, R>(tanh, a, v);
            store::<S, V, R>(sigma, &mut input[0], v);
            for (j, &k) in input[1..=d].iter_mut().zip(row) {
                store::<S, V, R>(tanh * k, j, v);
            }
        }
    }
    for (l, layer) in weights.layers.iter().enumerate() {
        let (now, after) = layers[l..].split_at_mut(1);
        let Kept { input, output, .. } = &mut now[0];
        let columns = Columns::all(input, d + 2);
        product::<S, V, R>(simd, Start::Zero, (output, d + 1), &layer.k, columns, d + 1);
        for i in 0..m {
            let output = &mut output[i * (d + 1)..(i + 1) * (d + 1)];
            let now = &input[i * (d + 2)..(i + 1) * (d + 2)];
            for v in (0..TILE).step_by(V::LEN) {
                let (a, sigma) = A::at(simd, load::<S, V, R>(simd, &output[0], v) + layer.bias[i]);
                store::<S, V, R>(a, &mut output[0], v);
                let Some(after) = after.first_mut() else {
                    continue;
                };
                let next = &mut after.input[i * (d + 2)..(i + 1) * (d + 2)];
                store::<S, V, R>(
                    load::<S, V, R>(simd, &now[0], v) + sigma * h,
                    &mut next[0],
                    v,
                );
                for j in 1..=d {
                    store::<S, V, R>(
                        load::<S, V, R>(simd, &now[j], v)
                            + a * load::<S, V, R>(simd, &output[j], v) * h,
                        &mut next[j],
                        v,
                    );
                }
            }
        }
    }
    *laplacian = filled(weights.trace);
    let mut pulled = vec![filled(R::ZERO); m];
    for (l, layer) in weights.layers.iter().enumerate().rev() {
        let (now, after) = layers[l..].split_at_mut(1);
        let Kept { output, z, .. } = &mut now[0];
        for i in 0..m {
            let above = match after.first() {
                Some(after) => after.z[i],
                None => filled(weights.w[i]),
            };
            let output = &output[i * (d + 1)..(i + 1) * (d + 1)];
            for v in (0..TILE).step_by(V::LEN) {
                let (a, scaled) = (
                    load::<S, V, R>(simd, &output[0], v),
                    load::<S, V, R>(simd, &above, v) * h,
                );
                let squares: V = squares(simd, &output[1..], v);
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

/// Σ_j P_j², lanes from `v` on.
#[inline(always)]
pub(super) fn squares<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    derivatives: &[Lanes<R>],
    v: usize,
) -> V {
    let mut sum = V::splat(simd, R::ZERO);
    for p in derivatives {
        let p = load::<S, V, R>(simd, p, v);
        sum = p.mul_add(p, sum);
    }
    sum
}
