//! Expressions over slices: a tape is run line by line over chunks that stay in the first-level cache.

use super::block::Block;
use crate::expr::{Binary, Expr, Node, Real, Unary};
use fearless_simd::{Level, Simd, dispatch};
use fearless_simd_macros::simd;

/// Entries of one chunk.
pub const CHUNK: usize = 256;

/// Where a line of the tape finds its value.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The i-th operand.
    Arg(usize),
    /// A chunk of scratch.
    Scratch(usize),
}

#[derive(Debug, Clone, Copy)]
enum Line {
    Unary(Unary, Place, usize),
    Binary(Binary, Place, Place, usize),
    Choose(Place, Place, Place, usize),
}

/// An expression prepared for slices: scratch is assigned, constants lie in chunks of their own.
#[derive(Debug)]
pub struct MapCode<R> {
    lines: Vec<Line>,
    /// `[constants…, temporaries…]`, a chunk each.
    scratch: Block<R>,
    /// Scalar operands, a chunk each; kept to save allocations.
    scalars: Block<R>,
    result: Place,
}

/// One operand of a map.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a, R> {
    /// One value an entry.
    Entries(&'a [R]),
    /// The same value for every entry.
    Scalar(R),
}

impl<R: Real> MapCode<R> {
    /// Prepares `expr`.
    pub fn new(expr: &Expr) -> Self {
        let nodes = expr.nodes();
        let constants: Vec<R> = nodes
            .iter()
            .filter_map(|n| match n {
                Node::Const(bits) => Some(R::from_f64(f64::from_bits(*bits))),
                _ => None,
            })
            .collect();
        let last_use = last_uses(nodes);
        let mut free: Vec<usize> = Vec::new();
        let mut chunks = constants.len();
        let mut next_constant = 0;
        let mut places: Vec<Place> = Vec::with_capacity(nodes.len());
        let mut lines = Vec::new();
        for (id, node) in nodes.iter().enumerate() {
            let operands: Vec<u32> = match *node {
                Node::Arg(i) => {
                    places.push(Place::Arg(usize::from(i)));
                    continue;
                }
                Node::Const(_) => {
                    places.push(Place::Scratch(next_constant));
                    next_constant += 1;
                    continue;
                }
                Node::Unary(_, x) => vec![x],
                Node::Binary(_, a, b) => vec![a, b],
                Node::Choose(c, a, b) => vec![c, a, b],
            };
            // Taken before the operands are released: a line never writes what it reads.
            let out = free.pop().unwrap_or_else(|| {
                chunks += 1;
                chunks - 1
            });
            let at = |x: u32| places[x as usize];
            lines.push(match *node {
                Node::Unary(op, x) => Line::Unary(op, at(x), out),
                Node::Binary(op, a, b) => Line::Binary(op, at(a), at(b), out),
                Node::Choose(c, a, b) => Line::Choose(at(c), at(a), at(b), out),
                Node::Arg(_) | Node::Const(_) => unreachable!("leaves have no line"),
            });
            for (k, &x) in operands.iter().enumerate() {
                let repeated = operands[..k].contains(&x);
                if let Place::Scratch(chunk) = at(x)
                    && chunk >= constants.len()
                    && last_use[x as usize] == id
                    && !repeated
                {
                    free.push(chunk);
                }
            }
            places.push(Place::Scratch(out));
        }
        let mut scratch = Block::filled(R::ZERO, chunks * CHUNK);
        for (chunk, value) in scratch.chunks_exact_mut(CHUNK).zip(&constants) {
            chunk.fill(*value);
        }
        Self {
            lines,
            scratch,
            scalars: Block::default(),
            result: places[nodes.len() - 1],
        }
    }

