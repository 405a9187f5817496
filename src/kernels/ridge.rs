//! Fast path of the pairwise sum for ridge kernels relu(x·y) and 1(x·y ≥ 0): a two-layer ReLU network and both its gradients.
//!
//! out[i, c] = Σ_j relu(x_i·y_j) v[j, c] is the network where x are samples, y the inner and v the outer weights; with the
//! roles of x and y exchanged the same loops sum the gradients of each hidden unit over all samples, in registers. No
//! activation is stored. Lanes run over i; each row sums over j in order, whatever the width.

use super::pair_sum::Job;
use crate::expr::Expr;
use fearless_simd::{Bytes, Level, Select, Simd, SimdBase, SimdFloat, SimdMask, dispatch};
use fearless_simd_macros::simd;

/// A kernel of x·y that this path knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ridge {
    Relu,
    Step,
}

/// The ReLU as reverse mode and systems spell it: max(x·y, 0).
pub fn relu() -> Expr {
    Expr::arg(1).largest(0.0)
}

/// Runs `job` if its kernels are relu(x·y), its derivative, or the one and then the other; false otherwise.
pub fn run(level: Level, job: &mut Job<'_, f32>) -> bool {
    let relu = relu();
    let step = relu.derivative(1);
    let known = |kernel: &Expr| match kernel {
        k if *k == relu => Some(Ridge::Relu),
        k if *k == step => Some(Ridge::Step),
        _ => None,
    };
    let kinds: Option<Vec<Ridge>> = job.sum.kernels.iter().map(known).collect();
    let (first, second) = match (kinds.as_deref(), &job.sum.channels[..]) {
        (Some([Ridge::Relu]), &[width]) => (width, 0),
        (Some([Ridge::Step]), &[width]) => (0, width),
        (Some([Ridge::Relu, Ridge::Step]), &[first, second]) => (first, second),
        _ => return false,
    };
    match (job.d, first, second) {
        (2, 1, 0) => dispatch!(level, simd => network::<_, 2, 4, false>(simd, job)),
        (3, 1, 0) => dispatch!(level, simd => network3(simd, job)),
        (2, 1, 2) if is_gradient(job) => {
            dispatch!(level, simd => gradient::<_, 2, 3, 2, false>(simd, job));
        }
        (3, 1, 3) if is_gradient(job) => dispatch!(level, simd => gradient3(simd, job)),
        _ => dispatch!(level, simd => any(simd, job, first)),
    }
    true
}

/// Whether the weights of the steps are those of the ReLU times the positions, v_j = (g_j, g_j y_j): then
/// Σ_j relu(x·y_j) g_j = x·Σ_j 1(x·y_j ≥ 0) g_j y_j, since relu(z) = z relu′(z), and the first channel needs no sum of its own.
/// So it is in the gradient of every two-layer network.
fn is_gradient(job: &Job<'_, f32>) -> bool {
    // ∞·0 would be a NaN that the sum itself does not have. Every entry is looked at, which is quicker than to stop early.
    let finite = |data: &[f32]| data.iter().fold(true, |all, v| all & v.is_finite());
    let mut sources = job.y.chunks_exact(job.d).zip(job.v.chunks_exact(job.d + 1));
    finite(job.x)
        && finite(job.y)
        && finite(job.v)
        && sources.all(|(y, v)| y.iter().zip(&v[1..]).all(|(y, s)| *s == v[0] * y))
}

/// `B` vectors of rows from `start`: coordinate a in `[a][b]`; rows past the end repeat the last.
#[inline(always)]
fn rows<S: Simd, const D: usize, const B: usize>(
    simd: S,
    x: &[f32],
    start: usize,
    len: usize,
) -> [[S::f32s; B]; D] {
    let lanes = S::f32s::LEN;
    let mut out = [[S::f32s::splat(simd, 0.0); B]; D];
    let mut column = [0f32; 64];
    for a in 0..D {
        for i in 0..B * lanes {
            column[i] = x[(start + i.min(len - 1)) * D + a];
        }
        for b in 0..B {
            out[a][b] = S::f32s::from_slice(simd, &column[b * lanes..(b + 1) * lanes]);
        }
    }
    out
}

