//! `cargo xtask bench`: speed, natively and in Chromium, and beside other implementations measured in the same session.
//!
//! Prints JSON lines, then ratios. It asserts nothing: a busy machine is no failure.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::wasm::Profile;
use crate::{assemble, install, peers, process};

/// The workloads that steps are counted of.
const WORKLOADS: [&str; 4] = ["W1", "W2", "W3", "W5"];

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// One workload only: W1, W2, W3, W5, or `page` for frames, blocks and loading
    #[arg(long)]
    only: Option<String>,
    /// Natively
    #[arg(long)]
    native: bool,
    /// In Chromium
    #[arg(long)]
    web: bool,
    /// On the GPU, against the same on CUDA; a software renderer is not timed
    #[arg(long, conflicts_with_all = ["native", "web"])]
    gpu: bool,
    /// Folder of other implementations to run in the same session
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// Where their packages are installed [default: target/peers]
    #[arg(long, value_name = "DIR")]
    peers_packages: Option<PathBuf>,
    /// The Python that has their packages [default: the environment variable PEERS_PYTHON, else the one below
    /// --peers-packages, else python3]
    #[arg(long, value_name = "FILE")]
    peers_python: Option<PathBuf>,
}

/// One measurement, as it was printed.
pub struct Line {
    /// Which work, such as `W1`.
    pub workload: String,
    /// Whose implementation.
    pub peer: String,
    /// Its size.
    pub n: u64,
    /// Steps per second of CPU time, which neighbours disturb least; of wall time where that is not known.
    pub steps_per_cpu_s: f64,
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        Some(Self {
            workload: value["workload"].as_str()?.to_owned(),
            peer: value["peer"].as_str()?.to_owned(),
            n: value["n"].as_u64()?,
            steps_per_cpu_s: value["steps_per_cpu_s"]
                .as_f64()
                .or(value["steps_per_s"].as_f64())?,
        })
    }
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let everywhere = options.native == options.web && !options.gpu;
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    let mut lines = Vec::new();
    let workloads: Vec<&str> = WORKLOADS.into_iter().filter(|w| wanted(w)).collect();
    if (everywhere || options.native) && !workloads.is_empty() {
        let mut cargo = process::cargo();
        cargo.args(["bench", "--quiet", "--package", "pushforward"]);
        cargo.args(["--bench", "steps", "--"]);
        if let Some(only) = &options.only {
            cargo.args(["--only", only]);
        }
        lines.extend(measure(&mut cargo)?);
    }
    if options.gpu && wanted("W1") {
        let device = [
            "bench",
            "--quiet",
            "--package",
            "pushforward",
            "--bench",
            "device",
        ];
        lines.extend(measure(process::cargo().args(device))?);
    }
    if everywhere || options.web {
        assemble::dist(Profile::Web)?;
        install::web_tests()?;
        let mut node = process::command("node");
        node.arg("bench.mjs").env("CHROMIUM", install::chromium()?);
        if let Some(only) = &options.only {
            node.args(["--only", only]);
        }
        lines.extend(measure(
            node.current_dir(process::root().join(install::WEB_TESTS)),
        )?);
    }
    if let Some(folder) = &options.peers {
        let packages = options
            .peers_packages
            .clone()
            .unwrap_or_else(|| process::target_dir().join("peers"));
        let named = std::env::var_os("PEERS_PYTHON").map(PathBuf::from);
        let python = options.peers_python.clone().or(named);
        let peers = peers::Peers::prepare(folder, &packages, python)?;
        if everywhere || options.native {
            lines.extend(peers.native(&workloads));
        }
        if everywhere || options.web {
            lines.extend(peers.web(&workloads));
        }
        if options.gpu {
            lines.extend(peers.cuda());
        }
        print_ratios(&lines);
    }
    Ok(())
}

/// Runs a command, shows the JSON lines it prints and keeps those that are measurements of steps.
pub fn measure(command: &mut Command) -> Result<Vec<Line>> {
    let output = process::stdout(command)?;
    let json = output.lines().filter(|line| line.starts_with('{'));
    Ok(json
        .inspect(|line| println!("{line}"))
        .filter_map(Line::parse)
        .collect())
}

/// Where a measurement of ours stands against the others made on the same kind of engine, the fastest first.
fn print_ratios(lines: &[Line]) {
    let is_native = |peer: &str| !peer.contains("wasm") && !peer.starts_with("js-");
    println!(
        "\nSteps per second of CPU time, and how many times those of each other implementation:"
    );
    for ours in lines
        .iter()
        .filter(|line| line.peer.starts_with("pushforward"))
    {
        let same = |line: &&Line| {
            line.workload == ours.workload
                && line.n == ours.n
                && is_native(&line.peer) == is_native(&ours.peer)
                && !line.peer.starts_with("pushforward")
        };
        let mut others: Vec<&Line> = lines.iter().filter(same).collect();
        others.sort_by(|a, b| b.steps_per_cpu_s.total_cmp(&a.steps_per_cpu_s));
        let ratios: Vec<String> = others
            .iter()
            .map(|other| {
                let ratio = ours.steps_per_cpu_s / other.steps_per_cpu_s;
                format!("{ratio:.2} x {}", other.peer)
            })
            .collect();
        let ratios = if ratios.is_empty() {
            "no peer".to_owned()
        } else {
            ratios.join(", ")
        };
        println!(
            "{} n={:<6} {:<26} {:>10.2}   {ratios}",
            ours.workload, ours.n, ours.peer, ours.steps_per_cpu_s,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_read_and_other_lines_are_not() {
        let line = Line::parse(
            r#"{"workload":"W1","peer":"x","n":1024,"steps_per_s":10.0,"steps_per_cpu_s":12.5}"#,
        );
        assert_eq!(line.map(|line| line.steps_per_cpu_s), Some(12.5));
        let wall = Line::parse(
            r#"{"workload":"W1","peer":"x","n":1024,"steps_per_s":10.0,"steps_per_cpu_s":null}"#,
        );
        assert_eq!(wall.map(|line| line.steps_per_cpu_s), Some(10.0));
        assert!(Line::parse(r#"{"workload":"first-visit","peer":"x","ready_ms":10}"#).is_none());
    }
}
