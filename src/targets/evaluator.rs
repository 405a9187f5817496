//! Evaluates a target's log-density and score at any number of points, in batches of a fixed size.

use super::Target;
use crate::exec::Cpu;
use crate::graph::{Graph, grad};
use crate::kernels::Number;

/// Rows of one batch.
const BATCH: usize = 512;

/// Log-density and score of one target on the CPU, for metrics, contours and quadrature.
///
/// The programs are compiled once; the last batch is filled up with copies of its last row.
pub struct Evaluator<R: Number = f32> {
    d: usize,
    cpu: Cpu<R>,
    density: usize,
    score: usize,
    points: Vec<R>,
}

impl<R: Number> Evaluator<R> {
    /// Compiles the programs of `target`.
    pub fn new(target: &Target) -> Self {
        let d = target.d;
        let mut cpu = Cpu::<R>::default();
        let g = Graph::default();
        let x = g.input("points", &[BATCH, d]);
        g.assign("log_density", (target.log_density)(&g, x));
        let density = cpu.load(&g.compile("log density"));
        let g = Graph::default();
        let x = g.input("points", &[BATCH, d]);
        let log_density = (target.log_density)(&g, x);
        g.assign("score", grad(log_density, &[x])[0]);
        let score = cpu.load(&g.compile("score"));
        Self {
            d,
            cpu,
            density,
            score,
            points: Vec::with_capacity(BATCH * d),
        }
    }

    fn run(&mut self, program: usize, output: &str, columns: usize, points: &[R]) -> Vec<R> {
        let mut out = Vec::with_capacity(points.len() / self.d * columns);
        for batch in points.chunks(BATCH * self.d) {
            self.points.clear();
            self.points.extend_from_slice(batch);
            while self.points.len() < BATCH * self.d {
                self.points.extend_from_within(self.points.len() - self.d..);
            }
            self.cpu.set("points", &self.points);
            self.cpu.run(program);
            let values = self.cpu.get(output).unwrap_or_default();
            out.extend_from_slice(&values[..batch.len() / self.d * columns]);
        }
        out
    }

    /// log π + const at each point.
    ///
    /// **Shapes** `points: [n, d]`, row-major; result `[n]`.
    pub fn log_density(&mut self, points: &[R]) -> Vec<R> {
        self.run(self.density, "log_density", 1, points)
    }

    /// ∇ log π at each point.
    ///
    /// **Shapes** `points: [n, d]`, row-major; result `[n, d]`.
    pub fn score(&mut self, points: &[R]) -> Vec<R> {
        self.run(self.score, "score", self.d, points)
    }
}
