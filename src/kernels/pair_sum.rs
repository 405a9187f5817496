//! Hot op: pairwise kernel sums, out[i, c] = Σ_j k_{g(c)}(|x_i − y_j|², x_i·y_j; params) v[j, c], without an n×m matrix.
//!
//! Lanes run over i, j is broadcast. This general path interprets the kernel expressions, with one order of summation whatever the
//! SIMD width; a single Gaussian kernel takes
//! `gaussian`, whose order depends on it, and a two-layer ReLU network `ridge`.

use super::Number;
use super::map::{CHUNK, MapCode, Operand};
use crate::expr::Node;
use crate::graph::PairSum;
use fearless_simd::{Level, Simd, dispatch};
use fearless_simd_macros::simd;
use std::ops::Range;

/// Cuts between calls fall on multiples of this many rows, so that they change no order of summation.
pub const ROWS: usize = 64;

/// A pairwise sum over a range of rows.
#[derive(Debug)]
pub struct Job<'a, R> {
    /// Kernels and their channels.
    pub sum: &'a PairSum,
    /// Positions that are summed at, `[n, d]`.
    pub x: &'a [R],
    /// Positions that are summed over, `[m, d]`.
    pub y: &'a [R],
    /// Weights, `[m, c]`.
    pub v: &'a [R],
    /// Scalar parameters of the kernels.
    pub params: &'a [R],
    /// Dimension d.
    pub d: usize,
    /// Rows computed by this call; calls cover 0..n in order, cut at multiples of [`ROWS`].
    pub rows: Range<usize>,
    /// Results, `[n, c]`. Rows beyond `rows` may hold partial sums until the last call.
    pub out: &'a mut [R],
}

impl<R> Job<'_, R> {
    /// Channels c of `v`.
    pub fn channels(&self) -> usize {
        self.sum.channels.iter().sum()
    }
}

/// Computes the rows of `job`.
///
/// # Panics
/// A slice is too short for its shape.
pub fn run<R: Number>(level: Level, job: &mut Job<'_, R>) {
    if !R::fast_pair_sum(level, job) {
        dispatch!(level, simd => general(simd, job));
    }
}

#[simd]
fn general<S: Simd, R: Number>(simd: S, job: &mut Job<'_, R>) {
    let (d, c) = (job.d, job.channels());
    let mut codes: Vec<MapCode<R>> = job.sum.kernels.iter().map(MapCode::new).collect();
    let params: Vec<Operand<'_, R>> = job.params.iter().map(|&p| Operand::Scalar(p)).collect();
    let mut lanes = vec![R::ZERO; d * CHUNK];
    let mut totals = vec![R::ZERO; c * CHUNK];
    let (mut r2, mut dot, mut k) = ([R::ZERO; CHUNK], [R::ZERO; CHUNK], [R::ZERO; CHUNK]);
    let reads = |i: u16| {
        job.sum
            .kernels
            .iter()
            .any(|k| k.nodes().contains(&Node::Arg(i)))
    };
    let (reads_r2, reads_dot) = (reads(0), reads(1));
    for start in job.rows.clone().step_by(CHUNK) {
        let len = CHUNK.min(job.rows.end - start);
        // Whole vectors, and not much more than the rows there are.
        let wide = len.next_multiple_of(16);
        for (a, lane) in lanes.chunks_exact_mut(CHUNK).enumerate() {
            for (i, l) in lane[..len].iter_mut().enumerate() {
                *l = job.x[(start + i) * d + a];
            }
        }
        totals.fill(R::ZERO);
        for (y, v) in job.y.chunks_exact(d).zip(job.v.chunks_exact(c)) {
            if reads_r2 {
                r2[..wide].fill(R::ZERO);
                for (lane, &y) in lanes.chunks_exact(CHUNK).zip(y) {
                    for (r2, &x) in r2[..wide].iter_mut().zip(lane) {
                        let difference = x - y;
                        *r2 += difference * difference;
                    }
                }
            }
            if reads_dot {
                dot[..wide].fill(R::ZERO);
                for (lane, &y) in lanes.chunks_exact(CHUNK).zip(y) {
                    for (dot, &x) in dot[..wide].iter_mut().zip(lane) {
                        *dot += x * y;
                    }
                }
            }
            let mut operands = vec![Operand::Entries(&r2[..len]), Operand::Entries(&dot[..len])];
            operands.extend(&params);
            let mut channel = 0;
            for (code, &width) in codes.iter_mut().zip(&job.sum.channels) {
                code.run_inline(simd, &operands, &mut k[..len]);
                for w in channel..channel + width {
                    let total = &mut totals[w * CHUNK..(w + 1) * CHUNK];
                    for (total, &k) in total[..wide].iter_mut().zip(&k) {
                        *total += k * v[w];
                    }
                }
                channel += width;
            }
        }
        for i in 0..len {
            for w in 0..c {
                job.out[(start + i) * c + w] = totals[w * CHUNK + i];
            }
        }
    }
}
