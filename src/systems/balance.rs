//! Automatic balancing: in homogeneous networks, gradient flow keeps ‖W_h‖² − ‖W_{h+1}‖² for neighbouring layers, and the
//! squared norms of what enters and leaves each hidden neuron stay a fixed distance apart.
//!
//! A step of size η changes the difference by exactly η²(‖G_h‖² − ‖G_{h+1}‖²), which is summed beside the run and compared with
//! what the weights say. Activations that are not homogeneous, momentum, weight decay and Adam break it.
//!
//! **Source** S. Du, W. Hu, J. Lee, "Algorithmic regularization in learning deep homogeneous models: layers are automatically
//! balanced" (NeurIPS 2018), theorem 2.1, corollary 2.1.

mod network;

use super::{Build, Entry, Inputs, Own, Preset, Stage, Steps, System};
use crate::error::Result;
use crate::graph::{Graph, Program, Var, grad};
use crate::metrics::{Curve, Metric, Scale};
use crate::nn::{self, Activation, Optimizer};
use crate::params::{Spec, shortest};
use crate::rng::{self, stream};
use crate::{choices, params};
use network::{INPUTS, Network};

choices! {
    /// How layers are connected.
    pub enum Layers {
        /// Every input with every neuron.
        Dense = "dense" "dense",
        /// Filters of three along a ring of ten positions, averaged over it at the end.
        Convolutional = "conv" "convolutional",
    }
}

