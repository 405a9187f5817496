//! The one source of randomness: Threefry2x32-20, keyed by (seed, stream) and counted by (step, entry), so that every
//! draw is a pure function of its name and the same on every device.
//!
//! **Source** Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); 20 rounds.

use crate::expr::{Real, sin_cos_turns};

/// What a draw is for. Streams never share counters, so adding one cannot change another.
pub mod stream {
    /// Initial particles.
    pub const INIT: u32 = 0;
    /// Diffusion noise ξ; the same in every sampler, so that panes can share it.
    pub const NOISE: u32 = 1;
    /// Accept–reject uniforms.
    pub const ACCEPT: u32 = 2;
    /// Exact samples of a target, for metrics.
    pub const TARGET: u32 = 3;
    /// Second batch of exact samples: the same-size floor of a metric.
    pub const FLOOR: u32 = 4;
    /// Parameters of a target that are themselves random (mixture directions).
    pub const SHAPE: u32 = 5;
    /// Rows of a training batch.
    pub const BATCH: u32 = 6;
    /// Rows that only validation sees.
    pub const HELD_OUT: u32 = 7;
    /// Directions in which a trace is probed.
    pub const PROBE: u32 = 8;

    /// The uniforms of a purpose that draws normals as well: a stream of their own.
    pub const fn uniforms(purpose: u32) -> u32 {
        purpose | 1 << 31
    }
}

/// Threefry2x32 with 20 rounds. Written out, not looped: loops over it become SIMD code however little a build unrolls.
#[inline(always)]
pub fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let [k0, k1] = key;
    let k2 = k0 ^ k1 ^ 0x1BD1_1BDA;
    let (even, odd) = ([13, 15, 26, 6], [17, 29, 16, 24]);
    let x = [counter[0].wrapping_add(k0), counter[1].wrapping_add(k1)];
    let x = four_rounds(x, even, [k1, k2.wrapping_add(1)]);
    let x = four_rounds(x, odd, [k2, k0.wrapping_add(2)]);
    let x = four_rounds(x, even, [k0, k1.wrapping_add(3)]);
    let x = four_rounds(x, odd, [k1, k2.wrapping_add(4)]);
    four_rounds(x, even, [k2, k0.wrapping_add(5)])
}

/// Four rounds of Threefry with their rotations, and the keys that follow them.
#[inline(always)]
fn four_rounds(x: [u32; 2], rotations: [u32; 4], keys: [u32; 2]) -> [u32; 2] {
    let round = |[x, y]: [u32; 2], bits: u32| {
        let x = x.wrapping_add(y);
        [x, y.rotate_left(bits) ^ x]
    };
    let x = round(round(x, rotations[0]), rotations[1]);
    let [x, y] = round(round(x, rotations[2]), rotations[3]);
    [x.wrapping_add(keys[0]), y.wrapping_add(keys[1])]
}

/// A uniform number in (0, 1] from 24 random bits: never 0, and 1 only for the largest word, which rounds up.
#[inline(always)]
pub fn uniform(bits: u32) -> f32 {
    ((bits >> 8) as f32 + 0.5) * (1.0 / 16_777_216.0)
}

/// Two independent standard normals from two words (Box–Muller).
#[inline(always)]
pub fn normals(bits: [u32; 2]) -> [f32; 2] {
    let radius = Real::sqrt(-2.0 * Real::ln(uniform(bits[0])));
    let (sine, cosine) = sin_cos_turns(uniform(bits[1]));
    [radius * cosine, radius * sine]
}

/// Entry `index` of a draw of uniforms: words come in pairs, entry 2p and 2p+1 from counter p.
#[inline(always)]
pub fn uniform_at(seed: u32, stream: u32, step: u32, index: u32) -> f32 {
    uniform(threefry2x32([seed, stream], [step, index / 2])[(index % 2) as usize])
}

/// Entry `index` of a draw of standard normals, paired like [`uniform_at`].
#[inline(always)]
pub fn normal_at(seed: u32, stream: u32, step: u32, index: u32) -> f32 {
    normals(threefry2x32([seed, stream], [step, index / 2]))[(index % 2) as usize]
}

/// `count` standard normals, entries 0, 1, … of (seed, stream, step).
pub fn normal_vec(seed: u32, stream: u32, step: u32, count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|i| normal_at(seed, stream, step, i))
        .collect()
}

/// `count` uniforms, entries 0, 1, … of (seed, stream, step).
pub fn uniform_vec(seed: u32, stream: u32, step: u32, count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|i| uniform_at(seed, stream, step, i))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors published with the reference implementation (Random123, `kat_vectors`, threefry2x32-20).
    #[test]
    fn published_vectors() {
        let ones = u32::MAX;
        let cases = [
            ([0, 0], [0, 0], [0x6b20_0159, 0x99ba_4efe]),
            ([ones, ones], [ones, ones], [0x1cb9_96fc, 0xbb00_2be7]),
            (
                [0x13198a2e, 0x0370_7344],
                [0x243f_6a88, 0x85a3_08d3],
                [0xc492_3a9c, 0x483d_f7a0],
            ),
        ];
        for (key, counter, expected) in cases {
            assert_eq!(threefry2x32(key, counter), expected);
        }
    }

    #[test]
    fn normals_have_the_right_moments() {
        let n = 200_000;
        let draws = normal_vec(7, stream::NOISE, 3, n);
        let moment = |p: i32| draws.iter().map(|x| f64::from(*x).powi(p)).sum::<f64>() / n as f64;
        // Standard errors of the first four moments: 1, √2, √15, √96 over √n; 5σ allowed.
        let se = 5.0 / (n as f64).sqrt();
        for (p, mean, spread) in [
            (1, 0.0, 1.0),
            (2, 1.0, 2f64.sqrt()),
            (3, 0.0, 15f64.sqrt()),
            (4, 3.0, 96f64.sqrt()),
        ] {
            assert!(
                (moment(p) - mean).abs() < spread * se,
                "moment {p}: {}",
                moment(p)
            );
        }
    }

    #[test]
    fn streams_and_steps_differ() {
        let base = uniform_vec(1, stream::NOISE, 0, 8);
        assert_ne!(base, uniform_vec(2, stream::NOISE, 0, 8));
        assert_ne!(base, uniform_vec(1, stream::ACCEPT, 0, 8));
        assert_ne!(base, uniform_vec(1, stream::NOISE, 1, 8));
        assert_eq!(base, uniform_vec(1, stream::NOISE, 0, 8));
    }
}
