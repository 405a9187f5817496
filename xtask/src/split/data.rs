//! Which data a function can reach: what the linker's relocations say of a module that was linked with `--emit-relocs`.
//!
//! Every address in code and in data is relocated, so a symbol that no chain of relocations leads to from a function is
//! never read by it. Calls through the function table need no chain: a function of a part brings its data when it comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    BinaryReader, DataKind, KnownCustom, Linking, Name, Operator, Parser, Payload,
    RelocSectionReader, RelocationEntry, SymbolInfo,
};

/// A piece of data that code has a name for.
struct Symbol {
    address: Range<usize>,
    /// Whether the program never writes it.
    is_constant: bool,
    /// Other symbols whose addresses it holds.
    holds: BTreeSet<usize>,
}

/// The data symbols of a linked module, and who refers to them.
pub struct Reach {
    symbols: Vec<Symbol>,
    /// Symbols to which each function refers, by its linker's name.
    of_function: HashMap<String, BTreeSet<usize>>,
}

/// Who needs a byte of memory.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The first module, or somebody unknown.
    pub primary: bool,
    /// A bit for each part.
    pub parts: u32,
    /// Whether the program never writes it.
    pub is_constant: bool,
}

impl Reach {
    /// Reads a linked module.
    ///
    /// # Errors
    /// The module lacks the linker's symbols and relocations, or they do not fit its data.
    pub fn of(linked: &[u8]) -> Result<Self> {
        let file = File::parse(linked)?;
        let mut symbols = Vec::new();
        // Data symbols by their number in the linker's table.
        let mut number = HashMap::new();
        for (entry, symbol) in (0u32..).zip(&file.symbols) {
            let SymbolInfo::Data {
                symbol: Some(place),
                ..
            } = symbol
            else {
                continue;
            };
            let segment = place.index as usize;
            // What starts as zeros has a segment's name, but no segment.
            let Some(Segment { address, .. }) = file.segments.get(segment) else {
                continue;
            };
            let start = address + place.offset as usize;
            number.insert(entry, symbols.len());
            symbols.push(Symbol {
                address: start..start + place.size as usize,
                is_constant: file.segment_names.get(segment) == Some(&".rodata"),
                holds: BTreeSet::new(),
            });
        }
        for entry in &file.in_data {
            let Some(&held) = number.get(&entry.index) else {
                continue;
            };
            let at = file.data_start + entry.offset as usize;
            let segment = file
                .segments
                .iter()
                .find(|segment| segment.place.contains(&at));
            let segment = segment.context("a relocation outside the data")?;
            let address = segment.address + (at - segment.place.start);
            let mut is_held = false;
            for holder in &mut symbols {
                if holder.address.contains(&address) {
                    holder.holds.insert(held);
                    is_held = true;
                }
            }
            ensure!(
                is_held,
                "the relocation at address {address} belongs to no symbol"
            );
        }
        let mut of_function: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (name, body) in file.functions()? {
            let refers = of_function.entry(name.to_owned()).or_default();
            let offset = |at: usize| at - file.code_start;
            let first = file
                .in_code
                .partition_point(|entry| (entry.offset as usize) < offset(body.start));
            let inside = file.in_code[first..]
                .iter()
                .take_while(|entry| (entry.offset as usize) < offset(body.end));
            refers.extend(inside.filter_map(|entry| number.get(&entry.index)));
        }
        Ok(Self {
            symbols,
            of_function,
        })
    }

