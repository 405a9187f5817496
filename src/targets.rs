//! Target densities: each is a graph [n, d] → [n]; its score is reverse mode of that graph, never typed by hand.
//!
//! A new density is one file with a `build` function and one row of the catalogue below. Beside the graph a target says
//! what is known of it in closed form: moments, normalising constant, exact independent samples.

mod banana;
mod evaluator;
mod formula;
mod funnel;
mod gaussian;
mod logistic;
pub(crate) mod mixture;
mod moons;
mod quadrature;
mod ring;
mod source;
mod student;

pub use evaluator::Evaluator;
pub(crate) use quadrature::nodes;

use crate::error::{Problem, Result};
use crate::graph::{Graph, Var};
use crate::params;
use crate::params::{Matrix, Numbers, Spec};
use source::Source;
use std::ops::{Range, RangeInclusive};

/// log π(x) + const as a graph: `x: [n, d]` → `[n]`.
pub type LogDensity = Box<dyn for<'g> Fn(&'g Graph, Var<'g>) -> Var<'g>>;

/// Exact independent samples: (rows, seed) → row-major `[rows, d]`. Row i depends on the seed and on i alone, so that
/// samples can be drawn piece by piece.
pub type Sampler = Box<dyn Fn(Range<usize>, u32) -> Vec<f32>>;

/// A density known up to a constant, with what is known of it in closed form.
pub struct Target {
    /// Dimension d.
    pub d: usize,
    /// log π(x) + const: `x: [n, d]` → `[n]`.
    pub log_density: LogDensity,
    /// log ∫ exp(log_density) dx, where known.
    pub log_normalizer: Option<f64>,
    /// Exact (or tabulated reference) mean and covariance (row-major), where known.
    pub moments: Option<(Vec<f64>, Vec<f64>)>,
    /// Exact independent samples, where they can be drawn.
    pub sample: Option<Sampler>,
    /// A frame that shows nearly all the mass in the first two coordinates: x0, y0, x1, y1. With d = 1 only x0 and x1
    /// mean anything.
    pub frame: [f32; 4],
    /// Names of the coordinates.
    pub axes: Vec<String>,
    /// What a user should know of it, e.g. where it is cut off.
    pub notes: Vec<String>,
}

impl Target {
    /// A target of which only the graph is known so far, in a frame of half-width 4.
    pub(crate) fn new(d: usize, log_density: LogDensity) -> Self {
        let axes = match d {
            1 => vec!["x".to_owned()],
            2 => vec!["x".to_owned(), "y".to_owned()],
            _ => (0..d).map(|i| format!("x{i}")).collect(),
        };
        Self {
            d,
            log_density,
            log_normalizer: None,
            moments: None,
            sample: None,
            frame: [-4.0, -4.0, 4.0, 4.0],
            axes,
            notes: Vec::new(),
        }
    }

    /// Samples row by row: `draw(source, row)` fills one row of `d` numbers.
    fn sampled_by(mut self, draw: impl Fn(&mut Source, &mut [f64]) + 'static) -> Self {
        let d = self.d;
        self.sample = Some(Box::new(move |rows, seed| {
            let mut row = vec![0.0; d];
            let mut out = Vec::with_capacity(rows.len() * d);
            for i in rows {
                draw(&mut Source::new(seed, i as u32), &mut row);
                out.extend(row.iter().map(|v| *v as f32));
            }
            out
        }));
        self
    }

    /// A frame for any two coordinates: [`Self::frame`] for the first two, else mean ± 4 standard deviations where the
    /// moments are known, else the first coordinate's range.
    pub fn frame_of(&self, axes: [usize; 2]) -> [f32; 4] {
        if axes == [0, 1] || self.d == 1 {
            return self.frame;
        }
        let range = |i: usize| match &self.moments {
            Some((mean, covariance)) if i > 1 => {
                let reach = 4.0 * covariance[i * self.d + i].sqrt();
                [(mean[i] - reach) as f32, (mean[i] + reach) as f32]
            }
            _ if i == 1 => [self.frame[1], self.frame[3]],
            _ => [self.frame[0], self.frame[2]],
        };
        let ([x0, x1], [y0, y1]) = (range(axes[0]), range(axes[1]));
        [x0, y0, x1, y1]
    }
}

