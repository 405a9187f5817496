//! Which nodes of a program have a kernel and memory of their own on a device, and how the kernels are cut into workgroups.
//!
//! Nodes that are cheap stay functions of an index and are inlined where they are read; nodes that are summed over, or read
//! often and costly, are *materialised*: one kernel each, one entry of the arena each. A map that alone reads a matrix
//! product is computed in the product's kernel, so that a dense layer is one dispatch.

use super::flow;
use crate::graph::{NodeId, Op, Program, ProgramNode, Transposed, Wanted, count};

/// Operations of an inlined node above which a second reader is not worth computing it twice.
const CHEAP: usize = 24;
/// Operations of an inlined operand of a pairwise sum, which reads it once a workgroup.
const AFFORDABLE: usize = 100;
/// Longest sum that stays inside a function.
const SHORT: usize = 16;
/// Terms of a product that pass through workgroup memory at once.
pub(super) const DEPTH: usize = 16;

/// Whether a node has a kernel and memory of its own.
pub(super) fn materialised(program: &Program) -> Vec<bool> {
    let nodes = &program.nodes;
    let fused = epilogues(program);
    let mut own = vec![false; nodes.len()];
    for node in nodes {
        // Kernels that read an operand many times want it in memory.
        let reread = match node.op {
            Op::MedianSquaredDistance | Op::ScatterAdd | Op::CumSum(..) => node.args.len(),
            Op::PotentialFlow(..) => 2,
            _ => 0,
        };
        for &a in &node.args[..reread] {
            own[a] = !nodes[a].op.is_leaf();
        }
    }
    let mut weight = vec![0usize; nodes.len()];
    for id in 0..nodes.len() {
        let node = &nodes[id];
        let affordable = match node.op {
            Op::PairSum(_) => AFFORDABLE,
            Op::MatMul { .. } if !is_short_product(program, node) => CHEAP,
            _ => usize::MAX,
        };
        for &a in &node.args {
            own[a] |= !nodes[a].op.is_leaf() && weight[a] > affordable;
        }
        let length = match node.op {
            Op::Reduce(_, axis) => nodes[node.args[0]].shape[axis],
            Op::MatMul { .. } if is_short_product(program, node) => inner_extent(program, node),
            _ => 1,
        };
        let kernel = match node.op {
            Op::PairSum(_)
            | Op::MedianSquaredDistance
            | Op::ScatterAdd
            | Op::CumSum(..)
            | Op::PotentialFlow(..) => true,
            Op::MatMul { .. } => !is_short_product(program, node) && !fused.contains(&Some(id)),
            Op::Reduce(..) => length > SHORT,
            _ => fused[id].is_some(),
        };
        let cost = match &node.op {
            Op::Map(expr) => expr.cost(),
            Op::Random(..) => 100,
            _ => 1,
        };
        let operands: usize = node
            .args
            .iter()
            .map(|&a| {
                if own[a] {
                    parts_of(program, a)
                } else {
                    weight[a]
                }
            })
            .sum();
        weight[id] = cost + length * operands;
        let readers = readers(program, id);
        own[id] |= kernel || (readers > 1 && weight[id] > CHEAP && !node.op.is_leaf());
    }
    for assign in &program.assigns {
        let id = assign.node;
        own[id] |= !nodes[id].op.is_leaf() && !commits_in_place(program, &own, id, true);
    }
    own
}

/// How many nodes and assignments read node `id`.
fn readers(program: &Program, id: NodeId) -> usize {
    let assigned = program.assigns.iter().filter(|a| a.node == id).count();
    assigned
        + program
            .nodes
            .iter()
            .filter(|n| n.args.contains(&id))
            .count()
}

/// For each map the long product, if any, that nothing else reads: its kernel applies the map to each sum before it is stored.
pub(super) fn epilogues(program: &Program) -> Vec<Option<NodeId>> {
    let nodes = &program.nodes;
    let of = |map: &ProgramNode| {
        let Op::Map(_) = map.op else { return None };
        let fits = |&a: &NodeId| {
            let product = &nodes[a];
            matches!(product.op, Op::MatMul { .. })
                && product.shape == map.shape
                && !is_short_product(program, product)
                && parts_of(program, a) == 1
                && readers(program, a) == 1
        };
        map.args.iter().copied().find(fits)
    };
    nodes.iter().map(of).collect()
}

