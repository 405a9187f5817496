//! Executors: a program is loaded once and replayed, on the CPU in f32 (runs) and f64 (oracles), or on a WebGPU device.

mod cpu;
mod eval;
pub mod gpu;
mod plan;

pub use cpu::{Cpu, Progress};

#[cfg(test)]
mod tests;
