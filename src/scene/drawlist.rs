//! A flat, device-independent list of vector drawing operations: the one description that a canvas (and later an SVG
//! file) is drawn from.
//!
//! | Code | Numbers that follow | Meaning |
//! |---|---|---|
//! | 0 | n, x0, y0, … | appends a polyline to the path |
//! | 1 | role, width, dash, alpha | strokes the path and clears it |
//! | 2 | role, alpha | fills the path and clears it |
//! | 3 | string, x, y, size, role, align, baseline, angle | text |
//! | 4 | x, y, r | appends a circle to the path |
//! | 5 | x, y, w, h | saves and clips to a rectangle |
//! | 6 | | restores |
//! | 7 | shape, x, y, size | appends a marker to the path |
//!
//! Units are CSS pixels, angles radians clockwise.

use super::layout::Rect;
use super::theme::Role;

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
}

/// Shape of a marker; panes differ by shape as well as by colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle.
    Triangle,
    /// A diamond.
    Diamond,
}

impl Marker {
    /// The marker of pane `index`.
    pub fn pane(index: usize) -> Self {
        [Self::Disc, Self::Square, Self::Triangle, Self::Diamond][index % 4]
    }
}

/// Which side of a text lies at its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Its left end.
    Left,
    /// Its centre.
    Centre,
    /// Its right end.
    Right,
}

/// Which height of a text lies at its y.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The line that letters stand on.
    Alphabetic,
    /// Half height.
    Middle,
    /// The top.
    Top,
}

/// Size, colour and anchor of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextStyle {
    /// Height in CSS pixels.
    pub size: f32,
    /// Colour.
    pub role: Role,
    /// Horizontal anchor.
    pub align: Align,
    /// Vertical anchor.
    pub baseline: Baseline,
    /// Rotation in radians, clockwise.
    pub angle: f32,
}

impl TextStyle {
    /// Upright text.
    pub fn new(size: f32, role: Role, align: Align, baseline: Baseline) -> Self {
        Self {
            size,
            role,
            align,
            baseline,
            angle: 0.0,
        }
    }
}

/// The list: a stream of numbers and the strings it refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DrawList {
    ops: Vec<f32>,
    text: Vec<String>,
}

/// Coordinates beyond this are pulled in, so that no canvas meets an overflow.
const FAR: f32 = 1e5;

fn tame(v: f32) -> f32 {
    if v.is_nan() { -FAR } else { v.clamp(-FAR, FAR) }
}

impl DrawList {
    /// The stream.
    pub fn ops(&self) -> &[f32] {
        &self.ops
    }

    /// The strings.
    pub fn text(&self) -> &[String] {
        &self.text
    }

    /// Appends a polyline to the path; fewer than two points are left out.
    pub fn path(&mut self, points: &[[f32; 2]]) {
        if points.len() < 2 {
            return;
        }
        self.ops.extend([0.0, points.len() as f32]);
        self.ops.extend(points.iter().flatten().map(|v| tame(*v)));
    }

    /// Appends a straight line to the path.
    pub fn line(&mut self, from: [f32; 2], to: [f32; 2]) {
        self.path(&[from, to]);
    }

    /// Appends a closed rectangle to the path.
    pub fn rect(&mut self, r: Rect) {
        let (x1, y1) = (r.x + r.w, r.y + r.h);
        self.path(&[[r.x, r.y], [x1, r.y], [x1, y1], [r.x, y1], [r.x, r.y]]);
    }

    /// Appends a full circle to the path.
    pub fn circle(&mut self, centre: [f32; 2], radius: f32) {
        self.ops
            .extend([4.0, tame(centre[0]), tame(centre[1]), tame(radius).max(0.0)]);
    }

    /// Appends a marker to the path.
    pub fn marker(&mut self, shape: Marker, at: [f32; 2], size: f32) {
        self.ops
            .extend([7.0, f32::from(shape as u8), tame(at[0]), tame(at[1]), size]);
    }

    /// Strokes the path and clears it.
    pub fn stroke(&mut self, role: Role, width: f32, dash: Dash, alpha: f32) {
        self.ops.extend([
            1.0,
            f32::from(role as u8),
            width,
            f32::from(dash as u8),
            alpha,
        ]);
    }

    /// Fills the path and clears it.
    pub fn fill(&mut self, role: Role, alpha: f32) {
        self.ops.extend([2.0, f32::from(role as u8), alpha]);
    }