params! {
    /// Automatic balancing.
    pub struct Balance {
        /// Seed of the data and the initial weights.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// How layers are connected.
        layers: Layers = Layers::Dense, Spec::restart("layers");
        /// Nonlinearity φ between layers; ReLU, leaky ReLU and linear are homogeneous.
        activation: Activation = Activation::Relu, Spec::restart("activation φ");
        /// Hidden layers.
        depth: usize = 2, Spec::restart("hidden layers").range(1.0, 6.0);
        /// Neurons, or channels, of each hidden layer.
        width: usize = 20, Spec::restart("width").range(1.0, 200.0);
        /// Training points, inputs N(0, I) in ten dimensions, labels a linear function.
        points: usize = 100, Spec::restart("points").log(1.0, 10_000.0);
        /// Points of one step, drawn with replacement; as many as there are or more means all.
        batch: usize = 10_000, Spec::restart("batch").log(1.0, 10_000.0);
        /// Factor on the initial weights, N(0, 2/(inputs + outputs)) each.
        scale: f32 = 0.5, Spec::restart("initial scale").log(0.01, 10.0);
        /// Step size η.
        step: f32 = 0.05, Spec::live("step η").log(1e-5, 1.0);
        /// How the gradient becomes a step.
        optimizer: Optimizer = Optimizer::Sgd, Spec::restart("optimizer");
        /// Weight decay λ: a step follows G + λ W.
        decay: f32 = 0.0, Spec::live("weight decay λ").range(0.0, 1.0);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "balance",
    title: "Layers are automatically balanced",
    room: "training",
    summary: "Each dot is a hidden neuron, at the squared norms of what enters and leaves it: it can move along a diagonal only.",
    citation: "S. Du, W. Hu, J. Lee (2018). Algorithmic regularization in learning deep homogeneous models: layers are automatically balanced. NeurIPS.",
    fresh: || Box::new(Balance::default()),
    own: Own::None,
    presets: &[
        Preset {
            title: "Neurons on diagonals",
            question: "Why do all tracks have slope one? What enters and leaves a ReLU neuron grows by the same amount.",
            link: "m=balance&step=0.01",
        },
        Preset {
            title: "Half the step, half the drift",
            question: "The conservation law is that of the flow: the drift of gradient descent falls like η.",
            link: "m=balance&step=0.1;step=0.05;step=0.025;step=0.0125",
        },
        Preset {
            title: "The matrix law is linear",
            question: "W₁W₁ᵀ − W₂ᵀW₂ stays for a linear network; for a ReLU network only its diagonal does.",
            link: "m=balance&activation=linear;activation=relu",
        },
        Preset {
            title: "What breaks it",
            question: "tanh, Adam and weight decay leave the diagonals. Which of them moves the neurons most?",
            link: "m=balance&activation=tanh;activation=relu&step=0.01&optimizer=adam;activation=relu&decay=0.02",
        },
        Preset {
            title: "Shared weights",
            question: "Does a convolutional network keep the balance of its channels?",
            link: "m=balance&layers=conv&width=6",
        },
    ],
};

static LOSS: Curve = Curve {
    id: "training_loss",
    label: "training loss",
    definition: "½ mean (f(x) − y)² over all training points.",
    unit: "",
    scale: Scale::Log,
};

static LAYER_DRIFT: Curve = Curve {
    id: "layer_drift",
    label: "drift of layers",
    definition: "Largest change of ‖W_h‖² − ‖W_{h+1}‖² since the start over neighbouring layers; gradient flow keeps it at 0.",
    unit: "",
    scale: Scale::Log,
};

static IDENTITY: Curve = Curve {
    id: "identity_error",
    label: "error of the identity",
    definition: "Largest difference between the change of ‖W_h‖² − ‖W_{h+1}‖² and the sum of η²(‖G_h‖² − ‖G_{h+1}‖²) over all \
                 steps; for gradient descent on homogeneous networks it is rounding.",
    unit: "",
    scale: Scale::Log,
};

static NEURON_DRIFT: Curve = Curve {
    id: "neuron_drift",
    label: "drift of neurons",
    definition: "Largest change, over hidden neurons, of the squared norm of its incoming less that of its outgoing weights.",
    unit: "",
    scale: Scale::Log,
};

static MATRIX_DRIFT: Curve = Curve {
    id: "matrix_drift",
    label: "drift of the matrix",
    definition: "Largest change of W_hW_hᵀ − W_{h+1}ᵀW_{h+1} (rows of W_h are neurons) in Frobenius norm over neighbouring layers; \
                 gradient flow keeps it in linear networks only.",
    unit: "",
    scale: Scale::Log,
};

impl System for Balance {
    fn build(&self, _: &Inputs) -> Result<Build> {
        let network = self.network();
        let weights = self.weights(&network);
        let mut metrics = vec![&LOSS, &LAYER_DRIFT, &IDENTITY, &NEURON_DRIFT];
        if self.layers == Layers::Dense {
            metrics.push(&MATRIX_DRIFT);
        }
        let norms = network.norms_of(&weights);
        let reach = 2.0 * norms.iter().fold(0.0, |m: f32, v| m.max(*v));
        // Where gradient flow may take a neuron.
        let diagonal = |at: &[f32]| {
            let [x, y] = [at[0], at[1]];
            let (back, forth) = (x.min(y), 2.0 * reach);
            [[x - back, y - back], [x + forth, y + forth]]
        };
        let guides = norms.chunks_exact(2).map(diagonal).collect();
        let stage = Stage {
            particles: "norms",
            n: norms.len() / 2,
            d: 2,
            axes: [0, 1],
            target: None,
            frame: [0.0, 0.0, reach, reach],
            names: vec!["‖incoming‖²".to_owned(), "‖outgoing‖²".to_owned()],
            marks: Vec::new(),
            guides,
            depiction: None,
            map: None,
            least_cost: None,
            curves: Some(self.curves(&network, &weights)),
            arrows: None,
            kernel_width: None,
            metrics: metrics.into_iter().map(Metric::Curve).collect(),
            metric_bandwidth: 1.0,
            seed: self.seed,
        };
        let mut state: Vec<(String, Vec<f32>)> =
            (0..weights.len()).map(Network::name).zip(weights).collect();
        state.push(("norms".to_owned(), norms));
        Ok(Build {
            prepare: None,
            programs: vec![self.step_program(&network)],
            driver: Box::new(Steps),
            state,
            stage,
            // Time 40 of the flow, at any step size.
            default_steps: (40.0 / self.step).min(20_000.0) as u32,
            notes: self.notes(),
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step), ("decay", self.decay)]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "the step η = {} is likely too large for this network; try a tenth of it",
            shortest(self.step)
        )
    }
}

impl Balance {
    fn network(&self) -> Network {
        Network {
            activation: self.activation,
            convolutional: self.layers == Layers::Convolutional,
            depth: self.depth,
            width: self.width,
        }
    }

    /// Initial weights of each layer, by the rule of Glorot and Bengio.
    fn weights(&self, network: &Network) -> Vec<Vec<f32>> {
        let shapes = network.shapes().into_iter().enumerate();
        shapes
            .map(|(h, [inputs, outputs])| {
                let mut weights = nn::glorot(self.seed, stream::INIT, h as u32, inputs, outputs);
                weights.iter_mut().for_each(|w| *w *= self.scale);
                weights
            })
            .collect()
    }

    /// What of this configuration breaks the conservation law.
    fn notes(&self) -> Vec<String> {
        let homogeneous = matches!(
            self.activation,
            Activation::Relu | Activation::Leaky | Activation::Linear
        );
        let mut notes = Vec::new();
        let mut broken = |what: &str| notes.push(format!("Broken condition: {what}."));
        if !homogeneous {
            broken("the activation is not homogeneous");
        }
        match self.optimizer {
            Optimizer::Sgd => {}
            Optimizer::Momentum => {
                broken("momentum steps are not gradients; the law holds in the limit η → 0 only");
            }
            Optimizer::Adam => broken("Adam scales every weight by itself"),
        }
        if self.decay > 0.0 {
            broken("weight decay shrinks every layer by the same factor, not by the same amount");
        }
        notes
    }

