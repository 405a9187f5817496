//! Arrows on a thinned, stable subset of particles: the parts of a velocity, at one common scale so that they compare.

use super::drawlist::{Dash, DrawList};
use super::theme::Role;
use super::view::View;
use crate::order;

/// Particles that carry arrows, at most.
const SHOWN: usize = 150;
/// Length of a long arrow (the 90th percentile of all), in CSS pixels.
const LONG: f32 = 36.0;
/// No arrow is longer than this.
const LONGEST: f32 = 90.0;

/// Vectors at particles.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Particles, row-major `[n, d]`.
    pub x: &'a [f32],
    /// A vector a particle, `[n, d]`.
    pub vectors: &'a [f32],
    /// Dimension.
    pub d: usize,
    /// The two coordinates shown.
    pub axes: [usize; 2],
}

/// Indices of the particles that carry arrows: the same at every step.
fn subset(n: usize) -> impl Iterator<Item = usize> + Clone {
    let stride = n.div_ceil(SHOWN).max(1);
    (0..n).step_by(stride)
}

fn vector(field: &[f32], d: usize, axes: [usize; 2], i: usize) -> Option<[f32; 2]> {
    let row = field.get(i * d..(i + 1) * d)?;
    let v = [*row.get(axes[0])?, *row.get(axes[1])?];
    v.iter().all(|v| v.is_finite()).then_some(v)
}

/// CSS pixels a unit of the fields, so that long arrows of all of them have a readable length.
pub fn common_scale(fields: &[Field]) -> f32 {
    let mut lengths: Vec<f32> = fields
        .iter()
        .flat_map(|f| {
            let n = f.x.len() / f.d.max(1);
            subset(n).filter_map(move |i| vector(f.vectors, f.d, f.axes, i))
        })
        .map(|v| v[0].hypot(v[1]))
        .collect();
    if lengths.is_empty() {
        return 0.0;
    }
    let at = (lengths.len() - 1) * 9 / 10;
    let long = order::select(&mut lengths, at);
    if long > 0.0 { LONG / long } else { 0.0 }
}

/// Draws a field, `scale` CSS pixels a unit.
pub fn arrows(list: &mut DrawList, view: &View, field: Field, scale: f32, role: Role) {
    let Field {
        x,
        vectors,
        d,
        axes,
    } = field;
    let n = x.len() / d.max(1);
    let shown = || {
        subset(n).filter_map(move |i| {
            let at = view.to_pixel(vector(x, d, axes, i)?);
            let [vx, vy] = vector(vectors, d, axes, i)?;
            let length = vx.hypot(vy) * scale;
            // Shorter than its head, it would be a blot.
            (length > 2.0 && view.rect.holds(at)).then(|| {
                let shown = length.min(LONGEST);
                let unit = [vx * scale / length, -vy * scale / length];
                (at, unit, shown)
            })
        })
    };
    for (at, unit, length) in shown() {
        list.line(
            at,
            [
                at[0] + unit[0] * (length - 2.0),
                at[1] + unit[1] * (length - 2.0),
            ],
        );
    }
    list.stroke(role, 1.6, Dash::Solid, 0.95);
    for (at, unit, length) in shown() {
        let head = (0.4 * length).clamp(3.0, 7.0);
        let along = |s: f32, side: f32| {
            [
                at[0] + unit[0] * s - unit[1] * side,
                at[1] + unit[1] * s + unit[0] * side,
            ]
        };
        let (base, half) = (length - head, 0.42 * head);
        list.path(&[along(base, half), along(length, 0.0), along(base, -half)]);
    }
    list.fill(role, 0.95);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Frame, Rect};

    fn view() -> View {
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            w: 400.0,
            h: 400.0,
        };
        View::fit(Frame::new([-2.0, -2.0, 2.0, 2.0]), rect)
    }

    fn field<'a>(x: &'a [f32], vectors: &'a [f32]) -> Field<'a> {
        Field {
            x,
            vectors,
            d: 2,
            axes: [0, 1],
        }
    }

    #[test]
    fn arrows_are_thinned_and_share_a_scale() {
        let n = 10_000;
        assert!(subset(n).count() <= SHOWN && subset(n).count() > SHOWN / 2);
        let x = vec![0.0; 2 * n];
        let (small, large) = (vec![0.1; 2 * n], vec![1.0; 2 * n]);
        let both = common_scale(&[field(&x, &small), field(&x, &large)]);
        assert_eq!(both, common_scale(&[field(&x, &large)]));
        assert!((both * 2f32.sqrt() - LONG).abs() < 1e-3);
    }

    #[test]
    fn an_arrow_points_upwards_where_y_grows() {
        let mut list = DrawList::default();
        arrows(
            &mut list,
            &view(),
            field(&[0.0, 0.0], &[0.0, 1.0]),
            30.0,
            Role::Drift,
        );
        // The first path: from the particle at the centre to the shaft's end above it.
        assert_eq!(list.ops()[..6], [0.0, 2.0, 200.0, 200.0, 200.0, 172.0]);
    }

    #[test]
    fn broken_fields_are_left_out() {
        let x = [0.0, 0.0, f32::NAN, 0.0, 1.0, 1.0];
        let vectors = [f32::NAN, 1.0, 1.0, 1.0];
        assert_eq!(common_scale(&[field(&x, &vectors[..2])]), 0.0);
        assert_eq!(
            common_scale(&[Field {
                axes: [0, 5],
                ..field(&x, &[0.0; 6])
            }]),
            0.0
        );
        let mut list = DrawList::default();
        arrows(&mut list, &view(), field(&x, &vectors), 30.0, Role::Drift);
        assert!(list.ops().iter().all(|v| v.is_finite()));
    }
}
