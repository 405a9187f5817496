//! Frank–Wolfe on the sphere: the convex problem over signed measures of bounded mass, one neuron a step.
//!
//! The loss is convex in the measure μ = Σ_j (a_j/m) δ_{w_j}. A step looks for the unit vector u with the largest slope
//! |E (f − f*) φ(u·x)|, moves towards the neuron there that carries all of the mass, and stops where the loss along that
//! segment is smallest. Nothing that was placed moves again.
//!
//! **Source** M. Frank, P. Wolfe (1956); F. Bach, "Breaking the curse of dimensionality with convex neural networks" (JMLR 2017),
//! section 2.5.

use super::loss::{Cloud, product_sums};
use super::teacher::Teacher;
use super::{Command, Driver, Neuron, Reads};
use crate::graph::{Draw, Graph, Program, Var, grad};
use crate::rng::stream;

/// Mass of the measures: that of the teacher, Σ|b_k| = 1, which lies on the boundary of the ball.
const MASS: f64 = 1.0;
/// Directions that the search for the largest slope starts from, and how often each is improved.
const STARTS: usize = 256;
const IMPROVEMENTS: usize = 8;

/// The step program: places neuron number `placed` (a buffer) of the `neurons`.
pub(super) fn step_program(neuron: Neuron, neurons: usize, d: usize, teacher: &Teacher) -> Program {
    let g = Graph::default();
    let (w, a) = (g.input("w", &[neurons, d]), g.input("a", &[neurons, 1]));
    let placed = g.input("placed", &[1]);
    let Cloud {
        own,
        mass,
        places,
        masses,
    } = Cloud::difference(neuron, w, a, teacher);
    let slope = |u| {
        let [at, _] = neuron.places(u);
        product_sums(neuron, at, places, masses)
    };
    let found = search(&g, d, slope);
    let slopes = slope(found);
    let best = slopes.abs().reshape(&[STARTS]).argmax(0).reshape(&[1]);
    let u = found.gather(best);
    let slope = slopes.gather(best);
    // The vertex: all of the mass at u, of the sign that lowers the loss.
    let vertex = -MASS * slope.sign();
    let [at, r] = neuron.places(u);
    // ⟨f − f*, f_vertex − f⟩ and |f_vertex − f|² in closed form.
    let current = (mass * product_sums(neuron, own, places, masses)).total();
    let descent = (vertex * slope).total() - current;
    let own_own = (mass * product_sums(neuron, own, own, mass)).total();
    let cross = (vertex * r * product_sums(neuron, at, own, mass)).total();
    let vertex_square = (vertex * r * product_sums(neuron, at, at, vertex * r)).total();
    let size = vertex_square - 2.0 * cross + own_own;
    let share = (-descent / (size + 1e-12)).map(crate::expr::Expr::arg(0).largest(0.0).least(1.0));
    let index = g.iota(neurons).reshape(&[neurons, 1]);
    let here = 1.0 - (index - placed.reshape(&[1, 1])).abs().step();
    g.assign(
        "a",
        (1.0 - share) * a + (share * neurons as f64) * vertex * here,
    );
    g.assign("w", w + here * (u - w));
    g.assign("placed", placed + 1.0);
    g.compile("step")
}

/// Fresh unit vectors, each improved towards a maximum of |slope| on the sphere: u ← (u + ∇/|∇|) normalised, which for a
/// function of degree one is a power iteration and needs no step size.
fn search<'g>(g: &'g Graph, d: usize, slope: impl Fn(Var<'g>) -> Var<'g>) -> Var<'g> {
    let unit = |u: Var<'g>| {
        let norm = (u.square().sum(1) + 1e-30).sqrt();
        u / norm.reshape(&[STARTS, 1])
    };
    let drawn = unit(g.random(Draw::Normal, stream::NOISE, &[STARTS, d]));
    drawn.repeat(IMPROVEMENTS, |u| {
        let towards = grad(slope(u).abs().total(), &[u])[0];
        unit(u + unit(towards))
    })
}

/// One step after another, until every neuron is placed.
pub(super) struct Placing {
    /// How many there are.
    pub(super) neurons: usize,
}

impl Driver for Placing {
    fn next(&mut self, step: u32, _: &Reads) -> Command {
        if step as usize >= self.neurons {
            return Command::Stop("every neuron is placed".to_owned());
        }
        Command::Run {
            program: 0,
            times: 1,
        }
    }

    fn copy(&self) -> Box<dyn Driver> {
        let neurons = self.neurons;
        Box::new(Self { neurons })
    }
}
