//! Computes the metrics of one cloud in slices.

use super::bins::Histogram;
use super::distance::Distance;
use super::ksd::Ksd;
use super::moments::Moments;
use super::reference::Density;
use super::{Cloud, Metric, Reference, SharedReference};
use crate::linalg::norm;

/// The metrics of one cloud, in the making. The slices never change a result.
pub struct Job {
    reference: SharedReference,
    cloud: Cloud,
    metrics: Vec<Metric>,
    bandwidth: f32,
    values: Vec<Option<f64>>,
    task: Option<Task>,
    moments: Option<Moments>,
    /// Whether the particles that the curves' program made of the buffers are finite; `None` before it made them.
    usable: Option<bool>,
}

/// The metric at work.
enum Task {
    Ksd(Ksd),
    Kl(Histogram),
    W2(Distance),
    Moments,
}

/// What one slice of work led to.
enum Slice {
    Spent(u64),
    Done(Option<f64>),
}

impl Job {
    /// Will measure `cloud` against the target of `reference`.
    ///
    /// `bandwidth` is h² of `ksd2`. A cloud with a NaN or an infinity has no metrics: all are `None`.
    ///
    /// # Panics
    /// The cloud's dimension is not the target's, where there is one.
    pub fn new(
        reference: &SharedReference,
        cloud: Cloud,
        metrics: &[Metric],
        bandwidth: f32,
    ) -> Self {
        if let Some(density) = &reference.borrow().density {
            assert_eq!(cloud.d, density.target.d, "dimension of a cloud");
        }
        if let Some(curves) = &mut reference.borrow_mut().curves {
            curves.forget();
        }
        assert_eq!(cloud.x.len(), cloud.n * cloud.d, "size of a cloud");
        let usable = cloud.n > 0 && cloud.is_finite();
        let values = if usable {
            Vec::new()
        } else {
            vec![None; metrics.len()]
        };
        Self {
            reference: SharedReference::clone(reference),
            cloud,
            metrics: metrics.to_vec(),
            bandwidth,
            values,
            task: None,
            moments: None,
            usable: None,
        }
    }

    /// Step of the cloud.
    pub fn step(&self) -> u32 {
        self.cloud.step
    }

    /// Works for about `budget` floating point operations; true while work is left.
    pub fn advance(&mut self, budget: u64) -> bool {
        let shared = SharedReference::clone(&self.reference);
        let mut reference = shared.borrow_mut();
        let mut left = budget;
        while let Some(&metric) = self.metrics.get(self.values.len()) {
            match self.slice(metric, &mut reference, left) {
                Slice::Spent(work) => match left.checked_sub(work) {
                    Some(rest) => left = rest,
                    None => return true,
                },
                Slice::Done(value) => {
                    self.task = None;
                    self.values.push(value.filter(|v| v.is_finite()));
                }
            }
        }
        false
    }

    /// The values, one a metric; works to the end first if it must.
    pub fn finish(mut self) -> Vec<Option<f64>> {
        while self.advance(u64::MAX) {}
        self.values
    }

    fn slice(&mut self, metric: Metric, reference: &mut Reference, budget: u64) -> Slice {
        if let Some(curves) = &mut reference.curves {
            if let Some(work) = curves.advance(&self.cloud, budget) {
                return Slice::Spent(work);
            }
            if let Metric::Curve(curve) = metric {
                return Slice::Done(curves.value(curve.id));
            }
            let cloud = &mut self.cloud;
            let usable = self.usable.get_or_insert_with(|| {
                // What the session shows may be that of an earlier step.
                if let Some(particles) = curves.particles() {
                    cloud.x.clear();
                    cloud.x.extend(particles);
                }
                cloud.is_finite()
            });
            if !*usable {
                return Slice::Done(None);
            }
        }
        let Some(reference) = &mut reference.density else {
            return Slice::Done(None);
        };
        match metric {
            Metric::Curve(_) => Slice::Done(None),
            Metric::Ksd2 => self.ksd(reference),
            Metric::Kl => self.kl(reference),
            Metric::W2 => self.w2(reference),
            Metric::MeanErr | Metric::CovErr => self.moment(metric, reference),
            Metric::Accept => Slice::Done(acceptance(&self.cloud)),
        }
    }

    fn ksd(&mut self, reference: &mut Density) -> Slice {
        let Some(Task::Ksd(ksd)) = &mut self.task else {
            self.task = Some(Task::Ksd(Ksd::new(&self.cloud, self.bandwidth)));
            return Slice::Spent(0);
        };
        match ksd.advance(&mut reference.evaluator) {
            Some(work) => Slice::Spent(work),
            None => Slice::Done(Some(ksd.value())),
        }
    }

    fn kl(&mut self, reference: &mut Density) -> Slice {
        let Some(bins) = &mut reference.bins else {
            return Slice::Done(None);
        };
        if let Some(work) = bins.advance(&mut reference.evaluator) {
            return Slice::Spent(work);
        }
        let Some(Task::Kl(histogram)) = &mut self.task else {
            self.task = Some(Task::Kl(Histogram::new(bins)));
            return Slice::Spent(0);
        };
        match histogram.advance(bins, &self.cloud) {
            Some(work) => Slice::Spent(work),
            None => Slice::Done(Some(bins.divergence(&histogram.counts, self.cloud.n))),
        }
    }

    fn w2(&mut self, reference: &mut Density) -> Slice {
        let Some(Task::W2(distance)) = &mut self.task else {
            if let Some(work) = reference.advance_samples(self.cloud.n) {
                return Slice::Spent(work);
            }
            let Some(distance) = reference.distance(&self.cloud.x) else {
                return Slice::Done(None);
            };
            self.task = Some(Task::W2(distance));
            return Slice::Spent(0);
        };
        if let Some(work) = distance.advance() {
            return Slice::Spent(work);
        }
        reference.learn(distance);
        Slice::Done(distance.value())
    }

    fn moment(&mut self, metric: Metric, reference: &Density) -> Slice {
        let Some((mean, covariance)) = &reference.target.moments else {
            return Slice::Done(None);
        };
        self.task = Some(Task::Moments);
        let d = self.cloud.d;
        let moments = self.moments.get_or_insert_with(|| Moments::new(d));
        if let Some(work) = moments.advance(&self.cloud, mean) {
            return Slice::Spent(work);
        }
        if metric == Metric::MeanErr {
            return Slice::Done(Some(norm(&moments.mean_gap())));
        }
        let found = moments.covariance();
        let gaps: Vec<f64> = found.iter().zip(covariance).map(|(a, b)| a - b).collect();
        Slice::Done(Some(norm(&gaps) / norm(covariance)))
    }
}

/// Σ accepted/(n·step); `None` at step 0 and where a system does not count.
fn acceptance(cloud: &Cloud) -> Option<f64> {
    let accepted = cloud.accepted.as_ref().filter(|_| cloud.step > 0)?;
    let total: f64 = accepted.iter().map(|v| f64::from(*v)).sum();
    Some(total / (cloud.n as f64 * f64::from(cloud.step)))
}
