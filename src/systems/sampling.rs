//! What all samplers share: the target, the initial cloud, the seed, the scene.

use super::{Inputs, KernelWidth, Stage};
use crate::error::{Problem, Result};
use crate::graph::{Var, grad};
use crate::metrics::Metric;
use crate::params::{MetricBandwidth, Numbers, Spec};
use crate::rng::{self, stream};
use crate::targets::{Target, TargetParams};
use crate::{choices, params};
use std::rc::Rc;

choices! {
    /// How the initial particles are drawn.
    pub enum Init {
        /// N(init_mean, init_scale² I)
        Normal = "normal" "normal",
        /// Uniform on a box of half-width init_scale around init_mean.
        Uniform = "uniform" "uniform box",
        /// All exactly at init_mean.
        Point = "point" "one point",
        /// From a file, or from the link's `data`.
        File = "file" "own points",
    }
}

params! {
    /// What every sampler needs.
    pub struct Sampling in "Run" {
        groups { target: TargetParams }
        /// Seed of every random number in the run.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// How the initial particles are drawn.
        init: Init = Init::Normal, Spec::restart("initial cloud");
        /// Centre of the initial cloud; empty means the origin.
        init_mean: Numbers = Numbers::default(), Spec::restart("initial centre").range(-1e6, 1e6).only_if("init", &["normal", "uniform", "point"]);
        /// Standard deviation (normal) or half-width (uniform) of the initial cloud.
        init_scale: f32 = 1.0, Spec::restart("initial scale").log(1e-4, 1e3).only_if("init", &["normal", "uniform"]);
        /// Squared width h² of the kernel in KSD² and MMD²; the same in all panes.
        metric_bandwidth: MetricBandwidth = MetricBandwidth::Auto, Spec::restart("metric h²").log(1e-6, 1e6);
    }
}

impl Sampling {
    /// Initial particles `[n, d]`, row-major.
    ///
    /// # Errors
    /// A centre of another length than d; own points that are missing, or of another shape than `[n, d]`.
    pub fn particles(&self, n: usize, d: usize, inputs: &Inputs) -> Result<Vec<f32>> {
        let mut mean = self.init_mean.0.clone();
        if mean.is_empty() {
            mean.resize(d, 0.0);
        }
        if mean.len() != d {
            let message = format!("has {} numbers, but d = {d} takes {d}", mean.len());
            return Err(Problem::new("init_mean", message).into());
        }
        let around = |draws: Vec<f32>| {
            let centred = draws.iter().enumerate();
            centred
                .map(|(i, z)| mean[i % d] + self.init_scale * z)
                .collect()
        };
        Ok(match self.init {
            Init::Normal => around(rng::normal_vec(self.seed, stream::INIT, 0, n * d)),
            Init::Uniform => {
                let draws = rng::uniform_vec(self.seed, stream::INIT, 0, n * d);
                around(draws.iter().map(|u| 2.0 * u - 1.0).collect())
            }
            Init::Point => mean.iter().copied().cycle().take(n * d).collect(),
            Init::File => {
                let Some(table) = &inputs.init else {
                    let message = "own points need a file, or `data` in the link";
                    return Err(Problem::new("init", message).into());
                };
                if table.columns != d {
                    let message = format!("the points have {} columns, but d = {d}", table.columns);
                    return Err(Problem::new("init", message).into());
                }
                if table.rows() != n {
                    let message = format!("n = {n}, but there are {} points", table.rows());
                    return Err(Problem::new("n", message).into());
                }
                table.values.clone()
            }
        })
    }

    /// The scene and probes of a sampler whose particles lie in the buffer `x`.
    pub fn stage(&self, target: Rc<Target>, n: usize, bandwidth: Option<f32>) -> Stage {
        Stage {
            particles: "x",
            n,
            d: target.d,
            axes: [0, 1.min(target.d - 1)],
            frame: target.frame_of([0, 1.min(target.d - 1)]),
            names: target.axes.clone(),
            marks: Vec::new(),
            guides: Vec::new(),
            depiction: None,
            map: None,
            least_cost: None,
            curves: None,
            target: Some(target),
            arrows: None,
            kernel_width: bandwidth.map(|h2| KernelWidth::Fixed(h2.sqrt())),
            metrics: vec![
                Metric::Ksd2,
                Metric::Kl,
                Metric::W2,
                Metric::MeanErr,
                Metric::CovErr,
            ],
            metric_bandwidth: match self.metric_bandwidth {
                MetricBandwidth::Auto => bandwidth.unwrap_or(1.0),
                MetricBandwidth::Fixed(h2) => h2,
            },
            seed: self.seed,
        }
    }
}

/// Log density `[n]` and score `[n, d]` at `x: [n, d]`.
pub fn density_and_score<'g>(target: &Target, x: Var<'g>) -> (Var<'g>, Var<'g>) {
    let log_density = (target.log_density)(x.graph(), x);
    (log_density, grad(log_density, &[x])[0])
}
