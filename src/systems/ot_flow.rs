//! OT-Flow: a neural flow from a source ρ₀ to N(0, I), trained by maximum likelihood on the potential of its velocity. Samples
//! move along −∇Φ; what they cost on their way, and how far Φ is from solving the Hamilton–Jacobi–Bellman equation, is
//! penalised, so that the ways are straight and few time steps do.
//!
//! **Source** D. Onken, S. Wu Fung, X. Li, L. Ruthotto, "OT-Flow: fast and accurate continuous normalizing flows via optimal
//! transport" (AAAI 2021).

pub(super) mod curves;
pub(super) mod network;
pub(super) mod picture;

use network::{FlowParams, back, start, update, weights};
use picture::{View, Ways};

use super::likelihood;
use super::trace::Trace;
use super::{Build, Depiction, Entry, Inputs, Map, Own, Preset, Renewing, Stage, System, Way};
use crate::data::{Source, SourceParams};
use crate::error::{Problem, Result};
use crate::graph::{Graph, PotentialFlow, Program, Wanted, grad};
use crate::params::{Numbers, Spec, shortest};
use crate::rng::stream;
use crate::{choices, params};
use std::rc::Rc;

choices! {
    /// What the picture's particles are.
    pub enum Show {
        /// Normal samples, carried back to the source.
        Generated = "generated" "generated samples",
        /// Samples of the source, carried to the normal.
        Data = "data" "samples of the source",
        /// Samples of the source, carried to the normal and back to where they were.
        Returned = "returned" "samples, there and back",
    }
}

choices! {
    /// In which coordinates more than two dimensions are shown.
    pub enum Project {
        /// Those of the samples.
        Given = "given" "as given",
        /// The principal components of the source.
        Principal = "principal" "principal components",
    }
}

params! {
    /// OT-Flow.
    pub struct OtFlow {
        groups { source: SourceParams, flow: FlowParams }
        /// Seed of the weights, the batches and the samples shown.
        seed: u32 = 1, Spec::restart("seed").range(0.0, 4_294_967_295.0);
        /// Samples of a batch.
        batch: usize = 1024, Spec::restart("batch").log(1.0, 16_384.0);
        /// Step size η of Adam.
        step: f32 = 0.1, Spec::live("step η").log(1e-6, 1.0);
        /// Steps after which η is halved.
        halve: u32 = 100, Spec::restart("halve η every").log(1.0, 1e6);
        /// Steps after which a new batch is drawn.
        resample: u32 = 25, Spec::restart("new batch every").log(1.0, 100_000.0);
        /// Weights of the transport cost L, of the negative log-likelihood C and of the Hamilton–Jacobi–Bellman residual R. A weight of 0
        /// for L leaves the velocity −∇Φ.
        alpha: Numbers = Numbers(vec![1.0, 100.0, 5.0]), Spec::restart("weights of L, C, R").range(0.0, 1e6);
        /// How the trace of ∇v is found in training; the curves have the exact one.
        trace: Trace = Trace::Exact, Spec::restart("trace");
        /// Probes a sample and step.
        probes: usize = 1, Spec::restart("probes k").range(1.0, 16.0).only_if("trace", &["rademacher", "gaussian"]);
        /// Whose ways the picture shows.
        show: Show = Show::Generated, Spec::rebuild("particles");
        /// The time at which they are shown: 0 is the source, 1 the normal.
        time: f32 = 0.0, Spec::live("time t").range(0.0, 1.0);
        /// Particles that are shown.
        n: usize = 512, Spec::rebuild("particles shown").log(1.0, 4096.0);
        /// In which coordinates more than two dimensions are shown.
        project: Project = Project::Given, Spec::rebuild("coordinates").only_if("source", &["gaussian", "mixture", "file"]);
        /// The two coordinates shown, from 0.
        axes: Numbers = Numbers(vec![0.0, 1.0]), Spec::rebuild("axes shown").range(0.0, 127.0).only_if("source", &["gaussian", "mixture", "file"]);
    }
}

