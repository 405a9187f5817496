//! Target densities: each is a graph [n, d] → [n]; its score is reverse mode of that graph, never typed by hand.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::params::{Matrix, Numbers, Spec};
use crate::{choices, params};

/// A density known up to a constant, with what is known of it in closed form.
pub struct Target {
    /// Dimension d.
    pub d: usize,
    /// log π(x) + const: `x: [n, d]` → `[n]`.
    pub log_density: Box<dyn for<'g> Fn(&'g Graph, Var<'g>) -> Var<'g>>,
    /// Exact (or tabulated reference) mean and covariance (row-major), where known.
    pub moments: Option<(Vec<f64>, Vec<f64>)>,
    /// Exact independent samples: (count, seed) → row-major [count, d], where they can be drawn.
    pub sample: Option<Box<dyn Fn(usize, u32) -> Vec<f32>>>,
    /// A frame that shows nearly all the mass in the first two coordinates: x0, y0, x1, y1.
    pub frame: [f32; 4],
    /// Names of the coordinates.
    pub axes: Vec<String>,
}

choices! {
    /// The densities of the catalogue.
    pub enum Density {
        /// −½(x−μ)ᵀΣ⁻¹(x−μ)
        Gaussian = "gaussian" "Gaussian",
        /// −x²/8 − 2(y − x²/4 + 1)²
        Banana = "banana" "Banana",
    }
}

params! {
    /// Which density, and its shape.
    pub struct TargetParams {
        /// The density that the particles should reach.
        target: Density = Density::Gaussian, Spec::restart("target π");
        /// Dimension of the space.
        d: usize = 2, Spec::restart("dimension d").range(1.0, 128.0);
        /// Mean of the Gaussian; empty means the origin.
        mean: Numbers = Numbers::default(), Spec::restart("mean μ").only_if("target", &["gaussian"]);
        /// Covariance of the Gaussian, row-major; empty means the identity.
        cov: Matrix = Matrix::default(), Spec::restart("covariance Σ").only_if("target", &["gaussian"]);
    }
}

impl TargetParams {
    /// The target these parameters describe.
    ///
    /// # Errors
    /// Parameters that do not fit together (names the key and what is allowed).
    pub fn build(&self) -> Result<Target> {
        unimplemented!()
    }
}
