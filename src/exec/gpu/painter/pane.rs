//! What the painter keeps for one pane between pictures, and what it draws there next: the numbers of the look, the ring of
//! past positions, a copy of particles that live with the host.

use super::pipelines::{Pipelines, WORDS};
use super::{PaneView, Particles};
use crate::exec::gpu::Device;
use crate::scene::{
    Brush, DEEPEST, FILL, FOLLOWED, HALO, LENGTH, SATURATED, SCATTER, THICKEST, THINNEST, Tone,
    spread, stride, strip_band,
};
use wgpu::BufferUsages as Usage;

/// How a cloud is drawn, and with how many vertices.
pub(super) enum Cloud {
    Hidden,
    Discs(u32),
    Depth(u32),
}

pub(super) struct Kept {
    look: wgpu::Buffer,
    ring: Ring,
    /// Copy of particles that live with the host.
    copy: Option<wgpu::Buffer>,
    particles: wgpu::Buffer,
    pub(super) drawing: wgpu::BindGroup,
    recording: wgpu::BindGroup,
    clip: [u32; 4],
    /// Followed particles whose positions go to the ring now; vertices of all trails.
    recorded: u32,
    pub(super) segments: u32,
    pub(super) cloud: Cloud,
}

/// Past positions of the followed particles, `[LENGTH, followed, 2]`.
struct Ring {
    buffer: wgpu::Buffer,
    /// Era and buffer of what it holds, and n, d and axes.
    of: Option<(u32, wgpu::Buffer, [usize; 4])>,
    step: u32,
    /// Places filled, and the one filled last.
    filled: usize,
    latest: usize,
}

impl Ring {
    /// Whether the present positions are new to it; then they belong in the latest place.
    fn takes(&mut self, pane: &PaneView, particles: &wgpu::Buffer) -> bool {
        let f = &pane.foreground;
        let of = (
            pane.era,
            particles.clone(),
            [f.n, f.d, f.axes[0], f.axes[1]],
        );
        if self.of.as_ref() != Some(&of) || pane.step < self.step {
            (self.of, self.filled) = (Some(of), 0);
        }
        let new = self.filled == 0 || pane.step > self.step;
        if new {
            self.step = pane.step;
            self.latest = (self.latest + 1) % LENGTH;
            self.filled = (self.filled + 1).min(LENGTH);
        }
        new
    }
}

/// A colour as shares, with an opacity.
fn shares(colour: [u8; 4], opacity: f32) -> [f32; 4] {
    let [r, g, b, _] = colour.map(|v| f32::from(v) / 255.0);
    [r, g, b, opacity]
}

fn own_opacity(colour: [u8; 4]) -> [f32; 4] {
    shares(colour, f32::from(colour[3]) / 255.0)
}

impl Kept {
    pub(super) fn new(device: &Device, pipelines: &Pipelines) -> Self {
        let most = (8 * LENGTH * FOLLOWED) as u64;
        let look = device.buffer("look", 4 * WORDS as u64, Usage::UNIFORM | Usage::COPY_DST);
        let ring = device.buffer("trails", most, Usage::STORAGE);
        // Until there are particles, the ring stands for them.
        let [drawing, recording] = pipelines.pane(device, &look, &ring, &ring);
        Self {
            look,
            particles: ring.clone(),
            ring: Ring {
                buffer: ring,
                of: None,
                step: 0,
                filled: 0,
                latest: 0,
            },
            copy: None,
            drawing,
            recording,
            clip: [0; 4],
            recorded: 0,
            segments: 0,
            cloud: Cloud::Hidden,
        }
    }

    /// The buffer of the particles and where they begin in it, in floats.
    fn find(&mut self, device: &Device, pane: &PaneView) -> Option<(wgpu::Buffer, usize)> {
        match pane.particles {
            Particles::Run(gpu, name) => {
                let (buffer, offset) = gpu.place_of(name)?;
                Some((buffer.clone(), offset))
            }
            Particles::Host(x) => {
                let size = 4 * x.len().max(4) as u64;
                let known = self.copy.take().filter(|copy| copy.size() == size);
                let copy = known.unwrap_or_else(|| {
                    device.buffer("particles", size, Usage::STORAGE | Usage::COPY_DST)
                });
                device.queue.write_buffer(&copy, 0, bytemuck::cast_slice(x));
                self.copy = Some(copy.clone());
                Some((copy, 0))
            }
        }
    }

