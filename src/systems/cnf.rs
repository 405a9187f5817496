//! Continuous normalising flows with a free-form velocity: ẋ = v(x, t), a plain network, carries data to N(0, I), and the integral
//! of tr ∇v along the way gives the likelihood. Nothing asks the paths to be short or straight, so an adaptive solver works
//! harder as training goes on; kinetic energy and the Jacobian's norm as penalties keep fixed steps enough.
//!
//! Gradients are those of the discretised flow: reverse mode through the accepted steps, whose sizes count as constants.
//!
//! **Source** R. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud (NeurIPS 2018), eq. 8; W. Grathwohl et al., "FFJORD" (ICLR 2019);
//! C. Finlay et al., "How to train your neural ODE" (ICML 2020).

mod driver;
mod solver;
mod velocity;

use super::likelihood::{FEWER, GAP, HeldOut, INVERSE, NLL, STEPS, TRANSPORT_COST};
use super::ot_flow::network::normals;
use super::trace::Trace;
use super::{Build, Depiction, Entry, Inputs, Map, Own, Preset, Stage, System, Way};
use crate::data::{Source, SourceParams};
use crate::error::{Problem, Result};
use crate::graph::{Graph, Program, Var};
use crate::metrics::{Curve, Metric, Scale};
use crate::params::{Spec, shortest};
use crate::rng::stream;
use crate::{choices, params};
use driver::Integrate;
use solver::{DOPRI5, RK4, Solver, Tableau};
use std::rc::Rc;
use velocity::Velocity;

choices! {
    /// How the flow is integrated while it is trained.
    pub enum Method {
        /// Dormand–Prince, order 5, its steps chosen by the error.
        Dopri5 = "dopri5" "Dormand–Prince, adaptive",
        /// The classical method of order 4 with equal steps.
        Rk4 = "rk4" "Runge–Kutta 4, equal steps",
    }
}

