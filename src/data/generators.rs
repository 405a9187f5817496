//! Sources of samples ρ₀ for flows: the generators of the flow literature, Gaussians and mixtures in any dimension, and the
//! user's own rows. A source is a graph of counter-based random numbers, so a batch is drawn where it is used.
//!
//! Beside the graph a source says what is known of it: its density as a [`Target`], its entropy, its moments. Densities
//! whose samples come from a file are not estimated.

mod density;
mod draws;
mod transport;

pub use transport::{HalfW2, ToNormal, half_w2_to_normal};

use super::Table;
use crate::error::{Problem, Result};
use crate::exec::Cpu;
use crate::graph::{Graph, Program, Var};
use crate::linalg::{cholesky, cholesky_log_det, mean_covariance};
use crate::params::{Matrix, Numbers, Spec};
use crate::rng::stream;
use crate::targets::{Density, Evaluator, Target, TargetParams};
use crate::{choices, params};
use std::cell::RefCell;
use std::f64::consts::{E, TAU};
use std::rc::Rc;

choices! {
    /// Where samples come from.
    pub enum Generator {
        /// Eight Gaussians on a circle.
        EightGaussians = "8gaussians" "eight Gaussians",
        /// Two half-circles that reach into each other.
        Moons = "moons" "two moons",
        /// Two circles, one inside the other.
        Circles = "circles" "two circles",
        /// Four circles, one inside the other.
        Rings = "rings" "four rings",
        /// A spiral, denser inside.
        SwissRoll = "swissroll" "Swiss roll",
        /// Five bent arms.
        Pinwheel = "pinwheel" "pinwheel",
        /// Two spirals that wind around each other.
        TwoSpirals = "2spirals" "two spirals",
        /// Eight squares of a board.
        Checkerboard = "checkerboard" "checkerboard",
        /// N(μ, Σ)
        Gaussian = "gaussian" "Gaussian",
        /// Equal Gaussians of sd ½ at distance 3
        Mixture = "mixture" "Gaussian mixture",
        /// The user's own rows, drawn with replacement
        File = "file" "own samples",
    }
}

params! {
    /// Which samples, and their shape.
    pub struct SourceParams in "Data" {
        /// Where the samples come from; all but the Gaussian, the mixture and own samples live in the plane.
        source: Generator = Generator::EightGaussians, Spec::restart("samples of ρ₀");
        /// Dimension of the samples. Own samples set their own.
        d: usize = 2, Spec::restart("dimension d").range(1.0, 128.0).only_if("source", &["gaussian", "mixture"]);
        /// Mean of the Gaussian; empty means the origin.
        mean: Numbers = Numbers::default(), Spec::restart("mean μ").only_if("source", &["gaussian"]);
        /// Covariance of the Gaussian, row-major; empty means the identity.
        cov: Matrix = Matrix::default(), Spec::restart("covariance Σ").only_if("source", &["gaussian"]);
        /// Number of Gaussians in the mixture.
        modes: usize = 6, Spec::restart("modes").range(1.0, 64.0).only_if("source", &["mixture"]);
    }
}

/// `n` rows of a source as a graph: (graph, n, stream) → `[n, d]`.
type Draws = Box<dyn for<'g> Fn(&'g Graph, usize, u32) -> Var<'g>>;

/// The entropy of a source, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entropy {
    /// H(ρ₀) = −∫ ρ₀ log ρ₀.
    pub value: f64,
    /// Standard error where it is a mean over samples, else a bound on the error of quadrature; 0 in closed form.
    pub error: f64,
}

/// Samples of a distribution ρ₀, and what is known of it.
pub struct Source {
    /// Where they come from.
    pub generator: Generator,
    /// Dimension d.
    pub d: usize,
    /// The density with its normalising constant, moments and exact samples; none for the user's own rows.
    pub target: Option<Rc<Target>>,
    /// Mean and covariance (row-major).
    pub moments: (Vec<f64>, Vec<f64>),
    /// A part of the plane of the first two coordinates that shows nearly all the mass: x0, y0, x1, y1.
    pub frame: [f32; 4],
    /// Names of the coordinates.
    pub names: Vec<String>,
    draws: Draws,
    entropy: Option<Entropy>,
}

