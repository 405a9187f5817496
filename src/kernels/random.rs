//! Counter-based random numbers for a range of entries; the same bits as `rng::normal_at`, eight counters at a time.

use crate::expr::Real;
use crate::graph::Draw;
use crate::rng;
use fearless_simd::{Level, Simd, dispatch};
use fearless_simd_macros::simd;

/// Pairs of entries drawn together.
const LANES: usize = 64;

/// Names a draw: seed, stream and step.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Seed of the run.
    pub seed: u32,
    /// Purpose of the draw.
    pub stream: u32,
    /// Step it belongs to.
    pub step: u32,
}

/// Fills `out` with entries `first, first + 1, …` of the draw.
pub fn fill<R: Real>(level: Level, draw: Draw, key: Key, first: usize, out: &mut [R]) {
    dispatch!(level, simd => fill_simd(simd, draw, key, first, out));
}

#[simd]
fn fill_simd<S: Simd, R: Real>(_: S, draw: Draw, key: Key, first: usize, out: &mut [R]) {
    let mut done = 0;
    while done < out.len() {
        let entry = first + done;
        let pair = entry / 2;
        // Even and odd entries apart, so that the loop vectorises.
        let (mut even, mut odd) = ([0f32; LANES], [0f32; LANES]);
        for (lane, (even, odd)) in even.iter_mut().zip(&mut odd).enumerate() {
            let counter = [key.step, (pair + lane) as u32];
            let bits = rng::threefry2x32([key.seed, key.stream], counter);
            [*even, *odd] = match draw {
                Draw::Uniform => [rng::uniform(bits[0]), rng::uniform(bits[1])],
                Draw::Normal => rng::normals(bits),
            };
        }
        let skip = entry % 2;
        let len = (2 * LANES - skip).min(out.len() - done);
        for (i, o) in out[done..done + len].iter_mut().enumerate() {
            let (lane, side) = ((skip + i) / 2, (skip + i) % 2);
            let value = if side == 0 { even[lane] } else { odd[lane] };
            *o = R::from_f64(f64::from(value));
        }
        done += len;
    }
}
