//! The primary: the functions that stay, with dispatchers and thunks for those that left.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use walrus::ir::{
    Call, Const, Instr, InstrSeq, Value, Visitor, VisitorMut, dfs_in_order, dfs_pre_order_mut,
};
use walrus::{
    ConstExpr, ElementItems, ExportItem, FunctionBuilder, FunctionId, GlobalId, Module, TableId,
    TypeId, ValType,
};

use super::{Byte, FUNCTIONS, Plan, add_segment, flag_name, function_table, keep_data, key};

/// The module without the functions of all parts, and with what the parts need of it.
pub fn module(
    mut module: Module,
    plan: &Plan,
    parts: usize,
    shared: &BTreeSet<String>,
) -> Result<Vec<u8>> {
    keep_data(&mut module, |at, value| match plan.needs.get(at) {
        Some(needs) if !needs.primary => Byte::Free(0),
        _ => Byte::Set(value),
    })?;
    let table = function_table(&module)?;
    let mut dispatch = Dispatch::new(&mut module, table, parts);

    let staying: Vec<FunctionId> = module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| !plan.part.contains_key(&id.index()))
        .collect();
    for id in staying {
        let mut found = Away {
            plan,
            calls: BTreeSet::new(),
        };
        let function = module.funcs.get(id).kind.unwrap_local();
        dfs_in_order(&mut found, function, function.entry_block());
        let mut targets = HashMap::new();
        for callee in found.calls {
            let to = dispatch.dispatcher(&mut module, plan.part[&callee.index()], callee)?;
            targets.insert(callee, (plan.slot(callee.index())?, to));
        }
        let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
        let entry = function.entry_block();
        dfs_pre_order_mut(&mut Redirect(targets), function, entry);
    }

    let mut thunks: HashMap<FunctionId, FunctionId> = HashMap::new();
    let mut stand_in = |module: &mut Module, function: FunctionId| -> Result<FunctionId> {
        let Some(&part) = plan.part.get(&function.index()) else {
            return Ok(function);
        };
        if let Some(&thunk) = thunks.get(&function) {
            return Ok(thunk);
        }
        let to = dispatch.dispatcher(module, part, function)?;
        let thunk = thunk(module, function, plan.slot(function.index())?, to);
        thunks.insert(function, thunk);
        Ok(thunk)
    };
    let all: Vec<FunctionId> = module.funcs.iter().map(walrus::Function::id).collect();
    let segments: Vec<_> = module.elements.iter().map(walrus::Element::id).collect();
    for segment in segments {
        let ElementItems::Functions(mut functions) = module.elements.get(segment).items.clone()
        else {
            continue;
        };
        for function in &mut functions {
            *function = stand_in(&mut module, *function)?;
        }
        module.elements.get_mut(segment).items = ElementItems::Functions(functions);
    }
    let met = plan
        .met
        .iter()
        .map(|&index| stand_in(&mut module, all[index]))
        .collect::<Result<Vec<_>>>()?;
    let exports: Vec<_> = module
        .exports
        .iter()
        .map(|export| (export.id(), export.item))
        .collect();
    for (export, item) in exports {
        if let ExportItem::Function(function) = item {
            module.exports.get_mut(export).item =
                ExportItem::Function(stand_in(&mut module, function)?);
        }
    }
    add_segment(&mut module, table, plan.table_start, met)?;
    plan.enlarge(&mut module, table);

    let items: Vec<ExportItem> = module
        .tables
        .iter()
        .map(|table| ExportItem::Table(table.id()))
        .chain(
            module
                .memories
                .iter()
                .map(|memory| ExportItem::Memory(memory.id())),
        )
        .chain(
            module
                .globals
                .iter()
                .map(|global| ExportItem::Global(global.id())),
        )
        .collect();
    for item in items {
        if shared.contains(&key(item)) {
            module.exports.add(&key(item), item);
        }
    }
    module.exports.add(FUNCTIONS, table);
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

