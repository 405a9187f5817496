//! Reverse mode: a function from graph to graph, so derivatives of derivatives come for free.
//!
//! Each op's adjoint stands in one arm of [`adjoint`]. A map's adjoint is the derivative of its expression. The median of
//! squared distances counts as a constant (the bandwidth rule is not differentiated in any published method).

use super::build::GraphNode;
use super::{From, Graph, NodeId, Op, PairSum, Reduction, Transposed, Var, Wanted};
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
        Op::CumSum(axis, from) => {
            let back = match from {
                From::Start => From::End,
                From::End => From::Start,
            };
            one(g.cumsum_from(*axis, back))
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
        Op::PotentialFlow(flow, Wanted::End) => {
            let slope = graph.scalar(0.0).broadcast(&[flow.d + 3]);
            let operands = [(arg(0), Wanted::Samples), (arg(1), Wanted::Parameters)];
            let needed = operands
                .into_iter()
                .filter(|(operand, _)| needed[operand.id]);
            needed
                .map(|(operand, wanted)| {
                    let at = [arg(0), arg(1)];
                    let own = graph.potential_flow_gradient(*flow, wanted, at, [g, slope]);
                    (operand.id, own)
                })
                .collect()
        }
        Op::PotentialFlow(flow, wanted) => {
            // Second derivatives are those of the plain flow: exact, and as slow as it is.
            let copies = [0, 1, 2, 3].map(|k| arg(k).stop_gradient());
            let [x, theta, offset, slope] = copies;
            let end = flow.expansion(x, theta);
            let cost = ((offset + 0.5 * slope * end) * end).total();
            let operand = if *wanted == Wanted::Samples { x } else { theta };
            let first = (grad(cost, &[operand])[0] * g).total();
            let second = node.args.iter().copied().zip(grad(first, &copies));
            second.filter(|(operand, _)| needed[*operand]).collect()
        }
    }
}

/// The adjoint of a pairwise sum, again by pairwise sums: with G the adjoint,
/// v̄_j = Σ_i k G_i, p̄ = Σ_ij,c ∂_p k G_ic v_jc, and
/// x̄_i = Σ_c G_ic Σ_j v_jc [2 k_r (x_i − y_j) + k_s y_j] with k_r = ∂k/∂r², k_s = ∂k/∂(x·y); likewise ȳ.
///
/// What is summed over the same pairs is one sum of several kernels: for a two-layer network, whose kernel is an activation
/// of x·y, a single pass gives the gradients of both layers.
fn pair_sum<'g>(
    graph: &'g Graph,
    sum: &PairSum,
    node: &GraphNode,
    g: Var<'g>,
    needed: &[bool],
) -> Vec<(NodeId, Var<'g>)> {
    let [x, y, v] = [0, 1, 2].map(|k| graph.var(node.args[k]));
    let params: Vec<Var<'g>> = node.args[3..].iter().map(|&a| graph.var(a)).collect();
    let mut out = Vec::new();
    for (p, param) in params.iter().enumerate().filter(|(_, p)| needed[p.id]) {
        let kernels = sum.kernels.iter().map(|k| k.derivative(2 + p)).collect();
        let slope = PairSum {
            kernels,
            channels: sum.channels.clone(),
        };
        let total = (graph.pair_sum(slope, x, y, v, &params) * g).total();
        out.push((param.id, total));
    }
    if needed[x.id] {
        let mut pass = Pass::new(x, y, &params);
        let pulls = pass.pulls(sum, v);
        out.push((x.id, pass.run().combine(&pulls, g)));
    }
    if needed[v.id] || needed[y.id] {
        let mut pass = Pass::new(y, x, &params);
        let weights = needed[v.id].then(|| pass.plain(sum, g));
        let pulls = needed[y.id].then(|| pass.pulls(sum, g));
        let done = pass.run();
        out.extend(weights.map(|weights| (v.id, done.join(&weights))));
        out.extend(pulls.map(|pulls| (y.id, done.combine(&pulls, v))));
    }
    out
}

/// Sums over the same pairs, gathered: at the points `own`, over the points `other`. Equal kernels are evaluated once: their
/// sources lie side by side, or a third derivative would have hundreds of kernels.
struct Pass<'g> {
    own: Var<'g>,
    other: Var<'g>,
    params: Vec<Var<'g>>,
    kernels: Vec<Expr>,
    /// What each kernel weighs.
    sources: Vec<Vec<Var<'g>>>,
    sums: Option<Var<'g>>,
}

