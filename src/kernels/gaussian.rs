//! Fast path of the pairwise sum for one Gaussian kernel k = exp(p·r²), p < 0: positions are scaled so that r² is the
//! argument of exp2, which is a polynomial and an integer addition to the exponent.
//!
//! Error of exp2: at most 2·10⁻⁷ relative for r² < 126 (scaled); beyond that k stays at 2⁻¹²⁶, which no sum feels.

use super::pair_sum::Job;
use crate::expr::{Expr, Real};
use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch};
use fearless_simd_macros::simd;
use std::f32::consts::LOG2_E;
use std::ops::Range;

/// 1.5·2²³: adding it rounds to an integer.
const ROUND: f32 = 12_582_912.0;

/// Runs `job` if its kernel is exp(a0·a2) with a negative parameter; false otherwise.
pub fn run(level: Level, job: &mut Job<'_, f32>) -> bool {
    let gaussian = [(Expr::arg(0) * Expr::arg(2)).exp()];
    let fits = job.sum.kernels == gaussian && job.params.len() == 1;
    let decays = fits && job.params[0] < 0.0 && job.params[0].is_finite();
    if !decays {
        return false;
    }
    let scale = Real::sqrt(-job.params[0] * LOG2_E);
    match (job.d, job.channels()) {
        (1, 2) => dispatch!(level, simd => fixed::<_, 1, 2>(simd, job, scale)),
        (2, 3) => dispatch!(level, simd => fixed::<_, 2, 3>(simd, job, scale)),
        (3, 4) => dispatch!(level, simd => fixed::<_, 3, 4>(simd, job, scale)),
        _ => dispatch!(level, simd => any(simd, job, scale)),
    }
    true
}

/// 2^−r for r ≥ 0 (clamped at 126).
#[inline(always)]
pub(super) fn exp2_neg<S: Simd>(simd: S, r: S::f32s) -> S::f32s {
    let splat = |v: f32| S::f32s::splat(simd, v);
    let r = r.min(splat(126.0));
    let shifted = splat(ROUND) - r;
    let g = r + (shifted - splat(ROUND));
    let p = splat(-1.333_355_8e-3);
    let p = p.mul_add(g, splat(9.618_129e-3));
    let p = p.mul_add(g, splat(-5.550_411e-2));
    let p = p.mul_add(g, splat(2.402_265e-1));
    let p = p.mul_add(g, splat(-6.931_472e-1));
    let p = p.mul_add(g, splat(1.0));
    S::f32s::from_bits(p.to_bits() + (shifted.to_bits() << 23))
}

/// Dimension and channels known: everything in registers.
#[simd]
fn fixed<S: Simd, const D: usize, const C: usize>(simd: S, job: &mut Job<'_, f32>, scale: f32) {
    let sources: Vec<Source<D, C>> = job
        .y
        .chunks_exact(D)
        .zip(job.v.chunks_exact(C))
        .map(|(y, v)| Source {
            y: std::array::from_fn(|a| y[a] * scale),
            v: std::array::from_fn(|c| v[c]),
        })
        .collect();
    if std::ptr::eq(job.x, job.y) {
        symmetric::<S, D, C, 4>(simd, &sources, job.rows.clone(), job.out);
    } else {
        let x: Vec<[f32; D]> = job
            .x
            .chunks_exact(D)
            .map(|x| std::array::from_fn(|a| x[a] * scale))
            .collect();
        one_sided::<S, D, C, 4>(simd, &x, &sources, job.rows.clone(), job.out);
    }
}

/// A scaled position and its weights.
#[derive(Clone, Copy)]
struct Source<const D: usize, const C: usize> {
    y: [f32; D],
    v: [f32; C],
}

/// `B` vectors of rows: coordinate a of row `start + b·lanes + l` in lane l of `[a][b]`; rows past the end repeat the last.
#[inline(always)]
fn gather<S: Simd, const D: usize, const B: usize>(
    simd: S,
    start: usize,
    len: usize,
    at: impl Fn(usize) -> [f32; D],
) -> [[S::f32s; B]; D] {
    let lanes = S::f32s::LEN;
    let mut out = [[S::f32s::splat(simd, 0.0); B]; D];
    let mut columns = [[0f32; 64]; D];
    for i in 0..B * lanes {
        let row = at(start + i.min(len - 1));
        for a in 0..D {
            columns[a][i] = row[a];
        }
    }
    for (column, out) in columns.iter().zip(&mut out) {
        for (b, o) in out.iter_mut().enumerate() {
            *o = S::f32s::from_slice(simd, &column[b * lanes..(b + 1) * lanes]);
        }
    }
    out
}

/// Adds the totals of a block to its rows.
#[inline(always)]
fn scatter<S: Simd, const C: usize, const B: usize>(
    total: &[[S::f32s; B]; C],
    out: &mut [f32],
    add: impl Fn(f32, f32) -> f32,
) {
    let lanes = S::f32s::LEN;
    let mut column = [0f32; 64];
    for (c, total) in total.iter().enumerate() {
        for (b, total) in total.iter().enumerate() {
            total.store_slice(&mut column[b * lanes..(b + 1) * lanes]);
        }
        for (row, &value) in out.chunks_exact_mut(C).zip(&column) {
            row[c] = add(row[c], value);
        }
    }
}

