//! The WebGPU executor: replays programs as dispatches over one arena of floats.
//!
//! Shaders are composed as text (`gpu/wgsl.rs`) and never parsed by this crate. All values share one storage buffer with
//! offsets that are constants of the shaders, so there is one bind group and no aliasing. Random numbers take their step from a
//! counter on the device, which the last dispatch of a step advances; several steps are one submission.

mod wgsl;

use crate::graph::{Op, Program, count};
use std::sync::{Arc, Mutex};
use wgsl::{Kernel, Layout, bindings, each, kernels, materialised, parts};

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// No adapter, or it refused a device.
    #[error("{0}")]
    NoDevice(String),
    /// The state does not fit in the device's largest buffer.
    #[error("the run needs {needed} bytes of device memory, but one buffer holds at most {limit}")]
    TooLarge {
        /// Bytes of the arena.
        needed: u64,
        /// Largest storage buffer.
        limit: u64,
    },
    /// A shader was refused.
    #[error("shader {label}: {message}")]
    Shader {
        /// The program and node.
        label: String,
        /// The compiler's message with line and column.
        message: String,
    },
    /// The device was lost or a read failed.
    #[error("the device was lost: {0}")]
    Lost(String),
}

/// Programs and persistent buffers on one device.
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    adapter: wgpu::AdapterInfo,
    lost: Arc<Mutex<Option<String>>>,
    buffers: Vec<Buffer>,
    constants: Vec<(usize, Vec<f32>)>,
    uniforms: Vec<(&'static str, f32)>,
    /// Floats laid out so far.
    extent: usize,
    programs: Vec<Loaded>,
    memory: Option<Memory>,
    /// Seed of random numbers.
    pub seed: u32,
}

struct Buffer {
    name: String,
    offset: usize,
    entries: usize,
}

struct Loaded {
    kernels: Vec<Kernel>,
    pipelines: Vec<wgpu::ComputePipeline>,
}

struct Memory {
    arena: wgpu::Buffer,
    scalars: wgpu::Buffer,
    clock: wgpu::Buffer,
    group: wgpu::BindGroup,
}

/// Live scalars a run may have.
const UNIFORMS: usize = 16;

