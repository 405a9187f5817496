// Single-key shortcuts, with a switch to turn them off (WCAG 2.1.4). They act only while this page has the focus, and
// never on a key that a field, a dialog or a slide deck may want.
// @ts-check
import { byId, h, remember, remembered } from "./dom.js";

/** @typedef {{ key: string, shown: string, what: string, run: () => void }} Shortcut */

/** @param {Shortcut[]} shortcuts */
export function installShortcuts(shortcuts) {
  const on = byId("keys-on", HTMLInputElement);
  on.checked = remembered("keys") !== "off";
  on.addEventListener("change", () => remember("keys", on.checked ? "on" : "off"));
  byId("key-list").append(...shortcuts.filter(({ shown }) => shown).flatMap(({ shown, what }) => [h("dt", {}, h("kbd", {}, shown)), h("dd", {}, what)]));

  document.addEventListener("keydown", (event) => {
    if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (document.querySelector("dialog[open]") || target.closest("textarea, select, input:not([type=checkbox], [type=range])")) return;
    const shortcut = shortcuts.find(({ key }) => key === event.key);
    if (!shortcut) return;
    // Space presses the focused button, tooltip owners and links as everywhere else.
    if (event.key === " " && target.closest("button, summary, a, input, label")) return;
    event.preventDefault();
    shortcut.run();
  });
}
