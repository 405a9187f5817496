//! The WebGPU executor: replays programs as dispatches over one arena of floats.
//!
//! Shaders are composed as text (`gpu/wgsl.rs`, from the choices of `gpu/place.rs`) and never parsed by this crate. All values share one storage buffer with
//! offsets that are constants of the shaders, so there is one bind group and no aliasing: persistent buffers first, then
//! constants, then the temporaries of one program at a time. Random numbers take their step from a counter on the device,
//! which the last dispatch of a step advances; any number of steps is one submission ([`Batch`]). A value that is not finite
//! raises a flag on the device. What the host wants to know comes back through [`Slot`]s, which nobody waits for.

mod arena;
mod device;
mod flow;
mod painter;
mod place;
mod rounds;
mod slot;
mod wgsl;

pub use arena::{Cost, Part, bytes_needed, costs};
pub use device::Device;
#[cfg(target_arch = "wasm32")]
pub use painter::Screen;
#[cfg(test)]
pub(crate) use painter::tests as painted;
pub use painter::{Painter, PaneView, Particles, Picture};
pub use slot::{Arrived, Report, Slot};

use crate::graph::Program;
use arena::{Arena, compose};
use wgsl::Kernel;

/// Why a device cannot be used, or no longer.
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
    /// The device would end a loop before its time, without a word.
    #[error(
        "the run needs {needed} rounds of loops in one thread, but the device ends them after {limit}"
    )]
    TooLong {
        /// Rounds of the longest kernel, nearly.
        needed: usize,
        /// What the device makes.
        limit: usize,
    },
    /// The device has no memory left.
    #[error("the device has no room for another {needed} bytes")]
    OutOfMemory {
        /// Bytes that were asked for.
        needed: u64,
    },
    /// A shader was refused.
    #[error("shader {label}: {message}")]
    Shader {
        /// The program and node.
        label: String,
        /// The compiler's message with line and column.
        message: String,
    },
    /// The device refused a command.
    #[error("the device refused a command: {0}")]
    Refused(String),
    /// The device was lost or a read failed.
    #[error("the device was lost: {0}")]
    Lost(String),
}

/// Programs and persistent buffers on one device.
pub struct Gpu {
    device: Device,
    arena: Arena,
    programs: Vec<Loaded>,
    memory: Memory,
    seed: u32,
}

struct Loaded {
    kernels: Vec<Kernel>,
    pipelines: Vec<wgpu::ComputePipeline>,
}

struct Memory {
    arena: wgpu::Buffer,
    scalars: wgpu::Buffer,
    clock: wgpu::Buffer,
    flag: wgpu::Buffer,
    group: wgpu::BindGroup,
}

/// Live scalars a run may have.
const UNIFORMS: usize = 16;

impl Gpu {
    /// Lays out memory, composes and compiles the shaders of programs that share their buffers (zero at first). The step is
    /// one program that is [`Part::Step`]. A refused shader is a later fault of the device.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`], [`GpuError::TooLong`], or the device's fault where it has one already.
    pub fn new(
        device: &Device,
        programs: &[(&Program, Part)],
        seed: u32,
    ) -> Result<Self, GpuError> {
        if let Some(fault) = device.fault() {
            return Err(fault);
        }
        let (arena, composed) = compose(programs);
        let (needed, limit) = (arena.bytes(), device.capacity());
        if needed > limit {
            return Err(GpuError::TooLarge { needed, limit });
        }
        if let Some(limit) = device.most_rounds() {
            let needed = flow::most_rounds(programs);
            if needed > limit {
                return Err(GpuError::TooLong { needed, limit });
            }
        }
        let (memory, layout) = Memory::new(device, needed);
        for (offset, data) in &arena.constants {
            let at = 4 * *offset as u64;
            device
                .queue
                .write_buffer(&memory.arena, at, bytemuck::cast_slice(data));
        }
        let compiled = |kernels: Vec<Kernel>| Loaded {
            pipelines: kernels
                .iter()
                .map(|k| device.pipeline(&k.label, &k.source, Some(&layout)))
                .collect(),
            kernels,
        };
        let gpu = Self {
            device: device.clone(),
            arena,
            programs: composed.into_iter().map(compiled).collect(),
            memory,
            seed,
        };
        gpu.rewind(0);
        Ok(gpu)
    }

