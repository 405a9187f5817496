use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::process;

/// Two parts, `near` and `far`, around functions that stay: every kind of call between the three, in both directions.
const PROGRAM: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "./pushforward_bg.js" "log" (func $log (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\2a")
  (table 4 funcref)
  (elem (i32.const 1) $near_taken $stays_taken $near_taken)
  (global $level (mut i32) (i32.const 100))

  (func $stays (export "stays") (param i32) (result i32)
    (i32.add (call $near (local.get 0)) (call $near (i32.const 1))))
  (func $stays_taken (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
  (func $helper (param i32) (result i32)
    (global.set $level (i32.add (global.get $level) (i32.const 1)))
    (i32.add (local.get 0) (global.get $level)))
  (func $indirect (export "indirect") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func $lanes (export "lanes") (param i32) (result i32)
    (i32x4.extract_lane 2 (call $near_lanes (i32x4.splat (local.get 0)) (i64.const 5))))
  (func $nothing (export "nothing") (param i32) (result i32) (local.get 0))

  (func $near (param i32) (result i32)
    (call $log (local.get 0))
    (i32.add (call $helper (local.get 0)) (i32.add (call $near_alone (local.get 0)) (i32.load8_u (i32.const 16)))))
  (func $near_alone (param i32) (result i32) (call $far (local.get 0)))
  (func $near_taken (param i32) (result i32) (i32.sub (i32.const 7) (local.get 0)))
  (func $near_lanes (param v128 i64) (result v128)
    (i32x4.add (local.get 0) (i32x4.splat (i32.wrap_i64 (local.get 1)))))
  (func $near_exported (export "exported") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func $near_to_table (export "to_table") (param i32) (result i32)
    (call_indirect (type $unary) (local.get 0) (i32.const 2)))

  (func $far (param i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 5))
    (i32.mul (i32.const 1000) (call $helper (local.get 0))))
  (func $far_exported (export "far_exported") (param i32) (result i32) (call $near_taken (local.get 0))))"#;

/// Prints a line for each call on the command line: what it gave, what was logged, which parts were asked for.
const RUNNER: &str = r#"
import { readFileSync } from "node:fs";
let wasm;
const asked = [], logged = [];
const __wbg_get_imports = () => ({ "./pushforward_bg.js": { log: (x) => logged.push(x) }, parts });
parts.load = (index) => {
  asked.push(partNames[index]);
  addPart(index, new WebAssembly.Module(readFileSync(`${partNames[index]}.wasm`)));
};
for (const calls of process.argv.slice(2)) {
  asked.length = logged.length = 0;
  added.clear();
  wasm = new WebAssembly.Instance(new WebAssembly.Module(readFileSync("primary.wasm")), __wbg_get_imports()).exports;
  const values = calls.split(",").map((call) => {
    const [name, ...args] = call.split(":");
    return wasm[name](...args.map(Number));
  });
  console.log(`${values} ${logged} ${asked}`);
}
"#;

/// Calls of exports with arguments, each line in a fresh instance.
const CALLS: [&str; 7] = [
    "nothing:4",
    "stays:2,stays:3",
    "indirect:1:2,indirect:2:2,indirect:3:2,stays:1,indirect:3:9",
    "lanes:37",
    "exported:12,lanes:1",
    "to_table:5",
    "far_exported:1,stays:8",
];

fn bound(text: &str) -> Bound {
    Bound {
        wasm: wat::parse_str(text).unwrap(),
        reach: None,
    }
}

fn part(name: &str) -> Option<usize> {
    ["near", "far"]
        .iter()
        .position(|part| name.starts_with(part))
}

/// What each line of calls prints when the program is split as `part_of` says.
fn run(part_of: impl Fn(&str) -> Option<usize>) -> Vec<String> {
    let split = split(&bound(PROGRAM), 2, part_of).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("primary.wasm", &split.primary);
    write("near.wasm", &split.parts[0]);
    write("far.wasm", &split.parts[1]);
    let glue = include_str!("split.js").replace("/* names */", "\"near\", \"far\"");
    write("run.mjs", format!("{glue}{RUNNER}").as_bytes());
    let mut node = process::command("node");
    let printed =
        process::stdout(node.arg("run.mjs").args(CALLS).current_dir(folder.path())).unwrap();
    printed.lines().map(str::to_owned).collect()
}

#[test]
fn a_split_program_computes_what_the_whole_one_does() {
    let whole = run(|_| None);
    assert_eq!(whole.len(), CALLS.len());
    assert!(
        whole.iter().all(|line| line.ends_with(' ')),
        "nothing is asked for: {whole:?}"
    );
    // near(2) = 2 + 102 + 1000 (2 + 103) + 5: helper raises the level before it is read, far stores the 5 first.
    let first: Vec<&str> = whole[1].split([',', ' ']).collect();
    assert_eq!(first[2..4], ["2", "1"], "{whole:?}");
    let asked = [
        "", "near,far", "near,far", "near", "near", "near", "far,near",
    ];
    let expected: Vec<String> = whole
        .iter()
        .zip(asked)
        .map(|(line, asked)| format!("{line}{asked}"))
        .collect();
    assert_eq!(run(part), expected);
}

#[test]
fn any_distribution_is_correct() {
    let values = |lines: Vec<String>| -> Vec<String> {
        let kept = |line: &String| line.rsplit_once(' ').unwrap().0.to_owned();
        lines.iter().map(kept).collect()
    };
    let whole = values(run(|_| None));
    for seed in 0..6u64 {
        let drawn = |name: &str| {
            let hash = name.bytes().fold(seed + 1, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
            [None, Some(0), Some(1)][(hash >> 20) as usize % 3]
        };
        assert_eq!(values(run(drawn)), whole, "seed {seed}");
    }
    assert_eq!(
        values(run(|_| Some(1))),
        whole,
        "everything in the last part"
    );
}

#[test]
fn the_primary_lacks_what_left() {
    let bodies = |wasm: &[u8]| {
        Module::from_buffer(wasm)
            .unwrap()
            .funcs
            .iter_local()
            .count()
    };
    let split = split(&bound(PROGRAM), 2, part).unwrap();
    // Eight functions of the parts, and each part's start.
    assert_eq!(bodies(&split.parts[0]) + bodies(&split.parts[1]), 8 + 2);
    let primary = Module::from_buffer(&split.primary).unwrap();
    let exports: BTreeMap<_, _> = primary
        .exports
        .iter()
        .map(|export| (export.name.as_str(), export.item))
        .collect();
    assert!(
        exports.contains_key("memory")
            && exports.contains_key(FUNCTIONS)
            && exports.contains_key("l1")
    );
    assert!(
        Module::from_buffer(&split.parts[1])
            .unwrap()
            .data
            .iter()
            .next()
            .is_none()
    );
}

#[test]
fn modules_of_another_kind_are_refused() {
    let tail_call = "(module (table 1 funcref) (func $a) (func $b (return_call $a)))";
    let no_table = "(module (func $a))";
    for text in [tail_call, no_table] {
        assert!(
            split(&bound(text), 1, |_| Some(0)).is_err(),
            "accepted: {text}"
        );
    }
    assert!(
        split(&bound(PROGRAM), 1, part).is_err(),
        "there is no second part"
    );
}

#[test]
fn parts_set_their_own_bytes_only() {
    use Byte::{Foreign, Free, Set};
    let far: Vec<Byte> = [vec![Set(9)], vec![Free(0); 20], vec![Set(8)]].concat();
    type Segments<'a> = &'a [(i32, &'a [u8])];
    let cases: [(&[Byte], Segments); 5] = [
        (&[Set(1), Free(2), Set(3), Free(4)], &[(16, &[1, 2, 3])]),
        (&[Set(1), Foreign, Set(3)], &[(16, &[1]), (18, &[3])]),
        (&[Foreign, Set(0), Set(0), Set(5)], &[(19, &[5])]),
        (&[Free(1), Foreign], &[]),
        (&far, &[(16, &[9]), (37, &[8])]),
    ];
    for (bytes, expected) in cases {
        let text = format!(
            "(module (memory 1) (data (i32.const 16) \"{}\"))",
            "x".repeat(bytes.len())
        );
        let mut module = Module::from_buffer(&wat::parse_str(text).unwrap()).unwrap();
        keep_data(&mut module, |at, _| bytes[at - 16]).unwrap();
        let segments: Vec<(i32, &[u8])> = module
            .data
            .iter()
            .map(|segment| match segment.kind {
                DataKind::Active {
                    offset: ConstExpr::Value(Value::I32(start)),
                    ..
                } => (start, segment.value.as_slice()),
                _ => panic!("a segment of another kind"),
            })
            .collect();
        assert_eq!(segments, expected);
    }
}
