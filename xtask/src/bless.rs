//! `cargo xtask bless`: accepts what the program does now as right. Read the diff before committing it.

use anyhow::Result;

use crate::{process, readme, tally};

/// Records all snapshots and generated documents anew.
pub fn run() -> Result<()> {
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
        "{} passed, {} failed while recording; now read `git diff`",
        tally.passed, tally.failed
    );
    Ok(())
}
