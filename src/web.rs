//! The browser's edge: JavaScript types in and out of [`playground::Playground`](crate::playground::Playground), and
//! nothing else. No function throws on user input: what is wrong comes back as JSON.
//!
//! Coordinates are CSS pixels of the stage. A panic prints its message to the console and traps; the page then starts a
//! fresh worker from the last snapshot.

use crate::exec::gpu;
use crate::json::json;
use crate::{manifest, playground, scene};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::OffscreenCanvas;

/// Sends panics to the console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// JSON: systems with parameters and presets, metrics, layers (see `manifest`).
#[wasm_bindgen]
pub fn manifest() -> String {
    json(&manifest::manifest())
}

/// JSON list of the colour roles' names, in the order that `set_theme` takes.
#[wasm_bindgen]
pub fn roles() -> String {
    json(&scene::Role::NAMES)
}

/// Panics on purpose, so that tests can see the page survive a crashed worker. Nothing else calls it.
///
/// # Panics
/// Always.
#[wasm_bindgen]
pub fn crash_for_test() {
    panic!("a deliberate crash, asked for by a test");
}

/// A list of drawing operations for a 2-D canvas; see [`scene::DrawList`] for the stream's grammar.
#[wasm_bindgen]
pub struct DrawList(scene::DrawList);

#[wasm_bindgen]
impl DrawList {
    /// The stream of operations.
    pub fn ops(&self) -> Vec<f32> {
        self.0.ops().to_vec()
    }

    /// JSON list of the strings that text operations index.
    pub fn text(&self) -> String {
        json(self.0.text())
    }
}

/// An open WebGPU device.
#[wasm_bindgen]
pub struct Device(gpu::Device);

/// Opens the preferred WebGPU adapter's device.
///
/// # Errors
/// The reason in words.
#[wasm_bindgen]
pub async fn open_device() -> Result<Device, String> {
    let device = gpu::Device::open().await;
    device.map(Device).map_err(|error| error.to_string())
}

#[wasm_bindgen]
impl Device {
    /// Whether it is a software renderer, slower than the CPU.
    pub fn is_software(&self) -> bool {
        self.0.is_software()
    }
}

/// Up to four runs side by side, and their picture.
#[wasm_bindgen]
pub struct Playground(playground::Playground, Option<gpu::Screen>);

#[wasm_bindgen]
impl Playground {
    /// Opens a link (the hash without `#`) on a device or the CPU, with the reason for the choice; a bad link opens the
    /// default demo and says so in `describe().notices`.
    #[wasm_bindgen(constructor)]
    pub fn new(link: &str, device: Option<Device>, reason: String) -> Self {
        let device = device.map(|device| device.0);
        let place = playground::Place { device, reason };
        Self(playground::Playground::open_at(link, place), None)
    }

    /// JSON: link, notices, panes with their values, charts.
    pub fn describe(&self) -> String {
        self.0.describe()
    }

    /// Edits one parameter of pane `pane`, or of all panes that have it where `pane` is −1.
    pub fn set(&mut self, pane: i32, key: &str, value: &str) -> String {
        let pane = usize::try_from(pane).ok();
        json(&self.0.set(pane, key, value))
    }

    /// Opens another link; returns `describe()`.
    pub fn set_link(&mut self, link: &str) -> String {
        self.0.set_link(link);
        self.0.describe()
    }

    /// Back to step 0 with the same seed: the same initial state.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    /// Starts again from a fresh seed, which goes into the link. Without a source of randomness the seed stays.
    pub fn new_seed(&mut self) {
        if let Ok(seed) = getrandom::u32() {
            self.0.reseed(seed);
        }
    }

    /// Reads a CSV file of the user's own points. An unusable file leaves the run as it is.
    pub fn load_csv(&mut self, name: &str, text: &str) -> String {
        json(&self.0.load_csv(name, text))
    }

    /// Works for about `budget` units, at most `max_steps` steps, on all panes in lockstep; returns the steps completed in
    /// every pane.
    pub fn advance(&mut self, budget: f64, max_steps: f64) -> u32 {
        self.0.advance(budget as u64, max_steps as u32)
    }

    /// Asks for the metrics of the present step, for a run that rests; false where they are known or under way.
    pub fn measure_here(&mut self) -> bool {
        self.0.measure_here()
    }

    /// Works on metrics; true while work is left.
    pub fn measure(&mut self, budget: f64) -> bool {
        self.0.measure(budget as u64)
    }

    /// Steps done in every pane.
    pub fn step(&self) -> u32 {
        self.0.step()
    }

    /// Step of what is shown: on a device, what is known lags behind.
    pub fn seen(&self) -> u32 {
        self.0.seen()
    }

