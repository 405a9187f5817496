//! Stein variational gradient descent: x_i ← x_i + γ φ_i, φ_i = (1/n) Σ_j [k(x_j, x_i) s_j + ∇_{x_j} k(x_j, x_i)].
//!
//! **Source** Q. Liu, D. Wang, "Stein variational gradient descent" (NeurIPS 2016), algorithm 1.

use super::sampling::density_and_score;
use super::{Build, Entry, Inputs, Kernel, KernelWidth, Own, Preset, Renewing, Sampling, System};
use crate::error::{Problem, Result};
use crate::graph::{Graph, Program, Var};
use crate::params::{Bandwidth, Matrix, Spec, shortest};
use crate::targets::Target;
use crate::{choices, params};
use std::rc::Rc;

choices! {
    /// How φ becomes a step.
    pub enum Optimizer {
        /// x ← x + γ φ
        Plain = "plain" "plain",
        /// x ← x + γ φ/(10⁻⁶ + √G), G ← .9 G + .1 φ², as in the authors' code.
        Adagrad = "adagrad" "Adagrad-like",
    }
}

params! {
    /// Stein variational gradient descent.
    pub struct Svgd {
        groups { sampling: Sampling }
        /// Number of particles; every step sums over all n² pairs.
        n: usize = 512, Spec::restart("particles n").log(1.0, 16_384.0);
        /// Step size γ: how far each particle moves along φ.
        step: f32 = 0.1, Spec::live("step γ").log(1e-5, 10.0);
        /// Kernel k of the Stein direction.
        kernel: Kernel = Kernel::Rbf, Spec::rebuild("kernel k");
        /// Squared width h² of the kernel (a variance), or the median rule h² = ½ med(r²)/ln(n+1).
        bandwidth: Bandwidth = Bandwidth::Median, Spec::rebuild("bandwidth h²").log(1e-4, 1e4).only_if("kernel", &["rbf", "imq"]);
        /// Exponent β of the inverse multiquadric.
        beta: f32 = 0.5, Spec::live("exponent β").range(0.05, 5.0).only_if("kernel", &["imq"]);
        /// Matrix A of the bilinear kernel, row-major and symmetric; empty means the identity.
        kernel_matrix: Matrix = Matrix::default(), Spec::rebuild("kernel matrix A").range(-1e6, 1e6).only_if("kernel", &["bilinear"]);
        /// How φ becomes a step.
        optimizer: Optimizer = Optimizer::Plain, Spec::restart("optimizer");
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "svgd",
    title: "Stein variational gradient descent",
    room: "sampling",
    summary: "Particles follow the kernelised gradient of KL(ρ‖π): drift along the score, repulsion between neighbours.",
    citation: "Q. Liu, D. Wang (2016). Stein variational gradient descent: a general purpose Bayesian inference algorithm. NeurIPS.",
    fresh: || Box::new(Svgd::default()),
    own: Own::Particles("init"),
    presets: &[
        Preset {
            title: "Banana",
            question: "Can deterministic particles sample?",
            link: "m=svgd&target=banana&init_mean=0,4&init_scale=0.5&step=0.5",
        },
        Preset {
            title: "Collapse in d = 32",
            question: "Why does the variance collapse? The RBF kernel sees neighbours too far away to repel.",
            link: "m=svgd&d=32&n=128&step=1",
        },
        Preset {
            title: "Bilinear kernel",
            question: "What if the kernel sees only two moments? The cloud moves as an affine map.",
            link: "m=svgd&mean=1,-1&cov=2,0.8,0.8,1&init=uniform&init_scale=3&step=0.02&kernel=bilinear",
        },
        Preset {
            title: "Mode dropping",
            question: "Started at one side, why do far modes stay empty? The score there points nowhere near them.",
            link: "m=svgd&target=mixture&init_mean=3,0&init_scale=0.3",
        },
        Preset {
            title: "A real posterior",
            question: "Bayesian logistic regression on real data: does the cloud match the reference moments?",
            link: "m=svgd&target=logistic&n=256&step=0.05",
        },
    ],
};

impl System for Svgd {
    fn build(&self, inputs: &Inputs) -> Result<Build> {
        let target = Rc::new(self.sampling.target.build(self.sampling.seed)?);
        let (n, d) = (self.n, target.d);
        let matrix = self.matrix(d)?;
        let particles = self.sampling.particles(n, d, inputs)?;
        let fixed = match self.bandwidth {
            Bandwidth::Fixed(h2) if self.kernel != Kernel::Bilinear => Some(h2),
            _ => None,
        };
        let mut stage = self.sampling.stage(target.clone(), n, fixed);
        let mut state = vec![("x".to_owned(), particles)];
        let mut notes = target.notes.clone();
        let median = self.bandwidth == Bandwidth::Median && self.kernel != Kernel::Bilinear;
        if median {
            stage.kernel_width = Some(KernelWidth::Buffer("bandwidth"));
            state.push(("bandwidth".to_owned(), vec![1.0]));
            if n > MEDIAN_SUBSET {
                notes.push(format!(
                    "The median bandwidth comes from {MEDIAN_SUBSET} of {n} particles, renewed every {MEDIAN_EVERY} steps."
                ));
            }
        }
        let mut programs = vec![self.step_program(&target, &matrix)];
        if median {
            programs.push(median_program(n, d));
        }
        let every = if n > MEDIAN_SUBSET { MEDIAN_EVERY } else { 1 };
        stage.arrows = Some(Rc::new(self.arrows_program(&target, &matrix)));
        Ok(Build {
            prepare: None,
            programs,
            driver: Box::new(Renewing::new(median.then_some(every))),
            state,
            stage,
            default_steps: 500,
            notes,
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step), ("beta", self.beta)]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "the step γ = {} is likely too large for this target and kernel; try a tenth of it",
            shortest(self.step)
        )
    }
}

