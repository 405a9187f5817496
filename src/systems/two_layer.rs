//! Two-layer networks as particles: f(x) = (1/m) Σ_j a_j φ(w_j·x), trained on a teacher of the same form. Each neuron (a, w) is a
//! particle; gradient descent moves the cloud down a function of its distribution that is convex.
//!
//! With inputs x ~ N(0, I) the population loss and its gradient are exact: averages of products of ridge functions are
//! arc-cosine kernels of the angle between the weights.
//!
//! **Source** L. Chizat, F. Bach, "On the global convergence of gradient descent for over-parameterized models using optimal
//! transport" (NeurIPS 2018); Y. Cho, L. Saul (NeurIPS 2009), eq. 6; D. Saad, S. Solla (Phys. Rev. E 1995), eq. 7.

mod conditional;
mod loss;
mod teacher;

use super::{Build, Command, Driver, Entry, Inputs, Own, Preset, Reads, Stage, Steps, System};
use crate::error::{Problem, Result};
use crate::graph::{Graph, Program, Var, grad};
use crate::metrics::{Curve, Metric, Scale};
use crate::nn::{self, Optimizer};
use crate::params::{Spec, shortest};
use crate::rng::stream;
use crate::{choices, params};
use conditional::Placing;
use teacher::Teacher;

choices! {
    /// The nonlinearities whose Gaussian averages are known.
    pub enum Neuron {
        /// max(z, 0): what a neuron does depends on the direction of w and on a|w| alone.
        Relu = "relu" "ReLU",
        /// erf(z/√2)
        Sigmoid = "sigmoid" "sigmoid (error function)",
    }
}

choices! {
    /// What moves.
    pub enum Trained {
        /// Positions w and output weights a.
        Both = "both" "positions and weights",
        /// Output weights alone: the problem is convex, the positions stay as drawn.
        Output = "output" "output weights only (convex)",
        /// One neuron more a step, where the loss is steepest: the convex problem over all measures of the teacher's mass.
        FrankWolfe = "frank-wolfe" "one neuron more a step (Frank–Wolfe)",
    }
}

choices! {
    /// Where the neurons start.
    pub enum Start {
        /// w uniform on the sphere, a = ±1 in turn.
        Sphere = "sphere" "whole sphere, both signs",
        /// w uniform on a sphere of radius ½, every a = 1: half of the space of neurons is empty, and stays so.
        OneSign = "one-sign" "smaller sphere, one sign",
    }
}

choices! {
    /// What the gradient is an average over.
    pub enum Data {
        /// All inputs, exactly.
        Population = "population" "all inputs, exactly",
        /// A fixed sample of inputs.
        Sample = "sample" "a fixed sample",
    }
}

choices! {
    /// Whether neurons have biases.
    pub enum Bias {
        /// No.
        None = "none" "none",
        /// One for each neuron, and one for the output.
        Learned = "learned" "learned",
    }
}

