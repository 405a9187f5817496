//! A spherical shell: −(|x| − 2.5)²/(2·0.3²), in any dimension (in one: two bumps).

use super::quadrature::line;
use super::{Target, TargetParams};
use crate::error::Result;
use std::f64::consts::{PI, TAU};

const RADIUS: f64 = 2.5;
const WIDTH: f64 = 0.3;

/// Added to |x|² under the root, so that the score at the origin is 0 instead of 0/0; it moves |x| by less than 10⁻⁸
/// wherever the density is above e⁻³⁰ of its top.
pub(super) const ROOT_FLOOR: f64 = 1e-12;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(1..=128)?;
    let mut target = Target::new(
        d,
        Box::new(|_, x| {
            let radius = (x.square().sum(1) + ROOT_FLOOR).sqrt();
            (radius - RADIUS).square() * (-0.5 / (WIDTH * WIDTH))
        }),
    );
    let k = (d - 1) as f64;
    // Radial integrals relative to the integrand's top, where r^{d−1} may be huge.
    let mode = 0.5 * (RADIUS + (RADIUS * RADIUS + 4.0 * k * WIDTH * WIDTH).sqrt());
    let log_shell = |r: f64| k * (r / mode).ln() - 0.5 * ((r - RADIUS) / WIDTH).powi(2);
    let top = log_shell(mode);
    let (low, high) = ((mode - 12.0 * WIDTH).max(1e-12), mode + 12.0 * WIDTH);
    let mass = line(low, high, 400, |r| (log_shell(r) - top).exp());
    let second = line(low, high, 400, |r| r * r * (log_shell(r) - top).exp()) / mass;
    target.log_normalizer = Some(mass.ln() + top + k * mode.ln() + log_sphere(d));
    let mut covariance = vec![0.0; d * d];
    for i in 0..d {
        covariance[i * d + i] = second / d as f64;
    }
    target.moments = Some((vec![0.0; d], covariance));
    let reach = (mode + 4.0 * WIDTH) as f32;
    target.frame = [-reach, -reach, reach, reach];
    Ok(target.sampled_by(move |source, row| {
        let r = source.shell_radius(d, RADIUS, WIDTH);
        source.direction(r, row);
    }))
}

/// log of the surface of the unit sphere in d dimensions: 2, 2π, then S_d = 2π/(d−2) · S_{d−2}.
fn log_sphere(d: usize) -> f64 {
    match d {
        1 => 2f64.ln(),
        2 => (2.0 * PI).ln(),
        _ => (TAU / (d as f64 - 2.0)).ln() + log_sphere(d - 2),
    }
}
