//! How far a source is from N(0, I): ½ W₂², the least cost that a flow can have, as a line for charts.

use super::{Generator, Source};
use crate::linalg::symmetric_eigen;
use crate::ot::{Assignment, squared_costs};
use crate::rng::{normal_vec, stream};
use std::rc::Rc;

/// Points of one batch.
const POINTS: usize = 1024;
/// Independent batches whose mean is taken.
const BATCHES: u32 = 6;
/// Batches in which both sides are drawn from one distribution, for the floor.
const FLOORS: u32 = 2;

/// An estimate of ½ W₂².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfW2 {
    /// The mean over batches; exact where the source is Gaussian.
    pub value: f64,
    /// Its standard error; 0 where exact.
    pub error: f64,
    /// ½ W₂² between two batches of one distribution (mean of ρ₀ with itself and of N(0, I) with itself): finite samples are
    /// this far apart even where the distributions agree. 0 where exact.
    pub floor: f64,
}

/// ½ W₂²(ρ₀, N(0, I)) in the making: in closed form for Gaussians, else by exact assignment of batches of 1024 rows. The work
/// comes in slices, a row of one batch each.
pub struct ToNormal {
    source: Rc<Source>,
    seed: u32,
    /// Costs of the batches that are done.
    done: Vec<f64>,
    present: Option<Batch>,
    estimate: Option<HalfW2>,
}

struct Batch {
    x: Vec<f32>,
    y: Vec<f32>,
    assignment: Assignment,
}

impl ToNormal {
    /// Nothing is computed yet; `seed` names the batches.
    pub fn new(source: Rc<Source>, seed: u32) -> Self {
        let estimate = (source.generator == Generator::Gaussian).then(|| HalfW2 {
            value: gaussian(&source.moments.0, &source.moments.1),
            error: 0.0,
            floor: 0.0,
        });
        Self {
            source,
            seed,
            done: Vec::new(),
            present: None,
            estimate,
        }
    }

    /// The estimate, once it is there.
    pub fn estimate(&self) -> Option<HalfW2> {
        self.estimate
    }

    /// One slice; its work in about floating point operations, `None` when the estimate is there.
    pub fn advance(&mut self) -> Option<u64> {
        if self.estimate.is_some() {
            return None;
        }
        let d = self.source.d;
        let Some(batch) = &mut self.present else {
            self.present = Some(self.batch(self.done.len() as u32));
            return Some((200 * POINTS * d) as u64);
        };
        if batch.assignment.is_complete() {
            self.done
                .push(0.5 * batch.assignment.total() / POINTS as f64);
            self.present = None;
            if self.done.len() as u32 == BATCHES + 2 * FLOORS {
                self.estimate = Some(self.summary());
                return None;
            }
            return Some(1);
        }
        let at = batch.assignment.rows_done() * d;
        let looked_at = batch
            .assignment
            .add_row(squared_costs(&batch.x[at..at + d], &batch.y));
        Some(4 * looked_at + 3 * batch.y.len() as u64)
    }

    /// ρ₀ against N(0, I) first; then each against itself.
    fn batch(&self, k: u32) -> Batch {
        let d = self.source.d;
        let rows = |step: u32| self.source.samples(self.seed, stream::FLOOR, step, POINTS);
        let normals = |step: u32| normal_vec(self.seed, stream::TARGET, step, POINTS * d);
        let (x, y) = match k.checked_sub(BATCHES) {
            None => (rows(k), normals(k)),
            Some(j) if j < FLOORS => (rows(j), rows(BATCHES + j)),
            Some(j) => (normals(j), normals(BATCHES + j)),
        };
        Batch {
            x,
            y,
            assignment: Assignment::new(POINTS),
        }
    }

    fn summary(&self) -> HalfW2 {
        let mean = |costs: &[f64]| costs.iter().sum::<f64>() / costs.len() as f64;
        let (costs, floors) = self.done.split_at(BATCHES as usize);
        let value = mean(costs);
        let squares: Vec<f64> = costs.iter().map(|c| (c - value).powi(2)).collect();
        HalfW2 {
            value,
            error: (mean(&squares) / f64::from(BATCHES - 1)).sqrt(),
            floor: mean(floors),
        }
    }
}

/// ½ W₂²(N(m, Σ), N(0, I)) = ½ |m|² + ½ Σ_i (√λ_i − 1)² over the eigenvalues λ of Σ.
///
/// **Source** D. Dowson, B. Landau (1982). The Fréchet distance between multivariate normal distributions.
fn gaussian(mean: &[f64], covariance: &[f64]) -> f64 {
    let (values, _) = symmetric_eigen(covariance, mean.len());
    let shape: f64 = values
        .iter()
        .map(|v| (v.max(0.0).sqrt() - 1.0).powi(2))
        .sum();
    0.5 * (mean.iter().map(|m| m * m).sum::<f64>() + shape)
}

/// ½ W₂²(ρ₀, N(0, I)), worked out to the end.
pub fn half_w2_to_normal(source: &Rc<Source>, seed: u32) -> HalfW2 {
    let mut job = ToNormal::new(Rc::clone(source), seed);
    loop {
        if let Some(estimate) = job.estimate() {
            return estimate;
        }
        job.advance();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::source;
    use super::*;

    fn estimate(keys: &[(&str, &str)]) -> HalfW2 {
        half_w2_to_normal(&Rc::new(source(keys)), 1)
    }

    #[test]
    fn known_distances_of_the_generators() {
        for (id, expected, tolerance) in [("8gaussians", 1.366, 0.03), ("moons", 0.513, 0.015)] {
            let found = estimate(&[("source", id)]);
            let gap = (found.value - expected).abs();
            assert!(gap < tolerance + 2.0 * found.error, "{id}: {found:?}");
            assert!(found.error > 0.0 && found.error < 0.03, "{id}: {found:?}");
            assert!(found.floor > 0.0 && found.floor < 0.05, "{id}: {found:?}");
        }
    }

    #[test]
    fn gaussians_are_exact_and_assignment_agrees() {
        let keys = [
            ("source", "gaussian"),
            ("mean", "1,0"),
            ("cov", "4,0,0,.25"),
        ];
        let exact = estimate(&keys);
        assert_eq!((exact.error, exact.floor), (0.0, 0.0));
        assert!(
            (exact.value - 0.5 * (1.0 + 1.0 + 0.25)).abs() < 1e-9,
            "{exact:?}"
        );
        // The same by assignment, as if the closed form were not known.
        let mut gaussian = source(&keys);
        gaussian.generator = Generator::Mixture;
        let sampled = half_w2_to_normal(&Rc::new(gaussian), 1);
        let gap = sampled.value - exact.value;
        assert!(
            gap.abs() < 4.0 * sampled.error + sampled.floor,
            "{sampled:?}"
        );
        // N(0, I) itself is at its floor.
        let mut normal = source(&[("source", "gaussian")]);
        normal.generator = Generator::Mixture;
        let none = half_w2_to_normal(&Rc::new(normal), 1);
        assert!(
            (none.value - none.floor).abs() < 5.0 * none.error,
            "{none:?}"
        );
    }
}
