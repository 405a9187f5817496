//! What opening the front page runs, and so what the first module of the site has to hold; all else comes in later parts.
//!
//! `opening.txt` lists the functions that ran in a browser while the opening demo played, untouched; `opening-gpu.txt` those
//! that ran as well when it played on a device. A list that is out of date costs bytes, or an early download that a browser
//! test notices; `cargo xtask bless` records both anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use walrus::ir::{Const, GlobalSet, Instr, Value};
use walrus::{ConstExpr, Module, ValType};

use crate::split::{self, Bound, Split};
use crate::{assemble, install, process, wasm};

/// The later parts, in the order of their numbers: what drives a device, what that needs beside others, and all that is left.
pub const PARTS: [&str; 3] = ["gpu", "common", "rest"];

/// The lists of functions.
struct Lists {
    opening: BTreeSet<String>,
    on_device: BTreeSet<String>,
}

impl Lists {
    fn read() -> Result<Self> {
        let read = |name: &str| -> Result<BTreeSet<String>> {
            let text = fs::read_to_string(list(name))
                .with_context(|| format!("xtask/{name} is missing"))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        let lists = Self {
            opening: read(OPENING)?,
            on_device: read(ON_DEVICE)?,
        };
        refuse_unwelcome(&lists.opening)?;
        Ok(lists)
    }

    /// The part of each function of a module, by the linker's name; those of the first module are left out.
    fn parts(&self, module: &Module) -> Result<HashMap<String, &'static str>> {
        let named =
            |function: &walrus::Function| Some((function.id().index(), function.name.clone()?));
        let names: BTreeMap<usize, String> = module.funcs.iter().filter_map(named).collect();
        let mut parts = BTreeMap::new();
        let mut unsure = BTreeSet::new();
        for (&index, name) in &names {
            let name = stable(name);
            let drives_devices = ["wgpu", "exec::gpu"]
                .iter()
                .any(|module| name.contains(module));
            if self.opening.contains(&name) {
                continue;
            }
            let is_run = self.on_device.contains(&name);
            parts.insert(
                index,
                if drives_devices || is_run {
                    "gpu"
                } else {
                    "rest"
                },
            );
            // To let go of a device that is not there is no reason to load what drives one.
            let lets_go = name.starts_with("core::ptr::drop_in_place::<");
            if (is_run && !drives_devices) || (drives_devices && lets_go) {
                unsure.insert(index);
            }
        }
        // What ran on a device, but may also be called without one, must not bring what drives it.
        let callers = split::callers(module)?;
        let outside = |parts: &BTreeMap<usize, &str>, index: &usize| match callers.get(index) {
            None => true,
            Some(callers) => callers
                .iter()
                .any(|caller| caller.is_none_or(|caller| parts.get(&caller) != Some(&"gpu"))),
        };
        while let Some(&index) = unsure.iter().find(|index| outside(&parts, index)) {
            unsure.remove(&index);
            parts.insert(index, "common");
        }
        Ok(parts
            .into_iter()
            .map(|(index, part)| (names[&index].clone(), part))
            .collect())
    }
}

/// Splits a bound module by the lists.
pub fn split(module: &Bound) -> Result<Split> {
    let parts = Lists::read()?.parts(&Module::from_buffer(&module.wasm)?)?;
    split::split(module, PARTS.len(), |name| {
        let part = parts.get(name)?;
        PARTS.iter().position(|name| name == part)
    })
}

const OPENING: &str = "opening.txt";
const ON_DEVICE: &str = "opening-gpu.txt";

fn list(name: &str) -> PathBuf {
    process::root().join("xtask").join(name)
}

