//! What moves in a pane, as data. The rasteriser paints it here; a device's painter draws the same from the memory of the run.

use super::histogram::strip;
use super::raster::{Canvas, CloudStyle};
use super::trails::{TrailStyle, Trails};
use super::view::View;

/// Particles and trails of one pane, in device pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foreground {
    /// Particles.
    pub n: usize,
    /// Coordinates of each; a cloud on the line is shown as a strip of dots.
    pub d: usize,
    /// The two coordinates shown.
    pub axes: [usize; 2],
    /// Where.
    pub view: View,
    /// How particles are painted, if at all.
    pub particles: Option<CloudStyle>,
    /// How trails are painted, if at all.
    pub trails: Option<TrailStyle>,
}

impl Foreground {
    /// Paints the particles `x: [n, d]` over their trails.
    pub fn paint(&self, canvas: &mut Canvas, trails: &Trails, x: &[f32]) {
        if let Some(style) = self.trails {
            trails.paint(canvas, self.axes, &self.view, style);
        }
        let Some(style) = self.particles else { return };
        if self.d == 1 {
            canvas.cloud(&strip(&self.view, x), 2, [0, 1], &self.view, style);
        } else {
            canvas.cloud(x, self.d, self.axes, &self.view, style);
        }
    }
}
