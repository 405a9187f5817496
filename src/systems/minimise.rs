//! L-BFGS as a driver: the host chooses points, the programs evaluate them on whatever executor the run has.

use super::{Command, Driver, Reads};
use crate::graph::{Graph, Program, Var, grad};
use crate::nn::{Ask, Lbfgs};

/// Minimises a function of the buffer `x`; a step of the run is an accepted step of L-BFGS, however many evaluations it took.
///
/// Decisions use exactly the values that were read, so that timing cannot change a run. Ends where no step helps, or where
/// every entry of the gradient is below `tolerance`.
#[derive(Debug, Clone)]
pub struct Minimise {
    lbfgs: Lbfgs,
    tolerance: f64,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The trial point is to be written.
    Propose,
    /// It is to be evaluated.
    Evaluate,
    /// Value and gradient are to be read.
    Ask,
    /// They have been read.
    Judge,
    /// The step is complete, and at rest or not.
    Accepted { at_rest: bool },
}

impl Minimise {
    /// Starts at `x`, single precision like the run.
    pub fn new(x: &[f32], tolerance: f64) -> Self {
        Self {
            lbfgs: Lbfgs::new(x.iter().map(|&v| f64::from(v)).collect()),
            tolerance,
            phase: Phase::Propose,
        }
    }

    /// The programs it runs, in their order: accepting the trial point as `x: [n]`, and evaluating `function` there.
    pub fn programs(n: usize, function: impl for<'g> Fn(Var<'g>) -> Var<'g>) -> Vec<Program> {
        let accept = Graph::default();
        accept.assign("x", accept.input("trial", &[n]));
        let evaluate = Graph::default();
        let trial = evaluate.input("trial", &[n]);
        let value = function(trial);
        evaluate.assign("value", value);
        evaluate.assign("gradient", grad(value, &[trial])[0]);
        vec![accept.compile("accept"), evaluate.compile("evaluate")]
    }

    fn judge(&mut self, reads: &Reads) -> Command {
        let [value, gradient] = &reads[..] else {
            return Command::Stop("value and gradient could not be read".to_owned());
        };
        let value = value.first().map_or(f64::NAN, |v| f64::from(*v));
        let gradient: Vec<f64> = gradient.iter().map(|&v| f64::from(v)).collect();
        let at_rest = gradient.iter().all(|v| v.abs() <= self.tolerance);
        match self.lbfgs.tell(value, &gradient) {
            Ask::Evaluate(_) => {
                self.phase = Phase::Propose;
                self.next(0, reads)
            }
            Ask::Accepted(_) => {
                self.phase = Phase::Accepted { at_rest };
                Command::Run {
                    program: 0,
                    times: 1,
                }
            }
            Ask::Stuck => Command::Stop("no step decreases the function further".to_owned()),
        }
    }
}

impl Driver for Minimise {
    fn copy(&self) -> Box<dyn Driver> {
        Box::new(self.clone())
    }

    fn next(&mut self, _: u32, reads: &Reads) -> Command {
        match self.phase {
            Phase::Accepted { at_rest: true } => {
                Command::Stop("the gradient vanishes within the tolerance".to_owned())
            }
            Phase::Propose | Phase::Accepted { at_rest: false } => {
                self.phase = Phase::Evaluate;
                let trial = self.lbfgs.trial();
                Command::Write("trial", trial.iter().map(|&v| v as f32).collect())
            }
            Phase::Evaluate => {
                self.phase = Phase::Ask;
                Command::Run {
                    program: 1,
                    times: 1,
                }
            }
            Phase::Ask => {
                self.phase = Phase::Judge;
                Command::Read(vec!["value", "gradient"])
            }
            Phase::Judge => self.judge(reads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Run, Turn};

    /// Runs to the end in single precision, as a session would; returns x and the steps it took.
    fn minimise(
        start: &[f32],
        tolerance: f64,
        function: impl for<'g> Fn(Var<'g>) -> Var<'g>,
    ) -> (Vec<f32>, u32) {
        let programs = Minimise::programs(start.len(), function);
        let driver = Minimise::new(start, tolerance);
        let mut run = Run::<f32>::new(None, programs, Box::new(driver), 1);
        for _ in 0..500 {
            if let Turn::Stopped(_) = run.complete_step() {
                return (run.cpu.get("x").expect("x").to_vec(), run.step());
            }
        }
        panic!("not at rest after 500 steps");
    }

    #[test]
    fn rosenbrock_in_single_precision() {
        let (x, steps) = minimise(&[-1.2, 1.0, -1.2, 1.0], 1e-4, |x| {
            let (a, b) = (x.slice(0, 0, 3), x.slice(0, 1, 3));
            (100.0 * (b - a.square()).square() + (1.0 - a).square()).total()
        });
        for v in &x {
            assert!((v - 1.0).abs() < 1e-3, "{x:?} after {steps} steps");
        }
        assert!((10..200).contains(&steps), "{steps} steps");
    }

    #[test]
    fn a_convex_quadratic_in_single_precision() {
        let (x, steps) = minimise(&[0.0; 20], 1e-5, |x| {
            let k = x.graph().iota(20) + 1.0;
            (0.5 * k * x.square() - x).total()
        });
        for (i, v) in x.iter().enumerate() {
            assert!((v - 1.0 / (i + 1) as f32).abs() < 1e-4, "{x:?}");
        }
        assert!(steps < 60, "{steps} steps");
    }

    #[test]
    fn a_function_without_a_minimum_stops_with_its_reason() {
        let mut driver = Minimise::new(&[0.0], 1e-3);
        let flat: Reads = vec![vec![f32::NAN], vec![1.0]];
        let mut stopped = false;
        for _ in 0..1000 {
            if let Command::Stop(reason) = driver.next(0, &flat) {
                assert!(reason.contains("no step"), "{reason}");
                stopped = true;
                break;
            }
        }
        assert!(stopped, "a NaN is never accepted");
    }
}
