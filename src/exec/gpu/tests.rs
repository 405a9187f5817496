//! The device against the CPU executor: every kernel, every system, awkward shapes. Without an adapter these tests fail.

use super::{Arrived, Device, Gpu, GpuError, Part, Report, bytes_needed, costs};
use crate::exec::Cpu;
use crate::exec::tests::{SHAPES, everything};
use crate::expr::Expr;
use crate::graph::{Draw, Graph, PairSum, PotentialFlow, Program, Transposed, Wanted};
use crate::rng;

fn open() -> Device {
    pollster::block_on(Device::open())
        .expect("a Vulkan, Metal or DirectX adapter; software ones count")
}

/// Whether all values so far were finite, and the state.
fn report(gpu: &Gpu) -> Arrived {
    let mut slot = gpu.slot();
    gpu.batch().submit_with(&mut slot, Report::State);
    gpu.device().wait();
    slot.take().expect("waited for").expect("a live device")
}

/// Runs a program on both executors and returns buffer `name` of each.
fn both(
    program: &Program,
    inputs: &[(&str, Vec<f32>)],
    uniforms: &[(&'static str, f32)],
    steps: u32,
    name: &str,
) -> [Vec<f32>; 2] {
    let [pair] = all(program, inputs, uniforms, steps, [name]);
    pair
}

/// [`both`] for several buffers.
fn all<const K: usize>(
    program: &Program,
    inputs: &[(&str, Vec<f32>)],
    uniforms: &[(&'static str, f32)],
    steps: u32,
    names: [&str; K],
) -> [[Vec<f32>; 2]; K] {
    let mut cpu = Cpu::<f32>::default();
    let on_cpu = cpu.load(program);
    let mut gpu = Gpu::new(&open(), &[(program, Part::Step)], 5).expect("fits");
    cpu.seed = 5;
    for (name, data) in inputs {
        cpu.set(name, data);
        gpu.set(name, data);
    }
    for &(name, value) in uniforms {
        cpu.uniform(name, value);
        gpu.uniform(name, value);
    }
    let mut batch = gpu.batch();
    for step in 0..steps {
        batch.run(0);
        cpu.step = step;
        cpu.run(on_cpu);
    }
    batch.submit();
    names.map(|name| {
        let known = cpu.get(name).expect("assigned").to_vec();
        [known, gpu.read(name).expect("a live device")]
    })
}

fn assert_close(what: &str, [cpu, gpu]: &[Vec<f32>; 2], tolerance: f32) {
    for (i, (c, g)) in cpu.iter().zip(gpu).enumerate() {
        let close = (c - g).abs() <= tolerance * (1.0 + c.abs());
        assert!(close, "{what}, entry {i}: cpu {c}, gpu {g}");
    }
}

#[test]
fn every_kernel_agrees_with_the_cpu() {
    for n in SHAPES {
        for d in [1, 2, 3, 7] {
            let program = everything(n, d);
            let x = rng::normal_vec(11, 0, 0, n * d);
            let values = both(&program, &[("x", x)], &[("step", 0.1)], 3, "x");
            // Three steps, each a sum of up to 1000 terms in another order: a few hundred roundings of 6e-8.
            assert_close(&format!("n = {n}, d = {d}"), &values, 5e-5);
        }
    }
}

/// φ(a b + bias) of an n×k and a k×m matrix, either read transposed, and the sum of the product's columns.
fn layer(n: usize, k: usize, m: usize, ta: Transposed, tb: Transposed) -> Program {
    let g = Graph::default();
    let operand = |name, rows, columns, t| match t {
        Transposed::No => g.input(name, &[rows, columns]),
        Transposed::Yes => g.input(name, &[columns, rows]),
    };
    let (a, b) = (operand("a", n, k, ta), operand("b", k, m, tb));
    let bias = g.input("bias", &[1, m]);
    let product = a.matmul_with(b, ta, tb);
    g.assign("out", (product + bias).tanh());
    g.compile("layer")
}

#[test]
fn products_agree_with_the_cpu_at_any_size_and_however_they_lie() {
    use Transposed::{No, Yes};
    for (n, k, m) in [
        (33, 17, 31),
        (1, 100, 65),
        (65, 64, 1),
        (7, 300, 9),
        (130, 63, 3),
        (8, 1000, 8),
        (64, 65, 64),
        (3, 18, 129),
        (257, 20, 40),
    ] {
        for (ta, tb) in [(No, No), (Yes, No), (No, Yes), (Yes, Yes)] {
            let program = layer(n, k, m, ta, tb);
            let scale = 1.0 / (k as f32).sqrt();
            let a: Vec<f32> = rng::normal_vec(1, 0, 0, n * k);
            let a = a.into_iter().map(|v| v * scale).collect();
            let inputs = [
                ("a", a),
                ("b", rng::normal_vec(2, 0, 0, k * m)),
                ("bias", rng::normal_vec(3, 0, 0, m)),
            ];
            let values = both(&program, &inputs, &[], 1, "out");
            // Sums of size 1 over up to 1000 terms, in another order where they are split.
            assert_close(&format!("{n}×{k}×{m}, {ta:?} {tb:?}"), &values, 5e-6);
        }
    }
}

/// Ends and gradients of flows at sizes around workgroups, one residual layer and more, there and back.
#[test]
fn flows_agree_with_the_cpu() {
    for (n, d, hidden, layers, span) in [(63, 2, 32, 1, [0.0, 1.0]), (130, 3, 9, 2, [1.0, 0.0])] {
        let flow = PotentialFlow {
            d,
            hidden,
            layers,
            rank: 2,
            steps: 2,
            span,
            alpha: 1.3,
        };
        let g = Graph::default();
        let (x, theta) = (
            g.input("x", &[n, d]),
            g.input("theta", &[flow.parameters()]),
        );
        let adjoint = [g.input("offset", &[n, d + 3]), g.input("slope", &[d + 3])];
        g.assign("end", g.potential_flow(flow, x, theta));
        for (name, wanted) in [("by_theta", Wanted::Parameters), ("by_x", Wanted::Samples)] {
            g.assign(
                name,
                g.potential_flow_gradient(flow, wanted, [x, theta], adjoint),
            );
        }
        let program = g.compile("flow");
        let scale = 0.7 / (hidden as f32).sqrt();
        let theta = rng::normal_vec(2, 0, 0, flow.parameters());
        let inputs = [
            ("x", rng::normal_vec(1, 0, 0, n * d)),
            ("theta", theta.iter().map(|v| scale * v).collect()),
            ("offset", rng::normal_vec(3, 0, 0, n * (d + 3))),
            ("slope", rng::normal_vec(4, 0, 0, d + 3)),
        ];
        let names = ["end", "by_theta", "by_x"];
        for (name, [cpu, gpu]) in names.iter().zip(all(&program, &inputs, &[], 1, names)) {
            let size = cpu.iter().fold(1e-3, |m: f32, v| m.max(v.abs()));
            let worst = cpu.iter().zip(&gpu).fold(0.0, |m: f32, (c, g)| {
                let off = (c - g).abs();
                if off <= m { m } else { off }
            });
            println!("{name}, n {n}, {flow:?}: {:e}", worst / size);
            // Eight evaluations and sums over up to 200 samples in another order, 6e-8 each.
            assert!(
                worst / size < 2e-5,
                "{name}, n {n}, {flow:?}: {:e}",
                worst / size
            );
        }
    }
}

#[test]
fn a_dense_layer_is_one_dispatch() {
    let dispatches = |program: &Program| costs(&[(program, Part::Step)])[0].dispatches;
    let program = layer(1024, 64, 64, Transposed::No, Transposed::No);
    assert_eq!(dispatches(&program), 2, "the layer and the commit");
    // A product that something else reads too keeps memory of its own; its hyperbolic tangent is cheap enough to inline.
    let g = Graph::default();
    let product = g.input("a", &[1024, 64]).matmul(g.input("b", &[64, 64]));
    g.assign("out", product.tanh().matmul(g.input("c", &[64, 64])));
    g.assign("product", product);
    assert_eq!(
        dispatches(&g.compile("two")),
        3,
        "two products and the commit"
    );
}

/// Weights of a pairwise sum with more channels than a thread has registers, as third derivatives in many dimensions have.
#[test]
fn many_channels_agree_with_the_cpu() {
    for (d, channels) in [(3, 250), (6, 250), (1, 255), (20, 600)] {
        let g = Graph::default();
        let (x, y) = (g.input("x", &[70, d]), g.input("y", &[65, d]));
        let v = g.input("v", &[65, channels]);
        let (r2, dot) = (Expr::arg(0), Expr::arg(1));
        let sum = PairSum {
            kernels: vec![(r2 * -0.1).exp(), dot * 0.1],
            channels: vec![channels - 7, 7],
        };
        g.assign("out", g.pair_sum(sum, x, y, v, &[]));
        let inputs = [
            ("x", rng::normal_vec(1, 0, 0, 70 * d)),
            ("y", rng::normal_vec(2, 0, 0, 65 * d)),
            ("v", rng::normal_vec(3, 0, 0, 65 * channels)),
        ];
        let values = both(&g.compile("wide"), &inputs, &[], 1, "out");
        // 65 terms of order 1 in another order.
        assert_close(&format!("d = {d}, {channels} channels"), &values, 1e-5);
    }
}

#[test]
fn random_words_are_bit_identical() {
    let g = Graph::default();
    g.assign("uniform", g.random(Draw::Uniform, 8, &[1001]));
    let [cpu, gpu] = both(&g.compile("draws"), &[], &[], 1, "uniform");
    assert_eq!(cpu, gpu);
}

#[test]
fn sources_of_samples_are_drawn_alike() {
    use crate::data::SourceParams;
    use crate::params::{Params, Spec};
    let kinds = SourceParams::default().specs();
    let kinds = kinds.iter().find(|s: &&Spec| s.key == "source");
    for kind in kinds.expect("a choice").choices {
        let mut params = SourceParams::default();
        assert_eq!(params.set("source", kind.id), Some(Ok(())));
        let table = crate::data::Table {
            columns: 2,
            values: rng::normal_vec(1, 0, 0, 200),
            ..Default::default()
        };
        let source = params.build(3, Some(&table)).expect("a source");
        let g = Graph::default();
        g.assign("rows", source.draw(&g, 1001, rng::stream::BATCH));
        let rows = both(&g.compile("draw"), &[], &[], 2, "rows");
        // Normals come from polynomials of the device, to some units in the last place.
        assert_close(kind.id, &rows, 1e-5);
    }
}

#[test]
#[should_panic(expected = "entry 3")]
fn the_comparison_can_fail() {
    assert_close(
        "made up",
        &[vec![1.0; 5], vec![1.0, 1.0, 1.0, 1.1, 1.0]],
        1e-3,
    );
}

/// x ← 2x, y ← x.
fn doubling(n: usize) -> Program {
    let g = Graph::default();
    let x = g.input("x", &[n]);
    g.assign("y", x);
    g.assign("x", 2.0 * x);
    g.compile("double")
}

#[test]
fn values_are_read_before_any_buffer_changes() {
    let program = doubling(65);
    let gpu = Gpu::new(&open(), &[(&program, Part::Step)], 1).expect("fits");
    gpu.set("x", &[1.0; 65]);
    let mut batch = gpu.batch();
    (0..3).for_each(|_| batch.run(0));
    batch.submit();
    assert_eq!(gpu.read("x").expect("a live device"), [8.0; 65]);
    assert_eq!(gpu.read("y").expect("a live device"), [4.0; 65]);
}

#[test]
fn bad_values_raise_the_flag_and_kept_states_come_back() {
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let program = doubling(64);
        let gpu = Gpu::new(&open(), &[(&program, Part::Step)], 1).expect("fits");
        let mut x = vec![1e-40; 64];
        gpu.set("x", &x);
        let slot = gpu.slot();
        let mut batch = gpu.batch();
        batch.keep(&slot);
        batch.run(0);
        batch.submit();
        assert!(report(&gpu).finite, "a denormal is fine");
        x[63] = poison;
        gpu.set("x", &x);
        let mut batch = gpu.batch();
        batch.run(0);
        batch.submit();
        assert!(!report(&gpu).finite, "{poison}");
        gpu.rewind(0);
        let mut batch = gpu.batch();
        batch.restore(&slot);
        batch.submit();
        assert!(report(&gpu).finite);
        assert!(
            gpu.read("x")
                .expect("a live device")
                .iter()
                .all(|v| v.is_finite())
        );
    }
}

#[test]
fn a_program_aside_may_be_bad_and_does_not_move_the_clock() {
    let g = Graph::default();
    let x = g.input("x", &[8]);
    g.assign("forces", 1.0 / (x - x));
    let aside = g.compile("aside");
    let step = doubling(8);
    let programs = [(&step, Part::Step), (&aside, Part::Aside)];
    let gpu = Gpu::new(&open(), &programs, 1).expect("fits");
    gpu.set("x", &[1.0; 8]);
    let mut batch = gpu.batch();
    batch.run(1);
    batch.submit();
    let arrived = report(&gpu);
    assert!(arrived.finite && arrived.state.iter().any(|v| !v.is_finite()));
}

#[test]
fn a_run_that_does_not_fit_says_so() {
    let device = open();
    let n = device.capacity() as usize / 4 + 4;
    let program = doubling(n);
    let programs = [(&program, Part::Step)];
    assert!(bytes_needed(&programs) > device.capacity());
    let refused = Gpu::new(&device, &programs, 1).err();
    assert!(
        matches!(refused, Some(GpuError::TooLarge { .. })),
        "{refused:?}"
    );
    assert_eq!(device.fault(), None, "the device is fine");
}

#[test]
fn a_refused_shader_names_line_and_column() {
    let device = open();
    let layout = super::Memory::new(&device, 16).1;
    let source = "@compute @workgroup_size(1)\nfn main() { let a: u32 = 1.5; }";
    device.pipeline("made up", source, Some(&layout));
    let Some(GpuError::Shader { label, message }) = device.fault() else {
        panic!("{:?}", device.fault())
    };
    assert!(
        label == "made up" && message.contains("line 2, column"),
        "{message}"
    );
}

#[test]
fn nothing_panics_on_a_lost_device() {
    let device = open();
    let program = doubling(64);
    let mut gpu = Gpu::new(&device, &[(&program, Part::Step)], 1).expect("fits");
    let mut slot = gpu.slot();
    device.destroy();
    gpu.set("x", &[1.0; 64]);
    gpu.uniform("step", 1.0);
    gpu.rewind(3);
    let mut batch = gpu.batch();
    batch.run(0);
    batch.submit_with(&mut slot, Report::State);
    device.poll();
    assert!(matches!(device.fault(), Some(GpuError::Lost(_))));
    assert!(Gpu::new(&device, &[(&program, Part::Step)], 1).is_err());
}
