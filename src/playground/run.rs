//! Time: lockstep steps, metrics on the side.

use super::Playground;
use crate::session::Status;

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
        for pane in &mut self.panes {
            let left = self.goal.saturating_sub(pane.session.step());
            if left > 0 && pane.session.advance(budget / count, left) > 0 {
                pane.moved();
            }
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
        after - before
    }

    /// Asks for the metrics of the present step, as when a run is paused between two probes; false where all are known.
    pub fn measure_here(&mut self) -> bool {
        let mut asked = false;
        for pane in &mut self.panes {
            asked |= pane.session.measure_here();
        }
        asked
    }

    /// Works on metrics for about `budget` operations; true while work is left. Never changes a run.
    pub fn measure(&mut self, budget: u64) -> bool {
        let share = budget / self.panes.len().max(1) as u64;
        let mut left = false;
        for pane in &mut self.panes {
            left |= pane.session.measure(share);
        }
        self.measuring = left;
        left
    }
}
