//! What metrics need to know of a target, computed once and kept across jobs.

use super::bins::Bins;
use super::distance::Distance;
use super::{Cloud, Metric};
use crate::targets::{Evaluator, Target};
use std::cell::RefCell;
use std::rc::Rc;

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

/// Exact samples for clouds of one size, and the distance between two further batches.
struct Samples {
    n: usize,
    batch: Rc<[f32]>,
    floor: Distance,
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
                    value: samples.floor.value()?,
                    label: format!("between two exact batches of {n}"),
                })
            }
            _ => None,
        }
    }

    /// The batch that clouds of this size are compared with; the same for the whole run. `None` where the target has no
    /// exact sampler. The second number is the work it took.
    pub(super) fn batch(&mut self, cloud: &Cloud) -> (Option<Rc<[f32]>>, u64) {
        let n = cloud.n;
        if let Some(samples) = self.samples.as_ref().filter(|s| s.n == n) {
            return (Some(Rc::clone(&samples.batch)), 0);
        }
        let Some(sample) = &self.target.sample else {
            return (None, 0);
        };
        // Three independent batches: one to compare with, two for the floor.
        let draws = sample(3 * n, self.seed);
        let size = n * cloud.d;
        let batch: Rc<[f32]> = draws[..size].into();
        let (first, second) = (draws[size..2 * size].into(), draws[2 * size..].into());
        self.samples = Some(Samples {
            n,
            batch: Rc::clone(&batch),
            floor: Distance::new(first, second, cloud.d),
        });
        (Some(batch), 100 * 3 * size as u64)
    }

    /// Works on the floor; `None` when it is done.
    pub(super) fn advance_floor(&mut self) -> Option<u64> {
        self.samples.as_mut()?.floor.advance()
    }
}