/// A function's name as people write it, without what changes with every build: hashes, and the places in the table of functions
/// that the glue of a closure is named after.
fn stable(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    let mut parts = name.split(SHIM);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + SHIM + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// What goes before such a place.
const SHIM: &str = "shim_idx: ";

/// Code of the standard library that is large, and for which the crate has its own: `decimal` and whole characters.
const UNWELCOME: [&str; 3] = ["flt2dec", "dec2flt", "slice_error_fail"];

/// Refuses a list with functions that a first visit should not download. Later parts may have them, from other crates.
fn refuse_unwelcome(list: &BTreeSet<String>) -> Result<()> {
    let is_unwelcome = |name: &&str| UNWELCOME.iter().any(|unwelcome| name.contains(unwelcome));
    let found: Vec<&str> = list
        .iter()
        .map(String::as_str)
        .filter(is_unwelcome)
        .collect();
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

/// Records in a browser which functions the opening runs, and writes the lists.
pub fn record() -> Result<()> {
    let folder = process::target_dir().join("opening");
    assemble::instrumented(&wasm::package(wasm::Profile::Web)?, &folder)?;
    install::web_tests()?;
    let opening = ran(&folder, &[])?;
    let on_device = ran(&folder, &["--gpu"])?;
    let on_device = on_device.difference(&opening).cloned().collect();
    for (name, functions) in [(OPENING, &opening), (ON_DEVICE, &on_device)] {
        let text: String = functions.iter().flat_map(|name| [name, "\n"]).collect();
        fs::write(list(name), text)?;
        println!("{} functions in xtask/{name}", functions.len());
    }
    Ok(())
}

/// The functions that ran in a visit of the site in `folder`.
fn ran(folder: &Path, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let printed = process::stdout(
        process::command("node")
            .arg("opening.mjs")
            .args(arguments)
            .env("CHROMIUM", install::chromium()?)
            .env("DIST", folder)
            .current_dir(process::root().join(install::WEB_TESTS)),
    )?;
    let names: BTreeSet<String> = printed
        .lines()
        .filter_map(|line| line.strip_prefix(FLAG)?.split_once(' '))
        .map(|(_, name)| stable(name))
        .collect();
    ensure!(!names.is_empty(), "no function ran");
    Ok(names)
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

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn number_formatting_of_the_standard_library_is_noticed() {
        assert!(refuse_unwelcome(&set(&["core::mem::swap::<i32>"])).is_ok());
        let error = refuse_unwelcome(&set(&["a", "core::num::flt2dec::grisu"])).unwrap_err();
        assert!(
            error.to_string().contains("(core::num::flt2dec::grisu)"),
            "{error}"
        );
    }

    #[test]
    fn functions_go_where_they_are_needed_first() {
        let lists = Lists {
            opening: set(&["a", "wgpu::b"]),
            on_device: set(&["c", "shared", "taken", "chained"]),
        };
        let module = wat::parse_str(
            r#"(module (table 1 funcref) (elem (i32.const 0) $taken)
            (func $a) (func $"wgpu::b") (func $"wgpu::d" call $c call $shared)
            (func $c call $chained) (func $shared) (func $chained) (func $taken)
            (func $"pushforward::exec::gpu::e") (func $f call $shared))"#,
        );
        let parts = lists
            .parts(&Module::from_buffer(&module.unwrap()).unwrap())
            .unwrap();
        let of = |names: &[&str]| {
            names
                .iter()
                .map(|name| parts.get(*name).copied())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&["a", "wgpu::b"]), [None, None]);
        assert_eq!(
            of(&["wgpu::d", "pushforward::exec::gpu::e", "c", "chained"]),
            [Some("gpu"); 4]
        );
        assert_eq!(of(&["f"]), [Some("rest")]);
        // Without a device they may be called too.
        assert_eq!(of(&["shared", "taken"]), [Some("common"); 2]);
        assert!(parts.values().all(|part| PARTS.contains(part)));
    }

    /// Every build numbers the glue of closures anew.
    #[test]
    fn a_closures_place_does_not_count() {
        let name = |place: u32| format!("Closure(Closure {{ shim_idx: {place}, ret: Unit }})");
        assert_eq!(stable(&name(297)), stable(&name(300)));
        assert_eq!(stable("core::mem::swap"), "core::mem::swap");
    }
}
