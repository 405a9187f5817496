// Parts of the program that its first module lacks, on the engine's side: added when the page sends them. When the program
// needs one before, it is downloaded on the spot, with everything waiting.
// @ts-check
import { addPart, parts } from "./pkg/pushforward.js";

/** @typedef {{ index: number, module: WebAssembly.Module }} Part */

/** @param {string[]} urls of all parts, in the order of their numbers */
export function fetchMissing(urls) {
  parts.load = (index) => addPart(index, new WebAssembly.Module(fetchNow(urls[index])));
}

/** @param {Part} part */
export const add = ({ index, module }) => addPart(index, module);

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
