//! Fast path of the pairwise sum for ridge kernels relu(x·y) and 1(x·y ≥ 0): a two-layer ReLU network and both its gradients.
//!
//! out[i, c] = Σ_j relu(x_i·y_j) v[j, c] is the network where x are samples, y the inner and v the outer weights; with the
//! roles of x and y exchanged the same loops sum the gradients of each hidden unit over all samples, in registers. No
//! activation is stored. Lanes run over i; each row sums over j in order, whatever the width.

use super::pair_sum::Job;
use crate::expr::Expr;
use fearless_simd::{Level, Select, Simd, SimdBase, SimdFloat, dispatch};
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
        (2, 1, 0) => dispatch!(level, simd => fixed::<_, 2, 1, 0, 4>(simd, job)),
        (3, 1, 0) => dispatch!(level, simd => fixed::<_, 3, 1, 0, 2>(simd, job)),
        (2, 1, 2) => dispatch!(level, simd => fixed::<_, 2, 1, 2, 2>(simd, job)),
        (3, 1, 3) => dispatch!(level, simd => fixed::<_, 3, 1, 3, 2>(simd, job)),
        _ => dispatch!(level, simd => any(simd, job, first)),
    }
    true
}

/// Dimension and channels known: positions and sums of `B` vectors of rows stay in registers.
#[simd]
fn fixed<S: Simd, const D: usize, const R: usize, const T: usize, const B: usize>(
    simd: S,
    job: &mut Job<'_, f32>,
) {
    let (zero, one) = (S::f32s::splat(simd, 0.0), S::f32s::splat(simd, 1.0));
    let (lanes, c) = (S::f32s::LEN, R + T);
    let width = B * lanes;
    let mut column = [0f32; 64];
    for start in job.rows.clone().step_by(width) {
        let len = width.min(job.rows.end - start);
        let mut x = [[zero; B]; D];
        for (a, x) in x.iter_mut().enumerate() {
            for (i, value) in column[..width].iter_mut().enumerate() {
                *value = job.x[(start + i.min(len - 1)) * D + a];
            }
            for (b, x) in x.iter_mut().enumerate() {
                *x = S::f32s::from_slice(simd, &column[b * lanes..(b + 1) * lanes]);
            }
        }
        let mut relu = [[zero; B]; R];
        let mut step = [[zero; B]; T];
        for (y, v) in job.y.chunks_exact(D).zip(job.v.chunks_exact(c)) {
            let y: [S::f32s; D] = std::array::from_fn(|a| S::f32s::splat(simd, y[a]));
            for b in 0..B {
                let mut z = x[0][b] * y[0];
                for a in 1..D {
                    z = x[a][b].mul_add(y[a], z);
                }
                if R > 0 {
                    let h = z.max(zero);
                    for (r, relu) in relu.iter_mut().enumerate() {
                        relu[b] = h.mul_add(S::f32s::splat(simd, v[r]), relu[b]);
                    }
                }
                if T > 0 {
                    let active = z.simd_ge(zero).select(one, zero);
                    for (t, step) in step.iter_mut().enumerate() {
                        step[b] = active.mul_add(S::f32s::splat(simd, v[R + t]), step[b]);
                    }
                }
            }
        }
        for (channel, total) in relu.iter().chain(&step).enumerate() {
            for (b, total) in total.iter().enumerate() {
                total.store_slice(&mut column[b * lanes..(b + 1) * lanes]);
            }
            for (i, value) in column[..len].iter().enumerate() {
                job.out[(start + i) * c + channel] = *value;
            }
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
