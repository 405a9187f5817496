//! The constants that `shaders/potential_flow.wgsl` is composed with, and the memory that it takes.

use super::Part;
use super::wgsl::{constants, literal};
use crate::graph::{Op, PotentialFlow, Program, Wanted};
use std::fmt::Write;

const POTENTIAL_FLOW: &str = include_str!("../../../shaders/potential_flow.wgsl");

/// Samples of a workgroup.
const LANES: usize = 64;
/// Most workgroups, whatever the number of samples.
const MOST_GROUPS: usize = 64;

/// Workgroups for `n` samples; each of them sums a gradient of its own.
pub(super) fn groups(n: usize) -> usize {
    n.div_ceil(LANES).min(MOST_GROUPS)
}

/// Floats of scratch memory for `n` samples.
pub(super) fn scratch(flow: &PotentialFlow, wanted: Wanted, n: usize) -> usize {
    let slots: usize = slots(flow, wanted).iter().map(|(_, count)| count).sum();
    groups(n) * LANES * slots
}

/// Rounds of loops that a thread makes, nearly: what compilers write out, eight rows of a product and loops over d, does not count.
fn rounds(flow: &PotentialFlow, wanted: Wanted, n: usize) -> usize {
    let PotentialFlow {
        d,
        hidden: m,
        layers,
        rank,
        steps,
        ..
    } = *flow;
    let product = |rows: usize, columns: usize| rows.div_ceil(8) * (columns + 1);
    let outer = |rows: usize, columns: usize, pairs: usize| {
        (rows * columns).div_ceil(LANES) * (pairs * (LANES + 1) + 1)
    };
    let quadratic = product(rank, d + 1) + product(d + 1, rank);
    let layer = (d + 2) * product(m, m) + 2 * m;
    let evaluate =
        product(m, d + 1) + 2 * m + layers * layer + rank * d + product(d + 1, m) + quadratic;
    let sums = layers * (outer(m, m, d + 1) + outer(m, m, 1) + outer(m, 1, 1))
        + 3 * outer(m, d + 1, 1)
        + 2 * outer(m, 1, 1)
        + 3 * outer(rank, d + 1, 1)
        + outer(d + 1, 1, 1);
    let pull = product(m, d + 1) + (d + 3) * m + layers * layer + product(d + 1, m) + quadratic;
    let blocks = n.div_ceil(LANES).div_ceil(groups(n));
    let stage = match wanted {
        Wanted::End => evaluate,
        Wanted::Samples => 2 * evaluate + pull,
        Wanted::Parameters => 2 * evaluate + pull + sums,
    };
    blocks * 4 * steps * stage
}

/// The most rounds that a potential flow of the programs takes.
pub(super) fn most_rounds(programs: &[(&Program, Part)]) -> usize {
    let nodes = programs.iter().flat_map(|(program, _)| {
        program.nodes.iter().filter_map(|node| match &node.op {
            Op::PotentialFlow(flow, wanted) => {
                Some(rounds(flow, *wanted, program.nodes[node.args[0]].shape[0]))
            }
            _ => None,
        })
    });
    nodes.max().unwrap_or(0)
}

/// What a thread remembers, in floats.
fn slots(flow: &PotentialFlow, wanted: Wanted) -> Vec<(&'static str, usize)> {
    let PotentialFlow {
        d,
        hidden: m,
        layers,
        rank,
        steps,
        ..
    } = *flow;
    let mut slots = vec![
        ("STATE", d + 3),
        ("SLOPE", d + 3),
        ("BEGUN", d),
        ("S", d + 1),
        ("OPEN", m),
        ("INPUTS", layers * (d + 1) * m),
        ("OUTPUTS", layers * (d + 1) * m),
        ("Z", layers * m),
        ("Y", m),
        ("GRADIENT", d + 1),
        ("STRETCHED", rank),
        ("POINTS", 4 * steps * d),
    ];
    let back = [
        ("GAMMA", d + 1),
        ("MU", 1),
        ("INPUT", d + 1),
        ("ALONG", m),
        ("ZETA", (layers + 1) * m),
        ("CARRIED", layers * m),
        ("BELOW", (d + 1) * m),
        ("LAYER", (d + 1) * m),
        ("TURNED", rank),
        ("ONE", 1),
    ];
    // A flow without a way back names these slots, but never touches them.
    let used = usize::from(wanted != Wanted::End);
    slots.extend(back.map(|(name, count)| (name, used * count)));
    slots
}

/// The kernel's text, but for how it reads its operands; `out` is where its value lies, and its scratch behind.
pub(super) fn body(flow: &PotentialFlow, wanted: Wanted, n: usize, out: usize) -> String {
    let at = flow.offsets();
    let value = match wanted {
        Wanted::End => n * (flow.d + 3),
        Wanted::Parameters => groups(n) * flow.parameters(),
        Wanted::Samples => n * flow.d,
    };
    let passes = if wanted == Wanted::End { 1 } else { 2 };
    let mut body = constants(&[
        ("N", n),
        ("D", flow.d),
        ("M", flow.hidden),
        ("LAYERS", flow.layers),
        ("RANK", flow.rank),
        ("STAGES", 4 * flow.steps),
        ("PASSES", passes * 4 * flow.steps),
        ("GROUPS", groups(n)),
        ("PARAMETERS", flow.parameters()),
        ("OPENING_BIAS", at.opening_bias),
        ("RESIDUAL", at.residual),
        ("WEIGHTS", at.weights),
        ("QUADRATIC", at.quadratic),
        ("LINEAR", at.linear),
        ("OUT", out),
        ("SCRATCH", out + value),
        ("WANTED", wanted as usize),
    ]);
    let mut next = 0;
    for (name, count) in slots(flow, wanted) {
        body += &constants(&[(name, next)]);
        next += count;
    }
    body += &constants(&[("SLOTS", next)]);
    let [from, to] = flow.span;
    let h = (to - from) / flow.steps as f64;
    let number = |name: &str, value: f64| format!("const {name}: f32 = {};\n", literal(value));
    body += &number("ALPHA", flow.alpha);
    body += &number("H", 1.0 / flow.layers as f64);
    let _ = write!(
        body,
        "fn lead(k: u32) -> f32 {{ return {h} * array(0.0, 0.5, 0.5, 1.0)[k % 4u]; }}\n\
         fn weight(k: u32) -> f32 {{ return {sixth} * array(1.0, 2.0, 2.0, 1.0)[k % 4u]; }}\n\
         fn time(k: u32) -> f32 {{ return {from} + {h} * f32(k / 4u) + lead(k); }}\n",
        h = literal(h),
        sixth = literal(h / 6.0),
        from = literal(from),
    );
    if wanted == Wanted::End {
        body += "fn at_offset(e: u32) -> f32 { return 0.0; }\nfn at_slope(e: u32) -> f32 { return 0.0; }\n";
    }
    body + POTENTIAL_FLOW
}
