//! The link: one string that holds a configured demo, and its only reader and writer.
//!
//! Grammar: `v=1&m=ID&key=value…[;key=value…]`. `v` freezes a table of defaults, `m` names the system, `;` separates
//! the panes of a comparison. A later pane takes the explicit keys of the first, drops those that its system lacks,
//! then applies its own. A key is written only where its value differs from what a reader would assume.
//!
//! A lecture is several such links with `;;` between them: a place where version 1 never had a valid link, for an empty
//! pane is none.
//!
//! Deliberately not here: whether parameters fit together (`System::build` says), and the page's own query (`?embed=1`).

mod drawn;
mod frozen;
mod read;
mod text;

#[cfg(test)]
mod tests;

pub use drawn::{Drawn, MAX_CELLS, MAX_POINTS};
pub use frozen::{VERSION, defaults};
pub use read::{parse, scenes};

use crate::params::{Numbers, ParamValue, shortest};
use crate::systems::{Entry, System, copy};
use std::fmt;

/// The demo of an empty address, and of a link that cannot be read.
pub const DEMO: &str = "v=1&m=svgd&target=banana&init_mean=0,4&init_scale=0.5&step=0.5";

/// Longest link read, in bytes.
pub const MAX_LENGTH: usize = 8192;

/// Longest lecture read, in bytes.
pub const MAX_LECTURE: usize = 32_768;

/// Most scenes of a lecture.
pub const MAX_SCENES: usize = 32;

/// Most panes of a comparison.
pub const MAX_PANES: usize = 4;

/// Most keys of one pane.
pub const MAX_KEYS: usize = 256;

/// A configured demo.
#[derive(Debug, Clone)]
pub struct Link {
    /// The table of defaults this link was written against.
    pub version: u32,
    /// One pane a system; at least one, at most [`MAX_PANES`].
    pub panes: Vec<Pane>,
    /// Run to this step, then pause.
    pub k: Option<u32>,
    /// Points drawn by hand, for the panes that are set to use own points.
    pub data: Option<Drawn>,
    /// Frame in world units: x0, y0, x1, y1.
    pub view: Option<[f32; 4]>,
    /// Steps a second on the page; without it, as many as the machine can do.
    pub speed: Option<f32>,
}

/// One system with its parameters.
pub struct Pane {
    /// Which system.
    pub entry: &'static Entry,
    /// Its parameters.
    pub system: Box<dyn System>,
    /// Keys that the link gave, inherited ones included.
    pub explicit: Vec<String>,
    /// Keys that this build does not know, in order; kept when the link is written again.
    pub unknown: Vec<(String, String)>,
    /// Hash of the state that this pane should have at step `k`; never inherited.
    pub digest: Option<String>,
    version: u32,
}

impl Default for Link {
    /// The default demo.
    fn default() -> Self {
        parse(DEMO).0
    }
}

impl Link {
    /// The canonical form. Reading it gives this link again, with no problem but its unknown keys.
    pub fn write(&self) -> String {
        let mut out = format!("v={}", self.version);
        let mut inherited = Vec::new();
        for (i, pane) in self.panes.iter().enumerate() {
            let pairs = pane.pairs(&inherited);
            out.push(if i == 0 { '&' } else { ';' });
            let same = i > 0 && pane.entry.id == self.panes[0].entry.id;
            let mut chunks = Vec::new();
            if !same || (pairs.is_empty() && pane.digest.is_none()) {
                chunks.push(format!("m={}", pane.entry.id));
            }
            for (key, value) in &pairs {
                chunks.push(format!(
                    "{}={}",
                    text::encode_key(key),
                    text::encode_value(value)
                ));
            }
            if i == 0 {
                inherited = pairs;
                chunks.extend(self.k.map(|k| format!("k={k}")));
            }
            chunks.extend(
                pane.digest
                    .as_ref()
                    .map(|d| format!("digest={}", text::encode_value(d))),
            );
            if i == 0 {
                chunks.extend(self.data.as_ref().map(|d| format!("data={}", d.encode())));
                let view = self.view.map(|v| Numbers(v.to_vec()).show());
                chunks.extend(view.map(|v| format!("view={v}")));
                chunks.extend(self.speed.map(|s| format!("speed={}", shortest(s))));
            }
            out.push_str(&chunks.join("&"));
        }
        out
    }
}

impl Pane {
    /// A pane of `entry` with its defaults at `version`.
    pub fn new(version: u32, entry: &'static Entry) -> Self {
        Self {
            entry,
            system: defaults(version, entry),
            explicit: Vec::new(),
            unknown: Vec::new(),
            digest: None,
            version,
        }
    }

    /// The parameters again, for a session to own.
    pub fn system(&self) -> Box<dyn System> {
        copy(self.entry, &*self.system)
    }

    /// Whether the link gave this key.
    pub fn is_explicit(&self, key: &str) -> bool {
        self.explicit.iter().any(|k| k == key)
    }

    /// Keys and values to write, given those that the pane inherits: parameters in declaration order, then unknown keys.
    fn pairs(&self, inherited: &[(String, String)]) -> Vec<(String, String)> {
        let mut assumed = defaults(self.version, self.entry);
        let mut refused = Vec::new();
        for (key, value) in inherited {
            if let Some(Err(_)) = assumed.set(key, value) {
                refused.push(key.as_str());
            }
        }
        let mut pairs = Vec::new();
        for spec in assumed.specs() {
            // After `set`, a spec's `default` is the value assumed here.
            let value = self.system.get(spec.key).unwrap_or_default();
            if value != spec.default || refused.contains(&spec.key) {
                pairs.push((spec.key.to_owned(), value));
            }
        }
        pairs.extend(self.unknown.iter().cloned());
        pairs
    }
}

impl Clone for Pane {
    fn clone(&self) -> Self {
        Self {
            system: self.system(),
            explicit: self.explicit.clone(),
            unknown: self.unknown.clone(),
            digest: self.digest.clone(),
            ..*self
        }
    }
}

impl fmt::Debug for Pane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Pane({} {:?} {:?})",
            self.entry.id,
            self.pairs(&[]),
            self.digest
        )
    }
}
