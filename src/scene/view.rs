//! World coordinates and pixels: a frame in world units is shown inside a rectangle, with the same scale on both axes.

use super::layout::Rect;
use crate::decimal::{Width, read};

/// A rectangle in world units: x0, y0, x1, y1 with x0 < x1 and y0 < y1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame(pub [f32; 4]);

/// Smallest and largest extent of a frame, in world units.
const EXTENTS: [f32; 2] = [1e-5, 1e7];

impl Frame {
    /// Orders the corners and keeps the extents within bounds; a frame with a non-finite corner becomes [−1, 1]².
    pub fn new([x0, y0, x1, y1]: [f32; 4]) -> Self {
        if ![x0, y0, x1, y1]
            .iter()
            .all(|v| v.is_finite() && v.abs() <= EXTENTS[1])
        {
            return Self([-1.0, -1.0, 1.0, 1.0]);
        }
        let axis = |a: f32, b: f32| {
            let middle = 0.5 * (a + b);
            // A frame narrower than the spacing of f32 around its middle could not be drawn.
            let least = EXTENTS[0].max(middle.abs() * 1e-4);
            let half = 0.5 * (a - b).abs().max(least).min(EXTENTS[1]);
            [middle - half, middle + half]
        };
        let ([x0, x1], [y0, y1]) = (axis(x0, x1), axis(y0, y1));
        Self([x0, y0, x1, y1])
    }

    /// Reads the link's `view=x0,y0,x1,y1`.
    pub fn parse(text: &str) -> Option<Self> {
        let cells: Vec<f32> = text
            .split(',')
            .map(|cell| Some(read(cell, Width::Single)? as f32))
            .collect::<Option<_>>()?;
        let corners: [f32; 4] = cells.try_into().ok()?;
        let sound = corners
            .iter()
            .all(|v| v.is_finite() && v.abs() <= EXTENTS[1])
            && corners[0] < corners[2]
            && corners[1] < corners[3];
        sound.then(|| Self::new(corners))
    }

    /// The corners rounded to a thousandth of the extent, so that they stay short in a link.
    pub fn rounded(&self) -> [f32; 4] {
        let [x0, y0, x1, y1] = self.0.map(f64::from);
        let digits = -((x1 - x0).max(y1 - y0) / 1000.0).log10().floor();
        let unit = 10f64.powi(digits.clamp(-6.0, 7.0) as i32);
        self.0
            .map(|v| ((f64::from(v) * unit).round() / unit) as f32)
    }
}

/// A frame inside a rectangle of pixels: x_px = x0 + x·scale, y_px = y0 − y·scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Where it is drawn.
    pub rect: Rect,
    /// Pixels a world unit, the same on both axes.
    pub scale: f32,
    /// Pixel of the world's origin.
    pub origin: [f32; 2],
}

impl View {
    /// Shows all of `frame` in `rect`, centred, as large as fits.
    pub fn fit(frame: Frame, rect: Rect) -> Self {
        let [x0, y0, x1, y1] = frame.0;
        let scale = (rect.w / (x1 - x0)).min(rect.h / (y1 - y0)).max(1e-12);
        let middle = [0.5 * (x0 + x1), 0.5 * (y0 + y1)];
        let origin = [
            rect.x + 0.5 * rect.w - middle[0] * scale,
            rect.y + 0.5 * rect.h + middle[1] * scale,
        ];
        Self {
            rect,
            scale,
            origin,
        }
    }

    /// Pixel of a world point.
    #[inline(always)]
    pub fn to_pixel(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [
            self.origin[0] + x * self.scale,
            self.origin[1] - y * self.scale,
        ]
    }

    /// World point of a pixel.
    #[inline(always)]
    pub fn to_world(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [
            (x - self.origin[0]) / self.scale,
            (self.origin[1] - y) / self.scale,
        ]
    }

    /// The world rectangle that fills the whole pixel rectangle (at least the frame that was fitted).
    pub fn visible(&self) -> Frame {
        let r = self.rect;
        let [x0, y1] = self.to_world([r.x, r.y]);
        let [x1, y0] = self.to_world([r.x + r.w, r.y + r.h]);
        Frame([x0, y0, x1, y1])
    }

    /// The same view in device pixels.
    pub fn scaled(&self, ratio: f32) -> Self {
        Self {
            rect: self.rect.scaled(ratio),
            scale: self.scale * ratio,
            origin: self.origin.map(|v| v * ratio),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECT: Rect = Rect {
        x: 10.0,
        y: 20.0,
        w: 300.0,
        h: 200.0,
    };

    #[test]
    fn a_frame_is_shown_whole_and_undistorted() {
        let view = View::fit(Frame::new([-3.0, -1.0, 3.0, 1.0]), RECT);
        assert_eq!(view.scale, 50.0);
        assert_eq!(view.to_pixel([-3.0, 0.0]), [10.0, 120.0]);
        let [x0, y0, x1, y1] = view.visible().0;
        assert!(x0 <= -3.0 && x1 >= 3.0 && y0 <= -1.0 && y1 >= 1.0);
    }

    #[test]
    fn links_carry_views() {
        let frame = Frame::parse("-4,-3.5,4,3").expect("a sound view");
        assert_eq!(frame.0, [-4.0, -3.5, 4.0, 3.0]);
        let long = Frame::new([-4.0133, -3.0, 4.0007, 3.0]);
        assert_eq!(long.rounded(), [-4.013, -3.0, 4.001, 3.0]);
        for bad in ["", "1,2,3", "1,2,3,x", "0,0,0,1", "nan,0,1,1", "0,0,1e30,1"] {
            assert_eq!(Frame::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn broken_frames_become_sound_ones() {
        for corners in [
            [f32::NAN; 4],
            [0.0; 4],
            [f32::MAX; 4],
            [5.0, 5.0, -5.0, -5.0],
        ] {
            let [x0, y0, x1, y1] = Frame::new(corners).0;
            assert!(x0 < x1 && y0 < y1);
        }
    }

    proptest! {
        #[test]
        fn transforms_invert(cx in -1e3f32..1e3, cy in -1e3f32..1e3, half in 1e-1f32..1e3, u in 0f32..300.0, v in 0f32..200.0) {
            let view = View::fit(Frame::new([cx - half, cy - half, cx + half, cy + half]), RECT);
            let pixel = [RECT.x + u, RECT.y + v];
            let back = view.to_pixel(view.to_world(pixel));
            // Rounding of world coordinates (ε·|c|), seen at this scale.
            let atol = 1e-3 + view.scale * 4e-7 * (cx.abs() + cy.abs() + half);
            prop_assert!((back[0] - pixel[0]).abs() < atol && (back[1] - pixel[1]).abs() < atol, "{back:?} {pixel:?}");
        }

        #[test]
        fn rounded_frames_are_near(x in -50f32..50.0, y in -50f32..50.0, w in 0.01f32..100.0, h in 0.01f32..100.0) {
            let frame = Frame::new([x, y, x + w, y + h]);
            let unit = w.max(h) / 1000.0;
            for (a, b) in frame.0.iter().zip(frame.rounded()) {
                // Half a unit, and what f32 itself cannot tell apart.
                prop_assert!((a - b).abs() <= 0.51 * unit + 1e-6 * a.abs());
            }
        }
    }
}
