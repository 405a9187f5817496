//! What the page says of itself, as JSON: panes, charts, the state of the run.

use super::{Pane, Playground};
use crate::error::Problem;
use crate::exec::gpu::Device;
use crate::json::json;
use crate::link;
use crate::metrics::{Metric, Setting};
use crate::params::shortest;
use crate::session::{Session, Status};
use crate::systems::System;
use serde::Serialize;

#[derive(Serialize)]
struct Description<'a> {
    link: String,
    /// Links of the scenes of a lecture that was opened just now.
    scenes: &'a [String],
    title: String,
    notices: &'a [Problem],
    k: Option<u32>,
    speed: Option<f32>,
    panes: Vec<PaneInfo<'a>>,
    charts: Vec<ChartInfo>,
}

#[derive(Serialize)]
struct PaneInfo<'a> {
    system: &'static str,
    title: String,
    backend: &'static str,
    device: String,
    /// Why this backend.
    reason: &'a str,
    default_steps: u32,
    values: Values,
    /// Keys whose values are not the defaults.
    changed: Vec<&'static str>,
    notes: Vec<&'a str>,
    /// Whether the user's own points are used.
    own_points: bool,
    /// Index of the preset that this configuration is.
    preset: Option<usize>,
}

#[derive(Serialize)]
struct ChartInfo {
    id: &'static str,
    label: &'static str,
    definition: String,
    unit: &'static str,
}

#[derive(Serialize)]
struct RunningState {
    step: u32,
    state: &'static str,
    message: String,
    last_good: Option<u32>,
    edited_at: Option<u32>,
    digest: Option<String>,
    reproduced: Option<Reproduced>,
    metrics_step: Option<u32>,
    /// By chart, then by pane.
    values: Vec<Vec<Option<f64>>>,
    measuring: bool,
}

#[derive(Serialize)]
struct Reproduced {
    same: bool,
    text: String,
}

#[derive(Serialize)]
struct Probe {
    pane: Option<usize>,
    world: Option<[f32; 2]>,
    /// What is known of that point, in words.
    text: String,
}

/// The value of `metric` in a row of `session`'s log.
pub(super) fn value(session: &Session, values: &[Option<f64>], metric: Metric) -> Option<f64> {
    let at = session.metrics().iter().position(|m| *m == metric)?;
    values.get(at).copied().flatten()
}

/// Name of a system where there is little room.
fn brief(pane: &Pane) -> String {
    pane.session.entry().id.to_ascii_uppercase()
}

impl Playground {
    /// A title a pane: its system, and what tells it apart from the others.
    pub(super) fn titles(&self) -> Vec<String> {
        let first = &self.panes[0].session;
        let keys = first.system().specs();
        let differing = keys.iter().map(|s| s.key).filter(|key| {
            let own = |p: &Pane| p.session.system().get(key);
            self.panes
                .iter()
                .any(|p| own(p).is_some() && own(p) != first.system().get(key))
        });
        let differing: Vec<&str> = differing.take(3).collect();
        let titled = |pane: &Pane| {
            let system = pane.session.system();
            let mut parts = vec![brief(pane)];
            for key in &differing {
                parts.extend(system.get(key).map(|value| format!("{key} {value}")));
            }
            parts.join(" · ")
        };
        self.panes.iter().map(titled).collect()
    }

    /// Every metric of any pane, in the order of the charts: those that all panes have come first.
    pub(super) fn charts(&self) -> Vec<Metric> {
        let is_shared = |m: &Metric| self.panes.iter().all(|p| p.session.metrics().contains(m));
        let mut charts: Vec<Metric> = Vec::new();
        for wanted in [true, false] {
            for metric in self.panes.iter().flat_map(|p| p.session.metrics()) {
                if is_shared(metric) == wanted && !charts.contains(metric) {
                    charts.push(*metric);
                }
            }
        }
        charts
    }

    /// JSON: the link, its notices, the panes with their values, the charts.
    pub fn describe(&self) -> String {
        let titles = self.titles();
        let preset = self.preset();
        let panes = self.panes.iter().enumerate().map(|(i, pane)| {
            let session = &pane.session;
            let system = session.system();
            // After edits a spec's `default` is the present value.
            let specs = system.specs();
            let defaults = link::defaults(self.link.version, session.entry());
            let changed = specs
                .iter()
                .filter(|s| defaults.get(s.key).as_ref() != Some(&s.default));
            let notes = session.notes().iter().map(String::as_str);
            PaneInfo {
                system: session.entry().id,
                title: if self.panes.len() > 1 {
                    titles[i].clone()
                } else {
                    session.entry().title.to_owned()
                },
                backend: session.backend(),
                device: session.device(),
                reason: &self.place.reason,
                default_steps: session.default_steps(),
                changed: changed.map(|s| s.key).collect(),
                values: values(system),
                notes: notes.collect(),
                own_points: session.entry().own.is_used(system),
                preset: preset.filter(|_| session.entry().id == self.panes[0].session.entry().id),
            }
        });
        let title = if titles.len() > 1 {
            titles.join(" | ")
        } else {
            self.panes[0].session.entry().title.to_owned()
        };
        json(&Description {
            link: self.link(),
            scenes: &self.scenes,
            title,
            notices: &self.notices,
            k: self.link.k,
            speed: self.link.speed,
            panes: panes.collect(),
            charts: self
                .charts()
                .into_iter()
                .map(|m| self.chart_info(m))
                .collect(),
        })
    }

    /// The preset that is on the screen, apart from the link's own keys.
    fn preset(&self) -> Option<usize> {
        let presets = self.panes[0].session.entry().presets.iter();
        let mut links =
            presets.map(|p| link::parse(&format!("v={}&{}", self.link.version, p.link)).0);
        links.position(|link| {
            let mut pairs = link.panes.iter().zip(&self.panes);
            link.panes.len() == self.panes.len()
                && pairs.all(|(own, pane)| {
                    own.entry.id == pane.session.entry().id
                        && values(&*own.system) == values(pane.session.system())
                })
        })
    }

