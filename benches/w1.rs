//! W1: one SVGD step on the banana, RBF kernel of fixed width, one thread. One JSON line per n.
//!
//! It measures the steps of what a user runs, a session opened from a link: not a kernel by itself, and not the metrics.
//! Asserts nothing: speed is a figure, not a test.

use std::fs;
use std::time::{Duration, Instant};

use pushforward::link;
use pushforward::session::Session;
use pushforward::systems::Inputs;
use serde_json::json;

const BLOCKS: usize = 7;
const BLOCK: Duration = Duration::from_millis(400);

fn main() {
    // Cargo itself passes `--bench`; sizes come as `--n 1024,4096`.
    let sizes = std::env::args().skip_while(|word| word != "--n").nth(1);
    let sizes = sizes.unwrap_or_else(|| "1024,4096,16384".to_owned());
    for n in sizes.split(',') {
        println!("{}", measure(n.parse().expect("--n takes numbers")));
    }
}

fn measure(n: u32) -> serde_json::Value {
    let text = format!("v=1&m=svgd&target=banana&bandwidth=0.25&step=0.05&n={n}&seed=1");
    let (link, problems) = link::parse(&text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let pane = &link.panes[0];
    let start = Instant::now();
    let mut session =
        Session::new(pane.entry, pane.system(), Inputs::default()).expect("the link can be run");
    session.advance(u64::MAX, 1);
    let first_call = start.elapsed();

    let start = Instant::now();
    session.advance(u64::MAX, 1);
    let steps = (BLOCK.as_secs_f64() / start.elapsed().as_secs_f64()).ceil() as u32;
    let mut per_second = Vec::new();
    let mut per_cpu_second = Vec::new();
    for _ in 0..BLOCKS {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        session.advance(u64::MAX, steps);
        let wall = wall.elapsed().as_secs_f64();
        per_second.push(f64::from(steps) / wall);
        let cpu = cpu
            .zip(cpu_seconds())
            .map_or(wall, |(before, after)| after - before);
        per_cpu_second.push(f64::from(steps) / cpu);
    }
    assert_eq!(
        session.step(),
        2 + BLOCKS as u32 * steps,
        "the run ended early"
    );
    per_second.sort_by(f64::total_cmp);
    per_cpu_second.sort_by(f64::total_cmp);
    let median = per_second[BLOCKS / 2];
    json!({
        "workload": "W1", "peer": "pushforward-native", "n": n, "threads": 1,
        "steps_per_s": median, "steps_per_s_min": per_second[0], "steps_per_s_max": per_second[BLOCKS - 1],
        "steps_per_cpu_s": per_cpu_second[BLOCKS / 2], "reps": BLOCKS, "first_call_s": first_call.as_secs_f64(),
        "work_per_s": f64::from(n).powi(2) * median, "work_unit": "interactions/s",
        "device": session.device(), "load1": load(),
    })
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
