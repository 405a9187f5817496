// The page's own options, from the query of its address: how it looks and where it computes, never what.
// @ts-check
import { shell } from "./boot.js";

/** @param {string} list */
const names = (list) => new Set(list.split(",").map((name) => name.trim()).filter(Boolean));

/**
 * @param {string} search the query of the address, or of a file that carries its own
 */
export function readOptions(search) {
  const query = new URLSearchParams(search);
  const flag = (/** @type {string} */ name) => {
    const value = query.get(name);
    return value === null ? null : value !== "0" && value !== "false";
  };
  const embed = flag("embed") ?? shell === "embed";
  const ui = query.get("ui") ?? "";
  const backend = query.get("backend") ?? "";
  const scale = Number(query.get("scale") ?? 1);
  return {
    embed,
    theme: query.get("theme"),
    id: (query.get("id") ?? "").slice(0, 64),
    /** Whether to wait for a click before anything is downloaded. */
    poster: query.get("load") === "click",
    /** Whether curves and values are covered until the reader has made a prediction. */
    predict: flag("reveal") ?? false,
    /** Which scene of a lecture comes first, from 0. */
    scene: Math.max(0, Math.trunc(Number(query.get("scene") ?? 1) || 1) - 1),
    ui: /** @type {"full" | "min" | "none"} */ (["full", "min", "none"].includes(ui) ? ui : embed ? "min" : "full"),
    backend: /** @type {import("./device.js").Wish} */ (["cpu", "gpu"].includes(backend) ? backend : "auto"),
    autoplay: flag("autoplay") ?? !matchMedia("(prefers-reduced-motion: reduce)").matches,
    hide: names(query.get("hide") ?? ""),
    lock: names(query.get("lock") ?? ""),
    scale: Number.isFinite(scale) ? Math.min(2, Math.max(1, scale)) : 1,
  };
}

/** @typedef {ReturnType<typeof readOptions>} Options */

/**
 * Hides and locks the controls that the options name.
 * @param {ParentNode} root
 * @param {Options} options
 */
export function restrict(root, { hide, lock }) {
  for (const element of root.querySelectorAll("[data-control]")) {
    const name = element.getAttribute("data-control") ?? "";
    if (hide.has(name)) element.setAttribute("hidden", "");
    if (!lock.has(name)) continue;
    element.classList.add("locked");
    const fields = element.matches("button, input, select, textarea") ? [element] : element.querySelectorAll("button, input, select, textarea");
    for (const field of fields) field.setAttribute("disabled", "");
  }
}
