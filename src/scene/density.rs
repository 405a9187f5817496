//! A scalar field sampled on a grid over a frame, and its shading: each place is as dark as the share of the target's mass
//! that lies in less dense places, so that every target, however peaked, uses the whole range.

use super::contour::HdrTable;
use super::view::{Frame, View};

/// Values at the nodes of a regular grid over a frame, both edges included.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// World rectangle.
    pub frame: Frame,
    /// Nodes along x.
    pub nx: usize,
    /// Nodes along y.
    pub ny: usize,
    /// Row-major `[ny, nx]`, rows in the direction of increasing y.
    pub values: Vec<f32>,
}

/// Value of a node where the log-density is −∞, NaN or +∞: far below any contour, and still a finite number.
const NOWHERE: f32 = -1e30;

impl Grid {
    /// Samples a log-density on about `resolution` nodes along the longer side of `frame`.
    ///
    /// `log_density` maps points, row-major `[n, 2]`, to `[n]`; missing values count as −∞.
    pub fn sample(
        frame: Frame,
        resolution: usize,
        log_density: &mut dyn FnMut(&[f32]) -> Vec<f32>,
    ) -> Self {
        let [x0, y0, x1, y1] = frame.0;
        let cell = (x1 - x0).max(y1 - y0) / resolution.max(2) as f32;
        let nodes = |extent: f32| ((extent / cell).ceil() as usize).clamp(2, resolution.max(2)) + 1;
        let (nx, ny) = (nodes(x1 - x0), nodes(y1 - y0));
        let mut grid = Self {
            frame,
            nx,
            ny,
            values: Vec::new(),
        };
        let mut points = Vec::with_capacity(2 * nx * ny);
        for j in 0..ny {
            for i in 0..nx {
                points.extend(grid.node(i as f32, j as f32));
            }
        }
        grid.fill(log_density(&points));
        grid
    }

    /// A grid of `nodes` a side whose log-densities are known, row-major.
    pub fn square(frame: Frame, nodes: usize, values: &[f32]) -> Self {
        let mut grid = Self {
            frame,
            nx: nodes,
            ny: nodes,
            values: Vec::new(),
        };
        grid.fill(values.to_vec());
        grid
    }

    fn fill(&mut self, values: Vec<f32>) {
        self.values = values;
        self.values.resize(self.nx * self.ny, NOWHERE);
        for value in &mut self.values {
            // A NaN or an infinity would spread through interpolation.
            *value = if value.is_finite() {
                value.max(NOWHERE)
            } else {
                NOWHERE
            };
        }
    }

    /// The value at a world point, between nodes by bilinear interpolation; none outside the frame.
    pub fn at(&self, [x, y]: [f32; 2]) -> Option<f32> {
        let [x0, y0, x1, y1] = self.frame.0;
        let cell = |v: f32, from: f32, to: f32, nodes: usize| {
            let place = (v - from) / (to - from) * (nodes - 1) as f32;
            let inside = (0.0..=(nodes - 1) as f32).contains(&place);
            let low = (place as usize).min(nodes.saturating_sub(2));
            inside.then_some((low, place - low as f32))
        };
        let (i, fx) = cell(x, x0, x1, self.nx)?;
        let (j, fy) = cell(y, y0, y1, self.ny)?;
        let value = |i: usize, j: usize| self.values.get(j * self.nx + i).copied();
        let row = |j: usize| Some(value(i, j)? * (1.0 - fx) + value(i + 1, j)? * fx);
        Some(row(j)? * (1.0 - fy) + row(j + 1)? * fy)
    }

    /// World point of grid coordinates.
    pub fn node(&self, i: f32, j: f32) -> [f32; 2] {
        let [x0, y0, x1, y1] = self.frame.0;
        [
            x0 + (x1 - x0) * i / (self.nx - 1) as f32,
            y0 + (y1 - y0) * j / (self.ny - 1) as f32,
        ]
    }