impl SourceParams {
    /// The source these parameters describe; `seed` draws what is random about its shape, `file` is the user's own rows.
    ///
    /// # Errors
    /// Parameters that do not fit together, own samples that are missing.
    pub fn build(&self, seed: u32, file: Option<&Table>) -> Result<Source> {
        match self.source {
            Generator::File => self.own_rows(file),
            Generator::Gaussian => self.gaussian(seed),
            Generator::Mixture => self.mixture(seed),
            planar => self.planar(planar),
        }
    }

    fn planar(&self, generator: Generator) -> Result<Source> {
        if self.d != 2 {
            let message = format!("these samples live in the plane, d=2, not {}", self.d);
            return Err(Problem::new("d", message).into());
        }
        let (mut target, value) = density::planar(generator);
        let draws: Draws = Box::new(move |g, n, stream| draws::planar(generator, g, n, stream));
        target.sample = Some(sampler(&draws, 2));
        let entropy = Entropy { value, error: 2e-5 };
        Ok(Source::known(self.source, target, draws, entropy))
    }

    fn gaussian(&self, seed: u32) -> Result<Source> {
        let target = self.target(Density::Gaussian, seed)?;
        let (mean, covariance) = target.moments.clone().unwrap_or_default();
        let d = self.d;
        let root = cholesky(&covariance, d);
        let root = root.ok_or_else(|| Problem::new("cov", "must be positive definite"))?;
        let value = 0.5 * (d as f64 * (TAU * E).ln() + cholesky_log_det(&root, d));
        let draws: Draws =
            Box::new(move |g, n, stream| draws::gaussian(g, n, stream, &mean, &root));
        let entropy = Entropy { value, error: 0.0 };
        Ok(Source::known(self.source, target, draws, entropy))
    }

    fn mixture(&self, seed: u32) -> Result<Source> {
        let target = self.target(Density::Mixture, seed)?;
        let centres = density::Centres::of_mixture(self.modes, self.d, seed);
        let entropy = centres.entropy(seed);
        let draws: Draws = Box::new(move |g, n, stream| draws::mixture(g, n, stream, &centres));
        Ok(Source::known(self.source, target, draws, entropy))
    }

    /// The density of the catalogue that has the same parameters.
    fn target(&self, density: Density, seed: u32) -> Result<Target> {
        let params = TargetParams {
            target: density,
            d: self.d,
            mean: self.mean.clone(),
            cov: self.cov.clone(),
            modes: self.modes,
            ..TargetParams::default()
        };
        params.build(seed)
    }

    fn own_rows(&self, file: Option<&Table>) -> Result<Source> {
        let refuse = |message: &str| Problem::new("source", message);
        let table = file.ok_or_else(|| refuse("own samples need a file, or `data` in the link"))?;
        let (rows, d) = (table.rows(), table.columns);
        if rows == 0 || !(1..=128).contains(&d) {
            return Err(refuse("own samples need at least one row of 1 to 128 columns").into());
        }
        let (mean, covariance) = mean_covariance(&table.values, d);
        let values: Rc<[f64]> = table.values.iter().map(|v| f64::from(*v)).collect();
        let axis = |i: usize| {
            let column = table.values.iter().skip(i).step_by(d);
            let low = column.clone().copied().fold(f32::INFINITY, f32::min);
            let high = column.copied().fold(f32::NEG_INFINITY, f32::max);
            let margin = 0.1 * (high - low).max(0.1);
            [low - margin, high + margin]
        };
        let ([x0, x1], [y0, y1]) = (axis(0), axis(d.min(2) - 1));
        let mut names = table.names.clone();
        if names.len() != d {
            names = (0..d).map(|i| format!("x{i}")).collect();
        }
        Ok(Source {
            generator: Generator::File,
            d,
            target: None,
            moments: (mean, covariance),
            frame: [x0, y0, x1, y1],
            names,
            draws: Box::new(move |g, n, stream| {
                let table = g.constant(&values[..], &[rows, d]);
                crate::nn::minibatch(table, n, stream::uniforms(stream))
            }),
            entropy: None,
        })
    }
}