    /// Draws `text` anchored at `at`.
    pub fn label(&mut self, text: impl Into<String>, at: [f32; 2], style: TextStyle) {
        let text = text.into();
        let index = self.text.iter().position(|t| *t == text);
        let index = index.unwrap_or_else(|| {
            self.text.push(text);
            self.text.len() - 1
        });
        self.ops.extend([
            3.0,
            index as f32,
            tame(at[0]),
            tame(at[1]),
            style.size,
            f32::from(style.role as u8),
            f32::from(style.align as u8),
            f32::from(style.baseline as u8),
            style.angle,
        ]);
    }

    /// Appends all of `other`.
    pub fn append(&mut self, other: &Self) {
        let mut rest = other.ops();
        while let Some(arity) = Self::arity(rest) {
            let (op, tail) = rest.split_at(1 + arity);
            let at = self.ops.len();
            self.ops.extend(op);
            if op[0] == 3.0 {
                self.ops[at + 1] += self.text.len() as f32;
            }
            rest = tail;
        }
        self.text.extend(other.text.iter().cloned());
    }

    /// Clips what follows to `r`, until [`DrawList::unclip`].
    pub fn clip(&mut self, r: Rect) {
        self.ops.extend([5.0, r.x, r.y, r.w, r.h]);
    }

    /// Ends the last clip.
    pub fn unclip(&mut self) {
        self.ops.push(6.0);
    }

    /// Numbers after the code of each operation; `None` at the end or at an unknown code. For players and tests.
    pub fn arity(stream: &[f32]) -> Option<usize> {
        let code = *stream.first()?;
        match code as u32 {
            0 => stream.get(1).map(|n| 1 + 2 * *n as usize),
            1 | 5 | 7 => Some(4),
            2 => Some(2),
            3 => Some(8),
            4 => Some(3),
            6 => Some(0),
            _ => None,
        }
    }
}

#[cfg(test)]
impl DrawList {
    /// One operation a line, for snapshots.
    pub(super) fn listing(&self) -> String {
        const NAMES: [&str; 8] = [
            "path", "stroke", "fill", "text", "circle", "clip", "unclip", "marker",
        ];
        let mut out = String::new();
        let mut rest = self.ops();
        while let Some(arity) = Self::arity(rest) {
            let (op, tail) = rest.split_at(1 + arity);
            out += NAMES[op[0] as usize];
            for (i, value) in op[1..].iter().enumerate() {
                if op[0] == 3.0 && i == 0 {
                    out += &format!(" {:?}", self.text[*value as usize]);
                } else {
                    out += &format!(" {}", (value * 100.0).round() / 100.0);
                }
            }
            out.push('\n');
            rest = tail;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_walk_to_their_end() {
        let mut list = DrawList::default();
        list.clip(Rect {
            x: 0.0,
            y: 0.0,
            w: 9.0,
            h: 9.0,
        });
        list.path(&[[0.0, 0.0], [1.0, f32::NAN], [f32::INFINITY, 2.0]]);
        list.stroke(Role::Ink, 1.0, Dash::Dotted, 1.0);
        list.circle([1.0, 1.0], 2.0);
        list.marker(Marker::Diamond, [0.0, 0.0], 3.0);
        list.fill(Role::Pane3, 0.5);
        let style = TextStyle::new(11.0, Role::Muted, Align::Right, Baseline::Middle);
        list.label("γ", [1.0, 2.0], style);
        list.label("γ", [3.0, 2.0], style);
        list.unclip();
        let mut rest = list.ops();
        while !rest.is_empty() {
            let n = DrawList::arity(rest).expect("a known code");
            rest = &rest[1 + n..];
        }
        assert!(list.ops().iter().all(|v| v.is_finite()));
        assert_eq!(list.text(), ["γ"]);
        assert_eq!(DrawList::arity(&[9.0]), None);
    }

    #[test]
    fn an_appended_list_keeps_its_own_texts() {
        let style = TextStyle::new(11.0, Role::Muted, Align::Right, Baseline::Middle);
        let [mut a, mut b] = [DrawList::default(), DrawList::default()];
        a.label("one", [1.0, 2.0], style);
        b.line([0.0, 0.0], [1.0, 1.0]);
        b.label("two", [3.0, 2.0], style);
        a.append(&b);
        let listing = a.listing();
        assert!(
            listing.contains("text \"one\" 1 2") && listing.contains("text \"two\" 3 2"),
            "{listing}"
        );
    }

    #[test]
    fn short_paths_are_left_out() {
        let mut list = DrawList::default();
        list.path(&[[1.0, 1.0]]);
        assert!(list.ops().is_empty());
    }
}
