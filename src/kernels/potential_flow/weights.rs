//! The parameters of a potential as the kernel reads them.

use crate::graph::PotentialFlow;
use crate::kernels::Number;

/// One residual layer.
pub(super) struct Layer<'a, R> {
    /// K `[m, m]`
    pub k: &'a [R],
    /// Kᵀ
    pub transposed: Vec<R>,
    /// b `[m]`
    pub bias: &'a [R],
}

/// Parameters, and what follows from them alone.
pub(super) struct Weights<'a, R> {
    /// Dimension d.
    pub d: usize,
    /// Width m.
    pub m: usize,
    /// h, the weight of a layer.
    pub h: R,
    /// K₀ `[m, d + 1]`
    pub opening: &'a [R],
    /// K₀ᵀ
    pub opening_transposed: Vec<R>,
    /// b₀ `[m]`
    pub opening_bias: &'a [R],
    /// Σ_{j ≤ d} K₀ij², `[m]`
    pub sizes: Vec<R>,
    /// Residual layers.
    pub layers: Vec<Layer<'a, R>>,
    /// w `[m]`
    pub w: &'a [R],
    /// A `[r, d + 1]`
    pub quadratic: &'a [R],
    /// AᵀA `[d + 1, d + 1]`
    pub square: Vec<R>,
    /// tr (AᵀA) over the coordinates.
    pub trace: R,
    /// b `[d + 1]`
    pub linear: &'a [R],
}

impl<'a, R: Number> Weights<'a, R> {
    /// Reads a flat parameter vector.
    pub fn new(flow: &PotentialFlow, theta: &'a [R]) -> Self {
        let (d, m, k, at) = (flow.d, flow.hidden, flow.d + 1, flow.offsets());
        let opening = &theta[..m * k];
        let quadratic = &theta[at.quadratic..at.linear];
        let size = |row: &[R]| row[..d].iter().fold(R::ZERO, |s, &v| s + v * v);
        let mut square = vec![R::ZERO; k * k];
        for row in quadratic.chunks_exact(k) {
            for i in 0..k {
                for j in 0..k {
                    square[i * k + j] += row[i] * row[j];
                }
            }
        }
        let layer = |l: usize| {
            let start = at.residual + l * (m * m + m);
            let k = &theta[start..start + m * m];
            Layer {
                k,
                transposed: transposed(k, m),
                bias: &theta[start + m * m..start + m * m + m],
            }
        };
        Self {
            d,
            m,
            h: R::from_f64(1.0 / flow.layers as f64),
            opening,
            opening_transposed: transposed(opening, k),
            opening_bias: &theta[at.opening_bias..at.residual],
            sizes: opening.chunks_exact(k).map(size).collect(),
            layers: (0..flow.layers).map(layer).collect(),
            w: &theta[at.weights..at.quadratic],
            quadratic,
            trace: (0..d).fold(R::ZERO, |s, j| s + square[j * k + j]),
            square,
            linear: &theta[at.linear..at.constant],
        }
    }
}

/// A matrix with `columns`, transposed.
fn transposed<R: Number>(matrix: &[R], columns: usize) -> Vec<R> {
    let column = |j| matrix.iter().skip(j).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}
