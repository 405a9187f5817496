//! What stands behind a pane's particles: the target's density and contours, evaluated once a view and kept as pixels.

use crate::metrics::SharedReference;
use crate::scene::{
    Canvas, Frame, Grid, HDR_MASSES, HdrTable, Histogram, Role, Theme, Tone, View, contour_lines,
    ellipse,
};
use crate::session::Session;
use crate::systems::Stage;
use crate::targets::Target;
use std::rc::Rc;

/// Nodes along the longer side of the grid that the contours' levels are integrated on.
const LEVEL_NODES: usize = 160;
/// CSS pixels between nodes of the grid that is shown.
const SPACING: f32 = 5.0;

/// Opacity of a contour: outer regions are fainter.
pub(super) fn opacity(mass: f32) -> f32 {
    1.0 - 0.5 * mass
}

/// What is known of the density of the two coordinates shown.
enum Shown {
    /// There is no target.
    Empty,
    /// It can be evaluated: the target itself in two dimensions, or a marginal in closed form.
    Density { field: Field, levels: HdrTable },
    /// A density on the line.
    Line(SharedReference),
    /// Only moments are known: a Gaussian with them serves as reference.
    Moments { mean: [f64; 2], cov: [f64; 4] },
    /// Not even those.
    Nothing,
}

/// A log-density in the plane.
enum Field {
    Target(SharedReference, [usize; 2]),
    Gaussian { mean: [f64; 2], cov: [f64; 4] },
}

impl Field {
    fn log_density(&mut self, points: &[f32]) -> Vec<f32> {
        match self {
            Self::Target(reference, [0, 1]) => reference.borrow_mut().log_density(points),
            Self::Target(reference, _) => {
                let swapped: Vec<f32> = points
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .flat_map(|[x, y]| [*y, *x])
                    .collect();
                reference.borrow_mut().log_density(&swapped)
            }
            Self::Gaussian { mean, cov } => {
                let det = cov[0] * cov[3] - cov[1] * cov[2];
                let at = |[x, y]: &[f32; 2]| {
                    let (dx, dy) = (f64::from(*x) - mean[0], f64::from(*y) - mean[1]);
                    let q = cov[3] * dx * dx - 2.0 * cov[1] * dx * dy + cov[0] * dy * dy;
                    (-0.5 * q / det) as f32
                };
                points.as_chunks::<2>().0.iter().map(at).collect()
            }
        }
    }
}

/// The parts of a picture that do not move with the particles.
pub(super) struct Scenery {
    target: Option<Rc<Target>>,
    shown: Shown,
    /// Density over the visible frame, with the frame's corners.
    grid: Option<Grid>,
    contours: Vec<(f32, Vec<Vec<[f32; 2]>>)>,
    line: (Option<Frame>, Histogram),
    /// What the model has learned after so many steps, with the levels of its shading.
    learned: Option<(u32, Grid, HdrTable)>,
    /// What the pixels were painted for, and they.
    painted: Option<Painted>,
}

struct Painted {
    key: (View, Theme, [bool; 2], Option<u32>),
    at: [usize; 2],
    width: usize,
    pixels: Vec<u8>,
}

impl Default for Scenery {
    fn default() -> Self {
        Self {
            target: None,
            shown: Shown::Empty,
            grid: None,
            contours: Vec::new(),
            line: (None, Histogram::default()),
            learned: None,
            painted: None,
        }
    }
}

/// Moments of the two coordinates shown.
fn moments(stage: &Stage) -> Option<([f64; 2], [f64; 4])> {
    let (mean, cov) = stage.target.as_ref()?.moments.as_ref()?;
    let [a, b] = stage.axes;
    let at = |i: usize, j: usize| cov.get(i * stage.d + j).copied();
    Some((
        [*mean.get(a)?, *mean.get(b)?],
        [at(a, a)?, at(a, b)?, at(b, a)?, at(b, b)?],
    ))
}

fn shown(session: &Session) -> Shown {
    let stage = session.stage();
    let field = match (stage.d, moments(stage)) {
        (1, _) => return Shown::Line(session.reference().clone()),
        (2, _) => Field::Target(session.reference().clone(), stage.axes),
        // Every marginal of a Gaussian is one.
        (_, Some((mean, cov))) if session.system().get("target").as_deref() == Some("gaussian") => {
            Field::Gaussian { mean, cov }
        }
        (_, Some((mean, cov))) => return Shown::Moments { mean, cov },
        (_, None) => return Shown::Nothing,
    };
    let mut field = field;
    let [x0, y0, x1, y1] = stage.frame;
    // Half as much again on each side holds what the frame leaves out.
    let (mx, my) = (0.25 * (x1 - x0), 0.25 * (y1 - y0));
    let wide = Frame::new([x0 - mx, y0 - my, x1 + mx, y1 + my]);
    let levels = HdrTable::new(&Grid::sample(wide, LEVEL_NODES, &mut |p| {
        field.log_density(p)
    }));
    Shown::Density { field, levels }
}

