//! The two products that nearly all of the work is: weights times columns, and sums of outer products of columns.
//!
//! Columns are [`Lanes`]: a matrix `[rows, columns]` of them has a stride, so that a product may read or write some of its columns.

use super::{Lanes, TILE};
use crate::kernels::Number;
use fearless_simd::{Simd, SimdFloat};
use fearless_simd_macros::simd;

/// Some columns of a matrix of lanes.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, R> {
    /// The matrix, row by row.
    pub data: &'a [Lanes<R>],
    /// Columns of the matrix.
    pub stride: usize,
    /// The first column read.
    pub first: usize,
}

/// Whether a product replaces what is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// It does.
    Zero,
    /// It is added.
    Add,
}

/// out [rows, columns] (+)= a [rows, k] b [k, columns]; `out` has a stride of its own and its first column first.
#[simd]
pub(super) fn product<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    start: Start,
    (out, stride): (&mut [Lanes<R>], usize),
    a: &[R],
    b: Columns<'_, R>,
    columns: usize,
) {
    let _ = simd;
    match TILE / V::LEN {
        0 | 1 => product_in::<S, V, R, 1, 8>(simd, start, (out, stride), a, b, columns),
        2 => product_in::<S, V, R, 2, 4>(simd, start, (out, stride), a, b, columns),
        4 => product_in::<S, V, R, 4, 2>(simd, start, (out, stride), a, b, columns),
        8 => product_in::<S, V, R, 8, 1>(simd, start, (out, stride), a, b, columns),
        _ => product_in::<S, V, R, 16, 1>(simd, start, (out, stride), a, b, columns),
    }
}

/// N vectors a column, ROWS rows at a time.
#[inline(always)]
fn product_in<
    S: Simd,
    V: SimdFloat<S, Element = R>,
    R: Number,
    const N: usize,
    const ROWS: usize,
>(
    simd: S,
    start: Start,
    (out, stride): (&mut [Lanes<R>], usize),
    a: &[R],
    b: Columns<'_, R>,
    columns: usize,
) {
    let rows = out.len() / stride;
    let k = a.len() / rows;
    for c in 0..columns {
        let mut i = 0;
        while i + ROWS <= rows {
            block::<S, V, R, N, ROWS>(simd, start, (out, stride), a, k, b, i, c);
            i += ROWS;
        }
        while i < rows {
            block::<S, V, R, N, 1>(simd, start, (out, stride), a, k, b, i, c);
            i += 1;
        }
    }
}

#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "a block is named by its operands and its place in the result"
)]
fn block<S: Simd, V: SimdFloat<S, Element = R>, R: Number, const N: usize, const ROWS: usize>(
    simd: S,
    start: Start,
    (out, stride): (&mut [Lanes<R>], usize),
    a: &[R],
    k: usize,
    b: Columns<'_, R>,
    first: usize,
    column: usize,
) {
    let mut sums = [[V::splat(simd, R::ZERO); N]; ROWS];
    if start == Start::Add {
        for r in 0..ROWS {
            sums[r] = load::<S, V, R, N>(simd, &out[(first + r) * stride + column]);
        }
    }
    let rows: [&[R]; ROWS] = std::array::from_fn(|r| &a[(first + r) * k..(first + r + 1) * k]);
    let source = b.data[b.first + column..].iter().step_by(b.stride);
    for (l, lanes) in (0..k).zip(source) {
        let b = load::<S, V, R, N>(simd, lanes);
        for r in 0..ROWS {
            let scale = V::splat(simd, rows[r][l]);
            for v in 0..N {
                sums[r][v] = scale.mul_add(b[v], sums[r][v]);
            }
        }
    }
    for r in 0..ROWS {
        for v in 0..N {
            let to = &mut out[(first + r) * stride + column];
            sums[r][v].store_slice(&mut to[v * V::LEN..(v + 1) * V::LEN]);
        }
    }
}

#[inline(always)]
fn load<S: Simd, V: SimdFloat<S, Element = R>, R: Number, const N: usize>(
    simd: S,
    lanes: &Lanes<R>,
) -> [V; N] {
    std::array::from_fn(|v| V::from_slice(simd, &lanes[v * V::LEN..(v + 1) * V::LEN]))
}