impl Gpu {
    /// The preferred adapter's device.
    ///
    /// # Errors
    /// [`GpuError::NoDevice`] with the reason.
    pub async fn open() -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let no_device = |e: &dyn std::fmt::Display| GpuError::NoDevice(e.to_string());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance
            .request_adapter(&options)
            .await
            .map_err(|e| no_device(&e))?;
        let offered = adapter.limits();
        let limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            max_buffer_size: offered.max_buffer_size,
            ..wgpu::Limits::downlevel_defaults()
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("pushforward"),
            required_limits: limits,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|e| no_device(&e))?;
        let lost = Arc::new(Mutex::new(None));
        let note = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, message| {
            if let Ok(mut lost) = note.lock() {
                *lost = Some(message);
            }
        });
        Ok(Self {
            device,
            queue,
            adapter: adapter.get_info(),
            lost,
            buffers: Vec::new(),
            constants: Vec::new(),
            uniforms: Vec::new(),
            extent: 0,
            programs: Vec::new(),
            memory: None,
            seed: 0,
        })
    }

    /// The adapter's name.
    pub fn device(&self) -> String {
        self.adapter.name.clone()
    }

    /// Whether the adapter is a software renderer, slower than the CPU executor.
    pub fn is_software(&self) -> bool {
        self.adapter.device_type == wgpu::DeviceType::Cpu
    }

    fn allocate(&mut self, entries: usize) -> usize {
        let offset = self.extent;
        self.extent += entries.next_multiple_of(4);
        offset
    }

    fn buffer(&mut self, name: &str, entries: usize) -> usize {
        if let Some(known) = self.buffers.iter().find(|b| b.name == name) {
            assert_eq!(known.entries, entries, "buffer {name} has two sizes");
            return known.offset;
        }
        let offset = self.allocate(entries);
        self.buffers.push(Buffer {
            name: name.to_owned(),
            offset,
            entries,
        });
        offset
    }

    /// Composes the shaders of `program` and lays out its memory; returns its index. All programs are loaded before any runs.
    ///
    /// # Panics
    /// A buffer that is known with another size, or a program loaded after [`Gpu::seal`].
    pub fn load(&mut self, program: &Program) -> usize {
        assert!(
            self.memory.is_none(),
            "programs are loaded before the first run"
        );
        let own = materialised(program);
        let mut homes = Vec::with_capacity(program.nodes.len());
        let mut scratch = 0;
        for (id, node) in program.nodes.iter().enumerate() {
            let entries = count(&node.shape);
            homes.push(match &node.op {
                Op::Input(name) => Some(self.buffer(name, entries)),
                Op::Const(data) => {
                    let offset = self.allocate(entries);
                    let data = data.iter().map(|&v| v as f32).collect();
                    self.constants.push((offset, data));
                    Some(offset)
                }
                Op::Uniform(name) => {
                    if !self.uniforms.iter().any(|(n, _)| n == name) {
                        self.uniforms.push((name, 0.0));
                    }
                    None
                }
                _ => own[id].then(|| self.allocate(entries)),
            });
            if let Op::PairSum(_) = node.op {
                let m = program.nodes[node.args[1]].shape[0];
                scratch = scratch.max(parts(node.shape[0], m) * entries);
            }
        }
        let layout = Layout {
            homes,
            scratch: self.allocate(scratch),
            uniforms: self.uniforms.iter().map(|(n, _)| *n).collect(),
        };
        let mut kernels = kernels(program, &own, &layout);
        kernels.push(self.commit(program, &layout));
        self.programs.push(Loaded {
            kernels,
            pipelines: Vec::new(),
        });
        self.programs.len() - 1
    }

    /// The last dispatch: assigned values move to their buffers together, and the step counter advances if asked.
    fn commit(&mut self, program: &Program, layout: &Layout) -> Kernel {
        let mut body =
            String::from("fn value(i: u32) -> f32 { return 0.0; }\nfn commit(i: u32) {\n");
        let mut widest = 1;
        for assign in &program.assigns {
            let node = &program.nodes[assign.node];
            let entries = count(&node.shape);
            widest = widest.max(entries);
            let target = self.buffer(&assign.buffer, entries);
            let source = match (&node.op, layout.homes[assign.node]) {
                (Op::Uniform(name), _) => {
                    let at = layout.uniforms.iter().position(|u| u == name).unwrap_or(0);
                    format!("scalars[{}][{}]", at / 4, at % 4)
                }
                (_, home) => format!("arena[{}u + i]", home.unwrap_or(0)),
            };
            body += &format!("    if (i < {entries}u) {{ arena[{target}u + i] = {source}; }}\n");
        }
        body += "    if (i == 0u) { clock[1] += clock[2]; }\n}\n";
        let main = each(widest, 0).replace("arena[0u + i] = value(i);", "commit(i);");
        let groups = wgsl::grid(widest);
        Kernel {
            label: format!("{}.commit", program.name),
            source: bindings() + &body + &main,
            groups,
        }
    }

    /// Allocates memory and compiles every shader.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] or [`GpuError::Shader`].
    pub async fn seal(&mut self) -> Result<(), GpuError> {
        let bytes = 4 * self.extent.max(4) as u64;
        let limits = self.device.limits();
        let limit = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size);
        if bytes > limit {
            return Err(GpuError::TooLarge {
                needed: bytes,
                limit,
            });
        }
        let buffer = |label, size, usage| {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        use wgpu::BufferUsages as Usage;
        let both = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let arena = buffer("arena", bytes, both);
        let scalars = buffer(
            "scalars",
            4 * UNIFORMS as u64,
            Usage::UNIFORM | Usage::COPY_DST,
        );
        let clock = buffer("clock", 16, both);
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let storage = wgpu::BufferBindingType::Storage { read_only: false };
        let bind_layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &[
                    entry(0, storage),
                    entry(1, wgpu::BufferBindingType::Uniform),
                    entry(2, storage),
                ],
            });
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &bind_layout,
            entries: &[&arena, &scalars, &clock]
                .map(|b| b.as_entire_binding())
                .into_iter()
                .enumerate()
                .map(|(i, resource)| wgpu::BindGroupEntry {
                    binding: i as u32,
                    resource,
                })
                .collect::<Vec<_>>(),
        });
        let layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&bind_layout)],
                immediate_size: 0,
            });
        for (offset, data) in &self.constants {
            self.queue
                .write_buffer(&arena, 4 * *offset as u64, bytemuck::cast_slice(data));
        }
        for program in &mut self.programs {
            for kernel in &program.kernels {
                let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
                let module = self
                    .device
                    .create_shader_module(wgpu::ShaderModuleDescriptor {
                        label: Some(&kernel.label),
                        source: wgpu::ShaderSource::Wgsl(kernel.source.as_str().into()),
                    });
                let pipeline =
                    self.device
                        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                            label: Some(&kernel.label),
                            layout: Some(&layout),
                            module: &module,
                            entry_point: Some("main"),
                            compilation_options: Default::default(),
                            cache: None,
                        });
                if let Some(error) = scope.pop().await {
                    return Err(GpuError::Shader {
                        label: kernel.label.clone(),
                        message: error.to_string(),
                    });
                }
                program.pipelines.push(pipeline);
            }
        }
        self.memory = Some(Memory {
            arena,
            scalars,
            clock,
            group,
        });
        Ok(())
    }

    fn memory(&self) -> &Memory {
        self.memory.as_ref().expect("sealed before it runs")
    }

    /// Sets a live scalar.
    pub fn uniform(&mut self, name: &str, value: f32) {
        if let Some(slot) = self.uniforms.iter_mut().find(|(n, _)| *n == name) {
            slot.1 = value;
        }
        let mut values = [0f32; UNIFORMS];
        for (v, (_, value)) in values.iter_mut().zip(&self.uniforms) {
            *v = *value;
        }
        self.queue
            .write_buffer(&self.memory().scalars, 0, bytemuck::cast_slice(&values));
    }

    /// Overwrites a persistent buffer.
    ///
    /// # Panics
    /// No such buffer, or another size.
    pub fn set(&self, name: &str, data: &[f32]) {
        let found = self.buffers.iter().find(|b| b.name == name);
        let buffer = found.expect("a buffer that some program names");
        assert_eq!(buffer.entries, data.len(), "size of buffer {name}");
        self.queue.write_buffer(
            &self.memory().arena,
            4 * buffer.offset as u64,
            bytemuck::cast_slice(data),
        );
    }

    /// Declares the step that random numbers are keyed with, and whether this program's runs advance it.
    pub fn clock(&self, step: u32, advance: u32) {
        let words = [self.seed, step, advance, 0];
        self.queue
            .write_buffer(&self.memory().clock, 0, bytemuck::cast_slice(&words));
    }

    /// Dispatches of one run of a program.
    pub fn dispatches(&self, program: usize) -> usize {
        self.programs[program].kernels.len()
    }

    /// Submits `times` runs of a program at once, without waiting.
    pub fn run(&self, program: usize, times: u32) {
        let memory = self.memory();
        let loaded = &self.programs[program];
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, &memory.group, &[]);
            for _ in 0..times {
                for (kernel, pipeline) in loaded.kernels.iter().zip(&loaded.pipelines) {
                    pass.set_pipeline(pipeline);
                    pass.dispatch_workgroups(kernel.groups[0], kernel.groups[1], 1);
                }
            }
        }
        self.queue.submit([encoder.finish()]);
    }

    /// Reads a persistent buffer back, waiting for all that was submitted.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read(&self, name: &str) -> Result<Vec<f32>, GpuError> {
        let lost = |e: &dyn std::fmt::Display| GpuError::Lost(e.to_string());
        let found = self.buffers.iter().find(|b| b.name == name);
        let buffer = found.expect("a buffer that some program names");
        let size = 4 * buffer.entries as u64;
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(
            &self.memory().arena,
            4 * buffer.offset as u64,
            &staging,
            0,
            size,
        );
        self.queue.submit([encoder.finish()]);
        let (send, receive) = std::sync::mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            let _ = send.send(result);
        });
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|e| lost(&e))?;
        receive
            .recv()
            .map_err(|e| lost(&e))?
            .map_err(|e| lost(&e))?;
        let view = staging.get_mapped_range(..).map_err(|e| lost(&e))?;
        if let Some(message) = self.lost.lock().ok().and_then(|l| l.clone()) {
            return Err(GpuError::Lost(message));
        }
        Ok(bytemuck::cast_slice(&view).to_vec())
    }

    /// The composed shaders of a program: label and text.
    pub fn shaders(&self, program: usize) -> impl Iterator<Item = (&str, &str)> {
        self.programs[program]
            .kernels
            .iter()
            .map(|k| (k.label.as_str(), k.source.as_str()))
    }
}

#[cfg(test)]
mod tests;
