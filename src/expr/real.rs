//! The number types that expressions are evaluated in. `f32` uses branch-free approximations that compilers turn into
//! SIMD code and that have WGSL twins; `f64`, the oracle type, uses the platform's libm, but for sine and cosine.

use super::trig::sine_cosine;
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A real number type for interpreters and oracles.
pub trait Real:
    Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + Send
    + Sync
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// Nearest representable value.
    fn from_f64(v: f64) -> Self;
    /// Exact, or nearest, f64.
    fn to_f64(self) -> f64;
    /// 1 or 0.
    #[inline(always)]
    fn from_bool(b: bool) -> Self {
        if b { Self::ONE } else { Self::ZERO }
    }
    /// −1, 0 or 1, NaN kept.
    #[inline(always)]
    fn sign(self) -> Self {
        if self > Self::ZERO {
            Self::ONE
        } else if self < Self::ZERO {
            -Self::ONE
        } else {
            self
        }
    }
    /// The smaller; the first at a tie; NaN if either is.
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        if other < self {
            other
        } else if self <= other {
            self
        } else {
            self + other
        }
    }
    /// The larger; the first at a tie; NaN if either is.
    #[inline(always)]
    fn largest(self, other: Self) -> Self {
        if other > self {
            other
        } else if self >= other {
            self
        } else {
            self + other
        }
    }
    /// |x|
    fn abs(self) -> Self;
    /// √x, NaN for x < 0.
    fn sqrt(self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// Natural logarithm: −∞ at 0, NaN below.
    fn ln(self) -> Self;
    /// Sine of radians.
    fn sin(self) -> Self;
    /// Cosine of radians.
    fn cos(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// 1/(1 + e⁻ˣ): e^−|x| never overflows, and keeps the digits of small values.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let tail = (-self.abs()).exp();
        let large = Self::ONE / (Self::ONE + tail);
        if self < Self::ZERO {
            tail * large
        } else {
            large
        }
    }
    /// log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|).
    #[inline(always)]
    fn softplus(self) -> Self {
        self.largest(Self::ZERO) + (Self::ONE + (-self.abs()).exp()).ln()
    }
    /// arcsin x for |x| ≤ ½.
    fn asin_small(self) -> Self;
    /// arccos c, with c clamped to [−1, 1].
    #[inline(always)]
    fn acos(self) -> Self {
        let (one, half) = (Self::ONE, Self::from_f64(0.5));
        let c = if self > one { one } else { self };
        let c = if c < -one { -one } else { c };
        let size = c.abs();
        // Near ±1 the angle of half the chord keeps its digits: arccos c = 2 arcsin √((1 − c)/2).
        let chord = (half * (one - size)).sqrt();
        let outer = chord.least(half).asin_small();
        let outer = outer + outer;
        let inner = c.largest(-half).least(half).asin_small();
        let pi = Self::from_f64(std::f64::consts::PI);
        let near = Self::from_f64(std::f64::consts::FRAC_PI_2) - inner;
        let far = if c < Self::ZERO { pi - outer } else { outer };
        if size > half { far } else { near }
    }
    /// κ₀(c) = (π − arccos c)/π.
    #[inline(always)]
    fn arc_cosine0(self) -> Self {
        Self::ONE - self.acos() * Self::from_f64(std::f64::consts::FRAC_1_PI)
    }
    /// κ₁(c) = (√(1 − c²) + (π − arccos c) c)/π.
    #[inline(always)]
    fn arc_cosine1(self) -> Self {
        let one = Self::ONE;
        let c = if self > one { one } else { self };
        let c = if c < -one { -one } else { c };
        let sine = ((one - c) * (one + c)).sqrt();
        sine * Self::from_f64(std::f64::consts::FRAC_1_PI) + c * c.arc_cosine0()
    }
    /// aᵇ = e^(b ln a) for a > 0.
    #[inline(always)]
    fn pow(self, b: Self) -> Self {
        (self.ln() * b).exp()
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn from_f64(v: f64) -> Self {
        v
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn abs(self) -> Self {
        self.abs()
    }
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    fn exp(self) -> Self {
        self.exp()
    }
    fn ln(self) -> Self {
        self.ln()
    }
    fn sin(self) -> Self {
        sine_cosine(self).0
    }
    fn cos(self) -> Self {
        sine_cosine(self).1
    }
    fn tanh(self) -> Self {
        self.tanh()
    }
    /// Two Newton steps on sin from single precision; the standard library's tables stay out of the download.
    fn asin_small(self) -> Self {
        let mut angle = asin_polynomial(self);
        for _ in 0..2 {
            let (sine, cosine) = sine_cosine(angle);
            angle += (self - sine) / cosine;
        }
        angle
    }
}

/// Odd polynomial (Cephes `asinf`) for |x| ≤ ½.
#[inline(always)]
fn asin_polynomial<R: Real>(x: R) -> R {
    let z = x * x;
    let p = R::from_f64(4.216_319_904_8e-2);
    let p = p * z + R::from_f64(2.418_131_104_9e-2);
    let p = p * z + R::from_f64(4.547_002_599_8e-2);
    let p = p * z + R::from_f64(7.495_300_268_6e-2);
    let p = p * z + R::from_f64(1.666_675_242_2e-1);
    p * z * x + x
}

/// 1.5·2²³: adding it rounds an f32 of magnitude below 2²² to an integer held in the low mantissa bits.
const ROUND: f32 = 12_582_912.0;

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline(always)]
    fn from_f64(v: f64) -> Self {
        v as Self
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    /// Cody–Waite reduction to |r| ≤ ½ ln 2, then a degree-6 polynomial: at most 2 ulp. 0 below −87.33, ∞ above 88.72.
    #[inline(always)]
    fn exp(self) -> Self {
        let x = if self < -87.336_54 { -87.336_54 } else { self };
        let x = if x > 88.722_83 { 88.722_83 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let k = shifted - ROUND;
        let r = (x - k * 0.693_359_4) - k * -2.121_944_4e-4;
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_2e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 0.5;
        let p = (p * r) * r + r + 1.0;
        // Two factors, so that 2¹²⁸ near the overflow threshold needs no exponent above 127.
        let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
        let half = n >> 1;
        let scale = |e: i32| Self::from_bits(((e + 127) as u32) << 23);
        let y = p * scale(half) * scale(n - half);
        let y = if self < -87.336_54 { 0.0 } else { y };
        let y = if self > 88.722_83 { Self::INFINITY } else { y };
        if self.is_nan() { self } else { y }
    }
    /// Mantissa in [√½, √2), degree-9 polynomial (Cephes `logf`): at most 2 ulp.
    #[inline(always)]
    fn ln(self) -> Self {
        let tiny = self < Self::MIN_POSITIVE;
        let x = if tiny { self * 8_388_608.0 } else { self };
        let bias = if tiny { 23.0 } else { 0.0 };
        let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
        let e = ((bits as i32) >> 23) as Self - bias;
        let m = Self::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
        let z = m * m;
        let p = 7.037_683_6e-2;
        let p = p * m - 1.151_461e-1;
        let p = p * m + 1.167_699_9e-1;
        let p = p * m - 1.242_014_1e-1;
        let p = p * m + 1.424_932_3e-1;
        let p = p * m - 1.666_805_7e-1;
        let p = p * m + 2.000_071_5e-1;
        let p = p * m - 2.499_999_4e-1;
        let p = p * m + 3.333_333e-1;
        let y = p * m * z + e * -2.121_944_4e-4 - 0.5 * z;
        let y = m + y + e * 0.693_359_4;
        let y = if self == 0.0 { Self::NEG_INFINITY } else { y };
        let y = if self == Self::INFINITY { self } else { y };
        if self >= 0.0 { y } else { Self::NAN }
    }
    #[inline(always)]
    fn sin(self) -> Self {
        let (s, c, quadrant) = quarter(self);
        let y = if quadrant & 1 == 1 { c } else { s };
        if quadrant & 2 == 2 { -y } else { y }
    }
    #[inline(always)]
    fn cos(self) -> Self {
        let (s, c, quadrant) = quarter(self);
        let y = if quadrant & 1 == 1 { s } else { c };
        if (quadrant + 1) & 2 == 2 { -y } else { y }
    }
    /// Odd polynomial below 0.625 (Cephes `tanhf`), else 1 − 2/(e²ˣ + 1).
    #[inline(always)]
    fn tanh(self) -> Self {
        let a = self.abs();
        let z = a * a;
        let p = -5.704_988_7e-3;
        let p = p * z + 2.063_909e-2;
        let p = p * z - 5.373_971_6e-2;
        let p = p * z + 1.333_144_2e-1;
        let p = p * z - 3.333_328e-1;
        let small = p * z * a + a;
        let clamped = if a > 15.0 { 15.0 } else { a };
        let large = 1.0 - 2.0 / (Real::exp(2.0 * clamped) + 1.0);
        let y = if a < 0.625 { small } else { large };
        let y = if self < 0.0 { -y } else { y };
        if self.is_nan() { self } else { y }
    }
    #[inline(always)]
    fn asin_small(self) -> Self {
        asin_polynomial(self)
    }
}

/// Sine and cosine of x − q·π/2 with |x − q·π/2| ≤ π/4, and the quadrant q mod 4; the reduction is in f64, good to |x| ≈ 10⁹.
#[inline(always)]
fn quarter(x: f32) -> (f32, f32, i32) {
    /// 1.5·2⁵²
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let wide = f64::from(x);
    let shifted = wide * std::f64::consts::FRAC_2_PI + ROUND;
    let r = (wide - (shifted - ROUND) * std::f64::consts::FRAC_PI_2) as f32;
    let (s, c) = near_zero(r);
    (s, c, shifted.to_bits() as i32 & 3)
}

/// Sine and cosine of |r| ≤ π/4 (Cephes `sinf`, `cosf`).
#[inline(always)]
fn near_zero(r: f32) -> (f32, f32) {
    let z = r * r;
    let s = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_665_5e-1) * z * r + r;
    let c = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - 0.5 * z + 1.0;
    (s, c)
}

/// Sine and cosine of 2πu for u in [0, 1]: the reduction to a quarter turn is exact in f32.
#[inline(always)]
pub fn sin_cos_turns(u: f32) -> (f32, f32) {
    let shifted = 4.0 * u + ROUND;
    let (s, c) = near_zero((4.0 * u - (shifted - ROUND)) * std::f32::consts::FRAC_PI_2);
    let quadrant = shifted.to_bits();
    let odd = quadrant & 1 == 1;
    let (sine, cosine) = if odd { (c, s) } else { (s, c) };
    let sine = if quadrant & 2 == 2 { -sine } else { sine };
    let cosine = if (quadrant + 1) & 2 == 2 {
        -cosine
    } else {
        cosine
    };
    (sine, cosine)
}
