// Parts of the program that its first module lacks, on the engine's side: added when the page sends them or the engine
// fetches them. When the program needs one before, it is downloaded on the spot, with everything waiting.
// @ts-check
import { compile } from "./boot.js";
import { addPart, partNames, parts } from "./pkg/pushforward.js";

/** @typedef {{ index: number, module: WebAssembly.Module }} Part */

/** @type {string[]} */
let urls = [];
/** @type {Set<number>} */
const here = new Set();

/** @param {Part} part */
export function add({ index, module }) {
  addPart(index, module);
  here.add(index);
}

/** @param {string[]} of where all parts are, in the order of their numbers */
export function fetchMissing(of) {
  urls = of;
  parts.load = (index) => add({ index, module: new WebAssembly.Module(fetchNow(urls[index])) });
}

/**
 * Fetches and adds a part before it is called.
 * @param {string} name
 * @returns {Promise<Part | null>} null where the program has it
 */
export async function complete(name) {
  const index = partNames.indexOf(name);
  if (index < 0 || here.has(index)) return null;
  const part = { index, module: await compile(urls[index]) };
  add(part);
  return part;
}

/**
 * The bytes of a file, now: nothing else runs meanwhile.
 * @param {string} url
 */
function fetchNow(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  // Bytes as the code units of a text: on a page's own thread such a request gives nothing else.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) throw new Error(`${url}: ${request.status} ${request.statusText}`);
  return Uint8Array.from(request.responseText, (unit) => unit.charCodeAt(0));
}
