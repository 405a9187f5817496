//! Initial weights, drawn on the host: pure functions of (seed, stream, layer, entry).

use crate::rng;

/// N(0, 2/`inputs`), for layers followed by a ReLU.
///
/// **Shapes** `[inputs, outputs]`, row-major. **Source** K. He, X. Zhang, S. Ren, J. Sun (ICCV 2015).
pub fn he(seed: u32, stream: u32, layer: u32, inputs: usize, outputs: usize) -> Vec<f32> {
    scaled(seed, stream, layer, inputs * outputs, 2.0 / inputs as f32)
}

/// N(0, 2/(`inputs` + `outputs`)), for linear layers and tanh.
///
/// **Shapes** `[inputs, outputs]`, row-major. **Source** X. Glorot, Y. Bengio (AISTATS 2010).
pub fn glorot(seed: u32, stream: u32, layer: u32, inputs: usize, outputs: usize) -> Vec<f32> {
    let variance = 2.0 / (inputs + outputs) as f32;
    scaled(seed, stream, layer, inputs * outputs, variance)
}

fn scaled(seed: u32, stream: u32, layer: u32, entries: usize, variance: f32) -> Vec<f32> {
    let scale = variance.sqrt();
    let draws = rng::normal_vec(seed, stream, layer, entries);
    draws.iter().map(|z| scale * z).collect()
}

/// Uniform on ±1/√`inputs`.
///
/// **Shapes** `[inputs, outputs]`, row-major.
pub fn uniform(seed: u32, stream: u32, layer: u32, inputs: usize, outputs: usize) -> Vec<f32> {
    let reach = 1.0 / (inputs as f32).sqrt();
    let draws = rng::uniform_vec(seed, stream, layer, inputs * outputs);
    draws.iter().map(|u| reach * (2.0 * u - 1.0)).collect()
}

/// Rows uniform on the unit sphere.
///
/// **Shapes** `[rows, d]`, row-major.
pub fn sphere(seed: u32, stream: u32, layer: u32, rows: usize, d: usize) -> Vec<f32> {
    let mut points = rng::normal_vec(seed, stream, layer, rows * d);
    for row in points.chunks_exact_mut(d) {
        let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        row.iter_mut().for_each(|v| *v /= norm);
    }
    points
}
