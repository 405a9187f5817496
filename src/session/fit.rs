//! What fits on a device.

use crate::exec::gpu::{self, Device};
use crate::systems::{self, Build, Entry, Inputs, System};

/// The largest number of particles whose run fits on the device: memory grows linearly with n, but for padding.
pub(super) fn largest_n(
    device: &Device,
    entry: &Entry,
    system: &dyn System,
    inputs: &Inputs,
) -> u64 {
    let needed = |n: u64| {
        let mut copy = systems::copy(entry, system);
        let set = copy.set("n", &n.to_string());
        let build = matches!(set, Some(Ok(()))).then(|| copy.build(inputs).ok());
        build
            .flatten()
            .map(|build: Build| gpu::bytes_needed(&build.parts()))
    };
    let limit = device.capacity();
    let known = system.get("n").and_then(|n| n.parse::<u64>().ok());
    let search = || {
        let n = known?;
        let whole = needed(n)?;
        // Rounded down, this fits; the slope between it and n leads to the largest.
        let low = n * limit / whole;
        let part = needed(low)?;
        let slope = ((whole - part) / (n - low).max(1)).max(1);
        let high = low + limit.saturating_sub(part) / slope;
        [high, low]
            .into_iter()
            .find(|&n| needed(n).is_some_and(|bytes| bytes <= limit))
    };
    search().unwrap_or(0)
}