/// Whether every point ends in the coordinate 1, as samples do where neurons have biases. Then that coordinate is no factor:
/// x·y is a sum of two products and a number.
fn ends_in_one(points: &[[f32; 3]]) -> bool {
    points
        .iter()
        .fold(true, |all, point| all & (point[2] == 1.0))
}

/// The sum of the first `factors` products of x·y for `B` vectors of rows.
#[inline(always)]
fn products<S: Simd, const D: usize, const B: usize>(
    simd: S,
    x: &[[S::f32s; B]; D],
    y: &[f32; D],
    factors: usize,
) -> [S::f32s; B] {
    let first = S::f32s::splat(simd, y[0]);
    let mut z = [first; B];
    for b in 0..B {
        z[b] = x[0][b] * first;
    }
    for a in 1..factors {
        let y = S::f32s::splat(simd, y[a]);
        for b in 0..B {
            z[b] = x[a][b].mul_add(y, z[b]);
        }
    }
    z
}

/// max(z, 0). The browser's own maximum takes eight instructions for the sake of NaN; that of the bits as integers takes one.
#[inline(always)]
fn positive<S: Simd>(simd: S, z: S::f32s) -> S::f32s {
    if cfg!(target_arch = "wasm32") {
        let bits: S::i32s = z.bitcast();
        return bits.max(S::i32s::splat(simd, 0)).bitcast();
    }
    z.max(S::f32s::splat(simd, 0.0))
}

/// `value` where the mask is set, else 0: one instruction, where a choice of two takes three in the browser.
#[inline(always)]
fn masked<S: Simd>(mask: S::mask32s, value: S::f32s) -> S::f32s {
    (mask.to_vector() & value.bitcast::<S::i32s>()).bitcast()
}

/// Writes one channel of `B` vectors of rows.
#[inline(always)]
fn scatter<S: Simd, const B: usize>(
    sums: &[S::f32s; B],
    out: &mut [f32],
    c: usize,
    channel: usize,
) {
    let lanes = S::f32s::LEN;
    let mut column = [0f32; 64];
    for b in 0..B {
        sums[b].store_slice(&mut column[b * lanes..(b + 1) * lanes]);
    }
    for (row, value) in out.chunks_exact_mut(c).zip(&column) {
        row[channel] = *value;
    }
}

/// The network: one channel of the ReLU. `ONE` says that samples end in the coordinate 1.
///
/// Loops over `B` and D are short and without checks of bounds, here and in [`gradient`]: they are written out, and what they sum stays
/// in registers, even where compiled for size.
#[simd]
fn network<S: Simd, const D: usize, const B: usize, const ONE: bool>(
    simd: S,
    job: &mut Job<'_, f32>,
) {
    let width = B * S::f32s::LEN;
    let ys = job.y.as_chunks::<D>().0;
    let vs = &job.v[..ys.len()];
    for start in job.rows.clone().step_by(width) {
        let len = width.min(job.rows.end - start);
        let x = rows::<S, D, B>(simd, job.x, start, len);
        let mut sums = [S::f32s::splat(simd, 0.0); B];
        for j in 0..ys.len() {
            let y = &ys[j];
            let mut z = products(simd, &x, y, if ONE { D - 1 } else { D });
            if ONE {
                let last = S::f32s::splat(simd, y[D - 1]);
                for b in 0..B {
                    z[b] += last;
                }
            }
            let v = S::f32s::splat(simd, vs[j]);
            for b in 0..B {
                sums[b] = positive(simd, z[b]).mul_add(v, sums[b]);
            }
        }
        scatter::<S, B>(&sums, &mut job.out[start..start + len], 1, 0);
    }
}

