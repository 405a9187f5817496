//! The neural tangent kernel: networks of finite width train on points of the circle beside their limit of infinite width, in
//! which the function follows a linear equation, f ← f − (η/N) Θ (f − y), with a kernel Θ that never changes.
//!
//! In the eigenvectors v_i of Θ each part of the residual decays by itself, as (1 − ηλ_i/N)^t.
//!
//! **Source** A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel: convergence and generalization in neural networks"
//! (NeurIPS 2018), theorems 1 and 2.

mod curves;
mod limit;
mod network;
mod picture;

use super::{Build, Entry, Inputs, Own, Preset, Stage, Steps, System};
use crate::error::Result;
use crate::exec::Cpu;
use crate::graph::{Graph, Program, Var, grad};
use crate::linalg;
use crate::params::{Spec, shortest};
use crate::rng::{normal_vec, stream};
use crate::{choices, params};
use limit::{Kernels, kernels};
use network::Network;
use std::f64::consts::PI;
use std::ops::Range;

/// σ_w²: with 2 the size of a signal is the same after every ReLU layer.
const SIGMA_W2: f64 = 2.0;
/// Angles that functions and kernels are drawn at, from −π on.
const GRID: usize = 129;

choices! {
    /// What trains.
    pub enum Net {
        /// A network.
        Finite = "finite" "a network",
        /// The limit, exactly.
        Limit = "limit" "the limit of infinite width",
    }
}

choices! {
    /// What the network is to learn.
    pub enum Labels {
        /// cos θ + ½ sin 2θ
        Smooth = "smooth" "cos θ + ½ sin 2θ",
        /// sin 3θ, which no network with one hidden layer and without biases can fit.
        Third = "third" "sin 3θ",
    }
}

choices! {
    /// What is drawn.
    pub enum Shown {
        /// The function and its points.
        Function = "function" "the function",
        /// The kernel Θ(0, θ), beside its limit.
        Kernel = "kernel" "the kernel from angle 0",
        /// v_iᵀ Θ v_i in the eigenvectors of the limit, beside its eigenvalues.
        Spectrum = "spectrum" "the spectrum",
        /// The residual along each eigenvector, over that at the start, beside its prediction.
        Residual = "residual" "the residual by direction",
    }
}

