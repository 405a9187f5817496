// Particles and trails drawn from the memory of a run. Twins: src/scene/raster.rs (discs), src/scene/raster/accumulate.rs
// (depth, segments, tones), src/scene/trails.rs (the ring), src/scene/histogram.rs (the strip). Every constant comes from there
// through `pane`. Pixels have their centres at halves; colours are sRGB bytes over 255, written as they are.

struct Pane {
    clip: vec4<f32>,    // x0, y0, x1, y1 in whole pixels
    colour: vec4<f32>,  // of a particle, with its opacity
    second: vec4<f32>,  // the rim with its opacity, or the dense colour with its largest share
    trail: vec4<f32>,   // of a trail, with its opacity
    size: vec2<f32>,    // of the picture
    origin: vec2<f32>,
    strip: vec2<f32>,   // lowest dots, and how far the highest lie above them
    halves: vec2<f32>,  // half widths of the thinnest and the thickest line
    scale: f32,
    radius: f32,
    outer: f32,
    half_width: f32,
    rate: f32,          // optical thickness of one full coverage by particles, and by trails
    trail_rate: f32,
    saturated: f32,
    spread: f32,
    axes: vec2<u32>,
    offset: u32,
    d: u32,
    followed: u32,
    stride: u32,
    length: u32,        // places in the ring
    latest: u32,        // the place filled last
    scatter: u32,
}

@group(0) @binding(0) var<uniform> pane: Pane;
@group(0) @binding(1) var<storage, read> particles: array<f32>;
@group(0) @binding(2) var<storage, read> ring: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> ring_written: array<vec2<f32>>;
@group(1) @binding(0) var ground: texture_2d<f32>;
// Coverage summed up: by trails, by particles.
@group(1) @binding(1) var depth: texture_2d<f32>;

fn particle(i: u32) -> vec2<f32> {
    let at = pane.offset + i * pane.d;
    return vec2(particles[at + pane.axes.x], particles[at + pane.axes.y]);
}

fn to_pixel(p: vec2<f32>) -> vec2<f32> {
    return pane.origin + vec2(p.x, -p.y) * pane.scale;
}

// Comparisons with NaN are unspecified, so the bits decide.
fn is_finite(p: vec2<f32>) -> bool {
    return all((bitcast<vec2<u32>>(p) & vec2(0x7f800000u)) != vec2(0x7f800000u));
}

fn on_screen(pixel: vec2<f32>) -> vec4<f32> {
    let p = pixel / pane.size * 2.0 - 1.0;
    return vec4(p.x, -p.y, 0.0, 1.0);
}

// Corner of the unit square for vertex 0–5 of two triangles.
fn corner(v: u32) -> vec2<f32> {
    return vec2(f32((50u >> v) & 1u), f32((44u >> v) & 1u));
}

// Keeps the shown coordinates of the particles that leave trails.
@compute @workgroup_size(64)
fn record(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < pane.followed) {
        ring_written[pane.latest * pane.followed + id.x] = particle(id.x * pane.stride);
    }
}

struct Disc {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) centre: vec2<f32>,
}

// A square around each particle, six vertices; none for a particle that is not finite or not in the pane.
@vertex
fn square(@builtin(vertex_index) vertex: u32) -> Disc {
    let i = vertex / 6u;
    var centre = to_pixel(particle(i));
    if (pane.d == 1u) {
        centre.y = pane.strip.x - pane.strip.y * f32(i * pane.scatter) / 4294967295.0;
    }
    let reach = pane.outer + 1.0;
    let inside = all(centre > pane.clip.xy - reach) && all(centre < pane.clip.zw + reach);
    var out = Disc(vec4(0.0, 0.0, 0.0, 1.0), centre);
    if (is_finite(centre) && inside) {
        out.position = on_screen(centre + reach * (2.0 * corner(vertex % 6u) - 1.0));
    }
    return out;
}

// Share of a pixel at this distance that a disc covers. A linear edge one pixel wide has the disc's area for this radius.
fn covered(distance: f32, radius: f32) -> f32 {
    return clamp(sqrt(radius * radius - 1.0 / 12.0) + 0.5 - distance, 0.0, 1.0);
}

@fragment
fn disc(in: Disc) -> @location(0) vec4<f32> {
    let distance = length(in.position.xy - in.centre);
    let fill = covered(distance, pane.radius) * pane.colour.a;
    // The rim lies behind the disc.
    let halo = covered(distance, pane.outer) * pane.second.a * (1.0 - fill);
    return vec4(fill * pane.colour.rgb + halo * pane.second.rgb, fill + halo);
}

