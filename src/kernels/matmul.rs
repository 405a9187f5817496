//! Matrix products, row-major. Plain loops in an order that vectorises, for f64 and for thin operands; the rest is `gemm`'s.

use super::Number;
use crate::expr::Real;
use fearless_simd::{Level, Simd, dispatch};
use fearless_simd_macros::simd;

/// One operand: its entries, and the strides between rows and between columns as the product reads it.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, R> {
    /// Entries.
    pub data: &'a [R],
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub column: usize,
}

/// out [n, m] = a [n, k] b [k, m]; every entry sums over k in order.
///
/// # Panics
/// An operand is too short.
pub fn matmul<R: Number>(
    level: Level,
    a: Matrix<'_, R>,
    b: Matrix<'_, R>,
    k: usize,
    m: usize,
    out: &mut [R],
) {
    if !R::fast_matmul(level, a, b, k, m, out) {
        dispatch!(level, simd => run(simd, a, b, k, m, out));
    }
}

#[simd]
fn run<S: Simd, R: Real>(
    _: S,
    a: Matrix<'_, R>,
    b: Matrix<'_, R>,
    k: usize,
    m: usize,
    out: &mut [R],
) {
    if b.column == 1 {
        for (i, row) in out.chunks_exact_mut(m).enumerate() {
            row.fill(R::ZERO);
            for l in 0..k {
                let scale = a.data[i * a.row + l * a.column];
                let source = &b.data[l * b.row..l * b.row + m];
                for (o, &s) in row.iter_mut().zip(source) {
                    *o += scale * s;
                }
            }
        }
        return;
    }
    // Columns of b are contiguous: dot products over k in eight partial sums, combined in a fixed order.
    for (i, row) in out.chunks_exact_mut(m).enumerate() {
        for (j, o) in row.iter_mut().enumerate() {
            let column = &b.data[j * b.column..];
            let mut partial = [R::ZERO; 8];
            if a.column == 1 && b.row == 1 {
                let (x, y) = (&a.data[i * a.row..i * a.row + k], &column[..k]);
                let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
                let rest = xs.remainder().iter().zip(ys.remainder());
                for (p, (&u, &v)) in partial.iter_mut().zip(rest) {
                    *p = u * v;
                }
                for (u, v) in xs.zip(ys) {
                    for l in 0..8 {
                        partial[l] += u[l] * v[l];
                    }
                }
            } else {
                for l in 0..k {
                    partial[l % 8] += a.data[i * a.row + l * a.column] * column[l * b.row];
                }
            }
            *o = partial.into_iter().fold(R::ZERO, |s, p| s + p);
        }
    }
}
