//! What comes back from the device: copies of the state that are kept there, and reports that arrive when they are ready.

use super::Device;
use std::sync::{Arc, Mutex};

/// Bytes of a report before the state: the flag of bad values, padded.
pub(super) const HEAD: u64 = 16;

/// What a report holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Whether every value was finite.
    Flag,
    /// That, and the persistent buffers.
    State,
}

impl Report {
    pub(super) fn bytes(self, state: u64) -> u64 {
        match self {
            Self::Flag => 0,
            Self::State => state,
        }
    }
}

/// How a mapping stands.
type Arrival = Arc<Mutex<Option<Result<(), wgpu::BufferAsyncError>>>>;

/// Room for one copy of the state on the device, and for one report on its way to the host.
pub struct Slot {
    pub(super) kept: wgpu::Buffer,
    pub(super) staging: wgpu::Buffer,
    /// Bytes of the report under way.
    under_way: Option<u64>,
    arrival: Arrival,
}

/// A report that has arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    /// Whether every value assigned since the flag was taken down is finite.
    pub finite: bool,
    /// The persistent buffers, one after another as they lie in the arena; empty where they were not asked for.
    pub state: Vec<f32>,
}

impl Slot {
    pub(super) fn new(device: &Device, state: u64) -> Self {
        use wgpu::BufferUsages as Usage;
        let copied = Usage::COPY_SRC | Usage::COPY_DST;
        Self {
            kept: device.buffer("kept", state, copied),
            staging: device.buffer("staging", HEAD + state, Usage::MAP_READ | Usage::COPY_DST),
            under_way: None,
            arrival: Arc::default(),
        }
    }

    pub(super) fn map(&mut self, bytes: u64) {
        self.under_way = Some(bytes);
        self.arrival = Arc::default();
        let arrival = Arc::clone(&self.arrival);
        self.staging
            .map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
                if let Ok(mut arrival) = arrival.lock() {
                    *arrival = Some(result);
                }
            });
    }

    /// Whether a report is on its way.
    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// The report, once it is there; a read that failed is one that says nothing, and the device's fault says why.
    pub fn take(&mut self) -> Option<Option<Arrived>> {
        let bytes = self.under_way?;
        let result = self.arrival.lock().ok()?.take()?;
        self.under_way = None;
        if result.is_err() {
            return Some(None);
        }
        let arrived = self.staging.get_mapped_range(0..bytes).ok().map(|view| {
            let flag = u32::from_le_bytes([view[0], view[1], view[2], view[3]]);
            Arrived {
                finite: flag == 0,
                state: bytemuck::pod_collect_to_vec(&view[HEAD as usize..]),
            }
        });
        self.staging.unmap();
        Some(arrived)
    }
}