impl Source {
    /// Takes what a density already says.
    fn known(generator: Generator, target: Target, draws: Draws, entropy: Entropy) -> Self {
        Self {
            generator,
            d: target.d,
            moments: target.moments.clone().unwrap_or_default(),
            frame: target.frame,
            names: target.axes.clone(),
            target: Some(Rc::new(target)),
            draws,
            entropy: Some(entropy),
        }
    }

    /// `n` independent rows, fresh each step; `stream` names the purpose (see `rng::stream`). Uses that stream for normals and
    /// [`stream::uniforms`] of it.
    ///
    /// **Shapes** result `[n, d]`.
    pub fn draw<'g>(&self, g: &'g Graph, n: usize, stream: u32) -> Var<'g> {
        (self.draws)(g, n, stream)
    }

    /// The rows that [`Self::draw`] gives at `step` of a run with this seed, drawn on the host.
    ///
    /// **Shapes** result `[n, d]`, row-major.
    pub fn samples(&self, seed: u32, stream: u32, step: u32, n: usize) -> Vec<f32> {
        Host::new(&self.draws, n, stream).rows(seed, step)
    }

    /// −mean log ρ₀ over `rows`, where the density is known. A mean of −log q over the same rows, less this, estimates KL(ρ₀‖q) with
    /// far less noise than its difference from H(ρ₀).
    ///
    /// **Shapes** `rows: [n, d]`, row-major.
    pub fn entropy_over(&self, rows: &[f32]) -> Option<f64> {
        let target = self.target.as_ref()?;
        let constant = target.log_normalizer?;
        let values = Evaluator::<f32>::new(target).log_density(rows);
        let sum: f64 = values.iter().map(|v| constant - f64::from(*v)).sum();
        Some(sum / values.len() as f64)
    }

    /// H(ρ₀), where the density is known.
    pub fn entropy(&self) -> Option<Entropy> {
        self.entropy
    }
}

/// Draws batches of a fixed number of rows on the host.
struct Host {
    cpu: Cpu<f32>,
}

impl Host {
    fn new(draws: &Draws, n: usize, stream: u32) -> Self {
        let mut cpu = Cpu::default();
        cpu.load(&program(draws, n, stream));
        Self { cpu }
    }

    fn rows(&mut self, seed: u32, step: u32) -> Vec<f32> {
        (self.cpu.seed, self.cpu.step) = (seed, step);
        self.cpu.run(0);
        self.cpu.get("rows").unwrap_or_default().to_vec()
    }
}

/// Writes `n` rows to the buffer `rows`.
fn program(draws: &Draws, n: usize, stream: u32) -> Program {
    let g = Graph::default();
    g.assign("rows", draws(&g, n, stream));
    g.compile("draw")
}

/// Rows that are drawn together for a [`Target`]: row i is row i mod 512 of step i / 512.
const BLOCK: usize = 512;

/// Exact samples for metrics, which ask for any range of rows.
fn sampler(draws: &Draws, d: usize) -> crate::targets::Sampler {
    let host = RefCell::new(Host::new(draws, BLOCK, stream::TARGET));
    Box::new(move |rows, seed| {
        let mut out = Vec::with_capacity(rows.len() * d);
        let mut next = rows.start;
        while next < rows.end {
            let (block, skip) = (next / BLOCK, next % BLOCK);
            let taken = (BLOCK - skip).min(rows.end - next);
            let drawn = host.borrow_mut().rows(seed, block as u32);
            out.extend_from_slice(&drawn[skip * d..(skip + taken) * d]);
            next += taken;
        }
        out
    })
}

#[cfg(test)]
mod tests;
