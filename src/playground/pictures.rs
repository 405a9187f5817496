//! The picture: where panes lie, what they show, and the moves of the view.

use super::Playground;
use super::scenery::opacity;
use crate::exec::gpu;
use crate::scene::{
    CloudStyle, Dash, DrawList, Field, Foreground, Frame, GUTTER, LAYERS, Rect, Role, TITLE, Theme,
    TrailStyle, View, Ways, arrows, axes, common_scale, contours, contours_over, kernel_circle,
    line_axes, marks, note, panes, title,
};
use crate::session::Session;
use crate::targets::Target;
use std::rc::Rc;

/// What the pixel buffer shows when it holds the ground alone.
#[derive(PartialEq)]
pub(super) struct Ground {
    size: (usize, usize),
    theme: Theme,
    panes: Vec<PaneGround>,
}

struct PaneGround {
    view: View,
    shown: [bool; 2],
    target: Option<Rc<Target>>,
    /// Step of what the model has learned, where the ground shows that.
    learned: Option<u32>,
}

impl PartialEq for PaneGround {
    fn eq(&self, other: &Self) -> bool {
        let same_target = match (&self.target, &other.target) {
            (Some(own), Some(other)) => Rc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        let own = (self.view, self.shown, self.learned);
        same_target && own == (other.view, other.shown, other.learned)
    }
}

/// Largest stage in device pixels a side.
const LARGEST: f32 = 8192.0;

/// Largest pixel buffer: what a stage of 4K needs.
const MOST_PIXELS: f32 = 3840.0 * 2160.0;

impl Playground {
    /// Size of the stage in CSS pixels, and device pixels a CSS pixel.
    pub fn resize(&mut self, width: f32, height: f32, ratio: f32) {
        let sound = |v: f32, low: f32| {
            if v.is_finite() {
                v.max(low).min(LARGEST)
            } else {
                low
            }
        };
        let (width, height) = (sound(width, 1.0), sound(height, 1.0));
        let most = (MOST_PIXELS / (width * height)).sqrt();
        self.screen.size = [width, height];
        self.screen.ratio = sound(ratio, 0.25).min(8.0).min(most);
        let [w, h] = self
            .screen
            .size
            .map(|v| (v * self.screen.ratio).round().max(1.0) as usize);
        self.canvas.resize(w, h);
    }

    /// Colours `0xRRGGBBAA` in role order.
    pub fn set_theme(&mut self, colours: &[u32]) {
        self.screen.theme.set(colours);
    }

    /// A flat JSON object of layer names to booleans; anything else is ignored. (Six names do not earn a parser in the
    /// download.)
    pub fn set_layers(&mut self, states: &str) {
        let punctuation =
            |c: char| matches!(c, '{' | '}' | '"' | ':' | ',') || c.is_ascii_whitespace();
        let words = states.split(punctuation).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.collect();
        let state = |id: &str| match *words.iter().skip_while(|word| **word != id).nth(1)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        let states = LAYERS.iter().filter_map(|l| Some((l.id, state(l.id)?)));
        self.screen.layers.switch(states);
    }

    /// RGBA8 of the last [`Self::render`].
    pub fn pixels(&self) -> &[u8] {
        self.canvas.pixels()
    }

    /// Width and height of the pixel buffer.
    pub fn pixels_size(&self) -> (u32, u32) {
        let (w, h) = self.canvas.size();
        (w as u32, h as u32)
    }

    /// Where pane `index` is plotted, in CSS pixels: its pane less the room for labels.
    fn plot(&self, index: usize) -> Rect {
        let [w, h] = self.screen.size;
        let count = self.panes.len();
        let [left, top, right, bottom] = GUTTER;
        let heading = if count > 1 { TITLE } else { 0.0 };
        panes(count, w, h)[index].inset([left, top + heading, right, bottom])
    }

    /// The frame that pane `index` shows at least.
    fn frame(&self, index: usize) -> Frame {
        let stage = self.panes[index].session.stage();
        self.view.unwrap_or_else(|| Frame::new(stage.frame))
    }

    /// World and CSS pixels of pane `index`.
    pub(super) fn view(&self, index: usize) -> View {
        let mut frame = self.frame(index);
        if self.panes[index].session.stage().d == 1 {
            // Only x counts on the line.
            [frame.0[1], frame.0[3]] = [-1e-6, 1e-6];
        }
        View::fit(frame, self.plot(index))
    }

    /// The pane whose plot holds a point.
    pub(super) fn pane_at(&self, point: [f32; 2]) -> Option<usize> {
        (0..self.panes.len()).find(|i| self.plot(*i).holds(point))
    }

    /// The particles' colour in pane `index`: that of its curves, where there are several.
    pub(super) fn particle_role(&self, index: usize) -> Role {
        if self.panes.len() > 1 {
            Role::pane(index)
        } else {
            Role::Particle
        }
    }

