//! Fast path of the pairwise sum for one Gaussian kernel k = exp(p·r²), p < 0: positions are scaled so that r² is the
//! argument of exp2, which is a polynomial and an integer addition to the exponent.
//!
//! Error of exp2: at most 2·10⁻⁷ relative for r² < 126 (scaled); beyond that k stays at 2⁻¹²⁶, which no sum feels.

use super::pair_sum::Job;
use crate::expr::{Expr, Real};
use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch};
use fearless_simd_macros::simd;
use std::f32::consts::LOG2_E;

/// 1.5·2²³: adding it rounds to an integer.
const ROUND: f32 = 12_582_912.0;

/// Runs `job` if its kernel is exp(a0·a2) with a negative parameter; false otherwise.
pub fn run(level: Level, job: &mut Job<'_, f32>) -> bool {
    let gaussian = [(Expr::arg(0) * Expr::arg(2)).exp()];
    let fits = job.sum.kernels == gaussian && job.params.len() == 1;
    if !fits || !(job.params[0] < 0.0 && job.params[0].is_finite()) {
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
fn exp2_neg<S: Simd>(simd: S, r: S::f32s) -> S::f32s {
    let splat = |v: f32| S::f32s::splat(simd, v);
    let r = r.min(splat(126.0));
    let shifted = splat(ROUND) - r;
    let g = r + (shifted - splat(ROUND));
    let p = splat(-1.333_355_8e-3);
    let p = p.mul_add(g, splat(9.618_129e-3));
    let p = p.mul_add(g, splat(-5.550_411e-2));
    let p = p.mul_add(g, splat(2.402_265_1e-1));
    let p = p.mul_add(g, splat(-6.931_472e-1));
    let p = p.mul_add(g, splat(1.0));
    S::f32s::from_bits(p.to_bits() + (shifted.to_bits() << 23))
}

/// Dimension and channels known: everything in registers, `BLOCKS` vectors of rows at a time.
#[simd]
fn fixed<S: Simd, const D: usize, const C: usize>(simd: S, job: &mut Job<'_, f32>, scale: f32) {
    let lanes = S::f32s::LEN;
    // With 16 or more registers of spare room four blocks hide the latency of the polynomial; wasm has fewer.
    if cfg!(target_arch = "wasm32") {
        blocks::<S, D, C, 2>(simd, job, scale, lanes);
    } else {
        blocks::<S, D, C, 4>(simd, job, scale, lanes);
    }
}

#[inline(always)]
fn blocks<S: Simd, const D: usize, const C: usize, const B: usize>(
    simd: S,
    job: &mut Job<'_, f32>,
    scale: f32,
    lanes: usize,
) {
    let rows = job.out.len() / C;
    let width = B * lanes;
    let sources: Vec<([f32; D], [f32; C])> = job
        .y
        .chunks_exact(D)
        .zip(job.v.chunks_exact(C))
        .map(|(y, v)| {
            let position = std::array::from_fn(|a| y[a] * scale);
            (position, std::array::from_fn(|c| v[c]))
        })
        .collect();
    let zero = S::f32s::splat(simd, 0.0);
    let mut column = vec![0f32; width];
    for start in (0..rows).step_by(width) {
        let len = width.min(rows - start);
        let mut x = [[zero; B]; D];
        for (a, x) in x.iter_mut().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                let row = job.first + start + i.min(len - 1);
                *value = job.x[row * D + a] * scale;
            }
            for (b, x) in x.iter_mut().enumerate() {
                *x = S::f32s::from_slice(simd, &column[b * lanes..(b + 1) * lanes]);
            }
        }
        let mut total = [[zero; B]; C];
        for (y, v) in &sources {
            let y = y.map(|y| S::f32s::splat(simd, y));
            let v = v.map(|v| S::f32s::splat(simd, v));
            for b in 0..B {
                let mut r2 = zero;
                for a in 0..D {
                    let difference = x[a][b] - y[a];
                    r2 = if a == 0 {
                        difference * difference
                    } else {
                        difference.mul_add(difference, r2)
                    };
                }
                let k = exp2_neg(simd, r2);
                for c in 0..C {
                    total[c][b] = k.mul_add(v[c], total[c][b]);
                }
            }
        }
        for (c, total) in total.iter().enumerate() {
            for (b, total) in total.iter().enumerate() {
                total.store_slice(&mut column[b * lanes..(b + 1) * lanes]);
            }
            for i in 0..len {
                job.out[(start + i) * C + c] = column[i];
            }
        }
    }
}

/// Any dimension and channels: one vector of rows at a time, sums in first-level cache.
#[simd]
fn any<S: Simd>(simd: S, job: &mut Job<'_, f32>, scale: f32) {
    let (d, c, lanes) = (job.d, job.channels(), S::f32s::LEN);
    let rows = job.out.len() / c;
    let zero = S::f32s::splat(simd, 0.0);
    let (mut x, mut total) = (vec![zero; d], vec![zero; c]);
    let mut column = vec![0f32; lanes];
    let sources: Vec<f32> = job.y.iter().map(|y| y * scale).collect();
    for start in (0..rows).step_by(lanes) {
        let len = lanes.min(rows - start);
        for (a, x) in x.iter_mut().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                *value = job.x[(job.first + start + i.min(len - 1)) * d + a] * scale;
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
