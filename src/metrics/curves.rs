//! Curves: scalars that a program of the system computes from copies of its buffers, on an executor of its own, so that a
//! curve costs the run nothing and cannot change it.

use super::Cloud;
use crate::exec::{Cpu, Progress};
use crate::graph::{Op, Program};

/// The compiled program of the curves.
pub(super) struct Curves {
    cpu: Cpu<f32>,
    program: usize,
    /// Step whose values the buffers hold.
    step: Option<u32>,
    running: bool,
}

/// Buffers that `program` reads.
pub fn inputs(program: &Program) -> Vec<String> {
    let name = |op: &Op| match op {
        Op::Input(name) => Some(name.clone()),
        _ => None,
    };
    program.nodes.iter().filter_map(|n| name(&n.op)).collect()
}

impl Curves {
    pub fn new(program: &Program) -> Self {
        let mut cpu = Cpu::default();
        Self {
            program: cpu.load(program),
            cpu,
            step: None,
            running: false,
        }
    }

    /// Works on the values of `cloud` for about `budget` operations; `Some(work)` while they are not known.
    pub fn advance(&mut self, cloud: &Cloud, budget: u64) -> Option<u64> {
        if self.step == Some(cloud.step) && !self.running {
            return None;
        }
        if self.step != Some(cloud.step) {
            self.cpu.abandon();
            for (name, data) in &cloud.buffers {
                self.cpu.set(name, data);
            }
            (self.step, self.running) = (Some(cloud.step), true);
        }
        let mut left = budget.max(1);
        self.running = self.cpu.advance(self.program, &mut left) == Progress::Working;
        Some(budget.max(1).saturating_sub(left).max(1))
    }

    /// The value of the curve `id`.
    pub fn value(&self, id: &str) -> Option<f64> {
        Some(f64::from(*self.cpu.get(id)?.first()?))
    }

    /// Particles, where the program makes them from the buffers.
    pub fn particles(&self) -> Option<&[f32]> {
        self.cpu.get("particles")
    }

    /// The next cloud is measured anew, whatever its step.
    pub fn forget(&mut self) {
        self.step = None;
    }
}
