//! The way back through one evaluation of ∇Φ and ΔΦ, for a tile of samples.
//!
//! With γ and μ the adjoints of gradient and Laplacian, what is differentiated is γ·∇Φ + μ ΔΦ. One column ζ carries both
//! forward: ζ₁ = a₀ ⊙ K₀γ + μ σ″₀ ⊙ Σ_j K₀j², ζ_{ℓ+1} = ζ_ℓ + h a_ℓ ⊙ K_ℓζ_ℓ + μ h σ″_ℓ ⊙ Σ_j (K_ℓJ_j)²; it is the adjoint of z. Then
//! the adjoints of u and J come back through the layers in one product each.

use super::evaluation::{Evaluation, squares};
use super::products::{Columns, Start, load, outer, product, store};
use super::weights::Weights;
use super::{Lanes, TILE, filled};
use crate::graph::PotentialFlow;
use crate::kernels::Number;
use fearless_simd::{Simd, SimdFloat};
use fearless_simd_macros::simd;

/// Adjoints on the way back, and scratch.
pub(super) struct Pull<R> {
    /// Of the state x, `[d]`.
    pub state: Vec<Lanes<R>>,
    /// Of ẋ, `[d]`.
    pub slope: Vec<Lanes<R>>,
    /// γ, of ∇Φ: `[d + 1]`.
    pub gradient: Vec<Lanes<R>>,
    /// μ, of ΔΦ.
    pub laplacian: Lanes<R>,
    /// Of the point where Φ was evaluated, `[d + 1]`, time included.
    pub input: Vec<Lanes<R>>,
    /// K₀γ, `[m]`.
    along: Vec<Lanes<R>>,
    /// K_ℓζ_ℓ of each layer, `[m]`.
    carried: Vec<Vec<Lanes<R>>>,
    /// Of u and J below the present layer, `[m, d + 1]`.
    below: Vec<Lanes<R>>,
    /// Of pre-activation and K J of the present layer, and h a ⊙ z, `[m, d + 2]`.
    layer: Vec<Lanes<R>>,
}

impl<R: Number> Pull<R> {
    pub fn new(flow: &PotentialFlow) -> Self {
        let (m, d) = (flow.hidden, flow.d);
        let lanes = |count: usize| vec![filled(R::ZERO); count];
        Self {
            state: lanes(d),
            slope: lanes(d),
            gradient: lanes(d + 1),
            laplacian: filled(R::ZERO),
            input: lanes(d + 1),
            along: lanes(m),
            carried: vec![lanes(m); flow.layers],
            below: lanes(m * (d + 1)),
            layer: lanes(m * (d + 2)),
        }
    }
}

/// Sums over samples of what each parameter receives, lane by lane.
pub(super) struct Sums<R> {
    lanes: usize,
    offsets: crate::graph::Offsets,
    d: usize,
    m: usize,
    /// Of K₀ `[m, d + 1]`, by outer products.
    opening: Vec<R>,
    /// Of K₀ `[m, d]`, by J.
    directions: Vec<Lanes<R>>,
    /// μ σ″₀ z₁, `[m]`: half of what K₀ receives through Σ_j K₀j², over K₀.
    sizes: Vec<Lanes<R>>,
    opening_bias: Vec<Lanes<R>>,
    /// Of each K `[m, m]` and b `[m]`.
    layers: Vec<(Vec<R>, Vec<Lanes<R>>)>,
    w: Vec<Lanes<R>>,
    /// Σ γ sᵀ, `[d + 1, d + 1]`.
    moments: Vec<R>,
    linear: Vec<Lanes<R>>,
    /// Σ μ
    trace: Lanes<R>,
}

impl<R: Number> Sums<R> {
    /// Zeros, for vectors of `lanes`.
    pub fn new(flow: &PotentialFlow, lanes: usize) -> Self {
        let (m, d) = (flow.hidden, flow.d);
        let zeros = |count: usize| vec![R::ZERO; count * lanes];
        let wide = |count: usize| vec![filled(R::ZERO); count];
        Self {
            lanes,
            offsets: flow.offsets(),
            d,
            m,
            opening: zeros(m * (d + 1)),
            directions: wide(m * d),
            sizes: wide(m),
            opening_bias: wide(m),
            layers: vec![(zeros(m * m), wide(m)); flow.layers],
            w: wide(m),
            moments: zeros((d + 1) * (d + 1)),
            linear: wide(d + 1),
            trace: filled(R::ZERO),
        }
    }

