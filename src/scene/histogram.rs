//! A cloud on the line: its histogram, the target's density over it, and the particles themselves as a strip of dots.

use super::drawlist::{Dash, DrawList};
use super::layout::Rect;
use super::theme::Role;
use super::view::View;

/// Share of the plot's height that the strip of dots takes.
const STRIP: f32 = 0.14;
/// Share of the plot's height of the density's peak.
const PEAK: f32 = 0.68;
/// Width of a bar in CSS pixels.
const BAR: f32 = 9.0;

/// A target's density on the line, normalised over the view.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// (x, density), evenly spaced in x over the visible frame and a little more.
    curve: Vec<[f32; 2]>,
    peak: f32,
}

impl Histogram {
    /// Normalises a log-density tabulated at evenly spaced, ascending places that hold nearly all of the mass.
    ///
    /// **Shapes** `places` and `log_density`: `[m]`.
    pub fn new(places: &[f32], log_density: &[f32]) -> Self {
        let top = log_density
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .fold(f32::MIN, f32::max);
        let weights: Vec<f32> = log_density
            .iter()
            .map(|v| if v.is_finite() { (v - top).exp() } else { 0.0 })
            .collect();
        let spacing = match places {
            [a, b, ..] => b - a,
            _ => 1.0,
        };
        let total = weights.iter().sum::<f32>() * spacing;
        if !(total > 0.0 && total.is_finite()) {
            return Self::default();
        }
        Self {
            curve: places
                .iter()
                .zip(&weights)
                .map(|(x, w)| [*x, w / total])
                .collect(),
            peak: 1.0 / total,
        }
    }

    /// Draws bars of the particles `x: [n]`, and the curve where there is one.
    pub fn draw(&self, list: &mut DrawList, view: &View, x: &[f32], role: Role) {
        let r = view.rect;
        let floor = r.y + r.h * (1.0 - STRIP);
        let bars = ((r.w / BAR) as usize).clamp(1, 1000);
        let width = r.w / bars as f32;
        let mut counts = vec![0_u32; bars];
        for x in x {
            let at = (view.to_pixel([*x, 0.0])[0] - r.x) / width;
            // A NaN fails the comparison.
            if at >= 0.0 && at < bars as f32 {
                counts[at as usize] += 1;
            }
        }
        // A particle's share of a bar, as a density.
        let unit = view.scale / (width * x.len().max(1) as f32);
        let highest = counts.iter().max().map_or(0.0, |c| *c as f32 * unit);
        let peak = if self.peak > 0.0 { self.peak } else { highest };
        let height = |density: f32| (r.h * PEAK * density / peak).min(floor - r.y);
        for (i, count) in counts.iter().enumerate() {
            if *count > 0 {
                let (left, top) = (r.x + i as f32 * width, floor - height(*count as f32 * unit));
                let right = left + width - 1.0;
                list.path(&[[left, floor], [left, top], [right, top], [right, floor]]);
            }
        }
        list.fill(role, 0.45);
        list.line([r.x, floor], [r.x + r.w, floor]);
        list.stroke(Role::Muted, 1.0, Dash::Solid, 0.6);
        let curve: Vec<[f32; 2]> = self
            .curve
            .iter()
            .map(|[x, density]| [view.to_pixel([*x, 0.0])[0], floor - height(*density)])
            .filter(|p| p[0] >= r.x - 4.0 && p[0] <= r.x + r.w + 4.0)
            .collect();
        list.clip(r);
        list.path(&curve);
        list.stroke(Role::Contour, 2.0, Dash::Solid, 1.0);
        list.unclip();
    }
}

/// Dot i of the strip lies at a height of i times this, modulo 2³², of 2³²: the golden ratio's multiples fill the unit
/// interval evenly.
pub const SCATTER: u32 = 2_654_435_769;

/// Pixel of the strip's lowest dots, and how many pixels the highest ones lie above them.
pub fn strip_band(rect: Rect) -> [f32; 2] {
    let room = rect.h * STRIP;
    [rect.y + rect.h - 0.12 * room, 0.76 * room]
}

/// Places particles `x: [n]` in the strip under the histogram of `view`, as points `[n, 2]` in world units: each at a
/// height of its own that never changes.
pub fn strip(view: &View, x: &[f32]) -> Vec<f32> {
    let [bottom, height] = strip_band(view.rect);
    x.iter()
        .enumerate()
        .flat_map(|(i, x)| {
            let share = (i as u32).wrapping_mul(SCATTER) as f32 / u32::MAX as f32;
            let [_, y] = view.to_world([0.0, bottom - height * share]);
            [*x, y]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Frame, Rect};

    fn view() -> View {
        let rect = Rect {
            x: 10.0,
            y: 10.0,
            w: 300.0,
            h: 200.0,
        };
        View::fit(Frame::new([-3.0, -1.0, 3.0, 1.0]), rect)
    }

    #[test]
    fn curve_and_bars_share_a_scale() {
        // Uniform density 1/6 over the view, and particles spread evenly: every bar is as high as the curve.
        let places: Vec<f32> = (0..601).map(|i| -3.0 + 0.01 * i as f32).collect();
        let histogram = Histogram::new(&places, &[0.0; 601]);
        let x: Vec<f32> = (0..6600)
            .map(|i| -3.0 + 6.0 * (i as f32 + 0.5) / 6600.0)
            .collect();
        let mut list = DrawList::default();
        histogram.draw(&mut list, &view(), &x, Role::Particle);
        // First bar: its top is the third point's y. One particle a bar is 0.5 % of 200.
        let top = list.ops()[5];
        let floor = list.ops()[3];
        assert!((floor - top - 200.0 * PEAK).abs() < 2.0, "{floor} {top}");
    }

    #[test]
    fn empty_and_broken_input_is_harmless() {
        for (places, log) in [
            (&[][..], &[][..]),
            (&[0.0][..], &[f32::NAN][..]),
            (&[0.0, 1.0][..], &[f32::INFINITY, f32::NEG_INFINITY][..]),
        ] {
            let histogram = Histogram::new(places, log);
            for x in [&[][..], &[f32::NAN, f32::INFINITY, 1e30][..]] {
                let mut list = DrawList::default();
                histogram.draw(&mut list, &view(), x, Role::Particle);
                assert!(list.ops().iter().all(|v| v.is_finite()));
            }
        }
    }

    #[test]
    fn the_strip_keeps_its_places() {
        let (a, b) = (strip(&view(), &[0.0, 1.0]), strip(&view(), &[2.0, 1.0]));
        assert_eq!(a[1], b[1]);
        assert_ne!(a[1], a[3]);
        let [_, y] = view().to_pixel([0.0, a[1]]);
        assert!(y > 10.0 + 200.0 * (1.0 - STRIP) && y < 210.0);
    }
}
