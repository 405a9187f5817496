//! Every system on the device against the same system on the CPU: one step at a time from equal states.
//!
//! The composed shaders are left in `target/tmp/shaders.json`, where the browser tests find them: a shader that compiles
//! natively need not compile in a browser.
#![cfg(not(target_arch = "wasm32"))]

use pushforward::exec::Cpu;
use pushforward::exec::gpu::{Device, Gpu};
use pushforward::systems::{Command, Inputs, REGISTRY};
use std::path::Path;

/// Configurations by link keys; every density, kernel and optimiser appears.
const CASES: &[(&str, &[(&str, &str)])] = &[
    ("svgd", &[("target", "banana"), ("n", "64")]),
    ("svgd", &[("target", "gaussian"), ("n", "63"), ("d", "5")]),
    (
        "svgd",
        &[("target", "gaussian"), ("n", "65"), ("kernel", "bilinear")],
    ),
    (
        "svgd",
        &[
            ("target", "ring"),
            ("n", "65"),
            ("kernel", "imq"),
            ("bandwidth", "0.5"),
        ],
    ),
    (
        "svgd",
        &[("target", "moons"), ("n", "64"), ("optimizer", "adagrad")],
    ),
    (
        "svgd",
        &[("target", "student"), ("n", "1000"), ("bandwidth", "1")],
    ),
    ("svgd", &[("target", "logistic"), ("n", "64")]),
    ("svgd", &[("target", "formula"), ("n", "1")]),
    ("ula", &[("target", "mixture"), ("n", "1000")]),
    (
        "ula",
        &[
            ("target", "funnel"),
            ("n", "65"),
            ("d", "3"),
            ("step", "0.01"),
        ],
    ),
    ("mala", &[("target", "banana"), ("n", "1000")]),
    (
        "mala",
        &[("target", "logistic"), ("n", "64"), ("step", "0.01")],
    ),
    (
        "flow-vi",
        &[
            ("target", "banana"),
            ("n", "65"),
            ("batch", "63"),
            ("hidden", "8"),
            ("nt", "2"),
        ],
    ),
    (
        "cnf",
        &[
            ("source", "moons"),
            ("n", "65"),
            ("batch", "63"),
            ("width", "16"),
            ("depth", "1"),
            ("tolerance", "0.001"),
        ],
    ),
    (
        "cnf",
        &[
            ("source", "mixture"),
            ("d", "3"),
            ("n", "64"),
            ("batch", "65"),
            ("width", "17"),
            ("depth", "1"),
            ("method", "rk4"),
            ("nt", "2"),
            ("trace", "exact"),
            ("kinetic", "0.1"),
            ("jacobian", "0.1"),
        ],
    ),
    (
        "ot-flow",
        &[
            ("source", "8gaussians"),
            ("n", "65"),
            ("batch", "63"),
            ("nt", "2"),
        ],
    ),
    (
        "ot-flow",
        &[
            ("source", "mixture"),
            ("d", "3"),
            ("n", "8"),
            ("batch", "65"),
            ("hidden", "9"),
            ("depth", "3"),
            ("nt", "1"),
            ("alpha", "0,10,0"),
        ],
    ),
    ("two-layer", &[("neurons", "65")]),
    (
        "two-layer",
        &[
            ("d", "5"),
            ("neurons", "64"),
            ("activation", "sigmoid"),
            ("train", "output"),
        ],
    ),
    (
        "two-layer",
        &[
            ("loss", "sample"),
            ("samples", "1000"),
            ("neurons", "63"),
            ("bias", "learned"),
            ("optimizer", "momentum"),
        ],
    ),
    (
        "two-layer",
        &[
            ("loss", "sample"),
            ("samples", "100"),
            ("batch", "64"),
            ("activation", "sigmoid"),
            ("optimizer", "adam"),
            ("step", "0.01"),
        ],
    ),
    (
        "two-layer",
        &[("neurons", "9"), ("d", "3"), ("train", "frank-wolfe")],
    ),
    ("ntk", &[("width", "65")]),
    (
        "ntk",
        &[
            ("width", "64"),
            ("depth", "2"),
            ("shown", "kernel"),
            ("noise", "0.5"),
        ],
    ),
    ("ntk", &[("net", "limit"), ("points", "17")]),
    ("balance", &[("batch", "64")]),
    (
        "balance",
        &[
            ("layers", "conv"),
            ("width", "7"),
            ("activation", "leaky"),
            ("optimizer", "momentum"),
        ],
    ),
    (
        "balance",
        &[
            ("activation", "tanh"),
            ("depth", "1"),
            ("width", "65"),
            ("decay", "0.1"),
        ],
    ),
];

