//! The systems: one file each, one line in [`REGISTRY`] each.
//!
//! A system declares its parameters (`params!`), builds its programs as graphs, and says what to draw and measure.
//! It knows neither devices nor browsers.

pub mod balance;
pub mod cnf;
pub mod flow_vi;
mod kernel;
mod likelihood;
pub mod mala;
mod minimise;
pub mod ntk;
pub mod ot_flow;
mod own;
mod sampling;
pub mod svgd;
mod trace;
pub mod two_layer;
pub mod ula;

pub use kernel::Kernel;
pub use minimise::Minimise;
pub use own::{FILE, Own, Words};
pub use sampling::{Init, Sampling};

use crate::data::{Source, Table};
use crate::error::Result;
use crate::exec::gpu::Part;
use crate::graph::Program;
use crate::params::Params;
use crate::targets::Target;
use std::rc::Rc;

/// Every system, in the order of the rooms.
pub static REGISTRY: &[&Entry] = &[
    &ula::ENTRY,
    &mala::ENTRY,
    &svgd::ENTRY,
    &ot_flow::ENTRY,
    &flow_vi::ENTRY,
    &cnf::ENTRY,
    &two_layer::ENTRY,
    &ntk::ENTRY,
    &balance::ENTRY,
];

/// The entry of `id`.
pub fn find(id: &str) -> Option<&'static Entry> {
    REGISTRY.iter().copied().find(|e| e.id == id)
}

/// A copy of `system`, which is one of `entry`'s.
pub fn copy(entry: &Entry, system: &dyn System) -> Box<dyn System> {
    let mut copy = (entry.fresh)();
    for spec in copy.specs() {
        if let Some(text) = system.get(spec.key) {
            // What `get` writes, `set` accepts.
            let _ = copy.set(spec.key, &text);
        }
    }
    copy
}

/// What the registry knows of a system before it is built.
#[derive(Debug)]
pub struct Entry {
    /// Name in links.
    pub id: &'static str,
    /// Name on the page.
    pub title: &'static str,
    /// Room it hangs in.
    pub room: &'static str,
    /// One sentence: what moves and why.
    pub summary: &'static str,
    /// Authors, year, title.
    pub citation: &'static str,
    /// Fresh parameters at their defaults (frozen for link version 1).
    pub fresh: fn() -> Box<dyn System>,
    /// What a user's own points are to it.
    pub own: Own,
    /// Configured demos worth opening.
    pub presets: &'static [Preset],
}

/// A configured demo with one question.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Preset {
    /// Short title.
    pub title: &'static str,
    /// The question it answers, or the failure it shows with its cause.
    pub question: &'static str,
    /// Link after `v=1&`.
    pub link: &'static str,
}

/// Points a user brought; [`Entry::own`] says which of them a system takes.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Initial particles (`--init`, dropped on the page, or `data=` in the link).
    pub init: Option<Table>,
    /// Samples of the source distribution (`--source`, or as above).
    pub source: Option<Table>,
}

/// A configured system: its parameters, and how to build a run from them.
pub trait System: Params {
    /// Builds programs, initial state, scene and probes.
    ///
    /// # Errors
    /// Parameters that contradict each other or the inputs.
    fn build(&self, inputs: &Inputs) -> Result<Build>;

