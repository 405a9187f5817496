//! Pictures painted by the device: the ground from the rasteriser's canvas, particles and trails from the memory of the runs,
//! which never comes back to be drawn.
//!
//! Two passes a picture. The first sums up how often trails and crowded particles cover each pixel, in floats. The second
//! copies the ground, turns sums into colour, and draws the discs of clouds whose particles can be told apart. Looks are
//! those of `scene::raster`, whose numbers the shader gets; discs lie at their exact places, not at quarters of pixels.

mod pane;
mod pipelines;
#[cfg(target_arch = "wasm32")]
mod screen;

#[cfg(target_arch = "wasm32")]
pub use screen::Screen;

use super::{Device, Gpu, GpuError};
use crate::scene::{Canvas, Foreground};
use pane::{Cloud, Kept};
use pipelines::Pipelines;

/// Where the particles of a pane are.
#[derive(Clone, Copy)]
pub enum Particles<'a> {
    /// In this persistent buffer of a run on the device.
    Run(&'a Gpu, &'a str),
    /// With the host: row-major `[n, d]`.
    Host(&'a [f32]),
}

/// What moves in one pane.
#[derive(Clone, Copy)]
pub struct PaneView<'a> {
    /// How it looks.
    pub foreground: Foreground,
    /// Where it is.
    pub particles: Particles<'a>,
    /// Steps done: each adds to the trails once.
    pub step: u32,
    /// Trails of another era are forgotten.
    pub era: u32,
}

/// Everything in one picture.
pub struct Picture<'a> {
    /// What lies behind the particles, and the picture's size.
    pub ground: &'a Canvas,
    /// The ground is the same as long as this is.
    pub revision: u32,
    /// Panes that do not overlap, in an order that stays.
    pub panes: Vec<PaneView<'a>>,
}

/// Paints pictures of one format on one device.
pub struct Painter {
    device: Device,
    pipelines: Pipelines,
    textures: Option<Textures>,
    kept: Vec<Kept>,
}

/// What has the picture's size.
struct Textures {
    size: [u32; 2],
    /// Revision of the ground that it holds.
    revision: Option<u32>,
    ground: wgpu::Texture,
    depth: wgpu::TextureView,
    group: wgpu::BindGroup,
}

/// Sums of coverage: floats that every device can blend. Whole thirty-seconds are exact up to 64 coverages.
const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Rg16Float;
const GROUND: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

impl Painter {
    /// A painter for targets of `format`, one of those whose values are written as they are (not `…Srgb`). A refused shader is
    /// a later fault of the device.
    pub fn new(device: &Device, format: wgpu::TextureFormat) -> Self {
        Self {
            device: device.clone(),
            pipelines: Pipelines::new(device, format),
            textures: None,
            kept: Vec::new(),
        }
    }

    /// The size of a picture that can be painted now.
    fn check(&self, picture: &Picture) -> Result<[u32; 2], GpuError> {
        if let Some(fault) = self.device.fault() {
            return Err(fault);
        }
        let (width, height) = picture.ground.size();
        let size = [width as u32, height as u32];
        let most = self.device.device.limits().max_texture_dimension_2d;
        if size.iter().any(|side| !(1..=most).contains(side)) {
            let message =
                format!("a picture has 1 to {most} pixels a side, not {width} × {height}");
            return Err(GpuError::Refused(message));
        }
        Ok(size)
    }

    /// Paints a picture into a target of its size, without waiting.
    ///
    /// # Errors
    /// The device's fault; a picture larger than the device's textures.
    pub fn paint(&mut self, target: &wgpu::TextureView, picture: &Picture) -> Result<(), GpuError> {
        let size = self.check(picture)?;
        if self.textures.as_ref().is_none_or(|own| own.size != size) {
            self.textures = Some(Textures::new(&self.device, &self.pipelines, size));
        }
        let Some(textures) = &mut self.textures else {
            return Ok(());
        };
        if textures.revision != Some(picture.revision) {
            textures.revision = Some(picture.revision);
            textures.upload(&self.device, picture.ground.pixels());
        }
        self.kept.truncate(picture.panes.len());
        for (i, pane) in picture.panes.iter().enumerate() {
            if i == self.kept.len() {
                self.kept.push(Kept::new(&self.device, &self.pipelines));
            }
            self.kept[i].update(&self.device, &self.pipelines, pane, size);
        }
        let mut encoder = self
            .device
            .device
            .create_command_encoder(&Default::default());
        encode(&self.pipelines, textures, &self.kept, target, &mut encoder);
        self.device.queue.submit([encoder.finish()]);
        Ok(())
    }
}

impl Textures {
    fn new(device: &Device, pipelines: &Pipelines, size: [u32; 2]) -> Self {
        use wgpu::TextureUsages as Usage;
        let texture = |label, format, usage| {
            device.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: extent(size),
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: usage | Usage::TEXTURE_BINDING,
                view_formats: &[],
            })
        };
        let ground = texture("ground", GROUND, Usage::COPY_DST);
        let depth = texture("depth", DEPTH, Usage::RENDER_ATTACHMENT);
        let [behind, depth] = [&ground, &depth].map(|t| t.create_view(&Default::default()));
        let group = pipelines.picture(device, &behind, &depth);
        Self {
            size,
            revision: None,
            ground,
            depth,
            group,
        }
    }

    fn upload(&self, device: &Device, pixels: &[u8]) {
        let [width, _] = self.size;
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(4 * width),
            rows_per_image: None,
        };
        let (queue, whole) = (&device.queue, self.ground.as_image_copy());
        queue.write_texture(whole, pixels, layout, extent(self.size));
    }
}

fn extent([width, height]: [u32; 2]) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width,
        height,
        depth_or_array_layers: 1,
    }
}

/// A pass over `view`, which is black at first.
fn pass<'a>(
    encoder: &'a mut wgpu::CommandEncoder,
    view: &wgpu::TextureView,
) -> wgpu::RenderPass<'a> {
    let attachment = wgpu::RenderPassColorAttachment {
        view,
        depth_slice: None,
        resolve_target: None,
        ops: wgpu::Operations {
            load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
            store: wgpu::StoreOp::Store,
        },
    };
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        color_attachments: &[Some(attachment)],
        ..Default::default()
    })
}

fn encode(
    pipelines: &Pipelines,
    textures: &Textures,
    kept: &[Kept],
    target: &wgpu::TextureView,
    encoder: &mut wgpu::CommandEncoder,
) {
    let mut trails = encoder.begin_compute_pass(&Default::default());
    trails.set_pipeline(&pipelines.record);
    for pane in kept {
        pane.record(&mut trails);
    }
    drop(trails);
    if kept.iter().any(Kept::has_depth) {
        let mut sums = pass(encoder, &textures.depth);
        for pane in kept {
            if pane.segments > 0 {
                pane.draw(&mut sums, &pipelines.segments, pane.segments);
            }
            if let Cloud::Depth(vertices) = pane.cloud {
                pane.draw(&mut sums, &pipelines.dots, vertices);
            }
        }
    }
    let mut picture = pass(encoder, target);
    picture.set_bind_group(1, &textures.group, &[]);
    if let Some(any) = kept.first() {
        // The ground is the same everywhere: no scissor.
        picture.set_pipeline(&pipelines.ground);
        picture.set_bind_group(0, &any.drawing, &[]);
        picture.draw(0..3, 0..1);
    }
    for pane in kept {
        if pane.has_depth() {
            pane.draw(&mut picture, &pipelines.developed, 3);
        }
        if let Cloud::Discs(vertices) = pane.cloud {
            pane.draw(&mut picture, &pipelines.discs, vertices);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
