//! Contours of a target: edges of its highest-density regions, by marching squares on a grid of log-densities.
//!
//! A highest-density region of mass m is the smallest set of probability m, {log π ≥ c_m}; see R. J. Hyndman,
//! "Computing and graphing highest density regions", The American Statistician 50 (1996).

use super::density::Grid;
use crate::expr::sine_cosine;
use crate::order;

/// Masses whose regions are outlined.
pub const HDR_MASSES: [f32; 5] = [0.2, 0.4, 0.6, 0.8, 0.95];

/// Enclosed mass as a function of the log-density, tabulated from a grid that holds nearly all the mass.
#[derive(Debug, Clone, PartialEq)]
pub struct HdrTable {
    /// Log-densities in descending order, and the mass above each.
    table: Vec<(f32, f32)>,
}

/// Entries kept of a table: enough for a smooth shading.
const ENTRIES: usize = 512;

impl HdrTable {
    /// Integrates a grid of log-densities; the normalising constant drops out. Mass outside the grid is not seen.
    pub fn new(grid: &Grid) -> Self {
        let mut values: Vec<f32> = grid.values.clone();
        order::sort_numbers(&mut values);
        values.reverse();
        let top = values.first().copied().unwrap_or(0.0);
        let weight = |v: f32| f64::from(v - top).exp();
        let total: f64 = values.iter().map(|v| weight(*v)).sum();
        let mut table: Vec<(f32, f32)> = vec![(top, 0.0)];
        let mut mass = 0.0;
        for value in values {
            // Half of a cell's mass lies above its middle.
            let w = weight(value) / total;
            let middle = (mass + 0.5 * w) as f32;
            mass += w;
            let last = table[table.len() - 1];
            if middle - last.1 >= 1.0 / ENTRIES as f32 && value < last.0 {
                table.push((value, middle));
            }
            if w < 1e-9 {
                break;
            }
        }
        Self { table }
    }

    /// The log-density whose region holds `mass`.
    pub fn level(&self, mass: f32) -> f32 {
        let i = self
            .table
            .partition_point(|(_, m)| *m < mass)
            .clamp(1, self.table.len().max(2) - 1);
        let Some([a, b]) = self.table.get(i - 1..=i) else {
            return self.table[0].0;
        };
        let t = ((mass - a.1) / (b.1 - a.1)).clamp(0.0, 1.0);
        a.0 + (b.0 - a.0) * t
    }

    /// 1 − enclosed mass at a log-density: 1 at the mode, 0 in the tails.
    pub fn shade(&self, value: f32) -> f32 {
        let i = self.table.partition_point(|(v, _)| *v > value);
        match (i.checked_sub(1).map(|i| self.table[i]), self.table.get(i)) {
            (None, _) => 1.0,
            (Some(a), Some(b)) => 1.0 - (a.1 + (b.1 - a.1) * (a.0 - value) / (a.0 - b.0)),
            // Beyond the table the rest of the mass fades out with the density.
            (Some(a), None) => (1.0 - a.1) * (value - a.0).exp(),
        }
    }
}