    pub(super) fn cloud_style(&self, index: usize) -> CloudStyle {
        let theme = &self.screen.theme;
        CloudStyle {
            colour: theme.rgba(self.particle_role(index)),
            dense: theme.rgba(Role::Ink),
            rim: theme.rgba(Role::Stage),
            ratio: self.screen.ratio,
        }
    }

    /// Whether pane `index` shows so many particles that they hide what lies behind them. `view` is in CSS pixels.
    pub(super) fn is_crowded(&self, index: usize, view: &View) -> bool {
        let Rect { w, h, .. } = view.scaled(self.screen.ratio).rect;
        let n = self.panes[index].session.stage().n;
        self.screen.layers.shows("particles") && self.cloud_style(index).is_crowded(n, w * h)
    }

    /// Particles and trails of pane `index`.
    fn foreground(&self, index: usize) -> Foreground {
        let (theme, ratio) = (&self.screen.theme, self.screen.ratio);
        let on = |id| self.screen.layers.shows(id);
        let stage = self.panes[index].session.stage();
        let trails = TrailStyle {
            colour: theme.rgba(Role::Trail),
            ratio,
        };
        Foreground {
            n: stage.n,
            d: stage.d,
            axes: stage.axes,
            view: self.view(index).scaled(ratio),
            particles: on("particles").then(|| self.cloud_style(index)),
            trails: (on("trails") && stage.d > 1).then_some(trails),
        }
    }

    /// Which of density and contours are painted on the ground of pane `index`: particles that hide the contours have them
    /// above.
    fn grounds(&self, index: usize) -> [bool; 2] {
        let on = |id| self.screen.layers.shows(id);
        let bare = !self.is_crowded(index, &self.view(index));
        [on("density"), on("contours") && bare]
    }

    /// Paints density and contours of all panes.
    fn paint_ground(&mut self) {
        self.ground = None;
        let ratio = self.screen.ratio;
        let theme = self.screen.theme.clone();
        self.canvas.clear(theme.rgba(Role::Stage));
        for i in 0..self.panes.len() {
            let (view, shown) = (self.view(i).scaled(ratio), self.grounds(i));
            let pane = &mut self.panes[i];
            if pane.session.stage().d > 1 {
                let (session, canvas) = (&pane.session, &mut self.canvas);
                pane.scenery
                    .paint(canvas, session, &view, ratio, &theme, shown);
            }
        }
    }

    /// Paints density, contours, trails and particles of all panes.
    pub fn render(&mut self) {
        self.paint_ground();
        for i in 0..self.panes.len() {
            let (foreground, pane) = (self.foreground(i), &self.panes[i]);
            foreground.paint(&mut self.canvas, &pane.trails, pane.session.particles());
        }
    }

    /// The picture for a device's painter, in which particles stay where they are; the pixel buffer holds the ground.
    pub fn picture_on_device(&mut self) -> gpu::Picture<'_> {
        let ground = self.present_ground();
        if self.ground.as_ref() != Some(&ground) {
            self.paint_ground();
            self.ground = Some(ground);
            self.revision = self.revision.wrapping_add(1);
        }
        let pane = |i: usize| {
            let pane = &self.panes[i];
            let session = &pane.session;
            let (particles, step) = match session.particles_on_device() {
                Some((run, name)) => (gpu::Particles::Run(run, name), session.step()),
                None => (gpu::Particles::Host(session.particles()), session.shown()),
            };
            gpu::PaneView {
                foreground: self.foreground(i),
                particles,
                step,
                era: pane.trails.era(),
            }
        };
        gpu::Picture {
            panes: (0..self.panes.len()).map(pane).collect(),
            ground: &self.canvas,
            revision: self.revision,
        }
    }

    /// What the ground would show if it were painted now.
    fn present_ground(&self) -> Ground {
        let pane = |i: usize| PaneGround {
            view: self.view(i).scaled(self.screen.ratio),
            shown: self.grounds(i),
            target: self.panes[i].session.stage().target.clone(),
            learned: {
                let session = &self.panes[i].session;
                session.learned().map(|_| session.shown())
            },
        };
        Ground {
            size: self.canvas.size(),
            theme: self.screen.theme.clone(),
            panes: (0..self.panes.len()).map(pane).collect(),
        }
    }

    /// Whether the overlay shows something of the particles themselves, so that on a device their state has to come back for it.
    pub fn overlay_needs_state(&self) -> bool {
        let layers = self.screen.layers;
        self.panes.iter().any(|pane| {
            let stage = pane.session.stage();
            let arrows = stage.arrows.is_some() && layers.shows("arrows");
            let kernel = stage.kernel_width.is_some() && layers.shows("kernel");
            stage.d == 1 || arrows || kernel || stage.depiction.is_some()
        })
    }

    /// Vectors over the stage: axes, titles, notes, forces, the kernel's circle.
    pub fn overlay(&mut self) -> DrawList {
        let mut list = DrawList::default();
        let titles = self.titles();
        for (i, text) in titles.iter().enumerate() {
            let view = self.view(i);
            let role = self.particle_role(i);
            self.overlay_pane(&mut list, i, &view, role);
            if titles.len() > 1 {
                title(&mut list, view.rect, text, role);
            }
        }
        list
    }

