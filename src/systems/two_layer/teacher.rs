//! The teacher f*(x) = Σ_k b_k φ(t_k·x), and samples of it.

use super::Neuron;
use crate::expr::Expr;
use crate::nn;
use crate::rng::{normal_vec, stream};

/// A network that students are trained on.
pub(super) struct Teacher {
    neuron: Neuron,
    d: usize,
    /// Unit vectors t_k, `[m₀, d]`.
    pub(super) directions: Vec<f32>,
    /// b_k = ±1/m₀.
    pub(super) weights: Vec<f32>,
}

impl Teacher {
    /// Directions uniform on the sphere, fair signs. Gaussian inputs look the same from everywhere, so beyond the plane the
    /// frame is turned to show the first two directions without shortening.
    pub(super) fn draw(seed: u32, count: usize, d: usize, neuron: Neuron) -> Self {
        let mut directions = nn::sphere(seed, stream::SHAPE, 0, count, d);
        if d > 2 {
            directions[..d].fill(0.0);
            directions[0] = 1.0;
            if let Some(second) = directions.get_mut(d..2 * d) {
                let height = (1.0 - second[0] * second[0]).max(0.0).sqrt();
                second[1..].fill(0.0);
                second[1] = height;
            }
        }
        let signs = normal_vec(seed, stream::SHAPE, 1, count);
        let weight = |z: &f32| if *z < 0.0 { -1.0 } else { 1.0 } / count as f32;
        Self {
            neuron,
            d,
            directions,
            weights: signs.iter().map(weight).collect(),
        }
    }

    /// ½ E f*², the loss of a network that is zero.
    pub(super) fn loss_of_nothing(&self) -> f64 {
        let mut sum = 0.0;
        for (u, a) in self.directions.chunks_exact(self.d).zip(&self.weights) {
            for (v, b) in self.directions.chunks_exact(self.d).zip(&self.weights) {
                sum += f64::from(*a) * f64::from(*b) * self.neuron.product(u, v);
            }
        }
        0.5 * sum
    }

    /// `n` rows of inputs x ~ N(0, I) and f*(x): `[n, columns + 1]`, row-major; a column between d and `columns` is 1.
    pub(super) fn sample(&self, seed: u32, stream: u32, n: usize, columns: usize) -> Vec<f64> {
        let inputs = normal_vec(seed, stream, 0, n * self.d);
        let activation = self.neuron.activation().of(Expr::arg(0));
        let mut out = Vec::with_capacity(n * (columns + 1));
        for x in inputs.chunks_exact(self.d) {
            out.extend(x.iter().map(|&v| f64::from(v)));
            out.resize(out.len() + columns - self.d, 1.0);
            let neuron = |(t, b): (&[f32], &f32)| {
                let z: f64 = t
                    .iter()
                    .zip(x)
                    .map(|(t, x)| f64::from(*t) * f64::from(*x))
                    .sum();
                f64::from(*b) * activation.eval(&[z])
            };
            out.push(
                self.directions
                    .chunks_exact(self.d)
                    .zip(&self.weights)
                    .map(neuron)
                    .sum(),
            );
        }
        out
    }
}
