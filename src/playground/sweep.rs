//! Sweeps over one parameter of what is on the screen: asked for by the page, worked on in slices, drawn and tabled.

use super::Playground;
use super::edit::problem_of;
use super::share::vectors;
use crate::decimal::{Width, plain};
use crate::error::{Problem, Result};
use crate::json::json;
use crate::metrics;
use crate::scene::{Across, Chart, Curve, Scale};
use crate::session::Session;
use crate::session::sweep::{Subject, Sweep, Wish, can_sweep, suggested};
use serde::Serialize;

/// What can be asked for.
#[derive(Serialize)]
struct Offer {
    params: Vec<OfferedParam>,
    metrics: Vec<OfferedMetric>,
    /// Steps of a run, where nothing else is asked for.
    steps: u32,
}

#[derive(Serialize)]
struct OfferedParam {
    key: &'static str,
    label: &'static str,
    /// Values to begin with, as they are typed.
    values: String,
}

#[derive(Serialize)]
struct OfferedMetric {
    id: &'static str,
    label: &'static str,
}

/// What became of a request.
#[derive(Serialize)]
struct Answer {
    ok: bool,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct State {
    done: usize,
    total: usize,
    columns: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
}

fn answer<T>(result: Result<T>) -> String {
    let problems: Vec<Problem> = result.err().into_iter().map(problem_of).collect();
    json(&Answer {
        ok: problems.is_empty(),
        problems,
    })
}

impl Playground {
    /// JSON: parameters that every pane can be swept over, with values to begin with; metrics that every pane has.
    pub fn sweep_offer(&self) -> String {
        let sessions = || self.panes.iter().map(|p| &p.session);
        let first = &self.panes[0].session;
        let shared = |key: &str| sessions().all(|s| s.system().get(key).is_some());
        let specs = first.system().specs();
        let params = specs.iter().filter(|s| can_sweep(s) && shared(s.key));
        let texts = |values: Vec<f64>| {
            let texts = values.into_iter().map(|v| plain(v, Width::Double));
            texts.collect::<Vec<_>>().join(", ")
        };
        let measured = |m: &&metrics::Metric| sessions().all(|s| s.metrics().contains(m));
        json(&Offer {
            params: params
                .map(|s| OfferedParam {
                    key: s.key,
                    label: s.label,
                    values: texts(suggested(s)),
                })
                .collect(),
            metrics: first
                .metrics()
                .iter()
                .filter(measured)
                .map(|m| OfferedMetric {
                    id: m.id(),
                    label: m.label(1),
                })
                .collect(),
            steps: self
                .link
                .k
                .unwrap_or_else(|| sessions().map(Session::default_steps).max().unwrap_or(1)),
        })
    }

    /// Begins a sweep of all panes over `key`, in the place of one before; `values` have commas between them. JSON `{ok, problems}`.
    pub fn sweep_start(
        &mut self,
        key: &str,
        values: &str,
        seeds: u32,
        steps: u32,
        metric: &str,
    ) -> String {
        let subject = |session: &Session| Subject {
            entry: session.entry(),
            system: crate::systems::copy(session.entry(), session.system()),
            inputs: session.inputs().clone(),
        };
        let values = values.split(',').map(|v| v.trim().to_owned());
        let wish = Wish {
            key: key.to_owned(),
            values: values.filter(|v| !v.is_empty()).collect(),
            seeds,
            steps: Some(steps),
            metric: Some(metric.to_owned()),
        };
        let subjects = self.panes.iter().map(|p| subject(&p.session)).collect();
        let sweep = Sweep::new(subjects, wish);
        answer(sweep.map(|sweep| self.sweep = Some(sweep)))
    }

    /// Works on the sweep for about `budget` operations; JSON `{ok, problems}`.
    pub fn sweep_advance(&mut self, budget: u64) -> String {
        let advanced = self.sweep.as_mut().map(|sweep| sweep.advance(budget));
        answer(advanced.transpose())
    }

    /// Forgets the sweep.
    pub fn sweep_stop(&mut self) {
        self.sweep = None;
    }

    /// JSON `{done, total, columns, rows}`: runs done and in all; for each value the quartiles of each pane.
    pub fn sweep_state(&self) -> String {
        let Some(sweep) = &self.sweep else {
            return json(&State {
                done: 0,
                total: 0,
                columns: Vec::new(),
                rows: Vec::new(),
            });
        };
        let (done, total) = sweep.progress();
        let titles = sweep.titles();
        let mut columns = vec![sweep.label().to_owned()];
        for title in &titles {
            for what in ["lower quartile", "median", "upper quartile", "runs"] {
                columns.push(if titles.len() > 1 {
                    format!("{title}: {what}")
                } else {
                    what.to_owned()
                });
            }
        }
        let count = sweep.points().len() / titles.len().max(1);
        let row = |at: usize| {
            let own = sweep.points().iter().skip(at).step_by(count);
            let value = own.clone().next().map(|p| p.value);
            let cells = own.flat_map(|p| {
                let quartiles = p.quartiles().map_or([None; 3], |q| q.map(Some));
                let known = p.outcomes.iter().flatten().count();
                quartiles.into_iter().chain([Some(known as f64)])
            });
            [value].into_iter().chain(cells).collect()
        };
        json(&State {
            done,
            total,
            columns,
            rows: (0..count).map(row).collect(),
        })
    }

    /// JSON `{ops, text}`: the metric against the parameter, a line a pane through the medians, in a band between the quartiles.
    pub fn sweep_chart(&self, width: f32, height: f32) -> String {
        let Some(sweep) = &self.sweep else {
            return vectors(&crate::scene::DrawList::default());
        };
        let curve = |pane: usize| {
            let own = sweep.points().iter().filter(|p| p.subject == pane);
            let mut band: Vec<([f64; 3], f64)> = own
                .filter_map(|p| {
                    p.quartiles()
                        .map(|[low, mid, high]| ([p.value, low, high], mid))
                })
                .collect();
            crate::order::sort_few(&mut band, |a, b| a.0[0] < b.0[0]);
            Curve {
                pane,
                points: band.iter().map(|(b, mid)| [b[0], *mid]).collect(),
                band: band.into_iter().map(|(b, _)| b).collect(),
            }
        };
        let chart = Chart {
            scale: match sweep.metric().scale() {
                metrics::Scale::Linear => Scale::Linear,
                metrics::Scale::Log => Scale::Log,
            },
            curves: (0..self.panes.len()).map(curve).collect(),
            references: Vec::new(),
            across: Across {
                name: sweep.label(),
                scale: if sweep.is_logarithmic() {
                    Scale::Log
                } else {
                    Scale::Linear
                },
                least: sweep.extent(),
            },
        };
        vectors(&chart.draw(width, height))
    }
}
