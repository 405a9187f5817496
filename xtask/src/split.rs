//! Splits a bound wasm module after linking: a primary module that is loaded at once, and parts that are loaded when needed.
//!
//! All parts share memory, globals and the function table with the primary. Where the primary calls a function of a part it
//! calls a *dispatcher* instead, with the function's slot in the table: that asks JavaScript for the part if it is still
//! missing (`split.js`), then calls through the table. A function of a part whose address is taken is represented by a
//! thunk until its part overwrites the table's entry. A part calls its own functions directly and imports all others by
//! their slots. So any distribution of functions is correct; a bad one only costs bytes or an early download.
//!
//! Data that only functions of parts can reach go with them (`data.rs`); no function is changed but in its calls.

mod data;
mod later;
mod primary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};
use walrus::ir::{Call, Const, RefFunc, ReturnCall, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExportItem, FunctionId, LocalFunction, Module,
    ModuleConfig, TableId,
};

pub use data::{Needs, Reach};

/// A module between wasm-bindgen and its split, with names, and what its data are for.
pub struct Bound {
    /// The module, its functions called as the linker called them.
    pub wasm: Vec<u8>,
    /// Nothing where the linker did not say.
    pub reach: Option<Reach>,
}

/// Modules that together are one program.
pub struct Split {
    /// What is loaded at once.
    pub primary: Vec<u8>,
    /// What is loaded later, in the order of the parts' numbers.
    pub parts: Vec<Vec<u8>>,
}

/// A function by its place in the module before the split: both ends of an import agree on it.
type Index = usize;

/// The function table's name between the modules; `split.js` knows it too.
const FUNCTIONS: &str = "functions";

/// Distributes the functions of a module: `part_of(name)` is the number of the part that gets a function, below `parts`, or
/// nothing for the primary. Names are those of the module's name section.
///
/// # Errors
/// The module is not of the kind that the Rust compiler and wasm-bindgen make.
pub fn split(
    bound: &Bound,
    parts: usize,
    part_of: impl Fn(&str) -> Option<usize>,
) -> Result<Split> {
    let wasm = &bound.wasm;
    let plan = Plan::new(&parsed(wasm)?, bound.reach.as_ref(), parts, part_of)?;
    let mut shared = BTreeSet::new();
    let parts = (0..parts)
        .map(|part| later::module(parsed(wasm)?, &plan, part, &mut shared))
        .collect::<Result<Vec<_>>>()?;
    let primary = primary::module(parsed(wasm)?, &plan, parts.len(), &shared)?;
    Ok(Split { primary, parts })
}

/// The module as a visitor downloads it: without names.
pub fn stripped(wasm: &[u8]) -> Result<Vec<u8>> {
    Ok(parsed(wasm)?.emit_wasm())
}

fn parsed(wasm: &[u8]) -> Result<Module> {
    let mut module = ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(wasm)?;
    // What compilers and linkers tell each other.
    let customs: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for id in customs {
        module.customs.delete(id);
    }
    Ok(module)
}

/// Who goes where, and through which slots of the table they meet.
struct Plan {
    /// Part of each function that does not stay in the primary.
    part: HashMap<Index, usize>,
    /// Slots of the functions that have any; others call through the first.
    slots: BTreeMap<Index, Vec<u32>>,
    /// Functions that the primary puts into the table for the parts' sake, from `table_start` on.
    met: Vec<Index>,
    table_start: u32,
    table_size: u32,
    /// Who needs which byte of memory; all others are the primary's.
    needs: Vec<Needs>,
}

