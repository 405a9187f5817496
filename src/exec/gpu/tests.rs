//! The device against the CPU executor: every kernel, every system, awkward shapes. Without an adapter these tests fail.

use super::Gpu;
use crate::exec::Cpu;
use crate::exec::tests::{SHAPES, everything};
use crate::graph::{Draw, Graph, Program};
use crate::rng;

fn open() -> Gpu {
    pollster::block_on(Gpu::open())
        .expect("a Vulkan, Metal or DirectX adapter; software ones count")
}

/// Runs a program on both executors and returns buffer `name` of each.
fn both(
    program: &Program,
    inputs: &[(&str, Vec<f32>)],
    uniforms: &[(&'static str, f32)],
    steps: u32,
    name: &str,
) -> [Vec<f32>; 2] {
    let mut cpu = Cpu::<f32>::default();
    let on_cpu = cpu.load(program);
    let mut gpu = open();
    gpu.seed = 5;
    cpu.seed = 5;
    let on_gpu = gpu.load(program);
    pollster::block_on(gpu.seal()).expect("shaders compile");
    for (name, data) in inputs {
        cpu.set(name, data);
        gpu.set(name, data);
    }
    for &(name, value) in uniforms {
        cpu.uniform(name, value);
        gpu.uniform(name, value);
    }
    gpu.clock(0, 1);
    gpu.run(on_gpu, steps);
    for step in 0..steps {
        cpu.step = step;
        cpu.run(on_cpu);
    }
    let device = gpu.read(name).expect("a live device");
    [cpu.get(name).expect("assigned").to_vec(), device]
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

#[test]
fn random_words_are_bit_identical() {
    let g = Graph::default();
    g.assign("uniform", g.random(Draw::Uniform, 8, &[1001]));
    let [cpu, gpu] = both(&g.compile("draws"), &[], &[], 1, "uniform");
    assert_eq!(cpu, gpu);
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