/// Registry entry.
pub static ENTRY: Entry = Entry {
    id: "ot-flow",
    title: "OT-Flow",
    room: "transport",
    summary: "A potential learns to carry samples to a normal along straight ways; run backwards, it makes new samples.",
    citation: "D. Onken, S. Wu Fung, X. Li, L. Ruthotto (2021). OT-Flow: fast and accurate continuous normalizing flows via optimal transport. AAAI.",
    fresh: || Box::new(OtFlow::default()),
    own: Own::Source("source"),
    presets: &[
        Preset {
            title: "Eight Gaussians",
            question: "Can a potential learn to carry eight Gaussians to one, and back?",
            link: "m=ot-flow",
        },
        Preset {
            title: "Why straighten paths?",
            question: "Without transport cost and residual the ways bend: the same likelihood needs more time steps.",
            link: "m=ot-flow;alpha=0,100,0",
        },
        Preset {
            title: "Two steps without HJB cheat",
            question: "With two time steps and no residual, the likelihood at the training steps is a lie: with 32 steps it is far worse.",
            link: "m=ot-flow&nt=2&alpha=1,100,0;alpha=1,100,5",
        },
        Preset {
            title: "The race",
            question: "A potential with optimal transport, and a velocity without: which has the lower cost L at an equal likelihood, and the straighter ways?",
            link: "m=ot-flow;m=cnf&width=32",
        },
        Preset {
            title: "There and back",
            question: "Rings mark where samples were. With too few time steps, do they come back to their places?",
            link: "m=ot-flow&nt=2&show=returned;nt=8",
        },
        Preset {
            title: "What a random trace costs",
            question: "One random probe instead of the exact trace is right on average. How much does its noise slow the training?",
            link: "m=ot-flow&source=moons&nt=4&batch=256&alpha=1,8,1;trace=rademacher",
        },
        Preset {
            title: "Moons",
            question: "How near does the likelihood come to the entropy?",
            link: "m=ot-flow&source=moons&alpha=1,8,1",
        },
        Preset {
            title: "Checkerboard",
            question: "Sharp edges are hard for a smooth map: where does the mass leak?",
            link: "m=ot-flow&source=checkerboard&alpha=1,15,2",
        },
        Preset {
            title: "Pinwheel",
            question: "Do five arms unwind?",
            link: "m=ot-flow&source=pinwheel&alpha=1,30,15",
        },
        Preset {
            title: "A Gaussian, in closed form",
            question: "Does the network reach the value that algebra gives?",
            link: "m=ot-flow&source=gaussian&cov=4,0,0,0.25",
        },
        Preset {
            title: "Mixture in 50 dimensions",
            question: "Fifty dimensions, six modes: does the exact trace still do?",
            link: "m=ot-flow&source=mixture&d=50&hidden=96&nt=4&batch=128&step=0.03&halve=800&resample=1&project=principal",
        },
    ],
};

/// Samples whose places are marked when they come back.
const MARKS: usize = 128;

impl System for OtFlow {
    fn build(&self, inputs: &Inputs) -> Result<Build> {
        let source = Rc::new(self.source.build(self.seed, inputs.source.as_ref())?);
        let weights = weights(&self.alpha.0)?;
        let d = source.d;
        let flow = self.flow.potential(d, weights[0]);
        let curves = curves::program(self.seed, flow, &source, self.n);
        let shown = self.view(&source)?;
        let depiction = self.depiction(flow, &source, &shown);
        let stage = Stage {
            particles: "particles",
            n: self.n,
            d,
            axes: shown.axes,
            target: source.target.clone().filter(|_| shown.basis.is_none()),
            frame: shown.frame,
            names: shown.names,
            depiction: Some(depiction),
            map: Some(map(flow)),
            least_cost: Some((likelihood::TRANSPORT_COST.id, Rc::clone(&source))),
            marks: self.marks(&source),
            guides: Vec::new(),
            curves: Some(curves),
            arrows: None,
            kernel_width: None,
            metrics: curves::metrics(&source),
            metric_bandwidth: 1.0,
            seed: self.seed,
        };
        Ok(Build {
            prepare: None,
            programs: vec![self.step_program(flow, weights), self.draw_program(&source)],
            driver: Box::new(Renewing::new(Some(self.resample))),
            state: vec![("theta".to_owned(), start(&flow, self.seed))],
            stage,
            default_steps: 1000,
            notes: vec![format!(
                "{} parameters. Curves are measured on {} samples that no batch has, with {} time steps.",
                flow.parameters(),
                likelihood::serving(likelihood::HELD_OUT, flow.d),
                curves::steps(&flow),
            )],
        })
    }