params! {
    /// Continuous normalising flows.
    pub struct Cnf {
        groups { source: SourceParams }
        /// Seed of the data, the initial weights and the probes.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// Particles on the stage, drawn from N(0, I) and carried back to the data.
        n: usize = 1024, Spec::restart("particles n").log(1.0, 16_384.0);
        /// Neurons of each hidden layer of v.
        width: usize = 64, Spec::restart("width").log(1.0, 512.0);
        /// Hidden layers of v.
        depth: usize = 3, Spec::restart("hidden layers").range(1.0, 6.0);
        /// Samples of a batch, fresh every step.
        batch: usize = 512, Spec::restart("batch").log(1.0, 8192.0);
        /// Adam's step size η.
        step: f32 = 0.005, Spec::live("step η").log(1e-5, 1.0);
        /// How the flow is integrated while it is trained.
        method: Method = Method::Dopri5, Spec::restart("solver");
        /// Absolute and relative tolerance of a solver step.
        tolerance: f32 = 1e-4, Spec::restart("tolerance").log(1e-5, 0.1).only_if("method", &["dopri5"]);
        /// Equal steps from t = 0 to 1.
        nt: usize = 8, Spec::restart("steps nₜ").range(1.0, 64.0).only_if("method", &["rk4"]);
        /// How the trace of ∇v is found.
        trace: Trace = Trace::Rademacher, Spec::restart("trace");
        /// Weight of the kinetic energy ∫½|v|².
        kinetic: f32 = 0.0, Spec::live("kinetic energy").range(0.0, 100.0);
        /// Weight of the Jacobian’s norm ∫‖∇v‖².
        jacobian: f32 = 0.0, Spec::live("Jacobian").range(0.0, 100.0);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "cnf",
    title: "Free-form continuous flow",
    room: "transport",
    summary: "A velocity without an optimal-transport prior: it learns the data, but its paths bend, and its solver pays for them.",
    citation: "W. Grathwohl, R. T. Q. Chen, J. Bettencourt, I. Sutskever, D. Duvenaud (2019). FFJORD: Free-form continuous dynamics for scalable reversible generative models. ICLR.",
    fresh: || Box::new(Cnf::default()),
    own: Own::Source("source"),
    presets: &[
        Preset {
            title: "A flow without a prior",
            question: "How many evaluations does a solver need for one pass? Watch them grow while the likelihood improves.",
            link: "m=cnf",
        },
        Preset {
            title: "Regularised, with fixed steps",
            question: "Kinetic energy and the Jacobian’s norm straighten the paths: eight steps are enough.",
            link: "m=cnf&method=rk4&kinetic=0.02&jacobian=0.01",
        },
        Preset {
            title: "What a random trace costs",
            question: "The estimate of tr ∇v is right on average. How much does its noise slow the training?",
            link: "m=cnf&source=moons&method=rk4;trace=exact",
        },
    ],
};

static EVALUATIONS: Curve = Curve {
    id: "evaluations",
    label: "evaluations of v",
    definition: "Evaluations of v for one forward pass of the last training batch, rejected steps included.",
    unit: "",
    scale: Scale::Linear,
};

/// Largest dimension in which validation computes the whole trace.
const EXACT_TRACE: usize = 4;
/// Largest dimension in which training may compute it.
const MOST_TRACED: usize = 16;
/// Most steps of an adaptive solver.
const MOST_STEPS: usize = 100;
/// Equal steps in which a flow that was trained by adaptive ones carries particles and points.
const MAP_STEPS: usize = 16;
/// Ways that are drawn.
const WAYS: usize = 160;

impl System for Cnf {
    fn build(&self, inputs: &Inputs) -> Result<Build> {
        let source = Rc::new(self.source.build(self.seed, inputs.source.as_ref())?);
        if self.trace == Trace::Exact && source.d > MOST_TRACED {
            let message = format!(
                "an exact trace has d = {} products a stage; allowed are up to {MOST_TRACED}, or an estimate",
                source.d
            );
            return Err(Problem::new("trace", message).into());
        }
        let solver = self.solver(source.d);
        let velocity = solver.velocity;
        let batch = self.batch;
        let programs = vec![
            solver.update(),
            solver.begin(|g| source.draw(g, batch, stream::BATCH)),
            solver.attempt(),
            solver.accept(),
            solver.turn(),
            solver.back(),
        ];
        let driver = Integrate::new(solver.tableau, solver.most_steps, self.nt);
        Ok(Build {
            prepare: None,
            programs,
            driver: Box::new(driver),
            state: vec![("theta".to_owned(), velocity.start(self.seed))],
            stage: self.stage(&source, velocity),
            default_steps: 1000,
            notes: self.notes(velocity.parameters()),
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![
            ("step", self.step),
            ("kinetic", self.kinetic),
            ("jacobian", self.jacobian),
        ]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "Adam’s step η = {} is likely too large for this network; try a third of it",
            shortest(self.step)
        )
    }
}

impl Cnf {
    /// Equal steps of Runge–Kutta 4 outside training: for particles, for the map.
    fn steps(&self) -> usize {
        match self.method {
            Method::Dopri5 => MAP_STEPS,
            Method::Rk4 => self.nt,
        }
    }

    fn velocity(&self, d: usize) -> Velocity {
        Velocity {
            d,
            width: self.width,
            depth: self.depth,
        }
    }

    fn tableau(&self) -> &'static Tableau {
        match self.method {
            Method::Dopri5 => &DOPRI5,
            Method::Rk4 => &RK4,
        }
    }

    fn solver(&self, d: usize) -> Solver {
        Solver {
            velocity: self.velocity(d),
            tableau: self.tableau(),
            trace: self.trace,
            batch: self.batch,
            tolerance: self.tolerance.into(),
            most_steps: match self.method {
                Method::Dopri5 => MOST_STEPS,
                Method::Rk4 => self.nt,
            },
        }
    }

    fn notes(&self, parameters: usize) -> Vec<String> {
        let mut notes = vec![format!("v has {parameters} parameters.")];
        if self.trace != Trace::Exact {
            notes.push(
                "The trace of ∇v is estimated with one random probe a sample while training."
                    .to_owned(),
            );
        }
        notes
    }

    fn stage(&self, source: &Rc<Source>, velocity: Velocity) -> Stage {
        let known = source.entropy().map(|_| Metric::Curve(&GAP));
        let own = [&NLL, &TRANSPORT_COST, &INVERSE, &EVALUATIONS].map(Metric::Curve);
        let mut metrics: Vec<Metric> = known.into_iter().chain(own).collect();
        if source.target.is_some() {
            metrics.push(Metric::W2);
        }
        Stage {
            particles: "particles",
            n: self.n,
            d: source.d,
            axes: [0, 1.min(source.d - 1)],
            target: source.target.clone(),
            frame: source.frame,
            names: source.names.clone(),
            depiction: Some(self.depiction(velocity)),
            map: Some(map(velocity, self.steps())),
            least_cost: Some((TRANSPORT_COST.id, Rc::clone(source))),
            marks: Vec::new(),
            guides: Vec::new(),
            curves: Some(self.curves(source, velocity)),
            arrows: None,
            kernel_width: None,
            metrics,
            metric_bandwidth: 1.0,
            seed: self.seed,
        }
    }

    /// What the likelihood of held-out samples is, by a solver of its own.
    fn curves(&self, source: &Source, velocity: Velocity) -> Program {
        let g = Graph::default();
        let d = source.d;
        let held_out = HeldOut::new(source, self.seed, FEWER);
        let x = held_out.points(&g);
        let theta = g.input("theta", &[velocity.parameters()]);
        let trace = if d <= EXACT_TRACE {
            Trace::Exact
        } else {
            Trace::Rademacher
        };
        let probe = trace.probes(&g, x.shape()[0], d);
        let end = solver::along(velocity, theta, x, probe, STEPS.max(self.steps()));
        let nll = solver::minus_log_normal(end.slice(1, 0, d)) - end.column(d);
        held_out.assign(&g, nll);
        g.assign(TRANSPORT_COST.id, end.column(d + 1).mean(0));
        let there = solver::carried(velocity, theta, x, self.steps(), Way::There);
        let back = solver::carried(velocity, theta, there, self.steps(), Way::Back);
        let apart = (back - x).square().sum(1).sqrt();
        g.assign(INVERSE.id, apart.mean(0));
        if source.target.is_some() {
            let normals = normals(&g, self.seed, &[self.n, d]);
            let particles = solver::carried(velocity, theta, normals, self.steps(), Way::Back);
            g.assign("particles", particles);
        }
        g.assign(EVALUATIONS.id, g.input("evaluations_made", &[]));
        g.compile("curves")
    }

    /// Normal samples on their way back to the data.
    fn depiction(&self, velocity: Velocity) -> Depiction {
        let (n, d, nt) = (self.n, velocity.d, self.steps());
        let g = Graph::default();
        let normals = normals(&g, self.seed, &[n, d]);
        let theta = g.input("theta", &[velocity.parameters()]);
        let ways = solver::ways(velocity, theta, normals, nt, Way::Back);
        g.assign("particles", ways[nt]);
        let flat: Vec<Var<'_>> = ways.iter().map(|w| w.reshape(&[1, n, d])).collect();
        g.assign("paths", g.concat(&flat, 0));
        // ½|ẋ − (x(0) − x(1))|² of each leg: 0 where the way is straight, and run through at even speed.
        let chord = ways[nt] - ways[0];
        let bent = ways.windows(2).map(|leg| {
            let off = (leg[1] - leg[0]) * nt as f64 - chord;
            (0.5 * off.square().sum(1)).reshape(&[1, n])
        });
        g.assign("residual", g.concat(&bent.collect::<Vec<_>>(), 0));
        Depiction {
            program: Rc::new(g.compile("picture")),
            ways: n.min(WAYS),
            nodes: 0,
        }
    }
}

/// The learned map and its inverse by `nt` equal steps.
fn map(velocity: Velocity, nt: usize) -> Map {
    Map {
        program: Rc::new(move |n, way| {
            let g = Graph::default();
            let points = g.input("points", &[n, velocity.d]);
            let theta = g.input("theta", &[velocity.parameters()]);
            let end = solver::carried(velocity, theta, points, nt, way);
            g.assign("mapped", end);
            g.compile("map")
        }),
        parameters: &["theta"],
    }
}

#[cfg(test)]
mod tests;
