//! `cargo xtask bless`: accepts what the program does now as right. Read the diff before committing it.

use anyhow::Result;

use crate::{opening, page_script, process, readme, tally};

/// What to record.
#[derive(clap::Args)]
pub struct Options {
    /// Record one part only
    #[arg(long)]
    only: Option<Part>,
}

/// A part of what is recorded.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Snapshots of the tests, and generated documents
    Snapshots,
    /// Which functions the opening of the page runs
    Opening,
    /// Pictures of the presets
    Posters,
}

/// Records anew what is asked for.
pub fn run(options: &Options) -> Result<()> {
    let wanted = |part| options.only.is_none_or(|only| only == part);
    if wanted(Part::Snapshots) {
        snapshots()?;
    }
    if wanted(Part::Opening) {
        opening::record()?;
    }
    if wanted(Part::Posters) {
        page_script("posters.mjs", &[])?;
    }
    println!("now read `git diff`");
    Ok(())
}

fn snapshots() -> Result<()> {
    let tests = [
        "test",
        "--no-fail-fast",
        "--release",
        "--workspace",
        "--exclude",
        "xtask",
    ];
    let tally = tally::run(
        process::cargo()
            .args(tests)
            .env("INSTA_UPDATE", "always")
            .env("BLESS", "1"),
    )?;
    readme::write()?;
    println!(
        "{} passed, {} failed while recording",
        tally.passed, tally.failed
    );
    Ok(())
}
