//! Networks in the parametrisation of the tangent kernel, z = σ_w W h/√n + σ_b b with standard normal W and b, and their own
//! tangent kernel at any time.

use super::SIGMA_W2;
use crate::expr::Expr;
use crate::graph::{Graph, Transposed, Var, grad};

/// Shape of a network with one output.
pub(super) struct Network {
    pub(super) inputs: usize,
    pub(super) width: usize,
    pub(super) depth: usize,
    pub(super) sigma_b2: f64,
}

/// What a network computes at some points.
pub(super) struct Pass<'g> {
    /// What enters each layer, `[n, inputs]` or `[n, width]`.
    entering: Vec<Var<'g>>,
    /// Sums z of each layer; the last is the value.
    sums: Vec<Var<'g>>,
}

impl Network {
    /// Names and shapes of the parameters: W and b of each layer.
    pub(super) fn parameters(&self) -> Vec<(String, [usize; 2])> {
        let layer = |l: usize| {
            let rows = if l == 0 { self.inputs } else { self.width };
            let columns = if l == self.depth { 1 } else { self.width };
            [
                (format!("W{}", l + 1), [rows, columns]),
                (format!("b{}", l + 1), [1, columns]),
            ]
        };
        (0..=self.depth).flat_map(layer).collect()
    }

    /// The parameters as buffers.
    pub(super) fn buffers<'g>(&self, g: &'g Graph) -> Vec<Var<'g>> {
        let parameters = self.parameters();
        parameters
            .iter()
            .map(|(name, shape)| g.input(name, shape))
            .collect()
    }

    /// **Shapes** `x: [n, inputs]`.
    pub(super) fn pass<'g>(&self, parameters: &[Var<'g>], x: Var<'g>) -> Pass<'g> {
        let (mut entering, mut sums) = (vec![x], Vec::new());
        for (l, layer) in parameters.chunks_exact(2).enumerate() {
            let h = entering[l];
            let scale = (SIGMA_W2 / h.shape()[1] as f64).sqrt();
            let z = scale * h.matmul(layer[0]) + self.sigma_b2.sqrt() * layer[1];
            sums.push(z);
            if l < self.depth {
                entering.push(z.map(Expr::arg(0).largest(0.0)));
            }
        }
        Pass { entering, sums }
    }

    /// Θ(x_i, x_k) = Σ_layers (δ_i·δ_k)(σ_w² h_i·h_k/n + σ_b²) with δ the slopes of the value in the layer's sums, over all rows i
    /// of `pass` and `rows` of them.
    pub(super) fn kernel<'g>(&self, pass: &Pass<'g>, rows: [usize; 2]) -> Var<'g> {
        let slopes = grad(pass.value().total(), &pass.sums);
        let [first, count] = rows;
        let products = |v: Var<'g>| {
            let some = v.slice(0, first, count);
            v.matmul_with(some, Transposed::No, Transposed::Yes)
        };
        let layer = |(h, slope): (&Var<'g>, &Var<'g>)| {
            let scale = SIGMA_W2 / h.shape()[1] as f64;
            products(*slope) * (scale * products(*h) + self.sigma_b2)
        };
        let mut layers = pass.entering.iter().zip(&slopes).map(layer);
        let first = layers.next().expect("a network has layers");
        layers.fold(first, |sum, layer| sum + layer)
    }
}

impl<'g> Pass<'g> {
    /// The network's values, `[n, 1]`.
    pub(super) fn value(&self) -> Var<'g> {
        self.sums[self.sums.len() - 1]
    }
}
