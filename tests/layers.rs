//! The layers of `src/`: a module imports only from its own group or from groups to its left.
//!
//! It reads the text for paths that start at the crate's root (`crate::x`, `use crate::{x, y}`, enough `super::` to reach it).
//! Comments and test code are left out: what a test compares with may lie anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Groups of top-level modules, leftmost first. Modules of one group may import each other.
const LAYERS: &[&[&str]] = &[
    &[
        "decimal", "error", "json", "order", "params", "rng", "expr", "linalg",
    ],
    &["scene"],
    &["graph"],
    &["kernels"],
    &["exec"],
    &["nn", "ot", "targets", "data", "metrics"],
    &["systems"],
    &["session"],
    &["link", "manifest"],
    &["playground"],
    &["cli", "web"],
];

/// Files that put the layers together and belong to none.
const ROOTS: &[&str] = &["lib.rs", "main.rs"];

/// A file's path below `src/` and its text.
type Source = (String, String);

#[test]
fn modules_import_only_leftwards() {
    let mut sources = Vec::new();
    read_sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        "",
        &mut sources,
    );
    assert!(sources.len() > 10, "the sources were not found");
    let problems = violations(&sources);
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn read_sources(folder: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("src/ can be listed") {
        let path = entry.expect("src/ can be listed").path();
        let name = format!(
            "{prefix}{}",
            path.file_name().expect("has a name").to_string_lossy()
        );
        if path.is_dir() {
            read_sources(&path, &format!("{name}/"), sources);
        } else if name.ends_with(".rs") {
            sources.push((name, fs::read_to_string(&path).expect("sources are UTF-8")));
        }
    }
}

fn violations(sources: &[Source]) -> Vec<String> {
    let macros: BTreeMap<String, &str> = sources
        .iter()
        .flat_map(|(file, text)| {
            text.lines()
                .filter_map(|line| line.trim().strip_prefix("macro_rules! "))
                .map(|rest| (identifier(rest).to_owned(), top_level(file)))
        })
        .collect();
    let mut problems = Vec::new();
    for (file, text) in sources.iter().filter(|(file, _)| !is_exempt(file)) {
        let module = top_level(file);
        let Some(own) = layer(module) else {
            problems.push(format!(
                "src/{file}: give `{module}` its layer in tests/layers.rs"
            ));
            continue;
        };
        for (line, name) in imports(file, text) {
            let target = macros.get(&name).copied().unwrap_or(&name);
            if layer(target).is_some_and(|other| other > own) {
                problems.push(format!(
                    "src/{file}:{line}: `{module}` imports `{target}`, which lies to its right"
                ));
            }
        }
    }
    problems
}

fn is_exempt(file: &str) -> bool {
    ROOTS.contains(&file) || file.ends_with("/tests.rs") || file.contains("/tests/")
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|group| group.contains(&module))
}

/// `graph/build.rs` and `graph.rs` belong to `graph`.
fn top_level(file: &str) -> &str {
    identifier(file)
}

fn identifier(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

/// The names at the crate's root that a file mentions, each with its line.
fn imports(file: &str, text: &str) -> Vec<(usize, String)> {
    let depth = file.matches('/').count() + 1;
    let roots = ["crate::".to_owned(), "super::".repeat(depth)];
    let mut found = Vec::new();
    let mut group: Option<usize> = None;
    for (index, line) in text.lines().enumerate() {
        if line == "#[cfg(test)]" {
            break;
        }
        let code = line.split("//").next().unwrap_or("");
        let mut note = |name: &str| {
            if !name.is_empty() {
                found.push((index + 1, name.to_owned()));
            }
        };
        if let Some(open) = group {
            group = braced(code, open, &mut note);
            continue;
        }
        for root in &roots {
            for (at, _) in code.match_indices(root.as_str()) {
                let is_whole_word =
                    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
                let after = &code[at + root.len()..];
                match after.strip_prefix('{') {
                    Some(list) if is_whole_word => group = braced(list, 1, &mut note),
                    None if is_whole_word => note(identifier(after)),
                    _ => {}
                }
            }
        }
    }
    found
}

/// Notes the first name of each item of `use crate::{a, b::{c, d}}`; the depth that stays open at the line's end, if any.
fn braced(text: &str, mut depth: usize, note: &mut impl FnMut(&str)) -> Option<usize> {
    let mut item_starts = depth == 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => item_starts = true,
            _ if c.is_whitespace() => {}
            _ if item_starts && depth == 1 => {
                note(identifier(&text[at..]));
                item_starts = false;
            }
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    Some(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &str, text: &str) -> Vec<String> {
        violations(&[
            (file.to_owned(), text.to_owned()),
            (
                "params.rs".to_owned(),
                "macro_rules! choices {\n}\n".to_owned(),
            ),
            (
                "session.rs".to_owned(),
                "macro_rules! replay {\n}\n".to_owned(),
            ),
        ])
    }

    #[test]
    fn every_way_to_import_rightwards_is_seen() {
        for text in [
            "use crate::session::Session;\n",
            "use crate::{error::Error, session};\n",
            "use crate::{\n    error::{A, B},\n    session::Session,\n};\n",
            "fn f() -> crate::session::Session {}\n",
            "use super::super::session;\n",
            "use crate::replay;\n",
        ] {
            let found = problems("graph/build.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains("imports `session`"), "{found:?}");
        }
        assert_eq!(problems("rng.rs", "use super::graph;\n").len(), 1);
        assert_eq!(problems("novelty.rs", "").len(), 1);
    }

    #[test]
    fn what_is_allowed_is_not_reported() {
        for text in [
            "use crate::{choices, error::Error};\n",
            "use super::session;\n",
            "// see crate::session\n",
            "#[cfg(test)]\nmod tests {\n    use crate::session;\n}\n",
            "use other_crate::session;\n",
        ] {
            assert_eq!(
                problems("graph/build.rs", text),
                Vec::<String>::new(),
                "{text}"
            );
        }
        assert_eq!(
            problems("graph/tests.rs", "use crate::session;\n"),
            Vec::<String>::new()
        );
    }
}