params! {
    /// Neural tangent kernel.
    pub struct Ntk {
        /// Seed of the initial weights and of the noise.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// What trains: a network, or the limit that wide networks tend to.
        net: Net = Net::Finite, Spec::restart("what trains");
        /// Neurons m of each hidden layer.
        width: usize = 512, Spec::restart("width m").log(1.0, 4096.0).only_if("net", &["finite"]);
        /// Hidden layers.
        depth: usize = 1, Spec::restart("hidden layers").range(1.0, 4.0);
        /// Variance of the biases; without them one hidden layer is blind to odd frequencies from 3 on.
        bias: f32 = 0.1, Spec::restart("bias variance σ_b²").range(0.0, 4.0);
        /// Training points N, evenly around the circle.
        points: usize = 12, Spec::restart("points N").range(2.0, 64.0);
        /// What is to be learned.
        labels: Labels = Labels::Smooth, Spec::restart("labels");
        /// Standard deviation of the noise on the labels.
        noise: f32 = 0.0, Spec::restart("label noise").range(0.0, 2.0);
        /// Step size η of the mean square error; stable below 2N/λ_max.
        step: f32 = 1.0, Spec::live("step η").log(1e-3, 100.0);
        /// What is drawn: of the network by dots, of the limit by a line.
        shown: Shown = Shown::Function, Spec::restart("shown");
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "ntk",
    title: "Neural tangent kernel",
    room: "training",
    summary: "Wide networks learn as a kernel that never changes: each eigendirection of the residual decays at a rate of its own.",
    citation: "A. Jacot, F. Gabriel, C. Hongler (2018). Neural tangent kernel: convergence and generalization in neural networks. NeurIPS.",
    fresh: || Box::new(Ntk::default()),
    own: Own::None,
    presets: &[
        Preset {
            title: "Wider is closer to the limit",
            question: "Which width still learns features? Watch how far the kernel of each network moves from where it started.",
            link: "m=ntk&width=16;width=128;width=2048;net=limit",
        },
        Preset {
            title: "The kernel on the circle",
            question: "The kernel of a random network is random itself. How wide must it be to look like its limit?",
            link: "m=ntk&width=16&shown=kernel;width=128;width=2048;net=limit",
        },
        Preset {
            title: "Blind to an odd frequency",
            question: "One hidden layer without biases cannot learn sin 3θ: its eigenvalue is zero. Biases, or one more layer, mend it.",
            link: "m=ntk&net=limit&bias=0&labels=third;bias=0.1;depth=2",
        },
        Preset {
            title: "Direction by direction",
            question: "Each eigendirection of the residual decays at its own rate: do the networks keep to the line of the limit, step by step?",
            link: "m=ntk&width=64&step=0.02&shown=residual;width=4096",
        },
        Preset {
            title: "The spectrum",
            question: "How far do the eigenvalues of narrow networks lie from the limit’s, and which of them move in training?",
            link: "m=ntk&width=32&shown=spectrum;width=2048",
        },
        Preset {
            title: "When to stop",
            question: "Noisy labels: the training loss falls for ever. When is the held-out loss smallest?",
            link: "m=ntk&width=1024&points=24&noise=0.7;net=limit",
        },
        Preset {
            title: "What a network is before it learns",
            question: "Draws of wide networks are draws of a Gaussian process. Press R for others: can you tell the last from the rest?",
            link: "m=ntk&width=4&step=0.001;width=64;width=2048;net=limit",
        },
    ],
};

/// What a run needs of the limit: the spectrum on the training points.
struct Spectrum {
    /// Eigenvalues, descending.
    values: Vec<f64>,
    /// Eigenvectors as rows, `[N, N]`.
    vectors: Vec<f64>,
}

impl System for Ntk {
    fn build(&self, _: &Inputs) -> Result<Build> {
        let spectrum = self.spectrum();
        let state = self.measured_start(&spectrum);
        let picture = self.picture(&spectrum);
        let stage = Stage {
            particles: "particles",
            n: picture.n,
            d: 2,
            axes: [0, 1],
            target: None,
            frame: picture.frame,
            names: picture.names.map(str::to_owned).to_vec(),
            marks: picture.marks,
            guides: picture.guides,
            depiction: Some(picture.depiction),
            map: None,
            least_cost: None,
            curves: Some(self.curves(&spectrum)),
            arrows: None,
            kernel_width: None,
            metrics: self.metrics(),
            metric_bandwidth: 1.0,
            seed: self.seed,
        };
        Ok(Build {
            prepare: None,
            programs: vec![self.step_program(&spectrum)],
            driver: Box::new(Steps),
            state,
            stage,
            default_steps: 1000,
            notes: self.notes(&spectrum),
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step)]
    }

    fn divergence_cause(&self) -> String {
        let top = self.spectrum().values[0];
        format!(
            "the step η = {} is likely above 2N/λ_max, which is {} in the limit",
            shortest(self.step),
            shortest((2.0 * self.points as f64 / top) as f32)
        )
    }
}

fn grid_angle(i: usize) -> f64 {
    PI * (2.0 * i as f64 / (GRID - 1) as f64 - 1.0)
}

fn on_circle(angles: &[f64]) -> Vec<f64> {
    angles.iter().flat_map(|a| [a.cos(), a.sin()]).collect()
}

impl Ntk {
    fn network(&self) -> Network {
        Network {
            inputs: 2,
            width: self.width,
            depth: self.depth,
            sigma_b2: f64::from(self.bias),
        }
    }

    fn truth(&self, angle: f64) -> f64 {
        match self.labels {
            Labels::Smooth => angle.cos() + 0.5 * (2.0 * angle).sin(),
            Labels::Third => (3.0 * angle).sin(),
        }
    }

    /// Angles and labels of the training points.
    fn samples(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.points;
        let noise = normal_vec(self.seed, stream::TARGET, 0, n);
        let angle = |i: usize| PI * ((2 * i + 1) as f64 / n as f64 - 1.0);
        let angles: Vec<f64> = (0..n).map(angle).collect();
        let noisy = |(a, z): (&f64, &f32)| self.truth(*a) + f64::from(self.noise * z);
        let labels = angles.iter().zip(&noise).map(noisy).collect();
        (angles, labels)
    }

    fn kernels_of(&self, angles: &[f64]) -> Kernels {
        kernels(&on_circle(angles), 2, self.depth, f64::from(self.bias))
    }

    fn kernels_on_grid(&self) -> Kernels {
        let angles: Vec<f64> = (0..GRID).map(grid_angle).collect();
        self.kernels_of(&angles)
    }

    fn spectrum(&self) -> Spectrum {
        let n = self.points;
        let (values, vectors) =
            linalg::symmetric_eigen(&self.kernels_of(&self.samples().0).tangent, n);
        let mut order: Vec<usize> = (0..n).collect();
        crate::order::sort_few(&mut order, |a, b| values[*a] > values[*b]);
        let row = |&i: &usize| (0..n).map(move |k| (k, i));
        Spectrum {
            vectors: order
                .iter()
                .flat_map(row)
                .map(|(k, i)| vectors[k * n + i])
                .collect(),
            values: order.iter().map(|&i| values[i]).collect(),
        }
    }

    /// Angles of the training points, then of the grid.
    fn all_angles(&self) -> Vec<f64> {
        let mut angles = self.samples().0;
        angles.extend((0..GRID).map(grid_angle));
        angles
    }

    /// Standard normal parameters; in the limit a draw of its Gaussian process, at training points and grid.
    fn start(&self) -> Vec<(String, Vec<f32>)> {
        match self.net {
            Net::Finite => {
                let parameters = self.network().parameters().into_iter();
                let drawn = (0..).zip(parameters).map(|(i, (name, [rows, columns]))| {
                    (name, normal_vec(self.seed, stream::INIT, i, rows * columns))
                });
                drawn.collect()
            }
            Net::Limit => {
                let angles = self.all_angles();
                let n = angles.len();
                let mut covariance = self.kernels_of(&angles).covariance;
                // Without biases it is singular: a thousandth of a percent of noise makes it regular.
                let least = 1e-10 * covariance.iter().fold(0.0, |m: f64, v| m.max(*v));
                for i in 0..n {
                    covariance[i * n + i] += least;
                }
                let root = linalg::cholesky(&covariance, n).expect("positive definite");
                let drawn = normal_vec(self.seed, stream::INIT, 0, n);
                let drawn: Vec<f64> = drawn.iter().map(|&z| f64::from(z)).collect();
                let values = linalg::matmul(&root, &drawn, [n, n, 1]);
                vec![("f".to_owned(), values.iter().map(|&v| v as f32).collect())]
            }
        }
    }

    /// [`Self::start`], with what is known of it before the first step: curves are measured at step 0 too.
    fn measured_start(&self, spectrum: &Spectrum) -> Vec<(String, Vec<f32>)> {
        let mut cpu = Cpu::<f32>::default();
        let prepare = cpu.load(&self.prepare(spectrum));
        for (name, data) in self.start() {
            cpu.set(&name, &data);
        }
        cpu.run(prepare);
        cpu.state()
            .map(|(name, data)| (name.to_owned(), data.to_vec()))
            .collect()
    }

    /// The values at training points, then at the grid, `[N + 129, 1]`: those of `which`.
    fn values<'g>(&self, g: &'g Graph, which: Range<usize>) -> Var<'g> {
        let angles = self.all_angles();
        match self.net {
            Net::Finite => {
                let network = self.network();
                let x = g.constant(on_circle(&angles[which.clone()]), &[which.len(), 2]);
                network.pass(&network.buffers(g), x).value()
            }
            Net::Limit => {
                let all = g.input("f", &[angles.len(), 1]);
                all.slice(0, which.start, which.len())
            }
        }
    }

    /// f − y at the training points, `[N, 1]`.
    fn residual<'g>(&self, g: &'g Graph) -> Var<'g> {
        let labels = g.constant(self.samples().1, &[self.points, 1]);
        self.values(g, 0..self.points) - labels
    }

    /// The residual in the eigenvectors.
    fn coordinates<'g>(&self, spectrum: &Spectrum, residual: Var<'g>) -> Var<'g> {
        let vectors = spectrum.vectors.clone();
        let n = self.points;
        residual.graph().constant(vectors, &[n, n]).matmul(residual)
    }

    /// The network's kernel on the training points.
    fn own_kernel<'g>(&self, g: &'g Graph) -> Var<'g> {
        let network = self.network();
        let x = g.constant(on_circle(&self.samples().0), &[self.points, 2]);
        network.kernel(&network.pass(&network.buffers(g), x), [0, self.points])
    }

    /// The residual and the kernel at the start.
    fn prepare(&self, spectrum: &Spectrum) -> Program {
        let g = Graph::default();
        let coordinates = self.coordinates(spectrum, self.residual(&g));
        g.assign("start", coordinates);
        g.assign("decay", coordinates * 0.0 + 1.0);
        if self.net == Net::Finite {
            g.assign("kernel", self.own_kernel(&g));
        }
        g.compile("prepare")
    }

    fn step_program(&self, spectrum: &Spectrum) -> Program {
        let g = Graph::default();
        let n = self.points;
        let rate = g.uniform("step") * (1.0 / n as f64);
        let error = self.residual(&g);
        match self.net {
            Net::Finite => {
                let network = self.network();
                let parameters = network.buffers(&g);
                let gradients = grad(0.5 * error.square().total(), &parameters);
                let names = network.parameters();
                for ((name, _), (value, gradient)) in
                    names.iter().zip(parameters.iter().zip(gradients))
                {
                    g.assign(name, *value - rate * gradient);
                }
            }
            Net::Limit => {
                let angles = self.all_angles();
                let all = angles.len();
                let kernel = self.kernels_of(&angles).tangent;
                let towards = kernel.chunks_exact(all).flat_map(|row| row[..n].to_vec());
                let kernel = g.constant(towards.collect::<Vec<_>>(), &[all, n]);
                g.assign("f", self.values(&g, 0..all) - rate * kernel.matmul(error));
            }
        }
        let decay = 1.0 - rate * g.constant(spectrum.values.clone(), &[n, 1]);
        g.assign("decay", decay * g.input("decay", &[n, 1]));
        // What curves compare with stays as it was; a device keeps what a program names.
        g.assign("start", g.input("start", &[n, 1]));
        if self.net == Net::Finite {
            g.assign("kernel", g.input("kernel", &[n, n]));
        }
        g.compile("step")
    }

    fn notes(&self, spectrum: &Spectrum) -> Vec<String> {
        let n = self.points as f64;
        let [top, last] = [spectrum.values[0], spectrum.values[self.points - 1]];
        let stable = 2.0 * n / top;
        let mut notes = vec![format!(
            "Eigenvalues of the limit’s kernel on the {} points: from {} down to {}; steps are stable below 2N/λ_max = {}.",
            self.points,
            shortest(top as f32),
            shortest(last as f32),
            shortest(stable as f32)
        )];
        if last < 1e-9 * top {
            notes.push("The kernel is not positive definite: some functions of these points are never learned.".to_owned());
        }
        if f64::from(self.step) > stable {
            notes.push(
                "The step is above the stable one: the leading eigendirection grows.".to_owned(),
            );
        }
        notes
    }
}

#[cfg(test)]
mod tests;
