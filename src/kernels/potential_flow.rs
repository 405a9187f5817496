//! Hot op: samples through all Runge–Kutta stages of a potential flow, and the gradient back through them, tile by tile.
//!
//! A tile of [`TILE`] samples goes all the way while its values stay in cache. Lanes run over samples, weights are broadcast. For a
//! gradient each stage keeps its activations, so that the way back computes none again. Sums over samples are
//! taken lane by lane within [`ROWS`] samples, then over lanes; cuts between calls change no order.

mod activation;
mod evaluation;
mod products;
mod pull;
mod weights;

use super::Number;
use crate::graph::{PotentialFlow, Wanted};
use activation::{Activation, Narrow, Wide};
use evaluation::Evaluation;
use fearless_simd::{Level, Simd, SimdFloat, dispatch};
use fearless_simd_macros::simd;
use pull::{Pull, Sums};
use std::ops::Range;
use weights::Weights;

/// Samples that travel together.
pub(super) const TILE: usize = 16;

/// One value for each sample of a tile, in fours: a vector of four is an element, which builds that inline little read without a call.
pub(super) type Lanes<R> = [[R; 4]; TILE / 4];

/// The same value for every sample.
pub(super) fn filled<R: Copy>(value: R) -> Lanes<R> {
    [[value; 4]; TILE / 4]
}

/// Zeros for so many values. A boxed slice, as all that inner loops read: an element of a `Vec` is a call where little is inlined.
fn zeros<R: Number>(count: usize) -> Box<[Lanes<R>]> {
    vec![filled(R::ZERO); count].into()
}

/// Cuts between calls fall on multiples of this many samples.
pub const ROWS: usize = 128;

/// A range of the samples of a flow.
#[derive(Debug)]
pub struct Job<'a, R> {
    /// The flow.
    pub flow: &'a PotentialFlow,
    /// What is computed.
    pub wanted: Wanted,
    /// Samples, `[n, d]`.
    pub x: &'a [R],
    /// Parameters.
    pub theta: &'a [R],
    /// For a gradient: what the adjoint of the end is at 0, `[n, d + 3]`, and how it grows with the end, `[d + 3]`.
    pub adjoint: Option<[&'a [R]; 2]>,
    /// Samples of this call; calls cover 0..n in order, cut at multiples of [`ROWS`].
    pub rows: Range<usize>,
    /// Results. Those summed over samples are partial until the last call.
    pub out: &'a mut [R],
}

/// Computes the rows of `job`.
///
/// # Panics
/// A slice is too short for its shape.
pub fn run<R: Number>(level: Level, job: &mut Job<'_, R>) {
    R::potential_flow(level, job);
}

/// [`run`] in single precision.
pub(super) fn run_f32(level: Level, job: &mut Job<'_, f32>) {
    #[simd]
    fn inner<S: Simd>(simd: S, job: &mut Job<'_, f32>) {
        flow::<S, S::f32s, f32, Narrow>(simd, job);
    }
    dispatch!(level, simd => inner(simd, job));
}

/// [`run`] in double precision.
pub(super) fn run_f64(level: Level, job: &mut Job<'_, f64>) {
    #[simd]
    fn inner<S: Simd>(simd: S, job: &mut Job<'_, f64>) {
        flow::<S, S::f64s, f64, Wide>(simd, job);
    }
    dispatch!(level, simd => inner(simd, job));
}

#[inline(always)]
fn flow<S: Simd, V: SimdFloat<S, Element = R>, R: Number, A: Activation<S, V>>(
    simd: S,
    job: &mut Job<'_, R>,
) {
    let way = Way::new(job.flow);
    let weights = Weights::new(job.flow, job.theta);
    let tapes = if job.wanted == Wanted::End {
        1
    } else {
        way.stages.len()
    };
    let mut tape: Vec<Evaluation<R>> = (0..tapes).map(|_| Evaluation::new(job.flow)).collect();
    let mut pull = Pull::new(job.flow);
    if job.wanted == Wanted::Parameters && job.rows.start == 0 {
        job.out.fill(R::ZERO);
    }
    for block in job.rows.clone().step_by(ROWS) {
        let rows = block..(block + ROWS).min(job.rows.end);
        let mut sums = (job.wanted == Wanted::Parameters).then(|| Sums::<R>::new(job.flow, V::LEN));
        for start in rows.clone().step_by(TILE) {
            let len = TILE.min(rows.end - start);
            let tile = start..start + len;
            let end = way.forward::<S, V, R, A>(simd, job, &weights, &mut tape, tile);
            match job.wanted {
                Wanted::End => scatter(&end, job.out, start, len),
                Wanted::Parameters | Wanted::Samples => {
                    let adjoint = job.adjoint_of(&end, start, len);
                    let sums = sums.as_mut();
                    way.back::<S, V, R>(simd, &weights, &mut tape, &mut pull, &adjoint, sums);
                    if job.wanted == Wanted::Samples {
                        scatter(&pull.state, job.out, start, len);
                    }
                }
            }
        }
        if let Some(sums) = &sums {
            sums.add_to(job.out, &weights);
        }
    }
}