#[test]
fn every_system_agrees_with_the_cpu() {
    for entry in REGISTRY {
        assert!(
            CASES.iter().any(|(id, _)| *id == entry.id),
            "{} has no case",
            entry.id
        );
    }
    let device = pollster::block_on(Device::open()).expect("an adapter; software ones count");
    let mut shaders = Vec::new();
    for (id, keys) in CASES {
        let entry = pushforward::systems::find(id).expect("registered");
        let mut system = (entry.fresh)();
        for (key, text) in *keys {
            assert!(
                matches!(system.set(key, text), Some(Ok(()))),
                "{id} {key}={text}"
            );
        }
        let mut build = system.build(&Inputs::default()).expect("valid");
        let mut cpu = Cpu::<f32>::default();
        cpu.seed = build.stage.seed;
        let mut gpu = Gpu::new(&device, &build.parts(), build.stage.seed).expect("fits");
        let on_cpu: Vec<usize> = build.parts().iter().map(|(p, _)| cpu.load(p)).collect();
        for (name, data) in &build.state {
            cpu.set(name, data);
            gpu.set(name, data);
        }
        for (name, value) in system.uniforms() {
            cpu.uniform(name, value);
            gpu.uniform(name, value);
        }
        for program in 0..on_cpu.len() {
            shaders.extend(gpu.shaders(program).map(|(label, text)| {
                serde_json::json!({ "label": format!("{id} {keys:?} {label}"), "text": text })
            }));
        }
        let first = usize::from(build.prepare.is_some());
        let mut batch = gpu.batch();
        if first == 1 {
            cpu.run(on_cpu[0]);
            batch.run(0);
        }
        for step in 0..2 {
            cpu.step = step;
            let mut reads = Vec::new();
            loop {
                match build.driver.next(step, &reads) {
                    Command::Run { program, times } => {
                        for _ in 0..times {
                            cpu.run(on_cpu[first + program]);
                            batch.run(first + program);
                        }
                        if program == 0 {
                            break;
                        }
                    }
                    // Both follow the decisions that the CPU's values lead to.
                    Command::Read(names) => {
                        let read = |name: &&str| cpu.get(name).unwrap_or_default().to_vec();
                        reads = names.iter().map(read).collect();
                    }
                    Command::Write(name, data) => {
                        cpu.set(name, &data);
                        batch.submit();
                        gpu.set(name, &data);
                        batch = gpu.batch();
                    }
                    Command::Stop(reason) => panic!("{id} {keys:?}: {reason}"),
                }
            }
        }
        batch.submit();
        for (name, _) in &build.state {
            let device = gpu.read(name).expect("a live device");
            let host = cpu.get(name).expect("known");
            for (i, (c, g)) in host.iter().zip(&device).enumerate() {
                // Scores of steep targets amplify the last bits of two steps.
                let close = (c - g).abs() <= 1e-4 * (1.0 + c.abs());
                assert!(close, "{id} {keys:?}, {name} {i}: cpu {c}, gpu {g}");
            }
        }
    }
    // These are the same for every run.
    for (label, text) in [
        ("painter", include_str!("../shaders/painter.wgsl")),
        ("rounds", include_str!("../shaders/rounds.wgsl")),
    ] {
        shaders.push(serde_json::json!({ "label": label, "text": text }));
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shaders.json");
    std::fs::write(file, serde_json::Value::from(shaders).to_string())
        .expect("target/tmp is writable");
}
