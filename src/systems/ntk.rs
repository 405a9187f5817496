//! The neural tangent kernel: networks of finite width train on points of the circle beside their limit of infinite width, in
//! which the function follows a linear equation, f ← f − (η/N) Θ (f − y), with a kernel Θ that never changes.
//!
//! In the eigenvectors v_i of Θ each part of the residual decays by itself, as (1 − ηλ_i/N)^t.
//!
//! **Source** A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel: convergence and generalization in neural networks"
//! (NeurIPS 2018), theorems 1 and 2.

mod limit;
mod network;

use super::{Build, Entry, Inputs, Own, Preset, Stage, Steps, System};
use crate::error::Result;
use crate::exec::Cpu;
use crate::graph::{Graph, Program, Var, grad};
use crate::linalg;
use crate::metrics::{Curve, Metric, Scale};
use crate::params::{Spec, shortest};
use crate::rng::{normal_vec, stream};
use crate::{choices, params};
use limit::{Kernels, kernels};
use network::Network;
use std::f64::consts::PI;

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
        /// What is drawn.
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

static LOSS: Curve = Curve {
    id: "training_loss",
    label: "training loss",
    definition: "½ mean (f − y)² over the training points, with their noise.",
    unit: "",
    scale: Scale::Log,
};

static HELD_OUT: Curve = Curve {
    id: "held_out_loss",
    label: "held-out loss",
    definition: "½ mean (f − f*)² over 129 angles around the circle, without noise.",
    unit: "",
    scale: Scale::Log,
};

static FIRST: Curve = Curve {
    id: "residual_top",
    label: "residual along v₁…₃",
    definition: "Norm of the part of f − y in the three eigendirections of the limit’s kernel with the largest eigenvalues, over that \
                 of the whole residual at the start.",
    unit: "",
    scale: Scale::Log,
};

static LAST: Curve = Curve {
    id: "residual_rest",
    label: "residual along the rest",
    definition: "Norm of the part of f − y in all other eigendirections, over that of the whole residual at the start.",
    unit: "",
    scale: Scale::Log,
};

static DEVIATION: Curve = Curve {
    id: "prediction_error",
    label: "error of the prediction",
    definition: "Distance of the residual from V (1 − ηλ/N)^t Vᵀ(f₀ − y), the limit’s prediction from the same start, over the norm of \
                 the residual at the start.",
    unit: "",
    scale: Scale::Log,
};

static KERNEL_ERROR: Curve = Curve {
    id: "kernel_error",
    label: "kernel against the limit",
    definition: "‖Θ − Θ_∞‖/‖Θ_∞‖ of the network’s kernel at present, on the training points, in Frobenius norm.",
    unit: "",
    scale: Scale::Log,
};

