//! Long runs against published and reference figures, a table in Markdown a section: `cargo xtask reproduce` puts them into
//! `docs/results.md`.
//!
//! Runs are sessions opened from links, on one CPU thread; one section runs on a device. Nothing is asserted: the table says what
//! came out. What a figure must be is a test's business.

mod figures;
mod race;

use pushforward::error::Error;
use pushforward::exec::Cpu;
use pushforward::exec::gpu::Device;
use pushforward::link;
use pushforward::session::Session;
use pushforward::systems::Inputs;
use std::fs;
use std::process::ExitCode;

/// Name, and what prints it.
type Section = (&'static str, fn());

const SECTIONS: &[Section] = &[
    ("figures", figures::print),
    ("figures-gpu", figures::print_on_device),
    ("race-8gaussians", race::eight_gaussians),
    ("race-moons", race::moons),
];

fn main() -> ExitCode {
    // Cargo itself passes `--bench`.
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--only");
    let only = at.and_then(|at| words.get(at + 1));
    if words.iter().any(|word| word == "--list") {
        SECTIONS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut chosen = SECTIONS.iter().filter(|(name, _)| wanted(name)).peekable();
    if chosen.peek().is_none() {
        eprintln!("no such section; --list prints them");
        return ExitCode::from(2);
    }
    chosen.for_each(|(_, print)| print());
    println!("Measured on {}{}.", machine(), load());
    ExitCode::SUCCESS
}

/// A session opened from a link, on the CPU.
fn session(text: &str) -> Session {
    session_on(None, text).expect("the link can be run")
}

/// A session opened from a link, on a device where there is one.
fn session_on(device: Option<&Device>, text: &str) -> Result<Session, Error> {
    let (link, problems) = link::parse(text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let pane = &link.panes[0];
    Session::on(device, pane.entry, pane.system(), Inputs::default())
}

/// Processor and instruction set.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let model = model.map_or("an unnamed processor", |(_, name)| name.trim());
    format!("{model} ({})", Cpu::<f32>::default().device())
}

/// What else the machine did in the last quarter of an hour.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mean = text.split(' ').nth(2);
    mean.map_or(String::new(), |mean| format!("; load average {mean}"))
}

/// CPU time of this thread in seconds, where the system tells it; neighbours disturb it least.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) * 1e-9
}

/// The value of the metric `id` at the present step.
fn metric(session: &mut Session, id: &str) -> Option<f64> {
    let at = session.metrics().iter().position(|m| m.id() == id)?;
    session.measure_now().values[at]
}