/// [`network`] in three dimensions, as many rows at once as registers hold: 32 of them where vectors have 16 lanes, else 16.
#[simd]
fn network3<S: Simd>(simd: S, job: &mut Job<'_, f32>) {
    let one = ends_in_one(&job.x.as_chunks().0[job.rows.clone()]);
    match (S::f32s::LEN, one) {
        (16, false) => network::<S, 3, 4, false>(simd, job),
        (16, true) => network::<S, 3, 4, true>(simd, job),
        (_, false) => network::<S, 3, 3, false>(simd, job),
        (_, true) => network::<S, 3, 3, true>(simd, job),
    }
}

/// [`gradient`] in three dimensions, likewise.
#[simd]
fn gradient3<S: Simd>(simd: S, job: &mut Job<'_, f32>) {
    let one = ends_in_one(job.y.as_chunks().0);
    match (S::f32s::LEN, one) {
        (16, false) => gradient::<S, 3, 4, 4, false>(simd, job),
        (16, true) => gradient::<S, 3, 4, 4, true>(simd, job),
        (_, false) => gradient::<S, 3, 4, 2, false>(simd, job),
        (_, true) => gradient::<S, 3, 4, 2, true>(simd, job),
    }
}

/// Its gradients: the sums of [`is_gradient`], `C` = D + 1 channels.
#[simd]
fn gradient<S: Simd, const D: usize, const C: usize, const B: usize, const ONE: bool>(
    simd: S,
    job: &mut Job<'_, f32>,
) {
    let (zero, one) = (S::f32s::splat(simd, 0.0), S::f32s::splat(simd, 1.0));
    let fused = S::f32s::LEN == 8 || cfg!(target_feature = "relaxed-simd");
    let width = B * S::f32s::LEN;
    let ys = job.y.as_chunks::<D>().0;
    let vs = &job.v.as_chunks::<C>().0[..ys.len()];
    for start in job.rows.clone().step_by(width) {
        let len = width.min(job.rows.end - start);
        let x = rows::<S, D, B>(simd, job.x, start, len);
        // A rounded sum is ≥ 0 exactly where one part is at least minus the other.
        let mut least = [zero; B];
        if ONE {
            for b in 0..B {
                least[b] = -x[D - 1][b];
            }
        }
        let mut sums = [[zero; B]; D];
        for j in 0..ys.len() {
            let z = products(simd, &x, &ys[j], if ONE { D - 1 } else { D });
            let mut active = [zero.simd_ge(zero); B];
            for b in 0..B {
                active[b] = z[b].simd_ge(least[b]);
            }
            for a in 0..D {
                let v = S::f32s::splat(simd, vs[j][1 + a]);
                for b in 0..B {
                    let (active, sum) = (active[b], sums[a][b]);
                    // The same sum each time, in what the instruction set does at once: a product with 1 or 0 is exact.
                    sums[a][b] = match S::f32s::LEN {
                        16 => active.select(sum + v, sum),
                        _ if fused => masked::<S>(active, one).mul_add(v, sum),
                        _ => sum + masked::<S>(active, v),
                    };
                }
            }
        }
        let mut relu = [zero; B];
        for a in 0..D {
            for b in 0..B {
                relu[b] = x[a][b].mul_add(sums[a][b], relu[b]);
            }
        }
        let out = &mut job.out[start * C..(start + len) * C];
        scatter::<S, B>(&relu, out, C, 0);
        for a in 0..D {
            scatter::<S, B>(&sums[a], out, C, 1 + a);
        }
    }
}