    /// Adds the sums over lanes to a flat gradient.
    pub fn add_to(&self, out: &mut [R], weights: &Weights<'_, R>) {
        let (d, m, at, k) = (self.d, self.m, self.offsets, self.d + 1);
        let two = R::from_f64(2.0);
        for i in 0..m {
            let size = two * total(self.sizes[i].as_flattened());
            for j in 0..k {
                let e = i * k + j;
                out[e] += total(&self.opening[e * self.lanes..(e + 1) * self.lanes]);
                if j < d {
                    out[e] += total(self.directions[i * d + j].as_flattened())
                        + size * weights.opening[e];
                }
            }
        }
        add(&self.opening_bias, &mut out[at.opening_bias..]);
        for (l, (matrix, bias)) in self.layers.iter().enumerate() {
            let out = &mut out[at.residual + l * (m * m + m)..];
            for (o, partial) in out.iter_mut().zip(matrix.chunks_exact(self.lanes)) {
                *o += total(partial);
            }
            add(bias, &mut out[m * m..]);
        }
        add(&self.w, &mut out[at.weights..]);
        add(&self.linear, &mut out[at.linear..]);
        // γ·AᵀA s + μ tr AᵀA over the coordinates.
        let partial = self.moments.chunks_exact(self.lanes);
        let moments: Vec<R> = partial.map(total).collect();
        let trace = total(self.trace.as_flattened());
        let rows = weights.quadratic.chunks_exact(k);
        for (o, row) in out[at.quadratic..at.linear].chunks_exact_mut(k).zip(rows) {
            for j in 0..k {
                for i in 0..k {
                    o[j] += row[i] * (moments[i * k + j] + moments[j * k + i]);
                }
                if j < d {
                    o[j] += two * trace * row[j];
                }
            }
        }
    }
}

fn total<R: Number>(lanes: &[R]) -> R {
    lanes.iter().fold(R::ZERO, |s, &v| s + v)
}

fn add<R: Number>(sums: &[Lanes<R>], out: &mut [R]) {
    for (o, sum) in out.iter_mut().zip(sums) {
        *o += total(sum.as_flattened());
    }
}

/// Pulls `pull.gradient` and `pull.laplacian` back to the point, `pull.input`, and to the parameters.
#[simd]
pub(super) fn back<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    weights: &Weights<'_, R>,
    evaluation: &mut Evaluation<R>,
    pull: &mut Pull<R>,
    mut sums: Option<&mut Sums<R>>,
) {
    carry::<S, V, R>(simd, weights, evaluation, pull, sums.as_deref_mut());
    pull.below.fill(filled(R::ZERO));
    for l in (0..weights.layers.len()).rev() {
        let sums = sums.as_deref_mut();
        through_layer::<S, V, R>(simd, weights, evaluation, pull, l, sums);
    }
    through_opening::<S, V, R>(simd, weights, evaluation, pull, sums);
}

