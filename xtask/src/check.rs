//! `cargo xtask test`: every check and every test, with one count at the end.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::install::WEB_TESTS;
use crate::tally::Tally;
use crate::wasm::Profile;
use crate::{assemble, install, process, readme, tally, wasm};

/// What to check.
#[derive(clap::Args)]
pub struct Options {
    /// Run one part only
    #[arg(long)]
    only: Option<Part>,
}

/// A part of the checks.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Formatting, lints, spelling, types of the JavaScript, generated documents
    Lint,
    /// Rust tests on this machine
    Native,
    /// The built page in a browser
    Web,
}

/// Runs the checks; a failure when any failed or none ran.
pub fn run(options: &Options) -> ExitCode {
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut stages = Stages::default();
    if wanted(Part::Lint) {
        lint(&mut stages);
    }
    if wanted(Part::Native) {
        native(&mut stages);
    }
    if wanted(Part::Web) {
        web(&mut stages);
    }
    stages.close()
}

fn lint(stages: &mut Stages) {
    stages.check("rustfmt", || {
        install::rust_components()?;
        process::run(process::cargo().args(["fmt", "--all", "--check"]))
    });
    // The release profile shares its procedural macros and build scripts with the tests that follow.
    stages.check("clippy", || {
        clippy(&[
            "--workspace",
            "--exclude",
            "xtask",
            "--all-targets",
            "--release",
        ])?;
        clippy(&["--package", "xtask", "--all-targets"])
    });
    stages.check("clippy for wasm", || {
        wasm::ensure_target()?;
        clippy(&[
            "--package",
            "pushforward",
            "--lib",
            "--release",
            "--target",
            wasm::TARGET,
        ])
    });
    match install::typos() {
        Some(typos) => stages.check("typos", || process::run(&mut process::command(typos))),
        None => println!("== typos: skipped, it is neither installed nor could pip install it"),
    }
    stages.check("types of the JavaScript", || {
        install::web_tests()?;
        let tsc = [
            "exec",
            "--offline",
            "--",
            "tsc",
            "--project",
            "tsconfig.json",
        ];
        process::run(
            process::command("npm")
                .args(tsc)
                .current_dir(process::root().join(WEB_TESTS)),
        )
    });
    stages.check("generated documents", readme::check);
}

fn clippy(arguments: &[&str]) -> Result<()> {
    process::run(
        process::cargo()
            .args(["clippy", "--quiet"])
            .args(arguments)
            .args(["--", "--deny", "warnings"]),
    )
}

fn native(stages: &mut Stages) {
    // xtask is left in the profile it was built with: its dependencies are large.
    stages.suite("tests of xtask", || {
        tally::run(process::cargo().args([
            "test",
            "--quiet",
            "--no-fail-fast",
            "--package",
            "xtask",
        ]))
    });
    stages.suite("native tests", || {
        install::vulkan()?;
        let workspace = [
            "test",
            "--no-fail-fast",
            "--release",
            "--workspace",
            "--exclude",
            "xtask",
        ];
        tally::run(process::cargo().args(workspace))
    });
    // The browser brings a second software device, with other limits and other rounding than Mesa's.
    if let Some(driver) = install::swiftshader() {
        stages.suite("device tests on SwiftShader", || {
            let tests = [
                "test",
                "--release",
                "--package",
                "pushforward",
                "--lib",
                "--test",
                "parity",
                "--",
            ];
            let about_devices = [
                "exec::gpu",
                "session::device",
                "derivatives",
                "every_system",
            ];
            tally::run(
                process::cargo()
                    .args(tests)
                    .args(about_devices)
                    .env("VK_ICD_FILENAMES", &driver)
                    .env("VK_DRIVER_FILES", &driver),
            )
        });
    }
}

fn web(stages: &mut Stages) {
    stages.check("page", || assemble::dist(Profile::Web));
    stages.suite("browser tests", || {
        let chromium = install::chromium()?;
        install::web_tests()?;
        install::webkit()?;
        install::firefox()?;
        let folder = process::root().join(WEB_TESTS);
        ensure!(
            folder.join("node_modules").is_dir(),
            "the browser tests are not installed"
        );
        // One browser at a time: the tests share two cores with the page that they measure.
        let node = ["--test", "--test-concurrency=1", "--test-reporter=spec"];
        tally::run(
            process::command("node")
                .args(node)
                .env("CHROMIUM", chromium)
                .current_dir(folder),
        )
    });
}

/// Counts and times of the stages run so far.
#[derive(Default)]
struct Stages {
    total: Tally,
    lines: Vec<String>,
}

impl Stages {
    fn check(&mut self, name: &str, body: impl FnOnce() -> Result<()>) {
        self.suite(name, || {
            body().map(|()| Tally {
                passed: 1,
                failed: 0,
            })
        });
    }

    fn suite(&mut self, name: &str, body: impl FnOnce() -> Result<Tally>) {
        println!("== {name}");
        let start = Instant::now();
        let tally = body().and_then(Tally::or_none_ran).unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Tally {
                passed: 0,
                failed: 1,
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        self.lines.push(format!(
            "{seconds:>7.1} s  {:>5} passed {:>3} failed  {name}",
            tally.passed, tally.failed
        ));
        self.total += tally;
    }

    /// Prints the times and, last and alone on its line, the count.
    fn close(self) -> ExitCode {
        println!("\n{}\n", self.lines.join("\n"));
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.total.is_success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
