//! The multivariate Student t with ν degrees of freedom: −(ν+d)/2 · log(1 + |x|²/ν).

use super::quadrature::line;
use super::{Target, TargetParams};
use crate::error::Result;
use crate::expr::sine_cosine;
use crate::linalg::identity;
use std::f64::consts::{FRAC_PI_2, TAU};

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(1..=128)?;
    let nu = f64::from(params.nu);
    let power = -0.5 * (nu + d as f64);
    let mut target = Target::new(
        d,
        Box::new(move |_, x| (x.square().sum(1) * nu.recip() + 1.0).ln() * power),
    );
    target.log_normalizer = match d {
        // x = √ν tan θ turns the integral into √ν ∫ cos^{ν−1} θ dθ.
        1 => {
            let mass = line(-FRAC_PI_2, FRAC_PI_2, 2000, |t| {
                (sine_cosine(t).1.ln() * (nu - 1.0)).exp()
            });
            Some((nu.sqrt() * mass).ln())
        }
        // ∫ r (1 + r²/ν)^{−(ν+2)/2} dr = 1.
        2 => Some(TAU.ln()),
        _ => None,
    };
    if nu > 2.0 {
        let scale = nu / (nu - 2.0);
        let covariance = identity(d).iter().map(|v| v * scale).collect();
        target.moments = Some((vec![0.0; d], covariance));
    } else {
        let note = "With ν ≤ 2 the covariance is infinite: moment errors and W2 to it mean little.";
        target.notes.push(note.to_owned());
    }
    target.frame = [-7.0, -7.0, 7.0, 7.0];
    Ok(target.sampled_by(move |source, row| {
        let scale = (0.5 * nu / source.gamma(0.5 * nu)).sqrt();
        for out in row {
            *out = scale * source.normal();
        }
    }))
}