/// Polylines, in world units, along which the grid has the value `level`; closed ones end where they began.
pub fn contour_lines(grid: &Grid, level: f32) -> Vec<Vec<[f32; 2]>> {
    let (nx, ny) = (grid.nx, grid.ny);
    let at = |i: usize, j: usize| grid.values[j * nx + i];
    // Edges are numbered: the one to the right of node (i, j), then the one above it.
    let edge_count = 2 * nx * ny;
    const NONE: u32 = u32::MAX;
    let mut links = vec![[NONE; 2]; edge_count];
    let mut join = |a: usize, b: usize| {
        for (from, to) in [(a, b), (b, a)] {
            let slot = usize::from(links[from][0] != NONE);
            links[from][slot] = to as u32;
        }
    };
    for j in 0..ny - 1 {
        for i in 0..nx - 1 {
            let corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
            let above = corners.map(|v| v >= level);
            let case = above
                .iter()
                .rev()
                .fold(0, |case, a| 2 * case + usize::from(*a));
            if case == 0 || case == 15 {
                continue;
            }
            let node = j * nx + i;
            let [bottom, right, top, left] =
                [2 * node, 2 * (node + 1) + 1, 2 * (node + nx), 2 * node + 1];
            match case {
                1 | 14 => join(left, bottom),
                2 | 13 => join(bottom, right),
                4 | 11 => join(right, top),
                8 | 7 => join(top, left),
                3 | 12 => join(left, right),
                6 | 9 => join(bottom, top),
                // Saddles: the mean of the corners tells which pair of them is connected.
                _ => {
                    let joined = corners.iter().sum::<f32>() / 4.0 >= level;
                    if (case == 5) == joined {
                        join(left, top);
                        join(bottom, right);
                    } else {
                        join(left, bottom);
                        join(right, top);
                    }
                }
            }
        }
    }
    let point = |edge: usize| {
        let (i, j) = (edge / 2 % nx, edge / 2 / nx);
        let across = edge.is_multiple_of(2);
        let (a, b) = (at(i, j), if across { at(i + 1, j) } else { at(i, j + 1) });
        let t = ((level - a) / (b - a)).clamp(0.0, 1.0);
        grid.node(
            i as f32 + if across { t } else { 0.0 },
            j as f32 + if across { 0.0 } else { t },
        )
    };
    let mut lines = Vec::new();
    let mut trace = |start: usize, links: &mut Vec<[u32; 2]>| {
        let mut line = vec![point(start)];
        let mut here = start;
        loop {
            let slot = usize::from(links[here][0] == NONE);
            let next = links[here][slot];
            if next == NONE {
                break;
            }
            links[here][slot] = NONE;
            let next = next as usize;
            let back = usize::from(links[next][0] != here as u32);
            links[next][back] = NONE;
            line.push(point(next));
            here = next;
        }
        if line.len() > 1 {
            lines.push(line);
        }
    };
    // Open lines first, from an end at the border; what is left are loops.
    for edge in 0..edge_count {
        if links[edge][0] != NONE && links[edge][1] == NONE {
            trace(edge, &mut links);
        }
    }
    for edge in 0..edge_count {
        if links[edge][0] != NONE {
            trace(edge, &mut links);
        }
    }
    lines
}