/// Whether the last dispatch, which writes the buffers, can compute node `id` itself: each thread may read an assigned
/// buffer only at the index that it alone writes, and no random number, for that dispatch advances the step.
fn commits_in_place(program: &Program, own: &[bool], id: NodeId, aligned: bool) -> bool {
    let node = &program.nodes[id];
    if own[id] {
        return true;
    }
    match &node.op {
        Op::Input(name) => aligned || program.assigns.iter().all(|a| a.buffer != *name),
        Op::Random(..) => false,
        op => node.args.iter().all(|&a| {
            let straight = match op {
                Op::Map(_) => program.nodes[a].shape == node.shape,
                Op::Reshape | Op::StopGradient => true,
                _ => false,
            };
            commits_in_place(program, own, a, aligned && straight)
        }),
    }
}

/// Terms of each entry of a product.
pub(super) fn inner_extent(program: &Program, node: &ProgramNode) -> usize {
    let a = &program.nodes[node.args[0]].shape;
    match node.op {
        Op::MatMul {
            ta: Transposed::Yes,
            ..
        } => a[0],
        _ => a[1],
    }
}

fn is_short_product(program: &Program, node: &ProgramNode) -> bool {
    inner_extent(program, node) <= SHORT
}

/// Distances between the rows and between the columns of an operand, as a product reads it.
pub(super) fn strides(shape: &[usize], transposed: Transposed) -> (usize, usize) {
    match transposed {
        Transposed::No => (shape[1], 1),
        Transposed::Yes => (1, shape[1]),
    }
}

/// How 64 threads share a tile of a product; see `shaders/matmul.wgsl`.
pub(super) struct Tiles {
    /// Threads along the rows.
    pub(super) down: usize,
    /// Threads along the columns.
    pub(super) across: usize,
    /// Rows of a thread.
    pub(super) rows: usize,
    /// Columns of a thread.
    pub(super) columns: usize,
}

impl Tiles {
    /// Tiles of a product `[n, m]`.
    pub(super) fn count(&self, n: usize, m: usize) -> usize {
        n.div_ceil(self.down * self.rows) * m.div_ceil(self.across * self.columns)
    }
}

/// Square tiles, and long ones where the product is thin.
pub(super) fn tiles(n: usize, m: usize) -> Tiles {
    let (down, across, rows, columns) = match (n, m) {
        (_, ..=8) => (64, 1, 1, m),
        (..=8, _) => (1, 64, n, 1),
        _ => (8, 8, 4, 4),
    };
    Tiles {
        down,
        across,
        rows,
        columns,
    }
}

/// In how many ranges a pairwise sum of `n` entries splits its `m` sources.
fn pair_sum_parts(n: usize, m: usize) -> usize {
    (16_384 / n.next_multiple_of(64))
        .clamp(1, 16)
        .min(m.div_ceil(64))
}

/// In how many ranges node `id` splits its sum: a pairwise sum, a long product with few entries, the gradient of a flow by its
/// parameters; 1 for all others.
pub(super) fn parts_of(program: &Program, id: NodeId) -> usize {
    let node = &program.nodes[id];
    match node.op {
        Op::PairSum(_) => pair_sum_parts(node.shape[0], program.nodes[node.args[1]].shape[0]),
        Op::MatMul { .. } if !is_short_product(program, node) => {
            let (n, m) = (node.shape[0], node.shape[1]);
            let tiles = tiles(n, m).count(n, m).max(1);
            let worth = inner_extent(program, node).div_ceil(4 * DEPTH);
            (64 / tiles).clamp(1, 16).min(worth)
        }
        Op::PotentialFlow(_, Wanted::Parameters) => {
            flow::groups(program.nodes[node.args[0]].shape[0])
        }
        _ => 1,
    }
}

/// Floats that node `id` takes in memory: those of its value, for each of its parts, and its scratch.
pub(super) fn entries(program: &Program, id: NodeId) -> usize {
    let node = &program.nodes[id];
    let scratch = match &node.op {
        Op::PotentialFlow(flow, wanted) => {
            flow::scratch(flow, *wanted, program.nodes[node.args[0]].shape[0])
        }
        _ => 0,
    };
    parts_of(program, id) * count(&node.shape) + scratch
}
