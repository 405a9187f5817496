//! What a session shows of a state that does not hold its particles: computed from copies in slices, off the run.

use super::machine::Machine;
use crate::exec::{Cpu, Progress};
use crate::metrics::inputs;
use crate::systems::Depiction;

/// A depiction, and the next one in the making.
pub(super) struct Depicted {
    cpu: Cpu<f32>,
    inputs: Vec<String>,
    /// Step of the state that is worked on.
    making: Option<u32>,
    /// Step of what is shown, and that.
    step: Option<u32>,
    shown: Vec<(String, Vec<f32>)>,
}

impl Depicted {
    /// Shows nothing yet.
    pub(super) fn new(depiction: &Depiction, seed: u32) -> Self {
        let mut cpu = Cpu::default();
        cpu.load(&depiction.program);
        cpu.seed = seed;
        Self {
            cpu,
            inputs: inputs(&depiction.program),
            making: None,
            step: None,
            shown: Vec::new(),
        }
    }

    /// Step of what is shown.
    pub(super) fn step(&self) -> Option<u32> {
        self.step
    }

    /// A buffer of what is shown.
    pub(super) fn get(&self, name: &str) -> Option<&[f32]> {
        let found = self.shown.iter().find(|(own, _)| own == name);
        found.map(|(_, data)| &data[..])
    }

    /// Sets live scalars; what is shown is made anew.
    pub(super) fn uniforms(&mut self, values: &[(&'static str, f32)]) {
        for &(name, value) in values {
            self.cpu.uniform(name, value);
        }
        self.cpu.abandon();
        (self.making, self.step) = (None, None);
    }

    /// Works for about `budget` operations towards the state that the host knows; true while work is left.
    pub(super) fn advance(&mut self, machine: &Machine, budget: u64) -> bool {
        let mut left = budget.max(1);
        if self.making.is_none() {
            if self.step == Some(machine.seen()) {
                return false;
            }
            for name in &self.inputs {
                if let Some(data) = machine.get(name) {
                    self.cpu.set(name, data);
                }
            }
            self.making = Some(machine.seen());
        }
        if self.cpu.advance(0, &mut left) == Progress::Working {
            return true;
        }
        self.step = self.making.take();
        // Of a state that is about to diverge the picture may not be finite: the one before stays.
        let particles = self.cpu.get("particles").unwrap_or(&[]);
        if particles.iter().all(|x| x.is_finite()) {
            let outputs = self
                .cpu
                .state()
                .filter(|(name, _)| !self.inputs.iter().any(|i| i == name));
            self.shown = outputs
                .map(|(name, data)| (name.to_owned(), data.to_vec()))
                .collect();
        }
        self.step != Some(machine.seen())
    }

    /// Works to the end, on the state that the host knows.
    pub(super) fn complete(&mut self, machine: &Machine) {
        if self.making != Some(machine.seen()) {
            self.cpu.abandon();
            self.making = None;
        }
        while self.advance(machine, u64::MAX) {}
    }
}