params! {
    /// Two-layer networks as particles.
    pub struct TwoLayer {
        /// Seed of the teacher, the start and the samples.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// Dimension d of the inputs.
        d: usize = 2, Spec::restart("dimension d").range(2.0, 100.0);
        /// Neurons m₀ of the teacher: directions uniform on the sphere, output weights ±1/m₀.
        teacher: usize = 5, Spec::restart("teacher neurons m₀").range(1.0, 50.0);
        /// Neurons m of the student, each a particle.
        neurons: usize = 50, Spec::restart("neurons m").log(1.0, 4096.0);
        /// Nonlinearity φ of teacher and student.
        activation: Neuron = Neuron::Relu, Spec::restart("activation φ");
        /// What moves: with the output weights alone the problem is convex, and a kernel method.
        train: Trained = Trained::Both, Spec::restart("what moves");
        /// Where the neurons start.
        start: Start = Start::Sphere, Spec::restart("start");
        /// Step size η: a neuron moves by −η m ∂J/∂(a, w).
        step: f32 = 0.5, Spec::live("step η").log(1e-5, 10.0);
        /// How the gradient becomes a step.
        optimizer: Optimizer = Optimizer::Sgd, Spec::restart("optimizer");
        /// What the gradient is an average over.
        loss: Data = Data::Population, Spec::restart("gradient over");
        /// Inputs of the sample.
        samples: usize = 1024, Spec::restart("samples").log(1.0, 65_536.0).only_if("loss", &["sample"]);
        /// Inputs of one step, drawn from the sample with replacement; as many as the sample or more means all of it.
        batch: usize = 65_536, Spec::restart("batch").log(1.0, 65_536.0).only_if("loss", &["sample"]);
        /// Whether neurons have biases, which the teacher has not.
        bias: Bias = Bias::None, Spec::restart("biases").only_if("loss", &["sample"]);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "two-layer",
    title: "Two-layer networks as particles",
    room: "training",
    summary: "Neurons move as particles: wide networks reach a teacher that narrow or one-sided ones never find.",
    citation: "L. Chizat, F. Bach (2018). On the global convergence of gradient descent for over-parameterized models using optimal transport. NeurIPS.",
    fresh: || Box::new(TwoLayer::default()),
    own: Own::None,
    presets: &[
        Preset {
            title: "Neurons find their teacher",
            question: "Do fifty neurons find the teacher’s five directions? The loss falls to it long before all of them do.",
            link: "m=two-layer&step=0.2",
        },
        Preset {
            title: "How wide is wide enough?",
            question: "Two neurons stick, ten reach the teacher: over-parametrisation removes the traps.",
            link: "m=two-layer&d=20&neurons=2;neurons=5;neurons=10;neurons=80",
        },
        Preset {
            title: "Feature learning against a kernel",
            question: "The same eighty neurons with fixed positions: a convex problem, and far from the teacher.",
            link: "m=two-layer&d=20&neurons=80;train=output",
        },
        Preset {
            title: "A start on one side",
            question: "Why does a wide network fail? Every output weight starts positive, and none can change its sign.",
            link: "m=two-layer&start=one-sign",
        },
        Preset {
            title: "Learning from a sample",
            question: "Thirty-two inputs: the training loss vanishes, the population loss does not.",
            link: "m=two-layer&d=10&neurons=100&loss=sample&samples=32",
        },
        Preset {
            title: "Three ways to add neurons",
            question: "Twenty neurons that move, that stay, and that come one by one where the loss is steepest: who gets furthest? Sweep over m.",
            link: "m=two-layer&d=20&neurons=20;train=output;train=frank-wolfe",
        },
    ],
};

static EXCESS: Curve = Curve {
    id: "excess_loss",
    label: "excess loss J/J₀",
    definition: "Population loss ½ E(f − f*)² over ½ E f*², inputs N(0, I), in closed form; 0 is the teacher itself.",
    unit: "",
    scale: Scale::Log,
};

static HELD_OUT: Curve = Curve {
    id: "held_out_loss",
    label: "held-out loss J/J₀",
    definition: "½ mean (f − f*)² over ½ E f*², on 4096 inputs that no step sees.",
    unit: "",
    scale: Scale::Log,
};

static TRAINING: Curve = Curve {
    id: "training_loss",
    label: "training loss",
    definition: "½ mean (f − f*)² over ½ E f*², on the whole sample that steps draw from.",
    unit: "",
    scale: Scale::Log,
};

static CERTIFICATE: Curve = Curve {
    id: "certificate",
    label: "largest slope max |g|",
    definition: "Largest |∂J/∂(mass of a neuron at w)| over 512 fixed directions and the neurons themselves, over √(½ E f*²); \
                 where it is 0 everywhere, no neuron placed anywhere lowers the loss.",
    unit: "",
    scale: Scale::Log,
};

/// Inputs that the held-out loss is measured on.
const HELD_OUT_INPUTS: usize = 4096;

impl System for TwoLayer {
    fn build(&self, _: &Inputs) -> Result<Build> {
        if self.loss == Data::Population && self.bias == Bias::Learned {
            let message = "biases need loss=sample: the exact loss is that of networks without";
            return Err(Problem::new("bias", message).into());
        }
        if self.loss == Data::Sample && self.train == Trained::FrankWolfe {
            let message = "Frank–Wolfe needs loss=population: its steps are exact";
            return Err(Problem::new("train", message).into());
        }
        let teacher = Teacher::draw(self.seed, self.teacher, self.d, self.activation);
        let (rows, columns) = self.shape();
        let metrics = match self.loss {
            Data::Population => vec![&EXCESS, &CERTIFICATE],
            Data::Sample => vec![&HELD_OUT, &TRAINING],
        };
        let mut names: Vec<String> = (1..=self.d).map(|i| format!("w{i}")).collect();
        names.resize(columns, "bias".to_owned());
        let reach = 1.6;
        let marks: Vec<[f32; 2]> = teacher
            .directions
            .chunks_exact(self.d)
            .map(|t| [t[0], t[1]])
            .collect();
        // A neuron at w bends f along the line across w, and so does one at −w.
        let lines = marks.iter().map(|[x, y]| {
            let far = 3.0 / x.hypot(*y).max(0.1);
            [[-far * x, -far * y], [far * x, far * y]]
        });
        let stage = Stage {
            particles: "w",
            n: rows,
            d: columns,
            axes: [0, 1],
            target: None,
            frame: [-reach, -reach, reach, reach],
            names,
            guides: if self.d == 2 {
                lines.collect()
            } else {
                Vec::new()
            },
            marks,
            depiction: None,
            map: None,
            least_cost: None,
            curves: Some(self.curves(&teacher)),
            arrows: None,
            kernel_width: None,
            metrics: metrics.into_iter().map(Metric::Curve).collect(),
            metric_bandwidth: 1.0,
            seed: self.seed,
        };
        let [positions, mut weights] = self.start();
        let one_by_one = self.train == Trained::FrankWolfe;
        let driver: Box<dyn Driver> = if one_by_one {
            weights.fill(0.0);
            let neurons = self.neurons;
            Box::new(Placing { neurons })
        } else {
            Box::new(Steps)
        };
        let mut state = vec![("w".to_owned(), positions), ("a".to_owned(), weights)];
        if one_by_one {
            state.push(("placed".to_owned(), vec![0.0]));
        }
        Ok(Build {
            prepare: None,
            programs: vec![self.step_program(&teacher)],
            driver,
            state,
            stage,
            default_steps: if one_by_one {
                self.neurons as u32
            } else {
                2000
            },
            notes: self.notes(),
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step)]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "the step η = {} is likely too large for this network; try a tenth of it",
            shortest(self.step)
        )
    }
}

