//! Optical depth: particles add their coverage to 16-bit counters, which are then developed into colour once a pixel.
//! A hundred thousand particles keep their shape, and overlap costs nothing.

use super::stamp::{SUB, disc_coverage, place};
use crate::scene::view::View;

/// Counter value of one fully covered pixel.
const UNIT: f32 = 32.0;
/// Counter values that are told apart; above, the picture is saturated.
const TONES: usize = 4096;
/// The same as a number of full coverages.
pub const SATURATED: f32 = TONES as f32 / UNIT;
/// Largest share of the dense colour in a deep place.
pub const DEEPEST: f32 = 0.55;
/// Optical thickness that has this share.
const DEEP: f32 = 20.0;
/// Side of a point's stamp: one vector of eight 16-bit counters a row.
const STAMP: usize = 8;
/// Half the width of the thinnest and the thickest line, across its longer axis.
pub const THINNEST: f32 = 0.25;
/// See [`THINNEST`].
pub const THICKEST: f32 = 0.5 * STAMP as f32;

/// How depth becomes colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Opacity of a single full coverage.
    pub alpha: f32,
    /// Colour of thin places.
    pub colour: [u8; 4],
    /// Colour that deep places tend to.
    pub dense: [u8; 4],
}

impl Tone {
    /// The same colour at every depth.
    pub fn plain(colour: [u8; 4], alpha: f32) -> Self {
        Self {
            alpha,
            colour,
            dense: colour,
        }
    }

    /// Optical thickness of a single full coverage: depth t covers 1 − e^−t.
    pub fn rate(&self) -> f32 {
        -(1.0 - self.alpha.clamp(0.0, 0.99)).ln()
    }
}

/// Share of the dense colour a unit of ln(1 + optical thickness), up to [`DEEPEST`].
pub fn spread() -> f32 {
    DEEPEST / DEEP.ln_1p()
}

/// Counters of one rectangle, with a margin so that stamps at the edge need no clipping.
#[derive(Debug, Clone, Default)]
pub(super) struct Accumulator {
    bounds: [usize; 4],
    stride: usize,
    depth: Vec<u16>,
    /// Radius of the point stamps in device pixels, and the stamps `[SUB·SUB, STAMP, STAMP]`.
    radius: f32,
    stamps: Vec<[u16; STAMP]>,
}

impl Accumulator {
    /// Prepares empty counters for the pixels x0, y0, x1, y1.
    pub fn start(&mut self, bounds: [usize; 4]) {
        let [x0, y0, x1, y1] = bounds;
        self.bounds = bounds;
        self.stride = x1.saturating_sub(x0) + 2 * STAMP;
        let rows = y1.saturating_sub(y0) + 2 * STAMP;
        // `develop` leaves the inside at zero, but not the margins, and another rectangle has other margins.
        self.depth.clear();
        self.depth.resize(self.stride * rows, 0);
    }

    /// Adds a small disc a particle; `x` is `[n, d]`.
    pub fn points(&mut self, x: &[f32], d: usize, axes: [usize; 2], view: &View, radius: f32) {
        if self.radius != radius {
            self.radius = radius;
            let weights = (0..SUB * SUB).flat_map(|sub| disc_coverage(radius, STAMP, sub));
            let weights: Vec<u16> = weights.map(|c| (c * UNIT + 0.5) as u16).collect();
            self.stamps = weights.as_chunks::<STAMP>().0.to_vec();
        }
        let [x0, y0, x1, y1] = self.bounds.map(|v| v as isize);
        let half = STAMP as f32 / 2.0;
        let margin = STAMP as isize;
        // Rows of a stamp that any offset covers.
        let first = (half - radius) as usize;
        let last = ((half + 1.0 + radius).ceil() as usize).min(STAMP);
        for particle in x.chunks_exact(d) {
            let [px, py] = view.to_pixel([particle[axes[0]], particle[axes[1]]]);
            let Some((left, top, sub)) = place([px - half, py - half], STAMP, [x0, y0, x1, y1])
            else {
                continue;
            };
            let mut at =
                ((top - y0 + margin) as usize) * self.stride + (left - x0 + margin) as usize;
            at += first * self.stride;
            for row in &self.stamps[sub * STAMP + first..sub * STAMP + last] {
                let counters: &mut [u16; STAMP] = match self.depth[at..].first_chunk_mut() {
                    Some(counters) => counters,
                    None => break,
                };
                for (counter, weight) in counters.iter_mut().zip(row) {
                    *counter = counter.saturating_add(*weight);
                }
                at += self.stride;
            }
        }
    }

