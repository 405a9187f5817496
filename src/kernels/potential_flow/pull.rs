//! The way back through one evaluation of ∇Φ and ΔΦ, for a tile of samples.
//!
//! With γ and μ the adjoints of gradient and Laplacian, what is differentiated is γ·∇Φ + μ ΔΦ. One column ζ carries both
//! forward: ζ₁ = a₀ ⊙ K₀γ + μ σ″₀ ⊙ Σ_j K₀j², ζ_{ℓ+1} = ζ_ℓ + h a_ℓ ⊙ K_ℓζ_ℓ + μ h σ″_ℓ ⊙ Σ_j (K_ℓJ_j)²; it is the adjoint of z. Then
//! the adjoints of u and J come back through the layers in one product each.

use super::evaluation::{Evaluation, squares};
use super::products::{Columns, Start, load, outer, product, store};
use super::weights::Weights;
use super::{Lanes, TILE, filled, zeros};
use crate::graph::PotentialFlow;
use crate::kernels::Number;
use fearless_simd::{Simd, SimdFloat};
use fearless_simd_macros::simd;

/// Adjoints on the way back, and scratch.
pub(super) struct Pull<R> {
    /// Of the state x, `[d]`.
    pub state: Box<[Lanes<R>]>,
    /// Of ẋ, `[d]`.
    pub slope: Box<[Lanes<R>]>,
    /// γ, of ∇Φ: `[d + 1]`.
    pub gradient: Box<[Lanes<R>]>,
    /// μ, of ΔΦ.
    pub laplacian: Lanes<R>,
    /// Of the point where Φ was evaluated, `[d + 1]`, time included.
    pub input: Box<[Lanes<R>]>,
    /// K₀γ, `[m]`.
    along: Box<[Lanes<R>]>,
    /// K_ℓζ_ℓ of each layer, `[m]`.
    carried: Box<[Box<[Lanes<R>]>]>,
    /// Of u and J below the present layer, `[m, d + 1]`.
    below: Box<[Lanes<R>]>,
    /// Of pre-activation and K J of the present layer, and h a ⊙ z, `[m, d + 2]`.
    layer: Box<[Lanes<R>]>,
}

impl<R: Number> Pull<R> {
    pub fn new(flow: &PotentialFlow) -> Self {
        let (m, d) = (flow.hidden, flow.d);
        Self {
            state: zeros(d),
            slope: zeros(d),
            gradient: zeros(d + 1),
            laplacian: filled(R::ZERO),
            input: zeros(d + 1),
            along: zeros(m),
            carried: vec![zeros(m); flow.layers].into(),
            below: zeros(m * (d + 1)),
            layer: zeros(m * (d + 2)),
        }
    }
}

/// Of K `[m, m]` and b `[m]` of one layer.
type LayerSums<R> = (Box<[R]>, Box<[Lanes<R>]>);

/// Sums over samples of what each parameter receives, lane by lane.
pub(super) struct Sums<R> {
    lanes: usize,
    offsets: crate::graph::Offsets,
    d: usize,
    m: usize,
    /// Of K₀ `[m, d + 1]`, by outer products.
    opening: Box<[R]>,
    /// Of K₀ `[m, d]`, by J.
    directions: Box<[Lanes<R>]>,
    /// μ σ″₀ z₁, `[m]`: half of what K₀ receives through Σ_j K₀j², over K₀.
    sizes: Box<[Lanes<R>]>,
    opening_bias: Box<[Lanes<R>]>,
    /// Of each residual layer.
    layers: Box<[LayerSums<R>]>,
    w: Box<[Lanes<R>]>,
    /// Σ γ sᵀ, `[d + 1, d + 1]`.
    moments: Box<[R]>,
    linear: Box<[Lanes<R>]>,
    /// Σ μ
    trace: Lanes<R>,
}

