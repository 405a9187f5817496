//! `cargo xtask reproduce`: long runs against published figures. Each section of `docs/results.md` stands between markers and is
//! written when its runs are through, so that sections can be run one by one.

use std::fs;

use anyhow::{Context, Result};

use crate::{process, readme};

const RESULTS: &str = "docs/results.md";

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// One section only, e.g. `race-moons`
    #[arg(long, value_name = "SECTION")]
    only: Option<String>,
}

/// Runs the sections and writes what they print.
pub fn run(options: &Options) -> Result<()> {
    let sections = match &options.only {
        Some(section) => vec![section.clone()],
        None => bench(&["--list"])?.lines().map(str::to_owned).collect(),
    };
    let path = process::root().join(RESULTS);
    for section in sections {
        let table = bench(&["--only", &section])?;
        println!("{table}");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {RESULTS}"))?;
        let text = readme::replaced(&text, &section, &table)?;
        fs::write(&path, text).with_context(|| format!("cannot write {RESULTS}"))?;
    }
    Ok(())
}

fn bench(words: &[&str]) -> Result<String> {
    let mut cargo = process::cargo();
    cargo.args(["bench", "--quiet", "--package", "pushforward"]);
    cargo.args(["--bench", "reproduce", "--"]).args(words);
    process::stdout(&mut cargo)
}
