//! A compiled graph: fused, pruned, in execution order, printable one line a step.

use super::{Graph, NodeId, Op, Shape};
use std::fmt;

/// One node of a program; operands are earlier nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramNode {
    /// What is computed.
    pub op: Op,
    /// Operands.
    pub args: Vec<NodeId>,
    /// Extents of the result.
    pub shape: Shape,
}

/// A write to a persistent buffer at the end of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assign {
    /// The buffer.
    pub buffer: String,
    /// The value.
    pub node: NodeId,
}

/// A compiled graph. Executors plan memory and dispatches from it when they load it.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Its name in `describe --program`.
    pub name: &'static str,
    /// Nodes in execution order.
    pub nodes: Vec<ProgramNode>,
    /// Writes at the end, all after every read.
    pub assigns: Vec<Assign>,
}

impl Graph {
    /// Fuses maps, drops what no assignment needs, and orders the rest.
    pub fn compile(&self, name: &'static str) -> Program {
        let _ = name;
        unimplemented!()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}
