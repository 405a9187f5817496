//! The densities of the generators. Nearly all are points, or curves, blurred by a Gaussian: a curve becomes a quadrature rule
//! for the blur, so that one formula serves them all.

use super::draws::{RINGS, around, eight};
use super::{Entropy, Generator};
use crate::graph::{Graph, Transposed, Var};
use crate::rng::{self, stream};
use crate::targets::{Target, mixture, nodes};
use std::f64::consts::{E, FRAC_1_SQRT_2, PI, TAU};

/// Σ_k w_k N(c_k, σ² I).
pub(super) struct Centres {
    pub(super) d: usize,
    /// c_k, `[modes, d]`.
    pub(super) points: Vec<f64>,
    /// w_k, summing to 1.
    pub(super) weights: Vec<f64>,
    pub(super) sigma: f64,
}

/// Width of a piece of curve in units of σ on which the 8-point rule integrates the blur to about 10⁻⁶.
const PIECE: f64 = 4.0;

/// Gaps that are looked at for an entropy, more or less.
const DRAW_WORK: usize = 1 << 22;

impl Centres {
    /// Equally heavy points.
    fn equal(points: Vec<f64>, d: usize, sigma: f64) -> Self {
        let modes = points.len() / d;
        Self {
            d,
            points,
            weights: vec![1.0 / modes as f64; modes],
            sigma,
        }
    }

    /// The mixture of the catalogue of targets.
    pub(super) fn of_mixture(modes: usize, d: usize, seed: u32) -> Self {
        Self::equal(
            mixture::centres(modes, d, seed),
            d,
            mixture::VARIANCE.sqrt(),
        )
    }

    fn none(sigma: f64) -> Self {
        Self::equal(Vec::new(), 2, sigma)
    }

    /// Adds the curve t ↦ `point(t)` for t in `range`, run through at speed |dc/dt| = `speed(t)`, with the distribution
    /// `density(t)` dt over it.
    fn curve(
        mut self,
        [start, end]: [f64; 2],
        speed: impl Fn(f64) -> f64,
        point: impl Fn(f64) -> [f64; 2],
        density: impl Fn(f64) -> f64,
    ) -> Self {
        let mut from = start;
        while from < end {
            let to = (from + PIECE * self.sigma / speed(from)).min(end);
            for (t, weight) in nodes(from, to) {
                self.points.extend(point(t));
                self.weights.push(weight * density(t));
            }
            from = to;
        }
        self
    }

    /// log Σ_k w_k N(x; c_k, σ² I), the squares expanded, so that one product serves all points.
    fn log_density<'g>(&self, g: &'g Graph, x: Var<'g>) -> Var<'g> {
        let (modes, scale) = (self.weights.len(), 1.0 / (self.sigma * self.sigma));
        let rows = self.points.chunks_exact(self.d);
        let offsets = rows.zip(&self.weights).map(|(c, w)| {
            let square: f64 = c.iter().map(|v| v * v).sum();
            w.ln() - 0.5 * scale * square
        });
        let offsets = g.constant(offsets.collect::<Vec<_>>(), &[modes]);
        let points = g.constant(&self.points[..], &[modes, self.d]);
        let along = x.matmul_with(points, Transposed::No, Transposed::Yes) * scale;
        let mixed = (along + offsets).logsumexp(1);
        mixed
            - x.square().sum(1) * (0.5 * scale)
            - 0.5 * self.d as f64 * (TAU * self.sigma * self.sigma).ln()
    }