    /// Who needs which byte, given each function's linker's name, its part, and the constants in its code.
    ///
    /// A function that the linker did not know is taken to need each symbol into which one of its constants points.
    pub fn needs<'a>(
        &self,
        functions: impl Iterator<Item = (Option<&'a str>, Option<usize>, Vec<i32>)>,
    ) -> Vec<Needs> {
        let end = self
            .symbols
            .iter()
            .map(|symbol| symbol.address.end)
            .max()
            .unwrap_or(0);
        let mut by_home: BTreeMap<Option<usize>, BTreeSet<usize>> = BTreeMap::new();
        for (name, home, constants) in functions {
            let roots = by_home.entry(home).or_default();
            match name.and_then(|name| self.of_function.get(name)) {
                Some(refers) => roots.extend(refers),
                None => {
                    let points = |symbol: &Symbol| {
                        constants
                            .iter()
                            .any(|&at| symbol.address.contains(&(at as usize)))
                    };
                    let found = self
                        .symbols
                        .iter()
                        .enumerate()
                        .filter(|(_, symbol)| points(symbol));
                    roots.extend(found.map(|(index, _)| index));
                }
            }
        }
        let mut needs = vec![Needs::default(); end];
        let mut is_named = vec![false; end];
        for symbol in &self.symbols {
            is_named[symbol.address.clone()].fill(true);
        }
        for (home, roots) in by_home {
            for index in self.closure(roots) {
                for need in &mut needs[self.symbols[index].address.clone()] {
                    match home {
                        None => need.primary = true,
                        Some(part) => need.parts |= 1 << part,
                    }
                }
            }
        }
        for (need, is_named) in needs.iter_mut().zip(is_named) {
            need.primary |= !is_named;
        }
        for symbol in &self.symbols {
            for need in &mut needs[symbol.address.clone()] {
                need.is_constant = symbol.is_constant;
                // Parts may bring the same constant twice, but must not undo what another has written.
                need.primary |= !symbol.is_constant && need.parts.count_ones() > 1;
            }
        }
        needs
    }

    fn closure(&self, roots: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut reached = roots.clone();
        let mut open: Vec<usize> = roots.into_iter().collect();
        while let Some(index) = open.pop() {
            open.extend(
                self.symbols[index]
                    .holds
                    .iter()
                    .filter(|&&held| reached.insert(held)),
            );
        }
        reached
    }
}

/// A segment of data: where it lies in memory and in the file.
struct Segment {
    address: usize,
    place: Range<usize>,
}

/// What is read of a linked module.
#[derive(Default)]
struct File<'a> {
    imported: u32,
    bodies: Vec<Range<usize>>,
    code_start: usize,
    data_start: usize,
    segments: Vec<Segment>,
    segment_names: Vec<&'a str>,
    names: HashMap<u32, &'a str>,
    symbols: Vec<SymbolInfo<'a>>,
    in_code: Vec<RelocationEntry>,
    in_data: Vec<RelocationEntry>,
}

