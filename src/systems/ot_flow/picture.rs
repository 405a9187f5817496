//! What is drawn of a flow: particles at a time on their ways, the ways with their residual, the learned density.

use super::curves::log_likelihood;
use super::network::back;
use crate::data::Source;
use crate::expr::Expr;
use crate::graph::{Graph, PotentialFlow, Program, Var};
use crate::rng::{normal_vec, stream};
use crate::systems::Depiction;
use std::rc::Rc;

/// Nodes a side of the grid of the learned density.
const NODES: usize = 72;
/// Ways that are drawn.
const WAYS: usize = 160;

/// The ways of `n` particles.
pub struct Ways {
    /// The flow from the source to the normal.
    pub flow: PotentialFlow,
    /// Particles.
    pub n: usize,
    /// Seed of the particles.
    pub seed: u32,
}

impl Ways {
    /// From the normal back to the source.
    pub fn back(&self, frame: [f32; 4]) -> Depiction {
        let start = normal_vec(self.seed, stream::TARGET, 0, self.n * self.flow.d);
        self.depiction(start, back(self.flow), frame)
    }

    /// From the source to the normal.
    pub fn there(&self, source: &Rc<Source>) -> Depiction {
        let start = source.samples(self.seed, stream::TARGET, 0, self.n);
        self.depiction(start, self.flow, source.frame)
    }

    fn depiction(&self, start: Vec<f32>, flow: PotentialFlow, frame: [f32; 4]) -> Depiction {
        let nodes = if flow.d == 2 { NODES } else { 0 };
        Depiction {
            program: Rc::new(self.program(start, flow, frame, nodes)),
            paths: [self.n.min(WAYS), flow.steps + 1],
            nodes,
        }
    }

    fn program(
        &self,
        start: Vec<f32>,
        flow: PotentialFlow,
        [x0, y0, x1, y1]: [f32; 4],
        nodes: usize,
    ) -> Program {
        let (n, d) = (self.n, flow.d);
        let g = Graph::default();
        let theta = g.input("theta", &[flow.parameters()]);
        let start: Vec<f64> = start.into_iter().map(f64::from).collect();
        let mut points = vec![g.constant(start, &[n, d])];
        let mut residuals = Vec::new();
        // Step by step: every point of the ways comes at no further cost.
        let [from, to] = flow.span;
        let h = (to - from) / flow.steps as f64;
        for k in 0..flow.steps {
            let leg = PotentialFlow {
                steps: 1,
                span: [from + h * k as f64, from + h * (k + 1) as f64],
                ..flow
            };
            let end = g.potential_flow(leg, points[k], theta);
            points.push(end.slice(1, 0, d));
            residuals.push(end.slice(1, d + 2, 1).transpose() * (1.0 / h));
        }
        g.assign("particles", at_time(&g, &points, from < to));
        let flat: Vec<Var<'_>> = points.iter().map(|p| p.reshape(&[1, n, d])).collect();
        g.assign("paths", g.concat(&flat, 0));
        g.assign("residual", g.concat(&residuals, 0));
        if nodes > 0 {
            let place = |from: f32, to: f32, i: usize| {
                f64::from(from) + f64::from(to - from) * i as f64 / (nodes - 1) as f64
            };
            let grid = (0..nodes * nodes)
                .flat_map(|i| [place(x0, x1, i % nodes), place(y0, y1, i / nodes)]);
            let grid = g.constant(grid.collect::<Vec<_>>(), &[nodes * nodes, d]);
            let there = PotentialFlow {
                span: [0.0, 1.0],
                ..flow
            };
            let end = g.potential_flow(there, grid, theta);
            g.assign("learned", log_likelihood(end).reshape(&[nodes, nodes]));
        }
        g.compile("picture")
    }
}

/// The points at the live time t, on straight lines between those of the ways.
fn at_time<'g>(g: &'g Graph, points: &[Var<'g>], forward: bool) -> Var<'g> {
    let legs = points.len() - 1;
    let t = g.uniform("time") * legs as f64;
    let weighed = points.iter().enumerate().map(|(k, &point)| {
        let own = if forward { k } else { legs - k } as f64;
        // A hat of width one around the point's own time.
        let hat = (Expr::from(1.0) - (Expr::arg(0) - own).abs()).largest(0.0);
        t.map(hat) * point
    });
    weighed.reduce(|sum, term| sum + term).unwrap_or(points[0])
}