    /// Mean and covariance.
    fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let d = self.d;
        let rows = || self.points.chunks_exact(d).zip(&self.weights);
        let mean: Vec<f64> = (0..d)
            .map(|i| rows().map(|(c, w)| w * c[i]).sum())
            .collect();
        let mut covariance = vec![0.0; d * d];
        for (c, w) in rows() {
            for i in 0..d {
                for j in 0..d {
                    covariance[i * d + j] += w * (c[i] - mean[i]) * (c[j] - mean[j]);
                }
            }
        }
        for i in 0..d {
            covariance[i * d + i] += self.sigma * self.sigma;
        }
        (mean, covariance)
    }

    /// H = d/2 log 2πeσ² − E log Σ_j w_j exp(−(|x − c_j|² − |x − c_k|²)/2σ²) for x = c_k + σz: a mean over thousands of draws of
    /// what the modes share, which is small; the rest is exact.
    pub(super) fn entropy(&self, seed: u32) -> Entropy {
        let (d, modes) = (self.d, self.weights.len());
        let draws = (DRAW_WORK / (d * modes)).clamp(4096, 65_536);
        let purpose = stream::SHAPE;
        let choice = rng::uniform_vec(seed, stream::uniforms(purpose), 1, draws);
        let normals = rng::normal_vec(seed, purpose, 1, draws * d);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (u, z) in choice.iter().zip(normals.chunks_exact(d)) {
            let own = ((f64::from(*u) * modes as f64) as usize).min(modes - 1);
            let c = &self.points[own * d..][..d];
            let total: f64 = (0..modes)
                .map(|j| {
                    let other = &self.points[j * d..][..d];
                    // |x − c_j|² − |x − c_k|² = |c_k − c_j|² + 2σ z·(c_k − c_j).
                    let gaps = c.iter().zip(other).zip(z).map(|((a, b), z)| {
                        let gap = (a - b) / self.sigma;
                        0.5 * gap * gap + gap * f64::from(*z)
                    });
                    self.weights[j] * (-gaps.sum::<f64>()).exp()
                })
                .sum();
            sum += total.ln();
            squares += total.ln().powi(2);
        }
        let n = draws as f64;
        let mean = sum / n;
        Entropy {
            value: 0.5 * d as f64 * (TAU * E * self.sigma * self.sigma).ln() - mean,
            error: ((squares / n - mean * mean).max(0.0) / n).sqrt(),
        }
    }

    fn target(self, frame: [f32; 4]) -> Target {
        let moments = self.moments();
        let mut target = Target::new(2, Box::new(move |g, x| self.log_density(g, x)));
        target.log_normalizer = Some(0.0);
        target.moments = Some(moments);
        target.frame = frame;
        target
    }
}

fn centred(reach: f32) -> [f32; 4] {
    [-reach, -reach, reach, reach]
}

fn polar(radius: f64, angle: f64) -> [f64; 2] {
    let (sine, cosine) = crate::expr::sine_cosine(angle);
    [radius * cosine, radius * sine]
}

/// Circles of these radii, equally heavy. The rule of equal steps is exact to rounding for closed curves.
fn circles(radii: &[f64], sigma: f64) -> Centres {
    radii.iter().fold(Centres::none(sigma), |mut all, &radius| {
        let count = (TAU * radius / (0.8 * sigma)).ceil();
        for angle in around(count as usize) {
            all.points.extend(polar(radius, angle));
            all.weights.push(1.0 / (count * radii.len() as f64));
        }
        all
    })
}

/// The density of a generator of the plane, normalised, and its entropy (by quadrature of the density, see the tests).
pub(super) fn planar(generator: Generator) -> (Target, f64) {
    match generator {
        Generator::EightGaussians => {
            let centres = Centres::equal(eight(), 2, 0.5 * FRAC_1_SQRT_2);
            (centres.target(centred(4.0)), 2.83158)
        }
        Generator::Moons => {
            let upper = |t: f64| {
                let [x, y] = polar(2.0, t);
                [x - 1.0, y - 0.2]
            };
            let lower = |t: f64| {
                let [x, y] = polar(2.0, t);
                [1.0 - x, 0.8 - y]
            };
            let half = |centres: Centres, point: &dyn Fn(f64) -> [f64; 2]| {
                centres.curve([0.0, PI], |_| 2.0, point, |_| 0.5 / PI)
            };
            let centres = half(half(Centres::none(0.2), &upper), &lower);
            (centres.target([-3.8, -2.2, 3.8, 2.8]), 2.39388)
        }
        Generator::Circles => (circles(&[3.0, 1.5], 0.24).target(centred(4.2)), 3.26814),
        Generator::Rings => {
            let radii = RINGS.map(|r| 3.0 * r);
            (circles(&radii, 0.08).target(centred(3.8)), 2.62318)
        }
        Generator::SwissRoll => {
            let speed = |t: f64| 0.2 * (1.0 + t * t).sqrt();
            let point = |t: f64| polar(0.2 * t, t);
            let whole = [1.5 * PI, 4.5 * PI];
            let centres = Centres::none(0.2).curve(whole, speed, point, |_| 1.0 / (3.0 * PI));
            (centres.target([-3.0, -3.0, 3.6, 3.6]), 2.66965)
        }
        Generator::Pinwheel => (pinwheel(), 2.31779),
        Generator::TwoSpirals => (two_spirals().target(centred(4.2)), 2.64545),
        Generator::Checkerboard => (checkerboard(), 32f64.ln()),
        Generator::Gaussian | Generator::Mixture | Generator::File => {
            unreachable!("not a generator of the plane")
        }
    }
}