/// ζ through all layers, into the last column of each layer's input.
#[inline(always)]
fn carry<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    weights: &Weights<'_, R>,
    evaluation: &mut Evaluation<R>,
    pull: &mut Pull<R>,
    mut sums: Option<&mut Sums<R>>,
) {
    let one = V::splat(simd, R::ONE);
    let (d, m, h) = (weights.d, weights.m, weights.h);
    let (along, mu) = (&mut pull.along, pull.laplacian);
    let gamma = Columns::all(&pull.gradient, 1);
    let opening = &weights.opening_panels[0];
    product::<S, V, R>(simd, Start::Zero, (along, 1), opening, gamma, 1);
    for i in 0..m {
        let (a, size) = (&evaluation.opening[i], weights.sizes[i]);
        let zeta = &mut evaluation.layers[0].input[i * (d + 2) + d + 1];
        for v in (0..TILE).step_by(V::LEN) {
            let a = load::<S, V, R>(simd, a, v);
            let bend = load::<S, V, R>(simd, &mu, v) * (one - a * a) * size;
            store::<S, V, R>(
                a.mul_add(load::<S, V, R>(simd, &along[i], v), bend),
                zeta,
                v,
            );
        }
    }
    for (l, layer) in weights.layers.iter().enumerate() {
        let (now, after) = evaluation.layers[l..].split_at_mut(1);
        let (now, carried) = (&now[0], &mut pull.carried[l]);
        let zeta = Columns {
            data: &now.input,
            stride: d + 2,
            first: d + 1,
        };
        product::<S, V, R>(simd, Start::Zero, (carried, 1), &layer.k, zeta, 1);
        let w = sums.as_deref_mut().map(|sums| &mut sums.w);
        let next: Option<(&mut [Lanes<R>], usize)> = match after.first_mut() {
            Some(after) => Some((&mut after.input[d + 1..], d + 2)),
            None => w.map(|w| (&mut w[..], 1)),
        };
        let Some((next, stride)) = next else { continue };
        let last = l + 1 == weights.layers.len();
        for i in 0..m {
            let output = &now.output[i * (d + 1)..(i + 1) * (d + 1)];
            let zeta = &now.input[i * (d + 2) + d + 1];
            let next = &mut next[i * stride];
            for v in (0..TILE).step_by(V::LEN) {
                let a = load::<S, V, R>(simd, &output[0], v);
                let squares: V = squares(simd, &output[1..], v);
                let bend = load::<S, V, R>(simd, &mu, v) * (one - a * a) * squares;
                let value = load::<S, V, R>(simd, zeta, v)
                    + a.mul_add(load::<S, V, R>(simd, &carried[i], v), bend) * h;
                let value = if last {
                    load::<S, V, R>(simd, next, v) + value
                } else {
                    value
                };
                store::<S, V, R>(value, next, v);
            }
        }
    }
}

/// Adjoints of u and J from above layer `l` to below it.
#[inline(always)]
fn through_layer<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    weights: &Weights<'_, R>,
    evaluation: &Evaluation<R>,
    pull: &mut Pull<R>,
    l: usize,
    sums: Option<&mut Sums<R>>,
) {
    let one = V::splat(simd, R::ONE);
    let (d, m, h) = (weights.d, weights.m, weights.h);
    let (now, after) = (&evaluation.layers[l], evaluation.layers.get(l + 1));
    let mu = pull.laplacian;
    let two = R::from_f64(2.0);
    for i in 0..m {
        let above = match after {
            Some(after) => after.z[i],
            None => filled(weights.w[i]),
        };
        let output = &now.output[i * (d + 1)..(i + 1) * (d + 1)];
        let below = &pull.below[i * (d + 1)..(i + 1) * (d + 1)];
        let layer = &mut pull.layer[i * (d + 2)..(i + 1) * (d + 2)];
        let carried = &pull.carried[l][i];
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (
                load::<S, V, R>(simd, &output[0], v),
                load::<S, V, R>(simd, &above, v),
            );
            let flat = one - a * a;
            let bend = load::<S, V, R>(simd, &mu, v) * flat * z;
            let mut squares = V::splat(simd, R::ZERO);
            // Of a by z and J, and through σ″ by the Laplacian.
            let mut slope = z * load::<S, V, R>(simd, carried, v);
            for j in 1..=d {
                let (p, up) = (
                    load::<S, V, R>(simd, &output[j], v),
                    load::<S, V, R>(simd, &below[j], v),
                );
                squares = p.mul_add(p, squares);
                slope = p.mul_add(up, slope);
                store::<S, V, R>((bend * p * two + a * up) * h, &mut layer[j], v);
            }
            let curvature = flat * slope - a * bend * squares * two;
            store::<S, V, R>(
                a.mul_add(load::<S, V, R>(simd, &below[0], v), curvature) * h,
                &mut layer[0],
                v,
            );
            store::<S, V, R>(a * z * h, &mut layer[d + 1], v);
        }
    }
    let columns = Columns::all(&pull.layer, d + 2);
    let (below, transposed) = (&mut pull.below, &weights.layers[l].transposed);
    product::<S, V, R>(simd, Start::Add, (below, d + 1), transposed, columns, d + 1);
    if let Some(sums) = sums {
        let (matrix, bias) = &mut sums.layers[l];
        let input = Columns::all(&now.input, d + 2);
        outer::<S, V, R>(simd, matrix, columns, input, d + 2);
        for (bias, layer) in bias.iter_mut().zip(pull.layer.chunks_exact(d + 2)) {
            for v in (0..TILE).step_by(V::LEN) {
                let more = load::<S, V, R>(simd, bias, v) + load::<S, V, R>(simd, &layer[0], v);
                store::<S, V, R>(more, bias, v);
            }
        }
    }
}