/// The median rule looks at no more particles than this.
const MEDIAN_SUBSET: usize = 1024;
/// Above that number of particles it is renewed this often.
const MEDIAN_EVERY: u32 = 10;

impl Svgd {
    /// A, `[d, d]`.
    fn matrix(&self, d: usize) -> Result<Vec<f64>> {
        let given: Vec<f64> = self.kernel_matrix.0.iter().map(|&v| f64::from(v)).collect();
        if given.is_empty() || self.kernel != Kernel::Bilinear {
            return Ok((0..d * d)
                .map(|i| f64::from(u8::from(i % (d + 1) == 0)))
                .collect());
        }
        let symmetric =
            given.len() == d * d && (0..d * d).all(|i| given[i] == given[i % d * d + i / d]);
        if !symmetric {
            let message = format!("A has to be a symmetric {d}×{d} matrix, row-major");
            return Err(Problem::new("kernel_matrix", message).into());
        }
        Ok(given)
    }

    fn bandwidth<'g>(&self, g: &'g Graph) -> Var<'g> {
        match self.bandwidth {
            Bandwidth::Fixed(h2) => g.scalar(f64::from(h2)),
            Bandwidth::Median => g.input("bandwidth", &[]),
        }
    }

    fn step_program(&self, target: &Target, matrix: &[f64]) -> Program {
        let d = target.d;
        let g = Graph::default();
        let x = g.input("x", &[self.n, d]);
        let (_, score) = density_and_score(target, x);
        let a = g.constant(matrix, &[d, d]);
        let phi = self
            .kernel
            .stein(x, score, self.bandwidth(&g), g.uniform("beta"), a);
        let step = g.uniform("step");
        match self.optimizer {
            Optimizer::Plain => g.assign("x", x + step * phi),
            Optimizer::Adagrad => {
                let past = g.input("squares", &[self.n, d]);
                let squares = past.choose(0.9 * past + 0.1 * phi.square(), phi.square());
                g.assign("squares", squares);
                g.assign("x", x + step * phi / (squares.sqrt() + 1e-6));
            }
        }
        g.compile("step")
    }

    fn arrows_program(&self, target: &Target, matrix: &[f64]) -> Program {
        let d = target.d;
        let g = Graph::default();
        let x = g.input("x", &[self.n, d]);
        let (_, score) = density_and_score(target, x);
        let a = g.constant(matrix, &[d, d]);
        let parts = self
            .kernel
            .direction(x, score, self.bandwidth(&g), g.uniform("beta"), a);
        g.assign("drift", parts.drift);
        g.assign("repulsion", parts.repulsion);
        g.compile("arrows")
    }
}

/// h² = ½ med(r²)/ln(n+1) over at most [`MEDIAN_SUBSET`] evenly strided particles; n is the number of those used.
fn median_program(n: usize, d: usize) -> Program {
    let g = Graph::default();
    let x = g.input("x", &[n, d]);
    let used = n.min(MEDIAN_SUBSET);
    let subset = if used == n {
        x
    } else {
        let rows = (0..used).map(|i| (i * n / used) as f64);
        x.gather(g.constant(rows.collect::<Vec<_>>(), &[used]))
    };
    let h2 = subset.median_squared_distance() * (0.5 / (used as f64 + 1.0).ln());
    // Particles that all coincide have no distance to scale by; any width gives k = 1.
    let floor = g.scalar(1e-12);
    g.assign("bandwidth", (h2 - floor).choose(h2, floor));
    g.compile("bandwidth")
}

#[cfg(test)]
mod tests;
