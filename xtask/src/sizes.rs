//! What the page weighs, as a visitor downloads it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// What a first visit may download, in bytes after brotli.
const FIRST_VISIT_BUDGET: usize = 190_000;

/// Files of the page that a first visit does without.
const LATER: [&str; 4] = ["embed.html", "more.js", "pushforward-demo.js", "sw.js"];

/// Prints every file of `dist`, raw and compressed, and what a first visit costs.
pub fn print(dist: &Path) -> Result<()> {
    println!("{:>9} {:>9}", "bytes", "brotli");
    for file in files(dist)? {
        let bytes = fs::read(&file)?;
        let small = compressed(&bytes)?;
        println!("{:>9} {small:>9}  {}", bytes.len(), name(dist, &file)?);
    }
    let first = first_visit(dist)?;
    let verdict = if first <= FIRST_VISIT_BUDGET {
        "within"
    } else {
        "OVER"
    };
    println!(
        "first visit: {first} bytes of brotli, {verdict} the budget of {FIRST_VISIT_BUDGET} (page, style, script, first module)"
    );
    Ok(())
}

/// What a first visit downloads until its visitor does something, in bytes after brotli.
fn first_visit(dist: &Path) -> Result<usize> {
    let mut sum = 0;
    for file in files(dist)? {
        if is_first_visit(&name(dist, &file)?) {
            sum += compressed(&fs::read(&file)?)?;
        }
    }
    Ok(sum)
}

fn name(dist: &Path, file: &Path) -> Result<String> {
    Ok(file
        .strip_prefix(dist)?
        .to_string_lossy()
        .replace('\\', "/"))
}

fn is_first_visit(name: &str) -> bool {
    let top = !name.contains('/');
    let page = top
        && !LATER.contains(&name)
        && [".html", ".css", ".js"]
            .iter()
            .any(|end| name.ends_with(end));
    // The flavours weigh about the same; most browsers take this one.
    page || name == "pkg/pushforward_relaxed.wasm"
}

fn compressed(bytes: &[u8]) -> Result<usize> {
    let mut out = Vec::new();
    // Quality 11, window 2^22: what static hosts serve.
    brotli::CompressorWriter::new(&mut out, 1 << 16, 11, 22).write_all(bytes)?;
    Ok(out.len())
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
