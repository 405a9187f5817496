//! Evaluates one node of a program, over a tile of rows or whole, by calling its kernel.

use super::cpu::{Buffer, Loaded};
use super::plan::Home;
use crate::graph::{From, NodeId, Op, Program, ProgramNode, Reduction, Transposed, count};
use crate::kernels::map::{MapCode, Operand};
use crate::kernels::matmul::{Matrix, matmul};
use crate::kernels::median::median_squared_distance;
use crate::kernels::random::{self, Key};
use crate::kernels::{Number, pair_sum, potential_flow};
use fearless_simd::Level;

/// Which rows of a node are computed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows {
    /// Rows of a tiled stage.
    Tile { start: usize, stop: usize },
    /// Rows of a node that runs whole, in the units of [`whole_rows`].
    Whole { start: usize, stop: usize },
}

/// How a node that runs whole can be cut: rows, and the fewest worth computing at once.
pub(super) fn whole_rows(program: &Program, node: &ProgramNode) -> (usize, usize) {
    let shape = |k: usize| &program.nodes[node.args[k]].shape;
    match node.op {
        Op::PairSum(_) => (node.shape[0], pair_sum::ROWS),
        Op::PotentialFlow(..) => (shape(0)[0], potential_flow::ROWS),
        _ => (1, 1),
    }
}

/// What a node can read while it is evaluated.
pub(super) struct Context<'a, R> {
    pub(super) level: Level,
    pub(super) buffers: &'a [Buffer<R>],
    pub(super) uniforms: &'a [(&'static str, R)],
    pub(super) loaded: &'a Loaded<R>,
    /// Seed and step of random numbers.
    pub(super) key: (u32, u32),
}

