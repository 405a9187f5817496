//! The CPU executor: replays planned programs over named persistent buffers, in f32 or f64.
//!
//! Work can be cut anywhere between two tiles of rows ([`Cpu::advance`]), so that a page without workers stays responsive;
//! the cut never changes a result. Persistent buffers change only when a program ends.

use super::eval::{Context, Rows, whole_rows};
use super::plan::{Home, Plan, Stage, members, plan};
use crate::graph::{NodeId, Op, Program, count};
use crate::kernels::Number;
use crate::kernels::block::Block;
use crate::kernels::map::MapCode;
use fearless_simd::Level;

/// Whether a program that was advanced has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its assignments are done.
    Finished,
    /// The budget ran out first; call again.
    Working,
}

/// Programs, persistent buffers and live scalars on the CPU.
pub struct Cpu<R> {
    level: Level,
    buffers: Vec<Buffer<R>>,
    uniforms: Vec<(&'static str, R)>,
    programs: Vec<Loaded<R>>,
    /// Seed of the run's random numbers.
    pub seed: u32,
    /// Step that random numbers are keyed with.
    pub step: u32,
    cursor: Cursor,
}

pub(super) struct Buffer<R> {
    name: String,
    pub(super) data: Block<R>,
}

/// Where an unfinished program stands.
#[derive(Default, Clone, Copy)]
struct Cursor {
    stage: usize,
    row: usize,
}

pub(super) struct Loaded<R> {
    pub(super) program: Program,
    pub(super) plan: Plan,
    pub(super) constants: Vec<Block<R>>,
    codes: Vec<Option<MapCode<R>>>,
    pub(super) slots: Vec<Block<R>>,
    pub(super) registers: Vec<Block<R>>,
    /// Buffer index of each assignment.
    targets: Vec<usize>,
}

/// A block of zeros for each extent.
fn blocks<R: Number>(extents: &[usize]) -> Vec<Block<R>> {
    let zeros = extents.iter().map(|&n| Block::filled(R::ZERO, n));
    zeros.collect()
}

impl<R: Number> Default for Cpu<R> {
    fn default() -> Self {
        Self::with_level(Level::new())
    }
}

impl<R: Number> Cpu<R> {
    /// An executor that uses one SIMD level (tests compare levels).
    pub fn with_level(level: Level) -> Self {
        Self {
            level,
            buffers: Vec::new(),
            uniforms: Vec::new(),
            programs: Vec::new(),
            seed: 0,
            step: 0,
            cursor: Cursor::default(),
        }
    }

    fn buffer(&mut self, name: &str, entries: usize) -> usize {
        if let Some(index) = self.buffers.iter().position(|b| b.name == name) {
            assert_eq!(
                self.buffers[index].data.len(),
                entries,
                "buffer {name} has two sizes"
            );
            return index;
        }
        self.buffers.push(Buffer {
            name: name.to_owned(),
            data: Block::filled(R::ZERO, entries),
        });
        self.buffers.len() - 1
    }

    /// Plans `program` and allocates the buffers it names (zero at first); returns its index.
    ///
    /// # Panics
    /// A buffer that is known with another size.
    pub fn load(&mut self, program: &Program) -> usize {
        let mut constants = Vec::new();
        let mut leaves = Vec::new();
        for node in &program.nodes {
            leaves.push(match &node.op {
                Op::Input(name) => Some(Home::Buffer(self.buffer(name, count(&node.shape)))),
                Op::Uniform(name) => Some(Home::Uniform(self.uniform_index(name))),
                Op::Const(data) => {
                    let data: Vec<R> = data.iter().map(|&v| R::from_f64(v)).collect();
                    constants.push(Block::copied(R::ZERO, &data));
                    Some(Home::Constant(constants.len() - 1))
                }
                _ => None,
            });
        }
        let plan = plan(program, |id| leaves[id].expect("a leaf"));
        let codes = program.nodes.iter().map(|node| match &node.op {
            Op::Map(expr) => Some(MapCode::new(expr)),
            _ => None,
        });
        let targets = program
            .assigns
            .iter()
            .map(|a| self.buffer(&a.buffer, count(&program.nodes[a.node].shape)))
            .collect();
        self.programs.push(Loaded {
            codes: codes.collect(),
            slots: blocks(&plan.slots),
            registers: blocks(&plan.registers),
            program: program.clone(),
            plan,
            constants,
            targets,
        });
        self.programs.len() - 1
    }

