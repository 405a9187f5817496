//! The velocity network v(x, t) and what a solver integrates along it: position, log-determinant, costs.

use crate::graph::{Var, grad};
use crate::nn;
use crate::rng::stream;

/// Sizes of v(x, t): dense layers of tanh neurons, each of which sees t beside its inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Velocity {
    /// Dimension d of space.
    pub(super) d: usize,
    /// Neurons of each hidden layer.
    pub(super) width: usize,
    /// Hidden layers.
    pub(super) depth: usize,
}

/// One layer: weights `[inputs, outputs]`, weights of t `[outputs]`, biases `[outputs]`.
type Layer<'g> = [Var<'g>; 3];

/// The rate of change of everything that is integrated.
pub(super) struct Rates<'g> {
    /// ẋ = v, `[n, d]`.
    pub(super) x: Var<'g>,
    /// l̇ = tr ∇v, `[n]`.
    pub(super) log_det: Var<'g>,
    /// ½ |v|², `[n]`.
    pub(super) kinetic: Var<'g>,
    /// |εᵀ∇v|², whose mean over probes is ‖∇v‖_F², `[n]`; with an exact trace the norm itself.
    pub(super) frobenius: Var<'g>,
}

impl Velocity {
    /// Inputs and outputs of each layer.
    fn shapes(&self) -> Vec<[usize; 2]> {
        let size = |k: usize| {
            if k == 0 || k > self.depth {
                self.d
            } else {
                self.width
            }
        };
        (0..=self.depth).map(|k| [size(k), size(k + 1)]).collect()
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> usize {
        let count = |[inputs, outputs]: [usize; 2]| (inputs + 2) * outputs;
        self.shapes().into_iter().map(count).sum()
    }

    /// Initial parameters: weights and biases uniform on ±1/√inputs, as the field's libraries draw them.
    pub(super) fn start(&self, seed: u32) -> Vec<f32> {
        let draw = |(k, [inputs, outputs]): (usize, [usize; 2])| {
            // t is one more input; the biases are one more row.
            let mut all = nn::uniform(seed, stream::INIT, k as u32, inputs + 2, outputs);
            let scale = ((inputs + 2) as f32 / (inputs + 1) as f32).sqrt();
            all.iter_mut().for_each(|v| *v *= scale);
            all
        };
        self.shapes()
            .into_iter()
            .enumerate()
            .flat_map(draw)
            .collect()
    }

    /// The layers in a vector of parameters.
    pub(super) fn layers<'g>(&self, theta: Var<'g>) -> Vec<Layer<'g>> {
        let mut at = 0;
        let mut take = |count: usize| {
            at += count;
            theta.slice(0, at - count, count)
        };
        let layer = |[inputs, outputs]: [usize; 2]| {
            let weights = take(inputs * outputs).reshape(&[inputs, outputs]);
            [weights, take(outputs), take(outputs)]
        };
        self.shapes().into_iter().map(layer).collect()
    }
}

/// v(x, t).
///
/// **Shapes** `x: [n, d]`, `t`: a scalar; result `[n, d]`.
pub(super) fn velocity<'g>(layers: &[Layer<'g>], x: Var<'g>, t: Var<'g>) -> Var<'g> {
    let last = layers.len() - 1;
    layers.iter().enumerate().fold(x, |z, (k, &[w, c, b])| {
        let z = z.matmul(w) + (t * c + b);
        if k < last { z.tanh() } else { z }
    })
}

/// Everything that is integrated, at x and t. The trace is Σ_i ε_i (εᵀ∇v)_i for a probe ε, else exact.
///
/// **Source** W. Grathwohl et al. (ICLR 2019), eq. 7; C. Finlay, J.-H. Jacobsen, L. Nurbekyan, A. Oberman, "How to train your
/// neural ODE" (ICML 2020), eq. 11.
pub(super) fn rates<'g>(
    layers: &[Layer<'g>],
    x: Var<'g>,
    t: Var<'g>,
    probe: Option<Var<'g>>,
) -> Rates<'g> {
    let v = velocity(layers, x, t);
    let (log_det, frobenius) = match probe {
        Some(probe) => {
            let pulled = grad(v * probe, &[x])[0];
            ((pulled * probe).sum(1), pulled.square().sum(1))
        }
        None => {
            let d = x.shape()[1];
            let rows: Vec<Var<'g>> = (0..d).map(|i| grad(v.column(i), &[x])[0]).collect();
            let trace = rows.iter().enumerate().map(|(i, row)| row.column(i));
            let squares = rows.iter().map(|row| row.square().sum(1));
            let add = |a: Var<'g>, b: Var<'g>| a + b;
            (
                trace.reduce(add).expect("d ≥ 1"),
                squares.reduce(add).expect("d ≥ 1"),
            )
        }
    };
    Rates {
        x: v,
        log_det,
        kinetic: 0.5 * v.square().sum(1),
        frobenius,
    }
}