    fn chart_info(&self, metric: Metric) -> ChartInfo {
        let session = self.measurer(metric);
        let stage = session.stage();
        let setting = Setting {
            n: stage.n,
            d: stage.d,
            bandwidth: stage.metric_bandwidth,
        };
        ChartInfo {
            id: metric.id(),
            label: metric.label(stage.n),
            definition: metric.definition(setting),
            unit: metric.unit(),
        }
    }

    /// The first session that measures `metric`.
    pub(super) fn measurer(&self, metric: Metric) -> &Session {
        let pane = self
            .panes
            .iter()
            .find(|p| p.session.metrics().contains(&metric));
        &pane.unwrap_or(&self.panes[0]).session
    }

    /// JSON: the step, how the run stands and why, the latest metrics.
    pub fn running_state(&self) -> String {
        let step = self.step();
        let (mut state, mut message, mut last_good) = ("ready", String::new(), None);
        if self.link.k == Some(step) && step > 0 {
            state = "paused_at_k";
        }
        for pane in &self.panes {
            let named = |text: &str| {
                if self.panes.len() > 1 {
                    format!("{}: {text}", brief(pane))
                } else {
                    text.to_owned()
                }
            };
            match pane.session.status() {
                Status::Ready => {}
                Status::Done(reason) if state != "diverged" => {
                    (state, message) = ("done", named(reason));
                }
                Status::Done(_) => {}
                // The device says so itself.
                Status::Lost(_) => {}
                Status::Diverged(divergence) => {
                    (state, message) = ("diverged", named(&divergence.to_string()));
                    last_good = Some(divergence.last_good_step);
                }
            }
        }
        if let Some(fault) = self.place.device.as_ref().and_then(Device::fault) {
            (state, message) = ("lost", fault.to_string());
        }
        let sessions = || self.panes.iter().map(|p| &p.session);
        let edited_at = sessions().filter_map(Session::edited_at).min();
        // A digest reads the whole state: only where the run rests. An edit on the way leaves none.
        let settled = sessions().all(Session::is_settled);
        let digest = (state != "ready" && edited_at.is_none() && settled).then(|| {
            let all: Vec<String> = sessions().map(Session::digest).collect();
            all.join(";")
        });
        let latest = |session: &Session, metric| {
            let row = session.log().last()?;
            value(session, &row.values, metric)
        };
        let by_chart = |metric| sessions().map(|s| latest(s, metric)).collect();
        json(&RunningState {
            step,
            state,
            message,
            last_good,
            edited_at,
            digest,
            reproduced: if state == "paused_at_k" {
                self.reproduced()
            } else {
                None
            },
            metrics_step: sessions()
                .filter_map(|s| s.log().last().map(|r| r.step))
                .min(),
            values: self.charts().into_iter().map(by_chart).collect(),
            measuring: self.measuring,
        })
    }

    /// Whether the state is the one whose digest the link carries.
    fn reproduced(&self) -> Option<Reproduced> {
        let pairs = self.link.panes.iter().zip(&self.panes);
        let pairs: Vec<(String, String)> = pairs
            .filter_map(|(linked, pane)| Some((linked.digest.clone()?, pane.session.digest())))
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let module = |digest: &str| {
            digest
                .rsplit_once('-')
                .map(|d| d.0.to_owned())
                .unwrap_or_default()
        };
        let differing = pairs.iter().find(|(linked, own)| linked != own);
        Some(match differing {
            None => Reproduced {
                same: true,
                text: "Every bit of the state is that of the link.".to_owned(),
            },
            Some((linked, own)) if module(linked) != module(own) => Reproduced {
                same: false,
                text: format!(
                    "The link was made on {}, this is {}: rounding differs, so states agree within a tolerance only.",
                    module(linked),
                    module(own)
                ),
            },
            Some((linked, own)) => Reproduced {
                same: false,
                text: format!(
                    "The state’s digest is {own}, the link says {linked}: the program or its inputs differ."
                ),
            },
        })
    }

    /// The link with the present step as `k` and the digests of the present state; without digests where the run was edited.
    pub fn link_here(&self) -> String {
        let mut here = self.link.clone();
        here.k = Some(self.step()).filter(|k| *k > 0);
        let edited = self.panes.iter().any(|p| p.session.edited_at().is_some());
        for (linked, pane) in here.panes.iter_mut().zip(&self.panes) {
            linked.digest =
                (here.k.is_some() && !edited && self.file.is_none() && pane.session.is_settled())
                    .then(|| pane.session.digest());
        }
        here.write()
    }

    /// JSON `{pane, world}` of a point of the stage, which is where the pointer is from now on.
    pub fn probe(&mut self, x: f32, y: f32) -> String {
        self.screen.pointer = Some([x, y]);
        let pane = self.pane_at([x, y]);
        let world = pane.map(|i| self.view(i).to_world([x, y]));
        let learned = pane
            .zip(world)
            .and_then(|(i, at)| self.panes[i].scenery.learned_at(at));
        let text = learned.map_or_else(String::new, |value| {
            format!("log ρ ≈ {}", shortest((100.0 * value).round() / 100.0))
        });
        json(&Probe { pane, world, text })
    }
}

/// Present values by key, in declaration order.
#[derive(PartialEq)]
struct Values(Vec<(&'static str, String)>);

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn values(system: &dyn System) -> Values {
    // After edits a spec's `default` is the present value.
    let specs = system.specs().into_iter();
    Values(specs.map(|s| (s.key, s.default)).collect())
}
