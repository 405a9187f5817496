//! Sine and cosine in f64, for the host. The standard library reduces arguments by 1200 bits of 2/π, which the download
//! does not carry: here turns are as exact as the argument itself.

/// sin x and cos x of radians; within an ulp of 1 for |x| up to 10⁶, beyond it those of a number within two ulp of x.
///
/// **Source** Sun Microsystems, fdlibm (1993): the polynomials of `k_sin.c`, `k_cos.c`, the three parts of π/2 of
/// `e_rem_pio2.c`.
pub fn sine_cosine(x: f64) -> (f64, f64) {
    /// 1.5·2⁵²: adding it rounds to an integer held in the low mantissa bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const HALF_PI: [f64; 3] = [
        1.570_796_326_734_125_6,
        6.077_100_506_303_966e-11,
        2.022_266_248_711_166_5e-21,
    ];
    const SINE: [f64; 6] = [
        -0.166_666_666_666_666_32,
        0.008_333_333_333_322_49,
        -0.000_198_412_698_298_579_5,
        2.755_731_370_707_006_8e-6,
        -2.505_076_025_340_686_3e-8,
        1.589_690_995_211_55e-10,
    ];
    const COSINE: [f64; 6] = [
        0.041_666_666_666_666_6,
        -0.001_388_888_888_887_411,
        2.480_158_728_947_673e-5,
        -2.755_731_435_139_066_3e-7,
        2.087_572_321_298_175e-9,
        -1.135_964_755_778_819_5e-11,
    ];
    let shifted = x * std::f64::consts::FRAC_2_PI + ROUND;
    let turns = shifted - ROUND;
    let r = HALF_PI.iter().fold(x, |r, part| r - turns * part);
    let z = r * r;
    let at = |p: [f64; 6]| p.iter().rev().fold(0.0, |sum, c| sum * z + c);
    let sine = r + r * z * at(SINE);
    let cosine = 1.0 - (0.5 * z - z * z * at(COSINE));
    match shifted.to_bits() & 3 {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(x: f64) -> f64 {
        let (s, c) = sine_cosine(x);
        (s - x.sin()).abs().max((c - x.cos()).abs())
    }

    #[test]
    fn edges() {
        assert_eq!(sine_cosine(0.0), (0.0, 1.0));
        assert!(sine_cosine(f64::INFINITY).0.is_nan() && sine_cosine(f64::NAN).1.is_nan());
        for k in -1000..1000 {
            let x = f64::from(k) * std::f64::consts::FRAC_PI_4;
            assert!(error(x) <= f64::EPSILON, "{x}: {:e}", error(x));
        }
    }

    proptest! {
        // One ulp of 1: half from the polynomial's last addition, half from the reduced argument.
        #[test]
        fn within_an_ulp_of_the_standard_library(x in -1e6..1e6, near in -8.0..8.0) {
            prop_assert!(error(x) <= f64::EPSILON, "{}: {:e}", x, error(x));
            prop_assert!(error(near) <= f64::EPSILON, "{}: {:e}", near, error(near));
        }

        #[test]
        fn large_turns_are_as_exact_as_the_argument(x in 1e6..1e12) {
            prop_assert!(error(x) <= 2.0 * x * f64::EPSILON, "{}: {:e}", x, error(x));
        }
    }
}
