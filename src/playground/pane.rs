//! One session with what its picture keeps: trails, the target's shading and contours, the forces of a step.

use super::scenery::Scenery;
use crate::scene::Trails;
use crate::session::Session;

/// A run in a pane.
pub(super) struct Pane {
    pub session: Session,
    pub trails: Trails,
    pub scenery: Scenery,
    /// Step and forces (drift, repulsion), each `[n, d]`.
    pub forces: Option<(u32, Vec<f32>, Vec<f32>)>,
}

impl Pane {
    pub fn around(session: Session) -> Self {
        let mut pane = Self {
            session,
            trails: Trails::default(),
            scenery: Scenery::default(),
            forces: None,
        };
        pane.moved();
        pane
    }

    /// The particles are elsewhere now: after steps, edits and restarts.
    pub fn moved(&mut self) {
        let session = &self.session;
        let stage = session.stage();
        self.trails
            .record(session.shown(), session.particles(), stage.n, stage.d);
        self.forces = None;
    }

    /// Works on the run, and keeps track of where its particles are.
    pub fn work<T>(&mut self, work: impl FnOnce(&mut Session) -> T) -> T {
        let before = (self.session.seen(), self.session.shown());
        let done = work(&mut self.session);
        if (self.session.seen(), self.session.shown()) != before {
            self.moved();
        }
        done
    }

    /// Puts another run here, e.g. with other parameters.
    pub fn replace(&mut self, session: Session) {
        self.session = session;
        self.trails.clear();
        self.moved();
    }

    /// Drift and repulsion at the present particles, where the system has them.
    pub fn forces(&mut self) -> Option<&(u32, Vec<f32>, Vec<f32>)> {
        if self.forces.is_none() {
            let step = self.session.seen();
            let (drift, repulsion) = self.session.arrows()?;
            self.forces = Some((step, drift, repulsion));
        }
        self.forces.as_ref()
    }
}
