//! The moving part of a session, generic over the number type so that whole systems can run in f64 against their oracles.

use super::Progress;
use crate::exec::Cpu;
use crate::graph::Program;
use crate::kernels::Number;
use crate::systems::{Build, Command, Driver, Reads};

/// What a call of [`Run::advance`] achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// One step is complete.
    Stepped,
    /// The budget ran out inside a step.
    Working,
    /// The driver ended the run.
    Stopped(String),
}

/// Programs, executor and driver of a run.
pub struct Run<R> {
    /// The executor, with all persistent buffers.
    pub cpu: Cpu<R>,
    arrows: Option<usize>,
    prepare: Option<usize>,
    programs: Vec<usize>,
    driver: Box<dyn Driver>,
    reads: Reads,
    /// Program in progress, and how often it still runs.
    current: Option<(usize, u32)>,
    prepared: bool,
    /// The state after the last complete step.
    kept: Vec<(String, Vec<R>)>,
}

impl<R: Number> Run<R> {
    /// Loads the programs; buffers are zero.
    pub fn new(
        prepare: Option<Program>,
        programs: Vec<Program>,
        driver: Box<dyn Driver>,
        seed: u32,
    ) -> Self {
        let mut cpu = Cpu::default();
        cpu.seed = seed;
        Self {
            prepare: prepare.map(|p| cpu.load(&p)),
            programs: programs.iter().map(|p| cpu.load(p)).collect(),
            cpu,
            driver,
            arrows: None,
            reads: Reads::new(),
            current: None,
            prepared: false,
            kept: Vec::new(),
        }
    }

    /// Steps done.
    pub fn step(&self) -> u32 {
        self.cpu.step
    }

    /// Sets live scalars.
    pub fn uniforms(&mut self, values: &[(&'static str, f32)]) {
        for &(name, value) in values {
            self.cpu.uniform(name, R::from_f64(f64::from(value)));
        }
    }

    /// Follows the driver until one step is complete or `budget` is spent.
    pub fn advance(&mut self, budget: &mut u64) -> Turn {
        if !self.prepared {
            if let Some(prepare) = self.prepare
                && self.cpu.advance(prepare, budget) == Progress::Working
            {
                return Turn::Working;
            }
            self.prepared = true;
        }
        loop {
            if let Some((program, times)) = self.current {
                if self.cpu.advance(self.programs[program], budget) == Progress::Working {
                    return Turn::Working;
                }
                self.current = (times > 1).then_some((program, times - 1));
                if program == 0 {
                    self.cpu.step += 1;
                    return Turn::Stepped;
                }
                continue;
            }
            match self.driver.next(self.cpu.step, &self.reads) {
                Command::Run { program, times } => self.current = Some((program, times)),
                Command::Read(names) => {
                    let read = |name: &&str| {
                        let data = self.cpu.get(name).unwrap_or(&[]);
                        data.iter().map(|v| v.to_f64() as f32).collect()
                    };
                    self.reads = names.iter().map(read).collect();
                }
                Command::Write(name, data) => {
                    let data: Vec<R> = data.iter().map(|&v| R::from_f64(f64::from(v))).collect();
                    self.cpu.set(name, &data);
                }
                Command::Stop(reason) => return Turn::Stopped(reason),
            }
        }
    }

    /// Completes one step.
    pub fn complete_step(&mut self) -> Turn {
        self.advance(&mut u64::MAX.clone())
    }

    /// Whether every number of the state is finite.
    pub fn is_finite(&self) -> bool {
        self.cpu.state().all(|(_, data)| all_finite(data))
    }

    /// Remembers the present state as the last good one.
    pub fn keep(&mut self) {
        self.kept
            .resize_with(self.cpu.state().count(), Default::default);
        for ((name, copy), (own, data)) in self.kept.iter_mut().zip(self.cpu.state()) {
            if name != own {
                own.clone_into(name);
            }
            copy.clear();
            copy.extend_from_slice(data);
        }
    }

    /// Back to the state last kept, one step earlier.
    pub fn restore_kept(&mut self) {
        for (name, data) in &self.kept {
            self.cpu.set(name, data);
        }
        self.cpu.step = self.cpu.step.saturating_sub(1);
        self.cpu.abandon();
        self.current = None;
    }

    /// Takes over step and state of `other`, buffers it has with the same size.
    pub fn adopt(&mut self, other: &Self) {
        for (name, data) in other.cpu.state() {
            if self
                .cpu
                .get(name)
                .is_some_and(|own| own.len() == data.len())
            {
                self.cpu.set(name, data);
            }
        }
        self.resume_at(other.step());
    }

    /// Declares the present buffers to be the state after `step` steps.
    pub fn resume_at(&mut self, step: u32) {
        self.cpu.step = step;
        self.cpu.abandon();
        self.current = None;
        self.prepared = step > 0;
        self.keep();
    }
}

/// Whether all numbers are finite.
pub(super) fn all_finite<R: Number>(data: &[R]) -> bool {
    // x·0 is 0 for finite x, else NaN; the sum vectorises.
    let sum = data.iter().fold(R::ZERO, |s, &v| s + v * R::ZERO);
    sum == R::ZERO
}

impl Run<f32> {
    /// Loads everything of a build, at step 0.
    pub(super) fn start(build: Build) -> Self {
        let seed = build.stage.seed;
        let mut run = Self::new(build.prepare, build.programs, build.driver, seed);
        for (name, data) in &build.state {
            run.cpu.set(name, data);
        }
        run.arrows = build.stage.arrows.map(|program| run.cpu.load(&program));
        run.keep();
        run
    }

    /// Drift and repulsion at the present state, each `[n, d]`, where the system has them.
    pub(super) fn arrows(&mut self) -> Option<(Vec<f32>, Vec<f32>)> {
        self.cpu.run_aside(self.arrows?);
        let read = |name| self.cpu.get(name).map(<[f32]>::to_vec);
        Some((read("drift")?, read("repulsion")?))
    }
}
