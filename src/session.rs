//! A run: programs, executor, clocks, metric log, snapshots. No I/O, no wall clock, no browser.
//!
//! Work is cut by budgets (roughly floating point operations), which never change a result. Metrics are measured on copies
//! of the particles at fixed probe steps and never feed back.

mod run;
mod snapshot;

pub use run::{Run, Turn};

use crate::error::{Divergence, Error, Problem, Result};
use crate::exec::Progress;
use crate::metrics::{Cloud, Job, Metric, Reference, SharedReference, inputs};
use crate::params::Class;
use crate::systems::{self, Entry, Inputs, KernelWidth, Stage, System};

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It can go on.
    Ready,
    /// The driver ended it, with its reason.
    Done(String),
    /// A NaN or an infinity stopped it; the last good state is kept.
    Diverged(Divergence),
}

/// One row of the metric log.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Step of the cloud that was measured.
    pub step: u32,
    /// One value a metric; `None` where it is undefined.
    pub values: Vec<Option<f64>>,
}

/// One run of one system.
pub struct Session {
    entry: &'static Entry,
    system: Box<dyn System>,
    inputs: Inputs,
    stage: Stage,
    notes: Vec<String>,
    default_steps: u32,
    run: Run<f32>,
    arrows: Option<usize>,
    status: Status,
    edited_at: Option<u32>,
    log: Vec<Row>,
    /// A cloud that waits to be measured.
    pending: Option<Cloud>,
    job: Option<(u32, Job)>,
    /// What metrics know of the target.
    reference: SharedReference,
}

/// Steps whose particles are measured: all up to 32, then 32 in every doubling.
pub fn is_probe(step: u32) -> bool {
    let stride = 1 << (step / 32).checked_ilog2().unwrap_or(0);
    step.is_multiple_of(stride)
}

impl Session {
    /// Starts a run of `entry` with these parameters, at step 0.
    ///
    /// # Errors
    /// Parameters that contradict each other or the inputs.
    pub fn new(entry: &'static Entry, system: Box<dyn System>, inputs: Inputs) -> Result<Self> {
        let mut build = system.build(&inputs)?;
        let seed = build.stage.seed;
        let arrows = build.stage.arrows.take();
        let notes = std::mem::take(&mut build.notes);
        let (default_steps, stage) = (build.default_steps, build.stage);
        let mut run = Run::new(build.prepare, build.programs, build.driver, seed);
        for (name, data) in &build.state {
            run.cpu.set(name, data);
        }
        let arrows = arrows.map(|program| run.cpu.load(&program));
        let reference = Reference::shared(stage.target.clone(), stage.curves.as_ref(), seed);
        let mut session = Self {
            entry,
            system,
            inputs,
            stage,
            notes,
            default_steps,
            run,
            arrows,
            status: Status::Ready,
            edited_at: None,
            log: Vec::new(),
            pending: None,
            job: None,
            reference,
        };
        session.run.uniforms(&session.system.uniforms());
        session.run.keep();
        session.check_finite();
        session.pending = Some(session.cloud());
        Ok(session)
    }

    /// The system's registry entry.
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// The system with its present parameters.
    pub fn system(&self) -> &dyn System {
        &*self.system
    }

    /// Samples the user brought.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// What to draw and measure.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Remarks on this configuration, e.g. what is approximated.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Steps done.
    pub fn step(&self) -> u32 {
        self.run.step()
    }

    /// Steps a run takes when nothing says otherwise.
    pub fn default_steps(&self) -> u32 {
        self.default_steps
    }

    /// How the run stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Works for about `budget` operations and at most `max_steps` steps; returns the steps completed, 0 while a long step is
    /// unfinished.
    pub fn advance(&mut self, budget: u64, max_steps: u32) -> u32 {
        let mut left = budget;
        let mut steps = 0;
        while steps < max_steps && left > 0 && self.status == Status::Ready {
            match self.run.advance(&mut left) {
                Turn::Working => break,
                Turn::Stopped(reason) => self.status = Status::Done(reason),
                Turn::Stepped => {
                    if !self.check_finite() {
                        break;
                    }
                    steps += 1;
                    self.run.keep();
                    if is_probe(self.step()) {
                        self.pending = Some(self.cloud());
                    }
                }
            }
        }
        steps
    }

