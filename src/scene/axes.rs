//! What lies around and over a pane's cloud: its frame with ticks and names, its title, the kernel's circle.

use super::drawlist::{Align, Baseline, Dash, DrawList, TextStyle};
use super::layout::Rect;
use super::theme::Role;
use super::ticks::{Scale, Ticks};
use super::view::View;

/// Room for tick labels and names around the plot inside a pane, in CSS pixels: left, top, right, bottom.
pub const GUTTER: [f32; 4] = [40.0, 8.0, 8.0, 24.0];

/// Additional room at the top for a pane's title.
pub const TITLE: f32 = 20.0;

/// Height of tick labels.
const SMALL: f32 = 11.0;

/// Height of coordinate names.
const NAME: f32 = 12.0;
/// Width of a letter, of its height, about.
const LETTER: f32 = 0.55;

/// How many ticks fit.
fn tick_count(extent: f32, room: f32) -> usize {
    ((extent / room) as usize).clamp(2, 9)
}

/// Draws the frame, ticks outside it and the names of the two coordinates.
pub fn axes(list: &mut DrawList, view: &View, names: [&str; 2]) {
    let r = view.rect;
    let [_, y0, _, y1] = view.visible().0.map(f64::from);
    let ticks = Ticks::new(Scale::Linear, [y0, y1], tick_count(r.h, 55.0));
    let py = |y: f64| view.to_pixel([0.0, y as f32])[1];
    for y in &ticks.values {
        list.line([r.x - 4.0, py(*y)], [r.x, py(*y)]);
    }
    horizontal(list, view, names[0]);
    let beside = TextStyle::new(SMALL, Role::Muted, Align::Right, Baseline::Middle);
    for (y, label) in ticks.values.iter().zip(ticks.labels) {
        if py(*y) > r.y + 5.0 && py(*y) < r.y + r.h - 5.0 {
            list.label(label, [r.x - 7.0, py(*y)], beside);
        }
    }
    upright(list, r, names[1]);
}

/// As [`axes`], with nothing but a name on the vertical axis.
pub fn line_axes(list: &mut DrawList, view: &View, names: [&str; 2]) {
    horizontal(list, view, names[0]);
    upright(list, view.rect, names[1]);
}

fn horizontal(list: &mut DrawList, view: &View, name: &str) {
    let r = view.rect;
    let (right, bottom) = (r.x + r.w, r.y + r.h);
    let [x0, _, x1, _] = view.visible().0.map(f64::from);
    let ticks = Ticks::new(Scale::Linear, [x0, x1], tick_count(r.w, 60.0));
    let px = |x: f64| view.to_pixel([x as f32, 0.0])[0];
    for x in &ticks.values {
        list.line([px(*x), bottom], [px(*x), bottom + 4.0]);
    }
    list.rect(r);
    list.stroke(Role::Muted, 1.0, Dash::Solid, 0.55);
    let below = TextStyle::new(SMALL, Role::Muted, Align::Centre, Baseline::Top);
    let room = LETTER * NAME * name.chars().count() as f32;
    for (x, label) in ticks.values.iter().zip(ticks.labels) {
        // A label centred at the very edge would be cut off by the stage, and the name stands at the right end.
        if px(*x) > r.x + 8.0 && px(*x) < right - 18.0 - room {
            list.label(label, [px(*x), bottom + 7.0], below);
        }
    }
    let style = TextStyle::new(NAME, Role::Ink, Align::Right, Baseline::Top);
    list.label(name, [right, bottom + 6.5], style);
}

/// The name of the vertical axis: upright where it is short, else along the axis.
fn upright(list: &mut DrawList, r: Rect, name: &str) {
    let left = r.x - GUTTER[0] + 1.0;
    if name.chars().count() <= 2 {
        let style = TextStyle::new(NAME, Role::Ink, Align::Left, Baseline::Top);
        list.label(name, [left + 3.0, r.y], style);
        return;
    }
    let style = TextStyle {
        angle: -std::f32::consts::FRAC_PI_2,
        ..TextStyle::new(NAME, Role::Ink, Align::Right, Baseline::Top)
    };
    list.label(name, [left, r.y], style);
}

/// A pane's title above its plot; what would run into the next pane is cut.
pub fn title(list: &mut DrawList, plot: Rect, text: &str, role: Role) {
    let style = TextStyle::new(13.0, role, Align::Left, Baseline::Alphabetic);
    let most = (plot.w / (LETTER * style.size)).max(1.0) as usize;
    let cut = text.char_indices().nth(most).map(|_| {
        let kept: String = text.chars().take(most - 1).collect();
        kept.trim_end_matches([' ', '·']).to_owned() + "…"
    });
    list.label(
        cut.unwrap_or(text.to_owned()),
        [plot.x, plot.y - 7.0],
        style,
    );
}