    /// Adds an anti-aliased line `width` pixels wide; `weight` in 0–1 scales its depth.
    pub fn segment(&mut self, a: [f32; 2], b: [f32; 2], width: f32, weight: f32) {
        let [x0, y0, x1, y1] = self.bounds.map(|v| v as f32);
        let finite = a.iter().chain(&b).all(|v| v.is_finite() && v.abs() < 1e6);
        let beside = a[0].max(b[0]) < x0
            || a[0].min(b[0]) > x1
            || a[1].max(b[1]) < y0
            || a[1].min(b[1]) > y1;
        if !finite || beside {
            return;
        }
        let steep = (b[1] - a[1]).abs() > (b[0] - a[0]).abs();
        // Along the longer axis u, one sample a pixel; across it v, shared by the pixels that the width touches.
        let (along, across) = if steep { (1, 0) } else { (0, 1) };
        let (low, high) = ([x0, y0], [x1, y1]);
        let (from, to) = if a[along] <= b[along] { (a, b) } else { (b, a) };
        let length = (to[along] - from[along]).max(1e-6);
        let slope = (to[across] - from[across]) / length;
        let half = (0.5 * width * (1.0 + slope * slope).sqrt()).clamp(THINNEST, THICKEST);
        let first = from[along].floor().max(low[along]) as i32;
        let last = to[along].ceil().min(high[along]) as i32;
        let (du, dv) = if steep {
            (self.stride, 1)
        } else {
            (1, self.stride)
        };
        let depth = weight.clamp(0.0, 1.0) * UNIT;
        for u in first..last {
            // The share of this pixel's column that the segment spans keeps joints from doubling.
            let (start, end) = ((u as f32).max(from[along]), (u as f32 + 1.0).min(to[along]));
            let share = end - start;
            let v = from[across] + slope * (0.5 * (start + end) - from[along]);
            let inside = v > low[across] - half && v < high[across] + half;
            if share <= 0.0 || !inside {
                continue;
            }
            // Relative to the counters' corner, where everything is positive and a cast is a floor.
            let origin = low[across] - STAMP as f32;
            let (top, bottom) = (v - half - origin, v + half - origin);
            let row = (u as usize - low[along] as usize + STAMP) * du;
            for cell in top as usize..=bottom as usize {
                let covered = bottom.min(cell as f32 + 1.0) - top.max(cell as f32);
                if let Some(counter) = self.depth.get_mut(row + cell * dv) {
                    *counter = counter.saturating_add((share * covered * depth + 0.5) as u16);
                }
            }
        }
    }

    /// Blends the counters into the picture `[height, width, 4]`.
    pub fn develop(&self, pixels: &mut [u8], width: usize, tone: Tone) {
        let table = table(tone);
        let [x0, y0, x1, y1] = self.bounds;
        for y in y0..y1 {
            let start = (y - y0 + STAMP) * self.stride + STAMP;
            let counters = &self.depth[start..start + (x1 - x0)];
            let row = &mut pixels[4 * (y * width + x0)..4 * (y * width + x1)];
            let row = row.as_chunks_mut::<4>().0;
            // Most of a picture is empty: skip it by the vector.
            for (counters, row) in counters.chunks(STAMP).zip(row.chunks_mut(STAMP)) {
                if counters.iter().fold(0, |all, c| all | c) == 0 {
                    continue;
                }
                for (counter, pixel) in counters.iter().zip(row) {
                    *pixel = over(table[usize::from(*counter).min(TONES - 1)], *pixel);
                }
            }
        }
    }
}