/// Any dimension and channels, the first `relus` of them weighed by the ReLU: one vector of rows at a time.
#[simd]
fn any<S: Simd>(simd: S, job: &mut Job<'_, f32>, relus: usize) {
    let (d, c, lanes) = (job.d, job.channels(), S::f32s::LEN);
    let (zero, one) = (S::f32s::splat(simd, 0.0), S::f32s::splat(simd, 1.0));
    let (mut x, mut total) = (vec![zero; d], vec![zero; c]);
    let mut column = vec![0f32; lanes];
    for start in job.rows.clone().step_by(lanes) {
        let len = lanes.min(job.rows.end - start);
        for (a, x) in x.iter_mut().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                *value = job.x[(start + i.min(len - 1)) * d + a];
            }
            *x = S::f32s::from_slice(simd, &column);
        }
        total.fill(zero);
        for (y, v) in job.y.chunks_exact(d).zip(job.v.chunks_exact(c)) {
            let mut z = zero;
            for (x, &y) in x.iter().zip(y) {
                z = x.mul_add(S::f32s::splat(simd, y), z);
            }
            let h = z.max(zero);
            let active = z.simd_ge(zero).select(one, zero);
            for (k, (total, &v)) in total.iter_mut().zip(v).enumerate() {
                let kernel = if k < relus { h } else { active };
                *total = kernel.mul_add(S::f32s::splat(simd, v), *total);
            }
        }
        for (w, total) in total.iter().enumerate() {
            total.store_slice(&mut column);
            for i in 0..len {
                job.out[(start + i) * c + w] = column[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::PairSum;
    use crate::kernels::pair_sum;
    use crate::rng::normal_vec;

    fn sums<R: crate::kernels::Number>(
        level: Level,
        sum: &PairSum,
        d: usize,
        x: &[f32],
        y: &[f32],
        v: &[f32],
    ) -> Vec<f64> {
        let wide =
            |data: &[f32]| -> Vec<R> { data.iter().map(|&v| R::from_f64(f64::from(v))).collect() };
        let (x, y, v) = (wide(x), wide(y), wide(v));
        let n = x.len() / d;
        let mut out = vec![R::ZERO; n * sum.channels.iter().sum::<usize>()];
        // Cut once, at a multiple of the rows that belong together.
        for rows in [0..n.min(64), n.min(64)..n] {
            let mut job = Job {
                sum,
                x: &x,
                y: &y,
                v: &v,
                params: &[],
                d,
                rows,
                out: &mut out,
            };
            pair_sum::run(level, &mut job);
        }
        out.iter().map(|v| v.to_f64()).collect()
    }

    /// Networks and gradients, with and without the structure that [`is_gradient`] looks for, against f64.
    #[test]
    fn agrees_with_the_general_path() {
        let step = relu().derivative(1);
        for level in [Level::new(), Level::baseline()] {
            for (n, m, d) in [
                (1, 1, 1),
                (63, 5, 2),
                (65, 64, 3),
                (130, 33, 3),
                (40, 70, 7),
            ] {
                let (x, y) = (normal_vec(1, 0, 0, n * d), normal_vec(2, 0, 0, m * d));
                let g = normal_vec(3, 0, 0, m);
                let moments = |bend: f32| -> Vec<f32> {
                    let row = |(g, y): (&f32, &[f32])| -> Vec<f32> {
                        std::iter::once(*g)
                            .chain(y.iter().map(|y| g * y + bend))
                            .collect()
                    };
                    g.iter().zip(y.chunks_exact(d)).flat_map(row).collect()
                };
                let both = vec![relu(), step.clone()];
                for (kernels, channels, v) in [
                    (vec![relu()], vec![1], g.clone()),
                    (vec![step.clone()], vec![1], g.clone()),
                    (both.clone(), vec![1, d], moments(0.0)),
                    (both, vec![1, d], moments(0.5)),
                ] {
                    let sum = PairSum { kernels, channels };
                    let fast = sums::<f32>(level, &sum, d, &x, &y, &v);
                    let exact = sums::<f64>(level, &sum, d, &x, &y, &v);
                    for (i, (a, b)) in fast.iter().zip(&exact).enumerate() {
                        // Up to 70 terms of order d, 6e-8 each.
                        assert!(
                            (a - b).abs() < 4e-5,
                            "n {n}, m {m}, d {d}, entry {i}: {a} against {b}"
                        );
                    }
                }
            }
        }
    }
}
