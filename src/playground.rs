//! Up to four sessions side by side with their picture: all that the page does, without the browser.
//!
//! User input never fails here: what cannot be used becomes a [`Problem`], and the run stays as it was. The link always
//! says what is on the screen.

mod edit;
mod numbers;
mod pane;
mod pictures;
mod report;
mod run;
mod save;
mod scenery;
mod share;
mod sweep;

use edit::problem_of;
pub use edit::{Edited, Loaded};
pub use share::{Cloud, qr};

use crate::data::Table;
use crate::error::{Error, Problem};
use crate::exec::gpu::Device;
use crate::link::{self, Link};
use crate::scene::{Canvas, Frame, Layers, Theme};
use crate::session::Session;
use crate::session::sweep::Sweep;
use pane::Pane;
use pictures::Ground;

/// Where everything runs, and why there.
#[derive(Clone, Default)]
pub struct Place {
    /// The device; none is the CPU.
    pub device: Option<Device>,
    /// The reason in words.
    pub reason: String,
}

/// Up to four runs and their picture.
pub struct Playground {
    place: Place,
    link: Link,
    /// Links of the scenes, where a lecture was opened; the first is the one shown.
    scenes: Vec<String>,
    /// What was wrong with the link when it was opened.
    notices: Vec<Problem>,
    panes: Vec<Pane>,
    /// The user's own points from a file, which a link cannot carry.
    file: Option<Table>,
    /// Step that every pane works towards, and how far the next one lies.
    goal: u32,
    stride: u32,
    /// Whether metrics are still being computed.
    measuring: bool,
    /// The frame that all panes show, unless each shows its target's own; the link has it rounded.
    view: Option<Frame>,
    canvas: Canvas,
    /// What the canvas shows, where that is nothing but the ground; and how often the ground has changed.
    ground: Option<Ground>,
    revision: u32,
    screen: Screen,
    /// The sweep that the page asked for.
    sweep: Option<Sweep>,
}

/// What the page says of its stage.
struct Screen {
    /// Size in CSS pixels.
    size: [f32; 2],
    /// Device pixels a CSS pixel.
    ratio: f32,
    theme: Theme,
    layers: Layers,
    /// Where the pointer is, in CSS pixels.
    pointer: Option<[f32; 2]>,
}

impl Playground {
    /// Opens a link on the CPU.
    pub fn open(text: &str) -> Self {
        Self::open_at(text, Place::default())
    }

    /// Opens a link (a URL, `#…` or the bare string). An empty one is the default demo; one that cannot be used as well,
    /// with a notice.
    pub fn open_at(text: &str, place: Place) -> Self {
        let (link, notices, panes) = opened(&place, text);
        Self {
            place,
            view: link.view.map(Frame::new),
            link,
            scenes: lecture(text),
            notices,
            panes,
            file: None,
            goal: 0,
            stride: 1,
            measuring: false,
            canvas: Canvas::default(),
            ground: None,
            revision: 0,
            screen: Screen {
                size: [640.0, 480.0],
                ratio: 1.0,
                theme: Theme::default(),
                layers: Layers::default(),
                pointer: None,
            },
            sweep: None,
        }
    }

    /// Opens another link on the same screen.
    pub fn set_link(&mut self, text: &str) {
        (self.link, self.notices, self.panes) = opened(&self.place, text);
        self.scenes = lecture(text);
        self.file = None;
        self.view = self.link.view.map(Frame::new);
        self.restarted();
    }

    /// The device that runs are put on.
    pub fn device(&self) -> Option<&Device> {
        self.place.device.as_ref()
    }

    /// The canonical link of what is on the screen.
    pub fn link(&self) -> String {
        self.link.write()
    }

    /// Every pane stands at step 0.
    fn restarted(&mut self) {
        self.goal = 0;
        self.stride = 1;
    }
}

fn lecture(text: &str) -> Vec<String> {
    let scenes = link::scenes(text);
    if scenes.len() > 1 { scenes } else { Vec::new() }
}

fn opened(place: &Place, text: &str) -> (Link, Vec<Problem>, Vec<Pane>) {
    let (mut link, mut problems) = if text.trim_start_matches('#').is_empty() {
        (Link::default(), Vec::new())
    } else {
        link::parse(text)
    };
    // A device that was lost runs nothing; the page hears of it from the running state.
    let device = place.device.as_ref().filter(|d| d.fault().is_none());
    match build(device, &mut link, None, &mut problems) {
        Ok(panes) => (link, problems, panes),
        Err(problem) => {
            problems.push(problem);
            let mut link = Link::default();
            match build(None, &mut link, None, &mut problems) {
                Ok(panes) => (link, problems, panes),
                Err(problem) => panic!("the default demo does not run: {problem}"),
            }
        }
    }
}

/// Starts a session for each pane. A parameter that does not fit the others goes back to its default, with a problem.
fn build(
    device: Option<&Device>,
    link: &mut Link,
    file: Option<&Table>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Pane>, Problem> {
    let drawn = link.data.as_ref().map(link::Drawn::to_table);
    let table = file.or(drawn.as_ref());
    let version = link.version;
    let mut panes = Vec::new();
    for pane in &mut link.panes {
        let own = pane.entry.own;
        let inputs = own.inputs(table);
        if let Some(table) = table.filter(|_| own.is_used(&*pane.system)) {
            problems.extend(own.fit(&mut *pane.system, table).err());
        }
        let defaults = link::defaults(version, pane.entry);
        // Each turn repairs one parameter; a system has fewer than these.
        let mut turns = 32;
        panes.push(loop {
            let problem = match Session::on(device, pane.entry, pane.system(), inputs.clone()) {
                Ok(session) => break Pane::around(session),
                Err(Error::Problem(problem)) => problem,
                Err(Error::TooLarge(message)) => {
                    let session = Session::new(pane.entry, pane.system(), inputs.clone());
                    let message = format!("{message}; this one runs on the CPU");
                    problems.push(Problem::new("n", message));
                    break Pane::around(session.map_err(problem_of)?);
                }
                Err(other) => return Err(Problem::new("link", other.to_string())),
            };
            turns -= 1;
            let (own, default) = (pane.system.get(&problem.key), defaults.get(&problem.key));
            let Some(default) = default.filter(|d| turns > 0 && own.as_ref() != Some(d)) else {
                return Err(problem);
            };
            let _ = pane.system.set(&problem.key, &default);
            let message = format!("{}; the default is used", problem.message);
            problems.push(Problem::new(problem.key, message));
        });
    }
    Ok(panes)
}

#[cfg(test)]
mod tests;