/// Each spiral is blurred by a square of side 1/6 besides the noise; three nodes a side integrate that to 10⁻⁵.
fn two_spirals() -> Centres {
    let square = [
        (-0.6f64.sqrt(), 5.0 / 18.0),
        (0.0, 4.0 / 9.0),
        (0.6f64.sqrt(), 5.0 / 18.0),
    ];
    let speed = |t: f64| (1.0 + t * t).sqrt() / 3.0;
    let mut centres = Centres::none(0.1);
    for sign in [1.0, -1.0] {
        for (across, a) in square {
            for (up, b) in square {
                let point = |t: f64| {
                    let [x, y] = polar(t / 3.0, t);
                    [
                        sign * (1.0 / 12.0 * (1.0 + across) - x),
                        sign * (1.0 / 12.0 * (1.0 + up) + y),
                    ]
                };
                // u = (t/3π)² is uniform.
                let density = |t: f64| 0.5 * a * b * 2.0 * t / (9.0 * PI * PI);
                centres = centres.curve([0.0, 3.0 * PI], speed, point, density);
            }
        }
    }
    centres
}

/// Equal on the squares where ⌊x/2⌋ and ⌊y/2⌋ are both even or both odd.
fn checkerboard_log_density<'g>(g: &'g Graph, x: Var<'g>) -> Var<'g> {
    let x = x * 0.5;
    let (a, b) = (x.column(0), x.column(1));
    let inside = |v: Var<'g>| (2.0 - v.abs()).step();
    // 1 where ⌊v⌋ is odd, for |v| < 2.
    let odd = |v: Var<'g>| (v + 1.0).step() - v.step() + (v - 1.0).step();
    let same = 0.5 - (odd(a) - odd(b)).abs();
    let dark = inside(a) * inside(b) * same;
    dark.choose(g.scalar(-(32f64.ln())), g.scalar(OFF_SUPPORT))
}

fn checkerboard() -> Target {
    let mut target = Target::new(2, Box::new(checkerboard_log_density));
    target.log_normalizer = Some(0.0);
    let third = 16.0 / 3.0;
    target.moments = Some((vec![0.0, 0.0], vec![third, 1.0, 1.0, third]));
    target.frame = centred(4.5);
    target
}

/// log-density where there is none: finite, so that pictures and sums of it stay so.
const OFF_SUPPORT: f64 = -1000.0;

/// Radial standard deviation, tangential one, and rate of the turn.
const ARM: [f64; 3] = [0.3, 0.1, 0.25];
/// Newton steps towards the radial coordinate.
const NEWTON: usize = 12;

/// The map (radial a, tangential b) ↦ 2 R(−θ_k − r eᵃ)(a, b) has determinant 4(1 + r eᵃ b), and is undone by solving for a.
fn pinwheel_log_density<'g>(g: &'g Graph, x: Var<'g>) -> Var<'g> {
    let [radial, tangential, rate] = ARM;
    let n = x.shape()[0];
    let p = x * 0.5;
    let (p, q) = (p.slice(1, 0, 1), p.slice(1, 1, 1));
    let arms = g.constant(around(5), &[5]);
    let unwound = |a: Var<'g>| {
        let angle = arms + rate * a.exp();
        let (cosine, sine) = (angle.cos(), angle.sin());
        (p * cosine - q * sine, p * sine + q * cosine)
    };
    let determinant = |a: Var<'g>, b: Var<'g>| largest(1.0 + rate * a.exp() * b, 0.2);
    let start = (p.square() + q.square() + 1e-12).sqrt().broadcast(&[n, 5]);
    let a = start.repeat(NEWTON, |a| {
        let (along, across) = unwound(a);
        let next = a - (a - along) / determinant(a, across);
        // Outside (−1.5, 3.5) the density is nil and eᵃ too large.
        -largest(-largest(next, -1.5), -3.5)
    });
    let (along, b) = unwound(a);
    // What has not converged belongs to another arm.
    let missed = (a - along).square() * 1e6;
    let exponent = ((a - 1.0) * (1.0 / radial)).square() + (b * (1.0 / tangential)).square();
    let each = exponent * -0.5 - determinant(a, b).ln() - missed;
    each.logsumexp(1) - (5.0 * 4.0 * TAU * radial * tangential).ln()
}

fn pinwheel() -> Target {
    let [radial, tangential, _] = ARM;
    let mut target = Target::new(2, Box::new(pinwheel_log_density));
    target.log_normalizer = Some(0.0);
    // Five-fold symmetry: the mean is 0, the covariance isotropic with trace 4 E(a² + b²).
    let spread = 2.0 * (1.0 + radial * radial + tangential * tangential);
    target.moments = Some((vec![0.0, 0.0], vec![spread, 0.0, 0.0, spread]));
    target.frame = centred(4.6);
    target
}

/// max(x, c), entry by entry.
fn largest(x: Var<'_>, c: f64) -> Var<'_> {
    x.map(crate::expr::Expr::arg(0).largest(c))
}
