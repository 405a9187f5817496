//! A run: programs, executor, clocks, metric log, snapshots. No I/O, no wall clock, no browser.
//!
//! Work is cut by budgets (roughly floating point operations), which never change a result. Metrics are measured on copies
//! of the particles at fixed probe steps and never feed back.

mod depict;
mod device;
mod fit;
mod machine;
mod measure;
mod run;
mod snapshot;
pub mod sweep;
mod weights;

pub use weights::Weights;

pub use measure::{Row, is_probe};
pub use run::{Run, Turn};

use crate::error::{Divergence, Error, Problem, Result};
use crate::exec::gpu::{Device, Gpu, GpuError};
use crate::exec::{Cpu, Progress};
use crate::metrics::{Cloud, Job, Reference, SharedReference};
use crate::order::sort_few;
use crate::params::Class;
use crate::systems::{self, Entry, Inputs, KernelWidth, Stage, System, Way};
use depict::Depicted;
use machine::{Advance, Machine};

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It can go on.
    Ready,
    /// The driver ended it, with its reason.
    Done(String),
    /// A NaN or an infinity stopped it; the last good state is kept.
    Diverged(Divergence),
    /// The device was lost, with the reason; the last state that the host knows can be saved and resumed on the CPU.
    Lost(String),
}

/// One run of one system.
pub struct Session {
    entry: &'static Entry,
    system: Box<dyn System>,
    inputs: Inputs,
    stage: Stage,
    notes: Vec<String>,
    default_steps: u32,
    device: Option<Device>,
    machine: Machine,
    depicted: Option<Depicted>,
    status: Status,
    edited_at: Option<u32>,
    log: Vec<Row>,
    /// A cloud that waits to be measured.
    pending: Option<Cloud>,
    job: Option<(u32, Job)>,
    /// What metrics know of the target.
    reference: SharedReference,
}

impl Session {
    /// Starts a run of `entry` with these parameters on the CPU, at step 0.
    ///
    /// # Errors
    /// Parameters that contradict each other or the inputs.
    pub fn new(entry: &'static Entry, system: Box<dyn System>, inputs: Inputs) -> Result<Self> {
        Self::on(None, entry, system, inputs)
    }

    /// Starts a run on a device, or where there is none on the CPU.
    ///
    /// # Errors
    /// As [`Session::new`]; a run that does not fit on the device; a lost device.
    pub fn on(
        device: Option<&Device>,
        entry: &'static Entry,
        system: Box<dyn System>,
        inputs: Inputs,
    ) -> Result<Self> {
        let mut build = system.build(&inputs)?;
        let notes = std::mem::take(&mut build.notes);
        let (default_steps, stage) = (build.default_steps, build.stage.clone());
        let machine = Machine::new(device, build).map_err(|error| match (error, device) {
            (GpuError::TooLarge { needed, limit }, Some(device)) => {
                let largest = fit::largest_n(device, entry, &*system, &inputs);
                let message = format!(
                    "the run needs {} MB of device memory in one piece, but there are {}; the largest n that fits is {largest}",
                    needed >> 20,
                    limit >> 20
                );
                Error::TooLarge(message)
            }
            (error @ GpuError::TooLong { .. }, _) => {
                Error::TooLarge(format!("{error}; the CPU computes it"))
            }
            (error, _) => Error::NoDevice(error.to_string()),
        })?;
        let (target, curves) = (stage.target.clone(), stage.curves.as_ref());
        let reference = Reference::shared(target, curves, stage.seed);
        if let Some((id, source)) = &stage.least_cost {
            reference.borrow_mut().bound_by(id, source, stage.seed);
        }
        let depiction = stage.depiction.as_ref();
        let depicted = depiction.map(|depiction| Depicted::new(depiction, stage.seed));
        let mut session = Self {
            entry,
            system,
            inputs,
            stage,
            notes,
            default_steps,
            device: device.cloned(),
            machine,
            depicted,
            status: Status::Ready,
            edited_at: None,
            log: Vec::new(),
            pending: None,
            job: None,
            reference,
        };
        session.uniforms();
        session.depict();
        if !session.is_finite() {
            session.diverged();
        }
        session.pending = Some(session.cloud());
        Ok(session)
    }