    /// The device it runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Sets a live scalar.
    pub fn uniform(&mut self, name: &str, value: f32) {
        let uniforms = &mut self.arena.uniforms;
        if let Some(slot) = uniforms.iter_mut().find(|(n, _)| *n == name) {
            slot.1 = value;
        }
        let mut values = [0f32; UNIFORMS];
        for (v, (_, value)) in values.iter_mut().zip(uniforms) {
            *v = *value;
        }
        self.write(&self.memory.scalars, 0, &values);
    }

    /// Overwrites a persistent buffer; one that no program names is ignored.
    ///
    /// # Panics
    /// Another size.
    pub fn set(&self, name: &str, data: &[f32]) {
        if let Some(buffer) = self.arena.find(name) {
            assert_eq!(buffer.entries, data.len(), "size of buffer {name}");
            self.write(&self.memory.arena, buffer.offset, data);
        }
    }

    fn write(&self, buffer: &wgpu::Buffer, offset: usize, data: &[f32]) {
        if self.device.fault().is_none() {
            let bytes = bytemuck::cast_slice(data);
            self.device
                .queue
                .write_buffer(buffer, 4 * offset as u64, bytes);
        }
    }

    /// Declares the step that random numbers are keyed with, and takes the flag of bad values down.
    pub fn rewind(&self, step: u32) {
        if self.device.fault().is_none() {
            let queue = &self.device.queue;
            queue.write_buffer(
                &self.memory.clock,
                0,
                bytemuck::cast_slice(&[self.seed, step]),
            );
            queue.write_buffer(&self.memory.flag, 0, &[0; 4]);
        }
    }

    /// Names and sizes of the persistent buffers.
    pub fn buffers(&self) -> impl Iterator<Item = (&str, usize)> {
        let buffers = self.arena.buffers.iter();
        buffers.map(|b| (b.name.as_str(), b.entries))
    }

    /// The arena and where a persistent buffer begins in it, in floats; drawing reads particles there.
    pub fn place_of(&self, name: &str) -> Option<(&wgpu::Buffer, usize)> {
        let buffer = self.arena.find(name)?;
        Some((&self.memory.arena, buffer.offset))
    }

    /// Dispatches of one run of a program.
    pub fn dispatches(&self, program: usize) -> usize {
        self.programs[program].kernels.len()
    }

    /// Starts recording a submission.
    pub fn batch(&self) -> Batch<'_> {
        let device = &self.device.device;
        Batch {
            gpu: self,
            encoder: device.create_command_encoder(&Default::default()),
            pass: None,
        }
    }

    /// A place for copies of the state.
    pub fn slot(&self) -> Slot {
        Slot::new(&self.device, self.state_bytes())
    }

    fn state_bytes(&self) -> u64 {
        4 * self.arena.state.max(4) as u64
    }

    /// Reads a persistent buffer, waiting for all that was submitted. The web cannot wait.
    ///
    /// # Errors
    /// The device's fault.
    ///
    /// # Panics
    /// No program names the buffer.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read(&self, name: &str) -> Result<Vec<f32>, GpuError> {
        let buffer = self
            .arena
            .find(name)
            .expect("a buffer that a program names");
        let mut slot = self.slot();
        self.batch().submit_with(&mut slot, Report::State);
        self.device.wait();
        match (slot.take().flatten(), self.device.fault()) {
            (Some(arrived), None) => {
                Ok(arrived.state[buffer.offset..buffer.offset + buffer.entries].to_vec())
            }
            (_, fault) => Err(fault.unwrap_or(GpuError::Lost("a read failed".to_owned()))),
        }
    }

    /// The composed shaders of a program: label and text.
    pub fn shaders(&self, program: usize) -> impl Iterator<Item = (&str, &str)> {
        let kernels = self.programs[program].kernels.iter();
        kernels.map(|k| (k.label.as_str(), k.source.as_str()))
    }
}

