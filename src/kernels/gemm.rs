//! Fast path of the matrix product in single precision: blocks of rows times panels of columns, sums in registers.
//!
//! The right operand is copied panel by panel, each a few vectors wide and padded with zeros, so that it is read in order
//! however it lies. Every entry still sums over k in order.

use super::block::Block;
use super::matmul::Matrix;
use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch};
use fearless_simd_macros::simd;

/// out [n, m] = a [n, k] b [k, m], if it is worth a panel: at least four rows and eight columns; false otherwise.
pub fn run(
    level: Level,
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
    k: usize,
    m: usize,
    out: &mut [f32],
) -> bool {
    if m < 8 || out.len() < 4 * m {
        return false;
    }
    dispatch!(level, simd => panels(simd, a, b, k, m, out));
    true
}

/// Chooses the block by the number of registers: 32 where vectors have 16 lanes, else 16.
#[simd]
fn panels<S: Simd>(
    simd: S,
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
    k: usize,
    m: usize,
    out: &mut [f32],
) {
    if S::f32s::LEN >= 16 && m > 32 {
        blocked::<S, 6, 4>(simd, a, b, k, m, out);
    } else {
        blocked::<S, 4, 2>(simd, a, b, k, m, out);
    }
}

#[inline(always)]
fn blocked<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
    k: usize,
    m: usize,
    out: &mut [f32],
) {
    let width = VECTORS * S::f32s::LEN;
    let n = out.len() / m;
    let mut panel = Block::filled(0f32, k * width);
    for start in (0..m).step_by(width) {
        let columns = width.min(m - start);
        for (l, row) in panel.chunks_exact_mut(width).enumerate() {
            let source = l * b.row + start * b.column;
            if b.column == 1 {
                row[..columns].copy_from_slice(&b.data[source..source + columns]);
            }
            row[columns..].fill(0.0);
        }
        if b.column != 1 {
            transpose(b, k, start, width, columns, &mut panel);
        }
        let mut i = 0;
        while i + ROWS <= n {
            block::<S, ROWS, VECTORS>(simd, a, i, &panel, m, start, columns, out);
            i += ROWS;
        }
        while i < n {
            block::<S, 1, VECTORS>(simd, a, i, &panel, m, start, columns, out);
            i += 1;
        }
    }
}

/// Fills the columns of a panel from an operand whose columns lie together, in squares that stay in registers and cache.
#[inline(always)]
fn transpose(
    b: Matrix<'_, f32>,
    k: usize,
    start: usize,
    width: usize,
    columns: usize,
    panel: &mut [f32],
) {
    const SIDE: usize = 8;
    for j in (0..columns).step_by(SIDE) {
        let across = SIDE.min(columns - j);
        for l in (0..k).step_by(SIDE) {
            let down = SIDE.min(k - l);
            if across < SIDE || down < SIDE || b.row != 1 {
                for c in j..j + across {
                    for r in l..l + down {
                        panel[r * width + c] = b.data[r * b.row + (start + c) * b.column];
                    }
                }
                continue;
            }
            let mut square = [[0f32; SIDE]; SIDE];
            for (c, column) in square.iter_mut().enumerate() {
                let at = l + (start + j + c) * b.column;
                column.copy_from_slice(&b.data[at..at + SIDE]);
            }
            for r in 0..SIDE {
                let line: [f32; SIDE] = std::array::from_fn(|c| square[c][r]);
                let at = (l + r) * width + j;
                panel[at..at + SIDE].copy_from_slice(&line);
            }
        }
    }
}

/// Rows `first..first + ROWS` of one panel.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "a block is named by its operands and its place in the result"
)]
fn block<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    a: Matrix<'_, f32>,
    first: usize,
    panel: &[f32],
    m: usize,
    start: usize,
    columns: usize,
    out: &mut [f32],
) {
    let lanes = S::f32s::LEN;
    let mut sums = [[S::f32s::splat(simd, 0.0); VECTORS]; ROWS];
    // Counted by hand: `enumerate` is a call in builds that inline little.
    let mut at = first * a.row;
    for row in panel.chunks_exact(VECTORS * lanes) {
        let b: [S::f32s; VECTORS] =
            std::array::from_fn(|v| S::f32s::from_slice(simd, &row[v * lanes..(v + 1) * lanes]));
        for (r, sums) in sums.iter_mut().enumerate() {
            let scale = S::f32s::splat(simd, a.data[at + r * a.row]);
            for v in 0..VECTORS {
                sums[v] = scale.mul_add(b[v], sums[v]);
            }
        }
        at += a.column;
    }
    for (r, sums) in sums.iter().enumerate() {
        let at = (first + r) * m + start;
        let row = &mut out[at..at + columns];
        if columns == VECTORS * lanes {
            for (v, sum) in sums.iter().enumerate() {
                sum.store_slice(&mut row[v * lanes..(v + 1) * lanes]);
            }
            continue;
        }
        let mut line = [0f32; 64];
        for (v, sum) in sums.iter().enumerate() {
            sum.store_slice(&mut line[v * lanes..(v + 1) * lanes]);
        }
        row.copy_from_slice(&line[..columns]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::normal_vec;

    /// Every combination of operands read as they lie and transposed, at sizes around blocks and panels, on every level.
    #[test]
    fn agrees_with_plain_sums() {
        for level in [Level::new(), Level::baseline()] {
            for (n, k, m) in [
                (4, 1, 8),
                (7, 5, 9),
                (64, 64, 64),
                (13, 33, 65),
                (6, 200, 130),
            ] {
                let (x, y) = (normal_vec(1, 0, 0, n * k), normal_vec(2, 0, 0, k * m));
                for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
                    let view = |data, rows: usize, columns: usize, transposed| {
                        let (row, column) = if transposed { (1, rows) } else { (columns, 1) };
                        Matrix { data, row, column }
                    };
                    let (a, b) = (view(&x[..], n, k, ta), view(&y[..], k, m, tb));
                    let mut out = vec![f32::NAN; n * m];
                    assert!(run(level, a, b, k, m, &mut out));
                    for i in 0..n {
                        for j in 0..m {
                            let term = |l: usize| {
                                let left = a.data[i * a.row + l * a.column];
                                f64::from(left) * f64::from(b.data[l * b.row + j * b.column])
                            };
                            let exact: f64 = (0..k).map(term).sum();
                            let error = (f64::from(out[i * m + j]) - exact).abs();
                            // k roundings of 6e-8 in a sum of size √k.
                            assert!(error < 4e-5, "{n}×{k}×{m} at {i}, {j}: {error:e}");
                        }
                    }
                }
            }
        }
    }
}
