//! The parameters of a potential as the kernel reads them.

use super::products::Panels;
use crate::graph::PotentialFlow;
use crate::kernels::Number;

/// One residual layer.
pub(super) struct Layer<'a, R> {
    /// K `[m, m]`
    pub k: Panels<R>,
    /// Kᵀ
    pub transposed: Panels<R>,
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
    /// K₀, and K₀ᵀ.
    pub opening_panels: [Panels<R>; 2],
    /// b₀ `[m]`
    pub opening_bias: &'a [R],
    /// Σ_{j ≤ d} K₀ij², `[m]`
    pub sizes: Box<[R]>,
    /// Residual layers.
    pub layers: Box<[Layer<'a, R>]>,
    /// w `[m]`
    pub w: &'a [R],
    /// A `[r, d + 1]`
    pub quadratic: &'a [R],
    /// AᵀA `[d + 1, d + 1]`
    pub square: Panels<R>,
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
                k: Panels::new(m, m, |i, l| k[i * m + l]),
                transposed: Panels::new(m, m, |i, l| k[l * m + i]),
                bias: &theta[start + m * m..start + m * m + m],
            }
        };
        Self {
            d,
            m,
            h: R::from_f64(1.0 / flow.layers as f64),
            opening,
            opening_panels: [
                Panels::new(m, k, |i, l| opening[i * k + l]),
                Panels::new(k, m, |i, l| opening[l * k + i]),
            ],
            opening_bias: &theta[at.opening_bias..at.residual],
            sizes: opening.chunks_exact(k).map(size).collect(),
            layers: (0..flow.layers).map(layer).collect(),
            w: &theta[at.weights..at.quadratic],
            quadratic,
            trace: (0..d).fold(R::ZERO, |s, j| s + square[j * k + j]),
            square: Panels::new(k, k, |i, l| square[i * k + l]),
            linear: &theta[at.linear..at.constant],
        }
    }
}
