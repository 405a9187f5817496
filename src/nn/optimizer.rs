//! Optimisers and schedules as graph functions over named buffers, and minibatches drawn on the device.

use crate::choices;
use crate::graph::{Draw, Var};

choices! {
    /// How a gradient becomes a step.
    pub enum Optimizer {
        /// x ← x − η g
        Sgd = "sgd" "gradient descent",
        /// v ← 0.9 v + g, x ← x − η v
        Momentum = "momentum" "momentum 0.9",
        /// x ← x − η m̂/(√ŝ + 10⁻⁸), means of g and g² with factors 0.9 and 0.999, corrected for their start at zero
        Adam = "adam" "Adam",
    }
}

impl Optimizer {
    /// The value of the parameter `name` after a step of size `rate` along `gradient`. Assigns the optimiser's own buffers
    /// (`<name>.velocity`, …; zero at first), not the parameter.
    ///
    /// **Shapes** `value` and `gradient` alike, `rate`: a scalar.
    ///
    /// **Source** B. Polyak (1964); D. Kingma, J. Ba, "Adam" (ICLR 2015), algorithm 1.
    pub fn step<'g>(self, name: &str, value: Var<'g>, gradient: Var<'g>, rate: Var<'g>) -> Var<'g> {
        let g = value.graph();
        // A running mean with factor `keep`; `weight` is the sum of its weights, 1 − keepᵗ.
        let mean = |part: &str, keep: f64, now: Var<'g>| {
            let buffer = format!("{name}.{part}");
            let next = g.input(&buffer, &now.shape()) * keep + now * (1.0 - keep);
            g.assign(&buffer, next);
            next
        };
        match self {
            Self::Sgd => value - rate * gradient,
            Self::Momentum => {
                let buffer = format!("{name}.velocity");
                let velocity = g.input(&buffer, &value.shape()) * 0.9 + gradient;
                g.assign(&buffer, velocity);
                value - rate * velocity
            }
            Self::Adam => {
                let one = g.scalar(1.0);
                let first = mean("mean", 0.9, gradient) / mean("mean_weight", 0.9, one);
                let second =
                    mean("square", 0.999, gradient.square()) / mean("square_weight", 0.999, one);
                value - rate * first / (second.sqrt() + 1e-8)
            }
        }
    }
}

/// How the step size changes with the number t of steps done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// η
    Constant,
    /// η/√(t + 1)
    InverseRoot,
    /// η halved every so many steps.
    Halving {
        /// Steps between two halvings.
        every: f64,
    },
    /// η (1 + cos πt/T)/2, and 0 from T on.
    Cosine {
        /// T.
        length: f64,
    },
}

impl Schedule {
    /// The step size at step `t`, a scalar buffer or constant, from its size `rate` at step 0.
    pub fn rate<'g>(self, rate: Var<'g>, t: Var<'g>) -> Var<'g> {
        match self {
            Self::Constant => rate,
            Self::InverseRoot => rate / (t + 1.0).sqrt(),
            // Whole powers of two: floor(t/every) halvings, at most 63, counted bit by bit.
            Self::Halving { every } => {
                let (mut passed, mut left) = (t * 0.0, t);
                for bit in [32.0, 16.0, 8.0, 4.0, 2.0, 1.0] {
                    let over = 1.0 - left.less(t.graph().scalar(every * bit));
                    (passed, left) = (passed + over * bit, left - over * (every * bit));
                }
                rate * (passed * -std::f64::consts::LN_2).exp()
            }
            Self::Cosine { length } => {
                let share = t * (1.0 / length);
                let share = share
                    .less(t.graph().scalar(1.0))
                    .choose(share, t * 0.0 + 1.0);
                rate * 0.5 * ((share * std::f64::consts::PI).cos() + 1.0)
            }
        }
    }
}

/// `size` rows of `table`, drawn afresh each step, each row with equal chance, with replacement.
///
/// **Shapes** `table: [n, …]`; result `[size, …]`.
pub fn minibatch<'g>(table: Var<'g>, size: usize, stream: u32) -> Var<'g> {
    let n = table.shape()[0] as f64;
    // A gather rounds its index down.
    let index = table.graph().random(Draw::Uniform, stream, &[size]) * n;
    table.gather(index)
}