/// Rows of `values`, a column each, into rows `start..start + len` of a matrix.
fn scatter<R: Number>(values: &[Lanes<R>], out: &mut [R], start: usize, len: usize) {
    let columns = values.len();
    let rows = out[start * columns..(start + len) * columns].chunks_exact_mut(columns);
    for (i, row) in rows.enumerate() {
        for (o, v) in row.iter_mut().zip(values) {
            *o = v.as_flattened()[i];
        }
    }
}

/// Columns of rows `start..start + len` of a matrix; lanes without a sample repeat the last.
fn gather<R: Number>(data: &[R], columns: usize, start: usize, len: usize) -> Vec<Lanes<R>> {
    let value = |c, i: usize| data[(start + i.min(len - 1)) * columns + c];
    let column = |c| std::array::from_fn(|four| std::array::from_fn(|i| value(c, 4 * four + i)));
    (0..columns).map(column).collect()
}

impl<R: Number> Job<'_, R> {
    /// The adjoint of the end of a tile; zero in lanes without a sample.
    fn adjoint_of(&self, end: &[Lanes<R>], start: usize, len: usize) -> Vec<Lanes<R>> {
        let [offset, slope] = self.adjoint.expect("a gradient has an adjoint");
        let mut adjoint = gather(offset, end.len(), start, len);
        for ((adjoint, end), &slope) in adjoint.iter_mut().zip(end).zip(slope) {
            let (adjoint, end) = (adjoint.as_flattened_mut(), end.as_flattened());
            for i in 0..TILE {
                let value = adjoint[i] + slope * end[i];
                adjoint[i] = if i < len { value } else { R::ZERO };
            }
        }
        adjoint
    }
}

/// One evaluation of the slope.
struct Stage {
    /// Time.
    t: f64,
    /// The slope before, times this, is added to the state at the beginning of the step.
    lead: f64,
    /// Weight in the step.
    weight: f64,
}

/// The stages of all Runge–Kutta steps.
struct Way {
    stages: Vec<Stage>,
    d: usize,
    alpha: f64,
}

