//! From graph to program: drops what no assignment needs, fuses chains of maps, and lets maps read scalars directly.

use super::build::GraphNode;
use super::{Graph, NodeId, Op, ProgramNode, count};
use crate::expr::Expr;

/// Longest tape that fusion builds; beyond it, a map keeps its operand as a value of its own.
const LONGEST_TAPE: usize = 96;

/// The live nodes of `graph` in execution order, maps fused, and where each of `roots` went.
///
/// Afterwards every operand of a map has the map's shape or exactly one entry.
pub(super) fn fuse(graph: &Graph, roots: &[NodeId]) -> (Vec<ProgramNode>, Vec<NodeId>) {
    let nodes = graph.nodes.borrow();
    let uses = count_uses(&nodes, roots);
    let mut out: Vec<ProgramNode> = Vec::new();
    let mut moved: Vec<NodeId> = vec![usize::MAX; nodes.len()];
    for (id, node) in nodes.iter().enumerate().filter(|(id, _)| uses[*id] > 0) {
        let mapped = match &node.op {
            Op::Map(expr) => fuse_map(&nodes, &uses, &out, &moved, expr, node),
            op => ProgramNode {
                op: op.clone(),
                args: node.args.iter().map(|&a| moved[a]).collect(),
                shape: node.shape.clone(),
            },
        };
        moved[id] = out.len();
        out.push(mapped);
    }
    let roots = roots.iter().map(|&r| moved[r]).collect();
    prune(out, roots)
}

/// How many live nodes and roots read each node; 0 means dead.
fn count_uses(nodes: &[GraphNode], roots: &[NodeId]) -> Vec<usize> {
    let mut uses = vec![0; nodes.len()];
    for &r in roots {
        uses[r] += 1;
    }
    for id in (0..nodes.len()).rev() {
        if uses[id] > 0 {
            let args = &nodes[id].args;
            for (k, &a) in args.iter().enumerate() {
                if !args[..k].contains(&a) {
                    uses[a] += 1;
                }
            }
        }
    }
    uses
}

fn fuse_map(
    nodes: &[GraphNode],
    uses: &[usize],
    out: &[ProgramNode],
    moved: &[NodeId],
    expr: &Expr,
    node: &GraphNode,
) -> ProgramNode {
    let mut args: Vec<NodeId> = Vec::new();
    let mut operand = |id: NodeId| {
        let known = args.iter().position(|&a| a == id);
        Expr::arg(known.unwrap_or_else(|| {
            args.push(id);
            args.len() - 1
        }))
    };
    let mut budget = LONGEST_TAPE.saturating_sub(expr.nodes().len());
    let parts: Vec<Expr> = node
        .args
        .iter()
        .map(|&a| {
            // A scalar, or a constant filled with one number, is read through its broadcast.
            let through = match nodes[a].op {
                Op::Broadcast if count(&nodes[nodes[a].args[0]].shape) == 1 => nodes[a].args[0],
                _ => a,
            };
            if let Op::Const(data) = &nodes[through].op
                && let [value] = **data
            {
                return Expr::from(value);
            }
            let source = &out[moved[through]];
            match &source.op {
                Op::Map(inner) if inner.constant().is_some() => inner.clone(),
                Op::Map(inner)
                    if source.shape == node.shape
                        && uses[through] == 1
                        && inner.nodes().len() <= budget =>
                {
                    budget -= inner.nodes().len();
                    let inner_args: Vec<Expr> = source.args.iter().map(|&s| operand(s)).collect();
                    inner.substitute(&inner_args)
                }
                _ => operand(moved[through]),
            }
        })
        .collect();
    let fused = expr.substitute(&parts);
    let (expr, used) = fused.compact();
    ProgramNode {
        op: Op::Map(expr),
        args: used.iter().map(|&i| args[i]).collect(),
        shape: node.shape.clone(),
    }
}

/// Drops nodes that fusion left without readers.
fn prune(nodes: Vec<ProgramNode>, roots: Vec<NodeId>) -> (Vec<ProgramNode>, Vec<NodeId>) {
    let mut live = vec![false; nodes.len()];
    for &r in &roots {
        live[r] = true;
    }
    for id in (0..nodes.len()).rev() {
        if live[id] {
            for &a in &nodes[id].args {
                live[a] = true;
            }
        }
    }
    let mut moved = vec![usize::MAX; nodes.len()];
    let mut out = Vec::new();
    for (id, mut node) in nodes.into_iter().enumerate().filter(|(id, _)| live[*id]) {
        for a in &mut node.args {
            *a = moved[*a];
        }
        moved[id] = out.len();
        out.push(node);
    }
    (out, roots.into_iter().map(|r| moved[r]).collect())
}
