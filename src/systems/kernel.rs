//! Positive definite kernels k(x, y) as expressions in r² = |x − y|² and x·y.

use crate::choices;

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
