
/** The parts that this program was split into, by number. */
export const partNames = [/* names */];
/** Asked by the program when it calls a function of a part that is missing; `load` has to add the part before it returns. */
export const parts = {
  load(index) {
    throw new Error(`the part "${partNames[index]}" of the program is missing`);
  },
};
/** Makes the functions whose names say what they do; see `spelled.rs`. */
const SPELLED = {
  get: (key) => (from) => from[key],
  set: (key) => (to, value) => void (to[key] = value),
  u32: (key) => (to, value) => void (to[key] = value >>> 0),
  bool: (key) => (to, value) => void (to[key] = value !== 0),
  text: (key) => (to, at, length) => void (to[key] = getStringFromWasm0(at, length)),
  list: (key) => (to, at, length) => void (to[key] = getArrayJsValueViewFromWasm0(at, length)),
  enum: (key, words) => (to, index) => void (to[key] = words.split(",")[index]),
  call: (key) => (on, ...values) => on[key](...values),
  try: (key) => (...all) => handleError((on, ...values) => on[key](...values), all),
};
const spelled = new Proxy({}, {
  get(_, name) {
    const [kind, key, words] = name.split(" ");
    return SPELLED[kind](key, words);
  },
});
const added = new Set();
/** Completes the program, once started, by a part: its module imports functions of the program by their slots in the table. */
export function addPart(index, module) {
  if (added.has(index)) return;
  const slot = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "slot") slot[name] = wasm.functions.get(Number(name));
  new WebAssembly.Instance(module, { ...__wbg_get_imports(), primary: wasm, slot });
  added.add(index);
}
