//! A static-shape graph over a small closed set of ops: how every target, update rule and loss is written.
//!
//! Build with [`Graph`] and [`Var`] (operators broadcast like NumPy), differentiate with [`grad`] (graph to graph), then
//! [`Graph::compile`] to a [`Program`] that an executor loads once and replays. Values are f32 on devices; constants are
//! kept in f64 so that the f64 interpreter is a true oracle. Control flow that depends on data is a driver's business.

mod autodiff;
mod build;
mod flow;
mod fuse;
mod program;

pub use autodiff::grad;
pub use build::{Graph, Var};
pub use flow::{Offsets, PotentialFlow, Wanted};
pub use program::{Assign, Program, ProgramNode};

use crate::expr::Expr;
use std::sync::Arc;

/// Index of a node in its graph, and of the same node in the compiled [`Program`].
pub type NodeId = usize;

/// Extents, outermost first; row-major. A scalar has the empty shape.
pub type Shape = Vec<usize>;

/// Number of entries of a shape.
pub fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// How a reduction combines entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Sum.
    Sum,
    /// Largest entry.
    Max,
}

/// From which end a running sum starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Entry k is the sum of entries 0..=k.
    Start,
    /// Entry k is the sum of entries k.. to the last.
    End,
}

/// What a draw is distributed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Uniform on (0, 1).
    Uniform,
    /// Standard normal.
    Normal,
}

/// The closed set of operations.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// A persistent buffer of the run, read at the start of the program.
    Input(String),
    /// A live scalar parameter.
    Uniform(&'static str),
    /// Fixed numbers.
    Const(Arc<[f64]>),
    /// 0, 1, 2, … along the only axis.
    Iota,
    /// An expression of equally shaped operands, entry by entry.
    Map(Expr),
    /// `a` [n,k] times `b` [k,m]; each may be read transposed.
    MatMul {
        /// Read `a` as its transpose.
        ta: Transposed,
        /// Read `b` as its transpose.
        tb: Transposed,
    },
    /// Combines the entries along one axis, which disappears.
    Reduce(Reduction, usize),
    /// Running sums along an axis.
    CumSum(usize, From),
    /// Repeats axes of extent 1 (NumPy rules after left-padding the shape with ones).
    Broadcast,
    /// The same entries under another shape.
    Reshape,
    /// Swaps the last two axes.
    Transpose,
    /// Entries `start..start + extent` along an axis.
    Slice {
        /// Which axis.
        axis: usize,
        /// First index kept.
        start: usize,
    },
    /// Joins operands along an axis.
    Concat(usize),
    /// Rows of a table [m, …] at the indices [n].
    Gather,
    /// Adds rows [n, …] into a zero table at the indices [n]; the adjoint of gather.
    ScatterAdd,
    /// Counter-based random numbers keyed by (seed, stream, step, entry).
    Random(Draw, u32),
    /// The identity, with zero derivative.
    StopGradient,
    /// Hot op: out[i, c] = Σ_j k_{g(c)}(|x_i − y_j|², x_i·y_j; params) v[j, c]; operands x, y, v, then scalar params.
    PairSum(PairSum),
    /// Hot op: median over all ordered pairs of |x_i − x_j|², the zero diagonal included; operand x.
    MedianSquaredDistance,
    /// Hot op: samples through a potential flow, or a gradient of it; operands x, θ, for a gradient also offset and slope.
    PotentialFlow(PotentialFlow, Wanted),
}

impl Op {
    /// Whether the value is given rather than computed: a buffer, a live scalar, fixed numbers.
    pub fn is_leaf(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Uniform(_) | Self::Const(_))
    }
}

/// Whether a matrix operand is read transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transposed {
    /// As it lies.
    No,
    /// Rows and columns exchanged.
    Yes,
}

/// The kernels of a pairwise sum.
#[derive(Debug, Clone, PartialEq)]
pub struct PairSum {
    /// Kernel expressions in the arguments r², x·y, then the scalar parameters.
    pub kernels: Vec<Expr>,
    /// How many consecutive channels of `v` each kernel weighs.
    pub channels: Vec<usize>,
}

impl PairSum {
    /// The same sum as plain ops over an [n, m] matrix: the oracle of the hot op, for small n and m.
    ///
    /// **Shapes** as in [`Graph::pair_sum`].
    pub fn expansion<'g>(
        &self,
        graph: &'g Graph,
        x: Var<'g>,
        y: Var<'g>,
        v: Var<'g>,
        params: &[Var<'g>],
    ) -> Var<'g> {
        let (n, m, d) = (x.shape()[0], y.shape()[0], x.shape()[1]);
        let difference = x.reshape(&[n, 1, d]) - y.reshape(&[1, m, d]);
        let mut args = vec![
            difference.square().sum(2),
            x.matmul_with(y, Transposed::No, Transposed::Yes),
        ];
        args.extend(params);
        let mut start = 0;
        let mut parts = Vec::new();
        for (kernel, &width) in self.kernels.iter().zip(&self.channels) {
            let k = graph.map(kernel.clone(), &args).broadcast(&[n, m]);
            parts.push(k.matmul(v.slice(1, start, width)));
            start += width;
        }
        graph.concat(&parts, 1)
    }
}

#[cfg(test)]
mod tests;
