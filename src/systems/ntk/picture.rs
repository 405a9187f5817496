//! What is drawn: dots of the network, or of the limit where that trains; lines of what the limit says.

use super::{GRID, Net, Ntk, Shown, Spectrum, grid_angle, on_circle};
use crate::graph::{Graph, Var};
use crate::systems::Depiction;
use std::f64::consts::{LN_10, PI};
use std::rc::Rc;

/// Parts of the largest eigenvalue, and of the residual at the start, below which a logarithm is not drawn.
const LEAST: f64 = 1e-7;
/// Logarithm of the residual at the lower edge.
const LOWEST: f64 = -5.0;

/// Dots and lines of the plane.
pub(super) struct Picture {
    /// Dots.
    pub(super) n: usize,
    pub(super) frame: [f32; 4],
    pub(super) names: [&'static str; 2],
    pub(super) marks: Vec<[f32; 2]>,
    pub(super) guides: Vec<[[f32; 2]; 2]>,
    pub(super) depiction: Depiction,
}

impl Ntk {
    pub(super) fn picture(&self, spectrum: &Spectrum) -> Picture {
        let over_angles = |low: f64, high: f64| [-PI, low, PI, high].map(|v| v as f32);
        let logarithms = self.logarithms(spectrum);
        let (least, most) = (logarithms[self.points - 1] - 0.4, logarithms[0] + 0.4);
        let over_eigenvalues = |low: f64, high: f64| [least, low, most, high].map(|v| v as f32);
        let (frame, names, line) = match self.shown {
            Shown::Function => {
                let truth = (0..GRID).map(|i| self.truth(grid_angle(i))).collect();
                (over_angles(-2.6, 2.6), ["angle θ", "f(θ)"], truth)
            }
            Shown::Kernel => {
                let row = self.limit_row();
                let top = row.iter().fold(0.0, |m: f64, v| m.max(*v));
                let frame = over_angles(-0.25 * top, 1.5 * top);
                (frame, ["angle θ", "Θ(0, θ)"], row)
            }
            Shown::Spectrum => {
                let names = ["log₁₀ λ of the limit", "log₁₀ λ"];
                (over_eigenvalues(least, most), names, logarithms.clone())
            }
            Shown::Residual => {
                let names = ["log₁₀ λ of the limit", "log₁₀ of what is left"];
                (over_eigenvalues(LOWEST, 0.3), names, Vec::new())
            }
        };
        let places = self.places(spectrum);
        let point = |(a, y): (&f64, &f64)| [*a as f32, *y as f32];
        let points: Vec<[f32; 2]> = places.iter().zip(&line).map(point).collect();
        let (angles, labels) = self.samples();
        let marks = match self.shown {
            Shown::Function => angles.iter().zip(&labels).map(point).collect(),
            _ => Vec::new(),
        };
        Picture {
            n: places.len(),
            frame,
            names,
            marks,
            guides: points.windows(2).map(|two| [two[0], two[1]]).collect(),
            depiction: self.depiction(spectrum, &places),
        }
    }

    /// Where the dots are along the first axis.
    fn places(&self, spectrum: &Spectrum) -> Vec<f64> {
        match self.shown {
            Shown::Function | Shown::Kernel => (0..GRID).map(grid_angle).collect(),
            Shown::Spectrum | Shown::Residual => self.logarithms(spectrum),
        }
    }

    /// Θ_∞(0, θ) on the grid.
    fn limit_row(&self) -> Vec<f64> {
        self.kernels_on_grid().tangent[(GRID / 2) * GRID..][..GRID].to_vec()
    }

    /// Logarithms of the eigenvalues of the limit.
    fn logarithms(&self, spectrum: &Spectrum) -> Vec<f64> {
        let least = LEAST * spectrum.values[0];
        let logarithm = |v: &f64| (v.max(0.0) + least).log10();
        spectrum.values.iter().map(logarithm).collect()
    }

    /// Writes the dots; and, for the residual, the line of what is predicted: one way that all dots share.
    fn depiction(&self, spectrum: &Spectrum, places: &[f64]) -> Depiction {
        let g = Graph::default();
        let n = places.len();
        let places = g.constant(places.to_vec(), &[n, 1]);
        let dots = |heights| g.concat(&[places, heights], 1);
        let heights = match (self.shown, self.net) {
            (Shown::Function, _) => self.values(&g, self.points..self.points + GRID),
            (Shown::Kernel, Net::Finite) => {
                let network = self.network();
                let angles: Vec<f64> = (0..GRID).map(grid_angle).collect();
                let x = g.constant(on_circle(&angles), &[GRID, 2]);
                network.kernel(&network.pass(&network.buffers(&g), x), [GRID / 2, 1])
            }
            (Shown::Kernel, Net::Limit) => g.constant(self.limit_row(), &[GRID, 1]),
            (Shown::Spectrum, Net::Finite) => {
                let vectors = g.constant(spectrum.vectors.clone(), &[n, n]);
                let turned = vectors.matmul(self.own_kernel(&g));
                let quadratic = (turned * vectors).sum(1).reshape(&[n, 1]);
                logarithm(quadratic, LEAST * spectrum.values[0])
            }
            (Shown::Spectrum, Net::Limit) => g.constant(self.logarithms(spectrum), &[n, 1]),
            (Shown::Residual, _) => {
                let predicted = dots(logarithm(g.input("decay", &[n, 1]), LEAST));
                let line = predicted.reshape(&[n, 1, 2]).broadcast(&[n, n, 2]);
                g.assign("paths", line);
                g.assign("residual", g.constant(vec![0.0; (n - 1) * n], &[n - 1, n]));
                let start = (g.input("start", &[n, 1]).square() + 1e-30).sqrt();
                logarithm(self.coordinates(spectrum, self.residual(&g)) / start, LEAST)
            }
        };
        g.assign("particles", dots(heights));
        Depiction {
            program: Rc::new(g.compile("picture")),
            ways: usize::from(self.shown == Shown::Residual),
            nodes: 0,
        }
    }
}

/// log₁₀ |v|, no less than that of `least`.
fn logarithm(v: Var<'_>, least: f64) -> Var<'_> {
    (v.square().sqrt() + least).ln() * (1.0 / LN_10)
}
