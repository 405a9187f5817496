//! Networks as functions of graph values.

use super::Activation;
use crate::expr::Expr;
use crate::graph::{PairSum, Transposed, Var};

/// φ(x W + b).
///
/// **Shapes** `x: [n, k]`, `w: [k, m]`, `b: [m]`; result `[n, m]`. On the CPU the product is register-blocked, and bias and
/// activation run on each tile of rows while it is in cache.
pub fn dense<'g>(x: Var<'g>, w: Var<'g>, b: Option<Var<'g>>, activation: Activation) -> Var<'g> {
    let z = x.matmul(w);
    let z = b.map_or(z, |b| z + b);
    z.map(activation.of(Expr::arg(0)))
}

/// Dense layers one after the other; the last is linear.
///
/// **Shapes** `x: [n, k]`; `layers`: weights `[k, m]` and biases `[m]`; result `[n, last m]`.
pub fn mlp<'g>(
    x: Var<'g>,
    layers: &[(Var<'g>, Option<Var<'g>>)],
    activation: Activation,
) -> Var<'g> {
    let last = layers.len().saturating_sub(1);
    layers.iter().enumerate().fold(x, |x, (k, &(w, b))| {
        let own = if k < last {
            activation
        } else {
            Activation::Linear
        };
        dense(x, w, b, own)
    })
}

/// f(x_i) = Σ_j φ(x_i·w_j) a_j, without storing any activation: the pairwise sum of a ridge kernel. A column of ones in `x`
/// makes the last column of `w` a bias.
///
/// **Shapes** `x: [n, d]`, `w: [m, d]`, `a: [m, c]`; result `[n, c]`.
pub fn two_layer<'g>(x: Var<'g>, w: Var<'g>, a: Var<'g>, activation: Activation) -> Var<'g> {
    let network = PairSum {
        kernels: vec![activation.of(Expr::arg(1))],
        channels: vec![a.shape()[1]],
    };
    x.graph().pair_sum(network, x, w, a, &[])
}

/// Parameters of a residual potential Φ: Rᵏ → R.
pub struct Potential<'g> {
    /// Opening layer K₀ `[k, m]` and b₀ `[m]`.
    pub opening: (Var<'g>, Var<'g>),
    /// Residual layers K_i `[m, m]` and b_i `[m]`.
    pub residual: Vec<(Var<'g>, Var<'g>)>,
    /// w `[m, 1]`.
    pub weights: Var<'g>,
    /// A `[r, k]` of the quadratic part ½ |A s|².
    pub quadratic: Var<'g>,
    /// b `[k, 1]` of the linear part.
    pub linear: Var<'g>,
    /// c, a scalar.
    pub constant: Var<'g>,
}

impl<'g> Potential<'g> {
    /// Φ(s) = wᵀu + ½|A s|² + bᵀs + c with u ← u + h σ(K_i u + b_i) from u = σ(K₀ s + b₀), σ(z) = log(eᶻ + e⁻ᶻ), h = 1/number of
    /// residual layers.
    ///
    /// **Shapes** `s: [n, k]`; result `[n]`. **Source** D. Onken, S. Wu Fung, X. Li, L. Ruthotto (AAAI 2021), eq. 11–13.
    pub fn value(&self, s: Var<'g>) -> Var<'g> {
        let n = s.shape()[0];
        let (k0, b0) = self.opening;
        let h = 1.0 / self.residual.len().max(1) as f64;
        let u = dense(s, k0, Some(b0), Activation::LogCosh);
        let u = self.residual.iter().fold(u, |u, &(k, b)| {
            u + h * dense(u, k, Some(b), Activation::LogCosh)
        });
        let stretched = s.matmul_with(self.quadratic, Transposed::No, Transposed::Yes);
        let plain = u.matmul(self.weights) + s.matmul(self.linear);
        plain.reshape(&[n]) + 0.5 * stretched.square().sum(1) + self.constant
    }
}
