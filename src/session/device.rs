//! The moving part of a session on a device: steps are submitted ahead of what is known of them.
//!
//! Submitted steps form *flights*. A flight begins with a copy of the state, kept on the device, and ends with a report that
//! nobody waits for: whether every value was finite, and now and then the state itself, which becomes the *mirror*, all
//! that the host knows. A flight with a bad value is undone and flown again in halves, until the step at fault is alone.

use super::is_probe;
use crate::exec::gpu::{Device, Gpu, GpuError, Report, Slot};
use crate::graph::Program;
use crate::systems::{Build, Command, Driver, Reads};
use std::collections::VecDeque;

/// What became known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Landing {
    /// Nothing bad.
    Fine,
    /// A step gave a value that is not finite; the state is the one before it.
    Diverged,
    /// The device is of no use any more.
    Failed(GpuError),
}

/// Reports under way beside which no other is asked for, unless something waits for it.
const REPORTS: usize = 2;
/// Flights that are not known to have landed.
const FLIGHTS: usize = 4;

/// Steps that were submitted and not heard of.
struct Flight {
    start: u32,
    end: u32,
    /// The host's part of the state at its start.
    host: Host,
    /// The device's part.
    slot: Slot,
    report: Report,
    /// Whether the arrows were computed for its report.
    arrows: bool,
}

/// What the host itself remembers between steps.
struct Host {
    driver: Box<dyn Driver>,
    reads: Reads,
    /// Program that still runs, and how often.
    current: Option<(usize, u32)>,
    prepared: bool,
}

impl Clone for Host {
    fn clone(&self) -> Self {
        Self {
            driver: self.driver.copy(),
            reads: self.reads.clone(),
            current: self.current,
            prepared: self.prepared,
        }
    }
}

/// What the host knows of the buffers.
struct Mirror {
    step: u32,
    buffers: Vec<(String, Vec<f32>)>,
    /// Whether the arrows are those of this step.
    arrows: bool,
}

/// Programs, executor and driver of a run on a device.
pub(super) struct DeviceRun {
    gpu: Gpu,
    host: Host,
    /// Index of the prepare program, of the first step program, and of the arrows.
    prepare: Option<usize>,
    first: usize,
    arrows: Option<usize>,
    /// Operations of a step, about.
    cost: u64,
    step: u32,
    landed: u32,
    open: Option<Flight>,
    flying: VecDeque<Flight>,
    spare: Vec<Slot>,
    mirror: Mirror,
    /// Whether the mirror is newer than the last look at it.
    news: bool,
    /// Whether someone waits for a newer mirror, and wants arrows with it.
    wanted: bool,
    arrows_wanted: bool,
    awaited: Option<Vec<&'static str>>,
    /// Most steps of a flight up to the end of one that went bad.
    search: Option<(u32, u32)>,
}

impl DeviceRun {
    /// Puts programs and initial state on the device.
    ///
    /// # Errors
    /// As [`Gpu::new`].
    pub(super) fn new(device: &Device, build: Build) -> Result<Self, GpuError> {
        let all = build.parts();
        let gpu = Gpu::new(device, &all, build.stage.seed)?;
        let mut buffers: Vec<(String, Vec<f32>)> = gpu
            .buffers()
            .map(|(name, entries)| (name.to_owned(), vec![0.0; entries]))
            .collect();
        for (name, data) in &build.state {
            gpu.set(name, data);
            if let Some((_, own)) = buffers.iter_mut().find(|(own, _)| own == name) {
                own.clone_from(data);
            }
        }
        let first = usize::from(build.prepare.is_some());
        Ok(Self {
            cost: build
                .programs
                .iter()
                .map(Program::flops)
                .sum::<u64>()
                .max(1),
            prepare: build.prepare.as_ref().map(|_| 0),
            first,
            arrows: build.stage.arrows.as_ref().map(|_| all.len() - 1),
            gpu,
            host: Host {
                driver: build.driver,
                reads: Reads::new(),
                current: None,
                prepared: false,
            },
            step: 0,
            landed: 0,
            open: None,
            flying: VecDeque::new(),
            spare: Vec::new(),
            mirror: Mirror {
                step: 0,
                buffers,
                arrows: false,
            },
            news: false,
            wanted: false,
            arrows_wanted: false,
            awaited: None,
            search: None,
        })
    }

