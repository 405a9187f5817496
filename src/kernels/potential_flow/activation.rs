//! tanh q and σ(q) = log(e^q + e^−q) = |q| + log(1 + u) of one exponential, u = e^{−2|q|}.

use crate::kernels::gaussian::exp2_neg;
use fearless_simd::{Select, Simd, SimdBase, SimdFloat};
use std::f32::consts::LOG2_E;

/// log(1 + u)/u for u in [0, 1], highest power first: Chebyshev fit, at most 8·10⁻⁸ off once it is multiplied by u.
const LOG1P: [f32; 9] = [
    0.005_253_458,
    -0.029_588_507,
    0.078_361_67,
    -0.136_747_7,
    0.191_114_3,
    -0.248_443_7,
    0.333_192_7,
    -0.499_995_02,
    1.0,
];

/// tanh q and σ(q) of a vector, for one number type.
pub(super) trait Activation<S: Simd, V> {
    /// Both at `q`.
    fn at(simd: S, q: V) -> (V, V);
}

/// Single precision: both within 3·10⁻⁷.
pub(super) struct Narrow;

impl<S: Simd> Activation<S, S::f32s> for Narrow {
    #[inline(always)]
    fn at(simd: S, q: S::f32s) -> (S::f32s, S::f32s) {
        let splat = |v: f32| S::f32s::splat(simd, v);
        let (zero, one) = (splat(0.0), splat(1.0));
        let size = q.max(-q);
        let u = exp2_neg(simd, size * (2.0 * LOG2_E));
        let tanh = (one - u) / (one + u);
        let mut log = splat(LOG1P[0]);
        for coefficient in &LOG1P[1..] {
            log = log.mul_add(u, splat(*coefficient));
        }
        let tanh = q.simd_lt(zero).select(-tanh, tanh);
        (tanh, log.mul_add(u, size))
    }
}

/// Double precision, lane by lane.
pub(super) struct Wide;

impl<S: Simd> Activation<S, S::f64s> for Wide {
    #[inline(always)]
    fn at(_: S, q: S::f64s) -> (S::f64s, S::f64s) {
        let (mut tanh, mut sigma) = (q, q);
        for i in 0..S::f64s::LEN {
            tanh[i] = q[i].tanh();
            sigma[i] = q[i].abs() + (-2.0 * q[i].abs()).exp().ln_1p();
        }
        (tanh, sigma)
    }
}