/// Where a source's sums are: kernel, first column among that kernel's, number of columns.
#[derive(Clone, Copy)]
struct Place {
    kernel: usize,
    start: usize,
    width: usize,
}

/// Where the parts of one channel's pull are among the sums.
struct Pull {
    channel: usize,
    by_distance: Option<Place>,
    by_product: Option<Place>,
}

/// Columns of all `sources` together.
fn columns(sources: &[Var<'_>]) -> usize {
    sources.iter().map(|s| s.shape()[1]).sum()
}

impl<'g> Pass<'g> {
    fn new(own: Var<'g>, other: Var<'g>, params: &[Var<'g>]) -> Self {
        Self {
            own,
            other,
            params: params.to_vec(),
            kernels: Vec::new(),
            sources: Vec::new(),
            sums: None,
        }
    }

    /// Adds Σ k source.
    fn add(&mut self, kernel: Expr, source: Var<'g>) -> Place {
        let known = self.kernels.iter().position(|k| *k == kernel);
        let at = known.unwrap_or_else(|| {
            self.kernels.push(kernel);
            self.sources.push(Vec::new());
            self.kernels.len() - 1
        });
        let start = columns(&self.sources[at]);
        self.sources[at].push(source);
        Place {
            kernel: at,
            start,
            width: source.shape()[1],
        }
    }

    /// The kernels of `sum` over `source`.
    fn plain(&mut self, sum: &PairSum, source: Var<'g>) -> Vec<Place> {
        let mut channel = 0;
        let mut places = Vec::new();
        for (kernel, &width) in sum.kernels.iter().zip(&sum.channels) {
            places.push(self.add(kernel.clone(), source.slice(1, channel, width)));
            channel += width;
        }
        places
    }

    /// What moves `own`, a part for each channel; slopes that vanish are left out.
    fn pulls(&mut self, sum: &PairSum, source: Var<'g>) -> Vec<Pull> {
        let mut pulls = Vec::new();
        let mut channel = 0;
        for (kernel, &width) in sum.kernels.iter().zip(&sum.channels) {
            let slopes = kernel.gradient(2 + self.params.len());
            let [by_distance, by_product] = [0, 1].map(|k| &slopes[k]);
            let vanishes = |slope: &Expr| slope.constant() == Some(0.0);
            for c in channel..channel + width {
                let s = source.slice(1, c, 1);
                let moved = s * self.other;
                pulls.push(Pull {
                    channel: c,
                    by_distance: (!vanishes(by_distance)).then(|| {
                        let moments = self.own.graph.concat(&[s, moved], 1);
                        self.add(by_distance.clone() * 2.0, moments)
                    }),
                    by_product: (!vanishes(by_product))
                        .then(|| self.add(by_product.clone(), moved)),
                });
            }
            channel += width;
        }
        pulls
    }

    fn run(mut self) -> Self {
        if !self.kernels.is_empty() {
            let graph = self.own.graph;
            let op = PairSum {
                kernels: self.kernels.clone(),
                channels: self.sources.iter().map(|s| columns(s)).collect(),
            };
            let sources = graph.concat(&self.sources.concat(), 1);
            self.sums = Some(graph.pair_sum(op, self.own, self.other, sources, &self.params));
        }
        self
    }

    /// Columns `start..start + width` of the sums of `place`.
    fn part(&self, place: Place, start: usize, width: usize) -> Var<'g> {
        let sums = self.sums.expect("a pass with columns has run");
        let before: usize = self.sources[..place.kernel]
            .iter()
            .map(|s| columns(s))
            .sum();
        sums.slice(1, before + place.start + start, width)
    }

    /// The sums of `places` side by side.
    fn join(&self, places: &[Place]) -> Var<'g> {
        let part = |p: &Place| self.part(*p, 0, p.width);
        let parts: Vec<Var<'g>> = places.iter().map(part).collect();
        self.own.graph.concat(&parts, 1)
    }

    /// Σ_c weight_c pull_c.
    fn combine(&self, pulls: &[Pull], weight: Var<'g>) -> Var<'g> {
        let d = self.own.shape()[1];
        let zero = self.own.graph.scalar(0.0).broadcast(&self.own.shape());
        pulls.iter().fold(zero, |mut total, pull| {
            let w = weight.slice(1, pull.channel, 1);
            if let Some(at) = pull.by_distance {
                total = total + w * (self.own * self.part(at, 0, 1) - self.part(at, 1, d));
            }
            if let Some(at) = pull.by_product {
                total = total + w * self.part(at, 0, d);
            }
            total
        })
    }
}
