//! Small networks and how they are trained: parts that systems put into their graphs.
//!
//! A network is a plain function from values to values, differentiated like everything else; its parameters are named
//! persistent buffers, and an optimiser is a graph function from a value and its gradient to the next value. There are no
//! layer objects and no modes. A dense layer is a matrix product whose bias and activation run on each tile while it is in
//! cache; a wide two-layer network is one pairwise sum ([`two_layer`]), which stores no activation at all.

mod activation;
mod init;
mod lbfgs;
mod network;
mod optimizer;

pub use activation::Activation;
pub use init::{glorot, he, sphere, uniform};
pub use lbfgs::{Ask, Lbfgs};
pub use network::{Potential, dense, mlp, two_layer};
pub use optimizer::{Optimizer, Schedule, minibatch};

#[cfg(test)]
mod tests;
