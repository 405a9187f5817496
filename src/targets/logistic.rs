//! A real Bayesian posterior: logistic regression of a penguin's sex on its measurements and species, prior N(0, I).
//!
//! Σ_i log σ(s_i θ·x_i) − ½|θ|² with s_i = ±1, 333 penguins, 7 coefficients. `data/README.md` has the source of the data,
//! their licence and their preparation; the reference moments come from `data/reference.py`.

use super::{Target, TargetParams};
use crate::data::penguins;
use crate::error::{Problem, Result};
use crate::expr::Expr;
use crate::graph::Transposed;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let data = penguins::regression();
    let d = data.axes.len();
    // 2 is the default of `d`, which a link leaves out.
    if params.d != 2 && params.d != d {
        let message = format!(
            "the logistic posterior has d={d}, not {}: leave d out",
            params.d
        );
        return Err(Problem::new("d", message).into());
    }
    let rows = data.signed.len() / d;
    let signed = data.signed;
    let mut target = Target::new(
        d,
        Box::new(move |g, theta| {
            let margins = theta.matmul_with(
                g.constant(signed.clone(), &[rows, d]),
                Transposed::No,
                Transposed::Yes,
            );
            let surprise = margins.map((-Expr::arg(0)).softplus());
            -(surprise.sum(1) + theta.square().sum(1) * 0.5)
        }),
    );
    let (mean, covariance) = data.moments;
    let reach = [0, 1].map(|i| 4.0 * covariance[i * d + i].sqrt());
    target.frame = [
        (mean[0] - reach[0]) as f32,
        (mean[1] - reach[1]) as f32,
        (mean[0] + reach[0]) as f32,
        (mean[1] + reach[1]) as f32,
    ];
    target.moments = Some((mean, covariance));
    target.axes = data.axes.into_iter().map(str::to_owned).collect();
    target
        .notes
        .push("Moments are a tabulated reference: importance sampling, error below 10⁻⁴ posterior standard deviations.".to_owned());
    Ok(target)
}
