//! A canvas of the page that the painter paints on.

use super::{Painter, Picture};
use crate::exec::gpu::{Device, GpuError};

/// A canvas with a painter for its format.
pub struct Screen {
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
    painter: Painter,
}

impl Screen {
    /// Takes a canvas element, which must not have a context of another kind.
    ///
    /// # Errors
    /// The canvas gives no WebGPU context, or has no format in common with the device.
    pub fn on_element(
        device: &Device,
        canvas: web_sys::HtmlCanvasElement,
    ) -> Result<Self, GpuError> {
        Self::on(device, wgpu::SurfaceTarget::Canvas(canvas))
    }

    /// Takes a canvas that was transferred to a worker.
    ///
    /// # Errors
    /// As [`Screen::on_element`].
    pub fn on_offscreen(
        device: &Device,
        canvas: web_sys::OffscreenCanvas,
    ) -> Result<Self, GpuError> {
        Self::on(device, wgpu::SurfaceTarget::OffscreenCanvas(canvas))
    }

    fn on(device: &Device, target: wgpu::SurfaceTarget<'static>) -> Result<Self, GpuError> {
        let surface = device.instance.create_surface(target);
        let surface = surface.map_err(|error| GpuError::Refused(error.to_string()))?;
        let Some(config) = surface.get_default_config(&device.adapter, 0, 0) else {
            let message = "the canvas has no format in common with the device".to_owned();
            return Err(GpuError::Refused(message));
        };
        Ok(Self {
            painter: Painter::new(device, config.format.remove_srgb_suffix()),
            surface,
            config,
        })
    }

    /// Paints a picture on the canvas, which gets the picture's size; false where the canvas has no room for it yet and the
    /// next frame has to try again.
    ///
    /// # Errors
    /// As [`Painter::paint`].
    pub fn present(&mut self, picture: &Picture) -> Result<bool, GpuError> {
        let size = self.painter.check(picture)?;
        if [self.config.width, self.config.height] != size {
            [self.config.width, self.config.height] = size;
            self.surface
                .configure(&self.painter.device.device, &self.config);
        }
        use wgpu::CurrentSurfaceTexture as Current;
        let texture = match self.surface.get_current_texture() {
            Current::Success(texture) | Current::Suboptimal(texture) => texture,
            _ => return Ok(false),
        };
        let view = texture.texture.create_view(&Default::default());
        self.painter.paint(&view, picture)?;
        self.painter.device.queue.present(texture);
        Ok(true)
    }
}