/// Declares the densities: name in links, label, and the file that builds them.
macro_rules! catalogue {
    ($($(#[doc = $doc:expr])+ $variant:ident = $id:literal $label:literal => $file:ident,)+) => {
        crate::choices! {
            /// The densities of the catalogue.
            pub enum Density { $($(#[doc = $doc])+ $variant = $id $label,)+ }
        }
        impl TargetParams {
            /// The target these parameters describe; `seed` draws what is random about its shape.
            ///
            /// # Errors
            /// Parameters that do not fit together (names the key and what is allowed).
            pub fn build(&self, seed: u32) -> Result<Target> {
                match self.target { $(Density::$variant => $file::build(self, seed),)+ }
            }
        }
    };
}

catalogue! {
    /// −½(x−μ)ᵀΣ⁻¹(x−μ)
    Gaussian = "gaussian" "Gaussian" => gaussian,
    /// Equal Gaussians of sd ½ on a circle of radius 3
    Mixture = "mixture" "Gaussian mixture" => mixture,
    /// −x²/8 − 2(y − x²/4 + 1)²
    Banana = "banana" "banana" => banana,
    /// v ~ N(0, 1.5²), the others N(0, eᵛ)
    Funnel = "funnel" "funnel" => funnel,
    /// −(|x| − 2.5)²/(2·0.3²)
    Ring = "ring" "ring" => ring,
    /// Two crescents facing each other
    Moons = "moons" "two moons" => moons,
    /// −(ν+d)/2 · log(1 + |x|²/ν)
    Student = "student" "Student t" => student,
    /// Posterior of a logistic regression on the penguin data
    Logistic = "logistic" "logistic regression posterior" => logistic,
    /// A log-density typed by the user
    Formula = "formula" "own formula" => formula,
}

params! {
    /// Which density, and its shape.
    pub struct TargetParams in "Target" {
        /// The density that the particles should reach.
        target: Density = Density::Gaussian, Spec::restart("target π");
        /// Dimension of the space. The logistic posterior sets its own; banana and moons live in the plane.
        d: usize = 2, Spec::restart("dimension d").range(1.0, 128.0);
        /// Mean of the Gaussian; empty means the origin.
        mean: Numbers = Numbers::default(), Spec::restart("mean μ").only_if("target", &["gaussian"]);
        /// Covariance of the Gaussian, row-major; empty means the identity.
        cov: Matrix = Matrix::default(), Spec::restart("covariance Σ").only_if("target", &["gaussian"]);
        /// Number of Gaussians in the mixture.
        modes: usize = 6, Spec::restart("modes").range(1.0, 64.0).only_if("target", &["mixture"]);
        /// Degrees of freedom: the smaller, the heavier the tails; the covariance is infinite up to 2.
        nu: f32 = 3.0, Spec::restart("degrees of freedom ν").log(1.0, 100.0).only_if("target", &["student"]);
        /// Log-density up to a constant, in x and y: numbers, + - * / ^, pi, e, exp log sqrt sin cos tanh abs, min max pow.
        formula: String = "sin(3*x) + cos(3*y) - (x^2 + y^2)/4".to_owned(),
            Spec::restart("log π(x, y)").only_if("target", &["formula"]);
    }
}

impl TargetParams {
    /// Refuses a dimension outside `allowed`.
    fn dimension(&self, allowed: RangeInclusive<usize>) -> Result<usize> {
        let (d, low, high) = (self.d, *allowed.start(), *allowed.end());
        if allowed.contains(&d) {
            return Ok(d);
        }
        let id = params::ParamValue::show(&self.target);
        let message = if low == high {
            format!("{id} has d={low}, not {d}: set d={low}")
        } else {
            format!("{id} allows d from {low} to {high}, not {d}")
        };
        Err(Problem::new("d", message).into())
    }
}

#[cfg(test)]
mod tests;
