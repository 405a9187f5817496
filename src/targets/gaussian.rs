//! N(μ, Σ): −½(x−μ)ᵀΣ⁻¹(x−μ).

use super::{Target, TargetParams};
use crate::error::{Problem, Result};
use crate::linalg::{cholesky, cholesky_log_det, identity, inverse};
use crate::params::shortest;
use std::f64::consts::TAU;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(1..=128)?;
    let (mean, cov) = (mean(params, d)?, covariance(params, d)?);
    let refuse = || Problem::new("cov", "the covariance must be positive definite");
    let root = cholesky(&cov, d).ok_or_else(refuse)?;
    let precision = inverse(&cov, d).ok_or_else(refuse)?;
    let diagonal = (0..d * d).all(|i| i / d == i % d || precision[i] == 0.0);
    let weights: Vec<f64> = (0..d).map(|i| precision[i * d + i]).collect();

    let centre = mean.clone();
    let mut target = Target::new(
        d,
        Box::new(move |g, x| {
            let centred = x - g.constant(centre.clone(), &[d]);
            let whitened = if diagonal {
                centred * g.constant(weights.clone(), &[d])
            } else {
                centred.matmul(g.constant(precision.clone(), &[d, d]))
            };
            (whitened * centred).sum(1) * -0.5
        }),
    );
    target.log_normalizer = Some(0.5 * (d as f64 * TAU.ln() + cholesky_log_det(&root, d)));
    let last = d - 1;
    let reach = [0, last.min(1)].map(|i| 3.5 * cov[i * d + i].sqrt());
    let middle = [mean[0], mean[last.min(1)]];
    target.frame = [
        (middle[0] - reach[0]) as f32,
        (middle[1] - reach[1]) as f32,
        (middle[0] + reach[0]) as f32,
        (middle[1] + reach[1]) as f32,
    ];
    target.moments = Some((mean.clone(), cov));
    Ok(target.sampled_by(move |source, row| {
        let z: Vec<f64> = (0..d).map(|_| source.normal()).collect();
        for (i, out) in row.iter_mut().enumerate() {
            let along = z.iter().zip(&root[i * d..]).take(i + 1);
            *out = mean[i] + along.map(|(z, l)| z * l).sum::<f64>();
        }
    }))
}

fn mean(params: &TargetParams, d: usize) -> Result<Vec<f64>> {
    let given = &params.mean.0;
    if given.is_empty() {
        return Ok(vec![0.0; d]);
    }
    if given.len() != d {
        let m = given.len();
        let message = format!("the mean has {m} entries, but d={d}: set d={m} or give {d} entries");
        return Err(Problem::new("mean", message).into());
    }
    Ok(given.iter().map(|v| f64::from(*v)).collect())
}

fn covariance(params: &TargetParams, d: usize) -> Result<Vec<f64>> {
    let given = &params.cov.0;
    if given.is_empty() {
        return Ok(identity(d));
    }
    if given.len() != d * d {
        let message = format!(
            "the covariance has {} entries, but d={d} needs {}, row by row",
            given.len(),
            d * d
        );
        return Err(Problem::new("cov", message).into());
    }
    for i in 0..d {
        for j in 0..i {
            if given[i * d + j] != given[j * d + i] {
                let message = format!(
                    "the covariance must be symmetric; entries ({}, {}) and its mirror are {} and {}",
                    i + 1,
                    j + 1,
                    shortest(given[i * d + j]),
                    shortest(given[j * d + i])
                );
                return Err(Problem::new("cov", message).into());
            }
        }
    }
    Ok(given.iter().map(|v| f64::from(*v)).collect())
}
