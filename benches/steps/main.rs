//! Steps per second on one thread, one JSON line a workload and size: W1, an SVGD step on the banana; W2, a
//! training step of OT-Flow on eight Gaussians; W3, a full-batch gradient
//! step of a 2-512-1 ReLU network with biases; W5, a minimax step of two input-convex networks.
//!
//! W1 to W3 measure what a user runs, a session opened from a link: not a kernel by itself, and not the metrics. W5 has no
//! system yet and measures its program on the executor. Asserts nothing: speed is a figure, not a test.

mod icnn;

use std::fs;
use std::time::{Duration, Instant};

use pushforward::exec::Cpu;
use pushforward::link;
use pushforward::session::Session;
use pushforward::systems::Inputs;
use serde_json::json;

const BLOCKS: usize = 7;
const BLOCK: Duration = Duration::from_millis(400);

/// The links of W1, W2 and W3; `tests/web/bench.mjs` has the same.
const W1: &str = "v=1&m=svgd&target=banana&bandwidth=0.25&step=0.05&seed=1&n=";
const W2: &str = "v=1&m=ot-flow&n=1&batch=";
const W3: &str = "v=1&m=two-layer&neurons=512&loss=sample&bias=learned&step=0.001&samples=";

fn main() {
    // Cargo itself passes `--bench`; sizes come as `--n 1024,4096`, one workload as `--only W3`.
    let words: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let wanted = |name: &str| option("--only").is_none_or(|only| only == name);
    if wanted("W1") {
        let sizes = option("--n").unwrap_or_else(|| "1024,4096,16384".to_owned());
        for n in sizes.split(',') {
            let n = n.parse().expect("--n takes numbers");
            measure("W1", n, || session(W1, n));
        }
    }
    if wanted("W2") {
        measure("W2", 1024, || session(W2, 1024));
    }
    if wanted("W3") {
        measure("W3", 1024, || session(W3, 1024));
    }
    if wanted("W5") {
        measure("W5", 512, || icnn::steps(512));
    }
}

/// Whatever takes a number of steps.
pub type Steps = Box<dyn FnMut(u32)>;

fn session(text: &str, n: u32) -> Steps {
    let text = format!("{text}{n}");
    let (link, problems) = link::parse(&text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let pane = &link.panes[0];
    let mut session =
        Session::new(pane.entry, pane.system(), Inputs::default()).expect("the link can be run");
    Box::new(move |steps| {
        let before = session.step();
        session.advance(u64::MAX, steps);
        assert_eq!(session.step(), before + steps, "the run ended early");
    })
}

fn measure(workload: &str, n: u32, start: impl FnOnce() -> Steps) {
    let first = Instant::now();
    let mut advance = start();
    advance(1);
    let first_call = first.elapsed();

    // Enough steps for a block, judged by a tenth of one.
    let (mut tried, mut taken) = (1, Duration::ZERO);
    while taken < BLOCK / 10 {
        tried *= 2;
        let start = Instant::now();
        advance(tried);
        taken = start.elapsed();
    }
    let steps = (BLOCK.as_secs_f64() / taken.as_secs_f64() * f64::from(tried)).ceil() as u32;
    let mut per_second = Vec::new();
    let mut per_cpu_second = Vec::new();
    for _ in 0..BLOCKS {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        advance(steps);
        let wall = wall.elapsed().as_secs_f64();
        per_second.push(f64::from(steps) / wall);
        let cpu = cpu
            .zip(cpu_seconds())
            .map_or(wall, |(before, after)| after - before);
        per_cpu_second.push(f64::from(steps) / cpu);
    }
    per_second.sort_by(f64::total_cmp);
    per_cpu_second.sort_by(f64::total_cmp);
    let line = json!({
        "workload": workload, "peer": "pushforward-native", "n": n, "threads": 1,
        "steps_per_s": per_second[BLOCKS / 2], "steps_per_s_min": per_second[0],
        "steps_per_s_max": per_second[BLOCKS - 1], "steps_per_cpu_s": per_cpu_second[BLOCKS / 2], "reps": BLOCKS,
        "first_call_s": first_call.as_secs_f64(), "device": Cpu::<f32>::default().device(), "load1": load(),
    });
    println!("{line}");
}

/// CPU time of this thread, where the system tells it to the nanosecond.
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? * 1e-9)
}

/// Load average of the last minute, where there is one.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()
}
