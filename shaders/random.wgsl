// Threefry2x32 with 20 rounds and what is drawn from it; the twin of `src/rng.rs`, bit for bit up to the words.

fn rotate_left(x: u32, by: u32) -> u32 {
    return (x << by) | (x >> (32u - by));
}

fn threefry2x32(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
    let last = key.x ^ key.y ^ 0x1BD11BDAu;
    var x = counter.x + key.x;
    var y = counter.y + key.y;
    x += y; y = rotate_left(y, 13u) ^ x; x += y; y = rotate_left(y, 15u) ^ x;
    x += y; y = rotate_left(y, 26u) ^ x; x += y; y = rotate_left(y, 6u) ^ x;
    x += key.y; y += last + 1u;
    x += y; y = rotate_left(y, 17u) ^ x; x += y; y = rotate_left(y, 29u) ^ x;
    x += y; y = rotate_left(y, 16u) ^ x; x += y; y = rotate_left(y, 24u) ^ x;
    x += last; y += key.x + 2u;
    x += y; y = rotate_left(y, 13u) ^ x; x += y; y = rotate_left(y, 15u) ^ x;
    x += y; y = rotate_left(y, 26u) ^ x; x += y; y = rotate_left(y, 6u) ^ x;
    x += key.x; y += key.y + 3u;
    x += y; y = rotate_left(y, 17u) ^ x; x += y; y = rotate_left(y, 29u) ^ x;
    x += y; y = rotate_left(y, 16u) ^ x; x += y; y = rotate_left(y, 24u) ^ x;
    x += key.y; y += last + 4u;
    x += y; y = rotate_left(y, 13u) ^ x; x += y; y = rotate_left(y, 15u) ^ x;
    x += y; y = rotate_left(y, 26u) ^ x; x += y; y = rotate_left(y, 6u) ^ x;
    x += last; y += key.x + 5u;
    return vec2<u32>(x, y);
}

fn uniform01(bits: u32) -> f32 {
    return (f32(bits >> 8u) + 0.5) * 5.9604644775390625e-8;
}

fn draw_uniform(seed: u32, stream: u32, step: u32, index: u32) -> f32 {
    let bits = threefry2x32(vec2<u32>(seed, stream), vec2<u32>(step, index / 2u));
    return uniform01(select(bits.x, bits.y, (index & 1u) == 1u));
}

fn draw_normal(seed: u32, stream: u32, step: u32, index: u32) -> f32 {
    let bits = threefry2x32(vec2<u32>(seed, stream), vec2<u32>(step, index / 2u));
    let radius = sqrt(-2.0 * ln_(uniform01(bits.x)));
    let turn = sin_cos_turns(uniform01(bits.y));
    return radius * select(turn.y, turn.x, (index & 1u) == 1u);
}
