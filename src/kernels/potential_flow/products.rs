//! The two products that nearly all of the work is: weights times columns, and sums of outer products of columns.
//!
//! Columns are [`Lanes`]: a matrix `[rows, columns]` of them has a stride, so that a product may read or write some of its columns.
//!
//! Inner loops index elements, not ranges: taking a range of a slice is a call in builds that inline little.

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
    let zero = V::splat(simd, R::ZERO);
    let mut sums = [[[zero; N]; COLUMNS]; ROWS];
    for (l, a) in panel.iter().enumerate() {
        let row = b.first + l * b.stride;
        let mut values = [[zero; N]; COLUMNS];
        for c in 0..COLUMNS {
            for n in 0..N {
                values[c][n] = load::<S, V, R>(simd, &b.data[row + c], v + n * V::LEN);
            }
        }
        for r in 0..ROWS {
            let scale = V::splat(simd, a[r]);
            for c in 0..COLUMNS {
                for n in 0..N {
                    sums[r][c][n] = scale.mul_add(values[c][n], sums[r][c][n]);
                }
            }
        }
    }
    // Every row by its number, so that the sums stay in registers.
    for r in 0..ROWS {
        if r == rows {
            break;
        }
        for c in 0..COLUMNS {
            let to = &mut out[r * stride + c];
            for n in 0..N {
                let at = v + n * V::LEN;
                let sum = match start {
                    Start::Zero => sums[r][c][n],
                    Start::Add => load::<S, V, R>(simd, to, at) + sums[r][c][n],
                };
                store::<S, V, R>(sum, to, at);
            }
        }
    }
}

/// A vector of lanes from `v` on.
#[inline(always)]
pub(super) fn load<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    lanes: &Lanes<R>,
    v: usize,
) -> V {
    if V::LEN == 4 {
        return V::from_slice(simd, &lanes[v / 4]);
    }
    V::from_slice(simd, &lanes.as_flattened()[v..v + V::LEN])
}

/// The counterpart of [`load`].
#[inline(always)]
pub(super) fn store<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    value: V,
    lanes: &mut Lanes<R>,
    v: usize,
) {
    if V::LEN == 4 {
        return value.store_slice(&mut lanes[v / 4]);
    }
    value.store_slice(&mut lanes.as_flattened_mut()[v..v + V::LEN]);
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
    let zero = V::splat(simd, R::ZERO);
    let mut totals = [[zero; J]; I];
    let mut left: [&[Lanes<R>]; I] = [&[]; I];
    let mut right: [&[Lanes<R>]; J] = [&[]; J];
    for a in 0..I {
        left[a] = g.row(i + a, columns);
    }
    for b in 0..J {
        right[b] = r.row(j + b, columns);
    }
    for c in 0..columns {
        for v in 0..N {
            let at = v * V::LEN;
            let mut x = [zero; I];
            for a in 0..I {
                x[a] = load::<S, V, R>(simd, &left[a][c], at);
            }
            for b in 0..J {
                let y = load::<S, V, R>(simd, &right[b][c], at);
                for a in 0..I {
                    totals[a][b] = x[a].mul_add(y, totals[a][b]);
                }
            }
        }
    }
    for a in 0..I {
        for b in 0..J {
            add::<S, V, R>(simd, sums, (i + a) * width + j + b, totals[a][b]);
        }
    }
}

/// Adds to vector `k` of `sums`.
#[inline(always)]
fn add<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
    simd: S,
    sums: &mut [R],
    k: usize,
    more: V,
) {
    let sum: &mut [R] = if V::LEN == 4 {
        &mut sums.as_chunks_mut::<4>().0[k]
    } else {
        &mut sums[k * V::LEN..(k + 1) * V::LEN]
    };
    (V::from_slice(simd, sum) + more).store_slice(sum);
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