impl<R: Number> Context<'_, R> {
    fn node(&self, id: NodeId) -> &ProgramNode {
        &self.loaded.program.nodes[id]
    }

    /// All entries of a value that is not a register.
    fn whole(&self, id: NodeId) -> &[R] {
        match self.loaded.plan.homes[id] {
            Home::Buffer(b) => &self.buffers[b].data,
            Home::Constant(c) => &self.loaded.constants[c],
            Home::Uniform(u) => std::slice::from_ref(&self.uniforms[u].1),
            Home::Slot(s) => &self.loaded.slots[s],
            Home::Register(_) => unreachable!("a register is read by rows"),
        }
    }

    /// Rows `start..stop` of a value.
    fn rows(&self, id: NodeId, start: usize, stop: usize) -> &[R] {
        let shape = &self.node(id).shape;
        let inner = count(&shape[1..]);
        match self.loaded.plan.homes[id] {
            Home::Register(r) => &self.loaded.registers[r][..(stop - start) * inner],
            _ => &self.whole(id)[start * inner..stop * inner],
        }
    }

    /// Computes `rows` of node `id` into its home `out`.
    pub(super) fn evaluate(
        &self,
        id: NodeId,
        rows: Rows,
        code: Option<&mut MapCode<R>>,
        out: &mut [R],
    ) {
        let node = self.node(id);
        let by_row = &self.loaded.plan.by_row[id];
        let (Rows::Tile { start, stop } | Rows::Whole { start, stop }) = rows;
        let tiled = matches!(rows, Rows::Tile { .. });
        let mut shape = node.shape.clone();
        let out = if tiled {
            shape[0] = stop - start;
            let inner = count(&shape[1..]);
            match self.loaded.plan.homes[id] {
                Home::Register(_) => &mut out[..(stop - start) * inner],
                _ => &mut out[start * inner..stop * inner],
            }
        } else {
            out
        };
        let arg = |k: usize| {
            let id = node.args[k];
            if by_row.get(k) == Some(&true) {
                self.rows(id, start, stop)
            } else {
                self.whole(id)
            }
        };
        let arg_shape = |k: usize| {
            let mut s = self.node(node.args[k]).shape.clone();
            if by_row.get(k) == Some(&true) {
                s[0] = stop - start;
            }
            s
        };
        match &node.op {
            Op::Input(_) | Op::Uniform(_) | Op::Const(_) => unreachable!("leaves have a home"),
            Op::Map(_) => {
                let operands: Vec<Operand<'_, R>> = (0..node.args.len())
                    .map(|k| {
                        let full = self.node(node.args[k]).shape == node.shape;
                        match arg(k) {
                            [value] if !full => Operand::Scalar(*value),
                            entries => Operand::Entries(entries),
                        }
                    })
                    .collect();
                if let Some(code) = code {
                    code.run(self.level, &operands, out);
                }
            }
            Op::Iota => {
                for (i, o) in out.iter_mut().enumerate() {
                    *o = R::from_f64((start + i) as f64);
                }
            }
            Op::Random(draw, stream) => {
                let first = if tiled { start * count(&shape[1..]) } else { 0 };
                let (seed, step) = self.key;
                let stream = *stream;
                let key = Key { seed, stream, step };
                random::fill(self.level, *draw, key, first, out);
            }
            Op::Broadcast => broadcast(arg(0), &pad(&arg_shape(0), shape.len()), &shape, out),
            Op::Reshape | Op::StopGradient => out.copy_from_slice(arg(0)),
            Op::Transpose => transpose(arg(0), &arg_shape(0), out),
            Op::Reduce(reduction, axis) => reduce(*reduction, arg(0), &arg_shape(0), *axis, out),
            Op::CumSum(axis, from) => {
                let inner = count(&shape[axis + 1..]);
                out.copy_from_slice(arg(0));
                let block = (shape[*axis] * inner).max(1);
                for lines in out.chunks_exact_mut(block) {
                    for k in 1..shape[*axis] {
                        let (to, source) = match from {
                            From::Start => (k * inner, (k - 1) * inner),
                            From::End => (block - (k + 1) * inner, block - k * inner),
                        };
                        for i in 0..inner {
                            let before = lines[source + i];
                            lines[to + i] += before;
                        }
                    }
                }
            }
            Op::Slice { axis, start } => {
                let source = arg_shape(0);
                let (wide, narrow) = (count(&source[*axis..]), count(&shape[*axis..]));
                let skip = start * count(&shape[axis + 1..]);
                let blocks = arg(0).chunks_exact(wide.max(1));
                for (o, block) in out.chunks_exact_mut(narrow.max(1)).zip(blocks) {
                    o.copy_from_slice(&block[skip..skip + narrow]);
                }
            }
            Op::Concat(axis) => {
                let wide = count(&shape[*axis..]);
                let mut at = 0;
                for k in 0..node.args.len() {
                    let narrow = count(&arg_shape(k)[*axis..]);
                    let parts = arg(k).chunks_exact(narrow.max(1));
                    for (o, part) in out.chunks_exact_mut(wide.max(1)).zip(parts) {
                        o[at..at + narrow].copy_from_slice(part);
                    }
                    at += narrow;
                }
            }
            Op::MatMul { ta, tb } => {
                let (a, b) = (arg_shape(0), arg_shape(1));
                let view = |data, columns, t| match t {
                    Transposed::No => Matrix {
                        data,
                        row: columns,
                        column: 1,
                    },
                    Transposed::Yes => Matrix {
                        data,
                        row: 1,
                        column: columns,
                    },
                };
                let inner = if *ta == Transposed::Yes { a[0] } else { a[1] };
                let (left, right) = (view(arg(0), a[1], *ta), view(arg(1), b[1], *tb));
                matmul(self.level, left, right, inner, shape[1], out);
            }
            Op::Gather => {
                let inner = count(&shape[1..]);
                let table = arg(0);
                let last = (table.len() / inner.max(1)).saturating_sub(1);
                for (o, &i) in out.chunks_exact_mut(inner.max(1)).zip(arg(1)) {
                    let i = index(i, last);
                    o.copy_from_slice(&table[i * inner..(i + 1) * inner]);
                }
            }
            Op::ScatterAdd => {
                let inner = count(&shape[1..]);
                out.fill(R::ZERO);
                for (row, &i) in arg(0).chunks_exact(inner.max(1)).zip(arg(1)) {
                    let i = index(i, shape[0] - 1);
                    for (o, &v) in out[i * inner..(i + 1) * inner].iter_mut().zip(row) {
                        *o += v;
                    }
                }
            }
            Op::PairSum(sum) => {
                let params: Vec<R> = (3..node.args.len()).map(|k| arg(k)[0]).collect();
                let mut job = pair_sum::Job {
                    sum,
                    x: arg(0),
                    y: arg(1),
                    v: arg(2),
                    params: &params,
                    d: arg_shape(0)[1],
                    rows: start..stop,
                    out,
                };
                pair_sum::run(self.level, &mut job);
            }
            Op::PotentialFlow(flow, wanted) => {
                let adjoint = (node.args.len() > 2).then(|| [arg(2), arg(3)]);
                let mut job = potential_flow::Job {
                    flow,
                    wanted: *wanted,
                    x: arg(0),
                    theta: arg(1),
                    adjoint,
                    rows: start..stop,
                    out,
                };
                potential_flow::run(self.level, &mut job);
            }
            Op::MedianSquaredDistance => out[0] = median_squared_distance(arg(0), arg_shape(0)[1]),
        }
    }
}

