//! WGSL as text: a function a node, kernels around the functions. No shader compiler is needed at run time.
//!
//! Nodes that are cheap stay functions of an index and are inlined where they are read; nodes that are summed over, or read
//! often and costly, are *materialised*: one kernel each, one entry of the arena each.

use crate::expr::{Binary, Expr, Node, Unary};
use crate::graph::{Draw, From, NodeId, Op, Program, ProgramNode, Reduction, Transposed, count};
use std::fmt::Write;

/// Operations of an inlined node above which a second reader is not worth computing it twice.
const CHEAP: usize = 24;
/// Longest sum that stays inside a function.
const SHORT: usize = 16;

/// One dispatch.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    pub(super) label: String,
    pub(super) source: String,
    pub(super) groups: [u32; 2],
}

/// Where values live in the arena, in floats.
pub(super) struct Layout {
    /// Offset of each node that lies in memory; see [`entries`].
    pub(super) homes: Vec<Option<usize>>,
    /// Index of each live scalar.
    pub(super) uniforms: Vec<&'static str>,
}

/// Operations of an inlined operand of a pairwise sum, which reads it once a workgroup.
const AFFORDABLE: usize = 100;

/// Whether a node has a kernel and memory of its own.
pub(super) fn materialised(program: &Program) -> Vec<bool> {
    let nodes = &program.nodes;
    let mut own = vec![false; nodes.len()];
    for node in nodes {
        // Kernels that read an operand many times want it in memory.
        let reread: &[NodeId] = match node.op {
            Op::MedianSquaredDistance | Op::ScatterAdd | Op::CumSum(..) => &node.args,
            Op::MatMul { .. } if !is_short_product(program, node) => &node.args,
            _ => &[],
        };
        for &a in reread {
            own[a] = !nodes[a].op.is_leaf();
        }
    }
    let mut weight = vec![0usize; nodes.len()];
    for id in 0..nodes.len() {
        let node = &nodes[id];
        if let Op::PairSum(_) = node.op {
            for &a in &node.args {
                own[a] |= !nodes[a].op.is_leaf() && weight[a] > AFFORDABLE;
            }
        }
        let length = match node.op {
            Op::Reduce(_, axis) => nodes[node.args[0]].shape[axis],
            Op::MatMul { .. } if is_short_product(program, node) => inner_extent(program, node),
            _ => 1,
        };
        let kernel = match node.op {
            Op::PairSum(_) | Op::MedianSquaredDistance | Op::ScatterAdd | Op::CumSum(..) => true,
            Op::MatMul { .. } => !is_short_product(program, node),
            Op::Reduce(..) => length > SHORT,
            _ => false,
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
        let assigned = program.assigns.iter().filter(|a| a.node == id).count();
        let readers = assigned + nodes.iter().filter(|n| n.args.contains(&id)).count();
        own[id] |= kernel || (readers > 1 && weight[id] > CHEAP && !node.op.is_leaf());
    }
    for assign in &program.assigns {
        let id = assign.node;
        own[id] |= !nodes[id].op.is_leaf() && !commits_in_place(program, &own, id, true);
    }
    own
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

fn inner_extent(program: &Program, node: &ProgramNode) -> usize {
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

/// In how many ranges a pairwise sum splits its sources.
pub(super) fn parts(n: usize, m: usize) -> usize {
    (16_384 / n.next_multiple_of(64))
        .clamp(1, 16)
        .min(m.div_ceil(64))
}

/// [`parts`] of node `id`; 1 where it is no pairwise sum.
fn parts_of(program: &Program, id: NodeId) -> usize {
    let node = &program.nodes[id];
    match node.op {
        Op::PairSum(_) => parts(node.shape[0], program.nodes[node.args[1]].shape[0]),
        _ => 1,
    }
}

/// Floats that node `id` takes in memory: those of its value, for each part of a pairwise sum.
pub(super) fn entries(program: &Program, id: NodeId) -> usize {
    parts_of(program, id) * count(&program.nodes[id].shape)
}

/// The functions that `roots` need to be read as `n<id>(i)`, with what they call.
pub(super) fn inlined(program: &Program, layout: &Layout, roots: &[NodeId]) -> String {
    ELEMENTARY.to_owned() + RANDOM + &Composer { program, layout }.functions(roots)
}

/// The kernels of a program, in order, for the nodes that are `own`.
pub(super) fn kernels(program: &Program, own: &[bool], layout: &Layout) -> Vec<Kernel> {
    let composer = Composer { program, layout };
    let mut out = Vec::new();
    for id in (0..program.nodes.len()).filter(|&id| own[id]) {
        composer.kernel(id, &mut out);
    }
    out
}

struct Composer<'a> {
    program: &'a Program,
    layout: &'a Layout,
}

const ELEMENTARY: &str = include_str!("../../../shaders/elementary.wgsl");
const RANDOM: &str = include_str!("../../../shaders/random.wgsl");
const PAIR_SUM: &str = include_str!("../../../shaders/pair_sum.wgsl");
const REDUCE: &str = include_str!("../../../shaders/reduce.wgsl");
const MEDIAN: &str = include_str!("../../../shaders/median.wgsl");

/// Bindings that every kernel has: the arena; the live scalars; seed, step, and how far a run advances the step.
pub(super) fn bindings() -> String {
    let vectors = super::UNIFORMS / 4;
    format!(
        "@group(0) @binding(0) var<storage, read_write> arena: array<f32>;\n\
         @group(0) @binding(1) var<uniform> scalars: array<vec4<f32>, {vectors}>;\n\
         @group(0) @binding(2) var<storage, read_write> clock: array<u32, 4>;\n"
    )
}

impl Composer<'_> {
    fn node(&self, id: NodeId) -> &ProgramNode {
        &self.program.nodes[id]
    }

    fn home(&self, id: NodeId) -> usize {
        self.layout.homes[id].expect("operands of hot ops lie in memory")
    }

    /// Appends the dispatches that compute node `id`.
    fn kernel(&self, id: NodeId, out: &mut Vec<Kernel>) {
        let node = self.node(id);
        let entries = count(&node.shape);
        let offset = self.home(id);
        let shape = |k: usize| &self.node(node.args[k]).shape;
        let label = format!("{}.{id}", self.program.name);
        let mut push = |label: String, body: String, groups: [u32; 2]| {
            let source = bindings() + ELEMENTARY + RANDOM + &body;
            out.push(Kernel {
                label,
                source,
                groups,
            });
        };
        match &node.op {
            Op::PairSum(sum) => {
                let (n, m, d, c) = (shape(0)[0], shape(1)[0], shape(0)[1], node.shape[1]);
                let parts = parts(n, m);
                let tile = (4096 / (d + c)).clamp(1, 64);
                let mut body = constants(&[
                    ("N", n),
                    ("M", m),
                    ("D", d),
                    ("C", c),
                    ("TILE", tile),
                    ("PARTS", parts),
                    ("OUT", offset),
                ]);
                for (name, k) in [("x", 0), ("y", 1), ("v", 2)] {
                    body += &accessor(name, node.args[k]);
                }
                body += PAIR_SUM;
                body += "fn accumulate(r2: f32, dot: f32, j: u32, total: ptr<function, array<f32, C>>) {\n";
                let mut start = 0;
                let mut functions = String::new();
                for (k, (kernel, width)) in sum.kernels.iter().zip(&sum.channels).enumerate() {
                    let params = (3..node.args.len()).map(|p| format!(", n{}(0u)", node.args[p]));
                    let params: String = params.collect();
                    let names: String = (0..kernel.arity().max(node.args.len() - 1))
                        .map(|i| format!("a{i}: f32, "))
                        .collect();
                    functions += &format!("fn kernel{k}({names}) -> f32 {{\n{}}}\n", tape(kernel));
                    let end = start + width;
                    let _ = writeln!(body, "    let k{k} = kernel{k}(r2, dot{params});");
                    let _ = writeln!(
                        body,
                        "    for (var c = {start}u; c < {end}u; c++) {{ (*total)[c] += k{k} * tile_v[j * C + c]; }}"
                    );
                    start = end;
                }
                body += "}\n";
                body += &functions;
                body += &self.functions(&node.args);
                push(label, body, [n.div_ceil(64) as u32, parts as u32]);
            }
            Op::MedianSquaredDistance => {
                let x = shape(0);
                let body = constants(&[("N", x[0]), ("D", x[1]), ("OUT", offset)]);
                let body = body + &accessor("x", node.args[0]) + &self.functions(&node.args);
                push(label, body + MEDIAN, [1, 1]);
            }
            Op::Reduce(reduction, axis) => {
                let from = shape(0);
                let inner = count(&from[axis + 1..]);
                let mut body = constants(&[
                    ("EXTENT", from[*axis]),
                    ("INNER", inner),
                    ("COUNT", entries),
                    ("OUT", offset),
                ]);
                body += match reduction {
                    Reduction::Sum => {
                        "const START: f32 = 0.0;\nfn combine(a: f32, b: f32) -> f32 { return a + b; }\n"
                    }
                    Reduction::Max => {
                        "const START: f32 = -0x1.fffffep+127f;\nfn combine(a: f32, b: f32) -> f32 { return largest_(a, b); }\n"
                    }
                };
                let _ = writeln!(
                    body,
                    "fn element(i: u32) -> f32 {{ return n{}(i); }}",
                    node.args[0]
                );
                body += REDUCE;
                body += &self.functions(&node.args);
                let groups = [entries.min(65_535) as u32, entries.div_ceil(65_535) as u32];
                push(label, body, groups);
            }
            _ => {
                let mut body = self.function(id, "value");
                body += &self.functions(&node.args);
                push(label, body + &each_value(entries, offset), grid(entries));
            }
        }
    }

    /// The functions that `roots` need, each once.
    fn functions(&self, roots: &[NodeId]) -> String {
        let mut needed: Vec<NodeId> = Vec::new();
        let mut open: Vec<NodeId> = roots.to_vec();
        while let Some(id) = open.pop() {
            if !needed.contains(&id) {
                needed.push(id);
                if self.layout.homes[id].is_none() {
                    open.extend(&self.node(id).args);
                }
            }
        }
        needed.sort_unstable();
        needed
            .iter()
            .map(|&id| match (&self.node(id).op, self.layout.homes[id]) {
                (_, Some(home)) => {
                    let stride = count(&self.node(id).shape);
                    let terms = (0..parts_of(self.program, id))
                        .map(|p| format!("arena[{}u + i]", home + p * stride));
                    let sum = terms.collect::<Vec<_>>().join(" + ");
                    format!("fn n{id}(i: u32) -> f32 {{ return {sum}; }}\n")
                }
                (Op::Uniform(name), None) => {
                    let at = self
                        .layout
                        .uniforms
                        .iter()
                        .position(|u| u == name)
                        .unwrap_or(0);
                    format!(
                        "fn n{id}(i: u32) -> f32 {{ return scalars[{}][{}]; }}\n",
                        at / 4,
                        at % 4
                    )
                }
                _ => self.function(id, &format!("n{id}")),
            })
            .collect()
    }

    /// Node `id` as a function of the index of an entry.
    fn function(&self, id: NodeId, name: &str) -> String {
        let node = self.node(id);
        let arg = |k: usize| node.args[k];
        let shape = |k: usize| &self.node(node.args[k]).shape;
        let body = match &node.op {
            Op::Map(expr) => {
                let mut text = String::new();
                for (k, &a) in node.args.iter().enumerate() {
                    let scalar = *shape(k) != node.shape;
                    let index = if scalar { "0u" } else { "i" };
                    let _ = writeln!(text, "    let a{k} = n{a}({index});");
                }
                text + &tape(expr)
            }
            Op::Iota => "    return f32(i);\n".to_owned(),
            Op::Random(draw, stream) => {
                let draw = match draw {
                    Draw::Uniform => "draw_uniform",
                    Draw::Normal => "draw_normal",
                };
                format!("    return {draw}(clock[0], {stream}u, clock[1], i);\n")
            }
            Op::Reshape | Op::StopGradient => format!("    return n{}(i);\n", arg(0)),
            Op::Broadcast => format!(
                "    return n{}({});\n",
                arg(0),
                broadcast_index(shape(0), &node.shape)
            ),
            Op::CumSum(axis, from) => {
                let (extent, inner) = (shape(0)[*axis], count(&shape(0)[axis + 1..]));
                let block = extent * inner;
                let range = match from {
                    From::Start => "var k = 0u; k <= at; k++".to_owned(),
                    From::End => format!("var k = at; k < {extent}u; k++"),
                };
                format!(
                    "    var total = 0.0;\n    let base = (i / {block}u) * {block}u + i % {inner}u;\n    \
                     let at = (i % {block}u) / {inner}u;\n    \
                     for ({range}) {{ total += n{}(base + k * {inner}u); }}\n    return total;\n",
                    arg(0)
                )
            }
            Op::Transpose => {
                let [.., rows, columns] = shape(0)[..] else {
                    unreachable!("two axes")
                };
                let block = rows * columns;
                format!(
                    "    let e = i % {block}u;\n    return n{}(i - e + (e % {rows}u) * {columns}u + e / {rows}u);\n",
                    arg(0)
                )
            }
            Op::Slice { axis, start } => {
                let (wide, narrow) = (count(&shape(0)[*axis..]), count(&node.shape[*axis..]));
                let skip = start * count(&node.shape[axis + 1..]);
                format!(
                    "    return n{}((i / {narrow}u) * {wide}u + {skip}u + i % {narrow}u);\n",
                    arg(0)
                )
            }
            Op::Concat(axis) => {
                let wide = count(&node.shape[*axis..]);
                let mut text = format!("    let o = i / {wide}u;\n    let e = i % {wide}u;\n");
                let mut start = 0;
                for (k, &a) in node.args.iter().enumerate() {
                    let narrow = count(&shape(k)[*axis..]);
                    let end = start + narrow;
                    let call = format!("return n{a}(o * {narrow}u + e - {start}u);");
                    if k + 1 < node.args.len() {
                        let _ = writeln!(text, "    if (e < {end}u) {{ {call} }}");
                    } else {
                        let _ = writeln!(text, "    {call}");
                    }
                    start = end;
                }
                text
            }
            Op::Reduce(reduction, axis) => {
                let (extent, inner) = (shape(0)[*axis], count(&shape(0)[axis + 1..]));
                let (start, combine) = match reduction {
                    Reduction::Sum => ("0.0", "total + x"),
                    Reduction::Max => ("-0x1.fffffep+127f", "largest_(total, x)"),
                };
                let block = extent * inner;
                format!(
                    "    var total = {start};\n    let base = (i / {inner}u) * {block}u + i % {inner}u;\n    \
                     for (var k = 0u; k < {extent}u; k++) {{ let x = n{}(base + k * {inner}u); total = {combine}; }}\n    return total;\n",
                    arg(0)
                )
            }
            Op::MatMul { ta, tb } => {
                let (a, b) = (shape(0), shape(1));
                let stride = |s: &[usize], t| {
                    if t == Transposed::Yes {
                        (1, s[1])
                    } else {
                        (s[1], 1)
                    }
                };
                let ((ar, ac), (br, bc)) = (stride(a, *ta), stride(b, *tb));
                let (k, m) = (inner_extent(self.program, node), node.shape[1]);
                format!(
                    "    var total = 0.0;\n    let r = i / {m}u;\n    let c = i % {m}u;\n    \
                     for (var k = 0u; k < {k}u; k++) {{ total += n{}(r * {ar}u + k * {ac}u) * n{}(k * {br}u + c * {bc}u); }}\n    return total;\n",
                    arg(0),
                    arg(1)
                )
            }
            Op::Gather => {
                let inner = count(&node.shape[1..]);
                let last = shape(0)[0] - 1;
                format!(
                    "    let row = u32(clamp(n{}(i / {inner}u), 0.0, {last}.0));\n    return n{}(row * {inner}u + i % {inner}u);\n",
                    arg(1),
                    arg(0)
                )
            }
            Op::ScatterAdd => {
                let inner = count(&node.shape[1..]);
                let rows = shape(0)[0];
                let last = node.shape[0] - 1;
                format!(
                    "    var total = 0.0;\n    for (var k = 0u; k < {rows}u; k++) {{\n        \
                     if (u32(clamp(n{}(k), 0.0, {last}.0)) == i / {inner}u) {{ total += n{}(k * {inner}u + i % {inner}u); }}\n    }}\n    return total;\n",
                    arg(1),
                    arg(0)
                )
            }
            Op::Input(_)
            | Op::Uniform(_)
            | Op::Const(_)
            | Op::PairSum(_)
            | Op::MedianSquaredDistance => {
                unreachable!("lies in memory")
            }
        };
        format!("fn {name}(i: u32) -> f32 {{\n{body}}}\n")
    }
}

/// An operand of a hand-written kernel as a function of an index.
fn accessor(name: &str, id: NodeId) -> String {
    format!("fn at_{name}(e: u32) -> f32 {{ return n{id}(e); }}\n")
}

fn constants(values: &[(&str, usize)]) -> String {
    values
        .iter()
        .map(|(name, value)| format!("const {name}: u32 = {value}u;\n"))
        .collect()
}

/// Threads in a row of workgroups; a second row starts beyond.
const ROW: usize = 65_535 * 64;

pub(super) fn grid(entries: usize) -> [u32; 2] {
    let groups = entries.div_ceil(64);
    [groups.min(65_535) as u32, groups.div_ceil(65_535) as u32]
}

/// A kernel that does `statement` for every entry i.
pub(super) fn each(entries: usize, statement: &str) -> String {
    format!(
        "@compute @workgroup_size(64)\nfn main(@builtin(global_invocation_id) id: vec3<u32>) {{\n    \
         let i = id.x + id.y * {ROW}u;\n    if (i < {entries}u) {{ {statement}; }}\n}}\n"
    )
}

/// A kernel that stores `value(i)` for every entry.
fn each_value(entries: usize, offset: usize) -> String {
    each(entries, &format!("arena[{offset}u + i] = value(i)"))
}

/// Source index of entry i of a broadcast.
fn broadcast_index(from: &[usize], to: &[usize]) -> String {
    let pad = to.len() - from.len();
    let mut terms = Vec::new();
    for axis in pad..to.len() {
        if from[axis - pad] == 1 {
            continue;
        }
        let (step, stride) = (count(&to[axis + 1..]), count(&from[axis - pad + 1..]));
        terms.push(format!("((i / {step}u) % {}u) * {stride}u", to[axis]));
    }
    if terms.is_empty() {
        "0u".to_owned()
    } else {
        terms.join(" + ")
    }
}

/// An f32 literal that reads back exactly; not-finite values from bits.
fn literal(value: f64) -> String {
    let value = value as f32;
    if value.is_finite() {
        return format!("f32({value:e})");
    }
    format!("bitcast<f32>({}u)", value.to_bits())
}

/// The lines of an expression of a0, a1, …, ending in `return`.
pub(super) fn tape(expr: &Expr) -> String {
    let mut text = String::new();
    for (line, node) in expr.nodes().iter().enumerate() {
        let t = |x: u32| format!("t{x}");
        let value = match *node {
            Node::Arg(i) => format!("a{i}"),
            Node::Const(bits) => literal(f64::from_bits(bits)),
            Node::Unary(op, x) => {
                let x = t(x);
                match op {
                    Unary::Neg => format!("-{x}"),
                    Unary::Abs => format!("abs({x})"),
                    Unary::Sign => format!("sign_({x})"),
                    Unary::Step => format!("select(0.0, 1.0, {x} > 0.0)"),
                    Unary::Exp => format!("exp_({x})"),
                    Unary::Ln => format!("ln_({x})"),
                    Unary::Sqrt => format!("sqrt({x})"),
                    Unary::Recip => format!("1.0 / {x}"),
                    Unary::Sin => format!("sin_({x})"),
                    Unary::Cos => format!("cos_({x})"),
                    Unary::Tanh => format!("tanh_({x})"),
                    Unary::ArcCosine0 => format!("arc_cosine0_({x})"),
                    Unary::ArcCosine1 => format!("arc_cosine1_({x})"),
                }
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (t(a), t(b));
                match op {
                    Binary::Add => format!("{a} + {b}"),
                    Binary::Sub => format!("{a} - {b}"),
                    Binary::Mul => format!("{a} * {b}"),
                    Binary::Div => format!("{a} / {b}"),
                    Binary::Min => format!("least_({a}, {b})"),
                    Binary::Max => format!("largest_({a}, {b})"),
                    Binary::Pow => format!("exp_({b} * ln_({a}))"),
                    Binary::Less => format!("select(0.0, 1.0, {a} < {b})"),
                }
            }
            Node::Choose(c, a, b) => format!("select({}, {}, {} > 0.0)", t(b), t(a), t(c)),
        };
        let _ = writeln!(text, "    let t{line} = {value};");
    }
    let _ = writeln!(text, "    return t{};", expr.nodes().len() - 1);
    text
}
