//! A chart of one metric against the step, or against a parameter: a curve a pane, told apart by colour, dash and end marker.
//! Its name and its present values stand in the page's text beside it.

use super::drawlist::{Align, Baseline, Dash, DrawList, Marker, TextStyle};
use super::layout::Rect;
use super::theme::Role;
use super::ticks::{Scale, Ticks};
use crate::order;

/// One pane's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Pane it belongs to: gives colour, dash and marker.
    pub pane: usize,
    /// (step or parameter, value), ascending; undefined values are left out.
    pub points: Vec<[f64; 2]>,
    /// (step or parameter, lower, upper): a band around the curve, or nothing.
    pub band: Vec<[f64; 3]>,
}

/// The horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Across {
    /// Its name, at its right end.
    pub name: &'static str,
    /// How it is drawn.
    pub scale: Scale,
    /// It shows this interval at least.
    pub least: [f64; 2],
}

impl Across {
    /// Steps up to `last`.
    pub fn steps(last: f64) -> Self {
        Self {
            name: "step",
            scale: Scale::Linear,
            least: [0.0, last],
        }
    }
}

/// A horizontal line to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Its value.
    pub value: f64,
    /// What it is, in a word or two.
    pub label: String,
}

/// What a chart shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// How the vertical axis is drawn where the values allow it: a logarithmic one needs positive values over more than a
    /// decade and a half.
    pub scale: Scale,
    /// One a pane that measures it.
    pub curves: Vec<Curve>,
    /// Lines to compare with.
    pub references: Vec<Reference>,
    /// The axis that values are plotted against.
    pub across: Across,
}

/// Room around the plot: left, top, right, bottom.
const MARGIN: [f32; 4] = [46.0, 9.0, 12.0, 24.0];
const SMALL: f32 = 10.5;

impl Chart {
    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let curves = self.curves.iter().flat_map(|c| {
            let band = c.band.iter().flat_map(|b| [b[1], b[2]]);
            c.points.iter().map(|p| p[1]).chain(band)
        });
        curves.filter(|v| v.is_finite())
    }

    fn drawn_scale(&self) -> Scale {
        let (low, high) = self
            .values()
            .fold((f64::MAX, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
        let wide = low > 0.0 && high > 30.0 * low && high < f64::MAX;
        if self.scale == Scale::Log && wide {
            Scale::Log
        } else {
            Scale::Linear
        }
    }

    /// The interval of values shown: all of them and the references, with room, from 0 where that is near.
    fn range(&self, scale: Scale) -> [f64; 2] {
        let references = self
            .references
            .iter()
            .map(|r| r.value)
            .filter(|v| v.is_finite());
        let (mut low, mut high) = self
            .values()
            .chain(references.filter(|v| scale == Scale::Linear || *v > 0.0))
            .map(|v| v.clamp(-1e300, 1e300))
            .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return [0.0, 1.0];
        }
        match scale {
            Scale::Log => [low / 1.25, high * 1.25],
            Scale::Linear => {
                // A flat curve, or its first point, is seen against 0 too: its last digits are no axis.
                if low >= 0.0 && (low < 0.5 * high || high - low < 1e-3 * high) {
                    low = 0.0;
                }
                let size = (high - low).max(1e-3 * high.abs()).max(1e-12);
                high += 0.08 * size;
                if low != 0.0 {
                    low -= 0.08 * size;
                }
                [low, high]
            }
        }
    }

    /// Draws the chart on `width × height` CSS pixels.
    pub fn draw(&self, width: f32, height: f32) -> DrawList {
        let mut list = DrawList::default();
        let plot = Rect {
            x: 0.0,
            y: 0.0,
            w: width,
            h: height,
        }
        .inset(MARGIN);
        let scale = self.drawn_scale();
        let range = self.range(scale);
        let [least, most] = self.across.least;
        let ends = |c: &Curve| [c.points.first().copied(), c.points.last().copied()];
        let met = self.curves.iter().flat_map(ends).flatten().map(|p| p[0]);
        let (first, last) = met.fold((least, most), |(l, h), x| (l.min(x), h.max(x)));
        let steps = match self.across.scale {
            Scale::Linear => [first, last.max(first + 1.0)],
            Scale::Log => [first / 1.15, last * 1.15],
        };
        let to_pixel = |[step, value]: [f64; 2]| {
            let u = self.across.scale.position(step, steps) as f32;
            let v = scale.position(value, range) as f32;
            [plot.x + u * plot.w, plot.y + (1.0 - v) * plot.h]
        };
        self.frame(&mut list, plot, scale, range, steps, &to_pixel);
        list.clip(plot.inset([-1.0, -1.0, -7.0, -1.0]));
        let curves: Vec<(usize, Vec<[f32; 2]>)> = self
            .curves
            .iter()
            .map(|c| (c.pane, c.points.iter().map(|p| to_pixel(*p)).collect()))
            .collect();
        for reference in &self.references {
            let y = to_pixel([0.0, reference.value])[1];
            if y.is_finite() {
                list.line([plot.x, y], [plot.x + plot.w, y]);
                list.stroke(Role::Reference, 1.2, Dash::Dashed, 0.9);
                let points = || curves.iter().flat_map(|c| &c.1);
                let label = fitting(&reference.label, plot.w);
                let (at, style) = roomiest(plot, y, label, points);
                list.label(label, at, style);
            }
        }
        for curve in self.curves.iter().filter(|c| !c.band.is_empty()) {
            let edge = |side: usize| curve.band.iter().map(move |b| [b[0], b[side]]);
            let around: Vec<[f32; 2]> = edge(1).chain(edge(2).rev()).map(to_pixel).collect();
            list.path(&around);
            list.fill(Role::pane(curve.pane), 0.18);
        }
        for (pane, points) in &curves {
            let role = Role::pane(*pane);
            for run in points.split(|p| !(p[0].is_finite() && p[1].is_finite())) {
                list.path(&thinned(run));
            }
            let dash = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Solid][pane % 4];
            list.stroke(role, 1.8, dash, 1.0);
            if let Some(end) = points.last().filter(|p| p[1].is_finite()) {
                list.marker(Marker::pane(*pane), *end, 7.0);
                list.fill(role, 1.0);
            }
        }
        list.unclip();
        list
    }

    fn frame(
        &self,
        list: &mut DrawList,
        plot: Rect,
        scale: Scale,
        range: [f64; 2],
        steps: [f64; 2],
        to_pixel: &dyn Fn([f64; 2]) -> [f32; 2],
    ) {
        let (right, bottom) = (plot.x + plot.w, plot.y + plot.h);
        let up = Ticks::new(scale, range, ((plot.h / 22.0) as usize).clamp(2, 6));
        let across = Ticks::new(
            self.across.scale,
            steps,
            ((plot.w / 70.0) as usize).clamp(2, 7),
        );
        for value in &up.values {
            let y = to_pixel([steps[0], *value])[1];
            list.line([plot.x, y], [right, y]);
        }
        list.stroke(Role::Grid, 1.0, Dash::Solid, 0.8);
        list.line([plot.x, bottom], [right, bottom]);
        for step in &across.values {
            let x = to_pixel([*step, range[0]])[0];
            list.line([x, bottom], [x, bottom + 4.0]);
        }
        list.stroke(Role::Muted, 1.0, Dash::Solid, 0.8);
        let beside = TextStyle::new(SMALL, Role::Muted, Align::Right, Baseline::Middle);
        for (value, label) in up.values.iter().zip(up.labels) {
            list.label(
                label,
                [plot.x - 6.0, to_pixel([steps[0], *value])[1]],
                beside,
            );
        }
        let below = TextStyle::new(SMALL, Role::Muted, Align::Centre, Baseline::Top);
        for (step, label) in across.values.iter().zip(across.labels) {
            let x = to_pixel([*step, range[0]])[0];
            // The axis name stands at the right end; letters are about half as wide as they are high.
            if x < right - 0.5 * SMALL * self.across.name.chars().count() as f32 - 13.0 {
                list.label(label, [x, bottom + 6.0], below);
            }
        }
        let name = TextStyle {
            align: Align::Right,
            ..below
        };
        list.label(self.across.name, [right, bottom + 6.0], name);
    }
}

