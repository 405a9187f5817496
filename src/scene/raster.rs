//! An RGBA framebuffer and the two ways of painting a cloud into it: anti-aliased discs while particles can be told
//! apart, an accumulated and tone-mapped density of points where they cannot.
//!
//! A [`Brush`] says which, in numbers: a device's painter draws with the same ones.
//!
//! Integers throughout the inner loops, rows of whole vectors, no allocation a frame. All coordinates are device pixels.

mod accumulate;
mod stamp;

use super::layout::Rect;
use super::view::View;
use accumulate::Accumulator;
pub use accumulate::{DEEPEST, SATURATED, THICKEST, THINNEST, Tone, spread};
use stamp::{SUB, disc_coverage};
use std::f32::consts::PI;

/// An opaque RGBA8 picture with what is needed to paint clouds into it.
#[derive(Debug, Clone, Default)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    accumulator: Accumulator,
}

/// How a cloud is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CloudStyle {
    /// Colour of a particle.
    pub colour: [u8; 4],
    /// Colour that dense places tend to.
    pub dense: [u8; 4],
    /// Colour of the thin rim that keeps overlapping discs apart.
    pub rim: [u8; 4],
    /// Device pixels a CSS pixel.
    pub ratio: f32,
}

/// A premultiplied disc: out = add + pixel·keep/256, channel by channel.
struct Disc {
    size: usize,
    /// `[SUB·SUB, size, size, 4]`
    add: Vec<u8>,
    keep: Vec<u16>,
}

/// How a cloud of known size is painted on a known area. Lengths are device pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Brush {
    /// One disc a particle, the later ones over the earlier ones.
    Discs {
        /// Radius of the disc.
        radius: f32,
        /// Radius with the rim, which lies behind it.
        outer: f32,
    },
    /// The optical depth of all particles together.
    Depth {
        /// Radius of one particle's disc.
        radius: f32,
        /// How depth becomes colour.
        tone: Tone,
    },
}

/// Opacity of a disc.
pub const FILL: f32 = 0.92;
/// Opacity of its rim.
pub const HALO: f32 = 0.55;
/// Share of a pane's area that a cloud fills, about.
const FILLED: f32 = 0.25;
/// Above this share of the pane covered twice, discs merge into a blob and the cloud is painted as a density.
const CROWDED: f32 = 0.35;

impl CloudStyle {
    /// Radius of a disc that suits `n` particles in a pane of `area` device pixels.
    pub fn radius(&self, n: usize, area: f32) -> f32 {
        let css_area = area / (self.ratio * self.ratio);
        (0.09 * (css_area / n.max(1) as f32).sqrt()).clamp(1.7, 3.6) * self.ratio
    }

    /// Whether `n` particles on `area` device pixels are painted as a density.
    pub fn is_crowded(&self, n: usize, area: f32) -> bool {
        let r = self.radius(n, area);
        n as f32 * PI * r * r > CROWDED * FILLED * area
    }

    /// How `n` particles on `area` device pixels are painted.
    pub fn brush(&self, n: usize, area: f32) -> Brush {
        if !self.is_crowded(n, area) {
            let radius = self.radius(n, area);
            let outer = radius + 0.8 * self.ratio;
            return Brush::Discs { radius, outer };
        }
        let radius = (1.05 * self.ratio).clamp(0.8, 2.6);
        let load = n as f32 * PI * radius * radius / (FILLED * area);
        let tone = Tone {
            alpha: (0.6 / (1.0 + 0.8 * load)).clamp(0.03, 0.55),
            colour: self.colour,
            dense: self.dense,
        };
        Brush::Depth { radius, tone }
    }

    fn disc(&self, radius: f32, outer: f32) -> Disc {
        let size = ((2.0 * outer + 2.0).ceil() as usize).next_multiple_of(4);
        let (mut add, mut keep) = (Vec::new(), Vec::new());
        for sub in 0..SUB * SUB {
            let inner = disc_coverage(radius, size, sub);
            let outer = disc_coverage(outer, size, sub);
            for (fill, halo) in inner.iter().zip(outer) {
                let fill = fill * FILL;
                // The rim lies behind the disc: over-compositing of two layers.
                let halo = halo * HALO * (1.0 - fill);
                for c in 0..3 {
                    let value = fill * f32::from(self.colour[c]) + halo * f32::from(self.rim[c]);
                    add.push(value as u8);
                    keep.push((256.0 * (1.0 - fill - halo)) as u16);
                }
                add.push(0);
                keep.push(256);
            }
        }
        Disc { size, add, keep }
    }
}

