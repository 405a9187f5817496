//! The part of README.md that is made from the registry: the table of systems.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process;

/// Name of the part.
const SYSTEMS: &str = "systems";

/// An error when the table in README.md is not the one that the program prints.
pub fn check() -> Result<()> {
    let readme = read()?;
    ensure!(
        replaced(&readme, SYSTEMS, &table()?)? == readme,
        "the systems in README.md are stale: run `cargo xtask bless`"
    );
    Ok(())
}

/// Writes the table anew.
pub fn write() -> Result<()> {
    let readme = replaced(&read()?, SYSTEMS, &table()?)?;
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

/// `text` with `content` between the lines `<!-- name -->` and `<!-- /name -->`.
pub fn replaced(text: &str, name: &str, content: &str) -> Result<String> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let lacks = || format!("the document lacks the part `<!-- {name} -->`");
    let (head, rest) = text.split_once(&open).with_context(lacks)?;
    let (_, tail) = rest.split_once(&close).with_context(lacks)?;
    Ok(format!("{head}{open}\n{}\n\n{close}{tail}", content.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_changes() {
        let stale = "a\n<!-- systems -->\nold\n<!-- /systems -->\nb\n";
        let fresh = replaced(stale, SYSTEMS, "| new |\n").unwrap();
        assert_eq!(
            fresh,
            "a\n<!-- systems -->\n\n| new |\n\n<!-- /systems -->\nb\n"
        );
        assert_eq!(replaced(&fresh, SYSTEMS, "| new |").unwrap(), fresh);
        assert!(replaced("no markers", SYSTEMS, "").is_err());
    }
}
