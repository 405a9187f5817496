//! What metrics need to know of a target, and the program of a system's curves: computed once and kept across jobs.

use super::Metric;
use super::bins::Bins;
use super::curves::Curves;
use super::distance::Distance;
use crate::data::{Source, ToNormal};
use crate::graph::Program;
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

/// What jobs of one run share.
pub struct Reference {
    pub(super) density: Option<Density>,
    pub(super) curves: Option<Curves>,
    /// The curve that ½ W₂² bounds, and that bound in the making.
    least_cost: Option<(&'static str, ToNormal)>,
}

/// Bins, exact samples, floors and the compiled score of one target.
pub(super) struct Density {
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
    /// For a target, whose exact samples derive from the run's `seed`, and for the program of a system's curves.
    pub fn shared(
        target: Option<Rc<Target>>,
        curves: Option<&Program>,
        seed: u32,
    ) -> SharedReference {
        let density = target.map(|target| Density {
            evaluator: Evaluator::new(&target),
            bins: Bins::new(&target),
            target,
            samples: None,
            seed,
        });
        let curves = curves.map(Curves::new);
        Rc::new(RefCell::new(Self {
            density,
            curves,
            least_cost: None,
        }))
    }

    /// The curve `id` is no less than ½ W₂²(`source`, N(0, I)): its chart has that as a line.
    pub fn bound_by(&mut self, id: &'static str, source: &Rc<Source>, seed: u32) {
        self.least_cost = Some((id, ToNormal::new(Rc::clone(source), seed)));
    }

    /// Works on that line for about `budget` operations; true while it is not known.
    pub fn advance_line(&mut self, budget: u64) -> bool {
        let Some((_, bound)) = &mut self.least_cost else {
            return false;
        };
        let mut left = budget;
        while let Some(work) = bound.advance() {
            match left.checked_sub(work) {
                Some(rest) => left = rest,
                None => return true,
            }
        }
        false
    }

    /// Log-density of the target at any points `[n, d]`; empty where there is no target.
    pub fn log_density(&mut self, points: &[f32]) -> Vec<f32> {
        let density = self.density.as_mut();
        density.map_or(Vec::new(), |d| d.evaluator.log_density(points))
    }

    /// What a perfect sampler of `n` independent draws would show for `metric`: the bias of `kl`, the same-size floor of
    /// `w2` once a job has computed it.
    pub fn level(&self, metric: Metric, n: usize) -> Option<Level> {
        if let (Metric::Curve(curve), Some((id, bound))) = (metric, &self.least_cost) {
            let least = bound.estimate().filter(|_| *id == curve.id)?;
            return Some(Level {
                value: least.value,
                label: "½ W₂² to the normal: no flow is cheaper".to_owned(),
            });
        }
        let density = self.density.as_ref()?;
        match metric {
            Metric::Kl => {
                let bins = density.bins.as_ref()?;
                Some(Level {
                    value: bins.bias(n),
                    label: format!("bias of {n} exact samples, (B − 1)/2n"),
                })
            }
            Metric::W2 => {
                let samples = density.samples.as_ref().filter(|s| s.n == n)?;
                Some(Level {
                    value: samples.floor.as_ref()?.value()?,
                    label: format!("floor: two exact batches of {n}"),
                })
            }
            _ => None,
        }
    }
}

impl Density {
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
