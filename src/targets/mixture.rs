//! Equal Gaussians of standard deviation ½ on a circle (d = 2) or in random directions (d > 2), 3 away from the origin.

use super::{Target, TargetParams};
use crate::error::Result;
use crate::expr::sine_cosine;
use crate::graph::Transposed;
use crate::linalg::norm;
use crate::rng::{normal_vec, stream};
use std::f64::consts::TAU;

const RADIUS: f64 = 3.0;
/// σ² of every mode.
pub(crate) const VARIANCE: f64 = 0.25;

pub(super) fn build(params: &TargetParams, seed: u32) -> Result<Target> {
    let d = params.dimension(2..=128)?;
    let modes = params.modes;
    let centres = centres(modes, d, seed);

    let points = centres.clone();
    let mut target = Target::new(
        d,
        Box::new(move |g, x| {
            // log Σ exp(−|x−c|²/2σ²) with the squares expanded, so that one product serves all modes.
            let centres = g.constant(points.clone(), &[modes, d]);
            let half_squares = vec![0.5 * RADIUS * RADIUS; modes];
            let along = x.matmul_with(centres, Transposed::No, Transposed::Yes);
            let exponents = (along - g.constant(half_squares, &[modes])) * VARIANCE.recip();
            exponents.logsumexp(1) - x.square().sum(1) * (0.5 / VARIANCE)
        }),
    );
    target.log_normalizer = Some((modes as f64).ln() + 0.5 * d as f64 * (TAU * VARIANCE).ln());
    target.frame = [-4.5, -4.5, 4.5, 4.5];
    target.moments = Some(moments(&centres, d));
    Ok(target.sampled_by(move |source, row| {
        let mode = ((source.uniform() * modes as f64) as usize).min(modes - 1);
        for (out, c) in row.iter_mut().zip(&centres[mode * d..]) {
            *out = c + VARIANCE.sqrt() * source.normal();
        }
    }))
}

/// The centres, `[modes, d]`, row-major.
pub(crate) fn centres(modes: usize, d: usize, seed: u32) -> Vec<f64> {
    if d == 2 {
        let angles = (0..modes).map(|k| TAU * k as f64 / modes as f64);
        return angles
            .flat_map(|a| {
                let (sine, cosine) = sine_cosine(a);
                [RADIUS * cosine, RADIUS * sine]
            })
            .collect();
    }
    let draws = normal_vec(seed, stream::SHAPE, 0, modes * d);
    let mut out: Vec<f64> = draws.into_iter().map(f64::from).collect();
    for centre in out.chunks_exact_mut(d) {
        let length = norm(centre);
        for v in centre {
            *v *= RADIUS / length;
        }
    }
    out
}

fn moments(centres: &[f64], d: usize) -> (Vec<f64>, Vec<f64>) {
    let modes = (centres.len() / d) as f64;
    let mut mean = vec![0.0; d];
    for centre in centres.chunks_exact(d) {
        for (m, c) in mean.iter_mut().zip(centre) {
            *m += c / modes;
        }
    }
    let mut covariance = vec![0.0; d * d];
    for i in 0..d {
        covariance[i * d + i] = VARIANCE;
        for j in 0..d {
            let products = centres
                .chunks_exact(d)
                .map(|c| (c[i] - mean[i]) * (c[j] - mean[j]));
            covariance[i * d + j] += products.sum::<f64>() / modes;
        }
    }
    (mean, covariance)
}
