//! The parameters of a learned map, to keep and to bring back.

use super::Session;
use crate::error::{Problem, Result};
use serde::Serialize;
use serde::ser::Serializer;

/// Named buffers, written as one JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(pub Vec<(String, Vec<f32>)>);

impl Serialize for Weights {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values)))
    }
}

impl Session {
    /// The parameters of the map that this run learns, where it learns one, after [`Session::seen`] steps.
    pub fn weights(&self) -> Option<Weights> {
        let map = self.stage.map.as_ref()?;
        let values = |name: &&str| Some(((*name).to_owned(), self.machine.get(name)?.to_vec()));
        Some(Weights(map.parameters.iter().filter_map(values).collect()))
    }

    /// Puts `weights` in place of the run's own, which is then no longer the one that its link describes.
    ///
    /// # Errors
    /// The run learns no map; names or sizes that are not its own; numbers that are not finite. The run is then as it was.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<()> {
        let refuse = |message: String| Err(Problem::new("weights", message).into());
        let Some(own) = self.weights() else {
            return refuse(format!("{} learns no map", self.entry.id));
        };
        for (name, values) in &own.0 {
            let Some((_, given)) = weights.0.iter().find(|(given, _)| given == name) else {
                return refuse(format!("{name} is missing, {} numbers", values.len()));
            };
            if given.len() != values.len() {
                let (given, own) = (given.len(), values.len());
                return refuse(format!(
                    "{name} has {given} numbers, but the network of this run has {own}; open the link that the weights came with"
                ));
            }
            if !given.iter().all(|v| v.is_finite()) {
                return refuse(format!("{name} has numbers that are not finite"));
            }
        }
        let known = |name: &str| own.0.iter().any(|(own, _)| own == name);
        if let Some((name, _)) = weights.0.iter().find(|(name, _)| !known(name)) {
            return refuse(format!("{name} is no buffer of this run's map"));
        }
        let step = self.seen();
        let buffers: Vec<(&str, &[f32])> = weights
            .0
            .iter()
            .map(|(name, values)| (name.as_str(), &values[..]))
            .collect();
        self.machine.resume(step, &buffers);
        self.depict();
        self.edited_at = Some(step);
        // What was measured at this step was that of other weights.
        self.log.retain(|row| row.step < step);
        self.job = None;
        self.pending = Some(self.cloud());
        Ok(())
    }
}
