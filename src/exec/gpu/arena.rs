//! Where the values of a run's programs lie on a device, the kernels that compute them, and what these cost.

use super::place::{entries, materialised};
use super::wgsl::{self, Kernel, Layout, bindings, each, inlined, kernels};
use crate::graph::{Op, Program, ProgramNode, count};

/// What a program is to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is the step, and advances the counter that random numbers are keyed with.
    Step,
    /// It prepares a step.
    Support,
    /// It only looks: its values may be bad without harm.
    Aside,
}

/// Where everything lies, in floats.
#[derive(Default)]
pub(super) struct Arena {
    pub(super) buffers: Vec<Buffer>,
    pub(super) constants: Vec<(usize, Vec<f32>)>,
    pub(super) uniforms: Vec<(&'static str, f32)>,
    /// Floats of the persistent buffers, which come first.
    pub(super) state: usize,
    pub(super) extent: usize,
}

pub(super) struct Buffer {
    pub(super) name: String,
    pub(super) offset: usize,
    pub(super) entries: usize,
}

impl Arena {
    pub(super) fn bytes(&self) -> u64 {
        4 * self.extent.max(4) as u64
    }

    fn allocate(&mut self, entries: usize) -> usize {
        let offset = self.extent;
        self.extent += entries.next_multiple_of(4);
        offset
    }

    pub(super) fn find(&self, name: &str) -> Option<&Buffer> {
        self.buffers.iter().find(|b| b.name == name)
    }

    /// Lays out what outlives a program: its buffers, then constants.
    fn persistent(programs: &[(&Program, Part)]) -> Self {
        let mut arena = Self::default();
        for (program, _) in programs {
            for (name, shape) in program.buffers() {
                let entries = count(shape);
                match arena.find(name) {
                    Some(known) => {
                        assert_eq!(known.entries, entries, "buffer {name} has two sizes");
                    }
                    None => {
                        let (name, offset) = (name.to_owned(), arena.allocate(entries));
                        arena.buffers.push(Buffer {
                            name,
                            offset,
                            entries,
                        });
                    }
                }
            }
        }
        arena.state = arena.extent;
        arena
    }

    /// Places the leaves of `program`: buffers are known, constants get room that they keep.
    fn place_leaves(&mut self, program: &Program) -> Vec<Option<usize>> {
        let place = |node: &ProgramNode| match &node.op {
            Op::Input(name) => self.find(name).map(|b| b.offset),
            Op::Const(data) => {
                let offset = self.allocate(count(&node.shape));
                let data = data.iter().map(|&v| v as f32).collect();
                self.constants.push((offset, data));
                Some(offset)
            }
            Op::Uniform(name) => {
                if !self.uniforms.iter().any(|(n, _)| n == name) {
                    self.uniforms.push((name, 0.0));
                }
                None
            }
            _ => None,
        };
        program.nodes.iter().map(place).collect()
    }

    /// Places what the nodes that are `own` compute, beside the leaves.
    fn place(&mut self, program: &Program, own: &[bool], leaves: Vec<Option<usize>>) -> Layout {
        let mut homes = leaves;
        for (id, node) in program.nodes.iter().enumerate() {
            if own[id] && !node.op.is_leaf() {
                homes[id] = Some(self.allocate(entries(program, id)));
            }
        }
        Layout {
            homes,
            uniforms: self.uniforms.iter().map(|(n, _)| *n).collect(),
        }
    }

    /// The last dispatch: assigned values move to their buffers together, and the step counter advances if asked.
    fn commit(&self, program: &Program, layout: &Layout, part: Part) -> Kernel {
        let mut body = String::from(
            "@group(0) @binding(3) var<storage, read_write> not_finite: atomic<u32>;\n\
             fn store(at: u32, x: f32) {\n    arena[at] = x;\n",
        );
        if part != Part::Aside {
            body += "    if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { atomicStore(&not_finite, 1u); }\n";
        }
        body += "}\nfn commit(i: u32) {\n";
        let (mut reads, mut writes) = (String::new(), String::new());
        let mut widest = 1;
        for (k, assign) in program.assigns.iter().enumerate() {
            let node = &program.nodes[assign.node];
            let entries = count(&node.shape);
            widest = widest.max(entries);
            let target = self.find(&assign.buffer).map_or(0, |b| b.offset);
            // A buffer that is read here may be written here too, by this very thread.
            reads += &format!(
                "    var v{k} = 0.0;\n    if (i < {entries}u) {{ v{k} = n{}(i); }}\n",
                assign.node
            );
            writes += &format!("    if (i < {entries}u) {{ store({target}u + i, v{k}); }}\n");
        }
        body += &reads;
        body += &writes;
        if part == Part::Step {
            body += "    if (i == 0u) { clock[1] += 1u; }\n";
        }
        body += "}\n";
        let roots: Vec<usize> = program.assigns.iter().map(|a| a.node).collect();
        let main = each(widest, "commit(i)");
        Kernel {
            label: format!("{}.commit", program.name),
            source: bindings() + &inlined(program, layout, &roots) + &body + &main,
            groups: wgsl::grid(widest),
        }
    }
}

/// Memory layout and shader texts of programs that share their buffers.
pub(super) fn compose(programs: &[(&Program, Part)]) -> (Arena, Vec<Vec<Kernel>>) {
    let mut arena = Arena::persistent(programs);
    let place = |(program, _): &(&Program, Part)| arena.place_leaves(program);
    let leaves: Vec<_> = programs.iter().map(place).collect();
    // Only one program runs at a time: the temporaries of all share their place.
    let (base, mut extent) = (arena.extent, arena.extent);
    let mut composed = Vec::new();
    for ((program, part), leaves) in programs.iter().zip(leaves) {
        arena.extent = base;
        let own = materialised(program);
        let layout = arena.place(program, &own, leaves);
        let mut kernels = kernels(program, &own, &layout);
        kernels.push(arena.commit(program, &layout, *part));
        composed.push(kernels);
        extent = extent.max(arena.extent);
    }
    arena.extent = extent;
    (arena, composed)
}

/// What one run of a program costs a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Dispatches.
    pub dispatches: usize,
    /// Bytes that the dispatches read, each operand counted once a dispatch.
    pub read: usize,
    /// Bytes that they write.
    pub written: usize,
}

/// What one run of each program costs.
pub fn costs(programs: &[(&Program, Part)]) -> Vec<Cost> {
    let composed = compose(programs).1;
    let both = programs.iter().zip(composed);
    both.map(|((program, _), kernels)| {
        let own = materialised(program);
        let bytes = |id: usize| 4 * count(&program.nodes[id].shape);
        let moved: usize = program.assigns.iter().map(|a| bytes(a.node)).sum();
        let (mut read, mut written) = (moved, moved);
        for id in (0..own.len()).filter(|&id| own[id]) {
            written += bytes(id);
            // Operands that lie in memory, through those that are inlined.
            let mut open = program.nodes[id].args.clone();
            let mut seen = Vec::new();
            while let Some(arg) = open.pop() {
                if seen.contains(&arg) {
                    continue;
                }
                seen.push(arg);
                if own[arg] || program.nodes[arg].op.is_leaf() {
                    read += bytes(arg);
                } else {
                    open.extend(&program.nodes[arg].args);
                }
            }
        }
        Cost {
            dispatches: kernels.len(),
            read,
            written,
        }
    })
    .collect()
}

/// Bytes of device memory that programs need.
pub fn bytes_needed(programs: &[(&Program, Part)]) -> u64 {
    compose(programs).0.bytes()
}
