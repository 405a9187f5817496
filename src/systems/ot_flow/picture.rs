//! What is drawn of a flow: particles at a time on their ways, the ways with their residual, the learned density.

use super::curves::log_likelihood;
use super::network::{back, normals};
use crate::data::Source;
use crate::expr::Expr;
use crate::graph::{Graph, PotentialFlow, Program, Var};
use crate::linalg::symmetric_eigen;
use crate::rng::stream;
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

/// What of d dimensions is shown.
pub struct View {
    /// Two coordinates.
    pub axes: [usize; 2],
    /// A part of their plane.
    pub frame: [f32; 4],
    /// Names of all coordinates.
    pub names: Vec<String>,
    /// The directions of all coordinates, a column each, where they are not those of the samples, `[d, d]`.
    pub basis: Option<Vec<f64>>,
}

impl View {
    /// The coordinates of the samples.
    pub fn given(source: &Source, axes: [usize; 2]) -> Self {
        let target = source.target.as_ref();
        Self {
            axes,
            frame: target.map_or(source.frame, |target| target.frame_of(axes)),
            names: source.names.clone(),
            basis: None,
        }
    }

    /// Principal components of the source, the one of largest variance first.
    pub fn principal(source: &Source, axes: [usize; 2]) -> Self {
        let d = source.d;
        let (mean, covariance) = &source.moments;
        let (values, vectors) = symmetric_eigen(covariance, d);
        // Eigenvalues ascend.
        let column = |k: usize| d - 1 - k;
        let basis: Vec<f64> = (0..d * d)
            .map(|at| vectors[at / d * d + column(at % d)])
            .collect();
        let reach = |k: usize| {
            let centre: f64 = (0..d).map(|i| mean[i] * basis[i * d + k]).sum();
            let half = 3.0 * values[column(k)].max(1.0).sqrt();
            [(centre - half) as f32, (centre + half) as f32]
        };
        let ([x0, x1], [y0, y1]) = (reach(axes[0]), reach(axes[1]));
        Self {
            axes,
            frame: [x0, y0, x1, y1],
            names: (1..=d).map(|k| format!("PC {k}")).collect(),
            basis: Some(basis),
        }
    }
}

impl Ways {
    /// From the normal back to the source.
    pub fn back(&self, view: &View) -> Depiction {
        let g = Graph::default();
        let normals = normals(&g, self.seed, &[self.n, self.flow.d]);
        self.depiction(&g, normals, back(self.flow), view)
    }

    /// From the source to the normal.
    pub fn there(&self, source: &Source, view: &View) -> Depiction {
        let g = Graph::default();
        let samples = self.samples(&g, source);
        self.depiction(&g, samples, self.flow, view)
    }

    /// From the normal back to the source, after the way there.
    pub fn returned(&self, source: &Source, view: &View) -> Depiction {
        let g = Graph::default();
        let end = g.potential_flow(self.flow, self.samples(&g, source), self.theta(&g));
        self.depiction(&g, end.slice(1, 0, self.flow.d), back(self.flow), view)
    }

    fn samples<'g>(&self, g: &'g Graph, source: &Source) -> Var<'g> {
        let rows = source.samples(self.seed, stream::TARGET, 0, self.n);
        let rows: Vec<f64> = rows.into_iter().map(f64::from).collect();
        g.constant(rows, &[self.n, self.flow.d])
    }

    fn theta<'g>(&self, g: &'g Graph) -> Var<'g> {
        g.input("theta", &[self.flow.parameters()])
    }

    fn depiction<'g>(
        &self,
        g: &'g Graph,
        start: Var<'g>,
        flow: PotentialFlow,
        view: &View,
    ) -> Depiction {
        let nodes = if flow.d == 2 { NODES } else { 0 };
        Depiction {
            program: Rc::new(self.program(g, start, flow, view, nodes)),
            ways: self.n.min(WAYS),
            nodes,
        }
    }

    fn program<'g>(
        &self,
        g: &'g Graph,
        start: Var<'g>,
        flow: PotentialFlow,
        view: &View,
        nodes: usize,
    ) -> Program {
        let (n, d) = (self.n, flow.d);
        let theta = self.theta(g);
        let mut points = vec![start];
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
        if let Some(basis) = &view.basis {
            let basis = g.constant(&basis[..], &[d, d]);
            points.iter_mut().for_each(|p| *p = p.matmul(basis));
        }
        g.assign("particles", at_time(g, &points, from < to));
        let flat: Vec<Var<'_>> = points.iter().map(|p| p.reshape(&[1, n, d])).collect();
        g.assign("paths", g.concat(&flat, 0));
        g.assign("residual", g.concat(&residuals, 0));
        if nodes > 0 {
            let [x0, y0, x1, y1] = view.frame;
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
