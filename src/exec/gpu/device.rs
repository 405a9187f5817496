//! One open device: handles that clone cheaply, a cache of compiled kernels, and what became of it.

use super::{GpuError, rounds};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// An open WebGPU device. Clones share it.
#[derive(Clone)]
pub struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) adapter: wgpu::Adapter,
    /// What makes a canvas a surface.
    #[cfg(target_arch = "wasm32")]
    pub(super) instance: wgpu::Instance,
    /// The first fault: a lost device, a refused shader, memory that ran out.
    fault: Arc<Mutex<Option<GpuError>>>,
    submissions: Rc<Cell<u64>>,
    /// Compiled kernels by their text: a run that starts again compiles nothing.
    compiled: Rc<RefCell<Vec<(String, wgpu::ComputePipeline)>>>,
    most_rounds: Option<usize>,
}

/// Kernels that the cache may hold before it starts anew.
const MOST_COMPILED: usize = 256;

impl Device {
    /// Opens the preferred adapter's device.
    ///
    /// # Errors
    /// [`GpuError::NoDevice`] with the reason.
    pub async fn open() -> Result<Self, GpuError> {
        let no_device = |e: &dyn std::fmt::Display| GpuError::NoDevice(e.to_string());
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
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
            max_texture_dimension_2d: offered.max_texture_dimension_2d,
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
        let mut open = Self {
            device,
            queue,
            adapter,
            #[cfg(target_arch = "wasm32")]
            instance,
            fault: Arc::default(),
            submissions: Rc::default(),
            compiled: Rc::default(),
            most_rounds: None,
        };
        let fault = Arc::clone(&open.fault);
        open.device
            .set_device_lost_callback(move |reason, message| {
                note(&fault, GpuError::Lost(explained(reason, &message)));
            });
        // Whatever no error scope catches, e.g. an allocation of the driver's own.
        let fault = Arc::clone(&open.fault);
        open.device.on_uncaptured_error(Arc::new(move |error| {
            note(&fault, GpuError::Refused(error.to_string()));
        }));
        open.most_rounds = rounds::limit(&open).await;
        Ok(open)
    }

    /// The adapter's name.
    pub fn name(&self) -> String {
        let name = self.adapter.get_info().name;
        if name.is_empty() {
            // Some browsers keep it to themselves.
            return "WebGPU".to_owned();
        }
        name
    }

    /// Whether the adapter is a software renderer, slower than the CPU executor.
    pub fn is_software(&self) -> bool {
        let info = self.adapter.get_info();
        let known = ["llvmpipe", "SwiftShader", "Microsoft Basic Render"];
        info.device_type == wgpu::DeviceType::Cpu
            || known.iter().any(|name| info.name.contains(name))
    }

    /// Rounds of loops after which the device ends a thread's loops, however wrong the result; nothing where none was found.
    pub fn most_rounds(&self) -> Option<usize> {
        self.most_rounds
    }

    /// The first fault since the device was opened; after one, nothing that was read can be trusted.
    pub fn fault(&self) -> Option<GpuError> {
        self.fault.lock().ok().and_then(|fault| fault.clone())
    }

    /// Hands work over.
    pub(super) fn submit(&self, work: wgpu::CommandBuffer) {
        self.submissions.set(self.submissions.get() + 1);
        self.queue.submit([work]);
    }

    /// How often work was handed over so far; a bench figure.
    pub fn submissions(&self) -> u64 {
        self.submissions.get()
    }

    /// Bytes that one run may keep on the device.
    pub fn capacity(&self) -> u64 {
        let limits = self.device.limits();
        limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size)
    }

    /// Gives the device up, as a driver that crashes does; tests see how runs survive it.
    pub fn destroy(&self) {
        self.device.destroy();
        note(
            &self.fault,
            GpuError::Lost("it was destroyed on purpose".to_owned()),
        );
    }

    /// Lets callbacks of finished work run; on the web the browser does.
    pub fn poll(&self) {
        let _ = self.device.poll(wgpu::PollType::Poll);
    }

    /// Waits for all that was submitted. The web cannot wait.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&self) {
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            note(&self.fault, GpuError::Lost(error.to_string()));
        }
    }

    /// A buffer; where memory runs out, a fault follows.
    pub(super) fn buffer(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        });
        // Scopes nest: this one is closed here, its answer may come later.
        let (answer, fault) = (scope.pop(), Arc::clone(&self.fault));
        detached(async move {
            if answer.await.is_some() {
                note(&fault, GpuError::OutOfMemory { needed: size });
            }
        });
        buffer
    }

    /// A compute pipeline, from the cache where its text is known; a refused shader becomes a fault. Without a layout it has
    /// that of its text.
    pub(super) fn pipeline(
        &self,
        label: &str,
        source: &str,
        layout: Option<&wgpu::PipelineLayout>,
    ) -> wgpu::ComputePipeline {
        let mut compiled = self.compiled.borrow_mut();
        if let Some((_, known)) = compiled.iter().find(|(text, _)| text == source) {
            return known.clone();
        }
        let pipeline = self.compile(label, source, |module| {
            self.device
                .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(label),
                    layout,
                    module,
                    entry_point: Some("main"),
                    compilation_options: Default::default(),
                    cache: None,
                })
        });
        if compiled.len() == MOST_COMPILED {
            compiled.clear();
        }
        compiled.push((source.to_owned(), pipeline.clone()));
        pipeline
    }

    /// What `create` makes of a shader; if the shader or what is made of it is refused, a fault follows.
    pub(super) fn compile<T>(
        &self,
        label: &str,
        source: &str,
        create: impl FnOnce(&wgpu::ShaderModule) -> T,
    ) -> T {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
        let created = create(&module);
        let (answer, fault, label) = (scope.pop(), Arc::clone(&self.fault), label.to_owned());
        detached(async move {
            if let Some(error) = answer.await {
                let message = refusal(&module, &error).await;
                note(&fault, GpuError::Shader { label, message });
            }
        });
        created
    }
}

/// The compiler's messages with their places, else the error's own text.
async fn refusal(module: &wgpu::ShaderModule, error: &wgpu::Error) -> String {
    let info = module.get_compilation_info().await;
    let lines: Vec<String> = info
        .messages
        .iter()
        .map(|message| match message.location {
            Some(at) => format!(
                "line {}, column {}: {}",
                at.line_number, at.line_position, message.message
            ),
            None => message.message.clone(),
        })
        .collect();
    if lines.is_empty() {
        return error.to_string();
    }
    lines.join("; ")
}

fn explained(reason: wgpu::DeviceLostReason, message: &str) -> String {
    match (reason, message.is_empty()) {
        (_, false) => message.to_owned(),
        (wgpu::DeviceLostReason::Destroyed, _) => "it was destroyed".to_owned(),
        _ => "the browser or the driver gave no reason".to_owned(),
    }
}

/// Keeps the first fault: what follows is its consequence.
fn note(fault: &Mutex<Option<GpuError>>, error: GpuError) {
    if let Ok(mut first) = fault.lock() {
        first.get_or_insert(error);
    }
}

/// Runs a future that only notes something: natively it is ready at once, the browser finishes it later.
fn detached(future: impl Future<Output = ()> + 'static) {
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_futures::spawn_local(future);
    #[cfg(not(target_arch = "wasm32"))]
    pollster::block_on(future);
}
