//! How many rounds of loops a device does before it ends a thread's loops, however wrong the result. Mesa's software renderer
//! guards against endless loops so, and no interface says it: it is measured.

use super::Device;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

pub(super) const SHADER: &str = include_str!("../../../shaders/rounds.wgsl");

/// Outer and inner rounds that are asked for: more than sixteen bits count.
const SIDES: [u32; 2] = [300, 300];

/// The rounds that were done where they are fewer than were asked for.
pub(super) async fn limit(device: &Device) -> Option<usize> {
    use wgpu::BufferUsages as Usage;
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let sides = device.buffer("rounds", 8, usage);
    let staging = device.buffer("rounds read", 8, Usage::MAP_READ | Usage::COPY_DST);
    device
        .queue
        .write_buffer(&sides, 0, bytemuck::cast_slice(&SIDES));
    let pipeline = device.pipeline("rounds", SHADER, None);
    let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("rounds"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: sides.as_entire_binding(),
        }],
    });
    let mut encoder = device.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups(1, 1, 1);
    drop(pass);
    encoder.copy_buffer_to_buffer(&sides, 0, &staging, 0, 8);
    device.submit(encoder.finish());
    let arrival = mapped(&staging);
    #[cfg(not(target_arch = "wasm32"))]
    device.wait();
    arrival.await?;
    let view = staging.get_mapped_range(..).ok()?;
    let done = u32::from_le_bytes([view[0], view[1], view[2], view[3]]);
    (done < SIDES[0] * SIDES[1]).then_some(done as usize)
}

/// Done when a buffer can be read; nothing where it never can.
fn mapped(buffer: &wgpu::Buffer) -> impl Future<Output = Option<()>> + use<> {
    #[derive(Default)]
    struct Arrival {
        read: Option<bool>,
        waker: Option<Waker>,
    }
    let arrival = Arc::new(Mutex::new(Arrival::default()));
    let arrived = Arc::clone(&arrival);
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        if let Ok(mut arrival) = arrived.lock() {
            arrival.read = Some(result.is_ok());
            if let Some(waker) = arrival.waker.take() {
                waker.wake();
            }
        }
    });
    poll_fn(move |context| {
        let Ok(mut arrival) = arrival.lock() else {
            return Poll::Ready(None);
        };
        if arrival.read.is_none() {
            arrival.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(arrival.read.and_then(|read| read.then_some(())))
    })
}