impl<R: Number> Sums<R> {
    /// Zeros, for vectors of `lanes`.
    pub fn new(flow: &PotentialFlow, lanes: usize) -> Self {
        let (m, d) = (flow.hidden, flow.d);
        let narrow = |count: usize| vec![R::ZERO; count * lanes].into();
        Self {
            lanes,
            offsets: flow.offsets(),
            d,
            m,
            opening: narrow(m * (d + 1)),
            directions: zeros(m * d),
            sizes: zeros(m),
            opening_bias: zeros(m),
            layers: vec![(narrow(m * m), zeros(m)); flow.layers].into(),
            w: zeros(m),
            moments: narrow((d + 1) * (d + 1)),
            linear: zeros(d + 1),
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
            let from = i * (d + 1);
            let zeta = &now.input[i * (d + 2) + d + 1];
            let next = &mut next[i * stride];
            for v in (0..TILE).step_by(V::LEN) {
                let a = load::<S, V, R>(simd, &now.output[from], v);
                let squares: V = squares(simd, &now.output, from + 1..from + 1 + d, v);
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
        let (from, to) = (i * (d + 1), i * (d + 2));
        let (output, below, layer) = (&now.output, &pull.below, &mut pull.layer);
        let carried = &pull.carried[l][i];
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (
                load::<S, V, R>(simd, &output[from], v),
                load::<S, V, R>(simd, &above, v),
            );
            let flat = one - a * a;
            let bend = load::<S, V, R>(simd, &mu, v) * flat * z;
            let mut squares = V::splat(simd, R::ZERO);
            // Of a by z and J, and through σ″ by the Laplacian.
            let mut slope = z * load::<S, V, R>(simd, carried, v);
            for j in 1..=d {
                let (p, up) = (
                    load::<S, V, R>(simd, &output[from + j], v),
                    load::<S, V, R>(simd, &below[from + j], v),
                );
                squares = p.mul_add(p, squares);
                slope = p.mul_add(up, slope);
                store::<S, V, R>((bend * p * two + a * up) * h, &mut layer[to + j], v);
            }
            let curvature = flat * slope - a * bend * squares * two;
            let value = a.mul_add(load::<S, V, R>(simd, &below[from], v), curvature) * h;
            store::<S, V, R>(value, &mut layer[to], v);
            store::<S, V, R>(a * z * h, &mut layer[to + d + 1], v);
        }
    }
    let columns = Columns::all(&pull.layer, d + 2);
    let (below, transposed) = (&mut pull.below, &weights.layers[l].transposed);
    product::<S, V, R>(simd, Start::Add, (below, d + 1), transposed, columns, d + 1);
    if let Some(sums) = sums {
        let (matrix, bias) = &mut sums.layers[l];
        let input = Columns::all(&now.input, d + 2);
        outer::<S, V, R>(simd, matrix, columns, input, d + 2);
        for i in 0..m {
            for v in (0..TILE).step_by(V::LEN) {
                let more = load::<S, V, R>(simd, &pull.layer[i * (d + 2)], v);
                store::<S, V, R>(load::<S, V, R>(simd, &bias[i], v) + more, &mut bias[i], v);
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
    let mut both = zeros(2 * m);
    for i in 0..m {
        let (a, z) = (&evaluation.opening[i], &evaluation.layers[0].z[i]);
        let from = i * (d + 1);
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (load::<S, V, R>(simd, a, v), load::<S, V, R>(simd, z, v));
            let mut slope = z * load::<S, V, R>(simd, &pull.along[i], v);
            for j in 0..d {
                let up = load::<S, V, R>(simd, &pull.below[from + 1 + j], v);
                slope += up * weights.opening[from + j];
            }
            let bend = load::<S, V, R>(simd, &mu, v) * z * weights.sizes[i];
            let curvature = (one - a * a) * (slope - a * bend * two);
            let pre = a.mul_add(load::<S, V, R>(simd, &pull.below[from], v), curvature);
            store::<S, V, R>(pre, &mut both[2 * i], v);
            store::<S, V, R>(a * z, &mut both[2 * i + 1], v);
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
        for v in (0..TILE).step_by(V::LEN) {
            let (a, z) = (load::<S, V, R>(simd, a, v), load::<S, V, R>(simd, z, v));
            for j in 0..d {
                let up = load::<S, V, R>(simd, &pull.below[i * (d + 1) + 1 + j], v);
                let sum = &mut sums.directions[i * d + j];
                store::<S, V, R>(a.mul_add(up, load::<S, V, R>(simd, sum, v)), sum, v);
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
