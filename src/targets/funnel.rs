//! Neal's funnel: v = x₀ ~ N(0, 1.5²), the other coordinates N(0, eᵛ) given v.
//!
//! **Source** R. Neal (2003). Slice sampling. Annals of Statistics 31, section 8, with standard deviation 1.5 for 3.

use super::{Target, TargetParams};
use crate::error::Result;
use std::f64::consts::TAU;

const SPREAD: f64 = 1.5;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(2..=128)?;
    let others = (d - 1) as f64;
    let mut target = Target::new(
        d,
        Box::new(move |_, x| {
            let v = x.column(0);
            let squares = x.slice(1, 1, d - 1).square().sum(1);
            v.square() * (-0.5 / (SPREAD * SPREAD))
                - squares * (-v).exp() * 0.5
                - v * (0.5 * others)
        }),
    );
    target.log_normalizer = Some(0.5 * d as f64 * TAU.ln() + SPREAD.ln());
    let mut covariance = vec![0.0; d * d];
    covariance[0] = SPREAD * SPREAD;
    for i in 1..d {
        // E eᵛ of a normal v.
        covariance[i * d + i] = (0.5 * SPREAD * SPREAD).exp();
    }
    target.moments = Some((vec![0.0; d], covariance));
    target.frame = [-5.0, -8.0, 5.0, 8.0];
    target.axes = std::iter::once("v".to_owned())
        .chain((1..d).map(|i| format!("x{i}")))
        .collect();
    Ok(target.sampled_by(|source, row| {
        let v = SPREAD * source.normal();
        row[0] = v;
        for out in &mut row[1..] {
            *out = (0.5 * v).exp() * source.normal();
        }
    }))
}
