//! The part of README.md that is made from the registry: the table of systems.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process;

const OPEN: &str = "<!-- systems -->\n";
const CLOSE: &str = "<!-- /systems -->";

/// An error when the table in README.md is not the one that the program prints.
pub fn check() -> Result<()> {
    let readme = read()?;
    ensure!(
        with_table(&readme, &table()?)? == readme,
        "the systems in README.md are stale: run `cargo xtask bless`"
    );
    Ok(())
}

/// Writes the table anew.
pub fn write() -> Result<()> {
    let readme = with_table(&read()?, &table()?)?;
    fs::write(process::root().join("README.md"), readme).context("cannot write README.md")
}

fn read() -> Result<String> {
    fs::read_to_string(process::root().join("README.md")).context("cannot read README.md")
}

fn table() -> Result<String> {
    let program = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "pushforward",
        "--bin",
        "pushforward",
    ];
    process::stdout(
        process::cargo()
            .args(program)
            .args(["--", "list", "--markdown"]),
    )
}

fn with_table(readme: &str, table: &str) -> Result<String> {
    let (head, rest) = readme
        .split_once(OPEN)
        .context("README.md lacks `<!-- systems -->`")?;
    let (_, tail) = rest
        .split_once(CLOSE)
        .context("README.md lacks `<!-- /systems -->`")?;
    Ok(format!("{head}{OPEN}\n{}\n\n{CLOSE}{tail}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_changes() {
        let stale = "a\n<!-- systems -->\nold\n<!-- /systems -->\nb\n";
        let fresh = with_table(stale, "| new |\n").unwrap();
        assert_eq!(
            fresh,
            "a\n<!-- systems -->\n\n| new |\n\n<!-- /systems -->\nb\n"
        );
        assert_eq!(with_table(&fresh, "| new |").unwrap(), fresh);
        assert!(with_table("no markers", "").is_err());
    }
}
