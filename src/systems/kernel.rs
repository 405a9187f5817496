//! Positive definite kernels k(x, y) as expressions in r² = |x − y|² and x·y, and the Stein direction they give.

use crate::choices;
use crate::expr::Expr;
use crate::graph::{PairSum, Transposed, Var};

choices! {
    /// The kernels of the catalogue.
    pub enum Kernel {
        /// k = exp(−r²/2h²)
        Rbf = "rbf" "RBF exp(−r²/2h²)",
        /// k = (1 + r²/2h²)^−β
        Imq = "imq" "inverse multiquadric (1 + r²/2h²)^−β",
        /// k = xᵀAy + 1
        Bilinear = "bilinear" "bilinear xᵀAy + 1",
    }
}

/// The two parts of the Stein direction φ, each `[n, d]`.
pub struct Direction<'g> {
    /// (1/n) Σ_j k(x_j, x_i) s_j: towards high density.
    pub drift: Var<'g>,
    /// (1/n) Σ_j ∇_{x_j} k(x_j, x_i): away from neighbours.
    pub repulsion: Var<'g>,
}

impl Kernel {
    /// The radial profile in the arguments r², x·y, −1/2h², β. The bilinear kernel has none: see [`Kernel::direction`].
    fn profile(self) -> Expr {
        let (r2, rate, beta) = (Expr::arg(0), Expr::arg(2), Expr::arg(3));
        match self {
            Self::Rbf => (r2 * rate).exp(),
            Self::Imq => (Expr::from(1.0) - r2 * rate).pow(-beta),
            Self::Bilinear => Expr::arg(1) + 1.0,
        }
    }

    /// φ, the sum of [`Kernel::direction`]'s parts, with as few pairwise sums as the kernel allows.
    ///
    /// **Shapes** `x, score: [n, d]`; `h2`, `beta`: scalars; `a: [d, d]`, symmetric (bilinear kernel only).
    ///
    /// **Source** Liu and Wang (2016), eq. 8: φ_i = (1/n) Σ_j [k(x_j, x_i) s_j + ∇_{x_j} k(x_j, x_i)].
    pub fn stein<'g>(
        self,
        x: Var<'g>,
        score: Var<'g>,
        h2: Var<'g>,
        beta: Var<'g>,
        a: Var<'g>,
    ) -> Var<'g> {
        if self != Self::Rbf {
            let parts = self.direction(x, score, h2, beta, a);
            return parts.drift + parts.repulsion;
        }
        // ∇_{x_j} k = (x_i − x_j) k/h², so one Gaussian sum over the channels s − x/h² and 1 gives both parts.
        let g = x.graph();
        let [n, d] = [x.shape()[0], x.shape()[1]];
        let x = x - x.mean(0);
        let ones = g.scalar(1.0).broadcast(&[n, 1]);
        let v = g.concat(&[score - x / h2, ones], 1);
        let sum = PairSum {
            kernels: vec![self.profile()],
            channels: vec![d + 1],
        };
        let sums = g.pair_sum(sum, x, x, v, &[-0.5 / h2]);
        (sums.slice(1, 0, d) + x / h2 * sums.slice(1, d, 1)) * (1.0 / n as f64)
    }

    /// Drift and repulsion apart; arguments as in [`Kernel::stein`].
    pub fn direction<'g>(
        self,
        x: Var<'g>,
        score: Var<'g>,
        h2: Var<'g>,
        beta: Var<'g>,
        a: Var<'g>,
    ) -> Direction<'g> {
        let g = x.graph();
        let [n, d] = [x.shape()[0], x.shape()[1]];
        let mean = 1.0 / n as f64;
        if self == Self::Bilinear {
            // Both sums over j factor: Σ_j (x_iᵀAx_j + 1) s_j = (XA)(XᵀS) + Σ_j s_j, and ∇_{x_j} k = A x_i.
            let xa = x.matmul(a);
            let moment = x.matmul_with(score, Transposed::Yes, Transposed::No) * mean;
            return Direction {
                drift: xa.matmul(moment) + score.mean(0),
                repulsion: xa,
            };
        }
        // With k_r = ∂k/∂r²: Σ_j ∇_{x_j} k = −2 Σ_j k_r (x_i − x_j). Centred, so that the difference keeps its digits.
        let x = x - x.mean(0);
        let profile = self.profile();
        let ones = g.scalar(1.0).broadcast(&[n, 1]);
        let sum = PairSum {
            kernels: vec![profile.clone(), profile.derivative(0)],
            channels: vec![d, d + 1],
        };
        let v = g.concat(&[score, x, ones], 1);
        let sums = g.pair_sum(sum, x, x, v, &[-0.5 / h2, beta]);
        let slopes = sums.slice(1, d, d + 1);
        let pull = x * slopes.slice(1, d, 1) - slopes.slice(1, 0, d);
        Direction {
            drift: sums.slice(1, 0, d) * mean,
            repulsion: pull * (-2.0 * mean),
        }
    }
}