/// k of one source with `B` vectors of rows.
#[inline(always)]
fn kernel<S: Simd, const D: usize, const B: usize>(
    simd: S,
    x: &[[S::f32s; B]; D],
    y: &[f32; D],
) -> [S::f32s; B] {
    let mut k = [S::f32s::splat(simd, 0.0); B];
    for b in 0..B {
        let first = x[0][b] - y[0];
        let mut r2 = first * first;
        for a in 1..D {
            let difference = x[a][b] - y[a];
            r2 = difference.mul_add(difference, r2);
        }
        k[b] = exp2_neg(simd, r2);
    }
    k
}

/// Every source into every row.
#[inline(always)]
fn one_sided<S: Simd, const D: usize, const C: usize, const B: usize>(
    simd: S,
    x: &[[f32; D]],
    sources: &[Source<D, C>],
    rows: Range<usize>,
    out: &mut [f32],
) {
    let width = B * S::f32s::LEN;
    for start in rows.clone().step_by(width) {
        let len = width.min(rows.end - start);
        let x = gather::<S, D, B>(simd, start, len, |i| x[i]);
        let mut total = [[S::f32s::splat(simd, 0.0); B]; C];
        for source in sources {
            let k = kernel(simd, &x, &source.y);
            for c in 0..C {
                let v = S::f32s::splat(simd, source.v[c]);
                for b in 0..B {
                    total[c][b] = k[b].mul_add(v, total[c][b]);
                }
            }
        }
        scatter::<S, C, B>(
            &total,
            &mut out[start * C..(start + len) * C],
            |_, value| value,
        );
    }
}

/// Rows and sources are the same points: each k between two blocks of rows serves both sides, half the kernels.
///
/// Row i sums its partners before its block in the order of blocks, then its block and all after it in order.
#[inline(always)]
fn symmetric<S: Simd, const D: usize, const C: usize, const B: usize>(
    simd: S,
    points: &[Source<D, C>],
    rows: Range<usize>,
    out: &mut [f32],
) {
    let width = B * S::f32s::LEN;
    let zero = S::f32s::splat(simd, 0.0);
    if rows.start == 0 {
        out.fill(0.0);
    }
    for start in rows.clone().step_by(width) {
        let len = width.min(points.len() - start);
        let x = gather::<S, D, B>(simd, start, len, |i| points[i].y);
        let w = gather::<S, C, B>(simd, start, len, |i| points[i].v);
        let mut total = [[zero; B]; C];
        let (inside, after) = points[start..].split_at(len);
        for source in inside {
            let k = kernel(simd, &x, &source.y);
            for c in 0..C {
                let v = S::f32s::splat(simd, source.v[c]);
                for b in 0..B {
                    total[c][b] = k[b].mul_add(v, total[c][b]);
                }
            }
        }
        let (own, rest) = out[start * C..].split_at_mut(len * C);
        for (source, partner) in after.iter().zip(rest.chunks_exact_mut(C)) {
            let k = kernel(simd, &x, &source.y);
            for c in 0..C {
                let v = S::f32s::splat(simd, source.v[c]);
                let mut back = zero;
                for b in 0..B {
                    total[c][b] = k[b].mul_add(v, total[c][b]);
                    back = k[b].mul_add(w[c][b], back);
                }
                partner[c] += back.reduce_sum();
            }
        }
        scatter::<S, C, B>(&total, own, |sum, value| sum + value);
    }
}

/// Any dimension and channels: one vector of rows at a time, sums in first-level cache.
#[simd]
fn any<S: Simd>(simd: S, job: &mut Job<'_, f32>, scale: f32) {
    let (d, c, lanes) = (job.d, job.channels(), S::f32s::LEN);
    let zero = S::f32s::splat(simd, 0.0);
    let (mut x, mut total) = (vec![zero; d], vec![zero; c]);
    let mut column = vec![0f32; lanes];
    let sources: Vec<f32> = job.y.iter().map(|y| y * scale).collect();
    for start in job.rows.clone().step_by(lanes) {
        let len = lanes.min(job.rows.end - start);
        for (a, x) in x.iter_mut().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                *value = job.x[(start + i.min(len - 1)) * d + a] * scale;
            }
            *x = S::f32s::from_slice(simd, &column);
        }
        total.fill(zero);
        for (y, v) in sources.chunks_exact(d).zip(job.v.chunks_exact(c)) {
            let mut r2 = zero;
            for (x, &y) in x.iter().zip(y) {
                let difference = *x - S::f32s::splat(simd, y);
                r2 = difference.mul_add(difference, r2);
            }
            let k = exp2_neg(simd, r2);
            for (total, &v) in total.iter_mut().zip(v) {
                *total = k.mul_add(S::f32s::splat(simd, v), *total);
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