    /// Rows of the training set: ten inputs and a label.
    fn table<'g>(&self, g: &'g Graph) -> Var<'g> {
        let inputs = rng::normal_vec(self.seed, stream::TARGET, 0, self.points * INPUTS);
        let direction = nn::sphere(self.seed, stream::SHAPE, 0, 1, INPUTS);
        let mut table = Vec::new();
        for x in inputs.chunks_exact(INPUTS) {
            table.extend(x.iter().map(|&v| f64::from(v)));
            table.push(
                x.iter()
                    .zip(&direction)
                    .map(|(x, t)| f64::from(x * t))
                    .sum(),
            );
        }
        g.constant(table, &[self.points, INPUTS + 1])
    }

    fn loss<'g>(network: &Network, weights: &[Var<'g>], table: Var<'g>) -> Var<'g> {
        let n = table.shape()[0];
        let error = network.value(weights, table.slice(1, 0, INPUTS)) - table.slice(1, INPUTS, 1);
        error.square().total() * (0.5 / n as f64)
    }

    fn step_program(&self, network: &Network) -> Program {
        let g = Graph::default();
        let weights = network.inputs(&g);
        let table = self.table(&g);
        let batch = if self.batch < self.points {
            nn::minibatch(table, self.batch, stream::NOISE)
        } else {
            table
        };
        let gradients = grad(Self::loss(network, &weights, batch), &weights);
        let (rate, decay) = (g.uniform("step"), g.uniform("decay"));
        let mut next = Vec::new();
        for (h, (&w, &gradient)) in weights.iter().zip(&gradients).enumerate() {
            let name = Network::name(h);
            let value = self.optimizer.step(&name, w, gradient + decay * w, rate);
            g.assign(&name, value);
            next.push(value);
        }
        // What the identity predicts, summed over the steps.
        let squares: Vec<Var<'_>> = gradients
            .iter()
            .map(|g| g.square().total().reshape(&[1]))
            .collect();
        let pairs = squares.windows(2).map(|pair| pair[0] - pair[1]);
        let gaps = g.concat(&pairs.collect::<Vec<_>>(), 0);
        let predicted = g.input("predicted", &[weights.len() - 1]);
        g.assign("predicted", predicted + rate * rate * gaps);
        g.assign("norms", network.norms(&next));
        g.compile("step")
    }

    fn curves(&self, network: &Network, start: &[Vec<f32>]) -> Program {
        let g = Graph::default();
        let weights = network.inputs(&g);
        let shapes = network.shapes();
        let fixed = |(data, shape): (&Vec<f32>, &[usize; 2])| {
            g.constant(
                data.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(),
                shape,
            )
        };
        let start: Vec<Var<'_>> = start.iter().zip(&shapes).map(fixed).collect();
        g.assign(LOSS.id, Self::loss(network, &weights, self.table(&g)));
        let change = layer_gaps(&g, &weights) - layer_gaps(&g, &start);
        g.assign(LAYER_DRIFT.id, change.abs().max(0));
        let predicted = g.input("predicted", &[weights.len() - 1]);
        g.assign(IDENTITY.id, (change - predicted).abs().max(0));
        let change = network.norms(&weights) - network.norms(&start);
        let change = change.column(0) - change.column(1);
        g.assign(NEURON_DRIFT.id, change.abs().max(0));
        if self.layers == Layers::Dense {
            let now = network.matrices(&weights);
            let drifts = now.into_iter().zip(network.matrices(&start));
            let drifts = drifts.map(|(a, b)| (a - b).square().total().sqrt().reshape(&[1]));
            g.assign(
                MATRIX_DRIFT.id,
                g.concat(&drifts.collect::<Vec<_>>(), 0).max(0),
            );
        }
        g.compile("curves")
    }
}

/// ‖W_h‖² − ‖W_{h+1}‖² of neighbouring layers.
fn layer_gaps<'g>(g: &'g Graph, weights: &[Var<'g>]) -> Var<'g> {
    let squares: Vec<Var<'g>> = weights
        .iter()
        .map(|w| w.square().total().reshape(&[1]))
        .collect();
    let pairs = squares.windows(2).map(|pair| pair[0] - pair[1]);
    g.concat(&pairs.collect::<Vec<_>>(), 0)
}

#[cfg(test)]
mod tests;