    /// Paints the shading over the whole of the view's rectangle, as an opaque picture of device pixels; returns its width.
    ///
    /// `levels` turns log-densities into enclosed mass; `ground` and `colour` are the colours at shade 0 and 1.
    pub fn shade(
        &self,
        view: &View,
        levels: &HdrTable,
        ground: [u8; 4],
        colour: [u8; 4],
        out: &mut Vec<u8>,
    ) -> usize {
        let shades: Vec<f32> = self.values.iter().map(|v| levels.shade(*v)).collect();
        let (left, top) = (view.rect.x.round(), view.rect.y.round());
        let width = ((view.rect.x + view.rect.w).round() - left).max(0.0) as usize;
        let height = ((view.rect.y + view.rect.h).round() - top).max(0.0) as usize;
        out.clear();
        out.resize(4 * width * height, 255);
        let mix: [[f32; 2]; 3] = std::array::from_fn(|c| {
            let ground = f32::from(ground[c]);
            [
                ground,
                (f32::from(colour[c]) - ground) * STRENGTH * f32::from(colour[3]) / 255.0,
            ]
        });
        let [x0, y0, x1, y1] = self.frame.0;
        // Grid coordinate of a pixel centre: linear in the pixel.
        let (ux, uy) = (
            (self.nx - 1) as f32 / (x1 - x0),
            (self.ny - 1) as f32 / (y1 - y0),
        );
        let cell = |v: f32, n: usize| {
            let v = v.max(0.0).min((n - 1) as f32 - 1e-3);
            (v as usize, v - v.floor())
        };
        let columns: Vec<(usize, f32)> = (0..width)
            .map(|i| {
                let [x, _] = view.to_world([left + i as f32 + 0.5, 0.0]);
                cell((x - x0) * ux, self.nx)
            })
            .collect();
        let mut row = vec![0.0; self.nx];
        let mut across = vec![0.0; width];
        for (j, pixels) in out.chunks_exact_mut(4 * width.max(1)).enumerate() {
            let [_, y] = view.to_world([0.0, top + j as f32 + 0.5]);
            let (jy, fy) = cell((y - y0) * uy, self.ny);
            let rows = shades[jy * self.nx..].split_at(self.nx);
            for (value, (a, b)) in row.iter_mut().zip(rows.0.iter().zip(rows.1)) {
                *value = a + (b - a) * fy;
            }
            for (shade, (ix, fx)) in across.iter_mut().zip(&columns) {
                *shade = row[*ix] + (row[*ix + 1] - row[*ix]) * fx;
            }
            // Ordered dithering: a faint ramp has fewer levels than pixels, and would show bands.
            let dither = &DITHER[j % 4];
            for (i, (pixel, shade)) in pixels
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(&across)
                .enumerate()
            {
                for c in 0..3 {
                    pixel[c] = (mix[c][0] + mix[c][1] * shade + dither[i % 4]) as u8;
                }
            }
        }
        width
    }
}

/// Opacity of the darkest place.
const STRENGTH: f32 = 0.5;

/// Bayer's 4 × 4 thresholds in 0–1.
const DITHER: [[f32; 4]; 4] = {
    let order = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
    let mut out = [[0.0; 4]; 4];
    let mut k = 0;
    while k < 16 {
        out[k / 4][k % 4] = (order[k / 4][k % 4] as f32 + 0.5) / 16.0;
        k += 1;
    }
    out
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Rect;

    fn gaussian(points: &[f32]) -> Vec<f32> {
        points
            .chunks_exact(2)
            .map(|p| -0.5 * (p[0] * p[0] + p[1] * p[1]))
            .collect()
    }

    #[test]
    fn shading_is_darkest_at_the_mode_and_fades_to_the_ground() {
        let grid = Grid::sample(Frame::new([-6.0, -4.0, 6.0, 4.0]), 120, &mut gaussian);
        let levels = HdrTable::new(&grid);
        let rect = Rect {
            x: 5.0,
            y: 7.0,
            w: 600.0,
            h: 400.0,
        };
        let view = View::fit(grid.frame, rect);
        let mut picture = Vec::new();
        let width = grid.shade(&view, &levels, [255; 4], [0, 0, 0, 255], &mut picture);
        assert_eq!((width, picture.len()), (600, 4 * 600 * 400));
        let at = |x: f32, y: f32| {
            let [px, py] = view.to_pixel([x, y]);
            picture[4 * ((py - 7.0) as usize * width + (px - 5.0) as usize)]
        };
        assert!(at(-5.8, 3.8) >= 254);
        // A standard normal's shade is exp(−r²/2) exactly; half of 255 at full strength. A pixel is 0.02 units, over
        // which the shade changes by up to 2 levels.
        for (x, shade) in [
            (0.0_f32, 1.0_f32),
            (1.0, (-0.5_f32).exp()),
            (2.0, (-2.0_f32).exp()),
        ] {
            let exact = 255.0 * (1.0 - STRENGTH * shade);
            assert!(
                (f32::from(at(x, 0.05)) - exact).abs() < 4.0,
                "{x}: {} for {exact}",
                at(x, 0.05)
            );
        }
    }

    #[test]
    fn undefined_densities_are_empty_places() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let grid = Grid::sample(Frame::new([0.0, 0.0, 1.0, 1.0]), 8, &mut |p| {
                vec![bad; p.len() / 2]
            });
            assert!(grid.values.iter().all(|v| *v == NOWHERE));
        }
        let short = Grid::sample(Frame::new([0.0, 0.0, 1.0, 1.0]), 8, &mut |_| vec![]);
        assert_eq!(short.values.len(), short.nx * short.ny);
    }
}
