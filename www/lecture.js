// A lecture: several scenes in one link, shown one after the other with a key, a click, or by the deck around.
// @ts-check
import { byId, h } from "./dom.js";

/** @typedef {import("./main.js").Page} Page */

/** What stands between the scenes of a link. */
const BETWEEN = ";;";

/** @type {string[]} links of the scenes; the present one is behind what is on the screen */
let all = [];
let at = 0;

export const scenes = () => all;
export const currentScene = () => at;

/**
 * Shows a scene, from its beginning; false where there is none of that number.
 * @param {Page} page
 * @param {number} index from 0
 */
export async function showScene(page, index) {
  if (index === at && all.length === 0) return true;
  if (!(index in all)) return false;
  if (index !== at) all[at] = page.link;
  at = index;
  number();
  await page.openLink(all[index]);
  return true;
}

function number() {
  byId("scene-number").textContent = `${at + 1} / ${all.length}`;
}

/**
 * Makes a lecture of the page.
 * @param {Page} page
 * @param {string[]} links
 */
export function lecture(page, links) {
  const first = !document.getElementById("scenes");
  all = [...links];
  at = 0;
  page.address = (scene) => all.map((link, i) => (i === at ? scene : link)).join(BETWEEN);
  page.leave = () => {
    all = [];
    at = 0;
    page.address = (scene) => scene;
    page.leave = () => {};
    document.getElementById("scenes")?.remove();
  };
  const go = (/** @type {number} */ by) => void showScene(page, Math.min(all.length - 1, Math.max(0, at + by)));
  if (first) {
    byId("transport").prepend(h("span", { id: "scenes", class: "scenes", role: "group", "aria-label": "Scenes of this lecture", "data-control": "scenes" },
      h("button", { type: "button", id: "scene-before", "aria-label": "Previous scene", "aria-keyshortcuts": "Shift+S", "data-tip": "Previous scene (Shift S)", onclick: () => go(-1) }, "‹"),
      h("output", { id: "scene-number" }),
      h("button", { type: "button", id: "scene-next", "aria-label": "Next scene", "aria-keyshortcuts": "s", "data-tip": "Next scene (s)", onclick: () => go(1) }, "›")));
  }
  number();
  if (first && page.options.scene > 0) void showScene(page, Math.min(page.options.scene, all.length - 1));
}
