// Notices above the stage: what went wrong or was corrected, each once, until dismissed or withdrawn.
// @ts-check
import { byId, h } from "./dom.js";

/** @typedef {"info" | "warning" | "error"} Tone */

/** @type {Map<string, HTMLElement>} */
const shown = new Map();

/** @param {string} id */
export function withdraw(id) {
  shown.get(id)?.remove();
  shown.delete(id);
}

/**
 * Shows a notice; one with the same id is replaced.
 * @param {string} id
 * @param {string} text
 * @param {Tone} [tone]
 * @param {number} [ms] after which it goes by itself
 * @param {{ label: string, run: () => void }} [offer] something to do about it
 */
export function notice(id, text, tone = "info", ms, offer) {
  const before = shown.get(id);
  const element = h("div", { class: `notice ${tone}`, "data-notice": id },
    h("span", {}, text),
    ...(offer ? [h("button", { type: "button", onclick: () => (withdraw(id), offer.run()) }, offer.label)] : []),
    h("button", { type: "button", class: "quiet icon", "aria-label": "Dismiss", onclick: () => withdraw(id) }, "✕"));
  if (before) before.replaceWith(element);
  else byId("notices").append(element);
  shown.set(id, element);
  if (ms) setTimeout(() => shown.get(id) === element && withdraw(id), ms);
}

/**
 * Replaces all notices of a family.
 * @param {string} family
 * @param {{ key: string, message: string }[]} problems
 * @param {Tone} [tone]
 */
export function noticeAll(family, problems, tone = "warning") {
  const wanted = new Set(problems.map(({ key }) => `${family}:${key}`));
  for (const id of [...shown.keys()]) if (id.startsWith(`${family}:`) && !wanted.has(id)) withdraw(id);
  for (const { key, message } of problems) notice(`${family}:${key}`, key ? `${key}: ${message}` : message, tone);
}
