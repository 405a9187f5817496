// The three themes, and the colours that the program draws with: read from the style sheet, one for each role.
// @ts-check
import { remember } from "./dom.js";

const THEMES = ["light", "dark", "projector"];

export const currentTheme = () => document.documentElement.dataset.theme ?? "light";

/** Goes to the next theme and remembers it. */
export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length];
  document.documentElement.dataset.theme = next;
  remember("theme", next);
  return next;
}

/** @param {string} colour any CSS colour */
function word(colour) {
  const ctx = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = ctx.getImageData(0, 0, 1, 1).data;
  return ((r << 24) | (g << 16) | (b << 8) | a) >>> 0;
}

/**
 * The present theme's colours in the order of the roles: for the rasteriser as words, for canvases as CSS.
 * @param {string[]} roles
 */
export function palette(roles) {
  const style = getComputedStyle(document.documentElement);
  const colours = roles.map((role) => style.getPropertyValue(`--c-${role}`).trim() || style.color);
  return { words: Uint32Array.from(colours, word), colours };
}