    fn uniform_index(&mut self, name: &'static str) -> usize {
        if let Some(index) = self.uniforms.iter().position(|(n, _)| *n == name) {
            return index;
        }
        self.uniforms.push((name, R::ZERO));
        self.uniforms.len() - 1
    }

    /// Sets a live scalar.
    pub fn uniform(&mut self, name: &'static str, value: R) {
        let index = self.uniform_index(name);
        self.uniforms[index].1 = value;
    }

    /// Names and contents of all persistent buffers.
    pub fn state(&self) -> impl Iterator<Item = (&str, &[R])> {
        self.buffers.iter().map(|b| (b.name.as_str(), &b.data[..]))
    }

    /// Contents of a persistent buffer.
    pub fn get(&self, name: &str) -> Option<&[R]> {
        let found = self.buffers.iter().find(|b| b.name == name);
        found.map(|b| &b.data[..])
    }

    /// Overwrites a persistent buffer; a buffer that no program knows is kept for one that will.
    ///
    /// # Panics
    /// The buffer is known with another size.
    pub fn set(&mut self, name: &str, data: &[R]) {
        let index = self.buffer(name, data.len());
        self.buffers[index].data.copy_from_slice(data);
    }

    /// Runs a program to its end.
    pub fn run(&mut self, program: usize) {
        let mut unlimited = u64::MAX;
        while self.advance(program, &mut unlimited) == Progress::Working {}
    }

    /// Runs a program to its end while another may be unfinished.
    pub fn run_aside(&mut self, program: usize) {
        let cursor = std::mem::take(&mut self.cursor);
        self.run(program);
        self.cursor = cursor;
    }

    /// Runs a program from where it stopped last, until `budget` (about floating point operations) is spent.
    pub fn advance(&mut self, program: usize, budget: &mut u64) -> Progress {
        while self.cursor.stage < self.programs[program].plan.stages.len() {
            if *budget == 0 {
                return Progress::Working;
            }
            let spent = self.work(program, *budget);
            *budget = budget.saturating_sub(spent);
        }
        self.cursor = Cursor::default();
        self.assign(program);
        Progress::Finished
    }

    /// The programs loaded so far.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter().map(|p| &p.program)
    }

    /// Build target and instruction set: two runs agree bit by bit where these agree. The width of a vector decides in which
    /// order a pairwise sum adds, and whether multiply–add rounds once.
    pub fn module(&self) -> String {
        format!("{}-{}", std::env::consts::ARCH, self.instructions().1)
    }

    /// The device in words, e.g. `CPU, AVX-512, one thread`.
    pub fn device(&self) -> String {
        format!("CPU, {}, one thread", self.instructions().0)
    }

    /// The instruction set for people, and in digests.
    #[cfg(target_arch = "wasm32")]
    fn instructions(&self) -> (&'static str, &'static str) {
        if cfg!(target_feature = "relaxed-simd") {
            ("relaxed SIMD", "relaxed")
        } else {
            ("SIMD", "simd")
        }
    }

    /// The instruction set for people, and in digests.
    #[cfg(not(target_arch = "wasm32"))]
    fn instructions(&self) -> (&'static str, &'static str) {
        match format!("{:?}", self.level).split('(').next() {
            Some("Avx512") => ("AVX-512", "avx512"),
            Some("Avx2") => ("AVX2", "avx2"),
            Some("Sse4_2") => ("SSE4.2", "sse42"),
            Some("Sse2") => ("SSE2", "sse2"),
            Some("Neon") => ("NEON", "neon"),
            _ => ("scalar", "scalar"),
        }
    }