/// A remark in the plot's top left corner, e.g. that a contour is only a reference.
pub fn note(list: &mut DrawList, plot: Rect, text: &str) {
    let style = TextStyle::new(SMALL, Role::Muted, Align::Left, Baseline::Top);
    list.label(text, [plot.x + 8.0, plot.y + 7.0], style);
}

/// Polylines in world units, stroked; fainter ones are further out.
pub fn contours(list: &mut DrawList, view: &View, lines: &[Vec<[f32; 2]>], dash: Dash, alpha: f32) {
    let mut pixels = Vec::new();
    for line in lines {
        pixels.clear();
        pixels.extend(line.iter().map(|p| view.to_pixel(*p)));
        list.path(&pixels);
    }
    if !lines.is_empty() {
        list.stroke(Role::Contour, 1.1, dash, alpha);
    }
}

/// As [`contours`], with a rim in the ground's colour so that they stand out from the particles that they lie on.
pub fn contours_over(list: &mut DrawList, view: &View, lines: &[Vec<[f32; 2]>], alpha: f32) {
    for (role, width, alpha) in [(Role::Stage, 3.0, 0.5 * alpha), (Role::Contour, 1.3, alpha)] {
        for line in lines {
            let pixels: Vec<[f32; 2]> = line.iter().map(|p| view.to_pixel(*p)).collect();
            list.path(&pixels);
        }
        if !lines.is_empty() {
            list.stroke(role, width, Dash::Solid, alpha);
        }
    }
}

/// Rings around fixed points that the particles are compared with, and segments that they should lie on.
pub fn marks(list: &mut DrawList, view: &View, places: &[[f32; 2]], guides: &[[[f32; 2]; 2]]) {
    for [from, to] in guides {
        list.line(view.to_pixel(*from), view.to_pixel(*to));
    }
    if !guides.is_empty() {
        list.stroke(Role::Reference, 1.0, Dash::Dashed, 0.6);
    }
    for place in places {
        list.circle(view.to_pixel(*place), 6.0);
    }
    if !places.is_empty() {
        list.stroke(Role::Reference, 2.0, Dash::Solid, 1.0);
    }
}

/// A circle of the kernel's width `h` (world units) around a particle.
pub fn kernel_circle(list: &mut DrawList, view: &View, centre: [f32; 2], h: f32) {
    let at = view.to_pixel(centre);
    let radius = h * view.scale;
    if !(radius.is_finite() && radius > 0.0 && at.iter().all(|v| v.is_finite())) {
        return;
    }
    list.circle(at, radius);
    list.fill(Role::Kernel, 0.14);
    list.circle(at, radius);
    list.stroke(Role::Kernel, 2.0, Dash::Dashed, 1.0);
    let edge = [at[0] + radius, at[1]];
    list.line(at, edge);
    list.stroke(Role::Kernel, 2.0, Dash::Solid, 1.0);
    list.circle(at, 2.6);
    list.fill(Role::Kernel, 1.0);
    let style = TextStyle::new(13.0, Role::Kernel, Align::Centre, Baseline::Alphabetic);
    list.label("h", [at[0] + 0.5 * radius, at[1] - 5.0], style);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Frame;

    #[test]
    fn axes_draw_the_same_list_every_time() {
        let rect = Rect {
            x: 40.0,
            y: 8.0,
            w: 200.0,
            h: 120.0,
        };
        let view = View::fit(Frame::new([-2.0, -1.0, 2.0, 1.0]), rect);
        let mut list = DrawList::default();
        axes(&mut list, &view, ["x", "y"]);
        kernel_circle(&mut list, &view, [0.5, 0.0], 0.25);
        insta::assert_snapshot!(list.listing());
    }

    #[test]
    fn titles_stay_over_their_plot() {
        let shown = |w: f32, text: &str| {
            let mut list = DrawList::default();
            let plot = Rect {
                x: 40.0,
                y: 30.0,
                w,
                h: 120.0,
            };
            title(&mut list, plot, text, Role::Ink);
            list.text()[0].clone()
        };
        // 13 px letters are about 7.15 wide: 100 px hold 13.
        assert_eq!(shown(100.0, "SVGD · step 1"), "SVGD · step 1");
        assert_eq!(shown(100.0, "SVGD · step 0.1"), "SVGD · step…");
        assert_eq!(shown(100.0, "SVGD · n 5 · step 0.1"), "SVGD · n 5…");
        assert_eq!(shown(0.0, "SVGD"), "…");
    }

    #[test]
    fn a_circle_without_a_size_is_left_out() {
        let view = View::fit(Frame::new([-2.0, -1.0, 2.0, 1.0]), Rect::default());
        for (at, h) in [
            ([0.0, 0.0], 0.0),
            ([f32::NAN, 0.0], 1.0),
            ([0.0, 0.0], f32::INFINITY),
        ] {
            let mut list = DrawList::default();
            kernel_circle(&mut list, &view, at, h);
            assert!(list.ops().is_empty());
        }
    }
}
