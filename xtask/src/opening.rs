//! What opening the front page runs, and so what the first module of the site has to hold; all else comes in later parts.
//!
//! `opening.txt` lists the functions that ran in a browser while the opening demo played, untouched. A list that is out of
//! date costs bytes, or an early download that a browser test notices; `cargo xtask bless` records it anew.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use walrus::ir::{Const, GlobalSet, Instr, Value};
use walrus::{ConstExpr, Module, ValType};

use crate::split::{self, Bound, Split};
use crate::{assemble, install, process, wasm};

/// A part of the program: its name in files and calls, and which of the functions that the opening does not run it holds.
type Part = (&'static str, fn(&str) -> bool);

/// The later parts in the order of their numbers. A function belongs to the first that holds it.
const PARTS: [Part; 1] = [("rest", |_| true)];

/// The parts' names.
pub fn part_names() -> [&'static str; PARTS.len()] {
    PARTS.map(|(name, _)| name)
}

/// Splits a bound module by the list.
pub fn split(module: &Bound) -> Result<Split> {
    let list = fs::read_to_string(list()).context("xtask/opening.txt is missing")?;
    refuse_unwelcome(&list)?;
    let opening: BTreeSet<&str> = list.lines().collect();
    split::split(module, PARTS.len(), |name| {
        let name = stable(name);
        if opening.contains(name.as_str()) {
            return None;
        }
        PARTS.iter().position(|(_, holds)| holds(&name))
    })
}

fn list() -> std::path::PathBuf {
    process::root().join("xtask/opening.txt")
}

/// A function's name as people write it, without the hashes that change with the compiler and its flags.
fn stable(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Code of the standard library that is large, and for which the crate has its own: `decimal` and whole characters.
const UNWELCOME: [&str; 3] = ["flt2dec", "dec2flt", "slice_error_fail"];

/// Refuses a list with functions that a first visit should not download. Later parts may have them, from other crates.
fn refuse_unwelcome(list: &str) -> Result<()> {
    let is_unwelcome = |name: &&str| UNWELCOME.iter().any(|unwelcome| name.contains(unwelcome));
    let found: Vec<&str> = list.lines().filter(is_unwelcome).collect();
    ensure!(
        found.is_empty(),
        "the opening runs std's code for numbers or text slices ({}): use crate::decimal, and no `&text[a..b]`",
        found.join(", ")
    );
    Ok(())
}

/// What the name of an exported flag begins with; its function's number and name follow.
const FLAG: &str = "ran ";

/// The module with an exported flag for each function, set when it is entered.
pub fn instrumented(module: &Bound) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(&module.wasm)?;
    let functions: Vec<_> = module.funcs.iter_local().map(|(id, _)| id).collect();
    for id in functions {
        let function = module.funcs.get_mut(id);
        let Some(name) = function.name.clone() else {
            continue;
        };
        let flag =
            module
                .globals
                .add_local(ValType::I32, true, false, ConstExpr::Value(Value::I32(0)));
        module
            .exports
            .add(&format!("{FLAG}{} {name}", id.index()), flag);
        let function = function.kind.unwrap_local_mut();
        let entry: [Instr; 2] = [
            Const {
                value: Value::I32(1),
            }
            .into(),
            GlobalSet { global: flag }.into(),
        ];
        let entry = entry.map(|instr| (instr, Default::default()));
        function
            .block_mut(function.entry_block())
            .instrs
            .splice(0..0, entry);
    }
    Ok(module.emit_wasm())
}

/// Records in a browser which functions the opening runs, and writes the list.
pub fn record() -> Result<()> {
    let folder = process::target_dir().join("opening");
    assemble::instrumented(&wasm::package(wasm::Profile::Web)?, &folder)?;
    install::web_tests()?;
    let printed = process::stdout(
        process::command("node")
            .arg("opening.mjs")
            .env("CHROMIUM", install::chromium()?)
            .env("DIST", &folder)
            .current_dir(process::root().join(install::WEB_TESTS)),
    )?;
    let names: BTreeSet<String> = printed
        .lines()
        .filter_map(|line| line.strip_prefix(FLAG)?.split_once(' '))
        .map(|(_, name)| name)
        .map(stable)
        .collect();
    ensure!(!names.is_empty(), "no function ran");
    let text: String = names.iter().flat_map(|name| [name, "\n"]).collect();
    fs::write(list(), text)?;
    println!("{} functions run while the page opens", names.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_everything_but_hashes() {
        let name = "_RNCINvNtCs1a2b3c_4core3mem4swaplEs_0Cs4d5e6f_3own";
        assert_eq!(stable(name), "core::mem::swap::<i32>::{closure#1}");
        assert_eq!(stable("memcpy"), "memcpy");
    }

    #[test]
    fn number_formatting_of_the_standard_library_is_noticed() {
        assert!(refuse_unwelcome("core::mem::swap::<i32>\n").is_ok());
        let error = refuse_unwelcome("a\ncore::num::flt2dec::grisu\n").unwrap_err();
        assert!(
            error.to_string().contains("(core::num::flt2dec::grisu)"),
            "{error}"
        );
    }
}
