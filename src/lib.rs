//! Pushforward: optimal transport meets machine learning, really computed, in a browser and in a terminal.
//!
//! One description of a step (expressions, graphs, programs), two executors, many small systems. `ARCHITECTURE.md` has
//! the code map and the invariants; modules import only leftwards along
//! `decimal, error, json, order, params, rng, expr, linalg → graph → kernels → exec → nn, ot, targets, data, metrics → systems →
//! session, scene → link, manifest, playground → cli, web`.

#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod data;
pub mod decimal;
pub mod error;
pub mod exec;
pub mod expr;
pub mod graph;
pub mod json;
pub mod kernels;
pub mod linalg;
pub mod link;
pub mod manifest;
pub mod metrics;
pub mod nn;
pub mod order;
pub mod ot;
pub mod params;
pub mod playground;
pub mod rng;
pub mod scene;
pub mod session;
pub mod systems;
pub mod targets;
#[cfg(target_arch = "wasm32")]
pub mod web;