@fragment
fn dot_depth(in: Disc) -> @location(0) vec4<f32> {
    return vec4(0.0, covered(length(in.position.xy - in.centre), pane.radius), 0.0, 0.0);
}

struct Segment {
    @builtin(position) position: vec4<f32>,
    // Both ends, along and across the longer axis, the first end first.
    @location(0) @interpolate(flat) ends: vec4<f32>,
    @location(1) @interpolate(flat) steep: u32,
    @location(2) @interpolate(flat) weight: f32,
}

fn slope(ends: vec4<f32>) -> f32 {
    return (ends.w - ends.y) / max(ends.z - ends.x, 1e-6);
}

fn half_across(slope: f32) -> f32 {
    return clamp(pane.half_width * sqrt(1.0 + slope * slope), pane.halves.x, pane.halves.y);
}

fn swapped(p: vec2<f32>, steep: bool) -> vec2<f32> {
    return select(p, p.yx, steep);
}

// A parallelogram around each segment, six vertices: the newest segments of all trails first, then older ones.
@vertex
fn segment(@builtin(vertex_index) vertex: u32) -> Segment {
    let s = vertex / 6u;
    let age = 1u + s / pane.followed;
    let i = s % pane.followed;
    let place = pane.latest + pane.length - age;
    let a = to_pixel(ring[place % pane.length * pane.followed + i]);
    let b = to_pixel(ring[(place + 1u) % pane.length * pane.followed + i]);
    let step = abs(b - a);
    let steep = step.y > step.x;
    let first = swapped(a, steep);
    let second = swapped(b, steep);
    let ends = select(vec4(second, first), vec4(first, second), first.x <= second.x);
    let fade = 1.0 - f32(age) / f32(pane.length);
    var out = Segment(vec4(0.0, 0.0, 0.0, 1.0), ends, u32(steep), fade * fade);
    let beside = any(max(a, b) < pane.clip.xy) || any(min(a, b) > pane.clip.zw);
    if (is_finite(a) && is_finite(b) && all(abs(vec4(a, b)) < vec4(1e6)) && !beside) {
        let at = corner(vertex % 6u);
        let tilt = slope(ends);
        let u = select(floor(ends.x), ceil(ends.z), at.x > 0.5);
        let reach = half_across(tilt) + abs(tilt) + 1.0;
        let v = ends.y + tilt * (u - ends.x) + select(-reach, reach, at.y > 0.5);
        out.position = on_screen(swapped(vec2(u, v), steep));
    }
    return out;
}

// The share of this pixel's column that the segment spans, times the share of the pixel across it that the width covers.
@fragment
fn segment_depth(in: Segment) -> @location(0) vec4<f32> {
    let pixel = floor(swapped(in.position.xy, in.steep == 1u));
    let tilt = slope(in.ends);
    let start = max(pixel.x, in.ends.x);
    let end = min(pixel.x + 1.0, in.ends.z);
    let v = in.ends.y + tilt * (0.5 * (start + end) - in.ends.x);
    let half = half_across(tilt);
    let across = min(v + half, pixel.y + 1.0) - max(v - half, pixel.y);
    return vec4(max(end - start, 0.0) * max(across, 0.0) * in.weight, 0.0, 0.0, 0.0);
}

// One triangle that holds the picture.
@vertex
fn everywhere(@builtin(vertex_index) vertex: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(vertex & 1u) * 4.0 - 1.0, f32(vertex >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn behind(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return vec4(textureLoad(ground, vec2<i32>(position.xy), 0).rgb, 1.0);
}

// Premultiplied colour of optical thickness t: opacity 1 − e^−t, colour from thin to dense.
fn tone(t: f32, thin: vec4<f32>, dense: vec4<f32>) -> vec4<f32> {
    let opacity = (1.0 - exp(max(-t, -80.0))) * thin.a;
    let deep = min(log(1.0 + t) * pane.spread, dense.a);
    return vec4(mix(thin.rgb, dense.rgb, deep) * opacity, opacity);
}

fn over(front: vec4<f32>, back: vec3<f32>) -> vec3<f32> {
    return front.rgb + (1.0 - front.a) * back;
}

@fragment
fn developed(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let at = vec2<i32>(position.xy);
    let covers = min(textureLoad(depth, at, 0).rg, vec2(pane.saturated));
    let trails = tone(covers.x * pane.trail_rate, pane.trail, vec4(pane.trail.rgb, 0.0));
    let cloud = tone(covers.y * pane.rate, pane.colour, pane.second);
    return vec4(over(cloud, over(trails, textureLoad(ground, at, 0).rgb)), 1.0);
}