/// A premultiplied colour over an opaque pixel, two channels a multiplication. The sums stay below 256 because
/// premultiplied channels are rounded down.
#[inline(always)]
fn over(tone: [u8; 4], pixel: [u8; 4]) -> [u8; 4] {
    const PAIR: u32 = 0x00ff_00ff;
    let (tone, pixel) = (u32::from_le_bytes(tone), u32::from_le_bytes(pixel));
    let alpha = tone >> 24;
    let keep = 256 - alpha - (alpha >> 7);
    let even = (((pixel & PAIR) * keep) >> 8) & PAIR;
    let odd = (((pixel >> 8) & PAIR) * keep) & !PAIR;
    let [r, g, b, _] = ((tone & 0x00ff_ffff) + (even + odd)).to_le_bytes();
    [r, g, b, 255]
}

/// Premultiplied colour of each counter value: opacity 1 − (1 − α)^depth, colour from thin to dense.
fn table(tone: Tone) -> Vec<[u8; 4]> {
    let (rate, spread) = (tone.rate() / UNIT, spread());
    let own = f32::from(tone.colour[3]) / 255.0;
    (0..TONES)
        .map(|depth| {
            let opacity = 1.0 - (-rate * depth as f32).exp();
            // Where opacity no longer tells depths apart, the colour still does.
            let deep = ((rate * depth as f32).ln_1p() * spread).min(DEEPEST);
            let channel = |c: usize| {
                let (thin, dense) = (f32::from(tone.colour[c]), f32::from(tone.dense[c]));
                ((thin + (dense - thin) * deep) * opacity * own) as u8
            };
            [
                channel(0),
                channel(1),
                channel(2),
                (255.0 * opacity * own + 0.5) as u8,
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opacity_grows_with_depth_and_saturates() {
        let tone = Tone {
            alpha: 0.3,
            colour: [200, 100, 50, 255],
            dense: [0, 0, 0, 255],
        };
        let table = table(tone);
        assert_eq!(table[0], [0, 0, 0, 0]);
        assert!(table.windows(2).all(|w| w[0][3] <= w[1][3]));
        let one = f32::from(table[UNIT as usize][3]) / 255.0;
        assert!((one - 0.3).abs() < 0.01, "{one}");
        assert_eq!(table[TONES - 1][3], 255);
    }

    #[test]
    fn blending_never_overflows_a_channel() {
        for own in [0, 1, 128, 254, 255] {
            let tone = Tone {
                alpha: 0.21,
                colour: [255, 255, 255, own],
                dense: [255, 0, 255, 255],
            };
            for entry in table(tone) {
                let alpha = 1.0 - f32::from(entry[3]) / 255.0;
                let out = over(entry, [255, 0, 255, 255]);
                for (c, own) in [255.0, 0.0, 255.0].into_iter().enumerate() {
                    let exact = f32::from(entry[c]) + alpha * own;
                    assert!(
                        (f32::from(out[c]) - exact).abs() <= 1.6,
                        "{entry:?}: {out:?}, channel {c} is {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_line_has_the_depth_of_its_area() {
        for (a, b) in [
            ([3.2, 5.1], [40.7, 19.9]),
            ([20.5, 40.0], [18.0, 3.0]),
            ([40.7, 19.9], [3.2, 5.1]),
        ] {
            let mut accumulator = Accumulator::default();
            accumulator.start([0, 0, 64, 64]);
            accumulator.segment(a, b, 1.0, 1.0);
            let sum: u32 = accumulator.depth.iter().map(|c| u32::from(*c)).sum();
            let area = (b[0] - a[0]).hypot(b[1] - a[1]);
            // Three pixels a step along the line, each rounded by at most half a count.
            let atol = 1.5 * area + 2.0;
            assert!(
                (sum as f32 - area * UNIT).abs() < atol,
                "{sum} for {}",
                area * UNIT
            );
        }
    }

    #[test]
    fn hostile_lines_are_harmless() {
        let mut accumulator = Accumulator::default();
        accumulator.start([2, 3, 20, 10]);
        for a in [f32::NAN, f32::INFINITY, -1e38, -1e5, 0.0, 1e5] {
            for b in [f32::NAN, 1e38, -1e5, 7.0, 1e5] {
                accumulator.segment([a, b], [b, a], 2.0, 1.0);
                accumulator.segment([a, 5.0], [b, 5.0], 30.0, 7.0);
            }
        }
    }
}
