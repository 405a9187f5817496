//! The same picture by the rasteriser and by the device. The folder `PAINTED`, if the variable is set, gets both as files.

use super::*;
use crate::exec::gpu::Part;
use crate::graph::Graph;
use crate::rng::{normal_vec, stream};
use crate::scene::{CloudStyle, Frame, Rect, TrailStyle, Trails, View};

pub(crate) const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const WIDTH: usize = 320;
const HEIGHT: usize = 200;

fn open() -> Device {
    pollster::block_on(Device::open()).expect("an adapter; software ones count")
}

fn painter() -> Painter {
    Painter::new(&open(), FORMAT)
}

/// Paints on the device and reads the pixels back.
pub(crate) fn painted(painter: &mut Painter, picture: &Picture) -> Vec<u8> {
    use wgpu::{BufferUsages, TextureUsages};
    let (width, height) = picture.ground.size();
    let device = painter.device.clone();
    let size = extent([width as u32, height as u32]);
    let target = device.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = target.create_view(&Default::default());
    painter.paint(&view, picture).expect("a live device");
    let row = (4 * width).next_multiple_of(256);
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let staging = device.buffer("pixels", (row * height) as u64, usage);
    let mut encoder = device.device.create_command_encoder(&Default::default());
    let to = wgpu::TexelCopyBufferInfo {
        buffer: &staging,
        layout: wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row as u32),
            rows_per_image: None,
        },
    };
    encoder.copy_texture_to_buffer(target.as_image_copy(), to, size);
    device.queue.submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("readable"));
    device.wait();
    assert_eq!(device.fault(), None);
    let bytes = staging.get_mapped_range(..).expect("mapped");
    let rows = bytes.chunks_exact(row);
    rows.flat_map(|row| &row[..4 * width]).copied().collect()
}

/// A ground with structure: a gradient.
fn ground() -> Canvas {
    let mut canvas = Canvas::default();
    canvas.resize(WIDTH, HEIGHT);
    let at = |i: usize| [250, (i % WIDTH * 200 / WIDTH) as u8, (i / WIDTH) as u8, 255];
    let pixels: Vec<u8> = (0..WIDTH * HEIGHT).flat_map(at).collect();
    canvas.paste([0, 0], WIDTH, &pixels);
    canvas
}

/// The foreground of a pane between these columns.
fn between(x0: f32, x1: f32, n: usize, d: usize) -> Foreground {
    let rect = Rect {
        x: x0,
        y: 10.0,
        w: x1 - x0,
        h: 180.0,
    };
    Foreground {
        n,
        d,
        axes: [0, d.min(2) - 1],
        view: View::fit(Frame::new([-2.0, -2.0, 2.0, 2.0]), rect),
        particles: Some(CloudStyle {
            colour: [200, 60, 20, 255],
            dense: [30, 30, 30, 255],
            rim: [255, 255, 255, 255],
            ratio: 1.0,
        }),
        trails: None,
    }
}

fn pane(n: usize, d: usize) -> Foreground {
    between(20.0, 300.0, n, d)
}

/// A foreground and its particles, step by step.
type Pane = (Foreground, Vec<Vec<f32>>);

fn cloud(n: usize, d: usize) -> Vec<f32> {
    normal_vec(1, stream::INIT, 0, n * d)
}

fn once(foreground: Foreground) -> Pane {
    (foreground, vec![cloud(foreground.n, foreground.d)])
}

/// Particles that spread for longer than trails are kept.
fn moving(n: usize, d: usize) -> Pane {
    let mut foreground = pane(n, d);
    foreground.axes = [d - 1, 0];
    foreground.trails = Some(TrailStyle {
        colour: [20, 60, 200, 255],
        ratio: 1.0,
    });
    let at = |step: u16| {
        let grown = 1.0 + 0.02 * f32::from(step);
        cloud(n, d).iter().map(|v| v * grown).collect()
    };
    (foreground, (0..60).map(at).collect())
}

/// A picture of the panes at one step.
fn picture<'a>(ground: &'a Canvas, panes: &'a [Pane], step: usize) -> Picture<'a> {
    let view = |(foreground, steps): &'a Pane| PaneView {
        foreground: *foreground,
        particles: Particles::Host(&steps[step]),
        step: step as u32,
        era: 0,
    };
    Picture {
        ground,
        revision: 1,
        panes: panes.iter().map(view).collect(),
    }
}

/// The last picture, by the rasteriser and by the device.
fn both(name: &str, painter: &mut Painter, panes: &[Pane]) -> [Vec<u8>; 2] {
    let ground = ground();
    let mut canvas = ground.clone();
    for (foreground, steps) in panes {
        let mut trails = Trails::default();
        for (step, x) in (0..).zip(steps) {
            trails.record(step, x, foreground.n, foreground.d);
        }
        foreground.paint(&mut canvas, &trails, steps.last().expect("a step"));
    }
    let mut pixels = Vec::new();
    for step in 0..panes[0].1.len() {
        pixels = painted(painter, &picture(&ground, panes, step));
    }
    if let Some(folder) = std::env::var_os("PAINTED") {
        let file = |by| std::path::Path::new(&folder).join(format!("{name}-{by}.rgba"));
        std::fs::write(file("cpu"), canvas.pixels()).expect("writable");
        std::fs::write(file("gpu"), &pixels).expect("writable");
    }
    [canvas.pixels().to_vec(), pixels]
}

