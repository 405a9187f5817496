// Elementary functions with the same polynomials and order as `src/expr/real.rs`, so that devices agree to a few ulp.
// WGSL's own exp, log, sin, cos and tanh differ between devices, and tanh(100) is NaN on some.


// Not-a-number is kept, as on the host: WGSL's own sign, min and max may drop it.
fn sign_(x: f32) -> f32 {
    return select(select(x, -1.0, x < 0.0), 1.0, x > 0.0);
}

fn least_(a: f32, b: f32) -> f32 {
    return select(select(a + b, a, a <= b), b, b < a);
}

fn largest_(a: f32, b: f32) -> f32 {
    return select(select(a + b, a, a >= b), b, b > a);
}

fn exp_(x0: f32) -> f32 {
    let x = clamp(x0, -87.33654, 88.72283);
    let k = floor(x * 1.442695040888963 + 0.5);
    let r = (x - k * 0.6933594) - k * -2.1219444e-4;
    var p = 1.9875691e-4;
    p = p * r + 1.3982e-3;
    p = p * r + 8.333452e-3;
    p = p * r + 4.1665796e-2;
    p = p * r + 1.6666665e-1;
    p = p * r + 0.5;
    p = (p * r) * r + r + 1.0;
    let n = i32(k);
    let half = n >> 1u;
    var y = p * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(n - half + 127) << 23u);
    y = select(y, 0.0, x0 < -87.33654);
    y = select(y, bitcast<f32>(0x7f800000u + (u32(n) & 0u)), x0 > 88.72283);
    return select(x0, y, x0 == x0);
}

fn ln_(x0: f32) -> f32 {
    let tiny = x0 < 1.1754944e-38;
    let x = select(x0, x0 * 8388608.0, tiny);
    let bits = bitcast<u32>(x) - 0x3f3504f3u;
    let e = f32(bitcast<i32>(bits) >> 23u) - select(0.0, 23.0, tiny);
    let m = bitcast<f32>((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0;
    let z = m * m;
    var p = 7.0376836e-2;
    p = p * m - 1.151461e-1;
    p = p * m + 1.1676999e-1;
    p = p * m - 1.2420141e-1;
    p = p * m + 1.4249323e-1;
    p = p * m - 1.6668057e-1;
    p = p * m + 2.0000715e-1;
    p = p * m - 2.4999994e-1;
    p = p * m + 3.333333e-1;
    let y = m + (p * m * z + e * -2.1219444e-4 - 0.5 * z) + e * 0.6933594;
    // Zero gives −∞ and a negative number NaN, without writing either as a literal.
    let infinite = bitcast<f32>(0x7f800000u | (bits & 0u));
    let positive = select(y, -infinite, x0 == 0.0);
    let whole = select(positive, infinite, x0 == infinite);
    return select(bitcast<f32>(0x7fc00000u | (bits & 0u)), whole, x0 >= 0.0);
}

fn quarter(x: f32) -> vec3<f32> {
    // Cody–Waite reduction by π/2 in three parts: good to |x| of a few thousand.
    let q = floor(x * 0.6366197723675814 + 0.5);
    let r = ((x - q * 1.5703125) - q * 4.837512969970703e-4) - q * 7.549789948768648e-8;
    let z = r * r;
    let s = ((-1.9515296e-4 * z + 8.332161e-3) * z - 1.6666655e-1) * z * r + r;
    let c = ((2.4433157e-5 * z - 1.3887316e-3) * z + 4.1666646e-2) * z * z - 0.5 * z + 1.0;
    return vec3<f32>(s, c, q);
}

// Sine and cosine of 2πu for u in [0, 1]; the reduction to a quarter turn is exact.
fn sin_cos_turns(u: f32) -> vec2<f32> {
    let q = floor(4.0 * u + 0.5);
    let r = (4.0 * u - q) * 1.5707964;
    let z = r * r;
    let s = ((-1.9515296e-4 * z + 8.332161e-3) * z - 1.6666655e-1) * z * r + r;
    let c = ((2.4433157e-5 * z - 1.3887316e-3) * z + 4.1666646e-2) * z * z - 0.5 * z + 1.0;
    let quadrant = u32(q) & 3u;
    let odd = (quadrant & 1u) == 1u;
    let sine = select(s, c, odd);
    let cosine = select(c, s, odd);
    return vec2<f32>(
        select(sine, -sine, (quadrant & 2u) == 2u),
        select(cosine, -cosine, ((quadrant + 1u) & 2u) == 2u),
    );
}

fn sin_(x: f32) -> f32 {
    let t = quarter(x);
    let quadrant = u32(i32(t.z)) & 3u;
    let y = select(t.x, t.y, (quadrant & 1u) == 1u);
    return select(y, -y, (quadrant & 2u) == 2u);
}

fn cos_(x: f32) -> f32 {
    let t = quarter(x);
    let quadrant = u32(i32(t.z)) & 3u;
    let y = select(t.y, t.x, (quadrant & 1u) == 1u);
    return select(y, -y, ((quadrant + 1u) & 2u) == 2u);
}

fn tanh_(x: f32) -> f32 {
    let a = min(abs(x), 15.0);
    let z = a * a;
    var p = -5.7049887e-3;
    p = p * z + 2.0639089e-2;
    p = p * z - 5.3739716e-2;
    p = p * z + 1.3331442e-1;
    p = p * z - 3.333328e-1;
    let small = p * z * a + a;
    let large = 1.0 - 2.0 / (exp_(2.0 * a) + 1.0);
    let y = select(large, small, a < 0.625);
    return select(x, select(y, -y, x < 0.0), x == x);
}

fn sigmoid_(x: f32) -> f32 {
    let tail = exp_(-abs(x));
    let large = 1.0 / (1.0 + tail);
    return select(large, tail * large, x < 0.0);
}

fn softplus_(x: f32) -> f32 {
    return largest_(x, 0.0) + ln_(1.0 + exp_(-abs(x)));
}

// arcsin for |x| at most one half.
fn asin_small(x: f32) -> f32 {
    let z = x * x;
    var p = 4.2163199e-2;
    p = p * z + 2.4181311e-2;
    p = p * z + 4.5470025e-2;
    p = p * z + 7.4953005e-2;
    p = p * z + 1.6666752e-1;
    return p * z * x + x;
}

fn acos_(x: f32) -> f32 {
    let c = select(select(x, 1.0, x > 1.0), -1.0, x < -1.0);
    let size = abs(c);
    let outer = 2.0 * asin_small(least_(sqrt(0.5 * (1.0 - size)), 0.5));
    let near = 1.5707964 - asin_small(least_(largest_(c, -0.5), 0.5));
    let far = select(outer, 3.1415927 - outer, c < 0.0);
    return select(near, far, size > 0.5);
}

// The arc-cosine kernels of degree 0 and 1.
fn arc_cosine0_(c: f32) -> f32 {
    return 1.0 - acos_(c) * 0.31830987;
}

fn arc_cosine1_(x: f32) -> f32 {
    let c = select(select(x, 1.0, x > 1.0), -1.0, x < -1.0);
    return sqrt((1.0 - c) * (1.0 + c)) * 0.31830987 + c * arc_cosine0_(c);
}
