//! Where the panes of a comparison lie on the stage.

/// A rectangle in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// Whether the point lies inside.
    pub fn holds(&self, [x, y]: [f32; 2]) -> bool {
        x >= self.x && x < self.x + self.w && y >= self.y && y < self.y + self.h
    }

    /// Whole pixels of this rectangle inside a picture of `width × height`: x0, y0, x1, y1.
    pub fn pixels(&self, width: usize, height: usize) -> [usize; 4] {
        let end = |v: f32, limit: usize| (v.round().max(0.0) as usize).min(limit);
        [
            end(self.x, width),
            end(self.y, height),
            end(self.x + self.w, width),
            end(self.y + self.h, height),
        ]
    }

    /// This rectangle without a margin on each side (left, top, right, bottom); never negative.
    pub fn inset(&self, [left, top, right, bottom]: [f32; 4]) -> Self {
        Self {
            x: self.x + left,
            y: self.y + top,
            w: (self.w - left - right).max(1.0),
            h: (self.h - top - bottom).max(1.0),
        }
    }

    /// The same rectangle in units `ratio` times smaller.
    pub fn scaled(&self, ratio: f32) -> Self {
        Self {
            x: self.x * ratio,
            y: self.y * ratio,
            w: self.w * ratio,
            h: self.h * ratio,
        }
    }
}

/// Gap between panes in CSS pixels.
const GAP: f32 = 8.0;

/// The rectangles of `count` panes (1–4) on a stage of `width × height`: the grid whose panes have the largest short side.
pub fn panes(count: usize, width: f32, height: f32) -> Vec<Rect> {
    let count = count.clamp(1, 4);
    let cell = |columns: usize| {
        let rows = count.div_ceil(columns);
        let extent = |all: f32, n: usize| ((all - GAP * (n as f32 - 1.0)) / n as f32).max(1.0);
        (extent(width, columns), extent(height, rows))
    };
    let mut best = 1;
    for columns in 2..=count {
        // Three columns for four panes would leave a ragged row.
        if count == 4 && columns == 3 {
            continue;
        }
        let short = |c| {
            let (w, h): (f32, f32) = cell(c);
            w.min(h)
        };
        if short(columns) > short(best) {
            best = columns;
        }
    }
    let (w, h) = cell(best);
    (0..count)
        .map(|i| Rect {
            x: (i % best) as f32 * (w + GAP),
            y: (i / best) as f32 * (h + GAP),
            w,
            h,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_stages_put_panes_side_by_side_and_narrow_ones_stack_them() {
        let wide = panes(2, 1200.0, 500.0);
        assert_eq!((wide[0].y, wide[1].y), (0.0, 0.0));
        let tall = panes(2, 320.0, 600.0);
        assert_eq!((tall[0].x, tall[1].x), (0.0, 0.0));
        let four = panes(4, 1000.0, 800.0);
        assert_eq!(four[3].x, four[1].x);
        assert_eq!(four[3].y, four[2].y);
    }

    #[test]
    fn panes_fill_the_stage_without_overlap() {
        for count in 1..=4 {
            for (w, h) in [(1200.0, 800.0), (320.0, 500.0), (3.0, 2.0)] {
                let all = panes(count, w, h);
                assert_eq!(all.len(), count);
                for (i, a) in all.iter().enumerate() {
                    for b in &all[i + 1..] {
                        assert!(a.x + a.w <= b.x + 1e-3 || a.y + a.h <= b.y + 1e-3);
                    }
                }
            }
        }
    }
}
