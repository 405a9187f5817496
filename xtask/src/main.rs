//! The project's own commands: `cargo xtask build | serve | test | bless | bench | screenshots | soak`.
//!
//! It builds and checks; nothing here is part of what the page or the command line does.

mod archive;
mod assemble;
mod bench;
mod bless;
mod check;
mod explain;
mod install;
mod linker;
mod opening;
mod peers;
mod policy;
mod process;
mod readme;
mod reproduce;
mod serve;
mod sizes;
mod spelled;
mod split;
mod tally;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use wasm::Profile;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, serves, tests and measures Pushforward"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page into dist/
    Build(BuildOptions),
    /// Build the page and serve it on this machine
    Serve(serve::Options),
    /// Run every check and every test, native and in the browser
    Test(check::Options),
    /// Record snapshots, generated documents, the list of what opening the page runs, and the presets' pictures anew
    Bless(bless::Options),
    /// Measure speed, natively and in Chromium
    Bench(bench::Options),
    /// Run long against published figures and write docs/results.md
    Reproduce(reproduce::Options),
    /// Print the worst relative error of every operation's derivatives, on the CPU and on the GPU
    Derivatives,
    /// Take the README's pictures of the page
    Screenshots,
    /// Stay on the built page for long and print its memory; fails if that grows
    Soak(SoakOptions),
}

#[derive(clap::Args)]
struct BuildOptions {
    /// Build quickly instead of small: thin optimisation, plain SIMD only
    #[arg(long)]
    dev: bool,
    /// Also pack the built site into a zip file, for those without Rust
    #[arg(long, conflicts_with = "dev")]
    release_archive: bool,
}

#[derive(clap::Args)]
struct SoakOptions {
    /// Demos to open one after the other
    #[arg(long, default_value_t = 500)]
    switches: u32,
    /// Steps of the one run that follows
    #[arg(long, default_value_t = 200_000)]
    steps: u32,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Build(options) => {
            assemble::dist(Profile::of_build(options.dev.into()))?;
            if options.release_archive {
                archive::pack()?;
            }
        }
        Command::Serve(options) => serve::run(&options)?,
        Command::Test(options) => return Ok(check::run(&options)),
        Command::Bless(options) => bless::run(&options)?,
        Command::Bench(options) => bench::run(&options)?,
        Command::Reproduce(options) => reproduce::run(&options)?,
        Command::Derivatives => derivatives()?,
        Command::Screenshots => page_script("screenshots.mjs", &[])?,
        Command::Soak(SoakOptions { switches, steps }) => page_script(
            "soak.mjs",
            &[
                ("SWITCHES", switches.to_string()),
                ("STEPS", steps.to_string()),
            ],
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The table is what a test prints; that test asserts the bounds.
fn derivatives() -> Result<()> {
    let test = "graph::tests::derivatives::every_derivative_on_every_executor";
    let mut cargo = process::cargo();
    cargo.args(["test", "--quiet", "--release", "--package", "pushforward"]);
    process::run(cargo.args(["--lib", "--", "--exact", "--nocapture", test]))
}

/// Builds the page and runs a script of the browser tests' folder on it.
fn page_script(name: &str, variables: &[(&str, String)]) -> Result<()> {
    assemble::dist(Profile::Web)?;
    install::web_tests()?;
    let mut node = process::command("node");
    node.arg(name).env("CHROMIUM", install::chromium()?);
    node.envs(variables.iter().map(|(key, value)| (key, value)));
    process::run(node.current_dir(process::root().join(install::WEB_TESTS)))
}