    /// Present values of the live scalars that the programs read.
    fn uniforms(&self) -> Vec<(&'static str, f32)>;

    /// The likely cause of a NaN or infinity in this run, and what to change.
    fn divergence_cause(&self) -> String;
}

/// Everything a session needs to run.
pub struct Build {
    /// Runs once before step 1, e.g. to cache scores of the initial particles.
    pub prepare: Option<Program>,
    /// Programs that the driver names by index; 0 is the step.
    pub programs: Vec<Program>,
    /// Decides what runs next.
    pub driver: Box<dyn Driver>,
    /// Initial contents of persistent buffers; those not named start at zero.
    pub state: Vec<(String, Vec<f32>)>,
    /// What is drawn on the stage and measured.
    pub stage: Stage,
    /// Steps a run takes when nothing says otherwise.
    pub default_steps: u32,
    /// Remarks for the page and the terminal, e.g. what is approximated.
    pub notes: Vec<String>,
}

impl Build {
    /// Every program in the order of a device's indices, with its part in the run.
    pub fn parts(&self) -> Vec<(&Program, Part)> {
        let steps = (0..).zip(&self.programs).map(|(index, program)| {
            let part = if index == 0 {
                Part::Step
            } else {
                Part::Support
            };
            (program, part)
        });
        let prepare = self.prepare.iter().map(|p| (p, Part::Support));
        let aside = self.stage.arrows.iter().map(|p| (&**p, Part::Aside));
        prepare.chain(steps).chain(aside).collect()
    }
}

/// What is drawn and measured: particles in a buffer, against a target where there is one, and the system's own curves.
#[derive(Clone)]
pub struct Stage {
    /// Buffer of particles, `[n, d]`.
    pub particles: &'static str,
    /// Number of particles n.
    pub n: usize,
    /// Dimension d.
    pub d: usize,
    /// The two coordinates shown, unless the link says otherwise.
    pub axes: [usize; 2],
    /// The density they should reach, where there is one.
    pub target: Option<Rc<Target>>,
    /// The part of the plane of `axes` that is shown at first: x0, y0, x1, y1.
    pub frame: [f32; 4],
    /// Names of the coordinates.
    pub names: Vec<String>,
    /// How the particles, and more, come from a state that does not hold them.
    pub depiction: Option<Depiction>,
    /// The map that is learned, where one is.
    pub map: Option<Map>,
    /// The curve that is no less than ½ W₂² between a source and N(0, I), and the source.
    pub least_cost: Option<(&'static str, Rc<Source>)>,
    /// Fixed points of the plane that the particles are compared with, e.g. a teacher's neurons.
    pub marks: Vec<[f32; 2]>,
    /// Segments of the plane that the particles should lie on.
    pub guides: Vec<[[f32; 2]; 2]>,
    /// Writes the scalars of the [`crate::metrics::Metric::Curve`]s among `metrics`; runs on copies, at probe steps.
    pub curves: Option<Program>,
    /// Writes the buffers `drift` and `repulsion` `[n, d]`, drawn as arrows.
    pub arrows: Option<Rc<Program>>,
    /// The kernel's width h in world units: a fixed number, or the scalar buffer that holds h².
    pub kernel_width: Option<KernelWidth>,
    /// Metrics in the order of the charts.
    pub metrics: Vec<crate::metrics::Metric>,
    /// h² of `ksd2` and `mmd2`.
    pub metric_bandwidth: f32,
    /// Seed of the run (target samples for `w2` derive from it).
    pub seed: u32,
}

/// What is drawn of a state that does not hold it: a program makes it from copies, off the run, whenever someone looks.
#[derive(Clone)]
pub struct Depiction {
    /// Writes the particles, and the buffers below.
    pub program: Rc<Program>,
    /// How many ways of the first particles are drawn. Buffers `paths` `[points, n, d]` and `residual` `[points − 1, n]`.
    pub ways: usize,
    /// Nodes a side of the grid over the frame where the buffer `learned` `[nodes, nodes]` has a log-density; 0 where there is none.
    pub nodes: usize,
}

/// The map that a run learns.
#[derive(Clone)]
pub struct Map {
    /// The program that takes `points: [n, d]` to `mapped: [n, d]` with the present state, for n and which way.
    pub program: Rc<dyn Fn(usize, Way) -> Program>,
    /// Buffers of its parameters.
    pub parameters: &'static [&'static str],
}

/// Which way a map is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the source.
    There,
    /// The inverse.
    Back,
}

/// Where the kernel's width comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum KernelWidth {
    /// h, from a parameter.
    Fixed(f32),
    /// The scalar buffer that holds h².
    Buffer(&'static str),
}

/// What a driver has read back.
pub type Reads = Vec<Vec<f32>>;

/// One instruction of a driver.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run `programs[program]` `times` times; program 0 advances the step counter.
    Run {
        /// Index into [`Build::programs`].
        program: usize,
        /// Repetitions.
        times: u32,
    },
    /// Read persistent buffers; they arrive as `reads` at the next call.
    Read(Vec<&'static str>),
    /// Overwrite a persistent buffer.
    Write(&'static str, Vec<f32>),
    /// The run is complete.
    Stop(String),
}

/// The state machine for what is not static. A decision uses exactly the values it read, never "the latest available".
pub trait Driver {
    /// The next instruction, given the steps done and what was last read.
    fn next(&mut self, step: u32, reads: &Reads) -> Command;

    /// A copy that will decide alike: runs go back to earlier steps.
    fn copy(&self) -> Box<dyn Driver>;
}

/// The default driver: one step after another.
#[derive(Debug, Default)]
pub struct Steps;

impl Driver for Steps {
    fn next(&mut self, _: u32, _: &Reads) -> Command {
        Command::Run {
            program: 0,
            times: 1,
        }
    }

    fn copy(&self) -> Box<dyn Driver> {
        Box::new(Self)
    }
}

/// Runs program 1 first where it is due, every so many steps or never, and program 0 as the step.
#[derive(Debug, Clone)]
pub struct Renewing {
    every: Option<u32>,
    renewed: Option<u32>,
}

impl Renewing {
    /// What program 1 makes lasts for `every` steps.
    pub fn new(every: Option<u32>) -> Self {
        Self {
            every,
            renewed: None,
        }
    }
}

impl Driver for Renewing {
    fn next(&mut self, step: u32, _: &Reads) -> Command {
        // A run that goes on between two renewals has in its state what the last one made.
        let due = self.every.is_some_and(|every| step.is_multiple_of(every))
            && self.renewed != Some(step);
        if due {
            self.renewed = Some(step);
        }
        Command::Run {
            program: usize::from(due),
            times: 1,
        }
    }

    fn copy(&self) -> Box<dyn Driver> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
