//! W1 on a device: one SVGD step on the banana, RBF kernel of fixed width. One JSON line per n, with dispatches and submissions a
//! step, and the share of what the device does in multiply–adds and nothing else. A software device is not timed: that says
//! nothing of a GPU.

use std::time::Instant;

use pushforward::exec::gpu::{Device, Gpu, Part, costs};
use pushforward::graph::{Graph, Program};
use pushforward::link;
use pushforward::session::Session;
use pushforward::systems::{Build, Inputs};
use serde_json::{Value, json};

const BLOCKS: usize = 7;
/// Seconds that a block lasts at least.
const BLOCK: f64 = 0.4;

fn main() {
    // Cargo itself passes `--bench`; sizes come as `--n 1024,4096`.
    let sizes = std::env::args().skip_while(|word| word != "--n").nth(1);
    let sizes = sizes.unwrap_or_else(|| "1024,4096,16384,65536".to_owned());
    let device = match pollster::block_on(Device::open()) {
        Ok(device) => device,
        Err(error) => {
            return println!(
                "{}",
                json!({ "workload": "W1", "peer": "pushforward-gpu", "not_measured": error.to_string() })
            );
        }
    };
    let submissions = submissions(&device);
    let peak = (!device.is_software()).then(|| peak(&device));
    for n in sizes.split(',') {
        let n = n.parse().expect("--n takes numbers");
        println!("{}", measure(&device, n, submissions, peak));
    }
}

fn build(n: u32) -> Build {
    let text = format!("v=1&m=svgd&target=banana&bandwidth=0.25&step=0.05&n={n}&seed=1");
    let (link, problems) = link::parse(&text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let system = link.panes[0].system();
    system
        .build(&Inputs::default())
        .expect("the link can be run")
}

fn measure(device: &Device, n: u32, submissions: f64, peak: Option<f64>) -> Value {
    let build = build(n);
    let program = &build.programs[0];
    let cost = costs(&build.parts())[0];
    let mut line = json!({
        "workload": "W1", "peer": "pushforward-gpu", "n": n, "device": device.name(),
        "dispatches_per_step": cost.dispatches, "bytes_per_step": cost.read + cost.written,
        "submits_per_step": submissions,
    });
    let further = match peak {
        None => json!({ "not_measured": "a software device says nothing of a GPU" }),
        Some(peak) => {
            let gpu = Gpu::new(device, &build.parts(), 1).expect("it fits");
            for (name, data) in &build.state {
                gpu.set(name, data);
            }
            let rates = rates(&gpu);
            let flops = program.flops() as f64 * rates[BLOCKS / 2];
            json!({
                "steps_per_s": rates[BLOCKS / 2], "steps_per_s_min": rates[0], "steps_per_s_max": rates[BLOCKS - 1],
                "reps": BLOCKS,
                "work_per_s": f64::from(n).powi(2) * rates[BLOCKS / 2], "work_unit": "interactions/s",
                "gflops": flops * 1e-9, "peak_gflops": peak * 1e-9, "of_peak": flops / peak,
            })
        }
    };
    let further = further.as_object().cloned().unwrap_or_default();
    line.as_object_mut().expect("an object").extend(further);
    line
}

/// Submissions a step of a session that is given a second's work at a time and measures nothing, over steps 1 to 1000.
fn submissions(device: &Device) -> f64 {
    let (link, _) = link::parse("v=1&m=svgd&target=banana&bandwidth=0.25&n=64");
    let pane = &link.panes[0];
    let mut session = Session::on(Some(device), pane.entry, pane.system(), Inputs::default())
        .expect("the link can be run");
    let before = device.submissions();
    while session.step() < 1000 {
        session.advance(u64::MAX, 1000 - session.step());
        session.settle();
    }
    (device.submissions() - before) as f64 / f64::from(session.step())
}

/// Runs a second of a device's time per submission at most; steps a second of each block, slowest first.
fn rates(gpu: &Gpu) -> Vec<f64> {
    let run = |steps: u32| {
        let start = Instant::now();
        let mut batch = gpu.batch();
        (0..steps).for_each(|_| batch.run(0));
        batch.submit();
        gpu.device().wait();
        start.elapsed().as_secs_f64()
    };
    run(1);
    let mut steps = 1;
    while run(steps) < 0.5 * BLOCK && steps < 1 << 16 {
        steps *= 2;
    }
    let mut rates: Vec<f64> = (0..BLOCKS).map(|_| f64::from(steps) / run(steps)).collect();
    rates.sort_by(f64::total_cmp);
    assert_eq!(gpu.device().fault(), None);
    rates
}

/// Multiply–adds a second, counted as two operations, of a kernel that does nothing else.
fn peak(device: &Device) -> f64 {
    const ENTRIES: usize = 1 << 20;
    const CHAIN: usize = 512;
    let program: Program = {
        let g = Graph::default();
        let x = g.input("x", &[ENTRIES]);
        let y = (0..CHAIN).fold(x, |y, _| y * x + 0.5);
        g.assign("x", 1e-3 * y);
        g.compile("multiply-add")
    };
    let gpu = Gpu::new(device, &[(&program, Part::Step)], 1).expect("it fits");
    gpu.set("x", &vec![0.5; ENTRIES]);
    let rates = rates(&gpu);
    rates[BLOCKS / 2] * (2 * CHAIN * ENTRIES) as f64
}
