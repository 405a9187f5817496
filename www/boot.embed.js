// @ts-check
/**
 * How the self-contained file finds its code and its wasm: both are elements of its own page. The build puts
 * this in the place of `boot.js`; both export the same names. docs/building.md describes the contract.
 */

/** @typedef {import("./more.js").Parts} Parts */
/** @typedef {typeof import("./pkg/pushforward.js")} Glue */

/** Which version this is: a folder of files, or one self-contained file. */
export const shell = /** @type {"site" | "embed"} */ ("embed");

/** @param {string} id */
function elementText(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`this page lacks its element #${id}`);
  return element.textContent ?? "";
}

async function inflate() {
  const packed = Uint8Array.from(atob(elementText("pushforward-wasm").trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

/** @type {Promise<WebAssembly.Module> | undefined} */
let compiled;

/**
 * The compiled program; this file carries the plain flavour only.
 * @param {"simd" | "relaxed"} [_flavour] ignored
 */
export async function loadWasm(_flavour) {
  compiled ??= inflate();
  return { module: await compiled, flavour: /** @type {"simd" | "relaxed"} */ ("simd") };
}

/**
 * The program of this file is in one piece.
 * @param {string} name
 * @param {"simd" | "relaxed"} [_flavour]
 * @returns {string}
 */
export function partUrl(name, _flavour) {
  throw new Error(`this page carries no part ${name}`);
}

/**
 * This file fetches nothing.
 * @param {string} url
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compile(url) {
  throw new Error(`this page does not fetch ${url}`);
}

/** A classic blob worker made of this page's own script. */
export function startWorker() {
  const url = URL.createObjectURL(new Blob([elementText("pushforward-code")], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
  return worker;
}

/**
 * Explanations are not part of this file.
 * @param {string} _id
 * @returns {Promise<string | null>}
 */
export async function explanation(_id) {
  return null;
}

/** The scene and the options carried by this file; empty when the address bar says it all. */
export function preset() {
  const kept = JSON.parse(elementText("pushforward-scene"));
  const text = (/** @type {unknown} */ value) => (typeof value === "string" ? value : "");
  return { scene: text(kept?.scene ?? kept), query: text(kept?.query) };
}

/** This page before it was put to use; its texts are shared with the page, not copied. */
const untouched = typeof document === "undefined" ? null : /** @type {HTMLElement} */ (document.documentElement.cloneNode(true));

/** What the site loads on demand is here from the start. */
export async function more() {
  return /** @type {Parts} */ (/** @type {any} */ (globalThis).pushforward.use("more.js").parts);
}

/**
 * This file has none but that of the demo it was made for.
 * @returns {Promise<import("./boot.js").Pictures | null>}
 */
export async function pictures() {
  return null;
}

/** A second instance of the program's glue, for a run of another module on the same thread. @returns {Glue} */
export const freshProgram = () => /** @type {any} */ (globalThis).pushforward.modules["pkg/pushforward.js"]();

/** This file, for a copy that carries its own scene. */
export async function standalone() {
  return `<!doctype html>\n${untouched?.outerHTML}`;
}

/**
 * This file is kept already.
 * @param {"simd" | "relaxed"} _flavour
 */
export function keepForOffline(_flavour) {}
