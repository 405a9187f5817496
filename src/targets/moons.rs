//! Two crescents facing each other: a ring of radius 2 and width 0.4, weighted towards x₀ = ±2.
//!
//! **Source** the first of the test energies of D. Rezende, S. Mohamed (2015), Variational inference with normalizing flows.

use super::quadrature::line;
use super::ring::ROOT_FLOOR;
use super::{Target, TargetParams};
use crate::error::Result;
use crate::expr::sine_cosine;
use std::f64::consts::{PI, TAU};

const RADIUS: f64 = 2.0;
const WIDTH: f64 = 0.4;
const BUMP: f64 = 0.6;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(2..=2)?;
    let mut target = Target::new(
        d,
        Box::new(move |_, x| {
            let radius = (x.square().sum(1) + ROOT_FLOOR).sqrt();
            // log(e^{−(a−2)²/2s²} + e^{−(a+2)²/2s²}) = −(a² + 4)/2s² + log(2 cosh(2a/s²)), and log 2cosh z =
            // |z| + log(1 + e^{−2|z|}): no exponential can overflow.
            let a = x.column(0);
            let z = (a * (RADIUS / (BUMP * BUMP))).abs();
            let cosh = z + ((z * -2.0).exp() + 1.0).ln();
            (radius - RADIUS).square() * (-0.5 / (WIDTH * WIDTH))
                - (a.square() + RADIUS * RADIUS) * (0.5 / (BUMP * BUMP))
                + cosh
        }),
    );
    // In polar coordinates; the integrand in the angle is periodic, so 256 equal steps are exact to rounding.
    let angles = 256;
    let moment = |weight: &dyn Fn(f64, f64) -> f64| {
        line(1e-9, RADIUS + 12.0 * WIDTH, 300, |r| {
            let around = (0..angles).map(|k| TAU * f64::from(k) / f64::from(angles));
            let sum: f64 = around
                .map(|t| {
                    let (sine, cosine) = sine_cosine(t);
                    bumps(r * cosine) * weight(r * cosine, r * sine)
                })
                .sum();
            r * (-0.5 * ((r - RADIUS) / WIDTH).powi(2)).exp() * sum * 2.0 * PI / f64::from(angles)
        })
    };
    let mass = moment(&|_, _| 1.0);
    let (xx, yy) = (moment(&|x, _| x * x) / mass, moment(&|_, y| y * y) / mass);
    target.log_normalizer = Some(mass.ln());
    target.moments = Some((vec![0.0, 0.0], vec![xx, 0.0, 0.0, yy]));
    target.frame = [-4.0, -3.5, 4.0, 3.5];
    Ok(target.sampled_by(|source, row| {
        // Rejection from the ring; the two bumps never add up to more than 1 + e⁻²².
        loop {
            let r = source.shell_radius(2, RADIUS, WIDTH);
            source.direction(r, row);
            if source.uniform() * (1.0 + 1e-9) < bumps(row[0]) {
                return;
            }
        }
    }))
}

fn bumps(a: f64) -> f64 {
    let bump = |centre: f64| (-0.5 * ((a - centre) / BUMP).powi(2)).exp();
    bump(RADIUS) + bump(-RADIUS)
}