    /// Runs to step `k`, or until the run ends, measuring every probe step on the way.
    pub fn run_to(&mut self, k: u32) {
        while self.step() < k && self.status == Status::Ready {
            while self.measure(u64::MAX) {}
            self.advance(u64::MAX, 1);
        }
        while self.measure(u64::MAX) {}
    }

    /// Stops the run and goes back to the last good state if the state is not finite.
    fn check_finite(&mut self) -> bool {
        if self.run.is_finite() {
            return true;
        }
        self.run.restore_kept();
        self.status = Status::Diverged(Divergence {
            last_good_step: self.step(),
            cause: self.system.divergence_cause(),
        });
        false
    }

    /// The particles, row-major `[n, d]`.
    pub fn particles(&self) -> &[f32] {
        self.run.cpu.get(self.stage.particles).unwrap_or(&[])
    }

    /// A copy of the particles for the metrics.
    pub fn cloud(&self) -> Cloud {
        Cloud {
            step: self.step(),
            n: self.stage.n,
            d: self.stage.d,
            x: self.particles().to_vec(),
            accepted: self.run.cpu.get("accepted").map(<[f32]>::to_vec),
            buffers: self.curve_buffers(),
        }
    }

    /// Copies of what the curves are computed from.
    fn curve_buffers(&self) -> Vec<(String, Vec<f32>)> {
        let names = self.stage.curves.as_ref().map_or(Vec::new(), inputs);
        let copy = |name: String| {
            let data = self.run.cpu.get(&name).map(<[f32]>::to_vec);
            (name, data.unwrap_or_default())
        };
        names.into_iter().map(copy).collect()
    }

    /// Works on the metrics of the latest probe step for about `budget` operations. True while work is left; a newer probe
    /// step waits until the present one is measured, an older one that still waits is dropped.
    pub fn measure(&mut self, budget: u64) -> bool {
        if self.job.is_none()
            && let Some(cloud) = self.pending.take()
        {
            self.job = Some((cloud.step, self.start(cloud)));
        }
        let Some((step, mut job)) = self.job.take() else {
            return false;
        };
        if job.advance(budget) {
            self.job = Some((step, job));
            return true;
        }
        let values = job.finish();
        self.record(Row { step, values });
        self.pending.is_some()
    }

    /// Asks for the metrics of the present step, for a run that rests here; false where they are known or under way.
    pub fn measure_here(&mut self) -> bool {
        let step = self.step();
        let under_way = self.job.as_ref().is_some_and(|(at, _)| *at == step);
        let asked = !under_way && !self.log.iter().any(|row| row.step == step);
        if asked {
            self.pending = Some(self.cloud());
        }
        asked
    }

    fn start(&self, cloud: Cloud) -> Job {
        let stage = &self.stage;
        Job::new(
            &self.reference,
            cloud,
            &stage.metrics,
            stage.metric_bandwidth,
        )
    }

    /// What metrics know of the target: floors, biases, its density anywhere.
    pub fn reference(&self) -> &SharedReference {
        &self.reference
    }

    /// Measures the present step to the end and returns the row.
    pub fn measure_now(&mut self) -> Row {
        let step = self.step();
        if let Some(row) = self.log.iter().find(|r| r.step == step) {
            return row.clone();
        }
        let mut job = self.start(self.cloud());
        while job.advance(u64::MAX) {}
        let values = job.finish();
        let row = Row { step, values };
        self.record(row.clone());
        row
    }

    fn record(&mut self, row: Row) {
        let at = self.log.partition_point(|r| r.step < row.step);
        if self.log.get(at).is_none_or(|r| r.step != row.step) {
            self.log.insert(at, row);
        }
    }

    /// Metrics in the order of the log's values.
    pub fn metrics(&self) -> &[Metric] {
        &self.stage.metrics
    }

    /// What was measured, by step.
    pub fn log(&self) -> &[Row] {
        &self.log
    }

