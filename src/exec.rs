//! Executors: a program is loaded once and replayed. So far the CPU, in f32 (runs) and f64 (oracles).

mod cpu;
mod eval;
#[cfg(not(target_arch = "wasm32"))]
pub mod gpu;
mod plan;

pub use cpu::{Cpu, Progress};

#[cfg(test)]
mod tests;
