//! What a user's own points are to a system: its initial particles, samples that it learns from, or nothing.
//!
//! A table comes from a file, from pasted text, or from the link's `data`. Which of these the system takes, and which
//! parameter says so, stands in its [`Entry`](super::Entry); the page and the command line ask here.

use super::{Inputs, System};
use crate::data::Table;
use crate::error::Problem;
use serde::Serialize;

/// The role of a user's own points. The name is that of a parameter, a choice whose value [`FILE`] means them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// It takes none.
    None,
    /// Initial particles: a row each, so that they set `n`.
    Particles(&'static str),
    /// Samples of the source distribution, two or more; their columns set `d`.
    Source(&'static str),
}

/// The value of the parameter in [`Own`] that means own points.
pub const FILE: &str = "file";

/// Fewest samples that something can be learned from.
const FEWEST_SAMPLES: usize = 2;

/// What the page and `list --json` say of own points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Words {
    /// What they are.
    pub role: &'static str,
    /// How they are drawn on the stage.
    pub draw: &'static str,
    /// The command line's option.
    pub flag: &'static str,
}

impl Own {
    /// The parameter that says whether own points are used.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Particles(key) | Self::Source(key) => Some(key),
        }
    }

    /// What became of a table, in words.
    pub fn taken(self, table: &Table) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let row = match self {
            Self::Source(_) => "sample",
            Self::None | Self::Particles(_) => "particle",
        };
        let (rows, columns) = (count(table.rows(), row), count(table.columns, "dimension"));
        format!("{rows} in {columns}")
    }

    /// In words; nothing where the system takes none.
    pub fn words(self) -> Option<Words> {
        match self {
            Self::None => None,
            Self::Particles(_) => Some(Words {
                role: "initial particles",
                draw: "Draw where the particles start. Press the pencil again to let them flow.",
                flag: "--init",
            }),
            Self::Source(_) => Some(Words {
                role: "samples to learn from",
                draw: "Draw samples to learn from. Press the pencil again to start.",
                flag: "--source",
            }),
        }
    }

    /// Whether `system` is set to use own points.
    pub fn is_used(self, system: &dyn System) -> bool {
        let value = self.key().and_then(|key| system.get(key));
        value.as_deref() == Some(FILE)
    }

    /// What a system of this role gets of a table.
    pub fn inputs(self, table: Option<&Table>) -> Inputs {
        let table = table.cloned();
        match self {
            Self::None => Inputs::default(),
            Self::Particles(_) => Inputs {
                init: table,
                ..Inputs::default()
            },
            Self::Source(_) => Inputs {
                source: table,
                ..Inputs::default()
            },
        }
    }

    /// The parameter that the shape of a table decides, with its value, where `system` has it.
    pub fn decides(self, system: &dyn System, table: &Table) -> Option<(&'static str, String)> {
        let (key, value) = match self {
            Self::None => return None,
            Self::Particles(_) => ("n", table.rows()),
            Self::Source(_) => ("d", table.columns),
        };
        system.get(key).map(|_| (key, value.to_string()))
    }

    /// Brings `system`, which uses own points, to the shape of `table`.
    ///
    /// # Errors
    /// Too few rows; more rows or columns than the system takes.
    pub fn fit(self, system: &mut dyn System, table: &Table) -> Result<(), Problem> {
        if let Self::Source(key) = self
            && table.rows() < FEWEST_SAMPLES
        {
            let message = format!(
                "{} sample; allowed are {FEWEST_SAMPLES} or more",
                table.rows()
            );
            return Err(Problem::new(key, message));
        }
        let decided = self.decides(system, table);
        match decided.and_then(|(key, value)| system.set(key, &value)) {
            Some(Err(refusal)) => Err(refusal.problem),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::{find, two_layer, ula};

    fn table(rows: usize, columns: usize) -> Table {
        Table {
            names: Vec::new(),
            columns,
            values: (0..rows * columns).map(|i| i as f32).collect(),
        }
    }

    #[test]
    fn particles_set_n_and_samples_set_d() {
        for (own, n, d) in [
            (Own::Particles("init"), "7", "2"),
            (Own::Source("init"), "1000", "3"),
        ] {
            let mut system = (ula::ENTRY.fresh)();
            system.set("n", "1000").unwrap().unwrap();
            assert!(!own.is_used(&*system));
            system.set("init", FILE).unwrap().unwrap();
            assert!(own.is_used(&*system));
            let points = table(7, 3);
            own.fit(&mut *system, &points).unwrap();
            let get = |key| system.get(key).unwrap();
            assert_eq!((get("n").as_str(), get("d").as_str()), (n, d));
            let inputs = own.inputs(Some(&points));
            let samples = matches!(own, Own::Source(_));
            assert_eq!(
                (inputs.init.is_some(), inputs.source.is_some()),
                (!samples, samples)
            );
        }
    }

    #[test]
    fn shapes_that_a_system_cannot_take_are_refused() {
        let mut system = (ula::ENTRY.fresh)();
        let refused = |own: Own, points: &Table, system: &mut dyn System| {
            own.fit(system, points).unwrap_err().to_string()
        };
        let few = refused(Own::Source("init"), &table(1, 2), &mut *system);
        assert_eq!(few, "init: 1 sample; allowed are 2 or more");
        let wide = refused(Own::Source("init"), &table(2, 1000), &mut *system);
        assert!(wide.starts_with("d: "), "{wide}");
        let none = refused(Own::Particles("init"), &table(0, 2), &mut *system);
        assert!(none.starts_with("n: "), "{none}");
        Own::Particles("init")
            .fit(&mut *system, &table(1, 2))
            .unwrap();
    }

    #[test]
    fn a_system_without_own_points_gets_none() {
        let own = two_layer::ENTRY.own;
        let mut system = (two_layer::ENTRY.fresh)();
        let before = system.specs();
        own.fit(&mut *system, &table(3, 2)).unwrap();
        assert_eq!(format!("{before:?}"), format!("{:?}", system.specs()));
        assert!(!own.is_used(&*system) && own.words().is_none());
        let inputs = own.inputs(Some(&table(3, 2)));
        assert!(inputs.init.is_none() && inputs.source.is_none());
    }

    #[test]
    fn the_parameter_of_every_role_has_the_choice_that_means_own_points() {
        for id in ["ula", "mala", "svgd"] {
            assert_ne!(find(id).unwrap().own, Own::None);
        }
        for entry in crate::systems::REGISTRY {
            let Some(key) = entry.own.key() else { continue };
            let set = (entry.fresh)().set(key, FILE);
            assert!(matches!(set, Some(Ok(()))), "{}: {key}={FILE}", entry.id);
        }
    }

    #[test]
    fn a_table_is_counted_in_words() {
        let samples = Own::Source("init");
        assert_eq!(samples.taken(&table(300, 2)), "300 samples in 2 dimensions");
        let one = Own::Particles("init").taken(&table(1, 1));
        assert_eq!(one, "1 particle in 1 dimension");
    }
}
