//! The tables of defaults, one a link version: a default that changes later never alters an old link.
//!
//! To change a default: raise [`VERSION`] and add a line to [`CHANGES`] with the old value. A new parameter needs no
//! line if its default leaves old runs as they were.

use crate::systems::{Entry, System};

/// The version that new links carry.
pub const VERSION: u32 = 1;

/// A default as it was.
struct Change {
    /// Last version that has the old value.
    until: u32,
    /// System.
    id: &'static str,
    /// Parameter.
    key: &'static str,
    /// The old default.
    was: &'static str,
}

/// Every default that has changed since version 1.
static CHANGES: &[Change] = &[];

/// Parameters of `entry` at the defaults of `version`.
pub fn defaults(version: u32, entry: &Entry) -> Box<dyn System> {
    defaults_of(CHANGES, version, entry)
}

fn defaults_of(changes: &[Change], version: u32, entry: &Entry) -> Box<dyn System> {
    let mut system = (entry.fresh)();
    // Newest first, so that where a default changed twice, the value of the older version stands.
    for change in changes.iter().rev() {
        if change.id == entry.id && version <= change.until {
            let done = system.set(change.key, change.was);
            assert!(
                matches!(done, Some(Ok(()))),
                "{}: {} cannot be {}",
                entry.id,
                change.key,
                change.was
            );
        }
    }
    system
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::svgd::ENTRY;

    #[test]
    fn an_old_version_keeps_its_defaults() {
        let was = |until, was| Change {
            until,
            id: "svgd",
            key: "n",
            was,
        };
        let changes = [was(1, "100"), was(2, "200")];
        let n = |version| defaults_of(&changes, version, &ENTRY).get("n");
        assert_eq!(n(1).as_deref(), Some("100"));
        assert_eq!(n(2).as_deref(), Some("200"));
        assert_eq!(n(3), (ENTRY.fresh)().get("n"));
    }
}