    pub(super) fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Sets live scalars.
    pub(super) fn uniforms(&mut self, values: &[(&'static str, f32)]) {
        for &(name, value) in values {
            self.gpu.uniform(name, value);
        }
    }

    /// Steps submitted.
    pub(super) fn step(&self) -> u32 {
        self.step
    }

    /// Steps known to be done, and finite.
    pub(super) fn landed(&self) -> u32 {
        self.landed
    }

    /// Step of what the host knows.
    pub(super) fn seen(&self) -> u32 {
        self.mirror.step
    }

    /// Whether the host knows the state after the last step, and that it is finite.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_none() && self.flying.is_empty() && self.mirror.step == self.step
    }

    /// True once after each arrival of a newer mirror.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// What the host knows of a buffer.
    pub(super) fn get(&self, name: &str) -> Option<&[f32]> {
        let found = self.mirror.buffers.iter().find(|(own, _)| own == name);
        found.map(|(_, data)| &data[..])
    }

    /// What the host knows of every buffer.
    pub(super) fn state(&self) -> impl Iterator<Item = (&str, &[f32])> {
        let buffers = self.mirror.buffers.iter();
        buffers.map(|(name, data)| (name.as_str(), &data[..]))
    }

    /// Looks at what has arrived.
    pub(super) fn land(&mut self) -> Landing {
        self.gpu.device().poll();
        if let Some(fault) = self.gpu.device().fault() {
            return Landing::Failed(fault);
        }
        while let Some(arrived) = self.flying.front_mut().and_then(|f| f.slot.take()) {
            let (Some(flight), Some(arrived)) = (self.flying.pop_front(), arrived) else {
                return Landing::Failed(GpuError::Lost("a read failed".to_owned()));
            };
            if !arrived.finite {
                return self.undo(flight);
            }
            self.landed = flight.end;
            if self.search.is_some_and(|(end, _)| flight.end >= end) {
                self.search = None;
            }
            if !arrived.state.is_empty() {
                self.reflect(&flight, &arrived.state);
            }
            self.spare.push(flight.slot);
        }
        let answered = self.awaited.is_some() && self.is_settled();
        if answered && let Some(names) = self.awaited.take() {
            let read = |name: &&str| self.get(name).unwrap_or(&[]).to_vec();
            self.host.reads = names.iter().map(read).collect();
        }
        Landing::Fine
    }

    /// Takes over the state that a flight reported.
    fn reflect(&mut self, flight: &Flight, state: &[f32]) {
        let mut rest = state;
        for (_, data) in &mut self.mirror.buffers {
            // Buffers begin at multiples of four floats.
            let entries = data.len();
            let (own, tail) = rest.split_at(entries.next_multiple_of(4).min(rest.len()));
            data.copy_from_slice(&own[..entries]);
            rest = tail;
        }
        self.mirror.step = flight.end;
        self.mirror.arrows = flight.arrows;
        self.news = true;
    }

    /// Goes back to the start of a flight with a bad value.
    fn undo(&mut self, flight: Flight) -> Landing {
        self.open = None;
        self.flying.clear();
        self.awaited = None;
        self.gpu.rewind(flight.start);
        let mut batch = self.gpu.batch();
        batch.restore(&flight.slot);
        batch.submit();
        let steps = flight.end - flight.start;
        let until = self.search.map_or(flight.end, |(end, _)| end);
        self.search = Some((until, (steps / 2).max(1)));
        (self.step, self.landed) = (flight.start, flight.start);
        self.host = flight.host;
        self.spare.push(flight.slot);
        if steps <= 1 {
            self.refresh();
            return Landing::Diverged;
        }
        Landing::Fine
    }

    /// Submits at most `most` steps, so that about `budget` operations are ahead of what is known, at least one step.
    /// Returns the steps submitted, or the driver's reason to stop.
    pub(super) fn advance(&mut self, budget: u64, most: u32) -> Result<u32, String> {
        let before = self.step;
        let goal = before.saturating_add(most);
        let ahead = u32::try_from(budget / self.cost).unwrap_or(u32::MAX).max(1);
        while self.step < goal && self.awaited.is_none() {
            let probe = (self.step + 1..).find(|&s| is_probe(s)).unwrap_or(goal);
            let limit = self.landed.saturating_add(ahead);
            let mut end = goal.min(probe).min(limit);
            if let Some((_, longest)) = self.search {
                if !self.flying.is_empty() {
                    break;
                }
                end = end.min(self.step + longest);
            }
            if end <= self.step || !self.take_off() {
                break;
            }
            self.submit(end)?;
        }
        Ok(self.step - before)
    }

    /// Opens a flight unless one is open; false where too many are in the air.
    fn take_off(&mut self) -> bool {
        if self.open.is_some() {
            return true;
        }
        if self.flying.len() >= FLIGHTS {
            return false;
        }
        let slot = self.spare.pop().unwrap_or_else(|| self.gpu.slot());
        let mut batch = self.gpu.batch();
        batch.keep(&slot);
        batch.submit();
        self.open = Some(Flight {
            start: self.step,
            end: self.step,
            host: self.host.clone(),
            slot,
            report: Report::Flag,
            arrows: false,
        });
        true
    }

    /// Submits what the driver says until step `end`, or until it wants to read or stop.
    fn submit(&mut self, end: u32) -> Result<(), String> {
        let mut batch = self.gpu.batch();
        if !self.host.prepared {
            self.prepare.iter().for_each(|&program| batch.run(program));
            self.host.prepared = true;
        }
        let mut stop = None;
        while self.step < end {
            if let Some((program, times)) = self.host.current {
                batch.run(self.first + program);
                self.host.current = (times > 1).then_some((program, times - 1));
                self.step += u32::from(program == 0);
                continue;
            }
            match self.host.driver.next(self.step, &self.host.reads) {
                Command::Run { program, times } => self.host.current = Some((program, times)),
                Command::Read(names) => {
                    self.awaited = Some(names);
                    break;
                }
                Command::Write(name, data) => {
                    batch.submit();
                    self.gpu.set(name, &data);
                    batch = self.gpu.batch();
                }
                Command::Stop(reason) => {
                    stop = Some(reason);
                    break;
                }
            }
        }
        batch.submit();
        let must = self.awaited.is_some() || stop.is_some() || self.search.is_some();
        let free = self.flying.len() < REPORTS;
        if must || (free && (self.wanted || is_probe(self.step))) {
            self.report(Report::State);
        } else if self.flying.is_empty() {
            self.report(Report::Flag);
        } else if let Some(flight) = &mut self.open {
            flight.end = self.step;
        }
        stop.map_or(Ok(()), Err)
    }

    /// Ends the open flight with a report.
    fn report(&mut self, report: Report) {
        let Some(mut flight) = self.open.take() else {
            return;
        };
        (flight.end, flight.report) = (self.step, report);
        let mut batch = self.gpu.batch();
        if report == Report::State {
            self.wanted = false;
            if let Some(program) = self.arrows.filter(|_| self.arrows_wanted) {
                flight.arrows = true;
                batch.run(program);
            }
            self.arrows_wanted = false;
        }
        batch.submit_with(&mut flight.slot, report);
        self.flying.push_back(flight);
    }

    /// Asks for a mirror of the present step, now or with the next report.
    pub(super) fn refresh(&mut self) {
        self.wanted = true;
        if self.flying.len() < REPORTS && self.take_off() {
            self.report(Report::State);
        }
    }

    /// Asks for the present state unless it is known or under way.
    pub(super) fn settle(&mut self) {
        let last = self.flying.back();
        let coming = last.is_some_and(|f| f.end == self.step && f.report == Report::State);
        if !self.is_settled() && !coming {
            self.refresh();
        }
    }

    /// Drift and repulsion of the mirror, if they came with it; else they are asked for.
    pub(super) fn arrows(&mut self) -> Option<(Vec<f32>, Vec<f32>)> {
        self.arrows?;
        self.arrows_wanted = true;
        if self.mirror.arrows {
            let read = |name| self.get(name).map(<[f32]>::to_vec);
            return Some((read("drift")?, read("repulsion")?));
        }
        if self.is_settled() {
            self.refresh();
        }
        None
    }

    /// Takes over step and state of `other` on the device, buffers it has with the same size.
    pub(super) fn adopt(&mut self, other: &Self) {
        let mut batch = self.gpu.batch();
        batch.adopt(&other.gpu);
        batch.submit();
        for (name, data) in &mut self.mirror.buffers {
            if let Some(known) = other.get(name).filter(|known| known.len() == data.len()) {
                data.copy_from_slice(known);
            }
        }
        self.resume_at(other.step());
        self.mirror.step = other.mirror.step;
    }

    /// Overwrites a buffer here and on the device.
    pub(super) fn set(&mut self, name: &str, data: &[f32]) {
        self.gpu.set(name, data);
        if let Some((_, own)) = self.mirror.buffers.iter_mut().find(|(own, _)| own == name) {
            own.clear();
            own.extend_from_slice(data);
        }
    }

    /// Declares the present buffers to be the state after `step` steps.
    pub(super) fn resume_at(&mut self, step: u32) {
        self.gpu.rewind(step);
        self.open = None;
        self.flying.clear();
        (self.step, self.landed, self.mirror.step) = (step, step, step);
        self.host.prepared = step > 0;
        self.host.current = None;
        self.mirror.arrows = false;
        (self.search, self.awaited) = (None, None);
    }
}

#[cfg(test)]
mod tests;
