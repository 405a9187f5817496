//! What carries a session's run: the CPU executor, or a device. Both run the same build.

use super::device::{DeviceRun, Landing};
use super::run::{Run, Turn};
use crate::exec::gpu::{Device, Gpu, GpuError};
use crate::systems::Build;

/// What a call of [`Machine::advance`] achieved.
pub(super) enum Advance {
    /// So many more steps are done (on a device: submitted), perhaps none yet.
    Steps(u32),
    /// The driver ended the run.
    Stopped(String),
    /// A step gave a value that is not finite; the state is the one before it.
    Diverged,
    /// The device is of no use any more.
    Failed(GpuError),
}

pub(super) enum Machine {
    Host(Box<Run<f32>>),
    Device(Box<DeviceRun>),
}

impl Machine {
    /// Loads programs and initial state, on the device if there is one.
    ///
    /// # Errors
    /// As [`DeviceRun::new`]; none on the CPU.
    pub(super) fn new(device: Option<&Device>, build: Build) -> Result<Self, GpuError> {
        Ok(match device {
            Some(device) => Self::Device(Box::new(DeviceRun::new(device, build)?)),
            None => Self::Host(Box::new(Run::start(build))),
        })
    }

    /// The executor on a device.
    pub(super) fn gpu(&self) -> Option<&Gpu> {
        match self {
            Self::Host(_) => None,
            Self::Device(run) => Some(run.gpu()),
        }
    }

    /// Steps done (on a device: submitted).
    pub(super) fn step(&self) -> u32 {
        match self {
            Self::Host(run) => run.step(),
            Self::Device(run) => run.step(),
        }
    }

    /// Step of the state that the host knows.
    pub(super) fn seen(&self) -> u32 {
        match self {
            Self::Host(run) => run.step(),
            Self::Device(run) => run.seen(),
        }
    }

    /// Step up to which the device has reported.
    pub(super) fn landed(&self) -> u32 {
        match self {
            Self::Host(run) => run.step(),
            Self::Device(run) => run.landed(),
        }
    }

    /// Whether the host knows the state after the last step.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Host(_) => true,
            Self::Device(run) => run.is_settled(),
        }
    }

    /// Asks for the state after the last step, where it is not known or under way.
    pub(super) fn settle(&mut self) {
        if let Self::Device(run) = self {
            run.settle();
        }
    }

    /// Asks for a newer state, now or soon.
    pub(super) fn refresh(&mut self) {
        if let Self::Device(run) = self {
            run.refresh();
        }
    }

    /// Whether the known state is newer than at the last call; on the CPU it always may be.
    pub(super) fn take_news(&mut self) -> bool {
        match self {
            Self::Host(_) => true,
            Self::Device(run) => run.take_news(),
        }
    }

    /// Looks at what a device has to tell.
    pub(super) fn look(&mut self) -> Advance {
        match self {
            Self::Host(_) => Advance::Steps(0),
            Self::Device(run) => match run.land() {
                Landing::Fine => Advance::Steps(0),
                Landing::Diverged => Advance::Diverged,
                Landing::Failed(error) => Advance::Failed(error),
            },
        }
    }

    /// Works for about `budget` operations and at most `most` steps: on the CPU one, on a device as many as may be ahead.
    pub(super) fn advance(&mut self, budget: &mut u64, most: u32) -> Advance {
        match self {
            Self::Host(run) => match run.advance(budget) {
                Turn::Working => Advance::Steps(0),
                Turn::Stopped(reason) => Advance::Stopped(reason),
                Turn::Stepped if run.is_finite() => {
                    run.keep();
                    Advance::Steps(1)
                }
                Turn::Stepped => {
                    run.restore_kept();
                    Advance::Diverged
                }
            },
            Self::Device(run) => match run.advance(*budget, most) {
                Ok(steps) => Advance::Steps(steps),
                Err(reason) => Advance::Stopped(reason),
            },
        }
    }

    /// What the host knows of a buffer.
    pub(super) fn get(&self, name: &str) -> Option<&[f32]> {
        match self {
            Self::Host(run) => run.cpu.get(name),
            Self::Device(run) => run.get(name),
        }
    }

    /// What the host knows of every buffer.
    pub(super) fn state(&self) -> Vec<(&str, &[f32])> {
        match self {
            Self::Host(run) => run.cpu.state().collect(),
            Self::Device(run) => run.state().collect(),
        }
    }

    /// Drift and repulsion at the known state; where they are not known yet, they are asked for.
    pub(super) fn arrows(&mut self) -> Option<(Vec<f32>, Vec<f32>)> {
        match self {
            Self::Host(run) => run.arrows(),
            Self::Device(run) => run.arrows(),
        }
    }

    /// Sets live scalars.
    pub(super) fn uniforms(&mut self, values: &[(&'static str, f32)]) {
        match self {
            Self::Host(run) => run.uniforms(values),
            Self::Device(run) => run.uniforms(values),
        }
    }

    /// Takes over step and state of `other`, buffers it has with the same size.
    pub(super) fn adopt(&mut self, other: &Self) {
        match (self, other) {
            (Self::Host(run), Self::Host(other)) => run.adopt(other),
            (Self::Device(run), Self::Device(other)) => run.adopt(other),
            (own, other) => own.resume(other.seen(), &other.state()),
        }
    }

    /// Declares buffers to be the state after `step` steps; those of unknown name or other size are left out.
    pub(super) fn resume(&mut self, step: u32, buffers: &[(&str, &[f32])]) {
        for (name, data) in buffers {
            if self.get(name).is_some_and(|own| own.len() == data.len()) {
                match self {
                    Self::Host(run) => run.cpu.set(name, data),
                    Self::Device(run) => run.set(name, data),
                }
            }
        }
        match self {
            Self::Host(run) => run.resume_at(step),
            Self::Device(run) => run.resume_at(step),
        }
    }

    /// `cpu` or `gpu`.
    pub(super) fn backend(&self) -> &'static str {
        match self {
            Self::Host(_) => "cpu",
            Self::Device(_) => "gpu",
        }
    }

    /// The device in words.
    pub(super) fn device(&self) -> String {
        match self {
            Self::Host(run) => run.cpu.device(),
            Self::Device(run) => run.gpu().device().name(),
        }
    }

    /// What two runs have to share for their states to agree bit by bit, as digests name it.
    pub(super) fn module(&self) -> String {
        match self {
            Self::Host(run) => run.cpu.module(),
            Self::Device(run) => {
                let name = run.gpu().device().name();
                let plain = |c: char| c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase());
                let slug: String = name.chars().map_while(plain).take(24).collect();
                format!("gpu-{slug}")
            }
        }
    }

    /// Waits until the host knows the state after the last step.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn wait(&self) {
        if let Self::Device(run) = self {
            run.gpu().device().wait();
        }
    }
}
