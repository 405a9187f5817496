//! Reverse mode: a function from graph to graph, so derivatives of derivatives come for free.
//!
//! Each op's adjoint stands in one arm of [`adjoint`]. A map's adjoint is the derivative of its expression. The median of
//! squared distances counts as a constant (the bandwidth rule is not differentiated in any published method).

use super::build::GraphNode;
use super::{Graph, NodeId, Op, PairSum, Reduction, Transposed, Var};
use crate::expr::Expr;

/// ∂(Σ y)/∂x for each x in `wrt`, as new nodes of the same graph.
///
/// **Shapes** each result has the shape of its x; where y does not depend on x it is zero. For y: [n] whose rows depend on
/// the rows of x: [n, d] alone, this is the row-wise gradient.
///
/// **Source** A. Griewank, A. Walther, "Evaluating derivatives" (2008), reverse mode.
pub fn grad<'g>(y: Var<'g>, wrt: &[Var<'g>]) -> Vec<Var<'g>> {
    let graph = y.graph;
    let mut adjoints: Vec<Option<Var<'g>>> = vec![None; y.id + 1];
    adjoints[y.id] = Some(graph.scalar(1.0).broadcast(&y.shape()));
    let needed = depends_on(graph, y.id, wrt);
    for id in (0..=y.id).rev() {
        let Some(g) = adjoints[id] else { continue };
        let node = graph.nodes.borrow()[id].clone();
        if !node.args.iter().any(|&a| needed[a]) {
            continue;
        }
        for (operand, contribution) in adjoint(graph, id, &node, g, &needed) {
            let slot = &mut adjoints[operand];
            *slot = Some(match *slot {
                Some(sum) => sum + contribution,
                None => contribution,
            });
        }
    }
    let zero = |x: &Var<'g>| graph.scalar(0.0).broadcast(&x.shape());
    wrt.iter()
        .map(|x| {
            adjoints
                .get(x.id)
                .copied()
                .flatten()
                .unwrap_or_else(|| zero(x))
        })
        .collect()
}

/// Which nodes up to `root` depend on one of `wrt`.
fn depends_on(graph: &Graph, root: NodeId, wrt: &[Var<'_>]) -> Vec<bool> {
    let nodes = graph.nodes.borrow();
    let mut needed = vec![false; root + 1];
    for id in 0..=root {
        needed[id] = wrt.iter().any(|x| x.id == id)
            || (nodes[id].op != Op::StopGradient && nodes[id].args.iter().any(|&a| needed[a]));
    }
    needed
}

/// What the adjoint `g` of node `id` adds to the adjoints of those operands that are `needed`.
fn adjoint<'g>(
    graph: &'g Graph,
    id: NodeId,
    node: &GraphNode,
    g: Var<'g>,
    needed: &[bool],
) -> Vec<(NodeId, Var<'g>)> {
    let arg = |k: usize| graph.var(node.args[k]);
    let one = |value: Var<'g>| vec![(node.args[0], value)];
    match &node.op {
        Op::Input(_)
        | Op::Uniform(_)
        | Op::Const(_)
        | Op::Iota
        | Op::Random(..)
        | Op::StopGradient
        | Op::MedianSquaredDistance => vec![],
        Op::Map(expr) => {
            let arity = node.args.len();
            let mut operands: Vec<Var<'g>> = node.args.iter().map(|&a| graph.var(a)).collect();
            operands.push(g);
            let local = expr.gradient(arity).into_iter().enumerate();
            local
                .filter(|(k, d)| needed[node.args[*k]] && d.constant() != Some(0.0))
                .map(|(k, d)| (node.args[k], graph.map(d * Expr::arg(arity), &operands)))
                .collect()
        }
        Op::MatMul { ta, tb } => {
            let (a, b) = (arg(0), arg(1));
            let flip = |t| {
                if t == Transposed::Yes {
                    Transposed::No
                } else {
                    Transposed::Yes
                }
            };
            let mut out = Vec::new();
            if needed[a.id] {
                out.push((
                    a.id,
                    match ta {
                        Transposed::No => g.matmul_with(b, Transposed::No, flip(*tb)),
                        Transposed::Yes => b.matmul_with(g, *tb, Transposed::Yes),
                    },
                ));
            }
            if needed[b.id] {
                out.push((
                    b.id,
                    match tb {
                        Transposed::No => a.matmul_with(g, flip(*ta), Transposed::No),
                        Transposed::Yes => g.matmul_with(a, Transposed::Yes, *ta),
                    },
                ));
            }
            out
        }
        Op::Reduce(reduction, axis) => {
            let x = arg(0);
            let shape = x.shape();
            let mut kept = shape.clone();
            kept[*axis] = 1;
            let spread = g.reshape(&kept).broadcast(&shape);
            match reduction {
                Reduction::Sum => one(spread),
                Reduction::Max => {
                    let top = graph.var(id).reshape(&kept).broadcast(&shape);
                    let attains = 1.0 - x.less(top);
                    let share = attains / attains.sum(*axis).reshape(&kept);
                    one(spread * share)
                }
            }
        }
        Op::Broadcast => {
            let shape = arg(0).shape();
            let pad = node.shape.len() - shape.len();
            let mut sum = g;
            for axis in (0..node.shape.len()).rev() {
                if axis < pad || (shape[axis - pad] == 1 && node.shape[axis] != 1) {
                    sum = sum.sum(axis);
                }
            }
            one(sum.reshape(&shape))
        }
        Op::Reshape => one(g.reshape(&arg(0).shape())),
        Op::Transpose => one(g.transpose()),
        Op::Slice { axis, start } => {
            let shape = arg(0).shape();
            let end = start + node.shape[*axis];
            let zeros = |extent: usize| {
                let mut s = shape.clone();
                s[*axis] = extent;
                (extent > 0).then(|| graph.scalar(0.0).broadcast(&s))
            };
            let parts = [zeros(*start), Some(g), zeros(shape[*axis] - end)];
            one(graph.concat(&parts.into_iter().flatten().collect::<Vec<_>>(), *axis))
        }
        Op::Concat(axis) => {
            let mut start = 0;
            let mut out = Vec::new();
            for &a in &node.args {
                let extent = graph.var(a).shape()[*axis];
                if needed[a] {
                    out.push((a, g.slice(*axis, start, extent)));
                }
                start += extent;
            }
            out
        }
        Op::Gather => one(g.scatter_add(arg(1), arg(0).shape()[0])),
        Op::ScatterAdd => one(g.gather(arg(1))),
        Op::PairSum(sum) => pair_sum(graph, sum, node, g, needed),
    }
}

/// The adjoint of a pairwise sum, again by pairwise sums: with G the adjoint,
/// v̄_j = Σ_i k G_i, p̄ = Σ_ij,c ∂_p k G_ic v_jc, and
/// x̄_i = Σ_c G_ic Σ_j v_jc [2 k_r (x_i − y_j) + k_s y_j] with k_r = ∂k/∂r², k_s = ∂k/∂(x·y); likewise ȳ.
fn pair_sum<'g>(
    graph: &'g Graph,
    sum: &PairSum,
    node: &GraphNode,
    g: Var<'g>,
    needed: &[bool],
) -> Vec<(NodeId, Var<'g>)> {
    let [x, y, v] = [0, 1, 2].map(|k| graph.var(node.args[k]));
    let params: Vec<Var<'g>> = node.args[3..].iter().map(|&a| graph.var(a)).collect();
    let arity = 2 + params.len();
    let mut out = Vec::new();
    if needed[v.id] {
        out.push((v.id, graph.pair_sum(sum.clone(), y, x, g, &params)));
    }
    for (p, param) in params.iter().enumerate().filter(|(_, p)| needed[p.id]) {
        let kernels = sum.kernels.iter().map(|k| k.derivative(2 + p)).collect();
        let slope = PairSum {
            kernels,
            channels: sum.channels.clone(),
        };
        let total = (graph.pair_sum(slope, x, y, v, &params) * g).total();
        out.push((param.id, total));
    }
    let sides = [(x, y, g, v), (y, x, v, g)];
    for (own, other, weight, source) in sides {
        if !needed[own.id] {
            continue;
        }
        let mut total = graph.scalar(0.0).broadcast(&own.shape());
        let mut start = 0;
        for (kernel, &width) in sum.kernels.iter().zip(&sum.channels) {
            let slopes = kernel.gradient(arity);
            for c in start..start + width {
                let (w, s) = (weight.slice(1, c, 1), source.slice(1, c, 1));
                let d = own.shape()[1];
                let moments = graph.concat(&[s, s * other], 1);
                let apply = |k: &Expr| {
                    let op = PairSum {
                        kernels: vec![k.clone()],
                        channels: vec![d + 1],
                    };
                    graph.pair_sum(op, own, other, moments, &params)
                };
                let by_distance = apply(&(slopes[0].clone() * 2.0));
                let by_product = apply(&slopes[1]);
                let pull = own * by_distance.slice(1, 0, 1) - by_distance.slice(1, 1, d)
                    + by_product.slice(1, 1, d);
                total = total + w * pull;
            }
            start += width;
        }
        out.push((own.id, total));
    }
    out
}
