//! Ways of particles as lines, coloured by how far they are from those of optimal transport.

use super::drawlist::{Dash, DrawList};
use super::theme::Role;
use super::view::View;

/// Ways in the plane and what is wrong with them.
#[derive(Debug, Clone, Copy)]
pub struct Ways<'a> {
    /// Points `[points, n, d]`.
    pub paths: &'a [f32],
    /// What is wrong with each leg, `[points − 1, n]`.
    pub residual: &'a [f32],
    /// Particles n.
    pub n: usize,
    /// Dimension d.
    pub d: usize,
    /// Ways that are drawn: the first of them.
    pub shown: usize,
    /// The two coordinates shown.
    pub axes: [usize; 2],
}

/// Colours of legs by their residual over the mean energy of a way: up to so much, in this colour and opacity.
const CLASSES: [(f32, Role, f32); 4] = [
    (0.05, Role::Trail, 0.35),
    (0.2, Role::Trail, 0.7),
    (0.6, Role::Repulsion, 0.6),
    (f32::INFINITY, Role::Repulsion, 0.95),
];

/// So many ways are drawn firmly.
const FEW: usize = 8;

impl Ways<'_> {
    fn at(&self, point: usize, particle: usize) -> Option<[f32; 2]> {
        let start = (point * self.n + particle) * self.d;
        let row = self.paths.get(start..start + self.d)?;
        let place = self.axes.map(|a| row[a]);
        place.iter().all(|v| v.is_finite()).then_some(place)
    }

    /// Mean of ½|x(end) − x(start)|² over the ways, all coordinates: what residuals are measured in.
    fn energy(&self) -> f32 {
        let row = self.n * self.d;
        let last = self.paths.len().saturating_sub(row);
        let both = self.paths[..row.min(self.paths.len())]
            .iter()
            .zip(&self.paths[last..]);
        let total: f32 = both.map(|(a, b)| 0.5 * (b - a) * (b - a)).sum();
        total / self.n.max(1) as f32
    }

    /// Draws them. A leg that is not finite is left out.
    pub fn draw(&self, list: &mut DrawList, view: &View) {
        let legs = self.residual.len() / self.n.max(1);
        let scale = self.energy().max(f32::MIN_POSITIVE).recip();
        let mut from = 0.0;
        for (to, role, alpha) in CLASSES {
            let mut drawn = false;
            for k in 0..legs {
                for i in 0..self.shown.min(self.n) {
                    let wrong = self.residual[k * self.n + i] * scale;
                    let belongs = wrong >= from && wrong < to;
                    if let (true, Some(a), Some(b)) = (belongs, self.at(k, i), self.at(k + 1, i)) {
                        list.line(view.to_pixel(a), view.to_pixel(b));
                        drawn = true;
                    }
                }
            }
            if drawn {
                // A few ways are lines to be read, many a texture.
                let alpha = if self.shown > FEW { alpha } else { 0.9 };
                list.stroke(role, 1.0, Dash::Solid, alpha);
            }
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Frame, Rect};

    /// Two ways of two legs: one straight and right, one that goes wrong at its end, then one that leaves the numbers.
    #[test]
    fn legs_are_coloured_by_their_residual() {
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            w: 100.0,
            h: 100.0,
        };
        let view = View::fit(Frame::new([-1.0, -1.0, 3.0, 3.0]), rect);
        let count = |last: f32, role: Role| {
            let paths = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 2.0, 0.0, last, 1.0];
            let ways = Ways {
                paths: &paths,
                residual: &[0.0, 0.0, 0.0, 5.0],
                n: 2,
                d: 2,
                shown: 9,
                axes: [0, 1],
            };
            let mut list = DrawList::default();
            ways.draw(&mut list, &view);
            let code = f32::from(role as u8);
            let strokes = list.ops().windows(3).filter(|w| w[..] == [1.0, code, 1.0]);
            strokes.count()
        };
        assert_eq!(
            [Role::Trail, Role::Repulsion].map(|r| count(2.0, r)),
            [1, 1]
        );
        assert_eq!(count(f32::NAN, Role::Repulsion), 0);
    }
}
