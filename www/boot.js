// @ts-check
/**
 * How the site finds its code and its wasm. `boot.embed.js` is the version of the self-contained file;
 * both export the same names. docs/building.md describes the contract.
 */

/** @typedef {import("./more.js").Parts} Parts */
/** @typedef {typeof import("./pkg/pushforward.js")} Glue */

/** Which version this is: a folder of files, or one self-contained file. */
export const shell = /** @type {"site" | "embed"} */ ("site");

/** A module that uses one relaxed-SIMD instruction: engines that refuse it get the plain module. */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253,
  128, 2, 11,
]);

/** WebKit hung on relaxed SIMD where it was tried, so it always gets the plain module. */
const isWebKit = () => /AppleWebKit/.test(navigator.userAgent) && !/Chrom(e|ium)/.test(navigator.userAgent);

/** @returns {"simd" | "relaxed"} */
const bestFlavour = () => (!isWebKit() && WebAssembly.validate(RELAXED_PROBE) ? "relaxed" : "simd");

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/**
 * A wasm file, compiled.
 * @param {string} url
 */
export async function compile(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  // Hosts that send another MIME type make compileStreaming throw, so it is asked for only where it works.
  const streams = response.headers.get("content-type")?.startsWith("application/wasm");
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/**
 * The compiled program, downloaded once.
 * @param {"simd" | "relaxed"} [flavour] the best this browser has, unless given
 */
export async function loadWasm(flavour = bestFlavour()) {
  let loading = modules.get(flavour);
  if (!loading) {
    loading = compile(new URL(`./pkg/pushforward_${flavour}.wasm`, document.baseURI).href);
    modules.set(flavour, loading);
    loading.catch(() => modules.delete(flavour));
  }
  return { module: await loading, flavour };
}

/**
 * Where a part of the program lies that is not in its first module.
 * @param {string} name one of the glue's `partNames`
 * @param {"simd" | "relaxed"} [flavour]
 */
export function partUrl(name, flavour = bestFlavour()) {
  return new URL(`./pkg/pushforward_${flavour}.${name}.wasm`, document.baseURI).href;
}

/** A worker that runs `worker.js`: the page's own script, which knows by the missing document what it is. */
export function startWorker() {
  return new Worker(new URL("./app.js", document.baseURI));
}

/**
 * The explanation of a system as HTML text, or null where there is none.
 * @param {string} id
 * @returns {Promise<string | null>}
 */
export async function explanation(id) {
  const response = await fetch(new URL(`./explain/${encodeURIComponent(id)}.html`, document.baseURI));
  return response.ok ? response.text() : null;
}

/** The scene and the options carried by this file: none, the address bar says it all. */
export function preset() {
  return { scene: "", query: "" };
}

/** @type {Promise<Parts> | undefined} */
let coming;

/** What most visits do without: sharing, embedding, own data. Downloaded when first asked for. */
export function more() {
  coming ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./more.js", document.baseURI).href;
    script.onload = () => resolve(/** @type {any} */ (globalThis).pushforward.use("more.js").parts);
    script.onerror = () => {
      coming = undefined;
      script.remove();
      reject(new Error("more.js was not found"));
    };
    document.head.append(script);
  });
  return coming;
}

/**
 * Keeps the site for visits without a network, where the browser lets pages do so; not in other people's pages.
 * @param {"simd" | "relaxed"} flavour
 */
export function keepForOffline(flavour) {
  if (window.parent !== window) return;
  try {
    // Insecure and opaque origins have none, or throw at the first look.
    void navigator.serviceWorker?.register(new URL(`./sw.js?wasm=${flavour}`, document.baseURI)).catch(() => {});
  } catch {
    // The page does without.
  }
}

/** @typedef {{ demo: string, presets: Record<string, { file: string }> }} Pictures by the link of the preset */

/** @type {Promise<Pictures | null> | undefined} */
let drawn;

/** The pictures that this site has of its presets. */
export function pictures() {
  drawn ??= fetch(new URL("./posters/index.json", document.baseURI)).then((response) => (response.ok ? response.json() : null)).catch(() => null);
  return drawn;
}

/** A second instance of the program's glue, for a run of another module on the same thread. @returns {Glue} */
export const freshProgram = () => /** @type {any} */ (globalThis).pushforward.modules["pkg/pushforward.js"]();

/** The self-contained file, for a copy that carries its own scene. */
export async function standalone() {
  const response = await fetch(new URL("./embed.html", document.baseURI));
  if (!response.ok) throw new Error(`embed.html: ${response.status} ${response.statusText}`);
  return response.text();
}