impl Plan {
    fn new(
        module: &Module,
        reach: Option<&Reach>,
        parts: usize,
        part_of: impl Fn(&str) -> Option<usize>,
    ) -> Result<Self> {
        ensure!(
            module
                .data
                .iter()
                .all(|data| matches!(data.kind, DataKind::Active { .. })),
            "passive data would have to be shared"
        );
        let mut part = HashMap::new();
        for (id, _) in module
            .funcs
            .iter_local()
            .filter(|(id, _)| module.start != Some(*id))
        {
            let name = module.funcs.get(id).name.as_deref();
            if let Some(number) = name.and_then(&part_of) {
                ensure!(number < parts, "part {number} of {parts}");
                part.insert(id.index(), number);
            }
        }
        let mut slots: BTreeMap<Index, Vec<u32>> = BTreeMap::new();
        for (slot, function) in addresses(module)? {
            slots.entry(function.index()).or_default().push(slot);
        }

        // From which parts each function is called directly, or from outside.
        let mut from: BTreeMap<Index, BTreeSet<Option<usize>>> = BTreeMap::new();
        for (callee, callers) in direct_callers(module)? {
            let part_of =
                |caller: Option<Index>| caller.and_then(|caller| part.get(&caller).copied());
            from.insert(callee, callers.into_iter().map(part_of).collect());
        }
        let (mut met, mut own) = (Vec::new(), Vec::new());
        for (id, _) in module.funcs.iter_local() {
            let index = id.index();
            let home = part.get(&index).copied();
            let from = from.remove(&index).unwrap_or_default();
            if slots.contains_key(&index) || from.iter().all(|&caller| caller == home) {
                continue;
            }
            if from
                .iter()
                .any(|&caller| caller.is_some() && caller != home)
            {
                met.push(index);
            } else {
                own.push((home, index));
            }
        }
        // The slots of a part follow each other, so that one segment fills them.
        own.sort_unstable();
        let functions = module.funcs.iter_local().map(|(id, function)| {
            let name = module.funcs.get(id).name.as_deref();
            (name, part.get(&id.index()).copied(), constants(function))
        });
        let needs = reach
            .map(|reach| reach.needs(functions))
            .unwrap_or_default();
        let table_start = u32::try_from(module.tables.get(function_table(module)?).initial)?;
        let new = met
            .iter()
            .copied()
            .chain(own.into_iter().map(|(_, index)| index));
        let mut table_size = table_start;
        for index in new {
            slots.insert(index, vec![table_size]);
            table_size += 1;
        }
        Ok(Self {
            part,
            slots,
            met,
            table_start,
            table_size,
            needs,
        })
    }

    fn slot(&self, index: Index) -> Result<i32> {
        let slots = self
            .slots
            .get(&index)
            .context("a function that is called from elsewhere has a slot")?;
        Ok(i32::try_from(slots[0])?)
    }

    /// Makes room in the table.
    fn enlarge(&self, module: &mut Module, table: TableId) {
        let size = u64::from(self.table_size);
        let table = module.tables.get_mut(table);
        table.initial = size;
        table.maximum = table.maximum.map(|most| most.max(size));
    }
}

/// Who refers to each function by its index: functions that call it, and nobody in particular where its address is taken or
/// it is exported.
pub fn callers(module: &Module) -> Result<BTreeMap<Index, BTreeSet<Option<Index>>>> {
    let mut callers = direct_callers(module)?;
    for (_, function) in addresses(module)? {
        callers.entry(function.index()).or_default().insert(None);
    }
    Ok(callers)
}

/// Who calls each function by its index, JavaScript being nobody in particular.
fn direct_callers(module: &Module) -> Result<BTreeMap<Index, BTreeSet<Option<Index>>>> {
    let mut callers: BTreeMap<Index, BTreeSet<Option<Index>>> = BTreeMap::new();
    for export in module.exports.iter() {
        if let ExportItem::Function(id) = export.item {
            callers.entry(id.index()).or_default().insert(None);
        }
    }
    for (caller, callees) in calls(module)? {
        for callee in callees {
            callers.entry(callee).or_default().insert(Some(caller));
        }
    }
    Ok(callers)
}

/// Which functions each function calls.
fn calls(module: &Module) -> Result<BTreeMap<Index, BTreeSet<Index>>> {
    #[derive(Default)]
    struct Calls {
        callees: BTreeSet<Index>,
        others: usize,
    }
    impl Visitor<'_> for Calls {
        fn visit_call(&mut self, call: &Call) {
            self.callees.insert(call.func.index());
        }
        fn visit_return_call(&mut self, _: &ReturnCall) {
            self.others += 1;
        }
        fn visit_ref_func(&mut self, _: &RefFunc) {
            self.others += 1;
        }
    }
    let mut all = BTreeMap::new();
    for (id, function) in module.funcs.iter_local() {
        let mut visitor = Calls::default();
        dfs_in_order(&mut visitor, function, function.entry_block());
        ensure!(
            visitor.others == 0,
            "tail calls and function references are not split"
        );
        all.insert(id.index(), visitor.callees);
    }
    Ok(all)
}

