//! Hand-written kernels of the hot ops, generic over the number type and over SIMD width.
//!
//! Every loop over entries lives here, behind `fearless_simd` dispatch: natively the widest instruction set the machine has,
//! in wasm simd128 or relaxed SIMD by build. A kernel computes a range of rows, so that an executor can stop between rows.

pub mod block;
pub mod gaussian;
pub mod gemm;
pub mod map;
pub mod matmul;
pub mod median;
pub mod pair_sum;
pub mod potential_flow;
pub mod random;
pub mod ridge;

use crate::expr::Real;
use fearless_simd::Level;
use matmul::Matrix;

/// Number types that kernels run on: `f32` with fast paths, `f64` as the oracle.
pub trait Number: Real {
    /// Fast paths of [`pair_sum`], for a Gaussian kernel and for ridge kernels; false where there is none.
    fn fast_pair_sum(_: Level, _: &mut pair_sum::Job<'_, Self>) -> bool {
        false
    }
    /// Fast path of [`matmul`], arguments as there; false where there is none.
    fn fast_matmul(
        _: Level,
        _: Matrix<'_, Self>,
        _: Matrix<'_, Self>,
        _: usize,
        _: usize,
        _: &mut [Self],
    ) -> bool {
        false
    }
    /// [`potential_flow::run`] for this number type.
    fn potential_flow(_: Level, _: &mut potential_flow::Job<'_, Self>);
}

impl Number for f64 {
    fn potential_flow(level: Level, job: &mut potential_flow::Job<'_, Self>) {
        potential_flow::run_f64(level, job);
    }
}

impl Number for f32 {
    fn fast_pair_sum(level: Level, job: &mut pair_sum::Job<'_, Self>) -> bool {
        gaussian::run(level, job) || ridge::run(level, job)
    }
    fn fast_matmul(
        level: Level,
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        k: usize,
        m: usize,
        out: &mut [Self],
    ) -> bool {
        gemm::run(level, a, b, k, m, out)
    }
    fn potential_flow(level: Level, job: &mut potential_flow::Job<'_, Self>) {
        potential_flow::run_f32(level, job);
    }
}