/// The edge of a bivariate normal's highest-density region of `mass`, as a closed polyline.
///
/// `mean`: 2; `cov`: row-major 2 × 2. Empty where the covariance is not positive definite.
pub fn ellipse(mean: [f64; 2], cov: [f64; 4], mass: f32) -> Vec<[f32; 2]> {
    // Cholesky: cov = LLᵀ; the region is mean + √(−2 ln(1 − m)) L·(unit disc).
    let l00 = cov[0].sqrt();
    let l10 = cov[2] / l00;
    let l11 = (cov[3] - l10 * l10).sqrt();
    let radius = (-2.0 * (1.0 - f64::from(mass)).ln()).sqrt();
    if !(l00 > 0.0 && l11 > 0.0 && radius.is_finite()) {
        return Vec::new();
    }
    (0..=96)
        .map(|i| {
            let (sin, cos) = sine_cosine(f64::from(i % 96) * std::f64::consts::TAU / 96.0);
            let (u, v) = (radius * cos, radius * sin);
            [
                (mean[0] + l00 * u) as f32,
                (mean[1] + l10 * u + l11 * v) as f32,
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Frame;
    use proptest::prelude::*;

    fn gaussian(points: &[f32]) -> Vec<f32> {
        points
            .chunks_exact(2)
            .map(|p| -0.5 * (p[0] * p[0] + p[1] * p[1]))
            .collect()
    }

    #[test]
    fn contours_of_a_gaussian_are_circles_that_hold_the_stated_mass() {
        let grid = Grid::sample(Frame::new([-5.0, -5.0, 5.0, 5.0]), 200, &mut gaussian);
        let table = HdrTable::new(&grid);
        for mass in HDR_MASSES {
            let lines = contour_lines(&grid, table.level(mass));
            assert_eq!(lines.len(), 1, "mass {mass}");
            assert_eq!(lines[0].first(), lines[0].last(), "closed");
            // P(|x| ≤ r) = 1 − exp(−r²/2).
            let radius = (-2.0 * (1.0 - mass).ln()).sqrt();
            for [x, y] in &lines[0] {
                let r = (x * x + y * y).sqrt();
                // Cells of 0.05: quadrature of the mass and linear interpolation, both second order.
                assert!(
                    (r - radius).abs() < 0.01 + 0.005 * radius,
                    "mass {mass}: {r} for {radius}"
                );
            }
        }
    }

    #[test]
    fn shade_is_one_minus_the_enclosed_mass() {
        let grid = Grid::sample(Frame::new([-6.0, -6.0, 6.0, 6.0]), 240, &mut gaussian);
        let table = HdrTable::new(&grid);
        for r in [0.0_f32, 0.5, 1.0, 2.0, 3.0, 4.0] {
            let exact = (-0.5 * r * r).exp();
            let shade = table.shade(-0.5 * r * r);
            assert!((shade - exact).abs() < 0.006, "r {r}: {shade} for {exact}");
        }
        assert!(table.shade(-1e30).abs() < 1e-6);
    }

    #[test]
    fn saddles_and_borders_give_open_lines_that_end_at_the_border() {
        // xy has a saddle at the origin; its level sets leave through the border.
        let grid = Grid::sample(Frame::new([-1.0, -1.0, 1.0, 1.0]), 21, &mut |p| {
            p.chunks_exact(2).map(|p| p[0] * p[1]).collect()
        });
        for level in [-0.1, 0.003, 0.1] {
            let lines = contour_lines(&grid, level);
            assert_eq!(lines.len(), 2, "level {level}");
            for line in lines {
                for end in [line[0], line[line.len() - 1]] {
                    let edge = end[0].abs().max(end[1].abs());
                    assert!((edge - 1.0).abs() < 1e-4, "{end:?}");
                }
            }
        }
    }

    #[test]
    fn ellipses_hold_their_mass_and_refuse_what_is_no_covariance() {
        let cov = [2.0, 0.6, 0.6, 0.5];
        let line = ellipse([1.0, -1.0], cov, 0.8);
        let det = cov[0] * cov[3] - cov[1] * cov[2];
        for [x, y] in &line {
            let (dx, dy) = (f64::from(*x) - 1.0, f64::from(*y) + 1.0);
            let q = (cov[3] * dx * dx - 2.0 * cov[1] * dx * dy + cov[0] * dy * dy) / det;
            assert!((q + 2.0 * 0.2_f64.ln()).abs() < 1e-4, "{q}");
        }
        assert_eq!(line.first(), line.last());
        for bad in [[0.0; 4], [1.0, 2.0, 2.0, 1.0], [f64::NAN; 4]] {
            assert!(ellipse([0.0; 2], bad, 0.5).is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_field_gives_finite_lines(values in prop::collection::vec(prop::num::f32::ANY, 30), level in -3f32..3.0) {
            let grid = Grid::sample(Frame::new([0.0, 0.0, 5.0, 4.0]), 5, &mut |_| values.clone());
            let table = HdrTable::new(&grid);
            for level in [level, table.level(0.5), values[0]] {
                for line in contour_lines(&grid, level) {
                    prop_assert!(line.len() > 1 && line.iter().flatten().all(|v| v.is_finite()));
                }
            }
            prop_assert!(values.iter().all(|v| (0.0..=1.0).contains(&table.shade(*v)) || v.is_nan()));
        }
    }
}