impl Scenery {
    /// Brings everything up to date with the session's target.
    fn refresh(&mut self, session: &Session) {
        let Some(target) = &session.stage().target else {
            *self = Self::default();
            return;
        };
        if !self
            .target
            .as_ref()
            .is_some_and(|own| Rc::ptr_eq(own, target))
        {
            *self = Self::default();
            self.target = Some(Rc::clone(target));
            self.shown = shown(session);
        }
    }

    /// Takes over what the model has learned since the last look.
    fn learn(&mut self, session: &Session) {
        let step = session.shown();
        let Some((nodes, values)) = session.learned() else {
            self.learned = None;
            return;
        };
        if self.learned.as_ref().is_none_or(|(own, ..)| *own != step) {
            let grid = Grid::square(Frame::new(session.stage().frame), nodes, values);
            let levels = HdrTable::new(&grid);
            self.learned = Some((step, grid, levels));
        }
    }

    /// The learned log-density at a world point.
    pub fn learned_at(&self, point: [f32; 2]) -> Option<f32> {
        self.learned.as_ref()?.1.at(point)
    }

    /// Why the contours are not those of the density shown, if so.
    pub fn note(&self) -> Option<&'static str> {
        match self.shown {
            Shown::Moments { .. } => {
                Some("dashed: Gaussian with the target’s mean and covariance, for reference")
            }
            Shown::Nothing => Some("no closed form for the density of these two coordinates"),
            _ => None,
        }
    }

    /// Contours of the density shown, for a cloud that would hide those on the ground: mass and lines in world units.
    pub fn contours(&self) -> &[(f32, Vec<Vec<[f32; 2]>>)] {
        &self.contours
    }

    /// Edges of a reference Gaussian's regions: mass and closed line, where that is all there is.
    pub fn references(&self) -> Vec<(f32, Vec<[f32; 2]>)> {
        match self.shown {
            Shown::Moments { mean, cov } => HDR_MASSES
                .iter()
                .map(|m| (*m, ellipse(mean, cov, *m)))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The density on the line, for a one-dimensional target.
    pub fn line(&mut self, session: &Session, view: &View) -> &Histogram {
        self.refresh(session);
        let visible = view.visible();
        if let Shown::Line(reference) = &self.shown
            && self.line.0 != Some(visible)
        {
            // Normalised over the target's own frame as well, so that a narrow view does not inflate it.
            let [x0, _, x1, _] = visible.0;
            let [f0, _, f1, _] = session.stage().frame;
            let (low, high) = (x0.min(f0), x1.max(f1));
            let count = 1200_u16;
            let places: Vec<f32> = (0..=count)
                .map(|i| low + (high - low) * f32::from(i) / f32::from(count))
                .collect();
            let values = reference.borrow_mut().log_density(&places);
            self.line = (Some(visible), Histogram::new(&places, &values));
        }
        &self.line.1
    }

    /// Paints the ground of a pane: shading where `density`, contours where `contours`. `view` is in device pixels.
    pub fn paint(
        &mut self,
        canvas: &mut Canvas,
        session: &Session,
        view: &View,
        ratio: f32,
        theme: &Theme,
        [density, contours]: [bool; 2],
    ) {
        self.refresh(session);
        self.learn(session);
        let step = self.learned.as_ref().map(|(step, ..)| *step);
        let key = (*view, theme.clone(), [density, contours], step);
        if let Some(painted) = self.painted.as_ref().filter(|p| p.key == key) {
            canvas.paste(painted.at, painted.width, &painted.pixels);
            return;
        }
        let visible = view.visible();
        if let Shown::Density { field, levels } = &mut self.shown
            && self.grid.as_ref().is_none_or(|g| g.frame != visible)
        {
            let longest = view.rect.w.max(view.rect.h) / ratio;
            let nodes = ((longest / SPACING) as usize).clamp(64, 240);
            let grid = Grid::sample(visible, nodes, &mut |p| field.log_density(p));
            let lines = |mass: &f32| (*mass, contour_lines(&grid, levels.level(*mass)));
            self.contours = HDR_MASSES.iter().map(lines).collect();
            self.grid = Some(grid);
        }
        let shading = match (&self.learned, &self.shown, &self.grid) {
            (Some((_, grid, levels)), ..) => Some((grid, levels)),
            (None, Shown::Density { levels, .. }, Some(grid)) => Some((grid, levels)),
            _ => None,
        };
        if let Some((grid, levels)) = shading.filter(|_| density) {
            let mut shade = Vec::new();
            let width = grid.shade(
                view,
                levels,
                theme.rgba(Role::Stage),
                theme.rgba(Role::Density),
                &mut shade,
            );
            let at = [view.rect.x, view.rect.y].map(|v| v.round().max(0.0) as usize);
            canvas.paste(at, width, &shade);
        }
        if contours {
            let tone = Tone::plain(theme.rgba(Role::Contour), 0.8);
            canvas.lines(view, 1.25 * ratio, tone, |draw| {
                for (mass, lines) in &self.contours {
                    for pair in lines.iter().flat_map(|line| line.windows(2)) {
                        draw(
                            view.to_pixel(pair[0]),
                            view.to_pixel(pair[1]),
                            opacity(*mass),
                        );
                    }
                }
            });
        }
        let (at, width, pixels) = canvas.copy(view.rect);
        self.painted = Some(Painted {
            key,
            at,
            width,
            pixels,
        });
    }
}
