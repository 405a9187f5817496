//! Building graphs: shapes are checked here, so that later stages need not.

use super::{
    Draw, From as End, NodeId, Op, PairSum, PotentialFlow, Reduction, Shape, Transposed, Wanted,
    count,
};
use crate::expr::{Binary, Expr, Unary};
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

/// A node while building.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GraphNode {
    pub(crate) op: Op,
    pub(crate) args: Vec<NodeId>,
    pub(crate) shape: Shape,
}

/// A graph under construction.
#[derive(Debug, Default)]
pub struct Graph {
    pub(crate) nodes: RefCell<Vec<GraphNode>>,
    pub(crate) assigns: RefCell<Vec<(String, NodeId)>>,
}

/// A value in a graph; cheap to copy, with NumPy-like operators.
#[derive(Clone, Copy)]
pub struct Var<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) id: NodeId,
}

impl Graph {
    pub(crate) fn push(&self, op: Op, args: Vec<NodeId>, shape: Shape) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        let node = GraphNode { op, args, shape };
        // Equal nodes are shared; random numbers are functions of their key, so sharing them is right as well.
        let known = nodes.iter().rposition(|n| *n == node);
        let id = known.unwrap_or_else(|| {
            nodes.push(node);
            nodes.len() - 1
        });
        drop(nodes);
        Var { graph: self, id }
    }

    pub(crate) fn var(&self, id: NodeId) -> Var<'_> {
        Var { graph: self, id }
    }

    /// Reads the persistent buffer `name`.
    pub fn input(&self, name: &str, shape: &[usize]) -> Var<'_> {
        self.push(Op::Input(name.to_owned()), vec![], shape.to_vec())
    }

    /// A live scalar parameter.
    pub fn uniform(&self, name: &'static str) -> Var<'_> {
        self.push(Op::Uniform(name), vec![], vec![])
    }

    /// Fixed numbers, row-major.
    ///
    /// # Panics
    /// `data` does not fill `shape`.
    pub fn constant(&self, data: impl Into<Arc<[f64]>>, shape: &[usize]) -> Var<'_> {
        let data = data.into();
        fits(data.len() == count(shape), "constant", &[shape]);
        self.push(Op::Const(data), vec![], shape.to_vec())
    }

    /// One number.
    pub fn scalar(&self, value: f64) -> Var<'_> {
        self.constant(vec![value], &[])
    }

    /// 0, 1, …, n − 1.
    pub fn iota(&self, n: usize) -> Var<'_> {
        self.push(Op::Iota, vec![], vec![n])
    }

    /// Fresh random numbers each step; `stream` names the purpose (see `rng::stream`).
    pub fn random(&self, draw: Draw, stream: u32, shape: &[usize]) -> Var<'_> {
        self.push(Op::Random(draw, stream), vec![], shape.to_vec())
    }

    /// Writes `value` to the persistent buffer `name` when the program ends.
    pub fn assign(&self, name: &str, value: Var<'_>) {
        self.assigns.borrow_mut().push((name.to_owned(), value.id));
    }

    /// `expr` of equally shaped operands (after broadcasting), entry by entry.
    pub fn map<'g>(&'g self, expr: Expr, args: &[Var<'g>]) -> Var<'g> {
        let common = |vars: &[Var<'_>]| vars.iter().fold(vec![], |s, v| broadcast(&s, &v.shape()));
        let shape = common(args);
        let (expr, used) = expr.compact();
        let args: Vec<Var<'g>> = used.iter().map(|&i| args[i]).collect();
        let own = common(&args);
        let value = if let Some(value) = expr.constant() {
            self.scalar(value)
        } else if expr == Expr::arg(0) {
            args[0]
        } else {
            let ids = args.iter().map(|a| a.broadcast(&own).id).collect();
            self.push(Op::Map(expr), ids, own)
        };
        value.broadcast(&shape)
    }

    /// Joins `parts` along `axis`.
    ///
    /// # Panics
    /// No parts, or extents that differ off the axis.
    pub fn concat<'g>(&'g self, parts: &[Var<'g>], axis: usize) -> Var<'g> {
        let mut shape = parts[0].shape();
        shape[axis] = 0;
        for part in parts {
            let s = part.shape();
            shape[axis] += s[axis];
            let same = s.len() == shape.len()
                && s.iter()
                    .zip(&shape)
                    .enumerate()
                    .all(|(i, (a, b))| i == axis || a == b);
            fits(same, "concat", &[&shape, &s]);
        }
        if let [only] = parts {
            return *only;
        }
        self.push(
            Op::Concat(axis),
            parts.iter().map(|p| p.id).collect(),
            shape,
        )
    }

    /// Hot op: pairwise kernel sums, see [`Op::PairSum`].
    ///
    /// **Shapes** `x: [n, d]`, `y: [m, d]`, `v: [m, c]`, `params`: scalars; result `[n, c]`.
    ///
    /// # Panics
    /// Shapes or channel counts that do not fit.
    pub fn pair_sum<'g>(
        &'g self,
        sum: PairSum,
        x: Var<'g>,
        y: Var<'g>,
        v: Var<'g>,
        params: &[Var<'g>],
    ) -> Var<'g> {
        let (xs, ys, vs) = (x.shape(), y.shape(), v.shape());
        let channels = sum.channels.iter().sum::<usize>();
        let same = xs[1] == ys[1] && ys[0] == vs[0] && channels == vs[1];
        fits(same, "pair_sum", &[&xs, &ys, &vs]);
        let mut args = vec![x.id, y.id, v.id];
        args.extend(params.iter().map(|p| p.id));
        self.push(Op::PairSum(sum), args, vec![xs[0], vs[1]])
    }

    pub(super) fn push_flow<'g>(
        &'g self,
        flow: PotentialFlow,
        wanted: Wanted,
        args: Vec<Var<'g>>,
    ) -> Var<'g> {
        let shapes: Vec<Shape> = args.iter().map(|a| a.shape()).collect();
        let (n, d, p) = (shapes[0][0], flow.d, flow.parameters());
        let expected = [vec![n, d], vec![p], vec![n, d + 3], vec![d + 3]];
        let shapes: Vec<&[usize]> = shapes.iter().map(|s| &s[..]).collect();
        let same = shapes
            .iter()
            .zip(&expected)
            .all(|(own, wanted)| *own == wanted);
        fits(same, "potential_flow", &shapes);
        let shape = match wanted {
            Wanted::End => vec![n, d + 3],
            Wanted::Parameters => vec![p],
            Wanted::Samples => vec![n, d],
        };
        let args = args.iter().map(|a| a.id).collect();
        self.push(Op::PotentialFlow(flow, wanted), args, shape)
    }
}

