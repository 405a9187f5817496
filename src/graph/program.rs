//! A compiled graph: fused, pruned, in execution order, printable one line a step.

use super::fuse::fuse;
use super::{Graph, NodeId, Op, PotentialFlow, Shape, Transposed, count};
use crate::expr::Expr;
use crate::order::sort_few;
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
    ///
    /// # Panics
    /// A buffer is declared with two shapes, or assigned a value of another shape than it is read with.
    pub fn compile(&self, name: &'static str) -> Program {
        let assigns = self.assigns.borrow();
        let roots: Vec<NodeId> = assigns.iter().map(|(_, id)| *id).collect();
        let (nodes, roots) = fuse(self, &roots);
        let assigns = assigns.iter().zip(roots);
        let program = Program {
            name,
            nodes,
            assigns: assigns
                .map(|((buffer, _), node)| Assign {
                    buffer: buffer.clone(),
                    node,
                })
                .collect(),
        };
        program.check_buffers();
        program
    }
}

impl Program {
    /// Every persistent buffer it reads or writes, with its shape; each name once.
    pub fn buffers(&self) -> Vec<(&str, &[usize])> {
        let mut all: Vec<(&str, &[usize])> = Vec::new();
        for node in &self.nodes {
            if let Op::Input(name) = &node.op {
                all.push((name, &node.shape));
            }
        }
        for assign in &self.assigns {
            all.push((&assign.buffer, &self.nodes[assign.node].shape));
        }
        sort_few(&mut all, |a, b| a < b);
        all.dedup();
        all
    }

    fn check_buffers(&self) {
        for pair in self.buffers().windows(2) {
            let once = pair[0].0 != pair[1].0;
            assert!(once, "buffer {} with two shapes", pair[0].0);
        }
    }

    /// Floating point operations of one run, roughly; transcendental functions count as ten.
    pub fn flops(&self) -> u64 {
        self.nodes.iter().map(|n| self.node_flops(n)).sum()
    }

    /// Floating point operations of one node, roughly.
    pub fn node_flops(&self, node: &ProgramNode) -> u64 {
        let shape = |k: usize| &self.nodes[node.args[k]].shape;
        let work = match &node.op {
            Op::Map(expr) => count(&node.shape) * expr.cost(),
            Op::MatMul { .. } => 2 * count(&node.shape) * count(shape(0)) / node.shape[0].max(1),
            Op::Reduce(..) => count(shape(0)),
            Op::Random(..) => 40 * count(&node.shape),
            Op::PairSum(sum) => {
                let (n, m, d) = (shape(0)[0], shape(1)[0], shape(0)[1]);
                let kernels: usize = sum.kernels.iter().map(Expr::cost).sum();
                n * m * (3 * d + kernels + 2 * sum.channels.iter().sum::<usize>())
            }
            Op::MedianSquaredDistance => 4 * shape(0)[0] * shape(0)[0],
            Op::PotentialFlow(flow, wanted) => shape(0)[0] * flow.flops_per_sample(*wanted),
            _ => count(&node.shape),
        };
        work as u64
    }
}

impl fmt::Display for Program {
    /// One line a node: `%3 [512, 2] = map a0*a1 (%0, %2)`, then one line an assignment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program {}", self.name)?;
        for (id, node) in self.nodes.iter().enumerate() {
            let args: Vec<String> = node.args.iter().map(|a| format!("%{a}")).collect();
            let flops = self.node_flops(node);
            let (shape, args) = (&node.shape, args.join(", "));
            writeln!(f, "  %{id} {shape:?} = {} ({args})  ~{flops} flop", node.op)?;
        }
        for assign in &self.assigns {
            writeln!(f, "  {} <- %{}", assign.buffer, assign.node)?;
        }
        Ok(())
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(name) => write!(f, "input {name}"),
            Self::Uniform(name) => write!(f, "uniform {name}"),
            Self::Const(data) => match **data {
                [value] => write!(f, "const {value}"),
                _ => write!(f, "const of {} numbers", data.len()),
            },
            Self::Map(expr) => write!(f, "map {expr}"),
            Self::MatMul { ta, tb } => {
                let t = |x| if x == Transposed::Yes { "ᵀ" } else { "" };
                write!(f, "matmul a{} b{}", t(*ta), t(*tb))
            }
            Self::Reduce(r, axis) => write!(f, "{} axis {axis}", format!("{r:?}").to_lowercase()),
            Self::CumSum(axis, from) => {
                let from = format!("{from:?}").to_lowercase();
                write!(f, "cumsum axis {axis} from the {from}")
            }
            Self::Slice { axis, start } => write!(f, "slice axis {axis} from {start}"),
            Self::Concat(axis) => write!(f, "concat axis {axis}"),
            Self::Random(draw, stream) => {
                write!(
                    f,
                    "random {} stream {stream}",
                    format!("{draw:?}").to_lowercase()
                )
            }
            Self::PairSum(sum) => {
                write!(f, "pair-sum")?;
                for (kernel, channels) in sum.kernels.iter().zip(&sum.channels) {
                    write!(f, " {kernel} on {channels} channels;")?;
                }
                Ok(())
            }
            Self::PotentialFlow(flow, wanted) => {
                let PotentialFlow {
                    hidden,
                    layers,
                    steps,
                    span: [from, to],
                    ..
                } = flow;
                let wanted = format!("{wanted:?}").to_lowercase();
                write!(
                    f,
                    "potential-flow {wanted}, {layers} layers of {hidden}, {steps} steps from t = {from} to {to}"
                )
            }
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}