/// Adjoints of u₀ and J₀ to the point.
#[inline(always)]
fn through_opening<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    weights: &Weights<'_, R>,
    evaluation: &Evaluation<R>,
    pull: &mut Pull<R>,
    sums: Option<&mut Sums<R>>,
) {
    let one = V::splat(simd, R::ONE);
    let (d, m) = (weights.d, weights.m);
    let mu = pull.laplacian;
    let two = R::from_f64(2.0);
    // Columns: of the pre-activation, and a₀ ⊙ z₁.
    let mut both = vec![filled(R::ZERO); 2 * m];
    for (i, both) in both.chunks_exact_mut(2).enumerate() {
        let (a, z) = (&evaluation.opening[i], &evaluation.layers[0].z[i]);
        let below = &pull.below[i * (d + 1)..(i + 1) * (d + 1)];
        let row = &weights.opening[i * (d + 1)..];
        let [pre, scaled] = both else { continue };
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (load::<S, V, R>(simd, a, v), load::<S, V, R>(simd, z, v));
            let mut slope = z * load::<S, V, R>(simd, &pull.along[i], v);
            for (up, &k) in below[1..].iter().zip(row) {
                slope += load::<S, V, R>(simd, up, v) * k;
            }
            let bend = load::<S, V, R>(simd, &mu, v) * z * weights.sizes[i];
            let curvature = (one - a * a) * (slope - a * bend * two);
            store::<S, V, R>(
                a.mul_add(load::<S, V, R>(simd, &below[0], v), curvature),
                pre,
                v,
            );
            store::<S, V, R>(a * z, scaled, v);
        }
    }
    let pre = Columns::all(&both, 2);
    let input = &mut pull.input;
    let transposed = &weights.opening_panels[1];
    product::<S, V, R>(simd, Start::Zero, (input, 1), transposed, pre, 1);
    let gamma = Columns::all(&pull.gradient, 1);
    product::<S, V, R>(simd, Start::Add, (input, 1), &weights.square, gamma, 1);
    let Some(sums) = sums else { return };
    let points = evaluation.s.iter().zip(&pull.gradient);
    let points: Vec<Lanes<R>> = points.flat_map(|(s, gamma)| [*s, *gamma]).collect();
    outer::<S, V, R>(simd, &mut sums.opening, pre, Columns::all(&points, 2), 2);
    let point = Columns::all(&evaluation.s, 1);
    outer::<S, V, R>(simd, &mut sums.moments, gamma, point, 1);
    for i in 0..m {
        let (a, z) = (&evaluation.opening[i], &evaluation.layers[0].z[i]);
        let below = &pull.below[i * (d + 1) + 1..(i + 1) * (d + 1)];
        let directions = &mut sums.directions[i * d..(i + 1) * d];
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (load::<S, V, R>(simd, a, v), load::<S, V, R>(simd, z, v));
            for (sum, up) in directions.iter_mut().zip(below) {
                store::<S, V, R>(
                    a.mul_add(load::<S, V, R>(simd, up, v), load::<S, V, R>(simd, sum, v)),
                    sum,
                    v,
                );
            }
            let (size, bias) = (&mut sums.sizes[i], &mut sums.opening_bias[i]);
            store::<S, V, R>(
                load::<S, V, R>(simd, size, v) + load::<S, V, R>(simd, &mu, v) * (one - a * a) * z,
                size,
                v,
            );
            store::<S, V, R>(
                load::<S, V, R>(simd, bias, v) + load::<S, V, R>(simd, &both[2 * i], v),
                bias,
                v,
            );
        }
    }
    for v in (0..TILE).step_by(V::LEN) {
        for (sum, gamma) in sums.linear.iter_mut().zip(&pull.gradient) {
            let more = load::<S, V, R>(simd, sum, v) + load::<S, V, R>(simd, gamma, v);
            store::<S, V, R>(more, sum, v);
        }
        let more = load::<S, V, R>(simd, &sums.trace, v) + load::<S, V, R>(simd, &mu, v);
        store::<S, V, R>(more, &mut sums.trace, v);
    }
}