    /// Edits a parameter by its class: live edits act at the next step, rebuilds keep the state, restarts begin anew.
    ///
    /// # Errors
    /// No such parameter, a refused value, or one that does not fit the others; the run is then as it was.
    pub fn set(&mut self, key: &str, text: &str) -> Result<Class> {
        let mut system = systems::copy(self.entry, &*self.system);
        match system.set(key, text) {
            None => {
                let message = format!("{} has no such parameter", self.entry.title);
                return Err(Problem::new(key, message).into());
            }
            Some(Err(refusal)) => return Err(refusal.problem.into()),
            Some(Ok(())) => {}
        }
        let class = system
            .specs()
            .iter()
            .find(|s| s.key == key)
            .map_or(Class::Restart, |s| s.class);
        if system.get(key) == self.system.get(key) {
            return Ok(class);
        }
        if class == Class::Live {
            self.system = system;
            self.run.uniforms(&self.system.uniforms());
            self.mark_edited();
            return Ok(class);
        }
        let mut next = Self::new(self.entry, system, self.inputs.clone())?;
        if class == Class::Rebuild && self.step() > 0 {
            next.run.adopt(&self.run);
            next.log = std::mem::take(&mut self.log);
            next.pending = None;
            next.edited_at = self.edited_at;
            next.mark_edited();
        }
        *self = next;
        Ok(class)
    }

    fn mark_edited(&mut self) {
        if self.step() > 0 {
            self.edited_at.get_or_insert(self.run.step());
        }
    }

    /// Step of the first edit since step 0, if any; the run is then no longer the one its link describes.
    pub fn edited_at(&self) -> Option<u32> {
        self.edited_at
    }

    /// Back to step 0 with the same parameters: the same initial state.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn reset(&mut self) -> Result<()> {
        let system = systems::copy(self.entry, &*self.system);
        *self = Self::new(self.entry, system, self.inputs.clone())?;
        Ok(())
    }

    /// Drift and repulsion at the present particles, each `[n, d]`, where the system has them.
    pub fn arrows(&mut self) -> Option<(Vec<f32>, Vec<f32>)> {
        let program = self.arrows?;
        self.run.cpu.run_aside(program);
        let read = |name| self.run.cpu.get(name).map(<[f32]>::to_vec);
        Some((read("drift")?, read("repulsion")?))
    }

    /// The kernel's present width h.
    pub fn kernel_width(&self) -> Option<f32> {
        match self.stage.kernel_width.as_ref()? {
            KernelWidth::Fixed(h) => Some(*h),
            KernelWidth::Buffer(name) => Some(self.run.cpu.get(name)?.first()?.max(0.0).sqrt()),
        }
    }

    /// Hash of the particles' f32 bits and the step, with build target and module, e.g. `x86_64-avx2-1a2b3c4d`.
    ///
    /// CPU runs are bit-exact for one build target and module; a digest of another one need not agree.
    pub fn digest(&self) -> String {
        format!("{}-{:08x}", self.run.cpu.module(), self.run.hash())
    }

    /// `cpu` or `gpu`.
    pub fn backend(&self) -> &'static str {
        "cpu"
    }

    /// The device in words, e.g. `CPU, 8 lanes`.
    pub fn device(&self) -> String {
        self.run.cpu.device()
    }

    /// Every program of the run, for `describe --program`.
    pub fn programs(&self) -> Vec<String> {
        self.run.cpu.programs().map(ToString::to_string).collect()
    }

    /// State, step and log as bytes, to resume elsewhere.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(self.step(), self.edited_at, &self.run.cpu, &self.log)
    }

    /// Resumes from a snapshot of the same configuration.
    ///
    /// # Errors
    /// The bytes are not a snapshot of this configuration; the run is then as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(saved) = snapshot::read(bytes, &self.run.cpu, self.stage.metrics.len()) else {
            let message = "the saved state does not belong to this configuration";
            return Err(Error::Problem(Problem::new("snapshot", message)));
        };
        for (name, data) in &saved.buffers {
            self.run.cpu.set(name, data);
        }
        self.run.resume_at(saved.step);
        self.edited_at = saved.edited_at;
        self.log = saved.log;
        self.status = Status::Ready;
        self.job = None;
        self.pending = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
