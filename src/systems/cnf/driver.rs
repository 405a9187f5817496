//! One training step as the host sees it: a batch is integrated by accepted steps, the derivative is pulled back through them, and
//! the parameters move.
//!
//! The host decides step sizes from the error that an attempt reports, and nothing else; with fixed steps it reads nothing.

use super::solver::Tableau;
use crate::systems::{Command, Driver, Reads};
use std::collections::VecDeque;

/// Indices of the programs; the first completes a step of the run.
pub(super) const UPDATE: usize = 0;
pub(super) const BEGIN: usize = 1;
pub(super) const ATTEMPT: usize = 2;
pub(super) const ACCEPT: usize = 3;
pub(super) const TURN: usize = 4;
pub(super) const BACK: usize = 5;

/// Smallest step before the solver gives up: times are single precision.
const SMALLEST: f64 = 1e-4;

/// First step size ever tried.
const FIRST: f64 = 0.1;

/// What the host does next.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Begin,
    /// The first step size to try has been read.
    Start,
    Attempt,
    /// The error of an attempt has been read.
    Judge,
    /// Back through the steps that are left.
    Back,
}

/// Drives the programs of `solver`.
#[derive(Debug, Clone)]
pub(super) struct Integrate {
    tableau: &'static Tableau,
    most_steps: usize,
    /// Equal steps, for methods without an error estimate.
    fixed_steps: usize,
    queue: VecDeque<Command>,
    phase: Phase,
    t: f64,
    h: f64,
    /// Size of the first accepted step, which the next batch tries first.
    first: f64,
    /// Start and size of the accepted steps.
    steps: Vec<[f64; 2]>,
    evaluations: u32,
}

impl Integrate {
    pub(super) fn new(tableau: &'static Tableau, most_steps: usize, fixed_steps: usize) -> Self {
        Self {
            tableau,
            most_steps,
            fixed_steps,
            queue: VecDeque::new(),
            phase: Phase::Begin,
            t: 0.0,
            h: 0.0,
            first: 0.0,
            steps: Vec::new(),
            evaluations: 0,
        }
    }

    fn is_adaptive(&self) -> bool {
        !self.tableau.error.is_empty()
    }

    fn run(&mut self, program: usize) {
        self.queue.push_back(Command::Run { program, times: 1 });
    }

    fn write(&mut self, buffer: &'static str, value: f64) {
        let command = Command::Write(buffer, vec![value as f32]);
        self.queue.push_back(command);
    }

    fn begin(&mut self) {
        self.run(BEGIN);
        (self.t, self.evaluations) = (0.0, 0);
        self.steps.clear();
        if self.is_adaptive() {
            // The slope at the start.
            self.evaluations = 1;
            self.queue.push_back(Command::Read(vec!["first_step"]));
            self.phase = Phase::Start;
        } else {
            self.h = 1.0 / self.fixed_steps as f64;
            self.phase = Phase::Attempt;
        }
    }

    fn start(&mut self, reads: &Reads) {
        let known = reads.first().and_then(|r| r.first());
        let known = known.map_or(0.0, |h| f64::from(*h));
        self.h = if known > 0.0 { known } else { FIRST };
        self.phase = Phase::Attempt;
    }

    fn attempt(&mut self) {
        self.h = self.h.min(1.0 - self.t);
        self.write("t", self.t);
        self.write("h", self.h);
        self.run(ATTEMPT);
        self.evaluations += self.tableau.evaluations();
        if self.is_adaptive() {
            self.queue.push_back(Command::Read(vec!["error"]));
            self.phase = Phase::Judge;
        } else {
            self.accept();
        }
    }

    fn judge(&mut self, reads: &Reads) -> Result<(), String> {
        let error = reads.first().and_then(|r| r.first());
        let error = error.map_or(f64::NAN, |e| f64::from(*e));
        let tried = self.h;
        // The usual controller of order 5; a NaN counts as far too large an error.
        let factor = if error.is_nan() {
            0.2
        } else {
            (0.9 * error.max(1e-10).powf(-0.2)).clamp(0.2, 10.0)
        };
        if error <= 1.0 {
            if self.steps.is_empty() {
                self.first = tried;
            }
            self.accept();
        } else {
            self.phase = Phase::Attempt;
        }
        self.h = tried * factor;
        if self.h < SMALLEST && 1.0 - self.t > SMALLEST {
            return Err(
                "the solver’s step fell below 10⁻⁴: the flow has become too steep".to_owned(),
            );
        }
        if self.steps.len() == self.most_steps && 1.0 - self.t > SMALLEST {
            let most = self.most_steps;
            return Err(format!("the flow needs more than {most} solver steps"));
        }
        Ok(())
    }

    fn accept(&mut self) {
        self.write("index", self.steps.len() as f64);
        self.run(ACCEPT);
        self.steps.push([self.t, self.h]);
        self.t += self.h;
        self.phase = Phase::Attempt;
        // What is left at the end is rounding.
        if 1.0 - self.t < 1e-6 {
            self.run(TURN);
            self.phase = Phase::Back;
        }
    }

    fn back(&mut self) {
        if let Some([t, h]) = self.steps.pop() {
            self.write("index", self.steps.len() as f64);
            self.write("t", t);
            self.write("h", h);
            self.run(BACK);
            return;
        }
        self.write("evaluations_made", f64::from(self.evaluations));
        if self.is_adaptive() {
            self.write("first_step", self.first);
        }
        self.run(UPDATE);
        self.phase = Phase::Begin;
    }
}

impl Driver for Integrate {
    fn next(&mut self, _: u32, reads: &Reads) -> Command {
        loop {
            if let Some(command) = self.queue.pop_front() {
                return command;
            }
            match self.phase {
                Phase::Begin => self.begin(),
                Phase::Start => self.start(reads),
                Phase::Attempt => self.attempt(),
                Phase::Judge => {
                    if let Err(reason) = self.judge(reads) {
                        return Command::Stop(reason);
                    }
                }
                Phase::Back => self.back(),
            }
        }
    }

    fn copy(&self) -> Box<dyn Driver> {
        Box::new(self.clone())
    }
}
