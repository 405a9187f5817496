
/** The parts that this program was split into, by number. */
export const partNames = [/* names */];
/** Asked by the program when it calls a function of a part that is missing; `load` has to add the part before it returns. */
export const parts = {
  load(index) {
    throw new Error(`the part "${partNames[index]}" of the program is missing`);
  },
};
const added = new Set();
/** Completes the program, once started, by a part: its module imports functions of the program by their slots in the table. */
export function addPart(index, module) {
  if (added.has(index)) return;
  const slot = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "slot") slot[name] = wasm.functions.get(Number(name));
  new WebAssembly.Instance(module, { ...__wbg_get_imports(), primary: wasm, slot });
  added.add(index);
}
