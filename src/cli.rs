//! The terminal's edge: arguments in, text, JSON and files out. It computes nothing itself.

mod describe;
mod folder;
mod parity;
mod report;
mod run;
mod sweep;

use crate::error::{Error, Problem};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::fmt;
use std::io::{ErrorKind, Write};

/// Optimal transport meets machine learning: runs the demos of the browser playground in a terminal.
#[derive(Parser)]
#[command(name = "pushforward", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the systems
    List(describe::ListOptions),
    /// Describes one system: parameters with ranges and defaults, presets, citation
    Describe(describe::Options),
    /// Runs a link: a whole address, `#…`, or `v=1&m=ID&key=value…`
    Run(Box<run::Options>),
    /// Runs a link at several values of one parameter and for several seeds: median and quartiles of a metric
    Sweep(sweep::Options),
}

/// Runs what the process's arguments ask for.
///
/// # Errors
/// See [`exit_code`].
pub fn run() -> Result<()> {
    match Arguments::parse().command {
        Command::List(options) => describe::list(&options),
        Command::Describe(options) => describe::describe(&options),
        Command::Run(options) => run::run(&options),
        Command::Sweep(options) => sweep::sweep(&options),
    }
}

/// The exit code of an error: 2 bad link, key, value or file; 3 no such device; 4 diverged.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Error>() {
        Some(Error::NoDevice(_)) => 3,
        Some(Error::Diverged(_)) => 4,
        Some(Error::Problem(_) | Error::File { .. } | Error::TooLarge(_)) | None => 2,
    }
}

/// A link with problems: on a terminal each is fatal.
#[derive(Debug)]
struct BadLink(Vec<Problem>);

impl fmt::Display for BadLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n       "))
    }
}

impl std::error::Error for BadLink {}

/// Writes to standard output. A reader that has gone away, as `head` does, is no error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a value as indented JSON.
fn print_json<T: serde::Serialize>(value: &T) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}
