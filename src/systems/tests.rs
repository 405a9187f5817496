//! What tests of several systems need.

use super::{Entry, Inputs};
use crate::session::Session;

/// A run of `entry` on the CPU with these settings, the others at their defaults.
pub(super) fn session(entry: &'static Entry, settings: &[(&str, &str)]) -> Session {
    let mut system = (entry.fresh)();
    for (key, value) in settings {
        assert!(
            matches!(system.set(key, value), Some(Ok(()))),
            "{key}={value}"
        );
    }
    Session::new(entry, system, Inputs::default()).expect("can be built")
}

/// A metric at the present step.
pub(super) fn measured(session: &mut Session, id: &str) -> f64 {
    let at = session.metrics().iter().position(|m| m.id() == id);
    let row = session.measure_now();
    row.values[at.expect("a metric")].expect("a value")
}
