//! What the registry knows, as data for the page and for `list --json` and `describe --json`: systems with their
//! parameters and presets, the catalogue of metrics, the layers of the stage.
//!
//! The page renders what stands here and holds no name, range, default or system of its own.

use crate::link::{DEMO, VERSION, defaults};
use crate::metrics::{Metric, Setting};
use crate::params::{Kind, Spec};
use crate::scene::{LAYERS, Layer};
use crate::session::Session;
use crate::systems::{Entry, REGISTRY, System, Words};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Everything the page needs to render controls, galleries and tooltips.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Version that new links carry.
    pub link_version: u32,
    /// Link of the default demo.
    pub demo: &'static str,
    /// Every system, in the order of the rooms.
    pub systems: Vec<SystemInfo>,
    /// The catalogue of metrics, in the order of the charts.
    pub metrics: Vec<MetricInfo>,
    /// What can be switched on the stage, from back to front.
    pub layers: &'static [Layer],
}

/// One system.
#[derive(Debug, Clone, Serialize)]
pub struct SystemInfo {
    /// Name in links.
    pub id: &'static str,
    /// Name on the page.
    pub title: &'static str,
    /// Room it hangs in.
    pub room: &'static str,
    /// One sentence: what moves and why.
    pub summary: &'static str,
    /// Authors, year, title.
    pub citation: &'static str,
    /// Its link with every parameter at its default.
    pub link: String,
    /// What a user's own points are to it; nothing where it takes none.
    pub own: Option<Words>,
    /// Configured demos.
    pub presets: Vec<PresetInfo>,
    /// Parameters in declaration order.
    pub params: Vec<Spec>,
}

/// One metric.
#[derive(Debug, Clone, Serialize)]
pub struct MetricInfo {
    /// Name in results.
    pub id: &'static str,
    /// Short name for charts, with the field's symbol.
    pub label: &'static str,
    /// Unit of its values; empty where it has none.
    pub unit: &'static str,
    /// What is computed; depends on the run, so only a run's metrics have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// A configured demo.
#[derive(Debug, Clone, Serialize)]
pub struct PresetInfo {
    /// Short title.
    pub title: &'static str,
    /// The question it answers, or the failure it shows with its cause.
    pub question: &'static str,
    /// Its whole link.
    pub link: String,
}

/// The manifest of this build.
pub fn manifest() -> Manifest {
    Manifest {
        link_version: VERSION,
        demo: DEMO,
        systems: REGISTRY.iter().map(|entry| system(entry)).collect(),
        metrics: Metric::ALL.iter().map(metric).collect(),
        layers: &LAYERS,
    }
}

fn metric(metric: &Metric) -> MetricInfo {
    MetricInfo {
        id: metric.id(),
        label: metric.label(1),
        unit: metric.unit(),
        definition: None,
    }
}

/// The metrics of a run, each defined for its number of particles, dimension and bandwidth.
pub fn metrics(session: &Session) -> Vec<MetricInfo> {
    let stage = session.stage();
    let setting = Setting {
        n: stage.n,
        d: stage.d,
        bandwidth: stage.metric_bandwidth,
    };
    let defined = |m: &Metric| MetricInfo {
        id: m.name(stage.n),
        label: m.label(stage.n),
        unit: m.unit(),
        definition: Some(m.definition(setting)),
    };
    session.metrics().iter().map(defined).collect()
}

/// What is known of one system.
pub fn system(entry: &Entry) -> SystemInfo {
    let whole = |scene: &str| format!("v={VERSION}&{scene}");
    let preset = |p: &crate::systems::Preset| PresetInfo {
        title: p.title,
        question: p.question,
        link: whole(p.link),
    };
    SystemInfo {
        id: entry.id,
        title: entry.title,
        room: entry.room,
        summary: entry.summary,
        citation: entry.citation,
        link: whole(&format!("m={}", entry.id)),
        own: entry.own.words(),
        presets: entry.presets.iter().map(preset).collect(),
        params: defaults(VERSION, entry).specs(),
    }
}

/// Names and values, written as a JSON object in this order.
#[derive(Debug, Clone, PartialEq)]
pub struct Named(pub Vec<(&'static str, Value)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The values of all parameters by key: numbers and lists as such, everything else as link text.
pub fn values(system: &dyn System) -> Named {
    // After edits a spec's `default` is the present value.
    let specs = system.specs();
    Named(
        specs
            .iter()
            .map(|s| (s.key, value(s.kind, &s.default)))
            .collect(),
    )
}

fn value(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Integer | Kind::Number | Kind::NumberOr => number(text),
        Kind::List if text.is_empty() => Value::Array(Vec::new()),
        Kind::List => text.split(',').map(number).collect(),
        Kind::Choice | Kind::Text => text.into(),
    }
}

fn number(text: &str) -> Value {
    let whole = text.parse::<u64>().ok().map(Value::from);
    let real = || text.parse::<f64>().ok().map(Value::from);
    whole.or_else(real).unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::parse;

    #[test]
    fn every_system_can_be_rendered() {
        let manifest = serde_json::to_value(manifest()).expect("plain data");
        assert_eq!(manifest["link_version"], 1);
        for system in manifest["systems"].as_array().expect("systems") {
            assert!(parse(system["link"].as_str().expect("a link")).1.is_empty());
            for text in ["id", "title", "room", "summary", "citation"] {
                assert!(
                    !system[text].as_str().expect("text").is_empty(),
                    "{text} of {system}"
                );
            }
            for spec in system["params"].as_array().expect("params") {
                for key in ["key", "label", "doc", "kind", "class"] {
                    assert!(
                        !spec[key].as_str().expect("text").is_empty(),
                        "{key} of {spec}"
                    );
                }
                let words = spec["choices"].as_array().expect("words");
                let chosen = words.iter().any(|w| w["id"] == spec["default"]);
                assert!(spec["kind"] != "choice" || chosen, "{spec}");
            }
        }
    }

    #[test]
    fn values_keep_their_kind() {
        for (kind, text, json) in [
            (Kind::Integer, "4294967295", "4294967295"),
            (Kind::Number, "0.1", "0.1"),
            (Kind::NumberOr, "median", "\"median\""),
            (Kind::NumberOr, "1e-6", "1e-6"),
            (Kind::List, "", "[]"),
            (Kind::List, "1,-0.5", "[1,-0.5]"),
            (Kind::Text, "12", "\"12\""),
        ] {
            assert_eq!(value(kind, text).to_string(), json);
        }
    }
}