    /// Gives the device up, so that tests can see the page survive it. Nothing else calls it.
    pub fn lose_device_for_test(&self) {
        self.0.lose_device();
    }

    /// Step up to which a device is known to have come; on the CPU the present one.
    pub fn landed(&self) -> u32 {
        self.0.landed()
    }

    /// Whether the state after the last step is known; on the CPU it always is.
    pub fn is_settled(&self) -> bool {
        self.0.is_settled()
    }

    /// Asks a device for its present state, to be shown and saved; it comes some frames later.
    pub fn refresh(&mut self) {
        self.0.refresh();
    }

    /// JSON: step, state with its message, digest, latest metrics.
    pub fn running_state(&self) -> String {
        self.0.running_state()
    }

    /// Size of the stage in CSS pixels, and device pixels a CSS pixel.
    pub fn resize(&mut self, width: f32, height: f32, ratio: f32) {
        self.0.resize(width, height, ratio);
    }

    /// Colours `0xRRGGBBAA` in the order of `roles()`.
    pub fn set_theme(&mut self, colours: &[u32]) {
        self.0.set_theme(colours);
    }

    /// JSON object of layer names to booleans; names left out keep their state.
    pub fn set_layers(&mut self, layers: &str) {
        self.0.set_layers(layers);
    }

    /// Paints density, trails and particles of all panes into the pixel buffer.
    pub fn render(&mut self) {
        self.0.render();
    }