    /// Forgets an unfinished program.
    pub fn abandon(&mut self) {
        self.cursor = Cursor::default();
    }

    fn assign(&mut self, program: usize) {
        let loaded = &mut self.programs[program];
        // All values are read before any buffer changes: an assigned input is copied through a slot of its own.
        let mut pending: Vec<(usize, Vec<R>)> = Vec::new();
        for (assign, &target) in loaded.program.assigns.iter().zip(&loaded.targets) {
            match loaded.plan.homes[assign.node] {
                Home::Slot(slot) => {
                    self.buffers[target]
                        .data
                        .copy_from_slice(&loaded.slots[slot]);
                }
                Home::Buffer(source) => pending.push((target, self.buffers[source].data.to_vec())),
                Home::Constant(c) => pending.push((target, loaded.constants[c].to_vec())),
                Home::Uniform(u) => pending.push((target, vec![self.uniforms[u].1])),
                Home::Register(_) => unreachable!("assigned values have a slot"),
            }
        }
        for (target, data) in pending {
            self.buffers[target].data.copy_from_slice(&data);
        }
    }

    /// Works on the present stage and returns the operations spent.
    fn work(&mut self, program: usize, budget: u64) -> u64 {
        let cursor = self.cursor;
        let stage = self.programs[program].plan.stages[cursor.stage].clone();
        let loaded = &self.programs[program];
        let flops = |id: NodeId| loaded.program.node_flops(&loaded.program.nodes[id]);
        let total: u64 = members(&stage).iter().map(|&id| flops(id)).sum();
        let (rows, tile) = match &stage {
            Stage::Tiled { rows, tile, .. } => (*rows, *tile),
            Stage::Whole(id) => whole_rows(&loaded.program, &loaded.program.nodes[*id]),
        };
        let per_row = (total / rows.max(1) as u64).max(1);
        let affordable = usize::try_from(budget / per_row).unwrap_or(usize::MAX);
        let chunk = (affordable / tile).max(1).saturating_mul(tile);
        let end = cursor.row.saturating_add(chunk).min(rows);
        match &stage {
            Stage::Tiled { nodes, .. } => {
                for start in (cursor.row..end).step_by(tile) {
                    let stop = (start + tile).min(end);
                    for &id in nodes {
                        self.evaluate(program, id, Rows::Tile { start, stop });
                    }
                }
            }
            Stage::Whole(id) => {
                let range = Rows::Whole {
                    start: cursor.row,
                    stop: end,
                };
                self.evaluate(program, *id, range);
            }
        }
        self.cursor = if end == rows {
            Cursor {
                stage: cursor.stage + 1,
                row: 0,
            }
        } else {
            Cursor {
                stage: cursor.stage,
                row: end,
            }
        };
        per_row * (end - cursor.row).max(1) as u64
    }

    fn evaluate(&mut self, program: usize, id: NodeId, rows: Rows) {
        let loaded = &mut self.programs[program];
        let home = loaded.plan.homes[id];
        let mut out = match home {
            Home::Slot(s) => std::mem::take(&mut loaded.slots[s]),
            Home::Register(r) => std::mem::take(&mut loaded.registers[r]),
            _ => unreachable!("leaves are not evaluated"),
        };
        let mut code = loaded.codes[id].take();
        let context = Context {
            level: self.level,
            buffers: &self.buffers,
            uniforms: &self.uniforms,
            loaded,
            key: (self.seed, self.step),
        };
        context.evaluate(id, rows, code.as_mut(), &mut out);
        let loaded = &mut self.programs[program];
        loaded.codes[id] = code;
        match home {
            Home::Slot(s) => loaded.slots[s] = out,
            Home::Register(r) => loaded.registers[r] = out,
            _ => unreachable!("leaves are not evaluated"),
        }
    }
}
