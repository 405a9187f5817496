//! Networks without biases, dense or convolutional along a ring, and the norms of what enters and leaves their neurons.

use crate::expr::Expr;
use crate::graph::{Graph, Transposed, Var};
use crate::nn::Activation;

/// Numbers of one input; positions of the ring.
pub(super) const INPUTS: usize = 10;

/// Positions that a filter sees.
const TAPS: usize = 3;

/// Hidden layers of one width and a single output.
pub(super) struct Network {
    pub activation: Activation,
    pub convolutional: bool,
    pub depth: usize,
    pub width: usize,
}

impl Network {
    /// Buffer of the weights of layer `h`.
    pub(super) fn name(h: usize) -> String {
        ["W1", "W2", "W3", "W4", "W5", "W6", "W7"][h].to_owned()
    }

    /// Channels that enter layer `h`, and how many positions of them one neuron sees.
    fn entering(&self, h: usize) -> (usize, usize) {
        match (h, self.convolutional) {
            (0, true) => (1, TAPS),
            (0, false) => (INPUTS, 1),
            (_, true) if h < self.depth => (self.width, TAPS),
            _ => (self.width, 1),
        }
    }

    /// Rows (inputs; for filters position by position) and columns (neurons) of each layer's weights.
    pub(super) fn shapes(&self) -> Vec<[usize; 2]> {
        let columns = |h| if h < self.depth { self.width } else { 1 };
        let shape = |h| {
            let (channels, taps) = self.entering(h);
            [taps * channels, columns(h)]
        };
        (0..=self.depth).map(shape).collect()
    }

    /// The weights as buffers.
    pub(super) fn inputs<'g>(&self, g: &'g Graph) -> Vec<Var<'g>> {
        let shapes = self.shapes().into_iter().enumerate();
        shapes
            .map(|(h, shape)| g.input(&Self::name(h), &shape))
            .collect()
    }

    /// f(x).
    ///
    /// **Shapes** `x: [n, 10]`; result `[n, 1]`.
    pub(super) fn value<'g>(&self, weights: &[Var<'g>], x: Var<'g>) -> Var<'g> {
        let n = x.shape()[0];
        let activation = self.activation.of(Expr::arg(0));
        let (last, hidden) = weights.split_last().expect("a network has an output");
        if !self.convolutional {
            let u = hidden
                .iter()
                .fold(x, |u, &w| u.matmul(w).map(activation.clone()));
            return u.matmul(*last);
        }
        let start = x.reshape(&[n, INPUTS, 1]);
        let u = hidden.iter().fold(start, |u, &w| {
            let rows = neighbours(u).reshape(&[n * INPUTS, w.shape()[0]]);
            let next = rows.matmul(w).map(activation.clone());
            next.reshape(&[n, INPUTS, w.shape()[1]])
        });
        u.mean(1).matmul(*last)
    }

    /// ‖incoming‖² and ‖outgoing‖² of every hidden neuron, `[depth·width, 2]`.
    pub(super) fn norms<'g>(&self, weights: &[Var<'g>]) -> Var<'g> {
        let m = self.width;
        let neuron = |h: usize| {
            let incoming = weights[h].square().sum(0);
            let (_, taps) = self.entering(h + 1);
            let columns = weights[h + 1].shape()[1];
            let leaving = weights[h + 1].square().reshape(&[taps, m, columns]);
            let outgoing = leaving.sum(2).sum(0);
            let graph = incoming.graph();
            graph.concat(&[incoming.reshape(&[m, 1]), outgoing.reshape(&[m, 1])], 1)
        };
        let layers: Vec<Var<'g>> = (0..self.depth).map(neuron).collect();
        layers[0].graph().concat(&layers, 0)
    }

    /// [`Self::norms`] of weights on the host.
    pub(super) fn norms_of(&self, weights: &[Vec<f32>]) -> Vec<f32> {
        let shapes = self.shapes();
        let mut out = Vec::new();
        for h in 0..self.depth {
            for i in 0..self.width {
                let incoming = weights[h].iter().skip(i).step_by(self.width);
                let rows = weights[h + 1].chunks_exact(shapes[h + 1][1]);
                let outgoing = rows.skip(i).step_by(self.width).flatten();
                out.push(incoming.map(|w| w * w).sum());
                out.push(outgoing.map(|w| w * w).sum());
            }
        }
        out
    }

    /// W_hᵀW_h − W_{h+1}W_{h+1}ᵀ of neighbouring dense layers, each `[width, width]` (columns of W are neurons here).
    pub(super) fn matrices<'g>(&self, weights: &[Var<'g>]) -> Vec<Var<'g>> {
        let gap = |pair: &[Var<'g>]| {
            let entering = pair[0].matmul_with(pair[0], Transposed::Yes, Transposed::No);
            entering - pair[1].matmul_with(pair[1], Transposed::No, Transposed::Yes)
        };
        weights.windows(2).map(gap).collect()
    }
}

/// Each position with the one before and the one after it on the ring.
///
/// **Shapes** `u: [n, positions, c]`; result `[n, positions, 3c]`.
fn neighbours(u: Var<'_>) -> Var<'_> {
    let last = u.shape()[1] - 1;
    let g = u.graph();
    let before = g.concat(&[u.slice(1, last, 1), u.slice(1, 0, last)], 1);
    let after = g.concat(&[u.slice(1, 1, last), u.slice(1, 0, 1)], 1);
    g.concat(&[before, u, after], 2)
}
