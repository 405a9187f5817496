//! Time: lockstep steps, metrics on the side.

use super::Playground;
use crate::session::{Session, Status};

/// Longest stride towards a common step; panes differ by less than this while they work.
const LONGEST: u32 = 1 << 16;

impl Playground {
    /// Steps done in every pane.
    pub fn step(&self) -> u32 {
        self.panes
            .iter()
            .map(|p| p.session.step())
            .min()
            .unwrap_or(0)
    }

    /// Step of what every pane shows: on a device, what is known lags behind.
    pub fn seen(&self) -> u32 {
        let seen = self.panes.iter().map(|p| p.session.seen());
        seen.min().unwrap_or(0)
    }

    /// Gives the device up, as a driver that crashes does; tests see how the page survives it.
    pub fn lose_device(&self) {
        if let Some(device) = &self.place.device {
            device.destroy();
        }
    }

    /// Step up to which a device is known to have come; on the CPU the present one.
    pub fn landed(&self) -> u32 {
        let landed = self.panes.iter().map(|p| p.session.landed());
        landed.min().unwrap_or(0)
    }

    /// Whether the state after the last step is known everywhere; on the CPU it always is.
    pub fn is_settled(&self) -> bool {
        self.panes.iter().all(|p| p.session.is_settled())
    }

    /// Asks a device for its present state, to be shown and saved; it comes some frames later.
    pub fn refresh(&mut self) {
        for pane in &mut self.panes {
            pane.session.refresh();
        }
    }

    /// Works for about `budget` operations and towards at most `max_steps` steps; returns the steps that every pane completed,
    /// 0 while a long step is unfinished.
    ///
    /// Panes move in lockstep: all reach one common step before any goes further. Work stops at the link's `k` (the
    /// next call goes on past it), and once a pane has ended.
    pub fn advance(&mut self, budget: u64, max_steps: u32) -> u32 {
        let before = self.step();
        if max_steps == 0
            || self
                .panes
                .iter()
                .any(|p| *p.session.status() != Status::Ready)
        {
            return 0;
        }
        let count = self.panes.len() as u64;
        let reached = |p: &super::Pane, goal| p.session.step() >= goal;
        if self.panes.iter().all(|p| reached(p, self.goal)) {
            self.goal = before.max(self.goal);
            let most = match self.link.k {
                Some(k) if before < k => max_steps.min(k - before),
                _ => max_steps,
            };
            // A lone pane needs no common step, so that its budget alone decides.
            let stride = if count == 1 {
                most
            } else {
                most.min(self.stride)
            };
            self.goal = before.saturating_add(stride);
        }
        let goal = self.goal;
        for pane in &mut self.panes {
            pane.work(|session| {
                let left = goal.saturating_sub(session.step());
                if left > 0 {
                    session.advance(budget / count, left);
                }
            });
        }
        let after = self.step();
        if count == 1 {
            // What the budget did not reach is no promise.
            self.goal = after;
        } else if after == self.goal {
            self.stride = (self.stride * 2).min(LONGEST);
        } else {
            self.stride = (self.stride / 2).max(1);
        }
        // A device may have gone back.
        after.saturating_sub(before)
    }

    /// Asks for the metrics of the present step, as when a run is paused between two probes; false where all are known.
    pub fn measure_here(&mut self) -> bool {
        let mut asked = false;
        for pane in &mut self.panes {
            asked |= pane.work(Session::measure_here);
        }
        asked
    }

    /// Works on metrics for about `budget` operations; true while work is left. Never changes a run.
    pub fn measure(&mut self, budget: u64) -> bool {
        let share = budget / self.panes.len().max(1) as u64;
        let mut left = false;
        for pane in &mut self.panes {
            left |= pane.work(|session| session.measure(share));
        }
        self.measuring = left;
        left
    }
}