/// Panics with the shapes where an operation does not fit them: one message for all operations.
fn fits(fit: bool, op: &str, shapes: &[&[usize]]) {
    if !fit {
        misfit(op, shapes);
    }
}

#[cold]
#[inline(never)]
fn misfit(op: &str, shapes: &[&[usize]]) -> ! {
    panic!("{op} does not fit the shapes {shapes:?}");
}

/// The common shape of two operands under NumPy's rules.
///
/// # Panics
/// Extents that differ and are not 1.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Shape {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| {
        if i + s.len() < rank {
            1
        } else {
            s[i + s.len() - rank]
        }
    };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => misfit("broadcast", &[a, b]),
        })
        .collect()
}

impl<'g> Var<'g> {
    /// The graph it belongs to.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// Its extents.
    pub fn shape(self) -> Shape {
        self.graph.nodes.borrow()[self.id].shape.clone()
    }

    fn unary(self, op: Unary) -> Self {
        self.graph.map(Expr::arg(0).apply1(op), &[self])
    }

    fn binary(self, op: Binary, rhs: Self) -> Self {
        self.graph
            .map(Expr::arg(0).apply2(op, Expr::arg(1)), &[self, rhs])
    }

    /// `expr` of this value alone, entry by entry.
    pub fn map(self, expr: Expr) -> Self {
        self.graph.map(expr, &[self])
    }

    /// Repeats to `shape` under NumPy's rules.
    ///
    /// # Panics
    /// The shape is not a broadcast of this one.
    pub fn broadcast(self, shape: &[usize]) -> Self {
        let own = self.shape();
        if own == shape {
            return self;
        }
        fits(broadcast(&own, shape) == shape, "broadcast", &[&own, shape]);
        self.graph
            .push(Op::Broadcast, vec![self.id], shape.to_vec())
    }

    /// The same entries as `shape`.
    ///
    /// # Panics
    /// The number of entries differs.
    pub fn reshape(self, shape: &[usize]) -> Self {
        let own = self.shape();
        fits(count(&own) == count(shape), "reshape", &[&own, shape]);
        if own == shape {
            return self;
        }
        self.graph.push(Op::Reshape, vec![self.id], shape.to_vec())
    }

