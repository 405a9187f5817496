//! The network of a potential flow: its settings, its start, its optimiser.

use crate::error::{Problem, Result};
use crate::graph::{Graph, PotentialFlow, Var};
use crate::nn::{self, Optimizer, Schedule};
use crate::params;
use crate::params::Spec;
use crate::rng::{self, stream};

params! {
    /// A potential and how it is integrated.
    pub struct FlowParams in "Flow" {
        /// Width m of the network.
        hidden: usize = 32, Spec::restart("width m").range(1.0, 256.0);
        /// Layers nTh: the opening and the residual ones.
        depth: usize = 2, Spec::restart("layers").range(2.0, 6.0);
        /// Runge–Kutta steps in training and on the picture.
        nt: usize = 8, Spec::restart("time steps").range(1.0, 64.0);
    }
}

impl FlowParams {
    /// The flow in d dimensions; α is the weight of the transport cost, or 1 where it has none.
    pub fn potential(&self, d: usize, weight: f64) -> PotentialFlow {
        PotentialFlow {
            d,
            hidden: self.hidden,
            layers: self.depth - 1,
            rank: 10.min(d + 1),
            steps: self.nt,
            span: [0.0, 1.0],
            alpha: if weight > 0.0 { weight } else { 1.0 },
        }
    }
}

/// Assigns the parameters after a step of Adam along `gradient`, its size the uniform `step`, halved every `halve` steps.
pub fn update(theta: Var<'_>, gradient: Var<'_>, halve: u32) {
    let g = theta.graph();
    let t = g.input("t", &[]);
    g.assign("t", t + 1.0);
    let every = f64::from(halve);
    let rate = Schedule::Halving { every }.rate(g.uniform("step"), t);
    g.assign(
        "theta",
        Optimizer::Adam.step("theta", theta, gradient, rate),
    );
}

/// The same flow backwards.
pub fn back(mut flow: PotentialFlow) -> PotentialFlow {
    flow.span.reverse();
    flow
}

/// Normal samples of a seed, whose first rows are always the same.
pub fn normals<'g>(g: &'g Graph, seed: u32, shape: &[usize]) -> Var<'g> {
    let draws = rng::normal_vec(seed, stream::TARGET, 0, shape.iter().product());
    g.constant(draws.into_iter().map(f64::from).collect::<Vec<_>>(), shape)
}

/// The weights of L, C and R.
///
/// # Errors
/// Other than three numbers, or no weight for C.
pub fn weights(alpha: &[f32]) -> Result<[f64; 3]> {
    match *alpha {
        [cost, likelihood, residual] if likelihood > 0.0 => {
            Ok([cost, likelihood, residual].map(f64::from))
        }
        _ => {
            let message = "has to be three numbers, for L, C and R, the second above 0";
            Err(Problem::new("alpha", message).into())
        }
    }
}

/// Parameters at the start: K and b uniform on ±1/√inputs, A uniform on ±√(6/(r + d + 1)), w = 1, the rest 0.
pub fn start(flow: &PotentialFlow, seed: u32) -> Vec<f32> {
    let (m, k, at) = (flow.hidden, flow.d + 1, flow.offsets());
    let mut theta = nn::uniform(seed, stream::INIT, 0, k, m);
    theta.extend(nn::uniform(seed, stream::INIT, 1, k, m)[..m].iter());
    for layer in 0..flow.layers as u32 {
        theta.extend(nn::uniform(seed, stream::INIT, 2 + 2 * layer, m, m));
        theta.extend(nn::uniform(seed, stream::INIT, 3 + 2 * layer, m, 1));
    }
    theta.resize(at.quadratic, 1.0);
    let reach = (6.0 / (flow.rank + k) as f32).sqrt();
    let draws = rng::uniform_vec(seed, stream::INIT, 1000, flow.rank * k);
    theta.extend(draws.iter().map(|u| reach * (2.0 * u - 1.0)));
    theta.resize(flow.parameters(), 0.0);
    theta
}
