//! Where particles came from: a ring of past positions of a stable subset, painted as fading lines.

use super::raster::{Canvas, Tone};
use super::view::View;

/// Most particles that leave a trail.
pub const FOLLOWED: usize = 2000;
/// Past positions kept of each.
pub const LENGTH: usize = 48;

/// Of `n` particles, one in so many leaves a trail.
pub fn stride(n: usize) -> usize {
    n.div_ceil(FOLLOWED).max(1)
}

/// How trails are painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailStyle {
    /// Their colour.
    pub colour: [u8; 4],
    /// Device pixels a CSS pixel.
    pub ratio: f32,
}

impl TrailStyle {
    /// Width of the lines in device pixels.
    pub fn width(&self) -> f32 {
        1.2 * self.ratio
    }

    /// Strength of their heads; many trails share the same space, so each is fainter.
    pub fn tone(&self, followed: usize) -> Tone {
        let strength = 0.85 - 0.1 * (followed as f32 / 100.0).max(1.0).ln();
        Tone::plain(self.colour, strength.clamp(0.3, 0.85))
    }
}

/// Past positions `[LENGTH, followed, d]`, in a ring.
#[derive(Debug, Clone, Default)]
pub struct Trails {
    n: usize,
    d: usize,
    stride: usize,
    kept: Vec<Vec<f32>>,
    next: usize,
    step: Option<u32>,
    era: u32,
}

impl Trails {
    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self {
            era: self.era + 1,
            ..Self::default()
        };
    }

    /// How often everything was forgotten: whoever keeps positions elsewhere forgets them too.
    pub fn era(&self) -> u32 {
        self.era
    }

    /// Keeps the positions `x: [n, d]` of `step`; an earlier step or another shape starts anew.
    pub fn record(&mut self, step: u32, x: &[f32], n: usize, d: usize) {
        if (self.n, self.d) != (n, d) || self.step.is_some_and(|last| step < last) {
            self.clear();
            (self.n, self.d) = (n, d);
            self.stride = stride(n);
        }
        if self.step == Some(step) {
            return;
        }
        self.step = Some(step);
        if self.kept.len() < LENGTH {
            self.kept.push(Vec::new());
        }
        let row = &mut self.kept[self.next];
        row.clear();
        row.extend(x.chunks_exact(d.max(1)).step_by(self.stride).flatten());
        self.next = (self.next + 1) % LENGTH;
    }

    /// Paints them; the tail is faint, the head strong.
    pub fn paint(&self, canvas: &mut Canvas, axes: [usize; 2], view: &View, style: TrailStyle) {
        let count = self.kept.len();
        if count < 2 || axes.iter().any(|a| *a >= self.d) {
            return;
        }
        let tone = style.tone(self.n.div_ceil(self.stride));
        canvas.lines(view, style.width(), tone, |line| {
            for age in 1..count {
                let at = |age: usize| &self.kept[(self.next + 2 * LENGTH - 1 - age) % LENGTH];
                let fade = 1.0 - age as f32 / LENGTH as f32;
                let pairs = at(age)
                    .chunks_exact(self.d)
                    .zip(at(age - 1).chunks_exact(self.d));
                for (from, to) in pairs {
                    let [a, b] = [from, to].map(|p| view.to_pixel([p[axes[0]], p[axes[1]]]));
                    line(a, b, fade * fade);
                }
            }
        });
    }
}

impl Trails {
    /// Past positions of each particle that is followed, from the oldest on: a polyline in world units each.
    pub fn lines(&self, axes: [usize; 2]) -> Vec<Vec<[f32; 2]>> {
        let count = self.kept.len();
        if count < 2 || axes.iter().any(|a| *a >= self.d) {
            return Vec::new();
        }
        let at = |age: usize| &self.kept[(self.next + 2 * LENGTH - age) % LENGTH];
        let followed = self.kept[0].len() / self.d;
        let point = |i: usize, age: usize| axes.map(|a| at(age)[i * self.d + a]);
        let line = |i: usize| (1..=count).rev().map(|age| point(i, age)).collect();
        (0..followed).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Frame, Rect};

    fn painted(trails: &Trails) -> usize {
        let mut canvas = Canvas::default();
        canvas.resize(64, 64);
        canvas.clear([255; 4]);
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            w: 64.0,
            h: 64.0,
        };
        trails.paint(
            &mut canvas,
            [0, 1],
            &View::fit(Frame::new([-1.0, -1.0, 1.0, 1.0]), rect),
            TrailStyle {
                colour: [0, 0, 0, 255],
                ratio: 1.0,
            },
        );
        canvas
            .pixels()
            .chunks_exact(4)
            .filter(|p| p[0] < 250)
            .count()
    }

    #[test]
    fn a_moving_particle_leaves_a_line_and_a_reset_removes_it() {
        let mut trails = Trails::default();
        for step in 0..100 {
            trails.record(step, &[-0.9 + 0.018 * step as f32, 0.0], 1, 2);
        }
        let lines = trails.lines([0, 1]);
        assert_eq!((lines.len(), lines[0].len()), (1, LENGTH));
        assert!(lines[0].windows(2).all(|pair| pair[0][0] < pair[1][0]));
        assert_eq!(lines[0][LENGTH - 1], [-0.9 + 0.018 * 99.0, 0.0]);
        let length = painted(&trails);
        assert!((20..80).contains(&length), "{length}");
        trails.record(0, &[0.0, 0.0], 1, 2);
        assert_eq!(painted(&trails), 0);
    }

    #[test]
    fn large_clouds_are_thinned() {
        let mut trails = Trails::default();
        let x = vec![0.0; 200_000];
        for step in 0..3 {
            trails.record(step, &x, 100_000, 2);
        }
        assert!(trails.kept[0].len() <= 2 * FOLLOWED);
    }
}
