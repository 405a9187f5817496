//! Runs the other implementations of a workload that a folder holds. The folder is only read: it is copied first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::{Line, measure};
use crate::{install, process, sizes};

/// A copy of the folder, with its packages.
pub struct Peers {
    packages: PathBuf,
    source: PathBuf,
    /// The Python to use, where one was named.
    python: Option<PathBuf>,
}

/// A Python implementation of a workload.
struct Script {
    workload: &'static str,
    file: &'static str,
    peer: &'static str,
    /// What it imports.
    modules: &'static str,
    sizes: &'static [&'static str],
}

const SCRIPTS: [Script; 5] = [
    Script {
        workload: "W1",
        file: "w1_svgd.py",
        peer: "torch-compile",
        modules: "torch, numpy",
        sizes: &["--n", "1024,4096,16384"],
    },
    Script {
        workload: "W2",
        file: "w2_otflow.py",
        peer: "jax-scan",
        modules: "jax, optax, numpy",
        sizes: &[],
    },
    Script {
        workload: "W2",
        file: "w2_otflow.py",
        peer: "torch",
        modules: "torch, numpy",
        sizes: &[],
    },
    Script {
        workload: "W3",
        file: "w3_mlp.py",
        peer: "jax",
        modules: "jax, numpy",
        sizes: &[],
    },
    Script {
        workload: "W5",
        file: "w5_icnn.py",
        peer: "jax",
        modules: "jax, optax, numpy",
        sizes: &[],
    },
];

impl Peers {
    /// Copies `folder` into `packages`; `python` is the interpreter to use, where one is named.
    pub fn prepare(folder: &Path, packages: &Path, python: Option<PathBuf>) -> Result<Self> {
        let packages = process::root().join(packages);
        let source = packages.join("source");
        for file in
            sizes::files(folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let to = source.join(file.strip_prefix(folder)?);
            fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            // A copy keeps its permissions: one that cannot be written is replaced.
            let _ = fs::remove_file(&to);
            fs::copy(&file, to)?;
        }
        Ok(Self {
            packages,
            source,
            python,
        })
    }

    /// The Python peers and the native ceiling.
    pub fn native(&self, workloads: &[&str]) -> Vec<Line> {
        let mut lines = self
            .ceiling()
            .unwrap_or_else(|error| skipped("ceiling kernels", &error));
        for script in SCRIPTS.iter().filter(|s| workloads.contains(&s.workload)) {
            let Some(python) = self.python(&format!("import {}", script.modules)) else {
                println!(
                    "{} of {}: skipped, no Python has {}; see docs/building.md",
                    script.peer, script.workload, script.modules
                );
                continue;
            };
            let mut program = Command::new(&python);
            program.args([script.file, "--peer", script.peer, "--threads", "1"]);
            lines.extend(self.measure(script.peer, program.args(script.sizes)));
        }
        lines
    }

    /// PyTorch and KeOps on CUDA, where there is a GPU for it.
    pub fn cuda(&self) -> Vec<Line> {
        let check = "import torch; assert torch.cuda.is_available()";
        let Some(python) = self.python(check) else {
            println!("CUDA peers: skipped; they need torch and a GPU that it can use");
            return Vec::new();
        };
        let measured = ["torch-compile", "keops"].map(|peer| {
            let mut run = Command::new(&python);
            let sizes = "1024,4096,16384,65536";
            run.args([
                "w1_svgd.py",
                "--device",
                "cuda",
                "--peer",
                peer,
                "--n",
                sizes,
            ]);
            self.measure(peer, &mut run)
        });
        measured.into_iter().flatten().collect()
    }

    /// JavaScript of two kinds, jax-js and the wasm ceiling, in Chromium.
    pub fn web(&self, workloads: &[&str]) -> Vec<Line> {
        if let Err(error) = self.install_web() {
            return skipped("JavaScript peers", &error);
        }
        let mut lines = Vec::new();
        for library in [&["plain"][..], &["jaxjs", "--backend", "wasm"], &["limits"]] {
            let mut node = Command::new("node");
            node.args(["web/run.mjs", "--lib"])
                .args(library)
                .args(["--threads", "1", "--n", "1024,4096"])
                .args(["--w", &workloads.join(",")]);
            lines.extend(self.measure(library[0], &mut node));
        }
        lines
    }

    fn measure(&self, name: &str, command: &mut Command) -> Vec<Line> {
        measure(command.current_dir(&self.source)).unwrap_or_else(|error| skipped(name, &error))
    }

    /// The first Python that runs `check`.
    fn python(&self, check: &str) -> Option<PathBuf> {
        let own = self.packages.join("venv/bin/python");
        let candidates = self
            .python
            .clone()
            .into_iter()
            .chain([own, "python3".into()]);
        candidates.into_iter().find(|python| {
            let mut probe = Command::new(python);
            let output = probe.args(["-c", check]).output();
            output.is_ok_and(|output| output.status.success())
        })
    }

    fn ceiling(&self) -> Result<Vec<Line>> {
        let features = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let lanes = if features.contains("avx512f") {
            "-DW=16"
        } else {
            "-DW=8"
        };
        let program = self.packages.join("ceiling");
        process::run(
            Command::new("gcc")
                .args(["-O3", "-march=native", "-ffp-contract=fast", lanes, "-o"])
                .arg(&program)
                .args(["ceiling_native.c", "-lm"])
                .current_dir(&self.source),
        )?;
        measure(&mut Command::new(program))
    }

    fn install_web(&self) -> Result<()> {
        install::chromium()?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(self.source.join(name), self.packages.join(name))?;
        }
        if !self.packages.join("node_modules").is_dir() {
            let npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
            process::run(Command::new("npm").args(npm).current_dir(&self.packages))?;
        }
        process::run(
            Command::new("bash")
                .arg("web/build_limits.sh")
                .current_dir(&self.source),
        )
    }
}

fn skipped(what: &str, error: &anyhow::Error) -> Vec<Line> {
    println!("{what}: skipped, {error:#}");
    Vec::new()
}