impl TwoLayer {
    /// Rows and columns of w. With biases each row has one more column, and one more neuron, whose position (0, …, 0, 1) stays,
    /// carries the output's bias.
    fn shape(&self) -> (usize, usize) {
        match self.bias {
            Bias::None => (self.neurons, self.d),
            Bias::Learned => (self.neurons + 1, self.d + 1),
        }
    }

    /// Initial positions and output weights.
    fn start(&self) -> [Vec<f32>; 2] {
        let mut directions = nn::sphere(self.seed, stream::INIT, 0, self.neurons, self.d);
        if self.start == Start::OneSign {
            directions.iter_mut().for_each(|v| *v *= 0.5);
        }
        let sign = |j: usize| match self.start {
            Start::Sphere if j % 2 == 1 => -1.0,
            _ => 1.0,
        };
        let mut weights: Vec<f32> = (0..self.neurons).map(sign).collect();
        if self.bias == Bias::None {
            return [directions, weights];
        }
        let mut positions = Vec::new();
        for row in directions.chunks_exact(self.d) {
            positions.extend_from_slice(row);
            positions.push(0.0);
        }
        positions.extend(std::iter::repeat_n(0.0, self.d));
        positions.push(1.0);
        weights.push(0.0);
        [positions, weights]
    }

    /// The conditions of the theorem, as far as this configuration keeps or breaks them.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.start == Start::OneSign {
            notes.push(
                "Broken condition: the start covers every direction but only positive output weights. With ReLU the flow keeps \
                 a² − |w|² = ¾, so no weight can pass zero: the teacher’s negative neurons are out of reach at any width."
                    .to_owned(),
            );
        }
        if self.train == Trained::Output {
            notes.push(
                "Broken condition: positions do not move, so the limit is a kernel method on random features."
                    .to_owned(),
            );
        }
        if self.neurons < 2 * self.teacher {
            notes.push(format!(
                "Broken condition: {} neurons for a teacher of {} are far from many.",
                self.neurons, self.teacher
            ));
        }
        notes
    }

    fn step_program(&self, teacher: &Teacher) -> Program {
        if self.train == Trained::FrankWolfe {
            return conditional::step_program(self.activation, self.neurons, self.d, teacher);
        }
        let g = Graph::default();
        let (rows, columns) = self.shape();
        let (w, a) = (g.input("w", &[rows, columns]), g.input("a", &[rows, 1]));
        let m = self.neurons as f64;
        let objective = match self.loss {
            Data::Population => loss::potential(self.activation, w, a, teacher),
            Data::Sample => self.sampled(&g, w, a, teacher),
        };
        let rate = g.uniform("step");
        let gradients = grad(objective, &[w, a]);
        g.assign("a", self.optimizer.step("a", a, m * gradients[1], rate));
        if self.train == Trained::Both {
            let mut towards = m * gradients[0];
            if self.bias == Bias::Learned {
                let last = g.scalar(self.neurons as f64);
                let moves = g.iota(rows).less(last).reshape(&[rows, 1]);
                towards = towards * moves;
            }
            g.assign("w", self.optimizer.step("w", w, towards, rate));
        }
        g.compile("step")
    }

    /// ½ mean (f − f*)² over the sample, or over a batch of it.
    fn sampled<'g>(&self, g: &'g Graph, w: Var<'g>, a: Var<'g>, teacher: &Teacher) -> Var<'g> {
        let columns = w.shape()[1];
        let table = teacher.sample(self.seed, stream::TARGET, self.samples, columns);
        let table = g.constant(table, &[self.samples, columns + 1]);
        let batch = if self.batch < self.samples {
            nn::minibatch(table, self.batch, stream::NOISE)
        } else {
            table
        };
        loss::mean_square(self.activation, batch, w, a * (1.0 / self.neurons as f64))
    }

    fn curves(&self, teacher: &Teacher) -> Program {
        let g = Graph::default();
        let (rows, columns) = self.shape();
        let (w, a) = (g.input("w", &[rows, columns]), g.input("a", &[rows, 1]));
        let scale = 1.0 / teacher.loss_of_nothing();
        match self.loss {
            Data::Population => {
                let exact = loss::population(self.activation, w, a, teacher);
                g.assign(EXCESS.id, exact * scale);
                let directions = nn::sphere(self.seed, stream::FLOOR, 0, 512, self.d);
                let slope = loss::largest_slope(self.activation, w, a, teacher, &directions);
                g.assign(CERTIFICATE.id, slope * scale.sqrt());
            }
            Data::Sample => {
                let mean = 1.0 / self.neurons as f64;
                for (curve, name, inputs) in [
                    (&HELD_OUT, stream::FLOOR, HELD_OUT_INPUTS),
                    (&TRAINING, stream::TARGET, self.samples),
                ] {
                    let table = teacher.sample(self.seed, name, inputs, columns);
                    let table = g.constant(table, &[inputs, columns + 1]);
                    let error = loss::mean_square(self.activation, table, w, a * mean);
                    g.assign(curve.id, error * scale);
                }
            }
        }
        g.compile("curves")
    }
}

#[cfg(test)]
mod tests;
