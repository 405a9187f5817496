//! WGSL as text: a function a node, kernels around the functions. No shader compiler is needed at run time. `place.rs`
//! decides which nodes are inlined where they are read and which have a kernel.

use super::flow;
use super::place::{DEPTH, epilogues, inner_extent, parts_of, strides, tiles};
use crate::expr::{Binary, Expr, Node, Unary};
use crate::graph::{Draw, From, NodeId, Op, Program, ProgramNode, Reduction, count};
use std::fmt::Write;

/// Floats of workgroup memory that every device has: 16 KiB, less a little that some drivers keep.
const WORKGROUP_FLOATS: usize = 4080;

/// Channels of a pairwise sum that one thread sums in registers.
const MOST_CHANNELS: usize = 32;

/// One dispatch.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    pub(super) label: String,
    pub(super) source: String,
    pub(super) groups: [u32; 2],
}

/// Where values live in the arena, in floats.
pub(super) struct Layout {
    /// Offset of each node that lies in memory; see [`super::place::entries`].
    pub(super) homes: Vec<Option<usize>>,
    /// Index of each live scalar.
    pub(super) uniforms: Vec<&'static str>,
}

/// The functions that `roots` need to be read as `n<id>(i)`, with what they call.
pub(super) fn inlined(program: &Program, layout: &Layout, roots: &[NodeId]) -> String {
    ELEMENTARY.to_owned() + RANDOM + &Composer { program, layout }.functions(roots)
}

/// The kernels of a program, in order, for the nodes that are `own`.
pub(super) fn kernels(program: &Program, own: &[bool], layout: &Layout) -> Vec<Kernel> {
    let composer = Composer { program, layout };
    let fused = epilogues(program);
    let mut out = Vec::new();
    for id in (0..program.nodes.len()).filter(|&id| own[id]) {
        match fused[id] {
            Some(product) => composer.product(product, Some(id), &mut out),
            None => composer.kernel(id, &mut out),
        }
    }
    out
}

struct Composer<'a> {
    program: &'a Program,
    layout: &'a Layout,
}