    fn overlay_pane(&mut self, list: &mut DrawList, index: usize, view: &View, role: Role) {
        let layers = self.screen.layers;
        let pointer = self.screen.pointer.filter(|p| view.rect.holds(*p));
        let crowded = self.is_crowded(index, view);
        let pane = &mut self.panes[index];
        let (d, shown) = (pane.session.stage().d, pane.session.stage().axes);
        let names = |i: usize| pane.session.stage().names.get(i).map_or("", String::as_str);
        if d == 1 {
            line_axes(list, view, [names(0), "density"]);
            let density = pane.scenery.line(&pane.session, view);
            density.draw(list, view, pane.session.particles(), role);
            return;
        }
        axes(list, view, [names(shown[0]), names(shown[1])]);
        list.clip(view.rect);
        let stage = pane.session.stage();
        marks(list, view, &stage.marks, &stage.guides);
        if layers.shows("ways")
            && let Some(ways) = ways(&pane.session)
        {
            ways.draw(list, view);
        }
        if layers.shows("contours") {
            for (mass, line) in pane.scenery.references() {
                contours(list, view, &[line], Dash::Dashed, opacity(mass));
            }
            if crowded {
                for (mass, lines) in pane.scenery.contours() {
                    contours_over(list, view, lines, opacity(*mass));
                }
            }
            if let Some(text) = pane.scenery.note() {
                note(list, view.rect, text);
            }
        }
        if layers.shows("arrows") && pane.forces().is_some() {
            let x = pane.session.particles();
            if let Some((_, drift, repulsion)) = &pane.forces {
                let field = |vectors| Field {
                    x,
                    vectors,
                    d,
                    axes: shown,
                };
                let (drift, repulsion) = (field(drift), field(repulsion));
                let scale = common_scale(&[drift, repulsion]);
                arrows(list, view, drift, scale, Role::Drift);
                arrows(list, view, repulsion, scale, Role::Repulsion);
            }
        }
        if layers.shows("kernel")
            && let Some(h) = pane.session.kernel_width()
        {
            let x = pane.session.particles();
            let places = || x.chunks_exact(d).map(|row| [row[shown[0]], row[shown[1]]]);
            let centre = match pointer.map(|p| view.to_world(p)) {
                Some([px, py]) => {
                    let distance = |[x, y]: &[f32; 2]| (x - px).powi(2) + (y - py).powi(2);
                    places().min_by(|a, b| distance(a).total_cmp(&distance(b)))
                }
                None => places().next(),
            };
            if let Some(centre) = centre {
                kernel_circle(list, view, centre, h);
            }
        }
        list.unclip();
    }

    /// Shows another frame in all panes; the link carries it, rounded.
    fn show(&mut self, frame: Frame) {
        self.view = Some(frame);
        self.link.view = Some(frame.rounded());
    }

    /// Moves the view by a drag of (`dx`, `dy`) CSS pixels.
    pub fn pan(&mut self, dx: f32, dy: f32) {
        let (frame, scale) = (self.frame(0), self.view(0).scale);
        let (dx, dy) = (dx / scale, dy / scale);
        if dx.is_finite() && dy.is_finite() {
            let [x0, y0, x1, y1] = frame.0;
            self.show(Frame::new([x0 - dx, y0 + dy, x1 - dx, y1 + dy]));
        }
    }

    /// Magnifies by `factor` around a point of the stage; between panes, around the first one's centre.
    pub fn zoom(&mut self, x: f32, y: f32, factor: f32) {
        if !(factor.is_finite() && factor > 0.0) {
            return;
        }
        let index = self.pane_at([x, y]);
        let frame = self.frame(index.unwrap_or(0));
        let [x0, y0, x1, y1] = frame.0;
        let about = match index {
            Some(i) => self.view(i).to_world([x, y]),
            None => [0.5 * (x0 + x1), 0.5 * (y0 + y1)],
        };
        let factor = factor.clamp(0.05, 20.0);
        let to = |v: f32, about: f32| about + (v - about) / factor;
        let next = [
            to(x0, about[0]),
            to(y0, about[1]),
            to(x1, about[0]),
            to(y1, about[1]),
        ];
        self.show(Frame::new(next));
    }

    /// Back to each target's own frame.
    pub fn fit(&mut self) {
        self.view = None;
        self.link.view = None;
    }
}

/// The ways of a session's particles, where it has them.
fn ways(session: &Session) -> Option<Ways<'_>> {
    let stage = session.stage();
    Some(Ways {
        paths: session.get("paths")?,
        residual: session.get("residual")?,
        n: stage.n,
        d: stage.d,
        shown: stage.depiction.as_ref()?.ways,
        axes: stage.axes,
    })
}

#[cfg(test)]
mod tests;