    /// A run of the same system with other parameters, at step 0 and in the same place.
    ///
    /// # Errors
    /// As [`Session::on`].
    pub fn sibling(&self, system: Box<dyn System>, inputs: Inputs) -> Result<Self> {
        Self::on(self.device.as_ref(), self.entry, system, inputs)
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

    /// Steps done; on a device, submitted.
    pub fn step(&self) -> u32 {
        self.machine.step()
    }

    /// Step of the state that the host knows: on a device it lags behind.
    pub fn seen(&self) -> u32 {
        self.machine.seen()
    }

    /// Step up to which a device is known to have come; on the CPU the present one.
    pub fn landed(&self) -> u32 {
        self.machine.landed()
    }

    /// Whether the state after the last step is known; on the CPU it always is.
    pub fn is_settled(&self) -> bool {
        self.machine.is_settled()
    }

    /// Asks a device for a newer state, which comes some frames later.
    pub fn refresh(&mut self) {
        self.machine.refresh();
    }

    /// Waits for the state after the last step, for edges that can.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn settle(&mut self) {
        loop {
            self.look();
            if self.is_settled() || matches!(self.status, Status::Lost(_)) {
                return self.depict();
            }
            self.machine.settle();
            self.machine.wait();
        }
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
        let before = self.step();
        let goal = before.saturating_add(max_steps);
        let mut left = budget;
        self.look();
        while self.step() < goal && left > 0 && self.status == Status::Ready {
            let most = goal - self.step();
            match self.machine.advance(&mut left, most) {
                Advance::Steps(0) => break,
                Advance::Steps(_) => self.observe(),
                Advance::Stopped(reason) => self.status = Status::Done(reason),
                Advance::Diverged => self.diverged(),
                Advance::Failed(error) => self.status = Status::Lost(error.to_string()),
            }
        }
        // A device may have gone back.
        self.step().saturating_sub(before)
    }

    /// Takes in what a device has to tell.
    fn look(&mut self) {
        match self.machine.look() {
            Advance::Failed(error) => self.status = Status::Lost(error.to_string()),
            Advance::Diverged => self.diverged(),
            Advance::Steps(_) | Advance::Stopped(_) => {
                if self.machine.backend() == "gpu" {
                    self.observe();
                }
            }
        }
    }

    /// Measures a probe step whose state has become known.
    fn observe(&mut self) {
        if self.machine.take_news() && is_probe(self.seen()) {
            self.pending = Some(self.cloud());
        }
    }