impl Canvas {
    /// Makes the picture `width × height` device pixels; its content is undefined until painted.
    pub fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.pixels.resize(4 * width * height, 255);
    }

    /// Width and height in device pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// RGBA8, rows from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Fills all with one opaque colour.
    pub fn clear(&mut self, [r, g, b, _]: [u8; 4]) {
        for pixel in self.pixels.as_chunks_mut::<4>().0 {
            *pixel = [r, g, b, 255];
        }
    }

    /// Copies an opaque picture `[height, width, 4]` whose top left corner lies at `at`; what lies outside is left out.
    pub fn paste(&mut self, at: [usize; 2], width: usize, picture: &[u8]) {
        let shown = width.min(self.width.saturating_sub(at[0]));
        if shown == 0 {
            return;
        }
        let rows = picture.chunks_exact(4 * width);
        for (y, row) in (at[1]..self.height).zip(rows) {
            let start = 4 * (y * self.width + at[0]);
            self.pixels[start..start + 4 * shown].copy_from_slice(&row[..4 * shown]);
        }
    }

    /// The pixels of `rect` (rounded, cut to the picture): its corner, its width, and rows of RGBA8 for [`Self::paste`].
    pub fn copy(&self, rect: Rect) -> ([usize; 2], usize, Vec<u8>) {
        let [x0, y0, x1, y1] = rect.pixels(self.width, self.height);
        let width = x1.saturating_sub(x0);
        let mut out = Vec::with_capacity(4 * width * y1.saturating_sub(y0));
        for y in y0..y1 {
            let start = 4 * (y * self.width + x0);
            out.extend_from_slice(&self.pixels[start..start + 4 * width]);
        }
        ([x0, y0], width, out)
    }

    /// Paints particles.
    ///
    /// **Shapes** `x`: row-major `[n, d]`; `axes`: the two coordinates shown. Particles that are not finite or lie
    /// outside the view's rectangle are left out.
    pub fn cloud(&mut self, x: &[f32], d: usize, axes: [usize; 2], view: &View, style: CloudStyle) {
        let n = x.len() / d.max(1);
        let area = view.rect.w * view.rect.h;
        if n == 0 || axes.iter().any(|a| *a >= d) || self.pixels.is_empty() {
            return;
        }
        match style.brush(n, area) {
            Brush::Discs { radius, outer } => {
                self.discs(x, d, axes, view, &style.disc(radius, outer));
            }
            Brush::Depth { radius, tone } => {
                let bounds = view.rect.pixels(self.width, self.height);
                self.accumulator.start(bounds);
                self.accumulator.points(x, d, axes, view, radius);
                self.accumulator.develop(&mut self.pixels, self.width, tone);
            }
        }
    }

    fn discs(&mut self, x: &[f32], d: usize, axes: [usize; 2], view: &View, disc: &Disc) {
        let [x0, y0, x1, y1] = view
            .rect
            .pixels(self.width, self.height)
            .map(|v| v as isize);
        let half = disc.size as f32 / 2.0;
        for particle in x.chunks_exact(d) {
            let [px, py] = view.to_pixel([particle[axes[0]], particle[axes[1]]]);
            let Some((left, top, sub)) =
                stamp::place([px - half, py - half], disc.size, [x0, y0, x1, y1])
            else {
                continue;
            };
            // Columns and rows of the stamp that lie inside the rectangle.
            let columns =
                [(x0 - left).max(0), (x1 - left).min(disc.size as isize)].map(|v| 4 * v as usize);
            let rows = [(y0 - top).max(0), (y1 - top).min(disc.size as isize)];
            let base = sub * disc.size * disc.size * 4;
            for row in rows[0]..rows[1] {
                let source = base + row as usize * disc.size * 4;
                let at = 4 * ((top + row) * self.width as isize + left);
                let range =
                    (at + columns[0] as isize) as usize..(at + columns[1] as isize) as usize;
                let add = &disc.add[source + columns[0]..source + columns[1]];
                let keep = &disc.keep[source + columns[0]..source + columns[1]];
                for ((pixel, add), keep) in self.pixels[range].iter_mut().zip(add).zip(keep) {
                    *pixel = add.wrapping_add(((u16::from(*pixel) * keep) >> 8) as u8);
                }
            }
        }
    }

    /// Paints anti-aliased line segments inside the view's rectangle.
    ///
    /// `emit` calls its argument with both ends in device pixels and a weight in 0–1; `width` is in device pixels.
    pub fn lines(
        &mut self,
        view: &View,
        width: f32,
        tone: Tone,
        emit: impl FnOnce(&mut dyn FnMut([f32; 2], [f32; 2], f32)),
    ) {
        if self.pixels.is_empty() {
            return;
        }
        self.accumulator
            .start(view.rect.pixels(self.width, self.height));
        let accumulator = &mut self.accumulator;
        emit(&mut |a, b, weight| accumulator.segment(a, b, width, weight));
        self.accumulator.develop(&mut self.pixels, self.width, tone);
    }
}

#[cfg(test)]
mod tests;