/// About the width of a label with its margins: letters are about half as wide as they are high.
fn label_width(label: &str) -> f32 {
    0.5 * SMALL * label.chars().count() as f32 + 8.0
}

/// As much of a label as has room: without its last clauses, which say more of the same.
fn fitting(label: &str, room: f32) -> &str {
    let mut label = label;
    while label_width(label) > room {
        let Some(cut) = label.rfind([':', ',']) else {
            break;
        };
        label = &label[..cut];
    }
    label
}

/// Where the label of a line at height `y` meets the fewest points: at either end, above the line or below.
fn roomiest<'a, I: Iterator<Item = &'a [f32; 2]>>(
    plot: Rect,
    y: f32,
    label: &str,
    points: impl Fn() -> I,
) -> ([f32; 2], TextStyle) {
    let width = label_width(label);
    let height = SMALL + 6.0;
    let right = plot.x + plot.w;
    let mut best = (
        usize::MAX,
        [plot.x + 5.0, y + 4.0],
        TextStyle::new(SMALL, Role::Reference, Align::Left, Baseline::Top),
    );
    for (x, left, align) in [
        (right - 5.0, right - width, Align::Right),
        (plot.x + 5.0, plot.x, Align::Left),
    ] {
        for (top, at, baseline) in [
            (y - height, y - 4.0, Baseline::Alphabetic),
            (y, y + 4.0, Baseline::Top),
        ] {
            if top < plot.y || top + height > plot.y + plot.h {
                continue;
            }
            let area = Rect {
                x: left,
                y: top,
                w: width,
                h: height,
            };
            let met = points().filter(|p| area.holds(**p)).count();
            if met < best.0 {
                best = (
                    met,
                    [x, at],
                    TextStyle {
                        align,
                        baseline,
                        ..best.2
                    },
                );
            }
        }
    }
    (best.1, best.2)
}

/// At most four points a pixel column: first, lowest, highest, last.
fn thinned(points: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut out: Vec<[f32; 2]> = Vec::new();
    for column in points.chunk_by(|a, b| a[0].floor() == b[0].floor()) {
        if column.len() <= 4 {
            out.extend(column);
            continue;
        }
        let by = |pick: fn(f32, f32) -> bool| {
            (1..column.len()).fold(0, |best, i| {
                if pick(column[i][1], column[best][1]) {
                    i
                } else {
                    best
                }
            })
        };
        let mut kept = [0, by(|a, b| a < b), by(|a, b| a > b), column.len() - 1];
        order::sort_few(&mut kept, |a, b| a < b);
        out.extend(kept.map(|i| column[i]));
    }
    out
}

#[cfg(test)]
mod tests;