/// Mean difference in levels of 255, and the largest with its byte.
pub(crate) fn difference(a: &[u8], b: &[u8]) -> (f64, u8, usize) {
    assert_eq!(a.len(), b.len());
    let each = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    let (worst, at) = each().zip(0..).fold((0, 0), |most, here| most.max(here));
    let sum: f64 = each().map(f64::from).sum();
    (sum / a.len() as f64, worst, at)
}

/// How much may differ: the mean by `atol + rtol·painted`, all in levels of 255, and any channel by `worst`.
struct Tolerance {
    atol: f64,
    rtol: f64,
    worst: u8,
}

/// The rasteriser rounds a disc's place to the middle of a quarter pixel, which is up to 0.18 pixels off: so much of an edge
/// pixel's coverage may differ, 42 of the 235 levels between particle and rim, and 10 more because a linear edge is not quite
/// a disc's. All in all that is about an eighth of what is painted.
const DISCS: Tolerance = Tolerance {
    atol: 0.0,
    rtol: 0.15,
    worst: 52,
};

/// The rasteriser rounds down, and a dot's edge as above: but a dot is fainter than a disc, and where dots overlap their
/// edges even out.
const CROWD: Tolerance = Tolerance {
    atol: 0.5,
    rtol: 0.02,
    worst: 26,
};

/// The rasteriser rounds what a segment adds to a pixel to a thirty-second, and segments end at every step.
const TRAILS: Tolerance = Tolerance {
    atol: 0.0,
    rtol: 0.12,
    worst: 52,
};

fn assert_same(what: &str, [cpu, gpu]: &[Vec<u8>; 2], tolerance: &Tolerance) {
    let (painted, ..) = difference(cpu, ground().pixels());
    let (mean, worst, at) = difference(cpu, gpu);
    println!("{what}: mean {mean:.3} of {painted:.3} levels, worst {worst}");
    assert!(
        painted > 1.0,
        "{what}: hardly anything is painted, {painted} levels"
    );
    let close = mean <= tolerance.atol + tolerance.rtol * painted && worst <= tolerance.worst;
    let (x, y) = (at / 4 % WIDTH, at / 4 / WIDTH);
    assert!(
        close,
        "{what} differs: mean {mean} of {painted} levels; worst {worst} at ({x}, {y})"
    );
}

fn assert_same_by_both(what: &str, panes: &[Pane], tolerance: &Tolerance) {
    assert_same(what, &both(what, &mut painter(), panes), tolerance);
}

#[test]
fn discs_look_the_same() {
    assert_same_by_both("discs", &[once(pane(120, 2))], &DISCS);
    let mut fine = pane(120, 2);
    fine.particles = fine.particles.map(|style| CloudStyle {
        ratio: 2.0,
        ..style
    });
    assert_same_by_both("fine discs", &[once(fine)], &DISCS);
}

#[test]
#[should_panic(expected = "discs differs")]
fn a_cloud_half_a_pixel_off_is_noticed() {
    let mut shifted = once(pane(120, 2));
    let [cpu, _] = both("discs", &mut painter(), &[shifted.clone()]);
    shifted.0.view.origin[0] += 0.5;
    let [_, gpu] = both("discs", &mut painter(), &[shifted]);
    assert_same("discs", &[cpu, gpu], &DISCS);
}

#[test]
fn crowds_look_the_same() {
    assert_same_by_both("crowd", &[once(pane(5_000, 2))], &CROWD);
    assert_same_by_both("dense crowd", &[once(pane(100_000, 2))], &CROWD);
}

#[test]
#[should_panic(expected = "crowd differs")]
fn a_crowd_without_its_dense_colour_is_noticed() {
    let mut plain = once(pane(100_000, 2));
    let [cpu, _] = both("crowd", &mut painter(), &[plain.clone()]);
    plain.0.particles = plain.0.particles.map(|style| CloudStyle {
        dense: style.colour,
        ..style
    });
    let [_, gpu] = both("crowd", &mut painter(), &[plain]);
    assert_same("crowd", &[cpu, gpu], &CROWD);
}

#[test]
fn clouds_on_the_line_look_the_same() {
    assert_same_by_both("line", &[once(pane(150, 1))], &DISCS);
    assert_same_by_both("crowded line", &[once(pane(3_000, 1))], &CROWD);
}

#[test]
fn trails_look_the_same() {
    assert_same_by_both("trails", &[moving(150, 3)], &TRAILS);
    let mut alone = moving(2_500, 2);
    alone.0.particles = None;
    assert_same_by_both("trails of a crowd", &[alone], &TRAILS);
}