/// sums[i, j] += Σ_c g[i, c] ⊙ r[j, c] over `columns`: one vector of partial sums for every i, j.
#[simd]
pub(super) fn outer<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    sums: &mut [R],
    g: Columns<'_, R>,
    r: Columns<'_, R>,
    columns: usize,
) {
    let _ = simd;
    match TILE / V::LEN {
        0 | 1 => outer_in::<S, V, R, 1, 4, 4>(simd, sums, g, r, columns),
        2 => outer_in::<S, V, R, 2, 4, 2>(simd, sums, g, r, columns),
        4 => outer_in::<S, V, R, 4, 4, 2>(simd, sums, g, r, columns),
        8 => outer_in::<S, V, R, 8, 4, 2>(simd, sums, g, r, columns),
        _ => outer_in::<S, V, R, 16, 4, 2>(simd, sums, g, r, columns),
    }
}

#[inline(always)]
fn outer_in<
    S: Simd,
    V: SimdFloat<S, Element = R>,
    R: Number,
    const N: usize,
    const I: usize,
    const J: usize,
>(
    simd: S,
    sums: &mut [R],
    g: Columns<'_, R>,
    r: Columns<'_, R>,
    columns: usize,
) {
    let height = g.data.len() / g.stride;
    let width = r.data.len() / r.stride;
    let mut i = 0;
    while i < height {
        let tall = i + I <= height;
        let mut j = 0;
        while j < width {
            if tall && j + J <= width {
                outer_block::<S, V, R, N, I, J>(simd, sums, width, [g, r], [i, j], columns);
                j += J;
            } else {
                let stop = if tall { i + I } else { i + 1 };
                for i in i..stop {
                    outer_block::<S, V, R, N, 1, 1>(simd, sums, width, [g, r], [i, j], columns);
                }
                j += 1;
            }
        }
        i += if tall { I } else { 1 };
    }
}

#[inline(always)]
fn outer_block<
    S: Simd,
    V: SimdFloat<S, Element = R>,
    R: Number,
    const N: usize,
    const I: usize,
    const J: usize,
>(
    simd: S,
    sums: &mut [R],
    width: usize,
    [g, r]: [Columns<'_, R>; 2],
    [i, j]: [usize; 2],
    columns: usize,
) {
    let left: [&[Lanes<R>]; I] = std::array::from_fn(|a| g.row(i + a, columns));
    let right: [&[Lanes<R>]; J] = std::array::from_fn(|b| r.row(j + b, columns));
    let at = |a: usize, b: usize| ((i + a) * width + j + b) * V::LEN;
    let mut totals: [[V; J]; I] = std::array::from_fn(|a| {
        std::array::from_fn(|b| V::from_slice(simd, &sums[at(a, b)..at(a, b) + V::LEN]))
    });
    for c in 0..columns {
        for v in 0..N {
            let range = v * V::LEN..(v + 1) * V::LEN;
            let x: [V; I] =
                std::array::from_fn(|a| V::from_slice(simd, &left[a][c][range.clone()]));
            for b in 0..J {
                let y = V::from_slice(simd, &right[b][c][range.clone()]);
                for a in 0..I {
                    totals[a][b] = x[a].mul_add(y, totals[a][b]);
                }
            }
        }
    }
    for a in 0..I {
        for b in 0..J {
            totals[a][b].store_slice(&mut sums[at(a, b)..at(a, b) + V::LEN]);
        }
    }
}

impl<'a, R> Columns<'a, R> {
    /// Every column of a matrix.
    pub fn all(data: &'a [Lanes<R>], stride: usize) -> Self {
        Self {
            data,
            stride,
            first: 0,
        }
    }

    /// Row `i` of the columns.
    #[inline(always)]
    fn row(self, i: usize, columns: usize) -> &'a [Lanes<R>] {
        let start = i * self.stride + self.first;
        &self.data[start..start + columns]
    }
}