impl<'a> File<'a> {
    fn parse(linked: &'a [u8]) -> Result<Self> {
        let mut file = Self::default();
        for payload in Parser::new(0).parse_all(linked) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let is_function = matches!(import?.ty, wasmparser::TypeRef::Func(_));
                        file.imported += u32::from(is_function);
                    }
                }
                Payload::CodeSectionStart { range, .. } => file.code_start = range.start,
                Payload::CodeSectionEntry(body) => file.bodies.push(body.range()),
                Payload::DataSection(data) => {
                    file.data_start = data.range().start;
                    for data in data {
                        let data = data?;
                        let place = data.range.end - data.data.len()..data.range.end;
                        let DataKind::Active { offset_expr, .. } = data.kind else {
                            bail!("a passive segment of data")
                        };
                        let Operator::I32Const { value } =
                            offset_expr.get_operators_reader().read()?
                        else {
                            bail!("a segment of data without a fixed address")
                        };
                        file.segments.push(Segment {
                            address: usize::try_from(value)?,
                            place,
                        });
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(names) => {
                        for subsection in names {
                            if let Name::Function(functions) = subsection? {
                                for naming in functions {
                                    let naming = naming?;
                                    file.names.insert(naming.index, naming.name);
                                }
                            }
                        }
                    }
                    KnownCustom::Linking(linking) => {
                        for subsection in linking.subsections() {
                            match subsection? {
                                Linking::SegmentInfo(infos) => {
                                    for info in infos {
                                        file.segment_names.push(info?.name);
                                    }
                                }
                                Linking::SymbolTable(table) => {
                                    file.symbols = table.into_iter().collect::<Result<_, _>>()?;
                                }
                                _ => {}
                            }
                        }
                    }
                    _ if section.name() == "reloc.CODE" => {
                        file.in_code = relocations(section.data())?;
                    }
                    _ if section.name() == "reloc.DATA" => {
                        file.in_data = relocations(section.data())?;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        ensure!(
            !file.symbols.is_empty() && !file.in_code.is_empty(),
            "the module was linked without --emit-relocs"
        );
        Ok(file)
    }

    fn functions(&self) -> Result<Vec<(&'a str, Range<usize>)>> {
        let named = (self.imported..).zip(&self.bodies).map(|(index, body)| {
            let name = self
                .names
                .get(&index)
                .context("a function without a name")?;
            Ok((*name, body.clone()))
        });
        named.collect()
    }
}

/// The entries of a section of relocations, by offset.
fn relocations(section: &[u8]) -> Result<Vec<RelocationEntry>> {
    let reader = RelocSectionReader::new(BinaryReader::new(section, 0))?;
    let mut entries: Vec<RelocationEntry> =
        reader.entries().into_iter().collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| entry.offset);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{process, wasm};

    /// Two functions with a text each, one of them behind a table of pointers; one text is nobody's.
    const SOURCE: &str = r#"
#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
static TABLE: [&str; 2] = ["a text behind a table", "another behind the table"];
static UNUSED: [u8; 24] = *b"a text that nobody reads";
static mut COUNT: u32 = 7;
#[unsafe(no_mangle)]
pub extern "C" fn plain(at: usize) -> u8 { b"a text of its own"[at % 17] }
#[unsafe(no_mangle)]
pub extern "C" fn chosen(which: usize, at: usize) -> u8 { TABLE[which & 1].as_bytes()[at & 15] }
#[unsafe(no_mangle)]
pub extern "C" fn count() -> u32 { unsafe { COUNT += 1; COUNT } }
#[unsafe(no_mangle)]
pub extern "C" fn unused(at: usize) -> u8 { UNUSED[at % 24] }
"#;

    fn linked() -> Vec<u8> {
        wasm::ensure_target().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (source, output) = (folder.path().join("a.rs"), folder.path().join("a.wasm"));
        fs::write(&source, SOURCE).unwrap();
        let flags = [
            "--crate-type=cdylib",
            "--edition=2024",
            "-Copt-level=2",
            "-Cpanic=abort",
            "-Clink-arg=--emit-relocs",
        ];
        let mut rustc = process::command("rustc");
        process::run(
            rustc
                .args(flags)
                .args(["--target", wasm::TARGET])
                .arg(&source)
                .arg("-o")
                .arg(&output),
        )
        .unwrap();
        fs::read(output).unwrap()
    }

    /// Where a text lies in memory.
    fn find(linked: &[u8], text: &str) -> usize {
        let file = File::parse(linked).unwrap();
        let at = linked
            .windows(text.len())
            .position(|bytes| bytes == text.as_bytes())
            .unwrap();
        let segment = file
            .segments
            .iter()
            .find(|segment| segment.place.contains(&at))
            .unwrap();
        segment.address + at - segment.place.start
    }

    #[test]
    fn data_belong_to_those_who_can_reach_them() {
        let linked = linked();
        let reach = Reach::of(&linked).unwrap();
        let homes = [("plain", None), ("chosen", Some(0)), ("count", Some(1))];
        let needs = reach.needs(
            homes
                .map(|(name, home)| (Some(name), home, Vec::new()))
                .into_iter(),
        );
        let needs_of = |text| {
            let Needs {
                primary,
                parts,
                is_constant,
            } = needs[find(&linked, text)];
            assert!(is_constant);
            (primary, parts)
        };
        assert_eq!(needs_of("a text of its own"), (true, 0));
        assert_eq!(needs_of("a text behind a table"), (false, 1));
        assert_eq!(needs_of("another behind the table"), (false, 1));
        assert_eq!(needs_of("a text that nobody reads"), (false, 0));

        // What several parts read each may bring; what several may write is the primary's.
        let shared = ["chosen", "count"].into_iter().flat_map(|name| {
            [
                (Some(name), Some(0), Vec::new()),
                (Some(name), Some(1), Vec::new()),
            ]
        });
        let needs = reach.needs(shared);
        assert_eq!(needs[find(&linked, "a text behind a table")].parts, 3);
        let written = reach
            .symbols
            .iter()
            .find(|symbol| !symbol.is_constant)
            .unwrap();
        let need = needs[written.address.start];
        assert!(need.primary && !need.is_constant);
    }

    #[test]
    fn a_function_that_the_linker_did_not_know_is_judged_by_its_constants() {
        let linked = linked();
        let reach = Reach::of(&linked).unwrap();
        let at = find(&linked, "a text of its own");
        let needs = reach.needs(
            [(
                Some("adapter"),
                Some(0),
                vec![3, i32::try_from(at + 2).unwrap()],
            )]
            .into_iter(),
        );
        assert_eq!((needs[at].primary, needs[at].parts), (false, 1));
    }

    #[test]
    fn a_module_without_relocations_is_refused() {
        assert!(Reach::of(&wat::parse_str("(module)").unwrap()).is_err());
    }
}
