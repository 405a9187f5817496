//! Plans a program for the CPU: which nodes run together over tiles of rows, which run whole, and where values live.
//!
//! A node is *row-local* if row r of its result needs only row r of those operands that have the same leading extent, and
//! other operands whole. Runs of row-local nodes execute tile by tile, so that their intermediates stay in cache.

use crate::graph::{NodeId, Op, Program, ProgramNode, Transposed, count};

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Row-local nodes over `rows` rows, `tile` rows at a time.
    Tiled {
        rows: usize,
        tile: usize,
        nodes: Vec<NodeId>,
    },
    /// One node at once.
    Whole(NodeId),
}

/// Where a node's value is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// A persistent buffer.
    Buffer(usize),
    /// Constant data, converted at load.
    Constant(usize),
    /// A live scalar.
    Uniform(usize),
    /// A slot of memory that outlives its stage.
    Slot(usize),
    /// A register of its tiled stage.
    Register(usize),
}

/// A program planned for the CPU.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) stages: Vec<Stage>,
    pub(super) homes: Vec<Home>,
    /// Which operands of each node are read row by row; none for nodes that run whole.
    pub(super) by_row: Vec<Vec<bool>>,
    /// Entries of each slot.
    pub(super) slots: Vec<usize>,
    /// Entries of each register.
    pub(super) registers: Vec<usize>,
}

/// Entries that a tile's widest value may have: half of a first-level cache in f32.
const TILE_ENTRIES: usize = 8192;

/// Which operands of `node` are read row by row; `None` if the node is not row-local.
fn row_operands(program: &Program, node: &ProgramNode) -> Option<Vec<bool>> {
    let n = *node.shape.first()?;
    let shape = |k: usize| &program.nodes[node.args[k]].shape;
    let by_row = |k: usize| shape(k).first() == Some(&n) && shape(k).len() == node.shape.len();
    match &node.op {
        Op::Map(_) => Some(
            (0..node.args.len())
                .map(|k| *shape(k) == node.shape)
                .collect(),
        ),
        Op::StopGradient => Some(vec![true]),
        Op::Broadcast => Some(vec![by_row(0)]),
        Op::MatMul {
            ta: Transposed::No, ..
        } => Some(vec![true, false]),
        Op::Reduce(_, axis) if *axis > 0 => Some(vec![true]),
        Op::CumSum(axis, _) if *axis > 0 => Some(vec![true]),
        Op::Reshape if shape(0).first() == Some(&n) => Some(vec![true]),
        Op::Slice { axis, .. } if *axis > 0 => Some(vec![true]),
        Op::Concat(axis) if *axis > 0 => Some(vec![true; node.args.len()]),
        Op::Gather => Some(vec![false, true]),
        Op::Random(..) | Op::Iota => Some(vec![]),
        _ => None,
    }
}

pub(super) fn plan(program: &Program, leaf: impl Fn(NodeId) -> Home) -> Plan {
    let nodes = &program.nodes;
    let stages = stages(program);
    let mut homes = vec![Home::Slot(usize::MAX); nodes.len()];
    for (id, _) in nodes.iter().enumerate().filter(|(_, n)| n.op.is_leaf()) {
        homes[id] = leaf(id);
    }
    let mut last_stage = vec![0usize; nodes.len()];
    let mut escapes = vec![false; nodes.len()];
    let mut stage_of = vec![usize::MAX; nodes.len()];
    let mut by_row = vec![Vec::new(); nodes.len()];
    for (s, stage) in stages.iter().enumerate() {
        for &id in members(stage) {
            stage_of[id] = s;
            if let Stage::Tiled { .. } = stage {
                by_row[id] = row_operands(program, &nodes[id]).unwrap_or_default();
            }
            for (k, &a) in nodes[id].args.iter().enumerate() {
                last_stage[a] = s;
                escapes[a] |= stage_of[a] != s || by_row[id].get(k) != Some(&true);
            }
        }
    }
    for assign in &program.assigns {
        escapes[assign.node] = true;
        last_stage[assign.node] = stages.len();
    }
    let (mut slots, mut registers) = (Vec::new(), Vec::new());
    let mut free: Vec<usize> = Vec::new();
    for (s, stage) in stages.iter().enumerate() {
        let mut taken = vec![];
        for &id in members(stage) {
            let entries = count(&nodes[id].shape);
            match stage {
                Stage::Tiled { rows, tile, .. } if !escapes[id] => {
                    let size = entries / rows * tile;
                    // Registers are few and small: each value has its own, shared between stages by position.
                    let index = taken.len();
                    taken.push(id);
                    match registers.get_mut(index) {
                        Some(r) => *r = size.max(*r),
                        None => registers.push(size),
                    }
                    homes[id] = Home::Register(index);
                }
                _ => {
                    let fitting = free.iter().position(|&f| slots[f] == entries);
                    let slot = fitting.map_or_else(
                        || {
                            slots.push(entries);
                            slots.len() - 1
                        },
                        |f| free.swap_remove(f),
                    );
                    homes[id] = Home::Slot(slot);
                }
            }
        }
        for id in 0..nodes.len() {
            if let Home::Slot(slot) = homes[id]
                && stage_of[id] <= s
                && last_stage[id] == s
                && !free.contains(&slot)
                && !in_use(slot, s, &homes, &stage_of, &last_stage)
            {
                free.push(slot);
            }
        }
    }
    Plan {
        stages,
        homes,
        by_row,
        slots,
        registers,
    }
}

/// Whether a value still needed after stage `s` lives in `slot`.
fn in_use(slot: usize, s: usize, homes: &[Home], stage_of: &[usize], last: &[usize]) -> bool {
    (0..homes.len()).any(|id| homes[id] == Home::Slot(slot) && stage_of[id] <= s && last[id] > s)
}

pub(super) fn members(stage: &Stage) -> &[NodeId] {
    match stage {
        Stage::Tiled { nodes, .. } => nodes,
        Stage::Whole(id) => std::slice::from_ref(id),
    }
}

/// Orders nodes into stages: as many row-local nodes together as their operands allow.
fn stages(program: &Program) -> Vec<Stage> {
    let nodes = &program.nodes;
    let mut done: Vec<bool> = nodes.iter().map(|n| n.op.is_leaf()).collect();
    let mut stages = Vec::new();
    while let Some(first) = done.iter().position(|d| !d) {
        let Some(_) = row_operands(program, &nodes[first]) else {
            done[first] = true;
            stages.push(Stage::Whole(first));
            continue;
        };
        let rows = nodes[first].shape[0];
        let mut group: Vec<NodeId> = Vec::new();
        for id in first..nodes.len() {
            if done[id] || nodes[id].shape.first() != Some(&rows) {
                continue;
            }
            let Some(by_row) = row_operands(program, &nodes[id]) else {
                continue;
            };
            let ready = nodes[id]
                .args
                .iter()
                .zip(&by_row)
                .all(|(a, &by_row)| done[*a] || (by_row && group.contains(a)));
            if ready {
                group.push(id);
            }
        }
        for &id in &group {
            done[id] = true;
        }
        let widest = group
            .iter()
            .map(|&id| count(&nodes[id].shape) / rows.max(1))
            .max();
        let tile = (TILE_ENTRIES / widest.unwrap_or(1).max(1)).clamp(8, 512);
        stages.push(Stage::Tiled {
            rows,
            tile: tile.min(rows.max(1)),
            nodes: group,
        });
    }
    stages
}