    /// Evaluates entry by entry into `out`.
    ///
    /// # Panics
    /// An operand with entries is shorter than `out`.
    pub fn run(&mut self, level: Level, operands: &[Operand<'_, R>], out: &mut [R]) {
        dispatch!(level, simd => run(simd, self, operands, out));
    }

    /// [`MapCode::run`] inside a dispatched kernel.
    #[inline(always)]
    pub fn run_inline<S: Simd>(&mut self, simd: S, operands: &[Operand<'_, R>], out: &mut [R]) {
        run(simd, self, operands, out);
    }
}

fn last_uses(nodes: &[Node]) -> Vec<usize> {
    let mut last = vec![usize::MAX; nodes.len()];
    for (id, node) in nodes.iter().enumerate() {
        let mut mark = |x: u32| last[x as usize] = id;
        match *node {
            Node::Unary(_, x) => mark(x),
            Node::Binary(_, a, b) => {
                mark(a);
                mark(b);
            }
            Node::Choose(c, a, b) => {
                mark(c);
                mark(a);
                mark(b);
            }
            Node::Arg(_) | Node::Const(_) => {}
        }
    }
    last
}

#[simd]
fn run<S: Simd, R: Real>(
    simd: S,
    code: &mut MapCode<R>,
    operands: &[Operand<'_, R>],
    out: &mut [R],
) {
    let mut scalars = std::mem::take(&mut code.scalars);
    if scalars.len() != operands.len() * CHUNK {
        scalars = Block::filled(R::ZERO, operands.len() * CHUNK);
    }
    for (chunk, operand) in scalars.chunks_exact_mut(CHUNK).zip(operands) {
        if let Operand::Scalar(value) = operand {
            chunk.fill(*value);
        }
    }
    let mut start = 0;
    while start < out.len() {
        let len = CHUNK.min(out.len() - start);
        let view = |i: usize| match operands[i] {
            Operand::Entries(x) => &x[start..start + len],
            Operand::Scalar(_) => &scalars[i * CHUNK..i * CHUNK + len],
        };
        chunk(simd, code, view, &mut out[start..start + len]);
        start += len;
    }
    code.scalars = scalars;
}

#[inline(always)]
fn chunk<'a, S: Simd, R: Real>(
    simd: S,
    code: &mut MapCode<R>,
    operand: impl Fn(usize) -> &'a [R],
    out: &mut [R],
) {
    let len = out.len();
    for line in &code.lines {
        let (target, places) = match *line {
            Line::Unary(_, x, t) => (t, [x; 3]),
            Line::Binary(_, a, b, t) => (t, [a, b, b]),
            Line::Choose(c, a, b, t) => (t, [c, a, b]),
        };
        // The target chunk is never one of the operands' chunks, so the scratch splits into disjoint parts around it.
        let (before, rest) = code.scratch.split_at_mut(target * CHUNK);
        let (result, after) = rest.split_at_mut(CHUNK);
        let read = |place: Place| -> &[R] {
            match place {
                Place::Arg(i) => operand(i),
                Place::Scratch(c) if c < target => &before[c * CHUNK..c * CHUNK + len],
                Place::Scratch(c) => {
                    let offset = (c - target - 1) * CHUNK;
                    &after[offset..offset + len]
                }
            }
        };
        let result = &mut result[..len];
        match *line {
            Line::Unary(op, ..) => unary(simd, op, read(places[0]), result),
            Line::Binary(op, ..) => binary(simd, op, read(places[0]), read(places[1]), result),
            Line::Choose(..) => {
                choose(
                    simd,
                    read(places[0]),
                    read(places[1]),
                    read(places[2]),
                    result,
                );
            }
        }
    }
    match code.result {
        Place::Arg(i) => out.copy_from_slice(operand(i)),
        Place::Scratch(c) => out.copy_from_slice(&code.scratch[c * CHUNK..c * CHUNK + len]),
    }
}

/// Runs one loop an operation, so that each is vectorised on its own.
macro_rules! per_operation {
    ($op:expr, $enum:ident: $($variant:ident)*, |$f:ident| $body:expr) => {
        match $op { $($enum::$variant => { let $f = $enum::$variant; $body })* }
    };
}

#[simd]
fn unary<S: Simd, R: Real>(_: S, op: Unary, x: &[R], out: &mut [R]) {
    per_operation!(op, Unary: Neg Abs Sign Step Exp Ln Sqrt Recip Sin Cos Tanh Sigmoid Softplus ArcCosine0 ArcCosine1, |f| {
        for (o, &x) in out.iter_mut().zip(x) {
            *o = f.apply(x);
        }
    });
}

#[simd]
fn binary<S: Simd, R: Real>(_: S, op: Binary, a: &[R], b: &[R], out: &mut [R]) {
    per_operation!(op, Binary: Add Sub Mul Div Min Max Pow Less, |f| {
        for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *o = f.apply(a, b);
        }
    });
}

#[simd]
fn choose<S: Simd, R: Real>(_: S, c: &[R], a: &[R], b: &[R], out: &mut [R]) {
    for (((o, &c), &a), &b) in out.iter_mut().zip(c).zip(a).zip(b) {
        *o = if c > R::ZERO { a } else { b };
    }
}
