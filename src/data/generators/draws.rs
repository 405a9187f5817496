//! The generators as graphs: how each turns uniforms and normals into rows.
//!
//! **Source** the toy densities of W. Grathwohl, R. Chen, J. Bettencourt, I. Sutskever, D. Duvenaud, "FFJORD" (ICLR 2019), which
//! the flow literature shares; moons and Swiss roll as in scikit-learn's `make_moons` and `make_swiss_roll`.

use super::Generator;
use super::density::Centres;
use crate::graph::{Draw, Graph, Transposed, Var};
use crate::linalg::identity;
use crate::rng::stream::uniforms;
use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

/// Radii of the four rings, before they are stretched by 3.
pub(super) const RINGS: [f64; 4] = [1.0, 0.75, 0.5, 0.25];

/// Angles, in radians, of `count` arms around the origin.
pub(super) fn around(count: usize) -> Vec<f64> {
    let angle = |k: usize| TAU * k as f64 / count as f64;
    (0..count).map(angle).collect()
}

/// Centres of the eight Gaussians, `[8, 2]`.
pub(super) fn eight() -> Vec<f64> {
    let centre = |a: f64| {
        let (sine, cosine) = crate::expr::sine_cosine(a);
        [4.0 * FRAC_1_SQRT_2 * cosine, 4.0 * FRAC_1_SQRT_2 * sine]
    };
    around(8).into_iter().flat_map(centre).collect()
}

/// The raw draws of `n` rows in the plane.
struct Raw<'g> {
    normals: Var<'g>,
    uniforms: Var<'g>,
    n: usize,
}

impl<'g> Raw<'g> {
    /// Uniform on (0, 1), `[n, 1]`.
    fn uniform(&self, column: usize) -> Var<'g> {
        self.uniforms.slice(1, column, 1)
    }

    /// −1 or 1 with equal chance, `[n, 1]`.
    fn sign(&self, column: usize) -> Var<'g> {
        (self.uniform(column) - 0.5).step() * 2.0 - 1.0
    }

    /// One of the entries of `table`, with equal chance, `[n, 1]`.
    fn pick(&self, table: Vec<f64>, column: usize) -> Var<'g> {
        let entries = table.len();
        let table = self.uniforms.graph().constant(table, &[entries, 1]);
        // A gather rounds its index down.
        table.gather(self.uniform(column).reshape(&[self.n]) * entries as f64)
    }
}

fn join<'g>(x: Var<'g>, y: Var<'g>) -> Var<'g> {
    x.graph().concat(&[x, y], 1)
}

/// `n` rows of a generator of the plane.
///
/// **Shapes** result `[n, 2]`.
pub(super) fn planar<'g>(generator: Generator, g: &'g Graph, n: usize, stream: u32) -> Var<'g> {
    let raw = Raw {
        normals: g.random(Draw::Normal, stream, &[n, 2]),
        uniforms: g.random(Draw::Uniform, uniforms(stream), &[n, 4]),
        n,
    };
    let noise = raw.normals;
    match generator {
        Generator::EightGaussians => {
            let centres = g.constant(eight(), &[8, 2]);
            let index = raw.uniform(0).reshape(&[n]) * 8.0;
            centres.gather(index) + noise * (0.5 * FRAC_1_SQRT_2)
        }
        Generator::Moons => {
            let (angle, upper) = (raw.uniform(0) * PI, raw.uniform(1) - 0.5);
            let (x, y) = (angle.cos(), angle.sin());
            let arcs = join(upper.choose(x, 1.0 - x), upper.choose(y, 0.5 - y));
            let shift = g.constant(vec![-1.0, -0.2], &[2]);
            (arcs + 0.1 * noise) * 2.0 + shift
        }
        Generator::Circles => {
            let radius = raw.pick(vec![1.0, 0.5], 1);
            (circle(raw.uniform(0), radius) + 0.08 * noise) * 3.0
        }
        Generator::Rings => {
            let radius = raw.pick(RINGS.to_vec(), 1);
            circle(raw.uniform(0), radius) * 3.0 + 0.08 * noise
        }
        Generator::SwissRoll => {
            let t = (1.0 + 2.0 * raw.uniform(0)) * (1.5 * PI);
            (join(t * t.cos(), t * t.sin()) + noise) * 0.2
        }
        Generator::Pinwheel => {
            let (radial, tangential) =
                (1.0 + 0.3 * noise.slice(1, 0, 1), 0.1 * noise.slice(1, 1, 1));
            let angle = raw.pick(around(5), 0) + 0.25 * radial.exp();
            let (cosine, sine) = (angle.cos(), angle.sin());
            join(
                radial * cosine + tangential * sine,
                tangential * cosine - radial * sine,
            ) * 2.0
        }
        Generator::TwoSpirals => {
            let t = raw.uniform(0).sqrt() * (3.0 * PI);
            let x = 0.5 * raw.uniform(1) - t * t.cos();
            let y = 0.5 * raw.uniform(2) + t * t.sin();
            join(x, y) * raw.sign(3) * (1.0 / 3.0) + 0.1 * noise
        }
        Generator::Checkerboard => {
            let x = 4.0 * raw.uniform(0) - 2.0;
            // ⌊x⌋ mod 2.
            let odd = (x + 1.0).step() - x.step() + (x - 1.0).step();
            let y = raw.uniform(1) - 2.0 * (raw.uniform(2) - 0.5).step() + odd;
            join(x, y) * 2.0
        }
        Generator::Gaussian | Generator::Mixture | Generator::File => {
            unreachable!("not a generator of the plane")
        }
    }
}

/// Points at `turns` of a whole turn on circles of these radii.
fn circle<'g>(turns: Var<'g>, radius: Var<'g>) -> Var<'g> {
    let angle = turns * TAU;
    join(radius * angle.cos(), radius * angle.sin())
}

/// `n` rows of N(μ, L Lᵀ).
///
/// **Shapes** `mean: [d]`, `root: [d, d]`; result `[n, d]`.
pub(super) fn gaussian<'g>(
    g: &'g Graph,
    n: usize,
    stream: u32,
    mean: &[f64],
    root: &[f64],
) -> Var<'g> {
    let d = mean.len();
    let normals = g.random(Draw::Normal, stream, &[n, d]);
    let stretched = if root == identity(d) {
        normals
    } else {
        let root = g.constant(root, &[d, d]);
        normals.matmul_with(root, Transposed::No, Transposed::Yes)
    };
    stretched + g.constant(mean, &[d])
}

/// `n` rows of equal Gaussians.
///
/// **Shapes** result `[n, d]`.
pub(super) fn mixture<'g>(g: &'g Graph, n: usize, stream: u32, centres: &Centres) -> Var<'g> {
    let (modes, d) = (centres.weights.len(), centres.d);
    let normals = g.random(Draw::Normal, stream, &[n, d]);
    let index = g.random(Draw::Uniform, uniforms(stream), &[n]) * modes as f64;
    let table = g.constant(&centres.points[..], &[modes, d]);
    table.gather(index) + normals * centres.sigma
}
