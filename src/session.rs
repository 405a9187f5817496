//! A run: programs, executor, clocks, metric log, snapshots. No I/O, no wall clock, no browser.

use crate::error::{Divergence, Result};
use crate::metrics::{Cloud, Metric};
use crate::params::Class;
use crate::systems::{Entry, Inputs, Stage, System};

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

/// What is known of one run, and how to advance it.
pub struct Session {}

#[allow(
    missing_docs,
    unused_variables,
    clippy::unimplemented,
    reason = "skeleton"
)]
impl Session {
    /// Starts a run of `entry` with these parameters, at step 0.
    pub fn new(entry: &'static Entry, system: Box<dyn System>, inputs: Inputs) -> Result<Self> {
        unimplemented!()
    }
    pub fn entry(&self) -> &'static Entry {
        unimplemented!()
    }
    pub fn system(&self) -> &dyn System {
        unimplemented!()
    }
    /// What to draw and measure.
    pub fn stage(&self) -> &Stage {
        unimplemented!()
    }
    pub fn notes(&self) -> &[String] {
        unimplemented!()
    }
    /// Steps done.
    pub fn step(&self) -> u32 {
        unimplemented!()
    }
    pub fn default_steps(&self) -> u32 {
        unimplemented!()
    }
    pub fn status(&self) -> &Status {
        unimplemented!()
    }
    /// Works for about `budget` units (roughly floating point operations) and returns the steps completed; 0 while a long
    /// step is unfinished. The budget never changes results.
    pub fn advance(&mut self, budget: u64, max_steps: u32) -> u32 {
        unimplemented!()
    }
    /// Runs to step `k` or until the run ends.
    pub fn run_to(&mut self, k: u32) {
        unimplemented!()
    }
    /// The particles, row-major [n, d].
    pub fn particles(&self) -> &[f32] {
        unimplemented!()
    }
    pub fn cloud(&self) -> Cloud {
        unimplemented!()
    }
    /// Takes a cloud when a probe step has come, and works on its metrics for about `budget` units. True while work is left.
    pub fn measure(&mut self, budget: u64) -> bool {
        unimplemented!()
    }
    /// Measures the present step to the end (terminal, pauses) and returns the row.
    pub fn measure_now(&mut self) -> Row {
        unimplemented!()
    }
    pub fn metrics(&self) -> &[Metric] {
        unimplemented!()
    }
    pub fn log(&self) -> &[Row] {
        unimplemented!()
    }
    /// Edits a parameter of the run in progress, by its class.
    pub fn set(&mut self, key: &str, text: &str) -> Result<Class> {
        unimplemented!()
    }
    /// Step of the first live edit since step 0, if any.
    pub fn edited_at(&self) -> Option<u32> {
        unimplemented!()
    }
    /// Back to step 0 with the same parameters: the same initial state.
    pub fn reset(&mut self) -> Result<()> {
        unimplemented!()
    }
    /// SVGD's drift and repulsion at the present particles, each [n, d], where the system has them.
    pub fn arrows(&mut self) -> Option<(Vec<f32>, Vec<f32>)> {
        unimplemented!()
    }
    /// The kernel's present width h.
    pub fn kernel_width(&self) -> Option<f32> {
        unimplemented!()
    }
    /// Hash of the state's f32 bits with build target and module, e.g. `x86_64-fma-1a2b3c4d`.
    pub fn digest(&self) -> String {
        unimplemented!()
    }
    /// `cpu` or `gpu`.
    pub fn backend(&self) -> &'static str {
        "cpu"
    }
    /// The device in words, e.g. `CPU, AVX2`.
    pub fn device(&self) -> String {
        unimplemented!()
    }
    /// State, step and log as bytes, to resume elsewhere.
    pub fn snapshot(&self) -> Vec<u8> {
        unimplemented!()
    }
    /// Resumes from a snapshot of the same configuration.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        unimplemented!()
    }
}
