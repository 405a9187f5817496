//! A part: its own functions, everything else imported.

use std::collections::BTreeSet;

use anyhow::Result;
use walrus::ir::Value;
use walrus::{
    ConstExpr, ExportItem, FunctionBuilder, FunctionId, FunctionKind, GlobalKind, ImportKind,
    ImportedFunction, Module, ValType,
};

use super::{
    Byte, FUNCTIONS, Index, Plan, add_segment, calls, export_names, flag_name, function_table,
    keep_data, key,
};

/// The functions of one part, which import everything else; `shared` collects the names of what they import of the primary.
pub fn module(
    mut module: Module,
    plan: &Plan,
    part: usize,
    shared: &mut BTreeSet<String>,
) -> Result<Vec<u8>> {
    const PRIMARY: &str = "primary";
    const SLOT: &str = "slot";
    let names = export_names(&module);
    let table = function_table(&module)?;
    let all: Vec<FunctionId> = module.funcs.iter().map(walrus::Function::id).collect();
    let is_own = |index: Index| plan.part.get(&index) == Some(&part);
    let calls = calls(&module)?;

    clear(&mut module);
    keep_data(&mut module, |at, value| match plan.needs.get(at) {
        Some(needs) if !needs.primary && needs.parts & (1 << part) != 0 => Byte::Set(value),
        Some(needs) if needs.is_constant => Byte::Free(value),
        _ => Byte::Foreign,
    })?;

    let foreign: BTreeSet<Index> = calls
        .iter()
        .filter(|(caller, _)| is_own(**caller))
        .flat_map(|(_, callees)| callees.iter().copied())
        .filter(|&callee| {
            !is_own(callee) && matches!(module.funcs.get(all[callee]).kind, FunctionKind::Local(_))
        })
        .collect();
    for callee in foreign {
        let function = module.funcs.get(all[callee]);
        let ty = function.ty();
        let import = module
            .imports
            .add(SLOT, &plan.slot(callee)?.to_string(), all[callee]);
        module.funcs.get_mut(all[callee]).kind =
            FunctionKind::Import(ImportedFunction { import, ty });
    }

    plan.enlarge(&mut module, table);
    let mut own: Vec<(u32, FunctionId)> = Vec::new();
    for (&index, slots) in plan.slots.iter().filter(|(index, _)| is_own(**index)) {
        own.extend(slots.iter().map(|&slot| (slot, all[index])));
    }
    own.sort_unstable();
    for run in own.chunk_by(|(slot, _), (next, _)| slot + 1 == *next) {
        let functions = run.iter().map(|&(_, function)| function).collect();
        add_segment(&mut module, table, run[0].0, functions)?;
    }

    let flag = module
        .globals
        .add_local(ValType::I32, true, false, ConstExpr::Value(Value::I32(0)));
    let mut start = FunctionBuilder::new(&mut module.types, &[], &[]);
    start.func_body().i32_const(1).global_set(flag);
    module.start = Some(start.finish(Vec::new(), &mut module.funcs));

    let mut import = |module: &mut Module, name: String, item: ImportKind| {
        let id = module.imports.add(PRIMARY, &name, item);
        shared.insert(name);
        id
    };
    let name = |item: ExportItem| names.get(&key(item)).cloned().unwrap_or_else(|| key(item));
    // An imported table is a root, and its segments with it.
    module.tables.get_mut(table).import =
        Some(import(&mut module, FUNCTIONS.to_owned(), table.into()));
    walrus::passes::gc::run(&mut module);
    let tables: Vec<_> = module
        .tables
        .iter()
        .map(walrus::Table::id)
        .filter(|&id| id != table)
        .collect();
    for id in tables {
        module.tables.get_mut(id).import =
            Some(import(&mut module, name(ExportItem::Table(id)), id.into()));
    }
    let memories: Vec<_> = module.memories.iter().map(walrus::Memory::id).collect();
    for id in memories {
        module.memories.get_mut(id).import =
            Some(import(&mut module, name(ExportItem::Memory(id)), id.into()));
    }
    let globals: Vec<_> = module.globals.iter().map(walrus::Global::id).collect();
    for id in globals {
        let name = if id == flag {
            flag_name(part)
        } else {
            name(ExportItem::Global(id))
        };
        module.globals.get_mut(id).kind = GlobalKind::Import(import(&mut module, name, id.into()));
    }
    Ok(module.emit_wasm())
}

/// Takes away what the primary has: exports and table entries.
fn clear(module: &mut Module) {
    let exports: Vec<_> = module.exports.iter().map(walrus::Export::id).collect();
    exports.into_iter().for_each(|id| module.exports.delete(id));
    let segments: Vec<_> = module.elements.iter().map(walrus::Element::id).collect();
    segments
        .into_iter()
        .for_each(|id| module.elements.delete(id));
    module
        .tables
        .iter_mut()
        .for_each(|table| table.elem_segments.clear());
}