#[test]
fn panes_look_the_same_side_by_side() {
    let few = once(between(20.3, 140.7, 40, 2));
    let many = once(between(161.7, 291.7, 4_000, 5));
    assert_same_by_both("panes", &[few, many], &DISCS);
}

#[test]
fn bad_particles_are_left_out() {
    let mut bad = moving(150, 2);
    for x in &mut bad.1 {
        let poison = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            3e38,
            -3e38,
            1e5,
            1e-42,
        ];
        for (x, poison) in x.iter_mut().step_by(3).zip(poison) {
            *x = poison;
        }
    }
    assert_same_by_both("poison", &[bad], &TRAILS);
}

#[test]
fn a_million_particles_are_painted() {
    assert_same_by_both("million", &[once(pane(1_000_000, 2))], &CROWD);
}

#[test]
fn particles_are_drawn_where_a_run_has_them() {
    let (n, d) = (120, 4);
    let g = Graph::default();
    let other = g.input("a", &[7]);
    g.assign("a", 1.0 * other);
    let x = g.input("x", &[n, d]);
    g.assign("x", 0.5 * x);
    let program = g.compile("halve");
    let device = open();
    let gpu = Gpu::new(&device, &[(&program, Part::Step)], 1).expect("fits");
    let start = cloud(n, d);
    gpu.set("x", &start);
    let mut batch = gpu.batch();
    batch.run(0);
    batch.submit();
    let (_, offset) = gpu.place_of("x").expect("a buffer");
    assert!(offset > 0, "the other buffer comes first");
    let mut foreground = pane(n, d);
    foreground.axes = [3, 1];
    let ground = ground();
    let mut canvas = ground.clone();
    let halved: Vec<f32> = start.iter().map(|v| 0.5 * v).collect();
    foreground.paint(&mut canvas, &Trails::default(), &halved);
    let picture = Picture {
        ground: &ground,
        revision: 0,
        panes: vec![PaneView {
            foreground,
            particles: Particles::Run(&gpu, "x"),
            step: 1,
            era: 0,
        }],
    };
    let pixels = painted(&mut Painter::new(&device, FORMAT), &picture);
    assert_same("a run", &[canvas.pixels().to_vec(), pixels], &DISCS);
}

#[test]
fn trails_are_forgotten_with_their_run() {
    let (ground, panes) = (ground(), [moving(150, 3)]);
    let changes: [fn(&mut PaneView); 3] = [
        |pane| pane.step = 2,
        |pane| pane.era = 1,
        |pane| pane.foreground.axes = [1, 0],
    ];
    for change in changes {
        let mut painter = painter();
        for step in 5..8 {
            painted(&mut painter, &picture(&ground, &panes, step));
        }
        let mut next = picture(&ground, &panes, 8);
        let with_trails = painted(&mut painter, &next);
        // The same step again adds nothing.
        assert_eq!(painted(&mut painter, &next), with_trails);
        change(&mut next.panes[0]);
        let anew = painted(&mut painter, &next);
        assert_ne!(anew, with_trails);
        next.panes[0].foreground.trails = None;
        assert_eq!(anew, painted(&mut painter, &next));
    }
}

#[test]
fn the_ground_changes_with_its_revision_and_size() {
    let mut painter = painter();
    let mut canvas = ground();
    let panes = [(pane(1, 2), vec![vec![f32::NAN; 2]])];
    assert_eq!(
        painted(&mut painter, &picture(&canvas, &panes, 0)),
        ground().pixels()
    );
    canvas.clear([9, 8, 7, 255]);
    assert_eq!(
        painted(&mut painter, &picture(&canvas, &panes, 0)),
        ground().pixels()
    );
    let mut new = picture(&canvas, &panes, 0);
    new.revision = 2;
    assert_eq!(painted(&mut painter, &new), canvas.pixels());
    let mut small = Canvas::default();
    small.resize(33, 21);
    small.clear([1, 2, 3, 255]);
    new.ground = &small;
    assert_eq!(painted(&mut painter, &new), small.pixels());
}

#[test]
fn a_picture_that_cannot_be_painted_is_an_error() {
    let mut painter = painter();
    let target = Textures::new(&painter.device, &painter.pipelines, [1, 1]).depth;
    let (empty, panes) = (Canvas::default(), [once(pane(10, 2))]);
    let refused = painter.paint(&target, &picture(&empty, &panes, 0));
    assert!(
        matches!(&refused, Err(GpuError::Refused(why)) if why.contains("0 × 0")),
        "{refused:?}"
    );
    assert_eq!(painter.device.fault(), None, "the device is fine");
    painter.device.destroy();
    let refused = painter.paint(&target, &picture(&ground(), &panes, 0));
    assert!(matches!(refused, Err(GpuError::Lost(_))), "{refused:?}");
}