impl Memory {
    fn new(device: &Device, bytes: u64) -> (Self, wgpu::PipelineLayout) {
        use wgpu::BufferUsages as Usage;
        let both = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let arena = device.buffer("arena", bytes, both | Usage::VERTEX);
        let scalars = 4 * UNIFORMS as u64;
        let scalars = device.buffer("scalars", scalars, Usage::UNIFORM | Usage::COPY_DST);
        let clock = device.buffer("clock", 16, both);
        let flag = device.buffer("flag", 4, both);
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
        let entries = [
            entry(0, storage),
            entry(1, wgpu::BufferBindingType::Uniform),
            entry(2, storage),
            entry(3, storage),
        ];
        let layout = wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &entries,
        };
        let layout = device.device.create_bind_group_layout(&layout);
        let buffers = [&arena, &scalars, &clock, &flag];
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &layout,
            entries: &entries,
        });
        let layout = wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        };
        let layout = device.device.create_pipeline_layout(&layout);
        let memory = Self {
            arena,
            scalars,
            clock,
            flag,
            group,
        };
        (memory, layout)
    }
}

/// Work that is submitted at once.
pub struct Batch<'a> {
    gpu: &'a Gpu,
    encoder: wgpu::CommandEncoder,
    pass: Option<wgpu::ComputePass<'static>>,
}

impl Batch<'_> {
    /// One run of a program.
    pub fn run(&mut self, program: usize) {
        let gpu = self.gpu;
        let pass = self.pass.get_or_insert_with(|| {
            let pass = self.encoder.begin_compute_pass(&Default::default());
            let mut pass = pass.forget_lifetime();
            pass.set_bind_group(0, &gpu.memory.group, &[]);
            pass
        });
        let loaded = &gpu.programs[program];
        for (kernel, pipeline) in loaded.kernels.iter().zip(&loaded.pipelines) {
            pass.set_pipeline(pipeline);
            pass.dispatch_workgroups(kernel.groups[0], kernel.groups[1], 1);
        }
    }

    fn copy(&mut self, from: &wgpu::Buffer, to: &wgpu::Buffer, at: u64, bytes: u64) {
        self.pass = None;
        self.encoder.copy_buffer_to_buffer(from, 0, to, at, bytes);
    }

    /// Keeps the present state in `slot`.
    pub fn keep(&mut self, slot: &Slot) {
        let gpu = self.gpu;
        self.copy(&gpu.memory.arena, &slot.kept, 0, gpu.state_bytes());
    }

    /// Brings the state that `slot` keeps back.
    pub fn restore(&mut self, slot: &Slot) {
        let gpu = self.gpu;
        self.copy(&slot.kept, &gpu.memory.arena, 0, gpu.state_bytes());
    }

    /// Takes over the buffers that another run has with the same size.
    pub fn adopt(&mut self, other: &Gpu) {
        self.pass = None;
        for own in &self.gpu.arena.buffers {
            if let Some(theirs) = other
                .arena
                .find(&own.name)
                .filter(|b| b.entries == own.entries)
            {
                self.encoder.copy_buffer_to_buffer(
                    &other.memory.arena,
                    4 * theirs.offset as u64,
                    &self.gpu.memory.arena,
                    4 * own.offset as u64,
                    4 * own.entries as u64,
                );
            }
        }
    }

    /// Submits the work without waiting.
    pub fn submit(mut self) {
        self.pass = None;
        self.gpu.device.submit(self.encoder.finish());
    }

    /// Submits the work; `slot` will report on everything so far: whether all values were finite, and the state if asked.
    pub fn submit_with(mut self, slot: &mut Slot, report: Report) {
        let gpu = self.gpu;
        let state = report.bytes(gpu.state_bytes());
        self.copy(&gpu.memory.flag, &slot.staging, 0, 4);
        if state > 0 {
            self.copy(&gpu.memory.arena, &slot.staging, slot::HEAD, state);
        }
        gpu.device.submit(self.encoder.finish());
        slot.map(slot::HEAD + state);
    }
}

#[cfg(test)]
mod tests;
