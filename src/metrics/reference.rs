//! What metrics need to know of a target, computed once and kept across jobs.

use super::Metric;
use super::bins::Bins;
use super::distance::Distance;
use crate::targets::{Evaluator, Target};
use std::cell::RefCell;
use std::rc::Rc;

/// Exact samples drawn in one slice.
const SAMPLE_ROWS: usize = 2048;

/// A [`Reference`] that jobs share.
pub type SharedReference = Rc<RefCell<Reference>>;

/// A horizontal line of a chart that says what a perfect sampler would show.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its value.
    pub value: f64,
    /// What it is.
    pub label: String,
}

/// Bins, exact samples, floors and the compiled score of one target.
pub struct Reference {
    pub(super) target: Rc<Target>,
    pub(super) evaluator: Evaluator,
    pub(super) bins: Option<Bins>,
    samples: Option<Samples>,
    seed: u32,
}

/// Exact samples for clouds of one size.
struct Samples {
    n: usize,
    d: usize,
    /// Three batches of n rows, filled from the front: one to compare with, two for the floor.
    drawn: Vec<f32>,
    batch: Rc<[f32]>,
    floor: Option<Distance>,
    /// Column prices of the last assignment to `batch`.
    prices: Vec<f64>,
}

impl Reference {
    /// For `target`; its exact samples derive from the run's `seed`.
    pub fn shared(target: Rc<Target>, seed: u32) -> SharedReference {
        let bins = Bins::new(&target);
        Rc::new(RefCell::new(Self {
            evaluator: Evaluator::new(&target),
            target,
            bins,
            samples: None,
            seed,
        }))
    }

    /// Log-density and score of the target at any points.
    pub fn evaluator(&mut self) -> &mut Evaluator {
        &mut self.evaluator
    }

    /// What a perfect sampler of `n` independent draws would show for `metric`: the bias of `kl`, the same-size floor of
    /// `w2` once a job has computed it.
    pub fn level(&self, metric: Metric, n: usize) -> Option<Level> {
        match metric {
            Metric::Kl => {
                let bins = self.bins.as_ref()?;
                Some(Level {
                    value: bins.bias(n),
                    label: format!("bias of {n} exact samples, (B − 1)/2n"),
                })
            }
            Metric::W2 => {
                let samples = self.samples.as_ref().filter(|s| s.n == n)?;
                Some(Level {
                    value: samples.floor.as_ref()?.value()?,
                    label: format!("between two exact batches of {n}"),
                })
            }
            _ => None,
        }
    }

    /// Works on what clouds of `n` particles are compared with: exact samples and their own distance. `Some(work)` while it
    /// is not ready.
    pub(super) fn advance_samples(&mut self, n: usize) -> Option<u64> {
        let sample = self.target.sample.as_ref()?;
        let d = self.target.d;
        if self.samples.as_ref().is_none_or(|s| s.n != n) {
            self.samples = Some(Samples {
                n,
                d,
                drawn: Vec::with_capacity(3 * n * d),
                batch: Rc::new([]),
                floor: None,
                prices: Vec::new(),
            });
        }
        let samples = self.samples.as_mut()?;
        if let Some(floor) = &mut samples.floor {
            return floor.advance();
        }
        let done = samples.drawn.len() / d;
        if done < 3 * n {
            let rows = done..(done + SAMPLE_ROWS).min(3 * n);
            let work = 100 * (rows.len() * d) as u64;
            samples.drawn.extend(sample(rows, self.seed));
            return Some(work);
        }
        let drawn = std::mem::take(&mut samples.drawn);
        let batch = |k: usize| -> Rc<[f32]> { drawn[k * n * d..(k + 1) * n * d].into() };
        samples.batch = batch(0);
        samples.floor = Some(Distance::new(batch(1), batch(2), d));
        Some(0)
    }

    /// The distance of a cloud from exact samples, to be computed; the same samples for the whole run. `None` where the
    /// target has no sampler. Call it when [`Self::advance_samples`] is through.
    pub(super) fn distance(&self, x: &[f32]) -> Option<Distance> {
        let samples = self.samples.as_ref()?;
        let distance = Distance::new(x.into(), Rc::clone(&samples.batch), samples.d);
        Some(distance.starting_from(&samples.prices))
    }

    /// Keeps what the next assignment can start from.
    pub(super) fn learn(&mut self, done: &Distance) {
        if let Some(samples) = &mut self.samples {
            samples.prices = done.prices().to_vec();
        }
    }
}
