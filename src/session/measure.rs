//! What a session measures: at fixed probe steps, on copies of the state, never feeding back.

use super::Session;
use crate::metrics::{Cloud, Job, Metric, SharedReference, inputs};

/// One row of the metric log.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Step of the cloud that was measured.
    pub step: u32,
    /// One value a metric; `None` where it is undefined.
    pub values: Vec<Option<f64>>,
}

/// Steps whose particles are measured: all up to 32, then 32 in every doubling.
pub fn is_probe(step: u32) -> bool {
    let stride = 1 << (step / 32).checked_ilog2().unwrap_or(0);
    step.is_multiple_of(stride)
}

impl Session {
    /// A copy of the particles for the metrics.
    pub fn cloud(&self) -> Cloud {
        Cloud {
            step: self.seen(),
            n: self.stage.n,
            d: self.stage.d,
            x: self.particles().to_vec(),
            accepted: self.machine.get("accepted").map(<[f32]>::to_vec),
            buffers: self.curve_buffers(),
        }
    }

    /// Copies of what the curves are computed from.
    fn curve_buffers(&self) -> Vec<(String, Vec<f32>)> {
        let names = self.stage.curves.as_ref().map_or(Vec::new(), inputs);
        let copy = |name: String| {
            let data = self.machine.get(&name).map(<[f32]>::to_vec);
            (name, data.unwrap_or_default())
        };
        names.into_iter().map(copy).collect()
    }

    /// Works on the metrics of the latest probe step for about `budget` operations. True while work is left; a newer probe
    /// step waits until the present one is measured, an older one that still waits is dropped.
    pub fn measure(&mut self, budget: u64) -> bool {
        self.look();
        // What is seen comes first; half of the time stays for what is measured.
        let depicted = self.depicted.as_mut();
        let depicting = depicted.is_some_and(|d| d.advance(&self.machine, budget / 2));
        self.measure_next(budget) || depicting
    }

    fn measure_next(&mut self, budget: u64) -> bool {
        if self.job.is_none()
            && let Some(cloud) = self.pending.take()
        {
            self.job = Some((cloud.step, self.start(cloud)));
        }
        let Some((step, mut job)) = self.job.take() else {
            // Lines of the charts come last: no value waits for them.
            return self.reference.borrow_mut().advance_line(budget);
        };
        if job.advance(budget) {
            self.job = Some((step, job));
            return true;
        }
        let values = job.finish();
        self.record(Row { step, values });
        self.pending.is_some() || self.reference.borrow_mut().advance_line(0)
    }

    /// Asks for the metrics of the present step, for a run that rests here; false where they are known or under way.
    pub fn measure_here(&mut self) -> bool {
        self.look();
        if !self.is_settled() {
            self.machine.settle();
            return true;
        }
        let step = self.step();
        let under_way = self.job.as_ref().is_some_and(|(at, _)| *at == step);
        let asked = !under_way && !self.log.iter().any(|row| row.step == step);
        if asked {
            self.pending = Some(self.cloud());
        }
        asked
    }

    fn start(&self, cloud: Cloud) -> Job {
        let stage = &self.stage;
        Job::new(
            &self.reference,
            cloud,
            &stage.metrics,
            stage.metric_bandwidth,
        )
    }

    /// What metrics know of the target: floors, biases, its density anywhere.
    pub fn reference(&self) -> &SharedReference {
        &self.reference
    }

    /// Measures the present step to the end and returns the row.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn measure_now(&mut self) -> Row {
        self.settle();
        let step = self.step();
        if let Some(row) = self.log.iter().find(|r| r.step == step) {
            return row.clone();
        }
        let mut job = self.start(self.cloud());
        while job.advance(u64::MAX) {}
        let values = job.finish();
        let row = Row { step, values };
        self.record(row.clone());
        row
    }

    fn record(&mut self, row: Row) {
        let at = self.log.partition_point(|r| r.step < row.step);
        if self.log.get(at).is_none_or(|r| r.step != row.step) {
            self.log.insert(at, row);
        }
    }

    /// Metrics in the order of the log's values.
    pub fn metrics(&self) -> &[Metric] {
        &self.stage.metrics
    }

    /// What was measured, by step.
    pub fn log(&self) -> &[Row] {
        &self.log
    }
}