    /// Runs to step `k`, or until the run ends, measuring every probe step on the way.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn run_to(&mut self, k: u32) {
        while self.step() < k && self.status == Status::Ready {
            while self.measure(u64::MAX) {}
            self.advance(u64::MAX, 1);
            self.settle();
        }
        while self.measure(u64::MAX) {}
    }

    fn diverged(&mut self) {
        self.status = Status::Diverged(Divergence {
            last_good_step: self.step(),
            cause: self.system.divergence_cause(),
        });
    }

    /// Whether every number that the host knows is finite.
    fn is_finite(&self) -> bool {
        let state = self.machine.state();
        state.iter().all(|(_, data)| run::all_finite(data))
    }

    /// The particles after [`Session::shown`] steps, row-major `[n, d]`.
    pub fn particles(&self) -> &[f32] {
        self.get(self.stage.particles).unwrap_or(&[])
    }

    /// Step of [`Session::particles`]; where they are made from the state, that lags behind it.
    pub fn shown(&self) -> u32 {
        let depicted = self.depicted.as_ref().and_then(Depicted::step);
        depicted.unwrap_or_else(|| self.seen())
    }

    /// What is shown or, after [`Session::seen`] steps, held under a name.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let depicted = self.depicted.as_ref().and_then(|d| d.get(name));
        depicted.or_else(|| self.machine.get(name))
    }

    /// The log-density that the model has learned, on a grid of so many nodes a side over the stage's frame; row-major.
    pub fn learned(&self) -> Option<(usize, &[f32])> {
        let nodes = self.stage.depiction.as_ref()?.nodes;
        let values = self.depicted.as_ref()?.get("learned")?;
        (nodes > 0).then_some((nodes, values))
    }

    /// Where the particles after [`Session::step`] steps are on the device, if the run is on one.
    pub fn particles_on_device(&self) -> Option<(&Gpu, &str)> {
        let gpu = self.machine.gpu().filter(|_| self.depicted.is_none())?;
        Some((gpu, self.stage.particles))
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
            self.uniforms();
            self.mark_edited();
            return Ok(class);
        }
        let mut next = self.sibling(system, self.inputs.clone())?;
        if class == Class::Rebuild && self.step() > 0 {
            next.machine.adopt(&self.machine);
            next.log = std::mem::take(&mut self.log);
            next.pending = None;
            next.edited_at = self.edited_at;
            next.mark_edited();
        }
        *self = next;
        Ok(class)
    }

    /// Hands the live scalars on.
    fn uniforms(&mut self) {
        let values = self.system.uniforms();
        self.machine.uniforms(&values);
        if let Some(depicted) = &mut self.depicted {
            depicted.uniforms(&values);
        }
    }

    /// Brings what is shown to the state that the host knows.
    fn depict(&mut self) {
        if let Some(depicted) = &mut self.depicted {
            depicted.complete(&self.machine);
        }
    }

    fn mark_edited(&mut self) {
        if self.step() > 0 {
            self.edited_at.get_or_insert(self.machine.step());
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
        *self = self.sibling(system, self.inputs.clone())?;
        Ok(())
    }

    /// Drift and repulsion at the known particles, each `[n, d]`, where the system has them; on a device they come later.
    pub fn arrows(&mut self) -> Option<(Vec<f32>, Vec<f32>)> {
        self.machine.arrows()
    }

    /// The kernel's present width h.
    pub fn kernel_width(&self) -> Option<f32> {
        match self.stage.kernel_width.as_ref()? {
            KernelWidth::Fixed(h) => Some(*h),
            KernelWidth::Buffer(name) => Some(self.machine.get(name)?.first()?.max(0.0).sqrt()),
        }
    }

    /// `points: [n, d]` through the learned map, row-major; none where the run learns no map or the points have another dimension.
    pub fn apply(&self, points: &[f32], way: Way) -> Option<Vec<f32>> {
        let map = self.stage.map.as_ref()?;
        let d = self.stage.d;
        if points.is_empty() || !points.len().is_multiple_of(d) {
            return None;
        }
        let mut cpu = Cpu::<f32>::default();
        let program = cpu.load(&(map.program)(points.len() / d, way));
        for name in map.parameters {
            cpu.set(name, self.machine.get(name)?);
        }
        cpu.set("points", points);
        cpu.run(program);
        Some(cpu.get("mapped")?.to_vec())
    }

    /// Hash of the state's f32 bits and the step, with build target and module, e.g. `x86_64-avx2-1a2b3c4d`.
    ///
    /// CPU runs are bit-exact for one build target and module; a digest of another one need not agree. Hash it where
    /// the state is settled.
    pub fn digest(&self) -> String {
        format!("{}-{:08x}", self.machine.module(), self.hash())
    }

    /// FNV-1a over the words of every buffer, in order of name, and the step.
    fn hash(&self) -> u32 {
        let mut buffers = self.machine.state();
        sort_few(&mut buffers, |a, b| a.0 < b.0);
        let words = buffers
            .iter()
            .flat_map(|(_, data)| data.iter().map(|v| v.to_bits()));
        words.chain([self.seen()]).fold(0x811c_9dc5, |hash, word| {
            word.to_le_bytes().iter().fold(hash, |h: u32, byte| {
                (h ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
            })
        })
    }

    /// `cpu` or `gpu`.
    pub fn backend(&self) -> &'static str {
        self.machine.backend()
    }

    /// The device in words, e.g. `CPU, AVX2, one thread`.
    pub fn device(&self) -> String {
        self.machine.device()
    }

    /// State, step and log as bytes, to resume elsewhere.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(
            self.seen(),
            self.edited_at,
            &self.machine.state(),
            &self.log,
        )
    }

    /// Resumes from a snapshot of the same configuration.
    ///
    /// # Errors
    /// The bytes are not a snapshot of this configuration; the run is then as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let state = self.machine.state();
        let Some(saved) = snapshot::read(bytes, &state, self.stage.metrics.len()) else {
            let message = "the saved state does not belong to this configuration";
            return Err(Error::Problem(Problem::new("snapshot", message)));
        };
        let buffers: Vec<(&str, &[f32])> = saved
            .buffers
            .iter()
            .map(|(name, data)| (name.as_str(), &data[..]))
            .collect();
        self.machine.resume(saved.step, &buffers);
        self.depict();
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
