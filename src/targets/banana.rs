//! The banana: −x²/8 − 2(y − x²/4 + 1)², that is x ~ N(0, 4) and y | x ~ N(x²/4 − 1, ¼).
//!
//! **Source** a Gaussian bent along a parabola, after H. Haario, E. Saksman, J. Tamminen (1999), Computational Statistics 14.

use super::{Target, TargetParams};
use crate::error::Result;
use crate::expr::Expr;
use std::f64::consts::TAU;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(2..=2)?;
    let log_density = || {
        let (x, y) = (Expr::arg(0), Expr::arg(1));
        let square = x.clone() * x;
        let off = y - square.clone() * 0.25 + 1.0;
        square * -0.125 - off.clone() * off * 2.0
    };
    let mut target = Target::new(
        d,
        Box::new(move |g, x| g.map(log_density(), &[x.column(0), x.column(1)])),
    );
    // Standard deviations 2 and ½.
    target.log_normalizer = Some(TAU.ln());
    // E x² = 4 and E x⁴ = 48: mean (0, 0), var y = ¼ + (48 − 16)/16, cov(x, y) = E x³/4 = 0.
    target.moments = Some((vec![0.0, 0.0], vec![4.0, 0.0, 0.0, 2.25]));
    target.frame = [-6.0, -3.0, 6.0, 7.0];
    Ok(target.sampled_by(|source, row| {
        let x = 2.0 * source.normal();
        row.copy_from_slice(&[x, 0.25 * x * x - 1.0 + 0.5 * source.normal()]);
    }))
}
