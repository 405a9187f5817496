// How the present system works: its explanation (fetched when first looked at) and its reference.
// @ts-check
import { explanation } from "./boot.js";
import { byId, h } from "./dom.js";

/** @type {Map<string, Promise<string | null>>} */
const texts = new Map();

/**
 * @param {import("./gallery.js").System} system
 * @param {string[]} notes of the run
 */
export async function showAbout(system, notes) {
  const root = byId("about");
  const id = JSON.stringify([system.id, notes]);
  if (root.dataset.shown === id) return;
  root.dataset.shown = id;
  let text = texts.get(system.id);
  if (!text) {
    text = explanation(system.id).catch(() => null);
    texts.set(system.id, text);
  }
  const prose = h("div", { class: "prose" });
  // The explanation is part of the site: the build made it from the repository's own files.
  prose.innerHTML = (await text) ?? "";
  // Wide formulas scroll, so the keyboard must get there.
  for (const formula of prose.querySelectorAll('math[display="block"]')) formula.setAttribute("tabindex", "0");
  if (root.dataset.shown !== id) return;
  root.replaceChildren(
    ...(prose.innerHTML ? [prose] : [h("h2", {}, system.title), h("p", {}, system.summary)]),
    ...(notes.length ? [h("h3", {}, "In this run"), h("ul", {}, ...notes.map((note) => h("li", {}, note)))] : []),
    h("h3", {}, "Reference"), h("p", { class: "citation" }, system.citation));
}

/** @param {() => void} opened the explanation came into view */
export function installTabs(opened) {
  const tabs = [byId("tab-controls"), byId("tab-about")];
  const select = (/** @type {HTMLElement} */ chosen) => {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      byId(tab.getAttribute("aria-controls") ?? "").hidden = !on;
    }
    if (chosen === tabs[1]) opened();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = tabs[1 - i];
      select(other);
      other.focus();
    });
  });
}