    /// Swaps the last two axes.
    ///
    /// # Panics
    /// Fewer than two axes.
    pub fn transpose(self) -> Self {
        let mut shape = self.shape();
        let r = shape.len();
        fits(r >= 2, "transpose", &[&shape]);
        shape.swap(r - 2, r - 1);
        self.graph.push(Op::Transpose, vec![self.id], shape)
    }

    /// Entries `start..start + extent` along `axis`.
    ///
    /// # Panics
    /// Out of range.
    pub fn slice(self, axis: usize, start: usize, extent: usize) -> Self {
        let mut shape = self.shape();
        let inside = start + extent <= shape[axis];
        fits(inside, "slice", &[&shape, &[axis, start, extent]]);
        if extent == shape[axis] {
            return self;
        }
        shape[axis] = extent;
        self.graph
            .push(Op::Slice { axis, start }, vec![self.id], shape)
    }

    /// Column `i` of [n, d], as [n].
    pub fn column(self, i: usize) -> Self {
        let n = self.shape()[0];
        self.slice(1, i, 1).reshape(&[n])
    }

    fn reduce(self, reduction: Reduction, axis: usize) -> Self {
        let mut shape = self.shape();
        shape.remove(axis);
        self.graph
            .push(Op::Reduce(reduction, axis), vec![self.id], shape)
    }

    /// Sum along `axis`.
    pub fn sum(self, axis: usize) -> Self {
        self.reduce(Reduction::Sum, axis)
    }

    /// Largest entry along `axis`; the derivative goes to every entry that attains it, shared equally.
    pub fn max(self, axis: usize) -> Self {
        self.reduce(Reduction::Max, axis)
    }

    /// Smallest entry along `axis`; the derivative as that of [`Self::max`].
    pub fn min(self, axis: usize) -> Self {
        -(-self).max(axis)
    }

    /// Index of the first largest entry along `axis`, as a number, with zero derivative; 0 where the line holds a NaN.
    pub fn argmax(self, axis: usize) -> Self {
        let mut kept = self.shape();
        let extent = std::mem::replace(&mut kept[axis], 1);
        let mut along = vec![1; kept.len()];
        along[axis] = extent;
        let x = self.stop_gradient();
        let below = x.less(x.max(axis).reshape(&kept));
        let last = self.graph.scalar((extent - 1) as f64);
        let index = self.graph.iota(extent).reshape(&along);
        below.choose(last, index).min(axis)
    }

    /// Index of the first smallest entry along `axis`; see [`Self::argmax`].
    pub fn argmin(self, axis: usize) -> Self {
        (-self).argmax(axis)
    }

    /// Running sums along `axis`.
    pub fn cumsum(self, axis: usize) -> Self {
        self.cumsum_from(axis, End::Start)
    }

    /// Running sums along `axis` from either end.
    pub fn cumsum_from(self, axis: usize, from: End) -> Self {
        let shape = self.shape();
        self.graph
            .push(Op::CumSum(axis, from), vec![self.id], shape)
    }

    /// `body` applied `count` times, written out: power iterations, conjugate gradients, unrolled solvers. Reverse mode
    /// goes through every turn.
    #[must_use]
    pub fn repeat(self, count: usize, body: impl Fn(Self) -> Self) -> Self {
        (0..count).fold(self, |value, _| body(value))
    }

    /// Mean along `axis`.
    pub fn mean(self, axis: usize) -> Self {
        let n = self.shape()[axis];
        self.sum(axis) * (1.0 / n as f64)
    }

    /// Sum of all entries, a scalar.
    pub fn total(self) -> Self {
        let n = count(&self.shape());
        self.reshape(&[n]).sum(0)
    }

    /// log Σ exp along `axis`, shifted by the largest entry.
    pub fn logsumexp(self, axis: usize) -> Self {
        let shape = self.shape();
        let mut kept = shape.clone();
        kept[axis] = 1;
        let top = self.max(axis).stop_gradient();
        let shifted = self - top.reshape(&kept);
        shifted.exp().sum(axis).ln() + top
    }

    /// [n,k] times [k,m].
    ///
    /// # Panics
    /// Shapes that do not fit.
    pub fn matmul(self, rhs: Self) -> Self {
        self.matmul_with(rhs, Transposed::No, Transposed::No)
    }