    /// Takes over what a pane shows now, in a picture of `size`.
    pub(super) fn update(
        &mut self,
        device: &Device,
        pipelines: &Pipelines,
        pane: &PaneView,
        size: [u32; 2],
    ) {
        let f = &pane.foreground;
        let rect = f.view.rect;
        let clip = rect.pixels(size[0] as usize, size[1] as usize);
        self.clip = clip.map(|v| v as u32);
        (self.recorded, self.segments, self.cloud) = (0, 0, Cloud::Hidden);
        let sound = f.n > 0 && f.axes.iter().all(|axis| *axis < f.d);
        let Some((particles, offset)) = self.find(device, pane).filter(|_| sound) else {
            return;
        };
        if self.particles != particles {
            [self.drawing, self.recording] =
                pipelines.pane(device, &self.look, &particles, &self.ring.buffer);
            self.particles = particles;
        }
        let stride = stride(f.n);
        let followed = f.n.div_ceil(stride);
        if f.d > 1 {
            if self.ring.takes(pane, &self.particles) {
                self.recorded = followed as u32;
            }
            if f.trails.is_some() {
                self.segments = 6 * (followed * (self.ring.filled - 1)) as u32;
            }
        }
        let trail = f.trails.map(|style| (style.tone(followed), style.width()));
        let (trail, width) = trail.unwrap_or((Tone::plain([0; 4], 0.0), 0.0));
        let vertices = 6 * f.n as u32;
        let brush = f
            .particles
            .map(|style| (style, style.brush(f.n, rect.w * rect.h)));
        let (colour, second, [radius, outer], rate);
        (self.cloud, colour, second, [radius, outer], rate) = match brush {
            None => (Cloud::Hidden, [0.0; 4], [0.0; 4], [0.0; 2], 0.0),
            Some((style, Brush::Discs { radius, outer })) => (
                Cloud::Discs(vertices),
                shares(style.colour, FILL),
                shares(style.rim, HALO),
                [radius, outer],
                0.0,
            ),
            Some((_, Brush::Depth { radius, tone })) => (
                Cloud::Depth(vertices),
                own_opacity(tone.colour),
                shares(tone.dense, DEEPEST),
                [radius, radius],
                tone.rate(),
            ),
        };
        // In the order of the shader's `Pane`.
        let floats = [
            &self.clip.map(|v| v as f32)[..],
            &colour,
            &second,
            &own_opacity(trail.colour),
            &size.map(|v| v as f32),
            &f.view.origin,
            &strip_band(rect),
            &[THINNEST, THICKEST],
            &[f.view.scale, radius, outer, 0.5 * width],
            &[rate, trail.rate(), SATURATED, spread()],
        ];
        let [x, y] = f.axes;
        let whole = [
            x,
            y,
            offset,
            f.d,
            followed,
            stride,
            LENGTH,
            self.ring.latest,
        ];
        let words = (floats.into_iter().flatten().map(|v| v.to_bits()))
            .chain(whole.map(|v| v as u32))
            .chain([SCATTER]);
        let words: Vec<u32> = words.collect();
        device
            .queue
            .write_buffer(&self.look, 0, bytemuck::cast_slice(&words));
    }

    /// Adds the present positions to the trails, if they are new.
    pub(super) fn record(&self, pass: &mut wgpu::ComputePass) {
        if self.recorded > 0 {
            pass.set_bind_group(0, &self.recording, &[]);
            pass.dispatch_workgroups(self.recorded.div_ceil(64), 1, 1);
        }
    }

    /// Whether anything is summed up for it.
    pub(super) fn has_depth(&self) -> bool {
        self.segments > 0 || matches!(self.cloud, Cloud::Depth(_))
    }

    /// Draws inside the pane.
    pub(super) fn draw(
        &self,
        pass: &mut wgpu::RenderPass,
        pipeline: &wgpu::RenderPipeline,
        vertices: u32,
    ) {
        let [x0, y0, x1, y1] = self.clip;
        if x0 < x1 && y0 < y1 {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &self.drawing, &[]);
            pass.set_scissor_rect(x0, y0, x1 - x0, y1 - y0);
            pass.draw(0..vertices, 0..1);
        }
    }
}