const ELEMENTARY: &str = include_str!("../../../shaders/elementary.wgsl");
const RANDOM: &str = include_str!("../../../shaders/random.wgsl");
const MATMUL: &str = include_str!("../../../shaders/matmul.wgsl");
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
        let mut push = |body: String, groups: [u32; 2]| out.push(self.dispatch(id, &body, groups));
        match &node.op {
            Op::PairSum(sum) => {
                let (n, m, d, c) = (shape(0)[0], shape(1)[0], shape(0)[1], node.shape[1]);
                let parts = parts_of(self.program, id);
                let blocks = c.div_ceil(MOST_CHANNELS);
                let width = c.div_ceil(blocks);
                let tile = (WORKGROUP_FLOATS / (d + width)).clamp(1, 64);
                let mut body = constants(&[
                    ("N", n),
                    ("M", m),
                    ("D", d),
                    ("C", c),
                    ("WIDTH", width),
                    ("BLOCKS", blocks),
                    ("TILE", tile),
                    ("PARTS", parts),
                    ("OUT", offset),
                ]);
                for (name, k) in [("x", 0), ("y", 1), ("v", 2)] {
                    body += &accessor(name, node.args[k]);
                }
                body += PAIR_SUM;
                let params = (3..node.args.len()).map(|p| format!(", n{}(0u)", node.args[p]));
                let params: String = params.collect();
                let (mut functions, mut values, mut pick) =
                    (String::new(), String::new(), String::new());
                let mut start = 0;
                for (k, (kernel, width)) in sum.kernels.iter().zip(&sum.channels).enumerate() {
                    let names: String = (0..kernel.arity().max(node.args.len() - 1))
                        .map(|i| format!("a{i}: f32, "))
                        .collect();
                    functions += &format!("fn kernel{k}({names}) -> f32 {{\n{}}}\n", tape(kernel));
                    let _ = writeln!(values, "    let k{k} = kernel{k}(r2, dot{params});");
                    pick = if k == 0 {
                        "k0".to_owned()
                    } else {
                        format!("select({pick}, k{k}, skip + c >= {start}u)")
                    };
                    start += width;
                }
                body += "fn accumulate(r2: f32, dot: f32, j: u32, skip: u32, total: ptr<function, array<f32, WIDTH>>) {\n";
                body += &values;
                let _ = writeln!(
                    body,
                    "    for (var c = 0u; c < WIDTH; c++) {{ (*total)[c] += {pick} * tile_v[j * WIDTH + c]; }}\n}}"
                );
                body += &functions;
                body += &self.functions(&node.args);
                push(body, [n.div_ceil(64) as u32, (parts * blocks) as u32]);
            }
            Op::PotentialFlow(flow, wanted) => {
                let n = shape(0)[0];
                let mut body = flow::body(flow, *wanted, n, offset);
                for (name, &operand) in ["x", "theta", "offset", "slope"].iter().zip(&node.args) {
                    body += &accessor(name, operand);
                }
                body += &self.functions(&node.args);
                push(body, [flow::groups(n) as u32, 1]);
            }
            Op::MatMul { .. } => self.product(id, None, out),
            Op::MedianSquaredDistance => {
                let x = shape(0);
                let body = constants(&[("N", x[0]), ("D", x[1]), ("OUT", offset)]);
                let body = body + &accessor("x", node.args[0]) + &self.functions(&node.args);
                push(body + MEDIAN, [1, 1]);
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
                push(body, groups);
            }
            _ => {
                let mut body = self.function(id, "value");
                body += &self.functions(&node.args);
                push(body + &each_value(entries, offset), grid(entries));
            }
        }
    }

    /// The dispatch of node `id`, `body` with what all kernels have before it.
    fn dispatch(&self, id: NodeId, body: &str, groups: [u32; 2]) -> Kernel {
        Kernel {
            label: format!("{}.{id}", self.program.name),
            source: bindings() + ELEMENTARY + RANDOM + body,
            groups,
        }
    }

    /// Appends the dispatch that computes the matrix product `id`, or the map `epilogue` that alone reads it.
    fn product(&self, id: NodeId, epilogue: Option<NodeId>, out: &mut Vec<Kernel>) {
        let node = self.node(id);
        let Op::MatMul { ta, tb } = node.op else {
            unreachable!("a product")
        };
        let (n, m) = (node.shape[0], node.shape[1]);
        let shape = |k: usize| &self.node(node.args[k]).shape;
        let [(a_row, a_column), (b_row, b_column)] = [strides(shape(0), ta), strides(shape(1), tb)];
        let tiles = tiles(n, m);
        let parts = parts_of(self.program, id);
        let mut body = constants(&[
            ("N", n),
            ("K", inner_extent(self.program, node)),
            ("M", m),
            ("A_ROW", a_row),
            ("A_COLUMN", a_column),
            ("B_ROW", b_row),
            ("B_COLUMN", b_column),
            ("DOWN", tiles.down),
            ("ACROSS", tiles.across),
            ("ROWS", tiles.rows),
            ("COLUMNS", tiles.columns),
            ("DEPTH", DEPTH),
            ("PARTS", parts),
            ("OUT", self.home(epilogue.unwrap_or(id))),
        ]);
        body += &accessor("a", node.args[0]);
        body += &accessor("b", node.args[1]);
        let mut read = node.args.clone();
        body += "fn finish(total: f32, i: u32) -> f32 {\n";
        match epilogue.map(|map| self.node(map)) {
            Some(ProgramNode {
                op: Op::Map(expr),
                args,
                shape,
            }) => {
                read.extend(args.iter().filter(|&&a| a != id));
                body += &self.operands(args, shape, Some(id));
                body += &tape(expr);
            }
            _ => body += "    return total;\n",
        }
        body += "}\n";
        body += MATMUL;
        body += &self.functions(&read);
        let groups = [tiles.count(n, m) as u32, parts as u32];
        out.push(self.dispatch(epilogue.unwrap_or(id), &body, groups));
    }

    /// The lines that read the operands a0, a1, … of a map of `shape` at `i`; the operand `product` is at hand as `total`.
    fn operands(&self, args: &[NodeId], shape: &[usize], product: Option<NodeId>) -> String {
        let mut text = String::new();
        for (k, &a) in args.iter().enumerate() {
            let value = match self.node(a).shape == shape {
                _ if product == Some(a) => "total".to_owned(),
                true => format!("n{a}(i)"),
                false => format!("n{a}(0u)"),
            };
            let _ = writeln!(text, "    let a{k} = {value};");
        }
        text
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
            Op::Map(expr) => self.operands(&node.args, &node.shape, None) + &tape(expr),
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
                let [(ar, ac), (br, bc)] = [strides(shape(0), *ta), strides(shape(1), *tb)];
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
            | Op::MedianSquaredDistance
            | Op::PotentialFlow(..) => {
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

pub(super) fn constants(values: &[(&str, usize)]) -> String {
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
pub(super) fn literal(value: f64) -> String {
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
                    Unary::Sigmoid => format!("sigmoid_({x})"),
                    Unary::Softplus => format!("softplus_({x})"),
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