static KERNEL_DRIFT: Curve = Curve {
    id: "kernel_drift",
    label: "movement of the kernel",
    definition: "‖Θ − Θ₀‖/‖Θ_∞‖ on the training points: how far the network’s kernel has moved since the start.",
    unit: "",
    scale: Scale::Log,
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
        let mut metrics = vec![&LOSS, &HELD_OUT, &FIRST, &LAST, &DEVIATION];
        if self.net == Net::Finite {
            metrics.extend([&KERNEL_ERROR, &KERNEL_DRIFT]);
        }
        let limit = self.kernels_on_grid();
        let row = &limit.tangent[(GRID / 2) * GRID..(GRID / 2 + 1) * GRID];
        let truth: Vec<f64> = (0..GRID).map(|i| self.truth(grid_angle(i))).collect();
        let (line, low, high) = match self.shown {
            Shown::Function => (&truth[..], -2.6, 2.6),
            Shown::Kernel => {
                let top = row.iter().fold(0.0, |m: f64, v| m.max(*v));
                (row, -0.25 * top, 1.5 * top)
            }
        };
        let point = |i: usize| [grid_angle(i) as f32, line[i] as f32];
        let (angles, labels) = self.samples();
        let marks = angles.iter().zip(&labels);
        let marks = marks.map(|(a, y)| [*a as f32, *y as f32]);
        let stage = Stage {
            particles: "drawn",
            n: GRID,
            d: 2,
            axes: [0, 1],
            target: None,
            frame: [-PI as f32, low as f32, PI as f32, high as f32],
            names: vec![
                "angle θ".to_owned(),
                match self.shown {
                    Shown::Function => "f(θ)".to_owned(),
                    Shown::Kernel => "Θ(0, θ)".to_owned(),
                },
            ],
            marks: match self.shown {
                Shown::Function => marks.collect(),
                Shown::Kernel => Vec::new(),
            },
            guides: (1..GRID).map(|i| [point(i - 1), point(i)]).collect(),
            depiction: None,
            map: None,
            least_cost: None,
            curves: Some(self.curves(&spectrum)),
            arrows: None,
            kernel_width: None,
            metrics: metrics.into_iter().map(Metric::Curve).collect(),
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

    /// The values at training points and grid, `[N + 129, 1]`, as the buffers have them.
    fn values<'g>(&self, g: &'g Graph) -> Var<'g> {
        let angles = self.all_angles();
        match self.net {
            Net::Finite => {
                let network = self.network();
                let x = g.constant(on_circle(&angles), &[angles.len(), 2]);
                network.pass(&network.buffers(g), x).value()
            }
            Net::Limit => g.input("f", &[angles.len(), 1]),
        }
    }

    fn labels<'g>(&self, g: &'g Graph) -> Var<'g> {
        g.constant(self.samples().1, &[self.points, 1])
    }

    /// The residual of the training points in the eigenvectors.
    fn coordinates<'g>(&self, spectrum: &Spectrum, values: Var<'g>) -> Var<'g> {
        let (g, n) = (values.graph(), self.points);
        let residual = values.slice(0, 0, n) - self.labels(g);
        g.constant(spectrum.vectors.clone(), &[n, n])
            .matmul(residual)
    }

    /// What is drawn of values at training points and grid, and of the network's kernel.
    fn drawn<'g>(&self, g: &'g Graph, values: Var<'g>) -> Var<'g> {
        let angles: Vec<f64> = (0..GRID).map(grid_angle).collect();
        let height = match (self.shown, self.net) {
            (Shown::Function, _) => values.slice(0, self.points, GRID),
            (Shown::Kernel, Net::Finite) => {
                let network = self.network();
                let x = g.constant(on_circle(&angles), &[GRID, 2]);
                network.kernel(&network.pass(&network.buffers(g), x), [GRID / 2, 1])
            }
            (Shown::Kernel, Net::Limit) => {
                let row = self.kernels_on_grid().tangent[(GRID / 2) * GRID..][..GRID].to_vec();
                g.constant(row, &[GRID, 1])
            }
        };
        g.concat(&[g.constant(angles, &[GRID, 1]), height], 1)
    }

    /// The network's kernel on the training points.
    fn own_kernel<'g>(&self, g: &'g Graph) -> Var<'g> {
        let network = self.network();
        let x = g.constant(on_circle(&self.samples().0), &[self.points, 2]);
        network.kernel(&network.pass(&network.buffers(g), x), [0, self.points])
    }

    /// The residual and the kernel at the start, and the first picture.
    fn prepare(&self, spectrum: &Spectrum) -> Program {
        let g = Graph::default();
        let values = self.values(&g);
        let coordinates = self.coordinates(spectrum, values);
        g.assign("predicted", coordinates);
        g.assign("size", coordinates.square().total().sqrt().reshape(&[1]));
        g.assign("drawn", self.drawn(&g, values));
        if self.net == Net::Finite {
            g.assign("kernel", self.own_kernel(&g));
        }
        g.compile("prepare")
    }

    fn step_program(&self, spectrum: &Spectrum) -> Program {
        let g = Graph::default();
        let n = self.points;
        let rate = g.uniform("step") * (1.0 / n as f64);
        let (values, labels) = (self.values(&g), self.labels(&g));
        match self.net {
            Net::Finite => {
                let network = self.network();
                let parameters = network.buffers(&g);
                let error = values.slice(0, 0, n) - labels;
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
                g.assign(
                    "f",
                    values - rate * kernel.matmul(values.slice(0, 0, n) - labels),
                );
            }
        }
        let decay = 1.0 - rate * g.constant(spectrum.values.clone(), &[n, 1]);
        g.assign("predicted", decay * g.input("predicted", &[n, 1]));
        // What curves compare with stays as it was; a device keeps what a program names.
        g.assign("size", g.input("size", &[1]));
        if self.net == Net::Finite {
            g.assign("kernel", g.input("kernel", &[n, n]));
        }
        // The picture shows the state before this step: one forward pass does for both.
        g.assign("drawn", self.drawn(&g, values));
        g.compile("step")
    }

    fn curves(&self, spectrum: &Spectrum) -> Program {
        let g = Graph::default();
        let n = self.points;
        let values = self.values(&g);
        let error = values.slice(0, 0, n) - self.labels(&g);
        g.assign(LOSS.id, error.square().total() * (0.5 / n as f64));
        let truth: Vec<f64> = (0..GRID).map(|i| self.truth(grid_angle(i))).collect();
        let error = values.slice(0, n, GRID) - g.constant(truth, &[GRID, 1]);
        g.assign(HELD_OUT.id, error.square().total() * (0.5 / GRID as f64));
        let size = g.input("size", &[1]).reshape(&[]) + 1e-30;
        let now = self.coordinates(spectrum, values);
        let top = n.min(3);
        let part = |first: usize, count: usize| {
            let part = now.slice(0, first, count);
            part.square().total().sqrt() / size
        };
        g.assign(FIRST.id, part(0, top));
        let rest = if n > top {
            part(top, n - top)
        } else {
            g.scalar(0.0)
        };
        g.assign(LAST.id, rest);
        let off = now - g.input("predicted", &[n, 1]);
        g.assign(DEVIATION.id, off.square().total().sqrt() / size);
        if self.net == Net::Finite {
            let exact = self.kernels_of(&self.samples().0).tangent;
            let scale = 1.0 / linalg::norm(&exact);
            let own = self.own_kernel(&g);
            let error = own - g.constant(exact, &[n, n]);
            g.assign(KERNEL_ERROR.id, error.square().total().sqrt() * scale);
            let moved = own - g.input("kernel", &[n, n]);
            g.assign(KERNEL_DRIFT.id, moved.square().total().sqrt() * scale);
        }
        g.compile("curves")
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
