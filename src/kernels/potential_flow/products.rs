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

/// Rows of a panel.
const ROWS: usize = 4;

/// A matrix of weights in panels of [`ROWS`] rows, each read column by column.
pub(super) struct Panels<R> {
    rows: usize,
    /// k entries a panel; rows beyond the last are zero.
    k: usize,
    data: Vec<[R; ROWS]>,
}

impl<R: Number> Panels<R> {
    /// `at(i, l)` is the entry of row i and column l.
    pub fn new(rows: usize, k: usize, at: impl Fn(usize, usize) -> R) -> Self {
        let entry = |i: usize, l: usize| if i < rows { at(i, l) } else { R::ZERO };
        let panels = (0..rows).step_by(ROWS);
        let column = |(i, l): (usize, usize)| std::array::from_fn(|r| entry(i + r, l));
        let places = panels.flat_map(|i| (0..k).map(move |l| (i, l)));
        Self {
            rows,
            k,
            data: places.map(column).collect(),
        }
    }
}

/// out [rows, columns] (+)= a [rows, k] b [k, columns]; `out` has a stride of its own and its first column first.
#[simd]
pub(super) fn product<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    start: Start,
    out: (&mut [Lanes<R>], usize),
    a: &Panels<R>,
    b: Columns<'_, R>,
    columns: usize,
) {
    // As many sums as registers hold: vectors of one column, or columns of one vector.
    match TILE / V::LEN {
        0 | 1 => product_in::<S, V, R, 1, 3>(simd, start, out, a, b, columns),
        _ => product_in::<S, V, R, 2, 1>(simd, start, out, a, b, columns),
    }
}

/// N vectors of COLUMNS columns at a time.
#[inline(always)]
fn product_in<
    S: Simd,
    V: SimdFloat<S, Element = R>,
    R: Number,
    const N: usize,
    const COLUMNS: usize,
>(
    simd: S,
    start: Start,
    (out, stride): (&mut [Lanes<R>], usize),
    a: &Panels<R>,
    b: Columns<'_, R>,
    columns: usize,
) {
    for (i, panel) in (0..a.rows).step_by(ROWS).zip(a.data.chunks_exact(a.k)) {
        let rows = ROWS.min(a.rows - i);
        let out = &mut out[i * stride..];
        for v in (0..TILE).step_by(N * V::LEN) {
            let mut c = 0;
            while c + COLUMNS <= columns {
                let to = (&mut out[c..], stride, rows);
                block::<S, V, R, N, COLUMNS>(simd, start, to, panel, b.from(c), v);
                c += COLUMNS;
            }
            while c < columns {
                let to = (&mut out[c..], stride, rows);
                block::<S, V, R, N, 1>(simd, start, to, panel, b.from(c), v);
                c += 1;
            }
        }
    }
}

/// One panel times the first columns of `b`, lanes from `v` on.
#[inline(always)]
fn block<S: Simd, V: SimdFloat<S, Element = R>, R: Number, const N: usize, const COLUMNS: usize>(
    simd: S,
    start: Start,
    (out, stride, rows): (&mut [Lanes<R>], usize, usize),
    panel: &[[R; ROWS]],
    b: Columns<'_, R>,
    v: usize,
) {
    let mut sums = [[[V::splat(simd, R::ZERO); N]; COLUMNS]; ROWS];
    let source = b.data[b.first..].chunks(b.stride);
    for (a, row) in panel.iter().zip(source) {
        let row = &row[..COLUMNS];
        let b: [[V; N]; COLUMNS] = std::array::from_fn(|c| load::<S, V, R, N>(simd, &row[c], v));
        for r in 0..ROWS {
            let scale = V::splat(simd, a[r]);
            for c in 0..COLUMNS {
                for n in 0..N {
                    sums[r][c][n] = scale.mul_add(b[c][n], sums[r][c][n]);
                }
            }
        }
    }
    for r in 0..rows {
        for c in 0..COLUMNS {
            let to = &mut out[r * stride + c];
            let old = load::<S, V, R, N>(simd, to, v);
            for n in 0..N {
                let sum = match start {
                    Start::Zero => sums[r][c][n],
                    Start::Add => old[n] + sums[r][c][n],
                };
                let at = v + n * V::LEN;
                sum.store_slice(&mut to[at..at + V::LEN]);
            }
        }
    }
}

/// N vectors of lanes from `v` on.
#[inline(always)]
fn load<S: Simd, V: SimdFloat<S, Element = R>, R: Number, const N: usize>(
    simd: S,
    lanes: &Lanes<R>,
    v: usize,
) -> [V; N] {
    std::array::from_fn(|n| {
        let at = v + n * V::LEN;
        V::from_slice(simd, &lanes[at..at + V::LEN])
    })
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

    /// The columns from `c` on.
    #[inline(always)]
    fn from(self, c: usize) -> Self {
        Self {
            first: self.first + c,
            ..self
        }
    }

    /// Row `i` of the columns.
    #[inline(always)]
    fn row(self, i: usize, columns: usize) -> &'a [Lanes<R>] {
        let start = i * self.stride + self.first;
        &self.data[start..start + columns]
    }
}
