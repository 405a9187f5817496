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
    score_flops: u64,
    density_flops: u64,
}

impl<R: Number> Evaluator<R> {
    /// Compiles the programs of `target`.
    pub fn new(target: &Target) -> Self {
        let d = target.d;
        let mut cpu = Cpu::<R>::default();
        let g = Graph::default();
        let x = g.input("points", &[BATCH, d]);
        g.assign("log_density", (target.log_density)(&g, x));
        let program = g.compile("log density");
        let density_flops = program.flops() / BATCH as u64;
        let density = cpu.load(&program);
        let g = Graph::default();
        let x = g.input("points", &[BATCH, d]);
        let log_density = (target.log_density)(&g, x);
        g.assign("score", grad(log_density, &[x])[0]);
        let program = g.compile("score");
        let score_flops = program.flops() / BATCH as u64;
        let score = cpu.load(&program);
        Self {
            d,
            cpu,
            density,
            score,
            points: Vec::with_capacity(BATCH * d),
            score_flops,
            density_flops,
        }
    }

    /// Rows that are evaluated at once; a multiple of it wastes nothing.
    pub const fn batch() -> usize {
        BATCH
    }

    /// About how many floating point operations one log-density takes.
    pub fn density_flops(&self) -> u64 {
        self.density_flops
    }

    /// About how many floating point operations one score takes.
    pub fn score_flops(&self) -> u64 {
        self.score_flops
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
