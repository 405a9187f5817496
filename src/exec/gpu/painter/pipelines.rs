//! The painter's compiled shader: what each draw binds, how it blends, where it goes.

use super::DEPTH;
use crate::exec::gpu::Device;
use wgpu::ShaderStages as Stages;

/// The shader, all entry points in one module.
pub(super) const SHADER: &str = include_str!("../../../../shaders/painter.wgsl");

/// Words of the shader's `Pane`, a multiple of four.
pub(super) const WORDS: usize = 44;

pub(super) struct Pipelines {
    /// What drawing and recording bind for a pane, and what a picture's second pass binds.
    drawing: wgpu::BindGroupLayout,
    recording: wgpu::BindGroupLayout,
    picture: wgpu::BindGroupLayout,
    pub(super) record: wgpu::ComputePipeline,
    pub(super) segments: wgpu::RenderPipeline,
    pub(super) dots: wgpu::RenderPipeline,
    pub(super) ground: wgpu::RenderPipeline,
    pub(super) developed: wgpu::RenderPipeline,
    pub(super) discs: wgpu::RenderPipeline,
}

/// Colour + target: coverage adds up.
const ADD: wgpu::BlendState = blend(wgpu::BlendFactor::One);
/// A premultiplied colour over the target.
const OVER: wgpu::BlendState = blend(wgpu::BlendFactor::OneMinusSrcAlpha);

const fn blend(dst_factor: wgpu::BlendFactor) -> wgpu::BlendState {
    let component = wgpu::BlendComponent {
        src_factor: wgpu::BlendFactor::One,
        dst_factor,
        operation: wgpu::BlendOperation::Add,
    };
    wgpu::BlendState {
        color: component,
        alpha: component,
    }
}

fn buffer(ty: wgpu::BufferBindingType) -> wgpu::BindingType {
    wgpu::BindingType::Buffer {
        ty,
        has_dynamic_offset: false,
        min_binding_size: None,
    }
}

fn layout<const N: usize>(
    device: &Device,
    entries: [(u32, Stages, wgpu::BindingType); N],
) -> wgpu::BindGroupLayout {
    let entries = entries.map(|(binding, visibility, ty)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility,
        ty,
        count: None,
    });
    let descriptor = wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    };
    device.device.create_bind_group_layout(&descriptor)
}

fn group<const N: usize>(
    device: &Device,
    layout: &wgpu::BindGroupLayout,
    resources: [(u32, wgpu::BindingResource); N],
) -> wgpu::BindGroup {
    let entries = resources.map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource });
    device.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout,
        entries: &entries,
    })
}

impl Pipelines {
    /// For pictures of this format.
    pub(super) fn new(device: &Device, format: wgpu::TextureFormat) -> Self {
        let look = buffer(wgpu::BufferBindingType::Uniform);
        let [read, written] =
            [true, false].map(|read_only| buffer(wgpu::BufferBindingType::Storage { read_only }));
        let texture = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let (vertex, fragment) = (Stages::VERTEX, Stages::FRAGMENT);
        let drawing = layout(
            device,
            [
                (0, vertex | fragment, look),
                (1, vertex, read),
                (2, vertex, read),
            ],
        );
        let compute = Stages::COMPUTE;
        let recording = layout(
            device,
            [
                (0, compute, look),
                (1, compute, read),
                (3, compute, written),
            ],
        );
        let picture = layout(device, [(0, fragment, texture), (1, fragment, texture)]);
        let over = |groups: &[&wgpu::BindGroupLayout]| {
            let bind_group_layouts: Vec<_> = groups.iter().map(|group| Some(*group)).collect();
            let descriptor = wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &bind_group_layouts,
                immediate_size: 0,
            };
            device.device.create_pipeline_layout(&descriptor)
        };
        let alone = over(&[&drawing]);
        let both = over(&[&drawing, &picture]);
        device.compile("painter", SHADER, |module| {
            let record = wgpu::ComputePipelineDescriptor {
                label: Some("record"),
                layout: Some(&over(&[&recording])),
                module,
                entry_point: Some("record"),
                compilation_options: Default::default(),
                cache: None,
            };
            let pipeline = |[vertex, fragment]: [&str; 2], layout, format, blend| {
                let target = wgpu::ColorTargetState {
                    format,
                    blend,
                    write_mask: wgpu::ColorWrites::ALL,
                };
                device
                    .device
                    .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                        label: Some(fragment),
                        layout: Some(layout),
                        vertex: wgpu::VertexState {
                            module,
                            entry_point: Some(vertex),
                            compilation_options: Default::default(),
                            buffers: &[],
                        },
                        primitive: Default::default(),
                        depth_stencil: None,
                        multisample: Default::default(),
                        fragment: Some(wgpu::FragmentState {
                            module,
                            entry_point: Some(fragment),
                            compilation_options: Default::default(),
                            targets: &[Some(target)],
                        }),
                        multiview_mask: None,
                        cache: None,
                    })
            };
            Self {
                record: device.device.create_compute_pipeline(&record),
                segments: pipeline(["segment", "segment_depth"], &alone, DEPTH, Some(ADD)),
                dots: pipeline(["square", "dot_depth"], &alone, DEPTH, Some(ADD)),
                ground: pipeline(["everywhere", "behind"], &both, format, None),
                developed: pipeline(["everywhere", "developed"], &both, format, None),
                discs: pipeline(["square", "disc"], &alone, format, Some(OVER)),
                drawing,
                recording,
                picture,
            }
        })
    }

    /// What drawing a pane and recording its trails bind.
    pub(super) fn pane(
        &self,
        device: &Device,
        look: &wgpu::Buffer,
        particles: &wgpu::Buffer,
        ring: &wgpu::Buffer,
    ) -> [wgpu::BindGroup; 2] {
        let bind = |layout, place| {
            let buffers = [(0, look), (1, particles), (place, ring)];
            let resources = buffers.map(|(at, buffer)| (at, buffer.as_entire_binding()));
            group(device, layout, resources)
        };
        [bind(&self.drawing, 2), bind(&self.recording, 3)]
    }

    /// What a picture's second pass binds.
    pub(super) fn picture(
        &self,
        device: &Device,
        ground: &wgpu::TextureView,
        depth: &wgpu::TextureView,
    ) -> wgpu::BindGroup {
        let views = [(0, ground), (1, depth)];
        let resources = views.map(|(at, view)| (at, wgpu::BindingResource::TextureView(view)));
        group(device, &self.picture, resources)
    }
}