/// The 32-bit constants in a function.
fn constants(function: &LocalFunction) -> Vec<i32> {
    struct Constants(Vec<i32>);
    impl Visitor<'_> for Constants {
        fn visit_const(&mut self, constant: &Const) {
            if let Value::I32(value) = constant.value {
                self.0.push(value);
            }
        }
    }
    let mut found = Constants(Vec::new());
    dfs_in_order(&mut found, function, function.entry_block());
    found.0
}

/// What a module does to a byte of data when it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// Sets it.
    Set(u8),
    /// May set it, where that makes fewer segments.
    Free(u8),
    /// Must not touch it.
    Foreign,
}

/// Replaces the segments of data by those that set the bytes that `byte` (of an address and a value) tells to.
fn keep_data(module: &mut Module, byte: impl Fn(usize, u8) -> Byte) -> Result<()> {
    /// Bytes that cost less than a segment of their own.
    const GAP: usize = 16;
    let segments: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    for id in segments {
        let segment = module.data.get(id);
        let DataKind::Active {
            memory,
            offset: ConstExpr::Value(Value::I32(start)),
        } = segment.kind
        else {
            bail!("a segment of data without a fixed address")
        };
        let start = usize::try_from(start)?;
        let bytes: Vec<Byte> = (start..)
            .zip(&segment.value)
            .map(|(at, &value)| match byte(at, value) {
                // Memory starts as zeros.
                Byte::Set(0) => Byte::Free(0),
                other => other,
            })
            .collect();
        module.data.delete(id);
        module.memories.get_mut(memory).data_segments.remove(&id);
        let is_set = |byte: &Byte| matches!(byte, Byte::Set(_));
        let mut rest = 0;
        while let Some(skip) = bytes[rest..].iter().position(is_set) {
            let from = rest + skip;
            rest = from + 1;
            while let Some(more) = bytes[rest..]
                .iter()
                .take(GAP)
                .take_while(|&&byte| byte != Byte::Foreign)
                .position(is_set)
            {
                rest += more + 1;
            }
            let value = bytes[from..rest].iter().map(|byte| match *byte {
                Byte::Set(value) | Byte::Free(value) => value,
                Byte::Foreign => unreachable!("segments end before what they must not touch"),
            });
            let kind = DataKind::Active {
                memory,
                offset: ConstExpr::Value(Value::I32(i32::try_from(start + from)?)),
            };
            let id = module.data.add(kind, value.collect());
            module.memories.get_mut(memory).data_segments.insert(id);
        }
    }
    Ok(())
}

fn function_table(module: &Module) -> Result<TableId> {
    module
        .tables
        .main_function_table()?
        .context("the module has no function table")
}

/// The functions whose addresses are taken, with their slots in the table.
fn addresses(module: &Module) -> Result<Vec<(u32, FunctionId)>> {
    let mut found = Vec::new();
    for segment in module.elements.iter() {
        let (
            ElementKind::Active {
                offset: ConstExpr::Value(Value::I32(offset)),
                ..
            },
            ElementItems::Functions(functions),
        ) = (&segment.kind, &segment.items)
        else {
            bail!("an element segment that is not a list of functions at a fixed place")
        };
        let offset = u32::try_from(*offset)?;
        found.extend((offset..).zip(functions.iter().copied()));
    }
    Ok(found)
}

/// What a table, memory or global is called between the modules unless it has a name already: its kind and its place.
fn key(item: ExportItem) -> String {
    match item {
        ExportItem::Table(id) => format!("t{}", id.index()),
        ExportItem::Memory(id) => format!("m{}", id.index()),
        ExportItem::Global(id) => format!("g{}", id.index()),
        ExportItem::Function(id) => format!("f{}", id.index()),
        ExportItem::Tag(id) => format!("e{}", id.index()),
    }
}

/// The names of what is exported anyway, by key.
fn export_names(module: &Module) -> HashMap<String, String> {
    let named = |export: &walrus::Export| (key(export.item), export.name.clone());
    module.exports.iter().map(named).collect()
}

/// The flag of the primary that a part sets when it is there.
fn flag_name(part: usize) -> String {
    format!("l{part}")
}

fn add_segment(
    module: &mut Module,
    table: TableId,
    at: u32,
    functions: Vec<FunctionId>,
) -> Result<()> {
    if functions.is_empty() {
        return Ok(());
    }
    let offset = ConstExpr::Value(Value::I32(i32::try_from(at)?));
    let segment = module.elements.add(
        ElementKind::Active { table, offset },
        ElementItems::Functions(functions),
    );
    module.tables.get_mut(table).elem_segments.insert(segment);
    Ok(())
}