impl Way {
    fn new(flow: &PotentialFlow) -> Self {
        let [from, to] = flow.span;
        let h = (to - from) / flow.steps as f64;
        let step = |k: usize| {
            let t = from + h * k as f64;
            [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)].map(|(lead, weight)| Stage {
                t: t + lead * h,
                lead: lead * h,
                weight: weight * h / 6.0,
            })
        };
        Self {
            stages: (0..flow.steps).flat_map(step).collect(),
            d: flow.d,
            alpha: flow.alpha,
        }
    }

    /// The end of the samples `rows`; the tape keeps every stage if it has room for all.
    #[inline(always)]
    fn forward<S: Simd, V: SimdFloat<S, Element = R>, R: Number, A: Activation<S, V>>(
        &self,
        simd: S,
        job: &Job<'_, R>,
        weights: &Weights<'_, R>,
        tape: &mut [Evaluation<R>],
        rows: Range<usize>,
    ) -> Vec<Lanes<R>> {
        let d = self.d;
        let mut state = gather(job.x, d, rows.start, rows.len());
        state.extend([filled(R::ZERO); 3]);
        let mut begun = state.clone();
        let mut slope = vec![filled(R::ZERO); d + 3];
        let last = tape.len() - 1;
        for (k, stage) in self.stages.iter().enumerate() {
            if k.is_multiple_of(4) {
                begun.copy_from_slice(&state);
            }
            let evaluation = &mut tape[k.min(last)];
            let lead = R::from_f64(stage.lead);
            for c in 0..d {
                let s = evaluation.s[c].as_flattened_mut();
                let (begun, slope) = (begun[c].as_flattened(), slope[c].as_flattened());
                for i in 0..TILE {
                    s[i] = begun[i] + lead * slope[i];
                }
            }
            evaluation.s[d] = filled(R::from_f64(stage.t));
            evaluation::forward::<S, V, R, A>(simd, weights, evaluation);
            self.slope(evaluation, &mut slope);
            let weight = R::from_f64(stage.weight);
            for (state, slope) in state.iter_mut().zip(&slope) {
                let (state, slope) = (state.as_flattened_mut(), slope.as_flattened());
                for i in 0..TILE {
                    state[i] += weight * slope[i];
                }
            }
        }
        state
    }

    /// (ẋ, l̇, v̇, ṙ) from ∇Φ and ΔΦ.
    #[inline(always)]
    fn slope<R: Number>(&self, evaluation: &Evaluation<R>, slope: &mut [Lanes<R>]) {
        let (d, alpha) = (self.d, R::from_f64(self.alpha));
        let scale = R::from_f64(-1.0 / self.alpha);
        let mut kinetic = [R::ZERO; TILE];
        for c in 0..d {
            let gradient = evaluation.gradient[c].as_flattened();
            let slope = slope[c].as_flattened_mut();
            for i in 0..TILE {
                slope[i] = scale * gradient[i];
                kinetic[i] += slope[i] * slope[i];
            }
        }
        let by_time = evaluation.gradient[d].as_flattened();
        let laplacian = evaluation.laplacian.as_flattened();
        let [log, cost, residual] = &mut slope[d..] else {
            unreachable!("three costs")
        };
        let [log, cost, residual] = [log, cost, residual].map(|l| l.as_flattened_mut());
        for i in 0..TILE {
            let dv = R::from_f64(0.5) * kinetic[i];
            log[i] = scale * laplacian[i];
            cost[i] = dv;
            residual[i] = (alpha * dv - by_time[i]).abs();
        }
    }

    /// Pulls the adjoint of the end back to the start, where `pull.state` has it then.
    #[inline(always)]
    fn back<S: Simd, V: SimdFloat<S, Element = R>, R: Number>(
        &self,
        simd: S,
        weights: &Weights<'_, R>,
        tape: &mut [Evaluation<R>],
        pull: &mut Pull<R>,
        adjoint: &[Lanes<R>],
        mut sums: Option<&mut Sums<R>>,
    ) {
        let d = self.d;
        let mut begun = adjoint[..d].to_vec();
        pull.state.copy_from_slice(&begun);
        // What the slope of a stage owes to the stage after it.
        let mut lead = R::ZERO;
        for (k, stage) in self.stages.iter().enumerate().rev() {
            let weight = R::from_f64(stage.weight);
            let evaluation = &mut tape[k];
            for c in 0..d {
                let (begun, input) = (begun[c].as_flattened(), pull.input[c].as_flattened());
                let slope = pull.slope[c].as_flattened_mut();
                for i in 0..TILE {
                    // Of the stage after: its input moved with this slope.
                    slope[i] = weight * begun[i] + lead * input[i];
                }
            }
            self.pull_slope(evaluation, pull, &adjoint[d..], weight);
            pull::back::<S, V, R>(simd, weights, evaluation, pull, sums.as_deref_mut());
            for (state, input) in pull.state.iter_mut().zip(&pull.input) {
                let (state, input) = (state.as_flattened_mut(), input.as_flattened());
                for i in 0..TILE {
                    state[i] += input[i];
                }
            }
            lead = R::from_f64(stage.lead);
            if k.is_multiple_of(4) {
                begun.copy_from_slice(&pull.state);
                lead = R::ZERO;
            }
        }
    }

    /// From the adjoints of ẋ (in `pull.slope`) and of l, v, r to those of ∇Φ and ΔΦ.
    #[inline(always)]
    fn pull_slope<R: Number>(
        &self,
        evaluation: &Evaluation<R>,
        pull: &mut Pull<R>,
        costs: &[Lanes<R>],
        weight: R,
    ) {
        let (d, alpha) = (self.d, R::from_f64(self.alpha));
        let scale = R::from_f64(-1.0 / self.alpha);
        let gradient = |c: usize| evaluation.gradient[c].as_flattened();
        let mut kinetic = [R::ZERO; TILE];
        for c in 0..d {
            let gradient = gradient(c);
            for i in 0..TILE {
                let dx = scale * gradient[i];
                kinetic[i] += dx * dx;
            }
        }
        let mut motion = [R::ZERO; TILE];
        let [log, cost, wrong] = [0, 1, 2].map(|k| costs[k].as_flattened());
        let by_time = gradient(d);
        for i in 0..TILE {
            let residual = alpha * R::from_f64(0.5) * kinetic[i] - by_time[i];
            let rho = weight * wrong[i] * residual.sign();
            motion[i] = weight * cost[i] + alpha * rho;
            pull.gradient[d].as_flattened_mut()[i] = -rho;
            pull.laplacian.as_flattened_mut()[i] = scale * weight * log[i];
        }
        for c in 0..d {
            let gradient = gradient(c);
            let slope = pull.slope[c].as_flattened();
            let pulled = pull.gradient[c].as_flattened_mut();
            for i in 0..TILE {
                let dx = scale * gradient[i];
                pulled[i] = scale * (slope[i] + motion[i] * dx);
            }
        }
    }
}

#[cfg(test)]
mod tests;