    /// Takes a canvas without a context (an `HTMLCanvasElement` or an `OffscreenCanvas`) for `present`.
    ///
    /// # Errors
    /// There is no device, or it cannot paint there; in words.
    pub fn attach_canvas(&mut self, canvas: JsValue) -> Result<(), String> {
        let Some(device) = self.0.device() else {
            return Err("there is no device to paint with".to_owned());
        };
        let screen = match canvas.dyn_into::<OffscreenCanvas>() {
            Ok(canvas) => gpu::Screen::on_offscreen(device, canvas),
            Err(canvas) => gpu::Screen::on_element(device, canvas.unchecked_into()),
        };
        self.1 = Some(screen.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Paints density, trails and particles of all panes on the attached canvas, which gets the size of the pixel buffer;
    /// what moves comes straight from the device. False where the canvas has no room yet and the next frame must try again.
    ///
    /// # Errors
    /// There is no such canvas, or the device is of no use any more; in words.
    pub fn present(&mut self) -> Result<bool, String> {
        let Some(screen) = &mut self.1 else {
            return Err("there is no canvas to paint on".to_owned());
        };
        let picture = self.0.picture_on_device();
        screen.present(&picture).map_err(|error| error.to_string())
    }

    /// Whether the overlay shows something of the particles themselves, so that on a device their state has to come back for it.
    pub fn overlay_needs_state(&self) -> bool {
        self.0.overlay_needs_state()
    }

    /// Address of the pixel buffer: RGBA8, opaque, `pixels_width() × pixels_height()`. Ask again after each `render`.
    pub fn pixels_ptr(&self) -> *const u8 {
        self.0.pixels().as_ptr()
    }

    /// Width of the pixel buffer in device pixels.
    pub fn pixels_width(&self) -> u32 {
        self.0.pixels_size().0
    }

    /// Height of the pixel buffer in device pixels.
    pub fn pixels_height(&self) -> u32 {
        self.0.pixels_size().1
    }

    /// Vectors over the stage: contours, axes, arrows, the kernel's circle, titles.
    pub fn overlay(&mut self) -> DrawList {
        DrawList(self.0.overlay())
    }

    /// One metric against the step, a line a pane.
    pub fn chart(&self, index: usize, width: f32, height: f32) -> DrawList {
        DrawList(self.0.chart(index, width, height))
    }

    /// JSON `{columns, rows}`: the numbers behind a chart.
    pub fn chart_table(&self, index: usize) -> String {
        self.0.chart_table(index)
    }

    /// Moves the view by a drag of (`dx`, `dy`).
    pub fn pan(&mut self, dx: f32, dy: f32) {
        self.0.pan(dx, dy);
    }

    /// Magnifies by `factor` around (`x`, `y`).
    pub fn zoom(&mut self, x: f32, y: f32, factor: f32) {
        self.0.zoom(x, y, factor);
    }

    /// Back to the target's own frame.
    pub fn fit(&mut self) {
        self.0.fit();
    }

    /// Puts the initial cloud where a drag began, as wide as the drag was long (a click keeps the width).
    pub fn place(&mut self, x0: f32, y0: f32, x1: f32, y1: f32) -> String {
        json(&self.0.place([x0, y0], [x1, y1]))
    }

    /// Takes drawn points (x, y, x, y, …) as initial particles; they go into the link.
    pub fn draw(&mut self, points: &[f32]) -> String {
        json(&self.0.draw(points))
    }

    /// JSON `{pane, world}` of a point of the stage; `pane` is null between panes.
    pub fn probe(&mut self, x: f32, y: f32) -> String {
        self.0.probe(x, y)
    }

    /// The whole playground as bytes, to resume elsewhere.
    pub fn snapshot(&self) -> Vec<u8> {
        self.0.snapshot()
    }

    /// Resumes from a snapshot; JSON `{ok, message}`. A bad one changes nothing.
    pub fn restore(&mut self, bytes: &[u8]) -> String {
        self.0.restore(bytes)
    }

    /// `particles` or `metrics` as CSV.
    pub fn export_csv(&self, what: &str) -> String {
        self.0.export_csv(what)
    }

    /// JSON: link, step, seeds, digests, version, citations: what a picture or a file says of itself.
    pub fn provenance(&self) -> String {
        self.0.provenance()
    }

    /// JSON: the provenance, then particles and metrics of each pane.
    pub fn export_json(&self) -> String {
        self.0.export_json()
    }

    /// The stage at `ratio` device pixels a CSS pixel: width and height as little-endian u32, then RGBA8. `what`: `all`,
    /// `uncontoured`, or `ground`, the target's density alone.
    pub fn picture(&mut self, ratio: f32, what: &str) -> Vec<u8> {
        self.0.picture(
            ratio,
            match what {
                "ground" => playground::Cloud::Ground,
                "uncontoured" => playground::Cloud::WithoutContours,
                _ => playground::Cloud::All,
            },
        )
    }

    /// JSON `{width, height, particles, ops, text}`: everything over the ground as vectors, particles only up to `most`; without
    /// `most`, the overlay.
    pub fn vectors(&mut self, most: Option<u32>) -> String {
        self.0.vectors(most.map(|most| most as usize))
    }

    /// JSON `{ops, text}` of a chart, for a file.
    pub fn chart_vectors(&self, index: usize, width: f32, height: f32) -> String {
        self.0.chart_vectors(index, width, height)
    }

    /// JSON: what a sweep can be over, and which metrics it can show.
    pub fn sweep_offer(&self) -> String {
        self.0.sweep_offer()
    }

    /// Begins a sweep of all panes over the parameter `key`; `values` have commas between them. JSON `{ok, problems}`.
    pub fn sweep_start(
        &mut self,
        key: &str,
        values: &str,
        seeds: f64,
        steps: f64,
        metric: &str,
    ) -> String {
        let (seeds, steps) = (seeds as u32, steps as u32);
        self.0.sweep_start(key, values, seeds, steps, metric)
    }

    /// Works on the sweep for about `budget` units; JSON `{ok, problems}`.
    pub fn sweep_advance(&mut self, budget: f64) -> String {
        self.0.sweep_advance(budget as u64)
    }

    /// Forgets the sweep.
    pub fn sweep_stop(&mut self) {
        self.0.sweep_stop();
    }

    /// JSON `{done, total, columns, rows}`: the runs, and the table behind the sweep's chart.
    pub fn sweep_state(&self) -> String {
        self.0.sweep_state()
    }

    /// JSON `{ops, text}` of the sweep's chart.
    pub fn sweep_chart(&self, width: f32, height: f32) -> String {
        self.0.sweep_chart(width, height)
    }

    /// JSON `{size, rows}`: a text as a QR code, `1` dark; no rows where it is too long.
    pub fn qr(&self, text: &str) -> String {
        playground::qr(text)
    }

    /// JSON: what a file holds, column by column; see `data::Survey`.
    pub fn survey(&self, name: &str, text: &str) -> String {
        self.0.survey(name, text)
    }

    /// As `load_csv`, from some columns (numbers from 0, separated by commas), brought to a standard
    /// scale: `none`, `each` or `together`.
    pub fn load_columns(&mut self, name: &str, text: &str, columns: &str, scaling: &str) -> String {
        json(&self.0.load_columns(name, text, columns, scaling))
    }

    /// Weights of a file in place of those of a pane; as `load_csv`.
    pub fn load_weights(
        &mut self,
        name: &str,
        pane: usize,
        buffer: &str,
        values: &[f32],
    ) -> String {
        json(&self.0.load_weights(name, pane, buffer, values))
    }

    /// The link with the present step as `k` and, unless the run was edited, its digest.
    pub fn link_here(&self) -> String {
        self.0.link_here()
    }

    /// The canonical link, without `#`.
    pub fn link(&self) -> String {
        self.0.link()
    }
}
