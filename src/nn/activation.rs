//! Activations, each defined once as an expression.

use crate::choices;
use crate::expr::Expr;

choices! {
    /// The nonlinearity φ of a layer.
    pub enum Activation {
        /// max(z, 0)
        Relu = "relu" "ReLU",
        /// z where positive, else z/10
        Leaky = "leaky" "leaky ReLU",
        /// z
        Linear = "linear" "linear",
        /// tanh z
        Tanh = "tanh" "tanh",
        /// erf(z/√2), the sigmoid whose Gaussian averages are known in closed form
        Sigmoid = "sigmoid" "sigmoid (error function)",
        /// log(1 + eᶻ)
        Softplus = "softplus" "softplus",
        /// log(eᶻ + e⁻ᶻ), whose derivative is tanh z
        LogCosh = "logcosh" "log(eᶻ + e⁻ᶻ)",
    }
}

impl Activation {
    /// φ(z).
    pub fn of(self, z: Expr) -> Expr {
        match self {
            Self::Relu => z.largest(0.0),
            Self::Leaky => z.clone().largest(z * 0.1),
            Self::Linear => z,
            Self::Tanh => z.tanh(),
            Self::Sigmoid => erf(z * std::f64::consts::FRAC_1_SQRT_2),
            Self::Softplus => z.softplus(),
            Self::LogCosh => {
                let size = z.abs();
                size.clone() + ((size * -2.0).exp() + 1.0).ln()
            }
        }
    }
}

/// The error function to 1.5·10⁻⁷.
///
/// **Source** M. Abramowitz, I. Stegun, "Handbook of mathematical functions" (1964), 7.1.26.
fn erf(x: Expr) -> Expr {
    let size = x.clone().abs();
    let t = (size.clone() * 0.327_591_1 + 1.0).recip();
    let terms = [
        0.254_829_592,
        -0.284_496_736,
        1.421_413_741,
        -1.453_152_027,
        1.061_405_429,
    ];
    let sum = terms
        .iter()
        .rev()
        .fold(Expr::from(0.0), |sum, &c| (sum + c) * t.clone());
    let positive = Expr::from(1.0) - sum * (-(size.clone() * size)).exp();
    x.choose(positive.clone(), -positive)
}