    fn uniforms(&self) -> Vec<(&'static str, f32)> {
        vec![("step", self.step), ("time", self.time)]
    }

    fn divergence_cause(&self) -> String {
        format!(
            "the step η = {} is likely too large for this network; try a tenth of it",
            shortest(self.step)
        )
    }
}

impl OtFlow {
    /// One step of Adam on J = α₀ L + α₁ C + α₂ R over the batch.
    fn step_program(&self, flow: PotentialFlow, weights: [f64; 3]) -> Program {
        let g = Graph::default();
        let (n, d) = (self.batch, flow.d);
        let x = g.input("batch", &[n, d]);
        let theta = g.input("theta", &[flow.parameters()]);
        if let Some(probes) = self.trace.probes(&g, n * self.probes, d) {
            let end = flow.estimated(x, theta, probes.reshape(&[n, self.probes, d]));
            let objective = weights[0] * end.column(d + 1).mean(0)
                - weights[1] * curves::log_likelihood(end).mean(0)
                + weights[2] * end.column(d + 2).mean(0);
            update(theta, grad(objective, &[theta])[0], self.halve);
            return g.compile("step");
        }
        // C = ½|z|² − l + const is quadratic in the end (z, l, v, r), so that one pass gives the gradient.
        let mean = weights.map(|weight| weight / n as f64);
        let mut linear = vec![0.0; d];
        linear.extend([-mean[1], mean[0], mean[2]]);
        let mut slope = vec![mean[1]; d];
        slope.extend([0.0; 3]);
        let offset = g.constant(linear, &[d + 3]).broadcast(&[n, d + 3]);
        let adjoint = [offset, g.constant(slope, &[d + 3])];
        let gradient = g.potential_flow_gradient(flow, Wanted::Parameters, [x, theta], adjoint);
        update(theta, gradient, self.halve);
        g.compile("step")
    }

    fn draw_program(&self, source: &Source) -> Program {
        let g = Graph::default();
        g.assign("batch", source.draw(&g, self.batch, stream::BATCH));
        g.compile("draw")
    }

    fn depiction(&self, flow: PotentialFlow, source: &Source, shown: &View) -> Depiction {
        let ways = Ways {
            flow,
            n: self.n,
            seed: self.seed,
        };
        match self.show {
            Show::Generated => ways.back(shown),
            Show::Data => ways.there(source, shown),
            Show::Returned => ways.returned(source, shown),
        }
    }

    /// Where samples were that come back.
    fn marks(&self, source: &Source) -> Vec<[f32; 2]> {
        if self.show != Show::Returned || source.d != 2 {
            return Vec::new();
        }
        let samples = source.samples(self.seed, stream::TARGET, 0, self.n.min(MARKS));
        samples.chunks_exact(2).map(|p| [p[0], p[1]]).collect()
    }

    fn view(&self, source: &Source) -> Result<View> {
        let d = source.d;
        let axes = match self.axes.0[..] {
            _ if d == 1 => [0, 0],
            [a, b] if a != b && [a, b].iter().all(|v| v.fract() == 0.0 && *v < d as f32) => {
                [a as usize, b as usize]
            }
            _ => {
                let message = format!("has to be two different whole numbers from 0 to {}", d - 1);
                return Err(Problem::new("axes", message).into());
            }
        };
        Ok(match self.project {
            Project::Principal if d > 2 => View::principal(source, axes),
            _ => View::given(source, axes),
        })
    }
}

/// The learned map from the source to the normal, and its inverse.
pub(super) fn map(flow: PotentialFlow) -> Map {
    Map {
        program: Rc::new(move |n, way| {
            let g = Graph::default();
            let x = g.input("points", &[n, flow.d]);
            let theta = g.input("theta", &[flow.parameters()]);
            let flow = match way {
                Way::There => flow,
                Way::Back => back(flow),
            };
            let end = g.potential_flow(flow, x, theta);
            g.assign("mapped", end.slice(1, 0, flow.d));
            g.compile("map")
        }),
        parameters: &["theta"],
    }
}

#[cfg(test)]
mod tests;
