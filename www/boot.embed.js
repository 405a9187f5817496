// @ts-check
/**
 * How the self-contained file finds its code and its wasm: both are elements of its own page. The build puts
 * this in the place of `boot.js`; both export the same names. docs/building.md describes the contract.
 */

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

/** The scene carried by this file, or "" when the link in the address bar says it all. */
export function presetScene() {
  const scene = JSON.parse(elementText("pushforward-scene"));
  return typeof scene === "string" ? scene : "";
}
