//! Optimal transport between equal-size clouds on the host: exact assignment and the sliced distance, both resumable.
//!
//! These are measuring instruments, in f64, for up to about a thousand points; transport that is differentiated or runs
//! on a device is written as a graph.

mod assignment;
mod sliced;

pub use assignment::{Assignment, squared_costs};
pub use sliced::Sliced;

#[cfg(test)]
mod tests;