/// A row index held in a float, clamped into the table (NaN counts as 0).
fn index<R: Number>(value: R, last: usize) -> usize {
    (value.to_f64() as usize).min(last)
}

fn pad(shape: &[usize], rank: usize) -> Vec<usize> {
    let mut padded = vec![1; rank - shape.len()];
    padded.extend(shape);
    padded
}

/// Repeats axes of extent 1; both shapes have one rank.
fn broadcast<R: Copy>(source: &[R], from: &[usize], to: &[usize], out: &mut [R]) {
    if from == to {
        out.copy_from_slice(source);
    } else if let [value] = source {
        out.fill(*value);
    } else if !out.is_empty() {
        let (big, small) = (count(&to[1..]), count(&from[1..]));
        for (i, block) in out.chunks_exact_mut(big).enumerate() {
            let at = if from[0] == 1 { 0 } else { i * small };
            broadcast(&source[at..at + small], &from[1..], &to[1..], block);
        }
    }
}

fn transpose<R: Copy>(source: &[R], shape: &[usize], out: &mut [R]) {
    let [.., rows, columns] = *shape else { return };
    let size = (rows * columns).max(1);
    for (o, s) in out.chunks_exact_mut(size).zip(source.chunks_exact(size)) {
        for i in 0..rows {
            for j in 0..columns {
                o[j * rows + i] = s[i * columns + j];
            }
        }
    }
}

/// Blocks of entries are combined first, then the blocks, so that the rounding error of long sums stays small.
const BLOCK: usize = 256;

fn reduce<R: Number>(
    reduction: Reduction,
    source: &[R],
    shape: &[usize],
    axis: usize,
    out: &mut [R],
) {
    let (extent, inner) = (shape[axis], count(&shape[axis + 1..]));
    let (start, combine): (R, fn(R, R) -> R) = match reduction {
        Reduction::Sum => (R::ZERO, |a, b| a + b),
        Reduction::Max => (R::from_f64(f64::NEG_INFINITY), R::largest),
    };
    let mut partial = vec![start; inner];
    for (o, lines) in out
        .chunks_exact_mut(inner.max(1))
        .zip(source.chunks_exact((extent * inner).max(1)))
    {
        o.fill(start);
        for block in lines.chunks(BLOCK * inner) {
            partial.fill(start);
            for line in block.chunks_exact(inner) {
                for (p, &v) in partial.iter_mut().zip(line) {
                    *p = combine(*p, v);
                }
            }
            for (o, &p) in o.iter_mut().zip(&partial) {
                *o = combine(*o, p);
            }
        }
    }
}