/// Finds the calls that leave the primary.
struct Away<'a> {
    plan: &'a Plan,
    calls: BTreeSet<FunctionId>,
}

impl Visitor<'_> for Away<'_> {
    fn visit_call(&mut self, call: &Call) {
        if self.plan.part.contains_key(&call.func.index()) {
            self.calls.insert(call.func);
        }
    }
}

/// Turns calls into calls of a dispatcher with a slot.
struct Redirect(HashMap<FunctionId, (i32, FunctionId)>);

impl VisitorMut for Redirect {
    fn start_instr_seq_mut(&mut self, sequence: &mut InstrSeq) {
        let redirected = |instr: &Instr| match instr {
            Instr::Call(call) => self.0.get(&call.func).copied(),
            _ => None,
        };
        if self.0.is_empty()
            || !sequence
                .instrs
                .iter()
                .any(|(instr, _)| redirected(instr).is_some())
        {
            return;
        }
        for (instr, place) in std::mem::take(&mut sequence.instrs) {
            match redirected(&instr) {
                None => sequence.instrs.push((instr, place)),
                Some((slot, func)) => sequence.instrs.extend([
                    (
                        Const {
                            value: Value::I32(slot),
                        }
                        .into(),
                        place,
                    ),
                    (Call { func }.into(), place),
                ]),
            }
        }
    }
}

/// The functions that see to it that a part is there, then call one of its functions by its slot: one for each part and
/// type of function.
struct Dispatch {
    table: TableId,
    load: FunctionId,
    flags: Vec<GlobalId>,
    made: HashMap<(usize, TypeId), FunctionId>,
}

impl Dispatch {
    fn new(module: &mut Module, table: TableId, parts: usize) -> Self {
        let ty = module.types.add(&[ValType::I32], &[]);
        let (load, _) = module.add_import_func("parts", "load", ty);
        let flags = (0..parts)
            .map(|part| {
                let flag = module.globals.add_local(
                    ValType::I32,
                    true,
                    false,
                    ConstExpr::Value(Value::I32(0)),
                );
                module.exports.add(&flag_name(part), flag);
                flag
            })
            .collect();
        Self {
            table,
            load,
            flags,
            made: HashMap::new(),
        }
    }

    fn dispatcher(
        &mut self,
        module: &mut Module,
        part: usize,
        function: FunctionId,
    ) -> Result<FunctionId> {
        let ty = module.funcs.get(function).ty();
        if let Some(&made) = self.made.get(&(part, ty)) {
            return Ok(made);
        }
        let number = i32::try_from(part)?;
        let (mut params, results) = signature(module, ty);
        params.push(ValType::I32);
        let args: Vec<_> = params.iter().map(|&of| module.locals.add(of)).collect();
        let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
        let mut body = builder.func_body();
        body.global_get(self.flags[part]);
        body.if_else(
            None,
            |_| {},
            |missing| {
                missing.i32_const(number).call(self.load);
            },
        );
        for &arg in &args {
            body.local_get(arg);
        }
        body.call_indirect(ty, self.table);
        let made = builder.finish(args, &mut module.funcs);
        self.made.insert((part, ty), made);
        Ok(made)
    }
}

fn signature(module: &Module, ty: TypeId) -> (Vec<ValType>, Vec<ValType>) {
    let (params, results) = module.types.params_results(ty);
    (params.to_vec(), results.to_vec())
}

/// A function of the type of `function` that calls a dispatcher with a slot.
fn thunk(
    module: &mut Module,
    function: FunctionId,
    slot: i32,
    dispatcher: FunctionId,
) -> FunctionId {
    let (params, results) = signature(module, module.funcs.get(function).ty());
    let args: Vec<_> = params.iter().map(|&of| module.locals.add(of)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    let mut body = builder.func_body();
    for &arg in &args {
        body.local_get(arg);
    }
    body.i32_const(slot).call(dispatcher);
    builder.finish(args, &mut module.funcs)
}