    /// Matrix product with operands read transposed where said.
    ///
    /// # Panics
    /// Shapes that do not fit.
    pub fn matmul_with(self, rhs: Self, ta: Transposed, tb: Transposed) -> Self {
        let (a, b) = (self.shape(), rhs.shape());
        fits(a.len() == 2 && b.len() == 2, "matmul", &[&a, &b]);
        let at = |s: &[usize], t| {
            if t == Transposed::Yes {
                (s[1], s[0])
            } else {
                (s[0], s[1])
            }
        };
        let ((n, k), (k2, m)) = (at(&a, ta), at(&b, tb));
        fits(k == k2, "matmul", &[&a, &b]);
        self.graph
            .push(Op::MatMul { ta, tb }, vec![self.id, rhs.id], vec![n, m])
    }

    /// Rows of this table [m, …] at `index` [n].
    ///
    /// # Panics
    /// `index` is not a vector.
    pub fn gather(self, index: Self) -> Self {
        let mut shape = self.shape();
        let index_shape = index.shape();
        fits(index_shape.len() == 1, "gather", &[&shape, &index_shape]);
        shape[0] = index_shape[0];
        self.graph.push(Op::Gather, vec![self.id, index.id], shape)
    }

    /// Adds these rows [n, …] at `index` [n] into a zero table of `rows` rows.
    pub fn scatter_add(self, index: Self, rows: usize) -> Self {
        let mut shape = self.shape();
        shape[0] = rows;
        self.graph
            .push(Op::ScatterAdd, vec![self.id, index.id], shape)
    }

    /// The identity, with zero derivative.
    pub fn stop_gradient(self) -> Self {
        let shape = self.shape();
        self.graph.push(Op::StopGradient, vec![self.id], shape)
    }

    /// Hot op: median of |x_i − x_j|² over all ordered pairs of rows, zero diagonal included.
    pub fn median_squared_distance(self) -> Self {
        self.graph
            .push(Op::MedianSquaredDistance, vec![self.id], vec![])
    }

    /// 1 where self < rhs, else 0.
    pub fn less(self, rhs: Self) -> Self {
        self.binary(Binary::Less, rhs)
    }

    /// `yes` where this is > 0, else `no`. Selects rather than blends, so a NaN in the branch not taken does not spread.
    pub fn choose(self, yes: Self, no: Self) -> Self {
        let pick = Expr::arg(0).choose(Expr::arg(1), Expr::arg(2));
        self.graph.map(pick, &[self, yes, no])
    }
}

macro_rules! var_unary {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        impl Var<'_> { $($(#[$doc])* #[must_use] pub fn $name(self) -> Self { self.unary(Unary::$op) })* }
    };
}
var_unary! {
    /// |x|
    abs Abs;
    /// Sign
    sign Sign;
    /// 1 where positive
    step Step;
    /// eˣ
    exp Exp;
    /// Natural logarithm
    ln Ln;
    /// Square root
    sqrt Sqrt;
    /// 1/x
    recip Recip;
    /// Sine
    sin Sin;
    /// Cosine
    cos Cos;
    /// Hyperbolic tangent
    tanh Tanh;
    /// Arc-cosine kernel of degree 0
    arc_cosine0 ArcCosine0;
    /// Arc-cosine kernel of degree 1
    arc_cosine1 ArcCosine1;
}

impl Var<'_> {
    /// x²
    #[must_use]
    pub fn square(self) -> Self {
        self * self
    }
}

macro_rules! var_operators {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        impl<'g> $trait for Var<'g> {
            type Output = Var<'g>;
            fn $method(self, rhs: Self) -> Self { self.binary(Binary::$op, rhs) }
        }
        impl<'g> $trait<f64> for Var<'g> {
            type Output = Var<'g>;
            fn $method(self, rhs: f64) -> Self { self.map(Expr::arg(0).apply2(Binary::$op, rhs)) }
        }
        impl<'g> $trait<Var<'g>> for f64 {
            type Output = Var<'g>;
            fn $method(self, rhs: Var<'g>) -> Var<'g> { rhs.map(Expr::from(self).apply2(Binary::$op, Expr::arg(0))) }
        }
    )*};
}
var_operators! { Add add Add; Sub sub Sub; Mul mul Mul; Div div Div; }

impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}
